"""Linear systems with structure (banded, Toeplitz, very small) and matrix equations (Sylvester, Stein, Riccati)."""

from solvers.linear.banded import banded_matvec, solve_banded
from solvers.linear.banded_cholesky import banded_cholesky, banded_cholesky_solve
from solvers.linear.determinant import determinant
from solvers.linear.riccati import care, dare, solve_stein
from solvers.linear.schur import complex_schur, real_to_complex_schur
from solvers.linear.small import (
    LARGEST,
    cholesky_small,
    inverse_small,
    invertible_in_lanes,
    quotient,
    solve_small,
)
from solvers.linear.square_root import sqrt_by_products
from solvers.linear.sylvester import solve_sylvester, sqrt_triangular, sylvester_triangular
from solvers.linear.toeplitz import solve_toeplitz, toeplitz_matvec

__all__ = [
    "LARGEST",
    "banded_cholesky",
    "banded_cholesky_solve",
    "banded_matvec",
    "care",
    "cholesky_small",
    "complex_schur",
    "dare",
    "determinant",
    "inverse_small",
    "invertible_in_lanes",
    "quotient",
    "real_to_complex_schur",
    "solve_banded",
    "solve_small",
    "solve_stein",
    "solve_sylvester",
    "solve_toeplitz",
    "sqrt_by_products",
    "sqrt_triangular",
    "sylvester_triangular",
    "toeplitz_matvec",
]
