"""``y[mask]`` with a computed mask: the length is unknown, so the full array is kept with its mask."""

from __future__ import annotations

import numpy as np

from . import ufuncs
from .errors import TraceReason
from .tape import refuse
from .values import any_traced, plain, ref


class Masked:
    """Values of ``full`` where ``mask`` holds; only elementwise work and full reductions are allowed."""

    __slots__ = ("full", "key", "mask")
    __array_priority__ = 2e6

    def __init__(self, full, mask):
        self.full, self.mask, self.key = full, mask, ref(mask)

    def __array_ufunc__(self, ufunc, method, *args, **kwargs):
        if method != "__call__" or kwargs:
            self._refuse()
        return elementwise(ufunc, args)

    def __array_function__(self, function, types, args, kwargs):
        return reduction(function, args, kwargs)

    def _refuse(self, *_, **__):
        refuse(TraceReason.SHAPE, "an array whose length is a computed mask's count", "use np.where")

    __len__ = __iter__ = __bool__ = __float__ = __int__ = __index__ = __array__ = __str__ = __repr__ = _refuse
    __getitem__ = __setitem__ = __hash__ = _refuse

    def __getattr__(self, name):
        if name in _FILL:
            return lambda *a, **k: reduction(getattr(np, name), (self, *a), k)
        if name == "copy":
            return lambda: self
        if name == "dtype":
            return self.full.dtype
        if hasattr(np.ndarray, name):
            self._refuse()
        raise AttributeError(name)


def same_mask(value, mask):
    """Whether a Masked was read with this very mask."""
    return value.key == ref(mask)


def read(array, mask):
    """``array[mask]`` for a mask of the array's shape."""
    if np.shape(mask._w) != array._w.shape:
        array._w[plain(mask)]
        refuse(TraceReason.SHAPE, "rows selected by a computed mask", "use np.where")
    return Masked(array[...].copy(), mask)


def elementwise(ufunc, args):
    """A ufunc on Masked values of one mask and numbers."""
    first = next(a for a in args if type(a) is Masked)
    operands = []
    for value in args:
        if type(value) is Masked:
            if value.key != first.key:
                first._refuse()
            operands.append(value.full)
        else:
            if np.ndim(plain(value)):
                first._refuse()
            operands.append(value)
    return Masked(ufuncs.apply(ufunc, operands), first.mask)


_FILL = {"sum": 0, "prod": 1, "any": False, "all": True, "max": None, "min": None, "mean": None}


def reduction(function, args, kwargs):
    """Full reductions of a Masked value."""
    from .by_hand import where
    from .functions import call_numpy

    value, name = args[0], function.__name__
    name = {"amax": "max", "amin": "min"}.get(name, name)
    if type(value) is not Masked or name not in _FILL or len(args) > 1 or any_traced(kwargs) or kwargs:
        (value if type(value) is Masked else next(a for a in args if type(a) is Masked))._refuse()
    if name == "mean":
        total = reduction(np.sum, (value,), {})
        return ufuncs.apply(np.divide, (total, call_numpy(np.sum, (value.mask,), {})))
    fill = _FILL[name]
    if fill is None:  # the original raises on an empty selection; NaN here
        if value.full._w.dtype.kind != "f":
            value._refuse()
        found = where(np.where, value.mask, value.full, -np.inf if name == "max" else np.inf)
        result = call_numpy(function, (found,), {})
        return ufuncs.apply(np.add, (result, where(np.where, call_numpy(np.any, (value.mask,), {}), 0.0, np.nan)[()]))
    return call_numpy(function, (where(np.where, value.mask, value.full, fill),), {})


def _install():
    from .operators import _BINARY, _COMPARE, _UNARY

    for table in (_BINARY, _COMPARE):
        for name, (ufunc, _op) in table.items():
            if name in ("matmul", "divmod"):
                continue

            def forward(self, other, ufunc=ufunc):
                return elementwise(ufunc, (self, other))

            def backward(self, other, ufunc=ufunc):
                return elementwise(ufunc, (other, self))

            setattr(Masked, f"__{name}__", forward)
            if table is _BINARY:
                setattr(Masked, f"__r{name}__", backward)
    for name, (ufunc, _op) in _UNARY.items():
        setattr(Masked, f"__{name}__", lambda self, ufunc=ufunc: elementwise(ufunc, (self,)))


_install()
