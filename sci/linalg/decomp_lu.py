"""LU and Cholesky factorisations."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from scipy.linalg import LinAlgError

from sci.bridge import Call, Example, implements
from sci.linalg._batch import over_batch
from sci.linalg._shared import adjoint, from_triangle
from solvers.linear import LARGEST, cholesky_small

__all__ = ["cho_factor", "cholesky", "lu"]


def _validate_lu(call: Call) -> None:
    if np.ndim(call["a"]) < 2:
        raise ValueError(f"The input array must be at least two-dimensional; 'a' has shape {np.shape(call['a'])}.")


@implements(
    "scipy.linalg.lu",
    static=("permute_l", "p_indices"),
    ignored=("overwrite_a",),
    finite=("a",),
    validate=_validate_lu,
    examples=lambda: [
        Example(
            ([[2.0, 5.0, 8.0], [5.0, 2.0, 2.5], [7.0, 5.0, 6.0]],),
            {"permute_l": True},
            grad=("a",),
            vmap=("a",),
        ),
        Example(([[2.0, 5.0], [5.0, 2.0], [7.0, 5.5]],), {"p_indices": True}, vmap=("a",)),
        Example(([[2.0, 5.0, 1.0], [5.0, 2.0, 3.0]],), vmap=("a",)),
    ],
)
def lu(a: Any, permute_l: bool, p_indices: bool) -> Any:
    """LU factorisation with partial pivoting, ``a = P @ L @ U``.

    Parameters
    ----------
    a : array_like, shape (..., m, n)
        Matrices.
    permute_l : bool
        Return ``P @ L`` and ``U`` only.
    p_indices : bool
        Return the permutation as indices (int32): ``a = L[p] @ U``.

    Returns
    -------
    tuple of arrays
        ``(P, L, U)`` of shapes (..., m, m), (..., m, k), (..., k, n), or ``(PL, U)``. L and U are
        differentiable at fixed pivots.

    Raises
    ------
    ValueError
        If `a` has less than two dimensions.

    References
    ----------
    LAPACK's getrf.

    Examples
    --------
    >>> from sci import linalg
    >>> p, l, u = linalg.lu([[1.0, 2.0], [3.0, 4.0]])
    >>> u
    array([[3.        , 4.        ],
           [0.        , 0.66666667]])
    """
    m, n = a.shape[-2:]
    k = min(m, n)
    if a.size == 0:
        lower, upper = jnp.zeros((*a.shape[:-1], k), a.dtype), jnp.zeros((*a.shape[:-2], k, n), a.dtype)
        none = jnp.zeros((*a.shape[:-2], 0), jnp.int32) if p_indices else jnp.zeros((*a.shape[:-2], 0, 0), a.real.dtype)
        return (lower, upper) if permute_l else (none, lower, upper)
    packed, _, permutation = lax.linalg.lu(a)
    lower = jnp.tril(packed[..., :, :k], -1) + jnp.eye(m, k, dtype=a.dtype)
    upper = jnp.triu(packed[..., :k, :])
    place = jnp.argsort(permutation, axis=-1).astype(jnp.int32)  # row i of `a` is row place[i] of L U
    if m == n == 1:  # SciPy's scalar case has dtypes of its own
        one = jnp.zeros(a.shape[:-1], jnp.result_type(int)) if p_indices else jnp.ones_like(a)
        return (lower, upper) if permute_l else (one, lower, upper)
    if permute_l:
        return jnp.take_along_axis(lower, place[..., None], axis=-2), upper
    if p_indices:
        return place, lower, upper
    return (place[..., None] == jnp.arange(m)).astype(a.real.dtype), lower, upper


def _factor(a: jax.Array) -> jax.Array:
    if a.shape[-1] > LARGEST:
        return lax.linalg.cholesky(a, symmetrize_input=False)
    return over_batch(cholesky_small, (a,), (2,))


def _validate_cholesky(call: Call) -> None:
    shape = np.shape(call["a"])
    if len(shape) == 1 and shape != (1,):
        shape = (1, *shape)
    if len(shape) >= 2 and shape[-1] != shape[-2]:
        raise ValueError(f"Input array needs to be square; argument 'a' has the shape: {shape}.")


def _finish_cholesky(call: Call, factor: Any) -> Any:
    if np.isnan(factor).any():
        _raise_not_definite(np.atleast_2d(call["a"]), call["lower"])
    return factor


def _raise_not_definite(a: np.ndarray, lower: bool) -> None:
    for matrix in a.reshape(-1, *a.shape[-2:]):
        half = np.tril(matrix) if lower else np.triu(matrix).conj().T
        for k in range(1, len(half) + 1):
            try:
                np.linalg.cholesky(half[:k, :k])
            except np.linalg.LinAlgError:
                raise LinAlgError(f"{k}-th leading minor of the array is not positive definite") from None
    raise LinAlgError("the array is not positive definite")


@implements(
    "scipy.linalg.cholesky",
    static=("lower",),
    ignored=("overwrite_a",),
    finite=("a",),
    validate=_validate_cholesky,
    finish=_finish_cholesky,
    examples=lambda: [
        Example(([[4.0, 1.0], [1.0, 3.0]],), {"lower": True}, grad=("a",), vmap=("a",)),
        Example(([[4.0, 1 - 2j], [1 + 2j, 3.0]],)),
    ],
)
def cholesky(a: Any, lower: bool) -> Any:
    """Cholesky factor of a positive definite matrix: ``a = L @ L^H = U^H @ U``.

    Parameters
    ----------
    a : array_like, shape (..., n, n)
        Hermitian matrices; only the triangle named by `lower` is read.
    lower : bool
        Return L instead of U.

    Returns
    -------
    array, shape (..., n, n)
        The factor, zero in the other triangle. Differentiable.

    Raises
    ------
    LinAlgError
        If a matrix is not positive definite (NumPy world; NaN in the JAX world).
    ValueError
        If `a` is not square.

    References
    ----------
    LAPACK's potrf.

    Examples
    --------
    >>> from sci import linalg
    >>> linalg.cholesky([[4.0, 2.0], [2.0, 5.0]], lower=True)
    array([[2., 0.],
           [1., 2.]])
    """
    a = jnp.atleast_2d(a)
    if a.size == 0:
        return a
    # the upper factor is the adjoint of the lower factor of the adjoint
    factor = _factor(from_triangle(a, lower))
    return factor if lower else adjoint(factor)


def _lower(c: Any) -> Any:
    return np.tril(c) if isinstance(c, np.ndarray) else jnp.tril(c)


@implements(
    "scipy.linalg.cho_factor",
    static=("lower",),
    ignored=("overwrite_a",),
    finite=("a",),
    validate=_validate_cholesky,
    finish=lambda call, c: (_finish_cholesky(call, c), _flags(call, np.full)),
    finish_jax=lambda call, c: (c, bool(call["lower"])),
    examples=lambda: [
        # the other triangle is not part of the result: SciPy 1.18 has zeros there
        Example(
            (np.array([[4.0, 1.0], [1.0, 3.0]]),),
            {"lower": True},
            output=lambda r: _lower(r[0]),
            grad=("a",),
            vmap=("a",),
        ),
    ],
)
def cho_factor(a: Any, lower: bool) -> Any:
    """Cholesky factor for `cho_solve`; the other triangle keeps the entries of `a`.

    Parameters
    ----------
    a : array_like, shape (..., n, n)
        Hermitian matrices; only the triangle named by `lower` is read.
    lower : bool
        Compute L instead of U.

    Returns
    -------
    c : array, shape (..., n, n)
        The factor in its triangle. Differentiable.
    lower : bool
        Which triangle (one flag for each matrix of a stack in the NumPy world).

    Raises
    ------
    LinAlgError
        If a matrix is not positive definite (NumPy world; NaN in the JAX world).
    ValueError
        If `a` is not square.

    References
    ----------
    LAPACK's potrf.

    Examples
    --------
    >>> from sci import linalg
    >>> linalg.cho_factor([[4.0, 2.0], [2.0, 5.0]])
    (array([[2., 1.],
           [2., 2.]]), False)
    """
    a = jnp.atleast_2d(a)
    if a.size == 0:
        return a
    n = a.shape[-1]
    factor = _factor(from_triangle(a, lower))
    factor = factor if lower else adjoint(factor)
    row, column = np.arange(n)[:, None], np.arange(n)
    return jnp.where(row >= column if lower else row <= column, factor, a)


def _flags(call: Call, full: Any) -> Any:
    batch = np.shape(call["a"])[:-2]
    return full(batch, call["lower"]) if batch else call["lower"]
