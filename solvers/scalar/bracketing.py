"""Roots between two points of opposite sign: bisection, Ridders' and Brent's methods."""

from dataclasses import dataclass, field
from typing import Any, ClassVar, NamedTuple

import jax
import jax.numpy as jnp

from solvers.pytrees import pytree_dataclass
from solvers.scalar.drive import both, counter, same_sign
from solvers.scalar.status import CONVERGED, NOT_CONVERGED, NOT_FINITE, RUNNING, SIGN_ERROR

__all__ = ["Bisect", "Brent", "Ridder"]

_XTOL, _RTOL = 2e-12, 4 * 2.220446049250313e-16


def _bracket_status(a, fa, b, fb, maxiter):
    """Status and root of a bracket before any iteration: an end that is a root, a wrong bracket, or none of these."""
    status = jnp.where(same_sign(fa, fb), SIGN_ERROR, jnp.where(maxiter > 0, RUNNING, NOT_CONVERGED))
    status = jnp.where((fa == 0) | (fb == 0), CONVERGED, status)
    status = jnp.where(jnp.isnan(fa) | jnp.isnan(fb), NOT_FINITE, status)
    return status.astype(jnp.int32), jnp.where((fa == 0) | jnp.isnan(fa), a, b)


class BrentState(NamedTuple):
    """Newest point, the one before, the other end of the bracket, the last two steps."""

    x: jax.Array
    fun: jax.Array
    previous: jax.Array
    fprevious: jax.Array
    other: jax.Array
    fother: jax.Array
    last: jax.Array
    step: jax.Array
    nit: jax.Array
    status: jax.Array

    @property
    def nfev(self):
        """Both ends, then one in every iteration but the one that finds the bracket small enough."""
        return 2 + self.nit - ((self.status == CONVERGED) & (self.nit > 0))


@pytree_dataclass
@dataclass(frozen=True)
class Brent:
    """Brent's method: interpolation as long as it shrinks the bracket, bisection otherwise.

    Parameters
    ----------
    xtol, rtol : float
        The root is known to ``xtol + rtol * abs(x)``.
    maxiter : int
        Most iterations.
    hyperbolic : bool, static
        Extrapolate by a hyperbola instead of an inverse parabola.

    References
    ----------
    .. [1] R. P. Brent, "Algorithms for Minimization Without Derivatives", 1973, chapter 4.
    .. [2] J. C. P. Bus, T. J. Dekker, "Two efficient algorithms with guaranteed convergence for finding a zero of
       a function", ACM Trans. Math. Softw. 1, 1975 (the hyperbola).
    """

    #: `step` leaves an element that has ended where it is: the loop need not copy the states.
    holds: ClassVar[bool] = True

    xtol: Any = _XTOL
    rtol: Any = _RTOL
    maxiter: Any = 100
    hyperbolic: bool = field(default=False, metadata={"static": True})

    def init(self, fun, start):
        """State with both ends evaluated."""
        a, b = start
        fa, fb = both(fun, a, b)
        status, x = _bracket_status(a, fa, b, fb, self.maxiter)
        nothing = jnp.zeros_like(a)
        return BrentState(x, fb, a, fa, nothing, nothing, nothing, nothing, counter(a), status)

    def step(self, fun, state):
        """Order the points, test, choose the next point and evaluate there."""
        s = state
        crossed = (s.fprevious != 0) & ~same_sign(s.fprevious, s.fun)
        width = s.x - s.previous
        other, fother = jnp.where(crossed, s.previous, s.other), jnp.where(crossed, s.fprevious, s.fother)
        last, step = jnp.where(crossed, width, s.last), jnp.where(crossed, width, s.step)

        swap = jnp.abs(fother) < jnp.abs(s.fun)
        x, fx = jnp.where(swap, other, s.x), jnp.where(swap, fother, s.fun)
        previous, fprevious = jnp.where(swap, s.x, s.previous), jnp.where(swap, s.fun, s.fprevious)
        other, fother = jnp.where(swap, s.x, other), jnp.where(swap, s.fun, fother)

        delta = (self.xtol + self.rtol * jnp.abs(x)) / 2
        half = (other - x) / 2
        done = (fx == 0) | (jnp.abs(half) < delta)

        trial = self._interpolate(x, fx, previous, fprevious, other, fother)
        short = 2 * jnp.abs(trial) < jnp.minimum(jnp.abs(last), 3 * jnp.abs(half) - delta)
        take = (jnp.abs(last) > delta) & (jnp.abs(fx) < jnp.abs(fprevious)) & short
        last, step = jnp.where(take, step, half), jnp.where(take, trial, half)
        moved = x + jnp.where(jnp.abs(step) > delta, step, jnp.where(half > 0, delta, -delta))

        # What the last evaluation gave is judged now: a test of the new value would evaluate it a second time, in the
        # kernel that writes the status. SciPy's loop evaluates once more before it gives up.
        lost, over = jnp.isnan(s.fun), s.nit >= self.maxiter
        goes = (s.status == RUNNING) & ~lost & ~over
        ended = jnp.where(lost, NOT_FINITE, jnp.where(over, NOT_CONVERGED, jnp.where(done, CONVERGED, RUNNING)))
        status = jnp.where(s.status == RUNNING, ended, s.status).astype(jnp.int32)
        new = jnp.where(goes, jnp.where(done, x, moved), s.x)
        return BrentState(new, fun(new), x, fx, other, fother, last, step, s.nit + goes, status)

    def _interpolate(self, x, fx, previous, fprevious, other, fother):
        """Step to the root of the interpolant: secant through two points, else through three; one division."""
        u, v = x - previous, x - other
        a, b, c = fx - fprevious, fx - fother, fother - fprevious
        if self.hyperbolic:
            top, bottom = c * u * v, fother * a * v - fprevious * b * u
        else:
            top, bottom = fother * b * u - fprevious * a * v, a * b * c
        secant = previous == other
        return -fx * jnp.where(secant, u, top) / jnp.where(secant, a, bottom)


class BisectState(NamedTuple):
    """End of the bracket that stays, its sign, the width to the other end, and the midpoint with its value."""

    x: jax.Array
    fun: jax.Array
    a: jax.Array
    negative: jax.Array
    width: jax.Array
    nfev: jax.Array
    nit: jax.Array
    status: jax.Array


@pytree_dataclass
@dataclass(frozen=True)
class Bisect:
    """Bisection. Parameters as of `Brent`."""

    xtol: Any = _XTOL
    rtol: Any = _RTOL
    maxiter: Any = 100

    def init(self, fun, start):
        """State with both ends evaluated; ``x`` is an end."""
        a, b = start
        fa, fb = both(fun, a, b)
        status, x = _bracket_status(a, fa, b, fb, self.maxiter)
        return BisectState(x, fb, a, jnp.signbit(fa), b - a, counter(a, 2), counter(a), status)

    def step(self, fun, state):
        """Evaluate at the midpoint and keep the half with the change of sign."""
        s = state
        width = 0.5 * s.width
        x = s.a + width
        value = fun(x)
        nit = s.nit + 1
        a = jnp.where(jnp.signbit(value) == s.negative, x, s.a)
        done = (value == 0) | (jnp.abs(width) < self.xtol + self.rtol * jnp.abs(x))
        status = jnp.where(done, CONVERGED, jnp.where(nit >= self.maxiter, NOT_CONVERGED, RUNNING))
        status = jnp.where(jnp.isnan(value), NOT_FINITE, status).astype(jnp.int32)
        ended = jnp.where(status == NOT_CONVERGED, a, x)
        return BisectState(ended, value, a, s.negative, width, s.nfev + 1, nit, status)


class RidderState(NamedTuple):
    """Bracket with its values; ``x`` is the midpoint, or the exponential estimate (``refine``)."""

    x: jax.Array
    fun: jax.Array
    a: jax.Array
    fa: jax.Array
    b: jax.Array
    fb: jax.Array
    middle: jax.Array
    fmiddle: jax.Array
    refine: jax.Array
    nfev: jax.Array
    nit: jax.Array
    status: jax.Array


@pytree_dataclass
@dataclass(frozen=True)
class Ridder:
    """Ridders' method: two evaluations an iteration, at the midpoint and where an exponential fit has its root.

    Parameters as of `Brent`.

    References
    ----------
    .. [1] C. F. J. Ridders, "A new algorithm for computing a single root of a real continuous function", IEEE
       Trans. Circuits Systems 26, 1979.
    """

    xtol: Any = _XTOL
    rtol: Any = _RTOL
    maxiter: Any = 100

    def init(self, fun, start):
        """State with both ends evaluated."""
        a, b = start
        fa, fb = both(fun, a, b)
        status, x = _bracket_status(a, fa, b, fb, self.maxiter)
        nothing = jnp.zeros_like(a)
        refine = jnp.zeros(a.shape, bool)
        return RidderState(x, fb, a, fa, b, fb, nothing, nothing, refine, counter(a, 2), counter(a), status)

    def step(self, fun, state):
        """Evaluate at the midpoint, or at the estimate that the last midpoint gave; then shrink the bracket."""
        s = state
        half = 0.5 * (s.b - s.a)
        middle = s.a + half
        # Unequal signs of fa and fb: the radicand is positive.
        shift = jnp.sign(s.fb - s.fa) * s.fmiddle * half / jnp.sqrt(s.fmiddle**2 - s.fa * s.fb)
        limit = jnp.maximum(jnp.abs(half) - 0.5 * (self.xtol + self.rtol * jnp.abs(s.middle)), 0)
        shift = jnp.sign(shift) * jnp.minimum(jnp.abs(shift), limit)
        x = jnp.where(s.refine, s.middle - shift, middle)
        value = fun(x)

        # The new bracket: between estimate and midpoint where the sign changes there.
        near = ~same_sign(value, s.fmiddle)
        left = ~same_sign(value, s.fa)
        a = jnp.where(near, s.middle, jnp.where(left, s.a, x))
        fa = jnp.where(near, s.fmiddle, jnp.where(left, s.fa, value))
        b = jnp.where(near | left, x, s.b)
        fb = jnp.where(near | left, value, s.fb)
        a, b, fa, fb = (jnp.where(s.refine, p, q) for p, q in zip((a, b, fa, fb), (s.a, s.b, s.fa, s.fb), strict=True))

        nit = s.nit + ~s.refine
        width = jnp.abs(b - a)
        done = s.refine & ((value == 0) | (width < self.xtol + self.rtol * jnp.abs(x)))
        stop = s.refine & (nit >= self.maxiter)
        status = jnp.where(done, CONVERGED, jnp.where(stop, NOT_CONVERGED, RUNNING))
        status = jnp.where(jnp.isnan(value), NOT_FINITE, status).astype(jnp.int32)
        return RidderState(x, value, a, fa, b, fb, middle, value, ~s.refine, s.nfev + 1, nit, status)
