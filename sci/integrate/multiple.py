"""Integrals over several variables: `dblquad`, `tplquad`, `nquad`, as `quad` inside `quad`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import jax.numpy as jnp
import numpy as np
from scipy.integrate import IntegrationWarning

from sci.bridge import Call, Example, HostRoute, Reason, as_array, implements, warn_user
from sci.bridge.extras import bind_arguments, bind_last
from sci.bridge.worlds import is_jax
from sci.integrate._shared import inside
from sci.integrate.quadpack import MESSAGES
from solvers import quadrature

__all__ = ["dblquad", "nquad", "tplquad"]

#: Deepest nesting of `nquad`: every level multiplies the compiled program and the evaluations by 21.
_DEEPEST = 4


# --- the nested integral ---------------------------------------------------------------------


def _scalar(x: Any) -> Any:
    x = as_array(x)
    if x.size != 1:
        raise TypeError(f"The integrand and the limits must be scalars, got an array of shape {x.shape}.")
    return x.reshape(())


def _integrate(
    func: Any, limits: Sequence[Callable[..., Any]], kinds: Sequence[str], options: Sequence[Any]
) -> quadrature.Integral:
    """Integral of ``func(x0, x1, ...)``, `x0` innermost; ``limits[k](x_{k+1}, ...)`` gives both ends of `x_k`."""

    def level(k: int, outer: tuple[Any, ...]) -> quadrature.Integral:
        def integrand(x: Any) -> Any:
            return _scalar(func(x, *outer)) if k == 0 else level(k - 1, (x, *outer))

        a, b = (_scalar(v) for v in limits[k](*outer))
        dtype = jnp.result_type(float, *(v for v in outer if jnp.issubdtype(v.dtype, jnp.floating)))
        dtype = jnp.promote_types(dtype, jnp.result_type(a, b)) if jnp.issubdtype(a.dtype, jnp.floating) else dtype
        epsabs, epsrel, limit = options[k]
        return quadrature.quad(
            integrand, a.astype(dtype), b.astype(dtype), epsabs=epsabs, epsrel=epsrel, limit=limit, kind=kinds[k],
            intervals=False,
        )  # fmt: skip

    return level(len(limits) - 1, ())


def _arguments(call: Call, name: str = "func") -> None:
    """``args`` as a tuple; those that are no floating-point numbers are bound to the integrand."""
    if not callable(call[name]):
        raise HostRoute(Reason.OPTION, f"{name} is not a Python function")
    if call["args"] is None:
        call["args"] = ()
    bind_arguments(call, name)


def _number(name: str, value: Any) -> Any:
    if np.ndim(value) != 0:
        raise HostRoute(Reason.SHAPE, f"{name} is not a scalar")
    return value if is_jax(value) else float(value)


def _value(name: str, limit: Any, point: tuple[Any, ...]) -> Any:
    """A limit at a point; a function whose values are infinite belongs to the host."""
    if not callable(limit):
        return limit
    value = limit(*point)
    if not is_jax(value) and np.any(np.isinf(value)):
        raise HostRoute(Reason.OPTION, f"{name} returns an infinite limit")
    return value


def _split(call: Call, name: str) -> None:
    """A limit that is a number or a function: one of ``name`` and ``name_number`` is None."""
    limit = call[name]
    call[f"{name}_number"] = None if callable(limit) else _number(name, limit)
    call[name] = limit if callable(limit) else None


def _limit(function: Any, number: Any) -> Callable[..., Any]:
    return (lambda *outer: number) if function is None else function


def _finish(call: Call, out: quadrature.Integral) -> tuple[Any, ...]:
    code = int(out.status)
    if code:
        limit = max(o[2] for o in call["options"]) if "options" in call else 50
        warn_user(MESSAGES[code].format(limit=limit), IntegrationWarning)
    return _finish_jax(call, out) if call.get("full_output") else (float(out.value), float(out.error))


def _finish_jax(call: Call, out: quadrature.Integral) -> tuple[Any, ...]:
    if not call.get("full_output"):
        return out.value, out.error
    if call.numpy:
        return float(out.value), float(out.error), {"neval": int(out.neval)}
    return out.value, out.error, {"neval": out.neval, "ier": out.status}


def _user(*functions: Any) -> None:
    for function in functions:
        function.__module__ = "user"


# --- dblquad ---------------------------------------------------------------------------------


def _prepare_double(call: Call) -> None:
    _arguments(call)
    call["a"], call["b"] = _number("a", call["a"]), _number("b", call["b"])
    x = inside(call["a"], call["b"])
    ends = [_value(name, call[name], (x,)) for name in ("gfun", "hfun")]
    call["kinds"] = (quadrature.range_kind(*ends), quadrature.range_kind(call["a"], call["b"]))
    call["point"] = (inside(*ends), x)
    for name in ("gfun", "hfun"):
        _split(call, name)


def _product(y: Any, x: Any, k: Any) -> Any:
    return np.exp(-k * x) * y


def _slope(x: Any) -> Any:
    return 1 + x


_user(_product, _slope)


@implements(
    "scipy.integrate.dblquad",
    callables={
        "func": lambda call: (*call["point"], *call["args"]),
        "gfun": lambda call: call["point"][1:],
        "hfun": lambda call: call["point"][1:],
    },
    trees=("args",),
    dtypes={"args": "keep"},
    static=("kinds",),
    prepare=_prepare_double,
    finish=_finish,
    finish_jax=_finish_jax,
    examples=lambda: [
        Example(
            (_product, 0.25, 1.5, 0.0, _slope),
            {"args": (np.array(0.7),)},
            grad=("b",),
            output=lambda r: r[0],
        )
    ],
    note="Functions that return infinite limits.",
)
def dblquad(func, a, b, gfun, hfun, gfun_number, hfun_number, args, epsabs, epsrel, kinds):
    """Integrate ``func(y, x)`` over `x` from `a` to `b` and `y` from ``gfun(x)`` to ``hfun(x)``.

    Parameters
    ----------
    func : callable
        ``func(y, x, *args)``, a scalar.
    a, b : float
        Limits of `x`, possibly infinite.
    gfun, hfun : callable or float
        Limits of `y`.
    args : tuple
        Further arguments of `func`.
    epsabs, epsrel : float
        Tolerances of the inner and the outer integral.

    Returns
    -------
    value, error : float
        The error is the largest of all inner and outer estimates. Differentiable with respect to the limits, `args`
        and what the functions close over.

    Raises
    ------
    TypeError
        If `func` or a limit is no scalar.

    References
    ----------
    .. [1] R. Piessens, E. de Doncker-Kapenga, C. W. Ueberhuber, D. K. Kahaner, "QUADPACK", Springer 1983.

    Examples
    --------
    >>> from sci.integrate import dblquad
    >>> value, error = dblquad(lambda y, x: x * y, 0, 1, 0, lambda x: x)
    >>> round(value, 12)
    0.125
    """
    lower, upper = _limit(gfun, gfun_number), _limit(hfun, hfun_number)
    limits = [lambda x: (lower(x), upper(x)), lambda: (a, b)]
    return _integrate(lambda *x: func(*x, *args), limits, kinds, [(epsabs, epsrel, 50)] * 2)


# --- tplquad ---------------------------------------------------------------------------------


def _prepare_triple(call: Call) -> None:
    _arguments(call)
    call["a"], call["b"] = _number("a", call["a"]), _number("b", call["b"])
    x = inside(call["a"], call["b"])
    middle = [_value(name, call[name], (x,)) for name in ("gfun", "hfun")]
    y = inside(*middle)
    inner = [_value(name, call[name], (x, y)) for name in ("qfun", "rfun")]
    call["kinds"] = tuple(quadrature.range_kind(*ends) for ends in (inner, middle, (call["a"], call["b"])))
    call["point"] = (inside(*inner), y, x)
    for name in ("gfun", "hfun", "qfun", "rfun"):
        _split(call, name)


def _three(z: Any, y: Any, x: Any) -> Any:
    return x * y * z


_user(_three)


@implements(
    "scipy.integrate.tplquad",
    callables={
        "func": lambda call: (*call["point"], *call["args"]),
        "gfun": lambda call: call["point"][2:],
        "hfun": lambda call: call["point"][2:],
        "qfun": lambda call: call["point"][:0:-1],
        "rfun": lambda call: call["point"][:0:-1],
    },
    trees=("args",),
    dtypes={"args": "keep"},
    static=("kinds",),
    prepare=_prepare_triple,
    finish=_finish,
    finish_jax=_finish_jax,
    examples=lambda: [Example((_three, 0.25, 1.5, 0.0, 1.0, 0.5, 2.0), output=lambda r: r[0])],
    note="Functions that return infinite limits.",
)
def tplquad(
    func, a, b, gfun, hfun, qfun, rfun, gfun_number, hfun_number, qfun_number, rfun_number, args, epsabs, epsrel, kinds
):
    """Integrate ``func(z, y, x)``: `z` from ``qfun(x, y)`` to ``rfun(x, y)``, `y` and `x` as in `dblquad`.

    Parameters
    ----------
    func : callable
        ``func(z, y, x, *args)``, a scalar.
    a, b : float
        Limits of `x`, possibly infinite.
    gfun, hfun, qfun, rfun : callable or float
        Limits of `y` and `z`.
    args : tuple
        Further arguments of `func`.
    epsabs, epsrel : float
        Tolerances of every level.

    Returns
    -------
    value, error : float
        As of `dblquad`, with its derivatives.

    Raises
    ------
    TypeError
        If `func` or a limit is no scalar.

    References
    ----------
    .. [1] R. Piessens, E. de Doncker-Kapenga, C. W. Ueberhuber, D. K. Kahaner, "QUADPACK", Springer 1983.

    Examples
    --------
    >>> from sci.integrate import tplquad
    >>> value, error = tplquad(lambda z, y, x: x * y * z, 1, 2, 2, 3, 0, 1)
    >>> round(value, 12)
    1.875
    """
    lower, upper = _limit(gfun, gfun_number), _limit(hfun, hfun_number)
    bottom, top = _limit(qfun, qfun_number), _limit(rfun, rfun_number)
    limits = [lambda y, x: (bottom(x, y), top(x, y)), lambda x: (lower(x), upper(x)), lambda: (a, b)]
    return _integrate(lambda *x: func(*x, *args), limits, kinds, [(epsabs, epsrel, 50)] * 3)


# --- nquad -----------------------------------------------------------------------------------


def _options(opts: Any, depth: int) -> tuple[tuple[Any, Any, int], ...]:
    levels = [opts or {}] * depth if opts is None or isinstance(opts, dict) else list(opts)
    if len(levels) != depth:
        raise HostRoute(Reason.OPTION, f"{len(levels)} opts for {depth} variables")
    for level in levels:
        if callable(level) or set(level) - {"epsabs", "epsrel", "limit"}:
            raise HostRoute(Reason.OPTION, "opts beyond epsabs, epsrel and limit")
    return tuple((o.get("epsabs", 1.49e-8), o.get("epsrel", 1.49e-8), int(o.get("limit", 50))) for o in levels)


def _prepare_many(call: Call) -> None:
    ranges = list(call["ranges"])
    depth = len(ranges)
    if not 1 <= depth <= _DEEPEST:
        raise HostRoute(Reason.OPTION, f"{depth} variables")
    plain_args = call["args"] if isinstance(call["args"], tuple) else () if call["args"] is None else None
    if plain_args is None:
        raise HostRoute(Reason.OPTION, "args is not a tuple")
    _arguments(call)
    call["options"] = _options(call["opts"], depth)
    call["full_output"] = bool(call["full_output"])
    point: tuple[Any, ...] = ()
    kinds: list[str] = []
    numbers: list[Any] = []
    for k in reversed(range(depth)):
        given = ranges[k]
        ends = _value(f"ranges[{k}]", given, (*point, *plain_args))
        if len(ends) != 2:
            raise ValueError(f"ranges[{k}] must be two limits, got {ends!r}.")
        kinds.insert(0, quadrature.range_kind(*ends))
        numbers.insert(0, None if callable(given) else tuple(_number(f"ranges[{k}]", v) for v in ends))
        if callable(given) and not call["args"] and plain_args:
            given = bind_last(given, plain_args)
        call[f"range{k}"] = given if callable(given) else None
        point = (inside(*ends), *point)
    for k in range(depth, _DEEPEST):
        call[f"range{k}"] = None
    call["kinds"], call["numbers"], call["point"] = tuple(kinds), tuple(numbers), point


def _range_point(k: int) -> Callable[[Call], tuple[Any, ...]]:
    return lambda call: (*call["point"][k + 1 :], *call["args"])


def _plane(x: Any, y: Any) -> Any:
    return np.exp(-x * y)


def _triangle(y: Any) -> Any:
    return (0.0, y)


_user(_plane, _triangle)


@implements(
    "scipy.integrate.nquad",
    callables={
        "func": lambda call: (*call["point"], *call["args"]),
        **{f"range{k}": _range_point(k) for k in range(_DEEPEST)},
    },
    trees=("args", "numbers"),
    dtypes={"args": "keep"},
    static=("kinds", "options"),
    prepare=_prepare_many,
    finish=_finish,
    finish_jax=_finish_jax,
    examples=lambda: [Example((_plane, [_triangle, (0.5, 1.5)]), output=lambda r: r[0])],
    note="More than four variables, options other than tolerances and limit, functions that return infinite limits.",
)
def nquad(func, range0, range1, range2, range3, numbers, args, kinds, options):
    """Integrate ``func(x0, x1, ...)`` over several variables, the first innermost.

    Parameters
    ----------
    func : callable
        ``func(x0, ..., xn, *args)``, a scalar.
    ranges : sequence
        For each variable a pair of limits, possibly infinite, or a function of the outer variables and `args` that
        returns one.
    args : tuple, optional
        Further arguments of `func` and of the functions in `ranges`.
    opts : dict or list of dict, optional
        ``epsabs``, ``epsrel`` and ``limit``, for all variables or each.
    full_output : bool
        Also return the number of evaluations.

    Returns
    -------
    value, error : float
        As of `dblquad`, with its derivatives.
    out_dict : dict, optional
        ``neval``; with JAX arrays also ``ier``.

    Raises
    ------
    TypeError
        If `func` or a limit is no scalar.
    ValueError
        If a range is no pair.

    References
    ----------
    .. [1] R. Piessens, E. de Doncker-Kapenga, C. W. Ueberhuber, D. K. Kahaner, "QUADPACK", Springer 1983.

    Examples
    --------
    >>> from sci.integrate import nquad
    >>> value, error = nquad(lambda x, y: x * y, [(0, 1), (0, 2)])
    >>> round(value, 12)
    1.0
    """
    functions = (range0, range1, range2, range3)

    def limits(k: int) -> Callable[..., Any]:
        if functions[k] is None:
            return lambda *outer: numbers[k]
        return lambda *outer: tuple(as_array(functions[k](*outer, *args)))

    levels = [limits(k) for k in range(len(kinds))]
    return _integrate(lambda *x: func(*x, *args), levels, kinds, options)
