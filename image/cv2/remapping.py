"""Images at given coordinates: `remap`, `convertMaps`."""

import inspect

import numpy as np
from jax import numpy as jnp

from image.cv2 import constants as c
from image.cv2._resampling import (
    GRID,
    NOTE,
    ODD,
    ODD_SOURCE,
    SHARED,
    photo,
    sampled,
    sampling,
    smooth,
)
from image.cv2._support import (
    array_argument,
    fail,
    image_argument,
    into_dst,
    saturate,
)
from sci.bridge import Example, HostRoute, Reason, implements
from sci.bridge.worlds import is_jax

__all__ = ["convertMaps", "remap"]


def _floats(value):
    return value.dtype.kind == "f"


def _maps(call, function):
    """The maps of a call as ``(kind of maps, arrays)``."""
    map1, map2 = array_argument(call, "map1"), array_argument(call, "map2")
    for name, value in (("map1", map1), ("map2", map2)):
        if value is not None and not isinstance(value, np.ndarray) and not is_jax(value):
            fail(function, f"{name} is not a numpy array, but {type(value).__name__}")
    if map1 is None or map1.size == 0:
        fail(function, "map1 is empty")
    if map2 is not None and map2.size == 0:
        map2 = None
    if map2 is None and map1.ndim == 3 and map1.shape[2] == 2 and map1.dtype.kind == "f":
        maps = ("float", (map1[..., 0], map1[..., 1]))
    elif map2 is not None and map1.ndim == 2 and map2.shape == map1.shape and _floats(map1) and _floats(map2):
        maps = ("float", (map1, map2))
    elif map1.ndim == 3 and map1.shape[2] == 2 and map1.dtype == np.int16:
        if map2 is not None and (map2.dtype not in (np.uint16, np.int16) or map2.shape != map1.shape[:2]):
            fail(function, f"map2 must be uint16 of shape {map1.shape[:2]}, not {map2.dtype} {map2.shape}")
        maps = ("fixed", (map1,) if map2 is None else (map1, map2))
    else:
        given = [(str(m.dtype), m.shape) for m in (map1, map2) if m is not None]
        fail(function, f"map1 and map2 must be float32 (h, w) both, or float32 / int16 (h, w, 2) alone, not {given}")
    if call.numpy and any(m.dtype == np.float64 for m in maps[1]):
        fail(function, "map1 and map2 must be float32, not float64")
    return maps


def _prepare_remap(call):
    src = image_argument(call, "remap")
    if src.ndim < 2:
        raise HostRoute(Reason.SHAPE, "src has one dimension")
    form, call["maps"] = _maps(call, "remap")
    flags = int(call["interpolation"])
    sampling(call, "remap", flags)
    call["form"], call["relative"] = form, bool(flags & c.WARP_RELATIVE_MAP)


def _map_example():
    y, x = np.mgrid[:7, :8].astype(np.float32)
    return x * np.float32(1.07) - np.float32(0.3) + y * np.float32(0.1), y * np.float32(0.9) + np.float32(0.2)


@implements(
    "cv2.remap",
    static=("form", "relative", "kind", "mode", "grid"),
    trees=("maps",),
    signature=inspect.signature(
        lambda src, map1, map2, interpolation, dst=None, borderMode=0, borderValue=(0, 0, 0, 0), hint=0: None
    ),
    prepare=_prepare_remap,
    note=NOTE,
    examples=lambda: [
        # OpenCV returns memory as it finds it for what is no image
        Example((photo(), *_map_example(), c.INTER_LINEAR), vmap=("src",), rtol=0, atol=1, skip_odd=ODD_SOURCE),
        Example(
            (smooth().astype(np.float32), *_map_example(), c.INTER_CUBIC),
            {"borderMode": c.BORDER_REFLECT},
            grad=("src", "map1", "map2"),
            rtol=1e-5,
            atol=1e-5,
            skip_odd=ODD,
        ),
    ],
    **SHARED,
)
def remap(src, maps, value, form, relative, kind, mode, grid):
    """The image at the coordinates of a map: ``dst[i, j] = src(map_y[i, j], map_x[i, j])``.

    Differentiable in floating point images and maps.

    Parameters
    ----------
    src : array, (h, w) or (h, w, channels)
    map1, map2 : arrays
        float32 (rows, columns) each, x and y; or float32 (rows, columns, 2) and None; or int16 (rows, columns, 2)
        with uint16 fractions or None, see `convertMaps`. In the JAX world float64 too.
    interpolation : int
        INTER_NEAREST, INTER_LINEAR, INTER_CUBIC or INTER_LANCZOS4, plus WARP_RELATIVE_MAP (the map holds offsets).
    borderMode, borderValue
        What lies outside of `src`; NaN does too.

    Raises
    ------
    cv2.error
        Empty images, maps of other types or of different shapes, unknown interpolation and borders.

    Examples
    --------
    >>> import numpy as np
    >>> from image import cv2
    >>> x, y = np.array([[0.5, 2.0]], np.float32), np.zeros((1, 2), np.float32)
    >>> cv2.remap(np.array([[1.0, 2.0, 3.0]], np.float32), x, y, cv2.INTER_LINEAR)
    array([[1.5, 3. ]], dtype=float32)
    """
    real = np.dtype(np.float32)
    if form == "float":
        x, y = maps
        real = np.dtype(x.dtype)
    else:
        x, y = (maps[0][..., k].astype(real) for k in range(2))
        if len(maps) == 2 and kind == "nearest":  # as OpenCV has it: to the next sample for the *lower* half
            x = x + ((maps[1].astype(np.int32) & 31) < 16).astype(real)
            y = y + (((maps[1].astype(np.int32) >> 5) & 31) < 16).astype(real)
        elif len(maps) == 2:
            fraction = maps[1].astype(np.int32)
            x = x + (fraction & 31).astype(real) * real.type(1 / GRID)
            y = y + ((fraction >> 5) & 31).astype(real) * real.type(1 / GRID)
    if relative:
        x = x + jnp.arange(x.shape[1], dtype=real)
        y = y + jnp.arange(x.shape[0], dtype=real)[:, None]
    return sampled(src, x, y, value, kind, mode, grid)


def _prepare_convert(call):
    form, call["maps"] = _maps(call, "convertMaps")
    kind = int(call["dstmap1type"])
    if kind <= 0:
        kind = c.CV_32FC1 if form == "fixed" else c.CV_16SC2
    if kind not in (c.CV_32FC1, c.CV_32FC2, c.CV_16SC2):
        fail("convertMaps", f"dstmap1type={kind}: allowed are CV_16SC2, CV_32FC1, CV_32FC2")
    if call["map1"].dtype == np.float64:
        raise HostRoute(Reason.DTYPE, "maps of float64")
    if (form == "float") == (kind != c.CV_16SC2):
        raise HostRoute(Reason.OPTION, f"dstmap1type={kind} of maps of the same kind")
    call["form"], call["output"], call["nearest"] = form, kind, bool(call["nninterpolation"])


def _finish_maps(call, result):
    first, second = result
    return into_dst(call, first, "dstmap1"), (None if second is None else into_dst(call, second, "dstmap2"))


@implements(
    "cv2.convertMaps",
    static=("form", "output", "nearest"),
    trees=("maps",),
    dtypes="keep",
    signature=inspect.signature(
        lambda map1, map2, dstmap1type, dstmap1=None, dstmap2=None, nninterpolation=False: None
    ),
    prepare=_prepare_convert,
    finish=_finish_maps,
    vmap=False,
    grad=False,
    note="between maps of the same kind",
    examples=lambda: [Example((*_map_example(), c.CV_16SC2), rtol=0, atol=0, skip_odd=("nan", "inf"))],
)
def convertMaps(maps, form, output, nearest):
    """Maps of floats for `remap` as integers and fractions of 1/32, or back.

    Parameters
    ----------
    map1, map2 : arrays
        As for `remap`.
    dstmap1type : int
        CV_16SC2 for float maps, CV_32FC1 or CV_32FC2 for integer ones.
    nninterpolation : bool
        Round to whole pixels; there are no fractions then (None).

    Returns
    -------
    dstmap1, dstmap2 : arrays
        int16 (rows, columns, 2) and uint16 (rows, columns); or float32 maps, the second None for CV_32FC2.

    Raises
    ------
    cv2.error
        Maps of other types or of different shapes.

    Examples
    --------
    >>> import numpy as np
    >>> from image import cv2
    >>> x, y = np.array([[0.5, 2.25]], np.float32), np.zeros((1, 2), np.float32)
    >>> cv2.convertMaps(x, y, cv2.CV_16SC2)[1]
    array([[16,  8]], dtype=uint16)
    """
    if form == "float":
        if nearest:
            return saturate(jnp.stack(maps, axis=-1), np.int16), None
        fixed = [saturate(m * np.float32(GRID), np.int32) for m in maps]
        whole = saturate(jnp.stack([k >> 5 for k in fixed], axis=-1), np.int16)
        return whole, ((fixed[1] & 31) * 32 + (fixed[0] & 31)).astype(np.uint16)
    x, y = (maps[0][..., k].astype(np.float32) for k in range(2))
    if len(maps) == 2:
        fraction = maps[1].astype(np.int32)
        x = x + (fraction & 31).astype(np.float32) / np.float32(GRID)
        y = y + ((fraction >> 5) & 31).astype(np.float32) / np.float32(GRID)
    return (jnp.stack([x, y], axis=-1), None) if output == c.CV_32FC2 else (x, y)
