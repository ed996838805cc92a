"""`make demo`: the script is plain, and a disagreement is seen."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from notebooks.build import cells, notebook
from notebooks.demo import differences

ROOT = Path(__file__).resolve().parents[2]


def test_main_job_is_plain():
    tree = ast.parse((ROOT / "notebooks/main_job.py").read_text())
    names = {a.name for n in ast.walk(tree) if isinstance(n, ast.Import) for a in n.names}
    names |= {n.module for n in ast.walk(tree) if isinstance(n, ast.ImportFrom)}
    roots = {name.partition(".")[0] for name in names}
    assert roots == {"argparse", "cv2", "matplotlib", "numpy", "pathlib", "scipy", "skimage"}


def test_same_output_agrees():
    text = "fit 1.25000 +- 0.003\nplain text\nexponent sigma^-0.43"
    assert differences(text, text) == (3, 0.0, [])


def test_last_digit_and_alignment_are_no_disagreement():
    assert differences("a  10.0012", "a 10.0013")[2] == []
    assert differences("a 1e-7", "a 1.00001e-7")[2] == []


@pytest.mark.parametrize(
    "other", ["a 10.0512 b 3", "a 10.0012 b 4", "a 10.0012 c 3", "a 10.0012 b", "a nan b 3", "a 10.0012 b 3\nmore 1"]
)
def test_disagreement_is_seen(other):
    assert differences("a 10.0012 b 3", other)[2]


def test_cells_of_a_source():
    source = "# ruff: noqa\n# %% [markdown]\n# # Title\n#\n# text\n\n# %%\nx = 1\n# a comment\n\n# %%\n"
    assert list(cells(source)) == [("markdown", "# Title\n\ntext"), ("code", "x = 1\n# a comment")]
    assert [c.cell_type for c in notebook(source).cells] == ["markdown", "code"]


def test_notebook_is_that_of_its_source():
    nbformat = pytest.importorskip("nbformat")
    for source in (ROOT / "notebooks/src").glob("*.py"):
        kept = nbformat.read(ROOT / "notebooks" / f"{source.stem.replace('_', '-')}.ipynb", as_version=4)
        built = notebook(source.read_text())
        assert [c.source for c in kept.cells] == [c.source for c in built.cells], "run `make notebooks`"
        assert any(c.get("outputs") for c in kept.cells)


def test_small_demo_agrees(tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "notebooks.demo", "--small", "--out", str(tmp_path)],
        cwd=ROOT, capture_output=True, text=True, timeout=500,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert "The results agree" in done.stdout and "scipy.integrate.solve_ivp" in done.stdout
    assert {p.name for p in tmp_path.iterdir()} == {"hare_lynx.png", "photograph.png"}
