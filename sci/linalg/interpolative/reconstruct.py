"""Matrices from their interpolative decompositions."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp
import numpy as np

from sci.bridge import Call, Example, implements
from sci.bridge.worlds import is_jax
from sci.linalg.interpolative._arguments import ODD
from solvers.linear.interpolative import columns_to_svd

__all__ = ["id_to_svd", "reconstruct_interp_matrix", "reconstruct_matrix_from_id", "reconstruct_skel_matrix"]


def _typed(call: Call, name: str) -> None:
    value = call[name]
    if not hasattr(value, "dtype"):
        raise TypeError(f"invalid input type (must be array or LinearOperator): {name!r} is {type(value)}")
    if call.numpy and np.dtype(value.dtype).char not in "dD":
        raise ValueError(f"invalid input dtype (input must be float64 or complex128): {name!r} is {value.dtype}")


def _indices(call: Call) -> None:
    idx = call["idx"] if is_jax(call["idx"]) else np.asarray(call["idx"])
    if idx.ndim != 1 or not jnp.issubdtype(idx.dtype, jnp.integer):
        raise ValueError(f"argument 'idx' has shape {idx.shape} and type {idx.dtype}; allowed are vectors of integers")
    call["idx"] = idx


def _in_range(call: Call, used: Any, n: int) -> None:
    if call.numpy and np.size(used) and not (np.min(used) >= 0 and np.max(used) < n):
        raise IndexError(f"argument 'idx' has entries from {np.min(used)} to {np.max(used)}; allowed are 0 to {n - 1}")


def _validate(call: Call) -> None:
    n, proj = call["idx"].shape[0], np.shape(call["proj"])
    if len(proj) != 2 or sum(proj) != n:
        raise ValueError(
            f"argument 'proj' has shape {proj}; its rows and columns have to be {n} together, as 'idx' has"
        )
    if call.numpy and not np.array_equal(np.sort(call["idx"]), np.arange(n)):
        raise ValueError(f"argument 'idx' is no permutation of 0 to {n - 1}")
    b = np.shape(call.get("B", np.zeros((1, proj[0]))))
    if len(b) != 2 or b[1] != proj[0]:
        raise ValueError(f"argument 'B' has shape {b}; for 'proj' of shape {proj} it has {proj[0]} columns")


def _prepare_interp(call: Call) -> None:
    _typed(call, "proj")
    _indices(call)


def _prepare_skeleton(call: Call) -> None:
    if not is_jax(call["B"]):
        call["B"] = np.atleast_2d(call["B"])
    _typed(call, "B")
    if not is_jax(call["proj"]):
        call["proj"] = np.asarray(call["proj"])
    _indices(call)


def _interp_matrix(idx: Any, proj: Any) -> Any:
    k = proj.shape[0]
    whole = jnp.concatenate([jnp.eye(k, dtype=proj.dtype), proj], axis=1)
    return jnp.zeros_like(whole).at[:, idx].set(whole)


def _example() -> tuple[Any, ...]:
    return np.array([[1.0, 2.0], [3.0, 0.5], [0.3, 1.5]]), np.array([2, 0, 1]), np.array([[0.5], [-0.25]])


@implements(
    "scipy.linalg.interpolative.reconstruct_interp_matrix", dtypes={"idx": "keep"}, prepare=_prepare_interp,
    validate=_validate,
    examples=lambda: [Example(_example()[1:], grad=("proj",), vmap=("proj",), skip_odd=ODD)],
)  # fmt: skip
def reconstruct_interp_matrix(idx: Any, proj: Any) -> Any:
    """The matrix that multiplies the chosen columns: ``[I, proj]`` in the original order of columns.

    Parameters
    ----------
    idx : int array, shape (n,)
        A permutation, the chosen columns first.
    proj : array, shape (k, n - k)

    Returns
    -------
    array, shape (k, n)
        Differentiable.

    Raises
    ------
    ValueError
        For shapes that do not match, types other than float64 and complex128 (NumPy world), or no permutation.
    TypeError
        If `proj` is no array.

    References
    ----------
    See `interp_decomp`.

    Examples
    --------
    >>> import numpy as np
    >>> from sci.linalg import interpolative
    >>> interpolative.reconstruct_interp_matrix(np.array([1, 0]), np.array([[0.5]]))
    array([[0.5, 1. ]])
    """
    return _interp_matrix(idx, proj)


@implements(
    "scipy.linalg.interpolative.reconstruct_matrix_from_id", dtypes={"idx": "keep"}, prepare=_prepare_skeleton,
    validate=_validate,
    examples=lambda: [Example(_example(), grad=("B", "proj"), vmap=("B", "proj"), skip_odd=ODD)],
)  # fmt: skip
def reconstruct_matrix_from_id(B: Any, idx: Any, proj: Any) -> Any:
    """The matrix of an interpolative decomposition.

    Parameters
    ----------
    B : array, shape (m, k)
        The chosen columns.
    idx, proj : array, shapes (n,) and (k, n - k)
        As `interp_decomp` returns them.

    Returns
    -------
    array, shape (m, n)
        Differentiable.

    Raises
    ------
    ValueError
        As `reconstruct_interp_matrix`.

    References
    ----------
    See `interp_decomp`.

    Examples
    --------
    >>> import numpy as np
    >>> from sci.linalg import interpolative
    >>> interpolative.reconstruct_matrix_from_id(np.array([[2.0], [4.0]]), np.array([1, 0]), np.array([[0.5]]))
    array([[1., 2.],
           [2., 4.]])
    """
    return B @ _interp_matrix(idx, proj)


def _prepare_skel(call: Call) -> None:
    call["k"] = int(call["k"])
    _indices(call)
    if not is_jax(call["A"]):
        call["A"] = np.asarray(call["A"])


def _validate_skel(call: Call) -> None:
    shape = np.shape(call["A"])
    if len(shape) != 2:
        raise IndexError(f"argument 'A' has shape {shape}; allowed are matrices")
    used = call["idx"][: call["k"]]
    _in_range(call, np.where(used < 0, used + shape[1], used) if call.numpy else used, shape[1])


@implements(
    "scipy.linalg.interpolative.reconstruct_skel_matrix", static=("k",), dtypes="keep", prepare=_prepare_skel,
    validate=_validate_skel,
    examples=lambda: [Example((np.arange(6.0).reshape(2, 3), 2, np.array([2, 0, 1])), grad=("A",), vmap=("A",),
                              skip_odd=ODD)],
)  # fmt: skip
def reconstruct_skel_matrix(A: Any, k: int, idx: Any) -> Any:
    """The chosen columns of a matrix, ``A[:, idx[:k]]``.

    Parameters
    ----------
    A : array, shape (m, n)
    k : int
    idx : int array, shape (n,)

    Returns
    -------
    array, shape (m, k)
        Differentiable.

    Raises
    ------
    IndexError
        For a column that does not exist (NumPy world).

    References
    ----------
    See `interp_decomp`.

    Examples
    --------
    >>> import numpy as np
    >>> from sci.linalg import interpolative
    >>> interpolative.reconstruct_skel_matrix(np.array([[1.0, 2.0, 3.0]]), 2, np.array([2, 0, 1]))
    array([[3., 1.]])
    """
    return A[:, idx[:k]]


def _validate_svd(call: Call) -> None:
    _validate(call)
    if np.shape(call["B"])[0] < np.shape(call["proj"])[0]:
        raise ValueError(f"argument 'B' has shape {np.shape(call['B'])}; allowed are at least as many rows as columns")


def _same_product(result: Any, original: Any) -> None:
    np.testing.assert_allclose(result[1], original[1], rtol=1e-12)
    for (u, s, v), (u0, s0, v0) in ((result, original),):
        np.testing.assert_allclose((u * s) @ v.conj().T, (u0 * s0) @ v0.conj().T, atol=1e-12)
        assert u.shape == u0.shape and v.shape == v0.shape


@implements(
    "scipy.linalg.interpolative.id_to_svd", dtypes={"idx": "keep"}, prepare=_prepare_skeleton, validate=_validate_svd,
    examples=lambda: [Example(_example(), check=_same_product, vmap=("B",), skip_odd=ODD)],
)  # fmt: skip
def id_to_svd(B: Any, idx: Any, proj: Any) -> Any:
    """The singular value decomposition of an interpolative decomposition.

    Parameters
    ----------
    B : array, shape (m, k)
        The chosen columns.
    idx, proj : array, shapes (n,) and (k, n - k)
        As `interp_decomp` returns them.

    Returns
    -------
    U, S, V : array, shapes (m, k), (k,) and (n, k)
        ``U * S @ V^H``; signs are arbitrary. Differentiable where the singular values are distinct.

    Raises
    ------
    ValueError
        As `reconstruct_interp_matrix`.

    References
    ----------
    H. Cheng, Z. Gimbutas, P. G. Martinsson, V. Rokhlin, "On the compression of low rank matrices", SIAM J. Sci. Comput.
    26 (2005) 1389-1404.

    Examples
    --------
    >>> import numpy as np
    >>> from sci.linalg import interpolative
    >>> u, s, v = interpolative.id_to_svd(np.array([[3.0], [4.0]]), np.array([1, 0]), np.array([[0.0]]))
    >>> s
    array([5.])
    """
    return columns_to_svd(B, _interp_matrix(idx, proj))
