"""Solves with a matrix as a pytree: dense LU, or a sparse matrix ordered into a narrow band of blocks.

The ordering (reverse Cuthill-McKee) looks at the pattern only and is made on the host; the numbers are factored in the
compiled body.
"""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp
import numpy as np
from jax import lax
from scipy import sparse

from sci.sparse.linalg._operators import _Operator
from solvers.linear.block_banded import factor_blocks, solve_blocks

__all__ = ["BandedBlocks", "DenseSystem", "banded_blocks"]

#: Smallest block (narrower bands gain nothing), most numbers in the factors, most multiplications.
_SMALLEST, _MOST_NUMBERS, _MOST_WORK = 16, 4e7, 4e10


class BandedBlocks(_Operator):
    """Block rows of a reordered sparse matrix: ``matrix[order][:, order]``, padded by an identity."""

    arrays, facts = ("lower", "diagonal", "upper", "order"), ("n",)
    lower: Any
    diagonal: Any
    upper: Any
    order: Any
    n: int

    def solver(self) -> Any:
        """Factor; returns the function that solves for vectors (n,) or columns (n, k), linear in them."""
        factors = factor_blocks(self.lower, self.diagonal, self.upper)
        m, b = self.diagonal.shape[:2]

        def solve(columns: Any) -> Any:
            padded = jnp.zeros((m * b, columns.shape[1]), columns.dtype).at[: self.n].set(columns[self.order])
            x = solve_blocks(factors, padded.reshape(m, b, -1)).reshape(m * b, -1)[: self.n]
            return jnp.zeros_like(x).at[self.order].set(x)

        return _for_vectors(solve, self.diagonal.dtype)


class DenseSystem(_Operator):
    """A dense matrix to solve with."""

    arrays = ("matrix",)
    matrix: Any

    def solver(self) -> Any:
        """As `BandedBlocks.solver`."""
        lu, _, permutation = lax.linalg.lu(self.matrix)

        def solve(columns: Any) -> Any:
            x = columns[permutation]
            x = lax.linalg.triangular_solve(lu, x, left_side=True, lower=True, unit_diagonal=True)
            return lax.linalg.triangular_solve(lu, x, left_side=True, lower=False)

        return _for_vectors(solve, self.matrix.dtype)


def _for_vectors(solve: Any, dtype: Any) -> Any:
    """For vectors too, and for complex right-hand sides of a real matrix (two columns each)."""

    def for_vectors(rhs: Any) -> Any:
        columns = rhs.reshape(rhs.shape[0], -1)
        k = columns.shape[1]
        if jnp.iscomplexobj(columns) and not jnp.issubdtype(dtype, jnp.complexfloating):
            x = solve(jnp.concatenate([columns.real, columns.imag], axis=1).astype(dtype))
            x = (x[:, :k] + 1j * x[:, k:]).astype(rhs.dtype)
        else:
            x = solve(columns.astype(jnp.promote_types(columns.dtype, dtype)))
        return x.reshape(rhs.shape)

    return for_vectors


def banded_blocks(matrix: Any) -> BandedBlocks | None:
    """The blocks of a sparse matrix, or None where the band would be too wide to be worth it."""
    csr = matrix.tocsr()
    if not csr.has_canonical_format:
        csr = csr.copy()
        csr.sum_duplicates()
    n = csr.shape[0]
    order = np.arange(n, dtype=np.int32)
    width = _bandwidth(csr, order)
    if width > _SMALLEST:
        better = sparse.csgraph.reverse_cuthill_mckee(csr, symmetric_mode=False).astype(np.int32)
        if _bandwidth(csr, better) < width:
            order, width = better, _bandwidth(csr, better)
    b = min(max(width, _SMALLEST), max(n, 1))
    m = -(-n // b)
    if 7.0 * m * b * b > _MOST_NUMBERS or 7.0 * m * b**3 > _MOST_WORK:
        return None
    place = np.empty(n, np.int64)
    place[order] = np.arange(n)
    coo = csr.tocoo()
    rows, columns = place[coo.row], place[coo.col]
    dtype = coo.dtype if coo.dtype.kind in "fc" else np.dtype(float)
    blocks = np.zeros((3, m, b, b), dtype)
    blocks[columns // b - rows // b + 1, rows // b, rows % b, columns % b] = coo.data
    tail = np.arange(n - (m - 1) * b, b) if n else np.arange(0)
    blocks[1, -1, tail, tail] = 1
    return BandedBlocks(lower=blocks[0], diagonal=blocks[1], upper=blocks[2], order=order, n=n)


def _bandwidth(csr: Any, order: np.ndarray) -> int:
    place = np.empty(csr.shape[0], np.int64)
    place[order] = np.arange(csr.shape[0])
    rows = np.repeat(place, np.diff(csr.indptr))
    return int(np.abs(rows - place[csr.indices]).max(initial=0))
