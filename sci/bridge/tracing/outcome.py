"""What a path returns, and how the results of several paths become one structure."""

from __future__ import annotations

from dataclasses import dataclass

import jax
import numpy as np

from .errors import TraceReason, error_at
from .frozen import FrozenDict, FrozenList
from .tape import refuse
from .values import Dual, plain, ref


@dataclass
class Outcome:
    """Leaves (node numbers) of a result, its structure, and its shape if it were one array."""

    treedef: object
    nodes: tuple
    shapes: tuple
    dtypes: tuple
    array: tuple | None  # (shape, dtype) of np.asarray(result), where that exists


class _Leaf:
    __slots__ = ("value",)

    def __init__(self, value):
        self.value = value


def outcome_of(result):
    """Outcome of a path from what the clone returned."""
    leaves, treedef = jax.tree_util.tree_flatten(_mark(result))
    values = [leaf.value for leaf in leaves]
    witnesses = [np.asarray(plain(v)) for v in values]
    nodes = tuple(ref(v) for v in values)
    shapes = tuple(w.shape for w in witnesses)
    dtypes = tuple(w.dtype for w in witnesses)
    array = None
    if isinstance(plain(result), (list, tuple)) or issubclass(type(result), Dual) or np.isscalar(result):
        try:
            whole = np.asarray(plain(result))
            array = (whole.shape, whole.dtype) if whole.dtype.kind in "biufc" else None
        except ValueError:
            pass
    return Outcome(treedef, nodes, shapes, dtypes, array)


def _mark(value):
    kind = type(value)
    if issubclass(kind, Dual):
        return _Leaf(value)
    if kind in (list, FrozenList):
        return [_mark(v) for v in value]
    if kind is tuple:
        return tuple(_mark(v) for v in value)
    if issubclass(kind, tuple) and hasattr(kind, "_make"):
        original = vars(kind).get("__sci_original__", kind)
        return tuple.__new__(original, [_mark(v) for v in value])
    if kind in (dict, FrozenDict):
        return {k: _mark(v) for k, v in value.items()}
    numeric = kind in (bool, int, float, complex) or isinstance(value, (np.generic, np.ndarray))
    if numeric and np.asarray(value).dtype.kind in "biufc":
        return _Leaf(value)
    name = kind.__name__ if value is not None else "None"
    refuse(TraceReason.RETURN, f"it returns {name}")


@dataclass
class Merged:
    """Common structure of all paths."""

    treedef: object
    shapes: tuple
    dtypes: tuple
    stacked: bool  # the paths differ in structure but agree as arrays


def merge(runs):
    """Common structure of the paths' outcomes, or TraceError."""
    outcomes = [r.outcome for r in runs if r.outcome is not None]
    if not outcomes:
        raise error_at((None, None), TraceReason.RAISES, "every path raises")
    first = outcomes[0]
    missing = len(outcomes) < len(runs)
    if all(o.treedef == first.treedef and o.shapes == first.shapes for o in outcomes):
        dtypes = tuple(_common([o.dtypes[i] for o in outcomes], missing) for i in range(len(first.dtypes)))
        return Merged(first.treedef, first.shapes, dtypes, False)
    shapes = {o.array[0] if o.array else None for o in outcomes}
    if len(shapes) == 1 and None not in shapes:
        dtype = _common([o.array[1] for o in outcomes], missing)
        leaf = jax.tree_util.tree_structure(0)
        return Merged(leaf, (first.array[0],), (dtype,), True)
    place = next((r.decisions[-1].place for r in runs if r.decisions), (None, None))
    raise error_at(place, TraceReason.STRUCTURE, "", "return the same kind and shape of result on every path")


def _common(dtypes, missing):
    found = np.result_type(*dtypes)
    return np.result_type(found, np.float64) if missing and found.kind in "biu" else found


def flatten_result(result, stacked):
    """Leaves (NumPy arrays) and structure of what the original returned."""
    if stacked:
        return [np.asarray(result)], None
    leaves, treedef = jax.tree_util.tree_flatten(_mark(result))
    return [np.asarray(plain(leaf.value)) for leaf in leaves], treedef
