"""What vanishes at a minimum in a box: the condition that derivatives of global minima rest on."""

import jax.numpy as jnp
from jax import lax

from solvers.implicit import value_and_gradient

__all__ = ["stationary"]


def stationary(value, constant=None):
    """The residual of a minimum of ``value(params, x)`` in the box ``params["bounds"]``.

    Parameters
    ----------
    value : callable
    constant : (n,) bool array, optional
        Variables (integers) that do not move.

    Returns
    -------
    callable
        ``residual(x, params)``: the gradient, or the distance to the bound that holds a variable.
    """

    def residual(x, params):
        slope = value_and_gradient(lambda x: value(params, x), x)[1]
        if params["bounds"] is not None:
            lower, upper = params["bounds"]
            # A population ends close to a bound, not on it: held if the slope could not vanish within that distance.
            below, above, close = x - lower, upper - x, 1e-4 * (upper - lower)
            low = (below <= close) & ((slope > below) | (lower == upper))
            high = (above <= close) & (-slope > above)
            slope = jnp.where(low, x - lower, jnp.where(high, x - upper, slope))
        return slope if constant is None else jnp.where(constant, x - lax.stop_gradient(x), slope)

    return residual
