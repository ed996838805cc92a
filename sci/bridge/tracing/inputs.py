"""Leaves and example values: witnesses of inputs, invented where the input is abstract."""

from __future__ import annotations

import jax
import numpy as np

from .arrays import Array, Buffer
from .errors import TraceReason
from .values import CapturedInteger, Scalar

PYTHON = {"f": float, "c": complex, "i": int, "I": int, "b": bool}


def is_tracer(value):
    return isinstance(value, jax.core.Tracer)


def invented(shape, dtype):
    """Deterministic values that are nothing special: no zeros, no ties, no integers."""
    dtype, size = np.dtype(dtype), int(np.prod(shape))
    steps = (0.3718281828 + 0.6180339887498949 * np.arange(size)) % 1.0
    if dtype.kind == "b":
        return (steps > 0.5).reshape(shape)
    if dtype.kind in "iu":
        return (1 + np.arange(size) % 3).astype(dtype).reshape(shape)
    values = 0.25 + steps
    return (values * (1 + 0.5j) if dtype.kind == "c" else values).astype(dtype).reshape(shape)


def concrete(value):
    """NumPy value of a leaf, invented for tracers."""
    if is_tracer(value) or isinstance(value, jax.ShapeDtypeStruct):
        return invented(value.shape, value.dtype)
    return np.array(value)


def witness_of(kind, array):
    """What the user's function would be handed: a Python number, a NumPy scalar or an array."""
    if np.ndim(array) == 0:
        if kind == "f":
            return float(array) if array.dtype.kind != "c" else complex(array)
        if kind == "c":
            return complex(array)
        if kind in ("i", "I", "b"):
            return array.item()
        if kind == "s":
            return np.asarray(array)[()]
    return np.array(array)


def dual_input(recorder, kind, array, readonly):
    """Input node and dual of one leaf."""
    witness = witness_of(kind, array)
    number = recorder.add(None, (), np.shape(witness), np.asarray(witness).dtype, True)
    recorder.known[number] = np.asarray(witness)  # not a copy: inputs refuse writes
    if isinstance(witness, np.ndarray):
        return Array(Buffer(witness, number, readonly), witness)
    return CapturedInteger(number, witness) if kind == "I" else Scalar(number, witness)


CAPTURED = (TraceReason.OUTSIDE_WRITE, "a captured array is assigned to", "work on a copy")
ARGUMENT = (TraceReason.ARGUMENT_WRITE, "", "work on a copy: x = x.copy()")
