"""Constrained problems with published minima.

Functions are plain arithmetic on ``x``, so that NumPy and JAX run the same formula; `xp` gives the transcendental ones.
Inequalities are nonnegative where they hold.

References
----------
.. [1] W. Hock, K. Schittkowski, "Test examples for nonlinear programming codes", Springer, 1981.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

INF = float("inf")


@dataclass(frozen=True)
class Constrained:
    """Objective, constraints, bounds, standard start and the published minimum."""

    name: str
    fun: Callable
    x0: tuple
    minimum: float
    equalities: Callable | None = None
    inequalities: Callable | None = None
    bounds: tuple | None = None


def _sum(values):
    total = 0.0
    for value in values:
        total = total + value
    return total


PROBLEMS = (
    Constrained(
        "hs1", lambda x, xp: 100 * (x[1] - x[0] ** 2) ** 2 + (1 - x[0]) ** 2, (-2.0, 1.0), 0.0,
        bounds=((-INF, INF), (-1.5, INF)),
    ),
    Constrained(
        "hs4", lambda x, xp: (x[0] + 1) ** 3 / 3 + x[1], (1.125, 0.125), 8 / 3, bounds=((1.0, INF), (0.0, INF))
    ),
    Constrained(
        "hs5", lambda x, xp: xp.sin(x[0] + x[1]) + (x[0] - x[1]) ** 2 - 1.5 * x[0] + 2.5 * x[1] + 1, (0.0, 0.0),
        -(3**0.5) / 2 - np.pi / 3, bounds=((-1.5, 4.0), (-3.0, 3.0)),
    ),
    Constrained(
        "hs6", lambda x, xp: (1 - x[0]) ** 2, (-1.2, 1.0), 0.0, equalities=lambda x, xp: [10 * (x[1] - x[0] ** 2)]
    ),
    Constrained(
        "hs7", lambda x, xp: xp.log(1 + x[0] ** 2) - x[1], (2.0, 2.0), -(3**0.5),
        equalities=lambda x, xp: [(1 + x[0] ** 2) ** 2 + x[1] ** 2 - 4],
    ),
    Constrained(
        "hs8", lambda x, xp: 0 * x[0] - 1.0, (2.0, 1.0), -1.0,
        equalities=lambda x, xp: [x[0] ** 2 + x[1] ** 2 - 25, x[0] * x[1] - 9],
    ),
    Constrained(
        "hs9", lambda x, xp: xp.sin(np.pi * x[0] / 12) * xp.cos(np.pi * x[1] / 16), (0.0, 0.0), -0.5,
        equalities=lambda x, xp: [4 * x[0] - 3 * x[1]],
    ),
    Constrained(
        "hs10", lambda x, xp: x[0] - x[1], (-10.0, 10.0), -1.0,
        inequalities=lambda x, xp: [-3 * x[0] ** 2 + 2 * x[0] * x[1] - x[1] ** 2 + 1],
    ),
    Constrained(
        "hs11", lambda x, xp: (x[0] - 5) ** 2 + x[1] ** 2 - 25, (4.9, 0.1), -8.498464223,
        inequalities=lambda x, xp: [-(x[0] ** 2) + x[1]],
    ),
    Constrained(
        "hs12", lambda x, xp: 0.5 * x[0] ** 2 + x[1] ** 2 - x[0] * x[1] - 7 * x[0] - 7 * x[1], (0.0, 0.0), -30.0,
        inequalities=lambda x, xp: [25 - 4 * x[0] ** 2 - x[1] ** 2],
    ),
    Constrained(
        "hs14", lambda x, xp: (x[0] - 2) ** 2 + (x[1] - 1) ** 2, (2.0, 2.0), 9 - 2.875 * 7**0.5,
        equalities=lambda x, xp: [x[0] - 2 * x[1] + 1],
        inequalities=lambda x, xp: [-0.25 * x[0] ** 2 - x[1] ** 2 + 1],
    ),
    Constrained(
        "hs21", lambda x, xp: 0.01 * x[0] ** 2 + x[1] ** 2 - 100, (-1.0, -1.0), -99.96,
        inequalities=lambda x, xp: [10 * x[0] - x[1] - 10], bounds=((2.0, 50.0), (-50.0, 50.0)),
    ),
    Constrained(
        "hs22", lambda x, xp: (x[0] - 2) ** 2 + (x[1] - 1) ** 2, (2.0, 2.0), 1.0,
        inequalities=lambda x, xp: [-x[0] - x[1] + 2, -(x[0] ** 2) + x[1]],
    ),
    Constrained(
        "hs24", lambda x, xp: ((x[0] - 3) ** 2 - 9) * x[1] ** 3 / (27 * 3**0.5), (1.0, 0.5), -1.0,
        inequalities=lambda x, xp: [x[0] / 3**0.5 - x[1], x[0] + 3**0.5 * x[1], -x[0] - 3**0.5 * x[1] + 6],
        bounds=((0.0, INF), (0.0, INF)),
    ),
    Constrained(
        "hs28", lambda x, xp: (x[0] + x[1]) ** 2 + (x[1] + x[2]) ** 2, (-4.0, 1.0, 1.0), 0.0,
        equalities=lambda x, xp: [x[0] + 2 * x[1] + 3 * x[2] - 1],
    ),
    Constrained(
        "hs29", lambda x, xp: -x[0] * x[1] * x[2], (1.0, 1.0, 1.0), -16 * 2**0.5,
        inequalities=lambda x, xp: [-(x[0] ** 2) - 2 * x[1] ** 2 - 4 * x[2] ** 2 + 48],
    ),
    Constrained(
        "hs30", lambda x, xp: x[0] ** 2 + x[1] ** 2 + x[2] ** 2, (1.0, 1.0, 1.0), 1.0,
        inequalities=lambda x, xp: [x[0] ** 2 + x[1] ** 2 - 1], bounds=((1.0, 10.0), (-10.0, 10.0), (-10.0, 10.0)),
    ),
    Constrained(
        "hs35",
        lambda x, xp: (
            9 - 8 * x[0] - 6 * x[1] - 4 * x[2] + 2 * x[0] ** 2 + 2 * x[1] ** 2 + x[2] ** 2
            + 2 * x[0] * x[1] + 2 * x[0] * x[2]
        ),
        (0.5, 0.5, 0.5), 1 / 9, inequalities=lambda x, xp: [-x[0] - x[1] - 2 * x[2] + 3], bounds=((0.0, INF),) * 3,
    ),
    Constrained(
        "hs39", lambda x, xp: -x[0], (2.0,) * 4, -1.0,
        equalities=lambda x, xp: [x[1] - x[0] ** 3 - x[2] ** 2, x[0] ** 2 - x[1] - x[3] ** 2],
    ),
    Constrained(
        "hs40", lambda x, xp: -x[0] * x[1] * x[2] * x[3], (0.8,) * 4, -0.25,
        equalities=lambda x, xp: [x[0] ** 3 + x[1] ** 2 - 1, x[0] ** 2 * x[3] - x[2], x[3] ** 2 - x[1]],
    ),
    Constrained(
        "hs43",
        lambda x, xp: (
            x[0] ** 2 + x[1] ** 2 + 2 * x[2] ** 2 + x[3] ** 2 - 5 * x[0] - 5 * x[1] - 21 * x[2] + 7 * x[3]
        ),
        (0.0,) * 4, -44.0,
        inequalities=lambda x, xp: [
            8 - x[0] ** 2 - x[1] ** 2 - x[2] ** 2 - x[3] ** 2 - x[0] + x[1] - x[2] + x[3],
            10 - x[0] ** 2 - 2 * x[1] ** 2 - x[2] ** 2 - 2 * x[3] ** 2 + x[0] + x[3],
            5 - 2 * x[0] ** 2 - x[1] ** 2 - x[2] ** 2 - 2 * x[0] + x[1] + x[3],
        ],
    ),
    Constrained(
        "hs48", lambda x, xp: (x[0] - 1) ** 2 + (x[1] - x[2]) ** 2 + (x[3] - x[4]) ** 2, (3.0, 5.0, -3.0, 2.0, -2.0),
        0.0, equalities=lambda x, xp: [_sum(x[i] for i in range(5)) - 5, x[2] - 2 * (x[3] + x[4]) + 3],
    ),
    Constrained(
        "hs65", lambda x, xp: (x[0] - x[1]) ** 2 + (x[0] + x[1] - 10) ** 2 / 9 + (x[2] - 5) ** 2, (-5.0, 5.0, 0.0),
        0.9535288567, inequalities=lambda x, xp: [48 - x[0] ** 2 - x[1] ** 2 - x[2] ** 2],
        bounds=((-4.5, 4.5), (-4.5, 4.5), (-5.0, 5.0)),
    ),
    Constrained(
        "hs71", lambda x, xp: x[0] * x[3] * (x[0] + x[1] + x[2]) + x[2], (1.0, 5.0, 5.0, 1.0), 17.0140173,
        equalities=lambda x, xp: [_sum(x[i] ** 2 for i in range(4)) - 40],
        inequalities=lambda x, xp: [x[0] * x[1] * x[2] * x[3] - 25], bounds=((1.0, 5.0),) * 4,
    ),
    Constrained(
        "hs76",
        lambda x, xp: (
            x[0] ** 2 + 0.5 * x[1] ** 2 + x[2] ** 2 + 0.5 * x[3] ** 2 - x[0] * x[2] + x[2] * x[3]
            - x[0] - 3 * x[1] + x[2] - x[3]
        ),
        (0.5,) * 4, -4.681818181,
        inequalities=lambda x, xp: [
            5 - x[0] - 2 * x[1] - x[2] - x[3],
            4 - 3 * x[0] - x[1] - 2 * x[2] + x[3],
            x[1] + 4 * x[2] - 1.5,
        ],
        bounds=((0.0, INF),) * 4,
    ),
)  # fmt: skip
