"""NumPy functions (not ufuncs) on duals: one driver, a table of facts, and a few by hand.

The driver computes the witness with NumPy itself and records the `jnp` function of the same name;
the tape then checks shape and dtype when the node is written in JAX.
"""

from __future__ import annotations

import functools
import inspect

import jax.numpy as jnp
import numpy as np

from . import structural
from .creation import array_value
from .errors import TraceReason
from .frames import handles_exceptions
from .function_table import ARRAYS, BY_HAND, DYNAMIC, EFFECTS, INSPECTORS, PROMOTING, SEQUENCES, VIEWS
from .tape import current, refuse
from .ufuncs import project, store_out
from .values import Dual, any_traced, has_dual, plain, ref, traced, wrap, wrap_constant

_DROPPED = {"order", "subok", "like", "casting", "kind", "stable", "overwrite_input", "optimize", "copy"}


class _Slot:
    """Place of a traced value among the arguments of the JAX function."""

    __slots__ = ("number", "promote")

    def __init__(self, number, promote):
        self.number, self.promote = number, promote


@functools.lru_cache(1024)
def signature(function):
    """Signature of a NumPy function, or None."""
    try:
        return inspect.signature(function)
    except (ValueError, TypeError):
        return None


def qualified(function):
    """Name of a NumPy function under ``numpy``: ``sum``, ``linalg.solve``, ``fft.fft``."""
    module = getattr(function, "__module__", None) or "numpy"
    name = getattr(function, "__name__", "?")
    space, prefix = np, ""
    for part in ("linalg", "fft"):
        if part in module.split("."):
            space, prefix = getattr(np, part), f"{part}."
    if getattr(space, name, None) is function:
        return prefix + name
    return f"{module.removeprefix('numpy.')}.{name}"


def jax_function(name):
    """The `jnp` function of a NumPy name, or None."""
    found = jnp
    for part in name.split("."):
        found = getattr(found, part, None)
    return found


def call_numpy(function, args, kwargs):
    """A NumPy function on arguments that may hold duals."""
    name = qualified(function)
    if name in EFFECTS:
        refuse(TraceReason.EFFECT, f"np.{name}")
    if isinstance(function, np.ufunc):
        from .ufuncs import call_method

        return call_method(function, "__call__", args, kwargs)
    hand = BY_HAND.get(name)
    if hand is not None:
        return hand(function, *args, **kwargs)
    if name in INSPECTORS:
        return function(*plain(args), **plain(kwargs))
    out = kwargs.get("out")
    if out is not None:
        kwargs = {k: v for k, v in kwargs.items() if k != "out"}
        store_out(out, call_numpy(function, args, kwargs))
        return out
    if name in VIEWS and args and issubclass(type(args[0]), Dual):
        return view_function(function, name, args, kwargs)
    if not any_traced(args) and not any_traced(kwargs):
        return wrap_constant(function(*plain(args), **plain(kwargs)))
    if name in DYNAMIC:
        refuse(TraceReason.SHAPE, f"np.{name}", "use np.where or a fixed size")
    if name not in ARRAYS:
        refuse(TraceReason.NUMPY_FUNCTION, f"np.{name}")
    return record(function, name, jax_function(name), args, kwargs)


def _values(function, args, kwargs):
    """Arguments by name, and the names of the leading array arguments."""
    found = signature(function)
    if found is None:
        refuse(TraceReason.NUMPY_FUNCTION, f"np.{function.__name__}")
    bound = found.bind(*args, **kwargs)
    given = dict(bound.arguments)
    for name, parameter in found.parameters.items():
        if parameter.kind is parameter.VAR_KEYWORD:
            given.update(given.pop(name, {}))
    return given, found


def record(function, name, emit, args, kwargs):
    """Witness and node of a NumPy function with a JAX counterpart ``emit``."""
    if emit is None:
        refuse(TraceReason.NUMPY_FUNCTION, f"np.{name}")
    given, found = _values(function, args, kwargs)
    arrays = ARRAYS.get(name) or (next(iter(found.parameters)),)
    if name.startswith("registered."):
        arrays = tuple(k for k, v in given.items() if has_dual(v))
    for key in arrays:
        if key in given and given[key] is not None:
            given[key] = _converted(name, key, given[key])
    for key, value in given.items():
        if key not in arrays and any_traced(value):
            refuse(TraceReason.INDEX, f"np.{name} with computed {key}")
    call_args, call_kwargs = _layout(found, given)
    with np.errstate(all="ignore"):
        try:
            witness = function(*plain(call_args), **plain(call_kwargs))
        except np.linalg.LinAlgError:
            witness = _failed(function, given, found)
    result = emit_node(name, emit, given, arrays, found, witness)
    if name.rpartition(".")[2] in ("solve", "inv", "cholesky") and handles_exceptions():
        _raise_if_singular(result)
    return result


def _failed(function, given, found):
    """Witness where LAPACK fails on the witness: NaN of the shape that a good matrix gives."""

    def tame(value):
        array = np.asarray(plain(value))
        return np.eye(array.shape[-2], array.shape[-1]) + 0 * np.nan_to_num(array) if array.ndim > 1 else array

    args, kwargs = _layout(found, {k: tame(v) if i == 0 else plain(v) for i, (k, v) in enumerate(given.items())})
    result = function(*args, **kwargs)
    if isinstance(result, tuple):
        return (
            type(result)(*(w * np.nan for w in result))
            if hasattr(result, "_make")
            else tuple(w * np.nan for w in result)
        )
    return result * np.nan


def _raise_if_singular(result):
    """Where the code catches LinAlgError, a result that is not a number is a branch."""
    if bool(call_numpy(np.any, (call_numpy(np.isnan, (result,), {}) | call_numpy(np.isinf, (result,), {}),), {})):
        error = np.linalg.LinAlgError("Singular matrix")
        current().implicit = error
        raise error


def _converted(name, key, value):
    if key in SEQUENCES.get(name, ()):
        if issubclass(type(value), Dual):
            return list(value)
        return [_part(v) for v in value]
    return array_value(value)


def _part(value):
    if issubclass(type(value), (list, tuple)) and not issubclass(type(value), Dual):
        return array_value(value) if any_traced(value) else np.asarray(plain(value))
    return value


def _layout(found, given):
    args, kwargs = [], {}
    varied = any(p.kind is p.VAR_POSITIONAL for p in found.parameters.values())
    for name, parameter in found.parameters.items():
        if name not in given:
            continue
        if parameter.kind is parameter.VAR_POSITIONAL:
            args.extend(given[name])
        elif parameter.kind is parameter.POSITIONAL_ONLY or (varied and parameter.kind is not parameter.KEYWORD_ONLY):
            args.append(given[name])
        else:
            kwargs[name] = given[name]
    return args, {**kwargs, **{k: v for k, v in given.items() if k not in found.parameters}}


def emit_node(name, emit, given, arrays, found, witness):
    """Record ``emit`` on the traced values among ``given``."""
    ins = []

    def slot(value, promote=True):
        if issubclass(type(value), Dual):
            if traced(value):
                ins.append(ref(value))
                return _Slot(len(ins) - 1, promote)
            return plain(value).copy()
        if type(value) in (list, tuple):
            return type(value)(slot(v, promote) for v in value)
        if isinstance(value, np.ndarray):
            return value.copy()
        return plain(value)

    positional, keywords = [], {}
    order = list(found.parameters)
    for key, value in given.items():
        parameter = found.parameters.get(key)
        leading = key in arrays and order.index(key) == len(positional)
        if key in _DROPPED or (key == "dtype"):
            continue
        if parameter is not None and parameter.kind is parameter.VAR_POSITIONAL:
            positional.extend(slot(v) for v in value)
        elif leading or (parameter is not None and parameter.kind is parameter.POSITIONAL_ONLY):
            positional.append(slot(value))
        else:
            keywords[key] = slot(value, key != "where")
    target = _promotion(name, witness)

    def fill(value, xs):
        kind = type(value)
        if kind is _Slot:
            return _promote(xs[value.number], target) if value.promote else xs[value.number]
        if kind in (list, tuple):
            return kind(fill(v, xs) for v in value)
        return _promote(value, target) if kind is np.ndarray else value

    def run(*xs):
        return emit(
            *fill(positional, xs),
            **{k: v if k == "where" and type(v) is not _Slot else fill(v, xs) for k, v in keywords.items()},
        )

    return result_of(run, tuple(ins), witness)


def _promotion(name, witness):
    if name not in PROMOTING or isinstance(witness, (tuple, list)):
        return None
    return np.asarray(witness).dtype


def _promote(x, target):
    if target is None or (x.dtype == np.bool_ and target.kind == "b"):
        return x
    if np.can_cast(x.dtype, target, "safe") and x.dtype != structural.canonical(target):
        return structural.cast(x, target)
    return x


def result_of(run, ins, witness, readonly=None):
    """Node and duals of a function whose witness is an array, a number, or a sequence of them."""
    recorder = current()
    if isinstance(witness, (tuple, list)):
        whole = recorder.add(run, ins, None, None, False)
        duals = [project(whole, i, w) for i, w in enumerate(witness)]
        if hasattr(type(witness), "_make"):
            return type(witness)(*duals)
        return type(witness)(duals)
    array = np.asarray(witness)
    if array.dtype.kind not in "biufc":
        refuse(TraceReason.DTYPE, f"a result of dtype {array.dtype}")
    return wrap(recorder.add(run, ins, array.shape, array.dtype, False), witness, readonly)


def view_function(function, name, args, kwargs):
    """Functions that return views where NumPy can (reshape, transpose, split, ...)."""
    array, rest = array_value(args[0]), plain(args[1:])
    if any_traced(args[1:]) or any_traced(kwargs):
        refuse(TraceReason.INDEX, f"np.{name} with a computed argument")
    options = plain({k: v for k, v in kwargs.items() if v is not None})
    emit = jax_function(name)
    jax_options = {k: v for k, v in options.items() if k not in ("copy", "subok", "writeable")}
    if name in ("reshape", "ravel") and options.get("order") in ("K", "A"):
        jax_options["order"] = "C"

    def on_numpy(a):
        return function(a, *rest, **options)

    def on_jax(x):
        return emit(x, *rest, **jax_options)

    witness = on_numpy(array._w)

    def one(w, pick):
        # the shape comes from the arguments, so it is fixed when tracing
        step = structural.Step(lambda a: pick(on_numpy(a)), lambda x: pick(on_jax(x)), None)
        if np.may_share_memory(w, array._buffer.w):
            return array.derived(step, w)
        if array.const:
            return wrap_constant(w)
        return wrap(structural.step_node(step, array.node(), w), w)

    if isinstance(witness, (list, tuple)):
        return type(witness)(one(w, lambda t, i=i: t[i]) for i, w in enumerate(witness))
    return one(witness, lambda t: t)
