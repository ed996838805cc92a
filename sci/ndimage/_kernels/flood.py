"""Repeated binary erosion and dilation, and floods to convergence.

A flood moves by one structure per step in SciPy's list of changed pixels. Data-parallel steps over the whole image
would need as many steps as the longest path is long. With the usual structures a flood fills the connected
components of the mask that it touches, which takes one labelling; with others whole runs of the mask are filled at
once, by doubling, where the structure has both neighbours along an axis.
"""

import numpy as np
from jax import lax
from jax import numpy as jnp

from .components import label_components
from .extremes import extreme_window


def binary_step(x, mask, footprint, origins, border, dilate):
    """One erosion (or dilation) of the boolean `x` where `mask` is true (everywhere if None)."""
    result = extreme_window(x, footprint, "constant", border, origins, not dilate)
    return result if mask is None else jnp.where(mask, result, x)


def _shifted(x, axis, step, by):
    """`x` moved by `by` samples towards higher (step 1) or lower indices; what enters is false."""
    n = x.shape[axis]
    config = [(0, 0, 0)] * x.ndim
    config[axis] = (by, -by, 0) if step > 0 else (-by, by, 0)
    return lax.pad(x, np.zeros((), bool), config) if by < n else jnp.zeros_like(x)


def fill_runs(x, mask, axis):
    """Spread the true samples of `x` along `axis` through connected runs of `mask`, both ways."""
    for direction in (1, -1):
        reach, open_, by = x, mask, 1
        while by < x.shape[axis]:
            reach = lax.optimization_barrier(reach | (open_ & _shifted(reach, axis, direction, by)))
            open_ = lax.optimization_barrier(open_ & _shifted(open_, axis, direction, by))
            by *= 2
        x = reach
    return x


def _line_axes(footprint, origins, shape):
    """Axes along which the centre and both neighbours belong to the footprint: runs may be filled at once."""
    centre = [n // 2 + o for n, o in zip(footprint.shape, origins, strict=True)]

    def has(*at):
        inside = all(0 <= k < n for k, n in zip(at, footprint.shape, strict=True))
        return inside and bool(footprint[at])

    axes = []
    for axis, length in enumerate(shape):
        around = [[c + (d if a == axis else 0) for a, c in enumerate(centre)] for d in (-1, 0, 1)]
        if length > 2 and all(has(*at) for at in around):
            axes.append(axis)
    return axes


def repeat(x, mask, iterations, footprint, origins, border, dilate):
    """`binary_step` `iterations` times, or until nothing changes where `iterations` < 1.

    `iterations` may be traced; steps end early when nothing changes any more.
    """
    if isinstance(iterations, int) and iterations == 1:
        return binary_step(x, mask, footprint, origins, border, dilate)

    def going(state):
        k, _, changed = state
        return changed & ((iterations < 1) | (k < iterations))

    def step(state):
        k, old, _ = state
        new = binary_step(old, mask, footprint, origins, border, dilate)
        return k + 1, new, jnp.any(new != old)

    return lax.while_loop(going, step, (jnp.int32(0), x, jnp.array(True)))[1]


def _joins_components(footprint, origins):
    """Whether dilation by the footprint spreads through connected components: 3 samples wide and symmetric."""
    return (
        footprint.ndim > 0
        and all(n == 3 for n in footprint.shape)
        and not any(origins)
        and np.array_equal(footprint, np.flip(footprint))
        and footprint[(1,) * footprint.ndim]
    )


def flood(x, mask, footprint, origins, border):
    """Dilate `x` within `mask` until nothing changes."""
    if x.size == 0:
        return x
    open_ = jnp.ones_like(x) if mask is None else mask
    if _joins_components(footprint, origins):
        labels, _ = label_components(open_, footprint)
        reached = binary_step(x, mask, footprint, origins, border, True) & open_
        chosen = jnp.zeros(x.size + 1, bool).at[jnp.where(reached, labels, 0)].set(True).at[0].set(False)
        return x | chosen[labels]
    axes = _line_axes(footprint, origins, x.shape)

    def step(state):
        old, _ = state
        new = binary_step(old, mask, footprint, origins, border, True)
        for axis in axes:
            new = fill_runs(new, open_, axis)
        return new, jnp.any(new != old)

    return lax.while_loop(lambda s: s[1], step, (x, jnp.array(True)))[0]
