"""svds, lobpcg, expm_multiply and spsolve: SciPy's results, options, failures, derivatives."""

from __future__ import annotations

import warnings

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import sparse
from scipy.linalg import eigh, expm
from scipy.sparse import linalg as original

import sci
from sci.sparse import linalg
from tests.sparse.test_eigen import MASS, SYMMETRIC, laplacian

rng = np.random.default_rng(8)


TALL = sparse.random_array((60, 25), density=0.3, rng=rng).tocsr()


@pytest.mark.parametrize("solver", ["arpack", "propack", "lobpcg"])
def test_svds(solver):
    dense = TALL.toarray()
    want = np.linalg.svd(dense, compute_uv=False)[:3][::-1]
    u, s, vh = linalg.svds(TALL, 3, solver=solver, **({"maxiter": 100} if solver == "lobpcg" else {}))
    np.testing.assert_allclose(s, want, rtol=1e-7 if solver == "lobpcg" else 1e-10)
    assert np.abs(dense @ vh.T - u * s).max() < 1e-6 and u.shape == (60, 3) and vh.shape == (3, 25)
    assert not sci.fallbacks()


def test_svds_shapes_kinds_and_choices():
    a = TALL.T.toarray() + 0.2j * rng.normal(size=(25, 60))
    u, s, vh = linalg.svds(a, 2)
    np.testing.assert_allclose(s, np.linalg.svd(a, compute_uv=False)[:2][::-1])
    np.testing.assert_allclose(u.conj().T @ a @ vh.conj().T, np.diag(s), atol=1e-10)
    every = np.linalg.svd(TALL.toarray(), compute_uv=False)
    np.testing.assert_allclose(
        linalg.svds(TALL, 2, which="SM", return_singular_vectors=False), every[-2:][::-1], rtol=1e-6
    )
    np.testing.assert_allclose(linalg.svds(TALL, 25, solver="propack")[1], every[::-1], rtol=1e-8)
    dense = TALL.toarray()
    operator = original.LinearOperator(
        TALL.shape, matvec=lambda x: dense @ x, rmatvec=lambda x: dense.T @ x, dtype=float
    )
    np.testing.assert_allclose(linalg.svds(operator, 2, return_singular_vectors=False), every[:2][::-1])
    u, s, vh = linalg.svds(TALL, 2, return_singular_vectors="u")
    assert vh is None and u.shape == (60, 2)
    assert not sci.fallbacks()


@pytest.mark.parametrize(
    "options", [{"k": 25}, {"k": 0}, {"ncv": 2}, {"tol": -1}, {"which": "LA"}, {"v0": np.ones(3)}, {"maxiter": 0},
                {"return_singular_vectors": "v"}, {"solver": "other"}],
)  # fmt: skip
def test_svds_refuses(options):
    for module in (original, linalg):
        with pytest.raises(ValueError):
            module.svds(TALL, **{"k": 3} | options)


def test_svds_by_blocks_warns_as_scipy():
    every = np.linalg.svd(TALL.toarray(), compute_uv=False)
    with pytest.warns(UserWarning, match="Exited at iteration"):
        linalg.svds(TALL, 3, solver="lobpcg", maxiter=2)
    for which, want in (("LM", every[:6][::-1]), ("SM", every[-6:][::-1])):
        with pytest.warns(UserWarning, match="The problem size 25"):
            u, s, vh = linalg.svds(TALL, 6, solver="lobpcg", which=which)
        np.testing.assert_allclose(s, want)
        assert np.abs(TALL @ vh.T - u * s).max() < 1e-10
    assert linalg.svds(TALL.astype(np.float32), 2, solver="lobpcg", maxiter=99)[1].dtype == float
    assert not sci.fallbacks()


def test_svds_of_values_that_are_small_beside_the_norm():
    n = 60
    difference = sparse.diags_array([-np.ones(n - 1), np.ones(n - 1)], offsets=[0, 1], shape=(n - 1, n))
    s = linalg.svds(difference, 3, which="SM", return_singular_vectors=False)
    np.testing.assert_allclose(s, 2 * np.sin(np.pi * np.arange(1, 4) / (2 * n)), rtol=1e-6)


def test_svds_refuses_what_is_no_matrix():
    with pytest.raises(TypeError, match="type not understood"):
        linalg.svds("hi", 1)
    with pytest.raises(ValueError, match="ndim <= 2"):
        linalg.svds(np.ones((2, 3, 4)), 1)


X = np.cos(np.arange(72.0) ** 2).reshape(36, 2)


@pytest.mark.parametrize("largest", [pytest.param(True, marks=pytest.mark.slow), False])
@pytest.mark.parametrize("kind", ["plain", "generalised", "preconditioned", "constrained"])
def test_lobpcg(kind, largest):
    a = SYMMETRIC
    options = {
        "plain": {}, "generalised": {"B": MASS}, "preconditioned": {"M": sparse.diags_array(1 / a.diagonal())},
        "constrained": {"Y": np.linalg.eigh(a.toarray())[1][:, [0, -1]]},
    }[kind]  # fmt: skip
    w, v = linalg.lobpcg(a, X, tol=1e-8, maxiter=200, largest=largest, **options)
    m = options.get("B", sparse.eye_array(36))
    assert np.abs(a @ v - (m @ v) * w).max() < 1e-6
    np.testing.assert_allclose(v.T @ (m @ v), np.eye(2), atol=1e-9)
    expected = original.lobpcg(a, X.copy(), tol=1e-8, maxiter=200, largest=largest, **options)[0]
    np.testing.assert_allclose(w, expected, rtol=1e-9)
    assert not sci.fallbacks()


def test_lobpcg_histories_operators_and_warnings():
    a = SYMMETRIC.toarray()
    out = linalg.lobpcg(a, X, tol=1e-6, maxiter=80, retLambdaHistory=True, retResidualNormsHistory=True)
    theirs = original.lobpcg(a, X.copy(), tol=1e-6, maxiter=80, retLambdaHistory=True, retResidualNormsHistory=True)
    assert len(out) == 4 and abs(len(out[2]) - len(theirs[2])) <= 2 and len(out[2]) == len(out[3])
    np.testing.assert_allclose(out[3][3], theirs[3][3], rtol=1e-6)
    for operator in (lambda x: a @ x, original.LinearOperator((36, 36), matvec=lambda x: a @ x, dtype=float)):
        np.testing.assert_allclose(linalg.lobpcg(operator, X, tol=1e-8, maxiter=200)[0], out[0], rtol=1e-8)
    with pytest.warns(UserWarning, match="not reaching the requested"):
        linalg.lobpcg(a, X, tol=1e-12, maxiter=2)
    with pytest.raises(ValueError, match="dependent"):
        linalg.lobpcg(a, np.ones((36, 2)))
    with pytest.raises(ValueError, match="rank-2"):
        linalg.lobpcg(a, np.ones(36))
    assert not sci.fallbacks()


def test_lobpcg_of_a_pencil_agrees_with_a_dense_solver():
    w, v = linalg.lobpcg(SYMMETRIC, X.astype(np.float32), B=MASS, largest=False, maxiter=200, tol=1e-3)
    assert w.dtype == original.lobpcg(SYMMETRIC, X.astype(np.float32), B=MASS, maxiter=200, tol=1e-3)[0].dtype
    np.testing.assert_allclose(w, eigh(SYMMETRIC.toarray(), MASS.toarray(), eigvals_only=True)[:2], rtol=1e-4)
    single = linalg.lobpcg(SYMMETRIC.astype(np.float32), X.astype(np.float32), maxiter=200, tol=1e-2)[0]
    assert single.dtype == np.float32


@pytest.mark.parametrize("kind", ["dense", "sparse", "complex"])
def test_action_of_the_exponential(kind):
    a, b = rng.normal(size=(15, 15)) * 3, rng.normal(size=(15, 2))
    if kind == "sparse":
        a = sparse.csr_array(a)
    elif kind == "complex":
        a = 1j * a
    dense = a.toarray() if kind == "sparse" else a
    for block in (b, b[:, 0]):
        np.testing.assert_allclose(linalg.expm_multiply(a, block), expm(dense) @ block, rtol=1e-9)
    times = linalg.expm_multiply(a, b, start=0.2, stop=1.0, num=4, endpoint=False)
    expected = original.expm_multiply(a, b, start=0.2, stop=1.0, num=4, endpoint=False)
    np.testing.assert_allclose(times, expected, rtol=1e-8)
    np.testing.assert_allclose(linalg.expm_multiply(a, b, traceA=3.0), expm(dense) @ b, rtol=1e-9)
    assert not sci.fallbacks()


def test_action_of_the_exponential_of_a_stiff_matrix_and_bad_shapes():
    a = -50 * laplacian(5)
    np.testing.assert_allclose(linalg.expm_multiply(a, np.ones(25)), expm(a.toarray()) @ np.ones(25), atol=1e-12)
    np.testing.assert_array_equal(linalg.expm_multiply(np.zeros((3, 3)), np.arange(3.0)), np.arange(3.0))
    for arguments in ((np.ones((2, 3)), np.ones(3)), (np.eye(3), np.ones(2)), (np.eye(2), np.ones((2, 2, 2)))):
        for module in (original, linalg):
            with pytest.raises(ValueError):
                module.expm_multiply(*arguments)
    with pytest.raises(ValueError, match="two time points"):
        linalg.expm_multiply(np.eye(2), np.ones(2), 0.0, 1.0, 1)
    with jax.enable_x64(True):
        x = jnp.asarray(rng.normal(size=(6, 6)))
        slope = jax.grad(lambda x: linalg.expm_multiply(x, jnp.ones(6)).sum())(x)
        expected = jax.grad(lambda x: jax.scipy.linalg.expm(x).sum())(x)
        np.testing.assert_allclose(slope, expected, rtol=1e-9)


def scattered(n):
    """A band in a random order."""
    order = rng.permutation(n)
    a = sparse.diags_array([np.full(n - 2, 0.7), np.full(n - 1, -1.0), np.linspace(-3, 3, n)], offsets=[2, -1, 0])
    return a.tocsr()[order][:, order]


@pytest.mark.parametrize("n", [3, 40, 500])
@pytest.mark.parametrize("kind", ["real", "complex", "columns", "single"])
def test_spsolve(n, kind):
    a, b = scattered(n), rng.normal(size=(n, 3))[:, : 3 if kind == "columns" else 1]
    if kind == "complex":
        a = a + 1j * sparse.eye_array(n, format="csr")
    if kind == "single":
        a, b = a.astype(np.float32), b.astype(np.float32)
    x = linalg.spsolve(a, b)
    assert x.dtype == original.spsolve(a, b).dtype and x.shape == original.spsolve(a, b).shape
    size = abs(a).sum(axis=1).max() * np.abs(x).max()
    assert np.abs(a @ x.reshape(b.shape) - b).max() <= 50 * np.finfo(x.dtype).eps * size
    assert not sci.fallbacks()


def test_spsolve_singular_wide_and_differentiated():
    singular = sparse.diags_array([1.0, 0.0, 2.0]).tocsc()
    with pytest.warns(linalg.MatrixRankWarning):
        assert np.isnan(linalg.spsolve(singular, np.ones(3))).all()
    with pytest.raises(ValueError, match="square"):
        linalg.spsolve(sparse.csr_array((2, 3)), np.ones(2))
    with pytest.raises(ValueError, match="mismatch"):
        linalg.spsolve(sparse.eye_array(3, format="csr"), np.ones(2))
    a = scattered(40)
    with jax.enable_x64(True):
        got = jax.grad(lambda b: (linalg.spsolve(a, b) ** 2).sum())(jnp.ones(40))
    x = original.spsolve(a, np.ones(40))
    np.testing.assert_allclose(got, 2 * original.spsolve(a.T.tocsr(), x), rtol=1e-8)
    assert not sci.fallbacks()
    wide = sparse.random_array((300, 300), density=0.1, rng=rng).tocsr() + 5 * sparse.eye_array(300)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        linalg.spsolve(wide.tocsr(), np.ones(300))
    assert "fill" in sci.fallbacks()[0].detail
