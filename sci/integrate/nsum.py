"""`nsum`: sums of finite and infinite series."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp
import numpy as np
from scipy._lib._util import _RichResult  # SciPy's result class here; it has no public name

from sci.bridge import Call, Example, HostRoute, Reason, as_array, implements, register_result
from sci.bridge.worlds import is_jax
from sci.integrate.tanhsinh import broadcast
from solvers import quadrature

__all__ = ["nsum"]

register_result(_RichResult)

_FIELDS = ("sum", "error", "status", "success", "nfev")


def _prepare(call: Call) -> None:
    if not callable(call["f"]):
        raise ValueError("`f` must be callable.")
    if call["log"] not in (True, False):
        raise ValueError(f"`log` must be True or False, got {call['log']!r}.")
    call["log"] = bool(call["log"])
    _tolerances(call)
    maxterms = call["maxterms"]
    if is_jax(maxterms) or int(maxterms) != maxterms or maxterms < 0:
        raise ValueError(f"`maxterms` must be a non-negative integer, got {maxterms!r}.")
    call["maxterms"] = int(maxterms)
    args = call["args"] if np.iterable(call["args"]) else (call["args"],)
    limits = call["a"], call["b"], call["step"]
    (a, b, step), call["args"] = broadcast(("a", "b", "step"), limits, tuple(args))
    call["a"], call["b"], call["step"] = a, b, step
    call["direct_only"], call["two_sided"] = False, True
    if call.numpy:
        call["two_sided"] = bool(np.any(np.isinf(a) & np.isinf(b)))
        with np.errstate(all="ignore"):
            short = ~((b >= a) & (step > 0)) | (np.floor((b - a) / step) + 1 <= call["maxterms"])
            call["direct_only"] = bool(np.all(short))
    call["example"] = (_start(a, b), *call["args"])


def _start(a: Any, b: Any) -> Any:
    if is_jax(a) or is_jax(b):
        return jnp.full(a.shape, 1.0, a.dtype)
    return np.where(np.isfinite(a), a, np.where(np.isfinite(b), b, 1)).astype(a.dtype)


def _tolerances(call: Call) -> None:
    given = dict(call["tolerances"] or {})
    log = call["log"]
    for name in ("atol", "rtol"):
        value = call[name] = given.get(name)
        if value is None or is_jax(value):
            continue
        if np.asarray(value).dtype.kind not in "biuf" or np.ndim(value) != 0:
            raise ValueError(f"`atol` and `rtol` must be real numbers, got {name}={value!r}.")
        if log and (np.isposinf(value) or np.isnan(value)):
            raise ValueError(f"`atol`, `rtol` may not be positive infinity or NaN, got {name}={value!r}.")
        if not log and not 0 <= value < np.inf:
            raise ValueError(f"`atol`, and `rtol` must be non-negative and finite, got {name}={value!r}.")
    if call["atol"] is None:
        call["atol"] = -np.inf if log else 0.0
    if np.size(call["atol"]) != 1:
        raise HostRoute(Reason.OPTION, "atol is not a scalar")


def _result(call: Call, out: Any) -> Any:
    parts = (out.value, out.error, out.status, out.status == 0, out.neval)
    shape = call["a"].shape
    xp: Any = np if call.numpy else jnp
    return _RichResult(zip(_FIELDS, (xp.reshape(v, shape)[()] for v in parts), strict=True))


def _zeta(k: Any, p: Any) -> Any:
    return 1 / k**p


_zeta.__module__ = "user"


@implements(
    "scipy.integrate.nsum",
    callables={"f": lambda call: call["example"]},
    trees=("args",),
    dtypes={"args": "keep"},
    static=("log", "maxterms", "direct_only", "two_sided"),
    prepare=_prepare,
    finish=_result,
    finish_jax=_result,
    grad=False,
    examples=lambda: [
        Example(
            (_zeta, np.array([1.0, 2.0]), np.array([9.0, 4000.0])),
            {"args": (np.array(2.5),), "maxterms": 1000},
            output=lambda r: r["sum"],
            rtol=1e-9,
            jit=False,
            skip_odd=("nan", "inf", "1x1", "one axis more"),  # sums from infinity, where SciPy's arrays are special
        )
    ],
    note="`atol` that is no scalar.",
)
def nsum(f, a, b, step, args, log, maxterms, atol, rtol, direct_only, two_sided):
    """Sum a series ``f(a) + f(a + step) + ... + f(b)``, elementwise, also to infinity.

    Short sums are added up; of long ones the first terms, and the integral over the others (`tanhsinh`).

    Parameters
    ----------
    f : callable
        ``f(x, *args)`` of arrays of one shape, elementwise, real; positive and decreasing beyond some term where the
        sum is long.
    a, b : array_like
        First and last index, possibly infinite; they are broadcast with each other, `step` and `args`.
    step : array_like
        Positive.
    args : tuple of array_like
        Further arguments.
    log : bool
        Whether `f` returns the logarithm of the terms; the result is a logarithm then.
    maxterms : int
        Most terms that are added one by one.
    tolerances : dict, optional
        ``atol`` and ``rtol``: a term is small enough for the integral below them.

    Returns
    -------
    result
        ``sum``, ``error``, ``status`` (0 good, -1 invalid `a`, `b` or `step`, -2 and -3 the integral failed, -4 no term
        among `maxterms` is small enough), ``success``, ``nfev``. Differentiable in forward mode with respect to `args`
        and what `f` closes over.

    Raises
    ------
    ValueError
        For limits that are not real, tolerances that are not allowed, or a function that returns another shape or
        complex values.

    References
    ----------
    .. [1] E. T. Whittaker, G. N. Watson, "A Course of Modern Analysis", 4th ed., Sec. 4.43.

    Examples
    --------
    >>> import numpy as np
    >>> from sci.integrate import nsum
    >>> r = nsum(lambda k: 1 / k**2, 1, np.inf)
    >>> bool(abs(r.sum - np.pi**2 / 6) < 1e-10)
    True
    """
    shape = a.shape

    def terms(x):
        y = as_array(f(x.reshape(shape), *args))
        if y.shape != shape:
            raise ValueError(
                "The shape of the array returned by `func` must be the same as the broadcasted shape of `x` and all "
                f"other `args`: {y.shape} is not {shape}."
            )
        if jnp.iscomplexobj(y):
            raise ValueError(f"Abscissae and function output must be real numbers, got {y.dtype}.")
        return y.ravel().astype(jnp.promote_types(y.dtype, x.dtype))

    return quadrature.sum_terms(
        terms, jnp.ravel(a), jnp.ravel(b), jnp.ravel(step), log=log, direct_only=direct_only, two_sided=two_sided,
        maxterms=maxterms, atol=atol, rtol=rtol,
    )  # fmt: skip
