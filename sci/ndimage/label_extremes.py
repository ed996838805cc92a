"""Order statistics by label: `minimum`, `maximum`, `median`, their positions, `extrema`."""

import numpy as np
from jax import numpy as jnp

from sci.bridge import Example, implements
from sci.ndimage._kernels import groups as g
from sci.ndimage._labelled import (
    ODD,
    example_apart,
    example_image,
    example_labels,
    grouped,
    is_many,
    label_example,
    label_facts,
    pick,
)

# SciPy indexes the positions of the input's own shape, before broadcasting; NaN is its sort's affair
_SHAPES = ("nan", "1x1", "one axis more", *ODD)


def _positions_example():
    return [Example((example_image(), example_labels(), [1, 3, 2]), output=np.asarray, jit=False, skip_odd=_SHAPES)]


def _not_empty(name):
    """NumPy's exception for the extremum of one group without samples."""

    def finish(call, result):
        if call["kind"] != "many" and result[-1] == 0:
            raise ValueError(f"zero-size array to reduction operation {name} which has no identity: no such label")
        return result[0] if len(result) == 2 else result[:-1]

    return finish


def _without_count(call, result):
    return result[0] if len(result) == 2 else result[:-1]


def _extreme(input, labels, index, kind, table, minimum):
    x, groups, n, picks, shape = grouped(input, labels, index, kind, table)
    best = pick(g.group_extreme(x, groups, n, minimum), picks, shape)
    if kind != "many" and x.dtype.kind == "f":  # one group is NumPy's reduction, which NaN spoils
        best = jnp.where(jnp.any(jnp.isnan(x) & (groups == 0)), jnp.nan, best)
    return best, (groups == 0).sum()


@implements(
    "scipy.ndimage.minimum",
    **label_facts(finish=_not_empty("minimum"), finish_jax=_without_count),
    examples=label_example(skip_odd=(*ODD, "string")),
)
def minimum(input, labels, index, kind, table):
    """Smallest sample of each label; 0 for entries of `index` that do not occur. See `sum_labels`.

    Raises
    ------
    ValueError
        A single group without samples.

    Examples
    --------
    >>> from sci import ndimage
    >>> ndimage.minimum([4, 2, 3, 5], [1, 1, 2, 2], [1, 2])
    array([2, 3])
    """
    return _extreme(input, labels, index, kind, table, True)


@implements(
    "scipy.ndimage.maximum",
    **label_facts(finish=_not_empty("maximum"), finish_jax=_without_count),
    examples=label_example(skip_odd=(*ODD, "string")),
)
def maximum(input, labels, index, kind, table):
    """Largest sample of each label; see `minimum`.

    Examples
    --------
    >>> from sci import ndimage
    >>> ndimage.maximum([4, 2, 3, 5], [1, 1, 2, 2], [1, 2])
    array([4, 5])
    """
    return _extreme(input, labels, index, kind, table, False)


def _median(input, labels, index, kind, table):
    x, groups, n, picks, shape = grouped(input, labels, index, kind, table)
    result = pick(g.group_median(x, groups, n), picks, shape)
    if kind == "many":  # for a label that does not occur SciPy gives the least sample of the least label
        least = jnp.where(labels.ravel() == labels.min(), 0, 1)
        spare = g.group_extreme(x, least, 1, True)[0].astype(result.dtype)
        return jnp.where(pick(g.group_count(groups, n), picks, shape) == 0, spare, result)
    if x.dtype.kind == "f":
        result = jnp.where(jnp.any(jnp.isnan(x) & (groups == 0)), jnp.nan, result)
    return jnp.where(jnp.any(groups == 0), result, jnp.nan)


@implements(
    "scipy.ndimage.median", **label_facts(), examples=label_example((1, 3, 2), image=example_apart, skip_odd=ODD)
)
def median(input, labels, index, kind, table):
    """Median of the samples of each label; see `sum_labels`.

    Examples
    --------
    >>> from sci import ndimage
    >>> ndimage.median([1.0, 2.0, 3.0, 5.0], [1, 1, 2, 2], [1, 2])
    array([1.5, 4. ])
    """
    return _median(input, labels, index, kind, table)


def _positions(input, labels, index, kind, table, minimum):
    x, groups, n, picks, shape = grouped(input, labels, index, kind, table)
    # SciPy takes the first of equal samples, but of many groups' maxima the last
    flat = g.group_position(x, groups, n, minimum, minimum or kind != "many")
    flat = pick(flat, picks, shape)
    full = input.shape if labels is None else labels.shape
    return jnp.stack(jnp.unravel_index(flat, full), axis=-1) if full else jnp.zeros((*shape, 0), np.int32)


def _as_tuples(positions, many):
    positions = positions.astype(np.int64)
    return [tuple(p) for p in positions.reshape(-1, positions.shape[-1])] if many else tuple(positions)


def _finish_position(name):
    def finish(call, result):
        positions, _ = result
        _not_empty(name)(call, result)
        return _as_tuples(positions, is_many(call))

    return finish


@implements(
    "scipy.ndimage.minimum_position",
    **label_facts(finish=_finish_position("minimum"), finish_jax=_without_count, grad=False),
    examples=lambda: [
        Example(
            (example_image(), example_labels(), [1, 3, 2]),
            output=np.asarray,
            jit=False,
            skip_odd=("nan", "1x1", "one axis more", *ODD),
        )
    ],
)
def minimum_position(input, labels, index, kind, table):
    """Where the smallest sample of each label stands: a tuple, or a list of them.

    In the JAX world an array of positions, the coordinates along its last axis.

    Examples
    --------
    >>> from sci import ndimage
    >>> [int(k) for k in ndimage.minimum_position([[4, 2], [3, 5]])]
    [0, 1]
    """
    _, groups, _, _, _ = grouped(input, labels, index, kind, table)
    return _positions(input, labels, index, kind, table, True), (groups == 0).sum()


@implements(
    "scipy.ndimage.maximum_position",
    **label_facts(finish=_finish_position("maximum"), finish_jax=_without_count, grad=False),
    examples=lambda: [
        Example(
            (example_image(), example_labels(), [1, 3, 2]),
            output=np.asarray,
            jit=False,
            skip_odd=("nan", "1x1", "one axis more", *ODD),
        )
    ],
)
def maximum_position(input, labels, index, kind, table):
    """Where the largest sample of each label stands; see `minimum_position`.

    Of equal samples it is the first, and the last where `index` is an array (SciPy: depends on its sort).

    Examples
    --------
    >>> from sci import ndimage
    >>> [int(k) for k in ndimage.maximum_position([[4, 2], [3, 5]])]
    [1, 1]
    """
    _, groups, _, _, _ = grouped(input, labels, index, kind, table)
    return _positions(input, labels, index, kind, table, False), (groups == 0).sum()


def _finish_extrema(call, result):
    low, high, low_at, high_at, _ = result
    _not_empty("minimum")(call, result)
    many = is_many(call)
    return low, high, _as_tuples(low_at, many), _as_tuples(high_at, many)


@implements(
    "scipy.ndimage.extrema",
    **label_facts(finish=_finish_extrema, finish_jax=lambda call, result: result[:-1]),
    examples=lambda: [
        Example(
            (example_image(), example_labels(), [1, 3, 2]),
            output=lambda r: list(r[:2]),
            grad=("input",),
            skip_odd=("1x1", "nan", *ODD),
        )
    ],
)
def extrema(input, labels, index, kind, table):
    """Minima, maxima and their positions of each label; see `minimum` and `minimum_position`.

    Examples
    --------
    >>> from sci import ndimage
    >>> low, high, _, _ = ndimage.extrema([4, 2, 3, 5], [1, 1, 2, 2], [1, 2])
    >>> low, high
    (array([2, 3]), array([4, 5]))
    """
    options = (input, labels, index, kind, table)
    low, count = _extreme(*options, True)
    high, _ = _extreme(*options, False)
    return low, high, _positions(*options, True), _positions(*options, False), count
