"""`nnls` and `lsq_linear`: linear least squares within bounds."""

from __future__ import annotations

import inspect
from typing import Any

import jax.numpy as jnp
import numpy as np
import scipy.optimize
from scipy.optimize import Bounds, OptimizeResult

from sci.bridge import Call, Example, HostRoute, Reason, implements
from sci.bridge.worlds import is_jax
from solvers.least_squares.bounded import bounded_least_squares

__all__ = ["lsq_linear", "nnls"]

_ATOL = inspect.signature(scipy.optimize.nnls).parameters.get("atol")  # gone in SciPy 1.18
_MESSAGES = {
    0: "The maximum number of iterations is exceeded.",
    1: "The first-order optimality measure is less than `tol`.",
    3: "The unconstrained solution is optimal.",
}


def _matrix(call: Call) -> tuple[int, int]:
    """`A` and `b` as arrays; the shape of `A`."""
    for name in ("A", "b"):
        value = call[name]
        if not is_jax(value):
            module = type(value).__module__
            if module.startswith("scipy.sparse"):
                raise HostRoute(Reason.SPARSE, f"argument {name!r} is sparse or a LinearOperator")
            value = np.asarray(value)
            if value.dtype.kind not in "biuf":
                raise HostRoute(Reason.DTYPE, f"argument {name!r} has dtype {value.dtype}")
            call[name] = value.astype(float)
    return np.shape(call["A"])


def _prepare_nnls(call: Call) -> None:
    if _ATOL is not None and call["atol"] is not _ATOL.default:
        raise HostRoute(Reason.OPTION, "atol, which is deprecated")
    shape = _matrix(call)
    if call.numpy and not (np.isfinite(call["A"]).all() and np.isfinite(call["b"]).all()):
        raise ValueError("array must not contain infs or NaNs: arguments 'A' and 'b' of nnls")
    if len(shape) != 2:
        raise ValueError(f"Expected a 2D array, but the shape of A is {shape}")
    b = call["b"]
    if b.ndim > 2 or (b.ndim == 2 and b.shape[1] != 1) or b.ndim == 0:
        raise ValueError(f"Expected a 1D array,(or 2D with one column), but the, shape of b is {b.shape}")
    call["b"] = b = b.reshape(-1)
    if shape[0] != b.shape[0]:
        raise ValueError(
            f"Incompatible dimensions. The first dimension of A is {shape[0]}, while the shape of b is {b.shape}"
        )
    if 0 in shape:
        raise HostRoute(Reason.SHAPE, f"A has shape {shape}")
    call["maxiter"] = int(call["maxiter"] or 3 * shape[1])


def _finish_nnls(call: Call, out: dict[str, Any]) -> tuple[Any, Any]:
    if out["status"] != 1:
        raise RuntimeError("Maximum number of iterations reached.")
    return out["x"], float(out["rnorm"])


def _finish_nnls_jax(call: Call, out: dict[str, Any]) -> tuple[Any, Any]:
    found = out["status"] == 1
    return jnp.where(found, out["x"], jnp.nan), jnp.where(found, out["rnorm"], jnp.nan)


_A = np.array([[1.0, 0.4, -0.3], [0.2, 1.5, 0.7], [-0.6, 0.3, 1.1], [0.5, -0.8, 0.9]])
_B = np.array([1.0, -0.6, 0.4, 1.7])


@implements(
    "scipy.optimize.nnls",
    dtypes={"A": "float", "b": "float", "maxiter": "keep"},
    prepare=_prepare_nnls,
    finish=_finish_nnls,
    finish_jax=_finish_nnls_jax,
    examples=lambda: [Example((_A, _B), grad=("A", "b"), vmap=("A", "b"), rtol=1e-9, skip_odd=("nan", "inf"))],
    note="sparse matrices, atol.",
)
def nnls(A, b, maxiter):
    """Solve ``argmin_x || Ax - b ||_2`` for ``x >= 0``.

    The solution and the norm of the residual are differentiable with respect to `A` and `b`; a variable at zero
    stays there. With JAX arrays a failure gives NaN.

    References
    ----------
    C. L. Lawson, R. J. Hanson, "Solving Least Squares Problems", 1974, chapter 23.

    Examples
    --------
    >>> from sci.optimize import nnls
    >>> x, rnorm = nnls([[1, 0], [1, 0], [0, 1]], [2, 1, -1])
    >>> x.round(6).tolist(), round(float(rnorm), 6)
    ([1.5, 0.0], 1.224745)
    """
    n, b = A.shape[1], b.astype(A.dtype)
    lower, upper = jnp.zeros(n, A.dtype), jnp.full(n, jnp.inf, A.dtype)
    found = bounded_least_squares(A, b, lower, upper, maxiter, nonnegative=True)
    square = jnp.sum((A @ found.x - b) ** 2)
    rnorm = jnp.where(square > 0, jnp.sqrt(jnp.where(square > 0, square, 1.0)), 0.0)
    return {"x": found.x, "rnorm": rnorm, "status": found.status}


def _prepare_lsq_linear(call: Call) -> None:
    if call["method"] not in ("trf", "bvls"):
        raise ValueError(f"`method` must be 'trf' or 'bvls', got {call['method']!r}")
    if call["lsq_solver"] not in (None, "exact", "lsmr"):
        raise ValueError(f"`solver` must be None, 'exact' or 'lsmr', got {call['lsq_solver']!r}.")
    if call["verbose"] not in (0, 1, 2):
        raise ValueError("`verbose` must be in [0, 1, 2].")
    if call["verbose"] or call["lsq_solver"] == "lsmr":
        raise HostRoute(Reason.OPTION, f"verbose={call['verbose']} or lsq_solver={call['lsq_solver']!r}")
    dtypes = [getattr(call[name], "dtype", None) for name in ("A", "b")]
    call["single"] = dtypes == [np.float32, np.float32]  # computed in double precision all the same
    _matrix(call)
    lib: Any = jnp if is_jax((call["A"], call["b"])) else np
    call["A"], call["b"] = lib.atleast_2d(call["A"]), lib.atleast_1d(call["b"])
    shape = call["A"].shape
    if len(shape) != 2:
        raise ValueError("`A` must have at most 2 dimensions.")
    if call["max_iter"] is not None and call["max_iter"] <= 0:
        raise ValueError("`max_iter` must be None or positive integer.")
    if call["b"].ndim != 1:
        raise ValueError("`b` must have at most 1 dimension.")
    if call["b"].size != shape[0]:
        raise ValueError("Inconsistent shapes between `A` and `b`.")
    tolerance = call["lsmr_tol"]
    if not ((isinstance(tolerance, float) and tolerance > 0) or tolerance in ("auto", None)):
        raise ValueError("`lsmr_tol` must be None, 'auto', or positive float.")
    if call["lsmr_maxiter"] is not None and call["lsmr_maxiter"] < 1:
        raise ValueError("`lsmr_maxiter` must be None or positive integer.")
    if call.numpy and not (np.isfinite(call["A"]).all() and np.isfinite(call["b"]).all()):
        raise HostRoute(Reason.OPTION, "values that are not finite")  # LAPACK words it
    call["lower"], call["upper"] = _limits(call["bounds"], shape[1])
    call["maxiter"] = int(call["max_iter"] or 10 * shape[1])


def _limits(bounds: Any, n: int) -> tuple[Any, Any]:
    pair = (bounds.lb, bounds.ub) if isinstance(bounds, Bounds) else tuple(bounds)
    if len(pair) != 2:
        raise ValueError("`bounds` must contain 2 elements.")
    if is_jax(pair):
        return jnp.broadcast_to(pair[0], (n,)), jnp.broadcast_to(pair[1], (n,))
    lower, upper = (np.asarray(b, float) for b in pair)
    lower, upper = (np.resize(b, n) if b.ndim == 0 else b for b in (lower, upper))
    if lower.shape != (n,) or upper.shape != (n,):
        raise ValueError("Bounds have wrong shape.")
    if (lower >= upper).any():
        raise ValueError("Each lower bound must be strictly less than each upper bound.")
    return lower, upper


def _finish_lsq_linear(call: Call, out: dict[str, Any]) -> OptimizeResult:
    status = int(out["status"])
    if call["single"]:
        out = out | {name: out[name].astype(np.float32) for name in ("x", "fun", "cost", "optimality")}
    return OptimizeResult(
        x=out["x"],
        fun=out["fun"],
        cost=out["cost"],
        optimality=out["optimality"],
        active_mask=out["side"].astype(float) if status == 3 else out["side"].astype(int),
        unbounded_sol=np.linalg.lstsq(call["A"], call["b"], rcond=-1),
        nit=int(out["nit"]),
        status=status,
        message=_MESSAGES[status],
        success=status > 0,
    )


def _finish_lsq_linear_jax(call: Call, out: dict[str, Any]) -> OptimizeResult:
    names = ("x", "fun", "cost", "optimality", "nit", "status")
    return OptimizeResult({k: out[k] for k in names}, active_mask=out["side"], success=out["status"] > 0)


@implements(
    "scipy.optimize.lsq_linear",
    dtypes={"A": "float", "b": "float", "lower": "float", "upper": "float", "maxiter": "keep"},
    prepare=_prepare_lsq_linear,
    finish=_finish_lsq_linear,
    finish_jax=_finish_lsq_linear_jax,
    examples=lambda: [
        Example(
            (_A, _B),
            {"bounds": ([0.0, -0.2, 0.1], [1.0, 2.0, np.inf]), "method": "bvls"},
            grad=("A", "b"),
            vmap=("A", "b"),
            output=lambda r: (r["x"], r["cost"], r["fun"]),
            rtol=1e-8,
            skip_odd=("nan", "inf"),  # the original: LAPACK's least squares does not end for NaN
            atol=1e-9,
            float32=False,
        )
    ],
    note="sparse matrices and operators, lsmr, verbose.",
)
def lsq_linear(A, b, lower, upper, maxiter):
    """Solve a linear least-squares problem with bounds on the variables.

    Both methods run the active set algorithm, whose solution is exact to rounding: with ``method="trf"`` SciPy
    stops at its tolerance, strictly between the bounds. Differentiable with respect to `A`, `b` and the bounds.

    References
    ----------
    P. B. Stark, R. L. Parker, "Bounded-variable least-squares: an algorithm and applications", 1995.

    Examples
    --------
    >>> from sci.optimize import lsq_linear
    >>> found = lsq_linear([[2.0, 0.0], [0.0, 1.0]], [4.0, 3.0], bounds=(0, 2.5))
    >>> found.x.round(6).tolist(), found.status
    ([2.0, 2.5], 1)
    """
    b = b.astype(A.dtype)
    lower, upper = (jnp.asarray(v, A.dtype) for v in (lower, upper))
    found = bounded_least_squares(A, b, lower, upper, maxiter)
    x, side = found.x, jnp.where(found.x <= lower, -1, jnp.where(found.x >= upper, 1, 0))
    fun = A @ x - b
    slope = A.T @ fun
    wrong = jnp.where(side < 0, jnp.maximum(-slope, 0.0), jnp.where(side > 0, jnp.maximum(slope, 0.0), jnp.abs(slope)))
    status = jnp.where((found.status == 1) & (side == 0).all(), 3, found.status)
    return {
        "x": x,
        "fun": fun,
        "cost": 0.5 * jnp.sum(fun * fun),
        "optimality": jnp.max(wrong),
        "side": side,
        "nit": found.nit,
        "status": status,
    }
