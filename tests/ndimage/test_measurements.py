"""Labels, statistics by label, objects and distance transforms against SciPy; properties."""

import jax
import numpy as np
import pytest
import scipy.ndimage as nd

import sci
from sci import ndimage

RNG = np.random.default_rng(0)
VALUES = RNG.permutation(42).reshape(6, 7) * 3
LABELS = RNG.integers(0, 5, (6, 7))
STATISTICS = ["sum_labels", "mean", "variance", "standard_deviation", "minimum", "maximum", "median"]


def flat(result):
    if isinstance(result, (list, tuple)):
        return [y for x in result for y in flat(x)]
    return [np.asarray(result)]


def both(name, *args, **kwargs):
    sci.clear_fallbacks()
    ours, theirs = getattr(ndimage, name)(*args, **kwargs), getattr(nd, name)(*args, **kwargs)
    assert not sci.fallbacks()
    assert type(ours) is type(theirs)
    for a, b in zip(flat(ours), flat(theirs), strict=True):
        assert a.dtype == b.dtype
        np.testing.assert_allclose(a, b, rtol=1e-6 if np.asarray(args[0]).dtype == np.float32 else 1e-12)


@pytest.mark.parametrize("dtype", ["f8", "f4", "u1", "i4"])
@pytest.mark.parametrize(
    ("labels", "index"),
    [
        (None, None),
        (LABELS, None),
        (LABELS, 2),
        (LABELS, [1, 2, 4]),
        (LABELS, [[1, 2], [3, 9]]),
        (LABELS - 3, [-1, 0, 1]),
        (LABELS * 1.5, [1.5, 3.0]),
        (LABELS * 100000, [100000, 300000]),
        (LABELS[0], [1, 2]),
    ],
)
def test_statistics(dtype, labels, index):
    image = VALUES.astype(dtype)
    for name in STATISTICS:
        with np.errstate(invalid="ignore"):
            both(name, image, labels, index)
    both("extrema", image, labels, index)
    if np.ndim(index) < 2:
        both("center_of_mass", image, labels, index)


def test_histogram():
    both("histogram", VALUES, 0, 100, 7)
    both("histogram", VALUES, 0, 100, 7, LABELS, 2)
    ours = ndimage.histogram(VALUES, 0, 100, 7, LABELS, [1, 3, 9])
    theirs = nd.histogram(VALUES, 0, 100, 7, LABELS, [1, 3, 9])
    assert ours[2] is None and theirs[2] is None
    for a, b in zip(ours[:2], theirs[:2], strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("shape", [(40,), (9, 8), (4, 5, 6), (3, 4, 3, 5)])
def test_labels_have_scipys_numbers(shape):
    for density in (0.3, 0.5, 0.7):
        image = RNG.random(shape) < density
        for connectivity in range(1, len(shape) + 1):
            both("label", image, nd.generate_binary_structure(len(shape), connectivity))


def test_label_of_partly_connected_rows_and_of_a_spiral():
    image = RNG.random((30, 33)) < 0.5
    for structure in (np.diag([1, 1, 1]), [[0, 0, 0], [1, 1, 1], [0, 0, 0]], [[0, 1, 0], [0, 1, 0], [0, 1, 0]]):
        both("label", image, structure)
    spiral = np.zeros((31, 31), bool)
    row, column, step = 0, 0, (0, 1)
    for length in [30, *[n for n in range(30, 1, -2) for _ in range(2)]]:
        for _ in range(length):
            spiral[row, column] = True
            row, column = row + step[0], column + step[1]
        step = (step[1], -step[0])
    both("label", spiral)
    assert ndimage.label(spiral)[1] == 1


@pytest.mark.parametrize("shape", [(64,), (7, 64), (33, 31), (3, 4, 32)])
def test_label_with_any_structure(shape):
    """Lines of whole words and others; contacts that leave neighbours out, also within a line."""
    for seed in range(2):
        structure = np.random.default_rng(seed).random((3,) * len(shape)) < 0.4
        structure |= np.flip(structure)
        for density in (0.2, 0.6, 1.0):
            both("label", RNG.random(shape) < density, structure)


@pytest.mark.parametrize("density", [0.4, 0.6])
@pytest.mark.parametrize("structure", [nd.generate_binary_structure(2, 1), np.ones((3, 3))])
def test_label_of_more_runs_than_a_block(density, structure):
    both("label", RNG.random((700, 600)) < density, structure)
    stripes = np.zeros((700, 600), bool)
    stripes[:, ::2] = True  # trees as deep as the image is high, united by its last line alone
    stripes[-1] = True
    both("label", stripes, structure)


def test_label_into_an_array_and_too_few_bits():
    image = RNG.random((50, 60)) > 0.6
    target = np.zeros(image.shape, np.int64)
    assert ndimage.label(image, output=target) == nd.label(image)[1]
    np.testing.assert_array_equal(target, nd.label(image)[0])
    with pytest.raises(RuntimeError, match="bit-depth"):
        ndimage.label(image, output=np.int8)


def test_objects():
    labels, count = nd.label(RNG.random((20, 30)) > 0.7)
    assert ndimage.find_objects(labels) == nd.find_objects(labels)
    assert ndimage.find_objects(labels, 3) == nd.find_objects(labels, 3)
    assert ndimage.find_objects(labels, count + 3) == nd.find_objects(labels, count + 3)


@pytest.mark.parametrize("shape", [(30,), (9, 12), (5, 6, 7)])
@pytest.mark.parametrize("density", [0.5, 0.97, 1.0])
def test_distances(shape, density):
    image = RNG.random(shape) < density
    both("distance_transform_edt", image)
    both("distance_transform_edt", image, (0.5, 2, 1.3)[: len(shape)])
    both("distance_transform_edt", image, return_indices=True)
    for metric in ("chessboard", "taxicab"):
        both("distance_transform_cdt", image, metric)
        both("distance_transform_bf", image, metric)
    both("distance_transform_bf", image, sampling=1.7)
    if density < 1:
        both("distance_transform_bf", image, return_indices=True)


def test_distance_outputs():
    image = RNG.random((6, 7)) < 0.8
    distances, indices = np.zeros(image.shape), np.zeros((2, *image.shape), np.int32)
    assert ndimage.distance_transform_edt(image, return_indices=True, distances=distances, indices=indices) is None
    np.testing.assert_allclose(distances, nd.distance_transform_edt(image))
    with pytest.raises(RuntimeError):
        ndimage.distance_transform_edt(image, return_distances=False)
    with pytest.raises(RuntimeError):
        ndimage.distance_transform_edt(image, distances=np.zeros(3))


def test_batches_of_labels_and_sums():
    images = RNG.random((3, 8, 9)) < 0.5
    labels, counts = jax.jit(jax.vmap(ndimage.label))(jax.numpy.asarray(images))
    for k in range(3):
        expected, count = nd.label(images[k])
        np.testing.assert_array_equal(labels[k], expected)
        assert counts[k] == count
    gradient = jax.grad(lambda v: ndimage.mean(v, LABELS, np.array([1, 2]))[1])(
        VALUES.astype(np.float32) + 0 * labels.sum()
    )
    np.testing.assert_allclose(gradient, (LABELS == 2) / (LABELS == 2).sum(), rtol=1e-6)


@pytest.mark.parametrize("dtype", ["i1", "u1", "i4", "u4", "i8", "u8"])
@pytest.mark.parametrize("shape", [(30,), (6, 7), (3, 4, 5)])
def test_value_indices(dtype, shape):
    image = RNG.integers(0 if dtype[0] == "u" else -3, 6, size=shape).astype(dtype)
    image.flat[3] = 100  # a table of all values between is SciPy's way: no larger ones here
    for ignored in (None, 0, 77):
        ours, theirs = ndimage.value_indices(image, ignore_value=ignored), nd.value_indices(image, ignore_value=ignored)
        assert list(ours) == list(theirs) and {type(k) for k in ours} == {image.dtype.type}
        for key, places in theirs.items():
            assert type(ours[key]) is tuple
            np.testing.assert_array_equal(np.array(ours[key]), np.array(places))


def test_value_indices_of_little_bad_and_traced():
    assert ndimage.value_indices(np.array(3)) == nd.value_indices(np.array(3))
    assert ndimage.value_indices(np.zeros((0, 3), int)) == {}
    for bad in (np.ones(3), np.ones(3, bool)):
        with pytest.raises(ValueError, match="must be an integer array"):
            ndimage.value_indices(bad)
    with pytest.raises(OverflowError):
        ndimage.value_indices(np.ones(3, np.uint8), ignore_value=300)
    values, places, count = jax.jit(lambda x: ndimage.value_indices(x, ignore_value=2))(jax.numpy.array([3, 2, 1, 3]))
    np.testing.assert_array_equal(values, [1, 3, 3, 2])
    np.testing.assert_array_equal(places, [2, 0, 3, 1])
    assert count == 3


@pytest.mark.parametrize("name", ["sum_labels", "mean", "variance", "center_of_mass"])
def test_labels_of_a_large_image(name):
    image, labels = RNG.random((520, 510)), RNG.integers(-2, 30, (520, 510))
    labels[100:] = np.sort(labels[100:], axis=1)  # neighbours of one label, and mixed ones
    index = np.array([7, 0, 29, 3])
    ours, theirs = getattr(ndimage, name)(image, labels, index), getattr(nd, name)(image, labels, index)
    np.testing.assert_allclose(np.array(ours), np.array(theirs), rtol=1e-11)
