"""Arguments of the iterative solvers: operators, right-hand sides, preconditioners."""

from __future__ import annotations

from typing import Any

import jax
import numpy as np
from scipy import sparse
from scipy.sparse.linalg import LinearOperator

from sci.bridge import Call, HostRoute, Reason
from sci.bridge.worlds import is_jax
from sci.sparse.linalg._operators import Dense, from_jax_sparse, from_scipy

__all__ = ["operator", "prepare_square", "vector"]


def operator(call: Call, name: str, function: str, adjoint: bool = False) -> tuple[int, int] | None:
    """Replace ``call[name]`` by a pytree operator, or put its product under ``call[function]``; returns its shape.

    Raises
    ------
    HostRoute
        For operators whose products are no plain functions.
    """
    value = call[name]
    call[function] = None
    if value is None:
        return None
    if sparse.issparse(value):
        if value.dtype.kind not in "biufc":
            raise HostRoute(Reason.DTYPE, f"argument {name!r} is {value.dtype}")
        call[name] = from_scipy(value, adjoint)
        return value.shape
    if isinstance(value, LinearOperator):
        return _from_linear_operator(call, name, function, value, adjoint)
    if type(value).__module__.startswith("jax.experimental.sparse"):
        call[name] = from_jax_sparse(value)
        call.numpy = False
        return value.shape
    if callable(value):  # of ours: a function that applies the matrix
        call[name], call[function] = None, value
        return None
    if not is_jax(value):
        value = np.asarray(value)
        if value.dtype.kind not in "biufc":
            raise HostRoute(Reason.DTYPE, f"argument {name!r} is {value.dtype}")
        if value.dtype.kind not in "fc":  # as sparse matrices: integers of any size become float64
            value = value.astype(float)
        elif value.dtype.itemsize < 4:
            value = value.astype(np.float32)
    if value.ndim != 2:
        raise ValueError(f"argument {name!r} has shape {value.shape}; allowed are two dimensions")
    call[name] = Dense(matrix=value)
    return value.shape


def _from_linear_operator(call: Call, name: str, function: str, value: Any, adjoint: bool) -> tuple[int, int]:
    matrix = getattr(value, "A", None)
    if type(value).__name__ == "MatrixLinearOperator" and matrix is not None:
        call[name] = from_scipy(matrix, adjoint) if sparse.issparse(matrix) else Dense(matrix=np.asarray(matrix) * 1.0)
        return value.shape
    if type(value).__name__ == "IdentityOperator":
        call[name] = None
        return value.shape
    product = getattr(value, "_CustomLinearOperator__matvec_impl", None)
    if product is None or adjoint:
        raise HostRoute(Reason.OPTION, f"argument {name!r} is a {type(value).__name__}")
    call[name], call[function] = None, product
    return value.shape


def vector(call: Call, name: str, squeeze: bool = False) -> Any:
    """A right-hand side or start of shape (n,) or (n, 1), as (n,); `squeeze` drops all axes of length 1."""
    value = call[name]
    if not is_jax(value):
        value = np.asarray(value)
        if value.dtype.kind not in "biufc":
            raise HostRoute(Reason.DTYPE, f"argument {name!r} is {value.dtype}")
        if call.numpy:
            value = value.astype(value.dtype if value.dtype.kind in "fc" else float, copy=False)
    if squeeze:
        value = value.squeeze().reshape(-1) if value.ndim != 1 and value.squeeze().ndim <= 1 else value
    if value.ndim != 1 and not (value.ndim == 2 and value.shape[1] == 1):
        raise ValueError(f"argument {name!r} has shape {value.shape}; allowed are (n,) and (n, 1)")
    return value.reshape(-1)


def prepare_square(
    call: Call, adjoint: bool = False, preconditioners: tuple[tuple[str, str], ...] = (("M", "psolve"),)
) -> None:
    """What the solvers of square systems share; `preconditioners` are pairs of an argument and its function's name.

    Raises
    ------
    ValueError
        If the matrix is not square, or shapes do not fit.
    """
    if call.get("callback") is not None:
        raise HostRoute(Reason.CALLBACK, "callback")
    shape = operator(call, "A", "matvec", adjoint)
    if shape is not None and shape[0] != shape[1]:
        raise ValueError(f"expected square matrix, but got shape={tuple(shape)}")
    call["b"] = vector(call, "b")
    n = call["b"].shape[0]
    if shape is not None and shape[0] != n:
        raise ValueError(f"shapes of A {tuple(shape)} and b {(n,)} are incompatible")
    if call["x0"] is None:
        call["x0"] = jax.numpy.zeros_like(call["b"]) if is_jax(call["b"]) else np.zeros_like(call["b"])
    elif isinstance(call["x0"], str):
        raise HostRoute(Reason.OPTION, "x0='Mb'")
    call["x0"] = vector(call, "x0")
    if call["x0"].shape != call["b"].shape:
        raise ValueError(f"shapes of A {(n, n)} and x0 {call['x0'].shape} are incompatible")
    for name, function in preconditioners:
        shape = operator(call, name, function, adjoint)
        if shape is not None and tuple(shape) != (n, n):
            raise ValueError(f"matrix and preconditioner have different shapes: {(n, n)} and {tuple(shape)}")
    if call["maxiter"] is None:
        call["maxiter"] = 10 * n
    if "atol" in call and (isinstance(call["atol"], str) or (not is_jax(call["atol"]) and call["atol"] < 0)):
        raise ValueError(f"'atol' is {call['atol']!r}; allowed are numbers from 0")
