"""A linear programme and an assignment."""

import numpy as np
from scipy.optimize import linear_sum_assignment, linprog, nnls

res = linprog([-1, 4], A_ub=[[-3, 1], [1, 2]], b_ub=[6, 4], bounds=[(None, None), (-3, None)])
print(res.status, round(res.fun, 6), res.x.round(6))
rows, cols = linear_sum_assignment([[4, 1, 3], [2, 0, 5], [3, 2, 2]])
print(rows, cols)
x, norm = nnls(np.array([[1.0, 0], [1, 0], [0, 1]]), np.array([2.0, 1, -1]))
print(x.round(6), round(norm, 6))
