"""Maps fitted to points against OpenCV; derivatives."""

import cv2
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.test_util import check_grads

import sci
from image import cv2 as ours
from tests.image.against_cv2 import both_raise

RNG = np.random.default_rng(3)
SOURCE = (RNG.random((60, 2)) * 400).astype(np.float32)
TRUE = np.array([[1, 0.1, 3], [0.05, 0.9, 2], [4e-4, 8e-4, 1]])


def pairs(kind, wrong=0, noise=0.3):
    if kind == "findHomography":
        target = np.c_[SOURCE, np.ones(len(SOURCE))] @ TRUE.T
        target = target[:, :2] / target[:, 2:]
    else:
        shear = 0.07 if kind == "estimateAffine2D" else 0.0
        target = SOURCE @ np.array([[1, 0.1], [-0.1 + shear, 1]]) + 3
    target = target + noise * RNG.normal(size=target.shape)
    target[:wrong] = RNG.random((wrong, 2)) * 400
    return SOURCE, target.astype(np.float32)


@pytest.mark.parametrize(
    ("kind", "wrong"), [("findHomography", 15), ("estimateAffine2D", 20), ("estimateAffinePartial2D", 20)]
)
def test_robust_fits_find_opencvs_inliers_and_map(kind, wrong):
    p, q = pairs(kind, wrong)
    options = {"method": cv2.RANSAC, "ransacReprojThreshold": 4.0}
    sci.clear_fallbacks()
    (m, mask), (expected, inliers) = getattr(ours, kind)(p, q, **options), getattr(cv2, kind)(p, q, **options)
    assert not sci.fallbacks()
    assert (m.dtype, mask.dtype, mask.shape) == (expected.dtype, inliers.dtype, inliers.shape)
    np.testing.assert_array_equal(mask, inliers)
    np.testing.assert_allclose(m, expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("count", [4, 5, 60])
def test_homography_of_all_points(count):
    p, q = (x[:count, None] for x in pairs("findHomography"))
    expected, inliers = cv2.findHomography(p, q)
    m, mask = ours.findHomography(p, q)
    np.testing.assert_allclose(m, expected, rtol=1e-4, atol=1e-4)
    np.testing.assert_array_equal(mask, inliers)


@pytest.mark.parametrize("name", ["findHomography", "estimateAffine2D", "estimateAffinePartial2D"])
def test_without_a_solution(name):
    m, mask = getattr(ours, name)(SOURCE * 0, SOURCE)
    assert m is None
    assert not mask.any()


def test_derivatives_and_batches():
    with jax.enable_x64(True):
        p, q = (jnp.asarray(x[:12], jnp.float64) for x in pairs("findHomography"))
        free = jax.jit(lambda a, b: ours.findHomography(a, b)[0])
        check_grads(free, (p, q), order=1, modes=("rev",), rtol=1e-4, eps=1e-3)
        robust = jax.jit(lambda a, b: ours.estimateAffine2D(a, b, ransacReprojThreshold=200.0)[0])
        check_grads(robust, (p, q), order=1, modes=("rev",), rtol=1e-4)
        many = jax.vmap(lambda b: ours.findHomography(p, b)[0])(jnp.stack([q, q + 1]))
        np.testing.assert_allclose(many[1], ours.findHomography(p, q + 1)[0], rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize(
    ("name", "args", "kwargs"),
    [
        ("findHomography", (SOURCE[:3], SOURCE[:3]), {}),
        ("findHomography", (SOURCE[:9], SOURCE[:8]), {}),
        ("findHomography", (SOURCE, SOURCE, 3), {}),
        ("findHomography", (SOURCE, SOURCE, 8), {"confidence": 1.5}),
        ("estimateAffine2D", (SOURCE, SOURCE), {"method": 0}),
        ("estimateAffine2D", (SOURCE, SOURCE[:9]), {}),
        ("estimateAffinePartial2D", (SOURCE, SOURCE), {"confidence": 0.0}),
    ],
)
def test_bad_input(name, args, kwargs):
    both_raise(name, *args, **kwargs)
