"""Square systems by further minimal residual methods: lgmres, gcrotmk, qmr, tfqmr."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp
import numpy as np

from sci.bridge import Call, HostRoute, Reason, implements
from sci.bridge.worlds import is_jax
from sci.sparse.linalg._arguments import prepare_square
from sci.sparse.linalg.iterative import (
    _common,
    _conjugated,
    _differentiable,
    _documented,
    _example_vector,
    _facts,
    _general,
    _product,
    _solve,
)
from solvers.linear import augmented, krylov
from solvers.linear import qmr as engines

__all__ = ["gcrotmk", "lgmres", "qmr", "tfqmr"]


def _counts(call: Call, **least: int) -> None:
    for name, low in least.items():
        value = call[name]
        if int(value) != value or value < low:
            raise ValueError(f"argument {name!r} is {value!r}; allowed are integers from {low}")
        call[name] = int(value)


def _finite_right(call: Call) -> None:
    if call.numpy and not is_jax(call["b"]) and not np.isfinite(call["b"]).all():
        raise ValueError("RHS must contain only finite numbers: argument 'b'")


def _prepare_lgmres(call: Call) -> None:
    if call["outer_v"] is not None:
        raise HostRoute(Reason.OPTION, "outer_v, which is changed in place")
    prepare_square(call)
    _finite_right(call)
    _counts(call, inner_m=1, outer_k=0)
    call["prepend_outer_v"] = bool(call["prepend_outer_v"])


@implements(
    **_facts("lgmres", _general, prepare=_prepare_lgmres, static=("inner_m", "outer_k", "prepend_outer_v"),
             ignored=("callback", "outer_v", "store_outer_Av"),
             note="outer_v, callback, LinearOperator subclasses, object dtype.")
)  # fmt: skip
@_documented(
    "lgmres",
    "A. H. Baker, E. R. Jessup, T. Manteuffel, SIAM J. Matrix Anal. Appl. 26, 2005. `inner_m`, `outer_k` and\n"
    "    `prepend_outer_v` as in SciPy; images of the carried vectors are always stored.",
    "cycles",
)
def lgmres(A, matvec, b, x0, rtol, atol, maxiter, M, psolve, inner_m, outer_k, prepend_outer_v):
    """GMRES that carries differences of past iterates from restart to restart, for a general matrix.
    """  # fmt: skip

    def method(mv: Any, rhs: Any, start: Any, target: Any, limit: Any, near: Any) -> tuple[Any, Any]:
        return augmented.lgmres(mv, rhs, start, target, limit, near, inner_m, outer_k, prepend_outer_v)

    return _solve(method, False, A, matvec, b, x0, rtol, atol, maxiter, M, psolve)


def _prepare_gcrotmk(call: Call) -> None:
    if call["truncate"] not in ("oldest", "smallest"):
        raise ValueError(f"Invalid value for 'truncate': {call['truncate']!r}; allowed are 'oldest' and 'smallest'")
    if call["CU"] is not None:
        raise HostRoute(Reason.OPTION, "CU, which is changed in place")
    if call["truncate"] != "oldest":
        raise HostRoute(Reason.OPTION, "truncate='smallest'")
    prepare_square(call)
    _finite_right(call)
    call["k"] = call["m"] if call["k"] is None else call["k"]
    _counts(call, m=1, k=0)


@implements(
    **_facts("gcrotmk", _general, prepare=_prepare_gcrotmk, static=("m", "k"),
             ignored=("callback", "CU", "discard_C", "truncate"),
             note="CU, truncate='smallest', callback, LinearOperator subclasses, object dtype.")
)  # fmt: skip
@_documented(
    "gcrotmk",
    "J. E. Hicken, D. W. Zingg, SIAM J. Sci. Comput. 32, 2010. `m` inner steps a cycle, `k` vectors carried over.",
    "cycles",
)
def gcrotmk(A, matvec, b, x0, rtol, atol, maxiter, M, psolve, m, k):
    """Flexible GMRES with a recycled subspace, for a general matrix.
    """  # fmt: skip

    def method(mv: Any, rhs: Any, start: Any, target: Any, limit: Any, near: Any) -> tuple[Any, Any]:
        return augmented.gcrotmk(mv, rhs, start, target, limit, near, m, k)

    return _solve(method, False, A, matvec, b, x0, rtol, atol, maxiter, M, psolve)


def _prepare_qmr(call: Call) -> None:
    prepare_square(call, True, (("M1", "psolve1"), ("M2", "psolve2")))
    if any(call[name] is not None for name in ("matvec", "psolve1", "psolve2")):
        raise HostRoute(Reason.OPTION, "an operator without its adjoint")


@implements(
    **_facts("qmr", _general, prepare=_prepare_qmr, trees=("A", "M1", "M2"),
             dtypes={"A": "keep", "M1": "keep", "M2": "keep"},
             callables={"matvec": _example_vector, "psolve1": _example_vector, "psolve2": _example_vector},
             note="operators without their adjoint, callback, object dtype.")
)  # fmt: skip
def qmr(A, matvec, b, x0, rtol, atol, maxiter, M1, psolve1, M2, psolve2):
    """Quasi-minimal residuals, for a general matrix whose adjoint is at hand.

    Parameters
    ----------
    A, b, x0, rtol, atol, maxiter, callback
        As for `bicg`.
    M1, M2 : as A, optional
        Left and right preconditioners: their product is near the inverse of A.

    Returns
    -------
    x : array, shape (n,)
    info : int
        0 on convergence, the number of iterations where `maxiter` ended it, -10 to -15 after a breakdown.

    Raises
    ------
    ValueError
        If A is not square or shapes do not fit.

    Notes
    -----
    Differentiable as `cg`. R. W. Freund, N. M. Nachtigal, Numer. Math. 60, 1991, without look-ahead.

    Examples
    --------
    >>> import numpy as np
    >>> from sci.sparse.linalg import qmr
    >>> x, info = qmr(np.array([[4.0, 1.0], [-1.0, 3.0]]), np.array([1.0, 2.0]))
    >>> print(info, x.round(4))
    0 [0.0769 0.6923]
    """
    b, x0 = _common(A, None, b, x0)

    def pair(op: Any) -> tuple[Any, Any]:
        return (krylov.unchanged, krylov.unchanged) if op is None else (op.apply, op.adjoint)

    def run(_: Any, rhs: Any, transposed: bool) -> tuple[Any, Any]:
        start = jnp.zeros_like(x0) if transposed else x0
        products, first, second = pair(A), pair(M1), pair(M2)
        if transposed:  # the transposed system, with the factors of the preconditioner in turn
            products, second, first = (
                (_conjugated(adjoint), _conjugated(plain)) for plain, adjoint in (products, first, second)
            )
        target = jnp.maximum(jnp.maximum(atol, rtol * krylov.norm(rhs)), jnp.finfo(rhs.real.dtype).tiny)
        return engines.qmr(products, rhs, start, target, maxiter, (first, second))

    x, info = _differentiable(lambda v: A.apply(v).astype(b.dtype), b, run, False)
    zero = krylov.norm(b) == 0
    return jnp.where(zero, 0, x), jnp.where(zero, 0, info)


def _prepare_tfqmr(call: Call) -> None:
    if call["show"]:
        raise HostRoute(Reason.OPTION, "show")
    given = call["maxiter"]
    prepare_square(call)
    call["maxiter"] = min(10000, 10 * call["b"].shape[0]) if given is None else given


@implements(
    **_facts("tfqmr", _general, prepare=_prepare_tfqmr, ignored=("callback", "show"),
             note="show, callback, LinearOperator subclasses, object dtype.")
)  # fmt: skip
def tfqmr(A, matvec, b, x0, rtol, atol, maxiter, M, psolve):
    """Transpose-free quasi-minimal residuals, for a general matrix.

    Parameters
    ----------
    A, b, x0, M, callback
        As for `cg`. M preconditions from the right; SciPy mixes both sides, so that iterates differ with it.
    rtol, atol : float
        The iteration ends when a bound of the residual is below ``max(rtol norm(b - A x0), atol)``.
    maxiter : int, optional
        Half steps; ``min(10000, 10 n)`` by default.
    show
        On the host.

    Returns
    -------
    x : array, shape (n,)
    info : int
        0 on convergence, `maxiter` where that ended it, -1 after a breakdown.

    Raises
    ------
    ValueError
        If A is not square or shapes do not fit.

    Notes
    -----
    Differentiable as `cg`. R. W. Freund, SIAM J. Sci. Comput. 14, 1993.

    Examples
    --------
    >>> import numpy as np
    >>> from sci.sparse.linalg import tfqmr
    >>> x, info = tfqmr(np.array([[4.0, 1.0], [-1.0, 3.0]]), np.array([1.0, 2.0]))
    >>> print(info, x.round(4))
    0 [0.0769 0.6923]
    """
    b, x0 = _common(A, matvec, b, x0)
    apply, precondition = _product(A, matvec, b), _product(M, psolve, b)

    def run(mv: Any, rhs: Any, transposed: bool) -> tuple[Any, Any]:
        start, near = (jnp.zeros_like(x0), krylov.unchanged) if transposed else (x0, precondition)
        return engines.tfqmr(mv, rhs, start, rtol, atol, maxiter, near)

    x, info = _differentiable(apply, b, run, False)
    zero = krylov.norm(b) == 0
    return jnp.where(zero, 0, x), jnp.where(zero, 0, info)
