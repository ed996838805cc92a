"""Elementary functions in the forms that do not cancel, and those of information theory."""

from __future__ import annotations

import math

import jax.numpy as jnp
from jax import lax

from sci.special.kernels.core import FORWARD, horner, smooth
from sci.special.kernels.incomplete_gamma import excess_ratio

__all__ = [
    "boxcox",
    "boxcox1p",
    "cbrt",
    "cosdg",
    "cosm1",
    "cotdg",
    "entr",
    "exp10",
    "exp2",
    "expit",
    "exprel",
    "huber",
    "inv_boxcox",
    "inv_boxcox1p",
    "kl_div",
    "log1p",
    "log_expit",
    "logit",
    "powm1",
    "pseudo_huber",
    "radian",
    "rel_entr",
    "sindg",
    "tandg",
    "xlog1py",
    "xlogy",
]

LOG_2, LOG_10 = math.log(2), math.log(10)

# --- powers and roots ----------------------------------------------------------------------------


@smooth(lambda x: jnp.where(x == 0, jnp.inf, cbrt(x) / (3 * jnp.where(x == 0, 1.0, x))))
def cbrt(x):
    return jnp.cbrt(x)


@smooth(lambda x: LOG_2 * exp2(x))
def exp2(x):
    # by pow, exact at whole numbers: exp(x log 2) is off by 350 ulp at x = 1000
    return jnp.power(jnp.full_like(x, 2.0), x)


@smooth(lambda x: LOG_10 * exp10(x))
def exp10(x):
    return jnp.power(jnp.full_like(x, 10.0), x)


@smooth(lambda x, y: y * jnp.power(x, y - 1), lambda x, y: jnp.power(x, y) * jnp.log(x))
def powm1(x, y):
    """x^y - 1."""
    positive = x > 0
    log = y * jnp.log(jnp.where(positive, x, 1.0))
    near = positive & (jnp.abs(log) < 0.5)
    value = jnp.where(near, jnp.expm1(jnp.where(near, log, 0.0)), jnp.power(x, y) - 1)
    return jnp.where((x < 0) & (jnp.isinf(y) | (jnp.floor(y) != y)), jnp.nan, value)


@smooth(lambda x: -jnp.sin(x))
def cosm1(x):
    """cos(x) - 1 = -2 sin^2(x/2)."""
    s = jnp.sin(0.5 * x)
    return -2 * s * s


@smooth(FORWARD)
def exprel_slope(x):
    """d/dx (exp(x) - 1)/x = (x exp(x) - (exp(x) - 1)) / x^2."""
    near = jnp.abs(x) < 0.5
    # sum_k x^k / (k! (k + 2))
    series = horner([1 / (math.factorial(k) * (k + 2)) for k in range(16)], jnp.where(near, x, 0.0))
    far = jnp.where(near, 1.0, x)
    return jnp.where(near, series, (far * jnp.exp(far) - jnp.expm1(far)) / (far * far))


@smooth(exprel_slope)
def exprel(x):
    """(exp(x) - 1) / x."""
    safe = jnp.where((jnp.abs(x) < 1e-30) | (x == jnp.inf), 1.0, x)
    return jnp.where(jnp.abs(x) < 1e-30, 1.0, jnp.where(x == jnp.inf, x, jnp.expm1(safe) / safe))


# --- logistic ------------------------------------------------------------------------------------


@smooth(lambda x: expit(x) * expit(-x))
def expit(x):
    """1 / (1 + exp(-x)), relative to itself in the lower tail."""
    e = jnp.exp(-jnp.abs(x))
    return jnp.where(x < 0, e, 1.0) / (1 + e)


@smooth(lambda x: expit(-x))
def log_expit(x):
    return jnp.minimum(x, 0.0) - jnp.log1p(jnp.exp(-jnp.abs(x)))


@smooth(lambda p: 1 / (p * (1 - p)))
def logit(p):
    """log(p / (1 - p))."""
    near = (p > 0.3) & (p < 0.65)
    s = 2 * (jnp.where(near, p, 0.5) - 0.5)
    far = jnp.where(near, 0.25, p)
    # next to the zero at 1/2 by log1p: 1 - p is exact there, p / (1 - p) is not
    return jnp.where(near, jnp.log1p(s) - jnp.log1p(-s), jnp.log(far / (1 - far)))


# --- x log y and its family ----------------------------------------------------------------------


@smooth(lambda x, y: jnp.log(y), lambda x, y: jnp.where(x == 0, 0.0, x / y))
def xlogy(x, y):
    """x log(y), 0 at x = 0 unless y is nan. The gradient in x at (0, 0) is -inf, that in y is 0."""
    zero = (x == 0) & ~jnp.isnan(y)
    return jnp.where(zero, 0.0, x * jnp.log(jnp.where(zero, 1.0, y)))


@smooth(lambda x: 1 / (1 + x))
def log1p(x):
    """log(1 + x); XLA's own is 60 ulp off around x = -0.4."""
    near = jnp.abs(x) < 0.25
    far = jnp.where(near, 1.0, x)
    whole = 1 + far
    lost = jnp.where((jnp.abs(far) < 1e18) & (whole > 0), (far - (whole - 1)) / whole, 0.0)
    return jnp.where(near, jnp.log1p(jnp.where(near, x, 0.0)), jnp.log(whole) + lost)


@smooth(lambda x, y: log1p(y), lambda x, y: jnp.where(x == 0, 0.0, x / (1 + y)))
def xlog1py(x, y):
    zero = (x == 0) & ~jnp.isnan(y)
    return jnp.where(zero, 0.0, x * log1p(jnp.where(zero, 0.0, y)))


@smooth(lambda x: -jnp.log(x) - 1)
def entr(x):
    """-x log(x), 0 at 0, -inf below."""
    inside = x > 0
    safe = jnp.where(inside, x, 1.0)
    return jnp.where(inside, -safe * jnp.log(safe), jnp.where(x == 0, 0.0, jnp.where(jnp.isnan(x), x, -jnp.inf)))


def positive(x):
    """x > 0, subnormal numbers included, which XLA takes for 0."""
    return bits_of(x)[0] > 0


def bits_of(x):
    """(bits as a signed integer, mask of positive subnormal numbers, exponent of their unit)."""
    integer, digits, unit = (jnp.int64, 52, -1074) if x.dtype.itemsize > 4 else (jnp.int32, 23, -149)
    bits = lax.bitcast_convert_type(x, integer)
    return bits, (bits > 0) & (bits < 2**digits), unit


def log_of(x):
    """log(x), x > 0, subnormal numbers included."""
    bits, subnormal, unit = bits_of(x)
    log = jnp.log(jnp.where(subnormal, 1.0, x))
    return jnp.where(subnormal, jnp.log(jnp.where(subnormal, bits, 1).astype(x.dtype)) + unit * LOG_2, log)


def log_ratio(x, y):
    """log(x / y) for positive x and y, right next to 1 and where the quotient overflows."""
    quotient = x / y
    near = (quotient > 0.5) & (quotient < 2)
    extreme = (quotient == 0) | jnp.isinf(quotient)
    value = jnp.log(jnp.where(near | extreme, 1.0, quotient))
    value = jnp.where(near, jnp.log1p(jnp.where(near, (x - y) / y, 0.0)), value)
    return jnp.where(extreme, log_of(x) - log_of(y), value)


@smooth(lambda x, y: log_ratio(x, y) + 1, lambda x, y: -x / y)
def rel_entr(x, y):
    """x log(x / y)."""
    inside = positive(x) & positive(y)
    inside &= ~jnp.isnan(x) & ~jnp.isnan(y)
    xs, ys = jnp.where(inside, x, 1.0), jnp.where(inside, y, 1.0)
    value = jnp.where(inside, xs * log_ratio(xs, ys), jnp.where((x == 0) & (y >= 0), 0.0, jnp.inf))
    return jnp.where(jnp.isnan(x) | jnp.isnan(y), jnp.nan, value)


@smooth(lambda x, y: log_ratio(x, y), lambda x, y: 1 - x / y)
def kl_div(x, y):
    """x log(x / y) - x + y, relative to its double zero at x = y."""
    inside = (x > 0) & (y > 0)
    xs, ys = jnp.where(inside, x, 1.0), jnp.where(inside, y, 1.0)
    mu = (ys - xs) / xs
    near = jnp.abs(mu) < 0.45
    m = jnp.where(near, mu, 0.0)
    # -x log(1 + mu) + x mu
    value = jnp.where(near, xs * m * m * excess_ratio(m), xs * log_ratio(xs, ys) - xs + ys)
    value = jnp.where(inside, value, jnp.where((x == 0) & (y >= 0), y, jnp.inf))
    return jnp.where(jnp.isnan(x) | jnp.isnan(y), jnp.nan, value)


# --- losses --------------------------------------------------------------------------------------


@smooth(
    lambda d, r: jnp.where(jnp.abs(r) <= d, 0.0, jnp.abs(r) - d),
    lambda d, r: jnp.clip(r, -d, d),
)
def huber(delta, r):
    a = jnp.abs(r)
    value = jnp.where(a <= delta, 0.5 * r * r, delta * (a - 0.5 * delta))
    return jnp.where(delta < 0, jnp.inf, value)


@smooth(FORWARD, lambda d, r: jnp.where(d == 0, 0.0, r / jnp.sqrt(1 + (r / jnp.where(d == 0, 1.0, d)) ** 2)))
def pseudo_huber(delta, r):
    """delta^2 (sqrt(1 + (r/delta)^2) - 1)."""
    zero = (delta == 0) | (r == 0)
    d, rr = jnp.where(zero, 1.0, delta), jnp.where(zero, 1.0, r)
    v = rr / d
    big = jnp.abs(v) > 1e8
    vs = jnp.where(big, 1.0, v)
    # sqrt(1 + v^2) - 1 = v^2 / (1 + sqrt(1 + v^2))
    root = vs * vs / (1 + jnp.sqrt(1 + vs * vs))
    # far out delta |r| - delta^2, in the order that does not lose delta^2 first
    value = d * jnp.where(big, jnp.abs(rr) - d, d * root)
    value = jnp.where(zero, 0.0, value)
    return jnp.where(delta < 0, jnp.inf, value)


# --- Box and Cox ---------------------------------------------------------------------------------


@smooth(lambda x, lam: jnp.power(x, lam - 1), FORWARD)
def boxcox(x, lam):
    """(x^lam - 1) / lam, log(x) at lam = 0."""
    log = jnp.log(x)
    return boxcox_of_log(log, lam)


@smooth(lambda x, lam: jnp.exp((lam - 1) * jnp.log1p(x)), FORWARD)
def boxcox1p(x, lam):
    """((1 + x)^lam - 1) / lam, log1p(x) at lam = 0."""
    return boxcox_of_log(jnp.log1p(x), lam)


def boxcox_of_log(log, lam):
    """expm1(lam log) / lam = log exprel(lam log)."""
    finite = jnp.isfinite(log)
    ls = jnp.where(finite, log, 0.0)
    product = lam * ls
    small = jnp.abs(product) < 1
    near = ls * exprel(jnp.where(small, product, 0.0))
    ps, ks = jnp.where(small, 1.0, product), jnp.where(small, 1.0, lam)
    # where exp overflows but exp / lam does not, in two halves
    half = jnp.exp(0.5 * ps)
    far = jnp.where(ps > 80, half * (half / ks), jnp.expm1(ps) / ks)
    value = jnp.where(small, near, far)
    # log = +-inf or nan, by the formula itself; SciPy takes |lam| < 1e-19 for 0
    plain = jnp.abs(lam) >= 1e-19
    edge = jnp.where(plain, jnp.expm1(lam * jnp.where(finite, 0.0, log)) / jnp.where(plain, lam, 1.0), log)
    return jnp.where(jnp.isnan(lam), jnp.nan, jnp.where(finite, value, edge))


@smooth(lambda y, lam: inv_boxcox(y, lam) / (1 + lam * y), FORWARD)
def inv_boxcox(y, lam):
    """(1 + lam y)^(1/lam), exp(y) at lam = 0."""
    return jnp.exp(log1p_quotient(y, lam))


@smooth(lambda y, lam: (1 + inv_boxcox1p(y, lam)) / (1 + lam * y), FORWARD)
def inv_boxcox1p(y, lam):
    return jnp.expm1(log1p_quotient(y, lam))


def log1p_quotient(y, lam):
    """log(1 + lam y) / lam, smooth through lam = 0."""
    v = lam * y
    near = jnp.abs(v) < 1e-3
    vs = jnp.where(near, v, 0.0)
    series = horner([(-1) ** k / (k + 1) for k in range(7)], vs)
    far = jnp.log1p(jnp.where(near, 1.0, v)) / jnp.where(near, 1.0, lam)
    # lam y overflows where its logarithm does not
    over = jnp.isinf(v) & (v > 0) & jnp.isfinite(lam) & jnp.isfinite(y)
    ks, ys = jnp.where(over, lam, 1.0), jnp.where(over, y, 1.0)
    far = jnp.where(over, (jnp.log(jnp.abs(ks)) + jnp.log(jnp.abs(ys))) / ks, far)
    # at lam = 0 the series, whose derivative in lam is right; 0 times an infinite y is not near
    return jnp.where((lam == 0) & ~near, y, jnp.where(near, y * series, far))


# --- degrees -------------------------------------------------------------------------------------


def reduced_degrees(x):
    """x modulo 360, folded: radians r in [-pi/4, pi/4] and the quadrant."""
    quadrant = jnp.round(x / 90)
    return (x - 90 * quadrant) * (math.pi / 180), jnp.mod(quadrant, 4)


def sine_of(x, shift):
    lost = jnp.abs(x) > 1e14  # Cephes answers 0 there
    r, quadrant = reduced_degrees(jnp.where(lost, 0.0, x))
    quadrant = jnp.mod(quadrant + shift, 4)
    s, c = jnp.sin(r), jnp.cos(r)
    value = jnp.where(jnp.mod(quadrant, 2) == 0, s, c)
    return jnp.where(lost, 0.0, jnp.where(quadrant >= 2, -value, value))


@smooth(lambda x: math.pi / 180 * cosdg(x))
def sindg(x):
    return sine_of(x, 0)


@smooth(lambda x: -math.pi / 180 * sindg(x))
def cosdg(x):
    return sine_of(x, 1)


def tangent(x, cotangent):
    lost = jnp.abs(x) > 1e14
    r, quadrant = reduced_degrees(jnp.where(lost, 0.0, x))
    t = jnp.where(jnp.abs(r) == 45 * (math.pi / 180), jnp.sign(r), jnp.tan(r))
    straight = jnp.mod(quadrant, 2) == (1 if cotangent else 0)
    pole = (r == 0) & ~straight
    inverse = jnp.where(pole, jnp.inf, 1 / jnp.where(r == 0, 1.0, t))
    if cotangent:
        value = jnp.where(straight, -t, inverse)
    else:
        value = jnp.where(straight, t, jnp.where(pole, jnp.inf, -inverse))
    return jnp.where(lost, 0.0, value)


@smooth(lambda x: math.pi / 180 * (1 + tandg(x) ** 2))
def tandg(x):
    return tangent(x, False)


@smooth(lambda x: -math.pi / 180 * (1 + cotdg(x) ** 2))
def cotdg(x):
    return tangent(x, True)


@smooth(lambda d, m, s: jnp.full_like(d, math.pi / 180), lambda d, m, s: jnp.full_like(d, math.pi / 10800),
        lambda d, m, s: jnp.full_like(d, math.pi / 648000))  # fmt: skip
def radian(d, m, s):
    """Degrees, minutes, seconds in radians."""
    return ((s / 60 + m) / 60 + d) * (math.pi / 180)
