"""Points that can be tracked: `goodFeaturesToTrack`.

Reference: J. Shi, C. Tomasi, "Good features to track", CVPR 1994.
"""

import inspect
from typing import Any

import numpy as np
from jax import lax
from jax import numpy as jnp

from image.cv2._support import fail, image_argument
from image.cv2.corners import cornerHarris, cornerMinEigenVal
from sci.bridge import Example, HostRoute, Reason, implements
from sci.bridge.worlds import is_jax
from sci.ndimage._kernels.packing import flag_positions

__all__ = ["goodFeaturesToTrack"]

_FIRST_CAPACITY = 4096
_SLOTS = 4  # points of a cell that lie as far apart as the cell is wide


def plane_argument(call, function, name="image", empty=False):
    """An image of one channel, uint8 or float32 (in the JAX world float64 too)."""
    value = image_argument(call, function, name, empty)
    allowed = (np.uint8, np.float32) if call.numpy else (np.uint8, np.float32, np.float64)
    if np.dtype(value.dtype) not in allowed or (value.ndim == 3 and value.shape[2] != 1):
        fail(function, f"{name} must be uint8 or float32 with one channel, not {value.dtype} {value.shape}")
    if value.ndim == 1:
        raise HostRoute(Reason.SHAPE, f"{name} has one dimension")
    call[name] = value.reshape(value.shape[:2])
    return call[name]


def _whole(call, name, function):
    value = call[name]
    if isinstance(value, (bool, float, np.floating)) or is_jax(value):
        fail(function, f"{name} must be an integer, not {value!r}")
    return int(value)


def _prepare_good(call):
    function = "goodFeaturesToTrack"
    image = plane_argument(call, function, empty=True)
    limit, block = _whole(call, "maxCorners", function), _whole(call, "blockSize", function)
    aperture = _whole(call, "gradientSize", function)
    if is_jax(call["minDistance"]):
        fail(function, "minDistance is a JAX value: the cells of the search must be known, give a number")
    distance = float(call["minDistance"])
    if not limit >= 0 or not distance >= 0 or (not is_jax(call["qualityLevel"]) and not call["qualityLevel"] > 0):
        fail(
            function,
            "qualityLevel > 0 && minDistance >= 0 && maxCorners >= 0 does not hold: "
            f"qualityLevel={call['qualityLevel']}, minDistance={distance}, maxCorners={limit}",
        )
    if block <= 0:
        fail(function, f"blockSize={block} must be positive")
    if aperture != -1 and (aperture % 2 == 0 or not 1 <= aperture <= 31):
        fail(function, f"gradientSize={aperture} must be odd and not larger than 31, or FILTER_SCHARR")
    mask = call["mask"]
    if mask is not None:
        mask = image_argument(call, function, "mask")
        if np.dtype(mask.dtype) not in (np.uint8, np.bool_) or mask.shape[:2] != image.shape or mask.size != image.size:
            fail(function, f"mask must be uint8 or bool of shape {image.shape}, not {mask.dtype} {mask.shape}")
        call["mask"] = mask.reshape(image.shape)
    call["blockSize"], call["aperture"], call["harris"] = block, aperture, bool(call["useHarrisDetector"])
    call["limit"], call["cell"], call["nearest"] = limit, int(np.rint(distance)) if distance >= 1 else 0, distance**2
    size = call["size"]
    if size is not None and (isinstance(size, bool) or int(size) <= 0):
        raise ValueError(f"size must be a positive integer, not {size!r}")
    start = min(_FIRST_CAPACITY, image.size) if call.numpy else image.size // 4 + 1
    call["capacity"] = start if size is None or call.numpy else int(size)


def _drive_good(call, run):
    points, count, candidates = run()
    if candidates > call["capacity"]:
        points, count, _ = run(capacity=1 << int(candidates - 1).bit_length())
    if not count:
        return None
    return np.ascontiguousarray(points[: int(count), None])


def _finish_good(call, result):
    points, count, candidates = result
    return points[:, None], jnp.where(candidates > call["capacity"], -1, count)


def _apart(places, total, room, limit, cell, nearest, shape, dtype):
    """The points (flat indices, best first) that stay, none nearer to a better one than sqrt(`nearest`); their number.

    The points kept stand in a table of cells as wide as the distance, so that nine cells are looked at.
    """
    height, width = shape
    far = np.int32(-(2**20))  # off any image
    grid = jnp.full((-(-height // cell) + 2, -(-width // cell) + 2, 2, _SLOTS), far, np.int32)
    y, x = places // width, places % width

    def going(state):
        k, kept, *_ = state
        return (k < total) & ((limit == 0) | (kept < limit))

    def step(state):
        k, kept, grid, chosen = state
        point = jnp.stack([x[k], y[k]])
        place = (point[1] // cell, point[0] // cell)
        around = lax.dynamic_slice(grid, (*place, jnp.int32(0), jnp.int32(0)), (3, 3, 2, _SLOTS))
        apart = (around - point[:, None]).astype(dtype)
        keep = jnp.all((apart * apart).sum(axis=2) >= nearest.astype(dtype))
        entered = jnp.concatenate([point[:, None], around[1, 1, :, :-1]], axis=1)
        entered = jnp.where(keep, entered, around[1, 1])[None, None]
        start = (place[0] + 1, place[1] + 1, jnp.int32(0), jnp.int32(0))
        chosen = chosen.at[kept].set(jnp.where(keep, places[k], 0))
        return k + 1, kept + keep, lax.dynamic_update_slice(grid, entered, start), chosen

    start = (jnp.int32(0), jnp.int32(0), grid, jnp.zeros(room + 1, np.int32))
    _, kept, _, chosen = lax.while_loop(going, step, start)
    return chosen[:room], kept


def _signature_good(
    image, maxCorners, qualityLevel, minDistance, corners=None, mask=None, blockSize=3, useHarrisDetector=False,
    k=0.04, gradientSize=3, *, size=None,
):  # fmt: skip
    """OpenCV's signature, which Python cannot read from its C function."""


def _spots():
    return np.random.default_rng(52).integers(0, 256, (12, 14), dtype=np.uint8)


_SKIP: dict[str, Any] = {"skip_odd": ("nan", "inf", "0-d", "one axis more")}


@implements(
    "cv2.goodFeaturesToTrack",
    static=("limit", "cell", "blockSize", "aperture", "harris", "capacity"),
    ignored=("corners",),
    dtypes={
        "image": "keep", "mask": "keep", "k": "float", "qualityLevel": "float", "nearest": "float",
    },
    signature=inspect.signature(_signature_good).replace(
        parameters=[p for p in inspect.signature(_signature_good).parameters.values() if p.name != "size"]
    ),
    extras={"size": None},
    prepare=_prepare_good,
    drive=_drive_good,
    finish_jax=_finish_good,
    grad=False,
    note="one-dimensional and empty arrays",
    examples=lambda: [Example((_spots(), 5, 0.1, 3), vmap=("image",), jit=False, rtol=0, atol=0, **_SKIP)],
)  # fmt: skip
def goodFeaturesToTrack(
    image, mask, qualityLevel, k, nearest, limit, cell, blockSize, aperture, harris, capacity
):  # fmt: skip
    """The strongest corners, best first, none nearer than `minDistance` to a better one. OpenCV's order.

    Local maxima (3 x 3) of `cornerMinEigenVal` or `cornerHarris` above `qualityLevel` times the largest. Where
    measures agree to the last bits, as on synthetic images, their order may differ from OpenCV's.

    Parameters
    ----------
    image : array (h, w), uint8 or float32 (in the JAX world float64 too)
    maxCorners : int
        0 for all.
    qualityLevel : float
        Positive; data, not compiled in.
    minDistance : float
        In pixels.
    corners : ignored
    mask : uint8 or bool array (h, w), optional
        Where corners may be.
    blockSize, gradientSize : int
    useHarrisDetector : bool
    k : float
        Of Harris' measure.
    size : int, optional
        Ours, JAX world: how many local maxima may be chosen from, a quarter of the pixels by default.

    Returns
    -------
    float32 array (n, 1, 2)
        x and y; None where there is none. In the JAX world ``(corners, count)``, with `maxCorners` rows (`size` for
        0), those behind `count` being zero; a count of -1 says that there were more local maxima than `size`.

    Raises
    ------
    cv2.error
        Other depths, several channels, a quality that is not positive, negative distances or numbers, a mask of
        another shape.

    Examples
    --------
    >>> import numpy as np
    >>> from image import cv2
    >>> image = np.zeros((9, 9), np.uint8)
    >>> image[4:, 4:] = 200
    >>> cv2.goodFeaturesToTrack(image, 1, 0.1, 1)[0, 0]
    array([4., 4.], dtype=float32)
    """
    height, width = image.shape
    if harris:
        measure = cornerHarris(image, blockSize, aperture, k)
    else:
        measure = cornerMinEigenVal(image, blockSize, ksize=aperture)
    free = jnp.ones(image.shape, bool) if mask is None else mask != 0
    lowest = np.finfo(measure.dtype).min
    largest = jnp.max(jnp.where(free, measure, lowest))
    largest = jnp.where(free.any(), largest, 0)
    level = jnp.where(measure > (largest * qualityLevel).astype(measure.dtype), measure, 0)
    if height < 3 or width < 3:
        inner = jnp.zeros(image.shape, bool)
    else:
        rows = jnp.maximum(jnp.maximum(level[:-2], level[1:-1]), level[2:])
        around = jnp.maximum(jnp.maximum(rows[:, :-2], rows[:, 1:-1]), rows[:, 2:])
        centre = level[1:-1, 1:-1]
        inner = jnp.pad((centre != 0) & (centre == around) & free[1:-1, 1:-1], 1)
    places, candidates = flag_positions(inner, capacity)
    valid = jnp.arange(capacity) < candidates
    # best first; of equal ones the last in the image, as OpenCV compares addresses
    falls = jnp.where(valid, -level.ravel()[places], np.inf)
    _, backwards = lax.sort((falls, jnp.where(valid, -places, 1)), num_keys=2)
    places = jnp.where(valid, -backwards, 0)
    room, total = min(limit or capacity, capacity), jnp.minimum(candidates, capacity)
    if cell:
        found, count = _apart(places, total, room, limit, cell, nearest, image.shape, measure.dtype)
    else:
        found, count = places[:room], jnp.minimum(total, room)
    points = jnp.stack([found % width, found // width], axis=1).astype(jnp.promote_types(measure.dtype, np.float32))
    points = jnp.where((jnp.arange(room) < count)[:, None], points, 0)
    return points.astype(np.float32), count, candidates
