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


def test_exponentials_and_their_derivative():
    a = rng.normal(size=(5, 3, 3))
    np.testing.assert_allclose(linalg.expm(a), original.expm(a), rtol=1e-12)
    with jax.enable_x64(True):
        gradient = jax.grad(lambda a: linalg.expm(a).sum())(jnp.asarray(a))
    for item, got in zip(a, gradient, strict=True):
        expected = original.expm_frechet(item.T, np.ones((3, 3)), compute_expm=False)
        np.testing.assert_allclose(got, expected, rtol=1e-9)
