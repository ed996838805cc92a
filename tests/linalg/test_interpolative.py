"""Interpolative decompositions: the original's where it is deterministic, accuracy where it is random; operators;
derivatives; bad input, on which the original reads beyond its arrays."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.linalg.interpolative as original
from scipy.linalg import hilbert
from scipy.sparse import random_array
from scipy.sparse.linalg import LinearOperator, aslinearoperator

from sci.linalg import interpolative

rng = np.random.default_rng(11)

pytestmark = pytest.mark.usefixtures("native")


def low_rank(m, n, k, kind=float):
    a = rng.normal(size=(m, k)) @ rng.normal(size=(k, n))
    if kind is complex:
        a = a @ (np.eye(n) + 0.3j * rng.normal(size=(n, n)))
    return a


@pytest.mark.parametrize("kind", [float, complex])
def test_without_sketches_as_the_original(kind):
    for a in (hilbert(12).astype(kind), rng.normal(size=(6, 9)).astype(kind), low_rank(9, 6, 3, kind)):
        for what in (1, 3, 0.3, 1e-6):
            got, expected = (m.interp_decomp(a.copy(), what, rand=False) for m in (interpolative, original))
            assert len(got) == len(expected)
            for x, y in zip(got, expected, strict=True):
                assert np.shape(x) == np.shape(y) and np.asarray(x).dtype == np.asarray(y).dtype
                np.testing.assert_allclose(x, y, atol=1e-8)
            (u, s, v), (u0, s0, v0) = (m.svd(a.copy(), what, rand=False) for m in (interpolative, original))
            np.testing.assert_allclose(s, s0, rtol=1e-10, atol=1e-12)
            np.testing.assert_allclose((u * s) @ v.conj().T, (u0 * s0) @ v0.conj().T, atol=1e-11)


@pytest.mark.parametrize("kind", [float, complex])
@pytest.mark.parametrize("form", ["array", "operator", "functions"])
def test_sketches(kind, form):
    a = low_rank(120, 100, 12, kind)
    given = a if form == "array" else aslinearoperator(a)
    if form == "functions":
        adjoint = a.conj().T.copy()
        given = LinearOperator(a.shape, matvec=lambda x: a @ x, rmatvec=lambda x: adjoint @ x, dtype=a.dtype)
    scale = np.linalg.norm(a, 2)
    k, idx, proj = interpolative.interp_decomp(given, 1e-10, rng=0)
    assert k == 12
    idx12, proj12 = interpolative.interp_decomp(given, 12, rng=0)
    for i, p in ((idx, proj), (idx12, proj12)):
        assert p.shape == (12, 88)
        b = interpolative.reconstruct_skel_matrix(a, 12, i)
        np.testing.assert_allclose(interpolative.reconstruct_matrix_from_id(b, i, p), a, atol=1e-11 * scale)
        np.testing.assert_allclose(b @ interpolative.reconstruct_interp_matrix(i, p), a, atol=1e-11 * scale)
        u, s, v = interpolative.id_to_svd(b, i, p)
        np.testing.assert_allclose((u * s) @ v.conj().T, a, atol=1e-11 * scale)
    for what in (12, 1e-10):
        u, s, v = interpolative.svd(given, what, rng=0)
        assert u.shape == (120, 12) and v.shape == (100, 12)
        np.testing.assert_allclose((u * s) @ v.conj().T, a, atol=1e-11 * scale)
        np.testing.assert_allclose(s, np.linalg.svd(a, compute_uv=False)[:12], rtol=1e-10)
    rank = interpolative.estimate_rank(given, 1e-10, rng=0)
    assert rank == (20 if form == "array" else 12)
    np.testing.assert_allclose(interpolative.estimate_spectral_norm(given, its=60, rng=0), scale, rtol=1e-6)
    assert interpolative.estimate_spectral_norm_diff(given, aslinearoperator(a), rng=0) == 0
    got = interpolative.estimate_spectral_norm_diff(given, 0.5 * a, its=60, rng=0)
    np.testing.assert_allclose(got, scale / 2, rtol=1e-6)


def test_sketches_that_grow_up_to_full_rank():
    a = rng.normal(size=(300, 120))
    for given in (a, aslinearoperator(a)):
        k, idx, proj = interpolative.interp_decomp(given, 1e-12, rng=1)
        assert k == 120 and proj.shape == (120, 0) and sorted(idx) == list(range(120))
        assert interpolative.estimate_rank(given, 1e-12, rng=1) == 120


def test_sparse_operators_and_norms():
    a = random_array((60, 40), density=0.1, rng=np.random.default_rng(0))
    dense = a.toarray()
    got = interpolative.estimate_spectral_norm(a, its=200, rng=0)
    np.testing.assert_allclose(got, np.linalg.norm(dense, 2), rtol=1e-4)
    idx, proj = interpolative.interp_decomp(aslinearoperator(a), 40, rng=0)
    np.testing.assert_allclose(interpolative.reconstruct_matrix_from_id(dense[:, idx], idx, proj), dense, atol=1e-10)
    assert interpolative.estimate_spectral_norm(np.zeros((3, 2))) == 0


def test_rank_deficient_for_the_given_rank():
    a = np.ones((5, 4))
    idx, proj = interpolative.interp_decomp(a, 3, rand=False)
    np.testing.assert_allclose(interpolative.reconstruct_matrix_from_id(a[:, idx[:3]], idx, proj), a, atol=1e-14)
    assert interpolative.interp_decomp(0 * a, 0.1, rand=False)[0] == 0


def test_jax_world_and_derivatives():
    a, e = rng.normal(size=(2, 7, 5))
    with jax.enable_x64(True):
        a, e = jnp.asarray(a), jnp.asarray(e)
        k, idx, proj = jax.jit(lambda a: interpolative.interp_decomp(a, 0.5, rand=False))(a)
        k0, idx0, proj0 = interpolative.interp_decomp(np.asarray(a), 0.5, rand=False)
        assert k == k0 and proj.shape == (5, 0)
        chosen = np.asarray(a)[:, np.asarray(idx)]
        np.testing.assert_allclose(interpolative.reconstruct_matrix_from_id(chosen, np.asarray(idx), proj), a)
        np.testing.assert_array_equal(idx, idx0)
        wide = jax.jit(lambda a: interpolative.interp_decomp(a, 0.5, rand=False))(a.T)
        assert wide[2].shape == (5, 2) and not wide[2][int(wide[0]) :].any()
        for what, part in ((3, 1), (0.5, 2)):
            f = lambda t, what=what, part=part: interpolative.interp_decomp((a + t * e).T, what, rand=False)[part]  # noqa: E731
            _, tangent = jax.jvp(f, (0.0,), (1.0,))
            np.testing.assert_allclose(tangent, (f(1e-6) - f(-1e-6)) / 2e-6, atol=1e-7)
        gradient = jax.grad(lambda a: interpolative.estimate_spectral_norm(a, its=200, rng=0))(a)
        u, _, vh = np.linalg.svd(a)
        np.testing.assert_allclose(gradient, np.outer(u[:, 0], vh[0]), atol=1e-6)
        by_key = [interpolative.estimate_rank(a, 1e-9, key=jax.random.key(s)) for s in (0, 1)]
        assert by_key == [5, 5]


def test_bad_input():
    a = hilbert(6)
    idx, proj = interpolative.interp_decomp(a, 2, rand=False)
    for error, call in (
        (TypeError, lambda: interpolative.interp_decomp(a.tolist(), 2)),
        (ValueError, lambda: interpolative.interp_decomp(a.astype(np.float32), 2)),
        (ValueError, lambda: interpolative.interp_decomp(a, 7, rand=False)),
        (ValueError, lambda: interpolative.interp_decomp(a, -0.5)),
        (ValueError, lambda: interpolative.interp_decomp(a, np.nan)),
        (ValueError, lambda: interpolative.interp_decomp(a[0], 1)),
        (ValueError, lambda: interpolative.interp_decomp(a[:0], 1)),
        (ValueError, lambda: interpolative.interp_decomp(a * np.inf, 1)),
        (ValueError, lambda: interpolative.svd(a, 7)),
        (ValueError, lambda: interpolative.estimate_rank(a, -1.0)),
        (TypeError, lambda: interpolative.estimate_rank(a.tolist(), 1e-3)),
        (ValueError, lambda: interpolative.estimate_spectral_norm(a, its=-1)),
        (ValueError, lambda: interpolative.estimate_spectral_norm_diff(a, a[:3])),
        (ValueError, lambda: interpolative.reconstruct_interp_matrix(idx[:-1], proj)),
        (ValueError, lambda: interpolative.reconstruct_interp_matrix(np.zeros(6, int), proj)),
        (TypeError, lambda: interpolative.reconstruct_interp_matrix(idx, proj.tolist())),
        (ValueError, lambda: interpolative.reconstruct_matrix_from_id(a[:, :3], idx, proj)),
        (IndexError, lambda: interpolative.reconstruct_skel_matrix(a, 2, np.array([0, 6, 1]))),
    ):
        with pytest.raises(error):
            call()
