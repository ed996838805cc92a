"""Inverses and products of small matrices, unrolled where a library's call would cost more than the work."""

import jax.numpy as jnp

#: Largest matrix that is inverted by unrolled elimination.
SMALL = 4
#: Longest rows whose products are one reduction.
SHORT = 64


def inverse(a):
    """Inverse of ``a`` (n, n); not finite for a singular matrix."""
    n = a.shape[0]
    if n == 1:
        return 1 / a
    if n == 2:
        determinant = a[0, 0] * a[1, 1] - a[0, 1] * a[1, 0]
        return _adjugate(a) / determinant
    if n <= SMALL:
        return _eliminated(a)
    return jnp.linalg.inv(a)


def _adjugate(a):
    return jnp.stack([jnp.stack([a[1, 1], -a[0, 1]]), jnp.stack([-a[1, 0], a[0, 0]])])


def _eliminated(a):
    """Inverse by Gauss-Jordan elimination with partial pivoting, as few whole-array operations."""
    n = a.shape[0]
    a = jnp.concatenate([a, jnp.eye(n, dtype=a.dtype)], axis=1)
    rows = jnp.arange(n)
    for k in range(n):
        size = jnp.where(rows >= k, jnp.abs(a[:, k]), -1)
        pivot = rows == jnp.argmax(size)
        row, other = jnp.sum(jnp.where(pivot[:, None], a, 0), axis=0), a[k]
        a = jnp.where(pivot[:, None], other, a)
        row = row / row[k]
        a = jnp.where((rows == k)[:, None], row, a - a[:, k : k + 1] * row)
    return a[:, n:]


def product(a, b):
    """``a @ b`` (m, k) by (k, n), k small: a sum that fuses with its neighbours.

    XLA's CPU backend makes one kernel of a whole loop over few numbers, unless a library is called in it. Of long rows
    the sum is written out: inside a kernel a reduction goes entry by entry, where this goes along the rows.
    """
    if b.shape[1] > SHORT:
        return sum(a[:, k, None] * b[k] for k in range(b.shape[0]))
    return jnp.sum(a[:, :, None] * b, axis=1)
