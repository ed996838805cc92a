"""What loops need under `vmap`."""

import jax
import jax.numpy as jnp


@jax.custom_batching.custom_vmap
def any_lane(flag):
    """``flag`` itself; under `vmap` whether it holds in any lane, as one unbatched value.

    A loop or branch on it stays a loop or branch under `vmap`, and its counter is shared by all lanes,
    so that outputs are written as contiguous rows. (A branch on a batched flag becomes a `select`, which
    computes both sides, and which reverse mode cannot go through inside a `custom_jvp` rule.)
    """
    return flag


@any_lane.def_vmap
def _(axis_size, in_batched, flag):
    return (jnp.any(flag, axis=0) if in_batched[0] else flag), False
