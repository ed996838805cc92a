"""Sequential quadratic programming with a merit function: SLSQP."""

from dataclasses import dataclass, field
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from solvers.minimize.quadratic import quadratic_program
from solvers.minimize.status import RUNNING, SUCCESS
from solvers.pytrees import pytree_dataclass
from solvers.roots.vectors import entry, inner, norm, pack

__all__ = ["SLSQP", "SLSQPState"]

INCOMPATIBLE, UPHILL, ITERATIONS = 4, 8, 9
_MAX_LINE, _LEAST_ALPHA = 10, 0.1
_MAX_RELAXED, _MAX_RESETS = 5, 5


class SLSQPState(NamedTuple):
    """Iterate, constraints, model and line search of `SLSQP`.

    ``scalars`` packs value, iterations, evaluations, evaluations of the gradient, status, whether the start is yet to
    be evaluated, trials of the line search, merit at its start, slope of the merit, resets of the matrix, whether the
    linearised constraints had to be relaxed.
    """

    x: jax.Array
    jac: jax.Array
    values: jax.Array
    normals: jax.Array
    matrix: jax.Array
    direction: jax.Array
    multipliers: jax.Array
    penalties: jax.Array
    scalars: jax.Array
    path: jax.Array

    fun = property(lambda self: entry(self.scalars, 0))
    nit = property(lambda self: entry(self.scalars, 1).astype(jnp.int32))
    nfev = property(lambda self: entry(self.scalars, 2).astype(jnp.int32))
    njev = property(lambda self: entry(self.scalars, 3).astype(jnp.int32))
    status = property(lambda self: entry(self.scalars, 4).astype(jnp.int32))
    fresh = property(lambda self: entry(self.scalars, 5) > 0)


@pytree_dataclass
@dataclass(frozen=True)
class SLSQP:
    """Sequential quadratic programming by Kraft; termination and constants are SciPy's.

    Parameters
    ----------
    ftol : float
        Success when the constraints hold to it and the value, the step, or the first-order conditions change by less.
    maxiter : int
        Most iterations.
    equalities, inequalities : int, static
        Constraints of each kind: the objective's ``constraints`` gives the equalities first.
    pause : int, optional
        Stop, with status -1, once this many iterations are done, so that the caller can look and resume.

    Notes
    -----
    Status 4: incompatible constraints. 8: no descent of the merit function. 9: too many iterations. 3: not a number.

    References
    ----------
    .. [1] D. Kraft, "A software package for sequential quadratic programming", DFVLR-FB 88-28, 1988.
    .. [2] M. J. D. Powell, "A fast algorithm for nonlinearly constrained optimization calculations", 1978.
    """

    ftol: Any = 1e-6
    maxiter: Any = 100
    pause: Any = None
    equalities: int = field(default=0, metadata={"static": True})
    inequalities: int = field(default=0, metadata={"static": True})

    takes_bounds = True
    takes_constraints = True

    def init(self, problem, x0, capacity=0):
        """State at `x0` before any evaluation, with room to record `capacity` iterates."""
        del problem
        n, m, dtype = x0.size, self.equalities + self.inequalities, x0.dtype
        scalars = np.zeros(11, dtype)
        scalars[4:6] = RUNNING, True
        return SLSQPState(
            x=x0,
            jac=np.zeros(n, dtype),
            values=np.zeros(m, dtype),
            normals=np.zeros((m, n), dtype),
            matrix=np.eye(n, dtype=dtype),
            direction=np.zeros(n, dtype),
            multipliers=np.zeros(m, dtype),
            penalties=np.zeros(m, dtype),
            scalars=scalars,
            path=np.zeros((capacity, n), dtype),
        )

    def converged(self, state):
        """Whether the iteration ended, or pauses."""
        ended = state.status != RUNNING
        return ended if self.pause is None else ended | (state.nit > self.pause)

    def results(self, state):
        """Entries of the result that only this method has."""
        return {"multipliers": state.multipliers}

    def step(self, problem, state):
        """Evaluate at the trial point; at the end of a line search update the model and solve the next program."""
        dtype, fresh = state.x.dtype, state.fresh
        trial = state.x + state.direction
        if problem.bounds is not None:
            trial = jnp.clip(trial, *problem.bounds)
        fun, jac = problem(trial)
        values, normals = self._constraints(problem, trial)
        line, merit0, slope, resets, relaxed = (entry(state.scalars, i) for i in range(6, 11))

        finite = jnp.isfinite(fun) & jnp.all(jnp.isfinite(values))
        rise = fun + inner(state.penalties, self._violation(values)) - merit0
        # A NaN fails the comparison and shortens the step.
        arrived = fresh | (rise <= 0.1 * slope) | (line > _MAX_LINE)

        def shorten():
            alpha = jnp.where(finite, jnp.maximum(slope / (2 * (slope - rise)), _LEAST_ALPHA), _LEAST_ALPHA)
            rest = (state.fun, state.nit, state.nfev + 1, state.njev, RUNNING, False)
            scalars = pack((*rest, line + 1, merit0, alpha * slope, resets, relaxed), dtype)
            return state._replace(direction=alpha * state.direction, scalars=scalars)[:9]

        def turn():
            total = jnp.sum(self._violation(values))
            step = trial - state.x
            still = (jnp.abs(fun - state.fun) < self.ftol) | (norm(step) < self.ftol)
            ended = ~fresh & still & (total < self.ftol) & ~(relaxed > 0)
            status = jnp.where(ended, SUCCESS, RUNNING)
            undefined = ~finite | ~jnp.all(jnp.isfinite(jac)) | ~jnp.all(jnp.isfinite(normals))
            status = jnp.where(undefined, 3, status)
            before = state.jac - state.multipliers @ state.normals
            change = jac - state.multipliers @ normals - before
            matrix = jnp.where(fresh, state.matrix, _damped_update(state.matrix, step, change))
            found = self._next(problem.bounds, trial, fun, jac, values, normals, matrix, state, status)
            matrix, direction, multipliers, penalties, new_slope, new_resets, new_relaxed, nit, status = found
            merit = fun + inner(penalties, self._violation(values))
            njev = state.njev + ~ended
            nit = jnp.where(status == ITERATIONS, self.maxiter, nit)
            rest = (fun, nit, state.nfev + 1, njev, status, False, 0, merit, new_slope, new_resets, new_relaxed)
            return (trial, jac, values, normals, matrix, direction, multipliers, penalties, pack(rest, dtype))

        updated = lax.cond(arrived, turn, shorten)
        path = state.path
        if path.shape[0]:
            path = path.at[jnp.where(arrived, state.nit, path.shape[0])].set(trial, mode="drop")
        return SLSQPState(*updated, path)

    def _constraints(self, problem, x):
        if self.equalities + self.inequalities == 0:
            return jnp.zeros(0, x.dtype), jnp.zeros((0, x.size), x.dtype)
        return problem.constraints_and_jacobian(x)

    def _violation(self, values):
        equality = lax.iota(jnp.int32, values.size) < self.equalities
        return jnp.maximum(-values, jnp.where(equality, values, 0.0))

    def _next(self, bounds, x, fun, jac, values, normals, matrix, state, status):
        """Solve the program at `x`; relax its constraints, or forget the matrix, where that is needed."""
        violation = self._violation(values)
        total = jnp.sum(violation)

        def going(carry):
            return carry[-1]

        def attempt(carry):
            matrix, rho, resets, nit, *_ = carry
            nit = nit + (rho == 0)
            found, slack = self._program(bounds, x, jac, values, normals, matrix, rho)
            multipliers = found.multipliers[: values.size]
            direction = found.x[:-1]
            sizes = jnp.abs(multipliers)
            decrease = inner(jac, direction)
            relaxed = rho > 0
            optimal = (jnp.abs(decrease) + inner(sizes, jnp.abs(values)) < self.ftol) & (total < self.ftol) & ~relaxed
            penalties = jnp.maximum(sizes, 0.5 * (state.penalties + sizes))
            slope = decrease - inner(penalties, violation) * (1 - slack)
            uphill = found.feasible & ~optimal & ~(slope < 0)
            again = uphill & (resets < _MAX_RESETS)
            tighten = ~found.feasible & (rho < 10.0 ** (_MAX_RELAXED + 1))
            outcome = jnp.where(found.feasible, jnp.where(optimal, SUCCESS, RUNNING), INCOMPATIBLE)
            tol = 10 * self.ftol
            still = (jnp.abs(fun - state.fun) < tol) | (norm(direction) < tol)
            close = still & (total < tol) & ~relaxed & ~state.fresh
            outcome = jnp.where(uphill, jnp.where(close, SUCCESS, UPHILL), outcome)
            outcome = jnp.where((nit > self.maxiter) & (rho == 0), ITERATIONS, outcome)
            more = (again | tighten) & (outcome != ITERATIONS)
            matrix = jnp.where(again, jnp.eye(x.size, dtype=x.dtype), matrix)
            rho = jnp.where(tighten, jnp.where(rho == 0, 100.0, 10 * rho), jnp.where(again, 0.0, rho))
            rest = (direction, multipliers, penalties, slope, relaxed)
            return matrix, rho, resets + uphill, nit, rest, outcome, more

        zero = jnp.zeros((), x.dtype)
        resets = entry(state.scalars, 9).astype(jnp.int32)
        nothing = (state.direction, state.multipliers, state.penalties, zero, jnp.asarray(False))
        begin = (matrix, zero, resets, state.nit, nothing, status, status == RUNNING)
        matrix, _, resets, nit, rest, status, _ = lax.while_loop(going, attempt, begin)
        direction, multipliers, penalties, slope, relaxed = rest
        return matrix, direction, multipliers, penalties, slope, resets, relaxed, nit, status

    def _program(self, bounds, x, jac, values, normals, matrix, rho):
        """The quadratic program of the step, with one more variable that relaxes the constraints if rho > 0."""
        n, dtype = x.size, x.dtype
        weight = jnp.where(rho > 0, rho, 1.0)
        hessian = jnp.zeros((n + 1, n + 1), dtype).at[:n, :n].set(matrix).at[n, n].set(weight)
        equality = lax.iota(jnp.int32, values.size) < self.equalities
        ease = jnp.where(equality, -values, jnp.maximum(-values, 0.0))
        rows, levels = [jnp.concatenate([normals, jnp.where(rho > 0, ease, 0.0)[:, None]], axis=1)], [-values]
        if bounds is not None:
            lower, upper = bounds
            eye = jnp.eye(n, n + 1, dtype=dtype)
            rows += [eye, -eye]
            levels += [lower - x, x - upper]
        last = jnp.zeros((1, n + 1), dtype).at[0, n].set(1.0)
        rows, levels = [*rows, last, -last], [*levels, jnp.zeros(1, dtype), -jnp.ones(1, dtype)]
        gradient = jnp.concatenate([jac, jnp.zeros(1, dtype)])
        found = quadratic_program(hessian, gradient, jnp.concatenate(rows), jnp.concatenate(levels), self.equalities)
        return found, found.x[n]


def _damped_update(matrix, step, change):
    """Powell's update of the Lagrangian's Hessian, which stays positive definite."""
    image = matrix @ step
    bend, curvature = inner(step, image), inner(step, change)
    weight = jnp.where(curvature < 0.2 * bend, 0.8 * bend / (bend - curvature), 1.0)
    mixed = weight * change + (1 - weight) * image
    updated = matrix - jnp.outer(image, image) / bend + jnp.outer(mixed, mixed) / inner(step, mixed)
    return jnp.where((bend > 0) & jnp.all(jnp.isfinite(updated)), updated, matrix)
