"""`find_root` and `find_minimum`: Chandrupatla's methods on arrays, every element stopping by itself."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp
import numpy as np
from scipy._lib._util import _RichResult  # SciPy's result class here; it has no public name
from scipy.optimize import OptimizeResult

from sci.bridge import Call, Example, HostRoute, Reason, as_array, implements
from sci.bridge.worlds import is_jax
from sci.optimize._shared import users
from solvers.scalar import Chandrupatla, ChandrupatlaMinimum
from solvers.scalar import find_minimum as minimise
from solvers.scalar import find_root as solve

__all__ = ["find_minimum", "find_root"]

_TOLERANCES = ("xatol", "xrtol", "fatol", "frtol")
_FIELDS = ("status", "success", "x", "f_x", "nfev", "nit", "bracket", "f_bracket")
_ORDER = ["success", "status", "x", "f_x", "nfev", "nit", "bracket", "f_bracket"]


def _prepare(points: int) -> Any:
    def prepare(call: Call) -> None:
        init = tuple(call["init"])
        if len(init) != points:
            raise ValueError(f"init must hold {points} arrays, got {len(init)}")
        if not callable(call["f"]):
            raise ValueError("`func` must be callable.")
        if call["callback"] is not None:
            if not callable(call["callback"]):
                raise ValueError("`callback` must be callable.")
            raise HostRoute(Reason.CALLBACK, "callback")
        _options(call)
        args = call["args"] if np.iterable(call["args"]) else (call["args"],)
        call["init"], call["args"] = broadcast_points(init, tuple(args))

    return prepare


def _options(call: Call) -> None:
    tolerances = dict(call["tolerances"] or {})
    if unknown := set(tolerances) - set(_TOLERANCES):
        raise TypeError(f"tolerances has an unexpected key {unknown.pop()!r}; allowed are {_TOLERANCES}")
    for name in _TOLERANCES:
        value = call[name] = tolerances.get(name)
        if value is not None and not is_jax(value):
            valid = np.asarray(value).dtype.kind in "biuf" and np.ndim(value) == 0 and value >= 0
            if not valid:
                raise ValueError(f"Tolerances must be non-negative scalars, got {name}={value!r}.")
    maxiter = call["maxiter"]
    if maxiter is not None and (maxiter != int(maxiter) or maxiter < 0):
        raise ValueError(f"`maxiter` must be a non-negative integer, got {maxiter!r}.")


def broadcast_points(init: tuple[Any, ...], args: tuple[Any, ...]) -> tuple[tuple[Any, ...], tuple[Any, ...]]:
    """All arrays on one shape, the points in one floating dtype."""
    if is_jax(init) or is_jax(args):
        init = tuple(jnp.asarray(x) for x in init)
        dtype = jnp.result_type(*init)
        dtype = dtype if jnp.issubdtype(dtype, jnp.inexact) else jnp.result_type(float)
        shape = np.broadcast_shapes(*(np.shape(x) for x in (*init, *args)))
        points = tuple(jnp.broadcast_to(x, shape).astype(dtype) for x in init)
        return points, tuple(jnp.broadcast_to(jnp.asarray(x), shape) for x in args)
    arrays = [np.asarray(x) for x in (*init, *args)]
    if any(a.dtype.kind not in "biufc" for a in arrays):
        raise HostRoute(Reason.DTYPE, "init or args are not numeric")
    dtype = np.result_type(*arrays[: len(init)])
    if dtype.kind == "c":
        raise ValueError("Abscissae and function output must be real numbers.")
    if dtype == np.float16:  # SciPy's result has it too; the bridge computes in single precision
        raise HostRoute(Reason.DTYPE, "half precision")
    dtype = dtype if dtype.kind == "f" else np.dtype(float)
    try:
        shape = np.broadcast_shapes(*(a.shape for a in arrays))
    except ValueError as error:
        raise ValueError(f"Array shapes are incompatible for broadcasting. {error}") from None
    if 0 in shape:
        raise HostRoute(Reason.SHAPE, f"no elements: {shape}")
    full = [np.broadcast_to(a, shape) for a in arrays]
    return tuple(a.astype(dtype) for a in full[: len(init)]), tuple(a.copy() for a in full[len(init) :])


def _example(call: Call) -> tuple[Any, ...]:
    return (call["init"][0], *call["args"])


def elementwise_values(function: Any) -> Any:
    def value(x, *args):
        out = as_array(function(x, *args))
        if out.shape != x.shape:
            raise ValueError(
                "The shape of the array returned by `func` must be the same as the broadcasted shape of `x` and all "
                f"other `args`: {x.shape}, not {out.shape}."
            )
        if jnp.issubdtype(out.dtype, jnp.complexfloating):
            raise ValueError("Abscissae and function output must be real numbers.")
        return out

    return value


def _output(result: Any) -> dict[str, Any]:
    values = (result.status, result.success, result.x, result.fun, result.nfev, result.nit)
    return dict(zip(_FIELDS, (*values, result.extra["bracket"], result.extra["f_bracket"]), strict=True))


def _finish(call: Call, out: dict[str, Any]) -> Any:
    return _RichResult({name: out[name] for name in _FIELDS}, _order_keys=_ORDER)


@users
def _cubic(x: Any, c: Any) -> Any:
    return x**3 - c


@users
def _bowl(x: Any, c: Any) -> Any:
    return (x - c) ** 4 + (x - c) ** 2


_FACTS: dict[str, Any] = {
    "callables": {"f": _example},
    "trees": ("init", "args"),
    "dtypes": {"args": "keep", "maxiter": "keep"},
    "finish": _finish,
    "finish_jax": lambda call, out: OptimizeResult(out),
    "note": "callbacks.",
}
_COMPARE: dict[str, Any] = {
    "grad": ("args",),
    "vmap": ("args",),
    "output": lambda r: (r["x"], r["f_x"], r["status"], r["success"]),
    "grad_rtol": 1e-4,
}


@implements(
    "scipy.optimize.elementwise.find_root",
    prepare=_prepare(2),
    examples=lambda: [
        Example((_cubic, (0.0, np.array([2.0, 3.0]))), {"args": np.array([1.5])}, atol=1e-12, **_COMPARE)
    ],
    **_FACTS,
)
def find_root(f, init, args, xatol, xrtol, fatol, frtol, maxiter):
    """Find the root of a function within a bracket, element by element (Chandrupatla's method).

    The roots are differentiable with respect to `args` and what `f` closes over, by the implicit function theorem.
    With JAX arrays the result is an `OptimizeResult` of arrays. `f` sees arrays of the broadcast shape, where SciPy
    flattens them and leaves out the elements that have ended.

    References
    ----------
    T. R. Chandrupatla, "A new hybrid quadratic/bisection algorithm for finding the zero of a nonlinear function
    without using derivatives", 1997.

    Examples
    --------
    >>> import numpy as np
    >>> from sci.optimize.elementwise import find_root
    >>> find_root(lambda x, c: x**3 - c, (0, 3), args=(np.array([1.0, 8.0]),)).x.round(6).tolist()
    [1.0, 2.0]
    """
    method = Chandrupatla(xatol, xrtol, fatol, 0.0 if frtol is None else frtol, maxiter)
    return _output(solve.__wrapped__(elementwise_values(f), init, args, method))


@implements(
    "scipy.optimize.elementwise.find_minimum",
    prepare=_prepare(3),
    examples=lambda: [
        Example(
            (_bowl, (0.0, 1.0, np.array([4.0, 5.0]))),
            {"args": np.array([1.5]), "tolerances": {"xatol": 1e-9}},
            rtol=1e-6,
            atol=1e-7,
            float32=False,
            **_COMPARE,
        )
    ],
    **_FACTS,
)
def find_minimum(f, init, args, xatol, xrtol, fatol, frtol, maxiter):
    """Find the minimum of a function within a bracket, element by element (Chandrupatla's method).

    Derivatives, the JAX world and what `f` sees as for `find_root`.

    References
    ----------
    T. R. Chandrupatla, "An efficient quadratic fit-sectioning algorithm for minimization without derivatives", 1998.

    Examples
    --------
    >>> import numpy as np
    >>> from sci.optimize.elementwise import find_minimum
    >>> find_minimum(lambda x, c: (x - c) ** 2, (-5, 0, 5), args=(np.array([1.0, 2.0]),)).x.round(6).tolist()
    [1.0, 2.0]
    """
    method = ChandrupatlaMinimum(xatol, xrtol, fatol, frtol, maxiter)
    return _output(minimise.__wrapped__(elementwise_values(f), init, args, method))
