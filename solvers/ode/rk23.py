"""The Bogacki-Shampine pair of order 3(2)."""

from solvers.ode.rk_tableaus import BogackiShampine
from solvers.ode.runge_kutta import ExplicitRungeKutta


class RK23(BogackiShampine, ExplicitRungeKutta):
    """Explicit Runge-Kutta of order 3 with an error estimate of order 2 and cubic output."""

    order = 3
    error_order = 2
