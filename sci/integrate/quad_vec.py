"""`quad_vec`: integrals of functions with array values."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from scipy.integrate._quad_vec import _Bunch

from sci.bridge import Call, Example, HostRoute, Reason, as_array, implements
from sci.bridge.extras import bind_arguments
from sci.bridge.worlds import is_jax
from sci.integrate._shared import inside
from solvers import quadrature
from solvers.quadrature import vector

__all__ = ["quad_vec"]

_FIRST, _GROWTH = 512, 8


def _prepare(call: Call) -> None:
    if not callable(call["f"]):
        raise HostRoute(Reason.OPTION, "f is not callable")
    if callable(call["norm"]):
        raise HostRoute(Reason.OPTION, "norm is a function")
    if call["norm"] not in (None, "max", "2"):
        raise KeyError(f"norm={call['norm']!r}; allowed are 'max' and '2'")
    if call["quadrature"] not in (None, *vector.RULES):
        raise ValueError(f"unknown quadrature {call['quadrature']!r}; allowed are {tuple(vector.RULES)}")
    call["norm"] = call["norm"] or "max"
    workers = call["workers"]
    if not callable(workers) and not isinstance(workers, (int, np.integer)):
        raise TypeError(f"workers must be an integer or a map-like callable, got {workers!r}")
    bind_arguments(call, "f")
    for name in ("a", "b"):
        if not is_jax(call[name]):
            call[name] = float(call[name])
            if np.isnan(call[name]):
                raise ValueError(f"invalid integration bounds a={call['a']}, b={call['b']}")
    call["kind"] = kind = quadrature.range_kind(call["a"], call["b"])
    if kind == "finite" and not is_jax(call["a"]) and np.isinf(call["a"]):
        raise HostRoute(Reason.OPTION, "both limits are the same infinity")
    call["rule"] = call["quadrature"] or ("gk21" if kind == "finite" else "gk15")
    call["edges"] = _edges(call, kind)
    call["point"] = (inside(call["a"], call["b"]), *call["args"])
    call["capacity"] = _FIRST
    while call["capacity"] < len(call["edges"]) + vector.ROUND:
        call["capacity"] *= _GROWTH
    if not call.numpy and call["size"] is not None:
        call["capacity"] = max(int(call["size"]), len(call["edges"])) + vector.ROUND
    call["full_output"] = bool(call["full_output"])
    call["limit"] = float(call["limit"])


def _edges(call: Call, kind: str) -> Any:
    """The initial partition of the range, or of the range that it is mapped to."""
    a, b, points = call["a"], call["b"], call["points"]
    xp: Any = jnp if is_jax([a, b, points]) else np
    points = xp.zeros(0) if points is None else xp.ravel(xp.asarray(points, dtype=float))
    if kind == "finite":
        low, high = a, b
    elif kind == "whole":
        # where x = (1 - |t|) / t goes through infinity, too
        sign = xp.where(points < 0, -1.0, 1.0)
        points = xp.concatenate([xp.zeros(1), sign / (1 + xp.abs(points))])
        low, high = -1.0, 1.0
    else:
        start = a if np.isinf(b) else b
        distance = points - start if kind == "upper" else start - points
        points = xp.where(distance <= -1, xp.inf, 1 / (1 + xp.where(distance <= -1, 0, distance)))
        low, high = 0.0, 1.0
    points = xp.sort(points)
    if xp is np:
        points = np.unique(points)
        points = points[(low < points) & (points < high)]
        return np.concatenate([[low], points, [high]])
    points = jnp.clip(points, jnp.minimum(low, high), jnp.maximum(low, high))
    return jnp.concatenate([jnp.asarray(v, float)[None] if jnp.ndim(v) == 0 else v for v in (low, points, high)])


def _drive(call: Call, run: Any) -> tuple[Any, ...]:
    out = run()
    while int(out.status) == vector.FULL:
        out = run(capacity=_GROWTH * call["capacity"])
    result = (out.value, float(out.error))
    if not call["full_output"]:
        return result
    n, status = int(out.n), int(out.status)
    information = _Bunch(
        neval=int(out.neval), success=status == vector.CONVERGED, status=status, message=vector.MESSAGES[status],
        intervals=out.ends[:n].copy(), integrals=out.values[:n].copy(), errors=out.errors[:n].copy(),
    )  # fmt: skip
    return (*result, information)


def _finish_jax(call: Call, out: Any) -> tuple[Any, ...]:
    if not call["full_output"]:
        return out.value, out.error
    information = {
        "neval": out.neval, "success": out.status == vector.CONVERGED, "status": out.status, "n": out.n,
        "intervals": out.ends, "integrals": out.values, "errors": out.errors,
    }  # fmt: skip
    return out.value, out.error, information


def _powers(x: Any, k: Any) -> Any:
    return np.array([x**k, np.exp(-k * x)])


_powers.__module__ = "user"


@implements(
    "scipy.integrate.quad_vec",
    callables={"f": lambda call: call["point"]},
    trees=("args",),
    dtypes={"args": "keep", "limit": "keep"},
    static=("kind", "rule", "norm", "capacity"),
    prepare=_prepare,
    drive=_drive,
    finish_jax=_finish_jax,
    extras={"size": None},
    examples=lambda: [
        Example((_powers, 0.2, 1.9), {"args": np.array(1.7)}, grad=("b", "args"), vmap=("b",), output=lambda r: r[0])
    ],
    note="`norm` that is a function.",
)
def quad_vec(f, a, b, edges, args, epsabs, epsrel, limit, kind, rule, norm, capacity):
    """Integrate a function whose values are arrays, adaptively.

    Parameters
    ----------
    f : callable
        ``f(x, *args)`` of a scalar, an array of any shape, real or complex.
    a, b : float
        Limits, possibly infinite. A traced limit is taken as finite.
    epsabs, epsrel : float
        The error in the norm is to be below an eighth of ``max(epsabs, epsrel * norm(result))``.
    norm : {"2", "max"}
        Norm of the values.
    cache_size, workers
        Without meaning here.
    limit : float
        Most intervals.
    points : array_like, optional
        Where the partition starts from.
    quadrature : {"gk21", "gk15", "trapezoid"}, optional
        Rule on each interval.
    full_output : bool
        Also return information.
    args : tuple
        Further arguments of `f`.
    size : int, optional
        Room for intervals in the JAX world (default 384).

    Returns
    -------
    res : array
        Differentiable to any order with respect to `a`, `b`, `args` and what `f` closes over: the derivative of the sum
        over the final partition.
    err : float
        Estimate of the error, in the norm.
    info : object, optional
        ``success``, ``status``, ``neval``, ``intervals``, ``integrals``, ``errors``, ``message``; a dictionary of
        arrays with JAX arrays, where status 4 says that `size` was too small.

    Raises
    ------
    ValueError
        For a limit that is no number, or an unknown rule.

    References
    ----------
    .. [1] R. Piessens, E. de Doncker-Kapenga, C. W. Ueberhuber, D. K. Kahaner, "QUADPACK", Springer 1983.

    Examples
    --------
    >>> import numpy as np
    >>> from sci.integrate import quad_vec
    >>> value, error = quad_vec(lambda x: x ** np.arange(3.0), 0, 1)
    >>> value.round(6)
    array([1.      , 0.5     , 0.333333])
    """

    def value(x):
        y = as_array(f(x, *args))
        return y if jnp.issubdtype(y.dtype, jnp.inexact) else y.astype(x.dtype)

    def mapped(t):
        if kind == "finite":
            return value(t)
        infinite = jnp.abs(t) < jnp.finfo(t.dtype).tiny ** 0.5  # there the integrand counts as 0
        t = jnp.where(infinite, 1, t)
        y = (1 - jnp.abs(t)) / t
        if kind != "whole":
            y = jnp.minimum(a, b) + y if kind == "upper" else jnp.maximum(a, b) - y
        return jnp.where(infinite, 0, value(y) / t / t)

    if kind == "finite":  # the ends carry the derivatives
        edges = edges.at[0].set(a).at[-1].set(b) if isinstance(edges, jax.Array) else edges
    out = quadrature.quad_vec(
        mapped, edges, epsabs=epsabs, epsrel=epsrel, limit=limit, norm=norm, rule=rule, capacity=capacity
    )
    if kind == "finite":
        return out
    sign = jnp.where(b < a, -1.0, 1.0)
    return out._replace(value=sign * out.value, values=sign * out.values)
