"""What SciPy's own methods of `linprog` settle before any iteration, and the basis that a guess stands for."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.optimize import OptimizeWarning

from sci.bridge.reasons import warn_user

__all__ = ["guessed_basis", "presolve"]

_TRIVIAL = "The problem is (trivially) infeasible "
_NO_ROWS = "The solution was determined in presolve as there are no non-trivial constraints."
_ENDLESS = (
    "The problem is (trivially) unbounded because there are no non-trivial constraints and a) at least one decision "
    "variable is unbounded above and its corresponding cost is negative, or b) at least one decision variable is "
    "unbounded below and its corresponding cost is positive. "
)
_FREE_COLUMN = (
    "If feasible, the problem is (trivially) unbounded due  to a zero column in the constraint matrices. If you wish "
    "to check whether the problem is infeasible, turn presolve off."
)
_DEPENDENT = (
    "A_eq does not appear to be of full row rank. To improve performance, check the problem formulation for redundant "
    "equality constraints."
)


def presolve(call: Any, tol: float, redundancy: bool) -> tuple[int, str, Any] | None:
    """Status, message and x where rows, columns and bounds alone tell them; None where iterations are needed.

    References
    ----------
    .. [1] E. D. Andersen, K. D. Andersen, "Presolving in linear programming", Math. Programming 71 (1995) 221-245.
    """
    c, low, high = call["c"], np.array(call["lower"]), np.array(call["upper"])
    zero = np.zeros_like(c)
    if (high < low).any() or (low == np.inf).any() or (high == -np.inf).any():
        why = (
            "since one or more upper bounds are smaller than the corresponding lower bounds, a lower bound is np.inf "
            "or an upper bound is -np.inf."
        )
        return 2, _TRIVIAL + why, zero
    a, b, e, f = call["A_ub"], call["b_ub"], call["A_eq"], call["b_eq"]
    for matrix, wrong in ((e, np.abs(f) > tol), (a, b < -tol)):
        if (wrong & ~matrix.any(axis=1)).any():
            why = "due to a row of zeros in the equality constraint matrix with a nonzero corresponding"
            return 2, f"{_TRIVIAL}{why}{'' if matrix is e else ' '} constraint value.", zero
    a, b, e, f = a[a.any(axis=1)], b[a.any(axis=1)], e[e.any(axis=1)], f[e.any(axis=1)]
    if len(a) + len(e):
        alone = ~(a.any(axis=0) | e.any(axis=0))
        low, high = np.where(alone & (c < 0), high, low), np.where(alone & (c > 0), low, high)
        x = np.where(alone & (c != 0), low, 0.0)
        if np.isinf(x).any():
            return 3, _FREE_COLUMN, x
    if not _singletons(a, b, e, f, low, high, tol):
        kind = "equality" if _singletons(a[:0], b[:0], e, f, low.copy(), high.copy(), tol) is False else "upper bound"
        why = f"because a singleton row in the {kind} constraints is inconsistent with the bounds."
        return 2, _TRIVIAL + why, zero
    several = np.count_nonzero(a, axis=1) > 1
    a, b = a[several], b[several]
    several = np.count_nonzero(e, axis=1) > 1
    e, f = e[several], f[several]
    fixed = np.abs(low - high) < tol
    at = np.where(fixed, low, 0.0)
    b, f = b - a @ at, f - e @ at
    if fixed.all() and ((b < -tol).any() or not np.allclose(f, 0)):
        return 2, _TRIVIAL + "because the bounds fix all variables to values inconsistent with the constraints", zero
    a, e = a[:, ~fixed], e[:, ~fixed]
    if a.size == 0 and e.size == 0:
        best = np.where(c < 0, high, np.where(c > 0, low, np.where(np.isfinite(high), high, 0.0)))
        x = np.where(fixed, low, np.where((c == 0) & ~np.isfinite(high) & (low > 0), low, best))
        return (3, _ENDLESS, x) if np.isinf(x).any() else (0, _NO_ROWS, x)
    if redundancy and e.size and np.linalg.matrix_rank(e) < len(e):
        warn_user(_DEPENDENT, OptimizeWarning)
    return None


def _singletons(a: Any, b: Any, e: Any, f: Any, low: Any, high: Any, tol: float) -> bool:
    """Rows of one entry as bounds, in place; False where they contradict the bounds."""
    for row, column in zip(*_single(e), strict=True):
        value = f[row] / e[row, column]
        if not low[column] - tol <= value <= high[column] + tol:
            return False
        low[column] = high[column] = value
    for row, column in zip(*_single(a), strict=True):
        value = b[row] / a[row, column]
        if a[row, column] > 0:
            if value < low[column] - tol:
                return False
            high[column] = min(high[column], value)
        else:
            if value > high[column] + tol:
                return False
            low[column] = max(low[column], value)
    return True


def _single(matrix: Any) -> tuple[Any, Any]:
    rows = np.flatnonzero(np.count_nonzero(matrix, axis=1) == 1)
    return rows, np.argmax(matrix[rows] != 0, axis=1) if len(rows) else rows


def guessed_basis(call: Any, tol: float) -> tuple[Any, Any] | None:
    """Point and basis of a vertex given as ``x0``; None where it is not one.

    The variables and slacks strictly between their bounds have to be independent columns; slacks, then others, make
    the basis complete.
    """
    x = np.array(call["x0"], dtype=float).reshape(-1)
    k, m = call["b_ub"].size, call["b_ub"].size + call["b_eq"].size
    matrix = np.concatenate([call["A_ub"], call["A_eq"]])
    slack = np.concatenate([call["b_ub"], call["b_eq"]]) - matrix @ x
    point = np.concatenate([x, slack])
    low = np.concatenate([call["lower"], np.zeros(m)])
    high = np.concatenate([call["upper"], np.full(k, np.inf), np.zeros(m - k)])
    near = tol * (1 + np.abs(point).max(initial=0.0))
    if (point < low - near).any() or (point > high + near).any():
        return None
    between = (point > low + near) & (point < high - near)
    # a free variable at zero may stay outside the basis
    between &= ~(np.isinf(low) & np.isinf(high) & (np.abs(point) <= near))
    whole = np.concatenate([matrix, np.eye(m)], axis=1)
    order = np.concatenate([np.flatnonzero(between), x.size + np.flatnonzero(~between[x.size :])])
    basis: list[int] = []
    rest = whole.copy()
    for column in order.tolist():
        row = int(np.argmax(np.abs(rest[:, column])))
        pivot = rest[row, column]
        if len(basis) == m or abs(pivot) <= 1e-9 * (1 + np.abs(whole[:, column]).max()):
            if between[column]:
                return None
            continue
        basis.append(column)
        factor = rest[:, column] / pivot
        rest = rest - np.outer(factor, rest[row])
        rest[row] = 0.0
    bound = np.where(np.abs(point - low) <= np.abs(point - high), low, high)
    outside = np.isin(np.arange(point.size), basis, invert=True) & np.isfinite(bound)
    return np.where(outside, bound, point), np.array(basis)
