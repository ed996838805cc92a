"""scipy.special on a million numbers."""

from __future__ import annotations

import numpy as np

from benchmarks.harness import Topic

topic = Topic("special", "scipy.special (float64, 1,000,000 numbers)")


def _points(quick: bool, low: float, high: float, seed: int = 7) -> np.ndarray:
    return np.random.default_rng(seed).uniform(low, high, 10_000 if quick else 1_000_000)


def _declare(name: str, *ranges: tuple[float, float]) -> None:
    @topic.pair(name + " of " + ", ".join(f"[{low:g}, {high:g}]" for low, high in ranges), rtol=1e-10)
    def pair(quick: bool):
        from scipy import special as original

        from sci import special

        points = [_points(quick, low, high, seed) for seed, (low, high) in enumerate(ranges)]
        f, g = getattr(special, name), getattr(original, name)
        return lambda: f(*points), lambda: g(*points)


_declare("gamma", (0.1, 20))
_declare("gammaln", (0.1, 1000))
_declare("digamma", (0.1, 50))
_declare("erf", (-4, 4))
_declare("erfinv", (-0.99, 0.99))
_declare("expit", (-30, 30))
_declare("ndtr", (-5, 5))
_declare("i0", (-10, 10))
_declare("beta", (0.5, 20), (0.5, 20))
_declare("gammainc", (0.5, 20), (0, 30))
_declare("betainc", (0.5, 10), (0.5, 10), (0, 1))
_declare("zeta", (1.5, 20))
