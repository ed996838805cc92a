"""Weights of `quad`: SciPy's checks, messages and further output (QAWO, QAWF, QAWS, QAWC)."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.integrate import IntegrationWarning

from sci.bridge import Call, HostRoute, Reason, warn_user
from sci.bridge.worlds import is_jax
from solvers.quadrature.weighted import WEIGHTS

__all__ = ["CYCLE_MESSAGES", "CYCLE_STATUS", "cycle_information", "prepare_weight"]

#: What `IntegrationWarning` says of cos and sin over an infinite range, by QUADPACK's ``ier``.
CYCLE_MESSAGES = {
    1: "The maximum number of cycles allowed has been achieved., e.e.\n  of subintervals (a+(k-1)c, a+kc) where c = "
    "(2*int(abs(omega)+1))\n  *pi/abs(omega), for k = 1, 2, ..., lst.  One can allow more cycles by increasing the "
    "value of limlst.  Look at info['ierlst'] with full_output=1.",
    4: "The extrapolation table constructed for convergence acceleration\n  of the series formed by the integral "
    "contributions over the cycles, \n  does not converge to within the requested accuracy.  Look at \n  "
    "info['ierlst'] with full_output=1.",
    7: "Bad integrand behavior occurs within one or more of the cycles.\n  Location and type of the difficulty "
    "involved can be determined from \n  the vector info['ierlist'] obtained with full_output=1.",
}

#: What the entries of ``info['ierlst']`` mean.
CYCLE_STATUS = {
    1: "The maximum number of subdivisions (= limit) has been \n  achieved on this cycle.",
    2: "The occurrence of roundoff error is detected and prevents\n  the tolerance imposed on this cycle from being "
    "achieved.",
    3: "Extremely bad integrand behavior occurs at some points of\n  this cycle.",
    4: "The integral over this cycle does not converge (to within the required accuracy) due to roundoff in the "
    "extrapolation procedure invoked on this cycle.  It is assumed that the result on this interval is the best which "
    "can be obtained.",
    5: "The integral over this cycle is probably divergent or slowly convergent.",
}


def prepare_weight(call: Call) -> None:
    """Check a weight and its parameters as SciPy does."""
    weight, wvar = call["weight"], call["wvar"]
    a, b = (call[name] for name in ("a", "b"))
    known = not is_jax(a) and not is_jax(b)
    call["cycles"] = int(call["limlst"])
    if weight is None:
        call["wvar"] = None
        return
    if known and a == b:
        call["weight"] = call["wvar"] = None
        return
    if call["points"] is not None:
        message = (
            "Break points cannot be specified when using weighted integrand.\nContinuing, ignoring specified points."
        )
        warn_user(message, IntegrationWarning)
        call["points"] = None
    if weight not in WEIGHTS:
        raise ValueError(f"{weight} not a recognized weighting function; allowed are {WEIGHTS}.")
    ends = [v for v in (a, b) if not is_jax(v) and np.isinf(v)]
    if call["maxp1"] < 1:
        raise ValueError(f"Chebyshev moment limit maxp1 must be >=1, got {call['maxp1']}.")
    if weight in ("cos", "sin"):
        _check_wave(call, ends)
    elif ends:
        raise ValueError(f"Cannot integrate with this weight over an infinite interval; the limits are {a} and {b}.")
    elif weight == "cauchy":
        _number(wvar)
        if known and not is_jax(wvar) and float(wvar) in (a, b):
            raise ValueError(f"Parameter 'wvar' must not equal integration limits 'a' or 'b', got {wvar}.")
    else:
        if np.shape(wvar) != (2,):
            raise TypeError(f"wvar must be two numbers (alpha, beta) for weight {weight!r}, got {wvar!r}.")
        if not is_jax(wvar) and min(wvar) <= -1:
            raise ValueError(f"wvar parameters (alpha, beta) must both be > -1, got {wvar}.")
        if call["limit"] < 2:
            raise ValueError(f"limit must be at least 2 for weight {weight!r}, got {call['limit']}.")
    if not is_jax(wvar):
        call["wvar"] = np.asarray(wvar, float)


def _check_wave(call: Call, ends: list[float]) -> None:
    _number(call["wvar"])
    if len(ends) == 2:
        raise ValueError("Cannot integrate with this weight from -Inf to +Inf.")
    if call["wopts"] is not None:
        raise HostRoute(Reason.OPTION, "wopts: precomputed moments of QUADPACK")
    if not ends:
        if call["full_output"]:
            raise HostRoute(Reason.OPTION, "full_output of a weight on a finite range: moments of QUADPACK")
        return
    if not is_jax(call["epsabs"]) and call["epsabs"] <= 0:
        raise ValueError(
            f"Sine or cosine weighted integrals with infinite domain must have 'epsabs'>0, got epsabs={call['epsabs']}."
        )
    if call["limlst"] < 3:
        raise ValueError(f"Cycle limit limlst must be >=3, got {call['limlst']}.")
    if not is_jax(call["wvar"]) and call["wvar"] == 0:
        raise HostRoute(Reason.OPTION, "wvar=0 on an infinite range")


def _number(wvar: Any) -> None:
    if wvar is None or np.ndim(wvar) != 0:
        raise TypeError(f"wvar must be a number for this weight, got {wvar!r}.")


def cycle_information(out: Any) -> dict[str, Any]:
    """QAWF's description of the cycles."""
    p = out.intervals
    return {
        "neval": int(out.neval), "lst": int(p.n), "rslst": p.value, "erlst": p.error,
        "ierlst": p.status.astype(np.int32),
    }  # fmt: skip
