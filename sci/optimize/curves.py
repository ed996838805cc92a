"""`curve_fit`: Levenberg-Marquardt, trust-region reflective and dogbox on JAX."""

from __future__ import annotations

import inspect
from typing import Any

import jax.numpy as jnp
import numpy as np
from jax.scipy.linalg import solve_triangular
from scipy.optimize import OptimizeWarning

from sci.bridge import Call, Example, HostRoute, Reason, as_array, implements, warn_user
from sci.bridge.worlds import is_jax
from sci.optimize._shared import need_callable, users
from sci.optimize.leastsq import covariance, minpack_info, minpack_message, run_lm
from sci.optimize.lsq_options import (
    TERMINATION,
    Region,
    loss_example,
    plain_region,
    prepare_bounds,
    prepare_region,
    run_region,
)
from solvers.least_squares import LM

__all__ = ["curve_fit"]

_TOL = 1.49012e-8
_LM_OPTIONS = {"ftol": _TOL, "xtol": _TOL, "gtol": 0.0, "maxfev": 0, "factor": 100.0, "diag": None}
_IGNORED_OPTIONS = ("epsfcn", "col_deriv")


def _parameter_start(call: Call) -> None:
    """``p0``, or a point within the bounds for as many parameters as the model's signature has."""
    if call["p0"] is not None:
        call["p0"] = jnp.atleast_1d(call["p0"]) if is_jax(call["p0"]) else np.atleast_1d(np.asarray(call["p0"]))
        if not is_jax(call["p0"]) and call["p0"].dtype.kind not in "biuf":
            raise HostRoute(Reason.DTYPE, f"p0 has dtype {call['p0'].dtype}")
        call["p0"] = call["p0"].astype(float)
        call["bounds"] = prepare_bounds(call["bounds"], call["p0"].size)
        return
    kinds = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    parameters = [p for p in inspect.signature(call["f"]).parameters.values() if p.kind in kinds]
    if len(parameters) < 2:
        raise ValueError("Unable to determine number of fit parameters.")
    lower, upper, bounded = call["bounds"] = prepare_bounds(call["bounds"], len(parameters) - 1)
    call["p0"] = _feasible(lower, upper) if bounded else np.ones(len(parameters) - 1)


def _feasible(lower: Any, upper: Any) -> Any:
    """The middle of two bounds, one away from a single one, one where there is none."""
    lib: Any = jnp if is_jax((lower, upper)) else np
    low, high = lib.isfinite(lower), lib.isfinite(upper)
    a, b = lib.where(low, lower, 0.0), lib.where(high, upper, 0.0)
    single = lib.where(low, a + 1, lib.where(high, b - 1, 1.0))
    return lib.where(low & high, 0.5 * (a + b), single)


def _data(call: Call) -> None:
    """The data as floating arrays, checked for what is not finite as `check_finite` and `nan_policy` say."""
    check, policy = call["check_finite"], call["nan_policy"]
    if check is None:
        check = policy is None
    if not check and policy == "propagate":
        raise ValueError("`nan_policy='propagate'` is not supported by this function.")
    if not check and policy not in (None, "raise", "omit"):
        raise ValueError(f"nan_policy must be one of {{None, 'raise', 'omit'}}, got {policy!r}")
    for name in ("ydata", "xdata"):
        value = call[name]
        if is_jax(value):
            call[name] = jnp.asarray(value)
            continue
        if not isinstance(value, (list, tuple, np.ndarray)) and name == "xdata":
            raise HostRoute(Reason.OBJECT, f"xdata of type {type(value).__name__}")
        call[name] = (np.asarray_chkfinite if check else np.asarray)(value, float)
    if call["ydata"].size == 0:
        raise ValueError("`ydata` must not be empty!")
    if not check and policy is not None and call.numpy:
        _without_nan(call, policy)
    if call["ydata"].ndim != 1:
        raise HostRoute(Reason.SHAPE, f"ydata of shape {call['ydata'].shape}")


def _without_nan(call: Call, policy: str) -> None:
    """Refuse the points with a NaN, or leave them out, with their `sigma`."""
    bad = np.isnan(call["xdata"])
    bad = bad.any(axis=tuple(range(bad.ndim - 1))) | np.isnan(call["ydata"])
    if not bad.any():
        return
    if policy == "raise":
        raise ValueError("The input contains nan values")
    call["xdata"], call["ydata"] = call["xdata"][..., ~bad], call["ydata"][~bad]
    if call["sigma"] is not None:
        sigma = np.asarray(call["sigma"])
        if sigma.ndim in (1, 2):
            call["sigma"] = sigma[~bad] if sigma.ndim == 1 else sigma[~bad][:, ~bad]


def _weights(call: Call) -> None:
    """How `sigma` scales the residuals: not at all, by division, or by the inverse Cholesky factor."""
    sigma, m = call["sigma"], call["ydata"].size
    call["weighting"] = "none"
    if sigma is None:
        return
    if not is_jax(sigma):
        sigma = call["sigma"] = np.asarray(sigma)
    if sigma.size == 1 or sigma.shape == (m,):
        call["weighting"] = "divide"
    elif sigma.shape == (m, m):
        call["weighting"] = "whiten"
        if not is_jax(sigma):
            try:
                np.linalg.cholesky(sigma)
            except np.linalg.LinAlgError:
                raise ValueError("`sigma` must be positive definite.") from None
    else:
        raise ValueError(f"`sigma` has incorrect shape: {sigma.shape}, allowed are {(m,)} and {(m, m)}.")


def _prepare(call: Call) -> None:
    need_callable(call, "f")
    options = dict(call["kwargs"] or {})
    if "args" in options:
        raise ValueError("'args' is not a supported keyword argument.")
    _parameter_start(call)
    *bounds, bounded = call["bounds"]
    method = call["method"] = call["method"] or ("trf" if bounded else "lm")
    if method == "lm" and bounded:
        raise ValueError("Method 'lm' only works for unconstrained problems. Use 'trf' or 'dogbox' instead.")
    if method not in ("lm", "trf", "dogbox"):
        raise ValueError(f"`method` must be 'trf', 'dogbox' or 'lm', got {method!r}.")
    _data(call)
    _weights(call)
    if call["jac"] is not None and not callable(call["jac"]):
        call["jac"] = None
    if method == "lm":
        _prepare_lm(call, options)
    else:
        if "max_nfev" not in options:
            options["max_nfev"] = options.pop("maxfev", None)
        prepare_region(call, options, bounds, call["p0"].size, "p0")
        call["factor"] = call["diag"] = None
    if options:
        who = "leastsq" if method == "lm" else "least_squares"
        raise TypeError(f"{who}() got an unexpected keyword argument {next(iter(options))!r}")
    call["absolute"] = bool(call["absolute_sigma"])


def _prepare_lm(call: Call, options: dict[str, Any]) -> None:
    n, m = call["p0"].size, call["ydata"].size
    if m != 1 and n > m:
        raise TypeError(f"The number of func parameters={n} must not exceed the number of data points={m}")
    plain_region(call)
    for name, default in _LM_OPTIONS.items():
        call[name] = options.pop(name, default)
    for name in _IGNORED_OPTIONS:
        options.pop(name, None)
    if not call["maxfev"]:
        call["maxfev"] = (200 if call["jac"] is None else 100) * (n + 1)


def _example(call: Call) -> tuple[Any, ...]:
    return (call["xdata"], *call["p0"])


def _finish(call: Call, out: dict[str, Any]) -> Any:
    status = int(out["status"])
    n, m = out["x"].size, out["fun"].size
    if call["method"] == "lm":
        message = minpack_message(status, call)
        if status not in (1, 2, 3, 4):
            raise RuntimeError("Optimal parameters not found: " + message)
        inverse, q, r, pivots = covariance(out["jac"])
        squares = np.sum(out["fun"] ** 2)
        info = minpack_info(out, q, r, pivots) if call["full_output"] else {}
    else:
        message = TERMINATION[status]
        if status == -1:
            raise ValueError("Residuals are not finite in the initial point.")
        if status == 0:
            raise RuntimeError("Optimal parameters not found: " + message)
        inverse, squares = _pseudo_covariance(out["jac"]), 2 * out["cost"]
        info = {"nfev": int(out["nfev"]), "fvec": out["fun"]}
    if inverse is None or np.isnan(inverse).any() or (not call["absolute"] and m <= n):
        warn_user("Covariance of the parameters could not be estimated", OptimizeWarning)
        inverse = np.full((n, n), np.inf)
    elif not call["absolute"]:
        inverse = inverse * (squares / (m - n))
    if call["full_output"]:
        return out["x"], inverse, info, message, status
    return out["x"], inverse


def _pseudo_covariance(jac: np.ndarray) -> np.ndarray:
    """Inverse of ``J^T J`` on the singular values that are not zero."""
    _, s, right = np.linalg.svd(jac, full_matrices=False)
    useful = s > np.finfo(float).eps * max(jac.shape) * s[0]
    right = right[useful]
    return (right.T / s[useful] ** 2) @ right


def _finish_jax(call: Call, out: dict[str, Any]) -> Any:
    n, m = out["x"].size, out["fun"].size
    jac, squares = out["jac"], jnp.sum(out["fun"] ** 2) if call["method"] == "lm" else 2 * out["cost"]
    if m < n:
        spread = jnp.full((n, n), jnp.inf)
    else:
        inverse = jnp.linalg.inv(jnp.linalg.qr(jac, mode="r"))
        spread = inverse @ inverse.T
    if not call["absolute"]:
        spread = spread * (squares / (m - n)) if m > n else jnp.full((n, n), jnp.inf)
    fitted = jnp.where(out["success"], out["x"], jnp.nan)
    pcov = jnp.where(jnp.isfinite(spread).all(), spread, jnp.inf)
    if call["full_output"]:
        info = {"fvec": out["fun"], "nfev": out["nfev"], "njev": out["njev"], "fjac": jac}
        return fitted, pcov, info, None, out["status"]
    return fitted, pcov


@users
def _model(x: Any, a: Any, b: Any, c: Any) -> Any:
    return a * np.exp(-b * x) + c


_X = np.linspace(0.0, 4.0, 12)
_Y = _model(_X, 2.5, 1.3, 0.5) + 0.1 * np.cos(9 * _X)


def _examples() -> list[Example]:
    common: dict[str, Any] = {"rtol": 1e-5, "atol": 1e-7, "grad_rtol": 1e-3}
    tight = {"ftol": 1e-14, "xtol": 1e-14}
    # One point of xdata leaves the fit undetermined; from NaN and inf MINPACK returns NaN as a success, ours raises.
    odd = ("0-d", "1x1", "nan", "inf")
    return [
        Example(
            args=(_model, _X, _Y),
            kwargs=tight,
            grad=("xdata", "ydata"),
            vmap=("ydata",),
            float32=False,
            skip_odd=odd,
            **common,
        ),
        Example(
            args=(_model, _X, _Y, np.array([2.0, 1.0, 1.0])),
            kwargs={"sigma": 0.1 + 0.05 * _X, "bounds": (0, [3.0, 1.2, 1.0]), "gtol": 1e-12, **tight},
            grad=("ydata", "sigma"),
            vmap=("ydata", "p0"),
            output=lambda r: r[0],
            float32=False,
            skip_odd=odd,
            **common,
        ),
    ]


@implements(
    "scipy.optimize.curve_fit",
    callables={
        "f": _example,
        "jac": _example,
        "rho": loss_example(lambda call: call["f"](call["xdata"], *call["p0"]) - call["ydata"]),
    },
    dtypes={"maxfev": "keep"},
    static=("weighting", "method", "by_jacobian", "loss_name"),
    prepare=_prepare,
    finish=_finish,
    finish_jax=_finish_jax,
    examples=_examples,
    note="xdata that is no array; of the options of `least_squares`, sparse Jacobians, callbacks, verbose, tr_options.",
)
def curve_fit(
    f,
    xdata,
    ydata,
    p0,
    sigma,
    jac,
    method,
    ftol,
    xtol,
    gtol,
    maxfev,
    factor,
    diag,
    weighting,
    lower,
    upper,
    scale,
    by_jacobian,
    loss_name,
    rho,
    f_scale,
):
    """Fit a function to data by nonlinear least squares.

    Without `jac` the exact Jacobian of `f` is used. The parameters and their covariance are differentiable with
    respect to the data, `sigma` and what `f` closes over; many data sets are fitted at once by `jax.vmap`. With
    JAX arrays a failed fit has parameters NaN, an inestimable covariance is infinite, and with
    ``full_output=True`` the message is None.

    References
    ----------
    J. J. More, "The Levenberg-Marquardt algorithm: implementation and theory", 1978. M. A. Branch, T. F. Coleman,
    Y. Li, "A subspace, interior, and conjugate gradient method for large-scale bound-constrained minimization
    problems", 1999.

    Examples
    --------
    >>> import numpy as np
    >>> from sci.optimize import curve_fit
    >>> x = np.linspace(0, 4, 20)
    >>> popt, pcov = curve_fit(lambda x, a, b: a * np.exp(-b * x), x, 2.5 * np.exp(-1.3 * x))
    >>> popt.round(6).tolist()
    [2.5, 1.3]
    """

    def weigh(values):
        if weighting == "none":
            return values
        if weighting == "divide":
            return values / (sigma[:, None] if values.ndim == 2 and jnp.ndim(sigma) else sigma)
        return solve_triangular(factor_of_sigma, values, lower=True)

    factor_of_sigma = jnp.linalg.cholesky(sigma) if weighting == "whiten" else None

    def residuals(p):
        model = as_array(f(xdata, *(p[i] for i in range(p.size))))
        np.broadcast_shapes(model.shape, ydata.shape)  # NumPy's ValueError rather than JAX's TypeError
        return weigh(model - ydata)

    def jacobian(p):
        return weigh(as_array(jac(xdata, *(p[i] for i in range(p.size)))))

    given = None if jac is None else jacobian
    if method == "lm":
        return run_lm(residuals, p0, (), given, LM(ftol, xtol, gtol, maxfev, factor, diag, False))
    region = Region(lower, upper, scale, by_jacobian, loss_name, rho, f_scale)
    return run_region(residuals, p0, (), given, method, (ftol, xtol, gtol, maxfev), region)
