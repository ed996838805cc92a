"""Statistics by label: `sum`, `mean`, `variance`, `minimum`, `median`, `center_of_mass`, `histogram`, ...

Three forms of a call, as in SciPy: no labels (all samples), labels without `index` or with one number (one group),
labels and an array of `index` (a result for each entry).
"""

from typing import Any

import numpy as np
from jax import numpy as jnp

from sci.bridge import Example, HostRoute, Reason, implements
from sci.bridge.worlds import is_jax, is_traced
from sci.ndimage._arguments import array_argument
from sci.ndimage._kernels import groups as g

_TABLE = 1 << 22  # labels below this size are counted in a table


def _prepare(real=True):
    """`prepare` of all statistics: `kind` is "all", "group" or "many"; `table` the table's size or None."""

    def prepare(call):
        x = array_argument(call)
        if x.dtype.kind == "c" and real:
            raise HostRoute(Reason.DTYPE, "complex input")
        labels, index = call["labels"], call["index"]
        if labels is None:
            call["kind"], call["table"], call["index"] = "all", None, None
            return
        labels = array_argument(call, "labels")
        shape = np.broadcast_shapes(x.shape, labels.shape)
        if labels.shape != shape:
            call["labels"] = jnp.broadcast_to(labels, shape) if is_jax(labels) else np.broadcast_to(labels, shape)
        call["kind"], call["table"] = "many", None
        if index is None:
            call["kind"] = "group"
            return
        if np.isscalar(index):
            call["kind"] = "one"
            return
        index = call["index"] = jnp.asarray(index) if is_jax(index) else np.asarray(index)
        if index.dtype.kind not in "biuf":
            raise HostRoute(Reason.DTYPE, f"index is {index.dtype}")
        counted = call.numpy and labels.dtype.kind in "biu" and labels.size
        if counted and index.dtype.kind == "f" and labels.min() >= 0 and labels.max() <= labels.size:
            index = call["index"] = index.astype(np.int64)  # as SciPy, where it counts in a table
        if index.dtype.kind in "iu" and labels.dtype.kind in "biu" and not is_traced(index) and index.size:
            known = np.asarray(index)
            largest = int(known.max())
            if int(known.min()) >= 0 and largest < _TABLE:
                call["table"] = 1 << max(largest + 1, 1).bit_length()  # few sizes compile

    return prepare


def _grouped(input, labels, index, kind, table):
    """``(values, group of each sample, number of groups, group of each result, shape of the result)``."""
    if kind == "all":
        return input.ravel(), jnp.zeros(input.size, np.int32), 1, None, ()
    x = jnp.broadcast_to(input, labels.shape).ravel()
    labels = labels.ravel()
    if kind in ("group", "one"):
        chosen = labels > 0 if kind == "group" else labels == index
        return x, jnp.where(chosen, 0, 1).astype(np.int32), 1, None, ()
    flat = index.ravel()
    if table is not None:
        groups, picks = g.groups_of_table(labels, flat, table)
        return x, groups, table, picks, index.shape
    groups, picks = g.groups_of_values(labels, flat)
    return x, groups, max(flat.shape[0], 1), picks, index.shape


def _pick(table, picks, shape):
    """The results asked for; 0 for labels that do not occur."""
    if picks is None:
        return table[0]
    return table.at[picks].get(mode="fill", fill_value=0).reshape(shape)


def _sum_dtype(dtype, kind):
    """NumPy's sum of one group keeps floats; the sums of many are counted in double, as `numpy.bincount` does."""
    dtype = np.dtype(dtype)
    if kind == "many":
        return np.dtype(jnp.result_type(float)) if dtype.kind != "c" else dtype
    if dtype.kind in "biu":
        wide = jnp.promote_types(dtype, jnp.result_type(np.uint64 if dtype.kind == "u" else np.int64))
        return np.dtype(wide)
    return dtype


def _sums(input, labels, index, kind, table):
    """``(count, sum)`` of the groups, and the grouping."""
    grouped = x, groups, n, _, _ = _grouped(input, labels, index, kind, table)
    wide = x.astype(_sum_dtype(x.dtype, kind))
    if kind == "many":
        total, count = g.group_sum(wide, groups, n), g.group_count(groups, n)
    else:  # one group: a reduction, not a scatter
        total = jnp.where(groups == 0, wide, 0).sum()[None]
        count = (groups == 0).sum(dtype=np.int32)[None]
    return count, total, grouped


def _image():
    return np.random.default_rng(18).normal(size=(5, 6))


def _labels():
    return np.random.default_rng(19).integers(0, 4, size=(5, 6))


def _apart():
    """Values that are far from equal, so that differences do not change their order."""
    return np.random.default_rng(3).permutation(30).reshape(5, 6) / 7.0


def _example(index=(1, 3, 9, 2), grad=("input",), image=_image, **options):
    return lambda: [
        Example((image(), _labels(), np.array(index)), grad=grad, vmap=("input",), **{"skip_odd": ("0-d",), **options}),
        Example((image(), _labels()), grad=grad, **options),
    ]


def _facts(real=True, **more) -> dict[str, Any]:
    return {
        "static": ("kind", "table"),
        "dtypes": "keep",
        "prepare": _prepare(real),
        "note": "complex input; labels that are not numbers",
        **more,
    }


_ODD = ("empty", "0-d")  # NumPy's own words for reductions of nothing


def _sum_labels(input, labels, index, kind, table):
    _, total, (_, _, _, picks, shape) = _sums(input, labels, index, kind, table)
    return _pick(total, picks, shape)


@implements("scipy.ndimage.sum_labels", **_facts(), examples=_example())
def sum_labels(input, labels, index, kind, table):
    """Sum of the samples of each label.

    Differentiable in `input`. `index` may be any array; entries that do not occur give 0.

    Examples
    --------
    >>> from sci import ndimage
    >>> ndimage.sum_labels([1.0, 2.0, 3.0, 4.0], [1, 1, 2, 2], [1, 2, 5])
    array([3., 7., 0.])
    """
    return _sum_labels(input, labels, index, kind, table)


@implements("scipy.ndimage.sum", **_facts(), examples=_example())
def sum(input, labels, index, kind, table):
    """An alias of `sum_labels`.

    Examples
    --------
    >>> from sci import ndimage
    >>> ndimage.sum([1.0, 2.0, 3.0, 4.0], [1, 1, 2, 2], [2])
    array([7.])
    """
    return _sum_labels(input, labels, index, kind, table)


def _mean(input, labels, index, kind, table):
    count, total, (_, _, _, picks, shape) = _sums(input, labels, index, kind, table)
    total = _pick(total, picks, shape).astype(jnp.promote_types(total.dtype, jnp.result_type(float)))
    return total / _pick(count, picks, shape)


@implements("scipy.ndimage.mean", **_facts(), examples=_example(index=(1, 3, 2)))
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
    count, total, (x, groups, n, picks, shape) = _sums(input, labels, index, kind, table)
    means = total.astype(jnp.promote_types(total.dtype, jnp.result_type(float) if x.dtype.kind != "f" else x.dtype))
    means = means / jnp.maximum(count, 1)
    centred = x.astype(means.dtype) - means.at[groups].get(mode="clip")
    if kind == "many":
        squares = g.group_sum(centred * centred, groups, n)
    else:
        squares = jnp.where(groups == 0, centred * centred, 0).sum()[None]
    squares = _pick(squares, picks, shape)
    return squares.astype(jnp.promote_types(squares.dtype, jnp.result_type(float))) / _pick(count, picks, shape)


@implements("scipy.ndimage.variance", **_facts(), examples=_example(index=(1, 3, 2)))
def variance(input, labels, index, kind, table):
    """Variance of the samples of each label, about their mean, divided by their number; see `sum_labels`.

    Examples
    --------
    >>> from sci import ndimage
    >>> ndimage.variance([1.0, 2.0, 3.0, 5.0], [1, 1, 2, 2], [1, 2])
    array([0.25, 1.  ])
    """
    return _variance(input, labels, index, kind, table)


@implements("scipy.ndimage.standard_deviation", **_facts(), examples=_example(index=(1, 3, 2)))
def standard_deviation(input, labels, index, kind, table):
    """Standard deviation of the samples of each label; see `variance`.

    Examples
    --------
    >>> from sci import ndimage
    >>> ndimage.standard_deviation([1.0, 2.0, 3.0, 5.0], [1, 1, 2, 2], [1, 2])
    array([0.5, 1. ])
    """
    return jnp.sqrt(_variance(input, labels, index, kind, table))


# SciPy indexes the positions of the input's own shape, before broadcasting; NaN is its sort's affair
_SHAPES = ("nan", "1x1", "one axis more", *_ODD)


def _positions_example():
    return [Example((_image(), _labels(), [1, 3, 2]), output=np.asarray, jit=False, skip_odd=_SHAPES)]


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
    x, groups, n, picks, shape = _grouped(input, labels, index, kind, table)
    best = _pick(g.group_extreme(x, groups, n, minimum), picks, shape)
    if kind != "many" and x.dtype.kind == "f":  # one group is NumPy's reduction, which NaN spoils
        best = jnp.where(jnp.any(jnp.isnan(x) & (groups == 0)), jnp.nan, best)
    return best, (groups == 0).sum()


@implements(
    "scipy.ndimage.minimum",
    **_facts(finish=_not_empty("minimum"), finish_jax=_without_count),
    examples=_example(skip_odd=(*_ODD, "string")),
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
    **_facts(finish=_not_empty("maximum"), finish_jax=_without_count),
    examples=_example(skip_odd=(*_ODD, "string")),
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
    x, groups, n, picks, shape = _grouped(input, labels, index, kind, table)
    result = _pick(g.group_median(x, groups, n), picks, shape)
    if kind == "many":  # for a label that does not occur SciPy gives the least sample of the least label
        least = jnp.where(labels.ravel() == labels.min(), 0, 1)
        spare = g.group_extreme(x, least, 1, True)[0].astype(result.dtype)
        return jnp.where(_pick(g.group_count(groups, n), picks, shape) == 0, spare, result)
    if x.dtype.kind == "f":
        result = jnp.where(jnp.any(jnp.isnan(x) & (groups == 0)), jnp.nan, result)
    return jnp.where(jnp.any(groups == 0), result, jnp.nan)


@implements("scipy.ndimage.median", **_facts(), examples=_example((1, 3, 2), image=_apart, skip_odd=_ODD))
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
    x, groups, n, picks, shape = _grouped(input, labels, index, kind, table)
    # SciPy takes the first of equal samples, but of many groups' maxima the last
    flat = g.group_position(x, groups, n, minimum, minimum or kind != "many")
    flat = _pick(flat, picks, shape)
    full = input.shape if labels is None else labels.shape
    return jnp.stack(jnp.unravel_index(flat, full), axis=-1) if full else jnp.zeros((*shape, 0), np.int32)


def _is_many(call):
    return call["kind"] == "many" and np.ndim(call["index"]) > 0


def _as_tuples(positions, many):
    positions = positions.astype(np.int64)
    return [tuple(p) for p in positions.reshape(-1, positions.shape[-1])] if many else tuple(positions)


def _finish_position(name):
    def finish(call, result):
        positions, _ = result
        _not_empty(name)(call, result)
        return _as_tuples(positions, _is_many(call))

    return finish


@implements(
    "scipy.ndimage.minimum_position",
    **_facts(finish=_finish_position("minimum"), finish_jax=_without_count, grad=False),
    examples=lambda: [
        Example(
            (_image(), _labels(), [1, 3, 2]),
            output=np.asarray,
            jit=False,
            skip_odd=("nan", "1x1", "one axis more", *_ODD),
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
    _, groups, _, _, _ = _grouped(input, labels, index, kind, table)
    return _positions(input, labels, index, kind, table, True), (groups == 0).sum()


@implements(
    "scipy.ndimage.maximum_position",
    **_facts(finish=_finish_position("maximum"), finish_jax=_without_count, grad=False),
    examples=lambda: [
        Example(
            (_image(), _labels(), [1, 3, 2]),
            output=np.asarray,
            jit=False,
            skip_odd=("nan", "1x1", "one axis more", *_ODD),
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
    _, groups, _, _, _ = _grouped(input, labels, index, kind, table)
    return _positions(input, labels, index, kind, table, False), (groups == 0).sum()


def _finish_extrema(call, result):
    low, high, low_at, high_at, _ = result
    _not_empty("minimum")(call, result)
    many = _is_many(call)
    return low, high, _as_tuples(low_at, many), _as_tuples(high_at, many)


@implements(
    "scipy.ndimage.extrema",
    **_facts(finish=_finish_extrema, finish_jax=lambda call, result: result[:-1]),
    examples=lambda: [
        Example(
            (_image(), _labels(), [1, 3, 2]),
            output=lambda r: list(r[:2]),
            grad=("input",),
            skip_odd=("1x1", "nan", *_ODD),
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


def _finish_centre(call, result):
    if _is_many(call):
        return [tuple(v) for v in result.T]
    return tuple(result)


@implements(
    "scipy.ndimage.center_of_mass",
    **_facts(finish=_finish_centre, finish_jax=lambda call, result: jnp.moveaxis(result, 0, -1)),
    examples=lambda: [
        Example((_image() ** 2, _labels(), [1, 3, 2]), output=np.asarray, jit=False, skip_odd=_ODD),
        Example((_image() ** 2,), output=np.asarray, jit=False, skip_odd=_ODD),
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
    mass = _sum_labels(input, labels, index, kind, table)
    centres = []
    for axis, n in enumerate(input.shape):
        grid = jnp.arange(n, dtype=jnp.result_type(float)).reshape((-1,) + (1,) * (input.ndim - axis - 1))
        centres.append(_sum_labels(input * grid, labels, index, kind, table) / mass)
    return jnp.stack(centres) if centres else jnp.zeros(0)


def _prepare_histogram(call):
    if call["labels"] is None and call["index"] is not None:
        raise ValueError("index without defined labels")
    _prepare()(call)
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
        Example((_image(), -2.0, 2.0, 5), skip_odd=_ODD),
        Example(
            (_image(), -2.0, 2.0, 5, _labels(), [1, 3]),
            output=list,
            jit=False,
            skip_odd=("1x1", "one axis more", *_ODD),
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
    x, groups, n, picks, shape = _grouped(input, labels, index, kind, table)
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
