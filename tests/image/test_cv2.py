"""`image.cv2` against OpenCV: integers to the level, floats to rounding, exceptions by class."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from image import cv2

original = pytest.importorskip("cv2")
data = pytest.importorskip("skimage.data")

RNG = np.random.default_rng(0)
PHOTO = data.astronaut()[100:137, 100:153].copy()
GRAY = data.coins()[50:93, 60:121].copy()
NOISE = RNG.integers(0, 256, (23, 31, 3), dtype=np.uint8)
SINGLE = (PHOTO / 255).astype(np.float32)
DOUBLE = PHOTO / 255
U16 = RNG.integers(0, 65536, (17, 21, 3), dtype=np.uint16)
ALL = {"photo": PHOTO, "gray": GRAY, "noise": NOISE, "float32": SINGLE, "float64": DOUBLE, "uint16": U16}


def both(name, *args, off_by_one=0.0, **kwargs):
    """Equal for integers (but for a share of pixels one level off), to rounding for floats."""
    ours, theirs = getattr(cv2, name)(*args, **kwargs), getattr(original, name)(*args, **kwargs)
    if isinstance(theirs, tuple):
        assert ours[0] == theirs[0]
        ours, theirs = ours[1], theirs[1]
    assert (ours.dtype, ours.shape) == (theirs.dtype, theirs.shape)
    error = np.abs(ours.astype(float) - theirs)
    if theirs.dtype.kind in "iu":
        assert error.max() <= (1 if off_by_one else 0)
        assert (error > 0).mean() <= off_by_one
    else:
        scale = max(1.0, np.abs(theirs).max())
        assert error.max() <= (4e-6 if theirs.dtype == np.float32 else 1e-8) * scale


@pytest.mark.parametrize("kind", ALL)
def test_gaussian_blur(kind):
    for ksize, sigma in (((0, 0), 1.0), ((5, 5), 0), ((3, 7), 1.1)):
        both("GaussianBlur", ALL[kind], ksize, sigma)
    both("GaussianBlur", ALL[kind], (0, 0), 0.8, sigmaY=2.3, borderType=original.BORDER_REPLICATE)


@pytest.mark.parametrize("border", [0, 1, 2, 4, 4 | 16])
def test_borders(border):
    both("GaussianBlur", NOISE, (5, 5), 1.2, borderType=border)
    both("Sobel", NOISE, original.CV_16S, 0, 1, borderType=border)
    both("blur", NOISE, (5, 3), anchor=(0, 2), borderType=border)


@pytest.mark.parametrize("ksize", [(3, 3), (4, 3), (2, 2), (9, 9), (31, 17)])
def test_box(ksize):
    for image in (PHOTO, SINGLE):
        both("blur", image, ksize)
        both("boxFilter", image, original.CV_32F, ksize, normalize=False)
    both("boxFilter", PHOTO, -1, ksize, normalize=False)


@pytest.mark.parametrize("kind", ["photo", "float32", "uint16"])
def test_derivatives(kind):
    image = ALL[kind]
    for depth in (-1, original.CV_32F, original.CV_64F):
        both("Sobel", image, depth, 1, 0)
        both("Sobel", image, depth, 1, 1, ksize=5)
    both("Sobel", image, original.CV_16S, 0, 2)
    both("Sobel", image, -1, 0, 1, ksize=1)
    both("Sobel", image, original.CV_32F, 0, 1, ksize=3, scale=0.3, delta=5)
    both("Scharr", image, original.CV_32F, 0, 1)


@pytest.mark.parametrize("kind", ["photo", "gray", "float32", "float64"])
def test_resize(kind):
    image = ALL[kind]
    h, w = image.shape[:2]
    for size in ((40, 30), (w * 2, h * 2), (w // 2, h // 2), (7, 50)):
        both("resize", image, size, interpolation=original.INTER_NEAREST)
        both("resize", image, size)
        both("resize", image, size, interpolation=original.INTER_CUBIC, off_by_one=0.001)
    both("resize", image, (19, 14), interpolation=original.INTER_AREA, off_by_one=0.003)
    both("resize", image[:36, :48], (24, 12), interpolation=original.INTER_AREA, off_by_one=0.003)
    both("resize", image[:36, :48], (24, 18))
    both("resize", image, None, fx=1.5, fy=2.2)


def test_cvt_color():
    with_alpha = np.concatenate([NOISE, NOISE[..., :1]], axis=-1)
    for image in (NOISE, SINGLE, U16):
        for code in (0, 2, 4, 6, 7, 36, 37):
            both("cvtColor", image, code)
    for code in (1, 3, 5, 6, 10, 11):
        both("cvtColor", with_alpha, code)
    for code in (8, 9):
        both("cvtColor", GRAY, code)


def test_threshold():
    for image in (PHOTO, GRAY, SINGLE, DOUBLE, U16):
        for kind in range(5):
            for level, value in ((127, 255), (100.7, 300), (0.3, 0.9)):
                both("threshold", image, level, value, kind)
    both("threshold", GRAY, 0, 255, original.THRESH_BINARY | original.THRESH_OTSU)
    for seed in range(12):
        rng = np.random.default_rng(seed)
        image = (rng.normal(rng.uniform(0, 255), rng.uniform(1, 80), (20, 20)) // 20 * 20).clip(0, 255).astype(np.uint8)
        both("threshold", image, 0, 255, original.THRESH_OTSU)


def test_dst_is_filled_where_it_fits():
    dst = np.zeros_like(PHOTO)
    assert cv2.GaussianBlur(PHOTO, (3, 3), 1, dst) is dst
    np.testing.assert_array_equal(dst, original.GaussianBlur(PHOTO, (3, 3), 1))
    assert cv2.GaussianBlur(PHOTO, (3, 3), 1, np.zeros(3)).shape == PHOTO.shape
    assert cv2.blur(PHOTO[..., :1], (3, 3)).shape == PHOTO.shape[:2]


BAD = [
    ("GaussianBlur", (np.zeros((0, 3), np.uint8), (3, 3), 1), "src"),
    ("GaussianBlur", (PHOTO, (4, 3), 1), "width"),
    ("GaussianBlur", (PHOTO, (0, 0), 0), "ksize"),
    ("GaussianBlur", (None, (3, 3), 1), "src"),
    ("GaussianBlur", (PHOTO[None], (3, 3), 1), "src"),
    ("GaussianBlur", (PHOTO, (3, 3), 1, None, 0, 77), "borderType"),
    ("Sobel", (PHOTO, -1, 0, 0), "dx"),
    ("Sobel", (PHOTO, -1, 1, 0, None, 4), "ksize"),
    ("blur", (PHOTO, (0, 3)), "ksize"),
    ("resize", (PHOTO, (0, 0)), "fx"),
    ("resize", (PHOTO, (-1, 3)), "dsize"),
    ("cvtColor", (PHOTO, 9999), "code"),
    ("cvtColor", (GRAY, 6), "channels"),
    ("threshold", (SINGLE, 0, 1, 8), "OTSU"),
    ("magnitude", (PHOTO, PHOTO), "x"),
    ("magnitude", (SINGLE, DOUBLE), "y"),
]


@pytest.mark.parametrize(("name", "args", "word"), BAD)
def test_bad_input_raises_cv2_error_naming_the_argument(name, args, word):
    assert cv2.error is original.error
    with pytest.raises(original.error):
        getattr(original, name)(*args)
    with pytest.raises(original.error, match=word):
        getattr(cv2, name)(*args)


def test_constants_are_opencvs():
    from image.cv2 import constants

    for name in constants.__all__:
        assert getattr(cv2, name) == getattr(original, name), name


def test_other_names_come_from_opencv():
    np.testing.assert_array_equal(cv2.medianBlur(PHOTO, 3), original.medianBlur(PHOTO, 3))
    np.testing.assert_array_equal(cv2.cvtColor(PHOTO, 40), original.cvtColor(PHOTO, 40))


def test_fused_pipeline_batched_and_differentiable():
    def edges(image):
        gray = cv2.GaussianBlur(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY).astype(jnp.float32), (5, 5), 1.2)
        return cv2.magnitude(cv2.Sobel(gray, -1, 1, 0), cv2.Sobel(gray, -1, 0, 1))

    batch = np.stack([PHOTO, PHOTO[::-1]])
    out = jax.jit(jax.vmap(edges))(batch)
    gray = original.GaussianBlur(original.cvtColor(PHOTO, 6).astype(np.float32), (5, 5), 1.2)
    expected = original.magnitude(original.Sobel(gray, -1, 1, 0), original.Sobel(gray, -1, 0, 1))
    np.testing.assert_allclose(out[0], expected, rtol=1e-5, atol=1e-3)
    gradient = jax.grad(lambda x: edges(x).sum())(jnp.full((8, 8, 3), 0.5))
    assert np.isfinite(gradient).all()
    sigma = jax.grad(lambda s: (cv2.GaussianBlur(jnp.asarray(SINGLE), (7, 7), s) ** 2).sum())(1.1)
    assert np.isfinite(sigma)
    assert sigma != 0
