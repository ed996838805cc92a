"""What the library costs around the work itself: import, call, memory."""

from __future__ import annotations

import statistics

import numpy as np

from benchmarks.fresh import child
from benchmarks.harness import Topic, alternate

topic = Topic("overhead", "Overheads")

_IMPORT = "import time\nt = time.perf_counter()\nimport {0}\nprint(time.perf_counter() - t)"
_LOADED = """
import sys, sci
import jax._src.xla_bridge as bridge
heavy = ("scipy.optimize", "diffrax", "matplotlib", "cv2")
print(sum(m in sys.modules for m in heavy) + bridge.backends_are_initialized())
"""
_LAMBDAS = """
import gc, sys
import numpy as np
from sci import optimize
from benchmarks.fresh import resident
x0 = np.array([3.0, -1.0])
def fit(i):
    shift, weights = 1e-3 * i, np.array([1.0, 1.0 + 1e-3 * i])  # captured: a float, an array, and the integer i
    return optimize.minimize(lambda x: (weights * (x - shift) ** 2).sum() + i * (x[0] * x[1]) ** 2, x0, method="BFGS")
for i in range(100):
    fit(i)
gc.collect()
before = resident()
for i in range(int(sys.argv[1])):
    fit(i)
gc.collect()
import sci
if sci.fallbacks():
    raise SystemExit(f"ran on the host: {sci.fallbacks()[0]}")
print(resident() - before)
"""


def _imports(module: str) -> float:
    return float(child(["-c", _IMPORT.format(module)]))


@topic.figure("import sci, over import jax", "ms", at_most=100)
def import_cost(quick: bool) -> float:
    """Median of the differences of neighbouring processes."""
    _imports("sci")  # byte code and file cache
    rounds = 2 if quick else 9
    return 1e3 * statistics.median(_imports("sci") - _imports("jax") for _ in range(rounds))


@topic.figure("heavy modules loaded by import sci, backends initialised", "of 5", at_most=0)
def modules_loaded(quick: bool) -> float:
    """Counts scipy.optimize, diffrax, matplotlib, cv2 and an initialised backend."""
    return float(child(["-c", _LOADED]))


@topic.figure("memory kept by 1,000 fresh lambdas through minimize", "MB", at_most=50)
def fresh_lambdas(quick: bool) -> float:
    """Growth of the resident memory after garbage collection, in a process of its own."""
    return float(child(["-c", _LAMBDAS, "50" if quick else "1000"])) / 1e6


def _over_jitted(function, arrays: tuple[np.ndarray, ...], quick: bool) -> float:
    """Microseconds of ``function(numpy arrays)`` over the jitted call of the same body in float64."""
    import jax

    with jax.enable_x64(True):
        jitted = jax.jit(function)
        device = tuple(jax.device_put(a) for a in arrays)

        def inside() -> object:
            return jitted(*device)

        # the NumPy-world call opens its own scope; that it is open already changes nothing for it
        ours, plain, _, _ = alternate(lambda: function(*arrays), inside, quick)
    return 1e6 * (ours.median - plain.median)


def _matrix(n: int) -> np.ndarray:
    return np.random.default_rng(0).standard_normal((n, n)) + n * np.eye(n)


@topic.figure("linalg.det of 4x4, over the jitted call", "us", at_most=20)
def det_overhead(quick: bool) -> float:
    from sci import linalg

    return _over_jitted(linalg.det, (_matrix(4),), quick)


@topic.figure("linalg.solve of 4x4, over the jitted call", "us", at_most=20)
def solve_overhead(quick: bool) -> float:
    from sci import linalg

    return _over_jitted(linalg.solve, (_matrix(4), np.arange(4.0)), quick)


@topic.figure("linalg.expm of 4x4, over the jitted call", "us", at_most=20)
def expm_overhead(quick: bool) -> float:
    from sci import linalg

    return _over_jitted(linalg.expm, (_matrix(4) / 10,), quick)


@topic.figure("ndimage.gaussian_filter of 16x16, over the jitted call", "us", at_most=20)
def gaussian_overhead(quick: bool) -> float:
    from sci import ndimage

    def gaussian(image):
        return ndimage.gaussian_filter(image, 1.5)

    return _over_jitted(gaussian, (_matrix(16),), quick)


@topic.figure("special.gamma of 10 numbers, over the jitted call", "us", at_most=20)
def gamma_overhead(quick: bool) -> float:
    from sci import special

    return _over_jitted(special.gamma, (np.linspace(0.5, 9.5, 10),), quick)


@topic.pair("linalg.solve 4x4, one call from NumPy to NumPy", ratio=None, fresh=False)
def solve_call(quick: bool):
    from scipy import linalg as original

    from sci import linalg

    a, b = _matrix(4), np.arange(4.0)
    return lambda: linalg.solve(a, b), lambda: original.solve(a, b)
