"""The polar decomposition, and the Procrustes problem that it solves."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from sci.bridge import Call, Example, implements
from sci.linalg._batch import core_shapes, promoted
from sci.linalg._shared import adjoint

__all__ = ["orthogonal_procrustes", "polar", "unitary_factor"]


@jax.custom_jvp
def unitary_factor(a: jax.Array) -> tuple[jax.Array, jax.Array, jax.Array]:
    """The nearest matrix with orthonormal columns (or rows), the singular values and right vectors."""
    w, s, vh = lax.linalg.svd(a, full_matrices=False)
    return w @ vh, s, vh


def _factor_tangent(a: jax.Array, da: jax.Array) -> jax.Array:
    """Derivative of the unitary factor of a matrix with at least as many rows as columns.

    With a = W S V^H: W^H du V = (M - M^H) / (s_i + s_j), M = W^H da V, and outside of the range (1 - W W^H) da V / s.
    The weights are smooth at repeated singular values.
    """
    w, s, vh = lax.linalg.svd(a, full_matrices=False)
    v = adjoint(vh)
    m = adjoint(w) @ da @ v
    inner = (m - adjoint(m)) / (s[..., :, None] + s[..., None, :])
    outer = (da @ v - w @ m) / s[..., None, :]
    return (w @ inner + outer) @ vh


@unitary_factor.defjvp
def _unitary_factor_jvp(primals: Any, tangents: Any) -> Any:
    (a,), (da,) = primals, tangents
    u, s, vh = unitary_factor(a)
    du = _factor_tangent(a, da) if a.shape[-2] >= a.shape[-1] else adjoint(_factor_tangent(adjoint(a), adjoint(da)))
    # s and vh only help to form values: their own derivatives are never used
    return (u, s, vh), (du, jnp.zeros_like(s), jnp.zeros_like(vh))


def _prepare_polar(call: Call) -> None:
    if call["side"] not in ("right", "left"):
        raise ValueError(f"`side` must be either 'right' or 'left', got {call['side']!r}")


def _validate_polar(call: Call) -> None:
    (core,) = core_shapes(call, a=2)
    if core is None or len(core) != 2:
        raise ValueError(f"`a` must be a 2-D array, it has shape {np.shape(call['a'])}")


@implements(
    "scipy.linalg.polar",
    static=("side",),
    finite=("a",),
    prepare=_prepare_polar,
    validate=_validate_polar,
    examples=lambda: [
        Example(([[1.0, 2.0], [3.0, 4.0], [5.0, 6.5]],), grad=("a",), vmap=("a",)),
        Example(([[1.0, 2.0, 0.5], [3.0, 4.0, 1.0]],), {"side": "left"}, grad=("a",)),
    ],
)
def polar(a: Any, side: str) -> Any:
    """Polar decomposition ``a = u @ p`` (right) or ``a = p @ u`` (left).

    Parameters
    ----------
    a : array_like, shape (..., m, n)
        Matrices.
    side : {'right', 'left'}
        On which side the positive factor stands.

    Returns
    -------
    u : array, shape (..., m, n)
        Orthonormal columns (m >= n) or rows.
    p : array, shape (..., n, n) or (..., m, m)
        Hermitian, positive semi-definite. Both are differentiable at full rank, at repeated singular values too.

    Raises
    ------
    ValueError
        If `a` is not a matrix, or for an unknown side.

    References
    ----------
    N. J. Higham, "Functions of Matrices", SIAM 2008, chapter 8.

    Examples
    --------
    >>> from sci import linalg
    >>> u, p = linalg.polar([[0.0, -2.0], [3.0, 0.0]])
    >>> p.round(12)
    array([[3., 0.],
           [0., 2.]])
    """
    if a.size == 0:
        n = a.shape[-1] if side == "right" else a.shape[-2]
        return jnp.zeros_like(a), jnp.zeros((*a.shape[:-2], n, n), a.dtype)
    u, _, _ = unitary_factor(a)
    p = adjoint(u) @ a if side == "right" else a @ adjoint(u)
    return u, (p + adjoint(p)) / 2


def _validate_procrustes(call: Call) -> None:
    a, b = core_shapes(call, A=2, B=2)
    if a is None or len(a) != 2:
        raise ValueError(f"expected ndim to be 2, but observed {np.ndim(call['A'])}")
    if a != b:
        raise ValueError(f"the shapes of A and B differ ({np.shape(call['A'])} vs {np.shape(call['B'])})")


@implements(
    "scipy.linalg.orthogonal_procrustes",
    finite=("A", "B"),
    validate=_validate_procrustes,
    examples=lambda: [
        Example(
            ([[1.0, 2.0], [3.0, 4.0], [5.0, 6.5]], [[1.0, 0.0], [0.0, 2.0], [0.5, 1.0]]), grad=("A", "B"), vmap=("A",)
        ),
    ],
)
def orthogonal_procrustes(A: Any, B: Any) -> Any:
    """The orthogonal matrix R that maps A closest to B: minimises ``norm(A @ R - B)``.

    Parameters
    ----------
    A, B : array_like, shape (..., m, n)
        Matrices.

    Returns
    -------
    R : array, shape (..., n, n)
        Unitary.
    scale : float
        Sum of the singular values of ``A^H @ B``. Both are differentiable where that matrix is regular.

    Raises
    ------
    ValueError
        For shapes that differ.

    References
    ----------
    P. H. Schonemann, "A generalized solution of the orthogonal Procrustes problem", Psychometrika 31 (1966) 1-10.

    Examples
    --------
    >>> from sci import linalg
    >>> r, scale = linalg.orthogonal_procrustes([[1.0, 0.0], [0.0, 1.0]], [[0.0, 1.0], [1.0, 0.0]])
    >>> r.round(12)
    array([[0., 1.],
           [1., 0.]])
    """
    A, B = promoted(A, B)
    inner = adjoint(A) @ B
    if inner.size == 0:
        return inner, jnp.zeros(inner.shape[:-2], inner.real.dtype)
    r, _, _ = unitary_factor(inner)
    return r, (r.conj() * inner).real.sum(axis=(-2, -1))
