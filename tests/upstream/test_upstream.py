"""SciPy's own tests on our functions: a sample of each module by default, all of them with ``-m slow``."""

from __future__ import annotations

import pytest
import scipy

from tests.upstream import published
from tests.upstream import report as reports
from tests.upstream.expected import Expected, judge, match, read, shrunk
from tests.upstream.report import Report, default_modules, run_module
from tests.upstream.run import dotted, main
from tests.upstream.runner import Options, Run, run_tests
from tests.upstream.settings import Settings

SAMPLE = Options(sample=40, limit=40.0, test_limit=30.0)


def verdict(report: Report) -> None:
    lines = [*report.complaints, *(f"{test}: {message}" for test, message in report.unexpected.items())]
    if lines and not report.enforced:
        pytest.xfail("; ".join([*report.notes, f"{len(lines)} complaints", *lines[:5]]))
    assert not lines, "\n".join(lines)


@pytest.mark.parametrize("module", default_modules())
def test_sample(module):
    report = run_module(module, read(), options=SAMPLE)
    verdict(report)
    if not report.counted and report.unreached:
        pytest.skip(f"no test that calls a native name was reached in {SAMPLE.limit:g} s")
    assert report.counted, "no sampled test called a native name"


@pytest.mark.slow
@pytest.mark.parametrize("module", default_modules())
def test_everything(module):
    report = run_module(module, read())
    verdict(report)
    assert report.counted


# --- the runner itself -----------------------------------------------------------------------

OVERWRITE = Expected("scipy/linalg/tests/test_basic.py::TestSolve::test_overwrite_args[*]", "by design, as a sample", 3)


def test_differences_and_host_calls_are_seen():
    """`overwrite_b` has no effect by design, and `hadamard` has no native version: both must show."""
    names = dotted("solve,scipy.linalg.hadamard", "linalg")
    options = Options(
        sample=4,
        keyword="test_overwrite_args and not test_decomp or TestHadamard",
        files=("test_basic.py", "test_special_matrices.py"),
    )
    report = run_module("linalg", [], names, options)
    assert report.replaced == ["scipy.linalg.hadamard", "scipy.linalg.solve"]
    assert report.unexpected and all("::TestSolve::test_overwrite_args" in test for test in report.unexpected)
    assert report.host_tests and all("TestHadamard" in test for test in report.host_tests)
    assert set(report.per_name["scipy.linalg.hadamard"]) == {"host"}
    assert report.passed and not (report.good and report.enforced)


def test_a_crash_a_hang_and_a_broken_file_cost_only_themselves(tmp_path):
    broken, hard = tmp_path / "test_broken.py", tmp_path / "test_hard.py"
    broken.write_text("import no_such_module_of_anybody\n")
    hard.write_text(
        "import os, time\n"
        "def test_before(): pass\n"
        "def test_crash(): os.abort()\n"
        "def test_hang(): time.sleep(60)\n"
        "def test_wrong(): assert 1 == 2\n"
        "def test_after(): pass\n"
    )
    run = run_tests([broken, hard], (), Options(test_limit=1.0))
    outcomes = {test.rpartition("::")[2]: record for test, record in run.tests.items()}
    assert {name: record["outcome"] for name, record in outcomes.items()} == {
        "test_before": "passed", "test_crash": "error", "test_hang": "failed", "test_wrong": "failed",
        "test_after": "passed",
    }  # fmt: skip
    assert "limit of 1 s" in outcomes["test_hang"]["message"]
    assert any("no_such_module_of_anybody" in error for error in run.errors)
    assert not run.unreached


def test_tests_beyond_the_limit_are_named(tmp_path):
    slow = tmp_path / "test_slow.py"
    slow.write_text("import time\ndef test_long(): time.sleep(50)\ndef test_never(): pass\n")
    run = run_tests([slow], (), Options(limit=10.0))
    if not run.collected:
        pytest.skip("pytest did not start within the limit")
    assert [test.rpartition("::")[2] for test in run.unreached] == ["test_long", "test_never"]


@pytest.mark.parametrize(("version", "good"), [(scipy.__version__, False), ("1.2.3", True)])
def test_counting_and_another_release(version, good, monkeypatch):
    """Every kind of test once; lists of another SciPy are shown, not enforced."""
    folder, solve = "scipy/linalg/tests/test_basic.py::", ["scipy.linalg.solve"]

    def record(outcome, names=solve, host=()):
        return {
            "outcome": outcome,
            "message": outcome,
            "names": names,
            "host": dict.fromkeys(host, "why"),
            "seconds": 0,
        }

    run = Run(
        tests={
            folder + "passed": record("passed"),
            folder + "hosted": record("passed", host=solve),
            folder + "known": record("failed"),
            folder + "TestSolve::test_overwrite_args[1]": record("failed", host=solve),
            folder + "new": record("error"),
            folder + "skipped": record("skipped"),
            folder + "elsewhere": record("failed", names=[]),
        },
        unreached=[folder + "late"],
    )
    monkeypatch.setattr(reports, "run_tests", lambda *_, **__: run)
    monkeypatch.setattr(reports, "baseline", lambda _: {"version": version, "failing": {folder + "known": ""}})
    report = run_module("linalg", [OVERWRITE], options=Options(sample=2))
    counts = {k: getattr(report, k) for k in ("passed", "failed", "expected", "host", "skipped", "untouched", "known")}
    assert counts == dict.fromkeys(counts, 1)
    assert (report.counted, report.rate, report.unreached) == (4, 0.25, 1)
    assert report.unexpected == {folder + "new": "error"}
    assert report.good is good
    assert bool(report.notes) is good


def test_sample_takes_every_kth_of_each_file():
    tests = [f"a/test_x.py::t{i}" for i in range(10)] + ["a/test_y.py::t"]
    first, second = (Settings("", sample=2, seed=seed).chosen(tests) for seed in (0, 1))
    assert first & second == {"a/test_y.py::t"}
    assert first | second == set(tests)
    assert Settings("", skip=tests[:-1]).chosen(tests) == {"a/test_y.py::t"}


def test_the_readme_shows_the_figures_that_were_measured():
    text = published.README.read_text(encoding="utf-8")
    assert published.written(text, published.kept()) == text
    with pytest.raises(ValueError, match="needs the lines"):
        published.written("no place", published.kept())


def test_the_list_is_sound():
    assert all(e.concerns(e.pattern.split("/")[1]) for e in read())


def test_brackets_in_patterns_are_themselves():
    assert OVERWRITE.matches("scipy/linalg/tests/test_basic.py::TestSolve::test_overwrite_args[True-1]")
    assert not OVERWRITE.matches("scipy/linalg/tests/test_basic.py::TestSolve::test_overwrite_argsT")


@pytest.mark.parametrize(("failures", "full", "complaint"), [
    (3, True, None), (2, False, None), (4, False, "allows 3"), (4, True, "allows 3"), (2, True, "shrink the list"),
])  # fmt: skip
def test_groups_may_neither_grow_nor_shrink_unseen(failures, full, complaint):
    failing = [f"scipy/linalg/tests/test_basic.py::TestSolve::test_overwrite_args[{i}]" for i in range(failures)]
    counts, unexpected = match([*failing, "scipy/linalg/tests/test_basic.py::TestDet::test_new"], [OVERWRITE])
    assert unexpected == ["scipy/linalg/tests/test_basic.py::TestDet::test_new"]
    complaints = judge(counts, [OVERWRITE], "linalg", full)
    assert len(complaints) == (complaint is not None)
    assert complaint is None or complaint in complaints[0]
    assert not judge(counts, [OVERWRITE], "special", full)


def test_update_only_shrinks():
    pattern = OVERWRITE.pattern
    assert shrunk({pattern: 9}, [OVERWRITE], "linalg") == [OVERWRITE]
    assert [e.count for e in shrunk({pattern: 2}, [OVERWRITE], "linalg")] == [2]
    assert shrunk({}, [OVERWRITE], "linalg") == []
    assert shrunk({}, [OVERWRITE], "special") == [OVERWRITE]
    assert shrunk({"scipy/linalg/tests/test_new.py::*": 1}, [], "linalg") == []


@pytest.mark.parametrize(("pattern", "reason", "count"), [
    ("*test_solve*", "a reason of ten letters", 1), ("scipy/linalg/tests/*", "", 1),
    ("scipy/linalg/tests/*", "a reason of ten letters", 0),
])  # fmt: skip
def test_a_line_without_folder_reason_or_count_is_refused(pattern, reason, count):
    with pytest.raises(ValueError, match="pattern"):
        Expected(pattern, reason, count)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["no_such_module"], "no_such_module"),
        (["linalg", "--update", "--sample", "5"], "need a full run"),
        (["linalg", "--only", "no_such_name"], "SciPy has no scipy.linalg.no_such_name"),
        (["--only", "solve"], "one MODULE"),
    ],
)
def test_bad_arguments_end_with_a_message(arguments, message, capsys):
    with pytest.raises(SystemExit) as end:
        main(arguments)
    assert end.value.code == 2
    assert message in capsys.readouterr().err
