"""The downhill simplex method."""

from dataclasses import dataclass, field
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from solvers.minimize.status import EVALUATIONS, ITERATIONS, RUNNING, SUCCESS
from solvers.pytrees import pytree_dataclass
from solvers.roots.vectors import entry, pack

__all__ = ["NelderMead", "NelderMeadState"]

_BUILD, _REFLECT, _EXPAND, _OUTSIDE, _INSIDE, _SHRINK = range(6)
_RELATIVE, _ABSOLUTE = 0.05, 0.00025  # sizes of the first simplex


class NelderMeadState(NamedTuple):
    """The simplex, its best vertex first, and the point that is evaluated next.

    ``scalars`` packs what the next point is for, the vertex it replaces, the value at the reflected point,
    evaluations, iterations, status, and passes (iterations with their result known).
    """

    simplex: jax.Array
    values: jax.Array
    trial: jax.Array
    reflected: jax.Array
    scalars: jax.Array
    path: jax.Array

    jac = None
    x = property(lambda self: self.simplex[0])
    fun = property(lambda self: jnp.min(self.values))  # a vertex of NaN shows
    phase = property(lambda self: entry(self.scalars, 0))
    index = property(lambda self: entry(self.scalars, 1).astype(jnp.int32))
    nfev = property(lambda self: entry(self.scalars, 3).astype(jnp.int32))
    nit = property(lambda self: entry(self.scalars, 4).astype(jnp.int32))
    status = property(lambda self: entry(self.scalars, 5).astype(jnp.int32))
    passes = property(lambda self: entry(self.scalars, 6).astype(jnp.int32))


@pytree_dataclass
@dataclass(frozen=True)
class NelderMead:
    """Nelder and Mead's simplex; termination, constants and counters are SciPy's.

    Parameters
    ----------
    xatol, fatol : float
        Success when no vertex is farther than `xatol` from the best one, in any coordinate, nor its value more than
        `fatol` above.
    maxiter, maxfev : int, optional
        Most iterations and evaluations, ``200 n`` if absent.
    initial_simplex : (n + 1, n) array, optional
        First simplex; by default the start with each coordinate in turn made larger by 5%.
    pause : int, optional
        Stop, with status -1, once this many iterations are done, so that the caller can look and resume.
    adaptive : bool, static
        Whether the constants follow the dimension [2]_.

    Notes
    -----
    Bounds clip the vertices. Status 1: too many evaluations. 2: too many iterations.

    References
    ----------
    .. [1] J. A. Nelder, R. Mead, "A simplex method for function minimization", Comput. J. 7 (1965) 308-313.
    .. [2] F. Gao, L. Han, "Implementing the Nelder-Mead simplex algorithm with adaptive parameters", Comput. Optim.
       Appl. 51 (2012) 259-277.
    """

    xatol: Any = 1e-4
    fatol: Any = 1e-4
    maxiter: Any = None
    maxfev: Any = None
    initial_simplex: Any = None
    pause: Any = None
    adaptive: bool = field(default=False, metadata={"static": True})

    takes_bounds = True

    def init(self, problem, x0, capacity=0):
        """State at `x0` before any evaluation, with room to record `capacity` iterates."""
        del problem
        n, dtype = x0.size, x0.dtype
        scalars = np.zeros(7, dtype)
        scalars[5] = RUNNING
        return NelderMeadState(
            simplex=np.zeros((n + 1, n), dtype),
            values=np.full(n + 1, np.inf, dtype),
            trial=x0 if self.initial_simplex is None else self.initial_simplex[0].astype(dtype),
            reflected=np.zeros(n, dtype),
            scalars=scalars,
            path=np.zeros((capacity, n), dtype),
        )

    def converged(self, state):
        """Whether the iteration ended, or pauses."""
        ended = state.status != RUNNING
        return ended if self.pause is None else ended | (state.passes >= self.pause)

    def results(self, state):
        """Entries of the result that only this method has."""
        return {"final_simplex": (state.simplex, state.values), "passes": state.passes}

    def step(self, problem, state):
        """Evaluate at the trial point, and do with it what it is for."""
        n, dtype = state.trial.size, state.trial.dtype
        phase, index, nfev = state.phase, state.index, state.nfev + 1
        most = 200 * n if self.maxfev is None else self.maxfev
        build, shrink = phase == _BUILD, phase == _SHRINK
        trial = _within(problem.bounds, state.trial, build)
        fun = problem.value(trial)

        # A vertex of its own; or the worst one's successor, or nothing yet.
        values, earlier = state.values, entry(state.scalars, 2)
        first, second, worst = values[0], values[max(n - 1, 0)], values[n]
        expands = (phase == _REFLECT) & (fun < first)
        taken = (phase == _REFLECT) & ~expands & (fun < second)
        outside = (phase == _REFLECT) & ~expands & ~taken & (fun < worst)
        inside = (phase == _REFLECT) & ~expands & ~taken & ~outside
        contracted = ((phase == _OUTSIDE) & (fun <= earlier)) | ((phase == _INSIDE) & (fun < worst))
        to_shrink = ((phase == _OUTSIDE) | (phase == _INSIDE)) & ~contracted
        keeps_reflected = (phase == _EXPAND) & ~(fun < earlier)
        ends = taken | contracted | (phase == _EXPAND) | ((build | shrink) & (index == n))
        replaces = build | shrink | ends
        row = jnp.where(build | shrink, index, n)
        here = (lax.iota(jnp.int32, n + 1) == row) & replaces
        point = jnp.where(keeps_reflected, state.reflected, trial)
        simplex = jnp.where(here[:, None], point, state.simplex)
        values = jnp.where(here, jnp.where(keeps_reflected, earlier, fun), values)

        exhausted = nfev >= most
        closes = ends | exhausted
        simplex, values = lax.cond(closes, _sorted, lambda *same: same, simplex, values)
        nit = jnp.where(ends, state.nit + 1, jnp.maximum(state.nit, exhausted & build))
        passes = state.passes + (closes & ~build)
        status = jnp.where(closes, self._status(simplex, values, nfev, nit, most), RUNNING)

        kind = jnp.where(ends, _REFLECT, phase)
        for condition, code in ((expands, _EXPAND), (outside, _OUTSIDE), (inside, _INSIDE), (to_shrink, _SHRINK)):
            kind = jnp.where(condition, code, kind)
        index = jnp.where(to_shrink, 1, index + (build | shrink))
        follower = self._next(problem.bounds, simplex, kind, index, n)
        rest = (kind, index, jnp.where(phase == _REFLECT, fun, earlier), nfev, nit, status, passes)
        path = state.path
        if path.shape[0]:
            start = build & (index == 1)
            # The start is the vertex as it was given, before the simplex is sorted.
            at = jnp.where(closes & ~build, passes, jnp.where(start, 0, path.shape[0]))
            path = path.at[at].set(jnp.where(start, trial, simplex[0]), mode="drop")
        reflected = jnp.where(phase == _REFLECT, trial, state.reflected)
        return NelderMeadState(simplex, values, follower, reflected, pack(rest, dtype), path)

    def _status(self, simplex, values, nfev, nit, most):
        maxiter = 200 * simplex.shape[1] if self.maxiter is None else self.maxiter
        small = (jnp.max(jnp.abs(simplex[1:] - simplex[0])) <= self.xatol) & (
            jnp.max(jnp.abs(values[0] - values[1:])) <= self.fatol
        )
        status = jnp.where(small, SUCCESS, RUNNING)
        return jnp.where(nfev >= most, EVALUATIONS, jnp.where(nit >= maxiter, ITERATIONS, status))

    def _next(self, bounds, simplex, kind, index, n):
        """The point to evaluate: on the line through the worst vertex and the others' centre, or a vertex."""
        chi, psi, sigma = (1 + 2 / n, 0.75 - 1 / (2 * n), 1 - 1 / n) if self.adaptive else (2.0, 0.5, 0.5)
        centre, worst = jnp.sum(simplex[:-1], axis=0) / n, simplex[-1]
        away = jnp.where(kind == _EXPAND, chi, jnp.where(kind == _OUTSIDE, psi, jnp.where(kind == _INSIDE, -psi, 1.0)))
        on_line = (1 + away) * centre - away * worst
        here = lax.iota(jnp.int32, n + 1) == index
        vertex = jnp.sum(jnp.where(here[:, None], simplex, 0.0), axis=0)
        shrunk = simplex[0] + sigma * (vertex - simplex[0])
        if self.initial_simplex is None:
            larger = jnp.where(simplex[0] != 0, (1 + _RELATIVE) * simplex[0], _ABSOLUTE)
            built = jnp.where(lax.iota(jnp.int32, n) == index - 1, larger, simplex[0])
        else:
            built = jnp.sum(jnp.where(here[:, None], self.initial_simplex.astype(simplex.dtype), 0.0), axis=0)
        point = jnp.where(kind == _BUILD, built, jnp.where(kind == _SHRINK, shrunk, on_line))
        return _within(bounds, point, kind == _BUILD)


def _within(bounds, point, build):
    """Clipped; vertices of the first simplex are reflected at the upper bound, lest it become flat."""
    if bounds is None:
        return point
    lower, upper = bounds
    return jnp.clip(jnp.where(build & (point > upper), 2 * upper - point, point), lower, upper)


def _sorted(simplex, values):
    """Vertices by ascending value, NaN last."""
    order = jnp.argsort(values, stable=True)
    return simplex[order], values[order]
