"""Integrations recorded piece by piece, with their events and interpolants: what a caller can interrupt.

Each piece starts from the state that the last one ended with; together they are what `solvers.ode.solve` gives at once.
"""

from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from solvers.ode import drive, status
from solvers.ode import events as watching
from solvers.ode.problem import outcome
from solvers.ode.solve import _close

__all__ = ["Piece", "Watched", "piece"]


class Watched(NamedTuple):
    """Events ``fun(t, y, *args)`` (k,), the directions that count, and how many zeros of each end the integration."""

    fun: Any
    args: Any
    direction: Any
    limit: Any  # less the zeros of earlier pieces


class Piece(NamedTuple):
    """Consecutive accepted steps; of the rows only the first ``n`` are meant.

    ``t`` (capacity,) and ``y`` (capacity, n): their ends, a terminal event's in place of the last; ``coefficients`` of
    their interpolants, with a leading axis; ``outputs`` (m, n): the solution at the output times so far, else NaN;
    ``found``: the events; ``touched``: in how many steps SciPy would have interpolated; ``code``: status or `RUNNING`.
    """

    t: Any
    y: Any
    n: Any
    coefficients: Any
    outputs: Any
    found: Any
    touched: Any
    code: Any


def piece(method, problem, state, count, capacity, watched=None, t_eval=None, outputs=None, dense=False):
    """The state after up to ``count <= capacity`` more accepted steps, and the `Piece` of them."""
    p, d, events = problem, problem.direction, None
    if watched is not None:
        fun, leaves = _close(watched.fun, state.t, state.y, watched.args)
        events = watching.Events(partial(fun, leaves), watched.direction, watched.limit, capacity)
    start, first = state.t, state.accepted == 0
    rows, state, seen = drive.steps(method, p, state, capacity, True, events, count)
    t, y, n = rows.t, rows.y, rows.n
    code, end, found, used = outcome(p, state), state.t, None, jnp.zeros(capacity, bool)
    if events is not None:
        steps = jax.tree.map(lambda a: a[seen.step], rows.dense)
        bounds = jnp.concatenate([start[None], t])
        found = watching.locate(method, fun, leaves, seen, bounds, d, watched.limit, steps)
        last = found.stopped & (jnp.arange(capacity) >= n - 1)
        t, y = jnp.where(last, found.stop_t, t), jnp.where(last[:, None], found.stop_y, y)
        end = jnp.where(found.stopped, found.stop_t, end)
        code = jnp.where(found.stopped, status.EVENT, code)
        used = used.at[seen.step].max(jnp.arange(capacity) < seen.zeros[:, None])
    if t_eval is not None:
        times = jnp.where(jnp.arange(capacity) < n, d * rows.t, jnp.inf)
        index = jnp.clip(jnp.searchsorted(times, d * t_eval, side="left"), 0, jnp.maximum(n - 1, 0))
        here = ((d * (t_eval - start) > 0) | first) & (d * (t_eval - end) <= 0)
        new = jax.vmap(method.interpolate)(jax.tree.map(lambda a: a[index], rows.dense), t_eval)
        outputs = jnp.where(here[:, None], new, outputs)
        used = used.at[index].max(here)
    touched = n if dense else jnp.sum(used)
    return state, Piece(t, y, n, rows.dense if dense else None, outputs, found, touched, code)
