"""`linprog`: an interior point method on JAX; vertices that are not unique, and integers, on HiGHS."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp
import numpy as np
import scipy.optimize
from scipy.optimize import OptimizeResult

from sci.bridge import Call, Example, HostRoute, Reason, implements
from sci.bridge.reasons import record_host
from sci.bridge.worlds import is_jax
from solvers.linprog import linprog as engine

__all__ = ["linprog"]

#: Larger problems are HiGHS's: the dense factorisations here cost the cube of the size.
_LARGEST = 150
_TUNING = frozenset(
    ["presolve", "dual_feasibility_tolerance", "primal_feasibility_tolerance", "ipm_optimality_tolerance", "disp"]
)
_SOLVED = "Optimization terminated successfully. (Interior point, moved to the vertex)"


def _array(call: Call, name: str, ndim: int) -> Any:
    """An argument as doubles of `ndim` axes; what SciPy would refuse goes there, for its own words."""
    value = call[name]
    if is_jax(value):
        return jnp.asarray(value)
    if type(value).__module__.startswith("scipy.sparse"):
        raise HostRoute(Reason.SPARSE, f"argument {name!r}")
    try:
        value = np.asarray(value)
    except ValueError:
        raise HostRoute(Reason.SHAPE, f"argument {name!r} is ragged") from None
    if value.dtype.kind not in "biuf" or value.ndim != ndim or not np.isfinite(value).all():
        raise HostRoute(Reason.DTYPE, f"argument {name!r} has dtype {value.dtype} and shape {value.shape}")
    return value.astype(float)


def _rows(call: Call, kind: str, n: int) -> None:
    """``A_ub`` and ``b_ub`` (or ``eq``), empty where they are not given."""
    matrix, vector = f"A_{kind}", f"b_{kind}"
    if (call[matrix] is None) != (call[vector] is None):
        raise HostRoute(Reason.OPTION, f"only one of {matrix} and {vector}")  # SciPy raises
    if call[matrix] is None:
        call[matrix], call[vector] = np.zeros((0, n)), np.zeros(0)
        return
    call[matrix], call[vector] = _array(call, matrix, 2), _array(call, vector, 1)
    if call[matrix].shape != (call[vector].size, n):
        raise HostRoute(Reason.SHAPE, f"{matrix} has shape {call[matrix].shape}")  # SciPy raises


def _limits(bounds: Any, n: int) -> tuple[Any, Any]:
    limits: Any
    if bounds is None or (isinstance(bounds, (list, tuple)) and len(bounds) == 0):
        bounds = (0, None)
    if is_jax(bounds):
        limits = jnp.broadcast_to(jnp.asarray(bounds), (n, 2))
        return limits[:, 0], limits[:, 1]
    try:
        limits = np.array(bounds, dtype=float)  # None becomes NaN
        limits = np.broadcast_to(limits.reshape(-1, 2), (n, 2))
        given = np.array(bounds, dtype=object).reshape(-1, 2)
    except (TypeError, ValueError):
        raise HostRoute(Reason.OPTION, f"bounds={bounds!r}") from None
    none = np.broadcast_to(np.array([[v is None for v in row] for row in given]), (n, 2))
    lower, upper = np.where(none[:, 0], -np.inf, limits[:, 0]), np.where(none[:, 1], np.inf, limits[:, 1])
    if np.isnan(lower).any() or np.isnan(upper).any() or (lower >= upper).any() or (lower == np.inf).any():
        raise HostRoute(Reason.OPTION, "bounds that fix a variable or that cross")
    return lower, upper


def _prepare(call: Call) -> None:
    method = call["method"]
    if not isinstance(method, str) or method.lower() not in ("highs", "highs-ipm"):
        raise HostRoute(Reason.METHOD, f"method={method!r}")
    call["method"] = method.lower()
    options = call["options"] or {}
    if not set(options) <= _TUNING or options.get("disp"):
        raise HostRoute(Reason.OPTION, f"options={options!r}")
    if call["integrality"] is not None and np.any(call["integrality"]):
        raise HostRoute(Reason.OPTION, "integrality")
    if call["callback"] is not None:
        raise HostRoute(Reason.CALLBACK, "callback")
    if call["x0"] is not None:
        raise HostRoute(Reason.OPTION, "x0")
    call["c"] = _array(call, "c", 1)
    n = call["c"].size
    if n == 0:
        raise HostRoute(Reason.SHAPE, "no variables")
    _rows(call, "ub", n)
    _rows(call, "eq", n)
    call["lower"], call["upper"] = _limits(call["bounds"], n)
    size = n + 2 * call["b_ub"].size + call["b_eq"].size
    if call.numpy and size > _LARGEST:
        raise HostRoute(Reason.SHAPE, f"{size} unknowns: HiGHS is quicker beyond {_LARGEST}")


def _drive(call: Call, run: Any) -> OptimizeResult:
    out = run()
    if out["status"] != 0 or not out["vertex"]:
        # HiGHS tells infeasible from unbounded, and which vertex of several a simplex method ends at.
        reason = "infeasible or unbounded" if out["status"] != 0 else "the solution is not unique"
        record_host("scipy.optimize.linprog", Reason.METHOD, f"method={call['method']!r}: {reason}")
        return scipy.optimize.linprog(*call.args, **call.kwargs)
    n, k = call["c"].size, call["b_ub"].size
    dual, reduced, x = out["dual"], out["reduced"], out["x"]

    def part(residual: Any, marginals: Any) -> OptimizeResult:
        return OptimizeResult(residual=residual, marginals=marginals)

    result = OptimizeResult(
        x=x,
        slack=out["slack"],
        con=out["con"],
        ineqlin=part(out["slack"], dual[:k]),
        eqlin=part(out["con"], dual[k:]),
        lower=part(x - call["lower"], np.maximum(reduced[:n], 0.0) * (x <= call["lower"])),
        upper=part(call["upper"] - x, np.minimum(reduced[:n], 0.0) * (x >= call["upper"])),
        fun=float(out["fun"]),
        status=0,
        success=True,
        message=_SOLVED,
        nit=int(out["nit"]),
        crossover_nit=0,
    )
    if len(dual):  # HiGHS is not called without rows
        result.update(mip_node_count=0, mip_dual_bound=0.0, mip_gap=0.0)
    return result


def _finish_jax(call: Call, out: dict[str, Any]) -> OptimizeResult:
    solved, k = out["status"] == 0, call["b_ub"].size
    return OptimizeResult(
        x=jnp.where(solved, out["x"], jnp.nan),
        fun=jnp.where(solved, out["fun"], jnp.nan),
        slack=out["slack"],
        con=out["con"],
        ineqlin=OptimizeResult(residual=out["slack"], marginals=out["dual"][:k]),
        eqlin=OptimizeResult(residual=out["con"], marginals=out["dual"][k:]),
        status=out["status"],
        success=solved,
        nit=out["nit"],
    )


_EXAMPLE = {
    "A_ub": np.array([[1.0, 1.0, 1.0], [1.0, 3.0, 0.2]]),
    "b_ub": np.array([4.0, 6.0]),
    "A_eq": np.array([[1.0, 0.5, -1.0]]),
    "b_eq": np.array([0.5]),
    "bounds": [(0, 3), (0, None), (None, None)],
}


@implements(
    "scipy.optimize.linprog",
    dtypes="float",
    prepare=_prepare,
    drive=_drive,
    finish_jax=_finish_jax,
    examples=lambda: [
        Example(
            (np.array([-1.0, -2.0, 0.5]),),
            _EXAMPLE,
            grad=("b_ub", "A_ub", "b_eq"),
            vmap=("c", "b_ub"),
            output=lambda r: (r["x"], r["fun"], r["slack"]),
            rtol=1e-8,
            atol=1e-9,
            float32=False,
            skip_odd=("nan", "inf"),
        )
    ],
    note="integrality, method highs-ds and the older ones, callback, x0, time and iteration limits, sparse matrices, "
    f"more than {_LARGEST} unknowns, solutions that are not unique (which is found out by solving), infeasible and "
    "unbounded problems.",
)
def linprog(c, A_ub, b_ub, A_eq, b_eq, lower, upper):
    """Minimise a linear function subject to linear constraints.

    An interior point method, moved to the vertex by its active set. In the NumPy world a solution that is not the
    only one, an infeasible and an unbounded problem are HiGHS's, whose vertex and status are the answer; ``nit`` and
    the message are ours otherwise. With JAX arrays ``x`` and ``fun`` are differentiable with respect to all
    arguments, by the active set of a unique vertex; where there is none the derivative is not finite. Status 4 and
    NaN stand for all problems that are not solved.

    References
    ----------
    S. Mehrotra, "On the implementation of a primal-dual interior point method", SIAM J. Optim. 2, 1992.

    Examples
    --------
    >>> from sci.optimize import linprog
    >>> found = linprog([-1, -2], A_ub=[[1, 1], [1, 3]], b_ub=[4, 6])
    >>> found.x.round(6).tolist(), round(found.fun, 6)
    ([3.0, 1.0], -5.0)
    """
    n, k = c.size, b_ub.size
    dtype = jnp.result_type(*(jnp.asarray(v) for v in (c, A_ub, b_ub, A_eq, b_eq)))
    c, A_ub, b_ub, A_eq, b_eq, lower, upper = (jnp.asarray(v, dtype) for v in (c, A_ub, b_ub, A_eq, b_eq, lower, upper))
    top = jnp.concatenate([A_ub, jnp.eye(k, dtype=dtype)], axis=1)
    matrix = jnp.concatenate([top, jnp.concatenate([A_eq, jnp.zeros((b_eq.size, k), dtype)], axis=1)])
    found = engine(
        jnp.concatenate([c, jnp.zeros(k, dtype)]),
        matrix,
        jnp.concatenate([b_ub, b_eq]),
        jnp.concatenate([lower, jnp.zeros(k, dtype)]),
        jnp.concatenate([upper, jnp.full(k, jnp.inf, dtype)]),
        100,
        1e-10 if dtype == jnp.float64 else 1e-4,
    )
    x = found.x[:n]
    return {
        "x": x, "fun": c @ x, "slack": b_ub - A_ub @ x, "con": b_eq - A_eq @ x, "dual": found.dual,
        "reduced": found.reduced, "status": found.status, "nit": found.nit, "vertex": found.vertex,
    }  # fmt: skip
