"""Equalised histograms: `equalizeHist`, and in tiles with limited contrast `createCLAHE`.

Reference: K. Zuiderveld, "Contrast limited adaptive histogram equalization", Graphics Gems IV, 1994.
"""

import inspect

import numpy as np
from jax import numpy as jnp

from image.cv2._support import fail, image_argument, into_dst, pair, saturate
from image.cv2.histograms import counts_of
from sci.bridge import Example, HostRoute, Reason, implements
from sci.bridge.implements import Bridge
from sci.bridge.worlds import is_traced
from sci.ndimage._kernels.borders import border_index, take_static

__all__ = ["CLAHE", "createCLAHE", "equalizeHist"]

_LEVELS = {np.dtype(np.uint8): 256, np.dtype(np.uint16): 65536}


def _prepare(call):
    src = image_argument(call, "CLAHE.apply", empty=True)
    if np.dtype(src.dtype) not in _LEVELS or (src.ndim == 3 and src.shape[2] != 1):
        fail("CLAHE.apply", f"src must be uint8 or uint16 with one channel, not {src.dtype} {src.shape}")
    if src.ndim == 1:
        raise HostRoute(Reason.SHAPE, "src has one dimension")
    if call["bits"]:
        raise HostRoute(Reason.OPTION, f"bitShift={call['bits']}")
    height, width = src.shape[:2]
    across, down = call["grid"]
    call["padding"] = (0, 0)
    if width % across or height % down:  # then both sides grow, also one that is divisible
        call["padding"] = (down - height % down, across - width % across)
    area = (height + call["padding"][0]) * (width + call["padding"][1]) // (across * down)
    limit = call["clip"] * area / _LEVELS[np.dtype(src.dtype)]
    call["limit"] = max(int(limit), 1) if call["clip"] > 0 else np.iinfo(np.int32).max


def _signature(src, clip, grid, bits, dst=None):
    """What `CLAHE.apply` hands over."""


def _clipped(counts, limit):
    """Cut a histogram at `limit` and hand out the excess: the same to all levels, the rest in equal steps."""
    levels = counts.shape[-1]
    excess = jnp.maximum(counts - limit, 0).sum(axis=-1, keepdims=True)
    counts = jnp.minimum(counts, limit) + excess // levels
    rest = excess % levels
    step = jnp.maximum(levels // jnp.maximum(rest, 1), 1)
    level = jnp.arange(levels, dtype=np.int32)
    return counts + ((level % step == 0) & (level // step < rest))


def _weights(n, tiles, size):
    """Lower and upper tile of each of `n` positions, and the weight of the upper, in OpenCV's float32."""
    position = np.arange(n, dtype=np.float32) * (np.float32(1) / np.float32(size)) - np.float32(0.5)
    low = np.floor(position).astype(np.int32)
    return np.maximum(low, 0), np.minimum(low + 1, tiles - 1), position - low.astype(np.float32)


def _apply(src, limit, grid, padding):
    x = src if src.ndim == 2 else src[..., 0]
    height, width = x.shape
    across, down = grid
    wide = x
    for axis, more in enumerate(padding):
        n = wide.shape[axis]
        wide = take_static(wide, axis, border_index(np.arange(n + more), n, "mirror"))
    rows, columns = wide.shape[0] // down, wide.shape[1] // across
    levels = _LEVELS[np.dtype(src.dtype)]
    tile = (np.arange(wide.shape[0])[:, None] // rows) * across + np.arange(wide.shape[1]) // columns
    counts = counts_of(tile.astype(np.int32) * levels + wide.astype(np.int32), across * down * levels)
    counts = _clipped(counts.reshape(-1, levels), limit)
    scale = np.float32(levels - 1) / np.float32(rows * columns)
    table = saturate(jnp.cumsum(counts, axis=-1).astype(np.float32) * scale, src.dtype).ravel()
    top, bottom, ya = _weights(height, down, rows)
    left, right, xa = _weights(width, across, columns)
    ya, value = ya[:, None], x.astype(np.int32)

    def of(tile_row, tile_column):
        first = (tile_row[:, None] * across + tile_column) * levels
        return table[first + value].astype(np.float32)

    one = np.float32(1)
    above = of(top, left) * (one - xa) + of(top, right) * xa
    below = of(bottom, left) * (one - xa) + of(bottom, right) * xa
    return saturate(above * (one - ya) + below * ya, src.dtype)


_bridge = Bridge(
    "cv2.CLAHE.apply",
    _apply,
    static=("grid", "padding"),
    ignored=(),
    callables={},
    trees=(),
    dtypes="keep",
    out=None,
    prepare=_prepare,
    supports=None,
    validate=None,
    finite=(),
    finish=into_dst,
    finish_jax=None,
    drive=None,
    extras={},
    signature=inspect.signature(_signature),
)


def _original(src, clip, grid, bits, dst=None):
    import cv2

    theirs = cv2.createCLAHE(clip, grid)
    theirs.setBitShift(bits)
    return theirs.apply(src, dst)


_bridge.original = _original


class CLAHE:
    """What `createCLAHE` returns. `apply` computes; the setters change one object, as in OpenCV."""

    def __init__(self, clipLimit=40.0, tileGridSize=(8, 8)):
        self.setClipLimit(clipLimit)
        self.setTilesGridSize(tileGridSize)
        self._bits = 0

    def apply(self, src, dst=None):
        """Equalise the tiles of an image of one channel, uint8 or uint16, and blend them bilinearly.

        Runs in both worlds, under jit and vmap; uint8 within one level of OpenCV (mostly exact).

        Raises
        ------
        cv2.error
            Other depths, several channels, empty images.

        Examples
        --------
        >>> import numpy as np
        >>> from image import cv2
        >>> cv2.createCLAHE(2.0, (2, 2)).apply(np.arange(16, dtype=np.uint8).reshape(4, 4)).dtype
        dtype('uint8')
        """
        return _bridge(src, self._clip, self._grid, self._bits, dst)

    def setClipLimit(self, clipLimit):
        if is_traced(clipLimit):
            fail("CLAHE.setClipLimit", "clipLimit is traced: it must be a number")
        self._clip = float(clipLimit)

    def getClipLimit(self):
        return self._clip

    def setTilesGridSize(self, tileGridSize):
        grid = pair(tileGridSize, "CLAHE.setTilesGridSize", "tileGridSize")
        if min(grid) <= 0:
            fail("CLAHE.setTilesGridSize", f"tileGridSize={tileGridSize!r} must be positive")
        self._grid = grid

    def getTilesGridSize(self):
        return self._grid

    def setBitShift(self, bitShift):
        self._bits = int(bitShift)

    def getBitShift(self):
        return self._bits

    def collectGarbage(self):
        """Nothing is kept between calls."""

    def __repr__(self):
        return f"CLAHE(clipLimit={self._clip}, tileGridSize={self._grid})"


def createCLAHE(clipLimit=40.0, tileGridSize=(8, 8)):
    """Contrast-limited adaptive histogram equalisation; an object with ``apply`` and OpenCV's setters.

    Parameters
    ----------
    clipLimit : float
        Highest count of a tile's histogram, in multiples of the mean count; 0 for no limit.
    tileGridSize : (int, int)
        Tiles across and down.

    Returns
    -------
    CLAHE

    Notes
    -----
    On the original library: a bit shift, one-dimensional arrays.

    References
    ----------
    K. Zuiderveld, "Contrast limited adaptive histogram equalization", Graphics Gems IV, 1994.
    """
    return CLAHE(clipLimit, tileGridSize)


def _levels():
    return np.random.default_rng(29).integers(0, 256, (8, 9), dtype=np.uint8) // 3


def _signature_equalize(src, dst=None):
    """OpenCV's signature."""


def _prepare_equalize(call):
    src = image_argument(call, "equalizeHist", empty=True)
    if np.dtype(src.dtype) != np.uint8 or (src.ndim == 3 and src.shape[2] != 1):
        fail("equalizeHist", f"src must be uint8 with one channel, not {src.dtype} {src.shape}")
    if src.ndim == 1:
        raise HostRoute(Reason.SHAPE, "src has one dimension")


@implements(
    "cv2.equalizeHist",
    dtypes="keep",
    signature=inspect.signature(_signature_equalize),
    prepare=_prepare_equalize,
    finish=into_dst,
    grad=False,
    note="one-dimensional arrays",
    examples=lambda: [Example((_levels(),), vmap=("src",), rtol=0, atol=0)],
)
def equalizeHist(src):
    """Equalise the histogram of a uint8 image: grey levels through their cumulative share, exact.

    Raises
    ------
    cv2.error
        Images that are not uint8 with one channel.

    Examples
    --------
    >>> import numpy as np
    >>> from image import cv2
    >>> cv2.equalizeHist(np.array([[3, 3, 4, 9]], np.uint8))
    array([[  0,   0, 128, 255]], dtype=uint8)
    """
    x = src if src.ndim == 2 else src[..., 0]
    counts = counts_of(x.astype(np.int32), 256)
    first = jnp.argmax(counts > 0)
    rest = x.size - counts[first]
    scale = jnp.float32(255) / jnp.maximum(rest, 1).astype(np.float32)
    above = jnp.cumsum(jnp.where(jnp.arange(256) > first, counts, 0))
    table = saturate(above.astype(np.float32) * scale, np.uint8)
    table = jnp.where(rest == 0, first.astype(np.uint8), table)  # an image of one level stays as it is
    return table[x.astype(np.int32)]
