"""Arguments of the interpolative functions: matrices, operators, ranks and random sketches."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from scipy import sparse
from scipy.sparse.linalg import LinearOperator, aslinearoperator

from sci.bridge import Call, HostRoute, Reason
from sci.bridge.randomness import borrow
from sci.bridge.worlds import is_jax
from sci.sparse.linalg._operators import Dense, from_scipy

__all__ = ["ODD", "OVERSAMPLING", "adjoint", "apply", "draw", "matrix", "precision", "sketch", "sketch_sizes"]

#: What the contract tries beyond real doubles: refused here, where SciPy reads beyond its arrays or refuses too.
ODD = ("float32", "integer", "list", "empty", "0-d", "1x1", "one axis more", "string", "object", "nan", "inf")
#: Rows of a sketch beyond the rank.
OVERSAMPLING = 8


def _dtype(call: Call, name: str, value: Any) -> np.dtype:
    if not hasattr(value, "dtype"):
        raise TypeError(f"invalid input type (must be array or LinearOperator): argument {name!r} is {type(value)}")
    if call.numpy and np.dtype(value.dtype).char not in "dD":
        raise ValueError(f"invalid input dtype (input must be float64 or complex128): {name!r} is {value.dtype}")
    return np.dtype(value.dtype)


def matrix(call: Call, name: str = "A", coerce: bool = False) -> tuple[Any, tuple[int, int], bool]:
    """Type and shape of an array or operator, and whether it is an operator; its products go beside it.

    ``call[name]`` becomes an array, a sparse operator of ours or None, with ``call["matvec"]`` and ``call["rmatvec"]``
    (followed by the name where it is not A).
    """
    value = call[name]
    suffix = "" if name == "A" else f"_{name.lower()}"
    call["matvec" + suffix] = call["rmatvec" + suffix] = None
    if coerce and not is_jax(value) and not isinstance(value, LinearOperator):
        if sparse.issparse(value):
            dtype = _dtype(call, name, value)
            call[name] = from_scipy(value, True)
            return dtype, value.shape, True
        value = call[name] = getattr(aslinearoperator(value), "A", value)
    dtype = _dtype(call, name, value)
    linear = isinstance(value, LinearOperator)
    if linear:
        _unwrap(call, name, suffix, value)
    elif not (isinstance(value, np.ndarray) or is_jax(value)):
        raise TypeError(f"invalid input type (must be array or LinearOperator): argument {name!r} is {type(value)}")
    shape = tuple(value.shape)
    if len(shape) != 2 or 0 in shape:
        raise ValueError(f"argument {name!r} has shape {shape}; allowed are matrices that are not empty")
    if call.numpy and isinstance(call[name], np.ndarray) and not np.isfinite(call[name]).all():
        raise ValueError(f"array must not contain infs or NaNs: argument {name!r}")
    return dtype, (shape[0], shape[1]), linear


def _unwrap(call: Call, name: str, suffix: str, value: Any) -> None:
    inner = getattr(value, "A", None)
    if type(value).__name__ == "MatrixLinearOperator" and inner is not None:
        call[name] = from_scipy(inner, True) if sparse.issparse(inner) else np.asarray(inner)
        return
    forward = getattr(value, "_CustomLinearOperator__matvec_impl", None)
    backward = getattr(value, "_CustomLinearOperator__rmatvec_impl", None)
    if forward is None or backward is None:
        raise HostRoute(Reason.OPTION, f"argument {name!r} is a {type(value).__name__}")
    call[name], call["matvec" + suffix], call["rmatvec" + suffix] = None, forward, backward


def precision(call: Call, shape: tuple[int, int]) -> None:
    """``eps_or_k`` as ``call["rank"]`` or ``call["eps"]``, of which the other is None or without effect."""
    value = call["eps_or_k"]
    if is_jax(value) and isinstance(value, jax.core.Tracer):
        call["rank"], call["eps"] = None, value
        return
    if not value >= 0:
        raise ValueError(f"argument 'eps_or_k' is {value!r}; allowed are precisions from 0 to 1 and ranks from 1")
    call["eps"], call["rank"] = (float(value), None) if value < 1 else (0.0, int(value))
    if call["rank"] is not None and call["rank"] > min(shape):
        raise ValueError(f"Approximation rank {call['rank']} exceeds min(A.shape) = {min(shape)}")


def draw(call: Call, shape: tuple[int, ...], dtype: Any) -> Any:
    """Standard normal numbers, by ``key`` where it is given, by ``rng`` else."""
    kind = np.empty(0, dtype).real.dtype
    parts = 2 if np.dtype(dtype).kind == "c" else 1
    numbers: Any
    if call["key"] is not None:
        numbers = jax.random.normal(call["key"], (parts, *shape), kind)
    else:
        rng = np.random.default_rng(borrow(call, call["rng"]))
        numbers = rng.standard_normal((parts, *shape)).astype(kind)
    return numbers[0] if parts == 1 else numbers[0] + 1j * numbers[1]


def sketch_sizes(shape: tuple[int, int]) -> list[int]:
    """Growing numbers of rows for a matrix of unknown rank; the last one is enough for every rank."""
    last = min(shape[0], min(shape) + OVERSAMPLING)
    sizes = [40]
    while 4 * sizes[-1] < last:
        sizes.append(4 * sizes[-1])
    return [size for size in sizes if size < last] + [last]


def apply(op: Any, function: Any, x: Any) -> Any:
    """The operator times a vector."""
    if function is not None:
        return jnp.asarray(function(x)).reshape(-1)
    return op.apply(x) if hasattr(op, "apply") else Dense(matrix=op).apply(x)


def adjoint(op: Any, function: Any, x: Any) -> Any:
    """The operator's adjoint times a vector."""
    if function is not None:
        return jnp.asarray(function(x)).reshape(-1)
    return op.adjoint(x) if hasattr(op, "adjoint") else Dense(matrix=op).adjoint(x)


def sketch(op: Any, function: Any, omega: Any) -> Any:
    """``omega^H @ A`` for omega of shape (m, l)."""
    if function is None and not hasattr(op, "adjoint"):
        return omega.conj().T @ op
    return jax.vmap(lambda x: adjoint(op, function, x), in_axes=1, out_axes=1)(omega).conj().T
