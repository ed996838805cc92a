"""Linear least squares within bounds, by active sets.

References
----------
.. [1] C. L. Lawson, R. J. Hanson, "Solving Least Squares Problems", 1974, chapter 23.
.. [2] P. B. Stark, R. L. Parker, "Bounded-variable least-squares: an algorithm and applications", Comput. Stat. 10,
   1995.
"""

from typing import Any, NamedTuple

import jax.numpy as jnp
import numpy as np
from jax import lax
from jax.scipy.linalg import solve_triangular

from solvers.implicit import implicit
from solvers.least_squares.nonnegative import guess_free

__all__ = ["BoundedResult", "bounded_least_squares"]

RUNNING, CONVERGED, MAX_ITERATIONS = -1, 1, 0


class BoundedResult(NamedTuple):
    """What `bounded_least_squares` returns.

    Attributes
    ----------
    x : (n,) array
        The solution. Differentiable; a variable at a bound follows the bound.
    free : (n,) bool array
        Which variables are between their bounds.
    nit, status : int arrays
        Iterations; 1 converged, 0 too many iterations.
    """

    x: Any
    free: Any
    nit: Any
    status: Any


class _State(NamedTuple):
    x: Any
    free: Any
    refused: Any
    entered: Any
    nit: Any
    steps: Any
    status: Any


def bounded_least_squares(matrix, vector, lower, upper, maxiter, nonnegative=False):
    """Minimise ``norm(matrix @ x - vector)`` within ``lower <= x <= upper``.

    Parameters
    ----------
    matrix : (m, n) array
    vector : (m,) array
    lower, upper : (n,) arrays
        Infinite where there is no bound.
    maxiter : int
        Most variables that may be set free.
    nonnegative : bool, static
        That `lower` is zero and `upper` infinite: the iteration then starts from a set that is found faster.

    Returns
    -------
    BoundedResult

    Examples
    --------
    >>> import jax.numpy as jnp
    >>> from solvers.least_squares.bounded import bounded_least_squares
    >>> a = jnp.array([[1.0, 0.0], [1.0, 0.0], [0.0, 1.0]])
    >>> b = jnp.array([2.0, 1.0, -1.0])
    >>> bounded_least_squares(a, b, jnp.zeros(2), jnp.full(2, jnp.inf), 6).x.tolist()
    [1.5, 0.0]
    """

    def solve(params, maxiter):
        state = _solve(*params, maxiter, nonnegative)
        return state.x, {"free": state.free, "nit": state.nit, "status": state.status}

    def stationarity(x, params):
        a, b, low, high = params
        slope = a.T @ (a @ x - b)
        return jnp.where(x <= low, x - low, jnp.where(x >= high, x - high, slope))

    x, aux = implicit(solve, stationarity, lambda x, params: {}, (matrix, vector, lower, upper), maxiter)
    return BoundedResult(x=x, **aux)


def _solve(matrix, vector, lower, upper, maxiter, nonnegative):
    m, n = matrix.shape
    dtype = matrix.dtype
    index = np.arange(n)
    # All that follows needs is the triangle of the matrix.
    q, triangle = jnp.linalg.qr(matrix)
    target = q.T @ vector
    eps = jnp.finfo(dtype).eps
    size = jnp.sqrt(jnp.sum(matrix * matrix, axis=0))
    limit = 10 * max(m, n) * eps * size * jnp.sqrt(jnp.sum(vector * vector))

    def free_solution(x, free):
        fixed = jnp.where(free, 0.0, x)
        rest = target - triangle @ fixed
        # Rows of the identity hold the fixed variables, so that one shape serves all sets.
        stacked = jnp.concatenate([jnp.where(free, triangle, 0.0), jnp.diag(jnp.where(free, 0.0, 1.0))])
        rows, corner = jnp.linalg.qr(stacked)
        regular = (jnp.abs(jnp.diagonal(corner)) > n * eps * jnp.where(free, size, 1.0)).all()
        z = solve_triangular(corner, rows.T @ jnp.concatenate([rest, fixed]))
        return jnp.where(free, z, x), regular & jnp.isfinite(z).all()

    def step(s):
        z, regular = free_solution(s.x, s.free)
        inside = (z >= lower) & (z <= upper)
        gain = (z - s.x)[s.entered] * jnp.where(s.x[s.entered] <= lower[s.entered], 1.0, -1.0) > 0
        # A variable that was set free but cannot move the right way (rounding) is refused until the set changes.
        wrong = (s.entered >= 0) & ~(gain & regular)
        complete = inside.all() & ~wrong

        x = jnp.where(complete, z, s.x)
        slope = triangle.T @ (triangle @ x - target)
        refused = jnp.where(complete, False, s.refused) | (wrong & (index == s.entered))
        free = s.free & ~(wrong & (index == s.entered))
        violation = jnp.where((x <= lower) & (slope < 0), -slope, jnp.where((x >= upper) & (slope > 0), slope, 0.0))
        violation = jnp.where(free | refused | (violation <= limit), 0.0, violation)
        best = jnp.argmax(violation).astype(jnp.int32)
        found = violation[best] > 0
        choosing = complete | wrong
        entered = jnp.where(choosing & found, best, -1).astype(jnp.int32)
        chosen = free | ((index == best) & found)

        # Otherwise as far as the first bound on the way to z, which joins the fixed.
        moves = z - s.x
        safe = jnp.where(moves == 0, 1.0, moves)
        ratio = jnp.where(s.free & ~inside, jnp.where(moves > 0, (upper - s.x) / safe, (lower - s.x) / safe), jnp.inf)
        length = jnp.clip(jnp.min(ratio), 0.0, 1.0)
        hit = s.free & ~inside & (ratio <= length * (1 + 4 * eps))
        moved = jnp.where(hit, jnp.where(moves > 0, upper, lower), s.x + length * jnp.where(s.free, moves, 0.0))

        nit = s.nit + (choosing & found)
        done = choosing & ~found
        over = (nit > maxiter) | (s.steps >= 3 * maxiter + 10 * n)
        status = jnp.where(done, CONVERGED, jnp.where(over, MAX_ITERATIONS, RUNNING))
        return _State(
            x=jnp.where(choosing, x, jnp.clip(moved, lower, upper)),
            free=jnp.where(choosing, chosen, s.free & ~hit),
            refused=refused,
            entered=entered,
            nit=nit,
            steps=s.steps + 1,
            status=status.astype(jnp.int32),
        )

    zero = jnp.asarray(0, jnp.int32)
    if nonnegative:
        start, free, nit = guess_free(triangle, target, limit, maxiter)
    else:
        bounded_below, bounded_above = jnp.isfinite(lower), jnp.isfinite(upper)
        start = jnp.where(bounded_below, lower, jnp.where(bounded_above, upper, 0.0))
        free, nit = ~(bounded_below | bounded_above), zero
    first = _State(start, free, jnp.zeros(n, bool), zero - 1, nit, zero, zero + RUNNING)
    return lax.while_loop(lambda s: s.status == RUNNING, step, first)
