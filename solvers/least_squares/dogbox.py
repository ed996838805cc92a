"""The dogleg method in a rectangular trust region."""

from dataclasses import dataclass
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax import lax

from solvers.least_squares.region import Quadratic, least_on_interval, radius, termination, to_bound
from solvers.least_squares.trf import GTOL, IMPROPER, MAX_EVALUATIONS, RUNNING, BoxedRegion, Scalars
from solvers.pytrees import pytree_dataclass
from solvers.roots.vectors import norm, pack, product

__all__ = ["Dogbox", "DogboxState"]


class DogboxState(NamedTuple):
    """Iterate, the model of the loss there with its Gauss-Newton step, and the point under trial.

    ``side`` says at which bound a variable is (-1, 0, 1); ``trial_side`` and ``hit`` belong to the trial point.
    """

    x: jax.Array
    fun: jax.Array
    model: jax.Array
    jac: jax.Array
    scale: jax.Array
    newton: jax.Array
    side: jax.Array
    trial: jax.Array
    trial_side: jax.Array
    hit: jax.Array
    scalars: jax.Array

    def unpack(self):
        """The packed scalars by name."""
        return Scalars(*(self.scalars[i] for i in range(len(Scalars._fields))))

    status = property(lambda self: self.unpack().status.astype(jnp.int32))
    nfev = property(lambda self: self.unpack().nfev.astype(jnp.int32))
    njev = property(lambda self: self.unpack().njev.astype(jnp.int32))
    nit = property(lambda self: self.unpack().nit.astype(jnp.int32))
    cost = property(lambda self: self.unpack().cost)
    optimality = property(lambda self: self.unpack().gnorm)


@pytree_dataclass
@dataclass(frozen=True)
class Dogbox(BoxedRegion):
    """Dogleg steps in a box, the variables at active bounds fixed. Parameters as of `TRF`.

    References
    ----------
    .. [1] C. Voglis, I. E. Lagaris, "A rectangular trust region dogleg approach for unconstrained and bound
       constrained nonlinear optimization", WSEAS Conference on Applied Mathematics, 2004.
    """

    def init(self, problem, x0):
        """State at `x0` before any evaluation."""
        n, dtype = x0.size, x0.dtype
        m = jax.eval_shape(problem.function, x0).size
        lower, upper = _bounds(problem, x0)
        side = jnp.where(x0 == lower, -1.0, jnp.where(x0 == upper, 1.0, 0.0)).astype(dtype)
        return DogboxState(
            x=x0,
            fun=jnp.zeros(m, dtype),
            model=jnp.zeros(m, dtype),
            jac=jnp.zeros((m, n), dtype),
            scale=self.first_scale(n, dtype),
            newton=jnp.zeros(n, dtype),
            side=side,
            trial=x0,
            trial_side=side,
            hit=jnp.asarray(False),
            scalars=pack(Scalars(cost=jnp.inf, delta=0.0), dtype),
        )

    def step(self, problem, state):
        """Evaluate at the trial point, judge, renew the model if accepted, choose the next trial point."""
        s, dtype = state.unpack(), state.x.dtype
        start = s.nfev == 0
        lower, upper = _bounds(problem, state.x)
        fun = problem.function(state.trial)
        s, accepted, status = self._judge(problem, state, s, fun, start)

        side = jnp.where(accepted, state.trial_side, state.side)
        x = jnp.where(side < 0, lower, jnp.where(side > 0, upper, state.trial))
        x = jnp.where(accepted, x, state.x)
        kept = (state.fun, state.model, state.jac, state.scale, state.newton)
        value, model, jac, scale, newton = lax.cond(
            accepted, lambda: self._renew(problem, state, x, fun, side, start), lambda: kept
        )

        gradient = product(jac.T, model)
        free = ~(side * gradient < 0)
        g = jnp.where(free, gradient, 0.0)
        gnorm = jnp.max(jnp.abs(g))
        first = jnp.max(jnp.abs(x / scale))
        delta = jnp.where(start, jnp.where(first == 0, 1.0, first), s.delta)
        maxfev = 100 * x.size if self.maxfev is None else self.maxfev
        status = jnp.where((status == RUNNING) & (s.nfev >= maxfev), MAX_EVALUATIONS, status)
        status = jnp.where(gnorm < self.gtol, GTOL, status)
        status = jnp.where(jnp.isfinite(s.cost), status, IMPROPER)

        quadratic = Quadratic(jac, g, jnp.zeros_like(x))
        step, hits, hit = _dogleg(quadratic, x, newton, free, delta * scale, lower, upper)
        s = s._replace(
            delta=delta,
            predicted=-quadratic.value(step),
            size=jnp.max(jnp.abs(step / scale)),
            gnorm=gnorm,
            njev=s.njev + accepted,
            status=status,
        )
        trial = jnp.clip(x + step, lower, upper)
        trial_side = jnp.where(free, hits, side)
        return DogboxState(x, value, model, jac, scale, newton, side, trial, trial_side, hit, pack(s, dtype))

    def _judge(self, problem, state, s, fun, start):
        """Compare actual with predicted reduction; adapt the radius."""
        finite = jnp.isfinite(fun).all()
        cost = jnp.where(finite, problem.loss.cost(fun), jnp.inf)
        actual = s.cost - cost
        delta, ratio = radius(s.delta, actual, s.predicted, s.size, state.hit)
        status = termination(actual, s.cost, norm(state.trial - state.x), norm(state.x), ratio, self.ftol, self.xtol)
        delta = jnp.where(finite, delta, 0.25 * s.size)
        stuck = ~finite & (delta <= jnp.finfo(fun.dtype).tiny)
        status = jnp.where(finite, status, jnp.where(stuck, MAX_EVALUATIONS, RUNNING))
        accepted = start | (finite & (actual > 0))
        s = s._replace(
            cost=jnp.where(accepted, cost, s.cost),
            delta=jnp.where(start, s.delta, delta),
            nfev=s.nfev + 1,
            nit=s.nit + (accepted & ~start),
        )
        return s, accepted, jnp.where(start, RUNNING, status)

    def _renew(self, problem, state, x, fun, side, start):
        """The model of the loss at a new point, and the Gauss-Newton step in its free variables."""
        model, jac = problem.loss.model(fun, problem.jacobian(x))
        scale = state.scale
        if self.by_jacobian:
            columns = jnp.sqrt(jnp.sum(jac * jac, axis=0))
            columns = jnp.where(start, jnp.where(columns == 0, 1.0, columns), jnp.maximum(columns, 1 / scale))
            scale = 1 / columns
        free = ~(side * product(jac.T, model) < 0)
        # Columns of zeros have no part in the solution of least norm.
        matrix = jnp.where(free & jnp.isfinite(jac).all(), jac, 0.0)
        left, singular, right = jnp.linalg.svd(matrix, full_matrices=False)
        useful = singular > jnp.finfo(x.dtype).eps * singular[0]
        image = jnp.where(useful, product(left.T, model) / jnp.where(useful, singular, 1.0), 0.0)
        return fun, model, jac, scale, jnp.where(free, -product(right.T, image), 0.0)


def _bounds(problem, x):
    if problem.lower is None:
        return jnp.full_like(x, -jnp.inf), jnp.full_like(x, jnp.inf)
    return problem.lower, problem.upper


def _dogleg(quadratic, x, newton, free, box, lower, upper):
    """The dogleg step in the intersection of box and bounds, the bounds it hits, whether it hits the box."""
    low, high = jnp.maximum(lower - x, -box), jnp.minimum(upper - x, box)
    fits = (((newton >= low) & (newton <= high)) | ~free).all()
    g = quadratic.gradient
    wall, _ = to_bound(jnp.zeros_like(x), -g, low, high)
    a, b, _ = quadratic.along(-g)
    cauchy = -least_on_interval(a, b, 0.0, jnp.where(jnp.isfinite(wall), wall, 0.0))[0] * g
    bend = jnp.where(free, newton - cauchy, 0.0)
    stride, hits = to_bound(cauchy, bend, low, high)
    step = cauchy + jnp.where(jnp.isfinite(stride), stride, 0.0) * bend
    sides = jnp.where((hits < 0) & (low == lower - x), -1.0, jnp.where((hits > 0) & (high == upper - x), 1.0, 0.0))
    hit = jnp.any(((hits < 0) & (low == -box)) | ((hits > 0) & (high == box)))
    none = jnp.zeros_like(x)
    return jnp.where(fits, newton, step), jnp.where(fits, none, sides), hit & ~fits
