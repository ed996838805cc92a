"""Shapes against OpenCV: every pixel, also where they leave the image."""

import cv2
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import sci
from image import cv2 as ours
from tests.image.against_cv2 import both_raise

RNG = np.random.default_rng(9)
CANVAS = RNG.integers(0, 200, (37, 53, 3), dtype=np.uint8)


def draw(name, *args, canvas=CANVAS, **kwargs):
    image = canvas.copy()
    result = getattr(ours, name)(image, *args, **kwargs)
    assert result is image
    np.testing.assert_array_equal(result, getattr(cv2, name)(canvas.copy(), *args, **kwargs))


def point(low=-40, high=90):
    return tuple(int(v) for v in RNG.integers(low, high, 2))


@pytest.mark.parametrize("near", [True, False])
def test_random_shapes(near):
    sci.clear_fallbacks()
    for k in range(80):
        p, q = (point(0, 37) if near else point() for _ in (0, 1))
        color = tuple(int(v) for v in RNG.integers(0, 256, 3))
        draw("line", p, q, color)
        draw("rectangle", p, q, color, thickness=k % 2 * 2 - 1)
        draw("circle", p, k % 45, color, thickness=1 - k % 2 * 2)
    for closed in (True, False):
        for _ in range(10):
            curves = [RNG.integers(-20, 60, (5, 1, 2)).astype(np.int32), RNG.integers(0, 30, (5, 2)).astype(np.int32)]
            draw("polylines", curves, closed, (1, 2, 3))
    assert not sci.fallbacks()


def test_other_images_and_colours():
    draw("line", (1, 2), (20, 22), 0.7, canvas=np.zeros((30, 30), np.float32))
    draw("line", (1, 2), (20, 22), 300, canvas=np.zeros((30, 30), np.uint8))
    draw("circle", (9, 9), 0, (7, 8), canvas=np.zeros((30, 30, 2), np.int16))
    draw("rectangle", (3, 4, 10, 12), (1, 2, 3))
    draw("rectangle", (3, 4, 10, 12), (1, 2, 3), -1)


def test_thick_lines_are_opencvs():
    with pytest.warns(sci.FallbackWarning):
        draw("line", (1, 2), (20, 22), 255, 3)


def test_traced_points_batches_and_slopes():
    canvas = jnp.zeros((20, 24))
    ends = np.array([[3, 4], [23, 0], [30, 30]])
    many = jax.jit(jax.vmap(lambda q: ours.line(canvas, (2, 9), q, 1.0)))(jnp.asarray(ends))
    for image, end in zip(many, ends, strict=True):
        np.testing.assert_array_equal(image, cv2.line(np.zeros((20, 24)), (2, 9), tuple(end.tolist()), 1.0))
    slope = jax.grad(lambda v: ours.rectangle(canvas, (2, 3), (5, 9), v, -1).sum())(1.0)
    assert slope == 4 * 7
    kept = jax.grad(lambda x: ours.circle(x, (9, 9), 4, 1.0, -1).sum())(canvas)
    np.testing.assert_array_equal(kept == 0, cv2.circle(np.zeros((20, 24)), (9, 9), 4, 1.0, -1) == 1)


@pytest.mark.parametrize(
    ("name", "args"),
    [
        ("line", ((1.5, 2), (10, 12), 255)),
        ("line", ((1, 2), (10, 12), 255, 0)),
        ("line", ((1, 2), (10, 12), 255, 1, 8, 20)),
        ("line", ((1, 2), (10, 12), (1, 2, 3, 4, 5))),
        ("rectangle", ((1, 2), (10, 12), 255, 40000)),
        ("circle", ((1, 2), -1, 255)),
        ("polylines", ([np.ones((3, 2))], True, 255)),
    ],
)
def test_bad_input(name, args):
    both_raise(name, CANVAS.copy(), *args)
