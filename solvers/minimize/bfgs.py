"""The BFGS quasi-Newton minimiser."""

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
from solvers.roots.vectors import entry, inner, norm, pack, product

__all__ = ["BFGS", "BFGSState"]


class BFGSState(NamedTuple):
    """Iterate, quasi-Newton model and line search of `BFGS`.

    ``scalars`` packs the `Search`, then value, iterations, evaluations, status, and whether the start is yet to
    be evaluated.
    """

    x: jax.Array
    jac: jax.Array
    hess_inv: jax.Array
    direction: jax.Array
    scalars: jax.Array
    path: jax.Array

    fun = property(lambda self: entry(self.scalars, line_search.SIZE))
    nit = property(lambda self: entry(self.scalars, line_search.SIZE + 1).astype(jnp.int32))
    nfev = property(lambda self: entry(self.scalars, line_search.SIZE + 2).astype(jnp.int32))
    status = property(lambda self: entry(self.scalars, line_search.SIZE + 3).astype(jnp.int32))
    fresh = property(lambda self: entry(self.scalars, line_search.SIZE + 4) > 0)


@pytree_dataclass
@dataclass(frozen=True)
class BFGS(Pausing):
    """BFGS with a strong-Wolfe line search; termination and constants are SciPy's.

    Parameters
    ----------
    gtol : float
        Success when the norm of the gradient is at most `gtol`. In float32 take about 1e-3.
    norm : float, static
        Order of that norm.
    xrtol : float
        Also success when a step is shorter than ``xrtol * (xrtol + norm(x))``; 0 disables it.
    c1, c2 : float
        Constants of the sufficient decrease and curvature conditions, ``0 < c1 < c2 < 1``.
    hess_inv0 : (n, n) array, optional
        First inverse Hessian, symmetric positive definite; the identity if absent.
    maxiter : int, optional
        Most iterations, ``200 n`` if absent.
    pause : int, optional
        Stop, with status -1, once this many iterations are done, so that the caller can look and resume.

    References
    ----------
    .. [1] J. Nocedal and S. J. Wright, "Numerical Optimization", 2nd ed., algorithm 6.1.
    """

    gtol: Any = 1e-5
    xrtol: Any = 0.0
    c1: Any = 1e-4
    c2: Any = 0.9
    hess_inv0: Any = None
    maxiter: Any = None
    pause: Any = None
    norm: float = field(default=float("inf"), metadata={"static": True})

    def init(self, problem, x0, capacity=0):
        """State at `x0` before any evaluation, with room to record `capacity` iterates."""
        del problem
        n, dtype = x0.size, x0.dtype
        hess_inv = np.eye(n, dtype=dtype) if self.hess_inv0 is None else self.hess_inv0.astype(dtype)
        return BFGSState(
            x=x0,
            jac=np.zeros(n, dtype),
            hess_inv=hess_inv,
            direction=np.zeros(n, dtype),
            scalars=search_scalars(dtype, 0),
            path=np.zeros((capacity, n), dtype),
        )

    def step(self, problem, state):
        """Evaluate at the trial point; on acceptance update the model and choose the next direction."""
        dtype = state.x.dtype
        c1, c2 = jnp.asarray(self.c1, dtype), jnp.asarray(self.c2, dtype)
        trial = state.x + line_search.unpack(state.scalars).alpha * state.direction
        fun, jac = problem(trial)

        moved = line_search.advance(state.scalars[: line_search.SIZE], fun, inner(jac, state.direction), c1, c2)
        outcome = line_search.unpack(moved).outcome
        # A search that backed away from NaN to its end ends there, so that the result shows the NaN (SciPy).
        lost = (outcome == line_search.FAILED) & jnp.isnan(fun)
        accepted = state.fresh | lost | (outcome == line_search.ACCEPTED)
        nit = state.nit + (accepted & ~state.fresh)

        # A real branch: XLA would repeat its scalars in every kernel that uses them.
        def accept():
            step = trial - state.x
            status = self._status(trial, fun, jac, step, nit, state.fresh)
            # As in SciPy, the step that ends the iteration no longer enters the model.
            learns = ~state.fresh & ((status == RUNNING) | (status == MAX_ITERATIONS))
            hess_inv = jnp.where(learns, _update(state.hess_inv, step, jac - state.jac), state.hess_inv)
            direction = -product(hess_inv, jac)
            # The first step aims at a length of about one.
            previous = jnp.where(state.fresh, fun + 0.5 * norm(jac), state.fun)
            search = line_search.start(fun, inner(jac, direction), previous)
            rest = (fun, nit, state.nfev + 1, status, False)
            return trial, jac, hess_inv, direction, pack((search, *rest), dtype)

        def reject():
            status = jnp.where(outcome == line_search.FAILED, PRECISION_LOSS, RUNNING)
            rest = (state.fun, nit, state.nfev + 1, status, False)
            scalars = jnp.concatenate([moved, pack(rest, dtype)])
            return state.x, state.jac, state.hess_inv, state.direction, scalars

        updated = lax.cond(accepted, accept, reject)
        path = state.path
        if path.shape[0]:
            path = path.at[jnp.where(accepted, nit, path.shape[0])].set(trial, mode="drop")
        return BFGSState(*updated, path)

    def _status(self, x, fun, jac, step, nit, fresh):
        """Termination at an accepted point, in SciPy's order of precedence."""
        maxiter = 200 * x.size if self.maxiter is None else self.maxiter
        gnorm = jnp.linalg.norm(jac, ord=self.norm)
        xnorm = norm(x)
        undefined = jnp.isnan(gnorm + fun + xnorm)
        small_gradient = gnorm <= self.gtol
        small_step = ~fresh & (norm(step) <= self.xrtol * (self.xrtol + xnorm))
        # With xrtol = 0 a step of length zero is stagnation, not success.
        stagnated = small_step & (self.xrtol <= 0)
        end = jnp.where(small_gradient | (small_step & ~stagnated), SUCCESS, RUNNING)
        end = jnp.where((end == RUNNING) & stagnated, PRECISION_LOSS, end)
        end = jnp.where(nit >= maxiter, MAX_ITERATIONS, end)
        end = jnp.where(~jnp.isfinite(fun) | ~jnp.isfinite(gnorm), PRECISION_LOSS, end)
        return jnp.where(undefined, NOT_FINITE, end)


def _update(hess_inv, step, change):
    """Rank-two BFGS update of the inverse Hessian."""
    curvature = inner(change, step)
    # A zero curvature counts as a large one (SciPy).
    rho = jnp.where(curvature == 0, 1000.0, 1 / curvature)
    image = product(hess_inv, change)
    half = 0.5 * rho * (1 + rho * inner(change, image)) * step - rho * image
    return hess_inv + (step[:, None] * half + half[:, None] * step)
