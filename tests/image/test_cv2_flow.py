"""Optical flow against OpenCV: calcOpticalFlowFarneback, calcOpticalFlowPyrLK."""

import cv2
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from skimage import data

import sci
from image import cv2 as ours
from tests.image.against_cv2 import both_raise

COLOUR = data.astronaut()[::2, ::2].copy()
TURN = cv2.getRotationMatrix2D((128, 128), 1.5, 1.01)
TURNED = cv2.warpAffine(COLOUR, TURN, (256, 256), borderMode=cv2.BORDER_REFLECT)
GRAY, MOVED = COLOUR[..., 1].copy(), TURNED[..., 1].copy()
POINTS = np.concatenate(
    [
        cv2.goodFeaturesToTrack(GRAY, 120, 0.01, 5)[:, 0],
        np.random.default_rng(1).random((60, 2)) * 280 - 12,  # also off the image, and in flat places
    ]
).astype(np.float32)


@pytest.mark.parametrize(
    "options",
    [(None, 0.5, 2, 15, 2, 5, 1.2, 0), (None, 0.8, 1, 10, 1, 7, 1.5, cv2.OPTFLOW_FARNEBACK_GAUSSIAN)],
)
def test_dense_flow(options):
    sci.clear_fallbacks()
    flow, expected = (m.calcOpticalFlowFarneback(GRAY, MOVED, *options) for m in (ours, cv2))
    assert not sci.fallbacks()
    assert flow.dtype == expected.dtype
    # where the equations are nearly singular the flow runs away, in OpenCV's rounding another way than in ours
    assert np.quantile(abs(flow - expected), 0.99) < 2e-3


def test_dense_flow_from_a_start_in_place_and_its_slope():
    start = np.full((*GRAY.shape, 2), 0.5, np.float32)
    expected = cv2.calcOpticalFlowFarneback(GRAY, MOVED, start.copy(), 0.5, 1, 15, 1, 5, 1.1, 4)
    result = ours.calcOpticalFlowFarneback(GRAY, MOVED, start, 0.5, 1, 15, 1, 5, 1.1, 4)
    assert result is start
    assert np.quantile(abs(result - expected), 0.99) < 2e-3
    a, b = (jnp.asarray(x[40:80, 40:80], jnp.float32) for x in (GRAY, MOVED))

    def energy(x):
        return (ours.calcOpticalFlowFarneback(x, b, None, 0.5, 0, 9, 1, 5, 1.1, 0) ** 2).sum()

    way = jnp.asarray(np.random.default_rng(2).normal(size=a.shape), jnp.float32)
    slope = jax.jvp(energy, (a,), (way,))[1]
    np.testing.assert_allclose(slope, (energy(a + 0.05 * way) - energy(a - 0.05 * way)) / 0.1, rtol=0.02)


@pytest.mark.parametrize(
    ("images", "options"),
    [
        ((GRAY, MOVED), {}),
        ((COLOUR, TURNED), {"winSize": (15, 9), "maxLevel": 2, "criteria": (3, 10, 0.03)}),
        ((GRAY, MOVED), {"flags": cv2.OPTFLOW_LK_GET_MIN_EIGENVALS, "maxLevel": 1, "minEigThreshold": 1e-3}),
    ],
)
def test_points_are_found_where_opencv_finds_them(images, options):
    sci.clear_fallbacks()
    results = [m.calcOpticalFlowPyrLK(*images, POINTS, None, **options) for m in (ours, cv2)]
    assert not sci.fallbacks()
    for ours_, theirs in zip(*results, strict=True):
        assert (ours_.shape, ours_.dtype) == (theirs.shape, theirs.dtype)
    (at, status, error), (expected, wanted, errors) = results
    assert (status != wanted).sum() <= 1
    both = ((status == 1) & (wanted == 1))[:, 0]
    assert both.sum() > 100
    assert np.quantile(abs(at - expected)[both], 0.99) < 1e-2
    assert np.quantile(abs(error - errors)[both], 0.99) < 1e-2


def test_points_from_a_start_and_under_jit():
    start = POINTS + np.float32(1)
    options = {"winSize": (15, 15), "maxLevel": 1, "flags": cv2.OPTFLOW_USE_INITIAL_FLOW}
    expected, wanted, _ = cv2.calcOpticalFlowPyrLK(GRAY, MOVED, POINTS, start.copy(), **options)
    run = jax.jit(lambda a, b, p, s: ours.calcOpticalFlowPyrLK(a, b, p, s, **options))
    at, status, _ = (np.asarray(x) for x in run(GRAY, MOVED, POINTS, start))
    both = ((status == 1) & (wanted == 1))[:, 0]
    assert (status != wanted).sum() <= 1
    assert np.quantile(abs(at - expected)[both], 0.99) < 1e-2


@pytest.mark.parametrize(
    ("name", "args", "kwargs"),
    [
        ("calcOpticalFlowFarneback", (GRAY, MOVED[1:], None, 0.5, 1, 9, 1, 5, 1.1, 0), {}),
        ("calcOpticalFlowFarneback", (GRAY, MOVED, None, 1.5, 1, 9, 1, 5, 1.1, 0), {}),
        ("calcOpticalFlowFarneback", (COLOUR, TURNED, None, 0.5, 1, 9, 1, 5, 1.1, 0), {}),
        ("calcOpticalFlowPyrLK", (GRAY, MOVED[1:], POINTS, None), {}),
        ("calcOpticalFlowPyrLK", (GRAY / 2, MOVED / 2, POINTS, None), {}),
        ("calcOpticalFlowPyrLK", (GRAY, MOVED, POINTS.astype(float), None), {}),
        ("calcOpticalFlowPyrLK", (GRAY, MOVED, POINTS, None), {"winSize": (2, 9)}),
        ("calcOpticalFlowPyrLK", (GRAY, MOVED, POINTS, None), {"maxLevel": -1}),
    ],
)
def test_bad_input(name, args, kwargs):
    both_raise(name, *args, **kwargs)
