"""Inverse and determinant."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from sci.bridge import Call, Example, HostRoute, Reason, implements
from sci.linalg._batch import over_batch
from sci.linalg._shared import lapack_dtypes, need_square_stack, widen
from sci.linalg.basic import _STRUCTURES, _check_conditions, _definite, _referenced, _solve_one
from solvers.linear import determinant, inverse_small, invertible_in_lanes
from solvers.linear.lu import one_norm

__all__ = ["det", "inv"]

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


def _prepare_inv(call: Call) -> None:
    lapack_dtypes(call, "a")
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
    LU factorisation with partial pivoting; see `solve`. Stacks of order at most 32 (of order 4, if complex) by
    Gauss-Jordan elimination with partial pivoting, whose residual is as small as LAPACK's.

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
    if invertible_in_lanes(a):
        x = jnp.vectorize(inverse_small, signature="(n,n)->(n,n)")(a)
    else:
        eye = jnp.broadcast_to(jnp.eye(a.shape[-1], dtype=a.dtype), a.shape)
        x, _ = jnp.vectorize(_solve_one, excluded=(2,), signature="(n,n),(n,k)->(n,k),()")(a, eye, False)
    rcond = 1 / (one_norm(a) * one_norm(x))  # exact: the inverse is at hand
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
    Product of the pivots of the LU factorisation (of order 4 Laplace's expansion); cofactors for the derivative.

    Examples
    --------
    >>> from sci import linalg
    >>> float(linalg.det([[2.0, 0.0], [0.0, 3.0]]))
    6.0
    """
    if a.shape[-1] == 0:
        return jnp.ones(a.shape[:-2], a.dtype)
    return _det_4(a) if a.shape[-1] == 4 else over_batch(determinant, (a,), (2,))


def _det_4(a: jax.Array) -> jax.Array:
    """Laplace's expansion by the minors of the first two rows and their complements."""
    e = [[a[..., i, j] for j in range(4)] for i in range(4)]

    def minor(i: int, j: int, k: int) -> jax.Array:
        return e[i][j] * e[i + 1][k] - e[i + 1][j] * e[i][k]

    pairs = ((0, 1, 2, 3, 1), (0, 2, 1, 3, -1), (0, 3, 1, 2, 1), (1, 2, 0, 3, 1), (1, 3, 0, 2, -1), (2, 3, 0, 1, 1))
    terms = [sign * minor(0, j, k) * minor(2, p, q) for j, k, p, q, sign in pairs]
    return ((terms[0] + terms[1]) + (terms[2] + terms[3])) + (terms[4] + terms[5])
