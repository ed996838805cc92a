"""Balancing: the original's order and powers of two over sparsities and ranges; stacks; bad input."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.linalg as original

from sci import linalg

rng = np.random.default_rng(4)


@pytest.mark.parametrize("permute", [True, False])
@pytest.mark.parametrize("scale", [True, False])
def test_results_are_those_of_the_original(permute, scale):
    for n in (1, 2, 6):
        for density in (0.0, 0.2, 0.4, 1.0):
            for spread in (1.0, 5.0, 30.0):
                a = rng.normal(size=(n, n)) * (rng.random((n, n)) < density) * np.exp(spread * rng.normal(size=(n, n)))
                b, (factors, order) = linalg.matrix_balance(a, permute, scale, separate=True)
                expected = original.matrix_balance(a, permute, scale, separate=True)
                np.testing.assert_array_equal(order, expected[1][1])
                np.testing.assert_array_equal(factors, expected[1][0])
                np.testing.assert_array_equal(b, expected[0])


def test_similarity_types_and_stacks():
    a = rng.normal(size=(5, 5)) * np.exp(8 * rng.normal(size=(5, 5))) * (1 + 1j * rng.normal(size=(5, 5)))
    a[3, [0, 1, 2, 4]] = 0
    for matrix in (a, a.real, a.astype(np.complex64), a.real.astype(np.float32), np.arange(9).reshape(3, 3), 2.0,
                   np.zeros((0, 0))):  # fmt: skip
        for separate in (False, True):
            got, expected = (m.matrix_balance(matrix, separate=separate) for m in (linalg, original))
            assert jax.tree.structure(got) == jax.tree.structure(expected)
            for x, y in zip(jax.tree.leaves(got), jax.tree.leaves(expected), strict=True):
                assert x.shape == y.shape and x.dtype == y.dtype
                np.testing.assert_array_equal(x, y)
    b, t = linalg.matrix_balance(a)
    np.testing.assert_allclose(t @ b, a @ t, rtol=1e-13)
    stack = np.stack([a, a.T, np.eye(5)])
    for separate in (False, True):
        got, expected = (m.matrix_balance(stack, separate=separate) for m in (linalg, original))
        for x, y in zip(got, expected, strict=True):
            np.testing.assert_array_equal(x, y)


def test_a_matrix_of_which_sweeps_find_more_than_one():
    n = 40
    a = np.tril(rng.normal(size=(n, n)))
    shuffle = rng.permutation(n)
    a = a[shuffle][:, shuffle]
    got, expected = (m.matrix_balance(a, separate=True) for m in (linalg, original))
    np.testing.assert_array_equal(got[1][1], expected[1][1])
    np.testing.assert_array_equal(np.tril(got[0], -1), 0)


def test_bad_input_and_nan():
    for wrong in (np.ones((2, 3)), np.array([[np.nan, 1.0], [1.0, 1.0]]), np.ones(3), np.ones((0, 2, 2))):
        for module in (original, linalg):
            with pytest.raises(ValueError):
                module.matrix_balance(wrong)
    assert jnp.isnan(linalg.matrix_balance(jnp.full((3, 3), jnp.nan))[0]).all()  # and it ends
