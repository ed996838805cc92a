"""Connected components: one pass over the rows, all samples of a row at once, then one renumbering.

A row meets the rows above it through their labels; labels that meet are joined in a forest of parents, hooked and
pointer-jumped until the row agrees with itself. Only roots are ever hooked, so no union is lost, and the root of
a component is its first run in raster order: SciPy's numbering.

References: R. M. Haralick, "Some neighborhood operations", 1981 (row passes); Y. Shiloach, U. Vishkin, "An O(log n)
parallel connectivity algorithm", J. Algorithms 3, 1982 (hooking and pointer jumping).
"""

import itertools

import numpy as np
from jax import lax
from jax import numpy as jnp

_NONE = np.int32(2**31 - 1)


def _shift(row, by, fill):
    """``row[i - by]``, `fill` where there is none."""
    if by == 0:
        return row
    return lax.pad(row, np.asarray(fill, row.dtype), [(by, -by, 0)])


def _neighbours(structure):
    """Offsets of earlier rows, each with its shifts along the row, that touch a sample (symmetrised)."""
    rank = structure.ndim
    rows: dict[tuple[int, ...], list[int]] = {}
    for offset in itertools.product((-1, 0, 1), repeat=rank):
        back = tuple(-o for o in offset)
        if structure[tuple(o + 1 for o in offset)] or structure[tuple(o + 1 for o in back)]:
            row, shift = offset[:-1], offset[-1]
            if row < (0,) * (rank - 1):
                rows.setdefault(row, []).append(-shift)
    return rows


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
    shape, rank = foreground.shape, foreground.ndim
    width, lead = shape[-1], shape[:-1]
    along = (1,) * (rank - 1)
    joined = bool(structure[(*along, 0)] or structure[(*along, 2)])  # neighbours within a row
    rows = int(np.prod(lead, dtype=int))
    # rows of a border all around the leading axes hold no label
    padded = tuple(n + 2 for n in lead)
    strides = [int(np.prod(padded[k + 1 :], dtype=int)) for k in range(len(padded))]
    places = np.ravel_multi_index(np.indices(lead).reshape(len(lead), -1) + 1, padded) if lead else np.zeros(1, int)
    places = places.astype(np.int32)
    neighbours = _neighbours(structure)
    back = [sum(o * s for o, s in zip(row, strides, strict=True)) for row in neighbours]
    flat = foreground.reshape(rows, width)
    slots = (width + 1) // 2 if joined else width
    run = _run_numbers(flat) if joined else jnp.broadcast_to(jnp.arange(width, dtype=np.int32), flat.shape)

    def touching(above, inside):
        """The labels that touch each sample: the rows above, shifted, one array per neighbour."""
        found = [_shift(above[k], s, _NONE) for k, shifts in enumerate(neighbours.values()) for s in shifts]
        return jnp.where(inside, jnp.stack(found), _NONE)

    def row_step(carry, step):
        store, parent = carry
        number, place, inside, of_run = step

        def least(labels):
            """The least label that touches each run."""
            return jnp.full(slots, _NONE).at[of_run].min(labels.min(axis=0), mode="drop")

        def meet(parent, above):
            labels = touching(above, inside)
            lowest = least(labels)
            differs = (labels != lowest.at[of_run].get(mode="clip")) & (labels != _NONE)
            return labels, lowest, differs

        def hook(state):
            parent, above, labels, lowest, differs = state
            # only roots are hooked, each to the least root that meets it
            target = jnp.where(differs, labels, parent.shape[0])
            new = jnp.broadcast_to(lowest.at[of_run].get(mode="clip"), labels.shape)
            parent = parent.at[target].min(new, mode="drop")
            above = _roots(parent, above)
            return (parent, above, *meet(parent, above))

        if back:
            above = jnp.stack([lax.dynamic_index_in_dim(store, place + b, 0, keepdims=False) for b in back])
            above = _roots(parent, above)
            state = (parent, above, *meet(parent, above))
            parent, _, _, lowest, _ = lax.while_loop(lambda s: jnp.any(s[4]), hook, state)
        else:
            lowest = jnp.full(slots, _NONE)
        own = number * slots + jnp.arange(slots, dtype=np.int32)  # what nothing touches has a label of its own
        chosen = jnp.where(lowest == _NONE, own, lowest)
        row = jnp.where(inside, chosen.at[of_run].get(mode="clip"), _NONE)
        return (lax.dynamic_update_index_in_dim(store, row, place, 0), parent), None

    start = (
        jnp.full((int(np.prod(padded, dtype=int)), width), _NONE),
        jnp.arange(rows * slots, dtype=np.int32),
    )
    steps = (jnp.arange(rows, dtype=np.int32), jnp.asarray(places), flat, run)
    (store, parent), _ = lax.scan(row_step, start, steps)
    return _renumber(store[places], parent, shape)


def _run_numbers(flat):
    """For every sample of each row the number of its run, a width beyond all slots in the background."""

    def step(state, column):
        before, count = state
        count = count + (column & ~before)
        return (column, count), jnp.where(column, count - 1, flat.shape[1])

    rows = flat.shape[0]
    start = (jnp.zeros(rows, bool), jnp.zeros(rows, np.int32))
    return lax.scan(step, start, flat.T)[1].T


def _roots(parent, labels):
    """Follow the parents to the roots; a gather per level of the forest, one or two as a rule."""

    def step(state):
        labels, _ = state
        new = jnp.where(labels == _NONE, _NONE, parent.at[labels].get(mode="clip"))
        return new, jnp.any(new != labels)

    return lax.while_loop(lambda s: s[1], step, (labels, jnp.array(True)))[0]


def _renumber(provisional, parent, shape):
    """Roots of all labels, numbered from 1 in their order."""

    def jump(state):
        p, _ = state
        new = p[p]
        return new, jnp.any(new != p)

    root = lax.while_loop(lambda s: s[1], jump, (parent, jnp.array(True)))[0]
    # a label was given out if some sample has it
    given = jnp.zeros(parent.shape[0] + 1, bool).at[jnp.minimum(provisional, parent.shape[0])].set(True)[:-1]
    is_root = given & (root == jnp.arange(parent.shape[0], dtype=np.int32))
    numbers = _running_count(is_root)
    final = numbers[root].at[provisional].get(mode="clip")
    return jnp.where(provisional == _NONE, 0, final).reshape(shape), numbers[-1]


def _running_count(flags):
    """Inclusive count of true entries: within blocks, then over the blocks."""
    n = flags.shape[0]
    block = 1 << max((n.bit_length() + 1) // 2, 1)
    table = jnp.pad(flags, (0, -n % block)).reshape(-1, block).astype(np.int32)

    def step(total, column):
        total = total + column
        return total, total

    inner = lax.scan(step, jnp.zeros(table.shape[0], np.int32), table.T)[1].T
    before = jnp.cumsum(inner[:, -1]) - inner[:, -1]
    return (inner + before[:, None]).reshape(-1)[:n]
