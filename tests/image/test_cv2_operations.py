"""`image.cv2`: morphology, ranks, arithmetic, arrangement and the large Gaussian against OpenCV."""

import numpy as np
import pytest

import sci

cv2 = pytest.importorskip("cv2")
from image import cv2 as ours  # noqa: E402

RNG = np.random.default_rng(0)
PHOTO = RNG.integers(0, 256, (33, 41, 3), dtype=np.uint8)
OTHER = RNG.integers(0, 256, (33, 41, 3), dtype=np.uint8)
GRAY = PHOTO[..., 0]
KERNELS = [None, np.ones((3, 3), np.uint8), np.ones((4, 5), np.uint8), np.array([[0, 1], [1, 1], [0, 1]], np.uint8)]


def both(name, *args, atol=0, **kwargs):
    sci.clear_fallbacks()
    result, expected = getattr(ours, name)(*args, **kwargs), getattr(cv2, name)(*args, **kwargs)
    assert not sci.fallbacks()
    assert result.dtype == expected.dtype
    assert result.shape == expected.shape
    np.testing.assert_allclose(result.astype(float), expected.astype(float), rtol=0, atol=atol)


@pytest.mark.parametrize("kernel", KERNELS, ids=["none", "square", "even", "holed"])
def test_morphology(kernel):
    for image in (PHOTO, GRAY.astype(np.float32)):
        for name in ("erode", "dilate"):
            both(name, image, kernel)
            both(name, image, kernel, anchor=(0, 1), iterations=3)
            both(name, image, kernel, borderType=cv2.BORDER_REFLECT_101)
    for op in range(7):
        both("morphologyEx", PHOTO, op, np.ones((3, 3), np.uint8) if kernel is None else kernel, iterations=2)


def test_structuring_elements():
    for shape in (cv2.MORPH_RECT, cv2.MORPH_CROSS, cv2.MORPH_ELLIPSE):
        for size in ((3, 3), (5, 7), (8, 4), (1, 6), (15, 15)):
            both("getStructuringElement", shape, size)


def test_median():
    for size in (3, 5, 7, 9):
        both("medianBlur", PHOTO, size)
    both("medianBlur", GRAY.astype(np.float32), 5)
    both("medianBlur", GRAY.astype(np.uint16), 3)


def test_arrangement():
    for code in (-1, 0, 1):
        both("flip", PHOTO, code)
    for code in range(3):
        both("rotate", PHOTO, code)
    both("transpose", PHOTO)
    for border in range(5):
        both("copyMakeBorder", PHOTO, 3, 2, 1, 4, border, value=(1, 2.6, 300))
    both("LUT", PHOTO, RNG.integers(0, 256, 256, dtype=np.uint8))
    both("LUT", PHOTO, RNG.random((1, 256, 3)).astype(np.float32))


def test_arithmetic():
    for a, b in (
        (PHOTO, OTHER),
        (PHOTO.astype(np.int16) * 200, OTHER.astype(np.int16) * -200),
        (PHOTO / 3.0, OTHER / 7.0),
    ):
        for name in ("add", "subtract", "absdiff"):
            both(name, a, b)
    for name in ("bitwise_and", "bitwise_or", "bitwise_xor"):
        both(name, PHOTO, OTHER)
    both("bitwise_not", PHOTO)
    both("addWeighted", PHOTO, 0.3, OTHER, 0.9, -4.0, atol=1)
    both("convertScaleAbs", PHOTO.astype(np.float32), alpha=1.7, beta=-200.0, atol=1)
    both("inRange", PHOTO, (20, 30, 40), (220, 200, 180))
    both("inRange", GRAY, 20, 90)


def test_vectors_are_opencvs_own():
    vector = np.arange(5.0)
    with pytest.warns(sci.FallbackWarning):
        np.testing.assert_array_equal(ours.add(vector, vector), cv2.add(vector, vector))


@pytest.mark.parametrize("border", [0, 1, 2, 4])
def test_large_float_gaussian_without_padding(border):
    for shape in ((300, 320, 3), (500, 601)):
        for dtype, tolerance in ((np.float32, 2e-6), (np.float64, 1e-12)):
            image = RNG.random(shape).astype(dtype)
            both("GaussianBlur", image, (7, 31), 2.0, borderType=border, atol=tolerance)


def test_opencvs_exceptions():
    for name, args in (
        ("medianBlur", (PHOTO, 4)),
        ("getStructuringElement", (0, (0, 3))),
        ("copyMakeBorder", (PHOTO, -1, 0, 0, 0, 0)),
    ):
        with pytest.raises(cv2.error):
            getattr(cv2, name)(*args)
        with pytest.raises(cv2.error):
            getattr(ours, name)(*args)
