"""``ufunc.reduce``, ``accumulate``, ``outer`` and ``at`` on duals."""

from __future__ import annotations

import jax
import numpy as np

from . import ufuncs
from .creation import array_value
from .errors import TraceReason
from .functions import call_numpy, result_of
from .tape import refuse
from .values import Dual, any_traced, plain, ref, wrap_constant

_REDUCE = {
    "add": ("sum", "cumsum"),
    "multiply": ("prod", "cumprod"),
    "maximum": ("max", None),
    "minimum": ("min", None),
    "logical_and": ("all", None),
    "logical_or": ("any", None),
}


def ufunc_method(ufunc, method, args, kwargs):
    """``ufunc.reduce``, ``accumulate``, ``outer`` and ``at``."""
    name = ufunc.__name__
    if method == "outer":
        a, b = (array_value(v) for v in args)
        left = a.reshape(np.shape(plain(a)) + (1,) * np.ndim(plain(b)))
        return ufuncs.apply(ufunc, (left, b))
    if method == "at":
        return _add_at(ufunc, *args)
    if not any_traced(args) and not any_traced(kwargs) and "out" not in kwargs:
        return wrap_constant(getattr(ufunc, method)(*plain(args), **plain(kwargs)))
    reduce, accumulate = _REDUCE.get(name, (None, None))
    if method == "reduce" and reduce:
        kwargs.setdefault("axis", 0) if len(args) < 2 else None
        kwargs = {k: v for k, v in kwargs.items() if v is not None or k == "axis"}
        return call_numpy(getattr(np, reduce), args, kwargs)
    if method == "accumulate":
        if accumulate is not None:
            kwargs.setdefault("axis", 0) if len(args) < 2 else None
            return call_numpy(getattr(np, accumulate), args, kwargs)
        if name in ("maximum", "minimum"):
            a, axis = array_value(args[0]), plain(args[1] if len(args) > 1 else kwargs.get("axis", 0))
            run = jax.lax.cummax if name == "maximum" else jax.lax.cummin
            witness = ufunc.accumulate(plain(a), axis)
            return result_of(lambda x: run(x, axis % x.ndim), (ref(a),), witness)
    refuse(TraceReason.NUMPY_FUNCTION, f"np.{name}.{method}")


def _add_at(ufunc, array, index, value=None):
    if not issubclass(type(array), Dual) or any_traced(index):
        refuse(TraceReason.INDEX, f"np.{ufunc.__name__}.at at a computed position")
    places = np.arange(array._w.size).reshape(array._w.shape)[plain(index)]
    flat = np.ravel(places)
    values = None
    if value is not None:
        source = array_value(value)
        values = call_numpy(np.broadcast_to, (source, np.shape(places)), {}).reshape(-1)
    line = array.reshape(-1)
    for i, place in enumerate(flat):
        operands = (line[int(place)],) if values is None else (line[int(place)], values[i])
        line[int(place)] = ufuncs.apply(ufunc, operands)
    if not np.may_share_memory(line._w, array._w):
        array[...] = line.reshape(array._w.shape)
