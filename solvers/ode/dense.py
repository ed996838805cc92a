"""Continuous output of an integration."""

from dataclasses import dataclass, field
from typing import Any

import jax
import jax.numpy as jnp

from solvers.pytrees import pytree_dataclass


@pytree_dataclass
@dataclass(frozen=True)
class Dense:
    """A solution that can be evaluated at any time: ``dense(t)``.

    Attributes
    ----------
    method : the method, which knows how to interpolate (static: part of no leaf)
    t : (size + 1,) the steps' ends, the start first; unused entries repeat the last
    coefficients : pytree with leading axis ``size``
    n : number of steps
    """

    method: Any = field(metadata={"static": True})
    t: jax.Array
    coefficients: Any
    n: jax.Array

    def __call__(self, t):
        """Solution at ``t`` of shape (...); the result has shape (..., n). Extrapolates beyond the ends."""
        t = jnp.asarray(t, self.t.dtype)
        backward = self.t[-1] < self.t[0]
        sign = jnp.where(backward, -1, 1)

        def one(time):
            # the first step that ends at or after `time`
            i = jnp.searchsorted(sign * self.t, sign * time, side="left") - 1
            i = jnp.clip(i, 0, jnp.maximum(self.n - 1, 0))
            return self.method.interpolate(jax.tree.map(lambda a: a[i], self.coefficients), time)

        flat = jax.vmap(one)(t.ravel())
        return flat.reshape(t.shape + flat.shape[1:])
