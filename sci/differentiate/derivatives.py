"""`derivative`, `jacobian` and `hessian`: exact derivatives of traced functions."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from scipy._lib._util import _RichResult  # SciPy's result class here; it has no public name
from scipy.optimize import OptimizeResult

from sci.bridge import Call, Example, HostRoute, Reason, as_array, implements
from sci.bridge.worlds import is_jax
from sci.optimize._shared import users

__all__ = ["derivative", "hessian", "jacobian"]

_NOT_FINITE = -3  # SciPy's status of a value that is not finite
_ROUNDING = 64  # units in the last place that are given as the error


# --- checks ----------------------------------------------------------------------------------


def _check_options(call: Call) -> None:
    if not callable(call["f"]):
        raise ValueError("`f` must be callable.")
    tolerances = dict(call["tolerances"] or {})
    values = [tolerances.get("atol", 0), tolerances.get("rtol", 0)]
    if set(tolerances) - {"atol", "rtol"}:
        raise HostRoute(Reason.OPTION, f"tolerances={tolerances!r}")
    values += [call["initial_step"], call["step_factor"]] if np.ndim(call["initial_step"]) == 0 else []
    for value in values:
        if value is None or is_jax(value):
            continue
        if np.asarray(value).dtype.kind not in "biuf" or np.ndim(value) or not value >= 0:
            raise ValueError(f"Tolerances and step parameters must be non-negative scalars, got {value!r}.")
    for name in ("maxiter", "order"):
        value = call[name]
        if value != int(value) or value <= 0:
            raise ValueError(f"`{name}` must be a positive integer, got {value!r}.")
    direction = call.get("step_direction", 0)
    if is_jax(direction) or np.any(direction):
        raise HostRoute(Reason.OPTION, f"step_direction={direction!r}: one-sided derivatives")
    step = call.get("initial_step", 1.0)
    if not is_jax(step) and step is not None and not np.all(np.asarray(step) > 0):
        raise HostRoute(Reason.OPTION, f"initial_step={step!r}: not positive, the original answers NaN")


def _real_points(call: Call) -> None:
    """``x`` as a floating array."""
    x = call["x"]
    if is_jax(x):
        x = jnp.asarray(x)
        call["x"] = x if jnp.issubdtype(x.dtype, jnp.inexact) else x.astype(float)
    else:
        x = np.asarray(x)
        if x.dtype.kind not in "biufc" or x.size == 0:
            raise HostRoute(Reason.DTYPE, f"x has dtype {x.dtype} and shape {x.shape}")
        call["x"] = x if x.dtype.kind in "fc" else x.astype(float)
    if np.iscomplexobj(call["x"]):
        raise ValueError("Abscissae and function output must be real numbers.")


def _prepare_derivative(call: Call) -> None:
    _check_options(call)
    if call["callback"] is not None:
        if not callable(call["callback"]):
            raise ValueError("`callback` must be callable.")
        raise HostRoute(Reason.CALLBACK, "callback")
    if call["preserve_shape"] not in (True, False):
        raise ValueError(f"`preserve_shape` must be True or False, got {call['preserve_shape']!r}.")
    call["preserve_shape"] = bool(call["preserve_shape"])
    _real_points(call)
    args = call["args"] if np.iterable(call["args"]) else (call["args"],)
    lib: Any = jnp if is_jax(call["x"]) or is_jax(args) else np
    if lib is np and any(np.asarray(a).dtype.kind not in "biufc" for a in args):
        raise HostRoute(Reason.DTYPE, "args are not numeric")
    shape = np.broadcast_shapes(np.shape(call["x"]), *(np.shape(a) for a in args))
    call["x"] = lib.array(lib.broadcast_to(call["x"], shape))
    call["args"] = tuple(lib.array(lib.broadcast_to(a, shape)) for a in args)


def _prepare_vector(call: Call) -> None:
    if not callable(call["f"]):
        raise ValueError("`f` must be callable.")
    _real_points(call)
    if np.ndim(call["x"]) == 0:
        raise ValueError("Argument `x` must be at least 1-D.")
    _check_options(call)


# --- results ---------------------------------------------------------------------------------


def _result(name: str, value: Any, evaluations: int, **more: Any) -> dict[str, Any]:
    """SciPy's fields: the derivative, a bound of its rounding error, and how it ended."""
    finite = jnp.isfinite(value)
    value = jnp.where(finite, value, jnp.nan)
    error = jnp.where(finite, _ROUNDING * jnp.finfo(value.dtype).eps * jnp.abs(jax.lax.stop_gradient(value)), jnp.nan)
    status = jnp.where(finite, 0, _NOT_FINITE).astype(jnp.int32)
    nfev = jnp.full(value.shape, evaluations, jnp.int32)
    return {"status": status, name: value, "error": error, "nfev": nfev, "success": finite} | more


def _finish(*order: str) -> Any:
    def finish(call: Call, out: dict[str, Any]) -> Any:
        return _RichResult({n: out[n] for n in order}, _order_keys=["success", *(n for n in order if n != "success")])

    return finish


def _finish_jax(call: Call, out: dict[str, Any]) -> OptimizeResult:
    return OptimizeResult(out)


def _real(function: Any) -> Any:
    def value(x, *args):
        out = as_array(function(x, *args))
        if jnp.issubdtype(out.dtype, jnp.complexfloating):
            raise ValueError("Abscissae and function output must be real numbers.")
        return out.astype(jnp.result_type(out.dtype, x.dtype))

    return value


def _directional(function: Any, x: Any) -> Any:
    """The derivative along every axis of ``x``'s first dimension, stacked last but for the points' dimensions.

    `function` works point by point on the further dimensions of x, (m, ...), so that one tangent for all points
    gives each its own derivative.
    """
    basis = jnp.eye(x.shape[0], dtype=x.dtype).reshape((x.shape[0],) * 2 + (1,) * (x.ndim - 1))

    def along(direction):
        return jax.jvp(function, (x,), (jnp.broadcast_to(direction, x.shape),))[1]

    columns = jax.vmap(along)(basis)
    return jnp.moveaxis(columns, 0, columns.ndim - 1 - (x.ndim - 1))


# --- the functions ---------------------------------------------------------------------------


@users
def _curve(x: Any, p: Any) -> Any:
    return np.exp(-x) * x + p * x**3


@users
def _field(x: Any) -> Any:
    return np.stack([x[0] * x[1], x[0] ** 2 + np.sin(x[1]), x[1]])


@users
def _scalar(x: Any) -> Any:
    return x[0] ** 3 * x[1] + np.exp(x[1])


# The examples have no oracle: SciPy's differences in single precision are off by up to 100%, and of NaN and inf they
# end by chance. tests/differentiate compares in double precision.
_FACTS: dict[str, Any] = {
    "callables": {"f": lambda call: (call["x"], *call.get("args", ()))},
    "finish_jax": _finish_jax,
    "note": "one-sided derivatives (step_direction), callbacks.",
}


@implements(
    "scipy.differentiate.derivative",
    trees=("args",),
    dtypes={"args": "keep"},
    static=("preserve_shape",),
    prepare=_prepare_derivative,
    finish=_finish("status", "df", "error", "nit", "nfev", "x", "success"),
    examples=lambda: [
        Example(
            (_curve, np.array([0.4, 1.3])),
            {"args": (np.array([1.5, 2.0]),)},
            grad=("x", "args"),
            vmap=("x",),
            output=lambda r: (r["df"], r["x"]),
            rtol=1e-8,
            grad_rtol=1e-4,
            oracle=False,
        )
    ],
    **_FACTS,
)
def derivative(f, x, args, preserve_shape):
    """Derivative of a function, element by element, exact where SciPy takes differences.

    `f` is differentiated by JAX, so that ``error`` is the rounding of the value only, ``nit`` and ``nfev`` are 1, and
    the steps, the order and the tolerances have no meaning; they are checked. A derivative that is not finite is NaN
    with status -3. The result is differentiable with respect to `x`, `args` and what `f` closes over. With JAX
    arrays it is an `OptimizeResult` of arrays.

    References
    ----------
    A. Griewank, A. Walther, "Evaluating Derivatives", 2008.

    Examples
    --------
    >>> from sci.differentiate import derivative
    >>> round(float(derivative(lambda x: x**3, 2.0).df), 6)
    12.0
    """
    value = _real(f)
    shape = jax.eval_shape(value, x, *args).shape
    if preserve_shape:
        full = np.broadcast_shapes(shape, x.shape)
    elif shape != x.shape:
        raise ValueError(
            "When `preserve_shape=False`, the shape of the array returned by `func` must be the same as the "
            f"broadcasted shape of `x` and all other `args`: {x.shape}, not {shape}."
        )
    else:
        full = x.shape
    _, slope = jax.jvp(lambda x: value(x, *args), (x,), (jnp.ones_like(x),))
    slope, x = jnp.broadcast_to(slope, full), jnp.broadcast_to(x, full)
    return _result("df", slope, 1, nit=jnp.ones(full, jnp.int32), x=x)


@implements(
    "scipy.differentiate.jacobian",
    prepare=_prepare_vector,
    finish=_finish("status", "df", "error", "nit", "nfev", "success"),
    examples=lambda: [
        Example(
            (_field, np.array([0.4, 1.3])),
            grad=("x",),
            vmap=("x",),
            output=lambda r: r["df"],
            rtol=1e-8,
            atol=1e-10,
            grad_rtol=1e-4,
            oracle=False,
        )
    ],
    **_FACTS,
)
def jacobian(f, x):
    """Jacobian of a vector function at points along the further axes of `x`, exact where SciPy takes differences.

    ``df`` has shape (n, m, ...) for `x` of shape (m, ...) and values of shape (n, ...). See `derivative` for what
    the other fields mean, and for derivatives of the result.

    References
    ----------
    A. Griewank, A. Walther, "Evaluating Derivatives", 2008.

    Examples
    --------
    >>> import numpy as np
    >>> from sci.differentiate import jacobian
    >>> jacobian(lambda x: np.stack([x[0] * x[1], x[0] ** 2]), np.array([1.0, 2.0])).df.tolist()
    [[2.0, 1.0], [2.0, 0.0]]
    """
    matrix = _directional(_real(f), x)
    return _result("df", matrix, 1, nit=jnp.ones(matrix.shape, jnp.int32))


@implements(
    "scipy.differentiate.hessian",
    prepare=_prepare_vector,
    finish=_finish("status", "error", "nfev", "success", "ddf"),
    examples=lambda: [
        Example(
            (_scalar, np.array([0.4, 1.3])),
            grad=("x",),
            vmap=("x",),
            output=lambda r: r["ddf"],
            rtol=1e-7,
            atol=1e-8,
            grad_rtol=1e-4,
            oracle=False,
        )
    ],
    **_FACTS,
)
def hessian(f, x):
    """Hessian of a scalar function at points along the further axes of `x`, exact where SciPy takes differences.

    ``ddf`` has shape (m, m, ...) for `x` of shape (m, ...). See `derivative` for what the other fields mean.

    References
    ----------
    A. Griewank, A. Walther, "Evaluating Derivatives", 2008.

    Examples
    --------
    >>> import numpy as np
    >>> from sci.differentiate import hessian
    >>> hessian(lambda x: x[0] ** 2 * x[1], np.array([1.0, 2.0])).ddf.tolist()
    [[4.0, 2.0], [2.0, 0.0]]
    """
    value = _real(f)
    out = _result("ddf", _directional(lambda x: _directional(value, x), x), 1)
    return out | {"nfev": out["nfev"].astype(int)}  # of SciPy's width here
