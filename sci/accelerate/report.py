"""The profile and the verification as people read them: tables in the terminal and in notebooks."""

from __future__ import annotations

import html as escapes
import sys
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from sci.bridge.reasons import HINTS, fallbacks
from sci.cli.tables import print_table, seconds

if TYPE_CHECKING:
    from sci.accelerate.profile import Profile
    from sci.accelerate.verify import Verifier

__all__ = ["html", "print_profile", "print_verification"]

_FUNCTIONS = ("function", "engine", "calls", "first", "steady", "total", "saved")
_LINES = ("line", "functions", "calls", "on the host", "total")
_REASONS = ("function", "calls", "where", "reason", "hint")


def _function_rows(profile: Profile) -> list[tuple[object, ...]]:
    return [
        (f.name, f.engine, len(f.seconds), seconds(f.first), seconds(f.steady), seconds(f.total),
         seconds(f.saved) if f.saved else "-") for f in profile.called()
    ]  # fmt: skip


def _line_rows(profile: Profile) -> list[tuple[object, ...]]:
    return [(n.where, ", ".join(sorted(n.functions)), n.calls, n.host, seconds(n.seconds)) for n in profile.by_line()]


def _reason_rows() -> list[tuple[object, ...]]:
    return [
        (r.function, r.count, r.where, f"{r.reason.value} {r.detail}".strip(), HINTS[r.reason]) for r in fallbacks()
    ]


def print_profile(profile: Profile, lines: bool = False) -> None:
    """The tables of ``python -m sci --profile``, on standard error: the script's output stays its own."""
    print_table("calls", _FUNCTIONS, _function_rows(profile), stderr=True)
    if lines:
        print_table("by line", _LINES, _line_rows(profile), stderr=True)
    reasons = _reason_rows()
    if reasons:
        print_table("on the original library", _REASONS, reasons, stderr=True)


def print_verification(verifier: Verifier) -> None:
    """The report of ``python -m sci --verify``, on standard error."""
    rows = [(d.function, d.where, d.what) for d in verifier.differences]
    if rows:
        print_table("differences", ("function", "where", "reason"), rows, stderr=True)
    print(f"verified {verifier.calls} calls: {len(rows)} differ", file=sys.stderr)


def html(profile: Profile, lines: bool = True) -> str:
    """The same tables for a notebook."""
    parts = [_html("calls", _FUNCTIONS, _function_rows(profile))]
    if lines:
        parts.append(_html("by line", _LINES, _line_rows(profile)))
    reasons = _reason_rows()
    if reasons:
        parts.append(_html("on the original library", _REASONS, reasons))
    return "".join(parts)


def _html(title: str, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    head = "".join(f"<th>{escapes.escape(c)}</th>" for c in columns)
    body = "".join("<tr>" + "".join(f"<td>{escapes.escape(str(v))}</td>" for v in row) + "</tr>" for row in rows)
    return (
        f"<table><caption>{escapes.escape(title)}</caption><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
    )
