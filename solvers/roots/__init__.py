"""Roots of systems of equations, and what all iterative solvers share."""

from solvers.roots.entry import RootResult, root
from solvers.roots.hybr import Hybr
from solvers.roots.iteration import FixedPointResult, fixed_point

__all__ = ["FixedPointResult", "Hybr", "RootResult", "fixed_point", "root"]
