"""Functions of the user's in filters and maps; Fourier filters; rotation: against SciPy."""

import jax
import numpy as np
import pytest
import scipy.ndimage as nd

import sci
from sci import ndimage

RNG = np.random.default_rng(0)
IMAGE = RNG.normal(size=(7, 9)) * 50


def both(name, *args, rtol=1e-10, native=True, **kwargs):
    sci.clear_fallbacks()
    ours, theirs = getattr(ndimage, name)(*args, **kwargs), getattr(nd, name)(*args, **kwargs)
    assert bool(sci.fallbacks()) is not native
    assert ours.dtype == theirs.dtype
    np.testing.assert_allclose(ours, theirs, rtol=rtol, atol=rtol * 100)


def test_generic_filter():
    both("generic_filter", IMAGE, np.median, size=3)
    both("generic_filter", IMAGE.astype(np.int16), lambda w: w.max() - w.min(), footprint=np.eye(3), mode="wrap")

    def weighted(window, scale, shift=2):
        return np.dot(window, np.arange(window.size)) * scale + shift

    both("generic_filter", IMAGE, weighted, size=(2, 3), extra_arguments=(3.0,), extra_keywords={"shift": 4.0})
    seen = []
    both("generic_filter", IMAGE[:2, :2], lambda w: seen.append(w) or w[0], size=2, native=False)


def test_vectorized_filter():
    both("vectorized_filter", IMAGE, np.median, size=3)
    both("vectorized_filter", IMAGE.astype(np.float32), np.mean, size=(2, 3), origin=(-1, 1), rtol=1e-6)
    both("vectorized_filter", IMAGE.astype(np.int16), np.sum, footprint=np.eye(3, dtype=bool), mode="wrap")
    both("vectorized_filter", IMAGE + 1j, np.sum, size=3, axes=0, mode="valid")
    both("vectorized_filter", RNG.normal(size=(4, 5, 6)), np.ptp, size=(2, 3), axes=(2, 0), mode="grid-mirror")
    both("vectorized_filter", IMAGE, lambda x, axis: np.max(x, axis) - x.mean(axis), size=4, mode="constant", cval=3)

    def quartiles(x, axis):
        return np.quantile(x, [0.25, 0.75], axis=axis)

    both("vectorized_filter", IMAGE, quartiles, size=2, native=False)
    both("vectorized_filter", IMAGE, lambda x, axis: x.mean(axis) / x.max(), size=2, native=False)
    target = np.zeros(IMAGE.shape, np.float32)
    assert ndimage.vectorized_filter(IMAGE, np.min, size=2, output=target) is target
    np.testing.assert_array_equal(target, nd.minimum_filter(IMAGE, 2).astype(np.float32))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({}, "Either `size` or `footprint`"),
        ({"size": 2, "footprint": [[1]]}, "not both"),
        ({"size": (2, 0)}, "positive integers"),
        ({"size": (2, 2, 2)}, "compatible with the dimensionality"),
        ({"size": 2, "mode": "bent"}, "`mode` must be one of"),
        ({"size": 2, "cval": 1}, "`cval` is compatible only"),
        ({"size": 2, "mode": "valid", "origin": 1}, "incompatible with use of `origin`"),
        ({"size": 2, "origin": 0.5}, "`origin` must be integers"),
        ({"size": 3, "origin": 2}, "negative values"),
        ({"size": 2, "batch_memory": 0}, "positive number"),
        ({"size": 2, "batch_memory": 9 * 4 * 8 - 1}, "insufficient"),
    ],
)
def test_bad_arguments_of_vectorized_filter(options, message):
    with pytest.raises(ValueError, match=message):
        ndimage.vectorized_filter(IMAGE, np.mean, **options)
    with pytest.raises(ValueError):
        nd.vectorized_filter(IMAGE, np.mean, **options)


def test_labeled_comprehension():
    labels = np.zeros(IMAGE.shape, int)
    labels[:2, :3], labels[3:5, 4:7], labels[6, :4], labels[4, 0] = 1, 5, 2, 7
    name = "labeled_comprehension"
    both(name, IMAGE, labels, [5, 1, 2, 4], np.mean, float, -1)
    both(name, IMAGE, labels, [5, 1, 2, 4], lambda v: v.max() * 100, np.int32, -1)
    both(name, IMAGE.astype(np.uint8), labels, np.arange(1, 6), np.sum, np.float32, 0)
    both(name, IMAGE, labels, 2, lambda v, p: np.dot(v, p), float, 0, True)
    both(name, IMAGE, labels, None, np.median, float, 0)
    both(name, IMAGE, None, None, lambda v, p: np.dot(v, p), float, 0, True)
    both(name, IMAGE[0], labels, [1, 2], np.sum, float, 0)
    both(name, IMAGE, np.arange(63).reshape(7, 9) // 10 * (1 + np.arange(9) % 6), [1, 2, 3, 4, 6, 8, 9, 10, 12, 15],
         np.sum, float, 0, native=False)  # fmt: skip
    seen = []
    both(name, IMAGE, labels, [1, 2], lambda v: seen.append(v) or v[0], float, 0, native=False)
    slope = jax.grad(lambda x: ndimage.labeled_comprehension(x, labels, [1, 2], jax.numpy.prod, float, 0).sum())
    image = np.abs(IMAGE) / 50 + 1
    found = slope(jax.numpy.asarray(image))
    expected = np.where(labels == 1, image[labels == 1].prod(), np.where(labels == 2, image[labels == 2].prod(), 0))
    np.testing.assert_allclose(found, expected / image, rtol=1e-4)


def test_bad_arguments_of_labeled_comprehension():
    labels = np.arange(9) % 3
    with pytest.raises(ValueError, match="index without"):
        ndimage.labeled_comprehension(IMAGE, None, 1, np.mean, float, 0)
    with pytest.raises(ValueError, match="same shape"):
        ndimage.labeled_comprehension(IMAGE, np.ones(4), 1, np.mean, float, 0)
    with pytest.raises(ValueError, match="loss of precision"):
        ndimage.labeled_comprehension(IMAGE, labels, [1.5], np.mean, float, 0)
    with pytest.raises(ValueError, match="labels must be known"):
        jax.jit(lambda k: ndimage.labeled_comprehension(IMAGE, k, [1], np.mean, float, 0))(labels)


def test_generic_filter1d():
    def runs(line, out):
        for i in range(out.shape[0]):
            out[i] = line[i] + line[i + 1]

    both("generic_filter1d", IMAGE, runs, 2)
    both("generic_filter1d", IMAGE, runs, 2, axis=0, mode="wrap")


def test_generic_derivatives():
    def second(input, axis, output, mode, cval, a, b):
        return nd.correlate1d(input, [a, -2, b], axis, output, mode, cval, 0)

    both("generic_laplace", IMAGE, second, extra_arguments=(1.0,), extra_keywords={"b": 2.0})
    both("generic_gradient_magnitude", IMAGE, nd.sobel)


def test_geometric_transform():
    def bent(point, a, b=1):
        if point[0] > 3:
            return point[0] * a, point[1] - b
        return point[0], point[1] / 2

    for order in (0, 1, 3):
        both("geometric_transform", IMAGE, bent, order=order, extra_arguments=(0.7,), extra_keywords={"b": 0.2})
    both("geometric_transform", IMAGE[0], lambda p: (p[0] + p[1],), (4, 5), mode="mirror")


@pytest.mark.parametrize("angle", [30, 90, -45.5, 180])
def test_rotate(angle):
    both("rotate", IMAGE, angle)
    both("rotate", IMAGE.astype(np.uint8), angle, reshape=False, order=1, mode="nearest")
    both("rotate", RNG.normal(size=(3, 5, 6, 2)), angle, axes=(0, 3), order=2)


@pytest.mark.parametrize("shape", [(9,), (8, 7), (4, 5, 6)])
def test_fourier(shape):
    for image in (RNG.normal(size=shape), RNG.normal(size=shape) + 1j):
        for name in ("fourier_gaussian", "fourier_uniform", "fourier_ellipsoid", "fourier_shift"):
            both(name, image, 2.3, rtol=1e-8)
            both(name, image, tuple(1.1 + k for k in range(len(shape))), n=12, axis=0, rtol=1e-8)
