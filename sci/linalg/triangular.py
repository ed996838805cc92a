"""Systems given by a triangular matrix or by factors: LU and Cholesky."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from scipy.linalg import LinAlgError, LinAlgWarning

from sci.bridge import Call, Example, implements, warn_user
from sci.linalg._batch import column_matrix, core_shapes, over_batch, promoted, square_core, stack_of

__all__ = ["cho_solve", "lu_factor", "lu_solve", "solve_triangular"]

_TRANS = {"N": 0, "T": 1, "C": 2, 0: 0, 1: 1, 2: 2}


def _trans(call: Call) -> None:
    trans = call["trans"]
    if isinstance(trans, np.generic):
        trans = trans.item()
    if not isinstance(trans, (str, int)) or trans not in _TRANS:
        raise ValueError(f"trans is {call['trans']!r}; allowed are {list(_TRANS)}")
    call["trans"] = _TRANS[trans]


def _columns(b: jax.Array) -> jax.Array:
    return b[:, None] if b.ndim == 1 else b


def _prepare_triangular(call: Call) -> None:
    _trans(call)
    call["lower"], call["unit_diagonal"] = bool(call["lower"]), bool(call["unit_diagonal"])


def _validate_triangular(call: Call) -> None:
    n, _ = square_core(call, "a")
    _, b = core_shapes(call, a=2, b="1|2")
    if b is None or not b or b[0] != n:
        raise ValueError(f"shapes of a {np.shape(call['a'])} and b {np.shape(call['b'])} are incompatible")


def _finish_triangular(call: Call, x: Any) -> Any:
    if not call["unit_diagonal"] and np.size(x):
        zero = np.argwhere(np.diagonal(call["a"], axis1=-2, axis2=-1) == 0)
        if len(zero):
            raise LinAlgError(f"singular matrix: resolution failed at diagonal {zero[0][-1]}")
    return x


@implements(
    "scipy.linalg.solve_triangular",
    static=("trans", "lower", "unit_diagonal"),
    ignored=("overwrite_b",),
    finite=("a", "b"),
    prepare=_prepare_triangular,
    validate=_validate_triangular,
    finish=_finish_triangular,
    examples=lambda: [
        Example(([[3.0, 0.0], [1.0, -2.0]], [4.0, 2.0]), {"lower": True, "trans": 1}, grad=("a", "b"), vmap=("a", "b")),
    ],
)
def solve_triangular(a: Any, b: Any, trans: int, lower: bool, unit_diagonal: bool) -> Any:
    """Solve ``a @ x = b`` for a triangular matrix.

    Parameters
    ----------
    a : array_like, shape (..., n, n)
        Only the triangle named by `lower` is read.
    b : array_like, shape (n,) or (..., n, k)
        Right-hand sides.
    trans : {0, 1, 2, 'N', 'T', 'C'}
        Solve with the matrix, its transpose or its conjugate transpose.
    lower, unit_diagonal : bool
        Which triangle; whether the diagonal is taken as ones.

    Returns
    -------
    array, shape of `b`
        Differentiable in both.

    Raises
    ------
    LinAlgError
        If an entry of the diagonal is zero (NumPy world; infinity or NaN in the JAX world).
    ValueError
        For shapes that do not match.

    References
    ----------
    LAPACK's trtrs: substitution.

    Examples
    --------
    >>> from sci import linalg
    >>> linalg.solve_triangular([[2.0, 1.0], [0.0, 4.0]], [4.0, 8.0])
    array([1., 2.])
    """
    a, b = promoted(a, b)
    if b.size == 0:
        return b

    def core(a: jax.Array, b: jax.Array) -> jax.Array:
        x = lax.linalg.triangular_solve(
            a, _columns(b), left_side=True, lower=lower, unit_diagonal=unit_diagonal,
            transpose_a=trans > 0, conjugate_a=trans == 2,
        )  # fmt: skip
        return x.reshape(b.shape)

    return over_batch(core, (a, b), (2, "1|2"))


def _finish_lu_factor(call: Call, out: Any) -> Any:
    lu, _ = out
    if np.ndim(lu) > 1 and np.size(lu):
        zero = np.argwhere(np.diagonal(lu, axis1=-2, axis2=-1) == 0)
        if len(zero):
            message = f"Diagonal number {zero[0][-1] + 1} is exactly zero. Singular matrix."
            warn_user(message, LinAlgWarning)
    return out


@implements(
    "scipy.linalg.lu_factor",
    ignored=("overwrite_a",),
    finite=("a",),
    validate=stack_of(a=2),
    finish=_finish_lu_factor,
    examples=lambda: [Example(([[2.0, 5.0], [5.0, 2.0]],), grad=("a",), vmap=("a",))],
)
def lu_factor(a: Any) -> Any:
    """Packed LU factors with partial pivoting, for `lu_solve`.

    Parameters
    ----------
    a : array_like, shape (..., m, n)
        Matrices.

    Returns
    -------
    lu : array, shape (..., m, n)
        U and the part of L below its unit diagonal. Differentiable at fixed pivots.
    piv : int32 array, shape (..., min(m, n))
        Row i was exchanged with row ``piv[i]``.

    Raises
    ------
    ValueError
        For a stack without matrices.

    Warns
    -----
    LinAlgWarning
        If a pivot is exactly zero (NumPy world).

    References
    ----------
    LAPACK's getrf.

    Examples
    --------
    >>> from sci import linalg
    >>> linalg.lu_factor([[1.0, 2.0], [2.0, 8.0]])
    (array([[ 2. ,  8. ],
           [ 0.5, -2. ]]), array([1, 1], dtype=int32))
    """
    shape = np.shape(a)
    a = column_matrix(a)
    if a.size == 0:
        return a, jnp.zeros((*a.shape[:-2], 0), jnp.int32)
    lu, pivots, _ = lax.linalg.lu(a)
    return lu.reshape(shape), pivots


def _prepare_lu_solve(call: Call) -> None:
    call["lu"], call["piv"] = call["lu_and_piv"]
    _trans(call)


def _validate_lu_solve(call: Call) -> None:
    lu, _, b = core_shapes(call, lu=2, piv=1, b="1|2")
    if lu is None or len(lu) != 2 or not b or lu[0] != b[0]:
        raise ValueError(f"Shapes of lu {np.shape(call['lu'])} and b {np.shape(call['b'])} are incompatible")


@implements(
    "scipy.linalg.lu_solve",
    static=("trans",),
    finite=("b",),
    dtypes={"piv": "keep"},
    prepare=_prepare_lu_solve,
    validate=_validate_lu_solve,
    examples=lambda: [
        Example(((np.array([[2.0, 8.0], [0.5, -2.0]]), np.array([1, 1])), [4.0, 2.0]), grad=("b",), vmap=("b",)),
    ],
)
def lu_solve(lu: Any, piv: Any, b: Any, trans: int) -> Any:
    """Solve ``a @ x = b`` with the factors of `lu_factor`.

    Parameters
    ----------
    lu_and_piv : tuple
        ``(lu, piv)``, shapes (..., n, n) and (..., n).
    b : array_like, shape (n,) or (..., n, k)
        Right-hand sides.
    trans : {0, 1, 2}
        Solve with a, its transpose or its conjugate transpose.

    Returns
    -------
    array, shape of `b`
        Differentiable in the factors and `b`.

    Raises
    ------
    ValueError
        For shapes that do not match.

    References
    ----------
    LAPACK's getrs.

    Examples
    --------
    >>> from sci import linalg
    >>> linalg.lu_solve(linalg.lu_factor([[1.0, 2.0], [2.0, 8.0]]), [3.0, 10.0])
    array([1., 1.])
    """
    lu, b = promoted(lu, b)
    if b.size == 0:
        return b

    def core(lu: jax.Array, piv: jax.Array, b: jax.Array) -> jax.Array:
        x = _columns(b)
        permutation = lax.linalg.lu_pivots_to_permutation(piv.astype(jnp.int32), lu.shape[-1])
        lower = {"left_side": True, "lower": True, "unit_diagonal": True}
        upper = {"left_side": True, "lower": False}
        if trans == 0:
            x = lax.linalg.triangular_solve(lu, x[permutation], **lower)
            x = lax.linalg.triangular_solve(lu, x, **upper)
        else:
            how = {"transpose_a": True, "conjugate_a": trans == 2}
            x = lax.linalg.triangular_solve(lu, x, **upper, **how)
            x = lax.linalg.triangular_solve(lu, x, **lower, **how)
            x = jnp.zeros_like(x).at[permutation].set(x)
        return x.reshape(b.shape)

    return over_batch(core, (lu, piv, b), (2, 1, "1|2"))


def _prepare_cho_solve(call: Call) -> None:
    call["c"], lower = call["c_and_lower"]
    lower = np.unique(np.asarray(lower).astype(bool))  # a stack from `cho_factor` has one flag for each matrix
    if lower.size != 1:
        raise ValueError("c_and_lower mixes lower and upper factors; allowed is one kind")
    call["lower"] = bool(lower[0])


def _validate_cho_solve(call: Call) -> None:
    n, _ = square_core(call, "c", "The factored matrix c is not square")
    _, b = core_shapes(call, c=2, b="1|2")
    if not b or b[0] != n:
        raise ValueError(f"incompatible dimensions ({np.shape(call['c'])} and {np.shape(call['b'])})")


@implements(
    "scipy.linalg.cho_solve",
    static=("lower",),
    ignored=("overwrite_b",),
    finite=("c", "b"),
    prepare=_prepare_cho_solve,
    validate=_validate_cho_solve,
    examples=lambda: [
        Example(((np.array([[2.0, 0.0], [1.0, 2.0]]), True), [4.0, 2.0]), grad=("b",), vmap=("b",)),
    ],
)
def cho_solve(c: Any, b: Any, lower: bool) -> Any:
    """Solve ``a @ x = b`` with the Cholesky factor of `cho_factor`.

    Parameters
    ----------
    c_and_lower : tuple
        ``(c, lower)``: the factor (..., n, n) and which triangle it fills.
    b : array_like, shape (n,) or (..., n, k)
        Right-hand sides.

    Returns
    -------
    array, shape of `b`
        Differentiable in the factor and `b`.

    Raises
    ------
    ValueError
        For shapes that do not match.

    References
    ----------
    LAPACK's potrs.

    Examples
    --------
    >>> from sci import linalg
    >>> linalg.cho_solve(linalg.cho_factor([[4.0, 2.0], [2.0, 5.0]]), [8.0, 12.0])
    array([1., 2.])
    """
    c, b = promoted(c, b)
    if b.size == 0:
        return b

    def core(c: jax.Array, b: jax.Array) -> jax.Array:
        conjugated = {"transpose_a": True, "conjugate_a": True}
        first, second = ({}, conjugated) if lower else (conjugated, {})
        x = lax.linalg.triangular_solve(c, _columns(b), left_side=True, lower=lower, **first)
        return lax.linalg.triangular_solve(c, x, left_side=True, lower=lower, **second).reshape(b.shape)

    return over_batch(core, (c, b), (2, "1|2"))
