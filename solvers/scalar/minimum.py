"""Minima of functions of one variable: Brent's method, with and without bounds, and golden sections."""

from dataclasses import dataclass
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from solvers.pytrees import pytree_dataclass
from solvers.scalar.drive import both, counter
from solvers.scalar.status import CONVERGED, NOT_CONVERGED, NOT_FINITE, RUNNING

__all__ = ["BoundedMinimum", "BrentMinimum", "GoldenMinimum"]

_SECTION = 0.5 * (3 - 5**0.5)
_BRENT_SECTION = 0.3819660  # SciPy's, so that the iterates are its own


class BrentState(NamedTuple):
    """Best, second best and third best point in [a, b], the last two steps, and the next point with its value."""

    x: jax.Array
    fun: jax.Array
    second: jax.Array
    fsecond: jax.Array
    third: jax.Array
    fthird: jax.Array
    a: jax.Array
    b: jax.Array
    last: jax.Array
    step: jax.Array
    trial: jax.Array
    ftrial: jax.Array
    nfev: jax.Array
    nit: jax.Array
    status: jax.Array


def _move(s, a, b, section, tol):
    """The next step and the one to remember: to the parabola's minimum, or a golden section of the larger part."""
    middle = 0.5 * (a + b)
    r = (s.x - s.second) * (s.fun - s.fthird)
    q = (s.x - s.third) * (s.fun - s.fsecond)
    p = (s.x - s.third) * q - (s.x - s.second) * r
    q = 2 * (q - r)
    p = jnp.where(q > 0, -p, p)
    q = jnp.abs(q)
    useful = (jnp.abs(p) < jnp.abs(0.5 * q * s.last)) & (p > q * (a - s.x)) & (p < q * (b - s.x))
    useful &= jnp.abs(s.last) > tol
    parabola = p / jnp.where(q == 0, 1.0, q)
    u = s.x + parabola
    edge = (u - a < 2 * tol) | (b - u < 2 * tol)
    parabola = jnp.where(edge, jnp.where(middle - s.x >= 0, tol, -tol), parabola)
    part = jnp.where(s.x >= middle, a - s.x, b - s.x)
    step = jnp.where(useful, parabola, section * part)
    # Never closer than the tolerance to a known point.
    moved = jnp.where(jnp.abs(step) < tol, jnp.where(step >= 0, tol, -tol), step)
    return moved, step, jnp.where(useful, s.step, part)


def _place(s, u, fu, better):
    """Put a new point among the best three and shrink the bracket."""
    beyond = u >= s.x
    a = jnp.where(better, jnp.where(beyond, s.x, s.a), jnp.where(u < s.x, u, s.a))
    b = jnp.where(better, jnp.where(beyond, s.b, s.x), jnp.where(u < s.x, s.b, u))
    second = better | (fu <= s.fsecond) | (s.second == s.x)
    third = second | (fu <= s.fthird) | (s.third == s.x) | (s.third == s.second)
    return s._replace(
        x=jnp.where(better, u, s.x),
        fun=jnp.where(better, fu, s.fun),
        second=jnp.where(better, s.x, jnp.where(second, u, s.second)),
        fsecond=jnp.where(better, s.fun, jnp.where(second, fu, s.fsecond)),
        third=jnp.where(second, s.second, jnp.where(third, u, s.third)),
        fthird=jnp.where(second, s.fsecond, jnp.where(third, fu, s.fthird)),
        a=a,
        b=b,
    )


def _unless(done, old, new, status):
    """The new state, or the old one where the iteration had ended before the evaluation."""
    merged = jax.tree.map(lambda p, q: jnp.where(done, p, q), old, new)
    return merged._replace(status=status.astype(jnp.int32))


def _begin(fun, x, a, b, section, tol):
    """State with the first point and the golden section after it evaluated."""
    zero = jnp.zeros_like(x)
    running = jnp.full(x.shape, RUNNING, jnp.int32)
    s = BrentState(x, zero, x, zero, x, zero, a, b, zero, zero, x, zero, counter(x, 1), counter(x), running)
    moved, step, last = _move(s, a, b, section, tol)
    value, ftrial = both(fun, x, x + moved)
    s = s._replace(fun=value, fsecond=value, fthird=value)
    return s._replace(trial=x + moved, ftrial=ftrial, step=step, last=last)


def _next(fun, s, section, tol):
    """Choose the next point and evaluate there."""
    moved, step, last = _move(s, s.a, s.b, section, tol)
    return s._replace(trial=s.x + moved, ftrial=fun(s.x + moved), step=step, last=last)


@pytree_dataclass
@dataclass(frozen=True)
class BrentMinimum:
    """Brent's method within a bracket: the start is ``(a, x, b)`` with ``f(x)`` below ``f(a)`` and ``f(b)``.

    Parameters
    ----------
    xtol : float
        Relative tolerance of the minimiser.
    maxiter : int
        Most iterations.

    References
    ----------
    .. [1] R. P. Brent, "Algorithms for Minimization Without Derivatives", 1973, chapter 5.
    """

    xtol: Any = 1.48e-8
    maxiter: Any = 500

    def init(self, fun, start):
        """State at the middle point."""
        first, x, last = start
        a, b = jnp.minimum(first, last), jnp.maximum(first, last)
        s = _begin(fun, x, a, b, _BRENT_SECTION, self._tolerance(x))
        return s._replace(status=self._status(s))

    def step(self, fun, state):
        """Put the last point in its place, test, and evaluate at the next."""
        s = _place(state, state.trial, state.ftrial, ~(state.ftrial > state.fun))
        s = s._replace(nfev=s.nfev + 1, nit=s.nit + 1)
        return _next(fun, s, _BRENT_SECTION, self._tolerance(s.x))._replace(status=self._status(s))

    def _tolerance(self, x):
        return self.xtol * jnp.abs(x) + 1e-11

    def _status(self, s):
        narrow = jnp.abs(s.x - 0.5 * (s.a + s.b)) < 2 * self._tolerance(s.x) - 0.5 * (s.b - s.a)
        status = jnp.where(s.nit >= self.maxiter, NOT_CONVERGED, jnp.where(narrow, CONVERGED, RUNNING))
        return jnp.where(jnp.isnan(s.fun) | jnp.isnan(s.x), NOT_FINITE, status).astype(jnp.int32)


@pytree_dataclass
@dataclass(frozen=True)
class BoundedMinimum:
    """Brent's method between bounds: the start is ``(a, b)``.

    Parameters
    ----------
    xatol : float
        Absolute tolerance of the minimiser.
    maxiter : int
        Most evaluations.

    References
    ----------
    .. [1] G. E. Forsythe, M. A. Malcolm, C. B. Moler, "Computer Methods for Mathematical Computations", 1977.
    """

    xatol: Any = 1e-5
    maxiter: Any = 500

    def init(self, fun, start):
        """State at the golden section of the interval."""
        a, b = start
        x = a + _SECTION * (b - a)
        s = _begin(fun, x, a, b, _SECTION, self._tolerance(x))
        return s._replace(status=self._status(s, s.fun))

    def step(self, fun, state):
        """Put the last point in its place, test, and evaluate at the next."""
        s = _place(state, state.trial, state.ftrial, state.ftrial <= state.fun)
        s = s._replace(nfev=s.nfev + 1, nit=s.nit + 1)
        return _next(fun, s, _SECTION, self._tolerance(s.x))._replace(status=self._status(s, state.ftrial))

    def _tolerance(self, x):
        eps = jnp.finfo(x.dtype).eps
        return (2.2e-16 if eps < 1e-15 else eps) ** 0.5 * jnp.abs(x) + self.xatol / 3

    def _status(self, s, newest):
        narrow = jnp.abs(s.x - 0.5 * (s.a + s.b)) <= 2 * self._tolerance(s.x) - 0.5 * (s.b - s.a)
        stop = (s.nfev >= self.maxiter) & (s.nfev > 1)
        status = jnp.where(stop, NOT_CONVERGED, jnp.where(narrow, CONVERGED, RUNNING))
        return jnp.where(jnp.isnan(newest) | jnp.isnan(s.fun) | jnp.isnan(s.x), NOT_FINITE, status).astype(jnp.int32)


class GoldenState(NamedTuple):
    """Two ends and two inner points of the section."""

    first: jax.Array
    last: jax.Array
    x1: jax.Array
    f1: jax.Array
    x2: jax.Array
    f2: jax.Array
    nfev: jax.Array
    nit: jax.Array
    status: jax.Array

    x = property(lambda self: jnp.where(self.f1 < self.f2, self.x1, self.x2))
    fun = property(lambda self: jnp.where(self.f1 < self.f2, self.f1, self.f2))


@pytree_dataclass
@dataclass(frozen=True)
class GoldenMinimum:
    """Golden sections within a bracket ``(a, x, b)``. Parameters as of `BrentMinimum`."""

    xtol: Any = 1.4901161193847656e-08
    maxiter: Any = 5000

    def init(self, fun, start):
        """State with the larger part divided."""
        a, x, b = start
        section = 1 - 0.61803399
        right = jnp.abs(b - x) > jnp.abs(x - a)
        x1 = jnp.where(right, x, x - section * (x - a))
        x2 = jnp.where(right, x + section * (b - x), x)
        f1, f2 = both(fun, x1, x2)
        running = jnp.full(x.shape, RUNNING, jnp.int32)
        return GoldenState(a, b, x1, f1, x2, f2, counter(x, 2), counter(x), running)

    def step(self, fun, state):
        """Test, and replace the worse inner point."""
        s = state
        ratio = 0.61803399
        narrow = jnp.abs(s.last - s.first) <= self.xtol * (jnp.abs(s.x1) + jnp.abs(s.x2))
        stop = s.nit >= self.maxiter
        right = s.f2 < s.f1
        first, last = jnp.where(right, s.x1, s.first), jnp.where(right, s.last, s.x2)
        kept, fkept = jnp.where(right, s.x2, s.x1), jnp.where(right, s.f2, s.f1)
        u = ratio * kept + (1 - ratio) * jnp.where(right, last, first)
        fu = fun(u)
        new = GoldenState(
            first,
            last,
            jnp.where(right, kept, u),
            jnp.where(right, fkept, fu),
            jnp.where(right, u, kept),
            jnp.where(right, fu, fkept),
            s.nfev + 1,
            s.nit + 1,
            s.status,
        )
        status = jnp.where(stop, NOT_CONVERGED, jnp.where(narrow, CONVERGED, RUNNING))
        status = jnp.where(jnp.isnan(s.f1) | jnp.isnan(s.f2), NOT_FINITE, status)
        return _unless(status != RUNNING, s, new, status)
