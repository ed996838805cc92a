"""Recording a function that is given to a solver, and what it must not do."""

from __future__ import annotations

import functools
import inspect
import types

import jax
import numpy as np

from . import inputs, merge
from .creation import array_value
from .errors import _HERE, TraceReason
from .frames import outside_writes
from .nested_code import Code, boundary
from .tape import Unmergeable, refuse
from .values import Dual, plain, ref

_LARGE = 1000


def record_function(recorder, bind, function, example):
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
    return Code(what, recorder.nodes, numbers, outputs, dtypes, treedef, captured, signature_of(function))


def result_of_call(function, extra, named, pair, what, *args):
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


def signature_of(function):
    try:
        return inspect.signature(function)
    except (ValueError, TypeError):
        return None
