"""Algorithm 748 of Alefeld, Potra and Shi: a bracket that shrinks in every iteration."""

from dataclasses import dataclass
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax import lax

from solvers.pytrees import pytree_dataclass
from solvers.scalar.drive import both, counter
from solvers.scalar.status import CONVERGED, NOT_CONVERGED, NOT_FINITE, RUNNING, SIGN_ERROR

__all__ = ["TOMS748"]

FIRST = 0


class TOMS748State(NamedTuple):
    """Bracket [a, b], the two points that left it last (d, e), its width at the iteration's start.

    ``x`` was evaluated last; ``phase`` says as what: 0 the first secant, 1 to k the interpolated points of an
    iteration, k + 1 the double-length secant, k + 2 the midpoint.
    """

    x: jax.Array
    fun: jax.Array
    a: jax.Array
    fa: jax.Array
    b: jax.Array
    fb: jax.Array
    d: jax.Array
    fd: jax.Array
    e: jax.Array
    fe: jax.Array
    width: jax.Array
    phase: jax.Array
    nfev: jax.Array
    nit: jax.Array
    status: jax.Array


@pytree_dataclass
@dataclass(frozen=True)
class TOMS748:
    """Inverse cubic interpolation, a double-length secant step, and bisection where these shrink too little.

    Parameters
    ----------
    xtol, rtol : float
        Converged when the bracket's width is at most ``xtol + rtol * abs(b)``.
    maxiter : int
        Most iterations.
    k : int
        Interpolation steps in an iteration.

    References
    ----------
    .. [1] G. E. Alefeld, F. A. Potra, Y. Shi, "Algorithm 748: enclosing zeros of continuous functions", ACM Trans.
       Math. Softw. 21, 1995.
    """

    xtol: Any = 2e-12
    rtol: Any = 4 * 2.220446049250313e-16
    maxiter: Any = 100
    k: Any = 1

    def init(self, fun, start):
        """State with the ends and the first secant point evaluated."""
        a, b = start
        fa, fb = both(fun, a, b)
        status = jnp.where(jnp.sign(fa) * jnp.sign(fb) > 0, SIGN_ERROR, RUNNING)
        ended = (fa == 0) | (fb == 0)
        status = jnp.where(ended, CONVERGED, status)
        status = jnp.where(jnp.isfinite(fa) & jnp.isfinite(fb), status, NOT_FINITE).astype(jnp.int32)
        steep = jnp.abs(fb) > jnp.abs(fa)
        ratio = jnp.where(steep, -fa / fb, -fb / fa)
        c = (jnp.where(steep, a, b) + ratio * jnp.where(steep, b, a)) / (1 + ratio)
        c = jnp.where((a < c) & (c < b), c, (a + b) / 2)
        x = jnp.where(status == RUNNING, c, jnp.where(fa == 0, a, b))
        none = jnp.full_like(a, jnp.nan)
        nfev = jnp.where(status == RUNNING, 3, jnp.where(fa == 0, 1, 2)).astype(jnp.int32)
        value = fun(x)
        status = jnp.where((status == RUNNING) & (value == 0), CONVERGED, status)
        return TOMS748State(
            x, value, a, fa, b, fb, none, none, none, none, b - a, counter(a, FIRST), nfev, counter(a), status
        )

    def step(self, fun, state):
        """Put ``x`` into the bracket, choose the next point and evaluate there."""
        s = state
        # The end of the same sign leaves.
        left = jnp.sign(s.fa) * jnp.sign(s.fun) > 0
        e, fe = s.d, s.fd
        d, fd = jnp.where(left, s.a, s.b), jnp.where(left, s.fa, s.fb)
        a, fa = jnp.where(left, s.x, s.a), jnp.where(left, s.fun, s.fa)
        b, fb = jnp.where(left, s.b, s.x), jnp.where(left, s.fb, s.fun)
        middle = (a + b) / 2

        k = jnp.asarray(self.k, jnp.int32)
        bisect = (s.phase == k + 1) & (b - a > 0.5 * s.width)
        over = (s.phase == k + 2) | ((s.phase == k + 1) & ~bisect)
        begins = over | (s.phase == FIRST)
        secant = s.phase == k
        interpolate = begins | (s.phase < k)
        phase = jnp.where(begins, 1, s.phase + 1)

        point = _interpolated(a, fa, b, fb, d, fd, e, fe, phase + 1)
        new = jnp.where(secant & ~begins, self._double_secant(a, fa, b, fb), middle)
        new = jnp.where(interpolate, point, new)

        close = over & (jnp.abs(a - b) <= self.xtol + self.rtol * jnp.abs(b))
        stop = over & (s.nit >= self.maxiter)
        new = jnp.where(close | stop, middle, new)
        status = jnp.where(close, CONVERGED, jnp.where(stop, NOT_CONVERGED, RUNNING))
        value = fun(new)
        running = status == RUNNING
        status = jnp.where(running & (value == 0), CONVERGED, status)
        status = jnp.where(running & ~jnp.isfinite(value), NOT_FINITE, status).astype(jnp.int32)
        nit = s.nit + (s.phase == FIRST) + (begins & running)
        return TOMS748State(
            new,
            value,
            a,
            fa,
            b,
            fb,
            d,
            fd,
            e,
            fe,
            jnp.where(begins, b - a, s.width),
            phase.astype(jnp.int32),
            s.nfev + running,
            nit.astype(jnp.int32),
            status,
        )

    def _double_secant(self, a, fa, b, fb):
        """Twice the secant step from the better end, kept inside the bracket and away from that end."""
        low = jnp.abs(fa) < jnp.abs(fb)
        u, fu = jnp.where(low, a, b), jnp.where(low, fa, fb)
        other, fother = jnp.where(low, b, a), jnp.where(low, fb, fa)
        middle = (a + b) / 2
        c = u - 2 * fu * (b - a) / (fb - fa)
        far = jnp.abs(c - u) > 0.5 * (b - a)
        stuck = jnp.abs(c - u) <= jnp.finfo(a.dtype).eps * jnp.abs(u)
        # Values of vastly different size: step in from the end; else by about the tolerance.
        uneven = jnp.frexp(fu)[1] < jnp.frexp(fother)[1] - 50
        nudge = (self.rtol * jnp.abs(c) + self.xtol) * jnp.where(low, 1, -1)
        moved = jnp.where(uneven, (31 * u + other) / 32, u + nudge)
        moved = jnp.where((a < moved) & (moved < b), moved, middle)
        return jnp.where(far, middle, jnp.where(stuck, moved, c))


def _interpolated(a, fa, b, fb, d, fd, e, fe, steps):
    """Root of the inverse cubic through four points; where it fails, Newton steps on the parabola through three."""
    values = (fa, fb, fd, fe)
    least = 32 * jnp.finfo(a.dtype).eps
    apart = jnp.isfinite(fa + fb + fd + fe)
    for i, p in enumerate(values):
        apart &= p != 0
        for q in values[i + 1 :]:
            apart &= jnp.abs(p - q) > least
    cubic = _neville(values, (a, b, d, e))
    inside = apart & (a < cubic) & (cubic < b)
    return jnp.where(inside, cubic, _parabola(a, fa, b, fb, d, fd, steps))


def _neville(y, x):
    """Value at zero of the polynomial x(y) through four points."""
    p = list(x)
    for width in range(1, 4):
        p = [(y[i + width] * p[i] - y[i] * p[i + 1]) / (y[i + width] - y[i]) for i in range(4 - width)]
    return p[0]


def _parabola(a, fa, b, fb, d, fd, steps):
    """`steps` Newton steps to the root of the parabola through a, b and d that lies within (a, b)."""
    slope = (fb - fa) / (b - a)
    curve = ((fd - fb) / (d - b) - slope) / (d - a)
    start = jnp.where(jnp.sign(curve) * jnp.sign(fa) > 0, a, b)

    def newton(i, carry):
        r, stopped = carry
        value = (curve * (r - b) + slope) * (r - a) + fa
        new = r - value / (slope + curve * (2 * r - a - b))
        stopped |= ~((a < new) & (new < b)) | (i >= steps)
        return jnp.where(stopped, r, new), stopped

    r, _ = lax.fori_loop(0, jnp.max(steps), newton, (start, jnp.zeros(a.shape, bool)))
    r = jnp.where((a < r) & (r < b), r, (a + b) / 2)
    return jnp.where(curve == 0, a - fa / slope, r)
