"""Damped Newton iteration on the collocation system, with steps measured in the metric of the Jacobian.

References
----------
.. [1] U. M. Ascher, R. M. M. Mattheij, R. D. Russell, "Numerical Solution of Boundary Value Problems for Ordinary
       Differential Equations", SIAM 1995, Sec. 8.1.
"""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax import lax

from solvers.bvp.collocation import linearised, residual
from solvers.bvp.condense import factor, solve

#: Factorisations, iterations and halvings of a step at most; SciPy's values.
MAX_FACTORS, MAX_ITERATIONS, MAX_HALVINGS = 4, 8, 4
#: Least relative decrease of the squared step that makes a step acceptable.
_SIGMA = 0.2


class _State(NamedTuple):
    y: Any  # the last accepted point
    p: Any
    dy: Any  # the Newton step from there, which is subtracted
    dp: Any
    cost: Any  # its squared length
    alpha: Any  # the part of it that is tried
    halvings: Any
    fresh: Any  # the next evaluation is at the accepted point, and factorises
    factors: Any
    at: Any  # `Residual` of the last evaluation
    njev: Any
    iteration: Any
    singular: Any
    done: Any


def newton(equations, params, x, count, y, p, project, tol, bc_tol):
    """Solve the collocation system on a mesh of ``count`` nodes.

    ``project`` (n, n) or None is applied to the first node of every trial. Returns y, p, the `Residual` there, and
    whether the Jacobian was singular.
    """
    valid = (jnp.arange(x.size) < count)[:, None]
    h = jnp.diff(x)[:, None]
    bound = 2 / 3 * h * 5e-2 * tol

    def trial(s):
        alpha = jnp.where(s.fresh, 0, s.alpha)
        y, p = s.y - alpha * s.dy, s.p - alpha * s.dp
        if project is not None:
            y = y.at[0].set(jnp.where(s.fresh, y[0], project @ y[0]))
        return y, p

    def step(s):
        y, p = trial(s)
        at = residual(equations, params, x, y, p)
        factors = lax.cond(
            s.fresh,
            lambda: factor(linearised(equations, params, x, y, p, at.y_middle)),
            lambda: s.factors,
        )
        dy, dp = solve(factors, at.inner, at.outer)
        cost = jnp.sum(jnp.where(valid, jnp.abs(dy) ** 2, 0)) + jnp.sum(jnp.abs(dp) ** 2)
        better = cost < (1 - 2 * s.alpha * _SIGMA) * s.cost
        accept = ~s.fresh & (better | (s.halvings == MAX_HALVINGS))
        small = jnp.all((jnp.abs(at.inner) < bound * (1 + jnp.abs(at.f_middle))) | ~valid[1:])
        small &= jnp.all(jnp.abs(at.outer) < bc_tol)
        singular = s.fresh & ~jnp.isfinite(cost)
        iteration = s.iteration + accept
        njev = s.njev + s.fresh
        done = singular | (accept & (small | (njev == MAX_FACTORS) | (iteration == MAX_ITERATIONS)))
        full = accept & (s.alpha == 1)  # a full step was good: the next one keeps the factors
        moved, turned = s.fresh | accept, s.fresh | full

        def pick(flag, new, old):
            return jnp.where(flag, new, old)

        return _State(
            pick(moved, y, s.y), pick(moved, p, s.p), pick(turned, dy, s.dy), pick(turned, dp, s.dp),
            pick(turned, cost, s.cost), pick(moved, 1, 0.5 * s.alpha), pick(moved, 0, s.halvings + 1),
            accept & ~full, factors, at, njev, iteration, singular, done,
        )  # fmt: skip

    shapes = jax.eval_shape(lambda: residual(equations, params, x, y, p))
    blank = jax.tree.map(lambda v: jnp.zeros(v.shape, v.dtype), shapes)
    shapes = jax.eval_shape(lambda: factor(linearised(equations, params, x, y, p, blank.y_middle)))
    factors = jax.tree.map(lambda v: jnp.zeros(v.shape, v.dtype), shapes)
    one, no = jnp.ones((), x.dtype), jnp.zeros((), bool)
    zero = jnp.zeros((), jnp.int32)
    state = _State(y, p, jnp.zeros_like(y), jnp.zeros_like(p), one, one, zero, ~no, factors, blank, zero, zero, no, no)
    state = lax.while_loop(lambda s: ~s.done, step, state)
    return state.y, state.p, state.at, state.singular
