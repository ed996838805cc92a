"""spsolve_triangular and the factorisations: residuals, orders of solution, derivatives, failures."""

from __future__ import annotations

import pickle

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.experimental import sparse as jax_sparse
from scipy import sparse
from scipy.sparse import linalg as original

import sci
from sci.sparse import linalg
from sci.sparse.linalg import direct
from sci.sparse.linalg._sparse_lu import sparse_lu

rng = np.random.default_rng(5)


def _matrices():
    n = 40
    full = sparse.random_array((n, n), density=0.15, rng=rng) + 4 * sparse.eye_array(n)
    yield "random", full
    yield "complex", full + 1j * sparse.random_array((n, n), density=0.1, rng=rng)
    yield "chain", sparse.diags_array([np.full(n - 1, 0.5), np.full(n, 2.0), np.full(n - 1, 0.3)], offsets=[-1, 0, 1])
    yield "diagonal", sparse.diags_array(np.arange(1.0, n + 1))
    dense_rows = np.eye(n) * 3
    dense_rows[-3:] = dense_rows[:3] = rng.normal(size=(3, n))
    dense_rows[np.arange(n), np.arange(n)] = 5
    yield "long rows", sparse.csr_array(dense_rows)
    yield "one by one", sparse.csr_array([[2.5]])


MATRICES = dict(_matrices())


@pytest.mark.parametrize("name", MATRICES)
@pytest.mark.parametrize("form", ["csc", "csr"])
@pytest.mark.parametrize("lower", [True, False])
def test_triangular(name, form, lower):
    a = (sparse.tril if lower else sparse.triu)(MATRICES[name]).asformat(form)
    n = a.shape[0]
    b = rng.normal(size=(n, 3)) + (1j * rng.normal(size=(n, 3)) if name == "chain" else 0)
    x = linalg.spsolve_triangular(a, b, lower=lower)
    np.testing.assert_allclose(a @ x, b, atol=1e-12)
    np.testing.assert_allclose(x, original.spsolve_triangular(a, b, lower=lower), rtol=1e-10, atol=1e-12)
    unit = linalg.spsolve_triangular(a, b[:, 0], lower, unit_diagonal=True)
    rest = a - sparse.diags_array(a.diagonal())
    np.testing.assert_allclose(rest @ unit + unit, b[:, 0], atol=1e-10 * np.abs(unit).max())
    assert not sci.fallbacks()


@pytest.mark.parametrize("a", [np.float32, np.float64, np.int64, np.complex64])
@pytest.mark.parametrize("b", [np.float32, np.float64, np.int32])
def test_triangular_dtypes(a, b):
    matrix, rhs = sparse.csr_array(np.array([[2, 0], [1, 4]], a)), np.array([2, 9], b)
    ours, theirs = (m.spsolve_triangular(matrix, rhs) for m in (linalg, original))
    assert ours.dtype == theirs.dtype
    np.testing.assert_allclose(ours, theirs, rtol=1e-6)


def test_triangular_refuses():
    a, b = sparse.csc_array(np.array([[2.0, 0.0], [1.0, 4.0]])), np.ones(2)
    singular = sparse.csc_array(np.array([[2.0, 0.0], [1.0, 0.0]]))
    with pytest.raises(np.linalg.LinAlgError, match="singular"):
        linalg.spsolve_triangular(singular, b)
    with pytest.raises(np.linalg.LinAlgError, match="not triangular"):
        linalg.spsolve_triangular(a, b, lower=False)
    for wrong in ((a[:1], b), (a, np.ones(3)), (a, np.ones((2, 1, 1)))):
        for module in (original, linalg):
            with pytest.raises(ValueError):
                module.spsolve_triangular(*wrong)
    with pytest.warns(sparse.SparseEfficiencyWarning):
        np.testing.assert_allclose(linalg.spsolve_triangular(a.toarray(), b), [0.5, 0.125])
    # explicit zeros in the other triangle are none
    stored = sparse.csr_array((np.array([2.0, 0.0, 1.0, 4.0]), np.array([0, 1, 0, 1]), np.array([0, 2, 4])))
    np.testing.assert_allclose(linalg.spsolve_triangular(stored, b), [0.5, 0.125])


def _jax_matrix(kind, data, pattern):
    coo = pattern.tocoo()
    if kind == "BCSR":
        return jax_sparse.BCSR((data, pattern.indices, pattern.indptr), shape=pattern.shape)
    return jax_sparse.BCOO((data, np.stack([coo.row, coo.col], 1)), shape=pattern.shape)


@pytest.mark.parametrize("kind", ["BCOO", "BCSR"])
@pytest.mark.parametrize("lower", [True, False])
def test_triangular_derivatives(kind, lower):
    pattern = (sparse.tril if lower else sparse.triu)(MATRICES["random"]).tocsr()
    b, weights = rng.normal(size=40), rng.normal(size=40)
    with jax.enable_x64(True):

        def f(data, b, scale):
            x = linalg.spsolve_triangular(_jax_matrix(kind, scale * data, pattern), b, lower=lower)
            return weights @ jnp.sin(x)

        def dense(data, b, scale):
            coo = pattern.tocoo()
            matrix = jnp.zeros((40, 40)).at[coo.row, coo.col].add(scale * data)
            return weights @ jnp.sin(jnp.linalg.solve(matrix, b))

        at = jnp.asarray(pattern.data), jnp.asarray(b), 1.1
        for got, want in zip(jax.grad(f, (0, 1, 2))(*at), jax.grad(dense, (0, 1, 2))(*at), strict=True):
            np.testing.assert_allclose(got, want, rtol=1e-9, atol=1e-11)
        for got, want in zip(jax.jit(jax.grad(f, (0, 1)))(*at), jax.grad(dense, (0, 1))(*at), strict=True):
            np.testing.assert_allclose(got, want, rtol=1e-9, atol=1e-11)
        # forward over reverse
        second = [jax.jvp(jax.grad(g, 2), at, (at[0], jnp.cos(at[1]), 1.0))[1] for g in (f, dense)]
        np.testing.assert_allclose(*second, rtol=1e-8)
        many = jax.vmap(lambda b: linalg.spsolve_triangular(pattern, b, lower=lower))(jnp.stack([at[1], 2 * at[1]]))
        np.testing.assert_allclose(pattern @ many.T, np.stack([b, 2 * b], 1), atol=1e-12)
        assert jnp.isnan(linalg.spsolve_triangular(jnp.asarray([[1.0, 0.0], [1.0, 0.0]]), jnp.ones(2))[1])


def test_triangular_adds_repeated_entries():
    rows, columns = np.array([0, 0, 1, 1, 1, 2]), np.array([0, 0, 0, 0, 1, 2])
    matrix = jax_sparse.BCOO((jnp.asarray([1.0, 1.0, 2.0, 3.0, 4.0, 7.0]), np.stack([rows, columns], 1)), shape=(2, 2))
    np.testing.assert_allclose(linalg.spsolve_triangular(matrix, np.array([2.0, 9.0])), [1.0, 1.0], rtol=1e-6)


# --- factors -------------------------------------------------------------------------------------


def _general(kind):
    a = sparse.random_array((60, 60), density=0.08, rng=np.random.default_rng(2)) + sparse.diags_array(
        np.arange(1.0, 61)
    )
    return (a + 0.2j * a.T if kind == "complex" else a).tocsc()


@pytest.mark.parametrize("kind", ["real", "complex"])
@pytest.mark.parametrize("trans", ["N", "T", "H"])
def test_factors_solve_in_both_worlds(kind, trans):
    a = _general(kind)
    factors = linalg.splu(a)
    dense = {"N": a, "T": a.T, "H": a.conj().T}[trans].toarray()
    b = rng.normal(size=(60, 2))
    np.testing.assert_allclose(dense @ factors.solve(b.astype(a.dtype), trans), b, atol=1e-11)
    with jax.enable_x64(True):
        x = jax.jit(lambda b: factors.solve(b, trans))(jnp.asarray(b))
        assert isinstance(x, jax.Array)
        np.testing.assert_allclose(dense @ x, b, atol=1e-11)
        many = jax.vmap(lambda b: factors.solve(b, trans), 1, 1)(jnp.asarray(b) + 1j)
        np.testing.assert_allclose(dense @ many, b + 1j, atol=1e-11)
        weights = rng.normal(size=60)
        f = lambda b: jnp.real(weights @ factors.solve(b, trans)) ** 2 / 2  # noqa: E731
        value = np.real(weights @ np.linalg.solve(dense, b[:, 0]))
        want = np.real(np.linalg.solve(dense.T, weights)) * value
        np.testing.assert_allclose(jax.jit(jax.grad(f))(jnp.asarray(b[:, 0])), want, rtol=1e-8, atol=1e-12)
        hessian_row = jax.jvp(jax.grad(f), (jnp.asarray(b[:, 0]),), (jnp.asarray(b[:, 1]),))[1]
        slope = np.real(weights @ np.linalg.solve(dense, b[:, 1]))
        np.testing.assert_allclose(hessian_row, want / value * slope, rtol=1e-8, atol=1e-12)
    single = factors.solve(jnp.asarray(b[:, 0], jnp.float32), trans)
    assert single.dtype == (jnp.float32 if kind == "real" else jnp.complex64)


def test_factors_are_scipys():
    a = _general("real")
    factors, theirs = linalg.splu(a), original.splu(a)
    assert isinstance(factors, original.SuperLU) and isinstance(factors, linalg.SuperLU)
    for name in ("L", "U"):
        assert (getattr(factors, name) != getattr(theirs, name)).nnz == 0
    np.testing.assert_array_equal(factors.perm_r, theirs.perm_r)
    np.testing.assert_array_equal(factors.perm_c, theirs.perm_c)
    assert (factors.nnz, factors.shape) == (theirs.nnz, theirs.shape)
    for value in (factors, theirs):
        with pytest.raises(TypeError, match="pickle"):
            pickle.dumps(value)
        with pytest.raises(ValueError, match="trans must be"):
            value.solve(np.ones(60), "X")
        with pytest.raises(ValueError, match="incompatible size"):
            value.solve(np.ones(59))
    with pytest.raises(ValueError, match="trans must be"):
        factors.solve(jnp.ones(60), "X")
    with pytest.raises(ValueError, match="incompatible size"):
        factors.solve(jnp.ones(59))
    (record,) = [r for r in sci.fallbacks() if r.function == "scipy.sparse.linalg.splu"]
    assert "host" in record.detail


def test_factors_precondition_and_refuse():
    a = _general("real")
    near = linalg.spilu(a, drop_tol=1e-3)
    x, info = linalg.gmres(a, jnp.ones(60), M=near.solve, rtol=1e-5)
    assert info == 0 and np.abs(a @ x - 1).max() < 1e-3
    operator = original.LinearOperator(a.shape, near.solve)
    assert linalg.gmres(a, np.ones(60), M=operator)[1] == 0
    assert not [r for r in sci.fallbacks() if "gmres" in r.function]
    np.testing.assert_allclose(a @ linalg.factorized(a)(np.ones(60)), 1.0)
    with jax.enable_x64(True):
        np.testing.assert_allclose(a @ jax.jit(linalg.factorized(a))(jnp.ones(60)), 1.0)
        matrix = jax_sparse.BCOO.from_scipy_sparse(a)
        np.testing.assert_allclose(a @ linalg.splu(matrix).solve(jnp.ones(60)), 1.0)
        with pytest.raises(sci.HostOnlyError, match="traced"):
            jax.jit(lambda d: linalg.splu(jax_sparse.BCOO((d, matrix.indices), shape=a.shape)).solve(d[:60]))(
                matrix.data
            )
    singular = sparse.csc_array(np.array([[1.0, 2.0], [2.0, 4.0]]))
    for module in (original, linalg):
        with pytest.raises(RuntimeError, match="singular"):
            module.splu(singular)
        with pytest.raises(ValueError, match="square"):
            module.splu(a[:5])


# --- factors inside other functions --------------------------------------------------------------


@pytest.mark.parametrize("kind", ["symmetric", "indefinite", "general", "hermitian", "complex symmetric", "pivots"])
def test_sparse_lu(kind):
    n = 80
    a = sparse.random_array((n, n), density=0.05, rng=np.random.default_rng(4)) + 3 * sparse.eye_array(n)
    b = sparse.random_array((n, n), density=0.03, rng=np.random.default_rng(5))
    a = {
        "symmetric": a + a.T, "indefinite": a + a.T - sparse.diags_array(np.arange(n) % 13.0), "general": a,
        "hermitian": a + a.T + 1j * (b - b.T), "complex symmetric": a + a.T + 1j * (b + b.T),
        # zeros on the diagonal: the symmetric order cannot hold
        "pivots": sparse.block_array([[None, a], [a.T, None]]),
    }[kind].tocsc()  # fmt: skip
    factors = sparse_lu(a)
    if kind != "indefinite":  # may go either way
        assert (factors.upper is None) == (kind not in ("general", "pivots"))
    x = rng.normal(size=(a.shape[0], 2))
    with jax.enable_x64(True):
        for rhs in (x[:, 0], x, x + 1j * x[:, ::-1]):
            y = jax.jit(lambda f, v: f.solver()(v))(factors, jnp.asarray(rhs).astype(np.result_type(rhs, a.dtype)))
            np.testing.assert_allclose(a @ y, rhs, atol=1e-10)


def test_spsolve_of_wide_bands_in_the_jax_world(monkeypatch):
    monkeypatch.setattr(direct, "banded_blocks", lambda a: None)  # as of a matrix of a million rows
    a = _general("real")
    with jax.enable_x64(True):
        b = jnp.asarray(rng.normal(size=60))
        np.testing.assert_allclose(a @ jax.jit(lambda b: linalg.spsolve(a, b))(b), b, atol=1e-11)
        got = jax.grad(lambda b: linalg.spsolve(a, b)[3])(b)
        np.testing.assert_allclose(a.T @ got, np.eye(60)[3], atol=1e-11)
    assert not sci.fallbacks()
