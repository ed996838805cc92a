"""NumPy in the clone's world: the module, its functions, ufuncs and scalar types."""

from __future__ import annotations

import numpy as np

from .. import creation, ufuncs
from ..errors import TraceReason
from ..function_table import EFFECTS
from ..functions import call_numpy, qualified
from ..tape import refuse
from ..values import Dual, any_traced, plain, traced, wrap_constant
from .blocked import Blocked
from .builtins import TypeShim

_PASS = {"ndarray", "generic", "number", "inexact", "floating", "integer", "signedinteger", "dtype",
         "unsignedinteger", "complexfloating", "bool_", "ndindex", "finfo", "iinfo", "poly1d", "broadcast"}  # fmt: skip


class NumpyModule:
    """``numpy``, ``numpy.linalg``, ``numpy.fft`` and other submodules."""

    def __init__(self, module):
        self.shim_module = module

    def __getattr__(self, name):
        value = getattr(self.shim_module, name)
        from .resolve import shim as resolve

        return resolve(value) if callable(value) or type(value) is type(np) or name in ("r_", "c_") else value


def numpy_module(module):
    """Stand-in for a module of NumPy."""
    if module.__name__.startswith("numpy.random"):
        return Blocked(TraceReason.RANDOM, module.__name__)
    if module.__name__.startswith(("numpy.testing", "numpy.f2py", "numpy.ctypeslib", "numpy.lib.npyio")):
        return Blocked(TraceReason.EFFECT, module.__name__)
    return NumpyModule(module)


class Function:
    """A NumPy function."""

    __slots__ = ("shim_original",)

    def __init__(self, original):
        self.shim_original = original

    def __call__(self, *args, **kwargs):
        return call_numpy(self.shim_original, args, kwargs)

    def __getattr__(self, name):
        return getattr(self.shim_original, name)


class Ufunc:
    """A ufunc, of NumPy or of `scipy.special`."""

    __slots__ = ("shim_original",)

    def __init__(self, original):
        self.shim_original = original

    def __call__(self, *args, **kwargs):
        return ufuncs.call_method(self.shim_original, "__call__", args, kwargs)

    def __getattr__(self, name):
        if name in ("reduce", "accumulate", "outer", "at", "reduceat"):
            return lambda *a, **k: ufuncs.call_method(self.shim_original, name, a, k)
        return getattr(self.shim_original, name)


def _scalar_type(kind):
    def make(value=0, *rest):
        if not any_traced(value):
            return wrap_constant(kind(plain(value), *plain(rest)))
        array = creation.array_value(value)
        made = array.astype(kind)
        return made[()] if made._w.ndim == 0 else made

    return TypeShim(kind, make)


class _Joiner:
    """``np.r_`` and ``np.c_`` for slices, numbers and arrays."""

    def __init__(self, original, columns):
        self.shim_original, self._columns = original, columns

    def __getitem__(self, key):
        if not any_traced(key):
            return wrap_constant(self.shim_original[plain(key)])
        parts = []
        for item in key if type(key) is tuple else (key,):
            if type(item) is str:
                refuse(TraceReason.NUMPY_FUNCTION, "np.r_ with a string")
            if type(item) is slice:
                parts.append(self._slice(item))
            else:
                array = creation.array_value(item)
                parts.append(array.reshape(1) if array._w.ndim == 0 else array)
        if self._columns:
            return call_numpy(np.concatenate, ([self._column(p) for p in parts],), {"axis": -1})
        return call_numpy(np.concatenate, (parts,), {})

    @staticmethod
    def _column(part):
        return part.reshape(-1, 1) if part._w.ndim == 1 else part

    def _slice(self, item):
        step = item.step
        if isinstance(step, complex):
            return creation.array_value(call_numpy(np.linspace, (item.start, item.stop, int(abs(step))), {}))
        return wrap_constant(np.arange(*plain((item.start or 0, item.stop, 1 if step is None else step))))


def _errstate(*args, **kwargs):
    if any(v in ("raise", "call") for v in (*args, *kwargs.values())):
        refuse(TraceReason.UNSUPPORTED, "np.errstate that raises", "test the values with np.isfinite")
    return np.errstate(*args, **kwargs)


class Vectorize:
    """``np.vectorize`` without a signature: the function runs once per element."""

    def __init__(self, pyfunc=None, otypes=None, doc=None, excluded=None, cache=False, signature=None):
        if signature is not None or excluded:
            refuse(TraceReason.NUMPY_FUNCTION, "np.vectorize with a signature or excluded arguments")
        self._function, self._otypes = pyfunc, otypes

    def __call__(self, *args, **kwargs):
        if self._function is None:
            return Vectorize(args[0], self._otypes)
        if kwargs:
            refuse(TraceReason.NUMPY_FUNCTION, "np.vectorize with keyword arguments")
        arrays = [creation.array_value(a) for a in args]
        shape = np.broadcast_shapes(*(a._w.shape for a in arrays))
        wide = [call_numpy(np.broadcast_to, (a, shape), {}) for a in arrays]
        from ..merge import merged

        items = [merged(self._function, [w[i] for w in wide]) for i in np.ndindex(*shape)]
        if not items:
            refuse(TraceReason.NUMPY_FUNCTION, "np.vectorize of an empty array")
        if type(items[0]) is tuple:
            return tuple(self._join([item[k] for item in items], shape, k) for k in range(len(items[0])))
        return self._join(items, shape, 0)

    def _join(self, items, shape, k):
        if self._otypes:
            otypes = self._otypes if not isinstance(self._otypes, str) else list(self._otypes)
            dtype = np.dtype(plain(otypes[k]))
        else:
            dtype = np.asarray(plain(items[0])).dtype
        return creation.make_array(items, dtype).reshape(shape)


class PowerSeries:
    """A constant `numpy.polynomial.Polynomial` that may be called on traced values."""

    def __init__(self, original):
        self.shim_original = original

    def __call__(self, x):
        own = self.shim_original
        if not any_traced(x):
            return wrap_constant(own(plain(x)))
        offset, scale = np.polynomial.polyutils.mapparms(own.domain, own.window)
        x = offset + scale * (x if issubclass(type(x), Dual) else creation.array_value(x))
        value = own.coef[-1] + x * 0
        for c in own.coef[-2::-1]:
            value = c + value * x
        return value

    def __getattr__(self, name):
        if name in ("coef", "domain", "window"):
            return wrap_constant(getattr(self.shim_original, name).copy())
        if name in ("deriv", "integ"):
            return lambda *a, **k: PowerSeries(getattr(self.shim_original, name)(*plain(a), **plain(k)))
        refuse(TraceReason.LIBRARY, f"numpy.polynomial.Polynomial.{name}")


def shim(value):
    """Stand-in for an object of NumPy."""
    if isinstance(value, np.ufunc):
        return Ufunc(value)
    name = getattr(value, "__name__", "")
    module = getattr(value, "__module__", "") or ""
    if value is np.errstate:
        return _errstate
    if value is np.r_ or value is np.c_:
        return _Joiner(value, value is np.c_)
    if value is np.vectorize:
        return Vectorize
    if isinstance(value, type):
        if issubclass(value, np.generic) and value not in (np.generic, np.number) and name not in _PASS:
            return _scalar_type(value) if np.dtype(value).kind in "biufc" else value
        if value is np.polynomial.Polynomial:
            return lambda *a, **k: PowerSeries(value(*plain(a), **plain(k)))
        if name in ("ndenumerate",):
            return Function(value)
        if name in _PASS or "polynomial" in module or issubclass(value, BaseException):
            return value
        if value is np.bool_:
            return _scalar_type(value)
        return Blocked(TraceReason.NUMPY_FUNCTION, f"np.{name}", value)
    owner = type(getattr(value, "__self__", None)).__module__
    if (
        "random" in module.split(".")
        or owner.startswith("numpy.random")
        or type(value).__module__.startswith("numpy.random")
    ):
        return Blocked(TraceReason.RANDOM, f"np.random.{name}")
    if qualified(value) in EFFECTS:
        return Blocked(TraceReason.EFFECT, f"np.{name}")
    return Function(value) if callable(value) else value


__all__ = ["Dual", "Function", "NumpyModule", "Ufunc", "Vectorize", "numpy_module", "shim", "traced"]
