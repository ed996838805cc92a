"""Corners to a fraction of a pixel: `cornerSubPix`.

Reference: W. Foerstner, E. Guelch, "A fast operator for detection and precise location of distinct points, corners and
centres of circular features", 1987.
"""

import inspect

import jax
import numpy as np
from jax import lax
from jax import numpy as jnp

from image.cv2._support import array_argument, fail, pair
from image.cv2.features import plane_argument
from sci.bridge import Example, implements
from sci.bridge.worlds import is_jax

__all__ = ["cornerSubPix"]


def criteria_of(call, function, most=100):
    """``(count, eps)`` of OpenCV's TermCriteria tuple (type, count, eps); without a count `most`."""
    try:
        kind, count, eps = call["criteria"]
        kind, count, eps = int(kind), int(count), float(eps)
    except (TypeError, ValueError):
        fail(function, f"criteria must be (type, maxCount, epsilon), not {call['criteria']!r}")
    return (count if kind & 1 else None), (eps if kind & 2 else None)


def points_argument(call, function, name):
    """float32 points (n, 2), given also as (n, 1, 2) or (1, n, 2); the shape given goes to ``call['shape']``."""
    if isinstance(call[name], (list, tuple)):
        call[name] = np.asarray(call[name], np.float32)
    value = array_argument(call, name)
    if not isinstance(value, np.ndarray) and not is_jax(value):
        fail(function, f"{name} is not a numpy array, but {type(value).__name__}")
    allowed = (np.float32,) if call.numpy else (np.float32, np.float64)
    flat = value.ndim in (2, 3) and value.shape[-1] == 2 and (value.ndim == 2 or 1 in value.shape[:2])
    if not flat or np.dtype(value.dtype) not in allowed:
        fail(function, f"{name} must be float32 points of shape (n, 2) or (n, 1, 2), not {value.dtype} {value.shape}")
    call["shape"] = tuple(value.shape)
    call[name] = value.reshape(-1, 2)
    return call[name]


def _prepare_subpix(call):
    function = "cornerSubPix"
    image = plane_argument(call, function)
    given = call["corners"]
    points_argument(call, function, "corners")
    call["target"] = given
    if isinstance(given, np.ndarray) and not given.flags.writeable:
        fail(function, "corners is read-only: it is changed in place")
    across, down = pair(call["winSize"], function, "winSize")
    if across <= 0 or down <= 0:
        fail(function, f"win.width > 0 && win.height > 0 does not hold: winSize={(across, down)}")
    if image.shape[1] < 2 * across + 5 or image.shape[0] < 2 * down + 5:
        fail(function, f"an image of shape {image.shape} is too small for winSize={(across, down)}")
    zero = pair(call["zeroZone"], function, "zeroZone")
    x, y = np.arange(-across, across + 1), np.arange(-down, down + 1)
    weights = np.exp(-((y[:, None] / down) ** 2)).astype(np.float32) * np.exp(-((x / across) ** 2)).astype(np.float32)
    if zero[0] >= 0 and zero[1] >= 0 and 2 * zero[0] + 1 < x.size and 2 * zero[1] + 1 < y.size:
        weights = np.where((np.abs(y)[:, None] <= zero[1]) & (np.abs(x) <= zero[0]), np.float32(0), weights)
    count, eps = criteria_of(call, function)
    call["weights"] = weights.astype(np.float32)
    call["steps"] = np.int32(100 if count is None else min(max(count, 1), 100))
    call["close"] = np.float32(0 if eps is None else max(eps, 0.0) ** 2)


def _in_place(call, result):
    target = call["target"]
    result = result.reshape(call["shape"])
    if isinstance(target, np.ndarray):
        target[...] = result
        return target
    return result


def patch(image, corner, shape):
    """The window of `shape` whose first sample lies at `corner` (x, y), bilinear, with the edge repeated."""
    height, width = image.shape
    whole = jnp.floor(corner)
    a, b = corner - whole
    left, top = whole.astype(np.int32)
    rows = jnp.clip(top + jnp.arange(shape[0] + 1), 0, height - 1)
    columns = jnp.clip(left + jnp.arange(shape[1] + 1), 0, width - 1)
    x = image[rows[:, None], columns[None]]
    upper = x[:, :-1] * (1 - a) + x[:, 1:] * a
    return upper[:-1] * (1 - b) + upper[1:] * b


def _corner():
    x = np.zeros((13, 13), np.float32)
    x[6:, 6:] = 1
    return x, ((5.6, 6.3),)


@implements(
    "cv2.cornerSubPix",
    dtypes="keep",
    signature=inspect.signature(lambda image, corners, winSize, zeroZone, criteria: None),
    prepare=_prepare_subpix,
    finish=_in_place,
    finish_jax=lambda call, result: result.reshape(call["shape"]),
    grad=False,
    note="one-dimensional arrays",
    # a tuple, which is not changed in place: the contract does not know arguments that change
    examples=lambda: [
        Example((*_corner(), (2, 2), (-1, -1), (3, 20, 1e-3)), vmap=("image",), rtol=1e-4, oracle=False, jit=False)
    ],
)
def cornerSubPix(image, corners, weights, steps, close):
    """Move corners to where all gradients around them point across the line to them, to fractions of a pixel.

    Parameters
    ----------
    image : array (h, w), uint8 or float32 (in the JAX world float64 too)
    corners : float32 array (n, 2) or (n, 1, 2)
        x and y; changed in place in the NumPy world.
    winSize : (int, int)
        Half the width and height of the window.
    zeroZone : (int, int)
        Half the sides of a zone in the middle that does not count; (-1, -1) for none.
    criteria : (type, maxCount, epsilon)

    Returns
    -------
    array of `corners`' shape
        Where the search leaves its window by more than half, the corner stays as it was.

    Raises
    ------
    cv2.error
        Other depths or channels, points of other shapes, windows that do not fit into the image.

    Examples
    --------
    >>> import numpy as np
    >>> from image import cv2
    >>> image = np.zeros((13, 13), np.float32)
    >>> image[6:, 6:] = 1
    >>> corners = np.array([[5.0, 6.0]], np.float32)
    >>> cv2.cornerSubPix(image, corners, (3, 3), (-1, -1), (3, 30, 1e-4)).round(2)
    array([[5.59, 5.59]], dtype=float32)
    """
    dtype = jnp.promote_types(corners.dtype, image.dtype if image.dtype.kind == "f" else np.float32)
    wide = jnp.result_type(float)
    x, weights = image.astype(dtype), weights.astype(wide)
    height, width = image.shape
    down, across = weights.shape[0] // 2, weights.shape[1] // 2
    half = jnp.asarray([across, down], dtype)
    offsets = jnp.arange(-across, across + 1, dtype=wide), jnp.arange(-down, down + 1, dtype=wide)[:, None]
    tiny = float(np.finfo(np.float64).eps) ** 2 if wide == np.float64 else 1e-30

    def refine(start):
        def step(state):
            at, k, _ = state
            window = patch(x, at - half - 1, (2 * down + 3, 2 * across + 3))
            gx = (window[1:-1, 2:] - window[1:-1, :-2]).astype(wide)
            gy = (window[2:, 1:-1] - window[:-2, 1:-1]).astype(wide)
            xx, xy, yy = weights * gx * gx, weights * gx * gy, weights * gy * gy
            a, b, c = xx.sum(), xy.sum(), yy.sum()
            u = (xx * offsets[0] + xy * offsets[1]).sum()
            v = (xy * offsets[0] + yy * offsets[1]).sum()
            det = a * c - b * b
            flat = jnp.abs(det) <= tiny
            scale = 1 / jnp.where(flat, 1, det)
            new = at + jnp.stack([(c * u - b * v) * scale, (a * v - b * u) * scale]).astype(dtype)
            moved = ((new - at) ** 2).sum()
            outside = (new[0] < 0) | (new[0] >= width) | (new[1] < 0) | (new[1] >= height)
            stay = flat | outside
            k = k + 1
            return jnp.where(stay, at, new), k, ~stay & (k < steps) & (moved > close)

        end = lax.while_loop(lambda s: s[2], step, (start, jnp.int32(0), jnp.array(True)))[0]
        return jnp.where(jnp.any(jnp.abs(end - start) > half), start, end)

    return jax.vmap(refine)(corners.astype(dtype)).astype(corners.dtype)
