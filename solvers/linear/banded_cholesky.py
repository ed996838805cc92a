"""Banded positive definite systems: ``a = L @ L^H`` with the bandwidth of `a`.

The band is stored by columns, lower form: ``band[k, j] = a[j + k, j]``, shape (p + 1, n).
"""

import jax.numpy as jnp
import numpy as np
from jax import lax

__all__ = ["banded_cholesky", "banded_cholesky_solve", "rows_of_lower"]


def rows_of_lower(band):
    """The band by rows, ``rows[i, k] = a[i, i - p + k]`` for k = 0 .. p, zero outside of the matrix."""
    p, n = band.shape[0] - 1, band.shape[1]
    k = np.arange(p + 1)
    column = np.arange(n)[:, None] - p + k
    return jnp.where(column >= 0, band[p - k, np.clip(column, 0, n - 1)], 0)


def banded_cholesky(band):
    """The factor's band, lower form.

    Parameters
    ----------
    band : (p + 1, n) array
        Only the real part of the diagonal (row 0) is read.

    Returns
    -------
    (p + 1, n) array
        Zero outside of the matrix; NaN from the first column on whose pivot is not positive. Differentiable.

    References
    ----------
    G. H. Golub, C. F. Van Loan, "Matrix Computations", 4th ed., section 4.3.5; by columns, right-looking: the window
    holds the Schur complement of the rows in reach.
    """
    p, n = band.shape[0] - 1, band.shape[1]
    rows = jnp.concatenate([rows_of_lower(band), jnp.zeros((p + 1, p + 1), band.dtype)])
    window = jnp.stack([jnp.roll(rows[r], r - p).at[r + 1 :].set(0) for r in range(p + 1)])

    def step(window, new):
        pivot = window[0, 0].real
        root = jnp.sqrt(jnp.where(pivot > 0, pivot, jnp.nan))
        column = window[1:, 0] / root
        rest = window[1:, 1:] - column[:, None] * column.conj()
        grown = jnp.concatenate([jnp.pad(rest, ((0, 0), (0, 1))), new[None]]) if p else new[None]
        return grown, jnp.concatenate([root.astype(window.dtype)[None], column])

    columns = lax.scan(step, window, rows[p + 1 :])[1].T
    inside = np.arange(p + 1)[:, None] + np.arange(n) < n
    return jnp.where(inside, columns, 0)


def banded_cholesky_solve(factor, b):
    """Solve ``L @ L^H @ x = b`` for b of shape (n, k), given the band of L. Differentiable."""
    p = factor.shape[0] - 1
    start = jnp.zeros((p, b.shape[1]), b.dtype)

    def forward(known, row_and_b):
        row, b = row_and_b
        y = (b - row[:-1] @ known) / row[-1]
        return jnp.concatenate([known[1:], y[None]]) if p else known, y

    def backward(known, column_and_y):
        column, y = column_and_y
        x = (y - column[1:].conj() @ known) / column[0].conj()
        return jnp.concatenate([x[None], known[:-1]]) if p else known, x

    y = lax.scan(forward, start, (rows_of_lower(factor), b))[1]
    return lax.scan(backward, start, (factor.T, y), reverse=True)[1]
