"""Integrals over several variables against closed forms and SciPy."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.integrate

import sci
from sci import integrate
from sci.integrate import dblquad, nquad, tplquad


def test_dblquad_between_curves():
    f = lambda y, x, k: k * x * y * y
    ours = dblquad(f, 0, 2, 0, lambda x: x, args=(1.5,))
    theirs = scipy.integrate.dblquad(f, 0, 2, 0, lambda x: x, args=(1.5,))
    np.testing.assert_allclose(ours[0], 3.2, rtol=1e-13)
    np.testing.assert_allclose(ours, theirs, rtol=1e-6)
    assert [type(v) for v in ours] == [float, float]


def test_nquad_counts_and_estimates_as_scipy():
    ranges = [lambda y, k: (0, y * k), (0.5, 1.5)]
    f = lambda x, y, k: k * np.exp(-x * y) * np.sqrt(x)
    ours = nquad(f, ranges, args=(0.7,), full_output=True, opts={"epsabs": 1e-10})
    theirs = scipy.integrate.nquad(f, ranges, args=(0.7,), full_output=True, opts={"epsabs": 1e-10})
    np.testing.assert_allclose(ours[0], theirs[0], rtol=1e-13)
    np.testing.assert_allclose(ours[1], theirs[1], rtol=1e-3)
    assert ours[2] == theirs[2]


@pytest.mark.slow
def test_infinite_ranges_and_three_variables():
    value, _ = dblquad(lambda y, x: np.exp(-x * x - y * y), -np.inf, np.inf, -np.inf, np.inf)
    np.testing.assert_allclose(value, np.pi, rtol=1e-10)
    args = (lambda z, y, x: x * y * z, 1, 2, lambda x: x, lambda x: 2 * x, lambda x, y: x - y, lambda x, y: x + y)
    np.testing.assert_allclose(tplquad(*args)[0], 49.0, rtol=1e-12)


def test_trouble_inside_is_reported():
    with pytest.warns(scipy.integrate.IntegrationWarning):
        _, error = dblquad(lambda y, x: x / y, 1, 2, 0, 1)
    assert error > 1


@pytest.mark.parametrize(
    "name, args, options",
    [
        ("nquad", (lambda x, y: x * y, [(0, 1), (0, 1)]), {"opts": [{"points": [0.5]}, {}]}),
        ("dblquad", (lambda y, x: np.exp(-y) * x, 0, 1, 0, lambda x: np.inf), {}),
    ],
)
def test_what_goes_to_the_host(name, args, options):
    before = sum(r.count for r in sci.fallbacks())
    ours, theirs = (getattr(m, name)(*args, **options) for m in (integrate, scipy.integrate))
    assert ours == theirs
    assert sum(r.count for r in sci.fallbacks()) == before + 1


@pytest.mark.slow
def test_vmap_and_gradients():
    with jax.enable_x64(True):
        f = jax.jit(lambda k, b: dblquad(lambda y, x: jnp.exp(-k * x) * y, 0.0, b, 0.0, 1.0)[0])
        exact = lambda k, b: (1 - jnp.exp(-k * b)) / (2 * k)
        k, b = jnp.array([0.5, 1.0, 2.0]), jnp.array([1.0, 2.0, 3.0])
        np.testing.assert_allclose(jax.vmap(f)(k, b), exact(k, b), rtol=1e-12)
        got, expected = (jax.grad(g, (0, 1))(0.7, 1.3) for g in (f, exact))
        np.testing.assert_allclose(got, expected, rtol=1e-9)
