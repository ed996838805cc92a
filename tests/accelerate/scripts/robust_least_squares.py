"""Least squares with bounds and a robust loss."""

import numpy as np
from scipy.optimize import least_squares

rng = np.random.default_rng(0)
t = np.linspace(0, 10, 40)
y = 0.5 + 2.0 * np.exp(-0.5 * t) + 0.05 * rng.normal(size=t.size)
y[::9] += 1.0


def residuals(p, t, y):
    return p[0] + p[1] * np.exp(-p[2] * t) - y


for loss in ("linear", "soft_l1", "huber"):
    res = least_squares(residuals, [1.0, 1.0, 0.1], loss=loss, f_scale=0.1, args=(t, y))
    print(loss, res.success, res.x.round(3))
res = least_squares(residuals, [0.2, 1.0, 0.1], bounds=([0, 0, 0], [0.4, 3, 1]), args=(t, y))
print(res.x.round(3), res.active_mask)
