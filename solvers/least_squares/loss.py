"""Robust losses: how they weigh residuals, and the Gauss-Newton model that they give.

The cost is ``0.5 * sum(scale^2 rho((f / scale)^2))``.

References
----------
.. [1] B. Triggs et al., "Bundle adjustment - a modern synthesis", in Vision Algorithms: Theory and Practice, 1999,
   section 4.3.
"""

from dataclasses import dataclass, field
from typing import Any

import jax.numpy as jnp

from solvers.pytrees import pytree_dataclass

__all__ = ["LOSSES", "Loss"]


def _huber(z):
    inside = z <= 1
    root = jnp.sqrt(jnp.where(inside, 1.0, z))
    return jnp.where(inside, z, 2 * root - 1), jnp.where(inside, 1.0, 1 / root), jnp.where(inside, 0.0, -0.5 / root**3)


def _soft_l1(z):
    root = jnp.sqrt(1 + z)
    return 2 * (root - 1), 1 / root, -0.5 / root**3


def _cauchy(z):
    return jnp.log1p(z), 1 / (1 + z), -1 / (1 + z) ** 2


def _arctan(z):
    t = 1 + z * z
    return jnp.arctan(z), 1 / t, -2 * z / t**2


#: Loss -> ``rho(z)`` and its first two derivatives.
LOSSES = {"huber": _huber, "soft_l1": _soft_l1, "cauchy": _cauchy, "arctan": _arctan}


@pytree_dataclass
@dataclass(frozen=True)
class Loss:
    """A robust loss.

    Parameters
    ----------
    rho : callable
        ``rho(z)``: the loss and its first two derivatives, three arrays of z's shape; may be a pytree.
    scale : float
        Residuals well below it count as in least squares.
    """

    rho: Any = field(default=None)
    scale: Any = 1.0

    def cost(self, fun):
        """Half the sum of the losses."""
        if self.rho is None:
            return 0.5 * jnp.sum(fun * fun)
        return 0.5 * self.scale**2 * jnp.sum(self.rho((fun / self.scale) ** 2)[0])

    def model(self, fun, jac):
        """Residuals and Jacobian scaled such that ``J^T f`` is the gradient and ``J^T J`` the Hessian's model."""
        if self.rho is None:
            return fun, jac
        z = (fun / self.scale) ** 2
        _, first, second = self.rho(z)
        weight = jnp.sqrt(jnp.maximum(first + 2 * second * z, jnp.finfo(fun.dtype).eps))
        return fun * first / weight, jac * weight[:, None]
