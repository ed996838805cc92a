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
        (lambda p: stats.skewnorm.pdf(p[0], 2.0), "skewnorm.pdf"),
        (lambda p: stats.t.ppf(p[0], 2.0), "t.ppf"),
    ],
)
def test_the_rest_is_refused(function, what):
    with pytest.raises(sci.TraceError, match=what):
        sci.to_jax(function, np.array([0.5, 1.0]))
