"""`image.filters` against scikit-image on its own photographs."""

import subprocess
import sys

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from image import filters

skimage_filters = pytest.importorskip("skimage.filters")
data = pytest.importorskip("skimage.data")

CAMERA = data.camera()[100:164, 200:290]
COLOUR = data.astronaut()[100:140, 100:150]
IMAGES = {
    "uint8": CAMERA,
    "uint16": CAMERA.astype(np.uint16) * 200,
    "int16": CAMERA.astype(np.int16) - 100,
    "bool": CAMERA > 90,
    "float32": (CAMERA / 255).astype(np.float32),
    "float64": CAMERA / 255,
}


def both(name, *args, **kwargs):
    ours, theirs = getattr(filters, name)(*args, **kwargs), getattr(skimage_filters, name)(*args, **kwargs)
    assert ours.dtype == theirs.dtype
    np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-6 if theirs.dtype == np.float32 else 1e-12)


@pytest.mark.parametrize("kind", IMAGES)
def test_dtypes(kind):
    both("gaussian", IMAGES[kind], 1.7)
    both("sobel", IMAGES[kind])


def test_options():
    both("gaussian", COLOUR, 1.5, channel_axis=-1, mode="wrap", truncate=3.0)
    both("gaussian", COLOUR, (1.0, 2.0), channel_axis=2)
    both("gaussian", CAMERA / 255, (0, 2.0), mode="constant", cval=0.5)
    for options in (
        {"axis": 0},
        {"axis": -1},
        {"axis": (0, 1)},
        {"mask": CAMERA > 50},
        {"mode": "constant", "cval": 0.3},
    ):
        both("sobel", CAMERA, **options)
    both("sobel", COLOUR)
    both("sobel_h", CAMERA)
    both("sobel_v", CAMERA, CAMERA > 20)
    out = np.zeros(CAMERA.shape)
    assert filters.gaussian(CAMERA, 2, out=out) is out
    np.testing.assert_allclose(out, skimage_filters.gaussian(CAMERA, 2), atol=1e-12)
    scaled = filters.gaussian(CAMERA, 1.0, preserve_range=True)
    np.testing.assert_allclose(scaled, skimage_filters.gaussian(CAMERA, 1.0, preserve_range=True), rtol=1e-12)


@pytest.mark.parametrize(
    ("name", "args", "kwargs"),
    [
        ("gaussian", (CAMERA, -1.0), {}),
        ("gaussian", (CAMERA, 1.0), {"out": np.zeros(CAMERA.shape, int)}),
        ("sobel_h", (COLOUR,), {}),
        ("gaussian", (CAMERA, 1.0), {"mode": "odd"}),
    ],
)
def test_bad_input_raises_what_scikit_image_raises(name, args, kwargs):
    with pytest.raises(Exception) as theirs:  # noqa: PT011
        getattr(skimage_filters, name)(*args, **kwargs)
    with pytest.raises(theirs.type):
        getattr(filters, name)(*args, **kwargs)


def test_sobel_gradient_is_finite_on_flat_images():
    gradient = jax.grad(lambda x: filters.sobel(x).sum())(jnp.ones((6, 6)))
    assert np.isfinite(gradient).all()


def test_other_names_come_from_scikit_image():
    assert filters.threshold_otsu(CAMERA) == skimage_filters.threshold_otsu(CAMERA)
    with pytest.raises(AttributeError, match="no_such"):
        filters.no_such  # noqa: B018


def test_importing_loads_neither_original():
    code = (
        "import image, image.filters, image.cv2, sys;"
        "assert not {'cv2', 'skimage'} & set(sys.modules), 'an original was loaded'"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
