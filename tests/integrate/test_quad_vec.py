"""`sci.integrate.quad_vec` against SciPy's, in both worlds."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.integrate

import sci
from sci.integrate import quad_vec

INF = np.inf
POWERS = np.linspace(0.1, 2.0, 6).reshape(2, 3)


@pytest.mark.parametrize(
    "f, a, b, options",
    [
        (lambda x: x**POWERS, 0, 2, {}),
        (lambda x: x**POWERS, 2, 0, {"norm": "max", "quadrature": "gk15", "epsrel": 1e-6}),
        (lambda x: np.exp(-POWERS * x), 1, INF, {"points": [2.0, 3.0]}),
        (lambda x: np.exp(-POWERS * (x - 0.3) ** 2), INF, -INF, {}),
        (lambda x, k: np.cos(k * x) + 1j * x, 0, 3, {"args": (7.0,)}),
        (lambda x: np.array([x, x**3]), 0, 1, {"quadrature": "trapezoid", "epsrel": 1e-4}),
        (lambda x: 1 / (1 + x**2), 0, INF, {"quadrature": "trapezoid", "epsrel": 1e-3}),
        (lambda x: np.sin(50 * x) ** 2, 0, 3, {"points": [0.4, 1.0, 5.0]}),
    ],
)
def test_as_scipy(f, a, b, options):
    sci.clear_fallbacks()
    theirs = scipy.integrate.quad_vec(f, a, b, full_output=True, **options)
    ours = quad_vec(f, a, b, full_output=True, **options)
    assert not sci.fallbacks()
    np.testing.assert_allclose(ours[0], theirs[0], rtol=1e-12)
    np.testing.assert_allclose(ours[1], theirs[1], rtol=0.2)
    assert np.shape(ours[0]) == np.shape(theirs[0]) and type(ours[1]) is float
    for name in ("success", "status", "message", "neval"):
        assert getattr(ours[2], name) == getattr(theirs[2], name), name
    for name in ("intervals", "integrals", "errors"):
        assert getattr(ours[2], name).shape == getattr(theirs[2], name).shape
    np.testing.assert_allclose(np.sort(ours[2].intervals[:, 0]), np.sort(theirs[2].intervals[:, 0]), atol=1e-15)
    np.testing.assert_allclose(abs(ours[2].integrals.sum(axis=0)), abs(ours[0]), rtol=1e-9)


def test_failures_are_reported():
    f = lambda x: np.array([np.sqrt(abs(x - 0.3)), x])
    ours, theirs = (m.quad_vec(f, 0, 1, limit=5, full_output=True)[2] for m in (sci.integrate, scipy.integrate))
    assert (ours.status, ours.success) == (theirs.status, theirs.success) == (1, False)
    assert quad_vec(lambda x: np.where(x < 0.5, x, np.nan), 0, 1, full_output=True)[2].status == 3


@pytest.mark.parametrize(
    "change, error",
    [({"a": np.nan}, ValueError), ({"quadrature": "simpson"}, ValueError), ({"norm": "fro"}, KeyError)],
)
def test_bad_input(change, error):
    for f in (scipy.integrate.quad_vec, quad_vec):
        with pytest.raises(error):
            f(**({"f": np.exp, "a": 0, "b": 1} | change))


def test_jax_world():
    with jax.enable_x64(True):
        f = lambda k, b: quad_vec(lambda x: jnp.exp(-k * x), 0.0, b)[0]
        k = jnp.array([0.5, 2.0])
        jacobian = jax.jit(jax.jacrev(f))(k, 1.5)
        exact = lambda k, b: (1 - jnp.exp(-k * b)) / k
        np.testing.assert_allclose(jacobian, jax.jacfwd(exact)(k, 1.5), rtol=1e-10, atol=1e-14)
        np.testing.assert_allclose(jax.jacfwd(f, 1)(k, 1.5), jnp.exp(-k * 1.5), rtol=1e-10)
