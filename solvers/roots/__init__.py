"""Roots of systems of equations, and what all iterative solvers share."""

from solvers.roots.df_sane import DFSane
from solvers.roots.entry import RootResult, root
from solvers.roots.hybr import Hybr
from solvers.roots.iteration import FixedPointResult, fixed_point
from solvers.roots.mixing import QuasiNewton

__all__ = ["DFSane", "FixedPointResult", "Hybr", "QuasiNewton", "RootResult", "fixed_point", "root"]
