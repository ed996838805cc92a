"""`cvtColor`: grey, channel order and YCrCb."""

import inspect

import numpy as np
from jax import numpy as jnp

from image.cv2 import constants as c
from image.cv2._support import fail, image_argument, into_dst, saturate, unsupported
from sci.bridge import Example, Reason, implements

# code -> channels taken for (R, G, B)
_TO_GRAY = {
    c.COLOR_BGR2GRAY: (2, 1, 0),
    c.COLOR_RGB2GRAY: (0, 1, 2),
    c.COLOR_BGRA2GRAY: (2, 1, 0),
    c.COLOR_RGBA2GRAY: (0, 1, 2),
}
# code -> channels of the result; None is an alpha, opaque if the source has none
_REORDER = {
    c.COLOR_BGR2BGRA: (0, 1, 2, None),
    c.COLOR_BGRA2BGR: (0, 1, 2),
    c.COLOR_BGR2RGBA: (2, 1, 0, None),
    c.COLOR_BGRA2RGB: (2, 1, 0),
    c.COLOR_BGR2RGB: (2, 1, 0),
    c.COLOR_BGRA2RGBA: (2, 1, 0, 3),
    c.COLOR_GRAY2BGR: (0, 0, 0),
    c.COLOR_GRAY2BGRA: (0, 0, 0, None),
}
_TO_YCRCB = {c.COLOR_BGR2YCrCb: (2, 1, 0), c.COLOR_RGB2YCrCb: (0, 1, 2)}
_GRAY_FROM = {c.COLOR_GRAY2BGR, c.COLOR_GRAY2BGRA}
_DEPTHS = (np.uint8, np.uint16, np.float32)
_LARGEST_CODE = 150


def _channels(code):
    """The channel counts that a native code accepts: OpenCV is generous."""
    if code in _GRAY_FROM:
        return (1,)
    return (1, 3, 4) if code in _REORDER else (3, 4)


def _prepare(call):
    src = image_argument(call, "cvtColor")
    code = call["code"] = int(call["code"])
    if not 0 <= code <= _LARGEST_CODE:
        fail("cvtColor", f"Unknown/unsupported color conversion code: code={code}")
    if code in _TO_GRAY or code in _REORDER or code in _TO_YCRCB:
        channels = src.shape[2] if src.ndim == 3 else 1
        if channels not in _channels(code):
            fail("cvtColor", f"Bad number of channels: src has {channels}, code={code} takes {_channels(code)}")


def _supports(call):
    code = call["code"]
    if not (code in _TO_GRAY or code in _REORDER or code in _TO_YCRCB):
        return Reason.OPTION, f"code={code}"
    if int(call["dstCn"]) != 0:
        return Reason.OPTION, f"dstCn={call['dstCn']}"
    if np.dtype(call["src"].dtype) not in _DEPTHS:
        return Reason.DTYPE, f"src is {call['src'].dtype}"
    return unsupported(call)


def _signature(src, code, dst=None, dstCn=0, hint=0):
    """OpenCV's signature, which Python cannot read from its C function."""


def _photo():
    return np.random.default_rng(10).integers(0, 256, (6, 7, 3), dtype=np.uint8)


@implements(
    "cv2.cvtColor",
    static=("code",),
    dtypes="keep",
    signature=inspect.signature(_signature),
    prepare=_prepare,
    supports=_supports,
    finish=into_dst,
    examples=lambda: [
        Example((_photo(), c.COLOR_BGR2GRAY), rtol=0, atol=0),
        Example((_photo(), c.COLOR_BGR2RGB), vmap=("src",), rtol=0, atol=0),
        Example((_photo(), c.COLOR_RGB2YCrCb), rtol=0, atol=0),
        Example(((_photo() / 255.0).astype(np.float32), c.COLOR_RGB2GRAY), rtol=1e-5, atol=1e-6),
    ],
    note="codes other than grey, channel order and RGB to YCrCb; depths other than uint8, uint16, float32",
)
def cvtColor(src, code):
    """Convert between colour spaces; native for grey, channel order (alpha) and RGB / BGR to YCrCb.

    Integers are exact (OpenCV's fixed-point weights). Differentiable for floating point images.

    Raises
    ------
    cv2.error
        Empty images, unknown codes, a number of channels that does not fit the code.

    Examples
    --------
    >>> import numpy as np
    >>> from image import cv2
    >>> cv2.cvtColor(np.array([[[255, 0, 0], [0, 255, 0]]], np.uint8), cv2.COLOR_BGR2GRAY)
    array([[ 29, 150]], dtype=uint8)
    """
    if code in _TO_GRAY:
        return _gray(*_rgb(src, _TO_GRAY[code]))
    if code in _TO_YCRCB:
        return _ycrcb(*_rgb(src, _TO_YCRCB[code]))
    if src.ndim == 2 or src.shape[2] == 1:
        src = jnp.repeat(src.reshape((*src.shape[:2], 1)), 3, axis=-1)
    alpha = np.ones((), src.dtype) if src.dtype.kind == "f" else np.iinfo(src.dtype).max
    opaque = jnp.full(src.shape[:2], alpha, src.dtype)
    own = opaque if src.shape[2] == 3 else src[..., 3]  # an alpha that is there is kept
    return jnp.stack([own if k in (None, 3) else src[..., k] for k in _REORDER[code]], axis=-1)


def _rgb(src, order):
    return tuple(src[..., k] for k in order)


def _gray(r, g, b):
    if r.dtype.kind == "f":
        return 0.299 * r + 0.587 * g + 0.114 * b
    wide = np.uint32  # 16-bit samples use all 32 bits
    total = r.astype(wide) * 9798 + g.astype(wide) * 19235 + b.astype(wide) * 3735
    return ((total + (1 << 14)) >> 15).astype(r.dtype)


def _ycrcb(r, g, b):
    if r.dtype.kind == "f":
        y = 0.299 * r + 0.587 * g + 0.114 * b
        return jnp.stack([y, (r - y) * 0.713 + 0.5, (b - y) * 0.564 + 0.5], axis=-1)
    dtype = r.dtype
    middle = (np.iinfo(dtype).max // 2 + 1) << 14
    r, g, b = (k.astype(np.int32) for k in (r, g, b))
    y = (r * 4899 + g * 9617 + b * 1868 + (1 << 13)) >> 14
    cr = ((r - y) * 11682 + middle + (1 << 13)) >> 14
    cb = ((b - y) * 9241 + middle + (1 << 13)) >> 14
    return saturate(jnp.stack([y, cr, cb], axis=-1), dtype)
