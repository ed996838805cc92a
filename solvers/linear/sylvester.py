"""Sylvester equations ``a @ x + x @ b = q``, and square roots of triangular matrices, by blocks."""

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from solvers.linear.schur import complex_schur

__all__ = ["solve_sylvester", "sqrt_triangular", "sylvester_triangular"]

#: Rows of a block: below it the loops over columns cost less than products of blocks.
_BLOCK = 48


def _columns(a, b, q):
    """``a x + x b = q`` for upper triangular a, b, column by column from the left."""
    eye = jnp.eye(a.shape[0], dtype=a.dtype)

    def step(k, x):
        rhs = q[:, k] - x @ b[:, k]  # later columns of x are still zero
        solved = lax.linalg.triangular_solve(a + b[k, k] * eye, rhs[:, None], left_side=True, lower=False)
        return x.at[:, k].set(solved[:, 0])

    return lax.fori_loop(0, b.shape[0], step, jnp.zeros_like(q))


def _padded(a, size):
    """In a larger triangular matrix, with ones on the new diagonal."""
    extra = size - a.shape[0]
    tail = jnp.zeros(size, a.dtype).at[a.shape[0] :].set(1)
    return jnp.pad(a, (0, extra)) + jnp.diag(tail)


def sylvester_triangular(a, b, q):
    """Solve ``a @ x + x @ b = q`` for upper triangular a (m, m) and b (n, n).

    References
    ----------
    R. H. Bartels, G. W. Stewart, "Algorithm 432: Solution of the matrix equation AX + XB = C", Commun. ACM 15 (1972)
    820-826; by blocks as in I. Jonsson, B. Kagstrom, ACM TOMS 28 (2002) 392-415, in a loop rather than recursively.
    """
    m, n = q.shape
    if max(m, n) <= 2 * _BLOCK:
        return _columns(a, b, q)
    rows, cols = -(-m // _BLOCK), -(-n // _BLOCK)
    a, b = _padded(a, rows * _BLOCK), _padded(b, cols * _BLOCK)
    q = jnp.pad(q, ((0, rows * _BLOCK - m), (0, cols * _BLOCK - n)))

    def block(matrix, i, j):
        return lax.dynamic_slice(matrix, (i * _BLOCK, j * _BLOCK), (_BLOCK, _BLOCK))

    def step(k, x):
        i, j = rows - 1 - k % rows, k // rows  # columns from the left, rows from below
        row = lax.dynamic_slice(a, (i * _BLOCK, 0), (_BLOCK, a.shape[0]))
        column = lax.dynamic_slice(b, (0, j * _BLOCK), (b.shape[0], _BLOCK))
        x_column = lax.dynamic_slice(x, (0, j * _BLOCK), (x.shape[0], _BLOCK))
        x_row = lax.dynamic_slice(x, (i * _BLOCK, 0), (_BLOCK, x.shape[1]))
        rhs = block(q, i, j) - row @ x_column - x_row @ column  # what is not solved yet is zero
        return lax.dynamic_update_slice(x, _columns(block(a, i, i), block(b, j, j), rhs), (i * _BLOCK, j * _BLOCK))

    return lax.fori_loop(0, rows * cols, step, jnp.zeros_like(q))[:m, :n]


def solve_sylvester(a, b, q):
    """Solve ``a @ x + x @ b = q``; complex.

    Differentiable in all by the implicit function theorem.
    """
    dtype = jnp.result_type(a, b, q, jnp.complex64)
    a, b, q = a.astype(dtype), b.astype(dtype), q.astype(dtype)
    (r, u), (s, v) = complex_schur(lax.stop_gradient(a)), complex_schur(lax.stop_gradient(b))

    def solve(_, q):
        return u @ sylvester_triangular(r, s, u.conj().T @ q @ v) @ v.conj().T

    def transpose_solve(_, q):
        # a^T y + y b^T = q is b y^T + y^T a = q^T
        return (v @ sylvester_triangular(s, r, v.conj().T @ q.T @ u) @ u.conj().T).T

    return lax.custom_linear_solve(lambda x: a @ x + x @ b, q, solve, transpose_solve)


def _sqrt_columns(t):
    """Square root of an upper triangular matrix, column by column; the root's diagonal is the principal one."""
    n = t.shape[0]
    root = jnp.sqrt(jnp.diagonal(t))
    index = np.arange(n)

    def step(k, r):
        # (R_k + r_kk I) x = t[:k, k] with R_k the leading block; other rows are made trivial
        above = index < k
        system = jnp.where(above[:, None] & above, r, 0)
        diagonal = jnp.where(above, root + root[k], 1)
        # equal to zero only where t is singular: the entry is free there if the right-hand side vanishes
        zero = diagonal == 0
        system = system.at[index, index].set(jnp.where(zero, 1, diagonal))
        rhs = jnp.where(above, t[:, k], 0)
        x = lax.linalg.triangular_solve(system, rhs[:, None], left_side=True, lower=False)[:, 0]
        x = jnp.where(zero & (rhs != 0), jnp.inf, x)
        return r.at[:, k].set(jnp.where(above, x, r[:, k]))

    return lax.fori_loop(0, n, step, jnp.diag(root))


def sqrt_triangular(t):
    """Principal square root of an upper triangular complex matrix.

    References
    ----------
    A. Bjorck, S. Hammarling, "A Schur method for the square root of a matrix", Linear Algebra Appl. 52/53 (1983)
    127-140; by blocks as in E. Deadman, N. J. Higham, R. Ralha, "Blocked Schur algorithms for computing the matrix
    square root", PARA 2012.
    """
    n = t.shape[0]
    if n <= 2 * _BLOCK:
        return _sqrt_columns(t)
    count = -(-n // _BLOCK)
    t = _padded(t, count * _BLOCK)
    blocks = t.reshape(count, _BLOCK, count, _BLOCK)
    diagonal = jax.vmap(_sqrt_columns)(blocks[np.arange(count), :, np.arange(count), :])
    r = jnp.zeros_like(blocks).at[np.arange(count), :, np.arange(count), :].set(diagonal).reshape(t.shape)
    # (i, j) above the diagonal, columns from the left, rows from below
    order = np.array([(i, j) for j in range(1, count) for i in range(j - 1, -1, -1)], dtype=np.int32)

    def step(r, pair):
        i, j = pair
        zero = jnp.zeros_like(i)  # slices want indices of one type
        row = lax.dynamic_slice(r, (i * _BLOCK, zero), (_BLOCK, r.shape[0]))
        column = lax.dynamic_slice(r, (zero, j * _BLOCK), (r.shape[0], _BLOCK))
        # rows of the column below i and above j are known; those at i are zero, R_jj meets zeros of the row
        rhs = lax.dynamic_slice(t, (i * _BLOCK, j * _BLOCK), (_BLOCK, _BLOCK)) - row @ column
        x = _columns(diagonal[i], diagonal[j], rhs)
        return lax.dynamic_update_slice(r, x, (i * _BLOCK, j * _BLOCK)), None

    return lax.scan(step, r, order)[0][:n, :n]
