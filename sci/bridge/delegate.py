"""Module namespaces: every public name of the original is there, native or not.

A package of ours calls ``__getattr__, __dir__ = delegate(__name__, __all__)`` in its ``__init__``
(its own natives listed in ``__all__``); the rest comes from the original, wrapped so that it is recorded.
"""

from __future__ import annotations

import importlib
import sys
import types
from collections.abc import Callable
from typing import Any

import numpy as np

from sci.bridge.host import host_function

__all__ = ["delegate", "original_module", "public_names"]

_ORIGINALS = {"sci": "scipy"}


def original_module(module: str) -> str:
    """``sci.linalg`` -> ``scipy.linalg``."""
    root, dot, rest = module.partition(".")
    return f"{_ORIGINALS.get(root, root)}{dot}{rest}"


def public_names(module: types.ModuleType) -> list[str]:
    """The public names of an original module, sorted."""
    # OpenCV 5 has an empty list
    names = getattr(module, "__all__", None) or [n for n in dir(module) if not n.startswith("_")]
    return sorted(n for n in set(names) if n != "test")


def _wrap(value: Any, name: str, module: str) -> Any:
    """What users see of an original's object: functions are wrapped, everything else is itself.

    Classes, exceptions, constants and distribution objects keep their identity, so that
    ``isinstance`` and pickles work across both libraries.
    """
    if isinstance(value, (types.FunctionType, types.BuiltinFunctionType, np.ufunc)):
        return host_function(name, value, module)
    if callable(value) and type(value).__name__ in ("cython_function_or_method", "_ArrayFunctionDispatcher"):
        return host_function(name, value, module)
    return value


def delegate(
    module: str, native: list[str] | tuple[str, ...] = ()
) -> tuple[Callable[[str], Any], Callable[[], list[str]]]:
    """Module-level ``__getattr__`` and ``__dir__`` that complete `module` from the original.

    Parameters
    ----------
    module : str
        Our module's ``__name__``.
    native : sequence of str
        Names that the module defines itself.

    Returns
    -------
    tuple
        ``(__getattr__, __dir__)``.

    Raises
    ------
    AttributeError
        From ``__getattr__``, for names that the original does not have.
    """
    theirs = original_module(module)

    def __getattr__(name: str) -> Any:
        if name.startswith("_") and name != "__all__":
            raise AttributeError(f"module {module!r} has no attribute {name!r}")
        original = importlib.import_module(theirs)
        if name == "__all__":
            return sorted({*native, *public_names(original)})
        try:
            value = getattr(original, name)
        except AttributeError:
            raise AttributeError(f"module {module!r} has no attribute {name!r} (nor has {theirs!r})") from None
        if isinstance(value, types.ModuleType):
            if not value.__name__.startswith(theirs + "."):
                raise AttributeError(f"module {module!r} has no attribute {name!r}")
            value = _submodule(f"{module}.{name}", value)
        else:
            value = _wrap(value, f"{theirs}.{name}", module)
        setattr(sys.modules[module], name, value)  # next time without __getattr__, and one identity
        return value

    def __dir__() -> list[str]:
        return sorted({*vars(sys.modules[module]), *__getattr__("__all__")})

    return __getattr__, __dir__


def _submodule(ours: str, original: types.ModuleType) -> types.ModuleType:
    try:
        return importlib.import_module(ours)
    except ModuleNotFoundError:
        return original  # deprecated private-in-all-but-name modules (scipy.linalg.basic)
