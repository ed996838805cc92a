"""The names of `scipy.linalg`, computed by JAX where native."""

from sci.bridge import delegate
from sci.linalg.assembly import block_diag, cdf2rdf, clarkson_woodruff_transform
from sci.linalg.balancing import matrix_balance
from sci.linalg.banded import cho_solve_banded, cholesky_banded, solve_banded, solveh_banded
from sci.linalg.basic import solve
from sci.linalg.companion_matrices import companion, fiedler, fiedler_companion, leslie
from sci.linalg.constant_matrices import dft, hadamard, helmert, hilbert, invhilbert, invpascal, pascal
from sci.linalg.decomp_cossin import cossin
from sci.linalg.decomp_eig import eig, eigvals
from sci.linalg.decomp_eigh import eigh, eigvalsh
from sci.linalg.decomp_ldl import ldl
from sci.linalg.decomp_lu import cho_factor, cholesky, lu
from sci.linalg.decomp_polar import orthogonal_procrustes, polar
from sci.linalg.decomp_qr import qr
from sci.linalg.decomp_qz import ordqz, qz
from sci.linalg.decomp_rq import qr_multiply, rq
from sci.linalg.decomp_schur import hessenberg, rsf2csf, schur
from sci.linalg.decomp_svd import svd, svdvals
from sci.linalg.eig_banded import eig_banded, eigh_tridiagonal, eigvals_banded, eigvalsh_tridiagonal
from sci.linalg.expm_derivatives import expm_cond, expm_frechet, khatri_rao
from sci.linalg.inverse import det, inv
from sci.linalg.logarithm import logm
from sci.linalg.lstsq import lstsq, pinv, pinvh
from sci.linalg.matrix_equations import (
    solve_continuous_lyapunov,
    solve_discrete_lyapunov,
    solve_lyapunov,
    solve_sylvester,
)
from sci.linalg.matrix_functions import expm
from sci.linalg.norms import norm
from sci.linalg.powers_and_sign import fractional_matrix_power, signm
from sci.linalg.qr_updates import qr_delete, qr_insert, qr_update
from sci.linalg.riccati import solve_continuous_are, solve_discrete_are
from sci.linalg.scalar_functions import funm
from sci.linalg.special_matrices import (
    circulant,
    convolution_matrix,
    hankel,
    toeplitz,
)
from sci.linalg.square_root import sqrtm
from sci.linalg.structure import bandwidth, ishermitian, issymmetric
from sci.linalg.subspaces import diagsvd, null_space, orth, subspace_angles
from sci.linalg.toeplitz_systems import matmul_toeplitz, solve_circulant, solve_toeplitz
from sci.linalg.triangular import cho_solve, lu_factor, lu_solve, solve_triangular
from sci.linalg.trigonometric import coshm, cosm, sinhm, sinm, tanhm, tanm

__all__ = [
    "bandwidth",
    "block_diag",
    "cdf2rdf",
    "cho_factor",
    "cho_solve",
    "cho_solve_banded",
    "cholesky",
    "cholesky_banded",
    "circulant",
    "clarkson_woodruff_transform",
    "companion",
    "convolution_matrix",
    "coshm",
    "cosm",
    "cossin",
    "det",
    "dft",
    "diagsvd",
    "eig",
    "eig_banded",
    "eigh",
    "eigh_tridiagonal",
    "eigvals",
    "eigvals_banded",
    "eigvalsh",
    "eigvalsh_tridiagonal",
    "expm",
    "expm_cond",
    "expm_frechet",
    "fiedler",
    "fiedler_companion",
    "fractional_matrix_power",
    "funm",
    "hadamard",
    "hankel",
    "helmert",
    "hessenberg",
    "hilbert",
    "inv",
    "invhilbert",
    "invpascal",
    "ishermitian",
    "issymmetric",
    "khatri_rao",
    "ldl",
    "leslie",
    "logm",
    "lstsq",
    "lu",
    "lu_factor",
    "lu_solve",
    "matmul_toeplitz",
    "matrix_balance",
    "norm",
    "null_space",
    "ordqz",
    "orth",
    "orthogonal_procrustes",
    "pascal",
    "pinv",
    "pinvh",
    "polar",
    "qr",
    "qr_delete",
    "qr_insert",
    "qr_multiply",
    "qr_update",
    "qz",
    "rq",
    "rsf2csf",
    "schur",
    "signm",
    "sinhm",
    "sinm",
    "solve",
    "solve_banded",
    "solve_circulant",
    "solve_continuous_are",
    "solve_continuous_lyapunov",
    "solve_discrete_are",
    "solve_discrete_lyapunov",
    "solve_lyapunov",
    "solve_sylvester",
    "solve_toeplitz",
    "solve_triangular",
    "solveh_banded",
    "sqrtm",
    "subspace_angles",
    "svd",
    "svdvals",
    "tanhm",
    "tanm",
    "toeplitz",
]
__getattr__, __dir__ = delegate(__name__, __all__)
