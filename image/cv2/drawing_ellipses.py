"""Arcs of ellipses: `ellipse`, `ellipse2Poly`. Corners, ties and clipping are OpenCV's."""

import inspect

import numpy as np
from jax import numpy as jnp

from image.cv2._drawing import (
    FACTS,
    canvas_argument,
    example_canvas,
    known,
    masked,
    point_argument,
    raster,
)
from image.cv2._raster import BITS, HALF, ONE, arc_directions, arc_points
from image.cv2._support import fail
from sci.bridge import Example, HostRoute, Reason, implements
from sci.bridge.worlds import is_traced

__all__ = ["ellipse", "ellipse2Poly"]


def _rotated_box(call):
    """Centre and half axes, with 16 bits behind the point, and the angle of ``ellipse(img, box, color, ...)``."""
    try:
        (x, y), (width, height), angle = call["center"]
        x, y, width, height, angle = (np.float32(v) for v in (x, y, width, height, angle))
    except (TypeError, ValueError):
        fail("ellipse", f"box must be ((x, y), (width, height), angle), not {call['center']!r}")
    if not (width >= 0 and height >= 0):
        fail("ellipse", f"box.size.width >= 0 && box.size.height >= 0 does not hold: box={call['center']!r}")

    def fine(value, unit):
        whole = int(np.rint(value))
        return whole * unit + int(np.rint((value - np.float32(whole)) * np.float32(unit)))

    return (fine(x, ONE), fine(y, ONE)), (fine(width, HALF), fine(height, HALF)), int(np.rint(angle))


def _prepare_ellipse(call):
    names = ("center", "axes", "angle", "startAngle", "endAngle")
    if any(is_traced(call[n]) for n in names):
        fail("ellipse", f"{', '.join(names)} decide which pixels are drawn: they must be known, not traced")
    boxed = call["box"] is not None or (call["center"] is not None and len(call["center"]) == 3)
    if boxed:
        if call["box"] is not None:
            call["center"] = call["box"]
        elif call["axes"] is not None:  # ellipse(img, box, color, thickness, lineType)
            given = [call[n] for n in names[1:]]
            call["color"] = given[0]
            call["thickness"] = call["thickness"] if given[1] is None else given[1]
            call["lineType"] = call["lineType"] if given[2] is None else given[2]
    if call["color"] is None:
        fail("ellipse", "color is missing")
    image, thickness, shift = canvas_argument(call, "ellipse", curved=True)
    if boxed:
        center, axes, angle = _rotated_box(call)
        start, end = 0, 360
    else:
        if any(call[n] is None for n in names):
            fail("ellipse", f"{', '.join(names)} must all be given, or a box")
        point_argument(call, "center", "ellipse")
        point_argument(call, "axes", "ellipse")
        (x, y), (width, height) = known(call, "ellipse", "center", "axes")
        if width < 0 or height < 0:
            fail("ellipse", f"axes.width >= 0 && axes.height >= 0 does not hold: axes={width, height}")
        up = BITS - shift
        center, axes = (x << up, y << up), (width << up, height << up)
        angle, start, end = (int(np.rint(float(call[n]))) for n in names[2:])
    if max(map(abs, (*center, *axes))) >= 1 << 31:
        raise HostRoute(Reason.OPTION, "an ellipse far larger or farther than any image")
    canvas = raster(image)
    canvas.ellipse(center, axes, angle, start, end, thickness)
    call["mask"] = canvas.mask


def _ellipse_signature(
    img, center=None, axes=None, angle=None, startAngle=None, endAngle=None, color=None, thickness=1, lineType=8,
    shift=0, *, box=None,
):  # fmt: skip
    """OpenCV has two forms of a call: with the centre and angles, and with a box."""


@implements(
    "cv2.ellipse",
    **FACTS,
    signature=inspect.signature(_ellipse_signature),
    prepare=_prepare_ellipse,
    examples=lambda: [Example((example_canvas(), (4, 2), (3, 1), 20, 0, 300, 7.5), oracle=False, jit=False)],
)
def ellipse(img, color, mask):
    """Draw an elliptic arc, or fill its sector with a negative `thickness`; see `line`.

    Also called as ``ellipse(img, ((x, y), (width, height), angle), color, thickness, lineType)``.

    Parameters
    ----------
    center : (int, int)
    axes : (int, int)
        Half the lengths of the axes.
    angle, startAngle, endAngle : float
        Degrees, rounded to whole ones: of the first axis, and of the arc from it.

    Raises
    ------
    cv2.error
        Negative axes, points that are no integers, a thickness or shift out of range.

    Examples
    --------
    >>> import numpy as np
    >>> from image import cv2
    >>> cv2.ellipse(np.zeros((3, 7), np.uint8), (3, 1), (3, 1), 0, 0, 360, 1)
    array([[0, 0, 1, 1, 1, 1, 0],
           [1, 1, 0, 0, 0, 0, 1],
           [1, 1, 1, 1, 1, 1, 1]], dtype=uint8)
    """
    return masked(img, mask, color)


def _prepare_arc(call):
    names = ("angle", "arcStart", "arcEnd", "delta")
    if any(is_traced(call[n]) for n in names):
        fail("ellipse2Poly", f"{', '.join(names)} decide how many points there are: they must be known, not traced")
    values = [call[n] for n in names]
    for name in ("axes", "center"):
        if not is_traced(call[name]) and any(
            isinstance(v, (float, np.floating)) for v in np.ravel(np.asarray(call[name], object))
        ):
            raise HostRoute(Reason.OPTION, f"{name} that are no integers")
        point_argument(call, name, "ellipse2Poly")
    if any(isinstance(v, (float, np.floating)) for v in values):
        raise HostRoute(Reason.OPTION, "angles that are no integers")
    angle, start, end, delta = (int(v) for v in values)
    if not 0 < delta <= 180:
        fail("ellipse2Poly", f"0 < delta && delta <= 180 does not hold: delta={delta}")
    call["rotation"], call["directions"] = arc_directions(angle, start, end, delta)


def _finish_arc(call, points):
    fresh = np.r_[True, np.any(points[1:] != points[:-1], axis=1)]
    points = points[fresh]
    return np.ascontiguousarray(points if len(points) > 1 else np.array([call["center"]] * 2, np.int32))


@implements(
    "cv2.ellipse2Poly",
    dtypes="keep",
    signature=inspect.signature(lambda center, axes, angle, arcStart, arcEnd, delta: None),
    prepare=_prepare_arc,
    finish=_finish_arc,
    grad=False,
    note="centre, axes or angles that are no integers",
    examples=lambda: [Example(((5, 4), (4, 2), 30, 0, 200, 40), jit=False, float32=False)],
)
def ellipse2Poly(center, axes, rotation, directions):
    """Corners of a polygon along an elliptic arc, rounded to whole pixels, each once in a row. OpenCV's exactly.

    With JAX arrays corners may repeat: how many there are follows from the angles alone, and `center` and `axes` may
    be traced.

    Parameters
    ----------
    center, axes : (int, int)
        `axes` are half the lengths.
    angle, arcStart, arcEnd : int
        Degrees.
    delta : int
        Degrees between two corners, 1 to 180.

    Returns
    -------
    int32 array (n, 2)

    Raises
    ------
    cv2.error
        `delta` out of range.

    Examples
    --------
    >>> from image import cv2
    >>> cv2.ellipse2Poly((3, 3), (2, 1), 0, 0, 180, 90)
    array([[5, 3],
           [3, 4],
           [1, 3]], dtype=int32)
    """
    if directions.shape[0] == 1:
        return jnp.stack([center, center]).astype(np.int32)
    real = jnp.result_type(float)
    center, axes, rotation, directions = (a.astype(real) for a in (center, axes, rotation, directions))
    return jnp.rint(arc_points(center, axes, rotation, directions, jnp)).astype(np.int32)
