"""Lines by votes against OpenCV: exactly its lines, in its order."""

import cv2
import jax
import numpy as np
import pytest
from skimage import data

from image import cv2 as ours
from tests.image.against_cv2 import both, both_raise

EDGES = cv2.Canny(data.camera()[::2, ::2], 100, 200)


@pytest.mark.parametrize("name", ["HoughLines", "HoughLinesWithAccumulator"])
@pytest.mark.parametrize(
    ("args", "kwargs"),
    [
        ((1, np.pi / 180, 60), {}),
        ((2, np.pi / 90, 10), {}),
        ((1.5, 0.013, 40), {"min_theta": 0.3, "max_theta": 2.2}),
        ((1, np.pi / 180, 8000), {"use_edgeval": True}),
    ],
)
def test_lines(name, args, kwargs):
    both(name, EDGES, *args, **kwargs)


def test_no_lines():
    assert ours.HoughLines(EDGES, 1, np.pi / 180, 9999) is None
    assert ours.HoughLines(EDGES * 0, 1, np.pi / 180, 1) is None


def test_lines_under_jit_are_padded_and_counted():
    expected = cv2.HoughLines(EDGES, 1, np.pi / 90, 60)
    lines, count = jax.jit(lambda x: ours.HoughLines(x, 1, np.pi / 90, 60, size=256))(EDGES)
    assert count == len(expected)
    np.testing.assert_allclose(lines[: len(expected)], expected, rtol=1e-6)
    assert not lines[len(expected) :].any()


@pytest.mark.parametrize(
    ("args", "kwargs"),
    [
        ((EDGES / 2.0, 1, 0.1, 10), {}),
        ((EDGES, 1, 0.1, 10), {"min_theta": 2, "max_theta": 1}),
        ((data.astronaut(), 1, 0.1, 10), {}),
    ],
)
def test_bad_input(args, kwargs):
    both_raise("HoughLines", *args, **kwargs)


def test_steps_that_are_not_positive():
    with pytest.raises(cv2.error, match="rho=0"):
        ours.HoughLines(EDGES, 0, 0.1, 10)
    with pytest.raises(cv2.error, match="theta=-1"):
        ours.HoughLines(EDGES, 1, -1, 10)
