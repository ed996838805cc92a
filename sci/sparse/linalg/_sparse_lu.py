"""A sparse matrix to solve with inside compiled code.

SuperLU factors it on the host; the compiled code sweeps through the factors in the order of their levels.
"""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp
import numpy as np
from scipy.sparse.linalg import splu

from sci.sparse.linalg._factors import _for_vectors
from sci.sparse.linalg._operators import _Operator
from sci.sparse.linalg._triangular import planned
from solvers.linear.triangular_sweeps import padded, sweep, sweep_transposed

__all__ = ["SparseLU", "sparse_lu"]

#: Most entries of the factors.
_MOST_NUMBERS = 5e7
#: Pivots of a symmetric matrix stay on the diagonal down to this part of the column's largest entry.
_THRESHOLD = 0.01


class SparseLU(_Operator):
    """``matrix[order][:, place] = L D U`` with unit triangles; without U it is the transpose (or adjoint) of L."""

    arrays = ("lower", "lower_plan", "diagonal", "upper", "upper_plan", "order", "place")
    facts = ("adjoint",)
    lower: Any
    lower_plan: Any
    diagonal: Any
    upper: Any
    upper_plan: Any
    order: Any
    place: Any
    adjoint: bool

    def solver(self) -> Any:
        """The function that solves for vectors (n,) or columns (n, k), linear in them."""

        def solve(rhs: Any) -> Any:
            x = sweep(self.lower_plan, self.lower, padded(rhs[self.order]))[:-1]
            x = padded(x / self.diagonal.reshape(-1, *[1] * (rhs.ndim - 1)))
            if self.upper is not None:
                x = sweep(self.upper_plan, self.upper, x)
            elif self.adjoint:
                x = jnp.conj(sweep_transposed(self.lower_plan, self.lower, jnp.conj(x)))
            else:
                x = sweep_transposed(self.lower_plan, self.lower, x)
            return x[self.place]

        columns = _for_vectors(solve, self.diagonal.dtype)

        def for_both(rhs: Any) -> Any:
            plain = rhs.ndim == 1 and (jnp.iscomplexobj(self.diagonal) or not jnp.iscomplexobj(rhs))
            return solve(rhs.astype(jnp.promote_types(rhs.dtype, self.diagonal.dtype))) if plain else columns(rhs)

        return for_both


def sparse_lu(matrix: Any) -> SparseLU | None:
    """Factor a square sparse matrix of a floating dtype; None where the factors are too large.

    Raises
    ------
    RuntimeError
        If it is singular, as SciPy.
    """
    csc = matrix.tocsc()
    csc.sum_duplicates()
    for adjoint in (False, True) if csc.dtype.kind == "c" else (False,):
        mirrored = (csc.conj() if adjoint else csc).T.tocsc()
        mirrored.sort_indices()
        if csc.nnz == mirrored.nnz and np.array_equal(csc.indices, mirrored.indices) and np.array_equal(
            csc.data, mirrored.data
        ):  # fmt: skip
            found = _symmetric(csc, adjoint)
            if found is not None:
                return found
    return _general(splu(csc))


def _symmetric(csc: Any, adjoint: bool) -> SparseLU | None:
    """``L D L^T`` where the pivots may stay on the diagonal: half the numbers, one plan, a better order."""
    factors = splu(csc, permc_spec="MMD_AT_PLUS_A", diag_pivot_thresh=_THRESHOLD, options={"SymmetricMode": True})
    if not np.array_equal(factors.perm_r, factors.perm_c) or factors.L.nnz > _MOST_NUMBERS:
        return None
    diagonal = factors.U.diagonal()
    # weak pivots and the symmetry of the factors are worth their risk only where the product is the matrix
    order = np.argsort(factors.perm_r)
    x = np.cos(np.arange(1.0, csc.shape[0] + 1)).astype(csc.dtype)
    upper = (factors.L.conj() if adjoint else factors.L).T
    error = np.abs(factors.L @ (diagonal * (upper @ x[order])) - (csc @ x)[order]).max(initial=0)
    if not error <= 1e2 * np.finfo(csc.dtype).eps * np.abs(csc).sum(axis=1).max(initial=0):
        return None
    return _general(factors, diagonal, adjoint)


def _general(factors: Any, diagonal: Any = None, adjoint: bool = False) -> SparseLU | None:
    if factors.L.nnz + factors.U.nnz > _MOST_NUMBERS:
        return None
    n = factors.shape[0]
    order = np.empty(n, np.uint32)
    order[factors.perm_r] = np.arange(n, dtype=np.uint32)
    lower, lower_plan = _sweep(factors.L, n, True)
    upper = upper_plan = None
    if diagonal is None:
        diagonal = factors.U.diagonal()
        upper, upper_plan = _sweep(factors.U.multiply(1 / diagonal[:, None]).tocsc(), n, False)
    return SparseLU(
        lower=lower, lower_plan=lower_plan, diagonal=diagonal, upper=upper, upper_plan=upper_plan, order=order,
        place=factors.perm_c.astype(np.uint32), adjoint=adjoint,
    )  # fmt: skip


def _sweep(triangle: Any, n: int, lower: bool) -> tuple[np.ndarray, tuple[np.ndarray, np.ndarray]]:
    coo = triangle.tocoo()
    plan = planned(coo.row, coo.col, n, lower)
    return np.append(coo.data, np.zeros(1, coo.dtype))[plan["entries"]], (plan["rows"], plan["columns"])
