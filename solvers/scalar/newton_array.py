"""Newton's and the secant method on arrays, where all elements go on until the last one has converged."""

from dataclasses import dataclass
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from solvers.pytrees import pytree_dataclass
from solvers.scalar.drive import both, counter
from solvers.scalar.status import CONVERGED, NOT_CONVERGED, RUNNING, ZERO_SLOPE

__all__ = ["NewtonArray", "SecantArray"]


class ArrayState(NamedTuple):
    """Points, their values, and for the secant method the points and values before."""

    x: jax.Array
    values: tuple[jax.Array, ...]
    previous: jax.Array
    fprevious: jax.Array
    sloped: jax.Array
    failed: jax.Array
    nfev: jax.Array
    nit: jax.Array
    status: jax.Array

    fun = property(lambda self: self.values[0])
    extra = property(lambda self: {"previous": self.previous})


def _state(x, values, previous, fprevious):
    yes = jnp.ones(x.shape, bool)
    running = jnp.full(x.shape, RUNNING, jnp.int32)
    return ArrayState(x, values, previous, fprevious, yes, yes, counter(x, 1), counter(x), running)


def _ended(sloped, failed, stop):
    """Status of every element: running until all end together."""
    status = jnp.where(failed, jnp.where(sloped, NOT_CONVERGED, ZERO_SLOPE), CONVERGED)
    return jnp.where(stop, status, RUNNING).astype(jnp.int32)


@pytree_dataclass
@dataclass(frozen=True)
class NewtonArray:
    """Newton's or Halley's method on an array, as SciPy's `newton` iterates it.

    Parameters
    ----------
    xtol : float
        An element has converged when its last step is below.
    maxiter : int
        Most iterations.
    """

    xtol: Any = 1.48e-8
    maxiter: Any = 50

    def init(self, fun, start):
        """State at the start."""
        (x,) = start
        return _state(x, fun(x), x, x)

    def step(self, fun, state):
        """One step of every element whose slope is not zero."""
        value, slope, *curvature = state.values
        sloped = slope != 0
        safe = jnp.where(sloped, slope, 1)
        change = value / safe
        if curvature:
            change = change / (1 - 0.5 * change * curvature[0] / safe)
        zero = jnp.all(value == 0)
        x = jnp.where(sloped & ~zero, state.x - change, state.x)
        failed = jnp.where(sloped, ~(jnp.abs(change) < self.xtol), state.failed) & ~zero
        nit = state.nit + 1
        stop = zero | ~jnp.any(sloped & failed) | (nit >= self.maxiter)
        sloped = sloped | zero
        status = _ended(sloped, failed, stop)
        return ArrayState(x, fun(x), state.x, state.x, sloped, failed, state.nfev + 1, nit, status)


@pytree_dataclass
@dataclass(frozen=True)
class SecantArray:
    """The secant method on an array. Parameters as of `NewtonArray`."""

    xtol: Any = 1.48e-8
    maxiter: Any = 50

    def init(self, fun, start):
        """State at two points."""
        a, b = start
        fa, fb = both(fun, a, b)
        return _state(b, (fb,), a, fa)

    def step(self, fun, state):
        """One step of every element whose last two values differ."""
        p, p1, q0, q1 = state.previous, state.x, state.fprevious, state.fun
        sloped = q0 != q1
        change = q1 * (p1 - p) / jnp.where(sloped, q1 - q0, 1)
        middle = (p1 + p) / 2
        x = jnp.where(sloped, p1 - change, jnp.where(state.sloped, middle, p1))
        failed = jnp.where(sloped, ~(jnp.abs(change) < self.xtol), state.failed)
        nit = state.nit + 1
        stop = ~jnp.any(sloped & failed) | (nit >= self.maxiter)
        status = _ended(sloped, failed, stop)
        return ArrayState(x, (fun(x),), p1, q1, sloped, failed, state.nfev + 1, nit, status)
