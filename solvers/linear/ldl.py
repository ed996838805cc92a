"""Symmetric indefinite factorisation with 1x1 and 2x2 pivots."""

import functools
import math

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

__all__ = ["ldl"]

#: Columns of a panel; a matrix of up to twice as many is one panel.
_PANEL = 32
#: The share of a column's largest entry at which its diagonal serves as pivot: bounds the growth best.
_ALPHA = (1 + math.sqrt(17)) / 8


def _size(x):
    """LAPACK's cheap modulus, so that the pivots are LAPACK's."""
    return jnp.abs(x.real) + jnp.abs(x.imag) if jnp.iscomplexobj(x) else jnp.abs(x)


def _conjugate(x, hermitian):
    return x.conj() if hermitian else x


def _choose(a, factors, products, k, place, order, hermitian, last):
    """The pivot at position k: columns of the rest, rows that become k and k + 1, and whether both are one block."""
    active = place >= k

    def column(row):
        """Column `row` of the matrix less what the panel has eliminated."""
        conjugated = _conjugate(a[row], hermitian)
        return jnp.where(active, conjugated - factors @ _conjugate(products[row], hermitian), 0)

    def largest(sizes):
        biggest = sizes.max()
        tied = (sizes == biggest) & (sizes >= 0)
        position = jnp.where(tied, place, -1).max() if last else jnp.where(tied, place, place.size).min()
        return biggest, order[jnp.clip(position, 0, place.size - 1)]

    rows = np.arange(place.size)
    row = order[k]
    first = column(row)
    diagonal = jnp.abs(first[row].real if hermitian else _size(first[row]))
    below, other = largest(jnp.where(active & (rows != row), _size(first), -1))
    below = jnp.maximum(below, 0)
    second = column(other)
    across = jnp.where(active & (rows != other), _size(second), 0).max()
    corner = jnp.abs(second[other].real if hermitian else _size(second[other]))
    # B-K's tests; written so that NaN means the diagonal, and without the quotient below / across
    stay = ~(diagonal < _ALPHA * below) | (diagonal * across >= _ALPHA * below * below)
    exchange = ~stay & (corner >= _ALPHA * across)
    double = ~stay & ~exchange & (k + 1 < place.size)
    return jnp.where(exchange, second, first), second, jnp.where(exchange, other, row), other, double


def _eliminated(first, second, row, other, double, hermitian):
    """The pivot block ``(d11, d21, d22)`` and the one or two columns of L and of L D that belong to it."""
    rows = np.arange(first.size)
    d11, d21, d22 = first[row], first[other], second[other]
    if hermitian:
        d11, d22 = d11.real.astype(first.dtype), d22.real.astype(first.dtype)
    single = jnp.where((rows == row) | (d11 == 0), 0, first / jnp.where(d11 == 0, 1, d11))
    single = jnp.where(rows == row, 1, single)
    # [l1 l2] [[d11, d12], [d21, d22]] = [c1 c2], scaled by the largest entry, d21
    d21 = jnp.where(double, d21, 1)
    d12 = _conjugate(d21, hermitian)
    upper, lower = d11 / d12, d22 / d21
    scale = 1 / (upper * lower - 1)
    own = (rows == row) | (rows == other)
    pair = (first * lower - second) * scale / d12, (second * upper - first) * scale / d21
    pair = tuple(jnp.where(own, rows == mine, x) for x, mine in zip(pair, (row, other), strict=True))
    left = jnp.where(double, pair[0], single)
    right = jnp.where(double, pair[1], 0)
    d21 = jnp.where(double, d21, 0)
    columns = jnp.stack([left, right], axis=1)
    return (d11, d21, d22), columns, jnp.stack([first, jnp.where(double, second, 0)], axis=1)


def _step(a, hermitian, last, carry):
    """One pivot of a panel whose matrix is `a` less ``factors @ products^H``."""
    k, start, factors, products, order, place, diagonal, below = carry
    n, zero = a.shape[0], jnp.zeros_like(k)
    first, second, row, other, double = _choose(a, factors, products, k, place, order, hermitian, last)
    # the pivot's row goes to position k, a second one to k + 1; what was there takes their places
    for position, moved in ((k, row), (jnp.minimum(k + 1, n - 1), jnp.where(double, other, -1))):
        moved = jnp.where(moved < 0, order[position], moved)
        old, vacated = order[position], place[moved]
        order = order.at[vacated].set(old).at[position].set(moved)
        place = place.at[old].set(vacated).at[moved].set(position)
    (d11, d21, d22), columns, images = _eliminated(first, second, row, other, double, hermitian)
    factors = lax.dynamic_update_slice(factors, columns, (zero, k - start))
    products = lax.dynamic_update_slice(products, images, (zero, k - start))
    diagonal = lax.dynamic_update_slice(diagonal, jnp.stack([d11, jnp.where(double, d22, 0)]), (k,))
    below = lax.dynamic_update_slice(below, jnp.stack([d21, jnp.zeros_like(d21)]), (k,))
    return jnp.where(double, k + 2, k + 1), start, factors, products, order, place, diagonal, below


def _factor(a, hermitian, last):
    n, dtype = a.shape[0], a.dtype
    width = n if n <= 2 * _PANEL else _PANEL

    def panel(carry):
        a, lu, start, order, place, diagonal, below = carry
        empty = jnp.zeros((n, width + 1), dtype)

        def going(carry):
            return (carry[0] < n) & (carry[0] - carry[1] < width)

        step = functools.partial(_step, a, hermitian, last)
        out = lax.while_loop(going, step, (start, start, empty, empty, order, place, diagonal, below))
        end, start, factors, products, order, place, diagonal, below = out
        lu = lax.dynamic_update_slice(lu, factors, (jnp.zeros_like(start), start))
        if width < n:
            a = a - factors @ _conjugate(products, hermitian).T
        return a, lu, end, order, place, diagonal, below

    index, spare = jnp.arange(n), jnp.zeros(n + 2, dtype)
    carry = (a, jnp.zeros((n, n + width + 2), dtype), jnp.zeros_like(index[0]), index, index, spare, spare)
    carry = panel(carry) if width == n else lax.while_loop(lambda carry: carry[2] < n, panel, carry)
    _, lu, _, order, _, diagonal, below = carry
    below = below[: n - 1]
    d = jnp.diag(diagonal[:n]) + jnp.diag(below, -1) + jnp.diag(_conjugate(below, hermitian), 1)
    return lu[:, :n], d, order


@functools.partial(jax.custom_jvp, nondiff_argnums=(1, 2))
def ldl(a, hermitian=True, lower=True):
    """``a = lu @ d @ lu^H`` (or ``lu^T``) by diagonal pivoting; d has blocks of order 1 and 2.

    Parameters
    ----------
    a : array, shape (n, n)
        All of the Hermitian (or symmetric) matrix.
    hermitian : bool
        Hermitian rather than symmetric, of a complex matrix.
    lower : bool
        Eliminate from the first column on; from the last one else.

    Returns
    -------
    lu : array, shape (n, n)
        ``lu[perm]`` is lower (upper) triangular with ones on its diagonal.
    d : array, shape (n, n)
    perm : int array, shape (n,)

    Notes
    -----
    Differentiable at fixed pivots where d is regular: with ``M = L^-1 dL``, ``L^-1 da L^-H = M d + dd + d M^H``, whose
    part below the blocks of d is ``M d`` and whose blocks are ``dd``.

    References
    ----------
    J. R. Bunch, L. Kaufman, "Some stable methods for calculating inertia and solving symmetric linear systems", Math.
    Comp. 31 (1977) 163-179: algorithm A; in panels as in LAPACK Working Note 2 of J. J. Dongarra et al. Nothing is
    exchanged in memory: the rows keep their places, and an order of elimination is kept beside them.
    """
    hermitian = hermitian and jnp.iscomplexobj(a)
    if lower:
        return _factor(a, hermitian, False)
    lu, d, order = _factor(a[::-1, ::-1], hermitian, True)
    return lu[::-1, ::-1], d[::-1, ::-1], a.shape[0] - 1 - order[::-1]


@ldl.defjvp
def _ldl_jvp(hermitian, lower, primals, tangents):
    (a,), (da,) = primals, tangents
    hermitian = hermitian and jnp.iscomplexobj(a)
    lu, d, perm = ldl(a, hermitian, lower)
    n = a.shape[0]

    def solved(x, y):
        return lax.linalg.triangular_solve(x, y, left_side=True, lower=lower, unit_diagonal=True)

    half = solved(lu[perm], da[perm][:, perm])
    change = _conjugate(solved(lu[perm], _conjugate(half, hermitian).T), hermitian).T
    # the blocks of d: its diagonal, and neighbours that it couples
    coupled = jnp.diagonal(d, -1) != 0
    block = jnp.eye(n, dtype=bool) | jnp.diag(coupled, -1) | jnp.diag(coupled, 1)
    beyond = jnp.tril(jnp.ones((n, n), bool), -1) if lower else jnp.triu(jnp.ones((n, n), bool), 1)
    off = jnp.where(beyond & ~block, change, 0)
    move = jnp.linalg.solve(d.T, off.T).T
    return (lu, d, perm), (lu @ move, jnp.where(block, change, 0), np.zeros(perm.shape, jax.dtypes.float0))
