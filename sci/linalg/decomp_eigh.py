"""Hermitian eigenproblems, standard and generalised."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from scipy.linalg import LinAlgError

from sci.bridge import Call, Example, HostRoute, Reason, implements
from sci.linalg._shared import adjoint, from_triangle, need_square
from solvers.eigen.jacobi import eigh_stacked

__all__ = ["eigh", "eigvalsh"]

_DRIVERS = (None, "ev", "evd", "evr", "evx", "gv", "gvd", "gvx")


@jax.custom_jvp
def _eigh(a: jax.Array) -> tuple[jax.Array, jax.Array]:
    """Eigenvalues, rising, and vectors of a Hermitian matrix that is stored in full."""
    return eigh_stacked(a)


@_eigh.defjvp
def _eigh_jvp(primals: tuple[jax.Array], tangents: tuple[jax.Array]) -> Any:
    # dv_j = sum_i v_i (v_i^H da v_j) / (w_j - w_i). Inside a degenerate eigenspace the vectors are
    # arbitrary and only what is smooth there makes sense: the projector, for which the term drops out.
    (a,), (da,) = primals, tangents
    w, v = _eigh(a)
    rotated = adjoint(v) @ (da + adjoint(da)) / 2 @ v
    gap = w[..., None, :] - w[..., :, None]
    scale = jnp.abs(w).max(axis=-1, keepdims=True)[..., None]
    same = jnp.abs(gap) <= 8 * jnp.finfo(w.dtype).eps * w.shape[-1] * scale
    weights = jnp.where(same, 0.0, 1 / jnp.where(same, 1.0, gap))
    dw = jnp.diagonal(rotated, axis1=-2, axis2=-1).real
    return (w, v), (dw, v @ (weights.astype(v.dtype) * rotated))


def _prepare(call: Call) -> None:
    driver = call["driver"]
    index, value, b = call["subset_by_index"], call["subset_by_value"], call["b"]
    if driver not in _DRIVERS:
        raise ValueError(f'"{driver}" is unknown. Possible values are "None", "{", ".join(map(str, _DRIVERS[1:]))}".')
    if index is not None and value is not None:
        raise ValueError("Either index or value subset can be requested.")
    if b is None and driver in ("gv", "gvd", "gvx"):
        raise ValueError(f"{driver} requires input b array to be supplied for generalized eigenvalue problems.")
    if b is not None and driver in ("ev", "evd", "evr", "evx"):
        raise ValueError(f'"{driver}" does not accept input b array for standard eigenvalue problems.')
    if (index is not None or value is not None) and driver in ("ev", "evd", "gv", "gvd"):
        raise ValueError(f'"{driver}" cannot compute subsets of eigenvalues')
    if b is not None and call["type"] not in (1, 2, 3):
        raise ValueError(f'"type" keyword only accepts 1, 2, and 3, got {call["type"]!r}.')
    if value is not None:
        low, high = value
        if not (-np.inf <= low < high <= np.inf):
            raise ValueError(
                f"Requested eigenvalue bounds are not valid. Valid range is (-inf, inf) and low < high, but "
                f"low={low}, high={high} is given"
            )
        if not call.numpy:
            raise HostRoute(Reason.OPTION, "the size of a subset_by_value result depends on values")
    call["lower"] = bool(call["lower"])
    call.setdefault("eigvals_only", True)


def _validate(call: Call) -> None:
    need_square(call)
    a, b, index = call["a"], call["b"], call["subset_by_index"]
    if b is not None:
        if np.ndim(b) < 2 or b.shape[-1] != b.shape[-2]:
            raise ValueError(f'expected square "b" matrix, got shape {np.shape(b)}')
        if b.shape[-2:] != a.shape[-2:]:
            raise ValueError(f"wrong b dimensions {b.shape}, should be {a.shape}")
    if index is not None:
        low, high = (int(x) for x in index)
        n = a.shape[-1]
        if not 0 <= low <= high < n:
            raise ValueError(
                f"Requested eigenvalue indices are not valid. Valid range is [0, {n - 1}] and start <= end, but "
                f"start={low}, end={high} is given"
            )


def _finish(call: Call, out: Any) -> Any:
    values = out if call["eigvals_only"] else out[0]
    if np.isnan(values).any():
        if call["b"] is not None:
            raise LinAlgError(
                "The leading minor of B is not positive definite. The factorization of B could not be "
                "completed and no eigenvalues or eigenvectors were computed."
            )
        raise LinAlgError("The eigenvalue iteration did not converge.")
    if call["subset_by_value"] is not None:
        low, high = call["subset_by_value"]
        keep = (values > low) & (values <= high)
        counts = keep.sum(axis=-1)
        if np.ptp(counts):
            raise ValueError(
                f"subset_by_value selects different numbers of eigenvalues in the stack: {counts.tolist()}"
            )
        chosen = values[keep].reshape(*values.shape[:-1], -1)
        if call["eigvals_only"]:
            return chosen
        v = np.swapaxes(out[1], -1, -2)[keep].reshape(*chosen.shape, values.shape[-1])
        return chosen, np.swapaxes(v, -1, -2)
    return out


def _solve(a: Any, b: Any, lower: bool, type: int, subset_by_index: Any) -> tuple[jax.Array, jax.Array]:
    """All pairs, or those of an index range, of problem `type` reduced by the Cholesky factor of b."""
    if b is None:
        w, v = _eigh(from_triangle(a, lower))
    else:
        dtype = jnp.result_type(a, b)
        batch = np.broadcast_shapes(a.shape[:-2], b.shape[:-2])
        a, b = (jnp.broadcast_to(x.astype(dtype), (*batch, *x.shape[-2:])) for x in (a, b))
        a = from_triangle(a, lower)
        factor = lax.linalg.cholesky(from_triangle(b, lower), symmetrize_input=False)
        triangular = {"left_side": True, "lower": True}
        if type == 1:  # L^-1 a L^-H
            half = lax.linalg.triangular_solve(factor, a, **triangular)
            c = lax.linalg.triangular_solve(factor, adjoint(half), **triangular)
        else:
            c = adjoint(factor) @ a @ factor
        w, y = _eigh((c + adjoint(c)) / 2)
        if type == 3:
            v = factor @ y
        else:
            v = lax.linalg.triangular_solve(factor, y, transpose_a=True, conjugate_a=True, **triangular)
    if subset_by_index is not None:
        part = slice(int(subset_by_index[0]), int(subset_by_index[1]) + 1)
        w, v = w[..., part], v[..., part]
    return w, v


def _check_vectors(result: Any, original: Any) -> None:
    """Vectors are unique up to a phase: compare the projectors."""
    np.testing.assert_allclose(result[0], original[0], rtol=1e-10, atol=1e-12)
    for ours, theirs in zip(np.moveaxis(result[1], -1, 0), np.moveaxis(original[1], -1, 0), strict=True):
        np.testing.assert_allclose(
            ours[..., None] * ours[..., None, :].conj(),
            theirs[..., None] * theirs[..., None, :].conj(),
            atol=1e-10,
        )


_EXAMPLE = [[6.0, 3.0, 1.0], [3.0, 2.0, 0.5], [1.0, 0.5, 5.0]]
_METRIC = [[2.0, 0.3, 0.0], [0.3, 1.0, 0.1], [0.0, 0.1, 3.0]]


@implements(
    "scipy.linalg.eigh",
    static=("lower", "eigvals_only", "type", "subset_by_index"),
    ignored=("overwrite_a", "overwrite_b", "driver"),
    finite=("a", "b"),
    prepare=_prepare,
    validate=_validate,
    finish=_finish,
    note="subset_by_value inside jit (its size depends on values).",
    examples=lambda: [
        Example((_EXAMPLE,), check=_check_vectors, grad=("a",), vmap=("a",)),
        Example((_EXAMPLE, _METRIC), check=_check_vectors, grad=("a", "b"), vmap=("a", "b")),
        Example((_EXAMPLE,), {"eigvals_only": True, "subset_by_index": [0, 1]}, grad=("a",), vmap=("a",)),
        Example((_EXAMPLE,), {"eigvals_only": True, "subset_by_value": [0.0, 4.5]}, jit=False),
    ],
)
def eigh(a: Any, b: Any, lower: bool, eigvals_only: bool, type: int, subset_by_index: Any) -> Any:
    """Eigenvalues and eigenvectors of a Hermitian matrix, or of a pair with positive definite `b`.

    Parameters
    ----------
    a, b : array_like, shape (..., n, n)
        Hermitian matrices; only the triangle named by `lower` is read.
    lower, eigvals_only, type, subset_by_index, subset_by_value, driver
        As in SciPy. All eigenvalues are computed, subsets are cut from them.

    Returns
    -------
    w : array, shape (..., k)
        Rising eigenvalues.
    v : array, shape (..., n, k)
        Vectors in columns, unless `eigvals_only`. Differentiable; at degenerate eigenvalues the
        derivative is finite, and right for the sum of the values and for the projector of the eigenspace.

    Raises
    ------
    LinAlgError
        If `b` is not positive definite (NumPy world; NaN in the JAX world).
    ValueError
        For shapes that do not match or invalid subsets.

    References
    ----------
    LAPACK's syevd; for stacks of order at most 8 Jacobi rotations (of order 4, if complex). G. H. Golub, C. F. Van
    Loan, "Matrix Computations", 4th ed., sections 8.5 and 8.7.

    Examples
    --------
    >>> from sci import linalg
    >>> linalg.eigh([[2.0, 1.0], [1.0, 2.0]], eigvals_only=True)
    array([1., 3.])
    """
    if a.size == 0:
        n = a.shape[-1]
        w, v = jnp.zeros((*a.shape[:-2], n), a.real.dtype), jnp.zeros((*a.shape[:-2], n, n), a.dtype)
    else:
        w, v = _solve(a, b, lower, type, subset_by_index)
    return w if eigvals_only else (w, v)


@implements(
    "scipy.linalg.eigvalsh",
    static=("lower", "type", "subset_by_index"),
    ignored=("overwrite_a", "overwrite_b", "driver"),
    finite=("a", "b"),
    prepare=_prepare,
    validate=_validate,
    finish=_finish,
    note="subset_by_value inside jit (its size depends on values).",
    examples=lambda: [Example((_EXAMPLE, _METRIC), grad=("a", "b"), vmap=("a",))],
)
def eigvalsh(a: Any, b: Any, lower: bool, type: int, subset_by_index: Any) -> Any:
    """Eigenvalues of a Hermitian matrix or pair; see `eigh`.

    Examples
    --------
    >>> from sci import linalg
    >>> linalg.eigvalsh([[2.0, 1.0], [1.0, 2.0]])
    array([1., 3.])
    """
    if a.size == 0:
        return jnp.zeros(a.shape[:-1], a.real.dtype)
    return _solve(a, b, lower, type, subset_by_index)[0]
