"""Initial value problems with exact or published answers.

Right-hand sides take ``(t, y, xp)``, xp being `numpy` or `jax.numpy`, so that SciPy and the engines run the same
formula.

References
----------
.. [1] E. Hairer, S. P. Norsett, G. Wanner, "Solving Ordinary Differential Equations I", Sec. II.0 (Arenstorf),
   II.10 (Pleiades).
.. [2] F. Mazzia, C. Magherini, "Test Set for Initial Value Problem Solvers", 2008 (Pleiades' reference solution).
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Problem:
    """``y' = rhs(t, y)`` on ``[t0, t1]``; ``exact(t)`` or the final state, where one is known."""

    name: str
    rhs: Callable
    t0: float
    t1: float
    y0: tuple
    exact: Callable | None = None
    final: tuple | None = None
    chaotic: bool = False

    def numpy(self, t, y):
        """Right-hand side for SciPy."""
        return self.rhs(t, y, np)


def _decay(t, y, xp):
    return -0.7 * y


def _logistic(t, y, xp):
    return y * (1 - y)


def _harmonic(t, y, xp):
    return xp.stack([y[1], -y[0]])


def _forced(t, y, xp):
    return xp.stack([y[1], -y[0] + xp.cos(2 * t)])


def _lorenz(t, y, xp):
    return xp.stack([10 * (y[1] - y[0]), y[0] * (28 - y[2]) - y[1], y[0] * y[1] - 8 / 3 * y[2]])


def _van_der_pol(t, y, xp):
    return xp.stack([y[1], 2 * (1 - y[0] ** 2) * y[1] - y[0]])


def _lotka_volterra(t, y, xp):
    return xp.stack([1.5 * y[0] - y[0] * y[1], -3 * y[1] + y[0] * y[1]])


def _two_body(t, y, xp):
    r3 = (y[0] ** 2 + y[1] ** 2) ** 1.5
    return xp.stack([y[2], y[3], -y[0] / r3, -y[1] / r3])


def _arenstorf(t, y, xp):
    mu = 0.012277471
    d1 = ((y[0] + mu) ** 2 + y[1] ** 2) ** 1.5
    d2 = ((y[0] - 1 + mu) ** 2 + y[1] ** 2) ** 1.5
    ax = y[0] + 2 * y[3] - (1 - mu) * (y[0] + mu) / d1 - mu * (y[0] - 1 + mu) / d2
    ay = y[1] - 2 * y[2] - (1 - mu) * y[1] / d1 - mu * y[1] / d2
    return xp.stack([y[2], y[3], ax, ay])


def _pleiades(t, y, xp):
    x, z = y[:7], y[7:14]
    dx, dz = x[None] - x[:, None], z[None] - z[:, None]
    r3 = (dx**2 + dz**2 + xp.eye(7)) ** 1.5
    mass = xp.arange(1, 8)
    ax = xp.sum(mass * dx / r3, axis=1)
    az = xp.sum(mass * dz / r3, axis=1)
    return xp.concatenate([y[14:], ax, az])


def _rotation(t, y, xp):
    return 1j * y


def _van_der_pol_stiff(t, y, xp):
    return xp.stack([y[1], 1000 * (1 - y[0] ** 2) * y[1] - y[0]])


def _robertson(t, y, xp):
    a, b, c = 0.04 * y[0], 1e4 * y[1] * y[2], 3e7 * y[1] ** 2
    return xp.stack([b - a, a - b - c, c])


def _hires(t, y, xp):
    r = 280 * y[5] * y[7]
    return xp.stack(
        [
            -1.71 * y[0] + 0.43 * y[1] + 8.32 * y[2] + 0.0007,
            1.71 * y[0] - 8.75 * y[1],
            -10.03 * y[2] + 0.43 * y[3] + 0.035 * y[4],
            8.32 * y[1] + 1.71 * y[2] - 1.12 * y[3],
            -1.745 * y[4] + 0.43 * y[5] + 0.43 * y[6],
            -r + 0.69 * y[3] + 1.71 * y[4] - 0.43 * y[5] + 0.69 * y[6],
            r - 1.81 * y[6],
            -r + 1.81 * y[6],
        ]
    )


def _oregonator(t, y, xp):
    a = 77.27 * (y[1] + y[0] * (1 - 8.375e-6 * y[0] - y[1]))
    return xp.stack([a, (y[2] - (1 + y[0]) * y[1]) / 77.27, 0.161 * (y[0] - y[2])])


def _brusselator(t, y, xp):
    a = y[0] ** 2 * y[1]
    return xp.stack([1 + a - 4 * y[0], 3 * y[0] - a])


def _prothero_robinson(t, y, xp):
    return -1e4 * (y - xp.cos(t)) - xp.sin(t)


_ECCENTRICITY = 0.5
_PERIOD = 17.0652165601579625588917206249

PROBLEMS = {
    p.name: p
    for p in (
        Problem("decay", _decay, 0.0, 5.0, (1.0, 3.0), lambda t: np.exp(-0.7 * t)[..., None] * np.array([1.0, 3.0])),
        Problem("logistic", _logistic, 0.0, 8.0, (0.1,), lambda t: (1 / (1 + 9 * np.exp(-t)))[..., None]),
        Problem("harmonic", _harmonic, 0.0, 10.0, (0.0, 1.0), lambda t: np.stack([np.sin(t), np.cos(t)], -1)),
        Problem("backward", _harmonic, 10.0, 0.0, (np.sin(10.0), np.cos(10.0)),
                lambda t: np.stack([np.sin(t), np.cos(t)], -1)),
        Problem("forced", _forced, 0.0, 10.0, (0.0, 0.0),
                lambda t: np.stack([(np.cos(t) - np.cos(2 * t)) / 3, (2 * np.sin(2 * t) - np.sin(t)) / 3], -1)),
        Problem("rotation", _rotation, 0.0, 6.0, (1.0 + 0j,), lambda t: np.exp(1j * t)[..., None]),
        Problem("lotka-volterra", _lotka_volterra, 0.0, 10.0, (10.0, 5.0)),
        Problem("van-der-pol", _van_der_pol, 0.0, 20.0, (2.0, 0.0)),
        Problem("two-body", _two_body, 0.0, 2 * np.pi,
                (1 - _ECCENTRICITY, 0.0, 0.0, ((1 + _ECCENTRICITY) / (1 - _ECCENTRICITY)) ** 0.5),
                final=(1 - _ECCENTRICITY, 0.0, 0.0, ((1 + _ECCENTRICITY) / (1 - _ECCENTRICITY)) ** 0.5)),
        Problem("arenstorf", _arenstorf, 0.0, _PERIOD, (0.994, 0.0, 0.0, -2.00158510637908252240537862224),
                final=(0.994, 0.0, 0.0, -2.00158510637908252240537862224)),
        Problem("pleiades", _pleiades, 0.0, 3.0,
                (3, 3, -1, -3, 2, -2, 2, 3, -3, 2, 0, 0, -4, 4, 0, 0, 0, 0, 0, 1.75, -1.5, 0, 0, 0, -1.25, 1, 0, 0),
                final=(0.3706139143970502, 3.237284092057233, -3.222559032418324, 0.6597091455775310,
                       0.3425581707156584, 1.562172101400631, -0.7003092922212495, -3.943437585517392,
                       -3.271380973972550, 5.225081843456543, -2.590612434977470, 1.198213693392275,
                       -0.2429682344935824, 1.091449240428980)),
        Problem("lorenz", _lorenz, 0.0, 20.0, (1.0, 1.0, 1.0), chaotic=True),
    )
}  # fmt: skip

#: Stiff problems; final states from [2]_ (to all digits given), Brusselator from [1]_.
STIFF = {
    p.name: p
    for p in (
        Problem("van-der-pol-1000", _van_der_pol_stiff, 0.0, 2000.0, (2.0, 0.0),
                final=(1.706167732170469, -0.8928097010248125e-3)),
        Problem("robertson", _robertson, 0.0, 1e11, (1.0, 0.0, 0.0),
                final=(0.2083340149701255e-7, 0.8333360770334713e-13, 0.9999999791665050)),
        Problem("hires", _hires, 0.0, 321.8122, (1.0, 0, 0, 0, 0, 0, 0, 0.0057),
                final=(0.7371312573325668e-3, 0.1442485726316185e-3, 0.5888729740967575e-4, 0.1175651343283149e-2,
                       0.2386356198831331e-2, 0.6238968252742796e-2, 0.2849998395185769e-2, 0.2850001604814231e-2)),
        Problem("oregonator", _oregonator, 0.0, 360.0, (1.0, 2.0, 3.0),
                final=(0.1000814870318523e1, 0.1228178521549917e4, 0.1320554942846706e3)),
        Problem("brusselator", _brusselator, 0.0, 20.0, (1.5, 3.0), final=(0.4986370712683478, 4.596780349452011)),
        Problem("prothero-robinson", _prothero_robinson, 0.0, 2.0, (1.0,), lambda t: np.cos(t)[..., None]),
    )
}  # fmt: skip
