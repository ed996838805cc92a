"""Determinants of stacks of small matrices: elimination unrolled over the columns, one lane for each matrix."""

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from solvers.linear.small import CACHED, in_lanes

__all__ = ["determinant"]

#: The largest order, and the smallest stack, for which lanes pay: at 8x8 a third of LAPACK's time.
_LARGEST, _FEW = 8, 16


def _determinant_lanes(x):
    """Determinants (1, 1, lanes) of (n, n, lanes); what is done is left out of the array."""
    value = jnp.ones(x.shape[-1], x.dtype)
    for left in range(x.shape[0], 1, -1):
        size = jnp.abs(x[:, 0])
        places = np.arange(left, dtype=np.int32)[:, None]
        # the first of the largest; none in a lane with a NaN
        place = lax.optimization_barrier(jnp.where(size == size.max(axis=0), places, left).min(axis=0))
        chosen = lax.optimization_barrier(place == places)[:, None]
        pivot = jnp.where(chosen, x, 0).sum(axis=0)
        value = value * jnp.where(place == 0, pivot[0], -pivot[0])
        value = jnp.where(place == left, jnp.nan, value)
        # the whole column is zero where the pivot is
        lead = lax.optimization_barrier(pivot[1:] / jnp.where(pivot[0] == 0, 1, pivot[0]))
        others = jnp.where(chosen[1:], x[0], x[1:])
        x = lax.optimization_barrier(others[:, 1:] - others[:, :1] * lead)
    return (value * x[0, 0])[None, None]


@jax.custom_batching.custom_vmap
def _determinant(a):
    return jnp.linalg.det(a)


@_determinant.def_vmap
def _(axis_size, in_batched, a):
    n = a.shape[-1]
    if axis_size < _FEW:
        return jnp.linalg.det(a), True
    return in_lanes(_determinant_lanes, a, CACHED // (2 * n**2))[:, 0, 0], True


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
