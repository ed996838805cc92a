"""`solve_ivp` on the engines of `solvers.ode`."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp
import numpy as np

from sci.bridge import Call, Example, as_array, implements
from sci.integrate.ivp_arguments import prepare
from sci.integrate.ivp_events import event_lists, event_values
from sci.integrate.ivp_long import ProgressBar, first_budget, in_pieces, is_long, remember, solve_long, too_large
from sci.integrate.ivp_output import ContinuousSolution, OdeResult, numpy_solution
from solvers import ode
from solvers.ode import Dense
from solvers.ode import status as codes

__all__ = ["solve_ivp"]

_METHODS = {
    "RK23": ode.RK23(), "RK45": ode.RK45(), "DOP853": ode.DOP853(), "Radau": ode.Radau(), "BDF": ode.BDF(),
    "LSODA": ode.LSODA(),
}  # fmt: skip
_GROWTH = 8
_UNEXPECTED = "Unexpected istate in LSODA."


def _drive(call: Call, run: Any) -> OdeResult:
    """Run with growing capacity until every step fits; then SciPy's result object."""
    if call["y0"].size == 0:
        return _stateless(call)
    out = _solved(call, run)
    n, empty = int(out.n), call["t0"] == call["t1"]
    y = out.y[:n].T
    if call["t_eval"] is not None:
        t = np.array(call["asked"][:n])
    elif empty:  # SciPy lists the start twice
        t, y = np.repeat(out.t[:1], 2), np.repeat(y, 2, axis=1)
    else:
        t = out.t[:n]
        if call["dense_output"] and n > 2 and t[-1] == t[-2]:  # an event where a step starts: SciPy lists it once
            t, y = t[:-1], y[:, :-1]
    status, lsoda = int(out.status), call["method"] == "LSODA"
    times, states = (None, None) if out.events is None else event_lists(out.events)
    nothing = call["t_eval"] is not None and n == 0  # SciPy then gives empty lists
    return OdeResult(
        t=[] if nothing else np.ascontiguousarray(t),
        y=[] if nothing else np.ascontiguousarray(y),
        sol=numpy_solution(out.dense, call["y0"], call["method"] in ("BDF", "LSODA"))
        if out.dense is not None
        else None,
        t_events=times,
        y_events=states,
        nfev=int(out.nfev) - int(empty and call["first_step"] is None and not lsoda),
        njev=int(out.njev),
        nlu=int(out.nlu),
        status=max(status, -1),
        message=_UNEXPECTED if status == codes.STEP_TOO_SMALL and lsoda else codes.MESSAGES[status],
        success=status >= 0,
    )


def _solved(call: Call, run: Any) -> Any:
    """The solution: by one run of the body with room for every step, or in pieces if it takes long."""
    with ProgressBar(call["progress"], call["t0"], call["t1"]) as bar:
        pieces, most = in_pieces(call), call["max_steps"]
        if pieces and is_long(call):
            return solve_long(call, _METHODS.get(call["method"], call["method"]), bar)
        budget = first_budget(call) if pieces else most
        out = run(max_steps=budget)
        while int(out.status) == codes.FULL:
            if pieces and too_large(call, _GROWTH * call["size"]):
                break
            out = run(size=_GROWTH * call["size"])
        call["max_steps"] = most
        if int(out.status) == codes.FULL or (int(out.status) == codes.MAX_STEPS and budget < most):
            remember(call)
            return solve_long(call, _METHODS.get(call["method"], call["method"]), bar)
        bar.at(call["t1"])
        return out


def _stateless(call: Call) -> OdeResult:
    """Result of a problem without a state: one step, as SciPy takes it."""
    ends = np.array([call["t0"], call["t1"]])
    t = ends if call["t_eval"] is None else np.array(call["asked"])
    dense: Any = Dense(None, ends, None, np.int32(0)) if call["dense_output"] else None  # type: ignore[arg-type]
    return OdeResult(
        t=t, y=np.zeros((0, t.size), call["y0"].dtype),
        sol=None if dense is None else numpy_solution(dense, call["y0"], False),
        t_events=None, y_events=None, nfev=1, njev=0, nlu=0, status=0, message=codes.MESSAGES[0], success=True,
    )  # fmt: skip


def _finish_jax(call: Call, out: ode.Solution) -> OdeResult:
    found = {}
    if out.events is not None:
        found = {"t_events": out.events.t, "y_events": out.events.y, "n_events": out.events.n}
    return OdeResult(
        t=out.t if call["t_eval"] is None else call["t_eval"],
        y=jnp.moveaxis(out.y, 0, -1),
        n=out.n,
        sol=None if out.dense is None else ContinuousSolution(out.dense),
        nfev=out.nfev,
        njev=out.njev,
        nlu=out.nlu,
        status=out.status,
        success=out.status >= 0,
        **found,
    )


def _example_point(call: Call) -> tuple[Any, ...]:
    y0 = call["y0"]
    return (call["t0"], y0[:, None] if call["vectorized"] else y0, *call["args"])


def _flat_point(call: Call) -> tuple[Any, ...]:
    return (call["t0"], call["y0"], *call["args"])


def _pendulum(t: Any, y: Any, damping: Any, length: Any) -> Any:
    return [y[1], -damping * y[1] - 9.81 / length * np.sin(y[0])]


def _decay(t: Any, y: Any) -> Any:
    return -0.5 * y


def _crossing(t: Any, y: Any, damping: Any, length: Any) -> Any:
    return y[0] - 0.5


_pendulum.__module__ = _decay.__module__ = _crossing.__module__ = (
    "user"  # the tracer takes what lives in `sci` for known
)


def _examples() -> list[Example]:
    y0, t = np.array([1.0, 0.2]), np.array([0.0, 0.3, 0.9, 1.5])
    tight: dict[str, Any] = {"rtol": 1e-7, "atol": 1e-9}
    return [
        Example(
            args=(_pendulum, (0.0, 1.5), y0),
            kwargs={"t_eval": t, "args": (np.array(0.3), np.array(1.2)), "rtol": 1e-7, "atol": 1e-9},
            grad=("y0", "args"),
            vmap=("y0",),
            output=lambda r: r["y"],
            **tight,
        ),
        Example(
            args=(_pendulum, (0.0, 1.5), y0),
            kwargs={"method": "Radau", "events": _crossing, "args": (np.array(0.3), np.array(1.2)), "rtol": 1e-7},
            jit=False,
            output=lambda r: r["y"][:, -1],
            rtol=1e-6,
        ),
        Example(
            args=(_decay, (2.0, 0.0), y0),
            kwargs={"method": "DOP853", "t_eval": t[::-1], "rtol": 1e-7},
            output=lambda r: r["y"],
            **tight,
        ),
        Example(args=(_decay, (0.0, 2.0), y0), kwargs={"method": "RK23"}, jit=False, output=lambda r: r["y"][:, -1]),
    ]


@implements(
    "scipy.integrate.solve_ivp",
    callables={"fun": _example_point, "jac": _flat_point, "events": _flat_point},
    trees=("args", "pattern"),
    dtypes={"args": "keep", "pattern": "keep", "max_steps": "keep", "event_direction": "keep", "event_limit": "keep"},
    static=("method", "dense_output", "vectorized", "size"),
    prepare=prepare,
    drive=_drive,
    finish_jax=_finish_jax,
    extras={"max_steps": None, "size": None, "progress": False},
    examples=_examples,
    note="solver classes of the user; a large sparse matrix as `jac`.",
)
def solve_ivp(
    fun, t0, t1, y0, method, t_eval, dense_output, vectorized, args, rtol, atol, max_step, first_step, max_steps, size,
    jac, jacobian, pattern, min_step, events, event_direction, event_limit,
):  # fmt: skip
    """Solve an initial value problem (methods RK23, RK45, DOP853, Radau, BDF, LSODA; events).

    The steps are those of SciPy; Jacobians are exact (by differentiation, or `jac`) where SciPy takes differences.
    With `jac_sparsity`, or `lband` and `uband` of LSODA, columns that share no row are differentiated together, and
    a narrow band (after Cuthill and McKee's ordering) is eliminated block by block. Right-hand sides that SciPy's
    LSODA spends on differences are not in ``nfev``.
    `method` may also be a method of `solvers.ode`, such as ``solvers.ode.Rodas5P()`` for ensembles of small stiff
    problems, or a Runge-Kutta solver object of diffrax, such as ``diffrax.Tsit5()`` (those of stochastic, controlled
    and split equations stay with `diffrax.diffeqsolve`: see `solvers.ode.Diffrax`).

    ``max_steps`` bounds the attempted steps (status -1 beyond). With JAX arrays the result holds arrays only: ``t``,
    ``y``, ``n``, ``sol``, ``nfev``, ``status``, ``success``. Without `t_eval` its ``t`` and ``y`` then have room for
    ``size`` steps (default 4096), of which ``n`` entries are valid; later ones repeat the last. With `t_eval`, times
    that a failed integration did not reach have NaN. ``status`` is 0 at the end of the interval, -1 where the step
    becomes too small, -2 after ``max_steps``, -3 if ``size`` was too small.

    NumPy callers: a solve of more than some thousand steps runs in pieces of a quarter of a second, so that Ctrl-C ends
    it; ``progress=True`` shows a bar (tqdm) over the interval.

    With `events`, ``t_events`` (k, size // 8) and ``y_events`` hold the zeros of the k functions, NaN beyond the
    first ``n_events``; a terminal one is status 1.

    Differentiable to any order with respect to `y0`, `args`, `t_span`, `t_eval` and what `fun` and `events` close
    over, event times and the states there included: the exact derivative of the steps taken, of which ``size`` can
    be replayed. (BDF of a complex state has no derivatives.)

    References
    ----------
    .. [1] E. Hairer, S. P. Norsett, G. Wanner, "Solving Ordinary Differential Equations I", Sec. II.
    .. [2] E. Hairer, G. Wanner, "Solving Ordinary Differential Equations II", Sec. IV.8 (Radau).
    .. [3] L. F. Shampine, M. W. Reichelt, "The MATLAB ODE Suite", SIAM J. Sci. Comput. 18, 1997 (BDF).
    .. [4] L. Petzold, "Automatic Selection of Methods for Solving Stiff and Nonstiff Systems of Ordinary Differential
       Equations", SIAM J. Sci. Stat. Comput. 4, 1983 (LSODA).

    Examples
    --------
    >>> import numpy as np
    >>> from sci.integrate import solve_ivp
    >>> r = solve_ivp(lambda t, y: -0.5 * y, (0, 2), [1.0], t_eval=[2.0], rtol=1e-8)
    >>> bool(abs(r.y[0, 0] - np.exp(-1.0)) < 1e-5)
    True
    """

    def rhs(t, y, *args):
        slope = as_array(fun(t, y[:, None] if vectorized else y, *args))
        return jnp.broadcast_to(slope.ravel() if vectorized else slope, y.shape)

    def zeros(t, y, *args):
        return event_values(t, y, events, *args)

    def jacobian_of(t, y, *args):
        value = as_array(jac(t, y, *args))
        return jnp.atleast_2d(value) if method == "LSODA" else value  # SciPy's takes a number for one variable

    out = ode.solve(
        rhs, t0, t1, y0, args, method=_METHODS.get(method, method), rtol=rtol, atol=atol, max_step=max_step,
        first_step=first_step, max_steps=max_steps, t_eval=t_eval, size=size, dense=dense_output,
        jac=jacobian if jac is None else jacobian_of, events=None if events is None else zeros,
        event_direction=event_direction, event_limit=event_limit, sparsity=pattern,
        limits=ode.Limits(min_step) if method == "LSODA" else None,
    )  # fmt: skip
    # every result costs microseconds on its way to NumPy
    return out._replace(accepted=None, rejected=None, t=out.t if t_eval is None else None)
