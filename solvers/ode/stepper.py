"""One accepted step at a time, for callers that look at each."""

import jax.numpy as jnp
import numpy as np

from solvers.ode import drive
from solvers.ode.problem import Problem, outcome


def problem(fun, t0, t1, rtol, atol, max_step, jac=None, limits=None, pattern=None):
    """The problem ``dy/dt = fun(t, y)`` for flat states, with options as in `solvers.ode.solve`."""
    most = jnp.asarray(np.iinfo(np.int32).max, jnp.int32)
    real = jnp.asarray(t0).dtype
    rtol, atol, max_step = (jnp.asarray(x, real) for x in (rtol, atol, max_step))
    return Problem(fun, jnp.asarray(t0), jnp.asarray(t1), rtol, atol, max_step, most, jac, limits, pattern)


def start(method, problem, y0, first_step=None):
    """The state before the first step. A pytree of arrays."""
    return method.init(problem, y0, first_step)


def step(method, problem, state):
    """The state after one more accepted step, its status code, and whether there was one."""
    before = state.accepted
    state = drive.run(method, problem, state, lambda s: s.accepted == before)
    return state, outcome(problem, state), state.accepted > before
