"""`image.cv2`: linear and bilateral filters, edges, pyramids, kernels, against OpenCV."""

import numpy as np
import pytest

cv2 = pytest.importorskip("cv2")
import jax  # noqa: E402
import jax.numpy as jnp  # noqa: E402
from skimage import data  # noqa: E402

from image import cv2 as ours  # noqa: E402
from tests.image.against_cv2 import both, both_raise  # noqa: E402

RNG = np.random.default_rng(1)
PHOTO = np.ascontiguousarray(data.astronaut()[40:120:2, 150:250:2])
GRAY = np.ascontiguousarray(PHOTO[..., 1])
FLOAT = (PHOTO / 255).astype(np.float32)
NOISE = RNG.integers(0, 256, (31, 37), dtype=np.uint8)
KERNEL = RNG.standard_normal((5, 4))
BIG = np.ones((9, 9)) / 81  # more taps than are unrolled


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.int16, np.float32, np.float64])
def test_filter2d(dtype):
    image = PHOTO.astype(dtype) * (1 if dtype == np.uint8 else 3)
    atol = 0 if np.dtype(dtype).kind in "iu" else 2e-3 if dtype == np.float32 else 1e-9
    both("filter2D", image, -1, KERNEL, atol=atol, share=0.999)
    depth = cv2.CV_64F if np.dtype(dtype).kind in "iu" else -1
    both(
        "filter2D",
        image,
        depth,
        BIG,
        delta=2.0,
        anchor=(0, 8),
        borderType=cv2.BORDER_CONSTANT,
        rtol=1e-5,
        atol=1e-4,
    )


def test_filter2d_rows_of_one_dimension_and_depths():
    both("filter2D", NOISE, -1, np.array([1.0, 2, -1]))
    both("filter2D", NOISE, cv2.CV_16S, np.array([[1.0, 2, -1]]))
    both("filter2D", FLOAT, -1, np.zeros((3, 3)))


def test_sepfilter2d():
    both("sepFilter2D", FLOAT, -1, KERNEL[:, 0], KERNEL[:3, 1], atol=1e-5)
    both("sepFilter2D", PHOTO, cv2.CV_16S, np.array([-1.0, 0, 1]), np.array([1.0, 2, 1]))
    both("sepFilter2D", PHOTO, -1, np.array([1, 2, 1.5]) / 4, np.array([1, 2, 1.7]) / 4, atol=1)


@pytest.mark.parametrize("size", [1, 3, 5])
def test_laplacian(size):
    both("Laplacian", NOISE, cv2.CV_16S, ksize=size)
    both("Laplacian", FLOAT, -1, ksize=size, scale=0.7, delta=1.0, rtol=1e-5, atol=2e-4)


@pytest.mark.parametrize(("image", "aperture", "l2"), [(PHOTO, 3, False), (GRAY, 5, True), (GRAY, 7, False)])
def test_canny(image, aperture, l2):
    factor = (aperture - 2) ** 3
    edges = both("Canny", image, 60 * factor, 150.5 * factor, apertureSize=aperture, L2gradient=l2)
    assert 0 < np.count_nonzero(edges) < edges.size


def test_canny_of_given_derivatives_and_under_jit():
    dx, dy = cv2.Sobel(GRAY, cv2.CV_16S, 1, 0), cv2.Sobel(GRAY, cv2.CV_16S, 0, 1)
    both("Canny", dx, dy, 50, 100, None, True)
    edges = jax.jit(lambda x, low: ours.Canny(x, low, 150.0))(jnp.asarray(GRAY), 60.0)
    np.testing.assert_array_equal(edges, cv2.Canny(GRAY, 60, 150))


def test_spatial_gradient():
    both("spatialGradient", GRAY)
    both("spatialGradient", GRAY, borderType=cv2.BORDER_REPLICATE)


def test_square_box():
    both("sqrBoxFilter", PHOTO, -1, (3, 5), rtol=1e-6)
    both("sqrBoxFilter", FLOAT, -1, (4, 3), normalize=False, anchor=(0, 1), rtol=1e-6)


@pytest.mark.parametrize(("d", "colour", "space"), [(5, 20, 3), (9, 75, 75), (-1, 30, 2)])
def test_bilateral(d, colour, space):
    both("bilateralFilter", PHOTO, d, colour, space, atol=1)
    both("bilateralFilter", FLOAT, d, colour / 255, space, atol=1e-5)


def test_stack_blur():
    both("stackBlur", PHOTO, (5, 9), atol=1, share=0.999)
    both("stackBlur", PHOTO, (13, 15), atol=1, share=0.999)
    both("stackBlur", FLOAT, (3, 7), atol=2e-5)


@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.float32])
def test_pyramids(dtype):
    image = PHOTO.astype(dtype)[:, :49]
    tolerance = 0 if np.dtype(dtype).kind in "iu" else 1e-4
    both("pyrDown", image, atol=tolerance)
    both("pyrDown", image, dstsize=(24, 21), borderType=cv2.BORDER_WRAP, atol=tolerance)
    both("pyrUp", image, atol=tolerance)
    both("pyrUp", image, dstsize=(99, 79), atol=tolerance)
    both("pyrUp", image, dstsize=(97, 81), atol=tolerance)


def test_kernels():
    for size, sigma in ((1, 0), (5, 0), (4, 1.3), (11, -1)):
        both("getGaussianKernel", size, sigma, rtol=1e-12)
    for dx, dy, size in ((1, 0, 3), (1, 1, 5), (0, 1, -1), (0, 2, 1)):
        for normalize in (False, True):
            both("getDerivKernels", dx, dy, size, normalize=normalize)
    both("getGaborKernel", (5, 4), 1.5, 0.4, 3.0, 0.7, rtol=1e-12, atol=1e-15)
    both("getGaborKernel", (0, 7), 1.5, 0.4, 3.0, 0.7, 0.1, cv2.CV_32F, rtol=1e-5, atol=1e-7)


def test_dst_is_filled():
    target = np.empty_like(GRAY)
    assert ours.filter2D(GRAY, -1, np.ones((3, 3)), target) is target
    np.testing.assert_array_equal(target, cv2.filter2D(GRAY, -1, np.ones((3, 3))))


@pytest.mark.parametrize(
    ("name", "args", "options"),
    [
        ("filter2D", (GRAY, -1, np.zeros((0, 0))), {}),
        ("filter2D", (GRAY, -1, np.ones((3, 3))), {"anchor": (4, 1)}),
        ("filter2D", (GRAY, -1, np.ones((3, 3))), {"borderType": cv2.BORDER_WRAP}),
        ("filter2D", (GRAY, cv2.CV_32S, np.ones((3, 3))), {}),
        ("filter2D", (FLOAT, 0, np.ones((3, 3))), {}),
        ("sepFilter2D", (GRAY, -1, np.ones((3, 3)), np.ones(3)), {}),
        ("Laplacian", (GRAY, -1), {"ksize": 2}),
        ("Canny", (GRAY.astype(float), 1, 2), {}),
        ("Canny", (GRAY, 1, 2), {"apertureSize": 4}),
        ("spatialGradient", (PHOTO,), {}),
        ("bilateralFilter", (GRAY.astype(float), 5, 20, 3), {}),
        ("pyrDown", (GRAY,), {"dstsize": (9, 6)}),
        ("pyrDown", (GRAY,), {"borderType": cv2.BORDER_CONSTANT}),
        ("pyrUp", (GRAY,), {"borderType": cv2.BORDER_REPLICATE}),
        ("stackBlur", (GRAY, (4, 3)), {}),
        ("getGaussianKernel", (0, 1), {}),
        ("getDerivKernels", (1, 0, 4), {}),
        ("filter2D", (np.zeros((0, 3), np.uint8), -1, np.ones((3, 3))), {}),
    ],
)
def test_bad_input(name, args, options):
    both_raise(name, *args, **options)


def test_gradients():
    target = jnp.asarray(cv2.filter2D(FLOAT, -1, KERNEL))
    loss = jax.jit(lambda k: ((ours.filter2D(jnp.asarray(FLOAT), -1, k) - target) ** 2).sum())
    at_solution = jax.grad(loss)(jnp.asarray(KERNEL, jnp.float32))
    elsewhere = jax.grad(loss)(jnp.zeros(KERNEL.shape, jnp.float32))
    assert np.abs(at_solution).max() < 1e-3 * np.abs(elsewhere).max()
    slope = jax.grad(lambda s: ours.bilateralFilter(jnp.asarray(FLOAT), 5, s, 2.0).var())(0.1)
    h = 1e-2
    values = [float(ours.bilateralFilter(jnp.asarray(FLOAT), 5, s, 2.0).var()) for s in (0.1 - h, 0.1 + h)]
    np.testing.assert_allclose(slope, (values[1] - values[0]) / (2 * h), rtol=0.05)


@pytest.mark.parametrize("border", [cv2.BORDER_DEFAULT, cv2.BORDER_CONSTANT, cv2.BORDER_REPLICATE, cv2.BORDER_REFLECT])
def test_large_images_of_integers(border):
    photo = np.random.default_rng(3).integers(0, 256, (300, 310, 3), dtype=np.uint8)  # stages of their own
    both("GaussianBlur", photo, (5, 7), 1.3, borderType=border)
    both("GaussianBlur", photo.astype(np.uint16) * 200, (7, 3), 0, borderType=border)
    both("Sobel", photo, cv2.CV_16S, 1, 0, borderType=border)
    both("Sobel", photo, cv2.CV_8U, 1, 2, ksize=5, scale=0.5, delta=9, borderType=border)
    both("Scharr", photo, cv2.CV_32F, 0, 1, borderType=border)


def test_a_batch_of_large_images():
    photos = np.random.default_rng(3).integers(0, 256, (2, 520, 530), dtype=np.uint8)
    found = jax.jit(jax.vmap(lambda x: ours.Sobel(ours.GaussianBlur(x, (5, 5), 0), cv2.CV_32F, 1, 0)))(photos)
    for result, photo in zip(found, photos, strict=True):
        np.testing.assert_array_equal(result, cv2.Sobel(cv2.GaussianBlur(photo, (5, 5), 0), cv2.CV_32F, 1, 0))


def test_stages_are_not_fused_inside_a_pipeline():
    # the condition that keeps them apart must not be folded, nor become a select in a batch
    image = np.ones((2, 520, 530), np.uint8)
    for chain, x in ((ours.GaussianBlur, image[0]), (jax.vmap(ours.GaussianBlur, (0, None, None)), image)):
        for dtype in (np.uint8, np.float32):
            compiled = jax.jit(lambda x, chain=chain: chain(x, (5, 5), 0)).lower(x.astype(dtype)).compile()
            assert " conditional(" in compiled.as_text()


LARGE = RNG.integers(0, 256, (530, 517), dtype=np.uint8)  # sums of 16 bits, stages kept apart


@pytest.mark.parametrize("size", [3, 5, 7, 31])
def test_large_bytes_blurred(size):
    both("GaussianBlur", LARGE, (size, size), 0)
    both("GaussianBlur", LARGE, (size, 5), 0.3, borderType=cv2.BORDER_REPLICATE)
    both("GaussianBlur", np.full_like(LARGE, 255), (size, size), 0)


@pytest.mark.parametrize("size", [1, 3, 5, 7, 9])
def test_large_bytes_derived(size):
    for depth in (cv2.CV_16S, cv2.CV_32F, cv2.CV_8U):
        both("Sobel", LARGE, depth, 1, 0, ksize=size)
    if size > 1:
        both("Sobel", LARGE, cv2.CV_32F, 0, 2, ksize=size)
    both("Sobel", LARGE, cv2.CV_32F, 1, 0, ksize=size, scale=3.0, delta=0.5, rtol=1e-5, atol=1e-3)
    both("Scharr", LARGE, cv2.CV_16S, 0, 1)
    both("Scharr", LARGE, cv2.CV_16S, 0, 1, scale=200.0)


@pytest.mark.parametrize("shape", [(520, 530), (310, 300, 3)])
@pytest.mark.parametrize("border", [cv2.BORDER_REFLECT_101, cv2.BORDER_REFLECT, cv2.BORDER_REPLICATE])
def test_large_floats_blurred(shape, border):
    image = RNG.random(shape).astype(np.float32)
    image[200, 1] = np.inf  # must not reach further than the kernel
    for size in ((25, 25), (3, 9)):
        both("GaussianBlur", image, size, 2.5, sigmaY=1.5, borderType=border, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("size", [(1, 1), (3, 3), (3, 5), (5, 5), (5, 7), (9, 9)])
def test_brightest_bytes_do_not_overflow(size):
    image = np.full((520, 530), 255, np.uint8)
    image[250:, 250:] = RNG.integers(0, 256, (270, 280))
    both("GaussianBlur", image, size, 0, atol=0)
