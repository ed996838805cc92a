"""Banded systems by elimination block by block, in loops whose bodies XLA's CPU backend makes one kernel each.

A few operations on blocks as wide as the band are compiled once and run n / b times: compiling is what a factorisation
unrolled into log(n) levels (cyclic reduction) spends most time with. Pivots are sought inside the blocks only: for the
matrices of implicit methods, which are dominated by their diagonals at small steps, this is enough, and their
iterations correct the rest.

References
----------
.. [1] G. H. Golub, C. F. Van Loan, "Matrix Computations", 4th ed., Sec. 4.5.1 (block tridiagonal systems).
"""

from typing import Any, NamedTuple

import jax.numpy as jnp
import numpy as np
from jax import lax

from solvers.ode.small import SMALL, inverse


class Factors(NamedTuple):
    """Block factorisation: inverses of the pivots, and the blocks of the two recurrences; each (m, b, b)."""

    pivots: Any
    left: Any
    right: Any


def factorised(band, lower, upper):
    """Factorisation of the matrix with diagonals ``band[upper + i - j, j] = a[i, j]``."""
    diagonal, below, above = _blocks(band, lower, upper)

    def eliminate(right, row):
        diagonal, below, above = row
        pivot = inverse(diagonal - _product(below, right))
        right = _product(pivot, above)
        return right, (pivot, right)

    _, (pivots, right) = lax.scan(eliminate, jnp.zeros_like(diagonal[0]), (diagonal, below, above))
    left = _product(below, jnp.concatenate([jnp.zeros_like(pivots[:1]), pivots[:-1]]))
    return Factors(pivots, left, right)


def solve(factors, b):
    """Solution for the right-hand side ``b`` (n,)."""
    n, (m, width, _) = b.size, factors.pivots.shape
    x = jnp.pad(b, (0, m * width - n)).reshape(m, width)
    x = _recurrence(factors.left, x, reverse=False)
    return _recurrence(factors.right, _times(factors.pivots, x), reverse=True).ravel()[:n]


def _recurrence(blocks, b, reverse):
    """``x[i] = b[i] - blocks[i] @ x[i - 1]`` for all i, or with ``x[i + 1]``."""

    def step(x, row):
        block, b = row
        x = b - _times(block, x)
        return x, x

    return lax.scan(step, jnp.zeros_like(b[0]), (blocks, b), reverse=reverse)[1]


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
    m = -(-n // b)
    row = (np.arange(m) * b)[:, None, None] + np.arange(b)[:, None]

    def block(shift):
        column = row[:, :1] + shift * b + np.arange(b)
        k = upper + row - column
        inside = (k >= 0) & (k <= lower + upper) & (row < n) & (column >= 0) & (column < n)
        values = band[np.clip(k, 0, lower + upper), np.clip(column, 0, n - 1) + 0 * k]
        rest = (row == column) & (row >= n)
        return jnp.where(inside, values, rest.astype(band.dtype))

    return block(0), block(-1), block(1)
