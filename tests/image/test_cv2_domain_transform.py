"""`edgePreservingFilter`, `detailEnhance`, `stylization` against OpenCV."""

import numpy as np
import pytest

cv2 = pytest.importorskip("cv2")
import jax  # noqa: E402
import jax.numpy as jnp  # noqa: E402
from skimage import data  # noqa: E402

import sci  # noqa: E402
from image import cv2 as ours  # noqa: E402
from tests.image.against_cv2 import both  # noqa: E402

PHOTO = np.ascontiguousarray(data.astronaut()[40:120, 150:250])
NOISE = np.random.default_rng(3).integers(0, 256, (21, 33, 3), dtype=np.uint8)
SHARE = 0.999


@pytest.mark.parametrize("flags", [1, 2])
@pytest.mark.parametrize("sigmas", [(60, 0.4), (10, 0.15), (200, 1.0), (3, 0.05)])
def test_edge_preserving(flags, sigmas):
    both("edgePreservingFilter", PHOTO, flags=flags, sigma_s=sigmas[0], sigma_r=sigmas[1], atol=1, share=SHARE)
    both("edgePreservingFilter", NOISE, flags=flags, sigma_s=sigmas[0], sigma_r=sigmas[1], atol=1, share=SHARE)


@pytest.mark.parametrize("image", [PHOTO, NOISE], ids=["photo", "noise"])
def test_detail_and_stylization(image):
    for options in ({}, {"sigma_s": 30, "sigma_r": 0.3}):
        both("detailEnhance", image, **options, atol=1, share=SHARE)
        both("stylization", image, **options, atol=1, share=SHARE)


def test_bytes_in_single_precision_and_dst():
    both("edgePreservingFilter", PHOTO.astype(np.float32) * 100, atol=1, share=SHARE)
    target = np.zeros_like(PHOTO)
    assert ours.edgePreservingFilter(PHOTO, target) is target
    np.testing.assert_array_equal(target, ours.edgePreservingFilter(PHOTO))


def test_traced_deviations_and_batches():
    batch = jnp.stack([PHOTO[:20], PHOTO[20:40]])
    smooth = jax.jit(jax.vmap(lambda x, s: ours.edgePreservingFilter(x, sigma_s=s), (0, None)))(batch, 20.0)
    wanted = np.stack([cv2.edgePreservingFilter(x, sigma_s=20.0) for x in (PHOTO[:20], PHOTO[20:40])])
    assert (np.abs(np.asarray(smooth, int) - wanted) <= 1).mean() >= SHARE


def test_bad_input():
    for name in ("edgePreservingFilter", "detailEnhance", "stylization"):
        function = getattr(ours, name)
        with pytest.raises(cv2.error, match="src must have 3 channels, it has 4"):
            function(np.zeros((4, 4, 4), np.uint8))
        with pytest.raises(cv2.error, match="src is empty"):
            function(np.zeros((0, 4, 3), np.uint8))
        with pytest.raises(cv2.error, match="src is None"):
            function(None)
    sci.clear_fallbacks()
    ours.edgePreservingFilter(PHOTO[..., 0])
    assert sci.fallbacks()[0].function == "cv2.edgePreservingFilter"
