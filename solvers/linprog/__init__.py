"""Linear programs: by an interior point method and the simplex method, and the assignment problem."""

from solvers.linprog.assignment import AssignmentResult, assignment
from solvers.linprog.interior_point import LinprogResult, linprog
from solvers.linprog.simplex import SimplexResult, simplex_method

__all__ = ["AssignmentResult", "LinprogResult", "SimplexResult", "assignment", "linprog", "simplex_method"]
