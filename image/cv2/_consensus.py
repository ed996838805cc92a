"""Robust fits of a map of the plane to pairs of points, some of them wrong.

Reference: M. A. Fischler, R. C. Bolles, "Random sample consensus", Comm. ACM 24(6), 1981. Hypotheses are made and
judged in batches; the samples come from a fixed stream, not OpenCV's.
"""

import functools

import jax
import numpy as np
from jax import lax
from jax import numpy as jnp

from image.cv2._support import array_argument, fail
from sci.bridge import HostRoute, Reason
from sci.bridge.worlds import is_jax

BATCH = 128
_LEAST_ROOM = 16


@functools.lru_cache(64)
def draw(count, size, number):
    """`number` samples of `size` different indices below `count`, as a whole number of batches."""
    rng = np.random.default_rng(count)
    number = -(-max(number, 1) // BATCH) * BATCH
    chosen = np.empty((number, size), np.int64)
    for k in range(size):
        value = rng.integers(0, count - k, number)
        for earlier in np.sort(chosen[:, :k], axis=1).T:  # skip those taken
            value += value >= earlier
        chosen[:, k] = value
    chosen = chosen.astype(np.int32)
    chosen.flags.writeable = False
    return chosen


def points(call, function, names, least):
    """Two lists of n points as float arrays (n, 2); in the NumPy world in float32 as OpenCV, padded, with weights.

    Sets ``weights``, which are zero for what was padded (so that few sizes are compiled), and ``count``.
    """
    found = []
    for name in names:
        value = array_argument(call, name)
        if isinstance(value, (list, tuple)) or (not isinstance(value, np.ndarray) and not is_jax(value)):
            fail(function, f"{name} is not a numpy array, but {type(value).__name__}")
        if np.dtype(value.dtype).kind not in "iuf":
            fail(function, f"{name} must hold numbers, not {value.dtype}")
        if value.ndim == 3 and 1 in value.shape[:2]:
            value = value.reshape(-1, value.shape[2])
        if value.ndim == 2 and value.shape[1] == 3:
            raise HostRoute(Reason.SHAPE, f"{name} has homogeneous points")
        if value.ndim != 2 or value.shape[1] != 2:
            fail(
                function, f"{name}.checkVector(2) does not hold: points of shape (n, 2) or (n, 1, 2), not {value.shape}"
            )
        found.append(value)
    if found[0].shape != found[1].shape:
        fail(function, f"{names[0]} and {names[1]} have {found[0].shape[0]} and {found[1].shape[0]} points")
    count = call["count"] = found[0].shape[0]
    if count < least:
        fail(function, f"{count} points: at least {least} are needed")
    room = max(_LEAST_ROOM, 1 << (count - 1).bit_length()) if call.numpy else count
    for name, value in zip(names, found, strict=True):
        if call.numpy:
            value = np.pad(value.astype(np.float32).astype(np.float64), [(0, room - count), (0, 0)])
        elif value.dtype.kind != "f":
            value = value.astype(float)
        call[name] = value
    call["weights"] = (np.arange(room) < count).astype(np.float64)


def robust(call, function, size):
    """Check the options of RANSAC; sets ``samples``, ``nearest`` (the threshold squared) and ``confidence``."""
    threshold, most, confidence = (call[k] for k in ("ransacReprojThreshold", "maxIters", "confidence"))
    if not is_jax(confidence) and not 0 < confidence < 1:
        fail(function, f"confidence > 0 && confidence < 1 does not hold: confidence={confidence}")
    if is_jax(most) or isinstance(most, (bool, float)):
        fail(function, f"maxIters must be an integer, not {most!r}")
    if not is_jax(threshold):
        threshold = 3.0 if threshold <= 0 else float(threshold)
    call["nearest"], call["samples"] = threshold * threshold, draw(call["count"], size, int(most))


def mean_and_spread(points, weights):
    """Centre and mean distance from it, of the points with weight."""
    total = weights.sum()
    centre = (weights[:, None] * points).sum(axis=0) / total
    offset = points - centre
    square = (offset * offset).sum(axis=1)
    distance = jnp.where(square > 0, jnp.sqrt(jnp.where(square > 0, square, 1)), 0)
    spread = (weights * distance).sum() / total
    return centre, jnp.where(spread > 0, spread, 1)


def consensus(fit, errors, samples, weights, nearest, confidence):
    """Which points the best of the sampled hypotheses explains.

    Parameters
    ----------
    fit : callable
        ``fit(indices) -> model`` of one sample; NaN for degenerate samples.
    errors : callable
        ``errors(model)``: squared distances of all points.
    samples : int array (number, size)
    weights : array (n,)
        Zero for entries that are none.

    Returns
    -------
    bool array (n,); all false where no hypothesis explains as many points as it is made of
    """
    size = samples.shape[1]
    total = weights.sum()
    dtype = weights.dtype
    lost = jnp.log1p(-jnp.asarray(confidence, dtype))

    def step(state):
        k, best, most, _ = state
        models = jax.vmap(fit)(lax.dynamic_slice_in_dim(samples, k, BATCH))
        near = (jax.vmap(errors)(models) <= nearest) & (weights > 0)
        counts = near.sum(axis=1, dtype=np.int32)
        first = jnp.argmax(counts)
        better = counts[first] > most
        most = jnp.where(better, counts[first], most)
        share = jnp.clip((most / total) ** size, 1e-12, 1 - 1e-12)
        return k + BATCH, jnp.where(better, near[first], best), most, lost / jnp.log1p(-share)

    start = (jnp.int32(0), jnp.zeros(weights.shape, bool), jnp.int32(size - 1), jnp.asarray(np.inf, dtype))
    going = samples.shape[0]
    return lax.while_loop(lambda s: (s[0] < going) & (s[0] < s[3]), step, start)[1]


def finish(call, result):
    matrix, mask = result
    mask = np.ascontiguousarray(mask[: call["count"], None])
    return (None, np.zeros_like(mask)) if not np.isfinite(matrix).all() else (matrix, mask)


def finish_jax(call, result):
    return result[0], result[1][:, None]


def quads(noise=0.2):
    rng = np.random.default_rng(53)
    p = rng.random((9, 2)) * 50
    q = np.array([[1.1, -0.1], [0.2, 0.9]]) @ p.T / (1 + p[:, 0] / 200) + 3
    # float64 that float32 holds, to which OpenCV rounds
    return tuple(x.astype(np.float32).astype(float) for x in (p, q.T + noise * rng.normal(size=p.shape)))


def same_map(ours, theirs):
    # OpenCV's last fit ends when a step is small
    np.testing.assert_allclose(ours[0], theirs[0], rtol=1e-4, atol=1e-4)
    np.testing.assert_array_equal(ours[1], theirs[1])


# what is checked first differs; for int64 the tolerance is narrower than the last step of OpenCV's fit
ODD = ("nan", "inf", "1x1", "one axis more", "0-d", "empty", "int64")
