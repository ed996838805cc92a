"""Optimisation problems with published minima.

Every residual function takes ``(x, xp)``, xp being `numpy` or `jax.numpy`, so that SciPy and the engines run the
same formula. The minimum is of the sum of squares.

References
----------
.. [1] J. J. More, B. S. Garbow, K. E. Hillstrom, "Testing unconstrained optimization software", ACM Trans. Math.
   Softw. 7 (1981) 17-41. (Numbers in parentheses are the paper's.)
.. [2] NIST Statistical Reference Datasets, nonlinear regression, https://www.itl.nist.gov/div898/strd/.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Problem:
    """Residuals, standard start, and the published least sum of squares (several if there are local minima)."""

    name: str
    residuals: Callable
    x0: tuple
    minima: tuple
    square: bool = False


@dataclass(frozen=True)
class Regression:
    """A NIST set: model, data, two starts, certified parameters and residual sum of squares."""

    name: str
    model: Callable
    x: tuple
    y: tuple
    starts: tuple
    certified: tuple
    rss: float


def rosenbrock(x, xp):
    """(1), (21) in any even dimension."""
    even, odd = x[0::2], x[1::2]
    return xp.concatenate([10 * (odd - even**2), 1 - even])


def freudenstein_roth(x, xp):
    """(2)."""
    a, b = x
    return xp.stack([-13 + a + ((5 - b) * b - 2) * b, -29 + a + ((b + 1) * b - 14) * b])


def powell_badly_scaled(x, xp):
    """(3)."""
    return xp.stack([1e4 * x[0] * x[1] - 1, xp.exp(-x[0]) + xp.exp(-x[1]) - 1.0001])


def brown_badly_scaled(x, xp):
    """(4)."""
    return xp.stack([x[0] - 1e6, x[1] - 2e-6, x[0] * x[1] - 2])


def beale(x, xp):
    """(5)."""
    return xp.stack([y - x[0] * (1 - x[1] ** i) for i, y in ((1, 1.5), (2, 2.25), (3, 2.625))])


def jennrich_sampson(x, xp):
    """(6) with m = 10."""
    i = np.arange(1.0, 11)
    return 2 + 2 * i - (xp.exp(i * x[0]) + xp.exp(i * x[1]))


def helical_valley(x, xp):
    """(7)."""
    theta = xp.arctan2(x[1], x[0]) / (2 * np.pi)
    return xp.stack([10 * (x[2] - 10 * theta), 10 * (xp.sqrt(x[0] ** 2 + x[1] ** 2) - 1), x[2]])


_BARD = np.array([0.14, 0.18, 0.22, 0.25, 0.29, 0.32, 0.35, 0.39, 0.37, 0.58, 0.73, 0.96, 1.34, 2.10, 4.39])


def bard(x, xp):
    """(8)."""
    u = np.arange(1.0, 16)
    v = 16 - u
    return _BARD - (x[0] + u / (v * x[1] + np.minimum(u, v) * x[2]))


_GAUSS = np.array([9, 44, 175, 540, 1295, 2420, 3521, 3989, 3521, 2420, 1295, 540, 175, 44, 9]) * 1e-4


def gaussian(x, xp):
    """(9)."""
    t = (8 - np.arange(1.0, 16)) / 2
    return x[0] * xp.exp(-x[1] * (t - x[2]) ** 2 / 2) - _GAUSS


def box_3d(x, xp):
    """(12) with m = 10."""
    t = 0.1 * np.arange(1.0, 11)
    return xp.exp(-t * x[0]) - xp.exp(-t * x[1]) - x[2] * (np.exp(-t) - np.exp(-10 * t))


def powell_singular(x, xp):
    """(13): the Jacobian is singular at the solution."""
    return xp.stack([x[0] + 10 * x[1], 5**0.5 * (x[2] - x[3]), (x[1] - 2 * x[2]) ** 2, 10**0.5 * (x[0] - x[3]) ** 2])


def wood(x, xp):
    """(14)."""
    return xp.stack(
        [
            10 * (x[1] - x[0] ** 2),
            1 - x[0],
            90**0.5 * (x[3] - x[2] ** 2),
            1 - x[2],
            10**0.5 * (x[1] + x[3] - 2),
            10**-0.5 * (x[1] - x[3]),
        ]
    )


def brown_dennis(x, xp):
    """(16) with m = 20."""
    t = np.arange(1.0, 21) / 5
    return (x[0] + t * x[1] - np.exp(t)) ** 2 + (x[2] + x[3] * np.sin(t) - np.cos(t)) ** 2


def variably_dimensioned(x, xp):
    """(25)."""
    weighted = xp.sum(np.arange(1.0, len(x) + 1) * (x - 1))
    return xp.concatenate([x - 1, xp.stack([weighted, weighted**2])])


def trigonometric(x, xp):
    """(26)."""
    n = len(x)
    i = np.arange(1.0, n + 1)
    return n - xp.sum(xp.cos(x)) + i * (1 - xp.cos(x)) - xp.sin(x)


def brown_almost_linear(x, xp):
    """(27)."""
    n = len(x)
    return xp.concatenate([x[:-1] + xp.sum(x) - (n + 1), xp.stack([xp.prod(x) - 1])])


def discrete_boundary_value(x, xp):
    """(28)."""
    n = len(x)
    h = 1 / (n + 1)
    t = h * np.arange(1.0, n + 1)
    edge = np.zeros(1)
    left, right = xp.concatenate([edge, x[:-1]]), xp.concatenate([x[1:], edge])
    return 2 * x - left - right + h**2 * (x + t + 1) ** 3 / 2


def broyden_tridiagonal(x, xp):
    """(30)."""
    edge = np.zeros(1)
    left, right = xp.concatenate([edge, x[:-1]]), xp.concatenate([x[1:], edge])
    return (3 - 2 * x) * x - left - 2 * right + 1


def _dbv_start(n):
    t = np.arange(1.0, n + 1) / (n + 1)
    return tuple(t * (t - 1))


PROBLEMS = (
    Problem("rosenbrock", rosenbrock, (-1.2, 1.0), (0.0,), square=True),
    Problem("extended_rosenbrock", rosenbrock, (-1.2, 1.0) * 5, (0.0,), square=True),
    Problem("freudenstein_roth", freudenstein_roth, (0.5, -2.0), (0.0, 48.98425367924), square=True),
    Problem("powell_badly_scaled", powell_badly_scaled, (0.0, 1.0), (0.0,), square=True),
    Problem("brown_badly_scaled", brown_badly_scaled, (1.0, 1.0), (0.0,)),
    Problem("beale", beale, (1.0, 1.0), (0.0,)),
    Problem("jennrich_sampson", jennrich_sampson, (0.3, 0.4), (124.36218235561,)),
    Problem("helical_valley", helical_valley, (-1.0, 0.0, 0.0), (0.0,), square=True),
    Problem("bard", bard, (1.0, 1.0, 1.0), (8.2148773065e-3, 17.4286)),
    Problem("gaussian", gaussian, (0.4, 1.0, 0.0), (1.12793276962e-8,)),
    Problem("box_3d", box_3d, (0.0, 10.0, 20.0), (0.0,)),
    Problem("powell_singular", powell_singular, (3.0, -1.0, 0.0, 1.0), (0.0,), square=True),
    Problem("wood", wood, (-3.0, -1.0, -3.0, -1.0), (0.0,)),
    Problem("brown_dennis", brown_dennis, (25.0, 5.0, -5.0, -1.0), (85822.2016263563,)),
    Problem("variably_dimensioned", variably_dimensioned, tuple(1 - np.arange(1, 9) / 8), (0.0,)),
    Problem("trigonometric", trigonometric, (0.1,) * 10, (0.0, 2.79506e-5), square=True),
    Problem("brown_almost_linear", brown_almost_linear, (0.5,) * 10, (0.0, 1.0), square=True),
    Problem("discrete_boundary_value", discrete_boundary_value, _dbv_start(10), (0.0,), square=True),
    Problem("broyden_tridiagonal", broyden_tridiagonal, (-1.0,) * 10, (0.0,), square=True),
)


def _saturation(b, x, xp):
    return b[0] * (1 - xp.exp(-b[1] * x))


def _power(b, x, xp):
    return b[0] * x ** b[1]


def _kowalik(b, x, xp):
    return b[0] * (x**2 + x * b[1]) / (x**2 + x * b[2] + b[3])


def _meyer(b, x, xp):
    return b[0] * xp.exp(b[1] / (x + b[2]))


def _logistic(b, x, xp):
    return b[0] / (1 + xp.exp(b[1] - b[2] * x))


def _richards(b, x, xp):
    return b[0] / (1 + xp.exp(b[1] - b[2] * x)) ** (1 / b[3])


def _misra_b(b, x, xp):
    return b[0] * (1 - (1 + b[1] * x / 2) ** (-2))


def _misra_c(b, x, xp):
    return b[0] * (1 - (1 + 2 * b[1] * x) ** (-0.5))


def _misra_d(b, x, xp):
    return b[0] * b[1] * x / (1 + b[1] * x)


def _cubics(b, x, xp):
    return (b[0] + x * (b[1] + x * (b[2] + x * b[3]))) / (1 + x * (b[4] + x * (b[5] + x * b[6])))


def _peak(b, x, xp):
    return b[0] / b[1] * xp.exp(-(((x - b[2]) / b[1]) ** 2) / 2)


_MISRA = (
    (77.6, 114.9, 141.1, 190.8, 239.9, 289.0, 332.8, 378.4, 434.8, 477.3, 536.8, 593.1, 689.1, 760.0),
    (10.07, 14.73, 17.94, 23.93, 29.61, 35.18, 40.02, 44.82, 50.76, 55.05, 61.01, 66.40, 75.47, 81.78),
)
_THURBER = (
    (
        *(-3.067, -2.981, -2.921, -2.912, -2.840, -2.797, -2.702, -2.699, -2.633, -2.481, -2.363, -2.322, -1.501),
        *(-1.460, -1.274, -1.212, -1.100, -1.046, -0.915, -0.714, -0.566, -0.545, -0.400, -0.309, -0.109, -0.103),
        *(0.010, 0.119, 0.377, 0.790, 0.963, 1.006, 1.115, 1.572, 1.841, 2.047, 2.200),
    ),
    (
        *(80.574, 84.248, 87.264, 87.195, 89.076, 89.608, 89.868, 90.101, 92.405, 95.854, 100.696, 101.060, 401.672),
        *(390.724, 567.534, 635.316, 733.054, 759.087, 894.206, 990.785, 1090.109, 1080.914, 1122.643, 1178.351),
        *(1260.531, 1273.514, 1288.339, 1327.543, 1353.863, 1414.509, 1425.208, 1421.384, 1442.962, 1464.350),
        *(1468.705, 1447.894, 1457.628),
    ),
)
_ECKERLE = (
    (
        *(400.0, 405.0, 410.0, 415.0, 420.0, 425.0, 430.0, 435.0, 436.5, 438.0, 439.5, 441.0, 442.5, 444.0, 445.5),
        *(447.0, 448.5, 450.0, 451.5, 453.0, 454.5, 456.0, 457.5, 459.0, 460.5, 462.0, 463.5, 465.0, 470.0, 475.0),
        *(480.0, 485.0, 490.0, 495.0, 500.0),
    ),
    (
        *(0.0001575, 0.0001699, 0.0002350, 0.0003102, 0.0004917, 0.0008710, 0.0017418, 0.0046400, 0.0065895),
        *(0.0097302, 0.0149002, 0.0237310, 0.0401683, 0.0712559, 0.1264458, 0.2073413, 0.2902366, 0.3445623),
        *(0.3698049, 0.3668534, 0.3106727, 0.2078154, 0.1164354, 0.0616764, 0.0337200, 0.0194023, 0.0117831),
        *(0.0074357, 0.0022732, 0.0008800, 0.0004579, 0.0002345, 0.0001586, 0.0001143, 0.0000710),
    ),
)


REGRESSIONS = (
    Regression(
        "Misra1a",
        _saturation,
        *_MISRA,
        ((500.0, 0.0001), (250.0, 0.0005)),
        (2.3894212918e02, 5.5015643181e-04),
        1.2455138894e-01,
    ),
    Regression(
        "DanWood",
        _power,
        (1.309, 1.471, 1.490, 1.565, 1.611, 1.680),
        (2.138, 3.421, 3.597, 4.340, 4.882, 5.660),
        ((1.0, 5.0), (0.7, 4.0)),
        (7.6886226176e-01, 3.8604055871e00),
        4.3173084083e-03,
    ),
    Regression(
        "BoxBOD",
        _saturation,
        (1, 2, 3, 5, 7, 10),
        (109, 149, 149, 191, 213, 224),
        ((1.0, 1.0), (100.0, 0.75)),
        (2.1380940889e02, 5.4723748542e-01),
        1.1680088766e03,
    ),
    Regression(
        "MGH09",
        _kowalik,
        (4, 2, 1, 0.5, 0.25, 0.167, 0.125, 0.1, 0.0833, 0.0714, 0.0625),
        (0.1957, 0.1947, 0.1735, 0.16, 0.0844, 0.0627, 0.0456, 0.0342, 0.0323, 0.0235, 0.0246),
        ((25.0, 39.0, 41.5, 39.0), (0.25, 0.39, 0.415, 0.39)),
        (1.9280693458e-01, 1.9128232873e-01, 1.2305650693e-01, 1.3606233068e-01),
        3.0750560385e-04,
    ),
    Regression(
        "MGH10",
        _meyer,
        tuple(range(50, 126, 5)),
        (34780, 28610, 23650, 19630, 16370, 13720, 11540, 9744, 8261, 7030, 6005, 5147, 4427, 3820, 3307, 2872),
        ((2.0, 400000.0, 25000.0), (0.02, 4000.0, 250.0)),
        (5.6096364710e-03, 6.1813463463e03, 3.4522363462e02),
        8.7945855171e01,
    ),
    Regression(
        "Rat42",
        _logistic,
        (9, 14, 21, 28, 42, 57, 63, 70, 79),
        (8.93, 10.8, 18.59, 22.33, 39.35, 56.11, 61.73, 64.62, 67.08),
        ((100.0, 1.0, 0.1), (75.0, 2.5, 0.07)),
        (7.2462237576e01, 2.6180768402e00, 6.7359200066e-02),
        8.0565229338e00,
    ),
    Regression(
        "Rat43",
        _richards,
        tuple(range(1, 16)),
        (
            *(16.08, 33.83, 65.80, 97.20, 191.55, 326.20, 386.87, 520.53),
            *(590.03, 651.92, 724.93, 699.56, 689.96, 637.56, 717.41),
        ),
        ((100.0, 10.0, 1.0, 1.0), (700.0, 5.0, 0.75, 1.3)),
        (6.9964151270e02, 5.2771253025e00, 7.5962938329e-01, 1.2792483859e00),
        8.7864049080e03,
    ),
    Regression(
        "Misra1b",
        _misra_b,
        *_MISRA,
        ((500.0, 0.0001), (300.0, 0.0002)),
        (3.3799746163e02, 3.9039091287e-04),
        7.5464681533e-02,
    ),
    Regression(
        "Misra1c",
        _misra_c,
        *_MISRA,
        ((500.0, 0.0001), (600.0, 0.0002)),
        (6.3642725809e02, 2.0813627256e-04),
        4.0966836971e-02,
    ),
    Regression(
        "Misra1d",
        _misra_d,
        *_MISRA,
        ((500.0, 0.0001), (450.0, 0.0003)),
        (4.3736970754e02, 3.0227324449e-04),
        5.6419295283e-02,
    ),
    Regression(
        "Thurber",
        _cubics,
        *_THURBER,
        ((1000.0, 1000.0, 400.0, 40.0, 0.7, 0.3, 0.03), (1300.0, 1500.0, 500.0, 75.0, 1.0, 0.4, 0.05)),
        (
            *(1.2881396800e03, 1.4910792535e03, 5.8323836877e02, 7.5416644291e01),
            *(9.6629502864e-01, 3.9797285797e-01, 4.9727297349e-02),
        ),
        5.6427082397e03,
    ),
    Regression(
        "Eckerle4",
        _peak,
        *_ECKERLE,
        ((1.0, 10.0, 500.0), (1.5, 5.0, 450.0)),
        (1.5543827178e00, 4.0888321754e00, 4.5154121844e02),
        1.4635887487e-03,
    ),
)
