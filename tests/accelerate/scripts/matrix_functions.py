"""Functions of matrices."""

import numpy as np
from scipy import linalg

A = np.array([[1.0, 2.0], [0.5, 3.0]])
print(linalg.expm(A).round(7).tolist())
print(linalg.logm(linalg.expm(A)).round(7).tolist())
print((linalg.sqrtm(A) @ linalg.sqrtm(A)).round(8).tolist())
print(linalg.cosm(A).round(7).tolist(), round(float(linalg.norm(A)), 9))
print(linalg.solve_sylvester(A, -A.T, np.eye(2)).shape, linalg.hilbert(3).round(4).tolist())
