"""`image.pipeline`: a chain of operations as one compiled function."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import image
import sci
from image import cv2

original = pytest.importorskip("cv2")


def chain(library, photo, size=5):
    gray = library.cvtColor(photo, library.COLOR_BGR2GRAY)
    smooth = library.GaussianBlur(gray, (size, size), 0)
    across, down = library.Sobel(smooth, library.CV_32F, 1, 0), library.Sobel(smooth, library.CV_32F, 0, 1)
    return np.hypot(across, down), smooth


@image.pipeline
def edges(photo):
    """Edges."""
    return chain(cv2, photo)


@pytest.fixture(scope="module")
def photo():
    return np.random.default_rng(0).integers(0, 256, (24, 31, 3), dtype=np.uint8)


def test_as_opencv_and_writable(photo):
    strength, smooth = edges(photo)
    expected, blurred = chain(original, photo)
    assert strength.dtype == np.float32 and smooth.dtype == np.uint8
    np.testing.assert_array_equal(smooth, blurred)
    np.testing.assert_allclose(strength, expected, rtol=1e-6)
    strength[0, 0] = 1.0
    assert edges.__name__ == "edges" and edges.__doc__ == "Edges."


def test_jax_arrays_stay_on_the_device_at_single_precision(photo):
    strength, _ = edges(jnp.asarray(photo))
    assert isinstance(strength, jax.Array) and strength.dtype == np.float32
    np.testing.assert_allclose(strength, edges(photo)[0], rtol=1e-6)
    batch = jax.vmap(edges)(jnp.stack([photo, photo[::-1]]))[0]
    np.testing.assert_allclose(batch[0], strength, rtol=1e-6)


def test_gradient_of_a_chain():
    @image.pipeline
    def energy(x):
        return (cv2.GaussianBlur(x, (3, 3), 1.0) ** 2).sum()

    x = jnp.asarray(np.random.default_rng(1).random((6, 7), np.float32))
    slope = jax.grad(energy)(x)
    step = jnp.zeros_like(x).at[2, 3].set(1e-2)
    assert float((energy(x + step) - energy(x - step)) / 2e-2) == pytest.approx(float(slope[2, 3]), rel=1e-2)


def test_surroundings_are_read_at_each_call(photo):
    level = 100

    @image.pipeline
    def binary(x):
        return cv2.threshold(x, level, 255, cv2.THRESH_BINARY)[1]

    first = binary(photo)
    level = 200
    assert (first != binary(photo)).any()
    np.testing.assert_array_equal(binary(photo), original.threshold(photo, 200, 255, 0)[1])


def test_what_cannot_be_compiled_is_refused(photo, tmp_path):
    @image.pipeline
    def writes(x):
        np.save(tmp_path / "x.npy", x)
        return x

    with pytest.raises(sci.TraceError, match=r"test_pipelines\.py"):
        writes(photo)
    with pytest.raises(TypeError, match="must be callable, got int"):
        image.pipeline(3)
    with pytest.raises(TypeError, match="dtype <U1"):
        edges("x")
