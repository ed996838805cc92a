"""Matrices of constant diagonals, built from vectors."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from sci.bridge import Call, Example, HostRoute, Reason, implements
from sci.linalg._batch import core_shapes, over_batch

__all__ = ["circulant", "convolution_matrix", "hankel", "toeplitz"]

# numbers only: SciPy moves objects and strings about as well
_SKIP = ("object", "string")


def _gather(values: jax.Array, index: np.ndarray) -> jax.Array:
    return values[..., index]


def _stacks(call: Call, *names: str) -> None:
    core_shapes(call, **dict.fromkeys(names, 1))


def _toeplitz(c: jax.Array, r: jax.Array) -> jax.Array:
    m, n = c.shape[-1], r.shape[-1]
    values = jnp.concatenate([c[::-1], r[1:]])
    return _gather(values, m - 1 - np.arange(m)[:, None] + np.arange(n))


@implements(
    "scipy.linalg.toeplitz",
    dtypes="keep",
    validate=lambda call: _stacks(call, "c", "r"),
    examples=lambda: [
        Example(([1.0, 2.0, 3.0], [1.0, 4.0]), grad=("c", "r"), vmap=("c", "r"), skip_odd=_SKIP),
        Example(([1.0, 2 + 1j],), skip_odd=_SKIP),
    ],
)
def toeplitz(c: Any, r: Any) -> Any:
    """The Toeplitz matrix of a column and a row.

    Parameters
    ----------
    c, r : array_like, shapes (..., m) and (..., n)
        First column and first row (of which the first entry is not read); by default the row is the conjugate of the
        column.

    Returns
    -------
    array, shape (..., m, n)
        Differentiable.

    Raises
    ------
    ValueError
        If the leading axes do not broadcast.

    References
    ----------
    G. H. Golub, C. F. Van Loan, "Matrix Computations", 4th ed., section 4.7.

    Examples
    --------
    >>> from sci import linalg
    >>> linalg.toeplitz([1, 2, 3], [1, 4])
    array([[1, 4],
           [2, 1],
           [3, 2]])
    """
    c = jnp.atleast_1d(c)
    r = c.conj() if r is None else jnp.atleast_1d(r)
    dtype = jnp.result_type(c, r)
    return over_batch(_toeplitz, (c.astype(dtype), r.astype(dtype)), (1, 1))


@implements(
    "scipy.linalg.circulant",
    dtypes="keep",
    examples=lambda: [Example(([1.0, 2.0, 3.0],), grad=("c",), vmap=("c",), skip_odd=_SKIP)],
)
def circulant(c: Any) -> Any:
    """The circulant matrix with a given first column.

    Parameters
    ----------
    c : array_like, shape (..., n)
        Columns.

    Returns
    -------
    array, shape (..., n, n)
        Differentiable.

    Raises
    ------
    TypeError
        For input that holds no numbers.

    References
    ----------
    G. H. Golub, C. F. Van Loan, "Matrix Computations", 4th ed., section 4.8.

    Examples
    --------
    >>> from sci import linalg
    >>> linalg.circulant([1, 2, 3])
    array([[1, 3, 2],
           [2, 1, 3],
           [3, 2, 1]])
    """
    c = jnp.atleast_1d(c)
    n = c.shape[-1]
    return _gather(c, (np.arange(n)[:, None] - np.arange(n)) % max(n, 1))


def _prepare_hankel(call: Call) -> None:
    for name in ("c", "r"):
        if call[name] is not None and not hasattr(call[name], "ndim"):
            call[name] = np.asarray(call[name]) if call.numpy else jnp.asarray(call[name])
        if call[name] is not None and call[name].ndim > 1:
            raise HostRoute(Reason.SHAPE, "more than one dimension, which SciPy is about to treat otherwise")


def _validate_hankel(call: Call) -> None:
    for name in ("c", "r"):
        if call[name] is not None and np.ndim(call[name]) == 0:
            raise ValueError(f"zero-dimensional arrays cannot be concatenated: argument {name!r}")


@implements(
    "scipy.linalg.hankel",
    dtypes="keep",
    prepare=_prepare_hankel,
    validate=_validate_hankel,
    note="more than one dimension.",
    examples=lambda: [Example(([1.0, 2.0, 3.0], [3.0, 4.0]), grad=("c", "r"), vmap=("c", "r"),
                              skip_odd=(*_SKIP, "0-d"))],
)  # fmt: skip
def hankel(c: Any, r: Any) -> Any:
    """The Hankel matrix of a first column and a last row.

    Parameters
    ----------
    c, r : array_like, shapes (m,) and (n,)
        The first entry of the row is not read; by default the row is zero.

    Returns
    -------
    array, shape (m, n)
        Differentiable.

    Raises
    ------
    ValueError
        For a number instead of a vector.

    References
    ----------
    G. H. Golub, C. F. Van Loan, "Matrix Computations", 4th ed., section 4.7.

    Examples
    --------
    >>> from sci import linalg
    >>> linalg.hankel([1, 2], [2, 3, 4])
    array([[1, 2, 3],
           [2, 3, 4]])
    """
    r = jnp.zeros_like(c) if r is None else r
    values = jnp.concatenate([c, r[1:]])
    return values[np.arange(c.shape[0])[:, None] + np.arange(r.shape[0])]


_CONVOLUTIONS = ("full", "valid", "same")


def _prepare_convolution(call: Call) -> None:
    if call["n"] <= 0:
        raise ValueError(f"n must be a positive integer, got {call['n']}.")
    if call["mode"] not in _CONVOLUTIONS:
        raise ValueError(f"'mode' argument must be one of {_CONVOLUTIONS}, got {call['mode']!r}")
    call["n"] = int(call["n"])


def _validate_convolution(call: Call) -> None:
    shape = np.shape(call["a"])
    if np.prod(shape) == 0 or not shape:
        raise ValueError(f"len(a) must be at least 1, argument 'a' has shape {shape}.")


@implements(
    "scipy.linalg.convolution_matrix",
    static=("n", "mode"),
    dtypes="keep",
    prepare=_prepare_convolution,
    validate=_validate_convolution,
    examples=lambda: [
        Example(([-1.0, 4.0, -2.0], 4), {"mode": "same"}, grad=("a",), vmap=("a",), skip_odd=(*_SKIP, "0-d")),
    ],
)
def convolution_matrix(a: Any, n: int, mode: str) -> Any:
    """The matrix whose product with a vector of length n is the convolution with `a`.

    Parameters
    ----------
    a : array_like, shape (..., m)
        Filters.
    n : int
        Number of columns.
    mode : {'full', 'valid', 'same'}
        Which part of the convolution, as in `numpy.convolve`.

    Returns
    -------
    array, shape (..., k, n)
        k is ``m + n - 1``, ``max(m, n) - min(m, n) + 1`` or ``max(m, n)``. Differentiable.

    Raises
    ------
    ValueError
        For an empty `a`, a non-positive `n` or an unknown mode.

    References
    ----------
    The Toeplitz matrix of the padded filter.

    Examples
    --------
    >>> from sci import linalg
    >>> linalg.convolution_matrix([1, 2], 2)
    array([[1, 0],
           [2, 1],
           [0, 2]])
    """
    m = a.shape[-1]
    first = {"full": 0, "same": (min(m, n) - 1) // 2, "valid": min(m, n) - 1}[mode]
    rows = {"full": m + n - 1, "same": max(m, n), "valid": max(m, n) - min(m, n) + 1}[mode]
    index = first + np.arange(rows)[:, None] - np.arange(n)
    return jnp.where((index >= 0) & (index < m), _gather(a, np.clip(index, 0, m - 1)), 0)
