"""What interpolation on grids and at points shares: the checks, the prefilter, taps by axis and by point."""

import functools
from typing import Any

import numpy as np
from jax import numpy as jnp

from sci.ndimage._arguments import (
    array_argument,
    check_cval,
    finish_output,
    interpolation_mode,
)
from sci.ndimage._kernels.borders import pad_axis
from sci.ndimage._kernels.casting import on_parts, round_to
from sci.ndimage._kernels.resample import axis_taps, resample_axis, resample_points
from sci.ndimage._kernels.splines import prefilter_axis
from sci.ndimage._passes import accumulator
from sci.ndimage.splines import check_order

# SciPy has no exact prefilter for these borders: it extends the array first, by this many samples.
_PREPAD = {"nearest": 12, "grid-constant": 12}


def interpolation_arguments(call):
    """Checks that all four share. Returns the input, the order, the mode and the prepad."""
    order = check_order(call["order"])
    x = array_argument(call)
    if x.ndim < 1:
        raise RuntimeError("input and output rank must be > 0")
    check_cval(call, x.dtype.kind == "c")
    mode = interpolation_mode(call["mode"])
    pad = _PREPAD.get(mode, 0) if call["prefilter"] and order > 1 else 0
    return x, order, mode, pad


def coefficients_of(x, cval, axes, prefilter, order, mode):
    """Spline coefficients of `x` along `axes`, on the extended array where the mode needs that."""
    if not prefilter or order < 2:
        return x
    pad = _PREPAD.get(mode, 0)
    for axis in axes:
        x = pad_axis(x, axis, pad, pad, "nearest" if mode == "nearest" else "constant", cval)
    for axis in axes:
        x = prefilter_axis(x, axis, order, mode)
    return x


@functools.lru_cache(256)
def host_taps(count, length, order, mode, pad, scale, shift, half):
    """Taps of output samples ``(k + shift + half) * scale - half + pad``: (index, weights, inside)."""
    if length == 0:  # nothing to read: every sample takes the constant
        nothing = np.zeros((order + 1, count))
        return nothing.astype(np.int32), nothing, np.zeros(count, bool)
    position = (np.arange(count) + (shift + half)) * scale - half + pad
    index, weights, inside = axis_taps(position, length + 2 * pad, order, mode)
    return np.stack(index), np.stack(weights), None if inside.all() else inside


def traced_taps(count, length, order, mode, pad, shift):
    position = jnp.arange(count) + shift + pad
    index, weights, inside = axis_taps(position, length + 2 * pad, order, mode, jnp)
    return jnp.stack(index), jnp.stack(weights), inside


def set_taps(call, taps, axes, order, mode):
    call["taps"] = tuple((index, weights) for index, weights, _ in taps)
    call["inside"] = tuple(inside for _, _, inside in taps)
    call["plan"] = (tuple(axes), bool(call["prefilter"]), order, mode)


def separable(input, taps, inside, cval, plan, output):
    axes, prefilter, order, mode = plan

    def one(x, fill):
        if x.size == 0:
            lengths = dict(zip(axes, (index.shape[1] for index, _ in taps), strict=True))
            return jnp.full([lengths.get(a, n) for a, n in enumerate(x.shape)], fill, x.dtype)
        x = coefficients_of(x, fill, axes, prefilter, order, mode)
        for axis, (index, weights) in zip(axes, taps, strict=True):
            x = resample_axis(x, axis, index, weights, fill if mode == "grid-constant" else None)
        for axis, mask in zip(axes, inside, strict=True):
            if mask is not None:
                x = jnp.where(mask.reshape((-1,) + (1,) * (x.ndim - axis - 1)), x, fill)
        return x

    if not axes:
        return round_to(input, output) if input.dtype != output else input
    return round_to(on_parts(one, input.astype(accumulator(input.dtype, output)), cval), output)


SEPARABLE: dict[str, Any] = {
    "static": ("plan", "output"),
    "trees": ("taps", "inside"),
    "dtypes": "keep",
    "out": "output",
    "finish": finish_output,
    "quick": True,  # gathers and recursions: a third less to compile, no slower to run
}


def interpolate_at(x, positions, cval, prefilter, order, mode):
    """Interpolate real `x` at `positions`, one array per axis."""
    if x.size == 0:
        return jnp.full(positions[0].shape, cval, x.dtype)
    coefficients = coefficients_of(x, cval, range(x.ndim), prefilter, order, mode)
    pad = (coefficients.shape[0] - x.shape[0]) // 2
    taps, inside = [], True
    for position, length in zip(positions, coefficients.shape, strict=True):
        index, weights, within = axis_taps(position + pad, length, order, mode, jnp)
        taps.append((index, weights))
        inside = inside & within
    value = resample_points(coefficients, taps, cval if mode == "grid-constant" else None)
    return jnp.where(inside, value, cval)


# SciPy reads out of bounds for coordinates that are no number, and in empty arrays
CRASHES = ("empty", "nan", "inf", "object")


def example_image():
    return np.random.default_rng(5).normal(size=(7, 8))
