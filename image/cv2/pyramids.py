"""Image pyramids: `pyrDown`, `pyrUp`."""

import inspect

import numpy as np
from jax import lax
from jax import numpy as jnp

from image.cv2._support import border, fail, image_argument, into_dst, pair, planes, unsupported
from sci.bridge import Example, implements
from sci.ndimage._kernels.borders import border_index, take_static

__all__ = ["pyrDown", "pyrUp"]


def _size(call, function, automatic, fits):
    """The result's (rows, columns): `dstsize` where given, and it must be near the automatic one."""
    given = call["dstsize"]
    if given is None:
        return automatic
    width, height = pair(given, function, "dstsize")
    if (width, height) == (0, 0):
        return automatic
    shape = call["src"].shape[:2]
    if width <= 0 or height <= 0 or not all(fits(n, m) for n, m in zip((height, width), shape, strict=True)):
        fail(function, f"dstsize={given!r} does not fit an image of {shape[1]} x {shape[0]} (width x height)")
    return height, width


def _prepare_down(call):
    src = image_argument(call, "pyrDown")
    call["mode"] = border(call, "pyrDown")
    if call["mode"] == "constant":
        fail("pyrDown", "borderType != BORDER_CONSTANT does not hold: borderType=BORDER_CONSTANT")
    if src.ndim > 1:
        automatic = tuple((n + 1) // 2 for n in src.shape[:2])
        call["size"] = _size(call, "pyrDown", automatic, lambda n, m: abs(2 * n - m) <= 2)


def _prepare_up(call):
    src = image_argument(call, "pyrUp")
    if border(call, "pyrUp") != "mirror":
        fail("pyrUp", f"borderType == BORDER_DEFAULT does not hold: borderType={call['borderType']}")
    if src.ndim > 1:
        automatic = tuple(2 * n for n in src.shape[:2])
        call["size"] = _size(call, "pyrUp", automatic, lambda n, m: abs(n - 2 * m) == n % 2)


def _photo():
    return np.random.default_rng(24).integers(0, 256, (7, 8, 3), dtype=np.uint8)


def _scaled(total, dtype, bits):
    """The sum divided by ``2**bits``: integers rounded half up."""
    if total.dtype.kind == "f":
        return total * np.asarray(2.0**-bits, total.dtype)
    return ((total + (1 << (bits - 1))) >> bits).astype(dtype)


def _wide(src):
    return src.astype(np.int32) if src.dtype.kind in "iu" else src


_NOTE = "depths other than uint8, uint16, int16, float32, float64; one-dimensional arrays"


@implements(
    "cv2.pyrDown",
    static=("size", "mode"),
    dtypes="keep",
    signature=inspect.signature(lambda src, dst=None, dstsize=None, borderType=4: None),
    prepare=_prepare_down,
    supports=unsupported,
    finish=into_dst,
    note=_NOTE,
    examples=lambda: [
        Example((_photo(),), vmap=("src",), rtol=0, atol=0),
        Example((_photo() / 255.0, None, (4, 3)), {"borderType": 1}, grad=("src",), skip_odd=("1x1", "nan", "inf")),
    ],
)
def pyrDown(src, size, mode):
    """Blur with the binomial kernel of 5 x 5 and keep every other pixel. Exact for integers, differentiable for floats.

    Parameters
    ----------
    src : array, (h, w) or (h, w, channels)
    dstsize : (int, int), optional
        Width and height, up to two samples from twice the source's; ``(w + 1) // 2``, ``(h + 1) // 2`` by default.
    borderType : int
        All but BORDER_CONSTANT.

    Raises
    ------
    cv2.error
        Empty images, sizes that do not fit, unknown borders.

    References
    ----------
    P. J. Burt, E. H. Adelson, "The Laplacian pyramid as a compact image code", IEEE Trans. Comm. 31(4), 1983.

    Examples
    --------
    >>> import numpy as np
    >>> from image import cv2
    >>> cv2.pyrDown(np.array([[0, 0, 160, 0, 0]], np.uint8))
    array([[20, 60, 20]], dtype=uint8)
    """
    x = _wide(src)
    for axis, count in enumerate(size):
        index = border_index(np.arange(-2, 2 * count + 1), src.shape[axis], mode)
        padded = lax.optimization_barrier(take_static(x, axis, index))
        taps = [lax.slice_in_dim(padded, k, k + 2 * count - 1, 2, axis=axis) for k in range(5)]
        x = lax.optimization_barrier(taps[2] * 6 + (taps[1] + taps[3]) * 4 + taps[0] + taps[4])
    return planes(_scaled(x, src.dtype, 8))


@implements(
    "cv2.pyrUp",
    static=("size",),
    dtypes="keep",
    signature=inspect.signature(lambda src, dst=None, dstsize=None, borderType=4: None),
    prepare=_prepare_up,
    supports=unsupported,
    finish=into_dst,
    note=_NOTE,
    examples=lambda: [
        Example((_photo(),), vmap=("src",), rtol=0, atol=0, skip_odd=("empty",)),
        Example((_photo() / 255.0,), {"dstsize": (17, 13)}, grad=("src",), skip_odd=("empty", "1x1", "nan", "inf")),
    ],
)
def pyrUp(src, size):
    """Double the size: zeros between the samples, then four times the kernel of `pyrDown`.

    Exact for integers, differentiable for floats.

    Parameters
    ----------
    src : array, (h, w) or (h, w, channels)
    dstsize : (int, int), optional
        Width and height: twice the source's, or one more or less.
    borderType : int
        BORDER_DEFAULT only.

    Raises
    ------
    cv2.error
        Empty images, sizes that do not fit, other borders.

    Examples
    --------
    >>> import numpy as np
    >>> from image import cv2
    >>> cv2.pyrUp(np.array([[0, 80]], np.uint8))
    array([[20, 40, 70, 80],
           [20, 40, 70, 80]], dtype=uint8)
    """
    x = _wide(src)
    for axis, count in enumerate(size):
        length = src.shape[axis]
        # mirrored before the first sample, replicated behind the last
        index = np.concatenate([[min(1, length - 1)], np.arange(length), [length - 1]])
        padded = lax.optimization_barrier(take_static(x, axis, index))
        before, at, after = (lax.slice_in_dim(padded, k, k + length, axis=axis) for k in range(3))
        pairs = jnp.stack([at * 6 + before + after, (at + after) * 4], axis=axis + 1)
        x = pairs.reshape((*x.shape[:axis], 2 * length, *x.shape[axis + 1 :]))
        if count > 2 * length:
            again = 2 * length - (2 if axis == 0 else 1)  # OpenCV repeats the last even row, and the last column
            x = jnp.concatenate([x, lax.slice_in_dim(x, again, again + 1, axis=axis)], axis=axis)
        x = lax.optimization_barrier(lax.slice_in_dim(x, 0, count, axis=axis))
    return planes(_scaled(x, src.dtype, 6))
