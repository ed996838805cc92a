"""OpenCV's functions. One uint8 primitive is cv2's home ground; chains and float32 are ours."""

from __future__ import annotations

import numpy as np

from benchmarks.harness import Topic

topic = Topic("image_cv2", "OpenCV")


def _both():
    import cv2 as original

    from image import cv2

    return cv2, original


def _frame(quick: bool, dtype=np.uint8, colour: bool = True) -> np.ndarray:
    """A photograph at 1080p: noise would favour nobody, but compresses branch behaviour."""
    import cv2
    from skimage import data

    height, width = (135, 240) if quick else (1080, 1920)
    image = cv2.resize(data.astronaut(), (width, height), interpolation=cv2.INTER_CUBIC)
    image = image if colour else np.ascontiguousarray(image[..., 1])
    return image if dtype == np.uint8 else image.astype(dtype) / 255


@topic.pair("GaussianBlur sigma 3, 1080p colour float32", ratio=0.9, memory=True, rtol=1e-5)
def blur_float(quick: bool):
    ours, original = _both()
    image = _frame(quick, np.float32)
    return lambda: ours.GaussianBlur(image, (0, 0), 3.0), lambda: original.GaussianBlur(image, (0, 0), 3.0)


@topic.pair("GaussianBlur sigma 3, 1080p colour float32, device-resident", fresh=False, rtol=1e-5)
def blur_resident(quick: bool):
    import jax

    ours, original = _both()
    image = _frame(quick, np.float32)
    on_device = jax.device_put(image)
    return lambda: ours.GaussianBlur(on_device, (0, 0), 3.0), lambda: original.GaussianBlur(image, (0, 0), 3.0)


@topic.pair("GaussianBlur 5x5, 1080p colour uint8", rtol=1e-9)
def blur_bytes(quick: bool):
    ours, original = _both()
    image = _frame(quick)
    return lambda: ours.GaussianBlur(image, (5, 5), 0), lambda: original.GaussianBlur(image, (5, 5), 0)


@topic.pair("Sobel 3x3 to float32, 1080p gray uint8", rtol=1e-9)
def sobel(quick: bool):
    ours, original = _both()
    image = _frame(quick, colour=False)
    return lambda: ours.Sobel(image, original.CV_32F, 1, 0), lambda: original.Sobel(image, original.CV_32F, 1, 0)


@topic.pair("cvtColor BGR2GRAY, 1080p uint8", rtol=1e-9)
def gray(quick: bool):
    ours, original = _both()
    image, code = _frame(quick), original.COLOR_BGR2GRAY
    return lambda: ours.cvtColor(image, code), lambda: original.cvtColor(image, code)


@topic.pair("resize 1080p colour uint8 to half by INTER_LINEAR", rtol=1e-9)
def resize(quick: bool):
    ours, original = _both()
    image = _frame(quick)
    size = image.shape[1] // 2, image.shape[0] // 2
    return lambda: ours.resize(image, size), lambda: original.resize(image, size)


@topic.pair("threshold binary, 1080p gray uint8", same=lambda r: r[1], rtol=1e-9)
def threshold(quick: bool):
    ours, original = _both()
    image, kind = _frame(quick, colour=False), original.THRESH_BINARY
    return lambda: ours.threshold(image, 127, 255, kind), lambda: original.threshold(image, 127, 255, kind)


def _edges(cv2, hypot, image):
    """Gray, blur, both Sobels, magnitude, threshold."""
    gray = cv2.cvtColor(image, 6)  # COLOR_BGR2GRAY
    smooth = cv2.GaussianBlur(gray, (0, 0), 2.0)
    magnitude = hypot(cv2.Sobel(smooth, -1, 1, 0), cv2.Sobel(smooth, -1, 0, 1))
    return cv2.threshold(magnitude, 0.2, 1.0, 0)[1]


@topic.pair("chain gray, blur, Sobel, magnitude, threshold of a 512x512 float32 photograph, one jit", rtol=1e-4)
def chain(quick: bool):
    import jax
    import jax.numpy as jnp
    from skimage import data

    ours, original = _both()
    # float data: a pixel within rounding of the threshold may fall either way
    image = data.astronaut()[::4, ::4] if quick else data.astronaut()
    image = np.ascontiguousarray(image, dtype=np.float32) / 255
    magnitude = jax.jit(lambda x: _edges(ours, jnp.hypot, x))
    on_device = jax.device_put(image)
    return lambda: magnitude(on_device), lambda: _edges(original, original.magnitude, image)


@topic.pair("erode 15x15, 1080p gray uint8", rtol=1e-9)
def erode(quick: bool):
    ours, original = _both()
    image, kernel = _frame(quick, colour=False), np.ones((15, 15), np.uint8)
    return lambda: ours.erode(image, kernel), lambda: original.erode(image, kernel)


@topic.pair("medianBlur 3, 1080p gray float32", rtol=1e-9)
def median(quick: bool):
    ours, original = _both()
    image = _frame(quick, np.float32, colour=False)
    return lambda: ours.medianBlur(image, 3), lambda: original.medianBlur(image, 3)


@topic.pair("medianBlur 5, 1080p gray uint8", rtol=1e-9)
def median_bytes(quick: bool):
    ours, original = _both()
    image = _frame(quick, colour=False)
    return lambda: ours.medianBlur(image, 5), lambda: original.medianBlur(image, 5)


@topic.pair("addWeighted, 1080p colour uint8", rtol=0.02)
def add_weighted(quick: bool):
    ours, original = _both()
    a = _frame(quick)
    b = a[::-1].copy()
    return lambda: ours.addWeighted(a, 0.5, b, 0.25, 3.0), lambda: original.addWeighted(a, 0.5, b, 0.25, 3.0)


def _resident(quick: bool, name: str, *args, dtype=np.float32, colour: bool = True, **options):
    """One function on a device-resident frame against OpenCV on the same frame."""
    import jax

    ours, original = _both()
    image = _frame(quick, dtype, colour)
    on_device = jax.device_put(image)
    return (
        lambda: getattr(ours, name)(on_device, *args, **options),
        lambda: getattr(original, name)(image, *args, **options),
    )


_TURN = np.array([[0.95, 0.1, -20.0], [-0.1, 0.95, 80.0]])


@topic.pair("filter2D 5x5, 1080p colour float32, device-resident", fresh=False, rtol=1e-3)
def filter_dense(quick: bool):
    kernel = np.random.default_rng(0).random((5, 5)).astype(np.float32) / 25
    return _resident(quick, "filter2D", -1, kernel)


@topic.pair("Laplacian, 1080p gray uint8 to float32", rtol=1e-9)
def laplacian(quick: bool):
    ours, original = _both()
    image = _frame(quick, colour=False)
    return lambda: ours.Laplacian(image, original.CV_32F), lambda: original.Laplacian(image, original.CV_32F)


@topic.pair("bilateralFilter d=5, 1080p gray float32, device-resident", fresh=False, rtol=1e-3)
def bilateral(quick: bool):
    return _resident(quick, "bilateralFilter", 5, 0.1, 2.0, colour=False)


@topic.pair("Canny, 1080p gray uint8", rtol=1e-9)
def canny(quick: bool):
    ours, original = _both()
    image = _frame(quick, colour=False)
    return lambda: ours.Canny(image, 60, 150), lambda: original.Canny(image, 60, 150)


@topic.pair("pyrDown, 1080p colour float32, device-resident", fresh=False, rtol=1e-4)
def pyramid(quick: bool):
    return _resident(quick, "pyrDown")


@topic.pair("warpAffine linear, 1080p colour float32, device-resident", fresh=False, rtol=1e-3)
def warp(quick: bool):
    height, width = (135, 240) if quick else (1080, 1920)
    return _resident(quick, "warpAffine", _TURN, (width, height))


@topic.pair("warpAffine linear, 1080p colour uint8", rtol=0.01)
def warp_bytes(quick: bool):
    ours, original = _both()
    image = _frame(quick)
    size = image.shape[1], image.shape[0]
    return lambda: ours.warpAffine(image, _TURN, size), lambda: original.warpAffine(image, _TURN, size)


@topic.pair("cvtColor BGR2HSV, 1080p uint8", rtol=1e-9)
def hsv(quick: bool):
    ours, original = _both()
    image, code = _frame(quick), original.COLOR_BGR2HSV
    return lambda: ours.cvtColor(image, code), lambda: original.cvtColor(image, code)


@topic.pair("cvtColor BGR2YUV, 1080p float32, device-resident", fresh=False, rtol=1e-3)
def yuv(quick: bool):
    return _resident(quick, "cvtColor", 82)  # COLOR_BGR2YUV


@topic.pair("add, 1080p colour uint8", rtol=1e-9)
def add(quick: bool):
    ours, original = _both()
    a = _frame(quick)
    b = a[::-1].copy()
    return lambda: ours.add(a, b), lambda: original.add(a, b)


@topic.pair("multiply, 1080p colour float32, device-resident", fresh=False, rtol=1e-5)
def multiply(quick: bool):
    import jax

    ours, original = _both()
    a = _frame(quick, np.float32)
    b = a[::-1].copy()
    on_device = jax.device_put((a, b))
    return lambda: ours.multiply(*on_device), lambda: original.multiply(a, b)


@topic.pair("normalize to 0..255 (NORM_MINMAX), 1080p gray float32, device-resident", fresh=False, rtol=1e-3)
def normalize(quick: bool):
    return _resident(quick, "normalize", None, 0.0, 255.0, 32, colour=False)  # NORM_MINMAX


@topic.pair("meanStdDev, 1080p colour float32, device-resident", fresh=False, rtol=1e-3)
def moments(quick: bool):
    return _resident(quick, "meanStdDev")
