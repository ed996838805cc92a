"""`quad`: QUADPACK's adaptive integration of a function."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp
import numpy as np
from scipy.integrate import IntegrationWarning

from sci.bridge import Call, Example, HostRoute, Reason, as_array, implements, warn_user
from sci.bridge.extras import bind_arguments
from sci.bridge.worlds import is_jax
from sci.integrate._shared import inside
from sci.integrate.weighted import CYCLE_MESSAGES, CYCLE_STATUS, cycle_information, prepare_weight
from solvers import quadrature

__all__ = ["MESSAGES", "quad"]

#: What `IntegrationWarning` says, by QUADPACK's ``ier``.
MESSAGES = {
    1: "The maximum number of subdivisions ({limit}) has been achieved.\n  If increasing the limit yields no "
    "improvement it is advised to analyze \n  the integrand in order to determine the difficulties.  If the position "
    "of a \n  local difficulty can be determined (singularity, discontinuity) one will \n  probably gain from "
    "splitting up the interval and calling the integrator \n  on the subranges.  Perhaps a special-purpose "
    "integrator should be used.",
    2: "The occurrence of roundoff error is detected, which prevents \n  the requested tolerance from being "
    "achieved.  The error may be \n  underestimated.",
    3: "Extremely bad integrand behavior occurs at some points of the\n  integration interval.",
    4: "The algorithm does not converge.  Roundoff error is detected\n  in the extrapolation table.  It is assumed "
    "that the requested tolerance\n  cannot be achieved, and that the returned result (if full_output = 1) is \n  "
    "the best which can be obtained.",
    5: "The integral is probably divergent, or slowly convergent.",
}


def _prepare(call: Call) -> None:
    if not callable(call["func"]):
        raise HostRoute(Reason.OPTION, "func is not a Python function")
    bind_arguments(call, "func")
    for name in ("a", "b"):
        value = call[name]
        if np.ndim(value) != 0:
            if np.size(value) != 1 or is_jax(value):
                raise HostRoute(Reason.SHAPE, f"{name} is not a scalar")
            value = np.asarray(value).item()
        call[name] = value if is_jax(value) else float(value)
    limit = call["limit"]
    epsabs, epsrel = call["epsabs"], call["epsrel"]
    if not is_jax(epsabs) and not is_jax(epsrel) and epsabs <= 0 and epsrel < max(50 * np.finfo(float).eps, 5e-29):
        raise ValueError(
            "If 'epsabs'<=0, 'epsrel' must be greater than both 5e-29 and 50*(machine epsilon); "
            f"got epsabs={epsabs}, epsrel={epsrel}."
        )
    if limit < 1:
        raise ValueError(f"Invalid 'limit' argument {limit}. There must be at least one subinterval")
    prepare_weight(call)
    if call["points"] is not None:
        _prepare_points(call)
    call["kind"] = quadrature.range_kind(call["a"], call["b"])
    call["part"] = "both" if call["complex_func"] else "real"
    call["full_output"] = bool(call["full_output"])


def _prepare_points(call: Call) -> None:
    """Break points strictly inside the range, increasing and different."""
    a, b, points = call["a"], call["b"], call["points"]
    if any(not is_jax(v) and np.isinf(v) for v in (a, b)):
        raise ValueError(f"Infinity inputs cannot be used with break points; the limits are {a} and {b}.")
    if is_jax(points) or is_jax(a) or is_jax(b):
        call["points"] = jnp.sort(jnp.ravel(jnp.asarray(points, float)))
    else:
        inside = np.unique(np.asarray(points, float))
        call["points"] = inside[(min(a, b) < inside) & (inside < max(a, b))]
    if len(call["points"]) >= call["limit"]:
        raise ValueError(
            f"Number of break points ({len(call['points'])}) must be less than subinterval limit ({call['limit']})"
        )


def _information(call: Call, out: Any, limit: int) -> dict[str, Any]:
    """QUADPACK's description of the intervals."""
    if _in_cycles(call):
        return cycle_information(out)
    p = out.intervals
    last = int(p.n)
    order = np.zeros(limit, np.int32)
    order[:last] = np.argsort(-p.error[:last], kind="stable")
    return {
        "neval": int(out.neval), "last": last, "iord": order,
        "alist": p.a, "blist": p.b, "rlist": p.value, "elist": p.error, **_at_points(call, p, last),
    }  # fmt: skip


def _at_points(call: Call, p: Any, last: int) -> dict[str, Any]:
    """What QAGP adds: the ends of the first intervals, how often each was halved, and (not kept) which were rough."""
    points = call["points"]
    if points is None:
        return {}
    low, high = sorted((call["a"], call["b"]))
    return {
        "pts": np.concatenate([[low], points, [high]]),
        "level": p.level.astype(np.int32),
        "ndin": np.zeros(points.size + 2, np.int32),
    }


def _in_cycles(call: Call) -> bool:
    return call["weight"] in ("cos", "sin") and call["kind"] != "finite"


def _nothing(limit: int) -> dict[str, Any]:
    """The same of an empty range."""
    blank, zero = np.full(limit, np.nan), np.zeros(limit)
    return {
        "neval": 0, "last": 0, "alist": blank, "blist": blank.copy(), "rlist": zero, "elist": zero.copy(),
        "iord": np.zeros(limit, np.int32),
    }  # fmt: skip


def _one(call: Call, run: Any, part: str) -> tuple[Any, ...]:
    """Value, error, and with ``full_output`` the information and the message, if there is one."""
    out = run(part=part)
    code = int(out.status)
    result: tuple[Any, ...] = (float(out.value), float(out.error))
    if call["full_output"]:
        result += (_information(call, out, call["limit"]),)
    if code == 0:
        return result
    message = (CYCLE_MESSAGES if _in_cycles(call) else MESSAGES)[code].format(limit=call["limit"])
    if call["full_output"]:
        return (*result, message, CYCLE_STATUS) if _in_cycles(call) else (*result, message)
    warn_user(message, IntegrationWarning)
    return result


def _drive(call: Call, run: Any) -> tuple[Any, ...]:
    part = call["part"]
    if call["a"] == call["b"]:
        zero = 0j if part == "both" else 0.0
        information = _nothing(call["limit"])
        if part == "both":
            information = {"real": information, "imag": information}
        return (zero, zero, information) if call["full_output"] else (zero, zero)
    if part != "both":
        return _one(call, run, "real")
    real, imaginary = (_one(call, run, part) for part in ("real", "imag"))
    result = (real[0] + 1j * imaginary[0], real[1] + 1j * imaginary[1])
    return (*result, {"real": real[2:], "imag": imaginary[2:]}) if call["full_output"] else result


def _finish_jax(call: Call, out: quadrature.Integral) -> tuple[Any, ...]:
    if not call["full_output"]:
        return out.value, out.error
    p: Any = out.intervals
    if _in_cycles(call):
        names = {"rslst": p.value, "erlst": p.error, "ierlst": p.status}
        return out.value, out.error, {"neval": out.neval, "lst": p.n, "ier": out.status, **names}
    information = {
        "neval": out.neval, "last": p.n, "ier": out.status,
        "alist": p.a, "blist": p.b, "rlist": p.value, "elist": p.error,
    }  # fmt: skip
    return out.value, out.error, information


def _example_point(call: Call) -> tuple[Any, ...]:
    """A point inside the range, where an integrand with singular ends is regular."""
    return (inside(call["a"], call["b"]), *call["args"])


def _wave(x: Any, rate: Any) -> Any:
    return np.exp(-rate * x) * np.sin(3 * x)


def _bell(x: Any, width: Any) -> Any:
    return np.exp(-((x / width) ** 2))


def _root(x: Any) -> Any:
    return 1 / np.sqrt(x)


def _turn(x: Any) -> Any:
    return np.exp(2j * x)


_wave.__module__ = _bell.__module__ = _root.__module__ = _turn.__module__ = "user"


def _examples() -> list[Example]:
    value = lambda r: r[0]  # noqa: E731
    rate = np.array(0.7)
    return [
        Example(args=(_wave, 0.2, 1.9), kwargs={"args": rate}, grad=("a", "b", "args"), vmap=("b",), output=value),
        Example(args=(_bell, -np.inf, np.inf), kwargs={"args": rate}, grad=("args",), jit=False, output=value),
        Example(args=(_root, 0.0, 1.0), output=value),
        Example(args=(_turn, 0.0, 1.0), kwargs={"complex_func": True}, output=value),
    ]


@implements(
    "scipy.integrate.quad",
    callables={"func": _example_point},
    trees=("args",),
    dtypes={"args": "keep"},
    static=("limit", "kind", "part", "full_output", "weight", "cycles"),
    prepare=_prepare,
    drive=_drive,
    finish_jax=_finish_jax,
    examples=_examples,
    note="`wopts`; `full_output` of the weights cos and sin on a finite range.",
)
def quad(func, a, b, args, full_output, epsabs, epsrel, limit, kind, part, points, weight, wvar, cycles):
    """Compute a definite integral (QUADPACK's QAGS, QAGI, QAGP with `points`, QAWO, QAWF, QAWS, QAWC with `weight`).

    All 21 (15 on infinite ranges) nodes of an interval are evaluated in one batch. With JAX arrays the result is
    ``(value, error)``, with `full_output` also a dictionary of arrays (``ier`` is QUADPACK's status), and nothing
    warns. A traced limit is taken as finite: an infinite one gives NaN. `points` must then lie inside the range.

    With a `weight` every interval takes 40 evaluations in one batch, and ``neval`` says so; `maxp1` is without meaning.

    Differentiable to any order with respect to the limits, `args` and what `func` closes over, by Leibniz' rule; with a
    `weight` not with respect to the limits and `wvar` (NotImplementedError).

    References
    ----------
    .. [1] R. Piessens, E. de Doncker-Kapenga, C. W. Ueberhuber, D. K. Kahaner, "QUADPACK", Springer 1983.

    Examples
    --------
    >>> import numpy as np
    >>> from sci.integrate import quad
    >>> value, error = quad(lambda x: np.exp(-x * x), -np.inf, np.inf)
    >>> bool(abs(value - np.sqrt(np.pi)) < 1e-12)
    True
    """

    def integrand(x, *args):
        y = as_array(func(x, *args))
        if y.ndim != 0:
            raise TypeError(f"quad: func must return a scalar, got an array of shape {y.shape}")
        if part == "real" and jnp.iscomplexobj(y):
            return y.real
        return y.imag if part == "imag" else y

    out = quadrature.quad(
        integrand, a, b, args, epsabs=epsabs, epsrel=epsrel, limit=limit, kind=kind, intervals=full_output,
        points=points, weight=weight, wvar=wvar, cycles=cycles,
    )  # fmt: skip
    return out if full_output else out._replace(neval=None)
