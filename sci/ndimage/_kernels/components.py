"""Connected components by unions of runs.

A run is an unbroken line of samples along the last axis; its number is the rank of its first sample, which a bit
count gives. A run is hung on the first run of the line before that it meets; where it meets a second one, those two
are neighbours in their own line: they are "bridged", and only bridged pairs have to be united. Both facts follow for
a run from two questions, "which is the first run that ends at or behind this sample?", a bit count again.
Only roots are hooked, to the least root that meets them, so no union is lost, and the root of a component is its
first run in raster order: SciPy's numbering. What is done for every sample is a handful of passes at memory speed;
the work on runs grows with their number.

References: K. Wu, E. Otoo, K. Suzuki, "Optimizing two-pass connected-component labeling algorithms", Pattern
Analysis and Applications 12, 2009 (runs, parents in one array); Y. Shiloach, U. Vishkin, "An O(log n) parallel
connectivity algorithm", J. Algorithms 3, 1982 (hooking and pointer jumping).
"""

import itertools
from typing import Any, NamedTuple

import numpy as np
from jax import lax
from jax import numpy as jnp

from .packing import Packed, block_size, flags_at, note_words, pack_words, packed_flags, running

# the last block is worked on whole, however few runs it has; smaller ones lose to what each step costs
_BLOCK = 1 << 15  # runs at a time
_PAIRS = 1 << 12  # unions at a time


def _contacts(structure):
    """Earlier lines that the (symmetrised) structure joins to a line, with the reach of a contact along the line
    (from sample `low` to sample `high` beside it); and whether neighbours within a line are joined.
    """
    joined = structure | np.flip(structure)
    here = (0,) * (structure.ndim - 1)
    lines = []
    for line in itertools.product((-1, 0, 1), repeat=structure.ndim - 1):
        if line >= here:
            continue
        near, own, far = joined[tuple(np.add(line, 1))]
        if near and far and not own:
            lines += [(line, -1, -1), (line, 1, 1)]
        elif near or own or far:
            lines.append((line, -1 if near else 0 if own else 1, 1 if far else 0 if own else -1))
    return lines, bool(joined[(*(1 for _ in here), 0)])


class _Runs(NamedTuple):
    """The runs of an image with a line of background around it; they are numbered from 1.

    Attributes
    ----------
    starts : Packed
        Where they begin.
    local : uint8 array (words, 32)
        For every sample twice the number of runs begun in its word up to it, and 1 if it is foreground.
    """

    starts: Packed
    local: Any

    def ending_behind(self, place):
        """The first run that ends at or behind the samples at the flat indices `place`."""
        local = self.local.ravel().at[place].get(mode="promise_in_bounds").astype(np.int32)
        before = self.starts.before.at[place >> 5].get(mode="promise_in_bounds")
        return before + (local >> 1) - (local & 1) + 1


def _runs(foreground, wide, along):
    """`_Runs` of a boolean array; `wide` is its shape with the background around it, `along` as of `_contacts`."""
    shape = foreground.shape
    around = [(1, 1)] * (len(shape) - 1)
    if shape[-1] % 32:
        words = pack_words(jnp.pad(foreground, [*around, (0, wide[-1] - shape[-1])]).ravel())
    else:
        words = pack_words(foreground.ravel()).reshape(*shape[:-1], -1)
        words = jnp.pad(words, [*around, (0, 1)]).ravel()
    before = jnp.concatenate([np.zeros(1, np.uint32), words[:-1]])
    starts = packed_flags(words & ~(words << 1 | before >> 31) if along else words)
    bit = np.arange(32, dtype=np.uint32)
    begun = lax.population_count(starts.words[:, None] & (np.uint32(0xFFFFFFFF) >> (31 - bit)))
    # bytes: this table is read once more for each run and for each sample
    local = begun.astype(np.uint8) * np.uint8(2) + (words[:, None] >> bit & 1).astype(np.uint8)
    return _Runs(starts, local)


def _roots_of_block(parent, own, first):
    """The roots of a block of runs with the parents `own`, those of runs before `first` being known."""
    own = jnp.where(own < first, parent.at[own].get(mode="promise_in_bounds"), own)

    def jump(state):
        own, _ = state
        new = jnp.where(own < first, own, own.at[own - first].get(mode="clip"))
        return new, jnp.any(new != own)

    return lax.while_loop(lambda s: s[1], jump, (own, jnp.array(True)))[0]


def _join(parent, pairs):
    """Unite the trees of each pair, ``pairs`` of shape (2, n); the least root stays one."""

    def shorten(state):
        parent, roots, _ = state
        new = parent.at[roots].get(mode="promise_in_bounds")
        further = parent.at[new].get(mode="promise_in_bounds")
        parent = parent.at[roots].min(further, mode="promise_in_bounds")  # a chain of hooks is halved
        return parent, further, jnp.any(new != further)

    def follow(parent, roots):
        return lax.while_loop(lambda s: s[2], shorten, (parent, roots, jnp.array(True)))[:2]

    def step(state):
        parent, roots = state
        return follow(parent.at[roots.max(axis=0)].min(roots.min(axis=0), mode="promise_in_bounds"), roots)

    parent, roots = lax.while_loop(lambda s: jnp.any(s[1][0] != s[1][1]), step, follow(parent, pairs))
    return parent.at[pairs].min(roots, mode="promise_in_bounds")  # short ways for later blocks


def _join_where(parent, flags, runs, others, size):
    """Unite `runs` and `others` where `flags` say so, `size` pairs at a time. Run 0 is a spare root."""
    upto = running(flags.astype(np.int32), jnp.add, 0)
    at = jnp.where(flags, upto - 1, flags.shape[0])
    pairs = jnp.stack([jnp.zeros_like(runs).at[at].set(run, mode="drop") for run in (runs, others)])
    part = lambda k: lax.dynamic_slice_in_dim(pairs, k * size, size, axis=1)  # noqa: E731
    return lax.fori_loop(0, (upto[-1] + size - 1) // size, lambda k, p: _join(p, part(k)), parent)


def label_components(foreground, structure):
    """Number the connected components of the boolean `foreground`, in raster order of their first samples.

    Parameters
    ----------
    foreground : bool array, at least one-dimensional, not empty
    structure : NumPy bool array of shape (3,) * ndim
        Which neighbours are connected; one direction of a pair suffices.

    Returns
    -------
    labels : int32 array, 0 in the background
    count : int32 scalar
    """
    shape = foreground.shape
    lines, along = _contacts(structure)
    # a sample of background at least behind each line
    wide = (*(n + 2 for n in shape[:-1]), (shape[-1] // 32 + 1) * 32)
    runs = _runs(foreground, wide, along)
    most = (-(-shape[-1] // 2) if along else shape[-1]) * int(np.prod(shape[:-1], dtype=int))
    block = block_size(most, _BLOCK)
    room = -(-most // block) * block
    parent = _forest(runs, lines, wide, room, block) if lines else jnp.arange(room + 1, dtype=np.int32)
    numbers, count = _numbers(parent, runs.starts.count, block)
    inside = (*(slice(1, n + 1) for n in shape[:-1]), slice(0, shape[-1]))
    run = (runs.starts.before[:, None] + (runs.local >> 1)).reshape(wide)[inside]
    found = numbers.at[run].get(mode="promise_in_bounds")
    return found * (runs.local & 1).astype(np.int32).reshape(wide)[inside], count


def _forest(runs, lines, wide, room, block):
    """Parents of the runs after all unions."""
    strides = [int(np.prod(wide[k + 1 :], dtype=int)) for k in range(len(wide))]
    count = runs.starts.count
    blocks, size = (count + block - 1) // block, block_size(block, _PAIRS)
    inner = strides[0]  # the index of a sample all of whose neighbours exist

    def note_starts(k, noted):
        word, bit = flags_at(runs.starts, noted, k * block, block)
        return lax.dynamic_update_slice(noted, word * 32 + bit, [k * block])

    starts = lax.fori_loop(0, blocks, note_starts, note_words(runs.starts, room))

    def hang(k, parent):
        run = 1 + k * block + jnp.arange(block, dtype=np.int32)
        valid = run <= count
        start = jnp.where(valid, lax.dynamic_slice(starts, [k * block], [block]), inner)
        start_of = lambda r, known: jnp.where(known, starts.at[r - 1].get(mode="clip"), inner)  # noqa: E731
        own, links = run, []
        for line, low, high in lines:
            away = sum(o * s for o, s in zip(line, strides, strict=False))
            upper, lower = runs.ending_behind(start + (away + low)), runs.ending_behind(start - (away + high))
            meets = valid & (upper < run) & (runs.ending_behind(start_of(upper, valid) - (away + high)) <= run)
            known = valid & (lower <= count)
            bridged = known & (runs.ending_behind(start_of(lower, known) + (away + low)) < run)
            if not links:
                own = jnp.where(meets, upper, run)
            else:
                links.append((meets, upper))
            links.append((bridged, run - 1))
        parent = lax.dynamic_update_slice(parent, _roots_of_block(parent, own, run[0]), [1 + k * block])
        for flags, others in links:
            parent = _join_where(parent, flags, run, others, size)
        return parent

    return lax.fori_loop(0, blocks, hang, jnp.zeros(room + 1, np.int32))


def _numbers(parent, count, block):
    """The component's number of each run: roots are numbered from 1 in their order. Also how many there are."""

    def step(k, state):
        parent, last = state
        first = 1 + k * block
        run = first + jnp.arange(block, dtype=np.int32)
        # of earlier runs `parent` already holds the number, made negative
        own = _roots_of_block(parent, lax.dynamic_slice(parent, [first], [block]), first)
        rank = last + running(((own == run) & (run <= count)).astype(np.int32), jnp.add, 0)
        numbers = jnp.where(own < first, own, -rank.at[own - first].get(mode="clip"))
        return lax.dynamic_update_slice(parent, numbers, [first]), rank[-1]

    parent, last = lax.fori_loop(0, (count + block - 1) // block, step, (parent, jnp.int32(0)))
    return -parent, last
