"""`direct`: dividing rectangles, the samples of each in one batch."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp
import numpy as np
from scipy.optimize import Bounds, OptimizeResult

from sci.bridge import Call, Example, HostRoute, Reason, as_array, implements
from sci.bridge.worlds import is_jax
from sci.optimize._shared import bind_arguments, need_callable, users
from solvers.globalmin import Direct
from solvers.globalmin import direct as engine

__all__ = ["direct"]

_NEVER = 2**31 - 1
_LARGEST = 1 << 21
_MESSAGES = {
    1: "Number of function evaluations done is larger than maxfun={}",
    2: "Number of iterations is larger than maxiter={}",
    3: "The best function value found is within a relative error={} of the (known) global optimum f_min",
    4: "The volume of the hyperrectangle containing the lowest function value found is below vol_tol={}",
    5: "The side length measure of the hyperrectangle containing the lowest function value found is below len_tol={}",
    -4: "There was an error in the creation of the sample points",
    -6: "Maximum number of levels has been reached.",
}


def _prepare(call: Call) -> None:
    need_callable(call, "func")
    call["lower"], call["upper"] = lower, upper = _box(call["bounds"])
    for name in ("vol_tol", "len_tol", "f_min_rtol"):
        if not is_jax(call[name]) and not 0 <= call[name] <= 1:
            raise ValueError(f"{name} must be between 0 and 1, got {call[name]!r}.")
    if call["maxfun"] is None:
        call["maxfun"] = 1000 * lower.size
    for name in ("maxfun", "maxiter"):
        if not isinstance(call[name], int):
            raise ValueError(f"{name} must be of type int, got {call[name]!r}.")
        if call[name] < 0:
            raise ValueError(f"{name} must be > 0, got {call[name]}.")
    if not isinstance(call["locally_biased"], bool):
        raise ValueError(f"locally_biased must be True or False, got {call['locally_biased']!r}.")
    call["room"] = call["maxfun"] + 1000 + call["maxfun"] // 2
    call["capacity"] = 1 << (call["room"] - 1).bit_length()  # few sizes, few compilations
    if call["capacity"] * lower.size > _LARGEST:
        raise HostRoute(Reason.SHAPE, f"maxfun={call['maxfun']} in {lower.size} dimensions")
    call["pause"] = np.int32(_NEVER)
    call["args"] = call["args"] if isinstance(call["args"], tuple) else (call["args"],)
    dtype = jnp.result_type(lower) if is_jax((lower, upper)) else float
    call["state"] = Direct(call["capacity"]).init(lower.size, dtype)
    bind_arguments(call, "func")


def _box(bounds: Any) -> tuple[Any, Any]:
    if isinstance(bounds, Bounds):
        sides: Any = (bounds.lb, bounds.ub)
    elif is_jax(bounds) and not isinstance(bounds, (list, tuple)):
        sides = tuple(jnp.asarray(bounds).T)
    elif isinstance(bounds, (list, tuple)):
        sides = tuple(zip(*bounds, strict=True))
    else:
        raise ValueError(f"bounds must be a sequence or instance of Bounds class, got {type(bounds).__name__}")
    if len(sides) != 2:
        raise ValueError(f"bounds must be (min, max) pairs, got {bounds!r}")
    if is_jax(sides):
        return jnp.atleast_1d(jnp.asarray(sides[0], float)), jnp.atleast_1d(jnp.asarray(sides[1], float))
    ends = [np.array([np.inf if v is None else v for v in side], float) if isinstance(side, tuple)
            else np.atleast_1d(np.asarray(side, float)) for side in sides]  # fmt: skip
    lower, upper = (end.copy() for end in np.broadcast_arrays(*ends))
    if not (lower < upper).all():
        raise ValueError("Bounds are not consistent min < max")
    if not (np.isfinite(lower).all() and np.isfinite(upper).all()):
        raise ValueError("Bounds must not be inf.")
    return lower, upper


def _validate(call: Call) -> None:
    if not call.numpy and call["callback"] is not None:
        raise NotImplementedError("direct with JAX arrays takes no callback")


def _drive(call: Call, run: Any) -> OptimizeResult:
    callback = call["callback"]
    if callback is None:
        out = run()
    else:
        out = run(pause=1)
        while True:
            callback(out["x"].copy())
            if out["status"] != 0:
                break
            out = run(state=out["state"], pause=int(out["nit"]) + 1)
    status, fun = int(out["status"]), out["fun"]
    limits = {1: "maxfun", 2: "maxiter", 3: "f_min_rtol", 4: "vol_tol", 5: "len_tol"}
    message = _MESSAGES[status].format(call[limits[status]] if status in limits else "")
    nit = call["maxiter"] if status == 2 else int(out["nit"])
    success = status > 2 and bool(np.isfinite(fun))
    return OptimizeResult(
        x=out["x"], fun=fun, status=status, success=success, message=message, nfev=int(out["nfev"]), nit=nit
    )


def _finish_jax(call: Call, out: dict[str, Any]) -> OptimizeResult:
    success = (out["status"] > 2) & jnp.isfinite(out["fun"])
    return OptimizeResult({name: out[name] for name in ("x", "fun", "status", "nfev", "nit")}, success=success)


@users
def _waves(x: Any, depth: Any) -> Any:
    return np.sum((x - 0.4) ** 2) - depth * np.cos(3 * (x[0] - 0.1))


@implements(
    "scipy.optimize.direct",
    callables={"func": lambda call: (0.5 * (call["lower"] + call["upper"]), *call["args"])},
    trees=("args", "state"),
    dtypes={"args": "keep", "state": "keep", "maxfun": "keep", "maxiter": "keep", "room": "keep", "pause": "keep"},
    static=("capacity", "locally_biased"),
    prepare=_prepare,
    validate=_validate,
    drive=_drive,
    finish_jax=_finish_jax,
    examples=lambda: [
        Example(
            (_waves, [(-2.0, 2.0), (-1.0, 3.0)]),
            {"args": (np.float64(0.7),), "maxfun": 400, "vol_tol": 0.0, "len_tol": 1e-5},
            output=lambda r: r["fun"],  # the point moves by the width of a rectangle or not at all
            grad=("args",), vmap=("args",), rtol=1e-3, atol=1e-3, grad_rtol=1e-2, float32=False,
        )
    ],
    note="a maxfun for which the rectangles would need very much memory.",
)  # fmt: skip
def direct(
    func, args, lower, upper, state, eps, maxfun, maxiter, f_min, f_min_rtol, vol_tol, len_tol, room, pause,
    capacity, locally_biased,
):  # fmt: skip
    """Find the global minimum of a function in a box by dividing rectangles.

    DIRECT as its authors describe it, and the locally biased variant; each rectangle's samples are one batch. An
    iteration divides exactly the rectangles on the lower right hull of values over sizes. SciPy's also divides some
    that are not on it, so that `nfev` and `nit` differ, and with a small `maxfun` the result. Values that are not a
    number count as infinite; a result whose value is not finite is no success. The callback is called after each
    iteration with the best point.

    With JAX arrays the result is an `OptimizeResult` of arrays, whose ``x`` and ``fun`` are differentiable with
    respect to `args` and what `func` closes over as a minimum in the box; a callback raises NotImplementedError.

    References
    ----------
    D. R. Jones, C. D. Perttunen, B. E. Stuckman, "Lipschitzian optimization without the Lipschitz constant", J. Optim.
    Theory Appl. 79, 1993. J. M. Gablonsky, C. T. Kelley, "A locally-biased form of the DIRECT algorithm", J. Global
    Optim. 21, 2001.

    Examples
    --------
    >>> import numpy as np
    >>> from sci.optimize import direct
    >>> found = direct(lambda x: np.sum((x - 0.7) ** 2), [(-3, 3), (-3, 3)])
    >>> bool(found.success), found.x.round(2).tolist()
    (True, [0.7, 0.7])
    """

    def value(x, *extra):
        out = as_array(func(x, *extra))
        if out.size != 1:
            raise ValueError(f"func must return a scalar value, got an array of shape {out.shape}")
        return out

    # SciPy's count of iterations begins at two.
    method = Direct(
        capacity, locally_biased, eps, maxfun, maxiter - 1, room, f_min, f_min_rtol, vol_tol, len_tol, pause
    )
    return engine(value, (lower, upper), args, method, state=state)._asdict()
