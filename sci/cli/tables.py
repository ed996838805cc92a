"""Tables in the terminal."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sci.accelerate import Profile

__all__ = ["print_profile", "print_table", "seconds"]


def seconds(value: float | None) -> str:
    """A duration with three digits and its unit."""
    if value is None:
        return "-"
    for unit, scale in (("s", 1.0), ("ms", 1e-3), ("us", 1e-6)):
        if value >= scale or unit == "us":
            return f"{value / scale:.3g} {unit}"
    return "-"


def print_table(title: str, columns: Sequence[str], rows: Iterable[Sequence[object]], stderr: bool = False) -> None:
    """Print a table; numbers and durations are aligned to the right."""
    from rich.console import Console
    from rich.table import Table

    table = Table(title=title, title_justify="left")
    for i, column in enumerate(columns):
        table.add_column(column, justify="left" if i == 0 else "right", overflow="fold")
    for row in rows:
        table.add_row(*map(str, row))
    Console(file=sys.stderr if stderr else None, soft_wrap=False).print(table)


def print_profile(profile: Profile) -> None:
    """The table of ``python -m sci --profile``, on standard error: the script's output stays its own."""
    from sci.bridge import fallbacks

    rows = [
        (f.name, f.engine, len(f.seconds), seconds(f.first), seconds(f.steady), seconds(sum(f.seconds)))
        for f in profile.called()
    ]
    print_table("calls", ("function", "engine", "calls", "first", "steady", "total"), rows, stderr=True)
    reasons = [(r.function, r.count, r.where, f"{r.reason.value} {r.detail}".strip()) for r in fallbacks()]
    if reasons:
        print_table("on the original library", ("function", "calls", "where", "reason"), reasons, stderr=True)
