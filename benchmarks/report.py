"""Tables for the terminal and for RESULTS.md, from the same rows."""

from __future__ import annotations

import math
from collections.abc import Sequence

from benchmarks.harness import FigureResult, PairResult, Timing, Topic

__all__ = ["markdown", "print_topic", "summary"]

_PAIR_COLUMNS = ("entry", "ours", "original", "ratio", "first", "cached", "original first", "target")
_FIGURE_COLUMNS = ("figure", "measured", "target")
Result = PairResult | FigureResult


def duration(seconds: float | None) -> str:
    """Three digits and a unit."""
    if seconds is None or not math.isfinite(seconds):
        return "-"
    for unit, scale in (("s", 1.0), ("ms", 1e-3), ("us", 1e-6)):
        if seconds >= scale or unit == "us":
            return f"{seconds / scale:.3g} {unit}"
    return "-"


def _timing(timing: Timing | None) -> str:
    """Median, and half the distance of the quartiles in per cent."""
    if timing is None:
        return "-"
    spread = 50 * (timing.high - timing.low) / timing.median
    return f"{duration(timing.median)} ±{spread:.0f} %"


def _targets(result: Result) -> str:
    return "; ".join(f"{text}: {'met' if met else 'MISSED'}" for text, met in result.targets)


def _pair_row(result: PairResult) -> tuple[str, ...]:
    name = result.entry.name
    if result.on_host:
        name += f" [on the host: {', '.join(result.on_host)}]"
    if result.error:
        name += f" [FAILED: {result.error}]"
    ratio = "-" if result.ratio is None else f"{result.ratio:.3g}x"
    if result.memory is not None and result.original_memory is not None:
        name += f" (peak memory {result.memory / 1e6:.0f} MB, original {result.original_memory / 1e6:.0f} MB)"
    return (
        name, _timing(result.ours), _timing(result.original), ratio, duration(result.first), duration(result.cached),
        duration(result.original_first), _targets(result),
    )  # fmt: skip


def _figure_row(result: FigureResult) -> tuple[str, ...]:
    name = result.entry.name + (f" [FAILED: {result.error}]" if result.error else "")
    value = "-" if result.value is None else f"{result.value:.3g} {result.entry.unit}"
    return name, value, _targets(result)


def tables(results: Sequence[Result]) -> list[tuple[tuple[str, ...], list[tuple[str, ...]]]]:
    """Columns and rows: one table for the pairs, one for the figures."""
    pairs = [_pair_row(r) for r in results if isinstance(r, PairResult)]
    figures = [_figure_row(r) for r in results if isinstance(r, FigureResult)]
    return [(columns, rows) for columns, rows in ((_PAIR_COLUMNS, pairs), (_FIGURE_COLUMNS, figures)) if rows]


def print_topic(topic: Topic, results: Sequence[Result]) -> None:
    """The topic's tables in the terminal: green where targets are met, red where missed or failed."""
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    console = Console()
    if not console.is_terminal:
        console = Console(width=170)
    for columns, rows in tables(results):
        table = Table(title=topic.title, title_justify="left", show_lines=False)
        for i, column in enumerate(columns):
            table.add_column(column, justify="left" if i in (0, len(columns) - 1) else "right", overflow="fold")
        for row in rows:
            bad = "MISSED" in row[-1] or "FAILED" in row[0] or "on the host" in row[0]
            style = "red" if bad else "green" if "met" in row[-1] else None
            table.add_row(*map(escape, row), style=style)
        console.print(table)


def summary(results: Sequence[Result]) -> str:
    """One line: targets met and missed, entries on the host, failures, losses."""
    targets = [met for r in results for _, met in r.targets]
    pairs = [r for r in results if isinstance(r, PairResult)]
    ratios = [r.ratio for r in pairs if r.ratio is not None and not r.on_host and not r.error]
    return (
        f"{sum(targets)} of {len(targets)} targets met; {sum(x >= 1 for x in ratios)} pairs faster than the original, "
        f"{sum(x < 1 for x in ratios)} slower; {sum(bool(r.on_host) for r in pairs)} on the host; "
        f"{sum(bool(r.error) for r in results)} failed"
    )


def markdown(facts: dict[str, str], measured: Sequence[tuple[Topic, Sequence[Result]]], quick: bool) -> str:
    """The text of RESULTS.md."""
    everything = [r for _, results in measured for r in results]
    lines = [
        "# Benchmark results",
        "",
        "Written by `make bench` (`python -m benchmarks`); how each number is taken is in [README.md](README.md).",
        "Ratio: the original's time over ours, above 1 we are faster. First: the first call in a fresh process with an",
        "empty compilation cache; cached: the same in the next process. ±: half the distance of the quartiles.",
        *(["", "**A quick run: three rounds at reduced sizes. Not for quoting.**"] if quick else []),
        "",
        summary(everything) + ".",
        "",
        *(f"- {key}: {value}" for key, value in facts.items()),
    ]
    for topic, results in measured:
        lines += ["", f"## {topic.title}"]
        for columns, rows in tables(results):
            lines += ["", "| " + " | ".join(columns) + " |"]
            lines.append("|" + "|".join([" --- ", *([" ---: "] * (len(columns) - 2)), " --- "]) + "|")
            lines += ["| " + " | ".join(c.replace("|", "\\|") for c in row) + " |" for row in rows]
    return "\n".join(lines) + "\n"
