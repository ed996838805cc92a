"""What goes wrong goes wrong in the same way."""

import warnings

import numpy as np
from scipy import integrate, linalg, optimize

for call in (
    lambda: linalg.solve(np.ones((2, 3)), np.ones(2)),
    lambda: linalg.cholesky(-np.eye(2)),
    lambda: integrate.solve_ivp(lambda t, y: y, (0, 1), [[1.0]]),
    lambda: optimize.brentq(lambda x: x * x + 1, 0, 1),
    lambda: optimize.minimize(lambda x: x @ x, [1.0, 2.0], method="none"),
    lambda: optimize.curve_fit(lambda x, a, b, c: a + b + c, [1.0, 2.0], [1.0, 2.0]),
    lambda: integrate.quad(lambda x: {}[x], 0, 1),
):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            print("returned", type(call()).__name__)
        except Exception as error:
            print(type(error).__name__)
calls = []
result = optimize.minimize(lambda x: calls.append(1) or float(x @ x), [1.0, 2.0], method="BFGS")
print(result.success, result.nfev == len(calls))
