"""Border extension: one integer index map, one padding routine, every mode of SciPy and of OpenCV.

Canonical modes (SciPy's names; OpenCV's in brackets), shown for the samples ``a b c d``::

    reflect    d c b a | a b c d | d c b a     [BORDER_REFLECT]      alias grid-mirror
    mirror       d c b | a b c d | c b a       [BORDER_REFLECT_101]
    nearest    a a a a | a b c d | d d d d     [BORDER_REPLICATE]
    wrap       a b c d | a b c d | a b c d     [BORDER_WRAP]         alias grid-wrap
    constant   k k k k | a b c d | k k k k     [BORDER_CONSTANT]     alias grid-constant

The aliases hold for filters only; interpolation tells ``wrap`` from ``grid-wrap`` and ``constant`` from
``grid-constant`` (see ``resample.py``).
"""

import numpy as np
from jax import lax
from jax import numpy as jnp

FILTER_MODES = {
    "reflect": "reflect",
    "grid-mirror": "reflect",
    "mirror": "mirror",
    "nearest": "nearest",
    "wrap": "wrap",
    "grid-wrap": "wrap",
    "constant": "constant",
    "grid-constant": "constant",
}
OUTSIDE = -1


def border_index(position, length, mode, xp=np):
    """Map integer positions outside ``[0, length)`` to the sample standing there (`OUTSIDE` for constant)."""
    if mode == "constant":
        return xp.where((position < 0) | (position >= length), OUTSIDE, position)
    if mode == "nearest":
        return xp.clip(position, 0, length - 1)
    if mode == "wrap":
        return position % length
    if mode == "reflect":
        folded = position % (2 * length)
        return xp.where(folded < length, folded, 2 * length - 1 - folded)
    if mode == "mirror":
        period = max(2 * length - 2, 1)
        folded = position % period
        return xp.where(folded < length, folded, period - folded)
    raise ValueError(f"unknown border mode {mode!r}")


def _runs(index):
    """Split an index map into maximal runs of step +1, -1 or 0: ``(first, count, step)``."""
    runs, start = [], 0
    while start < len(index):
        steps = index[start + 1 : start + 2] - index[start : start + 1]
        step = int(steps[0]) if steps.size and -1 <= steps[0] <= 1 else 1
        if index[start] == OUTSIDE:
            step = 0
        stop = start + 1
        while stop < len(index) and index[stop] != OUTSIDE and index[stop] - index[stop - 1] == step:
            stop += 1
        if step == 0 and index[start] == OUTSIDE:
            while stop < len(index) and index[stop] == OUTSIDE:
                stop += 1
        runs.append((int(index[start]), stop - start, step))
        start = stop
    return runs


def _run_slice(x, axis, first, count, step, fill):
    shape = (*x.shape[:axis], count, *x.shape[axis + 1 :])
    if first == OUTSIDE:
        return jnp.broadcast_to(fill, shape)
    if step == 1:
        return lax.slice_in_dim(x, first, first + count, axis=axis)
    if step == -1:
        return lax.rev(lax.slice_in_dim(x, first - count + 1, first + 1, axis=axis), (axis,))
    return jnp.broadcast_to(lax.slice_in_dim(x, first, first + 1, axis=axis), shape)


def take_static(x, axis, index, cval=0.0):
    """Samples ``x[index]`` along `axis` for a NumPy index map, as a few slices where the map allows it.

    Entries equal to `OUTSIDE` give `cval`. Slices, unlike a gather, run at memory speed on every backend.
    """
    fill = jnp.asarray(cval).astype(x.dtype)
    runs = _runs(index)
    if len(runs) <= 16:
        parts = [_run_slice(x, axis, *run, fill) for run in runs]
        return parts[0] if len(parts) == 1 else jnp.concatenate(parts, axis=axis)
    taken = jnp.take(x, np.maximum(index, 0), axis=axis, mode="clip")
    if (index < 0).any():
        inside = np.expand_dims(index >= 0, [a for a in range(x.ndim) if a != axis])
        taken = jnp.where(inside, taken, fill)
    return taken


def pad_axis(x, axis, before, after, mode, cval=0.0):
    """Extend `x` by `before` and `after` samples along `axis`; the pads may be longer than the array."""
    if before == 0 and after == 0:
        return x
    length = x.shape[axis]
    # the array itself is one part as it lies: joined to a run of the border it would be copied once more
    parts = [x]
    if before:
        parts.insert(0, take_static(x, axis, border_index(np.arange(-before, 0), length, mode), cval))
    if after:
        parts.append(take_static(x, axis, border_index(np.arange(length, length + after), length, mode), cval))
    return jnp.concatenate(parts, axis=axis)
