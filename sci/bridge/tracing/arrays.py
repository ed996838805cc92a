"""Traced arrays: buffers with in-place writes as functional updates, and views that write through.

The witness of a view is a true NumPy view of the witness of its buffer, so NumPy itself keeps the
witnesses right. The tape sees a write as a new node for the whole buffer; where a view lies in it
is found by applying the view's steps to an array of positions.
"""

from __future__ import annotations

import numpy as np

from . import structural
from .errors import TraceReason
from .tape import current, current_or_none, refuse
from .values import Dual, Scalar, any_traced, has_dual, plain, ref, traced, wrap, wrap_constant

_OVERLAY = 64  # buffers up to this size collect single-element writes and join them once


class Buffer:
    """Storage of an array and of its views."""

    __slots__ = ("base", "born", "overlay", "readonly", "w")

    def __init__(self, witness, number, readonly=None):
        self.w, self.base, self.readonly = witness, number, readonly
        self.overlay = None
        recorder = current_or_none()
        self.born = 0
        if recorder is not None:
            recorder.serial += 1
            self.born = recorder.serial

    @property
    def const(self):
        return self.base is None

    def node(self):
        if self.base is None:
            return current().constant(self.w)
        if self.overlay:
            self.base = structural.overlay_node(self.base, self.overlay, self.w)
            self.overlay = None
        return self.base

    def element(self, position):
        """Node of one pending element, if it was written alone."""
        return self.overlay.get(position) if self.overlay else None

    def check_writable(self):
        if self.readonly is not None:
            refuse(*self.readonly)
        recorder = current()
        if recorder.scopes and self.born <= recorder.scopes[-1].start:
            recorder.unmergeable(TraceReason.OUTSIDE_WRITE, "an array from outside the function is changed", self.born)

    def write(self, positions, value, assign):
        """``assign()`` writes the witness; ``value`` goes to the flat ``positions`` of the tape's array."""
        self.check_writable()
        if self.base is None:
            if not traced(value):
                assign()
                return
            self.base = current().constant(self.w)
        source = ref(value)  # before the witness changes: the value may be a view of this buffer
        assign()
        positions = np.asarray(positions)
        source = structural.fit_node(source, positions.shape, self.w.dtype)
        if positions.ndim == 0 and self.w.size <= _OVERLAY:
            self.overlay = self.overlay or {}
            self.overlay[int(positions)] = source
        else:
            self.base = structural.update_node(self.node(), source, positions, self.w)


class Array(Dual):
    """An array of the clone's world: ``_w`` is the witness, a view of the buffer's witness."""

    __slots__ = ("_buffer", "_parent", "_step")

    def __init__(self, buffer, witness, parent=None, step=None):
        self._buffer, self._w, self._parent, self._step = buffer, witness, parent, step

    @property
    def __class__(self):
        return np.ndarray

    @property
    def const(self):
        return self._buffer.base is None

    def node(self):
        if self._parent is None:
            return self._buffer.node()
        if self.const:
            return current().constant(self._w)
        return structural.step_node(self._step, self._parent.node(), self._w)

    def positions(self):
        """Where each element lies in the flat buffer."""
        if self._parent is None:
            return np.arange(self._w.size).reshape(self._w.shape)
        return self._step.on_numpy(self._parent.positions())

    def derived(self, step, witness):
        """The view that ``step`` makes; ``witness`` is the same view of the witness."""
        return Array(self._buffer, witness, self, step)

    # -- sequence protocol -------------------------------------------------------------------------

    def __len__(self):
        return len(self._w)

    def __iter__(self):
        if self._w.ndim == 0:
            raise TypeError("iteration over a 0-d array")
        return (self[i] for i in range(len(self._w)))

    def __contains__(self, item):
        from . import ufuncs
        from .functions import call_numpy

        return bool(call_numpy(np.any, (ufuncs.apply(np.equal, (self, item)),), {}))

    def __getitem__(self, index):
        if any_traced(index):
            from .indexing import traced_read

            return traced_read(self, index)
        index = plain(index)
        witness = self._w[index]
        if not isinstance(witness, np.ndarray):
            if self.const:
                return witness
            position = self._step is None and self._buffer.overlay and self.positions()[index]
            if position is not None and position is not False:
                pending = self._buffer.element(int(position))
                if pending is not None:
                    return Scalar(pending, witness)
            step = structural.index_step(index, self._w.ndim)
            return Scalar(structural.step_node(step, self.node(), witness), witness)
        if structural.is_basic(index):
            return self.derived(structural.index_step(index, self._w.ndim), witness)
        if self.const:
            return wrap_constant(witness)
        places = np.arange(self._w.size).reshape(self._w.shape)[index]
        return wrap(structural.take_node(self.node(), places, witness), witness)

    def __setitem__(self, index, value):
        self._buffer.check_writable()
        if has_dual(value) and not issubclass(type(value), Dual):
            from .creation import array_value

            value = array_value(value)
        if any_traced(index):
            from .indexing import traced_write

            traced_write(self, index, value)
            return
        index = plain(index)

        def assign():
            self._w[index] = plain(value)

        if not traced(value) and self.const:
            assign()
            return
        self._buffer.write(self.positions()[index], value, assign)

    def __delitem__(self, index):
        raise ValueError("cannot delete array elements")

    # -- in-place arithmetic is added by `operators` ------------------------------------------------

    def __setattr__(self, name, value):
        if name in ("shape", "dtype", "strides", "flat", "real", "imag"):
            if name == "real" or name == "imag" or name == "flat":
                refuse(TraceReason.UNSUPPORTED, f"assignment to .{name} of an array")
            refuse(TraceReason.UNSUPPORTED, f"assignment to .{name}", "use reshape or astype")
        super().__setattr__(name, value)
