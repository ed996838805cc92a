"""Drawing of simple shapes, one pixel wide or filled: `line`, `polylines`, `rectangle`, `circle`.

References: J. E. Bresenham, "Algorithm for computer control of a digital plotter", IBM Systems J. 4(1), 1965, here
with the place of every pixel in closed form; "A linear algorithm for incremental digital display of circular arcs",
Comm. ACM 20(2), 1977. Ties and clipping are OpenCV's.
"""

import inspect
from typing import Any

import jax
import numpy as np
from jax import numpy as jnp

from image.cv2 import constants as c
from image.cv2._support import NATIVE, fail, image_argument, pair, saturate
from image.cv2.floods import scalar
from sci.bridge import Example, HostRoute, Reason, implements
from sci.bridge.worlds import is_jax, is_traced

__all__ = ["circle", "line", "polylines", "rectangle"]

_THICKEST = 32767


def _image(call, function):
    """Check ``img``, the colour and the options that all shapes share."""
    given = call["img"]
    image = image_argument(call, function, "img")
    if np.dtype(image.dtype) not in NATIVE:
        raise HostRoute(Reason.DTYPE, f"img is {image.dtype}")
    if image.ndim == 1:
        raise HostRoute(Reason.SHAPE, "img has one dimension")
    if image.ndim == 3 and image.shape[2] > 4:
        fail(function, f"cn <= 4 does not hold: img has {image.shape[2]} channels")
    if max(image.shape[:2]) >= 1 << 15:
        raise HostRoute(Reason.SHAPE, "an image with a side of 32768 or more")
    if isinstance(given, np.ndarray) and not given.flags.writeable:
        fail(function, "img is read-only: it is changed in place")
    call["target"] = given
    scalar(call, "color", function)
    thickness, shift = int(call["thickness"]), int(call["shift"])
    if thickness > _THICKEST or not 0 <= shift <= 16:
        fail(function, f"thickness={thickness} must be at most {_THICKEST}, shift={shift} between 0 and 16")
    kind = int(call["lineType"])
    if thickness > 1 or shift or kind not in (0, 1, c.LINE_8):
        raise HostRoute(Reason.OPTION, "thick, smooth or 4-connected lines, fractions of a pixel")
    return image, thickness


def _point(call, name, function):
    value = call[name]
    if is_traced(value):
        call[name] = jnp.asarray(value).reshape(2).astype(np.int32)
        return
    if any(isinstance(v, (float, np.floating)) for v in np.asarray(value, object).ravel()):
        fail(function, f"{name} must be two integers, not {value!r}")
    call[name] = np.array(pair(value, function, name), np.int64)


def _clipped(first, second, shape, xp):
    """The part of a line inside the image, by OpenCV's truncated division; and whether there is any."""
    right, bottom = shape[1] - 1, shape[0] - 1
    (x1, y1), (x2, y2) = first, second

    def code(value, last):
        return xp.where(value < 0, 1, xp.where(value > last, 2, 0))

    def cut(a, b, to, other_a, other_b):
        """The other coordinate where the line crosses `to`."""
        wide = jnp.result_type(float) if xp is jnp else np.float64
        step = xp.where(b == a, 1, b - a)
        move = (to - a).astype(wide) * (other_b - other_a).astype(wide) / step.astype(wide)
        return other_a + xp.trunc(move).astype(other_a.dtype)

    apart = ((code(x1, right) & code(x2, right)) | (code(y1, bottom) & code(y2, bottom))) != 0
    for vertical in (True, False):
        for k in (0, 1):
            a, b, low, last = (y1, y2, x1, bottom) if vertical else (x1, x2, y1, right)
            other = x2 if vertical else y2
            here = b if k else a
            outside = code(here, last)
            to = xp.where(outside == 1, 0, last).astype(here.dtype)
            crossing = cut(b, a, to, other, low) if k else cut(a, b, to, low, other)
            moved = (outside != 0) & ~apart
            here, beside = xp.where(moved, to, here), xp.where(moved, crossing, other if k else low)
            if vertical:
                x1, y1, x2, y2 = (x1, y1, beside, here) if k else (beside, here, x2, y2)
            else:
                x1, y1, x2, y2 = (x1, y1, here, beside) if k else (here, beside, x2, y2)
        apart = apart | ((code(x1, right) & code(x2, right)) != 0)
    inside = ~apart & (code(x1, right) == 0) & (code(x2, right) == 0)
    inside = inside & (code(y1, bottom) == 0) & (code(y2, bottom) == 0)
    return xp.stack([x1, y1]), xp.stack([x2, y2]), inside


def _line_places(first, second, shape):
    """Rows and columns of a line's pixels, as many as the longer side; off the image where there are fewer."""
    first, second, inside = _clipped(first, second, shape, jnp)
    first, second = first.astype(np.int32), second.astype(np.int32)
    backwards = second[0] < first[0]
    start, end = jnp.where(backwards, second, first), jnp.where(backwards, first, second)
    extent = jnp.abs(end - start)
    steep = extent[1] > extent[0]
    major, minor = jnp.where(steep, extent[1], extent[0]), jnp.where(steep, extent[0], extent[1])
    n = jnp.arange(max(shape), dtype=np.int32)
    aside = jnp.maximum(2 * minor * n + major - 1, 0) // jnp.maximum(2 * major, 1)  # one point has no length
    down = jnp.where(end[1] < start[1], -1, 1)
    x = start[0] + jnp.where(steep, aside, n)
    y = start[1] + down * jnp.where(steep, n, aside)
    valid = inside & (n <= major)
    return jnp.where(valid, y, shape[0]), jnp.where(valid, x, shape[1])


def _painted(img, rows, columns, color):
    colour = saturate(color[: img.shape[2] if img.ndim == 3 else 1], img.dtype)
    return img.at[rows, columns].set(colour if img.ndim == 3 else colour[0], mode="drop")


def _in_place(call, result):
    target = call["target"]
    if isinstance(target, np.ndarray):
        target[...] = result.reshape(target.shape)
        return target
    return result


_FACTS: dict[str, Any] = {"dtypes": "keep", "finish": _in_place}
_NOTE = (
    "thickness above 1, LINE_4 and LINE_AA, shift, depths other than uint8, uint16, int16, float32, float64; "
    "one-dimensional arrays"
)


def _canvas():
    # a tuple, which is not changed in place: the contract does not know arguments that change
    return tuple(tuple(float(v) for v in row) for row in np.arange(40.0).reshape(5, 8))


def _prepare_line(call):
    _, thickness = _image(call, "line")
    if thickness <= 0:
        fail("line", f"0 < thickness does not hold: thickness={thickness}")
    _point(call, "pt1", "line")
    _point(call, "pt2", "line")


@implements(
    "cv2.line",
    **_FACTS,
    signature=inspect.signature(lambda img, pt1, pt2, color, thickness=1, lineType=8, shift=0: None),
    prepare=_prepare_line,
    note=_NOTE,
    examples=lambda: [Example((_canvas(), (1, 0), (9, 4), 7.5), oracle=False, jit=False)],
)
def line(img, pt1, pt2, color):
    """Draw a line one pixel wide between two points, in place in the NumPy world. OpenCV's pixels exactly.

    Differentiable in `img` and `color` for images of floating point numbers; points may be traced.

    Parameters
    ----------
    img : array (h, w) or (h, w, up to 4 channels)
    pt1, pt2 : (int, int)
        x and y; parts outside the image are left out.
    color : float or up to four
    thickness, lineType, shift : int

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
    return _painted(img, *_line_places(pt1, pt2, img.shape[:2]), color)


def _prepare_polylines(call):
    _, thickness = _image(call, "polylines")
    if thickness < 0:
        fail("polylines", f"0 <= thickness does not hold: thickness={thickness}")
    curves = call["pts"]
    if not isinstance(curves, (list, tuple)):
        raise HostRoute(Reason.OPTION, "pts is no list of arrays")
    closed, first, second = bool(call["isClosed"]), [], []
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
    **_FACTS,
    signature=inspect.signature(lambda img, pts, isClosed, color, thickness=1, lineType=8, shift=0: None),
    prepare=_prepare_polylines,
    note=_NOTE,
    examples=lambda: [
        Example((_canvas(), [np.array([[1, 0], [6, 2], [3, 4]], np.int32)], True, 7.5), oracle=False, jit=False)
    ],
)
def polylines(img, first, second, color):
    """Draw curves of straight pieces, one pixel wide; see `line`.

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
    rows, columns = jax.vmap(lambda a, b: _line_places(a, b, img.shape[:2]))(first, second)
    return _painted(img, rows.ravel(), columns.ravel(), color)


def _prepare_rectangle(call):
    # rectangle(img, rec, color, ...): four numbers instead of two points
    if not is_jax(call["pt1"]) and np.size(call["pt1"]) == 4:
        if call["color"] is None or isinstance(call["color"], (int, np.integer)):
            names = ("thickness", "lineType", "shift")
            given = [call["color"], *(call[n] for n in names)]
            if given[0] is not None:
                call["thickness"] = given[0]
                call["lineType"], call["shift"] = given[1] if given[1] != 1 else 8, given[2] if given[2] != 8 else 0
            call["color"] = call["pt2"]
        x, y, width, height = (int(v) for v in call["pt1"])
        call["pt1"], call["pt2"] = (x, y), (x + width - 1, y + height - 1)
    if call["color"] is None:
        fail("rectangle", "color is missing")
    _, thickness = _image(call, "rectangle")
    _point(call, "pt1", "rectangle")
    _point(call, "pt2", "rectangle")
    call["filled"] = thickness < 0


@implements(
    "cv2.rectangle",
    static=("filled",),
    **_FACTS,
    signature=inspect.signature(lambda img, pt1, pt2=None, color=None, thickness=1, lineType=8, shift=0: None),
    prepare=_prepare_rectangle,
    note=_NOTE,
    examples=lambda: [Example((_canvas(), (1, 0), (9, 3), 7.5), {"thickness": -1}, oracle=False, jit=False)],
)
def rectangle(img, pt1, pt2, color, filled):
    """Draw a rectangle between two corners, one pixel wide, or filled with a negative `thickness`; see `line`.

    Also called as ``rectangle(img, (x, y, width, height), color=...)``.

    Examples
    --------
    >>> import numpy as np
    >>> from image import cv2
    >>> cv2.rectangle(np.zeros((3, 4), np.uint8), (1, 0), (3, 2), 1)
    array([[0, 1, 1, 1],
           [0, 1, 0, 1],
           [0, 1, 1, 1]], dtype=uint8)
    """
    low, high = jnp.minimum(pt1, pt2), jnp.maximum(pt1, pt2)
    x, y = jnp.arange(img.shape[1]), jnp.arange(img.shape[0])[:, None]
    inside = (x >= low[0]) & (x <= high[0]) & (y >= low[1]) & (y <= high[1])
    if not filled:
        inside = inside & ((x == low[0]) | (x == high[0]) | (y == low[1]) | (y == high[1]))
    colour = saturate(color[: img.shape[2] if img.ndim == 3 else 1], img.dtype)
    return jnp.where(inside[..., None], colour, img) if img.ndim == 3 else jnp.where(inside, colour[0], img)


def _octant(radius):
    """For every step aside the distance along the other axis, from the axis to the diagonal."""
    along, aside, error, found = radius, 0, 0, []
    while along >= aside:
        found.append(along)
        error += 2 * aside + 1
        aside += 1
        if error > 0:
            error -= 2 * along - 1
            along -= 1
    return np.array(found, np.int32)


def _prepare_circle(call):
    image, thickness = _image(call, "circle")
    _point(call, "center", "circle")
    if is_jax(call["radius"]):
        fail("circle", "radius decides what is drawn: give an int, not a JAX array")
    radius = call["radius"]
    if isinstance(radius, (float, np.floating)) or radius < 0:
        fail("circle", f"radius >= 0 does not hold: radius={radius!r}")
    if radius >= 1 << 15:
        raise HostRoute(Reason.OPTION, "a radius of 32768 or more")
    half = _octant(int(radius))
    aside = np.arange(len(half), dtype=np.int32)
    call["filled"] = thickness < 0
    if call["filled"]:
        width = np.full(int(radius) + 1, -1, np.int32)  # of each row above or below the centre
        np.maximum.at(width, aside, half)
        np.maximum.at(width, half, aside)
        room = max(image.shape[:2])
        call["shape"] = np.pad(width, (0, (-len(width)) % room), constant_values=-1)
    else:
        eight = [(s * a, t * b) for a, b in ((half, aside), (aside, half)) for s in (1, -1) for t in (1, -1)]
        offsets = np.concatenate([np.stack(p) for p in eight], axis=1).astype(np.int32)
        room = 1 << int(offsets.shape[1] - 1).bit_length()
        call["shape"] = np.pad(offsets, [(0, 0), (0, room - offsets.shape[1])], mode="edge")


@implements(
    "cv2.circle",
    static=("filled",),
    **_FACTS,
    signature=inspect.signature(lambda img, center, radius, color, thickness=1, lineType=8, shift=0: None),
    prepare=_prepare_circle,
    note=_NOTE,
    examples=lambda: [Example((_canvas(), (4, 2), 2, 7.5), oracle=False, jit=False)],
)
def circle(img, center, color, shape, filled):
    """Draw a circle, one pixel wide, or filled with a negative `thickness`; see `line`.

    Parameters
    ----------
    center : (int, int)
        May be traced; `radius` may not.
    radius : int

    Examples
    --------
    >>> import numpy as np
    >>> from image import cv2
    >>> cv2.circle(np.zeros((3, 3), np.uint8), (1, 1), 1, 1)
    array([[0, 1, 0],
           [1, 0, 1],
           [0, 1, 0]], dtype=uint8)
    """
    height, width = img.shape[:2]
    center = jnp.asarray(center).astype(np.int32)
    if not filled:
        x, y = center[:, None] + shape
        inside = (x >= 0) & (x < width) & (y >= 0) & (y < height)
        return _painted(img, jnp.where(inside, y, height), jnp.where(inside, x, width), color)
    aside = jnp.abs(jnp.arange(width, dtype=np.int32) - center[0])
    row = jnp.abs(jnp.arange(height, dtype=np.int32) - center[1])
    reach = jnp.where(row < shape.shape[0], shape[jnp.minimum(row, shape.shape[0] - 1)], -1)
    inside = aside <= reach[:, None]
    colour = saturate(color[: img.shape[2] if img.ndim == 3 else 1], img.dtype)
    return jnp.where(inside[..., None], colour, img) if img.ndim == 3 else jnp.where(inside, colour[0], img)
