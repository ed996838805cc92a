"""SciPy's statuses, messages and result objects of `linprog`, and the check of what is returned."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.optimize import OptimizeResult

__all__ = ["HIGHS_MESSAGES", "MESSAGES", "certified", "highs_result", "legacy_result", "progress"]

HIGHS_MESSAGES = {
    0: "Optimization terminated successfully. (HiGHS Status 7: Optimal)",
    2: "The problem is infeasible. (HiGHS Status 8: model_status is Infeasible; primal_status is None)",
    3: "The problem is unbounded. (HiGHS Status 10: model_status is Unbounded; primal_status is Feasible)",
}
_SOLVED = "Optimization terminated successfully."
#: Of SciPy's own methods, by status.
MESSAGES = {
    "simplex": {
        0: _SOLVED,
        1: "Iteration limit reached.",
        2: (
            "Phase 1 of the simplex method failed to find a feasible solution. The pseudo-objective function evaluates "
            "to {0:.1e} which exceeds the required tolerance of {1} for a solution to be considered 'close enough' to "
            "zero to be a basic solution. Consider increasing the tolerance to be greater than {0:.1e}. If this "
            "tolerance is unacceptably large the problem may be infeasible."
        ),
        3: "Optimization failed. The problem appears to be unbounded.",
        4: "Optimization failed. Singular matrix encountered.",
    },
    "revised simplex": {
        0: _SOLVED,
        1: "Iteration limit reached.",
        2: (
            "The problem appears infeasible, as the phase one auxiliary problem terminated successfully with a "
            "residual of {0:.1e}, greater than the tolerance {1} required for the solution to be considered feasible. "
            "Consider increasing the tolerance to be greater than {0:.1e}. If this tolerance is unacceptably large, "
            "the problem is likely infeasible."
        ),
        3: (
            "The problem is unbounded, as the simplex algorithm found a basic feasible solution from which there is a "
            "direction with negative reduced cost in which all decision variables increase."
        ),
        4: "Numerical difficulties encountered; consider trying method='interior-point'.",
        5: "Problems with no constraints are trivially solved; please turn presolve on.",
        6: "The guess x0 cannot be converted to a basic feasible solution. ",
    },
    "interior-point": {
        0: _SOLVED,
        1: "The iteration limit was reached before the algorithm converged.",
        2: "The algorithm terminated successfully and determined that the problem is infeasible.",
        3: "The algorithm terminated successfully and determined that the problem is unbounded.",
        4: (
            "Numerical difficulties were encountered before the problem converged. Please check your problem "
            "formulation for errors, independence of linear equality constraints, and reasonable scaling and matrix "
            "condition numbers. If you continue to encounter this error, please submit a bug report."
        ),
    },
}
_WRONG = (
    "The solution does not satisfy the constraints within the required tolerance of {:.2E}, yet no errors were raised "
    "and there is no certificate of infeasibility or unboundedness. Check whether the slack and constraint residuals "
    "are acceptable; if not, consider enabling presolve, adjusting the tolerance option(s), and/or using a different "
    "method. Please consider submitting a bug report."
)


def violation(call: Any, x: Any) -> float:
    """The sum of all violations of rows and bounds at `x`."""
    with np.errstate(invalid="ignore"):
        parts = (
            call["A_ub"] @ x - call["b_ub"],
            np.abs(call["A_eq"] @ x - call["b_eq"]),
            call["lower"] - x,
            x - call["upper"],
        )
        return float(sum(np.maximum(part, 0.0).sum() for part in parts))


def certified(call: Any, out: Any) -> bool:
    """Whether a solution is feasible and as good as its multipliers prove, by the caller's own numbers."""
    c, x, reduced = call["c"], out["x"], out["reduced"]
    low, high = call["lower"], call["upper"]
    right = np.concatenate([call["b_ub"], call["b_eq"]])
    size = 1 + max(np.abs(right).max(initial=0.0), np.abs(x).max(initial=0.0))
    matrix = np.concatenate([call["A_ub"], call["A_eq"]])
    near = 1e-7 * (1 + np.abs(matrix).max(initial=0.0)) * size
    if not np.isfinite(x).all() or not np.isfinite(reduced).all():
        return False
    if (out["slack"] < -near).any() or (np.abs(out["con"]) > near).any():
        return False
    if (x < low - near).any() or (x > high + near).any():
        return False
    price = 1e-7 * (1 + np.abs(c).max())
    dual = out["dual"]
    wrong = (reduced > price) & np.isinf(low) | (reduced < -price) & np.isinf(high)
    if wrong.any() or (dual[: call["b_ub"].size] > price * (1 + np.abs(dual).max(initial=0.0))).any():
        return False
    # weak duality: no feasible point is below this
    bound = right @ dual + np.where(reduced > 0, np.where(np.isinf(low), x, low), np.where(np.isinf(high), x, high)) @ (
        reduced
    )
    scale = np.abs(c) @ np.abs(x) + np.abs(right) @ np.abs(dual)
    return bool(c @ x - bound <= 1e-7 * (1 + scale))


def highs_result(call: Any, out: Any, status: int, crossover: int) -> OptimizeResult:
    """The result as of the methods of HiGHS."""
    k = call["b_ub"].size
    solved = status == 0
    x = out["x"] if solved else None
    slack, con = (out["slack"], out["con"]) if solved else (None, None)
    low, high, duals = None, None, (None,) * 4
    if solved:
        low, high = x - call["lower"], call["upper"] - x
        reduced, dual = out["reduced"], out["dual"]
        at_low, at_high = x <= call["lower"], x >= call["upper"]
        duals = (dual[:k], dual[k:], np.maximum(reduced, 0.0) * at_low, np.minimum(reduced, 0.0) * at_high)

    def part(residual: Any, marginals: Any) -> OptimizeResult:
        return OptimizeResult(residual=residual, marginals=marginals)

    result = OptimizeResult(
        x=x,
        slack=slack,
        con=con,
        ineqlin=part(slack, duals[0]),
        eqlin=part(con, duals[1]),
        lower=part(low, duals[2]),
        upper=part(high, duals[3]),
        fun=float(out["fun"]) if solved else None,
        status=status,
        success=solved,
        message=HIGHS_MESSAGES[status],
        nit=int(out["nit"]),
        crossover_nit=crossover,
    )
    if np.any(x):  # as SciPy has it
        result.update(mip_node_count=0, mip_dual_bound=0.0, mip_gap=0.0)
    return result


def legacy_result(call: Any, x: Any, status: int, message: str, nit: int, tol: float, disp: bool) -> OptimizeResult:
    """The result as of the methods of SciPy's own, after SciPy's check of feasibility."""
    with np.errstate(invalid="ignore"):
        fun = float(np.dot(call["c"], x))
        slack, con = call["b_ub"] - call["A_ub"] @ x, call["b_eq"] - call["A_eq"] @ x
    near = np.sqrt(tol) * 10
    feasible = not (np.isnan(x).any() or np.isnan(fun) or np.isnan(slack).any() or np.isnan(con).any())
    feasible &= bool(((x >= call["lower"] - near) & (x <= call["upper"] + near)).all())
    feasible &= status == 3 or bool((slack >= -near).all() and (np.abs(con) <= near).all())
    if status == 0 and not feasible:
        status, message = 4, _WRONG.format(near)
    if disp:
        print(message)
        if status in (0, 1):
            print(f"         Current function value: {fun: <12.6f}")
        print(f"         Iterations: {nit:d}")
    return OptimizeResult(
        x=x, fun=fun, slack=slack, con=con, status=status, message=message, nit=nit, success=status == 0
    )


def progress(call: Any, out: Any, phase: int, complete: bool, nit: int) -> OptimizeResult:
    """What a callback gets."""
    x = np.array(out["x"])
    return OptimizeResult(
        x=x,
        fun=call["c"] @ x,
        slack=call["b_ub"] - call["A_ub"] @ x,
        con=call["b_eq"] - call["A_eq"] @ x,
        status=int(out["status"]) if complete else 0,
        message="",
        nit=nit,
        success=complete and int(out["status"]) == 0,
        phase=phase,
        complete=complete,
    )
