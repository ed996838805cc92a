"""Connected components by unions of runs.

A run is an unbroken line of samples along the last axis; its number is the rank of its first sample, which a bit
count gives. Only where two runs meet first is there a link: the links are few, are packed together, and are joined
block by block in a forest of parents. Only roots are hooked, to the least root that meets them, so no union is lost,
and the root of a component is its first run in raster order: SciPy's numbering. What is done for every sample is a
handful of passes at memory speed; the work on links and runs grows with their number.

References: Y. Shiloach, U. Vishkin, "An O(log n) parallel connectivity algorithm", J. Algorithms 3, 1982 (hooking and
pointer jumping); D. P. Playne, K. Hawick, "A new algorithm for parallel connected-component labelling on GPUs",
IEEE Trans. Parallel and Distributed Systems 29(6), 2018 (links between runs only).
"""

import itertools

import numpy as np
from jax import lax
from jax import numpy as jnp

from .packing import block_size, flags_at, note_words, pack_flags, rank_of, running

_BLOCK = 1 << 16


def _at(x, offset):
    """``x[p + offset]`` for every sample p; false outside."""
    return lax.pad(x, np.zeros((), bool), [(-o, o, 0) for o in offset])


def _link_offsets(structure):
    """Earlier neighbours that the (symmetrised) structure joins, and whether runs go along the last axis."""
    rank = structure.ndim
    joined = structure | np.flip(structure)
    earlier = [o for o in itertools.product((-1, 0, 1), repeat=rank) if o < (0,) * rank and joined[tuple(np.add(o, 1))]]
    along = (0,) * (rank - 1) + (-1,)
    return [o for o in earlier if o != along], along in earlier, joined


def _links(foreground, offset, runs, joined):
    """Samples whose run meets that of their neighbour at `offset`, where no other link says so."""
    rank = foreground.ndim
    along = (0,) * (rank - 1) + (-1,)
    found = foreground & _at(foreground, offset)
    if runs:  # the same two runs met one sample before
        before = tuple(o + a for o, a in zip(offset, along, strict=True))
        found = found & ~(_at(foreground, along) & _at(foreground, before))
    for axis, o in enumerate(offset):
        step = tuple(o if a == axis else 0 for a in range(rank))
        rest = tuple(0 if a == axis else p for a, p in enumerate(offset))
        if o and any(rest) and joined[tuple(np.add(step, 1))] and joined[tuple(np.add(rest, 1))]:
            found = found & ~_at(foreground, step)  # joined through the neighbour between them
    return found


def _root(parent, index):
    """Follow the parents to the roots."""

    def step(state):
        index, _ = state
        new = parent.at[index].get(mode="promise_in_bounds")
        return new, jnp.any(new != index)

    return lax.while_loop(lambda s: s[1], step, (index, jnp.array(True)))[0]


def _flatten(parent, k, block):
    """The roots of the runs of block `k`, those of all earlier blocks being known; parents come first."""
    first = k * block
    own = lax.dynamic_slice(parent, [first], [block])
    own = jnp.where(own < first, parent.at[own].get(mode="promise_in_bounds"), own)

    def jump(state):
        own, _ = state
        new = jnp.where(own < first, own, own.at[own - first].get(mode="clip"))
        return new, jnp.any(new != own)

    own = lax.while_loop(lambda s: s[1], jump, (own, jnp.array(True)))[0]
    return lax.dynamic_update_slice(parent, own, [first])


def _join(parent, pairs):
    """Unite the trees of each pair, ``pairs`` of shape (2, n); the least root stays one."""
    spare = parent.shape[0] - 1  # a root of its own

    def step(state):
        parent, roots = state
        low, high = roots.min(axis=0), roots.max(axis=0)
        done = low == high
        parent = parent.at[jnp.where(done, spare, high)].min(jnp.where(done, spare, low), mode="promise_in_bounds")
        return parent, _root(parent, roots)

    start = (parent, _root(parent, pairs))
    parent, roots = lax.while_loop(lambda s: jnp.any(s[1][0] != s[1][1]), step, start)
    return parent.at[pairs].min(roots, mode="promise_in_bounds")  # short ways for later blocks


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
    shape, size = foreground.shape, foreground.size
    offsets, runs, joined = _link_offsets(structure)
    # of two successive samples along the last axis one at most begins a run, or is a link in one direction
    most = ((shape[-1] + 1) // 2) * (size // shape[-1]) if runs else size
    block = block_size(most, _BLOCK)
    room = -(-most // block) * block
    starts = foreground & ~_at(foreground, (0,) * (len(shape) - 1) + (-1,)) if runs else foreground
    flags = [starts, *(_links(foreground, o, runs, joined) for o in offsets)]
    packed = pack_flags(jnp.concatenate([jnp.pad(f.ravel(), (0, -size % 32)) for f in flags]))
    words = -(-size // 32)  # of each set of flags
    count = packed.before[words] if offsets else packed.count
    parent = jnp.arange(room + 1, dtype=np.int32)
    if offsets:
        strides = [int(np.prod(shape[k + 1 :], dtype=int)) for k in range(len(shape))]
        moves = np.array([sum(a * s for a, s in zip(o, strides, strict=True)) for o in offsets], np.int32)
        parent = _joined(parent, packed, count, words, moves, -(-most * len(offsets) // block) * block, block)
    numbers, labels = _numbers(parent, count, block)
    bit = np.arange(32, dtype=np.int32)
    rank = rank_of(packed.words[:words, None], packed.before[:words, None], bit).ravel()[:size]
    inside = foreground.ravel()
    found = numbers.at[jnp.where(inside, rank - 1, 0)].get(mode="promise_in_bounds")
    return jnp.where(inside, found, 0).reshape(shape), labels


def _joined(parent, packed, runs, words, moves, room, block):
    """`parent` after all links, whose flags stand behind those of the `runs` run starts."""
    spare = parent.shape[0] - 1
    notes = note_words(packed, runs, room)
    links = packed.count - runs

    def run_at(place):
        word = place // 32
        return rank_of(packed.words[word], packed.before[word], place % 32) - 1

    def pairs(k):
        word, bit = flags_at(packed, notes, k * block, block, runs)
        valid = k * block + jnp.arange(block, dtype=np.int32) < links
        here = jnp.where(valid, word % words * 32 + bit, 0)
        there = here + jnp.asarray(moves).at[word // words - 1].get(mode="clip")
        return jnp.where(valid, jnp.stack([run_at(here), run_at(jnp.maximum(there, 0))]), spare)

    def hang(k, parent):
        later, earlier = pairs(k)
        return parent.at[later].min(earlier, mode="promise_in_bounds")

    # Every run is hung on the first that it meets, in one go: trees as deep as components are high, made flat by
    # jumping. Where a run meets a second tree the two are united.
    blocks = (links + block - 1) // block
    parent = lax.fori_loop(0, blocks, hang, parent)
    parent = lax.fori_loop(0, (runs + block - 1) // block, lambda k, p: _flatten(p, k, block), parent)
    return lax.fori_loop(0, blocks, lambda k, p: _join(p, pairs(k)), parent)


def _numbers(parent, runs, block):
    """The component's number of each run: roots are numbered from 1 in their order. Also how many there are."""

    def step(k, state):
        parent, numbers, count = state
        place = k * block + jnp.arange(block, dtype=np.int32)
        parent = _flatten(parent, k, block)
        root = lax.dynamic_slice(parent, [k * block], [block])
        rank = count + running(((root == place) & (place < runs)).astype(np.int32), jnp.add, 0)
        numbers = lax.dynamic_update_slice(numbers, rank, [k * block])
        numbers = lax.dynamic_update_slice(numbers, numbers[root], [k * block])
        return parent, numbers, rank[-1]

    start = (parent, jnp.zeros_like(parent), jnp.int32(0))
    _, numbers, count = lax.fori_loop(0, (runs + block - 1) // block, step, start)
    return numbers, count
