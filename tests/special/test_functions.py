"""The functions of `sci.special` that are not ufuncs: options, axes, errors."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.special as original

import sci.special as special


@pytest.fixture
def array():
    return np.random.default_rng(0).normal(0, 300, (3, 4, 2))


@pytest.mark.parametrize("axis", [None, 0, -1, (0, 2)])
@pytest.mark.parametrize("keepdims", [False, True])
def test_logsumexp_options(array, axis, keepdims):
    weights = np.random.default_rng(1).normal(size=array.shape)
    got = special.logsumexp(array, axis=axis, keepdims=keepdims)
    np.testing.assert_allclose(got, original.logsumexp(array, axis=axis, keepdims=keepdims), rtol=1e-13)
    got = special.logsumexp(array, axis=axis, b=weights, keepdims=keepdims, return_sign=True)
    want = original.logsumexp(array, axis=axis, b=weights, keepdims=keepdims, return_sign=True)
    for g, w in zip(got, want, strict=True):
        np.testing.assert_allclose(g, w, rtol=1e-12)


def test_logsumexp_borders():
    for a in ([np.inf, 1.0], [-np.inf, -np.inf], [np.nan, 1.0], [-np.inf, 2.0], [np.inf, np.inf], [1e-20, -60.0]):
        np.testing.assert_allclose(special.logsumexp(a), original.logsumexp(a), rtol=1e-14)
    np.testing.assert_allclose(special.logsumexp([1.0, 2.0], b=[1.0, -3.0]), np.nan)
    # the small term is not lost next to the maximum
    np.testing.assert_allclose(special.logsumexp([0.0, -50.0]), np.exp(-50.0), rtol=1e-12)


@pytest.mark.parametrize("axis", [None, 0, (1, 2)])
def test_softmax(array, axis):
    np.testing.assert_allclose(special.softmax(array, axis), original.softmax(array, axis), rtol=1e-12, atol=2.3e-308)
    np.testing.assert_allclose(special.log_softmax(array, axis), original.log_softmax(array, axis), rtol=1e-12)


def test_wrong_axis(array):
    for function in (special.logsumexp, special.softmax, special.log_softmax):
        with pytest.raises(np.exceptions.AxisError):
            function(array, axis=3)


def test_counting():
    n, k = np.array([5.0, 10, 3, -1]), np.array([2.0, 3, 4, 1])
    np.testing.assert_allclose(special.comb(n, k), original.comb(n, k), rtol=1e-14)
    np.testing.assert_allclose(special.comb(n, k, repetition=True), original.comb(n, k, repetition=True), rtol=1e-13)
    np.testing.assert_allclose(special.perm(n, k), original.perm(n, k), rtol=1e-14)
    assert special.comb(100, 50, exact=True) == original.comb(100, 50, exact=True)
    assert special.factorial(30, exact=True) == original.factorial(30, exact=True)
    np.testing.assert_allclose(special.factorial([0, 3, -2, 5]), original.factorial([0, 3, -2, 5]))


def test_multigammaln_errors():
    with pytest.raises(ValueError, match=r"condition a"):
        special.multigammaln(0.5, 3)
    with pytest.raises(ValueError, match=r"d should be"):
        special.multigammaln(5.0, 1.5)


def test_polygamma_orders():
    x = np.array([0.3, 2.5])
    np.testing.assert_allclose(special.polygamma([0, 1], x), original.polygamma([0, 1], x))
    assert special.polygamma(2, np.float32(1.5)).dtype == original.polygamma(2, np.float32(1.5)).dtype


def test_out():
    x, out = np.array([0.5, 1.5]), np.empty(2)
    assert special.gamma(x, out) is out
    np.testing.assert_allclose(out, original.gamma(x))


def test_inside_jit_and_vmap():
    x = jnp.linspace(0.1, 3.0, 7)
    np.testing.assert_allclose(jax.jit(jax.vmap(special.gammainc))(x, x), special.gammainc(x, x), rtol=1e-6)
