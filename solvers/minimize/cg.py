"""Nonlinear conjugate gradients."""

from dataclasses import dataclass, field
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from solvers.minimize import line_search
from solvers.minimize.searcher import Pausing, search_scalars
from solvers.minimize.status import MAX_ITERATIONS, NOT_FINITE, PRECISION_LOSS, RUNNING, SUCCESS
from solvers.pytrees import pytree_dataclass
from solvers.roots.vectors import entry, inner, norm, pack

__all__ = ["CG", "SearchState"]

_SUFFICIENT = 0.01  # of Gilbert and Nocedal's descent condition


class SearchState(NamedTuple):
    """Iterate, direction and line search.

    ``scalars`` packs the `Search`, then value, iterations, evaluations, status, whether the start is yet to be
    evaluated, products with the Hessian.
    """

    x: jax.Array
    jac: jax.Array
    direction: jax.Array
    scalars: jax.Array
    path: jax.Array

    fun = property(lambda self: entry(self.scalars, line_search.SIZE))
    nit = property(lambda self: entry(self.scalars, line_search.SIZE + 1).astype(jnp.int32))
    nfev = property(lambda self: entry(self.scalars, line_search.SIZE + 2).astype(jnp.int32))
    status = property(lambda self: entry(self.scalars, line_search.SIZE + 3).astype(jnp.int32))
    fresh = property(lambda self: entry(self.scalars, line_search.SIZE + 4) > 0)
    nhev = property(lambda self: entry(self.scalars, line_search.SIZE + 5).astype(jnp.int32))


class Searcher(Pausing):
    """What the line-search methods without a matrix share."""

    def init(self, problem, x0, capacity=0):
        """State at `x0` before any evaluation, with room to record `capacity` iterates."""
        del problem
        n, dtype = x0.size, x0.dtype
        zeros = np.zeros(n, dtype)
        return SearchState(x0, zeros, zeros, search_scalars(dtype, 1), np.zeros((capacity, n), dtype))


@pytree_dataclass
@dataclass(frozen=True)
class CG(Searcher):
    """Conjugate gradients by Polak and Ribiere, with Powell's restart; termination and constants are SciPy's.

    Parameters
    ----------
    gtol : float
        Success when the norm of the gradient is at most `gtol`. In float32 take about 1e-3.
    norm : float, static
        Order of that norm.
    c1, c2 : float
        Constants of the sufficient decrease and curvature conditions, ``0 < c1 < c2 < 1``.
    maxiter : int, optional
        Most iterations, ``200 n`` if absent.
    pause : int, optional
        Stop, with status -1, once this many iterations are done, so that the caller can look and resume.

    References
    ----------
    .. [1] J. Nocedal and S. J. Wright, "Numerical Optimization", 2nd ed., section 5.2.
    .. [2] J. C. Gilbert, J. Nocedal, "Global convergence properties of conjugate gradient methods for optimization",
       SIAM J. Optim. 2 (1992) 21-42.
    """

    gtol: Any = 1e-5
    c1: Any = 1e-4
    c2: Any = 0.4
    maxiter: Any = None
    pause: Any = None
    norm: float = field(default=float("inf"), metadata={"static": True})

    def step(self, problem, state):
        """Evaluate at the trial point; on acceptance choose the next direction."""
        dtype = state.x.dtype
        c1, c2 = jnp.asarray(self.c1, dtype), jnp.asarray(self.c2, dtype)
        trial = state.x + line_search.unpack(state.scalars).alpha * state.direction
        fun, jac = problem(trial)

        before = inner(state.jac, state.jac)
        beta = jnp.where(state.fresh, 0.0, jnp.maximum(0.0, inner(jac - state.jac, jac) / before))
        direction = -jac + beta * state.direction
        gnorm = jnp.linalg.norm(jac, ord=self.norm)
        descends = (gnorm <= self.gtol) | (inner(direction, jac) <= -_SUFFICIENT * inner(jac, jac))
        slope = inner(jac, state.direction)
        moved = line_search.advance(state.scalars[: line_search.SIZE], fun, slope, c1, c2, descends)
        outcome = line_search.unpack(moved).outcome
        # A search that backed away from NaN to its end ends there, so that the result shows the NaN.
        lost = (outcome == line_search.FAILED) & jnp.isnan(fun)
        accepted = state.fresh | lost | (outcome == line_search.ACCEPTED)
        nit = state.nit + (accepted & ~state.fresh)

        def accept():
            maxiter = 200 * trial.size if self.maxiter is None else self.maxiter
            status = jnp.where(gnorm <= self.gtol, SUCCESS, RUNNING)
            status = jnp.where(nit >= maxiter, MAX_ITERATIONS, status)
            status = jnp.where(~jnp.isfinite(fun) | ~jnp.isfinite(gnorm), PRECISION_LOSS, status)
            status = jnp.where(jnp.isnan(gnorm + fun + norm(trial)), NOT_FINITE, status)
            previous = jnp.where(state.fresh, fun + 0.5 * norm(jac), state.fun)
            search = line_search.start(fun, inner(jac, direction), previous)
            rest = (fun, nit, state.nfev + 1, status, False, 0)
            return trial, jac, direction, pack((search, *rest), dtype)

        def reject():
            status = jnp.where(outcome == line_search.FAILED, PRECISION_LOSS, RUNNING)
            rest = (state.fun, nit, state.nfev + 1, status, False, 0)
            return state.x, state.jac, state.direction, jnp.concatenate([moved, pack(rest, dtype)])

        updated = lax.cond(accepted, accept, reject)
        path = state.path
        if path.shape[0]:
            path = path.at[jnp.where(accepted, nit, path.shape[0])].set(trial, mode="drop")
        return SearchState(*updated, path)
