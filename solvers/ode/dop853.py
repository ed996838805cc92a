"""The Dormand-Prince pair of order 8(5,3)."""

from typing import Any, NamedTuple

import jax.numpy as jnp

from solvers.ode import dop853_tableau as tableau
from solvers.ode.control import square
from solvers.ode.runge_kutta import ExplicitRungeKutta, combine


class Coefficients(NamedTuple):
    """Interpolation record: the step from ``t`` to ``t + h`` from ``y``, and its seven coefficients."""

    t: Any
    h: Any
    y: Any
    f: tuple


class DOP853(ExplicitRungeKutta):
    """Explicit Runge-Kutta of order 8, error estimate mixed of orders 5 and 3, output of order 7.

    References
    ----------
    .. [1] E. Hairer, S. P. Norsett, G. Wanner, "Solving Ordinary Differential Equations I", Sec. II.10.
    """

    order = 8
    error_order = 7
    dense_nfev = 3
    A, B, C = tableau.A, tableau.B, tableau.C

    def kept(self, k):
        """Every slope but those that neither the output nor its extra stages use."""
        return tuple(k)

    def error(self, k, h, scale):
        """Scaled norm of the error: the order 5 estimate, damped where that of order 3 is larger."""
        n5 = jnp.sum(square(combine(tableau.E5, k) / scale))
        n3 = jnp.sum(square(combine(tableau.E3, k) / scale))
        total = (n5 + 0.01 * n3) * max(scale.size, 1)
        flat = total == 0
        return jnp.where(flat, 0.0, jnp.abs(h) * n5 / jnp.sqrt(jnp.where(flat, 1.0, total)))

    def coefficients(self, rhs, last):
        """Interpolation coefficients; costs three right-hand sides."""
        t, h, y, k = last
        k = list(k)
        for a, c in zip(tableau.A_EXTRA, tableau.C_EXTRA.tolist(), strict=True):
            k.append(rhs(t + c * h, y + h * combine(a[: len(k)], k)))
        rise = h * combine(self.B, k[: tableau.STAGES])
        first, final = k[0], k[tableau.STAGES]
        f = (rise, h * first - rise, 2 * rise - h * (final + first))
        return Coefficients(t, h, y, f + tuple(h * combine(d, k) for d in tableau.D))

    def interpolate(self, coefficients, t):
        """Solution at scalar ``t`` inside the step."""
        t_old, h, y, f = coefficients
        x = (t - t_old) / h
        total = 0.0
        for i, f_i in enumerate(reversed(f)):
            total = (total + f_i) * (x if i % 2 == 0 else 1 - x)
        return y + total
