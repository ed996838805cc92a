"""Chandrupatla's methods for roots and minima within a bracket."""

from dataclasses import dataclass
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from solvers.pytrees import pytree_dataclass
from solvers.scalar.drive import counter
from solvers.scalar.status import CONVERGED, NOT_CONVERGED, NOT_FINITE, RUNNING, SIGN_ERROR

__all__ = ["Chandrupatla", "ChandrupatlaMinimum"]

_GOLDEN = 0.5 + 0.5 * 5**0.5


class ChandrupatlaState(NamedTuple):
    """Newest point, the end of opposite sign, and the next point with its value.

    ``x`` and ``fun`` are the better of the two ends.
    """

    x: jax.Array
    fun: jax.Array
    x1: jax.Array
    f1: jax.Array
    x2: jax.Array
    f2: jax.Array
    trial: jax.Array
    ftrial: jax.Array
    limit: jax.Array
    nfev: jax.Array
    nit: jax.Array
    status: jax.Array

    @property
    def extra(self):
        """The bracket in increasing order, with its values."""
        swap = self.x1 >= self.x2
        return {
            "bracket": (jnp.where(swap, self.x2, self.x1), jnp.where(swap, self.x1, self.x2)),
            "f_bracket": (jnp.where(swap, self.f2, self.f1), jnp.where(swap, self.f1, self.f2)),
        }


@pytree_dataclass
@dataclass(frozen=True)
class Chandrupatla:
    """Inverse quadratic interpolation where it is safe, bisection otherwise.

    Parameters
    ----------
    xatol, xrtol : float, optional
        Converged when the bracket is narrower than ``xatol + xrtol * abs(x)``; by default four times the smallest
        normal number and the precision.
    fatol, frtol : float, optional
        Converged when ``abs(f) <= fatol + frtol * min(abs(f(a)), abs(f(b)))``.
    maxiter : int, optional
        Most iterations; by default as many bisections as the number format can need.

    References
    ----------
    .. [1] T. R. Chandrupatla, "A new hybrid quadratic/bisection algorithm for finding the zero of a nonlinear
       function without using derivatives", Adv. Eng. Softw. 28, 1997.
    """

    xatol: Any = None
    xrtol: Any = None
    fatol: Any = None
    frtol: Any = 0.0
    maxiter: Any = None

    def init(self, fun, start):
        """State with both ends and the middle evaluated, the ends tested."""
        a, b = start
        middle = a + 0.5 * (b - a)
        fa, fb, fmiddle = jax.vmap(fun)(jnp.stack([a, b, middle]))
        limit = self.frtol * jnp.minimum(jnp.abs(fa), jnp.abs(fb))
        status = jnp.full(a.shape, RUNNING, jnp.int32)
        nfev, nit = counter(a, 2), counter(a)
        return self._test(ChandrupatlaState(a, fa, a, fa, b, fb, middle, fmiddle, limit, nfev, nit, status))

    def step(self, fun, state):
        """Keep the end of opposite sign, test, choose the next point and evaluate there."""
        s = state
        x, value = s.trial, s.ftrial
        same = jnp.sign(value) == jnp.sign(s.f1)
        x3, f3 = jnp.where(same, s.x1, s.x2), jnp.where(same, s.f1, s.f2)
        x2, f2 = jnp.where(same, s.x2, s.x1), jnp.where(same, s.f2, s.f1)
        new = s._replace(x1=x, f1=value, x2=x2, f2=f2, nfev=s.nfev + 1, nit=s.nit + 1)
        new = self._test(new)
        width = jnp.abs(x2 - x)
        least = 0.5 * self._tolerance(new.x) / width
        fraction = jnp.clip(self._fraction(x, value, x2, f2, x3, f3), least, 1 - least)
        trial = x + fraction * (x2 - x)
        return new._replace(trial=trial, ftrial=fun(trial))

    def _fraction(self, x1, f1, x2, f2, x3, f3):
        """Where the inverse parabola through the three points has its root, if it is monotonic there."""
        xi = (x1 - x2) / (x3 - x2)
        phi = (f1 - f2) / (f3 - f2)
        alpha = (x3 - x1) / (x2 - x1)
        safe = (1 - jnp.sqrt(1 - xi) < phi) & (phi < jnp.sqrt(xi))
        root = f1 / (f1 - f2) * f3 / (f3 - f2) - alpha * f1 / (f3 - f1) * f2 / (f2 - f3)
        return jnp.where(safe, root, 0.5)

    def _tolerance(self, x):
        info = jnp.finfo(x.dtype)
        xatol = 4 * info.smallest_normal if self.xatol is None else self.xatol
        xrtol = 4 * info.eps if self.xrtol is None else self.xrtol
        return jnp.abs(x) * xrtol + xatol

    def _test(self, s):
        """The better end, and whether the element ends, in SciPy's order of precedence."""
        info = jnp.finfo(s.x1.dtype)
        better = jnp.abs(s.f1) < jnp.abs(s.f2)
        x, value = jnp.where(better, s.x1, s.x2), jnp.where(better, s.f1, s.f2)
        fatol = info.smallest_normal if self.fatol is None else self.fatol
        small = jnp.abs(value) <= fatol + s.limit
        narrow = jnp.abs(s.x2 - s.x1) < self._tolerance(x)
        wrong = jnp.sign(s.f1) == jnp.sign(s.f2)
        nan = ~(jnp.isfinite(s.x1) & jnp.isfinite(s.x2)) | jnp.isnan(s.f1) | jnp.isnan(s.f2)
        most = -2 * jnp.log2(info.smallest_normal) if self.maxiter is None else self.maxiter
        status = jnp.where(s.nit >= most, NOT_CONVERGED, RUNNING)
        status = jnp.where(narrow, CONVERGED, status)
        status = jnp.where(nan, NOT_FINITE, status)
        status = jnp.where(wrong, SIGN_ERROR, status)
        status = jnp.where(small, CONVERGED, status).astype(jnp.int32)
        bad = (status == SIGN_ERROR) | (status == NOT_FINITE)
        return s._replace(x=jnp.where(bad, jnp.nan, x), fun=jnp.where(bad, jnp.nan, value), status=status)


class ChandrupatlaMinimumState(NamedTuple):
    """Three points, the larger interval last, and the parabola's minimum of the previous iteration.

    ``x`` is the middle one, or NaN where the input is no bracket.
    """

    x: jax.Array
    fun: jax.Array
    x1: jax.Array
    f1: jax.Array
    x2: jax.Array
    f2: jax.Array
    x3: jax.Array
    f3: jax.Array
    estimate: jax.Array
    nfev: jax.Array
    nit: jax.Array
    status: jax.Array

    @property
    def extra(self):
        """The three points in increasing order, with their values."""
        swap = self.x1 >= self.x3
        low, high = jnp.where(swap, self.x3, self.x1), jnp.where(swap, self.x1, self.x3)
        flow, fhigh = jnp.where(swap, self.f3, self.f1), jnp.where(swap, self.f1, self.f3)
        return {"bracket": (low, self.x, high), "f_bracket": (flow, self.fun, fhigh)}


@pytree_dataclass
@dataclass(frozen=True)
class ChandrupatlaMinimum:
    """Quadratic interpolation where two estimates in a row agree, golden sections otherwise.

    Parameters
    ----------
    xatol, xrtol, fatol, frtol : float, optional
        Converged when the larger interval is at most twice ``xatol + xrtol * abs(x)``, or the second difference
        of the values at most twice ``fatol + frtol * abs(f)``.
    maxiter : int
        Most iterations.

    References
    ----------
    .. [1] T. R. Chandrupatla, "An efficient quadratic fit-sectioning algorithm for minimization without
       derivatives", Comput. Methods Appl. Mech. Eng. 152, 1998.
    """

    xatol: Any = None
    xrtol: Any = None
    fatol: Any = None
    frtol: Any = None
    maxiter: Any = 100

    def init(self, fun, start):
        """State with the three points evaluated, ordered and tested."""
        x = jnp.stack(start)
        values = jax.vmap(fun)(x)
        order = jnp.argsort(x, axis=0)
        x1, x2, x3 = jnp.take_along_axis(x, order, axis=0)
        f1, f2, f3 = jnp.take_along_axis(values, order, axis=0)
        status = jnp.full(x1.shape, RUNNING, jnp.int32)
        return self._test(
            ChandrupatlaMinimumState(x2, f2, x1, f1, x2, f2, x3, f3, x3, counter(x1, 3), counter(x1), status)
        )

    def step(self, fun, state):
        """Evaluate at the next point, renew the three points, test."""
        s = state
        near, wide = s.x2 - s.x1, s.x3 - s.x2
        a, b = near * (s.f3 - s.f2), wide * (s.f1 - s.f2)
        c = a / (a + b)
        estimate = 0.5 * (c * (s.x1 - s.x3) + s.x2 + s.x3)
        tolerance = self._tolerance(s.x2)
        close = jnp.abs(estimate - s.x2) <= tolerance
        parabola = jnp.where(close, s.x2 + jnp.sign(wide) * tolerance, estimate)
        agree = jnp.abs(estimate - s.estimate) < 0.5 * jnp.abs(near)
        x = jnp.where(agree, parabola, s.x2 + (2 - _GOLDEN) * wide)
        value = fun(x)

        beyond = jnp.sign(x - s.x2) == jnp.sign(wide)
        worse = value > s.f2
        # The new point replaces an end, or becomes the middle and the old middle an end.
        end, fend = jnp.where(worse, x, s.x2), jnp.where(worse, value, s.f2)
        first = jnp.where(worse, ~beyond, beyond)
        new = s._replace(
            x1=jnp.where(first, end, s.x1),
            f1=jnp.where(first, fend, s.f1),
            x2=jnp.where(worse, s.x2, x),
            f2=jnp.where(worse, s.f2, value),
            x3=jnp.where(first, s.x3, end),
            f3=jnp.where(first, s.f3, fend),
            estimate=estimate,
            nfev=s.nfev + 1,
            nit=s.nit + 1,
        )
        return self._test(new)

    def _tolerance(self, x):
        info = jnp.finfo(x.dtype)
        xatol = info.smallest_normal if self.xatol is None else self.xatol
        xrtol = info.eps**0.5 if self.xrtol is None else self.xrtol
        return jnp.abs(x) * xrtol + xatol

    def _test(self, s):
        """Order the points by the width of the intervals, and whether the element ends."""
        tiny = jnp.finfo(s.x1.dtype).smallest_normal
        fatol = tiny if self.fatol is None else self.fatol
        frtol = tiny if self.frtol is None else self.frtol
        swap = jnp.abs(s.x3 - s.x2) < jnp.abs(s.x2 - s.x1)
        x1, x3 = jnp.where(swap, s.x3, s.x1), jnp.where(swap, s.x1, s.x3)
        f1, f3 = jnp.where(swap, s.f3, s.f1), jnp.where(swap, s.f1, s.f3)
        narrow = jnp.abs(x3 - s.x2) <= 2 * self._tolerance(s.x2)
        flat = f1 - 2 * s.f2 + f3 <= 2 * (jnp.abs(s.f2) * frtol + fatol)
        finite = jnp.isfinite(x1 + s.x2 + x3 + f1 + s.f2 + f3)
        wrong = (s.f2 > f1) | (s.f2 > f3)
        status = jnp.where(s.nit >= self.maxiter, NOT_CONVERGED, RUNNING)
        status = jnp.where(narrow | flat, CONVERGED, status)
        status = jnp.where(finite, status, NOT_FINITE)
        status = jnp.where(wrong, SIGN_ERROR, status).astype(jnp.int32)
        bad = (status == SIGN_ERROR) | (status == NOT_FINITE)
        return s._replace(
            x=jnp.where(bad, jnp.nan, s.x2),
            fun=jnp.where(bad, jnp.nan, s.f2),
            x1=x1,
            f1=f1,
            x3=x3,
            f3=f3,
            status=status,
        )
