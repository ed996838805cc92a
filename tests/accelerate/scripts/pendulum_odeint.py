"""A damped pendulum by odeint."""

import numpy as np
from scipy.integrate import odeint


def pendulum(y, t, b, c):
    theta, omega = y
    return [omega, -b * omega - c * np.sin(theta)]


t = np.linspace(0, 10, 11)
sol = odeint(pendulum, [np.pi - 0.1, 0.0], t, args=(0.25, 5.0))
print(sol.round(3))
