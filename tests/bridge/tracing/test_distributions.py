"""`scipy.stats` distributions inside traced functions: values of SciPy, derivatives, refusals."""

from __future__ import annotations

import jax
import numpy as np
import pytest
from scipy import stats

import sci
from sci import optimize
from sci.bridge.tracing.shims.densities import FAMILIES, METHODS, evaluate, family

SHAPES = {
    "gamma": (2.5,), "chi2": (3.0,), "beta": (2.0, 3.5), "t": (4.0,), "lognorm": (0.6,), "weibull_min": (1.7,),
    "pareto": (2.5,), "poisson": (2.5,), "binom": (6.0, 0.3), "bernoulli": (0.3,), "geom": (0.3,),
}  # fmt: skip
POINTS = np.array([-3.0, -0.4, 0.0, 0.3, 0.9, 1.0, 1.5, 2.0, 3.25, 7.0, 60.0, np.nan, np.inf, -np.inf])
INVERTED = np.array([0.0, 1e-12, 0.2, 0.5, 0.97, 1.0, 1.5, np.nan])


def original(name, method, x, loc, scale):
    place = {"loc": loc} if not hasattr(getattr(stats, name), "pdf") else {"loc": loc, "scale": scale}
    with np.errstate(all="ignore"):
        return getattr(getattr(stats, name), method)(x, *SHAPES.get(name, ()), **place)


@pytest.mark.parametrize("name", sorted(FAMILIES))
def test_as_in_scipy(name):
    discrete = not hasattr(getattr(stats, name), "pdf")
    with jax.enable_x64(True):
        for loc, scale in ((0.0, 1.0), (1.0, 1.0) if discrete else (0.25, 1.7), (0.0, -1.0)):
            if discrete and scale < 0:
                continue
            for method in METHODS[discrete]:
                if method in ("ppf", "isf") and family(name).ppf is None:
                    continue
                x = INVERTED if method in ("ppf", "isf") else POINTS
                got = evaluate(name, method, x, loc, scale, *SHAPES.get(name, ()))
                expected = original(name, method, x, loc, scale)
                if method.endswith(("pdf", "pmf")):  # SciPy has NaN at infinity in some: the limit is 0
                    assert not np.any(np.nan_to_num(np.exp(got) if method.startswith("log") else got)[-2:])
                    got, expected = got[:-2], expected[:-2]
                # SciPy takes the logarithm of a number next to one for discrete tails
                atol = 1e-15 if discrete and method.startswith("log") else 1e-300
                np.testing.assert_allclose(got, expected, rtol=1e-12, atol=atol, err_msg=f"{name}.{method} {loc}")


@pytest.mark.parametrize("name", sorted(FAMILIES))
def test_invalid_parameters_are_nan(name):
    shapes = SHAPES.get(name, ())
    if not shapes:
        pytest.skip("no parameters")
    with jax.enable_x64(True):
        assert np.isnan(evaluate(name, "cdf", 0.5, 0.0, 1.0, *[-1.0] * len(shapes)))


@pytest.mark.parametrize("name", sorted(n for n in FAMILIES if hasattr(getattr(stats, n), "pdf")))
def test_derivatives(name):
    shapes = [np.float64(s) for s in SHAPES.get(name, ())]
    x = np.array([0.7, 0.9]) if name != "pareto" else np.array([2.0, 3.0])

    def total(v):
        return evaluate(name, "logpdf", x, v[0], v[1], *v[2:]).sum()

    with jax.enable_x64(True):
        v = np.array([0.1, 1.3, *shapes])
        got = jax.grad(total)(v)
        for i in range(v.size):
            step = 1e-6 * np.eye(v.size)[i]
            slope = (total(v + step) - total(v - step)) / 2e-6
            np.testing.assert_allclose(got[i], slope, rtol=1e-6, atol=1e-8)
        outside = jax.grad(lambda v: evaluate(name, "pdf", np.array([-5.0, np.inf]), *v).sum())(v)
        assert np.isfinite(outside).all()


def test_maximum_likelihood_in_one_program():
    data = np.random.default_rng(0).normal(2.0, 3.0, 200)
    start, before = np.array([0.0, 0.0]), len(sci.fallbacks())
    found = optimize.minimize(lambda p: -stats.norm(p[0], np.exp(p[1])).logpdf(data).sum(), start, method="BFGS")
    named = optimize.minimize(lambda p: -stats.norm.logpdf(data, loc=p[0], scale=np.exp(p[1])).sum(), start)
    assert len(sci.fallbacks()) == before
    np.testing.assert_allclose(found.x, [data.mean(), np.log(data.std())], atol=1e-5)
    np.testing.assert_allclose(named.x, found.x, atol=1e-6)


def test_captured_and_bound():
    frozen = stats.gamma(2.5, scale=2.0)
    x = np.array([1.0, -2.0, 3.0])
    np.testing.assert_allclose(sci.to_jax(frozen.cdf, x)(x), frozen.cdf(x), rtol=1e-14)
    np.testing.assert_allclose(
        sci.to_jax(lambda y: frozen.pdf(y) + stats.expon.sf(y), x)(x), frozen.pdf(x) + stats.expon.sf(x)
    )
    # other parameters, the same program
    other = stats.gamma(3.5, scale=1.0)
    np.testing.assert_allclose(sci.to_jax(other.cdf, x)(x), other.cdf(x), rtol=1e-14)


@pytest.mark.parametrize(
    ("function", "what"),
    [
        (lambda p: stats.norm.rvs(p[0]), "random"),
        (lambda p: stats.norm.fit([1.0, 2.0])[0] * p[0], "norm.fit"),
        (lambda p: stats.skewnorm.cdf(p[0], 2.0), "_skewnorm_cdf"),  # a function without a JAX version
        (lambda p: stats.gausshyper.cdf(p[0], 13.0, 3.0, 2.0, 5.0), "gausshyper.cdf"),  # an integral in SciPy
        (lambda p: stats.t.ppf(p[0], 2.0), "stdtrit"),
    ],
)
def test_the_rest_is_refused(function, what):
    with pytest.raises(sci.TraceError, match=what):
        sci.to_jax(function, np.array([0.5, 1.0]))


# by SciPy's own formulas: branches by shape parameter, supports that depend on it, formulas of other distributions
FORMULAS = {
    "genextreme": (-0.1,), "genpareto": (0.1,), "skewnorm": (4.0,), "invgauss": (0.3,), "exponweib": (2.9, 1.95),
    "johnsonsu": (2.55, 2.25), "truncnorm": (-1.0, 2.0), "triang": (0.16,), "rdist": (1.6,), "vonmises": (4.0,),
    "burr": (10.5, 4.3), "nbinom": (5, 0.5), "randint": (7, 31), "zipf": (6.6,),
}  # fmt: skip


@pytest.mark.parametrize("name", FORMULAS)
def test_formulas(name):
    distribution, shapes = getattr(stats, name), FORMULAS[name]
    x = distribution.ppf([0.1, 0.4, 0.9], *shapes, loc=1.0)
    x = np.concatenate([x, [x[0] - 40.0, np.nan]])
    methods = ("pdf", "logpdf") if hasattr(distribution, "pdf") else ("logpmf",)
    for method in methods:

        def function(x, method=method):
            return getattr(distribution, method)(x, *shapes, loc=1.0)

        np.testing.assert_allclose(sci.to_jax(function, x)(x), function(x), rtol=1e-11)


def test_tails_and_quantiles_of_formulas():
    x, shape = np.array([0.5, 2.0, -30.0, 30.0]), 0.2

    def tails(x):
        d = stats.genextreme(shape, loc=0.3, scale=2.0)
        return d.cdf(x), d.sf(x), d.logcdf(x), d.logsf(x), stats.planck(0.5).sf(np.floor(x)), stats.planck(0.5).cdf(x)

    for got, wanted in zip(sci.to_jax(tails, x)(x), tails(x), strict=True):
        np.testing.assert_allclose(got, wanted, rtol=1e-12)
    q = np.array([0.0, 0.3, 0.8, 1.0, 1.5])
    np.testing.assert_allclose(
        sci.to_jax(lambda q: stats.gumbel_l.ppf(q, 1.0, 2.0), q)(q), stats.gumbel_l.ppf(q, 1.0, 2.0), rtol=1e-12
    )


def test_a_fit_by_formulas():
    data = stats.genextreme.rvs(-0.2, loc=1.0, scale=2.0, size=400, random_state=np.random.default_rng(1))

    def cost(p):
        return -stats.genextreme.logpdf(data, p[0], loc=p[1], scale=np.exp(p[2])).sum()

    p = np.array([-0.15, 1.1, 0.6])
    slope = jax.grad(sci.to_jax(cost, p))(p)
    for i, step in enumerate(1e-6 * np.eye(3)):
        assert abs(slope[i] - (cost(p + step) - cost(p - step)) / 2e-6) < 1e-4 * abs(slope).max()
    # not allowed: NaN, as SciPy's
    bad = np.array([-0.15, 1.1, 0.6])
    assert np.isnan(sci.to_jax(lambda p: stats.genextreme.pdf(0.3, p[0], scale=-p[2]), bad)(bad))
