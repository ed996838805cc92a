"""``python -m sci``: commands, exit statuses, output."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from sci.cli.coverage import coverage
from sci.cli.doctor import CHECKS
from sci.cli.main import main
from sci.cli.tables import seconds


def sci(*args, cwd=None):
    # the folder of pytest's own path must not matter
    env = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
    return subprocess.run(
        [sys.executable, "-m", "sci", *args], capture_output=True, text=True, cwd=cwd, env=env, timeout=240
    )


def test_coverage_json_is_a_list_of_records():
    done = sci("coverage", "--json", "linalg")
    assert done.returncode == 0, done.stderr
    records = json.loads(done.stdout)
    assert all(set(r) == {"name", "status", "jit", "vmap", "grad"} for r in records)
    by_name = {r["name"]: r for r in records}
    assert by_name["scipy.linalg.solve"] == {
        "name": "scipy.linalg.solve", "status": "native", "jit": True, "vmap": True, "grad": True,
    }  # fmt: skip
    assert by_name["scipy.linalg.get_lapack_funcs"]["status"] == "host"
    assert {r["status"] for r in records} <= {"native", "host", "absent"}
    assert [r["name"] for r in records] == sorted(by_name)


def test_coverage_covers_the_three_originals():
    names = {r["name"]: r["status"] for r in coverage()}
    assert names["scipy.stats.norm"] == "host"
    assert names["scipy.integrate.RK45"] == "native"  # a class: ours, without an entry in the registry
    pytest.importorskip("skimage")
    assert names["skimage.filters.gaussian"] == "native"
    pytest.importorskip("cv2")
    assert names["cv2.GaussianBlur"] == names["cv2.createCLAHE"] == "native"


def test_coverage_of_an_unknown_module(capsys):
    assert main(["coverage", "nonsense"]) == 2
    assert "nonsense" in capsys.readouterr().err


def test_coverage_table(capsys):
    assert main(["coverage", "scipy.linalg"]) == 0
    assert "scipy.linalg.solve" in capsys.readouterr().out


@pytest.mark.parametrize("name", sorted(CHECKS))
def test_this_jaxlib_has_none_of_the_known_faults(name):
    assert CHECKS[name]()


def test_doctor_shows_paths_and_settings(capsys):
    assert main(["doctor"]) == 0
    out = capsys.readouterr().out
    for word in ("jaxlib", "solvers", "image", "allocator", "compilation cache", "devices"):
        assert word in out


def test_no_arguments_and_missing_scripts(capsys):
    assert main([]) == 2
    assert "usage" in capsys.readouterr().err
    assert main(["no_such_script.py"]) == 2
    assert "no_such_script.py" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("value", "text"), [(None, "-"), (1.5, "1.5 s"), (0.0123, "12.3 ms"), (4.5e-6, "4.5 us"), (0.0, "0 us")]
)
def test_durations(value, text):
    assert seconds(value) == text
