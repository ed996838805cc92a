"""funm: against the original and closed forms; derivatives; the estimate of the error; bad input."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.linalg as original

import sci
from sci import linalg

rng = np.random.default_rng(8)
cube = lambda x: x**3  # noqa: E731


@pytest.mark.parametrize("kind", [float, complex, np.float32])
def test_against_the_original(kind):
    a = rng.normal(size=(3, 6, 6)).astype(kind)
    if kind is complex:
        a = a + 1j * rng.normal(size=a.shape)
    tolerance = 1e-4 if kind is np.float32 else 1e-11
    for matrix in (a, a[0], np.triu(a[1]), a[0] + a[0].T.conj()):
        sci.clear_fallbacks()
        got, error = linalg.funm(matrix, cube, disp=False)
        expected, their_error = original.funm(matrix, cube, disp=False)
        assert got.dtype == expected.dtype and not sci.fallbacks()
        np.testing.assert_allclose(got, expected, rtol=tolerance, atol=tolerance * 50)
        np.testing.assert_allclose(error, their_error, rtol=2)
    np.testing.assert_allclose(linalg.funm(a[0], np.exp), original.expm(a[0]), rtol=tolerance, atol=tolerance)


def test_what_the_recurrence_cannot_know(capsys):
    block = np.array([[2.0, 1.0], [0.0, 2.0]])
    linalg.funm(block, np.sin)
    assert "may be inaccurate" in capsys.readouterr().out
    assert linalg.funm(block, np.sin, disp=False)[1] == original.funm(block, np.sin, disp=False)[1] == 1
    assert jnp.isnan(linalg.funm(jnp.asarray(block), jnp.sin)).all()
    assert linalg.funm(jnp.asarray(block), jnp.sin, disp=False)[1] == 1
    np.testing.assert_allclose(linalg.funm(np.eye(3), np.sin), np.sin(1) * np.eye(3))  # nothing coupled: it knows
    assert capsys.readouterr().out == ""


def test_a_function_with_branches_by_value_and_captured_arrays():
    a = np.diag([1.0, 2.0, 4.0]) + 0.1
    slope = np.array(2.0)
    rectified = lambda w: np.where(w.real > 2, slope * w, 0)  # noqa: E731
    np.testing.assert_allclose(linalg.funm(a, rectified), original.funm(a, rectified), atol=1e-13)


def test_derivatives_in_the_matrix_and_in_the_function():
    a, e = rng.normal(size=(2, 4, 4))
    with jax.enable_x64(True):
        a, e = jnp.asarray(a), jnp.asarray(e)
        _, got = jax.jvp(lambda a: linalg.funm(a, cube), (a,), (e,))
        np.testing.assert_allclose(got, a @ a @ e + a @ e @ a + e @ a @ a, atol=1e-11)
        gradient = jax.grad(lambda a: linalg.funm(a, jnp.exp).real[0, 1])(a)
        np.testing.assert_allclose(gradient, jax.grad(lambda a: linalg.expm(a)[0, 1])(a), atol=1e-10)
        rate = jax.grad(lambda t: linalg.funm(a, lambda w: jnp.exp(t * w)).real.sum())(0.7)
        np.testing.assert_allclose(rate, (a @ original.expm(0.7 * np.asarray(a))).sum(), rtol=1e-10)
        # equal eigenvalues of a diagonalisable matrix
        _, got = jax.jvp(lambda a: linalg.funm(a, cube), (jnp.eye(4),), (e,))
        np.testing.assert_allclose(got, 3 * e, atol=1e-12)


def test_bad_input():
    for wrong, error in ((np.ones((2, 3)), ValueError), (np.ones(3), ValueError), (np.full((2, 2), np.nan), ValueError),
                         (np.zeros((0, 0)), IndexError)):  # fmt: skip
        for module in (original, linalg):
            with pytest.raises(error):
                module.funm(wrong, np.exp)
    for module in (original, linalg):
        with pytest.raises(ValueError):
            module.funm(np.eye(2), lambda w: 1.0)
