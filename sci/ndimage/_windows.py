"""Functions of the user's on every window of an array."""

import math
import types

import jax
from jax import lax
from jax import numpy as jnp

# Windows of more values than this in all are formed one slab of the first axis at a time.
_AT_ONCE = 1 << 22


def as_user_code(wrapper):
    """A wrapper of ours that the tracer clones as it clones the user's own code (the library's it takes as JAX)."""
    code = wrapper.__code__.replace(co_filename="<sci.ndimage>")
    return types.FunctionType(code, wrapper.__globals__, wrapper.__name__, None, wrapper.__closure__)


def map_windows(function, padded, taps, shape):
    """``function(window)`` at every position; a scalar each.

    Parameters
    ----------
    function : callable
        Takes the samples of a window, a vector.
    padded : array
        The extended array: window `k` begins at its sample `k`.
    taps : list of list of int
        Places of a window's samples.
    shape : tuple of int
        Number of positions along every axis.
    """

    def slab(first, count):
        """Results for `count` rows of the first axis from `first` on."""
        sizes = (count, *shape[1:])
        starts = [[first + tap[0], *tap[1:]] for tap in taps]
        windows = jnp.stack([lax.dynamic_slice(padded, s, sizes).ravel() for s in starts], axis=-1)
        return jax.vmap(function)(windows).reshape(sizes)

    if not shape:
        return function(jnp.broadcast_to(padded, (len(taps),)))
    if math.prod(shape) * len(taps) <= _AT_ONCE:
        return slab(0, shape[0])
    return lax.map(lambda k: slab(k, 1)[0], jnp.arange(shape[0]))
