"""Roots of scalar functions within a bracket, and what all scalar root finders share."""

from __future__ import annotations

import operator
from typing import Any

import jax.numpy as jnp
import numpy as np
from scipy.optimize import OptimizeResult, RootResults

from sci.bridge import Call, Example, HostRoute, Reason, as_array, implements, warn_user
from sci.bridge.worlds import is_jax
from sci.optimize._shared import bind_arguments, need_callable, users
from solvers.scalar import TOMS748, Bisect, Brent, Ridder, find_root
from solvers.scalar.status import CONVERGED, NOT_FINITE, SIGN_ERROR

__all__ = ["bisect", "brenth", "brentq", "bracket_method", "check_bracket", "ridder", "run_scalar", "toms748"]

XTOL, RTOL, MAXITER = 2e-12, 4 * np.finfo(float).eps, 100


def nan_message(x: Any) -> str:
    """SciPy's words for a value that is NaN."""
    return f"The function value at x={x} is NaN; solver cannot continue."


def run_scalar(functions: tuple[Any, ...], start: tuple[Any, ...], args: Any, method: Any, joint: bool) -> Any:
    """The engine on SciPy's conventions; a dictionary of what the finishing steps need.

    Parameters
    ----------
    functions : tuple of callables
        The function, and its derivatives where the method takes them.
    start : tuple of arrays
        Bracket or starting points.
    args : tuple
    method : solver of `solvers.scalar`
    joint : bool
        Whether the first function returns its derivatives too.
    """

    def fun(x, *a):
        if joint:
            out = functions[0](x, *a)
            values = [as_array(out[i]) for i in range(len(functions))]
        else:
            values = [as_array(f(x, *a)) for f in functions]
        return tuple(values) if len(values) > 1 else values[0]

    result = find_root.__wrapped__(fun, start, args, method)
    out = {k: getattr(result, k) for k in ("x", "fun", "nfev", "nit", "status")}
    out["status"] = jnp.where((out["status"] == CONVERGED) & ~jnp.isfinite(out["x"]), NOT_FINITE, out["status"])
    return out | {"previous": result.extra.get("previous", out["x"])}


def relative(rtol: Any, dtype: Any) -> Any:
    """A relative tolerance that the precision can reach."""
    return jnp.maximum(jnp.asarray(rtol, dtype), 4 * jnp.finfo(dtype).eps)


def bracket_method(name: str, xtol: Any, rtol: Any, maxiter: Any, k: Any, dtype: Any) -> Any:
    """The solver of `solvers.scalar` that SciPy calls `name`."""
    rtol = rtol if name == "toms748" and jnp.finfo(dtype).bits == 64 else relative(rtol, dtype)
    if name == "toms748":
        return TOMS748(xtol, rtol, maxiter, jnp.minimum(k, 100))
    if name in ("brentq", "brenth"):
        return Brent(xtol, rtol, maxiter, name == "brenth")
    return {"bisect": Bisect, "ridder": Ridder}[name](xtol, rtol, maxiter)


def real_number(call: Call, name: str) -> None:
    """An end of a bracket as a float; what SciPy would not take for one goes there for its error."""
    value = call[name]
    if is_jax(value):
        if np.shape(value) != ():
            raise ValueError(f"{name} must be a scalar, got shape {np.shape(value)}")
        return
    if np.ndim(value) or isinstance(value, (str, bytes)) or np.asarray(value).dtype.kind not in "biuf":
        raise HostRoute(Reason.SHAPE, f"argument {name!r} is no real number: {value!r}")
    call[name] = float(value)


def check_bracket(call: Call, method: str) -> None:
    """SciPy's checks of ends and tolerances, in its order; `call` gets clean entries."""
    call["maxiter"] = operator.index(call["maxiter"])
    xtol, rtol = call["xtol"], call["rtol"]
    if not is_jax(xtol) and xtol <= 0:
        raise ValueError(f"xtol too small ({xtol:g} <= 0)")
    least = RTOL / 4 if method == "toms748" else RTOL
    if not is_jax(rtol) and rtol < least:
        raise ValueError(f"rtol too small ({rtol:g} < {least:g})")
    if method == "toms748":
        if call["maxiter"] < 1:
            raise ValueError("maxiter must be greater than 0")
    elif call["maxiter"] < 0:
        raise ValueError("maxiter must be >= 0")
    real_number(call, "a")
    real_number(call, "b")
    if method == "toms748":
        _check_interval(call)


def _check_interval(call: Call) -> None:
    for name in ("a", "b"):
        if not is_jax(call[name]) and not np.isfinite(call[name]):
            raise ValueError(f"{name} is not finite {call[name]}")
    a, b = call["a"], call["b"]
    if not (is_jax(a) or is_jax(b)) and a >= b:
        raise ValueError(f"a and b are not an interval [{a}, {b}]")
    if not call["k"] >= 1:
        raise ValueError(f"k too small ({call['k']} < 1)")
    if call["k"] > 100:
        warn_user("toms748: Overriding k: ->100", RuntimeWarning)


def bracket_outcome(out: dict[str, Any], method: str, disp: bool) -> RootResults:
    """SciPy's result, or its exception for a bracket that is none."""
    status, root = int(out["status"]), out["x"].item()
    if status == SIGN_ERROR:
        raise ValueError("f(a) and f(b) must have different signs")
    if status == NOT_FINITE:
        raise ValueError(nan_message(root))
    nit = int(out["nit"])
    if status != CONVERGED and disp:
        raise RuntimeError(f"Failed to converge after {nit} iterations.")
    return RootResults(root, nit, int(out["nfev"]), status, method)


def _prepare(method: str) -> Any:
    def prepare(call: Call) -> None:
        need_callable(call, "f")
        call.setdefault("k", 1)
        check_bracket(call, method)
        bind_arguments(call, "f")

    return prepare


def _finish(method: str) -> Any:
    def finish(call: Call, out: dict[str, Any]) -> Any:
        result = bracket_outcome(out, method, bool(call["disp"]))
        return (result.root, result) if call["full_output"] else result.root

    return finish


def jax_result(out: dict[str, Any]) -> OptimizeResult:
    """The result's arrays; ``flag`` is the status."""
    return OptimizeResult(
        root=out["x"],
        iterations=out["nit"],
        function_calls=out["nfev"],
        converged=out["status"] == CONVERGED,
        flag=out["status"],
    )


def finish_jax(call: Call, out: dict[str, Any]) -> Any:
    """The root, NaN where ``disp`` would have raised."""
    result = jax_result(out)
    root = jnp.where(result["converged"], out["x"], jnp.nan) if call["disp"] else out["x"]
    return (root, result) if call["full_output"] else root


def numpy_number(value: Any) -> Any:
    """A point as the user's function is to see it: the compiled code follows NumPy's arithmetic, not Python's."""
    return np.float64(value) if type(value) is float else value


def _point(call: Call) -> tuple[Any, ...]:
    return (numpy_number(call["a"]), *call["args"])


@users
def _cubic(x: Any, a: Any) -> Any:
    return x**3 - a * x - 1


def _bracketing(method: str, reference: str) -> Any:
    """Register a bracketing method; they differ in the solver only."""
    k = {"k": 2} if method == "toms748" else {}
    native = implements(
        f"scipy.optimize.{method}",
        callables={"f": _point},
        trees=("args",),
        dtypes={"a": "float", "b": "float", "args": "keep", "maxiter": "keep", "k": "keep"},
        prepare=_prepare(method),
        finish=_finish(method),
        finish_jax=finish_jax,
        examples=lambda: [
            Example(
                (_cubic, 1.0, 3.0),
                {"args": (np.float64(2.5),), **k},
                grad=("args",),
                vmap=("args", "b"),
                rtol=1e-9,
                grad_rtol=1e-4,
            )
        ],
    )

    def body(f, a, b, args, xtol, rtol, maxiter, k):
        dtype = jnp.result_type(jnp.asarray(a), jnp.asarray(b), float if jnp.ndim(a) else a)
        solver = bracket_method(method, xtol, rtol, maxiter, k, dtype)
        return run_scalar((f,), (a, b), args, solver, False)

    body.__name__ = body.__qualname__ = method
    body.__module__ = __name__
    body.__doc__ = f"""Find a root of a function in a bracket ({_WORDS[method]}).

    The root is differentiable with respect to `args` and what `f` closes over, by the implicit function theorem, to
    any order. Under `jax.vmap` many roots are found at once. With JAX arrays a failure gives NaN where ``disp`` is
    true, and ``full_output`` an `OptimizeResult` of arrays whose ``flag`` is the status: 0 converged, -1 no change
    of sign, -2 too many iterations, -3 a value is NaN.

    References
    ----------
    {reference}

    Examples
    --------
    >>> from sci.optimize import {method}
    >>> print(round({method}(lambda x: x**2 - 2, 0, 2), 6))
    1.414214
    """
    return native(body)


_WORDS = {
    "bisect": "bisection",
    "ridder": "Ridders' method",
    "brentq": "Brent's method with inverse quadratic interpolation",
    "brenth": "Brent's method with hyperbolic extrapolation",
    "toms748": "Algorithm 748",
}
_BRENT = 'R. P. Brent, "Algorithms for Minimization Without Derivatives", 1973.'

bisect = _bracketing("bisect", 'R. L. Burden, J. D. Faires, "Numerical Analysis".')
ridder = _bracketing("ridder", 'C. F. J. Ridders, "A new algorithm for computing a single root", 1979.')
brentq = _bracketing("brentq", _BRENT)
brenth = _bracketing("brenth", _BRENT)
toms748 = _bracketing("toms748", 'G. E. Alefeld, F. A. Potra, Y. Shi, "Algorithm 748", 1995.')
