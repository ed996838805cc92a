"""`matchTemplate`, all six methods, with and without a mask.

A correlation with a template is a sum of shifted images for small templates and a product of spectra for large ones.
Sums over windows of the image come from summed-area tables.

References: J. P. Lewis, "Fast normalized cross-correlation", Vision Interface 1995.
"""

import inspect

import numpy as np
from jax import lax
from jax import numpy as jnp

from image.cv2 import constants as c
from image.cv2._support import fail, image_argument, into_dst, unsupported
from image.cv2.integrals import running_sum
from image.cv2.spectra import optimal_size
from sci.bridge import Example, Reason, implements

_FEW_TAPS = 36
_NORMED = (c.TM_SQDIFF_NORMED, c.TM_CCORR_NORMED, c.TM_CCOEFF_NORMED)


def _prepare(call):
    image = image_argument(call, "matchTemplate", "image", empty=True)
    templ = image_argument(call, "matchTemplate", "templ", empty=True)
    method = call["method"] = int(call["method"])
    if not 0 <= method <= c.TM_CCOEFF_NORMED:
        fail("matchTemplate", f"method={method} is none of TM_SQDIFF ... TM_CCOEFF_NORMED (0 to 5)")
    if np.dtype(image.dtype) not in (np.uint8, np.float32) and (call.numpy or image.dtype.kind != "f"):
        fail("matchTemplate", f"image must be uint8 or float32, not {image.dtype}")
    if templ.dtype != image.dtype or templ.shape[2:] != image.shape[2:]:
        fail("matchTemplate", f"templ is {templ.dtype} {templ.shape}, image is {image.dtype} {image.shape}: they must "
             "have one depth and number of channels")  # fmt: skip
    bigger = [t > n for t, n in zip(templ.shape[:2], image.shape[:2], strict=False)]
    if any(bigger):
        if not all(t >= n for t, n in zip(templ.shape[:2], image.shape[:2], strict=False)) or call["mask"] is not None:
            fail("matchTemplate", f"templ {templ.shape} does not fit into image {image.shape}")
        call["image"], call["templ"] = templ, image  # as OpenCV: the smaller is the template
    mask = call["mask"]
    if mask is not None:
        mask = image_argument(call, "matchTemplate", "mask")
        if np.dtype(mask.dtype) not in (np.uint8, np.float32):
            fail("matchTemplate", f"mask must be uint8 or float32, not {mask.dtype}")
        if mask.shape not in (templ.shape, templ.shape[:2]):
            fail("matchTemplate", f"mask has shape {mask.shape}, templ {templ.shape}")


def _supports(call):
    if call["image"].ndim == 1 or call["templ"].ndim == 1:
        return Reason.SHAPE, "one-dimensional image"
    return unsupported(call, "image")


def _correlate(x, *kernels):
    """Correlations of one image (h, w, channels) with kernels of one size, valid part, channels kept apart."""
    rows, columns = kernels[0].shape[:2]
    height, width = x.shape[0] - rows + 1, x.shape[1] - columns + 1
    if rows * columns <= _FEW_TAPS:

        def add(total, at):
            part = lax.dynamic_slice(x, (at // columns, at % columns, 0), (height, width, x.shape[2]))
            return [t + part * k[at // columns, at % columns] for t, k in zip(total, kernels, strict=True)], None

        start = [jnp.zeros((height, width, x.shape[2]), x.dtype) for _ in kernels]
        return lax.scan(add, start, jnp.arange(rows * columns))[0]
    size = [optimal_size(n) for n in x.shape[:2]]
    # a valid correlation needs no room beyond the image
    spectrum = jnp.fft.rfft2(x, s=size, axes=(0, 1))
    found = []
    for kernel in kernels:
        product = spectrum * jnp.conj(jnp.fft.rfft2(kernel, s=size, axes=(0, 1)))
        found.append(jnp.fft.irfft2(product, s=size, axes=(0, 1))[:height, :width])
    return found


def _window_sum(x, rows, columns):
    """Sums over all windows, from a table of sums."""
    table = jnp.pad(running_sum(running_sum(x, 1), 0), [(1, 0), (1, 0), (0, 0)])
    tall = table[rows:] - table[:-rows]
    return tall[:, columns:] - tall[:, :-columns]


def _plain(x, templ, method):
    """Without a mask: correlation, less the means, over the norms."""
    rows, columns = templ.shape[:2]
    area = rows * columns
    (result,) = (part.sum(axis=-1) for part in _correlate(x, templ))
    if method == c.TM_CCORR:
        return result
    mean = templ.mean(axis=(0, 1))
    centred = method in (c.TM_CCOEFF, c.TM_CCOEFF_NORMED)
    window_mean2 = jnp.zeros_like(result)
    if centred:
        sums = _window_sum(x, rows, columns)
        result = result - (sums * mean).sum(axis=-1)
        if method == c.TM_CCOEFF:
            return result
        window_mean2 = (sums * sums).sum(axis=-1) / area
    power = _window_sum(x * x, rows, columns).sum(axis=-1)
    square = (templ * templ).sum()
    if method in (c.TM_SQDIFF, c.TM_SQDIFF_NORMED):
        result = jnp.maximum(power - 2 * result + square, 0)
        if method == c.TM_SQDIFF:
            return result
    spread = ((templ - mean) ** 2).sum() if centred else square
    variance = jnp.maximum(power - window_mean2, 0)
    # a window without contrast: its norm is rounding
    tiny = 10 * float(np.finfo(np.float32).eps)
    flat = variance <= jnp.minimum(0.5, tiny * power)
    norm = jnp.where(flat, 0.0, jnp.sqrt(jnp.where(flat, 1.0, variance)) * jnp.sqrt(spread))
    size = jnp.abs(result)
    inside, near = size < norm, size < 1.125 * norm
    beyond = jnp.where(near, jnp.sign(result), 1.0 if method == c.TM_SQDIFF_NORMED else 0.0)
    value = jnp.where(inside, result / jnp.where(inside, norm, 1.0), beyond)
    if centred:
        return jnp.where(spread / area < np.finfo(np.float64).eps, 1.0, value)
    return value


def _masked(x, templ, mask, method):
    """The template weighted by a mask, which is no binary one in general: ``sum (T - I)^2 M^2`` and its kin."""
    square = mask * mask
    if method in (c.TM_CCOEFF, c.TM_CCOEFF_NORMED):
        total = mask.sum(axis=(0, 1))
        weighted = mask * (templ - (mask * templ).sum(axis=(0, 1)) / total)
        twice = mask * weighted
        with_templ, with_mask, with_square = _correlate(x, twice, mask, square)
        result = (with_templ - with_mask * (twice.sum(axis=(0, 1)) / total)).sum(axis=-1)
        if method == c.TM_CCOEFF:
            return result
        (power,) = _correlate(x * x, square)
        mean = with_mask / total
        spread = (power + mean * (mean * square.sum(axis=(0, 1)) - 2 * with_square)).sum(axis=-1)
        return result / (jnp.sqrt(spread) * jnp.sqrt((weighted * weighted).sum()))
    (result,) = (part.sum(axis=-1) for part in _correlate(x, templ * square))
    if method == c.TM_CCORR:
        return result
    (power,) = (part.sum(axis=-1) for part in _correlate(x * x, square))
    own = ((templ * mask) ** 2).sum()
    if method in (c.TM_SQDIFF, c.TM_SQDIFF_NORMED):
        result = power - 2 * result + own
        if method == c.TM_SQDIFF:
            return result
    return result / jnp.sqrt(own * power)


def _signature(image, templ, method, result=None, mask=None):
    """OpenCV's signature, which Python cannot read from its C function."""


def _photo():
    return np.random.default_rng(34).integers(0, 256, (12, 14, 2), dtype=np.uint8)


def _single():
    return (_photo()[..., 0] / 255.0).astype(np.float32)


@implements(
    "cv2.matchTemplate",
    static=("method",),
    dtypes="keep",
    signature=inspect.signature(_signature),
    prepare=_prepare,
    supports=_supports,
    finish=lambda call, result: into_dst(call, result, "result"),
    note="one-dimensional arrays",
    examples=lambda: [
        Example((_photo(), _photo()[2:9, 3:10], c.TM_CCOEFF_NORMED), rtol=1e-5, atol=1e-5),
        # float32 in OpenCV: the example's differences are of that order
        Example(
            (_single(), _single()[2:5, 3:6].copy(), c.TM_SQDIFF),
            rtol=1e-4,
            atol=1e-5,
            grad=("image", "templ"),
            skip_odd=("nan", "inf"),
        ),
    ],
)
def matchTemplate(image, templ, mask, method):
    """How well a template matches at each place of an image.

    Computed in double precision where that is enabled. OpenCV takes differences of large sums in float32: its own
    error is up to 1e-3 of the largest value (TM_CCOEFF of coloured bytes), ours 1e-7. Differentiable for floating
    point images. In the JAX world float64 images stay float64.

    Parameters
    ----------
    image : array (h, w) or (h, w, channels), uint8 or float32
    templ : array like `image`, not larger
    method : int
        TM_SQDIFF, TM_SQDIFF_NORMED, TM_CCORR, TM_CCORR_NORMED, TM_CCOEFF, TM_CCOEFF_NORMED.
    mask : array of the template's size, uint8 (zero or not) or float32 (weights), with one or all channels

    Returns
    -------
    float32 array (h - th + 1, w - tw + 1)

    Raises
    ------
    cv2.error
        Unknown methods, other depths, a template that does not fit, masks of another size.

    Examples
    --------
    >>> import numpy as np
    >>> from image import cv2
    >>> cv2.matchTemplate(np.array([[1, 5, 2, 0]], np.uint8), np.array([[5, 2]], np.uint8), cv2.TM_SQDIFF)
    array([[25.,  0., 13.]], dtype=float32)
    """
    wide = jnp.result_type(float)
    out = image.dtype if image.dtype.kind == "f" else np.dtype(np.float32)
    if image.ndim == 2:
        image, templ = image[..., None], templ[..., None]
    x, t = image.astype(wide), templ.astype(wide)
    if mask is None:
        return _plain(x, t, method).astype(out)
    weights = (mask != 0).astype(wide) if mask.dtype == np.uint8 else mask.astype(wide)
    if weights.ndim == 2:
        weights = weights[..., None]
    return _masked(x, t, jnp.broadcast_to(weights, t.shape), method).astype(out)
