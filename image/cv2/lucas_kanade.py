"""Sparse optical flow: `calcOpticalFlowPyrLK`.

Reference: J.-Y. Bouguet, "Pyramidal implementation of the affine Lucas Kanade feature tracker", Intel, 2001. The
fixed-point arithmetic (weights of 14 bits, values of 5 more) and the rules for stopping are OpenCV's.
"""

import inspect

import jax
import numpy as np
from jax import lax
from jax import numpy as jnp

from image.cv2 import constants as c
from image.cv2._support import fail, image_argument, pair
from image.cv2.derivatives import Scharr
from image.cv2.pyramids import pyrDown
from image.cv2.subpixel_corners import criteria_of, points_argument
from sci.bridge import Example, HostRoute, Reason, implements
from sci.ndimage._kernels.borders import pad_axis

__all__ = ["calcOpticalFlowPyrLK"]

_BITS = 14
_SCALE = float(2.0**-20)
_LEAST_ROOM = 16
_TOGETHER = 8  # points in one loop, which runs until the slowest has come to rest


def _image(call, name, function):
    value = call[name]
    if isinstance(value, (list, tuple)):
        raise HostRoute(Reason.OPTION, f"{name} is a pyramid")
    value = image_argument(call, function, name)
    if np.dtype(value.dtype) != np.uint8:
        fail(function, f"{name} must be uint8, not {value.dtype}")
    if value.ndim == 1:
        raise HostRoute(Reason.SHAPE, f"{name} has one dimension")
    call[name] = value.reshape(*value.shape[:2], -1)
    return call[name]


def _prepare(call):
    function = "calcOpticalFlowPyrLK"
    images = [_image(call, name, function) for name in ("prevImg", "nextImg")]
    if images[0].shape != images[1].shape:
        fail(function, f"prevImg and nextImg have the shapes {images[0].shape} and {images[1].shape}")
    across, down = pair(call["winSize"], function, "winSize")
    most = int(call["maxLevel"])
    if most < 0 or across <= 2 or down <= 2:
        fail(
            function,
            f"maxLevel >= 0 && winSize.width > 2 && winSize.height > 2 does not hold: {most}, {(across, down)}",
        )
    if np.size(call["prevPts"]) == 0:
        raise HostRoute(Reason.SHAPE, "no points")
    flags = int(call["flags"])
    points = points_argument(call, function, "prevPts")
    shape = call["shape"]
    if flags & c.OPTFLOW_USE_INITIAL_FLOW:
        start = points_argument(call, function, "nextPts")
        if start.shape != points.shape:
            fail(function, f"nextPts has shape {call['shape']}, prevPts {shape}: they must agree")
    else:
        start = points
    call["shape"] = shape
    # of each level the rows and columns; the last that is larger than the window
    sizes = [images[0].shape[:2]]
    while len(sizes) <= most:
        smaller = tuple((n + 1) // 2 for n in sizes[-1])
        if smaller[1] <= across or smaller[0] <= down:
            break
        sizes.append(smaller)
    count, eps = criteria_of(call, function)
    call["steps"] = np.int32(30 if count is None else min(max(count, 0), 100))
    call["close"] = np.float32((0.01 if eps is None else min(max(eps, 0.0), 10.0)) ** 2)
    call["sizes"], call["window"] = tuple(sizes), (down, across)
    call["eigenvalues"] = bool(flags & c.OPTFLOW_LK_GET_MIN_EIGENVALS)
    call["n"] = points.shape[0]
    if call.numpy:  # few sizes are compiled
        room = max(_LEAST_ROOM, 1 << (call["n"] - 1).bit_length()) - call["n"]
        points, start = (np.pad(x, [(0, room), (0, 0)]) for x in (points, start))
    call["points"], call["start"] = points, start


def _finish(call, result):
    found, status, error = (x[: call["n"]] for x in result)
    found = found.reshape(call["shape"])
    if call.numpy:
        target = call["nextPts"]
        found = np.ascontiguousarray(found)
        if (
            isinstance(target, np.ndarray)
            and int(call["flags"]) & c.OPTFLOW_USE_INITIAL_FLOW
            and target.size == found.size
        ):
            target.reshape(found.shape)[...] = found
            found = target.reshape(found.shape)
        return found, np.ascontiguousarray(status[:, None]), np.ascontiguousarray(error[:, None])
    return found, status[:, None], error[:, None]


def _flat(levels, window, mode):
    """All levels, each with a border as wide as the window, one behind the other: (samples, channels)."""
    down, across = window
    parts = []
    for x in levels:
        x = pad_axis(pad_axis(x, 0, down, down, mode), 1, across, across, mode)
        parts.append(x.reshape(-1, x.shape[2]))
    return jnp.concatenate(parts)


def _weights(corner):
    """The whole part of a position, and the weights of its four neighbours in 14 bits."""
    whole = jnp.floor(corner)
    a, b = corner - whole
    one = np.float32(1 << _BITS)
    w00, w01, w10 = (
        jnp.round(w * one).astype(np.int32) for w in ((1 - a) * (1 - b), a * (1 - b), (1 - a) * b)
    )  # fmt: skip
    return whole.astype(np.int32), (w00, w01, w10, (1 << _BITS) - w00 - w01 - w10)


def _between(x, weights, bits):
    """Bilinear values of a window one sample larger on both axes, rounded by `bits`."""
    w00, w01, w10, w11 = weights
    total = x[:-1, :-1] * w00 + x[:-1, 1:] * w01 + x[1:, :-1] * w10 + x[1:, 1:] * w11
    return (total + (1 << (bits - 1))) >> bits


def _signature(
    prevImg, nextImg, prevPts, nextPts, status=None, err=None, winSize=(21, 21), maxLevel=3, criteria=(3, 30, 0.01),
    flags=0, minEigThreshold=1e-4,
):  # fmt: skip
    """OpenCV's signature, which Python cannot read from its C function."""


def _scene():
    y, x = np.mgrid[:20, :22]
    images = tuple((127 + 60 * np.sin((x + d) / 2.0) + 60 * np.cos(y / 2.3)).astype(np.uint8) for d in (0, 0.6))
    return (*images, np.array([[9.0, 8.0], [12.5, 11.0]], np.float32), None)


@implements(
    "cv2.calcOpticalFlowPyrLK",
    static=("sizes", "window", "eigenvalues"),
    ignored=("status", "err"),
    dtypes={"minEigThreshold": "float", "prevImg": "keep", "nextImg": "keep", "points": "keep", "start": "keep",
            "steps": "keep", "close": "keep"},
    signature=inspect.signature(_signature),
    prepare=_prepare,
    finish=_finish,
    finish_jax=_finish,
    grad=False,
    note="pyramids given as lists, no points, one-dimensional arrays",
    examples=lambda: [
        Example(_scene(), {"winSize": (5, 5), "maxLevel": 1}, rtol=1e-4, atol=1e-3, vmap=("prevImg", "prevPts"),
                skip_odd=("nan", "inf", "0-d", "1x1", "one axis more", "empty")),
    ],
)  # fmt: skip
def calcOpticalFlowPyrLK(prevImg, nextImg, points, start, steps, close, minEigThreshold, sizes, window, eigenvalues):
    """Where points of one image are in the next, by matching windows around them on a pyramid.

    Parameters
    ----------
    prevImg, nextImg : uint8 arrays (h, w) or (h, w, channels)
    prevPts : float32 array (n, 2) or (n, 1, 2)
    nextPts : float32 array or None
        With OPTFLOW_USE_INITIAL_FLOW the start.
    status, err : ignored
    winSize : (int, int)
        Width and height, above 2.
    maxLevel : int
        Fewer where a level would not be larger than the window.
    criteria : (type, maxCount, epsilon)
    flags : int
        OPTFLOW_USE_INITIAL_FLOW, OPTFLOW_LK_GET_MIN_EIGENVALS.
    minEigThreshold : float
        Points whose windows have less structure are lost.

    Returns
    -------
    nextPts : float32 array of `prevPts`' shape
    status : uint8 array (n, 1)
        1 where the point was found.
    err : float32 array (n, 1)
        Mean difference of the windows, or the smaller eigenvalue; 0 for lost points.

    Raises
    ------
    cv2.error
        Images that are not uint8 or of different shapes, points that are not float32, windows of 2 or less.

    Examples
    --------
    >>> import numpy as np
    >>> from image import cv2
    >>> y, x = np.mgrid[:40, :40]
    >>> a, b = (np.uint8(127 + 60 * np.sin((x - d) / 3) + 60 * np.sin(y / 3)) for d in (0, 1))
    >>> cv2.calcOpticalFlowPyrLK(a, b, np.array([[20.0, 20.0]], np.float32), None, winSize=(9, 9))[0].round(1)
    array([[21., 20.]], dtype=float32)
    """
    down, across = window
    levels = [jnp.stack([prevImg, nextImg])]
    for size in sizes[1:]:
        levels.append(jax.vmap(lambda x, size=size: pyrDown(x).reshape(*size, -1))(levels[-1]))
    slopes = [
        tuple(Scharr(x[0], c.CV_16S, *order).reshape(x.shape[1:]) for x in levels) for order in ((1, 0), (0, 1))
    ]  # fmt: skip
    old, new = (_flat([x[j] for x in levels], window, "mirror") for j in (0, 1))
    old = jnp.stack([old.astype(np.int16), *(_flat(s, window, "constant") for s in slopes)], axis=-1)
    strides = np.array([w + 2 * across for _, w in sizes], np.int32)
    offsets = np.cumsum([0, *((h + 2 * down) * (w + 2 * across) for h, w in sizes[:-1])]).astype(np.int32)
    heights, widths = np.array(sizes, np.int32).T
    grid = jnp.arange(down + 1, dtype=np.int32)[:, None], jnp.arange(across + 1, dtype=np.int32)[None]
    half = np.array([(across - 1) * 0.5, (down - 1) * 0.5], np.float32)
    wide = jnp.result_type(float)
    area = down * across

    def cut(table, level, at):
        """The window whose first sample lies at `at` (x, y) of a level."""
        place = jnp.asarray(offsets)[level] + (at[1] + down + grid[0]) * jnp.asarray(strides)[level]
        place = place + at[0] + across + grid[1]
        return table.at[place].get(mode="clip").astype(np.int32)

    def inside(at, level):
        across_, down_ = jnp.asarray(widths)[level], jnp.asarray(heights)[level]
        return (at[0] >= -across) & (at[0] < across_) & (at[1] >= -down) & (at[1] < down_)

    def on_level(k, state, point, begin):
        found, status, error = state
        level = len(sizes) - 1 - k
        last = level == 0
        scale = np.float32(1) / (jnp.int32(1) << level).astype(np.float32)
        corner = point * scale - half
        found = jnp.where(k == 0, begin * scale, found * 2)
        whole, weights = _weights(corner)
        here = inside(whole, level)
        x = cut(old, level, whole)
        value = _between(x[..., 0], weights, _BITS - 5)
        ix, iy = (_between(x[..., j], weights, _BITS).astype(wide) for j in (1, 2))
        a11, a12, a22 = (s.sum() * _SCALE for s in (ix * ix, ix * iy, iy * iy))
        det = a11 * a22 - a12 * a12
        least = (a22 + a11 - jnp.sqrt((a11 - a22) ** 2 + 4 * a12 * a12)) / (2 * area)
        good = here & (least >= minEigThreshold) & (det >= np.finfo(np.float32).eps)
        scaled = 1 / jnp.where(good, det, 1)

        def difference(at):
            place, w = _weights(at)
            return place, _between(cut(new, level, place), w, _BITS - 5) - value

        def step(inner):
            j, at, before, *_ = inner
            place, apart = difference(at)
            stays = inside(place, level)
            apart = apart.astype(wide)
            b1, b2 = (apart * ix).sum() * _SCALE, (apart * iy).sum() * _SCALE
            delta = jnp.stack([(a12 * b2 - a22 * b1) * scaled, (a12 * b1 - a11 * b2) * scaled]).astype(np.float32)
            small = (delta * delta).sum() <= close
            swings = (j > 0) & jnp.all(jnp.abs(delta + before) < 0.01) & ~small
            moved = at + jnp.where(swings, np.float32(0.5), np.float32(1)) * delta
            return j + 1, jnp.where(stays, moved, at), delta, stays & ~small & ~swings, stays

        inner = (jnp.int32(0), found - half, jnp.zeros(2, np.float32), good, jnp.array(True))
        _, at, _, _, kept = lax.while_loop(lambda s: s[3] & (s[0] < steps), step, inner)
        found = jnp.where(good, at + half, found)
        place, apart = difference(found - half)
        kept = good & kept
        if eigenvalues:
            error = jnp.where(here, least, 0)
        else:
            kept = kept & inside(place, level)
            mean = jnp.abs(apart).sum() / (32.0 * apart.size)
            error = jnp.where(kept, mean, 0)
        return found, jnp.where(last, kept, status), error.astype(np.float32)

    def track(point, begin):
        state = (begin, jnp.array(True), jnp.float32(0))
        return lax.fori_loop(0, len(sizes), lambda k, s: on_level(k, s, point, begin), state)

    pairs = points.astype(np.float32), start.astype(np.float32)
    found, status, error = lax.map(lambda pair: track(*pair), pairs, batch_size=_TOGETHER)
    return found, status.astype(np.uint8), error
