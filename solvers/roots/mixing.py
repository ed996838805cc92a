"""Quasi-Newton iterations with an Armijo search on the squared norm."""

from dataclasses import dataclass, field
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax import lax

from solvers.pytrees import pytree_dataclass
from solvers.roots.approximations import Broyden1
from solvers.roots.vectors import inner, norm

__all__ = ["QuasiNewton", "QuasiNewtonState"]

RUNNING, CONVERGED, MAX_ITERATIONS, NOT_FINITE, NO_STEP = -1, 1, 2, 3, 4
_SUFFICIENT, _LEAST = 1e-4, 1e-2
_GAMMA, _ETA_MOST, _ETA_THRESHOLD, _ETA_FIRST = 0.9, 0.9999, 0.1, 1e-3


class QuasiNewtonState(NamedTuple):
    """Iterate, its value, direction, the model, and the search: ``length`` is on trial, the other two came before."""

    x: Any
    fun: Any
    direction: Any
    model: Any
    length: Any
    before: Any  # (length, merit) of the last trial
    trials: Any
    first_norm: Any
    forcing: Any
    nfev: Any
    nit: Any
    status: Any

    jac = property(lambda self: None)
    njev = property(lambda self: jnp.zeros_like(self.nfev))


@pytree_dataclass
@dataclass(frozen=True)
class QuasiNewton:
    """Steps ``-J^{-1} fun`` by an approximation of the Jacobian, shortened until the norm decreases.

    Parameters
    ----------
    approximation : dataclass of `solvers.roots.approximations`
    f_tol, f_rtol, x_tol, x_rtol : float
        Converged when the largest component of `fun` is at most `f_tol` and at most `f_rtol` of the first one, and
        that of the step at most `x_tol` and at most `x_rtol` of that of x.
    maxiter : int, optional
        Most iterations, ``100 (n + 1)`` if absent.
    fixed : int, optional
        Make this many iterations instead of testing.
    search : bool, static
        Whether to search along the step.

    References
    ----------
    .. [1] J. Nocedal, S. J. Wright, "Numerical Optimization", 2nd ed., 2006, section 3.5.
    .. [2] S. C. Eisenstat, H. F. Walker, "Choosing the forcing terms in an inexact Newton method", SIAM J. Sci.
       Comput. 17, 1996.
    """

    approximation: Any = field(default_factory=Broyden1)
    f_tol: Any = 6.055e-6
    f_rtol: Any = float("inf")
    x_tol: Any = float("inf")
    x_rtol: Any = float("inf")
    maxiter: Any = None
    fixed: Any = None
    search: bool = field(default=True, metadata={"static": True})

    def init(self, problem, x0):
        """State at `x0` before any evaluation."""
        del problem
        zero = jnp.zeros((), x0.dtype)
        nothing, count = jnp.zeros_like(x0), jnp.asarray(0, jnp.int32)
        return QuasiNewtonState(
            x=x0,
            fun=nothing,
            direction=nothing,
            model=self.approximation.first(x0, nothing),
            length=zero,
            before=(zero, zero),
            trials=count,
            first_norm=zero,
            forcing=zero + _ETA_FIRST,
            nfev=count,
            nit=count,
            status=jnp.asarray(RUNNING, jnp.int32),
        )

    def converged(self, state):
        """Whether the iteration ended."""
        return state.status != RUNNING

    def step(self, problem, state):
        """Evaluate the trial; accept it and choose the next direction, or choose the next length."""
        function = problem[0]
        trial = state.x + state.length * state.direction
        value = function(trial)
        start = state.nfev == 0
        merit, merit0 = inner(value, value), inner(state.fun, state.fun)
        enough = merit <= merit0 * (1 - _SUFFICIENT * state.length)
        if not self.search:
            enough = jnp.asarray(True)
        # After the search has failed the full step is taken, whatever it brings.
        accepted = start | enough | (state.trials < 0)
        state = state._replace(nfev=state.nfev + 1)
        return lax.cond(
            accepted,
            lambda: self._accept(function, state, trial, value, start),
            lambda: _shorten(state, merit0, merit),
        )

    def _accept(self, function, state, x, value, start):
        old = state.model
        moved = self.approximation.update(old, x - state.x, value - state.fun, value, state.fun)
        model = jax.tree.map(lambda a, b: jnp.where(start, a, b), self.approximation.first(x, value), moved)
        new, previous = norm(value), norm(state.fun)
        ratio = _GAMMA * (new / jnp.where(previous > 0, previous, 1.0)) ** 2
        kept = _GAMMA * state.forcing**2
        forcing = jnp.minimum(_ETA_MOST, jnp.where(kept < _ETA_THRESHOLD, ratio, jnp.maximum(ratio, kept)))
        forcing = jnp.where(start, state.forcing, forcing)

        size = jnp.max(jnp.abs(value))
        first = jnp.where(start, size, state.first_norm)
        step = jnp.where(start, jnp.inf, jnp.max(jnp.abs(state.direction)))
        maxiter = 100 * (x.size + 1) if self.maxiter is None else self.maxiter
        over = state.nit >= maxiter
        nit = jnp.where(over, state.nit, state.nit + 1)
        if self.fixed is not None:
            test = jnp.where(nit > self.fixed, MAX_ITERATIONS, RUNNING)
        else:
            small = (size <= self.f_tol) & (size / self.f_rtol <= first)
            small &= (step <= self.x_tol) & (step / self.x_rtol <= jnp.max(jnp.abs(x)))
            test = jnp.where(small, CONVERGED, RUNNING)
        status = jnp.where(size == 0, CONVERGED, test)
        status = jnp.where(over, MAX_ITERATIONS, status)
        status = jnp.where(jnp.isfinite(value).all(), status, NOT_FINITE)

        def linear(v):
            return jax.jvp(function, (x,), (v,))[1]

        tolerance = jnp.minimum(forcing, forcing * new)
        product, model = self.approximation.solve(model, x, value, tolerance, linear)
        stuck = (status == RUNNING) & ~(jnp.max(jnp.abs(product)) > 0)
        return state._replace(
            x=x,
            fun=value,
            direction=-product,
            model=model,
            length=jnp.ones_like(state.length),
            trials=jnp.zeros_like(state.trials),
            first_norm=first,
            forcing=forcing,
            nit=nit,
            status=jnp.where(stuck, NO_STEP, status).astype(jnp.int32),
        )


def _shorten(state, merit0, merit):
    """The next length: the minimiser of a parabola, then of cubics; or give up."""
    slope = -merit0  # of the squared norm along a Newton step
    length, (last, last_merit) = state.length, state.before
    # A cubic's length that is close to the last one, or far below, counts as half the last (as SciPy).
    cautious = (last - length > last / 2) | (1 - length / last < 0.96)
    length = jnp.where((state.trials > 1) & cautious, last / 2, length)
    parabola = -slope * length**2 / 2 / (merit - merit0 - slope * length)
    factor = last**2 * length**2 * (length - last)
    one, two = merit - merit0 - slope * length, last_merit - merit0 - slope * last
    a = (last**2 * one - length**2 * two) / factor
    b = (-(last**3) * one + length**3 * two) / factor
    cubic = (-b + jnp.sqrt(jnp.abs(b**2 - 3 * a * slope))) / (3 * a)
    first = state.trials == 0
    new = jnp.where(first, parabola, cubic)
    failed = (~first & ~(length > _LEAST)) | ~jnp.isfinite(new)
    return state._replace(
        length=jnp.where(failed, 1.0, new),
        before=(length, merit),
        trials=jnp.where(failed, -1, state.trials + 1).astype(jnp.int32),
    )
