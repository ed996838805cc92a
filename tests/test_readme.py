"""What the README shows runs, and prints what it shows."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

README = Path(__file__).resolve().parents[1] / "README.md"
BLOCK = re.compile(r"```python\n(.*?)```\n(?:```\n(.*?)```)?", re.DOTALL)


def test_examples_run_in_order_and_print_what_is_shown(capsys):
    pytest.importorskip("skimage")
    namespace = {"__name__": "readme"}
    blocks = BLOCK.findall(README.read_text())
    assert len(blocks) >= 4
    for code, shown in blocks:
        exec(compile(code, str(README), "exec"), namespace)
        assert capsys.readouterr().out == shown
