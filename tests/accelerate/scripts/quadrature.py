"""Integrals of functions of one variable."""

import numpy as np
from scipy import integrate
from scipy.integrate import quad


def damped(x, rate):
    return np.exp(-rate * x) * np.cos(x)


for rate in (0.5, 1.0, 2.0):
    value, error = quad(damped, 0, np.inf, args=(rate,))
    print(f"{rate}: {value:.9f} exact {rate / (1 + rate**2):.9f}", error < 1e-7)
print(f"{quad(lambda x: 1 / np.sqrt(x), 0, 1)[0]:.8f}")
print(f"{quad(lambda x: np.exp(-(x**2)), -np.inf, np.inf)[0]:.10f}")
x = np.linspace(0, np.pi, 101)
print(f"{integrate.trapezoid(np.sin(x), x):.8f} {integrate.simpson(np.sin(x), x=x):.8f}")
print(integrate.cumulative_trapezoid(np.cos(x), x, initial=0)[::25].round(6))
