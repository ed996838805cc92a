"""Measures of curves against OpenCV."""

import cv2
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import sci
from image import cv2 as ours
from tests.image.against_cv2 import both, both_raise

RNG = np.random.default_rng(4)


def curves():
    for n in (1, 2, 3, 5, 9):
        for dtype in (np.int32, np.float32):
            yield RNG.integers(-30, 60, (n, 2)).astype(dtype)
            yield RNG.uniform(-30, 60, (n, 1, 2)).astype(dtype)
            yield RNG.integers(0, 9, (1, n, 2)).astype(dtype)


def test_measures():
    for curve in curves():
        for flag in (True, False):
            both("contourArea", curve, flag, rtol=1e-6, atol=1e-3)
            both("arcLength", curve, flag, rtol=1e-6)
        both("boundingRect", curve)
        if curve.size > 2:
            both("isContourConvex", curve)
            both("fitLine", curve, cv2.DIST_L2, 0, 0.01, 0.01, rtol=1e-4, atol=1e-4)


def test_convex_curves():
    turns = np.linspace(0, 2 * np.pi, 8)[:-1]
    ring = np.stack([np.cos(turns), np.sin(turns)], axis=1) * 100
    assert both("isContourConvex", ring.astype(np.float32)) is True
    assert both("isContourConvex", ring[::-1].astype(np.int32)) is True
    assert both("isContourConvex", np.array([[0, 0], [2, 0], [4, 0], [4, 4]], np.int32)) is False


def test_points_in_polygons():
    curve = np.array([[0, 0], [6, 0], [6, 6], [3, 3], [0, 6]], np.int32)
    for polygon in (curve, curve[::-1].astype(np.float32), RNG.integers(0, 9, (7, 1, 2)).astype(np.int32)):
        for x in np.arange(-1, 10, 1.5):
            for y in np.arange(-1, 10, 0.5):
                both("pointPolygonTest", np.ascontiguousarray(polygon), (x, y), False)
                both("pointPolygonTest", np.ascontiguousarray(polygon), (x, y), True, rtol=1e-6, atol=1e-6)


def test_bounds_of_an_image():
    image = np.zeros((20, 30), np.uint8)
    both("boundingRect", image)
    image[4:9, 7], image[3, 20] = 1, 200
    assert both("boundingRect", image) == (7, 3, 14, 6)


def test_box_points():
    for _ in range(20):
        x, y, w, h, angle = RNG.uniform(0, 50, 5).tolist()
        both("boxPoints", ((x, y), (w, h), angle * 9 - 200), rtol=1e-4, atol=1e-4)
    both("boxPoints", cv2.minAreaRect(np.array([[1, 2], [9, 3], [4, 8]], np.int32)), rtol=1e-5)
    target = np.zeros((4, 2), np.float32)
    assert ours.boxPoints(((1, 2), (3, 4), 5), target) is target and target.any()


def test_traced_curves_and_slopes():
    square = jnp.array([[0.0, 0.0], [4.0, 0.0], [4.0, 4.0], [0.0, 4.0]])
    assert jax.jit(ours.contourArea)(square) == 16
    np.testing.assert_allclose(jax.grad(ours.contourArea)(square)[2], [2.0, 2.0])
    areas = jax.vmap(ours.contourArea)(jnp.stack([square, 2 * square]))
    np.testing.assert_allclose(areas, [16, 64])
    slope = jax.grad(lambda p: ours.pointPolygonTest(square, p, True))(jnp.array([1.0, 2.0]))
    np.testing.assert_allclose(slope, [1.0, 0.0])
    assert ours.boundingRect(square).tolist() == [0, 0, 5, 5]


@pytest.mark.parametrize("name", ["contourArea", "boundingRect", "isContourConvex"])
def test_bad_points(name):
    both_raise(name, np.ones((5, 2)))
    both_raise(name, np.ones((5, 3), np.int32))


def test_other_fits_are_opencvs():
    with pytest.warns(sci.FallbackWarning):
        ours.fitLine(RNG.uniform(0, 9, (9, 2)).astype(np.float32), cv2.DIST_L1, 0, 0.01, 0.01)
    with pytest.raises(cv2.error):
        ours.boxPoints((1, 2, 3))
    with pytest.raises(cv2.error):
        ours.pointPolygonTest(np.ones((5, 2), np.int32), (1, 2, 3), True)
