"""Functions of sparse matrices: expm_multiply."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from scipy import sparse

from sci.bridge import Call, Example, HostRoute, Reason, implements
from sci.bridge.worlds import is_jax
from sci.sparse.linalg._operators import Dense, from_scipy
from solvers.linear.exponential_action import exponential_action

__all__ = ["expm_multiply"]


def _prepare(call: Call) -> None:
    a, b = call["A"], call["B"]
    if sparse.issparse(b):
        raise HostRoute(Reason.SPARSE, "argument 'B'")
    if not sparse.issparse(a) and not isinstance(a, np.ndarray) and not is_jax(a):
        if isinstance(a, (list, tuple)):
            a = np.asarray(a)
        else:
            raise HostRoute(Reason.OPTION, f"argument 'A' is a {type(a).__name__}")
    b = b if is_jax(b) else np.asarray(b)
    for name, value in (("A", a), ("B", b)):
        if value.dtype.kind not in "biufc":
            raise HostRoute(Reason.DTYPE, f"argument {name!r} is {value.dtype}")
    if len(a.shape) != 2 or a.shape[0] != a.shape[1]:
        raise ValueError(f"expected A to be like a square matrix; argument 'A' has shape {tuple(a.shape)}")
    if b.ndim not in (1, 2):
        raise ValueError(f"expected B to be like a matrix or a vector; argument 'B' has shape {b.shape}")
    if a.shape[1] != b.shape[0]:
        raise ValueError(f"shapes of matrices A {tuple(a.shape)} and B {b.shape} are incompatible")
    given = [name for name in ("start", "stop", "num", "endpoint") if call[name] is not None]
    if given and (call["start"] is None or call["stop"] is None):
        raise TypeError(f"start and stop must be given with {given}")
    call["sequence"] = bool(given)
    call["num"] = 50 if call["num"] is None else int(call["num"])
    if call["sequence"] and call["num"] < 2:
        raise ValueError(f"at least two time points are required; num={call['num']}")
    call["endpoint"] = True if call["endpoint"] is None else bool(call["endpoint"])
    if not call["sequence"]:
        call["start"], call["stop"], call["num"], call["endpoint"] = 0.0, 0.0, 2, True
    dtype = np.result_type(a.dtype, b.dtype)
    if dtype.kind not in "fc":
        dtype = np.dtype(float) if call.numpy else np.dtype(jnp.result_type(float))
    if call.numpy and call["sequence"]:
        dtype = np.result_type(dtype, np.float64)
    call["B"] = b.astype(dtype)
    if sparse.issparse(a):
        n = a.shape[0]
        trace = a.diagonal().sum() if call["traceA"] is None else call["traceA"]
        shift = trace / max(n, 1)
        moved = (a - shift * sparse.eye_array(n)).tocsr() if n else a
        call["shift"], call["size"] = shift, abs(moved).sum(axis=0).max(initial=0.0) if n else 0.0
        call["A"] = from_scipy(moved)
    else:
        call["shift"] = call["size"] = None  # in the body, where A may be traced
        call["A"] = Dense(matrix=a.astype(np.result_type(a.dtype, dtype.type(0).real.dtype)))


def _apply(op: Any, x: Any) -> Any:
    if isinstance(op, Dense):
        return (op.matrix @ x).astype(x.dtype)
    return jax.vmap(op.apply, 1, 1)(x).astype(x.dtype)


# SciPy words these otherwise or not at all; how far an infinity spreads hangs on the number of terms
_ODD = ("0-d", "1x1", "string", "object", "empty", "one axis more", "inf")


def _example() -> tuple[Any, ...]:
    a = np.array([[-2.0, 1.0, 0.1], [1.0, -2.0, 1.0], [0.0, 0.7, -1.0]])
    return a, np.array([1.0, 2.0, -1.0])


@implements(
    "scipy.sparse.linalg.expm_multiply",
    static=("sequence", "num", "endpoint"),
    trees=("A",),
    dtypes={"A": "keep", "B": "keep"},
    prepare=_prepare,
    note="LinearOperator, sparse B.",
    examples=lambda: [
        Example(_example(), grad=("A", "B"), vmap=("A", "B"), skip_odd=_ODD),
        Example((*_example(), 0.0, 1.0, 3), grad=("A",), skip_odd=_ODD),
    ],
)  # fmt: skip
def expm_multiply(A, B, start, stop, num, endpoint, traceA, sequence, shift, size):
    """The exponential of a matrix times a vector or block: ``expm(t A) @ B``.

    Parameters
    ----------
    A : matrix, sparse matrix or array, shape (n, n)
    B : array, shape (n,) or (n, k)
    start, stop, num, endpoint
        Times, as of `numpy.linspace` (`num` is static); the time is 1 without them.
    traceA : scalar, optional
        The trace, or near it: by default exact.

    Returns
    -------
    array, shape of B, or (num, *shape of B)
        Differentiable in both modes, while the 1-norm of the shifted ``t A`` is below 1,200 between two times (the
        derivative is NaN above).

    Raises
    ------
    ValueError
        For shapes that do not match or less than two times.
    TypeError
        If only one of `start` and `stop` is given.

    Notes
    -----
    A. H. Al-Mohy, N. J. Higham, SIAM J. Sci. Comput. 33, 2011. The number of steps follows from the 1-norm; SciPy
    estimates norms of powers too, which takes fewer steps for matrices that are far from normal. A sequence goes from
    time to time.

    Examples
    --------
    >>> import numpy as np
    >>> from sci.sparse.linalg import expm_multiply
    >>> expm_multiply(np.diag([0.0, 1.0]), np.array([1.0, 1.0])).round(6)
    array([1.      , 2.718282])
    """
    n = B.shape[0]
    if n == 0 or B.size == 0:
        return jnp.zeros((num, *B.shape) if sequence else B.shape, B.dtype)
    real = B.real.dtype
    if isinstance(A, Dense):
        shift = (jnp.trace(A.matrix) if traceA is None else jnp.asarray(traceA)) / n
        # another shift changes the cost, not the result
        shift = lax.stop_gradient(shift)
        A = Dense(matrix=A.matrix - shift.astype(A.matrix.dtype) * jnp.eye(n, dtype=A.matrix.dtype))
        size = jnp.abs(A.matrix).sum(axis=0).max()
    shift, size = jnp.asarray(shift), jnp.asarray(size).astype(real)
    shift = shift.astype(B.dtype if jnp.iscomplexobj(shift) else real)
    x = B.reshape(n, -1)
    one = jnp.ones((), real)
    if not sequence:
        return exponential_action(_apply, A, x, one, shift, size).reshape(B.shape)
    start, stop = jnp.asarray(start, real), jnp.asarray(stop, real)
    h = (stop - start) / (num - 1 if endpoint else num)
    times = jnp.full(num, h).at[0].set(start)

    def step(x: Any, t: Any) -> tuple[Any, Any]:
        x = exponential_action(_apply, A, x, t, shift, size)
        return x, x

    return lax.scan(step, x, times)[1].reshape(num, *B.shape)
