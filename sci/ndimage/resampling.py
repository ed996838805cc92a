"""Interpolation: `zoom`, `shift`, `affine_transform`, `map_coordinates`.

`zoom`, `shift` and diagonal affine maps are separable: taps and weights are computed per axis, on the host
where the map is known, and are data to the compiled body. The rest gathers all taps of every sample.
"""

import functools
import warnings
from typing import Any

import numpy as np
from jax import numpy as jnp

from sci.bridge import Example, implements
from sci.bridge.worlds import is_jax, is_traced
from sci.ndimage._arguments import (
    array_argument,
    check_cval,
    finish_output,
    given,
    interpolation_mode,
    sequence,
    set_output_dtype,
)
from sci.ndimage._kernels.borders import pad_axis
from sci.ndimage._kernels.casting import on_parts, real_dtype, round_to, rounding_guard, separate_product
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


def _coefficients(x, cval, axes, prefilter, order, mode):
    """Spline coefficients of `x` along `axes`, on the extended array where the mode needs that."""
    if not prefilter or order < 2:
        return x
    pad = _PREPAD.get(mode, 0)
    for axis in axes:
        x = pad_axis(x, axis, pad, pad, "nearest" if mode == "nearest" else "constant", cval)
    for axis in axes:
        x = prefilter_axis(x, axis, order, mode)
    return x


# --- separable: zoom, shift, diagonal matrices ------------------------------------------------


@functools.lru_cache(256)
def _host_taps(count, length, order, mode, pad, scale, shift, half):
    """Taps of output samples ``(k + shift + half) * scale - half + pad``: (index, weights, inside)."""
    if length == 0:  # nothing to read: every sample takes the constant
        nothing = np.zeros((order + 1, count))
        return nothing.astype(np.int32), nothing, np.zeros(count, bool)
    position = (np.arange(count) + (shift + half)) * scale - half + pad
    index, weights, inside = axis_taps(position, length + 2 * pad, order, mode)
    return np.stack(index), np.stack(weights), None if inside.all() else inside


def _traced_taps(count, length, order, mode, pad, shift):
    position = jnp.arange(count) + shift + pad
    index, weights, inside = axis_taps(position, length + 2 * pad, order, mode, jnp)
    return jnp.stack(index), jnp.stack(weights), inside


def _set_taps(call, taps, axes, order, mode):
    call["taps"] = tuple((index, weights) for index, weights, _ in taps)
    call["inside"] = tuple(inside for _, _, inside in taps)
    call["plan"] = (tuple(axes), bool(call["prefilter"]), order, mode)


def _separable(input, taps, inside, cval, plan, output):
    axes, prefilter, order, mode = plan

    def one(x, fill):
        if x.size == 0:
            lengths = dict(zip(axes, (index.shape[1] for index, _ in taps), strict=True))
            return jnp.full([lengths.get(a, n) for a, n in enumerate(x.shape)], fill, x.dtype)
        x = _coefficients(x, fill, axes, prefilter, order, mode)
        for axis, (index, weights) in zip(axes, taps, strict=True):
            x = resample_axis(x, axis, index, weights, fill if mode == "grid-constant" else None)
        for axis, mask in zip(axes, inside, strict=True):
            if mask is not None:
                x = jnp.where(mask.reshape((-1,) + (1,) * (x.ndim - axis - 1)), x, fill)
        return x

    if not axes:
        return round_to(input, output) if input.dtype != output else input
    return round_to(on_parts(one, input.astype(accumulator(input.dtype, output)), cval), output)


_SEPARABLE: dict[str, Any] = {
    "static": ("plan", "output"),
    "trees": ("taps", "inside"),
    "dtypes": "keep",
    "out": "output",
    "finish": finish_output,
}


def _prepare_zoom(call):
    x, order, mode, pad = interpolation_arguments(call)
    if is_traced(call["zoom"]):
        raise ValueError("zoom is traced, but the shape of the result depends on it: give Python numbers")
    factors = [float(z) for z in sequence(call["zoom"], x.ndim, "zoom")]
    grid = bool(call["grid_mode"])
    shape = tuple(round(n * z) for n, z in zip(x.shape, factors, strict=True))
    set_output_dtype(call, x.dtype, x.dtype.kind == "c")
    better = {"constant": "grid-constant", "wrap": "grid-wrap"}.get(mode)
    unchanged = all(z == 1 for z in factors) and call["prefilter"]
    if grid and better and not unchanged:
        warnings.warn(
            f"It is recommended to use mode = {better} instead of {mode} when grid_mode is True.",
            stacklevel=4,
        )
    taps, axes = [], []
    for axis, (z, n, m) in enumerate(zip(factors, x.shape, shape, strict=True)):
        if z == 1 and (call["prefilter"] or order < 2):
            continue  # prefilter and interpolation at the nodes cancel
        wide, narrow = (n, m) if grid else (n - 1, m - 1)
        scale = wide / narrow if narrow else 1.0
        taps.append(_host_taps(m, n, order, mode, pad, scale, 0.0, 0.5 if grid else 0.0))
        axes.append(axis)
    _set_taps(call, taps, axes, order, mode)


# SciPy reads out of bounds for coordinates that are no number, and in empty arrays
_CRASHES = ("empty", "nan", "inf", "object")


def _image():
    return np.random.default_rng(5).normal(size=(7, 8))


@implements(
    "scipy.ndimage.zoom",
    **_SEPARABLE,
    prepare=_prepare_zoom,
    examples=lambda: [
        Example((_image(), 1.7), grad=("input",)),
        Example((_image(), (0.6, 2.0)), {"order": 1, "mode": "nearest", "grid_mode": True}, grad=("input",)),
    ],
)
def zoom(input, taps, inside, cval, plan, output):
    """Zoom by spline interpolation of order 0 to 5, any dimension. Differentiable in `input`.

    float32 input is computed in float32. The factors must be numbers, since they fix the result's shape.

    Raises
    ------
    RuntimeError
        Unknown order or mode, factors that do not match the dimension.

    Examples
    --------
    >>> from sci import ndimage
    >>> ndimage.zoom([0.0, 1.0, 2.0], 2, order=1)
    array([0. , 0.4, 0.8, 1.2, 1.6, 2. ])
    """
    return _separable(input, taps, inside, cval, plan, output)


def _prepare_shift(call):
    x, order, mode, pad = interpolation_arguments(call)
    set_output_dtype(call, x.dtype, x.dtype.kind == "c")
    shifts = call["shift"]
    if is_jax(shifts) and not isinstance(shifts, (list, tuple)) and shifts.ndim == 0:
        shifts = (shifts,) * x.ndim
    taps = []
    for n, s in zip(x.shape, sequence(shifts, x.ndim, "shift"), strict=True):
        if is_traced(s):
            taps.append(_traced_taps(n, n, order, mode, pad, -s))
        else:
            taps.append(_host_taps(n, n, order, mode, pad, 1.0, -float(s), 0.0))
    _set_taps(call, taps, range(x.ndim), order, mode)


@implements(
    "scipy.ndimage.shift",
    **_SEPARABLE,
    prepare=_prepare_shift,
    examples=lambda: [
        Example((_image(), 1.3), {"mode": "mirror"}, grad=("input",)),
        Example((_image(), (0.4, -2.5)), {"order": 2, "mode": "grid-constant", "cval": 1.0}, grad=("input",)),
    ],
)
def shift(input, taps, inside, cval, plan, output):
    """Shift by spline interpolation; differentiable in `input` and in a traced `shift`; see `zoom`.

    Examples
    --------
    >>> from sci import ndimage
    >>> ndimage.shift([1.0, 2.0, 3.0, 4.0], 1, order=1)
    array([0., 1., 2., 3.])
    """
    return _separable(input, taps, inside, cval, plan, output)


# --- general: affine_transform, map_coordinates -----------------------------------------------


def interpolate_at(x, positions, cval, prefilter, order, mode):
    """Interpolate real `x` at `positions`, one array per axis."""
    if x.size == 0:
        return jnp.full(positions[0].shape, cval, x.dtype)
    coefficients = _coefficients(x, cval, range(x.ndim), prefilter, order, mode)
    pad = (coefficients.shape[0] - x.shape[0]) // 2
    taps, inside = [], True
    for position, length in zip(positions, coefficients.shape, strict=True):
        index, weights, within = axis_taps(position + pad, length, order, mode, jnp)
        taps.append((index, weights))
        inside = inside & within
    value = resample_points(coefficients, taps, cval if mode == "grid-constant" else None)
    return jnp.where(inside, value, cval)


def _check_size(x):
    if x.size >= 2**31 - 1:
        raise ValueError(f"input of shape {x.shape} has more samples than a 32-bit index can address")


def _concrete(value):
    """A NumPy float array, or the value itself where it is traced."""
    return jnp.asarray(value) if is_traced(value) else np.asarray(value, dtype=np.float64)


def _matrix_and_offset(call, ndim):
    """SciPy's forms of `matrix` and `offset`: square, diagonal (1-D), homogeneous."""
    matrix = _concrete(call["matrix"])
    if matrix.ndim not in (1, 2) or matrix.shape[0] < 1:
        raise RuntimeError(f"no proper affine matrix provided: matrix has shape {matrix.shape}")
    if matrix.ndim == 2 and matrix.shape[1] == ndim + 1 and matrix.shape[0] in (ndim, ndim + 1):
        if matrix.shape[0] == ndim + 1 and not is_traced(matrix):
            expected = [0] * ndim + [1]
            if not np.all(matrix[ndim] == expected):
                raise ValueError(
                    f"Expected homogeneous transformation matrix with shape {matrix.shape} and bottom row "
                    f"{expected}, got the bottom row {matrix[ndim].tolist()}"
                )
        return matrix[:ndim, :ndim], matrix[:ndim, ndim]
    if matrix.shape[0] != ndim:
        raise RuntimeError(f"affine matrix has wrong number of rows: {matrix.shape[0]}, not {ndim}")
    offset = call["offset"]
    if is_traced(offset):
        offset = jnp.broadcast_to(jnp.asarray(offset), (ndim,))
    else:
        offset = np.asarray(offset, np.float64) if is_jax(offset) else offset
        offset = np.asarray(sequence(offset if np.ndim(offset) else float(offset), ndim, "offset"), np.float64)
    if offset.ndim != 1:
        raise RuntimeError(f"no proper offset provided: offset has shape {offset.shape}")
    return matrix, offset


def _prepare_affine(call):
    x, order, mode, pad = interpolation_arguments(call)
    _check_size(x)
    target = given(call, "output")
    shape = call["output_shape"]
    if shape is None:
        shape = target.shape if isinstance(target, np.ndarray) else x.shape
    shape = tuple(int(n) for n in shape)
    if not shape:
        raise RuntimeError("input and output rank must be > 0")
    set_output_dtype(call, x.dtype, x.dtype.kind == "c")
    matrix, offset = _matrix_and_offset(call, x.ndim)
    if matrix.ndim == 2 and matrix.shape[1] != len(shape):
        raise RuntimeError(f"affine matrix has wrong number of columns: {matrix.shape[1]}, not {len(shape)}")
    call["taps"], call["inside"] = None, None
    call["matrix"], call["offset"] = matrix, offset
    known = not (is_traced(matrix) or is_traced(offset))
    if matrix.ndim == 1:
        if len(shape) != x.ndim:
            raise RuntimeError(f"output_shape must have {x.ndim} entries for a 1-D matrix, got {shape}")
        if known and np.all(matrix != 0):
            scales, shifts = matrix, offset / matrix
        else:
            call["matrix"] = jnp.diag(matrix) if is_traced(matrix) else np.diag(matrix)
            known = False
    elif (
        known
        and len(shape) == x.ndim
        and not np.any(matrix - np.diag(np.diag(matrix)))
        and np.all(np.diag(matrix) == 1)
    ):
        scales, shifts = np.diag(matrix), offset  # a pure translation
    else:
        known = False
    call["plan"] = (shape, bool(call["prefilter"]), order, mode)
    if known:
        settings = zip(shape, x.shape, scales.tolist(), shifts.tolist(), strict=True)
        taps = [_host_taps(m, n, order, mode, pad, a, b, 0.0) for m, n, a, b in settings]
        _set_taps(call, taps, range(x.ndim), order, mode)
        call["matrix"] = call["offset"] = None


@implements(
    "scipy.ndimage.affine_transform",
    static=("plan", "output"),
    trees=("taps", "inside"),
    dtypes="keep",
    out="output",
    finish=finish_output,
    prepare=_prepare_affine,
    examples=lambda: [
        Example(
            (_image(), [[0.9, 0.2], [-0.1, 1.1]]),
            {"offset": 0.31, "mode": "mirror"},
            grad=("input", "matrix"),
            skip_odd=_CRASHES,
        ),
        Example(
            (_image(), [0.7, 1.2]),
            {"order": 1, "output_shape": (4, 5), "mode": "nearest"},
            grad=("input",),
            skip_odd=_CRASHES,
        ),
    ],
)
def affine_transform(input, matrix, offset, taps, inside, cval, plan, output):
    """Affine map by spline interpolation of order 0 to 5, any dimension.

    Differentiable in `input` and, for JAX values and order >= 1, in `matrix` and `offset`. float32 input is
    computed in float32.

    Raises
    ------
    RuntimeError
        Unknown order or mode, a matrix or offset of the wrong shape.
    ValueError
        A homogeneous matrix whose last row is not (0, ..., 0, 1).

    Examples
    --------
    >>> import numpy as np
    >>> from sci import ndimage
    >>> ndimage.affine_transform(np.arange(4.0), [[1.0]], offset=0.5, order=1)
    array([0.5, 1.5, 2.5, 0. ])
    """
    if matrix is None:
        return _separable(input, taps, inside, cval, plan, output)
    shape, prefilter, order, mode = plan
    acc = accumulator(input.dtype, output)
    real = jnp.promote_types(real_dtype(acc), jnp.result_type(float))  # float32 places samples poorly in wide images
    matrix, offset = jnp.asarray(matrix, real), jnp.asarray(offset, real)
    guard = rounding_guard(matrix)
    grid = [jnp.arange(n, dtype=real).reshape((-1,) + (1,) * (len(shape) - 1 - d)) for d, n in enumerate(shape)]
    positions = []
    for h in range(input.ndim):
        position = offset[h]
        for k, axis in enumerate(grid):
            position = position + separate_product(matrix[h, k], axis, guard)
        positions.append(jnp.broadcast_to(position, shape))
    value = on_parts(lambda x, k: interpolate_at(x, positions, k, prefilter, order, mode), input.astype(acc), cval)
    return round_to(value, output)


def _prepare_coordinates(call):
    x, order, mode, _ = interpolation_arguments(call)
    _check_size(x)
    coordinates = array_argument(call, "coordinates")
    if coordinates.dtype.kind == "c":
        raise TypeError("Complex type not supported: coordinates must be real")
    if coordinates.ndim < 2:
        raise RuntimeError("input and output rank must be > 0")
    if coordinates.shape[0] != x.ndim:
        raise RuntimeError(f"invalid shape for coordinate array: {coordinates.shape}, the first must be {x.ndim}")
    set_output_dtype(call, x.dtype, x.dtype.kind == "c")
    call["plan"] = (bool(call["prefilter"]), order, mode)


@implements(
    "scipy.ndimage.map_coordinates",
    static=("plan", "output"),
    dtypes="keep",
    out="output",
    finish=finish_output,
    prepare=_prepare_coordinates,
    examples=lambda: [
        Example(
            (_image(), np.random.default_rng(6).uniform(-2.0, 9.0, (2, 5))),
            {"mode": "reflect"},
            grad=("input", "coordinates"),
            skip_odd=_CRASHES,
        ),
        Example(
            (_image(), np.random.default_rng(6).uniform(-2.0, 9.0, (2, 3, 2))),
            {"order": 1, "cval": 7.0},
            skip_odd=_CRASHES,
        ),
    ],
)
def map_coordinates(input, coordinates, cval, plan, output):
    """Spline interpolation at given coordinates, shape (ndim, \\*points).

    Differentiable in `input` and, for order >= 1, in `coordinates`. A coordinate that is NaN gives `cval`.

    Raises
    ------
    RuntimeError
        Unknown order or mode, coordinates whose first axis is not the dimension of `input`.

    Examples
    --------
    >>> from sci import ndimage
    >>> ndimage.map_coordinates([[0.0, 1.0], [2.0, 3.0]], [[0.5], [0.5]], order=1)
    array([1.5])
    """
    prefilter, order, mode = plan
    acc = accumulator(input.dtype, output)
    real = real_dtype(acc)
    if jnp.issubdtype(coordinates.dtype, jnp.floating):
        real = jnp.promote_types(real, coordinates.dtype)
    positions = list(coordinates.astype(real))
    value = on_parts(lambda x, k: interpolate_at(x, positions, k, prefilter, order, mode), input.astype(acc), cval)
    return round_to(value, output)
