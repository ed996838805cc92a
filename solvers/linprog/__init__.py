"""Linear programs by an interior point method."""

from solvers.linprog.interior_point import LinprogResult, linprog

__all__ = ["LinprogResult", "linprog"]
