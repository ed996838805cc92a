"""Two-dimensional windows over images of (rows, columns[, channels]).

Columns and channels are flattened, so that every tap of a window is a shift of one long row whatever the number of
channels: XLA vectorises over the row and not over three samples.
"""

import numpy as np
from jax import lax

from .borders import pad_axis
from .dense import sum_of_taps


def extend_plane(x, before, after, mode, cval=0.0):
    """Extend rows and columns: `before` and `after` are (rows, columns)."""
    for axis in (0, 1):
        x = pad_axis(x, axis, before[axis], after[axis], mode, cval)
    return lax.optimization_barrier(x)


def flatten_plane(x):
    """(rows, columns, channels) as (rows, columns * channels), and the number of channels."""
    channels = x.shape[2] if x.ndim == 3 else 1
    return x.reshape(x.shape[0], x.shape[1] * channels), channels


def correlate_plane(x, values, taps, anchor, size, mode, cval=0.0):
    """Correlate the first two axes with a kernel given by its taps.

    Parameters
    ----------
    x : inexact array, (rows, columns) or (rows, columns, channels)
    values : array, shape (n,)
        Weights of the taps.
    taps : sequence of n (row, column)
        Static positions in the kernel.
    anchor, size : (rows, columns)
        The kernel's anchor and extent.
    mode, cval
        Canonical border mode and its constant.
    """
    after = [n - 1 - a for n, a in zip(size, anchor, strict=True)]
    padded, channels = flatten_plane(extend_plane(x, anchor, after, mode, cval))
    positions = [(int(i), int(j) * channels) for i, j in taps]
    shape = (x.shape[0], int(np.prod(x.shape[1:])))
    return sum_of_taps(padded, values.astype(x.dtype), positions, shape).reshape(x.shape)
