"""Lines: `line`, `arrowedLine`, `polylines`, `drawMarker`, `clipLine`.

Reference: J. E. Bresenham, "Algorithm for computer control of a digital plotter", IBM Systems J. 4(1), 1965, here
with the place of every pixel in closed form. Ties and clipping are OpenCV's.
"""

import inspect

import jax
import numpy as np
from jax import numpy as jnp

from image.cv2 import constants as c
from image.cv2._drawing import (
    FACTS,
    canvas_argument,
    clipped,
    curve_argument,
    example_canvas,
    known,
    line_places,
    masked,
    painted,
    point_argument,
    raster,
)
from image.cv2._support import fail
from sci.bridge import Example, HostRoute, Reason, implements
from sci.bridge.worlds import is_jax, is_traced

__all__ = ["arrowedLine", "clipLine", "drawMarker", "line", "polylines"]


def _prepare_line(call):
    image, thickness, shift = canvas_argument(call, "line")
    if thickness <= 0:
        fail("line", f"0 < thickness does not hold: thickness={thickness}")
    point_argument(call, "pt1", "line")
    point_argument(call, "pt2", "line")
    call["mask"] = None
    if thickness > 1 or shift:
        canvas = raster(image)
        canvas.thick_line(*known(call, "line", "pt1", "pt2"), thickness, {0, 1}, shift)
        call["mask"], call["pt1"], call["pt2"] = canvas.mask, None, None


@implements(
    "cv2.line",
    **FACTS,
    signature=inspect.signature(lambda img, pt1, pt2, color, thickness=1, lineType=8, shift=0: None),
    prepare=_prepare_line,
    examples=lambda: [Example((example_canvas(), (1, 0), (9, 4), 7.5), oracle=False, jit=False)],
)
def line(img, pt1, pt2, color, mask):
    """Draw a line between two points, in place in the NumPy world. OpenCV's pixels exactly.

    Differentiable in `img` and `color` for images of floating point numbers. Points of a line one pixel wide may be
    traced; of others the pixels are found on the host.

    Parameters
    ----------
    img : array (h, w) or (h, w, up to 4 channels)
    pt1, pt2 : (int, int)
        x and y; parts outside the image are left out.
    color : float or up to four
    thickness : int
        Width in pixels; wide lines have round ends.
    lineType : LINE_8
    shift : int
        Number of bits of the coordinates behind the point.

    Returns
    -------
    array of `img`'s shape

    Raises
    ------
    cv2.error
        Points that are no integers, a thickness or shift out of range, more than four channels.

    Examples
    --------
    >>> import numpy as np
    >>> from image import cv2
    >>> cv2.line(np.zeros((2, 4), np.uint8), (0, 0), (3, 1), 1)
    array([[1, 1, 0, 0],
           [0, 0, 1, 1]], dtype=uint8)
    """
    if mask is not None:
        return masked(img, mask, color)
    return painted(img, *line_places(pt1, pt2, img.shape[:2]), color)


def _prepare_arrow(call):
    image, thickness, shift = canvas_argument(call, "arrowedLine", kind="line_type")
    if thickness <= 0:
        fail("arrowedLine", f"0 < thickness does not hold: thickness={thickness}")
    point_argument(call, "pt1", "arrowedLine")
    point_argument(call, "pt2", "arrowedLine")
    start, end = known(call, "arrowedLine", "pt1", "pt2")
    back = np.subtract(start, end).astype(float)
    size, angle = np.hypot(*back) * float(call["tipLength"]), np.arctan2(back[1], back[0])
    canvas = raster(image)
    canvas.thick_line(start, end, thickness, {0, 1}, shift)
    for turn in (np.pi / 4, -np.pi / 4):
        tip = (int(np.rint(end[0] + size * np.cos(angle + turn))), int(np.rint(end[1] + size * np.sin(angle + turn))))
        canvas.thick_line(tip, end, thickness, {0, 1}, shift)
    call["mask"] = canvas.mask


@implements(
    "cv2.arrowedLine",
    **FACTS,
    signature=inspect.signature(lambda img, pt1, pt2, color, thickness=1, line_type=8, shift=0, tipLength=0.1: None),
    prepare=_prepare_arrow,
    examples=lambda: [Example((example_canvas(), (1, 0), (6, 3), 7.5), {"tipLength": 0.4}, oracle=False, jit=False)],
)
def arrowedLine(img, color, mask):
    """Draw an arrow from the first point to the second; see `line`.

    Parameters
    ----------
    tipLength : float
        Length of the two strokes of the tip, as a share of the arrow's.

    Examples
    --------
    >>> import numpy as np
    >>> from image import cv2
    >>> cv2.arrowedLine(np.zeros((3, 5), np.uint8), (0, 1), (4, 1), 1, tipLength=0.4)
    array([[0, 0, 0, 1, 0],
           [1, 1, 1, 1, 1],
           [0, 0, 0, 1, 0]], dtype=uint8)
    """
    return masked(img, mask, color)


_LEFT, _RIGHT, _TOP, _BOTTOM = (-1, 0), (1, 0), (0, -1), (0, 1)
_CORNERS = ((-1, -1), (1, -1), (1, 1), (-1, 1))
_CROSS = ((_LEFT, _RIGHT), (_TOP, _BOTTOM))
_TILTED = ((_CORNERS[0], _CORNERS[2]), (_CORNERS[1], _CORNERS[3]))


def _ring(*points):
    return tuple(zip(points, points[1:] + points[:1], strict=True))


_MARKERS = {
    c.MARKER_CROSS: _CROSS,
    c.MARKER_TILTED_CROSS: _TILTED,
    c.MARKER_STAR: _CROSS + _TILTED,
    c.MARKER_DIAMOND: _ring(_TOP, _RIGHT, _BOTTOM, _LEFT),
    c.MARKER_SQUARE: _ring(*_CORNERS),
    c.MARKER_TRIANGLE_UP: _ring(_CORNERS[3], _CORNERS[2], _TOP),
    c.MARKER_TRIANGLE_DOWN: _ring(_CORNERS[0], _CORNERS[1], _BOTTOM),
}


def _prepare_marker(call):
    image, thickness, _ = canvas_argument(call, "drawMarker", shift=None, kind="line_type")
    if thickness <= 0:
        fail("drawMarker", f"0 < thickness does not hold: thickness={thickness}")
    point_argument(call, "position", "drawMarker")
    ((x, y),) = known(call, "drawMarker", "position")
    size = int(call["markerSize"])
    half = abs(size) // 2 * (1 if size >= 0 else -1)
    canvas = raster(image)
    for (ax, ay), (bx, by) in _MARKERS.get(int(call["markerType"]), _CROSS):
        canvas.thick_line((x + ax * half, y + ay * half), (x + bx * half, y + by * half), thickness, {0, 1}, 0)
    call["mask"] = canvas.mask


@implements(
    "cv2.drawMarker",
    **FACTS,
    signature=inspect.signature(
        lambda img, position, color, markerType=0, markerSize=20, thickness=1, line_type=8: None
    ),
    prepare=_prepare_marker,
    examples=lambda: [Example((example_canvas(), (4, 2), 7.5, c.MARKER_STAR, 4), oracle=False, jit=False)],
)
def drawMarker(img, color, mask):
    """Draw a marker of straight lines around a point; see `line`.

    Parameters
    ----------
    markerType : int
        MARKER_CROSS, MARKER_TILTED_CROSS, MARKER_STAR, MARKER_DIAMOND, MARKER_SQUARE, MARKER_TRIANGLE_UP,
        MARKER_TRIANGLE_DOWN; a cross for any other number, as in OpenCV.
    markerSize : int

    Examples
    --------
    >>> import numpy as np
    >>> from image import cv2
    >>> cv2.drawMarker(np.zeros((3, 3), np.uint8), (1, 1), 1, cv2.MARKER_TILTED_CROSS, 2)
    array([[1, 0, 1],
           [0, 1, 0],
           [1, 0, 1]], dtype=uint8)
    """
    return masked(img, mask, color)


def _prepare_polylines(call):
    image, thickness, shift = canvas_argument(call, "polylines")
    if thickness < 0:
        fail("polylines", f"0 <= thickness does not hold: thickness={thickness}")
    curves = call["pts"]
    if not isinstance(curves, (list, tuple)):
        raise HostRoute(Reason.OPTION, "pts is no list of arrays")
    closed, first, second = bool(call["isClosed"]), [], []
    call["mask"] = None
    if thickness > 1 or shift:
        canvas = raster(image)
        for curve in curves:
            points = curve_argument(curve, "polylines")
            if not len(points):
                fail("polylines", "p.checkVector(2, CV_32S) > 0 does not hold: a curve is empty")
            canvas.curve(points.tolist(), closed, thickness, shift)
        call["mask"], call["first"], call["second"] = canvas.mask, None, None
        return
    for curve in curves:
        if is_jax(curve):
            points = jnp.asarray(curve).reshape(-1, 2)
        elif isinstance(curve, np.ndarray) and curve.dtype == np.int32 and curve.size and curve.shape[-1] == 2:
            points = curve.reshape(-1, 2).astype(np.int64)
        else:
            fail("polylines", f"p.checkVector(2, CV_32S) > 0 does not hold: {getattr(curve, 'dtype', type(curve))}")
        xp = jnp if is_jax(curve) else np
        after = xp.roll(points, -1, axis=0)
        keep = len(points) if closed or len(points) == 1 else len(points) - 1
        first.append(points[:keep])
        second.append(after[:keep])
    if not first:
        raise HostRoute(Reason.OPTION, "no curves")
    xp = jnp if any(map(is_jax, first)) else np
    call["first"], call["second"] = xp.concatenate(first), xp.concatenate(second)


@implements(
    "cv2.polylines",
    **FACTS,
    signature=inspect.signature(lambda img, pts, isClosed, color, thickness=1, lineType=8, shift=0: None),
    prepare=_prepare_polylines,
    examples=lambda: [
        Example((example_canvas(), [np.array([[1, 0], [6, 2], [3, 4]], np.int32)], True, 7.5), oracle=False, jit=False)
    ],
)
def polylines(img, first, second, color, mask):
    """Draw curves of straight pieces; see `line`.

    Parameters
    ----------
    pts : list of int32 arrays (n, 2) or (n, 1, 2)
    isClosed : bool
        Whether the last point of each is joined to its first.

    Raises
    ------
    cv2.error
        Points that are not int32, a thickness or shift out of range.

    Examples
    --------
    >>> import numpy as np
    >>> from image import cv2
    >>> cv2.polylines(np.zeros((2, 3), np.uint8), [np.array([[0, 0], [2, 0], [2, 1]], np.int32)], False, 1)
    array([[1, 1, 1],
           [0, 0, 1]], dtype=uint8)
    """
    if mask is not None:
        return masked(img, mask, color)
    rows, columns = jax.vmap(lambda a, b: line_places(a, b, img.shape[:2]))(first, second)
    return painted(img, rows.ravel(), columns.ravel(), color)


def _prepare_clip(call):
    if is_traced(call["imgRect"]):
        fail("clipLine", "imgRect must be known, not traced")
    try:
        x, y, width, height = (int(v) for v in np.asarray(call["imgRect"]).ravel())
    except (TypeError, ValueError):
        fail("clipLine", f"imgRect must be four integers, not {call['imgRect']!r}")
    point_argument(call, "pt1", "clipLine")
    point_argument(call, "pt2", "clipLine")
    if width <= 0 or height <= 0:
        raise HostRoute(Reason.SHAPE, "an empty rectangle")
    call["corner"], call["size"] = np.array([x, y]), np.array([height, width])


def _finish_clip(call, result):
    first, second, inside = result
    return bool(inside), tuple(int(v) for v in first), tuple(int(v) for v in second)


@implements(
    "cv2.clipLine",
    dtypes="keep",
    signature=inspect.signature(lambda imgRect, pt1, pt2: None),
    prepare=_prepare_clip,
    finish=_finish_clip,
    finish_jax=lambda call, result: (result[2], result[0], result[1]),
    grad=False,
    note="empty rectangles",
    examples=lambda: [
        Example(
            ((1, 2, 20, 10), (-3, 4), (40, 7)),
            output=lambda r: np.array([*r[1], *r[2], r[0]]),
            jit=False,
            float32=False,
        )
    ],
)
def clipLine(pt1, pt2, corner, size):
    """The part of a line inside a rectangle, by OpenCV's truncated divisions.

    Parameters
    ----------
    imgRect : (int, int, int, int)
        x, y, width, height.
    pt1, pt2 : (int, int)

    Returns
    -------
    bool, (int, int), (int, int)
        Whether any of the line is inside, and the ends of that part. JAX arrays in the JAX world.

    Raises
    ------
    cv2.error
        Points or a rectangle that are no integers.

    Examples
    --------
    >>> from image import cv2
    >>> cv2.clipLine((0, 0, 5, 5), (1, 1), (9, 9))
    (True, (1, 1), (4, 4))
    """
    corner = corner.astype(pt1.dtype)
    first, second, inside = clipped(pt1 - corner, pt2 - corner, size.astype(pt1.dtype), jnp)
    return first + corner, second + corner, inside
