"""Constrained minimisation: bounds, inequalities, equalities."""

import numpy as np
from scipy.optimize import Bounds, LinearConstraint, minimize


def objective(x):
    return (x[0] - 1) ** 2 + (x[1] - 2.5) ** 2


cons = (
    {"type": "ineq", "fun": lambda x: x[0] - 2 * x[1] + 2},
    {"type": "ineq", "fun": lambda x: -x[0] - 2 * x[1] + 6},
    {"type": "ineq", "fun": lambda x: -x[0] + 2 * x[1] + 2},
)
res = minimize(objective, (2, 0), method="SLSQP", bounds=((0, None), (0, None)), constraints=cons)
print(res.success, res.x.round(5), round(float(res.fun), 6))
res = minimize(objective, (0.2, 0.2), method="L-BFGS-B", bounds=Bounds([0, 0], [0.5, 2]))
print(res.success, res.x.round(5))
linear = LinearConstraint([[1, 1]], -np.inf, 2)
res = minimize(objective, (0.2, 0.2), method="trust-constr", constraints=[linear])
print(res.x.round(3))
