"""The names of `scipy.linalg`, computed by JAX where native."""

from sci.bridge import delegate
from sci.linalg.basic import det, inv, solve
from sci.linalg.decomp_eigh import eigh, eigvalsh
from sci.linalg.decomp_lu import cholesky, lu
from sci.linalg.decomp_qr import qr
from sci.linalg.decomp_svd import svd, svdvals
from sci.linalg.matrix_functions import expm

__all__ = ["cholesky", "det", "eigh", "eigvalsh", "expm", "inv", "lu", "qr", "solve", "svd", "svdvals"]

__getattr__, __dir__ = delegate(__name__, __all__)
