"""Initial value problems of ordinary differential equations."""

from solvers.ode import status
from solvers.ode.dense import Dense
from solvers.ode.dop853 import DOP853
from solvers.ode.rk23 import RK23
from solvers.ode.rk45 import RK45
from solvers.ode.solve import Solution, solve

__all__ = ["DOP853", "Dense", "RK23", "RK45", "Solution", "solve", "status"]
