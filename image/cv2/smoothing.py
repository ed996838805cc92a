"""`GaussianBlur`, `blur`, `boxFilter`, `getGaussianKernel`."""

import functools
import inspect

import numpy as np
from jax import numpy as jnp

from image.cv2._support import (
    border,
    depth,
    fail,
    image_argument,
    into_dst,
    pair,
    planes,
    saturate,
    unsupported,
    working_dtype,
)
from sci.bridge import Example, Reason, implements
from sci.bridge.worlds import is_traced
from sci.ndimage._kernels import planar
from sci.ndimage._kernels.separable import EVEN, box_axis, correlate_axis, fits_integers, integer_passes
from sci.ndimage._kernels.stages import staged

# Kernels that OpenCV uses for a given size when sigma is not positive.
_SMALL = {
    1: (1.0,),
    3: (0.25, 0.5, 0.25),
    5: (0.0625, 0.25, 0.375, 0.25, 0.0625),
    7: (0.03125, 0.109375, 0.21875, 0.28125, 0.21875, 0.109375, 0.03125),
    9: tuple(k / 256 for k in (4, 13, 30, 51, 60, 51, 30, 13, 4)),
}
# Fractional bits of the fixed-point kernels.
_FRACTION = {np.dtype(np.uint8): 8, np.dtype(np.uint16): 16}


@functools.lru_cache(256)
def gaussian_kernel(size, sigma):
    """OpenCV's Gaussian kernel of `size` samples in float64."""
    if sigma <= 0 and size in _SMALL:
        return np.array(_SMALL[size])
    if sigma <= 0:
        sigma = 0.3 * ((size - 1) * 0.5 - 1) + 0.8
    x = np.arange(size) - (size - 1) * 0.5
    weights = np.exp(-0.5 / (sigma * sigma) * x * x)
    if size % 2 == 0:  # OpenCV takes the two middle samples as the peak itself
        weights[size // 2 - 1 : size // 2 + 1] = 1.0
    return weights / weights.sum()


@functools.lru_cache(256)
def fixed_point_kernel(size, sigma, bits):
    """The kernel in multiples of ``2**-bits``: errors diffused from the edge, the centre takes the rest."""
    exact = gaussian_kernel(size, sigma) * 2.0**bits
    fixed, carry = np.zeros(size), 0.0
    for k in range(size // 2):
        value = exact[k] + carry
        fixed[k] = fixed[size - 1 - k] = np.rint(value)
        carry = value - fixed[k]
    fixed[size // 2] = 2.0**bits - fixed.sum()
    return fixed


def _traced_kernel(size, sigma):
    x = np.arange(size) - (size - 1) * 0.5
    weights = jnp.exp(-0.5 / (sigma * sigma) * x * x)
    return weights / weights.sum()


def _gaussian_size(size, sigma, dtype, name):
    """An explicit size, or OpenCV's for a sigma: three deviations for uint8, four otherwise."""
    if size <= 0:
        if is_traced(sigma):
            fail("GaussianBlur", f"ksize={name} is 0 and sigma is traced: the kernel's size must be given")
        if sigma > 0:
            size = int(np.rint(sigma * (3 if dtype == np.uint8 else 4) * 2 + 1)) | 1
    if size <= 0 or size % 2 == 0:
        fail("GaussianBlur", f"ksize must be positive and odd (or 0 with a positive sigma): its {name} is {size}")
    return size


def _prepare_gaussian(call):
    src = image_argument(call, "GaussianBlur")
    dtype = np.dtype(src.dtype)
    width, height = pair(call["ksize"], "GaussianBlur", "ksize")
    sigma_x, sigma_y = (s if is_traced(s) else float(s) for s in (call["sigmaX"], call["sigmaY"]))
    if not is_traced(sigma_y) and sigma_y <= 0:
        sigma_y = sigma_x
    call["mode"] = border(call, "GaussianBlur")
    weights = []
    for size, sigma, name in ((height, sigma_y, "height"), (width, sigma_x, "width")):
        size = _gaussian_size(size, sigma, dtype, name)
        if is_traced(sigma):
            weights.append(_traced_kernel(size, sigma))
        elif dtype in _FRACTION:
            weights.append(fixed_point_kernel(size, max(sigma, 0.0), _FRACTION[dtype]))
        else:
            weights.append(gaussian_kernel(size, max(sigma, 0.0)))
    call["fraction"] = 0 if is_traced(sigma_x) or is_traced(sigma_y) else _FRACTION.get(dtype, 0)
    if call["fraction"] == 8:  # binomial kernels need fewer bits: with four or less all sums have 16 bits
        while call["fraction"] > 1 and not any(np.any(w % 2) for w in weights):
            weights = [w / 2 for w in weights]
            call["fraction"] -= 1
    call["weights"] = tuple(weights)


def _signature_gaussian(src, ksize, sigmaX, dst=None, sigmaY=0.0, borderType=4, hint=0):
    """OpenCV's signature, which Python cannot read from its C function."""


def _photo(channels=3):
    rng = np.random.default_rng(7)
    return rng.integers(0, 256, (11, 12, channels), dtype=np.uint8)[..., :channels]


@implements(
    "cv2.GaussianBlur",
    static=("mode", "fraction"),
    trees=("weights",),
    dtypes="keep",
    signature=inspect.signature(_signature_gaussian),
    prepare=_prepare_gaussian,
    supports=unsupported,
    finish=into_dst,
    examples=lambda: [
        Example((_photo(), (5, 3), 1.2), rtol=0, atol=0),
        Example((_photo()[..., 0] / 255.0, (0, 0), 0.8), {"borderType": 1}, grad=("src",), vmap=("src",)),
        Example(((_photo() / 255.0).astype(np.float32), (7, 7), 0), rtol=1e-5, atol=1e-6),
    ],
    note="depths other than uint8, uint16, int16, float32, float64; one-dimensional arrays",
)
def GaussianBlur(src, weights, mode, fraction):
    """Blur with a Gaussian kernel.

    uint8 and uint16 images are exact: OpenCV's fixed-point kernel and rounding. Differentiable for floating
    point images, also in a traced `sigmaX` (then in floating point throughout).

    Parameters
    ----------
    src : array, (h, w) or (h, w, channels)
    ksize : (int, int)
        Width and height, odd; 0 for the size that fits sigma.
    sigmaX, sigmaY : float

    Returns
    -------
    array like `src`

    Raises
    ------
    cv2.error
        Empty images, even sizes, unknown borders.

    Examples
    --------
    >>> import numpy as np
    >>> from image import cv2
    >>> cv2.GaussianBlur(np.array([[0, 0, 255, 0, 0]], np.uint8), (3, 1), 0)
    array([[  0,  64, 128,  64,   0]], dtype=uint8)
    """
    if src.dtype.kind != "f":  # other operations would compute it anew for each of their taps, and it theirs
        return staged(lambda image, *w: _blurred(image, w, mode, fraction), src, *weights)
    return _blurred(src, weights, mode, fraction)


def _blurred(src, weights, mode, fraction):
    # a 16-bit fraction of a 16-bit image needs 48 bits: exact in float64, one level off in float32
    acc = working_dtype(src.dtype if fraction < 16 else np.float64)
    x, zero = src.astype(acc), np.zeros((), acc)
    if src.dtype.kind == "f" and planar.fits(x.shape, [w.shape[0] for w in weights], mode):
        return planes(planar.even_passes(x, *weights, mode).astype(src.dtype))
    if fits_integers(src, [w.shape[0] for w in weights]):
        if 0 < fraction <= 8:  # weights of 256 in all at most: sums along rows have 16 bits, the whole 16 or 24
            whole = np.dtype(np.uint16 if fraction <= 4 else np.int32)
            x = integer_passes(src, weights[1], weights[0], (np.uint16, whole), mode, (EVEN, EVEN))
            shift = 2 * fraction
            return planes(((x + whole.type(1 << (shift - 1))) >> whole.type(shift)).astype(src.dtype))
        x = integer_passes(src, weights[1], weights[0], (acc, acc), mode, (EVEN, EVEN))
        return _rounded(x, src.dtype, fraction)
    # OpenCV goes along rows first; the other order is a third faster and differs in the last bit of floats
    passes = list(enumerate(weights))
    for axis, w in passes if src.dtype.kind == "f" else reversed(passes):
        x = correlate_axis(x, w, axis, mode, symmetry=EVEN, bias=zero)
    return _rounded(x, src.dtype, fraction)


def _rounded(x, dtype, fraction):
    if fraction:
        x = jnp.floor((x + 2.0 ** (2 * fraction - 1)) * 2.0 ** (-2 * fraction))
    return planes(saturate(x, dtype))


def _prepare_box(function):
    def prepare(call):
        src = image_argument(call, function)
        width, height = pair(call["ksize"], function, "ksize")
        if width <= 0 or height <= 0:
            fail(function, f"ksize.width > 0 && ksize.height > 0 does not hold: ksize={call['ksize']!r}")
        ax, ay = pair(call["anchor"], function, "anchor")
        steps = []
        for size, anchor, axis in ((height, ay, 0), (width, ax, 1)):
            anchor = size // 2 if anchor < 0 else anchor
            if anchor >= size:
                fail(function, f"anchor={call['anchor']!r} lies outside ksize={call['ksize']!r}")
            steps.append((axis, size, anchor - size // 2))
        call["steps"], call["mode"] = tuple(steps), border(call, function)
        if function == "blur":
            call["normalize"], call["ddepth"] = True, -1
        call["normalize"] = bool(call["normalize"])
        call["output"] = depth(call["ddepth"], src.dtype, function)

    return prepare


def _supports_box(call):
    if call["output"] is None:
        return Reason.OPTION, f"ddepth={call['ddepth']}"
    return unsupported(call)


def _signature_blur(src, ksize, dst=None, anchor=(-1, -1), borderType=4):
    """OpenCV's signature."""


def _signature_box(src, ddepth, ksize, dst=None, anchor=(-1, -1), normalize=True, borderType=4):
    """OpenCV's signature."""


def _box(src, steps, mode, normalize, output):
    area = steps[0][1] * steps[1][1]
    # sums of integers stay exact: float32 holds them below 2^24
    limit = float(np.iinfo(src.dtype).max) if src.dtype.kind in "iu" else 0.0
    acc = working_dtype(src.dtype, output, np.float64 if limit * area >= 2**24 else np.float32)
    x = src.astype(acc)
    for axis, size, origin in steps:
        x = box_axis(x, size, axis, mode, 0.0, origin)
    if not normalize:
        return planes(saturate(x, output))
    if src.dtype == np.uint8 and output == np.uint8 and area <= 256:
        return planes(_divide_fixed(x, area))
    if output.kind in "iu":
        x = x.astype(np.float32)
    return planes(saturate(x * np.asarray(1.0 / area, x.dtype), output))


def _divide_fixed(total, area):
    """OpenCV's division of small uint8 sums: halves go up, and powers of two round up one step earlier."""
    early = area > 1 and area & (area - 1) == 0
    return ((total.astype(np.int32) + area // 2 + early) // area).astype(np.uint8)


def _facts_box(function, signature):
    return {
        "static": ("steps", "mode", "normalize", "output"),
        "dtypes": "keep",
        "signature": inspect.signature(signature),
        "prepare": _prepare_box(function),
        "supports": _supports_box,
        "finish": into_dst,
        "note": "depths other than uint8, uint16, int16, float32, float64; one-dimensional arrays",
    }


@implements(
    "cv2.blur",
    **_facts_box("blur", _signature_blur),
    examples=lambda: [
        Example((_photo(), (3, 5)), rtol=0, atol=0),
        Example((_photo() / 255.0, (4, 2)), {"anchor": (0, 1)}, grad=("src",), skip_odd=("nan", "inf")),
    ],
)
def blur(src, steps, mode, normalize, output):
    """Mean over a box of ``ksize`` (width, height); see `boxFilter`.

    Examples
    --------
    >>> import numpy as np
    >>> from image import cv2
    >>> cv2.blur(np.array([[0, 90, 0]], np.uint8), (3, 1))
    array([[60, 30, 60]], dtype=uint8)
    """
    return _box(src, steps, mode, normalize, output)


@implements(
    "cv2.boxFilter",
    **_facts_box("boxFilter", _signature_box),
    examples=lambda: [Example((_photo(), 5, (3, 3)), {"normalize": False}), Example((_photo(), -1, (4, 3)))],
)
def boxFilter(src, steps, mode, normalize, output):
    """Sum or mean over a box.

    Raises
    ------
    cv2.error
        Empty images, sizes that are not positive, anchors outside the box, unknown borders or depths.

    Examples
    --------
    >>> import numpy as np
    >>> from image import cv2
    >>> cv2.boxFilter(np.eye(3, dtype=np.uint8), -1, (3, 3), normalize=False, borderType=cv2.BORDER_CONSTANT)
    array([[2, 2, 1],
           [2, 3, 2],
           [1, 2, 2]], dtype=uint8)
    """
    return _box(src, steps, mode, normalize, output)
