"""Flags packed into words of 32 bits: the rank of a flag, and the flag of a rank.

The words' running count answers both: how many flags stand before a sample takes one gather and a bit count; which
word holds the flag of some rank was noted at the rank of its first flag, and the bit in it is found by halving.
"""

from typing import Any, NamedTuple

import numpy as np
from jax import lax
from jax import numpy as jnp


class Packed(NamedTuple):
    """Flags packed by `packed_flags`.

    Attributes
    ----------
    words : uint32 array
    before : int32 array
        Number of flags in the words before each.
    count : int32 scalar
    """

    words: Any
    before: Any
    count: Any


_FEW = 1 << 13


def block_size(most, largest):
    """A power of two that does for `most` items, `largest` at most."""
    return min(largest, 1 << max(int(most - 1).bit_length(), 3))


def running(values, join, neutral):
    """Inclusive running `join` (``jnp.add`` or ``jnp.maximum``) of int32 values, in rows of 32 and over the rows."""
    n = values.shape[0]
    total = jnp.sum if join is jnp.add else jnp.max

    def table_of_all(rows):  # compiles faster than a scan
        seen = np.tril(np.ones((rows.shape[-1],) * 2, bool))
        return total(jnp.where(seen, rows[..., None, :], np.int32(neutral)), axis=-1).astype(np.int32)

    if n <= 64:
        return table_of_all(values)
    rows = jnp.pad(values, (0, -n % 32), constant_values=neutral).reshape(-1, 32)
    if n <= _FEW:
        inner = table_of_all(rows)
    else:

        def step(before, column):
            after = join(before, column)
            return after, after

        inner = lax.scan(step, jnp.full(rows.shape[0], neutral, np.int32), rows.T)[1].T
    before = jnp.concatenate([np.full(1, neutral, np.int32), running(inner[:, -1], join, neutral)[:-1]])
    return join(inner, before[:, None]).reshape(-1)[:n]


def pack_words(flags):
    """Booleans as words of 32 bits, flat; their number is a multiple of 32."""
    # four bytes of 0 or 1 become four bits by one multiplication that brings them together
    quads = lax.bitcast_convert_type(flags.astype(np.uint8).reshape(-1, 4), np.uint32)
    nibbles = ((quads * np.uint32(0x01020408)) >> 24) & 15
    return (nibbles.reshape(-1, 8) << np.arange(0, 32, 4, dtype=np.uint32)).sum(axis=1, dtype=np.uint32)


def packed_flags(words):
    """`Packed` of flags in words."""
    counts = lax.population_count(words).astype(np.int32)
    upto = running(counts, jnp.add, 0)
    return Packed(words, upto - counts, upto[-1])


def note_words(packed, room):
    """For every rank at which a word has its first flag: the word; 0 at other ranks."""
    number = jnp.arange(packed.words.shape[0], dtype=np.int32)
    at = jnp.where(packed.words != 0, packed.before, room)
    return jnp.zeros(room, np.int32).at[at].max(number, mode="drop")


def flags_at(packed, notes, first, block):
    """``(word, bit)`` of the flags of ranks ``first ... first + block``; beyond the last anything."""
    rank = first + jnp.arange(block, dtype=np.int32)
    # the word of the block's first flag may begin before the block
    lead = (packed.before <= first).sum().astype(np.int32) - 1
    noted = lax.dynamic_slice(notes, [first], [block])
    word = jnp.maximum(running(noted, jnp.maximum, 0), lead)
    bits, left = packed.words[word], (rank - packed.before[word]).astype(np.uint32)
    place = jnp.zeros(block, np.int32)
    for half in (16, 8, 4, 2, 1):
        low = lax.population_count(bits & np.uint32((1 << half) - 1))
        above = left >= low
        left = jnp.where(above, left - low, left)
        bits = jnp.where(above, bits >> half, bits)
        place = jnp.where(above, place + half, place)
    return word, place


def flag_positions(flags, capacity):
    """Flat indices of the first `capacity` true entries of a table, row by row, zeros behind; and how many there are.

    Few operations, for capacities far below the number of entries: each place of the result finds its row, the word
    in it and the bit in that by counting those that end before it.
    """
    width = flags.shape[1]
    words = pack_words(jnp.pad(flags, [(0, 0), (0, -width % 32)])).reshape(flags.shape[0], -1)
    within = jnp.cumsum(lax.population_count(words).astype(np.int32), axis=1)
    rows = np.arange(flags.shape[0])
    upto = jnp.where(rows[:, None] >= rows, within[:, -1], 0).sum(axis=1)  # a table compiles faster than a scan
    rank = jnp.arange(capacity, dtype=np.int32)
    row = jnp.minimum((upto <= rank[:, None]).sum(axis=1), flags.shape[0] - 1)
    left = rank - (upto[row] - within[row, -1])
    word = jnp.minimum((within[row] <= left[:, None]).sum(axis=1), words.shape[1] - 1)
    bits = words[row, word]
    left = left - (within[row, word] - lax.population_count(bits).astype(np.int32))
    masks = np.uint32(0xFFFFFFFF) >> np.arange(31, -1, -1, dtype=np.uint32)
    bit = (lax.population_count(bits[:, None] & masks).astype(np.int32) <= left[:, None]).sum(axis=1)
    place = (row * width + word * 32 + bit).astype(np.int32)
    return jnp.where(rank < upto[-1], place, 0), upto[-1]
