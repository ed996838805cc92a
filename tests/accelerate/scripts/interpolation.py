"""Splines and interpolation, computed by SciPy throughout."""

import numpy as np
from scipy.interpolate import CubicSpline, PchipInterpolator, interp1d, make_interp_spline

x = np.arange(8)
y = np.sin(x)
new = np.linspace(0.5, 6.5, 5)
for kind in (CubicSpline, PchipInterpolator):
    print(kind.__name__, kind(x, y)(new).round(6))
print(interp1d(x, y)(new).round(6), make_interp_spline(x, y, k=5)(new).round(6))
