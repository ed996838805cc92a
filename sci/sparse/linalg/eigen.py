"""A few eigenvalues and eigenvectors of large operators: eigsh and eigs."""

from __future__ import annotations

import functools
from typing import Any

import jax.numpy as jnp
import numpy as np
from scipy.sparse.linalg import ArpackError, ArpackNoConvergence

from sci.bridge import Call, Example, HostRoute, Reason, implements
from sci.bridge.worlds import is_jax
from sci.sparse.linalg._spectral import common, dtype_of, operators, product, solver_of
from solvers.eigen import general_pairs, hermitian_pairs, krylov_schur, lanczos

__all__ = ["eigs", "eigsh"]

_SYMMETRIC = ("LM", "SM", "LA", "SA", "BE")
_GENERAL = ("LM", "SM", "LR", "SR", "LI", "SI")
_NOTE = (
    "shift-invert (and M without Minv) for a LinearOperator without its inverse or a sparse matrix of huge factors; "
    "all or nearly all eigenvalues."
)


def _apply_a(params: Any, x: Any) -> Any:
    return product(params[0], params[1], x)


def _apply_m(params: Any, x: Any) -> Any:
    return product(params[2], params[3], x)


def _example_vector(call: Call) -> tuple[Any, ...]:
    return (call["v0"],)


def _no_convergence(call: Call, values: Any, vectors: Any, ok: Any, cycles: Any) -> None:
    if np.all(ok):
        return
    done = int(np.sum(ok))
    message = f"No convergence ({int(cycles)} iterations, {done}/{call['k']} eigenvectors converged)"
    raise ArpackNoConvergence(message, values[ok], np.empty((0, 0)) if vectors is None else vectors.T[:, ok])


def _finish(call: Call, out: Any) -> Any:
    values, vectors, ok, cycles = out
    _no_convergence(call, values, vectors, ok, cycles)
    return values if vectors is None else (values, np.ascontiguousarray(vectors.T))


def _finish_jax(call: Call, out: Any) -> Any:
    values, vectors, ok, _ = out
    values = jnp.where(ok, values, jnp.nan)
    return values if vectors is None else (values, jnp.where(ok[:, None], vectors, jnp.nan).T)


# --- Hermitian -----------------------------------------------------------------------------------


def _prepare_eigsh(call: Call) -> None:
    hermitian = np.dtype(dtype_of(call, "A")).kind == "c"
    sigma, which, mode = call["sigma"], call["which"], call["mode"]
    if hermitian:
        if mode != "normal":
            raise ValueError(f"mode={mode} cannot be used with complex matrix A")
        if which == "BE":
            raise ValueError("which='BE' cannot be used with complex matrix A")
        call["which"] = {"LR": "LA", "SR": "SA"}.get(which, which)
    common(call, 1, _SYMMETRIC)
    if which == "BE" and call["k"] == 1:
        raise ArpackError(-13)
    if sigma is None:
        if call["OPinv"] is not None:
            raise ValueError("OPinv should not be specified with sigma = None.")
        if call["M"] is None and call["Minv"] is not None:
            raise ValueError("Minv should not be specified with M = None.")
        call["transform"] = "standard" if call["M"] is None else "general"
    else:
        if call["Minv"] is not None:
            raise ValueError("Minv should not be specified when sigma is specified.")
        if mode not in ("normal", "buckling", "cayley"):
            raise ValueError(f"unrecognized mode '{mode}'")
        if not is_jax(sigma) and np.imag(sigma) != 0:
            raise ValueError(f"argument 'sigma' is {sigma!r}; allowed are real numbers")
        call["transform"] = mode
        call["sigma"] = sigma if is_jax(sigma) else float(np.real(sigma))
    operators(call, sigma, False)
    call["sigma"] = 0.0 if sigma is None else call["sigma"]


def _iterate_hermitian(k: int, ncv: int, which: str, transform: str, params: Any, start: Any) -> Any:
    """Ritz values of the transformed problem taken back, with their vectors in rows."""
    v0, sigma, tol, limit, inverse, invvec = start
    sigma = jnp.asarray(sigma, v0.real.dtype)
    a = functools.partial(_apply_a, params)
    m = None if params[2] is None and params[3] is None else functools.partial(_apply_m, params)
    metric = m
    if transform == "standard":
        apply = lambda x, bx: a(x)  # noqa: E731
    else:
        solve = solver_of(inverse, invvec)
        if transform == "general":
            apply = lambda x, bx: solve(a(x))  # noqa: E731
        elif transform == "cayley":
            apply = lambda x, bx: solve(a(x) + sigma * bx)  # noqa: E731
        else:
            apply = lambda x, bx: solve(bx)  # noqa: E731
            metric = a if transform == "buckling" else m
    theta, v, ok, cycles = lanczos(apply, metric, v0, k, ncv, which, tol, limit)
    values = {
        "normal": lambda t: sigma + 1 / t,
        "buckling": lambda t: sigma * t / (t - 1),
        "cayley": lambda t: sigma * (t + 1) / (t - 1),
    }.get(transform, lambda t: t)(theta)
    if not jnp.iscomplexobj(v):  # a sign that does not hang on rounding errors
        generic = jnp.cos(1.0 + jnp.arange(v.shape[1])).astype(v.dtype)
        v = jnp.where((v @ generic)[:, None] < 0, -v, v)
    return values, v, (ok, cycles)


@functools.lru_cache(maxsize=256)
def _hermitian_solver(*facts: Any) -> Any:
    return functools.partial(_iterate_hermitian, *facts)


def _check_hermitian(result: Any, original: Any) -> None:
    np.testing.assert_allclose(result[0], original[0], rtol=1e-9)
    for ours, theirs in zip(result[1].T, original[1].T, strict=True):
        np.testing.assert_allclose(np.outer(ours, ours.conj()), np.outer(theirs, theirs.conj()), atol=1e-8)


def _laplacian(n: int) -> np.ndarray:
    return 2 * np.eye(n) - np.eye(n, k=1) - np.eye(n, k=-1)


@implements(
    "scipy.sparse.linalg.eigsh",
    static=("k", "which", "ncv", "return_eigenvectors", "transform"),
    callables={"matvec": _example_vector, "mmatvec": _example_vector, "invvec": _example_vector},
    trees=("A", "M", "inverse"),
    dtypes={"A": "keep", "M": "keep", "inverse": "keep", "maxiter": "keep"},
    prepare=_prepare_eigsh,
    finish=_finish,
    finish_jax=_finish_jax,
    note=_NOTE,
    examples=lambda: [
        # a single entry cannot be varied by itself in a symmetric matrix: derivatives have tests of their own
        Example((_laplacian(8) + np.diag(np.arange(8.0)), 2), check=_check_hermitian, vmap=("A",)),
        Example((_laplacian(9), 2), {"sigma": 0.1, "return_eigenvectors": False}, rtol=1e-9),
    ],
)
def eigsh(
    A, matvec, k, M, mmatvec, sigma, which, v0, ncv, maxiter, tol, return_eigenvectors, inverse, invvec, transform
):
    """A few eigenvalues and eigenvectors of a symmetric or Hermitian operator.

    Parameters
    ----------
    A : matrix, sparse matrix or array, LinearOperator, or callable, shape (n, n)
        A callable (ours) maps a vector to its product; `v0` then says how long vectors are.
    k : int
        Number of eigenvalues, less than n.
    M : as A, optional
        Positive definite matrix of ``A x = w M x`` (semidefinite with `sigma`).
    sigma : float, optional
        Look for eigenvalues near it, with the inverse of ``A - sigma M``: dense LU, or for a sparse matrix the factors
        of SuperLU, made on the host once and solved with in the compiled iteration; or given by `OPinv`.
    which, ncv, maxiter, tol, return_eigenvectors, Minv, OPinv, mode
        As in SciPy; `maxiter` counts restarts, `ncv` is the length of the basis.
    v0 : array, shape (n,), optional
        Start; by default random from `rng`, the same at each call where that is None.

    Returns
    -------
    w : array, shape (k,)
        Rising. Without vectors and `sigma` the most wanted comes last, as in SciPy.
    v : array, shape (n, k)
        In columns, with ``v.T.conj() @ M @ v = 1``. For real matrices of a sign that does not hang on rounding.

    Raises
    ------
    ArpackNoConvergence
        If `maxiter` ended it (NumPy world; NaN in the JAX world). Holds what has converged.
    ValueError
        For shapes and options that do not match.

    Notes
    -----
    Thick-restart Lanczos (K. Wu, H. Simon, SIAM J. Matrix Anal. Appl. 22, 2000) with ARPACK's stopping rule. Complex
    Hermitian problems run by the same method, and rise too. Eigenvalues and vectors are differentiable with respect to
    the values of A and M; at a repeated eigenvalue the derivative is that of quantities which do not depend on the
    choice of vectors.

    Examples
    --------
    >>> import numpy as np
    >>> from sci.sparse.linalg import eigsh
    >>> w, v = eigsh(np.diag(np.arange(1.0, 9.0)), k=2)
    >>> print(w.round(6))
    [7. 8.]
    """
    params = (A, matvec, M, mmatvec)
    start = (v0, sigma, tol, maxiter, inverse, invvec)
    generalised = M is not None or mmatvec is not None
    metric = _apply_m if generalised else None
    scale = _apply_a if transform == "buckling" else metric
    solve = _hermitian_solver(k, ncv, which, transform)
    w, v, (ok, cycles) = hermitian_pairs(solve, _apply_a, metric, scale, params, start)
    # the iteration's order is the most wanted first
    order = jnp.arange(k)[::-1]
    if return_eigenvectors or transform not in ("standard", "general") or which == "BE":
        order = jnp.argsort(w)
    w, v, ok = w[order], v[order], ok[order]
    return w, v if return_eigenvectors else None, ok, cycles


# --- general -------------------------------------------------------------------------------------


def _prepare_eigs(call: Call) -> None:
    dtype = np.dtype(dtype_of(call, "A"))
    sigma, part = call["sigma"], call["OPpart"]
    common(call, 2, _GENERAL)
    if sigma is None:
        if call["OPinv"] is not None:
            raise ValueError("OPinv should not be specified with sigma = None.")
        if part is not None:
            raise ValueError("OPpart should not be specified with sigma = None or complex A")
        if call["M"] is None and call["Minv"] is not None:
            raise ValueError("Minv should not be specified with M = None.")
        call["transform"] = "standard" if call["M"] is None else "general"
    else:
        if is_jax(sigma):
            complex_shift = jnp.iscomplexobj(sigma)
        else:
            complex_shift = bool(np.imag(sigma) != 0)
        if dtype.kind == "c" and part is not None:
            raise ValueError("OPpart should not be specified with sigma=None or complex A")
        if part is not None and str(part).lower() not in ("r", "i"):
            raise ValueError(f"OPpart must be one of ('r','i'), got {part!r}")
        imaginary = part is not None and part.lower() == "i"
        if imaginary and not complex_shift:
            raise ValueError("OPpart cannot be 'i' if sigma is real")
        if call["Minv"] is not None:
            raise ValueError("Minv should not be specified when sigma is specified.")
        # a real matrix and a complex shift: ARPACK iterates with one part of the inverse
        by_parts = dtype.kind == "f" and complex_shift
        call["transform"] = ("imaginary" if imaginary else "real") if by_parts else "normal"
        call["sigma"] = sigma if is_jax(sigma) else (complex(sigma) if complex_shift else float(np.real(sigma)))
        if by_parts and call["OPinv"] is not None and not call.numpy:
            raise HostRoute(Reason.OPTION, "OPinv with a complex sigma and a real A")
    operators(call, call["sigma"], sigma is not None and call["transform"] in ("real", "imaginary"))
    call["sigma"] = 0.0 if sigma is None else call["sigma"]
    real = call["v0"]
    call["v0"] = real.astype(np.result_type(np.dtype(real.dtype), np.complex64))
    call["real"] = dtype.kind == "f"


def _iterate_general(k: int, ncv: int, which: str, transform: str, params: Any, start: Any) -> Any:
    v0, sigma, tol, limit, inverse, invvec = start
    a, m = functools.partial(_apply_a, params), functools.partial(_apply_m, params)
    apply: Any
    if transform == "standard":
        apply = a
    else:
        solve = solver_of(inverse, invvec)
        if transform == "general":
            apply = lambda x: solve(a(x))  # noqa: E731
        elif transform == "normal":
            apply = lambda x: solve(m(x))  # noqa: E731
        else:

            def one_part(x: Any) -> Any:
                y = solve(x.astype(v0.dtype))
                return y.real if transform == "real" else y.imag

            def apply(x: Any) -> Any:
                x = m(x)
                return (one_part(x.real) + 1j * one_part(x.imag)).astype(v0.dtype)

    theta, v, ok, cycles = krylov_schur(apply, v0, k, ncv, which, tol, limit)
    images = lambda f: v if f is None else jnp.stack([f(v[i]) for i in range(k)])  # noqa: E731
    beside = v if params[2] is None and params[3] is None else images(m)
    if transform in ("real", "imaginary"):  # which eigenvalue it is, the vector knows
        values = (jnp.conj(v) * images(a)).sum(1) / (jnp.conj(v) * beside).sum(1)
    else:
        values = theta if transform in ("standard", "general") else sigma + 1 / theta
    length = jnp.real((jnp.conj(v) * beside).sum(1))
    top = jnp.take_along_axis(v, jnp.argmax(jnp.abs(v), axis=1)[:, None], axis=1)[:, 0]
    size = jnp.abs(top) * jnp.sqrt(jnp.where(length > 0, length, 1))
    return values, v * (jnp.conj(top) / jnp.where(size == 0, 1, size))[:, None], (ok, cycles)


@functools.lru_cache(maxsize=256)
def _general_solver(*facts: Any) -> Any:
    return functools.partial(_iterate_general, *facts)


def _check_general(result: Any, original: Any) -> None:
    order, theirs = np.argsort(np.round(result[0], 8)), np.argsort(np.round(original[0], 8))
    np.testing.assert_allclose(result[0][order], original[0][theirs], rtol=1e-9)
    for ours, other in zip(result[1].T[order], original[1].T[theirs], strict=True):
        np.testing.assert_allclose(np.outer(ours, ours.conj()), np.outer(other, other.conj()), atol=1e-8)


@implements(
    "scipy.sparse.linalg.eigs",
    static=("k", "which", "ncv", "return_eigenvectors", "transform", "real"),
    callables={"matvec": _example_vector, "mmatvec": _example_vector, "invvec": _example_vector},
    trees=("A", "M", "inverse"),
    dtypes={"A": "keep", "M": "keep", "inverse": "keep", "maxiter": "keep", "sigma": "keep"},
    prepare=_prepare_eigs,
    finish=_finish,
    finish_jax=_finish_jax,
    note=_NOTE,
    examples=lambda: [
        Example((_laplacian(8) + np.diag(np.arange(8.0)) + 0.3 * np.eye(8, k=2), 2), check=_check_general,
                grad=("A",), vmap=("A",), float32=False),
    ],
)  # fmt: skip
def eigs(
    A, matvec, k, M, mmatvec, sigma, which, v0, ncv, maxiter, tol, return_eigenvectors, inverse, invvec, transform, real
):
    """A few eigenvalues and eigenvectors of a general square operator.

    Parameters
    ----------
    A : matrix, sparse matrix or array, LinearOperator, or callable, shape (n, n)
        As for `eigsh`.
    k : int
        Number of eigenvalues, less than ``n - 1``.
    M : as A, optional
        Positive definite matrix of ``A x = w M x`` (semidefinite with `sigma`).
    sigma : float or complex, optional
        Look for eigenvalues near it. With a real A and a complex `sigma` the iteration uses one part of the inverse
        (`OPpart`), as ARPACK does.
    which, v0, ncv, maxiter, tol, return_eigenvectors, Minv, OPinv, OPpart, rng
        As in SciPy and `eigsh`.

    Returns
    -------
    w : complex array, shape (k,)
        The most wanted first.
    v : complex array, shape (n, k)
        In columns, of norm 1 (``x^H M x = 1`` with M), the largest component real.

    Raises
    ------
    ArpackNoConvergence
        If `maxiter` ended it (NumPy world; NaN in the JAX world).
    ValueError
        For shapes and options that do not match.

    Notes
    -----
    Krylov-Schur method (G. W. Stewart, SIAM J. Matrix Anal. Appl. 23, 2001) with ARPACK's stopping rule. It computes
    with complex vectors: of a conjugate pair it may return one. Values and vectors are differentiable with respect to
    the values of A and M where the eigenvalue is simple. SciPy 1.17 returns zeros for a real A with a complex `sigma`
    and ``return_eigenvectors=False``; here they are the eigenvalues.

    Examples
    --------
    >>> import numpy as np
    >>> from sci.sparse.linalg import eigs
    >>> w, v = eigs(np.diag(np.arange(1.0, 9.0)), k=2)
    >>> print(w.real.round(6))
    [8. 7.]
    """
    params = (A, matvec, M, mmatvec)
    start = (v0, sigma, tol, maxiter, inverse, invvec)
    metric = _apply_m if M is not None or mmatvec is not None else None
    w, v, (ok, cycles) = general_pairs(_general_solver(k, ncv, which, transform), _apply_a, metric, params, start)
    if real:  # rounding errors of a real eigenvalue
        tiny = 64 * jnp.finfo(v.dtype).eps * jnp.maximum(jnp.abs(w), jnp.abs(w).max())
        w = jnp.where(jnp.abs(w.imag) <= tiny, w.real, w)
    return w, v if return_eigenvectors else None, ok, cycles
