"""Banded systems by elimination block by block, in loops whose bodies XLA's CPU backend makes one kernel each.

A few operations on blocks as wide as the band are compiled once and run n / b times: compiling is what a factorisation
unrolled into log(n) levels (cyclic reduction) spends most time with. It goes from both ends to the middle at once, and
back: an iteration waits for the one before it, so that two chains of half the length take little more than half the
time. (More chains, with separators between them, are faster to apply, but slower to make and to compile.) Pivots are
sought inside the blocks only: for the matrices of implicit methods, which are dominated by their diagonals at small
steps, this is enough, and their iterations correct the rest.

References
----------
.. [1] G. H. Golub, C. F. Van Loan, "Matrix Computations", 4th ed., Sec. 4.5.1 (block tridiagonal systems).
"""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from solvers.ode.small import SMALL, inverse


class Factors(NamedTuple):
    """Block factorisation: the middle block's inverse (b, b); for the chains of blocks that end beside it, (h, 2, b, b)
    each, inverses of the pivots and the blocks of the two recurrences; and what joins the chains to the middle."""

    middle: Any
    pivots: Any
    left: Any
    right: Any
    beside: Any  # (2, b, b)


def factorised(band, lower, upper):
    """Factorisation of the matrix with diagonals ``band[upper + i - j, j] = a[i, j]``."""
    diagonal, below, above = _blocks(band, lower, upper)
    h = diagonal.shape[0] // 2
    chains = _both_ends(diagonal), _both_ends(below, above), _both_ends(above, below)

    def eliminate(right, row):
        diagonal, below, above = row
        pivot = jax.vmap(inverse)(diagonal - _product(below, right))
        right = _product(pivot, above)
        return right, (pivot, right)

    start = jnp.zeros((2, *diagonal.shape[1:]), diagonal.dtype)
    last, (pivots, right) = lax.scan(eliminate, start, chains)
    beside = jnp.stack([below[h], above[h]])
    middle = inverse(diagonal[h] - jnp.sum(_product(beside, last), axis=0))
    left = _product(chains[1], jnp.concatenate([jnp.zeros_like(start)[None], pivots])[:-1])
    return Factors(middle, pivots, left, right, beside)


def solve(factors, b):
    """Solution for the right-hand side ``b`` (n,)."""
    f, n, (h, _, width, _) = factors, b.size, factors.pivots.shape
    rows = jnp.pad(b, (0, (2 * h + 1) * width - n)).reshape(2 * h + 1, width)
    x = _recurrence(f.left, _both_ends(rows), jnp.zeros((2, width), b.dtype), reverse=False)
    x = _times(f.pivots, x)
    ends = x[-1] if h else jnp.zeros((2, width), b.dtype)
    middle = _times(f.middle, rows[h] - jnp.sum(_times(f.beside, ends), axis=0))
    x = _recurrence(f.right, x, jnp.stack([middle, middle]), reverse=True)
    return jnp.concatenate([x[:, 0], middle[None], x[::-1, 1]]).ravel()[:n]


def _both_ends(blocks, others=None):
    """Blocks from the first, and others from the last, to those beside the middle: (h, 2, ...)."""
    h = blocks.shape[0] // 2
    return jnp.stack([blocks[:h], (blocks if others is None else others)[:h:-1]], axis=1)


def _recurrence(blocks, b, start, reverse):
    """``x[i] = b[i] - blocks[i] @ x[i - 1]`` for all i, or with ``x[i + 1]``."""

    def step(x, row):
        block, b = row
        x = b - _times(block, x)
        return x, x

    return lax.scan(step, start, (blocks, b), reverse=reverse)[1]


def _product(a, b):
    """Products of blocks, of stacks of them too; small ones unrolled."""
    if a.shape[-1] > SMALL:
        return a @ b
    return sum(a[..., :, k, None] * b[..., k, None, :] for k in range(a.shape[-1]))


def _times(a, x):
    """Blocks times vectors."""
    if a.shape[-1] > 2 * SMALL:
        return (a @ x[..., None])[..., 0]
    return sum(a[..., :, k] * x[..., k, None] for k in range(a.shape[-1]))


def _blocks(band, lower, upper):
    """Diagonal blocks and those below and above them, (m, b, b) each; beyond the matrix the identity."""
    n = band.shape[-1]
    b = max(lower, upper, 1)
    m = -(-n // b) // 2 * 2 + 1
    row = (np.arange(m) * b)[:, None, None] + np.arange(b)[:, None]

    def block(shift):
        column = row[:, :1] + shift * b + np.arange(b)
        k = upper + row - column
        inside = (k >= 0) & (k <= lower + upper) & (row < n) & (column >= 0) & (column < n)
        values = band[np.clip(k, 0, lower + upper), np.clip(column, 0, n - 1) + 0 * k]
        rest = (row == column) & (row >= n)
        return jnp.where(inside, values, rest.astype(band.dtype))

    return block(0), block(-1), block(1)
