"""Moving samples: `flip`, `rotate`, `transpose`, `copyMakeBorder`, `LUT`."""

import inspect
from typing import Any

import numpy as np
from jax import numpy as jnp

from image.cv2 import constants as c
from image.cv2._support import BORDERS, fail, image_argument, into_dst, planes, saturate, unsupported
from sci.bridge import Example, HostRoute, Reason, implements
from sci.bridge.worlds import is_jax
from sci.ndimage._kernels.borders import pad_axis

__all__ = ["LUT", "copyMakeBorder", "flip", "rotate", "transpose"]


def _photo():
    return np.random.default_rng(31).integers(0, 256, (5, 7, 3), dtype=np.uint8)


_EXACT: dict[str, Any] = {"rtol": 0, "atol": 0}


def _facts(function, signature, static, check=None) -> dict[str, Any]:
    def prepare(call):
        if call.numpy and np.ndim(call["src"]) > 3:  # OpenCV itself takes what is no image
            raise HostRoute(Reason.SHAPE, f"src has {np.ndim(call['src'])} dimensions")
        image_argument(call, function, empty=True)
        if check is not None:
            check(call)

    return {
        "static": static,
        "dtypes": "keep",
        "signature": inspect.signature(signature),
        "prepare": prepare,
        "supports": unsupported,
        "finish": into_dst,
        "note": "depths other than uint8, uint16, int16, float32, float64; empty and one-dimensional arrays",
    }


def _signature_flip(src, flipCode, dst=None):
    """OpenCV's signature, which Python cannot read from its C function."""


def _check_flip(call):
    call["flipCode"] = int(np.sign(int(call["flipCode"])))


@implements(
    "cv2.flip",
    **_facts("flip", _signature_flip, ("flipCode",), _check_flip),
    examples=lambda: [Example((_photo(), -1), vmap=("src",), **_EXACT)],
)
def flip(src, flipCode):
    """Flip upside down (0), left to right (positive) or both (negative).

    Examples
    --------
    >>> import numpy as np
    >>> from image import cv2
    >>> cv2.flip(np.array([[1, 2, 3]], np.uint8), 1)
    array([[3, 2, 1]], dtype=uint8)
    """
    return planes(jnp.flip(src, {0: (0,), 1: (1,), -1: (0, 1)}[flipCode]))


def _signature_rotate(src, rotateCode, dst=None):
    """OpenCV's signature, which Python cannot read from its C function."""


def _check_rotate(call):
    call["rotateCode"] = code = int(call["rotateCode"])
    if code not in (c.ROTATE_90_CLOCKWISE, c.ROTATE_180, c.ROTATE_90_COUNTERCLOCKWISE):
        fail("rotate", f"unknown rotateCode={code}: allowed are ROTATE_90_CLOCKWISE, ROTATE_180, ...")


@implements(
    "cv2.rotate",
    **_facts("rotate", _signature_rotate, ("rotateCode",), _check_rotate),
    examples=lambda: [Example((_photo(), c.ROTATE_90_CLOCKWISE), vmap=("src",), **_EXACT)],
)
def rotate(src, rotateCode):
    """Rotate by a multiple of 90 degrees.

    Examples
    --------
    >>> import numpy as np
    >>> from image import cv2
    >>> cv2.rotate(np.array([[1, 2, 3]], np.uint8), cv2.ROTATE_180)
    array([[3, 2, 1]], dtype=uint8)
    """
    return planes(jnp.rot90(src, -(rotateCode + 1), axes=(0, 1)))


def _signature_transpose(src, dst=None):
    """OpenCV's signature, which Python cannot read from its C function."""


@implements(
    "cv2.transpose",
    **_facts("transpose", _signature_transpose, ()),
    examples=lambda: [Example((_photo(),), vmap=("src",), **_EXACT)],
)
def transpose(src):
    """Exchange rows and columns, channels stay.

    Examples
    --------
    >>> import numpy as np
    >>> from image import cv2
    >>> cv2.transpose(np.array([[1, 2, 3]], np.uint8)).shape
    (3, 1)
    """
    return planes(jnp.swapaxes(src, 0, 1))


def _signature_border(src, top, bottom, left, right, borderType, dst=None, value=None):
    """OpenCV's signature, which Python cannot read from its C function."""


def _check_border(call):
    if call["src"].size == 0:
        fail("copyMakeBorder", "src is empty: there is nothing to extend")
    widths = [int(call[k]) for k in ("top", "bottom", "left", "right")]
    if min(widths) < 0:
        fail("copyMakeBorder", f"top >= 0 && bottom >= 0 && left >= 0 && right >= 0 does not hold: {widths}")
    mode = BORDERS.get(int(call["borderType"]) & ~c.BORDER_ISOLATED)
    if mode is None:
        fail("copyMakeBorder", f"Unknown/unsupported border type: borderType={call['borderType']}")
    src, value = call["src"], call["value"]
    call["plan"] = (*widths, mode)
    channels = src.shape[2] if src.ndim == 3 else 1
    given = np.zeros(4)
    if value is not None and not is_jax(value):
        entries = np.atleast_1d(np.asarray(value, np.float64)).ravel()[:4]
        given[: entries.size] = entries
    call["fill"] = given[:channels] if channels <= 4 else None


def _supports_border(call):
    if call["fill"] is None or is_jax(call["value"]):
        return Reason.OPTION, "more than four channels, or a traced value"
    return unsupported(call)


_HANGS = ("empty", "0-d")  # OpenCV loops for ever in search of a sample of nothing


@implements(
    "cv2.copyMakeBorder",
    **_facts("copyMakeBorder", _signature_border, ("plan",), _check_border) | {"supports": _supports_border},
    examples=lambda: [
        Example((_photo(), 1, 2, 3, 4, c.BORDER_REFLECT_101), skip_odd=_HANGS, **_EXACT),
        Example(
            (_photo(), 1, 0, 2, 0, c.BORDER_CONSTANT),
            {"value": (1, 2.5, 300)},
            vmap=("src",),
            skip_odd=_HANGS,
            **_EXACT,
        ),
    ],
)
def copyMakeBorder(src, fill, plan):
    """Extend an image by a border: constant, replicated, reflected or wrapped.

    Raises
    ------
    cv2.error
        Negative widths, unknown borders.

    Examples
    --------
    >>> import numpy as np
    >>> from image import cv2
    >>> cv2.copyMakeBorder(np.array([[1, 2, 3]], np.uint8), 0, 0, 2, 1, cv2.BORDER_REFLECT)
    array([[2, 1, 1, 2, 3, 3]], dtype=uint8)
    """
    top, bottom, left, right, mode = plan
    if mode != "constant":
        return planes(pad_axis(pad_axis(src, 0, top, bottom, mode), 1, left, right, mode))
    values = saturate(jnp.asarray(fill, float), src.dtype)
    channels = [src] if src.ndim == 2 else [src[..., k] for k in range(src.shape[2])]
    padded = [
        jnp.pad(plane, ((top, bottom), (left, right)), constant_values=values[k]) for k, plane in enumerate(channels)
    ]
    return padded[0] if src.ndim == 2 else planes(jnp.stack(padded, axis=-1))


def _signature_lut(src, lut, dst=None):
    """OpenCV's signature, which Python cannot read from its C function."""


def _check_lut(call):
    lut = call["lut"]
    if not is_jax(lut):
        lut = call["lut"] = np.asarray(lut)
    src = call["src"]
    if np.dtype(src.dtype) == np.uint8 and lut.size not in (256, 256 * (src.shape[2] if src.ndim == 3 else 1)):
        fail("LUT", f"lut must have 256 entries (for each channel), its shape is {lut.shape}")


def _supports_lut(call):
    if np.dtype(call["src"].dtype) != np.uint8:
        return Reason.DTYPE, f"src is {call['src'].dtype}"
    return unsupported(call) or unsupported({"src": call["lut"].reshape(16, -1)})


@implements(
    "cv2.LUT",
    **_facts("LUT", _signature_lut, (), _check_lut) | {"supports": _supports_lut},
    examples=lambda: [
        # OpenCV reads what it likes of tables of odd shapes
        Example(
            (_photo(), np.arange(256, dtype=np.uint8)[::-1].copy()),
            vmap=("src",),
            skip_odd=("empty", "0-d", "1x1", "one axis more", "object"),
            **_EXACT,
        )
    ],
)
def LUT(src, lut):
    """Replace every uint8 sample by the entry of a table, one for all channels or one for each.

    Examples
    --------
    >>> import numpy as np
    >>> from image import cv2
    >>> cv2.LUT(np.array([[0, 2]], np.uint8), np.arange(256, dtype=np.uint8)[::-1].copy())
    array([[255, 253]], dtype=uint8)
    """
    index = src.astype(np.int32)
    if lut.size == 256:
        return planes(jnp.take(lut.reshape(256), index, mode="clip"))
    tables = lut.reshape(256, src.shape[2])
    return jnp.stack([jnp.take(tables[:, k], index[..., k], mode="clip") for k in range(src.shape[2])], axis=-1)
