"""Filters built of boxes: `sqrBoxFilter`, `stackBlur` (`blur` and `boxFilter`: smoothing.py)."""

import inspect

import numpy as np
from jax import numpy as jnp

from image.cv2 import constants as c
from image.cv2._support import (
    DEPTHS,
    anchor_in,
    fail,
    filter_border,
    image_argument,
    into_dst,
    pair,
    planes,
    saturate,
    unsupported,
    working_dtype,
)
from sci.bridge import Example, Reason, implements
from sci.ndimage._kernels.separable import EVEN, box_axis, correlate_axis

__all__ = ["sqrBoxFilter", "stackBlur"]


def _photo(channels=3):
    return np.random.default_rng(26).integers(0, 256, (8, 9, channels), dtype=np.uint8)


def _prepare_squares(call):
    function = "sqrBoxFilter"
    src = image_argument(call, function)
    size = pair(call["ksize"], function, "ksize")
    if min(size) <= 0:
        fail(function, f"ksize.width > 0 && ksize.height > 0 does not hold: ksize={call['ksize']!r}")
    ax, ay = anchor_in(call["anchor"], size, function)
    call["steps"] = ((0, size[1], ay - size[1] // 2), (1, size[0], ax - size[0] // 2))
    call["mode"], call["normalize"] = filter_border(call, function), bool(call["normalize"])
    depth = int(call["ddepth"])
    if depth < 0:
        depth = c.CV_32F if np.dtype(src.dtype).kind in "iu" else c.CV_64F
    call["output"] = DEPTHS.get(depth)


def _supports_squares(call):
    if call["output"] not in (np.float32, np.float64):
        return Reason.OPTION, f"ddepth={call['ddepth']}"
    return unsupported(call)


@implements(
    "cv2.sqrBoxFilter",
    static=("steps", "mode", "normalize", "output"),
    dtypes="keep",
    signature=inspect.signature(lambda src, ddepth, ksize, dst=None, anchor=(-1, -1), normalize=True, borderType=4: 0),
    prepare=_prepare_squares,
    supports=_supports_squares,
    finish=into_dst,
    note="ddepth other than -1, CV_32F, CV_64F; depths that are not native; one-dimensional arrays",
    examples=lambda: [
        Example((_photo(), -1, (3, 5)), vmap=("src",), rtol=1e-6),
        Example((_photo() / 255.0, -1, (4, 2)), {"normalize": False}, grad=("src",), skip_odd=("nan", "inf")),
    ],
)
def sqrBoxFilter(src, steps, mode, normalize, output):
    """Sum or mean of the squares over a box. Differentiable for floating point images.

    Parameters
    ----------
    src : array, (h, w) or (h, w, channels)
    ddepth : int
        -1 (CV_32F for integer images, CV_64F for others), CV_32F or CV_64F.
    ksize : (int, int)
        Width and height.

    Raises
    ------
    cv2.error
        Empty images, sizes that are not positive, anchors outside the box, unknown borders.

    Examples
    --------
    >>> import numpy as np
    >>> from image import cv2
    >>> cv2.sqrBoxFilter(np.array([[1, 2, 3]], np.uint8), -1, (3, 1), normalize=False)
    array([[ 9., 14., 17.]], dtype=float32)
    """
    area = steps[0][1] * steps[1][1]
    exact = src.dtype == np.uint8 and 255 * 255 * area < 2**24 and output == np.float32
    x = src.astype(np.float32 if exact else working_dtype(np.float64))
    x = x * x
    for axis, size, origin in steps:
        x = box_axis(x, size, axis, mode, 0.0, origin)
    return planes(saturate(x * np.asarray(1.0 / area, x.dtype) if normalize else x, output))


def _prepare_stack(call):
    src = image_argument(call, "stackBlur")
    width, height = pair(call["ksize"], "stackBlur", "ksize")
    for name, size in (("width", width), ("height", height)):
        if size <= 0 or size % 2 == 0:
            fail("stackBlur", f"ksize.{name} > 0 && ksize.{name} % 2 == 1 does not hold: ksize={call['ksize']!r}")
    if np.dtype(src.dtype) not in (np.uint8, np.uint16, np.int16, np.float32) and call.numpy:
        fail("stackBlur", f"the supported formats are CV_8U, CV_16U, CV_16S and CV_32F: src is {src.dtype}")
    call["size"] = (height, width)


# OpenCV's running sums drift, and differ at the last columns and rows, for wider windows
_LARGEST = {np.dtype(np.uint8): 51}


def _supports_stack(call):
    if np.dtype(call["src"].dtype) in (np.uint16, np.int16):
        return Reason.DTYPE, "OpenCV's rounding of 16-bit samples"
    if call.numpy and max(call["size"]) > _LARGEST.get(np.dtype(call["src"].dtype), 11):
        return Reason.OPTION, f"ksize={call['ksize']}: OpenCV's running sums"
    return unsupported(call)


@implements(
    "cv2.stackBlur",
    static=("size",),
    dtypes="keep",
    signature=inspect.signature(lambda src, ksize, dst=None: None),
    prepare=_prepare_stack,
    supports=_supports_stack,
    finish=into_dst,
    note="uint16 and int16 images, NumPy arrays with windows above 51 (uint8) or 11 (float32), one-dimensional arrays",
    examples=lambda: [
        Example((_photo(), (3, 5)), rtol=0, atol=1, skip_odd=("1x1",)),
        Example(
            ((_photo() / 255.0).astype(np.float32), (5, 7)),
            vmap=("src",),
            rtol=1e-5,
            atol=1e-6,
            skip_odd=("1x1", "nan", "inf"),
        ),
    ],
)
def stackBlur(src, size):
    """Blur with weights that fall off linearly from the centre, rows then columns; the border is replicated.

    uint8 is within one level. Differentiable for floating point images.

    Parameters
    ----------
    src : uint8 or float32 array, (h, w) or (h, w, channels)
        In the JAX world also float64.
    ksize : (int, int)
        Width and height, odd.

    Raises
    ------
    cv2.error
        Empty images, even sizes, other depths.

    References
    ----------
    M. Klingemann, "Stack blur", 2004. Written as the correlation that it is.

    Examples
    --------
    >>> import numpy as np
    >>> from image import cv2
    >>> cv2.stackBlur(np.array([[0, 0, 90, 0, 0]], np.float32), (5, 1))
    array([[10., 20., 30., 20., 10.]], dtype=float32)
    """
    integer = src.dtype.kind in "iu"
    x = src.astype(np.float32 if integer else src.dtype)
    for axis in (1, 0):
        half = size[axis] // 2
        if half == 0:
            continue
        weights = (half + 1.0 - np.abs(np.arange(-half, half + 1))).astype(x.dtype)
        if not integer:
            weights = weights / x.dtype.type((half + 1) ** 2)
        x = correlate_axis(x, jnp.asarray(weights), axis, "nearest", symmetry=EVEN)
        if integer:  # both passes give whole levels, small windows rounded down
            area = np.float32((half + 1) ** 2)
            x = jnp.floor((x + (area / 2 if half > 5 else np.float32(0.25))) / area)
    return planes(saturate(x, src.dtype))
