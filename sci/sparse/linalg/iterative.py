"""Square systems by Krylov methods: cg, cgs, bicg, bicgstab, gmres, minres."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from sci.bridge import Call, Example, HostRoute, Reason, as_array, implements
from sci.sparse.linalg._arguments import prepare_square
from solvers.linear import gmres as gmres_engine
from solvers.linear import krylov

__all__ = ["bicg", "bicgstab", "cg", "cgs", "gmres", "minres"]

_DYNAMIC = {"A": "keep", "M": "keep"}
_DOC = """
    Parameters
    ----------
    A : matrix, sparse matrix or array, LinearOperator, or callable, shape (n, n)
        A callable (ours) maps a vector to its product with the matrix. Sparse matrices are stored by diagonals where
        these are few, else in padded rows. JAX's sparse matrices are taken too.
    b : array, shape (n,) or (n, 1)
    x0 : array, optional
        Start.
    rtol, atol : float
        The iteration ends when ``norm(b - A x) <= max(rtol norm(b), atol)``{extra_tolerance}.
    maxiter : int, optional
        Most {unit}; ``10 n`` by default.
    M : as A, optional
        Preconditioner, near the inverse of A.
    callback : callable, optional
        Runs on SciPy.

    Returns
    -------
    x : array, shape (n,)
    info : int
        0 on convergence, the number of iterations where `maxiter` ended it, negative after a breakdown.

    Raises
    ------
    ValueError
        If A is not square or shapes do not fit.

    Notes
    -----
    `x` is differentiable with respect to the values of A and b, forwards and backwards (the solution's derivative is
    another solve, with the same method); `jax.vmap` over them runs until the last system has converged.
    {reference}

    Examples
    --------
    >>> import numpy as np
    >>> from sci.sparse.linalg import {name}
    >>> x, info = {name}(np.array([[4.0, 1.0], [1.0, 3.0]]), np.array([1.0, 2.0]))
    >>> print(info, x.round(4))
    0 [0.0909 0.6364]
"""


def _product(op: Any, function: Any, like: Any) -> Callable[[Any], Any]:
    if function is not None:
        return lambda x: as_array(function(x)).reshape(like.shape).astype(like.dtype)
    if op is None:
        return krylov.unchanged
    return lambda x: op.apply(x).astype(like.dtype)


def _common(A: Any, matvec: Any, b: Any, x0: Any) -> tuple[Any, Any]:
    """b and x0 in the dtype of the whole problem."""
    kinds = [b.dtype, x0.dtype, *[v.dtype for v in jax.tree.leaves(A) if jnp.issubdtype(v.dtype, jnp.inexact)]]
    if matvec is not None:
        kinds.append(jax.eval_shape(lambda x: as_array(matvec(x)), b).dtype)
    dtype = functools.reduce(jnp.promote_types, kinds)
    return b.astype(dtype), x0.astype(dtype)


def _differentiable(
    apply: Callable[[Any], Any], b: Any, run: Callable[[Any, Any, bool], tuple[Any, Any]], symmetric: bool
) -> tuple[Any, Any]:
    """The solution with its implicit derivative; `run(apply, b, transposed)` iterates."""
    return lax.custom_linear_solve(
        apply, b, solve=lambda mv, rhs: run(mv, rhs, False), transpose_solve=lambda mv, rhs: run(mv, rhs, True),
        symmetric=symmetric, has_aux=True,
    )  # fmt: skip


def _conjugated(product: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """The product with the transpose, from that with the adjoint (or the other way round)."""
    return lambda v: jnp.conj(product(jnp.conj(v)))


def _solve(method: Any, symmetric: bool, A: Any, matvec: Any, b: Any, x0: Any, rtol: Any, atol: Any, maxiter: Any,
           M: Any, psolve: Any, paired: bool = False) -> tuple[Any, Any]:  # fmt: skip
    """Iterate; a `paired` method takes A and M as pairs with their adjoints."""
    b, x0 = _common(A, matvec, b, x0)
    apply, precondition = _product(A, matvec, b), _product(M, psolve, b)

    def run(mv: Any, rhs: Any, transposed: bool) -> tuple[Any, Any]:
        near: Any
        # the derivative's systems start at zero, and know no transposed preconditioner
        start = jnp.zeros_like(x0) if transposed else x0
        near = krylov.unchanged if transposed and not symmetric else precondition
        if paired:
            mv = (_conjugated(A.adjoint), _conjugated(A.apply)) if transposed else (A.apply, A.adjoint)
            near = near, krylov.unchanged if transposed or M is None else M.adjoint
        target = jnp.maximum(atol, rtol * krylov.norm(rhs))
        # a target of zero is met by an exact residual only where b is zero
        x, info = method(mv, rhs, start, jnp.maximum(target, jnp.finfo(target.dtype).tiny), maxiter, near)
        return x, info

    x, info = _differentiable(apply, b, run, symmetric)
    zero = krylov.norm(b) == 0  # then SciPy returns zeros, whatever the start
    return jnp.where(zero, 0, x), jnp.where(zero, 0, info)


def _finish(call: Call, out: tuple[Any, Any]) -> tuple[Any, int]:
    return out[0], int(out[1])


def _examples(*rows: list[float]) -> Callable[[], list[Example]]:
    return lambda: [
        Example((np.array(rows), np.array([1.0, 2.0, -1.0])), {"rtol": 1e-12}, grad=("b",), vmap=("b",),
                output=lambda r: r[0], rtol=1e-7, atol=1e-9,
                skip_odd=("nan", "inf", "string", "object", "empty", "1x1"))
    ]  # fmt: skip


_definite = _examples([4.0, 1.0, 0.2], [1.0, 3.0, 0.5], [0.2, 0.5, 2.0])
_general = _examples([4.0, 1.0, 0.2], [-1.0, 3.0, 0.5], [0.4, 0.5, 2.0])


def _example_vector(call: Call) -> tuple[Any, ...]:
    return (call["b"],)


def _facts(name: str, examples: Any, **more: Any) -> dict[str, Any]:
    return {
        "name": f"scipy.sparse.linalg.{name}", "callables": {"matvec": _example_vector, "psolve": _example_vector},
        "trees": ("A", "M"), "dtypes": _DYNAMIC, "ignored": ("callback",), "prepare": prepare_square,
        "finish": _finish, "examples": examples,
        "note": "callback, LinearOperator subclasses, object dtype.", **more,
    }  # fmt: skip


def _documented(name: str, reference: str, unit: str = "iterations", extra: str = "") -> Callable[..., Any]:
    def decorate(body: Any) -> Any:
        body.__doc__ = (body.__doc__ or "") + _DOC.format(
            name=name, reference=reference, unit=unit, extra_tolerance=extra
        )
        return body

    return decorate


@implements(**_facts("cg", _definite))
@_documented("cg", "Hestenes and Stiefel, 1952.")
def cg(A, matvec, b, x0, rtol, atol, maxiter, M, psolve):
    """Conjugate gradients, for a Hermitian positive definite matrix.
    """  # fmt: skip
    return _solve(krylov.cg, True, A, matvec, b, x0, rtol, atol, maxiter, M, psolve)


@implements(**_facts("cgs", _general))
@_documented("cgs", "P. Sonneveld, SIAM J. Sci. Stat. Comput. 10, 1989.")
def cgs(A, matvec, b, x0, rtol, atol, maxiter, M, psolve):
    """Conjugate gradients squared, for a general matrix.
    """  # fmt: skip
    return _solve(krylov.cgs, False, A, matvec, b, x0, rtol, atol, maxiter, M, psolve)


@implements(**_facts("bicgstab", _general))
@_documented("bicgstab", "H. A. van der Vorst, SIAM J. Sci. Stat. Comput. 13, 1992.")
def bicgstab(A, matvec, b, x0, rtol, atol, maxiter, M, psolve):
    """Stabilised biconjugate gradients, for a general matrix.
    """  # fmt: skip
    return _solve(krylov.bicgstab, False, A, matvec, b, x0, rtol, atol, maxiter, M, psolve)


def _prepare_bicg(call: Call) -> None:
    prepare_square(call, adjoint=True)
    if call["matvec"] is not None or call["psolve"] is not None:
        raise HostRoute(Reason.OPTION, "an operator without its adjoint")


@implements(**_facts("bicg", _general, prepare=_prepare_bicg))
@_documented("bicg", "R. Fletcher, Lecture Notes in Mathematics 506, 1976.")
def bicg(A, matvec, b, x0, rtol, atol, maxiter, M, psolve):
    """Biconjugate gradients, for a general matrix whose adjoint is at hand.
    """  # fmt: skip
    return _solve(krylov.bicg, False, A, matvec, b, x0, rtol, atol, maxiter, M, psolve, paired=True)


def _prepare_gmres(call: Call) -> None:
    prepare_square(call)
    n = call["b"].shape[0]
    call["restart"] = min(int(call["restart"] or 20), n)


@implements(
    **_facts("gmres", _general, prepare=_prepare_gmres, static=("restart",), ignored=("callback", "callback_type"))
)
@_documented("gmres", "Y. Saad, M. H. Schultz, SIAM J. Sci. Stat. Comput. 7, 1986; `restart` steps a cycle.", "cycles")
def gmres(A, matvec, b, x0, rtol, atol, restart, maxiter, M, psolve):
    """Restarted generalised minimal residuals, for a general matrix.
    """  # fmt: skip

    def method(mv: Any, rhs: Any, start: Any, target: Any, limit: Any, near: Any) -> tuple[Any, Any]:
        return gmres_engine.gmres(mv, rhs, start, target, limit, restart, near)

    return _solve(method, False, A, matvec, b, x0, rtol, atol, maxiter, M, psolve)


def _prepare_minres(call: Call) -> None:
    if call["show"] or call["check"]:
        raise HostRoute(Reason.OPTION, "show" if call["show"] else "check")
    given = call["maxiter"]
    prepare_square(call)
    call["maxiter"] = 5 * call["b"].shape[0] if given is None else given


@implements(
    **_facts("minres", _definite, prepare=_prepare_minres, ignored=("callback", "show", "check"),
             note="callback, show, check, LinearOperator subclasses, object dtype.")
)  # fmt: skip
def minres(A, matvec, b, x0, rtol, shift, maxiter, M, psolve):
    """Minimal residuals, for a Hermitian matrix that may be indefinite or singular.

    Parameters
    ----------
    A, b, x0, maxiter, M, callback
        As for `cg`; the matrix solved with is ``A - shift I``. ``maxiter`` is ``5 n`` by default.
    rtol : float
        Tolerance of the residual relative to ``norm(A) norm(x)``, and of the least-squares test.
    shift : float

    Returns
    -------
    x : array, shape (n,)
    info : int
        0, or the number of iterations where `maxiter` ended it.

    Notes
    -----
    Differentiable as `cg`. C. C. Paige and M. A. Saunders, SIAM J. Numer. Anal. 12, 1975.

    Examples
    --------
    >>> import numpy as np
    >>> from sci.sparse.linalg import minres
    >>> x, info = minres(np.array([[1.0, 0.0], [0.0, -2.0]]), np.array([1.0, 2.0]))
    >>> print(info, x.round(4))
    0 [ 1. -1.]
    """
    b, x0 = _common(A, matvec, b, x0)
    plain, precondition = _product(A, matvec, b), _product(M, psolve, b)

    def run(mv: Any, rhs: Any, transposed: bool) -> tuple[Any, Any]:
        return krylov.minres(mv, rhs, jnp.zeros_like(x0) if transposed else x0, rtol, maxiter, precondition)

    return _differentiable(lambda x: plain(x) - shift * x, b, run, True)
