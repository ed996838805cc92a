"""Interpolative decompositions: a matrix by some of its columns."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

__all__ = ["columns_to_svd", "interpolation", "projected_svd", "spectral_norm"]

#: Coefficients are no larger than this: beyond it the pivot is rounding error.
_LARGEST = 2.0**20


def _back_substitution(r, count):
    """``[I, r11^-1 r12]`` for the leading block of order `count` of a trapezoidal matrix (k, n), and zero rows."""
    k = r.shape[0]
    place = np.arange(r.shape[1])

    def row(j, t):
        i = k - 1 - j
        rest = jnp.where((place >= count), r[i], 0) - jnp.where((place[:k] > i), r[i, :k], 0) @ t
        pivot = r[i, i]
        small = jnp.abs(rest) >= _LARGEST * jnp.abs(pivot)
        solved = jnp.where(small, 0, rest / jnp.where(pivot == 0, 1, pivot))
        return t.at[i].set(jnp.where(i < count, jnp.where(place == i, 1, jnp.where(place < count, 0, solved)), 0))

    return lax.fori_loop(0, k, row, jnp.zeros_like(r))


def _by_exchanges(chosen, count, n):
    """The order of n columns after the first `count` chosen ones have been exchanged with those in their places."""

    def step(i, order):
        place = jnp.argmax(order == chosen[i])
        exchanged = order.at[place].set(order[i]).at[i].set(chosen[i])
        return jnp.where(i < count, exchanged, order)

    return lax.fori_loop(0, chosen.shape[0], step, jnp.arange(n, dtype=chosen.dtype))


def _pivoted(a, eps, rank):
    most = min(a.shape) if rank is None else rank
    q, r, order = lax.linalg.qr(a, pivoting=True, full_matrices=False)
    if rank is None:
        size = jnp.abs(jnp.diagonal(r))
        count = jnp.cumprod(size > eps * size[0]).sum()
    else:
        count = jnp.asarray(rank)
    q, r = q[:, :most], r[:most]
    t = _back_substitution(r, count)
    # beyond the chosen columns LAPACK's order has gone on: the rest is to stand as when the choice ended
    final = _by_exchanges(order[:most], count, a.shape[1])
    return q, r, final, count, jnp.zeros_like(t).at[:, order].set(t)[:, final]


@functools.partial(jax.custom_jvp, nondiff_argnums=(2,))
def interpolation(a, eps, rank=None):
    """Columns of `a`, and the coefficients by which they give the others.

    Parameters
    ----------
    a : array, shape (m, n)
    eps : scalar
        The columns' number is the least at which what is left of every other column is at most ``eps`` times the
        largest column.
    rank : int, optional
        The number itself, instead.

    Returns
    -------
    order : int array, shape (n,)
        The chosen columns first.
    count : int
    coefficients : array, shape (k, n)
        ``a[:, order[:k]] @ coefficients`` is ``a[:, order]`` approximately; k is `rank`, or ``min(m, n)`` with zeros in
        the rows from `count` on. Differentiable at fixed columns.

    References
    ----------
    H. Cheng, Z. Gimbutas, P. G. Martinsson, V. Rokhlin, "On the compression of low rank matrices", SIAM J. Sci. Comput.
    26 (2005) 1389-1404; columns by pivoted QR.
    """
    _, _, order, count, coefficients = _pivoted(a, eps, rank)
    return order, count, coefficients


@interpolation.defjvp
def _interpolation_jvp(rank, primals, tangents):
    (a, eps), (da, _) = primals, tangents
    q, r, order, count, t = _pivoted(a, eps, rank)
    k = t.shape[0]
    taken = np.arange(k) < count
    q = jnp.where(taken, q, 0)
    r = jnp.where(taken[:, None] & taken, r[:, :k], jnp.eye(k, dtype=r.dtype))
    a, da = a[:, order], da[:, order]
    b, db = jnp.where(taken, a[:, :k], 0), jnp.where(taken, da[:, :k], 0)
    solve = functools.partial(lax.linalg.triangular_solve, r, left_side=True, lower=False)
    # least squares with the residual a - b t
    change = solve(q.conj().T @ (da - db @ t))
    change += solve(solve(db.conj().T @ (a - b @ t), transpose_a=True, conjugate_a=True))
    change = jnp.where(taken[:, None] & (np.arange(a.shape[1]) >= count), change, 0)
    zeros = (np.zeros(order.shape, jax.dtypes.float0), np.zeros(count.shape, jax.dtypes.float0))
    return (order, count, t), (*zeros, change)


def columns_to_svd(b, p):
    """``u, s, v`` of ``b @ p``, by the QR factorisations of both (m, k), (k, n)."""
    q1, r1 = lax.linalg.qr(b, full_matrices=False)
    q2, r2 = lax.linalg.qr(p.conj().T, full_matrices=False)
    u, s, vh = lax.linalg.svd(r1 @ r2.conj().T, full_matrices=False)
    return q1 @ u, s, q2 @ vh.conj().T


def projected_svd(a, order, count, k):
    """``u, s, v`` of `a` projected on the space of its first `count` columns in this order, of at most k."""
    q, _ = lax.linalg.qr(a[:, order[:k]], full_matrices=False)
    q = jnp.where(np.arange(k) < count, q, 0)
    u, s, vh = lax.linalg.svd(q.conj().T @ a, full_matrices=False)
    return q @ u, s, vh.conj().T


def spectral_norm(apply, adjoint, start, steps):
    """The largest singular value of an operator, from below, by `steps` of the power method.

    Differentiable in what the operator holds: of first order the vectors are constants.

    References
    ----------
    J. D. Dixon, "Estimating extremal eigenvalues and condition numbers of matrices", SIAM J. Numer. Anal. 20 (1983)
    812-814.
    """

    def unit(v):
        size = jnp.linalg.norm(v)
        return v / jnp.where(size == 0, 1, size)

    def step(_, v):
        return unit(lax.stop_gradient(adjoint(apply(v))))

    v = lax.stop_gradient(lax.fori_loop(0, steps, step, unit(start)))
    image = apply(v)
    square = (jnp.abs(image) ** 2).sum()
    return jnp.where(square > 0, jnp.sqrt(jnp.where(square > 0, square, 1)), 0)
