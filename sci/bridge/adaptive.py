"""The policy `adaptive`: measured tiering, as in any just-in-time compiler.

Each call is filed under its function and the shapes, kinds and structural options of its arguments (a *tier*). A tier
starts on the original library and adds up the time spent there. When that exceeds what compiling would cost, our
version is compiled, timed, and the faster engine kept. Where no code of the user's has to run, a background thread
compiles, from half of that time on; unless a single call of the original takes longer.

Two shortcuts keep one long call from staying where it is slow. Array functions have a work estimate from their
shapes, refined by what was observed: a call predicted to be long is compiled at once. A solver's callable is watched
while the original runs: once the run has taken as long as a compilation, it is abandoned if the callable can be
traced (and is therefore known to have no effects), and our version takes over.

A ledger bounds what can be lost: compilations start only while the time they cost, less what compiled calls have
saved, stays under `_ALLOWANCE`.
"""

from __future__ import annotations

import contextvars
import threading
import time
from collections import OrderedDict
from typing import Any

import numpy as np

from sci.bridge.worlds import is_jax

__all__ = ["call", "clear", "last_call"]

COLD, WARMING, READY, OURS, HOST = range(5)

#: What a first compilation is taken to cost, in seconds, until one was measured: a body of arrays, a traced callable.
_COST_ARRAYS, _COST_CALLABLE = 0.35, 0.7
#: Net loss in seconds beyond which no further compilation starts.
_ALLOWANCE = 1.5
#: Seconds per unit of work and its exponent in the number of elements: deliberately low, so that only what is
#: certainly long compiles at first sight. Replaced by observed rates.
_PRIORS = {"linalg": (5e-11, 1.5), "ndimage": (1e-8, 1.0), "special": (1e-8, 1.0), "cv2": (5e-10, 1.0)}
_NO_PRIOR = (1e-9, 1.0)
_MOST = 4096
_clock = time.perf_counter

_by_value = frozenset({str, bool, type(None)})
_by_type = frozenset({float, complex, np.float64, np.float32, np.complex128})
_host_only = ("callback", "disp", "iprint")


class Tier:
    """What is known of one function at one signature."""

    __slots__ = ("alive", "cost", "guess", "host", "host_calls", "least_host", "least_ours", "state", "work")

    def __init__(self, cost: float, work: float, guess: float, alive: Any) -> None:
        self.state = COLD
        self.cost, self.work = cost, work
        self.guess = guess  # seconds on the original by the prior rate, until one was observed
        self.host = 0.0
        self.host_calls = 0
        self.least_host = self.least_ours = float("inf")
        self.alive = alive  # code objects that stand in the key by their address


class _Ledger:
    """Seconds spent on compiling and trying, less seconds saved by compiled calls."""

    def __init__(self) -> None:
        self.net = 0.0

    def affords(self, cost: float) -> bool:
        return self.net + cost <= _ALLOWANCE


class _Switch(BaseException):
    """Leaves a run of the original; not an `Exception`, so that no solver swallows it."""


_tiers: OrderedDict[Any, Tier] = OrderedDict()
_rates: dict[str, float] = {}
_costs: dict[str, float] = {}
_ledger = _Ledger()
_background: threading.Thread | None = None
_last: tuple[str, float] = ("host", 0.0)


def last_call() -> tuple[str, float]:
    """Engine of the last adaptive call and the seconds it saved, for the profile."""
    return _last


def clear() -> None:
    """Forget all measurements."""
    _tiers.clear()
    _rates.clear()
    _costs.clear()
    _ledger.net = 0.0


def call(bridge: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """One call of a registered function under the adaptive policy."""
    global _last
    key = _key(bridge, args, kwargs)
    if key is None:  # the JAX world, or an option that only ours has
        return bridge.run(args, kwargs)
    tier = _tiers.get(key)
    if tier is None:
        tier = _new(bridge, key, args, kwargs)
    state = tier.state
    if state >= READY and state != HOST:
        return _ours(bridge, tier, args, kwargs)
    if state == COLD and _ledger.affords(tier.cost):
        # Arrays can be compiled for in the background; the script goes on meanwhile, so that half the cost is its own.
        # Where one more call of the original would take longer than compiling, it waits for that instead.
        background = tier.host_calls > 0 and not bridge.callables and tier.least_host <= tier.cost
        if tier.host >= (0.5 if background else 1.0) * tier.cost or _predicted(bridge, tier) > tier.cost:
            if not background:
                return _ours(bridge, tier, args, kwargs)
            _warm(bridge, tier, args, kwargs)
    watched = state == COLD and bridge.callables and tier.least_host > 0.1 * tier.cost
    start = _clock()
    if watched:
        result = _watched(bridge, tier, args, kwargs)
    else:
        result = bridge.resolve()(*args, **kwargs)
    took = _clock() - start
    if tier.state in (COLD, WARMING):
        tier.host += took
        tier.host_calls += 1
        if took < tier.least_host:
            tier.least_host = took
    if not watched:
        _last = ("host", 0.0)
    return result


# --- the key of a call -------------------------------------------------------------------------


def _key(bridge: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    # a solver's integers (spans, counts) are rarely structure; an array function's (orders, sizes, axes) mostly are
    names, dynamic = bridge.bind.positional, bridge.rules
    solver = bool(bridge.callables)
    parts: list[Any] = [bridge.name]
    try:
        for i, value in enumerate(args):
            kind = type(value)
            if kind is np.ndarray:
                parts.append((value.shape, value.dtype.char))
            elif kind in _by_type:
                parts.append(kind)
            else:
                parts.append(_part(value, solver or (i < len(names) and names[i] in dynamic)))
        for name, value in kwargs.items():
            if name in bridge.extra_names:
                return None
            parts.append((name, _part(value, solver or name in dynamic)))
    except _InJax:
        return None
    return tuple(parts)


class _InJax(Exception):
    """A JAX value was met."""


def _part(value: Any, dynamic: bool) -> Any:
    """What of an argument decides about cost and compilation."""
    kind = type(value)
    if kind is np.ndarray:
        return (value.shape, value.dtype.char)
    if kind in _by_value:
        return value
    if kind in _by_type:
        return kind
    if kind is int:
        return kind if dynamic else value
    if kind in (list, tuple):
        if len(value) > 8:
            return (kind, len(value), _part(value[0], dynamic))
        return (kind, *[_part(v, dynamic) for v in value])
    if kind is dict:
        return tuple([(k, _part(v, dynamic)) for k, v in value.items()])
    if is_jax(value):
        raise _InJax
    code = getattr(value, "__code__", None)
    return kind if code is None else id(code)


def _new(bridge: Any, key: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Tier:
    codes = [v.__code__ for v in (*args, *kwargs.values()) if hasattr(v, "__code__")]
    cost = _costs.get(bridge.name, _COST_CALLABLE if bridge.callables else _COST_ARRAYS)
    rate, exponent = next((v for k, v in _PRIORS.items() if f".{k}." in f".{bridge.name}"), _NO_PRIOR)
    work = _work(bridge, args, kwargs, exponent)
    tier = _tiers[key] = Tier(cost, work, rate * work, codes)
    if len(_tiers) > _MOST:
        _tiers.popitem(last=False)
    return tier


def _work(bridge: Any, args: tuple[Any, ...], kwargs: dict[str, Any], exponent: float) -> float:
    """Units of work of an array function; 0 where a callable decides."""
    if bridge.callables:
        return 0.0
    elements = max([int(np.size(v)) for v in (*args, *kwargs.values()) if isinstance(v, (np.ndarray, list))], default=1)
    return float(elements) ** exponent


def _predicted(bridge: Any, tier: Tier) -> float:
    """Seconds that a call is expected to take on the original, from its shapes."""
    rate = _rates.get(bridge.name)
    return tier.guess if rate is None else rate * tier.work


# --- the engines -------------------------------------------------------------------------------


def _ours(bridge: Any, tier: Tier, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Run ours, timed. A tier's first run compiles; the ones behind it are held against the original's time."""
    global _last
    first = tier.state == COLD
    start = _clock()
    routed = _Routed.set([])
    try:
        return bridge.run(args, kwargs)
    finally:
        took = _clock() - start
        went_to_host = bool(_Routed.get())
        _Routed.reset(routed)
        if went_to_host:  # ours does not take this call: never ask again
            tier.state = HOST
            _last = ("host", 0.0)
            if first:
                _ledger.net += took if tier.least_host == float("inf") else max(took - tier.least_host, 0.0)
        elif first:
            tier.state = READY
            _note_cost(bridge, took)
            expected = tier.least_host if tier.least_host < float("inf") else _predicted(bridge, tier)
            _ledger.net += took - min(expected, took)
            _last = ("compiled", 0.0)
        else:
            _judge(tier, took, _predicted(bridge, tier))
            _last = ("JAX", max(tier.least_host - took, 0.0) if tier.least_host < float("inf") else 0.0)


#: Set while ours runs: `note_route` then tells this module that the call went to the original after all.
_Routed: contextvars.ContextVar[list[bool] | None] = contextvars.ContextVar("sci_adaptive_routed", default=None)


def note_route() -> None:
    """Called by the host route."""
    seen = _Routed.get()
    if seen is not None:
        seen.append(True)


def _judge(tier: Tier, took: float, predicted: float) -> None:
    tier.least_ours = min(tier.least_ours, took)
    if tier.host_calls:
        _ledger.net -= tier.least_host - took
        if tier.state == READY:
            # two runs each: the first of ours after a background compilation meets cold caches
            if tier.least_ours <= tier.least_host:
                tier.state = OURS
            elif took > tier.least_ours or tier.least_ours > 3 * tier.least_host:
                tier.state = HOST
    else:
        tier.state = COLD if took > 0.5 * predicted > 0.0 else OURS


def _warm(bridge: Any, tier: Tier, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
    """Compile an array function in the background, on copies of the arguments. One at a time."""
    global _background
    if _background is not None and _background.is_alive():
        return
    copies = [v.copy() if isinstance(v, np.ndarray) else v for v in args]
    named = {k: v.copy() if isinstance(v, np.ndarray) else v for k, v in kwargs.items()}

    def work() -> None:
        start = _clock()
        try:
            bridge.warm(tuple(copies), named)
            state = READY
        except Exception:  # a HostRoute, or a bad argument: the original will say so itself
            state = HOST
        took = _clock() - start
        _note_cost(bridge, took)
        _ledger.net += 0.5 * took  # it shares the machine with the script
        tier.state = state

    tier.state = WARMING
    _learn(bridge, tier)
    # not a daemon: a compilation must not be cut off by the interpreter's end
    _background = threading.Thread(target=work, name="sci-adaptive", daemon=False)
    _background.start()


def _note_cost(bridge: Any, took: float) -> None:
    """What a first compilation of this function costs, as a running mean."""
    _costs[bridge.name] = 0.5 * (_costs.get(bridge.name, took) + took)


def _learn(bridge: Any, tier: Tier) -> None:
    if tier.work and tier.host_calls:
        rate = tier.least_host / tier.work
        _rates[bridge.name] = rate if bridge.name not in _rates else min(rate, _rates[bridge.name])


# --- leaving a long run of the original ----------------------------------------------------------


def _watched(bridge: Any, tier: Tier, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """The original with its callable watched; ours takes over if the run becomes long."""
    global _last
    _last = ("host", 0.0)
    original = bridge.resolve()
    place = _callable_argument(bridge, args, kwargs)
    if place is None or any(kwargs.get(name) for name in _host_only):
        return original(*args, **kwargs)
    start = _clock()
    watch = _watch(bridge, tier, place[1], args, kwargs, start + tier.cost)
    if isinstance(place[0], int):
        changed, named = (*args[: place[0]], watch, *args[place[0] + 1 :]), kwargs
    else:
        changed, named = args, {**kwargs, place[0]: watch}
    try:
        return original(*changed, **named)
    except _Switch:
        tier.least_host = min(tier.least_host, _clock() - start)  # at least so long
    try:
        return _ours(bridge, tier, args, kwargs)
    finally:
        if tier.state == READY:
            tier.state = OURS


def _callable_argument(bridge: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[Any, Any] | None:
    """Where the user's main callable stands (position or keyword), and itself: plain functions only."""
    for i, value in enumerate(args[:2]):
        if hasattr(value, "__code__"):
            return i, value
    for name in ("fun", "func", "f"):
        if hasattr(kwargs.get(name), "__code__"):
            return name, kwargs[name]
    return None


def _watch(bridge: Any, tier: Tier, function: Any, args: Any, kwargs: Any, deadline: float) -> Any:
    clock = _clock

    def watched(*values: Any, **named: Any) -> Any:
        nonlocal deadline
        if clock() > deadline:
            deadline = float("inf")
            if _ledger.affords(tier.cost) and _traceable(bridge, args, kwargs):
                raise _Switch
            tier.state = HOST
        return function(*values, **named)

    watched.__wrapped__ = function  # type: ignore[attr-defined]  # SciPy reads signatures
    watched.__name__ = getattr(function, "__name__", "watched")
    return watched


def _traceable(bridge: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> bool:
    """Whether ours takes this call: every step before the compiled body."""
    try:
        bridge.arguments(args, kwargs)
    except Exception:  # bad input too: the original words it
        return False
    return True
