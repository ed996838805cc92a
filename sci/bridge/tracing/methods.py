"""Methods and attributes of arrays and numbers, on duals."""

from __future__ import annotations

import numpy as np

from . import creation, structural
from .errors import TraceReason
from .frames import handles_exceptions
from .tape import current, refuse
from .values import Dual, Scalar, plain, python_number, ref, traced, wrap, wrap_constant

_FROM_WITNESS = {"shape", "ndim", "size", "dtype", "itemsize", "nbytes", "strides", "flags", "device"}
_DELEGATED = {  # method name -> NumPy function that takes the array first
    name: getattr(np, name)
    for name in [
        "sum",
        "prod",
        "mean",
        "std",
        "var",
        "max",
        "min",
        "argmax",
        "argmin",
        "argsort",
        "cumsum",
        "cumprod",
        "all",
        "any",
        "clip",
        "dot",
        "trace",
        "diagonal",
        "repeat",
        "take",
        "searchsorted",
        "transpose",
        "ravel",
        "swapaxes",
        "squeeze",
        "nonzero",
        "choose",
        "compress",
    ]
}
_REFUSED = {
    "tobytes": TraceReason.CONVERSION,
    "tofile": TraceReason.EFFECT,
    "dump": TraceReason.EFFECT,
    "dumps": TraceReason.CONVERSION,
    "data": TraceReason.CONVERSION,
    "ctypes": TraceReason.CONVERSION,
    "resize": TraceReason.UNSUPPORTED,
    "byteswap": TraceReason.UNSUPPORTED,
    "setflags": TraceReason.UNSUPPORTED,
    "getfield": TraceReason.UNSUPPORTED,
    "hex": TraceReason.STRING,
    "as_integer_ratio": TraceReason.CONVERSION,
    "bit_length": TraceReason.CONVERSION,
    "partition": TraceReason.UNSUPPORTED,
    "argpartition": TraceReason.UNSUPPORTED,
}


def attribute(value, name):
    """``value.name``: AttributeError where NumPy or Python has none."""
    witness = value._w
    if name.startswith("__") or not hasattr(type(witness), name):
        raise AttributeError(f"'{type(witness).__name__}' object has no attribute '{name}'")
    if name in _FROM_WITNESS:
        return getattr(witness, name)
    if name in ("real", "imag"):
        return _part(value, name)
    if name == "flat":
        return value.ravel()
    if name in ("T", "mT"):
        from .functions import call_numpy

        return call_numpy(np.transpose if name == "T" else np.matrix_transpose, (value,), {})
    own = _OWN.get(name)
    if own is not None:
        return lambda *args, **kwargs: own(value, *args, **kwargs)
    function = _DELEGATED.get(name)
    if function is not None:
        from .functions import call_numpy

        return lambda *args, **kwargs: call_numpy(function, (value, *args), kwargs)
    if not traced(value):
        found = getattr(witness, name)
        return found if not callable(found) else lambda *a, **k: wrap_constant(found(*plain(a), **plain(k)))
    refuse(_REFUSED.get(name, TraceReason.NUMPY_FUNCTION), f".{name}")


def _part(value, name):
    witness = getattr(value._w, name)
    if np.asarray(value._w).dtype.kind != "c":
        if name == "real":
            return value
        return wrap_constant(np.array(witness)) if isinstance(witness, np.ndarray) else witness
    readonly = (TraceReason.UNSUPPORTED, f"a write into .{name} of a complex array")
    if not traced(value):
        return wrap_constant(np.array(witness)) if isinstance(witness, np.ndarray) else witness
    from jax import lax

    emit = lax.real if name == "real" else lax.imag
    number = current().add(emit, (ref(value),), np.shape(witness), np.asarray(witness).dtype, True)
    return wrap(number, witness, readonly)


def copy_value(value):
    return creation.copy_array(value) if value.__class__ is np.ndarray else value


def as_array_value(value):
    return creation.array_value(value)


def round_value(value, ndigits):
    """``round(x)`` and ``round(x, n)``."""
    if not python_number(value):
        from .functions import call_numpy

        result = call_numpy(np.round, (value, ndigits or 0), {})
        return to_int(result, "trunc") if ndigits is None and np.asarray(value._w).dtype.kind == "f" else result
    if type(value._w) in (int, bool):
        return value
    if ndigits is None:
        return to_int(value, "rint")
    if ndigits == 0:
        number = current().add(
            lambda x: structural.lax.round(x, structural.lax.RoundingMethod.TO_NEAREST_EVEN),
            (ref(value),), (), np.dtype("f8"), True,
        )  # fmt: skip
        return Scalar(number, float(np.rint(value._w)))
    refuse(TraceReason.UNSUPPORTED, "round(x, n) of a Python float", "use np.round")


_ROUND = {"trunc": np.trunc, "floor": np.floor, "ceil": np.ceil, "rint": np.rint}


def to_int(value, how="trunc"):
    """Python int of a one-element value."""
    from . import ufuncs

    witness = np.asarray(value._w)
    if witness.size != 1:
        int(value._w)
    if witness.dtype.kind == "c":
        raise TypeError("int() argument must be a real number, not 'complex'")
    whole = value
    if witness.dtype.kind == "f":
        if handles_exceptions() and not bool(ufuncs.apply(np.isfinite, (_scalar(value),))):
            error = ValueError("cannot convert float NaN to integer")
            current().implicit = error
            raise error
        whole = ufuncs.apply(_ROUND[how], (_scalar(value),))
    rounded = np.asarray(plain(whole)).reshape(())[()]
    exact = int(rounded) if np.isfinite(rounded) else 0
    return creation.python_scalar(whole, np.dtype("i8"), exact)


def _scalar(value):
    return value if np.ndim(value._w) == 0 else value.reshape(())


def _item(value, *index):
    if index:
        value = value[index if len(index) > 1 else np.unravel_index(index[0], np.shape(value._w))]
        if not issubclass(type(value), Dual):
            return value.item()
    item = value._w.item()
    if not traced(value):
        return item
    return creation.python_scalar(value, np.asarray(item).dtype, item)


def _tolist(value):
    if value.__class__ is not np.ndarray or value._w.ndim == 0:
        return _item(value)
    return [_tolist(v) if issubclass(type(v), Dual) else plain(v).tolist() for v in value]


def _reshape(value, *shape, **keywords):
    from .functions import call_numpy

    if value.__class__ is not np.ndarray:
        value = creation.array_value(value)
    return call_numpy(np.reshape, (value, shape[0] if len(shape) == 1 else shape), keywords)


def _transpose(value, *axes):
    from .functions import call_numpy

    axes = axes[0] if len(axes) == 1 else axes or None
    return call_numpy(np.transpose, (value, axes), {})


def _flatten(value, order="C"):
    from .functions import call_numpy

    return creation.copy_array(call_numpy(np.ravel, (value,), {"order": order}))


def _fill(array, value):
    array[...] = value


def _sort(array, axis=-1, kind=None, order=None, stable=None):
    from .functions import call_numpy

    array[...] = call_numpy(np.sort, (array,), {"axis": axis})


def _put(array, indices, values, mode="raise"):
    from .functions import call_numpy

    call_numpy(np.put, (array, indices, values), {})


def _view(value, dtype=None, type=None):
    if (dtype is None and type is None) or plain(dtype) == value._w.dtype or plain(dtype) is np.ndarray:
        return value[...]
    refuse(TraceReason.UNSUPPORTED, "view() as another type", "use astype")


def _round(value, decimals=0, out=None):
    from .functions import call_numpy

    return call_numpy(np.round, (value, decimals), {} if out is None else {"out": out})


def _conjugate(value):
    from . import ufuncs

    if python_number(value):
        return ufuncs.apply(np.conjugate, (value,), lambda w: w.conjugate())
    return ufuncs.apply(np.conjugate, (value,))


def _is_integer(value):
    from . import ufuncs

    rounded = ufuncs.apply(np.rint, (value,)) if type(value._w) is not int else value
    return ufuncs.apply(np.equal, (rounded, value), lambda a, b: bool(a == b))


_OWN = {
    "astype": creation.astype,
    "copy": creation.copy_array,
    "item": _item,
    "tolist": _tolist,
    "reshape": _reshape,
    "transpose": _transpose,
    "flatten": _flatten,
    "fill": _fill,
    "sort": _sort,
    "put": _put,
    "view": _view,
    "round": _round,
    "conj": _conjugate,
    "conjugate": _conjugate,
    "is_integer": _is_integer,
}
