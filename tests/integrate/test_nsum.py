"""`sci.integrate.nsum` against SciPy's and closed forms, in both worlds."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.integrate
import scipy.special

import sci
from sci.integrate import nsum

INF = np.inf


@pytest.mark.parametrize(
    "f, a, b, options",
    [
        (lambda k: 1 / k**2, 1, [10, 2000], {}),
        (lambda k, p: 1 / k**p, 1, INF, {"args": ([1.5, 2.0, 3.0],), "maxterms": 1000}),
        (lambda k: np.exp(-0.3 * np.abs(k - 1)), [-INF, -INF, 2, 5], [INF, -3, 1, 4e6], {"step": 1.0}),
        (lambda k: -2 * np.log(k), 1, [20, INF], {"log": True}),
        (lambda k: 1 / k - 1 / (k + 1), 1, INF, {"step": 2, "tolerances": {"rtol": 1e-6}}),
    ],
)
def test_as_scipy(f, a, b, options):
    sci.clear_fallbacks()
    with np.errstate(all="ignore"):
        theirs = scipy.integrate.nsum(f, a, b, **options)
        ours = nsum(f, a, b, **options)
    assert not sci.fallbacks()
    assert set(ours) == set(theirs) and type(ours) is type(theirs)
    np.testing.assert_array_equal(ours.status, theirs.status)
    np.testing.assert_array_equal(ours.success, theirs.success)
    np.testing.assert_array_equal(ours.nfev, theirs.nfev)
    np.testing.assert_allclose(ours.sum, theirs.sum, rtol=1e-12)
    np.testing.assert_allclose(ours.error, theirs.error, rtol=0.01, atol=1e-15)


def test_trouble_is_reported():
    with np.errstate(all="ignore"):
        for f in (nsum, scipy.integrate.nsum):
            divergent = f(lambda k: 1 / k, 1, INF, maxterms=100)
            assert not divergent.success
            invalid = f(lambda k: 1 / k, 1, [5, np.nan], step=[-1, 1])
            np.testing.assert_array_equal(invalid.status, [-1, -1])


@pytest.mark.parametrize(
    "change",
    [{"f": 1}, {"a": 1j}, {"log": 2}, {"maxterms": 1.5}, {"maxterms": -1}, {"tolerances": {"rtol": -1}},
     {"f": lambda k: 1j * k}, {"f": lambda k: np.zeros(3)}],
)  # fmt: skip
def test_bad_input(change):
    for f in (scipy.integrate.nsum, nsum):
        with pytest.raises(ValueError):
            f(**({"f": np.exp, "a": 0.0, "b": 5.0} | change))


def test_jax_world():
    with jax.enable_x64(True):
        f = lambda p: nsum(lambda k, p: 1 / k**p, 1.0, jnp.array([4.0, 100.0]), args=(p,), maxterms=128).sum
        value, rate = jax.jit(lambda p: jax.jvp(f, (p,), (1.0,)))(2.5)
        k = np.arange(1.0, 101.0)
        np.testing.assert_allclose(value, [(k[:4] ** -2.5).sum(), (k**-2.5).sum()], rtol=1e-12)
        expected = -np.log(k) * k**-2.5
        np.testing.assert_allclose(rate, [expected[:4].sum(), expected.sum()], rtol=1e-8)
