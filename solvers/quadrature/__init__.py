"""Numerical integration of functions."""

from solvers.quadrature import status
from solvers.quadrature.quad import Integral, quad, range_kind

__all__ = ["Integral", "quad", "range_kind", "status"]
