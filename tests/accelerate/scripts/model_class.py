"""A model with methods, partial application and a closure, fitted to an ODE's solution."""

import functools
from dataclasses import dataclass

import numpy as np
import scipy.integrate as si
import scipy.optimize as so


@dataclass
class Decay:
    scale: float = 2.0

    def rate(self, t, y, k):
        return -k * y / self.scale

    def curve(self, k, t):
        sol = si.solve_ivp(functools.partial(self.rate, k=k), (0, t[-1]), [1.0], t_eval=t, rtol=1e-8, atol=1e-10)
        return sol.y[0]


model = Decay()
t = np.linspace(0, 4, 9)
data = np.exp(-0.7 * t / 2.0)
fit = so.least_squares(lambda p: model.curve(p[0], t) - data, [0.2])
print(fit.success, fit.x.round(5), isinstance(fit, so.OptimizeResult))
best = so.minimize_scalar(lambda k: float(np.sum((model.curve(k, t) - data) ** 2)), bounds=(0.1, 2), method="bounded")
print(round(float(best.x), 4))
