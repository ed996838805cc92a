"""A primal-dual interior point method for linear programs with bounds.

References
----------
.. [1] S. Mehrotra, "On the implementation of a primal-dual interior point method", SIAM J. Optim. 2, 1992.
.. [2] S. J. Wright, "Primal-Dual Interior-Point Methods", SIAM, 1997, chapter 10 (starting point, step lengths).
"""

from typing import Any, NamedTuple

import jax.numpy as jnp
from jax import lax
from jax.scipy.linalg import lu_factor, lu_solve

from solvers.implicit import implicit

__all__ = ["LinprogResult", "linprog"]

RUNNING, OPTIMAL, NOT_SOLVED = -1, 0, 4


class LinprogResult(NamedTuple):
    """What `linprog` returns.

    Attributes
    ----------
    x : (n,) array
        The solution. Differentiable by its active set where the vertex is unique.
    dual : (m,) array
        Multipliers of the equations.
    reduced : (n,) array
        ``c - A^T dual``: positive at a lower bound, negative at an upper one.
    status, nit : int arrays
        0 optimal, 4 not solved (infeasible, unbounded, or out of precision).
    vertex : bool array
        Whether the solution is a vertex with strictly complementary multipliers: then it is the only one.
    """

    x: Any
    dual: Any
    reduced: Any
    status: Any
    nit: Any
    vertex: Any


class _Program(NamedTuple):
    c: Any
    matrix: Any
    vector: Any
    lower: Any
    upper: Any


class _State(NamedTuple):
    x: Any
    y: Any
    w: Any  # multipliers of the lower bounds
    v: Any  # of the upper bounds
    error: Any
    nit: Any
    status: Any


def linprog(c, matrix, vector, lower, upper, maxiter=100, tol=1e-10):
    """Minimise ``c @ x`` subject to ``matrix @ x = vector`` and ``lower <= x <= upper``.

    Parameters
    ----------
    c : (n,) array
    matrix : (m, n) array
    vector : (m,) array
    lower, upper : (n,) arrays
        Infinite where there is no bound.
    maxiter : int
    tol : float
        Of the relative infeasibilities and gap before the solution is moved to the vertex.

    Returns
    -------
    LinprogResult

    Examples
    --------
    >>> import jax, jax.numpy as jnp
    >>> from solvers.linprog import linprog
    >>> with jax.enable_x64(True):
    ...     found = linprog(
    ...         jnp.array([-1.0, -2.0, 0.0]), jnp.array([[1.0, 1.0, 1.0]]), jnp.array([4.0]), jnp.zeros(3),
    ...         jnp.array([jnp.inf, 3.0, jnp.inf]),
    ...     )
    >>> found.x.round(6).tolist()
    [1.0, 3.0, 0.0]
    """
    n = c.size

    def solve(params, carried):
        state = _iterate(params, *carried)
        both, vertex, solved = _to_vertex(params, state)
        status = jnp.where(solved, OPTIMAL, NOT_SOLVED).astype(jnp.int32)
        return both, {"status": status, "nit": state.nit, "vertex": vertex & solved}

    def conditions(both, params):
        x, y = both[:n], both[n:]
        reduced = params.c - params.matrix.T @ y
        held = jnp.where(x <= params.lower, x - params.lower, jnp.where(x >= params.upper, x - params.upper, reduced))
        return jnp.concatenate([held, params.matrix @ x - params.vector])

    params = _Program(c, matrix, vector, lower, upper)
    both, aux = implicit(solve, conditions, lambda both, params: {}, params, (maxiter, tol))
    x, y = both[:n], both[n:]
    return LinprogResult(x=x, dual=y, reduced=c - matrix.T @ y, **aux)


def _iterate(program, maxiter, tol):
    """Mehrotra's predictor and corrector on the augmented system, which takes free variables as they are."""
    c, a, b, lower, upper = program
    m, n = a.shape
    has_low, has_high = jnp.isfinite(lower), jnp.isfinite(upper)
    low, high = jnp.where(has_low, lower, 0.0), jnp.where(has_high, upper, 0.0)
    count = jnp.maximum(jnp.sum(has_low) + jnp.sum(has_high), 1)
    eps = jnp.finfo(c.dtype).eps
    scale_b, scale_c = 1 + jnp.max(jnp.abs(b), initial=0.0), 1 + jnp.max(jnp.abs(c))
    size = 1 + jnp.max(jnp.abs(a), initial=0.0)

    def factor(diagonal):
        top = jnp.concatenate([-jnp.diag(diagonal), a.T], axis=1)
        bottom = jnp.concatenate([a, eps * size * jnp.eye(m, dtype=a.dtype)], axis=1)
        return lu_factor(jnp.concatenate([top, bottom]))

    def gaps(x):
        return jnp.where(has_low, x - low, 1.0), jnp.where(has_high, high - x, 1.0)

    def longest(value, change, active):
        ratio = jnp.where(active & (change < 0), -value / jnp.where(change < 0, change, -1.0), jnp.inf)
        return jnp.minimum(1.0, jnp.min(ratio))

    def measures(x, y, w, v):
        primal, dual = b - a @ x, c - a.T @ y - w + v
        p, q = gaps(x)
        gap = jnp.sum(jnp.where(has_low, p * w, 0.0)) + jnp.sum(jnp.where(has_high, q * v, 0.0))
        value = jnp.abs(c @ x)
        error = jnp.maximum(jnp.max(jnp.abs(primal), initial=0.0) / scale_b, jnp.max(jnp.abs(dual)) / scale_c)
        return primal, dual, p, q, gap / count, jnp.maximum(error, gap / (1 + value))

    def step(s):
        primal, dual, p, q, mu, _ = measures(s.x, s.y, s.w, s.v)
        weights = jnp.where(has_low, s.w / p, 0.0) + jnp.where(has_high, s.v / q, 0.0)
        # A variable without bounds has no weight: a little keeps the system regular.
        factors = factor(jnp.maximum(weights, jnp.where(has_low | has_high, 0.0, eps**0.5)))

        def direction(lower_target, upper_target):
            rest = dual - jnp.where(has_low, lower_target / p, 0.0) + jnp.where(has_high, upper_target / q, 0.0)
            both = lu_solve(factors, jnp.concatenate([rest, primal]))
            dx, dy = both[:n], both[n:]
            dw = jnp.where(has_low, (lower_target - s.w * dx) / p, 0.0)
            dv = jnp.where(has_high, (upper_target + s.v * dx) / q, 0.0)
            return dx, dy, dw, dv

        def lengths(dx, dw, dv):
            first = jnp.minimum(longest(p, dx, has_low), longest(q, -dx, has_high))
            return first, jnp.minimum(longest(s.w, dw, has_low), longest(s.v, dv, has_high))

        dx, _, dw, dv = direction(-p * s.w, -q * s.v)
        alpha, beta = lengths(dx, dw, dv)
        ahead = jnp.sum(jnp.where(has_low, (p + alpha * dx) * (s.w + beta * dw), 0.0))
        ahead += jnp.sum(jnp.where(has_high, (q - alpha * dx) * (s.v + beta * dv), 0.0))
        centre = mu * (ahead / count / jnp.where(mu > 0, mu, 1.0)) ** 3
        dx, dy, dw, dv = direction(centre - p * s.w - dx * dw, centre - q * s.v + dx * dv)
        alpha, beta = lengths(dx, dw, dv)
        back = jnp.maximum(0.9, 1 - mu)
        alpha, beta = (jnp.minimum(1.0, back * t) for t in (alpha, beta))
        x, y, w, v = s.x + alpha * dx, s.y + beta * dy, s.w + beta * dw, s.v + beta * dv
        error = measures(x, y, w, v)[-1]
        good = jnp.isfinite(error)
        nit = s.nit + 1
        over = (nit >= maxiter) | ~good
        status = jnp.where(good & (error <= tol), OPTIMAL, jnp.where(over, NOT_SOLVED, RUNNING)).astype(jnp.int32)
        new = _State(x, y, w, v, error, nit, status)
        # The last finite point stays; whether it is good enough is judged at the end.
        return _State(*(jnp.where(good, a, b) for a, b in zip(new[:5], s[:5], strict=True)), nit, status)

    # Mehrotra's start: least norms, moved inside.
    factors = factor(jnp.ones(n, c.dtype))
    x = lu_solve(factors, jnp.concatenate([jnp.zeros_like(c), b]))[:n]
    y = lu_solve(factors, jnp.concatenate([c, jnp.zeros_like(b)]))[n:]
    reduced = c - a.T @ y
    shift = 1 + jnp.max(jnp.where(has_low, low - x, 0.0)) + jnp.max(jnp.where(has_high, x - high, 0.0))
    width = jnp.where(has_low & has_high, high - low, jnp.inf)
    inside = jnp.where(has_low, jnp.maximum(x, low + jnp.minimum(shift, 0.25 * width)), x)
    inside = jnp.where(has_high, jnp.minimum(inside, high - jnp.minimum(shift, 0.25 * width)), inside)
    lift = 1 + jnp.max(jnp.abs(reduced))
    w, v = (
        jnp.where(has_low, jnp.maximum(reduced, 0.0) + lift, 0.0),
        jnp.where(has_high, jnp.maximum(-reduced, 0.0) + lift, 0.0),
    )
    first = _State(
        inside, y, w, v, jnp.asarray(jnp.inf, c.dtype), jnp.asarray(0, jnp.int32), jnp.asarray(RUNNING, jnp.int32)
    )
    return lax.while_loop(lambda s: s.status == RUNNING, step, first)


def _to_vertex(program, state):
    """The solution of the equations of the active set, whether it is a unique vertex, and whether all holds."""
    c, a, b, lower, upper = program
    m, n = a.shape
    eps = jnp.finfo(c.dtype).eps
    below, above = state.x - lower, upper - state.x
    low = jnp.isfinite(lower) & (below < state.w) & (below <= above)
    high = jnp.isfinite(upper) & (above < state.v) & ~low
    held = low | high
    bound = jnp.where(low, lower, jnp.where(high, upper, 0.0))
    # Unknown: the free variables and the multipliers; a held variable has an equation of its own.
    top = jnp.concatenate([jnp.diag(held.astype(c.dtype)), jnp.where(held[:, None], 0.0, a.T)], axis=1)
    system = jnp.concatenate([top, jnp.concatenate([a, jnp.zeros((m, m), c.dtype)], axis=1)])
    right = jnp.concatenate([jnp.where(held, bound, c), b])
    factors = lu_factor(system)
    pivots = jnp.abs(jnp.diagonal(factors[0]))
    regular = jnp.min(pivots) > 1e3 * eps * jnp.max(pivots)
    both = lu_solve(factors, right)
    x, y = jnp.where(held, bound, both[:n]), both[n:]
    reduced = c - a.T @ y
    size, price = 1 + jnp.max(jnp.abs(jnp.where(jnp.isfinite(x), x, 0.0))), 1 + jnp.max(jnp.abs(c))
    near = eps**0.5
    feasible = ((x >= lower - near * size) & (x <= upper + near * size)).all()
    feasible &= jnp.max(jnp.abs(a @ x - b), initial=0.0) <= near * size * (1 + jnp.max(jnp.abs(a), initial=0.0))
    right_sign = jnp.where(low, reduced > near * price, jnp.where(high, reduced < -near * price, True)).all()
    strictly = jnp.where(held, True, (x - lower > near * size) & (upper - x > near * size)).all()
    vertex = regular & feasible & right_sign & strictly & jnp.isfinite(both).all()
    inside = jnp.concatenate([jnp.clip(state.x, lower, upper), state.y])
    solved = (state.error <= eps**0.5) | vertex
    return jnp.where(vertex, jnp.concatenate([x, y]), inside), vertex, solved
