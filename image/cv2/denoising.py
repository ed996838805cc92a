"""Denoising by non-local means: `fastNlMeansDenoising`, `fastNlMeansDenoisingColored`."""

import inspect

import numpy as np
from jax import lax
from jax import numpy as jnp

from image.cv2 import colour_spaces as spaces
from image.cv2._support import fail, image_argument, into_dst, planes
from sci.bridge import Example, HostRoute, Reason, implements
from sci.bridge.worlds import is_jax
from sci.ndimage._kernels.planes import extend_plane
from sci.ndimage._kernels.separable import box_axis

__all__ = ["fastNlMeansDenoising", "fastNlMeansDenoisingColored"]

_LEAST_WEIGHT = 0.001


def _prepare(function, channels):
    def prepare(call):
        if isinstance(call["dst"], (list, tuple, int, float)) or call.get("normType") is not None:
            raise HostRoute(Reason.OPTION, "a strength for each channel, or normType")
        src = image_argument(call, function)
        count = src.shape[2] if src.ndim == 3 else 1
        if src.ndim == 1:
            raise HostRoute(Reason.SHAPE, "src has one dimension")
        if np.dtype(src.dtype) != np.uint8 or count not in channels:
            fail(function, f"src must be uint8 with {channels} channels, not {src.dtype} with {count}")
        windows = []
        for name in ("templateWindowSize", "searchWindowSize"):
            size = int(call[name])
            if size <= 0:
                fail(function, f"{name} must be positive: {name}={size}")
            windows.append(size // 2)
        call["windows"] = tuple(windows)
        for name in ("h", "hColor"):
            if name in call and not is_jax(call[name]) and not float(call[name]) > 0:
                raise HostRoute(Reason.OPTION, f"{name}={call[name]}")

    return prepare


def _denoised(src, h, template, search):
    """Mean over the search window, weighted by the distance of the surroundings; OpenCV's fixed point.

    One offset of the search window at a time, for all pixels: squared differences, their box sum, the weight.
    """
    shape = src.shape[:2]
    x = src.reshape(*shape, -1).astype(np.int32)
    channels, taps = x.shape[2], (2 * template + 1) ** 2
    shift = int(np.ceil(np.log2(taps)))
    unit = (2**31 - 1) // ((2 * search + 1) ** 2 * 255)
    actual = 2.0**shift / taps
    around = extend_plane(x, (search + template,) * 2, (search + template,) * 2, "mirror")
    inner = lax.slice(around, (search, search, 0), (around.shape[0] - search, around.shape[1] - search, channels))
    real = jnp.result_type(float)
    rate = -actual / (jnp.asarray(h, real) ** 2 * channels)

    def step(carry, offset):
        total, weights = carry
        other = lax.dynamic_slice(around, (offset[0], offset[1], np.int32(0)), inner.shape)
        distance = ((other - inner) ** 2).sum(axis=2, dtype=np.int32)
        for axis in (0, 1):
            distance = box_axis(distance, 2 * template + 1, axis, "constant")
        distance = distance[template : template + shape[0], template : template + shape[1]] >> shift
        weight = jnp.round(unit * jnp.exp(distance.astype(real) * rate)).astype(np.int32)
        weight = jnp.where(weight < _LEAST_WEIGHT * unit, 0, weight)
        sample = other[template : template + shape[0], template : template + shape[1]]
        return (total + weight[..., None] * sample, weights + weight), None

    offsets = np.indices((2 * search + 1,) * 2).reshape(2, -1).T.astype(np.int32)
    start = (jnp.zeros(x.shape, np.int32), jnp.zeros(shape, np.int32))
    (total, weights), _ = lax.scan(step, start, jnp.asarray(offsets))
    weights = weights[..., None]
    return planes(((total + weights // 2) // jnp.maximum(weights, 1)).astype(np.uint8).reshape(src.shape))


def _photo(channels):
    x = np.kron(np.random.default_rng(50).integers(40, 200, (3, 3, channels)), np.ones((4, 4, 1)))
    noise = np.random.default_rng(51).integers(-9, 10, x.shape)
    return (x + noise).astype(np.uint8)


@implements(
    "cv2.fastNlMeansDenoising",
    static=("windows",),
    dtypes="keep",
    signature=inspect.signature(
        lambda src, dst=None, h=3.0, templateWindowSize=7, searchWindowSize=21, normType=None: None
    ),
    prepare=_prepare("fastNlMeansDenoising", (1, 2, 3, 4)),
    finish=into_dst,
    grad=False,
    note="a strength for each channel, normType, strengths that are not positive, one-dimensional arrays",
    examples=lambda: [
        Example((_photo(1)[..., 0], None, 9.0, 3, 5), vmap=("src",), rtol=0, atol=1, skip_odd=("1x1",)),
    ],
)
def fastNlMeansDenoising(src, h, windows):
    """Denoise a uint8 image by non-local means, within one level of OpenCV's fixed point.

    Parameters
    ----------
    src : uint8 array, (h, w) or (h, w, up to 4 channels)
    h : float
        Strength; data, not compiled in.
    templateWindowSize, searchWindowSize : int
        Widths of the surroundings that are compared and of the window that is averaged, odd.

    Raises
    ------
    cv2.error
        Empty images, images that are not uint8, sizes that are not positive.

    References
    ----------
    A. Buades, B. Coll, J.-M. Morel, "A non-local algorithm for image denoising", CVPR 2005.

    Examples
    --------
    >>> import numpy as np
    >>> from image import cv2
    >>> cv2.fastNlMeansDenoising(np.full((1, 3), 7, np.uint8), None, 3.0, 1, 3)
    array([[7, 7, 7]], dtype=uint8)
    """
    return _denoised(src, h, *windows)


@implements(
    "cv2.fastNlMeansDenoisingColored",
    static=("windows",),
    dtypes="keep",
    signature=inspect.signature(
        lambda src, dst=None, h=3.0, hColor=3.0, templateWindowSize=7, searchWindowSize=21: None
    ),
    prepare=_prepare("fastNlMeansDenoisingColored", (3,)),
    finish=into_dst,
    grad=False,
    note="strengths that are not positive",
    examples=lambda: [
        Example((_photo(3), None, 9.0, 7.0, 3, 5), vmap=("src",), rtol=0, atol=2, skip_odd=("1x1",)),
    ],
)
def fastNlMeansDenoisingColored(src, h, hColor, windows):
    """Denoise a BGR image in L*a*b*: lightness by `h`, the colours by `hColor`; see `fastNlMeansDenoising`.

    Within two levels, as conversion and means are each within one.

    Raises
    ------
    cv2.error
        Empty images, images that are not uint8 with three channels, sizes that are not positive.

    Examples
    --------
    >>> import numpy as np
    >>> from image import cv2
    >>> cv2.fastNlMeansDenoisingColored(np.full((1, 2, 3), 128, np.uint8), None, 3, 3, 1, 3)
    array([[[128, 128, 128],
            [128, 128, 128]]], dtype=uint8)
    """
    lightness, a, b = spaces.rgb_to_lab(src[..., 2], src[..., 1], src[..., 0], False)
    lightness = _denoised(lightness, h, *windows)
    ab = _denoised(jnp.stack([a, b], axis=-1), hColor, *windows)
    return jnp.stack(spaces.lab_to_rgb(lightness, ab[..., 0], ab[..., 1], False)[::-1], axis=-1)
