"""Incomplete gamma functions, both tails right relative to themselves.

Reference: N. M. Temme, "The asymptotic expansion of the incomplete gamma functions", SIAM J. Math.
Anal. 10 (1979), DLMF 8.12; power series DLMF 8.7.1 and continued fraction DLMF 8.9.2 elsewhere.
"""

from __future__ import annotations

import math

import jax.numpy as jnp
from jax import lax

from sci.special.kernels.core import FORWARD, horner, smooth
from sci.special.kernels.gamma import HALF_LOG_2PI, lgamma1p, stirling_error
from sci.special.kernels.tables import TEMME

__all__ = ["gamma_p", "gamma_q", "log1pmx", "log_power_density"]

#: Terms of the series and of the continued fraction where `tails` uses them: 80 give 2e-15 at the worst
#: point of either (series: x = 0.6 a, a large; fraction: x = 1.1).
TERMS, _BLOCK = 96, 16


def excess_ratio(x):
    """(x - log(1 + x)) / x^2 for |x| < 0.45, a smooth function that is 1/2 at 0.

    With r = x / (2 + x): log(1 + x) = 2 atanh(r) and x = r (2 + x).
    """
    inverse = 1 / (2 + x)
    r = x * inverse
    series = horner([1 / (2 * k + 3) for k in range(16)], r * r)
    return inverse - 2 * r * series * inverse * inverse


def log1pmx(x, whole):
    """log(1 + x) - x, relative to itself, x > -1; `whole` is 1 + x, which next to 0 the caller knows better."""
    near = jnp.abs(x) < 0.45
    xn, xf = jnp.where(near, x, 0.0), jnp.where(near, 1.0, whole)
    return jnp.where(near, -xn * xn * excess_ratio(xn), jnp.log(xf) - x)


def log_power_density(a, x):
    """log of x^a exp(-x) / Gamma(a + 1), x > 0, without the cancellation for large a."""
    big = a >= 8
    al = jnp.where(big, a, 8.0)
    xl = jnp.where(big, x, 8.0)
    large = al * log1pmx((xl - al) / al, xl / al) - stirling_error(al) - 0.5 * jnp.log(al) - HALF_LOG_2PI
    small = a * jnp.log(x) - x - lgamma1p(jnp.where(big, 1.0, a))
    return jnp.where(big, large, small)


def _backwards(step, start):
    """``total = step(n, total)`` for n = TERMS, ..., 1.

    A fixed number of turns, sixteen of them in one pass over memory: a loop that asks each time whether every element
    has converged writes all its state at every term, twenty times slower for a million numbers.
    """

    def block(i, total):
        for j in range(_BLOCK):
            total = step(jnp.asarray(TERMS - j, total.dtype) - _BLOCK * jnp.asarray(i, total.dtype), total)
        return total

    return lax.fori_loop(0, TERMS // _BLOCK, block, start)


def lower_series(a, x, active):
    """sum_n x^n / ((a + 1) ... (a + n)), by Horner's rule."""
    a, x = jnp.where(active, a, 1.0), jnp.where(active, x, 0.0)
    return _backwards(lambda n, total: 1 + total * (x / (a + n)), jnp.ones_like(x))


def upper_fraction(a, x, active):
    """The continued fraction of Gamma(a, x) exp(x) x^(1-a), its even part, from its far end."""
    a, x = jnp.where(active, a, 1.0), jnp.where(active, x, 100.0)

    def step(n, below):
        return x + (2 * n - 1) - a - n * (n - a) / below

    return x / _backwards(step, x + (2 * TERMS + 1) - a)


def temme(a, x):
    """(small tail, on which side): Temme's uniform expansion for a >= 25, |x - a| < 0.4 a."""
    mu = (x - a) / a
    root = jnp.sqrt(2 * excess_ratio(mu))
    eta = mu * root
    inverse = 1 / a
    total = jnp.zeros_like(a)
    for row in reversed(TEMME):
        total = total * inverse + horner(row, eta)
    rest = jnp.exp(-0.5 * a * eta * eta) / jnp.sqrt(2 * math.pi * a) * total
    side = jnp.where(mu < 0, -1.0, 1.0)
    return 0.5 * lax.erfc(side * eta * jnp.sqrt(0.5 * a)) + side * rest, mu < 0


def small_a_upper(a, x):
    """Q(a, x) where P is close to one because a is small: 1 - x^a / Gamma(a+1) (1 + ...)."""
    total, term = jnp.zeros_like(x), jnp.ones_like(x)
    for n in range(1, 22):
        term = term * (-x / n)
        total = total + term / (a + n)
    exponent = a * jnp.log(x) - lgamma1p(a)
    return -jnp.expm1(exponent) - a * jnp.exp(exponent) * total


def tails(a, x):
    """(P, Q) for a > 0, 0 < x < inf."""
    uniform = (a >= 25) & (jnp.abs(x - a) < 0.4 * a)
    fraction = ~uniform & (x > 1.1) & (x > a)
    from_upper = (x <= 1.1) & jnp.where(x > 0.5, x * 1.1 > a, a < -0.4 / jnp.log(jnp.minimum(x, 0.5)))
    series = ~uniform & ~fraction
    prefix = jnp.exp(log_power_density(a, x))
    lower = prefix * lower_series(a, x, series)
    upper = prefix * jnp.where(fraction, a / x, 0.0) * upper_fraction(a, x, fraction)
    au, xu = jnp.where(uniform, a, 30.0), jnp.where(uniform, x, 30.0)
    tail, is_lower = temme(au, xu)
    small = small_a_upper(jnp.where(from_upper, a, 0.5), jnp.where(from_upper, x, 0.5))
    p = jnp.where(uniform, jnp.where(is_lower, tail, 1 - tail), jnp.where(fraction, 1 - upper, lower))
    q = jnp.where(uniform, jnp.where(is_lower, 1 - tail, tail), jnp.where(fraction, upper, 1 - lower))
    return p, jnp.where(from_upper, small, q)


def bordered(a, x, which):
    """Add SciPy's values at the borders: 0, inf, nan."""
    inside = (a > 0) & (x > 0) & jnp.isfinite(a) & jnp.isfinite(x)
    value = tails(jnp.where(inside, a, 1.0), jnp.where(inside, x, 1.0))[which]
    full, empty = (1.0, 0.0) if which == 0 else (0.0, 1.0)
    value = jnp.where(inside, value, jnp.nan)
    value = jnp.where((x == 0) & (a > 0), empty, value)
    value = jnp.where((a == 0) & (x > 0), full, value)
    value = jnp.where(jnp.isinf(a) & (a > 0) & (x >= 0), jnp.where(jnp.isinf(x), jnp.nan, empty), value)
    value = jnp.where(jnp.isinf(x) & (x > 0) & (a >= 0) & jnp.isfinite(a), full, value)
    return jnp.where(jnp.isnan(a) | jnp.isnan(x), jnp.nan, value)


def density(a, x):
    """d P / d x = x^(a-1) exp(-x) / Gamma(a)."""
    xs = jnp.where(x > 0, x, 1.0)
    inside = jnp.exp(log_power_density(a, xs)) * (a / xs)
    at_zero = jnp.where(a < 1, jnp.inf, jnp.where(a == 1, 1.0, 0.0))
    return jnp.where(x > 0, inside, jnp.where(x == 0, at_zero, jnp.nan))


@smooth(FORWARD, lambda a, x: density(a, x))
def gamma_p(a, x):
    """Regularised lower incomplete gamma function P(a, x)."""
    return bordered(a, x, 0)


@smooth(FORWARD, lambda a, x: -density(a, x))
def gamma_q(a, x):
    """Regularised upper incomplete gamma function Q(a, x)."""
    return bordered(a, x, 1)
