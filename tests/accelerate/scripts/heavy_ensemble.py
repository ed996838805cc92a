"""A parameter sweep of Lorenz's system: what compilation is for."""

import sys

import numpy as np
from scipy.integrate import solve_ivp


def lorenz(t, state, sigma, rho, beta):
    x, y, z = state
    return [sigma * (y - x), x * (rho - z) - y, x * y - beta * z]


ends = []
number = int(sys.argv[1]) if len(sys.argv) > 1 else 60
for rho in np.linspace(5.0, 14.0, number):
    sol = solve_ivp(
        lorenz,
        (0, 40),
        [1.0, 1.0, 1.0],
        args=(10.0, rho, 8.0 / 3.0),
        rtol=1e-8,
        atol=1e-10,
        t_eval=np.linspace(0, 40, 81),
    )
    ends.append(sol.y[2, -1])
print(np.round(ends[:: number // 6], 4), np.round(np.mean(ends), 4))
