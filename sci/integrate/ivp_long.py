"""Long integrations of `solve_ivp` in the NumPy world: in pieces, so that Ctrl-C and a progress bar come through.

Compiled code does not look at signals. A solve that takes more than a few thousand steps therefore goes on in pieces
of a quarter of a second; shorter ones do not notice.
"""

from __future__ import annotations

import functools
import time
from types import SimpleNamespace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax._src.core import trace_state_clean  # has no public name

from sci.bridge import Call, platform
from sci.bridge.cache import LRU
from sci.bridge.worlds import double_precision
from sci.integrate.ivp_events import event_values
from sci.integrate.ode_solvers import step_problem
from solvers import ode
from solvers.ode import pieces, stepper
from solvers.ode.problem import outcome

__all__ = ["ProgressBar", "first_budget", "in_pieces", "is_long", "remember", "solve_long", "too_large"]

#: Attempted steps before a solve counts as long, for few states and for many.
_STEPS, _WORK, _LEAST = 50_000, 10_000_000, 100
#: Seconds of a piece, and the steps that it may record.
_PIECE, _ROWS = 0.25, 1 << 20
#: Largest record of one run, in units of the steps that it may take; and of a piece with events, whose zeros are sought
#: in all steps at once.
_GROWN, _WATCHED = 4, 1 << 11

_long = LRU(256)


def _key(call: Call) -> Any:
    """What tells one problem from another; its numbers do not."""
    functions = jax.tree.structure((call["fun"], call["jac"], call["events"]))
    return functions, call["method"], call["y0"].shape, call["t_eval"] is None, call["dense_output"]


def first_budget(call: Call) -> int:
    """Attempted steps of the first run: about a second of work for dense linear algebra, at most."""
    n = cost = max(call["y0"].size, 1)
    if call["method"] in ("Radau", "BDF", "LSODA") or isinstance(call["method"], ode.Rodas5P):
        pattern = call["pattern"]
        cost *= n if pattern is None or pattern.lower is None else pattern.lower + pattern.upper + 1
    return min(call["max_steps"], max(_LEAST, min(_STEPS, _WORK // cost)))


def in_pieces(call: Call) -> bool:
    """Whether a solve can run in pieces: not in a trace."""
    return trace_state_clean()


def too_large(call: Call, size: int) -> bool:
    """Whether a record of ``size`` steps, for events or dense output, is more than a run of the first budget needs."""
    return (call["events"] is not None or call["dense_output"]) and size > _GROWN * first_budget(call)


def is_long(call: Call) -> bool:
    """Whether the same problem was long before."""
    return _long.get(_key(call)) is not None


def remember(call: Call) -> None:
    """Note that this problem is long."""
    _long.put(_key(call), True)


class ProgressBar:
    """A bar of tqdm over the interval, or nothing."""

    def __init__(self, wanted: bool, t0: float, t1: float) -> None:
        self._bar: Any = None
        self._start, self._length = t0, abs(t1 - t0)
        if wanted:
            from tqdm.auto import tqdm  # a notebook's or a terminal's; not cheap to import

            self._bar = tqdm(total=100.0, unit="%", bar_format="{l_bar}{bar}| {elapsed}<{remaining}")

    def at(self, t: float) -> None:
        """Move it to time ``t``."""
        if self._bar is not None and self._length:
            self._bar.update(100.0 * abs(t - self._start) / self._length - self._bar.n)

    def __enter__(self) -> ProgressBar:
        return self

    def __exit__(self, *exception: object) -> None:
        if self._bar is not None:
            self._bar.close()


def _problem(a: dict[str, Any], dtype: Any, vectorized: bool) -> Any:
    def bound(function: Any) -> Any:
        return None if function is None else lambda t, y: function(t, y, *a["args"])

    problem = step_problem(bound(a["fun"]), bound(a["jac"]), vectorized, a["t0"], a["t1"], dtype, a)
    return problem._replace(max_steps=jnp.asarray(a["max_steps"], jnp.int32))


@functools.cache
def _compiled() -> tuple[Any, Any, Any, Any]:
    """Start; a piece with outputs, with all steps, with events or interpolants.

    ``fixed``: method, vectorized, automatic.
    """
    platform.ensure_ready()

    def numbers(problem: Any, state: Any, fixed: Any) -> Any:
        counts = fixed[0].counts(state, fixed[2])
        return jnp.stack([jnp.asarray(x, state.t.dtype) for x in (state.t, outcome(problem, state), *counts)])

    def start(a: Any, y0: Any, first_step: Any, fixed: Any) -> Any:
        return stepper.start(fixed[0], _problem(a, y0.dtype, fixed[1]), y0, first_step)

    def outputs(a: Any, state: Any, t_eval: Any, found: Any, count: Any, fixed: Any) -> Any:
        problem = _problem(a, state.y.dtype, fixed[1])
        state, found = stepper.outputs(fixed[0], problem, state, t_eval, found, count)
        return state, found, numbers(problem, state, fixed)

    def steps(a: Any, state: Any, count: Any, fixed: Any, capacity: int) -> Any:
        problem = _problem(a, state.y.dtype, fixed[1])
        state, block = stepper.steps(fixed[0], problem, state, count, capacity, fixed[2], last=False)
        return state, block, numbers(problem, state, fixed)

    def recorded(
        a: Any, state: Any, watched: Any, t_eval: Any, found: Any, count: Any, fixed: Any, capacity: int, dense: bool
    ) -> Any:
        problem = _problem(a, state.y.dtype, fixed[1])
        if watched is not None:
            watched = pieces.Watched(event_values, *watched)
        state, piece = pieces.piece(
            fixed[0], problem, state, count, capacity, watched, t_eval=t_eval, outputs=found, dense=dense
        )
        return state, piece, numbers(problem, state, fixed)

    options = platform.quick_options()
    return (
        jax.jit(start, static_argnames="fixed", compiler_options=options),
        jax.jit(outputs, static_argnames="fixed", compiler_options=options),
        jax.jit(steps, static_argnames=("fixed", "capacity"), compiler_options=options),
        jax.jit(recorded, static_argnames=("fixed", "capacity", "dense"), compiler_options=options),
    )


def solve_long(call: Call, method: Any, bar: ProgressBar) -> Any:
    """The solution, computed in pieces."""
    numbers = ("t0", "t1", "rtol", "atol", "max_step", "min_step")
    a = {name: call[name] for name in ("fun", "jac", "jacobian", "pattern", "args", "max_steps")}
    a |= {name: np.asarray(call[name], float) for name in numbers}
    a["first"] = None
    if call["method"] != "LSODA":
        a["min_step"] = None
    fixed = method, call["vectorized"], call["first_step"] is None
    first = None if call["first_step"] is None else np.float64(call["first_step"])
    with double_precision():
        state = _compiled()[0](a, call["y0"], first, fixed=fixed)
        if call["events"] is not None or call["dense_output"]:
            return _recorded(call, a, state, fixed, bar)
        if call["t_eval"] is None:
            return _all_steps(call, a, state, fixed, bar)
        return _at_outputs(call, a, state, fixed, bar)


class _Pace:
    """The steps of the next piece, from the time that the last one took."""

    def __init__(self, most: int) -> None:
        self.count, self._most, self._last = min(256, most), most, time.perf_counter()

    def next(self) -> None:
        now = time.perf_counter()
        spent, self._last = now - self._last, now
        factor = min(8.0, max(0.1, _PIECE / max(spent, 1e-6)))
        self.count = int(min(self._most, max(1, self.count * factor)))


def _at_outputs(call: Call, a: Any, state: Any, fixed: Any, bar: ProgressBar) -> Any:
    method = fixed[0]
    asked = np.asarray(call["t_eval"], float)
    times, found = np.append(asked, a["t1"]), stepper.blank_outputs(asked, jnp.asarray(call["y0"]))
    pace = _Pace(np.iinfo(np.int32).max // 2)
    while True:
        state, found, numbers = _compiled()[1](a, state, times, found, np.int32(pace.count), fixed=fixed)
        t, code, *counts = np.asarray(numbers).tolist()
        bar.at(t)
        if code != stepper.RUNNING:
            break
        pace.next()
    nfev = counts[0] + method.dense_nfev * int(found.touched)
    return _solution(None, np.array(found.y), int(found.n), code, nfev, *counts[1:])


def _all_steps(call: Call, a: Any, state: Any, fixed: Any, bar: ProgressBar) -> Any:
    n = call["y0"].size
    capacity = max(16, min(1 << 14, _ROWS // n))
    pace = _Pace(capacity)
    ts, ys = [np.array([float(a["t0"])])], [np.asarray(call["y0"])[None]]
    while True:
        state, block, numbers = _compiled()[2](a, state, np.int32(pace.count), fixed=fixed, capacity=capacity)
        t, code, *counts = np.asarray(numbers).tolist()
        taken = int(block.n)
        ts.append(np.array(np.asarray(block.numbers)[:taken, 0]))
        ys.append(np.array(np.asarray(block.y)[:taken]))
        bar.at(t)
        if code != stepper.RUNNING:
            break
        pace.next()
    t, y = np.concatenate(ts), np.concatenate(ys)
    return _solution(t, y, t.size, code, *counts)


def _recorded(call: Call, a: Any, state: Any, fixed: Any, bar: ProgressBar) -> Any:
    """With events, dense output, or both: every step is looked at, and kept where it is asked for."""
    method, dense, events = fixed[0], call["dense_output"], call["events"]
    held = call["y0"].size + sum(leaf.size for leaf in jax.tree.leaves(state.last))
    capacity = max(16, min(1 << 14 if events is None else _WATCHED, _ROWS // held))
    asked = None if call["t_eval"] is None else np.asarray(call["t_eval"], float)
    outputs = None if asked is None else np.full((asked.size, call["y0"].size), np.nan, call["y0"].dtype)
    limit = np.array(call["event_limit"])
    zeros = np.zeros(limit.shape, np.int32)
    pace, blocks, found, touched = _Pace(capacity), [], [], 0
    while True:
        watched = None
        if events is not None:
            left = np.where(limit > 0, limit - zeros, np.iinfo(np.int32).max).astype(np.int32)
            watched = (events, *call["args"]), call["event_direction"], left
        state, piece, numbers = _compiled()[3](
            a, state, watched, asked, outputs, np.int32(pace.count), fixed=fixed, capacity=capacity, dense=dense
        )
        t, _, *counts = np.asarray(numbers).tolist()
        outputs, taken, touched = piece.outputs, int(piece.n), touched + int(piece.touched)
        if dense or asked is None:
            blocks.append(jax.tree.map(lambda x, n=taken: np.array(x[:n]), (piece.t, piece.y, piece.coefficients)))
        if events is not None:
            found.append(jax.tree.map(np.asarray, piece.found))
            zeros = zeros + found[-1].n
        bar.at(t)
        code = int(piece.code)
        if code != stepper.RUNNING:
            break
        pace.next()
    t = y = sol = None
    if blocks:
        ends, states, coefficients = jax.tree.map(lambda *parts: np.concatenate(parts), *blocks)
        t, y = np.append(float(a["t0"]), ends), np.concatenate([np.asarray(call["y0"])[None], states])
        sol = ode.Dense(method, jnp.asarray(t), coefficients, jnp.asarray(ends.size, jnp.int32)) if dense else None
    n = 0 if t is None else t.size
    if asked is not None:
        end = float(found[-1].stop_t) if code == ode.status.EVENT else float(state.t)
        y, n = np.array(outputs), int(np.sum(np.sign(a["t1"] - a["t0"]) * (asked - end) <= 0))
    nfev = counts[0] + method.dense_nfev * touched
    return _solution(t, y, n, code, nfev, *counts[1:], dense=sol, events=_joined(found) if found else None)


def _joined(found: list[Any]) -> Any:
    """The events of all pieces, as lists."""
    k = len(found[0].n)
    times = [np.concatenate([f.t[e, : f.n[e]] for f in found]) for e in range(k)]
    states = [np.concatenate([f.y[e, : f.n[e]] for f in found]) for e in range(k)]
    return SimpleNamespace(t=times, y=states, n=np.array([t.size for t in times]))


def _solution(
    t: Any, y: Any, n: int, code: float, nfev: float, njev: float, nlu: float, dense: Any = None, events: Any = None
) -> Any:
    """What `solve_ivp` reads of a `Solution`."""
    status = int(code)
    return SimpleNamespace(
        t=t, y=y, n=n, status=status, nfev=int(nfev), njev=int(njev), nlu=int(nlu), events=events, dense=dense
    )
