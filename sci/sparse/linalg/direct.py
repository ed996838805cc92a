"""Direct solution of sparse systems: spsolve."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import sparse
from scipy.sparse.linalg import MatrixRankWarning

from sci.bridge import Call, Example, HostRoute, Reason, implements, warn_user
from sci.bridge.worlds import is_jax
from sci.sparse.linalg._factors import banded_blocks
from sci.sparse.linalg._sparse_lu import sparse_lu

__all__ = ["spsolve"]

#: The widest band for which the block factorisation here is about as quick as SuperLU.
_WIDEST = 64


def _prepare(call: Call) -> None:
    a, b = call["A"], call["b"]
    if not sparse.issparse(a) or a.format not in ("csc", "csr"):
        raise HostRoute(Reason.OPTION, "argument 'A' is no CSC or CSR matrix")
    if sparse.issparse(b):
        raise HostRoute(Reason.SPARSE, "argument 'b'")
    if a.shape[0] != a.shape[1]:
        raise ValueError(f"matrix must be square (has shape {a.shape})")
    if call["use_umfpack"] and getattr(_umfpack(), "u", False):
        raise HostRoute(Reason.OPTION, "use_umfpack")
    b = b if is_jax(b) else np.asarray(b)
    for name, value in (("A", a), ("b", b)):
        if value.dtype.kind not in "biufc" or value.dtype.itemsize > 16 or np.dtype(value.dtype).char in "gG":
            raise HostRoute(Reason.DTYPE, f"argument {name!r} is {value.dtype}")
    if b.ndim not in (1, 2) or b.shape[0] != a.shape[0]:
        raise ValueError(f"matrix - rhs dimension mismatch ({a.shape} - {b.shape})")
    kind = np.promote_types(np.dtype(np.result_type(a.dtype, np.float32)), b.dtype)
    if kind.kind not in "fc":
        kind = np.dtype(float)
    if a.shape[0] == 0 or b.size == 0:
        raise HostRoute(Reason.SHAPE, "an empty system")
    blocks = banded_blocks(a.astype(kind))
    if call.numpy and (blocks is None or blocks.diagonal.shape[-1] > _WIDEST):
        raise HostRoute(Reason.OPTION, "a sparse factorisation with large fill (no narrow band)")
    call["A"], call["b"] = _factored(a.astype(kind)) if blocks is None else blocks, b.astype(kind)


def _factored(a: Any) -> Any:
    """Factors made on the host, to solve with in compiled code."""
    try:
        factors = sparse_lu(a)
    except RuntimeError as error:
        raise HostRoute(Reason.OPTION, f"argument 'A': {error}") from None
    if factors is None:
        raise HostRoute(Reason.OPTION, "a sparse factorisation with very large factors")
    return factors


def _umfpack() -> Any:
    from scipy.sparse.linalg import use_solver

    return getattr(use_solver, "__globals__", {}).get("useUmfpack")


def _finish(call: Call, x: Any) -> Any:
    if not np.isfinite(x).all() and np.isfinite(call["b"]).all() and np.isfinite(call["A"].diagonal).all():
        warn_user("Matrix is exactly singular", MatrixRankWarning)
        x = np.full_like(x, np.nan)
    return x


def _example() -> tuple[Any, ...]:
    a = sparse.diags_array([np.full(4, -1.0), np.full(5, 3.0), np.full(4, 0.5)], offsets=[-1, 0, 1]).tocsc()
    return a, np.array([1.0, 2.0, 0.0, -1.0, 0.5])


@implements(
    "scipy.sparse.linalg.spsolve",
    trees=("A",),
    dtypes={"A": "keep", "b": "keep"},
    ignored=("permc_spec", "use_umfpack"),
    prepare=_prepare,
    finish=_finish,
    note="NumPy matrices whose band (after reordering) is wider than 64, sparse b, other formats.",
    examples=lambda: [
        Example(_example(), grad=("b",), vmap=("b",), float32=False,
                skip_odd=("string", "object", "0-d", "nan", "inf", "one axis more")),
    ],
)  # fmt: skip
def spsolve(A, b):
    """Solve a sparse system ``A x = b`` directly.

    Parameters
    ----------
    A : sparse matrix or array in CSC or CSR format, shape (n, n)
    b : array, shape (n,) or (n, k)
    permc_spec, use_umfpack
        The ordering is reverse Cuthill-McKee's here.

    Returns
    -------
    array, shape (n,) or (n, k)
        Differentiable with respect to b.

    Raises
    ------
    ValueError
        If A is not square or shapes do not fit.

    Warns
    -----
    MatrixRankWarning
        If A is singular; the result is NaN then (NumPy world).

    Notes
    -----
    The pattern is reordered on the host; the numbers are factored as a block band by LU with partial pivoting, in the
    compiled code (G. H. Golub, C. F. Van Loan, "Matrix Computations", 4th ed., section 4.3). With NumPy
    arrays wide bands go to SciPy; with JAX arrays SuperLU makes the factors on the host where the band is too wide, and
    compiled code solves.

    Examples
    --------
    >>> import numpy as np
    >>> from scipy import sparse
    >>> from sci.sparse.linalg import spsolve
    >>> spsolve(sparse.csc_array(np.array([[2.0, 0.0], [1.0, 4.0]])), np.array([2.0, 9.0]))
    array([1., 2.])
    """
    x = A.solver()(b)
    return x.reshape(-1) if b.ndim == 2 and b.shape[1] == 1 else x
