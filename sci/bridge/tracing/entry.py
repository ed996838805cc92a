"""What is known about one description of a callable: its programs by signature, and its witnesses."""

from __future__ import annotations

import threading

import numpy as np

from sci.bridge.cache import LRU

from . import inputs
from .errors import TraceError, TraceReason, error_at
from .program import leaf_kinds, record_jax, record_numpy
from .rebuild import World
from .verify import RandomGuard

_PYTHON = {float: np.dtype("f8"), complex: np.dtype("c16"), int: np.dtype("i8"), bool: np.dtype(bool)}


class Entry:
    """Everything known about one description of a callable: its programs, by signature."""

    __slots__ = ("example", "hash", "jax_style", "key", "lock", "names", "place", "programs", "verified", "witnesses")

    def __init__(self, key, jax_style, place, names):
        self.key, self.jax_style, self.place = key, jax_style, place
        self.names = names  # that the callable's code uses: attributes of arguments are seen by name
        self.hash, self.lock = hash(key), threading.RLock()
        self.example = key[1]
        self.programs, self.verified = LRU(32, shared=False), LRU(32, shared=False)
        self.witnesses = {}

    def __hash__(self):
        return self.hash

    def __eq__(self, other):
        return self is other or (type(other) is Entry and self.hash == other.hash and self.key == other.key)

    def __repr__(self):
        return f"<traced code {name_of(self.key[0])}>"

    def program(self, arguments, values, split, signature, witness):
        """The program of a signature, recorded if it is new."""
        found = self.programs.get(signature)
        if found is None:
            with self.lock:
                found = self.programs.get(signature)
                if found is None:
                    found = self.programs.put(signature, self._record(arguments, witness(), split))
        return found

    def _record(self, arguments, witness, split):
        function = self.key[0]
        trace_place = self.place  # where `user_frame` ends its search
        with RandomGuard() as guard:
            program = self._trace(function, arguments, witness, split)
        if guard.moved:
            raise error_at(trace_place, TraceReason.RANDOM, "the global random state moved")
        return program

    def _trace(self, function, arguments, witness, split):
        if self.jax_style:
            try:
                return record_jax(function, arguments, witness, split)
            except TraceError:
                raise
            except Exception as error:
                cause = error
            try:
                return record_numpy(function, arguments, witness, split)
            except TraceError as error:
                raise error from cause
        return record_numpy(function, arguments, witness, split)


def witness_for(entry, values, split):
    """Concrete stand-ins: the values themselves, else those of the example, else invented ones."""
    found = []
    for i, value in enumerate(values):
        if not inputs.is_tracer(value):
            found.append(inputs.concrete(value))
            continue
        kept = entry.witnesses.get((i < split, i if i < split else i - split, value.shape))
        found.append(inputs.concrete(value) if kept is None else kept.astype(value.dtype))
    return found


def double(value):
    if value.dtype.kind == "f" and value.dtype != np.float64:
        return value.astype(np.float64)
    return value.astype(np.complex128) if value.dtype == np.complex64 else value


def dtype_of(value):
    found = getattr(value, "dtype", None)
    return found if found is not None else _PYTHON[type(value)]


def plain_function(entry, leaves):
    """The original function with other captured values."""
    kinds = leaf_kinds(entry.key[0], {})
    return World([inputs.witness_of(kinds.get(i, "a"), v) for i, v in enumerate(leaves)], False).build(entry.key[0])


def code_of(fun):
    """Code object behind a callable, or None."""
    for _ in range(8):
        if hasattr(fun, "__code__"):
            return fun.__code__
        if hasattr(fun, "__func__"):
            fun = fun.__func__
        elif hasattr(fun, "func"):
            fun = fun.func
        else:
            return getattr(vars(type(fun)).get("__call__"), "__code__", None)
    return None


def name_of(node):
    """Name of the callable that a description describes."""
    return node[4] if node[0] == "fn" else name_of(node[1]) if node[0] in ("method", "partial") else node[0]
