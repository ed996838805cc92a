"""Small vector algebra, formulated so that XLA compiles it quickly."""

import jax
import jax.numpy as jnp
from jax import lax

__all__ = ["entry", "inner", "norm", "pack", "product"]

_SMALL = 1024


def pack(scalars, dtype):
    """A vector of a pytree of scalars.

    Selects rather than a stack: XLA then emits one kernel for all of them, where a stack (or separate leaves in
    the loop's carry) costs a kernel, and 8 ms of compile time, for each.
    """
    leaves = jax.tree.leaves(scalars)
    shape = (len(leaves),)
    index = lax.iota(jnp.int32, len(leaves))
    vector = lax.full(shape, 0, dtype)
    for i, leaf in enumerate(leaves):
        scalar = lax.convert_element_type(leaf, dtype)
        vector = lax.select(lax.eq(index, lax.full(shape, i, jnp.int32)), lax.broadcast(scalar, shape), vector)
    return vector


def entry(vector, i):
    """One scalar of a packed vector, without the bounds logic of indexing."""
    return lax.squeeze(lax.slice(vector, (i,), (i + 1,)), (0,))


def inner(a, b):
    """Inner product as a plain reduction: XLA's dot kernels take ten times longer to compile."""
    return jnp.sum(a * b)


def product(matrix, vector):
    """Product of a matrix and a vector; small ones as a reduction, for the same reason."""
    if matrix.size > _SMALL:
        return matrix @ vector
    return jnp.sum(matrix * vector, axis=1)


def norm(a):
    """Euclidean norm of a vector."""
    return jnp.sqrt(inner(a, a))
