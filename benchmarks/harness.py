"""The harness: pairs (ours, the original) timed side by side in one process, and single figures.

A topic file declares entries; `run` measures one. How each number is taken is written down in README.md.
"""

from __future__ import annotations

import gc
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

__all__ = ["Figure", "FigureResult", "Pair", "PairResult", "Timing", "Topic", "alternate", "run"]

#: One sample lasts at least this long: a short call is repeated inside it.
_SAMPLE_SECONDS = 2e-3
#: A thunk of a pair: no arguments, returns the result.
Thunk = Callable[[], Any]


def _whole(result: Any) -> Any:
    return result


@dataclass(frozen=True)
class Pair:
    """The same work done by us and by the original.

    Attributes
    ----------
    name : str
        Row of the table: the function, the size, the dtype.
    build : callable
        ``build(quick) -> (ours, original)``: makes the input, imports both, returns two thunks.
    ratio : float, optional
        Target: the original's time over ours, at least.
    first, cached : float, optional
        Targets in seconds: the first call in a fresh process, without and with the compilation cache.
    fresh : bool
        Whether first calls are measured at all (in processes of their own).
    memory : bool
        Whether the growth of peak memory in the first call is measured, there as well (ours from the
        cache: the compiler's own memory is not the work's).
    same : callable, optional
        What must agree between the two results; None where there is nothing to compare.
    rtol : float
        How closely, relative to the largest magnitude.
    """

    name: str
    build: Callable[[bool], tuple[Thunk, Thunk]]
    ratio: float | None = None
    first: float | None = None
    cached: float | None = None
    fresh: bool = True
    memory: bool = False
    same: Callable[[Any], Any] | None = _whole
    rtol: float = 1e-6


@dataclass(frozen=True)
class Figure:
    """A single number with its target.

    Attributes
    ----------
    name, unit : str
        What is measured, in which unit.
    measure : callable
        ``measure(quick) -> float``.
    at_most : float
        The target, in `unit`.
    """

    name: str
    unit: str
    measure: Callable[[bool], float]
    at_most: float


@dataclass
class Topic:
    """One file's entries; `pair` and `figure` are decorators that add to it."""

    name: str
    title: str
    entries: dict[str, Pair | Figure] = field(default_factory=dict)

    def pair(self, name: str, **facts: Any) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
        """Declare a pair; `facts` are attributes of `Pair`."""
        return self._adder(name, lambda build: Pair(name, build, **facts))

    def figure(self, name: str, unit: str, at_most: float) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
        """Declare a figure."""
        return self._adder(name, lambda measure: Figure(name, unit, measure, at_most))

    def _adder(self, name: str, make: Callable[..., Pair | Figure]) -> Callable[[Callable[..., Any]], Any]:
        if name in self.entries:
            raise ValueError(f"{self.name}: the entry {name!r} is declared twice")

        def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
            self.entries[name] = make(function)
            return function

        return decorate


@dataclass(frozen=True)
class Timing:
    """Seconds of one call: median and quartiles of `samples` samples."""

    median: float
    low: float
    high: float
    samples: int

    @classmethod
    def of(cls, seconds: list[float]) -> Timing:
        low, median, high = np.percentile(seconds, (25, 50, 75))
        return cls(float(median), float(low), float(high), len(seconds))


@dataclass
class PairResult:
    """What was measured of a pair. `on_host` names functions of ours that ran on the original."""

    entry: Pair
    ours: Timing | None = None
    original: Timing | None = None
    first: float | None = None
    cached: float | None = None
    original_first: float | None = None
    memory: float | None = None
    original_memory: float | None = None
    on_host: tuple[str, ...] = ()
    error: str = ""

    @property
    def ratio(self) -> float | None:
        """The original's median over ours: above 1 we are faster."""
        return None if self.ours is None or self.original is None else self.original.median / self.ours.median

    @property
    def targets(self) -> list[tuple[str, bool]]:
        """Each target as text, and whether it was met. What ran on the host or failed meets none."""
        entry, sound = self.entry, not (self.error or self.on_host)
        checks = (
            ("ratio >= {:g}", entry.ratio, self.ratio, lambda got, want: got >= want),
            ("first <= {:g} s", entry.first, self.first, lambda got, want: got <= want),
            ("cached <= {:g} s", entry.cached, self.cached, lambda got, want: got <= want),
        )
        return [
            (text.format(want), sound and got is not None and ok(got, want))
            for text, want, got, ok in checks
            if want is not None
        ]


@dataclass
class FigureResult:
    """A measured figure."""

    entry: Figure
    value: float | None = None
    error: str = ""

    @property
    def targets(self) -> list[tuple[str, bool]]:
        """As `PairResult.targets`."""
        met = self.value is not None and self.value <= self.entry.at_most
        return [(f"<= {self.entry.at_most:g} {self.entry.unit}", met)]


# --- steady state ------------------------------------------------------------------------------


def _timer(thunk: Thunk) -> tuple[Callable[[int], float], Any]:
    """``time(number)``: seconds a call over `number` calls; and the warm-up's result."""
    import jax

    result = thunk()
    # the wait costs microseconds that a NumPy result does not need
    waits = any(isinstance(leaf, jax.Array) for leaf in jax.tree_util.tree_leaves(result))
    wait = jax.block_until_ready if waits else lambda result: result
    result = wait(thunk())

    def sample(number: int) -> float:
        start = time.perf_counter()
        for _ in range(number):
            wait(thunk())
        return (time.perf_counter() - start) / number

    return sample, result


def _number(sample: Callable[[int], float]) -> int:
    """How many calls make one sample."""
    once = min(sample(1) for _ in range(3))
    return max(1, int(np.ceil(_SAMPLE_SECONDS / max(once, 1e-9))))


def alternate(ours: Thunk, original: Thunk, quick: bool = False) -> tuple[Timing, Timing, Any, Any]:
    """Time two thunks in turn, each round in the other order.

    Parameters
    ----------
    ours, original : callable
        No arguments. JAX results are waited for.
    quick : bool
        Three rounds only. Otherwise 7 to 41, as many as fit into about four seconds.

    Returns
    -------
    Timing, Timing, object, object
        Of ours and of the original, and their results.
    """
    (ours_timer, ours_result), (original_timer, original_result) = _timer(ours), _timer(original)
    numbers = _number(ours_timer), _number(original_timer)
    sides = (ours_timer, numbers[0], []), (original_timer, numbers[1], [])
    collecting = gc.isenabled()
    gc.collect()
    gc.disable()
    try:
        start = time.perf_counter()
        for i in range(3 if quick else 41):
            for timer, number, seconds in sides if i % 2 else sides[::-1]:
                seconds.append(timer(number))
            if i >= 6 and time.perf_counter() - start > 4.0:
                break
    finally:
        if collecting:
            gc.enable()
    return Timing.of(sides[0][2]), Timing.of(sides[1][2]), ours_result, original_result


def _assert_same(entry: Pair, ours: Any, original: Any) -> None:
    """A fast wrong answer is no result."""
    import jax

    if entry.same is None:
        return
    got = jax.tree_util.tree_leaves(entry.same(ours))
    expected = jax.tree_util.tree_leaves(entry.same(original))
    if len(got) != len(expected):
        raise AssertionError(f"{len(got)} outputs, the original has {len(expected)}")
    for a, b in zip(map(np.asarray, got), map(np.asarray, expected), strict=True):
        scale = float(np.max(np.abs(b), initial=0.0))
        if a.shape != b.shape or not np.allclose(a, b, rtol=entry.rtol, atol=entry.rtol * scale, equal_nan=True):
            worst = float(np.max(np.abs(a.astype(float) - b))) if a.shape == b.shape else float("nan")
            raise AssertionError(f"results differ by {worst:.3g} (magnitude {scale:.3g}, shapes {a.shape}, {b.shape})")


# --- one entry ---------------------------------------------------------------------------------


def run(topic: Topic, entry: Pair | Figure, quick: bool = False) -> PairResult | FigureResult:
    """Measure one entry. An exception ends up in the result's ``error``: the other entries go on."""
    if isinstance(entry, Figure):
        result = FigureResult(entry)
        try:
            result.value = float(entry.measure(quick))
        except Exception as error:
            result.error = _said(error)
        return result
    return _run_pair(topic, entry, quick)


def _run_pair(topic: Topic, entry: Pair, quick: bool) -> PairResult:
    import sci

    result = PairResult(entry)
    try:
        ours, original = entry.build(quick)
        sci.clear_fallbacks()
        result.ours, result.original, got, expected = alternate(ours, original, quick)
        result.on_host = tuple(sorted({r.function for r in sci.fallbacks()}))
        _assert_same(entry, got, expected)
        if entry.fresh:
            _measure_first(topic, entry, result, quick)
    except Exception as error:
        result.error = _said(error)
    return result


def _measure_first(topic: Topic, entry: Pair, result: PairResult, quick: bool) -> None:
    """First calls, each in a process of its own; the median of three where a target hangs on it."""
    from benchmarks.fresh import first_call, fresh_cache

    repeats = 3 if (entry.first or entry.cached) and not quick else 1
    cold, cached = [], []
    for _ in range(repeats):
        with fresh_cache() as cache:
            cold.append(first_call(topic.name, entry.name, "ours", quick, cache))
            cached.append(first_call(topic.name, entry.name, "ours", quick, cache))
    theirs = [first_call(topic.name, entry.name, "original", quick, None) for _ in range(repeats)]
    result.first = statistics.median(c["seconds"] for c in cold)
    result.cached = statistics.median(c["seconds"] for c in cached)
    result.original_first = statistics.median(c["seconds"] for c in theirs)
    if entry.memory:
        result.memory = statistics.median(c["peak"] for c in cached)
        result.original_memory = statistics.median(c["peak"] for c in theirs)


def _said(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return f"{type(error).__name__}: {lines[0] if lines else ''}"[:200]
