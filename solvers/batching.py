"""What loops need under `vmap`."""

import jax
import jax.numpy as jnp
from jax import lax

__all__ = ["any_lane", "in_blocks"]

#: Numbers of a block of lanes: what a core keeps close.
_CACHED = 80_000


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


def in_blocks(solve, numbers):
    """``solve(params, start)``, of which a batch under `jax.vmap` runs block by block.

    Each block ends with its own slowest lane, and its state is read and written in the cache, where the whole batch
    would pass through memory in every iteration. `numbers`: how many a lane works on in an iteration, roughly.
    """
    size = max(32, _CACHED // numbers)

    @jax.custom_batching.custom_vmap
    def blocked(params, start):
        return solve(params, start)

    @blocked.def_vmap
    def rule(axis_size, in_batched, params, start):
        leaves, structure = jax.tree.flatten((params, start))
        batched = jax.tree.leaves(in_batched)
        axes = [0 if flag else None for flag in batched]

        def run(*parts):
            return jax.vmap(lambda *lanes: solve(*jax.tree.unflatten(structure, lanes)), axes)(*parts)

        def split(leaf):
            last = jnp.broadcast_to(leaf[-1:], (missing, *leaf.shape[1:]))
            return jnp.concatenate([leaf, last]).reshape(-1, size, *leaf.shape[1:])

        # Accelerators want the whole batch, several devices a part of it each.
        whole = jax.default_backend() != "cpu" or jax.device_count() > 1
        if whole or axis_size <= 2 * size:
            out = run(*leaves)
        else:
            missing = -axis_size % size
            parts = [split(leaf) for leaf, flag in zip(leaves, batched, strict=True) if flag]

            def block(parts):
                rest = iter(parts)
                return run(*(next(rest) if flag else leaf for leaf, flag in zip(leaves, batched, strict=True)))

            out = lax.map(block, parts)
            out = jax.tree.map(lambda x: x.reshape(-1, *x.shape[2:])[:axis_size], out)
        return out, jax.tree.map(lambda _: True, out)

    return blocked
