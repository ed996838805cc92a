"""Linear systems."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from scipy.linalg import LinAlgError, LinAlgWarning

from sci.bridge import Call, Example, implements, warn_user
from sci.linalg._shared import from_triangle, lapack_dtypes, need_square_stack
from solvers.linear import LARGEST, solve_small
from solvers.linear.lu import factor, one_norm

__all__ = ["solve"]

_STRUCTURES = {
    None: "general", "gen": "general", "general": "general", "banded": "general",
    "diagonal": "diagonal", "tridiagonal": "tridiagonal",
    "upper triangular": "upper", "lower triangular": "lower",
    "pos": "positive", "positive definite": "positive",
    "sym": "symmetric", "symmetric": "symmetric", "her": "hermitian", "hermitian": "hermitian",
}  # fmt: skip
_SINGLE_EPS, _DOUBLE_EPS = float(np.finfo(np.float32).eps), float(np.finfo(np.float64).eps)
#: Up to this order the condition number is exact.
_EXACT_CONDITION = 16


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


def _adjoint_solve(lu: jax.Array, permutation: jax.Array, b: jax.Array, conjugate: bool) -> jax.Array:
    """Solve with the transpose (or its conjugate) of the factored matrix."""
    options = {"left_side": True, "transpose_a": True, "conjugate_a": conjugate}
    x = lax.linalg.triangular_solve(lu, b, lower=False, **options)
    x = lax.linalg.triangular_solve(lu, x, lower=True, unit_diagonal=True, **options)
    return jnp.zeros_like(x).at[permutation].set(x)


def _solve_factored(lu: jax.Array, permutation: jax.Array, b: jax.Array) -> jax.Array:
    x = lax.linalg.triangular_solve(lu, b[permutation], left_side=True, lower=True, unit_diagonal=True)
    return lax.linalg.triangular_solve(lu, x, left_side=True, lower=False)


def _inverse_norm(lu: jax.Array, permutation: jax.Array, first: jax.Array, wave: jax.Array) -> jax.Array:
    """Lower bound of the 1-norm of the inverse, by Hager's ascent with Higham's alternating start.

    `first` and `wave` are the solutions for the two starting vectors of `_starts`, which were computed together with
    those asked for: fewer operations to compile.

    References
    ----------
    N. J. Higham, "FORTRAN codes for estimating the one-norm of a real or complex matrix, with
    applications to condition estimation", ACM TOMS 14 (1988) 381-396.
    """
    n = lu.shape[-1]

    def ascend(_: int, carry: tuple[jax.Array, jax.Array]) -> tuple[jax.Array, jax.Array]:
        y, best = carry
        size = jnp.abs(y)
        sign = jnp.where(size == 0, 1, y / jnp.where(size == 0, 1, size))
        z = _adjoint_solve(lu, permutation, sign, True)
        unit = (jnp.arange(n)[:, None] == jnp.argmax(jnp.abs(z))).astype(lu.dtype)
        y = _solve_factored(lu, permutation, unit)
        return y, jnp.maximum(best, one_norm(y))

    best = jnp.maximum(one_norm(first), 2 * one_norm(wave) / (3 * n))
    return lax.fori_loop(0, 3, ascend, (first, best))[1]


def _starts(n: int) -> np.ndarray:
    """The starting vectors of `_inverse_norm`, as columns."""
    k = np.arange(n)
    return np.stack([np.full(n, 1 / n), (-1.0) ** k * (1 + k / max(n - 1, 1))], axis=1)


def _solve_one(a: jax.Array, b: jax.Array, estimate: bool) -> tuple[jax.Array, jax.Array]:
    """Solve one system (n, n), (n, k); the gradient is implicit. Also 1/cond in the 1-norm, if asked for."""
    n, k = b.shape
    fixed = lax.stop_gradient(a)
    if n > LARGEST:
        lu, permutation = factor(fixed)

    def forward(_: Any, rhs: jax.Array) -> jax.Array:
        return solve_small(fixed, rhs) if n <= LARGEST else _solve_factored(lu, permutation, rhs)

    def transposed(_: Any, rhs: jax.Array) -> jax.Array:
        return solve_small(fixed.T, rhs) if n <= LARGEST else _adjoint_solve(lu, permutation, rhs, False)

    exact = n <= _EXACT_CONDITION  # from the whole inverse: cheaper than the estimate
    if estimate:  # one solve for all columns
        probes = jnp.eye(n, dtype=a.dtype) if exact else jnp.asarray(_starts(n), a.dtype)
        b = jnp.concatenate([b, probes], axis=1)
    x = lax.custom_linear_solve(lambda y: a @ y, b, forward, transposed)
    if not estimate:
        return x, jnp.asarray(1.0)
    x, extra = x[:, :k], lax.stop_gradient(x[:, k:])
    if exact:
        inverse_norm = one_norm(extra)
    else:
        inverse_norm = _inverse_norm(lu, permutation, extra[:, :1], extra[:, 1:])
    # a zero pivot makes the inverse infinite or NaN: 0 or NaN here, which is singular either way
    return x, lax.stop_gradient(1 / (one_norm(fixed) * inverse_norm))


def _definite(a: jax.Array) -> jax.Array:
    return jnp.isfinite(lax.linalg.cholesky(lax.stop_gradient(a), symmetrize_input=False)).all((-2, -1))


def _check_conditions(call: Call, rcond: Any) -> None:
    """SciPy's error for singular slices and warning for ill-conditioned ones."""
    a = call["a"]
    eps = _SINGLE_EPS if isinstance(a, np.ndarray) and a.dtype.char in "fF" else _DOUBLE_EPS
    rcond = np.atleast_1d(rcond).ravel()
    good = rcond >= eps  # False for NaN
    if good.all():
        return
    singular = [int(i) for i in np.flatnonzero(~(rcond > 0))]
    if singular:
        raise LinAlgError(f"A singular matrix detected: slice(s) {singular} are singular.")
    poor = ",".join(f"slice {i} has rcond = {rcond[i]}" for i in np.flatnonzero(~good))
    warn_user(f"An ill-conditioned matrix detected: {poor}.", LinAlgWarning)


def _prepare_solve(call: Call) -> None:
    lapack_dtypes(call, "a", "b")
    if call["assume_a"] not in _STRUCTURES:
        raise ValueError(f"{call['assume_a']} is not a recognized matrix structure for argument 'assume_a'")
    call["structure"] = _STRUCTURES[call["assume_a"]]
    call["lower"], call["transposed"] = bool(call["lower"]), bool(call["transposed"])
    call["estimate"] = call.numpy


def _validate_solve(call: Call) -> None:
    a, b = call["a"], call["b"]
    if type(a) is type(b) is np.ndarray and a.ndim == 2 and not call["transposed"]:  # the common case, kept short
        n, m = a.shape
        if n == m and b.ndim in (1, 2) and b.shape[0] == n:
            return
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
    if type(rcond) is np.float64 and rcond >= _DOUBLE_EPS:  # the common case, kept short
        return x
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
