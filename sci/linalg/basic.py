"""Linear systems, inverse and determinant."""

from __future__ import annotations

import warnings
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from scipy.linalg import LinAlgError, LinAlgWarning

from sci.bridge import Call, Example, HostRoute, Reason, implements
from sci.bridge.reasons import user_frame
from sci.linalg._shared import from_triangle, need_square_stack, widen

__all__ = ["det", "inv", "solve"]

_STRUCTURES = {
    None: "general", "gen": "general", "general": "general", "banded": "general",
    "diagonal": "diagonal", "tridiagonal": "tridiagonal",
    "upper triangular": "upper", "lower triangular": "lower",
    "pos": "positive", "positive definite": "positive",
    "sym": "symmetric", "symmetric": "symmetric", "her": "hermitian", "hermitian": "hermitian",
}  # fmt: skip
_SINGLE_EPS, _DOUBLE_EPS = float(np.finfo(np.float32).eps), float(np.finfo(np.float64).eps)
_INV_STRUCTURES = (
    None,
    "general",
    "gen",
    "diagonal",
    "upper triangular",
    "lower triangular",
    "pos",
    "sym",
    "her",
)


def _referenced(a: jax.Array, structure: str, lower: bool) -> jax.Array:
    """The matrix that a structure stands for: entries outside of it are not read."""
    n = a.shape[-1]
    offset = np.arange(n)[:, None] - np.arange(n)
    if structure in ("positive", "hermitian"):
        return from_triangle(a, lower)
    if structure == "symmetric":
        return from_triangle(a, lower, hermitian=False)
    masks = {
        "diagonal": offset == 0,
        "tridiagonal": abs(offset) <= 1,
        "upper": offset <= 0,
        "lower": offset >= 0,
    }
    return a if structure == "general" else jnp.where(masks[structure], a, 0)


def _inverse_norm(lu_solve: Any, n: int, dtype: Any) -> jax.Array:
    """Lower bound of the 1-norm of the inverse, by Hager's ascent with Higham's alternating start.

    References
    ----------
    N. J. Higham, "FORTRAN codes for estimating the one-norm of a real or complex matrix, with
    applications to condition estimation", ACM TOMS 14 (1988) 381-396.
    """
    k = np.arange(n)
    wave = jnp.asarray((-1.0) ** k * (1 + k / max(n - 1, 1)), dtype)
    extra = 2 * jnp.abs(lu_solve(wave, 0)).sum() / (3 * n)

    def ascend(_: int, carry: tuple[jax.Array, jax.Array]) -> tuple[jax.Array, jax.Array]:
        x, best = carry
        y = lu_solve(x, 0)
        size = jnp.abs(y)
        sign = jnp.where(size == 0, 1, y / jnp.where(size == 0, 1, size))
        z = lu_solve(sign, 2)
        return jnp.zeros(n, dtype).at[jnp.argmax(jnp.abs(z))].set(1), jnp.maximum(best, size.sum())

    start = jnp.full(n, 1 / n, dtype)
    _, estimate = lax.fori_loop(0, 4, ascend, (start, extra.astype(start.real.dtype)))
    return estimate


def _solve_one(a: jax.Array, b: jax.Array, estimate: bool) -> tuple[jax.Array, jax.Array]:
    """Solve one system (n, n), (n, k) by LU; the gradient is implicit. Also 1/cond, if asked for."""
    lu, _, permutation = lax.linalg.lu(lax.stop_gradient(a))

    def lu_solve(rhs: jax.Array, transpose: int) -> jax.Array:
        vector = rhs.ndim == 1
        x = rhs[:, None] if vector else rhs
        if transpose == 0:
            x = x[permutation]
            x = lax.linalg.triangular_solve(lu, x, left_side=True, lower=True, unit_diagonal=True)
            x = lax.linalg.triangular_solve(lu, x, left_side=True, lower=False)
        else:
            options = {"left_side": True, "transpose_a": True, "conjugate_a": transpose == 2}
            x = lax.linalg.triangular_solve(lu, x, lower=False, **options)
            x = lax.linalg.triangular_solve(lu, x, lower=True, unit_diagonal=True, **options)
            x = x[jnp.argsort(permutation)]
        return x[:, 0] if vector else x

    x = lax.custom_linear_solve(
        lambda y: a @ y,
        b,
        solve=lambda _, rhs: lu_solve(rhs, 0),
        transpose_solve=lambda _, rhs: lu_solve(rhs, 1),
    )
    if not estimate:
        return x, jnp.asarray(1.0)
    n = a.shape[-1]
    norm = jnp.abs(a).sum(axis=0).max()
    if n <= 16:  # cheaper to compile and to run than the estimate
        inverse_norm = jnp.abs(lu_solve(jnp.eye(n, dtype=a.dtype), 0)).sum(axis=0).max()
    else:
        inverse_norm = _inverse_norm(lu_solve, n, a.dtype)
    rcond = jnp.where((jnp.diagonal(lu) == 0).any(), 0.0, 1 / (norm * inverse_norm))
    return x, lax.stop_gradient(rcond)


def _definite(a: jax.Array) -> jax.Array:
    return jnp.isfinite(lax.linalg.cholesky(lax.stop_gradient(a), symmetrize_input=False)).all((-2, -1))


def _check_conditions(call: Call, rcond: Any) -> None:
    """SciPy's error for singular slices and warning for ill-conditioned ones."""
    a = call["a"]
    eps = _SINGLE_EPS if isinstance(a, np.ndarray) and a.dtype.char in "fF" else _DOUBLE_EPS
    if np.ndim(rcond) == 0 and rcond >= eps:  # the common case, kept short
        return
    rcond = np.atleast_1d(rcond).ravel()
    good = rcond >= eps  # False for NaN
    if good.all():
        return
    singular = [int(i) for i in np.flatnonzero(~(rcond > 0))]
    if singular:
        raise LinAlgError(f"A singular matrix detected: slice(s) {singular} are singular.")
    poor = ",".join(f"slice {i} has rcond = {rcond[i]}" for i in np.flatnonzero(~good))
    _, level = user_frame()
    warnings.warn(f"An ill-conditioned matrix detected: {poor}.", LinAlgWarning, stacklevel=level + 1)


def _prepare_solve(call: Call) -> None:
    if call["assume_a"] not in _STRUCTURES:
        raise ValueError(f"{call['assume_a']} is not a recognized matrix structure for argument 'assume_a'")
    call["structure"] = _STRUCTURES[call["assume_a"]]
    call["lower"], call["transposed"] = bool(call["lower"]), bool(call["transposed"])
    call["estimate"] = call.numpy


def _validate_solve(call: Call) -> None:
    a, b = call["a"], call["b"]
    if np.ndim(a) < 2:
        if np.size(a) != 1:
            raise ValueError(f"Expected square matrix, got a1.shape={(1, *np.shape(a))} for argument 'a'")
    else:
        need_square_stack(call)
    if call["transposed"] and np.iscomplexobj(a):
        raise NotImplementedError(
            "scipy.linalg.solve can currently not solve a^T x = b or a^H x = b for complex matrices: transposed=True"
        )
    shape = np.shape(b) if np.ndim(b) != 1 else (*np.shape(b), 1)
    if np.size(a) != 1 and (shape == () or shape[-2] != a.shape[-1]):
        raise ValueError(f"incompatible shapes: a1.shape={np.shape(a)} and b1.shape={np.shape(b)}")
    if len(shape) > 2 or np.ndim(a) > 2:
        np.broadcast_shapes(np.shape(a)[:-2], shape[:-2])


def _finish_solve(call: Call, out: Any) -> Any:
    x, rcond = out
    if np.size(x) and np.size(call["a"]):
        _check_conditions(call, rcond)
    return x


@implements(
    "scipy.linalg.solve",
    static=("structure", "lower", "transposed", "estimate"),
    ignored=("overwrite_a", "overwrite_b"),
    finite=("a", "b"),
    prepare=_prepare_solve,
    validate=_validate_solve,
    finish=_finish_solve,
    finish_jax=lambda call, out: out[0],
    examples=lambda: [
        Example(
            ([[3.0, 2.0, 0.0], [1.0, -1.0, 0.5], [0.0, 5.0, 1.0]], [2.0, 4.0, -1.0]),
            grad=("a", "b"),
            vmap=("a", "b"),
        ),
        Example(
            ([[4.0, 1.0], [1.0, 3.0]], [[1.0, 2.0], [0.0, 1.0]]),
            {"assume_a": "pos"},
            grad=("b",),
            vmap=("b",),
        ),
        Example(([[4.0, 1.0], [2.0, 3.0]], [1.0, 2.0]), {"transposed": True}, grad=("a", "b"), vmap=("a",)),
    ],
)
def solve(a: Any, b: Any, structure: str, lower: bool, transposed: bool, estimate: bool) -> Any:
    """Solve the linear system ``a @ x = b``.

    Parameters
    ----------
    a : array_like, shape (..., n, n)
        Square matrix, or a stack of them.
    b : array_like, shape (n,) or (..., n, k)
        Right-hand sides.
    lower, assume_a, transposed
        As in SciPy; ``assume_a`` decides which entries are read.
    overwrite_a, overwrite_b
        Without effect.
    check_finite : bool
        Whether NaN and infinity in the input raise ValueError (NumPy world).

    Returns
    -------
    array, shape (n,) or (..., n, k)
        The solution, of the promoted dtype of `a` and `b`. Differentiable in both.

    Raises
    ------
    LinAlgError
        If a matrix is singular (NumPy world; infinity or NaN in the JAX world).
    ValueError
        For shapes that do not match.

    Warns
    -----
    LinAlgWarning
        If the reciprocal condition number is below the machine precision (NumPy world). SciPy
        estimates it for each structure, here it is that of the general matrix.

    References
    ----------
    G. H. Golub, C. F. Van Loan, "Matrix Computations", 4th ed., section 3.4. The derivative is
    that of the implicit function ``a x - b = 0``.

    Examples
    --------
    >>> from sci import linalg
    >>> linalg.solve([[3.0, 1.0], [1.0, 2.0]], [9.0, 8.0])
    array([2., 3.])
    """
    a, b = jnp.asarray(a), jnp.asarray(b)
    dtype = jnp.result_type(a, b)
    a, b = jnp.atleast_2d(a.astype(dtype)), jnp.atleast_1d(b.astype(dtype))
    vector = b.ndim == 1
    b = b[:, None] if vector else b
    ones = jnp.ones(())
    if a.size == 1:
        value = a.reshape(())
        x, rcond = b / value, jnp.where(value == 0, 0.0, 1.0)
    elif a.size == 0 or b.size == 0:
        batch = np.broadcast_shapes(a.shape[:-2], b.shape[:-2])
        x, rcond = jnp.zeros((*batch, *b.shape[-2:]), dtype), ones
    else:
        a = _referenced(a, structure, lower)
        a = jnp.swapaxes(a, -1, -2) if transposed else a
        if structure == "diagonal":
            diagonal = jnp.diagonal(a, axis1=-2, axis2=-1)[..., None]
            size = jnp.abs(diagonal)
            x, rcond = b / diagonal, size.min((-2, -1)) / size.max((-2, -1))
        else:
            one = jnp.vectorize(_solve_one, excluded=(2,), signature="(n,n),(n,k)->(n,k),()")
            x, rcond = one(a, b, estimate)
            if structure == "positive" and estimate:
                rcond = jnp.where(_definite(a), rcond, 0.0)
    return (x[..., 0] if vector else x), rcond


def _prepare_inv(call: Call) -> None:
    if call["assume_a"] not in _INV_STRUCTURES:
        raise KeyError(call["assume_a"])  # as SciPy does
    call["structure"], call["lower"] = _STRUCTURES[call["assume_a"]], bool(call["lower"])


def _finish_inv(call: Call, out: Any) -> Any:
    x, rcond = out
    if np.size(x):
        _check_conditions(call, rcond)
    return x


@implements(
    "scipy.linalg.inv",
    static=("structure", "lower"),
    ignored=("overwrite_a",),
    finite=("a",),
    prepare=_prepare_inv,
    validate=need_square_stack,
    finish=_finish_inv,
    finish_jax=lambda call, out: out[0],
    examples=lambda: [
        Example(([[1.0, 2.0], [3.0, 4.5]],), grad=("a",), vmap=("a",)),
        Example(
            (np.array([[[2.0, 1.0], [1.0, 3.0]], [[4.0, 1.0], [0.5, 3.0]]]),),
            {"assume_a": "gen"},
            grad=("a",),
        ),
    ],
)
def inv(a: Any, structure: str, lower: bool) -> Any:
    """Invert a matrix, or a stack of matrices.

    Parameters
    ----------
    a : array_like, shape (..., n, n)
        Square matrices.
    assume_a, lower
        As in SciPy: which entries are read.

    Returns
    -------
    array, shape (..., n, n)
        The inverse. Differentiable.

    Raises
    ------
    LinAlgError
        If a matrix is singular (NumPy world; infinity or NaN in the JAX world).
    ValueError
        If `a` is not square.

    References
    ----------
    LU factorisation with partial pivoting; see `solve`.

    Examples
    --------
    >>> from sci import linalg
    >>> linalg.inv([[2.0, 0.0], [0.0, 4.0]])
    array([[0.5 , 0.  ],
           [0.  , 0.25]])
    """
    if a.size == 0:
        return a, jnp.ones(())
    a = _referenced(a, structure, lower)
    eye = jnp.broadcast_to(jnp.eye(a.shape[-1], dtype=a.dtype), a.shape)
    x, _ = jnp.vectorize(_solve_one, excluded=(2,), signature="(n,n),(n,k)->(n,k),()")(a, eye, False)
    norm, inverse_norm = (jnp.abs(m).sum(axis=-2).max(axis=-1) for m in (a, x))
    rcond = 1 / (norm * inverse_norm)  # exact: the inverse is at hand
    if structure == "positive":
        rcond = jnp.where(_definite(a), rcond, 0.0)
    return x, lax.stop_gradient(jnp.where(jnp.isfinite(rcond), rcond, 0.0))


def _prepare_det(call: Call) -> None:
    if call.numpy:
        a = np.asarray(call["a"])
        if a.dtype.kind in "fc" and a.dtype.itemsize > 8 * (1 + (a.dtype.kind == "c")):
            raise HostRoute(Reason.LONGDOUBLE, "argument 'a'")
        call["a"] = widen(a)  # SciPy returns double precision for single


def _validate_det(call: Call) -> None:
    shape = np.shape(call["a"])
    if len(shape) < 2:
        raise ValueError(f"The input array must be at least two-dimensional; argument 'a' has shape {shape}.")
    if shape[-1] != shape[-2]:
        raise ValueError(f"Last 2 dimensions of the array must be square but received shape {shape}.")


@implements(
    "scipy.linalg.det",
    ignored=("overwrite_a",),
    finite=("a",),
    prepare=_prepare_det,
    validate=_validate_det,
    examples=lambda: [
        Example(([[1.0, 2.0], [3.0, 5.0]],), grad=("a",), vmap=("a",)),
        Example((np.array([[[2.0, 1.0], [1.0, 3.0]], [[4.0, 1.0], [0.5, 3.0]]]),), grad=("a",)),
    ],
)
def det(a: Any) -> Any:
    """The determinant of a matrix, or of each of a stack of matrices.

    Parameters
    ----------
    a : array_like, shape (..., n, n)
        Square matrices.

    Returns
    -------
    float or array, shape (...)
        Double precision in the NumPy world, as in SciPy. Differentiable, also where singular.

    Raises
    ------
    ValueError
        If `a` has less than two dimensions or is not square.

    References
    ----------
    Product of the pivots of the LU factorisation; cofactors for the derivative.

    Examples
    --------
    >>> from sci import linalg
    >>> float(linalg.det([[2.0, 0.0], [0.0, 3.0]]))
    6.0
    """
    if a.shape[-1] == 0:
        return jnp.ones(a.shape[:-2], a.dtype)
    return jnp.linalg.det(a)
