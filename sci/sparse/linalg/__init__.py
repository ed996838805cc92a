"""`scipy.sparse.linalg` on JAX: iterative solvers and eigensolvers are native, everything else runs on SciPy."""

from sci.bridge import delegate
from sci.sparse.linalg.direct import spsolve
from sci.sparse.linalg.eigen import eigs, eigsh
from sci.sparse.linalg.iterative import bicg, bicgstab, cg, cgs, gmres, minres
from sci.sparse.linalg.least_squares import lsmr, lsqr
from sci.sparse.linalg.lobpcg import lobpcg
from sci.sparse.linalg.matrix_functions import expm_multiply
from sci.sparse.linalg.minimal_residual import gcrotmk, lgmres, qmr, tfqmr
from sci.sparse.linalg.svds import svds

__all__ = [
    "bicg",
    "bicgstab",
    "cg",
    "cgs",
    "eigs",
    "eigsh",
    "expm_multiply",
    "gcrotmk",
    "gmres",
    "lgmres",
    "lobpcg",
    "lsmr",
    "lsqr",
    "minres",
    "qmr",
    "spsolve",
    "svds",
    "tfqmr",
]

__getattr__, __dir__ = delegate(__name__, __all__)
