"""Truncated Newton with bounds."""

from dataclasses import dataclass
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from solvers.minimize import thuente
from solvers.minimize.searcher import Pausing
from solvers.minimize.status import RUNNING
from solvers.pytrees import pytree_dataclass
from solvers.roots.vectors import entry, inner, norm, pack

__all__ = ["TNC", "TNCState"]

LOCAL_MINIMUM, SMALL_DECREASE, SMALL_STEP, EVALUATIONS, SEARCH_FAILED, CONSTANT = range(6)
_DECREASE, _WIDTH, _MAX_SEARCH = 1e-4, 1e-8, 64  # of the line search
_AHEAD = 10.0  # length of the first step that is allowed, in scaled variables
_TINY_RESIDUAL = 1e-12


class TNCState(NamedTuple):
    """Iterate, scaled direction, active bounds (-1 lower, 1 upper, 0 free), preconditioner, scales of the variables.

    ``scalars`` packs the line search, then value, iterations, evaluations, status, whether the start is yet to be
    evaluated, scale of the value, longest allowed step, value when the active set last changed, step to that length,
    products with the Hessian.
    """

    x: jax.Array
    jac: jax.Array
    direction: jax.Array
    active: jax.Array
    diagonal: jax.Array
    scale: jax.Array
    scalars: jax.Array
    path: jax.Array

    fun = property(lambda self: entry(self.scalars, thuente.SIZE))
    nit = property(lambda self: entry(self.scalars, thuente.SIZE + 1).astype(jnp.int32))
    nfev = property(lambda self: entry(self.scalars, thuente.SIZE + 2).astype(jnp.int32))
    status = property(lambda self: entry(self.scalars, thuente.SIZE + 3).astype(jnp.int32))
    fresh = property(lambda self: entry(self.scalars, thuente.SIZE + 4) > 0)


@pytree_dataclass
@dataclass(frozen=True)
class TNC(Pausing):
    """Truncated Newton: conjugate gradients on the free variables, a line search up to the next bound.

    Parameters
    ----------
    gtol : float
        Success when the norm of the gradient of the free variables, in units of their scales, is at most `gtol`;
        negative: ``0.01 sqrt(sqrt(eps))``.
    ftol, xtol : float
        Also success when an iteration changes the value, or the scaled variables, by at most that; negative:
        ``sqrt(eps)``.
    eta : float
        Severity of the line search: the slope at an accepted step is at most that part of the first slope. Outside of
        [0, 1): 0.25.
    stepmx : float
        Longest first step in scaled variables; grows where it is met. Too small: 10.
    minfev : float
        Estimate of the least value, for the first trial step.
    rescale : float
        The value is scaled anew when the logarithm (base 10) of the gradient's norm exceeds it; negative: 1.3.
    scale : (n,) array, optional
        Scales of the variables: by default the distance of the bounds, or ``1 + |x0|`` where one is missing.
    maxcg : int
        Most conjugate gradients in an iteration; 0: steepest descent; negative: ``min(50, n)``.
    maxfun : int, optional
        Most evaluations, ``max(100, 10 n)`` if absent. Products with the Hessian are exact and do not count.
    pause : int, optional
        Stop, with status -1, once this many iterations are done, so that the caller can look and resume.

    Notes
    -----
    Status 0: local minimum. 1: the value changes no more. 2: nor do the variables. These three are a success. 3: too
    many evaluations. 4: the line search failed, or a number is not finite. 5: all variables are fixed.

    References
    ----------
    .. [1] S. G. Nash, "Newton-type minimization via the Lanczos method", SIAM J. Numer. Anal. 21 (1984) 770-788.
    .. [2] R. S. Dembo, T. Steihaug, "Truncated-Newton algorithms for large-scale unconstrained optimization", Math.
       Program. 26 (1983) 190-212.
    """

    gtol: Any = -1.0
    ftol: Any = -1.0
    xtol: Any = -1.0
    eta: Any = -1.0
    stepmx: Any = 0.0
    minfev: Any = 0.0
    rescale: Any = -1.0
    scale: Any = None
    maxcg: Any = -1
    maxfun: Any = None
    pause: Any = None

    takes_bounds = True
    successes = (LOCAL_MINIMUM, SMALL_DECREASE, SMALL_STEP)

    def init(self, problem, x0, capacity=0):
        """State at `x0` before any evaluation, with room to record `capacity` iterates."""
        del problem
        n, dtype = x0.size, x0.dtype
        scalars = np.zeros(thuente.SIZE + 10, dtype)
        scalars[thuente.SIZE + 3 : thuente.SIZE + 6] = RUNNING, True, 1.0
        zeros, ones = np.zeros(n, dtype), np.ones(n, dtype)
        return TNCState(x0, zeros, zeros, zeros, ones, ones, scalars, np.zeros((capacity, n), dtype))

    def step(self, problem, state):
        """Evaluate at the trial point; at the end of a search update the active bounds and choose a direction."""
        n, dtype, fresh = state.x.size, state.x.dtype, state.fresh
        fscale, stepmx, last, longest, products = (entry(state.scalars, thuente.SIZE + i) for i in range(5, 10))
        lower, upper = self._bounds(problem, state.x)
        scale = jnp.where(fresh, self._scales(state.x, lower, upper), state.scale)
        search = thuente.unpack(state.scalars)
        trial = jnp.clip(state.x + search.alpha * scale * state.direction, lower, upper)
        fun, jac = problem(trial)
        nfev = state.nfev + 1
        most = max(100, 10 * n) if self.maxfun is None else self.maxfun
        eta = jnp.where((self.eta < 0) | (self.eta >= 1), 0.25, jnp.asarray(self.eta, dtype))
        slope = inner(fscale * scale * jac, state.direction)
        moved = thuente.advance(search, fscale * fun, slope, _DECREASE, eta, _WIDTH, _MAX_SEARCH)
        lowered = fscale * fun < search.value0
        accepted = ~fresh & (moved.outcome == thuente.ACCEPTED) & lowered
        failed = ~fresh & ((moved.outcome == thuente.FAILED) | ((moved.outcome == thuente.ACCEPTED) & ~lowered))
        broken = fresh & ~(jnp.isfinite(fun) & jnp.all(jnp.isfinite(jac)))

        def turn():
            nit = state.nit + accepted
            met = accepted & (search.alpha >= (1 - 10 * jnp.finfo(dtype).eps) * search.top)
            bound = _met(trial, lower, upper, jnp.where(fresh, -jac, state.direction))
            # At the start every bound whose multiplier has the right sign holds.
            active = jnp.where(
                fresh, _held(trial, lower, upper, jac), jnp.where(met & (state.active == 0), bound, state.active)
            )
            new = jnp.any(active != state.active) & ~fresh
            value, gradient = fscale * fun, fscale * scale * jac
            last_value = jnp.where(fresh | new, value, last)
            gtol = self._or(self.gtol, 1e-2 * jnp.finfo(dtype).eps ** 0.25, dtype) * fscale
            free_norm = norm(jnp.where(active == 0, gradient, 0.0))
            multipliers = jnp.where(scale > 0, -active * gradient, 0.0)
            wrong = jnp.min(multipliers) < 0
            quiet = (free_norm <= gtol) | (last_value - value > -0.5 * search.slope0)
            step_length = search.alpha * norm(state.direction)
            root = jnp.finfo(dtype).eps ** 0.5
            still_value = jnp.abs(value - search.value0) <= self._or(self.ftol, root, dtype) * fscale
            still_point = step_length <= self._or(self.xtol, root, dtype)
            still = accepted & ~new & (still_value | still_point)
            # A bound that pushes the wrong way is let go before any success.
            remove = wrong & (quiet | still) & ~fresh
            worst = lax.iota(jnp.int32, n) == jnp.argmin(multipliers)
            active = jnp.where(remove & worst, 0.0, active)
            last_value = jnp.where(remove, value, last_value)
            gnorm = norm(jnp.where(active == 0, gradient, 0.0))

            status = jnp.where(still & ~remove, jnp.where(still_value, SMALL_DECREASE, SMALL_STEP), RUNNING)
            status = jnp.where((status == RUNNING) & (nfev >= most), EVALUATIONS, status)
            status = jnp.where(gnorm <= gtol, LOCAL_MINIMUM, status)
            status = jnp.where(jnp.all(scale == 0), CONSTANT, status)
            status = jnp.where(broken, SEARCH_FAILED, status)
            stepmx_ = jnp.where(self.stepmx < 10 * root, _AHEAD, jnp.asarray(self.stepmx, dtype))
            stepmx_ = jnp.where(
                fresh, stepmx_, jnp.where(accepted & (search.alpha >= 0.9 * longest), 1e2 * stepmx, stepmx)
            )

            rescale = jnp.where(self.rescale < 0, 1.3, jnp.asarray(self.rescale, dtype))
            anew = (gnorm > jnp.finfo(dtype).eps) & (jnp.abs(jnp.log10(gnorm)) > rescale)
            factor = jnp.where(anew, 1 / gnorm, 1.0)
            diagonal = jnp.where(anew, 1.0, state.diagonal)
            value, gradient, last_value, fscale_ = (factor * v for v in (value, gradient, last_value, fscale))
            hessian = problem.linearised(trial)
            found = self._direction(
                lambda v: fscale_ * scale * hessian(scale * v), gradient, diagonal, active, trial, lower, upper
            )
            direction, active, diagonal, count = found
            descent = inner(gradient, direction)
            ahead = stepmx_ / (norm(direction) + jnp.finfo(dtype).eps)
            top = jnp.minimum(ahead, _room(trial, scale * direction, lower, upper))
            gap = jnp.abs(value - fscale_ * self.minfev)
            first = jnp.where((2 * gap <= -descent) & (gap >= jnp.finfo(dtype).eps), -2 * gap / descent, 1.0)
            fresh_search = thuente.start(value, descent, jnp.minimum(first, top), top)
            lost = (status == RUNNING) & (fresh_search.outcome == thuente.FAILED)
            status = jnp.where(lost, SEARCH_FAILED, status)
            rest = (fun, nit, nfev, status, False, fscale_, stepmx_, last_value, ahead, products + count)
            vectors = (trial, jac, direction, active, diagonal, scale)
            return (*vectors, pack((fresh_search, *rest), dtype))

        def search_on():
            # A search that has nothing to find is no failure: the whole decrease that the slope promises is below what
            # ends the iteration anyway, or below rounding.
            noise = 10 * jnp.finfo(dtype).eps * jnp.abs(search.value0)
            promised = jnp.maximum(self._or(self.ftol, jnp.finfo(dtype).eps ** 0.5, dtype) * fscale, noise)
            ending = jnp.where(-search.slope0 <= promised, SMALL_DECREASE, SEARCH_FAILED)
            status = jnp.where(failed, ending, jnp.where(nfev >= most, EVALUATIONS, RUNNING))
            rest = (state.fun, state.nit, nfev, status, False, fscale, stepmx, last, longest, products)
            return (*state[:5], scale, pack((moved, *rest), dtype))

        updated = lax.cond(fresh | accepted, turn, search_on)
        path = state.path
        if path.shape[0]:
            nit = entry(updated[-1], thuente.SIZE + 1).astype(jnp.int32)
            path = path.at[jnp.where(fresh | accepted, nit, path.shape[0])].set(trial, mode="drop")
        return TNCState(*updated, path)

    def _bounds(self, problem, x):
        if problem.bounds is None:
            return jnp.full_like(x, -jnp.inf), jnp.full_like(x, jnp.inf)
        return problem.bounds

    def _scales(self, x, lower, upper):
        boxed = jnp.isfinite(lower) & jnp.isfinite(upper)
        usual = jnp.where(boxed, jnp.where(boxed, upper, 0.0) - jnp.where(boxed, lower, 0.0), 1 + jnp.abs(x))
        scale = usual if self.scale is None else jnp.abs(self.scale).astype(x.dtype)
        return jnp.where(lower == upper, 0.0, scale)

    @staticmethod
    def _or(value, default, dtype):
        return jnp.where(value < 0, jnp.asarray(default, dtype), jnp.asarray(value, dtype))

    def _direction(self, hessian, gradient, diagonal, active, x, lower, upper):
        """A direction that no bound stops at once: variables that it would push over theirs become active."""
        n = gradient.size
        most = jnp.where(self.maxcg < 0, min(50, n), jnp.minimum(self.maxcg, n))

        def stopped(carry):
            return carry[-1]

        def attempt(carry):
            active, _, _, products, _ = carry
            p, scaling, count = _conjugate_gradients(hessian, gradient, diagonal, active == 0, most)
            met = jnp.where(active == 0, _met(x, lower, upper, p), 0.0)
            return active + met, p, scaling, products + count, jnp.any(met != 0)

        start = (active, jnp.zeros_like(gradient), diagonal, jnp.zeros((), jnp.int32), jnp.asarray(True))
        active, p, scaling, products, _ = lax.while_loop(stopped, attempt, start)
        return p, active, scaling, products


def _met(x, lower, upper, direction):
    """Bounds at which a variable is, and over which the direction leads: -1 lower, 1 upper, 0 none."""
    near = 10 * jnp.finfo(x.dtype).eps
    low = (direction < 0) & jnp.isfinite(lower) & (x - lower <= near * (jnp.abs(lower) + 1))
    high = (direction > 0) & jnp.isfinite(upper) & (upper - x <= near * (jnp.abs(upper) + 1))
    return jnp.where(low, -1.0, jnp.where(high, 1.0, 0.0)).astype(x.dtype)


def _held(x, lower, upper, jac):
    return jnp.where(lower == upper, 1.0, _met(x, lower, upper, -jac)).astype(x.dtype)


def _room(x, direction, lower, upper):
    """The step to the first bound."""
    moving = direction != 0
    room = jnp.where(direction < 0, lower - x, upper - x) / jnp.where(moving, direction, 1.0)
    return jnp.min(jnp.where(moving, room, jnp.inf), initial=jnp.inf)


def _conjugate_gradients(hessian, gradient, diagonal, free, most):
    """Preconditioned conjugate gradients on the free variables, truncated when the model decreases slowly.

    Returns the direction, the diagonal of the preconditioner with the curvatures that were seen, and the products.
    """
    gradient = jnp.where(free, gradient, 0.0)
    size = norm(gradient)

    def going(carry):
        return ~carry[-1]

    def advance(carry):
        z, r, v, rz_old, q_old, scaling, count, _ = carry
        preconditioned = r / diagonal
        rz = inner(r, preconditioned)
        v = preconditioned + jnp.where(count == 0, 0.0, rz / rz_old) * v
        image = jnp.where(free, hessian(v), 0.0)
        curvature = inner(v, image)
        concave = ~(curvature / size >= _TINY_RESIDUAL)
        alpha = rz / curvature
        moved, residual = z + alpha * v, r - alpha * image
        slope = inner(moved, gradient)
        q = 0.5 * (slope + inner(residual, moved))
        slow = (count + 1) * (1 - q_old / q) <= 0.5
        uphill = slope > 0
        # The diagonal of a BFGS update along v.
        update = scaling - r * r / inner(v, r) + image * image / curvature
        scaling = jnp.where(concave, scaling, jnp.where(update <= 1e-6, 1.0, update))
        start = jnp.where(count == 0, preconditioned, z)
        z = jnp.where(concave, start, jnp.where(uphill & (count > 0), z, moved))
        tiny = ~(inner(residual, residual / diagonal) / size >= _TINY_RESIDUAL)
        ended = concave | slow | uphill | tiny | (count + 1 >= most)
        return z, residual, v, rz, q, scaling, count + 1, ended

    zero = jnp.zeros((), gradient.dtype)
    nothing = (most == 0) | (size == 0)
    start = (
        -gradient,
        -gradient,
        jnp.zeros_like(gradient),
        zero + 1,
        zero,
        diagonal,
        jnp.zeros((), jnp.int32),
        nothing,
    )
    start = (jnp.where(nothing, -gradient, 0.0), *start[1:])
    z, *_, scaling, count, _ = lax.while_loop(going, advance, start)
    downhill = inner(z, gradient) < 0
    return jnp.where(downhill, jnp.where(free, z, 0.0), -gradient), scaling, count
