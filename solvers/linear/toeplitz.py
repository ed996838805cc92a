"""Toeplitz systems: Levinson's recursion and products by FFT."""

import jax.numpy as jnp
from jax import lax

__all__ = ["solve_toeplitz", "toeplitz_matvec"]


def toeplitz_matvec(c, r, x):
    """``a @ x`` for the matrix with first column `c` (m,) and first row `r` (n,), x of shape (n, k).

    The matrix is the corner of a circulant one, which the FFT diagonalises.
    """
    m, n = c.shape[0], r.shape[0]
    ring = jnp.concatenate([c, r[:0:-1]])
    size = m + n - 1
    if jnp.iscomplexobj(ring) or jnp.iscomplexobj(x):
        product = jnp.fft.ifft(jnp.fft.fft(ring)[:, None] * jnp.fft.fft(x, n=size, axis=0), axis=0)
    else:
        product = jnp.fft.irfft(jnp.fft.rfft(ring)[:, None] * jnp.fft.rfft(x, n=size, axis=0), n=size, axis=0)
    return product[:m]


def _levinson(c, r, b):
    """Levinson's recursion for a matrix with first column c and first row r, b of shape (n, k).

    At step m, ``forward`` solves the leading m x m system for the first unit vector, ``backward`` for the last; both
    are kept in vectors of full length, `backward` shifted to the front by one row at each step.
    """
    n, k = b.shape
    # column and row, reversed and padded: a window of them starts anywhere
    c_reversed = jnp.concatenate([jnp.zeros(n, c.dtype), c[::-1], jnp.zeros(n, c.dtype)])

    def step(m, state):
        forward, backward, x = state
        # rows of the matrix against the vectors: a[m, j] = c[m - j] for j < m, a[0, j] = r[j]
        row = lax.dynamic_slice(c_reversed, (2 * n - 1 - m,), (n,))  # row[j] = c[m - j], zero for j > m
        error_forward = row @ forward  # forward[m] is still zero
        shifted = jnp.roll(backward, 1)  # zero in front: `backward` has m entries, m < n
        error_backward = r @ shifted
        scale = 1 - error_forward * error_backward
        scale = jnp.where(scale == 0, jnp.nan, scale)
        grown_forward = (forward - error_forward * shifted) / scale
        grown_backward = (shifted - error_backward * forward) / scale
        error_x = lax.dynamic_index_in_dim(b, m, keepdims=False) - row @ x
        return grown_forward, grown_backward, x + grown_backward[:, None] * error_x

    head = jnp.where(c[0] == 0, jnp.nan, c[0])
    unit = jnp.zeros(n, b.dtype).at[0].set(1 / head)
    x = jnp.zeros((n, k), b.dtype).at[0].set(b[0] / head)
    return lax.fori_loop(1, n, step, (unit, unit, x))[2]


def solve_toeplitz(c, r, b):
    """Solve with the matrix that has first column `c` and first row `r` (its first entry is not read).

    Parameters
    ----------
    c, r : (n,) arrays
    b : (n, k) array
        Right-hand sides, all of one dtype.

    Returns
    -------
    (n, k) array
        NaN if a leading minor is zero. Differentiable by the implicit function theorem.

    References
    ----------
    G. H. Golub, C. F. Van Loan, "Matrix Computations", 4th ed., section 4.7 (Levinson's algorithm, unsymmetric).
    """
    column, row = lax.stop_gradient(c), lax.stop_gradient(r.at[0].set(c[0]))
    return lax.custom_linear_solve(
        lambda x: toeplitz_matvec(c, r, x),
        b,
        solve=lambda _, y: _levinson(column, row, y),
        transpose_solve=lambda _, y: _levinson(row, column, y),
    )
