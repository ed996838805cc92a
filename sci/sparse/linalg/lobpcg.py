"""Extreme eigenpairs by LOBPCG."""

from __future__ import annotations

import functools
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from scipy.sparse.linalg import LinearOperator

from sci.bridge import Call, Example, HostRoute, Reason, as_array, implements, warn_user
from sci.bridge.worlds import is_jax
from sci.sparse.linalg._arguments import operator
from solvers.eigen import hermitian_pairs
from solvers.eigen import lobpcg as engine

__all__ = ["lobpcg"]


def _has_floats(value: Any) -> bool:
    return jnp.issubdtype(getattr(value, "dtype", None) or np.int8, jnp.inexact)


def _prepare(call: Call) -> None:
    if call["verbosityLevel"]:
        raise HostRoute(Reason.OPTION, "verbosityLevel")
    x = call["X"]
    if x is None:
        raise ValueError("The mandatory initial matrix X cannot be None")
    x = x if is_jax(x) else np.asarray(x)
    if x.ndim != 2:
        raise ValueError(f"expected rank-2 array for argument X, got shape {x.shape}")
    if not jnp.issubdtype(x.dtype, jnp.inexact):
        warn_user(f"Data type for argument X is {x.dtype}, which is not inexact, so casted to np.float32.")
        x = x.astype(np.float32)
    call["X"] = x
    y = call["Y"]
    if y is not None and np.ndim(y) != 2:
        warn_user(
            f"Expected rank-2 array for argument Y, instead got {np.ndim(y)}, so ignore it and use no constraints."
        )
        y = call["Y"] = None
    n, k = x.shape
    if n - (0 if y is None else np.shape(y)[1]) < 5 * k:
        raise HostRoute(Reason.SHAPE, f"n={n} is less than 5 k, k={k}: a dense eigenproblem")
    columns = []
    known = [value.dtype for name in ("A", "B") if (value := call[name]) is not None and _has_floats(value)]
    for name, function in (("A", "matmat"), ("B", "bmatmat"), ("M", "mmatmat")):
        vector_wise = isinstance(call[name], LinearOperator)
        shape = operator(call, name, function)
        if shape is not None and tuple(shape) != (n, n):
            raise ValueError(f"The shape {(n, k)} of the initial approximations does not fit argument {name!r} {shape}")
        columns.append(vector_wise and call[function] is not None)
    call["columns"] = tuple(columns)
    call["X"] = x.astype(np.result_type(x.dtype, *known)) if call.numpy else x.astype(jnp.result_type(x, *known))
    tol, eps = call["tol"], np.sqrt(np.finfo(x.dtype).eps) * n
    call["tol"] = eps if tol is None else (jnp.where(tol > 0, tol, eps) if is_jax(tol) else (tol if tol > 0 else eps))
    call["maxiter"] = 20 if call["maxiter"] is None else call["maxiter"]
    call["record"] = bool(call["retLambdaHistory"] or call["retResidualNormsHistory"])
    call["limit"] = int(call["maxiter"]) if call["record"] else 0
    call["largest"] = bool(call["largest"])


def _block(op: Any, function: Any, by_columns: bool, x: Any) -> Any:
    """A product with a vector or with the columns of a block."""
    if function is None and op is None:
        return x
    if function is None:
        apply = op.apply
        return apply(x).astype(x.dtype) if x.ndim == 1 else jax.vmap(apply, 1, 1)(x).astype(x.dtype)
    if by_columns:
        single = lambda v: as_array(function(v)).reshape(v.shape).astype(v.dtype)  # noqa: E731
        return single(x) if x.ndim == 1 else jax.vmap(single, 1, 1)(x)
    y = as_array(function(x.reshape(x.shape[0], -1)))
    return y.reshape(x.shape).astype(x.dtype)


def _apply(columns: tuple[bool, ...], params: Any, x: Any) -> Any:
    return _block(params[0], params[1], columns[0], x)


def _metric(columns: tuple[bool, ...], params: Any, x: Any) -> Any:
    return _block(params[2], params[3], columns[1], x)


def _iterate(columns: Any, generalised: bool, largest: bool, record: bool, limit: int, params: Any, start: Any) -> Any:
    x, y, M, mmatmat, tol, maxiter, restart = start
    metric = functools.partial(_metric, columns, params) if generalised else None
    precondition = None
    if M is not None or mmatmat is not None:
        precondition = functools.partial(_block, M, mmatmat, columns[2])
    out = engine(
        functools.partial(_apply, columns, params), metric, precondition, x, y, tol, limit if record else maxiter,
        largest, restart, record,
    )  # fmt: skip
    return out.pop("w"), out.pop("x").T, out


@functools.lru_cache(maxsize=256)
def _functions(columns: Any, *facts: Any) -> tuple[Any, ...]:
    return (functools.partial(_iterate, columns, *facts), functools.partial(_apply, columns),
            functools.partial(_metric, columns))  # fmt: skip


def _finish(call: Call, out: Any) -> Any:
    w, x, aux = out
    if not aux["ok"]:
        raise ValueError("Linearly dependent initial approximations or constraints")
    if not np.isfinite(w).all():
        raise ValueError("lobpcg met values that are not finite; check arguments 'A', 'B', 'M' and 'X'")
    if aux["residuals"].max() > call["tol"]:
        warn_user(
            f"Exited at iteration {int(aux['last'])} with accuracies \n{aux['residuals']}\nnot reaching the requested "
            f"tolerance {call['tol']}.\nUse iteration {int(aux['best'])} instead."
        )
    result = [w, np.ascontiguousarray(x.T)]
    stop = int(aux["best"]) + 2
    for wanted, name in ((call["retLambdaHistory"], "values"), (call["retResidualNormsHistory"], "norms")):
        if wanted:
            result.append([np.squeeze(row) for row in aux[name][:stop]])
    return tuple(result)


def _finish_jax(call: Call, out: Any) -> Any:
    w, x, aux = out
    result = [jnp.where(aux["ok"], w, jnp.nan), jnp.where(aux["ok"], x, jnp.nan).T]
    for wanted, name in ((call["retLambdaHistory"], "values"), (call["retResidualNormsHistory"], "norms")):
        if wanted:
            result.append(aux[name])
    return tuple(result)


def _check(result: Any, original: Any) -> None:
    np.testing.assert_allclose(result[0], original[0], rtol=1e-8)
    for ours, theirs in zip(result[1].T, original[1].T, strict=True):
        np.testing.assert_allclose(np.outer(ours, ours), np.outer(theirs, theirs), atol=1e-4)


def _example() -> tuple[Any, ...]:
    a = np.diag(np.arange(1.0, 16) ** 2) + 0.5 * np.eye(15, k=1) + 0.5 * np.eye(15, k=-1)
    return a, np.cos(np.arange(30.0) ** 2).reshape(15, 2)


def _example_for(index: int) -> Any:
    return lambda call: (call["X"][:, 0],) if call["columns"][index] else (call["X"],)


@implements(
    "scipy.sparse.linalg.lobpcg",
    static=("columns", "largest", "record", "limit"),
    callables={"matmat": _example_for(0), "bmatmat": _example_for(1), "mmatmat": _example_for(2)},
    trees=("A", "B", "M"),
    dtypes={"A": "keep", "B": "keep", "M": "keep", "maxiter": "keep"},
    prepare=_prepare,
    finish=_finish,
    finish_jax=_finish_jax,
    note="verbosityLevel; blocks of more than a fifth of n (a dense problem); LinearOperator subclasses.",
    examples=lambda: [
        Example(_example(), {"tol": 1e-9, "maxiter": 60}, check=_check, output=lambda r: r[0], grad=("A",),
                vmap=("A",), rtol=1e-8, atol=1e-8, grad_rtol=1e-4, float32=False,
                skip_odd=("nan", "inf", "empty", "1x1", "0-d")),
    ],
)  # fmt: skip
def lobpcg(A, matmat, X, B, bmatmat, M, mmatmat, Y, tol, maxiter, limit, largest, record, restartControl, columns):
    """Extreme eigenvalues and eigenvectors of ``A x = w B x`` by LOBPCG.

    Parameters
    ----------
    A : matrix, sparse matrix or array, LinearOperator, or callable, shape (n, n)
        Symmetric or Hermitian. A callable maps blocks (n, k), as in SciPy.
    X : array, shape (n, k)
        Start; computed with in the promoted dtype of X, A and B.
    B, M : as A, optional
        Positive definite matrix of the pencil; preconditioner.
    Y : array, shape (n, m), optional
        Constraints: the vectors are B-orthogonal to its columns.
    tol, maxiter, largest, retLambdaHistory, retResidualNormsHistory, restartControl
        As in SciPy. In the JAX world histories have ``maxiter + 3`` rows, NaN where not reached.
    verbosityLevel
        On the host.

    Returns
    -------
    w : array, shape (k,)
        The most extreme first.
    v : array, shape (n, k)
        B-orthonormal columns.
    lambda_history, residual_history : list of array, optional

    Raises
    ------
    ValueError
        For shapes that do not match; dependent columns in X or Y (NumPy world; NaN in the JAX world).

    Warns
    -----
    UserWarning
        If the residuals do not reach `tol` (NumPy world).

    Notes
    -----
    A. V. Knyazev, SIAM J. Sci. Comput. 23 (2001) 517-541, with an orthonormal basis in each step, so that iterates
    differ from SciPy's in rounding and it restarts less often. Differentiable with respect to the values of A and B, as
    exactly as the iteration has converged.

    Examples
    --------
    >>> import numpy as np
    >>> from sci.sparse.linalg import lobpcg
    >>> w, v = lobpcg(np.diag(np.arange(1.0, 21.0)), np.eye(20, 2) + 0.1, largest=False, maxiter=60)
    >>> print(w.round(3))
    [1. 2.]
    """
    params = (A, matmat, B, bmatmat)
    generalised = B is not None or bmatmat is not None
    solve, apply, metric = _functions(columns, generalised, largest, record, limit)
    metric = metric if generalised else None
    return hermitian_pairs(solve, apply, metric, metric, params, (X, Y, M, mmatmat, tol, maxiter, restartControl))
