"""The arguments of `minimize` before anything is compiled: method, options, functions, bounds."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp
import numpy as np
from scipy.optimize import OptimizeWarning

from sci.bridge import Call, HostRoute, Reason
from sci.bridge.worlds import is_jax
from sci.optimize._shared import bind_arguments, need_callable, unknown_options, users, warn_user
from sci.optimize.minimizers.bounds import two_vectors
from sci.optimize.minimizers.constraints import count, split
from sci.optimize.minimizers.methods import HOST_DERIVATIVES, METHODS, Method

__all__ = ["prepare", "validate"]

_FIRST_CAPACITY = 256
_WITHOUT_PATH = ("L-BFGS-B", "SLSQP")


def prepare(call: Call) -> None:
    """Normalise a call; what SciPy alone can do goes there."""
    need_callable(call, "fun")
    call["x0"] = _start(call["x0"])
    name = _method_name(call)
    if call["callback"] is not None and not call.numpy:
        raise HostRoute(Reason.CALLBACK, "a callback in the JAX world")
    if call["x0"].size == 0:
        raise HostRoute(Reason.SHAPE, "an empty start")
    call["original"] = dict(call)
    if name in HOST_DERIVATIVES:
        _prepare_host(call, name)
        return
    method = METHODS[name]
    call["bounds"] = two_vectors(call["bounds"], call["x0"]) if "bounds" in method.uses else None
    if call["bounds"] is not None and call.numpy and np.all(call["bounds"][0] == call["bounds"][1]):
        raise HostRoute(Reason.OPTION, "all variables fixed by bounds")
    call["method"] = name
    call["eq"], call["ineq"] = split(call["constraints"]) if "constraints" in method.uses else (None, None)
    _functions(call, method)
    _options(call, method)
    call["capacity"] = min(_FIRST_CAPACITY, _most_iterations(call) + 1) if call["return_all"] else 0
    call["pause"] = call["state"] = None
    call["keep_state"] = call.numpy  # one compiled body, with callbacks and without


def _start(x0: Any) -> Any:
    """The start as SciPy takes it: a vector of floating numbers."""
    if is_jax(x0):
        x0 = jnp.atleast_1d(jnp.asarray(x0))
    else:
        x0 = np.atleast_1d(np.asarray(x0))
        # Also from single precision: SciPy's integer identity matrix makes its iterates double after one step.
        if x0.dtype.kind in "iuf":
            x0 = x0.astype(float)
    if x0.ndim != 1:
        raise ValueError("'x0' must only have one dimension.")
    return x0


def _constrained(call: Call) -> bool:
    constraints = call["constraints"]
    return not (constraints is None or (isinstance(constraints, (tuple, list)) and len(constraints) == 0))


def _method_name(call: Call) -> str:
    """The method's name in lower case, if we have it; SciPy's choice where none is given."""
    method, constrained = call["method"], _constrained(call)
    if method is None:
        method = "SLSQP" if constrained else "L-BFGS-B" if call["bounds"] is not None else "BFGS"
    if not isinstance(method, str) or method.lower() not in METHODS | HOST_DERIVATIVES:
        raise HostRoute(Reason.METHOD, f"method={getattr(method, '__name__', method)!r}")
    known = METHODS.get(method.lower())
    if known is not None and constrained and "constraints" not in known.uses:
        raise HostRoute(Reason.OPTION, f"constraints with method={method!r}")
    if method.lower() in HOST_DERIVATIVES and not call.numpy:
        raise HostRoute(Reason.METHOD, f"method={method!r}")
    return method.lower()


def _functions(call: Call, method: Method) -> None:
    """Which of the user's functions the method calls, with extra arguments bound where they cannot be traced."""
    jac = call["jac"]
    call["has_value"] = jac is True
    call["jac"] = jac if callable(jac) and "jac" in method.uses else None
    call["warnings"] = _unused(call, method)
    for name in ("hess", "hessp"):
        if not callable(call[name]) or name not in method.uses:
            call[name] = None
    if call["hess"] is not None:
        call["hessp"] = None  # as SciPy: the matrix comes first
    extra = call["args"] if isinstance(call["args"], tuple) else (call["args"],)
    bind_arguments(call, "fun", "jac", "hess")
    if extra and not call["args"] and call["hessp"] is not None:
        call["hessp"] = _bound_product(call["hessp"], extra)


def _bound_product(function: Any, extra: tuple[Any, ...]) -> Any:
    @users
    def bound(x: Any, p: Any) -> Any:
        return function(x, p, *extra)

    return bound


def _unused(call: Call, method: Method) -> list[tuple[str, type[Warning]]]:
    """SciPy's warnings about arguments that the method does not take."""
    found: list[tuple[str, type[Warning]]] = []
    for name, words in (
        ("hess", "Hessian information (hess)"),
        ("hessp", "Hessian-vector product information (hessp)"),
    ):
        if call[name] is not None and name not in method.uses:
            found.append((f"Method {method.title} does not use {words}.", RuntimeWarning))
    if call["original"]["bounds"] is not None and "bounds" not in method.uses:
        found.append((f"Method {method.title} cannot handle bounds.", RuntimeWarning))
    if (call["options"] or {}).get("return_all", False) and method.title in _WITHOUT_PATH:
        found.append((f"Method {method.title} does not support the return_all option.", RuntimeWarning))
    return found


def _options(call: Call, method: Method) -> None:
    """SciPy's options as the engine's parameters."""
    options = dict(call["options"] or {})
    if call["tol"] is not None:
        for name in method.tol:
            options.setdefault(name, call["tol"])
    known = frozenset((*method.options, *method.fixed, *method.other))
    call["unknown"] = unknown_options(options, known)
    if method.title == "L-BFGS-B" and not {"disp", "iprint"}.isdisjoint(options):
        text = (
            "The `disp` and `iprint` options of the L-BFGS-B solver are deprecated and will be removed in SciPy 1.18.0."
        )
        call["warnings"].append((f"scipy.optimize: {text}", DeprecationWarning))
    settings = {ours: options.get(theirs, default) for theirs, (ours, default) in method.options.items()}
    if settings["maxiter"] is None:
        settings["maxiter"] = 200 * call["x0"].size
    if settings.get("hess_inv0") is not None and call.numpy:
        settings["hess_inv0"] = _positive_definite(settings["hess_inv0"])
    call["settings"] = settings
    call["fixed"] = tuple((ours, type(d)(options.get(theirs, d))) for theirs, (ours, d) in method.fixed.items())
    call["disp"] = bool(options.get("disp")) and method.title != "L-BFGS-B"
    call["return_all"] = bool(options.get("return_all")) and method.title not in _WITHOUT_PATH
    if call.numpy:
        _check_options(settings, options)


def _check_options(settings: dict[str, Any], options: dict[str, Any]) -> None:
    if "c1" in settings and not 0 < settings["c1"] < settings["c2"] < 1:
        raise ValueError("'c1' and 'c2' do not satisfy'0 < c1 < c2 < 1'.")
    if "maxls" in settings and not settings["maxls"] > 0:
        raise ValueError("maxls must be positive.")
    if "eta" in settings:
        if not 0 <= settings["eta"] < 0.25:
            raise Exception("invalid acceptance stringency")  # SciPy's class
        if settings["max_radius"] <= 0:
            raise Exception("the max trust radius must be positive")
        if settings["initial_radius"] <= 0:
            raise ValueError("the initial trust radius must be positive")
        if settings["initial_radius"] >= settings["max_radius"]:
            raise ValueError("the initial trust radius must be less than the max trust radius")


def _positive_definite(matrix: Any) -> Any:
    matrix = np.asarray(matrix, float)
    try:
        if not np.allclose(matrix, matrix.T, rtol=0, atol=0):
            raise np.linalg.LinAlgError
        np.linalg.cholesky(matrix)
    except (np.linalg.LinAlgError, ValueError):
        raise ValueError("'hess_inv0' matrix isn't positive definite.") from None
    return matrix


def _most_iterations(call: Call) -> int:
    return int(call["settings"]["maxiter"])


def _prepare_host(call: Call, name: str) -> None:
    """SciPy's algorithm: only the objective is ours, with its exact derivatives."""
    jac, hess = call["jac"], call["hess"]
    wanted = HOST_DERIVATIVES[name]
    # What the user gives, or a differencing scheme that SciPy is to apply, stays as it is.
    if callable(jac) or jac is True or ("hess" not in wanted and jac is not None):
        raise HostRoute(Reason.METHOD, f"method={name!r}")
    call["derive_hess"] = "hess" in wanted and hess is None and call["hessp"] is None
    call["method"], call["has_value"] = f"values of {name}", False
    for entry in ("jac", "hess", "hessp", "bounds", "pause", "state", "eq", "ineq"):
        call[entry] = None
    bind_arguments(call, "fun")
    call["settings"], call["fixed"], call["capacity"], call["keep_state"] = {}, (), 0, False
    call["warnings"], call["unknown"] = [], ""


def validate(call: Call) -> None:
    """Count the constraints; warn as SciPy does."""
    if call["method"] == "slsqp":
        call["fixed"] = (("equalities", count(call["eq"], call)), ("inequalities", count(call["ineq"], call)))
    if call["unknown"]:
        warn_user(call["unknown"], OptimizeWarning)
    for text, category in call["warnings"]:
        warn_user(text, category)
