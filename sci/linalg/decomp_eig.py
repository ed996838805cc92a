"""Eigenvalues and eigenvectors of general matrices."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from scipy.linalg import LinAlgError

from sci.bridge import Call, Example, HostRoute, Reason, implements
from sci.linalg._batch import core_shapes, over_batch, promoted, square_core
from sci.linalg._shared import adjoint

__all__ = ["eig", "eigvals"]

#: Up to this condition of `b` the pencil is reduced by its inverse; eigenvalues lose as many digits at most.
_MOST_CONDITION = 1e5


def _complex(a: jax.Array) -> jax.Array:
    return a.astype(jnp.result_type(a, jnp.complex64))


@jax.custom_jvp
def _eigenvalues(a: jax.Array) -> jax.Array:
    (w,) = lax.linalg.eig(a, compute_left_eigenvectors=False, compute_right_eigenvectors=False)
    return w


@_eigenvalues.defjvp
def _eigenvalues_jvp(primals: Any, tangents: Any) -> Any:
    w, vr = _right(primals[0])
    return w, jnp.diagonal(jnp.linalg.solve(vr, _complex(tangents[0]) @ vr), axis1=-2, axis2=-1)


@jax.custom_jvp
def _right(a: jax.Array) -> tuple[jax.Array, jax.Array]:
    """Eigenvalues and right vectors, of norm 1 and largest component real, as LAPACK scales them."""
    w, vr = lax.linalg.eig(a, compute_left_eigenvectors=False, compute_right_eigenvectors=True)
    return w, vr


def _vectors_tangent(w: jax.Array, v: jax.Array, rotated: jax.Array) -> jax.Array:
    """dV = V C, C_ij = (V^-1 da V)_ij / (w_j - w_i), with the diagonal that keeps LAPACK's scaling.

    Inside a degenerate eigenspace the vectors are arbitrary, and the term drops out.
    """
    gap = w[..., None, :] - w[..., :, None]
    same = jnp.abs(gap) <= 8 * jnp.finfo(w.dtype).eps * w.shape[-1] * jnp.abs(w).max(axis=-1)[..., None, None]
    dv = v @ jnp.where(same, 0, rotated / jnp.where(same, 1, gap))
    # norm 1: Re(v^H dv) = 0; the largest component stays real
    dv = dv - v * (v.conj() * dv).sum(axis=-2, keepdims=True).real
    top = jnp.argmax(jnp.abs(v), axis=-2, keepdims=True)
    lead, slope = (jnp.take_along_axis(x, top, axis=-2) for x in (v, dv))
    return dv - 1j * v * (slope.imag / lead.real)


@_right.defjvp
def _right_jvp(primals: Any, tangents: Any) -> Any:
    w, v = _right(primals[0])
    rotated = jnp.linalg.solve(v, _complex(tangents[0]) @ v)
    return (w, v), (jnp.diagonal(rotated, axis1=-2, axis2=-1), _vectors_tangent(w, v, rotated))


@jax.custom_jvp
def _both(a: jax.Array) -> tuple[jax.Array, jax.Array, jax.Array]:
    """Eigenvalues, left and right vectors."""
    w, vl, vr = lax.linalg.eig(a, compute_left_eigenvectors=True, compute_right_eigenvectors=True)
    return w, vl, vr


@_both.defjvp
def _both_jvp(primals: Any, tangents: Any) -> Any:
    w, vl, vr = _both(primals[0])
    da = _complex(tangents[0])
    rotated = jnp.linalg.solve(vr, da @ vr)
    # the left vectors are right vectors of a^H, for the conjugate eigenvalues
    turned = jnp.linalg.solve(vl, adjoint(da) @ vl)
    dw = jnp.diagonal(rotated, axis1=-2, axis2=-1)
    return (w, vl, vr), (dw, _vectors_tangent(w.conj(), vl, turned), _vectors_tangent(w, vr, rotated))


def _prepare(call: Call) -> None:
    for name in ("left", "right"):
        call[name] = bool(call.get(name, False))
    call["homogeneous_eigvals"] = bool(call["homogeneous_eigvals"])
    if call["b"] is not None and call.numpy and not _well_conditioned(np.asarray(call["b"])):
        raise HostRoute(Reason.OPTION, "a generalised problem whose b is singular or ill-conditioned")


def _well_conditioned(b: np.ndarray) -> bool:
    """Whether the inverse of `b` may be used; what is no stack of square matrices is left to the validation."""
    if b.dtype.kind not in "biufc" or b.ndim < 2 or b.shape[-1] != b.shape[-2] or b.size == 0:
        return True
    if not np.isfinite(b).all():
        return True
    size = np.linalg.svd(b, compute_uv=False)
    return bool((size[..., -1] > size[..., 0] / _MOST_CONDITION).all())


def _validate(call: Call) -> None:
    square_core(call, "a")
    if call["b"] is not None:
        square_core(call, "b")
        a, b = core_shapes(call, a=2, b=2)
        if a != b:
            raise ValueError(f"a and b must have the same shape, got {a} and {b}")


def _finish(call: Call, out: Any) -> Any:
    w = out[0] if isinstance(out, tuple) else out
    if np.isnan(w).any() and np.isfinite(call["a"]).all():
        raise LinAlgError("eig algorithm (geev) did not converge")
    if not isinstance(out, tuple) or np.iscomplexobj(call["a"]):
        return out
    values = w[..., :1, :] if call["homogeneous_eigvals"] else w
    if not values.imag.any():  # SciPy's vectors are real where the whole spectrum is
        return (w, *(np.ascontiguousarray(v.real) for v in out[1:]))
    return out


def _body(a: Any, b: Any, left: bool, right: bool, homogeneous: bool) -> Any:
    if b is not None:
        a, b = promoted(a, b)

    def core(a: jax.Array, b: jax.Array | None) -> Any:
        n = a.shape[-1]
        vectors: tuple[jax.Array, ...]
        if n == 0:
            w = jnp.zeros((0,), jnp.result_type(a, jnp.complex64))
            vectors = (jnp.zeros((0, 0), a.dtype),) * (left + right)
        else:
            a = a if b is None else jnp.linalg.solve(b, a)
            if left:
                w, vl, vr = _both(a)
                if b is not None:  # y of y^H b^-1 a = w y^H is b^H times the left vector
                    vl = jnp.linalg.solve(adjoint(_complex(b)), vl)
                    vl = vl / jnp.linalg.norm(vl, axis=0)
                vectors = (vl, vr)[: 1 + right]
            elif right:
                w, vr = _right(a)
                vectors = (vr,)
            else:
                w, vectors = _eigenvalues(a), ()
        w = jnp.stack([w, jnp.ones_like(w)]) if homogeneous else w
        return (w, *vectors) if vectors else w

    return over_batch(core, (a, b), (2, 2))


def _check(result: Any, original: Any) -> None:
    for ours, theirs in zip(result, original, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-10, atol=1e-12)
        assert ours.dtype == theirs.dtype


def _check_projectors(result: Any, original: Any) -> None:
    """Vectors of a pencil are unique up to a phase."""
    np.testing.assert_allclose(np.sort_complex(result[0]), np.sort_complex(original[0]), rtol=1e-10, atol=1e-12)
    nearest = np.abs(result[0][:, None] - original[0]).argmin(axis=1)
    for ours, theirs in zip(result[1:], original[1:], strict=True):
        for x, y in zip(ours.T, theirs.T[nearest], strict=True):
            np.testing.assert_allclose(np.outer(x, x.conj()), np.outer(y, y.conj()), atol=1e-10)


_SECOND = [[2.0, 0.3, 0.0], [0.0, 1.0, 0.1], [0.2, 0.0, 1.5]]
_EXAMPLE = [[1.0, 2.0, 0.0], [-3.0, 1.0, 1.0], [0.5, 0.0, 4.0]]
_NOTE = "the generalised problem where b is singular or ill-conditioned (NumPy world)."


@implements(
    "scipy.linalg.eig",
    static=("left", "right", "homogeneous_eigvals"),
    ignored=("overwrite_a", "overwrite_b"),
    finite=("a", "b"),
    prepare=_prepare,
    validate=_validate,
    finish=_finish,
    note=_NOTE,
    examples=lambda: [
        Example((_EXAMPLE,), check=_check, grad=("a",), vmap=("a",), float32=False),
        Example((_EXAMPLE,), {"left": True}, check=_check, grad=("a",)),
        Example((_EXAMPLE, _SECOND), {"left": True}, check=_check_projectors, output=lambda r: r[0], grad=("a", "b")),
    ],
)
def eig(a: Any, b: Any, left: bool, right: bool, homogeneous_eigvals: bool) -> Any:
    """Eigenvalues and eigenvectors of a general matrix.

    Parameters
    ----------
    a : array_like, shape (..., n, n)
        Matrices.
    b : array_like, shape (..., n, n), optional
        Second matrix of the generalised problem ``a @ v = w * b @ v``. It is inverted, up to a condition of 1e5
        (otherwise SciPy's QZ algorithm does it); in the JAX world it must be regular.
    left, right : bool
        Which vectors are returned.
    homogeneous_eigvals : bool
        Return eigenvalues as pairs (of the generalised problem, with the second number 1).

    Returns
    -------
    w : complex array, shape (..., n) or (..., 2, n)
        In LAPACK's order.
    vl, vr : array, shape (..., n, n)
        Vectors in columns, of norm 1, largest component real (SciPy's of the generalised problem have another
        phase where they are complex). Real in the NumPy world if all eigenvalues are, always
        complex in the JAX world. Differentiable at distinct eigenvalues; at repeated ones finite.

    Raises
    ------
    LinAlgError
        If the iteration does not converge (NumPy world).
    ValueError
        For shapes that do not match.

    References
    ----------
    LAPACK's geev. Derivatives: M. B. Giles, "Collected matrix derivative results for forward and reverse mode
    algorithmic differentiation", 2008, section 3.1.

    Examples
    --------
    >>> from sci import linalg
    >>> w, v = linalg.eig([[0.0, 1.0], [-1.0, 0.0]])
    >>> w.round(12)
    array([0.+1.j, 0.-1.j])
    """
    return _body(a, b, left, right, homogeneous_eigvals)


@implements(
    "scipy.linalg.eigvals",
    static=("homogeneous_eigvals",),
    ignored=("overwrite_a",),
    finite=("a", "b"),
    prepare=_prepare,
    validate=_validate,
    finish=_finish,
    note=_NOTE,
    examples=lambda: [Example((_EXAMPLE,), grad=("a",), vmap=("a",), float32=False)],
)
def eigvals(a: Any, b: Any, homogeneous_eigvals: bool) -> Any:
    """Eigenvalues of a general matrix; see `eig`.

    Examples
    --------
    >>> from sci import linalg
    >>> linalg.eigvals([[2.0, 1.0], [0.0, 3.0]])
    array([2.+0.j, 3.+0.j])
    """
    return _body(a, b, False, False, homogeneous_eigvals)
