"""Banded systems by cyclic reduction of blocks: a factorisation in a few large kernels.

Elimination row by row takes n small steps, each of which costs XLA as much as a large one. Here every second block
is eliminated at once, log2(n / b) times. Pivots are sought inside the blocks only: for the matrices of implicit
methods, which are dominated by their diagonals at small steps, this is enough, and their iterations correct the rest.

References
----------
.. [1] G. H. Golub, C. F. Van Loan, "Matrix Computations", 4th ed., Sec. 4.5.4.
"""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from solvers.ode.small import inverse

#: Blocks at which the reduction ends with a dense inverse.
_LAST = 8


class Level(NamedTuple):
    """Half of the blocks eliminated: inverses of their pivots, their couplings, and the multipliers of the others."""

    pivots: Any
    below: Any
    above: Any
    left: Any
    right: Any


class Reduced(NamedTuple):
    """The factorisation: its levels, and the inverse of what remains."""

    levels: tuple
    rest: Any


def reduced(band, lower, upper):
    """Factorisation of the matrix with diagonals ``band[upper + i - j, j] = a[i, j]``."""
    blocks = _blocks(band, lower, upper)
    levels = []
    while blocks[0].shape[0] > _LAST:
        diagonal, below, above = blocks
        pivots = jax.vmap(inverse)(diagonal[1::2])
        odd_below, odd_above = below[1::2], above[1::2]
        left = _product(below[::2], _before(pivots))
        right = _product(above[::2], pivots)
        levels.append(Level(pivots, odd_below, odd_above, left, right))
        blocks = (
            diagonal[::2] - _product(left, _before(odd_above)) - _product(right, odd_below),
            -_product(left, _before(odd_below)),
            -_product(right, odd_above),
        )
    return Reduced(tuple(levels), inverse(_whole(*blocks)))


def solve(factors, b):
    """Solution for the right-hand side ``b`` (n,)."""
    width = factors.levels[0].pivots.shape[-1] if factors.levels else None
    n = b.size
    count = sum(level.pivots.shape[0] for level in factors.levels)
    size = factors.rest.shape[0] + (0 if width is None else count * width)
    x = jnp.pad(b, (0, size - n))
    if width is None:
        return (factors.rest @ x)[:n]
    x = x.reshape(-1, width)
    odds = []
    for level in factors.levels:
        even, odd = x[::2], x[1::2]
        x = even - _times(level.left, _before(odd)) - _times(level.right, odd)
        odds.append(odd)
    x = (factors.rest @ x.ravel()).reshape(-1, width)
    for level, odd in zip(factors.levels[::-1], odds[::-1], strict=True):
        odd = _times(level.pivots, odd - _times(level.below, x) - _times(level.above, _after(x)))
        x = jnp.stack([x, odd], axis=1).reshape(-1, width)
    return x.ravel()[:n]


def _before(a):
    """Entry i - 1 at i; zero at the first."""
    return jnp.concatenate([jnp.zeros_like(a[:1]), a[:-1]])


def _after(a):
    return jnp.concatenate([a[1:], jnp.zeros_like(a[:1])])


def _product(a, b):
    """Products of stacks of blocks; small ones unrolled."""
    if a.shape[-1] > 4:
        return a @ b
    return sum(a[:, :, k, None] * b[:, k, None, :] for k in range(a.shape[-1]))


def _times(a, x):
    """Blocks times vectors."""
    if a.shape[-1] > 4:
        return jnp.einsum("nij,nj->ni", a, x)
    return sum(a[:, :, k] * x[:, k, None] for k in range(a.shape[-1]))


def _blocks(band, lower, upper):
    """Diagonal blocks and those below and above them, (m, b, b) each, m a power of two."""
    n = band.shape[-1]
    b = max(lower, upper, 1)
    m = 1 << max(-(-n // b) - 1, 0).bit_length()
    row = (np.arange(m) * b)[:, None, None] + np.arange(b)[:, None]

    def block(shift):
        column = row[:, :1] + shift * b + np.arange(b)
        k = upper + row - column
        inside = (k >= 0) & (k <= lower + upper) & (row < n) & (column >= 0) & (column < n)
        values = band[np.clip(k, 0, lower + upper), np.clip(column, 0, n - 1) + 0 * k]
        rest = (row == column) & (row >= n)  # the identity beyond the matrix
        return jnp.where(inside, values, rest.astype(band.dtype))

    return block(0), block(-1), block(1)


def _whole(diagonal, below, above):
    """The matrix of a few blocks."""
    m, b, _ = diagonal.shape
    zero = jnp.zeros((b, b), diagonal.dtype)
    rows = [
        [diagonal[i] if j == i else below[i] if j == i - 1 else above[i] if j == i + 1 else zero for j in range(m)]
        for i in range(m)
    ]
    return jnp.block(rows)
