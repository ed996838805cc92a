"""Probability distributions of `scipy.stats` in JAX, in standard form: densities, both tails, their logarithms.

Formulas: N. L. Johnson, S. Kotz, N. Balakrishnan, "Continuous Univariate Distributions" and "Univariate Discrete
Distributions". Parametrised as in `scipy.stats`. `evaluate` adds location, scale, support and invalid parameters.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import jax.numpy as jnp

__all__ = ["FAMILIES", "METHODS", "Family", "evaluate"]

_INF = math.inf


def _special() -> Any:
    from sci import special

    return special


@dataclass(frozen=True)
class Family:
    """One distribution in standard form; every function takes the variable and the shape parameters.

    Attributes
    ----------
    logdensity : callable
        Logarithm of the density or probability, inside the support.
    cdf, sf : callable
        Lower and upper tail, inside the support.
    support : callable
        ``support(*shapes)``: both ends.
    inner : callable
        ``inner(*shapes)``: a point inside, computed in place of points outside.
    valid : callable
        ``valid(*shapes)``: whether the parameters are allowed.
    discrete : bool
        Whether the variable is a whole number.
    open : bool
        Whether the density is 0 at the ends, where the formula is not defined.
    logcdf, logsf, ppf, isf : callable, optional
        Where they are more than the logarithm or an inverse that has no closed form.
    """

    logdensity: Callable[..., Any]
    cdf: Callable[..., Any]
    sf: Callable[..., Any]
    support: Callable[..., tuple[Any, Any]] = lambda *_: (-_INF, _INF)
    inner: Callable[..., Any] = lambda *_: 0.5
    valid: Callable[..., Any] = lambda *shapes: all_positive(*shapes)
    discrete: bool = False
    open: bool = False
    logcdf: Callable[..., Any] | None = None
    logsf: Callable[..., Any] | None = None
    ppf: Callable[..., Any] | None = None
    isf: Callable[..., Any] | None = None


def all_positive(*shapes: Any) -> Any:
    result: Any = True
    for shape in shapes:
        result = result & (shape > 0)
    return result


def _half_line(*_: Any) -> tuple[float, float]:
    return 0.0, _INF


def _unit(*_: Any) -> tuple[float, float]:
    return 0.0, 1.0


def _t_tail(z: Any, df: Any) -> Any:
    """P(T > |z|)."""
    far = z * z > df  # the ratio that is not next to one keeps its digits
    x = jnp.where(far, df / (df + z * z), 0.5)
    y = jnp.where(far, 0.5, z * z / (df + z * z))
    special = _special()
    return 0.5 * jnp.where(far, special.betainc(0.5 * df, 0.5, x), special.betaincc(0.5, 0.5 * df, y))


def _t_cdf(z: Any, df: Any) -> Any:
    tail = _t_tail(z, df)
    return jnp.where(z < 0, tail, 1 - tail)


def _cotangent(q: Any) -> Any:
    """cot(pi q), relative to itself at both ends and in the middle."""
    middle = jnp.abs(q - 0.5) < 0.25
    return jnp.where(
        middle, jnp.tan(math.pi * jnp.where(middle, 0.5 - q, 0.0)), 1 / jnp.tan(math.pi * jnp.where(middle, 0.25, q))
    )


_FAMILIES: dict[str, Callable[[Any], Family]] = {
    "norm": lambda s: Family(
        lambda z: -0.5 * z * z - 0.5 * math.log(2 * math.pi), s.ndtr, lambda z: s.ndtr(-z),
        logcdf=s.log_ndtr, logsf=lambda z: s.log_ndtr(-z), ppf=s.ndtri, isf=lambda q: -s.ndtri(q),
    ),
    "expon": lambda s: Family(
        lambda z: -z, lambda z: -jnp.expm1(-z), lambda z: jnp.exp(-z), _half_line,
        logsf=lambda z: -z, ppf=lambda q: -jnp.log1p(-q), isf=lambda q: -jnp.log(q),
    ),
    "uniform": lambda s: Family(
        lambda z: 0 * z, lambda z: z, lambda z: 1 - z, _unit, ppf=lambda q: q, isf=lambda q: 1 - q
    ),
    "gamma": lambda s: Family(
        lambda z, a: s.xlogy(a - 1, z) - z - s.gammaln(a), lambda z, a: s.gammainc(a, z),
        lambda z, a: s.gammaincc(a, z), _half_line,
    ),
    "chi2": lambda s: Family(
        lambda z, df: s.xlogy(0.5 * df - 1, z) - 0.5 * z - s.gammaln(0.5 * df) - 0.5 * math.log(2) * df,
        lambda z, df: s.gammainc(0.5 * df, 0.5 * z), lambda z, df: s.gammaincc(0.5 * df, 0.5 * z), _half_line,
    ),
    "beta": lambda s: Family(
        lambda z, a, b: s.xlogy(a - 1, z) + s.xlog1py(b - 1, -z) - s.betaln(a, b),
        lambda z, a, b: s.betainc(a, b, z), lambda z, a, b: s.betaincc(a, b, z), _unit,
    ),
    "t": lambda s: Family(
        lambda z, df: -0.5 * (df + 1) * jnp.log1p(z * z / df) - 0.5 * jnp.log(df) - s.betaln(0.5, 0.5 * df),
        _t_cdf, lambda z, df: _t_cdf(-z, df),
    ),
    "lognorm": lambda s: Family(
        lambda z, k: -0.5 * (jnp.log(z) / k) ** 2 - jnp.log(k * z) - 0.5 * math.log(2 * math.pi),
        lambda z, k: s.ndtr(jnp.log(z) / k), lambda z, k: s.ndtr(-jnp.log(z) / k), _half_line,
        open=True, logcdf=lambda z, k: s.log_ndtr(jnp.log(z) / k), logsf=lambda z, k: s.log_ndtr(-jnp.log(z) / k),
        ppf=lambda q, k: jnp.exp(k * s.ndtri(q)), isf=lambda q, k: jnp.exp(-k * s.ndtri(q)),
    ),
    "cauchy": lambda s: Family(
        lambda z: -math.log(math.pi) - jnp.log1p(z * z), lambda z: jnp.arctan2(1.0, -z) / math.pi,
        lambda z: jnp.arctan2(1.0, z) / math.pi,
        ppf=lambda q: -_cotangent(q), isf=_cotangent,
    ),
    "laplace": lambda s: Family(
        lambda z: math.log(0.5) - jnp.abs(z),
        lambda z: jnp.where(z > 0, 1 - 0.5 * jnp.exp(-jnp.abs(z)), 0.5 * jnp.exp(-jnp.abs(z))),
        lambda z: jnp.where(z < 0, 1 - 0.5 * jnp.exp(-jnp.abs(z)), 0.5 * jnp.exp(-jnp.abs(z))),
    ),
    "logistic": lambda s: Family(
        lambda z: -jnp.abs(z) - 2 * jnp.log1p(jnp.exp(-jnp.abs(z))), s.expit, lambda z: s.expit(-z),
        logcdf=s.log_expit, logsf=lambda z: s.log_expit(-z),
        ppf=lambda q: jnp.log(q) - jnp.log1p(-q), isf=lambda q: jnp.log1p(-q) - jnp.log(q),
    ),
    "weibull_min": lambda s: Family(
        lambda z, c: jnp.log(c) + s.xlogy(c - 1, z) - z**c, lambda z, c: -jnp.expm1(-(z**c)),
        lambda z, c: jnp.exp(-(z**c)), _half_line, logsf=lambda z, c: -(z**c),
        ppf=lambda q, c: (-jnp.log1p(-q)) ** (1 / c), isf=lambda q, c: (-jnp.log(q)) ** (1 / c),
    ),
    "pareto": lambda s: Family(
        lambda z, b: jnp.log(b) - (b + 1) * jnp.log(z), lambda z, b: -jnp.expm1(-b * jnp.log(z)),
        lambda z, b: z**-b, lambda *_: (1.0, _INF), lambda *_: 2.0, logsf=lambda z, b: -b * jnp.log(z),
    ),
    "rayleigh": lambda s: Family(
        lambda z: jnp.log(z) - 0.5 * z * z, lambda z: -jnp.expm1(-0.5 * z * z), lambda z: jnp.exp(-0.5 * z * z),
        _half_line, logsf=lambda z: -0.5 * z * z,
    ),
    "halfnorm": lambda s: Family(
        lambda z: 0.5 * math.log(2 / math.pi) - 0.5 * z * z, lambda z: s.erf(z / math.sqrt(2)),
        lambda z: 2 * s.ndtr(-z), _half_line,
    ),
    "gumbel_r": lambda s: Family(
        lambda z: -z - jnp.exp(-z), lambda z: jnp.exp(-jnp.exp(-z)), lambda z: -jnp.expm1(-jnp.exp(-z)),
        logcdf=lambda z: -jnp.exp(-z), ppf=lambda q: -jnp.log(-jnp.log(q)), isf=lambda q: -jnp.log(-jnp.log1p(-q)),
    ),
    "poisson": lambda s: Family(
        lambda k, mu: s.xlogy(k, mu) - s.gammaln(k + 1) - mu, lambda k, mu: s.gammaincc(k + 1, mu),
        lambda k, mu: s.gammainc(k + 1, mu), _half_line, lambda *_: 1.0, lambda mu: mu >= 0, True,
    ),
    "binom": lambda s: Family(
        lambda k, n, p: (
            s.gammaln(n + 1) - s.gammaln(k + 1) - s.gammaln(n - k + 1) + s.xlogy(k, p) + s.xlog1py(n - k, -p)
        ),
        lambda k, n, p: s.bdtr(k, n, p), lambda k, n, p: s.bdtrc(k, n, p), lambda n, p: (0.0, n), lambda *_: 0.0,
        lambda n, p: (n >= 0) & (n == jnp.floor(n)) & (p >= 0) & (p <= 1), True,
    ),
    "bernoulli": lambda s: Family(
        lambda k, p: jnp.where(k == 1, jnp.log(p), jnp.log1p(-p)), lambda k, p: jnp.where(k >= 1, 1.0, 1 - p),
        lambda k, p: jnp.where(k >= 1, 0.0, p), _unit, lambda *_: 0.0, lambda p: (p >= 0) & (p <= 1), True,
    ),
    "geom": lambda s: Family(
        lambda k, p: s.xlog1py(k - 1, -p) + jnp.log(p), lambda k, p: -jnp.expm1(jnp.log1p(-p) * k),
        lambda k, p: jnp.exp(jnp.log1p(-p) * k), lambda *_: (1.0, _INF), lambda *_: 1.0,
        lambda p: (p > 0) & (p <= 1), True, logsf=lambda k, p: k * jnp.log1p(-p),
    ),
}  # fmt: skip

FAMILIES = frozenset(_FAMILIES)
#: Methods of a continuous and of a discrete distribution that are traced.
METHODS = {
    False: ("pdf", "logpdf", "cdf", "logcdf", "sf", "logsf", "ppf", "isf"),
    True: ("pmf", "logpmf", "cdf", "logcdf", "sf", "logsf"),
}


def family(name: str) -> Family:
    """The family called `name` in `scipy.stats`."""
    return _FAMILIES[name](_special())


def evaluate(name: str, method: str, x: Any, loc: Any, scale: Any, *shapes: Any) -> Any:
    """``scipy.stats.<name>.<method>(x, *shapes, loc, scale)`` for JAX values.

    Outside the support densities are 0 and tails 0 or 1; NaN for NaN, a scale that is not positive, and
    parameters that are not allowed.
    """
    dtype = jnp.result_type(float)
    x, loc, scale, *given = (jnp.asarray(v, dtype) for v in (x, loc, scale, *shapes))
    found = family(name)
    valid = (scale > 0) & found.valid(*given)
    # what is not allowed is computed somewhere harmless: NaN must not reach the gradient of what is
    shapes = tuple(jnp.where(valid, s, 1.0) for s in given)
    scale = jnp.where(scale > 0, scale, 1.0)
    if method in ("ppf", "isf"):
        inverse = getattr(found, method)
        inside = (x > 0) & (x < 1)
        value = loc + scale * inverse(jnp.where(inside, x, 0.5), *shapes)
        low, high = found.support(*shapes)
        start, end = (low, high) if method == "ppf" else (high, low)
        edge = loc + scale * jnp.where(x == 0, start, end)
        value = jnp.where(inside, value, jnp.where((x == 0) | (x == 1), edge, jnp.nan))
        return jnp.where(valid & ~jnp.isnan(x), value, jnp.nan)
    finite = jnp.isfinite(x)
    z = (jnp.where(finite, x, 0.0) - loc) / scale
    low, high = found.support(*shapes)
    above = jnp.where(finite, z >= high, x > 0)
    density = method in ("pdf", "logpdf", "pmf", "logpmf")
    if found.discrete and not density:
        z = jnp.floor(z)
    inside = (z >= low) & (z <= high) & finite
    if found.discrete and density:
        inside &= z == jnp.floor(z)
    if found.open or not (found.discrete or density):
        inside &= (z > low) & (z < high)
    z = jnp.where(inside, z, jnp.broadcast_to(found.inner(*shapes), z.shape))
    outside, value = _value(found, method, z, shapes, scale, above)
    return jnp.where(valid & ~jnp.isnan(x), jnp.where(inside, value, outside), jnp.nan)


def _value(found: Family, method: str, z: Any, shapes: tuple[Any, ...], scale: Any, above: Any) -> tuple[Any, Any]:
    """The value outside the support, and inside."""
    if method in ("logpdf", "logpmf", "pdf", "pmf"):
        value = found.logdensity(z, *shapes) - (0.0 if found.discrete else jnp.log(scale))
        return (-jnp.inf, value) if method.startswith("log") else (0.0, jnp.exp(value))
    tail = method.removeprefix("log")
    outside = jnp.where(above, 1.0, 0.0) if tail == "cdf" else jnp.where(above, 0.0, 1.0)
    if not method.startswith("log"):
        return outside, getattr(found, tail)(z, *shapes)
    own = getattr(found, method)
    if own is not None:
        value = own(z, *shapes)
    else:  # next to one the other tail knows better
        this, other = getattr(found, tail)(z, *shapes), getattr(found, "sf" if tail == "cdf" else "cdf")(z, *shapes)
        near = this > 0.5
        value = jnp.where(near, jnp.log1p(-jnp.where(near, other, 0.0)), jnp.log(jnp.where(near, 1.0, this)))
    return jnp.where(outside > 0, 0.0, -jnp.inf), value
