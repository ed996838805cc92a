"""The zero-change mode: what it costs where it cannot help, what it gives where it can."""

from __future__ import annotations

import functools
import statistics
import time
from pathlib import Path

import numpy as np

from benchmarks.fresh import child, fresh_cache
from benchmarks.harness import Topic, alternate

topic = Topic("accelerate", "Zero-change mode (unmodified scripts through `python -m sci`, whole processes)")

_SCRIPTS = Path(__file__).resolve().parents[1] / "tests" / "accelerate" / "scripts"
#: The heavy ones, with the size at which they take about half a minute.
_HEAVY = {"heavy_ensemble": "2000", "heavy_fits": "400", "heavy_filters": "1500"}


def _seconds(arguments: list[str], cache: Path | None) -> float:
    start = time.perf_counter()
    child(arguments, cache)
    return time.perf_counter() - start


@topic.figure("python -m sci -c pass, over python -c 'import scipy, jax'", "ms", at_most=400)
def start(quick: bool) -> float:
    """Median of the differences of neighbouring processes."""
    with fresh_cache() as cache:
        _seconds(["-m", "sci", "-c", "pass"], cache)
        rounds = 2 if quick else 9
        pairs = [
            _seconds(["-m", "sci", "-c", "pass"], cache) - _seconds(["-c", "import scipy, jax"], cache)
            for _ in range(rounds)
        ]
    return 1e3 * statistics.median(pairs)


@topic.figure("redirected cold call of linalg.solve 4x4, over the original", "us", at_most=5)
def cold_call(quick: bool) -> float:
    """A call that stays on the original: what deciding so costs."""
    from scipy import linalg as original

    import sci.linalg
    from sci.accelerate.redirect import redirected
    from sci.bridge import adaptive
    from sci.bridge.registry import lookup

    entry = lookup("scipy.linalg.solve")
    assert entry is not None
    solve = redirected(entry, original.solve)
    a, b = np.eye(4) + 0.1, np.ones(4)
    with sci.policy("adaptive"):
        adaptive.clear()
        adaptive._ledger.net = float("inf")  # nothing is ever compiled
        ours, plain, _, _ = alternate(lambda: solve(a, b), lambda: original.solve(a, b), quick)
        adaptive.clear()
    return 1e6 * (ours.median - plain.median)


@functools.cache
def _light(quick: bool) -> tuple[float, float, str]:
    """Largest loss over the light scripts, median loss, and which script lost most."""
    scripts = sorted(s for s in _SCRIPTS.glob("*.py") if s.stem not in _HEAVY)
    losses = {}
    with fresh_cache() as cache:
        for script in scripts[:3] if quick else scripts:
            plain = min(_seconds([str(script)], cache) for _ in range(2))
            losses[script.stem] = _seconds(["-m", "sci", str(script)], cache) - plain
    worst = max(losses, key=losses.__getitem__)
    return losses[worst], statistics.median(losses.values()), worst


@topic.figure("largest loss of a light script, first run, empty compilation cache", "s", at_most=2)
def largest_loss(quick: bool) -> float:
    return _light(quick)[0]


@topic.figure("median loss of the light scripts", "s", at_most=2)
def median_loss(quick: bool) -> float:
    return _light(quick)[1]


def _heavy(name: str, quick: bool) -> float:
    arguments = [str(_SCRIPTS / f"{name}.py"), *([] if quick else [_HEAVY[name]])]
    with fresh_cache() as cache:
        return _seconds(["-m", "sci", *arguments], cache) / _seconds(arguments, cache)


@topic.figure("heavy ensemble of ODE solves: accelerated over plain time", "of 1", at_most=0.2)
def ensemble(quick: bool) -> float:
    return _heavy("heavy_ensemble", quick)


@topic.figure("fits of an ODE model in a loop: accelerated over plain time", "of 1", at_most=0.2)
def fits(quick: bool) -> float:
    return _heavy("heavy_fits", quick)


@topic.figure("big filters in a loop: accelerated over plain time", "of 1", at_most=0.2)
def filters(quick: bool) -> float:
    return _heavy("heavy_filters", quick)
