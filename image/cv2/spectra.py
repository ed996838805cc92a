"""What goes with transforms: `mulSpectrums`, `createHanningWindow`, `getOptimalDFTSize`."""

import inspect

import numpy as np
from jax import numpy as jnp

from image.cv2 import constants as c
from image.cv2._support import fail, into_dst, pair
from image.cv2.frequency import array_of_floats
from sci.bridge import Example, HostRoute, Reason, implements

_LARGEST = 2125764000  # of OpenCV's table


def _noise(*shape):
    return np.random.default_rng(40).normal(size=shape)


_ODD = ("nan", "inf", "empty")


def optimal_size(n):
    """The least product of twos, threes and fives that is not below `n`."""
    while True:
        rest = n
        for p in (2, 3, 5):
            while rest % p == 0:
                rest //= p
        if rest == 1:
            return n
        n += 1


def _prepare_product(call):
    a, depth = array_of_floats(call, "mulSpectrums", "a")
    b, _ = array_of_floats(call, "mulSpectrums", "b")
    if a.shape != b.shape or a.dtype != b.dtype:
        fail("mulSpectrums", f"a and b must agree: a is {a.dtype} {a.shape}, b is {b.dtype} {b.shape}")
    if depth == 1:
        raise HostRoute(Reason.OPTION, "packed spectra")
    call["conjB"] = bool(call["conjB"])


def _signature_product(a, b, flags, c=None, conjB=False):
    """OpenCV's signature."""


@implements(
    "cv2.mulSpectrums",
    static=("conjB",),
    ignored=("flags",),
    dtypes="keep",
    signature=inspect.signature(_signature_product),
    prepare=_prepare_product,
    finish=lambda call, result: into_dst(call, result, "c"),
    note="packed (one-channel) spectra, one-dimensional arrays",
    examples=lambda: [Example((_noise(3, 4, 2), _noise(3, 4, 2)[::-1], 0), grad=("a", "b"), skip_odd=_ODD)],
)
def mulSpectrums(a, b, conjB):
    """Product of two complex spectra (h, w, 2), the second conjugated with `conjB`.

    Raises
    ------
    cv2.error
        Arrays that differ in shape or dtype, or are not floating point.

    Examples
    --------
    >>> import numpy as np
    >>> from image import cv2
    >>> cv2.mulSpectrums(np.array([[[1.0, 2.0]]]), np.array([[[3.0, 4.0]]]), 0, conjB=True)
    array([[[11.,  2.]]])
    """
    sign = -1 if conjB else 1
    (ar, ai), (br, bi) = (jnp.moveaxis(x, -1, 0) for x in (a, b))
    bi = sign * bi
    return jnp.stack([ar * br - ai * bi, ar * bi + ai * br], axis=-1)


def _prepare_window(call):
    function = "createHanningWindow"
    size = pair(call["winSize"], function, "winSize")
    if min(size) <= 1:
        fail(function, f"winSize={size}: width and height must be above 1")
    kinds = {c.CV_32F: np.dtype(np.float32), c.CV_64F: np.dtype(np.float64)}
    if int(call["type"]) not in kinds:
        fail(function, f"type={call['type']}: give CV_32F or CV_64F")
    call["winSize"], call["dtype"] = size, kinds[int(call["type"])]


def _signature_window(winSize, type, dst=None):
    """OpenCV's signature."""


@implements(
    "cv2.createHanningWindow",
    static=("winSize", "dtype"),
    signature=inspect.signature(_signature_window),
    prepare=_prepare_window,
    finish=into_dst,
    vmap=False,
    grad=False,
    examples=lambda: [Example(((5, 4), c.CV_64F), atol=1e-7)],
)
def createHanningWindow(winSize, dtype):
    """Square root of the product of two Hann windows, for `phaseCorrelate`; `winSize` is (width, height).

    Raises
    ------
    cv2.error
        Sizes under 2, types other than CV_32F and CV_64F.

    Examples
    --------
    >>> from image import cv2
    >>> cv2.createHanningWindow((3, 3), cv2.CV_32F)
    array([[0., 0., 0.],
           [0., 1., 0.],
           [0., 0., 0.]], dtype=float32)
    """
    across, down = (0.5 * (1 - np.cos(2 * np.pi * np.arange(n) / (n - 1))) for n in winSize)
    # the last sample is zero but for rounding, of which the root would make 1e-8
    for window in (across, down):
        window[-1] = 0.0
    return jnp.asarray(np.sqrt(np.outer(down, across)), dtype)


def _prepare_optimal(call):
    size = call["vecsize"]
    if isinstance(size, (bool, np.bool_)) or not isinstance(size, (int, np.integer)):
        raise TypeError(f"getOptimalDFTSize: vecsize must be an integer, not {size!r}")
    if not -(2**31) <= size < 2**31:
        raise ValueError(f"getOptimalDFTSize: vecsize={size} is no 32-bit integer")
    call["best"] = -1 if size < 0 or size >= _LARGEST else optimal_size(max(int(size), 1))


@implements(
    "cv2.getOptimalDFTSize",
    static=("best",),
    signature=inspect.signature(lambda vecsize: None),
    prepare=_prepare_optimal,
    finish=lambda call, result: int(result),
    finish_jax=lambda call, result: call["best"],
    vmap=False,
    grad=False,
    examples=lambda: [Example((67,), jit=False, rtol=0, atol=0)],
)
def getOptimalDFTSize(best):
    """The least product of twos, threes and fives that is not below `vecsize`: a length that transforms fast.

    A length decides shapes, so it is a plain int in both worlds.

    Parameters
    ----------
    vecsize : int

    Returns
    -------
    int
        -1 for negative sizes, and above 2125763999.

    Raises
    ------
    TypeError
        Values that are no integers.
    ValueError
        Integers of more than 32 bits.

    Examples
    --------
    >>> from image import cv2
    >>> cv2.getOptimalDFTSize(67)
    72
    """
    return jnp.asarray(best, np.int32)
