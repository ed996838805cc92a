"""Distribution functions in Cephes' parametrisation, from the incomplete gamma and beta functions."""

from __future__ import annotations

import jax.numpy as jnp

from sci.special.kernels.error_functions import ndtr
from sci.special.kernels.incomplete_beta import beta_split
from sci.special.kernels.incomplete_gamma import gamma_p, gamma_q

__all__ = [
    "bdtr",
    "bdtrc",
    "chdtr",
    "chdtrc",
    "fdtr",
    "fdtrc",
    "gdtr",
    "gdtrc",
    "nbdtr",
    "nbdtrc",
    "pdtr",
    "pdtrc",
    "stdtr",
]


def chdtr(v, x):
    return jnp.where(x < 0, jnp.nan, gamma_p(0.5 * v, 0.5 * jnp.maximum(x, 0.0)))


def chdtrc(v, x):
    return jnp.where(x < 0, jnp.nan, gamma_q(0.5 * v, 0.5 * jnp.maximum(x, 0.0)))


def gdtr(a, b, x):
    return jnp.where(x < 0, jnp.nan, gamma_p(b, a * jnp.where(x < 0, 1.0, x)))


def gdtrc(a, b, x):
    return jnp.where(x < 0, jnp.nan, gamma_q(b, a * jnp.where(x < 0, 1.0, x)))


def pdtr(k, m):
    value = gamma_q(jnp.floor(jnp.maximum(k, 0.0)) + 1, jnp.maximum(m, 0.0))
    return jnp.where((k < 0) | (m < 0), jnp.nan, jnp.where(m == 0, 1.0, value))


def pdtrc(k, m):
    value = gamma_p(jnp.floor(jnp.maximum(k, 0.0)) + 1, jnp.maximum(m, 0.0))
    return jnp.where((k < 0) | (m < 0), jnp.nan, jnp.where(m == 0, 0.0, value))


def binomial_tail(k, n, p, upper):
    """P(K > k) where `upper`, else P(K <= k)."""
    k, n = jnp.floor(k), jnp.trunc(n)
    valid = (p >= 0) & (p <= 1) & (k >= 0) & (k <= n) & jnp.isfinite(n)
    last = k == n
    inside = valid & ~last
    ks, ns, ps = jnp.where(inside, k, 0.0), jnp.where(inside, n, 2.0), jnp.where(inside, p, 0.5)
    value = beta_split(ks + 1, ns - ks, ps, 1 - ps, jnp.full_like(p, 0.0 if upper else 1.0))
    value = jnp.where(last, 0.0 if upper else 1.0, value)
    return jnp.where(valid, value, jnp.nan), k


def bdtr(k, n, p):
    return binomial_tail(k, n, p, False)[0]


def bdtrc(k, n, p):
    value, k = binomial_tail(k, n, p, True)
    return jnp.where((k < 0) & (p >= 0) & (p <= 1) & (k <= n) & jnp.isfinite(n), 1.0, value)


def nbdtr(k, n, p):
    k, n = jnp.trunc(k), jnp.trunc(n)
    value = beta_split(n, jnp.maximum(k, 0.0) + 1, p, 1 - p, jnp.zeros_like(p))
    return jnp.where((k < 0) | (n < 1) | jnp.isinf(n) | jnp.isinf(k), jnp.nan, value)


def nbdtrc(k, n, p):
    k, n = jnp.trunc(k), jnp.trunc(n)
    value = beta_split(n, jnp.maximum(k, 0.0) + 1, p, 1 - p, jnp.ones_like(p))
    return jnp.where((k < 0) | (n < 1) | jnp.isinf(n) | jnp.isinf(k), jnp.nan, value)


def f_tail(a, b, x, upper):
    valid = (a > 0) & (b > 0) & (x >= 0) & (jnp.isfinite(a) | jnp.isinf(x))
    ax = jnp.where(valid, a * x, 1.0)
    total = b + ax
    far = jnp.isinf(ax)
    low = jnp.where(far, 1.0, ax / jnp.where(far, 1.0, total))
    high = jnp.where(far, 0.0, b / total)
    value = beta_split(0.5 * a, 0.5 * b, low, high, jnp.full_like(x, upper))
    value = jnp.where(jnp.isinf(x), 1.0 - upper, value)
    return jnp.where(valid, value, jnp.nan)


def fdtr(a, b, x):
    return f_tail(a, b, x, 0.0)


def fdtrc(a, b, x):
    return f_tail(a, b, x, 1.0)


def stdtr(df, t):
    """Student's distribution function."""
    valid = df > 0
    d = jnp.where(valid & jnp.isfinite(df), df, 1.0)
    big = jnp.abs(t) > 1e150 if t.dtype.itemsize > 4 else jnp.abs(t) > 1e18
    square = jnp.where(big, 1.0, t) ** 2
    total = d + square
    low, high = jnp.where(big, 1.0, square / total), jnp.where(big, (d / t) / t, d / total)
    tail = 0.5 * beta_split(jnp.full_like(d, 0.5), 0.5 * d, low, high, jnp.ones_like(d))
    value = jnp.where(t < 0, tail, 1 - tail)
    value = jnp.where(jnp.isinf(df), ndtr(t), value)
    return jnp.where(valid & ~jnp.isnan(t), value, jnp.nan)
