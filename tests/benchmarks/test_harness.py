"""The benchmark harness itself: what it measures, and that it cannot call a loss or a fallback a win."""

import json
import subprocess
import sys
import time
import warnings
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

import sci
from benchmarks import fresh, machine, report, topics
from benchmarks.harness import Figure, Pair, PairResult, Timing, Topic, alternate, run

ROOT = Path(__file__).resolve().parents[2]


def pause(seconds, result=1.0):
    def thunk():
        time.sleep(seconds)
        return result

    return thunk


def measured(**facts):
    topic = Topic("toy", "Toy")
    entry = Pair("toy", fresh=False, **facts)
    return run(topic, entry, quick=True)


def test_alternate_takes_turns():
    order = []
    alternate(lambda: order.append("ours") or time.sleep(0.003), lambda: order.append("original") or time.sleep(0.003))
    timed = order[10:]  # 2 warm-ups and 3 trials each come before
    pairs = [tuple(timed[i : i + 2]) for i in range(0, len(timed), 2)]
    assert set(pairs) == {("ours", "original"), ("original", "ours")}
    assert pairs[0::2] == [pairs[0]] * len(pairs[0::2]) and pairs[1::2] == [pairs[1]] * len(pairs[1::2])


def test_ratio_and_target():
    result = measured(build=lambda quick: (pause(0.002), pause(0.02)), ratio=3)
    assert result.error == "" and 3 < result.ratio < 12
    assert result.targets == [("ratio >= 3", True)]


def test_loss_is_missed():
    result = measured(build=lambda quick: (pause(0.02), pause(0.002)), ratio=1)
    assert result.ratio < 1 and result.targets == [("ratio >= 1", False)]
    assert "MISSED" in report.markdown({}, [(Topic("toy", "Toy"), [result])], False)
    assert "0 pairs faster than the original, 1 slower" in report.summary([result])


def test_wrong_answer_fails():
    result = measured(build=lambda quick: (lambda: np.ones(3), lambda: np.array([1.0, 1.0, 1.1])), ratio=1e-9)
    assert "differ by 0.1" in result.error
    assert result.targets == [("ratio >= 1e-09", False)]


def test_wrong_shape_fails():
    assert "AssertionError" in measured(build=lambda quick: (lambda: np.ones(3), lambda: np.ones(4))).error


def test_host_is_shown_and_meets_no_target():
    def build(quick):
        from scipy import special as original

        from sci import special

        assert sci.bridge.lookup("scipy.special.modstruve") is None  # native meanwhile? take another one
        return lambda: special.modstruve(1.0, 2.0), lambda: original.modstruve(1.0, 2.0)

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", sci.FallbackWarning)
        result = measured(build=build, ratio=1e-9)
    assert result.error == ""
    assert result.on_host == ("scipy.special.modstruve",)
    assert result.targets == [("ratio >= 1e-09", False)]


def test_an_exception_stays_in_its_entry():
    def build(quick):
        raise RuntimeError("no such data\nsecond line")

    result = measured(build=build, first=1.0)
    assert result.error == "RuntimeError: no such data" and result.targets == [("first <= 1 s", False)]
    figure = run(Topic("toy", "Toy"), Figure("broken", "MB", build, 1.0))
    assert figure.targets == [("<= 1 MB", False)] and "no such data" in figure.error


def test_missing_measurement_meets_no_target():
    assert PairResult(Pair("x", lambda quick: None, cached=1.0), ours=Timing(1, 1, 1, 3)).targets == [
        ("cached <= 1 s", False)
    ]


def test_entry_twice():
    topic = Topic("toy", "Toy")
    topic.figure("a", "MB", at_most=1)(lambda quick: 0.0)
    with pytest.raises(ValueError, match="'a' is declared twice"):
        topic.figure("a", "MB", at_most=1)


@pytest.mark.parametrize("name", topics.NAMES)
def test_topic_is_declared(name):
    topic = topics.load(name)
    assert topic.name == name and topic.entries
    assert all(key == entry.name for key, entry in topic.entries.items())


def test_figures_of_the_issue_have_targets():
    """The figures to reach are in the tables: none can be dropped in silence."""
    ratios = {
        (t, e.name): e.ratio for t in topics.NAMES for e in topics.load(t).entries.values() if isinstance(e, Pair)
    }
    asked = Counter(
        {0.8: 1, 0.9: 1, 2: 1, 2.5: 2, 3: 4, 5: 4, 10: 5, 20: 1, 25: 1, 30: 2, 50: 1, 100: 2, 200: 1, 400: 1}
    )
    assert not asked - Counter(ratios.values())
    firsts = [e for t in topics.NAMES for e in topics.load(t).entries.values() if isinstance(e, Pair) and e.first]
    assert {e.first for e in firsts} == {0.3, 0.8} and all(e.cached == e.first / 2 for e in firsts)
    limits = {e.at_most for e in topics.load("overhead").entries.values() if isinstance(e, Figure)}
    assert limits == {100, 0, 50, 20}


def test_machine_facts():
    facts = machine.facts()
    assert "jax " in facts["versions"] and "openblas" in facts["BLAS"].lower()


def test_first_call_in_a_fresh_process():
    # a body that no machine compiles in less than the 50 ms from which JAX keeps it
    with fresh.fresh_cache() as cache:
        cold = fresh.first_call("linalg", "lu 300x300", "ours", True, cache)
        kept = sorted(cache.rglob("*-cache"))
        assert kept, "the compiled function was not kept"
        cached = fresh.first_call("linalg", "lu 300x300", "ours", True, cache)
        assert sorted(cache.rglob("*-cache")) == kept, "it was compiled again"
    theirs = fresh.first_call("linalg", "lu 300x300", "original", True, None)
    assert all(run["seconds"] > 0 for run in (cold, cached, theirs))


def test_child_failure_is_an_error():
    with pytest.raises(RuntimeError, match="exit with this"):
        fresh.child(["-c", "raise SystemExit('exit with this')"])


def test_command_line(tmp_path):
    target = tmp_path / "results.md"
    command = [sys.executable, "-m", "benchmarks", "overhead", "--quick", "--only", "4x4, one", "--output", str(target)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    text = target.read_text()
    assert "A quick run" in text and "one call from NumPy to NumPy" in text and "OPENBLAS" not in text


def test_command_line_unsets_the_slowing_variables():
    script = "import os, sys, json\nsys.argv = ['x', 'nonsense']\nimport benchmarks.__main__ as m\nm._start_clean()\n"
    environment = {"OPENBLAS_CORETYPE": "Prescott", "OPENBLAS_L2_SIZE": "1", "PATH": ""}
    # execve replaces the process: the new one complains about the topic, so the old one did not go on
    done = subprocess.run(
        [sys.executable, "-c", script + "print(json.dumps('went on'))"], cwd=ROOT, env=environment,
        capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert done.returncode == 2 and "topic 'nonsense'; allowed are overhead" in done.stderr
    assert json.dumps("went on") not in done.stdout
