"""Correlation with a kernel of the caller's: `filter2D`, `sepFilter2D`."""

import inspect
from typing import Any

import numpy as np
from jax import numpy as jnp

from image.cv2._support import (
    anchor_in,
    array_argument,
    fail,
    filter_border,
    filter_depth,
    image_argument,
    into_dst,
    pair,
    planes,
    saturate,
    unsupported,
    working_dtype,
)
from sci.bridge import Example, implements
from sci.bridge.worlds import is_jax
from sci.ndimage._kernels.planes import correlate_plane
from sci.ndimage._kernels.separable import GENERAL, correlate_axis

__all__ = ["filter2D", "sepFilter2D"]


def _kernel(call, function, name):
    """The kernel ``call[name]`` as an array of two dimensions; one dimension is a row, as in OpenCV."""
    kernel = array_argument(call, name)
    if not isinstance(kernel, np.ndarray) and not is_jax(kernel):
        fail(function, f"{name} is not a numpy array, but {type(kernel).__name__}")
    if kernel.dtype.kind not in "biuf":
        fail(function, f"{name} must hold real numbers, not {kernel.dtype}")
    if kernel.size == 0:
        fail(function, f"(-215:Assertion failed) !_kernel.empty(): {name} has shape {kernel.shape}")
    if kernel.ndim == 3 and kernel.shape[2] == 1:
        kernel = kernel[..., 0]
    if kernel.ndim > 2:
        fail(function, f"{name} must have one channel and two dimensions, not shape {kernel.shape}")
    return kernel.reshape(1, -1) if kernel.ndim < 2 else kernel


def _prepare_filter(call):
    image_argument(call, "filter2D")
    kernel = _kernel(call, "filter2D", "kernel")
    height, width = kernel.shape
    ax, ay = anchor_in(call["anchor"], (width, height), "filter2D")
    call["mode"], call["output"] = filter_border(call, "filter2D"), filter_depth(call, "filter2D")
    # taps of weight zero do not count (0 * inf): their pattern is structure, the other weights are data
    counts = np.ones(kernel.shape, bool) if is_jax(kernel) else kernel != 0
    if not counts.any():
        counts[ay, ax] = True
    taps = np.argwhere(counts)
    call["values"] = kernel[taps[:, 0], taps[:, 1]]
    call["plan"] = (tuple(map(tuple, taps.tolist())), (ay, ax), (height, width))


def _photo(channels=3):
    return np.random.default_rng(21).integers(0, 256, (8, 9, channels), dtype=np.uint8)


_SHARPEN = np.array([[0, -1, 0], [-1, 5.5, -1], [0, -1, 0]], np.float32)
_FACTS: dict[str, Any] = {
    "dtypes": "keep",
    "supports": unsupported,
    "finish": into_dst,
    "note": "depths other than uint8, uint16, int16, float32, float64; one-dimensional arrays",
}
# a kernel of an odd shape is another kernel; OpenCV sums infinities in another order
_ODD = ("nan", "inf", "0-d", "1x1", "one axis more")


@implements(
    "cv2.filter2D",
    static=("plan", "mode", "output"),
    signature=inspect.signature(lambda src, ddepth, kernel, dst=None, anchor=(-1, -1), delta=0.0, borderType=4: None),
    prepare=_prepare_filter,
    examples=lambda: [
        Example((_photo(), -1, _SHARPEN), rtol=0, atol=0),
        Example(
            (_photo()[..., 0] / 255.0, -1, np.arange(6.0).reshape(2, 3)),
            {"anchor": (0, 1), "delta": 0.5, "borderType": 0},
            grad=("src", "kernel"),
            vmap=("src",),
            skip_odd=_ODD,
        ),
    ],
    **_FACTS,
)
def filter2D(src, values, delta, plan, mode, output):
    """Correlate an image with a kernel. Differentiable in the image and in the kernel.

    Parameters
    ----------
    src : array, (h, w) or (h, w, channels)
    ddepth : int
        Depth of the result, -1 for the source's; integers are rounded half to even and saturated.
    kernel : array, (kh, kw)
        Data: another kernel with zeros at the same places does not compile again.
    anchor : (int, int)
        x and y of the kernel's sample that lies on the pixel; -1 for the centre.
    delta : float
        Added to the result.
    borderType : int
        All but BORDER_WRAP.

    Raises
    ------
    cv2.error
        Empty images and kernels, kernels of several channels, anchors outside, unknown borders and depths.

    Notes
    -----
    Sums are direct for every size; OpenCV goes through Fourier transforms for kernels above 11 x 11, which shows in
    the last bits.

    Examples
    --------
    >>> import numpy as np
    >>> from image import cv2
    >>> cv2.filter2D(np.array([[1, 5, 2, 7]], np.uint8), -1, np.array([[-1.0, 2.0, 0.0]]))
    array([[ 0,  9,  0, 12]], dtype=uint8)
    """
    taps, anchor, size = plan
    x = src.astype(working_dtype(src.dtype, output))
    x = correlate_plane(x, values, taps, anchor, size, mode)
    return planes(saturate(x + jnp.asarray(delta, x.dtype), output))


def _prepare_separable(call):
    image_argument(call, "sepFilter2D")
    sizes = []
    for name in ("kernelX", "kernelY"):
        kernel = _kernel(call, "sepFilter2D", name)
        if min(kernel.shape) != 1:
            fail("sepFilter2D", f"{name} must be a row or a column, its shape is {kernel.shape}")
        call[name] = kernel.reshape(-1)
        sizes.append(kernel.size)
    ax, ay = anchor_in(pair(call["anchor"], "sepFilter2D", "anchor"), sizes, "sepFilter2D")
    call["origins"] = (ay - sizes[1] // 2, ax - sizes[0] // 2)
    call["mode"], call["output"] = filter_border(call, "sepFilter2D"), filter_depth(call, "sepFilter2D", separable=True)


@implements(
    "cv2.sepFilter2D",
    static=("origins", "mode", "output"),
    signature=inspect.signature(
        lambda src, ddepth, kernelX, kernelY, dst=None, anchor=(-1, -1), delta=0.0, borderType=4: None
    ),
    prepare=_prepare_separable,
    examples=lambda: [
        Example((_photo(), 5, np.array([1.0, 2, 1]), np.array([-1.0, 0, 0.5])), rtol=1e-6, skip_odd=_ODD),
        Example(
            (_photo() / 255.0, -1, np.array([0.5, 2, 1, 3]), np.array([1.0, 0.25])),
            {"delta": 1.5},
            grad=("src", "kernelX", "kernelY"),
            vmap=("src",),
            skip_odd=_ODD,
        ),
    ],
    **_FACTS,
)
def sepFilter2D(src, kernelX, kernelY, delta, origins, mode, output):
    """Correlate the rows of an image with `kernelX`, then its columns with `kernelY`.

    Parameters
    ----------
    src : array, (h, w) or (h, w, channels)
    ddepth : int
        Depth of the result, -1 for the source's; see `filter2D`.
    kernelX, kernelY : arrays with one row, one column or one dimension
        Data: other weights do not compile again. Differentiable, as the image is.

    Raises
    ------
    cv2.error
        Empty images, kernels that are no vectors, anchors outside, unknown borders and depths.

    Notes
    -----
    The first pass of integer images is kept in floating point; OpenCV keeps it in fixed point for some uint8 kernels,
    which may differ by one level.

    Examples
    --------
    >>> import numpy as np
    >>> from image import cv2
    >>> cv2.sepFilter2D(np.array([[1, 5, 2, 7]], np.uint8), -1, np.array([1.0, 2.0, 1.0]), np.array([2.0]))
    array([[24, 26, 32, 36]], dtype=uint8)
    """
    x = src.astype(working_dtype(src.dtype, output))
    for axis, kernel in ((1, kernelX), (0, kernelY)):
        x = correlate_axis(x, kernel, axis, mode, origin=origins[axis], symmetry=GENERAL)
    return planes(saturate(x + jnp.asarray(delta, x.dtype), output))
