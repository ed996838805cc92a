"""Singular values."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from sci.bridge import Call, Example, implements
from sci.linalg._shared import adjoint, raise_if_nan
from solvers.eigen.jacobi import stacks, svd_stacked

__all__ = ["svd", "svdvals"]


def _prepare(call: Call) -> None:
    driver = call["lapack_driver"]
    if not isinstance(driver, str):
        raise TypeError(f"lapack_driver must be a string, got {driver!r}")
    if driver not in ("gesdd", "gesvd"):
        raise ValueError(f'lapack_driver must be "gesdd" or "gesvd", not "{driver}"')
    call["full_matrices"], call["compute_uv"] = bool(call["full_matrices"]), bool(call["compute_uv"])


def _validate(call: Call) -> None:
    shape = np.shape(call["a"])
    if len(shape) < 2:
        raise ValueError(f"expected matrix, argument 'a' has shape {shape}")
    m, n = shape[-2:]
    largest = max(m, n) ** 2 if call.get("full_matrices") else max(m, n) * min(m, n)
    if call.get("compute_uv") and largest > np.iinfo(np.int32).max:
        raise ValueError(
            f"Indexing a matrix of {largest} elements would incur integer overflow in LAPACK: 'a' has {shape}"
        )


def _finish(call: Call, out: Any) -> Any:
    if not call.get("check_finite", True) and np.isnan(call["a"]).any():
        raise ValueError("A has a NaN entry: argument 'a'")  # what LAPACK's gesdd reports
    return raise_if_nan("SVD did not converge")(call, out)


@jax.custom_jvp
def _thin(a: jax.Array) -> tuple[jax.Array, jax.Array, jax.Array]:
    """``U, s, Vh`` with as many vectors as values."""
    return svd_stacked(a, False)


@_thin.defjvp
def _thin_jvp(primals: tuple[jax.Array], tangents: tuple[jax.Array]) -> Any:
    # J. Townsend, "Differentiating the singular value decomposition" (2016). Inside the space of an equal value the
    # vectors are arbitrary and only what is smooth there makes sense: the projectors, for which the term drops out.
    (a,), (da,) = primals, tangents
    u, s, vh = _thin(a)
    v, size = adjoint(vh), s[..., None, :].astype(a.dtype)
    rotated = adjoint(u) @ da @ v
    row, column = s[..., :, None], s[..., None, :]
    gap = (column - row) * (column + row)
    top = s[..., :1, None]
    same = jnp.abs(column - row) <= 8 * jnp.finfo(s.dtype).eps * s.shape[-1] * top
    weights = jnp.where(same, 0.0, 1 / jnp.where(same, 1.0, gap)).astype(a.dtype)
    safe = jnp.where(size == 0, 1, size)
    phase = jnp.where(jnp.eye(s.shape[-1], dtype=bool), (rotated - adjoint(rotated)) / (2 * safe), 0)
    right, left = rotated * size, jnp.swapaxes(size, -1, -2) * rotated
    du = u @ (weights * (right + adjoint(right)) + phase)
    dv = v @ (weights * (left + adjoint(left)))
    m, n = a.shape[-2:]
    if m > n:
        image = da @ v
        du = du + (image - u @ (adjoint(u) @ image)) / size
    if n > m:
        image = adjoint(da) @ u
        dv = dv + (image - v @ (vh @ image)) / size
    ds = jnp.diagonal(rotated, axis1=-2, axis2=-1).real
    return (u, s, vh), (du, ds, adjoint(dv))


def _values(a: jax.Array) -> jax.Array:
    return _thin(a)[1] if stacks(a) else lax.linalg.svd(a, compute_uv=False)


def _complete(basis: jax.Array, full: jax.Array) -> jax.Array:
    """Append the columns of `full` that `basis` lacks; their derivative has no inner rotation."""
    rest = full[..., basis.shape[-1] :]
    return jnp.concatenate([basis, rest - basis @ (adjoint(basis) @ rest)], axis=-1)


def _check_svd(result: Any, original: Any) -> None:
    """Singular vectors are unique up to a phase: compare what they rebuild."""
    u, s, vh = result
    k = s.shape[-1]
    np.testing.assert_allclose(s, original[1], rtol=1e-10, atol=1e-12)
    rebuilt, expected = ((x[0][..., :k] * x[1]) @ x[2][..., :k, :] for x in (result, original))
    np.testing.assert_allclose(rebuilt, expected, rtol=1e-10, atol=1e-12)
    assert u.shape == original[0].shape and vh.shape == original[2].shape


@implements(
    "scipy.linalg.svd",
    static=("full_matrices", "compute_uv"),
    ignored=("overwrite_a", "lapack_driver"),
    finite=("a",),
    prepare=_prepare,
    validate=_validate,
    finish=_finish,
    examples=lambda: [
        Example(([[1.0, 2.0], [3.0, 4.0], [5.0, 6.5]],), check=_check_svd, grad=("a",), vmap=("a",)),
        Example(([[1.0, 2.0, 0.5], [3.0, 4.0, 1.0]],), {"full_matrices": False}, check=_check_svd, grad=("a",)),
        Example(([[1.0, 2.0], [3.0, 4.0]],), {"compute_uv": False}, grad=("a",), vmap=("a",)),
    ],
)
def svd(a: Any, full_matrices: bool, compute_uv: bool) -> Any:
    """Singular value decomposition ``a = U @ diag(s) @ Vh``.

    Parameters
    ----------
    a : array_like, shape (..., m, n)
        Matrices.
    full_matrices : bool
        Return square U and Vh.
    compute_uv : bool
        Return the vectors, not the values alone.
    lapack_driver : {'gesdd', 'gesvd'}
        Validated; the divide-and-conquer driver is used on the CPU.

    Returns
    -------
    tuple of arrays or array
        U (..., m, m or k), s (..., k) in falling order, Vh (..., n or k, n); or s. Differentiable
        where the singular values are distinct, s also at zero vectors of the gauge.

    Raises
    ------
    LinAlgError
        If the iteration does not converge (NumPy world).
    ValueError
        If `a` has less than two dimensions.

    References
    ----------
    LAPACK's gesdd; for stacks of matrices with sides of at most 8 one-sided Jacobi rotations (G. H. Golub,
    C. F. Van Loan, "Matrix Computations", 4th ed., section 8.6.3). The phases of the singular vectors are arbitrary.

    Examples
    --------
    >>> from sci import linalg
    >>> linalg.svd([[3.0, 0.0], [0.0, -4.0]], compute_uv=False)
    array([4., 3.])
    """
    m, n = a.shape[-2:]
    if a.size == 0:
        k = 0
        s = jnp.zeros((*a.shape[:-2], k), a.real.dtype)
        eyes = [jnp.eye(d, d if full_matrices else k, dtype=a.dtype) for d in (m, n)]
        u, v = (jnp.broadcast_to(e, (*a.shape[:-2], *e.shape)) for e in eyes)
        return (u, s, adjoint(v)) if compute_uv else s
    if not compute_uv:
        return _values(a)
    u, s, vh = _thin(a)
    if full_matrices and m != n:
        full_u, _, full_vh = svd_stacked(lax.stop_gradient(a), True)
        if m > n:
            u = _complete(u, full_u)
        else:
            vh = adjoint(_complete(adjoint(vh), adjoint(full_vh)))
    return u, s, vh


@implements(
    "scipy.linalg.svdvals",
    ignored=("overwrite_a",),
    finite=("a",),
    validate=_validate,
    finish=raise_if_nan("SVD did not converge"),
    examples=lambda: [Example(([[1.0, 2.0], [3.0, 4.0], [5.0, 6.5]],), grad=("a",), vmap=("a",))],
)
def svdvals(a: Any) -> Any:
    """The singular values of a matrix, in falling order.

    Parameters
    ----------
    a : array_like, shape (..., m, n)
        Matrices.

    Returns
    -------
    array, shape (..., min(m, n))
        Real. Differentiable where they are distinct.

    Examples
    --------
    >>> from sci import linalg
    >>> linalg.svdvals([[3.0, 0.0], [0.0, -4.0]])
    array([4., 3.])
    """
    if a.size == 0:
        return jnp.zeros((*a.shape[:-2], 0), a.real.dtype)
    return _values(a)
