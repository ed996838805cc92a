"""The Levenberg-Marquardt method in a scaled trust region."""

from dataclasses import dataclass, field
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax import lax

from solvers.batching import any_lane
from solvers.least_squares.factors import well_conditioned
from solvers.least_squares.parameter import damping
from solvers.pytrees import pytree_dataclass
from solvers.roots.vectors import inner, norm, pack, product

__all__ = ["LM", "LMState"]

RUNNING, IMPROPER = -1, 0
FTOL, XTOL, BOTH, GTOL, MAX_EVALUATIONS, FTOL_TOO_SMALL, XTOL_TOO_SMALL, GTOL_TOO_SMALL = range(1, 9)


class _Scalars(NamedTuple):
    """Scalars of the iteration, packed into one vector in the carry."""

    fnorm: Any
    delta: Any
    par: Any = 0.0
    predicted: Any = 0.0
    gnorm: Any = 0.0
    nfev: Any = 0
    njev: Any = 0
    nit: Any = 0
    first_step: Any = 1
    status: Any = RUNNING


class LMState(NamedTuple):
    """Iterate, ``A^T A`` and ``A^T fun`` of ``A = J / diag`` in the basis `right`, scales, step under trial.

    The Jacobian J itself, m n numbers, is not carried along: `at` is the point where it was evaluated last.
    """

    x: jax.Array
    fun: jax.Array
    at: jax.Array
    gram: jax.Array
    slope: jax.Array
    right: jax.Array
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


@pytree_dataclass
@dataclass(frozen=True)
class LM:
    """MINPACK's ``lmder``: More's Levenberg-Marquardt method.

    Parameters
    ----------
    ftol, xtol, gtol : float
        Tolerances of the relative reduction of the sum of squares, of the relative step, and of the cosine
        between residuals and columns of the Jacobian. In float32 take about 1e-4.
    maxfev : int, optional
        Most evaluations of the residuals, ``100 (n + 1)`` if absent.
    factor : float
        First trust region, in multiples of the scaled norm of x.
    diag : (n,) array, optional
        Positive scales of the variables; by default the running maximum of the Jacobian's column norms.
    renew_last : bool, static
        Whether the Jacobian is evaluated once more at the solution. MINPACK does not: its last one is that of
        the last step's start.

    Notes
    -----
    The subproblem is solved by ``A^T A`` of the scaled Jacobian A instead of MINPACK's pivoted QR, which costs a
    tenth. Where its pivots show that it is close to singular, it is replaced by the squared singular values of A,
    in their basis: the same step.

    References
    ----------
    .. [1] J. J. More, "The Levenberg-Marquardt algorithm: implementation and theory", in Numerical Analysis,
       G. A. Watson (ed.), Springer, 1978.
    """

    ftol: Any = 1e-8
    xtol: Any = 1e-8
    gtol: Any = 1e-8
    maxfev: Any = None
    factor: Any = 100.0
    diag: Any = None
    renew_last: bool = field(default=True, metadata={"static": True})

    def init(self, problem, x0):
        """State at `x0` before any evaluation."""
        function = problem.function
        n, dtype = x0.size, x0.dtype
        m = jax.eval_shape(function, x0).size
        scalars = pack(_Scalars(fnorm=jnp.inf, delta=0.0), dtype)
        nothing = jnp.zeros(n, dtype)
        return LMState(
            x=x0,
            fun=jnp.zeros(m, dtype),
            at=x0,
            gram=jnp.zeros((n, n), dtype),
            slope=nothing,
            right=jnp.zeros((n, n), dtype),
            diag=nothing,
            step=nothing,
            scalars=scalars,
        )

    def converged(self, state):
        """Whether the iteration ended."""
        return state.status != RUNNING

    def step(self, problem, state):
        """Evaluate at the trial point, judge the step, renew the factors if accepted, choose the next step."""
        function, jacobian = problem.function, problem.jacobian
        s, dtype = state.unpack(), state.x.dtype
        start = s.nfev == 0
        trial = state.x + state.step
        fun = function(trial)
        pnorm = norm(state.diag * state.step)

        s, accepted, actual, predicted, ratio = self._judge(s, norm(fun), pnorm, start)
        x = jnp.where(accepted, trial, state.x)
        value = jnp.where(accepted, fun, state.fun)
        xnorm = norm(state.diag * x)
        status = jnp.where(start, RUNNING, self._status(s, s.delta, xnorm, actual, predicted, ratio, x.size))

        # What an accepted step changes; recomputed as a whole because it costs a factorisation.
        kept = (state.at, state.gram, state.slope, state.right, state.diag, s.gnorm)
        renew = accepted if self.renew_last else accepted & (status == RUNNING)
        at, gram, slope, right, diag, gnorm = lax.cond(
            renew,
            lambda: (x, *self._factor(jacobian(x), value, s.fnorm, state.diag, start)),
            lambda: kept,
        )
        status = jnp.where((status == RUNNING) & accepted & (gnorm <= self.gtol), GTOL, status)
        status = jnp.where(jnp.isfinite(s.fnorm), status, IMPROPER)

        xnorm = norm(diag * x)
        factor = jnp.asarray(self.factor, dtype)
        delta = jnp.where(start, jnp.where(xnorm == 0, factor, factor * xnorm), s.delta)
        full_rank = (jnp.diagonal(gram) > 0).all()
        par, z = damping(gram, slope, full_rank, delta, s.par)
        step = -product(right.T, z) / diag
        # The first region is not larger than the first step.
        delta = jnp.where(s.first_step > 0, jnp.minimum(delta, norm(z)), delta)
        s = s._replace(
            delta=delta,
            par=par,
            predicted=jnp.sqrt(jnp.maximum(inner(z, product(gram, z)), 0.0)),
            gnorm=gnorm,
            njev=s.njev + renew,
            status=status,
        )
        return LMState(x, value, at, gram, slope, right, diag, step, pack(s, dtype))

    def _judge(self, s, fnorm, pnorm, start):
        """Compare actual with predicted reduction; adapt the trust region and the damping."""
        safe = jnp.where(s.fnorm > 0, s.fnorm, 1.0)
        actual = jnp.where(0.1 * fnorm < s.fnorm, 1 - (fnorm / safe) ** 2, -1.0)
        linear, damped = s.predicted / safe, jnp.sqrt(s.par) * pnorm / safe
        predicted = linear**2 + 2 * damped**2
        slope = -(linear**2 + damped**2)
        ratio = jnp.where(predicted != 0, actual / jnp.where(predicted != 0, predicted, 1), 0.0)

        poor, good = ~(ratio > 0.25), (s.par == 0) | (ratio >= 0.75)
        shrink = jnp.where(actual >= 0, 0.5, 0.5 * slope / (slope + 0.5 * actual))
        shrink = jnp.where((0.1 * fnorm >= s.fnorm) | ~(shrink >= 0.1), 0.1, shrink)
        delta = jnp.where(good, 2 * pnorm, s.delta)
        delta = jnp.where(poor, shrink * jnp.minimum(s.delta, 10 * pnorm), delta)
        par = jnp.where(poor, s.par / shrink, jnp.where(good, 0.5 * s.par, s.par))

        accepted = start | (ratio >= 1e-4)
        moved = s._replace(
            fnorm=jnp.where(accepted, fnorm, s.fnorm),
            delta=delta,
            par=par,
            first_step=(s.first_step > 0) & ~(accepted & ~start),
            nit=s.nit + (accepted & ~start),
        )
        kept = s._replace(fnorm=fnorm)
        merged = jax.tree.map(lambda a, b: jnp.where(start, a, b), kept, moved)
        return merged._replace(nfev=s.nfev + 1), accepted, actual, predicted, ratio

    def _factor(self, jac, fun, fnorm, diag, start):
        """Scales, singular factors of the scaled Jacobian, and the cosine test at a new point."""
        n = jac.shape[1]
        # One product of rows with rows: in batches two products take twice as long, sums ten times.
        rows = jnp.concatenate([jac.T, fun[None]])
        products = jnp.einsum("im,jm->ij", rows, rows)
        gram, slope = products[:n, :n], products[:n, n]
        columns = jnp.sqrt(jnp.diagonal(gram))
        if self.diag is not None:
            diag = jnp.asarray(self.diag, jac.dtype)
        else:
            diag = jnp.where(start, jnp.where(columns == 0, 1.0, columns), jnp.maximum(diag, columns))
        gram, scaled = gram / (diag * diag[:, None]), slope / diag
        # One flag for all lanes: a branch per lane would compute both sides.
        gram, scaled, right = lax.cond(
            any_lane(~well_conditioned(gram)),
            lambda: _singular_basis(jac / diag, fun),
            lambda: (gram, scaled, jnp.eye(n, dtype=gram.dtype)),
        )
        scale = columns * fnorm
        cosine = jnp.abs(slope) / jnp.where(scale == 0, 1.0, scale)
        gnorm = jnp.where(fnorm == 0, 0.0, jnp.max(jnp.where(scale == 0, 0.0, cosine)))
        return gram, scaled, right, diag, gnorm

    def _status(self, s, delta, xnorm, actual, predicted, ratio, n):
        """MINPACK's tests after a step, in its order of precedence."""
        eps = jnp.finfo(delta.dtype).eps
        maxfev = 100 * (n + 1) if self.maxfev is None else self.maxfev
        agrees = 0.5 * ratio <= 1
        f_small = (jnp.abs(actual) <= self.ftol) & (predicted <= self.ftol) & agrees
        x_small = delta <= self.xtol * xnorm
        f_tiny = (jnp.abs(actual) <= eps) & (predicted <= eps) & agrees

        status = jnp.where(s.nfev >= maxfev, MAX_EVALUATIONS, RUNNING)
        status = jnp.where(f_tiny, FTOL_TOO_SMALL, status)
        status = jnp.where(delta <= eps * xnorm, XTOL_TOO_SMALL, status)
        status = jnp.where(s.gnorm <= eps, GTOL_TOO_SMALL, status)
        converged = jnp.where(f_small & x_small, BOTH, jnp.where(f_small, FTOL, XTOL))
        return jnp.where(f_small | x_small, converged, status)


def _singular_basis(matrix, vector):
    """``A^T A`` and ``A^T vector`` in the basis of the right singular vectors, and that basis in its rows.

    Singular values that are rounding errors are zero.
    """
    n = matrix.shape[1]
    # LAPACK does not end on what is not finite.
    matrix = jnp.where(jnp.isfinite(matrix).all(), matrix, 0.0)
    left, singular, right = jnp.linalg.svd(matrix, full_matrices=False)
    singular = jnp.where(singular > jnp.finfo(matrix.dtype).eps * n * singular[0], singular, 0.0)
    slope, missing = singular * product(left.T, vector), n - singular.size
    return (
        jnp.diag(jnp.pad(singular**2, (0, missing))),
        jnp.pad(slope, (0, missing)),
        jnp.pad(right, ((0, missing), (0, 0))),
    )
