"""Channels: `merge`, `split`, `mixChannels`, `extractChannel`, `insertChannel`."""

import inspect
from typing import Any

import numpy as np
from jax import numpy as jnp

from image.cv2._support import NATIVE, fail, image_argument, into_dst, planes
from sci.bridge import Example, HostRoute, Reason, implements
from sci.bridge.worlds import is_jax

__all__ = ["extractChannel", "insertChannel", "merge", "mixChannels", "split"]

_DTYPES = {*NATIVE, np.dtype(np.int8), np.dtype(np.int32)}
NOTE = "depths other than (u)int8, (u)int16, int32, float32, float64; empty arrays and arrays that are no images"
EXACT: dict[str, Any] = {"rtol": 0, "atol": 0}


def photo(seed=40):
    return np.random.default_rng(seed).integers(0, 256, (4, 5, 3), dtype=np.uint8)


def image_of(call, function, name):
    if call.numpy and np.ndim(call[name]) > 3:  # OpenCV itself takes what is no image
        raise HostRoute(Reason.SHAPE, f"{name} has {np.ndim(call[name])} dimensions")
    value = image_argument(call, function, name, empty=True)
    if value.ndim == 1:
        raise HostRoute(Reason.SHAPE, f"{name} has one dimension")
    if np.dtype(value.dtype) not in _DTYPES:
        raise HostRoute(Reason.DTYPE, f"{name} is {value.dtype}")
    return value


def images_of(call, function, name):
    """A sequence of images of one dtype."""
    values = call[name]
    if isinstance(values, np.ndarray) or (is_jax(values) and not isinstance(values, (list, tuple))):
        if call.numpy:
            raise HostRoute(Reason.SHAPE, f"{name} is one array")
        values = tuple(values)
    if not isinstance(values, (list, tuple)) or len(values) == 0:
        raise HostRoute(Reason.SHAPE, f"{name} is no sequence of images")
    images = []
    for value in values:
        if not (isinstance(value, np.ndarray) or is_jax(value)) or np.ndim(value) not in (2, 3) or value.size == 0:
            raise HostRoute(Reason.SHAPE, f"{name} holds what is no image")
        if isinstance(value, np.ndarray) and not value.dtype.isnative:
            value = value.astype(value.dtype.newbyteorder("="))
        if np.dtype(value.dtype) not in _DTYPES:
            raise HostRoute(Reason.DTYPE, f"{name} holds {value.dtype}")
        images.append(value)
    if len({np.dtype(v.dtype) for v in images}) > 1:
        fail(function, f"{name} must be images of one type, not {[str(v.dtype) for v in images]}")
    call["images"] = tuple(images)
    return images


def channel_count(value):
    return value.shape[2] if value.ndim == 3 else 1


def _prepare_merge(call):
    images = images_of(call, "merge", "mv")
    if len({v.shape[:2] for v in images}) > 1:
        fail("merge", f"mv[i].size == mv[0].size does not hold: the sizes are {[v.shape for v in images]}")


@implements(
    "cv2.merge",
    trees=("images",),
    dtypes="keep",
    signature=inspect.signature(lambda mv, dst=None: None),
    prepare=_prepare_merge,
    finish=into_dst,
    note=NOTE,
    vmap=False,
    examples=lambda: [Example(([photo()[..., 0].copy(), photo()],), **EXACT)],
)
def merge(images):
    """One image of the channels of several.

    Parameters
    ----------
    mv : sequence of arrays, (h, w) or (h, w, channels), of one dtype

    Raises
    ------
    cv2.error
        Images of different sizes or dtypes.

    Examples
    --------
    >>> import numpy as np
    >>> from image import cv2
    >>> cv2.merge([np.array([[1, 2]], np.uint8), np.array([[3, 4]], np.uint8)])
    array([[[1, 3],
            [2, 4]]], dtype=uint8)
    """
    return planes(jnp.concatenate([v if v.ndim == 3 else v[..., None] for v in images], axis=2))


def _prepare_split(call):
    image_of(call, "split", "m")


def _finish_split(call, result):
    targets = call["mv"]
    if isinstance(targets, (list, tuple)) and len(targets) == len(result):
        return tuple(into_dst({"dst": t}, r) for t, r in zip(targets, result, strict=True))
    return tuple(result)


@implements(
    "cv2.split",
    dtypes="keep",
    signature=inspect.signature(lambda m, mv=None: None),
    prepare=_prepare_split,
    finish=_finish_split,
    note=NOTE,
    examples=lambda: [Example((photo(),), vmap=("m",), **EXACT)],
)
def split(m):
    """The channels of an image as a tuple of images.

    Examples
    --------
    >>> import numpy as np
    >>> from image import cv2
    >>> cv2.split(np.array([[[1, 3], [2, 4]]], np.uint8))
    (array([[1, 2]], dtype=uint8), array([[3, 4]], dtype=uint8))
    """
    return (m,) if m.ndim == 2 else tuple(m[..., k] for k in range(m.shape[2]))


def _channel_index(call, function, image):
    coi = int(call["coi"])
    if not 0 <= coi < channel_count(image):
        fail(function, f"0 <= coi && coi < {channel_count(image)} does not hold: coi={coi}")
    call["coi"] = coi


def _prepare_extract(call):
    _channel_index(call, "extractChannel", image_of(call, "extractChannel", "src"))


@implements(
    "cv2.extractChannel",
    static=("coi",),
    dtypes="keep",
    signature=inspect.signature(lambda src, coi, dst=None: None),
    prepare=_prepare_extract,
    finish=into_dst,
    note=NOTE,
    examples=lambda: [Example((photo(), 1), vmap=("src",), **EXACT)],
)
def extractChannel(src, coi):
    """One channel of an image.

    Raises
    ------
    cv2.error
        A channel that is not there.

    Examples
    --------
    >>> import numpy as np
    >>> from image import cv2
    >>> cv2.extractChannel(np.array([[[1, 3], [2, 4]]], np.uint8), 1)
    array([[3, 4]], dtype=uint8)
    """
    return src if src.ndim == 2 else src[..., coi]


def _prepare_insert(call):
    src, dst = image_of(call, "insertChannel", "src"), image_of(call, "insertChannel", "dst")
    if src.shape[:2] != dst.shape[:2] or src.dtype != dst.dtype or channel_count(src) != 1:
        fail("insertChannel", f"src {src.dtype} {src.shape} is no channel of dst {dst.dtype} {dst.shape}")
    _channel_index(call, "insertChannel", dst)
    call["target"], call["state"] = dst, (dst,)  # not among the arguments that stay as they are


def _finish_insert(call, result):
    target = call["target"]
    target[...] = result.reshape(target.shape)
    return target


@implements(
    "cv2.insertChannel",
    static=("coi",),
    dtypes="keep",
    signature=inspect.signature(lambda src, dst, coi: None),
    prepare=_prepare_insert,
    finish=_finish_insert,
    trees=("state",),
    note=NOTE,
    examples=lambda: [Example((photo()[..., 0].copy(), photo(41), 1), vmap=("src", "dst"), **EXACT)],
)
def insertChannel(src, state, coi):
    """Replace one channel of `dst`, in place for NumPy arrays.

    Raises
    ------
    cv2.error
        Images of different sizes or dtypes, a channel that is not there.

    Examples
    --------
    >>> import numpy as np
    >>> from image import cv2
    >>> cv2.insertChannel(np.array([[9, 9]], np.uint8), np.array([[[1, 3], [2, 4]]], np.uint8), 1)
    array([[[1, 9],
            [2, 9]]], dtype=uint8)
    """
    (dst,) = state
    plane = src.reshape(src.shape[:2])
    return plane if dst.ndim == 2 else dst.at[..., coi].set(plane)


def _prepare_mix(call):
    sources, targets = (_mixed_images(call, n) for n in ("src", "dst"))
    pairs = [int(k) for k in call["fromTo"]]
    if len(pairs) % 2:
        fail("mixChannels", f"fromTo.size()%2 == 0 does not hold: fromTo has {len(pairs)} entries")
    everyone = [*sources, *targets]
    if len({np.dtype(v.dtype) for v in everyone}) > 1 or len({v.shape[:2] for v in everyone}) > 1:
        fail("mixChannels", f"src and dst must have one size and depth: {[(str(v.dtype), v.shape) for v in everyone]}")
    counts = [sum(map(channel_count, images)) for images in (sources, targets)]
    plan = tuple(zip(pairs[::2], pairs[1::2], strict=True))
    for taken, given in plan:
        if taken >= counts[0] or not 0 <= given < counts[1]:
            fail("mixChannels", f"fromTo names channel {taken} of {counts[0]} and {given} of {counts[1]}")
    call["plan"], call["targets"] = plan, targets
    call["images"], call["state"] = tuple(sources), tuple(targets)


def _mixed_images(call, name):
    """A sequence of images of which some are written to: as they are, never converted."""
    values = call[name]
    if not isinstance(values, (list, tuple)) or not values:
        raise HostRoute(Reason.SHAPE, f"{name} is no sequence of images")
    for value in values:
        if not (isinstance(value, np.ndarray) or is_jax(value)) or np.ndim(value) not in (2, 3) or value.size == 0:
            raise HostRoute(Reason.SHAPE, f"{name} holds what is no image")
        if np.dtype(value.dtype) not in _DTYPES:
            raise HostRoute(Reason.DTYPE, f"{name} holds {value.dtype}")
    return values


def _finish_mix(call, result):
    for target, image in zip(call["targets"], result, strict=True):
        target[...] = image
    return tuple(call["targets"])


@implements(
    "cv2.mixChannels",
    static=("plan",),
    trees=("images", "state"),
    dtypes="keep",
    signature=inspect.signature(lambda src, dst, fromTo: None),
    prepare=_prepare_mix,
    finish=_finish_mix,
    note=NOTE,
    vmap=False,
    examples=lambda: [Example(([photo()], [photo(41)[..., 0].copy()], [2, 0]), **EXACT)],
)
def mixChannels(images, state, plan):
    """Copy channels of some images to channels of others, in place for NumPy arrays.

    Parameters
    ----------
    src, dst : sequences of arrays, (h, w) or (h, w, channels), of one dtype
    fromTo : sequence of int
        Pairs: channel of `src`, channel of `dst`, counted through all images; a negative first one fills with zeros.

    Returns
    -------
    tuple of arrays
        `dst`, changed; in the JAX world new arrays.

    Raises
    ------
    cv2.error
        Images of different sizes or dtypes, channels that are not there.

    Examples
    --------
    >>> import numpy as np
    >>> from image import cv2
    >>> cv2.mixChannels([np.array([[[1, 3], [2, 4]]], np.uint8)], [np.zeros((1, 2), np.uint8)], [1, 0])
    (array([[3, 4]], dtype=uint8),)
    """
    taken = [v[..., k] if v.ndim == 3 else v for v in images for k in range(channel_count(v))]
    planes_out = [v[..., k] if v.ndim == 3 else v for v in state for k in range(channel_count(v))]
    for source, target in plan:
        planes_out[target] = taken[source] if source >= 0 else jnp.zeros_like(planes_out[target])
    results, start = [], 0
    for v in state:
        count = channel_count(v)
        block = planes_out[start : start + count]
        results.append(jnp.stack(block, axis=-1) if v.ndim == 3 else block[0])
        start += count
    return tuple(results)
