"""`solve_ivp`: explicit Runge-Kutta methods on JAX; implicit methods and events on SciPy."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp
import numpy as np

from sci.bridge import Call, Example, as_array, implements
from sci.integrate.ivp_arguments import prepare
from sci.integrate.ivp_output import ContinuousSolution, OdeResult, numpy_solution
from solvers import ode
from solvers.ode import Dense
from solvers.ode import status as codes

__all__ = ["solve_ivp"]

_METHODS = {"RK23": ode.RK23(), "RK45": ode.RK45(), "DOP853": ode.DOP853()}
_GROWTH = 8


def _drive(call: Call, run: Any) -> OdeResult:
    """Run with growing capacity until every step fits; then SciPy's result object."""
    if call["y0"].size == 0:
        return _stateless(call)
    out = run()
    while int(out.status) == codes.FULL:
        out = run(size=_GROWTH * call["size"])
    n, empty = int(out.n), call["t0"] == call["t1"]
    y = out.y[:n].T
    if call["t_eval"] is not None:
        t = np.array(call["asked"][:n])
    elif empty:  # SciPy lists the start twice
        t, y = np.repeat(out.t[:1], 2), np.repeat(y, 2, axis=1)
    else:
        t = out.t[:n]
    status = int(out.status)
    nothing = call["t_eval"] is not None and n == 0  # SciPy then gives empty lists
    return OdeResult(
        t=[] if nothing else np.ascontiguousarray(t),
        y=[] if nothing else np.ascontiguousarray(y),
        sol=numpy_solution(out.dense, call["y0"]) if out.dense is not None else None,
        t_events=None,
        y_events=None,
        nfev=int(out.nfev) - int(empty and call["first_step"] is None),
        njev=0,
        nlu=0,
        status=max(status, -1),
        message=codes.MESSAGES[status],
        success=status >= 0,
    )


def _stateless(call: Call) -> OdeResult:
    """Result of a problem without a state: one step, as SciPy takes it."""
    ends = np.array([call["t0"], call["t1"]])
    t = ends if call["t_eval"] is None else np.array(call["asked"])
    dense: Any = Dense(None, ends, None, np.int32(0)) if call["dense_output"] else None  # type: ignore[arg-type]
    return OdeResult(
        t=t, y=np.zeros((0, t.size), call["y0"].dtype),
        sol=None if dense is None else numpy_solution(dense, call["y0"]),
        t_events=None, y_events=None, nfev=1, njev=0, nlu=0, status=0, message=codes.MESSAGES[0], success=True,
    )  # fmt: skip


def _finish_jax(call: Call, out: ode.Solution) -> OdeResult:
    return OdeResult(
        t=out.t if call["t_eval"] is None else call["t_eval"],
        y=jnp.moveaxis(out.y, 0, -1),
        n=out.n,
        sol=None if out.dense is None else ContinuousSolution(out.dense),
        nfev=out.nfev,
        njev=jnp.zeros_like(out.nfev),
        nlu=jnp.zeros_like(out.nfev),
        status=out.status,
        success=out.status >= 0,
    )


def _example_point(call: Call) -> tuple[Any, ...]:
    y0 = call["y0"]
    return (call["t0"], y0[:, None] if call["vectorized"] else y0, *call["args"])


def _pendulum(t: Any, y: Any, damping: Any, length: Any) -> Any:
    return [y[1], -damping * y[1] - 9.81 / length * np.sin(y[0])]


def _decay(t: Any, y: Any) -> Any:
    return -0.5 * y


_pendulum.__module__ = _decay.__module__ = "user"  # the tracer takes what lives in `sci` for known


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
            args=(_decay, (2.0, 0.0), y0),
            kwargs={"method": "DOP853", "t_eval": t[::-1], "rtol": 1e-7},
            output=lambda r: r["y"],
            **tight,
        ),
        Example(args=(_decay, (0.0, 2.0), y0), kwargs={"method": "RK23"}, jit=False, output=lambda r: r["y"][:, -1]),
    ]


@implements(
    "scipy.integrate.solve_ivp",
    callables={"fun": _example_point},
    trees=("args",),
    dtypes={"args": "keep", "max_steps": "keep"},
    static=("method", "dense_output", "vectorized", "size"),
    prepare=prepare,
    drive=_drive,
    finish_jax=_finish_jax,
    extras={"max_steps": None, "size": None},
    examples=_examples,
    note="methods Radau, BDF, LSODA and solver classes; `events`.",
)
def solve_ivp(
    fun, t0, t1, y0, method, t_eval, dense_output, vectorized, args, rtol, atol, max_step, first_step, max_steps, size
):
    """Solve an initial value problem (explicit Runge-Kutta methods RK23, RK45, DOP853).

    The steps are those of SciPy. ``max_steps`` bounds the attempted steps (status -1 beyond). With JAX arrays the
    result holds arrays only: ``t``, ``y``, ``n``, ``sol``, ``nfev``, ``status``, ``success``. Without `t_eval` its
    ``t`` and ``y`` then have room for ``size`` steps (default 4096), of which ``n`` entries are valid; later ones
    repeat the last. With `t_eval`, times that a failed integration did not reach have NaN. ``status`` is 0 at the
    end of the interval, -1 where the step becomes too small, -2 after ``max_steps``, -3 if ``size`` was too small.

    Differentiable to any order with respect to `y0`, `args`, `t_span`, `t_eval` and what `fun` closes over: the
    exact derivative of the steps taken, of which ``size`` can be replayed.

    References
    ----------
    .. [1] E. Hairer, S. P. Norsett, G. Wanner, "Solving Ordinary Differential Equations I", Sec. II.

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

    out = ode.solve(
        rhs, t0, t1, y0, args, method=_METHODS[method], rtol=rtol, atol=atol, max_step=max_step,
        first_step=first_step, max_steps=max_steps, t_eval=t_eval, size=size, dense=dense_output,
    )  # fmt: skip
    # every result costs microseconds on its way to NumPy
    return out._replace(accepted=None, rejected=None, t=out.t if t_eval is None else None)
