"""Functions of the user's in filters and maps; Fourier filters; rotation: against SciPy."""

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
