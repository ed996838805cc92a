"""From the records of a run to the figures of a module."""

from __future__ import annotations

import importlib
import json
import pkgutil
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from tests.upstream.expected import Expected, judge, match
from tests.upstream.runner import Options, Run, run_tests, test_files

__all__ = ["Report", "baseline", "default_modules", "native_names", "run_module"]

BASELINES = Path(__file__).with_name("baselines")


@dataclass
class Report:
    """One module's result.

    Attributes
    ----------
    passed, failed, expected, host : int
        Tests that called a swapped name: passed on JAX; failed and on no list; failed as the list says;
        passed, but computed (in part) by SciPy.
    skipped, untouched, known, unreached : int
        Not counted: skipped by themselves; called no swapped name; fail with SciPy alone; beyond the time limit.
    unexpected : dict
        Failing test -> message.
    host_tests : dict
        Test that ran on the host -> function -> reason.
    groups : dict
        Pattern of the expected list -> failures.
    complaints : list of str
        What makes the run a failure, besides `unexpected`.
    notes : list of str
        What weakens the result.
    """

    module: str
    passed: int = 0
    failed: int = 0
    expected: int = 0
    host: int = 0
    skipped: int = 0
    untouched: int = 0
    known: int = 0
    unreached: int = 0
    seconds: float = 0.0
    replaced: list[str] = field(default_factory=list)
    per_name: dict[str, dict[str, int]] = field(default_factory=dict)
    unexpected: dict[str, str] = field(default_factory=dict)
    groups: dict[str, int] = field(default_factory=dict)
    host_tests: dict[str, dict[str, str]] = field(default_factory=dict)
    complaints: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    enforced: bool = True

    @property
    def counted(self) -> int:
        return self.passed + self.failed + self.expected + self.host

    @property
    def rate(self) -> float:
        return self.passed / self.counted if self.counted else 0.0

    @property
    def good(self) -> bool:
        """Whether nothing is wrong, or the lists are for another SciPy and cannot say."""
        return not self.enforced or not (self.unexpected or self.complaints)


def baseline(module: str) -> dict[str, Any]:
    """What fails with SciPy alone, for a module or the package that holds it; empty where there is none."""
    while module:
        path = BASELINES / f"scipy.{module}.json"
        if path.exists():
            return json.loads(path.read_text(encoding="utf8"))
        module = module.rpartition(".")[0]
    return {}


@cache
def native_names(module: str) -> tuple[str, ...]:
    """The registered names of a SciPy module (``linalg``), its submodules included."""
    from sci.bridge.registry import REGISTRY

    package = importlib.import_module(f"sci.{module}")
    for info in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
        if info.ispkg and not info.name.rpartition(".")[2].startswith("_"):
            importlib.import_module(info.name)
    return tuple(sorted(name for name in list(REGISTRY) if name.startswith(f"scipy.{module}.")))


def default_modules() -> list[str]:
    """The modules of `sci` with native names."""
    import sci

    return [module for module in sci._MODULES if native_names(module)]


def _same_release(version: str) -> bool:
    import scipy

    return scipy.__version__.split(".")[:2] == version.split(".")[:2]


def run_module(
    module: str, expected: list[Expected], names: tuple[str, ...] = (), options: Options | None = None, **run: Any
) -> Report:
    """Run a module's upstream tests and hold the result against the lists.

    Parameters
    ----------
    module : str
        ``linalg``, ``sparse.linalg``.
    expected : list of Expected
        The reviewed list.
    names : tuple of str
        Dotted names to swap; the native ones by default.
    options : Options, optional
        Sample and limits.
    **run
        ``progress``, for `run_tests`.

    Returns
    -------
    Report

    Raises
    ------
    ValueError
        If there is nothing to swap.
    """
    options = options or Options()
    swap = names or native_names(module)
    if not swap:
        raise ValueError(f"sci.{module} has no native name; name some with --only")
    base = baseline(module)
    outcome = run_tests(test_files(module, swap, options.files), swap, options, **run)
    report = summarise(module, outcome, set(base.get("failing", ())), expected)
    full = options.full and not names and not outcome.unreached
    report.complaints += judge(report.groups, expected, module, full)
    if options.full and outcome.unreached:
        report.complaints.append(f"{len(outcome.unreached)} tests were not reached in {options.limit:g} s")
    if not base:
        report.notes.append("no baseline: what fails with SciPy alone counts as ours")
    elif not _same_release(base["version"]):
        report.enforced = False
        report.notes.append(f"baseline and list were made for SciPy {base['version']}: shown, not enforced")
    return report


def summarise(module: str, run: Run, known: set[str], expected: list[Expected]) -> Report:
    """Count the records of a run."""
    counts: Counter[str] = Counter()
    per_name: dict[str, Counter[str]] = defaultdict(Counter)
    report = Report(module, seconds=round(run.seconds, 1), replaced=sorted(run.replaced))
    failing = {}
    for test, record in run.tests.items():
        if test in known:
            counts["known"] += 1
            continue
        if not record["names"]:
            counts["untouched"] += 1
            continue
        outcome = {"error": "failed"}.get(record["outcome"], record["outcome"])
        if outcome == "passed" and record["host"]:
            outcome = "host"
            report.host_tests[test] = record["host"]
        if outcome == "failed":
            failing[test] = record["message"]
        else:
            counts[outcome] += 1
        for name in record["names"]:
            per_name[name][outcome] += 1
    report.groups, unexpected = match(failing, expected)
    report.unexpected = {test: failing[test] for test in unexpected}
    report.failed, report.expected = len(unexpected), len(failing) - len(unexpected)
    for outcome in ("passed", "host", "skipped", "untouched", "known"):
        setattr(report, outcome, counts[outcome])
    report.unreached = len(run.unreached)
    report.per_name = {name: dict(c) for name, c in sorted(per_name.items())}
    report.complaints += run.errors
    return report
