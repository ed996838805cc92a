"""Chamfer distances: path lengths over small steps of given costs, and the label of the background they come from.

Two sweeps over the rows, down and up. A row takes the costs over the steps from the rows before all at once, then
passes them on along itself by doubling: ``d[j] = min_k d[j - k] + k a``. Integer costs make every comparison exact,
and with it the choice between equally near labels: the first of the sequential algorithm's steps that is strictly
nearer wins.

Reference: G. Borgefors, "Distance transformations in digital images", CVGIP 34, 1986.
"""

import numpy as np
from jax import lax
from jax import numpy as jnp

# Steps of the first sweep, (rows, columns) and which of the costs (a, b, c) they have, in order of preference.
_STEPS = {
    3: (((-1, -1), 1), ((-1, 0), 0), ((-1, 1), 1)),
    5: (((-2, -1), 2), ((-2, 1), 2), ((-1, -2), 2), ((-1, -1), 1), ((-1, 0), 0), ((-1, 1), 1), ((-1, 2), 2)),
}


def _shift(row, by, fill):
    """``row[j - by]``; `fill` where there is none."""
    if by == 0:
        return row
    return lax.pad(row, jnp.asarray(fill, row.dtype), [(by, -by, 0)])


def _along(best, label, cost, infinity):
    """Pass the row's values on to the right, `cost` for each step; a tie goes to the nearest source."""
    n = best.shape[0]

    def step(k, state):
        best, label = state
        by = jnp.int32(1) << k
        padded = jnp.concatenate([jnp.full(n, infinity, best.dtype), best])
        passed = lax.dynamic_slice(padded, [n - by], [n]) + cost * by.astype(best.dtype)
        nearer = passed < best
        if label is not None:
            names = lax.dynamic_slice(jnp.concatenate([jnp.zeros(n, label.dtype), label]), [n - by], [n])
            label = jnp.where(nearer, names, label)
        return jnp.where(nearer, passed, best), label

    return lax.fori_loop(0, int(n - 1).bit_length(), step, (best, label))


def _sweep(best, labels, costs, size, infinity):
    """One sweep from the first row down, each row to the right."""
    zero = jnp.full(best.shape[1], infinity, best.dtype)
    none = None if labels is None else jnp.zeros(labels.shape[1], labels.dtype)

    def row_step(carry, row):
        before, before2 = carry
        best, label = row
        for (up, right), cost in _STEPS[size]:
            source, names = before if up == -1 else before2
            passed = _shift(source, -right, infinity) + costs[cost]
            nearer = passed < best
            if label is not None:
                label = jnp.where(nearer, _shift(names, -right, 0), label)
            best = jnp.where(nearer, passed, best)
        best, label = _along(best, label, costs[0], infinity)
        return ((best, label), before), (best, label)

    return lax.scan(row_step, ((zero, none), (zero, none)), (best, labels))[1]


def chamfer(foreground, costs, size, labels=None):
    """Distances of all samples to the nearest false sample of `foreground`, two-dimensional.

    Parameters
    ----------
    foreground : bool array (h, w)
    costs : NumPy array of 3
        Of a step to a neighbour, to a diagonal one, and (`size` 5) of a knight's move.
    size : {3, 5}
    labels : int32 array (h, w), optional
        Labels of the background.

    Returns
    -------
    distances, in the dtype of `costs`; a quarter of its range or more where there is no background
    labels of the nearest background, or None
    """
    infinity = np.asarray(2**30 if costs.dtype.kind in "iu" else 1e30, costs.dtype)
    best = jnp.where(foreground, infinity, np.zeros((), costs.dtype))
    down = _sweep(best, labels, costs, size, infinity)
    turned = tuple(None if x is None else x[::-1, ::-1] for x in down)
    up = _sweep(*turned, costs, size, infinity)
    return tuple(None if x is None else x[::-1, ::-1] for x in up)
