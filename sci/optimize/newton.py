"""`newton`: Newton's, Halley's and the secant method from a starting point, for numbers and arrays."""

from __future__ import annotations

import operator
from collections import namedtuple
from typing import Any

import jax.numpy as jnp
import numpy as np
import scipy.optimize
from scipy.optimize import OptimizeResult, RootResults

from sci.bridge import Call, Example, HostRoute, Reason, as_array, implements, warn_user
from sci.bridge.reasons import record_host
from sci.bridge.worlds import is_jax
from sci.optimize._shared import bind_arguments, need_callable, users
from sci.optimize.scalar import jax_result, numpy_number, relative, run_scalar
from solvers.scalar import Newton, NewtonArray, Secant, SecantArray
from solvers.scalar.status import CONVERGED, NOT_CONVERGED, NOT_FINITE, ZERO_SLOPE

__all__ = ["newton", "newton_calls", "open_method"]

result = namedtuple("result", ("root", "converged", "zero_der"))  # SciPy's name of the class


def second_point(x0: Any, array: bool) -> Any:
    """SciPy's second point of the secant method, a small step away from the first."""
    eps = np.finfo(float).eps ** 0.33 if array else 1e-4
    moved = x0 * (1 + eps)
    return moved + jnp.where(jnp.real(x0 if array else moved) >= 0, eps, -eps)


def open_method(
    functions: tuple[Any, ...], x0: Any, x1: Any, args: Any, tol: Any, rtol: Any, maxiter: Any, joint: bool
):
    """Run Newton's, Halley's or the secant method, by the number of functions."""
    x0 = jnp.asarray(x0)
    x0 = x0 if jnp.issubdtype(x0.dtype, jnp.inexact) else x0.astype(float)
    array = x0.size > 1
    if array and not joint:
        functions = tuple(_elementwise(f) for f in functions)
    if jnp.finfo(x0.dtype).dtype == jnp.float32:
        rtol = relative(rtol, jnp.float32)
    if len(functions) > 1:
        start: tuple[Any, ...] = (x0,)
        method: Any = NewtonArray(tol, maxiter) if array else Newton(tol, rtol, maxiter)
    else:
        start = (x0, second_point(x0, array) if x1 is None or array else x1)
        method = SecantArray(tol, maxiter) if array else Secant(tol, rtol, maxiter)
    return run_scalar(functions, start, args, method, joint)


def _elementwise(function: Any) -> Any:
    """A function whose values have the shape of the array of points; SciPy indexes them with a mask of that shape."""

    def checked(x, *args):
        value = as_array(function(x, *args))
        if value.shape != x.shape:
            raise IndexError(f"the functions must return the shape of x0, {x.shape}; one returns {value.shape}")
        return value

    return checked


def newton_calls(out: dict[str, Any], functions: int, joint: bool) -> int:
    """SciPy's count of calls: at an exact root the derivatives are not asked for, at a flat point the second is not."""
    nfev, nit = out["nfev"].item(), out["nit"].item()
    if functions == 1 or joint:
        return nfev
    unused = functions - 1 if nfev > nit else functions - 2 if out["status"].item() == ZERO_SLOPE else 0
    return functions * nfev - unused


def open_outcome(out: dict[str, Any], functions: int, joint: bool, disp: bool) -> RootResults:
    """SciPy's result, warning or exception for a single start."""
    status, root, nit = out["status"].item(), out["x"], out["nit"].item()
    failed = f" Failed to converge after {nit} iterations, value is {{}}."
    if status == ZERO_SLOPE:
        width = 2 * (out["previous"] - root)
        message = "Derivative was zero." if functions > 1 else f"Tolerance of {width} reached."
        value = root if functions > 1 else out["previous"]
        if functions > 1 or width != 0:
            if disp:
                raise RuntimeError(message + failed.format(value))
            warn_user(message, RuntimeWarning)
    elif status in (NOT_CONVERGED, NOT_FINITE) and disp:
        raise RuntimeError(failed.format(root).strip())
    flag = CONVERGED if status == CONVERGED else NOT_CONVERGED
    method = ("secant", "newton", "halley")[functions - 1]
    return RootResults(root, nit, newton_calls(out, functions, joint), flag, method)


def real_or_host(original: Any, finish: Any) -> Any:
    """A `drive` that finishes a run, or hands a complex function of a real start to SciPy.

    Whether values are complex is known when the function has been traced, after the choice between JAX and the host.
    """

    def drive(call: Call, run: Any) -> Any:
        try:
            out = run()
        except TypeError as error:
            if "must return real numbers" not in str(error):
                raise
            record_host(f"scipy.optimize.{original.__name__}", Reason.DTYPE, "a complex function of a real start")
            return original(*call.args, **call.kwargs)
        return finish(call, out)

    return drive


def _prepare(call: Call) -> None:
    need_callable(call, "func")
    tol = call["tol"]
    if not is_jax(tol) and tol <= 0:
        raise ValueError(f"tol too small ({tol:g} <= 0)")
    call["maxiter"] = operator.index(call["maxiter"])
    if call["maxiter"] < 1:
        raise ValueError("maxiter must be greater than 0")
    if call["fprime"] is None or not callable(call["fprime2"]):
        call["fprime2"] = None
    x0, x1 = call["x0"], call["x1"]
    if not is_jax(x0):
        x0 = np.asarray(x0)
        if x0.dtype.kind not in "biufc" or x0.size == 0:
            raise HostRoute(Reason.DTYPE, f"x0 has dtype {x0.dtype} and shape {x0.shape}")
        call["x0"] = x0 = x0 * 1.0
        if x0.size > 1:  # SciPy's arrays are double after the first step
            call["x0"] = x0 = x0.astype(np.result_type(x0.dtype, float))
    if call["fprime"] is not None or np.size(x0) > 1:
        call["x1"] = None
    elif x1 is not None and call.numpy and np.size(x1) == 1 and x1 == x0:
        raise ValueError("x1 and x0 must be different")
    call["args"] = tuple(call["args"])  # any sequence, which SciPy unpacks
    bind_arguments(call, "func", "fprime", "fprime2")


def _point(call: Call) -> tuple[Any, ...]:
    return (numpy_number(call["x0"]), *call["args"])


def _count(call: Call) -> int:
    return 1 + (call["fprime"] is not None) + (call["fprime2"] is not None)


def _finish(call: Call, out: dict[str, Any]) -> Any:
    if np.size(out["x"]) > 1:
        return _finish_array(call, out)
    found = open_outcome(out, _count(call), False, bool(call["disp"]))
    return (found.root, found) if call["full_output"] else found.root


def _finish_array(call: Call, out: dict[str, Any]) -> Any:
    x, status = out["x"], out["status"]
    converged, zero_der = status == CONVERGED, status == ZERO_SLOPE
    if zero_der.any():
        if call["fprime"] is None:
            apart = zero_der & (out["previous"] != x)
            if apart.any():
                # the last two points of the method lie twice as far apart as the midpoint from either
                rms = 2 * np.sqrt(sum((out["previous"][apart] - x[apart]) ** 2))
                warn_user(f"RMS of {rms:g} reached", RuntimeWarning)
        else:
            warn_user(f"{'all' if zero_der.all() else 'some'} derivatives were zero", RuntimeWarning)
    elif not converged.all():
        message = f"{'some' if converged.any() else 'all'} failed to converge after {call['maxiter']:d} iterations"
        if not converged.any():
            raise RuntimeError(message)
        warn_user(message, RuntimeWarning)
    return result(x, converged, zero_der) if call["full_output"] else x


def _finish_jax(call: Call, out: dict[str, Any]) -> Any:
    converged = out["status"] == CONVERGED
    if np.size(out["x"]) > 1:
        return result(out["x"], converged, out["status"] == ZERO_SLOPE) if call["full_output"] else out["x"]
    root = jnp.where(converged, out["x"], jnp.nan) if call["disp"] else out["x"]
    found: OptimizeResult = jax_result(out)
    return (root, found) if call["full_output"] else root


@users
def _power(x: Any, a: Any, b: Any) -> Any:
    return x**3 - a * b


@users
def _slope(x: Any, a: Any, b: Any) -> Any:
    return 3 * x**2


_TIGHT: dict[str, Any] = {"rtol": 1e-9, "grad_rtol": 1e-4}


@implements(
    "scipy.optimize.newton",
    callables={"func": _point, "fprime": _point, "fprime2": _point},
    trees=("args",),
    dtypes={"args": "keep", "maxiter": "keep"},
    prepare=_prepare,
    drive=real_or_host(scipy.optimize.newton, _finish),
    finish_jax=_finish_jax,
    examples=lambda: [
        Example(
            (_power, np.array([1.5, 2.0, 0.8]), _slope),
            {"args": np.array([2.0, 0.7]), "tol": 1e-12},
            grad=("args",),
            vmap=("args", "x0"),
            float32=False,
            **_TIGHT,
        ),
        Example(
            (_power, 1.5),
            {"args": np.array([2.0, 0.7]), "tol": 1e-12},
            grad=("args",),
            vmap=("args",),
            **_TIGHT,
        ),
    ],
    note="complex functions of a real start.",
)
def newton(func, x0, fprime, args, tol, maxiter, fprime2, x1, rtol):
    """Find a root by Newton's, Halley's or the secant method.

    `x0` may be an array, of any shape: `func` then works element by element. The roots are differentiable with
    respect to `args` and what the functions close over, by the implicit function theorem, to any order. With JAX
    arrays a single root that was not found is NaN where ``disp`` is true, ``full_output`` gives an
    `OptimizeResult` of arrays, and arrays never warn.

    References
    ----------
    E. Halley, "Methodus nova accurata et facilis inveniendi radices", 1694.

    Examples
    --------
    >>> from sci.optimize import newton
    >>> round(float(newton(lambda x: x**3 - 1, 1.5, fprime=lambda x: 3 * x**2)), 6)
    1.0
    """
    functions = tuple(f for f in (func, fprime, fprime2) if f is not None)
    return open_method(functions, x0, x1, args, tol, rtol, maxiter, False)
