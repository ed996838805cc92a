"""Powell's hybrid method for square systems of equations."""

from dataclasses import dataclass
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax import lax
from jax.scipy.linalg import lu_solve, solve_triangular

from solvers.roots.vectors import inner, norm, pack, product

__all__ = ["Hybr", "HybrState"]

RUNNING, CONVERGED, MAX_EVALUATIONS, XTOL_TOO_SMALL, SLOW_JACOBIAN, SLOW_ITERATION = -1, 1, 2, 3, 4, 5


class _Scalars(NamedTuple):
    """Scalars of the iteration, packed into one vector in the carry."""

    fnorm: Any
    delta: Any
    xnorm: Any
    nfev: Any = 0
    njev: Any = 0
    successes: Any = 0
    failures: Any = 0
    slow_steps: Any = 0
    slow_jacobians: Any = 0
    fresh_jacobian: Any = 1
    first_step: Any = 1
    newton: Any = 0
    singular: Any = 0
    nit: Any = 0
    status: Any = RUNNING


class HybrState(NamedTuple):
    """Iterate, Broyden model with its inverse, variable scales, and the step under trial."""

    x: jax.Array
    fun: jax.Array
    jac: jax.Array
    inverse: jax.Array
    diag: jax.Array
    step: jax.Array
    scalars: jax.Array

    def unpack(self):
        """The packed scalars by name."""
        return _Scalars(*(self.scalars[i] for i in range(len(_Scalars._fields))))

    status = property(lambda self: self.unpack().status.astype(jnp.int32))
    nfev = property(lambda self: self.unpack().nfev.astype(jnp.int32))
    njev = property(lambda self: self.unpack().njev.astype(jnp.int32))
    nit = property(lambda self: self.unpack().nit.astype(jnp.int32))


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Hybr:
    """MINPACK's ``hybrj``: dogleg steps on a Broyden model, the Jacobian renewed after two failures.

    Parameters
    ----------
    xtol : float
        Converged when the trust region is at most `xtol` times the scaled norm of x.
    maxfev : int, optional
        Most evaluations of the function, ``100 (n + 1)`` if absent.
    factor : float
        First trust region, in multiples of the scaled norm of x.
    diag : (n,) array, optional
        Positive scales of the variables; by default the column norms of the Jacobian.

    Notes
    -----
    Unlike MINPACK, a trust region that collapsed without the last step being a full quasi-Newton step is
    reported as status 4 and not as convergence: it happens at minima of ``norm(F)`` that are no roots.

    References
    ----------
    .. [1] M. J. D. Powell, "A hybrid method for nonlinear equations", in Numerical Methods for Nonlinear
       Algebraic Equations, P. Rabinowitz (ed.), 1970.
    .. [2] J. J. More, B. S. Garbow, K. E. Hillstrom, "User guide for MINPACK-1", ANL-80-74, 1980.
    """

    xtol: Any = 1.49012e-8
    maxfev: Any = None
    factor: Any = 100.0
    diag: Any = None

    def init(self, problem, x0):
        """State at `x0` before any evaluation."""
        del problem
        n, dtype = x0.size, x0.dtype
        nothing, model = jnp.zeros(n, dtype), jnp.zeros((n, n), dtype)
        scalars = pack(_Scalars(fnorm=jnp.inf, delta=0.0, xnorm=0.0), dtype)
        return HybrState(x0, nothing, model, model, nothing, nothing, scalars)

    def converged(self, state):
        """Whether the iteration ended."""
        return state.status != RUNNING

    def step(self, problem, state):
        """Evaluate at the trial point, judge the step, renew or update the model, choose the next step."""
        function, jacobian = problem
        s = state.unpack()
        start = s.nfev == 0
        trial = state.x + state.step
        fun = function(trial)

        image = product(state.jac, state.step)
        s, accepted = self._judge(s, norm(fun), norm(state.fun + image), norm(state.diag * state.step), start)
        x = jnp.where(accepted, trial, state.x)
        value = jnp.where(accepted, fun, state.fun)
        renew = start | (s.failures >= 2)
        jac, inverse, singular = _model(jacobian, state, x, fun - state.fun, image, renew, s.singular > 0)

        columns = jnp.sqrt(jnp.sum(jac * jac, axis=0))
        diag = self._scale(state.diag, columns, start, renew)
        xnorm = jnp.where(accepted, norm(diag * x), s.xnorm)
        factor = jnp.asarray(self.factor, x.dtype)
        delta = jnp.where(start, jnp.where(xnorm == 0, factor, factor * xnorm), s.delta)
        status = self._status(s, delta, xnorm, norm(state.diag * state.step), x.size, start)
        step, newton = _dogleg(jac, inverse, diag, value, delta)
        # The first region is not larger than the first step.
        delta = jnp.where(s.first_step > 0, jnp.minimum(delta, norm(diag * step)), delta)
        s = s._replace(
            delta=delta,
            xnorm=xnorm,
            njev=s.njev + renew,
            failures=jnp.where(renew, 0, s.failures),
            fresh_jacobian=renew,
            newton=newton,
            singular=singular,
            status=status,
        )
        return HybrState(x, value, jac, inverse, diag, step, pack(s, x.dtype))

    def _judge(self, s, fnorm, predicted, pnorm, start):
        """Compare actual with predicted reduction; adapt the trust region and the counters of progress."""
        smaller = fnorm < s.fnorm
        actual = jnp.where(smaller, 1 - (fnorm / s.fnorm) ** 2, -1.0)
        model = jnp.where(predicted < s.fnorm, 1 - (predicted / s.fnorm) ** 2, 0.0)
        ratio = jnp.where(model > 0, actual / jnp.where(model > 0, model, 1), 0.0)
        poor = ratio < 0.1
        successes = jnp.where(poor, 0, s.successes + 1)
        grown = jnp.where((ratio >= 0.5) | (successes > 1), jnp.maximum(s.delta, 2 * pnorm), s.delta)
        grown = jnp.where(jnp.abs(ratio - 1) <= 0.1, 2 * pnorm, grown)
        accepted = start | (ratio >= 1e-4)
        slow_jacobians = jnp.where(actual >= 0.1, 0, s.slow_jacobians + s.fresh_jacobian)
        moved = s._replace(
            fnorm=jnp.where(accepted, fnorm, s.fnorm),
            delta=jnp.where(poor, 0.5 * s.delta, grown),
            successes=successes,
            failures=jnp.where(poor, s.failures + 1, 0),
            slow_steps=jnp.where(actual >= 0.001, 0, s.slow_steps + 1),
            slow_jacobians=slow_jacobians,
            first_step=(s.first_step > 0) & ~(accepted & ~start),
            nit=s.nit + (accepted & ~start),
        )
        kept = s._replace(fnorm=fnorm)
        merged = jax.tree.map(lambda a, b: jnp.where(start, a, b), kept, moved)
        return merged._replace(nfev=s.nfev + 1), accepted

    def _scale(self, diag, columns, start, renew):
        if self.diag is not None:
            return jnp.asarray(self.diag, diag.dtype)
        first = jnp.where(columns == 0, 1.0, columns)
        return jnp.where(start, first, jnp.where(renew, jnp.maximum(diag, columns), diag))

    def _status(self, s, delta, xnorm, pnorm, n, start):
        """MINPACK's termination codes, with the guard against a collapsed trust region."""
        eps = jnp.finfo(delta.dtype).eps
        maxfev = 100 * (n + 1) if self.maxfev is None else self.maxfev
        small = delta <= self.xtol * xnorm
        status = jnp.where(s.slow_jacobians >= 5, SLOW_JACOBIAN, RUNNING)
        status = jnp.where(s.slow_steps >= 10, SLOW_ITERATION, status)
        status = jnp.where(0.1 * jnp.maximum(0.1 * delta, pnorm) <= eps * xnorm, XTOL_TOO_SMALL, status)
        status = jnp.where(s.nfev >= maxfev, MAX_EVALUATIONS, status)
        status = jnp.where(small, jnp.where(s.newton > 0, CONVERGED, SLOW_JACOBIAN), status)
        status = jnp.where(start, RUNNING, status)
        return jnp.where(s.fnorm == 0, CONVERGED, status)


def _model(jacobian, state, x, change, image, renew, was_singular):
    """Jacobian model, its inverse, and whether it is singular: renewed, or updated by Broyden's formula."""
    weighted = state.diag**2 * state.step
    length = inner(weighted, state.step)
    length = jnp.where(length > 0, length, 1.0)
    residual = (change - image) / length
    updated = state.jac + jnp.outer(residual, weighted)
    # Sherman and Morrison; where the update makes the model nearly singular it is factored anew.
    shift = product(state.inverse, residual)
    pivot = 1 + inner(weighted, shift)
    degenerate = was_singular | ~(jnp.abs(pivot) > jnp.finfo(pivot.dtype).eps ** 0.5)

    def factored():
        jac = lax.cond(renew, lambda: jacobian(x), lambda: updated)
        return jac, *_inverse(jac)

    def corrected():
        inverse = state.inverse - jnp.outer(shift / pivot, product(state.inverse.T, weighted))
        return updated, inverse, jnp.zeros((), bool)

    return lax.cond(renew | degenerate, factored, corrected)


def _inverse(matrix):
    """Inverse by LU, and whether the matrix is singular: then by QR, zeros of R made small numbers as in MINPACK."""
    n = matrix.shape[0]
    eye = jnp.eye(n, dtype=matrix.dtype)
    eps = jnp.finfo(matrix.dtype).eps
    lu, swaps, _ = lax.linalg.lu(matrix)
    singular = ~jnp.all(jnp.abs(jnp.diagonal(lu)) > eps * jnp.max(jnp.abs(jnp.triu(lu)), axis=0))

    def regularised():
        q, r = jnp.linalg.qr(matrix)
        least = eps * jnp.max(jnp.abs(r), axis=0)
        least = jnp.where(least == 0, eps, least)
        r = jnp.where((jnp.abs(jnp.diagonal(r)) < least) & (eye > 0), least, r)
        return solve_triangular(r, q.T)

    return lax.cond(singular, regularised, lambda: lu_solve((lu, swaps), eye)), singular


def _dogleg(jac, inverse, diag, fun, delta):
    """Minimise the model within the scaled trust region along the dogleg; also whether the step is full."""
    newton = -product(inverse, fun)
    length = norm(diag * newton)
    full = length <= delta

    gradient = product(jac.T, fun) / diag
    gnorm = norm(gradient)
    flat = gnorm == 0
    unit = gradient / jnp.where(flat, 1.0, gnorm) / diag
    curvature = norm(product(jac, unit))
    cauchy = jnp.where(flat, 0.0, gnorm / curvature / curvature)
    # Fraction of the Newton step at which the path from the Cauchy point leaves the region.
    p, q = delta / length, jnp.minimum(cauchy / delta, 1.0)
    fnorm = norm(fun)
    t = (fnorm / jnp.where(flat, 1.0, gnorm)) * (fnorm / length) * q
    t = t - p * q**2 + jnp.sqrt((t - p) ** 2 + (1 - p**2) * (1 - q**2))
    fraction = jnp.where(flat, p, p * (1 - q**2) / t)
    bent = fraction * newton - (1 - fraction) * jnp.minimum(cauchy, delta) * unit
    return jnp.where(full, newton, bent), full
