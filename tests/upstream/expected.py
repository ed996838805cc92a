"""The reviewed list of expected failures. It may only shrink."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from sci.accelerate.pytest_plugin import matches

__all__ = ["FILE", "Expected", "judge", "match", "read", "shrunk", "write"]

FILE = Path(__file__).with_name("expected_failures.json")
_FOLDER = re.compile(r"scipy/(\w+/)+tests/")


@dataclass(frozen=True)
class Expected:
    """One group of tests that fail for a known reason.

    Attributes
    ----------
    pattern : str
        Test ids: ``*`` and ``?`` as in a file pattern, brackets are themselves (ids hold parameters in them).
    reason : str
        Why our result differs, in a sentence that a user could read.
    count : int
        How many tests it matches in a full run.
    """

    pattern: str
    reason: str
    count: int

    def __post_init__(self) -> None:
        if not _FOLDER.match(self.pattern):
            raise ValueError(f"pattern {self.pattern!r} must begin with its folder, as scipy/linalg/tests/")
        if len(self.reason) < 10:
            raise ValueError(f"pattern {self.pattern!r} needs a reason, got {self.reason!r}")
        if self.count < 1:
            raise ValueError(f"pattern {self.pattern!r} has count {self.count}; remove the line")

    def matches(self, test: str) -> bool:
        return matches(test, self.pattern)

    def concerns(self, module: str) -> bool:
        """Whether its tests are in the folder of a module (``linalg``, ``sparse.linalg``)."""
        return self.pattern.startswith(f"scipy/{module.replace('.', '/')}/")


def read(path: Path = FILE) -> list[Expected]:
    """The list, checked.

    Raises
    ------
    ValueError
        For a line without a reason, a pattern outside a test folder, or a pattern given twice.
    """
    found = [Expected(**line) for line in json.loads(path.read_text(encoding="utf8"))]
    patterns = [e.pattern for e in found]
    if twice := {p for p in patterns if patterns.count(p) > 1}:
        raise ValueError(f"{path.name} has {sorted(twice)} more than once")
    return found


def write(expected: Iterable[Expected], path: Path = FILE) -> None:
    path.write_text(json.dumps([asdict(e) for e in expected], indent=1) + "\n", encoding="utf8")


def match(failing: Iterable[str], expected: list[Expected]) -> tuple[dict[str, int], list[str]]:
    """Sort failing tests into the groups; the first pattern that fits takes a test.

    Returns
    -------
    dict, list
        Matches by pattern, and the tests that nothing expects.
    """
    counts, unexpected = dict.fromkeys((e.pattern for e in expected), 0), []
    for test in failing:
        group = next((e for e in expected if e.matches(test)), None)
        if group is None:
            unexpected.append(test)
        else:
            counts[group.pattern] += 1
    return counts, unexpected


def judge(counts: dict[str, int], expected: list[Expected], module: str, full: bool) -> list[str]:
    """Complaints about groups of one module: grown at any time, shrunk only when everything ran."""
    complaints = []
    for e in expected:
        if not e.concerns(module):
            continue
        n = counts.get(e.pattern, 0)
        if n > e.count:
            complaints.append(f"{e.pattern}: {n} failures, the list allows {e.count}: {e.reason}")
        elif full and n < e.count:
            complaints.append(
                f"{e.pattern}: {n} failures, the list still says {e.count}: shrink the list "
                f"(python -m tests.upstream.run {module} --update)"
            )
    return complaints


def shrunk(counts: dict[str, int], expected: list[Expected], module: str) -> list[Expected]:
    """The list after a full run of a module: counts lowered, empty groups gone, nothing ever added."""
    kept = []
    for e in expected:
        n = min(e.count, counts.get(e.pattern, 0)) if e.concerns(module) else e.count
        if n:
            kept.append(replace(e, count=n))
    return kept
