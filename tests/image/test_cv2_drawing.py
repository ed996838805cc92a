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
    draw("rectangle", (3, 4, 10, 0), (1, 2, 3), -1)
    draw("rectangle", (12, 16, 40, 48), (1, 2, 3), 1, 8, 2)


@pytest.mark.parametrize("shift", [0, 3])
@pytest.mark.parametrize("far", [30, 400])
def test_wide_lines_and_fractions_of_a_pixel(shift, far):
    sci.clear_fallbacks()
    for k in range(25):
        p, q = (tuple(v << shift for v in point(-far, far + 40)) for _ in (0, 1))
        wide = {"thickness": 2 + k % 7, "shift": shift}
        draw("line", p, q, 255, **wide)
        draw("line", p, q, 255, shift=shift)
        draw("rectangle", p, q, 255, **wide)
        draw("rectangle", p, q, 255, -1, shift=shift)
        draw("circle", p, k << shift, 255, **wide)
        draw("circle", p, k << shift, 255, thickness=-1, shift=shift)
        draw("arrowedLine", p, q, 255, **wide, tipLength=0.3)
        draw("polylines", [RNG.integers(-far, far + 40, (5, 2)).astype(np.int32) << shift], k % 2 == 1, 255, **wide)
    assert not sci.fallbacks()


def test_line_types():
    draw("line", (20, 18), (3, 30), 255, 1, 0)
    with pytest.warns(sci.FallbackWarning):
        draw("circle", (20, 18), 9, 255, 1, 0)
    with pytest.warns(sci.FallbackWarning):
        draw("line", (20, 18), (3, 30), 255, 1, cv2.LINE_4)
    with pytest.warns(sci.FallbackWarning):
        draw("polylines", [np.array([[1, 2], [20, 30]], np.int32)], False, 255, 1, 1)


@pytest.mark.parametrize("far", [30, 300])
def test_ellipses(far):
    sci.clear_fallbacks()
    for k in range(40):
        axes, angles = tuple(RNG.integers(0, far, 2).tolist()), RNG.integers(-400, 800, 3).tolist()
        thickness = (-1, 1, 2, 5)[k % 4]
        draw("ellipse", point(-far, far + 40), axes, *angles, (1, 2, 3), thickness)
        draw("ellipse", point(-far, far + 40), axes, angles[0] + 0.4, 0, 360, (1, 2, 3), thickness)
        box = (tuple(RNG.uniform(-10, 50, 2).tolist()), tuple(RNG.uniform(0, 50, 2).tolist()), angles[0] / 3)
        draw("ellipse", box, (1, 2, 3), thickness)
        draw("ellipse", point(0, 1500), (200, 90), *angles, 255, thickness, shift=5)
    assert not sci.fallbacks()


def test_points_of_ellipses():
    sci.clear_fallbacks()
    for k in range(60):
        args = (point(), tuple(RNG.integers(0, 40, 2).tolist()), *RNG.integers(-800, 800, 3).tolist(), 1 + 3 * k)
        result, expected = ours.ellipse2Poly(*args), cv2.ellipse2Poly(*args)
        assert result.dtype == expected.dtype
        np.testing.assert_array_equal(result, expected)
    assert not sci.fallbacks()
    centres = jnp.array([[9, 7], [30, 2]])
    traced = jax.jit(jax.vmap(lambda c: ours.ellipse2Poly(c, (8, 5), 20, 0, 300, 25)))(centres)
    for centre, points in zip(centres.tolist(), np.asarray(traced), strict=True):
        np.testing.assert_array_equal(points, cv2.ellipse2Poly(centre, (8, 5), 20, 0, 300, 25))


@pytest.mark.parametrize("far", [0, 30, 400])
def test_polygons(far):
    sci.clear_fallbacks()
    for shift in (0, 3):
        for _ in range(20):
            curves = [RNG.integers(-far, far + 37, (n, 2)).astype(np.int32) << shift for n in (3, 6, 5)]
            draw("fillPoly", curves, (1, 2, 3), shift=shift, offset=point(-5, 5))
            draw("fillPoly", curves[1:2], (1, 2, 3), shift=shift)
            draw("fillConvexPoly", curves[0].reshape(-1, 1, 2), (1, 2, 3), shift=shift)
            draw("fillConvexPoly", curves[1], (1, 2, 3), shift=shift)
    draw("fillPoly", np.array([[[1, 1], [9, 3], [4, 20]]], np.int32), 7)
    draw("fillPoly", [np.array([[1, 1], [9, 3]], np.int32)], 7)
    draw("fillConvexPoly", np.array([[1, 1]], np.int32), 7)
    draw("fillConvexPoly", np.zeros((0, 2), np.int32), 7)
    assert not sci.fallbacks()


def test_markers_and_arrows():
    sci.clear_fallbacks()
    for kind in range(8):
        draw("drawMarker", (20, 18), (1, 2, 3), kind)
        draw("drawMarker", point(), (1, 2, 3), kind, 13, 3)
    for _ in range(20):
        draw("arrowedLine", point(), point(), (1, 2, 3))
    assert not sci.fallbacks()


def test_clipped_lines():
    sci.clear_fallbacks()
    for _ in range(200):
        args = (point(-9, 9) + point(1, 50), point(), point())
        assert ours.clipLine(*args) == cv2.clipLine(*args)
    assert not sci.fallbacks()
    assert ours.clipLine((0, 0, 0, 5), (1, 1), (9, 9)) == (False, (1, 1), (9, 9))
    inside, first, second = jax.jit(lambda p: ours.clipLine((0, 0, 5, 5), p, (9, 9)))(jnp.array([1, 1]))
    assert bool(inside) and first.tolist() == [1, 1] and second.tolist() == [4, 4]


def test_shapes_in_pipelines():
    corners = np.array([[1, 1], [9, 3], [4, 15]], np.int32)
    images = jnp.zeros((3, 20, 24)).at[1].set(1.0)
    drawn = jax.jit(jax.vmap(lambda x: ours.fillPoly(x, [corners], 2.0)))(images)
    for image, result in zip(images, drawn, strict=True):
        np.testing.assert_array_equal(result, cv2.fillPoly(np.array(image, np.float64), [corners], 2.0))
    covered = cv2.ellipse(np.zeros((20, 24)), (9, 9), (6, 4), 20, 0, 360, 1, -1).sum()
    assert jax.grad(lambda v: ours.ellipse(images[0], (9, 9), (6, 4), 20, 0, 360, v, -1).sum())(1.0) == covered
    for broken in (
        lambda p: ours.line(images[0], p, (3, 4), 1.0, 3),
        lambda p: ours.fillConvexPoly(images[0], p, 1.0),
        lambda p: ours.ellipse(images[0], p, (3, 4), 0, 0, 360, 1.0),
    ):
        with pytest.raises(cv2.error, match="must be known"):
            jax.jit(broken)(jnp.array([1, 2]))


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
        ("polylines", ([np.ones((3, 2))], True, 255, 3)),
        ("fillPoly", ([np.ones((3, 2))], 255)),
        ("fillPoly", ([np.ones((3, 2), np.int32)], 255, 8, 17)),
        ("fillPoly", ([np.zeros((0, 2), np.int32)], 255)),
        ("fillConvexPoly", (np.ones((3, 2)), 255)),
        ("ellipse", ((4, 4), (-3, 2), 0, 0, 360, 255)),
        ("ellipse", (((4, 4), (-3, 2), 0), 255)),
        ("ellipse", ((4, 4), (3, 2.5), 0, 0, 360, 255)),
        ("arrowedLine", ((4, 4), (3, 2), 255, 0)),
        ("drawMarker", ((4, 4), 255, 0, 9, 0)),
    ],
)
def test_bad_input(name, args):
    both_raise(name, CANVAS.copy(), *args)


def test_bad_steps_of_an_arc():
    for delta in (0, 181):
        both_raise("ellipse2Poly", (3, 3), (2, 2), 0, 0, 360, delta)
