"""`sci.integrate.quad` against SciPy's, in both worlds."""

import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.integrate
from scipy.integrate import IntegrationWarning

import sci
from sci.integrate import quad

INF = np.inf


@pytest.mark.parametrize(
    "func, a, b, options",
    [
        (lambda x: np.exp(-x * x), 0, 1, {}),
        (lambda x: math.exp(-x), 2, INF, {}),
        (lambda x: np.exp(-x * x), -INF, INF, {}),
        (lambda x: np.exp(x), -INF, np.float64(1), {}),
        (lambda x: 1 / np.sqrt(x), 0, 1, {}),
        (lambda x: x**3, 2, -1, {}),
        (lambda x: x**3, INF, INF, {}),
        (lambda x, n, k: x**n * k, 0, 1, {"args": (3, 0.5)}),
        (lambda x, k: x * k, 0, 1, {"args": 2.5}),
        (lambda x: np.cos(40 * x), 0, 3, {"limit": 70, "epsabs": 0, "epsrel": 1e-10}),
        (lambda x: np.exp(2j * x), 0, 1, {"complex_func": True}),
    ],
)
def test_as_scipy(func, a, b, options):
    for full in (0, 1):
        theirs = scipy.integrate.quad(func, a, b, full_output=full, **options)
        ours = quad(func, a, b, full_output=full, **options)
        assert len(ours) == len(theirs) and type(ours[0]) is type(theirs[0])
        np.testing.assert_allclose(ours[0], theirs[0], rtol=1e-12)
        np.testing.assert_allclose(ours[1], theirs[1], rtol=1e-3, atol=1e-13)
        if full and not options.get("complex_func"):
            assert set(ours[2]) == set(theirs[2])
            assert (ours[2]["neval"], ours[2]["last"]) == (theirs[2]["neval"], theirs[2]["last"])
            last = ours[2]["last"]
            for name in ("alist", "blist", "rlist"):
                np.testing.assert_allclose(ours[2][name][:last], theirs[2][name][:last], rtol=1e-10, err_msg=name)
                assert ours[2][name].shape == theirs[2][name].shape
        elif full:
            assert set(ours[2]) == {"real", "imag"} and ours[2]["real"][0]["neval"] == 21


@pytest.mark.parametrize(
    "func, b", [(lambda x: 1 / x, 1.0), (lambda x: np.tan(x), np.pi / 2), (lambda x: np.sin(x) / x, INF)]
)
def test_warns_as_scipy(func, b):
    with pytest.warns(IntegrationWarning) as theirs:
        scipy.integrate.quad(func, 0, b)
    with pytest.warns(IntegrationWarning) as ours:
        quad(func, 0, b)
    assert str(ours[0].message) == str(theirs[0].message)
    assert ours[0].filename == __file__
    assert len(quad(func, 0, b, full_output=1)) == 4


def test_bad_input():
    for f in (scipy.integrate.quad, quad):
        with pytest.raises(TypeError):
            f(lambda x: np.array([x, x]), 0, 1)
    for options in ({"epsabs": 0, "epsrel": 0}, {"limit": 0}):
        for f in (scipy.integrate.quad, quad):
            with pytest.raises(ValueError, match="must be"):
                f(np.exp, 0, 1, **options)


@pytest.mark.parametrize("options", [{"weight": "cos", "wvar": 3.0, "full_output": 1}])
def test_host(options):
    before = sum(r.count for r in sci.fallbacks())
    assert quad(np.exp, 0, 1, **options)[0] == scipy.integrate.quad(np.exp, 0, 1, **options)[0]
    assert sum(r.count for r in sci.fallbacks()) == before + 1


def test_jax_world():
    with jax.enable_x64(True):
        f = lambda k, b: quad(lambda x: jnp.exp(-k * x), 0.0, b)[0]
        np.testing.assert_allclose(jax.jit(f)(2.0, 3.0), (1 - np.exp(-6.0)) / 2, rtol=1e-12)
        np.testing.assert_allclose(jax.grad(f, 1)(2.0, 3.0), np.exp(-6.0), rtol=1e-10)
        np.testing.assert_allclose(jax.grad(f)(2.0, 3.0), 7 * np.exp(-6.0) / 4 - 0.25, rtol=1e-9)
        k = jnp.array([0.5, 1.0, 4.0])
        tails = jax.vmap(lambda k: quad(lambda x: jnp.exp(-k * x), 0.0, INF)[0])(k)
        np.testing.assert_allclose(tails, 1 / k, rtol=1e-9)
        out = quad(lambda x: jnp.asarray(1.0) / x, 0.0, jnp.asarray(1.0), full_output=True)
        assert int(out[2]["ier"]) == 1


@pytest.mark.parametrize("points", [[0.3], [0.6, 0.3, 0.3, 1.0], [7.0]])
def test_break_points_as_quadpack(points):
    f = lambda x: np.log(abs(x - 0.3)) * np.exp(x)
    before = len(sci.fallbacks())
    for a, b in ((0, 1), (1.5, 0.1)):
        theirs = scipy.integrate.quad(f, a, b, points=points, full_output=1)
        ours = quad(f, a, b, points=points, full_output=1)
        np.testing.assert_allclose(ours[0], theirs[0], rtol=1e-12)
        np.testing.assert_allclose(ours[1], theirs[1], rtol=1e-3, atol=1e-13)
        assert set(ours[2]) == set(theirs[2])
        last = theirs[2]["last"]
        assert (ours[2]["neval"], ours[2]["last"]) == (theirs[2]["neval"], last)
        for name in ("alist", "blist", "level", "pts"):  # which of two equal errors comes first is rounding
            got, expected = (np.sort(r[2][name][:last]) for r in (ours, theirs))
            np.testing.assert_allclose(got, expected, rtol=1e-12, err_msg=name)
    assert len(sci.fallbacks()) == before


def test_bad_break_points():
    for f in (scipy.integrate.quad, quad):
        with pytest.raises(ValueError, match="break points"):
            f(np.exp, 0, INF, points=[1.0])
        with pytest.raises(ValueError, match="break points"):
            f(np.exp, 0, 1, points=[0.2, 0.4, 0.6], limit=3)


def test_break_points_in_the_jax_world():
    with jax.enable_x64(True):
        f = lambda c: quad(lambda x: jnp.abs(x - c) ** -0.5 * c, 0.0, 1.0, points=jnp.array([0.3]))[0]
        np.testing.assert_allclose(jax.jit(f)(0.3), 0.6 * (0.3**0.5 + 0.7**0.5), rtol=1e-8)
