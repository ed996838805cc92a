"""Which shim stands for an object, by identity."""

from __future__ import annotations

import builtins as python_builtins
import sys
import types

import numpy as np

from ..errors import TraceReason
from ..lift import OURS, is_library
from .blocked import Blocked

_PASS_MODULES = frozenset(
    [
        "operator",
        "functools",
        "itertools",
        "collections",
        "collections.abc",
        "copy",
        "typing",
        "dataclasses",
        "numbers",
        "abc",
        "enum",
        "types",
        "contextlib",
        "fractions",
        "decimal",
        "string",
        "__future__",
        "heapq",
        "bisect",
    ]
)
_PASS_TYPES = _PASS_MODULES | {"builtins", "typing_extensions"}
_RANDOM = {"random", "secrets", "uuid"}
_COMPAT = "array_api_compat"
_NAMESPACE_OF = ("array_namespace", "get_namespace")  # SciPy wraps it
_cache: dict[int, tuple] = {}


def shim(value):
    """What the clone sees in place of ``value``, an object of a library."""
    found = _cache.get(id(value))
    if found is None:
        if isinstance(value, types.FunctionType) and value.__closure__:
            return _make(value)  # may be short-lived: its id must not be remembered
        found = _cache[id(value)] = (_make(value), value)
    return found[0]


def _make(value):
    if isinstance(value, types.ModuleType):
        return module_shim(value)
    from . import builtins, math, numpy

    own = builtins.SHIMS.get(id(value)) or math.SHIMS.get(id(value))
    if own is not None:
        return own[1]
    if _COMPAT in _module(value).split(".") or getattr(value, "__name__", "") in _NAMESPACE_OF:
        return _standard(value)
    owner = type(getattr(value, "__self__", None)).__module__
    if (
        isinstance(value, (np.ufunc, np.vectorize))
        or owner.startswith("numpy.random")
        or _module(value).partition(".")[0] == "numpy"
    ):
        return numpy.shim(value)
    return _other(value)


def _standard(value):
    """A function of the array API standard's layer over NumPy (its own package, or SciPy's copy): NumPy's own."""
    from . import numpy

    name = getattr(value, "__name__", "")
    if name in _NAMESPACE_OF:
        return lambda *arrays, **options: numpy.numpy_module(np)
    same = getattr(np, name, None)
    if callable(same) and not isinstance(value, type):
        return numpy.shim(same)
    return blocked(f"{_module(value)}.{name}")


def _module(value):
    found = getattr(value, "__module__", None)
    return found if isinstance(found, str) else ""


def module_shim(module):
    """Stand-in for a library module."""
    from . import math, numpy, scipy

    name = module.__name__
    root = name.partition(".")[0]
    if name == "math" or name == "cmath":
        return math.Math(module)
    if root == "numpy" or name.endswith(f"{_COMPAT}.numpy"):
        return numpy.numpy_module(module)
    if root == "scipy" or root in OURS:
        return scipy.Module(module)
    if name == "jax.numpy":
        return numpy.numpy_module(np)
    if name == "builtins":
        from . import builtins

        return types.SimpleNamespace(**builtins.table())
    if name in _PASS_MODULES or root in ("typing_extensions",):
        return module
    return blocked(name)


def blocked(name):
    """Blocked stand-in for a module or member by its dotted name."""
    root = name.partition(".")[0]
    if root in _RANDOM:
        return Blocked(TraceReason.RANDOM, name)
    if root in sys.stdlib_module_names:
        return Blocked(TraceReason.EFFECT, name)
    return Blocked(TraceReason.LIBRARY, name)


def _other(value):
    """Builtins, classes and functions that are not NumPy's."""
    from . import builtins, scipy

    module = _module(value)
    root = module.partition(".")[0]
    if root == "scipy":
        return scipy.member(value)
    if root in OURS and callable(value) and not isinstance(value, type):
        return scipy.Ours(value)
    if module == "jax.numpy" or root == "jax":
        from . import numpy

        same = getattr(np, getattr(value, "__name__", ""), None)
        return numpy.shim(same) if same is not None and callable(same) else Blocked(TraceReason.LIBRARY, f"{module}")
    if isinstance(value, type):
        return (
            value if root in _PASS_TYPES or issubclass(value, BaseException) else blocked(f"{module}.{value.__name__}")
        )
    if isinstance(getattr(value, "__self__", None), type):
        return value if is_library(value.__self__.__module__) else Blocked(TraceReason.UNKNOWN_C, "a method of a type")
    if module in ("builtins", ""):
        name = getattr(value, "__name__", None)
        if name and getattr(python_builtins, name, None) is value:
            return builtins.table()[name]
    if module in _PASS_MODULES or module.lstrip("_") in _PASS_MODULES:
        return value
    if getattr(value, "__module__", None) is None or root not in sys.stdlib_module_names:
        owner = getattr(value, "__self__", None)
        name = getattr(owner, "__name__", "") if isinstance(owner, types.ModuleType) else module
        return Blocked(TraceReason.UNKNOWN_C, f"{name}.{getattr(value, '__name__', type(value).__name__)}")
    return blocked(f"{module}.{getattr(value, '__name__', '?')}")
