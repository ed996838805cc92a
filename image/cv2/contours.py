"""Measures of curves of straight pieces: `contourArea`, `arcLength`, `boundingRect`, `isContourConvex`,
`pointPolygonTest`.
"""

import inspect
from typing import Any

import numpy as np
from jax import numpy as jnp

from image.cv2._support import fail, point_rows
from sci.bridge import Example, HostRoute, Reason, implements
from sci.bridge.worlds import is_jax
from sci.ndimage._passes import sqrt_of_squares

__all__ = ["arcLength", "boundingRect", "contourArea", "isContourConvex", "pointPolygonTest"]


def point_array(call, name, function):
    """``call[name]`` as an array (n, 2) of the kinds of point that OpenCV takes."""
    value, vector = point_rows(call, name)
    kinds = value.dtype in (np.int32, np.float32) if call.numpy else value.dtype.kind in "if"
    shape = value.shape
    if not kinds or not vector or shape[-1] != 2:
        if call.numpy and value.size <= 4:
            raise HostRoute(Reason.SHAPE, f"{name} has shape {shape}")
        fail(
            function,
            f"checkVector(2) >= 0 and depth CV_32S or CV_32F do not hold: {name} is {value.dtype} {shape}, not int32 "
            "or float32 (n, 2), (n, 1, 2) or (1, n, 2)",
        )
    if value.size == 0:
        raise HostRoute(Reason.SHAPE, f"{name} has no points")
    call[name] = value.reshape(-1, 2)


def wide(points):
    return points.astype(jnp.result_type(float))


_FACTS: dict[str, Any] = {"dtypes": "keep", "note": "empty curves; points in lists"}
# OpenCV reads other shapes in its own way
ODD = ("0-d", "1x1", "one axis more", "empty", "one axis less", "nan", "inf")


def example_curve():
    return np.array([[1, 2], [9, 3], [12, 9], [4, 11], [2, 7]], np.float32)


def _prepare_for(function, curve, flag):
    def prepare(call):
        point_array(call, curve, function)
        call[flag] = bool(call[flag])

    return prepare


def _number(call, result):
    return float(result)


@implements(
    "cv2.contourArea",
    **_FACTS,
    static=("oriented",),
    signature=inspect.signature(lambda contour, oriented=False: None),
    prepare=_prepare_for("contourArea", "contour", "oriented"),
    finish=_number,
    examples=lambda: [
        Example((example_curve(),), grad=("contour",), vmap=("contour",), rtol=1e-6, grad_rtol=1e-2, skip_odd=ODD)
    ],
)
def contourArea(contour, oriented):
    """Area inside a closed curve, by Green's theorem. Differentiable.

    Parameters
    ----------
    contour : int32 or float32 array (n, 2), (n, 1, 2)
        Corners, the last joined to the first.
    oriented : bool
        Negative for curves that run against the clock (in an image, whose rows go down).

    Returns
    -------
    float

    Raises
    ------
    cv2.error
        Points of another dtype or dimension.

    Examples
    --------
    >>> import numpy as np
    >>> from image import cv2
    >>> cv2.contourArea(np.array([[0, 0], [4, 0], [4, 3]], np.int32))
    6.0
    """
    x, y = wide(contour).T
    area = (jnp.roll(x, 1) * y - jnp.roll(y, 1) * x).sum() / 2
    return area if oriented else jnp.abs(area)


@implements(
    "cv2.arcLength",
    **_FACTS,
    static=("closed",),
    signature=inspect.signature(lambda curve, closed: None),
    prepare=_prepare_for("arcLength", "curve", "closed"),
    finish=_number,
    examples=lambda: [
        Example((example_curve(), True), grad=("curve",), vmap=("curve",), rtol=1e-6, grad_rtol=1e-2, skip_odd=ODD)
    ],
)
def arcLength(curve, closed):
    """Length of a curve, in double precision (OpenCV rounds each piece to single). Differentiable.

    Parameters
    ----------
    curve : int32 or float32 array (n, 2), (n, 1, 2)
    closed : bool
        Whether the last point is joined to the first.

    Returns
    -------
    float

    Raises
    ------
    cv2.error
        Points of another dtype or dimension.

    Examples
    --------
    >>> import numpy as np
    >>> from image import cv2
    >>> cv2.arcLength(np.array([[0, 0], [4, 0], [4, 3]], np.int32), True)
    12.0
    """
    points = wide(curve)
    steps = points - jnp.roll(points, 1, axis=0) if closed else points[1:] - points[:-1]
    return sqrt_of_squares((steps * steps).sum(axis=1)).sum()


def _as_array(result):
    return np.array(result) if type(result) is tuple else result


def _prepare_bounds(call):
    value = call["array"]
    call["mask"] = isinstance(value, np.ndarray) or is_jax(value)
    call["mask"] = call["mask"] and value.dtype in (np.uint8, np.int8) and value.ndim == 2
    if not call["mask"]:
        point_array(call, "array", "boundingRect")


@implements(
    "cv2.boundingRect",
    **_FACTS,
    static=("mask",),
    signature=inspect.signature(lambda array: None),
    prepare=_prepare_bounds,
    finish=lambda call, result: tuple(int(v) for v in result),
    grad=False,
    examples=lambda: [Example((example_curve(),), output=_as_array, vmap=("array",), skip_odd=ODD, float32=False)],
)
def boundingRect(array, mask):
    """The upright rectangle of pixels around points, or around what is not zero in an image.

    Parameters
    ----------
    array : int32 or float32 array (n, 2), (n, 1, 2); or uint8 image (h, w)

    Returns
    -------
    (int, int, int, int)
        x, y, width, height; zeros for an image of zeros. An int32 array in the JAX world.

    Raises
    ------
    cv2.error
        Points of another dtype or dimension.

    Examples
    --------
    >>> import numpy as np
    >>> from image import cv2
    >>> cv2.boundingRect(np.array([[1, 2], [5, 9]], np.int32))
    (1, 2, 5, 8)
    """
    if mask:
        found = []
        for axis in (0, 1):
            held = (array != 0).any(axis=axis)
            first, last = jnp.argmax(held), held.shape[0] - 1 - jnp.argmax(held[::-1])
            found.append((jnp.where(held.any(), first, 0), jnp.where(held.any(), last, -1)))
        (x, right), (y, bottom) = found
    else:
        low, high = (jnp.floor(v) if v.dtype.kind == "f" else v for v in (array.min(axis=0), array.max(axis=0)))
        (x, y), (right, bottom) = low, high
    return jnp.stack([x, y, right - x + 1, bottom - y + 1]).astype(np.int32)


@implements(
    "cv2.isContourConvex",
    **_FACTS,
    signature=inspect.signature(lambda contour: None),
    prepare=lambda call: point_array(call, "contour", "isContourConvex"),
    finish=lambda call, result: bool(result),
    grad=False,
    examples=lambda: [Example((example_curve(),), vmap=("contour",), skip_odd=ODD, float32=False)],
)
def isContourConvex(contour):
    """Whether a closed curve turns the same way at every corner; a corner that does not turn counts as a no.

    Parameters
    ----------
    contour : int32 or float32 array (n, 2), (n, 1, 2)

    Returns
    -------
    bool

    Raises
    ------
    cv2.error
        Points of another dtype or dimension.

    Examples
    --------
    >>> import numpy as np
    >>> from image import cv2
    >>> cv2.isContourConvex(np.array([[0, 0], [4, 0], [4, 3]], np.int32))
    True
    """
    steps = contour - jnp.roll(contour, 1, axis=0)
    before = jnp.roll(steps, 1, axis=0)
    left, right = steps[:, 1] * before[:, 0], steps[:, 0] * before[:, 1]
    return (left > right).all() | (left < right).all()


def _prepare_test(call):
    point_array(call, "contour", "pointPolygonTest")
    call["distance"] = bool(call["measureDist"])
    point = call["pt"]
    if not is_jax(point):
        try:
            point = np.asarray(point, np.float32)
        except (TypeError, ValueError):
            fail("pointPolygonTest", f"pt must be two numbers, not {call['pt']!r}")
    else:
        point = jnp.asarray(point)
    if point.shape != (2,):
        fail("pointPolygonTest", f"pt must be two numbers, not {call['pt']!r}")
    call["pt"] = point


@implements(
    "cv2.pointPolygonTest",
    **_FACTS,
    static=("distance",),
    signature=inspect.signature(lambda contour, pt, measureDist: None),
    prepare=_prepare_test,
    finish=_number,
    examples=lambda: [
        Example(
            (example_curve(), (5.5, 6.0), True),
            grad=("contour",),
            vmap=("contour",),
            rtol=1e-6,
            grad_rtol=1e-2,
            skip_odd=ODD,
        )
    ],
)
def pointPolygonTest(contour, pt, distance):
    """Whether a point is inside a closed curve (1), on it (0) or outside (-1), or its signed distance from it.

    By the parity of crossings to the right of the point. The distance is differentiable.

    Parameters
    ----------
    contour : int32 or float32 array (n, 2), (n, 1, 2)
    pt : (float, float)
    measureDist : bool
        Give the distance, positive inside.

    Returns
    -------
    float

    Raises
    ------
    cv2.error
        Points of another dtype or dimension.

    Examples
    --------
    >>> import numpy as np
    >>> from image import cv2
    >>> square = np.array([[0, 0], [4, 0], [4, 4], [0, 4]], np.int32)
    >>> cv2.pointPolygonTest(square, (1, 2), True), cv2.pointPolygonTest(square, (5, 2), False)
    (1.0, -1.0)
    """
    end = wide(contour)
    start = jnp.roll(end, 1, axis=0)
    point = pt.astype(end.dtype)
    along, first, second = end - start, point - start, point - end
    side = first[:, 1] * along[:, 0] - first[:, 0] * along[:, 1]
    (x0, y0), (x1, y1), (x, y) = start.T, end.T, point
    apart = ((y0 <= y) & (y1 <= y)) | ((y0 > y) & (y1 > y)) | ((x0 < x) & (x1 < x))
    inside = (~apart & (jnp.where(along[:, 1] < 0, -side, side) > 0)).sum() % 2 == 1
    if not distance:
        between = ((x0 <= x) & (x <= x1)) | ((x1 <= x) & (x <= x0))
        on = jnp.where(apart, (y == y1) & ((x == x1) | ((y == y0) & between)), side == 0)
        return jnp.where(on.any(), 0.0, jnp.where(inside, 1.0, -1.0))
    length = (along * along).sum(axis=1)
    square = jnp.where(
        (first * along).sum(axis=1) <= 0,
        (first * first).sum(axis=1),
        jnp.where(
            (second * along).sum(axis=1) >= 0,
            (second * second).sum(axis=1),
            side * side / jnp.where(length > 0, length, 1),
        ),
    )
    nearest = sqrt_of_squares(square.min())
    return jnp.where(inside, nearest, -nearest)
