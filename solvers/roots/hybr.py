"""Powell's hybrid method for square systems of equations."""

from dataclasses import dataclass
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jax.scipy.linalg import solve_triangular

from solvers.pytrees import pytree_dataclass
from solvers.roots.vectors import entry, norm, pack, product

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
    nit: Any = 0
    status: Any = RUNNING


class HybrState(NamedTuple):
    """Iterate, factored Broyden model, variable scales, and the step under trial.

    ``model`` has shape (n, 2n + 1): R, the transpose of Q, and ``Q^T fun`` side by side, because the rotations that
    update the factorisation treat the three alike.
    """

    x: jax.Array
    fun: jax.Array
    model: jax.Array
    diag: jax.Array
    step: jax.Array
    scalars: jax.Array

    def unpack(self):
        """The packed scalars by name."""
        return _Scalars(*(entry(self.scalars, i) for i in range(len(_Scalars._fields))))

    jac = property(lambda self: jnp.matmul(self.model[:, self.x.size : -1].T, self.model[:, : self.x.size]))
    status = property(lambda self: self.unpack().status.astype(jnp.int32))
    nfev = property(lambda self: self.unpack().nfev.astype(jnp.int32))
    njev = property(lambda self: self.unpack().njev.astype(jnp.int32))
    nit = property(lambda self: self.unpack().nit.astype(jnp.int32))


@pytree_dataclass
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
        nothing, model = np.zeros(n, dtype), np.zeros((n, 2 * n + 1), dtype)
        scalars = pack(_Scalars(fnorm=jnp.inf, delta=0.0, xnorm=0.0), dtype)
        return HybrState(x0, nothing, model, nothing, nothing, scalars)

    def converged(self, state):
        """Whether the iteration ended."""
        return state.status != RUNNING

    def step(self, problem, state):
        """Evaluate at the trial point, judge the step, renew or update the model, choose the next step."""
        function, jacobian = problem
        s, n = state.unpack(), state.x.size
        start = s.nfev == 0
        trial = state.x + state.step
        fun = function(trial)

        scaled = state.diag * state.step
        pnorm = norm(scaled)
        predicted = state.model[:, -1] + product(state.model[:, :n], state.step)
        s, accepted = self._judge(s, norm(fun), norm(predicted), pnorm, start)
        x = jnp.where(accepted, trial, state.x)
        value = jnp.where(accepted, fun, state.fun)
        s = s._replace(xnorm=jnp.where(accepted, norm(state.diag * x), s.xnorm))
        status = self._status(s, pnorm, n, start)
        renew = start | (s.failures == 2)
        # Until a step is accepted, a renewal starts all over, scales and trust region included (as MINPACK).
        anew = renew & (s.first_step > 0)

        def keep():
            return state.model, state.diag

        def renewed():
            matrix = jacobian(x)
            columns = jnp.sqrt(jnp.sum(matrix * matrix, axis=0))
            return _factor(matrix, value), self._scale(state.diag, columns, anew)

        def updated():
            change = product(state.model[:, n:-1], fun)
            model = state.model.at[:, -1].set(jnp.where(accepted, change, state.model[:, -1]))
            length = jnp.where(pnorm > 0, pnorm, 1.0)
            return _update(model, (change - predicted) / length, state.diag * (scaled / length)), state.diag

        case = jnp.where(status != RUNNING, 0, jnp.where(renew, 1, 2))
        model, diag = lax.switch(case, (keep, renewed, updated))

        # The first region is a multiple of the start, and no larger than the first step.
        xnorm = jnp.where(anew, norm(diag * x), s.xnorm)
        factor = jnp.asarray(self.factor, x.dtype)
        delta = jnp.where(anew, jnp.where(xnorm == 0, factor, factor * xnorm), s.delta)
        step, newton = _dogleg(model[:, :n], model[:, -1], diag, delta)
        delta = jnp.where(s.first_step > 0, jnp.minimum(delta, norm(diag * step)), delta)
        s = s._replace(
            delta=delta, xnorm=xnorm, njev=s.njev + renew, fresh_jacobian=renew, newton=newton, status=status
        )
        return HybrState(x, value, model, diag, step, pack(s, x.dtype))

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

    def _scale(self, diag, columns, anew):
        if self.diag is not None:
            return jnp.asarray(self.diag, diag.dtype)
        return jnp.where(anew, jnp.where(columns == 0, 1.0, columns), jnp.maximum(diag, columns))

    def _status(self, s, pnorm, n, start):
        """MINPACK's termination codes, with the guard against a collapsed trust region."""
        eps = jnp.finfo(pnorm.dtype).eps
        maxfev = 100 * (n + 1) if self.maxfev is None else self.maxfev
        status = jnp.where(s.nfev >= maxfev, MAX_EVALUATIONS, RUNNING)
        status = jnp.where(0.1 * jnp.maximum(0.1 * s.delta, pnorm) <= eps * s.xnorm, XTOL_TOO_SMALL, status)
        status = jnp.where(s.slow_jacobians >= 5, SLOW_JACOBIAN, status)
        status = jnp.where(s.slow_steps >= 10, SLOW_ITERATION, status)
        small = s.delta <= self.xtol * s.xnorm
        status = jnp.where(small, jnp.where(s.newton > 0, CONVERGED, SLOW_JACOBIAN), status)
        status = jnp.where(start, RUNNING, status)
        return jnp.where(s.fnorm == 0, CONVERGED, status)


def _factor(matrix, fun):
    """R, the transpose of Q, and ``Q^T fun``, by Householder reflections.

    A loop of vector operations: LAPACK's blocked QR calls threaded products, which are a hundred times slower at
    these sizes when the cores are busy.
    """
    n = matrix.shape[0]
    index = lax.iota(jnp.int32, n)
    model = jnp.concatenate([matrix, jnp.eye(n, dtype=matrix.dtype), fun[:, None]], axis=1)

    def reflect(j, model):
        column = lax.dynamic_index_in_dim(model, j, axis=1, keepdims=False)
        column = jnp.where(index >= j, column, 0)
        head = lax.dynamic_index_in_dim(column, j, keepdims=False)
        length = jnp.where(head < 0, -norm(column), norm(column))
        scale = jnp.where(length == 0, 1, length)
        normal = jnp.where(index == j, head / scale + 1, column / scale)
        image = jnp.sum(normal[:, None] * model, axis=0) / (head / scale + 1)
        return jnp.where(length == 0, model, model - normal[:, None] * image)

    model = lax.fori_loop(0, n, reflect, model)
    # What the reflections annihilate is zero, not rounding noise.
    below = index[:, None] > lax.iota(jnp.int32, 2 * n + 1)[None, :]
    return jnp.where(below, 0, model)


def _update(model, left, right):
    """Factorisation of ``R + left right^T`` in the basis Q, by two sweeps of plane rotations (MINPACK's r1updt)."""
    n = model.shape[0]
    index = lax.iota(jnp.int32, model.shape[1])

    def gather(carry, inputs):
        # Rotate `left` into a multiple of the last unit vector; the last row fills from the right.
        spike, last = carry
        row, here = inputs
        cos, sin = _rotation(last, here)
        return (sin * row + cos * spike, sin * here + cos * last), cos * row - sin * spike

    (spike, last), rows = lax.scan(gather, (model[-1], left[-1]), (model[:-1], left[:-1]), reverse=True)
    spike = spike + last * jnp.pad(right, (0, n + 1))

    def eliminate(spike, inputs):
        row, j = inputs
        cos, sin = _rotation(row[j], spike[j])
        return jnp.where(index == j, 0, cos * spike - sin * row), cos * row + sin * spike

    spike, rows = lax.scan(eliminate, spike, (rows, lax.iota(jnp.int32, n - 1)))
    return jnp.concatenate([rows, spike[None]])


def _rotation(a, b):
    """Cosine and sine of the plane rotation that takes (a, b) to a multiple of (1, 0)."""
    steep = jnp.abs(a) < jnp.abs(b)
    ratio = jnp.where(steep, a, b) / jnp.where(steep, b, jnp.where(b == 0, 1, a))
    one = 1 / jnp.sqrt(1 + ratio * ratio)
    return jnp.where(steep, one * ratio, one), jnp.where(steep, one, one * ratio)


def _dogleg(r, qtf, diag, delta):
    """Minimise the model within the scaled trust region along the dogleg; also whether the step is full."""
    n = qtf.size
    eps = jnp.finfo(qtf.dtype).eps
    # A zero on the diagonal is replaced in the substitution only: the Newton step is then long, and only a direction.
    least = eps * jnp.max(jnp.abs(r), axis=0)
    least = jnp.where(least == 0, eps, least)
    hole = (jnp.diagonal(r) == 0)[:, None] & jnp.eye(n, dtype=bool)
    newton = -solve_triangular(jnp.where(hole, least, r), qtf)
    length = norm(diag * newton)
    full = length <= delta

    gradient = product(r.T, qtf) / diag
    gnorm = norm(gradient)
    flat = gnorm == 0
    unit = gradient / jnp.where(flat, 1.0, gnorm) / diag
    curvature = norm(product(r, unit))
    cauchy = jnp.where(flat, 0.0, gnorm / curvature / curvature)
    # Fraction of the Newton step at which the path from the Cauchy point leaves the region.
    p, q = delta / length, jnp.minimum(cauchy / delta, 1.0)
    fnorm = norm(qtf)
    t = (fnorm / jnp.where(flat, 1.0, gnorm)) * (fnorm / length) * q
    t = t - p * q**2 + jnp.sqrt((t - p) ** 2 + (1 - p**2) * (1 - q**2))
    fraction = jnp.where(flat, p, p * (1 - q**2) / t)
    bent = fraction * newton - (1 - fraction) * jnp.minimum(cauchy, delta) * unit
    return jnp.where(full, newton, bent), full
