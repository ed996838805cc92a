"""The shape of the library: direction of imports, lazy loading, names, metadata."""

from __future__ import annotations

import ast
import importlib
import json
import subprocess
import sys
from pathlib import Path

import pytest

import sci
from sci.cli.coverage import original_modules

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("solvers", "sci", "image")
SOURCES = sorted(p for package in PACKAGES for p in (ROOT / package).rglob("*.py"))


def imported(path):
    """Top packages that a file imports, at any depth."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            yield (node.module or "").partition(".")[0]


@pytest.mark.parametrize("path", SOURCES, ids=lambda p: str(p.relative_to(ROOT)))
def test_packages_import_in_one_direction(path):
    package = path.relative_to(ROOT).parts[0]
    forbidden = {"solvers": {"sci", "image", "scipy"}, "sci": {"image"}, "image": set()}[package]
    assert not forbidden & set(imported(path))


@pytest.mark.parametrize(
    "path", [p for p in SOURCES if p.name == "__init__.py"], ids=lambda p: str(p.relative_to(ROOT).parent)
)
def test_all_is_sorted(path):
    for node in ast.parse(path.read_text()).body:
        names = [t.id for t in getattr(node, "targets", []) if isinstance(t, ast.Name)]
        if names == ["__all__"] and isinstance(node.value, ast.List):
            listed = [e.value for e in node.value.elts if isinstance(e, ast.Constant)]
            assert listed == sorted(listed)


def run(code):
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120, cwd=ROOT)
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout


def test_import_is_light_and_starts_no_backend():
    out = run(
        "import sys, json, sci, solvers, image\n"
        "from jax._src import xla_bridge\n"
        "heavy = ['scipy.optimize', 'scipy.linalg', 'diffrax', 'optimistix', 'matplotlib', 'cv2', 'skimage', 'rich']\n"
        "print(json.dumps([[m for m in heavy if m in sys.modules], xla_bridge.backends_are_initialized()]))"
    )
    assert json.loads(out) == [[], False]


def test_importing_our_scipy_modules_starts_no_backend():
    out = run(
        "import sci\n"
        "from sci import integrate, linalg, ndimage, optimize, special\n"
        "from jax._src import xla_bridge\n"
        "import sys; print(xla_bridge.backends_are_initialized(), 'diffrax' in sys.modules, 'cv2' in sys.modules)"
    )
    assert out.split() == ["False", "False", "False"]


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("module", [m for m in original_modules() if m.startswith("scipy")])
def test_every_public_name_of_scipy_is_importable(module):
    original = importlib.import_module(module)
    ours = importlib.import_module("sci" + module.removeprefix("scipy"))
    names = getattr(original, "__all__", None) or [n for n in dir(original) if not n.startswith("_")]
    for name in names:
        value, theirs = getattr(ours, name), getattr(original, name)
        assert getattr(ours, name) is value, "one identity"
        if isinstance(theirs, type):
            # classes and exceptions keep their identity unless they are native here
            assert value is theirs or value.__module__.startswith("sci."), name
        elif callable(theirs):
            assert callable(value), name
    assert set(names) - {"test"} <= set(dir(ours)) | {"test"}


def test_unknown_names_raise_attribute_error():
    for module in ("sci", "sci.linalg", "sci.stats", "sci.signal.windows"):
        with pytest.raises(AttributeError, match="no_such_name"):
            importlib.import_module(module).no_such_name
    with pytest.raises(ImportError):
        exec("from sci.linalg import no_such_name")


def test_star_import_gives_scipys_names():
    namespace = {}
    exec("from sci.cluster.vq import *", namespace)
    import scipy.cluster.vq

    assert set(scipy.cluster.vq.__all__) <= set(namespace)


@pytest.mark.parametrize("name", ["image", "solvers"])
def test_a_shadowing_file_is_named(tmp_path, name):
    (tmp_path / f"{name}.py").write_text("")
    code = f"import sys; sys.path.insert(0, {str(tmp_path)!r}); import sci"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, cwd=tmp_path)
    assert done.returncode != 0
    assert "ImportError" in done.stderr and str(tmp_path / f"{name}.py") in done.stderr


def test_version_is_that_of_the_metadata():
    from importlib.metadata import version

    assert version("scijax") == sci.__version__
