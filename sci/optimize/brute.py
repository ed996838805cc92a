"""`brute`: the function at all points of a grid, in batches."""

from __future__ import annotations

import inspect
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import scipy.optimize
from jax import lax
from scipy.optimize import OptimizeResult

from sci.bridge import Call, Example, HostRoute, Reason, as_array, implements, warn_user
from sci.bridge.worlds import is_jax
from sci.optimize._shared import bind_arguments, need_callable, users
from sci.optimize.minimizers import minimize

__all__ = ["brute"]

_BATCH = 1 << 14


def _prepare(call: Call) -> None:
    need_callable(call, "func")
    ranges = list(call["ranges"])
    if is_jax(ranges) or is_jax(call["Ns"]):
        raise ValueError("`ranges` and `Ns` must be known numbers: the size of the grid depends on them")
    if len(ranges) > 40:
        raise ValueError("Brute Force not possible with more than 40 variables.")
    workers = call["workers"]
    if callable(workers) or not isinstance(workers, (int, np.integer)):
        raise HostRoute(Reason.OPTION, f"workers={workers!r}")
    for k, limits in enumerate(ranges):
        if not isinstance(limits, slice):
            limits = tuple(limits)
            ranges[k] = slice(*(limits if len(limits) >= 3 else (*limits, complex(call["Ns"]))))
    call["grid"] = np.mgrid[tuple(ranges)].astype(float)
    if call["grid"].size == 0:
        raise HostRoute(Reason.SHAPE, f"a grid of shape {call['grid'].shape[1:]}")
    call["points"] = call["grid"].reshape(len(ranges), -1).T
    call["args"] = tuple(call["args"]) if np.iterable(call["args"]) else (call["args"],)
    call["given"] = (call["func"], call["args"])
    bind_arguments(call, "func")


def _outcome(call: Call, values: Any, function: Any, args: Any) -> Any:
    """SciPy's outputs, after its `finish`."""
    grid, lib = call["grid"], jnp if is_jax(values) else np
    n, values = len(grid), values.reshape(grid.shape[1:])
    flat = lib.where(lib.isnan(values), lib.inf, values).ravel()
    best = lib.argmin(flat)
    x, least = lib.asarray(grid.reshape(n, -1))[:, best], values.ravel()[best]
    if n == 1:
        grid, x = grid[0], x[0]
    if callable(call["finish"]):
        x, least = _finished(call, function, args, x)
    return (x, least, grid, values) if call["full_output"] else x


def _finished(call: Call, function: Any, args: Any, x: Any) -> tuple[Any, Any]:
    finish = call["finish"]
    if finish is scipy.optimize.fmin:
        if not call.numpy:
            found = minimize(function, lax.stop_gradient(jnp.atleast_1d(x)), args, "BFGS")
            return found.x, found.fun
        from sci.optimize import fmin

        finish = fmin
    spec = inspect.getfullargspec(finish)
    known = {*spec.args, *spec.kwonlyargs}
    known |= set(inspect.signature(finish).parameters)
    options: dict[str, Any] = {"full_output": 1} if "full_output" in known else {}
    if "disp" in known:
        options["disp"] = call["disp"]
    elif "options" in known:
        options["options"] = {"disp": call["disp"]}
    found = finish(function, x, args=args, **options)
    if isinstance(found, OptimizeResult):
        x, least, success = found.x, found.fun, found.success
    else:
        x, least, success = found[0], found[1], found[-1] == 0
    if call.numpy and not success and call["disp"]:
        warn_user(
            "Either final optimization did not succeed or `finish` does not return `statuscode` as its last argument.",
            RuntimeWarning,
        )
    return x, least


def _finish(call: Call, values: Any) -> Any:
    return _outcome(call, values, *call["given"])


def _finish_jax(call: Call, values: Any) -> Any:
    return _outcome(call, values, call["func"], call["args"])


@users
def _two_valleys(x: Any, depth: Any) -> Any:
    return (x[0] ** 2 - 1.0) ** 2 + depth * x[0] + (x[1] - depth) ** 2


@implements(
    "scipy.optimize.brute",
    callables={"func": lambda call: (call["points"][0], *call["args"])},
    trees=("args",),
    dtypes={"args": "keep"},
    prepare=_prepare,
    finish=_finish,
    finish_jax=_finish_jax,
    examples=lambda: [
        Example(
            (_two_valleys, ((-2.0, 2.0), slice(-1.0, 1.0, 0.5))),
            {"args": (np.float64(0.3),), "Ns": 9, "finish": None, "full_output": True},
            grad=("args",),
            vmap=("args",),
            output=lambda r: r[1],
            float32=False,
        )
    ],
    note="workers that are a function; `finish=fmin` where that is.",
)
def brute(func, points, args):
    """Minimise a function over a grid, then from the grid's best point.

    The function runs on batches of grid points; its values that are not a number count as infinite. With JAX arrays
    the grid must be known, the default `finish` is BFGS, whose result is differentiable with respect to `args`, and
    without `finish` the point is a constant and its value differentiable.

    Examples
    --------
    >>> import numpy as np
    >>> from sci.optimize import brute
    >>> found = brute(lambda x: np.sum((x - 1) ** 2), ((-2, 2), (-2, 2)), Ns=9, finish=None)
    >>> found.tolist()
    [1.0, 1.0]
    """

    def value(x):
        out = as_array(func(x, *args))
        if out.size != 1:
            raise ValueError(f"func must return a scalar value, got an array of shape {out.shape}")
        return out.reshape(())

    if len(points) <= _BATCH:
        return jax.vmap(value)(points)
    return lax.map(value, points, batch_size=_BATCH)
