"""Sparse least squares: lsqr and lsmr."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from sci.bridge import Call, Example, HostRoute, Reason, implements
from sci.bridge.worlds import is_jax
from sci.sparse.linalg._arguments import operator, vector
from solvers.linear import golub_kahan

__all__ = ["lsmr", "lsqr"]

_LSQR = ("x", "istop", "itn", "r1norm", "r2norm", "anorm", "acond", "arnorm", "xnorm", "var")
_LSMR = ("x", "istop", "itn", "normr", "normar", "norma", "conda", "normx")
_ODD = ("nan", "inf", "string", "object", "empty", "1x1")


def _prepare(call: Call) -> None:
    if call["show"]:
        raise HostRoute(Reason.OPTION, "show")
    shape = operator(call, "A", "matvec", adjoint=True)
    if shape is None:
        raise HostRoute(Reason.OPTION, "A is a function without its adjoint")
    call["b"] = vector(call, "b", squeeze=True)
    rows, columns = shape
    if call["b"].shape[0] != rows:
        raise ValueError(f"shapes of A {tuple(shape)} and b {call['b'].shape} are incompatible")
    if call["x0"] is None:
        call["x0"] = jnp.zeros(columns, call["b"].dtype) if is_jax(call["b"]) else np.zeros(columns, call["b"].dtype)
    call["x0"] = vector(call, "x0", squeeze=True)
    if call["x0"].shape[0] != columns:
        raise ValueError(f"shapes of A {tuple(shape)} and x0 {call['x0'].shape} are incompatible")
    limit = "iter_lim" if "iter_lim" in call else "maxiter"
    if call[limit] is None:
        call[limit] = 2 * columns if limit == "iter_lim" else min(rows, columns)
    call["conlim"] = call["conlim"] or 0.0


def _tall() -> tuple[np.ndarray, np.ndarray]:
    return np.array([[1.0, 0.3], [0.2, 2.0], [1.0, -1.0]]), np.array([1.0, 2.0, -0.5])


def _examples(output: Any) -> Any:
    return lambda: [
        Example(_tall(), {"atol": 1e-12, "btol": 1e-12}, vmap=("b",), output=output, rtol=1e-6, atol=1e-8,
                skip_odd=_ODD)
    ]  # fmt: skip


def _operands(A: Any, b: Any, x0: Any) -> tuple[Any, Any, Any, Any]:
    dtype = jnp.result_type(b, x0, *_inexact(A))
    b, x0 = b.astype(dtype), x0.astype(dtype)
    return (lambda v: A.apply(v).astype(dtype)), (lambda v: A.adjoint(v).astype(dtype)), b, x0


def _inexact(tree: Any) -> list[Any]:
    return [v for v in jax.tree.leaves(tree) if jnp.issubdtype(v.dtype, jnp.inexact)]


def _finish_lsqr(call: Call, out: dict[str, Any]) -> tuple[Any, ...]:
    if not call["calc_var"]:
        out["var"] = np.zeros_like(out["var"])
    values = [out[name] for name in _LSQR]
    values[1:3] = int(values[1]), int(values[2])
    return tuple(values)


@implements(
    "scipy.sparse.linalg.lsqr", trees=("A",), dtypes={"A": "keep"}, ignored=("show", "calc_var"), prepare=_prepare,
    finish=_finish_lsqr, finish_jax=lambda call, out: tuple(out[n] for n in _LSQR), grad=False,
    examples=_examples(lambda r: r[0]), note="show, LinearOperator (but aslinearoperator of a matrix), object dtype.",
)  # fmt: skip
def lsqr(A, b, damp, atol, btol, conlim, iter_lim, x0):
    """Least squares, or a system of any shape, by LSQR.

    Parameters
    ----------
    A : matrix, or sparse matrix or array, shape (m, n)
    b : array, shape (m,)
    damp, atol, btol, conlim, iter_lim, show, calc_var, x0
        As in SciPy.

    Returns
    -------
    tuple
        ``(x, istop, itn, r1norm, r2norm, anorm, acond, arnorm, xnorm, var)``, as SciPy's.

    Notes
    -----
    Forward mode differentiates the iteration. C. C. Paige and M. A. Saunders, ACM TOMS 8, 1982.

    Examples
    --------
    >>> import numpy as np
    >>> from sci.sparse.linalg import lsqr
    >>> print(lsqr(np.array([[1.0, 0.0], [1.0, 1.0], [0.0, 1.0]]), np.array([1.0, 0.0, -1.0]))[0].round(6))
    [ 1. -1.]
    """
    apply, adjoint, b, x0 = _operands(A, b, x0)
    return golub_kahan.lsqr(apply, adjoint, b, x0, damp, atol, btol, conlim, iter_lim)


def _finish_lsmr(call: Call, out: dict[str, Any]) -> tuple[Any, ...]:
    values = [out[name] for name in _LSMR]
    values[1:3] = int(values[1]), int(values[2])
    return tuple(values)


@implements(
    "scipy.sparse.linalg.lsmr", trees=("A",), dtypes={"A": "keep"}, ignored=("show",), prepare=_prepare,
    finish=_finish_lsmr, finish_jax=lambda call, out: tuple(out[n] for n in _LSMR), grad=False,
    examples=_examples(lambda r: r[0]), note="show, LinearOperator (but aslinearoperator of a matrix), object dtype.",
)  # fmt: skip
def lsmr(A, b, damp, atol, btol, conlim, maxiter, x0):
    """Least squares, or a system of any shape, by LSMR.

    Parameters
    ----------
    A : matrix, or sparse matrix or array, shape (m, n)
    b : array, shape (m,)
    damp, atol, btol, conlim, maxiter, show, x0
        As in SciPy.

    Returns
    -------
    tuple
        ``(x, istop, itn, normr, normar, norma, conda, normx)``, as SciPy's.

    Notes
    -----
    Forward mode differentiates the iteration. D. C.-L. Fong and M. A. Saunders, SIAM J. Sci. Comput. 33, 2011.

    Examples
    --------
    >>> import numpy as np
    >>> from sci.sparse.linalg import lsmr
    >>> print(lsmr(np.array([[1.0, 0.0], [1.0, 1.0], [0.0, 1.0]]), np.array([1.0, 0.0, -1.0]))[0].round(6))
    [ 1. -1.]
    """
    apply, adjoint, b, x0 = _operands(A, b, x0)
    return golub_kahan.lsmr(apply, adjoint, b, x0, damp, atol, btol, conlim, maxiter)
