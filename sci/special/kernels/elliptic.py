"""Elliptic integrals in Legendre's and Carlson's forms, and the arithmetic-geometric mean.

Reference: B. C. Carlson, "Numerical computation of real or complex elliptic integrals", Numer.
Algorithms 10 (1995); DLMF 19.8 (AGM), 19.25 (Legendre's integrals by Carlson's), 19.36 (series).
"""

from __future__ import annotations

import math

import jax.numpy as jnp

from sci.special.kernels.core import FORWARD, count_of_turns, smooth

__all__ = ["agm", "ellipe", "ellipeinc", "ellipk", "ellipkinc", "ellipkm1", "elliprc", "elliprd", "elliprf", "elliprg"]

HALF_PI = 0.5 * math.pi
STEPS = 6  # AGM doublings of the number of right digits


def agm_positive(a, b):
    """AGM of positive numbers of any ratio: a while loop brings them within a factor of 4."""

    def step(i, a, b):
        return 0.5 * (a + b), jnp.sqrt(a) * jnp.sqrt(b)

    a, b = jnp.maximum(a, b), jnp.minimum(a, b)
    a, b = count_of_turns(lambda a, b: jnp.any(a > 4 * b), step, (a, b), 12)
    for _ in range(5):
        a, b = 0.5 * (a + b), jnp.sqrt(a) * jnp.sqrt(b)
    return a


@smooth(FORWARD, FORWARD)
def agm(a, b):
    """Arithmetic-geometric mean; both of one sign."""
    mixed = ((a < 0) & (b > 0)) | ((a > 0) & (b < 0))
    zero_infinite = ((a == 0) & jnp.isinf(b)) | ((b == 0) & jnp.isinf(a))
    any_infinite = jnp.isinf(a) | jnp.isinf(b)
    zero = (a == 0) | (b == 0)
    bad = mixed | zero_infinite | jnp.isnan(a) | jnp.isnan(b)
    usable = ~(bad | zero | any_infinite)
    p, q = jnp.where(usable, jnp.abs(a), 1.0), jnp.where(usable, jnp.abs(b), 1.0)
    # A quarter of huge arguments, whose sum overflows (XLA makes 0.5 a + 0.5 b that of the sum again). Their first
    # step is taken here: a quarter of a small partner would be subnormal, which counts as 0.
    huge = jnp.maximum(p, q) > jnp.finfo(p.dtype).max / 4
    mean, root = 0.125 * jnp.abs(p - q) + 0.25 * jnp.minimum(p, q), 0.25 * jnp.sqrt(p) * jnp.sqrt(q)
    value = agm_positive(jnp.where(huge, mean, p), jnp.where(huge, root, q))
    value = jnp.where(huge, 4 * value, value)
    value = jnp.where(zero, 0.0, jnp.where(any_infinite, jnp.inf, value))
    return jnp.where(bad, jnp.nan, jnp.where((a < 0) | (b < 0), -value, value))


# --- complete ------------------------------------------------------------------------------------


def complete(p):
    """K and sum_{n >= 1} 2^(n-1) c_n^2 of the AGM scale, for 1e-17 < p = 1 - m <= 1."""
    a, b = jnp.ones_like(p), jnp.sqrt(p)
    total, weight = jnp.zeros_like(p), 1.0
    for _ in range(9):
        c = 0.5 * (a - b)
        a, b = 0.5 * (a + b), jnp.sqrt(a * b)
        total = total + weight * c * c
        weight = 2 * weight
    return HALF_PI / a, total


@smooth(lambda p: -0.5 * complete_slope(p))
def ellipkm1(p):
    """K(m) as a function of p = 1 - m."""
    usable = (p > 0) & jnp.isfinite(p)
    safe = jnp.where(usable, p, 1.0)
    # m < 0: K(m) = K(m / (m - 1)) / sqrt(1 - m), whose p is the reciprocal
    inner = jnp.where(safe > 1, 1 / safe, safe)
    value = complete(jnp.maximum(inner, 1e-17))[0]
    # |log| of p, not the log of its reciprocal: that may be subnormal, which counts as 0 here
    value = jnp.where(inner < 1e-17, math.log(4) + 0.5 * jnp.abs(jnp.log(safe)), value)
    value = value / jnp.where(safe > 1, jnp.sqrt(safe), 1.0)
    edge = jnp.where(p == 0, jnp.inf, jnp.where(p == jnp.inf, 0.0, jnp.nan))
    return jnp.where(usable, value, edge)


@smooth(FORWARD)
def complete_slope(p):
    """2 dK/dm = (E - p K) / (m p)."""
    m = 1 - p
    near = jnp.abs(m) < 1e-2
    far = jnp.where(near, 0.5, p)
    quotient = (ellipe(1 - far) - far * ellipkm1(far)) / ((1 - far) * far)
    series, term = jnp.zeros_like(m), 1.0
    # dK/dm = pi/2 sum n ((1/2)_n / n!)^2 m^(n-1)
    power = jnp.ones_like(m)
    for n in range(1, 10):
        term = term * ((n - 0.5) / n) ** 2
        series = series + n * term * power
        power = power * jnp.where(near, m, 0.0)
    return jnp.where(near, 2 * HALF_PI * series, quotient)


@smooth(lambda m: 0.5 * complete_slope(1 - m))
def ellipk(m):
    """Complete elliptic integral of the first kind, parameter m = k^2."""
    return ellipkm1(1 - m)


@smooth(lambda m: ellipe_slope(m))
def ellipe(m):
    """Complete elliptic integral of the second kind, m <= 1."""
    usable = (m < 1) & jnp.isfinite(m)
    mm = jnp.where(usable, m, 0.0)
    # m < 0: E(m) = sqrt(1 - m) E(m / (m - 1)), whose terms have one sign
    negative = mm < 0
    p = jnp.where(negative, jnp.maximum(1 / (1 - mm), jnp.finfo(m.dtype).tiny), 1 - mm)
    inner = jnp.where(negative, -mm * p, mm)
    k, total = complete(p)
    # the sum nearly cancels next to m = 1; p K rescues the digits there: E = p K + m p 2 dK/dm
    value = k * (1 - 0.5 * inner - total)
    value = jnp.where(p < 0.1, near_one(jnp.minimum(p, 0.1)), value)
    value = value * jnp.where(negative, jnp.sqrt(1 - mm), 1.0)
    edge = jnp.where(m == 1, 1.0, jnp.where(m == -jnp.inf, jnp.inf, jnp.nan))
    return jnp.where(usable, value, edge)


def near_one(p):
    """E(1 - p) for 0 < p <= 0.1, DLMF 19.12.2."""
    log = -0.5 * jnp.log(p) + math.log(4)
    total = jnp.ones_like(p)
    coefficient, d, power = 0.5, 0.0, p
    # E = 1 + sum_n (1/2)_n (3/2)_n / ((2)_n n!) p^(n+1) / 2 (log(4 / sqrt p) + d(n)), d(0) = -1/2
    d = -0.5
    for n in range(18):
        total = total + coefficient * power * (log + d)
        coefficient *= (n + 0.5) * (n + 1.5) / ((n + 2) * (n + 1))
        d += -1 / ((2 * n + 1) * (2 * n + 2)) - 1 / ((2 * n + 3) * (2 * n + 4))
        power = power * p
    return total


@smooth(FORWARD)
def ellipe_slope(m):
    """dE/dm = (E - K) / (2 m)."""
    mm = jnp.where(m < 1, m, 0.5)
    near = jnp.abs(mm) < 1e-2
    far = jnp.where(near, 0.5, mm)
    value = (ellipe(far) - ellipk(far)) / (2 * far)
    series, term, power = jnp.zeros_like(m), 1.0, jnp.ones_like(m)
    # dE/dm = -pi/2 sum n ((1/2)_n / n!)^2 m^(n-1) / (2n - 1)
    for n in range(1, 10):
        term = term * ((n - 0.5) / n) ** 2
        series = series + n * term / (2 * n - 1) * power
        power = power * jnp.where(near, mm, 0.0)
    value = jnp.where(near, -HALF_PI * series, value)
    return jnp.where(m < 1, value, jnp.where(m == 1, -jnp.inf, jnp.nan))


# --- Carlson -------------------------------------------------------------------------------------


def duplicate(x, y, z):
    rx, ry, rz = jnp.sqrt(x), jnp.sqrt(y), jnp.sqrt(z)
    lam = rx * (ry + rz) + ry * rz
    return 0.25 * (x + lam), 0.25 * (y + lam), 0.25 * (z + lam), lam, rz


#: Duplications bring the spread below this; the series is then right to 1e-16.
SPREAD = 2.5e-3


def rf_positive(x, y, z):
    def spread(x, y, z):
        mean = (x + y + z) / 3
        return jnp.any(
            jnp.maximum(jnp.abs(x - mean), jnp.maximum(jnp.abs(y - mean), jnp.abs(z - mean))) > SPREAD * mean
        )

    x, y, z = count_of_turns(spread, lambda i, x, y, z: duplicate(x, y, z)[:3], (x, y, z), 600)
    mean = (x + y + z) / 3
    dx, dy = 1 - x / mean, 1 - y / mean
    dz = -dx - dy
    e2, e3 = dx * dy - dz * dz, dx * dy * dz
    series = (
        1
        - e2 / 10
        + e3 / 14
        + e2 * e2 / 24
        - 3 * e2 * e3 / 44
        - 5 * e2**3 / 208
        + 3 * e3 * e3 / 104
        + e2 * e2 * e3 / 16
    )
    return series / jnp.sqrt(mean)


def rd_positive(x, y, z):
    def spread(x, y, z, scale, total):
        mean = (x + y + 3 * z) / 5
        return jnp.any(
            jnp.maximum(jnp.abs(x - mean), jnp.maximum(jnp.abs(y - mean), jnp.abs(z - mean))) > SPREAD * mean
        )

    def step(i, x, y, z, scale, total):
        x2, y2, z2, lam, rz = duplicate(x, y, z)
        return x2, y2, z2, 0.25 * scale, total + scale / (rz * (z + lam))

    start = (x, y, z, jnp.ones_like(x), jnp.zeros_like(x))
    x, y, z, scale, total = count_of_turns(spread, step, start, 600)
    mean = (x + y + 3 * z) / 5
    dx, dy = 1 - x / mean, 1 - y / mean
    dz = -(dx + dy) / 3
    xy, z2 = dx * dy, dz * dz
    e2, e3, e4, e5 = xy - 6 * z2, (3 * xy - 8 * z2) * dz, 3 * (xy - z2) * z2, xy * z2 * dz
    series = 1 - 3 * e2 / 14 + e3 / 6 + 9 * e2 * e2 / 88 - 3 * e4 / 22 - 9 * e2 * e3 / 52 + 3 * e5 / 26
    series = (
        series
        - e2**3 / 16
        + 3 * e3 * e3 / 40
        + 3 * e2 * e4 / 20
        + 45 * e2 * e2 * e3 / 272
        - 9 * (e3 * e4 + e2 * e5) / 68
    )
    return scale * series / (mean * jnp.sqrt(mean)) + 3 * total


def ordered(*values):
    """Sorted ascending, elementwise: symmetric integrals do not care."""
    if len(values) == 2:
        return jnp.minimum(*values), jnp.maximum(*values)
    x, y, z = values
    low, high = jnp.minimum(jnp.minimum(x, y), z), jnp.maximum(jnp.maximum(x, y), z)
    middle = jnp.maximum(jnp.minimum(x, y), jnp.minimum(jnp.maximum(x, y), z))
    return low, middle, high


def masked(kernel, usable, edge, *args):
    safe = [jnp.where(usable, a, s) for a, s in zip(args, (1.0, 1.25, 1.5), strict=False)]
    return jnp.where(usable, kernel(*safe), edge)


def scaled(kernel, where, root, factor, floor, usable, edge, *args):
    """`masked`, with kernel(x) = factor kernel(root^2 x) where it is asked for; none falls below `floor` then."""
    value = masked(kernel, usable, edge, *(jnp.where(where, jnp.maximum(a * root * root, floor), a) for a in args))
    return jnp.where(where & usable, value * factor, value)


@smooth(FORWARD, FORWARD, FORWARD)
def elliprf(x, y, z):
    """R_F(x, y, z), at most one argument zero."""
    low, middle, high = ordered(x, y, z)
    usable = (low >= 0) & (middle > 0) & jnp.isfinite(high)
    edge = jnp.where((low >= 0) & (high == jnp.inf), 0.0, jnp.where((low == 0) & (middle == 0), jnp.inf, jnp.nan))
    edge = jnp.where(jnp.isnan(x) | jnp.isnan(y) | jnp.isnan(z), jnp.nan, edge)
    huge = high > jnp.finfo(high.dtype).max / 16  # the sum overflows
    return scaled(rf_positive, huge, 2.0**-10, 2.0**-10, jnp.finfo(high.dtype).tiny, usable, edge, x, y, z)


@smooth(FORWARD, FORWARD, FORWARD)
def elliprd(x, y, z):
    """R_D(x, y, z), symmetric in x and y, z > 0."""
    low, high = ordered(x, y)
    usable = (low >= 0) & (high > 0) & (z > 0) & jnp.isfinite(high) & jnp.isfinite(z)
    infinite = (low >= 0) & (z > 0) & ((high == jnp.inf) | (z == jnp.inf))
    edge = jnp.where(infinite, 0.0, jnp.where((low >= 0) & (z >= 0), jnp.inf, jnp.nan))
    edge = jnp.where(jnp.isnan(x) | jnp.isnan(y) | jnp.isnan(z), jnp.nan, edge)
    return masked(rd_positive, usable, edge, x, y, z)


def rc_positive(x, y):
    """R_C for x >= 0, y > 0: arctan or artanh, by a series where x and y are close."""
    ratio = (y - x) / jnp.where(x > 0, x, 1.0)
    near = (jnp.abs(ratio) < 0.1) & (x > 0)
    r = jnp.where(near, ratio, 0.0)
    series = jnp.zeros_like(x)
    # sqrt(x) R_C = atan(s)/s, s^2 = ratio; ratio < 0 gives artanh
    for k in range(17, -1, -1):
        series = series * -r + 1 / (2 * k + 1)
    series = series / jnp.sqrt(jnp.where(near, x, 1.0))
    below = jnp.where(~near & (x < y), y - x, 1.0)
    above = jnp.where(~near & (x > y), x - y, 1.0)
    root = jnp.sqrt(below)
    arctan = jnp.arctan2(root, jnp.sqrt(jnp.where(x < y, x, 1.0))) / root
    root = jnp.sqrt(above)
    logarithm = jnp.log((jnp.sqrt(jnp.where(x > y, x, 2.0)) + root) / jnp.sqrt(y)) / root
    return jnp.where(near, series, jnp.where(x < y, arctan, logarithm))


@smooth(FORWARD, FORWARD)
def elliprc(x, y):
    """R_C(x, y), Cauchy's principal value for y < 0."""
    positive = (x >= 0) & (y > 0) & jnp.isfinite(x) & jnp.isfinite(y)
    negative = (x >= 0) & (y < 0) & jnp.isfinite(x) & jnp.isfinite(y)
    xs = jnp.where(positive, x, jnp.where(negative, x - y, 1.0))
    ys = jnp.where(positive, y, jnp.where(negative, -y, 1.25))
    value = rc_positive(xs, ys)
    factor = jnp.sqrt(jnp.where(negative, x, 1.0) / jnp.where(negative, x - y, 1.0))
    value = jnp.where(negative, factor * value, value)
    infinite = (x >= 0) & ((jnp.isinf(x) & (y > 0)) | (jnp.isfinite(x) & jnp.isinf(y)))
    edge = jnp.where(infinite, 0.0, jnp.nan)
    edge = jnp.where(jnp.isnan(x) | jnp.isnan(y), jnp.nan, edge)
    return jnp.where(positive | negative, value, edge)


def rg_positive(x, y, z):
    low, middle, high = ordered(x, y, z)
    # 2 R_G = z R_F - (x-z)(y-z) R_D / 3 + sqrt(x y / z), with z in the middle: no cancellation
    product = (high - middle) * (middle - low)
    rd = rd_positive(low, high, middle)
    return 0.5 * (middle * rf_positive(low, middle, high) + product * rd / 3 + jnp.sqrt(low * (high / middle)))


@smooth(FORWARD, FORWARD, FORWARD)
def elliprg(x, y, z):
    """R_G(x, y, z), all arguments >= 0."""
    low, middle, high = ordered(x, y, z)
    usable = (low >= 0) & (middle > 0) & jnp.isfinite(high)
    edge = jnp.where((low >= 0) & (high == jnp.inf), jnp.inf, jnp.where(low >= 0, 0.5 * jnp.sqrt(high), jnp.nan))
    edge = jnp.where(jnp.isnan(x) | jnp.isnan(y) | jnp.isnan(z), jnp.nan, edge)
    # The largest is brought to about one: products of arguments neither overflow nor vanish. Zero, and what is as small
    # as the floor beside one, differ too little to be seen, and R_D stays finite.
    root = jnp.ldexp(jnp.ones_like(high), -(jnp.frexp(jnp.where(usable, high, 1.0))[1] // 2))
    floor = jnp.finfo(high.dtype).tiny ** 0.75
    return scaled(rg_positive, usable, root, 1 / root, floor, usable, edge, x, y, z)


# --- incomplete ----------------------------------------------------------------------------------


def reduced_angle(phi):
    """phi = n pi + r with |r| <= pi/2."""
    n = jnp.round(phi / math.pi)
    # pi in two parts
    return n, (phi - n * math.pi) - n * 1.2246467991473532e-16


def complement(m, s, c2):
    """1 - m sin^2 without cancellation; the sine's square alone may underflow where m is huge."""
    return jnp.where(m > 0, jnp.maximum((1 - m) + m * c2, 0.0), 1 - (m * s) * s)


@smooth(lambda phi, m: 1 / jnp.sqrt(1 - m * jnp.sin(phi) ** 2), FORWARD)
def ellipkinc(phi, m):
    """F(phi | m), m <= 1."""
    usable = jnp.isfinite(phi) & jnp.isfinite(m) & (m <= 1)
    p, mm = jnp.where(usable, phi, 0.5), jnp.where(usable, m, 0.5)
    n, r = reduced_angle(p)
    s, c = jnp.sin(r), jnp.cos(r)
    delta = complement(mm, s, c * c)
    value = s * rf_positive_or_inf(c * c, delta)
    whole = jnp.where(n == 0, 0.0, 2 * n * ellipk(jnp.where(n == 0, 0.5, mm)))
    value = value + whole
    return finish_incomplete(value, usable, phi, m, 0)


def rf_positive_or_inf(c2, delta):
    good = (c2 > 0) | (delta > 0)
    return jnp.where(
        good, rf_positive(jnp.where(good, c2, 1.0), jnp.where(good, delta, 1.0), jnp.ones_like(c2)), jnp.inf
    )


@smooth(lambda phi, m: jnp.sqrt(1 - m * jnp.sin(phi) ** 2), FORWARD)
def ellipeinc(phi, m):
    """E(phi | m), m <= 1."""
    usable = jnp.isfinite(phi) & jnp.isfinite(m) & (m <= 1)
    p, mm = jnp.where(usable, phi, 0.5), jnp.where(usable, m, 0.5)
    n, r = reduced_angle(p)
    s, c = jnp.sin(r), jnp.cos(r)
    c2, s2 = c * c, s * s
    delta = complement(mm, s, c2)
    one = jnp.ones_like(c2)
    good = (c2 > 0) | (delta > 0)
    c2, delta = jnp.where(good, c2, 0.5), jnp.where(good, delta, 0.5)
    # m > 0, DLMF 19.25.10: no cancellation next to m = 1; m <= 0, DLMF 19.25.9: terms of one sign
    rf = rf_positive(c2, delta, one)
    plus = (1 - mm) * s * rf + (1 - mm) * mm * s * s2 / 3 * rd_positive(c2, one, delta) + mm * s * jnp.sqrt(c2 / delta)
    minus = s * rf - s * ((mm * s) * s / 3 * rd_positive(c2, delta, one))
    value = jnp.where(good, jnp.where(mm > 0, plus, minus), s)
    whole = jnp.where(n == 0, 0.0, 2 * n * ellipe(jnp.where(n == 0, 0.5, mm)))
    return finish_incomplete(value + whole, usable, phi, m, 1)


def finish_incomplete(value, usable, phi, m, kind):
    """SciPy's values at the borders; kind 0 is F, 1 is E."""
    if kind == 0:
        value = jnp.where((m == 1) & (jnp.abs(phi) >= HALF_PI), jnp.inf, value)
    value = jnp.where(m == 0, phi, value)
    at_infinite_m = 0.0 if kind == 0 else jnp.inf
    both = jnp.nan if kind == 0 else phi
    edge = jnp.where(jnp.isinf(phi), jnp.where(jnp.isinf(m), both, phi), at_infinite_m)
    edge = jnp.where(jnp.isnan(phi) | jnp.isnan(m) | (m > 1), jnp.nan, edge)
    return jnp.where(usable, value, edge)
