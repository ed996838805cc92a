"""`threshold`, all types; the level given or found by Otsu's method."""

import inspect

import numpy as np
from jax import lax
from jax import numpy as jnp

from image.cv2 import constants as c
from image.cv2._support import fail, image_argument, into_dst, planes, saturate, unsupported
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
        if np.dtype(src.dtype) not in (np.uint8, np.uint16) or channels != 1:
            fail("threshold", f"THRESH_OTSU needs one channel of uint8 or uint16, src is {src.dtype} {src.shape}")
    call["kind"], call["otsu"] = kind & c.THRESH_MASK, bool(kind & c.THRESH_OTSU)


def _supports(call):
    kind = int(call["type"])
    if kind & (c.THRESH_TRIANGLE | c.THRESH_DRYRUN):
        return Reason.OPTION, f"type={kind}"
    if call["otsu"] and np.dtype(call["src"].dtype) != np.uint8:
        return Reason.DTYPE, "THRESH_OTSU of uint16"
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
    static=("kind", "otsu"),
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
    note="THRESH_TRIANGLE, THRESH_DRYRUN, THRESH_OTSU of uint16; depths other than uint8, uint16, int16, floats",
)
def threshold(src, thresh, maxval, kind, otsu):
    """Apply a threshold to every sample; returns the level used and the image.

    Parameters
    ----------
    src : array, (h, w) or (h, w, channels)
    thresh, maxval : float
        Data, not compiled in. Integer images compare with ``floor(thresh)``.
    type : int
        THRESH_BINARY, THRESH_BINARY_INV, THRESH_TRUNC, THRESH_TOZERO, THRESH_TOZERO_INV, and THRESH_OTSU.

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
    N. Otsu, "A threshold selection method from gray-level histograms", IEEE Trans. SMC 9(1), 1979.

    Examples
    --------
    >>> import numpy as np
    >>> from image import cv2
    >>> cv2.threshold(np.array([[10, 200]], np.uint8), 127, 255, cv2.THRESH_BINARY)
    (127.0, array([[  0, 255]], dtype=uint8))
    """
    level = otsu_level(src) if otsu else thresh
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
    """The level that maximises the variance between the two classes; uint8, in OpenCV's order of operations."""
    counts = jnp.bincount(src.ravel(), length=256).astype(float)
    probability = counts * (1.0 / src.size)
    guard = rounding_guard(probability)
    levels = jnp.arange(256, dtype=probability.dtype)

    def add(total, k):
        return total + separate_product(levels[k], counts[k], guard), None

    mean = lax.scan(add, jnp.zeros((), probability.dtype), jnp.arange(256))[0] * (1.0 / src.size)
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
    return lax.scan(step, (zero, zero, zero, zero), jnp.arange(256))[0][3]
