"""A few singular values and vectors of large operators."""

from __future__ import annotations

import functools
import math
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from scipy.sparse.linalg import ArpackNoConvergence, LinearOperator

from sci.bridge import Call, Example, HostRoute, Reason, implements, warn_user
from sci.bridge.worlds import is_jax
from sci.linalg.decomp_svd import svd
from sci.sparse.linalg._arguments import operator
from sci.sparse.linalg._spectral import dtype_of, generator, product
from solvers.eigen import hermitian_pairs, lanczos, lobpcg

__all__ = ["svds"]

_SOLVERS = ("arpack", "lobpcg", "propack")
_VECTORS = (True, False, "vh", "u")


def _prepare(call: Call) -> None:
    solver = str(call["solver"]).lower()
    if solver not in _SOLVERS:
        raise ValueError(f"solver must be one of {_SOLVERS}, got {call['solver']!r}")
    a = call["A"]
    if not hasattr(a, "shape"):
        if callable(a):
            raise HostRoute(Reason.OPTION, "A is a function without its adjoint")
        a = call["A"] = np.asarray(a)
        if a.ndim == 0:
            raise TypeError(f"type not understood: argument 'A' is {a[()]!r}; allowed are matrices and operators")
    if len(a.shape) != 2:
        raise ValueError(f"array must have ndim <= 2: argument 'A' has shape {tuple(a.shape)}; allowed are matrices")
    shape = tuple(int(s) for s in a.shape)
    if math.prod(shape) == 0:
        raise ValueError(f"`A` must not be empty: its shape is {shape}.")
    dtype = np.dtype(dtype_of(call, "A"))
    short = min(shape)
    k = call["k"]
    if int(k) != k or not 0 < k <= (short if solver == "propack" else short - 1):
        raise ValueError(f"`k` must be an integer satisfying `0 < k < min(A.shape)`, got k={k} for shape {shape}.")
    ncv = call["ncv"]
    if solver == "arpack" and ncv is not None and (int(ncv) != ncv or not k < ncv < short):
        raise ValueError(f"`ncv` must be an integer satisfying `k < ncv < min(A.shape)`, got {ncv}.")
    tol = call["tol"]
    if not is_jax(tol) and (tol < 0 or not np.isfinite(tol)):
        raise ValueError(f"`tol` must be a non-negative floating point value, got {tol}.")
    which = str(call["which"]).upper()
    if which not in ("LM", "SM"):
        raise ValueError(f"`which` must be in ('LM', 'SM'), got {call['which']!r}.")
    limit = call["maxiter"]
    if limit is not None and (int(limit) != limit or limit <= 0):
        raise ValueError(f"`maxiter` must be a positive integer, got {limit}.")
    if call["return_singular_vectors"] not in _VECTORS:
        raise ValueError(f"`return_singular_vectors` must be in {_VECTORS}, got {call['return_singular_vectors']!r}.")
    call["tall"] = shape[0] >= shape[1]
    if solver == "lobpcg" and call.numpy:  # as SciPy, whose start is in double precision
        dtype = np.result_type(dtype, np.float64)
    _start(call, solver, shape, dtype, int(k))
    adjoint = getattr(a, "_CustomLinearOperator__rmatvec_impl", None)
    call["rmatvec"] = None
    if isinstance(a, LinearOperator) and adjoint is not None:
        operator(call, "A", "matvec")
        call["rmatvec"] = adjoint if call["matvec"] is not None else None
    else:
        operator(call, "A", "matvec", adjoint=True)
    if call.numpy and solver == "propack" and limit is not None:
        raise HostRoute(Reason.OPTION, "maxiter of PROPACK, which bounds the dimension of its subspace")
    if solver == "lobpcg":
        call["maxiter"] = 20 if limit is None else int(limit)
    else:
        call["maxiter"] = 10 * short if limit is None or solver == "propack" else int(limit)
    call["k"], call["ncv"] = int(k), min(short, max(2 * int(k) + 1, 20) if ncv is None else int(ncv))
    call["which"] = "LA" if which == "LM" else "SA"
    # as SciPy: the block would be too large a part of the space
    call["solver"] = "dense" if solver == "lobpcg" and short < 5 * int(k) else solver
    call["vectors"] = call["return_singular_vectors"] is not False
    call["columns"] = np.zeros(shape[1], dtype)  # lengths of vectors on both sides
    call["rows"] = np.zeros(shape[0], dtype)


def _start(call: Call, solver: str, shape: tuple[int, ...], dtype: Any, k: int) -> None:
    size = (shape[0],) if solver == "propack" else (min(shape),)
    v0 = call["v0"]
    if v0 is None:
        rng = call["rng"]
        if rng is not None and not isinstance(rng, (int, np.integer, np.random.Generator, np.random.RandomState)):
            raise ValueError(f"'{rng}' is neither a NumPy Generator nor an integer seed to instantiate one.")
        if isinstance(rng, (int, np.integer)):
            rng = np.random.RandomState(rng)
        call["v0"] = generator(call, rng).standard_normal((*size, k) if solver == "lobpcg" else size).astype(dtype)
        return
    v0 = v0 if is_jax(v0) else np.atleast_1d(v0)
    if not jnp.issubdtype(v0.dtype, jnp.inexact):
        raise ValueError(f"`v0` must be of floating or complex floating data type, got {v0.dtype}.")
    if v0.shape != size:
        raise ValueError(f"`v0` must have shape {size}, got {v0.shape}.")
    v0 = v0.astype(dtype)
    if solver == "lobpcg":
        if k == 1:
            v0 = v0.reshape(-1, 1)
        else:
            v0 = generator(call, call["rng"]).standard_normal((*size, k)).astype(dtype)
    call["v0"] = v0


def _forward(params: Any, x: Any) -> Any:
    return product(params[0], params[1], x)


def _backward(params: Any, x: Any) -> Any:
    if params[2] is not None:
        return product(None, params[2], x)
    return params[0].adjoint(x).astype(x.dtype)


def _tall_gram(params: Any, x: Any) -> Any:
    return _backward(params, _forward(params, x))


def _wide_gram(params: Any, x: Any) -> Any:
    return _forward(params, _backward(params, x))


def _iterate(k: int, ncv: int, which: str, tall: bool, solver: str, params: Any, start: Any) -> Any:
    v0, tol, limit = start
    gram = functools.partial(_tall_gram if tall else _wide_gram, params)
    if solver in ("dense", "lobpcg"):
        block = jax.vmap(gram, in_axes=1, out_axes=1)
    if solver == "dense":
        v, w = lax.linalg.eigh(block(jnp.eye(v0.shape[0], dtype=v0.dtype)), symmetrize_input=True)
        w, v = (w[::-1][:k], v[:, ::-1][:, :k]) if which == "LA" else (w[:k], v[:, :k])
        return w, v.T, (jnp.isfinite(w), 0, jnp.zeros(k), 0.0)
    if solver == "lobpcg":
        n = v0.shape[0]
        tol = jnp.where(tol > 0, tol**2, jnp.sqrt(jnp.finfo(v0.dtype).eps) * n)
        out = lobpcg(block, None, None, v0, None, tol, limit, which == "LA", 20.0, False)
        return out["w"], out["x"].T, (jnp.isfinite(out["w"]), out["last"], out["residuals"], tol)
    if solver == "propack" and tall:
        v0 = _backward(params, v0)
    w, v, ok, cycles = lanczos(lambda x, _: gram(x), None, v0, k, ncv, which, tol**2, limit)
    generic = jnp.cos(1.0 + jnp.arange(v.shape[1])).astype(v.dtype)
    if not jnp.iscomplexobj(v):
        v = jnp.where((v @ generic)[:, None] < 0, -v, v)
    return w, v, (ok, cycles, jnp.zeros(k), 0.0)


@functools.lru_cache(maxsize=256)
def _solver(*facts: Any) -> Any:
    return functools.partial(_iterate, *facts)


def _pick(call: Call, out: Any) -> Any:
    u, s, vh = out[:3]
    want = call["return_singular_vectors"]
    if want is False:
        return s
    return (u if want in (True, "u") else None), s, (vh if want in (True, "vh") else None)


def _finish(call: Call, out: Any) -> Any:
    ok, cycles, residuals, tol = out[3:]
    if call["solver"] == "dense":
        size = min(call["rows"].size, call["columns"].size)
        warn_user(
            f"The problem size {size} minus the constraints size 0 is too small relative to the block size "
            f"{call['k']}. A dense eigensolver is used instead of LOBPCG iterations."
        )
    elif np.any(residuals > tol):
        warn_user(
            f"Exited at iteration {int(cycles)} with accuracies \n{residuals}\n"
            f"not reaching the requested tolerance {tol}.\n"
        )
    if not np.all(ok):
        message = f"No convergence ({int(cycles)} iterations, {int(np.sum(ok))}/{call['k']} eigenvectors converged)"
        raise ArpackNoConvergence(message, out[1][ok[::-1]] ** 2, np.empty((0, 0)))
    return _pick(call, out)


def _finish_jax(call: Call, out: Any) -> Any:
    fine = out[3].all()
    return _pick(call, [None if x is None else jnp.where(fine, x, jnp.nan) for x in out[:3]])


def _check(result: Any, original: Any) -> None:
    np.testing.assert_allclose(result[1], original[1], rtol=1e-9)
    rebuilt, expected = ((x[0] * x[1]) @ x[2] for x in (result, original))
    np.testing.assert_allclose(rebuilt, expected, atol=1e-8)


def _example() -> np.ndarray:
    return np.cos(np.arange(48.0)).reshape(8, 6) + np.eye(8, 6) * np.arange(1.0, 7)


@implements(
    "scipy.sparse.linalg.svds",
    static=("k", "ncv", "which", "solver", "tall", "vectors"),
    callables={"matvec": lambda call: (call["columns"],), "rmatvec": lambda call: (call["rows"],)},
    trees=("A",),
    dtypes={"A": "keep", "maxiter": "keep"},
    prepare=_prepare,
    finish=_finish,
    finish_jax=_finish_jax,
    note="LinearOperator subclasses and functions without an adjoint; maxiter with solver='propack'.",
    examples=lambda: [
        Example((_example(), 2), check=_check, grad=("A",), vmap=("A",), rtol=1e-8, grad_rtol=1e-4),
    ],
)
def svds(A, matvec, rmatvec, k, ncv, tol, which, v0, maxiter, solver, tall, vectors):
    """A few singular values and vectors of a matrix or operator.

    Parameters
    ----------
    A : matrix, sparse matrix or array, LinearOperator with its adjoint, shape (m, n)
    k : int
        Number of values, less than ``min(m, n)`` (up to it with ``solver='propack'``).
    ncv, tol, which, v0, maxiter, return_singular_vectors, rng, options
        As in SciPy; `rng` None means the same start at each call.
    solver : {'arpack', 'propack', 'lobpcg'}
        The first two iterate by thick-restart Lanczos on the smaller Gram matrix, the third by LOBPCG.

    Returns
    -------
    u : array, shape (m, k), or None
    s : array, shape (k,)
        Rising.
    vh : array, shape (k, n), or None
        ``s`` alone without vectors.

    Raises
    ------
    ArpackNoConvergence
        If `maxiter` ended the Lanczos iteration (NumPy world; NaN in the JAX world).
    ValueError
        For options that do not match.
    TypeError
        If `A` is no matrix or operator.

    Warns
    -----
    UserWarning
        If LOBPCG did not reach the tolerance, or `k` is more than a fifth of ``min(m, n)``, where a dense eigensolver
        takes its place (NumPy world; without a sign in the JAX world).

    Notes
    -----
    As SciPy's: a Gram matrix, then the SVD of the small product, so that values near ``eps * norm(A)`` are of low
    accuracy relative to themselves. With 'propack' and JAX arrays `maxiter` is without effect. Differentiable with
    respect to the values of A where the singular values are distinct.
    K. Wu, H. Simon, SIAM J. Matrix Anal. Appl. 22, 2000.

    Examples
    --------
    >>> import numpy as np
    >>> from sci.sparse.linalg import svds
    >>> u, s, vh = svds(np.diag(np.arange(1.0, 9.0)), k=2)
    >>> print(s.round(6))
    [7. 8.]
    """
    params = (A, matvec, rmatvec)
    gram = _tall_gram if tall else _wide_gram
    solve = _solver(k, ncv, which, tall, solver)
    _, v, aux = hermitian_pairs(solve, gram, None, None, params, (v0, tol, maxiter))
    images = jax.vmap(functools.partial(_forward if tall else _backward, params))(v).T
    body = svd.__sci__.body  # type: ignore[attr-defined]
    if not vectors:
        return None, body(images, False, False)[::-1], None, *aux
    u, s, vh = body(images, False, True)
    u, s, vh = u[:, ::-1], s[::-1], vh[::-1]
    if tall:
        return u, s, vh @ jnp.conj(v), *aux
    return v.T @ jnp.conj(vh.T), s, jnp.conj(u.T), *aux
