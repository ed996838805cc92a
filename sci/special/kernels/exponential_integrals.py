"""Exponential, sine, cosine and hyperbolic integrals, the dilogarithm, for real arguments."""

from __future__ import annotations

import math

import jax.numpy as jnp
import jax.scipy.special as jsp

from sci.special.kernels import tables
from sci.special.kernels.core import chebyshev, count_of_turns, scaled, smooth
from sci.special.kernels.gamma import digamma, gammaln

__all__ = ["exp1", "expi", "expn", "fresnel_pair", "shichi_pair", "sici_pair", "spence"]

EULER = 0.57721566490153286060651209008240243


def ein(x):
    """(Ei(x) - gamma - log|x|) / x for -1 <= x <= 6."""
    return chebyshev(tables.CHEB_EIN, scaled(x, -1, 6))


def e1_scaled(x):
    """x exp(x) E1(x), x >= 1."""
    u = 1 / x
    value = chebyshev(tables.CHEB_E1_0, scaled(jnp.maximum(u, 0.4), 0.4, 1))
    value = jnp.where(u < 0.4, chebyshev(tables.CHEB_E1_1, scaled(jnp.clip(u, 0.125, 0.4), 0.125, 0.4)), value)
    return jnp.where(u < 0.125, chebyshev(tables.CHEB_E1_2, scaled(jnp.minimum(u, 0.125), 0, 0.125)), value)


def ei_scaled(x):
    """x exp(-x) Ei(x), x >= 6."""
    u = 1 / x
    ends = [1 / 6, 1 / 10, 1 / 16, 1 / 26, 1 / 45, 0.0]
    pieces = [tables.CHEB_EI_0, tables.CHEB_EI_1, tables.CHEB_EI_2, tables.CHEB_EI_3, tables.CHEB_EI_4]
    value = jnp.zeros_like(x)
    for high, low, piece in zip(ends, ends[1:], pieces, strict=False):
        value = jnp.where(u <= high, chebyshev(piece, scaled(jnp.clip(u, low, high), low, high)), value)
    return value


@smooth(lambda x: -jnp.exp(-x) / x)
def exp1(x):
    """E1(x), x >= 0."""
    small = jnp.where((x > 0) & (x <= 1), x, 1.0)
    near = -EULER - jnp.log(small) + small * ein(-small)
    big = jnp.where(x > 1, x, 1.0)
    far = jnp.exp(-big) / big * e1_scaled(big)
    value = jnp.where(x <= 1, near, far)
    return jnp.where(x > 0, jnp.where(x == jnp.inf, 0.0, value), jnp.where(x == 0, jnp.inf, jnp.nan))


@smooth(lambda x: jnp.exp(x) / x)
def expi(x):
    """Ei(x), principal value for x > 0."""
    small = jnp.where((x > 0) & (x <= 6), x, 1.0)
    near = EULER + jnp.log(small) + small * ein(small)
    big = jnp.where(x > 6, x, 6.0)
    # exp(x) in two halves: Ei(x) is finite up to 716, exp only up to 709.8
    half = jnp.exp(0.5 * big)
    far = half * (half / big * ei_scaled(big))
    positive = jnp.where(x == jnp.inf, jnp.inf, jnp.where(x <= 6, near, far))
    value = jnp.where(x < 0, -exp1(jnp.abs(x)), positive)
    return jnp.where(x == 0, -jnp.inf, jnp.where(jnp.isnan(x), x, value))


@smooth(None, lambda n, x: -jnp.where(n == 0, (1 + 1 / x) * jnp.exp(-x) / x, expn(jnp.maximum(n - 1, 0.0), x)))
def expn(n, x):
    """E_n(x) for whole n >= 0, x >= 0. Reference: DLMF 8.19.17 for x > 1, 8.19.8 below."""
    inside = (n >= 1) & (x > 0) & jnp.isfinite(x)
    nn, xx = jnp.where(inside, n, 1.0), jnp.where(inside, x, 2.0)
    fraction = (xx > 1) | (nn > 40)
    value = jnp.where(fraction, expn_fraction(nn, xx, fraction), expn_series(nn, xx, ~fraction))
    value = jnp.where(inside, value, jnp.nan)
    value = jnp.where((n == 0) & (x > 0), jnp.exp(-x) / x, value)
    value = jnp.where((n >= 0) & (x == 0), jnp.where(n > 1, 1 / (n - 1), jnp.inf), value)
    return jnp.where((n >= 0) & (x == jnp.inf), 0.0, value)


def expn_series(n, x, active):
    n, x = jnp.where(active, n, 1.0), jnp.where(active, x, 0.5)
    total, term = jnp.zeros_like(x), jnp.ones_like(x)
    for m in range(22):
        gap = m - n + 1
        total = total - jnp.where(gap == 0, 0.0, term / jnp.where(gap == 0, 1.0, gap))
        term = term * (-x / (m + 1))
    # (-x)^(n-1) / (n-1)!: in logarithms only for the size, the sign apart
    sign = jnp.where(jnp.mod(n, 2) == 1, 1.0, -1.0)
    power = jnp.exp((n - 1) * jnp.log(x) - gammaln(n))
    return total + sign * power * (digamma(n) - jnp.log(x))


def expn_fraction(n, x, active):
    n, x = jnp.where(active, n, 1.0), jnp.where(active, x, 50.0)
    eps = jnp.finfo(x.dtype).eps
    b = x + n

    def step(i, c, d, h, change):
        k = i + 1.0
        an = -k * (n - 1 + k)
        bn = b + 2 * k
        d = 1 / (an * d + bn)
        c = bn + an / c
        change = c * d
        return c, d, h * change, change

    start = (jnp.full_like(x, jnp.inf), 1 / b, 1 / b, jnp.full_like(x, 2.0))
    h = count_of_turns(lambda c, d, h, change: jnp.any(jnp.abs(change - 1) > eps), step, start, 500)[2]
    return h * jnp.exp(-x)


# --- sine and cosine integrals -------------------------------------------------------------------


@smooth(lambda x: jnp.sinc(x / math.pi))
def si(x):
    return jsp.sici(x)[0]


@smooth(lambda x: jnp.cos(x) / x)
def ci(x):
    return jsp.sici(x)[1]


@smooth(lambda x: jnp.sin(0.5 * math.pi * x * x))
def fresnel_s(x):
    return jsp.fresnel(x)[0]


@smooth(lambda x: jnp.cos(0.5 * math.pi * x * x))
def fresnel_c(x):
    return jsp.fresnel(x)[1]


def shi_series(x):
    """sum x^(2k+1) / ((2k+1) (2k+1)!), |x| <= 2."""
    x2 = x * x
    coefficients = [1 / ((2 * k + 1) * math.factorial(2 * k + 1)) for k in range(12)]
    total = jnp.full_like(x, coefficients[-1])
    for c in coefficients[-2::-1]:
        total = total * x2 + c
    return x * total


def cin_series(x):
    """sum_{k >= 1} x^(2k) / (2k (2k)!), |x| <= 2."""
    x2 = x * x
    coefficients = [1 / (2 * k * math.factorial(2 * k)) for k in range(1, 13)]
    total = jnp.full_like(x, coefficients[-1])
    for c in coefficients[-2::-1]:
        total = total * x2 + c
    return x2 * total


@smooth(lambda x: jnp.where(x == 0, 1.0, jnp.sinh(x) / jnp.where(x == 0, 1.0, x)))
def shi(x):
    """Shi(x) = (Ei(x) + E1(x)) / 2 for x > 0, odd."""
    a = jnp.abs(x)
    near = jnp.where(a <= 2, a, 1.0)
    far = jnp.where(a > 2, a, 3.0)
    value = jnp.where(a <= 2, shi_series(near), 0.5 * (expi(far) + exp1(far)))
    return jnp.where(jnp.isnan(x), x, jnp.where(x < 0, -value, value))


@smooth(lambda x: jnp.cosh(x) / x)
def chi(x):
    """Chi(|x|) = (Ei(x) - E1(x)) / 2 for x > 0."""
    a = jnp.abs(x)
    near = jnp.where((a <= 2) & (a > 0), a, 1.0)
    far = jnp.where(a > 2, a, 3.0)
    value = jnp.where(a <= 2, EULER + jnp.log(near) + cin_series(near), 0.5 * (expi(far) - exp1(far)))
    return jnp.where(jnp.isnan(x), x, jnp.where(a == 0, -jnp.inf, value))


def spence_slope(z):
    near = jnp.abs(z - 1) < 0.1
    w = jnp.where(near, 1 - z, 0.05)
    # log(1-w)/w by its series next to w = 0, where the quotient is 0/0 for the derivatives
    series = jnp.zeros_like(z)
    for k in range(17, 0, -1):
        series = series * w - 1.0 / k
    far = jnp.where(near, 2.0, z)
    return jnp.where(near, series, jnp.log(far) / (1 - far))


@smooth(spence_slope)
def spence(z):
    """Li2(1 - z), z >= 0."""
    return jnp.where(z < 0, jnp.nan, jsp.spence(jnp.maximum(z, 0.0)))


def sici_pair(x):
    return si(x), ci(x)


def shichi_pair(x):
    return shi(x), chi(x)


def fresnel_pair(x):
    return fresnel_s(x), fresnel_c(x)
