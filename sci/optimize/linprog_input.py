"""Arguments and options of `linprog`, as plain arrays; what SciPy refuses goes there, for its own words."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp
import numpy as np

from sci.bridge import Call, HostRoute, Reason
from sci.bridge.worlds import is_jax

__all__ = ["DEFAULTS", "limits", "array", "options", "rows"]

_PRESOLVE = {"presolve": True, "rr": True, "rr_method": None, "autoscale": False, "disp": False}
#: SciPy's options of the methods of its own, with their defaults.
DEFAULTS: dict[str, dict[str, Any]] = {
    "simplex": {"maxiter": 1000, "tol": 1e-9, "bland": False, **_PRESOLVE},
    "revised simplex": {
        "maxiter": 5000, "tol": 1e-12, "pivot": "mrc", "maxupdate": 10, "mast": False, **_PRESOLVE
    },
    "interior-point": {
        "maxiter": 1000, "tol": 1e-8, "alpha0": 0.99995, "beta": 0.1, "sparse": False, "lstsq": False, "sym_pos": True,
        "cholesky": None, "pc": True, "ip": False, "permc_spec": "MMD_AT_PLUS_A", "_sparse_presolve": False, **_PRESOLVE
    },
}  # fmt: skip
#: HiGHS's options that are tolerances, and their least values.
_TOLERANCES = {
    "dual_feasibility_tolerance": 1e-10,
    "primal_feasibility_tolerance": 1e-10,
    "ipm_optimality_tolerance": 1e-12,
}
_WEIGHTS = (None, "dantzig", "devex", "steepest-devex", "steepest")
#: A larger dense matrix is not made of a sparse one.
_DENSE = 1_000_000


def array(call: Call, name: str, ndim: int) -> Any:
    """An argument as doubles of `ndim` axes; a sparse matrix becomes dense."""
    value = call[name]
    if is_jax(value):
        value = jnp.asarray(value)
        return value.reshape(-1) if ndim == 1 and value.size == 1 else value
    if type(value).__module__.startswith("scipy.sparse"):
        if call["method"] in ("simplex", "revised simplex"):
            raise HostRoute(Reason.SPARSE, f"argument {name!r}")  # SciPy raises
        if ndim != 2 or int(np.prod(value.shape)) > _DENSE:
            raise HostRoute(Reason.SPARSE, f"argument {name!r} of shape {value.shape}")
        value = value.toarray()
    try:
        value = np.asarray(value)
    except ValueError:
        raise HostRoute(Reason.SHAPE, f"argument {name!r} is ragged") from None
    if ndim == 1 and value.ndim != 1:
        value = value.reshape(-1) if value.size == 1 else value.squeeze()
    if value.dtype.kind not in "biuf" or value.ndim != ndim or not np.isfinite(value).all():
        raise HostRoute(Reason.DTYPE, f"argument {name!r} has dtype {value.dtype} and shape {value.shape}")
    return value.astype(float)


def rows(call: Call, kind: str, n: int) -> None:
    """``A_ub`` and ``b_ub`` (or ``eq``), empty where they are not given."""
    matrix, vector = f"A_{kind}", f"b_{kind}"
    if (call[matrix] is None) != (call[vector] is None):
        raise HostRoute(Reason.OPTION, f"only one of {matrix} and {vector}")  # SciPy raises
    if call[matrix] is None:
        call[matrix], call[vector] = np.zeros((0, n)), np.zeros(0)
        return
    call[matrix], call[vector] = array(call, matrix, 2), array(call, vector, 1)
    if call[matrix].shape != (call[vector].size, n):
        raise HostRoute(Reason.SHAPE, f"{matrix} has shape {call[matrix].shape}")  # SciPy raises


def limits(bounds: Any, n: int) -> tuple[Any, Any]:
    """Lower and upper bounds, shape (n,) each, from any form that SciPy takes."""
    pairs: Any
    if is_jax(bounds):
        pairs = jnp.atleast_2d(jnp.asarray(bounds))
    else:
        if bounds is None or np.size(np.asarray(bounds, dtype=object)) == 0:
            bounds = (0, None)
        try:
            pairs = np.atleast_2d(np.array(bounds, dtype=float))  # None becomes NaN
        except (TypeError, ValueError):
            raise HostRoute(Reason.OPTION, f"bounds={bounds!r}") from None
    xp = jnp if is_jax(pairs) else np
    if pairs.shape == (n, 2):
        low, high = pairs[:, 0], pairs[:, 1]
    elif pairs.shape in ((2, 1), (1, 2)):
        low, high = xp.broadcast_to(pairs.reshape(2, 1), (2, n))
    else:
        raise HostRoute(Reason.SHAPE, f"bounds have shape {pairs.shape}")  # SciPy raises
    return xp.where(xp.isnan(low), -xp.inf, low), xp.where(xp.isnan(high), xp.inf, high)


def options(call: Call) -> dict[str, Any]:
    """The options of the method, complete; HostRoute for those that SciPy warns of, or that HiGHS alone has."""
    method, given = call["method"], dict(call["options"] or {})
    known = DEFAULTS.get(method)
    if known is None:
        return _highs(given)
    if not set(given) <= set(known):
        raise HostRoute(Reason.OPTION, f"options={given!r}")  # SciPy warns
    values = {**known, **given}
    for name in ("maxiter", "tol"):
        if isinstance(values[name], bool) or not isinstance(values[name], (int, float, np.number)):
            raise HostRoute(Reason.OPTION, f"{name}={values[name]!r}")
    if values["rr_method"] is not None and str(values["rr_method"]).lower() not in ("svd", "pivot", "id"):
        raise HostRoute(Reason.OPTION, f"rr_method={values['rr_method']!r}")  # SciPy raises
    if method == "interior-point":
        # How the linear systems of SciPy's iterations are solved: without meaning here. SciPy warns of combinations.
        asked = values["cholesky"] or not values["sym_pos"] or values["lstsq"]
        if values["lstsq"] or (values["sparse"] and values["cholesky"]) or (asked and values["ip"]):
            raise HostRoute(Reason.OPTION, f"options={given!r}")
        if values["permc_spec"] not in ("NATURAL", "MMD_ATA", "MMD_AT_PLUS_A", "COLAMD"):
            raise HostRoute(Reason.OPTION, f"permc_spec={values['permc_spec']!r}")
    return values


def _highs(given: dict[str, Any]) -> dict[str, Any]:
    for name, value in given.items():
        if name in _TOLERANCES:
            good = value is None or (isinstance(value, (int, float, np.number)) and value >= _TOLERANCES[name])
        elif name == "maxiter":
            good = value is None or (isinstance(value, (int, np.integer)) and value >= 0)
        elif name == "presolve":
            good = isinstance(value, bool)
        elif name == "simplex_dual_edge_weight_strategy":
            good = value in _WEIGHTS
        elif name == "time_limit":
            good = value is None or value == np.inf
        else:
            good = name == "disp" and value is False
        if not good:
            raise HostRoute(Reason.OPTION, f"options={given!r}")  # HiGHS prints, SciPy warns
    return {"tol": 1e-9, "maxiter": None, **given}
