"""Linear programs: by an interior point method, and the assignment problem by shortest paths."""

from solvers.linprog.assignment import AssignmentResult, assignment
from solvers.linprog.interior_point import LinprogResult, linprog

__all__ = ["AssignmentResult", "LinprogResult", "assignment", "linprog"]
