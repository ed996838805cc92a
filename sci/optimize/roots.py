"""`root` and `fsolve`."""

from __future__ import annotations

import functools
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from scipy.optimize import OptimizeResult, OptimizeWarning

from sci.bridge import Call, Example, HostRoute, Reason, as_array, implements, warn_user
from sci.bridge.worlds import is_jax
from sci.optimize._shared import (
    bind_arguments,
    example_point,
    flat_start,
    need_callable,
    unknown_options,
    users,
    vector_function,
)
from sci.optimize.leastsq import covariance, minpack_info, minpack_message, run_lm
from sci.optimize.quasi_newton import MESSAGES, METHODS, TERMINATION, shaped_start, spectral, with_method
from solvers.least_squares import LM
from solvers.roots import Hybr
from solvers.roots import root as engine

__all__ = ["fsolve", "root"]

_OPTIONS = frozenset(["col_deriv", "xtol", "maxfev", "band", "eps", "factor", "diag"])
_OPTIONS_LM = frozenset(["col_deriv", "xtol", "ftol", "gtol", "maxiter", "eps", "factor", "diag"])
_XTOL = 1.49012e-8


def _message(status: int, call: Call) -> str:
    return {
        1: "The solution converged.",
        2: f"The number of calls to function has reached maxfev = {call['maxfev']}.",
        3: f"xtol={call['xtol']:f} is too small, no further improvement in the approximate\n solution is possible.",
        4: "The iteration is not making good progress, as measured by the \n improvement from the last five "
        "Jacobian evaluations.",
        5: "The iteration is not making good progress, as measured by the \n improvement from the last ten iterations.",
    }[status]


def _prepare_hybr(call: Call, fun: str, jac: str) -> None:
    """What both functions share, once their options are entries of `call`."""
    need_callable(call, fun)
    flat_start(call)
    call["fun"], call["jac"] = call[fun], call[jac]
    bind_arguments(call, "fun", "jac")
    n = call["x0"].size
    if not call["maxfev"]:
        # MINPACK counts the evaluations of its differences; ours has none, and the bound stays generous.
        call["maxfev"] = (100 if call["jac"] is not None else 200) * (n + 1)
    if call["diag"] is not None:
        call["diag"] = _positive(call["diag"], n, call)


def _positive(diag: Any, n: int, call: Call) -> Any:
    if not call.numpy:
        return diag
    diag = np.asarray(diag, float)
    if diag.shape != (n,) or not (diag > 0).all():
        raise HostRoute(Reason.OPTION, "diag is not a vector of positive numbers")
    return diag


def _prepare_root(call: Call) -> None:
    method = call["method"]
    if not isinstance(method, str) or method.lower() not in ("hybr", "lm", "df-sane", *METHODS):
        raise HostRoute(Reason.METHOD, f"method={method!r}")  # SciPy raises
    method = call["method"] = method.lower()
    options = dict(call["options"] or {})
    call["has_value"], call["col_deriv"], call["unused_jac"] = False, False, False
    if method in ("hybr", "lm"):
        _prepare_minpack(call, options)
    else:
        _prepare_without_jacobian(call, options)


def _prepare_minpack(call: Call, options: dict[str, Any]) -> None:
    if call["tol"] is not None:
        options.setdefault("xtol", call["tol"])
    lm = call["method"] == "lm"
    call["unknown"] = unknown_options(options, _OPTIONS_LM if lm else _OPTIONS)
    call["xtol"], call["maxfev"] = options.get("xtol", _XTOL), options.get("maxiter" if lm else "maxfev", 0)
    call["factor"], call["diag"] = options.get("factor", 100.0), options.get("diag")
    call["col_deriv"] = bool(options.get("col_deriv", False))
    call["has_value"] = not callable(call["jac"]) and bool(call["jac"])
    if not callable(call["jac"]):
        call["jac"] = None
    _prepare_hybr(call, "fun", "jac")
    tail = (call["maxfev"], call["factor"], call["diag"])
    if lm:
        call["ftol"], call["gtol"] = options.get("ftol", _XTOL), options.get("gtol", 0.0)
        call["solver"] = LM(call["ftol"], call["xtol"], call["gtol"], *tail, False)
    else:
        call["solver"] = Hybr(call["xtol"], *tail)


def _prepare_without_jacobian(call: Call, options: dict[str, Any]) -> None:
    need_callable(call, "fun")
    call["unused_jac"] = call["jac"] is not None
    call["has_value"] = call["jac"] is True and bool(call["args"])  # as SciPy
    call["jac"] = None
    options["callback"] = call["callback"]
    if call["method"] == "df-sane":
        if call["tol"] is not None:
            options.setdefault("ftol", call["tol"])
        call["solver"] = spectral(options)
    else:
        if call["tol"] is not None:
            for name in ("xtol", "xatol", "ftol", "fatol"):
                options.setdefault(name, call["tol"] if name == "xtol" else np.inf)
        inner = dict(options.pop("jac_options", None) or {})
        for theirs, ours in TERMINATION.items():
            if theirs in options:
                inner[ours] = options.pop(theirs)
        for name in ("line_search", "tol_norm", "disp", "callback"):
            if name in options:
                inner[name] = options.pop(name)
        shaped_start(call, "x0")
        call["solver"] = with_method(call["method"], inner, call["x0"].size)
        if inner:
            raise HostRoute(Reason.OPTION, f"jac_options with {next(iter(inner))!r}")  # SciPy raises
    call["unknown"] = unknown_options(options, frozenset())
    shaped_start(call, "x0")
    if call.numpy and any(np.iscomplexobj(leaf) for leaf in jax.tree.leaves(call["args"])):
        raise HostRoute(Reason.DTYPE, "complex args, with which fun is complex")
    bind_arguments(call, "fun")


def _validate_root(call: Call) -> None:
    if call["unknown"]:
        warn_user(call["unknown"], OptimizeWarning)
    if call["callback"] is not None:
        warn_user(f"Method {call['method']} does not accept callback.", RuntimeWarning)
    if call["unused_jac"]:
        warn_user(f"Method {call['method']} does not use the jacobian (jac).", RuntimeWarning)


@functools.lru_cache(64)
def _triangle(n: int) -> tuple[np.ndarray, np.ndarray]:
    return np.triu_indices(n)  # tens of microseconds, as much as the rest of the result


def _factors(out: dict[str, Any]) -> dict[str, np.ndarray]:
    """MINPACK's description of the last Jacobian model: ``fjac``, ``r``, ``qtf``."""
    model = out["model"]
    n = len(model)
    return {"fjac": model[:, n:-1].copy(), "r": model[_triangle(n)], "qtf": model[:, -1].copy()}


def _finish_root(call: Call, out: dict[str, Any]) -> OptimizeResult:
    if call["method"] == "lm":
        return _finish_lm(call, out)
    if call["method"] != "hybr":
        return _finish_without_jacobian(call, out)
    status = int(out["status"])
    result = OptimizeResult(
        x=out["x"],
        success=bool(out["success"]),
        status=status,
        method="hybr",
        nfev=int(out["nfev"]),
        njev=int(out["njev"]),
        **_factors(out),
        fun=out["fun"],
        message=_message(status, call),
    )
    if not (callable(call["jac"]) or call["has_value"]):
        del result["njev"]  # as SciPy, without a Jacobian of the user's
    return result


def _finish_lm(call: Call, out: dict[str, Any]) -> OptimizeResult:
    status = int(out["status"])
    if status == 0:
        raise TypeError("Improper input parameters: the residuals are not finite at x0.")
    inverse, q, r, pivots = covariance(out["jac"])
    success = status in (1, 2, 3, 4)
    result = OptimizeResult(
        x=out["x"],
        message=minpack_message(status, call),
        status=status,
        success=success,
        cov_x=inverse if success else None,
        fun=out["fun"],
        method="lm",
    )
    info = minpack_info(out, q, r, pivots)
    result.update({name: info[name] for name in ("nfev", "fjac", "ipvt", "qtf")})
    if call["jac"] is not None or call["has_value"]:
        result["njev"] = int(out["njev"])
    if success and not _is_root(out, call["xtol"]):
        result.success, result.message = False, "The sum of squares has a minimum here that is not a root."
    return result


def _is_root(out: dict[str, Any], xtol: Any) -> Any:
    """Whether a square system is solved, as far as its slopes allow; other systems have no test but the minimum's."""
    jac, lib = out["jac"], jnp if is_jax(out["jac"]) else np
    if jac.shape[0] != jac.shape[1]:
        return True
    scale = lib.max(lib.abs(jac)) * lib.maximum(1.0, lib.max(lib.abs(out["x"])))
    return lib.max(lib.abs(out["fun"])) <= lib.maximum(1e-4, xtol) * scale


def _finish_without_jacobian(call: Call, out: dict[str, Any]) -> OptimizeResult:
    status, nit, nfev = (int(out[name]) for name in ("status", "nit", "nfev"))
    success = bool(out["success"])
    if call["method"] == "df-sane":
        message = "successful convergence" if success else "too many function evaluations required"
        return OptimizeResult(
            x=out["x"], success=success, message=message, fun=out["fun"], nfev=nfev, nit=nit, method="df-sane"
        )
    if status == 4:
        raise ValueError("Jacobian inversion yielded zero vector. This indicates a bug in the Jacobian approximation.")
    return OptimizeResult(
        x=out["x"], method=call["method"], nit=nit, fun=out["fun"], status=min(status, 2), success=success,
        message=MESSAGES[status], nfev=nfev,
    )  # fmt: skip


def _finish_root_jax(call: Call, out: dict[str, Any]) -> OptimizeResult:
    if call["method"] == "lm":
        success = out["success"] & _is_root(out, call["xtol"])
        whole = ("x", "fun", "jac", "nfev", "njev", "nit", "status")
        return OptimizeResult({name: out[name] for name in whole}, success=success)
    if call["method"] != "hybr":
        names = ("x", "fun", "nfev", "nit", "status", "success")
        return OptimizeResult({name: out[name] for name in names})
    model = out.pop("model")
    n = len(model)
    return OptimizeResult(out, jac=model[:, n:-1].T @ model[:, :n])


@users
def _circle(x: Any, radius: Any) -> Any:
    return [x[0] ** 2 + x[1] ** 2 - radius[0] ** 2, x[0] - radius[1] * x[1]]


_RADIUS = np.array([1.5, 0.7])
_TIGHT: dict[str, Any] = {"rtol": 1e-7, "atol": 1e-8, "grad_rtol": 1e-4}


def _example_function(args: tuple[Any, ...], kwargs: dict[str, Any], output: Any) -> list[Example]:
    return [Example(args=args, kwargs=kwargs, grad=("args",), vmap=("args", "x0"), output=output, **_TIGHT)]


def _body(fun: Any, x0: Any, args: Any, jac: Any, solver: Any, has_value: bool, col_deriv: bool) -> dict[str, Any]:
    """Run the engine on SciPy's conventions of values, shapes and transposed Jacobians."""
    value = (lambda x, *a: fun(x, *a)[0]) if has_value else fun
    derivative = None
    if has_value or jac is not None:
        given = (lambda x, *a: fun(x, *a)[1]) if has_value else jac

        def derivative(x, *a):
            matrix = as_array(given(x, *a))
            if not isinstance(solver, LM):
                matrix = matrix.reshape(x.size, x.size)
            return matrix.T if col_deriv else matrix

    if isinstance(solver, LM):
        return run_lm(value, x0, args, derivative, solver)
    if isinstance(solver, Hybr):
        value = vector_function(value, "fsolve", "func", lambda x: x.shape)
        result = engine.__wrapped__(value, x0, args, solver, jac=derivative)
    else:
        result = engine.__wrapped__(lambda x, *a: as_array(value(x, *a)), x0, args, solver)
    names = ("x", "fun", "model", "nfev", "njev", "nit", "status", "success")
    return {name: getattr(result, name) for name in names}


@implements(
    "scipy.optimize.root",
    callables={"fun": example_point, "jac": example_point},
    trees=("args", "solver"),
    dtypes={"x0": "float", "args": "keep", "solver": "keep"},
    static=("has_value", "col_deriv"),
    prepare=_prepare_root,
    validate=_validate_root,
    finish=_finish_root,
    finish_jax=_finish_root_jax,
    examples=lambda: _example_function((_circle, np.array([1.0, 1.0]), _RADIUS), {"tol": 1e-12}, lambda r: r["x"]),
    note="callbacks, disp, line_search other than armijo (df-sane: cruz), tol_norm, fnorm, complex starts.",
)
def root(fun, x0, args, jac, solver, has_value, col_deriv):
    """Find a root of a system of equations.

    All methods of SciPy are native: hybr, lm, broyden1, broyden2, anderson, linearmixing, diagbroyden,
    excitingmixing, krylov, df-sane. Method lm has success only where a square system's values vanish, and krylov
    multiplies by the exact Jacobian.

    Without `jac` the exact Jacobian of `fun` is used, so ``nfev`` counts no evaluations for differences. Where
    the trust region collapses at a point that is no root, the status is 4 although MINPACK may claim success.

    The result's ``x`` is differentiable with respect to `args` and what `fun` closes over, by the implicit
    function theorem, to any order. With JAX arrays the result is an `OptimizeResult` of arrays: ``x``, ``fun``,
    ``jac`` (the last Jacobian model), ``nfev``, ``njev``, ``nit``, ``status``, ``success``.

    References
    ----------
    M. J. D. Powell, "A hybrid method for nonlinear equations", 1970.

    Examples
    --------
    >>> import numpy as np
    >>> from sci.optimize import root
    >>> root(lambda x: [x[0] ** 2 - 4, x[1] - x[0]], np.ones(2)).x.round(6).tolist()
    [2.0, 2.0]
    """
    return _body(fun, x0, args, jac, solver, has_value, col_deriv)


def _prepare_fsolve(call: Call) -> None:
    call["has_value"] = False
    call["col_deriv"] = bool(call["col_deriv"])
    _prepare_hybr(call, "func", "fprime")


def _finish_fsolve(call: Call, out: dict[str, Any]) -> Any:
    status = int(out["status"])
    message = _message(status, call)
    if call["full_output"]:
        info = {"nfev": int(out["nfev"]), **_factors(out), "fvec": out["fun"]}
        if call["jac"] is not None:
            info["njev"] = int(out["njev"])
        return out["x"], info, status, message
    if status != 1:
        warn_user(message, RuntimeWarning)
    return out["x"]


def _finish_fsolve_jax(call: Call, out: dict[str, Any]) -> Any:
    if call["full_output"]:
        return out["x"], {"nfev": out["nfev"], "njev": out["njev"], "fvec": out["fun"]}, out["status"], None
    return out["x"]


@implements(
    "scipy.optimize.fsolve",
    callables={"fun": example_point, "jac": example_point},
    trees=("args",),
    dtypes={"x0": "float", "args": "keep", "maxfev": "keep"},
    static=("has_value", "col_deriv"),
    prepare=_prepare_fsolve,
    finish=_finish_fsolve,
    finish_jax=_finish_fsolve_jax,
    examples=lambda: _example_function((_circle, np.array([1.0, 1.0]), _RADIUS), {"xtol": 1e-12}, None),
)
def fsolve(fun, x0, args, jac, xtol, maxfev, factor, diag, has_value, col_deriv):
    """Find the roots of a function (MINPACK's hybrid method).

    Without `fprime` the exact Jacobian of `func` is used; `band` and `epsfcn` have no meaning then.
    The root is differentiable with respect to `args` and what `func` closes over. With JAX arrays a failure
    shows in the status (``full_output=True``) only.

    References
    ----------
    M. J. D. Powell, "A hybrid method for nonlinear equations", 1970.

    Examples
    --------
    >>> from sci.optimize import fsolve
    >>> fsolve(lambda x: x**2 - 2, 1.0).round(6).tolist()
    [1.414214]
    """
    return _body(fun, x0, args, jac, Hybr(xtol, maxfev, factor, diag), has_value, col_deriv)
