"""Matrices as operators: the layout in which a product with a vector measures best on this hardware.

A band of few diagonals becomes `Diagonals`: one fused loop over shifted copies, without indices; a `Stencil` where
each diagonal holds one number, which is most of the memory traffic less. Rows of similar
length become `Rows` (ELLPACK: a gather and a sum along the short axis). Everything else becomes `Rows` with the
entries beyond the usual row length kept as coordinates. All are pytrees: values may be batched and differentiated.
"""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

__all__ = ["Dense", "Diagonals", "Rows", "Stencil", "from_jax_sparse", "from_scipy"]

#: A matrix is a stencil if its diagonals are at most this many and at least this full.
_MOST_DIAGONALS, _LEAST_FILL = 64, 0.5


class _Operator:
    """Registered below with its class in the structure (JAX 0.10 compares dataclass nodes by their fields only)."""

    arrays: tuple[str, ...] = ()
    facts: tuple[str, ...] = ()

    def __init__(self, **values: Any) -> None:
        self.__dict__.update(values)

    def __init_subclass__(cls) -> None:
        def flatten(op: Any) -> tuple[list[Any], tuple[Any, ...]]:
            return [getattr(op, n) for n in cls.arrays], (cls, *[getattr(op, n) for n in cls.facts])

        def unflatten(aux: tuple[Any, ...], children: Any) -> Any:
            return cls(**dict(zip(cls.arrays, children, strict=True)), **dict(zip(cls.facts, aux[1:], strict=True)))

        jax.tree_util.register_pytree_node(cls, flatten, unflatten)


class Dense(_Operator):
    """A dense matrix."""

    arrays = ("matrix",)
    matrix: Any

    def apply(self, x: Any) -> Any:
        return self.matrix @ x

    def adjoint(self, x: Any) -> Any:
        return jnp.conj(self.matrix.T) @ x


class Diagonals(_Operator):
    """``values[k, i] = A[i, i + offsets[k]]``, zero where that is outside."""

    arrays, facts = ("values",), ("offsets", "shape")
    values: Any
    offsets: tuple[int, ...]
    shape: tuple[int, int]

    def apply(self, x: Any) -> Any:
        rows, columns = self.shape
        before = max(0, *[-o for o in self.offsets], 0)
        after = max(0, *[o + rows - columns for o in self.offsets], 0)
        padded = jnp.pad(x, (before, after))
        total = None
        for k, offset in enumerate(self.offsets):
            term = self.values[k] * jax.lax.slice_in_dim(padded, before + offset, before + offset + rows)
            total = term if total is None else total + term
        return total

    def adjoint(self, x: Any) -> Any:
        rows, columns = self.shape
        offsets = [-o for o in self.offsets]
        before = max(0, *[-o for o in offsets], 0)
        after = max(0, *[o + columns - rows for o in offsets], 0)
        total = None
        for k, offset in enumerate(offsets):
            weighted = jnp.pad(jnp.conj(self.values[k]) * x, (before, after))
            term = jax.lax.slice_in_dim(weighted, before + offset, before + offset + columns)
            total = term if total is None else total + term
        return total


class Stencil(_Operator):
    """As `Diagonals` where ``A[i, i + offsets[k]]`` is ``weights[k]``, or zero where ``present[k, i]`` is false."""

    arrays, facts = ("weights", "present"), ("offsets", "shape")
    weights: Any
    present: Any
    offsets: tuple[int, ...]
    shape: tuple[int, int]

    def _diagonals(self) -> Diagonals:
        values = jnp.where(self.present, self.weights[:, None], 0)
        return Diagonals(values=values, offsets=self.offsets, shape=self.shape)

    def apply(self, x: Any) -> Any:
        rows, columns = self.shape
        before = max(0, *[-o for o in self.offsets], 0)
        after = max(0, *[o + rows - columns for o in self.offsets], 0)
        padded = jnp.pad(x, (before, after))
        total = None
        for k, offset in enumerate(self.offsets):
            shifted = jax.lax.slice_in_dim(padded, before + offset, before + offset + rows)
            term = jnp.where(self.present[k], self.weights[k] * shifted, 0)
            total = term if total is None else total + term
        return total

    def adjoint(self, x: Any) -> Any:
        return self._diagonals().adjoint(x)


class Rows(_Operator):
    """Padded rows of entries, those of the adjoint beside them, and the rest as coordinates sorted by row."""

    arrays = ("values", "columns", "rest", "rest_rows", "rest_columns", "adjoint_rows")
    facts = ("shape",)
    values: Any
    columns: Any
    rest: Any
    rest_rows: Any
    rest_columns: Any
    adjoint_rows: Any
    shape: tuple[int, int]

    def apply(self, x: Any) -> Any:
        y = (self.values * x[self.columns]).sum(-1)
        if self.rest.shape[0]:
            extra = self.rest * x[self.rest_columns]
            y = y + jax.ops.segment_sum(extra, self.rest_rows, self.shape[0], indices_are_sorted=True)
        return y

    def adjoint(self, x: Any) -> Any:
        if self.adjoint_rows is None:
            _, transpose = jax.vjp(lambda v: self.apply(v), jnp.zeros(self.shape[1], self.values.dtype))
            return jnp.conj(transpose(jnp.conj(x))[0])
        return self.adjoint_rows.apply(x)


def from_scipy(matrix: Any, adjoint: bool = False) -> _Operator:
    """The operator of a SciPy sparse matrix or array (real or complex, any format).

    Parameters
    ----------
    matrix : sparse matrix or array
    adjoint : bool
        Whether products with the adjoint are needed.
    """
    csr = matrix.tocsr()
    if not csr.has_canonical_format:
        csr = csr.copy()
        csr.sum_duplicates()
    if csr.dtype.kind not in "fc":
        csr = csr.astype(float)
    lengths = np.diff(csr.indptr)
    rows = np.repeat(np.arange(csr.shape[0], dtype=np.int32), lengths)
    gaps = csr.indices - rows
    gaps += csr.shape[0]
    offsets = _offsets(gaps, csr.shape)
    full = sum(min(csr.shape[0], csr.shape[1] - o) - max(0, -o) for o in offsets[: _MOST_DIAGONALS + 1])
    if 0 < len(offsets) <= _MOST_DIAGONALS and csr.nnz >= _LEAST_FILL * full:
        values = np.zeros((len(offsets), csr.shape[0]), csr.dtype)
        start = np.zeros(sum(csr.shape), np.int64 if values.size > np.iinfo(np.int32).max else np.int32)
        start[offsets + csr.shape[0]] = np.arange(len(offsets)) * csr.shape[0]
        values.reshape(-1)[start[gaps] + rows] = csr.data
        places = {"offsets": tuple(int(o) for o in offsets), "shape": tuple(csr.shape)}
        present = values != 0
        weights = values[np.arange(len(offsets)), present.argmax(axis=1)]
        # infinity or NaN times the zero of a missing entry would be lost in a stencil: those stay as they are
        if np.array_equal(values, np.where(present, weights[:, None], 0)) and np.isfinite(weights).all():
            return Stencil(weights=weights, present=present, **places)
        return Diagonals(values=values, **places)
    return _rows(csr, lengths, rows, adjoint)


def _offsets(gaps: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """The diagonals that have entries, rising; `gaps` are those of the entries, counted from the lowest there is."""
    seen = np.zeros(sum(shape), bool)
    seen[gaps[: 1 << 12]] = True
    if seen.sum() <= _MOST_DIAGONALS and not seen[gaps].all():
        seen[gaps] = True
    return np.flatnonzero(seen) - shape[0]


def _rows(csr: Any, lengths: np.ndarray, rows: np.ndarray, adjoint: bool) -> Rows:
    # wide enough for nearly all rows, unless a few long ones would make most of it padding
    width = int(lengths.max(initial=0))
    if csr.shape[0] * width > 2 * csr.nnz:
        width = int(np.quantile(lengths, 0.9)) if lengths.size else 0
    place = np.arange(csr.nnz) - np.repeat(csr.indptr[:-1], lengths)
    inside = place < width
    values = np.zeros((csr.shape[0], width), csr.dtype)
    columns = np.zeros((csr.shape[0], width), np.int32)
    values[rows[inside], place[inside]] = csr.data[inside]
    columns[rows[inside], place[inside]] = csr.indices[inside]
    return Rows(
        values=values, columns=columns, rest=csr.data[~inside], rest_rows=rows[~inside],
        rest_columns=csr.indices[~inside].astype(np.int32), shape=tuple(csr.shape),
        adjoint_rows=from_scipy(csr.conj().T) if adjoint else None,
    )  # fmt: skip


def from_jax_sparse(matrix: Any) -> Any:
    """A `jax.experimental.sparse` matrix as it is: its product is JAX's."""
    return _JaxSparse(matrix=matrix)


class _JaxSparse(_Operator):
    arrays = ("matrix",)
    matrix: Any

    def apply(self, x: Any) -> Any:
        return self.matrix @ x

    def adjoint(self, x: Any) -> Any:
        return jnp.conj(self.matrix.T @ jnp.conj(x))
