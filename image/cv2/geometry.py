"""`resize`."""

import functools
import inspect

import numpy as np
from jax import lax
from jax import numpy as jnp

from image.cv2 import constants as c
from image.cv2._support import fail, image_argument, into_dst, planes, saturate, unsupported, working_dtype
from sci.bridge import Example, Reason, implements
from sci.ndimage._kernels.resample import resample_axis

_NATIVE = {c.INTER_NEAREST, c.INTER_LINEAR, c.INTER_CUBIC, c.INTER_AREA}
_FIXED = 2048.0  # 11-bit weights for uint8


def _cubic(t):
    """Keys' cubic with a = -0.75, in float32 as OpenCV evaluates it."""
    a, one = np.float32(-0.75), np.float32(1)
    near, far = one - t, t + one
    w0 = ((a * far - 5 * a) * far + 8 * a) * far - 4 * a
    w1 = ((a + 2) * t - (a + 3)) * t * t + one
    w2 = ((a + 2) * near - (a + 3)) * near * near + one
    return np.stack([w0, w1, w2, one - w0 - w1 - w2])


@functools.lru_cache(256)
def _taps(length, count, scale, method, real, clamp):
    """Index (clamped) and weights in `real`, shape (taps, count), of one axis.

    `clamp`: weights of samples beyond the border go to the edge sample alone, as OpenCV does along x (which
    shows in fixed point only).
    """
    position = np.arange(count)
    if method == "nearest":
        index = np.minimum(np.floor(position * scale).astype(np.int32), length - 1)
        return index[None], np.ones((1, count), np.float32)
    if method == "area":
        return _area_taps(length, count, scale)
    if method == "area-up":
        start = np.floor(position * scale).astype(np.int32)
        t = ((position + 1) - (start + 1) / scale).astype(np.float32)
        t = np.where(t <= 0, np.float32(0), t - np.floor(t))
    else:
        at = ((position + 0.5) * scale - 0.5).astype(real)
        start = np.floor(at).astype(np.int32)
        t = at - start.astype(real)
    if method == "cubic":
        index, weights = start + np.arange(-1, 3)[:, None], _cubic(t)
    else:
        if clamp:
            t = np.where((start < 0) | (start >= length - 1), real(0), t)
            start = np.clip(start, 0, length - 1)
        index, weights = start + np.arange(2)[:, None], np.stack([1 - t, t])
    return np.clip(index, 0, length - 1).astype(np.int32), weights.astype(real)


def _area_taps(length, count, scale):
    """Overlaps of each output cell with the input samples, as weights of sum 1."""
    low = np.arange(count) * scale
    width = np.minimum(scale, length - low)
    first, last = np.ceil(low), np.minimum(np.floor(low + scale), length - 1)
    first = np.minimum(first, last)
    taps = int((last - first).max()) + 2
    index = first.astype(int) - 1 + np.arange(taps)[:, None]
    inside = (index >= first) & (index < last)
    weights = np.where(inside, 1.0 / width, 0.0)
    head, tail = first - low, low + scale - last
    weights[0] = np.where(head > 1e-3, head / width, 0.0)
    at_end = index == last
    tail = np.minimum(np.minimum(tail, 1.0), width) / width
    weights = np.where(at_end & (low + scale - last > 1e-3), tail, weights)
    return np.clip(index, 0, length - 1).astype(np.int32), weights.astype(np.float32)


def _size(call, shape):
    """Output (height, width) and the scales in y and x."""
    fx, fy, dsize = float(call["fx"]), float(call["fy"]), call["dsize"]
    if dsize is not None:
        try:
            width, height = (int(n) for n in dsize)
        except (TypeError, ValueError):
            fail("resize", f"dsize must be (width, height) or None, not {dsize!r}")
        if width > 0 and height > 0:
            return (height, width), (1 / (height / shape[0]), 1 / (width / shape[1]))
        if width != 0 or height != 0:
            fail("resize", f"dsize must be positive, or None with fx and fy: dsize={dsize!r}")
    if fx <= 0 or fy <= 0:
        fail("resize", f"inv_scale_x > 0 does not hold: without dsize, fx and fy must be positive: fx={fx}, fy={fy}")
    size = int(np.rint(shape[0] * fy)), int(np.rint(shape[1] * fx))
    if min(size) <= 0:
        fail("resize", f"the result would be empty: {shape[1]}x{shape[0]} scaled by fx={fx}, fy={fy}")
    return size, (1 / fy, 1 / fx)


def _plan(interpolation, scales, shape, size, dtype):
    """The method, after OpenCV's substitutions; integer area factors as ``("box", fy, fx)``."""
    whole = [int(np.rint(s)) for s in scales]
    fast = all(abs(s - w) < np.finfo(float).eps for s, w in zip(scales, whole, strict=True))
    if interpolation == c.INTER_NEAREST:
        return ("nearest",)
    if interpolation == c.INTER_CUBIC:
        return ("cubic",)
    if interpolation == c.INTER_LINEAR and not (fast and whole == [2, 2] and dtype == np.uint8):
        return ("linear",)
    if min(scales) < 1:
        return ("area-up",)
    if fast and all(n == m * w for n, m, w in zip(shape, size, whole, strict=True)):
        return ("box", *whole)
    return ("area",)


def _prepare(call):
    src = image_argument(call, "resize")
    interpolation = int(call["interpolation"])
    if not 0 <= interpolation <= c.INTER_NEAREST_EXACT:
        fail("resize", f"Unknown interpolation method: interpolation={interpolation}, allowed are 0 to 6")
    shape = src.shape[:2] if src.ndim > 1 else (1, src.shape[0])
    size, scales = _size(call, shape)
    call["method"] = _plan(interpolation, scales, shape, size, src.dtype)
    call["taps"] = ()
    if tuple(size) == tuple(shape):
        call["method"] = ("copy",)
    elif interpolation in _NATIVE and call["method"][0] != "box":
        kind = call["method"][0]
        real = np.float64 if kind == "linear" and src.dtype == np.float64 else np.float32
        y, x = zip(shape, size, scales, strict=True)
        call["taps"] = (_taps(*y, kind, real, False), _taps(*x, kind, real, True))


def _supports(call):
    if int(call["interpolation"]) not in _NATIVE:
        return Reason.OPTION, f"interpolation={call['interpolation']}"
    return unsupported(call)


def _signature(src, dsize, dst=None, fx=0.0, fy=0.0, interpolation=1):
    """OpenCV's signature, which Python cannot read from its C function."""


def _photo():
    return np.random.default_rng(9).integers(0, 256, (12, 10, 3), dtype=np.uint8)


@implements(
    "cv2.resize",
    static=("method",),
    trees=("taps",),
    dtypes="keep",
    signature=inspect.signature(_signature),
    prepare=_prepare,
    supports=_supports,
    finish=into_dst,
    examples=lambda: [
        Example((_photo(), (7, 5)), rtol=0, atol=0, skip_odd=("1x1",)),
        Example((_photo(), (5, 6)), {"interpolation": c.INTER_AREA}, rtol=0, atol=0),
        Example((_photo() / 255.0, None), {"fx": 1.7, "fy": 0.6, "interpolation": c.INTER_CUBIC}, grad=("src",)),
    ],
    note="INTER_LANCZOS4 and the exact variants; depths other than uint8, uint16, int16, float32, float64",
)
def resize(src, taps, method):
    """Resize to `dsize` (width, height), or by the factors `fx`, `fy`.

    Native for INTER_NEAREST, INTER_LINEAR, INTER_CUBIC and INTER_AREA, with OpenCV's fixed-point rounding for
    uint8. Differentiable for floating point images.

    Raises
    ------
    cv2.error
        Empty images, sizes that are not positive, unknown interpolation.

    Examples
    --------
    >>> import numpy as np
    >>> from image import cv2
    >>> cv2.resize(np.array([[0, 100]], np.uint8), (4, 1))
    array([[  0,  25,  75, 100]], dtype=uint8)
    """
    kind = method[0]
    if kind == "copy":
        return planes(src)
    if kind == "box":
        return planes(_box(src, *method[1:]))
    (index_y, weights_y), (index_x, weights_x) = taps
    if kind == "nearest":
        rows = jnp.take(src, index_y[0], axis=0, mode="clip")
        return planes(jnp.take(rows, index_x[0], axis=1, mode="clip"))
    if src.dtype == np.uint8 and kind in ("linear", "area-up"):
        return planes(_fixed_linear(src, index_y, weights_y, index_x, weights_x))
    x = src.astype(working_dtype(src.dtype))
    x = resample_axis(x, 1, index_x, weights_x)
    return planes(saturate(resample_axis(x, 0, index_y, weights_y), src.dtype))


def _box(src, fy, fx):
    """Mean over whole cells of fy x fx samples."""
    h, w = src.shape[0] // fy, src.shape[1] // fx
    integer = src.dtype.kind in "iu"
    x = src.astype(np.int32 if integer else working_dtype(src.dtype))
    x = lax.optimization_barrier(x.reshape((h, fy, w, fx, *src.shape[2:])))
    total = 0
    for i in range(fy):
        for k in range(fx):
            total = total + x[:, i, :, k]
    if integer and (fy, fx) == (2, 2):
        return ((total + 2) >> 2).astype(src.dtype)
    if integer:
        return saturate(total.astype(np.float32) * np.float32(1.0 / (fy * fx)), src.dtype)
    return (total * np.float32(1.0 / (fy * fx)).astype(total.dtype)).astype(src.dtype)


def _fixed(weights):
    return jnp.round(weights * _FIXED).astype(np.int32)


def _take(x, index, axis):
    return jnp.take(x, index, axis=axis, mode="clip")


def _along(weights, axis, ndim):
    return weights.reshape((-1,) + (1,) * (ndim - axis - 1))


def _fixed_linear(src, index_y, weights_y, index_x, weights_x):
    """OpenCV's bilinear arithmetic on 11-bit weights. Gathers move bytes, apart from the arithmetic."""
    a, b = _fixed(weights_x), _fixed(weights_y)
    total = 2
    for row in lax.optimization_barrier(tuple(_take(src, index_y[k], 0) for k in range(2))):
        left, right = lax.optimization_barrier(tuple(_take(row, index_x[k], 1) for k in range(2)))
        sums = left.astype(np.int32) * _along(a[0], 1, src.ndim) + right.astype(np.int32) * _along(a[1], 1, src.ndim)
        total = total + (((sums >> 4) * _along(b[0], 0, src.ndim)) >> 16)
        b = b[1:]
    return jnp.clip(total >> 2, 0, 255).astype(np.uint8)
