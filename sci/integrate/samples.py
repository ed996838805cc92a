"""Integrals of sampled functions: `trapezoid`, `simpson`, `romb`."""

from __future__ import annotations

import functools
from typing import Any

import jax.numpy as jnp
import numpy as np
import scipy.integrate
from jax import lax

from sci.bridge import Call, Example, HostRoute, Reason, implements
from sci.bridge.worlds import is_jax

__all__ = ["romb", "simpson", "trapezoid"]


# --- shared with the cumulative integrals ----------------------------------------------------


def as_samples(call: Call) -> tuple[int, ...]:
    """``y`` as an array and its shape; the axis is checked and counted from the front."""
    y = call["y"]
    if not is_jax(y):
        call["y"] = y = np.asanyarray(y)
        # NumPy adds flags by "or", half floats in half; what is no number is the original's to refuse
        if y.dtype.kind not in "iufc" or y.dtype == np.float16:
            raise HostRoute(Reason.DTYPE, f"argument 'y' is {y.dtype}")
    elif not hasattr(y, "ndim"):
        call["y"] = y = jnp.asarray(y)
    axis, ndim = call["axis"], y.ndim
    if not -ndim <= axis < ndim:
        raise IndexError(f"axis {axis} is out of range for 'y' with {ndim} axes.")
    call["axis"] = int(axis) % ndim
    return y.shape


def widen(call: Call, name: str = "y") -> None:
    """Single precision as double, where the original computes with Python's numbers as float64 arrays."""
    if call.numpy and np.asanyarray(call[name]).dtype in (np.float32, np.complex64):
        call[name] = np.asanyarray(call[name]).astype(np.result_type(call[name], np.float64))


def along(x: Any, ndim: int, axis: int) -> Any:
    """One-dimensional samples ``x`` along an axis of ``ndim``."""
    return x.reshape([-1 if i == axis else 1 for i in range(ndim)])


def part(y: Any, axis: int, start: int, stop: int, step: int = 1) -> Any:
    """``y[..., start:stop:step, ...]`` with bounds from 0 to the length."""
    n = y.shape[axis]
    start = min(start, n)
    return lax.slice_in_dim(y, start, min(max(start, stop), n), step, axis)


#: Samples a row in which a long axis is summed: columns first, all of them at a time (one accumulator would wait
#: for itself).
_ROW = 64


def _columns(y: Any, axis: int) -> tuple[Any, Any]:
    """Sums over the samples of equal index modulo `_ROW`, and the samples left over."""
    count = y.shape[axis] // _ROW
    whole = part(y, axis, 0, count * _ROW)
    rows = whole.reshape(*y.shape[:axis], count, _ROW, *y.shape[axis + 1 :])
    return jnp.sum(rows, axis=axis), part(y, axis, count * _ROW, y.shape[axis])


def total(y: Any, axis: int) -> Any:
    """Sum along an axis."""
    if y.shape[axis] < 4 * _ROW:
        return jnp.sum(y, axis=axis)
    columns, rest = _columns(y, axis)
    return jnp.sum(columns, axis=axis) + jnp.sum(rest, axis=axis)


def steps(x: Any, ndim: int, axis: int) -> Any:
    """Differences of the sample points along an axis; None stays None."""
    if x is None:
        return None
    return jnp.diff(along(x, ndim, axis) if x.ndim == 1 else x, axis=axis)


def real(x: Any) -> Any:
    """Sample points or steps as an array; what is no number goes to the original, which words the error."""
    if x is None or is_jax(x) or isinstance(x, (float, int)):
        return x
    x = np.asanyarray(x)  # a mask is refused by the conversion
    if x.dtype.kind not in "biufc":
        raise HostRoute(Reason.DTYPE, f"sample points of dtype {x.dtype}")
    return x


def _ends(y: Any, axis: int) -> Any:
    """First plus last sample; 0 where that is not finite, since it will be taken from a sum that has them."""
    ends = lax.index_in_dim(y, 0, axis, False) + lax.index_in_dim(y, y.shape[axis] - 1, axis, False)
    return jnp.where(jnp.isfinite(ends), ends, 0)


# --- trapezoid -------------------------------------------------------------------------------


def _prepare_trapezoid(call: Call) -> None:
    shape = as_samples(call)
    axis, n = call["axis"], shape[call["axis"]]
    inner = tuple(max(n - 1, 0) if i == axis else m for i, m in enumerate(shape))
    x, call["dx"] = real(call["x"]), real(call["dx"])
    call["x"] = x
    if x is None:
        np.broadcast_shapes(np.shape(call["dx"]), inner)
        return
    call["dx"] = 1.0
    if x.ndim == 1:
        np.broadcast_shapes((max(x.size - 1, 0),), (inner[axis],))
    elif x.ndim > len(shape) or np.broadcast_shapes(x.shape, shape) != shape:
        raise ValueError(f"'x' has shape {x.shape}, which does not broadcast to that of 'y', {shape}.")


_Y = np.array([[1.0, 2.5, 0.5, 4.0, 3.0], [2.0, -1.5, 3.0, 0.25, 1.0]])
_X = np.array([0.0, 0.5, 1.25, 2.0, 3.5])


@implements(
    "scipy.integrate.trapezoid",
    static=("axis",),
    prepare=_prepare_trapezoid,
    examples=lambda: [
        Example((_Y, _X), grad=("y", "x"), vmap=("y",)),
        Example((_Y,), {"dx": 0.5, "axis": 0}, grad=("y",)),
    ],
    note="Boolean and half precision `y`.",
)
def trapezoid(y, x, dx, axis):
    """Integrate along an axis by the composite trapezoidal rule.

    Parameters
    ----------
    y : array_like
        Samples, real or complex.
    x : array_like, optional
        Sample points, one-dimensional along `axis` or broadcastable to `y`; in any order.
    dx : scalar
        Spacing where `x` is None.
    axis : int

    Returns
    -------
    scalar or array
        `y`'s dtype (float64 for integers). Differentiable with respect to `y`, `x` and `dx`.

    Raises
    ------
    ValueError
        If `x` does not fit `y`.
    IndexError
        If `axis` is out of range.

    References
    ----------
    .. [1] P. J. Davis, P. Rabinowitz, "Methods of Numerical Integration", 2nd ed., Sec. 2.1.

    Examples
    --------
    >>> from sci.integrate import trapezoid
    >>> float(trapezoid([1.0, 2.0, 3.0], dx=2))
    8.0
    """
    n = y.shape[axis]
    if x is None and jnp.ndim(dx) == 0 and n > 1:
        # every sample once, less half the ends: a plain sum, which needs no second look at a neighbour
        return (dx * (total(y, axis) - 0.5 * _ends(y, axis))).astype(y.dtype)
    h = dx if x is None else steps(x if x.ndim == 1 else jnp.broadcast_to(x, y.shape), y.ndim, axis)
    terms = h * (part(y, axis, min(n, 1), n) + part(y, axis, 0, n - 1))
    return (0.5 * total(terms, axis)).astype(y.dtype)


# --- simpson ---------------------------------------------------------------------------------


def _prepare_simpson(call: Call) -> None:
    shape = as_samples(call)
    n = shape[call["axis"]]
    x, call["dx"] = real(call["x"]), real(call["dx"])
    call["x"] = x
    if 0 in shape:
        raise HostRoute(Reason.SHAPE, "no samples")
    if x is None:
        if np.ndim(call["dx"]) != 0:
            raise HostRoute(Reason.SHAPE, "dx is an array")
        if n % 2 == 0 and n > 2 and len(shape) == 1 and _widens():
            widen(call)
        return
    call["dx"] = 1.0
    if x.ndim not in (1, len(shape)):
        raise ValueError(f"'x' must be one-dimensional or of the shape of 'y', {shape}; it has shape {x.shape}.")
    if (x.size if x.ndim == 1 else x.shape[call["axis"]]) != n:
        raise ValueError(f"'x' must have as many points along axis {call['axis']} as 'y', {n}; its shape is {x.shape}.")
    if n != 2 and _widens():
        widen(call)
        widen(call, "x")


@functools.cache
def _widens() -> bool:
    """Whether SciPy's `simpson` computes samples of single precision in double, as before 1.18."""
    samples = np.arange(3, dtype=np.float32)
    return scipy.integrate.simpson(samples, x=samples).dtype == np.float64


def _ratio(a: Any, b: Any) -> Any:
    """``a / b``, and 0 (with a finite derivative) where ``b`` is 0."""
    return jnp.where(b == 0, 0, a / jnp.where(b == 0, 1, b))


def _parabolas(y: Any, h: Any, axis: int, n: int) -> Any:
    """Integral over ``y``'s first ``n`` (odd) samples, a parabola through every three; ``h`` their steps."""
    y0, y1, y2 = (part(y, axis, k, n - 2 + k, 2) for k in range(3))
    h0, h1 = part(h, axis, 0, n - 1, 2), part(h, axis, 1, n - 1, 2)
    both, product = h0 + h1, h0 * h1
    left, right = 2 - _ratio(h1 * h1, product), 2 - _ratio(h0 * h0, product)
    terms = both / 6 * (y0 * left + y1 * _ratio(both * both, product) + y2 * right)
    return total(terms, axis)


def _even_parabolas(y: Any, axis: int, n: int) -> Any:
    """The same for steps of 1: samples weighted 1, 4, 2, 4, ..., 4, 1 thirds."""
    if n < 3:
        return jnp.sum(part(y, axis, 0, 0), axis=axis)
    y = part(y, axis, 0, n)
    weighted = [jnp.sum(v * _alternating(v, axis), axis=axis) for v in _columns(y, axis)]
    return (sum(weighted) - _ends(y, axis)) / 3


def _alternating(v: Any, axis: int) -> Any:
    """Weights 2, 4, 2, 4, ... along an axis."""
    return along(np.resize([2.0, 4.0], v.shape[axis]).astype(v.real.dtype), v.ndim, axis)


def _last_step(y: Any, h0: Any, h1: Any, axis: int) -> Any:
    """Integral over the last step ``h1`` of the parabola through the last three samples."""
    n = y.shape[axis]
    y0, y1, y2 = (lax.index_in_dim(y, k, axis, False) for k in (n - 3, n - 2, n - 1))
    both = h0 + h1
    new, old = _ratio(h1 * (2 * h1 + 3 * h0), 6 * both), _ratio(h1 * (h1 + 3 * h0), 6 * h0)
    return new * y2 + old * y1 - _ratio(h1**3, 6 * h0 * both) * y0


@implements(
    "scipy.integrate.simpson",
    static=("axis",),
    prepare=_prepare_simpson,
    examples=lambda: [
        Example((_Y, _X), grad=("y", "x"), vmap=("y",)),
        Example((_Y[:, :4],), {"dx": 0.5}, grad=("y",)),
        Example((_Y[:, :4], _X[:4]), grad=("y", "x")),
    ],
    note="Boolean and half precision `y`, no samples.",
)
def simpson(y, x, dx, axis):
    """Integrate along an axis by the composite Simpson's rule.

    For an even number of samples the last step is integrated by the parabola through the last three [1]_.

    Parameters
    ----------
    y : array_like
        Samples, real or complex.
    x : array_like, optional
        Sample points, one-dimensional along `axis` or of the shape of `y`.
    dx : scalar
        Spacing where `x` is None.
    axis : int

    Returns
    -------
    scalar or array
        Differentiable with respect to `y`, `x` and `dx`.

    Raises
    ------
    ValueError
        If `x` does not fit `y`.
    IndexError
        If `axis` is out of range.

    References
    ----------
    .. [1] K. V. Cartwright, "Simpson's rule cumulative integration with MS Excel and irregularly-spaced data",
       J. Math. Sci. Math. Educ. 12 (2017).

    Examples
    --------
    >>> import numpy as np
    >>> from sci.integrate import simpson
    >>> round(float(simpson(np.arange(10.0) ** 3)), 6)
    1640.5
    """
    n = y.shape[axis]
    h = steps(x, y.ndim, axis)
    if n == 2:
        h = dx if h is None else lax.index_in_dim(h, 0, axis, False)
        return 0.5 * h * jnp.sum(y, axis=axis)
    odd = n if n % 2 else n - 1
    result = _even_parabolas(y, axis, odd) * dx if h is None else _parabolas(y, h, axis, odd)
    if odd == n:
        return result
    if h is None:
        return result + _last_step(y, 1.0, 1.0, axis) * dx
    last, before = (lax.index_in_dim(h, k, axis, False) for k in (n - 2, n - 3))
    return result + _last_step(y, before, last, axis)


# --- romb ------------------------------------------------------------------------------------


def _prepare_romb(call: Call) -> None:
    n = as_samples(call)[call["axis"]] - 1
    if n < 1 or n & (n - 1):
        raise ValueError(
            f"Number of samples must be one plus a non-negative power of 2; 'y' has {n + 1} along the axis."
        )
    if np.ndim(call["dx"]) != 0:
        raise HostRoute(Reason.SHAPE, "dx is an array")
    widen(call)
    call["table"] = bool(call.numpy and call["show"])


def _print_table(call: Call, out: Any) -> Any:
    if not call["table"]:
        return out
    rows = out
    if np.ndim(rows[0][0]):
        print("*** Printing table only supported for integrals of a single data set.")
        return rows[-1][-1]
    show = call["show"]
    digits = show[0] if isinstance(show, (list, tuple)) and len(show) else 5
    width = show[1] if isinstance(show, (list, tuple)) and len(show) > 1 else 8
    title = "Richardson Extrapolation Table for Romberg Integration"
    print(title, "=" * len(title), sep="\n")
    for row in rows:
        print("".join(f"{value:{width}.{digits}f} " for value in row))
    print("=" * len(title))
    return rows[-1][-1]


@implements(
    "scipy.integrate.romb",
    static=("axis", "table"),
    prepare=_prepare_romb,
    finish=_print_table,
    examples=lambda: [Example((_Y,), {"dx": 0.5}, grad=("y",), vmap=("y",))],
    note="Boolean and half precision `y`.",
)
def romb(y, dx, axis, table):
    """Romberg integration of ``2**k + 1`` equally spaced samples.

    Trapezoidal sums of every refinement, extrapolated to step zero.

    Parameters
    ----------
    y : array_like
        Samples along `axis`, real or complex.
    dx : scalar
        Spacing.
    axis : int
    show : bool or (digits, width)
        Print the table (NumPy world, one-dimensional `y`).

    Returns
    -------
    scalar or array
        Differentiable with respect to `y` and `dx`.

    Raises
    ------
    ValueError
        If the number of samples is not one plus a power of two.
    IndexError
        If `axis` is out of range.

    References
    ----------
    .. [1] P. J. Davis, P. Rabinowitz, "Methods of Numerical Integration", 2nd ed., Sec. 6.3.

    Examples
    --------
    >>> import numpy as np
    >>> from sci.integrate import romb
    >>> float(romb(np.arange(10.0, 14.25, 0.25), dx=0.25))
    48.0
    """
    n = y.shape[axis] - 1
    first, last = (lax.index_in_dim(y, k, axis, False) for k in (0, n))
    row = [0.5 * n * dx * (first + last)]
    rows = [row]
    step = n
    while step > 1:
        # halving the step adds the samples in the middle
        new = 0.5 * (row[0] + step * dx * total(part(y, axis, step // 2, n, step), axis))
        following = [new]
        for j, old in enumerate(row, 1):
            following.append(following[-1] + (following[-1] - old) / (4**j - 1))
        row, step = following, step // 2
        rows.append(row)
    return rows if table else row[-1]
