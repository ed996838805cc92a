"""Determinants of stacks of small matrices: elimination unrolled over the columns, one lane for each matrix."""

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from solvers.linear.small import CACHED, FEW, batched, first_largest, in_lanes

__all__ = ["determinant"]

#: The largest order for which lanes pay: at 8x8 a third of LAPACK's time.
_LARGEST = 8


def _determinant_lanes(x):
    """Determinants (1, 1, lanes) of (n, n, lanes); what is done is left out of the array."""
    value = jnp.ones(x.shape[-1], x.dtype)
    for left in range(x.shape[0], 1, -1):
        place = lax.optimization_barrier(first_largest(jnp.abs(x[:, 0])))
        chosen = lax.optimization_barrier(place == np.arange(left, dtype=np.int32)[:, None])[:, None]
        pivot = jnp.where(chosen, x, 0).sum(axis=0)
        value = value * jnp.where(place == 0, pivot[0], -pivot[0])
        value = jnp.where(place == left, jnp.nan, value)
        # the whole column is zero where the pivot is
        lead = lax.optimization_barrier(pivot[1:] / jnp.where(pivot[0] == 0, 1, pivot[0]))
        others = jnp.where(chosen[1:], x[0], x[1:])
        x = lax.optimization_barrier(others[:, 1:] - others[:, :1] * lead)
    return (value * x[0, 0])[None, None]


def _determinant_stack(a):
    if len(a) < FEW:
        return jnp.linalg.det(a)
    return in_lanes(_determinant_lanes, a, lanes=CACHED // (2 * a.shape[-1] ** 2))[:, 0, 0]


_determinant = jax.custom_batching.custom_vmap(jnp.linalg.det)
_determinant.def_vmap(batched(_determinant_stack))


@jax.custom_jvp
def determinant(a):
    """The determinant of one matrix, by LAPACK; of a stack under `vmap`, if it is small and real, in lanes.

    Differentiable, also where singular.
    """
    n = a.shape[-1]
    return jnp.linalg.det(a) if jnp.iscomplexobj(a) or not 4 < n <= _LARGEST else _determinant(a)


@determinant.defjvp
def _determinant_jvp(primals, tangents):
    return jax.jvp(jnp.linalg.det, primals, tangents)
