"""The loop of the scalar solvers, which work element by element on arrays of any shape.

A state is a NamedTuple of arrays of one shape with at least ``x`` and ``status``. The value at ``x`` is part of the
state: evaluated at the end of a step and read by the next one, it is computed once, where XLA would otherwise repeat
the user's function in every kernel that needs it.
"""

import jax
import jax.numpy as jnp
from jax import lax

from solvers.batching import any_lane
from solvers.scalar.status import RUNNING

__all__ = ["both", "counter", "iterate_elementwise", "same_sign"]


def iterate_elementwise(solver, fun, state):
    """Step `solver` until every element has ended; elements that have ended keep their state.

    A solver whose ``holds`` is true sees to that itself, for ``x`` and ``status``; then lanes under `vmap` share the
    loop's condition, and no state is copied to keep it.
    """
    if getattr(solver, "holds", False):
        return lax.while_loop(lambda s: any_lane(jnp.any(s.status == RUNNING)), lambda s: solver.step(fun, s), state)
    scalar = state.status.ndim == 0

    def body(state):
        new = solver.step(fun, state)
        if scalar:
            return new  # the loop's condition is this element's
        running = state.status == RUNNING
        return jax.tree.map(lambda a, b: jnp.where(running, a, b), new, state)

    return lax.while_loop(lambda s: jnp.any(s.status == RUNNING), body, state)


def both(fun, a, b):
    """``fun`` at `a` and at `b`, through one copy of it."""
    values = jax.vmap(fun)(jnp.stack([a, b]))
    return values[0], values[1]


def counter(x, value=0):
    """An integer per element."""
    return jnp.full(x.shape, value, jnp.int32)


def same_sign(a, b):
    """Whether both numbers are on one side of zero, by their sign bits."""
    return jnp.signbit(a) == jnp.signbit(b)
