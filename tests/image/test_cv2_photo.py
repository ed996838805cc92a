"""`image.cv2`: denoising and colour maps, against OpenCV."""

import numpy as np
import pytest

cv2 = pytest.importorskip("cv2")
import jax  # noqa: E402
import jax.numpy as jnp  # noqa: E402
from skimage import data  # noqa: E402

from image import cv2 as ours  # noqa: E402
from tests.image.against_cv2 import both, both_raise  # noqa: E402

RNG = np.random.default_rng(4)
PHOTO = np.ascontiguousarray(data.astronaut()[40:120:2, 150:250:2])
NOISY = np.clip(PHOTO + RNG.normal(0, 10, PHOTO.shape), 0, 255).astype(np.uint8)
GRAY = np.ascontiguousarray(NOISY[..., 1])


def test_non_local_means():
    both("fastNlMeansDenoising", GRAY, None, 10.0, 3, 9, atol=1)
    both("fastNlMeansDenoising", NOISY, None, 5.0, 5, 7, atol=1)
    both("fastNlMeansDenoisingColored", NOISY, None, 10.0, 8.0, 3, 7, atol=2)
    cleaned = ours.fastNlMeansDenoising(GRAY, None, 15.0, 3, 9)
    truth = PHOTO[..., 1].astype(float)
    assert np.abs(cleaned - truth).mean() < np.abs(GRAY - truth).mean()


def test_strength_is_data():
    run = jax.jit(lambda x, h: ours.fastNlMeansDenoising(x, None, h, 3, 5))
    for h in (4.0, 9.0):
        expected = cv2.fastNlMeansDenoising(GRAY, None, h, 3, 5)
        assert np.abs(np.asarray(run(jnp.asarray(GRAY), h), int) - expected).max() <= 1
    assert run._cache_size() == 1


@pytest.mark.parametrize("number", [0, cv2.COLORMAP_JET, cv2.COLORMAP_DEEPGREEN])
def test_colour_maps(number):
    both("applyColorMap", GRAY, number)
    both("applyColorMap", NOISY, number)


def test_own_colours():
    both("applyColorMap", GRAY, RNG.integers(0, 256, (256, 1, 3), dtype=np.uint8))
    both("applyColorMap", GRAY, RNG.integers(0, 256, (256, 1), dtype=np.uint8))


def test_bad_input():
    both_raise("fastNlMeansDenoising", GRAY.astype(np.float32), None, 3.0)
    both_raise("fastNlMeansDenoisingColored", GRAY, None, 3.0)
    both_raise("applyColorMap", GRAY, 99)
    both_raise("applyColorMap", GRAY.astype(float), 2)
    both_raise("applyColorMap", GRAY, np.zeros((5, 1), np.uint8))
