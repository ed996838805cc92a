"""pytest plugin: run a test suite with SciPy's functions redirected.

    pytest -p sci.accelerate.pytest_plugin --pyargs scipy.linalg

SciPy's own shipped tests count as user code, so that they test ours; other suites are user code as always. At the end
come three figures: tests passed, touching tests that ran wholly compiled, and the reasons of the rest.
"""

from __future__ import annotations

import fnmatch
import json
import signal
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

import sci
from sci.accelerate.imports import install, uninstall
from sci.accelerate.redirect import COLD, host_reason, observe
from sci.bridge import reasons
from sci.bridge.policy import POLICIES

__all__ = ["TimeLimit", "matches", "time_limit"]

_SCIPY_MARKERS = (
    "array_api_backends", "fail_slow", "parallel_threads_limit", "skip_xp_backends", "slow", "thread_unsafe",
    "uses_xp_capabilities", "xfail_on_32bit", "xfail_xp_backends", "xslow",
)  # fmt: skip


def pytest_addoption(parser: Any) -> None:
    """Our options."""
    group = parser.getgroup("sci", "SciPy's functions computed by JAX")
    group.addoption("--sci-policy", choices=POLICIES, default="compiled", help="engine of the calls")
    group.addoption("--sci-json", metavar="FILE", help="write the figures as JSON")
    group.addoption("--sci-limit", metavar="SECONDS", type=float, default=0.0, help="a test that takes longer fails")
    group.addoption(
        "--sci-expected",
        metavar="FILE",
        help='JSON list of {"pattern", "reason", "count"}: failures that are expected; strict',
    )


class _Capabilities(dict[Any, Any]):
    """SciPy's table of what its functions can do with other array libraries; a stand-in is what it stands for."""

    def __missing__(self, function: Any) -> Any:
        if not hasattr(function, "__sci_redirects__"):
            raise KeyError(function)
        return self[function.__sci_redirects__]


def _know_stand_ins() -> None:
    from scipy._lib import _array_api

    table = getattr(_array_api, "xp_capabilities_table", None)
    if table is not None:
        _array_api.xp_capabilities_table = _Capabilities(table)


def pytest_configure(config: Any) -> None:
    """Redirect before any test module is imported."""
    for marker in _SCIPY_MARKERS:  # pytest reads SciPy's conftest too late for SciPy to do so itself
        config.addinivalue_line("markers", f"{marker}: see scipy/conftest.py")
    sci.set_policy(config.getoption("--sci-policy"))
    install(tests=True)
    _know_stand_ins()
    config.pluginmanager.register(Counting(config), "sci-counting")


def pytest_unconfigure(config: Any) -> None:
    """Restore."""
    observe(None)
    uninstall()


class TimeLimit(BaseException):
    """Passes through the tests' own ``except Exception``; pytest makes a failure of it."""


@contextmanager
def time_limit(seconds: float) -> Iterator[None]:
    """Interrupt a test that takes longer; no limit for 0, nor where there are no alarms (Windows)."""
    if not seconds or not hasattr(signal, "SIGALRM"):
        yield
        return

    def over(*_: Any) -> None:
        raise TimeLimit(f"over the limit of {seconds:g} s for one test")

    previous = signal.signal(signal.SIGALRM, over)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, previous)


class Counting:
    """Notices which tests touch ours, and which of them were helped by the original."""

    def __init__(self, config: Any) -> None:
        self.config = config
        self.running: Counter[str] | None = None
        self.touched, self.compiled = 0, 0
        self.outcomes: Counter[str] = Counter()
        self.failing: list[str] = []
        self.expected: list[_Group] = []
        self.host: Counter[str] = Counter()
        observe(self.observe)

    def observe(self, entry: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Make a call and note its engine."""
        before = reasons.host_calls()
        try:
            return entry.facts(*args, **kwargs)
        finally:
            if self.running is not None:
                self.running["calls"] += 1
                reason = host_reason(before)
                if reason is not None:
                    self.running[reason if isinstance(reason, str) else reason.name] += 1

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_call(self, item: Any) -> Iterator[None]:
        self.running = Counter()
        try:
            with time_limit(self.config.getoption("--sci-limit")):
                return (yield)
        finally:
            seen, self.running = self.running, None
            if seen.pop("calls", 0):
                self.touched += 1
                self.compiled += not seen
                self.host.update(seen.keys())

    def pytest_runtest_logreport(self, report: Any) -> None:
        if report.when == "call" or (report.when == "setup" and report.outcome != "passed"):
            expected = hasattr(report, "wasxfail")
            if expected and report.outcome == "skipped":
                for group in self.expected:
                    group.failed += report.nodeid in group.tests
            self.outcomes[f"expected {report.outcome}" if expected else report.outcome] += 1
            if report.outcome == "failed":
                self.failing.append(report.nodeid)

    def pytest_collectreport(self, report: Any) -> None:
        if report.failed:  # a file that cannot be imported counts too
            self.outcomes["failed"] += 1
            self.failing.append(report.nodeid)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: Any, nextitem: Any) -> Iterator[None]:
        result = yield
        if nextitem is None or nextitem.path != item.path:
            sci.clear_caches()  # thousands of shapes: compiled code of a finished file is not needed again
        return result

    def pytest_collection_modifyitems(self, items: list[Any]) -> None:
        path = self.config.getoption("--sci-expected")
        if not path:
            return
        for line in json.loads(Path(path).read_text(encoding="utf-8")):
            pattern, reason = line["pattern"], line["reason"]
            # one line for many tests (a pattern) cannot say which of them fails, but how many may
            many = not {"*", "?"}.isdisjoint(pattern)
            found = [item for item in items if matches(item.nodeid, pattern)]
            for item in found:
                item.add_marker(pytest.mark.xfail(reason=reason, strict=not many))
            if many and found:
                self.expected.append(_Group(pattern, {item.nodeid for item in found}, line.get("count", len(found))))

    def pytest_sessionfinish(self, session: Any) -> None:
        for group in self.expected:
            if group.failed > group.allowed:
                self.outcomes["failed"] += group.failed - group.allowed
                self.failing.append(f"{group.pattern}: {group.failed} failures, the list allows {group.allowed}")
                session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def figures(self) -> dict[str, Any]:
        """The three figures, with the counts that they are made of."""
        run = self.outcomes["passed"] + self.outcomes["failed"] + self.outcomes["expected skipped"]
        return {
            "passed": self.outcomes["passed"],
            "failed": self.outcomes["failed"],
            "expected failures": self.outcomes["expected skipped"],
            "touching": self.touched,
            "compiled": self.compiled,
            "host": dict(self.host.most_common()),
            "passing rate": self.outcomes["passed"] / run if run else None,
            "compiled rate": self.compiled / self.touched if self.touched else None,
            "failing": self.failing,
        }

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        figures = self.figures()
        write = terminalreporter.write_line
        terminalreporter.section("sci")
        if figures["passing rate"] is not None:
            write(f"{figures['passing rate']:.1%} of the tests pass")
        if figures["compiled rate"] is not None:
            write(f"{figures['compiled rate']:.1%} of the {self.touched} tests that touch ours ran compiled")
        for group in self.expected:
            if group.failed != group.allowed:
                write(f"{group.pattern}: {group.failed} of {len(group.tests)} fail, the list says {group.allowed}")
        for reason, count in self.host.most_common():
            write(f"{count:6d} tests on the original: {_sentence(reason)}")
        path = self.config.getoption("--sci-json")
        if path:
            Path(path).write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")


@dataclass
class _Group:
    """The tests that one line of the list of expected failures is about."""

    pattern: str
    tests: set[str]
    allowed: int
    failed: int = 0


def _sentence(reason: str) -> str:
    return "cold under the policy adaptive" if reason == COLD else reasons.Reason[reason].value


def matches(nodeid: str, pattern: str) -> bool:
    """Whether a test is meant: node ids start at the root of the run, patterns at the package."""
    escaped = pattern.replace("[", "[[]")  # brackets are part of test names, not sets of characters
    return fnmatch.fnmatchcase(nodeid, escaped) or fnmatch.fnmatchcase(nodeid, "*/" + escaped)
