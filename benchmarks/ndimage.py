"""scipy.ndimage: filters and resampling."""

from __future__ import annotations

import numpy as np

from benchmarks.harness import Topic

topic = Topic("ndimage", "scipy.ndimage")


def _image(quick: bool, *shape: int, dtype=np.float32) -> np.ndarray:
    shape = tuple(max(s // 8, 3) if quick and s > 3 else s for s in shape)
    return np.random.default_rng(5).random(shape).astype(dtype)


def _pair(name: str, image: np.ndarray, *args, **options):
    from scipy import ndimage as original

    from sci import ndimage

    f, g = getattr(ndimage, name), getattr(original, name)
    return lambda: f(image, *args, **options), lambda: g(image, *args, **options)


@topic.pair("gaussian_filter sigma 3, 1080x1920x3 float32", memory=True, rtol=1e-5)
def gaussian_colour(quick: bool):
    return _pair("gaussian_filter", _image(quick, 1080, 1920, 3), (3.0, 3.0, 0.0))


@topic.pair("gaussian_filter sigma 2, 512x512 float64")
def gaussian_gray(quick: bool):
    return _pair("gaussian_filter", _image(quick, 512, 512, dtype=np.float64), 2.0)


@topic.pair("gaussian_filter sigma 1.5, 64x64x64 float64, mode wrap")
def gaussian_volume(quick: bool):
    return _pair("gaussian_filter", _image(quick, 64, 64, 64, dtype=np.float64), 1.5, mode="wrap")


@topic.pair("sobel, 1080x1920 float32", rtol=1e-5)
def sobel(quick: bool):
    return _pair("sobel", _image(quick, 1080, 1920))


@topic.pair("uniform_filter size 9, 1080x1920 float32", rtol=1e-5)
def uniform(quick: bool):
    return _pair("uniform_filter", _image(quick, 1080, 1920), 9)


@topic.pair("correlate 5x5, 512x512 float64")
def correlate(quick: bool):
    weights = np.random.default_rng(6).random((5, 5))
    return _pair("correlate", _image(quick, 512, 512, dtype=np.float64), weights)


@topic.pair("zoom by 2, cubic, 256x256 float64", rtol=1e-8)
def zoom(quick: bool):
    return _pair("zoom", _image(quick, 256, 256, dtype=np.float64), 2.0)


@topic.pair("affine_transform, linear, 512x512 float64", rtol=1e-8)
def affine(quick: bool):
    c, s = np.cos(0.3), np.sin(0.3)
    matrix = np.array([[c, -s], [s, c]])
    return _pair("affine_transform", _image(quick, 512, 512, dtype=np.float64), matrix, offset=(20.0, -10.0), order=1)


def _blobs(quick: bool, size: int = 2048) -> np.ndarray:
    from scipy.ndimage import gaussian_filter

    size = size // 8 if quick else size
    return gaussian_filter(np.random.default_rng(7).normal(size=(size, size)), 6) > 0


@topic.pair("grey_erosion 15x15, 1080x1920 uint8")
def erosion(quick: bool):
    return _pair("grey_erosion", (_image(quick, 1080, 1920) * 255).astype(np.uint8), (15, 15))


@topic.pair("median_filter 3x3, 1080x1920 float32")
def median(quick: bool):
    return _pair("median_filter", _image(quick, 1080, 1920), 3)


@topic.pair("median_filter 7x7, 1080x1920 uint8")
def median_bytes(quick: bool):
    return _pair("median_filter", (_image(quick, 1080, 1920) * 255).astype(np.uint8), 7)


@topic.pair("binary_erosion, 5 iterations, 2048x2048")
def binary_erosion(quick: bool):
    return _pair("binary_erosion", _blobs(quick), iterations=5)


@topic.pair("binary_fill_holes, 2048x2048")
def fill_holes(quick: bool):
    return _pair("binary_fill_holes", _blobs(quick))


@topic.pair("label of blobs, 2048x2048", same=lambda r: r[0])
def label(quick: bool):
    return _pair("label", _blobs(quick))


def _noise(quick: bool) -> np.ndarray:
    return _image(quick, 2048, 2048) < 0.5


def _spiral(quick: bool) -> np.ndarray:
    """One line, one sample wide, from the corner to the centre."""
    size = 256 if quick else 2048
    image = np.zeros((size, size), bool)
    for k in range(0, size // 2 - 2, 2):
        end = size - 1 - k
        image[k, max(k - 2, 0) : end + 1] = image[k : end + 1, end] = image[end, k : end + 1] = True
        image[k + 2 : end + 1, k] = True
    return image


@topic.pair("label of noise, 8 neighbours, 2048x2048", same=lambda r: r[0])
def label_noise(quick: bool):
    return _pair("label", _noise(quick), np.ones((3, 3)))


@topic.pair("label of a spiral (the worst case), 2048x2048", same=lambda r: r[0])
def label_spiral(quick: bool):
    return _pair("label", _spiral(quick))


@topic.pair("distance_transform_edt of blobs, 2048x2048")
def edt(quick: bool):
    return _pair("distance_transform_edt", _blobs(quick))


@topic.pair("mean by 100 labels, 1080x1920 float32")
def mean_by_label(quick: bool):
    image = _image(quick, 1080, 1920)
    labels = (np.arange(image.size).reshape(image.shape) // 97) % 100
    return _pair("mean", image, labels, np.arange(100))


@topic.pair("rotate by 30 degrees, linear, 512x512 float64", rtol=1e-8)
def rotate(quick: bool):
    return _pair("rotate", _image(quick, 512, 512, dtype=np.float64), 30.0, order=1)


def _spread(windows, axis):
    return np.max(windows, axis=axis) - np.mean(windows, axis=axis)


@topic.pair("vectorized_filter of NumPy code, 3x3, 512x512 float64")
def vectorized(quick: bool):
    return _pair("vectorized_filter", _image(quick, 512, 512, dtype=np.float64), _spread, size=3)


@topic.pair("value_indices of 200 values, 1080x1920 int32", same=lambda r: np.concatenate([v[1] for v in r.values()]))
def value_indices(quick: bool):
    return _pair("value_indices", (_image(quick, 1080, 1920) * 200).astype(np.int32))
