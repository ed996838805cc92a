"""Sums by label: `sum`, `mean`, `variance`, `standard_deviation`, `center_of_mass`, and `histogram`.

Minima, maxima and medians are in `label_extremes.py`.
"""

import numpy as np
from jax import numpy as jnp

from sci.bridge import Example, HostRoute, Reason, implements
from sci.bridge.worlds import is_traced
from sci.ndimage._kernels import groups as g
from sci.ndimage._labelled import (
    ODD,
    example_image,
    example_labels,
    grouped,
    is_many,
    label_example,
    label_facts,
    label_sums,
    pick,
    prepare_labelled,
)


def sum_of_labels(input, labels, index, kind, table):
    _, total, (_, _, _, picks, shape) = label_sums(input, labels, index, kind, table)
    return pick(total, picks, shape)


@implements("scipy.ndimage.sum_labels", **label_facts(), examples=label_example())
def sum_labels(input, labels, index, kind, table):
    """Sum of the samples of each label.

    Differentiable in `input`. `index` may be any array; entries that do not occur give 0.

    Examples
    --------
    >>> from sci import ndimage
    >>> ndimage.sum_labels([1.0, 2.0, 3.0, 4.0], [1, 1, 2, 2], [1, 2, 5])
    array([3., 7., 0.])
    """
    return sum_of_labels(input, labels, index, kind, table)


@implements("scipy.ndimage.sum", **label_facts(), examples=label_example())
def sum(input, labels, index, kind, table):
    """An alias of `sum_labels`.

    Examples
    --------
    >>> from sci import ndimage
    >>> ndimage.sum([1.0, 2.0, 3.0, 4.0], [1, 1, 2, 2], [2])
    array([7.])
    """
    return sum_of_labels(input, labels, index, kind, table)


def _mean(input, labels, index, kind, table):
    count, total, (_, _, _, picks, shape) = label_sums(input, labels, index, kind, table)
    total = pick(total, picks, shape).astype(jnp.promote_types(total.dtype, jnp.result_type(float)))
    return total / pick(count, picks, shape)


@implements("scipy.ndimage.mean", **label_facts(), examples=label_example(index=(1, 3, 2)))
def mean(input, labels, index, kind, table):
    """Mean of the samples of each label, NaN for a label that does not occur; see `sum_labels`.

    Examples
    --------
    >>> from sci import ndimage
    >>> ndimage.mean([1.0, 2.0, 3.0, 4.0], [1, 1, 2, 2], [1, 2])
    array([1.5, 3.5])
    """
    return _mean(input, labels, index, kind, table)


def _variance(input, labels, index, kind, table):
    count, total, (x, groups, n, picks, shape) = label_sums(input, labels, index, kind, table)
    means = total.astype(jnp.promote_types(total.dtype, jnp.result_type(float) if x.dtype.kind != "f" else x.dtype))
    means = means / jnp.maximum(count, 1)
    centred = x.astype(means.dtype) - means.at[groups].get(mode="clip")
    if kind == "many":
        squares = g.group_sum(centred * centred, groups, n)
    else:
        squares = jnp.where(groups == 0, centred * centred, 0).sum()[None]
    squares = pick(squares, picks, shape)
    return squares.astype(jnp.promote_types(squares.dtype, jnp.result_type(float))) / pick(count, picks, shape)


@implements("scipy.ndimage.variance", **label_facts(), examples=label_example(index=(1, 3, 2)))
def variance(input, labels, index, kind, table):
    """Variance of the samples of each label, about their mean, divided by their number; see `sum_labels`.

    Examples
    --------
    >>> from sci import ndimage
    >>> ndimage.variance([1.0, 2.0, 3.0, 5.0], [1, 1, 2, 2], [1, 2])
    array([0.25, 1.  ])
    """
    return _variance(input, labels, index, kind, table)


@implements("scipy.ndimage.standard_deviation", **label_facts(), examples=label_example(index=(1, 3, 2)))
def standard_deviation(input, labels, index, kind, table):
    """Standard deviation of the samples of each label; see `variance`.

    Examples
    --------
    >>> from sci import ndimage
    >>> ndimage.standard_deviation([1.0, 2.0, 3.0, 5.0], [1, 1, 2, 2], [1, 2])
    array([0.5, 1. ])
    """
    return jnp.sqrt(_variance(input, labels, index, kind, table))


def _finish_centre(call, result):
    if is_many(call):
        return [tuple(v) for v in result.T]
    return tuple(result)


@implements(
    "scipy.ndimage.center_of_mass",
    **label_facts(finish=_finish_centre, finish_jax=lambda call, result: jnp.moveaxis(result, 0, -1)),
    examples=lambda: [
        Example((example_image() ** 2, example_labels(), [1, 3, 2]), output=np.asarray, jit=False, skip_odd=ODD),
        Example((example_image() ** 2,), output=np.asarray, jit=False, skip_odd=ODD),
    ],
)
def center_of_mass(input, labels, index, kind, table):
    """Centre of mass of the samples of each label: a tuple, or a list of them.

    In the JAX world an array of positions, the coordinates along its last axis; differentiable in `input`.

    Examples
    --------
    >>> from sci import ndimage
    >>> [float(k) for k in ndimage.center_of_mass([[0.0, 1.0], [0.0, 3.0]])]
    [0.75, 1.0]
    """
    mass = sum_of_labels(input, labels, index, kind, table)
    centres = []
    for axis, n in enumerate(input.shape):
        grid = jnp.arange(n, dtype=jnp.result_type(float)).reshape((-1,) + (1,) * (input.ndim - axis - 1))
        centres.append(sum_of_labels(input * grid, labels, index, kind, table) / mass)
    return jnp.stack(centres) if centres else jnp.zeros(0)


def _prepare_histogram(call):
    if call["labels"] is None and call["index"] is not None:
        raise ValueError("index without defined labels")
    prepare_labelled()(call)
    if is_traced(call["bins"]) or np.ndim(call["bins"]):
        raise HostRoute(Reason.OPTION, "bins is no number")
    if not is_traced((call["min"], call["max"])):
        call["edges"] = np.linspace(call["min"], call["max"], call["bins"] + 1)
    else:
        call["edges"] = jnp.linspace(call["min"], call["max"], call["bins"] + 1)
    if not is_traced(call["edges"]) and not np.all(np.diff(call["edges"]) >= 0):
        raise ValueError(f"`bins` must increase monotonically, when an array: min={call['min']}, max={call['max']}")
    if call["kind"] == "many" and np.ndim(call["index"]) == 0:
        raise HostRoute(Reason.OPTION, "index is a 0-d array")


def _finish_histogram(call, result):
    counts, present = result
    counts = counts.astype(np.int64)
    if call["kind"] != "many":
        return counts if call["kind"] != "one" or present else None
    table = np.empty(counts.shape[:-1], object)
    for k in np.ndindex(table.shape):
        table[k] = counts[k] if present[k] else None
    return table


@implements(
    "scipy.ndimage.histogram",
    static=("kind", "table"),
    ignored=("min", "max", "bins"),
    dtypes="keep",
    prepare=_prepare_histogram,
    finish=_finish_histogram,
    finish_jax=lambda call, result: result[0],
    grad=False,
    note="bins that are no number, complex input",
    examples=lambda: [
        Example((example_image(), -2.0, 2.0, 5), skip_odd=ODD),
        Example(
            (example_image(), -2.0, 2.0, 5, example_labels(), [1, 3]),
            output=list,
            jit=False,
            skip_odd=("1x1", "one axis more", *ODD),
        ),
    ],
)
def histogram(input, edges, labels, index, kind, table):
    """Histogram of the samples of each label between `min` and `max`; None for a label that does not occur.

    In the JAX world an array with the bins along its last axis.

    Examples
    --------
    >>> from sci import ndimage
    >>> ndimage.histogram([0.1, 0.4, 0.6, 0.9], 0, 1, 2)
    array([2, 2])
    """
    x, groups, n, picks, shape = grouped(input, labels, index, kind, table)
    bins = edges.shape[0] - 1
    value = x.astype(edges.dtype) if x.dtype.kind != "f" else x
    at = jnp.searchsorted(edges, value, side="right") - 1
    at = jnp.where(value == edges[-1], bins - 1, at)
    inside = (at >= 0) & (at < bins) & (value <= edges[-1]) & (value >= edges[0])
    cell = jnp.where(inside & (groups < n), groups * bins + at, n * bins)
    counts = jnp.zeros(n * bins, np.int32).at[cell].add(1, mode="drop").reshape(n, bins)
    present = g.group_count(groups, n) > 0
    if picks is None:
        return counts[0], present[0]
    picked = counts.at[picks].get(mode="fill", fill_value=0).reshape(*shape, bins)
    return picked, present.at[picks].get(mode="fill", fill_value=False).reshape(shape)
