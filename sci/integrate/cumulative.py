"""Running integrals of sampled functions: `cumulative_trapezoid`, `cumulative_simpson`."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp
import numpy as np
from jax import lax

from sci.bridge import Call, Example, implements
from sci.integrate.samples import as_samples, part, real, steps, widen

__all__ = ["cumulative_simpson", "cumulative_trapezoid"]


def running_sum(terms: Any, axis: int) -> Any:
    """Cumulative sum along an axis.

    As a loop over rows, which XLA's CPU backend compiles to one pass; its own cumulative sum takes several. Four
    rows a step measured best, and beyond eight the loop is no longer one piece of code (50 times slower).
    """
    rows = jnp.moveaxis(terms, axis, 0)

    def add(total: Any, row: Any) -> tuple[Any, Any]:
        total = total + row
        return total, total

    _, sums = lax.scan(add, jnp.zeros_like(rows, shape=rows.shape[1:]), rows, unroll=4)
    return jnp.moveaxis(sums, 0, axis)


def _from_start(sums: Any, initial: Any, axis: int) -> Any:
    """Running sums after the value at the first sample."""
    if initial is None:
        return sums
    shape = [1 if i == axis else m for i, m in enumerate(sums.shape)]
    start = jnp.broadcast_to(initial, shape).astype(sums.dtype)
    return jnp.concatenate([start, sums + start], axis=axis)


def _trapezoids(y: Any, h: Any, axis: int) -> Any:
    n = y.shape[axis]
    return running_sum(0.5 * h * (part(y, axis, 1, n) + part(y, axis, 0, n - 1)), axis)


# --- cumulative_trapezoid --------------------------------------------------------------------


def _check_points(x: Any, shape: tuple[int, ...], axis: int) -> None:
    if x.ndim not in (1, len(shape)):
        raise ValueError(f"If given, shape of x must be 1-D or the same as y, {shape}; it is {x.shape}.")
    if (x.size if x.ndim == 1 else x.shape[axis]) != shape[axis]:
        raise ValueError(
            f"If given, length of x along axis must be the same as y, {shape[axis]}; the shape of x is {x.shape}."
        )


def _prepare_trapezoid(call: Call) -> None:
    shape = as_samples(call)
    axis, initial = call["axis"], call["initial"]
    if shape[axis] == 0:
        raise ValueError(f"At least one point is required along `axis`; 'y' has shape {shape}.")
    if initial is not None:
        if not np.isscalar(initial):
            raise ValueError(f"`initial` parameter should be a scalar, got {initial!r}.")
        if initial != 0:
            raise ValueError(f"`initial` must be `None` or `0`, got {initial!r}.")
        call["initial"] = 0.0
    x, call["dx"] = real(call["x"]), real(call["dx"])
    call["x"] = x
    inner = tuple(m - (i == axis) for i, m in enumerate(shape))
    if x is None:
        np.broadcast_shapes(np.shape(call["dx"]), inner)
        return
    call["dx"] = 1.0
    _check_points(x, shape, axis)
    if x.ndim > 1:
        np.broadcast_shapes(x.shape, shape)


_Y = np.array([[1.0, 2.5, 0.5, 4.0, 3.0], [2.0, -1.5, 3.0, 0.25, 1.0]])
_X = np.array([0.0, 0.5, 1.25, 2.0, 3.5])


@implements(
    "scipy.integrate.cumulative_trapezoid",
    static=("axis", "initial"),
    prepare=_prepare_trapezoid,
    examples=lambda: [
        Example((_Y, _X), {"initial": 0}, grad=("y", "x"), vmap=("y",)),
        Example((_Y,), {"dx": 0.5, "axis": 0}, grad=("y",)),
    ],
    note="Boolean and half precision `y`.",
)
def cumulative_trapezoid(y, x, dx, axis, initial):
    """Running integral along an axis by the composite trapezoidal rule.

    Parameters
    ----------
    y : array_like
        Samples, real or complex.
    x : array_like, optional
        Sample points, one-dimensional along `axis` or of the shape of `y`.
    dx : scalar
        Spacing where `x` is None.
    axis : int
    initial : {None, 0}
        0: the result begins with 0 and is as long as `y`; None: one shorter.

    Returns
    -------
    array
        Differentiable with respect to `y`, `x` and `dx`.

    Raises
    ------
    ValueError
        If `x` does not fit `y`, `initial` is another value, or there are no samples.
    IndexError
        If `axis` is out of range.

    References
    ----------
    .. [1] P. J. Davis, P. Rabinowitz, "Methods of Numerical Integration", 2nd ed., Sec. 2.1.

    Examples
    --------
    >>> from sci.integrate import cumulative_trapezoid
    >>> cumulative_trapezoid([1.0, 3.0, 5.0], initial=0)
    array([0., 2., 6.])
    """
    h = dx if x is None else steps(x, y.ndim, axis)
    return _from_start(_trapezoids(y, h, axis), initial, axis)


# --- cumulative_simpson ----------------------------------------------------------------------


def _prepare_simpson(call: Call) -> None:
    try:
        shape = as_samples(call)
    except IndexError as error:
        raise ValueError(
            f"`axis={call['axis']}` is not valid for `y` with `y.ndim={np.ndim(call['y'])}`: {error}"
        ) from None
    axis = call["axis"]
    n = shape[axis]
    if n == 0:
        raise ValueError(f"At least one point is required along `axis`; 'y' has shape {shape}.")
    single = tuple(1 if i == axis else m for i, m in enumerate(shape))
    x, initial = real(call["x"]), real(call["initial"])
    call["x"], call["initial"] = x, initial
    if x is not None:
        call["dx"] = 1.0
        if x.shape != shape and x.shape != (n,):
            raise ValueError(
                f"If given, shape of `x` must be the same as `y` or 1-D, {shape} or ({n},); it is {x.shape}."
            )
    elif n > 2:
        call["dx"] = dx = real(call["dx"])
        if np.ndim(dx) and np.shape(dx) != single:
            raise ValueError(f"`dx` must either be a scalar or have shape {single}; its shape is {np.shape(dx)}.")
        if getattr(dx, "dtype", None) != np.float32:
            widen(call)
    if initial is not None:
        if np.ndim(initial) and np.shape(initial) != single:
            raise ValueError(
                f"`initial` must either be a scalar or have shape {single}; its shape is {np.shape(initial)}."
            )
        widen(call)


def _check_increasing(call: Call) -> None:
    x = call["x"]
    if call.numpy and x is not None and call["y"].shape[call["axis"]] > 2:
        h = np.diff(x, axis=call["axis"] if x.ndim > 1 else -1)
        if np.any(h <= 0):
            raise ValueError(f"Input x must be strictly increasing; its smallest step is {h.min()}.")


def _parabola(h: Any, other: Any, y: Any, near: Any, far: Any) -> Any:
    """Integral over the step ``h`` from ``y`` to ``near`` of the parabola that ends at ``far``, ``other`` further."""
    both = h + other
    a, b = h / both, h * h / (other * both)
    return h / 6 * ((3 - a) * y + (3 + b + a) * near - b * far)


def _simpson_steps(y: Any, dx: Any, h: Any, axis: int) -> Any:
    """Integral over each step: even ones look ahead, odd ones and the last look back."""
    n = y.shape[axis]
    y0, y1, y2 = (part(y, axis, k, n - 2 + k) for k in range(3))
    if h is None:
        ahead, back = (dx * (5 / 12 * y + 2 / 3 * y1 - far / 12) for y, far in ((y0, y2), (y2, y0)))
    else:
        h = jnp.broadcast_to(h, [m - (i == axis) for i, m in enumerate(y.shape)])
        h0, h1 = part(h, axis, 0, n - 2), part(h, axis, 1, n - 1)
        ahead, back = _parabola(h0, h1, y0, y1, y2), _parabola(h1, h0, y2, y1, y0)
    pad = [(0, 0)] * y.ndim
    pad[axis] = (0, 1)
    ahead = jnp.pad(ahead, pad)
    pad[axis] = (1, 0)
    back = jnp.pad(back, pad)
    index = jnp.arange(n - 1).reshape([-1 if i == axis else 1 for i in range(y.ndim)])
    return jnp.where((index % 2 == 0) & (index < n - 2), ahead, back)


@implements(
    "scipy.integrate.cumulative_simpson",
    static=("axis",),
    prepare=_prepare_simpson,
    validate=_check_increasing,
    examples=lambda: [
        Example((_Y,), {"x": _X, "initial": 0}, grad=("y", "x"), vmap=("y",)),
        Example((_Y.T[:4],), {"dx": np.array([[0.5, 0.25]]), "axis": 0}, grad=("y", "dx")),
    ],
    note="Boolean and half precision `y`.",
)
def cumulative_simpson(y, x, dx, axis, initial):
    """Running integral along an axis, a parabola through each sample and two neighbours.

    Parameters
    ----------
    y : array_like
        Samples, real or complex; less than three are integrated by trapezoids.
    x : array_like, optional
        Sample points, strictly increasing, one-dimensional along `axis` or of the shape of `y`.
    dx : scalar or array
        Spacing where `x` is None; an array has the shape of `y` with length 1 along `axis`.
    axis : int
    initial : scalar or array, optional
        Value at the first sample, added to all; an array as `dx`. None: the result is one shorter than `y`.

    Returns
    -------
    array
        Differentiable with respect to `y`, `x`, `dx` and `initial`.

    Raises
    ------
    ValueError
        If shapes do not fit, there are no samples, `axis` is out of range, or (NumPy world) `x` does not increase.

    References
    ----------
    .. [1] K. V. Cartwright, "Simpson's rule cumulative integration with MS Excel and irregularly-spaced data",
       J. Math. Sci. Math. Educ. 12 (2017).

    Examples
    --------
    >>> import numpy as np
    >>> from sci.integrate import cumulative_simpson
    >>> cumulative_simpson(np.arange(5.0) ** 2, initial=0).round(6)
    array([ 0.      ,  0.333333,  2.666667,  9.      , 21.333333])
    """
    h = steps(x, y.ndim, axis)
    if y.shape[axis] < 3:
        return _from_start(_trapezoids(y, dx if h is None else h, axis), initial, axis)
    return _from_start(running_sum(_simpson_steps(y, dx, h, axis), axis), initial, axis)
