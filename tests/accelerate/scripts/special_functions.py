"""Tables of special functions."""

import numpy as np
from scipy import special
from scipy.special import erf, gamma

x = np.linspace(0.5, 3, 6)
for name in ("gamma", "gammaln", "digamma", "erf", "erfc", "j0", "j1", "i0", "expit"):
    print(name, np.array2string(getattr(special, name)(x), precision=8))
print(gamma(5), erf(0.3), special.comb(10, 3), special.factorial(6))
print(special.jn_zeros(0, 3).round(6))
print(f"{special.beta(2.5, 3.5):.10f} {special.ellipk(0.5):.10f}")
