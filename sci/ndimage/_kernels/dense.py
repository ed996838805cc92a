"""Correlation with a kernel of any shape and dimension: shifted slices of one extended array."""

import numpy as np
from jax import lax
from jax import numpy as jnp

from .borders import pad_axis
from .casting import rounding_guard, separate_product

# Kernels of more taps run as a loop over groups of taps, so that compile time does not grow with the kernel.
_UNROLL = 64
_GROUP = 8


def extend(x, sizes, origins, mode, cval):
    """Extend every axis as a window of `sizes` (with `origins`) needs."""
    for axis, (size, origin) in enumerate(zip(sizes, origins, strict=True)):
        before = size // 2 + origin
        x = pad_axis(x, axis, before, size - 1 - before, mode, cval)
    return lax.optimization_barrier(x)


def nonzero_taps(weights):
    """Positions of the taps that count, as SciPy decides it: an ``(n, ndim)`` array."""
    return np.argwhere(np.abs(np.asarray(weights)) > np.finfo(np.float64).eps)


def correlate_dense(x, weights, taps, mode, cval, origins, exact=False):
    """Correlate `x` with `weights` of the same dimension, at the positions `taps` of the kernel only.

    Parameters
    ----------
    x : inexact array
    weights : array of the same ndim
    taps : sequence of tuples
        Static kernel positions, summed in the order given.
    mode, cval, origins
        Canonical border mode, constant, and the window's shift per axis.
    exact : bool
        Round products as SciPy does (float64 only).
    """
    if x.size == 0 or len(taps) == 0:
        return jnp.zeros_like(x)
    weights = weights.astype(x.dtype)
    padded = extend(x, weights.shape, origins, mode, cval)
    guard = rounding_guard(weights) if exact else None
    values = weights[tuple(np.asarray(taps).T)]
    return sum_of_taps(padded, values, taps, x.shape, guard)


def sum_of_taps(padded, values, positions, shape, guard=None):
    """``sum_k values[k] * padded[positions[k] : positions[k] + shape]``, in the order given, behind a barrier.

    Parameters
    ----------
    padded : inexact array
    values : array, shape (n,)
    positions : sequence of n tuples
        Static.
    shape : tuple of int
        Of the result.
    guard
        See `casting.rounding_guard`.
    """
    if len(positions) <= _UNROLL:
        total = None
        for k, position in enumerate(positions):
            window = lax.slice(padded, position, [p + n for p, n in zip(position, shape, strict=True)])
            term = separate_product(values[k], window, guard)
            total = term if total is None else total + term
        return lax.optimization_barrier(total)
    return _looped(padded, values, np.asarray(positions, np.int32), shape, guard)


def _looped(padded, values, taps, shape, guard):
    spare = -len(taps) % _GROUP  # the last group is filled with taps of weight zero at a real position
    taps = np.concatenate([taps, np.repeat(taps[-1:], spare, axis=0)])
    valid = (np.arange(len(taps)) < len(taps) - spare).reshape(-1, _GROUP)
    values = jnp.concatenate([values, jnp.zeros(spare, values.dtype)]).reshape(-1, _GROUP)

    def group(total, step):
        positions, factors, real = step
        for k in range(_GROUP):
            window = lax.dynamic_slice(padded, [positions[k, d] for d in range(len(shape))], shape)
            term = separate_product(factors[k], window, guard)
            # a filler must not turn infinities into NaN
            total = total + (term if spare == 0 else jnp.where(real[k], term, 0))
        return total, None

    steps = (jnp.asarray(taps).reshape(-1, _GROUP, len(shape)), values, jnp.asarray(valid))
    return lax.scan(group, jnp.zeros(shape, padded.dtype), steps)[0]
