"""`cvtColor`, `demosaicing`: the table of codes; the colour spaces themselves are in colour_spaces.py."""

import inspect

import numpy as np
from jax import numpy as jnp

from image.cv2 import colour_spaces as spaces
from image.cv2 import constants as c
from image.cv2._support import fail, image_argument, into_dst, unsupported
from sci.bridge import Example, HostRoute, Reason, implements
from sci.ndimage._kernels.stages import staged

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
_BGR, _RGB = (2, 1, 0), (0, 1, 2)


def _table():
    """code -> (function of three planes, options, channels of RGB in the source or None, in the result or None)."""
    table = {}

    def both(name, space, forward, back, *options):
        for order, letters in ((_BGR, "BGR"), (_RGB, "RGB")):
            table[getattr(c, f"COLOR_{letters}2{name}")] = (forward, options, order, None)
            code = f"COLOR_{space}2{letters}" + ("_FULL" if name.endswith("_FULL") else "")
            table[getattr(c, code)] = (back, options, None, order)

    both("HSV", "HSV", spaces.rgb_to_hsv, spaces.hsv_to_rgb, False)
    both("HSV_FULL", "HSV", spaces.rgb_to_hsv, spaces.hsv_to_rgb, True)
    both("HLS", "HLS", spaces.rgb_to_hls, spaces.hls_to_rgb, False)
    both("HLS_FULL", "HLS", spaces.rgb_to_hls, spaces.hls_to_rgb, True)
    both("XYZ", "XYZ", spaces.rgb_to_xyz, spaces.xyz_to_rgb)
    both("YCrCb", "YCrCb", spaces.rgb_to_difference, spaces.difference_to_rgb, "ycrcb")
    both("YUV", "YUV", spaces.rgb_to_difference, spaces.difference_to_rgb, "yuv")
    for name, forward, back in (
        ("Lab", spaces.rgb_to_lab, spaces.lab_to_rgb),
        ("Luv", spaces.rgb_to_luv, spaces.luv_to_rgb),
    ):
        both(name, name, forward, back, True)
        for order, letters in ((_BGR, "LBGR"), (_RGB, "LRGB")):
            table[getattr(c, f"COLOR_{letters}2{name}")] = (forward, (False,), order, None)
            table[getattr(c, f"COLOR_{name}2{letters}")] = (back, (False,), None, order)
    return table


_SPACES = _table()
# code -> where red stands in a cell of 2 x 2 of the mosaic, channels of RGB in the result
_BAYER = {
    c.COLOR_BAYER_BG2BGR: ((0, 0), _BGR),
    c.COLOR_BAYER_GB2BGR: ((0, 1), _BGR),
    c.COLOR_BAYER_RG2BGR: ((1, 1), _BGR),
    c.COLOR_BAYER_GR2BGR: ((1, 0), _BGR),
}
_GRAY_FROM = {c.COLOR_GRAY2BGR, c.COLOR_GRAY2BGRA}
_SIXTEEN_BITS = (spaces.rgb_to_xyz, spaces.xyz_to_rgb, spaces.rgb_to_difference, spaces.difference_to_rgb)
_COARSE = (c.COLOR_BGR2Lab, c.COLOR_RGB2Lab)
_LARGEST_CODE = 150


def _native(code):
    return code in _TO_GRAY or code in _REORDER or code in _SPACES or code in _BAYER


def _channels(code):
    """The channel counts that a native code accepts: OpenCV is generous."""
    if code in _GRAY_FROM or code in _BAYER:
        return (1,)
    if code in _SPACES and _SPACES[code][2] is None:
        return (3,)
    return (1, 3, 4) if code in _REORDER else (3, 4)


def _prepare(call):
    src = image_argument(call, "cvtColor")
    code = call["code"] = int(call["code"])
    if not 0 <= code <= _LARGEST_CODE:
        fail("cvtColor", f"Unknown/unsupported color conversion code: code={code}")
    if _native(code):
        channels = src.shape[2] if src.ndim == 3 else 1
        if channels not in _channels(code):
            fail("cvtColor", f"Bad number of channels: src has {channels}, code={code} takes {_channels(code)}")
        if code in _BAYER and src.ndim > 1 and min(src.shape[:2]) < 3:
            raise HostRoute(Reason.SHAPE, f"a mosaic of shape {src.shape}")


def _supports(call):
    code, dtype = call["code"], np.dtype(call["src"].dtype)
    if not _native(code):
        return Reason.OPTION, f"code={code}"
    if int(call["dstCn"]) not in (0, 3) or (int(call["dstCn"]) == 3 and code not in (*_SPACES, *_BAYER)):
        return Reason.OPTION, f"dstCn={call['dstCn']}"
    allowed = [np.uint8, np.float32]
    if code in _BAYER:
        allowed = [np.uint8, np.uint16]
    elif code not in _SPACES or _SPACES[code][0] in _SIXTEEN_BITS:
        allowed.append(np.uint16)
    if not call.numpy and code not in _BAYER:
        allowed.append(np.float64)
    if dtype not in allowed:
        return Reason.DTYPE, f"src is {dtype}"
    if call.numpy and dtype == np.float32 and code in _COARSE:
        return Reason.OPTION, f"code={code} of float32: OpenCV interpolates a table of 33 entries a side"
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
        Example((_photo(), c.COLOR_BGR2HSV), vmap=("src",), rtol=0, atol=0),
        Example(((_photo() / 255.0).astype(np.float32), c.COLOR_RGB2GRAY), grad=("src",), rtol=1e-5, atol=1e-6),
    ],
    note=(
        "sRGB to L*a*b* of float32 NumPy images (OpenCV is coarse there); packed RGB (555, 565), subsampled YUV, "
        "Bayer mosaics to grey, edge-aware and VNG; dstCn=4; other depths"
    ),
)
def cvtColor(src, code):
    """Convert between colour spaces. Differentiable for floating point images.

    Native for grey, channel order and alpha, HSV, HLS (and their _FULL ranges), XYZ, L*a*b*, L*u*v* (from and to sRGB
    or linear RGB), YCrCb, YUV, and bilinear interpolation of Bayer mosaics.

    Parameters
    ----------
    src : array, (h, w) or (h, w, channels)
        uint8 or float32; uint16 too for grey, order, YCrCb, YUV and mosaics. In the JAX world also float64.
    code : int
        COLOR_BGR2GRAY, ...

    Raises
    ------
    cv2.error
        Empty images, unknown codes, a number of channels that does not fit the code.

    Notes
    -----
    Integers are exact where OpenCV calculates in fixed point (grey, HSV, XYZ, YCrCb, YUV, mosaics), else within one
    level on 99.9 per cent of samples (colours that no light has apart). L*a*b* and L*u*v* of floats are calculated,
    where OpenCV interpolates tables: they differ by up to 0.03 per cent of the range, and for sRGB to L*a*b* in the
    JAX world by 0.4.

    Examples
    --------
    >>> import numpy as np
    >>> from image import cv2
    >>> cv2.cvtColor(np.array([[[255, 0, 0], [0, 255, 0]]], np.uint8), cv2.COLOR_BGR2GRAY)
    array([[ 29, 150]], dtype=uint8)
    """
    if code in _TO_GRAY:
        return _gray(*_rgb(src, _TO_GRAY[code]))
    if code in _BAYER:
        return _mosaic(src, code)
    if code in _SPACES:
        function, options, source, result = _SPACES[code]

        def planes(image):
            return tuple(_ordered(function(*_rgb(image, source or _RGB), *options), result or _RGB))

        if src.dtype.kind == "f":
            return jnp.stack(planes(src), axis=-1)
        # XLA vectorises over a plane, not over the samples of a pixel, for each of which it would compute all that
        # they share: planes are stored and brought together as bytes (HSV twice as fast, L*u*v* three times)
        together = staged(lambda *three: jnp.stack(three), *staged(planes, src))
        return jnp.moveaxis(together, 0, -1)
    if src.ndim == 2 or src.shape[2] == 1:
        src = jnp.repeat(src.reshape((*src.shape[:2], 1)), 3, axis=-1)
    alpha = np.ones((), src.dtype) if src.dtype.kind == "f" else np.iinfo(src.dtype).max
    opaque = jnp.full(src.shape[:2], alpha, src.dtype)
    own = opaque if src.shape[2] == 3 else src[..., 3]  # an alpha that is there is kept
    return jnp.stack([own if k in (None, 3) else src[..., k] for k in _REORDER[code]], axis=-1)


def _ordered(planes, order):
    return [planes[k] for k in order]


def _prepare_mosaic(call):
    src = image_argument(call, "demosaicing")
    code = call["code"] = int(call["code"])
    if code not in _BAYER:
        raise HostRoute(Reason.OPTION, f"code={code}")
    if src.ndim == 3 and src.shape[2] != 1:
        fail("demosaicing", f"scn == 1 does not hold: src has {src.shape[2]} channels")
    if np.dtype(src.dtype) not in (np.uint8, np.uint16):
        fail("demosaicing", f"src must be uint8 or uint16, not {src.dtype}")
    if src.ndim == 1 or min(src.shape[:2]) < 3 or int(call["dstCn"]) not in (0, 3):
        raise HostRoute(Reason.SHAPE, f"a mosaic of shape {src.shape}, or dstCn={call['dstCn']}")


@implements(
    "cv2.demosaicing",
    static=("code",),
    dtypes="keep",
    signature=inspect.signature(lambda src, code, dst=None, dstCn=0: None),
    prepare=_prepare_mosaic,
    finish=into_dst,
    grad=False,
    note="to grey, edge-aware, VNG, with alpha; images of fewer than three rows or columns",
    examples=lambda: [
        Example((_photo()[..., 0].copy(), c.COLOR_BAYER_GB2BGR), vmap=("src",), rtol=0, atol=0, skip_odd=("1x1",))
    ],
)
def demosaicing(src, code):
    """A colour image from a Bayer mosaic by bilinear interpolation, as `cvtColor` with the same codes. Exact.

    Parameters
    ----------
    src : uint8 or uint16 array, (h, w)
    code : int
        COLOR_BAYER_BG2BGR, ... COLOR_BAYER_GR2BGR and their RGB names.

    Raises
    ------
    cv2.error
        Empty images, several channels, other depths.

    Examples
    --------
    >>> import numpy as np
    >>> from image import cv2
    >>> cv2.demosaicing(np.full((4, 4), 7, np.uint8), cv2.COLOR_BAYER_BG2BGR)[0, 0]
    array([7, 7, 7], dtype=uint8)
    """
    return _mosaic(src, code)


def _mosaic(src, code):
    (row, column), order = _BAYER[code]
    return jnp.stack(_ordered(spaces.demosaiced(src.reshape(src.shape[:2]), row, column), order), axis=-1)


def _rgb(src, order):
    return tuple(src[..., k] for k in order)


def _gray(r, g, b):
    if r.dtype.kind == "f":
        return 0.299 * r + 0.587 * g + 0.114 * b
    wide = np.uint32  # 16-bit samples use all 32 bits
    total = r.astype(wide) * 9798 + g.astype(wide) * 19235 + b.astype(wide) * 3735
    return ((total + (1 << 14)) >> 15).astype(r.dtype)
