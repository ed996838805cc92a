"""Numerical integration of functions."""

from solvers.quadrature import status
from solvers.quadrature.cubature import BoxIntegral, cubature
from solvers.quadrature.quad import Integral, quad, range_kind
from solvers.quadrature.series import Sums, sum_terms
from solvers.quadrature.tanh_sinh import ElementIntegrals, tanh_sinh
from solvers.quadrature.vector import VectorIntegral, quad_vec

__all__ = [
    "BoxIntegral",
    "ElementIntegrals",
    "Integral",
    "Sums",
    "VectorIntegral",
    "cubature",
    "quad",
    "quad_vec",
    "range_kind",
    "status",
    "sum_terms",
    "tanh_sinh",
]
