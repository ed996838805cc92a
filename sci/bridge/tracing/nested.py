"""Calls of solvers inside a traced function: registered functions that take the user's functions.

`solve_ivp(rhs, ...)`, `quad`, `root`, `minimize`, `curve_fit` become one node of the tape: its witness is
SciPy's own result, with the user's function evaluated by NumPy; in JAX it is our function, given the
recorded piece of tape (`nested_code`) for the user's function and what that reads as captured values.
"""

from __future__ import annotations

import copy
import functools

import jax
import numpy as np

from . import structural
from .creation import array_value
from .errors import TraceError, TraceReason, error_at, quiet, user_frame
from .nested_code import NestedFunction, on_numpy
from .nested_record import record_function, result_of_call, signature_of
from .nested_results import Result, constant
from .shims.blocked import Blocked
from .tape import current, refuse
from .values import Dual, any_traced, has_dual, plain, ref, traced

# How well our solver and SciPy's agree where both are stopped by their default tolerances: BFGS stops at a gradient
# of 1e-5, which SciPy computes by differences; the others converge superlinearly or take the same steps.
TOLERANCE, _TOLERANCES = 1e-6, {"minimize": 1e-4, "curve_fit": 1e-5, "least_squares": 1e-5, "leastsq": 1e-5}
_SPREAD = ("solve_ivp", "least_squares")  # their args= may be any sequence


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
        bind = functools.partial(result_of_call, function, extra, named, pair and name == "fun", f"{short}({name}=...)")
        codes[name] = record_function(recorder, bind, function, examples[name])
    witness = _witness(bridge, bound, {k: on_numpy(recorder, c) for k, c in codes.items()})
    if not any_traced(bound.arguments) and not any(c.captured for c in codes.values()):
        return constant(witness)
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
    span = None if bound.arguments.get("t_eval") is not None else bound.arguments.get("t_span")
    return Result(node, bridge.name, span).present(witness)


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
    if bridge.original is None:
        refuse(TraceReason.LIBRARY, bridge.name)
    with quiet():
        return bridge.original(*ready.args, **ready.kwargs)


# -- the registered function in JAX -----------------------------------------------------------------------


class _Place:
    """Stands for a function while the bridge says at which example arguments it is to be recorded."""

    __module__ = "user"

    def __init__(self, name, signature):
        self.parameter, self.__name__ = name, name
        if signature is not None:
            self.__signature__ = signature

    def __call__(self, *args):
        raise TypeError("not to be called")


def _examples(bridge, bound, functions):
    """Example arguments of every function, by the name of its parameter."""
    from sci.bridge.reasons import HostRoute

    places = {k: _Place(k, signature_of(v)) for k, v in functions.items()}
    ready = _bound_with(bound, {k: places.get(k, plain(v)) for k, v in bound.arguments.items()})
    try:
        with jax.enable_x64(True), quiet():
            made = bridge.nested(ready.args, ready.kwargs)
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
        with quiet():
            ready = _bound_with(bound, given)
            call = bridge.nested(ready.args, ready.kwargs)
            if bridge.validate is not None:
                bridge.validate(call)
            fixed = {name: freeze(call[name]) for name in bridge.static}
            body = jax.jit(lambda values: bridge.body(**values, **fixed))
            result = body({name: call[name] for name in bridge.dynamic})
            return result if bridge.finish_jax is None else bridge.finish_jax(call, result)
    except TraceError:
        raise
    except HostRoute as route:
        raise error_at(place, TraceReason.LIBRARY, f"{bridge.name}: {route.reason.value} ({route.detail})") from None
    except Exception as error:
        text = f"{bridge.name}: {type(error).__name__}: {error}"
        raise error_at(place, TraceReason.LIBRARY, text[:300]) from error
