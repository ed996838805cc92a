"""Correlation along one axis as a sum of shifted slices.

XLA turns the sum into one vectorised loop, provided that the passes stay apart: without the barriers it
fuses the first pass into every tap of the second and takes ten times longer. Borders are computed apart
from the interior on large arrays, which saves writing a padded copy.
"""

import numpy as np
from jax import lax
from jax import numpy as jnp

from .borders import border_index, pad_axis, take_static
from .casting import rounding_guard, separate_product
from .stages import LARGE, staged

# Below this inner extent the axis and all that follow are flattened, so that a shift is one of a long row.
_FLATTEN_BELOW = 64
# Arrays under this size are padded whole: fewer operations to compile, and the copy stays in cache.
_SPLIT_ABOVE = 1 << 17
_FEW_TAPS = 11
# Kernels of so many taps are cheaper tap by tap than in two passes.
_ONE_PASS = 9

EVEN, ODD, GENERAL = 1, -1, 0


def symmetry_of(weights):
    """`EVEN`, `ODD` or `GENERAL`, decided as SciPy does; `weights` is a NumPy array."""
    weights = np.asarray(weights)
    if weights.size % 2 == 0 or weights.dtype.kind == "c":
        return GENERAL
    eps = np.finfo(np.float64).eps
    if not np.any(np.abs(weights - weights[::-1]) > eps):  # NaN passes, as in SciPy
        return EVEN
    if not np.any(np.abs(weights + weights[::-1]) > eps):
        return ODD
    return GENERAL


def _sum_outwards(shifted, weights, size, symmetry, bias):
    """The same sum in OpenCV's order: `bias` and the centre first, then pairs outwards."""
    half = size // 2
    total = bias if symmetry == ODD else weights[half] * shifted(half) + bias
    for k in reversed(range(half)):
        left, right = shifted(k), shifted(size - 1 - k)
        total = total + weights[k] * (left + right if symmetry == EVEN else left - right)
    return total


def _sum_of_taps(shifted, weights, size, symmetry, guard):
    """Add up ``weights[k] * shifted(k)`` in SciPy's order: centre first, then pairs from the ends in."""
    half = size // 2
    if symmetry == GENERAL:
        order = [size - 1, *range(size - 1)]
        total = None
        for k in order:
            term = separate_product(weights[k], shifted(k), guard)
            total = term if total is None else total + term
        return total
    total = separate_product(weights[half], shifted(half), guard)
    for k in range(half):
        left, right = shifted(k), shifted(size - 1 - k)
        pair = left + right if symmetry == EVEN else left - right
        total = total + separate_product(weights[k], pair, guard)
    return total


def _valid(x, weights, axis, symmetry, guard, bias=None):
    """Correlation of an already extended array: the axis shrinks by ``len(weights) - 1``."""
    size = weights.shape[0]
    length = x.shape[axis] - size + 1
    inner = int(np.prod(x.shape[axis + 1 :], dtype=int))
    shape = (*x.shape[:axis], length, *x.shape[axis + 1 :])
    if axis > 0 and 1 < inner < _FLATTEN_BELOW:
        flat = x.reshape((*x.shape[:axis], x.shape[axis] * inner))

        def shifted(k):
            return lax.slice_in_dim(flat, k * inner, (k + length) * inner, axis=axis)
    else:
        flat = x.reshape((*x.shape[: axis + 1], inner)) if inner > 1 else x

        def shifted(k):
            return lax.slice_in_dim(flat, k, k + length, axis=axis)

    if bias is not None and symmetry != GENERAL:
        return _sum_outwards(shifted, weights, size, symmetry, bias).reshape(shape)
    total = _sum_of_taps(shifted, weights, size, symmetry, guard).reshape(shape)
    return total if bias is None else total + bias


def correlate_axis(x, weights, axis, mode, cval=0.0, origin=0, symmetry=GENERAL, exact=False, bias=None):
    """Correlate `x` with `weights` along `axis`: ``out[i] = sum_k weights[k] x[i + k - n//2 - origin]``.

    Parameters
    ----------
    x : inexact array
        Converted to the arithmetic's dtype by the caller.
    weights : array, shape (n,)
        Any length, also longer than the axis.
    mode, cval
        A canonical border mode (`borders.FILTER_MODES`) and the value for ``constant``.
    origin : int
        Shift of the window, as in SciPy.
    symmetry : {EVEN, ODD, GENERAL}
        Pairs taps of equal weight: half the multiplications. Must be true of `weights`.
    exact : bool
        Round products as SciPy does (float64 only), for results that are truncated to integers.
    bias : scalar, optional
        Added to the result; if given, taps are summed in OpenCV's order, from the centre outwards.

    Returns
    -------
    array of `x`'s shape and dtype, behind a barrier: the next pass is not fused with this one.
    """
    size, length = weights.shape[0], x.shape[axis]
    if x.size == 0:
        return x
    weights = weights.astype(x.dtype)
    guard = rounding_guard(weights) if exact else None
    before = size // 2 + origin
    after = size - 1 - before
    # Apart along the first axis the parts are contiguous; along later ones that pays for few taps only
    # (1080x1920x3 float32: 25 taps 22 ms apart, 11 ms padded; 9 taps 3.7 ms apart, 4.5 ms padded).
    apart = axis == 0 or size <= _FEW_TAPS
    if x.size < _SPLIT_ABOVE or length < 4 * size or not apart:
        padded = lax.optimization_barrier(pad_axis(x, axis, before, after, mode, cval))
        return lax.optimization_barrier(_valid(padded, weights, axis, symmetry, guard, bias))

    def edge(start, stop):
        index = border_index(np.arange(start - before, stop + after), length, mode)
        padded = lax.optimization_barrier(take_static(x, axis, index, cval))
        return _valid(padded, weights, axis, symmetry, guard, bias)

    parts = [_valid(x, weights, axis, symmetry, guard, bias)]
    if before:
        parts.insert(0, edge(0, before))
    if after:
        parts.append(edge(length - after, length))
    parts = lax.optimization_barrier(tuple(parts))
    return lax.optimization_barrier(jnp.concatenate(parts, axis=axis))


def fits_integers(x, sizes):
    """Whether `integer_passes` is the faster way: large images of integers and kernels that are small beside them."""
    return x.dtype.kind != "f" and x.size >= LARGE and all(n >= 4 * s for n, s in zip(x.shape, sizes, strict=False))


def integer_passes(x, horizontal, vertical, dtypes, mode, symmetry, bias=(0, 0)):
    """Correlate an image of integers along its rows, then along its columns.

    The image is extended while its samples are small, so that no pass has borders to put together. What lies between
    the passes is written and read again: in half the width that takes half the time (a 5 x 5 blur of 1080p bytes by
    way of uint16: 0.6 ms, by way of float32 1.8 ms). Small kernels go over the image once, nothing lies between.

    Parameters
    ----------
    x : integer array (rows, columns[, channels]) for which `fits_integers` holds
    horizontal, vertical : arrays of odd length
    dtypes : (dtype, dtype)
        Of the sums along rows, which they must hold exactly if they are integers, and of the result.
    symmetry : (int, int)
        Of the vertical and of the horizontal kernel.
    bias : (scalar, scalar)
        Added to the sums along columns, and along rows.
    """
    first, second = (np.dtype(d) for d in dtypes)
    horizontal, vertical = horizontal.astype(first), vertical.astype(second)
    down, across = (jnp.asarray(b, d) for b, d in zip(bias, (second, first), strict=True))
    sizes = horizontal.shape[0], vertical.shape[0]

    def extended(image):
        return pad_axis(pad_axis(image, 1, sizes[0] // 2, sizes[0] // 2, mode), 0, sizes[1] // 2, sizes[1] // 2, mode)

    def along_rows(image, weights):
        return _valid(image.astype(first), weights, 1, symmetry[1], None, across)

    image = staged(extended, x)
    once = sizes[0] * sizes[1] <= _ONE_PASS
    taller = along_rows(image, horizontal) if once else staged(along_rows, image, horizontal)
    return _valid(taller.astype(second), vertical, 0, symmetry[0], None, down)


def box_axis(x, size, axis, mode, cval=0.0, origin=0):
    """Sum over a window of `size` samples along `axis`, in ``O(log size)`` additions per sample.

    Windows of 1, 2, 4, ... samples are built by doubling and the binary digits of `size` put together; unlike
    a running sum it cancels nothing, and is exact for integers.
    """
    if x.size == 0:
        return x
    before = size // 2 + origin
    padded = lax.optimization_barrier(pad_axis(x, axis, before, size - 1 - before, mode, cval))
    length = x.shape[axis]

    def cut(a, start, stop):
        return lax.slice_in_dim(a, start, stop, axis=axis)

    total, start, window, width = None, 0, padded, 1
    while width <= size:
        if size & width:
            part = cut(window, start, start + length)
            total = part if total is None else total + part
            start += width
        width *= 2
        if width <= size:
            n = window.shape[axis]
            window = cut(window, 0, n - width // 2) + cut(window, width // 2, n)
            window = lax.optimization_barrier(window)
    return lax.optimization_barrier(total)
