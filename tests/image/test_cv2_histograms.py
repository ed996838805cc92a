"""Histograms, thresholds, tables of sums and template matching against OpenCV."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import sci
from image import cv2 as ours

cv2 = pytest.importorskip("cv2")
data = pytest.importorskip("skimage.data")

RNG = np.random.default_rng(5)
COINS = data.coins()[:96, :120].copy()
PHOTO = data.astronaut()[100:140, 100:157].copy()


def both(name, *args, tolerance=0.0, **kwargs):
    """Equal results, float ones to `tolerance` of their largest value; and no host."""
    sci.clear_fallbacks()
    mine = getattr(ours, name)(*args, **kwargs)
    assert not sci.fallbacks()
    theirs = getattr(cv2, name)(*args, **kwargs)
    for a, b in zip(*(r if isinstance(r, tuple) else (r,) for r in (mine, theirs)), strict=True):
        a, b = np.asarray(a), np.asarray(b)
        assert (a.shape, a.dtype) == (b.shape, b.dtype)
        assert np.abs(a.astype(float) - b).max() <= tolerance * max(1.0, np.abs(b).max())


@pytest.mark.parametrize(("low", "high", "bins"), [(0, 256, 16), (10.5, 99.25, 13), (20, 200, 4), (-5, 300, 31)])
def test_histograms(low, high, bins):
    mask = (COINS[:40, :57] > 100).astype(np.uint8)
    gray = PHOTO[..., 1].copy()
    for dtype in (np.uint8, np.uint16, np.float32):
        both("calcHist", [PHOTO.astype(dtype), gray.astype(dtype)], [2, 3], mask, [bins, 5], [low, high, 1.5, 200.3])
    start = np.full((bins, 1), 2.0, np.float32)
    np.testing.assert_array_equal(
        ours.calcHist([gray], [0], None, [bins], [low, high], start.copy(), True),
        cv2.calcHist([gray], [0], None, [bins], [low, high], start.copy(), True),
    )
    hist = cv2.calcHist([PHOTO], [0, 1], None, [bins, 5], [low, high, 1.5, 200.3])
    both("calcBackProject", [PHOTO], [0, 1], hist, [low, high, 1.5, 200.3], 0.73)
    both("calcBackProject", [PHOTO.astype(np.float32)], [0, 1], hist, [low, high, 1.5, 200.3], 0.73, tolerance=1e-6)


@pytest.mark.parametrize("method", range(6))
def test_comparisons(method):
    a, b = RNG.random((2, 5, 7)).astype(np.float32)
    both("compareHist", a, b, method, tolerance=1e-6)
    both("compareHist", a * (a > 0.5), b * (b > 0.5), method, tolerance=1e-6)


def test_equalisation():
    for image in (COINS, COINS // 7 + 30, np.full_like(COINS, 9)):
        both("equalizeHist", image)


@pytest.mark.parametrize(("limit", "grid"), [(40, (8, 8)), (2.5, (5, 7)), (0, (4, 3))])
def test_clahe_is_within_one_level(limit, grid):
    for image in (COINS, COINS.astype(np.uint16) * 200):
        mine, theirs = ours.createCLAHE(limit, grid).apply(image), cv2.createCLAHE(limit, grid).apply(image)
        apart = np.abs(mine.astype(int) - theirs)
        assert apart.max() <= 1
        assert (apart > 0).mean() < 5e-3


def test_clahe_object():
    clahe = ours.createCLAHE()
    assert (clahe.getClipLimit(), clahe.getTilesGridSize()) == (40.0, (8, 8))
    clahe.setClipLimit(2.0)
    clahe.setTilesGridSize((4, 4))
    target = np.empty_like(COINS)
    assert clahe.apply(COINS, target) is target
    batch = jax.vmap(clahe.apply)(jnp.stack([COINS, COINS[::-1]]))
    np.testing.assert_array_equal(batch[0], target)
    for bad in (PHOTO, COINS.astype(np.float32)):
        with pytest.raises(cv2.error, match="src"):
            clahe.apply(bad)
    with pytest.raises(cv2.error, match="tileGridSize"):
        clahe.setTilesGridSize((0, 3))


@pytest.mark.parametrize("kind", [cv2.THRESH_OTSU, cv2.THRESH_TRIANGLE])
def test_automatic_levels(kind):
    for seed in range(8):
        rng = np.random.default_rng(seed)
        image = rng.normal(rng.uniform(0, 255), rng.uniform(1, 80), (20, 20)) // 20 * 20
        both("threshold", image.clip(0, 255).astype(np.uint8), 0, 255, kind)
    both("threshold", 255 - COINS, 0, 255, kind)


def test_otsu_of_sixteen_bits():
    both("threshold", COINS.astype(np.uint16) * 257, 0, 60000, cv2.THRESH_OTSU)


@pytest.mark.parametrize("method", [0, 1])
@pytest.mark.parametrize(("size", "level"), [(3, 0), (11, -2.5), (31, 7.3)])
def test_adaptive_threshold(method, size, level):
    for kind in (0, 1):
        both("adaptiveThreshold", COINS, 250.6, method, kind, size, level)


def test_tables_of_sums():
    for image in (COINS, PHOTO, COINS.astype(np.uint16) * 200, RNG.random((33, 21, 3))):
        for name in ("integral", "integral2", "integral3"):
            both(name, image, tolerance=1e-14)
    for depths in ((4, 5), (4, 4), (5, 6), (5, 5), (6, 6)):
        both("integral3", COINS, sdepth=depths[0], sqdepth=depths[1])


def _by_definition(image, templ, method):
    image, templ = image.astype(float), templ.astype(float)
    if image.ndim == 2:
        image, templ = image[..., None], templ[..., None]
    windows = np.lib.stride_tricks.sliding_window_view(image, templ.shape[:2], axis=(0, 1))
    windows = np.moveaxis(windows, 2, -1)
    if method in (cv2.TM_CCOEFF, cv2.TM_CCOEFF_NORMED):
        templ, windows = templ - templ.mean(axis=(0, 1)), windows - windows.mean(axis=(2, 3), keepdims=True)
    squared = method in (cv2.TM_SQDIFF, cv2.TM_SQDIFF_NORMED)
    result = (((windows - templ) ** 2) if squared else windows * templ).sum(axis=(2, 3, 4))
    if method % 2:
        result = result / np.sqrt((windows**2).sum(axis=(2, 3, 4)) * (templ**2).sum())
    return result


@pytest.mark.parametrize("method", range(6))
def test_templates(method):
    single = (COINS / 255).astype(np.float32)
    for image, (top, size) in ((PHOTO, (4, 16)), (single, (20, 30)), (COINS, (40, 6))):
        templ = image[top : top + size, 3 : 3 + size].copy()
        expected = _by_definition(image, templ, method)
        scale = max(1.0, np.abs(expected).max())
        assert np.abs(ours.matchTemplate(image, templ, method) - expected).max() < 1e-6 * scale
        # OpenCV subtracts large sums in float32: 1e-3 of the largest value here
        both("matchTemplate", image, templ, method, tolerance=1e-2)
        weights = RNG.random(templ.shape[:2]).astype(np.float32)
        both("matchTemplate", image, templ, method, mask=weights, tolerance=1e-2)
        both("matchTemplate", image, templ, method, mask=(weights > 0.3).astype(np.uint8), tolerance=1e-2)


BAD = [
    ("calcHist", ([], [0], None, [16], [0, 256]), "images"),
    ("calcHist", ([PHOTO], [3], None, [16], [0, 256]), "channels"),
    ("calcHist", ([PHOTO], [0], None, [16], [10, 5]), "ranges"),
    ("calcHist", ([PHOTO], [0], COINS, [16], [0, 256]), "mask"),
    ("calcHist", ([PHOTO / 2.0], [0], None, [16], [0, 256]), "images"),
    ("compareHist", (np.ones(3, np.float32), np.ones(3), 0), "H2"),
    ("compareHist", (np.ones(3, np.float32), np.ones(3, np.float32), 9), "method"),
    ("equalizeHist", (PHOTO,), "src"),
    ("threshold", (PHOTO, 0, 255, 16), "TRIANGLE"),
    ("adaptiveThreshold", (COINS, 255, 0, 0, 4, 1), "blockSize"),
    ("adaptiveThreshold", (COINS, 255, 3, 0, 5, 1), "adaptiveMethod"),
    ("adaptiveThreshold", (PHOTO, 255, 0, 0, 5, 1), "src"),
    ("integral", (COINS.astype(np.float32), None, 4), "sdepth"),
    ("matchTemplate", (COINS, COINS[:5], 6), "method"),
    ("matchTemplate", (COINS, COINS[:5].astype(np.float32), 0), "templ"),
    ("matchTemplate", (COINS, COINS[:5], 0, None, COINS[:4]), "mask"),
]


@pytest.mark.parametrize(("name", "args", "word"), BAD)
def test_bad_input(name, args, word):
    with pytest.raises(cv2.error):
        getattr(cv2, name)(*args)
    with pytest.raises(cv2.error, match=word):
        getattr(ours, name)(*args)
