"""Beta functions and binomial coefficients for real arguments.

Reference: A. R. DiDonato and A. H. Morris, "Algorithm 708", ACM TOMS 18 (1992), for the form of
log B that does not cancel for large arguments.
"""

from __future__ import annotations

import math

import jax.numpy as jnp

from sci.special.kernels.core import smooth
from sci.special.kernels.gamma import (
    HALF_LOG_2PI,
    digamma,
    gammaln,
    gammasgn,
    lgamma_positive,
    sinpi,
    stirling_error,
)

__all__ = ["beta", "betaln", "betaln_positive", "binom", "poch"]


def betaln_positive(a, b):
    """log B(a, b) for a, b > 0."""
    small, large = jnp.minimum(a, b), jnp.maximum(a, b)
    s = small + large
    # one call for three values: a third of the program to compile
    of_small, of_large, of_sum = lgamma_positive(jnp.stack([jnp.minimum(v, 16.0) for v in (small, large, s)]))
    direct = of_small + (of_large - of_sum)
    big = jnp.maximum(large, 8.0)
    ratio = small / big
    log1p = jnp.log1p(ratio)
    # big log1p(small / big), which is small itself once the quotient underflows
    weighted = jnp.where(ratio < 1e-100 if big.dtype.itemsize > 4 else ratio < 1e-20, small, big * log1p)
    # log Gamma(large) - log Gamma(small + large)
    difference = stirling_error(big) - stirling_error(big + small)
    quotient = difference - weighted - (small - 0.5) * log1p - small * (jnp.log(big) - 1)
    mixed = of_small + quotient
    # both from 8 on
    ms = jnp.maximum(small, 8.0)
    correction = stirling_error(ms) + difference
    u = (ms - 0.5) * (jnp.log(ratio) - log1p)
    both = -0.5 * jnp.log(big) + HALF_LOG_2PI + correction + u - weighted
    return jnp.where(large < 8, direct, jnp.where(small < 8, mixed, both))


def reduced(a, b, sine=None):
    """(P, Q, sign * factor): B(a, b) = factor * B(P, Q)^(+-1) with P, Q > 0; and the exponent's sign.

    By the reflection formula, so that the large gamma functions cancel before they are computed.
    `sine` is sin(pi min(a, b)) where the caller knows it better than min(a, b) itself.
    """
    lo, hi = jnp.minimum(a, b), jnp.maximum(a, b)
    s = lo + hi
    both_positive = lo > 0
    both_negative = hi < 0
    # one negative: a + b > 0 or not
    p = jnp.where(both_positive, lo, 1 - lo)
    q = jnp.where(both_positive, hi, jnp.where(both_negative, 1 - hi, s))
    power = jnp.where(both_positive, 1.0, -1.0)
    factor = jnp.where(both_negative, math.pi * sinpi(s) / (sinpi(lo) * sinpi(hi)) / (1 - s), 0.0)
    factor = jnp.where(~both_positive & ~both_negative, math.pi / (sinpi(lo) if sine is None else sine) / hi, factor)
    falls = ~both_positive & ~both_negative & (s <= 0)
    p, q = jnp.where(falls, 1 - s, p), jnp.where(falls, hi, q)
    power = jnp.where(falls, 1.0, power)
    # a whole number and b whole: the sines' quotient is (-1)^b
    whole = (jnp.floor(lo) == lo) & (jnp.floor(hi) == hi)
    parity = jnp.where(jnp.mod(hi, 2) == 0, 1.0, -1.0)
    quotient = jnp.where(whole, parity, sinpi(s) / sinpi(lo))
    factor = jnp.where(falls, quotient, jnp.where(both_positive, 1.0, factor))
    return p, q, power, factor


def special_points(a, b):
    """Where B is infinite (a pole of Gamma(a) or Gamma(b) that Gamma(a + b) does not cancel)."""
    pole_a = (a <= 0) & (jnp.floor(a) == a)
    pole_b = (b <= 0) & (jnp.floor(b) == b)
    finite_a = (jnp.floor(b) == b) & (b > 0) & (1 - a - b > 0)
    finite_b = (jnp.floor(a) == a) & (a > 0) & (1 - a - b > 0)
    infinite = jnp.where(pole_a, ~(finite_a & ~pole_b), pole_b & ~finite_b)
    # Gamma(a + b) alone infinite: B = 0
    s = a + b
    zero = ~pole_a & ~pole_b & (s <= 0) & (jnp.floor(s) == s)
    return infinite, zero


def log_and_sign(a, b, sine=None):
    infinite, zero = special_points(a, b)
    if sine is not None:
        infinite &= sine == 0
    regular = ~infinite & ~zero & jnp.isfinite(a) & jnp.isfinite(b)
    p, q, power, factor = reduced(jnp.where(regular, a, 1.5), jnp.where(regular, b, 1.5), sine)
    log = power * betaln_positive(p, q)
    return infinite, zero, log, factor


@smooth(
    lambda a, b: beta(a, b) * (digamma(a) - digamma(a + b)), lambda a, b: beta(a, b) * (digamma(b) - digamma(a + b))
)
def beta(a, b):
    """B(a, b)."""
    infinite, zero, log, factor = log_and_sign(a, b)
    # in two halves: the power may leave the range of numbers where its product with the factor does not
    half = jnp.exp(0.5 * log)
    value = (factor * half) * half
    # two poles: Cephes' sign
    minus = (a <= 0) & (b <= 0) & (jnp.floor(a) == a) & (jnp.mod(b, 2) == 1)
    value = jnp.where(infinite, jnp.where(minus, -jnp.inf, jnp.inf), jnp.where(zero, 0.0, value))
    infinite_argument = jnp.where((a > 0) & (b > 0), 0.0, jnp.nan)
    value = jnp.where(jnp.isinf(a) | jnp.isinf(b), infinite_argument, value)
    return jnp.where(jnp.isnan(a) | jnp.isnan(b), jnp.nan, value)


@smooth(lambda a, b: digamma(a) - digamma(a + b), lambda a, b: digamma(b) - digamma(a + b))
def betaln(a, b):
    """log |B(a, b)|."""
    infinite, zero, log, factor = log_and_sign(a, b)
    value = log + jnp.where(factor == 1, 0.0, jnp.log(jnp.abs(factor)))
    value = jnp.where(infinite, jnp.inf, jnp.where(zero, -jnp.inf, value))
    infinite_argument = jnp.where((a > 0) & (b > 0), -jnp.inf, jnp.nan)
    value = jnp.where(jnp.isinf(a) | jnp.isinf(b), infinite_argument, value)
    return jnp.where(jnp.isnan(a) | jnp.isnan(b), jnp.nan, value)


def product_binomial(n, k):
    """n (n-1) ... (n-k+1) / k! for whole 0 <= k < 20: exact where the result is."""
    top, bottom = jnp.ones_like(n), jnp.ones_like(n)
    for i in range(1, 20):
        use = i <= k
        top = jnp.where(use, top * (n - (k - i)), top)
        bottom = jnp.where(use, bottom * i, bottom)
        shrink = jnp.abs(top) > 1e50 if n.dtype.itemsize > 4 else jnp.abs(top) > 1e10
        top, bottom = jnp.where(shrink, top / bottom, top), jnp.where(shrink, 1.0, bottom)
    return top / bottom


@smooth(
    lambda n, k: binom(n, k) * (digamma(1 + n) - digamma(1 + n - k)),
    lambda n, k: binom(n, k) * (digamma(1 + n - k) - digamma(1 + k)),
)
def binom(n, k):
    """Binomial coefficient for real n and k."""
    # symmetry: whole n >= 0 has C(n, k) = C(n, n - k)
    whole_n = (jnp.floor(n) == n) & (n >= 0)
    whole_k = jnp.floor(k) == k
    kx = jnp.where(whole_n & whole_k & (k > n / 2) & (n > 0), n - k, k)
    short = whole_k & (kx >= 0) & (kx < 20)
    product = product_binomial(jnp.where(short, n, 1.0), jnp.where(short, kx, 0.0))
    # a tiny n is lost in 1 + n - k, but its sine is that of n
    parity = jnp.where(jnp.mod(k, 2) == 1, 1.0, -1.0)
    sine = jnp.where(whole_k & (k > 0), parity * sinpi(n), sinpi(jnp.minimum(1 + n - k, 1 + k)))
    infinite, zero, log, factor = log_and_sign(1 + n - k, 1 + k, sine)
    half = jnp.exp(-0.5 * log)
    general = half / (n + 1) / factor * half
    general = jnp.where(zero, jnp.inf, jnp.where(infinite, 0.0, general))
    value = jnp.where(short, product, general)
    undefined = ((n < 0) & (jnp.floor(n) == n)) | jnp.isinf(k) | (jnp.isinf(n) & ~short & (k > 0))
    return jnp.where(undefined | jnp.isnan(n) | jnp.isnan(k), jnp.nan, value)


@smooth(
    lambda a, m: poch(a, m) * (digamma(a + m) - digamma(a)),
    lambda a, m: poch(a, m) * digamma(a + m),
)
def poch(a, m):
    """Rising factorial Gamma(a + m) / Gamma(a)."""
    s = a + m
    # Gamma(top) / Gamma(low) of positive arguments: both as they are, or both reflected
    plain, mirrored = (a > 0) & (s > 0), (a <= 0) & (s <= 0)
    low = jnp.where(plain, jnp.minimum(a, s), jnp.where(mirrored, 1 - jnp.maximum(a, s), 1.0))
    distance = jnp.where((m != 0) & jnp.isfinite(m), jnp.abs(m), 1.0)
    # of unlike sign: Gamma(s) Gamma(1 - a) sin(pi a) / pi, which does not cancel either
    of_distance, of_s, of_a = gammaln(jnp.stack([distance, s, a]))
    log = jnp.sign(m) * (of_distance - betaln_positive(low, distance))
    log = jnp.where(plain | mirrored, log, of_s - of_a)
    whole = jnp.floor(m) == m
    parity = jnp.where(jnp.mod(m, 2) == 0, 1.0, -1.0)
    sine = sinpi(s)
    ratio = jnp.where(whole, parity, sinpi(a) / jnp.where(sine == 0, 1.0, sine))
    sign = jnp.where(plain, 1.0, jnp.where(mirrored, ratio, gammasgn(s) * gammasgn(a)))
    value = sign * jnp.exp(log)
    pole_a = (a <= 0) & (jnp.floor(a) == a)
    pole_s = (s <= 0) & (jnp.floor(s) == s)
    value = jnp.where(pole_s & ~pole_a, jnp.inf, jnp.where(pole_a & ~pole_s, 0.0, value))
    value = jnp.where(pole_s & pole_a & ~whole, jnp.nan, value)
    value = jnp.where(whole & (jnp.abs(m) <= 20), rising_product(a, m), value)
    at_infinity = jnp.where((m > 0) & (a > 0), jnp.inf, jnp.nan)
    value = jnp.where(jnp.isinf(m), at_infinity, value)
    value = jnp.where((a == jnp.inf) & jnp.isfinite(m), jnp.where(m > 0, jnp.inf, jnp.where(m < 0, 0.0, 1.0)), value)
    return jnp.where(jnp.isnan(a) | jnp.isnan(m), jnp.nan, value)


def rising_product(a, m):
    """a (a+1) ... (a+m-1), or 1 / ((a-1) ... (a-|m|)): the poles and zeros of whole m come out by themselves."""
    up, down = jnp.ones_like(a), jnp.ones_like(a)
    for k in range(20):
        up = jnp.where(k < m, up * (a + k), up)
        down = jnp.where(k < -m, down * (a - (k + 1)), down)
    return jnp.where(m < 0, jnp.where(down == 0, jnp.inf, 1 / down), up)
