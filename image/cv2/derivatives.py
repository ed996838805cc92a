"""`Sobel`, `Scharr`, `Laplacian` and `magnitude`."""

import functools
import inspect

import numpy as np
from jax import numpy as jnp

from image.cv2._support import (
    depth,
    fail,
    filter_border,
    filter_depth,
    image_argument,
    into_dst,
    planes,
    saturate,
    unsupported,
    working_dtype,
)
from image.cv2.constants import FILTER_SCHARR
from sci.bridge import Example, Reason, implements
from sci.bridge.worlds import is_jax
from sci.ndimage._kernels.planes import correlate_plane
from sci.ndimage._kernels.separable import EVEN, correlate_axis, fits_integers, integer_passes, symmetry_of
from sci.ndimage._passes import sqrt_of_squares

__all__ = ["Laplacian", "Scharr", "Sobel", "magnitude"]


@functools.lru_cache(128)
def sobel_kernel(order, size):
    """``(1 + z)^(size - order - 1) (z - 1)^order``: smoothing and differences, integers."""
    kernel = np.ones(1)
    for _ in range(size - order - 1):
        kernel = np.convolve(kernel, [1.0, 1.0])
    for _ in range(order):
        kernel = np.convolve(kernel, [-1.0, 1.0])
    return kernel


def derivative_kernels(dx, dy, ksize, function):
    """The two kernels, x first, as OpenCV chooses them."""
    if dx < 0 or dy < 0 or dx + dy <= 0:
        fail(function, f"dx >= 0 && dy >= 0 && dx+dy > 0 does not hold: dx={dx}, dy={dy}")
    if ksize == FILTER_SCHARR:
        if dx + dy != 1:
            fail(function, f"Scharr kernels need dx + dy == 1: dx={dx}, dy={dy}")
        smooth, slope = np.array([3.0, 10.0, 3.0]), np.array([-1.0, 0.0, 1.0])
        return (slope, smooth) if dx else (smooth, slope)
    if ksize % 2 == 0 or not 1 <= ksize <= 31:
        fail(function, f"The kernel size must be odd and not larger than 31: ksize={ksize}")
    kernels = []
    for name, order in (("dx", dx), ("dy", dy)):
        size = 3 if ksize == 1 and order > 0 else ksize
        if size <= order:
            fail(function, f"ksize > order does not hold: ksize={ksize}, {name}={order}")
        kernels.append(sobel_kernel(order, size))
    return tuple(kernels)


def _fits_16_bits(src, kernel_x, kernel_y, delta):
    """Whether the derivative of bytes is an integer of 16 bits, whatever the image."""
    if np.dtype(src.dtype) != np.uint8 or is_jax(kernel_x) or is_jax(kernel_y) or is_jax(delta):
        return False
    if np.any(np.asarray(delta) != 0):
        return False
    whole = np.all(kernel_x == np.rint(kernel_x)) and np.all(kernel_y == np.rint(kernel_y))
    return bool(whole and 255 * np.abs(kernel_x).sum() * np.abs(kernel_y).sum() < 1 << 15)


def _prepare(function):
    def prepare(call):
        src = image_argument(call, function)
        dx, dy = int(call["dx"]), int(call["dy"])
        ksize = FILTER_SCHARR if function == "Scharr" else int(call["ksize"])
        kernel_x, kernel_y = derivative_kernels(dx, dy, ksize, function)
        call["mode"] = filter_border(call, function)
        call["symmetry"] = (symmetry_of(kernel_y), symmetry_of(kernel_x))
        scale = call["scale"]
        # OpenCV scales the smoothing kernel
        call["kernel_x"] = kernel_x * scale if dx == 0 else kernel_x
        call["kernel_y"] = kernel_y if dx == 0 else kernel_y * scale
        call["narrow"] = _fits_16_bits(src, call["kernel_x"], call["kernel_y"], call["delta"])
        call["output"] = depth(call["ddepth"], src.dtype, function)
        call["wide"] = ksize > 7 and np.dtype(src.dtype).kind in "iu"

    return prepare


def _supports(call):
    if call["output"] is None:
        return Reason.OPTION, f"ddepth={call['ddepth']}"
    return unsupported(call)


def _signature_sobel(src, ddepth, dx, dy, dst=None, ksize=3, scale=1.0, delta=0.0, borderType=4):
    """OpenCV's signature, which Python cannot read from its C function."""


def _signature_scharr(src, ddepth, dx, dy, dst=None, scale=1.0, delta=0.0, borderType=4):
    """OpenCV's signature."""


def _derivative(src, kernel_x, kernel_y, delta, mode, symmetry, output, wide, narrow):
    x = src.astype(working_dtype(src.dtype, output, np.float64 if wide else np.float32))
    bias = (jnp.asarray(delta, x.dtype), jnp.zeros((), x.dtype))
    if fits_integers(src, (kernel_y.shape[0], kernel_x.shape[0])):
        dtypes = (np.int16, np.int16) if narrow else (x.dtype, x.dtype)
        x = integer_passes(src, kernel_x, kernel_y, dtypes, mode, symmetry, (0 if narrow else delta, 0))
        return planes(saturate(x.astype(working_dtype(src.dtype, output)), output))
    for axis, kernel in ((1, kernel_x), (0, kernel_y)):
        if kernel.shape[0] > 1:
            x = correlate_axis(x, kernel, axis, mode, symmetry=symmetry[axis], bias=bias[axis])
        else:
            x = x * kernel[0] + bias[axis]
    return planes(saturate(x, output))


def _photo():
    return np.random.default_rng(8).integers(0, 256, (10, 12, 3), dtype=np.uint8)


def _facts(function, signature):
    return {
        "static": ("mode", "symmetry", "output", "wide", "narrow"),
        "dtypes": "keep",
        "signature": inspect.signature(signature),
        "prepare": _prepare(function),
        "supports": _supports,
        "finish": into_dst,
        "note": "depths other than uint8, uint16, int16, float32, float64; one-dimensional arrays",
    }


@implements(
    "cv2.Sobel",
    **_facts("Sobel", _signature_sobel),
    examples=lambda: [
        Example((_photo(), 3, 1, 0), rtol=0, atol=0),
        Example(
            (_photo() / 255.0, -1, 1, 1),
            {"ksize": 5, "scale": 0.5, "delta": 2.0},
            grad=("src",),
            skip_odd=("nan", "inf"),
        ),
    ],
)
def Sobel(src, kernel_x, kernel_y, delta, mode, symmetry, output, wide, narrow):
    """Image derivative of the orders `dx`, `dy` by a Sobel kernel. Differentiable for floating point images.

    Parameters
    ----------
    src : array, (h, w) or (h, w, channels)
    ddepth : int
        Depth of the result: -1, CV_8U, CV_16S, CV_32F, ...; integers saturate.
    ksize : int
        1, 3, 5, ..., 31, or FILTER_SCHARR.

    Raises
    ------
    cv2.error
        Empty images, even or too small sizes, negative orders, unknown borders or depths.

    Examples
    --------
    >>> import numpy as np
    >>> from image import cv2
    >>> cv2.Sobel(np.arange(5, dtype=np.uint8)[None] * 10, cv2.CV_16S, 1, 0)
    array([[ 0, 80, 80, 80,  0]], dtype=int16)
    """
    return _derivative(src, kernel_x, kernel_y, delta, mode, symmetry, output, wide, narrow)


@implements("cv2.Scharr", **_facts("Scharr", _signature_scharr), examples=lambda: [Example((_photo(), 3, 0, 1))])
def Scharr(src, kernel_x, kernel_y, delta, mode, symmetry, output, wide, narrow):
    """First image derivative by the Scharr kernel; see `Sobel`.

    Examples
    --------
    >>> import numpy as np
    >>> from image import cv2
    >>> cv2.Scharr(np.array([[0, 1, 4]], np.uint8), cv2.CV_16S, 1, 0)
    array([[ 0, 64,  0]], dtype=int16)
    """
    return _derivative(src, kernel_x, kernel_y, delta, mode, symmetry, output, wide, narrow)


def _prepare_laplacian(call):
    src = image_argument(call, "Laplacian")
    size = call["ksize"] = int(call["ksize"])
    if size % 2 == 0 or not 1 <= size <= 31:
        fail("Laplacian", f"The kernel size must be odd and not larger than 31: ksize={size}")
    call["mode"], call["output"] = filter_border(call, "Laplacian"), filter_depth(call, "Laplacian", separable=size > 3)
    call["wide"] = size > 7 and np.dtype(src.dtype).kind in "iu"


def _signature_laplacian(src, ddepth, dst=None, ksize=1, scale=1.0, delta=0.0, borderType=4):
    """OpenCV's signature."""


# the kernels of the two smallest sizes: second differences, and the same along the diagonals
_LAPLACIAN = {
    1: np.array([[0.0, 1, 0], [1, -4, 1], [0, 1, 0]]),
    3: np.array([[2.0, 0, 2], [0, -8, 0], [2, 0, 2]]),
}


def _supports_laplacian(call):
    if call["ksize"] > 15 and call["output"].kind in "iu":
        return Reason.OPTION, f"ksize={call['ksize']} into {call['output']}: sums beyond 32 bits"
    return unsupported(call)


@implements(
    "cv2.Laplacian",
    static=("ksize", "mode", "output", "wide"),
    dtypes="keep",
    signature=inspect.signature(_signature_laplacian),
    prepare=_prepare_laplacian,
    supports=_supports_laplacian,
    finish=into_dst,
    note="ksize above 15 with integer results; depths that are not native; one-dimensional arrays",
    examples=lambda: [
        Example((_photo(), 3), {"ksize": 3}, rtol=0, atol=0),
        Example(
            (_photo() / 255.0, -1),
            {"ksize": 5, "scale": 0.5, "delta": 2.0},
            grad=("src",),
            vmap=("src",),
            skip_odd=("nan", "inf"),
        ),
    ],
)
def Laplacian(src, scale, delta, ksize, mode, output, wide):
    """Sum of the second derivatives along x and y. Differentiable for floating point images.

    Parameters
    ----------
    src : array, (h, w) or (h, w, channels)
    ddepth : int
        Depth of the result: -1, CV_8U, CV_16S, CV_32F, ...; integers saturate.
    ksize : int
        1 and 3: one 3 x 3 kernel; 5, 7, ..., 31: two Sobel derivatives of that size.

    Raises
    ------
    cv2.error
        Empty images, sizes that are even or out of range, unknown borders or depths.

    Examples
    --------
    >>> import numpy as np
    >>> from image import cv2
    >>> cv2.Laplacian(np.array([[0, 0, 9, 0, 0]], np.uint8), cv2.CV_16S)
    array([[  0,   9, -18,   9,   0]], dtype=int16)
    """
    x = src.astype(working_dtype(src.dtype, output, np.float64 if wide else np.float32))
    scale, delta = jnp.asarray(scale, x.dtype), jnp.asarray(delta, x.dtype)
    if ksize in _LAPLACIAN:
        kernel = _LAPLACIAN[ksize]
        taps = np.argwhere(kernel)
        total = correlate_plane(x, jnp.asarray(kernel[kernel != 0], x.dtype) * scale, taps, (1, 1), (3, 3), mode)
    else:
        smooth, second = (jnp.asarray(sobel_kernel(order, ksize), x.dtype) for order in (0, 2))
        parts = []
        for across, down in ((second, smooth), (smooth, second)):
            rows = correlate_axis(x, across, 1, mode, symmetry=EVEN)
            parts.append(correlate_axis(rows, down, 0, mode, symmetry=EVEN))
        total = (parts[0] + parts[1]) * scale
    return planes(saturate(total + delta, output))


def _signature_magnitude(x, y, magnitude=None):
    """OpenCV's signature."""


def _prepare_magnitude(call):
    for name in ("x", "y"):
        value = image_argument(call, "magnitude", name)
        if np.dtype(value.dtype).kind != "f":
            fail("magnitude", f"depth == CV_32F || depth == CV_64F does not hold: {name} is {value!r:.40}")
    x, y = call["x"], call["y"]
    if x.shape != y.shape or x.dtype != y.dtype:
        fail("magnitude", f"x and y must agree: shapes {x.shape} and {y.shape}, dtypes {x.dtype} and {y.dtype}")


@implements(
    "cv2.magnitude",
    dtypes="keep",
    signature=inspect.signature(_signature_magnitude),
    prepare=_prepare_magnitude,
    finish=lambda call, result: into_dst(call, result, "magnitude"),
    examples=lambda: [Example((np.eye(3) * 3, np.eye(3) * 4), grad=())],
)
def magnitude(x, y):
    """``sqrt(x**2 + y**2)`` of floating point arrays; the gradient at zero is zero.

    Raises
    ------
    cv2.error
        Arrays that are not floating point, or differ in shape or dtype.

    Examples
    --------
    >>> import numpy as np
    >>> from image import cv2
    >>> cv2.magnitude(np.array([[3.0]]), np.array([[4.0]]))
    array([[5.]])
    """
    return planes(sqrt_of_squares(x * x + y * y))
