"""Sizes of images: `norm`, `PSNR`, `normalize`."""

import inspect

import jax
import numpy as np
from jax import numpy as jnp

from image.cv2 import constants as c
from image.cv2._operands import ARITHMETIC, is_image, mask_argument
from image.cv2._reductions import NOTE, ODD, SHARED, image_of_numbers, photo, real
from image.cv2._support import array_argument, fail, into_dst, planes, saturate
from sci.bridge import Example, HostRoute, Reason, implements
from sci.bridge.worlds import is_jax

__all__ = ["PSNR", "norm", "normalize"]


def _prepare_norm(call):
    if isinstance(call["src2"], list):
        array_argument(call, "src2")
    second, kind, mask = call["src2"], call["normType"], call["mask"]
    if is_image(second) or isinstance(second, np.ndarray):  # norm(src1, src2[, normType[, mask]])
        kind = c.NORM_L2 if kind is None else kind
    else:  # norm(src1[, normType[, mask]])
        if isinstance(kind, np.ndarray) or is_jax(kind):
            kind, mask = None, kind
        if second is not None and kind is not None:
            fail("norm", f"src2 is not a numpy array, but {type(second).__name__}")
        kind, second = (second if kind is None else kind), None
        kind = c.NORM_L2 if kind is None else kind
    call["src2"], call["mask"] = second, mask
    src = image_of_numbers(call, "norm", "src1")
    if second is not None:
        other = image_of_numbers(call, "norm", "src2")
        if src.shape != other.shape or (call.numpy and src.dtype != other.dtype):
            fail("norm", f"src1 and src2 differ: {src.dtype} {src.shape} and {other.dtype} {other.shape}")
    kind = int(kind)
    call["relative"], kind = bool(kind & c.NORM_RELATIVE) and second is not None, kind & c.NORM_TYPE_MASK
    if kind not in (c.NORM_INF, c.NORM_L1, c.NORM_L2, c.NORM_L2SQR, c.NORM_HAMMING, c.NORM_HAMMING2):
        fail("norm", f"normType={kind}: allowed are NORM_INF, NORM_L1, NORM_L2, NORM_L2SQR, NORM_HAMMING(2)")
    if kind in (c.NORM_HAMMING, c.NORM_HAMMING2) and np.dtype(src.dtype) != np.uint8:
        fail("norm", f"Hamming norms take uint8 images, src1 is {src.dtype}")
    call["kind"] = kind
    mask_argument(call, "norm", src.shape)


def _norm(x, kind):
    if kind == c.NORM_INF:
        return jnp.abs(x).max()
    if kind == c.NORM_L1:
        return jnp.abs(x).sum()
    square = (x * x).sum()
    if kind == c.NORM_L2SQR:
        return square
    positive = square > 0
    return jnp.where(positive, jnp.sqrt(jnp.where(positive, square, 1)), 0)


@implements(
    "cv2.norm",
    static=("kind", "relative"),
    signature=inspect.signature(lambda src1, src2=None, normType=None, mask=None: None),
    prepare=_prepare_norm,
    finish=lambda call, result: float(result),
    examples=lambda: [
        Example((photo() / 9.0,), grad=("src1",), vmap=("src1",), rtol=1e-10, skip_odd=ODD),
        Example((photo() / 9.0, photo(39) / 9.0, c.NORM_L1), grad=("src1", "src2"), rtol=1e-10, skip_odd=ODD),
    ],
    **SHARED,
)
def norm(src1, src2, mask, kind, relative):
    """Norm of an image, or of the difference of two; where the mask is not zero. Differentiable.

    Called as ``norm(src1[, normType[, mask]])`` or ``norm(src1, src2[, normType[, mask]])``.

    Parameters
    ----------
    src1, src2 : arrays, (h, w) or (h, w, channels)
    normType : int
        NORM_INF, NORM_L1, NORM_L2 (default), NORM_L2SQR, NORM_HAMMING, NORM_HAMMING2 (uint8: bits, pairs of bits that
        differ); plus NORM_RELATIVE, divided by the norm of `src2`.
    mask : uint8 array, (h, w), optional

    Raises
    ------
    cv2.error
        Images that differ in shape or dtype, other norms, masks of another size or dtype.

    Examples
    --------
    >>> import numpy as np
    >>> from image import cv2
    >>> cv2.norm(np.array([[3, 4]], np.uint8)), cv2.norm(np.array([[3, 4]], np.uint8), cv2.NORM_L1)
    (5.0, 7.0)
    """
    inside = None if mask is None else (mask != 0 if src1.ndim == 2 else (mask != 0)[..., None])
    if kind in (c.NORM_HAMMING, c.NORM_HAMMING2):
        bits = src1 if src2 is None else src1 ^ src2
        if kind == c.NORM_HAMMING2:
            bits = (bits | (bits >> 1)) & np.uint8(0b01010101)
        counts = real(jax.lax.population_count(bits))
        return (counts if inside is None else jnp.where(inside, counts, 0)).sum()
    x = real(src1) if src2 is None else real(src1) - real(src2)
    result = _norm(x if inside is None else jnp.where(inside, x, 0), kind)
    if relative:
        reference = real(src2)
        tiny = float(np.finfo(np.float64).eps)
        result = result / (_norm(reference if inside is None else jnp.where(inside, reference, 0), kind) + tiny)
    return result


def _prepare_psnr(call):
    a, b = image_of_numbers(call, "PSNR", "src1"), image_of_numbers(call, "PSNR", "src2")
    if a.shape != b.shape or (call.numpy and a.dtype != b.dtype):
        fail("PSNR", f"src1 and src2 differ: {a.dtype} {a.shape} and {b.dtype} {b.shape}")


@implements(
    "cv2.PSNR",
    signature=inspect.signature(lambda src1, src2, R=255.0: None),
    prepare=_prepare_psnr,
    finish=lambda call, result: float(result),
    examples=lambda: [
        Example((photo() / 9.0, photo(39) / 9.0), grad=("src1",), vmap=("src1",), rtol=1e-9, skip_odd=ODD)
    ],
    **SHARED,
)
def PSNR(src1, src2, R):
    """Peak signal-to-noise ratio of two images in decibels, for the peak value `R`. Differentiable.

    Raises
    ------
    cv2.error
        Images that differ in shape or dtype.

    Examples
    --------
    >>> import numpy as np
    >>> from image import cv2
    >>> round(cv2.PSNR(np.array([[10]], np.uint8), np.array([[13]], np.uint8)), 6)
    38.588379
    """
    difference = real(src1) - real(src2)
    root = jnp.sqrt((difference * difference).mean())
    # OpenCV's epsilon of double precision keeps equal images finite
    return 20.0 * jnp.log10(R / (root + float(np.finfo(np.float64).eps)))


def _prepare_normalize(call):
    src = image_of_numbers(call, "normalize")
    kind = call["kind"] = int(call["norm_type"])
    if kind not in (c.NORM_INF, c.NORM_L1, c.NORM_L2, c.NORM_MINMAX):
        fail("normalize", f"Unknown/unsupported norm type: norm_type={kind}")
    wanted = int(call["dtype"])
    output = np.dtype(src.dtype) if wanted < 0 else ARITHMETIC.get(wanted & 31)
    if output is None:
        raise HostRoute(Reason.OPTION, f"dtype={wanted}")
    call["output"] = output
    mask_argument(call, "normalize", src.shape)
    if kind == c.NORM_MINMAX and call["mask"] is not None and src.ndim == 3 and src.shape[2] != 1:
        fail("normalize", "NORM_MINMAX with a mask takes one channel")
    target, shape = call["dst"], src.shape[:2] if src.ndim == 3 and src.shape[2] == 1 else src.shape
    fits = call["mask"] is not None and target is not None and np.shape(target) == tuple(shape)
    call["base"] = target if fits and target.dtype == output else None


@implements(
    "cv2.normalize",
    static=("kind", "output"),
    signature=inspect.signature(lambda src, dst, alpha=1.0, beta=0.0, norm_type=4, dtype=-1, mask=None: None),
    prepare=_prepare_normalize,
    finish=into_dst,
    dtypes="keep",
    note=NOTE,
    examples=lambda: [
        Example((photo(), None, 0, 255, c.NORM_MINMAX), vmap=("src",), rtol=0, atol=1, skip_odd=ODD),
        Example((photo() / 9.0, None, 2.0), grad=("src",), rtol=1e-9, skip_odd=ODD),
    ],
)
def normalize(src, alpha, beta, mask, base, kind, output):
    """Scale an image to a norm, or stretch it to a range. Differentiable for floating point images.

    Parameters
    ----------
    src : array, (h, w) or (h, w, channels)
    alpha, beta : float
        The norm; or (NORM_MINMAX) the two ends of the range, of all channels together. Data.
    norm_type : int
        NORM_INF, NORM_L1, NORM_L2 or NORM_MINMAX.
    dtype : int
        Depth of the result, -1 for that of `src`.
    mask : uint8 array, (h, w), optional
        Where it is zero, samples do not count, and `dst` stays (or zero).

    Raises
    ------
    cv2.error
        Other norms; masks of another size or dtype, or with NORM_MINMAX of several channels.

    Examples
    --------
    >>> import numpy as np
    >>> from image import cv2
    >>> cv2.normalize(np.array([[10, 20, 30]], np.uint8), None, 0, 255, cv2.NORM_MINMAX)
    array([[  0, 128, 255]], dtype=uint8)
    """
    x = real(src)
    alpha, beta = jnp.asarray(alpha, x.dtype), jnp.asarray(beta, x.dtype)
    inside = None if mask is None else (mask != 0 if src.ndim == 2 else (mask != 0)[..., None])
    tiny = float(np.finfo(np.float64).eps)
    if kind == c.NORM_MINMAX:
        low = (x if inside is None else jnp.where(inside, x, jnp.inf)).min()
        high = (x if inside is None else jnp.where(inside, x, -jnp.inf)).max()
        span = high - low
        span = jnp.where(span > tiny, span, jnp.inf)
        least = jnp.minimum(alpha, beta)
        scale = (jnp.maximum(alpha, beta) - least) / span
        shift = least - low * scale
    else:
        size = _norm(x if inside is None else jnp.where(inside, x, 0), kind)
        scale, shift = alpha / jnp.where(size > tiny, size, jnp.inf), jnp.zeros((), x.dtype)
    if output != np.float64 and src.dtype != np.float64 and src.dtype != np.int32:
        # OpenCV converts images of less than double precision in single precision
        x, scale, shift = (k.astype(np.float32) for k in (x, scale, shift))
    result = planes(saturate(x * scale + shift, output))
    if inside is None:
        return result
    inside = inside[..., 0] if inside.ndim > result.ndim else inside
    return jnp.where(inside, result, jnp.zeros((), result.dtype) if base is None else base.astype(result.dtype))
