"""`scipy.sparse.linalg` on JAX: the iterative solvers are native, everything else runs on SciPy."""

from sci.bridge import delegate
from sci.sparse.linalg.iterative import bicg, bicgstab, cg, cgs, gmres, minres
from sci.sparse.linalg.least_squares import lsmr, lsqr

__all__ = ["bicg", "bicgstab", "cg", "cgs", "gmres", "lsmr", "lsqr", "minres"]

__getattr__, __dir__ = delegate(__name__, __all__)
