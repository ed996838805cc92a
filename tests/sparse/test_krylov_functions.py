"""funm_multiply_krylov: against dense functions, through restarts, for every kind of operator; bad input."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.linalg
from jax.experimental import sparse as jax_sparse
from scipy import sparse
from scipy.sparse import linalg as original

import sci
from sci.sparse.linalg import funm_multiply_krylov

rng = np.random.default_rng(5)
N = 60
A = (sparse.random_array((N, N), density=0.1, rng=rng) - 2 * sparse.eye_array(N)).tocsr()
LAPLACE = sparse.diags_array([np.ones(N - 1), -2 * np.ones(N), np.ones(N - 1)], offsets=[-1, 0, 1]).tocsr()
b = rng.normal(size=N)


def expm(x):
    return scipy.linalg.expm(x)


@pytest.mark.parametrize("kind", ["sparse", "dense", "operator", "complex"])
def test_exponential_of_every_operator(kind):
    a = A * (1 + 0.5j) if kind == "complex" else A
    given = {"dense": lambda a: a.toarray(), "operator": original.aslinearoperator}.get(kind, lambda a: a)(a)
    got = funm_multiply_krylov(expm, given, b, t=0.5, rtol=1e-12)
    np.testing.assert_allclose(got, scipy.linalg.expm(0.5 * a.toarray()) @ b, rtol=1e-10, atol=1e-10)
    assert got.dtype == (complex if kind == "complex" else float) and not sci.fallbacks()


@pytest.mark.parametrize("structure", ["general", "her"])
@pytest.mark.parametrize(("steps", "most"), [(5, 20), (8, 3), (60, 20), (100, 20)])
def test_restarts_are_those_of_scipy(structure, steps, most):
    options = {"assume_a": structure, "t": 3.0, "restart_every_m": steps, "max_restarts": most, "rtol": 1e-10}
    got = funm_multiply_krylov(expm, LAPLACE, b, **options)
    if steps < N:  # beyond, SciPy goes on in a space that is exhausted
        np.testing.assert_allclose(got, original.funm_multiply_krylov(expm, LAPLACE, b, **options), atol=1e-9)
    if (steps, most) != (8, 3):  # which ends before it has converged
        np.testing.assert_allclose(got, scipy.linalg.expm(3 * LAPLACE.toarray()) @ b, atol=1e-9)
    assert not sci.fallbacks()


def test_other_functions_and_factors():
    dense = A.toarray()
    cube = funm_multiply_krylov(lambda x: x @ x @ x - x, A, b)
    np.testing.assert_allclose(cube, dense @ (dense @ (dense @ b)) - dense @ b, atol=1e-10)
    inverse = funm_multiply_krylov(lambda x: np.linalg.inv(x), A, b, rtol=1e-10, restart_every_m=30)
    np.testing.assert_allclose(dense @ inverse, b, atol=1e-7)
    turned = funm_multiply_krylov(expm, LAPLACE, b, t=0.5j, rtol=1e-12)
    np.testing.assert_allclose(turned, scipy.linalg.expm(0.5j * LAPLACE.toarray()) @ b, atol=1e-10)
    assert not sci.fallbacks()


def test_invariant_spaces_and_zero():
    start = np.zeros(6)
    start[:2] = 1.0
    a = np.diag(np.arange(6.0))  # two vectors span the space; SciPy drops the last of them
    np.testing.assert_allclose(funm_multiply_krylov(expm, a, start), np.exp(np.arange(6.0)) * start, atol=1e-12)
    np.testing.assert_array_equal(funm_multiply_krylov(expm, a, 0 * start), 0)


def test_jax_world():
    with jax.enable_x64(True):
        matrix = jax_sparse.BCSR.from_scipy_sparse(LAPLACE)
        f = jax.jit(lambda v: funm_multiply_krylov(jax.scipy.linalg.expm, matrix, v, rtol=1e-12))
        expected = scipy.linalg.expm(LAPLACE.toarray())
        np.testing.assert_allclose(f(jnp.asarray(b)), expected @ b, atol=1e-10)
        both = jax.vmap(f)(jnp.stack([jnp.asarray(b), jnp.ones(N)]))
        np.testing.assert_allclose(both, np.stack([expected @ b, expected @ np.ones(N)]), atol=1e-10)


@pytest.mark.parametrize(
    ("vector", "options"),
    [(b, {"assume_a": "pos"}), (b[:, None], {}), (b, {"restart_every_m": 0}), (b, {"max_restarts": 0}),
     (b, {"atol": -1.0}), (b[:5], {})],
)  # fmt: skip
def test_refuses(vector, options):
    for function in (original.funm_multiply_krylov, funm_multiply_krylov):
        with pytest.raises(ValueError):
            function(expm, A, vector, **options)
