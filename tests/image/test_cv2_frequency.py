"""Transforms and corner measures against OpenCV."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from image import cv2 as ours
from tests.image.test_cv2_histograms import COINS, PHOTO, both

cv2 = pytest.importorskip("cv2")
RNG = np.random.default_rng(7)
ROWS, SCALE, INVERSE, COMPLEX, REAL = cv2.DFT_ROWS, cv2.DFT_SCALE, cv2.DFT_INVERSE, cv2.DFT_COMPLEX_OUTPUT, 32


@pytest.mark.parametrize("shape", [(8, 10), (7, 9), (1, 6)])
def test_fourier(shape):
    for dtype, tolerance in ((np.float64, 1e-12), (np.float32, 3e-6)):
        real, spectrum = RNG.normal(size=shape).astype(dtype), RNG.normal(size=(*shape, 2)).astype(dtype)
        for flags in (0, SCALE, ROWS, COMPLEX, INVERSE, INVERSE | SCALE | ROWS):
            both("dft", real, flags=flags, tolerance=tolerance)
        for flags in (0, INVERSE | ROWS, REAL | INVERSE):
            both("dft", spectrum, flags=flags, tolerance=tolerance)
        both("idft", spectrum, flags=SCALE, tolerance=tolerance)
        both("mulSpectrums", spectrum, spectrum[::-1].copy(), 0, conjB=True, tolerance=tolerance)


def test_packed_spectrum_and_back():
    for shape in ((6, 8), (5, 7)):
        image = RNG.normal(size=shape)
        np.testing.assert_allclose(ours.idft(ours.dft(image), flags=SCALE), image, atol=1e-14)
    gradient = jax.grad(lambda x: (ours.dft(x) ** 3).sum())(jnp.asarray(image))
    assert np.isfinite(gradient).all()


@pytest.mark.parametrize("shape", [(8, 10), (130, 96)])
def test_cosine(shape):
    image = RNG.normal(size=shape)
    for flags in (0, cv2.DCT_INVERSE, cv2.DCT_ROWS):
        both("dct", image, flags=flags, tolerance=1e-12)
    both("idct", image.astype(np.float32), tolerance=3e-6)


def test_hann_window():
    for kind in (cv2.CV_32F, cv2.CV_64F):
        both("createHanningWindow", (13, 8), kind, tolerance=1e-6)


@pytest.mark.parametrize("shape", [(17, 23), (27, 32)])
def test_phase_correlation(shape):
    first = RNG.normal(size=shape)
    second = np.roll(first, (3, -4), (0, 1)) + 0.2 * RNG.normal(size=shape)
    for window in (None, cv2.createHanningWindow(shape[::-1], cv2.CV_64F)):
        mine, theirs = ours.phaseCorrelate(first, second, window), cv2.phaseCorrelate(first, second, window)
        np.testing.assert_allclose([*mine[0], mine[1]], [*theirs[0], theirs[1]], rtol=1e-9, atol=1e-9)
    for bad in (first[:5], first.astype(np.float32)):
        with pytest.raises(cv2.error, match="src2"):
            ours.phaseCorrelate(first, bad)


@pytest.mark.parametrize(("block", "size", "border"), [(2, 3, 4), (3, 5, 1), (2, -1, 2)])
def test_corners(block, size, border):
    for image in (COINS, (COINS / 255).astype(np.float32)):
        both("cornerHarris", image, block, size, 0.04, borderType=border, tolerance=1e-6)
        both("cornerMinEigenVal", image, block, ksize=size, borderType=border, tolerance=2e-6)
        mine = ours.cornerEigenValsAndVecs(image, block, size, borderType=border)
        theirs = cv2.cornerEigenValsAndVecs(image, block, size, borderType=border)
        np.testing.assert_allclose(mine[..., :2], theirs[..., :2], atol=2e-6)
        # directions are defined where the eigenvalues differ, and to a sign
        apart = theirs[..., 0] - theirs[..., 1] > 1e-2
        along = (mine[..., 2:4] * theirs[..., 2:4]).sum(axis=-1)[apart]
        np.testing.assert_allclose(np.abs(along), 1, atol=1e-3)
        if size > 0:
            both("preCornerDetect", image, size, borderType=border, tolerance=1e-6)


BAD = [
    ("dft", (COINS,), "src"),
    ("dft", (COINS / 2.0, None, cv2.DFT_COMPLEX_INPUT), "flags"),
    ("dct", (PHOTO / 2.0,), "src"),
    ("dct", (RNG.normal(size=(7, 9)),), "src"),
    ("mulSpectrums", (np.ones((4, 4, 2)), np.ones((3, 4, 2)), 0), "a and b"),
    ("createHanningWindow", ((1, 5), cv2.CV_32F), "winSize"),
    ("createHanningWindow", ((5, 5), cv2.CV_8U), "type"),
    ("cornerHarris", (COINS / 2.0, 2, 3, 0.04), "src"),
    ("cornerHarris", (COINS, 0, 3, 0.04), "blockSize"),
    ("cornerHarris", (COINS, 2, 4, 0.04), "ksize"),
    ("preCornerDetect", (COINS, -1), "ksize"),
]


@pytest.mark.parametrize(("name", "args", "word"), BAD)
def test_bad_input(name, args, word):
    with pytest.raises(cv2.error):
        getattr(cv2, name)(*args)
    with pytest.raises(cv2.error, match=word):
        getattr(ours, name)(*args)


def test_sizes_that_transform_fast():
    for n in (0, 1, 7, 67, 1000, 99999, 2125763999, 2125764000, -3):
        assert ours.getOptimalDFTSize(n) == cv2.getOptimalDFTSize(n)
    for wrong in (3.5, True, [7]):
        with pytest.raises(TypeError):
            ours.getOptimalDFTSize(wrong)
