"""Calls of solvers inside a traced function: registered functions that take the user's functions.

`solve_ivp(rhs, ...)`, `quad`, `root`, `minimize`, `curve_fit` become one node of the tape: its witness is
SciPy's own result, with the user's function evaluated by NumPy; in JAX it is our function, given the
recorded piece of tape (`nested_code`) for the user's function and what that reads as captured values.
"""

from __future__ import annotations

import contextlib
import copy
import functools
import inspect
import types
import warnings

import jax
import numpy as np

from . import inputs, merge, structural
from .creation import array_value
from .errors import _HERE, TraceError, TraceReason, error_at, user_frame
from .frames import outside_writes
from .nested_code import Code, NestedFunction, boundary, on_numpy
from .nested_results import Result
from .shims.blocked import Blocked
from .tape import Unmergeable, current, refuse
from .values import Dual, any_traced, has_dual, plain, ref, traced, wrap_constant

# How well our solver and SciPy's agree where both are stopped by their default tolerances: BFGS stops at a gradient
# of 1e-5, which SciPy computes by differences; the others converge superlinearly or take the same steps.
TOLERANCE, _TOLERANCES = 1e-6, {"minimize": 1e-4, "curve_fit": 1e-5, "least_squares": 1e-5, "leastsq": 1e-5}
_SPREAD = ("solve_ivp", "least_squares")  # their args= may be any sequence
_LARGE = 1000


def takes_functions(args, kwargs):
    """Whether any argument is a function of the clone's world."""
    return any(map(_is_function, (*args, *kwargs.values())))


def _is_function(value):
    kind = type(value)
    return callable(value) and not issubclass(kind, (Dual, Blocked)) and not isinstance(value, type)


def call(own, args, kwargs):
    """A call of the registered function ``own`` with functions among its arguments."""
    bridge = own.__sci__
    bound = bridge.signature.bind(*args, **kwargs)
    bound, extra, named = _without_extras(bridge, bound)
    short = bridge.name.rpartition(".")[2]
    functions = {k: v for k, v in bound.arguments.items() if _is_function(v)}
    examples = _examples(bridge, bound, functions)
    recorder = current()
    recorder.tolerance = max(recorder.tolerance, _TOLERANCES.get(short, TOLERANCE))
    pair = plain(bound.arguments.get("jac")) is True
    codes = {}
    for name, function in functions.items():
        bind = functools.partial(_result, function, extra, named, pair and name == "fun", f"{short}({name}=...)")
        codes[name] = _record(recorder, bind, function, examples[name])
    witness = _witness(bridge, bound, {k: _signed(on_numpy(recorder, c), functions[k]) for k, c in codes.items()})
    if not any_traced(bound.arguments) and not any(c.captured for c in codes.values()):
        return wrap_constant(witness)
    ins, template = [], {}
    for name, value in bound.arguments.items():
        template[name] = _template(ins, value) if name not in codes else None
    split = len(ins)
    for code in codes.values():
        ins += code.captured
    place = user_frame(2)

    def run(*values):
        given, rest = {k: _fill(v, values[:split]) for k, v in template.items()}, list(values[split:])
        for name, code in codes.items():
            leaves, rest = rest[: len(code.captured)], rest[len(code.captured) :]
            given[name] = NestedFunction(code, leaves)
        return _in_jax(bridge, bound, given, place)

    node = recorder.add(run, tuple(ins), None, None, False)
    asked = bound.arguments.get("t_eval") is not None
    return Result(node, bridge.name, asked).present(witness)


# -- arguments ------------------------------------------------------------------------------------------


def _without_extras(bridge, bound):
    """The bound call without ``args`` (and ``kwargs``), which the recorded functions have built in."""
    given = bound.arguments
    short = bridge.name.rpartition(".")[2]
    extra, named = (), {}
    if given.get("args") is not None:
        extra = given["args"]
        spread = short in _SPREAD and not isinstance(plain(extra), (int, float, complex))
        extra = tuple(extra) if issubclass(type(extra), tuple) or spread else (extra,)
    kind = bound.signature.parameters.get("kwargs")
    if kind is not None and kind.kind is not kind.VAR_KEYWORD:
        named = dict(given.get("kwargs") or {})
        given.pop("kwargs", None)
    given.pop("args", None)
    for name, value in given.items():
        if issubclass(type(value), Blocked):
            value._use()
        # what the bridge takes as one array must be one in JAX; t_span and bounds stay pairs
        if name in bridge.rules and name not in bridge.trees and issubclass(type(value), (list, tuple)):
            given[name] = array_value(value) if has_dual(value) else value
    return bound, extra, named


class _Slot:
    __slots__ = ("number",)

    def __init__(self, number):
        self.number = number


def _template(ins, value):
    """The argument with places for its traced parts, whose nodes are appended to ``ins``."""
    kind = type(value)
    if issubclass(kind, Dual):
        if traced(value):
            ins.append(ref(value))
            return _Slot(len(ins) - 1)
        return np.array(plain(value)) if isinstance(plain(value), np.ndarray) else plain(value)
    if issubclass(kind, dict):
        return {k: _template(ins, v) for k, v in value.items()}
    if issubclass(kind, (list, tuple)):
        return (list if issubclass(kind, list) else tuple)(_template(ins, v) for v in value)
    return plain(value)


def _fill(value, xs):
    kind = type(value)
    if kind is _Slot:
        x = structural.as_jax(xs[value.number])
        double = {"f": np.float64, "c": np.complex128}.get(np.dtype(x.dtype).kind)
        return x if double is None else structural.cast(x, double)  # SciPy computes in double
    if kind is dict:
        return {k: _fill(v, xs) for k, v in value.items()}
    return kind(_fill(v, xs) for v in value) if kind in (list, tuple) else value


def _bound_with(bound, given):
    fresh = copy.copy(bound)
    fresh.arguments = {k: given.get(k, v) for k, v in bound.arguments.items()}
    return fresh


def _witness(bridge, bound, functions):
    """What SciPy itself returns on the witness."""
    ours = {k: v for k, v in bound.arguments.items() if k not in bridge.extra_names}
    ready = _bound_with(bound, {k: functions[k] if k in functions else plain(v) for k, v in ours.items()})
    ready.arguments = {k: v for k, v in ready.arguments.items() if k not in bridge.extra_names}
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        return bridge.original(*ready.args, **ready.kwargs)


# -- the registered function in JAX -----------------------------------------------------------------------


class _Place:
    """Stands for a function while the bridge says at which example arguments it is to be recorded."""

    __module__ = "user"

    def __init__(self, name):
        self.parameter, self.__name__ = name, name

    def __call__(self, *args):
        raise TypeError("not to be called")


def _prepared(bridge, bound):
    """The bridge's call in the JAX world, its arrays converted, its functions untouched."""
    from sci.bridge.implements import Call

    call = Call()
    bridge.bind(bound.args, bound.kwargs, call)
    call.args, call.kwargs, call.numpy = bound.args, bound.kwargs, False
    bridge._prepared(call)
    for name in bridge.dynamic:
        if name not in bridge.callables:
            call[name] = bridge._converted(name, call[name], False)
    return call


def _examples(bridge, bound, functions):
    """Example arguments of every function, by the name of its parameter."""
    from sci.bridge.reasons import HostRoute

    places = {k: _signed(_Place(k), v) for k, v in functions.items()}
    ready = _bound_with(bound, {k: places.get(k, plain(v)) for k, v in bound.arguments.items()})
    try:
        with jax.enable_x64(True), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            made = _prepared(bridge, ready)
            found = {
                made[name].parameter: [_example(v) for v in maker(made)]
                for name, maker in bridge.callables.items()
                if isinstance(made[name], _Place)
            }
    except HostRoute as route:
        detail = f"{bridge.name}: {route.reason.value}" + (f" ({route.detail})" if route.detail else "")
        refuse(TraceReason.LIBRARY, detail)
    for name in functions:
        if name not in found:
            refuse(TraceReason.LIBRARY, f"{bridge.name} with a function as {name}")
    return found


def _example(value):
    if isinstance(value, (float, complex)):
        return "f", value
    array = np.asarray(value)
    if array.dtype.kind not in "fc":
        array = array.astype(np.float64)
    array = array.astype(np.result_type(array.dtype, np.float64))
    return ("s", array[()]) if array.ndim == 0 else ("a", array)


def _in_jax(bridge, bound, given, place):
    """Result of the registered function on JAX values."""
    from sci.bridge.implements import freeze
    from sci.bridge.reasons import HostRoute

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            call = _prepared(bridge, _bound_with(bound, given))
            if bridge.validate is not None:
                bridge.validate(call)
            compiled = bridge._compile(tuple([freeze(call[name]) for name in bridge.static]))
            result = compiled(*[call[name] for name in bridge.dynamic])
            return result if bridge.finish_jax is None else bridge.finish_jax(call, result)
    except TraceError:
        raise
    except HostRoute as route:
        raise error_at(place, TraceReason.LIBRARY, f"{bridge.name}: {route.reason.value} ({route.detail})") from None
    except Exception as error:
        text = f"{bridge.name}: {type(error).__name__}: {error}"
        raise error_at(place, TraceReason.LIBRARY, text[:300]) from error


# -- recording the user's function ---------------------------------------------------------------------


def _record(recorder, bind, function, example):
    """The function as a piece of the tape, at the example arguments."""
    what = bind.args[-1]
    watched = {}
    _mutables(function, watched, what)
    start, memo = len(recorder.nodes), dict(recorder.memo)
    duals = [inputs.dual_input(recorder, kind, np.asarray(value), inputs.ARGUMENT) for kind, value in example]
    numbers = [ref(d) for d in duals]
    try:
        result = merge.merged_result(bind, duals)
    except Unmergeable as stop:
        if isinstance(stop.__cause__, Exception):
            error = stop.__cause__
            refuse(TraceReason.RAISES, f"{what}: {type(error).__name__}: {error}"[:300], "return np.nan there")
        refuse(*(stop.args or (TraceReason.STRUCTURE, what)))
    finally:
        recorder.memo = memo  # what was computed for the function's arguments means nothing elsewhere
    for value, before in watched.values():
        after = _contents(value)
        if len(after) != len(before) or any(a is not b for a, b in zip(after, before, strict=True)):
            refuse(TraceReason.OUTSIDE_WRITE, f"{what} changes a {type(value).__name__} from outside")
    parts, treedef = jax.tree_util.tree_flatten(result, is_leaf=lambda v: type(v) is not tuple)
    outputs = [ref(v) for v in parts]
    dtypes = [np.asarray(plain(v)).dtype for v in parts]
    captured = boundary(recorder.nodes, outputs, start, set(numbers))
    return Code(what, recorder.nodes, numbers, outputs, dtypes, treedef, captured)


def _result(function, extra, named, pair, what, *args):
    """What the function returns, as an array or a number, or as a pair of them."""
    result = function(*args, *extra, **named)
    if pair and type(result) is tuple:
        return tuple(_number(v, what) for v in result)
    return _number(result, what)


def _number(value, what):
    if issubclass(type(value), (list, tuple)):
        value = array_value(value)
    witness = plain(value)
    if witness is None or np.asarray(witness).dtype.kind not in "biufc":
        refuse(TraceReason.RETURN, f"{what} returns {type(witness).__name__}")
    return value


def _mutables(value, found, what, depth=0):
    """Remember what could be changed through a function: lists, dictionaries, sets, objects."""
    kind = type(value)
    if id(value) in found or depth > 8 or len(found) > _LARGE or issubclass(kind, Dual):
        return
    more = ()
    if kind is types.FunctionType:
        code = value.__code__
        if not code.co_filename.startswith(_HERE) and outside_writes(code):
            refuse(TraceReason.OUTSIDE_WRITE, f"{what} assigns to the outer variable {outside_writes(code)[0][1]!r}")
        more = [c.cell_contents for c in value.__closure__ or () if merge._filled(c)]
        more += [*(value.__defaults__ or ()), *(value.__kwdefaults__ or {}).values()]
    elif kind is types.MethodType:
        more = (value.__func__, value.__self__)
    elif kind is functools.partial:
        more = (value.func, *value.args, *value.keywords.values())
    elif issubclass(kind, tuple):
        more = value
    elif issubclass(kind, (list, dict, set)) or (
        hasattr(value, "__dict__")
        and not isinstance(value, (type, types.ModuleType))
        and not kind.__module__.startswith("sci.")
    ):
        more = _contents(value)
        found[id(value)] = (value, more)
    for item in more:
        _mutables(item, found, what, depth + 1)


def _contents(value):
    if isinstance(value, dict):
        return [x for pair in dict.items(value) for x in pair]
    if isinstance(value, (list, set)):
        return list(value)
    return [x for pair in vars(value).items() for x in pair]


def _signed(function, like):
    """``function`` with the signature of ``like``: curve_fit counts the parameters."""
    with contextlib.suppress(ValueError, TypeError):
        function.__signature__ = inspect.signature(like)
    return function
