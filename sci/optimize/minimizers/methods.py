"""What is particular to each method of `minimize`: options, their defaults, the engine, SciPy's messages."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from solvers import minimize as engines

__all__ = ["HOST_VALUES", "METHODS", "NEVER", "OPTIMISTIX", "SUCCESS_MESSAGE", "Method", "message"]

#: A pause that is not reached.
NEVER = 2**31 - 1

#: Stands for a minimiser of optimistix, given as an object.
OPTIMISTIX = "a minimiser of optimistix"

SUCCESS_MESSAGE = "Optimization terminated successfully."
_MAXITER = "Maximum number of iterations has been exceeded."
_PRECISION = "Desired error not necessarily achieved due to precision loss."
_NAN = "NaN result encountered."
_STOPPED = "`callback` raised `StopIteration`."

#: Methods on SciPy's algorithm, with compiled values.
HOST_VALUES = frozenset({"cobyqa"})


@dataclass(frozen=True)
class Method:
    """One method.

    Attributes
    ----------
    title : str
        SciPy's spelling.
    engine : callable
        Makes the solver: ``engine(**settings, **fixed)``.
    options : mapping
        SciPy's option -> (the engine's parameter, default). These are traced.
    fixed : mapping
        The same for options that are constants of the compiled code.
    other : tuple of str
        Options without meaning here, or read elsewhere.
    tol : tuple of str
        Options that ``tol`` sets.
    uses : frozenset of str
        Which of jac, hess, hessp, bounds, constraints the method takes.
    fields : tuple of str
        Entries of SciPy's result, in its order.
    messages : mapping
        Message of each status.
    most : int
        Most iterations (and evaluations, where the method counts them), for each variable.
    stopped : int
        Status of a run that the callback ended.
    """

    title: str
    engine: Callable[..., Any]
    options: Mapping[str, tuple[str, Any]]
    fields: tuple[str, ...]
    messages: Mapping[int, str]
    fixed: Mapping[str, tuple[str, Any]] = field(default_factory=dict)
    other: tuple[str, ...] = ()
    tol: tuple[str, ...] = ("gtol",)
    uses: frozenset[str] = frozenset({"jac"})
    most: int = 200
    stopped: int = 99


_DIFFERENCES = ("eps", "finite_diff_rel_step", "workers")  # without meaning beside an exact gradient
_USUAL = ("disp", "return_all", *_DIFFERENCES)
_LINE_MESSAGES = {0: SUCCESS_MESSAGE, 1: _MAXITER, 2: _PRECISION, 3: _NAN, 99: _STOPPED}
_CG_FIELDS = ("fun", "jac", "nfev", "njev", "status", "success", "message", "x", "nit")

_FREE_MESSAGES = {
    0: SUCCESS_MESSAGE,
    1: "Maximum number of function evaluations has been exceeded.",
    2: _MAXITER,
    3: _NAN,
    4: "The result is outside of the provided bounds.",
    99: _STOPPED,
}
_INFEASIBLE = (
    "Did not converge to a solution satisfying the constraints. See `maxcv` for the magnitude of the violation."
)
_LIMITS = {"maxiter": ("maxiter", None), "maxfev": ("maxfev", None)}

_TRUST_FIELDS = ("x", "success", "status", "fun", "jac", "nfev", "njev", "nhev", "nit", "message", "hess")
_TRUST_MESSAGES = {
    0: SUCCESS_MESSAGE,
    1: _MAXITER,
    2: "A bad approximation caused failure to predict improvement.",
    3: "A linalg error occurred, such as a non-psd Hessian.",
    99: _STOPPED,
}
_RADII = {
    "gtol": ("gtol", 1e-4),
    "initial_trust_radius": ("initial_radius", 1.0),
    "max_trust_radius": ("max_radius", 1000.0),
    "eta": ("eta", 0.15),
    "maxiter": ("maxiter", None),
}


def _trust_region(title: str, engine: Any, uses: frozenset[str]) -> Method:
    other = (*_USUAL[:2], "inexact", "workers", "subproblem_maxiter")
    return Method(title, engine, _RADII, _TRUST_FIELDS, _TRUST_MESSAGES, other=other, uses=uses)


def _as_given(solver: Any) -> Any:
    return solver


METHODS = {
    "bfgs": Method(
        "BFGS",
        engines.BFGS,
        {
            "gtol": ("gtol", 1e-5),
            "xrtol": ("xrtol", 0.0),
            "c1": ("c1", 1e-4),
            "c2": ("c2", 0.9),
            "hess_inv0": ("hess_inv0", None),
            "maxiter": ("maxiter", None),
        },
        (*_CG_FIELDS[:2], "hess_inv", *_CG_FIELDS[2:]),
        _LINE_MESSAGES,
        fixed={"norm": ("norm", float("inf"))},
        other=_USUAL,
    ),
    "cg": Method(
        "CG",
        engines.CG,
        {"gtol": ("gtol", 1e-5), "c1": ("c1", 1e-4), "c2": ("c2", 0.4), "maxiter": ("maxiter", None)},
        _CG_FIELDS,
        _LINE_MESSAGES,
        fixed={"norm": ("norm", float("inf"))},
        other=_USUAL,
    ),
    "newton-cg": Method(
        "Newton-CG",
        engines.NewtonCG,
        {"xtol": ("xtol", 1e-5), "c1": ("c1", 1e-4), "c2": ("c2", 0.9), "maxiter": ("maxiter", None)},
        ("fun", "jac", "nfev", "njev", "nhev", "status", "success", "message", "x", "nit"),
        {
            0: SUCCESS_MESSAGE,
            1: "Warning: " + _MAXITER,
            2: "Warning: " + _PRECISION,
            3: "Warning: CG iterations didn't converge. The Hessian is not positive definite.",
            99: _STOPPED,
        },
        other=("disp", "return_all", "eps", "workers"),
        tol=("xtol",),
        uses=frozenset({"jac", "hess", "hessp"}),
    ),
    "l-bfgs-b": Method(
        "L-BFGS-B",
        engines.LBFGSB,
        {
            "gtol": ("gtol", 1e-5),
            "ftol": ("ftol", 2.2204460492503131e-09),
            "maxiter": ("maxiter", 15000),
            "maxfun": ("maxfun", 15000),
            "maxls": ("maxls", 20),
        },
        ("fun", "jac", "nfev", "njev", "nit", "status", "message", "x", "success", "hess_inv"),
        {99: _STOPPED},
        fixed={"maxcor": ("maxcor", 10)},
        other=("disp", "iprint", "return_all", *_DIFFERENCES),
        tol=("ftol", "gtol"),
        uses=frozenset({"jac", "bounds"}),
    ),
    "slsqp": Method(
        "SLSQP",
        engines.SLSQP,
        {"ftol": ("ftol", 1e-6), "maxiter": ("maxiter", 100)},
        ("x", "fun", "jac", "nit", "nfev", "njev", "status", "message", "success", "multipliers"),
        {
            0: "Optimization terminated successfully",
            3: "More than 3*n iterations in LSQ subproblem",
            4: "Inequality constraints incompatible",
            8: "Positive directional derivative for linesearch",
            9: "Iteration limit reached",
            99: _STOPPED,
        },
        other=("disp", "iprint", "return_all", *_DIFFERENCES),
        tol=("ftol",),
        uses=frozenset({"jac", "bounds", "constraints"}),
    ),
    "nelder-mead": Method(
        "Nelder-Mead",
        engines.NelderMead,
        {
            "xatol": ("xatol", 1e-4),
            "fatol": ("fatol", 1e-4),
            "initial_simplex": ("initial_simplex", None),
            **_LIMITS,
        },
        ("fun", "nit", "nfev", "status", "success", "message", "x", "final_simplex"),
        _FREE_MESSAGES,
        fixed={"adaptive": ("adaptive", False)},
        other=("disp", "return_all"),
        tol=("xatol", "fatol"),
        uses=frozenset({"bounds"}),
    ),
    "powell": Method(
        "Powell",
        engines.Powell,
        {"xtol": ("xtol", 1e-4), "ftol": ("ftol", 1e-4), "direc": ("direc", None), **_LIMITS},
        ("fun", "direc", "nit", "nfev", "status", "success", "message", "x"),
        _FREE_MESSAGES,
        other=("disp", "return_all"),
        tol=("xtol", "ftol"),
        uses=frozenset({"bounds"}),
        most=1000,
    ),
    "tnc": Method(
        "TNC",
        engines.TNC,
        {
            "gtol": ("gtol", -1.0),
            "ftol": ("ftol", -1.0),
            "xtol": ("xtol", -1.0),
            "eta": ("eta", -1.0),
            "stepmx": ("stepmx", 0.0),
            "minfev": ("minfev", 0.0),
            "rescale": ("rescale", -1.0),
            "scale": ("scale", None),
            "maxCGit": ("maxcg", -1),
            "maxfun": ("maxfun", None),
        },
        ("x", "fun", "jac", "nfev", "nit", "status", "message", "success"),
        {
            -1: "Infeasible (lower bound > upper bound)",
            0: "Local minimum reached (|pg| ~= 0)",
            1: "Converged (|f_n-f_(n-1)| ~= 0)",
            2: "Converged (|x_n-x_(n-1)| ~= 0)",
            3: "Max. number of function evaluations reached",
            4: "Linear search failed",
            5: "All lower bounds are equal to the upper bounds",
            6: "Unable to progress",
            7: "User requested end of minimization",
            99: _STOPPED,
        },
        # No differences of gradients, so no step of them either; the offset would only set that step.
        other=("disp", "mesg_num", "return_all", "offset", "accuracy", *_DIFFERENCES),
        tol=("ftol", "gtol", "xtol"),
        uses=frozenset({"jac", "bounds"}),
    ),
    "cobyla": Method(
        "COBYLA",
        engines.COBYLA,
        {
            "rhobeg": ("rhobeg", 1.0),
            "tol": ("rhoend", 1e-4),
            "maxiter": ("maxfev", 1000),
            "catol": ("catol", 1.4901161193847656e-08),
            "f_target": ("f_target", -np.inf),
        },
        ("x", "status", "success", "message", "nfev", "fun", "maxcv"),
        {
            status: f"Return from COBYLA because {reason}"
            for status, reason in {
                0: "the trust region radius reaches its lower bound.",
                1: "the target function value is achieved.",
                3: "the objective function has been evaluated MAXFUN times.",
                7: "rounding errors are becoming damaging.",
                30: "the callback function requested termination",
            }.items()
        },
        other=("disp", "return_all"),
        tol=("tol",),
        uses=frozenset({"bounds", "constraints"}),
        stopped=30,
    ),
    "trust-constr": Method(
        "trust-constr",
        engines.InteriorPoint,
        {
            "gtol": ("gtol", 1e-8),
            "xtol": ("xtol", 1e-8),
            "barrier_tol": ("barrier_tol", 1e-8),
            "initial_barrier_parameter": ("initial_barrier", 0.1),
            "initial_constr_penalty": ("initial_penalty", 1.0),
            "maxiter": ("maxiter", 1000),
        },
        (),
        {
            0: "The maximum number of function evaluations is exceeded.",
            1: "`gtol` termination condition is satisfied.",
            2: "`xtol` termination condition is satisfied.",
            3: "`callback` raised `StopIteration`.",
            4: "Constraint violation exceeds 'gtol'",
        },
        # Of the trust region, of finite differences, and of the printing.
        other=(
            *("disp", "verbose", "initial_tr_radius", "initial_barrier_tolerance", "factorization_method"),
            *("sparse_jacobian", "finite_diff_rel_step", "workers"),
        ),
        tol=("xtol", "gtol", "barrier_tol"),
        uses=frozenset({"jac", "hess", "hessp", "bounds", "constraints"}),
        stopped=3,
    ),
    OPTIMISTIX: Method(
        "optimistix",
        _as_given,
        {},
        ("x", "fun", "jac", "nit", "nfev", "njev", "status", "success", "message"),
        {
            0: SUCCESS_MESSAGE,
            1: _MAXITER,
            3: _NAN,
        },
        uses=frozenset(),
    ),
    "trust-exact": _trust_region("trust-exact", engines.TrustExact, frozenset({"jac", "hess"})),
    "dogleg": _trust_region("dogleg", engines.Dogleg, frozenset({"jac", "hess"})),
    "trust-ncg": _trust_region("trust-ncg", engines.TrustNCG, frozenset({"jac", "hess", "hessp"})),
    "trust-krylov": _trust_region("trust-krylov", engines.TrustKrylov, frozenset({"jac", "hess", "hessp"})),
}

REASONS = {
    401: "CONVERGENCE: NORM OF PROJECTED GRADIENT <= PGTOL",
    402: "CONVERGENCE: RELATIVE REDUCTION OF F <= FACTR*EPSMCH",
    502: "STOP: TOTAL NO. OF F,G EVALUATIONS EXCEEDS LIMIT",
    504: "STOP: TOTAL NO. OF ITERATIONS REACHED LIMIT",
    0: "ABNORMAL: ",
}


def message(method: Method, status: int, out: Mapping[str, Any]) -> str:
    """SciPy's message; a NaN is named where SciPy has no words for it."""
    if status in (1, 2, 0) and method.title == "L-BFGS-B":
        return REASONS[int(out["extra"]["reason"])]
    if method.title == "COBYLA" and out["extra"]["maxcv"] > out["catol"]:
        return _INFEASIBLE
    slope = out["jac"]
    if (
        status == 3
        and method.title not in ("TNC", "COBYLA", "trust-constr")
        and not (np.isfinite(out["fun"]) and (slope is None or np.isfinite(slope).all()))
    ):
        return _NAN
    return method.messages[status]
