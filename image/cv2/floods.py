"""`floodFill`."""

import inspect

import numpy as np
from jax import numpy as jnp

from image.cv2 import constants as c
from image.cv2._support import fail, image_argument, pair, saturate
from sci.bridge import Example, HostRoute, Reason, implements
from sci.bridge.worlds import is_jax, is_traced
from sci.ndimage._kernels.reach import reach

_DEPTHS = (np.uint8, np.int32, np.float32)


def scalar(call, name, function):
    """OpenCV's Scalar: up to four numbers, the rest zero."""
    value = call[name]
    if is_jax(value):
        value = jnp.ravel(jnp.asarray(value)).astype(float)
        call[name] = jnp.pad(value, (0, 4 - value.shape[0]))
        return
    try:
        value = np.atleast_1d(np.asarray(value, float)).ravel()
    except (TypeError, ValueError):
        fail(function, f"{name} must be a number or up to four, not {value!r}")
    if value.size > 4:
        fail(function, f"{name} has {value.size} entries, a Scalar has at most four")
    call[name] = np.pad(value, (0, 4 - value.size))


def _prepare(call):
    given = call["image"]
    image = image_argument(call, "floodFill", "image")
    if np.dtype(image.dtype) not in _DEPTHS or (image.ndim == 3 and image.shape[2] not in (1, 3)):
        fail(
            "floodFill", f"image must be uint8, int32 or float32 with 1 or 3 channels, not {image.dtype} {image.shape}"
        )
    if image.ndim == 1:
        raise HostRoute(Reason.SHAPE, "image has one dimension")
    if isinstance(given, np.ndarray) and not given.flags.writeable:
        fail("floodFill", "image is read-only: it is changed in place")
    mask, height, width = call["mask"], *image.shape[:2]
    call["targets"] = given, mask
    if mask is None:
        call["mask"] = np.zeros((height + 2, width + 2), np.uint8)
    else:
        mask = image_argument(call, "floodFill", "mask")
        if mask.shape != (height + 2, width + 2) or np.dtype(mask.dtype) != np.uint8:
            fail("floodFill", f"mask must be uint8 of shape {(height + 2, width + 2)}, not {mask.dtype} {mask.shape}")
    flags = int(call["flags"])
    if flags & 255 not in (0, 4, 8):
        fail("floodFill", f"Connectivity must be 4, 0(=4) or 8: flags={flags}")
    call["eight"], call["fixed"] = flags & 255 == 8, bool(flags & c.FLOODFILL_FIXED_RANGE)
    call["mask_only"], call["mark"] = bool(flags & c.FLOODFILL_MASK_ONLY), (flags >> 8) & 255 or 1
    for name in ("newVal", "loDiff", "upDiff"):
        scalar(call, name, "floodFill")
        if name != "newVal" and not is_traced(call[name]) and not np.all(np.asarray(call[name]) >= 0):
            fail("floodFill", f"lo_diff and up_diff must be non-negative: {name}={np.asarray(call[name]).tolist()}")
    if is_traced(call["seedPoint"]):
        call["seed"] = jnp.asarray(call["seedPoint"]).astype(np.int32)
        return
    x, y = pair(call["seedPoint"], "floodFill", "seedPoint")
    if not (0 <= x < width and 0 <= y < height):
        fail("floodFill", f"Seed point is outside of image: seedPoint={(x, y)}, image of shape {image.shape}")
    call["seed"] = np.array([x, y], np.int32)


def _in_place(target, result):
    if isinstance(target, np.ndarray) and target.dtype == result.dtype:
        target[...] = result.reshape(target.shape)
        return target
    return result


def _finish(call, result):
    area, image, mask, box = result
    image, mask = (_in_place(t, r) for t, r in zip(call["targets"], (image, mask), strict=True))
    return int(area), image, mask, tuple(int(v) for v in box)


def _signature(image, mask, seedPoint, newVal, loDiff=(0,), upDiff=(0,), flags=4):
    """OpenCV's signature, which Python cannot read from its C function."""


def _image():
    rows = np.random.default_rng(36).integers(0, 3, (7, 8)).astype(np.float32)
    return tuple(tuple(row) for row in rows)


@implements(
    "cv2.floodFill",
    static=("eight", "fixed", "mask_only"),
    dtypes="keep",
    signature=inspect.signature(_signature),
    prepare=_prepare,
    finish=_finish,
    grad=False,
    note="one-dimensional arrays",
    # a tuple, which is not filled in place: the contract does not know arguments that change
    examples=lambda: [Example((_image(), None, (3, 2), 9), oracle=False, jit=False)],
)
def floodFill(image, mask, seed, newVal, loDiff, upDiff, mark, eight, fixed, mask_only):
    """Fill the connected area around a seed whose values lie close together.

    A pixel is entered from a neighbour if its value lies between ``v - loDiff`` and ``v + upDiff``, `v` being the
    neighbour's value (or the seed's with FLOODFILL_FIXED_RANGE), in every channel. Sweeps over the image, see
    `sci/ndimage/_kernels/reach.py`.

    Parameters
    ----------
    image : array (h, w) or (h, w, 3), uint8, int32 or float32
        Changed in place in the NumPy world, unless FLOODFILL_MASK_ONLY.
    mask : uint8 array (h + 2, w + 2) or None
        What is not zero in it is not entered; the filled area is marked in it and its border set to one.
    seedPoint : (int, int)
        x and y.
    newVal, loDiff, upDiff : float or up to four
    flags : int
        Connectivity 4 or 8, plus the mark for the mask times 256, FLOODFILL_FIXED_RANGE, FLOODFILL_MASK_ONLY.

    Returns
    -------
    retval : int
        Number of pixels filled.
    image, mask : arrays
    rect : (x, y, width, height)

    Raises
    ------
    cv2.error
        Other depths or channels, a seed outside, negative differences, a mask of another size, unknown flags.

    Examples
    --------
    >>> import numpy as np
    >>> from image import cv2
    >>> image = np.array([[1, 1, 7, 1]], np.uint8)
    >>> cv2.floodFill(image, None, (0, 0), 5)[0]
    2
    >>> image
    array([[5, 5, 7, 1]], dtype=uint8)
    """
    x = image if image.ndim == 3 else image[..., None]
    height, width, channels = x.shape
    wide = np.int32 if x.dtype == np.uint8 else x.dtype
    values = x.astype(wide)
    if x.dtype.kind in "iu":
        limit = np.iinfo(x.dtype).max
        low, high = (jnp.clip(jnp.floor(d[:channels]), 0, limit).astype(wide) for d in (loDiff, upDiff))
    else:
        low, high = (d[:channels].astype(wide) for d in (loDiff, upDiff))
    free = mask[1:-1, 1:-1] == 0

    def close(new, old):
        if x.dtype == np.int32:  # differences of int32 may wrap
            apart = new.astype(jnp.result_type(float)) - old
        else:
            apart = new - old
        return jnp.all((apart >= -low) & (apart <= high), axis=-1)

    column, row = seed[0], seed[1]
    start = values[row, column]
    same = close(values, start)

    def may_enter(dy, dx):
        if fixed:
            return free & same
        return free & close(values, jnp.roll(values, (dy, dx), (0, 1)))

    here = jnp.zeros((height, width), bool).at[row, column].set(True) & free
    filled = reach(here, may_enter, eight)
    inner = jnp.where(filled, jnp.asarray(mark).astype(np.uint8), mask[1:-1, 1:-1])
    marked = jnp.pad(inner, 1, constant_values=1)
    if not mask_only:
        x = jnp.where(filled[..., None], saturate(newVal[:channels], x.dtype), x)
    rows, columns = filled.any(axis=1), filled.any(axis=0)
    top, left = jnp.argmax(rows), jnp.argmax(columns)
    tall = jnp.where(rows.any(), height - jnp.argmax(rows[::-1]) - top, 0)
    broad = jnp.where(rows.any(), width - jnp.argmax(columns[::-1]) - left, 0)
    box = jnp.stack([left, top, broad, tall]).astype(np.int32)
    return filled.sum(dtype=np.int32), x.reshape(image.shape), marked, box
