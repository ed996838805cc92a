"""The set of variables that nonnegative least squares leaves free, from the normal equations.

One sweep of a tableau adds a variable to the set or takes one out, where a factorisation for each set would cost n
times as much and a call of LAPACK. Rounding errors enter with the square of the condition number: what is found here
is a guess, which `bounded_least_squares` starts from and checks.

References
----------
.. [1] C. L. Lawson, R. J. Hanson, "Solving Least Squares Problems", 1974, chapters 23 and 24.
.. [2] J. H. Goodnight, "A tutorial on the SWEEP operator", The American Statistician 33, 1979.
"""

from typing import Any, NamedTuple

import jax.numpy as jnp
import numpy as np
from jax import lax

__all__ = ["guess_free"]


class _State(NamedTuple):
    tableau: Any
    x: Any
    free: Any
    refused: Any
    nit: Any
    steps: Any
    running: Any


def guess_free(triangle, target, limit, maxiter):
    """Lawson and Hanson's iteration for ``min norm(triangle @ x - target)``, ``x >= 0``.

    Parameters
    ----------
    triangle : (k, n) array
    target : (k,) array
    limit : (n,) array
        Slopes up to this one count as zero.
    maxiter : int
        Most variables that may be set free.

    Returns
    -------
    x : (n,) array
        Nonnegative; zero where nothing was found.
    free : (n,) bool array
        The variables that are not held at zero.
    nit : int array
        Variables set free.
    """
    n = triangle.shape[1]
    index = np.arange(n)
    gram = triangle.T @ triangle
    least = n * jnp.finfo(triangle.dtype).eps * jnp.diagonal(gram)
    # Swept in the free variables F: the last column is the solution in F, and minus the slope elsewhere.
    tableau = jnp.concatenate([gram, (triangle.T @ target)[:, None]], axis=1)

    def step(s):
        z = jnp.where(s.free, s.tableau[:, n], 0.0)
        outside = s.free & ~(z > 0)
        complete = ~outside.any()

        slope = jnp.where(s.free | s.refused | (s.tableau[:, n] <= limit), 0.0, s.tableau[:, n])
        best = jnp.argmax(slope)
        found = slope[best] > 0
        # as far as the first bound on the way to z
        ratio = jnp.where(outside, s.x / jnp.where(outside, s.x - z, 1.0), jnp.inf)
        first = jnp.argmin(ratio)
        moved = jnp.maximum(s.x + ratio[first] * (z - s.x), 0.0)

        k = jnp.where(complete, best, first)
        row = lax.dynamic_index_in_dim(s.tableau, k, 0, keepdims=False)
        column = lax.dynamic_index_in_dim(s.tableau, k, 1, keepdims=False)
        pivot, here = column[k], index == k
        small = complete & ~(pivot > least[k])
        swept = _sweep(s.tableau, row, column, pivot, here, jnp.where(complete, 1.0, -1.0))
        change = jnp.where(complete, found & ~small, True)
        return _State(
            tableau=jnp.where(change, swept, s.tableau),
            x=jnp.where(complete, z, jnp.where(here, 0.0, moved)),
            free=jnp.where(here & change, complete, s.free),
            refused=s.refused | (here & found & small),
            nit=s.nit + (complete & found & ~small),
            steps=s.steps + 1,
            running=~(complete & ~found),
        )

    zero, none = jnp.asarray(0, jnp.int32), jnp.zeros(n, bool)
    start = _State(tableau, jnp.zeros(n, triangle.dtype), none, none, zero, zero, jnp.asarray(True))
    s = lax.while_loop(lambda s: s.running & (s.nit <= maxiter) & (s.steps < 3 * maxiter + 10 * n), step, start)
    good = ~s.running & (s.nit <= maxiter) & jnp.isfinite(s.x).all()
    return jnp.where(good, s.x, 0.0), s.free & good, jnp.where(good, s.nit, 0).astype(jnp.int32)


def _sweep(tableau, row, column, pivot, here, sign):
    """Exchange one variable with its equation: into the set (`sign` 1) or out of it (-1)."""
    inverse = 1 / jnp.where(pivot == 0, 1.0, pivot)
    row = row * inverse
    across = jnp.pad(here, (0, 1))
    swept = tableau - column[:, None] * row
    swept = jnp.where(across, (sign * inverse) * column[:, None], swept)
    swept = jnp.where(here[:, None], sign * row, swept)
    return jnp.where(here[:, None] & across, -inverse, swept)
