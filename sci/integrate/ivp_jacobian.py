"""Jacobians of the implicit methods: functions, constants, sparsity and bands, as what the engine takes."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
from scipy.sparse import coo_array

from sci.bridge import Call, HostRoute, Reason
from solvers import ode

__all__ = ["prepare_band", "prepare_jacobian"]

#: Beyond this size a Jacobian that the user makes as a sparse matrix pays more than compiled dense factorisations.
_DENSE_LIMIT = 150


def prepare_jacobian(call: Call, jac: Any, sparsity: Any) -> None:
    """``jac`` as a function, ``jacobian`` as a constant matrix, ``pattern``; all None: by differentiation."""
    call["jac"] = call["jacobian"] = call["pattern"] = None
    n = call["y0"].shape[0]
    if jac is None:
        if sparsity is not None:
            call["pattern"] = _pattern(sparsity, n)
        return
    if callable(jac):
        call["jac"] = jac
        return
    if hasattr(jac, "tocsc"):
        if n > _DENSE_LIMIT:
            raise HostRoute(Reason.OPTION, "a large sparse jac")
        jac = jac.toarray()
    if np.shape(jac) != (n, n):
        raise ValueError(f"`jac` is expected to have shape {(n, n)}, but actually has {np.shape(jac)}.")
    call["jacobian"] = jac


def prepare_band(call: Call, lower: Any, upper: Any) -> None:
    """LSODA's ``lband`` and ``uband``: of the Jacobian, which the user's function then returns by its diagonals."""
    if lower is None and upper is None:
        return
    lower, upper = (0 if band is None else int(band) for band in (lower, upper))
    n = call["y0"].shape[0]
    if not (0 <= lower < n and 0 <= upper < n):
        raise ValueError(
            f"`lband` and `uband` must be from 0 to {n - 1} for a state of {n} entries, got {lower}, {upper}."
        )
    call["pattern"] = ode.banded_pattern(n, lower, upper, packed=call["jac"] is not None)


def _pattern(sparsity: Any, n: int) -> ode.Pattern:
    entries = coo_array(sparsity)
    if entries.shape != (n, n):
        raise ValueError(f"`jac_sparsity` is expected to have shape {(n, n)}, but actually has {entries.shape}.")
    entries.eliminate_zeros()
    key = (entries.row.astype(np.int32).tobytes(), entries.col.astype(np.int32).tobytes(), n)
    return _made(*key)


@functools.lru_cache(16)
def _made(rows: bytes, columns: bytes, n: int) -> ode.Pattern:
    return ode.sparse_pattern(np.frombuffer(rows, np.int32), np.frombuffer(columns, np.int32), n)
