"""Accepted steps in blocks, for callers that look at each."""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from solvers.ode import drive
from solvers.ode.problem import RUNNING, Problem, running

__all__ = ["RUNNING", "Block", "Outputs", "blank_outputs", "outputs", "problem", "start", "steps"]


class Block(NamedTuple):
    """Consecutive accepted steps; of the rows only those of steps taken are meant."""

    numbers: Any  # (capacity, 5): time and size of the next step, numbers of right-hand sides, Jacobians, LU
    y: Any  # (capacity, n)
    last: Any  # the method's interpolation records, with a leading axis
    n: Any  # number of steps


def problem(fun, t0, t1, rtol, atol, max_step, jac=None, limits=None, pattern=None):
    """The problem ``dy/dt = fun(t, y)`` for flat states, with options as in `solvers.ode.solve`."""
    most = jnp.asarray(np.iinfo(np.int32).max, jnp.int32)
    real = jnp.asarray(t0).dtype
    rtol, atol, max_step = (jnp.asarray(x, real) for x in (rtol, atol, max_step))
    return Problem(fun, jnp.asarray(t0), jnp.asarray(t1), rtol, atol, max_step, most, jac, limits, pattern)


def start(method, problem, y0, first_step=None):
    """The state before the first step. A pytree of arrays."""
    return method.init(problem, y0, first_step)


def steps(method, problem, state, count, capacity, automatic, last=True):
    """The state after up to ``count`` more accepted steps, and the `Block` of them.

    Fewer steps than ``count <= capacity``: the interval has ended, or the integration has failed. The row after the
    last step then has the counts of the failed attempts too. ``last``: whether interpolation is wanted.
    """

    def row(s):
        numbers = jnp.stack([jnp.asarray(x, s.t.dtype) for x in (s.t, s.h, *method.counts(s, automatic))])
        return Block(numbers, s.y, s.last if last else None, None)

    def body(carry):
        j, state, rows = carry
        before = state.accepted
        state = drive.run(method, problem, state, lambda s: s.accepted == before)
        rows = jax.tree.map(lambda a, x: lax.dynamic_update_index_in_dim(a, x, j, 0), rows, row(state))
        return j + state.accepted - before, state, rows

    rows = jax.tree.map(lambda a: jnp.zeros((capacity, *a.shape), a.dtype).at[0].set(a), row(state))
    start = jnp.zeros((), state.accepted.dtype), state, rows
    n, state, rows = lax.while_loop(lambda c: (c[0] < count) & running(problem, c[1]), body, start)
    return state, rows._replace(n=n)


class Outputs(NamedTuple):
    """Outputs so far: rows ``y``, of which ``n`` are written, and in how many steps they lay."""

    y: Any
    n: Any
    touched: Any
    step: Any  # number of the step of the last one


def blank_outputs(t_eval, y0):
    """No outputs at the times ``t_eval``."""
    zero = jnp.zeros((), jnp.int32)
    return Outputs(jnp.full((t_eval.shape[0], *y0.shape), jnp.nan, y0.dtype), zero, zero, zero)


def outputs(method, problem, state, t_eval, found, count):
    """The state and the `Outputs` after up to ``count`` more attempted steps, for times with one more at the end.

    ``t_eval`` ends with ``problem.t1``, for which there is no row.
    """
    d, most, last = problem.direction, state.attempts + count, t_eval.shape[0] - 1

    def body(carry):
        state, found = carry
        t = t_eval[found.n]
        state = drive.run(method, problem, state, lambda s: (d * (t - s.t) > 0) & (s.attempts < most))
        y = method.interpolate(method.coefficients(problem.rhs, state.last), t)
        there = (d * (t - state.t) <= 0) & (found.n < last)
        row = jnp.minimum(found.n, jnp.maximum(last - 1, 0))
        step = jnp.maximum(state.accepted, 1)
        rows = found.y if last == 0 else found.y.at[row].set(jnp.where(there, y, found.y[row]))
        touched = found.touched + (there & (step > found.step))
        return state, Outputs(rows, found.n + there, touched, jnp.where(there, step, found.step))

    def more(carry):
        state, found = carry
        due = (found.n < last) & (d * (t_eval[found.n] - state.t) <= 0)
        return due | (running(problem, state) & (state.attempts < most))

    return lax.while_loop(more, body, (state, found))
