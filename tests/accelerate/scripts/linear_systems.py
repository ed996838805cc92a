"""Dense linear algebra: systems, least squares, eigenvalues, decompositions."""

import numpy as np
from scipy import linalg
from scipy.linalg import eigh, lu_factor, lu_solve, solve

A = np.array([[4.0, 2.0, 0.6], [2.0, 5.0, 1.0], [0.6, 1.0, 3.0]])
b = np.array([2.0, 4.0, -1.0])
print(solve(A, b).round(10), linalg.inv(A).round(8).tolist(), round(float(linalg.det(A)), 9))
w, v = eigh(A)
print(w.round(8), np.abs(v).round(6).tolist())
print(linalg.svdvals(A[:, :2]).round(8), linalg.cholesky(A).round(8).tolist())
q, r = linalg.qr(A)
print(np.allclose(q @ r, A), np.abs(r).round(6).tolist())
p, res, rank, s = linalg.lstsq(A[:, :2], b)
print(p.round(8), rank)
print(lu_solve(lu_factor(A), b).round(9), np.sort(linalg.eigvals(A + np.triu(A)).real).round(6))
try:
    solve(np.zeros((2, 2)), np.ones(2))
except linalg.LinAlgError as error:
    print("LinAlgError:", error)
print(linalg.solve_banded((1, 1), [[0, 1, 1], [4, 4, 4], [1, 1, 0]], [1.0, 2, 3]).round(9))
