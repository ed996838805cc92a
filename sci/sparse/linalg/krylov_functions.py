"""Any function of an operator times a vector: funm_multiply_krylov."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from sci.bridge import Call, Example, HostRoute, Reason, implements
from sci.bridge.worlds import is_jax
from sci.sparse.linalg._arguments import operator
from sci.sparse.linalg._spectral import dtype_of, product
from solvers.linear.krylov_function import NEAR, krylov_function

__all__ = ["funm_multiply_krylov"]

_STRUCTURES = {"hermitian": True, "her": True, "general": False, "gen": False}
_NAME = "scipy.sparse.linalg.funm_multiply_krylov"


def _positive(call: Call, name: str) -> int:
    value = int(call[name])
    if value <= 0:
        raise ValueError(f"{_NAME}: argument {name!r} must be positive, got {value}")
    return value


def _prepare(call: Call) -> None:
    if call["assume_a"] not in _STRUCTURES:
        raise ValueError(f"{_NAME}: {call['assume_a']} is not a recognized matrix structure; allowed: {[*_STRUCTURES]}")
    call["hermitian"] = _STRUCTURES[call["assume_a"]]
    b = call["b"] = call["b"] if is_jax(call["b"]) else np.asarray(call["b"])
    if b.ndim != 1:
        raise ValueError(f"{_NAME}: argument 'b' must be a 1D array, got shape {b.shape}")
    n = b.shape[0]
    if n == 0:
        raise HostRoute(Reason.SHAPE, "an empty vector")
    if b.dtype.kind not in "biufc":
        raise HostRoute(Reason.DTYPE, f"argument 'b' is {b.dtype}")
    if not hasattr(call["A"], "shape"):
        raise HostRoute(Reason.OPTION, f"argument 'A' is a {type(call['A']).__name__}")
    if tuple(call["A"].shape) != (n, n):
        raise ValueError(f"{_NAME}: shapes of A {tuple(call['A'].shape)} and b {b.shape} are incompatible")
    if call["restart_every_m"] is None:
        call["restart_every_m"] = min(20, n)
    most = _positive(call, "restart_every_m")
    cycles = min(_positive(call, "max_restarts"), int(n / most) + 1)
    call["steps"] = min(most, n)
    call["cycles"] = 1 if call["steps"] == n else cycles  # the whole space
    for name in ("atol", "rtol"):
        if not is_jax(call[name]) and not float(call[name]) >= 0:
            raise ValueError(f"{_NAME}: argument {name!r} must not be negative, got {call[name]!r}")
    dtype = np.result_type(np.dtype(dtype_of(call, "A")), b.dtype)
    if dtype.kind not in "fc":
        dtype = np.dtype(float) if call.numpy else np.dtype(jnp.result_type(float))
    call["b"] = b.astype(dtype)
    operator(call, "A", "matvec")
    call["near"] = call["f"]
    call["far"] = call["f"] if call["cycles"] > NEAR else None


def _matrix(call: Call, cycles: int) -> tuple[Any, ...]:
    """A regular Hessenberg matrix of the order that the function will see."""
    size = call["steps"] * cycles
    t = 1.0 if is_jax(call["t"]) else call["t"]
    h = np.diag(1 + 0.5 * np.cos(np.arange(size))) + np.diag(np.full(size - 1, 0.1), -1)
    return (np.asarray(t * h).astype(np.result_type(call["b"].dtype, np.asarray(t).dtype.type(0))),)


@implements(
    _NAME,
    static=("steps", "cycles", "hermitian"),
    callables={
        "matvec": lambda call: (call["b"],),
        "near": lambda call: _matrix(call, min(call["cycles"], NEAR)),
        "far": lambda call: _matrix(call, call["cycles"]),
    },
    trees=("A",),
    dtypes={"A": "keep", "b": "keep", "t": "keep", "atol": "keep", "rtol": "keep"},
    prepare=_prepare,
    grad=False,
    note="LinearOperator subclasses; f that is not verified at the order of all cycles (steep ones, above 300).",
    examples=lambda: [
        Example(
            (lambda x: x @ x @ x - x, np.array([[3.0, 2.0, 0.0], [1.0, -1.0, 0.0], [0.0, 5.0, 1.0]]),
             np.array([2.0, 4.0, -1.0])),
            {"t": 0.5}, vmap=("b",),
            # SciPy fails for these in ways of its own
            skip_odd=("empty", "0-d", "1x1", "string", "object", "nan", "inf", "one axis more", "int64"),
        )
    ],
)  # fmt: skip
def funm_multiply_krylov(A, matvec, near, far, b, t, atol, rtol, steps, cycles, hermitian):
    """A function of a matrix times a vector, ``f(t A) @ b``, by a restarted Krylov method.

    Parameters
    ----------
    f : callable
        Of a square array, which returns one of its shape: the function of that matrix.
    A : matrix, sparse matrix or array, LinearOperator, shape (n, n)
    b : array, shape (n,)
    assume_a : {'general', 'gen', 'hermitian', 'her'}
    t : scalar
        A factor of `A`.
    atol, rtol : float
        It ends with the cycle that adds at most ``max(atol, rtol * norm(b))`` in the 2-norm, or the last one.
    restart_every_m : int, optional
        Vectors in a cycle: ``min(20, n)`` by default.
    max_restarts : int
        The most cycles.

    Returns
    -------
    array, shape (n,)
        Not differentiable in reverse mode.

    Raises
    ------
    ValueError
        For an unknown `assume_a`, shapes that do not fit, and numbers that must be positive.

    Notes
    -----
    M. Eiermann, O. G. Ernst, SIAM J. Numer. Anal. 44, 2006. `f` sees matrices of two orders, filled up with an
    uncoupled multiple of the identity, where SciPy's grow with each cycle. The vectors are orthogonalised twice, also
    for a Hermitian `A`; a Krylov space that is invariant gives the exact result. As in SciPy, nothing tells that
    `max_restarts` was reached.

    Examples
    --------
    >>> import numpy as np
    >>> from scipy.linalg import expm
    >>> from sci.sparse.linalg import funm_multiply_krylov
    >>> funm_multiply_krylov(expm, np.diag([0.0, 1.0]), np.array([1.0, 1.0])).round(6)
    array([1.      , 2.718282])
    """
    real = b.real.dtype
    t = jnp.asarray(t)
    t = t.astype(jnp.result_type(real, jnp.complex64) if jnp.iscomplexobj(t) else real)
    target = jnp.maximum(jnp.asarray(atol, real), jnp.asarray(rtol, real) * jnp.linalg.norm(b))

    def apply(x: jax.Array) -> jax.Array:
        return product(A, matvec, x)

    def checked(f: Any) -> Any:
        def function(x: jax.Array) -> jax.Array:
            out = jnp.asarray(f(x))
            if out.shape != x.shape:
                raise ValueError(f"argument 'f' returned an array of shape {out.shape}; it has to be {x.shape}")
            return out

        return function

    return krylov_function(apply, checked(near), checked(far), b, t, target, steps, cycles, hermitian)
