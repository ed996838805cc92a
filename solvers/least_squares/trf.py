"""The trust-region reflective method."""

from dataclasses import dataclass, field
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax import lax

from solvers.least_squares.factors import singular_factors
from solvers.least_squares.loss import Loss
from solvers.least_squares.region import (
    Quadratic,
    active,
    coleman_li,
    least_on_interval,
    radius,
    strictly_feasible,
    termination,
    to_bound,
    trust_region,
)
from solvers.pytrees import pytree_dataclass
from solvers.roots.vectors import inner, norm, pack, product

__all__ = ["TRF", "TRFState"]

RUNNING, IMPROPER, MAX_EVALUATIONS, GTOL = -9, -1, 0, 1


class Scalars(NamedTuple):
    """Scalars of the iteration, packed into one vector in the carry."""

    cost: Any
    delta: Any
    alpha: Any = 0.0
    predicted: Any = 0.0
    size: Any = 0.0
    gnorm: Any = 0.0
    nfev: Any = 0
    njev: Any = 0
    nit: Any = 0
    status: Any = RUNNING


class TRFState(NamedTuple):
    """Iterate, the model of the loss there, its factors in the scaled variables, and the point under trial."""

    x: jax.Array
    fun: jax.Array
    model: jax.Array
    jac: jax.Array
    scale: jax.Array
    singular: jax.Array
    right: jax.Array
    image: jax.Array
    trial: jax.Array
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


class Problem(NamedTuple):
    """Residuals, their Jacobian, the loss, and the bounds (None without)."""

    function: Any
    jacobian: Any
    loss: Any = Loss()
    lower: Any = None
    upper: Any = None


@dataclass(frozen=True)
class BoxedRegion:
    """Options that `TRF` and `Dogbox` share; see `TRF`."""

    ftol: Any = 1e-8
    xtol: Any = 1e-8
    gtol: Any = 1e-8
    maxfev: Any = None
    scale: Any = None
    by_jacobian: bool = field(default=False, metadata={"static": True})

    def first_scale(self, n, dtype):
        """Scales (n,) of the variables before the first Jacobian."""
        if self.by_jacobian:
            return jnp.full(n, jnp.inf, dtype)
        return jnp.ones(n, dtype) if self.scale is None else jnp.broadcast_to(jnp.asarray(self.scale, dtype), (n,))

    def converged(self, state):
        """Whether the iteration ended."""
        return state.status != RUNNING


@pytree_dataclass
@dataclass(frozen=True)
class TRF(BoxedRegion):
    """Trust-region reflective: steps in variables scaled by the distance to the bounds, reflected at these.

    Parameters
    ----------
    ftol, xtol, gtol : float
        Tolerances of the relative reduction of the cost, of the relative step, and of the scaled gradient's largest
        component.
    maxfev : int, optional
        Most evaluations of the residuals, ``100 n`` if absent.
    scale : (n,) array, optional
        Scales of the variables, ones if absent.
    by_jacobian : bool, static
        Scale by the Jacobian's column norms instead (SciPy's ``x_scale="jac"``).

    References
    ----------
    .. [1] M. A. Branch, T. F. Coleman, Y. Li, "A subspace, interior, and conjugate gradient method for large-scale
       bound-constrained minimization problems", SIAM J. Sci. Comput. 21, 1999.
    .. [2] J. J. More, "The Levenberg-Marquardt algorithm: implementation and theory", 1978.
    """

    def init(self, problem, x0):
        """State at `x0`, moved off its bounds, before any evaluation."""
        n, dtype = x0.size, x0.dtype
        m = jax.eval_shape(problem.function, x0).size
        k = n if problem.lower is not None else min(m, n)
        if problem.lower is not None:
            x0 = strictly_feasible(x0, problem.lower, problem.upper, 1e-10)
        return TRFState(
            x=x0,
            fun=jnp.zeros(m, dtype),
            model=jnp.zeros(m, dtype),
            jac=jnp.zeros((m, n), dtype),
            scale=self.first_scale(n, dtype),
            singular=jnp.zeros(k, dtype),
            right=jnp.zeros((k, n), dtype),
            image=jnp.zeros(k, dtype),
            trial=x0,
            scalars=pack(Scalars(cost=jnp.inf, delta=0.0), dtype),
        )

    def step(self, problem, state):
        """Evaluate at the trial point, judge, renew the model if accepted, choose the next trial point."""
        s, dtype = state.unpack(), state.x.dtype
        start = s.nfev == 0
        fun = problem.function(state.trial)
        s, accepted, status = self._judge(problem, state, s, fun, start)

        x = jnp.where(accepted, state.trial, state.x)
        kept = (state.fun, state.model, state.jac, state.scale, state.singular, state.right, state.image)
        parts = lax.cond(accepted, lambda: self._renew(problem, state, x, fun, start), lambda: kept)
        value, model, jac, scale, singular, right, image = parts

        gradient = product(jac.T, model)
        distance, d, diag = _scaling(problem, x, gradient, scale)
        gnorm = jnp.max(jnp.abs(gradient * distance))
        first = norm(x / d)
        delta = jnp.where(start, jnp.where(first == 0, 1.0, first), s.delta)
        maxfev = 100 * x.size if self.maxfev is None else self.maxfev
        status = jnp.where((status == RUNNING) & (s.nfev >= maxfev), MAX_EVALUATIONS, status)
        status = jnp.where(gnorm < self.gtol, GTOL, status)
        status = jnp.where(jnp.isfinite(s.cost), status, IMPROPER)

        z, alpha = trust_region(singular, image, delta, s.alpha, fun.size if fun.size >= x.size else 0)
        p = product(right.T, z)
        quadratic = Quadratic(jac * d, d * gradient, diag)
        if problem.lower is None:
            predicted, trial = -quadratic.value(p), x + d * p
        else:
            theta = jnp.maximum(0.995, 1 - gnorm)
            p, predicted = _select(quadratic, x, p, d, delta, problem.lower, problem.upper, theta)
            trial = strictly_feasible(x + d * p, problem.lower, problem.upper)
        s = s._replace(
            delta=delta,
            alpha=alpha,
            predicted=predicted,
            size=norm(p),
            gnorm=gnorm,
            njev=s.njev + accepted,
            status=status,
        )
        return TRFState(x, value, model, jac, scale, singular, right, image, trial, pack(s, dtype))

    def _judge(self, problem, state, s, fun, start):
        """Compare actual with predicted reduction; adapt the radius."""
        finite = jnp.isfinite(fun).all()
        cost = jnp.where(finite, problem.loss.cost(fun), jnp.inf)
        actual = s.cost - cost
        delta, ratio = radius(s.delta, actual, s.predicted, s.size, s.size > 0.95 * s.delta)
        status = termination(actual, s.cost, norm(state.trial - state.x), norm(state.x), ratio, self.ftol, self.xtol)
        delta = jnp.where(finite, delta, 0.25 * s.size)
        # A radius of nothing means that no point nearby is finite.
        stuck = ~finite & (delta <= jnp.finfo(fun.dtype).tiny)
        status = jnp.where(finite, status, jnp.where(stuck, MAX_EVALUATIONS, RUNNING))
        accepted = start | (finite & (actual > 0))
        s = s._replace(
            cost=jnp.where(accepted, cost, s.cost),
            delta=jnp.where(start, s.delta, delta),
            alpha=jnp.where(start | ~finite, s.alpha, s.alpha * s.delta / jnp.where(delta > 0, delta, 1.0)),
            nfev=s.nfev + 1,
            nit=s.nit + (accepted & ~start),
        )
        return s, accepted, jnp.where(start, RUNNING, status)

    def _renew(self, problem, state, x, fun, start):
        """The model of the loss at a new point and its factors in the scaled variables."""
        model, jac = problem.loss.model(fun, problem.jacobian(x))
        scale = state.scale
        if self.by_jacobian:
            columns = jnp.sqrt(jnp.sum(jac * jac, axis=0))
            columns = jnp.where(start, jnp.where(columns == 0, 1.0, columns), jnp.maximum(columns, 1 / scale))
            scale = 1 / columns
        gradient = product(jac.T, model)
        _, d, diag = _scaling(problem, x, gradient, scale)
        matrix, right_hand = jac * d, model
        if problem.lower is not None:
            matrix = jnp.concatenate([matrix, jnp.diag(jnp.sqrt(diag))])
            right_hand = jnp.concatenate([model, jnp.zeros_like(x)])
        # LAPACK does not end on what is not finite.
        matrix = jnp.where(jnp.isfinite(matrix).all(), matrix, 0.0)
        singular, right, image = singular_factors(matrix, right_hand)
        return fun, model, jac, scale, singular, right, image


def _scaling(problem, x, gradient, scale):
    """Distances to the bounds, the scales of the variables that they give, and the model's extra diagonal."""
    if problem.lower is None:
        return 1.0, scale, jnp.zeros_like(x)
    distance, slope = coleman_li(x, gradient, problem.lower, problem.upper)
    scaled = jnp.where(slope != 0, distance / scale, distance)
    return distance, jnp.sqrt(scaled) * scale, gradient * slope * scale


def _select(quadratic, x, p, d, delta, lower, upper, theta):
    """The best of the trust-region step cut at the bounds, its reflection, and the steepest descent step."""
    fits = ((x + d * p >= lower) & (x + d * p <= upper)).all()

    stride, hits = to_bound(x, d * p, lower, upper)
    cut = p * stride
    reflected = jnp.where(hits != 0, -p, p)
    # The reflected direction leaves the trust region or the bounds first.
    a, b, c = inner(p, p), inner(cut, reflected), inner(cut, cut) - delta**2
    a = jnp.where(a > 0, a, 1.0)
    to_region = (-b + jnp.sqrt(jnp.maximum(b * b - a * c, 0.0))) / a
    wall, _ = to_bound(x + d * cut, d * reflected, lower, upper)
    longest = jnp.minimum(wall, to_region)
    low = (1 - theta) * stride / jnp.where(longest > 0, longest, 1.0)
    high = jnp.where(longest == wall, theta * wall, to_region)
    available = (longest > 0) & (low <= high)
    a, b, c = quadratic.along(reflected, cut)
    t, reflected_value = least_on_interval(a, b, low, high, c)
    reflected = cut + t * reflected
    reflected_value = jnp.where(available, reflected_value, jnp.inf)

    cut = theta * cut
    cut_value = quadratic.value(cut)

    steepest = -quadratic.gradient
    length = norm(steepest)
    to_region = delta / jnp.where(length > 0, length, 1.0)
    wall, _ = to_bound(x, d * steepest, lower, upper)
    a, b, _ = quadratic.along(steepest)
    t, steepest_value = least_on_interval(a, b, 0.0, jnp.where(wall < to_region, theta * wall, to_region))
    steepest = t * steepest

    best = jnp.where((reflected_value < cut_value) & (reflected_value < steepest_value), reflected, steepest)
    value = jnp.minimum(reflected_value, steepest_value)
    best = jnp.where((cut_value < reflected_value) & (cut_value < steepest_value), cut, best)
    value = jnp.minimum(value, cut_value)
    return jnp.where(fits, p, best), -jnp.where(fits, quadratic.value(p), value)


def active_set(problem, x, tolerance):
    """SciPy's ``active_mask`` of the final point."""
    if problem.lower is None:
        return jnp.zeros(x.shape, jnp.int32)
    return active(x, problem.lower, problem.upper, tolerance).astype(jnp.int32)
