"""Roots and minima of functions of one variable, one by one or in arrays."""

from solvers.scalar.bracket import BracketMinimum
from solvers.scalar.bracketing import Bisect, Brent, Ridder
from solvers.scalar.chandrupatla import Chandrupatla, ChandrupatlaMinimum
from solvers.scalar.entry import ScalarRoot, find_root
from solvers.scalar.minimize import ScalarMinimum, find_minimum, search_bracket
from solvers.scalar.minimum import BoundedMinimum, BrentMinimum, GoldenMinimum
from solvers.scalar.newton import Newton, Secant
from solvers.scalar.newton_array import NewtonArray, SecantArray
from solvers.scalar.toms748 import TOMS748

__all__ = [
    "Bisect",
    "BoundedMinimum",
    "BracketMinimum",
    "Brent",
    "BrentMinimum",
    "Chandrupatla",
    "ChandrupatlaMinimum",
    "GoldenMinimum",
    "Newton",
    "NewtonArray",
    "Ridder",
    "ScalarMinimum",
    "ScalarRoot",
    "Secant",
    "SecantArray",
    "TOMS748",
    "find_minimum",
    "find_root",
    "search_bracket",
]
