"""`fixed_point`."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from sci.bridge import Call, Example, HostRoute, Reason, as_array, implements
from sci.bridge.worlds import is_jax
from sci.optimize._shared import bind_arguments, example_point, need_callable, users
from solvers.roots import fixed_point as engine

__all__ = ["fixed_point"]


def _prepare(call: Call) -> None:
    need_callable(call, "func")
    call["accelerate"] = {"del2": True, "iteration": False}[call["method"]]
    call["fun"] = call["func"]
    if not is_jax(call["x0"]):
        x0 = np.asarray(call["x0"])
        if x0.dtype.kind not in "biufc" or x0.size == 0:
            raise HostRoute(Reason.DTYPE, f"x0 has dtype {x0.dtype} and shape {x0.shape}")
        if not np.isfinite(x0).all():
            raise ValueError("array must not contain infs or NaNs")
        call["x0"] = x0 if x0.dtype.kind in "fc" else x0.astype(float)
    call["args"] = tuple(call["args"])  # any sequence, which SciPy unpacks
    bind_arguments(call, "fun")


def _finish(call: Call, out: dict[str, Any]) -> Any:
    if not out["success"]:
        raise RuntimeError(f"Failed to converge after {call['maxiter']} iterations, value is {out['x']}")
    return out["x"]


@users
def _map(x: Any, a: Any, b: Any) -> Any:
    return np.sqrt(a / (x + b))


@implements(
    "scipy.optimize.fixed_point",
    callables={"fun": example_point},
    trees=("args",),
    dtypes={"args": "keep", "maxiter": "keep"},
    static=("accelerate",),
    prepare=_prepare,
    finish=_finish,
    finish_jax=lambda call, out: jnp.where(out["success"], out["x"], jnp.nan),
    examples=lambda: [
        Example(
            (_map, np.array([1.2, 1.3])),
            {"args": np.array([10.0, 3.0]), "xtol": 1e-10},
            grad=("args",),
            vmap=("x0",),
            float32=False,
            rtol=1e-8,
            grad_rtol=1e-4,
        )
    ],
)
def fixed_point(fun, x0, args, xtol, maxiter, accelerate):
    """Find a fixed point of a function, by iteration with or without Steffensen's acceleration.

    The fixed point is differentiable with respect to `args` and what `func` closes over, by the implicit function
    theorem. Values that are not finite are no success. With JAX arrays a failure is NaN.

    References
    ----------
    R. L. Burden, J. D. Faires, "Numerical Analysis", section 2.5.

    Examples
    --------
    >>> import numpy as np
    >>> from sci.optimize import fixed_point
    >>> fixed_point(lambda x: np.sqrt(10 / (x + 3)), np.array([1.2])).round(6).tolist()
    [1.492033]
    """

    def value(x, *extra):
        return as_array(fun(x, *extra))

    x0 = jnp.asarray(x0)
    out = jax.eval_shape(value, x0, *args)
    # The first iterate takes the shape and the precision of the function's values.
    if np.broadcast_shapes(out.shape, x0.shape) != out.shape:
        raise ValueError(f"func must return the shape of x0, {x0.shape}; it returns {out.shape}")
    x0 = jnp.broadcast_to(x0, out.shape).astype(jnp.result_type(x0.dtype, out.dtype))
    result = engine.__wrapped__(value, x0, args, xtol=xtol, maxiter=maxiter, accelerate=accelerate)
    return {"x": result.x, "success": result.success}
