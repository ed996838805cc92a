"""Roots of systems of equations, and what all iterative solvers share."""

from solvers.roots.entry import RootResult, root
from solvers.roots.hybr import Hybr

__all__ = ["Hybr", "RootResult", "root"]
