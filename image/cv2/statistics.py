"""Numbers of an image: `mean`, `meanStdDev`, `sumElems`, `minMaxLoc`, `norm`, `PSNR`, counts, `reduce`, `normalize`."""

import inspect
from typing import Any

import jax
import numpy as np
from jax import numpy as jnp

from image.cv2 import constants as c
from image.cv2._operands import ARITHMETIC, check_depth, is_image, mask_argument
from image.cv2._support import array_argument, fail, image_argument, into_dst, planes, saturate
from sci.bridge import Example, HostRoute, Reason, implements
from sci.bridge.worlds import is_jax

__all__ = [
    "PSNR",
    "countNonZero",
    "findNonZero",
    "hasNonZero",
    "mean",
    "meanStdDev",
    "minMaxLoc",
    "norm",
    "normalize",
    "reduce",
    "sumElems",
]

_NOTE = "depths other than (u)int8, (u)int16, int32, float32, float64; empty arrays and arrays that are no images"
_ODD = ("0-d", "1x1", "one axis more", "empty", "nan", "inf")


def _photo(seed=38):
    return np.random.default_rng(seed).integers(0, 256, (5, 7, 3), dtype=np.uint8)


def _image(call, function, name="src", channels=None):
    array_argument(call, name)
    if call.numpy and not is_image(call[name]):
        if not isinstance(call[name], np.ndarray) and not isinstance(call[name], (list, tuple)):
            image_argument(call, function, name)
        raise HostRoute(Reason.SHAPE, f"{name} is no image")
    src = image_argument(call, function, name, empty=True)
    check_depth(call, src)
    count = src.shape[2] if src.ndim == 3 else 1
    if channels is not None and count != channels:
        fail(function, f"cn == {channels} does not hold: {name} has {count} channels")
    return src


def _real(x):
    """Sums and squares in the widest float there is."""
    return x.astype(jnp.result_type(float))


def _totals(rows, channels):
    """Sums of every channel of (h, w * channels): over long rows first, which XLA vectorises."""
    return rows.sum(axis=0).reshape(-1, channels).sum(axis=0)


def _rows(src):
    """An image as (h, w * channels) of the widest float, and its number of channels."""
    return _real(src).reshape(src.shape[0], -1), src.shape[2] if src.ndim == 3 else 1


def _moments(src, mask):
    x, channels = _rows(src)
    if mask is None:
        chosen, count = None, src.shape[0] * src.shape[1]
    else:
        chosen = jnp.repeat(mask != 0, channels, axis=1)
        count = jnp.maximum((mask != 0).sum(), 1)
    average = _totals(x if chosen is None else jnp.where(chosen, x, 0), channels) / count
    square = (x - jnp.tile(average, src.shape[1])) ** 2
    variance = _totals(square if chosen is None else jnp.where(chosen, square, 0), channels) / count
    positive = variance > 0  # a constant channel has no slope
    return average, jnp.where(positive, jnp.sqrt(jnp.where(positive, variance, 1)), 0)


def _prepare(function, masked):
    def prepare(call):
        src = _image(call, function)
        if src.ndim == 3 and src.shape[2] > 4 and function != "meanStdDev":
            raise HostRoute(Reason.SHAPE, "more than four channels")
        if masked:
            mask_argument(call, function, src.shape)

    return prepare


def _four(values):
    return (*values, *[jnp.zeros((), values.dtype)] * (4 - values.shape[0]))


def _tuple(call, result):
    return tuple(float(v) for v in result)


_SHARED: dict[str, Any] = {"dtypes": "keep", "note": _NOTE}


@implements(
    "cv2.mean",
    signature=inspect.signature(lambda src, mask=None: None),
    prepare=_prepare("mean", True),
    finish=_tuple,
    examples=lambda: [Example((_photo() / 9.0,), grad=("src",), vmap=("src",), rtol=1e-12, skip_odd=_ODD)],
    **_SHARED,
)
def mean(src, mask):
    """Mean of every channel, four numbers with zeros behind; where the mask is not zero. Differentiable.

    Parameters
    ----------
    src : array, (h, w) or (h, w, up to 4 channels)
    mask : uint8 array, (h, w), optional

    Returns
    -------
    tuple of four floats

    Raises
    ------
    cv2.error
        Masks of another size or dtype.

    Examples
    --------
    >>> import numpy as np
    >>> from image import cv2
    >>> cv2.mean(np.array([[1, 2, 6]], np.uint8))
    (3.0, 0.0, 0.0, 0.0)
    """
    return _four(_moments(src, mask)[0])


@implements(
    "cv2.sumElems",
    signature=inspect.signature(lambda src: None),
    prepare=_prepare("sumElems", False),
    finish=_tuple,
    examples=lambda: [Example((_photo() / 9.0,), grad=("src",), vmap=("src",), rtol=1e-12, skip_odd=_ODD)],
    **_SHARED,
)
def sumElems(src):
    """Sum of every channel, four numbers with zeros behind. Differentiable.

    Parameters
    ----------
    src : array, (h, w) or (h, w, up to 4 channels)

    Returns
    -------
    tuple of four floats

    Examples
    --------
    >>> import numpy as np
    >>> from image import cv2
    >>> cv2.sumElems(np.array([[1, 2, 6]], np.uint8))
    (9.0, 0.0, 0.0, 0.0)
    """
    return _four(_totals(*_rows(src)))


@implements(
    "cv2.meanStdDev",
    signature=inspect.signature(lambda src, mean=None, stddev=None, mask=None: None),
    prepare=_prepare("meanStdDev", True),
    finish=lambda call, result: (into_dst(call, result[0], "mean"), into_dst(call, result[1], "stddev")),
    examples=lambda: [Example((_photo() / 9.0,), grad=("src",), vmap=("src",), rtol=1e-9, skip_odd=_ODD)],
    **_SHARED,
)
def meanStdDev(src, mask):
    """Mean and standard deviation of every channel, as columns; where the mask is not zero. Differentiable.

    Parameters
    ----------
    src : array, (h, w) or (h, w, channels)
    mask : uint8 array, (h, w), optional

    Returns
    -------
    mean, stddev : arrays, (channels, 1)

    Raises
    ------
    cv2.error
        Masks of another size or dtype.

    Examples
    --------
    >>> import numpy as np
    >>> from image import cv2
    >>> cv2.meanStdDev(np.array([[1, 3]], np.uint8))
    (array([[2.]]), array([[1.]]))
    """
    average, deviation = _moments(src, mask)
    return average[:, None], deviation[:, None]


def _prepare_minmax(call):
    src = _image(call, "minMaxLoc")
    if src.ndim == 3 and src.shape[2] != 1:
        fail("minMaxLoc", f"cn == 1 does not hold: src has {src.shape[2]} channels")
    mask_argument(call, "minMaxLoc", src.shape)


def _finish_minmax(call, result):
    low, high, at_low, at_high = result
    return float(low), float(high), tuple(int(k) for k in at_low), tuple(int(k) for k in at_high)


@implements(
    "cv2.minMaxLoc",
    signature=inspect.signature(lambda src, mask=None: None),
    prepare=_prepare_minmax,
    finish=_finish_minmax,
    grad=False,
    examples=lambda: [Example((_photo()[..., 0] / 9.0,), vmap=("src",), skip_odd=_ODD)],
    **_SHARED,
)
def minMaxLoc(src, mask):
    """Least and largest sample and where they first stand, as (x, y); where the mask is not zero.

    Parameters
    ----------
    src : array, (h, w)
    mask : uint8 array, (h, w), optional
        Without a single pixel: zeros, at (-1, -1).

    Returns
    -------
    minVal, maxVal, minLoc, maxLoc : float, float, (int, int), (int, int)

    Raises
    ------
    cv2.error
        Several channels, masks of another size or dtype.

    Examples
    --------
    >>> import numpy as np
    >>> from image import cv2
    >>> cv2.minMaxLoc(np.array([[5, 1, 9]], np.uint8))
    (1.0, 9.0, (1, 0), (2, 0))
    """
    width, x = src.shape[1], _real(src).ravel()
    if mask is None:
        low, high, none = jnp.argmin(x), jnp.argmax(x), False
    else:
        chosen = (mask != 0).ravel()
        low = jnp.argmin(jnp.where(chosen, x, jnp.inf))
        high = jnp.argmax(jnp.where(chosen, x, -jnp.inf))
        # of infinities alone the first chosen pixel
        first = jnp.argmax(chosen)
        low, high = jnp.where(chosen[low], low, first), jnp.where(chosen[high], high, first)
        none = ~chosen.any()

    def place(k):
        return tuple(jnp.where(none, -1, v) for v in (k % width, k // width))

    return jnp.where(none, 0, x[low]), jnp.where(none, 0, x[high]), place(low), place(high)


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
    src = _image(call, "norm", "src1")
    if second is not None:
        other = _image(call, "norm", "src2")
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
        Example((_photo() / 9.0,), grad=("src1",), vmap=("src1",), rtol=1e-10, skip_odd=_ODD),
        Example((_photo() / 9.0, _photo(39) / 9.0, c.NORM_L1), grad=("src1", "src2"), rtol=1e-10, skip_odd=_ODD),
    ],
    **_SHARED,
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
        counts = _real(jax.lax.population_count(bits))
        return (counts if inside is None else jnp.where(inside, counts, 0)).sum()
    x = _real(src1) if src2 is None else _real(src1) - _real(src2)
    result = _norm(x if inside is None else jnp.where(inside, x, 0), kind)
    if relative:
        reference = _real(src2)
        tiny = float(np.finfo(np.float64).eps)
        result = result / (_norm(reference if inside is None else jnp.where(inside, reference, 0), kind) + tiny)
    return result


def _prepare_psnr(call):
    a, b = _image(call, "PSNR", "src1"), _image(call, "PSNR", "src2")
    if a.shape != b.shape or (call.numpy and a.dtype != b.dtype):
        fail("PSNR", f"src1 and src2 differ: {a.dtype} {a.shape} and {b.dtype} {b.shape}")


@implements(
    "cv2.PSNR",
    signature=inspect.signature(lambda src1, src2, R=255.0: None),
    prepare=_prepare_psnr,
    finish=lambda call, result: float(result),
    examples=lambda: [
        Example((_photo() / 9.0, _photo(39) / 9.0), grad=("src1",), vmap=("src1",), rtol=1e-9, skip_odd=_ODD)
    ],
    **_SHARED,
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
    difference = _real(src1) - _real(src2)
    root = jnp.sqrt((difference * difference).mean())
    # OpenCV's epsilon of double precision keeps equal images finite
    return 20.0 * jnp.log10(R / (root + float(np.finfo(np.float64).eps)))


def _prepare_count(function):
    def prepare(call):
        _image(call, function, channels=1)

    return prepare


@implements(
    "cv2.countNonZero",
    signature=inspect.signature(lambda src: None),
    prepare=_prepare_count("countNonZero"),
    finish=lambda call, result: int(result),
    grad=False,
    examples=lambda: [Example((_photo()[..., 0] // 100,), vmap=("src",), skip_odd=_ODD)],
    **_SHARED,
)
def countNonZero(src):
    """Number of samples of an image of one channel that are not zero.

    Raises
    ------
    cv2.error
        Several channels.

    Examples
    --------
    >>> import numpy as np
    >>> from image import cv2
    >>> cv2.countNonZero(np.array([[0, 5, 1]], np.uint8))
    2
    """
    return jnp.sum(src != 0, dtype=np.int32)


@implements(
    "cv2.hasNonZero",
    signature=inspect.signature(lambda src: None),
    prepare=_prepare_count("hasNonZero"),
    finish=lambda call, result: bool(result),
    grad=False,
    examples=lambda: [Example((_photo()[..., 0] // 100,), vmap=("src",), skip_odd=_ODD)],
    **_SHARED,
)
def hasNonZero(src):
    """Whether an image of one channel has a sample that is not zero.

    Raises
    ------
    cv2.error
        Several channels.

    Examples
    --------
    >>> import numpy as np
    >>> from image import cv2
    >>> cv2.hasNonZero(np.array([[0, 5, 1]], np.uint8))
    True
    """
    return jnp.any(src != 0)


def _prepare_find(call):
    src = _image(call, "findNonZero", channels=1)
    size = call["size"]
    if size is not None and (isinstance(size, bool) or int(size) <= 0):
        raise ValueError(f"size must be a positive integer, not {size!r}")
    call["capacity"] = src.shape[0] * src.shape[1] if size is None or call.numpy else int(size)


def _finish_find(call, result):
    points, count = result
    return into_dst(call, points[: int(count)].copy(), "idx") if count else None


@implements(
    "cv2.findNonZero",
    static=("capacity",),
    signature=inspect.signature(lambda src, idx=None, *, size=None: None),
    extras={"size": None},
    prepare=_prepare_find,
    finish=_finish_find,
    grad=False,
    examples=lambda: [Example((_photo()[..., 0] // 100,), vmap=("src",), output=lambda r: r, skip_odd=_ODD, jit=False)],
    **_SHARED,
)
def findNonZero(src, capacity):
    """Where an image of one channel is not zero, row by row.

    Parameters
    ----------
    src : array, (h, w)
    size : int, optional
        JAX world: capacity of the result, all pixels by default.

    Returns
    -------
    int32 array, (n, 2)
        x and y of each; None where there is none. In the JAX world ``(points, count)``: `size` points, those behind
        `count` being zero; a count above `size` says that points are missing.

    Raises
    ------
    cv2.error
        Several channels.

    Examples
    --------
    >>> import numpy as np
    >>> from image import cv2
    >>> cv2.findNonZero(np.array([[0, 5, 1]], np.uint8))
    array([[1, 0],
           [2, 0]], dtype=int32)
    """
    x = src.reshape(src.shape[:2])
    rows, columns = jnp.nonzero(x, size=capacity, fill_value=0)
    return jnp.stack([columns, rows], axis=1).astype(np.int32), jnp.sum(x != 0, dtype=np.int32)


_SUMS = {"uint8": "int32 float32 float64", "uint16": "float32 float64", "int16": "float32 float64"}
_SUMS |= {"float32": "float32 float64", "float64": "float64"}


def _prepare_reduce(call):
    src = _image(call, "reduce")
    dim, kind = int(call["dim"]), int(call["rtype"])
    if not 0 <= dim <= 2:
        raise HostRoute(Reason.OPTION, f"dim={dim}")
    if kind not in (c.REDUCE_SUM, c.REDUCE_AVG, c.REDUCE_MAX, c.REDUCE_MIN, c.REDUCE_SUM2):
        fail("reduce", f"rtype={kind} is none of REDUCE_SUM, REDUCE_AVG, REDUCE_MAX, REDUCE_MIN, REDUCE_SUM2")
    wanted, source = int(call["dtype"]), np.dtype(src.dtype)
    output = source if wanted < 0 else ARITHMETIC.get(wanted & 31)
    if source.name not in _SUMS or output is None:
        raise HostRoute(Reason.DTYPE, f"{source} with dtype={wanted}")
    allowed = {source.name} if kind in (c.REDUCE_MAX, c.REDUCE_MIN) else set(_SUMS[source.name].split())
    if kind == c.REDUCE_AVG:
        allowed |= {source.name}
    if output.name not in allowed:
        fail("reduce", f"Unsupported combination: dtype={wanted} of {source} images, allowed are {sorted(allowed)}")
    call["axis"], call["kind"], call["output"] = min(dim, 1), kind, output


@implements(
    "cv2.reduce",
    static=("axis", "kind", "output"),
    signature=inspect.signature(lambda src, dim, rtype, dst=None, dtype=-1: None),
    prepare=_prepare_reduce,
    finish=into_dst,
    dtypes="keep",
    note="depths other than uint8, uint16, int16, float32, float64; negative `dim`; arrays that are no images",
    examples=lambda: [
        Example((_photo(), 0, c.REDUCE_AVG), vmap=("src",), rtol=0, atol=0, skip_odd=_ODD),
        Example((_photo() / 9.0, 1, c.REDUCE_SUM), grad=("src",), rtol=1e-12, skip_odd=_ODD),
    ],
)
def reduce(src, axis, kind, output):
    """All rows into one (`dim` 0), or all columns (1): sum, mean, extreme or sum of squares. Differentiable.

    Parameters
    ----------
    src : array, (h, w) or (h, w, channels)
    dim : int
    rtype : int
        REDUCE_SUM, REDUCE_AVG, REDUCE_MAX, REDUCE_MIN, REDUCE_SUM2.
    dtype : int
        Depth of the result; sums of integers need a larger one (CV_32S, CV_32F, CV_64F).

    Returns
    -------
    array, (1, w[, channels]) or (h, 1[, channels])

    Raises
    ------
    cv2.error
        Other reductions, depths that do not go together.

    Examples
    --------
    >>> import numpy as np
    >>> from image import cv2
    >>> cv2.reduce(np.array([[1, 2], [5, 8]], np.uint8), 0, cv2.REDUCE_AVG)
    array([[3, 5]], dtype=uint8)
    """
    if kind in (c.REDUCE_MAX, c.REDUCE_MIN):
        operation = jnp.max if kind == c.REDUCE_MAX else jnp.min
        return planes(operation(src, axis=axis, keepdims=True))
    x = _real(src) if src.dtype.kind == "f" else src.astype(np.int32 if src.dtype == np.uint8 else _real(src).dtype)
    if kind == c.REDUCE_SUM2:
        x = x * x
    total = x.sum(axis=axis, keepdims=True)
    if kind == c.REDUCE_AVG:
        total = _real(total) / src.shape[axis]
    return planes(saturate(total, output))


def _prepare_normalize(call):
    src = _image(call, "normalize")
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
    note=_NOTE,
    examples=lambda: [
        Example((_photo(), None, 0, 255, c.NORM_MINMAX), vmap=("src",), rtol=0, atol=1, skip_odd=_ODD),
        Example((_photo() / 9.0, None, 2.0), grad=("src",), rtol=1e-9, skip_odd=_ODD),
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
    x = _real(src)
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
