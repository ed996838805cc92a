"""Initial value problems of ordinary differential equations."""

from solvers.ode import status
from solvers.ode.bdf import BDF
from solvers.ode.dense import Dense
from solvers.ode.diffrax_adapter import Diffrax
from solvers.ode.dop853 import DOP853
from solvers.ode.engine import Solution
from solvers.ode.ensemble import Ensemble, ensemble
from solvers.ode.events import Found
from solvers.ode.lsoda import LSODA, Limits
from solvers.ode.mass import consistent
from solvers.ode.pattern import Pattern, banded_pattern, sparse_pattern
from solvers.ode.radau import Radau
from solvers.ode.replay import Method
from solvers.ode.rk23 import RK23
from solvers.ode.rk45 import RK45
from solvers.ode.rodas5p import Rodas5P
from solvers.ode.solve import solve
from solvers.ode.symplectic import StoermerVerlet, Yoshida4

__all__ = [
    "BDF",
    "DOP853",
    "Dense",
    "Diffrax",
    "Ensemble",
    "Found",
    "LSODA",
    "Limits",
    "Method",
    "Pattern",
    "RK23",
    "RK45",
    "Radau",
    "Rodas5P",
    "Solution",
    "StoermerVerlet",
    "Yoshida4",
    "banded_pattern",
    "consistent",
    "ensemble",
    "solve",
    "sparse_pattern",
    "status",
]
