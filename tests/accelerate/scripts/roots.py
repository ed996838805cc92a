"""Roots of systems and of functions of one variable."""

import numpy as np
from scipy import optimize
from scipy.optimize import brentq, fsolve, newton, root, root_scalar


def system(x):
    return [x[0] * np.cos(x[1]) - 4, x[1] * x[0] - x[1] - 5]


print(fsolve(system, [1, 1]).round(6))
sol = root(system, [1, 1])
print(sol.success, sol.x.round(6), np.allclose(system(sol.x), 0))
print(root(lambda x: x + np.cos(x) / 2 - 1, np.zeros(3), method="lm").x.round(6))
print(round(brentq(lambda x: x**3 - x - 2, 1, 2), 9))
print(round(newton(lambda x: x**3 - x - 2, 1.5), 9))
print(round(float(root_scalar(lambda x: np.exp(x) - 3, bracket=[0, 3]).root), 8))
print(optimize.fixed_point(lambda x: np.sqrt(10 / (x + 3)), 1.2).round(7))
