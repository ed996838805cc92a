"""Matrices of polynomials and populations: companion, Fiedler, Leslie."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from sci.bridge import Call, Example, Reason, implements
from sci.linalg._batch import core_shapes, over_batch
from sci.linalg.special_matrices import _SKIP

__all__ = ["companion", "fiedler", "fiedler_companion", "leslie"]


def _validate_leslie(call: Call) -> None:
    f, s = core_shapes(call, f=1, s=1)
    f, s = f or (1,), s or (1,)
    if f[-1] != s[-1] + 1:
        raise ValueError(f"Incorrect lengths for f and s: {f} and {s}; s must be one shorter than f")
    if s[-1] == 0:
        raise ValueError("The length of s must be at least 1.")


@implements(
    "scipy.linalg.leslie",
    dtypes="keep",
    validate=_validate_leslie,
    examples=lambda: [Example(([0.1, 2.0, 1.0], [0.2, 0.8]), grad=("f", "s"), vmap=("f", "s"), skip_odd=_SKIP)],
)
def leslie(f: Any, s: Any) -> Any:
    """The Leslie matrix of fecundities and survival rates.

    Parameters
    ----------
    f, s : array_like, shapes (..., n) and (..., n - 1)
        First row and subdiagonal.

    Returns
    -------
    array, shape (..., n, n)
        Differentiable.

    Raises
    ------
    ValueError
        For lengths that do not match.

    References
    ----------
    P. H. Leslie, "On the use of matrices in certain population mathematics", Biometrika 33 (1945) 183-212.

    Examples
    --------
    >>> from sci import linalg
    >>> linalg.leslie([1, 2], [3])
    array([[1, 2],
           [3, 0]])
    """
    dtype = jnp.result_type(f, s)

    def core(f: jax.Array, s: jax.Array) -> jax.Array:
        n = f.shape[0]
        return jnp.zeros((n, n), dtype).at[0].set(f.astype(dtype)).at[np.arange(1, n), np.arange(n - 1)].set(s)

    return over_batch(core, (jnp.atleast_1d(f), jnp.atleast_1d(s)), (1, 1))


def _validate_companion(call: Call) -> None:
    shape = np.shape(call["a"]) or (1,)
    if shape[-1] < 2:
        raise ValueError(f"The length of `a` along the last axis must be at least 2, it is {shape[-1]}.")
    if call.numpy and np.any(np.asarray(call["a"])[..., 0] == 0):
        raise ValueError("The first coefficient(s) of `a` (i.e. elements of `a[..., 0]`) must not be zero.")


@implements(
    "scipy.linalg.companion",
    validate=_validate_companion,
    examples=lambda: [Example(([2.0, -10.0, 31.0, -30.0],), grad=("a",), vmap=("a",), skip_odd=_SKIP)],
)
def companion(a: Any) -> Any:
    """The companion matrix of a polynomial.

    Parameters
    ----------
    a : array_like, shape (..., n)
        Coefficients, highest first.

    Returns
    -------
    array, shape (..., n - 1, n - 1)
        Its eigenvalues are the roots. Differentiable.

    Raises
    ------
    ValueError
        For fewer than two coefficients, or a leading one of zero (NumPy world; infinity in the JAX world).

    References
    ----------
    R. A. Horn, C. R. Johnson, "Matrix Analysis", 2nd ed., section 3.3.

    Examples
    --------
    >>> from sci import linalg
    >>> linalg.companion([1.0, -3.0, 2.0])
    array([[ 3., -2.],
           [ 1.,  0.]])
    """
    n = a.shape[-1] - 1
    c = jnp.zeros((*a.shape[:-1], n, n), a.dtype).at[..., np.arange(1, n), np.arange(n - 1)].set(1)
    return c.at[..., 0, :].set(-a[..., 1:] / a[..., :1])


@implements(
    "scipy.linalg.fiedler",
    dtypes="keep",
    supports=lambda call: (Reason.SHAPE, "no numbers") if call.numpy and np.size(call["a"]) == 0 else None,
    examples=lambda: [Example(([1.0, 4.0, 2.0],), grad=("a",), vmap=("a",), skip_odd=_SKIP)],
)
def fiedler(a: Any) -> Any:
    """The matrix of distances between numbers.

    Parameters
    ----------
    a : array_like, shape (..., n)
        Numbers.

    Returns
    -------
    array, shape (..., n, n)
        ``abs(a[i] - a[j])``. Differentiable where they differ.

    Raises
    ------
    TypeError
        For input that holds no numbers.

    References
    ----------
    J. Todd, "Basic Numerical Mathematics", vol. 2, Birkhauser 1977, p. 159 (attributed to M. Fiedler).

    Examples
    --------
    >>> from sci import linalg
    >>> linalg.fiedler([1, 4, 2])
    array([[0, 3, 1],
           [3, 0, 2],
           [1, 2, 0]])
    """
    a = jnp.atleast_1d(a)
    if a.size < 2:
        double = jnp.result_type(float)
        return jnp.zeros((0,), double) if a.size == 0 else jnp.zeros((1, 1), double)
    return jnp.abs(a[..., :, None] - a[..., None, :])


def _validate_fiedler_companion(call: Call) -> None:
    shape = np.shape(call["a"]) or (1,)
    if len(shape) > 1 and np.prod(shape) == 0:
        raise ValueError(f"Cannot apply along an axis of nothing: argument 'a' has shape {shape}")
    if shape[-1] > 2 and call.numpy and np.any(np.asarray(call["a"])[..., 0] == 0):
        raise ValueError("Leading coefficient is zero: argument 'a'")


@implements(
    "scipy.linalg.fiedler_companion",
    validate=_validate_fiedler_companion,
    examples=lambda: [
        Example(([2.0, -16.0, 86.0, -176.0, 105.0],), grad=("a",), vmap=("a",), skip_odd=(*_SKIP, "0-d", "1x1")),
    ],
)
def fiedler_companion(a: Any) -> Any:
    """Fiedler's pentadiagonal companion matrix of a polynomial.

    Parameters
    ----------
    a : array_like, shape (..., n)
        Coefficients, highest first.

    Returns
    -------
    array, shape (..., n - 1, n - 1)
        Its eigenvalues are the roots. Differentiable.

    Raises
    ------
    ValueError
        If the leading coefficient is zero (NumPy world; infinity or NaN in the JAX world).

    References
    ----------
    M. Fiedler, "A note on companion matrices", Linear Algebra Appl. 372 (2003) 325-331.

    Examples
    --------
    >>> from sci import linalg
    >>> linalg.fiedler_companion([1.0, -3.0, 2.0])
    array([[ 3., -2.],
           [ 1.,  0.]])
    """
    a = jnp.atleast_1d(a)
    if a.shape[-1] < 2:
        return jnp.zeros((*a.shape[:-1], 0), a.dtype)
    a = a / a[..., :1]
    if a.shape[-1] == 2:
        return -a[..., -1:, None]
    n = a.shape[-1] - 1
    c = jnp.zeros((*a.shape[:-1], n, n), a.dtype)
    c = c.at[..., np.arange(3, n, 2), np.arange(1, n - 2, 2)].set(1)
    c = c.at[..., np.arange(2, n, 2), np.arange(1, n - 1, 2)].set(-a[..., 3::2])
    c = c.at[..., np.arange(0, n - 2, 2), np.arange(2, n, 2)].set(1)
    c = c.at[..., np.arange(0, n - 1, 2), np.arange(1, n, 2)].set(-a[..., 2::2])
    return c.at[..., 0, 0].set(-a[..., 1]).at[..., 1, 0].set(1)
