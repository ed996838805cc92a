"""Histograms: `calcHist`, `calcBackProject`, `compareHist`."""

import inspect
from typing import Any

import numpy as np
from jax import numpy as jnp

from image.cv2 import constants as c
from image.cv2._support import fail, image_argument, into_dst, saturate
from sci.bridge import Example, HostRoute, Reason, implements
from sci.bridge.worlds import is_jax
from sci.ndimage._kernels.casting import rounding_guard, separate_product

_DEPTHS = (np.uint8, np.uint16, np.float32)


def counts_of(index, size):
    """How often each of the integers 0 ... size - 1 occurs in `index`, int32; others are not counted."""
    return jnp.zeros(size, np.int32).at[index.ravel()].add(1, mode="drop")


def _native(value):
    """An array as it is, in the machine's byte order."""
    if is_jax(value):
        return value
    value = np.asarray(value)
    return value.astype(value.dtype.newbyteorder("="), copy=False)


# --- joint histograms -----------------------------------------------------------------------------


def _channel_list(call, function):
    """``(image, channel)`` for every axis of the histogram; the images checked."""
    images = call["images"]
    if not isinstance(images, (list, tuple)):
        images = list(images) if np.ndim(images) else [images]
    if not images:
        fail(function, "images is empty: nimages > 0 does not hold")
    checked = []
    for k, value in enumerate(images):
        box = type(call)({f"images[{k}]": value})
        box.numpy = call.numpy
        checked.append(image_argument(box, function, f"images[{k}]"))
    images = checked
    for k, image in enumerate(images):
        if image.shape[:2] != images[0].shape[:2] or image.dtype != images[0].dtype:
            fail(function, f"images differ: images[{k}] is {image.dtype} {image.shape}, images[0] is "
                 f"{images[0].dtype} {images[0].shape}")  # fmt: skip
    if np.dtype(images[0].dtype) not in _DEPTHS:
        fail(function, f"images must be uint8, uint16 or float32, not {images[0].dtype}")
    depths = [x.shape[2] if x.ndim == 3 else 1 for x in images]
    channels = [int(k) for k in np.ravel(call["channels"])] if call["channels"] is not None else []
    if not channels:
        if any(d != 1 for d in depths):
            fail(function, "channels is empty: then every image must have one channel")
        channels = list(range(len(images)))
    places = [(k, j) for k, d in enumerate(depths) for j in range(d)]
    for value in channels:
        if not 0 <= value < len(places):
            fail(function, f"channels has {value}: the images have channels 0 to {len(places) - 1}")
    call["images"] = tuple(images)
    call["picks"] = tuple(places[k] for k in channels)


def _ranges(call, sizes, function):
    """Lower bound, upper bound of every axis; all values of the type where there are none."""
    ranges = [float(v) for v in np.ravel(call["ranges"])] if call["ranges"] is not None else []
    if not ranges and np.dtype(call["images"][0].dtype) == np.uint8:
        ranges = [0.0, 256.0] * len(sizes)
    if len(ranges) != 2 * len(sizes):
        fail(function, f"ranges has {len(ranges)} numbers: give a lower and an upper bound for each of {len(sizes)}")
    for low, high in zip(ranges[::2], ranges[1::2], strict=True):
        if not low < high:
            fail(function, f"ranges: {low} < {high} does not hold")
    # OpenCV's arithmetic: index = floor(value * a + b)
    scale = [n / (high - low) for n, low, high in zip(sizes, ranges[::2], ranges[1::2], strict=True)]
    shift = [-low * a for low, a in zip(ranges[::2], scale, strict=True)]
    call["table"] = np.array([scale, shift, ranges[::2], ranges[1::2]])


def _bins(images, picks, table, sizes):
    """Flat index of the histogram's cell of each pixel, and whether it has one."""
    flat, inside, guard = None, None, rounding_guard(table)
    for axis, (k, channel) in enumerate(picks):
        x = images[k] if images[k].ndim == 2 else images[k][..., channel]
        if x.dtype == np.uint8:  # every value there is, once
            values = jnp.arange(256).astype(table.dtype)
        else:
            values = x.astype(table.dtype)
        index = jnp.floor(separate_product(values, table[0, axis], guard) + table[1, axis])
        valid = (index >= 0) & (index < sizes[axis]) & (values >= table[2, axis]) & (values < table[3, axis])
        index = jnp.where(valid, index, 0).astype(np.int32)
        if x.dtype == np.uint8:
            position = x.astype(np.int32)
            index, valid = index[position], valid[position]
        flat = index if flat is None else flat * sizes[axis] + index
        inside = valid if inside is None else inside & valid
    return flat, inside


def _signature_calc(images, channels, mask, histSize, ranges, hist=None, accumulate=False):
    """OpenCV's signature, which Python cannot read from its C function."""


def _prepare_calc(call):
    _channel_list(call, "calcHist")
    sizes = tuple(int(n) for n in np.ravel(call["histSize"]))
    if len(call["picks"]) != len(sizes):
        if np.size(call["channels"]):
            fail("calcHist", f"channels has {len(call['picks'])} entries, histSize {len(sizes)}")
        fail("calcHist", f"histSize has {len(sizes)} entries for {len(call['picks'])} channels")
    if any(n <= 0 for n in sizes):
        raise HostRoute(Reason.OPTION, f"histSize={sizes}")
    call["sizes"] = sizes
    _ranges(call, sizes, "calcHist")
    mask = call["mask"]
    if mask is not None:
        mask = image_argument(call, "calcHist", "mask", empty=True)
        if mask.shape != call["images"][0].shape[:2] or np.dtype(mask.dtype) not in (np.uint8, np.bool_):
            fail(
                "calcHist", f"mask must be uint8 of shape {call['images'][0].shape[:2]}, not {mask.dtype} {mask.shape}"
            )
    start, call["start"] = call["hist"], None
    if call["accumulate"] and start is not None:
        start = start if is_jax(start) else np.asarray(start)
        if start.size != np.prod(sizes) or np.dtype(start.dtype) != np.float32:
            raise HostRoute(Reason.OPTION, f"accumulate into a hist of {start.dtype} {start.shape}")
        call["start"] = start


def _finish_calc(call, result):
    target = call["hist"]
    if isinstance(target, np.ndarray) and target.shape == (*result.shape, 1):
        result = result[..., None]
    return into_dst(call, result, "hist")


def _photo():
    return np.random.default_rng(31).integers(0, 256, (9, 11, 3), dtype=np.uint8)


_SHARED: dict[str, Any] = {"dtypes": "keep", "trees": ("images",)}


@implements(
    "cv2.calcHist",
    static=("picks", "sizes"),
    **_SHARED,
    signature=inspect.signature(_signature_calc),
    prepare=_prepare_calc,
    finish=_finish_calc,
    grad=False,
    note="histSize that is not positive, accumulation into a hist of another size or type",
    examples=lambda: [
        Example(([_photo()], [2, 0], _photo()[..., 1] // 128, [5, 4], [0, 256, 20, 200]), rtol=0, atol=0),
        Example(([_photo()[..., 0].astype(np.float32)], [0], None, [7], [3.0, 99.5]), rtol=0, atol=0),
    ],
)
def calcHist(images, mask, start, table, picks, sizes):
    """Joint histogram of channels of images.

    Parameters
    ----------
    images : list of arrays (h, w) or (h, w, channels); uint8, uint16 or float32
    channels : list of int
        Numbered through all images.
    mask : uint8 array (h, w) or None
        Where it is zero nothing is counted.
    histSize : list of int
    ranges : list of float
        Lower (included) and upper (excluded) bound for every axis, bins of equal width.
    hist : float32 array, optional
        Filled if it fits; the start if `accumulate`.

    Returns
    -------
    float32 array of shape ``histSize``

    Raises
    ------
    cv2.error
        No images, images or masks that do not match, channels that do not exist, empty ranges.

    Examples
    --------
    >>> import numpy as np
    >>> from image import cv2
    >>> cv2.calcHist([np.array([[0, 1, 200]], np.uint8)], [0], None, [2], [0, 256])
    array([2., 1.], dtype=float32)
    """
    flat, inside = _bins(images, picks, table, sizes)
    if mask is not None:
        inside = inside & (mask != 0)
    total = counts_of(jnp.where(inside, flat, int(np.prod(sizes))), int(np.prod(sizes))).reshape(sizes)
    if start is not None:
        total = total + jnp.round(start.reshape(sizes)).astype(np.int32)
    return total.astype(np.float32)


def _signature_back(images, channels, hist, ranges, scale, dst=None):
    """OpenCV's signature."""


def _prepare_back(call):
    _channel_list(call, "calcBackProject")
    hist = call["hist"]
    hist = call["hist"] = _native(hist)
    if hist.dtype.kind not in "biuf" or hist.size == 0 or hist.ndim == 0:
        fail("calcBackProject", f"hist must be a float32 array, not {hist.dtype} {hist.shape}")
    if np.dtype(hist.dtype) != np.float32:
        raise HostRoute(Reason.DTYPE, f"hist is {hist.dtype}")
    sizes = hist.shape
    if len(call["picks"]) == 1 and hist.ndim == 2 and 1 in hist.shape:
        sizes = (hist.size,)
    if len(sizes) != len(call["picks"]):
        fail("calcBackProject", f"hist has {hist.ndim} dimensions for {len(call['picks'])} channels")
    call["sizes"] = sizes
    _ranges(call, sizes, "calcBackProject")


@implements(
    "cv2.calcBackProject",
    static=("picks", "sizes"),
    **_SHARED,
    signature=inspect.signature(_signature_back),
    prepare=_prepare_back,
    finish=into_dst,
    grad=False,
    note="hist that is not float32",
    examples=lambda: [
        Example(
            ([_photo()], [1], np.array([3.0, 700.0, 20.5], np.float32), [0, 256], 0.5),
            rtol=0,
            atol=0,
            skip_odd=("empty", "0-d", "1x1", "one axis more", "nan", "inf"),  # hist without its size: undefined
        ),
    ],
)
def calcBackProject(images, hist, scale, table, picks, sizes):
    """The histogram's value (times `scale`) for every pixel, in the images' depth; 0 outside the ranges.

    Raises
    ------
    cv2.error
        As `calcHist`; a histogram whose dimension is not the number of channels.

    Examples
    --------
    >>> import numpy as np
    >>> from image import cv2
    >>> cv2.calcBackProject([np.array([[0, 1, 200]], np.uint8)], [0], np.array([5, 9], np.float32), [0, 256], 2)
    array([[10, 10, 18]], dtype=uint8)
    """
    flat, inside = _bins(images, picks, table, sizes)
    values = saturate(hist.ravel() * jnp.asarray(scale, hist.dtype), images[0].dtype)
    return jnp.where(inside, values[flat], jnp.zeros((), values.dtype))


# --- comparison -----------------------------------------------------------------------------------


def _signature_compare(H1, H2, method):
    """OpenCV's signature."""


def _prepare_compare(call):
    for name in ("H1", "H2"):
        value = call[name] = _native(call[name])
        if np.dtype(value.dtype) != np.float32:
            fail("compareHist", f"{name} must be float32, not {value.dtype}")
        if value.ndim == 0 or value.size == 0:
            raise HostRoute(Reason.SHAPE, f"{name} has shape {value.shape}")
    if call["H1"].shape != call["H2"].shape:
        fail("compareHist", f"H1 and H2 differ in shape: {call['H1'].shape} and {call['H2'].shape}")
    call["method"] = int(call["method"])
    if not 0 <= call["method"] <= c.HISTCMP_KL_DIV:
        fail("compareHist", f"Unknown comparison method: method={call['method']}, allowed are 0 to 5")


def _bars():
    rng = np.random.default_rng(32)
    return rng.uniform(0.5, 9, 6).astype(np.float32), rng.uniform(0.5, 9, 6).astype(np.float32)


_ODD = ("empty", "0-d", "1x1", "one axis more", "nan", "inf")


@implements(
    "cv2.compareHist",
    static=("method",),
    dtypes="keep",
    signature=inspect.signature(_signature_compare),
    prepare=_prepare_compare,
    finish=lambda call, result: float(result),
    examples=lambda: [
        Example((*_bars(), method), rtol=1e-9, skip_odd=_ODD) for method in (c.HISTCMP_CORREL, c.HISTCMP_BHATTACHARYYA)
    ],
)
def compareHist(H1, H2, method):
    """Compare two histograms: HISTCMP_CORREL, _CHISQR, _CHISQR_ALT, _INTERSECT, _BHATTACHARYYA, _KL_DIV.

    Parameters
    ----------
    H1, H2 : float32 arrays of one shape
    method : int

    Returns
    -------
    float (in the JAX world an array without dimensions); differentiable in both histograms

    Raises
    ------
    cv2.error
        Histograms of other types or of different shapes, unknown methods.

    Examples
    --------
    >>> import numpy as np
    >>> from image import cv2
    >>> cv2.compareHist(np.array([1, 2], np.float32), np.array([2, 1], np.float32), cv2.HISTCMP_INTERSECT)
    2.0
    """
    a, b = H1.ravel().astype(jnp.result_type(float)), H2.ravel().astype(jnp.result_type(float))
    tiny = float(np.finfo(np.float64).eps)
    if method == c.HISTCMP_CORREL:
        n = a.shape[0]
        covariance = (a * b).sum() - a.sum() * b.sum() / n
        square = ((a * a).sum() - a.sum() ** 2 / n) * ((b * b).sum() - b.sum() ** 2 / n)
        usable = jnp.abs(square) > tiny
        return jnp.where(usable, covariance / jnp.sqrt(jnp.where(usable, square, 1.0)), 1.0)
    if method in (c.HISTCMP_CHISQR, c.HISTCMP_CHISQR_ALT):
        under = a if method == c.HISTCMP_CHISQR else a + b
        usable = jnp.abs(under) > tiny
        total = jnp.where(usable, (a - b) ** 2 / jnp.where(usable, under, 1.0), 0.0).sum()
        return total if method == c.HISTCMP_CHISQR else 2 * total
    if method == c.HISTCMP_INTERSECT:
        return jnp.minimum(a, b).sum()
    if method == c.HISTCMP_BHATTACHARYYA:
        product = a * b
        roots = jnp.where(product > 0, jnp.sqrt(jnp.where(product > 0, product, 1.0)), 0.0).sum()
        norm = a.sum() * b.sum()
        usable = jnp.abs(norm) > np.finfo(np.float32).eps
        below = 1.0 - roots * jnp.where(usable, 1 / jnp.sqrt(jnp.where(usable, norm, 1.0)), 1.0)
        return jnp.where(below > 0, jnp.sqrt(jnp.where(below > 0, below, 1.0)), 0.0)
    usable = jnp.abs(a) > tiny
    under = jnp.where(jnp.abs(b) <= tiny, 1e-10, b)
    return jnp.where(usable, a * jnp.log(jnp.where(usable, a / under, 1.0)), 0.0).sum()
