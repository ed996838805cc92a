"""The result of `trust-constr`: constraints, Jacobians and multipliers of each constraint as the user gave it."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.optimize import LinearConstraint, NonlinearConstraint, OptimizeResult

from sci.bridge import Call

__all__ = ["trust_constr_result"]


def _given(constraints: Any) -> list[Any]:
    if constraints is None:
        return []
    single = isinstance(constraints, (dict, LinearConstraint, NonlinearConstraint))
    return [constraints] if single else list(constraints)


def _value(constraint: Any, x: Any) -> Any:
    """The constraint's function, evaluated as it was given."""
    if isinstance(constraint, dict):
        extra = constraint.get("args", ())
        out = constraint["fun"](x, *(extra if isinstance(extra, tuple) else (extra,)))
    elif isinstance(constraint, LinearConstraint):
        out = np.atleast_2d(constraint.A) @ x
    else:
        out = constraint.fun(x)
    return np.atleast_1d(np.asarray(out, float)).ravel()


def _limits(constraint: Any, size: int) -> tuple[Any, Any]:
    if isinstance(constraint, dict):
        return np.zeros(size), np.zeros(size) if constraint["type"].lower() == "eq" else np.full(size, np.inf)
    lower, upper = (np.broadcast_to(np.asarray(side, float), size) for side in (constraint.lb, constraint.ub))
    return lower, upper


class _Rows:
    """The engine's rows of one kind, taken in its order."""

    def __init__(self, normals: Any, multipliers: Any) -> None:
        self.normals, self.multipliers, self.at = normals, multipliers, 0

    def take(self, where: Any, sign: float, jac: Any, v: Any) -> None:
        """Write the next rows into the places of a constraint that they came from."""
        index = np.flatnonzero(where)
        here = slice(self.at, self.at + index.size)
        jac[index] = sign * self.normals[here]
        v[index] -= sign * self.multipliers[here]
        self.at += index.size


def _per_constraint(call: Call, out: dict[str, Any]) -> tuple[list[Any], list[Any], list[Any]]:
    x, m = out["x"], dict(call["fixed"])["equalities"]
    normals, multipliers = out["extra"]["normals"], out["extra"]["interior_multipliers"]
    equalities, inequalities = _Rows(normals[:m], multipliers[:m]), _Rows(normals[m:], multipliers[m:])
    given = _given(call["original"]["constraints"])
    values = [_value(constraint, x) for constraint in given]
    # A row without limits is no row of the engine: its Jacobian is not known.
    jacs = [np.full((value.size, x.size), np.nan) for value in values]
    vs = [np.zeros(value.size) for value in values]
    last = []  # the inequalities of mixed constraints come behind all others
    for constraint, value, jac, v in zip(given, values, jacs, vs, strict=True):
        lower, upper = _limits(constraint, value.size)
        equal = lower == upper
        sides = ((~equal & (lower > -np.inf), 1.0), (~equal & (upper < np.inf), -1.0))
        if equal.any():
            equalities.take(equal, 1.0, jac, v)
        for where, sign in sides:
            if equal.any():
                last.append((where, sign, jac, v))
            else:
                inequalities.take(where, sign, jac, v)
        if isinstance(constraint, LinearConstraint):
            jac[:] = np.atleast_2d(constraint.A)
    for item in last:
        inequalities.take(*item)
    return values, jacs, vs


def trust_constr_result(call: Call, out: dict[str, Any], entries: dict[str, Any], seconds: float) -> OptimizeResult:
    """SciPy's result. Conjugate gradients, which only its algorithm has, are zero; the radius is the next step's."""
    constr, jacs, vs = _per_constraint(call, out)
    gradient, extra, state = out["jac"], out["extra"], out["state"]
    if call["bounds"] is not None:
        lower, upper = call["bounds"]
        low, high = extra["interior_multipliers"][-2 * out["x"].size :].reshape(2, -1)
        low, high = np.where(np.isfinite(lower), low, 0.0), np.where(np.isfinite(upper), high, 0.0)
        # What holds a fixed variable is whatever the rest leaves of the slope.
        rest = gradient + sum(np.nan_to_num(j).T @ v for j, v in zip(jacs, vs, strict=True))
        pull = np.where(lower == upper, -rest, high - low)
        constr, jacs, vs = [*constr, out["x"]], [*jacs, np.eye(out["x"].size)], [*vs, pull]
    counts = [entries["nfev"]] * (len(constr) - (call["bounds"] is not None)) + [0] * (call["bounds"] is not None)
    fixed = dict(call["fixed"])
    interior = fixed["inequalities"] > 0 or fixed["bounded"]
    nhev = entries["nhev"]
    result = OptimizeResult(
        nit=entries["nit"], nfev=entries["nfev"], njev=entries["njev"], nhev=nhev, cg_niter=0, cg_stop_cond=0,
        fun=out["fun"], grad=gradient,
        lagrangian_grad=gradient + sum(np.nan_to_num(j).T @ v for j, v in zip(jacs, vs, strict=True)),
        constr=constr, jac=jacs, constr_nfev=counts, constr_njev=list(counts),
        constr_nhev=[nhev if count else 0 for count in counts], v=vs,
        method="tr_interior_point" if interior else "equality_constrained_sqp",
    )  # fmt: skip
    result.update(
        x=out["x"], optimality=float(np.max(np.abs(result.lagrangian_grad))),
        constr_violation=float(extra["constr_violation"]), execution_time=seconds,
        tr_radius=float(state.scalars[0] * np.linalg.norm(state.dx)), constr_penalty=float(extra["constr_penalty"]),
    )  # fmt: skip
    if interior:
        barrier = float(extra["barrier_parameter"])
        result.update(barrier_parameter=barrier, barrier_tolerance=barrier)
    result.update(
        status=entries["status"], niter=entries["nit"], success=entries["success"], message=entries["message"]
    )
    return result
