"""LU factorisation with few operations to compile."""

import jax
import jax.numpy as jnp
from jax import lax

__all__ = ["factor", "one_norm"]


@jax.custom_batching.custom_vmap
def _permutation(pivots):
    """The permutation that LAPACK's sequence of row exchanges makes."""
    n = pivots.shape[0]

    def exchange(i, order):
        # slices need no test for negative indices
        j = lax.dynamic_slice(pivots, (i,), (1,))
        here, there = lax.dynamic_slice(order, (i,), (1,)), lax.dynamic_slice(order, (j[0],), (1,))
        return jnp.where(place == i, there, jnp.where(place == j, here, order))

    place = jnp.arange(n, dtype=pivots.dtype)
    return lax.fori_loop(0, n, exchange, place)


@_permutation.def_vmap
def _(axis_size, in_batched, pivots):
    return lax.linalg.lu_pivots_to_permutation(pivots, pivots.shape[-1]), True


def factor(a):
    """LU factors of one square matrix, packed, and the permutation of its rows, as ``lax.linalg.lu`` gives them."""
    lu, pivots, _ = lax.linalg.lu(a)
    return lu, _permutation(pivots)


def one_norm(a):
    """The 1-norm of matrices (..., m, n), by a product with ones (XLA makes many operations of a long sum)."""
    size = jnp.abs(a)
    if a.shape[-2] <= 16:
        return size.sum(axis=-2).max(axis=-1)
    return (jnp.ones((1, a.shape[-2]), size.dtype) @ size).max(axis=(-2, -1))
