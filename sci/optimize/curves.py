"""`curve_fit`: Levenberg-Marquardt on JAX; bounded fits on SciPy."""

from __future__ import annotations

import inspect
from typing import Any

import jax.numpy as jnp
import numpy as np
from jax.scipy.linalg import solve_triangular
from scipy.optimize import Bounds, OptimizeWarning

from sci.bridge import Call, Example, HostRoute, Reason, as_array, implements
from sci.bridge.worlds import is_jax
from sci.optimize._shared import need_callable, users, warn_user
from sci.optimize.lsq import covariance, minpack_info, minpack_message, run_lm
from solvers.least_squares import LM

__all__ = ["curve_fit"]

_TOL = 1.49012e-8
_LM_OPTIONS = {"ftol": _TOL, "xtol": _TOL, "gtol": 0.0, "maxfev": 0, "factor": 100.0, "diag": None}
_IGNORED_OPTIONS = ("epsfcn", "col_deriv")


def _parameter_start(call: Call) -> None:
    """``p0``, or ones for as many parameters as the model's signature has."""
    if call["p0"] is not None:
        call["p0"] = jnp.atleast_1d(call["p0"]) if is_jax(call["p0"]) else np.atleast_1d(np.asarray(call["p0"]))
        if not is_jax(call["p0"]) and call["p0"].dtype.kind not in "biuf":
            raise HostRoute(Reason.DTYPE, f"p0 has dtype {call['p0'].dtype}")
        call["p0"] = call["p0"].astype(float)
        return
    kinds = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    parameters = [p for p in inspect.signature(call["f"]).parameters.values() if p.kind in kinds]
    if len(parameters) < 2:
        raise ValueError("Unable to determine number of fit parameters.")
    call["p0"] = np.ones(len(parameters) - 1)


def _bounded(bounds: Any) -> bool:
    lower, upper = (bounds.lb, bounds.ub) if isinstance(bounds, Bounds) else bounds
    return bool(np.any((np.asarray(lower) > -np.inf) | (np.asarray(upper) < np.inf)))


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
    if call["method"] not in (None, "lm") or _bounded(call["bounds"]):
        raise HostRoute(Reason.METHOD, "bounds" if call["method"] is None else f"method={call['method']!r}")
    _parameter_start(call)
    _data(call)
    _weights(call)
    n, m = call["p0"].size, call["ydata"].size
    if m != 1 and n > m:
        raise TypeError(f"The number of func parameters={n} must not exceed the number of data points={m}")
    if call["jac"] is not None and not callable(call["jac"]):
        call["jac"] = None
    for name, default in _LM_OPTIONS.items():
        call[name] = options.pop(name, default)
    for name in _IGNORED_OPTIONS:
        options.pop(name, None)
    if options:
        raise TypeError(f"leastsq() got an unexpected keyword argument {next(iter(options))!r}")
    if not call["maxfev"]:
        call["maxfev"] = (200 if call["jac"] is None else 100) * (n + 1)
    call["absolute"] = bool(call["absolute_sigma"])


def _example(call: Call) -> tuple[Any, ...]:
    return (call["xdata"], *call["p0"])


def _finish(call: Call, out: dict[str, Any]) -> Any:
    status = int(out["status"])
    message = minpack_message(status, call)
    if status not in (1, 2, 3, 4):
        raise RuntimeError("Optimal parameters not found: " + message)
    inverse, q, r, pivots = covariance(out["jac"])
    n, m = out["x"].size, out["fun"].size
    if inverse is None or (not call["absolute"] and m <= n):
        warn_user("Covariance of the parameters could not be estimated", OptimizeWarning)
        inverse = np.full((n, n), np.inf)
    elif not call["absolute"]:
        inverse = inverse * (np.sum(out["fun"] ** 2) / (m - n))
    if call["full_output"]:
        return out["x"], inverse, minpack_info(out, q, r, pivots), message, status
    return out["x"], inverse


def _finish_jax(call: Call, out: dict[str, Any]) -> Any:
    n, m = out["x"].size, out["fun"].size
    inverse = jnp.linalg.inv(jnp.linalg.qr(out["jac"], mode="r"))
    spread = inverse @ inverse.T
    if not call["absolute"]:
        spread = spread * (jnp.sum(out["fun"] ** 2) / (m - n)) if m > n else jnp.full((n, n), jnp.inf)
    fitted = jnp.where(out["success"], out["x"], jnp.nan)
    pcov = jnp.where(jnp.isfinite(spread).all(), spread, jnp.inf)
    if call["full_output"]:
        info = {"fvec": out["fun"], "nfev": out["nfev"], "njev": out["njev"], "fjac": out["jac"]}
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
            kwargs={"sigma": 0.1 + 0.05 * _X, "absolute_sigma": True, **tight},
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
    callables={"f": _example, "jac": _example},
    dtypes={"maxfev": "keep"},
    static=("weighting",),
    prepare=_prepare,
    finish=_finish,
    finish_jax=_finish_jax,
    examples=_examples,
    note="bounds, methods trf and dogbox, xdata that is no array.",
)
def curve_fit(f, xdata, ydata, p0, sigma, jac, ftol, xtol, gtol, maxfev, factor, diag, weighting):
    """Fit a function to data by nonlinear least squares (Levenberg-Marquardt).

    Without `jac` the exact Jacobian of `f` is used. The parameters and their covariance are differentiable with
    respect to the data, `sigma` and what `f` closes over; many data sets are fitted at once by `jax.vmap`. With
    JAX arrays a failed fit has parameters NaN, an inestimable covariance is infinite, and with
    ``full_output=True`` the message is None.

    References
    ----------
    J. J. More, "The Levenberg-Marquardt algorithm: implementation and theory", 1978.

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

    method = LM(ftol, xtol, gtol, maxfev, factor, diag, False)
    return run_lm(residuals, p0, (), None if jac is None else jacobian, method)
