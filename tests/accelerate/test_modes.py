"""The other ways in and the reports: environment variable, notebook, verification, line profile, pytest plugin."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import numpy as np
import pytest

import sci
from sci.accelerate.verify import difference

BEFORE = """
import scipy, scipy.linalg as la
from scipy.linalg import solve
from scipy import special
import sys, pickle, inspect
keep = {"solve": solve, "la": la, "gamma": special.gamma}
"""


def run(folder, *args, **more):
    environment = {k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "SCI_POLICY")} | more
    return subprocess.run(
        [sys.executable, *args], cwd=folder, env=environment, capture_output=True, text=True, timeout=240, check=False
    )


def check(folder, code, *args, **more):
    (folder / "job.py").write_text(code)
    done = run(folder, *args, "job.py", **more)
    assert done.returncode == 0, done.stderr
    return done


def test_names_imported_before_are_exchanged_and_restored(tmp_path):
    check(
        tmp_path,
        BEFORE + "import sci\n"
        "sci.install()\n"
        "assert solve is not keep['solve'] and la is not keep['la'] and special.gamma is not keep['gamma']\n"
        "assert la.solve is solve is scipy.linalg.solve\n"
        "assert (solve.__name__, solve.__doc__) == ('solve', keep['solve'].__doc__)\n"
        "assert inspect.signature(solve) == inspect.signature(keep['solve'])\n"
        "assert pickle.loads(pickle.dumps(solve)) is solve\n"
        "assert pickle.loads(pickle.dumps(special.gamma)) is special.gamma\n"
        "assert abs(special.gamma(5.0) - 24) < 1e-12 and special.gamma.nin == 1\n"
        "assert sys.modules['scipy.linalg'].solve is keep['solve']\n"
        "assert scipy.__config__ is sys.modules['scipy'].__config__ and not hasattr(scipy, '__nothing__')\n"
        "sci.uninstall()\n"
        "assert solve is keep['solve'] and la is keep['la'] and special.gamma is keep['gamma']\n",
    )


def test_a_patched_scipy_function_is_the_patch(tmp_path):
    check(
        tmp_path,
        BEFORE + "import sci\n"
        "sci.install()\n"
        "la.det = lambda a: 'patched'\n"
        "from scipy.linalg import det\n"
        "assert det(1) == 'patched' and sys.modules['scipy.linalg'].det is det\n",
    )


def test_environment_variable_reaches_child_processes(tmp_path):
    code = (
        "import subprocess, sys\n"
        "from scipy import linalg\n"
        "print(linalg.det.__module__)\n"
        "if len(sys.argv) < 2:\n"
        "    sys.stdout.flush()\n"
        "    subprocess.run([sys.executable, __file__, 'child'], check=True)\n"
    )
    assert set(check(tmp_path, code).stdout.split()) == {"scipy.linalg._basic"}
    assert check(tmp_path, code, SCI_ACCELERATE="1").stdout.split() == ["sci.accelerate.redirect"] * 2
    # and both together
    assert "sci.accelerate.redirect" in check(tmp_path, code, "-m", "sci", SCI_ACCELERATE="1").stdout


def test_environment_variable_loads_nothing_where_scipy_is_not_used(tmp_path):
    done = check(tmp_path, "import sys, json\nprint('jax' in sys.modules, 'sci' in sys.modules)\n", SCI_ACCELERATE="1")
    assert done.stdout.split() == ["False", "False"]


def test_command(tmp_path):
    code = "import sys; from scipy.linalg import det; print(det.__module__, sys.argv, __name__)"
    done = run(tmp_path, "-m", "sci", "-c", code, "x")
    assert done.stdout.split() == ["sci.accelerate.redirect", "['-c',", "'x']", "__main__"], done.stderr


def test_traceback_is_the_plain_one(tmp_path):
    code = "from scipy import linalg\ndef broken():\n    raise KeyError('gone')\nbroken()\n"
    (tmp_path / "job.py").write_text(code)
    plain, ours = run(tmp_path, "job.py"), run(tmp_path, "-m", "sci", "job.py")
    assert (ours.returncode, ours.stderr) == (plain.returncode, plain.stderr)
    (tmp_path / "job.py").write_text("def f(:\n")
    plain, ours = run(tmp_path, "job.py"), run(tmp_path, "-m", "sci", "job.py")
    assert (ours.returncode, ours.stderr.splitlines()[1:]) == (plain.returncode, plain.stderr.splitlines()[1:])


def test_error_in_a_callable_shows_the_users_line(tmp_path):
    code = (
        "import numpy as np\nfrom scipy.optimize import minimize\n"
        "def objective(x):\n    table = {}\n    return table['missing'] + x[0]\n"
        "minimize(objective, np.ones(2), method='BFGS')\n"
    )
    (tmp_path / "job.py").write_text(code)
    done = run(tmp_path, "-m", "sci", "--policy", "compiled", "job.py")
    assert done.returncode == 1 and "KeyError: 'missing'" in done.stderr.splitlines()[-1]
    assert "return table['missing']" in done.stderr and "XlaRuntimeError" not in done.stderr


def test_verification_and_line_profile(tmp_path):
    code = (
        "import numpy as np\nfrom scipy import linalg\nfrom scipy.optimize import minimize\n"
        "for n in (2, 3):\n    linalg.inv(np.eye(n) * 2)\n"
        "minimize(lambda x: float(((x - 1) ** 2).sum()), np.zeros(2), method='BFGS')\n"
    )
    done = check(tmp_path, code, "-m", "sci", "--verify", "--line-profile", "--json", "p.json")
    assert "verified 3 calls: 0 differ" in done.stderr and "by line" in done.stderr
    lines = json.loads((tmp_path / "p.json").read_text())["lines"]
    assert {(line["where"].rpartition(":")[2], line["calls"]) for line in lines} == {("5", 2), ("6", 1)}


def test_profile_names_the_reason_and_a_hint(tmp_path):
    code = (
        "import random\nfrom scipy.optimize import minimize\n"
        "def noisy(x):\n    return float(x @ x) + 0 * random.random()\n"
        "minimize(noisy, [1.0, 2.0], method='BFGS')\n"
    )
    check(tmp_path, code, "-m", "sci", "--policy", "compiled", "--json", "p.json")
    host = json.loads((tmp_path / "p.json").read_text())["host"]
    assert host[0]["reason"] == "UNTRACEABLE" and host[0]["where"].endswith("job.py:5")
    assert "to_jax" in host[0]["hint"] and "job.py" in host[0]["detail"]


@pytest.mark.parametrize(
    ("a", "b", "what"),
    [
        (np.ones(3), np.ones(3), None),
        (np.ones(3), np.ones(2), "shape"),
        (np.ones(3, np.float32), np.ones(3), "dtype"),
        (np.array([1.0, 2.0]), np.array([1.0, 2.1]), "differs by 0.1"),
        (np.array([np.nan, 1.0]), np.array([1.0, 1.0]), "NaN"),
        (np.array([np.inf, 1.0]), np.array([-np.inf, 1.0]), "infinite"),
        ({"x": 1.0, "nfev": 3}, {"x": 1.0, "nfev": 5}, None),
        ({"success": True}, {"success": False}, "1 of 1"),
        ((1.0, np.zeros(2)), (1.0, np.ones(2)), "result[1]"),
        (np.array([3, 4], np.uint8), np.array([4, 4], np.uint8), None),
        (np.array([3, 4], np.int64), np.array([4, 4], np.int64), "1 of 2"),
    ],
)
def test_differences_are_seen(a, b, what):
    found = difference(a, b, 1e-7)
    assert found is None if what is None else what in found


def test_notebook_extension(tmp_path):
    code = (
        "from IPython.core.interactiveshell import InteractiveShell\n"
        "shell = InteractiveShell.instance()\n"
        "shell.run_cell('from scipy import linalg\\nimport numpy as np').raise_error()\n"
        "shell.run_line_magic('load_ext', 'sci')\n"
        "shell.run_cell('who = linalg.det.__module__').raise_error()\n"
        "print(shell.user_ns['who'])\n"
        "profile = shell.run_cell_magic('sci_profile', '', 'linalg.det(np.eye(2));')\n"
        "print(profile.called()[0].name, '<table>' in profile._repr_html_())\n"
        "shell.run_cell_magic('sci_verify', '', 'linalg.det(np.eye(2));')\n"
        "shell.run_cell_magic('sci_policy', 'compiled', 'linalg.det(np.eye(2));')\n"
        "shell.run_line_magic('unload_ext', 'sci')\n"
        "shell.run_cell('who = linalg.det.__module__').raise_error()\n"
        "print(shell.user_ns['who'])\n"
    )
    done = check(tmp_path, code, IPYTHONDIR=str(tmp_path))
    lines = [line for line in done.stdout.splitlines() if line and not line.startswith("Out[")]
    assert lines == [
        "sci.accelerate.redirect", "scipy.linalg.det True", "verified 1 calls: 0 differ", "scipy.linalg._basic",
    ]  # fmt: skip


def test_pytest_plugin_on_scipys_own_tests(tmp_path):
    expected = [{"pattern": "scipy/linalg/tests/test_decomp_lu.py::TestLU::nothing", "reason": "none"}]
    (tmp_path / "expected.json").write_text(json.dumps(expected))
    done = run(
        tmp_path, "-m", "pytest", "-q", "-c", os.devnull, "-p", "no:cacheprovider",
        "-p", "sci.accelerate.pytest_plugin", "--pyargs", "scipy.linalg.tests.test_decomp_cholesky", "-k",
        "TestCholesky and random", "--sci-json", "f.json", "--sci-expected", "expected.json",
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    figures = json.loads((tmp_path / "f.json").read_text())
    assert figures["failed"] == 0 and 0 < figures["touching"] == figures["compiled"]
    assert "tests that touch ours ran compiled" in done.stdout


def test_pytest_plugin_counts_what_it_cannot_collect(tmp_path):
    (tmp_path / "test_broken.py").write_text("import scipy\nscipy.nothing\n")
    done = run(
        tmp_path, "-m", "pytest", "-q", "-c", os.devnull, "-p", "no:cacheprovider",
        "-p", "sci.accelerate.pytest_plugin", "--sci-json", "f.json", "test_broken.py",
    )  # fmt: skip
    assert done.returncode == 2, done.stdout
    figures = json.loads((tmp_path / "f.json").read_text())
    assert figures["failed"] == 1 and figures["failing"] == ["test_broken.py"]


def test_pytest_plugin_counts_expected_failures(tmp_path):
    tests = "import pytest\n\n@pytest.mark.parametrize('k', [0, 1, 2])\ndef test_k(k):\n    assert k == 0\n"
    (tmp_path / "test_k.py").write_text(tests)
    for count, code in ((2, 0), (1, 1)):
        (tmp_path / "e.json").write_text(
            json.dumps([{"pattern": "test_k.py::test_k[?]", "reason": "x", "count": count}])
        )
        done = run(
            tmp_path, "-m", "pytest", "-q", "-c", os.devnull, "-p", "no:cacheprovider", "-p",
            "sci.accelerate.pytest_plugin", "--sci-expected", "e.json", "--sci-json", "f.json", "test_k.py",
        )  # fmt: skip
        figures = json.loads((tmp_path / "f.json").read_text())
        assert done.returncode == code, done.stdout
        assert figures["expected failures"] == 2 and figures["failed"] == 2 - count
    assert "2 of 3 fail, the list says 1" in done.stdout


def test_include_takes_names():
    with pytest.raises(TypeError, match="list of package names"):
        sci.install(include="sklearn")


def test_included_package_is_redirected(tmp_path):
    code = (
        "import sci, skimage.transform._geometric as geometric\n"
        "real = geometric.__dict__['np']\n"
        "sci.install(include=['sklearn_like'])\n"
        "from sci.accelerate.imports import is_user\n"
        "import numpy\n"
        "assert is_user({'__name__': 'sklearn_like.a', '__file__': numpy.__file__})\n"
        "assert not is_user({'__name__': 'other.a', '__file__': numpy.__file__})\n"
        "assert not is_user({'__name__': 'scipy.linalg', '__file__': numpy.__file__})\n"
    )
    check(tmp_path, code)
