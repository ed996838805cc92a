"""`scipy.sparse.linalg` on JAX: solvers, eigensolvers and norms are native, the other functions run on SciPy."""

from sci.bridge import delegate
from sci.sparse.linalg.direct import spsolve
from sci.sparse.linalg.eigen import eigs, eigsh
from sci.sparse.linalg.iterative import bicg, bicgstab, cg, cgs, gmres, minres
from sci.sparse.linalg.krylov_functions import funm_multiply_krylov
from sci.sparse.linalg.least_squares import lsmr, lsqr
from sci.sparse.linalg.lobpcg import lobpcg
from sci.sparse.linalg.matrix_functions import expm_multiply
from sci.sparse.linalg.minimal_residual import gcrotmk, lgmres, qmr, tfqmr
from sci.sparse.linalg.norm_estimate import onenormest
from sci.sparse.linalg.norms import norm
from sci.sparse.linalg.structure import is_sptriangular, spbandwidth
from sci.sparse.linalg.superlu import factorized, spilu, splu
from sci.sparse.linalg.svds import svds
from sci.sparse.linalg.triangular import spsolve_triangular

__all__ = [
    "bicg",
    "bicgstab",
    "cg",
    "cgs",
    "eigs",
    "eigsh",
    "expm_multiply",
    "factorized",
    "funm_multiply_krylov",
    "gcrotmk",
    "gmres",
    "is_sptriangular",
    "lgmres",
    "lobpcg",
    "lsmr",
    "lsqr",
    "minres",
    "norm",
    "onenormest",
    "qmr",
    "spbandwidth",
    "spilu",
    "splu",
    "spsolve",
    "spsolve_triangular",
    "svds",
    "tfqmr",
]

__getattr__, __dir__ = delegate(__name__, __all__)
