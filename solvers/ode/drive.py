"""The adaptive loop: run a method from output to output, or from step to step.

The outer loop goes from output to output, the inner one attempts steps until that output is passed.
So every output is written once, to a row that all lanes of a batch share, and no step tests for outputs:
twice as fast as a loop over steps with the outputs inside, ten times under `vmap`.
"""

from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax import lax

from solvers.batching import any_lane
from solvers.ode.events import observe, watch
from solvers.ode.problem import running


class Steps(NamedTuple):
    """Recorded steps: row j ends at ``t[j]`` with state ``y[j]``; ``dense`` interpolates inside it."""

    t: jax.Array
    y: jax.Array
    h: jax.Array
    dense: Any
    n: jax.Array


def run(method, problem, state, wanted):
    """Attempt steps while ``wanted(state)`` holds and the integration is running."""
    return lax.while_loop(lambda s: wanted(s) & running(problem, s), lambda s: method.attempt(problem, s), state)


def outputs(method, problem, state, t_eval, report=None):
    """Solution at the sorted times ``t_eval`` (m,), the state at ``t1``, and how many steps had outputs.

    Times that a failed integration did not reach get NaN; one that takes more steps than ``problem.limits`` allow
    for an output ends there. The fourth result are the values of ``report(state)`` at the outputs.
    """
    d = problem.direction
    budget = None if problem.limits is None else problem.limits.budget
    # the end is one more output, so that the loop body is compiled once
    targets = jnp.concatenate([t_eval, problem.t1[None]])

    def output(carry, t):
        state, spent = carry
        before = state.accepted

        def wanted(s):
            ahead = d * (t - s.t) > 0
            return ahead if budget is None else ahead & ~spent & (s.accepted - before < budget)

        state = run(method, problem, state, wanted)
        y = method.interpolate(method.coefficients(problem.rhs, state.last), t)
        missed = d * (t - state.t) > 0
        step = jnp.where(missed, 0, jnp.maximum(state.accepted, 1))
        spent = None if budget is None else spent | missed
        return (state, spent), (jnp.where(missed, jnp.nan, y), step, None if report is None else report(state))

    start = state, None if budget is None else jnp.zeros((), bool)
    (state, _), (ys, step, reports) = lax.scan(output, start, targets)
    step = jnp.concatenate([jnp.zeros(1, step.dtype), step[:-1]])
    return ys[:-1], state, jnp.sum(jnp.diff(step) > 0), jax.tree.map(lambda a: a[:-1], reports)


def steps(method, problem, state, size, dense, events=None, count=None):
    """Record every accepted step, at most ``size`` (or ``count``); with their interpolation coefficients if ``dense``.

    Rows after the last step repeat it (``h`` is 0 there). If the returned state is still running, the
    capacity was reached; another call goes on from it. The third result is the `events.Watch`, None without
    ``events``.
    """
    t, y, first = state.t, state.y, state.accepted
    seen = None if events is None else watch(events, t, y)

    def coefficients(s):
        return method.coefficients(problem.rhs, s.last) if dense else None

    start = coefficients(state)
    buffers = Steps(
        t=jnp.zeros((size,), t.dtype),
        y=jnp.zeros((size, *y.shape), y.dtype),
        h=jnp.zeros((size,), t.dtype),
        dense=jax.tree.map(lambda a: jnp.zeros((size, *a.shape), a.dtype), start),
        n=None,
    )

    def going(state, seen):
        return running(problem, state) & ((seen is None) or ~seen.stopped)

    def body(carry):
        j, state, seen, rows = carry
        before = state.accepted
        state = run(method, problem, state, lambda s: (s.accepted <= first + j) & going(s, seen))
        advanced = state.accepted > before
        h = jnp.where(advanced, state.last.h, 0)
        if events is not None:
            seen = observe(events, seen, state.t, state.y, j, advanced)
        row = Steps(state.t, state.y, h, coefficients(state), None)
        write = partial(lax.dynamic_update_index_in_dim, axis=0)
        return j + 1, state, seen, jax.tree.map(lambda a, x: write(a, x, j), rows, row)

    def more(carry):
        j, state, seen, _ = carry
        return (j < (size if count is None else count)) & any_lane(going(state, seen))

    _, state, seen, rows = lax.while_loop(more, body, (jnp.zeros((), jnp.int32), state, seen, buffers))
    return _pad(rows._replace(n=state.accepted - first), t, y, start), state, seen


def _pad(rows, t, y, dense):
    """Repeat the last recorded step (or the start, if there is none) in the unused rows."""
    size = rows.t.shape[0]
    if size == 0:
        return rows
    used = jnp.arange(size) < rows.n
    last = jnp.maximum(rows.n - 1, 0)

    def fill(a, start):
        end = jnp.where(rows.n > 0, a[last], start)
        return jnp.where(used.reshape((-1,) + (1,) * (a.ndim - 1)), a, end)

    return Steps(
        t=fill(rows.t, t),
        y=fill(rows.y, y),
        h=jnp.where(used, rows.h, 0),
        dense=jax.tree.map(fill, rows.dense, dense),
        n=rows.n,
    )
