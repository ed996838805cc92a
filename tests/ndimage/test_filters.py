"""`sci.ndimage` filters against SciPy: modes, dtypes, small shapes, a photograph; properties; gradients."""

import itertools

import hypothesis.strategies as st
import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.ndimage as nd
from hypothesis import given, settings

from sci import ndimage

MODES = ["reflect", "constant", "nearest", "mirror", "wrap", "grid-mirror", "grid-constant", "grid-wrap"]
RNG = np.random.default_rng(0)
IMAGE = RNG.normal(size=(11, 7)) * 90
TINY = RNG.normal(size=(2, 3))
TOLERANCE = {"f4": 1e-5, "f8": 1e-12, "c8": 1e-5, "c16": 1e-12}


def agree(ours, theirs):
    assert ours.dtype == theirs.dtype
    assert ours.shape == theirs.shape
    if theirs.dtype.kind in "biu":
        np.testing.assert_array_equal(ours, theirs)
    else:
        scale = 1 + np.abs(theirs).max(initial=0)
        np.testing.assert_allclose(ours, theirs, rtol=0, atol=TOLERANCE[theirs.dtype.str[1:]] * scale)


def both(name, *args, **kwargs):
    agree(getattr(ndimage, name)(*args, **kwargs), getattr(nd, name)(*args, **kwargs))


@pytest.fixture(scope="module")
def photo():
    data = pytest.importorskip("skimage.data")
    return data.camera()[100:228, 200:300]


@pytest.mark.parametrize("mode", MODES)
def test_every_border_also_when_the_window_is_longer_than_the_image(mode):
    for image in (IMAGE, TINY):
        both("gaussian_filter", image, 1.7, mode=mode, cval=2.5)
        both("correlate1d", image, [1.0, -2.0, 0.5, 3.0], axis=0, mode=mode, cval=-1.0, origin=-2)
        both("uniform_filter", image, (4, 3), mode=mode, cval=1.5, origin=(1, 0))
        both("correlate", image, np.arange(12.0).reshape(4, 3), mode=mode, cval=0.5, origin=(1, -1))


@pytest.mark.parametrize("dtype", [bool, "u1", "i1", "u2", "i4", "i8", "u8", "f4", "f8", "c8", "c16"])
def test_every_dtype_with_scipys_casts(dtype):
    image = np.abs(IMAGE).astype(dtype) if dtype in ("u1", "u2", "u8") else IMAGE.astype(dtype)
    both("gaussian_filter", image, 1.1)
    both("sobel", image, axis=0)
    both("uniform_filter", image, 3)
    both("laplace", image, mode="wrap")
    both("correlate", image, np.array([[0.3, 1.5], [-2.0, 0.1]]))


@pytest.mark.parametrize("output", [np.float32, "f8", np.int16, np.uint8, ">f4"])
def test_output_dtype_and_array(output):
    both("gaussian_filter", IMAGE, 1.0, output=output)
    target = np.zeros(IMAGE.shape, output)
    assert ndimage.gaussian_filter(IMAGE, 1.0, output=target) is target
    np.testing.assert_allclose(target, nd.gaussian_filter(IMAGE, 1.0, output=np.zeros_like(target)), rtol=1e-6)


def test_constant_images_keep_scipys_rounding():
    # a sum of weights one unit below 1 loses a grey level in SciPy, and here
    for level, sigma in itertools.product((1, 100, 255), (0.5, 0.9, 2.2, 3.1)):
        image = np.full((9, 9), level, np.uint8)
        np.testing.assert_array_equal(ndimage.gaussian_filter(image, sigma), nd.gaussian_filter(image, sigma))


def test_photograph(photo):
    for name, args in (
        ("gaussian_filter", (2.0,)),
        ("gaussian_laplace", (1.5,)),
        ("gaussian_gradient_magnitude", (1.5,)),
        ("prewitt", ()),
        ("uniform_filter", (9,)),
        ("convolve", (RNG.normal(size=(9, 9)),)),
    ):
        both(name, photo, *args)
        both(name, photo / 255.0, *args)


def test_any_dimension_axes_and_orders():
    volume = RNG.normal(size=(5, 6, 4))
    both("gaussian_filter", volume, (1.0, 0.0, 2.0), order=(2, 0, 3), mode=("wrap", "mirror", "nearest"))
    both("gaussian_filter", volume, (1.0, 0.5), axes=(2, 0), radius=(3, 1))
    both("correlate", volume, np.ones((2, 3)), axes=(0, 2), origin=(0, 1))
    both("uniform_filter", volume, 3, axes=1)
    both("sobel", RNG.normal(size=9))
    both("convolve1d", volume, [1.0, 2.0, 4.0, 1.0], axis=1, origin=1)
    both("correlate", volume + 1j * volume[::-1], np.ones((1, 2, 2)) * (1 - 2j), mode="constant", cval=1 + 1j)


BAD = [
    ("gaussian_filter", (IMAGE, 1), {"mode": "mirrored"}, RuntimeError, "mirrored"),
    ("gaussian_filter", (IMAGE, (1, 2, 3)), {}, RuntimeError, "sigma"),
    ("gaussian_filter", (IMAGE, 1), {"order": -1}, ValueError, "order"),
    ("gaussian_filter", (IMAGE, 1), {"radius": 1.5}, ValueError, "1.5"),
    ("gaussian_filter", (IMAGE, 1), {"axes": (0, 0)}, ValueError, "unique"),
    ("correlate1d", (IMAGE, []), {}, RuntimeError, "weights"),
    ("correlate1d", (IMAGE, [1, 2]), {"origin": 3}, ValueError, "origin=3"),
    ("correlate", (IMAGE, [1, 2]), {}, RuntimeError, "weights"),
    ("uniform_filter1d", (IMAGE, 0), {}, RuntimeError, "size"),
    ("sobel", (IMAGE,), {"axis": 2}, np.exceptions.AxisError, "2"),
    ("gaussian_filter", (IMAGE.astype("f2"), 1), {}, RuntimeError, "float16"),
]


@pytest.mark.parametrize(("name", "args", "kwargs", "kind", "word"), BAD)
def test_bad_input_raises_what_scipy_raises(name, args, kwargs, kind, word):
    with pytest.raises(kind):
        getattr(nd, name)(*args, **kwargs)
    with pytest.raises(kind, match=word):
        getattr(ndimage, name)(*args, **kwargs)


@settings(max_examples=15, deadline=None)
@given(mode=st.sampled_from(MODES[2:5]), seed=st.integers(0, 99), a=st.floats(-3, 3), b=st.floats(-3, 3))
def test_linear_and_constant_preserving(mode, seed, a, b):
    rng = np.random.default_rng(seed)
    x, y = rng.normal(size=(2, 6, 5))
    blur = lambda z: ndimage.gaussian_filter(z, 1.3, mode=mode)  # noqa: E731
    np.testing.assert_allclose(blur(a * x + b * y), a * blur(x) + b * blur(y), atol=1e-12)
    np.testing.assert_allclose(blur(np.full((6, 5), a)), a, atol=1e-12)


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 99), dy=st.integers(-4, 4), dx=st.integers(-4, 4))
def test_wrapped_filters_commute_with_shifts(seed, dy, dx):
    x = np.random.default_rng(seed).normal(size=(6, 5))
    rolled = ndimage.gaussian_filter(np.roll(x, (dy, dx), (0, 1)), 1.3, mode="wrap")
    np.testing.assert_allclose(
        rolled, np.roll(ndimage.gaussian_filter(x, 1.3, mode="wrap"), (dy, dx), (0, 1)), atol=1e-13
    )


def test_jax_world_jit_vmap_and_single_precision():
    batch = jnp.asarray(np.stack([IMAGE, IMAGE * 2]), jnp.float32)
    out = jax.jit(jax.vmap(lambda x: ndimage.gaussian_filter(x, 1.2)))(batch)
    assert out.dtype == jnp.float32
    np.testing.assert_allclose(out[1], nd.gaussian_filter(IMAGE * 2, 1.2), rtol=1e-4, atol=1e-3)


def test_gradients_reach_sigma_and_stay_finite_on_flat_images():
    with jax.enable_x64(True):
        x = jnp.asarray(IMAGE)
        loss = lambda s: (ndimage.gaussian_filter(x, s, radius=4) ** 2).sum()  # noqa: E731
        step = 1e-5
        expected = (loss(1.2 + step) - loss(1.2 - step)) / (2 * step)
        np.testing.assert_allclose(jax.grad(loss)(1.2), expected, rtol=1e-6)
        flat = jax.grad(lambda z: ndimage.gaussian_gradient_magnitude(z, 1.0).sum())(jnp.ones((6, 6)))
        assert np.isfinite(flat).all()
    with pytest.raises(ValueError, match="radius"):
        jax.grad(lambda s: ndimage.gaussian_filter(IMAGE, s).sum())(1.2)


def test_large_arrays_split_at_the_borders_agree():
    image = RNG.normal(size=(700, 500)).astype(np.float32)
    for mode in ("mirror", "wrap", "constant"):
        both("gaussian_filter", image, 2.0, mode=mode, cval=3.0)
        both("correlate1d", image, [1.0, 2.0, -1.0, 0.5], mode=mode, cval=3.0, origin=-2)
    both("gaussian_filter1d", RNG.normal(size=(300, 400, 3)), 2.0, axis=1)


def test_a_new_sigma_does_not_compile():
    ndimage.gaussian_filter(IMAGE, 1.0, radius=4)
    seen = []
    listen = lambda event, *_, **__: seen.append(event)  # noqa: E731
    jax.monitoring.register_event_duration_secs_listener(listen)
    try:
        ndimage.gaussian_filter(IMAGE, 1.1, radius=4)
    finally:
        jax.monitoring.unregister_event_duration_listener(listen)
    assert not [e for e in seen if "compile" in e]


def test_median_of_large_single_precision():
    image = RNG.normal(size=(520, 510)).astype(np.float32)
    for size in (3, (3, 5)):
        agree(ndimage.median_filter(image, size), nd.median_filter(image, size))
    agree(
        ndimage.rank_filter(image, 2, 3, mode="constant", cval=-0.5),
        nd.rank_filter(image, 2, 3, mode="constant", cval=-0.5),
    )
    clean = ndimage.median_filter(image, 3)
    image[100, 100], image[200, 200], image[300:303, 300:303] = np.nan, -np.float32(np.nan), -np.inf
    spoilt = ndimage.median_filter(image, 3)
    near = np.zeros(image.shape, bool)
    near[99:102, 99:102] = near[199:202, 199:202] = True
    np.testing.assert_array_equal(np.isnan(spoilt), near)
    assert spoilt[301, 301] == -np.inf
    far = ~near
    far[298:305, 298:305] = False
    np.testing.assert_array_equal(spoilt[far], clean[far])


def test_gradient_of_the_median_of_large_single_precision():
    image = jnp.asarray(RNG.permutation(520 * 510).reshape(520, 510), jnp.float32)
    small = image[:40, :40]
    weights = jnp.asarray(RNG.normal(size=image.shape), jnp.float32)
    slope = jax.grad(lambda x, w: (w * ndimage.median_filter(x, 3)).sum())
    # away from the cut the gradient of a part is that of the whole
    np.testing.assert_allclose(slope(image, weights)[:37, :37], slope(small, weights[:40, :40])[:37, :37], rtol=1e-5)
