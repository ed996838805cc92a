"""Sparse triangular systems: spsolve_triangular."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from scipy import sparse
from scipy.linalg import LinAlgError

from sci.bridge import Call, Example, HostRoute, Reason, implements, warn_user
from sci.bridge.worlds import is_jax, is_traced
from sci.sparse.linalg._factors import _for_vectors
from sci.sparse.linalg._operators import _Operator
from sci.sparse.linalg._triangular import coordinates, triangular

__all__ = ["spsolve_triangular"]


class _DenseTriangle(_Operator):
    arrays, facts = ("matrix",), ("lower", "unit")
    matrix: Any
    lower: bool
    unit: bool

    def solve(self, b: Any) -> Any:
        matrix = self.matrix
        if not self.unit:
            zero = (jnp.diagonal(matrix) == 0)[:, None] & jnp.eye(matrix.shape[0], dtype=bool)
            matrix = jnp.where(zero, jnp.nan, matrix)
        solve = lambda columns: lax.linalg.triangular_solve(  # noqa: E731
            matrix, columns, left_side=True, lower=self.lower, unit_diagonal=self.unit
        )
        return _for_vectors(solve, matrix.dtype)(b)


def _prepare(call: Call) -> None:
    a, b, lower, unit = call["A"], call["b"], bool(call["lower"]), bool(call["unit_diagonal"])
    of_jax = type(a).__module__.startswith("jax.experimental.sparse")
    if not of_jax and not is_jax(a) and not (sparse.issparse(a) and a.format in ("csc", "csr")):
        if type(a).__module__.partition(".")[0] == "sparse":
            raise HostRoute(Reason.SPARSE, "argument 'A' is of the package sparse")
        warn_user("CSC or CSR matrix format is required. Converting to CSC matrix.", sparse.SparseEfficiencyWarning)
        a = sparse.csc_array(a)
    if len(a.shape) != 2 or a.shape[0] != a.shape[1]:
        raise ValueError(f"A must be a square matrix but its shape is {tuple(a.shape)}.")
    n = a.shape[0]
    b = b if is_jax(b) else np.asarray(b)
    for name, value in (("A", a), ("b", b)):
        if value.dtype.kind not in "biufc" or np.dtype(value.dtype).char in "gG":
            raise HostRoute(Reason.DTYPE, f"argument {name!r} is {value.dtype}")
    kind = np.promote_types(np.promote_types(a.dtype, np.float32), b.dtype)
    kind = kind if call.numpy and not of_jax else jax.dtypes.canonicalize_dtype(kind)
    if n == 0 or (b.ndim in (1, 2) and b.shape[0] == n and b.size == 0):
        raise HostRoute(Reason.SHAPE, "an empty system")
    if of_jax:
        call.numpy = False
    call["A"] = _system(a, kind, lower, unit, of_jax)
    if b.ndim not in (1, 2):
        raise ValueError(f"b must have 1 or 2 dims but its shape is {b.shape}.")
    if b.shape[0] != n:
        raise ValueError(
            f"The size of the dimensions of A must be equal to the size of the first dimension of b but the shape of A "
            f"is {tuple(a.shape)} and the shape of b is {b.shape}."
        )
    call["b"] = b.astype(kind)


def _system(a: Any, kind: Any, lower: bool, unit: bool, of_jax: bool) -> Any:
    n = a.shape[0]
    if is_jax(a):
        return _DenseTriangle(matrix=a.astype(kind), lower=lower, unit=unit)
    found = coordinates(a) if of_jax else None
    if of_jax and found is None:  # the pattern is traced: nothing can be planned
        return _DenseTriangle(matrix=a.todense().astype(kind), lower=lower, unit=unit)
    if found is None:
        coo = a.tocoo()
        found = coo.data, coo.row, coo.col
    data, rows, columns = found
    data = data.astype(kind)
    known = not is_traced(data)
    beside = columns > rows if lower else columns < rows
    outside = (np.asarray(data)[beside] != 0).any() if known else beside.any()
    if outside:
        side = "above" if lower else "below"
        raise LinAlgError(f"A is not triangular: with lower={lower} it may have no entries {side} the diagonal")
    if beside.any():
        keep = np.flatnonzero(~beside)
        data, rows, columns = data[keep], rows[keep], columns[keep]
    system = triangular(data, rows, columns, n, lower, unit)
    if not is_jax(system.diagonal) and (system.diagonal == 0).any():
        raise LinAlgError("A is singular: zero entry on diagonal.")
    return system


def _example() -> tuple[Any, ...]:
    a = sparse.csc_array(np.array([[2.0, 0, 0, 0], [1, -4, 0, 0], [0, 0, 5, 0], [0.5, 3, 1, 2]]))
    return a, np.array([1.0, 2.0, 0.0, -1.0])


@implements(
    "scipy.sparse.linalg.spsolve_triangular",
    trees=("A",),
    dtypes={"A": "keep", "b": "keep"},
    ignored=("lower", "unit_diagonal", "overwrite_A", "overwrite_b"),
    prepare=_prepare,
    note="empty systems, matrices of the package sparse.",
    examples=lambda: [
        Example(_example(), grad=("b",), vmap=("b",), float32=False, skip_odd=("string", "object", "empty")),
    ],
)
def spsolve_triangular(A, b):
    """Solve a sparse triangular system ``A x = b``.

    Parameters
    ----------
    A : sparse matrix or array, shape (n, n)
        Of SciPy (CSC or CSR; others are converted, with a warning), of `jax.experimental.sparse`, or a dense JAX array.
    b : array, shape (n,) or (n, k)
    lower : bool
        Whether A is lower triangular.
    overwrite_A, overwrite_b : bool
        Without effect.
    unit_diagonal : bool
        Whether the diagonal is taken as ones, whatever is stored.

    Returns
    -------
    array, shape of b
        Differentiable in both modes with respect to b, and to the values of a JAX matrix.

    Raises
    ------
    numpy.linalg.LinAlgError
        If A has a zero on its diagonal (NaN in the JAX world), or entries in the other triangle, for which SciPy
        returns some numbers.
    ValueError
        If A is not square or shapes do not fit.

    Notes
    -----
    The rows are ordered by levels on the host, from the pattern (kept for the next call with the same one); the
    compiled code sweeps through them: E. Anderson, Y. Saad, Int. J. High Speed Comput. 1, 1989. A JAX matrix
    whose indices are traced (made inside `jax.jit`) is solved as a dense one.

    Examples
    --------
    >>> import numpy as np
    >>> from scipy import sparse
    >>> from sci.sparse.linalg import spsolve_triangular
    >>> spsolve_triangular(sparse.csc_array(np.array([[2.0, 0.0], [1.0, 4.0]])), np.array([2.0, 9.0]))
    array([1., 2.])
    """
    return A.solve(b)
