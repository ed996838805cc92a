"""The names of `scipy.linalg.interpolative`, computed by JAX."""

from sci.bridge import delegate
from sci.linalg.interpolative.decompositions import interp_decomp, svd
from sci.linalg.interpolative.estimates import estimate_rank, estimate_spectral_norm, estimate_spectral_norm_diff
from sci.linalg.interpolative.reconstruct import (
    id_to_svd,
    reconstruct_interp_matrix,
    reconstruct_matrix_from_id,
    reconstruct_skel_matrix,
)

__all__ = [
    "estimate_rank",
    "estimate_spectral_norm",
    "estimate_spectral_norm_diff",
    "id_to_svd",
    "interp_decomp",
    "reconstruct_interp_matrix",
    "reconstruct_matrix_from_id",
    "reconstruct_skel_matrix",
    "svd",
]
__getattr__, __dir__ = delegate(__name__, __all__)
