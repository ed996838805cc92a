"""Right-hand sides that carry a mass matrix: it is one of the arrays that they depend on, differentiated with them."""

import jax.numpy as jnp


class MassFunction:
    """``fun(leaves, t, y)`` with the mass matrix: its leaves are those of ``fun``, and the matrix."""

    def __init__(self, fun):
        self.fun = fun

    def __call__(self, leaves, t, y):
        return self.fun(leaves[0], t, y)


def mass_of(rhs):
    """The mass matrix of ``partial(MassFunction(...), leaves)``; None for any other right-hand side."""
    return rhs.args[0][1] if isinstance(getattr(rhs, "func", None), MassFunction) else None


def mass_times(mass, vector):
    """``mass @ vector``, for small systems in a form that fuses with its neighbours; None is the identity."""
    if mass is None:
        return vector
    return jnp.sum(mass * vector, axis=1) if mass.shape[0] <= 8 else mass @ vector
