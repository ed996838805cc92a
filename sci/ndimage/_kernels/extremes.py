"""Minima and maxima over windows: log-step doubling for boxes and runs, one pass over the taps otherwise.

Reference: M. van Herk, "A fast algorithm for local minimum and maximum filters on rectangular and octagonal
kernels", Pattern Recognition Letters 13(7), 1992; here in its data-parallel form, where windows of 1, 2, 4, ...
samples are built by doubling and two overlapping ones cover any length (an extremum counts a sample twice without
harm, unlike a sum).
"""

import math

import numpy as np
from jax import lax
from jax import numpy as jnp

from .borders import pad_axis
from .casting import truncate_to
from .dense import extend

_UNROLL = 96
_GROUP = 8


def chooser(minimum):
    """`lax.min` or `lax.max`: exact for every dtype, NaN wins."""
    return lax.min if minimum else lax.max


def _levels(x, axis, longest, choose, inner=1):
    """Extrema of windows of 1, 2, 4, ... <= `longest` samples, each sample `inner` entries apart."""
    levels, width = [x], 1
    while 2 * width <= longest:
        x = levels[-1]
        n = x.shape[axis]
        low = lax.slice_in_dim(x, 0, n - width * inner, axis=axis)
        high = lax.slice_in_dim(x, width * inner, n, axis=axis)
        levels.append(lax.optimization_barrier(choose(low, high)))
        width *= 2
    return levels


def extreme_axis(x, size, axis, mode, cval, origin, minimum):
    """Minimum or maximum over a window of `size` samples along `axis`, ``O(log size)`` operations per sample.

    Parameters
    ----------
    x : real array of any dtype
    mode, cval, origin
        Canonical border mode, constant (of `x`'s dtype) and the window's shift, as in SciPy.
    """
    if x.size == 0 or size == 1:
        return x
    choose, length = chooser(minimum), x.shape[axis]
    before = size // 2 + origin
    padded = lax.optimization_barrier(pad_axis(x, axis, before, size - 1 - before, mode, cval))
    # the axis and all that follow become one: a shift is then one of a long row
    inner = math.prod(x.shape[axis + 1 :])
    flat = padded.reshape((*x.shape[:axis], -1))
    top = _levels(flat, axis, size, choose, inner)[-1]
    width = 1 << (size.bit_length() - 1)
    low = lax.slice_in_dim(top, 0, length * inner, axis=axis)
    high = lax.slice_in_dim(top, (size - width) * inner, (size - width + length) * inner, axis=axis)
    return lax.optimization_barrier(choose(low, high).reshape(x.shape))


def _runs(footprint):
    """The footprint as runs along its last axis: ``(position of the first tap, length)``."""
    runs = []
    for row in np.ndindex(*footprint.shape[:-1]):
        line = np.flatnonzero(np.diff(np.concatenate([[0], footprint[row].astype(int), [0]])))
        runs += [((*row, int(a)), int(b - a)) for a, b in zip(line[::2], line[1::2], strict=True)]
    return runs


def extreme_footprint(x, footprint, mode, cval, origins, minimum):
    """Minimum or maximum over the taps of a NumPy boolean `footprint` of `x`'s dimension.

    Runs of taps along the last axis share the windows built by doubling, so a disk of radius r takes O(r)
    operations per sample, not O(r^2).
    """
    if x.size == 0:
        return x
    choose, axis = chooser(minimum), x.ndim - 1
    padded = extend(x, footprint.shape, origins, mode, cval)
    runs = _runs(footprint)
    levels = _levels(padded, axis, max(n for _, n in runs), choose)
    taps: dict[int, list] = {}
    for first, n in runs:
        level = n.bit_length() - 1
        starts = {first[-1], first[-1] + n - (1 << level)}
        taps.setdefault(level, []).extend((*first[:-1], s) for s in sorted(starts))
    total = None
    for level, positions in taps.items():
        part = extreme_taps(levels[level], positions, x.shape, choose)
        total = part if total is None else choose(total, part)
    return lax.optimization_barrier(total)


def extreme_taps(padded, positions, shape, choose, value=None, first=None):
    """``choose`` over the windows of `shape` at the static `positions`.

    ``value(window, k)`` is the `k`-th tap's contribution (the window itself by default), `k` an index that may be
    traced; `first` is one that is there already.
    """
    value = value or (lambda window, k: window)
    if len(positions) <= _UNROLL:
        total = first
        for k, tap in enumerate(positions):
            new = value(lax.slice(padded, tap, [t + n for t, n in zip(tap, shape, strict=True)]), k)
            total = new if total is None else choose(total, new)
        return total
    spare = -len(positions) % _GROUP  # the last group repeats a tap, which changes no extremum
    count = np.minimum(np.arange(len(positions) + spare), len(positions) - 1).astype(np.int32)
    index = np.asarray(positions, np.int32)[count]

    def group(total, step):
        at, which = step
        for k in range(_GROUP):
            total = choose(total, value(lax.dynamic_slice(padded, list(at[k]), shape), which[k]))
        return total, None

    if first is None:
        first = value(lax.dynamic_slice(padded, list(index[0]), shape), 0)
    steps = jnp.asarray(index.reshape(-1, _GROUP, len(shape))), jnp.asarray(count.reshape(-1, _GROUP))
    return lax.scan(group, first, steps)[0]


def extreme_structure(x, acc, footprint, structure, mode, cval, origins, minimum):
    """Extremum over the taps of ``x - structure`` (minimum) or ``x + structure`` (maximum), in the dtype `acc`.

    As in SciPy the first tap is summed in `acc` and the others in `x`'s dtype, to which the structure is cast: for
    integers the result shows it where the structure is not integer or a sum leaves the range.
    """
    if x.size == 0:
        return x
    padded = extend(x, footprint.shape, origins, mode, cval)
    taps = np.argwhere(footprint)
    offsets = structure.astype(acc)[tuple(taps.T)]
    offsets = -offsets if minimum else offsets
    own = offsets if x.dtype.kind == "f" else truncate_to(offsets, x.dtype)
    value = lambda window, k: (window.astype(own.dtype) + own[k]).astype(acc)  # noqa: E731
    positions = [tuple(p) for p in taps.tolist()]
    first = lax.slice(padded, positions[0], [t + n for t, n in zip(positions[0], x.shape, strict=True)])
    first = first.astype(acc) + offsets[0]
    if len(positions) == 1:
        return first
    rest, later = positions[1:], lambda window, k: value(window, k + 1)
    return lax.optimization_barrier(extreme_taps(padded, rest, x.shape, chooser(minimum), later, first))


def extreme_window(x, footprint, mode, cval, origins, minimum):
    """Extremum over a NumPy boolean window: axis by axis where it is a full box."""
    if not footprint.all():
        return extreme_footprint(x, footprint, mode, cval, origins, minimum)
    for axis, (size, origin) in enumerate(zip(footprint.shape, origins, strict=True)):
        x = extreme_axis(x, size, axis, mode, cval, origin, minimum)
    return x
