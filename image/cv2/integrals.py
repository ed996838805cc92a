"""Summed-area tables: `integral`, `integral2`, `integral3`.

References: F. C. Crow, "Summed-area tables for texture mapping", SIGGRAPH 1984; R. Lienhart, J. Maydt, "An extended
set of Haar-like features for rapid object detection", ICIP 2002 (the tilted sum).
"""

import inspect

import numpy as np
from jax import lax
from jax import numpy as jnp

from image.cv2._support import DEPTHS, fail, image_argument, into_dst
from image.cv2.constants import CV_32F, CV_32S, CV_64F
from sci.bridge import Example, HostRoute, Reason, implements

_SUMS = {CV_32S: np.dtype(np.int32), CV_32F: np.dtype(np.float32), CV_64F: np.dtype(np.float64)}
# source, sum and squared sum as OpenCV combines them
_PAIRS = {
    np.dtype(np.uint8): {(4, 6), (4, 5), (4, 4), (5, 6), (5, 5), (6, 6)},
    np.dtype(np.uint16): {(6, 6)},
    np.dtype(np.int16): {(6, 6)},
    np.dtype(np.float32): {(5, 6), (5, 5), (6, 6)},
    np.dtype(np.float64): {(6, 6)},
}


def running_sum(x, axis):
    """Inclusive sum along an axis, from the first sample on: a scan over slices (`cumsum` is four times slower)."""
    moved = jnp.moveaxis(x, axis, 0)

    def step(total, row):
        total = total + row
        return total, total

    return jnp.moveaxis(lax.scan(step, jnp.zeros_like(moved[0]), moved)[1], 0, axis)


def _table(x, dtype):
    """Sums over all rows above and columns to the left; one row and one column of zeros first."""
    sums = running_sum(running_sum(x.astype(dtype), 1), 0)
    return jnp.pad(sums, [(1, 0), (1, 0)] + [(0, 0)] * (x.ndim - 2))


def _tilted(x, dtype):
    """Sums over triangles that open upwards: ``T(y, x) = sum I(i, j), i < y, |j - x + 1| <= y - i - 1``."""
    rest = [(0, 0)] * (x.ndim - 2)
    rows = jnp.pad(x.astype(dtype), [(0, 0), (1, 0), *rest])

    def step(carry, row):
        above, above2, before = carry
        # outside the image a triangle of the last row equals the one below its tip, two rows up
        wide = jnp.concatenate([above2[:1], above, above2[-1:]])
        new = wide[:-2] + wide[2:] - above2 + row + before
        return (new, above, row), new

    zero = jnp.zeros_like(rows[0])
    sums = lax.scan(step, (zero, zero, zero), rows)[1]
    return jnp.pad(sums, [(1, 0), (0, 0), *rest])


def _prepare(function):
    def prepare(call):
        # of an empty image OpenCV's integral3 writes beyond its buffers
        src = image_argument(call, function, empty=function != "integral3")
        if src.ndim == 1:
            raise HostRoute(Reason.SHAPE, "src has one dimension")
        dtype = np.dtype(src.dtype)
        allowed = _PAIRS.get(dtype)
        if allowed is None:
            if dtype not in DEPTHS.values() and call.numpy:
                raise HostRoute(Reason.DTYPE, f"src is {dtype}")
            fail(function, f"src is {dtype}: give uint8, uint16, int16, float32 or float64")
        depth = int(call["sdepth"])
        depth = (CV_32S if dtype == np.uint8 else CV_64F) if depth <= 0 else depth
        square = max(int(call.get("sqdepth", -1)), 0) or CV_64F
        if not any(depth == d and (function == "integral" or square == s) for d, s in allowed):
            fail(function, f"sdepth={call['sdepth']}, sqdepth={call.get('sqdepth', -1)} do not fit {dtype}")
        call["depths"] = (_SUMS[depth], _SUMS[square])

    return prepare


def _signature(src, sum=None, sdepth=-1):
    """OpenCV's signature, which Python cannot read from its C function."""


def _signature2(src, sum=None, sqsum=None, sdepth=-1, sqdepth=-1):
    """OpenCV's signature."""


def _signature3(src, sum=None, sqsum=None, tilted=None, sdepth=-1, sqdepth=-1):
    """OpenCV's signature."""


def _finish(call, result):
    if not isinstance(result, tuple):
        return into_dst(call, result, "sum")
    return tuple(into_dst(call, r, name) for r, name in zip(result, ("sum", "sqsum", "tilted"), strict=False))


def _facts(function, signature):
    return {
        "static": ("depths",),
        "dtypes": "keep",
        "signature": inspect.signature(signature),
        "prepare": _prepare(function),
        "finish": _finish,
        "note": "one-dimensional arrays, depths other than uint8, uint16, int16, float32, float64",
    }


def _photo():
    return np.random.default_rng(33).integers(0, 256, (5, 6, 2), dtype=np.uint8)


@implements(
    "cv2.integral",
    **_facts("integral", _signature),
    examples=lambda: [
        Example((_photo(),), rtol=0, atol=0),
        Example((_photo() / 255.0,), grad=("src",), vmap=("src",), float32=False, skip_odd=("inf", "nan")),
    ],
)
def integral(src, depths):
    """Sums over all pixels above and to the left of each corner; differentiable for floating point results.

    Parameters
    ----------
    src : array (h, w) or (h, w, channels)
    sdepth : int
        CV_32S (for uint8, its default), CV_32F, CV_64F.

    Returns
    -------
    array (h + 1, w + 1[, channels])
        In the JAX world without double precision float64 becomes float32. int32 sums wrap, as in OpenCV.

    Raises
    ------
    cv2.error
        Empty images, depths that OpenCV does not combine.

    Examples
    --------
    >>> import numpy as np
    >>> from image import cv2
    >>> cv2.integral(np.array([[1, 2], [3, 4]], np.uint8))
    array([[ 0,  0,  0],
           [ 0,  1,  3],
           [ 0,  4, 10]], dtype=int32)
    """
    return _planes(_table(src, _real(depths[0])))


def _real(dtype):
    """float64 where it is enabled."""
    return np.dtype(jnp.result_type(float)) if dtype == np.float64 else dtype


def _planes(x):
    return x[..., 0] if x.ndim == 3 and x.shape[2] == 1 else x


def _squares(src, dtype):
    wide = src.astype(np.int32 if src.dtype == np.uint8 else _real(np.dtype(np.float64)))
    return _planes(_table(wide * wide, _real(dtype)))


@implements(
    "cv2.integral2",
    **_facts("integral2", _signature2),
    examples=lambda: [Example((_photo()[..., 0],), rtol=0, atol=0)],
)
def integral2(src, depths):
    """`integral` of an image and of its squares.

    Examples
    --------
    >>> import numpy as np
    >>> from image import cv2
    >>> cv2.integral2(np.array([[1, 2]], np.uint8))[1]
    array([[0., 0., 0.],
           [0., 1., 5.]])
    """
    return _planes(_table(src, _real(depths[0]))), _squares(src, depths[1])


@implements(
    "cv2.integral3",
    **_facts("integral3", _signature3),
    examples=lambda: [Example((_photo(),), skip_odd=("empty",), rtol=0, atol=0)],
)
def integral3(src, depths):
    """`integral` of an image and of its squares, and its sum over triangles (rotated by 45 degrees).

    Examples
    --------
    >>> import numpy as np
    >>> from image import cv2
    >>> cv2.integral3(np.array([[1, 2], [3, 4]], np.uint8))[2]
    array([[0, 0, 0],
           [0, 1, 2],
           [1, 6, 7]], dtype=int32)
    """
    sums = _planes(_table(src, _real(depths[0])))
    return sums, _squares(src, depths[1]), _planes(_tilted(src, _real(depths[0])))
