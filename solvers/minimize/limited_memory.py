"""The compact representation of the limited-memory BFGS matrix.

``B = theta I - W M W'`` with ``W = [Y, theta S]`` and ``M^{-1} = [[-D, L'], [L, theta S'S]]``, D the diagonal and L the
strictly lower part of ``S'Y``. Both M^{-1} and what the subspace of free variables makes of it are quasi-definite, so
elimination needs no pivots.

References
----------
.. [1] R. H. Byrd, J. Nocedal, R. B. Schnabel, "Representations of quasi-Newton matrices and their use in limited
   memory methods", Math. Program. 63 (1994) 129-156.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from solvers.minimize.quadratic import eliminate

__all__ = ["Memory", "empty", "inner_inverse", "learn", "solve_free", "weights"]


class Memory(NamedTuple):
    """The last `m` pairs in a ring, ``pairs = [Y; S]`` of shape (2m, n), and their Gram matrix."""

    pairs: jax.Array
    gram: jax.Array


def empty(m, n, dtype):
    """No pairs yet (NumPy constants: nothing is compiled)."""
    return Memory(np.zeros((2 * m, n), dtype), np.zeros((2 * m, 2 * m), dtype))


def learn(memory, updates, step, change):
    """Replace the oldest pair; `updates` pairs were taken in so far."""
    m = memory.pairs.shape[0] // 2
    slot = updates % m
    pairs = lax.dynamic_update_slice(memory.pairs, change[None], (slot, jnp.zeros_like(slot)))
    pairs = lax.dynamic_update_slice(pairs, step[None], (m + slot, jnp.zeros_like(slot)))
    columns = pairs @ jnp.stack([change, step], axis=1)
    index = lax.iota(jnp.int32, 2 * m)
    of_change, of_step = index == slot, index == m + slot
    gram = jnp.where(of_change[None, :], columns[:, :1], memory.gram)
    gram = jnp.where(of_step[None, :], columns[:, 1:], gram)
    gram = jnp.where(of_change[:, None], columns[:, 0], gram)
    return Memory(pairs, jnp.where(of_step[:, None], columns[:, 1], gram))


def weights(memory, theta):
    """The factors 1 and theta that make W' of ``memory.pairs``."""
    m = memory.pairs.shape[0] // 2
    return jnp.where(lax.iota(jnp.int32, 2 * m) < m, jnp.ones((), memory.pairs.dtype), theta)


def _middle(memory, updates, theta):
    """M^{-1}; the places of missing pairs hold an identity of the right signs."""
    m = memory.pairs.shape[0] // 2
    index = lax.iota(jnp.int32, 2 * m)
    is_step, slot = index >= m, index % m
    age = (slot - updates) % m
    present = slot < updates
    row, column = is_step[:, None], is_step[None, :]
    diagonal = slot[:, None] == slot[None, :]
    newer = age[:, None] > age[None, :]
    cross = row != column
    lower = jnp.where(row, newer, newer.T) & cross
    moved = jnp.roll(memory.gram, m, axis=1)  # puts s_i'y_i on the diagonal
    full = jnp.where(row & column, theta * memory.gram, jnp.where(lower, memory.gram, 0.0))
    full = jnp.where(diagonal & ~cross & ~row, -moved, full)
    return jnp.where((diagonal & ~cross) & ~present[:, None], jnp.where(row, 1.0, -1.0), full)


def inner_inverse(memory, updates, theta):
    """M, the middle matrix of the compact representation."""
    middle = _middle(memory, updates, theta)
    return eliminate(middle, jnp.eye(middle.shape[0], dtype=middle.dtype), jnp.abs(jnp.diagonal(middle)))


def solve_free(memory, updates, theta, right, free=None):
    """Solve ``B d = right`` in the subspace of the free variables (all of them where `free` is None)."""
    gram = memory.gram
    if free is not None:
        right = jnp.where(free, right, 0.0)
        gram = lax.cond(
            jnp.all(free),
            lambda: memory.gram,
            lambda: jnp.where(free, memory.pairs, 0.0) @ memory.pairs.T,
        )
    scale = weights(memory, theta)
    middle = _middle(memory, updates, theta)
    matrix = middle - scale[:, None] * scale * gram / theta
    side = scale * (memory.pairs @ right)
    inner = scale * eliminate(matrix, side[:, None], jnp.abs(jnp.diagonal(middle)))[:, 0]
    correction = inner @ memory.pairs / theta
    if free is not None:
        correction = jnp.where(free, correction, 0.0)
    return (right + correction) / theta
