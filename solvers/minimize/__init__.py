"""Minimisation of functions: one protocol, one file per algorithm."""

from solvers.minimize.bfgs import BFGS
from solvers.minimize.cg import CG
from solvers.minimize.entry import MinimizeResult, minimize
from solvers.minimize.lbfgsb import LBFGSB
from solvers.minimize.newton_cg import NewtonCG
from solvers.minimize.slsqp import SLSQP
from solvers.minimize.trust_region import Dogleg, TrustExact, TrustKrylov, TrustNCG

__all__ = [
    "BFGS",
    "CG",
    "Dogleg",
    "LBFGSB",
    "MinimizeResult",
    "NewtonCG",
    "SLSQP",
    "TrustExact",
    "TrustKrylov",
    "TrustNCG",
    "minimize",
]
