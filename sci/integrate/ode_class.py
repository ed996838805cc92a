"""`ode` and `complex_ode` on the engines of `solvers.ode`.

They are subclasses of SciPy's, whose integrator objects keep the options, the return codes and the messages; only
``run``, ``step`` and ``run_relax`` are ours. A right-hand side that cannot be traced runs on SciPy's integrator.
"""

from __future__ import annotations

import functools
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import scipy.integrate
from jax.tree_util import Partial
from scipy.integrate._ode import dop853, dopri5, lsoda, vode, zvode

from sci.bridge import HostRoute, Reason, TraceError, as_array, platform, to_jax, warn_user
from sci.bridge.cache import LRU
from sci.bridge.extras import bind_last
from sci.bridge.host import run_on_host
from sci.bridge.worlds import double_precision
from sci.integrate.ode_solvers import BDF, DOP853, LSODA, RK45
from solvers import ode as engines
from solvers.ode import drive, stepper
from solvers.ode.problem import outcome

__all__ = ["complex_ode", "ode"]

_MULTISTEP, _RUNGE_KUTTA = (vode, zvode, lsoda), {dopri5: RK45, dop853: DOP853}
#: Return codes: steps used up, illegal input, no convergence at the smallest step.
_EXCESS, _ILLEGAL, _NO_CONVERGENCE = -1, -3, -5
_DOPRI_EXCESS, _DOPRI_SMALL = -2, -3
#: Functions and shapes of states that go together.
_checked = LRU(512)


def _interleaved(fun: Any, t: Any, y: Any) -> Any:
    """A complex right-hand side as one of real and imaginary parts in turn."""
    slope = as_array(fun(t, y[::2] + 1j * y[1::2])).ravel()
    return jnp.stack([slope.real, slope.imag], axis=-1).ravel()


@functools.cache
def _class(base: Any, engine: Any) -> Any:
    """A solver class for functions that have been traced."""

    class Solver(base):
        _engine = engine

        def _trace(self, fun: Any, t0: float, y0: Any, options: dict[str, Any]) -> None:
            self._traced, self._traced_jac, self._linear = fun, options.get("jac"), (None, options.get("_pattern"))

    return Solver


@functools.cache
def _whole() -> Any:
    """The compiled integration from one time to another, without a record."""
    platform.ensure_ready()

    def run(fun, t0, t1, y0, rtol, atol, max_step, first_step, nsteps, method):
        def rhs(t, y):
            return jnp.broadcast_to(as_array(fun(t, y)), y.shape).astype(y.dtype)

        problem = stepper.problem(rhs, t0, t1, rtol, atol, max_step)._replace(max_steps=nsteps)
        state = stepper.start(method, problem, y0, first_step)
        state = drive.run(method, problem, state, lambda s: s.accepted >= 0)
        return state.t, state.y, outcome(problem, state)

    return jax.jit(run, static_argnames=("method",), compiler_options=platform.quick_options())


class _Integrator:
    """One of SciPy's integrators, with its work done by ours; what is not here is the integrator's own."""

    def __init__(self, owner: Any, host: Any) -> None:
        self._owner, self._host = owner, host
        self._solver: Any = None
        self._held: Any = None  # what the functions held when the solver was made
        self._refused = False

    def __getattr__(self, name: str) -> Any:
        return getattr(self.__dict__["_host"], name)

    def reset(self, n: int, has_jac: bool) -> None:
        self._host.reset(n, has_jac)
        self._solver, self._refused = None, False

    def run(self, *args: Any) -> Any:
        return self._integrate("run", *args)

    def step(self, *args: Any) -> Any:
        return self._integrate("step", *args)

    def run_relax(self, *args: Any) -> Any:
        return self._integrate("run_relax", *args)

    def _integrate(self, mode: str, f: Any, jac: Any, y: Any, t: float, t_end: float, *extra: Any) -> Any:
        if not self._refused:
            try:
                self._check()
                fun, slope = self._traced(t, y, *extra)
            except (HostRoute, TraceError) as error:
                known = isinstance(error, HostRoute)
                self._reason = (error.reason, error.detail) if known else (Reason.UNTRACEABLE, str(error))  # type: ignore[union-attr]
                self._refused = True
        if self._refused:
            name = f"scipy.integrate.{type(self._owner).__name__}"
            return run_on_host(name, getattr(self._host, mode), (f, jac, y, t, t_end, *extra), {}, *self._reason)
        if type(self._host) in _RUNGE_KUTTA:
            return self._one_step(fun, y, float(t), float(t_end))
        return self._multistep(mode, fun, slope, y, float(t), float(t_end))

    def _check(self) -> None:
        """HostRoute for options that the engines do not have."""
        host = self._host
        if type(host) in _RUNGE_KUTTA:
            default = type(host)()
            for name in ("safety", "ifactor", "dfactor", "beta"):
                if getattr(host, name) != getattr(default, name):
                    raise HostRoute(Reason.OPTION, f"{name}={getattr(host, name)}")
        elif type(host) is not lsoda and host.meth == 2:
            if host.order < 5:
                raise HostRoute(Reason.OPTION, f"order={host.order} of the method 'bdf'")
            if host.min_step:
                raise HostRoute(Reason.OPTION, f"min_step={host.min_step} of the method 'bdf'")

    def _traced(self, t: float, y: Any, f_params: Any, jac_params: Any) -> tuple[Any, Any]:
        """The right-hand side of a real state, and the Jacobian where the user's is of that."""
        owner, point = self._owner, np.asarray(y)
        twofold = hasattr(owner, "cf")
        fun = owner.cf if twofold else owner.f
        if twofold:
            point = point[::2] + 1j * point[1::2]
        with double_precision():
            traced = to_jax(bind_last(fun, f_params) if f_params else fun, float(t), point)
            self._check_shape(traced, float(t), point)
            if twofold or point.dtype.kind == "c":
                return Partial(_interleaved, traced), None
            slope = None
            if owner.jac is not None and type(self._host) in _MULTISTEP:
                slope = to_jax(bind_last(owner.jac, jac_params) if jac_params else owner.jac, float(t), point)
        return traced, slope

    def _check_shape(self, traced: Any, t: float, point: Any) -> None:
        """Raise where the right-hand side has another shape than the state; once for a function and a shape."""
        key = jax.tree.structure(traced), point.shape
        if _checked.get(key):
            return
        shape = jax.eval_shape(lambda: as_array(traced(t, jnp.asarray(point)))).shape
        if shape != point.shape and (shape, point.size) != ((), 1):
            kind = RuntimeError if type(self._host) is lsoda else ValueError
            raise kind(f"The array returned by `f` has shape {shape}, but the state has shape {point.shape}.")
        _checked.put(key, True)

    def _made(self, fun: Any, slope: Any, y: Any, t: float, t_end: float) -> Any:
        """A solver that goes on beyond ``t_end``."""
        host, n = self._host, y.size
        atol = np.asarray(host.atol)
        if type(host) is zvode and atol.ndim:
            atol = np.repeat(atol, 2)
        options: dict[str, Any] = {"rtol": host.rtol, "atol": atol, "jac": slope}
        options |= {"max_step": host.max_step or np.inf, "first_step": host.first_step or None}
        adams, bdf = (host.max_order_ns, host.max_order_s) if type(host) is lsoda else (host.order, 5)
        if type(host) is not lsoda and host.meth == 2:
            solver = _class(BDF, engines.BDF())
        else:
            solver = _class(LSODA, engines.LSODA(min(adams, 12), min(bdf, 5)))
            options |= {"min_step": host.min_step or None, "_first": t_end}
        lower, upper = host.ml, host.mu
        if (lower is not None or upper is not None) and type(host) is not zvode:
            options["_pattern"] = engines.banded_pattern(n, lower or 0, upper or 0, packed=slope is not None)
        return solver(fun, t, y, t + np.copysign(np.inf, t_end - t), **options)

    def _multistep(self, mode: str, fun: Any, slope: Any, y: Any, t: float, t_end: float) -> Any:
        host, pairs = self._host, type(self._host) is zvode
        leaves, tree = jax.tree.flatten((fun, slope))
        held = [np.asarray(leaf).tobytes() for leaf in leaves], tree
        if self._solver is None or held != self._held:
            if t_end == t:
                return self._ended(2, y, t)
            point = np.stack([y.real, y.imag], axis=-1).ravel() if pairs else np.asarray(y, float)
            self._solver, self._held = self._made(fun, slope, point, t, t_end), held
        solver = self._solver
        state = (lambda v: v[::2] + 1j * v[1::2]) if pairs else np.array
        ahead, steps = solver.direction, 0
        if mode != "step" and solver.t_old is not None and ahead * (t_end - solver.t_old) < 0:
            return self._ended(_ILLEGAL, y, t)
        while ahead * (t_end - solver.t) > 0 or (mode == "step" and steps == 0):
            if steps == host.nsteps:
                return self._ended(_EXCESS, state(solver.y), solver.t)
            if mode != "step":
                steps += solver._skip(t_end, host.nsteps - 1 - steps)
            solver.step()
            steps += 1
            if solver.status == "failed":
                self._solver = None
                return self._ended(_NO_CONVERGENCE, state(solver.y), solver.t)
            if mode == "step":
                break
        if mode == "run" and solver.t != t_end and solver.t_old is not None:
            return self._ended(2, state(solver.dense_output()(t_end)), t_end)
        return self._ended(2, state(solver.y), solver.t)

    def _one_step(self, fun: Any, y: Any, t: float, t_end: float) -> Any:
        host = self._host
        solver, y = _RUNGE_KUTTA[type(host)], np.asarray(y, float)
        if t == t_end:  # as Hairer's code has it
            return self._ended(_DOPRI_SMALL, y, t)
        options = {"rtol": host.rtol, "atol": host.atol, "max_step": host.max_step or np.inf}
        first = min(host.first_step, abs(t_end - t)) or None
        if host.solout is not None:
            return self._watched(solver, fun, y, t, t_end, options | {"first_step": first})
        with double_precision():
            t, y, code = _whole()(
                fun, t, t_end, y, np.asarray(options["rtol"], float), np.asarray(options["atol"], float),
                options["max_step"], first, np.int32(min(host.nsteps, np.iinfo(np.int32).max)), method=solver._engine,
            )  # fmt: skip
        code = {engines.status.SUCCESS: 1, engines.status.MAX_STEPS: _DOPRI_EXCESS}.get(int(code), _DOPRI_SMALL)
        return self._ended(code, np.array(y), float(t))

    def _watched(self, cls: Any, fun: Any, y: Any, t: float, t_end: float, options: dict[str, Any]) -> Any:
        """Step by step, with a call of `solout` at each."""
        kind = _class(cls, cls._engine)
        solver, host = kind(fun, t, y, t_end, **options), self._host
        steps = 0
        while True:
            if host._solout(solver.t, np.array(solver.y)) == -1:
                return self._ended(2, np.array(solver.y), solver.t)
            if solver.status == "finished":
                return self._ended(1, np.array(solver.y), solver.t)
            if steps == host.nsteps:
                return self._ended(_DOPRI_EXCESS, np.array(solver.y), solver.t)
            solver.step()
            steps += 1
            if solver.status == "failed":
                return self._ended(_DOPRI_SMALL, np.array(solver.y), solver.t)

    def _ended(self, code: int, y: Any, t: float) -> Any:
        host = self._host
        host.istate = code
        if code < 0:
            warn_user(f"{type(host).__name__}: {host.messages[code]}", UserWarning)
            host.success = 0
        elif type(host) is lsoda:
            host.success = 1
        return y, t


class _Native:
    """What `ode` and `complex_ode` share; goes before SciPy's class among the bases."""

    _integrator: Any

    def set_integrator(self, name: str, **integrator_params: Any) -> Any:
        super().set_integrator(name, **integrator_params)  # type: ignore[misc]
        if type(getattr(self, "_integrator", None)) in (*_MULTISTEP, *_RUNGE_KUTTA):
            self._integrator = _Integrator(self, self._integrator)
        return self


class ode(_Native, scipy.integrate.ode):
    """Integrate ``y' = f(t, y, *f_params)`` step by step; methods vode, zvode, lsoda, dopri5, dop853.

    The JAX version of `scipy.integrate.ode`, a subclass of it with the same methods, attributes and return codes, for
    NumPy callers (under `jax.jit` use `solve_ivp`). The engines are those of `solve_ivp`: LSODA for "lsoda" and the
    Adams methods of "vode" and "zvode", which therefore notice stiffness; BDF for ``method="bdf"``; RK45 and DOP853
    for "dopri5" and "dop853". Their steps are not those of SciPy's integrators, their tolerances are.

    Jacobians are exact, by differentiation where `jac` is not given or the state is complex; ``with_jacobian`` has
    no meaning here. What `f` reads from outside may change between two calls of ``integrate``: the integration then
    starts again where it is. `f` is evaluated beyond the time asked for by "vode", "zvode" and "lsoda", as in
    SciPy. Right-hand sides that are not numbers end with the return code -5 (-3 of "dopri5", "dop853").

    On SciPy's integrator run: functions that cannot be traced; ``safety``, ``ifactor``, ``dfactor``, ``beta`` of
    "dopri5" and "dop853"; ``order`` below 5 and ``min_step`` of ``method="bdf"``; integrators of the user.

    Parameters
    ----------
    f : callable
        ``f(t, y, *f_params)``, scalar ``t``, ``y`` of shape (n,); returns shape (n,), or a scalar where n = 1.
    jac : callable, optional
        ``jac(t, y, *jac_params)`` of shape (n, n), or the diagonals of a band, (lband + uband + 1, n).

    Raises
    ------
    ValueError, RuntimeError
        If `f` returns another shape than (n,) (RuntimeError by "lsoda", as in SciPy).

    References
    ----------
    .. [1] E. Hairer, S. P. Norsett, G. Wanner, "Solving Ordinary Differential Equations I".

    Examples
    --------
    >>> import numpy as np
    >>> from sci.integrate import ode
    >>> r = ode(lambda t, y, a: -a * y).set_integrator("lsoda", rtol=1e-8).set_initial_value([1.0]).set_f_params(0.5)
    >>> bool(abs(r.integrate(2.0)[0] - np.exp(-1.0)) < 1e-6), r.successful(), r.t
    (True, True, 2.0)
    """


class complex_ode(_Native, scipy.integrate.complex_ode):
    """`ode` for complex states, by real and imaginary parts; every method but zvode.

    The JAX version of `scipy.integrate.complex_ode`, a subclass of it; see `ode`. Jacobians are by differentiation of
    the real system: `f` need not be analytic.

    Parameters
    ----------
    f : callable
        ``f(t, y, *f_params)`` with complex ``y`` of shape (n,).
    jac : callable, optional
        Accepted, and not needed.

    Examples
    --------
    >>> import numpy as np
    >>> from sci.integrate import complex_ode
    >>> r = complex_ode(lambda t, y: 1j * y).set_integrator("dop853").set_initial_value([1.0 + 0j])
    >>> bool(abs(r.integrate(np.pi)[0] + 1) < 1e-5)
    True
    """


ode.__module__ = complex_ode.__module__ = "sci.integrate"
