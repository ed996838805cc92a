"""`linear_sum_assignment`: shortest augmenting paths."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp
import numpy as np

from sci.bridge import Call, Example, HostRoute, Reason, implements
from sci.bridge.worlds import is_jax
from solvers.linprog import assignment

__all__ = ["linear_sum_assignment"]

_LARGEST = 256


def _prepare(call: Call) -> None:
    cost = call["cost_matrix"]
    call["maximize"] = bool(call["maximize"])
    if not is_jax(cost):
        cost = np.asarray(cost)
        if cost.dtype.kind not in "biuf":
            raise HostRoute(Reason.DTYPE, f"cost_matrix has dtype {cost.dtype}")
        call["cost_matrix"] = cost.astype(float)  # also from single precision, as SciPy
    if np.ndim(cost) != 2:
        raise ValueError(f"expected a matrix (2-D array), got a {np.ndim(cost)} array: cost_matrix of {np.shape(cost)}")
    if call.numpy and np.size(cost) > _LARGEST:
        raise HostRoute(Reason.SHAPE, f"{np.size(cost)} costs in one matrix: SciPy's C++ is quicker beyond {_LARGEST}")


def _validate(call: Call) -> None:
    if call.numpy:
        cost = -call["cost_matrix"] if call["maximize"] else call["cost_matrix"]
        if not (cost > -np.inf).all():
            worst = "inf" if call["maximize"] else "-inf"
            raise ValueError(f"matrix contains invalid numeric entries: cost_matrix has NaN or {worst}")


def _finish(call: Call, out: dict[str, Any]) -> tuple[np.ndarray, np.ndarray]:
    if not out["feasible"]:
        raise ValueError("cost matrix is infeasible")
    return out["rows"].astype(np.intp), out["columns"].astype(np.intp)


def _finish_jax(call: Call, out: dict[str, Any]) -> tuple[Any, Any]:
    return out["rows"], out["columns"]


_COST = np.array([[4.0, 1.0, 3.0, 9.0], [2.0, 0.0, 5.0, 7.0], [3.0, 2.0, 2.0, 5.0]])


@implements(
    "scipy.optimize.linear_sum_assignment",
    static=("maximize",),
    prepare=_prepare,
    validate=_validate,
    finish=_finish,
    finish_jax=_finish_jax,
    grad=False,
    examples=lambda: [Example((_COST,), vmap=("cost_matrix",), skip_odd=("nan", "inf"))],
    note=f"a single matrix of NumPy with more than {_LARGEST} entries, on which SciPy's C++ is quicker.",
)
def linear_sum_assignment(cost_matrix, maximize=False):
    """Match rows with columns so that the sum of the costs is least.

    Returns SciPy's ``row_ind, col_ind``, of several optimal assignments the same one. With JAX arrays it is for
    matrices inside compiled code and for batches by `vmap`, of any size; both results are then int32, and -1
    throughout where SciPy raises: without an assignment of finite cost, or with costs that are NaN or ``-inf``
    (``inf`` if `maximize`). The indices are not differentiable; the sum ``cost[row_ind, col_ind].sum()`` is.

    Raises
    ------
    ValueError
        If `cost_matrix` is no matrix, contains invalid entries, or if no assignment has finite cost.

    References
    ----------
    D. F. Crouse, "On implementing 2D rectangular assignment algorithms", IEEE Trans. Aerosp. Electron. Syst. 52, 2016.

    Examples
    --------
    >>> from sci.optimize import linear_sum_assignment
    >>> rows, columns = linear_sum_assignment([[4, 1, 3], [2, 0, 5], [3, 2, 2]])
    >>> columns.tolist()
    [1, 0, 2]
    """
    cost = -cost_matrix if maximize else cost_matrix
    m, n = cost.shape
    if m <= n:
        found = assignment(cost)
        rows = jnp.where(found.feasible, jnp.arange(m, dtype=jnp.int32), -1)
        return {"rows": rows, "columns": found.columns, "feasible": found.feasible}
    found = assignment(cost.T)
    order = jnp.argsort(found.columns).astype(jnp.int32)
    columns = jnp.where(found.feasible, order, -1)
    return {"rows": found.columns[order], "columns": columns, "feasible": found.feasible}
