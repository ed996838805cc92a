"""What ran where: calls, time to first result, steady state, for each redirected function."""

from __future__ import annotations

import functools
import json
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from sci.bridge import fallbacks

__all__ = ["FunctionProfile", "Profile"]


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
    """

    name: str
    seconds: list[float] = field(default_factory=list)
    host: int = 0

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


class Profile:
    """Collects the calls of all redirected functions; `wrap` is given to `install`."""

    def __init__(self) -> None:
        self.functions: dict[str, FunctionProfile] = {}
        self._wrapped: dict[str, Callable[..., Any]] = {}

    def wrap(self, name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        """`function`, timed. The same object each time, so that identity tests hold."""
        if name in self._wrapped:
            return self._wrapped[name]
        entry = self.functions.setdefault(name, FunctionProfile(name))

        @functools.wraps(function)
        def timed(*args: Any, **kwargs: Any) -> Any:
            before = _host_calls(name)
            start = time.perf_counter()
            try:
                return function(*args, **kwargs)
            finally:
                entry.seconds.append(time.perf_counter() - start)
                entry.host += _host_calls(name) > before

        self._wrapped[name] = timed
        return timed

    def called(self) -> list[FunctionProfile]:
        """The functions that were called, the most expensive first."""
        return sorted((f for f in self.functions.values() if f.seconds), key=lambda f: -sum(f.seconds))

    def to_json(self) -> str:
        """The profile as JSON, with the host's reasons."""
        calls = [
            {"function": f.name, "engine": f.engine, "calls": len(f.seconds), "first": f.first, "steady": f.steady,
             "total": sum(f.seconds)} for f in self.called()
        ]  # fmt: skip
        reasons = [
            {"function": r.function, "reason": r.reason.name, "where": r.where, "count": r.count, "detail": r.detail}
            for r in fallbacks()
        ]
        return json.dumps({"calls": calls, "host": reasons}, indent=1)


def _host_calls(name: str) -> int:
    return sum(r.count for r in fallbacks() if r.function == name)
