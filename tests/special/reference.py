"""What is true: mpmath references and argument sweeps for each native function of `sci.special`.

The measure, stated once: a value v is right if

    |v - f| <= 1e-12 |f|  +  8 eps (|x1 df/dx1| + |x2 df/dx2| + ...)  +  2.3e-308

that is 1e-12 relative, plus what an error of a few ulp in the arguments would do (it matters next to
zeros of f and where f falls like exp(-x^2)), plus the smallest normal number, since XLA flushes
subnormal numbers to zero.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import mpmath as mp
import numpy as np

EPS = float(np.finfo(np.float64).eps)
TINY = 2.3e-308


@dataclass(frozen=True)
class Case:
    """A reference and the boxes in which it is sampled.

    Attributes
    ----------
    reference : callable
        Takes mpf numbers; exact to the working precision.
    sweeps : tuple
        Boxes: each a tuple of axes, one per argument, an axis being ``("lin" | "log" | "int", low, high)``
        or ``("at", v1, v2, ...)``. A "log" axis with ``low < 0 < high`` is impossible; negate with "neglog".
    tolerance : float
        Relative part of the measure.
    """

    reference: Callable[..., mp.mpf]
    sweeps: tuple[tuple[tuple, ...], ...]
    tolerance: float = 1e-12


def lin(a, b):
    return ("lin", a, b)


def log(a, b):
    return ("log", a, b)


def neglog(a, b):
    return ("neglog", a, b)


def whole(a, b):
    return ("int", a, b)


def at(*values):
    return ("at", *values)


def sample(axis, n, rng):
    """n points of one axis."""
    kind, *bounds = axis
    if kind == "lin":
        return rng.uniform(*bounds, n)
    if kind in ("log", "neglog"):
        x = np.exp(rng.uniform(np.log(bounds[0]), np.log(bounds[1]), n))
        return -x if kind == "neglog" else x
    if kind == "int":
        return rng.integers(bounds[0], bounds[1], n, endpoint=True).astype(float)
    return rng.choice(np.array(bounds, float), n)


def points(case, n, seed=0):
    """About n argument tuples per case, spread over its boxes: a list of arrays, one per argument."""
    rng = np.random.default_rng(seed)
    each = max(1, -(-n // len(case.sweeps)))
    boxes = [[sample(axis, each, rng) for axis in box] for box in case.sweeps]
    return [np.concatenate(parts) for parts in zip(*boxes, strict=True)]


def exact(case, arguments, digits=40):
    """Reference values and the conditioning sum |x df/dx| at float64 arguments."""
    values, conditions = [], []
    with mp.workdps(digits):
        h = mp.mpf(2) ** -40
        for xs in zip(*arguments, strict=True):
            xs = [mp.mpf(float(x)) for x in xs]
            f = case.reference(*xs)
            c = mp.mpf(0)
            for i, x in enumerate(xs):
                if x != mp.floor(x) or len(xs) == 1:  # orders are integers: exact
                    moved = list(xs)
                    moved[i] = x * (1 + h)
                    c += abs(case.reference(*moved) - f) / h
            values.append(f)
            conditions.append(c)
    return values, conditions


def excess(got, values, conditions, tolerance=1e-12, eps=EPS):
    """Errors over what the measure allows (right if <= 1), and plain relative errors."""
    ratios, relative = [], []
    for v, f, c in zip(np.asarray(got, float).ravel(), values, conditions, strict=True):
        if abs(f) > mp.mpf("1.797e308"):
            bad = 0.0 if np.isinf(v) and (v > 0) == (f > 0) else np.inf
            ratios.append(bad), relative.append(bad)
            continue
        if not np.isfinite(v):
            ratios.append(np.inf), relative.append(np.inf)
            continue
        error = abs(mp.mpf(float(v)) - f)
        ratios.append(float(error / (tolerance * abs(f) + 8 * eps * c + TINY)))
        relative.append(float(error / abs(f)) if abs(f) > TINY else 0.0)
    return np.array(ratios), np.array(relative)


# --- references that mpmath does not have under one name ------------------------------------------


def lgamma(x):
    return mp.log(abs(mp.gamma(x)))


def lbeta(a, b):
    return mp.log(abs(mp.beta(a, b)))


def gamma_p(a, x):
    prefix = mp.exp(a * mp.log(x) - x - mp.loggamma(a + 1))
    return prefix * mp.hyp1f1(1, a + 1, x, maxterms=10**7)


def gamma_q(a, x):
    """By the series where the two tails are of one size; mpmath's own upper function elsewhere."""
    if x < a + 40 * mp.sqrt(a) + 5:
        lost = 0 if x < a else int((x - a) ** 2 / (2 * a + 1))
        with mp.workdps(mp.mp.dps + lost + 20):
            return 1 - gamma_p(a, x)
    return mp.gammainc(a, x, mp.inf, regularized=True)


def beta_p(a, b, x):
    return mp.betainc(a, b, 0, x, regularized=True)


def beta_q(a, b, x):
    return beta_p(b, a, 1 - x)


def normal_cdf(x):
    return mp.erfc(-x / mp.sqrt(2)) / 2


def inverse(f, guess):
    """x with f(x) = p, from a good float64 guess (SciPy's own inverse) refined by mpmath."""

    def solve(p):
        return mp.findroot(lambda x: f(x) - p, guess(float(p)), tol=mp.mpf(10) ** (-2 * mp.mp.dps + 10), verify=False)

    return solve


def normal_quantile(p):
    """Newton on log of the cdf: quadratic, and right in the far tail."""
    import scipy.special as ss

    x = mp.mpf(float(ss.ndtri(float(p))))
    for _ in range(6):
        f = normal_cdf(x)
        density = mp.exp(-x * x / 2) / mp.sqrt(2 * mp.pi)
        x -= (f - p) / density
    return x


def erfc_inverse(p):
    return -normal_quantile(p / 2) / mp.sqrt(2)


def erf_inverse(p):
    import scipy.special as ss

    x = mp.mpf(float(ss.erfinv(float(p))))
    for _ in range(6):
        x -= (mp.erf(x) - p) * mp.sqrt(mp.pi) / 2 * mp.exp(x * x)
    return x


def fresnel_s(x):
    return mp.fresnels(x)


def fresnel_c(x):
    return mp.fresnelc(x)


def spence(x):
    return mp.re(mp.polylog(2, 1 - x))


def owen(h, a):
    top = min(abs(a), 20 / abs(h))
    body = mp.quad(lambda t: mp.exp(-h * h * t * t / 2) / (1 + t * t), mp.linspace(0, top, 14))
    return mp.sign(a) * mp.exp(-h * h / 2) * body / (2 * mp.pi)


def exprel(x):
    return mp.expm1(x) / x if x else mp.mpf(1)


def hurwitz(s, q):
    with mp.workdps(mp.mp.dps + int(abs(s) * abs(mp.log10(q))) + 20):
        return mp.zeta(s, q)


def degrees(f):
    return lambda x: f(x * mp.pi / 180)


def carlson(f):
    return lambda *xs: mp.re(f(*xs))


def powered_digamma(n, x):
    return mp.polygamma(int(n), x)


def log_normal_cdf(x):
    return mp.log(normal_cdf(x)) if x < 0 else mp.log1p(-normal_cdf(-x))


def log_normal_quantile(y):
    import scipy.special as ss

    x = mp.mpf(float(ss.ndtri_exp(float(y))))
    for _ in range(8):
        f = log_normal_cdf(x)
        x -= (f - y) / (mp.exp(-x * x / 2 - f) / mp.sqrt(2 * mp.pi))
    return x


def student(d, t):
    tail = beta_p(d / 2, mp.mpf(1) / 2, d / (d + t * t)) / 2
    return tail if t < 0 else 1 - tail
