"""Distances, components, floods and moments against OpenCV."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from image import cv2 as ours
from tests.image.test_cv2_histograms import COINS, PHOTO, both

cv2 = pytest.importorskip("cv2")
RNG = np.random.default_rng(6)
SPARSE = (RNG.random((60, 77)) > 0.004).astype(np.uint8)


@pytest.mark.parametrize("metric", [cv2.DIST_L1, cv2.DIST_L2, cv2.DIST_C])
def test_distances(metric):
    for image in (SPARSE, np.ones((5, 6), np.uint8)):
        for size in (0, 3, 5):
            both("distanceTransform", image, metric, size, tolerance=1e-6)
        for kind in (0, 1):
            both("distanceTransformWithLabels", image, metric, 5, labelType=kind, tolerance=1e-6)
    both("distanceTransform", SPARSE, cv2.DIST_L1, 3, dstType=cv2.CV_8U)


@pytest.mark.parametrize("density", [0.3, 0.5, 0.7, 1.0, 0.0])
@pytest.mark.parametrize("connectivity", [4, 8])
def test_components(density, connectivity):
    image = (RNG.random((41, 58)) < density).astype(np.uint8)
    both("connectedComponents", image, connectivity=connectivity)
    mine = ours.connectedComponentsWithStats(image, connectivity=connectivity)
    theirs = cv2.connectedComponentsWithStats(image, connectivity=connectivity)
    for a, b in zip(mine, theirs, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-12)


def test_more_components_than_the_first_capacity():
    image = np.zeros((80, 80), np.uint8)
    image[::2, ::2] = 1
    count, _, stats, _ = ours.connectedComponentsWithStats(image)
    assert count == 1601
    np.testing.assert_array_equal(stats, cv2.connectedComponentsWithStats(image)[2])


def test_statistics_in_the_jax_world():
    image = jnp.asarray(COINS > 120).astype(jnp.uint8)
    count, _, stats, _ = jax.jit(lambda x: ours.connectedComponentsWithStats(x, size=64))(image)
    theirs = cv2.connectedComponentsWithStats(np.asarray(image))
    assert int(count) == theirs[0]
    np.testing.assert_array_equal(stats[: theirs[0]][:64], theirs[2][:64])
    with pytest.raises(cv2.error, match="size"):
        ours.connectedComponentsWithStats(image)


@pytest.mark.parametrize("flags", [4, 8 | (77 << 8), 4 | cv2.FLOODFILL_FIXED_RANGE, 8 | cv2.FLOODFILL_MASK_ONLY])
def test_floods(flags):
    for image in (COINS, PHOTO, COINS.astype(np.int32), COINS.astype(np.float32) / 7):
        for low, high in ((0, 0), (3, 12), ((4, 30, 20), (8, 20, 30))):
            mask = np.zeros((image.shape[0] + 2, image.shape[1] + 2), np.uint8)
            mask[20, 5:30] = 9
            results = []
            for library in (ours, cv2):
                x, m = image.copy(), mask.copy()
                area, same, mark, box = library.floodFill(x, m, (30, 17), (300, 7, 1), low, high, flags)
                assert same is x
                assert mark is m
                results.append((area, x, m, *box))
            for a, b in zip(*results, strict=True):
                np.testing.assert_array_equal(a, b)


def test_moments():
    contour = np.array([[[3, 4]], [[30, 9]], [[25, 44]], [[2, 20]]], np.int32)
    for array in (COINS, COINS.astype(np.int16) - 99, RNG.random((20, 30)), contour, contour[:, 0].astype(np.float32)):
        for binary in (False, True):
            mine, theirs = ours.moments(array, binary), cv2.moments(array, binary)
            assert list(mine) == list(theirs)
            for name, value in theirs.items():
                largest = max(abs(v) for k, v in theirs.items() if k.rstrip("0123") == name.rstrip("0123"))
                assert abs(mine[name] - value) <= 1e-9 * max(largest, 1e-12), name
            np.testing.assert_allclose(ours.HuMoments(theirs), cv2.HuMoments(theirs), rtol=1e-9, atol=1e-20)
    centre = jax.grad(lambda x: ours.moments(x)["mu20"])(jnp.asarray(RNG.random((6, 7))))
    assert np.isfinite(centre).all()


BAD = [
    ("distanceTransform", (COINS, 5, 3), "distanceType"),
    ("distanceTransform", (COINS, 2, 7), "maskSize"),
    ("distanceTransform", (PHOTO, 2, 3), "src"),
    ("connectedComponents", (COINS, None, 5), "connectivity"),
    ("connectedComponents", (COINS, None, 8, 5), "ltype"),
    ("connectedComponents", (PHOTO,), "image"),
    ("floodFill", (COINS.copy(), None, (999, 0), 5), "seedPoint"),
    ("floodFill", (COINS.copy(), COINS.copy(), (0, 0), 5), "mask"),
    ("floodFill", (COINS.copy(), None, (0, 0), 5, -1), "loDiff"),
    ("floodFill", (COINS.copy(), None, (0, 0), 5, 0, 0, 5), "flags"),
    ("floodFill", (COINS / 2.0, None, (0, 0), 5), "image"),
    ("moments", (PHOTO,), "array"),
]


@pytest.mark.parametrize(("name", "args", "word"), BAD)
def test_bad_input(name, args, word):
    with pytest.raises(cv2.error):
        getattr(cv2, name)(*args)
    with pytest.raises(cv2.error, match=word):
        getattr(ours, name)(*args)


def test_empty_images_do_not_crash():
    with pytest.raises(cv2.error, match="image"):  # OpenCV itself dies of it
        ours.connectedComponents(COINS[:0])
