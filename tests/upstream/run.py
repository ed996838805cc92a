"""``python -m tests.upstream.run``: SciPy's own tests on our functions. See README.md."""

from __future__ import annotations

import argparse
import importlib
import json
import sys
from dataclasses import asdict
from pathlib import Path

import scipy
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

import sci
from tests.upstream.expected import Expected, read, shrunk, write
from tests.upstream.report import BASELINES, Report, default_modules, run_module
from tests.upstream.runner import Options, run_tests, scipy_folder, test_files


def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(prog="python -m tests.upstream.run", description=__doc__)
    add = made.add_argument
    add("modules", nargs="*", metavar="MODULE", help="linalg, sparse.linalg, ...; all with native names by default")
    add("--sample", type=int, default=1, metavar="K", help="every K-th test of each file")
    add("--seed", type=int, default=0, help="shifts the sample")
    add("--only", default="", metavar="A,B", help="swap only these names (linalg.solve or solve)")
    add("-k", dest="keyword", default="", metavar="EXPR", help="pytest's -k")
    add("--file", action="append", default=[], metavar="F", help="only test files with this name")
    add("--limit", type=float, default=3600.0, help="seconds for a module")
    add("--test-limit", type=float, default=60.0, help="seconds for a test")
    add("--json", type=Path, metavar="FILE", help="write the whole report")
    add("--show", type=int, default=15, metavar="N", help="unexpected failures to print for a module")
    add("--update", action="store_true", help="after a full run, lower counts of the expected list and drop lines")
    add("--make-baseline", action="store_true", help="run SciPy alone and store what fails")
    return made


def options_of(arguments: argparse.Namespace) -> Options:
    return Options(
        arguments.sample,
        arguments.seed,
        arguments.keyword,
        tuple(arguments.file),
        arguments.limit,
        arguments.test_limit,
    )


def dotted(only: str, module: str) -> tuple[str, ...]:
    """``--only`` as public dotted names of one module.

    Raises
    ------
    ValueError
        For a name that SciPy does not have there.
    """
    names = [name.strip().removeprefix("scipy.").removeprefix(module + ".") for name in only.split(",") if name.strip()]
    full = tuple(f"scipy.{module}.{name}" for name in names)
    for name in full:
        parent, _, attribute = name.rpartition(".")
        if not hasattr(importlib.import_module(parent), attribute):
            raise ValueError(f"--only {only!r}: SciPy has no {name}")
    return full


def show(console: Console, reports: list[Report], limit: int) -> None:
    for report in reports:
        for test, message in list(report.unexpected.items())[:limit]:
            console.print(
                f"{test}\n    {' '.join(message.split())[:200]}", markup=False, highlight=False, soft_wrap=True
            )
        if len(report.unexpected) > limit:
            console.print(f"... and {len(report.unexpected) - limit} more unexpected failures in {report.module}")
        for complaint in report.complaints:
            console.print(f"{report.module}: {complaint}", markup=False, style="red", soft_wrap=True)
        for note in report.notes:
            console.print(f"{report.module}: {note}", markup=False, style="yellow", soft_wrap=True)
    table = Table(title=f"SciPy {scipy.__version__}'s own tests on our functions")
    table.add_column("module")
    for column in ("names", "counted", "passed", "failed", "expected", "host", "rate", "s"):
        table.add_column(column, justify="right")
    for r in reports:
        table.add_row(
            r.module, str(len(r.replaced)), str(r.counted), str(r.passed), str(r.failed), str(r.expected), str(r.host),
            f"{r.rate:.1%}", f"{r.seconds:.0f}", style=None if r.good else "red",
        )  # fmt: skip
    console.print(table)
    console.print("host: passed, but computed by SciPy. rate: passed / counted.", style="dim")


def make_baseline(console: Console, module: str, options: Options) -> None:
    """Store what fails when nothing is swapped: the machine's and the version's own failures."""
    import numpy

    run = run_tests(test_files(module, [""]), (), options)
    failing = {t: r["message"][:100] for t, r in run.tests.items() if r["outcome"] in ("failed", "error")}
    content = {
        "root": "scipy", "module": module, "version": scipy.__version__, "numpy": numpy.__version__,
        "sample": options.sample, "seconds": round(run.seconds, 1), "tests": len(run.tests), "failing": failing,
    }  # fmt: skip
    path = BASELINES / f"scipy.{module}.json"
    path.write_text(json.dumps(content, indent=1) + "\n", encoding="utf8")
    console.print(f"{module}: {len(run.tests)} tests, {len(failing)} fail with SciPy alone, {run.seconds:.0f} s")


def run_all(console: Console, given: argparse.Namespace, modules: list[str], expected: list[Expected]) -> list[Report]:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    reports = []
    with Progress(*columns, console=console, transient=True) as progress:
        for module in modules:
            bar = progress.add_task(module, total=None)
            reports.append(
                run_module(
                    module, expected, dotted(given.only, module), options_of(given),
                    progress=lambda done, total, bar=bar: progress.update(bar, completed=done, total=total or None),
                )
            )  # fmt: skip
            progress.remove_task(bar)
    return reports


def main(arguments: list[str] | None = None) -> int:
    """Run, print, judge.

    Returns
    -------
    int
        1 for an unexpected failure, a group that grew or (in a full run) shrank, or a module of
        which nothing was counted.
    """
    given = parser().parse_args(arguments)
    console, options = Console(), options_of(given)
    modules = given.modules or default_modules()
    for module in modules:
        if not scipy_folder().joinpath(*module.split(".")).is_dir():
            parser().error(f"MODULE {module!r}: SciPy has no such package; allowed are {', '.join(sci._MODULES)}")
    if (given.update or given.make_baseline) and (not options.full or given.only):
        parser().error("--update and --make-baseline need a full run: no --sample, --only, -k or --file")
    if given.only and len(modules) != 1:
        parser().error("--only goes with one MODULE")
    if given.make_baseline:
        for module in modules:
            make_baseline(console, module, options)
        return 0
    expected = read()
    try:
        reports = run_all(console, given, modules, expected)
    except (ValueError, FileNotFoundError) as error:
        parser().error(str(error))
    show(console, reports, given.show)
    if given.json:
        whole = {"scipy": scipy.__version__, "sample": options.sample, "seed": options.seed}
        whole["modules"] = {r.module: asdict(r) | {"counted": r.counted, "rate": r.rate} for r in reports}
        given.json.write_text(json.dumps(whole, indent=1) + "\n", encoding="utf8")
    if given.update:
        for report in reports:
            if not report.unreached and report.enforced:
                expected = shrunk(report.groups, expected, report.module)
        write(expected)
    return int(not all(report.good and report.counted for report in reports))


if __name__ == "__main__":
    sys.exit(main())
