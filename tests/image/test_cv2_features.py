"""Trackable points against OpenCV: goodFeaturesToTrack, cornerSubPix."""

import cv2
import jax
import numpy as np
import pytest
from skimage import data

from image import cv2 as ours
from tests.image.against_cv2 import both, both_raise

CAMERA = data.camera()[::2, ::2].copy()
NOISE = np.random.default_rng(5).integers(0, 256, (70, 90), dtype=np.uint8)


@pytest.mark.parametrize(
    ("image", "args", "kwargs"),
    [
        (CAMERA, (30, 0.01, 5), {}),
        (CAMERA, (0, 0.01, 2.5), {"mask": (CAMERA > 100).astype(np.uint8)}),
        (CAMERA.astype(np.float32), (50, 0.05, 0), {"useHarrisDetector": True, "k": 0.05, "blockSize": 5}),
        (NOISE, (40, 0.2, 1), {"mask": None, "blockSize": 3, "gradientSize": 5}),
    ],
)
def test_good_features_come_in_opencvs_order(image, args, kwargs):
    both("goodFeaturesToTrack", image, *args, **kwargs)


def test_good_features_of_nothing():
    assert ours.goodFeaturesToTrack(np.zeros((20, 20), np.uint8), 10, 0.01, 5) is None
    assert ours.goodFeaturesToTrack(CAMERA, 10, 0.01, 5, mask=np.zeros_like(CAMERA)) is None


def test_good_features_under_jit_are_padded_and_counted():
    track = jax.jit(lambda x: ours.goodFeaturesToTrack(x, 30, 0.01, 5))
    points, count = track(CAMERA)
    np.testing.assert_array_equal(points[: int(count)], cv2.goodFeaturesToTrack(CAMERA, 30, 0.01, 5))
    few = jax.jit(lambda x: ours.goodFeaturesToTrack(x, 30, 0.01, 5, size=8))
    assert few(CAMERA)[1] == -1


@pytest.mark.parametrize(
    ("window", "zone", "criteria"), [((5, 5), (-1, -1), (3, 40, 1e-3)), ((3, 7), (1, 1), (1, 9, 0))]
)
def test_corners_to_fractions_of_a_pixel(window, zone, criteria):
    corners = cv2.goodFeaturesToTrack(CAMERA, 60, 0.01, 5)
    expected = cv2.cornerSubPix(CAMERA, corners.copy(), window, zone, criteria)
    given = corners.copy()
    result = ours.cornerSubPix(CAMERA, given, window, zone, criteria)
    assert result is given
    np.testing.assert_allclose(result, expected, atol=2e-3)
    traced = jax.jit(lambda x, p: ours.cornerSubPix(x, p, window, zone, criteria))(CAMERA, corners)
    np.testing.assert_allclose(traced, expected, atol=2e-3)


@pytest.mark.parametrize(
    ("name", "args", "kwargs"),
    [
        ("goodFeaturesToTrack", (CAMERA / 2.0, 5, 0.1, 3), {}),
        ("goodFeaturesToTrack", (CAMERA, -1, 0.1, 3), {}),
        ("goodFeaturesToTrack", (CAMERA, 5, 0.0, 3), {}),
        ("goodFeaturesToTrack", (CAMERA, 5, 0.1, -3), {}),
        ("goodFeaturesToTrack", (CAMERA, 5, 0.1, 3), {"blockSize": 0}),
        ("goodFeaturesToTrack", (CAMERA, 5, 0.1, 3), {"mask": CAMERA[1:]}),
        ("goodFeaturesToTrack", (data.astronaut(), 5, 0.1, 3), {}),
        ("cornerSubPix", (CAMERA, np.ones((3, 2)), (5, 5), (-1, -1), (3, 9, 0.1)), {}),
        ("cornerSubPix", (CAMERA, np.ones((3, 3), np.float32), (5, 5), (-1, -1), (3, 9, 0.1)), {}),
        ("cornerSubPix", (CAMERA, np.ones((3, 2), np.float32), (0, 5), (-1, -1), (3, 9, 0.1)), {}),
        ("cornerSubPix", (CAMERA[:8], np.ones((3, 2), np.float32), (5, 5), (-1, -1), (3, 9, 0.1)), {}),
    ],
)
def test_bad_input(name, args, kwargs):
    both_raise(name, *args, **kwargs)
