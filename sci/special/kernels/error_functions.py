"""Error function and normal distribution kernels for real arguments."""

from __future__ import annotations

import math

import jax.numpy as jnp
import jax.scipy.special as jsp
from jax import lax

from sci.special.kernels.core import chebyshev, horner, scaled, smooth
from sci.special.kernels.tables import (
    CHEB_DAWSON_0,
    CHEB_DAWSON_1,
    CHEB_DAWSON_2,
    GAUSS_NODES,
    GAUSS_WEIGHTS,
)

__all__ = [
    "dawsn",
    "erf",
    "erfc",
    "erfcinv",
    "erfcx",
    "erfi",
    "erfinv",
    "log_ndtr",
    "ndtr",
    "ndtri",
    "ndtri_exp",
    "owens_t",
]

SQRT_PI = math.sqrt(math.pi)
SQRT_HALF = math.sqrt(0.5)
SQRT_2PI = math.sqrt(2 * math.pi)


@smooth(lambda x: 2 / SQRT_PI * jnp.exp(-x * x))
def erf(x):
    return lax.erf(x)


@smooth(lambda x: -2 / SQRT_PI * jnp.exp(-x * x))
def erfc(x):
    return lax.erfc(x)


@smooth(lambda x: 2 * x * erfcx(x) - 2 / SQRT_PI)
def erfcx(x):
    """exp(x^2) erfc(x); from 20 on by DLMF 7.12.1 (jax's own is 0 from 26.6 to 27, where erfc is subnormal)."""
    far = jnp.maximum(x, 20.0)
    t = 0.5 / far / far
    series = horner([1.0, -1.0, 3.0, -15.0, 105.0, -945.0, 10395.0, -135135.0], t)
    return jnp.where(x > 20, series / far / SQRT_PI, jsp.erfcx(jnp.minimum(x, 20.0)))


@smooth(lambda x: 1 - 2 * x * dawsn(x))
def dawsn(x):
    """Dawson's integral by Chebyshev series on three intervals."""
    a = jnp.abs(x)
    near = jnp.minimum(a, 3.0)
    low = near * chebyshev(CHEB_DAWSON_0, scaled(near * near, 0, 9))
    middle = jnp.clip(a, 3.0, 5.0)
    mid = chebyshev(CHEB_DAWSON_1, scaled(middle, 3, 5)) / middle
    far = jnp.maximum(a, 5.0)
    high = chebyshev(CHEB_DAWSON_2, scaled(1 / far / far, 0, 1 / 25)) / far
    value = jnp.where(a < 3, low, jnp.where(a < 5, mid, high))
    return jnp.where(jnp.isnan(x), x, jnp.where(x < 0, -value, value))


@smooth(lambda x: 2 / SQRT_PI * jnp.exp(x * x))
def erfi(x):
    """-i erf(i x) = 2 / sqrt(pi) exp(x^2) D(x)."""
    value = 2 / SQRT_PI * jnp.exp(x * x) * dawsn(x)
    return jnp.where(jnp.isinf(x), x, jnp.where(jnp.isnan(x), x, value))


# --- the normal distribution ---------------------------------------------------------------------


def normal_density(x):
    return jnp.exp(-0.5 * x * x) / SQRT_2PI


@smooth(normal_density)
def ndtr(x):
    """Standard normal distribution function."""
    return 0.5 * lax.erfc(-x * SQRT_HALF)


@smooth(lambda x: math.sqrt(2 / math.pi) / erfcx(-x * SQRT_HALF))
def log_ndtr(x):
    """log of the standard normal distribution function, right in both tails."""
    t = x * SQRT_HALF
    tail = jnp.log(0.5 * erfcx(jnp.maximum(-t, 0.0))) - t * t
    body = jnp.log1p(-0.5 * lax.erfc(jnp.maximum(t, -1.0)))
    value = jnp.where(x < -1, tail, body)
    return jnp.where(x == -jnp.inf, x, value)


@smooth(lambda p: SQRT_2PI * jnp.exp(0.5 * ndtri(p) ** 2))
def ndtri(p):
    """Inverse of `ndtr`: nan outside [0, 1]."""
    inside = (p > 0) & (p < 1)
    value = jsp.ndtri(jnp.where(inside, p, 0.5))
    edge = jnp.where(p == 0, -jnp.inf, jnp.where(p == 1, jnp.inf, jnp.nan))
    return jnp.where(inside, value, edge)


@smooth(lambda y: jnp.exp(y + 0.5 * ndtri_exp(y) ** 2) * SQRT_2PI)
def ndtri_exp(y):
    """Inverse of `log_ndtr`: Newton steps on log_ndtr, from the tail's asymptotic inverse."""
    moderate = y > -300.0
    p = jnp.exp(jnp.where(moderate, y, -1.0))
    direct = jnp.where(y > -0.01, -jsp.ndtri(-jnp.expm1(jnp.where(y > -0.01, y, -0.01))), jsp.ndtri(p))
    far = jnp.where(moderate, -300.0, jnp.maximum(y, -1e30))
    x = -jnp.sqrt(-2 * far)
    for _ in range(4):
        # log_ndtr is all but a parabola: Newton on it converges from anywhere in the tail
        t = -x * SQRT_HALF
        scaled_tail = erfcx(t)
        value = jnp.log(0.5 * scaled_tail) - t * t
        x = x - (value - far) * scaled_tail / math.sqrt(2 / math.pi)
    # farther out the parabola is all that there is
    x = jnp.where(y < -1e30, -math.sqrt(2) * jnp.sqrt(-jnp.minimum(y, -1e30)), x)
    value = jnp.where(moderate, direct, x)
    edge = jnp.where(y == 0, jnp.inf, jnp.where(y == -jnp.inf, -jnp.inf, jnp.nan))
    return jnp.where((y < 0) & (y > -jnp.inf), value, edge)


# --- inverses ------------------------------------------------------------------------------------


@smooth(lambda x: 0.5 * SQRT_PI * jnp.exp(erfinv(x) ** 2))
def erfinv(x):
    return jnp.where(jnp.abs(x) > 1, jnp.nan, lax.erf_inv(x))


@smooth(lambda x: -0.5 * SQRT_PI * jnp.exp(erfcinv(x) ** 2))
def erfcinv(x):
    """Inverse of erfc, right for tiny x: from the quantile of the normal tail."""
    inside = (x > 0) & (x < 2)
    xs = jnp.where(inside, x, 1.0)
    near = (xs > 0.5) & (xs < 1.5)
    tail = -jsp.ndtri(jnp.where(near, 0.25, 0.5 * xs)) * SQRT_HALF
    value = jnp.where(near, -lax.erf_inv(jnp.where(near, xs - 1, 0.0)), tail)
    edge = jnp.where(x == 0, jnp.inf, jnp.where(x == 2, -jnp.inf, jnp.nan))
    return jnp.where(inside, value, edge)


# --- Owen's T ------------------------------------------------------------------------------------


@smooth(
    lambda h, a: -normal_density(h) * (0.5 * lax.erf(a * h * SQRT_HALF)),
    lambda h, a: jnp.exp(-0.5 * h * h * (1 + a * a)) / (2 * math.pi * (1 + a * a)),
)
def owens_t(h, a):
    """Owen's T function: 40-point Gauss-Legendre on the part of [0, a] that matters, a <= 1;
    the complement T(h, a) = (Q(h) + Q(ah))/2 - Q(h) Q(ah) - T(ah, 1/a) for a > 1.
    """
    hh, aa = jnp.abs(h), jnp.abs(a)
    over = aa > 1
    ah = jnp.where(hh == 0, 0.0, aa * hh)
    hq, aq = jnp.where(over, ah, hh), jnp.where(over, 1 / aa, aa)
    # exp(-(h x)^2 / 2) is below 1e-19 of its start from h x = 9.4 on
    top = jnp.minimum(aq, 9.4 / jnp.maximum(hq, 1e-3))
    total = jnp.zeros_like(hq)
    for node, weight in zip(GAUSS_NODES, GAUSS_WEIGHTS, strict=True):
        for x2 in ((0.5 * top * (1 + node)) ** 2, (0.5 * top * (1 - node)) ** 2):
            total = total + weight * jnp.exp(-0.5 * hq * hq * x2) / (1 + x2)
    t = total * (0.5 * top) * jnp.exp(-0.5 * hq * hq) / (2 * math.pi)
    qh, qah = 0.5 * lax.erfc(hh * SQRT_HALF), 0.5 * lax.erfc(ah * SQRT_HALF)
    value = jnp.where(over, 0.5 * (qh + qah) - qh * qah - t, t)
    value = jnp.where(jnp.isinf(hh), 0.0, jnp.where(jnp.isinf(aa), 0.5 * qh, value))
    value = jnp.where(a < 0, -value, value)
    return jnp.where(jnp.isnan(h) | jnp.isnan(a), jnp.nan, value)
