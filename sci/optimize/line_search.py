"""`line_search`: a step that satisfies the strong Wolfe conditions."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp
import numpy as np
from jax import lax
from scipy.optimize._linesearch import LineSearchWarning  # has no public name

from sci.bridge import Call, Example, HostRoute, Reason, as_array, implements, warn_user
from sci.optimize._shared import bind_arguments, flat_start, need_callable, users
from solvers.minimize import line_search as search
from solvers.roots.vectors import inner, pack

__all__ = ["line_search"]

_MAXITER = 10  # SciPy's, and the engine's


def _prepare(call: Call) -> None:
    need_callable(call, "f", "myfprime")
    for name in ("amax", "extra_condition"):
        if call[name] is not None:
            raise HostRoute(Reason.OPTION, name)
    if call["maxiter"] != _MAXITER:
        raise HostRoute(Reason.OPTION, f"maxiter={call['maxiter']!r}")
    bind_arguments(call, "f", "myfprime")
    for name in ("xk", "pk"):
        if np.ndim(call[name]) != 1:
            raise HostRoute(Reason.SHAPE, f"{name} has shape {np.shape(call[name])}")
        single = np.ndim(call[name]) == 1 and getattr(call[name], "dtype", None) == np.float32
        flat_start(call, name)
        if single and call.numpy:
            call[name] = call[name].astype(np.float32)  # SciPy steps in the given precision


def _validate(call: Call) -> None:
    if call["pk"].shape != call["xk"].shape:
        raise ValueError(f"pk has shape {call['pk'].shape}, xk has shape {call['xk'].shape}; allowed are equal shapes")
    if call.numpy and not 0 < call["c1"] < call["c2"] < 1:
        raise HostRoute(Reason.OPTION, "c1 and c2")


def _example(call: Call) -> tuple[Any, ...]:
    return (call["xk"], *call["args"])


def _finish(call: Call, out: dict[str, Any]) -> tuple[Any, ...]:
    counts = int(out["fc"]), int(out["gc"])
    # Scalars of the working precision, as the user's function would give them.
    value, old = np.asarray(out["value"])[()], np.asarray(out["old"])[()]
    if not (out["found"] and out["flat"]):
        warn_user("The line search algorithm did not converge", LineSearchWarning)
    if not out["found"]:
        return None, *counts, None, old, None
    return float(out["alpha"]), *counts, value, old, out["slope"] if out["flat"] else None


def _finish_jax(call: Call, out: dict[str, Any]) -> tuple[Any, ...]:
    def known(value: Any, where: Any = None) -> Any:
        return jnp.where(out["found"] if where is None else where, value, jnp.nan)

    slope = known(out["slope"], out["found"] & out["flat"])
    return known(out["alpha"]), out["fc"], out["gc"], known(out["value"]), out["old"], slope


@users
def _bowl(x: Any, weight: Any) -> Any:
    return weight * x[0] ** 2 + x[1] ** 2


@users
def _bowl_slope(x: Any, weight: Any) -> Any:
    return np.array([2 * weight * x[0], 2 * x[1]])


def _examples() -> list[Example]:
    arguments = (_bowl, _bowl_slope, np.array([1.8, 1.7]), np.array([-1.0, -1.0]))
    skipped = ("object", "inf", "nan")  # SciPy warns and returns None, which is no number to compare
    return [Example(args=arguments, kwargs={"args": (2.0,)}, skip_odd=skipped, vmap=("xk",))]


@implements(
    "scipy.optimize.line_search",
    callables={"f": _example, "myfprime": _example},
    trees=("args",),
    dtypes={"xk": "float", "pk": "float", "args": "keep", "c1": "keep", "c2": "keep", "old_fval": "keep",
            "old_old_fval": "keep", "gfk": "keep"},
    prepare=_prepare,
    validate=_validate,
    finish=_finish,
    finish_jax=_finish_jax,
    examples=_examples,
    grad=False,
    note="amax, extra_condition, another maxiter.",
)  # fmt: skip
def line_search(f, myfprime, xk, pk, gfk, old_fval, old_old_fval, args, c1, c2):
    """A step along `pk` that satisfies the strong Wolfe conditions.

    Parameters
    ----------
    f, myfprime : callable
        ``f(x, *args)``, a number, and its gradient, shape (n,).
    xk, pk : (n,) array
        Start and direction; integers become floats.
    gfk : (n,) array, optional
        Gradient at `xk`.
    old_fval, old_old_fval : float, optional
        Values at `xk` and at the point before it.
    args : tuple
        Further arguments of both functions.
    c1, c2 : float
        Constants of the sufficient decrease and the curvature condition.

    Returns
    -------
    alpha : float or None
        The step; None (JAX world: NaN) where none was found.
    fc, gc : int
        Evaluations of the value, and gradients that the search used. At each trial step both functions run.
    new_fval, old_fval : float
        Values at the step and at the start.
    new_slope : (n,) array or None
        Gradient at the step.

    Raises
    ------
    ValueError
        Where `pk` does not have the shape of `xk`.

    Notes
    -----
    The step is piecewise constant in what it depends on only through comparisons: not differentiable.

    References
    ----------
    J. Nocedal and S. J. Wright, "Numerical Optimization", 2nd ed., algorithms 3.5 and 3.6.

    Examples
    --------
    >>> import numpy as np
    >>> from sci.optimize import line_search
    >>> bowl, slope = lambda x: x[0] ** 2 + x[1] ** 2, lambda x: 2 * x
    >>> line_search(bowl, slope, np.array([1.8, 1.7]), np.array([-1.0, -1.0]))[:3]
    (1.0, 2, 1)
    """
    dtype = jnp.result_type(xk.dtype, pk.dtype)
    xk, pk = xk.astype(dtype), pk.astype(dtype)

    def value_at(x):
        return as_array(f(x, *args)).reshape(()).astype(dtype)

    def slope_at(x):
        return as_array(myfprime(x, *args)).ravel().astype(dtype)

    old = value_at(xk) if old_fval is None else jnp.asarray(old_fval, dtype)
    slope0 = inner(slope_at(xk) if gfk is None else jnp.asarray(gfk, dtype), pk)
    alpha = jnp.ones((), dtype)
    if old_old_fval is not None:
        safe = jnp.where(slope0 == 0, 1.0, slope0)
        alpha = jnp.where(slope0 == 0, 1.0, jnp.minimum(1.0, 2.02 * (old - old_old_fval) / safe))
        alpha = jnp.where(alpha < 0, 1.0, alpha).astype(dtype)
    c1, c2 = jnp.asarray(c1, dtype), jnp.asarray(c2, dtype)

    def going(carry):
        return search.unpack(carry[0]).outcome == search.SEARCHING

    def advance(carry):
        vector, _, _, fc, gc = carry
        step = search.unpack(vector)
        x = xk + step.alpha * pk
        value, slope = value_at(x), slope_at(x)
        gc = gc + ~search.too_high(step, value, c1)
        return search.advance_bracketing(vector, value, inner(slope, pk), c1, c2), value, slope, fc + 1, gc

    count = jnp.zeros((), jnp.int32)
    begin = pack(search.start_bracketing(old, slope0, alpha), dtype)
    start = (begin, old, jnp.zeros_like(xk), count + (old_fval is None), count)
    vector, value, slope, fc, gc = lax.while_loop(going, advance, start)
    end = search.unpack(vector)
    return {
        "found": end.outcome == search.ACCEPTED,
        "flat": jnp.abs(inner(slope, pk)) <= -c2 * slope0,
        "alpha": end.alpha,
        "fc": fc,
        "gc": gc,
        "value": value,
        "old": old,
        "slope": slope,
    }
