"""Polar coordinates of images: `warpPolar`."""

import inspect

import numpy as np
from jax import numpy as jnp

from image.cv2 import constants as c
from image.cv2._resampling import sampled, sampling
from image.cv2._support import fail, image_argument, into_dst, pair, unsupported
from image.cv2.coordinates import fast_angle
from sci.bridge import Example, HostRoute, Reason, implements
from sci.bridge.worlds import is_jax
from sci.ndimage._kernels.borders import pad_axis

__all__ = ["warpPolar"]


def _prepare(call):
    src = image_argument(call, "warpPolar")
    if src.ndim < 2:
        raise HostRoute(Reason.SHAPE, "src has one dimension")
    flags, radius = int(call["flags"]), call["maxRadius"]
    if is_jax(radius):
        raise HostRoute(Reason.OPTION, "a traced maxRadius")
    radius = call["radius"] = float(radius)
    if not radius > 0:
        fail("warpPolar", f"maxRadius > 0 does not hold: maxRadius={radius}")
    center = call["center"]
    try:
        call["centre"] = jnp.asarray(center) if is_jax(center) else np.array([float(k) for k in center], np.float32)
    except (TypeError, ValueError):
        fail("warpPolar", f"center must be two numbers, not {center!r}")
    if call["centre"].shape != (2,):
        fail("warpPolar", f"center must be two numbers, not {center!r}")
    width, height = pair(call["dsize"], "warpPolar", "dsize")
    if width <= 0 and height <= 0:  # the circle's bounding box, unrolled
        width, height = int(np.rint(radius)), int(np.rint(radius * np.pi))
    elif height <= 0:
        height = int(np.rint(width * np.pi))
    if width <= 0 or height <= 0:
        fail("warpPolar", f"dsize must be positive: dsize={call['dsize']!r}")
    call["size"] = (height, width)
    call["inverse"], call["log"] = bool(flags & c.WARP_INVERSE_MAP), bool(flags & c.WARP_POLAR_LOG)
    if call["log"] and call["inverse"] and radius == 1.0:
        fail("warpPolar", "maxRadius=1 has no logarithmic scale")
    if not flags & c.WARP_FILL_OUTLIERS and call["dst"] is not None:
        raise HostRoute(Reason.OPTION, "dst with outliers that are not filled")
    call["borderMode"] = c.BORDER_CONSTANT
    sampling(call, "warpPolar", flags)


def _photo(channels=3):
    return np.random.default_rng(28).integers(0, 256, (12, 13, channels), dtype=np.uint8)


@implements(
    "cv2.warpPolar",
    static=("size", "radius", "inverse", "log", "kind", "mode", "grid"),
    dtypes="keep",
    signature=inspect.signature(lambda src, dsize, center, maxRadius, flags, dst=None: None),
    prepare=_prepare,
    supports=unsupported,
    finish=into_dst,
    note="dst without WARP_FILL_OUTLIERS; depths that are not native; one-dimensional arrays",
    examples=lambda: [
        Example(
            (_photo(), (6, 10), (6.2, 5.7), 5.0, c.WARP_FILL_OUTLIERS + 1),
            vmap=("src",),
            rtol=0,
            atol=1,
            skip_odd=("empty", "0-d", "1x1", "one axis more"),
        ),
    ],
)
def warpPolar(src, centre, value, size, radius, inverse, log, kind, mode, grid):
    """Unroll an image around a point: radius along x, angle along y; or back (WARP_INVERSE_MAP).

    Differentiable in floating point images and in the centre.

    Parameters
    ----------
    src : array, (h, w) or (h, w, channels)
    dsize : (int, int)
        Width (radius) and height (angle); zeros for ``maxRadius`` and ``pi * maxRadius`` (or ``pi * width``).
    center : (float, float)
        x and y. Data.
    maxRadius : float
        In pixels.
    flags : int
        Interpolation, WARP_POLAR_LINEAR or WARP_POLAR_LOG (log-polar), WARP_FILL_OUTLIERS, WARP_INVERSE_MAP.

    Raises
    ------
    cv2.error
        Empty images, a radius that is not positive, unknown interpolation.

    Notes
    -----
    Outliers are zero with and without WARP_FILL_OUTLIERS; OpenCV leaves memory as it finds it without.

    Examples
    --------
    >>> import numpy as np
    >>> from image import cv2
    >>> rings = np.array([[1, 1, 1], [1, 9, 1], [1, 1, 1]], np.uint8)
    >>> cv2.warpPolar(rings, (2, 4), (1, 1), 2.0, cv2.WARP_FILL_OUTLIERS)
    array([[9, 1],
           [9, 1],
           [9, 1],
           [9, 1]], dtype=uint8)
    """
    real = src.dtype if src.dtype.kind == "f" else np.dtype(np.float32)
    height, width = size
    cx, cy = centre.astype(real)
    if not inverse:
        r = np.arange(width)
        rho = np.exp(r * (np.log(radius) / width)) - 1.0 if log else r * (radius / width)
        angle = np.arange(height)[:, None] * (2 * np.pi / height)
        x, y = jnp.asarray(rho * np.cos(angle), real) + cx, jnp.asarray(rho * np.sin(angle), real) + cy
        return sampled(src, x, y, value, kind, mode, grid)
    rows, columns = src.shape[:2]
    dx = jnp.arange(width, dtype=real) - cx
    dy = (jnp.arange(height, dtype=real) - cy)[:, None]
    square = dx * dx + dy * dy
    centred = square == 0
    safe = jnp.where(centred, 1.0, square)  # at the centre itself neither root nor angle has a derivative
    distance = jnp.where(centred, 0.0, jnp.sqrt(safe))
    angle = jnp.deg2rad(fast_angle(jnp.where(centred, 1.0, dx), jnp.where(centred, 0.0, dy)))
    rho = jnp.log1p(distance) * (columns / np.log(radius)) if log else distance * (columns / radius)
    phi = angle * (rows / (2 * np.pi)) + 1.0
    around = pad_axis(src, 0, 1, 1, "wrap")
    return sampled(around, rho.astype(real), phi.astype(real), value, kind, mode, grid)
