"""The pattern of a sparse matrix: is_sptriangular, spbandwidth."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp
import numpy as np
from scipy import sparse

from sci.bridge import Call, Example, HostRoute, Reason, implements, warn_user

__all__ = ["is_sptriangular", "spbandwidth"]

_KNOWN = {
    "is_sptriangular": (("csc", "csr", "coo", "dia", "dok", "lil"), "needs sparse and not BSR format"),
    "spbandwidth": (("csc", "csr", "coo", "dia", "dok"), "needs sparse format not LIL and BSR"),
}


def _prepare_for(name: str) -> Any:
    formats, wants = _KNOWN[name]

    def prepare(call: Call) -> None:
        a = call["A"]
        if type(a).__module__.startswith("jax.experimental.sparse"):
            if type(a).__name__ != "BCOO" or a.n_batch or a.n_dense or len(a.shape) != 2:
                raise ValueError(f"argument 'A' is a {type(a).__name__}; allowed of JAX's are BCOO without batch axes")
            call["A"], call.numpy = None, False
            rows, columns = a.indices[:, 0], a.indices[:, 1]
            inside = (rows < a.shape[0]) & (columns < a.shape[1])  # padding points outside
            call["gaps"] = jnp.where(inside, columns - rows, 0)
            return
        if not (sparse.issparse(a) and a.format in formats):
            warn_user(f"{name} {wants}. Converting to CSR.", sparse.SparseEfficiencyWarning)
            a = sparse.csr_array(a)
        if a.ndim != 2 or 0 in a.shape or a.nnz == 0:
            raise HostRoute(Reason.SHAPE, "a matrix without entries")
        if a.format == "dia":
            gaps = a.offsets
        else:
            coo = a.tocoo()
            gaps = coo.col - coo.row
        # to the next power of two: few programs serve matrices of all sizes
        call["A"] = None
        call["gaps"] = np.pad(gaps.astype(np.int64), (0, (1 << (gaps.size - 1).bit_length()) - gaps.size))

    return prepare


def _example() -> tuple[Any, ...]:
    return (sparse.csr_array(np.array([[3.0, 0.0, 0.0], [1.0, -1.0, 0.0], [2.0, 0.0, 1.0]])),)


def _facts(name: str, kind: type) -> dict[str, Any]:
    return {
        "ignored": ("A",),
        "dtypes": {"gaps": "keep"},
        "prepare": _prepare_for(name),
        "finish": lambda call, out: (kind(out[0]), kind(out[1])),
        "grad": False,
        "note": "matrices without entries.",
        "examples": lambda: [Example(_example())],
    }


@implements("scipy.sparse.linalg.is_sptriangular", **_facts("is_sptriangular", bool))
def is_sptriangular(gaps):
    """Whether a sparse matrix is lower triangular, and whether it is upper triangular, by its pattern.

    Parameters
    ----------
    A : sparse matrix or array
        Of SciPy, or a `jax.experimental.sparse.BCOO`. Stored zeros count.

    Returns
    -------
    lower, upper : bool

    Warns
    -----
    SparseEfficiencyWarning
        If A is converted.

    Examples
    --------
    >>> from scipy import sparse
    >>> from sci.sparse.linalg import is_sptriangular
    >>> is_sptriangular(sparse.eye_array(3, format="csr"))
    (True, True)
    """
    return (gaps <= 0).all(), (gaps >= 0).all()


@implements("scipy.sparse.linalg.spbandwidth", **_facts("spbandwidth", int))
def spbandwidth(gaps):
    """How many diagonals below and above the main one a sparse matrix has, by its pattern.

    Parameters
    ----------
    A : sparse matrix or array
        Of SciPy, or a `jax.experimental.sparse.BCOO`. Stored zeros count.

    Returns
    -------
    below, above : int

    Warns
    -----
    SparseEfficiencyWarning
        If A is converted.

    Examples
    --------
    >>> from scipy import sparse
    >>> from sci.sparse.linalg import spbandwidth
    >>> spbandwidth(sparse.diags_array([1.0, 2.0, 3.0], offsets=-1, shape=(4, 4)))
    (1, 0)
    """
    return jnp.maximum(-gaps.min(), 0), jnp.maximum(gaps.max(), 0)
