"""Banded systems by Gaussian elimination with partial pivoting, one row after the other.

A matrix with `lower` and `upper` diagonals beside the main one is given by its diagonals, as LAPACK does:
``ab[upper + i - j, j] = a[i, j]``, shape (lower + upper + 1, n).
"""

import functools

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from solvers.linear.small import FEW, batched, first_largest, in_lanes

__all__ = ["banded_matvec", "rows_of", "solve_banded", "transposed"]

#: Systems of a stack that are worked on at once.
_LANES = 64


def rows_of(ab, lower, upper):
    """The band by rows: ``rows[i, k] = a[i, i - lower + k]``, zero outside of the matrix."""
    n = ab.shape[-1]
    k = np.arange(lower + upper + 1)
    column = np.arange(n)[:, None] - lower + k
    inside = (column >= 0) & (column < n)
    return jnp.where(inside, ab[lower + upper - k, np.clip(column, 0, n - 1)], 0)


def transposed(ab, lower, upper):
    """The diagonals of the transpose, which has `upper` lower ones."""
    n = ab.shape[-1]
    k = np.arange(lower + upper + 1)[:, None]
    column = np.arange(n) + k - lower  # a.T[i, j] = a[j, i] with i = j + k - lower
    inside = (column >= 0) & (column < n)
    return jnp.where(inside, ab[lower + upper - k, np.clip(column, 0, n - 1)], 0)


def banded_matvec(ab, lower, upper, x):
    """``a @ x`` for x of shape (n, k)."""
    n = ab.shape[-1]
    column = np.arange(n)[:, None] - lower + np.arange(lower + upper + 1)
    window = x[np.clip(column, 0, n - 1)]  # entries outside meet zeros
    return jnp.einsum("nw,nwk->nk", rows_of(ab, lower, upper), window)


def _eliminate(ab, lower, upper, b):
    """Gaussian elimination on the rows in reach of the pivot, the right-hand sides beside them."""
    n, k = b.shape
    width = lower + upper + 1
    rows = jnp.concatenate([rows_of(ab, lower, upper), b], axis=1)
    # the window: rows i .. i + lower, columns i .. i + lower + upper
    first = [jnp.roll(rows[r, :width], r - lower).at[width - (lower - r) :].set(0) for r in range(min(lower + 1, n))]
    window = jnp.zeros((lower + 1, width + k), rows.dtype)
    for r, row in enumerate(first):
        window = window.at[r].set(jnp.concatenate([row, b[r]]))
    coming = jnp.concatenate([rows[lower + 1 :], jnp.zeros((min(lower + 1, n), width + k), rows.dtype)])[:n]

    def step(window, new):
        best = jnp.argmax(jnp.abs(window[:, 0]))
        pivot = window[best]
        # NaN for a zero pivot: the system is singular, and the whole solution says so
        head = jnp.where(pivot[0] == 0, jnp.nan, pivot[0])
        rest = jnp.where((jnp.arange(1, lower + 1) == best)[:, None], window[0], window[1:])
        rest = rest - (rest[:, :1] / head) * pivot
        shifted = jnp.concatenate([rest[:, 1:width], jnp.zeros((lower, 1), rest.dtype), rest[:, width:]], axis=1)
        return jnp.concatenate([shifted, new[None]]), pivot.at[0].set(head)

    _, reduced = lax.scan(step, window, coming)
    return reduced[:, :width], reduced[:, width:]


def _substitute(upper_rows, b):
    """Solve with the triangular factor given by rows, from the last row up."""
    width = upper_rows.shape[1]

    def step(known, row_and_b):
        row, b = row_and_b
        x = (b - row[1:] @ known) / row[0]
        return jnp.concatenate([x[None], known[:-1]]) if width > 1 else known, x

    start = jnp.zeros((width - 1, b.shape[1]), b.dtype)
    return lax.scan(step, start, (upper_rows, b), reverse=True)[1]


def _reduced_lanes(first, coming, width):
    """Rows of the triangular factor, right-hand sides beside them, with one system for each lane (the last axis).

    `first`: the rows in reach of the first pivot, shifted to its column; `coming`: those that follow.
    """
    places = np.arange(first.shape[0], dtype=np.int32)[:, None]

    def step(window, new):
        chosen = lax.optimization_barrier(first_largest(jnp.abs(window[:, 0])) == places)[:, None]
        pivot = jnp.where(chosen, window, 0).sum(axis=0)
        head = jnp.where(pivot[0] == 0, jnp.nan, pivot[0])
        pivot, inverse = lax.optimization_barrier((pivot, 1 / head))
        rest = jnp.where(chosen[1:], window[0], window[1:])
        rest = rest[:, 1:] - rest[:, :1] * inverse * pivot[1:]
        gap = jnp.zeros_like(rest[:, :1])
        shifted = jnp.concatenate([rest[:, : width - 1], gap, rest[:, width - 1 :]], axis=1)
        return jnp.concatenate([shifted, new[None]]), pivot.at[0].set(inverse)

    return lax.scan(step, first, coming)[1]


def _substitute_lanes(reduced, width):
    """Back substitution with `_reduced_lanes`' rows, whose first entries are the pivots' inverses."""

    def step(known, row):
        x = (row[width:] - (row[1:width, None] * known).sum(axis=0)) * row[0]
        return jnp.concatenate([x[None], known[:-1]]) if width > 1 else known, x

    start = jnp.zeros((width - 1, reduced.shape[1] - width, reduced.shape[-1]), reduced.dtype)
    return lax.scan(step, start, reduced, reverse=True)[1]


def _solve_lanes(ab, b, lower, upper):
    """The systems of a stack (lanes, ...) in lanes."""
    n, width = b.shape[-2], lower + upper + 1

    def block(ab, b):  # (width, n, lanes), (n, k, lanes)
        # `rows_of` by shifts: XLA's gathers are slow
        band = [
            lax.pad(ab[width - 1 - j], ab.dtype.type(0), ((lower - j, j - lower, 0), (0, 0, 0))) for j in range(width)
        ]
        rows = jnp.concatenate([jnp.stack(band, axis=1), b], axis=1)
        first = []
        for r in range(lower + 1):
            row = rows[r] if r < n else jnp.zeros_like(rows[0])
            left = jnp.pad(row[lower - r : width], ((0, lower - r), (0, 0)))
            first.append(jnp.concatenate([left, row[width:]]))
        coming = jnp.pad(rows[lower + 1 :], ((0, min(lower + 1, n)), (0, 0), (0, 0)))[:n]
        return _substitute_lanes(_reduced_lanes(jnp.stack(first), coming, width), width)

    return in_lanes(block, ab, b, lanes=_LANES)


@functools.cache
def _general(lower, upper):
    def one(ab, b):
        return _substitute(*_eliminate(ab, lower, upper, b))

    def stack(ab, b):
        return jax.vmap(one)(ab, b) if len(ab) < FEW else _solve_lanes(ab, b, lower, upper)

    solve = jax.custom_batching.custom_vmap(one)
    solve.def_vmap(batched(stack))
    return solve


def _solve_once(ab, lower, upper, b):
    if lower == upper == 1:
        dl = jnp.concatenate([jnp.zeros(1, ab.dtype), ab[2, :-1]])
        du = jnp.concatenate([ab[0, 1:], jnp.zeros(1, ab.dtype)])
        return lax.linalg.tridiagonal_solve(dl, ab[1], du, b)
    return _general(lower, upper)(ab, b)


def solve_banded(ab, lower, upper, b):
    """Solve ``a @ x = b``.

    Parameters
    ----------
    ab : (lower + upper + 1, n) array
        The diagonals.
    lower, upper : int
        How many there are on each side of the main one.
    b : (n, k) array
        Right-hand sides.

    Returns
    -------
    (n, k) array
        NaN if a pivot is zero. Differentiable in `ab` and `b` by the implicit function theorem.

    References
    ----------
    G. H. Golub, C. F. Van Loan, "Matrix Computations", 4th ed., section 4.3.
    """
    fixed = lax.stop_gradient(ab)
    return lax.custom_linear_solve(
        lambda x: banded_matvec(ab, lower, upper, x),
        b,
        solve=lambda _, y: _solve_once(fixed, lower, upper, y),
        transpose_solve=lambda _, y: _solve_once(transposed(fixed, lower, upper), upper, lower, y),
    )
