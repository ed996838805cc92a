"""Stages that XLA does not fuse with each other.

XLA's CPU backend drops optimisation barriers before it fuses: what a filter reads is then computed anew for every tap
of the filter. A branch of a conditional is a computation of its own: what goes in and what comes out is stored.
"""

import jax
import numpy as np
from jax import lax
from jax import numpy as jnp
from jax.custom_batching import custom_vmap

# Smaller arrays stay in cache, and a stage more is more to compile.
LARGE = 1 << 18


@custom_vmap
def _always(sample):
    """True, which the compiler cannot know: a constant condition would be folded, and the stages fused."""
    if sample.dtype.kind == "f":
        return jnp.isnan(sample) | (sample <= jnp.inf)
    return sample.astype(np.int32) != np.int32(1 << 20)


@_always.def_vmap
def _always_of_batch(size, batched, samples):
    del size, batched
    return _always(samples[0]), False  # one condition for the whole batch, else both branches would be computed


def staged(function, x, *rest, least=LARGE):
    """``function(x, *rest)`` for a real array `x`, apart from what makes it and from what uses the result.

    Arrays of fewer than `least` samples are left to XLA.
    """
    if x.size < least:
        return function(x, *rest)
    always = _always(lax.stop_gradient(x[(0,) * x.ndim]))
    shapes = jax.eval_shape(function, x, *rest)
    nothing = lambda *_: jax.tree.map(lambda s: jnp.zeros(s.shape, s.dtype), shapes)  # noqa: E731
    return lax.cond(always, function, nothing, x, *rest)
