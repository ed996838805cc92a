"""eigsh, eigs and svds: residuals and SciPy's values over modes, kinds of operators, failures; derivatives."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import sparse
from scipy.sparse import linalg as original

import sci
from sci.sparse import linalg
from solvers.eigen import reorder_schur

rng = np.random.default_rng(4)


def laplacian(n):
    line = sparse.diags_array([-np.ones(n - 1), 2 * np.ones(n), -np.ones(n - 1)], offsets=[-1, 0, 1])
    return (sparse.kron(line, sparse.eye_array(n)) + sparse.kron(sparse.eye_array(n), line)).tocsr()


SYMMETRIC = laplacian(6) + sparse.diags_array(np.arange(36.0) % 5)
MASS = (sparse.eye_array(36) * 2 + 0.2 * sparse.eye_array(36, k=1) + 0.2 * sparse.eye_array(36, k=-1)).tocsr()


@pytest.mark.parametrize("which", ["LM", "SA", pytest.param("LA", marks=pytest.mark.slow), "BE"])
def test_eigsh_standard_problem(which):
    w, v = linalg.eigsh(SYMMETRIC, 4, which=which)
    expected = original.eigsh(SYMMETRIC, 4, which=which, return_eigenvectors=False)
    np.testing.assert_allclose(w, np.sort(expected), rtol=1e-10)
    assert np.abs(SYMMETRIC @ v - v * w).max() < 1e-10 and np.abs(v.T @ v - np.eye(4)).max() < 1e-12
    np.testing.assert_allclose(linalg.eigsh(SYMMETRIC, 4, which=which, return_eigenvectors=False), expected, rtol=1e-10)
    assert not sci.fallbacks()


@pytest.mark.parametrize("mode", [None, "normal", "cayley", "buckling"])
@pytest.mark.parametrize("dense", [False, pytest.param(True, marks=pytest.mark.slow)])
def test_eigsh_generalised_problem(mode, dense):
    a, m = (SYMMETRIC.toarray(), MASS.toarray()) if dense else (SYMMETRIC, MASS)
    options = {} if mode is None else {"sigma": 2.1, "mode": mode}
    w, v = linalg.eigsh(a, 3, M=m, **options)
    np.testing.assert_allclose(w, original.eigsh(a, 3, M=m, **options)[0], rtol=1e-9)
    assert np.abs(a @ v - (m @ v) * w).max() < 1e-9
    np.testing.assert_allclose(v.T @ ((a if mode == "buckling" else m) @ v), np.eye(3), atol=1e-9)
    assert not sci.fallbacks()


def test_eigsh_kinds_of_operators():
    a = SYMMETRIC.toarray()
    want = np.linalg.eigvalsh(a)[-3:]
    inverse = np.linalg.inv(a - 0.1 * np.eye(36))
    operator = original.LinearOperator(a.shape, matvec=lambda x: a @ x, dtype=float)
    np.testing.assert_allclose(linalg.eigsh(operator, 3)[0], want)
    np.testing.assert_allclose(linalg.eigsh(lambda x: a @ x, 3, v0=np.ones(36) + np.arange(36))[0], want)
    near = linalg.eigsh(a, 2, sigma=0.1, OPinv=original.aslinearoperator(inverse))[0]
    np.testing.assert_allclose(near, np.linalg.eigvalsh(a)[:2])
    single = linalg.eigsh(a.astype(np.float32), 3)
    assert single[0].dtype == single[1].dtype == np.float32
    np.testing.assert_allclose(single[0], want, rtol=1e-4)
    assert not sci.fallbacks()
    linalg.eigsh(operator, 2, sigma=0.1)  # no inverse at hand
    assert sci.fallbacks()[0].reason.name == "OPTION"


def test_eigsh_goes_on_from_invariant_subspaces():
    w, v = linalg.eigsh(np.eye(13), 6)
    np.testing.assert_allclose(w, 1)
    np.testing.assert_allclose(v.T @ v, np.eye(6), atol=1e-12)
    np.testing.assert_allclose(linalg.eigsh(np.zeros((9, 9)), 3)[0], 0, atol=1e-15)
    np.testing.assert_allclose(linalg.eigsh(np.diag([1.0, 1, 1, 5, 5, 9]), 4, ncv=6)[0], [1, 5, 5, 9])


def test_eigsh_of_a_complex_hermitian_matrix():
    a = rng.normal(size=(30, 30)) + 1j * rng.normal(size=(30, 30))
    a = a + a.conj().T
    w, v = linalg.eigsh(a, 3, which="LA")
    np.testing.assert_allclose(w, np.linalg.eigvalsh(a)[-3:])
    assert w.dtype == float and np.abs(a @ v - v * w).max() < 1e-10
    near = linalg.eigsh(a, 2, sigma=1.0)[0]
    every = np.linalg.eigvalsh(a)
    np.testing.assert_allclose(near, np.sort(every[np.argsort(abs(every - 1))[:2]]))


GENERAL = rng.normal(size=(40, 40))


@pytest.mark.parametrize("which", ["LM", "SR", *(pytest.param(w, marks=pytest.mark.slow) for w in ("LR", "LI"))])
def test_eigs_standard_problem(which):
    w, v = linalg.eigs(GENERAL, 4, which=which, maxiter=3000)
    every = np.linalg.eigvals(GENERAL)
    key = {"LM": -abs(every), "LR": -every.real, "SR": every.real, "LI": -abs(every.imag)}[which]
    nearest = np.abs(every[:, None] - w).min(axis=0)
    assert nearest.max() < 1e-10 and np.abs(GENERAL @ v - v * w).max() < 1e-10
    worst = {"LM": -abs(w), "LR": -w.real, "SR": w.real, "LI": -abs(w.imag)}[which].max()
    assert worst <= np.sort(key)[3] + 1e-9
    np.testing.assert_allclose(np.linalg.norm(v, axis=0), 1)


@pytest.mark.parametrize("sigma", [0.3, 0.3 + 1j])
@pytest.mark.parametrize(
    "kind", ["sparse", "generalised", *(pytest.param(k, marks=pytest.mark.slow) for k in ("dense", "complex"))]
)
def test_eigs_shift_invert(sigma, kind):
    a, m = sparse.random_array((36, 36), density=0.1, rng=np.random.default_rng(3)).tocsr() + SYMMETRIC, None
    if kind == "dense":
        a = a.toarray()
    elif kind == "complex":
        a = a + 0.5j * sparse.eye_array(36, k=1)
    elif kind == "generalised":
        m = MASS
    w, v = linalg.eigs(a, 3, M=m, sigma=sigma)
    expected = original.eigs(a, 3, M=m, sigma=sigma)[0]
    np.testing.assert_allclose(np.sort(np.abs(w)), np.sort(np.abs(expected)), rtol=1e-8)
    assert np.abs(a @ v - (v if m is None else m @ v) * w).max() < 1e-9
    assert not sci.fallbacks()


def test_defective_and_real_spectra():
    jordan = np.diag(np.full(12, 2.0)) + np.diag(np.ones(11), 1)
    jordan[0, 0] = 3.0
    w, v = linalg.eigs(jordan, 2, which="LR", ncv=12)
    assert abs(w[0] - 3) < 1e-12 and np.abs(jordan @ v[:, 0] - 3 * v[:, 0]).max() < 1e-10
    w = linalg.eigs(np.diag(np.arange(1.0, 21)), 3, return_eigenvectors=False)
    assert not w.imag.any()
    np.testing.assert_allclose(w.real, [20, 19, 18])


def test_order_of_a_schur_form():
    with jax.enable_x64(True):
        a = jnp.asarray(rng.normal(size=(7, 7)) + 1j * rng.normal(size=(7, 7)))
        t, q = jax.lax.linalg.schur(a)
        selected = np.array([False, True, False, False, True, True, False])
        t2, q2 = jax.jit(reorder_schur)(t, q, selected)
        np.testing.assert_allclose(q2 @ t2 @ q2.conj().T, a, atol=1e-12)
        assert not np.tril(t2, -1).any()
        np.testing.assert_allclose(jnp.diagonal(t2)[:3], jnp.diagonal(t)[selected])


def test_no_convergence_is_an_error():
    a = laplacian(20)
    with pytest.raises(linalg.ArpackNoConvergence, match="No convergence") as caught:
        linalg.eigsh(a, 4, which="SA", maxiter=1, ncv=6)
    assert caught.value.eigenvectors.shape[1] == len(caught.value.eigenvalues) < 4
    with pytest.raises(linalg.ArpackNoConvergence):
        linalg.eigs(a, 4, which="SR", maxiter=1, ncv=8)
    with pytest.raises(linalg.ArpackError):
        linalg.eigsh(np.full((8, 8), np.nan), 2)
    lost = jax.jit(lambda x: linalg.eigsh(x, 4, which="SA", maxiter=1, ncv=6)[0])(jnp.asarray(a.toarray()))
    assert np.isnan(lost).any()


@pytest.mark.parametrize(
    ("function", "arguments", "options"),
    [
        ("eigsh", (np.ones((3, 4)), 1), {}),
        ("eigsh", (np.eye(9), 0), {}),
        ("eigsh", (np.eye(9), 2), {"which": "XX"}),
        ("eigsh", (np.eye(9), 2), {"ncv": 2}),
        ("eigsh", (np.eye(9), 2), {"maxiter": 0}),
        ("eigsh", (np.eye(9), 2), {"M": np.eye(8)}),
        ("eigsh", (np.eye(9), 2), {"sigma": 0.5, "mode": "other"}),
        ("eigsh", (np.eye(9), 2), {"OPinv": np.eye(9)}),
        ("eigsh", (np.eye(9), 2), {"Minv": np.eye(9)}),
        ("eigsh", (np.eye(9) * 1j, 2), {"which": "BE"}),
        ("eigs", (np.eye(9), 2), {"which": "LA"}),
        ("eigs", (np.eye(9), 2), {"OPpart": "r"}),
        ("eigs", (np.eye(9), 2), {"sigma": 0.5, "OPpart": "i"}),
    ],
)
def test_bad_arguments(function, arguments, options):
    with pytest.raises(ValueError):
        getattr(original, function)(*arguments, **options)
    with pytest.raises(ValueError):
        getattr(linalg, function)(*arguments, **options)


def test_derivatives_of_simple_pairs():
    with jax.enable_x64(True):
        a = jnp.asarray(SYMMETRIC.toarray()[:12, :12] + np.diag(np.arange(12.0)))
        m = jnp.asarray(MASS.toarray()[:12, :12])
        da, dm = (jnp.asarray(x + x.T) for x in rng.normal(size=(2, 12, 12)))
        weights = jnp.asarray(rng.normal(size=12))

        def value(t, transform={}):  # noqa: B006
            w, v = linalg.eigsh(a + t * da, 2, M=m + 0.1 * t * dm, **transform)
            return w @ jnp.array([1.0, 2.0]) + ((weights @ v) ** 2).sum()

        for transform in ({}, {"sigma": 3.3}):
            slope = (value(1e-5, transform) - value(-1e-5, transform)) / 2e-5
            assert abs(jax.jvp(lambda t: value(t, transform), (0.0,), (1.0,))[1] - slope) < 1e-6 * abs(slope)
            assert abs(jax.grad(value)(0.0, transform) - slope) < 1e-6 * abs(slope)

        def general(t):
            w, v = linalg.eigs(jnp.asarray(GENERAL[:12, :12]) + t * da, 3)
            return (jnp.abs(w) ** 2).sum() + (jnp.abs(weights @ v) ** 2).sum()

        slope = (general(1e-5) - general(-1e-5)) / 2e-5
        assert abs(jax.grad(general)(0.0) - slope) < 1e-5 * abs(slope)


def test_derivative_at_a_repeated_eigenvalue_is_finite():
    with jax.enable_x64(True):
        a = jnp.diag(jnp.array([1.0, 2.0, 3.0, 7.0, 7.0, 0.5, 0.2, 0.1]))
        gradient = jax.grad(lambda a: linalg.eigsh((a + a.T) / 2, 2, ncv=8, return_eigenvectors=False).sum())(a)
        np.testing.assert_allclose(gradient, jnp.diag(jnp.array([0, 0, 0, 1.0, 1, 0, 0, 0])), atol=1e-8)
