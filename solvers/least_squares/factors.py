"""Singular factors of a tall matrix with few columns, without LAPACK.

LAPACK's SVD costs a hundred microseconds for a 50 x 3 matrix inside a compiled loop, under `vmap` for every lane.
Here the matrix shrinks to a triangle first: by Cholesky's method on ``A^T A`` where its pivots say that this is
accurate enough for a step, else by Householder reflections. One-sided Jacobi rotations then diagonalise the triangle.

References
----------
.. [1] G. H. Golub, C. F. Van Loan, "Matrix Computations", 4th ed., 2013, sections 5.2 and 8.6.3.
.. [2] R. P. Brent, F. T. Luk, "The solution of singular-value and symmetric eigenvalue problems on multiprocessor
   arrays", SIAM J. Sci. Stat. Comput. 6, 1985 (the order of rotations).
"""

import functools
import operator

import jax.numpy as jnp
import numpy as np
from jax import lax

from solvers.batching import any_lane
from solvers.roots.vectors import product

__all__ = ["UNROLLED", "eliminated", "singular_factors", "well_conditioned"]

#: Up to this size elimination is written out number by number.
UNROLLED = 4

_FEW = 8
_SWEEPS = 12


def singular_factors(matrix, vector):
    """Singular values, right singular vectors, and the left ones applied to a vector.

    Parameters
    ----------
    matrix : (m, n) array
        Finite.
    vector : (m,) array

    Returns
    -------
    singular : (k,) array
        ``k = min(m, n)`` singular values, in no order.
    right : (k, n) array
        The rows are right singular vectors.
    image : (k,) array
        ``U^T vector``; zero where the singular value is.
    """
    m, n = matrix.shape
    if n > _FEW or m < n:
        left, singular, right = jnp.linalg.svd(matrix, full_matrices=False)
        return singular, right, product(left.T, vector)
    triangle, safe = _cholesky(matrix.T @ matrix)
    # One flag for all lanes: a branch per lane would compute both sides.
    triangle = lax.cond(any_lane(~safe), lambda: _householder(matrix), lambda: triangle)
    rotated, turns = _jacobi(triangle)
    singular = jnp.sqrt(jnp.sum(rotated * rotated, axis=0))
    slope = product(turns.T, matrix.T @ vector)
    image = jnp.where(singular > 0, slope / jnp.where(singular > 0, singular, 1.0), 0.0)
    return singular, turns.T, image


def well_conditioned(gram):
    """Whether ``A^T A`` is far enough from singular to stand for A in a step."""
    n = len(gram)
    if n > UNROLLED:
        return _cholesky(gram)[1]
    _, pivots, _ = eliminated([[gram[i, j] for j in range(i + 1)] for i in range(n)])
    limit = jnp.finfo(gram.dtype).eps ** (2 / 3)
    return functools.reduce(operator.and_, [pivot > limit * gram[i, i] for i, pivot in enumerate(pivots)])


def eliminated(rows):
    """The factors ``L D L^T`` of a symmetric matrix given as lists of scalars, the rows of its lower triangle.

    Returns
    -------
    low : list of lists
        Row i holds the i entries of L left of its diagonal of ones.
    pivots, inverse : list
        D, and its inverse with zero where a pivot is not positive.
    """
    low, pivots, inverse = [], [], []
    for row in rows:
        scaled, pivot = [], row[-1]
        for j, entry in enumerate(row[:-1]):
            # L_ij D_j
            scaled.append(entry - sum(a * b for a, b in zip(scaled, low[j], strict=False)))
        left = [a * d for a, d in zip(scaled, inverse, strict=True)]
        for a, b in zip(scaled, left, strict=True):
            pivot = pivot - a * b
        low.append(left)
        pivots.append(pivot)
        inverse.append(jnp.where(pivot > 0, 1 / jnp.where(pivot > 0, pivot, 1.0), 0.0))
    return low, pivots, inverse


def _cholesky(gram):
    """Upper triangle R with ``R^T R = gram``, and whether its pivots are far from the rounding errors."""
    n, eps = len(gram), jnp.finfo(gram.dtype).eps
    index = np.arange(n, dtype=np.int32)
    # Relative to the column: the matrix may be scaled badly without being close to singular.
    limits = eps ** (2 / 3) * jnp.diagonal(gram)

    def eliminate(j, carry):
        rest, safe = carry
        row = jnp.sum(jnp.where(index[:, None] == j, rest, 0.0), axis=0)
        pivot = jnp.sum(jnp.where(index == j, row, 0.0))
        row = jnp.where(index >= j, row / jnp.sqrt(jnp.where(pivot > 0, pivot, 1.0)), 0.0)
        below = index[:, None] > j
        rest = jnp.where(index[:, None] == j, row, jnp.where(below, rest - row[:, None] * row, rest))
        return rest, safe & (pivot > jnp.sum(jnp.where(index == j, limits, 0.0)))

    return lax.fori_loop(0, n, eliminate, (gram, jnp.all(limits > 0)))


def _householder(matrix):
    """Upper triangle of the QR factorisation."""
    m, n = matrix.shape
    index = lax.iota(jnp.int32, m)

    def reflect(j, a):
        column = jnp.where(index >= j, lax.dynamic_index_in_dim(a, j, axis=1, keepdims=False), 0.0)
        head = jnp.sum(jnp.where(index == j, column, 0.0))
        length = jnp.sqrt(jnp.sum(column * column))
        column = jnp.where(index == j, head + jnp.where(head >= 0, length, -length), column)
        square = jnp.sum(column * column)
        weights = jnp.sum(column[:, None] * a, axis=0) * (2 / jnp.where(square > 0, square, 1.0))
        return a - column[:, None] * weights

    return jnp.triu(lax.fori_loop(0, n, reflect, matrix)[:n])


def _jacobi(triangle):
    """Rotate the columns of an (n, n) matrix until they are orthogonal; the result, and the product of the turns."""
    n = len(triangle)
    if n == 1:
        return triangle, jnp.ones_like(triangle)
    size = n + n % 2
    half = size // 2
    # The columns pair up as a tournament's players: the first stays, the others move on by one place a round.
    order = np.r_[0, half, 1 : half - 1, half + 1 : size, half - 1] if half > 1 else np.arange(2)
    padded = jnp.zeros((n + size, size), triangle.dtype)
    padded = padded.at[:n, :n].set(triangle).at[n:].set(jnp.eye(size, dtype=triangle.dtype))
    eps = jnp.finfo(triangle.dtype).eps

    def turn(carry):
        a, count, quiet = carry
        p, q = a[:, :half], a[:, half:]
        alpha, beta = jnp.sum(p[:n] ** 2, axis=0), jnp.sum(q[:n] ** 2, axis=0)
        gamma = jnp.sum(p[:n] * q[:n], axis=0)
        apart = jnp.abs(gamma) > eps * jnp.sqrt(alpha * beta)
        zeta = (beta - alpha) / jnp.where(apart, 2 * gamma, 1.0)
        tangent = jnp.where(zeta >= 0, 1.0, -1.0) / (jnp.abs(zeta) + jnp.sqrt(1 + zeta * zeta))
        tangent = jnp.where(apart, tangent, 0.0)
        cosine = lax.rsqrt(1 + tangent * tangent)
        sine = cosine * tangent
        a = jnp.concatenate([cosine * p - sine * q, sine * p + cosine * q], axis=1)[:, order]
        return a, count + 1, jnp.where(apart.any(), 0, quiet + 1)

    rounds = size - 1
    a, _, _ = lax.while_loop(
        lambda c: (c[2] < rounds) & (c[1] < _SWEEPS * rounds), turn, (padded, jnp.int32(0), jnp.int32(0))
    )
    # The padding's column is the one whose turns are all zero but in the last row.
    if size > n:
        keep = jnp.argsort(jnp.abs(a[-1]) > 0.5, stable=True)[:n]
        a = a[:, keep]
    return a[:n], a[n : 2 * n]
