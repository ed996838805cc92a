"""`isotonic_regression`: the nearest monotone sequence."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from scipy.optimize import OptimizeResult

from sci.bridge import Call, Example, HostRoute, Reason, implements
from sci.bridge.worlds import is_jax

__all__ = ["isotonic_regression"]


def _prepare(call: Call) -> None:
    for name in ("y", "weights"):
        value = call[name]
        if value is None or is_jax(value):
            continue
        call[name] = value = np.atleast_1d(np.asarray(value))
        if value.dtype.kind not in "biuf":
            raise HostRoute(Reason.DTYPE, f"argument {name!r} has dtype {value.dtype}")
        call[name] = value.astype(float)  # also from single precision, as SciPy
    y, weights = call["y"], call["weights"]
    if np.ndim(y) != 1 or np.size(y) == 0:
        raise HostRoute(Reason.SHAPE, f"y has shape {np.shape(y)}")  # SciPy raises
    if weights is not None:
        if np.shape(weights) != np.shape(y):
            raise ValueError(
                f"Input arrays y and w must have one dimension of equal length, not {np.shape(y)}, {np.shape(weights)}."
            )
        if call.numpy and (weights <= 0).any():
            raise ValueError("Weights w must be strictly positive.")
    call["increasing"] = bool(call["increasing"])


def _finish(call: Call, out: dict[str, Any]) -> OptimizeResult:
    count = int(out["count"])
    blocks, weights = out["blocks"][: count + 1].astype(np.intp), out["weights"][:count]
    if not call["increasing"]:
        blocks, weights = blocks[-1] - blocks[::-1], weights[::-1].copy()
    return OptimizeResult(x=out["x"], weights=weights, blocks=blocks)


def _finish_jax(call: Call, out: dict[str, Any]) -> OptimizeResult:
    return OptimizeResult(x=out["x"])


def _blocks(y: Any, w: Any) -> tuple[Any, Any]:
    """The block of each element, and their number: pool adjacent violators, a stack of means and weights."""
    n = y.size

    def step(carry):
        i, top, mean, weight, first = carry
        # Either the two blocks on the top violate the order and merge, or the next element is pushed.
        below = jnp.maximum(top - 1, 0)
        merge = (top > 0) & (mean[below] >= mean[top])
        total = weight[below] + weight[top]
        pooled = (mean[below] * weight[below] + mean[top] * weight[top]) / total
        next_one = jnp.minimum(i, n - 1)
        place = jnp.where(merge, below, top + 1)
        mean = mean.at[place].set(jnp.where(merge, pooled, y[next_one]))
        weight = weight.at[place].set(jnp.where(merge, total, w[next_one]))
        first = first.at[place].set(jnp.where(merge, first[below], next_one))
        return i + ~merge, place, mean, weight, first

    def more(carry):
        i, top, mean = carry[:3]
        return (i < n) | ((top > 0) & (mean[jnp.maximum(top - 1, 0)] >= mean[top]))

    empty, zero = jnp.zeros(n + 1, y.dtype), jnp.asarray(0, jnp.int32)
    start = (zero + 1, zero, empty.at[0].set(y[0]), empty.at[0].set(w[0]), jnp.zeros(n + 1, jnp.int32))
    _, top, _, _, first = lax.while_loop(more, step, start)
    begins = jnp.zeros(n + 1, jnp.int32).at[jnp.where(jnp.arange(n + 1) <= top, first, n)].set(1)[:n]
    return jnp.cumsum(begins) - 1, top + 1


_Y = np.array([1.5, 1.0, 4.0, 6.0, 5.7, 5.0, 7.8, 9.0, 7.5, 9.5, 9.0])


@implements(
    "scipy.optimize.isotonic_regression",
    dtypes={"y": "float", "weights": "float"},
    static=("increasing",),
    prepare=_prepare,
    finish=_finish,
    finish_jax=_finish_jax,
    examples=lambda: [
        Example((_Y,), {"weights": 1 + 0.1 * _Y}, grad=("y", "weights"), vmap=("y",), output=lambda r: r["x"],
                skip_odd=("nan", "inf"))
    ],
)  # fmt: skip
def isotonic_regression(y, weights, increasing):
    """Find the monotone sequence nearest to `y` in weighted least squares.

    Differentiable with respect to `y` and `weights`: each block is the mean of its elements. With JAX arrays the
    result has ``x`` only.

    References
    ----------
    M. J. Best, N. Chakravarti, "Active set algorithms for isotonic regression", Math. Program. 47, 1990.

    Examples
    --------
    >>> from sci.optimize import isotonic_regression
    >>> isotonic_regression([1.0, 3.0, 2.0, 4.0]).x.tolist()
    [1.0, 2.5, 2.5, 4.0]
    """
    w = jnp.ones_like(y) if weights is None else weights.astype(y.dtype)
    values, w = (y, w) if increasing else (y[::-1], w[::-1])
    n = values.size
    block, count = _blocks(*map(lax.stop_gradient, (values, w)))
    weight = jax.ops.segment_sum(w, block, n)
    mean = jax.ops.segment_sum(w * values, block, n) / jnp.where(weight > 0, weight, 1.0)
    x = mean[block]
    sizes = jnp.cumsum(jax.ops.segment_sum(jnp.ones(n, jnp.int32), block, n))
    blocks = jnp.concatenate([jnp.zeros(1, sizes.dtype), sizes])
    return {"x": x if increasing else x[::-1], "weights": weight, "blocks": blocks, "count": count}
