"""Python's operators on duals, installed once when the package is imported."""

from __future__ import annotations

import operator

import numpy as np

from . import ufuncs
from .arrays import Array
from .values import Dual, is_number, python_number

_BINARY = {
    "add": (np.add, operator.add),
    "sub": (np.subtract, operator.sub),
    "mul": (np.multiply, operator.mul),
    "truediv": (np.divide, operator.truediv),
    "floordiv": (np.floor_divide, operator.floordiv),
    "mod": (np.remainder, operator.mod),
    "divmod": (np.divmod, divmod),
    "pow": (np.power, operator.pow),
    "matmul": (np.matmul, operator.matmul),
    "and": (np.bitwise_and, operator.and_),
    "or": (np.bitwise_or, operator.or_),
    "xor": (np.bitwise_xor, operator.xor),
    "lshift": (np.left_shift, operator.lshift),
    "rshift": (np.right_shift, operator.rshift),
}
_COMPARE = {
    "lt": (np.less, operator.lt),
    "le": (np.less_equal, operator.le),
    "gt": (np.greater, operator.gt),
    "ge": (np.greater_equal, operator.ge),
    "eq": (np.equal, operator.eq),
    "ne": (np.not_equal, operator.ne),
}
_UNARY = {
    "neg": (np.negative, operator.neg),
    "pos": (np.positive, operator.pos),
    "abs": (np.absolute, operator.abs),
    "invert": (np.invert, operator.invert),
}
_DIVIDES = ("truediv", "floordiv", "mod", "divmod")


def _usable(self, other):
    if is_number(other):
        return True
    return issubclass(type(other), (list, tuple)) and not python_number(self)


def _apply(name, ufunc, op, left, right):
    if name in _DIVIDES:
        return ufuncs.divide_python(ufunc, (left, right), op)
    return ufuncs.apply(ufunc, (left, right), op)


def _install():
    for name, (ufunc, op) in _BINARY.items():

        def forward(self, other, name=name, ufunc=ufunc, op=op):
            return _apply(name, ufunc, op, self, other) if _usable(self, other) else NotImplemented

        def backward(self, other, name=name, ufunc=ufunc, op=op):
            return _apply(name, ufunc, op, other, self) if _usable(self, other) else NotImplemented

        setattr(Dual, f"__{name}__", forward)
        setattr(Dual, f"__r{name}__", backward)
        if name != "divmod":

            def update(self, other, ufunc=ufunc, op=op):
                return ufuncs.in_place(ufunc, self, other, op) if _usable(self, other) else NotImplemented

            setattr(Array, f"__i{name}__", update)
    for name, (ufunc, op) in _COMPARE.items():

        def compare(self, other, ufunc=ufunc, op=op):
            return ufuncs.apply(ufunc, (self, other), op) if _usable(self, other) else NotImplemented

        setattr(Dual, f"__{name}__", compare)
    for name, (ufunc, op) in _UNARY.items():

        def unary(self, ufunc=ufunc, op=op):
            return ufuncs.apply(ufunc, (self,), op)

        setattr(Dual, f"__{name}__", unary)
    Array.__hash__ = None


_install()
