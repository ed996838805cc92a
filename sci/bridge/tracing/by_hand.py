"""NumPy functions whose meaning on duals is not one `jnp` call."""

from __future__ import annotations

import numpy as np
from jax import lax

from . import creation, structural, ufuncs
from .creation import array_value
from .errors import TraceReason
from .function_table import BY_HAND
from .functions import call_numpy, record, result_of
from .tape import current, refuse
from .values import Dual, any_traced, plain, python_number, ref, wrap, wrap_constant


def by_hand(*names):
    """Register a function under NumPy names."""

    def register(function):
        BY_HAND.update(dict.fromkeys(names, function))
        return function

    return register


@by_hand("array")
def _array(original, *args, **kwargs):
    return creation.make_array(*args, **kwargs)


@by_hand("asarray", "asanyarray", "ascontiguousarray", "asfortranarray", "require", "asarray_chkfinite")
def _asarray(original, value, dtype=None, *args, **kwargs):
    return creation.as_array(value, dtype, copy=kwargs.get("copy"))


@by_hand("copy")
def _copy(original, value, order="K", subok=False):
    return creation.copy_array(value)


def _without_original(make):
    return lambda original, *args, **kwargs: make(*args, **kwargs)


for _name in [
    "zeros",
    "empty",
    "ones",
    "zeros_like",
    "empty_like",
    "ones_like",
    "eye",
    "identity",
    "arange",
    "tri",
    "indices",
]:
    BY_HAND[_name] = _without_original(creation.allocated(getattr(np, _name)))
BY_HAND["full"] = _without_original(creation.filled(np.full))
BY_HAND["full_like"] = _without_original(creation.filled(np.full_like))


@by_hand("astype")
def _astype(original, x, dtype, copy=True, device=None):
    return array_value(x).astype(dtype)


def _number_or_array(value):
    if issubclass(type(value), Dual) or python_number(value) or isinstance(value, np.generic):
        return value
    return array_value(value)


@by_hand("where")
def where(original, condition, *choices):
    """``np.where`` with three arguments."""
    if len(choices) != 2:
        if any_traced(condition):
            refuse(TraceReason.SHAPE, "np.where with one argument", "use three arguments")
        return wrap_constant(np.where(plain(condition)))
    condition, x, y = array_value(condition), *map(_number_or_array, choices)
    witness = np.where(plain(condition), plain(x), plain(y))
    if not any_traced((condition, x, y)):
        return wrap_constant(witness)
    shape, dtype = witness.shape, witness.dtype

    def emit(c, a, b):
        c = structural.broadcast(structural.cast(c, bool), shape)
        a, b = (structural.broadcast(structural.cast(v, dtype), shape) for v in (a, b))
        return lax.select(c, a, b)

    number = current().add(emit, (ref(condition), ref(x), ref(y)), shape, dtype, True)
    return wrap(number, witness)


@by_hand("clip")
def clip(original, a, a_min=None, a_max=None, out=None, *, min=None, max=None, dtype=None, **_):
    """``np.clip``: the larger of the lower bound, then the smaller of the upper."""
    low, high = (b if a is None or type(a).__name__ == "_NoValueType" else a for a, b in ((a_min, min), (a_max, max)))
    a = _number_or_array(a)
    result = a if low is None else ufuncs.apply(np.maximum, (a, _number_or_array(low)))
    result = result if high is None else ufuncs.apply(np.minimum, (result, _number_or_array(high)))
    if out is not None:
        ufuncs.store_out(out, result)
        return out
    return result


@by_hand("select")
def select(original, condlist, choicelist, default=0):
    """``np.select``: the first true condition wins."""
    witness = np.select(plain(list(condlist)), plain(list(choicelist)), plain(default))
    if not any_traced((list(condlist), list(choicelist), default)):
        return wrap_constant(witness)
    result = creation.filled(np.full)(witness.shape, default, dtype=witness.dtype)
    for condition, choice in reversed(list(zip(condlist, choicelist, strict=True))):
        result = where(np.where, condition, choice, result)
    return result.astype(witness.dtype)


@by_hand("piecewise")
def piecewise(original, x, condlist, funclist, *args, **kwargs):
    """``np.piecewise``: functions are applied to the whole array and chosen from."""
    scalar = np.ndim(plain(x)) == 0
    x = array_value(x)
    if (
        (issubclass(type(condlist), Dual) and condlist._w.ndim == x._w.ndim)
        or not isinstance(plain(condlist), (list, tuple, np.ndarray))
        or (not scalar and not isinstance(plain(next(iter(condlist))), (list, tuple, np.ndarray)))
    ):
        condlist = [condlist]
    elif scalar and all(np.ndim(plain(c)) == 0 for c in condlist):
        condlist = list(condlist)
    conditions = [array_value(c).astype(bool) for c in condlist]
    funclist = list(funclist)
    if len(funclist) == len(conditions) + 1:
        rest = ~call_numpy(np.any, (call_numpy(np.stack, (conditions,), {}),), {"axis": 0})
        conditions.insert(0, array_value(rest))
        funclist.insert(0, funclist.pop())
    elif len(funclist) != len(conditions):
        raise ValueError("with {} condition(s), either that number or one more functions are expected")
    result = wrap_constant(np.zeros_like(x._w))
    for condition, function in zip(conditions, funclist, strict=True):
        value = function(x, *args, **kwargs) if callable(function) else function
        result = where(np.where, condition, array_value(value).astype(x._w.dtype), result)
    return result


@by_hand("atleast_1d", "atleast_2d", "atleast_3d")
def _atleast(original, *arrays):
    results = []
    for value in arrays:
        array = array_value(value)
        witness = original(array._w)
        results.append(array if witness.shape == array._w.shape else call_numpy(np.reshape, (array, witness.shape), {}))
    return results[0] if len(results) == 1 else tuple(results)


@by_hand("round", "around")
def _round(original, a, decimals=0, out=None):
    result = a if not isinstance(plain(a), (list, tuple)) else array_value(a)
    if not any_traced(result):
        result = wrap_constant(np.round(plain(result), decimals))
    elif np.asarray(plain(result)).dtype.kind in "iub":
        result = (
            record(np.round, "round", lambda x, **k: x, (result, decimals), {})
            if decimals >= 0
            else refuse(TraceReason.NUMPY_FUNCTION, "np.round of integers with negative decimals")
        )
    elif decimals == 0:
        result = ufuncs.apply(np.rint, (result,))
    else:
        scale = 10.0 ** abs(decimals)
        up, down = (np.multiply, np.divide) if decimals > 0 else (np.divide, np.multiply)
        whole = ufuncs.apply(np.rint, (ufuncs.apply(up, (result, scale)),))
        result = ufuncs.apply(down, (whole, scale))
    if out is not None:
        ufuncs.store_out(out, result)
        return out
    return result


@by_hand("einsum")
def _einsum(original, *operands, out=None, **kwargs):
    import jax.numpy as jnp

    text, arrays = operands[0], [array_value(v) for v in operands[1:]]
    if type(text) is not str:
        refuse(TraceReason.NUMPY_FUNCTION, "np.einsum with index lists", "use a subscript string")
    witness = np.einsum(text, *[a._w for a in arrays])
    if not any_traced(arrays):
        result = wrap_constant(witness)
    else:
        dtype = np.asarray(witness).dtype

        def emit(*xs):
            return jnp.einsum(text, *[structural.cast(x, dtype) for x in xs], precision=lax.Precision.HIGHEST)

        result = result_of(emit, tuple(map(ref, arrays)), witness)
    if out is not None:
        ufuncs.store_out(out, result)
        return out
    return result


@by_hand("apply_along_axis")
def _apply_along_axis(original, func1d, axis, arr, *args, **kwargs):
    arr = call_numpy(np.moveaxis, (array_value(arr), axis, -1), {})
    lead = arr._w.shape[:-1]
    parts = [array_value(func1d(arr[i], *args, **kwargs)) for i in np.ndindex(*lead)]
    inner = parts[0]._w.shape
    whole = call_numpy(np.stack, (parts,), {}).reshape(lead + inner)
    order = list(range(len(lead), len(lead) + len(inner)))
    axes = list(range(axis % (len(lead) + 1))) + order + list(range(axis % (len(lead) + 1), len(lead)))
    return call_numpy(np.transpose, (whole, axes), {})


@by_hand("fromiter")
def _fromiter(original, iterable, dtype, count=-1, **_):
    items = list(iterable)
    return creation.make_array(items if count < 0 else items[:count], dtype)


@by_hand("fromfunction")
def _fromfunction(original, function, shape, *, dtype=float, **kwargs):
    grid = [wrap_constant(g) for g in np.indices(shape, dtype=plain(dtype))]
    return function(*grid, **kwargs)


@by_hand("ndenumerate")
def _ndenumerate(original, array):
    array = array_value(array)
    return ((i, array[i]) for i in np.ndindex(*array._w.shape))


@by_hand("isscalar")
def _isscalar(original, element):
    return np.isscalar(plain(element))


@by_hand("block")
def _block(original, arrays):
    levels, probe, leaves = 0, arrays, []
    while isinstance(probe, list):
        levels, probe = levels + 1, probe[0]

    def collect(nest):
        if isinstance(nest, list):
            return [collect(v) for v in nest]
        leaves.append(array_value(nest)._w.ndim)
        return array_value(nest)

    nest = collect(arrays)
    rank = max(levels, *leaves)

    def join(part, depth):
        if not isinstance(part, list):
            return part.reshape((1,) * (rank - part._w.ndim) + part._w.shape)
        return call_numpy(np.concatenate, ([join(v, depth + 1) for v in part],), {"axis": depth - levels})

    return join(nest, 0)


@by_hand("take")
def _take(original, a, indices, axis=None, out=None, mode="raise"):
    a = array_value(a)
    if mode != "raise" or out is not None:
        refuse(TraceReason.NUMPY_FUNCTION, "np.take with mode or out")
    axis = plain(axis)
    if axis is None:
        return a.reshape(-1)[indices]
    return a[(slice(None),) * (axis % a._w.ndim) + (indices,)] if axis % a._w.ndim else a[indices]


@by_hand("fix")
def _fix(original, x, out=None):
    result = ufuncs.apply(np.trunc, (x,))
    if out is not None:
        ufuncs.store_out(out, result)
        return out
    return result


@by_hand("ix_", "ndindex", "diag_indices", "diag_indices_from", "tril_indices", "triu_indices", "unravel_index",
         "ravel_multi_index", "mask_indices", "tril_indices_from", "triu_indices_from")  # fmt: skip
def _index_maker(original, *args, **kwargs):
    if original.__name__.endswith("_from"):
        return original(*plain(args), **plain(kwargs))
    if any_traced(args) or any_traced(kwargs):
        refuse(TraceReason.INDEX, f"np.{original.__name__} of computed values")
    return original(*plain(args), **plain(kwargs))
