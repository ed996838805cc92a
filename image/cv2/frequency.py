"""Discrete Fourier and cosine transforms: `dft`, `idft`, `dct`, `idct`."""

import inspect

import jax
import numpy as np
from jax import numpy as jnp

from image.cv2 import constants as c
from image.cv2._support import fail, image_argument, into_dst
from sci.bridge import Example, HostRoute, Reason, implements

_REAL = (np.float32, np.float64)


def array_of_floats(call, function, name="src", channels=(1, 2)):
    """A float array (h, w) or (h, w, channels); 1-D and empty ones are OpenCV's own."""
    x = image_argument(call, function, name, empty=True)
    depth = x.shape[2] if x.ndim == 3 else 1
    if np.dtype(x.dtype) not in _REAL or depth not in channels:
        fail(function, f"{name} must be float32 or float64 with {' or '.join(map(str, channels))} channels, not "
             f"{x.dtype} {x.shape}")  # fmt: skip
    if x.ndim == 1:
        raise HostRoute(Reason.SHAPE, f"{name} has one dimension")
    return x, depth


def _prepare_dft(function):
    def prepare(call):
        _, depth = array_of_floats(call, function)
        flags = int(call["flags"])
        if flags & c.DFT_COMPLEX_INPUT and depth != 2:
            fail(function, f"flags={flags}: DFT_COMPLEX_INPUT needs two channels, src has one")
        known = c.DFT_INVERSE | c.DFT_SCALE | c.DFT_ROWS | c.DFT_COMPLEX_OUTPUT | c.DFT_REAL_OUTPUT
        if flags & ~(known | c.DFT_COMPLEX_INPUT) or int(call["nonzeroRows"]) > 0:
            raise HostRoute(Reason.OPTION, f"flags={flags}, nonzeroRows={call['nonzeroRows']}")
        inverse = bool(flags & c.DFT_INVERSE) or function == "idft"
        to_complex, to_real = bool(flags & c.DFT_COMPLEX_OUTPUT), bool(flags & c.DFT_REAL_OUTPUT)
        if (depth == 1 and ((inverse and to_complex) or to_real)) or (depth == 2 and to_real and not inverse):
            raise HostRoute(Reason.OPTION, f"flags={flags} of {depth} channels")
        kind = {(1, False): "pack", (1, True): "unpack"}.get((depth, inverse), "complex")
        if depth == 1 and to_complex:
            kind = "full"
        if depth == 2 and to_real:
            kind = "real"
        call["plan"] = (kind, inverse, bool(flags & c.DFT_ROWS), bool(flags & c.DFT_SCALE))

    return prepare


def _pack(half, n):
    """Half the spectrum of `n` real samples, along axis 0, as ``re0, re1, im1, re2, im2, ...``."""
    pairs = jnp.stack([half.real[1:], half.imag[1:]], axis=1).reshape(-1, *half.shape[1:])
    return jnp.concatenate([half.real[:1], pairs])[:n]


def _unpack(packed):
    """The half spectrum along axis 0 of what `_pack` gives."""
    n = packed.shape[0]
    rest = packed[1:]
    if n % 2 == 0:
        rest = jnp.concatenate([rest, jnp.zeros_like(rest[:1])])
    rest = rest.reshape(-1, 2, *packed.shape[1:])
    return jnp.concatenate([packed[:1] + 0j, rest[:, 0] + 1j * rest[:, 1]])


def _full_column(packed):
    """The whole spectrum of a packed real column."""
    half = _unpack(packed)
    n = packed.shape[0]
    return jnp.concatenate([half, jnp.conj(half[1 : (n + 1) // 2][::-1])])


def _pack_image(x, rows):
    """OpenCV's packed spectrum of a real image; each row by itself with `rows`."""
    width = x.shape[1]
    if rows:
        return _pack(jnp.fft.rfft(x, axis=1).T, width).T
    spectrum = jnp.fft.rfft2(x)
    # the first column and, of an even number, the last belong to real columns and are packed downwards
    table = _pack(spectrum.T, width).T
    height = x.shape[0]
    table = table.at[:, 0].set(_pack(spectrum[: height // 2 + 1, 0], height))
    if width % 2 == 0:
        table = table.at[:, -1].set(_pack(spectrum[: height // 2 + 1, -1], height))
    return table


def _unpack_image(packed, rows):
    """The real image of a packed spectrum, its inverse transform scaled."""
    width = packed.shape[1]
    half = _unpack(packed.T).T
    if rows:
        return jnp.fft.irfft(half, n=width, axis=1)
    half = half.at[:, 0].set(_full_column(packed[:, 0]))
    if width % 2 == 0:
        half = half.at[:, -1].set(_full_column(packed[:, -1]))
    return jnp.fft.irfft2(half, s=packed.shape)


def _transform(src, plan):
    kind, inverse, rows, scale = plan
    height, width = src.shape[:2]
    axes = (1,) if rows else (0, 1)
    size = width if rows else height * width
    if kind in ("complex", "real"):
        x = jax.lax.complex(src[..., 0], src[..., 1])
        if kind == "real":
            half = x[:, : width // 2 + 1]
            out = jnp.fft.irfft(half, n=width, axis=1) if rows else jnp.fft.irfft2(half, s=(height, width))
        else:
            out = (jnp.fft.ifftn if inverse else jnp.fft.fftn)(x, axes=axes)
            out = jnp.stack([out.real, out.imag], axis=-1)
    else:
        x = src if src.ndim == 2 else src[..., 0]
        if kind == "full":
            out = jnp.fft.fftn(x, axes=axes)
            out = jnp.stack([out.real, out.imag], axis=-1)
        else:
            out = (_unpack_image if inverse else _pack_image)(x, rows)
    # NumPy scales the inverse, OpenCV either where told to
    if inverse and not scale:
        out = out * size
    if scale and not inverse:
        out = out / size
    return out.astype(src.dtype)


def _signature_dft(src, dst=None, flags=0, nonzeroRows=0):
    """OpenCV's signature, which Python cannot read from its C function."""


def _signature_dct(src, dst=None, flags=0):
    """OpenCV's signature."""


def _noise(*shape):
    return np.random.default_rng(40).normal(size=shape)


def _facts_dft(function):
    return {
        "static": ("plan",),
        "dtypes": "keep",
        "signature": inspect.signature(_signature_dft),
        "prepare": _prepare_dft(function),
        "finish": into_dst,
        "note": "nonzeroRows, combinations of flags without a definition, one-dimensional arrays",
    }


_ODD = ("nan", "inf", "empty")  # where a NaN spreads to depends on the transform's order


@implements(
    "cv2.dft",
    **_facts_dft("dft"),
    examples=lambda: [
        Example((_noise(4, 6),), grad=("src",), vmap=("src",), skip_odd=_ODD),
        Example((_noise(3, 5, 2),), {"flags": c.DFT_INVERSE | c.DFT_SCALE}, skip_odd=_ODD),
    ],
)
def dft(src, plan):
    """Discrete Fourier transform of one or two dimensions.

    Parameters
    ----------
    src : float array (h, w), or (h, w, 2) for complex values
    flags : int
        DFT_INVERSE, DFT_SCALE, DFT_ROWS, DFT_COMPLEX_OUTPUT (the whole spectrum of a real image), DFT_REAL_OUTPUT
        (with DFT_INVERSE, of a complex spectrum with conjugate symmetry).

    Returns
    -------
    array (h, w) or (h, w, 2)
        The spectrum of a real image is packed in OpenCV's (CCS) order into an array of its size. Differentiable.

    Raises
    ------
    cv2.error
        Other depths or numbers of channels.

    Examples
    --------
    >>> import numpy as np
    >>> from image import cv2
    >>> cv2.dft(np.array([[1.0, 2.0, 3.0, 2.0]]))
    array([[ 8., -2.,  0.,  0.]])
    """
    return _transform(src, plan)


@implements(
    "cv2.idft",
    **_facts_dft("idft"),
    examples=lambda: [Example((_noise(4, 5),), {"flags": c.DFT_SCALE}, grad=("src",), skip_odd=_ODD)],
)
def idft(src, plan):
    """Inverse of `dft`, not scaled unless DFT_SCALE is given.

    Examples
    --------
    >>> import numpy as np
    >>> from image import cv2
    >>> cv2.idft(np.array([[8.0, -2.0, 0.0, 0.0]]), flags=cv2.DFT_SCALE)
    array([[1., 2., 3., 2.]])
    """
    return _transform(src, plan)


def _cosines(n):
    """The orthonormal DCT-II as a matrix."""
    k, i = np.arange(n)[:, None], np.arange(n)
    return np.cos(np.pi * (2 * i + 1) * k / (2 * n)) * np.where(k == 0, np.sqrt(1 / n), np.sqrt(2 / n))


_DIRECT = 64  # lengths up to which the matrix is multiplied


def _dct_axis(x, axis, inverse):
    n = x.shape[axis]
    if n == 1:
        return x
    if n <= _DIRECT:
        matrix = jnp.asarray(_cosines(n), x.dtype)
        return jnp.moveaxis(jnp.tensordot(matrix.T if inverse else matrix, x, (1, axis)), 0, axis)
    transform = jax.scipy.fft.idct if inverse else jax.scipy.fft.dct
    return transform(x, axis=axis, norm="ortho")


def _prepare_dct(function):
    def prepare(call):
        x, _ = array_of_floats(call, function, channels=(1,))
        flags = int(call["flags"])
        sizes = x.shape[1:2] if flags & c.DCT_ROWS else x.shape[:2]
        if call.numpy and x.dtype == np.float64 and any(n > 1 and n % 2 for n in sizes):
            fail(function, f"Odd-size DCT's of float64 are not implemented: src has shape {x.shape}")
        if flags & ~(c.DCT_INVERSE | c.DCT_ROWS):
            raise HostRoute(Reason.OPTION, f"flags={flags}")
        call["plan"] = (bool(flags & c.DCT_INVERSE) or function == "idct", bool(flags & c.DCT_ROWS))

    return prepare


def _dct(src, plan):
    inverse, rows = plan
    x = src if src.ndim == 2 else src[..., 0]
    x = _dct_axis(x, 1, inverse)
    return x if rows else _dct_axis(x, 0, inverse)


def _facts_dct(function):
    return {
        "static": ("plan",),
        "dtypes": "keep",
        "signature": inspect.signature(_signature_dct),
        "prepare": _prepare_dct(function),
        "finish": into_dst,
        "note": "unknown flags, one-dimensional arrays",
    }


@implements(
    "cv2.dct",
    **_facts_dct("dct"),
    examples=lambda: [Example((_noise(4, 6),), grad=("src",), vmap=("src",), skip_odd=_ODD)],
)
def dct(src, plan):
    """Orthonormal discrete cosine transform (type II) of rows and columns, or of rows with DCT_ROWS.

    Raises
    ------
    cv2.error
        Other depths than float32 and float64, several channels.

    Examples
    --------
    >>> import numpy as np
    >>> from image import cv2
    >>> abs(cv2.dct(np.ones((2, 2))).round(9))
    array([[2., 0.],
           [0., 0.]])
    """
    return _dct(src, plan)


@implements(
    "cv2.idct",
    **_facts_dct("idct"),
    examples=lambda: [Example((_noise(4, 6),), grad=("src",), skip_odd=_ODD)],
)
def idct(src, plan):
    """Inverse of `dct`.

    Examples
    --------
    >>> import numpy as np
    >>> from image import cv2
    >>> cv2.idct(np.array([[2.0, 0.0], [0.0, 0.0]])).round(9)
    array([[1., 1.],
           [1., 1.]])
    """
    return _dct(src, plan)
