"""The Dormand-Prince pair of order 5(4)."""

from solvers.ode.rk_tableaus import DormandPrince
from solvers.ode.runge_kutta import ExplicitRungeKutta


class RK45(DormandPrince, ExplicitRungeKutta):
    """Explicit Runge-Kutta of order 5 with an error estimate of order 4 and quartic output."""

    order = 5
    error_order = 4
