"""`fmin` and its kind: SciPy's older functions, each for one method of `minimize`.

Each function below says how its arguments become those of `minimize`, and which entries of the result it returns.
Preparation, engine and iteration are those of `minimize`.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import jax.numpy as jnp
import numpy as np

from sci.bridge import Call, Example, implements
from sci.bridge.worlds import is_jax
from sci.optimize._shared import users
from sci.optimize.minimizers.entry import _bowl, _bowl_slope, minimize
from sci.optimize.minimizers.outcome import drive, finish_jax
from sci.optimize.minimizers.prepare import prepare, validate

__all__ = [
    "fmin",
    "fmin_bfgs",
    "fmin_cg",
    "fmin_cobyla",
    "fmin_l_bfgs_b",
    "fmin_ncg",
    "fmin_powell",
    "fmin_slsqp",
    "fmin_tnc",
]

_NOTHING = {"jac": None, "hess": None, "hessp": None, "bounds": None, "constraints": (), "tol": None}


@users
def _above(x: Any, centre: Any) -> Any:
    return x[0] - centre[0]


def _older(method: str, *extra: Any, pick: Callable[[Any], Any] | None = None, **options: Any) -> Any:
    """Register a function whose body says how a call becomes one of `minimize`.

    Parameters
    ----------
    method : str
        The method of `minimize`.
    *extra : Any
        Arguments of the example behind the objective and the start.
    pick : callable, optional
        The solution among what the function returns; the whole by default.
    **options : Any
        Keywords of the example.
    """
    bridge = minimize.__sci__  # type: ignore[attr-defined]

    def decorate(translate: Callable[[Call], Callable[[Any], Any]]) -> Any:
        def prepare_older(call: Call) -> None:
            call["x0"] = jnp.ravel(call["x0"]) if is_jax(call["x0"]) else np.ravel(call["x0"])
            call["fun"] = call["func"] if "func" in call else call["f"]
            call.update({name: call.get(name, value) for name, value in _NOTHING.items()}, method=method)
            call["picked"] = translate(call)
            prepare(call)

        def drive_older(call: Call, run: Any) -> Any:
            return call["picked"](drive(call, run))

        def finish_older(call: Call, out: Any) -> Any:
            return call["picked"](finish_jax(call, out))

        # named as minimize's body: the same program is found in the cache of compiled code
        body = functools.wraps(bridge.body)(lambda *args, **kwargs: bridge.body(*args, **kwargs))
        body.__doc__ = translate.__doc__
        example = Example(
            args=(_bowl, np.array([0.5, 2.0]), *extra),
            kwargs={"args": (np.array([1.0, -0.5]),), **options},
            output=pick,
            grad=("args",),
            vmap=("args", "x0"),
            rtol=1e-4,
            atol=1e-4,
            grad_rtol=1e-3,
            float32=False,
            # as `minimize`; and SciPy's iterations keep the start's dtype, which several of its extensions refuse
            skip_odd=("object", "inf", "nan", "one axis more", "float32", "int64"),
        )
        return implements(
            f"scipy.optimize.{translate.__name__}",
            callables=bridge.callables,
            trees=bridge.trees,
            dtypes=bridge.rules,
            static=bridge.static,
            prepare=prepare_older,
            validate=validate,
            drive=drive_older,
            finish_jax=finish_older,
            examples=lambda: [example],
            note="as `minimize`.",
        )(body)

    return decorate


def _selection(call: Call, *names: str) -> Callable[[Any], Any]:
    """SciPy's three kinds of output: the solution, with its path, or a tuple of entries."""
    whole, path = bool(call["full_output"]), bool(call["retall"])

    def picked(result: Any) -> Any:
        if not whole and not path:
            return result["x"]
        entries = [result[name] for name in (("x", *names) if whole else ("x",))]
        return (*entries, result["allvecs"]) if path else tuple(entries)

    return picked


def _options(call: Call, **names: Any) -> dict[str, Any]:
    return {"disp": call["disp"], "return_all": call["retall"], "maxiter": call["maxiter"], **names}


def _gradient(call: Call) -> None:
    """`fprime`, `approx_grad`: without the latter and the former, the function returns the gradient too."""
    if call["approx_grad"]:
        call["jac"] = None
    else:
        call["jac"] = True if call["fprime"] is None else call["fprime"]


@_older("Nelder-Mead", xtol=1e-8, ftol=1e-8, disp=0)
def fmin(call: Call) -> Callable[[Any], Any]:
    """Minimise by the simplex method of Nelder and Mead, as ``minimize(method="Nelder-Mead")``.

    Parameters are SciPy's. The solution is differentiable with respect to `args` and what `func` closes over.

    References
    ----------
    J. A. Nelder and R. Mead, "A simplex method for function minimization", 1965.

    Examples
    --------
    >>> from sci.optimize import fmin
    >>> fmin(lambda x: (x[0] - 1) ** 2, [0.0], disp=False).round(3).tolist()
    [1.0]
    """
    names = {"xatol": call["xtol"], "fatol": call["ftol"], "maxfev": call["maxfun"]}
    call["options"] = _options(call, **names, initial_simplex=call["initial_simplex"])
    return _selection(call, "fun", "nit", "nfev", "status")


@_older("Powell", xtol=1e-8, ftol=1e-8, disp=0)
def fmin_powell(call: Call) -> Callable[[Any], Any]:
    """Minimise by Powell's conjugate directions, as ``minimize(method="Powell")``.

    Parameters are SciPy's. The solution is differentiable with respect to `args` and what `func` closes over.

    References
    ----------
    M. J. D. Powell, "An efficient method for finding the minimum of a function of several variables without
    calculating derivatives", 1964.

    Examples
    --------
    >>> from sci.optimize import fmin_powell
    >>> fmin_powell(lambda x: (x[0] - 1) ** 2, [0.0], disp=False).round(3).tolist()
    [1.0]
    """
    names = {"xtol": call["xtol"], "ftol": call["ftol"], "maxfev": call["maxfun"], "direc": call["direc"]}
    call["options"] = _options(call, **names)
    return _selection(call, "fun", "direc", "nit", "nfev", "status")


@_older("BFGS", _bowl_slope, gtol=1e-8, disp=0)
def fmin_bfgs(call: Call) -> Callable[[Any], Any]:
    """Minimise by BFGS, as ``minimize(method="BFGS")``.

    Parameters are SciPy's; without `fprime` the gradient is exact and `epsilon` has no meaning. The solution is
    differentiable with respect to `args` and what `f` closes over.

    References
    ----------
    J. Nocedal and S. J. Wright, "Numerical Optimization", 2nd ed., Springer, 2006.

    Examples
    --------
    >>> from sci.optimize import fmin_bfgs
    >>> fmin_bfgs(lambda x: (x[0] - 1) ** 2, [0.0], disp=False).round(4).tolist()
    [1.0]
    """
    call["jac"] = call["fprime"]
    names = {name: call[name] for name in ("gtol", "norm", "xrtol", "c1", "c2", "hess_inv0")}
    call["options"] = _options(call, **names)
    return _selection(call, "fun", "jac", "hess_inv", "nfev", "njev", "status")


@_older("CG", _bowl_slope, gtol=1e-8, disp=0)
def fmin_cg(call: Call) -> Callable[[Any], Any]:
    """Minimise by nonlinear conjugate gradients, as ``minimize(method="CG")``.

    Parameters are SciPy's; without `fprime` the gradient is exact and `epsilon` has no meaning. The solution is
    differentiable with respect to `args` and what `f` closes over.

    References
    ----------
    J. Nocedal and S. J. Wright, "Numerical Optimization", 2nd ed., Springer, 2006.

    Examples
    --------
    >>> from sci.optimize import fmin_cg
    >>> fmin_cg(lambda x: (x[0] - 1) ** 2, [0.0], disp=False).round(4).tolist()
    [1.0]
    """
    call["jac"] = call["fprime"]
    call["options"] = _options(call, **{name: call[name] for name in ("gtol", "norm", "c1", "c2")})
    return _selection(call, "fun", "nfev", "njev", "status")


@_older("Newton-CG", _bowl_slope, avextol=1e-8, disp=0)
def fmin_ncg(call: Call) -> Callable[[Any], Any]:
    """Minimise by Newton's method with conjugate gradients, as ``minimize(method="Newton-CG")``.

    Parameters are SciPy's; without `fhess` and `fhess_p` products with the Hessian are exact. The solution is
    differentiable with respect to `args` and what `f` closes over.

    References
    ----------
    J. Nocedal and S. J. Wright, "Numerical Optimization", 2nd ed., Springer, 2006.

    Examples
    --------
    >>> from sci.optimize import fmin_ncg
    >>> fmin_ncg(lambda x: (x[0] - 1) ** 2, [0.0], lambda x: 2 * (x - 1), disp=False).round(4).tolist()
    [1.0]
    """
    call["jac"], call["hess"], call["hessp"] = call["fprime"], call["fhess"], call["fhess_p"]
    call["options"] = _options(call, xtol=call["avextol"], c1=call["c1"], c2=call["c2"])
    return _selection(call, "fun", "nfev", "njev", "nhev", "status")


@_older("L-BFGS-B", _bowl_slope, factr=1.0, pgtol=1e-8, bounds=[(None, 0.5), (-6.0, 5.0)], pick=lambda r: r[0])
def fmin_l_bfgs_b(call: Call) -> Callable[[Any], Any]:
    """Minimise within bounds by L-BFGS-B, as ``minimize(method="L-BFGS-B")``.

    Parameters are SciPy's; with `approx_grad` the gradient is exact and `epsilon` has no meaning. Returns ``x``, ``f``
    and a dictionary (``task`` is None with JAX arrays). The solution is differentiable with respect to `args` and
    what `func` closes over.

    References
    ----------
    R. H. Byrd, P. Lu, J. Nocedal and C. Zhu, "A limited memory algorithm for bound constrained optimization", 1995.

    Examples
    --------
    >>> from sci.optimize import fmin_l_bfgs_b
    >>> x, f, info = fmin_l_bfgs_b(lambda x: (x[0] - 1) ** 2, [0.0], approx_grad=True, bounds=[(None, 0.5)])
    >>> x.tolist(), info["warnflag"]
    ([0.5], 0)
    """
    _gradient(call)
    call["options"] = {
        "maxcor": call["m"],
        "ftol": call["factr"] * np.finfo(float).eps,
        "gtol": call["pgtol"],
        **{name: call[name] for name in ("maxfun", "maxiter", "maxls")},
    }
    # gone in SciPy 1.18; before, their default is an object that says "not given", and what is given is warned about
    for name in ("disp", "iprint"):
        if name in call and isinstance(call[name], (int, type(None))):
            call["options"][name] = call[name]

    def picked(result: Any) -> Any:
        info = {"grad": result["jac"], "task": result.get("message"), "funcalls": result["nfev"]}
        return result["x"], result["fun"], info | {"nit": result["nit"], "warnflag": result["status"]}

    return picked


@_older("TNC", _bowl_slope, bounds=[(None, 0.5), (-6.0, 5.0)], messages=0, pick=lambda r: r[0])
def fmin_tnc(call: Call) -> Callable[[Any], Any]:
    """Minimise within bounds by a truncated Newton method, as ``minimize(method="TNC")``.

    Parameters are SciPy's; with `approx_grad` the gradient is exact; `epsilon`, `accuracy` and `offset` have no
    meaning, as products with the Hessian are exact, and nothing is printed for `messages`. Returns ``x``, the number
    of evaluations and the return code. The solution is differentiable with respect to `args` and what `func` closes
    over.

    References
    ----------
    S. G. Nash, "Newton-type minimization via the Lanczos method", 1984.

    Examples
    --------
    >>> from sci.optimize import fmin_tnc
    >>> x, nfev, code = fmin_tnc(lambda x: (x[0] - 1) ** 2, [0.0], approx_grad=True, bounds=[(None, 0.5)])
    >>> x.tolist()
    [0.5]
    """
    _gradient(call)
    same = ("scale", "maxCGit", "maxfun", "eta", "stepmx", "ftol", "xtol", "rescale")
    call["options"] = {name: call[name] for name in same} | {"gtol": call["pgtol"], "minfev": call["fmin"]}
    return lambda result: (result["x"], result["nfev"], result["status"])


@_older("COBYLA", _above, rhoend=1e-8, catol=1e-12)
def fmin_cobyla(call: Call) -> Callable[[Any], Any]:
    """Minimise under nonnegative constraints by linear models, as ``minimize(method="COBYLA")``.

    Parameters are SciPy's. The solution is differentiable with respect to `args` and what `func` closes over.

    Raises
    ------
    TypeError
        If `cons` is neither a function nor a sequence of functions.

    References
    ----------
    M. J. D. Powell, "A direct search optimization method that models the objective and constraint functions by linear
    interpolation", 1994.

    Examples
    --------
    >>> from sci.optimize import fmin_cobyla
    >>> fmin_cobyla(lambda x: (x[0] - 1) ** 2, [0.0], lambda x: 0.5 - x[0]).round(3).tolist()
    [0.5]
    """
    given = call["cons"]
    functions = [given] if callable(given) else given
    if not isinstance(functions, (list, tuple)) or not all(map(callable, functions)):
        raise TypeError(f"cons must be a sequence of callable functions or a single callable function, got {given!r}")
    extra = call["args"] if call["consargs"] is None else call["consargs"]
    call["constraints"] = [{"type": "ineq", "fun": function, "args": extra} for function in functions]
    call["options"] = {"rhobeg": call["rhobeg"], "tol": call["rhoend"], "maxiter": call["maxfun"]}
    call["options"] |= {"disp": call["disp"], "catol": call["catol"]}
    return lambda result: result["x"]


@_older("SLSQP", acc=1e-12, iprint=0, fprime=_bowl_slope, ieqcons=[_above])
def fmin_slsqp(call: Call) -> Callable[[Any], Any]:
    """Minimise under constraints by sequential quadratic programming, as ``minimize(method="SLSQP")``.

    Parameters are SciPy's; derivatives that are not given are exact, and `epsilon` has no meaning. The solution is
    differentiable with respect to `args` and what `func` closes over.

    References
    ----------
    D. Kraft, "A software package for sequential quadratic programming", DFVLR-FB 88-28, 1988.

    Examples
    --------
    >>> from sci.optimize import fmin_slsqp
    >>> fmin_slsqp(lambda x: (x[0] - 1) ** 2, [0.0], ieqcons=[lambda x: 0.5 - x[0]], iprint=0).round(4).tolist()
    [0.5]
    """
    call["jac"] = call["fprime"]
    given = [("eq", c, None) for c in call["eqcons"]] + [("ineq", c, None) for c in call["ieqcons"]]
    given += [("eq", call["f_eqcons"], call["fprime_eqcons"])] if call["f_eqcons"] else []
    given += [("ineq", call["f_ieqcons"], call["fprime_ieqcons"])] if call["f_ieqcons"] else []
    constraints = [{"type": kind, "fun": function, "jac": jac, "args": call["args"]} for kind, function, jac in given]
    call["constraints"] = constraints
    if isinstance(call["bounds"], (tuple, list)) and not call["bounds"]:
        call["bounds"] = None
    printing = call["iprint"] if call["disp"] is None else call["disp"]
    call["options"] = {"maxiter": call["iter"], "ftol": call["acc"], "disp": bool(printing)}
    names = ("x", "fun", "nit", "status")
    if not call["full_output"]:
        return lambda result: result["x"]
    return lambda result: (*[result[name] for name in names], result.get("message"))
