"""Reordering of a complex Schur form by rotations.

Reference: Z. Bai, J. W. Demmel, "On swapping diagonal blocks in real Schur form", Linear Algebra Appl. 186 (1993)
73-95; for a triangular matrix a swap is one rotation.
"""

import jax.numpy as jnp
from jax import lax

__all__ = ["reorder_schur"]


def reorder_schur(t, q, selected):
    """Bring the selected eigenvalues to the front, in their order.

    Parameters
    ----------
    t, q : complex arrays, shape (n, n)
        Upper triangular form and unitary vectors.
    selected : bool array, shape (n,)

    Returns
    -------
    t, q : arrays
    """
    n = t.shape[0]
    if n < 2:
        return t, q

    def out_of_order(chosen):
        return ~chosen[:-1] & chosen[1:]

    def swap(carry):
        t, q, chosen = carry
        i = jnp.argmax(out_of_order(chosen))
        block = lax.dynamic_slice(t, (i, i), (2, 2))
        # the eigenvector of the second value, in the plane of the pair
        x, y = block[0, 1], block[1, 1] - block[0, 0]
        size = jnp.sqrt(jnp.abs(x) ** 2 + jnp.abs(y) ** 2)
        safe = jnp.where(size == 0, 1, size)
        c, s = jnp.where(size == 0, 1, x / safe), jnp.where(size == 0, 0, y / safe)
        turn = jnp.stack([jnp.stack([c, -jnp.conj(s)]), jnp.stack([s, jnp.conj(c)])])
        zero = jnp.zeros_like(i)
        rows = jnp.conj(turn.T) @ lax.dynamic_slice(t, (i, zero), (2, n))
        t = lax.dynamic_update_slice(t, rows, (i, zero))
        columns = lax.dynamic_slice(t, (zero, i), (n, 2)) @ turn
        t = lax.dynamic_update_slice(t, columns, (zero, i))
        # exactly: the values themselves, and the zero below
        t = t.at[i, i].set(block[1, 1]).at[i + 1, i + 1].set(block[0, 0]).at[i + 1, i].set(0)
        q = lax.dynamic_update_slice(q, lax.dynamic_slice(q, (zero, i), (n, 2)) @ turn, (zero, i))
        return t, q, chosen.at[i].set(True).at[i + 1].set(False)

    t, q, _ = lax.while_loop(lambda c: out_of_order(c[2]).any(), swap, (t, q, selected))
    return t, q
