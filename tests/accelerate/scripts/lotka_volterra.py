"""Predators and prey: the solution at given times and a conserved quantity."""

import numpy as np
from scipy.integrate import solve_ivp

A, B, C, D = 1.5, 1.0, 3.0, 1.0


def rates(t, z):
    x, y = z
    return [A * x - B * x * y, -C * y + D * x * y]


solution = solve_ivp(rates, (0, 15), [10, 5], t_eval=np.linspace(0, 15, 7), rtol=1e-9, atol=1e-9)
print(solution.message, solution.success)
print(solution.y.round(4))
x, y = solution.y
invariant = D * x - C * np.log(x) + B * y - A * np.log(y)
print(np.ptp(invariant) < 1e-6)
dense = solve_ivp(rates, (0, 2), [10, 5], dense_output=True, rtol=1e-8)
print(dense.sol([0.5, 1.5]).round(4))
