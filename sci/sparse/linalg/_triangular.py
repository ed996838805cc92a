"""Triangular sparse matrices as pytrees, with the order of their solution planned on the host from the pattern."""

from __future__ import annotations

import hashlib
from typing import Any

import jax.numpy as jnp
import numpy as np

from sci.bridge.cache import LRU
from sci.bridge.worlds import is_jax, is_traced
from sci.sparse.linalg._factors import _for_vectors
from sci.sparse.linalg._operators import _Operator
from solvers.linear.triangular_sweeps import solve_triangular_sweeps

__all__ = ["Triangular", "coordinates", "planned", "triangular"]

#: What a step of a sweep costs, and each row and each product in it (seconds on one core: XLA compiles such a loop into
#: one function, so that steps are cheap).
_STEP, _ROW, _PRODUCT = 1e-7, 3e-9, 2e-9

#: Plans by pattern: iterations solve with the same one again and again.
_plans = LRU(16)


class Triangular(_Operator):
    """A triangular matrix ready to solve with; the arrays are those of `solve_triangular_sweeps`."""

    arrays, facts = ("values", "diagonal", "rows", "columns"), ()
    values: Any
    diagonal: Any
    rows: Any
    columns: Any

    def solve(self, b: Any, transposed: bool = False) -> Any:
        """For b of shape (n,) or (n, k); `transposed` is without conjugation."""
        plan = jnp.asarray(self.rows), jnp.asarray(self.columns)
        values, diagonal = jnp.asarray(self.values), jnp.asarray(self.diagonal)

        def solve(rhs: Any) -> Any:
            return solve_triangular_sweeps(plan, values, diagonal, rhs, transposed)

        if b.ndim == 1 and (jnp.iscomplexobj(values) or not jnp.iscomplexobj(b)):
            return solve(b.astype(jnp.promote_types(b.dtype, values.dtype)))
        return _for_vectors(solve, values.dtype)(b)


def triangular(data: Any, rows: np.ndarray, columns: np.ndarray, n: int, lower: bool, unit: bool) -> Triangular:
    """The matrix with these entries (those on the diagonal count unless `unit`; repeated ones add up).

    Parameters
    ----------
    data : array, shape (m,)
        Of either world.
    rows, columns : integer arrays, shape (m,)
        None of them in the other triangle.
    """
    rows, columns = rows.astype(np.int32), columns.astype(np.int32)
    plan = planned(rows, columns, n, lower)
    on = plan["diagonal"]
    values: Any
    diagonal: Any
    if is_jax(data):
        values = jnp.append(data, jnp.zeros((), data.dtype))[plan["entries"]]
        diagonal = jnp.zeros(n, data.dtype).at[rows[on]].add(data[on]) if not unit else jnp.ones(n, data.dtype)
    else:
        values = np.append(data, np.zeros(1, data.dtype))[plan["entries"]]
        diagonal = np.ones(n, data.dtype)
        if not unit:
            diagonal[:] = 0
            np.add.at(diagonal, rows[on], data[on])
    return Triangular(values=values, diagonal=diagonal, rows=plan["rows"], columns=plan["columns"])


def coordinates(matrix: Any) -> tuple[Any, np.ndarray, np.ndarray] | None:
    """Data, rows and columns of a matrix of `jax.experimental.sparse`; None where its indices are traced.

    Raises
    ------
    ValueError
        For batch or dense dimensions.
    """
    if getattr(matrix, "n_batch", 0) or getattr(matrix, "n_dense", 0):
        raise ValueError("a sparse matrix with batch or dense dimensions; allowed are those without (see jax.vmap)")
    kind = type(matrix).__name__
    if kind not in ("BCOO", "BCSR") or is_traced(matrix.indices) or is_traced(getattr(matrix, "indptr", None)):
        return None
    indices = np.asarray(matrix.indices)
    if kind == "BCSR":
        lengths = np.diff(np.asarray(matrix.indptr))
        rows, columns = np.repeat(np.arange(matrix.shape[0]), lengths), indices[: lengths.sum()]
    else:
        rows, columns = indices[:, 0], indices[:, 1]
    inside = (rows < matrix.shape[0]) & (columns < matrix.shape[1])  # padding points outside
    if inside.all() and inside.size == matrix.data.shape[0]:
        return matrix.data, rows, columns
    kept = np.flatnonzero(inside)
    return matrix.data[kept], rows[kept], columns[kept]


def planned(rows: np.ndarray, columns: np.ndarray, n: int, lower: bool) -> dict[str, np.ndarray]:
    """The order of solution for a pattern: rows and columns of the steps, and the place of each entry in the data.

    `entries` of the padding point behind the data's end; `diagonal` are the places of the diagonal's entries.
    """
    rows, columns = rows.astype(np.int32, copy=False), columns.astype(np.int32, copy=False)
    digest = hashlib.blake2b(rows.tobytes(), digest_size=16)
    digest.update(columns.tobytes())
    return _plans.get_or_make((digest.digest(), n, lower), lambda: _plan(rows, columns, n, lower))


def _levels(starts: list[int], columns: list[int], n: int) -> np.ndarray:
    """For each row how many others must come before it, one after the other."""
    level = [0] * n
    for i in range(n):
        first, last = starts[i], starts[i + 1]
        if last > first:
            level[i] = 1 + max([level[j] for j in columns[first:last]])
    return np.asarray(level, np.int64)


def _plan(rows: np.ndarray, columns: np.ndarray, n: int, lower: bool) -> dict[str, np.ndarray]:
    diagonal = np.flatnonzero(rows == columns)
    place = np.flatnonzero(rows != columns)
    of, needs = (rows[place], columns[place]) if lower else (n - 1 - rows[place], n - 1 - columns[place])
    order = np.argsort(of, kind="stable")
    starts = np.concatenate([[0], np.cumsum(np.bincount(of, minlength=n))])
    level = _levels(starts.tolist(), needs[order].tolist(), n)
    ready = level[needs]
    order = np.lexsort((ready, of))  # in each row, what is ready first comes first
    place, of, needs, ready = place[order], of[order], needs[order], ready[order]
    within = np.arange(of.size) - starts[of]
    width, size = _shape(of, within, ready)
    piece_of = np.cumsum(within % size == 0) - 1  # the piece of each entry
    pieces = int(piece_of[-1]) + 1 if of.size else 0
    when = np.zeros(pieces, np.int64)
    np.maximum.at(when, piece_of, ready)
    row_of = np.zeros(pieces, np.int64)
    row_of[piece_of] = of
    # pieces by level; each level starts a new step
    by_level = np.argsort(when, kind="stable")
    counts = np.bincount(when) if pieces else np.zeros(0, np.int64)
    steps = -(-counts // width)
    first_step, first_piece = np.cumsum(steps) - steps, np.cumsum(counts) - counts
    index = np.arange(pieces) - first_piece[when[by_level]]
    step, slot = np.empty(pieces, np.int64), np.empty(pieces, np.int64)
    step[by_level], slot[by_level] = first_step[when[by_level]] + index // width, index % width
    total = int(steps.sum())
    out_rows = np.full((total, width), n, np.uint32)
    out_columns = np.full((total, width, size), n, np.uint32)
    entries = np.full((total, width, size), rows.size, np.int32)
    actual = (lambda i: i) if lower else (lambda i: n - 1 - i)
    out_rows[step, slot] = actual(row_of)
    at = step[piece_of], slot[piece_of], within % size
    out_columns[at], entries[at] = actual(needs), place
    return {
        "rows": out_rows, "columns": out_columns, "entries": entries, "diagonal": diagonal,
    }  # fmt: skip


def _shape(of: np.ndarray, within: np.ndarray, ready: np.ndarray) -> tuple[int, int]:
    """Pieces in a step and entries in a piece for the least time."""
    best, least = (1, 1), np.inf
    for size in (1, 2, 4, 8, 16, 32):
        # entries are sorted: the last of a piece is ready last
        last = np.flatnonzero(np.append((within[1:] % size == 0), True)) if of.size else np.zeros(0, int)
        counts = np.bincount(ready[last])
        counts = counts[counts > 0]
        for width in (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096):
            time = (-(-counts // width)).sum() * (_STEP + width * (_ROW + size * _PRODUCT))
            if time < least:
                best, least = (width, size), time
    return best
