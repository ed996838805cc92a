"""Arithmetic and logic of two images: `add`, `subtract`, `absdiff`, `addWeighted`, `bitwise_and`, `inRange`, ..."""

import inspect
from typing import Any

import numpy as np
from jax import lax
from jax import numpy as jnp

from image.cv2._support import image_argument, into_dst, planes, saturate, unsupported
from sci.bridge import Example, HostRoute, Reason, implements
from sci.bridge.worlds import is_jax

__all__ = [
    "absdiff",
    "add",
    "addWeighted",
    "bitwise_and",
    "bitwise_not",
    "bitwise_or",
    "bitwise_xor",
    "convertScaleAbs",
    "inRange",
    "subtract",
]


def _photo(seed=32):
    return np.random.default_rng(seed).integers(0, 256, (5, 7, 3), dtype=np.uint8)


_EXACT: dict[str, Any] = {"rtol": 0, "atol": 0}
# OpenCV reads small second arrays as scalars: such calls are its own
_ODD = ("0-d", "1x1", "one axis more", "empty")


def _is_image(value):
    return (isinstance(value, np.ndarray) or is_jax(value)) and getattr(value, "ndim", 0) in (2, 3)


def _prepare_pair(call):
    for name in ("src1", "src2"):  # OpenCV itself would read swapped bytes as they lie
        value = call[name]
        if isinstance(value, list) and not is_jax(value):
            value = call[name] = np.asarray(value)
        if isinstance(value, np.ndarray) and not value.dtype.isnative:
            call[name] = value.astype(value.dtype.newbyteorder("="))


def _supports_pair(call):
    """Two images of one shape and depth, no mask, no other depth asked for."""
    a, b = call["src1"], call["src2"]
    if not _is_image(a) or not _is_image(b) or a.shape != b.shape or a.size == 0:
        return Reason.SHAPE, "operands that are not two images of one shape"
    if a.dtype != b.dtype:
        return Reason.DTYPE, f"operands of the dtypes {a.dtype} and {b.dtype}"
    if call.get("mask") is not None:
        return Reason.OPTION, "mask"
    if call.get("dtype", -1) != -1:
        return Reason.OPTION, f"dtype={call['dtype']}"
    return unsupported(call, "src1")


def _facts(signature, name="src1", supports=_supports_pair) -> dict[str, Any]:
    return {
        "dtypes": "keep",
        "signature": inspect.signature(signature),
        "prepare": _prepare_pair,
        "supports": supports,
        "finish": into_dst,
        "note": "scalars, operands of different shapes or depths, masks, dtype=, depths that are not native",
    }


def _signature_two(src1, src2, dst=None, mask=None, dtype=-1):
    """OpenCV's signature, which Python cannot read from its C function."""


def _signature_plain(src1, src2, dst=None):
    """OpenCV's signature."""


def _signature_masked(src1, src2, dst=None, mask=None):
    """OpenCV's signature."""


def _wide(dtype):
    return {"u": np.int32, "i": np.int32}.get(np.dtype(dtype).kind, dtype)


def _pair_example(**options):
    return lambda: [Example((_photo(), _photo(33)), vmap=("src1",), skip_odd=_ODD, **_EXACT, **options)]


@implements("cv2.add", **_facts(_signature_two), examples=_pair_example())
def add(src1, src2):
    """Sum of two images, saturated.

    Examples
    --------
    >>> import numpy as np
    >>> from image import cv2
    >>> cv2.add(np.array([[200, 20]], np.uint8), np.array([[100, 3]], np.uint8))
    array([[255,  23]], dtype=uint8)
    """
    wide = _wide(src1.dtype)
    return planes(saturate(src1.astype(wide) + src2.astype(wide), src1.dtype))


@implements("cv2.subtract", **_facts(_signature_two), examples=_pair_example())
def subtract(src1, src2):
    """Difference of two images, saturated.

    Examples
    --------
    >>> import numpy as np
    >>> from image import cv2
    >>> cv2.subtract(np.array([[200, 2]], np.uint8), np.array([[100, 3]], np.uint8))
    array([[100,   0]], dtype=uint8)
    """
    wide = _wide(src1.dtype)
    return planes(saturate(src1.astype(wide) - src2.astype(wide), src1.dtype))


@implements("cv2.absdiff", **_facts(_signature_plain), examples=_pair_example())
def absdiff(src1, src2):
    """Absolute difference of two images, saturated.

    Examples
    --------
    >>> import numpy as np
    >>> from image import cv2
    >>> cv2.absdiff(np.array([[200, 2]], np.uint8), np.array([[100, 3]], np.uint8))
    array([[100,   1]], dtype=uint8)
    """
    wide = _wide(src1.dtype)
    return planes(saturate(jnp.abs(src1.astype(wide) - src2.astype(wide)), src1.dtype))


def _supports_bits(call):
    reason = _supports_pair(call)
    if reason is None and np.dtype(call["src1"].dtype).kind == "f":
        return Reason.DTYPE, "the bits of floating point numbers"
    return reason


def _bitwise(name, operation, sign, result):
    def body(src1, src2):
        return planes(operation(src1, src2))

    body.__name__, body.__module__ = f"bitwise_{name}", __name__
    body.__doc__ = f"""Bit by bit `{name}` of two integer images.

    Examples
    --------
    >>> import numpy as np
    >>> from image import cv2
    >>> cv2.bitwise_{name}(np.array([[12, 5]], np.uint8), np.array([[10, 3]], np.uint8))
    array([[{result}]], dtype=uint8)
    """
    facts = _facts(_signature_masked, supports=_supports_bits)
    return implements(f"cv2.bitwise_{name}", **facts, grad=False, examples=_pair_example())(body)


bitwise_and = _bitwise("and", lax.bitwise_and, "&", "8, 1")
bitwise_or = _bitwise("or", lax.bitwise_or, "|", "14,  7")
bitwise_xor = _bitwise("xor", lax.bitwise_xor, "^", "6, 6")


def _prepare_any(function):
    """Arrays of any dimension: OpenCV itself takes those that are no images."""

    def prepare(call):
        if call.numpy and np.ndim(call["src"]) > 3:
            raise HostRoute(Reason.SHAPE, f"src has {np.ndim(call['src'])} dimensions")
        image_argument(call, function, empty=True)

    return prepare


def _signature_not(src, dst=None, mask=None):
    """OpenCV's signature, which Python cannot read from its C function."""


def _supports_not(call):
    if call["mask"] is not None:
        return Reason.OPTION, "mask"
    if np.dtype(call["src"].dtype).kind == "f":
        return Reason.DTYPE, "the bits of floating point numbers"
    return unsupported(call)


@implements(
    "cv2.bitwise_not",
    **_facts(_signature_not, supports=_supports_not) | {"prepare": _prepare_any("bitwise_not")},
    grad=False,
    examples=lambda: [Example((_photo(),), vmap=("src",), **_EXACT)],
)
def bitwise_not(src):
    """Every bit of an integer image inverted.

    Examples
    --------
    >>> import numpy as np
    >>> from image import cv2
    >>> cv2.bitwise_not(np.array([[0, 5]], np.uint8))
    array([[255, 250]], dtype=uint8)
    """
    return planes(~src)


def _signature_weighted(src1, alpha, src2, beta, gamma, dst=None, dtype=-1):
    """OpenCV's signature, which Python cannot read from its C function."""


@implements(
    "cv2.addWeighted",
    **_facts(_signature_weighted),
    examples=lambda: [
        Example((_photo(), 0.3, _photo(33), 0.9, -4.0), vmap=("src1",), rtol=0, atol=1.0, skip_odd=_ODD),
        Example(
            (_photo() / 9.0, 0.3, _photo(33) / 9.0, 0.9, 4.0), grad=("src1",), rtol=1e-6, float32=False, skip_odd=_ODD
        ),
    ],
)
def addWeighted(src1, alpha, src2, beta, gamma):
    """``src1 * alpha + src2 * beta + gamma``, rounded half to even and saturated; within one level for integers.

    Examples
    --------
    >>> import numpy as np
    >>> from image import cv2
    >>> cv2.addWeighted(np.array([[200, 20]], np.uint8), 0.5, np.array([[100, 4]], np.uint8), 0.5, 1.0)
    array([[151,  13]], dtype=uint8)
    """
    wide = np.dtype(np.float32) if src1.dtype.itemsize <= 2 else src1.dtype
    alpha, beta, gamma = (jnp.asarray(k, wide) for k in (alpha, beta, gamma))
    return planes(saturate(src1.astype(wide) * alpha + src2.astype(wide) * beta + gamma, src1.dtype))


def _signature_scale(src, dst=None, alpha=1.0, beta=0.0):
    """OpenCV's signature, which Python cannot read from its C function."""


@implements(
    "cv2.convertScaleAbs",
    **_facts(_signature_scale, supports=unsupported) | {"prepare": _prepare_any("convertScaleAbs")},
    grad=False,
    examples=lambda: [Example((_photo(), None, 1.7, -90.0), vmap=("src",), rtol=0, atol=1.0)],
)
def convertScaleAbs(src, alpha, beta):
    """``|src * alpha + beta|`` as uint8, rounded half to even and saturated.

    Examples
    --------
    >>> import numpy as np
    >>> from image import cv2
    >>> cv2.convertScaleAbs(np.array([[-3.0, 400.0]], np.float32))
    array([[  3, 255]], dtype=uint8)
    """
    wide = src.dtype if src.dtype == np.float64 else np.dtype(np.float32)
    value = src.astype(wide) * jnp.asarray(alpha, wide) + jnp.asarray(beta, wide)
    return planes(saturate(jnp.abs(value), np.uint8))


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
            given[: min(entries.size, 4)] = entries[:4]
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
    **_facts(_signature_range, supports=_supports_range) | {"prepare": _prepare_range},
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
