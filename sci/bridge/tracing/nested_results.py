"""Results of solvers in the clone's world: SciPy's own objects, with duals for their numbers."""

from __future__ import annotations

import jax.numpy as jnp
import numpy as np

from . import structural
from .creation import array_value
from .errors import TraceReason, error_at, user_frame
from .shims.blocked import Blocked
from .tape import current, refuse
from .values import ref, wrap, wrap_constant

_FULL = -3  # solve_ivp in the JAX world: no room for more steps
_FIRST_LAST = "t and y without t_eval have a shape that depends on the values"
_HINT = "give t_eval, or use only the first and last entries: y[:, -1]"


class Result:
    """One call of a solver: its node, its name, and the node's parts."""

    def __init__(self, node, name, span):
        # span: t_span of a `solve_ivp` that chooses its own times
        self.node, self.name, self.span, self.place = node, name, span, user_frame(2)

    def present(self, value, path=()):
        """SciPy's result on the witness, its numbers replaced by parts of the node."""
        kind = type(value)
        if value is None or path[-1:] == ("method",):
            return value
        if kind is str:
            return Blocked(TraceReason.STRING, f"{self.what(path)} of {self.name}")
        if isinstance(value, dict):
            return kind({k: self.present(v, (*path, k)) for k, v in value.items()})
        if kind in (list, tuple):
            return kind(self.present(v, (*path, i)) for i, v in enumerate(value))
        if self.name == "scipy.integrate.solve_ivp":
            if path[-1] in ("t", "y") and self.span is not None:
                return Steps(self, path, value)
            if path[-1] == "sol":
                return ContinuousSolution(self, value)
        numeric = kind in (bool, int, float, complex) or isinstance(value, (np.ndarray, np.generic))
        if not numeric or np.asarray(value).dtype.kind not in "biufc":
            return Blocked(TraceReason.LIBRARY, f"{self.what(path)} of {self.name}")
        return self.part(lambda whole: self.pick(whole, path), value)

    def part(self, read, witness, *more):
        """Dual of what ``read`` takes out of the result in JAX (and of the nodes ``more``)."""
        recorder, array = current(), np.array(witness)
        number = recorder.add(read, (self.node, *more), array.shape, array.dtype, False)
        recorder.known[number] = array
        return wrap(number, witness)

    def pick(self, whole, path):
        for key in path:
            try:
                whole = whole[key]
            except (KeyError, IndexError, TypeError):
                whole = None
            if whole is None:
                raise error_at(self.place, TraceReason.LIBRARY, f"{self.what(path)} of {self.name}")
        if path == ("status",) and self.name == "scipy.integrate.solve_ivp":
            return jnp.maximum(whole, -1)  # SciPy has one code for failure
        return whole

    @staticmethod
    def what(path):
        return "the result's " + ".".join(map(str, path)) if path else "the result"


def constant(value):
    """A result that depends on nothing traced."""
    if isinstance(value, dict):
        return type(value)({k: constant(v) for k, v in value.items()})
    return wrap_constant(value)


class Steps(Blocked):
    """``t`` or ``y`` of `solve_ivp` at the solver's own steps: only the first and the last are known."""

    __slots__ = ("_path", "_result", "_turned", "_witness")

    def __init__(self, result, path, witness, turned=False):
        super().__init__(TraceReason.SHAPE, _FIRST_LAST)
        self._result, self._path, self._witness, self._turned = result, path, witness, turned

    def _use(self, *args, **kwargs):
        refuse(TraceReason.SHAPE, _FIRST_LAST, _HINT)

    def __getattr__(self, name):
        if name == "T":
            return Steps(self._result, self._path, self._witness, not self._turned)
        if name == "ndim":
            return self._witness.ndim
        if name.startswith("__") and name.endswith("__"):
            raise AttributeError(name)
        self._use()

    def __len__(self):
        if self._witness.ndim == 2 and not self._turned:
            return len(self._witness)
        self._use()

    def __iter__(self):
        return (self[i] for i in range(len(self)))

    def __getitem__(self, index):
        parts = index if type(index) is tuple else (index,)
        ndim = self._witness.ndim
        if Ellipsis in parts:
            at = parts.index(Ellipsis)
            parts = parts[:at] + (slice(None),) * (ndim - len(parts) + 1) + parts[at + 1 :]
        if self._turned and ndim == 2:
            parts = (parts[1] if len(parts) > 1 else slice(None), parts[0])
        if ndim == 2 and len(parts) == 1:  # a row of y
            return _Row(self._result, self._path, self._witness[parts[0]], self._witness, parts[0])
        step = parts[-1]
        if type(step) is not int or step not in (0, -1):
            self._use()
        return self._entry(parts[:-1], step)

    def _entry(self, rows, step):
        if self._path == ("t",):
            return self._time(step)

        def read(whole):
            value = self._result.pick(whole, self._path)[..., step]
            return jnp.where(whole["status"] == _FULL, jnp.nan, value)[rows]

        return self._result.part(read, self._witness[..., step][rows])

    def _time(self, step):
        """The first or the last time: an end of the interval, and differentiable as such, unless the solver failed."""
        end = self._result.span[step]
        if step == 0:
            return self._result.part(lambda _, start: start, self._witness[0], ref(end))

        def read(whole, end):
            value = self._result.pick(whole, self._path)[-1]
            reached = jnp.where(whole["status"] == _FULL, jnp.nan, value)
            return jnp.where(whole["status"] >= 0, structural.cast(structural.as_jax(end), value.dtype), reached)

        return self._result.part(read, self._witness[-1], ref(end))

    def __setitem__(self, index, value):
        self._use()


class _Row(Steps):
    """``y[i]``."""

    __slots__ = ("_row",)

    def __init__(self, result, path, witness, whole, row):
        if type(row) is not int:
            super().__init__(result, path, whole)
            self._use()
        super().__init__(result, path, witness)
        self._row = row

    def _entry(self, rows, step):
        def read(whole):
            value = self._result.pick(whole, self._path)[self._row, step]
            return jnp.where(whole["status"] == _FULL, jnp.nan, value)

        return self._result.part(read, self._witness[step])


class ContinuousSolution(Blocked):
    """``sol`` of ``solve_ivp(..., dense_output=True)``: may be called."""

    __slots__ = ("_owner", "_witness")

    def __init__(self, owner, witness):
        super().__init__(TraceReason.LIBRARY, "the result's sol")
        self._owner, self._witness = owner, witness

    def __call__(self, t):
        t = array_value(t)
        return self._owner.part(
            lambda whole, at: self._owner.pick(whole, ("sol",))(at), self._witness(np.array(t._w)), ref(t)
        )


__all__ = ["ContinuousSolution", "Result", "Steps", "constant"]
