"""Powell's method of conjugate directions, without derivatives."""

from dataclasses import dataclass
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from solvers.minimize import line_minimum
from solvers.minimize.searcher import Pausing
from solvers.minimize.status import EVALUATIONS, ITERATIONS, NOT_FINITE, RUNNING, SUCCESS
from solvers.pytrees import pytree_dataclass
from solvers.roots.vectors import entry, pack

__all__ = ["Powell", "PowellState"]

_START, _LINE, _EXTRAPOLATED = range(3)
OUT_OF_BOUNDS = 4
_XTOL_FACTOR = 100  # of the line searches


class PowellState(NamedTuple):
    """Iterate, directions, and the line that is searched.

    ``scalars`` packs the search, then what the next point is for, the line's number (n: the extrapolated one), value,
    value at the start of the sweep, greatest decrease along one direction, its number, evaluations, iterations,
    status, and the step to the extrapolated point.
    """

    x: jax.Array
    direc: jax.Array
    anchor: jax.Array
    direction: jax.Array
    scalars: jax.Array
    path: jax.Array

    jac = None
    phase = property(lambda self: entry(self.scalars, line_minimum.SIZE))
    fun = property(lambda self: entry(self.scalars, line_minimum.SIZE + 2))
    nfev = property(lambda self: entry(self.scalars, line_minimum.SIZE + 6).astype(jnp.int32))
    nit = property(lambda self: entry(self.scalars, line_minimum.SIZE + 7).astype(jnp.int32))
    status = property(lambda self: entry(self.scalars, line_minimum.SIZE + 8).astype(jnp.int32))


class _Sweep(NamedTuple):
    """Where a sweep over the directions stands."""

    x: Any
    direc: Any
    anchor: Any
    line: Any
    number: Any
    fun: Any
    fun0: Any
    decrease: Any
    largest: Any
    nit: Any


@pytree_dataclass
@dataclass(frozen=True)
class Powell(Pausing):
    """Powell's conjugate directions with Brent's line searches; termination, constants and counters are SciPy's.

    Parameters
    ----------
    xtol : float
        Relative tolerance of the line searches, divided by 100.
    ftol : float
        Success when a sweep lowers the value by at most ``ftol * (|f| + |f_previous|) / 2``.
    direc : (n, n) array, optional
        First directions, in its rows; the unit vectors if absent.
    maxiter, maxfev : int, optional
        Most sweeps and evaluations, ``1000 n`` if absent.
    pause : int, optional
        Stop, with status -1, once this many sweeps are done, so that the caller can look and resume.

    Notes
    -----
    With bounds, the line searches end at them. A start outside of the bounds is not moved into them. Status 1: too
    many evaluations. 2: too many iterations. 3: not a number. 4: out of bounds.

    References
    ----------
    .. [1] M. J. D. Powell, "An efficient method for finding the minimum of a function of several variables without
       calculating derivatives", Comput. J. 7 (1964) 155-162.
    .. [2] W. H. Press et al., "Numerical Recipes", section 10.7.
    """

    xtol: Any = 1e-4
    ftol: Any = 1e-4
    direc: Any = None
    maxiter: Any = None
    maxfev: Any = None
    pause: Any = None

    takes_bounds = True
    clips_start = False

    def init(self, problem, x0, capacity=0):
        """State at `x0` before any evaluation, with room to record `capacity` iterates."""
        del problem
        n, dtype = x0.size, x0.dtype
        scalars = np.zeros(line_minimum.SIZE + 10, dtype)
        scalars[line_minimum.SIZE + 8] = RUNNING
        return PowellState(
            x=x0,
            direc=np.eye(n, dtype=dtype) if self.direc is None else self.direc.astype(dtype),
            anchor=x0,
            direction=np.zeros(n, dtype),
            scalars=scalars,
            path=np.zeros((capacity, n), dtype),
        )

    def results(self, state):
        """Entries of the result that only this method has."""
        return {"direc": state.direc}

    def step(self, problem, state):
        """Evaluate at the next point; at the end of a line go on to the next one, at the end of a sweep test."""
        n, dtype, bounds = state.x.size, state.x.dtype, problem.bounds
        search = state.scalars[: line_minimum.SIZE]
        number, _, fun0, decrease, largest, _, nit, _, ahead = (
            entry(state.scalars, line_minimum.SIZE + i) for i in range(1, 10)
        )
        phase = state.phase
        on_line = phase == _LINE
        length = jnp.where(on_line, line_minimum.step_of(search, entry(search, 1)), ahead)
        value = problem.value(state.x + jnp.where(phase == _START, 0.0, length) * state.direction)
        nfev = state.nfev + 1
        most = 1000 * n if self.maxfev is None else self.maxfev
        xtol = jnp.asarray(_XTOL_FACTOR * self.xtol, dtype)
        moved, ended, best, best_value = lax.cond(
            on_line,
            lambda: line_minimum.advance(search, value, xtol, bounds is not None),
            lambda: (search, jnp.asarray(True), jnp.zeros((), dtype), jnp.zeros((), dtype)),
        )

        def go_on():
            rest = (_LINE, number, state.fun, fun0, decrease, largest, nfev, nit)
            return state[:4], pack(rest, dtype), moved, jnp.asarray(False)

        def turn():
            at_start, extrapolated = phase == _START, phase == _EXTRAPOLATED
            way = jnp.where(on_line, line_minimum.step_of(search, best), 0.0) * state.direction
            fun = jnp.where(at_start, value, jnp.where(on_line, best_value, state.fun))
            record = on_line & (number < n) & (state.fun - fun > decrease)
            sweep = _Sweep(
                *(state.x + way, state.direc, state.anchor, state.direction, number, fun),
                *(jnp.where(at_start, value, fun0), jnp.where(record, state.fun - fun, decrease)),
                *(jnp.where(record, number, largest), nit),
            )
            # The line to the extrapolated point takes the place of the direction that gave most.
            renewed = on_line & (number == n) & jnp.any(way != 0)
            sweep = sweep._replace(direc=jnp.where(renewed, _exchanged(state.direc, largest, way), state.direc))
            worth = extrapolated & _worthwhile(fun0, value, state.fun, decrease)
            restart = at_start | (on_line & (number == n)) | (extrapolated & ~worth)
            sweep = sweep._replace(
                number=jnp.where(restart, 0, number + (on_line & (number < n))),
                fun0=jnp.where(restart, fun, sweep.fun0),
                decrease=jnp.where(restart, 0.0, sweep.decrease),
                largest=jnp.where(restart, 0, sweep.largest),
            )
            return self._next(bounds, sweep, worth, xtol, nfev, most)

        vectors, rest, search, swept = lax.cond(~on_line | ended, turn, go_on)
        x, direction = vectors[0], vectors[3]
        # After a sweep the last line is still in place; how far to extrapolate it, bounds permitting.
        ahead = jnp.ones((), dtype)
        if bounds is not None:
            ahead = jnp.minimum(_limits(x, direction, *bounds)[1], 1.0)
        fun, fun0, nit = entry(rest, 2), entry(rest, 3), entry(rest, 7)
        status = self._status(bounds, x, fun, fun0, nit, nfev, swept, most)
        path = state.path
        if path.shape[0]:
            at = jnp.where(swept, nit, jnp.where(phase == _START, 0, path.shape[0])).astype(jnp.int32)
            path = path.at[at].set(x, mode="drop")
        return PowellState(*vectors, jnp.concatenate([search, rest, pack((status, ahead), dtype)]), path)

    def _next(self, bounds, sweep, worth, xtol, nfev, most):
        """The next line: another direction of the sweep, the extrapolated one, or after a sweep the way it went."""
        n, dtype = sweep.x.size, sweep.x.dtype
        rows = lax.iota(jnp.int32, n)
        # Directions of zero are passed over.
        left = (rows >= sweep.number) & jnp.any(sweep.direc != 0, axis=1)
        number = jnp.where(worth, n, jnp.min(jnp.where(left, rows, n)))
        swept = ~worth & (number == n)
        chosen = jnp.sum(jnp.where((rows == number)[:, None], sweep.direc, 0.0), axis=0)
        line = jnp.where(worth, sweep.line, jnp.where(swept, sweep.x - sweep.anchor, chosen))
        anchor = jnp.where(swept, sweep.x, sweep.anchor)
        phase = jnp.where(swept, _EXTRAPOLATED, _LINE)
        low, high = (None, None) if bounds is None else _limits(sweep.x, line, *bounds)
        search = line_minimum.begin(low, high, xtol, dtype)
        rest = (phase, number, sweep.fun, sweep.fun0, sweep.decrease, sweep.largest, nfev, sweep.nit + swept)
        return (sweep.x, sweep.direc, anchor, line), pack(rest, dtype), search, swept

    def _status(self, bounds, x, fun, fun0, nit, nfev, swept, most):
        maxiter = 1000 * x.size if self.maxiter is None else self.maxiter
        small = 2 * (fun0 - fun) <= self.ftol * (jnp.abs(fun0) + jnp.abs(fun)) + 1e-20
        lost = jnp.isnan(fun) & jnp.isnan(fun0)
        ended = (swept & (small | lost | (nit >= maxiter))) | (nfev >= most)
        status = jnp.where(jnp.isnan(fun) | jnp.any(jnp.isnan(x)), NOT_FINITE, SUCCESS)
        status = jnp.where(nfev >= most, EVALUATIONS, jnp.where(nit >= maxiter, ITERATIONS, status))
        if bounds is not None:
            status = jnp.where(jnp.any((x < bounds[0]) | (x > bounds[1])), OUT_OF_BOUNDS, status)
        return jnp.where(ended, status, RUNNING)


def _exchanged(direc, largest, way):
    """The direction of the greatest decrease gives its place to the last one, and that to the new one."""
    rows = lax.iota(jnp.int32, len(direc))[:, None]
    direc = jnp.where(rows == largest, direc[-1], direc)
    return jnp.where(rows == len(direc) - 1, way, direc)


def _worthwhile(fun0, beyond, fun, decrease):
    """Powell's conditions for a new direction."""
    t = 2 * (fun0 + beyond - 2 * fun) * (fun0 - fun - decrease) ** 2 - decrease * (fun0 - beyond) ** 2
    return (fun0 > beyond) & (t < 0)


def _limits(x, direction, lower, upper):
    """Least and greatest step along a line within the bounds; zero where no step is."""
    moving = direction != 0
    slope = jnp.where(moving, direction, 1.0)
    low, high = (lower - x) / slope, (upper - x) / slope
    least = jnp.max(jnp.where(moving, jnp.where(slope > 0, low, high), -jnp.inf), initial=-jnp.inf)
    most = jnp.min(jnp.where(moving, jnp.where(slope > 0, high, low), jnp.inf), initial=jnp.inf)
    empty = most < least
    return jnp.where(empty, 0.0, least), jnp.where(empty, 0.0, most)
