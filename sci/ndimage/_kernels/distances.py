"""Exact distance transforms, one axis after the other.

Along the first axis the nearest background sample of each line is found by two scans. Along every further axis the
lower envelope ``min_j F(j) + (w (i - j))^2`` is evaluated line by line by growing windows: the offset k stops at
the first one whose own cost exceeds all distances of the line, so near background costs little, and the worst case
(all pairs of a line) is one vectorised sweep in cache. City-block and chessboard distances differ in how a step's
cost joins the distance only.

References: T. Saito, J.-I. Toriwaki, "New algorithms for Euclidean distance transformation", Pattern Recognition
27(11), 1994; the envelopes of P. Felzenszwalb, D. Huttenlocher, "Distance transforms of sampled functions", 2012.
"""

import numpy as np
from jax import lax
from jax import numpy as jnp

_STEPS = 4  # offsets per turn of the loop

EUCLIDEAN, TAXICAB, CHESSBOARD = "euclidean", "taxicab", "chessboard"


def _cost(metric, k, weight):
    step = k * weight
    return step * step if metric == EUCLIDEAN else step


def _join(metric, far, cost):
    return jnp.maximum(far, cost) if metric == CHESSBOARD else far + cost


def nearest_along(background, late):
    """For every sample the index of the nearest background sample along axis 0, -1 in lines without.

    Of two equally near ones the lower index, or with `late` the higher.
    """
    n = background.shape[0]
    position = jnp.arange(n, dtype=np.int32)
    none = jnp.full(background.shape[1:], -n, np.int32)

    def step(last, row):
        flag, index = row
        last = jnp.where(flag, index, last)
        return last, last

    before = lax.scan(step, none, (background, position))[1]
    after = lax.scan(step, none, (background, position), reverse=True)[1]
    shape = (-1,) + (1,) * (background.ndim - 1)
    here = position.reshape(shape)
    left = jnp.where(before < 0, 2 * n, here - before)
    right = jnp.where(after < 0, 2 * n, after - here)
    nearest = jnp.where(right <= left if late else right < left, after, before)
    return jnp.where(nearest < 0, -1, nearest)


def line_pass(far, weight, metric, infinity, late, with_index):
    """Lower envelope along the last axis of `far`, shape (lines, n): the distances and the chosen index."""
    n = far.shape[1]
    position = jnp.arange(n, dtype=np.int32)

    def line(row):
        padded = jnp.pad(row, (n + _STEPS, n + _STEPS), constant_values=infinity)

        def going(state):
            k, best, _ = state
            return (k < n) & (_cost(metric, k.astype(row.dtype), weight) <= best.max())

        def grow(state):
            k, best, chosen = state
            for extra in range(_STEPS):
                at = k + extra
                cost = _cost(metric, at.astype(row.dtype), weight)
                left = _join(metric, lax.dynamic_slice(padded, [n + _STEPS - at], [n]), cost)
                right = _join(metric, lax.dynamic_slice(padded, [n + _STEPS + at], [n]), cost)
                if with_index:
                    # equal ones on the left have the lower index than all before, on the right the higher
                    nearer_left = left < best if late else left <= best
                    chosen = jnp.where(nearer_left, position - at, chosen)
                    best = jnp.minimum(best, left)
                    nearer_right = right <= best if late else right < best
                    chosen = jnp.where(nearer_right, position + at, chosen)
                    best = jnp.minimum(best, right)
                else:
                    best = jnp.minimum(best, jnp.minimum(left, right))
            return k + _STEPS, best, chosen

        _, best, chosen = lax.while_loop(going, grow, (jnp.int32(1), row, position))
        return best, chosen

    return lax.map(line, far)


def distance_transform(foreground, weights, metric, order, late=False, with_index=False):
    """Distances to the nearest false sample of `foreground` (squared for the Euclidean metric).

    Parameters
    ----------
    foreground : bool array, not empty
    weights : array of shape (ndim,), or None for unit spacing (then all is integer and exact)
    order : tuple of int
        The axes in the order in which they are treated.
    late : bool
        Of equally near samples take the one with the higher index along each axis, not the lower.

    Returns
    -------
    distances : array, huge where there is no background at all
    indices : int32 array (ndim, *shape), or None
    """
    shape, ndim = foreground.shape, foreground.ndim
    largest = sum(n * n for n in shape)
    if weights is None and largest < 2**29:
        dtype, infinity = np.dtype(np.int32), np.int32(2**30)
        scale = [np.int32(1)] * ndim
    else:
        dtype = np.dtype(jnp.result_type(float))
        infinity = dtype.type(1e30)
        scale = [jnp.ones((), dtype)] * ndim if weights is None else list(weights.astype(dtype))
    first = order[0]
    moved = jnp.moveaxis(~foreground, first, 0)
    nearest = nearest_along(moved, late)
    here = jnp.arange(shape[first], dtype=np.int32).reshape((-1,) + (1,) * (ndim - 1))
    apart = jnp.abs(here - nearest).astype(dtype)
    far = jnp.where(nearest < 0, infinity, _cost(metric, apart, scale[first]))
    far = jnp.moveaxis(far, 0, first)
    chosen = {first: jnp.moveaxis(nearest, 0, first)}
    for axis in order[1:]:
        lines = jnp.moveaxis(far, axis, -1)
        best, index = line_pass(
            lines.reshape(-1, shape[axis]), scale[axis], metric, infinity, late, with_index
        )  # fmt: skip
        far = jnp.moveaxis(best.reshape(lines.shape), -1, axis)
        if with_index:
            index = jnp.moveaxis(index.reshape(lines.shape), -1, axis)
            index = jnp.clip(index, 0, shape[axis] - 1)
            chosen = {a: jnp.take_along_axis(c, index, axis=axis) for a, c in chosen.items()}
            chosen[axis] = index
    indices = jnp.stack([chosen[a] for a in range(ndim)]) if with_index else None
    return far, indices
