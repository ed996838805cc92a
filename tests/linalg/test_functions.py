"""Matrix functions and equations: residuals over many kinds of matrices, derivatives, failures."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.linalg

import sci
import solvers.linear
from sci import linalg
from solvers.linear import solve_sylvester

rng = np.random.default_rng(5)

MATRICES = {
    "random": rng.normal(size=(5, 5)) + 4 * np.eye(5),
    "negative eigenvalues": np.diag([-1.0, 2.0, 3.0]) + np.triu(np.ones((3, 3)), 1),
    "complex": rng.normal(size=(4, 4)) + 1j * rng.normal(size=(4, 4)) + 3 * np.eye(4),
    "defective": np.array([[2.0, 1.0, 0.0], [0.0, 2.0, 1.0], [0.0, 0.0, 2.0]]),
    "far from normal": np.array([[1.0, 1e4], [0.0, 2.0]]),
    "near equal eigenvalues": np.array([[1.0, 1.0], [0.0, 1.0 + 1e-9]]),
    "rotation": np.array([[0.0, -1.0], [1.0, 0.0]]),
    "small": 1e-8 * (rng.normal(size=(3, 3)) + 3 * np.eye(3)),
    "1x1": np.array([[4.0]]),
}


@pytest.mark.parametrize("a", MATRICES.values(), ids=MATRICES.keys())
def test_roots_and_logarithms(a):
    size = np.linalg.norm(a)
    root = linalg.sqrtm(a)
    assert np.linalg.norm(root @ root - a) <= 1e-13 * size * max(1, np.linalg.norm(root) ** 2 / size)
    log = linalg.logm(a)
    expected = scipy.linalg.logm(a)
    assert np.linalg.norm(log - expected) <= 1e-10 * np.linalg.norm(expected)
    power = linalg.fractional_matrix_power(a, 0.4)
    assert np.linalg.norm(power - scipy.linalg.fractional_matrix_power(a, 0.4)) <= 1e-9 * np.linalg.norm(power)
    assert np.iscomplexobj(log) == np.iscomplexobj(expected)


def test_singular_matrices():
    singular = np.diag([1.0, 0.0])
    with pytest.warns(linalg.LinAlgWarning, match="singular"):
        linalg.sqrtm(singular)
    with pytest.warns(UserWarning, match="singular"):
        linalg.logm(singular)
    assert np.isnan(linalg.fractional_matrix_power(singular, -0.5)).all()


def test_derivative_of_the_logarithm_inverts_that_of_the_exponential():
    a, e = MATRICES["random"], rng.normal(size=(5, 5))
    with jax.enable_x64(True):
        x, dx = jax.jvp(linalg.logm, (jnp.asarray(a),), (jnp.asarray(e),))
    np.testing.assert_allclose(linalg.expm_frechet(np.asarray(x), np.asarray(dx), compute_expm=False), e, atol=1e-10)


def test_large_triangular_functions_go_by_blocks():
    a = rng.normal(size=(130, 130)) + 30 * np.eye(130)
    root = linalg.sqrtm(a)
    np.testing.assert_allclose(root @ root, a, atol=1e-10)
    q = rng.normal(size=(130, 3))
    b = rng.normal(size=(3, 3))
    with jax.enable_x64(True):
        x = np.asarray(solve_sylvester(*map(jnp.asarray, (a, b, q))))
    np.testing.assert_allclose(a @ x + x @ b, q, atol=1e-11)


def test_trigonometric_identities():
    a = np.stack([MATRICES["rotation"], rng.normal(size=(2, 2))])
    cos, sin = linalg.cosm(a), linalg.sinm(a)
    np.testing.assert_allclose(cos @ cos + sin @ sin, np.broadcast_to(np.eye(2), a.shape), atol=1e-12)
    cosh, sinh = linalg.coshm(a), linalg.sinhm(a)
    np.testing.assert_allclose(cosh + sinh, linalg.expm(a), atol=1e-12)
    np.testing.assert_allclose(cosh @ linalg.tanhm(a), sinh, atol=1e-12)
    np.testing.assert_allclose(cos @ linalg.tanm(a), sin, atol=1e-12)


def test_sign():
    a = rng.normal(size=(6, 6))
    s = linalg.signm(a)
    np.testing.assert_allclose(s @ s, np.eye(6), atol=1e-10)
    np.testing.assert_allclose(s @ a, a @ s, atol=1e-10)


@pytest.mark.parametrize("kind", ["real", "complex"])
def test_riccati_equations(kind):
    # of its own: with what other tests left of the shared one, SciPy itself may refuse the problem
    rng = np.random.default_rng(0)

    def random(*shape):
        return rng.normal(size=shape) + (1j * rng.normal(size=shape) if kind == "complex" else 0)

    a, b, e, s = random(5, 5), random(5, 2), random(5, 5) + 4 * np.eye(5), 0.1 * random(5, 2)
    q, r = np.eye(5) * 2, np.eye(2)
    h = lambda m: m.conj().T  # noqa: E731
    x = linalg.solve_continuous_are(a, b, q, r, e, s)
    half = h(e) @ x @ b + s
    residual = h(a) @ x @ e + h(e) @ x @ a - half @ np.linalg.solve(r, h(half)) + q
    assert np.linalg.norm(residual) <= 1e-10 * max(1, np.linalg.norm(x)) * np.linalg.norm(e) * np.linalg.norm(a)
    np.testing.assert_allclose(x, scipy.linalg.solve_continuous_are(a, b, q, r, e, s), rtol=1e-7, atol=1e-8)
    a = a / 4
    x = linalg.solve_discrete_are(a, b, q, r, e, s)
    np.testing.assert_allclose(x, scipy.linalg.solve_discrete_are(a, b, q, r, e, s), rtol=1e-7, atol=1e-8)


@pytest.mark.parametrize("rank", [0, 1])
def test_discrete_riccati_equation_of_a_singular_weight(rank):
    rng = np.random.default_rng(1)
    a, b, e, s = rng.normal(size=(5, 5)), rng.normal(size=(5, 2)), rng.normal(size=(5, 5)), rng.normal(size=(5, 2))
    factor = rng.normal(size=(2, rank))
    weights, a, e, s = (np.eye(5), factor @ factor.T), a / 3, e / 5 + np.eye(5), s / 20
    sci.clear_fallbacks()
    for options in ((), (e, s)):
        x = linalg.solve_discrete_are(a, b, *weights, *options)
        np.testing.assert_allclose(x, scipy.linalg.solve_discrete_are(a, b, *weights, *options), rtol=1e-7, atol=1e-9)
    assert not sci.fallbacks()
    np.testing.assert_allclose(linalg.solve_discrete_are([[2, -1], [1, 0]], [[1], [0]], [[0, 0], [0, 1]], 0), np.eye(2))
    with jax.enable_x64(True):
        r = jnp.asarray(weights[1])
        value = lambda t: linalg.solve_discrete_are(jnp.asarray(a), b, weights[0], r + t * jnp.eye(2)).sum()  # noqa: E731
        slope = (value(1e-4) - value(-1e-4)) / 2e-4
        assert abs(jax.grad(value)(0.0) - slope) < 1e-5 * abs(slope)


@pytest.mark.parametrize("kind", ["shifted", "definite", "complex", "negative", "ill", "large", "single"])
def test_square_root_by_products_or_by_schur_form(kind):
    rng = np.random.default_rng(2)
    a = rng.normal(size=(9, 9))
    q = np.linalg.qr(a)[0]
    a = {
        "shifted": lambda: a + 9 * np.eye(9), "definite": lambda: a @ a.T + np.eye(9),
        "complex": lambda: a + 4j * a.T + np.eye(9),
        "negative": lambda: a - np.diag(np.diag(a)) + np.diag([-9.0, *[2.0] * 8]),
        "ill": lambda: q @ np.diag(np.logspace(-9, 0, 9)) @ q.T, "large": lambda: 1e200 * (a + 9 * np.eye(9)),
        "single": lambda: (a + 9 * np.eye(9)).astype(np.float32),
    }[kind]()  # fmt: skip
    scale = abs(a).max()  # for SciPy's sake
    x, expected = linalg.sqrtm(a), scipy.linalg.sqrtm(a / scale) * scale**0.5
    tolerance = 2e-5 if kind == "single" else 1e-10
    assert kind == "large" or x.dtype == expected.dtype
    assert abs(x - expected).max() <= tolerance * abs(expected).max()
    assert abs((x / scale**0.5) @ (x / scale**0.5) - a / scale).max() <= tolerance / 10
    with jax.enable_x64(kind != "single"):
        root, fine = solvers.linear.sqrt_by_products(jnp.asarray(a / scale))
    assert bool(fine) == (kind in ("shifted", "definite", "complex", "large", "single"))
    if fine:
        assert abs(np.asarray(root) - expected / scale**0.5).max() <= tolerance


def test_complex_schur_form_of_a_real_one():
    for n in (2, 5, 8):
        a = np.random.default_rng(n).normal(size=(n, n))
        for factor in (1.0, 1e180):
            t, z = scipy.linalg.schur(a * factor)
            for vectors in (z, z + 0j):
                upper, turned = linalg.rsf2csf(t, vectors)
                assert not np.tril(upper, -1).any() and abs(turned @ turned.conj().T - np.eye(n)).max() < 1e-13
                assert abs(turned @ (upper / factor) @ turned.conj().T - a).max() < 1e-13 * n


def test_unstabilisable_problems_are_refused():
    with pytest.raises(linalg.LinAlgError):
        linalg.solve_continuous_are(np.eye(2), np.zeros((2, 1)), np.eye(2), np.eye(1))
    with pytest.raises(ValueError, match="symmetric"):
        linalg.solve_continuous_are(np.eye(2), np.ones((2, 1)), [[1.0, 2.0], [0.0, 1.0]], np.eye(1))


def test_polar_is_differentiable_at_equal_singular_values():
    with jax.enable_x64(True):
        a = jnp.eye(3)
        e = jnp.asarray(rng.normal(size=(3, 3)))
        _, du = jax.jvp(lambda m: linalg.polar(m)[0], (a,), (e,))
    e = np.asarray(e)
    np.testing.assert_allclose(du, (e - e.T) / 2, atol=1e-12)


def test_eigenvectors_of_a_stack_are_as_scipy_scales_them():
    a = rng.normal(size=(3, 4, 4))
    w, vl, vr = linalg.eig(a, left=True)
    for k in range(3):
        expected = scipy.linalg.eig(a[k], left=True)
        np.testing.assert_allclose(w[k], expected[0], atol=1e-12)
        np.testing.assert_allclose(vl[k], expected[1], atol=1e-12)
        np.testing.assert_allclose(vr[k], expected[2], atol=1e-12)
