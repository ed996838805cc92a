"""Double and triple integrals."""

import numpy as np
from scipy.integrate import dblquad, nquad, tplquad

print(f"{dblquad(lambda y, x: x * y**2, 0, 2, 0, 1)[0]:.9f}")
print(f"{dblquad(lambda y, x: np.exp(-x * y), 0, 1, lambda x: x, lambda x: 2.0)[0]:.8f}")
print(f"{tplquad(lambda z, y, x: x + y + z, 0, 1, 0, 1, 0, 1)[0]:.8f}")
print(f"{nquad(lambda x, y: np.cos(x) * y, [[0, 1], [0, 2]])[0]:.8f}")
