"""Maps of the plane applied to images: `warpAffine`, `warpPerspective`."""

import inspect

import numpy as np
from jax import numpy as jnp

from image.cv2 import constants as c
from image.cv2._resampling import (
    AFFINE,
    GRID,
    NOTE,
    ODD,
    SHARED,
    TURN,
    coordinate_dtype,
    inverted_affine,
    matrix_argument,
    output_size,
    photo,
    sampled,
    sampling,
    smooth,
)
from image.cv2._support import (
    image_argument,
)
from sci.bridge import Example, HostRoute, Reason, implements
from sci.bridge.worlds import is_jax

__all__ = ["warpAffine", "warpPerspective"]


def _prepare_affine(call):
    src = image_argument(call, "warpAffine")
    if src.ndim < 2:
        raise HostRoute(Reason.SHAPE, "src has one dimension")
    m = matrix_argument(call, "warpAffine", (2, 3))
    call["size"] = output_size(call, "warpAffine")
    sampling(call, "warpAffine", call["flags"])
    xp = jnp if is_jax(m) else np
    m = m if is_jax(m) else m.astype(np.float64)
    call["matrix"] = m if int(call["flags"]) & c.WARP_INVERSE_MAP else inverted_affine(m, xp)


@implements(
    "cv2.warpAffine",
    static=("size", "kind", "mode", "grid"),
    signature=inspect.signature(
        lambda src, M, dsize, dst=None, flags=1, borderMode=0, borderValue=(0, 0, 0, 0), hint=0: None
    ),
    prepare=_prepare_affine,
    note=NOTE,
    examples=lambda: [
        Example((photo(), TURN, (7, 6)), vmap=("src",), rtol=0, atol=1, skip_odd=ODD),
        Example(
            (smooth().astype(np.float32), TURN, (9, 8)),
            {"flags": c.INTER_CUBIC, "borderMode": c.BORDER_REFLECT_101},
            grad=("src", "M"),
            rtol=1e-5,
            atol=1e-5,
            skip_odd=ODD,
        ),
    ],
    **SHARED,
)
def warpAffine(src, matrix, value, size, kind, mode, grid):
    """Apply an affine map to an image. Differentiable in floating point images and in the map.

    Parameters
    ----------
    src : array, (h, w) or (h, w, channels)
    M : float array, (2, 3)
        From source to result, in (x, y); with WARP_INVERSE_MAP in `flags` from result to source. Data.
    dsize : (int, int)
        Width and height of the result.
    flags : int
        INTER_NEAREST, INTER_LINEAR, INTER_CUBIC or INTER_LANCZOS4, plus WARP_INVERSE_MAP.
    borderMode, borderValue
        What lies outside of `src`.

    Raises
    ------
    cv2.error
        Empty images, a map that is not 2 x 3, sizes that are not positive, unknown interpolation and borders.

    Notes
    -----
    Coordinates are continuous and in single precision, as in OpenCV 5: results of float32 images agree to about 1e-5
    of the largest gradient, and INTER_NEAREST may fall either way half between pixels. For INTER_LANCZOS4, and linearly
    for int16 and float64, NumPy images are interpolated on OpenCV's grid of 1/32 pixel; JAX images never are.

    Examples
    --------
    >>> import numpy as np
    >>> from image import cv2
    >>> cv2.warpAffine(np.array([[1, 2, 3]], np.uint8), np.array([[1.0, 0, 1], [0, 1, 0]]), (3, 1))
    array([[0, 1, 2]], dtype=uint8)
    """
    real = coordinate_dtype(src, kind, grid)
    m = matrix.astype(real)
    x, y = jnp.arange(size[1], dtype=real), jnp.arange(size[0], dtype=real)[:, None]
    if real == np.float64 and grid:  # OpenCV's steps of 2^-10 pixel
        half = AFFINE / 2 if kind == "nearest" else AFFINE / 64
        unit = 1.0 if kind == "nearest" else GRID
        positions = []
        for row in m:
            fixed = jnp.round((row[1] * y + row[2]) * AFFINE) + half + jnp.round(row[0] * x * AFFINE)
            positions.append(jnp.floor(fixed * (unit / AFFINE)) / unit)
        return sampled(src, *positions, value, kind, mode, False)
    positions = [row[0] * x + row[1] * y + row[2] for row in m]
    return sampled(src, *positions, value, kind, mode, grid)


def _prepare_perspective(call):
    src = image_argument(call, "warpPerspective")
    if src.ndim < 2:
        raise HostRoute(Reason.SHAPE, "src has one dimension")
    m = matrix_argument(call, "warpPerspective", (3, 3))
    call["size"] = output_size(call, "warpPerspective")
    sampling(call, "warpPerspective", call["flags"])
    if int(call["flags"]) & c.WARP_INVERSE_MAP:
        call["matrix"] = m
    elif is_jax(m):
        call["matrix"] = jnp.linalg.inv(m)
    else:
        m = m.astype(np.float64)
        call["matrix"] = np.linalg.inv(m) if np.linalg.det(m) != 0 else np.zeros((3, 3))


@implements(
    "cv2.warpPerspective",
    static=("size", "kind", "mode", "grid"),
    signature=inspect.signature(
        lambda src, M, dsize, dst=None, flags=1, borderMode=0, borderValue=(0, 0, 0, 0), hint=0: None
    ),
    prepare=_prepare_perspective,
    note=NOTE,
    examples=lambda: [
        Example((photo(), np.vstack([TURN, [0.01, -0.02, 1.0]]), (7, 6)), vmap=("src",), rtol=0, atol=1, skip_odd=ODD),
        Example(
            (smooth().astype(np.float32), np.vstack([TURN, [0.01, -0.02, 1.0]]), (9, 8)),
            {"borderMode": c.BORDER_REPLICATE},
            grad=("src", "M"),
            rtol=1e-5,
            atol=1e-5,
            skip_odd=ODD,
        ),
    ],
    **SHARED,
)
def warpPerspective(src, matrix, value, size, kind, mode, grid):
    """Apply a projective map to an image. Differentiable in floating point images and in the map.

    Parameters
    ----------
    src : array, (h, w) or (h, w, channels)
    M : float array, (3, 3)
        From source to result, in (x, y, 1); with WARP_INVERSE_MAP in `flags` from result to source. Data.
    dsize, flags, borderMode, borderValue
        As for `warpAffine`.

    Raises
    ------
    cv2.error
        Empty images, a map that is not 3 x 3, sizes that are not positive, unknown interpolation and borders.

    Examples
    --------
    >>> import numpy as np
    >>> from image import cv2
    >>> cv2.warpPerspective(np.array([[1, 2, 3]], np.uint8), np.diag([2.0, 1.0, 1.0]), (5, 1))
    array([[1, 2, 2, 2, 3]], dtype=uint8)
    """
    real = coordinate_dtype(src, kind, grid)
    m = matrix.astype(real)
    x, y = jnp.arange(size[1], dtype=real), jnp.arange(size[0], dtype=real)[:, None]
    px, py, w = (row[0] * x + row[1] * y + row[2] for row in m)
    w = jnp.where(w == 0, 0.0, 1.0 / jnp.where(w == 0, 1.0, w))
    return sampled(src, px * w, py * w, value, kind, mode, grid)
