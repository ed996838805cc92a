"""Unmodified scripts through ``python -m sci``: same output, same failures, ours underneath."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

SCRIPT = """
import sys
import scipy
import scipy.linalg as la
from scipy import linalg
from scipy.linalg import solve, LinAlgError
import numpy as np
import helper

def inside():
    from scipy.linalg import det
    return det

a = np.array([[4.0, 1.0], [2.0, 3.0]])
print(np.round(solve(a, [1.0, 2.0]), 12), round(float(la.det(a)), 12), np.round(linalg.inv(a), 12))
print(sys.argv[1:], __name__, isinstance(ValueError(), Exception))
print(np.round(helper.factor(a), 12))
try:
    solve(np.zeros((2, 2)), [1.0, 1.0])
except LinAlgError as error:
    print("LinAlgError")
if "--who" in sys.argv:
    print({f.__module__ for f in (solve, la.det, linalg.inv, inside(), scipy.linalg.eigh, helper.qr)})
"""
HELPER = """
from scipy.linalg import qr

def factor(a):
    return abs(qr(a)[1])
"""


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "script.py").write_text(SCRIPT)
    (tmp_path / "helper.py").write_text(HELPER)
    return tmp_path


def run(folder, *args):
    env = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
    return subprocess.run([sys.executable, *args], cwd=folder, env=env, capture_output=True, text=True, timeout=240)


def test_same_output(folder):
    plain = run(folder, "script.py", "a", "-b")
    ours = run(folder, "-m", "sci", "script.py", "a", "-b")
    assert plain.returncode == 0, plain.stderr
    assert (ours.returncode, ours.stdout, ours.stderr) == (0, plain.stdout, plain.stderr)
    as_module = run(folder, "-m", "sci", "-m", "script", "a", "-b")
    assert (as_module.returncode, as_module.stdout) == (0, plain.stdout)


def test_every_way_of_importing_is_redirected(folder):
    assert run(folder, "script.py", "--who").stdout.splitlines()[-1].count("scipy.") > 0
    last = run(folder, "-m", "sci", "script.py", "--who").stdout.splitlines()[-1]
    assert last == "{'sci.accelerate.redirect'}"


def test_profile_tells_what_ran_where(folder):
    done = run(folder, "-m", "sci", "--policy", "compiled", "--profile", "--json", "p.json", "script.py")
    assert "scipy.linalg.solve" in done.stderr and "steady" in done.stderr
    assert "scipy.linalg.solve" not in done.stdout
    profile = json.loads((folder / "p.json").read_text())
    calls = {c["function"]: c for c in profile["calls"]}
    assert calls["scipy.linalg.solve"]["calls"] == 2 and calls["scipy.linalg.solve"]["engine"] == "JAX"


def test_policy_option(folder):
    done = run(folder, "-m", "sci", "--policy", "host", "--profile-json", "p.json", "script.py")
    assert done.returncode == 0
    assert {c["engine"] for c in json.loads((folder / "p.json").read_text())["calls"]} == {"host"}


@pytest.mark.parametrize(
    ("body", "status"),
    [("raise ValueError('broken')", 1), ("import sys; sys.exit(3)", 3), ("import no_such_module", 1), ("1 +", 1)],
)
def test_a_failing_script_fails_the_same_way(tmp_path, body, status):
    (tmp_path / "bad.py").write_text("from scipy import linalg\n" + body + "\n")
    plain, ours = run(tmp_path, "bad.py"), run(tmp_path, "-m", "sci", "bad.py")
    assert plain.returncode == ours.returncode == status
    assert plain.stderr.splitlines()[-1:] == ours.stderr.splitlines()[-1:]


def test_installed_packages_and_scipy_itself_keep_the_originals(folder):
    code = (
        "from sci.accelerate import accelerated\n"
        "import scipy.linalg\n"
        "real = [scipy.linalg.solve]  # a plain global would be exchanged\n"
        "with accelerated():\n"
        "    import scipy.linalg, scipy.optimize, scipy.stats\n"
        "    assert scipy.linalg.solve is not real[0]\n"
        "    import sys\n"
        "    assert sys.modules['scipy.linalg'].solve is real[0]\n"
        "    import pickle, inspect\n"
        "    assert pickle.loads(pickle.dumps(scipy.linalg)).__name__ == 'scipy.linalg'\n"
        "    assert inspect.signature(scipy.linalg.solve) == inspect.signature(real[0])\n"
        "    scipy.linalg.marker = 1\n"
        "    assert sys.modules['scipy.linalg'].marker == 1\n"
        "    del scipy.linalg.marker\n"
        "import scipy.linalg\n"
        "assert scipy.linalg.solve is real[0]\n"
    )
    done = run(folder, "-c", code)
    assert done.returncode == 0, done.stderr
