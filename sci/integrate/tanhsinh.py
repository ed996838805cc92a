"""`tanhsinh`: elementwise integrals by the tanh-sinh rule."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp
import numpy as np
from scipy._lib._util import _RichResult  # SciPy's result class here; it has no public name

from sci.bridge import Call, Example, HostRoute, Reason, as_array, implements, register_result
from sci.bridge.worlds import is_jax
from solvers import quadrature

__all__ = ["broadcast", "levels", "tanhsinh"]

register_result(_RichResult)

_FIELDS = ("success", "status", "integral", "error", "maxlevel", "nfev")


def _prepare(call: Call) -> None:
    if not callable(call["f"]):
        raise ValueError("`f` must be callable.")
    for name in ("log", "preserve_shape"):
        if call[name] not in (True, False):
            raise ValueError(f"`{name}` must be True or False, got {call[name]!r}.")
        call[name] = bool(call[name])
    if call["callback"] is not None:
        if not callable(call["callback"]):
            raise ValueError(f"`callback` must be callable, got {call['callback']!r}.")
        raise HostRoute(Reason.CALLBACK, "callback")
    call["atol"], call["rtol"] = tolerances(call["log"], call["atol"], call["rtol"])
    call["minlevel"], call["maxlevel"] = levels(call["minlevel"], call["maxlevel"])
    args = call["args"] if np.iterable(call["args"]) else (call["args"],)
    (call["a"], call["b"]), call["args"] = broadcast(("a", "b"), (call["a"], call["b"]), tuple(args))
    if call["log"] and call.numpy and (call["b"] < call["a"]).any():
        raise HostRoute(Reason.OPTION, "log=True with b < a: the logarithm of a negative number")
    call["shape"] = shape = call["a"].shape
    if call.numpy and call["preserve_shape"]:
        _check_shape(call, shape)
    call["example"] = (centre(call["a"], call["b"]), *call["args"])


def _check_shape(call: Call, shape: tuple[int, ...]) -> None:
    """A function with more elements than the limits is for the host: known by a call of it."""
    with np.errstate(all="ignore"):
        value = call["f"](centre(call["a"], call["b"]), *call["args"])
    if not is_jax(value) and np.shape(value) != shape:
        raise HostRoute(Reason.SHAPE, f"f returns shape {np.shape(value)} for limits of shape {shape}")


def tolerances(log: bool, atol: Any, rtol: Any) -> tuple[Any, Any]:
    """Tolerances as SciPy checks them."""
    for name, value in (("atol", atol), ("rtol", rtol)):
        if value is None or is_jax(value):
            continue
        if np.asarray(value).dtype.kind not in "biuf" or np.ndim(value) != 0:
            raise ValueError(f"`atol` and `rtol` must be real numbers, got {name}={value!r}.")
        if log and (np.isposinf(value) or np.isnan(value)):
            raise ValueError(f"`atol` and `rtol` may not be positive infinity, got {name}={value!r}.")
        if not log and not 0 <= value < np.inf:
            raise ValueError(f"`atol` and `rtol` must be non-negative and finite, got {name}={value!r}.")
    return (-np.inf if log else 0.0) if atol is None else atol, rtol


def levels(minlevel: Any, maxlevel: Any) -> tuple[int, int]:
    """``minlevel`` and ``maxlevel`` as SciPy checks them."""
    maxlevel = 10 if maxlevel is None else maxlevel
    for name, value in (("minlevel", minlevel), ("maxlevel", maxlevel)):
        if np.asarray(value).dtype.kind not in "biuf" or int(value) != value:
            raise ValueError(f"`maxlevel` and `minlevel` must be integers, got {name}={value!r}.")
        if value < 0:
            raise ValueError(f"`maxlevel` and `minlevel` must be non-negative, got {name}={value!r}.")
    if maxlevel > 24:
        raise HostRoute(Reason.OPTION, f"maxlevel={maxlevel}")
    return min(int(minlevel), int(maxlevel)), int(maxlevel)


def broadcast(names: Any, limits: tuple[Any, ...], args: tuple[Any, ...]) -> tuple[list[Any], tuple[Any, ...]]:
    """All arrays on one shape, the limits in one floating dtype."""
    xp: Any = jnp if is_jax(limits) or is_jax(args) else np
    arrays = [xp.asarray(v) for v in (*limits, *args)]
    k = len(limits)
    if any(a.dtype.kind not in "biufc" for a in arrays):
        raise HostRoute(Reason.DTYPE, "limits or args are not numeric")
    if any(a.dtype.kind == "c" for a in arrays[:k]):
        raise ValueError(f"All elements of {', '.join(f'`{n}`' for n in names)} must be real numbers.")
    dtype = xp.result_type(*arrays[:k])
    dtype = dtype if dtype.kind == "f" else xp.result_type(float)
    shape = np.broadcast_shapes(*(a.shape for a in arrays))
    if 0 in shape:
        raise HostRoute(Reason.SHAPE, f"no elements: {shape}")
    full = [xp.broadcast_to(a, shape) for a in arrays]
    copies = [a.astype(dtype) for a in full[:k]]
    return copies, tuple(a if xp is jnp else a.copy() for a in full[k:])


def centre(a: Any, b: Any) -> Any:
    """A point inside each range."""
    if is_jax(a) or is_jax(b):
        return jnp.full(a.shape, 0.61, a.dtype)
    with np.errstate(all="ignore"):
        c = np.where(np.isinf(a), b - 1, np.where(np.isinf(b), a + 1, (a + b) / 2))
        return np.where(np.isinf(a) & np.isinf(b), 0, c).astype(a.dtype)


def _result(call: Call, out: Any) -> Any:
    shape, xp = call["shape"], np if call.numpy else jnp
    level = out.level.astype(np.int64) if call.numpy else out.level  # as SciPy has it
    parts = (out.status == 0, out.status, out.value, out.error, level, out.neval)
    if call.numpy:
        return _RichResult(
            zip(_FIELDS, (np.reshape(v, shape)[()] for v in parts), strict=True), _order_keys=list(_FIELDS)
        )
    return _RichResult(zip(_FIELDS, (xp.reshape(v, shape) for v in parts), strict=True))


def _decay(x: Any, k: Any) -> Any:
    return np.exp(-k * x) * np.sqrt(x)


_decay.__module__ = "user"


@implements(
    "scipy.integrate.tanhsinh",
    callables={"f": lambda call: call["example"]},
    trees=("args",),
    dtypes={"args": "keep", "maxlevel": "keep"},
    static=("log", "minlevel"),
    prepare=_prepare,
    finish=_result,
    finish_jax=_result,
    examples=lambda: [
        Example(
            (_decay, np.array([0.2, 0.5]), np.array([1.5, 4.0])),
            {"args": (np.array(0.7),)},
            grad=("a", "b"),
            output=lambda r: r["integral"],
            rtol=1e-9,
            skip_odd=("nan", "inf", "1x1", "one axis more"),  # SciPy's arrays of one element are special
        )
    ],
    note="`callback`, `maxlevel` above 24, `log` with b < a, functions that return more elements than the limits have.",
)
def tanhsinh(f, a, b, args, log, minlevel, maxlevel, atol, rtol):
    """Integrate elementwise by tanh-sinh quadrature.

    Parameters
    ----------
    f : callable
        ``f(x, *args)`` of arrays of one shape, elementwise, real or complex.
    a, b : array_like
        Limits, possibly infinite; they are broadcast with each other and `args`.
    args : tuple of array_like
        Further arguments.
    log : bool
        Whether `f` returns the logarithm of the integrand; the result is a logarithm then. Limits in the other order
        make it complex: on the host, and NaN in the JAX world, whose dtypes do not depend on values.
    maxlevel, minlevel : int
        The last level (default 10), and the first that may end the iteration. Each level has twice the nodes.
    atol, rtol : float
        Tolerances (logarithms with `log`).
    preserve_shape : bool
        Here `f` always gets arrays of the full shape, so that both choices are the same.

    Returns
    -------
    result
        ``success``, ``status`` (0 converged, -2 not at `maxlevel`, -3 values that are not finite), ``integral``,
        ``error``, ``maxlevel``, ``nfev``. ``integral`` is differentiable with respect to the limits, `args` and what
        `f` closes over: the derivative of the sum of level 7.

    Raises
    ------
    ValueError
        For limits that are not real, tolerances or levels that are not allowed, or a function that returns another
        shape.

    References
    ----------
    .. [1] D. H. Bailey, K. Jeyabalan, X. S. Li, "A comparison of three high-precision quadrature schemes",
           Experimental Mathematics 14 (2005) 317-329.

    Examples
    --------
    >>> import numpy as np
    >>> from sci.integrate import tanhsinh
    >>> r = tanhsinh(lambda x: 1 / np.sqrt(x), 0.0, 1.0)
    >>> bool(abs(r.integral - 2) < 1e-10)
    True
    """
    shape = a.shape

    def elements(x):
        y = as_array(f(x.reshape(shape), *args))
        if y.shape != shape:
            raise ValueError(
                "When `preserve_shape=False`, the shape of the array returned by `func` must be the same as the "
                f"broadcasted shape of `x` and all other `args`: {y.shape} is not {shape}."
            )
        return y.ravel()

    out = quadrature.tanh_sinh(
        elements, jnp.ravel(a), jnp.ravel(b), log=log, minlevel=minlevel, maxlevel=maxlevel, atol=atol, rtol=rtol
    )
    if log:
        out = out._replace(value=jnp.where(jnp.ravel(b < a), jnp.nan, out.value))
    return out
