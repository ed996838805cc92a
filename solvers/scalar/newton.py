"""Roots from a starting point: Newton's, Halley's and the secant method."""

from dataclasses import dataclass
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from solvers.pytrees import pytree_dataclass
from solvers.scalar.drive import both, counter
from solvers.scalar.status import CONVERGED, NOT_CONVERGED, NOT_FINITE, RUNNING, ZERO_SLOPE

__all__ = ["Newton", "Secant"]


class NewtonState(NamedTuple):
    """Point and ``values``, the function with its derivatives there."""

    x: jax.Array
    values: tuple[jax.Array, ...]
    nfev: jax.Array
    nit: jax.Array
    status: jax.Array

    fun = property(lambda self: self.values[0])


@pytree_dataclass
@dataclass(frozen=True)
class Newton:
    """Newton's method; Halley's where the function gives a second derivative.

    The function returns a tuple: value, derivative and, for Halley's method, second derivative.

    Parameters
    ----------
    xtol, rtol : float
        Converged when a step is at most ``xtol + rtol * abs(x)``.
    maxiter : int
        Most iterations.

    References
    ----------
    .. [1] E. Halley, "Methodus nova accurata et facilis inveniendi radices", Phil. Trans. Roy. Soc. 18, 1694.
    """

    xtol: Any = 1.48e-8
    rtol: Any = 0.0
    maxiter: Any = 50

    def init(self, fun, start):
        """State at the start."""
        (x,) = start
        status = jnp.full(x.shape, RUNNING, jnp.int32)
        return NewtonState(x, fun(x), counter(x, 1), counter(x), status)

    def step(self, fun, state):
        """One step from the values at ``x``, and the values at the new point."""
        x, (value, slope, *curvature) = state.x, state.values
        flat = slope == 0
        step = value / jnp.where(flat, 1, slope)
        if curvature:
            adjust = 0.5 * step * curvature[0] / jnp.where(flat, 1, slope)
            # A denominator far from one would send the step backwards.
            step = step / jnp.where(jnp.abs(adjust) < 1, 1 - adjust, 1)
        root = value == 0
        new = jnp.where(root | flat, x, x - step)
        close = jnp.abs(new - x) <= self.xtol + self.rtol * jnp.abs(x)
        nit = jnp.where(root, state.nit, state.nit + 1)
        status = jnp.where(close, CONVERGED, jnp.where(nit >= self.maxiter, NOT_CONVERGED, RUNNING))
        status = jnp.where(flat, ZERO_SLOPE, status)
        status = jnp.where(jnp.isfinite(new), status, NOT_FINITE)
        status = jnp.where(root, CONVERGED, status).astype(jnp.int32)
        return NewtonState(new, fun(new), state.nfev + (status == RUNNING), nit, status)


class SecantState(NamedTuple):
    """The last two points with their values."""

    x: jax.Array
    fun: jax.Array
    previous: jax.Array
    fprevious: jax.Array
    nfev: jax.Array
    nit: jax.Array
    status: jax.Array

    extra = property(lambda self: {"previous": self.previous})


@pytree_dataclass
@dataclass(frozen=True)
class Secant:
    """The secant method. Parameters as of `Newton`."""

    xtol: Any = 1.48e-8
    rtol: Any = 0.0
    maxiter: Any = 50

    def init(self, fun, start):
        """State at two points, the better one first (as SciPy)."""
        a, b = start
        fa, fb = both(fun, a, b)
        swap = jnp.abs(fb) < jnp.abs(fa)
        x, fx = jnp.where(swap, a, b), jnp.where(swap, fa, fb)
        previous, fprevious = jnp.where(swap, b, a), jnp.where(swap, fb, fa)
        status = jnp.full(a.shape, RUNNING, jnp.int32)
        return SecantState(x, fx, previous, fprevious, counter(a, 2), counter(a), status)

    def step(self, fun, state):
        """The root of the line through the last two points, and the value there."""
        p0, p1, q0, q1 = state.previous, state.x, state.fprevious, state.fun
        flat = q0 == q1
        steep = jnp.abs(q1) > jnp.abs(q0)
        big, small = jnp.where(steep, q1, q0), jnp.where(steep, q0, q1)
        near, far = jnp.where(steep, p0, p1), jnp.where(steep, p1, p0)
        ratio = small / jnp.where(flat, 1, big)
        x = (near - ratio * far) / jnp.where(flat, 1, 1 - ratio)
        new = jnp.where(flat, (p0 + p1) / 2, x)
        close = jnp.abs(new - p1) <= self.xtol + self.rtol * jnp.abs(p1)
        nit = state.nit + 1
        going = jnp.where(nit >= self.maxiter, NOT_CONVERGED, RUNNING)
        status = jnp.where(close & jnp.isfinite(new), CONVERGED, going)
        status = jnp.where(flat, ZERO_SLOPE, status)
        status = jnp.where(jnp.isnan(q0) | jnp.isnan(q1), NOT_FINITE, status).astype(jnp.int32)
        # SciPy evaluates once more before it gives up.
        evaluated = (status == RUNNING) | (status == NOT_CONVERGED)
        return SecantState(new, fun(new), p1, q1, state.nfev + evaluated, nit, status)
