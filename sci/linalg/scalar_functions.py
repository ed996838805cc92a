"""Any function of a matrix, given as a function of numbers."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from sci.bridge import Call, Example, implements
from sci.linalg._batch import over_batch, square_core
from sci.linalg.square_root import maybe_real
from solvers.linear import parlett

__all__ = ["funm"]


def _validate(call: Call) -> None:
    n, _ = square_core(call, "A", "expected square array_like input")
    if n == 0:
        raise IndexError("argument 'A' has no entries: there is nothing to estimate the error from")


def _example(call: Call) -> tuple[Any, ...]:
    """The eigenvalues, where they may be looked at: the points at which the function is used."""
    a = call["A"]
    square_core(call, "A", "expected square array_like input")
    if call.numpy and np.isfinite(a).all():
        w = np.linalg.eigvals(a[(0,) * (a.ndim - 2)])
        return (w.astype(np.result_type(w, np.complex64)),)
    return (np.ones(a.shape[-1], np.result_type(a.dtype, np.complex64)),)


def _error(closest: Any, coupling: Any, eps: float) -> Any:
    return (eps * coupling / np.where(closest == 0, eps, closest)).clip(eps, 1)


def _finish(call: Call, out: Any) -> Any:
    f, closest, coupling = out
    f = maybe_real(call["A"], f)
    eps = float(np.finfo(f.dtype).eps)
    error = np.where(np.isfinite(f).all(axis=(-1, -2)), _error(closest, coupling, eps), np.inf)
    if not call["disp"]:
        return f, error[()]
    if (error > 1000 * eps).any():
        print("funm result may be inaccurate, approximate err =", error.max())
    return f


def _finish_jax(call: Call, out: Any) -> Any:
    f, closest, coupling = out
    eps = float(jnp.finfo(f.dtype).eps)
    error = (eps * coupling / jnp.where(closest == 0, eps, closest)).clip(eps, 1)
    error = jnp.where(jnp.isfinite(f).all(axis=(-1, -2)), error, jnp.inf)
    if not call["disp"]:
        return f, error
    return jnp.where(error[..., None, None] < 1, f, jnp.nan)  # nobody reads what is printed


@implements(
    "scipy.linalg.funm",
    callables={"func": _example},
    ignored=("disp",),
    finite=("A",),
    validate=_validate,
    finish=_finish,
    finish_jax=_finish_jax,
    examples=lambda: [
        Example(([[1.0, 3.0], [1.0, 4.0]], lambda x: x**3 - 1 / x), grad=("A",), vmap=("A",), float32=False),
        Example(([[1.0, 3.0j], [1.0, 4.0]], lambda x: x * x), {"disp": False}),
    ],
)
def funm(A: Any, func: Any) -> Any:
    """The function of a matrix that extends a function of numbers.

    Parameters
    ----------
    A : array_like, shape (..., n, n)
        Matrices.
    func : callable
        Of a vector of complex numbers, elementwise.
    disp : bool
        Print a line where the estimated error is large; return the estimate else.

    Returns
    -------
    array, shape (..., n, n)
        Real in the NumPy world where it is so up to rounding; always complex in the JAX world, and there NaN if the
        estimated error is 1 (nobody would read the line). Differentiable once, where `A` is diagonalisable, in `A` and
        in what `func` holds.
    err : array, shape (...)
        Estimate of the relative error in the 1-norm, if not `disp`.

    Raises
    ------
    ValueError
        If `A` is not square, or `func` does not return a vector of its argument's length.
    IndexError
        If `A` is empty.

    References
    ----------
    G. H. Golub, C. F. Van Loan, "Matrix Computations", 4th ed., algorithm 9.1.1: Schur's form and Parlett's recurrence,
    which loses accuracy where eigenvalues are close to each other. `expm`, `logm`, `sqrtm` and others do not.

    Examples
    --------
    >>> from sci import linalg
    >>> linalg.funm([[1.0, 3.0], [1.0, 4.0]], lambda x: x * x).round(12)
    array([[ 4., 15.],
           [ 5., 19.]])
    """
    n = A.shape[-1]

    def checked(w: jax.Array) -> jax.Array:
        values = jnp.asarray(func(w))
        if values.shape != (n,):
            raise ValueError(f"argument 'func' returned an array of shape {values.shape}; it has to be {(n,)}")
        return values

    return over_batch(lambda a: parlett.funm(checked, a), (A,), (2,))
