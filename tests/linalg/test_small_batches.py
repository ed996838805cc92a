"""Stacks of very small systems, longer than what is worked on at once."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.linalg as original

from sci import linalg

rng = np.random.default_rng(12)


@pytest.mark.parametrize("n", [2, 4])
@pytest.mark.parametrize("kind", [float, complex])
def test_solutions_need_pivots(n, kind):
    a = rng.normal(size=(2500, n, n)).astype(kind)
    if kind is complex:
        a = a + 1j * rng.normal(size=a.shape)
    a[::3, 0, 0] = 0  # no elimination without exchanges
    a[1::7] = np.eye(n)[::-1]
    b = rng.normal(size=(2500, n, 1))
    x = linalg.solve(a, b)
    size = np.abs(a).sum(-1).max(-1) * np.abs(x).max((-2, -1))
    assert (np.abs(a @ x - b).max((-2, -1)) <= 1e-13 * size).all()
    np.testing.assert_allclose(x, np.linalg.solve(a, b), rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize(("n", "count"), [(1, 1100), (2, 1100), (3, 1100), (4, 1100), (5, 700), (32, 40)])
@pytest.mark.parametrize("kind", [float, complex])
def test_inverses_need_pivots(n, count, kind):
    a = rng.normal(size=(count, n, n)).astype(kind)
    if kind is complex:
        a = a + 1j * rng.normal(size=a.shape)
    if n > 1:
        a[::3, 0, 0] = 0
    a[1::7] = np.roll(np.eye(n), 1, axis=0)
    x = linalg.inv(a)
    size = np.abs(a).sum(-1).max(-1) * np.abs(x).sum(-1).max(-1)
    assert (np.abs(a @ x - np.eye(n)).max((-2, -1)) <= 1e-15 * n * size).all()
    with jax.enable_x64(True):
        slope = jax.jvp(linalg.inv, (jnp.asarray(a),), (jnp.asarray(a[::-1]),))[1]
    np.testing.assert_allclose(slope, -x @ a[::-1] @ x, rtol=1e-9, atol=1e-12 * np.abs(slope).max())
    a[5] = 1.0 if n > 1 else 0.0
    with pytest.raises(linalg.LinAlgError, match="5"):
        linalg.inv(a)


def test_one_singular_matrix_is_found_and_spoils_no_other():
    a = rng.normal(size=(1500, 3, 3)) + 3 * np.eye(3)
    a[1234] = 1.0
    with pytest.raises(linalg.LinAlgError, match="1234"):
        linalg.solve(a, np.ones((1500, 3, 1)))
    a[7, 1, 1] = np.nan
    with jax.enable_x64(True):
        x = np.asarray(jax.vmap(linalg.solve)(jnp.asarray(a), jnp.ones((1500, 3))))
    bad = ~np.isfinite(x).all(axis=-1)
    assert set(np.flatnonzero(bad)) <= {7, 1234} and bad[7]
    good = np.delete(np.arange(1500), [7, 1234])
    np.testing.assert_allclose(x[good], np.linalg.solve(a[good], np.ones((1498, 3, 1)))[..., 0], rtol=1e-9)


def _graded(n, count, power):
    """Matrices with condition number 10^power."""
    u, v = (np.linalg.qr(rng.normal(size=(count, n, n)))[0] for _ in range(2))
    return (u * np.logspace(0, -power, n)) @ v


@pytest.mark.parametrize("n", [4, 8, 20])
@pytest.mark.parametrize("power", [6, 12])
def test_ill_conditioned_inverses_are_as_good_as_lapacks(n, power):
    a = _graded(n, 200, power)
    x, theirs = linalg.inv(a), np.linalg.inv(a)

    def residual(x, y):
        return (np.abs(x @ y - np.eye(n)).max((-2, -1)) / (np.abs(x) @ np.abs(y)).max((-2, -1))).max()

    assert residual(x, a) <= 1e-15
    assert residual(a, x) <= 5 * residual(theirs, a)  # the two sides change places


@pytest.mark.parametrize("n", [5, 8])
@pytest.mark.parametrize("kind", [float, complex, np.float32])
def test_determinants(n, kind):
    a = rng.normal(size=(300, n, n)).astype(kind)
    a[::3, 0, 0] = 0
    a[1] = np.roll(np.eye(n), 1, axis=0)
    a[2, :, 2] = 0
    a[4, 1] = a[4, 0]
    tolerance = 1e-4 if kind is np.float32 else 1e-12
    with jax.enable_x64(True):
        x = np.asarray(jax.vmap(linalg.det)(jnp.asarray(a)))
        slope = np.asarray(jax.vmap(jax.grad(lambda a: linalg.det(a).real))(jnp.asarray(a)))
    expected = np.linalg.det(a.astype(complex if kind is complex else float))
    np.testing.assert_allclose(x, expected, rtol=tolerance, atol=tolerance * np.abs(expected).max())
    assert x[2] == 0 and np.isfinite(slope).all()
    if kind is float:
        cofactors = expected[5] * np.linalg.inv(a[5]).T
        np.testing.assert_allclose(slope[5], cofactors, rtol=1e-9)
    a[7, 2, 3] = np.nan
    with jax.enable_x64(True):
        x = np.asarray(jax.vmap(linalg.det)(jnp.asarray(a)))
    assert set(np.flatnonzero(np.isnan(x))) == {7}


@pytest.mark.parametrize("n", [5, 8])
@pytest.mark.parametrize("lower", [True, False])
def test_cholesky_factors(n, lower):
    a = _graded(n, 300, 5)
    a = a @ a.swapaxes(-1, -2)
    x = linalg.cholesky(a, lower=lower)
    half = x if lower else x.swapaxes(-1, -2)
    assert (np.triu(half, 1) == 0).all()
    assert (np.abs(half @ half.swapaxes(-1, -2) - a).max((-2, -1)) <= 1e-15 * n * np.abs(a).max((-2, -1))).all()
    np.testing.assert_allclose(x[0], original.cholesky(a[0], lower=lower), rtol=1e-4, atol=1e-12)
    a = a + np.eye(n)
    with jax.enable_x64(True):
        slope = jax.jvp(lambda a: linalg.cholesky(a, lower=lower), (jnp.asarray(a),), (jnp.eye(n) + 0 * a,))[1]
    step = [original.cholesky(a[9] + h * np.eye(n), lower=lower) for h in (1e-6, -1e-6)]
    np.testing.assert_allclose(slope[9], (step[0] - step[1]) / 2e-6, atol=1e-8)
    a[11, 2, 2] = -1
    with jax.enable_x64(True):
        x = np.asarray(jax.vmap(linalg.cholesky)(jnp.asarray(a)))
    assert np.isnan(np.diagonal(x[11])).all() and np.isfinite(np.delete(x, 11, axis=0)).all()
    with pytest.raises(linalg.LinAlgError, match="3-th leading minor"):
        linalg.cholesky(a)


@pytest.mark.parametrize("n", [4, 8, 20])
def test_exponentials_of_stacks(n):
    a = rng.normal(size=(40, n, n))
    a[::4] *= 30
    a[1] = np.triu(a[1] * 3, 1)  # nilpotent
    with jax.enable_x64(True):
        x = np.asarray(jax.vmap(linalg.expm)(jnp.asarray(a)))
        gradient = np.asarray(jax.grad(lambda a: jax.vmap(linalg.expm)(a).sum())(jnp.asarray(a)))
    for item, got, slope in zip(a, x, gradient, strict=True):
        expected = original.expm(item)
        np.testing.assert_allclose(got, expected, rtol=1e-9, atol=1e-11 * np.abs(expected).max())
    expected = original.expm_frechet(a[2].T, np.ones((n, n)), compute_expm=False)
    np.testing.assert_allclose(gradient[2], expected, rtol=1e-8, atol=1e-10 * np.abs(expected).max())


@pytest.mark.parametrize(
    ("lower", "upper", "n", "k", "count"),
    [(2, 2, 30, 1, 200), (1, 3, 7, 2, 70), (3, 0, 9, 1, 20), (0, 2, 9, 1, 20), (2, 1, 2, 1, 20), (3, 3, 2, 1, 64)],
)
def test_stacks_of_banded_systems(lower, upper, n, k, count):
    ab, b = rng.normal(size=(count, lower + upper + 1, n)), rng.normal(size=(count, n, k))
    ab[::5, upper, 0] = 0 if lower and upper and n > lower else 1.0  # no elimination without exchanges
    x = linalg.solve_banded((lower, upper), ab, b)
    full = np.zeros((count, n, n))
    for i in range(n):
        for j in range(max(0, i - lower), min(n, i + upper + 1)):
            full[:, i, j] = ab[:, upper + i - j, j]
    residual = np.abs(full @ x - b).max((-2, -1))
    assert (residual <= 1e-14 * n * (np.abs(full).max((-2, -1)) * np.abs(x).max((-2, -1)) + 1)).all()
    with jax.enable_x64(True):
        # the implicit derivative of the first system's solution, and its transpose
        gradient = jax.grad(lambda b: linalg.solve_banded((lower, upper), ab, b).sum())(jnp.asarray(b))
    np.testing.assert_allclose(gradient, np.linalg.solve(full.swapaxes(-1, -2), np.ones((count, n, k))), rtol=1e-6)
    ab[3] = 0
    with jax.enable_x64(True):
        x = np.asarray(jax.vmap(lambda a, b: linalg.solve_banded((lower, upper), a, b))(jnp.asarray(ab), b))
    assert np.isnan(x[3]).any() and np.isfinite(np.delete(x, 3, axis=0)).all()


def test_exponentials_and_their_derivative():
    a = rng.normal(size=(5, 3, 3))
    np.testing.assert_allclose(linalg.expm(a), original.expm(a), rtol=1e-12)
    with jax.enable_x64(True):
        gradient = jax.grad(lambda a: linalg.expm(a).sum())(jnp.asarray(a))
    for item, got in zip(a, gradient, strict=True):
        expected = original.expm_frechet(item.T, np.ones((3, 3)), compute_expm=False)
        np.testing.assert_allclose(got, expected, rtol=1e-9)


def _hermitian(kind, n, count=100):
    a = rng.normal(size=(count, n, n)).astype(kind)
    if np.iscomplexobj(a):
        a = a + 1j * rng.normal(size=a.shape)
    return a + a.conj().swapaxes(-1, -2)


def _with_values(values, count):
    """Matrices of these eigenvalues in random orthonormal bases."""
    q = np.linalg.qr(rng.normal(size=(count, len(values), len(values))))[0]
    a = q * np.asarray(values) @ q.swapaxes(-1, -2)
    return (a + a.swapaxes(-1, -2)) / 2


HERMITIAN = {
    "3": lambda: _hermitian(float, 3),
    "4": lambda: _hermitian(float, 4),
    "8": lambda: _hermitian(float, 8),
    "complex": lambda: _hermitian(complex, 3),
    "degenerate": lambda: _with_values([2.0, 2.0, 2.0, -1.0], 100),
    "clustered": lambda: _with_values([1.0, 1.0 + 1e-14, 1.0 - 1e-9, 1e-15], 100),
    "graded": lambda: _with_values([1.0, 1e-8, 1e-20], 100),
    "one value": lambda: np.broadcast_to(3 * np.eye(4), (100, 4, 4)),
    "zero": lambda: np.zeros((100, 3, 3)),
    "exchange": lambda: np.broadcast_to(np.eye(4)[::-1], (100, 4, 4)),
    "tiny": lambda: 1e-300 * _hermitian(float, 4),
    "huge": lambda: 1e300 * _hermitian(float, 3),
}


@pytest.mark.parametrize("name", HERMITIAN)
def test_eigenpairs_by_rotations(name):
    a = HERMITIAN[name]()
    w, v = linalg.eigh(a)
    size = np.abs(a).max((-2, -1), keepdims=True)
    size[size == 0] = 1
    a, w = a / size, w / size[..., 0]
    n = a.shape[-1]
    assert (np.diff(w) >= 0).all()
    np.testing.assert_allclose(a @ v, v * w[:, None], atol=1e-14 * n)
    np.testing.assert_allclose(v.conj().swapaxes(-1, -2) @ v, np.broadcast_to(np.eye(n), a.shape), atol=1e-14)
    np.testing.assert_allclose(w, np.linalg.eigvalsh(a), atol=5e-15 * n)


def test_one_matrix_without_eigenvalues_spoils_no_other():
    a = _hermitian(float, 4)
    with jax.enable_x64(True):
        w, _ = jax.vmap(linalg.eigh)(jnp.asarray(a).at[7, 1, 1].set(jnp.nan))
    assert np.isnan(w[7]).all()
    np.testing.assert_allclose(np.delete(w, 7, 0), np.delete(np.linalg.eigvalsh(a), 7, 0), atol=1e-13)
    with pytest.raises(linalg.LinAlgError):
        linalg.eigh(np.where(np.arange(100)[:, None, None] == 7, np.nan, a), check_finite=False)


def _rectangular(m, n, kind=float):
    a = rng.normal(size=(100, m, n)).astype(kind)
    if kind is complex:
        a = a + 1j * rng.normal(size=a.shape)
    a[10:20, -1] = a[10:20, 0]
    a[20:30, :, -1] = 0
    a[30:40] = 0
    a[40:50] *= 1e-300
    a[50:60] *= 1e300
    a[60:70] *= 10.0 ** -np.arange(0, 12 * n, 12)  # columns of very different size
    return a


@pytest.mark.parametrize(
    ("m", "n", "kind", "full"),
    [(4, 4, float, True), (5, 2, float, True), (5, 2, float, False), (2, 4, float, True), (3, 2, complex, True),
     (1, 3, float, False), (8, 8, float, True)],
)  # fmt: skip
def test_singular_values_by_rotations(m, n, kind, full):
    a = _rectangular(m, n, kind)
    u, s, vh = linalg.svd(a, full_matrices=full)
    k = min(m, n)
    assert u.shape[1:] == (m, m if full else k) and vh.shape[1:] == (n if full else k, n)
    size = np.abs(a).max((-2, -1), keepdims=True)
    size[size == 0] = 1
    assert (np.diff(s) <= 0).all() and (s >= 0).all()
    np.testing.assert_allclose(u[..., :k] * (s / size[..., 0])[:, None] @ vh[:, :k], a / size, atol=1e-14 * max(m, n))
    for basis in (u, vh.swapaxes(-1, -2)):
        eye = np.broadcast_to(np.eye(basis.shape[-1]), (100, *basis.shape[-1:] * 2))
        np.testing.assert_allclose(basis.conj().swapaxes(-1, -2) @ basis, eye, atol=2e-14)
    np.testing.assert_allclose(s / size[..., 0], np.linalg.svd(a / size, compute_uv=False), atol=1e-14 * max(m, n))
    if m == 4:
        np.testing.assert_allclose(linalg.svdvals(a) / size[..., 0], s / size[..., 0], atol=1e-14)


def test_derivatives_of_rotations():
    a = _with_values([1.0, 1.0, 3.0], 70)
    with jax.enable_x64(True):
        # at a double value: a function of the whole eigenspace is smooth, log det = sum of logarithms
        got = jax.grad(lambda a: jnp.log(linalg.eigh(a)[0]).sum())(jnp.asarray(a))
        # one triangle is read
        np.testing.assert_allclose((got + got.swapaxes(-1, -2)) / 2, np.linalg.inv(a), atol=1e-12)
        plane = lambda a: (lambda v: v @ jnp.swapaxes(v, -1, -2))(linalg.eigh(a)[1][..., :2])  # noqa: E731
        direction = _hermitian(float, 3, 70)
        _, slope = jax.jvp(plane, (jnp.asarray(a),), (jnp.asarray(direction),))
        p = np.asarray(plane(jnp.asarray(a)))  # the projector on the double value's plane; the other value is 3
        mixed = p @ direction @ (np.eye(3) - p) / (1.0 - 3.0)
        np.testing.assert_allclose(slope, mixed + mixed.swapaxes(-1, -2), atol=1e-12)
        # the polar factor by svd, against a difference quotient
        b, db = jnp.asarray(rng.normal(size=(2, 70, 3, 3)))

        def polar(b):
            u, _, vh = linalg.svd(b)
            return u @ vh

        _, slope = jax.jvp(polar, (b,), (db,))
        h = 1e-6
        quotient = (polar(b + h * db) - polar(b - h * db)) / (2 * h)
        np.testing.assert_allclose(slope, quotient, rtol=1e-4, atol=1e-4 * np.abs(quotient).max())
        gradient = jax.grad(lambda b: linalg.svd(b, full_matrices=False)[1].sum())(b)
        np.testing.assert_allclose(gradient, polar(b), atol=1e-12)
