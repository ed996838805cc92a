"""Minima of scalar functions: `minimize_scalar`, `brent`, `golden`, `fminbound`, `bracket`."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from scipy.optimize import OptimizeResult, OptimizeWarning
from scipy.optimize._optimize import BracketError  # has no public name

from sci.bridge import Call, Example, HostRoute, Reason, as_array, implements, warn_user
from sci.bridge.worlds import is_jax
from sci.optimize._shared import bind_arguments, need_callable, unknown_options, users
from sci.optimize.scalar import numpy_number
from solvers.scalar import BoundedMinimum, BracketMinimum, BrentMinimum, GoldenMinimum, find_minimum, search_bracket
from solvers.scalar.status import BAD_INPUT, BRACKET_LIMIT, CONVERGED, NOT_CONVERGED, NOT_FINITE, SIGN_ERROR

__all__ = ["bracket", "brent", "fminbound", "golden", "minimize_scalar"]

_KNOWN = {
    "brent": frozenset(["xtol", "maxiter", "disp"]),
    "golden": frozenset(["xtol", "maxiter", "disp"]),
    "bounded": frozenset(["xatol", "maxiter", "disp"]),
}
_DEFAULTS = {"brent": (1.48e-8, 500), "golden": (float(np.sqrt(np.finfo(float).eps)), 5000), "bounded": (1e-5, 500)}
_NAN = "NaN result encountered."
_NO_BRACKET = "The algorithm terminated without finding a valid bracket. Consider trying different initial points."
_LIMIT = (
    "No valid bracket was found before the iteration limit was reached. Consider trying different initial points or "
    "increasing `maxiter`."
)


def _points(call: Call, points: Any) -> None:
    """Two points to search a bracket from, or three that are one, as entries ``p``, ``q``, ``r``."""
    if points is None:
        points = (0.0, 1.0)
    if len(points) not in (2, 3):
        raise ValueError(f"Bracketing interval must be length 2 or 3 sequence, got length {len(points)}.")
    call["searching"] = len(points) == 2
    p, q, r = (*points, None) if call["searching"] else points
    if not call["searching"] and not is_jax((p, q, r)):
        p, r = (r, p) if p > r else (p, r)
        if not p < q < r:
            raise ValueError(
                f"Bracketing values (xa, xb, xc) do not fulfill this requirement: (xa < xb) and (xb < xc); got {points}"
            )
    call["p"], call["q"], call["r"] = (_real(call, "brack", x) for x in (p, q, r))


def _real(call: Call, name: str, value: Any) -> Any:
    if value is None or is_jax(value):
        return value
    value = np.asarray(value)
    if value.dtype.kind not in "biuf" or value.size != 1:
        raise HostRoute(Reason.SHAPE, f"{name} is no real number: {value!r}")
    return float(value.reshape(()))


def _bounds(call: Call, bounds: Any, message: str) -> None:
    """The ends of the interval as entries ``p`` and ``q``."""
    if len(bounds) != 2:
        raise ValueError(f"bounds must have two elements, got {len(bounds)}.")
    a, b = bounds
    call["searching"], call["r"] = False, None
    if not is_jax((a, b)):
        for x in (a, b):
            if np.size(x) != 1 or np.asarray(x).dtype.kind not in "biuf" or not np.isfinite(x):
                raise ValueError(f"Optimization bounds must be finite scalars, got {bounds}.")
        if a > b:
            raise ValueError(message + f" {bounds}")
    call["p"], call["q"] = _real(call, "bounds", a), _real(call, "bounds", b)


def _prepare(call: Call) -> None:
    need_callable(call, "fun")
    method = call["method"]
    if callable(method):
        raise HostRoute(Reason.METHOD, "a custom method")
    method = (method or ("brent" if call["bounds"] is None else "bounded")).lower()
    options = dict(call["options"] or {})
    if call["bounds"] is not None and method in ("brent", "golden"):
        raise ValueError(f"Use of `bounds` is incompatible with 'method={method}'.")
    if method not in _KNOWN:
        raise ValueError(f"Unknown solver {method}")
    if call["tol"] is not None:
        if method == "bounded" and "xatol" not in options:
            warn_user(
                "Method 'bounded' does not support relative tolerance in x; defaulting to absolute tolerance.",
                RuntimeWarning,
            )
        options.setdefault("xatol" if method == "bounded" else "xtol", call["tol"])
    if options.get("disp"):
        raise HostRoute(Reason.OPTION, "disp")
    if unknown := unknown_options(options, _KNOWN[method]):
        warn_user(unknown, OptimizeWarning)
    _tolerance(call, method, options.get("xatol" if method == "bounded" else "xtol"), options.get("maxiter"))
    if method == "bounded":
        if call["bounds"] is None:
            raise ValueError("The `bounds` parameter is mandatory for method `bounded`.")
        _bounds(call, call["bounds"], "The lower bound exceeds the upper bound.")
    else:
        _points(call, call["bracket"])
    bind_arguments(call, "fun")


def _tolerance(call: Call, method: str, tol: Any, maxiter: Any) -> None:
    default, most = _DEFAULTS[method]
    call["method"] = method
    call["xtol"] = default if tol is None else tol
    call["maxiter"] = most if maxiter is None else maxiter
    if method == "brent" and not is_jax(call["xtol"]) and call["xtol"] < 0:
        raise ValueError(f"tolerance should be >= 0, got {call['xtol']!r}")


def _example(call: Call) -> tuple[Any, ...]:
    return (numpy_number(call["p"]), *call["args"])


def _raise_bracket(call: Call, out: dict[str, Any]) -> None:
    status = int(out["status"])
    if status == SIGN_ERROR:
        raise ValueError(
            "Bracketing values (xa, xb, xc) do not fulfill this requirement: (f(xb) < f(xa)) and (f(xb) < f(xc))"
        )
    if status == BRACKET_LIMIT:
        raise RuntimeError(_LIMIT)


def _finish(call: Call, out: dict[str, Any]) -> OptimizeResult:
    _raise_bracket(call, out)
    status, method = int(out["status"]), call["method"]
    x, fun, nfev, nit = out["x"], out["fun"], int(out["nfev"]), int(out["nit"])
    success = status == CONVERGED
    if method == "bounded":
        flag = {CONVERGED: 0, NOT_CONVERGED: 1, NOT_FINITE: 2}[status]
        message = ("Solution found.", "Maximum number of function calls reached.", _NAN)[flag]
        return OptimizeResult(fun=fun, status=flag, success=success, message=message, x=x, nfev=nfev, nit=nfev)
    if status == BAD_INPUT:
        if np.isnan(out["f_points"]).any() or np.isnan(out["points"]).any():
            x = fun = np.nan
        return OptimizeResult(fun=fun, nfev=nfev, x=x, nit=0, success=False, message=_NO_BRACKET)
    message = (
        "\nOptimization terminated successfully;\nThe returned value satisfies the termination criteria\n"
        f"(using xtol = {call['xtol']} )"
    )
    message = {NOT_CONVERGED: "\nMaximum number of iterations exceeded", NOT_FINITE: _NAN}.get(status, message)
    if method == "brent":
        return OptimizeResult(fun=fun, x=x, nit=nit, nfev=nfev, success=success, message=message)
    return OptimizeResult(fun=fun, nfev=nfev, x=x, nit=nit, success=success, message=message)


def _finish_jax(call: Call, out: dict[str, Any]) -> OptimizeResult:
    names = ("x", "fun", "nfev", "nit", "status")
    return OptimizeResult({n: out[n] for n in names}, success=out["status"] == CONVERGED)


def _minimise(fun, p, q, r, args, xtol, maxiter, method, searching) -> dict[str, Any]:
    """The engine on SciPy's conventions."""

    def value(x, *a):
        return as_array(fun(x, *a))

    if method == "bounded":
        result = find_minimum.__wrapped__(value, (p, q), args, BoundedMinimum(xtol, maxiter))
    else:
        solver = (BrentMinimum if method == "brent" else GoldenMinimum)(xtol, maxiter)
        start = (p, q) if searching else (p, q, r)
        result = find_minimum.__wrapped__(value, start, args, solver, search=BracketMinimum() if searching else None)
    out = {name: getattr(result, name) for name in ("x", "fun", "nfev", "nit", "status")}
    if method != "bounded":
        out |= {"points": jnp.stack(result.extra["bracket"]), "f_points": jnp.stack(result.extra["f_bracket"])}
    return out


@users
def _bowl(x: Any, a: Any) -> Any:
    return (x - a) ** 4 + (x - a) ** 2 + a


_SHARED: dict[str, Any] = {
    "trees": ("args",),
    "dtypes": {"p": "float", "q": "float", "r": "float", "args": "keep", "maxiter": "keep"},
    "static": ("method", "searching"),
}
_COMPARE: dict[str, Any] = {"grad": ("args",), "vmap": ("args",), "rtol": 1e-7, "atol": 1e-9, "grad_rtol": 1e-3}


@implements(
    "scipy.optimize.minimize_scalar",
    callables={"fun": _example},
    **_SHARED,
    prepare=_prepare,
    finish=_finish,
    finish_jax=_finish_jax,
    examples=lambda: [
        Example(
            (_bowl,),
            {"args": np.float64(1.5), "tol": 1e-9} | options,
            output=lambda r: (r["x"], r["fun"]),
            warns="bounds" in options,
            float32=False,
            **_COMPARE,
        )
        for options in ({}, {"bounds": (0.0, 4.0)})
    ],
    note="custom methods, disp.",
)
def minimize_scalar(fun, p, q, r, args, xtol, maxiter, method, searching):
    """Minimise a scalar function by Brent's method, golden sections, or between bounds.

    The minimiser is differentiable with respect to `args` and what `fun` closes over, by the implicit function
    theorem; a minimum at a bound moves with the bound. Under `jax.vmap` many functions are minimised at once. With
    JAX arrays the result is an `OptimizeResult` of arrays with the ``status``: 0 converged, -1 the bracket is none,
    -2 too many iterations, -3 a value is NaN, -5 and -6 no bracket was found.

    References
    ----------
    R. P. Brent, "Algorithms for Minimization Without Derivatives", 1973.

    Examples
    --------
    >>> from sci.optimize import minimize_scalar
    >>> round(float(minimize_scalar(lambda x: (x - 2) * x * (x + 2) ** 2).x), 6)
    1.280776
    """
    out = _minimise(fun, p, q, r, args, xtol, maxiter, method, searching)
    # A function may return one number in an array: the result then has its shape.
    shape = jax.eval_shape(lambda x: as_array(fun(x, *args)), out["x"]).shape
    return out | {name: out[name].reshape(shape) for name in ("x", "fun")}


# --- the older functions ---------------------------------------------------------------------


def _prepare_old(method: str) -> Any:
    def prepare(call: Call) -> None:
        need_callable(call, "func")
        _tolerance(call, method, call["tol"], call["maxiter"])
        _points(call, call["brack"])
        call["fun"] = call["func"]
        bind_arguments(call, "fun")

    return prepare


def _finish_old(call: Call, out: dict[str, Any]) -> Any:
    _raise_bracket(call, out)
    if int(out["status"]) == BAD_INPUT:
        error = BracketError(_NO_BRACKET)
        error.data = (*out["points"], *out["f_points"], int(out["nfev"]))
        raise error
    return _old_output(call, out)


def _old_output(call: Call, out: dict[str, Any]) -> Any:
    if not call["full_output"]:
        return out["x"]
    counts = (out["nit"], out["nfev"]) if call["method"] == "brent" else (out["nfev"],)
    return (out["x"], out["fun"], *(int(c) for c in counts)) if call.numpy else (out["x"], out["fun"], *counts)


def _old_jax(call: Call, out: dict[str, Any]) -> Any:
    out["x"] = jnp.where(out["status"] == CONVERGED, out["x"], jnp.nan)
    return _old_output(call, out)


def _old(method: str) -> dict[str, Any]:
    return _SHARED | {
        "callables": {"fun": _example},
        "prepare": _prepare_old(method),
        "finish": _finish_old,
        "finish_jax": _old_jax,
        "examples": lambda: [Example((_bowl,), {"args": (np.float64(1.5),)}, float32=False, **_COMPARE)],
    }


@implements("scipy.optimize.brent", **_old("brent"))
def brent(fun, p, q, r, args, xtol, maxiter, method, searching):
    """Minimise a scalar function by Brent's method. See `minimize_scalar` for derivatives and the JAX world.

    References
    ----------
    R. P. Brent, "Algorithms for Minimization Without Derivatives", 1973.

    Examples
    --------
    >>> from sci.optimize import brent
    >>> round(float(brent(lambda x: (x - 1) ** 2)), 6)
    1.0
    """
    return _minimise(fun, p, q, r, args, xtol, maxiter, method, searching)


@implements("scipy.optimize.golden", **_old("golden"))
def golden(fun, p, q, r, args, xtol, maxiter, method, searching):
    """Minimise a scalar function by golden sections. See `minimize_scalar` for derivatives and the JAX world.

    References
    ----------
    J. Kiefer, "Sequential minimax search for a maximum", 1953.

    Examples
    --------
    >>> from sci.optimize import golden
    >>> round(float(golden(lambda x: (x - 1) ** 2)), 6)
    1.0
    """
    return _minimise(fun, p, q, r, args, xtol, maxiter, method, searching)


def _prepare_bounded(call: Call) -> None:
    need_callable(call, "func")
    if call["disp"] not in (0, 1):
        raise HostRoute(Reason.OPTION, f"disp={call['disp']!r}")
    _tolerance(call, "bounded", call["xtol"], call["maxfun"])
    _bounds(call, (call["x1"], call["x2"]), "The lower bound exceeds the upper bound.")
    call["fun"] = call["func"]
    bind_arguments(call, "fun")


def _finish_bounded(call: Call, out: dict[str, Any]) -> Any:
    status = int(out["status"])
    flag = {CONVERGED: 0, NOT_CONVERGED: 1, NOT_FINITE: 2}[status]
    if flag and call["disp"]:
        limit = "\nMaximum number of function evaluations exceeded --- increase maxfun argument.\n"
        warn_user(limit if flag == 1 else f"\n{_NAN}", OptimizeWarning)
    return (out["x"], out["fun"], flag, int(out["nfev"])) if call["full_output"] else out["x"]


def _bounded_jax(call: Call, out: dict[str, Any]) -> Any:
    flag = -out["status"] // 2 + (out["status"] == NOT_FINITE)
    return (out["x"], out["fun"], flag, out["nfev"]) if call["full_output"] else out["x"]


@implements(
    "scipy.optimize.fminbound",
    callables={"fun": _example},
    **_SHARED,
    prepare=_prepare_bounded,
    finish=_finish_bounded,
    finish_jax=_bounded_jax,
    examples=lambda: [
        Example((_bowl, 0.0, 4.0), {"args": (np.float64(1.5),), "xtol": 1e-9}, float32=False, **_COMPARE)
    ],
    note="disp above 1.",
)
def fminbound(fun, p, q, r, args, xtol, maxiter, method, searching):
    """Minimise a scalar function between bounds. See `minimize_scalar` for derivatives and the JAX world.

    References
    ----------
    G. E. Forsythe, M. A. Malcolm, C. B. Moler, "Computer Methods for Mathematical Computations", 1977.

    Examples
    --------
    >>> from sci.optimize import fminbound
    >>> round(float(fminbound(lambda x: (x - 1) ** 2, 0, 3)), 6)
    1.0
    """
    return _minimise(fun, p, q, r, args, xtol, maxiter, method, searching)


def _prepare_bracket(call: Call) -> None:
    need_callable(call, "func")
    call["p"], call["q"] = _real(call, "xa", call["xa"]), _real(call, "xb", call["xb"])
    call["fun"] = call["func"]
    bind_arguments(call, "fun")


def _finish_bracket(call: Call, out: dict[str, Any]) -> Any:
    status = int(out["status"])
    if status == NOT_CONVERGED:
        raise RuntimeError(_LIMIT)
    found = (*out["points"], *out["f_points"], int(out["nfev"]))
    if status == BAD_INPUT:
        error = BracketError(_NO_BRACKET)
        error.data = found
        raise error
    return found


@implements(
    "scipy.optimize.bracket",
    callables={"fun": _example},
    trees=("args",),
    dtypes={"p": "float", "q": "float", "args": "keep", "maxiter": "keep"},
    prepare=_prepare_bracket,
    finish=_finish_bracket,
    finish_jax=lambda call, out: (*out["points"], *out["f_points"], out["nfev"]),
    examples=lambda: [Example((_bowl,), {"args": (np.float64(1.5),)}, vmap=("args",), output=lambda r: r[:6])],
    grad=False,
)
def bracket(fun, p, q, args, grow_limit, maxiter):
    """Find three points that enclose a minimum of a scalar function.

    With JAX arrays a search that found none shows in its points only: the middle value is not the least.

    References
    ----------
    W. H. Press et al., "Numerical Recipes", section 10.1.

    Examples
    --------
    >>> from sci.optimize import bracket
    >>> xa, xb, xc, fa, fb, fc, calls = bracket(lambda x: (x - 9) ** 2)
    >>> bool(fb < fa and fb < fc)
    True
    """

    def value(x, *a):
        return as_array(fun(x, *a))

    found = search_bracket.__wrapped__(value, (p, q), args, BracketMinimum(grow_limit, maxiter))
    points, values = jnp.stack([found.xa, found.xb, found.xc]), jnp.stack([found.fa, found.fb, found.fc])
    return {"points": points, "f_points": values, "nfev": found.nfev, "status": found.status}
