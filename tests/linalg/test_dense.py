"""Dense factorisations and solves: residuals over many kinds of matrices, failures, structures."""

from __future__ import annotations

import warnings

import jax
import jax.numpy as jnp
import mpmath
import numpy as np
import pytest
import scipy.linalg
from hypothesis import given, settings
from hypothesis import strategies as st

from sci import linalg

rng = np.random.default_rng(7)


def hilbert(n):
    return scipy.linalg.hilbert(n)


MATRICES = {
    "random": rng.normal(size=(6, 6)),
    "complex": rng.normal(size=(5, 5)) + 1j * rng.normal(size=(5, 5)),
    "tall": rng.normal(size=(7, 3)),
    "wide": rng.normal(size=(3, 7)),
    "complex tall": rng.normal(size=(6, 4)) + 1j * rng.normal(size=(6, 4)),
    "defective": np.array([[2.0, 1.0, 0.0], [0.0, 2.0, 1.0], [0.0, 0.0, 2.0]]),
    "singular": np.array([[1.0, 2.0], [2.0, 4.0]]),
    "ill-conditioned": hilbert(8),
    "1x1": np.array([[3.0]]),
    "stack": rng.normal(size=(2, 3, 4, 4)),
    "integer": np.arange(12).reshape(4, 3),
}


def close(a, b, scale=1.0):
    np.testing.assert_allclose(a, b, atol=1e-13 * scale * max(1.0, np.abs(b).max(initial=0)))


@pytest.mark.parametrize("a", MATRICES.values(), ids=MATRICES.keys())
def test_factors_rebuild_the_matrix(a):
    m, n = a.shape[-2:]
    p, lower, upper = linalg.lu(a)
    close(p @ lower @ upper, a, n)
    permuted, upper = linalg.lu(a, permute_l=True)
    close(permuted @ upper, a, n)
    for mode, pivoting in [("full", False), ("economic", False), ("full", True), ("economic", True)]:
        if a.ndim > 2 and pivoting:
            continue
        q, r, *order = linalg.qr(a, mode=mode, pivoting=pivoting)
        close(q @ r, a[..., order[0]] if order else a, n)
        close(
            np.swapaxes(q.conj(), -1, -2) @ q,
            np.broadcast_to(np.eye(q.shape[-1]), (*a.shape[:-2], *[q.shape[-1]] * 2)),
            n,
        )
    u, s, vh = linalg.svd(a, full_matrices=False)
    close((u * s[..., None, :]) @ vh, a, n)
    u, s, vh = linalg.svd(a)
    assert u.shape[-2:] == (m, m) and vh.shape[-2:] == (n, n)
    close(u @ np.swapaxes(u.conj(), -1, -2), np.broadcast_to(np.eye(m), u.shape), n)
    if m == n:
        hermitian = a + np.swapaxes(np.conj(a), -1, -2)
        w, v = linalg.eigh(hermitian)
        close(hermitian @ v, v * w[..., None, :], n)


@pytest.mark.parametrize(
    "structure",
    ["gen", "sym", "her", "pos", "diagonal", "tridiagonal", "banded", "upper triangular", "lower triangular"],
)
@pytest.mark.parametrize("lower", [False, True])
def test_solve_reads_what_the_structure_names(structure, lower):
    a = rng.normal(size=(5, 5))
    a = a @ a.T + 5 * np.eye(5)
    b = rng.normal(size=(5, 2))
    if structure == "banded":
        a = np.triu(np.tril(a, 1), -1)
    junk = a + (np.triu(np.full((5, 5), 9.0), 1) if lower else np.tril(np.full((5, 5), 9.0), -1))
    given_matrix = junk if structure in ("sym", "her", "pos") else a
    expected = scipy.linalg.solve(given_matrix, b, assume_a=structure, lower=lower)
    np.testing.assert_allclose(linalg.solve(given_matrix, b, assume_a=structure, lower=lower), expected, rtol=1e-12)


def test_singular_and_ill_conditioned_systems():
    with pytest.raises(linalg.LinAlgError, match="singular"):
        linalg.solve([[1.0, 2.0], [2.0, 4.0]], [1.0, 1.0])
    with pytest.raises(linalg.LinAlgError, match=r"slice\(s\) \[1\]"):
        linalg.inv(np.stack([np.eye(2), np.zeros((2, 2))]))
    for n in (14, 25):  # exact and estimated condition numbers
        with pytest.warns(linalg.LinAlgWarning, match="rcond"):
            linalg.solve(hilbert(n), np.ones(n))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        linalg.solve(hilbert(9), np.ones(9))
    with pytest.raises(linalg.LinAlgError, match="2-th leading minor"):
        linalg.cholesky([[1.0, 2.0], [2.0, 1.0]])
    with pytest.raises(linalg.LinAlgError, match="B is not positive definite"):
        linalg.eigh(np.eye(2), -np.eye(2))
    assert not np.isfinite(linalg.solve(jnp.zeros((2, 2)), jnp.ones(2))).any()


def test_condition_estimate_is_close_to_the_exact_one():
    from sci.linalg.basic import _solve_one

    for n in (20, 40):
        a = rng.normal(size=(n, n))
        _, rcond = _solve_one(jnp.asarray(a, jnp.float32), jnp.ones((n, 1)), True)
        exact = 1 / np.linalg.cond(a, 1)
        assert exact * 0.9 <= float(rcond) <= 3 * exact


@pytest.mark.parametrize("type", [1, 2, 3])
def test_generalised_eigenproblems(type):
    a, b = (m @ m.T + np.eye(4) for m in rng.normal(size=(2, 4, 4)))
    w, v = linalg.eigh(a, b, type=type)
    left = {1: a @ v, 2: a @ b @ v, 3: b @ a @ v}[type]
    right = {1: b @ v, 2: v, 3: v}[type] * w
    np.testing.assert_allclose(left, right, atol=1e-10)
    np.testing.assert_allclose(w, scipy.linalg.eigh(a, b, type=type, eigvals_only=True), rtol=1e-10)


def test_gradients_at_degenerate_eigenvalues_are_finite_and_right():
    # log det = sum of log w does not depend on the choice of vectors; its gradient is the inverse
    a = jnp.diag(jnp.array([2.0, 2.0, 3.0]))
    gradient = jax.grad(lambda a: jnp.log(linalg.eigh(a)[0]).sum())(a)
    np.testing.assert_allclose(gradient, np.linalg.inv(a), atol=1e-6)
    # a smooth matrix function through the vectors
    power = jax.jacobian(lambda a: (lambda w, v: (v * w**2) @ v.T)(*linalg.eigh(a)))(a)
    assert np.isfinite(power).all()


def reference_expm(a):
    with mpmath.workdps(60):
        return np.array(mpmath.expm(mpmath.matrix(a.tolist())).tolist(), dtype=float)


@pytest.mark.parametrize(
    "a",
    [
        np.array([[1.0, 1e10], [0.0, -1.0]]), np.array([[1.0, 1e6], [0.0, -1.0]]), np.zeros((3, 3)),
        np.array([[0.0, 1e8], [0.0, 0.0]]), 1e-12 * rng.normal(size=(3, 3)), 5 * rng.normal(size=(6, 6)),
        200 * np.array([[0.0, 1.0], [-1.0, 0.0]]), -50 * np.eye(3) + rng.normal(size=(3, 3)),
    ],
)  # fmt: skip
def test_expm_against_mpmath(a):
    expected = reference_expm(a)
    assert np.linalg.norm(linalg.expm(a) - expected) <= 1e-12 * np.linalg.norm(expected)


def test_expm_reverse_and_second_order():
    a = jnp.array([[0.1, 2.0], [-1.5, 0.3]])
    with jax.enable_x64(True):
        a = jnp.asarray(np.asarray(a, float))
        f = lambda t: linalg.expm(t * a).sum()  # noqa: E731
        second = jax.grad(jax.grad(f))(0.7)
        expected = (scipy.linalg.expm(0.7 * np.asarray(a)) @ np.asarray(a) @ np.asarray(a)).sum()
    np.testing.assert_allclose(second, expected, rtol=1e-10)


@given(st.integers(1, 5), st.integers(0, 2**32 - 1))
@settings(max_examples=15, deadline=None)
def test_exp_of_minus_a_is_the_inverse(n, seed):
    a = np.random.default_rng(seed).normal(size=(n, n))
    np.testing.assert_allclose(linalg.expm(a) @ linalg.expm(-a), np.eye(n), atol=1e-9)
    np.testing.assert_allclose(linalg.det(linalg.expm(a)), np.exp(np.trace(a)), rtol=1e-9)
