"""Plain scripts on the SciPy tutorial's topics: the same output plainly, adaptively and compiled."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
SCRIPTS = sorted((HERE / "scripts").glob("*.py"))


@pytest.fixture(scope="module")
def outputs():
    environment = {k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "SCI_POLICY")}

    def run(mode):
        command = [sys.executable, str(HERE / "run_scripts.py"), mode, *map(str, SCRIPTS)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=600, env=environment, check=False)
        assert done.returncode == 0, done.stderr
        return {Path(path).stem: result["output"] for path, result in json.loads(done.stdout).items()}

    return {mode: run(mode) for mode in ("plain", "adaptive", "compiled")}


def test_there_are_enough_scripts():
    assert len(SCRIPTS) >= 20


@pytest.mark.parametrize("mode", ["adaptive", "compiled"])
@pytest.mark.parametrize("name", [s.stem for s in SCRIPTS])
def test_prints_the_same(outputs, name, mode):
    plain = outputs["plain"][name]
    assert plain.strip() and "Traceback" not in plain
    assert outputs[mode][name] == plain
