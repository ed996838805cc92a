"""Gamma, its logarithm and derivatives, and the zeta functions they need. All for real arguments."""

from __future__ import annotations

import math

import jax.numpy as jnp
from jax import lax

from sci.special.kernels.core import FORWARD, chebyshev, horner, smooth
from sci.special.kernels.tables import CHEB_LGAMMA, DIGAMMA_SERIES, DIGAMMA_ZERO, EULER_MACLAURIN, STIRLING

__all__ = [
    "cospi",
    "digamma",
    "gamma",
    "gammaln",
    "gammasgn",
    "hurwitz",
    "lgamma1p",
    "polygamma",
    "rgamma",
    "sinpi",
    "stirling_error",
    "zeta",
    "zetac",
]

HALF_LOG_2PI = 0.5 * math.log(2 * math.pi)
LOG_PI = math.log(math.pi)

# --- helpers -------------------------------------------------------------------------------------


def sinpi(x):
    """sin(pi x), exactly zero at integers."""
    n = jnp.round(x)
    r = jnp.sin(math.pi * (x - n))
    return jnp.where(jnp.mod(n, 2) == 0, r, -r)


def cospi(x):
    """cos(pi x), exactly zero at half-integers."""
    return sinpi(jnp.abs(x) + 0.5)


def stirling_error(x):
    """lgamma(x) - ((x - 1/2) log x - x + log(2 pi)/2), for x >= 8."""
    return horner(STIRLING[:11], 1 / (x * x)) / x


def near_two(d):
    """lgamma(2 + d) for |d| <= 1/2, relative to its zero at d = 0."""
    return d * chebyshev(CHEB_LGAMMA, d + d)


def shifted(x):
    """For 0 < x < 8: d in [-1/2, 1/2], and up, down with Gamma(x) = up / down Gamma(2 + d); one of them is 1."""
    n = jnp.clip(jnp.round(x) - 2, -2, 6)
    d = x - (2 + n)
    up = jnp.ones_like(x)
    for k in range(1, 7):
        up = jnp.where(n >= k, up * (x - k), up)
    down = jnp.where(n <= -1, x, 1.0) * jnp.where(n <= -2, x + 1, 1.0)
    return d, up, down


# --- logarithm -----------------------------------------------------------------------------------


def lgamma_positive(x):
    """log Gamma(x), x > 0, right in relative terms next to 1 and 2 too."""
    big = x >= 8
    d, up, down = shifted(jnp.where(big, 3.0, x))
    xl = jnp.where(big, x, 8.0)
    log = jnp.log(jnp.where(big, xl, up * down))
    large = (xl - 0.5) * log - xl + HALF_LOG_2PI + stirling_error(xl)
    # from here on x (log x - 1) is all there is, and x log x alone might overflow
    large = jnp.where(xl > 1e17, xl * (log - 1), large)
    # no quotient up / down: its rounding would show next to the zero at 1
    small = near_two(d) + jnp.where(x < 1.5, -log, log)
    return jnp.where(big, large, jnp.where(x == 0, jnp.inf, small))


@smooth(lambda x: digamma(x))
def gammaln(x):
    """log |Gamma(x)|.

    Reference: DLMF 5.11.1 for x >= 8, 5.5.1 and a Chebyshev series around 2 below, 5.5.3 for x < 0.
    """
    positive = lgamma_positive(jnp.abs(x))
    # x may be -0: sinpi is zero there, and Gamma has its pole
    sine = jnp.abs(sinpi(x))
    away = LOG_PI - jnp.log(jnp.abs(x) * sine) - positive
    negative = jnp.where((sine == 0) | jnp.isinf(x), jnp.inf, away)
    # tiny |x|: -log|x|, where the product |x| sine would underflow
    negative = jnp.where(x > -1e-30, positive, negative)
    value = jnp.where(x > 0, positive, negative)
    return jnp.where(jnp.isnan(x) | (x == -jnp.inf), x, value)  # -inf at -inf: Cephes' answer


@smooth(lambda x: digamma(1 + x))
def lgamma1p(x):
    """log Gamma(1 + x), x >= -1/2, relative to its zero at 0."""
    small = near_two(jnp.where(x < 0.5, x, 0.0)) - jnp.log1p(jnp.where(x < 0.5, x, 0.0))
    return jnp.where(x < 0.5, small, lgamma_positive(jnp.where(x < 0.5, 1.0, 1 + x)))


@smooth(None)
def gammasgn(x):
    """Sign of Gamma(x); 0 where it has none."""
    sign = jnp.where(jnp.mod(jnp.floor(x), 2) == 0, 1.0, -1.0)
    negative = jnp.where((jnp.floor(x) == x) | jnp.isinf(x), jnp.nan, sign)
    at_zero = jnp.where(jnp.signbit(x), -1.0, 1.0)
    return jnp.where(jnp.isnan(x), x, jnp.where(x > 0, 1.0, jnp.where(x == 0, at_zero, negative)))


# --- gamma itself --------------------------------------------------------------------------------


def gamma_positive(x):
    """Gamma(x) for x > 0: inf from 171.63 on (35.05 in single precision)."""
    big = x >= 8
    d, up, down = shifted(jnp.where(big, 3.0, x))
    xl = jnp.where(big, x, 8.0)
    # the power in two halves: x^(x - 1/2) overflows before Gamma does
    half = jnp.power(xl, 0.5 * xl - 0.25)
    correction = jnp.exp(stirling_error(xl))
    large = half * (jnp.exp(-xl) * half * (math.sqrt(2 * math.pi) * correction))
    large = jnp.where(xl > (171.7 if x.dtype.itemsize > 4 else 35.1), jnp.inf, large)
    # x itself in the denominator last: 1/x must not overflow early
    small = jnp.exp(near_two(d)) * up / down
    return jnp.where(big, large, small)


@smooth(lambda x: gamma(x) * digamma(x))
def gamma(x):
    """Gamma(x). Reference: DLMF 5.11.3 for |x| >= 8, 5.5.1 below, 5.5.3 for x < 0."""
    a = jnp.abs(x)
    g = gamma_positive(a)
    negative = -math.pi / (sinpi(a) * a) / g
    pole = (jnp.floor(x) == x) & (x != 0)
    negative = jnp.where(pole | (x == -jnp.inf), jnp.nan, negative)
    tiny = a < 1e-20
    result = jnp.where(tiny, 1 / x, jnp.where(x > 0, g, negative))
    return jnp.where(jnp.isnan(x), x, result)


@smooth(lambda x: rgamma_slope(x))
def rgamma(x):
    """1 / Gamma(x), entire."""
    a = jnp.abs(x)
    g = gamma_positive(a)
    negative = -a * sinpi(a) / math.pi * g
    # Gamma(a) overflows a little before sin(pi a) Gamma(a) a / pi is done with
    log = jnp.exp(gammaln(jnp.maximum(a, 8.0) + 1) + jnp.log(jnp.abs(sinpi(a)) / math.pi))
    far = jnp.where(sinpi(a) == 0, 0.0, -jnp.sign(sinpi(a)) * log)
    negative = jnp.where(jnp.isinf(g), far, negative)
    result = jnp.where(a < 1e-20, x, jnp.where(x > 0, 1 / g, negative))
    return jnp.where(x == -jnp.inf, 0.0, result)


@smooth(FORWARD)
def rgamma_slope(x):
    """d/dx 1/Gamma(x) = -psi(x) / Gamma(x), with its limits (-1)^n n! at the poles -n."""
    n = -jnp.round(x)
    pole = (x <= 0) & (jnp.round(x) == x)
    limit = jnp.where(jnp.mod(n, 2) == 0, 1.0, -1.0) * gamma_positive(n + 1)
    safe = jnp.where(pole, 1.5, x)
    return jnp.where(pole, limit, -digamma(safe) * rgamma(safe))


# --- derivatives ---------------------------------------------------------------------------------


@smooth(lambda x: polygamma(1)(x))
def digamma(x):
    """psi(x)."""
    # by Taylor's series around the positive zero, which no other form keeps relative to itself
    d = x - DIGAMMA_ZERO[0]
    near = jnp.abs(d) < 0.3
    d = jnp.where(near, d, 0.0)
    # the zero's second part apart: XLA would add two constants subtracted from x into one
    series = d * horner(DIGAMMA_SERIES, d) - DIGAMMA_ZERO[1] * DIGAMMA_SERIES[0]
    value = jnp.where(near, series, lax.digamma(x))
    return jnp.where(x == 0, jnp.where(jnp.signbit(x), jnp.inf, -jnp.inf), jnp.where(x == jnp.inf, x, value))


_polygamma: dict[int, object] = {}


def polygamma(n):
    """The kernel psi^(n)(x) for a fixed order n >= 0."""
    if n == 0:
        return digamma
    if n not in _polygamma:
        _polygamma[n] = smooth(lambda x: polygamma(n + 1)(x))(_polygamma_body(n))
    return _polygamma[n]


def _polygamma_body(n):
    def body(x):
        order = jnp.full_like(x, n + 1.0)
        return (-1.0) ** (n + 1) * math.factorial(n) * hurwitz(order, x)

    return body


# --- zeta ----------------------------------------------------------------------------------------

_DIRECT = 10  # terms summed before Euler and Maclaurin take over


def euler_maclaurin(s, q, first=0):
    """sum_{k >= first} (q + k)^-s for q > 0. Reference: DLMF 25.11.5."""
    k = jnp.arange(first, _DIRECT, dtype=q.dtype).reshape((-1,) + (1,) * q.ndim)
    total = jnp.sum(jnp.power(q + k, -s), axis=0)  # one `power` in the program, not ten: compile time
    w = q + _DIRECT
    # all relative to the integral w^(1-s) / (s - 1): where w^-s underflows it may be large yet
    integral = jnp.power(w, 1 - s) / (s - 1)
    rest, factor = 0.5, s / w
    for j, b in enumerate(EULER_MACLAURIN):
        rest = rest + b * factor
        factor = factor * ((s + 2 * j + 1) / w) * ((s + 2 * j + 2) / w)
    gone = integral == 0  # then s may be huge: 0 times inf
    return total + jnp.where(gone, 0.0, integral * (1 + (s - 1) / w * rest))


@smooth(FORWARD, lambda s, q: -s * hurwitz(s + 1, q))
def hurwitz(s, q):
    """zeta(s, q) = sum_k (q + k)^-s, s > 1; for q < 0 only at whole s, as in Cephes."""

    def mirrored(s, q):
        # the terms below zero are those of 1 - f, f + 1... seen from the other side: f = frac(q)
        m = -jnp.floor(q)
        f = q + m
        sign = jnp.where(jnp.mod(s, 2) == 0, 1.0, -1.0)
        safe = jnp.where(q < 0, f, 0.5)
        # 1 - f without rounding where f is tiny: f > 0 and its complement is what rounding gives
        below = euler_maclaurin(s, 1 - safe) - euler_maclaurin(s, m + 1 - safe)
        return euler_maclaurin(s, safe) + sign * below

    usable = (s > 1) & jnp.where(q < 0, (jnp.floor(q) != q) & (jnp.floor(s) == s), q > 0)
    ss, qq = jnp.where(usable, s, 2.0), jnp.where(usable, q, 1.0)
    positive = euler_maclaurin(ss, jnp.where(qq > 0, qq, 1.0))
    value = lax.cond(jnp.any(qq < 0), lambda: jnp.where(qq < 0, mirrored(ss, qq), positive), lambda: positive)
    value = jnp.where(usable, value, jnp.nan)
    pole = (q <= 0) & (jnp.floor(q) == q)
    value = jnp.where((s > 1) & pole, jnp.inf, value)
    # (not a pole's business: zeta(1, q) is inf whatever q)
    value = jnp.where(s == 1, jnp.inf, value)
    value = jnp.where((s > 1) & (q == jnp.inf), 0.0, value)
    value = jnp.where((s == jnp.inf) & (q > 0), jnp.where(q < 1, jnp.inf, jnp.where(q == 1, 1.0, 0.0)), value)
    return jnp.where(jnp.isnan(s) | jnp.isnan(q), jnp.nan, value)


def riemann(s, first):
    """zeta(s) minus its first `first` terms (0 or 1), for real s."""
    at_one = s == 1
    left = s < -0.1  # by reflection; Euler and Maclaurin are right a little below 0 too
    up = jnp.where(at_one, 2.0, jnp.where(left, 1 - s, s))
    one = jnp.ones_like(up)
    value = euler_maclaurin(up, one, first)
    # s < 0: 2^s pi^(s-1) sin(pi s / 2) Gamma(1 - s) zeta(1 - s), the power split against overflow
    whole = value + first
    # Gamma(u) / (2 pi)^u = (u / (2 pi e))^u sqrt(2 pi / u) exp(stirling_error(u))
    ul = jnp.maximum(up, 8.0)
    half = jnp.power(ul / (2 * math.pi * math.e), 0.5 * ul)
    rest = half * (jnp.sqrt(2 * math.pi / ul) * jnp.exp(stirling_error(ul)))
    small = gamma_positive(jnp.where(up < 8, up, 1.0)) * jnp.power(2 * math.pi, -jnp.where(up < 8, up, 1.0))
    # the sine, which may be tiny, before the factor can overflow
    sine = 2 * sinpi(s / 2) * whole
    reflected = jnp.where(up < 8, sine * small, (sine * half) * rest) - first
    value = jnp.where(left, jnp.where(sinpi(s / 2) == 0, -1.0 * first, reflected), value)
    return jnp.where(at_one, jnp.inf, jnp.where(s == jnp.inf, 1.0 - first, jnp.where(s == -jnp.inf, jnp.nan, value)))


@smooth(FORWARD)
def zeta(s):
    """Riemann's zeta function of a real argument."""
    return riemann(s, 0)


@smooth(FORWARD)
def zetac(s):
    """zeta(s) - 1, relative to itself for large s."""
    return riemann(s, 1)
