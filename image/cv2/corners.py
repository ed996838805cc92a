"""Corner measures: `cornerHarris`, `cornerMinEigenVal`, `cornerEigenValsAndVecs`, `preCornerDetect`.

References: C. Harris, M. Stephens, "A combined corner and edge detector", 1988; J. Shi, C. Tomasi, "Good features to
track", CVPR 1994.
"""

import inspect
from typing import Any

import jax
import numpy as np
from jax import numpy as jnp

from image.cv2._support import border, fail, image_argument, into_dst
from image.cv2.constants import FILTER_SCHARR
from image.cv2.derivatives import Scharr, Sobel
from image.cv2.smoothing import boxFilter
from sci.bridge import Example, HostRoute, Reason, implements


def _prepare(function):
    def prepare(call):
        src = image_argument(call, function)
        allowed = (np.uint8, np.float32) if call.numpy else (np.uint8, np.float32, np.float64)
        if np.dtype(src.dtype) not in allowed or (src.ndim == 3 and src.shape[2] != 1):
            fail(function, f"src must be uint8 or float32 with one channel, not {src.dtype} {src.shape}")
        if src.ndim == 1:
            raise HostRoute(Reason.SHAPE, "src has one dimension")
        size, block = int(call["ksize"]), int(call.get("blockSize", 1))
        scharr = size == FILTER_SCHARR and function != "preCornerDetect"
        if not scharr and (size % 2 == 0 or not 1 <= size <= 31):
            fail(function, f"The kernel size must be odd and not larger than 31: ksize={size}")
        if block <= 0:
            fail(function, f"blockSize={block} must be positive")
        border(call, function)
        call["borderType"], call["ksize"], call["blockSize"] = int(call["borderType"]), size, block

    return prepare


def _plane(src):
    """One channel in floating point; uint8 values stay as they are."""
    x = src if src.ndim == 2 else src[..., 0]
    return jnp.asarray(x if x.dtype.kind == "f" else x.astype(np.float32))


def _products(src, blockSize, ksize, borderType):
    """Sums over blocks of ``Ix^2, Ix Iy, Iy^2``, the derivatives scaled to those of a unit range."""
    scale = float(1 << ((ksize if ksize > 0 else 3) - 1)) * blockSize
    if ksize < 0:
        scale *= 2
    if src.dtype == np.uint8:
        scale *= 255
    x = _plane(src)
    if ksize > 0:
        dx, dy = (Sobel(x, -1, *o, ksize=ksize, scale=1 / scale, borderType=borderType) for o in ((1, 0), (0, 1)))
    else:
        dx, dy = (Scharr(x, -1, *o, scale=1 / scale, borderType=borderType) for o in ((1, 0), (0, 1)))

    def over_blocks(product):
        return boxFilter(product, -1, (blockSize, blockSize), normalize=False, borderType=borderType)

    return jax.vmap(over_blocks)(jnp.stack([dx * dx, dx * dy, dy * dy]))  # as one: compiled once


def _signature_harris(src, blockSize, ksize, k, dst=None, borderType=4):
    """OpenCV's signature, which Python cannot read from its C function."""


def _signature_least(src, blockSize, dst=None, ksize=3, borderType=4):
    """OpenCV's signature."""


def _signature_vectors(src, blockSize, ksize, dst=None, borderType=4):
    """OpenCV's signature."""


def _signature_pre(src, ksize, dst=None, borderType=4):
    """OpenCV's signature."""


def _photo():
    return np.random.default_rng(41).integers(0, 256, (9, 10), dtype=np.uint8)


def _single():
    return (_photo() / 255.0).astype(np.float32)


def _facts(function, signature):
    return {
        "static": ("blockSize", "ksize", "borderType"),
        "dtypes": "keep",
        "signature": inspect.signature(signature),
        "prepare": _prepare(function),
        "finish": into_dst,
        "note": "one-dimensional arrays",
    }


_ODD = ("nan", "inf")
_CLOSE: dict[str, Any] = {"rtol": 1e-4, "atol": 1e-6, "skip_odd": _ODD}


@implements(
    "cv2.cornerHarris",
    **_facts("cornerHarris", _signature_harris),
    examples=lambda: [Example((_single(), 2, 3, 0.04), grad=("src",), vmap=("src",), **_CLOSE)],
)
def cornerHarris(src, k, blockSize, ksize, borderType):
    """Harris' measure ``det M - k (tr M)^2`` of the matrix M of gradient products summed over blocks.

    Parameters
    ----------
    src : array (h, w), uint8 or float32 (in the JAX world float64 too)
    blockSize : int
        Side of the block.
    ksize : int
        Of `Sobel`; FILTER_SCHARR for `Scharr`.
    k : float

    Returns
    -------
    float32 array (h, w); differentiable in `src` and `k`

    Raises
    ------
    cv2.error
        Other depths, several channels, even sizes, blocks that are not positive.

    Examples
    --------
    >>> import numpy as np
    >>> from image import cv2
    >>> float(abs(cv2.cornerHarris(np.ones((4, 4), np.float32), 2, 3, 0.04)).max())
    0.0
    """
    a, b, c = _products(src, blockSize, ksize, borderType)
    return a * c - b * b - jnp.asarray(k, a.dtype) * (a + c) ** 2


def _root(square):
    """Square root whose gradient at zero is zero."""
    positive = square > 0
    return jnp.where(positive, jnp.sqrt(jnp.where(positive, square, 1)), 0)


@implements(
    "cv2.cornerMinEigenVal",
    **_facts("cornerMinEigenVal", _signature_least),
    examples=lambda: [Example((_single(), 3), grad=("src",), **_CLOSE)],
)
def cornerMinEigenVal(src, blockSize, ksize, borderType):
    """The smaller eigenvalue of the matrix of gradient products summed over blocks; see `cornerHarris`.

    Examples
    --------
    >>> import numpy as np
    >>> from image import cv2
    >>> float(cv2.cornerMinEigenVal(np.ones((4, 4), np.float32), 2).max())
    0.0
    """
    a, b, c = _products(src, blockSize, ksize, borderType)
    a, c = a / 2, c / 2
    return a + c - _root((a - c) ** 2 + b * b)


@implements(
    "cv2.cornerEigenValsAndVecs",
    **_facts("cornerEigenValsAndVecs", _signature_vectors),
    examples=lambda: [Example((_single(), 3, 3), vmap=("src",), **(_CLOSE | {"atol": 1e-4}))],
)
def cornerEigenValsAndVecs(src, blockSize, ksize, borderType):
    """Both eigenvalues and unit eigenvectors of the matrix of gradient products; see `cornerHarris`.

    Returns
    -------
    float32 array (h, w, 6)
        The larger eigenvalue, the smaller, the vector (x, y) of the larger, that of the smaller.

    Examples
    --------
    >>> import numpy as np
    >>> from image import cv2
    >>> cv2.cornerEigenValsAndVecs(np.ones((4, 4), np.float32), 2, 3).shape
    (4, 4, 6)
    """
    a, b, c = _products(src, blockSize, ksize, borderType)
    mean, spread = (a + c) / 2, _root((a - c) ** 2 / 4 + b * b)
    large, small = mean + spread, mean - spread

    def vector(value):
        x, y = b, value - a
        weak = jnp.abs(x) + jnp.abs(y) < 1e-4  # then the other row of the matrix says more
        x, y = jnp.where(weak, value - c, x), jnp.where(weak, b, y)
        size = jnp.abs(x) + jnp.abs(y)
        factor = jnp.where(weak & (size < 1e-4), 1 / (size + float(np.finfo(np.float32).eps)), 1.0)
        x, y = x * factor, y * factor
        norm = jnp.sqrt(x * x + y * y + float(np.finfo(np.float64).eps))
        return x / norm, y / norm

    return jnp.stack([large, small, *vector(large), *vector(small)], axis=-1).astype(a.dtype)


@implements(
    "cv2.preCornerDetect",
    **(_facts("preCornerDetect", _signature_pre) | {"static": ("ksize", "borderType")}),
    examples=lambda: [Example((_single(), 3), grad=("src",), **_CLOSE)],
)
def preCornerDetect(src, ksize, borderType):
    """``Ix^2 Iyy + Iy^2 Ixx - 2 Ix Iy Ixy``: curvature times the gradient squared.

    Raises
    ------
    cv2.error
        As `cornerHarris`.

    Examples
    --------
    >>> import numpy as np
    >>> from image import cv2
    >>> float(abs(cv2.preCornerDetect(np.ones((4, 4), np.float32), 3)).max())
    0.0
    """
    x = _plane(src)
    dx, dy, dxx, dyy, dxy = (
        Sobel(x, -1, *order, ksize=ksize, borderType=borderType) for order in ((1, 0), (0, 1), (2, 0), (0, 2), (1, 1))
    )
    scale = float(1 << (ksize - 1)) * (255 if src.dtype == np.uint8 else 1)
    return (dx * dx * dyy + dy * dy * dxx - 2 * dx * dy * dxy) * (1 / scale**3)
