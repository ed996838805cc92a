"""Minimisation of smooth functions: one protocol, one file per algorithm."""

from solvers.minimize.bfgs import BFGS
from solvers.minimize.entry import MinimizeResult, minimize

__all__ = ["BFGS", "MinimizeResult", "minimize"]
