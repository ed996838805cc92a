"""Order, masks and matrices of OpenCV's core against OpenCV."""

import cv2
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from image import cv2 as ours
from tests.image.against_cv2 import both, both_raise

RNG = np.random.default_rng(5)
DTYPES = [np.uint8, np.int8, np.uint16, np.int16, np.int32, np.float32, np.float64]


@pytest.mark.parametrize("dtype", DTYPES)
def test_order(dtype):
    image = RNG.integers(0, 50, (9, 40)).astype(dtype)
    apart = np.stack([RNG.permutation(40) for _ in range(9)]).astype(dtype)
    for flags in (0, 1, 16, 17):
        both("sort", image, flags)
        both("sortIdx", apart if not flags & 1 else apart.T.copy(), flags)
        order = ours.sortIdx(image, flags)
        found = np.take_along_axis(image, order, axis=0 if flags & 1 else 1)
        np.testing.assert_array_equal(found, cv2.sort(image, flags))
    for name in ("reduceArgMax", "reduceArgMin"):
        for axis in (0, 1, -1):
            for last in (True, False):
                both(name, image % 5, axis, lastIndex=last)


@pytest.mark.parametrize("dtype", DTYPES)
def test_matrices(dtype):
    image = RNG.integers(0, 50, (7, 7)).astype(dtype)
    both("trace", image, rtol=1e-12)
    both("trace", image[:3], rtol=1e-12)
    both("trace", np.dstack([image, image.T, image * 0]), rtol=1e-12)
    for lower in (True, False):
        both("completeSymm", image.copy(), lower)
        both("completeSymm", np.dstack([image, image]), lower)
    target = image.copy()
    assert ours.completeSymm(target) is target
    if dtype not in (np.int8, np.int32):
        for inner in (True, False):
            both("mulTransposed", image[:4], inner, rtol=1e-6)
            both("mulTransposed", image[:4], inner, None, None, 0.3, 6 if dtype == np.float64 else 5, rtol=1e-6)
            delta = RNG.normal(size=(4, 7)).astype(np.float64 if dtype == np.float64 else np.float32)
            for part in (delta, delta[:1], delta[:, :1].copy()):
                both("mulTransposed", image[:4], inner, None, part, 2.5, rtol=1e-4, atol=1e-2)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_eigen(dtype):
    matrix = RNG.normal(size=(6, 6)).astype(dtype)
    retval, values, vectors = ours.eigen(matrix)
    expected = cv2.eigen(matrix)
    assert retval is True and values.dtype == dtype and vectors.dtype == dtype
    np.testing.assert_allclose(values, expected[1], rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(np.abs(vectors), np.abs(expected[2]), atol=1e-3)


@pytest.mark.parametrize("dtype", DTYPES)
def test_copies(dtype):
    image, base = (RNG.integers(0, 50, (7, 9, 3)).astype(dtype) for _ in (0, 1))
    mask = (RNG.random((7, 9)) < 0.5).astype(np.uint8)
    both("copyTo", image, mask)
    both("copyTo", image, mask.astype(bool))
    both("copyTo", image[..., 0].copy(), mask * 200)
    both("copyTo", image, np.dstack([mask, 1 - mask, mask]))
    both("copyTo", image, None)
    both("copyTo", image, mask, base.copy())
    target = base.copy()
    assert ours.copyTo(image, mask, target) is target
    both("copyTo", image, mask, np.zeros((2, 2), np.uint8))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_values_that_are_not_finite(dtype):
    image = RNG.normal(size=(5, 6, 3)).astype(dtype)
    image[1, 2, 1], image[3, 4, 0], image[4, 5, 2] = np.nan, np.inf, -np.inf
    both("finiteMask", image)
    both("finiteMask", image[..., 1].copy())
    both("patchNaNs", image.copy(), 2.5)
    target = image.copy()
    assert ours.patchNaNs(target) is target and not np.isnan(target).any()
    both("checkRange", image)
    both("checkRange", image[2:])
    both("checkRange", image[:1])
    with pytest.raises(cv2.error, match="out of range"):
        ours.checkRange(image, False)


@pytest.mark.parametrize("dtype", DTYPES)
def test_ranges(dtype):
    image = RNG.integers(3, 50, (5, 6)).astype(dtype)
    for low, high in ((3, 50), (0, 40), (10, 99), (2.5, 49.5), (3.5, 60), (49, 3), (-1e9, 1e9)):
        both("checkRange", image, True, low, high)
    both("checkRange", image)


def test_in_pipelines():
    image = jnp.asarray(RNG.normal(size=(5, 6)))
    mask = np.eye(5, 6, dtype=np.uint8)
    np.testing.assert_array_equal(jax.grad(lambda x: ours.copyTo(x, mask).sum())(image), mask)
    assert jax.jit(ours.checkRange)(image)[0]
    slope = jax.grad(lambda x: ours.eigen(x)[1][0, 0])(image[:, :5] @ image[:, :5].T)
    assert np.isfinite(slope).all()


def test_bad_arrays():
    both_raise("sort", np.ones((3, 4, 2), np.uint8), 0)
    both_raise("reduceArgMax", np.ones((3, 4, 2), np.uint8), 0)
    both_raise("trace", np.ones((3, 3, 5)))
    both_raise("completeSymm", np.ones((3, 4)))
    both_raise("eigen", np.ones((3, 4)))
    both_raise("eigen", np.ones((3, 3), np.uint8))
    both_raise("mulTransposed", np.ones((3, 4)), True, None, np.ones((2, 4)))
    both_raise("mulTransposed", np.ones((3, 4, 2)), True)
    both_raise("finiteMask", np.ones((3, 4), np.uint8))
    both_raise("finiteMask", np.ones((3, 4, 5)))
    both_raise("patchNaNs", np.ones((3, 4), np.uint8))
    both_raise("copyTo", np.ones((3, 4), np.uint8), np.ones((3, 5), np.uint8))
    both_raise("copyTo", np.ones((3, 4), np.uint8), np.ones((3, 4), np.float32))
