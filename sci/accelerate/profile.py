"""What ran where: calls, engines, time and time saved, for each redirected function and each line."""

from __future__ import annotations

import json
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from sci.accelerate.redirect import host_reason
from sci.bridge import current_policy, fallbacks
from sci.bridge.adaptive import last_call
from sci.bridge.reasons import HINTS, host_calls, user_frame
from sci.bridge.registry import Entry

__all__ = ["FunctionProfile", "LineProfile", "Profile"]


@dataclass
class FunctionProfile:
    """The calls of one function.

    Attributes
    ----------
    name : str
        Public dotted name of the original.
    seconds : list of float
        Duration of every call, in order.
    host : int
        How many of them ran on the original library.
    saved : float
        Seconds saved against the original, where the policy `adaptive` has measured both.
    """

    name: str
    seconds: list[float] = field(default_factory=list)
    host: int = 0
    saved: float = 0.0

    @property
    def engine(self) -> str:
        if not self.host:
            return "JAX"
        return "host" if self.host == len(self.seconds) else "JAX and host"

    @property
    def first(self) -> float:
        return self.seconds[0]

    @property
    def steady(self) -> float | None:
        """Median of the calls after the first, None if there was only one."""
        return statistics.median(self.seconds[1:]) if len(self.seconds) > 1 else None

    @property
    def total(self) -> float:
        return sum(self.seconds)


@dataclass
class LineProfile:
    """The redirected calls made from one line of user code."""

    where: str
    functions: set[str] = field(default_factory=set)
    calls: int = 0
    host: int = 0
    seconds: float = 0.0


class Profile:
    """Collects all redirected calls: give its `observe` to `sci.accelerate.redirect.observe`.

    A call made while another one runs (a user's function that calls SciPy) is counted in both.

    Parameters
    ----------
    call : callable, optional
        ``call(entry, args, kwargs)`` makes the call; the plain redirected call by default.
    """

    def __init__(self, call: Callable[[Entry, tuple[Any, ...], dict[str, Any]], Any] | None = None) -> None:
        self.functions: dict[str, FunctionProfile] = {}
        self.lines: dict[str, LineProfile] = {}
        self._call = call or _plain

    def observe(self, entry: Entry, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Make a redirected call, timed."""
        frame, _ = user_frame()
        where = f"{frame.f_code.co_filename}:{frame.f_lineno}"
        before = host_calls()
        start = time.perf_counter()
        try:
            return self._call(entry, args, kwargs)
        finally:
            took = time.perf_counter() - start
            on_host = host_reason(before) is not None
            saved = last_call()[1] if current_policy() == "adaptive" else 0.0
            function = self.functions.setdefault(entry.name, FunctionProfile(entry.name))
            function.seconds.append(took)
            function.host += on_host
            function.saved += saved
            line = self.lines.setdefault(where, LineProfile(where))
            line.functions.add(entry.name)
            line.calls += 1
            line.host += on_host
            line.seconds += took

    def called(self) -> list[FunctionProfile]:
        """The functions that were called, the most expensive first."""
        return sorted(self.functions.values(), key=lambda f: -f.total)

    def by_line(self) -> list[LineProfile]:
        """The calling lines, the most expensive first."""
        return sorted(self.lines.values(), key=lambda line: -line.seconds)

    def records(self) -> dict[str, list[dict[str, Any]]]:
        """The whole profile as plain data: ``calls``, ``lines`` and ``host`` (reasons with places and hints)."""
        calls = [
            {"function": f.name, "engine": f.engine, "calls": len(f.seconds), "on_host": f.host, "first": f.first,
             "steady": f.steady, "total": f.total, "saved": f.saved} for f in self.called()
        ]  # fmt: skip
        lines = [
            {
                "where": n.where,
                "functions": sorted(n.functions),
                "calls": n.calls,
                "on_host": n.host,
                "total": n.seconds,
            }
            for n in self.by_line()
        ]
        reasons = [
            {"function": r.function, "reason": r.reason.name, "where": r.where, "count": r.count, "detail": r.detail,
             "hint": HINTS[r.reason]} for r in fallbacks()
        ]  # fmt: skip
        return {"calls": calls, "lines": lines, "host": reasons}

    def to_json(self) -> str:
        """`records` as JSON."""
        return json.dumps(self.records(), indent=1)

    def _repr_html_(self) -> str:
        from sci.accelerate.report import html

        return html(self)


def _plain(entry: Entry, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    return entry.facts(*args, **kwargs)
