"""A few eigenpairs of large operators: thick-restart Lanczos, Krylov-Schur, LOBPCG, and their derivatives."""

from solvers.eigen.derivatives import general_pairs, hermitian_pairs
from solvers.eigen.krylov_schur import krylov_schur
from solvers.eigen.lanczos import lanczos
from solvers.eigen.lobpcg import lobpcg
from solvers.eigen.schur_order import reorder_schur

__all__ = ["general_pairs", "hermitian_pairs", "krylov_schur", "lanczos", "lobpcg", "reorder_schur"]
