"""Samples that count: `copyTo`, `finiteMask`, `patchNaNs`, `checkRange`."""

import inspect

import jax
import numpy as np
from jax import numpy as jnp

from image.cv2._operands import check_depth
from image.cv2._reductions import ODD, image_of_numbers
from image.cv2._support import fail, image_argument, into_dst, planes
from sci.bridge import Example, HostRoute, Reason, implements
from sci.bridge.worlds import is_jax, is_traced

__all__ = ["checkRange", "copyTo", "finiteMask", "patchNaNs"]

_NOTE = "arrays that are no images; depths other than (u)int8, (u)int16, int32, float32, float64"
_LARGEST = np.finfo(np.float64).max


def _photo():
    return np.random.default_rng(44).normal(size=(4, 5, 3))


def _prepare_copy(call):
    src = image_of_numbers(call, "copyTo")
    mask, target = call["mask"], call["dst"]
    shape = src.shape[:2] if src.ndim == 3 and src.shape[2] == 1 else src.shape
    if mask is not None:
        if not isinstance(mask, np.ndarray) and not is_jax(mask):
            fail("copyTo", f"mask is not a numpy array, but {type(mask).__name__}")
        channels = mask.shape[2] if mask.ndim == 3 else 1
        known = mask.dtype in (np.uint8, np.int8, np.bool_)
        if not known or channels not in (1, src.shape[2] if src.ndim == 3 else 1):
            fail("copyTo", f"mask must be of (u)int8 or bool with one channel or as many as src, not {mask.dtype}")
        if mask.shape[:2] != src.shape[:2]:
            fail("copyTo", f"size() == mask.size() does not hold: mask {mask.shape}, src {src.shape}")
        call["mask"] = planes(mask)
    fits = mask is not None and target is not None and np.shape(target) == shape and target.dtype == src.dtype
    call["base"] = target if fits else None


@implements(
    "cv2.copyTo",
    dtypes="keep",
    signature=inspect.signature(lambda src, mask, dst=None: None),
    prepare=_prepare_copy,
    finish=into_dst,
    note=_NOTE,
    examples=lambda: [
        Example((_photo(), np.eye(4, 5, dtype=np.uint8)), grad=("src",), vmap=("src",), rtol=0, atol=0, skip_odd=ODD)
    ],
)
def copyTo(src, mask, base):
    """Copy samples where the mask is not zero into `dst`, or into an image of zeros. Differentiable.

    Parameters
    ----------
    src : array, (h, w) or (h, w, channels)
    mask : (u)int8 or bool array, (h, w) or of `src`'s shape; None for all
    dst : array of `src`'s shape and dtype, optional
        Changed in place in the NumPy world.

    Raises
    ------
    cv2.error
        Masks of another size or dtype.

    Examples
    --------
    >>> import numpy as np
    >>> from image import cv2
    >>> cv2.copyTo(np.array([[7, 8, 9]], np.uint8), np.array([[1, 0, 1]], np.uint8))
    array([[7, 0, 9]], dtype=uint8)
    """
    x = planes(src)
    if mask is None:
        return x
    chosen = mask != 0
    if x.ndim == 3 and chosen.ndim == 2:
        chosen = chosen[..., None]
    return jnp.where(chosen, x, jnp.zeros((), x.dtype) if base is None else base)


def _floats(call, name, function, most=None):
    if call.numpy and np.ndim(call[name]) not in (2, 3):
        raise HostRoute(Reason.SHAPE, f"{name} has {np.ndim(call[name])} dimensions")
    value = image_argument(call, function, name, empty=True)
    if value.dtype not in (np.float32, np.float64):
        fail(function, f"depth == CV_32F || depth == CV_64F does not hold: {name} is {value.dtype}")
    if most and value.ndim == 3 and value.shape[2] > most:
        fail(function, f"channels <= {most} does not hold: {name} has {value.shape[2]} channels")
    return value


def _prepare_finite(call):
    _floats(call, "src", "finiteMask", 4)


@implements(
    "cv2.finiteMask",
    dtypes="keep",
    signature=inspect.signature(lambda src, mask=None: None),
    prepare=_prepare_finite,
    finish=lambda call, result: into_dst(call, result, "mask"),
    grad=False,
    note="one-dimensional and empty arrays",
    examples=lambda: [Example((_photo(),), vmap=("src",), rtol=0, atol=0, skip_odd=ODD, float32=False)],
)
def finiteMask(src):
    """255 where all channels are finite, 0 where one is infinite or NaN.

    Parameters
    ----------
    src : float32 or float64 array, (h, w) or (h, w, up to 4 channels)

    Returns
    -------
    uint8 array (h, w)

    Raises
    ------
    cv2.error
        An image of integers, more than four channels.

    Examples
    --------
    >>> import numpy as np
    >>> from image import cv2
    >>> cv2.finiteMask(np.array([[1.0, np.nan, np.inf]]))
    array([[255,   0,   0]], dtype=uint8)
    """
    finite = jnp.isfinite(src)
    return jnp.where(finite.all(axis=2) if src.ndim == 3 else finite, np.uint8(255), np.uint8(0))


def _prepare_patch(call):
    given = call["a"]
    _floats(call, "a", "patchNaNs")
    if isinstance(given, np.ndarray) and not given.flags.writeable:
        fail("patchNaNs", "a is read-only: it is changed in place")
    call["target"] = given


def _in_place(call, result):
    target = call["target"]
    if isinstance(target, np.ndarray):
        target[...] = result
        return target
    return result


@implements(
    "cv2.patchNaNs",
    dtypes="keep",
    signature=inspect.signature(lambda a, val=0: None),
    prepare=_prepare_patch,
    finish=_in_place,
    note="one-dimensional and empty arrays",
    # a tuple, which is not changed in place: the contract does not know arguments that change
    examples=lambda: [Example((((1.0, np.nan), (3.0, 4.0)), 2.5), oracle=False, jit=False)],
)
def patchNaNs(a, val):
    """Put a number where there is a NaN, in place in the NumPy world. Differentiable where there is none.

    Parameters
    ----------
    a : float32 or float64 array, (h, w) or (h, w, channels)
    val : float

    Raises
    ------
    cv2.error
        An image of integers.

    Examples
    --------
    >>> import numpy as np
    >>> from image import cv2
    >>> cv2.patchNaNs(np.array([[1.0, np.nan]]), 3)
    array([[1., 3.]])
    """
    return jnp.where(jnp.isnan(a), jnp.asarray(val).astype(a.dtype), a)


def _prepare_range(call):
    name = "a"
    if call.numpy and np.ndim(call[name]) not in (2, 3):
        raise HostRoute(Reason.SHAPE, f"{name} has {np.ndim(call[name])} dimensions")
    value = image_argument(call, "checkRange", name, empty=True)
    check_depth(call, value)
    low, high = call["minVal"], call["maxVal"]
    if is_traced((low, high)):
        fail("checkRange", "minVal and maxVal must be known, not traced")
    if value.dtype.kind != "f":  # OpenCV rounds the range of integers outwards
        low, high = np.floor(float(low)), np.ceil(float(high))
    top = np.finfo(np.float64 if call.numpy or jax.config.jax_enable_x64 else np.float32).max
    call["low"], call["high"] = np.clip([float(low), float(high)], -top, top)


def _finish_range(call, result):
    valid, x, y = bool(result[0]), int(result[1]), int(result[2])
    if not valid and not call["quiet"]:
        fail("checkRange", f"the value at ({x}, {y}) is out of range [{call['minVal']}, {call['maxVal']})")
    return valid, (x, y)


@implements(
    "cv2.checkRange",
    dtypes="keep",
    signature=inspect.signature(lambda a, quiet=True, minVal=-_LARGEST, maxVal=_LARGEST: None),
    prepare=_prepare_range,
    finish=_finish_range,
    finish_jax=lambda call, result: (result[0], (result[1], result[2])),
    grad=False,
    note=_NOTE,
    examples=lambda: [
        Example(
            (_photo(), True, -1.0, 1.0),
            output=lambda r: np.array([r[0], *r[1]]),
            jit=False,
            skip_odd=ODD,
            float32=False,
        )
    ],
)
def checkRange(a, low, high):
    """Whether all samples are finite and in ``minVal <= a < maxVal``, and where the first is that is not.

    Parameters
    ----------
    a : array, (h, w) or (h, w, channels)
    quiet : bool
        NumPy world: False raises where a sample is out of range.
    minVal, maxVal : float
        Rounded outwards to whole numbers for images of integers.

    Returns
    -------
    bool, (int, int)
        The column and row of the first sample out of range; zeros where there is none.

    Raises
    ------
    cv2.error
        A sample is out of range and `quiet` is False.

    Examples
    --------
    >>> import numpy as np
    >>> from image import cv2
    >>> cv2.checkRange(np.array([[1.0, np.nan, 2.0]]))
    (False, (1, 0))
    """
    x = a.astype(jnp.result_type(float))
    bad = ~((x >= low) & (x < high))
    bad = (bad.any(axis=2) if a.ndim == 3 else bad).ravel()
    at = jnp.argmax(bad)
    return ~bad.any(), at % a.shape[1], at // a.shape[1]
