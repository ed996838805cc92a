"""Arguments of `solve_ivp`: SciPy's checks and what goes to SciPy."""

from __future__ import annotations

import inspect

import numpy as np
import scipy.integrate

from sci.bridge import Call, HostRoute, Reason, warn_user
from sci.bridge.extras import bind_arguments
from sci.bridge.worlds import is_jax
from sci.integrate.ivp_events import prepare_events
from sci.integrate.ivp_jacobian import prepare_band, prepare_jacobian
from sci.integrate.ode_solvers import SOLVERS
from solvers import ode
from solvers.ode.diffrax_adapter import as_method

__all__ = ["prepare"]

_METHODS = ("RK23", "RK45", "DOP853", "Radau", "BDF", "LSODA")
_IMPLICIT = ("Radau", "BDF", "LSODA")
_OPTIONS = {"rtol": 1e-3, "atol": 1e-6, "max_step": np.inf, "first_step": None}
_CLASSES = SOLVERS | {getattr(scipy.integrate, name) for name in _METHODS}
_LEAST_RTOL = 100 * np.finfo(float).eps


def prepare(call: Call) -> None:
    """Check the arguments as SciPy does; make its options entries of the call."""
    _check_method(call)
    t0, t1 = call["t_span"]
    call["t0"], call["t1"] = (x if is_jax(x) else float(x) for x in (t0, t1))
    _prepare_state(call)
    options = dict(call["options"])
    for name, default in _OPTIONS.items():
        call[name] = options.pop(name, default)
    own = isinstance(call["method"], (ode.Radau, ode.BDF, ode.LSODA, ode.Rodas5P))
    implicit = own or call["method"] in _IMPLICIT
    lsoda = call["method"] == "LSODA"
    jac = options.pop("jac", None) if implicit else None
    prepare_jacobian(call, jac, options.pop("jac_sparsity", None) if implicit and not lsoda else None)
    call["min_step"] = 0.0
    if lsoda:
        prepare_band(call, options.pop("lband", None), options.pop("uband", None))
        call["min_step"] = options.pop("min_step", 0.0)
    prepare_events(call)
    _prepare_arguments(call)
    _prepare_t_eval(call)
    if options:
        names = ", ".join(f"`{name}`" for name in options)
        warn_user(f"The following arguments have no effect for a chosen solver: {names}.", UserWarning)
    _check_tolerances(call)
    _check_steps(call)
    if call["progress"] and not call.numpy:
        raise ValueError("`progress` is for NumPy arrays: compiled code cannot show it.")
    if call["max_steps"] is None:
        # minutes of computing: what comes so far does not end (SciPy has no bound)
        call["max_steps"] = 100_000_000 if call["method"] in ("RK23", "RK45", "DOP853") else 1_000_000
    if call["size"] is None:
        call["size"] = 512 if call.numpy else 4096
    call["vectorized"], call["dense_output"] = bool(call["vectorized"]), bool(call["dense_output"])


def _check_method(call: Call) -> None:
    method = call["method"]
    if inspect.isclass(method):
        if method not in _CLASSES:
            raise HostRoute(Reason.METHOD, f"method={method.__name__}")
        call["method"] = method = method.__name__
    if not isinstance(method, str):
        call["method"] = as_method(method)
    elif method not in _METHODS:
        raise ValueError(f"`method` must be one of {_METHODS} or OdeSolver class, got {method!r}.")
    if not callable(call["fun"]):
        raise HostRoute(Reason.OPTION, "fun is not callable")


def _prepare_state(call: Call) -> None:
    y0 = call["y0"]
    if not is_jax(y0):
        y0 = np.asarray(y0)
        if y0.dtype.kind not in "biufc":
            raise HostRoute(Reason.DTYPE, f"argument 'y0' has dtype {y0.dtype}")
        if call.numpy:
            y0 = y0.astype(complex if y0.dtype.kind == "c" else float)
        call["y0"] = y0
    if y0.dtype.kind == "c" and call["method"] in ("Radau", "LSODA"):
        raise ValueError(
            f"`y0` is complex ({y0.dtype}), but the chosen solver does not support integration in a complex domain."
        )
    if y0.ndim != 1:
        raise ValueError(f"`y0` must be 1-dimensional, got shape {y0.shape}.")
    if isinstance(y0, np.ndarray) and not np.isfinite(y0).all():
        raise ValueError("All components of the initial state `y0` must be finite.")


def _prepare_arguments(call: Call) -> None:
    """``args`` as a tuple of arrays; integers and what is no array are bound into the function."""
    args = call["args"]
    if args is None:
        call["args"] = ()
        return
    try:
        call["args"] = tuple(args)
    except TypeError as error:
        raise TypeError(
            f"Supplied 'args' cannot be unpacked. Please supply `args` as a tuple (e.g. `args=({args},)`)"
        ) from error
    bind_arguments(call, "fun", "jac", "events")


def _prepare_t_eval(call: Call) -> None:
    t_eval, t0, t1 = call["t_eval"], call["t0"], call["t1"]
    if t_eval is None:
        return
    if not is_jax(t_eval):
        call["t_eval"] = call["asked"] = t_eval = np.asarray(t_eval)
    if t_eval.ndim != 1:
        raise ValueError(f"`t_eval` must be 1-dimensional, got shape {t_eval.shape}.")
    if is_jax(t_eval) or is_jax(t0) or is_jax(t1):
        return
    if t_eval.size == 0:
        return
    low, high = (t0, t1) if t1 >= t0 else (t1, t0)
    least, largest = t_eval.min(), t_eval.max()  # both NaN if one value is
    if least < low or largest > high:
        raise ValueError(f"Values in `t_eval` are not within `t_span` = {(t0, t1)}.")
    if least != least:
        raise HostRoute(Reason.OPTION, "t_eval has values that are not numbers")
    before, after = t_eval[:-1], t_eval[1:]
    if (t1 > t0 and not (before < after).all()) or (t1 < t0 and not (before > after).all()):
        raise ValueError("Values in `t_eval` are not properly sorted.")


def _check_tolerances(call: Call) -> None:
    rtol, atol = call["rtol"], call["atol"]
    if type(rtol) is float and rtol >= _LEAST_RTOL and type(atol) is float and atol >= 0:
        return  # the common case, kept short
    if not is_jax(rtol) and np.any(np.asarray(rtol) < _LEAST_RTOL):
        least = f"np.maximum(rtol, {_LEAST_RTOL})"
        warn_user(f"At least one element of `rtol` is too small. Setting `rtol = {least}`.", UserWarning)
        call["rtol"] = np.maximum(rtol, _LEAST_RTOL)
    if np.ndim(atol) > 0 and np.shape(atol) != call["y0"].shape:
        raise ValueError(f"`atol` has wrong shape: {np.shape(atol)} for `y0` of shape {call['y0'].shape}.")
    if not is_jax(atol) and np.any(np.asarray(atol) < 0):
        raise ValueError(f"`atol` must be positive, got {atol}.")


def _check_steps(call: Call) -> None:
    largest, first = call["max_step"], call["first_step"]
    if not is_jax(largest) and largest <= 0:
        raise ValueError(f"`max_step` must be positive, got {largest}.")
    if not is_jax(call["min_step"]) and not call["min_step"] >= 0:
        raise ValueError(f"`min_step` must not be negative, got {call['min_step']}.")
    if first is None or is_jax(first):
        return
    if first <= 0:
        raise ValueError(f"`first_step` must be positive, got {first}.")
    if not is_jax(call["t0"]) and not is_jax(call["t1"]) and first > abs(call["t1"] - call["t0"]):
        raise ValueError(f"`first_step` exceeds bounds: {first} for an interval of {abs(call['t1'] - call['t0'])}.")
