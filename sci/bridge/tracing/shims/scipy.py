"""SciPy in the clone's world: `scipy.special` ufuncs, `scipy.linalg` functions, and what the registry has."""

from __future__ import annotations

import sys
import types

import numpy as np

from .. import nested
from ..creation import array_value
from ..errors import TraceReason
from ..functions import record, result_of
from ..lift_objects import is_distribution
from ..tape import refuse
from ..values import any_traced, has_dual, plain, wrap_constant
from .blocked import Blocked
from .numpy import Ufunc

_LINALG = {
    "solve": ("a", "b"), "inv": ("a",), "det": ("a",), "cholesky": ("a",), "norm": ("a",), "expm": ("A",),
    "eigh": ("a",), "eigvalsh": ("a",), "svdvals": ("a",), "pinv": ("a",),
}  # fmt: skip
_CONSTANT_MODULES = ("special", "linalg", "constants", "fft", "signal.windows", "interpolate")


def registered(original):
    """Our implementation of a SciPy function from the bridge's registry, or None."""
    registry = sys.modules.get("sci.bridge.registry")
    find = getattr(registry, "jax_for", None)
    return find(original) if find is not None else None


def special_emitter(ufunc):
    """(function, safe) for a ufunc of `scipy.special`, or None."""
    name = ufunc.__name__
    special = sys.modules.get("scipy.special")
    if special is None or getattr(special, name, None) is not ufunc:
        return None
    own = registered(ufunc)
    return None if own is None else (own, False)


class Module:
    """``scipy`` and its submodules."""

    def __init__(self, module):
        self.shim_module = module

    def __getattr__(self, name):
        value = getattr(self.shim_module, name)
        from .resolve import shim

        return shim(value) if callable(value) or isinstance(value, types.ModuleType) else value


class Function:
    """A function of SciPy."""

    __slots__ = ("shim_original",)

    def __init__(self, original):
        self.shim_original = original

    def __call__(self, *args, **kwargs):
        return _call(self.shim_original, args, kwargs)

    def __getattr__(self, name):
        return getattr(self.shim_original, name)


def _call(original, args, kwargs):
    module = getattr(original, "__module__", "") or ""
    part, name = module.split(".")[1] if "." in module else "", original.__name__
    if nested.takes_functions(args, kwargs):
        own = registered(original)
        if own is not None and own.__sci__.callables:
            return nested.call(own, args, kwargs)
    if not any_traced(args) and not any_traced(kwargs):
        if part not in _CONSTANT_MODULES:
            refuse(TraceReason.LIBRARY, f"scipy.{part}.{name}")
        return wrap_constant(original(*plain(args), **plain(kwargs)))
    import jax.scipy.linalg as jsl

    own = registered(original)
    if own is not None and not own.__sci__.callables and _takes_arrays(args, kwargs):
        other = getattr(jsl, name, None) if part == "linalg" and name in _LINALG else None
        return record(original, f"registered.{name}", _either(own, other), _arrays(name, args), kwargs)
    if part == "linalg" and name in _LINALG:
        emit = getattr(jsl, name, None)
        if emit is None or name == "norm":
            import jax.numpy as jnp

            emit = getattr(jnp.linalg, name)
        return record(original, f"scipy.linalg.{name}", _without_checks(emit), _arrays(name, args), kwargs)
    if part == "special" and name in ("logsumexp", "softmax", "log_softmax", "polygamma", "factorial"):
        import jax.scipy.special as jsp

        if name != "factorial":
            return record(original, f"scipy.special.{name}", getattr(jsp, name), _arrays(name, args), kwargs)
    refuse(TraceReason.LIBRARY, f"scipy.{part}.{name}", "pass its result in, or compute it outside the function")


def _arrays(name, args):
    return tuple(array_value(a) if has_dual(a) else a for a in args)


def _without_checks(emit):
    def call(*args, **kwargs):
        for key in ("overwrite_a", "overwrite_b", "check_finite"):
            kwargs.pop(key, None)
        return emit(*args, **kwargs)

    return call


def _takes_arrays(args, kwargs):
    return not any(callable(v) for v in (*args, *kwargs.values()))


def _either(own, other):
    """The registry's function, or JAX's own where the registry's delegates to the host."""
    if other is None:
        return own

    def call(*args, **kwargs):
        try:
            return own(*args, **kwargs)
        except Exception:
            return _without_checks(other)(*args, **kwargs)

    return call


class Ours(Function):
    """A function of `sci` or `image`: the same function in both worlds."""

    __slots__ = ()

    def __call__(self, *args, **kwargs):
        original = self.shim_original
        if nested.takes_functions(args, kwargs) and getattr(getattr(original, "__sci__", None), "callables", None):
            return nested.call(original, args, kwargs)
        if not _takes_arrays(args, kwargs):
            refuse(TraceReason.LIBRARY, f"{original.__module__}.{original.__name__} of a function")
        if not any_traced(args) and not any_traced(kwargs):
            return wrap_constant(original(*plain(args), **plain(kwargs)))
        return record(original, f"registered.{original.__name__}", original, _arrays("", args), kwargs)


def member(value):
    """Stand-in for an object of SciPy."""
    if is_distribution(value):
        from .distributions import Distribution

        return Distribution(value)
    if isinstance(value, np.ufunc):
        return Ufunc(value)
    if isinstance(value, types.FunctionType | types.BuiltinFunctionType):
        return Function(value)
    return Blocked(TraceReason.LIBRARY, f"{value.__module__}.{getattr(value, '__name__', type(value).__name__)}", value)


__all__ = ["Function", "Module", "member", "registered", "result_of", "special_emitter"]
