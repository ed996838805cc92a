"""Least squares and pseudo-inverses."""

from __future__ import annotations

import functools
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import scipy.linalg
from jax import lax
from scipy.linalg import LinAlgError

from sci.bridge import Call, Example, implements
from sci.linalg._batch import core_shapes, over_batch, promoted
from sci.linalg._shared import adjoint, from_triangle, lapack_dtypes, need_square

__all__ = ["lstsq", "pinv", "pinvh"]


def _inverted(s: jax.Array, cutoff: jax.Array) -> jax.Array:
    """1/s where the singular value counts, else zero."""
    kept = jnp.abs(s) > cutoff
    return jnp.where(kept, 1 / jnp.where(kept, s, 1), 0)


def _cutoff(s: jax.Array, atol: Any, rtol: Any) -> jax.Array:
    return atol + rtol * jnp.abs(s).max(initial=0)


def _pinv_tangent(a: jax.Array, p: jax.Array, da: jax.Array) -> jax.Array:
    """The derivative of the pseudo-inverse p at constant rank.

    G. H. Golub, V. Pereyra, "The differentiation of pseudo-inverses and nonlinear least squares problems whose
    variables separate", SIAM J. Numer. Anal. 10 (1973) 413-432.
    """
    da_h, p_h = adjoint(da), adjoint(p)
    left = p @ (p_h @ (da_h - (da_h @ a) @ p))
    right = ((da_h - p @ (a @ da_h)) @ p_h) @ p
    return left + right - p @ (da @ p)


@jax.custom_jvp
def _pinv(a: jax.Array, atol: Any, rtol: Any) -> tuple[jax.Array, jax.Array]:
    """Pseudo-inverse and rank of a matrix."""
    u, s, vh = lax.linalg.svd(a, full_matrices=False)
    inverse = _inverted(s, _cutoff(s, atol, rtol))
    return (adjoint(vh) * inverse.astype(a.dtype)) @ adjoint(u), (inverse != 0).sum()


@jax.custom_jvp
def _pinvh(a: jax.Array, atol: Any, rtol: Any) -> tuple[jax.Array, jax.Array]:
    """The same of a Hermitian matrix that is stored in full."""
    v, w = lax.linalg.eigh(a, symmetrize_input=False)
    inverse = _inverted(w, _cutoff(w, atol, rtol))
    return (v * inverse.astype(a.dtype)) @ adjoint(v), (inverse != 0).sum()


def _pinv_rule(function: Any, primals: Any, tangents: Any) -> Any:
    p, rank = function(*primals)
    return (p, rank), (_pinv_tangent(primals[0], p, tangents[0]), np.zeros(rank.shape, jax.dtypes.float0))


_pinv.defjvp(functools.partial(_pinv_rule, _pinv))
_pinvh.defjvp(functools.partial(_pinv_rule, _pinvh))


@jax.custom_jvp
def _least_squares(a: jax.Array, b: jax.Array, cond: Any) -> tuple[jax.Array, jax.Array, jax.Array]:
    """Solution of least norm, singular values and rank."""
    u, s, vh = lax.linalg.svd(a, full_matrices=False)
    inverse = _inverted(s, _cutoff(s, 0.0, cond))
    x = adjoint(vh) @ (inverse.astype(a.dtype)[:, None] * (adjoint(u) @ b))
    return x, s, (inverse != 0).sum()


@_least_squares.defjvp
def _least_squares_jvp(primals: Any, tangents: Any) -> Any:
    (a, b, cond), (da, db, _) = primals, tangents
    x, s, rank = _least_squares(a, b, cond)
    p, _ = _pinv(a, 0.0, cond)
    da_h, p_h = adjoint(da), adjoint(p)
    residual_part = p @ (p_h @ (da_h @ (b - a @ x)))
    z = da_h @ (p_h @ x)
    dx = p @ (db - da @ x) + residual_part + z - p @ (a @ z)
    _, ds = jax.jvp(lambda a: lax.linalg.svd(a, compute_uv=False), (a,), (da,))
    return (x, s, rank), (dx, ds, np.zeros(rank.shape, jax.dtypes.float0))


_DRIVERS = ("gelsd", "gelsy", "gelss")


def _prepare_lstsq(call: Call) -> None:
    lapack_dtypes(call, "a", "b")
    import scipy.linalg

    driver = call["lapack_driver"]
    if driver is None:
        driver = scipy.linalg.lstsq.default_lapack_driver
    if driver not in _DRIVERS:
        raise ValueError(f'LAPACK driver "{driver}" is not found; allowed are {_DRIVERS}')
    call["lapack_driver"] = driver


def _validate_lstsq(call: Call) -> None:
    a, b = core_shapes(call, a=2, b="1|2")
    if a is None or len(a) != 2:
        raise ValueError(f"Input array a should be 2D, it has shape {np.shape(call['a'])}")
    if not b:
        raise ValueError(f"b needs at least one dimension, it has shape {np.shape(call['b'])}")
    if a[0] != b[0]:
        raise ValueError(f"Shape mismatch: a and b should have the same number of rows ({a[0]} != {b[0]}).")


@functools.cache
def _unknown_residues() -> bool:
    """Whether SciPy's residues at deficient rank are NaN, as from 1.18 on, rather than none."""
    return bool(np.isnan(scipy.linalg.lstsq(np.ones((3, 2)), np.arange(3.0))[1]).any())


def _finish_lstsq(call: Call, out: Any) -> Any:
    x, residues, rank, s = out
    if np.isnan(s).any():
        raise LinAlgError("SVD did not converge in Linear Least Squares")
    m, n = np.shape(call["a"])[-2:]
    batched = np.ndim(rank) > 0
    full = np.unique(np.asarray(rank) == n)
    deficient = not full.all() and not _unknown_residues()
    if len(full) > 1 and m > n and deficient:
        raise ValueError(f"residues need full rank; the ranks of the stack are {rank.tolist()}, n = {n}")
    if (m and n) and (m <= n or deficient or call["lapack_driver"] == "gelsy"):
        residues = np.empty((*rank.shape, 0) if batched else (0,), x.dtype)
    return x, residues, rank if batched else int(rank), None if call["lapack_driver"] == "gelsy" and m and n else s


def _check_lstsq(result: Any, original: Any) -> None:
    for ours, theirs in zip(result, original, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-10, atol=1e-12)


@implements(
    "scipy.linalg.lstsq",
    ignored=("overwrite_a", "overwrite_b"),
    finite=("a", "b"),
    prepare=_prepare_lstsq,
    validate=_validate_lstsq,
    finish=_finish_lstsq,
    examples=lambda: [
        Example(
            (np.array([[1.0, 2.0], [3.0, 4.0], [5.0, 6.5]]), np.array([1.0, 0.0, 2.0])),
            grad=("a", "b"),
            vmap=("a", "b"),
            skip_odd=("empty",),  # SciPy 1.18 does not look at the shape of `b` beside an empty `a`
        ),
    ],
)
def lstsq(a: Any, b: Any, cond: Any) -> Any:
    """Least-squares solution of ``a @ x = b``, of least norm where it is not unique.

    Parameters
    ----------
    a : array_like, shape (..., m, n)
        Matrices.
    b : array_like, shape (m,) or (..., m, k)
        Right-hand sides.
    cond : float, optional
        Singular values below ``cond`` times the largest count as zero. Default: the machine precision.
    lapack_driver : {'gelsd', 'gelsy', 'gelss'}
        Decides what is returned, as in SciPy; the solution is by the singular value decomposition.

    Returns
    -------
    x : array, shape (n,) or (..., n, k)
        Solution. Differentiable at constant rank.
    residues : array, shape () or (..., k)
        Squared residuals for m > n and full rank, else empty. In the JAX world, where no shape depends on values, NaN
        takes the place of "empty" for a deficient rank.
    rank : int
        Effective rank.
    s : array, shape (..., min(m, n)) or None
        Singular values; None for ``gelsy`` (NumPy world).

    Raises
    ------
    LinAlgError
        If the decomposition does not converge (NumPy world).
    ValueError
        For shapes that do not match.

    References
    ----------
    G. H. Golub, C. F. Van Loan, "Matrix Computations", 4th ed., section 5.5; derivative by Golub and Pereyra, 1973.

    Examples
    --------
    >>> from sci import linalg
    >>> x, residues, rank, s = linalg.lstsq([[1.0, 0.0], [1.0, 1.0], [1.0, 2.0]], [1.0, 3.0, 5.0])
    >>> x.round(12)
    array([1., 2.])
    """
    a, b = promoted(a, b)
    m, n = a.shape[-2:]
    if cond is None:
        cond = jnp.finfo(a.dtype).eps

    def core(a: jax.Array, b: jax.Array) -> Any:
        if m == 0 or n == 0:
            residues = (jnp.abs(b) ** 2).sum(axis=0) if n == 0 else jnp.zeros((0,), b.dtype)
            return jnp.zeros((n, *b.shape[1:]), b.dtype), residues, jnp.array(0), jnp.zeros((0,), b.real.dtype)
        columns = b[:, None] if b.ndim == 1 else b
        x, s, rank = _least_squares(a, columns, cond)
        if m > n:
            residues = (jnp.abs(columns - a @ x) ** 2).sum(axis=0).astype(b.real.dtype)
            residues = jnp.where(rank == n, residues, jnp.nan).reshape(b.shape[1:])
        else:
            residues = jnp.zeros((0,), b.dtype)
        return x.reshape(n, *b.shape[1:]), residues, rank, s

    return over_batch(core, (a, b), (2, "1|2"))


def _validate_tolerances(call: Call) -> None:
    if call.numpy:
        for name in ("atol", "rtol"):
            if call[name] is not None and np.any(np.asarray(call[name]) < 0):
                raise ValueError(f"atol and rtol values must be positive; {name} is {call[name]}")


def _validate_pinv(call: Call) -> None:
    (core,) = core_shapes(call, a=2)
    if core is None or len(core) != 2:
        raise ValueError(f"expected matrix, argument 'a' has shape {np.shape(call['a'])}")
    _validate_tolerances(call)


def _tolerances(a: jax.Array, atol: Any, rtol: Any) -> tuple[Any, Any]:
    if rtol is None:
        rtol = max(a.shape[-2:]) * float(jnp.finfo(a.dtype).eps)
    return (0.0 if atol is None else atol), rtol


def _with_rank(call: Call, out: Any) -> Any:
    return out if call["return_rank"] else out[0]


@implements(
    "scipy.linalg.pinv",
    ignored=("return_rank",),
    finite=("a",),
    validate=_validate_pinv,
    finish=_with_rank,
    finish_jax=_with_rank,
    examples=lambda: [Example(([[1.0, 2.0], [3.0, 4.0], [5.0, 6.5]],), grad=("a",), vmap=("a",))],
)
def pinv(a: Any, atol: Any, rtol: Any) -> Any:
    """The Moore-Penrose pseudo-inverse.

    Parameters
    ----------
    a : array_like, shape (..., m, n)
        Matrices.
    atol, rtol : float, optional
        Singular values up to ``atol + rtol * max(s)`` count as zero. Defaults: 0 and ``max(m, n) * eps``.
    return_rank : bool
        Return the effective rank too.

    Returns
    -------
    array, shape (..., n, m)
        Differentiable at constant rank.
    rank : int, if asked for

    Raises
    ------
    ValueError
        For negative tolerances, or if `a` is not a matrix.

    References
    ----------
    By the singular value decomposition; derivative by Golub and Pereyra, 1973.

    Examples
    --------
    >>> from sci import linalg
    >>> linalg.pinv([[2.0, 0.0], [0.0, 0.0], [0.0, 4.0]]).round(12)
    array([[0.5 , 0.  , 0.  ],
           [0.  , 0.  , 0.25]])
    """
    m, n = a.shape[-2:]
    if a.size == 0:
        return jnp.zeros((*a.shape[:-2], n, m), a.dtype), jnp.zeros(a.shape[:-2], int)
    atol, rtol = _tolerances(a, atol, rtol)
    return over_batch(lambda a: _pinv(a, atol, rtol), (a,), (2,))


def _validate_pinvh(call: Call) -> None:
    core_shapes(call, a=2)
    need_square(call)
    _validate_tolerances(call)


@implements(
    "scipy.linalg.pinvh",
    static=("lower",),
    ignored=("return_rank",),
    finite=("a",),
    validate=_validate_pinvh,
    finish=_with_rank,
    finish_jax=_with_rank,
    examples=lambda: [Example(([[2.0, 1.0], [1.0, 3.0]],), grad=("a",), vmap=("a",))],
)
def pinvh(a: Any, atol: Any, rtol: Any, lower: bool) -> Any:
    """The pseudo-inverse of a Hermitian matrix.

    Parameters
    ----------
    a : array_like, shape (..., n, n)
        Only the triangle named by `lower` is read.
    atol, rtol, return_rank
        As for `pinv`, with eigenvalues for singular values.

    Returns
    -------
    array, shape (..., n, n)
        Differentiable at constant rank.
    rank : int, if asked for

    Raises
    ------
    ValueError
        For negative tolerances, or if `a` is not square.

    References
    ----------
    By the eigendecomposition; derivative by Golub and Pereyra, 1973.

    Examples
    --------
    >>> from sci import linalg
    >>> linalg.pinvh([[2.0, 0.0], [0.0, 0.0]])
    array([[0.5, 0. ],
           [0. , 0. ]])
    """
    if a.size == 0:
        return a, jnp.zeros(a.shape[:-2], int)
    atol, rtol = _tolerances(a, atol, rtol)
    return over_batch(lambda a: _pinvh(from_triangle(a, bool(lower)), atol, rtol), (a,), (2,))
