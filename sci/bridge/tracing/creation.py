"""Making arrays: `np.array` of nests of duals, and the functions that allocate."""

from __future__ import annotations

import numpy as np

from . import structural
from .errors import TraceReason
from .tape import refuse
from .values import Dual, Scalar, any_traced, plain, ref, traced, wrap, wrap_constant


def array_value(value):
    """``np.asarray`` of any value of the clone's world, as a dual array."""
    kind = type(value)
    if kind is Scalar:
        return wrap(value._n, np.array(value._w))
    if issubclass(kind, Dual):
        return value
    if issubclass(kind, (list, tuple)) and any_traced(value):
        return stack(value)
    return wrap_constant(np.asarray(plain(value)))


def stack(nest):
    """Array of a nest of lists and tuples that holds traced values."""
    witness = np.array(plain(nest))
    if witness.dtype.kind not in "biufc":
        refuse(TraceReason.DTYPE, f"an array of dtype {witness.dtype}")
    leaves = []
    _leaves(nest, leaves)
    parts = [ref(v) for v in leaves]
    return wrap(structural.stack_node(parts, witness.shape, witness.dtype), witness)


def _leaves(nest, found):
    for value in nest:
        if issubclass(type(value), (list, tuple)):
            _leaves(value, found)
        else:
            found.append(value)


def make_array(value, dtype=None, copy=True, order="K", subok=False, ndmin=0, **_):
    """``np.array``."""
    dtype = plain(dtype)
    if not any_traced(value):
        value = array_value(value)
        witness = np.array(value._w if issubclass(type(value), Dual) else value, dtype=dtype, ndmin=ndmin)
        return wrap_constant(witness)
    result = array_value(value)
    witness = np.array(result._w, dtype=dtype, ndmin=ndmin)
    number = structural.cast_node(result.node(), witness.dtype)
    return wrap(structural.fit_node(number, witness.shape, witness.dtype), witness)


def as_array(value, dtype=None, order=None, copy=None, **_):
    """``np.asarray`` and relatives: an array is itself unless its type changes."""
    dtype = plain(dtype)
    result = array_value(value)
    if not issubclass(type(result), Dual):
        return result
    if dtype is not None and np.dtype(dtype) != result._w.dtype:
        return astype(result, dtype)
    return copy_array(result) if copy else result


def astype(value, dtype, order="K", casting="unsafe", subok=True, copy=True):
    """``x.astype(dtype)`` for arrays and NumPy scalars."""
    dtype = np.dtype(plain(dtype))
    if dtype.kind not in "biufc":
        refuse(TraceReason.DTYPE, f"astype({dtype})")
    if not np.can_cast(np.asarray(value._w).dtype, dtype, casting):
        value._w.astype(dtype, casting=casting)
    if not copy and value._w.dtype == dtype:
        return value
    witness = _safe_cast(value._w, dtype)
    if not traced(value):
        return wrap_constant(witness)
    return wrap(structural.cast_node(ref(value), dtype), witness)


def _safe_cast(witness, dtype):
    with np.errstate(all="ignore"):
        return witness.astype(dtype)


def copy_array(value, order="K", subok=False):
    """``np.copy`` and ``x.copy()``."""
    value = array_value(value)
    witness = value._w.copy()
    return wrap_constant(witness) if value.const else wrap(value.node(), witness)


def filled(function):
    """``np.full`` and ``np.full_like``, whose fill value may be traced."""

    def fill(first, fill_value, dtype=None, **keywords):
        dtype = plain(dtype)
        witness = function(plain(first), plain(fill_value), dtype=dtype, **plain(keywords))
        if not any_traced(fill_value):
            return wrap_constant(witness)
        source = ref(array_value(fill_value))
        return wrap(structural.fit_node(source, witness.shape, witness.dtype), witness)

    return fill


def allocated(function):
    """Functions whose result depends on shapes and types only (zeros, ones_like, eye, ...)."""

    def allocate(*args, **keywords):
        if function is np.empty or function is np.empty_like:  # deterministic contents
            made = np.zeros if function is np.empty else np.zeros_like
            return wrap_constant(made(*plain(args), **plain(keywords)))
        if function not in (np.zeros_like, np.ones_like) and (any_traced(args) or any_traced(keywords)):
            refuse(TraceReason.INDEX, f"np.{function.__name__} of a computed size")
        return wrap_constant(function(*plain(args), **plain(keywords)))

    return allocate


def float_of(value):
    """``float(x)`` of a traced value."""
    witness = np.asarray(value._w)
    if witness.dtype.kind == "c":
        raise TypeError("float() argument must be a string or a real number, not 'complex'")
    if witness.size != 1 or (witness.ndim and witness.shape != (1,) and witness.ndim > 0):
        float(value._w)
    return python_scalar(value, np.dtype("f8"), float(witness.reshape(())[()]))


def python_scalar(value, dtype, witness):
    """Python number of a one-element value, converted to ``dtype``."""
    number = ref(value)
    number = structural.fit_node(number, (), np.dtype(dtype))
    return Scalar(number, witness)


def complex_of(real, imag=0):
    """``complex(x)`` and ``complex(a, b)``."""
    from . import ufuncs

    if not any_traced(imag) and type(imag) is int and imag == 0:
        return python_scalar(real, np.dtype("c16"), complex(np.asarray(plain(real)).reshape(())[()]))
    total = ufuncs.apply(np.add, (real, ufuncs.apply(np.multiply, (imag, 1j))))
    return python_scalar(total, np.dtype("c16"), complex(plain(real), plain(imag)))
