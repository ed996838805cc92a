"""The derivative-free spectral residual method."""

from dataclasses import dataclass, field
from typing import Any, NamedTuple

import jax.numpy as jnp
import numpy as np

from solvers.pytrees import pytree_dataclass
from solvers.roots.vectors import inner

__all__ = ["DFSane", "DFSaneState"]

RUNNING, CONVERGED, MAX_EVALUATIONS = -1, 1, 2
_GAMMA, _SHORTEST, _LONGEST = 1e-4, 0.1, 0.5


class DFSaneState(NamedTuple):
    """Iterate and value, last merits, spectral coefficient, and the two lengths of the search (on trial: `forward`)."""

    x: Any
    fun: Any
    merits: Any
    sigma: Any
    ahead: Any
    back: Any
    next_ahead: Any
    forward: Any
    first: Any
    nfev: Any
    nit: Any
    status: Any

    jac = property(lambda self: None)
    njev = property(lambda self: jnp.zeros_like(self.nfev))


@pytree_dataclass
@dataclass(frozen=True)
class DFSane:
    """DF-SANE with the nonmonotone search of its authors.

    Parameters
    ----------
    ftol, fatol : float
        Converged when ``norm(F) < ftol * norm(F0) + fatol``.
    maxfev : int
        Most evaluations.
    memory : int, static
        Number of merits of which the search may reach the largest.
    sigma_eps, sigma_0 : float
        Limits ``(sigma_eps, 1 / sigma_eps)`` and first value of the spectral coefficient.

    References
    ----------
    .. [1] W. La Cruz, J. M. Martinez, M. Raydan, "Spectral residual method without gradient information for solving
       large-scale nonlinear systems of equations", Math. Comp. 75, 2006.
    """

    ftol: Any = 1e-8
    fatol: Any = 1e-300
    maxfev: Any = 1000
    sigma_eps: Any = 1e-10
    sigma_0: Any = 1.0
    memory: int = field(default=10, metadata={"static": True})

    def init(self, problem, x0):
        """State at `x0` before any evaluation."""
        del problem
        one, count = jnp.ones((), x0.dtype), jnp.asarray(0, jnp.int32)
        merits = jnp.full(self.memory, -jnp.inf, x0.dtype)
        sigma = one * jnp.asarray(self.sigma_0, x0.dtype)
        return DFSaneState(x0, jnp.zeros_like(x0), merits, sigma, one, one, one, jnp.asarray(True), 0 * one, count,
                           count, jnp.asarray(RUNNING, jnp.int32))  # fmt: skip

    def converged(self, state):
        """Whether the iteration ended."""
        return state.status != RUNNING

    def step(self, problem, state):
        """Evaluate on one side; accept, turn to the other side, or shorten both lengths."""
        start = state.nfev == 0
        direction = -state.sigma * state.fun
        length = jnp.where(state.forward, state.ahead, -state.back)
        trial = jnp.where(start, state.x, state.x + length * direction)
        value = problem[0](trial)
        merit, last = inner(value, value), inner(state.fun, state.fun)
        first = jnp.where(start, merit, state.first)
        # Zero to a power is not to be differentiated, so a product.
        slack = first / (1.0 + state.nit) / (1.0 + state.nit)
        enough = merit <= jnp.max(state.merits) + slack - _GAMMA * length**2 * last
        accepted = start | enough

        change, step = value - state.fun, trial - state.x
        sigma = inner(step, step) / inner(step, change)
        sigma = jnp.where(start, state.sigma, sigma)
        sigma = jnp.where(jnp.abs(sigma) > 1 / self.sigma_eps, jnp.sign(sigma) / self.sigma_eps, sigma)
        sigma = jnp.where(jnp.abs(sigma) < self.sigma_eps, self.sigma_eps, sigma)

        size = jnp.abs(length)
        model = size**2 * last / (merit + (2 * size - 1) * last)
        shorter = jnp.clip(model, _SHORTEST * size, _LONGEST * size)
        merits = jnp.where(np.arange(self.memory) == jnp.where(start, 0, state.nit + 1) % self.memory, merit,
                           state.merits)  # fmt: skip
        new = DFSaneState(
            x=jnp.where(accepted, trial, state.x),
            fun=jnp.where(accepted, value, state.fun),
            merits=jnp.where(accepted, merits, state.merits),
            sigma=jnp.where(accepted, sigma, state.sigma),
            ahead=jnp.where(accepted, 1.0, jnp.where(state.forward, state.ahead, state.next_ahead)),
            back=jnp.where(accepted, 1.0, jnp.where(state.forward, state.back, shorter)),
            next_ahead=jnp.where(state.forward, shorter, state.next_ahead),
            forward=accepted | ~state.forward,
            first=first,
            nfev=state.nfev + 1,
            nit=state.nit + (accepted & ~start),
            status=state.status,
        )
        done = accepted & (jnp.sqrt(merit) < self.ftol * jnp.sqrt(first) + self.fatol)
        # A merit that is no number never passes the search.
        out = (new.nfev >= self.maxfev) | ~jnp.isfinite(last)
        status = jnp.where(done, CONVERGED, jnp.where(out, MAX_EVALUATIONS, RUNNING))
        return new._replace(status=status.astype(jnp.int32))
