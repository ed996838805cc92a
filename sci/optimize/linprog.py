"""`linprog`: the simplex method and an interior point method on JAX; integers on HiGHS."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp
import numpy as np
import scipy.optimize
from scipy.optimize import OptimizeResult, OptimizeWarning

from sci.bridge import Call, Example, HostRoute, Reason, implements
from sci.bridge.reasons import record_host, warn_user
from sci.bridge.worlds import is_jax
from sci.optimize.linprog_input import DEFAULTS, array, limits, options, rows
from sci.optimize.linprog_presolve import guessed_basis, presolve
from sci.optimize.linprog_result import MESSAGES, certified, highs_result, legacy_result, progress, violation
from solvers.linprog import linprog as interior_point
from solvers.linprog import simplex_method

__all__ = ["linprog"]

#: HiGHS is three times quicker and more beyond: the tableau has this many entries.
_LARGEST = 30_000
#: Larger problems are the simplex method's: the interior point's dense factorisations cost the cube of the size.
_LARGEST_INTERIOR = 150
_METHODS = {
    "highs": "simplex",
    "highs-ds": "simplex",
    "highs-ipm": "interior",
    "simplex": "simplex",
    "revised simplex": "simplex",
    "interior-point": "interior",
}


def _prepare(call: Call) -> None:
    method = call["method"]
    if not isinstance(method, str) or method.lower() not in _METHODS:
        raise HostRoute(Reason.METHOD, f"method={method!r}")  # SciPy raises
    call["method"] = method = method.lower()
    own = method in DEFAULTS
    call["options"] = chosen = options(call)
    if method == "highs" and call["integrality"] is not None and np.any(call["integrality"]):
        raise HostRoute(Reason.OPTION, "integrality")
    if call["callback"] is not None and not (own and call.numpy):
        raise HostRoute(Reason.CALLBACK, "callback")
    call["c"] = array(call, "c", 1)
    n = call["c"].size
    if n == 0:
        raise HostRoute(Reason.SHAPE, "no variables")
    _check_guess(call, n)
    call["sparse"] = any(type(call[name]).__module__.startswith("scipy.sparse") for name in ("A_ub", "A_eq"))
    rows(call, "ub", n)
    rows(call, "eq", n)
    call["lower"], call["upper"] = limits(call["bounds"], n)
    if call.numpy and own and not chosen["presolve"] and _crossing(call["lower"], call["upper"]):
        raise HostRoute(Reason.OPTION, "bounds that cross, without presolve")  # SciPy fails in several ways
    m = call["b_ub"].size + call["b_eq"].size
    if call.numpy and not own and m * (n + m) > _LARGEST:
        raise HostRoute(Reason.SHAPE, f"{n} variables, {m} rows: HiGHS is quicker")
    call["engine"] = _METHODS[method]
    if call.numpy and n + m + call["b_ub"].size > _LARGEST_INTERIOR:
        call["engine"] = "simplex"
    bland = chosen.get("bland", False) or str(chosen.get("pivot", "mrc")).lower() != "mrc"
    call["rule"] = int(bool(bland))
    call["maxiter"] = chosen["maxiter"] if chosen["maxiter"] is not None else 1000 + 50 * (n + m)
    # looser tolerances than these end at points that are not optimal, stricter ones below rounding errors
    call["tol"] = float(np.clip(chosen["tol"], 1e-10, 1e-8))
    # the interior point has to come near enough to tell the active set
    if call["engine"] == "interior":
        call["tol"] = min(call["tol"], 1e-10)
    call["start"] = ()


def _crossing(low: Any, high: Any) -> bool:
    return bool(((low > high) | (low == np.inf) | (high == -np.inf)).any())


def _check_guess(call: Call, n: int) -> None:
    if call["x0"] is None or call["method"] != "revised simplex":
        return
    if is_jax(call["x0"]):
        raise HostRoute(Reason.OPTION, "x0 is a JAX array")
    try:
        guess = np.array(call["x0"], dtype=float)
    except (TypeError, ValueError):
        guess = np.zeros(0)
    if guess.size != n or not np.isfinite(guess).all() or guess.squeeze().ndim > 1:
        raise HostRoute(Reason.OPTION, "x0")  # SciPy raises


def _drive(call: Call, run: Any) -> OptimizeResult:
    method = call["method"]
    if call["x0"] is not None and method != "revised simplex":
        warn_user("x0 is used only when method is 'revised simplex'. ", OptimizeWarning)
    if method != "highs" and call["integrality"] is not None and np.any(call["integrality"]):
        warn_user(
            "Only `method='highs'` supports integer constraints. Ignoring `integrality`.",
            OptimizeWarning,
        )
    return _own_method(call, run) if method in DEFAULTS else _highs(call, run)


def _highs(call: Call, run: Any) -> OptimizeResult:
    known = presolve(call, 1e-9, redundancy=False) if call["options"].get("presolve", True) else None
    if known is not None and known[0] == 2:
        return highs_result(call, {"nit": 0}, 2, 0)
    # what is known without iterations still needs its multipliers
    out, crossover = run(engine="simplex") if known is not None else run(), 0
    if known is None and call["engine"] == "interior":
        crossover = int(((out["x"] <= call["lower"]) | (out["x"] >= call["upper"])).sum())  # moved to their bounds
        if not (out["status"] == 0 and out["unique"]):
            before = int(out["nit"])
            out = run(engine="simplex")
            crossover, out["nit"] = int(out["nit"]), before
    elif known is None and call["method"] == "highs-ipm":
        crossover = int(out["nit"])
    status = int(out["status"])
    several = status == 0 and not out["unique"]  # HiGHS decides which vertex a user of its methods sees
    if status in (2, 3) or (status == 0 and not several and certified(call, out)):
        if known is not None:
            out["nit"] = 0
        return highs_result(call, out, status, crossover)
    why = {0: "out of precision", 1: "the iteration limit"}.get(status, "no solution")
    why = "the solution is not unique" if several else why
    record_host("scipy.optimize.linprog", Reason.METHOD, f"method={call['method']!r}: {why}")
    return scipy.optimize.linprog(*call.args, **call.kwargs)


def _own_method(call: Call, run: Any) -> OptimizeResult:
    method, chosen = call["method"], call["options"]
    tol, disp = float(chosen["tol"]), bool(chosen["disp"])
    if call["sparse"] and not chosen["sparse"]:
        warn_user("Sparse constraint matrix detected; setting 'sparse':True.", OptimizeWarning)
    warn_user(
        f"`method='{method}'` is deprecated and will be removed in SciPy 1.11.0. Please use one of the HiGHS solvers "
        "(e.g. `method='highs'`) in new code.",
        DeprecationWarning,
    )

    def end(x: Any, status: int, nit: int, message: str = "") -> OptimizeResult:
        message = message or MESSAGES[method][status].format(violation(call, x), tol)
        return legacy_result(call, x, status, message, nit, tol, disp)

    if chosen["presolve"]:
        known = presolve(call, tol, bool(chosen["rr"]))
        if known is not None:
            return end(known[2], known[0], 0, known[1])
    if method == "revised simplex":
        bounded = np.isfinite(call["lower"]) & np.isfinite(call["upper"])  # a row, in SciPy's standard form
        if call["b_ub"].size + call["b_eq"].size == 0 and not bounded.any():
            return end(np.where(np.isfinite(call["lower"]), call["lower"], 0.0), 5, 0)
        if call["x0"] is not None:
            guess = np.array(call["x0"], dtype=float).reshape(-1)
            start = guessed_basis(call, max(tol, 1e-9))
            if start is None:
                return end(guess, 6, 0)
            call["start"] = start
    out, nit = _steps(call, run) if call["callback"] is not None else _run(call, run)
    status = int(out["status"])
    if status == 0 and "basis" in out and not certified(call, out):
        status = 4
    return end(np.array(out["x"]), status, nit)


def _run(call: Call, run: Any, **limit: Any) -> tuple[dict[str, Any], int]:
    """One run of the method; where the interior point does not end, the simplex method says why."""
    out = run(**limit)
    nit = int(out["nit"])
    if call["engine"] == "interior" and out["status"] != 0:
        if nit >= call["maxiter"]:
            out["status"] = 1
        else:
            out = run(engine="simplex", maxiter=100_000)
            call["engine"] = "interior"
    return out, nit


def _steps(call: Call, run: Any) -> tuple[dict[str, Any], int]:
    """As `_run`, with the user's callback at every vertex (or iterate)."""
    callback, limit, nit = call["callback"], int(call["maxiter"]), 0
    if call["engine"] == "interior":
        while True:
            nit += 1
            out, count = _run(call, run, maxiter=nit)
            callback(progress(call, out, 1, False, nit))
            if out["status"] != 1 or count < nit or nit >= limit:
                return out, nit
    tells = call["method"] == "simplex"  # the other method's callback never sees the end
    out, still = run(maxiter=0), 0
    while True:
        ended = int(out["status"]) != 1
        callback(progress(call, out, int(out["phase"]), ended and tells, nit))
        if ended or nit >= limit:
            return out, nit
        before = out["x"]
        out = run(maxiter=1, start=(out["x"], out["rest"], out["basis"]), rule=int(call["rule"] or still > len(before)))
        still = 0 if (out["x"] != before).any() else still + 1
        nit += int(out["nit"])


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
    static=("engine",),
    dtypes={
        **dict.fromkeys(("c", "A_ub", "b_ub", "A_eq", "b_eq", "lower", "upper"), "float"),
        **dict.fromkeys(("start", "rule", "maxiter", "tol"), "keep"),
    },
    trees=("start",),
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
    note="integrality, solutions of HiGHS's methods that are not unique (which is found out by solving), "
    "time limits, disp of HiGHS, iteration limits of its methods that are reached, unknown options, "
    f"callback and x0 with JAX arrays, HiGHS's methods with a tableau of more than {_LARGEST} entries.",
)
def linprog(c, A_ub, b_ub, A_eq, b_eq, lower, upper, engine, rule, maxiter, tol, start):
    """Minimise a linear function subject to linear constraints.

    The simplex method with bounds (steepest edge, Harris's ratio test, Bland's rule where it is asked for or needed)
    for the methods ``highs``, ``highs-ds``, ``simplex`` and ``revised simplex``; Mehrotra's interior point method for
    ``highs-ipm`` (moved to a vertex) and ``interior-point`` (of up to 150 unknowns; the simplex method beyond, and
    where the problem is infeasible or unbounded). What is called optimal was proved so by its multipliers.

    Where several points are optimal, HiGHS's own vertex is given for its methods (in the NumPy world, reported); of the
    older methods and with JAX arrays it may be another one than SciPy's. ``nit`` is ours, 0 where rows of one
    entry and bounds settle the problem; ``crossover_nit`` counts the variables that ``highs-ipm`` puts on their
    bounds, or its simplex steps where that does not give a vertex. Tolerances are kept between 1e-10 and 1e-8 of a
    scaled program, ``autoscale`` is always done, dependent rows are kept (``rr`` and ``rr_method`` only decide on the
    warning), and an iteration limit in phase 1 is status 1 in ``simplex`` too, where SciPy says infeasible.

    With JAX arrays ``x`` and ``fun`` are differentiable with respect to all arguments, by the active set of a
    vertex; at a degenerate one the derivative need not be finite. Infeasible (status 2), unbounded (3) and other
    problems that are not solved give NaN; the interior point tells no reason (4). Sparse matrices are made dense, and
    the options of ``interior-point``'s linear systems (``sparse``, ``cholesky``, ``sym_pos``, ``pc``, ``ip``,
    ``permc_spec``, ``alpha0``, ``beta``) are accepted without effect.

    References
    ----------
    G. B. Dantzig, "Linear Programming and Extensions", Princeton University Press, 1963.
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
    tol = jnp.maximum(tol, 0.0 if dtype == jnp.float64 else 1e-4).astype(dtype)
    right = jnp.concatenate([b_ub, b_eq])
    out = {}
    if engine == "simplex":
        matrix = jnp.concatenate([A_ub, A_eq])
        found = simplex_method(c, matrix, right, lower, upper, k, rule, maxiter, tol, _start(start, right))
        out = {"phase": found.phase, "basis": found.basis, "rest": found.slack}
        x, reduced, unique = found.x, found.reduced, found.unique
    else:
        top = jnp.concatenate([A_ub, jnp.eye(k, dtype=dtype)], axis=1)
        matrix = jnp.concatenate([top, jnp.concatenate([A_eq, jnp.zeros((b_eq.size, k), dtype)], axis=1)])
        found = interior_point(
            jnp.concatenate([c, jnp.zeros(k, dtype)]),
            matrix,
            right,
            jnp.concatenate([lower, jnp.zeros(k, dtype)]),
            jnp.concatenate([upper, jnp.full(k, jnp.inf, dtype)]),
            maxiter,
            tol,
        )
        x, reduced, unique = found.x[:n], found.reduced[:n], found.vertex
    return {
        "x": x, "fun": c @ x, "slack": b_ub - A_ub @ x, "con": b_eq - A_eq @ x, "dual": found.dual,
        "reduced": reduced, "status": found.status, "nit": found.nit, "unique": unique, **out,
    }  # fmt: skip


def _start(start, right):
    """Vertex to start from: none, a point with its basis, or the x, slacks and basis of an earlier run."""
    if len(start) == 2:
        n = start[0].size - right.size
        return start[0][:n], start[0][n:], start[1]
    return start or None
