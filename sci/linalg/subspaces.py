"""Subspaces and what the singular value decomposition says of them."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from sci.bridge import Call, Example, implements
from sci.linalg._batch import core_shapes, over_batch, promoted
from sci.linalg._shared import adjoint

__all__ = ["diagsvd", "null_space", "orth", "subspace_angles"]


def _validate_matrix(call: Call, name: str = "A") -> None:
    (core,) = core_shapes(call, **{name: 2})
    if core is None or len(core) != 2:
        raise ValueError(f"expected matrix, argument {name!r} has shape {np.shape(call[name])}")


def _tolerance(s: jax.Array, shape: tuple[int, ...], rcond: Any) -> jax.Array:
    if rcond is None:
        rcond = float(jnp.finfo(s.dtype).eps) * max(shape)
    return s.max(axis=-1, initial=0, keepdims=True) * rcond


def _exact(call: Call, out: Any) -> Any:
    """The columns that count, first in `orth`, last in `null_space`."""
    basis, count = out
    counts = np.unique(count)
    if len(counts) != 1:
        raise ValueError(f"the matrices of the stack have different ranks: {np.asarray(count).tolist()}")
    k = int(counts[0])
    return basis[..., :k] if "lapack_driver" not in call else basis[..., basis.shape[-1] - k :]


def _same_projector(result: Any, original: Any) -> None:
    assert result.shape == original.shape
    ours, theirs = (q @ np.swapaxes(q.conj(), -1, -2) for q in (result, original))
    np.testing.assert_allclose(ours, theirs, atol=1e-10)


@implements(
    "scipy.linalg.orth",
    finite=("A",),
    validate=_validate_matrix,
    finish=_exact,
    finish_jax=lambda call, out: out[0],
    examples=lambda: [Example(([[1.0, 2.0], [3.0, 4.0], [5.0, 6.5]],), check=_same_projector, vmap=("A",))],
)
def orth(A: Any, rcond: Any) -> Any:
    """An orthonormal basis of the range of a matrix.

    Parameters
    ----------
    A : array_like, shape (..., m, n)
        Matrices.
    rcond : float, optional
        Singular values up to ``rcond * max(s)`` count as zero. Default: ``eps * max(m, n)``.

    Returns
    -------
    array, shape (..., m, k)
        k is the effective rank. In the JAX world, where no shape depends on values, k is ``min(m, n)`` and the columns
        beyond the rank are zero (the projector ``Q @ Q^H`` is the same).

    Raises
    ------
    ValueError
        If `A` is not a matrix.

    References
    ----------
    Left singular vectors; their signs are arbitrary.

    Examples
    --------
    >>> from sci import linalg
    >>> abs(linalg.orth([[2.0, 0.0], [0.0, 0.0]]))
    array([[1.],
           [0.]])
    """
    m, n = A.shape[-2:]
    if A.size == 0:
        return jnp.zeros((*A.shape[:-2], m, 0), A.dtype), jnp.zeros(A.shape[:-2], int)
    u, s, _ = lax.linalg.svd(A, full_matrices=False)
    kept = s > _tolerance(s, (m, n), rcond)
    return jnp.where(kept[..., None, :], u, 0), kept.sum(axis=-1)


@implements(
    "scipy.linalg.null_space",
    ignored=("overwrite_a", "lapack_driver"),
    finite=("A",),
    validate=_validate_matrix,
    finish=_exact,
    finish_jax=lambda call, out: out[0],
    examples=lambda: [Example(([[1.0, 2.0, 0.5], [3.0, 4.0, 1.0]],), check=_same_projector)],
)
def null_space(A: Any, rcond: Any) -> Any:
    """An orthonormal basis of the null space of a matrix.

    Parameters
    ----------
    A : array_like, shape (..., m, n)
        Matrices.
    rcond : float, optional
        As for `orth`.

    Returns
    -------
    array, shape (..., n, k)
        k is n less the effective rank. In the JAX world k is n and the columns outside of the null space are zero.

    Raises
    ------
    ValueError
        If `A` is not a matrix.

    References
    ----------
    Right singular vectors; their signs are arbitrary.

    Examples
    --------
    >>> from sci import linalg
    >>> abs(linalg.null_space([[2.0, 0.0], [0.0, 0.0]]))
    array([[0.],
           [1.]])
    """
    m, n = A.shape[-2:]
    if A.size == 0:
        eye = jnp.broadcast_to(jnp.eye(n, dtype=A.dtype), (*A.shape[:-2], n, n))
        return eye, jnp.full(A.shape[:-2], n)
    _, s, vh = lax.linalg.svd(A, full_matrices=True)
    rank = (s > _tolerance(s, (m, n), rcond)).sum(axis=-1)
    outside = np.arange(n) >= rank[..., None]
    return jnp.where(outside[..., None, :], adjoint(vh), 0), n - rank


def _drive_angles(call: Call, run: Any) -> Any:
    angles, full = run()
    if not np.all(full):  # replace each by a basis of its range
        angles, _ = run(A=orth(call["A"]), B=orth(call["B"]))
    return angles


def _validate_angles(call: Call) -> None:
    for name in ("A", "B"):
        core = core_shapes(call, A=2, B=2)[name == "B"]
        if core is None or len(core) != 2:
            raise ValueError(f"expected 2D array, got shape {np.shape(call[name])} for argument {name!r}")
    if np.shape(call["A"])[-2] != np.shape(call["B"])[-2]:
        raise ValueError(
            f"A and B must have the same number of rows, got {np.shape(call['A'])[-2]} and {np.shape(call['B'])[-2]}"
        )


@implements(
    "scipy.linalg.subspace_angles",
    finite=("A", "B"),
    validate=_validate_angles,
    drive=_drive_angles,
    finish_jax=lambda call, out: jnp.where(out[1][..., None], out[0], jnp.nan),
    examples=lambda: [
        Example(([[1.0, 2.0], [3.0, 4.0], [5.0, 6.5]], [[1.0], [0.0], [0.5]]), vmap=("A", "B")),
    ],
)
def subspace_angles(A: Any, B: Any) -> Any:
    """The principal angles between the ranges of two matrices, in falling order.

    Parameters
    ----------
    A, B : array_like, shapes (..., m, j) and (..., m, k)
        Matrices.

    Returns
    -------
    array, shape (..., min(rank(A), rank(B)))
        Radians. In the JAX world both must have full column rank, else NaN.

    Raises
    ------
    ValueError
        For shapes that do not match.

    References
    ----------
    A. V. Knyazev, M. E. Argentati, "Principal angles between subspaces in an A-based scalar product: algorithms and
    perturbation estimates", SIAM J. Sci. Comput. 23 (2002) 2008-2040.

    Examples
    --------
    >>> from sci import linalg
    >>> linalg.subspace_angles([[1.0], [0.0]], [[1.0], [1.0]]).round(6)
    array([0.785398])
    """
    A, B = promoted(A, B)

    def basis(a: jax.Array) -> tuple[jax.Array, jax.Array]:
        u, s, _ = lax.linalg.svd(a, full_matrices=False)
        return u, (s > _tolerance(s, a.shape, None)).all()

    def core(a: jax.Array, b: jax.Array) -> tuple[jax.Array, jax.Array]:
        if a.size == 0 or b.size == 0:
            return jnp.zeros((0,), a.real.dtype), jnp.array(True)
        (qa, full_a), (qb, full_b) = basis(a), basis(b)
        inner = adjoint(qa) @ qb
        cosines = jnp.clip(lax.linalg.svd(inner, compute_uv=False), -1, 1)[::-1]
        rest = qb - qa @ inner if qa.shape[1] >= qb.shape[1] else qa - qb @ adjoint(inner)
        sines = jnp.clip(lax.linalg.svd(rest, compute_uv=False), -1, 1)[: cosines.shape[0]]
        # the sine is exact for small angles, the cosine for large ones
        return jnp.where(cosines**2 >= 0.5, jnp.arcsin(sines), jnp.arccos(cosines)), full_a & full_b

    return over_batch(core, (A, B), (2, 2))


def _prepare_diagsvd(call: Call) -> None:
    call["M"], call["N"] = int(call["M"]), int(call["N"])


def _validate_diagsvd(call: Call) -> None:
    (core,) = core_shapes(call, s=1)
    if not core or core[0] not in (call["M"], call["N"]):
        raise ValueError(f"Length of s must be M or N; s has shape {np.shape(call['s'])}, M={call['M']}, N={call['N']}")
    if core[0] > min(call["M"], call["N"]):
        raise ValueError(f"negative dimensions: s has {core[0]} entries, the matrix is {call['M']} x {call['N']}")


@implements(
    "scipy.linalg.diagsvd",
    static=("M", "N"),
    dtypes="keep",
    prepare=_prepare_diagsvd,
    validate=_validate_diagsvd,
    examples=lambda: [Example(([3.0, 2.0], 2, 3), grad=("s",), vmap=("s",), skip_odd=("object",))],
)
def diagsvd(s: Any, M: int, N: int) -> Any:
    """The matrix of singular values of a decomposition.

    Parameters
    ----------
    s : array_like, shape (..., M) or (..., N)
        Singular values.
    M, N : int
        Shape of the decomposed matrix.

    Returns
    -------
    array, shape (..., M, N)
        Differentiable.

    Raises
    ------
    ValueError
        If `s` has neither M nor N entries.

    References
    ----------
    See `svd`.

    Examples
    --------
    >>> from sci import linalg
    >>> linalg.diagsvd([3.0, 2.0], 2, 3)
    array([[3., 0., 0.],
           [0., 2., 0.]])
    """
    k = s.shape[-1]
    return jnp.zeros((*s.shape[:-1], M, N), s.dtype).at[..., np.arange(k), np.arange(k)].set(s)
