"""Constraints as users give them (dictionaries, linear, nonlinear) as two functions: equalities and inequalities."""

from __future__ import annotations

from typing import Any, NamedTuple

import jax
import numpy as np
from scipy.optimize import LinearConstraint, NonlinearConstraint, OptimizeWarning

from sci.bridge import Call, HostRoute, Reason, as_array, warn_user
from sci.bridge.cache import LRU
from sci.bridge.worlds import double_precision
from sci.optimize._shared import users

__all__ = ["count", "split"]

_MIXED = (
    "Equality and inequality constraints are specified in the same element of the constraint list. For efficient use "
    "with this method, equality and inequality constraints should be specified in separate elements of the list."
)


class _Part(NamedTuple):
    """A constraint's function with the user's Jacobian, if there is one."""

    value: Any
    jac: Any = None


def split(constraints: Any, warns: bool = False) -> tuple[Any, Any, Any, Any]:
    """The equalities (zero where they hold) and inequalities (nonnegative), each joined into one function of x.

    Then their Jacobians as the user gave them, `None` where there is none: functions of x whose rows end in 1 where
    the user gave the row, and in 0 where the exact one is to be taken. `warns`: as SciPy does for SLSQP.
    """
    if constraints is None:
        return None, None, None, None
    if isinstance(constraints, (dict, LinearConstraint, NonlinearConstraint)):
        constraints = [constraints]
    kinds: dict[str, list[_Part]] = {"eq": [], "ineq": []}
    last: list[_Part] = []  # SciPy puts the inequalities of a mixed constraint behind all others
    for constraint in constraints:
        if isinstance(constraint, dict):
            kind, function = constraint.get("type"), constraint.get("fun")
            if not isinstance(kind, str) or kind.lower() not in kinds or not callable(function):
                raise HostRoute(Reason.OPTION, f"constraint {constraint!r}")  # SciPy raises
            extra = constraint.get("args", ())
            extra = extra if isinstance(extra, tuple) else (extra,)
            jac = constraint.get("jac")
            given = _with_arguments(jac, extra) if callable(jac) else None
            kinds[kind.lower()].append(_Part(_with_arguments(function, extra), given))
        else:
            equality, inequality = _from_limits(constraint)
            if equality is not None:
                kinds["eq"].append(equality)
            if warns and equality is not None and inequality is not None:
                warn_user(_MIXED, OptimizeWarning)
            if inequality is not None:
                (last if equality is not None else kinds["ineq"]).append(inequality)
    equalities, inequalities = kinds["eq"], kinds["ineq"] + last
    return _joined(equalities), _joined(inequalities), _joined_jac(equalities), _joined_jac(inequalities)


def _with_arguments(function: Any, extra: tuple[Any, ...]) -> Any:
    if not extra:
        return function

    @users
    def bound(x: Any) -> Any:
        return function(x, *extra)

    return bound


def _from_limits(constraint: Any) -> tuple[_Part | None, _Part | None]:
    """Equalities and inequalities of ``lb <= fun(x) <= ub``."""
    if not isinstance(constraint, (LinearConstraint, NonlinearConstraint)):
        raise HostRoute(Reason.OPTION, f"constraint of type {type(constraint).__name__}")
    if np.any(constraint.keep_feasible):
        raise HostRoute(Reason.OPTION, "a constraint with keep_feasible")
    jac = None  # of a linear constraint: exact as it is
    if isinstance(constraint, LinearConstraint):
        if not isinstance(constraint.A, np.ndarray):
            raise HostRoute(Reason.SPARSE, "a sparse linear constraint")
        function = _linear(constraint.A)
    else:
        if getattr(constraint, "finite_diff_jac_sparsity", None) is not None:
            raise HostRoute(Reason.OPTION, "a constraint with finite_diff_jac_sparsity")
        function, jac = constraint.fun, constraint.jac if callable(constraint.jac) else None
    lower, upper = np.broadcast_arrays(np.atleast_1d(constraint.lb), np.atleast_1d(constraint.ub))
    equal = lower == upper
    below, above = ~equal & (lower > -np.inf), ~equal & (upper < np.inf)
    sides = [(s, v, m) for s, v, m in ((1.0, lower, below), (-1.0, upper, above)) if m.any()]
    equality = _limited(function, jac, [(1.0, lower, equal)]) if equal.any() else None
    return equality, _limited(function, jac, sides) if sides else None


def _linear(matrix: Any) -> Any:
    matrix = np.atleast_2d(matrix)

    @users
    def product(x: Any) -> Any:
        return matrix @ x

    return product


def _limited(function: Any, jac: Any, sides: list[tuple[float, Any, Any]]) -> _Part:
    """``sign * (fun(x) - level)`` for the rows that each side picks; a single level stands for all rows."""
    picked = [(sign, level[rows], None if level.size == 1 else np.flatnonzero(rows)) for sign, level, rows in sides]

    @users
    def limited(x: Any) -> Any:
        value = np.atleast_1d(function(x))
        parts = [sign * ((value if rows is None else value[rows]) - level) for sign, level, rows in picked]
        return np.concatenate(parts)

    @users
    def slopes(x: Any) -> Any:
        matrix = np.atleast_2d(jac(x))
        return np.concatenate([sign * (matrix if rows is None else matrix[rows]) for sign, _, rows in picked])

    return _Part(limited, None if jac is None else slopes)


def _joined(parts: list[_Part]) -> Any:
    if not parts:
        return None
    functions = [part.value for part in parts]

    @users
    def joined(x: Any) -> Any:
        return np.concatenate([np.atleast_1d(function(x)).ravel() for function in functions])

    return joined


def _joined_jac(parts: list[_Part]) -> Any:
    if all(part.jac is None for part in parts):
        return None
    pairs = [(part.value, part.jac) for part in parts]

    @users
    def joined(x: Any) -> Any:
        tables = []
        for function, jac in pairs:
            if jac is None:
                tables.append(np.zeros((np.atleast_1d(function(x)).size, x.size + 1)))
            else:
                matrix = np.atleast_2d(jac(x))
                tables.append(np.concatenate([matrix, np.ones((matrix.shape[0], 1))], axis=1))
        return np.concatenate(tables)

    return joined


_counts = LRU(256)


def count(function: Any, call: Call) -> int:
    """Rows of a traced constraint function."""
    if function is None:
        return 0

    def rows(x: Any) -> Any:
        return as_array(function(x))

    leaves, tree = jax.tree_util.tree_flatten(function)  # captured arrays: their shapes decide as well
    key = (tree, np.shape(call["x0"]), tuple([np.shape(leaf) for leaf in leaves]))

    def size() -> int:
        return int(jax.eval_shape(rows, call["x0"]).size)

    if not call.numpy:
        return size()
    with double_precision():
        return _counts.get_or_make(key, size)  # tracing again at each call would cost more than the solution
