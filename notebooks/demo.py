"""The main job, plainly and through ``python -m sci``: same numbers, and what it cost.

    python -m notebooks.demo [--small]

`main_job.py` knows nothing of this library. It runs in three processes with the same arguments: through
``python -m sci`` with an empty compilation cache, again with the cache that this left, and plainly. The
printed numbers are compared, the calls of all are timed. Exit status 1 if the numbers disagree.
"""

from __future__ import annotations

import argparse
import functools
import importlib
import json
import os
import re
import runpy
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_HERE = Path(__file__).resolve().parent
_ROOT = _HERE.parent
_JOB = _HERE / "main_job.py"
_NUMBER = re.compile(r"[-+]?\d+\.?\d*(?:[eE][-+]?\d+)?")

#: Relative tolerance of every printed number. The fit stops within 1e-10 of its minimum, but its
#: standard errors come from a Jacobian by differences there and by exact derivatives here.
RTOL = 1e-4


@dataclass
class Run:
    """What one run of the script printed, and how long it took, imports included."""

    output: str
    seconds: float


# --- the plain run, timed ------------------------------------------------------------------------


def trace_plainly(report: str, names: Sequence[str], script: str, arguments: Sequence[str]) -> None:
    """Run a script as it is, timing the named functions of the original libraries (in this process)."""
    seconds: dict[str, list[float]] = {name: [] for name in names}
    for name in names:
        module_name, _, attribute = name.rpartition(".")
        module = importlib.import_module(module_name)
        setattr(module, attribute, _timed(getattr(module, attribute), seconds[name]))
    sys.argv[:] = [script, *arguments]
    runpy.run_path(script, run_name="__main__")
    Path(report).write_text(json.dumps(seconds), encoding="utf-8")


def _timed(function: Any, seconds: list[float]) -> Any:
    @functools.wraps(function)
    def timed(*args: Any, **kwargs: Any) -> Any:
        start = time.perf_counter()
        try:
            return function(*args, **kwargs)
        finally:
            seconds.append(time.perf_counter() - start)

    return timed


# --- running -------------------------------------------------------------------------------------


def _run(command: Sequence[str], label: str, **environment: str) -> Run:
    """Run a command under a progress bar with the time it has taken.

    Raises
    ------
    SystemExit
        With its standard error, if it fails.
    """
    from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    columns = SpinnerColumn(), TextColumn("{task.description}"), BarColumn(pulse_style="cyan"), TimeElapsedColumn()
    start = time.perf_counter()
    with Progress(*columns, transient=True) as progress, tempfile.TemporaryFile("w+") as errors:
        progress.add_task(label, total=None)
        variables = {**os.environ, **environment}
        done = subprocess.run(
            command, cwd=_ROOT, env=variables, stdout=subprocess.PIPE, stderr=errors, text=True, check=False
        )
        seconds = time.perf_counter() - start
        errors.seek(0)
        said = errors.read()
    if done.returncode:
        print(said, file=sys.stderr)
        raise SystemExit(f"{label}: exit status {done.returncode}")
    return Run(done.stdout, seconds)


def differences(plain: str, ours: str, rtol: float = RTOL) -> tuple[int, float, list[str]]:
    """Compare two outputs: text exactly, numbers within a tolerance (or one unit of the last digit).

    Returns
    -------
    int, float, list of str
        How many numbers there are, the largest relative difference, and a line for each disagreement.
    """
    count, worst, wrong = 0, 0.0, []
    left, right = plain.splitlines(), ours.splitlines()
    if len(left) != len(right):
        wrong.append(f"{len(left)} lines and {len(right)} lines")
    for a, b in zip(left, right, strict=False):
        if " ".join(_NUMBER.sub("#", a).split()) != " ".join(_NUMBER.sub("#", b).split()):
            wrong.append(f"{a.strip()!r} and {b.strip()!r}")
            continue
        for x, y in zip(_NUMBER.findall(a), _NUMBER.findall(b), strict=True):
            unit = 10.0 ** -len(x.partition(".")[2]) if "." in x and "e" not in x.lower() else 0.0
            gap = abs(float(x) - float(y))
            count += 1
            worst = max(worst, gap / max(abs(float(x)), 1e-300))
            if not gap <= max(rtol * abs(float(x)), 1.001 * unit):
                wrong.append(f"{x} and {y} in {a.strip()!r}")
    return count, worst, wrong


# --- the report ----------------------------------------------------------------------------------


def _steady(seconds: Sequence[float]) -> float | None:
    return statistics.median(seconds[1:]) if len(seconds) > 1 else None


def print_table(
    calls: Sequence[dict[str, Any]], cached: Sequence[dict[str, Any]], plain: dict[str, list[float]]
) -> None:
    """One row a function: where it ran, its calls, and times of all three runs."""
    from rich.console import Console
    from rich.table import Table

    from sci.cli.tables import seconds as shown

    table = Table(title="what ran where: seconds a call, and in total", title_justify="left")
    for column in ("function", "engine", "calls", "first result", "first, cached", "steady state", "original",
                   "ratio", "total", "original's total"):  # fmt: skip
        table.add_column(column, justify="left" if column in ("function", "engine") else "right", overflow="fold")
    firsts = {call["function"]: call["first"] for call in cached}
    for call in calls:
        theirs = plain[call["function"]]
        original = _steady(theirs) or (theirs[0] if theirs else None)
        count = str(call["calls"]) + (f" of {len(theirs)}" if len(theirs) != call["calls"] else "")
        ratio = f"{original / call['steady']:.3g}x" if original and call["steady"] else "-"
        table.add_row(
            call["function"], call["engine"], count, shown(call["first"]), shown(firsts.get(call["function"])),
            shown(call["steady"]), shown(original), ratio, shown(call["total"]), shown(sum(theirs)),
        )  # fmt: skip
    console = Console()
    (console if console.is_terminal else Console(width=160)).print(table)


def _explain(host: Sequence[dict[str, Any]]) -> None:
    if not host:
        print("Nothing ran on the original library.")
    for record in host:
        print(f"On the original library: {record['function']}, {record['count']} calls at {record['where']} "
              f"({record['reason']}): {record['detail']}")  # fmt: skip


def main(argv: Sequence[str]) -> int:
    """Run both, compare, report; 0 if the numbers agree."""
    parser = argparse.ArgumentParser(prog="python -m notebooks.demo", description=__doc__.splitlines()[0])
    parser.add_argument("--small", action="store_true", help="reduced sizes, for a quick look")
    parser.add_argument("--out", type=Path, default=_HERE / "output", help="folder of the figures")
    options = parser.parse_args(argv)
    python, job = sys.executable, [str(_JOB), "--out", str(options.out), *(["--small"] if options.small else [])]
    with tempfile.TemporaryDirectory() as folder:
        first, second, timings = (os.path.join(folder, name) for name in ("first.json", "second.json", "plain.json"))
        cache = os.path.join(folder, "cache")
        through = [python, "-m", "sci", "--policy", "compiled", "--json"]
        ours = _run([*through, first, *job], "python -m sci main_job.py", SCI_COMPILATION_CACHE=cache)
        again = _run([*through, second, *job], "python -m sci main_job.py, again", SCI_COMPILATION_CACHE=cache)
        recorded, later = (json.loads(Path(p).read_text(encoding="utf-8")) for p in (first, second))
        names = ",".join(call["function"] for call in recorded["calls"])
        plain = _run([python, "-m", "notebooks.demo", "--trace", timings, names, *job], "python main_job.py")
        plain_calls = json.loads(Path(timings).read_text(encoding="utf-8"))

    print(plain.output)
    print_table(recorded["calls"], later["calls"], plain_calls)
    print("Times include what a function calls: curve_fit calls the model, and that calls solve_ivp.")
    _explain(recorded["host"])
    print(f"Whole script, with imports, compilation and figures: {plain.seconds:.1f} s plainly; through python -m sci "
          f"{ours.seconds:.1f} s ({plain.seconds / ours.seconds:.2g}x), "
          f"again {again.seconds:.1f} s ({plain.seconds / again.seconds:.2g}x).")  # fmt: skip
    count, worst, wrong = differences(plain.output, ours.output)
    wrong += differences(plain.output, again.output)[2]
    if wrong:
        print(f"The results DISAGREE in {len(wrong)} places (tolerance {RTOL:g} relative):", *wrong, sep="\n  ")
        return 1
    print(f"The results agree: {count} printed numbers, largest relative difference {worst:.1g}, tolerance {RTOL:g}.")
    print("Figures:", *sorted(str(p) for p in options.out.glob("*.png")), sep="\n  ")
    return 0


if __name__ == "__main__":
    if sys.argv[1:2] == ["--trace"]:
        trace_plainly(sys.argv[2], [n for n in sys.argv[3].split(",") if n], sys.argv[4], sys.argv[5:])
    else:
        sys.exit(main(sys.argv[1:]))
