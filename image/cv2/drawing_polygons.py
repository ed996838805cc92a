"""Filled polygons: `fillPoly`, `fillConvexPoly`. For the algorithm see `_raster.py`."""

import inspect

import numpy as np

from image.cv2._drawing import (
    FACTS,
    canvas_argument,
    curve_argument,
    example_canvas,
    known,
    masked,
    point_argument,
    raster,
)
from image.cv2._support import fail
from sci.bridge import Example, HostRoute, Reason, implements

__all__ = ["fillConvexPoly", "fillPoly"]


def _offset(call):
    value = (0, 0) if call["offset"] is None else call["offset"]
    call["offset"] = value
    point_argument(call, "offset", "fillPoly")
    return known(call, "fillPoly", "offset")[0]


def _prepare_fill(call):
    image, _, shift = canvas_argument(call, "fillPoly", thickness=None)
    curves = call["pts"]
    if isinstance(curves, np.ndarray) and curves.ndim == 3 and curves.dtype == np.int32 and curves.shape[2] == 2:
        curves = list(curves)
    if not isinstance(curves, (list, tuple)) or not len(curves):
        raise HostRoute(Reason.OPTION, "pts is no list of arrays")
    curves = [curve_argument(curve, "fillPoly") for curve in curves]
    if not all(map(len, curves)):
        fail("fillPoly", "p.checkVector(2, CV_32S) > 0 does not hold: a curve is empty")
    canvas = raster(image)
    canvas.polygons([p.tolist() for p in curves], shift, _offset(call))
    call["mask"] = canvas.mask


def _triangle():
    return np.array([[1, 0], [6, 2], [3, 4]], np.int32)


@implements(
    "cv2.fillPoly",
    **FACTS,
    signature=inspect.signature(lambda img, pts, color, lineType=8, shift=0, offset=None: None),
    prepare=_prepare_fill,
    examples=lambda: [Example((example_canvas(), [_triangle()], 7.5), oracle=False, jit=False)],
)
def fillPoly(img, color, mask):
    """Fill the inside and the outline of polygons; where several overlap, what an odd number of them covers.

    See `line`.

    Parameters
    ----------
    pts : list of int32 arrays (n, 2) or (n, 1, 2)
    offset : (int, int), optional
        Added to all points.

    Raises
    ------
    cv2.error
        Points that are not int32, a shift out of range.

    Examples
    --------
    >>> import numpy as np
    >>> from image import cv2
    >>> cv2.fillPoly(np.zeros((3, 4), np.uint8), [np.array([[0, 0], [3, 0], [0, 2]], np.int32)], 1)
    array([[1, 1, 1, 1],
           [1, 1, 1, 0],
           [1, 0, 0, 0]], dtype=uint8)
    """
    return masked(img, mask, color)


def _prepare_convex(call):
    image, _, shift = canvas_argument(call, "fillConvexPoly", thickness=None)
    points = curve_argument(call["points"], "fillConvexPoly")
    canvas = raster(image)
    if len(points):
        canvas.convex(points.tolist(), shift)
    call["mask"] = canvas.mask


@implements(
    "cv2.fillConvexPoly",
    **FACTS,
    signature=inspect.signature(lambda img, points, color, lineType=8, shift=0: None),
    prepare=_prepare_convex,
    examples=lambda: [Example((example_canvas(), _triangle(), 7.5), oracle=False, jit=False)],
)
def fillConvexPoly(img, color, mask):
    """Fill a polygon whose outline meets every row twice at the most; see `line`.

    OpenCV's pixels for other polygons too, though those are not what one would call filled.

    Parameters
    ----------
    points : int32 array (n, 2) or (n, 1, 2)

    Raises
    ------
    cv2.error
        Points that are not int32, a shift out of range.

    Examples
    --------
    >>> import numpy as np
    >>> from image import cv2
    >>> cv2.fillConvexPoly(np.zeros((3, 4), np.uint8), np.array([[0, 0], [3, 0], [0, 2]], np.int32), 1)
    array([[1, 1, 1, 1],
           [1, 1, 1, 0],
           [1, 0, 0, 0]], dtype=uint8)
    """
    return masked(img, mask, color)
