"""What the measurements by label share: how a call is read, grouping, sums, and the examples of the contract.

Three forms of a call, as in SciPy: no labels (all samples), labels without `index` or with one number (one group),
labels and an array of `index` (a result for each entry).
"""

from typing import Any

import numpy as np
from jax import numpy as jnp

from sci.bridge import Example, HostRoute, Reason
from sci.bridge.worlds import is_jax, is_traced
from sci.ndimage._arguments import array_argument
from sci.ndimage._kernels import groups as g

TABLE = 1 << 22  # labels below this size are counted in a table


def prepare_labelled(real=True):
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
            if int(known.min()) >= 0 and largest < TABLE:
                call["table"] = 1 << max(largest + 1, 1).bit_length()  # few sizes compile

    return prepare


def grouped(input, labels, index, kind, table):
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


def pick(table, picks, shape):
    """The results asked for; 0 for labels that do not occur."""
    if picks is None:
        return table[0]
    return table.at[picks].get(mode="fill", fill_value=0).reshape(shape)


def sum_dtype(dtype, kind):
    """NumPy's sum of one group keeps floats; the sums of many are counted in double, as `numpy.bincount` does."""
    dtype = np.dtype(dtype)
    if kind == "many":
        return np.dtype(jnp.result_type(float)) if dtype.kind != "c" else dtype
    if dtype.kind in "biu":
        wide = jnp.promote_types(dtype, jnp.result_type(np.uint64 if dtype.kind == "u" else np.int64))
        return np.dtype(wide)
    return dtype


def label_sums(input, labels, index, kind, table):
    """``(count, sum)`` of the groups, and the grouping."""
    found = x, groups, n, _, _ = grouped(input, labels, index, kind, table)
    wide = x.astype(sum_dtype(x.dtype, kind))
    if kind == "many":
        total, count = g.group_sum(wide, groups, n), g.group_count(groups, n)
    else:  # one group: a reduction, not a scatter
        total = jnp.where(groups == 0, wide, 0).sum()[None]
        count = (groups == 0).sum(dtype=np.int32)[None]
    return count, total, found


def example_image():
    return np.random.default_rng(18).normal(size=(5, 6))


def example_labels():
    return np.random.default_rng(19).integers(0, 4, size=(5, 6))


def example_apart():
    """Values that are far from equal, so that differences do not change their order."""
    return np.random.default_rng(3).permutation(30).reshape(5, 6) / 7.0


def label_example(index=(1, 3, 9, 2), grad=("input",), image=example_image, **options):
    return lambda: [
        Example(
            (image(), example_labels(), np.array(index)),
            grad=grad,
            vmap=("input",),
            **{"skip_odd": ("0-d",), **options},
        ),
        Example((image(), example_labels()), grad=grad, **options),
    ]


def label_facts(real=True, **more) -> dict[str, Any]:
    return {
        "static": ("kind", "table"),
        "dtypes": "keep",
        "prepare": prepare_labelled(real),
        "note": "complex input; labels that are not numbers",
        **more,
    }


ODD = ("empty", "0-d")  # NumPy's own words for reductions of nothing


def is_many(call):
    return call["kind"] == "many" and np.ndim(call["index"]) > 0
