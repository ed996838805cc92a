"""`odeint`: ODEPACK's LSODA with outputs at given times."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp
import numpy as np
from scipy.integrate import ODEintWarning

from sci.bridge import Call, Example, HostRoute, Reason, as_array, implements, warn_user
from sci.bridge.extras import bind_arguments
from sci.bridge.worlds import is_jax
from solvers import ode
from solvers.ode import status as codes

__all__ = ["odeint"]

_TOLERANCE = 1.49012e-8
_MAX_ADAMS, _MAX_BDF = 12, 5

#: What `ODEintWarning` and ``infodict["message"]`` say, by ODEPACK's ``istate``.
MESSAGES = {
    2: "Integration successful.",
    1: "Nothing was done; the integration time was 0.",
    -1: "Excess work done on this call (perhaps wrong Dfun type).",
    -2: "Excess accuracy requested (tolerances too small).",
    -3: "Illegal input detected (internal error).",
    -4: "Repeated error test failures (internal error).",
    -5: "Repeated convergence failures (perhaps bad Jacobian or tolerances).",
    -6: "Error weight became zero during problem.",
}


def _prepare(call: Call) -> None:
    _prepare_times(call)
    _prepare_state(call)
    _prepare_bounds(call)
    args = call["args"]
    if is_jax(args) and not isinstance(args, tuple):
        args = tuple(args)
    if not isinstance(args, tuple):
        raise HostRoute(Reason.OPTION, "args is not a tuple")
    call["args"] = args
    bind_arguments(call, "func", "Dfun")
    for name in ("tfirst", "col_deriv", "full_output"):
        call[name] = bool(call[name])
    call["report"] = call["full_output"] or call.numpy
    if call["size"] is None:
        call["size"] = 4096
    if call.numpy and call["Dfun"] is not None and not call.nested:
        _check_jacobian(call)


def _check_jacobian(call: Call) -> None:
    """ODEPACK looks at the Jacobian's shape when it needs one, which a problem that is not stiff never does."""
    point = (call["t"][0], call["y0"]) if call["tfirst"] else (call["y0"], call["t"][0])
    try:
        shape = np.shape(call["Dfun"](*point, *call["args"]))
    except Exception:  # the trace will say what is wrong
        return
    pattern, n = call["pattern"], call["y0"].size
    expected = (n if pattern is None else pattern.lower + pattern.upper + 1, n)
    if shape != (expected[::-1] if call["col_deriv"] else expected):
        raise HostRoute(Reason.SHAPE, f"Dfun returns shape {shape}, expected is {expected}")


def _prepare_times(call: Call) -> None:
    t = call["t"]
    if not is_jax(t):
        t = np.asarray(t)
        if t.dtype.kind not in "biuf":
            raise HostRoute(Reason.DTYPE, f"argument 't' has dtype {t.dtype}")
        t = t.astype(float)
    if t.ndim != 1:
        raise ValueError(f"Output times t must be one-dimensional, got shape {t.shape}.")
    if t.size == 0:
        raise HostRoute(Reason.SHAPE, "no output times")
    if not is_jax(t):
        dt = np.diff(t)
        if not ((dt >= 0).all() or (dt <= 0).all()):
            raise ValueError(
                "The values in t must be monotonically increasing or monotonically decreasing; repeated values are "
                "allowed."
            )
    call["t"] = t
    tcrit = call["tcrit"]
    if tcrit is not None and np.ndim(tcrit) > 1:
        raise ValueError(f"Critical times tcrit must be one-dimensional, got shape {np.shape(tcrit)}.")
    call["tcrit"] = tcrit if tcrit is None or is_jax(tcrit) else np.atleast_1d(np.asarray(tcrit, float))


def _prepare_state(call: Call) -> None:
    y0 = call["y0"]
    if not is_jax(y0):
        y0 = np.asarray(y0)
        if y0.dtype.kind == "c":
            raise TypeError(f"y0 must be real, got dtype {y0.dtype}.")
        if y0.dtype.kind not in "biuf":
            raise HostRoute(Reason.DTYPE, f"argument 'y0' has dtype {y0.dtype}")
        if call.numpy:
            y0 = y0.astype(float)
    if y0.ndim > 1:
        raise ValueError(f"Initial condition y0 must be one-dimensional, got shape {y0.shape}.")
    call["y0"] = y0 = y0.reshape(-1)
    if y0.size == 0:
        raise HostRoute(Reason.SHAPE, "an empty state")
    # single precision (of JAX arrays) cannot meet ODEPACK's default
    single = is_jax(y0) and np.finfo(y0.dtype).bits < 64 if y0.dtype.kind == "f" else False
    default = 20 * float(np.finfo(np.float32).eps) if single else _TOLERANCE
    for name in ("rtol", "atol"):
        value = default if call[name] is None else call[name]
        if np.ndim(value) > 1 or (np.ndim(value) == 1 and np.shape(value) not in (y0.shape, (1,))):
            raise HostRoute(Reason.SHAPE, f"{name} of shape {np.shape(value)}")
        if np.shape(value) == (1,) != y0.shape:
            raise HostRoute(Reason.SHAPE, f"{name} of shape (1,)")
        call[name] = value


def _prepare_bounds(call: Call) -> None:
    """Step sizes, orders, bands; ``legal``: whether ODEPACK would take them."""
    legal = True
    for name in ("h0", "hmax", "hmin", "rtol", "atol"):
        value = call[name]
        legal = legal and (is_jax(value) or name == "h0" or bool(np.all(np.asarray(value) >= 0)))
    h0, t = call["h0"], call["t"]
    if not is_jax(h0) and not is_jax(t) and t.size > 1:
        legal = legal and h0 * (t[1] - t[0]) >= 0
    call["first_step"] = abs(h0) if is_jax(h0) or h0 != 0 else None
    hmax = call["hmax"]
    call["hmax"] = hmax if is_jax(hmax) or hmax > 0 else np.inf
    mxstep = call["mxstep"]
    legal = legal and (is_jax(mxstep) or mxstep >= 0)
    call["mxstep"] = mxstep if is_jax(mxstep) or mxstep > 0 else 500
    mxordn, mxords = int(call["mxordn"]), int(call["mxords"])
    legal = legal and mxordn > 0 and mxords > 0
    call["mxordn"], call["mxords"] = min(max(mxordn, 1), _MAX_ADAMS), min(max(mxords, 1), _MAX_BDF)
    call["pattern"] = None
    bands = [-1 if call[name] is None else int(call[name]) for name in ("ml", "mu")]
    if max(bands) >= 0:
        ml, mu = (max(band, 0) for band in bands)
        n = call["y0"].size
        legal = legal and ml < n and mu < n
        if legal:
            call["pattern"] = ode.banded_pattern(n, ml, mu, packed=call["Dfun"] is not None)
    if not legal and not call.numpy:
        raise ValueError("odeint: tolerances, h0, hmax, hmin, mxstep, mxordn, mxords, ml or mu have illegal values.")
    call["legal"] = bool(legal)


def _istate(call: Call, out: Any) -> int:
    """ODEPACK's return code."""
    status = int(out.status)
    if status == codes.SUCCESS:
        return 2 if (call["t"] != call["t"][0]).any() else 1
    y = out.report.y[-1]
    weight = call["rtol"] * np.abs(y) + call["atol"]
    began = out.report.steps[-1] > 0  # at the start such tolerances are illegal input
    if (weight <= 0).any():
        return -6 if began else -3
    if np.max(np.abs(y) / weight) * np.finfo(float).eps > 1:
        return -2 if began else -3
    if status == codes.MAX_STEPS:
        return -1
    return -5 if out.report.missed[-1] >= 10 else -4


def _workspace(call: Call) -> tuple[int, int]:
    """ODEPACK's lengths of its real and integer work arrays."""
    n, p = call["y0"].size, call["pattern"]
    matrix = n * n if p is None else (2 * p.lower + p.upper + 1) * n
    return max(20 + (call["mxordn"] + 4) * n, 22 + (call["mxords"] + 4) * n + matrix), 20 + n


def _information(call: Call, r: Any, istate: int) -> dict[str, Any]:
    lenrw, leniw = (0, 0) if istate == 1 else _workspace(call)  # ODEPACK was not called
    tolerance = np.zeros(r.t.shape)
    if istate == -2:
        weight = call["rtol"] * np.abs(r.y[-1]) + call["atol"]
        tolerance[-1] = np.max(np.abs(r.y[-1]) / weight) * np.finfo(float).eps
    ints = {"nst": r.steps, "nfe": r.nfev, "nje": r.njev, "nqu": r.order}
    return {
        "hu": r.h, "tcur": r.t, "tolsf": tolerance, "tsw": r.switched,
        **{k: np.asarray(v, np.int32) for k, v in ints.items()},
        "imxer": 0 if istate == 1 else -1, "lenrw": lenrw, "leniw": leniw, "mused": np.asarray(1 + r.stiff, np.int32),
        "message": MESSAGES[istate],
    }  # fmt: skip


def _illegal(call: Call) -> Any:
    """What ODEPACK gives back of input that it does not take: nothing but the initial state."""
    m, n = call["t"].size, call["y0"].size
    y = np.full((m, n), np.nan)
    y[:2] = call["y0"]
    zero, none = np.zeros(m - 1), np.zeros(m - 1, np.int32)
    r = ode.lsoda.Report(zero, zero, y, none, none, zero, none, none, none, none, none)
    return y, r, -3


def _drive(call: Call, run: Any) -> Any:
    if not call["legal"]:
        y, report, istate = _illegal(call)
    else:
        out = run()
        y, report, istate = out.y, out.report, _istate(call, out)
        if istate < 0 and len(y) > 1 and np.isfinite(report.y[-1]).all():
            # the first output that was not reached holds the last state, as ODEPACK leaves it
            y[int(np.argmax(np.isnan(y).any(axis=1)))] = report.y[-1]
    message = MESSAGES[istate]
    if istate < 0:
        warn_user(f"{message} Run with full_output = 1 to get quantitative information.", ODEintWarning)
    elif call["printmessg"]:
        warn_user(message, ODEintWarning)
    return (y, _information(call, report, istate)) if call["full_output"] else y


def _finish_jax(call: Call, out: Any) -> Any:
    if not call["full_output"]:
        return out.y
    r = out.report
    return out.y, {
        "hu": r.h, "tcur": r.t, "tsw": r.switched, "nst": r.steps, "nfe": r.nfev, "nje": r.njev, "nqu": r.order,
        "mused": 1 + r.stiff, "status": out.status,
    }  # fmt: skip


def _example_point(call: Call) -> tuple[Any, ...]:
    y, t = call["y0"], call["t"][0]
    return (t, y, *call["args"]) if call["tfirst"] else (y, t, *call["args"])


def _pendulum(y: Any, t: Any, damping: Any, gravity: Any) -> Any:
    return [y[1], -damping * y[1] - gravity * np.sin(y[0])]


_pendulum.__module__ = "user"  # the tracer takes what lives in `sci` for known


def _examples() -> list[Example]:
    return [
        Example(
            args=(_pendulum, np.array([2.0, 0.3]), np.array([0.0, 0.4, 1.1])),
            kwargs={"args": (np.array(0.25), np.array(5.0))},
            grad=("y0", "args"),
            vmap=("y0",),
            rtol=1e-6,
            atol=1e-7,
        )
    ]


@implements(
    "scipy.integrate.odeint",
    callables={"func": _example_point, "Dfun": _example_point},
    trees=("args", "pattern"),
    dtypes={"args": "keep", "pattern": "keep", "mxstep": "keep"},
    static=("tfirst", "col_deriv", "report", "mxordn", "mxords", "size"),
    ignored=("full_output", "ixpr", "mxhnil", "printmessg"),
    prepare=_prepare,
    drive=_drive,
    finish_jax=_finish_jax,
    extras={"size": None},
    examples=_examples,
    note="empty `t` or `y0`, tolerances of another length.",
)
def odeint(
    func, y0, t, args, Dfun, col_deriv, report, rtol, atol, tcrit, first_step, hmax, hmin, mxstep, mxordn, mxords,
    tfirst, pattern, size,
):  # fmt: skip
    """Integrate ``dy/dt = func(y, t, ...)`` by LSODA, with outputs at the times `t`.

    The Jacobian is exact, by differentiation or from `Dfun` (inside the band that `ml` and `mu` declare), where
    ODEPACK takes differences; ``nfe`` does not count it. As in ODEPACK, steps may end beyond the last output, but
    not beyond a time of `tcrit`. An integration that fails warns (`ODEintWarning`): the first output that was not
    reached then holds the last state, the later ones NaN, and the entries of the ``infodict`` repeat the last.
    ``imxer`` is always -1, ``ixpr`` and ``mxhnil`` print nothing.

    In single precision (JAX arrays only) the default tolerances are 20 spacings of it.

    With JAX arrays nothing warns: outputs that were not reached are NaN, and with `full_output` the dictionary holds
    arrays (``status`` is that of `solvers.ode.status`).

    Differentiable in both modes with respect to `y0`, `t`, `args` and what `func` closes over: the derivative of the
    steps taken, of which `size` (default 4096) can be replayed.

    References
    ----------
    .. [1] L. Petzold, "Automatic Selection of Methods for Solving Stiff and Nonstiff Systems of Ordinary Differential
       Equations", SIAM J. Sci. Stat. Comput. 4, 1983.

    Examples
    --------
    >>> import numpy as np
    >>> from sci.integrate import odeint
    >>> y = odeint(lambda y, t: -0.5 * y, [1.0], [0.0, 2.0])
    >>> bool(abs(y[1, 0] - np.exp(-1.0)) < 1e-6)
    True
    """
    n = y0.shape[0]

    def rhs(t, y, *args):
        slope = as_array(func(t, y, *args) if tfirst else func(y, t, *args))
        if slope.ndim > 1:
            raise RuntimeError(f"The array return by func must be one-dimensional, but got ndim={slope.ndim}.")
        if slope.size != n:
            raise RuntimeError(
                f"The size of the array returned by func ({slope.size}) does not match the size of y0 ({n})."
            )
        return slope.reshape(n)

    def jacobian(t, y, *args):
        jac = as_array(Dfun(t, y, *args) if tfirst else Dfun(y, t, *args))
        return jac.T if col_deriv else jac

    # the first step is chosen with regard to the first output that is not the start
    limits = ode.Limits(hmin, first=t[jnp.argmax(t != t[0])], critical=tcrit, budget=mxstep)
    out = ode.solve(
        rhs, t[0], t[-1], y0, args, method=ode.LSODA(mxordn, mxords, overshoot=True), rtol=rtol, atol=atol,
        max_step=hmax, first_step=first_step, max_steps=np.iinfo(np.int32).max, t_eval=t[1:], size=size,
        jac=None if Dfun is None else jacobian, sparsity=pattern, limits=limits, report=report,
    )  # fmt: skip
    y = jnp.concatenate([y0[None].astype(out.y.dtype), out.y])
    return out._replace(y=y, t=None, accepted=None, rejected=None)
