"""Minimisation of functions: one protocol, one file per algorithm."""

from solvers.minimize.bfgs import BFGS
from solvers.minimize.cg import CG
from solvers.minimize.cobyla import COBYLA
from solvers.minimize.entry import MinimizeResult, minimize
from solvers.minimize.interior_point import InteriorPoint
from solvers.minimize.lbfgsb import LBFGSB
from solvers.minimize.nelder_mead import NelderMead
from solvers.minimize.newton_cg import NewtonCG
from solvers.minimize.powell import Powell
from solvers.minimize.slsqp import SLSQP
from solvers.minimize.tnc import TNC
from solvers.minimize.trust_region import Dogleg, TrustExact, TrustKrylov, TrustNCG

__all__ = [
    "BFGS",
    "CG",
    "COBYLA",
    "Dogleg",
    "InteriorPoint",
    "LBFGSB",
    "MinimizeResult",
    "NelderMead",
    "NewtonCG",
    "Powell",
    "SLSQP",
    "TNC",
    "TrustExact",
    "TrustKrylov",
    "TrustNCG",
    "minimize",
]
