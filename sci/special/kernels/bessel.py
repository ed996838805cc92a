"""Bessel functions of orders 0 and 1 for real arguments.

Reference: C. W. Clenshaw, "Chebyshev series for mathematical functions", NPL Mathematical Tables 5
(1962), for the scheme; the series are our own fits (tables.py).
"""

from __future__ import annotations

import math

import jax.numpy as jnp
import jax.scipy.special as jsp

from sci.special.kernels import tables
from sci.special.kernels.core import chebyshev, scaled, smooth

__all__ = ["i0", "i0e", "i1", "i1e", "j0", "j1", "k0", "k0e", "k1", "k1e", "y0", "y1"]

# --- modified, first kind ------------------------------------------------------------------------


@smooth(lambda x: i1e(x) - jnp.sign(x) * i0e(x))
def i0e(x):
    """exp(-|x|) I0(x)."""
    return jsp.i0e(x)


@smooth(lambda x: i0e(x) - i1e_over_x(x) - jnp.sign(x) * i1e(x))
def i1e(x):
    """exp(-|x|) I1(x)."""
    return jsp.i1e(x)


def i1e_over_x(x):
    safe = jnp.where(x == 0, 1.0, x)
    return jnp.where(x == 0, 0.5, i1e(safe) / safe)


def unscaled(scaled_value, x):
    """exp(|x|) times a scaled value; the exponential in halves against early overflow."""
    half = jnp.exp(0.5 * jnp.abs(x))
    return half * (half * scaled_value)  # nan at infinity: Cephes' answer


@smooth(lambda x: i1(x))
def i0(x):
    return unscaled(jsp.i0e(x), x)


@smooth(lambda x: i0(x) - jnp.where(x == 0, 0.5, i1(x) / jnp.where(x == 0, 1.0, x)))
def i1(x):
    return unscaled(jsp.i1e(x), x)


# --- modified, second kind -----------------------------------------------------------------------


def k_near(order, x):
    """K for 0 < x <= 2."""
    log = jnp.log(0.5 * x)
    if order == 0:
        return chebyshev(tables.CHEB_K0_SMALL, scaled(x * x, 0, 4)) - log * unscaled(jsp.i0e(x), x)
    return chebyshev(tables.CHEB_K1_SMALL, scaled(x * x, 0, 4)) / x + log * unscaled(jsp.i1e(x), x)


def k_any(order, x, weighted):
    near = jnp.where((x > 0) & (x <= 2), x, 1.0)
    far = jnp.where(x > 2, x, 4.0)
    low = k_near(order, near)
    table = tables.CHEB_K0_LARGE if order == 0 else tables.CHEB_K1_LARGE
    high = chebyshev(table, scaled(1 / far, 0, 0.5)) / jnp.sqrt(far)
    if weighted:
        low = low * jnp.exp(near)
    else:
        high = high * jnp.exp(-far)
    value = jnp.where(x == jnp.inf, 0.0, jnp.where(x <= 2, low, high))
    return jnp.where(x > 0, value, jnp.where(x == 0, jnp.inf, jnp.nan))


@smooth(lambda x: -k1(x))
def k0(x):
    return k_any(0, x, False)


@smooth(lambda x: -k0(x) - k1(x) / x)
def k1(x):
    return k_any(1, x, False)


@smooth(lambda x: k0e(x) - k1e(x))
def k0e(x):
    return k_any(0, x, True)


@smooth(lambda x: k1e(x) - k0e(x) - k1e(x) / x)
def k1e(x):
    return k_any(1, x, True)


# --- first and second kind -----------------------------------------------------------------------


def near_zeros(order, x):
    """J / x^order for 0 <= x <= 8, relative to itself at its first two zeros."""
    (r1, d1), (r2, d2) = tables.J0_ZEROS if order == 0 else tables.J1_ZEROS
    table = tables.CHEB_J0_SMALL if order == 0 else tables.CHEB_J1_SMALL
    # x - r with r in two parts: no rounding where x is next to r
    first = ((x - r1) - d1) * (x + r1)
    second = ((x - r2) - d2) * (x + r2)
    return first * second * chebyshev(table, scaled(x * x, 0, 64))


def modulus(order, x):
    """sqrt(2/(pi x)), P, Q and the cosine and sine of x - (2 order + 1) pi / 4, for x >= 8."""
    p, q = (tables.CHEB_P0, tables.CHEB_Q0) if order == 0 else (tables.CHEB_P1, tables.CHEB_Q1)
    inverse = 1 / x
    t = scaled(inverse * inverse, 0, 1 / 64)
    c, s = jnp.cos(x), jnp.sin(x)
    r = math.sqrt(0.5)
    cosine, sine = ((c + s) * r, (s - c) * r) if order == 0 else ((s - c) * r, -(s + c) * r)
    return jnp.sqrt(2 / math.pi * inverse), chebyshev(p, t), inverse * chebyshev(q, t), cosine, sine


def j_any(order, x):
    a = jnp.abs(x)
    near = jnp.where(a <= 8, a, 1.0)
    far = jnp.where((a > 8) & jnp.isfinite(a), a, 16.0)
    low = near_zeros(order, near)
    scale, p, q, cosine, sine = modulus(order, far)
    high = scale * (p * cosine - q * sine)
    if order == 0:
        value = jnp.where(a <= 8, low, high)
    else:
        value = jnp.where(a <= 8, near * low, high)
        value = jnp.where(x < 0, -value, value)
    return jnp.where(jnp.isfinite(x), value, jnp.nan)  # nan at infinity: Cephes' answer


@smooth(lambda x: -j1(x))
def j0(x):
    return j_any(0, x)


@smooth(lambda x: j0(x) - jnp.where(x == 0, 0.5, j1(x) / jnp.where(x == 0, 1.0, x)))
def j1(x):
    return j_any(1, x)


def y_any(order, x):
    near = jnp.where((x > 0) & (x <= 8), x, 1.0)
    far = jnp.where((x > 8) & jnp.isfinite(x), x, 16.0)
    log = jnp.log(near)
    j = near_zeros(order, near)
    if order == 0:
        smooth_part = chebyshev(tables.CHEB_Y0_SMALL, scaled(near * near, 0, 64))
        low = smooth_part + (2 / math.pi) * log * j
    else:
        smooth_part = chebyshev(tables.CHEB_Y1_SMALL, scaled(near * near, 0, 64))
        low = near * (smooth_part + (2 / math.pi) * log * j) - 2 / math.pi / near
    scale, p, q, cosine, sine = modulus(order, far)
    high = scale * (p * sine + q * cosine)
    value = jnp.where(x == jnp.inf, jnp.nan, jnp.where(x <= 8, low, high))
    return jnp.where(x > 0, value, jnp.where(x == 0, -jnp.inf, jnp.nan))


@smooth(lambda x: -y1(x))
def y0(x):
    return y_any(0, x)


@smooth(lambda x: y0(x) - y1(x) / x)
def y1(x):
    return y_any(1, x)
