"""`math` and `cmath` on duals: Python numbers in, Python numbers out."""

from __future__ import annotations

import cmath
import functools
import math

import numpy as np

from .. import creation, ufuncs
from ..errors import TraceReason
from ..frames import handles_exceptions
from ..functions import call_numpy, result_of
from ..tape import current, refuse
from ..values import Dual, Scalar, any_traced, plain, ref, traced

_SAME = [
    "sin",
    "cos",
    "tan",
    "sinh",
    "cosh",
    "tanh",
    "exp",
    "expm1",
    "exp2",
    "log1p",
    "log2",
    "log10",
    "sqrt",
    "cbrt",
    "fabs",
    "copysign",
    "fmod",
    "hypot",
    "degrees",
    "radians",
    "ldexp",
    "nextafter",
    "isnan",
    "isinf",
    "isfinite",
    "gcd",
    "lcm",
    "asin",
    "acos",
    "atan",
    "atan2",
    "asinh",
    "acosh",
    "atanh",
    "pow",
    "log",
]
_RENAMED = {
    "asin": "arcsin", "acos": "arccos", "atan": "arctan", "atan2": "arctan2", "asinh": "arcsinh",
    "acosh": "arccosh", "atanh": "arctanh", "pow": "float_power",
}  # fmt: skip
# where the original raises ValueError; asked only if the code catches exceptions
_DOMAIN = {
    "sqrt": lambda x: x < 0,
    "log": lambda x: x <= 0,
    "log2": lambda x: x <= 0,
    "log10": lambda x: x <= 0,
    "log1p": lambda x: x <= -1,
    "asin": lambda x: (x > 1) | (x < -1),
    "acos": lambda x: (x > 1) | (x < -1),
    "acosh": lambda x: x < 1,
    "atanh": lambda x: (x >= 1) | (x <= -1),
    "exp": lambda x: x > 709.782712893384,
}
_OVERFLOW = {"exp"}
_RAISING = {"pow", "fmod", "sinh", "cosh", "expm1", "exp2", "ldexp", "remainder"}


def _python(value, complex_too=False):
    """A traced argument as a Python float (or complex, or int) dual."""
    if not issubclass(type(value), Dual):
        return value
    witness = np.asarray(value._w)
    if witness.dtype.kind == "c":
        if not complex_too:
            raise TypeError("must be real number, not complex")
        return creation.complex_of(value)
    if type(value._w) is int:
        return value
    return creation.float_of(value) if traced(value) else float(value._w)


def _domain(name, value):
    bad = _DOMAIN.get(name)
    if bad is None or not traced(value) or not handles_exceptions():
        return
    if bool(bad(value)):
        error = OverflowError("math range error") if name in _OVERFLOW else ValueError("math domain error")
        current().implicit = error
        raise error


def _elementary(name, original):
    ufunc = getattr(np, _RENAMED.get(name, name))

    def witness(*values):
        try:
            return original(*values)
        except (ValueError, OverflowError):
            loose = ufunc(*(np.float64(v) for v in values))
            return loose.item()

    def call(*args):
        if not any_traced(args):
            return original(*plain(args))
        args = [_python(a) for a in args]
        if name == "log" and len(args) == 2:
            return call(args[0]) / call(args[1])
        _domain(name, args[0])
        if name in _RAISING and handles_exceptions():
            refuse(TraceReason.UNSUPPORTED, f"math.{name} whose exceptions may be caught", f"use np.{name}")
        if name not in ("gcd", "lcm", "ldexp", "isnan", "isinf", "isfinite"):
            args = [a * 1.0 if type(plain(a)) is int else a for a in args]
        if name == "hypot" and len(args) != 2:
            return call_sqrt(functools.reduce(lambda s, a: s + a * a, args, 0.0))
        return ufuncs.apply(ufunc, args, witness)

    return call


def call_sqrt(value):
    return _elementary("sqrt", math.sqrt)(value)


def _whole(how, original):
    def call(x):
        if not any_traced(x):
            return original(plain(x))
        from ..methods import to_int

        return to_int(_python(x), how)

    return call


def _special(name, original):
    def call(x):
        if not any_traced(x):
            return original(plain(x))
        import jax.scipy.special as special

        if name in ("gamma", "lgamma") and handles_exceptions():
            refuse(TraceReason.UNSUPPORTED, f"math.{name} whose exceptions may be caught")
        x = _python(x) * 1.0
        try:
            witness = original(plain(x))
        except (ValueError, OverflowError):
            witness = math.nan
        emit = {"erf": special.erf, "erfc": special.erfc, "lgamma": special.gammaln, "gamma": special.gamma}[name]
        return result_of(emit, (ref(x),), witness)

    return call


def _fsum(iterable):
    items = list(iterable)
    if not any_traced(items):
        return math.fsum(plain(items))
    return creation.float_of(creation.array_value(call_numpy(np.sum, (creation.array_value(items),), {})))


def _prod(iterable, *, start=1):
    return functools.reduce(lambda a, b: a * b, iterable, start)


def _dist(p, q):
    return call_sqrt(functools.reduce(lambda s, pair: s + (pair[0] - pair[1]) ** 2, zip(p, q, strict=True), 0.0))


def _isclose(a, b, *, rel_tol=1e-09, abs_tol=0.0):
    if not any_traced((a, b, rel_tol, abs_tol)):
        return math.isclose(*plain((a, b)), rel_tol=plain(rel_tol), abs_tol=plain(abs_tol))
    from .builtins import maximum

    bound = maximum(maximum(abs(a), abs(b)) * rel_tol, abs_tol)
    return ufuncs.apply(np.less_equal, (abs(a - b), bound), lambda x, y: bool(x <= y))


def _modf(x):
    if not any_traced(x):
        return math.modf(plain(x))
    return ufuncs.apply(np.modf, (_python(x) * 1.0,), math.modf)


def _sumprod(p, q):
    return sum(a * b for a, b in zip(p, q, strict=True))


def _remainder(x, y):
    if not any_traced((x, y)):
        return math.remainder(*plain((x, y)))
    x, y = _python(x), _python(y)
    return x - y * ufuncs.apply(np.rint, (x / y,), lambda w: float(np.rint(w)))


_HAND = {
    "fsum": _fsum, "prod": _prod, "dist": _dist, "isclose": _isclose, "modf": _modf, "sumprod": _sumprod,
    "remainder": _remainder,
}  # fmt: skip
_COMPLEX = [
    "sin",
    "cos",
    "tan",
    "sinh",
    "cosh",
    "tanh",
    "exp",
    "log",
    "sqrt",
    "asin",
    "acos",
    "atan",
    "asinh",
    "acosh",
    "atanh",
    "log10",
    "isnan",
    "isinf",
    "isfinite",
]


def _complex_elementary(name, original):
    ufunc = getattr(np, _RENAMED.get(name, name))

    def call(*args):
        if not any_traced(args):
            return original(*plain(args))
        x = creation.complex_of(args[0]) if traced(args[0]) else args[0]
        result = ufuncs.apply(ufunc, (x,), lambda w: original(w))
        return result / call(args[1]) if len(args) > 1 else result

    return call


def _phase(x):
    return ufuncs.apply(np.arctan2, (x.imag, x.real), math.atan2) if any_traced(x) else cmath.phase(plain(x))


def _polar(x):
    return (abs(x), _phase(x))


def _rect(r, phi):
    if not any_traced((r, phi)):
        return cmath.rect(*plain((r, phi)))
    turn = _elementary("cos", math.cos)(phi), _elementary("sin", math.sin)(phi)
    return creation.complex_of(r * turn[0], r * turn[1])


def _refused(name, original):
    def call(*args, **kwargs):
        if any_traced(args) or any_traced(kwargs):
            refuse(TraceReason.LIBRARY, f"math.{name} of a computed value")
        return original(*plain(args), **plain(kwargs))

    return call


def _build():
    found = {}
    for name, original in vars(math).items():
        if not callable(original) or name.startswith("__"):
            continue
        if name in _HAND:
            made = _HAND[name]
        elif name in ("floor", "ceil", "trunc"):
            made = _whole(name, original)
        elif name in ("erf", "erfc", "gamma", "lgamma"):
            made = _special(name, original)
        elif name in _SAME:
            made = _elementary(name, original)
        else:
            made = _refused(name, original)
        found[id(original)] = (original, _named(made, original))
    for name, original in vars(cmath).items():
        if not callable(original) or name.startswith("__"):
            continue
        own = {"phase": _phase, "polar": _polar, "rect": _rect}.get(name)
        made = own or (_complex_elementary if name in _COMPLEX else _refused)(name, original)
        found[id(original)] = (original, _named(made, original))
    return found


class _Named:
    """A function of `math` in the clone's world."""

    __slots__ = ("_call", "shim_original")

    def __init__(self, call, original):
        self._call, self.shim_original = call, original

    def __call__(self, *args, **kwargs):
        return self._call(*args, **kwargs)

    def __getattr__(self, name):
        return getattr(self.shim_original, name)


def _named(call, original):
    return _Named(call, original)


SHIMS = _build()


class Math:
    """`math` or `cmath` as a module."""

    def __init__(self, module):
        self.shim_module = module

    def __getattr__(self, name):
        value = getattr(self.shim_module, name)
        found = SHIMS.get(id(value))
        return found[1] if found else value


__all__ = ["SHIMS", "Math", "Scalar"]
