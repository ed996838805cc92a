"""What the functions that resample an image share: checks of sizes, matrices and modes, the sampling itself."""

from typing import Any

import numpy as np
from jax import numpy as jnp

from image.cv2 import constants as c
from image.cv2._support import (
    BORDERS,
    array_argument,
    fail,
    into_dst,
    pair,
    planes,
    saturate,
    unsupported,
)
from sci.bridge import HostRoute, Reason
from sci.bridge.worlds import is_jax
from sci.ndimage._kernels.sampling import sample
from sci.ndimage._kernels.stages import staged

KINDS = {
    c.INTER_NEAREST: "nearest",
    c.INTER_LINEAR: "linear",
    c.INTER_AREA: "linear",  # as OpenCV: areas are for `resize`
    c.INTER_CUBIC: "cubic",
    c.INTER_LANCZOS4: "lanczos",
}
_STAGED = 1 << 16  # samples; in a batch every image counts alone
GRID = 32.0  # OpenCV's table of interpolation weights has 32 entries to the pixel
AFFINE = 1024.0  # fractions of a pixel in which it steps through affine maps


def sampling(call, function, flags, border="borderMode"):
    """Set ``kind``, ``mode``, ``value`` and ``grid`` of a call; HostRoute for BORDER_TRANSPARENT."""
    src = call["src"]
    call["kind"] = KINDS.get(int(flags) & c.INTER_MAX)
    if call["kind"] is None:
        fail(function, f"Unknown interpolation method: flags={flags}")
    if call.numpy and call["kind"] == "cubic" and np.dtype(src.dtype) == np.float64:
        raise HostRoute(Reason.DTYPE, "INTER_CUBIC of float64")  # OpenCV's border is a puzzle there
    border_type = int(call[border])
    if border_type == c.BORDER_TRANSPARENT:
        raise HostRoute(Reason.OPTION, "BORDER_TRANSPARENT")
    call["mode"] = BORDERS.get(border_type & ~c.BORDER_ISOLATED)
    if call["mode"] is None:
        fail(function, f"Unknown/unsupported border type: {border}={border_type}, allowed are {sorted(BORDERS)}")
    channels = src.shape[2] if src.ndim == 3 else 1
    value = call.get("borderValue")
    if is_jax(value):
        raise HostRoute(Reason.OPTION, "a traced borderValue")
    entries = np.zeros(4)
    if value is not None:
        given = np.atleast_1d(np.asarray(value, np.float64)).ravel()[:4]
        entries[: given.size] = given
    entries = np.resize(entries, channels) if src.ndim == 3 else entries[0]
    if np.dtype(src.dtype).kind in "iu":
        limits = np.iinfo(src.dtype)
        entries = np.clip(np.rint(entries), limits.min, limits.max)
    call["value"] = entries if call["mode"] == "constant" and np.any(entries) else None
    # some kinds still go through the table of weights; so does every image by Lanczos' window
    old = np.dtype(src.dtype) in (np.int16, np.float64)
    call["grid"] = call.numpy and (call["kind"] == "lanczos" or (old and call["kind"] in ("linear", "nearest")))


def output_size(call, function):
    """``dsize`` (width, height) as (height, width); the source's size where it is zero."""
    width, height = pair(call["dsize"], function, "dsize") if call["dsize"] is not None else (0, 0)
    if width == 0 and height == 0:
        return tuple(call["src"].shape[:2])
    if call.numpy and min(width, height) == 0:
        raise HostRoute(Reason.OPTION, f"dsize={call['dsize']!r}")
    if width <= 0 or height <= 0:
        fail(function, f"dsize must be positive: dsize={call['dsize']!r}")
    return height, width


def matrix_argument(call, function, shape, name="M"):
    """``call[name]`` as a matrix of real floats of `shape`."""
    value = array_argument(call, name)
    if not isinstance(value, np.ndarray) and not is_jax(value):
        fail(function, f"{name} is not a numpy array, but {type(value).__name__}")
    if value.dtype.kind != "f" or value.shape != shape:
        fail(function, f"{name} must be a {shape[0]} x {shape[1]} matrix of floats, not {value.dtype} {value.shape}")
    return value


def inverted_affine(m, xp):
    """Inverse of a 2 x 3 map; of a singular one all zeros but the shift, as in OpenCV."""
    a, b, u, d, e, v = (m[i, j] for i in range(2) for j in range(3))
    det = a * e - b * d
    det = xp.where(det == 0, 0.0, 1.0 / xp.where(det == 0, 1.0, det))
    a, b, d, e = e * det, -b * det, -d * det, a * det
    return xp.stack([xp.stack([a, b, -a * u - b * v]), xp.stack([d, e, -d * u - e * v])])


def sampled(src, x, y, value, kind, mode, grid):
    """`src` at the coordinates; integers rounded half to even."""
    if grid and kind != "nearest":
        x, y = jnp.round(x * GRID) / GRID, jnp.round(y * GRID) / GRID
    if src.dtype.kind in "iu" and kind == "nearest":
        return planes(sample(src, y, x, kind, mode, None if value is None else jnp.asarray(value)))
    image = src.astype(np.float32) if src.dtype.kind in "iu" else src
    x, y = x.astype(image.dtype), y.astype(image.dtype)
    value = None if value is None else jnp.asarray(value, image.dtype)
    # a filter would gather anew for each of its taps, or while it extends the image
    result = staged(lambda image, y, x: sample(image, y, x, kind, mode, value), image, y, x, least=_STAGED)
    return planes(saturate(result, src.dtype))


def photo(channels=3):
    return np.random.default_rng(27).integers(0, 256, (8, 9, channels), dtype=np.uint8)


def smooth():
    y, x = np.mgrid[:8, :9]
    return np.sin(0.4 * x) * np.cos(0.5 * y)


TURN = np.array([[0.9, 0.2, 0.33], [-0.15, 1.1, 0.61]])
SHARED: dict[str, Any] = {"dtypes": "keep", "supports": unsupported, "finish": into_dst}
NOTE = (
    "BORDER_TRANSPARENT; INTER_CUBIC of float64 NumPy images; depths other than uint8, uint16, int16, float32, "
    "float64; one-dimensional arrays"
)
# OpenCV's readings of matrices and maps of odd shapes
# (and its endless search for a sample of nothing beyond a border)
ODD = ("empty", "0-d", "1x1", "one axis more", "nan", "inf")
ODD_SOURCE = ("empty", "0-d", "1x1", "one axis more")


def coordinate_dtype(src, kind, grid):
    """Coordinates in double precision where OpenCV has them (and the precision in force allows), else as the image."""
    if grid or src.dtype == np.float64:
        return np.dtype(jnp.result_type(float))
    return np.dtype(np.float32)
