"""Two passes of an even kernel over a large image, without a padded copy between them.

The vertical pass makes one row more above and below than the image has; its border rows are computed apart, from a
few extended rows, so that the image is not copied first. The horizontal pass then runs over the whole image as one
long row (samples of a pixel stand `channels` apart, what it reads across line ends is thrown away) and the border
columns are computed apart and written over it. XLA's CPU backend would fuse the first pass into every tap of the
second: the stages are kept apart (`stages.py`). Each pass writes over its buffer in place, which XLA does only where
the written array has the buffer's own shape: a reshape in between costs a copy of the image.
"""

import numpy as np
from jax import lax
from jax import numpy as jnp

from .borders import border_index, take_static
from .stages import staged

MODES = ("mirror", "reflect", "nearest")


def fits(shape, sizes, mode):
    """Whether an image of (rows, columns[, channels]) is large enough for kernels of `sizes` (vertical first)."""
    if len(shape) not in (2, 3) or mode not in MODES or any(s % 2 == 0 or s < 3 for s in sizes):
        return False
    return int(np.prod(shape)) >= 1 << 18 and all(n >= 4 * s for n, s in zip(shape[:2], sizes, strict=True))


def _outwards(shifted, weights):
    """``sum_k weights[k] shifted(k)`` of an even kernel, from the centre outwards."""
    half = weights.shape[0] // 2
    total = weights[half] * shifted(half)
    for k in reversed(range(half)):
        total = total + weights[k] * (shifted(k) + shifted(weights.shape[0] - 1 - k))
    return total


def even_passes(x, vertical, horizontal, mode):
    """Correlate an image with an even kernel along its columns, then with one along its rows.

    Parameters
    ----------
    x : float array, (rows, columns) or (rows, columns, channels), for which `fits` holds
    vertical, horizontal : arrays of odd length, symmetric
    mode : one of `MODES`
    """
    height, width = x.shape[:2]
    channels = x.shape[2] if x.ndim == 3 else 1
    line = width * channels
    vertical, horizontal = vertical.astype(x.dtype), horizontal.astype(x.dtype)
    down, across = vertical.shape[0] // 2, horizontal.shape[0] // 2
    rows = x.reshape(height, line)

    def columns_pass(rows, weights):
        def cut(block, count):
            return _outwards(lambda k: lax.slice_in_dim(block, k, k + count, axis=0), weights)

        def border(start, stop):
            return cut(take_static(rows, 0, border_index(np.arange(start, stop), height, mode)), down + 1)

        taller = jnp.zeros((height + 2, line), rows.dtype)
        for start, part in (
            (down + 1, cut(rows, height - 2 * down)),
            (0, border(-down - 1, 2 * down)),
            (height - down + 1, border(height - 2 * down, height + down + 1)),
        ):
            taller = lax.dynamic_update_slice(taller, part, (start, 0))
        return taller

    def rows_pass(taller, weights):
        flat, start, count = taller.reshape(-1), line - across * channels, height * line
        shifted = lambda k: lax.slice_in_dim(flat, start + k * channels, start + k * channels + count)  # noqa: E731
        return _outwards(shifted, weights).reshape(height, width, channels)

    def edges(taller, weights):
        strips = []
        for first, low in ((0, -across), (width - 2 * across, width - 2 * across)):
            index = border_index(np.arange(low, low + 3 * across), width, mode) - first
            near = taller[1:-1, first * channels : (first + 2 * across) * channels]
            strip = take_static(near.reshape(height, 2 * across, channels), 1, index).reshape(height, -1)
            shifted = lambda k, s=strip: s[:, k * channels : (k + across) * channels]  # noqa: E731
            strips.append(_outwards(shifted, weights).reshape(height, across, channels))
        return tuple(strips)

    taller = staged(columns_pass, rows, vertical)
    result = staged(rows_pass, taller, horizontal)
    left, right = staged(edges, taller, horizontal)
    result = lax.dynamic_update_slice(result, left, (0, 0, 0))
    result = lax.dynamic_update_slice(result, right, (0, width - across, 0))
    return result.reshape(x.shape)
