"""Interpolation kernels that are not splines, at continuous coordinates: nearest, linear, Keys' cubic, Lanczos.

Taps beyond the border are folded back one by one (`borders.border_index`), as OpenCV does; SciPy folds the coordinate
(`resample.axis_taps`).
"""

import numpy as np
from jax import numpy as jnp

from .borders import border_index
from .resample import resample_points

KINDS = ("nearest", "linear", "cubic", "lanczos")
_FAR = 2.0**20  # beyond any image: NaN and huge coordinates are sent there, out of it


def keys_weights(t, a=-0.75):
    """The four weights of R. G. Keys' cubic convolution (IEEE Trans. ASSP 29(6), 1981) at ``-1, 0, 1, 2`` minus `t`."""
    near, far = 1 - t, t + 1
    w0 = ((a * far - 5 * a) * far + 8 * a) * far - 4 * a
    w1 = ((a + 2) * t - (a + 3)) * t * t + 1
    w2 = ((a + 2) * near - (a + 3)) * near * near + 1
    return [w0, w1, w2, 1 - w0 - w1 - w2]


def lanczos_weights(t):
    """The eight weights of a Lanczos window of four lobes, normalised."""
    distances = [t + (3 - k) for k in range(8)]
    weights = [jnp.sinc(d) * jnp.sinc(d * 0.25) for d in distances]
    total = sum(weights)
    return [w / total for w in weights]


def point_taps(coordinate, length, kind, mode):
    """Indices (folded back; `OUTSIDE` where `mode` is constant) and weights of the taps along one axis, as lists."""
    sane = jnp.abs(coordinate) < _FAR
    coordinate = jnp.where(sane, coordinate, -_FAR)
    if kind == "nearest":
        start, weights = jnp.round(coordinate).astype(np.int32), [jnp.ones_like(coordinate)]
    else:
        floor = jnp.floor(coordinate)
        t = coordinate - floor
        start = floor.astype(np.int32)
        if kind == "linear":
            weights = [1 - t, t]
        elif kind == "cubic":
            start, weights = start - 1, keys_weights(t)
        else:
            start, weights = start - 3, lanczos_weights(t)
    index = [border_index(start + k, length, mode, jnp).astype(np.int32) for k in range(len(weights))]
    return index, weights


def sample(x, rows, columns, kind, mode, value=None):
    """`x` at continuous positions of its first two axes, further axes ride along.

    Parameters
    ----------
    x : array, (h, w, *rest); inexact but for "nearest"
    rows, columns : float arrays of one shape
    kind : one of `KINDS`
    mode : canonical border mode
    value : array that broadcasts to ``rest``, optional
        What stands outside for "constant"; zero by default.
    """
    taps = [point_taps(c, x.shape[a], kind, mode) for a, c in enumerate((rows, columns))]
    if mode != "constant":
        return resample_points(x, taps)
    if value is None:
        return resample_points(x, taps, 0)
    if kind == "nearest":
        outside = (taps[0][0][0] < 0) | (taps[1][0][0] < 0)
        result = resample_points(x, taps, 0)
        return jnp.where(outside.reshape(outside.shape + (1,) * (x.ndim - 2)), value.astype(x.dtype), result)
    value = value.astype(x.dtype)  # weights add up to one: shift the image instead of filling
    return resample_points(x - value, taps, 0) + value
