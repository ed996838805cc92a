"""`image.cv2.cvtColor`: every native code against OpenCV, on a photograph and on noise."""

import numpy as np
import pytest

cv2 = pytest.importorskip("cv2")
import jax  # noqa: E402
import jax.numpy as jnp  # noqa: E402
from skimage import data  # noqa: E402

from image import cv2 as ours  # noqa: E402
from tests.image.against_cv2 import both, both_raise  # noqa: E402

RNG = np.random.default_rng(2)
PHOTO = np.ascontiguousarray(data.astronaut()[40:160:2, 150:250:2])
# above a photograph, below noise
IMAGE = np.vstack([PHOTO[:40], RNG.integers(0, 256, (40, 50, 3), dtype=np.uint8)])
EXACT = {"XYZ": (32, 34), "YCrCb": (36, 38), "YUV": (82, 84)}
# forward, backward
SPACES = {"HSV": (40, 54), "HLS": (52, 60), "HSV_FULL": (66, 70), "HLS_FULL": (68, 72)}
SPACES |= {"Lab": (44, 56), "Luv": (50, 58), "linear Lab": (74, 78), "linear Luv": (76, 80)}


@pytest.mark.parametrize("name", EXACT)
def test_fixed_point_is_exact(name):
    forward, backward = EXACT[name]
    for image in (IMAGE, IMAGE.astype(np.uint16) * 257):
        both("cvtColor", image, forward)
        both("cvtColor", image, backward)
    both("cvtColor", IMAGE, forward + 1)
    real = (IMAGE / 255).astype(np.float32)
    both("cvtColor", real, forward, atol=1e-5)
    both("cvtColor", cv2.cvtColor(real, forward), backward + 1, atol=1e-5)


@pytest.mark.parametrize("name", SPACES)
def test_spaces(name):
    forward, backward = SPACES[name]
    both("cvtColor", IMAGE, forward, atol=0 if name.startswith("HSV") else 1, share=0.999)
    both("cvtColor", cv2.cvtColor(IMAGE, forward), backward, atol=1, share=0.999)
    real = (IMAGE / 255).astype(np.float32)
    # OpenCV interpolates tables for L*a*b* and L*u*v*
    scale = 1e-5 if name.startswith("H") else 5e-4
    if forward != cv2.COLOR_BGR2Lab:
        both("cvtColor", real, forward, atol=scale * 360, share=0.999)
    both("cvtColor", cv2.cvtColor(real, forward), backward, atol=scale, share=0.999)


def test_lab_of_float32_is_opencvs_own():
    with pytest.warns(Warning, match="33 entries"):
        ours.cvtColor((PHOTO / 255).astype(np.float32), cv2.COLOR_BGR2Lab)


@pytest.mark.parametrize("code", [46, 47, 48, 49])
def test_mosaics(code):
    gray = np.ascontiguousarray(PHOTO[..., 0])
    for image in (gray, gray.astype(np.uint16) * 257, gray[:3, :4].copy(), gray[:7, :9].copy()):
        both("cvtColor", image, code)
        both("demosaicing", image, code)


def test_round_trips_and_gradients_under_jit():
    real = jnp.asarray((PHOTO / 255).astype(np.float32))
    for forward, backward in ((40, 54), (52, 60), (44, 56), (50, 58), (36, 38), (82, 84)):
        back = jax.jit(lambda x, f=forward, b=backward: ours.cvtColor(ours.cvtColor(x, f), b))
        # L*u*v* is bounded near black, as in OpenCV
        np.testing.assert_allclose(back(real), real, atol=0.02 if forward == cv2.COLOR_BGR2Luv else 2e-4)
        slope = jax.jit(jax.grad(lambda x, back=back: (back(x) ** 2).sum()))(real)
        assert np.isfinite(slope).all()


def test_black_and_white_have_finite_gradients():
    image = jnp.asarray(np.stack([np.zeros((2, 3)), np.ones((2, 3))])[None].reshape(2, 2, 3).astype(np.float32))
    for code in (40, 52, 44, 50, 54, 60, 56, 58):
        slope = jax.jit(jax.grad(lambda x, code=code: ours.cvtColor(x, code).sum()))(image)
        assert np.isfinite(slope).all(), code


def test_bad_input():
    both_raise("cvtColor", PHOTO[..., 0].copy(), cv2.COLOR_BGR2HSV)
    both_raise("cvtColor", PHOTO, cv2.COLOR_BAYER_BG2BGR)
    both_raise("cvtColor", PHOTO.astype(float), cv2.COLOR_BGR2HSV)
    both_raise("cvtColor", PHOTO, 999)
    both_raise("cvtColor", PHOTO[:0], cv2.COLOR_BGR2HSV)


@pytest.mark.parametrize("name", ["HSV", "YUV"])
def test_large_bytes_and_batches_of_them(name):
    image = RNG.integers(0, 256, (300, 310, 3), dtype=np.uint8)
    codes = (SPACES | EXACT)[name]
    for code in codes:
        both("cvtColor", image, code, share=0.999 if name == "HSV" else 1.0, atol=1 if name == "HSV" else 0)
    batch = np.stack([image, image[::-1]])
    found = jax.vmap(lambda x: ours.cvtColor(x, codes[0]))(jnp.asarray(batch))
    np.testing.assert_array_equal(found, [cv2.cvtColor(x, codes[0]) for x in batch])
