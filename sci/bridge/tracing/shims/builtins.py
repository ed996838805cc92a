"""Python's builtins in the clone's world."""

from __future__ import annotations

import builtins
import functools
import importlib

import numpy as np

from .. import creation, ufuncs
from ..errors import TraceReason
from ..frozen import FrozenDict, FrozenList
from ..functions import call_numpy
from ..tape import refuse
from ..values import PYTHON_DTYPES, Dual, Scalar, any_traced, plain, python_number, traced
from .blocked import Blocked


class TypeShim:
    """Stand-in for `float`, `int`, `bool`, `complex` and `type`: calls are traced, the rest is the type's."""

    __slots__ = ("_call", "shim_original")

    def __init__(self, original, call):
        self.shim_original, self._call = original, call

    def __call__(self, *args, **kwargs):
        return self._call(*args, **kwargs)

    def __getattr__(self, name):
        return getattr(self.shim_original, name)

    @property
    def dtype(self):
        return np.dtype(self.shim_original)

    def __eq__(self, other):
        return plain(other) is self.shim_original or plain(other) == self.shim_original

    def __hash__(self):
        return hash(self.shim_original)

    def __repr__(self):
        return repr(self.shim_original)

    def __instancecheck__(self, value):
        return isinstance(value, self.shim_original)

    def __or__(self, other):
        return self.shim_original | plain(other)

    __ror__ = __or__

    def __mro_entries__(self, bases):
        return (self.shim_original,)


def _float(value=0.0, /):
    if traced(value):
        return creation.float_of(value)
    return float(plain(value))


def _int(value=0, /, *base):
    if traced(value):
        if type(value) is Scalar and type(value._w) is int:
            return value
        from ..methods import to_int

        return to_int(value)
    return int(plain(value), *plain(base))


def _bool(value=False, /):
    if not traced(value):
        return bool(value) if not issubclass(type(value), Dual) else bool(value._w)
    if np.size(value._w) != 1:
        return bool(value._w)
    flat = value if np.ndim(value._w) == 0 else value.reshape(())
    return ufuncs.apply(np.not_equal, (flat, 0), lambda a, b: bool(a != b))


def _complex(*args):
    return creation.complex_of(*args) if any_traced(args) else complex(*plain(args))


def _type(*args):
    if len(args) != 1:
        return type(*args)
    value = args[0]
    kind = type(value._w) if issubclass(type(value), Dual) else type(value)
    kind = {FrozenList: list, FrozenDict: dict}.get(kind, kind)
    from .resolve import shim

    return shim(kind) if kind.__module__ in ("builtins", "numpy") else kind


def _isinstance(value, kinds):
    return isinstance(value, _kinds(kinds))


def _kinds(kinds):
    if type(kinds) is tuple:
        return tuple(map(_kinds, kinds))
    if isinstance(kinds, Blocked):
        return type(kinds._original) if not isinstance(kinds._original, type) else kinds._original
    return plain(kinds)


def _issubclass(kind, kinds):
    return issubclass(plain(kind), _kinds(kinds))


def maximum(a, b):
    """Python's ``max`` of two: the first unless the second is larger."""
    return _choose(b > a, b, a)


def _choose(condition, yes, no):
    if not traced(condition):
        return yes if condition else no
    if any(np.ndim(plain(v)) for v in (yes, no)):
        return yes if condition else no  # arrays: branches, or NumPy's own error
    from ..by_hand import where

    chosen = where(np.where, condition, yes, no)
    number = chosen.node()
    if python_number(yes) and python_number(no):
        return Scalar(number, chosen._w.item())
    return Scalar(number, chosen._w[()])


def _extreme(better):
    def extreme(*args, key=None, **default):
        items = list(args[0]) if len(args) == 1 else list(args)
        if not items and default:
            return default["default"]
        original = max if better is _larger else min
        if key is not None:
            return original(items, key=key)
        if not any_traced(items):
            return original(items)
        return functools.reduce(lambda best, new: _choose(better(new, best), new, best), items)

    return extreme


def _larger(new, best):
    return new > best


def _smaller(new, best):
    return new < best


def _sum(iterable, /, start=0):
    if issubclass(type(iterable), Dual) and iterable._w.ndim == 1 and iterable._w.size > 16 and type(start) is int:
        total = call_numpy(np.sum, (iterable,), {})
        return total if start == 0 else total + start
    return functools.reduce(lambda a, b: a + b, iterable, start)


def _any(iterable, /):
    return _fold(iterable, np.logical_or, False)


def _all(iterable, /):
    return _fold(iterable, np.logical_and, True)


def _fold(iterable, ufunc, neutral):
    result = neutral
    for value in iterable:
        if traced(value) and np.ndim(value._w) == 0:
            value = _bool(value)
            result = (
                value if result is neutral else ufuncs.apply(ufunc, (result, value), lambda a, b: bool(ufunc(a, b)))
            )
        elif bool(value) is not neutral and not traced(result):
            return not neutral
        elif bool(value) is not neutral:
            result = not neutral
            return result
    return result


def _sorted(iterable, /, *, key=None, reverse=False):
    items = list(iterable)
    if key is not None or not any_traced(items) or len({type(plain(v)) for v in items}) != 1:
        return sorted(items, key=key, reverse=reverse)
    if any(np.ndim(plain(v)) for v in items):
        return sorted(items, reverse=reverse)
    ordered = call_numpy(np.sort, (creation.array_value(items),), {})
    result = ordered.tolist() if python_number(items[0]) else list(ordered)
    return result[::-1] if reverse else result


def _import(name, space=None, local=None, fromlist=(), level=0):
    package = (space or {}).get("__package__") or (space or {}).get("__name__", "")
    if level:
        name = importlib.util.resolve_name("." * level + name, package)
    root = name.partition(".")[0]
    from ..lift import OURS, is_library
    from .resolve import shim

    if not is_library(root) and root not in OURS:
        return Blocked(TraceReason.LIBRARY, f"module {name} imported inside the function")
    module = builtins.__import__(name, None, None, fromlist, 0)
    for part in fromlist or ():
        if not hasattr(module, part):
            importlib.import_module(f"{name}.{part}")
    return shim(module)


def _refusing(name, reason):
    def call(*args, **kwargs):
        refuse(reason, f"{name}()")

    return call


def _vars(*args):
    if not args:
        refuse(TraceReason.UNSUPPORTED, "vars() without an argument")
    return dict(vars(args[0]))


def _id(value):
    refuse(TraceReason.CONVERSION, "id()")


_TYPES = {float: _float, int: _int, bool: _bool, complex: _complex, type: _type}
_REPLACED = {
    "isinstance": _isinstance,
    "issubclass": _issubclass,
    "max": _extreme(_larger),
    "min": _extreme(_smaller),
    "sum": _sum,
    "any": _any,
    "all": _all,
    "sorted": _sorted,
    "__import__": _import,
    "vars": _vars,
    "id": _id,
}
_EFFECTS = [
    "print",
    "input",
    "open",
    "exec",
    "eval",
    "compile",
    "breakpoint",
    "exit",
    "quit",
    "help",
    "globals",
    "delattr",
]


class _Function:
    """A builtin function in the clone's world."""

    __slots__ = ("_call", "shim_original")

    def __init__(self, call, original):
        self._call, self.shim_original = call, original

    def __call__(self, *args, **kwargs):
        return self._call(*args, **kwargs)

    def __getattr__(self, name):
        return getattr(self.shim_original, name)


@functools.cache
def table():
    """The ``__builtins__`` of clones."""
    names = dict(vars(builtins))
    for kind in _TYPES:
        names[kind.__name__] = SHIMS[id(kind)][1]
    for name, call in _REPLACED.items():
        names[name] = call if name == "__import__" else SHIMS[id(getattr(builtins, name))][1]
    for name in _EFFECTS:
        if name in names:
            names[name] = _refusing(name, TraceReason.EFFECT)
    names["memoryview"] = _refusing("memoryview", TraceReason.CONVERSION)
    return names


SHIMS: dict[int, tuple] = {id(kind): (kind, TypeShim(kind, call)) for kind, call in _TYPES.items()}
for _name, _call in _REPLACED.items():
    if _name != "__import__":
        SHIMS[id(getattr(builtins, _name))] = (getattr(builtins, _name), _Function(_call, getattr(builtins, _name)))
__all__ = ["PYTHON_DTYPES", "SHIMS", "TypeShim", "maximum", "table"]
