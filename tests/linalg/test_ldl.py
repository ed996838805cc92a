"""LDL: the original's pivots, factors and permutations over structures and sizes; derivatives; bad input."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.linalg as original

from sci import linalg

rng = np.random.default_rng(3)


def matrix(n, kind, structure):
    a = rng.normal(size=(n, n)) + (0 if kind == "real" else 1j * rng.normal(size=(n, n)))
    if structure == "integer":  # ties between pivots
        a = np.round(a)
    elif structure == "sparse":
        a = a * (rng.random((n, n)) < 0.4)
    elif structure == "no diagonal":  # all pivots of order 2
        a = a - np.diag(np.diag(a))
    elif structure == "zero":
        a = 0 * a
    elif structure == "rank one":
        a = np.ones_like(a)
    elif structure == "scaled":
        a = a * 1e150
    return a + (a.T if kind == "symmetric" else a.conj().T)


@pytest.mark.parametrize("kind", ["real", "hermitian", "symmetric"])
@pytest.mark.parametrize("lower", [True, False])
def test_factors_are_those_of_the_original(kind, lower):
    hermitian = kind != "symmetric"
    for n in (5, 70):  # one panel, several
        for structure in ("random", "integer", "sparse", "no diagonal", "zero", "rank one", "scaled"):
            a = matrix(n, kind, structure)
            lu, d, perm = linalg.ldl(a, lower=lower, hermitian=hermitian)
            expected = original.ldl(a, lower=lower, hermitian=hermitian)
            size = np.abs(a).max()
            np.testing.assert_allclose(lu @ d @ (lu.conj() if hermitian else lu).T, a, atol=1e-13 * n * size)
            triangle = np.tril(lu[perm]) if lower else np.triu(lu[perm])
            np.testing.assert_array_equal(triangle, lu[perm])
            np.testing.assert_array_equal(np.diag(triangle), 1)
            # rounding decides between equal entries; LAPACK's panels leave anything in columns whose pivot is zero
            if structure in ("sparse", "rank one") and n > 5:
                continue
            np.testing.assert_array_equal(perm, expected[2])
            np.testing.assert_allclose(lu, expected[0], atol=1e-9)
            np.testing.assert_allclose(d, expected[1], atol=1e-9 * max(size, 1e-300))


def test_stacks_triangles_and_single_precision():
    a = rng.normal(size=(2, 3, 4, 4))  # only one triangle is read
    for lower in (True, False):
        for got, expected in zip(linalg.ldl(a, lower=lower), original.ldl(a, lower=lower), strict=True):
            assert got.shape == expected.shape and got.dtype == expected.dtype
            np.testing.assert_allclose(got, expected, atol=1e-12)
    single = [x.dtype for x in linalg.ldl(a[0, 0].astype(np.float32))]
    assert single == [x.dtype for x in original.ldl(a[0, 0].astype(np.float32))]
    for empty in (np.zeros((0, 0)), np.zeros((2, 0, 0)), 3.0, [2.0]):
        for got, expected in zip(linalg.ldl(empty), original.ldl(empty), strict=True):
            assert got.shape == expected.shape and got.dtype == expected.dtype


@pytest.mark.parametrize("kind", ["real", "hermitian", "symmetric"])
@pytest.mark.parametrize("lower", [True, False])
def test_derivatives(kind, lower):
    hermitian = kind != "symmetric"
    a, da = matrix(5, kind, "no diagonal"), matrix(5, kind, "random")

    def parts(t):
        return linalg.ldl(a + t * da, lower=lower, hermitian=hermitian)[:2]

    with jax.enable_x64(True):
        _, tangents = jax.jvp(lambda t: linalg.ldl(jnp.asarray(a) + t * da, lower=lower, hermitian=hermitian)[:2],
                              (0.0,), (1.0,))  # fmt: skip
    h = 1e-6
    for tangent, plus, minus in zip(tangents, parts(h), parts(-h), strict=True):
        np.testing.assert_allclose(tangent, (plus - minus) / (2 * h), rtol=1e-6, atol=1e-7)


def test_bad_input():
    for wrong in (np.ones((2, 3)), np.array([[np.nan, 1.0], [1.0, 1.0]]), np.ones(3), np.ones((0, 2, 2))):
        for module in (original, linalg):
            with pytest.raises(ValueError):
                module.ldl(wrong)
    with pytest.warns(np.exceptions.ComplexWarning, match="imaginary parts"):
        linalg.ldl(np.array([[1.0 + 1j, 2.0], [2.0, 3.0]]))
    assert np.isnan(linalg.ldl(np.array([[np.nan, 1.0], [1.0, 1.0]]), check_finite=False)[1]).any()
