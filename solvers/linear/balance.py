"""Balancing of a matrix for eigenvalue problems: isolated eigenvalues to the corners, then norms made alike."""

import jax.numpy as jnp
import numpy as np
from jax import lax

__all__ = ["balance"]

#: A step is taken if it reduces the sum of the norms below this share.
_WORTH = 0.95


def _push(coupled, order, low, high):
    """Exchange to the end what no other of positions ``low:high`` is coupled to; the new order and its end."""
    n = coupled.shape[0]

    def step(carry):
        order, place, high, i, found = carry
        row = order[i]
        alone = ~(coupled[row] & (place >= low) & (place < high)).any()
        last = order[high - 1]
        order = jnp.where(alone, order.at[i].set(last).at[high - 1].set(row), order)
        place = jnp.where(alone, place.at[last].set(i).at[row].set(high - 1), place)
        high, found = jnp.where(alone, high - 1, high), found | alone
        ended = i <= low
        # another sweep, if this one found something
        again = ended & found
        return order, place, high, jnp.where(again, high - 1, i - 1), found & ~ended

    def going(carry):
        _, _, high, i, _ = carry
        return (i >= low) & (high > low + 1)

    place = jnp.zeros(n, order.dtype).at[order].set(jnp.arange(n, dtype=order.dtype))
    order, _, high, _, _ = lax.while_loop(going, step, (order, place, high, high - 1, jnp.zeros((), bool)))
    return order, high


def _permuted(a):
    """The order of the rows, and the range of positions that is coupled."""
    n = a.shape[0]
    coupled = (a != 0) & ~np.eye(n, dtype=bool)
    zero = jnp.zeros((), int)
    # rows that are zero in what is left of the matrix go to its end, then columns to its beginning
    order, high = _push(coupled, jnp.arange(n), zero, zero + n)
    mirrored, end = _push(coupled.T, order[::-1], n - high, zero + n)
    # one left alone is not a column to move
    single = high == 1
    return jnp.where(single, order, mirrored[::-1]), jnp.where(single, 0, n - end), high


def _norm(x):
    largest = jnp.abs(x).max()
    safe = jnp.where((largest > 0) & jnp.isfinite(largest), largest, 1)
    return safe * jnp.sqrt((jnp.abs(x / safe) ** 2).sum())


def _factor(column, row, column_largest, row_largest):
    """The power of two by which the column is to be multiplied and the row divided, within the range of the type."""
    info = jnp.finfo(column.dtype)
    smallest = 2 * info.tiny / info.eps
    largest = 1 / smallest

    def rise(carry):
        f, c, r, big, small = carry
        return 2 * f, 2 * c, r / 2, 2 * big, small / 2

    def fall(carry):
        f, c, r, big, small = carry
        return f / 2, c / 2, 2 * r, big / 2, 2 * small

    def rising(carry):
        f, c, r, big, small = carry
        inside = (jnp.maximum(jnp.maximum(f, c), big) < largest) & (jnp.minimum(r / 2, small) > smallest)
        return (c < r / 2) & inside

    def falling(carry):
        f, c, r, big, small = carry
        inside = (jnp.maximum(r, small) < largest) & (jnp.minimum(jnp.minimum(f, c / 2), big) > smallest)
        return (c / 2 >= r) & inside

    carry = (jnp.ones_like(column), column, row, column_largest, row_largest)
    f, c, r, _, _ = lax.while_loop(falling, fall, lax.while_loop(rising, rise, carry))
    return f, c + r


def _scaled(a, low, high):
    """The diagonal of powers of two for positions ``low:high``."""
    n = a.shape[0]
    size = jnp.abs(a)
    columns = size.T
    info = jnp.finfo(size.dtype)
    least = info.tiny / info.eps
    rows = np.arange(n)

    def step(carry):
        scale, i, changed = carry
        column, row = columns[i] / scale * scale[i], size[i] / scale[i] * scale
        inside = (rows >= low) & (rows < high)
        c, r = _norm(jnp.where(inside, column, 0)), _norm(jnp.where(inside, row, 0))
        f, total = _factor(c, r, jnp.where(rows < high, column, 0).max(), jnp.where(rows >= low, row, 0).max())
        own = scale[i]
        # comparisons with NaN are false: nothing is scaled then, and the loop ends
        worth = (c > 0) & (r > 0) & (total < _WORTH * (c + r))
        worth &= ~((f < 1) & (own < 1) & (f * own <= least)) & ~((f > 1) & (own > 1) & (own >= 1 / (least * f)))
        scale = scale.at[i].set(jnp.where(worth, own * f, own))
        changed |= worth
        again = (i + 1 >= high) & changed
        return scale, jnp.where(again, low, i + 1), changed & ~again

    start = (jnp.ones(n, size.dtype), low, jnp.zeros((), bool))
    return lax.while_loop(lambda carry: carry[1] < high, step, start)[0]


def balance(a, permute=True, scale=True):
    """An order of the rows (and columns) and a diagonal scaling of one matrix.

    Parameters
    ----------
    a : array, shape (n, n)
    permute, scale : bool

    Returns
    -------
    order : int array, shape (n,)
    factors : array, shape (n,)
        Powers of two, by position in the new order: ``a[order][:, order] * factors / factors[:, None]`` is balanced.

    References
    ----------
    B. N. Parlett, C. Reinsch, "Balancing a matrix for calculation of eigenvalues and eigenvectors", Numer. Math. 13
    (1969) 293-304; with Euclidean norms, as R. James, J. Langou, B. R. Lowery, "On matrix balancing and eigenvector
    computation", arXiv:1401.5766 (2014) have it. The order of the exchanges is that of LAPACK 3.12's gebal.
    """
    a = lax.stop_gradient(a)
    n = a.shape[0]
    zero = jnp.zeros((), int)
    order, low, high = _permuted(a) if permute else (jnp.arange(n), zero, zero + n)
    factors = _scaled(a[order][:, order], low, high) if scale else jnp.ones(n, a.real.dtype)
    return order, factors
