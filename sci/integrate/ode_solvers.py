"""The solver classes of `scipy.integrate`: compiled steps, handed out one by one by ``step()``.

A compiled call costs tens of microseconds, most steps cost one or two: so a call takes several steps ahead, more at
each call while they stay cheap. What a caller changes between two steps (`t_bound`, `y`, `h_abs`) takes effect as in
SciPy: the block is then run again up to the step that was handed out last.

They are subclasses of SciPy's, so that `isinstance`, `issubclass` and SciPy's own `solve_ivp` take them. A right-hand
side that cannot be traced gives an instance of SciPy's class, with the reason recorded.
"""

from __future__ import annotations

import functools
import inspect
import time
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import scipy.integrate
from scipy.integrate import OdeSolver
from scipy.integrate._ivp.common import validate_first_step, validate_max_step, validate_tol, warn_extraneous

from sci.bridge import HostRoute, Reason, TraceError, as_array, platform, to_jax
from sci.bridge.host import run_on_host
from sci.bridge.worlds import double_precision
from sci.integrate.ivp_jacobian import prepare_band, prepare_jacobian
from sci.integrate.ivp_output import Segment
from solvers import ode
from solvers.ode import stepper

__all__ = ["BDF", "DOP853", "LSODA", "RK23", "RK45", "SOLVERS", "Radau", "step_problem"]

_LSODA_FAILED = "Unexpected istate in LSODA."
#: Steps of the first call, growth from call to call, the most of one call, and the numbers a block may hold.
_FIRST, _GROWTH, _MOST, _ROOM = 8, 8, 512, 1 << 20
#: Seconds that a call may take for steps that nobody has asked for yet.
_AHEAD = 5e-3


def step_problem(fun: Any, jac: Any, vectorized: bool, t0: Any, t1: Any, dtype: Any, options: dict[str, Any]) -> Any:
    """The problem of the user's functions for `solvers.ode.stepper`; ``min_step`` is None for all but LSODA."""

    def rhs(t, y):
        slope = as_array(fun(t, y[:, None] if vectorized else y))
        return jnp.broadcast_to(slope.ravel() if vectorized else slope, y.shape).astype(y.dtype)

    pattern = options["pattern"]

    def jacobian(t, y):
        value = as_array(jac(t, y))
        if options["min_step"] is not None:  # LSODA takes a number for one variable
            value = jnp.atleast_2d(value)
        rows = y.size if pattern is None or not pattern.packed else pattern.lower + pattern.upper + 1
        if value.shape != (rows, y.size):
            raise ValueError(f"`jac` is expected to have shape {(rows, y.size)}, but actually has {value.shape}.")
        return value.astype(y.dtype)

    constant = options["jacobian"]
    matrix = None if constant is None else jnp.asarray(constant, dtype)
    bounds = None if options["min_step"] is None else ode.Limits(options["min_step"], first=options["first"])
    return stepper.problem(
        rhs, t0, t1, options["rtol"], options["atol"], options["max_step"], jacobian if jac is not None else matrix,
        bounds, pattern,
    )  # fmt: skip


@functools.cache
def _compiled() -> tuple[Any, Any, Any]:
    """The compiled start, steps and coefficients of the interpolant. Callables are pytrees: their code is the key."""
    platform.ensure_ready()

    def start(fun, jac, t0, t1, y0, first_step, options, method, vectorized):
        problem = step_problem(fun, jac, vectorized, t0, t1, y0.dtype, options)
        if jac is not None:  # a wrong shape is reported by the constructor
            jax.eval_shape(problem.jac, t0, y0)
        state = stepper.start(method, problem, y0, first_step)
        return state, jnp.stack([jnp.asarray(c, jnp.int32) for c in method.counts(state, first_step is None)])

    def steps(fun, jac, t0, t1, state, options, count, method, vectorized, automatic, capacity):
        problem = step_problem(fun, jac, vectorized, t0, t1, state.y.dtype, options)
        return stepper.steps(method, problem, state, count, capacity, automatic)

    def coefficients(fun, last, method, vectorized):
        return method.coefficients(lambda t, y: as_array(fun(t, y[:, None] if vectorized else y)).ravel(), last)

    options = platform.quick_options()
    names = {"start": ("method", "vectorized"), "steps": ("method", "vectorized", "automatic", "capacity")}
    return (
        jax.jit(start, static_argnames=names["start"], compiler_options=options),
        jax.jit(steps, static_argnames=names["steps"], compiler_options=options),
        jax.jit(coefficients, static_argnames=names["start"], compiler_options=options),
    )


class _Compiled:
    """What the classes share; goes before SciPy's class among the bases."""

    _engine: Any
    _name: str
    y: Any
    _complex = True
    _implicit = False
    _parameters: tuple[str, ...] = ()
    _failed = OdeSolver.TOO_SMALL_STEP

    def __new__(cls, fun: Any, t0: Any, y0: Any, t_bound: Any, *args: Any, **kwargs: Any) -> Any:
        self = object.__new__(cls)
        options = cls._named(args, kwargs)
        point = np.asarray(y0)
        try:
            if point.ndim == 1 and point.size and point.dtype.kind in "biufc" and callable(fun):
                self._trace(fun, float(t0), point.astype(complex if point.dtype.kind == "c" else float), options)
        except (HostRoute, TraceError) as error:
            if cls not in SOLVERS:
                raise
            known = isinstance(error, HostRoute)
            reason, detail = (error.reason, error.detail) if known else (Reason.UNTRACEABLE, str(error))
            name = f"scipy.integrate.{cls.__name__}"
            original = getattr(scipy.integrate, cls.__name__)
            return run_on_host(name, original, (fun, t0, y0, t_bound, *args), kwargs, reason, detail)
        return self

    @classmethod
    def _named(cls, args: tuple[Any, ...], kwargs: dict[str, Any]) -> dict[str, Any]:
        """Options by name, where they were given by position."""
        if not args:
            return kwargs
        names = list(inspect.signature(getattr(scipy.integrate, cls._name)).parameters)[4:-1]
        if len(args) > len(names):
            raise TypeError(f"{cls._name} takes at most {len(names)} options, got {len(args)}.")
        named = dict(zip(names, args, strict=False))
        if twice := sorted(set(named) & set(kwargs)):
            raise TypeError(f"{cls._name} got multiple values for argument {twice[0]!r}.")
        return named | kwargs

    def _trace(self, fun: Any, t0: float, y0: Any, options: dict[str, Any]) -> None:
        call: Any = {"y0": y0, "jac": None, "jacobian": None, "pattern": None}
        get = options.get
        if self._implicit:
            prepare_jacobian(call, get("jac"), get("jac_sparsity") if "jac_sparsity" in self._parameters else None)
        if "lband" in self._parameters:
            prepare_band(call, get("lband"), get("uband"))
        with double_precision():
            self._traced = to_jax(fun, t0, y0[:, None] if get("vectorized") else y0)
            self._traced_jac = None if call["jac"] is None else to_jax(call["jac"], t0, y0)
        self._linear = call["jacobian"], call["pattern"]

    def __init__(self, fun: Any, t0: Any, y0: Any, t_bound: Any, *args: Any, **kwargs: Any) -> None:
        self._prepare(fun, t0, y0, t_bound, **self._named(args, kwargs))

    def _prepare(
        self, fun: Any, t0: float, y0: Any, t_bound: float, max_step: float = np.inf, rtol: Any = 1e-3,
        atol: Any = 1e-6, vectorized: bool = False, first_step: float | None = None, **extraneous: Any,
    ) -> None:  # fmt: skip
        given = {name: extraneous.pop(name, None) for name in self._parameters}
        # of `ode`: the first output, which LSODA's first step has regard to, and the band
        first_output, _ = (extraneous.pop(name, None) for name in ("_first", "_pattern"))
        warn_extraneous(extraneous)
        OdeSolver.__init__(self, fun, t0, y0, t_bound, vectorized, support_complex=self._complex)  # type: ignore[arg-type]
        self.y_old: Any = None
        self.max_step = validate_max_step(max_step)
        self.rtol, self.atol = validate_tol(rtol, atol, self.n)  # type: ignore[attr-defined]
        least = given.get("min_step")
        if least is not None and least < 0:
            raise ValueError(f"`min_step` must be nonnegative, got {least}.")
        if first_step is not None:
            first_step = validate_first_step(first_step, t0, t_bound)
        self._automatic = first_step is None
        self._state: Any = None  # at the start of the block, and after it
        self._after: Any = None
        self._taken = self._length = self._interpolations = 0
        self._count = _FIRST
        self._ends: Any = np.zeros(0)
        if not self.n:  # type: ignore[attr-defined]
            return
        matrix, pattern = self._linear
        with double_precision():
            # on the device once: every conversion would cost microseconds at each call
            self._options = jax.tree.map(jnp.asarray, {
                "rtol": self.rtol, "atol": self.atol, "max_step": float(self.max_step), "jacobian": matrix,
                "pattern": pattern, "min_step": float(least or 0) if "min_step" in self._parameters else None,
                "first": first_output,
            })  # fmt: skip
            self._begin, self._end = jnp.asarray(float(t0)), (t_bound, jnp.asarray(float(t_bound)))
            self._after, counts = _compiled()[0](
                self._traced, self._traced_jac, self._begin, self._end[1], jnp.asarray(self.y),
                None if first_step is None else jnp.asarray(float(first_step)), self._options, method=self._engine,
                vectorized=bool(vectorized),
            )  # fmt: skip
        held = sum(a.size for a in jax.tree.leaves((self._after.y, self._after.last)))
        self._capacity = max(1, min(_MOST, _ROOM // held))
        self.nfev, self.njev, self.nlu = np.asarray(counts).tolist()
        self._handed: tuple[Any, Any] = self.t, self.y.tobytes()  # type: ignore[has-type]

    @property
    def h_abs(self) -> float:
        """Size of the next step to try."""
        if not self._taken:
            return abs(float(self._after.h))
        return abs(self._rows[self._taken - 1][1])

    @h_abs.setter
    def h_abs(self, value: float) -> None:
        self._rewind()
        self._after = self._after._replace(h=np.float64(value))

    def _run(self, count: int) -> Any:
        with double_precision():
            return _compiled()[1](
                self._traced, self._traced_jac, self._begin, self._end[1], self._state, self._options,
                np.int32(count), method=self._engine, vectorized=bool(self.vectorized),  # type: ignore[attr-defined]
                automatic=self._automatic, capacity=self._capacity,
            )  # fmt: skip

    def _rewind(self) -> None:
        """Make the state after the last step that was handed out the one that the next block starts from."""
        if self._taken < self._length:
            self._after = self._run(self._taken)[0]
            self._length = self._taken

    def _notice(self) -> None:
        """Take over what the caller has changed since the last step."""
        t, y = self.t, np.asarray(self.y)  # type: ignore[has-type]
        bound: float = self.t_bound  # type: ignore[attr-defined]
        if bound != self._end[0]:
            self._rewind()
            with double_precision():
                self._end = bound, jnp.asarray(float(bound))
        # a multistep method goes on from its history, whatever becomes of `y`
        if (t, y.tobytes()) != self._handed and not self._engine.multistep:
            self._rewind()
            shape, dtype = self._after.y.shape, self._after.y.dtype
            self._after = self._after._replace(t=np.float64(t), y=np.broadcast_to(y, shape).astype(dtype))

    def _next_block(self) -> None:
        self._state = self._after
        began = time.perf_counter()
        self._after, block = self._run(min(self._count, self._capacity))
        self._length, self._taken, self._last = int(block.n), 0, block.last
        numbers = np.asarray(block.numbers)[: self._length + 1]
        self._rows: list[Any] = numbers.tolist()
        self._ends = numbers[:, 0]
        self._states: Any = np.array(np.asarray(block.y)[: self._length])  # copied: the caller may write to them
        cheap = time.perf_counter() - began < _AHEAD
        self._count = min(self._count * _GROWTH, _MOST) if cheap else max(self._count // _GROWTH, 1)

    def _step_impl(self) -> tuple[bool, str | None]:
        y = np.asarray(self.y)
        if self.t_bound != self._end[0] or self.t != self._handed[0] or y.tobytes() != self._handed[1]:  # type: ignore[attr-defined, has-type]
            self._notice()
        if self._taken == self._length:
            self._next_block()
        taken = self._taken
        t, _, nfev, *rest = self._rows[taken]
        self.nfev, (self.njev, self.nlu) = int(nfev) + self._interpolations, map(int, rest)
        if taken == self._length:
            return False, self._failed
        self._taken = taken + 1
        self.t, self.y, self.y_old = t, self._states[taken], y
        self._handed = t, self.y.tobytes()
        return True, None

    def _skip(self, t: float, most: int) -> int:
        """Hand out the steps that end before ``t`` and are computed already, ``most`` at most, as one; their number."""
        if (self.t, self.y.tobytes()) != self._handed or self.t_bound != self._end[0]:  # type: ignore[attr-defined, has-type]
            return 0
        ends, first = self._ends[: self._length], self._taken
        count = min(int(np.searchsorted(self.direction * ends[first:], self.direction * t)), most)  # type: ignore[attr-defined]
        if count < 2:
            return 0
        self._taken = first + count
        self.t_old, self.t = self._rows[self._taken - 2][0], self._rows[self._taken - 1][0]
        self.y_old, self.y = self._states[self._taken - 2], self._states[self._taken - 1]
        self._handed = self.t, self.y.tobytes()
        return count

    def _dense_output_impl(self) -> Any:
        method, row = self._engine, self._taken - 1
        # after a block without a step (a failure), the last step is that of the block before
        last = jax.tree.map(lambda a: np.asarray(a)[row], self._last) if row >= 0 else self._state.last
        if method.dense_nfev:
            with double_precision():
                last = _compiled()[2](self._traced, last, method=method, vectorized=bool(self.vectorized))  # type: ignore[attr-defined]
            self.nfev += method.dense_nfev
            self._interpolations += method.dense_nfev
        else:
            last = method.coefficients(None, last)
        return Segment(self.t_old, self.t, method, jax.tree.map(np.asarray, last))  # type: ignore[attr-defined]


def _documented(cls: Any) -> Any:
    original = getattr(scipy.integrate, cls.__name__)
    cls.__module__, cls._name = "sci.integrate", cls.__name__
    cls.__doc__ = f"""{(original.__doc__ or "").strip().splitlines()[0]}

    The JAX version of `scipy.integrate.{cls.__name__}`, a subclass of it: compiled steps, some of them computed
    ahead. For NumPy callers; under `jax.jit` use `solve_ivp`. The attributes of SciPy's documentation are there,
    those that it does not document (``K``, ``J``, ``LU``) are not.

    Examples
    --------
    >>> from sci.integrate import {cls.__name__}
    >>> solver = {cls.__name__}(lambda t, y: -y, 0.0, [1.0], 1.0)
    >>> while solver.status == "running":
    ...     _ = solver.step()
    >>> solver.t
    1.0
    """
    return cls


@_documented
class RK23(_Compiled, scipy.integrate.RK23):
    _engine = ode.RK23()


@_documented
class RK45(_Compiled, scipy.integrate.RK45):
    _engine = ode.RK45()


@_documented
class DOP853(_Compiled, scipy.integrate.DOP853):
    _engine = ode.DOP853()


@_documented
class Radau(_Compiled, scipy.integrate.Radau):
    _engine = ode.Radau()
    _complex, _implicit, _parameters = False, True, ("jac", "jac_sparsity")


@_documented
class BDF(_Compiled, scipy.integrate.BDF):
    _engine = ode.BDF()
    _implicit, _parameters = True, ("jac", "jac_sparsity")


@_documented
class LSODA(_Compiled, scipy.integrate.LSODA):
    _engine = ode.LSODA()
    _complex, _implicit, _parameters = False, True, ("jac", "lband", "uband", "min_step")
    _failed = _LSODA_FAILED


SOLVERS = frozenset({RK23, RK45, DOP853, Radau, BDF, LSODA})
