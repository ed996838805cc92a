"""`root_scalar`: one door to all root finders for scalar functions."""

from __future__ import annotations

import operator
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import scipy.optimize
from scipy.optimize import RootResults

from sci.bridge import Call, Example, HostRoute, Reason, as_array, implements
from sci.bridge.worlds import is_jax
from sci.optimize._shared import bind_arguments, need_callable, users
from sci.optimize.newton import open_method, open_outcome, real_or_host
from sci.optimize.scalar import (
    MAXITER,
    RTOL,
    XTOL,
    bracket_method,
    bracket_outcome,
    check_bracket,
    jax_result,
    nan_message,
    numpy_number,
    run_scalar,
)
from solvers.scalar.status import NOT_FINITE

__all__ = ["root_scalar"]

_BRACKETING = ("bisect", "ridder", "brentq", "brenth", "toms748")
_OPEN = ("secant", "newton", "halley")


def _prepare(call: Call) -> None:
    need_callable(call, "f")
    _derivatives(call)
    options = {k: call[k] for k in ("xtol", "rtol", "maxiter") if call[k] is not None} | dict(call["options"] or {})
    options.pop("full_output", None)
    options.pop("disp", None)
    call["method"] = method = _method(call)
    call["k"], call["a"], call["b"] = 1, None, None
    if method in _BRACKETING:
        _prepare_bracket(call, options)
    else:
        _prepare_open(call, options)
    if options:
        raise TypeError(f"{method}() got an unexpected keyword argument {next(iter(options))!r}")
    bind_arguments(call, "f", "fprime", "fprime2")


def _derivatives(call: Call) -> None:
    """How many values `f` returns (``joint``); flags in place of derivatives become None."""
    joint = 1
    for n, name in ((3, "fprime2"), (2, "fprime")):
        if call[name] is not None and not callable(call[name]):
            joint = max(joint, n if bool(call[name]) else 1)
            call[name] = None
    call["joint"] = joint
    call["flags"] = (joint >= 2 or call["fprime"] is not None, joint == 3 or call["fprime2"] is not None)


def _method(call: Call) -> str:
    first, second = call["flags"]
    method = call["method"]
    if not method:
        if call["bracket"] is not None:
            method = "brentq"
        elif call["x0"] is not None:
            if first:
                method = "halley" if second else "newton"
            else:
                method = "secant" if call["x1"] is not None else "newton"
    if not method:
        raise ValueError("Unable to select a solver as neither bracket nor starting point provided.")
    known = method.lower()
    if known not in _BRACKETING + _OPEN:
        raise ValueError(f"Unknown solver {known}")
    return known


def _prepare_bracket(call: Call, options: dict[str, Any]) -> None:
    method, bracket = call["method"], call["bracket"]
    if not isinstance(bracket, list | tuple | np.ndarray | jax.Array):
        raise ValueError(f"Bracket needed for {method}")
    a, b = bracket[:2]
    call["a"], call["b"] = (a, b) if is_jax(bracket) else (np.asarray(v)[()] for v in (a, b))
    call["xtol"], call["rtol"] = options.pop("xtol", XTOL), options.pop("rtol", RTOL)
    call["maxiter"] = options.pop("maxiter", MAXITER)
    if method == "toms748":
        call["k"] = options.pop("k", 1)
    check_bracket(call, method)
    call["x0"] = call["x1"] = call["fprime"] = call["fprime2"] = None
    call["functions"] = 1


def _prepare_open(call: Call, options: dict[str, Any]) -> None:
    method, x0 = call["method"], call["x0"]
    first, second = call["flags"]
    if x0 is None:
        raise ValueError(f"x0 must not be None for {method}")
    if method == "halley":
        for given, name in ((first, "fprime"), (second, "fprime2")):
            if not given:
                raise ValueError(f"{name} must be specified for {method}")
    if np.size(x0) > 1:
        raise HostRoute(Reason.SHAPE, f"x0 has shape {np.shape(x0)}")
    if not is_jax(x0):
        x0 = np.asarray(x0)
        if x0.dtype.kind not in "biufc" or x0.size == 0:
            raise HostRoute(Reason.DTYPE, f"x0 has dtype {x0.dtype}")
        call["x0"] = x0[()] * 1.0
    tol = options.pop("tol", 1.48e-8)
    call["xtol"], call["rtol"] = options.pop("xtol", tol), options.pop("rtol", 0.0)
    if not is_jax(call["xtol"]) and call["xtol"] <= 0:
        raise ValueError(f"tol too small ({call['xtol']:g} <= 0)")
    call["maxiter"] = operator.index(options.pop("maxiter", 50))
    if call["maxiter"] < 1:
        raise ValueError("maxiter must be greater than 0")
    call["functions"] = _OPEN.index(method) + 1
    if method == "secant":
        call["fprime"] = call["fprime2"] = None
        if call["x1"] is not None and call.numpy and call["x1"] == call["x0"]:
            raise ValueError("x1 and x0 must be different")
    else:
        call["x1"] = None
        if method == "newton":
            call["fprime2"] = None


def _point(call: Call) -> tuple[Any, ...]:
    return (numpy_number(call["a"] if call["x0"] is None else call["x0"]), *call["args"])


def _finish(call: Call, out: dict[str, Any]) -> RootResults:
    joint = call["joint"] > 1
    if call["method"] in _OPEN:
        found = open_outcome(out, call["functions"], joint, False)
        found.method = call["method"] if found.function_calls else found.method
        return found
    if out["status"] == NOT_FINITE:
        root = float(out["x"])
        flag = nan_message(root)
        return RootResults(root, np.nan, int(out["nfev"]), flag, call["method"])
    return bracket_outcome(out, call["method"], False)


@users
def _pair(x: Any, a: Any) -> Any:
    return x**3 - a, 3 * x**2


@users
def _single(x: Any, a: Any) -> Any:
    return x**3 - a


@implements(
    "scipy.optimize.root_scalar",
    callables={"f": _point, "fprime": _point, "fprime2": _point},
    trees=("args",),
    dtypes={"a": "float", "b": "float", "args": "keep", "maxiter": "keep", "k": "keep"},
    static=("method", "joint", "functions"),
    prepare=_prepare,
    drive=real_or_host(scipy.optimize.root_scalar, _finish),
    finish_jax=lambda call, out: jax_result(out),
    examples=lambda: [
        Example(
            (_single,),
            {"args": (np.float64(2.5),), "bracket": [0.5, 2.0]},
            grad=("args",),
            vmap=("args",),
            output=lambda r: r["root"],
            rtol=1e-9,
            grad_rtol=1e-4,
        ),
        Example(
            (_pair,),
            {"args": (np.float64(2.5),), "x0": 1.0, "fprime": True, "xtol": 1e-12},
            grad=("args",),
            vmap=("args", "x0"),
            output=lambda r: r["root"],
            rtol=1e-9,
            grad_rtol=1e-4,
        ),
    ],
    note="several starts at once; complex functions of a real start.",
)
def root_scalar(f, args, method, a, b, fprime, fprime2, x0, x1, xtol, rtol, maxiter, k, joint, functions):
    """Find a root of a scalar function.

    Newton's method without `fprime` uses the exact derivative of `f`, counted as SciPy counts its differences. The
    root is differentiable with respect to `args` and what the functions close over, by the implicit function
    theorem. With JAX arrays the result is an `OptimizeResult` of arrays whose ``flag`` is the status: 0 converged,
    -1 no change of sign, -2 too many iterations, -3 a value is NaN, -4 the slope is zero.

    References
    ----------
    R. P. Brent, "Algorithms for Minimization Without Derivatives", 1973.

    Examples
    --------
    >>> from sci.optimize import root_scalar
    >>> found = root_scalar(lambda x: x**3 - 1, bracket=[0, 3], method="brentq")
    >>> float(found.root), found.iterations, found.function_calls
    (1.0, 10, 11)
    """
    joint = joint > 1

    def value(x, *extra):
        out = f(x, *extra)
        return as_array(out[0] if joint else out)

    if method in _BRACKETING:
        dtype = jnp.result_type(jnp.asarray(a), jnp.asarray(b), float if jnp.ndim(a) else a)
        solver = bracket_method(method, xtol, rtol, maxiter, k, dtype)
        return run_scalar((value,), (a, b), args, solver, False)
    if functions > 1 and joint:
        return open_method((f,) * functions, x0, x1, args, xtol, rtol, maxiter, True)
    if functions == 1:
        return open_method((value,), x0, x1, args, xtol, rtol, maxiter, False)

    def slope(x, *extra):
        return jax.jvp(lambda x: value(x, *extra).reshape(x.shape), (x,), (jnp.ones_like(x),))[1]

    given = (value, slope if fprime is None else fprime, fprime2)[:functions]
    return open_method(given, x0, x1, args, xtol, rtol, maxiter, False)
