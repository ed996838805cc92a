"""`sci.ndimage` interpolation against SciPy: orders, modes, dtypes; gradients."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.ndimage as nd

from sci import ndimage
from sci.ndimage._kernels.borders import border_index, pad_axis
from tests.ndimage.test_filters import MODES, both

RNG = np.random.default_rng(1)
IMAGE = RNG.normal(size=(9, 8))
POINTS = RNG.uniform(-25, 35, (2, 60))
ANGLE = 0.3
ROTATION = np.array([[np.cos(ANGLE), np.sin(ANGLE)], [-np.sin(ANGLE), np.cos(ANGLE)]])


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("order", [0, 1, 3])
def test_modes(order, mode):
    options = {"order": order, "mode": mode, "cval": 1.5}
    both("map_coordinates", IMAGE, POINTS, **options)
    both("zoom", IMAGE, (1.7, 0.8), **options)
    both("shift", IMAGE, (1.3, -12.7), **options)


@pytest.mark.parametrize("order", [2, 4, 5])
@pytest.mark.parametrize("mode", ["reflect", "grid-wrap", "nearest"])
def test_higher_orders(order, mode):
    both("map_coordinates", IMAGE, POINTS, order=order, mode=mode)
    both("spline_filter", IMAGE, order, mode=mode)
    both("spline_filter1d", IMAGE[:2], order, axis=0, mode=mode)


@pytest.mark.parametrize("order", [0, 1, 3])
def test_affine_maps(order):
    both("affine_transform", IMAGE, ROTATION, offset=(0.5, -0.3), output_shape=(7, 11), order=order)
    both("affine_transform", IMAGE, [0.7, 1.3], offset=0.4, order=order, mode="mirror")
    homogeneous = np.block([[ROTATION, np.array([[1.0], [2.0]])], [np.zeros((1, 2)), np.ones((1, 1))]])
    both("affine_transform", IMAGE, homogeneous, order=order, mode="nearest", prefilter=False)
    both("affine_transform", IMAGE, np.eye(2), offset=(1.5, -2.0), order=order)


@pytest.mark.parametrize("dtype", [bool, "u1", "i2", "f4", "c16"])
def test_dtypes_round_as_scipy_does(dtype):
    image = (np.abs(IMAGE) * 120).astype(dtype)
    both("zoom", image, 1.6, order=0 if dtype is bool else 1)  # SciPy's last bit decides between False and True
    both("affine_transform", image, ROTATION, mode="mirror", order=0 if dtype is bool else 3)
    both("shift", image, 0.5, order=0 if dtype is bool else 3, output=np.int32 if dtype != "c16" else None)


def test_single_precision_images_are_placed_in_double():
    image = RNG.random((40, 1900), dtype=np.float32)
    both("affine_transform", image, [[0.99, 0.01], [-0.1, 0.99]], order=1)


def test_volume_with_many_taps_and_colour_channel():
    volume = RNG.normal(size=(5, 6, 4))
    both("map_coordinates", volume, RNG.uniform(-1, 6, (3, 20)), order=3, mode="mirror")
    both("zoom", RNG.random((12, 10, 3)), (2, 0.5, 1), order=3)
    both("zoom", IMAGE, 2, grid_mode=True, mode="grid-constant", order=1)


def test_prefilter_interpolates_the_samples():
    for order in range(2, 6):
        c = ndimage.spline_filter(IMAGE, order, mode="mirror")
        grid = np.indices(IMAGE.shape).reshape(2, -1)
        back = ndimage.map_coordinates(c, grid, order=order, mode="mirror", prefilter=False)
        np.testing.assert_allclose(back, IMAGE.ravel(), atol=1e-12)


def test_nan_coordinates_take_the_constant():
    out = ndimage.map_coordinates(IMAGE, [[np.nan, 1.0], [1.0, 1.0]], order=1, mode="mirror", cval=7.0)
    np.testing.assert_allclose(out, [7.0, IMAGE[1, 1]])


BAD = [
    ("zoom", (IMAGE, 2), {"order": 6}, RuntimeError, "order"),
    ("zoom", (IMAGE, (1, 2, 3)), {}, RuntimeError, "zoom"),
    ("shift", (IMAGE, 1), {"mode": "odd"}, RuntimeError, "odd"),
    ("map_coordinates", (IMAGE, np.zeros((3, 4))), {}, RuntimeError, "coordinate"),
    ("map_coordinates", (IMAGE, np.zeros((2, 4)) * 1j), {}, TypeError, "[Cc]omplex"),
    ("affine_transform", (IMAGE, np.eye(4)), {}, RuntimeError, "rows"),
    ("affine_transform", (IMAGE, np.ones((3, 3))), {}, ValueError, "bottom row"),
    ("spline_filter", (IMAGE, 1), {}, RuntimeError, "order"),
]


@pytest.mark.parametrize(("name", "args", "kwargs", "kind", "word"), BAD)
def test_bad_input_raises_what_scipy_raises(name, args, kwargs, kind, word):
    with pytest.raises(kind):
        getattr(nd, name)(*args, **kwargs)
    with pytest.raises(kind, match=word):
        getattr(ndimage, name)(*args, **kwargs)


def test_gradient_reaches_the_geometry():
    with jax.enable_x64(True):
        x = jnp.asarray(IMAGE)
        loss = lambda m: (ndimage.affine_transform(x, m, offset=1.1, mode="mirror") ** 2).sum()  # noqa: E731
        moved = lambda s: (ndimage.shift(x, s, mode="mirror") ** 2).sum()  # noqa: E731
        h, e = 1e-6, np.array([[0.0, 1.0], [0.0, 0.0]])
        m = jnp.asarray(ROTATION)
        np.testing.assert_allclose(jax.grad(loss)(m)[0, 1], (loss(m + h * e) - loss(m - h * e)) / (2 * h), rtol=1e-5)
        np.testing.assert_allclose(jax.grad(moved)(0.3), (moved(0.3 + h) - moved(0.3 - h)) / (2 * h), rtol=1e-5)
        with pytest.raises(ValueError, match="zoom"):
            jax.jit(lambda z: ndimage.zoom(x, z))(2.0)


@pytest.mark.parametrize("mode", ["reflect", "mirror", "nearest", "wrap", "constant"])
@pytest.mark.parametrize("length", [1, 2, 5])
def test_padding_equals_the_index_map(mode, length):
    x = np.arange(1.0, length + 1)
    for before, after in ((0, 0), (1, 1), (2, 7), (13, 4)):
        index = border_index(np.arange(-before, length + after), length, mode)
        expected = np.where(index < 0, 9.0, x[np.maximum(index, 0)])
        np.testing.assert_array_equal(pad_axis(jnp.asarray(x), 0, before, after, mode, 9.0), expected)
        if mode != "constant":
            name = {"reflect": "symmetric", "mirror": "reflect", "nearest": "edge"}.get(mode, mode)
            np.testing.assert_array_equal(expected, np.pad(x, (before, after), mode=name))
