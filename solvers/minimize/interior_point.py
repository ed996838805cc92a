"""A primal-dual interior point for equality and inequality constraints and bounds, with exact second derivatives."""

from dataclasses import dataclass, field
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from solvers.minimize.searcher import Pausing
from solvers.minimize.status import RUNNING
from solvers.pytrees import pytree_dataclass
from solvers.roots.vectors import entry, inner, norm, pack

__all__ = ["InteriorPoint", "InteriorPointState"]

ITERATIONS, SMALL_GRADIENT, SMALL_STEP, INFEASIBLE = 0, 1, 2, 4
_DECREASE, _MAX_BACK, _SHRINK = 1e-4, 40, 0.5  # of the line search
_REDUCE, _POWER, _CLOSE, _BOUNDARY = 0.2, 1.5, 10.0, 0.99  # of the barrier
_LEAST_SLACK, _RANGE = 1e-2, 1e10
_LONGEST = 10.0  # relative length of a step
_CERTIFIED = 1e-5  # gradient of the Lagrangian, relative, at which a small step is a success


class InteriorPointState(NamedTuple):
    """Iterate, slacks and multipliers, their direction, and what was evaluated at the iterate.

    ``scalars`` packs the trial step, value, iterations, evaluations, status, whether the start is yet to be evaluated,
    barrier parameter, weight of the constraints in the merit, merit, its slope, trials of the search, whether the
    model was convex, residual of the optimality conditions, gradient of the Lagrangian, violation, products.
    """

    x: jax.Array
    slack: jax.Array
    multipliers: jax.Array
    dx: jax.Array
    dslack: jax.Array
    dmultipliers: jax.Array
    correction: jax.Array
    jac: jax.Array
    rows: jax.Array
    normals: jax.Array
    scalars: jax.Array
    path: jax.Array

    fun = property(lambda self: entry(self.scalars, 1))
    nit = property(lambda self: entry(self.scalars, 2).astype(jnp.int32))
    nfev = property(lambda self: entry(self.scalars, 3).astype(jnp.int32))
    status = property(lambda self: entry(self.scalars, 4).astype(jnp.int32))
    fresh = property(lambda self: entry(self.scalars, 5) > 0)
    barrier = property(lambda self: entry(self.scalars, 6))


@pytree_dataclass
@dataclass(frozen=True)
class InteriorPoint(Pausing):
    """Newton's method on the perturbed optimality conditions, with a line search on a merit function.

    Parameters
    ----------
    gtol : float
        Success when no component of the Lagrangian's gradient, no constraint violation, and no product of slack and
        multiplier exceeds it.
    xtol : float
        End when a step is shorter; a success if the gradient and the violation are small enough.
    barrier_tol : float
        The last barrier parameter is a tenth of it.
    initial_barrier, initial_penalty : float
        First barrier parameter; first weight of the constraints in the merit function.
    maxiter : int
        Most iterations.
    equalities, inequalities : int, static
        Constraints of each kind: the objective's ``constraints`` gives the equalities first.
    pause : int, optional
        Stop, with status -1, once this many iterations are done, so that the caller can look and resume.

    Notes
    -----
    Status 0: too many iterations, or a number is not finite. 1: first-order conditions. 2: small step. 4: the
    constraints are violated.

    References
    ----------
    .. [1] A. Waechter, L. T. Biegler, "On the implementation of an interior-point filter line-search algorithm for
       large-scale nonlinear programming", Math. Program. 106 (2006) 25-57.
    .. [2] R. H. Byrd, M. E. Hribar, J. Nocedal, "An interior point algorithm for large-scale nonlinear programming",
       SIAM J. Optim. 9 (1999) 877-900.
    """

    gtol: Any = 1e-8
    xtol: Any = 1e-8
    barrier_tol: Any = 1e-8
    initial_barrier: Any = 0.1
    initial_penalty: Any = 1.0
    maxiter: Any = 1000
    pause: Any = None
    equalities: int = field(default=0, metadata={"static": True})
    inequalities: int = field(default=0, metadata={"static": True})
    bounded: bool = field(default=False, metadata={"static": True})

    takes_bounds = True
    takes_constraints = True
    successes = (SMALL_GRADIENT, SMALL_STEP)
    near_bounds = 1e-6  # where a variable that is pushed at a bound counts as held by it

    def init(self, problem, x0, capacity=0):
        """State at `x0` before any evaluation, with room to record `capacity` iterates."""
        del problem
        n, dtype, m = x0.size, x0.dtype, self.equalities
        k = self.inequalities + 2 * n * self.bounded
        scalars = np.zeros(16, dtype)
        scalars[4:6] = RUNNING, True
        return InteriorPointState(
            *(x0, np.ones(k, dtype), np.zeros(m + k, dtype)),
            *(np.zeros(n, dtype), np.zeros(k, dtype), np.zeros(m + k, dtype), np.zeros(n, dtype)),
            *(np.zeros(n, dtype), np.zeros(m + k, dtype), np.zeros((m + k, n), dtype)),
            scalars,
            np.zeros((capacity, n), dtype),
        )

    def results(self, state):
        """Entries of the result that only this method has."""
        m, k = self.equalities, self.inequalities
        z = state.multipliers[m:]
        # Of a product that has gone to zero, the smaller factor is the zero.
        held = jnp.where(z > state.slack, z, 0.0)
        return {
            "multipliers": jnp.concatenate([state.multipliers[:m], held[:k]]),
            "bound_multipliers": held[k:],
            # Not rounded to zero: these make the Lagrangian as flat as the optimality says.
            "interior_multipliers": state.multipliers,
            "normals": state.normals[: m + k],
            "rows": state.rows[: m + k],
            "optimality": entry(state.scalars, 13),
            "constr_violation": entry(state.scalars, 14),
            "barrier_parameter": state.barrier,
            "constr_penalty": entry(state.scalars, 7),
            "nhev": state.nit,
        }

    def certifies(self, aux):
        """Whether the result is feasible, and its Lagrangian flat."""
        extra, finite = aux["extra"], jnp.isfinite(aux["fun"])
        flat = extra["optimality"] <= _CERTIFIED * (1 + jnp.max(jnp.abs(aux["jac"])))
        return finite & flat & (extra["constr_violation"] <= jnp.maximum(self.gtol, 1e-8))

    def step(self, problem, state):
        """Evaluate at the trial point; accept it and choose the next direction, or shorten the step."""
        dtype, fresh, m = state.x.dtype, state.fresh, self.equalities
        alpha, _, _, _, _, _, mu, weight, merit0, slope0, count, convex, error0 = (
            entry(state.scalars, i) for i in range(13)
        )
        trial = state.x + alpha * state.dx + state.correction
        slack = state.slack + alpha * state.dslack
        fun, jac = problem(trial)
        rows, normals = self._rows(problem, trial)
        nfev = state.nfev + 1
        finite = jnp.isfinite(fun) & jnp.all(jnp.isfinite(rows)) & jnp.all(jnp.isfinite(jac))

        # Equalities move along with the primal step, the others as far as they stay positive.
        reach = jnp.minimum(1.0, _room(state.multipliers[m:], state.dmultipliers[m:]))
        lengths = jnp.where(lax.iota(jnp.int32, state.multipliers.size) < m, alpha, reach)
        moved = state.multipliers + lengths * state.dmultipliers
        # A slack below its constraint's value may be raised to it: both parts of the merit fall.
        slack = jnp.where(fresh, jnp.maximum(rows[m:], _LEAST_SLACK), jnp.maximum(slack, rows[m:]))
        mu = jnp.where(fresh, jnp.asarray(self.initial_barrier, dtype), mu)
        weight = jnp.where(fresh, jnp.asarray(self.initial_penalty, dtype), weight)
        z = jnp.clip(moved[m:], mu / (_RANGE * slack), _RANGE * mu / slack)
        multipliers = jnp.concatenate([moved[:m], jnp.where(fresh, mu / slack, z)])
        if m:
            gram = normals[:m] @ normals[:m].T + 1e-10 * jnp.eye(m, dtype=dtype)
            least = jnp.linalg.solve(gram, normals[:m] @ (jac - multipliers[m:] @ normals[m:]))
            least = jnp.where(jnp.max(jnp.abs(least)) < 1e3, least, 0.0)
            multipliers = multipliers.at[:m].set(jnp.where(fresh, least, multipliers[:m]))

        merit = self._merit(fun, rows, slack, mu, weight)
        lagrangian = self._slope(problem, jac, normals, multipliers)
        error = self._error(lagrangian, rows, slack, multipliers, mu)
        low_enough = merit <= merit0 + _DECREASE * alpha * slope0 + 1e-14 * jnp.abs(merit0)
        closer = (convex > 0) & (error <= 0.9 * error0)
        accepted = fresh | (finite & (low_enough | closer))

        def turn():
            flatness = jnp.max(jnp.abs(lagrangian))
            violation = self._violation(rows)
            product = jnp.max(slack * multipliers[m:], initial=0.0)
            lower = jnp.maximum(jnp.minimum(_REDUCE * mu, mu**_POWER), 0.1 * self.barrier_tol)
            new_mu = jnp.where(error <= _CLOSE * mu, lower, mu) if slack.size else jnp.asarray(mu)
            nit = state.nit + ~fresh
            step = norm(alpha * state.dx)
            still = ~fresh & (step < self.xtol) & (new_mu <= jnp.maximum(self.barrier_tol, mu * 0.0))
            status = jnp.where(nit >= self.maxiter, ITERATIONS, RUNNING)
            status = jnp.where(still, jnp.where(violation <= self.gtol, SMALL_STEP, INFEASIBLE), status)
            optimal = (flatness < self.gtol) & (violation < self.gtol) & (product <= _CLOSE * self.barrier_tol)
            status = jnp.where(optimal, SMALL_GRADIENT, status)
            status = jnp.where(fresh & ~finite, ITERATIONS, status)
            found = self._direction(problem, trial, jac, rows, normals, slack, multipliers, new_mu)
            dx, dslack, dmultipliers, is_convex, bend = found
            infeasibility = jnp.sum(jnp.abs(rows[:m])) + jnp.sum(jnp.abs(rows[m:] - slack))
            model = inner(jac, dx) - new_mu * jnp.sum(dslack / slack)
            needed = (model + 0.5 * jnp.maximum(bend, 0.0)) / (0.9 * jnp.where(infeasibility > 0, infeasibility, 1.0))
            heavier = jnp.where(infeasibility > 0, jnp.maximum(weight, needed), weight)
            heavier = jnp.where(jnp.isfinite(heavier), heavier, weight)
            slope = model - heavier * infeasibility
            length = jnp.minimum(1.0, _room(slack, dslack))
            length = jnp.minimum(length, _LONGEST * (1 + norm(trial)) / jnp.maximum(norm(dx), 1e-30))
            start = self._merit(fun, rows, slack, new_mu, heavier)
            around = self._error(lagrangian, rows, slack, multipliers, new_mu)
            rest = (length, fun, nit, nfev, status, False, new_mu, heavier, start, slope, 0, is_convex, around)
            scalars = pack((*rest, flatness, violation, 0), dtype)
            vectors = (dx, dslack, dmultipliers, jnp.zeros_like(trial))
            return trial, slack, multipliers, *vectors, jac, rows, normals, scalars

        def shorten():
            lost = count >= _MAX_BACK
            violation = entry(state.scalars, 14)
            end = jnp.where(violation <= self.gtol, SMALL_STEP, INFEASIBLE)
            status = jnp.where(lost, end, RUNNING)
            # First back to the curved equalities, at the same length (second-order correction).
            bends = (count == 0) & finite if m else jnp.asarray(False)
            correction = jnp.where(bends, self._back(state.normals[:m], rows[:m]), 0.0) if m else state.correction
            rest = (
                jnp.where(bends, alpha, _SHRINK * alpha),
                state.fun,
                state.nit,
                nfev,
                status,
                False,
                mu,
                weight,
                merit0,
                slope0,
                count + 1,
            )
            scalars = jnp.concatenate([pack(rest, dtype), state.scalars[11:]])
            return *state[:6], correction, *state[7:10], scalars

        updated = lax.cond(accepted, turn, shorten)
        path = state.path
        if path.shape[0]:
            nit = entry(updated[-1], 2).astype(jnp.int32)
            path = path.at[jnp.where(accepted, nit, path.shape[0])].set(trial, mode="drop")
        return InteriorPointState(*updated, path)

    def _rows(self, problem, x):
        """Values and Jacobian of all constraints: equalities, inequalities, bounds (an absent one is constant)."""
        values, normals = [jnp.zeros(0, x.dtype)], [jnp.zeros((0, x.size), x.dtype)]
        if self.equalities + self.inequalities:
            c, slopes = problem.constraints_and_jacobian(x)
            values, normals = [c], [slopes]
        if self.bounded:
            for bound, sign in zip(problem.bounds, (1.0, -1.0), strict=True):
                there = jnp.isfinite(bound) & self._free(problem, x)
                values.append(jnp.where(there, sign * (x - jnp.where(there, bound, 0.0)), 1.0))
                normals.append(jnp.diag(jnp.where(there, sign, 0.0)).astype(x.dtype))
        return jnp.concatenate(values), jnp.concatenate(normals)

    def _back(self, equal, values):
        """The shortest step to where the linearised equalities are zero."""
        gram = equal @ equal.T
        gram = gram + 1e-12 * (1 + jnp.trace(gram)) * jnp.eye(len(gram), dtype=gram.dtype)
        return -(jnp.linalg.solve(gram, values) @ equal)

    def _free(self, problem, x):
        """Variables that the bounds do not fix; the others keep their value and need no flat Lagrangian."""
        return problem.bounds[0] != problem.bounds[1] if self.bounded else jnp.ones(x.size, bool)

    def _slope(self, problem, jac, normals, multipliers):
        """Gradient of the Lagrangian in the free variables."""
        return jnp.where(self._free(problem, jac), jac - multipliers @ normals, 0.0)

    def _merit(self, fun, rows, slack, mu, weight):
        m = self.equalities
        infeasibility = jnp.sum(jnp.abs(rows[:m])) + jnp.sum(jnp.abs(rows[m:] - slack))
        return fun - mu * jnp.sum(jnp.log(slack)) + weight * infeasibility

    def _error(self, slope, rows, slack, multipliers, mu):
        """Largest residual of the perturbed optimality conditions."""
        m = self.equalities
        parts = (slope, rows[:m], rows[m:] - slack, slack * multipliers[m:] - mu)
        return jnp.max(jnp.abs(jnp.concatenate(parts)))

    def _violation(self, rows):
        m = self.equalities
        return jnp.maximum(jnp.max(jnp.abs(rows[:m]), initial=0.0), jnp.max(-rows[m:], initial=0.0))

    def _direction(self, problem, x, jac, rows, normals, slack, multipliers, mu):
        """Newton's step, of a model that is convex where the equalities hold."""
        n, m, dtype = x.size, self.equalities, x.dtype
        free = self._free(problem, x)
        moving = jnp.where(free, normals, 0.0)
        equal, unequal, z = moving[:m], moving[m:], multipliers[m:]
        hessian = problem.hess(x)
        if m + self.inequalities:
            hessian = hessian - problem.constraints_hessian(x, multipliers[: m + self.inequalities])
        hessian = jnp.where(free[:, None] & free, hessian, jnp.eye(n, dtype=dtype))
        ratio = z / slack
        bent = hessian + unequal.T @ (ratio[:, None] * unequal)
        size = jnp.maximum(jnp.max(jnp.abs(hessian)), 1.0)
        pinned = bent
        if m:
            scale = jnp.maximum(jnp.sum(equal * equal) / m, jnp.finfo(dtype).tiny)
            pinned = bent + 1e3 * size / scale * (equal.T @ equal)
        pinned = jnp.where(jnp.all(jnp.isfinite(pinned)), pinned, jnp.eye(n, dtype=dtype))
        lowest = jnp.linalg.eigvalsh(0.5 * (pinned + pinned.T))[0]
        least = 1e-9 * size
        # Negative curvature changes its sign.
        shift = jnp.where(lowest < least, jnp.maximum(-2 * lowest, 1e-4 * size), 0.0)
        bent = bent + shift * jnp.eye(n, dtype=dtype)
        gap = rows[m:] - slack
        right = -self._slope(problem, jac, normals, multipliers) + (mu / slack - z - ratio * gap) @ unequal
        matrix = jnp.block([[bent, -equal.T], [equal, 1e-11 * jnp.eye(m, dtype=dtype)]]) if m else bent
        both = jnp.linalg.solve(matrix, jnp.concatenate([right, -rows[:m]]))
        dx = both[:n]
        dslack = unequal @ dx + gap
        dz = mu / slack - z - ratio * dslack
        return dx, dslack, jnp.concatenate([both[n:], dz]), shift == 0, inner(dx, bent @ dx)


def _room(values, steps):
    """The step at which most of a positive value is used up."""
    return _BOUNDARY * jnp.min(
        jnp.where(steps < 0, -values / jnp.where(steps < 0, steps, 1.0), jnp.inf), initial=jnp.inf
    )
