"""`threshold`, all types, the level given or found from the histogram; `adaptiveThreshold`."""

import inspect

import numpy as np
from jax import lax
from jax import numpy as jnp

from image.cv2 import constants as c
from image.cv2._support import fail, image_argument, into_dst, planes, saturate, unsupported
from image.cv2.histograms import counts_of
from image.cv2.smoothing import GaussianBlur, boxFilter
from sci.bridge import Example, Reason, implements
from sci.ndimage._kernels.casting import rounding_guard, separate_product

_AUTOMATIC = c.THRESH_OTSU | c.THRESH_TRIANGLE


def _prepare(call):
    src = image_argument(call, "threshold", empty=True)
    kind = int(call["type"])
    known = c.THRESH_MASK | _AUTOMATIC | c.THRESH_DRYRUN
    if kind & ~known or (kind & c.THRESH_MASK) > c.THRESH_TOZERO_INV:
        fail("threshold", f"unknown type={kind}: give one of THRESH_BINARY ... THRESH_TOZERO_INV, plus THRESH_OTSU")
    if kind & _AUTOMATIC == _AUTOMATIC:
        fail("threshold", f"THRESH_OTSU and THRESH_TRIANGLE exclude each other: type={kind}")
    if kind & _AUTOMATIC:
        channels = src.shape[2] if src.ndim == 3 else 1
        fitting = (np.uint8, np.uint16) if kind & c.THRESH_OTSU else (np.uint8,)
        if np.dtype(src.dtype) not in fitting or channels != 1:
            fail(
                "threshold",
                f"type={kind}: THRESH_OTSU needs one channel of uint8 or uint16, THRESH_TRIANGLE one of uint8, "
                f"src is {src.dtype} {src.shape}",
            )
    call["kind"], call["automatic"] = kind & c.THRESH_MASK, kind & _AUTOMATIC


def _supports(call):
    kind = int(call["type"])
    if kind & c.THRESH_DRYRUN:
        return Reason.OPTION, f"type={kind}"
    return unsupported(call)


def _finish(call, result):
    level, dst = result
    return float(level), into_dst(call, dst)


def _signature(src, thresh, maxval, type, dst=None):
    """OpenCV's signature, which Python cannot read from its C function."""


def _photo():
    return np.random.default_rng(11).integers(0, 256, (9, 8), dtype=np.uint8)


@implements(
    "cv2.threshold",
    static=("kind", "automatic"),
    dtypes="keep",
    signature=inspect.signature(_signature),
    prepare=_prepare,
    supports=_supports,
    finish=_finish,
    examples=lambda: [
        Example((_photo(), 127.5, 255, c.THRESH_BINARY), output=lambda r: r[1], rtol=0, atol=0),
        Example((_photo(), 0, 255, c.THRESH_OTSU), output=lambda r: r[1], rtol=0, atol=0),
        Example((_photo() / 255.0, 0.401, 1.0, c.THRESH_TRUNC), output=lambda r: r[1], grad=("src",)),
    ],
    note="THRESH_DRYRUN; depths other than uint8, uint16, int16, floats",
)
def threshold(src, thresh, maxval, kind, automatic):
    """Apply a threshold to every sample; returns the level used and the image.

    Parameters
    ----------
    src : array, (h, w) or (h, w, channels)
    thresh, maxval : float
        Data, not compiled in. Integer images compare with ``floor(thresh)``.
    type : int
        THRESH_BINARY, THRESH_BINARY_INV, THRESH_TRUNC, THRESH_TOZERO, THRESH_TOZERO_INV, and THRESH_OTSU
        or THRESH_TRIANGLE, which find the level.

    Returns
    -------
    retval : float
    dst : array like `src`

    Raises
    ------
    cv2.error
        Empty images, unknown types, THRESH_OTSU of other than one uint8 or uint16 channel.

    References
    ----------
    N. Otsu, "A threshold selection method from gray-level histograms", IEEE Trans. SMC 9(1), 1979; G. W. Zack,
    W. E. Rogers, S. A. Latt, "Automatic measurement of sister chromatid exchange frequency", J. Histochem.
    Cytochem. 25(7), 1977 (triangle).

    Examples
    --------
    >>> import numpy as np
    >>> from image import cv2
    >>> cv2.threshold(np.array([[10, 200]], np.uint8), 127, 255, cv2.THRESH_BINARY)
    (127.0, array([[  0, 255]], dtype=uint8))
    """
    level = thresh
    if automatic:
        level = otsu_level(src) if automatic == c.THRESH_OTSU else triangle_level(src)
    if src.dtype.kind in "iu":
        level = jnp.floor(jnp.asarray(level, float))
        limits = np.iinfo(src.dtype)
        x, bound = src.astype(np.int32), jnp.clip(level, limits.min - 1, limits.max + 1).astype(np.int32)
        value = saturate(jnp.asarray(maxval, float), src.dtype)
        cut = saturate(level, src.dtype)
    else:
        x, bound = src, jnp.asarray(level).astype(src.dtype)
        value, cut = jnp.asarray(maxval).astype(src.dtype), bound
    above, below, zero = x > bound, x <= bound, jnp.zeros((), src.dtype)  # NaN is neither
    results = {
        c.THRESH_BINARY: lambda: jnp.where(above, value, zero),
        c.THRESH_BINARY_INV: lambda: jnp.where(below, value, zero),
        c.THRESH_TRUNC: lambda: jnp.where(below, src, cut),
        c.THRESH_TOZERO: lambda: jnp.where(above, src, zero),
        c.THRESH_TOZERO_INV: lambda: jnp.where(below, src, zero),
    }
    return level, planes(results[kind]())


def otsu_level(src):
    """The level that maximises the variance between the two classes; in OpenCV's order of operations."""
    size = np.iinfo(src.dtype).max + 1
    counts = counts_of(src.astype(np.int32), size).astype(float)
    probability = counts * (1.0 / src.size)
    guard = rounding_guard(probability)
    levels = jnp.arange(size, dtype=probability.dtype)

    def add(total, k):
        return total + separate_product(levels[k], counts[k], guard), None

    mean = lax.scan(add, jnp.zeros((), probability.dtype), jnp.arange(size))[0] * (1.0 / src.size)
    tiny = float(np.finfo(np.float32).eps)

    def step(carry, k):
        mean1, weight1, best, where = carry
        share = probability[k]
        mean1 = mean1 * weight1
        weight1 = weight1 + share
        weight2 = 1.0 - weight1
        usable = (jnp.minimum(weight1, weight2) >= tiny) & (jnp.maximum(weight1, weight2) <= 1.0 - tiny)
        updated = (separate_product(mean1, 1.0, guard) + separate_product(levels[k], share, guard)) / weight1
        mean1 = jnp.where(usable, updated, mean1)
        mean2 = (mean - separate_product(weight1, mean1, guard)) / weight2
        spread = weight1 * weight2 * (mean1 - mean2) * (mean1 - mean2)
        better = usable & (spread > best)
        return (mean1, weight1, jnp.where(better, spread, best), jnp.where(better, levels[k], where)), None

    zero = jnp.zeros((), probability.dtype)
    return lax.scan(step, (zero, zero, zero, zero), jnp.arange(size))[0][3]


def triangle_level(src):
    """The level furthest from the line between the histogram's peak and its longer tail; uint8."""
    counts = counts_of(src.astype(np.int32), 256)
    level = jnp.arange(256, dtype=np.int32)
    first, last = jnp.argmax(counts > 0), 255 - jnp.argmax(counts[::-1] > 0)
    first, last = jnp.maximum(first - 1, 0), jnp.minimum(last + 1, 255)
    peak = jnp.argmax(counts)
    flipped = peak - first < last - peak
    counts = jnp.where(flipped, counts[::-1], counts)
    first, peak = jnp.where(flipped, 255 - last, first), jnp.where(flipped, 255 - peak, peak)
    height = counts[peak].astype(float)
    distance = height * level + (first - peak).astype(float) * counts
    distance = jnp.where((level > first) & (level <= peak), distance, 0.0)
    # the first of the largest; where none is positive the left end
    found = jnp.where(distance.max() > 0, jnp.argmax(distance), first) - 1
    return jnp.where(flipped, 255 - found, found).astype(float)


def _prepare_adaptive(call):
    src = image_argument(call, "adaptiveThreshold", empty=True)
    if np.dtype(src.dtype) != np.uint8 or (src.ndim == 3 and src.shape[2] != 1):
        fail("adaptiveThreshold", f"src must be uint8 with one channel, not {src.dtype} {src.shape}")
    size, kind, method = int(call["blockSize"]), int(call["thresholdType"]), int(call["adaptiveMethod"])
    if size % 2 == 0 or size <= 1:
        fail("adaptiveThreshold", f"blockSize % 2 == 1 && blockSize > 1 does not hold: blockSize={size}")
    if method not in (c.ADAPTIVE_THRESH_MEAN_C, c.ADAPTIVE_THRESH_GAUSSIAN_C):
        fail("adaptiveThreshold", f"unknown adaptiveMethod={method}: give ADAPTIVE_THRESH_MEAN_C or _GAUSSIAN_C")
    if kind not in (c.THRESH_BINARY, c.THRESH_BINARY_INV):
        fail("adaptiveThreshold", f"unknown thresholdType={kind}: give THRESH_BINARY or THRESH_BINARY_INV")
    call["blockSize"], call["thresholdType"], call["adaptiveMethod"] = size, kind, method


def _signature_adaptive(src, maxValue, adaptiveMethod, thresholdType, blockSize, C, dst=None):
    """OpenCV's signature."""


@implements(
    "cv2.adaptiveThreshold",
    static=("adaptiveMethod", "thresholdType", "blockSize"),
    dtypes="keep",
    signature=inspect.signature(_signature_adaptive),
    prepare=_prepare_adaptive,
    supports=unsupported,
    finish=into_dst,
    grad=False,
    note="one-dimensional arrays",
    examples=lambda: [
        Example((_photo(), 255, method, kind, 5, 2.5), vmap=("src",), rtol=0, atol=0)
        for method, kind in ((c.ADAPTIVE_THRESH_MEAN_C, c.THRESH_BINARY), (c.ADAPTIVE_THRESH_GAUSSIAN_C, 1))
    ],
)
def adaptiveThreshold(src, maxValue, C, adaptiveMethod, thresholdType, blockSize):
    """Compare every pixel of a uint8 image with the mean of its neighbourhood less `C`.

    Parameters
    ----------
    src : uint8 array (h, w)
    maxValue : float
    adaptiveMethod : int
        ADAPTIVE_THRESH_MEAN_C (box) or ADAPTIVE_THRESH_GAUSSIAN_C.
    thresholdType : int
        THRESH_BINARY or THRESH_BINARY_INV.
    blockSize : int
        Odd, at least 3.

    Raises
    ------
    cv2.error
        Images that are not uint8 with one channel, even sizes, unknown methods and types.

    Examples
    --------
    >>> import numpy as np
    >>> from image import cv2
    >>> cv2.adaptiveThreshold(np.array([[9, 9, 0, 9, 9]], np.uint8), 255, 0, cv2.THRESH_BINARY, 3, 1)
    array([[255, 255,   0, 255, 255]], dtype=uint8)
    """
    x = src if src.ndim == 2 else src[..., 0]
    window = (blockSize, blockSize)
    if adaptiveMethod == c.ADAPTIVE_THRESH_MEAN_C:
        mean = boxFilter(jnp.asarray(x), -1, window, borderType=c.BORDER_REPLICATE)
    else:
        mean = GaussianBlur(jnp.asarray(x.astype(np.float32)), window, 0.0, borderType=c.BORDER_REPLICATE)
        mean = saturate(mean, np.uint8)
    apart, level = x.astype(np.int32) - mean.astype(np.int32), jnp.asarray(C, float)
    value = saturate(jnp.asarray(maxValue, float), np.uint8)
    if thresholdType == c.THRESH_BINARY:
        return jnp.where(apart > -jnp.ceil(level), value, np.uint8(0))
    return jnp.where(apart <= -jnp.floor(level), value, np.uint8(0))
