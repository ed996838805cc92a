"""Banded, Toeplitz and triangular systems, and stacks of very small ones, against the dense matrix."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.linalg

from sci import linalg

rng = np.random.default_rng(3)


def dense(ab, lower, upper):
    n = ab.shape[1]
    a = np.zeros((n, n), ab.dtype)
    for i in range(n):
        for j in range(max(0, i - lower), min(n, i + upper + 1)):
            a[i, j] = ab[upper + i - j, j]
    return a


@pytest.mark.parametrize(("n", "lower", "upper"), [(7, 2, 1), (6, 0, 2), (5, 3, 0), (5, 1, 1), (3, 4, 2), (1, 0, 1)])
def test_banded_systems_equal_the_dense_ones(n, lower, upper):
    ab = rng.normal(size=(lower + upper + 1, n)) + 1j * rng.normal(size=(lower + upper + 1, n))
    ab[upper] *= 0.1  # so that rows are exchanged
    b = rng.normal(size=(n, 2))
    a = dense(ab, lower, upper)
    x = linalg.solve_banded((lower, upper), ab, b)
    assert np.linalg.norm(a @ x - b) <= 1e-11 * np.linalg.norm(x) * np.linalg.norm(a)


def test_banded_failures():
    with pytest.raises(linalg.LinAlgError, match="singular"):
        linalg.solve_banded((1, 1), np.zeros((3, 4)), np.ones(4))
    with pytest.raises(linalg.LinAlgError, match="singular"):
        linalg.solve_banded((2, 0), np.zeros((3, 4)), np.ones(4))
    with pytest.raises(ValueError, match="l\\+u\\+1"):
        linalg.solve_banded((1, 2), np.ones((3, 4)), np.ones(4))
    with pytest.raises(linalg.LinAlgError, match="2-th leading minor"):
        linalg.solveh_banded([[2.0, 2.0], [1.0, -1.0]], [1.0, 1.0])
    assert np.isnan(linalg.solveh_banded(jnp.array([[2.0, 2.0], [1.0, -1.0]]), jnp.ones(2))).any()


@pytest.mark.parametrize("lower", [False, True])
def test_hermitian_bands(lower):
    n, p = 6, 2
    a = rng.normal(size=(n, n)) + 1j * rng.normal(size=(n, n))
    a = np.triu(np.tril(a @ a.conj().T, p), -p) + 20 * np.eye(n)
    band = np.zeros((p + 1, n), complex)
    for k in range(p + 1):
        if lower:
            band[k, : n - k] = np.diag(a, -k)
        else:
            band[p - k, k:] = np.diag(a, k)
    b = rng.normal(size=n)
    np.testing.assert_allclose(a @ linalg.solveh_banded(band, b, lower=lower), b, atol=1e-12)
    factor = linalg.cholesky_banded(band, lower=lower)
    np.testing.assert_allclose(factor, scipy.linalg.cholesky_banded(band, lower=lower), atol=1e-12)
    np.testing.assert_allclose(a @ linalg.cho_solve_banded((factor, lower), b), b, atol=1e-12)
    np.testing.assert_allclose(linalg.eigvals_banded(band, lower=lower), np.linalg.eigvalsh(a), atol=1e-11)


def test_toeplitz_systems():
    for n in (1, 2, 7):
        c, r, b = rng.normal(size=n) + 3j, rng.normal(size=n) + 0j, rng.normal(size=(n, 2))
        t = linalg.toeplitz(c, r)
        np.testing.assert_array_equal(t, scipy.linalg.toeplitz(c, r))
        np.testing.assert_allclose(t @ linalg.solve_toeplitz((c, r), b), b, atol=1e-10)
        np.testing.assert_allclose(linalg.matmul_toeplitz((c, r), b), t @ b, atol=1e-12)
    with pytest.raises(linalg.LinAlgError, match="Singular principal minor"):
        linalg.solve_toeplitz([1.0, 1.0], [1.0, 2.0])
    with pytest.raises(linalg.LinAlgError, match="near singular"):
        linalg.solve_circulant([1.0, 1.0, 1.0], [1.0, 2.0, 3.0])
    expected = np.linalg.pinv(np.ones((3, 3))) @ [1.0, 2.0, 3.0]
    np.testing.assert_allclose(linalg.solve_circulant(np.ones(3), [1.0, 2.0, 3.0], singular="lstsq"), expected)


@pytest.mark.parametrize("n", [1, 2, 3, 4, 5])
def test_stacks_of_small_systems(n):
    a = rng.normal(size=(20, n, n)) + 1j * rng.normal(size=(20, n, n))
    a[0] = np.eye(n)[::-1]  # only row exchanges
    b = rng.normal(size=(20, n, 2))
    np.testing.assert_allclose(linalg.solve(a, b), np.linalg.solve(a, b), rtol=1e-8, atol=1e-10)
    np.testing.assert_allclose(linalg.inv(a), np.linalg.inv(a), rtol=1e-8, atol=1e-10)
    np.testing.assert_allclose(linalg.det(a), np.linalg.det(a), rtol=1e-10, atol=1e-12)
    h = a @ a.conj().swapaxes(-1, -2) + np.eye(n)
    factor = linalg.cholesky(h, lower=True)
    np.testing.assert_allclose(factor @ factor.conj().swapaxes(-1, -2), h, atol=1e-12)


def test_small_systems_under_two_vmaps_and_their_gradient():
    a, b = rng.normal(size=(2, 5, 3, 3)).astype(np.float32) + 2 * np.eye(3, dtype=np.float32), np.ones(3, np.float32)
    twice = jax.vmap(jax.vmap(lambda m: linalg.solve(m, b)))(jnp.asarray(a))
    np.testing.assert_allclose(twice, np.linalg.solve(a, np.broadcast_to(b[:, None], (2, 5, 3, 1)))[..., 0], rtol=2e-3)
    with jax.enable_x64(True):
        spd = jnp.asarray(a[0].astype(float) @ a[0].astype(float).swapaxes(-1, -2))
        gradient = jax.grad(lambda m: jax.vmap(linalg.cholesky)(m).sum())(spd)
        single = jnp.stack([jax.grad(lambda m: linalg.cholesky(m).sum())(m) for m in spd])
    np.testing.assert_allclose(gradient, single, rtol=1e-10)


def test_singular_slices_of_small_stacks_are_named():
    a = np.stack([np.eye(3), np.ones((3, 3)), np.eye(3)])
    for call in (lambda: linalg.solve(a, np.ones((3, 3, 1))), lambda: linalg.inv(a)):
        with pytest.raises(linalg.LinAlgError, match=r"slice\(s\) \[1\]"):
            call()


def test_rank_deficient_least_squares():
    a = np.array([[1.0, 2.0], [2.0, 4.0], [3.0, 6.0]])
    b = np.array([1.0, 0.0, 2.0])
    ours, theirs = linalg.lstsq(a, b), scipy.linalg.lstsq(a, b)
    np.testing.assert_allclose(ours[0], theirs[0], atol=1e-13)
    np.testing.assert_array_equal(ours[1], theirs[1])  # none before SciPy 1.18, NaN since
    assert np.shape(ours[1]) == theirs[1].shape and ours[2] == 1
    _, residues, rank, _ = linalg.lstsq(jnp.asarray(a), jnp.asarray(b))
    assert np.isnan(residues) and rank == 1


def test_pseudo_inverse_derivative_at_deficient_rank():
    with jax.enable_x64(True):
        u, v = jnp.asarray(rng.normal(size=(4, 2))), jnp.asarray(rng.normal(size=(2, 3)))
        function = lambda u: jnp.sin(linalg.pinv(u @ v)).sum()  # the rank stays 2  # noqa: E731
        direction = jnp.asarray(rng.normal(size=u.shape))
        slope = (jax.grad(function)(u) * direction).sum()
        expected = (function(u + 1e-6 * direction) - function(u - 1e-6 * direction)) / 2e-6
    np.testing.assert_allclose(slope, expected, rtol=1e-6)
