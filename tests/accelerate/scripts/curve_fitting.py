"""Fitting a decaying exponential, with errors of the parameters."""

import numpy as np
from scipy.optimize import curve_fit


def model(x, a, b, c):
    return a * np.exp(-b * x) + c


rng = np.random.default_rng(1)
x = np.linspace(0, 4, 50)
y = model(x, 2.5, 1.3, 0.5) + 0.2 * rng.normal(size=x.size)
popt, pcov = curve_fit(model, x, y)
print(popt.round(4), np.sqrt(np.diag(pcov)).round(3))
popt, pcov = curve_fit(model, x, y, bounds=(0, [3.0, 1.0, 0.5]))
print(popt.round(3))
popt, pcov = curve_fit(model, x, y, sigma=np.full(50, 0.2), absolute_sigma=True, p0=[2, 1, 0])
print(popt.round(4), np.sqrt(np.diag(pcov)).round(3))
