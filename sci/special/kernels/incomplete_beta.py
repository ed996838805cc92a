"""Regularised incomplete beta function and its complement.

Reference: DLMF 8.17.22 (continued fraction); C. Loader, "Fast and accurate computation of binomial
probabilities" (2000), for the factor in front.
"""

from __future__ import annotations

import math

import jax.numpy as jnp

from sci.special.kernels.beta import betaln_positive
from sci.special.kernels.core import FORWARD, count_of_turns, smooth
from sci.special.kernels.gamma import stirling_error
from sci.special.kernels.incomplete_gamma import log1pmx

__all__ = ["beta_p", "beta_q", "beta_split", "beta_tail"]

#: Turns of the continued fraction; enough for a, b up to 1e6 at the mean.
TURNS = 3000


def power_product(a, b, x):
    """x^a (1-x)^b / B(a, b)."""
    big = (a >= 8) & (b >= 8)
    al, bl = jnp.where(big, a, 8.0), jnp.where(big, b, 8.0)
    xl = jnp.where(big, x, 0.5)
    gap = xl * bl - al * (1 - xl)
    n = al + bl
    exponent = al * log1pmx(gap / al, xl * n / al) + bl * log1pmx(-gap / bl, (1 - xl) * n / bl)
    exponent = exponent + stirling_error(n) - stirling_error(al) - stirling_error(bl)
    large = jnp.exp(exponent) * jnp.sqrt(al * (bl / n) / (2 * math.pi))
    small = jnp.exp(a * jnp.log(x) + b * jnp.log1p(-x) - betaln_positive(a, b))
    return jnp.where(big, large, small)


def fraction(a, b, x, y):
    """a B_x(a, b) / (x^a y^b) by DiDonato and Morris' continued fraction (TOMS 708, BFRAC), Lentz' way."""
    eps = jnp.finfo(x.dtype).eps
    lam = a * y - b * x  # >= 0 up to a little: x is below the mean
    floor = jnp.finfo(x.dtype).tiny * 1e10

    def guard(v):
        return jnp.where(jnp.abs(v) < floor, floor, v)

    def alpha(n):
        return (a + n - 1) * (a + b + n - 1) * n * (b - n) * (x * x) / ((a + 2 * n - 1) * (a + 2 * n - 1))

    def beta(n):
        first = n + n * (b - n) * x / (a + 2 * n - 1)
        return first + (a + n) * (lam + 1 + n * (1 + y)) / (a + 2 * n + 1)

    def step(i, c, d, h, change):
        n = i + 1.0
        an, bn = alpha(n), beta(n)
        d = 1 / guard(bn + an * d)
        c = guard(bn + an / c)
        change = c * d
        return c, d, h * change, change

    b0 = guard(a * (lam + 1) / (a + 1))
    start = (b0, jnp.zeros_like(x), b0, jnp.full_like(x, 2.0))
    state = count_of_turns(lambda c, d, h, change: jnp.any(jnp.abs(change - 1) > eps), step, start, TURNS)
    converged = jnp.abs(state[3] - 1) <= 4 * eps
    return jnp.where(converged, a / state[2], jnp.nan)


def tails(a, b, x):
    """(I_x(a, b), 1 - I_x(a, b)) for a, b > 0, 0 < x < 1."""
    y = 1 - x
    swap = x > (a + 1) / (a + b + 2)
    aa, bb = jnp.where(swap, b, a), jnp.where(swap, a, b)
    xx, yy = jnp.where(swap, y, x), jnp.where(swap, x, y)
    tail = power_product(a, b, x) / aa * fraction(aa, bb, xx, yy)
    return jnp.where(swap, 1 - tail, tail), jnp.where(swap, tail, 1 - tail)


def bordered(a, b, x):
    """`tails` with SciPy's values at the borders."""
    inside = (a > 0) & (b > 0) & (x > 0) & (x < 1) & jnp.isfinite(a) & jnp.isfinite(b)
    safe = [jnp.where(inside, v, s) for v, s in ((a, 1.0), (b, 1.0), (x, 0.5))]
    valid = (a >= 0) & (b >= 0) & (x >= 0) & (x <= 1)
    valid &= ~(((a == 0) & (b == 0)) | (jnp.isinf(a) & jnp.isinf(b)))
    # all mass at 0 (a = 0 or b = inf), or all at 1 (b = 0 or a = inf)
    all_at_zero, all_at_one = (a == 0) | jnp.isinf(b), (b == 0) | jnp.isinf(a)
    full = jnp.where(all_at_zero, x > 0, x >= 1)
    edge = ~inside | all_at_zero | all_at_one
    p, q = tails(*safe)
    p = jnp.where(edge, jnp.where(full, 1.0, 0.0), p)
    q = jnp.where(edge, jnp.where(full, 0.0, 1.0), q)
    return jnp.where(valid, p, jnp.nan), jnp.where(valid, q, jnp.nan)


def density(a, b, x):
    """d I / d x = x^(a-1) (1-x)^(b-1) / B(a, b)."""
    inside = (x > 0) & (x < 1)
    xs = jnp.where(inside, x, 0.5)
    value = power_product(a, b, xs) / (xs * (1 - xs))
    edge = jnp.where(x == 0, a, b)
    at_edge = jnp.where(edge < 1, jnp.inf, jnp.where(edge == 1, jnp.exp(-betaln_positive(a, b)), 0.0))
    return jnp.where(inside, value, jnp.where((x == 0) | (x == 1), at_edge, jnp.nan))


@smooth(FORWARD, FORWARD, lambda a, b, x: density(a, b, x))
def beta_p(a, b, x):
    """I_x(a, b)."""
    return bordered(a, b, x)[0]


@smooth(FORWARD, FORWARD, lambda a, b, x: -density(a, b, x))
def beta_q(a, b, x):
    """1 - I_x(a, b)."""
    return bordered(a, b, x)[1]


@smooth(FORWARD, FORWARD, lambda a, b, x, upper: density(a, b, x) * (1 - 2 * upper), None)
def beta_tail(a, b, x, upper):
    """1 - I_x(a, b) where `upper` is 1, I_x(a, b) where it is 0."""
    p, q = bordered(a, b, x)
    return jnp.where(upper > 0, q, p)


def beta_split(a, b, x, y, upper):
    """`beta_tail` for x and y = 1 - x both given: the smaller one is used, so that neither is rounded."""
    small = x <= y
    flipped = jnp.where(small, upper, 1 - upper)
    return beta_tail(jnp.where(small, a, b), jnp.where(small, b, a), jnp.where(small, x, y), flipped)
