"""The 1-norm of an operator, estimated: onenormest."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from scipy.sparse.linalg import LinearOperator

from sci.bridge import Call, Example, HostRoute, Reason, implements
from sci.sparse.linalg._arguments import operator
from sci.sparse.linalg._operators import Dense
from sci.sparse.linalg._spectral import dtype_of, product
from solvers.linear.norm_estimate import one_norm_estimate

__all__ = ["onenormest"]


def _prepare(call: Call) -> None:
    a, t, limit = call["A"], call["t"], call["itmax"]
    if not hasattr(a, "shape"):
        if callable(a):
            raise TypeError("argument 'A' is a function: its order is not known; allowed are matrices and operators")
        a = call["A"] = np.asarray(a)
    if a.ndim < 2 and isinstance(a, np.ndarray):
        raise HostRoute(Reason.SHAPE, f"argument 'A' has shape {a.shape}")
    shape = tuple(a.shape)
    if len(shape) != 2 or shape[0] != shape[1]:
        raise ValueError(f"expected the operator to act like a square matrix: argument 'A' has shape {shape}")
    n = int(shape[0])
    if n == 0:
        raise HostRoute(Reason.SHAPE, "an empty matrix")
    call["exact"] = t >= n
    if not call["exact"]:
        if limit < 2:
            raise ValueError(f"at least two iterations are required: itmax={limit}")
        if t < 1:
            raise ValueError(f"at least one column is required: t={t}")
    dtype = np.dtype(dtype_of(call, "A"))
    call["rmatvec"] = None
    adjoint = getattr(a, "_CustomLinearOperator__rmatvec_impl", None)
    if isinstance(a, LinearOperator) and adjoint is not None:
        operator(call, "A", "matvec")
        call["rmatvec"] = adjoint if call["matvec"] is not None else None
    else:
        operator(call, "A", "matvec", adjoint=not call["exact"])
    call["start"] = np.zeros(n, dtype)
    call["pool"] = None if call["exact"] else _pool(n, int(t))
    call["compute_v"], call["compute_w"] = bool(call["compute_v"]), bool(call["compute_w"])
    call["t"], call["itmax"] = int(t), int(limit)


def _pool(n: int, t: int) -> np.ndarray:
    """Random signs in columns, each once and none of them all ones."""
    signs = np.random.default_rng(0).integers(0, 2, (4 * t, n), dtype=np.int8) * np.int8(2) - np.int8(1)
    if n < 64:
        kept = [s for s in dict.fromkeys(map(tuple, signs.tolist())) if min(s) < 0]
        # signs of few bits: enough of them exist, as t < n
        number = 0
        while len(kept) < t:
            bits = tuple(1 - 2 * ((number >> i) & 1) for i in range(n))
            kept += [bits] if min(bits) < 0 and bits not in kept else []
            number += 1
        signs = np.array(kept, np.int8)
    return np.ascontiguousarray(signs.T)


def _block(op: Any, function: Any, adjoint: bool, x: Any) -> Any:
    if function is not None:
        return jax.vmap(lambda v: product(None, function, v), 1, 1)(x)
    if op is None:
        return x
    if isinstance(op, Dense):
        return (jnp.conj(op.matrix.T) if adjoint else op.matrix).astype(x.dtype) @ x
    return jax.vmap(op.adjoint if adjoint else op.apply, 1, 1)(x).astype(x.dtype)


def _example() -> tuple[Any, ...]:
    return (np.array([[1.0, 0.3, 0.2], [5.0, 8.0, 2.0], [0.1, -1.0, 0.4]]),)


@implements(
    "scipy.sparse.linalg.onenormest",
    static=("t", "compute_v", "compute_w", "exact"),
    callables={"matvec": lambda call: (call["start"],), "rmatvec": lambda call: (call["start"],)},
    trees=("A",),
    dtypes={"A": "keep", "itmax": "keep", "pool": "keep"},
    prepare=_prepare,
    note="LinearOperator subclasses and functions without an adjoint.",
    examples=lambda: [
        # one column: the only deterministic estimate of the original
        Example(_example(), {"t": 1, "compute_v": True, "compute_w": True}, grad=("A",), vmap=("A",),
                skip_odd=("nan", "inf", "string", "object", "empty", "1x1", "0-d", "one axis more")),
        Example(_example(), {"t": 3}, skip_odd=("string", "object", "empty", "0-d", "one axis more")),
    ],
)  # fmt: skip
def onenormest(A, matvec, rmatvec, start, pool, t, itmax, compute_v, compute_w, exact):
    """A lower bound of the 1-norm of a matrix or operator, mostly near it, from a few products.

    Parameters
    ----------
    A : matrix, sparse matrix or array, LinearOperator with its adjoint, shape (n, n)
    t : int
        Number of columns: more cost more and find more. From n on the norm is exact.
    itmax : int
        Most iterations, at least 2.
    compute_v, compute_w : bool
        Whether to return `v`, `w` too.

    Returns
    -------
    est : float
        Differentiable in both modes with respect to the values of A (for a fixed `v`).
    v : array, shape (n,)
        Of 1-norm 1, with ``est = norm(A v, 1)``. A column of the identity, unless the starting vector was better (SciPy
        returns another vector then, which does not reach `est`).
    w : array, shape (n,)
        ``A v``.

    Raises
    ------
    ValueError
        If A is not square, or `t` or `itmax` is too small.
    TypeError
        If A is no matrix or operator.

    Notes
    -----
    N. J. Higham, F. Tisseur, SIAM J. Matrix Anal. Appl. 21, 2000. With `t` above 1 the method starts from random signs:
    here they are the same at each call, and NumPy's global generator is left alone.

    Examples
    --------
    >>> import numpy as np
    >>> from sci.sparse.linalg import onenormest
    >>> print(onenormest(np.array([[1.0, 0.0, 0.0], [5.0, 8.0, 2.0], [0.0, -1.0, 0.0]])))
    9.0
    """
    n, dtype = start.shape[0], start.dtype
    if exact:
        full = _block(A, matvec, False, jnp.eye(n, dtype=dtype))
        lengths = jnp.abs(full).sum(axis=0)
        j = jnp.argmax(lengths)
        v, w = jnp.zeros(n, start.real.dtype).at[j].set(1), full[:, j]
    else:
        fixed, forward, backward = lax.stop_gradient((A, matvec, rmatvec))
        v = one_norm_estimate(
            lambda x: _block(fixed, forward, False, x), lambda x: _block(fixed, backward, True, x),
            n, t, itmax, dtype, jnp.asarray(pool),
        )  # fmt: skip
        v = lax.stop_gradient(v)
        w = _block(A, matvec, False, v[:, None].astype(dtype))[:, 0]
    estimate = jnp.abs(w).sum()
    if not (compute_v or compute_w):
        return estimate
    return (estimate, *([v] if compute_v else []), *([w] if compute_w else []))
