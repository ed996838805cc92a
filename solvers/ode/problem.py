"""What every part of a solve needs to know: the problem, and the state that travels along it."""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from solvers.ode import status
from solvers.ode.rhs import mass_of


class Problem(NamedTuple):
    """An initial value problem on a flat state, with its tolerances (all arrays but the functions)."""

    rhs: Callable  # rhs(t, y) -> dy/dt, shape and dtype of y
    t0: jax.Array
    t1: jax.Array
    rtol: jax.Array
    atol: jax.Array
    max_step: jax.Array
    max_steps: jax.Array
    jac: Any = None  # jac(t, y) -> (n, n), a constant (n, n), or None: by differentiation
    limits: Any = None  # `lsoda.Limits`
    pattern: Any = None  # `pattern.Pattern` of the Jacobian

    @property
    def mass(self):
        """The mass matrix, or None."""
        return mass_of(self.rhs)

    @property
    def direction(self):
        """+1 for integration forward in time (and for an empty interval), -1 for backward."""
        return jnp.where(self.t1 >= self.t0, 1.0, -1.0).astype(self.t0.dtype)


class State(NamedTuple):
    """The carry of the driver loop, kept small: on the CPU every entry costs a kernel per attempt.

    ``last`` describes the last accepted step for interpolation.
    """

    t: jax.Array
    y: jax.Array
    h: jax.Array  # size of the step to try next; negative if the last attempt at it was rejected
    accepted: jax.Array
    attempts: jax.Array
    cache: Any  # what the method keeps from step to step
    last: Any  # the method's interpolation record


def running(problem, state):
    """Whether the state is still on its way to ``t1``."""
    return outcome(problem, state) == RUNNING


RUNNING = 9


def outcome(problem, state):
    """Status code of the state, or `RUNNING`."""
    p, s = problem, state
    ahead = p.direction * (p.t1 - s.t) > 0
    # negated comparisons are true for a step that is not a number
    stuck = ~(s.h > 0) & ~(-s.h >= min_step(s.t, p.direction))
    spent = s.attempts >= p.max_steps
    code = jnp.where(stuck, status.STEP_TOO_SMALL, jnp.where(spent, status.MAX_STEPS, RUNNING))
    return jnp.where(ahead, code, status.SUCCESS).astype(jnp.int32)


def next_step(problem, state):
    """Least size, size and end of the step to try, limited to ``max_step``, and whether the interval cuts it short."""
    p, s, d = problem, state, problem.direction
    least = min_step(s.t, d)
    size = jnp.where(s.h < 0, -s.h, jnp.clip(s.h, least, jnp.maximum(p.max_step, least)))
    t_new = s.t + d * size
    beyond = d * (t_new - p.t1) > 0
    return least, size, jnp.where(beyond, p.t1, t_new), beyond


def fixed_step(problem, state):
    """End of the next step of a method of constant step size; what rounding leaves before ``t1`` is no step."""
    p, s, d = problem, state, problem.direction
    t_new = s.t + d * s.h
    return jnp.where(d * (p.t1 - t_new) < 1e-6 * s.h, p.t1, t_new)


def min_step(t, direction):
    """Ten spacings of the floating-point numbers at ``t``, in the direction of integration."""
    spacing = jnp.abs(jnp.nextafter(t, direction * jnp.inf) - t)
    # subnormal numbers, the spacing at 0, count as 0 in compiled code: no step would ever be too small
    return jnp.maximum(10 * spacing, jnp.finfo(t.dtype).tiny)
