"""Checks and small pieces that the dense families share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from scipy.linalg import LinAlgError

from sci.bridge import Call

__all__ = ["adjoint", "from_triangle", "lapack_dtypes", "need_square", "need_square_stack", "raise_if_nan", "widen"]


def need_square_stack(call: Call) -> None:
    """Validate step: ``a`` is a stack of square matrices, two dimensions at least."""
    a = call["a"]
    if np.ndim(a) < 2:
        raise ValueError(f"Expected at least ndim=2, got a1.ndim={np.ndim(a)} for argument 'a'")
    if a.shape[-1] != a.shape[-2]:
        raise ValueError(f"Expected square matrix, got a1.shape={a.shape} for argument 'a'")


def need_square(call: Call) -> None:
    """Validate step of the older functions, whose wording differs."""
    a = call["a"]
    if np.ndim(a) < 2 or a.shape[-1] != a.shape[-2]:
        raise ValueError(f'expected square "a" matrix, got shape {np.shape(a)}')


def adjoint(a: jax.Array) -> jax.Array:
    """The conjugate transpose of the last two axes."""
    return jnp.swapaxes(a, -1, -2).conj()


def from_triangle(a: jax.Array, lower: bool, hermitian: bool = True) -> jax.Array:
    """The full symmetric (Hermitian) matrix of which only one triangle of `a` is read."""
    n = a.shape[-1]
    mirrored = adjoint(a) if hermitian else jnp.swapaxes(a, -1, -2)
    row, column = np.arange(n)[:, None], np.arange(n)
    stored = row >= column if lower else row <= column
    full = jnp.where(stored, a, mirrored)
    if hermitian and jnp.iscomplexobj(a):
        full = jnp.where(row == column, full.real.astype(a.dtype), full)
    return full


def raise_if_nan(message: str) -> Callable[[Call, Any], Any]:
    """A finish step: NaN in the output of finite input means that LAPACK gave up."""

    def finish(call: Call, out: Any) -> Any:
        first = out[0] if isinstance(out, tuple) else out
        if np.isnan(first).any() and np.isfinite(call["a"]).all():
            raise LinAlgError(message)
        return out

    return finish


def widen(array: Any) -> np.ndarray:
    """In double precision, for functions that return double for single input."""
    array = np.asarray(array)
    return array.astype(np.result_type(array.dtype, np.float64), copy=False) if array.dtype.kind in "fc" else array


def lapack_dtypes(call: Call, *names: str) -> None:
    """Prepare step, NumPy world: the types that LAPACK has, as SciPy makes them (extended precision is narrowed).

    Raises
    ------
    ValueError, TypeError
        For objects, and for types that do not promote.
    """
    values = [call[name] for name in names]
    if not call.numpy or all(type(x) is np.ndarray and x.dtype.char in "dfDF" for x in values):
        return
    if not all(isinstance(x, (np.ndarray, np.generic)) for x in values):
        return
    if any(x.dtype.kind == "O" for x in values):
        raise ValueError(f"object arrays are not supported: arguments {names}")
    dtype = np.result_type(*values)
    if dtype.kind in "SU":
        dtype = np.dtype(float)
    elif dtype.char in "gG":
        dtype = np.dtype(complex if dtype.kind == "c" else float)
    else:
        return
    for name, value in zip(names, values, strict=True):
        call[name] = value.astype(dtype)
