"""norm and onenormest: every order and axis against SciPy, certificates, derivatives, failures."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.experimental import sparse as jax_sparse
from scipy import sparse
from scipy.sparse import linalg as original

import sci
from sci.sparse import linalg

rng = np.random.default_rng(11)


A = sparse.random_array((7, 5), density=0.5, rng=rng, data_sampler=rng.standard_normal).tocsr()
FULL = sparse.csr_array(rng.normal(size=(7, 5)))
MATRIX = [(None, None), ("fro", None), (1, None), (-1, None), (np.inf, None), (-np.inf, None), (2, None),
          (1, (1, 0)), (np.inf, (-1, 0)), ("f", (0, 1)), (2, (0, 1))]  # fmt: skip
VECTOR = [(o, a) for o in (None, 0, 1, 2, 3, 0.5, np.inf, -np.inf, -1.5) for a in (0, 1, -1)]


@pytest.mark.parametrize("layout", ["csr", "csc", "coo", "bsr", "dia", "dok", "lil"])
@pytest.mark.parametrize("kind", ["array", "matrix"])
def test_norm_of_every_format(layout, kind):
    a = getattr(sparse, f"{layout}_{kind}")((10 * A.toarray()).astype(np.int32))
    for order, axis in [(None, None), (1, None), (0, 0), (0, 1), (np.inf, 0), (3, 0), (3, 1)]:
        ours, theirs = (m.norm(a, order, axis) for m in (linalg, original))
        assert type(ours) is type(theirs) and ours.dtype == theirs.dtype, (order, axis)
        np.testing.assert_allclose(ours, theirs, rtol=1e-12, err_msg=f"{order} {axis}")


@pytest.mark.parametrize("matrix", ["sparse", "full", "complex", "int", "coo", "matrix", "float32"])
def test_norm(matrix):
    a = {
        "sparse": A, "full": FULL, "complex": A + 1j * FULL, "int": (10 * A).astype(np.int32), "coo": A.tocoo(),
        "matrix": sparse.csc_matrix(A), "float32": A.astype(np.float32),
    }[matrix]  # fmt: skip
    few = matrix not in ("sparse", "full", "complex")
    for order, axis in (MATRIX + VECTOR[:-3])[:: 2 if few else 1]:
        ours, theirs = (m.norm(a, order, axis) for m in (linalg, original))
        assert type(ours) is type(theirs) and ours.dtype == theirs.dtype, (order, axis)
        assert ours.shape == theirs.shape
        np.testing.assert_allclose(ours, theirs, rtol=1e-5 if matrix == "float32" else 1e-10, err_msg=f"{order} {axis}")
    assert not sci.fallbacks()


def test_norm_of_repeated_entries_and_one_axis():
    twice = sparse.coo_array((np.array([1.0, 2.0, -4.0]), (np.array([0, 0, 1]), np.array([1, 1, 0]))), shape=(2, 2))
    assert linalg.norm(twice) == 5.0 and linalg.norm(twice, 1) == 4.0
    line = sparse.coo_array(np.array([3.0, 0.0, -4.0]))
    for order in (None, 1, np.inf, -np.inf, 0, 3):  # SciPy 1.18.1 itself fails for order 0 (IndexError)
        np.testing.assert_allclose(linalg.norm(line, order), np.linalg.norm(line.toarray(), order))
    assert not sci.fallbacks()


@pytest.mark.parametrize(
    ("x", "options", "error"),
    [(np.ones((2, 2)), (), TypeError), (A, ("nuc",), ValueError), (A, (None, 2), ValueError),
     (A, (None, (0, 0)), ValueError), (A, (None, (0, 1, 2)), ValueError), (A, (None, 0.5), TypeError),
     (A, ("abc", 0), ValueError), (A, (-2,), NotImplementedError), (A, (3,), ValueError), (A[:1], (2,), ValueError)],
)  # fmt: skip
def test_norm_refuses(x, options, error):
    for module in (original, linalg):
        with pytest.raises(error):
            module.norm(x, *options)


@pytest.mark.parametrize(("order", "axis"), [(None, None), (1, None), (-np.inf, None), (2, None), (3, 0), (-np.inf, 1)])
def test_norm_of_jax_matrices(order, axis):
    coo = (FULL if order == -np.inf else A).tocoo()
    indices = np.stack(coo.coords, 1)
    with jax.enable_x64(True):

        def f(data):
            matrix = jax_sparse.BCOO((jnp.append(data, 0.5), np.vstack([indices, indices[:1]])), shape=coo.shape)
            return (linalg.norm(matrix, order, axis) * jnp.arange(1.0, 6.0)[: 5 if axis == 0 else 1]).sum()

        def dense(data):
            matrix = jnp.zeros(coo.shape).at[*indices.T].add(data).at[*indices[0]].add(0.5)
            lengths = jnp.linalg.norm(matrix, order or (None if axis is None else 2), axis)
            return (lengths * jnp.arange(1.0, 6.0)[: 5 if axis == 0 else 1]).sum()

        data = jnp.asarray(coo.data)
        np.testing.assert_allclose(f(data), dense(data))
        np.testing.assert_allclose(jax.jit(f)(data), dense(data))
        got, want = jax.jit(jax.grad(f))(data), jax.grad(dense)(data)
        # the vectors of the spectral norm are as accurate as the stopping rule
        np.testing.assert_allclose(got, want, rtol=1e-6, atol=1e-8)
        batch = jnp.stack([data, 2 * data])
        np.testing.assert_allclose(jax.vmap(f)(batch)[1], dense(2 * data), rtol=1e-8)
        zero = jax.grad(lambda d: linalg.norm(jax_sparse.BCOO((d, indices), shape=coo.shape)))(0 * data)
        assert np.isfinite(zero).all()


# --- onenormest ----------------------------------------------------------------------------------


def _known(n):
    """A matrix whose estimate takes some iterations."""
    a = np.random.default_rng(n).normal(size=(n, n))
    return np.linalg.inv(a)


@pytest.mark.parametrize("t", [1, 2, 4])
@pytest.mark.parametrize("kind", ["dense", "sparse", "operator", "complex", "jax"])
def test_onenormest(t, kind):
    a = _known(40)
    if kind == "complex":
        a = a + 1j * _known(40).T
    given = {
        "sparse": sparse.csc_array, "operator": original.aslinearoperator, "jax": jax_sparse.BCOO.fromdense,
    }.get(kind, lambda a: a)(a)  # fmt: skip
    est, v, w = linalg.onenormest(given, t=t, compute_v=True, compute_w=True)
    exact = np.linalg.norm(a, 1)
    rtol = 1e-4 if kind == "jax" else 1e-12
    np.testing.assert_allclose(w, a @ v, rtol=1e-3 if kind == "jax" else 1e-10, atol=1e-4 if kind == "jax" else 1e-12)
    np.testing.assert_allclose([np.abs(w).sum(), np.abs(v).sum()], [est, 1.0], rtol=rtol)
    # the bound holds always; that it is near is the method's experience, and true of these
    assert exact / 3 < est <= exact * (1 + rtol)
    if t == 1:
        np.testing.assert_allclose(est, original.onenormest(a, t=1), rtol=rtol)
    assert not sci.fallbacks()


def test_onenormest_is_mostly_exact_and_repeats():
    ratios = [linalg.onenormest(_known(30) + k * np.eye(30)) / np.linalg.norm(_known(30) + k * np.eye(30), 1)
              for k in range(30)]  # fmt: skip
    assert np.mean(np.isclose(ratios, 1)) > 0.8
    state = np.random.get_state()[1].copy()
    assert linalg.onenormest(_known(50)) == linalg.onenormest(_known(50))
    np.testing.assert_array_equal(state, np.random.get_state()[1])
    a = _known(4)
    assert linalg.onenormest(a, t=4) == pytest.approx(np.linalg.norm(a, 1))
    assert np.isnan(linalg.onenormest(np.full((5, 5), np.nan)))
    assert linalg.onenormest(np.zeros((5, 5))) == 0


def test_onenormest_of_functions():
    a = _known(20)
    operator = original.LinearOperator((20, 20), matvec=lambda x: a @ x, rmatvec=lambda x: a.T @ x, dtype=float)
    assert linalg.onenormest(operator, t=1) == pytest.approx(original.onenormest(a, t=1))
    assert not sci.fallbacks()


@pytest.mark.parametrize(("a", "options"), [(np.ones((2, 3)), {}), (np.eye(5), {"t": 0}), (np.eye(5), {"itmax": 1})])
def test_onenormest_refuses(a, options):
    for module in (original, linalg):
        with pytest.raises(ValueError):
            module.onenormest(a, **options)


def test_onenormest_derivatives():
    a = _known(12)
    with jax.enable_x64(True):
        got = jax.jit(jax.grad(lambda a: linalg.onenormest(a)))(jnp.asarray(a))
    _, v, w = linalg.onenormest(a, compute_v=True, compute_w=True)
    np.testing.assert_allclose(got, np.outer(np.sign(w), v), atol=1e-12)
