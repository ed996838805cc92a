"""``python -m tests.upstream.published [MODULE ...]``: the figures that the README shows, measured and written there.

SciPy's own tests run unmodified in the zero-change mode (`sci.accelerate.pytest_plugin`), under the policy
``compiled``, one process for each test file: a crash or a hang costs that file only, and counts. What was measured
is kept in ``figures.json``; the table in the README is made from it (``--write`` does only that).
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections import Counter
from datetime import date
from pathlib import Path
from typing import Any

import scipy

from tests.upstream.expected import FILE as EXPECTED
from tests.upstream.report import default_modules, native_names
from tests.upstream.runner import REPOSITORY, scipy_folder

FIGURES = Path(__file__).with_name("figures.json")
README = REPOSITORY / "README.md"
BEGIN, END = "<!-- figures: python -m tests.upstream.published -->", "<!-- end of figures -->"
_COUNTS = ("passed", "failed", "expected failures", "touching", "compiled")
# what a reader should know of the reasons; the enumeration has a sentence for each
_SHOWN_REASONS = 3


def modules() -> list[str]:
    """The modules that native names are in (``sparse.linalg``) and that have tests of their own."""
    named = {name.removeprefix("scipy.").rpartition(".")[0] for m in default_modules() for name in native_names(m)}
    return sorted(m for m in named if any(scipy_folder().joinpath(*m.split(".")).rglob("tests/test_*.py")))


def files_of(module: str) -> list[Path]:
    """A module's test files: those of submodules with native names are figures of their own."""
    folder = scipy_folder().joinpath(*module.split("."))
    others = [scipy_folder().joinpath(*m.split(".")) for m in modules() if m.startswith(module + ".")]
    found = sorted(folder.rglob("tests/test_*.py"))
    return [path for path in found if not any(path.is_relative_to(other) for other in others)]


def run_file(path: Path, limit: float, test_limit: float) -> dict[str, Any]:
    """The counts of one file; a process that died or hung is one failure, named as such."""
    with tempfile.TemporaryDirectory(prefix="published-") as name:
        out = Path(name) / "figures.json"
        command = [
            sys.executable, "-m", "pytest", "-q", "--tb=no", "-c", os.devnull, "--rootdir", str(scipy_folder().parent),
            "-p", "no:cacheprovider", "-p", "sci.accelerate.pytest_plugin", "--sci-json", str(out),
            "--sci-limit", str(test_limit), "--sci-expected", str(EXPECTED), str(path),
        ]  # fmt: skip
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("PYTEST_", "SCIPY_", "SCI_POLICY"))}
        paths = os.pathsep.join(filter(None, [str(REPOSITORY), kept.get("PYTHONPATH", "")]))
        environment = kept | {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTHONPATH": paths}
        try:
            done = subprocess.run(
                command, cwd=name, env=environment, capture_output=True, text=True, timeout=limit, check=False
            )
            ending = f"exit {done.returncode}: {(done.stdout + done.stderr)[-300:]}"
        except subprocess.TimeoutExpired:
            ending = f"not finished in {limit:g} s"
        if out.exists():
            return json.loads(out.read_text(encoding="utf-8"))
        return dict.fromkeys(_COUNTS, 0) | {"failed": 1, "host": {}, "failing": [f"{path.name}: {ending}"]}


def run_module(module: str, limit: float, test_limit: float, files: list[Path] | None = None) -> dict[str, Any]:
    """The sum over a module's files."""
    total: Counter[str] = Counter()
    host: Counter[str] = Counter()
    failing: list[str] = []
    for path in files if files is not None else files_of(module):
        found = run_file(path, limit, test_limit)
        total.update({key: found[key] for key in _COUNTS})
        host.update(found["host"])
        failing += found["failing"]
        print(f"{module} {path.name}: " + ", ".join(f"{found[key]} {key}" for key in _COUNTS), flush=True)
    return {key: total[key] for key in _COUNTS} | {"host": dict(host.most_common()), "failing": failing}


def table(figures: dict[str, Any]) -> str:
    """The lines of the README, without the markers."""
    from sci.bridge.reasons import Reason

    lines = [
        f"SciPy {figures['scipy']}'s own tests, unmodified, in the zero-change mode under `--policy compiled` "
        f"({figures['measured']}):",
        "",
        "| module | tests passing | of the tests that touch ours, wholly compiled | otherwise on SciPy, by reason |",
        "|---|---:|---:|---|",
    ]
    reasons: dict[str, str] = {}
    for module, found in sorted(figures["modules"].items()):
        tests = found["passed"] + found["failed"] + found["expected failures"]
        shown = list(found["host"].items())[:_SHOWN_REASONS]
        reasons |= {reason: Reason[reason].value for reason, _ in shown}
        lines.append(
            f"| `{module}` | {found['passed'] / max(tests, 1):.1%} of {tests} | "
            f"{found['compiled'] / max(found['touching'], 1):.1%} of {found['touching']} | "
            + ", ".join(f"{reason} {count}" for reason, count in shown)
            + " |"
        )
    lines += ["", "; ".join(f"{name}: {sentence}" for name, sentence in sorted(reasons.items())) + "."]
    return "\n".join(lines)


def written(text: str, figures: dict[str, Any]) -> str:
    """The README with the figures in their place.

    Raises
    ------
    ValueError
        If the README has no place for them.
    """
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (begin and end):
        raise ValueError(f"README.md needs the lines {BEGIN!r} and {END!r}")
    return f"{before}{BEGIN}\n{table(figures)}\n{END}{after}"


def kept() -> dict[str, Any]:
    """What was measured so far."""
    return json.loads(FIGURES.read_text(encoding="utf-8")) if FIGURES.exists() else {"modules": {}}


def main(arguments: list[str] | None = None) -> int:
    """Measure, keep, write."""
    parser = argparse.ArgumentParser(prog="python -m tests.upstream.published", description=__doc__)
    parser.add_argument("modules", nargs="*", metavar="MODULE", help="linalg, ...; all with native names by default")
    parser.add_argument("--limit", type=float, default=1800.0, help="seconds for a test file")
    parser.add_argument("--test-limit", type=float, default=60.0, help="seconds for a test")
    parser.add_argument("--write", action="store_true", help="only make the README's table from the kept figures")
    given = parser.parse_args(arguments)
    for module in [] if given.write else given.modules or modules():
        measured = run_module(module, given.limit, given.test_limit)
        figures = kept() | {
            "scipy": scipy.__version__,
            "measured": f"{date.today()}",
        }  # read anew: another run may have added a module meanwhile
        figures["modules"][module] = measured
        FIGURES.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
    figures = kept()
    README.write_text(written(README.read_text(encoding="utf-8"), figures), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
