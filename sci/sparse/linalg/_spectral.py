"""Arguments of eigsh and eigs: checks in ARPACK's order, and the operators of the spectral transformations."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp
import numpy as np
from scipy import sparse
from scipy.sparse.linalg import LinearOperator

from sci.bridge import Call, HostRoute, Reason, as_array, warn_user
from sci.bridge.randomness import borrow
from sci.bridge.worlds import is_jax, is_traced
from sci.sparse.linalg._arguments import operator
from sci.sparse.linalg._factors import DenseSystem
from sci.sparse.linalg._sparse_lu import sparse_lu

__all__ = ["common", "dtype_of", "generator", "product", "solver_of"]


def generator(call: Call, rng: Any) -> np.random.Generator:
    """What a start is drawn from: the user's `rng`, borrowed, or the same numbers in every call."""
    return np.random.default_rng(0 if rng is None else borrow(call, rng))


def product(op: Any, function: Any, x: Any) -> Any:
    """A product with an operator that is a pytree or a function; real ones take complex vectors by parts."""
    if function is None and op is None:
        return x
    if jnp.iscomplexobj(x) and not _complex(op, function, x):
        return (_plain(op, function, x.real) + 1j * _plain(op, function, x.imag)).astype(x.dtype)
    return _plain(op, function, x)


def _complex(op: Any, function: Any, x: Any) -> bool:
    import jax

    if function is not None:
        return jnp.issubdtype(jax.eval_shape(lambda v: as_array(function(v)), x.real).dtype, jnp.complexfloating)
    return any(jnp.iscomplexobj(leaf) for leaf in jax.tree.leaves(op))


def _plain(op: Any, function: Any, x: Any) -> Any:
    y = op.apply(x) if function is None else as_array(function(x)).reshape(-1)
    return y.astype(x.dtype)


def solver_of(op: Any, function: Any) -> Any:
    """What applies the inverse: a factorisation made here, or the user's operator."""
    if function is None and hasattr(op, "solver"):
        return op.solver()
    return lambda x: product(op, function, x)


def dtype_of(call: Call, name: str) -> Any:
    """The floating dtype of an operator argument, before it is converted."""
    value = call[name]
    if callable(value) and not hasattr(value, "dtype"):
        return jnp.result_type(float) if not call.numpy else np.dtype(float)
    dtype = np.dtype(getattr(value, "dtype", None) or np.asarray(value).dtype)
    if dtype.kind in "biu":
        return np.dtype(float) if call.numpy else jnp.result_type(float)
    if dtype.char not in "fdFD":
        raise HostRoute(Reason.DTYPE, f"argument {name!r} is {dtype}")
    return dtype


def _shape(call: Call, name: str) -> tuple[int, ...] | None:
    value = call[name]
    if value is None or (callable(value) and not hasattr(value, "shape")):
        return None
    return tuple(value.shape if hasattr(value, "shape") else np.shape(value))


def _shifted(call: Call, sigma: Any, complexify: bool) -> Any:
    """``A - sigma M`` as a system to solve with; M alone where `sigma` is None."""
    a, m = call["A"], call["M"]
    if sigma is None:
        a, m, sigma = m, None, 0
    for name, value in (("A", a), ("M", m)):
        known = value is None or sparse.issparse(value) or isinstance(value, np.ndarray) or is_jax(value)
        if not known or isinstance(value, LinearOperator):
            detail = f"shift-invert of an operator that is no matrix ({name}) without its inverse"
            raise HostRoute(Reason.OPTION, detail)
    kind = np.dtype(np.result_type(*[v.dtype for v in (a, m) if v is not None], np.float32))
    kind = np.dtype(float) if kind.kind not in "fc" else kind
    if complexify:
        kind = np.result_type(kind, np.complex64)
    dense = any(v is not None and not sparse.issparse(v) for v in (a, m))
    if dense:
        a, m = (v.toarray() if v is not None and sparse.issparse(v) else v for v in (a, m))
        xp = jnp if is_jax((a, m, sigma)) else np
        shift = sigma * (xp.eye(a.shape[0]) if m is None else m)
        return DenseSystem(matrix=(a - shift).astype(kind))
    if is_traced(sigma):
        raise HostRoute(Reason.OPTION, "a traced sigma for a sparse matrix")
    shift = sparse.eye_array(a.shape[0], dtype=kind) * np.asarray(sigma) if m is None else m * np.asarray(sigma)
    system = sparse_lu((a - shift).astype(kind))
    if system is None:
        raise HostRoute(Reason.OPTION, "a sparse factorisation with very large factors")
    return system


def common(call: Call, room: int, which: tuple[str, ...]) -> None:
    """Everything but the modes: shapes, k, ncv, maxiter, the start; `room` is how far k must stay below n.

    Raises
    ------
    ValueError
        As ARPACK's wrappers.
    """
    shape = _shape(call, "A")
    n = shape[0] if shape else (None if call["v0"] is None else int(np.shape(call["v0"])[0]))
    if n is None:
        raise ValueError("argument 'A' is a function: its order is taken from 'v0', which must be given")
    if shape and (len(shape) != 2 or shape[0] != shape[1]):
        raise ValueError(f"expected square matrix (shape={shape})")
    if call["M"] is not None:
        other = _shape(call, "M")
        if other and shape and other != shape:
            raise ValueError(f"wrong M dimensions {other}, should be {shape}")
        if np.dtype(dtype_of(call, "M")).char.lower() != np.dtype(dtype_of(call, "A")).char.lower() and call.numpy:
            message = "M does not have the same type precision as A. This may adversely affect ARPACK convergence"
            warn_user(message)
    k = call["k"]
    if k <= 0:
        raise ValueError(f"k={k} must be greater than 0.")
    if k > n - room:
        raise HostRoute(Reason.SHAPE, f"k={k} of n={n}: all eigenvalues of a dense matrix")
    if call["which"] not in which:
        raise ValueError(f"which must be one of {' '.join(which)}; got {call['which']!r}")
    ncv = min(max(2 * k + 1, 20) if call["ncv"] is None else int(call["ncv"]), n)
    if not k + room - 1 < ncv <= n:
        raise ValueError(f"ncv must be k{'+1' if room == 2 else ''}<ncv<=n, ncv={ncv}, k={k}, n={n}")
    if call["maxiter"] is None:
        call["maxiter"] = 10 * n
    if not is_jax(call["maxiter"]) and call["maxiter"] <= 0:
        raise ValueError(f"maxiter must be positive, maxiter={call['maxiter']}")
    dtype = dtype_of(call, "A")
    if call["v0"] is None:
        call["v0"] = generator(call, call["rng"]).uniform(-1.0, 1.0, n).astype(dtype)
    elif np.shape(call["v0"]) not in ((n,), (n, 1)):
        raise ValueError(f"argument 'v0' has shape {np.shape(call['v0'])}; allowed are {(n,)} and {(n, 1)}")
    else:
        start = jnp.asarray(call["v0"], dtype) if is_jax(call["v0"]) else np.array(call["v0"], dtype)
        call["v0"] = start.reshape(-1)
    call["k"], call["ncv"], call["return_eigenvectors"] = int(k), ncv, bool(call["return_eigenvectors"])


def operators(call: Call, sigma: Any, complexify: bool) -> None:
    """Replace A, M and the inverse by pytrees and functions."""
    inverse = call["Minv"] if sigma is None else call["OPinv"]
    system = None
    if inverse is None and (sigma is not None or call["M"] is not None):
        system = _shifted(call, sigma, complexify)
    operator(call, "A", "matvec")
    operator(call, "M", "mmatvec")
    call["inverse"] = inverse
    operator(call, "inverse", "invvec")
    if system is not None:
        call["inverse"] = system
