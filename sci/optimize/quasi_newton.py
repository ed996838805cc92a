"""Quasi-Newton and spectral methods for systems: `broyden1`, ..., `newton_krylov`, and those methods of `root`."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp
import numpy as np
import scipy.optimize

from sci.bridge import Call, Example, HostRoute, Reason, as_array, implements
from sci.bridge.worlds import is_jax
from sci.optimize._shared import need_callable, users
from solvers.roots import DFSane, QuasiNewton
from solvers.roots import root as engine
from solvers.roots.approximations import (
    Anderson,
    Broyden1,
    Broyden2,
    DiagBroyden,
    ExcitingMixing,
    Krylov,
    LinearMixing,
)

__all__ = [
    "METHODS", "MESSAGES", "anderson", "broyden1", "broyden2", "diagbroyden", "excitingmixing", "linearmixing",
    "newton_krylov", "shaped_start", "spectral", "with_method",
]  # fmt: skip

METHODS = ("broyden1", "broyden2", "anderson", "linearmixing", "diagbroyden", "excitingmixing", "krylov")
MESSAGES = {
    1: "A solution was found at the specified tolerance.",
    2: "The maximum number of iterations allowed has been reached.",
    3: "The function is not finite at the last point.",
}
_TOLERANCE = float(np.finfo(float).eps ** (1 / 3))
#: Names of the options of the iteration in `root`, and in the functions.
TERMINATION = {"nit": "iter", "maxiter": "maxiter", "fatol": "f_tol", "ftol": "f_rtol", "xatol": "x_tol",
               "xtol": "x_rtol"}  # fmt: skip


def shaped_start(call: Call, name: str) -> None:
    """The start as doubles, in the shape that the function is given."""
    value = call[name]
    if is_jax(value):
        call[name] = jnp.asarray(value)
        return
    value = np.asarray(value)
    if value.dtype.kind not in "biuf" or value.size == 0:
        raise HostRoute(Reason.DTYPE, f"argument {name!r} has dtype {value.dtype} and shape {value.shape}")
    call[name] = value.astype(float)


def _approximation(method: str, options: dict[str, Any]) -> Any:
    """The approximation of the Jacobian with SciPy's options; what is left in `options` was not known."""
    if method == "krylov":
        kind = options.pop("method", "lgmres")
        inner, outer = options.pop("inner_maxiter", 20), options.pop("outer_k", 10)
        options.pop("rdiff", None)
        if kind not in ("lgmres", "gmres") or options.pop("inner_M", None) is not None:
            raise HostRoute(Reason.OPTION, f"method={kind!r} or inner_M of the Krylov method")
        return Krylov(int(inner) + (int(outer) if kind == "lgmres" else 0))
    alpha = options.pop("alpha", None)
    if method in ("broyden1", "broyden2"):
        reduction, rank = options.pop("reduction_method", "restart"), options.pop("max_rank", None)
        known = reduction if isinstance(reduction, str) else reduction[0]
        if known not in ("restart", "simple", "svd"):
            raise ValueError(f"Unknown rank reduction method '{known}'")
        if rank is not None and np.isfinite(rank) and known != "restart":
            raise HostRoute(Reason.OPTION, f"reduction_method={reduction!r} with max_rank={rank!r}")
        rank = None if rank is None or not np.isfinite(rank) else int(rank)
        return (Broyden1 if method == "broyden1" else Broyden2)(alpha, rank)
    if method == "anderson":
        return Anderson(alpha, options.pop("w0", 0.01), int(options.pop("M", 5)))
    if method == "excitingmixing":
        return ExcitingMixing(alpha, options.pop("alphamax", 1.0))
    return (LinearMixing if method == "linearmixing" else DiagBroyden)(alpha)


def with_method(method: str, options: dict[str, Any], size: int) -> QuasiNewton:
    """The solver of a quasi-Newton method; takes what it knows out of `options`.

    Parameters
    ----------
    method : str
        One of `METHODS`.
    options : dict
        Of the functions' names: f_tol, f_rtol, x_tol, x_rtol, iter, maxiter, line_search, ..., those of the method.
    size : int
        Number of unknowns.
    """
    for name in ("tol_norm", "callback"):
        if options.pop(name, None) is not None:
            raise HostRoute(Reason.CALLBACK if name == "callback" else Reason.OPTION, name)
    for name in ("verbose", "disp"):
        if options.pop(name, False):
            raise HostRoute(Reason.OPTION, f"{name}=True")
    search = options.pop("line_search", "armijo")
    search = "armijo" if search is True else search
    if search not in (None, False, "armijo", "wolfe"):
        raise ValueError("Invalid line search")
    if search == "wolfe":
        raise HostRoute(Reason.OPTION, "line_search='wolfe'")
    fixed, maxiter = options.pop("iter", None), options.pop("maxiter", None)
    if maxiter is None:
        maxiter = 100 * (size + 1) if fixed is None else int(fixed) + 1
    tolerances = [options.pop(name, None) for name in ("f_tol", "f_rtol", "x_tol", "x_rtol")]
    unset = (_TOLERANCE, np.inf, np.inf, np.inf)
    tolerances = [default if value is None else value for value, default in zip(tolerances, unset, strict=True)]
    names = ("f_tol", "f_rtol", "x_tol", "x_rtol")
    return QuasiNewton(
        approximation=_approximation(method, options), maxiter=int(maxiter), fixed=fixed, search=bool(search),
        **dict(zip(names, tolerances, strict=True)),
    )  # fmt: skip


def spectral(options: dict[str, Any]) -> DFSane:
    """The solver of method ``df-sane``; takes what it knows out of `options`."""
    search = options.pop("line_search", "cruz")
    if search not in ("cheng", "cruz"):
        raise ValueError(f"Invalid value {search!r} for 'line_search'")
    if search == "cheng":
        raise HostRoute(Reason.OPTION, "line_search='cheng'")
    for name in ("fnorm", "eta_strategy", "callback"):
        if options.pop(name, None) is not None:
            raise HostRoute(Reason.CALLBACK if name == "callback" else Reason.OPTION, name)
    if options.pop("disp", False):
        raise HostRoute(Reason.OPTION, "disp=True")
    defaults = {"ftol": 1e-8, "fatol": 1e-300, "maxfev": 1000, "sigma_eps": 1e-10, "sigma_0": 1.0, "M": 10}
    given = {name: options.pop(name, default) for name, default in defaults.items()}
    memory = int(given.pop("M"))
    return DFSane(memory=memory, **given)


def _finish(call: Call, out: dict[str, Any]) -> np.ndarray:
    status, x = int(out["status"]), out["x"].astype(call["precision"])
    if status == 4:
        raise ValueError("Jacobian inversion yielded zero vector. This indicates a bug in the Jacobian approximation.")
    if status != 1:
        raise scipy.optimize.NoConvergence(x)
    return x


def _finish_jax(call: Call, out: dict[str, Any]) -> Any:
    return jnp.where(out["status"] == 1, out["x"], jnp.nan)


@users
def _cubic(x: Any) -> Any:
    return np.array([x[0] + 0.5 * (x[0] - x[1]) ** 3 - 1.0, 0.5 * (x[1] - x[0]) ** 3 + x[1]])


@users
def _contraction(x: Any) -> Any:
    return 0.2 * np.cos(x) + np.array([0.3, -0.2]) - x


def _precision(call: Call) -> Any:
    """The dtype of SciPy's iterates: it follows the function's values for a start that is not in double precision."""
    start = np.float64(0) if is_jax(call["xin"]) else np.asarray(call["xin"])
    if start.dtype.kind != "f" or start.dtype.itemsize >= 8:
        return np.dtype(float)
    return np.result_type(start, np.asarray(call["F"](start.astype(start.dtype.newbyteorder("=")))))


def _register(name: str, method: str, function: Any, options: dict[str, Any], summary: str, reference: str) -> Any:
    """Register one of the functions; they differ in the approximation of the Jacobian only."""

    def prepare(call: Call) -> None:
        need_callable(call, "F")
        if call["kw"]:
            raise HostRoute(Reason.OPTION, f"{next(iter(call['kw']))}={next(iter(call['kw'].values()))!r}")
        call["precision"] = _precision(call)
        shaped_start(call, "xin")
        given = {k: v for k, v in call.items() if k not in ("F", "xin", "kw")}
        call["solver"] = with_method(method, given, call["xin"].size)

    native = implements(
        f"scipy.optimize.{name}",
        callables={"F": lambda call: (call["xin"],)},
        trees=("solver",),
        dtypes={"xin": "float", "solver": "keep"},
        prepare=prepare,
        finish=_finish,
        finish_jax=_finish_jax,
        examples=lambda: [
            Example((function, np.array([0.1, 0.2])), options, vmap=("xin",), rtol=1e-6, atol=1e-7, float32=False,
                    # SciPy iterates on NaN to the end; ours stops, with the same exception. Its differences of
                    # Krylov vectors are too coarse from integers and in single precision: no convergence there.
                    skip_odd=("nan", "inf", *(("float32", "int64") if method == "krylov" else ())))
        ],
        note="callback, verbose, tol_norm, line_search='wolfe', complex starts"
        + {"krylov": ", inner methods other than (l)gmres, inner_M.", "broyden1": ", reduction of the rank but by "
           "restart.", "broyden2": ", reduction of the rank but by restart."}.get(method, "."),
    )  # fmt: skip

    def body(F, xin, solver):
        def value(x):
            return as_array(F(x))

        result = engine.__wrapped__(value, xin, (), solver)
        return {name: getattr(result, name) for name in ("x", "status", "nit")}

    body.__module__, body.__name__ = __name__, name
    body.__doc__ = f"""{summary}

    The root is differentiable with respect to what `F` closes over, by the implicit function theorem. With JAX
    arrays a root that was not found is NaN.

    References
    ----------
    {reference}

    Examples
    --------
    >>> import numpy as np
    >>> from sci.optimize import {name}
    >>> {name}(lambda x: 0.2 * np.cos(x) - x, np.zeros(2), f_tol=1e-10).round(6).tolist()
    [0.196164, 0.196164]
    """
    return native(body)


_BROYDEN = 'C. G. Broyden, "A class of methods for solving nonlinear simultaneous equations", Math. Comp. 19, 1965.'
_EYERT = 'V. Eyert, "A comparative study on methods for convergence acceleration of iterative vector sequences", 1996.'
_KRYLOV = 'D. A. Knoll, D. E. Keyes, "Jacobian-free Newton-Krylov methods", J. Comp. Phys. 193, 2004.'

broyden1 = _register("broyden1", "broyden1", _cubic, {}, "Find a root by Broyden's first (good) method.", _BROYDEN)
broyden2 = _register("broyden2", "broyden2", _cubic, {}, "Find a root by Broyden's second (bad) method.", _BROYDEN)
anderson = _register("anderson", "anderson", _cubic, {}, "Find a root by extended Anderson mixing.", _EYERT)
linearmixing = _register(
    "linearmixing", "linearmixing", _contraction, {"alpha": 1.0}, "Find a root by a scalar Jacobian.", _EYERT
)
diagbroyden = _register("diagbroyden", "diagbroyden", _cubic, {}, "Find a root by a diagonal Jacobian.", _BROYDEN)
excitingmixing = _register(
    "excitingmixing", "excitingmixing", _contraction, {"alpha": 0.5}, "Find a root by a tuned diagonal.", _EYERT
)
newton_krylov = _register(
    "newton_krylov",
    "krylov",
    _cubic,
    {"f_tol": 1e-10},
    "Find a root by Newton's method, its steps by GMRES with the exact Jacobian's products.",
    _KRYLOV,
)
