"""Comparison and logic: `compare`, `min`, `max`, `inRange`, `bitwise_and`, `_or`, `_xor`, `_not`."""

import inspect
from typing import Any

import numpy as np
from jax import lax
from jax import numpy as jnp

from image.cv2 import constants as c
from image.cv2._operands import (
    NOTE,
    base_of_mask,
    check_depth,
    finished,
    mask_argument,
    pair_of_operands,
    real_dtype,
)
from image.cv2._support import fail, image_argument, into_dst, planes, saturate, unsupported
from sci.bridge import Example, HostRoute, Reason, implements
from sci.bridge.worlds import is_jax

__all__ = ["bitwise_and", "bitwise_not", "bitwise_or", "bitwise_xor", "compare", "inRange", "max", "min"]


def _photo(seed=34):
    return np.random.default_rng(seed).integers(0, 256, (5, 7, 3), dtype=np.uint8)


_EXACT: dict[str, Any] = {"rtol": 0, "atol": 0}
# OpenCV reads small arrays as scalars, and what is no image in its own way
_ODD = ("0-d", "1x1", "one axis more", "empty")
_HANDLED = {
    c.CMP_EQ: lambda x, y: x == y,
    c.CMP_GT: lambda x, y: x > y,
    c.CMP_GE: lambda x, y: x >= y,
    c.CMP_LT: lambda x, y: x < y,
    c.CMP_LE: lambda x, y: x <= y,
    c.CMP_NE: lambda x, y: x != y,
}


def _image_of(a, b, images):
    return a if images[0] else b


def _prepare_compare(call):
    op = call["op"] = int(call["cmpop"])
    if op not in _HANDLED:
        fail("compare", f"cmpop={op} is none of CMP_EQ, CMP_GT, CMP_GE, CMP_LT, CMP_LE, CMP_NE")
    a, b, images = pair_of_operands(call, "compare")
    dtype = np.dtype(_image_of(a, b, images).dtype)
    # integers against a scalar: compared as numbers, exactly; floats take the scalar in their own precision
    call["wide"] = (
        dtype if all(images) or dtype.kind == "f" else np.dtype(np.float64 if dtype == np.int32 else np.float32)
    )


@implements(
    "cv2.compare",
    static=("op", "wide"),
    dtypes="keep",
    signature=inspect.signature(lambda src1, src2, cmpop, dst=None: None),
    prepare=_prepare_compare,
    finish=into_dst,
    note=NOTE,
    grad=False,
    examples=lambda: [
        Example((_photo(), _photo(35), c.CMP_GT), vmap=("src1",), skip_odd=_ODD, **_EXACT),
        Example((_photo(), 77.5, c.CMP_LE), skip_odd=_ODD, **_EXACT),
    ],
)
def compare(a, b, op, wide):
    """255 where a comparison of two images, or of an image and a scalar, holds, else 0.

    Parameters
    ----------
    src1, src2 : arrays, (h, w) or (h, w, channels); one may be a number or up to four of them
    cmpop : int
        CMP_EQ, CMP_GT, CMP_GE, CMP_LT, CMP_LE, CMP_NE.

    Raises
    ------
    cv2.error
        Images of different shapes or dtypes, other comparisons.

    Examples
    --------
    >>> import numpy as np
    >>> from image import cv2
    >>> cv2.compare(np.array([[1, 2, 3]], np.uint8), 2, cv2.CMP_GE)
    array([[  0, 255, 255]], dtype=uint8)
    """
    dtype = real_dtype(wide)
    holds = _HANDLED[op](a.astype(dtype), b.astype(dtype))
    return planes(jnp.where(holds, np.uint8(255), np.uint8(0)))


def _prepare_extreme(function):
    def prepare(call):
        a, b, images = pair_of_operands(call, function, everywhere=False)
        call["output"] = np.dtype(_image_of(a, b, images).dtype)

    return prepare


def _extreme(function, operation, example):
    def body(a, b, output):
        return planes(operation(saturate(a, output), saturate(b, output)))

    body.__name__, body.__module__ = function, __name__
    body.__doc__ = f"""The {function}imum of two images, or of an image and a scalar, sample by sample.

    A plain number as a scalar stands for the first channel, with zeros for the others, as in OpenCV.
    Differentiable for floating point images.

    Parameters
    ----------
    src1, src2 : arrays, (h, w) or (h, w, channels); one may be a number or up to four of them

    Raises
    ------
    cv2.error
        Images of different shapes or dtypes.

    Examples
    --------
    >>> import numpy as np
    >>> from image import cv2
    >>> cv2.{function}(np.array([[1, 2, 3]], np.uint8), 2)
    array([[{example}]], dtype=uint8)
    """
    return implements(
        f"cv2.{function}",
        static=("output",),
        dtypes="keep",
        signature=inspect.signature(lambda src1, src2, dst=None: None),
        prepare=_prepare_extreme(function),
        finish=into_dst,
        note=NOTE,
        examples=lambda: [
            Example((_photo(), _photo(35)), vmap=("src1",), skip_odd=_ODD, **_EXACT),
            Example((_photo() / 9.0, _photo(35) / 9.0), grad=("src1",), skip_odd=(*_ODD, "nan"), **_EXACT),
        ],
    )(body)


min = _extreme("min", jnp.minimum, "1, 2, 2")
max = _extreme("max", jnp.maximum, "2, 2, 3")


def _prepare_bits(function):
    def prepare(call):
        a, b, images = pair_of_operands(call, function, everywhere=False)
        image = _image_of(a, b, images)
        if np.dtype(image.dtype).kind == "f" and not all(images):
            raise HostRoute(Reason.DTYPE, "the bits of floating point numbers and a scalar")
        call["output"] = np.dtype(image.dtype)
        mask_argument(call, function, image.shape)
        base_of_mask(call, image.shape, call["output"])

    return prepare


def _bits(x):
    """The bits of an array as unsigned integers (integers are left as they are)."""
    return lax.bitcast_convert_type(x, f"uint{x.dtype.itemsize * 8}") if x.dtype.kind == "f" else x


def _bitwise(name, operation, result):
    def body(a, b, mask, base, output):
        if a.dtype.kind == "f" and b.dtype.kind == "f":
            value = lax.bitcast_convert_type(operation(_bits(a), _bits(b)), a.dtype)
        else:
            value = operation(saturate(a, output), saturate(b, output))
        return finished(value, value.dtype, mask, base)

    body.__name__, body.__module__ = f"bitwise_{name}", __name__
    body.__doc__ = f"""Bit by bit `{name}` of two images, or of an image and a scalar (see `min` for plain numbers).

    Parameters
    ----------
    src1, src2 : arrays, (h, w) or (h, w, channels); one may be a number or up to four of them
    mask : uint8 array, (h, w), optional
        Where it is zero, `dst` stays (or zero).

    Raises
    ------
    cv2.error
        Images of different shapes or dtypes, masks of another size or dtype.

    Examples
    --------
    >>> import numpy as np
    >>> from image import cv2
    >>> cv2.bitwise_{name}(np.array([[12, 5]], np.uint8), np.array([[10, 3]], np.uint8))
    array([[{result}]], dtype=uint8)
    """
    return implements(
        f"cv2.bitwise_{name}",
        static=("output",),
        dtypes="keep",
        signature=inspect.signature(lambda src1, src2, dst=None, mask=None: None),
        prepare=_prepare_bits(f"bitwise_{name}"),
        finish=into_dst,
        note=NOTE,
        grad=False,
        examples=lambda: [Example((_photo(), _photo(35)), vmap=("src1",), skip_odd=_ODD, **_EXACT)],
    )(body)


def _broadcast(operation):
    return lambda x, y: operation(*jnp.broadcast_arrays(x, y))


bitwise_and = _bitwise("and", _broadcast(lax.bitwise_and), "8, 1")
bitwise_or = _bitwise("or", _broadcast(lax.bitwise_or), "14,  7")
bitwise_xor = _bitwise("xor", _broadcast(lax.bitwise_xor), "6, 6")


def _prepare_not(call):
    if call.numpy and np.ndim(call["src"]) > 3:  # OpenCV itself takes what is no image
        raise HostRoute(Reason.SHAPE, f"src has {np.ndim(call['src'])} dimensions")
    src = image_argument(call, "bitwise_not", empty=True)
    if src.ndim == 1:
        raise HostRoute(Reason.SHAPE, "src has one dimension")
    check_depth(call, src)
    mask_argument(call, "bitwise_not", src.shape)
    base_of_mask(call, src.shape, np.dtype(src.dtype))


@implements(
    "cv2.bitwise_not",
    dtypes="keep",
    signature=inspect.signature(lambda src, dst=None, mask=None: None),
    prepare=_prepare_not,
    finish=into_dst,
    note="depths other than (u)int8, (u)int16, int32, float32, float64; empty and one-dimensional arrays",
    grad=False,
    examples=lambda: [Example((_photo(),), vmap=("src",), **_EXACT)],
)
def bitwise_not(src, mask, base):
    """Every bit of an image inverted, where the mask is not zero.

    Raises
    ------
    cv2.error
        Masks of another size or dtype.

    Examples
    --------
    >>> import numpy as np
    >>> from image import cv2
    >>> cv2.bitwise_not(np.array([[0, 5]], np.uint8))
    array([[255, 250]], dtype=uint8)
    """
    inverted = ~_bits(src)
    value = lax.bitcast_convert_type(inverted, src.dtype) if src.dtype.kind == "f" else inverted
    return finished(value, value.dtype, mask, base)


def _signature_range(src, lowerb, upperb, dst=None):
    """OpenCV's signature, which Python cannot read from its C function."""


def _prepare_range(call):
    src = image_argument(call, "inRange", empty=True)
    channels = src.shape[2] if src.ndim == 3 else 1
    for name in ("lowerb", "upperb"):
        value = call[name]
        if is_jax(value):
            continue
        entries = np.atleast_1d(np.asarray(value, np.float64))
        if channels <= 4 and entries.ndim == 1 and (entries.size in (channels, 4) or np.ndim(value) == 0):
            given = np.zeros(4)  # a plain number is a scalar with zeros behind it
            given[: len(entries[:4])] = entries[:4]
            call[name] = given[:channels]


def _supports_range(call):
    src = call["src"]
    channels = src.shape[2] if src.ndim == 3 else 1
    for name in ("lowerb", "upperb"):
        if np.shape(call[name]) != (channels,):
            return Reason.SHAPE, f"{name} is no scalar for each channel"
        if np.dtype(src.dtype).kind != "f" and not is_jax(call[name]):
            bounds = np.asarray(call[name])
            if np.any(bounds != np.rint(bounds)):
                return Reason.OPTION, f"{name} is not integer for an integer image"
    return unsupported(call)


@implements(
    "cv2.inRange",
    dtypes="keep",
    signature=inspect.signature(_signature_range),
    prepare=_prepare_range,
    supports=_supports_range,
    finish=into_dst,
    note="bounds that are images, or not integers for integer images; depths that are not native",
    grad=False,
    examples=lambda: [
        Example((_photo(), (20, 30, 40), (220, 200, 180)), skip_odd=("nan",), **_EXACT),
        Example((_photo()[..., 0] / 9.0, 5, 20), **_EXACT),
    ],
)
def inRange(src, lowerb, upperb):
    """255 where every channel lies between its bounds, both included, else 0.

    Examples
    --------
    >>> import numpy as np
    >>> from image import cv2
    >>> cv2.inRange(np.array([[10, 100, 200]], np.uint8), 50, 200)
    array([[  0, 255, 255]], dtype=uint8)
    """
    x = src if src.dtype.kind == "f" else src.astype(np.float32)
    low, high = jnp.asarray(lowerb).astype(x.dtype), jnp.asarray(upperb).astype(x.dtype)
    if src.ndim == 2:
        low, high = low[0], high[0]
    inside = (x >= low) & (x <= high)
    inside = inside if src.ndim == 2 else inside.all(axis=-1)
    return jnp.where(inside, np.uint8(255), np.uint8(0))
