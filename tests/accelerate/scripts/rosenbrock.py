"""Unconstrained minimisation of Rosenbrock's function by several methods."""

import numpy as np
from scipy.optimize import minimize, rosen, rosen_der, rosen_hess


def rosenbrock(x):
    """The same function as people write it."""
    return sum(100.0 * (x[1:] - x[:-1] ** 2.0) ** 2.0 + (1 - x[:-1]) ** 2.0)


x0 = np.array([1.3, 0.7, 0.8, 1.9, 1.2])
for method in ("Nelder-Mead", "Powell", "CG", "BFGS", "L-BFGS-B"):
    res = minimize(rosenbrock, x0, method=method, tol=1e-9, options={"maxiter": 5000})
    print(method, res.x.round(3), res.fun < 1e-7)
res = minimize(rosen, x0, method="BFGS", jac=rosen_der)
print(res.success, res.x.round(4))
res = minimize(rosen, x0, method="trust-ncg", jac=rosen_der, hess=rosen_hess, options={"gtol": 1e-8})
print(res.success, res.x.round(5))
