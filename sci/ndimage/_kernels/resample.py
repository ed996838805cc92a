"""Interpolation at arbitrary coordinates: where the taps lie, their weights, and the gathers.

`axis_taps` works on the host (`xp=numpy`: coordinates known before compilation cost nothing at run time) and
traced (`xp=jax.numpy`: differentiable in the coordinates for order >= 1).
"""

import itertools

import jax
import numpy as np
from jax import lax
from jax import numpy as jnp
from jax.custom_batching import custom_vmap

from .borders import OUTSIDE, border_index
from .splines import basis_weights

# The border that the taps of a sample inside the image see, per interpolation mode.
TAP_MODE = {
    "constant": "mirror",
    "wrap": "mirror",
    "mirror": "mirror",
    "nearest": "nearest",
    "reflect": "reflect",
    "grid-mirror": "reflect",
    "grid-wrap": "wrap",
    "grid-constant": "constant",
}
_UNROLL = 36


def fold_coordinate(x, length, mode, xp=np):
    """Bring continuous coordinates into the image as SciPy does; OUTSIDE where `mode` has none."""
    if mode == "grid-constant":
        return x
    low, high = x < 0, x > length - 1
    if mode == "constant":
        return xp.where(low | high, float(OUTSIDE), x)
    if mode == "nearest":
        return xp.clip(x, -8, length + 8)  # the taps are clamped; beyond these bounds they are all the edge
    if length <= 1:
        return xp.where(low | high, 0.0, x)
    if mode == "mirror":
        period = 2 * length - 2
        below = x + period * xp.trunc(-x / period)
        below = xp.where(below <= 1 - length, below + period, -below)
        above = x - period * xp.trunc(x / period)
        above = xp.where(above >= length, period - above, above)
    elif mode in ("reflect", "grid-mirror"):
        period = 2 * length
        below = xp.where(x < -period, x + period * xp.trunc(-x / period), x)
        near = xp.where(below > -1e-15, 1e-15, -below) - 1
        below = xp.where(below < -length, below + period, near)
        above = x - period * xp.trunc(x / period)
        above = xp.where(above >= length, period - above - 1, above)
    elif mode == "wrap":
        period = length - 1
        below = x + period * (xp.trunc(-x / period) + 1)
        above = x - period * xp.trunc(x / period)
    else:
        below = x + length * (xp.trunc((-1 - x) / length) + 1)
        above = x - length * xp.trunc(x / length)
    return xp.where(low, below, xp.where(high, above, x))


def axis_taps(coordinate, length, order, mode, xp=np):
    """Taps of samples at `coordinate` along an axis of `length`.

    Returns
    -------
    index : list of int32 arrays, one per tap
        `OUTSIDE` where a tap takes the constant (``grid-constant`` only). Lists, not one array: traced, each tap
        then stays an expression inside the loop that gathers it.
    weights : list of arrays, one per tap
    inside : bool array, shape (...)
        False where the whole sample takes the constant (``constant`` only).
    """
    folded = fold_coordinate(coordinate, length, mode, xp)
    inside = folded > -1.0 if mode == "constant" else xp.ones(folded.shape, bool)
    # NaN and huge coordinates have no index: they take the constant, never a wild read
    bound = 2.0**30
    sane = xp.abs(folded) < bound
    folded = xp.where(sane & inside, folded, 0.0)
    inside = inside & (sane | (mode == "grid-constant"))
    at = folded if order % 2 else folded + 0.5
    floor = xp.floor(at)
    weights = basis_weights(at - floor, order)
    start = xp.where(sane, floor, -bound if mode == "grid-constant" else 0.0).astype(np.int32) - order // 2
    index = [border_index(start + tap, length, TAP_MODE[mode], xp).astype(np.int32) for tap in range(order + 1)]
    return index, weights, inside


def _with_constant(x, axis, cval):
    """`x` with one sample of `cval` put behind the end of `axis`, where OUTSIDE taps are sent."""
    shape = (*x.shape[:axis], 1, *x.shape[axis + 1 :])
    return jnp.concatenate([x, jnp.full(shape, cval, x.dtype)], axis=axis)


def resample_axis(x, axis, index, weights, cval=None):
    """``sum_k weights[k] * x[index[k]]`` along `axis`; `cval` is given where taps may be `OUTSIDE`."""
    if cval is not None:
        index = jnp.where(index == OUTSIDE, x.shape[axis], index)
        x = lax.optimization_barrier(_with_constant(x, axis, cval))
    total = None
    for k in range(index.shape[0]):
        factor = weights[k].astype(x.dtype).reshape((-1,) + (1,) * (x.ndim - axis - 1))
        term = factor * jnp.take(x, index[k], axis=axis, mode="clip")
        total = term if total is None else total + term
    return lax.optimization_barrier(total)


@custom_vmap
def _rows(flat, position):
    return jnp.take(flat, position, axis=0, mode="clip")


@_rows.def_vmap
def _rows_of_batch(size, batched, flat, position):
    if not batched[0]:
        return _rows(flat, position), True
    if not batched[1]:
        return jnp.take(flat, position, axis=1, mode="clip"), True
    rows = flat.shape[1]
    if size * rows > np.iinfo(position.dtype).max:
        return jax.vmap(lambda f, p: jnp.take(f, p, axis=0, mode="clip"))(flat, position), True
    first = jnp.arange(size, dtype=position.dtype).reshape((-1,) + (1,) * (position.ndim - 1)) * rows
    return _rows(flat.reshape(-1, *flat.shape[2:]), jnp.clip(position, 0, rows - 1) + first), True


@jax.custom_jvp
def _rows_of_floats(flat, position):
    return _rows(flat, position)


@_rows_of_floats.defjvp
def _rows_of_tangents(primals, tangents):
    flat, position = primals
    return _rows_of_floats(flat, position), jnp.take(tangents[0], position, axis=0, mode="clip")


def take_rows(flat, position):
    """``flat[position]``, positions clipped.

    Of a batch of both, XLA's CPU backend writes an array of (image, position) pairs before it gathers: a third of
    the time of warping a batch. One long table has no pairs; but it cannot be split over several devices.
    """
    if jax.device_count() > 1 or not jnp.issubdtype(flat.dtype, jnp.floating):
        return jnp.take(flat, position, axis=0, mode="clip")
    return _rows_of_floats(flat, position)


def resample_points(x, taps, cval=None):
    """Interpolate the leading ``len(taps)`` axes of `x` at scattered points, trailing axes ride along.

    Parameters
    ----------
    x : inexact array, shape (n_1, ..., n_d, *rest)
    taps : list of (index, weights)
        Per axis, one array of shape (*points) per tap.
    cval : scalar, optional
        Value of `OUTSIDE` taps; given where the mode has them.

    Returns
    -------
    array, shape (*points, *rest)
    """
    dims = len(taps)
    if cval is not None:
        for axis in range(dims):
            x = _with_constant(x, axis, cval)
        taps = [([jnp.where(k == OUTSIDE, x.shape[a] - 1, k) for k in i], w) for a, (i, w) in enumerate(taps)]
    rest = x.shape[dims:]
    flat = lax.optimization_barrier(x.reshape((-1, *rest)))
    strides = [int(np.prod(x.shape[a + 1 : dims], dtype=int)) for a in range(dims)]
    scaled = [([k * s for k in i], [v.astype(x.dtype) for v in w]) for (i, w), s in zip(taps, strides, strict=True)]

    def term(parts):
        position = sum(i for i, _ in parts)
        factor = parts[0][1]
        for _, w in parts[1:]:
            factor = factor * w
        factor = factor.reshape(factor.shape + (1,) * len(rest))
        return factor * take_rows(flat, position)

    combinations = list(itertools.product(*[range(len(i)) for i, _ in scaled]))
    if len(combinations) <= _UNROLL:
        total = None
        for choice in combinations:
            value = term([(i[k], w[k]) for k, (i, w) in zip(choice, scaled, strict=True)])
            total = value if total is None else total + value
        return total

    points = scaled[0][0][0].shape
    stacked = [(jnp.stack(i), jnp.stack(w)) for i, w in scaled]

    def step(total, choice):
        return total + term([(i[choice[a]], w[choice[a]]) for a, (i, w) in enumerate(stacked)]), None

    return lax.scan(step, jnp.zeros(points + rest, x.dtype), jnp.asarray(combinations, np.int32))[0]
