"""pytest plugin for SciPy's own tests: ours swapped in, calls of ours counted, host calls noticed.

It runs in the subprocess that `tests.upstream.runner` starts and writes one JSON line per event:
``{"collected": ids}``, ``{"start": id}``, ``{"test": id, ...}``, ``{"collect_error": file}``, ``{"done": status}``.
"""

from __future__ import annotations

import functools
import json
import os
import time
from typing import Any

import pytest

import sci
from sci.accelerate.pytest_plugin import time_limit
from sci.bridge import reasons
from sci.bridge.implements import Bridge
from tests.upstream.proxies import Swap, ours
from tests.upstream.settings import VARIABLE, Settings

SETTINGS = Settings.read(os.environ[VARIABLE])
EVENTS = open(SETTINGS.events, "a", buffering=1)  # line by line: what a crash leaves is complete
SWAP = Swap(SETTINGS.swap)

_touched: set[str] = set()  # names that the running test called
_result: dict[str, str] = {}  # outcome and message of the running test


def emit(**event: Any) -> None:
    EVENTS.write(json.dumps(event) + "\n")


# --- counting --------------------------------------------------------------------------------


def _count_bridge_calls() -> None:
    """Every call of a registered function goes through the bridge: no wrapper, identities are kept."""
    plain = Bridge.__call__

    @functools.wraps(plain)
    def counted(self: Bridge, *args: Any, **kwargs: Any) -> Any:
        _touched.add(self.name)
        return plain(self, *args, **kwargs)

    Bridge.__call__ = counted


def _count_constructions(cls: type, name: str) -> None:
    """Classes of ours are counted by construction, in place."""
    plain = cls.__init__

    @functools.wraps(plain)
    def counted(self: Any, *args: Any, **kwargs: Any) -> None:
        _touched.add(name)
        plain(self, *args, **kwargs)

    cls.__init__ = counted


class _AllWarned(set):
    """`FallbackWarning` comes once per function and reason: which test sees it would depend on the order."""

    def __contains__(self, key: object) -> bool:
        return True


def pytest_configure(config: pytest.Config) -> None:
    _count_bridge_calls()
    for name in SETTINGS.swap:
        replacement = ours(name)
        if isinstance(replacement, type) and replacement.__module__.startswith("sci."):
            _count_constructions(replacement, name)
    reasons._warned = _AllWarned()
    SWAP.install()


def pytest_unconfigure(config: pytest.Config) -> None:
    SWAP.remove()


# --- which tests -----------------------------------------------------------------------------


@pytest.hookimpl(trylast=True)  # after -k and -m have taken their part
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    chosen = SETTINGS.chosen([item.nodeid for item in items])
    items[:] = [item for item in items if item.nodeid in chosen]
    emit(collected=[item.nodeid for item in items], replaced=sorted(SWAP.replaced))


def pytest_collectreport(report: pytest.CollectReport) -> None:
    if report.failed:
        emit(collect_error=report.nodeid, message=str(report.longrepr)[-600:])


# --- one test --------------------------------------------------------------------------------


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item, nextitem: pytest.Item | None) -> Any:
    _touched.clear()
    _result.clear()
    sci.clear_fallbacks()
    emit(start=item.nodeid)
    began = time.perf_counter()
    try:
        with time_limit(SETTINGS.test_limit):
            return (yield)
    finally:
        host = {record.function: f"{record.reason.name} {record.detail}".strip() for record in sci.fallbacks()}
        emit(
            test=item.nodeid,
            outcome=_result.get("outcome", "error"),
            message=_result.get("message", ""),
            names=sorted((_touched | set(host)) & SWAP.replaced),
            host=host,
            seconds=round(time.perf_counter() - began, 3),
        )
        if nextitem is None or nextitem.path != item.path:
            sci.clear_caches()  # thousands of shapes: compiled code of a finished file is not needed again


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    if report.when != "call" and report.outcome == "passed":
        return
    outcome = report.outcome
    if hasattr(report, "wasxfail"):
        outcome = "skipped" if outcome == "skipped" else "passed"
    elif outcome == "failed" and report.when != "call":
        outcome = "error"
    if _result.get("outcome") in ("failed", "error"):
        return  # the first failure counts, not what its teardown adds
    _result["outcome"] = outcome
    if outcome in ("failed", "error"):
        crash = getattr(report.longrepr, "reprcrash", None)
        _result["message"] = str(crash.message if crash else report.longrepr)[:400]


def pytest_sessionfinish(exitstatus: int) -> None:
    emit(done=int(exitstatus), replaced=sorted(SWAP.replaced))
