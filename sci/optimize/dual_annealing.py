"""`dual_annealing`: the walk and its local searches as one compiled loop."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp
import numpy as np
from scipy.optimize import Bounds, OptimizeResult

from sci.bridge import Call, Example, HostRoute, Reason, as_array, implements
from sci.bridge.worlds import is_jax
from sci.optimize._shared import bind_arguments, need_callable, users
from sci.optimize.minimizers import minimize
from sci.optimize.randomness import generator, key_of, known_seed
from solvers.globalmin import DualAnnealing
from solvers.globalmin import dual_annealing as engine

__all__ = ["dual_annealing"]

_SEARCH = 4  # the event at which the engine asks for a local search
_STOPPED = "Callback function requested to stop early by returning True"
_MESSAGES = {
    0: "Maximum number of iteration reached",
    2: "Maximum number of function call reached during annealing",
    3: "Maximum number of function call reached during local search",
    4: "Maximum number of function call reached during dual annealing",
}


def _prepare(call: Call) -> None:
    need_callable(call, "func")
    call["given"] = (call["func"], call["args"])
    if not isinstance(call["args"], tuple):
        call["args"] = tuple(call["args"])
    call["lower"], call["upper"] = _box(call["bounds"])
    n = call["lower"].size
    if call["x0"] is not None and len(call["x0"]) != n:
        raise ValueError(f"Bounds size does not match x0: {n} bounds, {len(call['x0'])} numbers in x0")
    if not is_jax(call["restart_temp_ratio"]) and not 0 < call["restart_temp_ratio"] < 1:
        raise ValueError(f"Restart temperature ratio has to be in range (0, 1), got {call['restart_temp_ratio']!r}")
    if not is_jax(call["visit"]) and not 1 < call["visit"] < 3:
        raise HostRoute(Reason.OPTION, f"visit={call['visit']!r} is outside (1, 3)")
    if not is_jax(call["initial_temp"]) and not call["initial_temp"] > 0:
        raise HostRoute(Reason.OPTION, f"initial_temp={call['initial_temp']!r} is not positive")
    random = generator(call, "dual_annealing")
    call["key_data"] = key_of(call, random)
    kwargs = dict(call["minimizer_kwargs"] or {})
    kwargs.pop("args", None)
    call["search_options"] = kwargs
    call["search"] = "none" if call["no_local_search"] else "asked" if kwargs else "own"
    _start(call, n)
    call["maxiter"] = call["maxiter"] if is_jax(call["maxiter"]) else np.int32(min(call["maxiter"], 2**31 - 1))
    call["tells"] = np.bool_(callable(call["callback"]))
    bind_arguments(call, "func")


def _box(bounds: Any) -> tuple[Any, Any]:
    if isinstance(bounds, Bounds):
        sides: Any = (bounds.lb, bounds.ub)
    else:
        sides = jnp.asarray(bounds).T if is_jax(bounds) else list(zip(*bounds, strict=True))
    if len(sides) != 2:
        raise ValueError(f"bounds must be (min, max) pairs, got {bounds!r}")
    if is_jax(sides):
        return jnp.atleast_1d(jnp.asarray(sides[0], float)), jnp.atleast_1d(jnp.asarray(sides[1], float))
    lower, upper = np.broadcast_arrays(*(np.atleast_1d(np.asarray(side, float)) for side in sides))
    if not (np.isfinite(lower).all() and np.isfinite(upper).all()):
        raise ValueError("Some bounds values are inf values or nan values")
    if not (lower < upper).all():
        raise ValueError("Bounds are not consistent min < max")
    return lower.copy(), upper.copy()


def _start(call: Call, n: int) -> None:
    """The engine's state before any evaluation: resumed states have the same structure, so nothing compiles twice."""
    x0, jax_world = call["x0"], is_jax((call["x0"], call["lower"], call["upper"], call["key"]))
    if x0 is None:
        dtype = jnp.result_type(call["lower"]) if jax_world else float
        call["start"] = np.full(n, np.nan, dtype)
    elif is_jax(x0):
        call["start"] = jnp.asarray(x0, float)
    else:
        call["start"] = np.asarray(x0, float)
        if not np.isfinite(call["start"]).all():
            raise HostRoute(Reason.OPTION, "x0 is not finite")
    call["state"] = DualAnnealing().init(call["start"], call["key_data"])


def _validate(call: Call) -> None:
    """In the JAX world: a known seed, and nothing that needs the host."""
    if call.numpy:
        return
    known_seed(call, "dual_annealing")
    for name, given in (("callback", call["callback"]), ("minimizer_kwargs", call["search_options"])):
        if given:
            raise NotImplementedError(f"dual_annealing with JAX arrays takes no {name}")


def _drive(call: Call, run: Any) -> OptimizeResult:
    callback, stopped = call["callback"], False
    out = run()
    while out["event"] and not stopped:
        state = out["state"]
        if out["event"] == _SEARCH:
            state = _answered(call, state)
        else:
            stopped = bool(callback(out["x"].copy(), out["fun"], int(out["event"]) - 1))
        state = state._replace(event=np.int32(0))
        out = run(state=state) if not stopped and out["status"] < 0 else out | {"event": 0}
    status = int(out["status"])
    if status == 1:
        raise ValueError(
            "Stopping algorithm because function create NaN or (+/-) infinity values even with trying new random "
            "parameters"
        )
    return OptimizeResult(
        success=status == 0 and not stopped and bool(np.isfinite(out["fun"])),
        status=0,  # SciPy's is always
        x=out["x"],
        fun=out["fun"],
        nit=int(out["nit"]),
        nfev=int(out["nfev"]),
        njev=int(out["njev"]),
        nhev=int(out["state"].nhev),
        message=[_STOPPED if stopped else _MESSAGES[status]],
    )


def _answered(call: Call, state: Any) -> Any:
    """The state with the local search done that it asks for, by the user's options."""
    function, args = call["given"]
    found = minimize(function, state.found.copy(), args, **call["search_options"])
    counts = {name: np.int32(getattr(state, name) + found.get(name, 0)) for name in ("nfev", "njev", "nhev")}
    return state._replace(
        found=np.asarray(found.x, float), found_fun=np.float64(found.fun), answered=np.bool_(True), **counts
    )


def _finish_jax(call: Call, out: dict[str, Any]) -> OptimizeResult:
    names = ("x", "fun", "nit", "nfev", "njev", "status")
    success = (out["status"] == 0) & jnp.isfinite(out["fun"])
    return OptimizeResult({name: out[name] for name in names}, success=success)


@users
def _waves(x: Any, centre: Any) -> Any:
    return np.sum((x - centre) ** 2) - 0.1 * np.cos(3 * (x[0] - centre[0]))


@implements(
    "scipy.optimize.dual_annealing",
    callables={"func": lambda call: (0.5 * (call["lower"] + call["upper"]), *call["args"])},
    trees=("args", "state"),
    dtypes={"args": "keep", "state": "keep", "key_data": "keep", "maxiter": "keep", "tells": "keep"},
    static=("search",),
    prepare=_prepare,
    validate=_validate,
    drive=_drive,
    finish_jax=_finish_jax,
    extras={"key": None},
    examples=lambda: [
        Example(
            (_waves, [(-2.0, 2.0), (-1.0, 3.0)]),
            {"args": (np.array([0.4, -0.7]),), "rng": 3, "maxiter": 20},
            output=lambda r: (r["x"], r["fun"]),
            grad=("args",), vmap=("args",), rtol=1e-5, atol=1e-5, grad_rtol=1e-3, float32=False,
        )
    ],
    note="visit outside (1, 3).",
)  # fmt: skip
def dual_annealing(
    func, args, lower, upper, start, state, key_data, maxiter, initial_temp, restart_temp_ratio, visit, accept,
    maxfun, tells, search,
):  # fmt: skip
    """Find the global minimum of a function in a box by dual annealing.

    The same distribution as SciPy's and reproducible with `rng` or `seed`, but not the same stream of random numbers.
    Annealing and the default local search (L-BFGS-B with exact gradients, which count one evaluation each) are one
    compiled loop. With `minimizer_kwargs` each local search is a call of `sci.optimize.minimize`. The callback is
    called in order, at each new best point. A result whose value is not finite is no success.

    With JAX arrays, give ``key=`` (of `jax.random`) or an integer `rng`; callbacks and `minimizer_kwargs` raise
    NotImplementedError. The result is then an `OptimizeResult` of arrays, whose ``status`` is 1 where no start has a
    finite value and 2 to 4 after `maxfun` evaluations, and whose ``x`` and ``fun`` are differentiable with respect to
    `args` and what `func` closes over as a minimum in the box.

    References
    ----------
    Y. Xiang, D. Y. Sun, W. Fan, X. G. Gong, "Generalized simulated annealing algorithm and its application to the
    Thomson model", Phys. Lett. A 233, 1997. C. Tsallis, D. A. Stariolo, "Generalized simulated annealing", Physica A
    233, 1996.

    Examples
    --------
    >>> import numpy as np
    >>> from sci.optimize import dual_annealing
    >>> found = dual_annealing(lambda x: np.sum(x * x - 10 * np.cos(2 * np.pi * x)) + 20, [(-5, 5)] * 2, rng=1)
    >>> bool(found.success), bool(found.fun < 1e-10)
    (True, True)
    """

    def value(x, *extra):
        out = as_array(func(x, *extra))
        if out.size != 1:
            raise ValueError(f"func must return a scalar value, got an array of shape {out.shape}")
        return out

    method = DualAnnealing(search, initial_temp, restart_temp_ratio, visit, accept, maxiter, maxfun, tells)
    found = engine(value, (lower, upper), start, key_data, args, method, state=state)
    return found._asdict() | {"event": found.state.event}
