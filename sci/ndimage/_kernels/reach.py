"""What can be reached from a seed when each sample says from which neighbour it may be entered.

Sweeps over rows and columns, all samples of a line at once, until nothing changes: a turn of four sweeps fills
every area without a maze in it, a maze takes a turn for each of its bends. One-way steps are allowed, which
connected components cannot tell.

Reference: the raster sweeps of L. Vincent, "Morphological grayscale reconstruction in image analysis", IEEE Trans.
Image Processing 2(2), 1993.
"""

import numpy as np
from jax import lax
from jax import numpy as jnp


def _moved(line, by):
    """``line[j - by]``, false where there is none."""
    if by == 0:
        return line
    return lax.pad(line, np.zeros((), bool), [(by, -by, 0)])


def _sweep(reached, gates, offsets):
    """From the first line to the last; ``gates[k][i, j]``: (i, j) may be entered from (i - 1, j - offsets[k])."""

    def step(before, line):
        now, *entries = line
        for entry, offset in zip(entries, offsets, strict=True):
            now = now | (entry & _moved(before, offset))
        return now, now

    return lax.scan(step, jnp.zeros(reached.shape[1], bool), (reached, *gates))[1]


def reach(seed, may_enter, eight):
    """Everything that the true samples of `seed` lead to.

    Parameters
    ----------
    seed : bool array (h, w)
    may_enter : callable
        ``may_enter(dy, dx)``: bool array, whether a sample may be entered from its neighbour at (-dy, -dx). What it
        says of samples without that neighbour does not matter.
    eight : bool
        Whether diagonal neighbours count.
    """
    across = (-1, 0, 1) if eight else (0,)
    down = tuple(may_enter(1, k) for k in across)
    up = tuple(may_enter(-1, -k)[::-1, ::-1] for k in across)
    right = (may_enter(0, 1).T,)
    left = (may_enter(0, -1)[::-1, ::-1].T,)

    def turn(state):
        old, _ = state
        new = _sweep(old.T, right, (0,))
        new = _sweep(new[::-1, ::-1], left, (0,))[::-1, ::-1].T
        new = _sweep(new, down, across)
        new = _sweep(new[::-1, ::-1], up, across)[::-1, ::-1]
        return new, jnp.any(new != old)

    return lax.while_loop(lambda s: s[1], turn, (seed, jnp.array(True)))[0]
