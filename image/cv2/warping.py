"""Geometric transformation of images: `warpAffine`, `warpPerspective`, `remap`, `convertMaps`, `getRectSubPix`."""

import inspect
from typing import Any

import numpy as np
from jax import numpy as jnp

from image.cv2 import constants as c
from image.cv2._support import (
    BORDERS,
    array_argument,
    fail,
    image_argument,
    into_dst,
    pair,
    planes,
    saturate,
    unsupported,
)
from sci.bridge import Example, HostRoute, Reason, implements
from sci.bridge.worlds import is_jax
from sci.ndimage._kernels.sampling import sample

__all__ = ["convertMaps", "getRectSubPix", "remap", "warpAffine", "warpPerspective"]

KINDS = {
    c.INTER_NEAREST: "nearest",
    c.INTER_LINEAR: "linear",
    c.INTER_AREA: "linear",  # as OpenCV: areas are for `resize`
    c.INTER_CUBIC: "cubic",
    c.INTER_LANCZOS4: "lanczos",
}
_GRID = 32.0  # OpenCV's table of interpolation weights has 32 entries to the pixel
_AFFINE = 1024.0  # fractions of a pixel in which it steps through affine maps


def sampling(call, function, flags, border="borderMode"):
    """Set ``kind``, ``mode``, ``value`` and ``grid`` of a call; HostRoute for BORDER_TRANSPARENT."""
    src = call["src"]
    call["kind"] = KINDS.get(int(flags) & c.INTER_MAX)
    if call["kind"] is None:
        fail(function, f"Unknown interpolation method: flags={flags}")
    if call.numpy and call["kind"] == "cubic" and np.dtype(src.dtype) == np.float64:
        raise HostRoute(Reason.DTYPE, "INTER_CUBIC of float64")  # OpenCV's border is a puzzle there
    border_type = int(call[border])
    if border_type == c.BORDER_TRANSPARENT:
        raise HostRoute(Reason.OPTION, "BORDER_TRANSPARENT")
    call["mode"] = BORDERS.get(border_type & ~c.BORDER_ISOLATED)
    if call["mode"] is None:
        fail(function, f"Unknown/unsupported border type: {border}={border_type}, allowed are {sorted(BORDERS)}")
    channels = src.shape[2] if src.ndim == 3 else 1
    value = call.get("borderValue")
    if is_jax(value):
        raise HostRoute(Reason.OPTION, "a traced borderValue")
    entries = np.zeros(4)
    if value is not None:
        given = np.atleast_1d(np.asarray(value, np.float64)).ravel()[:4]
        entries[: given.size] = given
    entries = np.resize(entries, channels) if src.ndim == 3 else entries[0]
    if np.dtype(src.dtype).kind in "iu":
        limits = np.iinfo(src.dtype)
        entries = np.clip(np.rint(entries), limits.min, limits.max)
    call["value"] = entries if call["mode"] == "constant" and np.any(entries) else None
    # some kinds still go through the table of weights; so does every image by Lanczos' window
    old = np.dtype(src.dtype) in (np.int16, np.float64)
    call["grid"] = call.numpy and (call["kind"] == "lanczos" or (old and call["kind"] in ("linear", "nearest")))


def output_size(call, function):
    """``dsize`` (width, height) as (height, width); the source's size where it is zero."""
    width, height = pair(call["dsize"], function, "dsize") if call["dsize"] is not None else (0, 0)
    if width == 0 and height == 0:
        return tuple(call["src"].shape[:2])
    if call.numpy and min(width, height) == 0:
        raise HostRoute(Reason.OPTION, f"dsize={call['dsize']!r}")
    if width <= 0 or height <= 0:
        fail(function, f"dsize must be positive: dsize={call['dsize']!r}")
    return height, width


def matrix_argument(call, function, shape, name="M"):
    """``call[name]`` as a matrix of real floats of `shape`."""
    value = array_argument(call, name)
    if not isinstance(value, np.ndarray) and not is_jax(value):
        fail(function, f"{name} is not a numpy array, but {type(value).__name__}")
    if value.dtype.kind != "f" or value.shape != shape:
        fail(function, f"{name} must be a {shape[0]} x {shape[1]} matrix of floats, not {value.dtype} {value.shape}")
    return value


def inverted_affine(m, xp):
    """Inverse of a 2 x 3 map; of a singular one all zeros but the shift, as in OpenCV."""
    a, b, u, d, e, v = (m[i, j] for i in range(2) for j in range(3))
    det = a * e - b * d
    det = xp.where(det == 0, 0.0, 1.0 / xp.where(det == 0, 1.0, det))
    a, b, d, e = e * det, -b * det, -d * det, a * det
    return xp.stack([xp.stack([a, b, -a * u - b * v]), xp.stack([d, e, -d * u - e * v])])


def sampled(src, x, y, value, kind, mode, grid):
    """`src` at the coordinates; integers rounded half to even."""
    if grid and kind != "nearest":
        x, y = jnp.round(x * _GRID) / _GRID, jnp.round(y * _GRID) / _GRID
    if src.dtype.kind in "iu" and kind == "nearest":
        return planes(sample(src, y, x, kind, mode, None if value is None else jnp.asarray(value)))
    image = src.astype(np.float32) if src.dtype.kind in "iu" else src
    x, y = x.astype(image.dtype), y.astype(image.dtype)
    result = sample(image, y, x, kind, mode, None if value is None else jnp.asarray(value, image.dtype))
    return planes(saturate(result, src.dtype))


def _prepare_affine(call):
    src = image_argument(call, "warpAffine")
    if src.ndim < 2:
        raise HostRoute(Reason.SHAPE, "src has one dimension")
    m = matrix_argument(call, "warpAffine", (2, 3))
    call["size"] = output_size(call, "warpAffine")
    sampling(call, "warpAffine", call["flags"])
    xp = jnp if is_jax(m) else np
    m = m if is_jax(m) else m.astype(np.float64)
    call["matrix"] = m if int(call["flags"]) & c.WARP_INVERSE_MAP else inverted_affine(m, xp)


def _photo(channels=3):
    return np.random.default_rng(27).integers(0, 256, (8, 9, channels), dtype=np.uint8)


def _smooth():
    y, x = np.mgrid[:8, :9]
    return np.sin(0.4 * x) * np.cos(0.5 * y)


_TURN = np.array([[0.9, 0.2, 0.33], [-0.15, 1.1, 0.61]])
_SHARED: dict[str, Any] = {"dtypes": "keep", "supports": unsupported, "finish": into_dst}
_NOTE = (
    "BORDER_TRANSPARENT; INTER_CUBIC of float64 NumPy images; depths other than uint8, uint16, int16, float32, "
    "float64; one-dimensional arrays"
)
# OpenCV's readings of matrices and maps of odd shapes
# (and its endless search for a sample of nothing beyond a border)
_ODD = ("empty", "0-d", "1x1", "one axis more", "nan", "inf")
_ODD_SOURCE = ("empty", "0-d", "1x1", "one axis more")


@implements(
    "cv2.warpAffine",
    static=("size", "kind", "mode", "grid"),
    signature=inspect.signature(
        lambda src, M, dsize, dst=None, flags=1, borderMode=0, borderValue=(0, 0, 0, 0), hint=0: None
    ),
    prepare=_prepare_affine,
    note=_NOTE,
    examples=lambda: [
        Example((_photo(), _TURN, (7, 6)), vmap=("src",), rtol=0, atol=1, skip_odd=_ODD),
        Example(
            (_smooth().astype(np.float32), _TURN, (9, 8)),
            {"flags": c.INTER_CUBIC, "borderMode": c.BORDER_REFLECT_101},
            grad=("src", "M"),
            rtol=1e-5,
            atol=1e-5,
            skip_odd=_ODD,
        ),
    ],
    **_SHARED,
)
def warpAffine(src, matrix, value, size, kind, mode, grid):
    """Apply an affine map to an image. Differentiable in floating point images and in the map.

    Parameters
    ----------
    src : array, (h, w) or (h, w, channels)
    M : float array, (2, 3)
        From source to result, in (x, y); with WARP_INVERSE_MAP in `flags` from result to source. Data.
    dsize : (int, int)
        Width and height of the result.
    flags : int
        INTER_NEAREST, INTER_LINEAR, INTER_CUBIC or INTER_LANCZOS4, plus WARP_INVERSE_MAP.
    borderMode, borderValue
        What lies outside of `src`.

    Raises
    ------
    cv2.error
        Empty images, a map that is not 2 x 3, sizes that are not positive, unknown interpolation and borders.

    Notes
    -----
    Coordinates are continuous and in single precision, as in OpenCV 5: results of float32 images agree to about 1e-5
    of the largest gradient, and INTER_NEAREST may fall either way half between pixels. For INTER_LANCZOS4, and linearly
    for int16 and float64, NumPy images are interpolated on OpenCV's grid of 1/32 pixel; JAX images never are.

    Examples
    --------
    >>> import numpy as np
    >>> from image import cv2
    >>> cv2.warpAffine(np.array([[1, 2, 3]], np.uint8), np.array([[1.0, 0, 1], [0, 1, 0]]), (3, 1))
    array([[0, 1, 2]], dtype=uint8)
    """
    real = _coordinate_dtype(src, kind, grid)
    m = matrix.astype(real)
    x, y = jnp.arange(size[1], dtype=real), jnp.arange(size[0], dtype=real)[:, None]
    if real == np.float64 and grid:  # OpenCV's steps of 2^-10 pixel
        half = _AFFINE / 2 if kind == "nearest" else _AFFINE / 64
        unit = 1.0 if kind == "nearest" else _GRID
        positions = []
        for row in m:
            fixed = jnp.round((row[1] * y + row[2]) * _AFFINE) + half + jnp.round(row[0] * x * _AFFINE)
            positions.append(jnp.floor(fixed * (unit / _AFFINE)) / unit)
        return sampled(src, *positions, value, kind, mode, False)
    positions = [row[0] * x + row[1] * y + row[2] for row in m]
    return sampled(src, *positions, value, kind, mode, grid)


def _coordinate_dtype(src, kind, grid):
    """Coordinates in double precision where OpenCV has them (and the precision in force allows), else as the image."""
    if grid or src.dtype == np.float64:
        return np.dtype(jnp.result_type(float))
    return np.dtype(np.float32)


def _prepare_perspective(call):
    src = image_argument(call, "warpPerspective")
    if src.ndim < 2:
        raise HostRoute(Reason.SHAPE, "src has one dimension")
    m = matrix_argument(call, "warpPerspective", (3, 3))
    call["size"] = output_size(call, "warpPerspective")
    sampling(call, "warpPerspective", call["flags"])
    if int(call["flags"]) & c.WARP_INVERSE_MAP:
        call["matrix"] = m
    elif is_jax(m):
        call["matrix"] = jnp.linalg.inv(m)
    else:
        m = m.astype(np.float64)
        call["matrix"] = np.linalg.inv(m) if np.linalg.det(m) != 0 else np.zeros((3, 3))


@implements(
    "cv2.warpPerspective",
    static=("size", "kind", "mode", "grid"),
    signature=inspect.signature(
        lambda src, M, dsize, dst=None, flags=1, borderMode=0, borderValue=(0, 0, 0, 0), hint=0: None
    ),
    prepare=_prepare_perspective,
    note=_NOTE,
    examples=lambda: [
        Example(
            (_photo(), np.vstack([_TURN, [0.01, -0.02, 1.0]]), (7, 6)), vmap=("src",), rtol=0, atol=1, skip_odd=_ODD
        ),
        Example(
            (_smooth().astype(np.float32), np.vstack([_TURN, [0.01, -0.02, 1.0]]), (9, 8)),
            {"borderMode": c.BORDER_REPLICATE},
            grad=("src", "M"),
            rtol=1e-5,
            atol=1e-5,
            skip_odd=_ODD,
        ),
    ],
    **_SHARED,
)
def warpPerspective(src, matrix, value, size, kind, mode, grid):
    """Apply a projective map to an image. Differentiable in floating point images and in the map.

    Parameters
    ----------
    src : array, (h, w) or (h, w, channels)
    M : float array, (3, 3)
        From source to result, in (x, y, 1); with WARP_INVERSE_MAP in `flags` from result to source. Data.
    dsize, flags, borderMode, borderValue
        As for `warpAffine`.

    Raises
    ------
    cv2.error
        Empty images, a map that is not 3 x 3, sizes that are not positive, unknown interpolation and borders.

    Examples
    --------
    >>> import numpy as np
    >>> from image import cv2
    >>> cv2.warpPerspective(np.array([[1, 2, 3]], np.uint8), np.diag([2.0, 1.0, 1.0]), (5, 1))
    array([[1, 2, 2, 2, 3]], dtype=uint8)
    """
    real = _coordinate_dtype(src, kind, grid)
    m = matrix.astype(real)
    x, y = jnp.arange(size[1], dtype=real), jnp.arange(size[0], dtype=real)[:, None]
    px, py, w = (row[0] * x + row[1] * y + row[2] for row in m)
    w = jnp.where(w == 0, 0.0, 1.0 / jnp.where(w == 0, 1.0, w))
    return sampled(src, px * w, py * w, value, kind, mode, grid)


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
    note=_NOTE,
    examples=lambda: [
        # OpenCV returns memory as it finds it for what is no image
        Example((_photo(), *_map_example(), c.INTER_LINEAR), vmap=("src",), rtol=0, atol=1, skip_odd=_ODD_SOURCE),
        Example(
            (_smooth().astype(np.float32), *_map_example(), c.INTER_CUBIC),
            {"borderMode": c.BORDER_REFLECT},
            grad=("src", "map1", "map2"),
            rtol=1e-5,
            atol=1e-5,
            skip_odd=_ODD,
        ),
    ],
    **_SHARED,
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
            x = x + (fraction & 31).astype(real) * real.type(1 / _GRID)
            y = y + ((fraction >> 5) & 31).astype(real) * real.type(1 / _GRID)
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
        fixed = [saturate(m * np.float32(_GRID), np.int32) for m in maps]
        whole = saturate(jnp.stack([k >> 5 for k in fixed], axis=-1), np.int16)
        return whole, ((fixed[1] & 31) * 32 + (fixed[0] & 31)).astype(np.uint16)
    x, y = (maps[0][..., k].astype(np.float32) for k in range(2))
    if len(maps) == 2:
        fraction = maps[1].astype(np.int32)
        x = x + (fraction & 31).astype(np.float32) / np.float32(_GRID)
        y = y + ((fraction >> 5) & 31).astype(np.float32) / np.float32(_GRID)
    return (jnp.stack([x, y], axis=-1), None) if output == c.CV_32FC2 else (x, y)


def _prepare_patch(call):
    function = "getRectSubPix"
    image = image_argument(call, function, "image")
    if image.ndim < 2:
        raise HostRoute(Reason.SHAPE, "image has one dimension")
    width, height = pair(call["patchSize"], function, "patchSize")
    if width <= 0 or height <= 0:
        fail(function, f"patchSize must be positive: {call['patchSize']!r}")
    channels = image.shape[2] if image.ndim == 3 else 1
    output = (
        np.dtype(image.dtype) if int(call["patchType"]) < 0 else {0: np.uint8, 5: np.float32}.get(call["patchType"])
    )
    pairs = {(np.uint8, np.uint8), (np.uint8, np.float32), (np.float32, np.float32)}
    if (
        channels not in (1, 3)
        or output is None
        or (call.numpy and (image.dtype.type, np.dtype(output).type) not in pairs)
    ):
        fail(
            function,
            f"Unsupported combination of input and output formats: image is {image.dtype} with {channels} channels, "
            f"patchType={call['patchType']}",
        )
    center = call["center"]
    if is_jax(center):
        call["centre"] = jnp.asarray(center)
    else:
        try:
            call["centre"] = np.array([float(k) for k in center], np.float32)
        except (TypeError, ValueError):
            fail(function, f"center must be two numbers, not {center!r}")
    if call["centre"].shape != (2,):
        fail(function, f"center must be two numbers, not {center!r}")
    call["size"], call["output"] = (height, width), np.dtype(output)


@implements(
    "cv2.getRectSubPix",
    static=("size", "output"),
    dtypes="keep",
    signature=inspect.signature(lambda image, patchSize, center, patch=None, patchType=-1: None),
    prepare=_prepare_patch,
    finish=lambda call, result: into_dst(call, result, "patch"),
    note="one-dimensional arrays",
    examples=lambda: [
        Example((_photo(), (3, 4), (4.3, 3.6)), vmap=("image",), rtol=0, atol=1, skip_odd=_ODD_SOURCE),
        Example(
            (_smooth().astype(np.float32), (3, 3), np.array([2.3, 4.1], np.float32)),
            grad=("image",),
            rtol=1e-5,
            atol=1e-6,
            skip_odd=_ODD,
        ),
    ],
)
def getRectSubPix(image, centre, size, output):
    """A rectangle around a point between pixels, interpolated linearly; the border is replicated.

    Differentiable in floating point images and in the point.

    Parameters
    ----------
    image : uint8 or float32 array, (h, w) or (h, w, 3)
    patchSize : (int, int)
        Width and height.
    center : (float, float)
        x and y of the rectangle's centre. Data.
    patchType : int
        -1 for the depth of `image`, or CV_32F.

    Raises
    ------
    cv2.error
        Empty images, other depths or channels, sizes that are not positive.

    Examples
    --------
    >>> import numpy as np
    >>> from image import cv2
    >>> cv2.getRectSubPix(np.array([[1.0, 2.0, 4.0]], np.float32), (1, 1), (1.5, 0.0))
    array([[3.]], dtype=float32)
    """
    x = image.astype(np.float32) if image.dtype.kind in "iu" else image
    centre = centre.astype(x.dtype)
    columns = jnp.arange(size[1], dtype=x.dtype) + (centre[0] - (size[1] - 1) * 0.5)
    rows = jnp.arange(size[0], dtype=x.dtype) + (centre[1] - (size[0] - 1) * 0.5)
    rows, columns = jnp.broadcast_arrays(rows[:, None], columns)
    result = sample(x, rows, columns, "linear", "nearest")
    return planes(saturate(result, output if output == np.uint8 else x.dtype))
