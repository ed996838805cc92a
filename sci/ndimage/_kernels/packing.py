"""Flags packed into words of 32 bits: the rank of a flag, and the flag of a rank.

The words' running count answers both: how many flags stand before a sample takes one gather and a bit count; which
word holds the flag of some rank was noted at the rank of its first flag, and the bit in it is found by halving.
"""

from typing import Any, NamedTuple

import numpy as np
from jax import lax
from jax import numpy as jnp


class Packed(NamedTuple):
    """Flags packed by `pack_flags`.

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


def block_size(most, largest):
    """A power of two that does for `most` items, `largest` at most."""
    return min(largest, 1 << max(int(most - 1).bit_length(), 3))


def running(values, join, neutral):
    """Inclusive running `join` of int32 values: within the rows of a table, then over the rows, both by scans."""
    n = values.shape[0]
    width = 1 << max((n.bit_length() + 1) // 2, 1)
    table = jnp.pad(values, (0, -n % width), constant_values=neutral).reshape(-1, width)

    def step(total, column):
        total = join(total, column)
        return total, total

    start = jnp.full(table.shape[0], neutral, np.int32)
    inner = lax.scan(step, start, table.T)[1].T
    before = lax.scan(lambda total, x: (join(total, x), total), jnp.int32(neutral), inner[:, -1])[1]
    return join(inner, before[:, None]).reshape(-1)[:n]


def pack_words(flags):
    """Booleans as words of 32 bits, flat; their number is a multiple of 32."""
    # four bytes of 0 or 1 become four bits by one multiplication that brings them together
    quads = lax.bitcast_convert_type(flags.astype(np.uint8).reshape(-1, 4), np.uint32)
    nibbles = ((quads * np.uint32(0x01020408)) >> 24) & 15
    return (nibbles.reshape(-1, 8) << np.arange(0, 32, 4, dtype=np.uint32)).sum(axis=1, dtype=np.uint32)


def pack_flags(flags):
    """Pack a flat boolean array whose length is a multiple of 32."""
    words = pack_words(flags)
    counts = lax.population_count(words).astype(np.int32)
    upto = running(counts, jnp.add, 0)
    return Packed(words, upto - counts, upto[-1])


def rank_of(words, before, bit):
    """Number of flags up to and with `bit` of a word."""
    mask = np.uint32(0xFFFFFFFF) >> (31 - bit).astype(np.uint32)
    return before + lax.population_count(words & mask).astype(np.int32)


def note_words(packed, lowest, room):
    """For every rank from `lowest` on at which a word has its first flag: the word; 0 at other ranks."""
    number = jnp.arange(packed.words.shape[0], dtype=np.int32)
    used = (packed.words != 0) & (packed.before >= lowest)
    return jnp.zeros(room, np.int32).at[jnp.where(used, packed.before - lowest, room)].max(number, mode="drop")


def flags_at(packed, notes, first, block, lowest):
    """``(word, bit)`` of the flags of ranks ``lowest + first ... + block``; beyond the last anything."""
    rank = lowest + first + jnp.arange(block, dtype=np.int32)
    # the word of the block's first flag may begin before the block
    lead = jnp.searchsorted(packed.before, lowest + first, side="right").astype(np.int32) - 1
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
