"""The k-th smallest value of a window: pruned sorting networks, and bisection on the values of large windows.

References: K. E. Batcher, "Sorting networks and their applications", AFIPS 1968, in the form of D. E. Knuth,
The Art of Computer Programming 3, 5.2.2, algorithm M; the comparators that the wanted output does not
depend on are left out.
"""

import functools

import jax
import numpy as np
from jax import lax
from jax import numpy as jnp

from .dense import extend
from .stages import LARGE, staged

# Above this many taps the network's comparators cost more to compile than bisection costs to run.
NETWORK_TAPS = 81
_GROUP = 8


# The median of nine by the fewest comparators known (J. L. Smith, "Implementing median filters in XC4000E FPGAs",
# Xcell 23, 1996): sorted triples, the largest of the least, the least of the largest, the median of the medians.
_MEDIAN_OF_NINE = (
    *((1, 2), (4, 5), (7, 8), (0, 1), (3, 4), (6, 7), (1, 2), (4, 5), (7, 8)),
    *((0, 3), (5, 8), (4, 7), (3, 6), (1, 4), (2, 5), (4, 7), (4, 2), (6, 4), (4, 2)),
)


@functools.cache
def selection_network(n, rank):
    """Comparators ``(i, j)`` (the smaller to `i`) after which position `rank` of `n` holds the value of that rank."""
    if (n, rank) == (9, 4):
        return _MEDIAN_OF_NINE
    pairs = []
    top = 1 << max((n - 1).bit_length() - 1, 0)
    p = top
    while p > 0:
        q, r, d = top, 0, p
        while True:
            pairs += [(i, i + d) for i in range(n - d) if i & p == r]
            if q == p:
                break
            d, q, r = q - p, q // 2, p
        p //= 2
    needed, kept = {rank}, []
    for i, j in reversed(pairs):
        if i in needed or j in needed:
            kept.append((i, j))
            needed |= {i, j}
    return tuple(reversed(kept))


def rank_footprint(x, footprint, rank, mode, cval, origins):
    """The value of 0-based `rank` among the taps of a NumPy boolean `footprint`; a NaN in the window gives NaN.

    Exact: the result is one of the samples. Differentiable: the sample that is selected carries the gradient.
    """
    if x.size == 0:
        return x
    taps = tuple(map(tuple, np.argwhere(footprint).tolist()))
    window = (footprint.shape, tuple(origins), mode)
    if len(taps) <= NETWORK_TAPS and x.dtype == np.float32 and x.size >= LARGE:
        return lax.optimization_barrier(_by_network_of_bits(x, jnp.asarray(cval, x.dtype), taps, rank, window))
    padded = extend(x, *window, cval)
    if len(taps) <= NETWORK_TAPS:
        return lax.optimization_barrier(_by_network(padded, taps, x.shape, rank))
    return _by_bisection(padded, taps, x.shape, rank)


def _windows(padded, taps, shape):
    return [lax.slice(padded, tap, [t + n for t, n in zip(tap, shape, strict=True)]) for tap in taps]


def _by_network(padded, taps, shape, rank):
    values = _windows(padded, taps, shape)
    for i, j in selection_network(len(taps), rank):
        values[i], values[j] = lax.min(values[i], values[j]), lax.max(values[i], values[j])
    return values[rank]


def _ordered_bits(x):
    """float32 as int32 of the same order, and back (its own inverse): the bits below the sign of negative numbers."""
    bits = x if x.dtype == np.int32 else lax.bitcast_convert_type(x, np.int32)
    return bits ^ ((bits >> 31) & np.int32(0x7FFFFFFF))


@functools.partial(jax.custom_jvp, nondiff_argnums=(2, 3, 4))
def _by_network_of_bits(x, cval, taps, rank, window):
    """`_by_network` on the bits of float32: one instruction for a minimum, where that of floats asks for NaN first."""

    def ordered(value):
        return _ordered_bits(jnp.where(jnp.isnan(value), jnp.nan, value))  # all NaN above infinity, whatever their sign

    keys = staged(lambda image, outside: extend(ordered(image), *window, ordered(outside)), x, cval)
    result = _by_network(keys, taps, x.shape, rank)
    largest = functools.reduce(lax.max, _windows(keys, taps, x.shape))
    spoilt = largest > np.float32(np.inf).view(np.int32)
    return jnp.where(spoilt, jnp.nan, lax.bitcast_convert_type(_ordered_bits(result), np.float32))


@_by_network_of_bits.defjvp
def _by_network_of_bits_jvp(taps, rank, window, primals, tangents):
    def plain(x, cval):
        return _by_network(extend(x, *window, cval), taps, x.shape, rank)

    return jax.jvp(plain, primals, tangents)


# --- bisection ----------------------------------------------------------------------------------


def _to_ordered(x):
    """Map values to unsigned integers of the same order; the inverse is `_from_ordered`."""
    dtype = np.dtype(x.dtype)
    if dtype.kind == "b":
        return x.astype(np.uint8)
    if dtype.kind == "u":
        return x
    bits = 8 * dtype.itemsize
    unsigned = np.dtype(f"u{dtype.itemsize}")
    u = lax.bitcast_convert_type(x, unsigned)
    sign = unsigned.type(1 << (bits - 1))
    if dtype.kind == "i":
        return u ^ sign
    return jnp.where(u & sign != 0, ~u, u | sign)


def _from_ordered(u, dtype):
    dtype = np.dtype(dtype)
    if dtype.kind == "b":
        return u != 0
    if dtype.kind == "u":
        return u
    sign = u.dtype.type(1 << (8 * dtype.itemsize - 1))
    if dtype.kind == "i":
        return lax.bitcast_convert_type(u ^ sign, dtype)
    return lax.bitcast_convert_type(jnp.where(u & sign != 0, u ^ sign, ~u), dtype)


def _grouped(taps):
    """Taps in groups for a scan, and which of them are real."""
    spare = -len(taps) % _GROUP
    index = np.asarray([*taps, *[taps[-1]] * spare], np.int32).reshape(-1, _GROUP, len(taps[0]))
    real = (np.arange(index.shape[0] * _GROUP) < len(taps)).reshape(-1, _GROUP)
    return index, real


@functools.partial(jax.custom_jvp, nondiff_argnums=(1, 2, 3))
def _by_bisection(padded, taps, shape, rank):
    """Build the result bit by bit: a bit is set if at most `rank` samples lie below the value with it set."""
    is_float = padded.dtype.kind == "f"
    # -0.0 and 0.0 are equal, and have to be neighbours' equals in the order too
    keys = _to_ordered(padded + 0.0 if is_float else padded)
    bits = 1 if padded.dtype == np.bool_ else 8 * keys.dtype.itemsize
    index, real = _grouped(taps)

    def count(test):
        def group(total, step):
            at, valid = step
            for k in range(_GROUP):
                hit = test(lambda a, k=k: lax.dynamic_slice(a, list(at[k]), shape)) & valid[k]
                total = total + hit.astype(np.int32)
            return total, None

        return lax.scan(group, jnp.zeros(shape, np.int32), (jnp.asarray(index), jnp.asarray(real)))[0]

    one = np.ones((), keys.dtype)

    def step(k, value):
        trial = value | (one << (bits - 1 - k).astype(keys.dtype))
        below = count(lambda window: window(keys) < trial)
        return jnp.where(below <= rank, trial, value)

    value = lax.fori_loop(np.int32(0), np.int32(bits), step, jnp.zeros(shape, keys.dtype))
    result = _from_ordered(value, padded.dtype)
    if is_float:
        spoilt = count(lambda window: jnp.isnan(window(padded)))
        result = jnp.where(spoilt > 0, jnp.nan, result)
    return result


@_by_bisection.defjvp
def _by_bisection_jvp(taps, shape, rank, primals, tangents):
    (padded,), (slope,) = primals, tangents
    value = _by_bisection(padded, taps, shape, rank)
    index, real = _grouped(taps)

    def group(total, step):
        at, valid = step
        weight, share = total
        for k in range(_GROUP):
            chosen = (lax.dynamic_slice(padded, list(at[k]), shape) == value) & valid[k]
            weight = weight + chosen
            share = share + jnp.where(chosen, lax.dynamic_slice(slope, list(at[k]), shape), 0)
        return (weight, share), None

    zero = jnp.zeros(shape, padded.dtype)
    (weight, share), _ = lax.scan(group, (zero, zero), (jnp.asarray(index), jnp.asarray(real)))
    return value, share / jnp.maximum(weight, 1)
