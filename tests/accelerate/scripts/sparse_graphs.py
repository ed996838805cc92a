"""Sparse matrices, solvers and graphs."""

import numpy as np
from scipy import sparse
from scipy.sparse.csgraph import shortest_path
from scipy.sparse.linalg import cg, eigsh, spsolve

n = 50
A = sparse.diags([-np.ones(n - 1), 2.1 * np.ones(n), -np.ones(n - 1)], [-1, 0, 1], format="csr")
b = np.ones(n)
x = spsolve(A, b)
print(x[:3].round(7), np.allclose(A @ x, b))
y, info = cg(A, b, rtol=1e-10)
print(info, np.allclose(x, y))
print(eigsh(A, k=3, which="LA", return_eigenvectors=False).round(6))
print(shortest_path(sparse.csr_matrix([[0, 1, 4], [0, 0, 2], [0, 0, 0]]))[0])
