"""Reductions by label: every sample belongs to one of `n` groups or to none (group `n`)."""

import numpy as np
from jax import lax
from jax import numpy as jnp

from .stages import LARGE

# Neighbours are often of one group, and an addition to a number waits for the last one to the same: in large images
# they add to different tables, which halves the time on the CPU.
_TABLES = 8
_MOST = 1 << 14


def _added(values, groups, n, dtype):
    """Sums of `values` by group, in the order of the samples; in large images those of each of a few tables are."""
    if groups.shape[0] < LARGE or n > _MOST:
        return jnp.zeros(n, dtype).at[groups].add(values, mode="drop")
    table = jnp.arange(groups.shape[0], dtype=np.int32) % _TABLES
    spread = jnp.zeros(n * _TABLES, dtype).at[groups * _TABLES + table].add(values, mode="drop")
    return spread.reshape(n, _TABLES).sum(axis=1, dtype=dtype)


def group_sum(values, groups, n):
    """Sum of each group; `groups` are 0 to `n`, where `n` stands for none."""
    return _added(values, groups, n, values.dtype)


def group_count(groups, n):
    return _added(1, groups, n, np.int32)


def _largest(dtype):
    if dtype == np.bool_:
        return True
    return np.inf if dtype.kind == "f" else np.iinfo(dtype).max


def _smallest(dtype):
    if dtype == np.bool_:
        return False
    return -np.inf if dtype.kind == "f" else np.iinfo(dtype).min


def group_extreme(values, groups, n, minimum):
    """Minimum or maximum of each group; 0 for an empty one. A NaN counts as the largest value, as in a sort."""
    dtype = np.dtype(values.dtype)
    start = _largest(dtype) if minimum else _smallest(dtype)
    table = jnp.full(n, start, dtype)
    if dtype.kind == "f" and minimum:
        real = ~jnp.isnan(values)
        best = table.at[groups].min(jnp.where(real, values, jnp.inf), mode="drop")
        best = jnp.where(group_sum(real.astype(np.int32), groups, n) == 0, jnp.nan, best)
    elif minimum:
        best = table.at[groups].min(values, mode="drop")
    else:
        best = table.at[groups].max(values, mode="drop")
    return jnp.where(group_count(groups, n) == 0, jnp.zeros((), dtype), best)


def group_position(values, groups, n, minimum, first):
    """Flat index of the first (or last) sample that equals its group's extremum; 0 for an empty group."""
    best = group_extreme(values, groups, n, minimum)
    own = best.at[groups].get(mode="clip")
    equal = (values == own) | (jnp.isnan(values) & jnp.isnan(own) if values.dtype.kind == "f" else False)
    at = jnp.where(equal, groups, n)
    index = jnp.arange(values.shape[0], dtype=np.int32)
    if first:
        found = jnp.full(n, np.iinfo(np.int32).max, np.int32).at[at].min(index, mode="drop")
        return jnp.where(group_count(groups, n) == 0, 0, found)
    return jnp.zeros(n, np.int32).at[at].max(index, mode="drop")


def group_median(values, groups, n):
    """Median of each group, the mean of the middle two; computed on the samples sorted by group and value."""
    counts = group_count(groups, n)
    _, ordered, source = lax.sort(
        (groups.astype(np.int32), lax.stop_gradient(values), jnp.arange(values.shape[0], dtype=np.int32)), num_keys=2
    )
    del ordered
    start = jnp.cumsum(counts) - counts
    wide = values.astype(values.dtype if values.dtype.kind == "f" else jnp.result_type(float))
    pick = lambda k: wide[source.at[start + k].get(mode="clip")]  # noqa: E731
    low, high = pick((counts - 1) // 2), pick(counts // 2)
    return jnp.where(counts == 0, 0, (low + high) / 2)


def groups_of_table(labels, index, size):
    """Groups by a table over the labels 0 ... size - 1: `(group of each sample, group of each index entry)`."""
    table = jnp.where((labels >= 0) & (labels < size), labels, size)
    return table.astype(np.int32), jnp.where((index >= 0) & (index < size), index, size).astype(np.int32)


def groups_of_values(labels, index):
    """Groups by looking each label up in the sorted `index`; for labels of any kind."""
    common = jnp.promote_types(labels.dtype, index.dtype)
    labels, index = labels.astype(common), index.astype(common)
    n = index.shape[0]
    if n == 0:
        return jnp.ones(labels.shape, np.int32), jnp.zeros(0, np.int32)
    ordered = jnp.sort(index)
    at = jnp.searchsorted(ordered, labels)
    found = ordered.at[at].get(mode="clip") == labels
    return (
        jnp.where(found, at, n).astype(np.int32),
        jnp.searchsorted(ordered, index).astype(np.int32),
    )
