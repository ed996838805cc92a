"""Numbers of an image: `mean`, `meanStdDev`, `sumElems`, `minMaxLoc`, `reduce`."""

import inspect

import numpy as np
from jax import numpy as jnp

from image.cv2 import constants as c
from image.cv2._operands import ARITHMETIC, mask_argument
from image.cv2._reductions import ODD, SHARED, image_of_numbers, photo, real
from image.cv2._support import fail, into_dst, planes, saturate
from sci.bridge import Example, HostRoute, Reason, implements

__all__ = ["mean", "meanStdDev", "minMaxLoc", "reduce", "sumElems"]


def _totals(rows, channels):
    """Sums of every channel of (h, w * channels): over long rows first, which XLA vectorises."""
    return rows.sum(axis=0).reshape(-1, channels).sum(axis=0)


def _rows(src):
    """An image as (h, w * channels) of the widest float, and its number of channels."""
    return real(src).reshape(src.shape[0], -1), src.shape[2] if src.ndim == 3 else 1


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
        src = image_of_numbers(call, function)
        if src.ndim == 3 and src.shape[2] > 4 and function != "meanStdDev":
            raise HostRoute(Reason.SHAPE, "more than four channels")
        if masked:
            mask_argument(call, function, src.shape)

    return prepare


def _four(values):
    return (*values, *[jnp.zeros((), values.dtype)] * (4 - values.shape[0]))


def _tuple(call, result):
    return tuple(float(v) for v in result)


@implements(
    "cv2.mean",
    signature=inspect.signature(lambda src, mask=None: None),
    prepare=_prepare("mean", True),
    finish=_tuple,
    examples=lambda: [Example((photo() / 9.0,), grad=("src",), vmap=("src",), rtol=1e-12, skip_odd=ODD)],
    **SHARED,
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
    examples=lambda: [Example((photo() / 9.0,), grad=("src",), vmap=("src",), rtol=1e-12, skip_odd=ODD)],
    **SHARED,
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
    examples=lambda: [Example((photo() / 9.0,), grad=("src",), vmap=("src",), rtol=1e-9, skip_odd=ODD)],
    **SHARED,
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
    src = image_of_numbers(call, "minMaxLoc")
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
    examples=lambda: [Example((photo()[..., 0] / 9.0,), vmap=("src",), skip_odd=ODD)],
    **SHARED,
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
    width, x = src.shape[1], real(src).ravel()
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


_SUMS = {"uint8": "int32 float32 float64", "uint16": "float32 float64", "int16": "float32 float64"}
_SUMS |= {"float32": "float32 float64", "float64": "float64"}


def _prepare_reduce(call):
    src = image_of_numbers(call, "reduce")
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
        Example((photo(), 0, c.REDUCE_AVG), vmap=("src",), rtol=0, atol=0, skip_odd=ODD),
        Example((photo() / 9.0, 1, c.REDUCE_SUM), grad=("src",), rtol=1e-12, skip_odd=ODD),
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
    x = real(src) if src.dtype.kind == "f" else src.astype(np.int32 if src.dtype == np.uint8 else real(src).dtype)
    if kind == c.REDUCE_SUM2:
        x = x * x
    total = x.sum(axis=axis, keepdims=True)
    if kind == c.REDUCE_AVG:
        total = real(total) / src.shape[axis]
    return planes(saturate(total, output))
