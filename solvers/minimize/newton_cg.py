"""Truncated Newton: conjugate gradients on the Newton system, then a line search."""

from dataclasses import dataclass
from typing import Any

import jax.numpy as jnp
from jax import lax

from solvers.minimize import line_search
from solvers.minimize.cg import Searcher, SearchState
from solvers.minimize.status import MAX_ITERATIONS, NOT_FINITE, PRECISION_LOSS, RUNNING, SUCCESS
from solvers.pytrees import pytree_dataclass
from solvers.roots.vectors import inner, norm, pack

__all__ = ["NewtonCG"]

_MOST = 50.0  # greatest multiple of the Newton step in the first line search


@pytree_dataclass
@dataclass(frozen=True)
class NewtonCG(Searcher):
    """Line-search Newton with conjugate gradients; termination and constants are SciPy's.

    Parameters
    ----------
    xtol : float
        Success when a step's mean absolute component is at most `xtol`.
    c1, c2 : float
        Constants of the sufficient decrease and curvature conditions, ``0 < c1 < c2 < 1``.
    maxiter : int, optional
        Most iterations, ``200 n`` if absent.
    pause : int, optional
        Stop, with status -1, once this many iterations are done, so that the caller can look and resume.

    Notes
    -----
    Status 3: not a number, or conjugate gradients did not converge in ``20 n`` steps.

    References
    ----------
    .. [1] J. Nocedal and S. J. Wright, "Numerical Optimization", 2nd ed., algorithm 7.1.
    """

    xtol: Any = 1e-5
    c1: Any = 1e-4
    c2: Any = 0.9
    maxiter: Any = None
    pause: Any = None

    def results(self, state):
        """Entries of the result that only this method has."""
        return {"nhev": state.nhev}

    def step(self, problem, state):
        """Evaluate at the trial point; on acceptance choose the next direction."""
        dtype = state.x.dtype
        c1, c2 = jnp.asarray(self.c1, dtype), jnp.asarray(self.c2, dtype)
        trial = state.x + line_search.unpack(state.scalars).alpha * state.direction
        fun, jac = problem(trial)
        slope = inner(jac, state.direction)
        moved = line_search.advance(state.scalars[: line_search.SIZE], fun, slope, c1, c2, most=_MOST)
        outcome = line_search.unpack(moved).outcome
        lost = (outcome == line_search.FAILED) & jnp.isnan(fun)
        accepted = state.fresh | lost | (outcome == line_search.ACCEPTED)
        nit = state.nit + (accepted & ~state.fresh)

        def accept():
            maxiter = 200 * trial.size if self.maxiter is None else self.maxiter
            direction, products, unending = _direction(problem.linearised(trial), jac)
            length = jnp.sum(jnp.abs(trial - state.x))
            small = ~state.fresh & (length <= trial.size * self.xtol)
            status = jnp.where(unending, NOT_FINITE, RUNNING)
            status = jnp.where(nit >= maxiter, MAX_ITERATIONS, status)
            status = jnp.where(small, SUCCESS, status)
            status = jnp.where(~jnp.isfinite(fun) | ~jnp.all(jnp.isfinite(jac)), PRECISION_LOSS, status)
            status = jnp.where(jnp.isnan(norm(jac) + fun + norm(trial)), NOT_FINITE, status)
            # From the start, a whole Newton step is tried.
            previous = jnp.where(state.fresh, jnp.inf, state.fun)
            search = line_search.start(fun, inner(jac, direction), previous)
            nhev = state.nhev + jnp.where(status == RUNNING, products if problem.counts_products else 1, 0)
            rest = (fun, nit, state.nfev + 1, status, False, nhev)
            return trial, jac, direction, pack((search, *rest), dtype)

        def reject():
            status = jnp.where(outcome == line_search.FAILED, PRECISION_LOSS, RUNNING)
            rest = (state.fun, nit, state.nfev + 1, status, False, state.nhev)
            return state.x, state.jac, state.direction, jnp.concatenate([moved, pack(rest, dtype)])

        updated = lax.cond(accepted, accept, reject)
        path = state.path
        if path.shape[0]:
            path = path.at[jnp.where(accepted, nit, path.shape[0])].set(trial, mode="drop")
        return SearchState(*updated, path)


def _direction(hessian, jac):
    """Truncated conjugate gradients on ``H p = -g``; the products used, and whether they did not end."""
    size = jnp.sum(jnp.abs(jac))
    tolerance = jnp.minimum(0.5, jnp.sqrt(size)) * size
    flat = 3 * jnp.finfo(jac.dtype).eps
    most = 20 * jac.size

    def going(carry):
        _, r, _, count, ended = carry
        return ~ended & (jnp.sum(jnp.abs(r)) > tolerance) & (count < most)

    def advance(carry):
        p, r, d, count, _ = carry
        image = hessian(d)
        curvature = inner(d, image)
        squared = inner(r, r)
        none, negative = (curvature >= 0) & (curvature <= flat), curvature < 0
        alpha = squared / curvature
        ended = none | negative
        # Negative curvature at once: steepest descent.
        moved = jnp.where(negative & (count == 0), -alpha * d, jnp.where(ended, p, p + alpha * d))
        residual = r + alpha * image
        return moved, residual, -residual + inner(residual, residual) / squared * d, count + 1, ended

    start = (jnp.zeros_like(jac), jac, -jac, 0, jnp.asarray(False))
    p, _, _, count, ended = lax.while_loop(going, advance, start)
    return p, count, ~ended & (count >= most)
