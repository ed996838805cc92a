"""Structure of matrices: bandwidth and symmetry."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from sci.bridge import Call, Example, implements
from sci.linalg._batch import core_shapes, over_batch

__all__ = ["bandwidth", "ishermitian", "issymmetric"]


def _prepare(call: Call) -> None:
    dtype = getattr(call["a"], "dtype", None)
    if call.numpy and dtype is not None and dtype.char in "eG":
        raise TypeError(f"argument 'a' is {dtype}; allowed are integers, single and double precision")


def _validate_matrix(call: Call) -> None:
    (core,) = core_shapes(call, a=2)
    if core is None or len(core) != 2:
        raise ValueError(f"Input array must be a 2D NumPy array, argument 'a' has shape {np.shape(call['a'])}.")


def _validate_square(call: Call) -> None:
    _validate_matrix(call)
    shape = np.shape(call["a"])
    if shape[-1] != shape[-2]:
        raise ValueError(f"Input array must be square, argument 'a' has shape {shape}.")


def _plain(call: Call, out: Any) -> Any:
    """Python numbers for one matrix; SciPy gives a list of arrays for a stack."""
    if np.ndim(call["a"]) > 2:
        return list(out) if isinstance(out, tuple) else out
    return tuple(int(x) for x in out) if isinstance(out, tuple) else bool(out)


@implements(
    "scipy.linalg.bandwidth",
    dtypes="keep",
    prepare=_prepare,
    validate=_validate_matrix,
    finish=_plain,
    grad=False,
    examples=lambda: [Example(([[1.0, 2.0, 0.0], [0.0, 3.0, 4.0], [0.0, 0.0, 5.0]],), vmap=("a",))],
)
def bandwidth(a: Any) -> Any:
    """Numbers of diagonals below and above the main one that hold something other than zero.

    Parameters
    ----------
    a : array_like, shape (..., m, n)
        Matrices.

    Returns
    -------
    tuple of int
        ``(lower, upper)``; arrays for a stack and in the JAX world.

    Raises
    ------
    ValueError
        If `a` is not a matrix.

    References
    ----------
    G. H. Golub, C. F. Van Loan, "Matrix Computations", 4th ed., section 1.2.

    Examples
    --------
    >>> from sci import linalg
    >>> linalg.bandwidth([[1.0, 2.0], [0.0, 3.0]])
    (0, 1)
    """

    def core(a: jax.Array) -> tuple[jax.Array, jax.Array]:
        below = np.arange(a.shape[0])[:, None] - np.arange(a.shape[1])
        held = a != 0
        return jnp.where(held, below, 0).max(initial=0), jnp.where(held, -below, 0).max(initial=0)

    return over_batch(core, (a,), (2,))


def _same(a: jax.Array, b: jax.Array, atol: Any, rtol: Any) -> jax.Array:
    if atol is None and rtol is None:
        return ((a == b) | np.eye(a.shape[0], dtype=bool) & (a != a)).all()  # a NaN on the diagonal is no asymmetry
    return jnp.allclose(a, b, atol=0.0 if atol is None else atol, rtol=0.0 if rtol is None else rtol)


_EXAMPLE = [[1.0, 2.0], [2.0, 3.0]]


@implements(
    "scipy.linalg.issymmetric",
    dtypes="keep",
    prepare=_prepare,
    validate=_validate_square,
    finish=_plain,
    grad=False,
    examples=lambda: [Example((_EXAMPLE,), vmap=("a",)), Example((_EXAMPLE,), {"atol": 1e-9})],
)
def issymmetric(a: Any, atol: Any, rtol: Any) -> Any:
    """Whether a matrix equals its transpose.

    Parameters
    ----------
    a : array_like, shape (..., n, n)
        Matrices.
    atol, rtol : float, optional
        Tolerances; exact comparison if neither is given.

    Returns
    -------
    bool
        Arrays for a stack and in the JAX world.

    Raises
    ------
    ValueError
        If `a` is not square.

    References
    ----------
    R. A. Horn, C. R. Johnson, "Matrix Analysis", 2nd ed., section 0.2.

    Examples
    --------
    >>> from sci import linalg
    >>> linalg.issymmetric([[1.0, 2.0], [2.0, 3.0]])
    True
    """
    return over_batch(lambda a: _same(a, a.T, atol, rtol), (a,), (2,))


@implements(
    "scipy.linalg.ishermitian",
    dtypes="keep",
    prepare=_prepare,
    validate=_validate_square,
    finish=_plain,
    grad=False,
    examples=lambda: [Example((_EXAMPLE,), vmap=("a",)), Example(([[1.0, 1j], [-1j, 2.0]],))],
)
def ishermitian(a: Any, atol: Any, rtol: Any) -> Any:
    """Whether a matrix equals its conjugate transpose; see `issymmetric`.

    Examples
    --------
    >>> from sci import linalg
    >>> linalg.ishermitian([[1.0, 1j], [-1j, 3.0]])
    True
    """
    return over_batch(lambda a: _same(a, a.T.conj(), atol, rtol), (a,), (2,))
