"""Ufuncs on duals: the witness by NumPy itself, the node by the emitters, loop types by NumPy's rules."""

from __future__ import annotations

import functools

import numpy as np

from . import emitters, structural
from .errors import TraceReason
from .frames import handles_exceptions
from .tape import current, refuse
from .values import (
    PYTHON_DTYPES,
    CapturedInteger,
    Dual,
    any_traced,
    has_dual,
    plain,
    python_number,
    ref,
    traced,
    wrap,
    wrap_constant,
)

_RELATIONS = {
    np.less: frozenset("<"),
    np.less_equal: frozenset("<="),
    np.greater: frozenset(">"),
    np.greater_equal: frozenset(">="),
    np.equal: frozenset("="),
    np.not_equal: frozenset("<>u"),
}


def _token(value):
    """What NumPy's promotion sees: a dtype, or a Python type (weak)."""
    witness = value._w if issubclass(type(value), Dual) else value
    kind = type(witness)
    if kind in PYTHON_DTYPES:
        return kind if kind is not bool else PYTHON_DTYPES[bool]
    return np.asarray(witness).dtype


@functools.lru_cache(4096)
def loop_dtypes(ufunc, tokens, python):
    """Input and output types of NumPy's loop for these operands."""
    if python:  # all operands are Python numbers: there is nothing weak about them
        strong = tuple(PYTHON_DTYPES.get(t, t) for t in tokens)
        if ufunc.__name__ not in ("bitwise_and", "bitwise_or", "bitwise_xor", "logical_not", *_COMPARISONS):
            strong = tuple(np.dtype("i8") if t == np.bool_ else t for t in strong)
        tokens = strong
    return ufunc.resolve_dtypes((*tokens, *((None,) * ufunc.nout)))


_COMPARISONS = tuple(u.__name__ for u in _RELATIONS)


def apply(ufunc, operands, witness=None, kwargs=None):
    """The ufunc on operands that are duals, plain numbers or arrays.

    ``witness`` computes the witness from the plain operands (default: the ufunc itself); for Python
    numbers it is Python's own operator.
    """
    operands = [_operand(v) for v in operands]
    if any(type(v) is CapturedInteger for v in operands):
        operands = _with_integers(ufunc, operands)
    values = [plain(v) for v in operands]
    result = _witness(ufunc, values, witness or ufunc, kwargs, operands)
    if not any(map(traced, operands)):
        return wrap_constant(result)
    python = all(map(python_number, operands))
    if python:
        _check_python(ufunc, result)
    dtypes = loop_dtypes(ufunc, tuple(map(_token, operands)), python)
    if any(d.kind not in "biufc" for d in dtypes):
        refuse(TraceReason.DTYPE, f"{ufunc.__name__} on {', '.join(str(d) for d in dtypes[: ufunc.nin])}")
    return record(ufunc, operands, dtypes, result)


_SAFE_FOR_INTEGERS = (np.add, np.subtract, np.multiply, np.divide)


def _with_integers(ufunc, operands):
    """Captured ints as plain scalars where they meet floats in arithmetic that cannot overflow."""
    floats = any(np.asarray(plain(v)).dtype.kind in "fc" for v in operands)
    if (ufunc in _SAFE_FOR_INTEGERS and floats) or ufunc is np.divide:
        return [v.scalar() if type(v) is CapturedInteger else v for v in operands]
    return operands  # recording them refuses


def _check_python(ufunc, result):
    """Python integers have no bound, and Python powers raise where NumPy's do not."""
    if type(result) is int and abs(result) > 2**62:
        refuse(TraceReason.DTYPE, "a Python int beyond 64 bits", "use floats")
    if ufunc.__name__ in ("power", "float_power") and handles_exceptions():
        refuse(TraceReason.UNSUPPORTED, "a power of Python numbers whose exceptions may be caught", "use np.power")


def _operand(value):
    if issubclass(type(value), (list, tuple)):
        from .creation import array_value

        return array_value(value) if has_dual(value) else np.asarray(plain(value))
    shim = getattr(type(value), "shim_original", None)
    return value if shim is None else value.shim_original


def _witness(ufunc, values, compute, kwargs, operands):
    try:
        return compute(*values, **(kwargs or {}))
    except (ZeroDivisionError, OverflowError, ValueError) as error:
        if not any(map(traced, operands)) or not all(map(python_number, values)):
            raise
        if isinstance(error, ValueError):
            raise
        loose = ufunc(*(np.float64(v) if isinstance(v, (int, float)) else v for v in values))
        return tuple(v.item() for v in loose) if isinstance(loose, tuple) else loose.item()


def record(ufunc, operands, dtypes, result):
    """Node and dual of one ufunc call whose witness is ``result``."""
    name, nin = ufunc.__name__, ufunc.nin
    ins = tuple(ref(v) for v in operands)
    loop_in, loop_out = dtypes[:nin], dtypes[nin:]
    general = emitters.GENERAL.get(name)
    found = (general, False) if general else emitters.emitter(name, loop_in[0].kind)
    if found is None:
        from .shims.scipy import special_emitter

        found = special_emitter(ufunc)
        if found is None:
            refuse(TraceReason.NUMPY_FUNCTION, f"ufunc {name}")
    function, safe = found
    if name == "power" and loop_in[0].kind in "iu" and traced(operands[1]):
        refuse(TraceReason.UNSUPPORTED, "an integer to a computed integer power", "use floats")
    shape = np.shape(result[0] if isinstance(result, tuple) else result)
    recorder = current()
    key = (name, ins, loop_in)

    def emit(*xs):
        xs = [structural.cast(x, d) for x, d in zip(xs, loop_in, strict=True)]
        if general is None:
            xs = [structural.broadcast(x, shape) for x in xs]
        return function(*xs)

    if ufunc.nout == 1:
        number = recorder.add(
            emit, ins, shape, loop_out[0] if type(result) in PYTHON_DTYPES else _dt(result), safe, key
        )
        truth = _RELATIONS.get(ufunc)
        if truth is not None and shape == ():
            recorder.note_comparison(number, *ins, truth, all(d.kind in "iub" for d in loop_in))
        return wrap(number, result)
    pair = recorder.add(emit, ins, None, None, safe, key)
    return tuple(project(pair, i, w) for i, w in enumerate(result))


def project(pair, i, witness):
    """Dual of one output of a node with several."""
    number = current().add(lambda t: t[i], (pair,), np.shape(witness), _dt(witness), True, ("out", pair, i))
    return wrap(number, witness)


def _dt(value):
    return np.asarray(value).dtype


# -- Python's operators ---------------------------------------------------------------------------------


def divide_python(ufunc, operands, operator):
    """Division of Python numbers: by zero it raises, which matters where the code catches it."""
    raising = all(map(python_number, operands)) and traced(operands[1]) and handles_exceptions()
    if raising and bool(apply(np.equal, (operands[1], 0))):
        error = ZeroDivisionError("division by zero")
        current().implicit = error
        raise error
    return apply(ufunc, operands, operator)


# -- ufunc methods and keywords ---------------------------------------------------------------------------


def call_method(ufunc, method, args, kwargs):
    """``ufunc(...)``, ``ufunc.reduce(...)`` and so on, with duals anywhere among the arguments."""
    kwargs = {k: v for k, v in kwargs.items() if v is not None or k not in ("out", "dtype", "where")}
    if method == "__call__":
        return _call(ufunc, args, kwargs)
    from .ufunc_methods import ufunc_method

    return ufunc_method(ufunc, method, args, kwargs)


def _call(ufunc, args, kwargs):
    out = kwargs.pop("out", None)
    if len(args) > ufunc.nin:
        out, args = args[ufunc.nin :], args[: ufunc.nin]
    out = out if out is None or isinstance(out, tuple) else (out,)
    where, dtype = kwargs.pop("where", True), plain(kwargs.pop("dtype", None))
    casting = kwargs.pop("casting", "same_kind")
    if (any_traced(args) and set(kwargs) - {"order", "subok", "axes", "axis", "keepdims"}) or "axes" in kwargs:
        refuse(TraceReason.UNSUPPORTED, f"{ufunc.__name__} with {', '.join(sorted(kwargs))}")
    if dtype is not None:
        dtype = np.dtype(dtype)
        args = tuple(_cast_operand(a, dtype, casting, ufunc) for a in args)
    result = apply(ufunc, args)
    if out is None or all(o is None for o in out):
        if where is not True and not (type(where) in (bool, np.bool_) and where):
            refuse(TraceReason.UNSUPPORTED, f"{ufunc.__name__}(where=...) without out=", "use np.where")
        return result
    results = result if ufunc.nout > 1 else (result,)
    for target, value in zip(out, results, strict=True):
        if target is None:
            continue
        store_out(target, value, where, casting)
    return out[0] if ufunc.nout == 1 else tuple(o if o is not None else r for o, r in zip(out, results, strict=True))


def _cast_operand(value, dtype, casting, ufunc):
    from .creation import array_value

    value = array_value(value)
    if ufunc.__name__ in _COMPARISONS:
        return value
    if not np.can_cast(value.dtype, dtype, casting):
        raise TypeError(f"Cannot cast ufunc '{ufunc.__name__}' input from {value.dtype!r} to {dtype!r}")
    return value.astype(dtype)


def store_out(target, value, where=True, casting="same_kind"):
    """Write a result into ``out=``, under a mask if given, with NumPy's casting check."""
    if not issubclass(type(target), Dual):
        refuse(TraceReason.OUTSIDE_WRITE, "out= is an array from outside")
    have = value.dtype if issubclass(type(value), Dual) else np.asarray(value).dtype
    if not np.can_cast(have, target._w.dtype, casting):
        raise TypeError(f"Cannot cast ufunc output from {have!r} to {target._w.dtype!r} with rule {casting!r}")
    if where is True:
        target[...] = value
    else:
        from .functions import call_numpy

        target[...] = call_numpy(np.where, (where, value, target), {})


def in_place(ufunc, target, other, operator):
    """``target op= other`` for an array: same loop, result written back."""
    result = apply(ufunc, (target, other), operator)
    if not np.can_cast(_token(result), target._w.dtype, "same_kind"):
        operator(target._w.copy(), plain(other))  # NumPy's own error
        raise TypeError(f"Cannot cast {_token(result)} to {target._w.dtype} in place")
    if np.shape(plain(result)) != target._w.shape:
        raise ValueError(f"non-broadcastable output operand with shape {target._w.shape}")
    target[...] = result
    return target
