"""Fits of an ODE model to many noisy data sets."""

import sys

import numpy as np
from scipy.integrate import solve_ivp
from scipy.optimize import minimize

t = np.linspace(0, 10, 41)


def simulate(p):
    sol = solve_ivp(lambda t, y: [y[1], -p[0] * y[1] - p[1] * y[0]], (0, 10), [1.0, 0.0], t_eval=t, rtol=1e-8)
    return sol.y[0]


rng = np.random.default_rng(0)
truth = simulate([0.3, 2.0])
found = []
for _ in range(int(sys.argv[1]) if len(sys.argv) > 1 else 6):
    data = truth + 0.01 * rng.normal(size=t.size)
    found.append(minimize(lambda p: np.sum((simulate(p) - data) ** 2), [0.5, 1.5], method="BFGS").x)
print(np.round(found[:6], 3).tolist())
