"""Mutation and crossover of differential evolution."""

import jax.numpy as jnp
import numpy as np

__all__ = ["STRATEGIES", "crossover", "distinct"]


def distinct(uniform, s):
    """Members (s, k) of a population of s, distinct in each row and none the row's own, from uniform numbers."""
    # A number below the count of what is left, moved past the taken ones in ascending order (kept sorted).
    taken, chosen = [jnp.arange(s, dtype=jnp.int32)], []
    for i in range(uniform.shape[1]):
        new = _below(uniform[:, i], s - 1 - i)
        for other in taken:
            new = new + (new >= other)
        chosen.append(new)
        moving, ordered = new, []
        for other in taken:
            ordered.append(jnp.minimum(moving, other))
            moving = jnp.maximum(moving, other)
        taken = [*ordered, moving]
    return jnp.stack(chosen, axis=1)


def crossover(uniform, start, probability, exponential):
    """Which coordinates (s, n) come from the mutant: independently, or a run; one, by `start` (s,), in any case."""
    n = uniform.shape[1]
    place, first = np.arange(n, dtype=np.int32), _below(start, n)[:, None]
    inside = uniform < probability
    if not exponential:
        return inside | (place == first)
    run = jnp.sum(jnp.cumprod(inside.at[:, 0].set(True), axis=1), axis=1)
    return (place - first) % n < run[:, None]


def _below(uniform, count):
    return jnp.minimum((uniform * count).astype(jnp.int32), count - 1)


def _best1(best, own, r, w):
    return best + w * (r[0] - r[1])


def _rand1(best, own, r, w):
    return r[0] + w * (r[1] - r[2])


def _randtobest1(best, own, r, w):
    return r[0] + w * (best - r[0]) + w * (r[1] - r[2])


def _currenttobest1(best, own, r, w):
    return own + w * (best - own + r[0] - r[1])


def _best2(best, own, r, w):
    return best + w * (r[0] + r[1] - r[2] - r[3])


def _rand2(best, own, r, w):
    return r[0] + w * (r[1] + r[2] - r[3] - r[4])


#: Number of random parents, and the mutant of the best, the own member, the parents, and the weight.
STRATEGIES = {
    "best1": (2, _best1),
    "rand1": (3, _rand1),
    "randtobest1": (3, _randtobest1),
    "currenttobest1": (2, _currenttobest1),
    "best2": (4, _best2),
    "rand2": (5, _rand2),
}
