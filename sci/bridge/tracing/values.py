"""Dual values: a node of the tape beside the concrete NumPy witness of the same thing.

`Scalar` stands for a Python or NumPy number that depends on the inputs. Arrays are in `arrays`.
Numbers that do not depend on the inputs stay plain numbers.
"""

from __future__ import annotations

import numbers

import numpy as np

from .errors import TraceReason
from .tape import current, refuse

NUMBERS = (int, float, complex, np.generic)
PYTHON_DTYPES = {bool: np.dtype(bool), int: np.dtype("i8"), float: np.dtype("f8"), complex: np.dtype("c16")}


class Dual:
    """Base of `Scalar` and `Array`: what Python asks of a number, answered by recording."""

    __slots__ = ("_w",)
    __array_priority__ = 1e6

    # -- NumPy protocols ----------------------------------------------------------------------

    def __array_ufunc__(self, ufunc, method, *args, **kwargs):
        from . import ufuncs

        return ufuncs.call_method(ufunc, method, args, kwargs)

    def __array_function__(self, function, types, args, kwargs):
        from .functions import call_numpy

        return call_numpy(function, args, kwargs)

    def __array__(self, dtype=None, copy=None):
        if not traced(self):
            return np.array(self._w, dtype=dtype)
        refuse(TraceReason.CONVERSION, "np.asarray by code outside the trace")

    # -- conversions that need the value --------------------------------------------------------

    def __bool__(self):
        if not traced(self):
            return bool(self._w)
        witness = self._w
        if np.size(witness) != 1:
            return bool(witness)  # NumPy raises its own error
        recorder = current()
        number = ref(self)
        if recorder.nodes[number].dtype != np.bool_ or recorder.nodes[number].shape != ():
            from . import ufuncs

            flat = self if np.ndim(witness) == 0 else self.reshape(())
            number = ref(ufuncs.apply(np.not_equal, (flat, 0)))
        return recorder.decide(number, bool(witness))

    def _value(self, reason, detail, convert):
        if not traced(self):
            return convert(self._w)
        refuse(reason, detail, "keep it an array, or pass it as a Python int")

    def __float__(self):
        return self._value(TraceReason.CONVERSION, "float() by code outside the trace", float)

    def __complex__(self):
        return self._value(TraceReason.CONVERSION, "complex() by code outside the trace", complex)

    def __int__(self):
        return self._value(TraceReason.CONVERSION, "int() by code outside the trace", int)

    def __index__(self):
        if not traced(self):
            return self._w.__index__()
        if not hasattr(self._w, "__index__") or getattr(self._w, "dtype", np.dtype("i8")).kind not in "iu":
            raise TypeError(f"'{type(self._w).__name__}' object cannot be interpreted as an integer")
        refuse(TraceReason.INDEX, "", "make sizes, indices and loop counts Python ints")

    def __str__(self):
        return self._value(TraceReason.STRING, "", str)

    def __repr__(self):
        return self._value(TraceReason.STRING, "", repr)

    def __format__(self, spec):
        return self._value(TraceReason.STRING, "", lambda w: format(w, spec))

    def __hash__(self):
        hash(self._w)  # arrays raise TypeError of their own
        refuse(TraceReason.HASH)

    def __copy__(self):
        from .methods import copy_value

        return copy_value(self)

    def __deepcopy__(self, memo):
        return self.__copy__()

    def __reduce_ex__(self, protocol):
        refuse(TraceReason.CONVERSION, "pickling a traced value")

    def __getattr__(self, name):
        from .methods import attribute

        return attribute(self, name)

    # -- arithmetic that is not a plain ufunc ------------------------------------------------------

    def __round__(self, ndigits=None):
        from .methods import round_value

        return round_value(self, ndigits)

    def __trunc__(self):
        return self._to_int("trunc")

    def __floor__(self):
        return self._to_int("floor")

    def __ceil__(self):
        return self._to_int("ceil")

    def _to_int(self, how):
        from .methods import to_int

        return to_int(self, how)


class Scalar(Dual):
    """A Python or NumPy number that depends on the inputs."""

    __slots__ = ("_n",)

    def __init__(self, number, witness):
        self._n, self._w = number, witness

    @property
    def __class__(self):
        return type(self._w)

    def __getitem__(self, index):
        self._w[index]  # Python numbers raise TypeError, NumPy's IndexError, of their own
        if index == ():
            return self
        from .methods import as_array_value

        return as_array_value(self)[index]


class CapturedInteger(Scalar):
    """A Python int that the function captured (a loop index in a fresh lambda), as an input.

    It may only meet floats, by + - * /. Anything else refuses, and `to_jax` tries again with the int
    as a constant: indices, sizes, powers, branches, and products of ints, which have no bound in
    Python and wrap around in 64 bits.
    """

    __slots__ = ()
    const = False

    def node(self):
        refuse(TraceReason.INDEX, "a captured int is more than a summand or factor of floats")

    def scalar(self):
        """As a plain `Scalar`, for an operation that is known to be safe."""
        return Scalar(self._n, self._w)


def traced(value):
    """Whether ``value`` is a dual that depends on the inputs."""
    kind = type(value)
    if kind is Scalar:
        return True
    return issubclass(kind, Dual) and not value.const


def any_traced(value):
    """Whether a nest of lists, tuples and dicts holds a traced value."""
    kind = type(value)
    if kind is Scalar:
        return True
    if issubclass(kind, Dual):
        return not value.const
    if issubclass(kind, (list, tuple)):
        return any(map(any_traced, value))
    if issubclass(kind, dict):
        return any(map(any_traced, value.values()))
    if kind is slice:
        return traced(value.start) or traced(value.stop) or traced(value.step)
    return False


def has_dual(value):
    """Whether a nest of lists and tuples holds any dual, constant ones included."""
    kind = type(value)
    if issubclass(kind, Dual):
        return True
    return issubclass(kind, (list, tuple)) and any(map(has_dual, value))


def plain(value):
    """The witness of a nest: duals become NumPy values, shims the originals."""
    kind = type(value)
    if issubclass(kind, Dual):
        return value._w
    if kind in (float, int, str, bool, np.ndarray, type(None), np.float64):
        return value
    real = getattr(kind, "shim_original", None)
    if real is not None:
        return value.shim_original
    if kind is list:
        return [plain(v) for v in value]
    if kind is slice:
        return slice(plain(value.start), plain(value.stop), plain(value.step))
    if issubclass(kind, list):
        return [plain(v) for v in value]
    if issubclass(kind, tuple):
        return tuple(plain(v) for v in value)  # named tuples included: NumPy sees sequences only
    if issubclass(kind, dict):
        return {plain(k): plain(v) for k, v in value.items()}
    return value


def ref(value):
    """Node number of a dual or a plain number or array."""
    kind = type(value)
    if kind is Scalar:
        return value._n
    if issubclass(kind, Dual):
        return value.node()
    return current().constant(plain(value))


def is_number(value):
    """Whether ``value`` may stand beside an array in arithmetic."""
    return isinstance(value, (Dual, np.ndarray, numbers.Number, np.generic)) or issubclass(type(value), Dual)


def python_number(value):
    """Whether the witness is a Python number (weak in NumPy's promotion), not a NumPy one."""
    witness = value._w if issubclass(type(value), Dual) else value
    return type(witness) in PYTHON_DTYPES


def wrap(number, witness, readonly=None):
    """Dual of node ``number`` with the given witness."""
    if isinstance(witness, np.ndarray):
        from .arrays import Array, Buffer

        if not witness.flags.owndata or not witness.flags.c_contiguous or not witness.flags.writeable:
            witness = witness.copy()
        return Array(Buffer(witness, number, readonly), witness)
    return Scalar(number, witness)


def wrap_constant(value):
    """Arrays computed from constants become constant duals, so that they can be written into."""
    kind = type(value)
    if issubclass(kind, np.ndarray):
        if value.dtype.kind in "biufc" and kind is np.ndarray:
            from .arrays import Array, Buffer

            if not value.flags.owndata or not value.flags.c_contiguous or not value.flags.writeable:
                value = value.copy()
            return Array(Buffer(value, None), value)
        return value
    if kind in (tuple, list):
        return kind(wrap_constant(v) for v in value)
    if issubclass(kind, tuple) and hasattr(kind, "_make"):
        return kind._make(wrap_constant(v) for v in value)
    return value
