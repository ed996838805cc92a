"""`sci.integrate.quad` with a weight against QUADPACK and closed forms, in both worlds."""

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
    "func, a, b, weight, wvar",
    [
        (np.exp, 0, 1, "cos", 30.0),
        (lambda x: np.sqrt(x), 2, 0, "sin", 100.0),
        (np.log1p, 0, 1, "sin", -3.0),
        (np.exp, 0, 1, "alg", (-0.5, 0.2)),
        (np.exp, 0.5, 2, "alg-loga", (-0.5, 0.2)),
        (lambda x: np.cos(9 * x), 0, 3, "alg-logb", (0.3, -0.7)),
        (lambda x: np.cos(20 * x), 0, 1, "alg-log", (-0.5, -0.3)),
        (np.exp, 0, 1, "cauchy", 0.3),
        (lambda x: np.cos(9 * x), -1, 4, "cauchy", 2.7),
        (lambda x: np.exp(-x), 0, INF, "cos", 3.0),
        (lambda x: 1 / (1 + x), 0.5, INF, "sin", 2.0),
        (lambda x: np.exp(x), -INF, 1, "sin", 0.5),
    ],
)
def test_as_quadpack(func, a, b, weight, wvar):
    sci.clear_fallbacks()
    theirs = scipy.integrate.quad(func, a, b, weight=weight, wvar=wvar)
    ours = quad(func, a, b, weight=weight, wvar=wvar)
    assert not sci.fallbacks()
    assert [type(v) for v in ours] == [float, float]
    np.testing.assert_allclose(ours[0], theirs[0], rtol=1e-9, atol=2e-9)
    assert ours[1] <= max(1.49e-8, 1.49e-8 * abs(ours[0]))


def test_information():
    ours, theirs = (
        m.quad(lambda x: np.exp(-x), 0, INF, weight="cos", wvar=3.0, full_output=1)[2]
        for m in (sci.integrate, scipy.integrate)
    )
    assert set(ours) == set(theirs) and ours["lst"] == theirs["lst"]
    n = ours["lst"]
    np.testing.assert_allclose(ours["rslst"][:n], theirs["rslst"][:n], rtol=1e-6, atol=1e-13)
    ours, theirs = (
        m.quad(np.exp, 0, 1, weight="alg", wvar=(-0.5, 0.2), full_output=1)[2] for m in (sci.integrate, scipy.integrate)
    )
    assert set(ours) == set(theirs) and ours["last"] == theirs["last"]


def test_warns_as_scipy():
    options = {"weight": "sin", "wvar": 1.0, "limlst": 3}
    with pytest.warns(IntegrationWarning) as theirs:
        scipy.integrate.quad(lambda x: 1 / (1 + x), 0, INF, **options)
    with pytest.warns(IntegrationWarning) as ours:
        quad(lambda x: 1 / (1 + x), 0, INF, **options)
    assert str(ours[0].message) == str(theirs[0].message)
    assert len(quad(lambda x: 1 / (1 + x), 0, INF, full_output=1, **options)) == 5
    with pytest.warns(IntegrationWarning, match="Break points"):
        quad(np.exp, 0, 1, weight="cauchy", wvar=0.3, points=[0.5])


@pytest.mark.parametrize(
    "b, options",
    [
        (1, {"weight": "tan", "wvar": 1.0}),
        (1, {"weight": "cauchy", "wvar": 0.0}),
        (INF, {"weight": "cauchy", "wvar": 0.5}),
        (1, {"weight": "alg", "wvar": (-1.0, 0.5)}),
        (1, {"weight": "cos", "wvar": 1.0, "maxp1": 0}),
        (INF, {"weight": "cos", "wvar": 1.0, "limlst": 2}),
        (INF, {"weight": "cos", "wvar": 1.0, "epsabs": 0}),
    ],
)
def test_bad_input(b, options):
    for f in (scipy.integrate.quad, quad):
        with pytest.raises(ValueError):
            f(np.exp, 0, b, **options)
    with pytest.raises(ValueError):
        quad(np.exp, -INF, INF, weight="cos", wvar=1.0)


def test_jax_world():
    with jax.enable_x64(True):
        f = lambda k: quad(lambda x: jnp.exp(-k * x), 0.0, 1.0, weight="cauchy", wvar=0.3)[0]
        value, slope = jax.jit(jax.value_and_grad(f))(0.7)
        expected = scipy.integrate.quad(lambda x: np.exp(-0.7 * x), 0, 1, weight="cauchy", wvar=0.3)[0]
        rate = scipy.integrate.quad(lambda x: -x * np.exp(-0.7 * x), 0, 1, weight="cauchy", wvar=0.3)[0]
        np.testing.assert_allclose([value, slope], [expected, rate], rtol=1e-10)
        with pytest.raises(NotImplementedError, match="limits"):
            jax.grad(lambda b: quad(lambda x: x, 0.0, b, weight="cauchy", wvar=0.3)[0])(1.0)
