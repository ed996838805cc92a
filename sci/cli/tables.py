"""Tables in the terminal."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence

__all__ = ["print_table", "seconds"]

_TEXT = ("reason", "hint", "where", "functions")


def seconds(value: float | None) -> str:
    """A duration with three digits and its unit."""
    if value is None:
        return "-"
    for unit, scale in (("s", 1.0), ("ms", 1e-3), ("us", 1e-6)):
        if abs(value) >= scale or unit == "us":
            return f"{value / scale:.3g} {unit}"
    return "-"


def print_table(title: str, columns: Sequence[str], rows: Iterable[Sequence[object]], stderr: bool = False) -> None:
    """Print a table; numbers and durations are aligned to the right."""
    from rich.console import Console
    from rich.table import Table

    table = Table(title=title, title_justify="left")
    for i, column in enumerate(columns):
        table.add_column(column, justify="left" if i == 0 or column in _TEXT else "right", overflow="fold")
    for row in rows:
        table.add_row(*map(str, row))
    Console(file=sys.stderr if stderr else None, soft_wrap=False).print(table)
