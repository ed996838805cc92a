"""L-BFGS-B: limited-memory BFGS with bounds."""

from dataclasses import dataclass, field
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from solvers.minimize import thuente
from solvers.minimize.limited_memory import Memory, empty, inner_inverse, learn, solve_free, weights
from solvers.minimize.searcher import Pausing
from solvers.minimize.status import MAX_ITERATIONS, PRECISION_LOSS, RUNNING, SUCCESS
from solvers.pytrees import pytree_dataclass
from solvers.roots.vectors import entry, inner, norm, pack

__all__ = ["LBFGSB", "LBFGSBState"]

_FTOL, _GTOL, _XTOL = 1e-3, 0.9, 0.1
_FAR = 1e10  # limit of the step where there are no bounds

#: Why the iteration ended, beside the status: SciPy's task codes.
PROJECTED_GRADIENT, REDUCTION, EVALUATIONS, ITERATIONS = 401, 402, 502, 504


class LBFGSBState(NamedTuple):
    """Iterate, the end of the full step, limited memory, and line search of `LBFGSB`.

    ``scalars`` packs the search, then value, iterations, evaluations, status, reason, whether the start is yet to be
    evaluated, updates, theta.
    """

    x: jax.Array
    jac: jax.Array
    target: jax.Array
    memory: Memory
    scalars: jax.Array
    path: jax.Array

    fun = property(lambda self: entry(self.scalars, thuente.SIZE))
    nit = property(lambda self: entry(self.scalars, thuente.SIZE + 1).astype(jnp.int32))
    nfev = property(lambda self: entry(self.scalars, thuente.SIZE + 2).astype(jnp.int32))
    status = property(lambda self: entry(self.scalars, thuente.SIZE + 3).astype(jnp.int32))
    reason = property(lambda self: entry(self.scalars, thuente.SIZE + 4).astype(jnp.int32))
    fresh = property(lambda self: entry(self.scalars, thuente.SIZE + 5) > 0)
    updates = property(lambda self: entry(self.scalars, thuente.SIZE + 6).astype(jnp.int32))
    theta = property(lambda self: entry(self.scalars, thuente.SIZE + 7))


@pytree_dataclass
@dataclass(frozen=True)
class LBFGSB(Pausing):
    """Limited-memory BFGS with bounds; termination and constants are SciPy's.

    Parameters
    ----------
    gtol : float
        Success when no component of the projected gradient exceeds it.
    ftol : float
        Also success when an iteration lowers the value by at most ``ftol * max(|f|, |f_previous|, 1)``. In float32
        take about 1e-6.
    maxiter, maxfun : int
        Most iterations; most evaluations, looked at after each iteration.
    maxls : int
        Most evaluations of one line search.
    maxcor : int, static
        Pairs in memory.
    pause : int, optional
        Stop, with status -1, once this many iterations are done, so that the caller can look and resume.

    References
    ----------
    .. [1] R. H. Byrd, P. Lu, J. Nocedal, C. Zhu, "A limited memory algorithm for bound constrained optimization",
       SIAM J. Sci. Comput. 16 (1995) 1190-1208.
    .. [2] J. L. Morales, J. Nocedal, "Remark on algorithm 778", ACM Trans. Math. Softw. 38 (2011).
    """

    gtol: Any = 1e-5
    ftol: Any = 2.2204460492503131e-09
    maxiter: Any = 15000
    maxfun: Any = 15000
    maxls: Any = 20
    pause: Any = None
    maxcor: int = field(default=10, metadata={"static": True})

    takes_bounds = True
    extra = ("pairs", "updates", "reason")

    def init(self, problem, x0, capacity=0):
        """State at `x0` before any evaluation, with room to record `capacity` iterates."""
        del problem
        n, dtype = x0.size, x0.dtype
        scalars = np.zeros(thuente.SIZE + 8, dtype)
        scalars[thuente.SIZE + 3], scalars[thuente.SIZE + 5], scalars[thuente.SIZE + 7] = RUNNING, True, 1.0
        return LBFGSBState(
            x=x0,
            jac=np.zeros(n, dtype),
            target=x0,
            memory=empty(self.maxcor, n, dtype),
            scalars=scalars,
            path=np.zeros((capacity, n), dtype),
        )

    def results(self, state):
        """Entries of the result that only this method has."""
        return {"pairs": state.memory.pairs, "updates": state.updates, "reason": state.reason}

    def step(self, problem, state):
        """Evaluate at the trial point; where the search ends, update the memory and choose the next direction."""
        dtype, bounds = state.x.dtype, problem.bounds
        search = thuente.unpack(state.scalars)
        direction = state.target - state.x
        trial = jnp.where(search.alpha == 1, state.target, state.x + search.alpha * direction)
        if bounds is not None:
            trial = jnp.clip(trial, *bounds)
        fun, jac = problem(trial)

        # A direction that does not descend starts over at once; its evaluation is not one of the algorithm's.
        void = ~state.fresh & (search.outcome == thuente.FAILED)
        nfev = state.nfev + ~void
        moved = thuente.advance(search, fun, inner(jac, direction), _FTOL, _GTOL, _XTOL, self.maxls)
        failed = ~state.fresh & (void | (moved.outcome == thuente.FAILED))
        accepted = ~state.fresh & ~failed & (moved.outcome == thuente.ACCEPTED)
        nit = state.nit + accepted

        def turn():
            x, value, gradient = (
                jnp.where(failed, old, new) for old, new in ((state.x, trial), (state.fun, fun), (state.jac, jac))
            )
            status, reason = self._status(state, bounds, x, value, gradient, failed, nit, nfev)
            step, change = trial - state.x, jac - state.jac
            curvature = inner(step, change)
            learns = accepted & (status == RUNNING)
            eps = jnp.finfo(dtype).eps
            learns &= curvature > eps * -search.alpha * search.slope0
            memory, updates, theta = lax.cond(
                learns,
                lambda: (learn(state.memory, state.updates, step, change), state.updates + 1,
                         inner(change, change) / curvature),
                lambda: (state.memory, state.updates, state.theta),
            )  # fmt: skip
            # After a failed search: steepest descent, the memory is cleared.
            memory = jax.tree.map(lambda a: jnp.where(failed, 0.0, a), memory)
            updates, theta = jnp.where(failed, 0, updates), jnp.where(failed, 1.0, theta)
            target = _full_step(memory, updates, theta, x, gradient, bounds)
            ahead = target - x
            alpha, top = _first_step(ahead, x, nit, bounds)
            fresh_search = thuente.start(value, inner(gradient, ahead), alpha, top)
            rest = (value, nit, nfev, status, reason, False, updates, theta)
            return x, gradient, target, memory, pack((fresh_search, *rest), dtype)

        def search_on():
            rest = (state.fun, nit, nfev, RUNNING, 0, False, state.updates, state.theta)
            return state.x, state.jac, state.target, state.memory, pack((moved, *rest), dtype)

        updated = lax.cond(state.fresh | accepted | failed, turn, search_on)
        path = state.path
        if path.shape[0]:
            path = path.at[jnp.where(state.fresh | accepted, nit, path.shape[0])].set(trial, mode="drop")
        return LBFGSBState(*updated, path)

    def _status(self, state, bounds, x, fun, jac, failed, nit, nfev):
        """Termination at the end of a search, in SciPy's order of precedence; the reason."""
        projected = jac if bounds is None else jnp.clip(x - jac, *bounds) - x
        largest = jnp.max(jnp.abs(projected))
        scale = jnp.maximum(jnp.maximum(jnp.abs(state.fun), jnp.abs(fun)), 1.0)
        small_decrease = ~state.fresh & (state.fun - fun <= self.ftol * scale)
        # Infinite values would make an infinite tolerance of the decrease.
        undefined = ~jnp.isfinite(fun) | ~jnp.all(jnp.isfinite(jac))
        status, reason = jnp.asarray(RUNNING), jnp.asarray(0)
        for condition, code, why in (
            (small_decrease, SUCCESS, REDUCTION),
            (largest <= self.gtol, SUCCESS, PROJECTED_GRADIENT),
            (~state.fresh & (nfev > self.maxfun), MAX_ITERATIONS, EVALUATIONS),
            (~state.fresh & (nit >= self.maxiter), MAX_ITERATIONS, ITERATIONS),
            (undefined, PRECISION_LOSS, 0),
        ):
            status, reason = jnp.where(condition, code, status), jnp.where(condition, why, reason)
        lost = jnp.where(state.updates == 0, PRECISION_LOSS, RUNNING)
        return jnp.where(failed, lost, status), jnp.where(failed, 0, reason)


def _first_step(direction, x, nit, bounds):
    """First trial step and the limit of the search."""
    boxed, top = False, jnp.asarray(_FAR, x.dtype)
    if bounds is not None:
        lower, upper = bounds
        boxed = jnp.all(jnp.isfinite(lower) & jnp.isfinite(upper))
        room = jnp.where(direction < 0, lower - x, upper - x) / direction
        limit = jnp.min(jnp.where(direction == 0, _FAR, room), initial=_FAR)
        top = jnp.where(nit == 0, 1.0, jnp.maximum(limit, 1.0))
    first = (nit == 0) & ~jnp.asarray(boxed)
    return jnp.where(first, jnp.minimum(1 / norm(direction), top), 1.0), top


def _full_step(memory, updates, theta, x, jac, bounds):
    """End of the full step: the minimiser of the quadratic model on the face of its generalised Cauchy point."""
    if bounds is None:
        return x + solve_free(memory, updates, theta, -jac)
    lower, upper = bounds
    cauchy, reduced = _cauchy_point(memory, updates, theta, x, jac, lower, upper)
    free = (cauchy > lower) & (cauchy < upper) & (updates > 0)
    right = jnp.where(free, -jac - theta * (cauchy - x) + reduced, 0.0)
    step = solve_free(memory, updates, theta, right, free)
    projected = jnp.clip(cauchy + step, lower, upper)
    # The projection may not descend; then the step is cut where it meets the first bound.
    room = jnp.where(step < 0, lower - cauchy, upper - cauchy) / step
    limit = jnp.min(jnp.where(free & (step != 0), room, 1.0), initial=1.0)
    shortened = jnp.clip(cauchy + limit * step, lower, upper)
    shortened = jnp.where(free & (room <= limit) & (step != 0), jnp.where(step < 0, lower, upper), shortened)
    target = jnp.where(inner(projected - x, jac) > 0, shortened, projected)
    return jnp.where(free, target, cauchy)


def _cauchy_point(memory, updates, theta, x, jac, lower, upper):
    """First minimiser of the model along the projected steepest descent, and ``W M W'`` times the way there.

    The path bends where variables meet their bounds; bends at one parameter are taken together.
    """
    dtype = x.dtype
    middle = inner_inverse(memory, updates, theta)
    scale = weights(memory, theta)
    edge = jnp.where(jac > 0, lower, upper)
    times = jnp.where(jac == 0, jnp.inf, (x - edge) / jac)
    moving = jnp.where(times > 0, -jac, 0.0)

    def project(vector):
        return scale * (memory.pairs @ vector)

    p = project(moving)
    squares = inner(moving, moving)
    slope, bend = -squares, theta * squares - inner(p, middle @ p)
    floor = jnp.finfo(dtype).eps * theta * squares

    def next_time(moving):
        return jnp.min(jnp.where(moving == 0, jnp.inf, times), initial=jnp.inf)

    def minimiser(slope, bend, time):
        return time - slope / bend

    def inside(carry):
        _, _, _, (time, slope, bend), upcoming = carry
        return (upcoming < jnp.inf) & (minimiser(slope, bend, time) >= upcoming)

    def pass_bend(carry):
        moving, p, c, (time, slope, bend), upcoming = carry
        stopped = jnp.where(times == upcoming, moving, 0.0)
        ahead = upcoming - time
        c = c + ahead * p
        w = project(stopped)
        image = middle @ w
        lost = inner(stopped, stopped)
        way = inner(stopped, edge_distance(stopped))
        slope = slope + ahead * bend + lost - theta * way + inner(image, c)
        bend = jnp.maximum(bend - theta * lost + 2 * inner(image, p) - inner(image, w), floor)
        moving = jnp.where(stopped != 0, 0.0, moving)
        return moving, p - w, c, (upcoming, slope, bend), next_time(moving)

    def edge_distance(stopped):
        return jnp.where(stopped != 0, edge - x, 0.0)

    begin = (moving, p, jnp.zeros_like(p), (jnp.zeros((), dtype), slope, bend), next_time(moving))
    still, p, c, (time, slope, bend), _ = lax.while_loop(inside, pass_bend, begin)
    any_left = jnp.any(still != 0)
    ahead = jnp.where(any_left, jnp.maximum(-slope / bend, 0.0), 0.0)
    total = time + ahead
    point = jnp.where(still != 0, x + total * still, jnp.where(moving != 0, edge, x))
    c = c + ahead * p
    return jnp.clip(point, lower, upper), (scale * (middle @ c)) @ memory.pairs
