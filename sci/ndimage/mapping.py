"""Interpolation at points: `affine_transform`, `map_coordinates`.

All taps of every sample are gathered; diagonal affine maps are separable, as in `resampling.py`.
"""

import numpy as np
from jax import numpy as jnp

from sci.bridge import Example, implements
from sci.bridge.worlds import is_jax, is_traced
from sci.ndimage._arguments import (
    array_argument,
    finish_output,
    given,
    sequence,
    set_output_dtype,
)
from sci.ndimage._interpolation import (
    CRASHES,
    example_image,
    host_taps,
    interpolate_at,
    interpolation_arguments,
    separable,
    set_taps,
)
from sci.ndimage._kernels.casting import on_parts, real_dtype, round_to, rounding_guard, separate_product
from sci.ndimage._passes import accumulator


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
        taps = [host_taps(m, n, order, mode, pad, a, b, 0.0) for m, n, a, b in settings]
        set_taps(call, taps, range(x.ndim), order, mode)
        call["matrix"] = call["offset"] = None


@implements(
    "scipy.ndimage.affine_transform",
    quick=True,
    static=("plan", "output"),
    trees=("taps", "inside"),
    dtypes="keep",
    out="output",
    finish=finish_output,
    prepare=_prepare_affine,
    examples=lambda: [
        Example(
            (example_image(), [[0.9, 0.2], [-0.1, 1.1]]),
            {"offset": 0.31, "mode": "mirror"},
            grad=("input", "matrix"),
            skip_odd=CRASHES,
        ),
        Example(
            (example_image(), [0.7, 1.2]),
            {"order": 1, "output_shape": (4, 5), "mode": "nearest"},
            grad=("input",),
            skip_odd=CRASHES,
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
        return separable(input, taps, inside, cval, plan, output)
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
    quick=True,
    static=("plan", "output"),
    dtypes="keep",
    out="output",
    finish=finish_output,
    prepare=_prepare_coordinates,
    examples=lambda: [
        Example(
            (example_image(), np.random.default_rng(6).uniform(-2.0, 9.0, (2, 5))),
            {"mode": "reflect"},
            grad=("input", "coordinates"),
            skip_odd=CRASHES,
        ),
        Example(
            (example_image(), np.random.default_rng(6).uniform(-2.0, 9.0, (2, 3, 2))),
            {"order": 1, "cval": 7.0},
            skip_odd=CRASHES,
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
