"""Functions of a few numbers, and homogeneous points, against OpenCV."""

import cv2
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from image import cv2 as ours
from tests.image.against_cv2 import both, both_raise

RNG = np.random.default_rng(6)
CUBICS = [
    [1, -6, 11, -6], [1, 0, 0, 0], [0, 1, -3, 2], [0, 0, 2, 4], [0, 0, 0, 4], [0, 0, 0, 0], [1, -3, 3, -1],
    [1, 0, 0, 1], [1, -4, 5, -2], [0, 1, 0, 1], [-6, 11, -6], [0, 1, 2, 1], [1, -5, 8, -4], [2, 0, -3],
    [2, 5, -3.5, 0.25],
]  # fmt: skip


def test_angles_and_roots():
    for y, x in [*RNG.normal(size=(40, 2)).tolist(), (0, 0), (0, -1), (1, 0), (-1, 0), (3, 3)]:
        both("fastAtan2", y, x, rtol=1e-6, atol=1e-4)
    for value in (*RNG.normal(size=20), 0, 27, -1e-30, 1e30):
        both("cubeRoot", float(value), rtol=2e-6)
    np.testing.assert_allclose(jax.grad(ours.cubeRoot)(8.0), 1 / 12, rtol=1e-5)


def test_places_at_borders():
    for border in (0, 1, 2, 3, 4):
        for length in (1, 2, 5, 10):
            for place in (-13, -3, -1, 0, length - 1, length, 22):
                both("borderInterpolate", place, length, border)
    places = jax.vmap(lambda p: ours.borderInterpolate(p, 5, 4))(jnp.arange(-3, 8))
    assert places.tolist() == [cv2.borderInterpolate(p, 5, 4) for p in range(-3, 8)]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("shape", [(-1,), (1, -1), (-1, 1)])
def test_cubics(dtype, shape):
    rtol = 1e-5 if dtype == np.float32 else 1e-9
    for coeffs in [*CUBICS, *RNG.normal(size=(30, 4)).tolist()]:
        both("solveCubic", np.array(coeffs, dtype).reshape(shape), rtol=rtol, atol=rtol)


@pytest.mark.parametrize("dtype", [np.int32, np.float32, np.float64])
@pytest.mark.parametrize("k", [2, 3])
def test_homogeneous_points(dtype, k):
    points = RNG.integers(-9, 10, (6, k + 1)).astype(dtype)
    points[2, -1] = 0
    for shape in ((6, -1), (6, 1, -1), (1, 6, -1)):
        both("convertPointsToHomogeneous", points[:, :-1].reshape(shape))
        both("convertPointsFromHomogeneous", points.reshape(shape), rtol=1e-6)
    if dtype != np.int32:
        for last in (1e-20, 1e-7, 1.1e-7, 1.3e-7, -1e-7):
            points[3, -1] = last
            both("convertPointsFromHomogeneous", points, rtol=1e-6)
    assert np.isfinite(jax.grad(lambda p: ours.convertPointsFromHomogeneous(p).sum())(points.astype(np.float32))).all()


def test_bad_numbers():
    both_raise("solveCubic", np.ones((2, 2)))
    both_raise("solveCubic", np.ones(4, np.int32))
    both_raise("solveCubic", np.ones(5))
    both_raise("borderInterpolate", -2, 5, 77)
    both("borderInterpolate", 2, 5, 77)
    both_raise("convertPointsToHomogeneous", np.ones((5, 4)))
    both_raise("convertPointsFromHomogeneous", np.ones((5, 3), np.uint8))
    for call in (lambda: ours.fastAtan2("a", 1), lambda: ours.cubeRoot("a"), lambda: ours.borderInterpolate(2.5, 5, 1)):
        with pytest.raises(cv2.error):
            call()
