"""Minima, maxima, ranks, grey and binary morphology against SciPy; properties; gradients."""

import hypothesis.strategies as st
import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.ndimage as nd
from hypothesis import given, settings

import sci
from sci import ndimage

MODES = ["reflect", "constant", "nearest", "mirror", "wrap", "grid-mirror", "grid-constant", "grid-wrap"]
RNG = np.random.default_rng(0)
IMAGE = RNG.normal(size=(9, 11)) * 60
HOLED = np.array([[0, 1, 0], [1, 1, 1], [0, 0, 1]], bool)
GREY = ["grey_erosion", "grey_dilation", "grey_opening", "grey_closing", "white_tophat", "black_tophat"]


def both(name, *args, **kwargs):
    sci.clear_fallbacks()
    ours, theirs = getattr(ndimage, name)(*args, **kwargs), getattr(nd, name)(*args, **kwargs)
    assert not sci.fallbacks()
    assert ours.dtype == theirs.dtype
    np.testing.assert_array_equal(ours, theirs)


@pytest.mark.parametrize("mode", MODES)
def test_every_border_also_when_the_window_is_longer_than_the_image(mode):
    both("minimum_filter", IMAGE, (4, 25), mode=mode, cval=-5.5, origin=(1, 0))
    both("maximum_filter", IMAGE, footprint=HOLED, mode=mode, cval=3.0, origin=(0, -1))
    both("rank_filter", IMAGE, 4, size=(5, 3), mode=mode, cval=3.0)


@pytest.mark.parametrize("dtype", [bool, "u1", "i2", "i8", "f4", "f8"])
def test_every_dtype(dtype):
    image = IMAGE > 0 if dtype is bool else np.abs(IMAGE).astype(dtype)
    both("minimum_filter", image, 3, mode="constant", cval=-1.5)
    both("median_filter", image, 3)
    both("rank_filter", image, 30, size=(10, 11))  # by bisection
    both("percentile_filter", image, 70, size=(3, 4), mode="wrap", origin=(1, -1))
    for name in GREY:
        both(name, image, footprint=HOLED)
        both(name, image, size=(3, 2), mode="mirror")


@pytest.mark.parametrize("dtype", ["u1", "i4", "f8"])
def test_structures_are_cast_as_scipy_casts_them(dtype):
    image, structure = np.abs(IMAGE).astype(dtype), RNG.random((3, 4)) * 9
    for name in GREY:
        both(name, image, structure=structure)
        both(name, image, structure=structure, footprint=structure > 4, mode="nearest")


def test_booleans_under_a_structure_go_through_bytes_as_scipys():
    for structure in (np.ones((3, 3), bool), np.array([[0.3, 2.5, 0], [0, 1, 0], [0, 0, -1.2]])):
        for name in GREY:
            ours, theirs = (getattr(m, name)(IMAGE > 0, structure=structure) for m in (ndimage, nd))
            assert ours.dtype == bool
            np.testing.assert_array_equal(ours, theirs.view(np.uint8) != 0)  # SciPy's may hold 2 and 255


def test_a_metric_that_is_not_of_bytes_is_scipys_matter():
    with pytest.warns(sci.FallbackWarning, match="give bool or int8"):
        ours = ndimage.distance_transform_cdt(IMAGE > -60, metric=np.ones((3, 3), np.int64))
    np.testing.assert_array_equal(ours, nd.distance_transform_cdt(IMAGE > -60, metric=np.ones((3, 3), np.int64)))
    sci.clear_fallbacks()
    both("distance_transform_cdt", IMAGE > -60, metric=np.ones((3, 3), bool))


def test_axes():
    volume = RNG.normal(size=(5, 6, 7))
    both("median_filter", volume, 3, axes=(0, 2))
    both("minimum_filter", volume, footprint=np.eye(3), axes=(1, 2), origin=(1, 0))
    both("grey_dilation", volume, size=(2, 3), axes=(0, 1))
    both("binary_dilation", volume > 1, axes=(2,), iterations=2)
    both("binary_fill_holes", volume > 0, axes=(1, 2))


def test_gaps_in_a_line_are_ranked_over_the_taps():
    # SciPy's fast path for one dimension ranks the whole window, whatever the footprint
    result = ndimage.rank_filter([5, 1, 4, 2, 3], 1, footprint=[1, 0, 1, 0, 1], mode="nearest")
    np.testing.assert_array_equal(result, [5, 2, 4, 2, 3])


@pytest.mark.parametrize("shape", [(12,), (7, 9), (4, 5, 6)])
def test_binary_morphology(shape):
    image, mask = RNG.random(shape) > 0.35, RNG.random(shape) > 0.2
    full, even = np.ones((3,) * len(shape)), np.ones((2,) * len(shape))
    ring = full.copy()
    ring[(1,) * len(shape)] = 0
    for name in ("binary_erosion", "binary_dilation", "binary_opening", "binary_closing"):
        for iterations, border in ((1, 0), (3, 1), (-1, 0)):
            both(name, image, iterations=iterations, border_value=border, mask=mask)
        both(name, image, structure=even, iterations=2)
        both(name, image, structure=ring, iterations=3)
    seed = RNG.random(shape) > 0.9
    both("binary_propagation", seed, mask=mask)
    both("binary_propagation", seed, mask=mask, structure=full)
    both("binary_propagation", seed, mask=mask, structure=np.tri(3) if len(shape) == 2 else full)
    both("binary_fill_holes", image)
    both("binary_hit_or_miss", image, structure1=ring, origin1=1)


def test_output_arrays():
    target = np.zeros(IMAGE.shape, np.int16)
    assert ndimage.grey_opening(IMAGE, 3, output=target) is target
    np.testing.assert_array_equal(target, nd.grey_opening(IMAGE, 3, output=np.int16))
    flags = np.zeros(IMAGE.shape, np.uint8)
    assert ndimage.binary_erosion(IMAGE > 0, output=flags) is flags
    np.testing.assert_array_equal(flags, nd.binary_erosion(IMAGE > 0))


@given(st.integers(1, 12), st.integers(0, 1000))
@settings(max_examples=12, deadline=None)
def test_opening_is_below_and_idempotent(size, seed):
    image = np.random.default_rng(seed).normal(size=24)
    opened = ndimage.grey_opening(image, size)
    assert np.all(opened <= image)
    np.testing.assert_array_equal(ndimage.grey_opening(opened, size), opened)


def test_gradient_of_a_large_window_goes_to_the_selected_sample():
    with jax.enable_x64(True):
        x = jnp.asarray(RNG.permutation(400).reshape(20, 20) / 7.0)
        gradient = jax.grad(lambda v: ndimage.median_filter(v, (11, 11))[10, 10])(x)
        assert float(gradient.sum()) == 1.0
        place = np.unravel_index(np.argmax(gradient), gradient.shape)
        assert x[place] == nd.median_filter(np.asarray(x), 11)[10, 10]


def test_nan_spoils_its_window_only():
    image = np.arange(30.0)
    image[10] = np.nan
    for result in (ndimage.median_filter(image, 5), ndimage.maximum_filter(image, 5), ndimage.median_filter(image, 85)):
        assert np.isnan(result[10])
    np.testing.assert_array_equal(np.flatnonzero(np.isnan(ndimage.median_filter(image, 5))), [8, 9, 10, 11, 12])


@pytest.mark.parametrize(
    ("name", "args", "kwargs"),
    [
        ("minimum_filter", (IMAGE,), {}),
        ("minimum_filter", (IMAGE,), {"footprint": np.zeros((3, 3))}),
        ("minimum_filter", (IMAGE + 1j, 3), {}),
        ("maximum_filter1d", (IMAGE, 0), {}),
        ("maximum_filter1d", (IMAGE, 3), {"origin": 2}),
        ("rank_filter", (IMAGE, 9), {"size": 3}),
        ("percentile_filter", (IMAGE, -101), {"size": 3}),
        ("median_filter", (IMAGE, 3), {"mode": "no such"}),
        ("grey_erosion", (IMAGE,), {}),
        ("binary_erosion", (IMAGE,), {"structure": np.ones(3)}),
        ("binary_erosion", (IMAGE,), {"mask": np.ones((2, 2))}),
        ("binary_erosion", (IMAGE,), {"iterations": 1.5}),
    ],
)
def test_scipys_exceptions(name, args, kwargs):
    with pytest.raises(Exception) as theirs:  # noqa: PT011
        getattr(nd, name)(*args, **kwargs)
    with pytest.raises(theirs.type):
        getattr(ndimage, name)(*args, **kwargs)


@pytest.mark.parametrize("name", ["binary_propagation", "binary_fill_holes", "binary_dilation", "binary_erosion"])
def test_no_dimensions(name):
    for value in (False, True):
        ours, theirs = (getattr(m, name)(np.array(value)) for m in (ndimage, nd))
        assert np.shape(ours) == () and ours == theirs
