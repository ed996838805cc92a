"""The iterative solvers against SciPy's, by residuals, over kinds of operators and layouts."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import sparse
from scipy.sparse import linalg as original

import sci
from sci.sparse import linalg
from sci.sparse.linalg._operators import Diagonals, Rows, Stencil, from_scipy

GENERAL = ("bicg", "cgs", "bicgstab", "gmres", "lgmres", "gcrotmk", "qmr", "tfqmr")
SQUARE = ("cg", "minres", *GENERAL)
#: Preconditioned by pairs, or with other rules for iterates.
PLAIN = tuple(m for m in SQUARE if m != "qmr")


def poisson(n=8, dtype=float):
    line = sparse.diags_array([-np.ones(n - 1), 2 * np.ones(n), -np.ones(n - 1)], offsets=[-1, 0, 1])
    return (sparse.kron(line, sparse.eye_array(n)) + sparse.kron(sparse.eye_array(n), line)).tocsr().astype(dtype)


def irregular(n=40, kind="real"):
    rng = np.random.default_rng(3)
    a = sparse.random_array((n, n), density=0.08, rng=rng, format="lil")
    a[3] = rng.random(n)  # one long row
    a = (a + 6 * sparse.eye_array(n)).tocsr()
    return (a + 1j * sparse.eye_array(n)).tocsr() if kind == "complex" else a


@pytest.mark.parametrize("method", SQUARE)
def test_same_solution_and_info_as_scipy(method):
    a, b = poisson(), np.random.default_rng(0).random(64)
    for options in ({"rtol": 1e-9}, {"maxiter": 2}):
        x, info = getattr(linalg, method)(a, b, **options)
        y, their_info = getattr(original, method)(a, b, **options)
        assert info == their_info and type(x) is np.ndarray and x.flags.writeable
        np.testing.assert_allclose(x, y, rtol=1e-6, atol=1e-9)
    assert not sci.fallbacks()


@pytest.mark.parametrize("kind", ["real", "complex"])
@pytest.mark.parametrize("method", GENERAL)
def test_general_systems(method, kind):
    a = irregular(kind=kind)
    b = np.arange(1.0, 41)
    x, info = getattr(linalg, method)(a, b, rtol=1e-10)
    assert info == 0 and np.linalg.norm(a @ x - b) <= 2e-10 * np.linalg.norm(b)
    zero, info = getattr(linalg, method)(a, np.zeros(40), x0=np.ones(40))
    assert info == 0 and not zero.any()


def test_gmres_restarts_and_singular_systems():
    a, b = irregular(), np.ones(40)
    for restart in (2, 5, 40):
        x, info = linalg.gmres(a, b, restart=restart, rtol=1e-9)
        assert info == 0 and np.linalg.norm(a @ x - b) <= 1.01e-9 * np.linalg.norm(b)
    x, info = linalg.gmres(np.diag([1.0, 2.0, 0.0]), np.array([1.0, 2.0, 0.0]), rtol=1e-10)
    assert info == 0 and np.allclose(np.diag([1.0, 2.0, 0.0]) @ x, [1, 2, 0])
    x, info = linalg.gmres(np.diag([1.0, 2.0, 0.0]), np.array([1.0, 2.0, 1.0]), rtol=1e-10, maxiter=4)
    assert info > 0 and np.isfinite(x).all()


def test_carried_vectors_and_their_options():
    a, b = poisson(10), np.ones(100)
    for options in (
        {"inner_m": 6, "outer_k": 3},
        {"inner_m": 6, "outer_k": 0},
        {"inner_m": 6, "prepend_outer_v": True},
    ):
        x, info = linalg.lgmres(a, b, rtol=1e-9, **options)
        y, their_info = original.lgmres(a, b, rtol=1e-9, **options)
        assert info == their_info == 0 and np.linalg.norm(a @ x - b) <= 1.01e-8
    for options in ({"m": 5, "k": 5}, {"m": 5, "k": 0}, {"m": 5, "k": 2}):
        x, info = linalg.gcrotmk(a, b, rtol=1e-9, **options)
        assert info == 0 and np.linalg.norm(a @ x - b) <= 1.01e-8
        few = linalg.gcrotmk(a, b, rtol=1e-9, maxiter=2, **options)
        theirs = original.gcrotmk(a, b, rtol=1e-9, maxiter=2, **options)
        assert few[1] == theirs[1] == 2
        np.testing.assert_allclose(few[0], theirs[0], rtol=1e-8, atol=1e-10)
    with pytest.raises(ValueError, match="truncate"):
        linalg.gcrotmk(a, b, truncate="newest")
    with pytest.raises(ValueError, match="inner_m"):
        linalg.lgmres(a, b, inner_m=0)
    with pytest.raises(ValueError, match="finite"):
        linalg.lgmres(a, np.full(100, np.nan))
    assert not sci.fallbacks()
    kept = []
    linalg.lgmres(a, b, outer_v=kept)
    assert kept and sci.fallbacks()[0].reason.name == "OPTION"


def test_minres_of_an_indefinite_and_shifted_matrix():
    a = np.diag([3.0, -1.0, 2.0, -4.0])
    b = np.array([1.0, 2.0, 3.0, 4.0])
    x, info = linalg.minres(a, b, rtol=1e-12)
    np.testing.assert_allclose(a @ x, b, rtol=1e-9)
    x, info = linalg.minres(a, b, shift=0.5, rtol=1e-12)
    np.testing.assert_allclose(a @ x - 0.5 * x, b, rtol=1e-9)


def test_kinds_of_operators_agree():
    a, b = poisson(6), np.linspace(1, 2, 36)
    want = linalg.cg(a, b, rtol=1e-10)[0]
    kinds = {
        "dense": a.toarray(), "coo": a.tocoo(), "dia": a.todia(), "integers": a.astype(int),
        "aslinearoperator": original.aslinearoperator(a),
        "linear operator": original.LinearOperator(a.shape, matvec=lambda v: 4.0 * v - _neighbours(v), dtype=float),
        "function": lambda v: 4.0 * v - _neighbours(v),
    }  # fmt: skip
    for name, operator in kinds.items():
        x, info = linalg.cg(operator, b, rtol=1e-10)
        assert info == 0, name
        np.testing.assert_allclose(x, want, rtol=1e-8, err_msg=name)
    assert not sci.fallbacks()


def _neighbours(v):
    grid = np.zeros((8, 8))
    grid[1:-1, 1:-1] = v.reshape(6, 6)
    return (grid[:-2, 1:-1] + grid[2:, 1:-1] + grid[1:-1, :-2] + grid[1:-1, 2:]).ravel()


def test_preconditioners():
    a = (poisson(8) + sparse.diags_array(np.linspace(0, 300, 64))).tocsr()
    b = np.ones(64)
    jacobi = sparse.diags_array(1 / a.diagonal())
    for method in PLAIN:
        x, info = getattr(linalg, method)(a, b, M=jacobi, rtol=1e-10)
        assert info == 0 and np.linalg.norm(a @ x - b) < 1e-7, method
    x, info = linalg.qmr(a, b, M1=jacobi, M2=sparse.eye_array(64), rtol=1e-10)
    assert info == 0 and np.linalg.norm(a @ x - b) < 1e-7
    diagonal = a.diagonal()
    few = linalg.cg(a, b, M=original.LinearOperator(a.shape, matvec=lambda r: r / diagonal), maxiter=25, rtol=1e-9)
    assert few[1] == 0 and linalg.cg(a, b, maxiter=25, rtol=1e-9)[1] == 25


def test_layouts():
    assert isinstance(from_scipy(poisson()), Stencil)
    assert isinstance(from_scipy(poisson() + sparse.diags_array(np.arange(64.0))), Diagonals)
    rows = from_scipy(irregular(), adjoint=True)
    assert isinstance(rows, Rows) and rows.rest.size
    rng = np.random.default_rng(0)
    shapes = [(7, 12), (12, 7), (5, 5), (1, 4)]
    for a in [sparse.random_array(s, density=0.4, rng=rng).tocsr() for s in shapes] + [
        sparse.diags_array([np.arange(1.0, 7), np.arange(2.0, 7)], offsets=[2, -1], shape=(6, 8)).tocsr(),
        sparse.csr_array((3, 4)),
        irregular(kind="complex"),
        poisson(3),
        poisson(3) + sparse.diags_array(np.arange(9.0)),
        (1j * poisson(3)).tocsr(),
        sparse.diags_array([3.0, -1.0], offsets=[0, 2], shape=(4, 6)).tocsr(),
    ]:
        x, y = rng.random(a.shape[1]), rng.random(a.shape[0])
        with jax.enable_x64(True):
            for adjoint in (False, True):
                op = from_scipy(a, adjoint)
                np.testing.assert_allclose(op.apply(jnp.asarray(x)), a @ x, atol=1e-12)
                if adjoint:
                    np.testing.assert_allclose(op.adjoint(jnp.asarray(y)), a.conj().T @ y, atol=1e-12)


def test_duplicate_entries_are_summed():
    a = sparse.coo_array(([1.0, 2.0, 3.0], ([0, 0, 1], [0, 0, 1])), shape=(2, 2))
    np.testing.assert_allclose(linalg.cg(a, np.array([3.0, 3.0]))[0], [1, 1])


@pytest.mark.parametrize("method", ["lsqr", "lsmr"])
@pytest.mark.parametrize("shape", [(50, 20), (20, 50), (30, 30)])
def test_least_squares(method, shape):
    a = sparse.random_array(shape, density=0.3, rng=np.random.default_rng(1)).tocsr()
    b = np.arange(shape[0], dtype=float)
    for damp in (0.0, 0.5):
        got = getattr(linalg, method)(a, b, damp=damp, atol=1e-10, btol=1e-10)
        want = getattr(original, method)(a, b, damp=damp, atol=1e-10, btol=1e-10)
        assert got[1] == want[1] and abs(got[2] - want[2]) <= 2
        np.testing.assert_allclose(got[0], want[0], atol=1e-6 * np.abs(want[0]).max())
        np.testing.assert_allclose(got[3:5], want[3:5], rtol=1e-5, atol=1e-6)
    assert not sci.fallbacks()
    np.testing.assert_array_equal(getattr(linalg, method)(a, np.zeros(shape[0]))[0], 0)


def test_gradients_with_respect_to_matrix_and_right_hand_side():
    with jax.enable_x64(True):
        a = jnp.array([[4.0, 1.0, 0.0], [1.0, 3.0, 1.0], [0.0, 1.0, 5.0]])
        b = jnp.array([1.0, -2.0, 0.5])
        weights = jnp.array([1.0, 2.0, 3.0])
        for method in ("cg", "bicgstab", "gmres", "lgmres", "gcrotmk", "qmr", "tfqmr"):

            def value(a, b, solve=getattr(linalg, method)):
                return weights @ solve(a, b, rtol=1e-12)[0]

            for wrt in (0, 1):
                want = jax.grad(lambda a, b: weights @ jnp.linalg.solve(a, b), wrt)(a, b)
                np.testing.assert_allclose(jax.grad(value, wrt)(a, b), want, atol=1e-9, err_msg=method)
                forward = jax.jacfwd(value, wrt)(a, b)
                np.testing.assert_allclose(forward, want, atol=1e-9, err_msg=method)
        batch = jax.vmap(lambda b: linalg.cg(a, b, rtol=1e-12)[0])(jnp.stack([b, 2 * b, 0 * b]))
        np.testing.assert_allclose(batch, jnp.stack([1, 2, 0])[:, None] * jnp.linalg.solve(a, b), atol=1e-10)


def test_jax_sparse():
    from jax.experimental import sparse as jax_sparse

    a = poisson(4).toarray()
    x, info = linalg.cg(jax_sparse.BCOO.fromdense(jnp.asarray(a, jnp.float32)), jnp.ones(16, jnp.float32))
    assert isinstance(x, jax.Array) and int(info) == 0
    np.testing.assert_allclose(a @ np.asarray(x), 1, atol=1e-4)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((np.ones((2, 3)), np.ones(2)), "square"),
        ((np.eye(3), np.ones(2)), "incompatible"),
        ((np.eye(2), np.ones((2, 2))), r"'b' has shape \(2, 2\)"),
        ((np.ones(3), np.ones(3)), "two dimensions"),
    ],
)
def test_bad_shapes(arguments, message):
    with pytest.raises(ValueError, match=message):
        linalg.cg(*arguments)
    with pytest.raises(ValueError):
        original.cg(*arguments)


def test_callback_runs_on_scipy():
    seen = []
    linalg.cg(np.diag([1.0, 2.0]), np.ones(2), callback=seen.append)
    assert seen and sci.fallbacks()[0].reason.name == "CALLBACK"


def test_nan_is_no_success():
    x, info = linalg.cg(np.diag([1.0, np.nan]), np.ones(2), maxiter=5)
    assert info != 0
