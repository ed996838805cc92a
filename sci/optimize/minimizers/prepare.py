"""The arguments of `minimize` before anything is compiled: method, options, functions, bounds."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp
import numpy as np
from scipy.optimize import OptimizeWarning
from scipy.sparse import issparse

from sci.bridge import Call, HostRoute, Reason, warn_user
from sci.bridge.worlds import is_jax
from sci.optimize._shared import bind_arguments, need_callable, unknown_options, users
from sci.optimize.minimizers.bounds import two_vectors
from sci.optimize.minimizers.constraints import count, split
from sci.optimize.minimizers.methods import HOST_VALUES, METHODS, NEVER, OPTIMISTIX, Method

__all__ = ["most_iterations", "prepare", "validate"]

_FIRST_CAPACITY = 256
_DENSE = 200  # variables up to which a sparse Hessian is replaced by a dense one
_WITHOUT_PATH = ("L-BFGS-B", "SLSQP", "TNC", "COBYLA")


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
    if name in HOST_VALUES:
        _prepare_host(call, name)
        return
    method = METHODS[name]
    call["bounds"] = two_vectors(call["bounds"], call["x0"]) if "bounds" in method.uses else None
    if call["bounds"] is not None and call.numpy and np.all(call["bounds"][0] == call["bounds"][1]):
        raise HostRoute(Reason.OPTION, "all variables fixed by bounds")
    call["method"] = name
    call["eq"], call["ineq"], call["eq_jac"], call["ineq_jac"] = split(
        call["constraints"] if "constraints" in method.uses else None, warns=name == "slsqp"
    )
    if "jac" not in method.uses:
        call["eq_jac"] = call["ineq_jac"] = None
    _functions(call, method)
    _options(call, method)
    call["capacity"] = min(_FIRST_CAPACITY, most_iterations(call) + 1) if call["return_all"] else 0
    call["pause"] = call["state"] = None
    call["keep_state"] = call.numpy and name != OPTIMISTIX  # one compiled body, with callbacks and without


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
    if _of_optimistix(method):
        if constrained or call["bounds"] is not None or call["callback"] is not None or call["options"]:
            raise ValueError("a minimiser of optimistix takes no bounds, constraints, callback or options; its own "
                             "attributes are its tolerances")  # fmt: skip
        call["solver"] = method
        return OPTIMISTIX
    if not isinstance(method, str) or method.lower() not in METHODS.keys() | HOST_VALUES:
        raise HostRoute(Reason.METHOD, f"method={getattr(method, '__name__', method)!r}")
    known = METHODS.get(method.lower())
    if known is not None and constrained and "constraints" not in known.uses:
        raise HostRoute(Reason.OPTION, f"constraints with method={method!r}")
    if method.lower() in HOST_VALUES and not call.numpy:
        raise HostRoute(Reason.METHOD, f"method={method!r}")
    return method.lower()


def _of_optimistix(method: Any) -> bool:
    """Whether `method` is a minimiser of optimistix, without importing that."""
    return any(
        c.__name__ == "AbstractMinimiser" and c.__module__.startswith("optimistix") for c in type(method).__mro__
    )


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
    if method.title == "trust-constr" and _is_sparse(call, extra):
        call["hess"] = None
    bind_arguments(call, "fun", "jac", "hess")
    if extra and not call["args"] and call["hessp"] is not None:
        call["hessp"] = _bound_product(call["hessp"], extra)


def _is_sparse(call: Call, extra: tuple[Any, ...]) -> bool:
    """Whether the user's Hessian is a sparse matrix: for few variables the exact dense one does as well.

    Sparse matrices cannot be traced; with many variables SciPy's sparse factorisations are the better way.
    """
    if call["hess"] is None or not call.numpy or call["x0"].size > _DENSE:
        return False
    return bool(issparse(call["hess"](call["x0"].copy(), *extra)))


def _bound_product(function: Any, extra: tuple[Any, ...]) -> Any:
    @users
    def bound(x: Any, p: Any) -> Any:
        return function(x, p, *extra)

    return bound


def _unused(call: Call, method: Method) -> list[tuple[str, type[Warning]]]:
    """SciPy's warnings about arguments that the method does not take."""
    found: list[tuple[str, type[Warning]]] = []
    if "jac" not in method.uses and call["original"]["jac"]:
        found.append((f"Method {method.title} does not use gradient information (jac).", RuntimeWarning))
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
    _limits(settings, method.most * call["x0"].size)
    if settings.get("hess_inv0") is not None and call.numpy:
        settings["hess_inv0"] = _positive_definite(settings["hess_inv0"])
    if settings.get("initial_simplex") is not None:
        settings["initial_simplex"] = _first_simplex(settings["initial_simplex"], call["x0"].size)
    if method.title == "COBYLA":
        if settings["catol"] is None:
            settings["catol"] = np.finfo(float).eps ** 0.5
        if options.get("disp") not in (None, 0, 1, 2, 3):
            raise ValueError(f"disp argument to minimize must be 0, 1, 2, or 3, received {options['disp']}")
    if settings.get("scale") is not None:
        settings["scale"] = _scales(settings["scale"], call["x0"])
    if settings.get("direc") is not None:
        settings["direc"] = _first_directions(settings["direc"], call["x0"].size)
    call["settings"] = settings
    if method.title == "optimistix":
        call["fixed"] = (("solver", call["solver"]),)
    else:
        call["fixed"] = _constants(options, method)
    call["disp"] = bool(options.get("disp")) and method.title != "L-BFGS-B"
    call["return_all"] = bool(options.get("return_all")) and method.title not in _WITHOUT_PATH
    if call.numpy:
        _check_options(settings, options)


def _constants(options: dict[str, Any], method: Method) -> tuple[tuple[str, Any], ...]:
    """The options that are constants of the compiled code."""
    return tuple((ours, type(d)(options.get(theirs, d))) for theirs, (ours, d) in method.fixed.items())


def _limits(settings: dict[str, Any], usual: int) -> None:
    """The most iterations and evaluations; one that is given makes the other unlimited, as in SciPy."""
    if not {"maxiter", "maxfev"} <= settings.keys():
        if settings.get("maxiter", usual) is None:
            settings["maxiter"] = usual
        return
    given = {name: settings[name] for name in ("maxiter", "maxfev")}
    for name, other in (("maxiter", "maxfev"), ("maxfev", "maxiter")):
        if given[name] is None:
            unlimited = given[other] is not None and given[other] != np.inf
            settings[name] = np.inf if unlimited else usual


def _check_options(settings: dict[str, Any], options: dict[str, Any]) -> None:
    if "c1" in settings and not 0 < settings["c1"] < settings["c2"] < 1:
        raise ValueError("'c1' and 'c2' do not satisfy'0 < c1 < c2 < 1'.")
    if "maxls" in settings and not settings["maxls"] > 0:
        raise ValueError("maxls must be positive.")
    if "max_radius" in settings:
        if not 0 <= settings["eta"] < 0.25:
            raise Exception("invalid acceptance stringency")  # SciPy's class
        if settings["max_radius"] <= 0:
            raise Exception("the max trust radius must be positive")
        if settings["initial_radius"] <= 0:
            raise ValueError("the initial trust radius must be positive")
        if settings["initial_radius"] >= settings["max_radius"]:
            raise ValueError("the initial trust radius must be less than the max trust radius")


def _first_simplex(simplex: Any, n: int) -> Any:
    """The option `initial_simplex`, of shape (n + 1, n)."""
    if not is_jax(simplex):
        simplex = np.atleast_2d(simplex).astype(float)
    if simplex.ndim != 2 or simplex.shape[0] != simplex.shape[1] + 1:
        raise ValueError(f"`initial_simplex` should be an array of shape (N+1,N), got {simplex.shape}")
    if simplex.shape[1] != n:
        raise ValueError(f"Size of `initial_simplex` {simplex.shape} is not consistent with `x0` of {n} numbers")
    return simplex


def _scales(scale: Any, x0: Any) -> Any:
    """The option `scale` of TNC, one number for each variable."""
    scale = scale if is_jax(scale) else np.asarray(scale, float)
    if scale.shape != x0.shape:
        raise ValueError(f"scale has shape {scale.shape}, x0 has shape {x0.shape}; allowed is one scale per variable")
    return scale


def _first_directions(direc: Any, n: int) -> Any:
    """The option `direc`, of shape (n, n)."""
    if is_jax(direc):
        return direc
    direc = np.asarray(direc, float)
    if direc.shape != (n, n):
        raise HostRoute(Reason.OPTION, f"direc of shape {direc.shape} for {n} variables")
    if np.linalg.matrix_rank(direc) != n:
        warn_user("direc input is not full rank, some parameters may not be optimized", OptimizeWarning)
    return direc


def _positive_definite(matrix: Any) -> Any:
    matrix = np.asarray(matrix, float)
    try:
        if not np.allclose(matrix, matrix.T, rtol=0, atol=0):
            raise np.linalg.LinAlgError
        np.linalg.cholesky(matrix)
    except (np.linalg.LinAlgError, ValueError):
        raise ValueError("'hess_inv0' matrix isn't positive definite.") from None
    return matrix


def most_iterations(call: Call) -> int:
    return int(min(call["settings"].get("maxiter", NEVER), NEVER - 2))


def _prepare_host(call: Call, name: str) -> None:
    """SciPy's algorithm: only the objective is ours."""
    call["has_value"] = call["jac"] is True
    call["method"], call["host_method"] = f"values of {name}", name
    for entry in ("jac", "hess", "hessp", "bounds", "pause", "state", "eq", "ineq", "eq_jac", "ineq_jac"):
        call[entry] = None
    bind_arguments(call, "fun")
    call["settings"], call["fixed"], call["capacity"], call["keep_state"] = {}, (), 0, False
    call["warnings"], call["unknown"] = [], ""


def validate(call: Call) -> None:
    """Count the constraints; warn as SciPy does."""
    method = METHODS.get(call["method"])
    if method is not None and "constraints" in method.uses:
        call["fixed"] = (("equalities", count(call["eq"], call)), ("inequalities", count(call["ineq"], call)))
        if method.title == "trust-constr":
            equalities, n = dict(call["fixed"])["equalities"], call["x0"].size
            by_svd = (call["options"] or {}).get("factorization_method") == "SVDFactorization"
            if equalities > n and not by_svd:
                raise ValueError(
                    f"{equalities} equalities of {n} variables are more equality constraints than independent "
                    "variables, which only factorization_method='SVDFactorization' allows"
                )
            call["fixed"] += (("bounded", call["bounds"] is not None),)
    bounds = call["bounds"]
    told = call.numpy and call["method"] in ("nelder-mead", "powell") and bounds is not None
    if told and np.any((call["x0"] < bounds[0]) | (call["x0"] > bounds[1])):
        warn_user("Initial guess is not within the specified bounds", OptimizeWarning)
    if call["unknown"]:
        warn_user(call["unknown"], OptimizeWarning)
    for text, category in call["warnings"]:
        warn_user(text, category)
