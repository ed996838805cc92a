"""Systems and products with Toeplitz and circulant matrices."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from scipy.linalg import LinAlgError

import solvers.linear as linear
from sci.bridge import Call, Example, implements
from sci.linalg._batch import core_shapes, over_batch, promoted
from sci.linalg._shared import widen

__all__ = ["matmul_toeplitz", "solve_circulant", "solve_toeplitz"]

_EPS = float(np.finfo(np.float64).eps)


def _prepare(call: Call) -> None:
    c_or_cr, rhs = call["c_or_cr"], "b" if "b" in call else "x"
    if isinstance(c_or_cr, tuple):
        call["c"], call["r"] = c_or_cr
    else:
        c = np.asarray(c_or_cr) if call.numpy else jnp.asarray(c_or_cr)
        call["c"], call["r"] = c, c.conj()
    if call[rhs] is None:
        raise ValueError(f"`{rhs}` must be an array, not None.")
    if call.numpy:  # SciPy computes in double precision
        for name in ("c", "r", rhs):
            call[name] = widen(call[name])


def _validate(call: Call) -> None:
    rhs = "b" if "b" in call else "x"
    c, r, b = core_shapes(call, c=1, r=1, **{rhs: "1|2"})
    if not c or not r or not b:
        raise IndexError(f"expected vectors and a right-hand side, got {c}, {r} and {rhs} of {b}")
    if b[0] != r[0] or (rhs == "b" and r[0] != c[0]):
        raise ValueError(f"Incompatible dimensions: column {c}, row {r}, {rhs} {b}")


def _finish_solve(call: Call, x: Any) -> Any:
    if np.isnan(x).any() and all(np.isfinite(call[name]).all() for name in ("c", "r", "b")):
        raise LinAlgError("Singular principal minor")
    return x


@implements(
    "scipy.linalg.solve_toeplitz",
    finite=("c", "r", "b"),
    prepare=_prepare,
    validate=_validate,
    finish=_finish_solve,
    examples=lambda: [
        Example(([4.0, 1.0, 0.5], [1.0, 2.0, 3.0]), grad=("c_or_cr", "b"), vmap=("b",)),
        Example((([4.0, 1.0, 0.5], [4.0, -1.0, 2.0]), [[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]), grad=("b",), vmap=("b",)),
    ],
)
def solve_toeplitz(c: Any, r: Any, b: Any) -> Any:
    """Solve ``T @ x = b`` for the Toeplitz matrix with first column c and first row r.

    Parameters
    ----------
    c_or_cr : array_like or tuple of two array_like, shapes (..., n)
        The column, or column and row (of which the first entry is not read). The row is the conjugate of the column
        if not given.
    b : array_like, shape (n,) or (..., n, k)
        Right-hand sides.

    Returns
    -------
    array, shape of `b`
        Double precision in the NumPy world, as in SciPy. Differentiable in all.

    Raises
    ------
    LinAlgError
        If a leading minor is zero (NumPy world; NaN in the JAX world).
    ValueError
        For shapes that do not match.

    References
    ----------
    Levinson's recursion; G. H. Golub, C. F. Van Loan, "Matrix Computations", 4th ed., section 4.7.

    Examples
    --------
    >>> from sci import linalg
    >>> linalg.solve_toeplitz([2.0, 1.0], [4.0, 5.0])
    array([1., 2.])
    """
    c, r, b = promoted(c, r, b)
    if b.size == 0:
        return b

    def core(c: jax.Array, r: jax.Array, b: jax.Array) -> jax.Array:
        x = linear.solve_toeplitz(c, r, b[:, None] if b.ndim == 1 else b)
        return x.reshape(b.shape)

    return over_batch(core, (c, r, b), (1, 1, "1|2"))


@implements(
    "scipy.linalg.matmul_toeplitz",
    ignored=("workers",),
    finite=("c", "r", "x"),
    prepare=_prepare,
    validate=_validate,
    examples=lambda: [
        Example((([4.0, 1.0, 0.5], [4.0, -1.0, 2.0]), [1.0, 2.0, 3.0]), grad=("x",), vmap=("x",)),
        Example(([4.0, 1.0, 0.5], [1.0, 2.0, 3.0]), grad=("c_or_cr", "x"), vmap=("x",)),
    ],
)
def matmul_toeplitz(c: Any, r: Any, x: Any) -> Any:
    """The product of a Toeplitz matrix and a vector or matrix, by FFT.

    Parameters
    ----------
    c_or_cr : array_like or tuple of two array_like
        First column (..., m), or column and row (..., n) of the matrix.
    x : array_like, shape (n,) or (..., n, k)
        Right factor.

    Returns
    -------
    array, shape (m,) or (..., m, k)
        Double precision in the NumPy world. Differentiable in all.

    Raises
    ------
    ValueError
        For shapes that do not match.

    References
    ----------
    The matrix is the corner of a circulant one, which the FFT diagonalises.

    Examples
    --------
    >>> from sci import linalg
    >>> linalg.matmul_toeplitz([2.0, 1.0], [1.0, 2.0]).round(12)
    array([4., 5.])
    """
    c, r, x = promoted(c, r, x)

    def core(c: jax.Array, r: jax.Array, x: jax.Array) -> jax.Array:
        shape = (c.shape[0], *x.shape[1:])
        if x.size == 0:
            return jnp.zeros(shape, x.dtype)
        return linear.toeplitz_matvec(c, r, x[:, None] if x.ndim == 1 else x).reshape(shape)

    return over_batch(core, (c, r, x), (1, 1, "1|2"))


def _axis_length(name: str, shape: tuple[int, ...], axis: int) -> int:
    if not -len(shape) <= axis < len(shape):
        raise ValueError(f"'{name}axis' entry is out of bounds: {axis} for shape {shape}")
    return shape[axis]


def _prepare_circulant(call: Call) -> None:
    for name in ("caxis", "baxis", "outaxis"):
        call[name] = int(call[name])
    call["strict"] = call["singular"] == "raise"


def _validate_circulant(call: Call) -> None:
    shapes = [np.shape(call[name]) or (1,) for name in ("c", "b")]
    n, rows = (_axis_length(name, shape, call[f"{name}axis"]) for name, shape in zip(("c", "b"), shapes, strict=True))
    if n != rows:
        raise ValueError(f"Shapes of c {shapes[0]} and b {shapes[1]} are incompatible")


def _finish_circulant(call: Call, out: Any) -> Any:
    x, near = out
    if call["strict"] and np.any(near) and np.size(x):
        raise LinAlgError("near singular circulant matrix.")
    return x


@implements(
    "scipy.linalg.solve_circulant",
    static=("strict", "caxis", "baxis", "outaxis"),
    prepare=_prepare_circulant,
    validate=_validate_circulant,
    finish=_finish_circulant,
    finish_jax=lambda call, out: out[0],
    examples=lambda: [
        Example(([4.0, 1.0, 0.5], [1.0, 2.0, 3.0]), grad=("c", "b"), vmap=("b",)),
    ],
)
def solve_circulant(c: Any, b: Any, tol: Any, strict: bool, caxis: int, baxis: int, outaxis: int) -> Any:
    """Solve ``C @ x = b`` for the circulant matrix with first column c, by FFT.

    Parameters
    ----------
    c, b : array_like
        Columns along `caxis`, right-hand sides along `baxis`; the other axes broadcast.
    singular : {'raise', 'lstsq'}
        What to do if an eigenvalue is below `tol` in size: raise, or leave its direction out (least squares).
    tol : float, optional
        By default ``max(abs(eigenvalues)) * n * eps``.
    caxis, baxis, outaxis : int
        Axes of `c`, `b` and the result.

    Returns
    -------
    array
        Differentiable in `c` and `b`.

    Raises
    ------
    LinAlgError
        If near singular and ``singular='raise'`` (NumPy world; NaN in the JAX world).
    ValueError
        For shapes that do not match.

    References
    ----------
    The FFT diagonalises circulant matrices.

    Examples
    --------
    >>> from sci import linalg
    >>> linalg.solve_circulant([2.0, 1.0], [4.0, 5.0]).round(12)
    array([1., 2.])
    """
    c, b = jnp.atleast_1d(c), jnp.atleast_1d(b)
    if b.size == 0:
        return b.astype(jnp.result_type(c, b)), jnp.zeros((), bool)
    n = c.shape[caxis]
    real = not (jnp.iscomplexobj(c) or jnp.iscomplexobj(b))
    eigenvalues = jnp.fft.fft(jnp.moveaxis(c, caxis, -1), axis=-1)
    size = jnp.abs(jax.lax.stop_gradient(eigenvalues))
    if tol is None:
        tol = size.max(axis=-1, keepdims=True) * n * _EPS
    near = size <= tol
    filled = jnp.where(near, jnp.nan if strict else 1.0, eigenvalues)
    quotient = jnp.fft.fft(jnp.moveaxis(b, baxis, -1), axis=-1) / filled
    quotient = quotient if strict else jnp.where(near, 0, quotient)
    x = jnp.fft.ifft(quotient, axis=-1)
    return jnp.moveaxis(x.real if real else x, -1, outaxis), near.any()
