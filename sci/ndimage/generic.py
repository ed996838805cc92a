"""Filters with a function of the user's: `generic_filter`, `generic_filter1d`, `generic_laplace`, ...

The function is turned into JAX code by the bridge and mapped over all windows at once; one that cannot be traced
runs on SciPy, once per sample as always.
"""

from typing import Any

import jax
import numpy as np
from jax import numpy as jnp

from sci.bridge import Example, HostRoute, Reason, as_array, implements
from sci.ndimage._arguments import (
    FILTER,
    array_argument,
    check_axes,
    check_axis,
    check_cval,
    filter_mode,
    sequence,
    set_output_dtype,
)
from sci.ndimage._kernels.borders import pad_axis
from sci.ndimage._kernels.casting import compute_dtype, truncate_to
from sci.ndimage._kernels.dense import extend
from sci.ndimage._passes import sqrt_of_squares
from sci.ndimage._windows import as_user_code, map_windows
from sci.ndimage.extremes import (
    check_window,
    expand_origins,
    expand_window,
    real_cval,
    real_input,
    unpack_footprint,
    warn_unused_size,
    window_argument,
)


def _user_function(call, name):
    """The user's function; what is no Python callable (LowLevelCallable) goes to SciPy."""
    function = call[name]
    if type(function).__name__ in ("LowLevelCallable", "PyCapsule") or isinstance(function, tuple):
        raise HostRoute(Reason.UNTRACEABLE, f"{name} is a low-level callable")
    extra, options = tuple(call["extra_arguments"]), dict(call["extra_keywords"] or {})
    return function, extra, options


def _example_window(call):
    return (np.random.default_rng(0).normal(size=call["count"]) + 1.5,)


def _prepare_nd(call):
    warn_unused_size(call)
    x = real_input(call)
    axes = check_axes(call["axes"], x.ndim)
    footprint = expand_window(window_argument(call, axes), axes, x.ndim)
    origins = expand_origins(call["origin"], axes, x.ndim)
    for origin, n in zip(origins, footprint.shape, strict=True):
        check_window(n, origin)
    real_cval(call, x)
    set_output_dtype(call, x.dtype)
    function, extra, options = _user_function(call, "function")
    if extra or options:
        call["function"] = as_user_code(lambda window: function(window, *extra, **options))
    call["count"] = int(footprint.sum())
    call["plan"] = (footprint.shape, footprint.tobytes(), filter_mode(call["mode"]), tuple(origins))


def _supports(call):
    return (Reason.SHAPE, "the input or the window is empty") if call["input"].size * call["count"] == 0 else None


def _image():
    return np.random.default_rng(14).normal(size=(6, 5))


def _spread(window):
    return np.max(window) - np.mean(window)


_FACTS: dict[str, Any] = FILTER | {
    "callables": {"function": _example_window},
    "supports": _supports,
    "note": "functions that cannot be traced, and low-level callables",
}


@implements(
    "scipy.ndimage.generic_filter",
    **_FACTS,
    prepare=_prepare_nd,
    examples=lambda: [
        Example((_image(), _spread), {"footprint": [[0, 1, 1], [1, 1, 0]], "mode": "wrap"}, grad=("input",)),
    ],
)
def generic_filter(input, function, cval, plan, output):
    """Apply a function of the window's samples (a 1-D float array) at every position.

    Differentiable in `input` and in JAX values that the function closes over.

    Raises
    ------
    RuntimeError
        Neither size nor footprint, a footprint of the wrong dimension, unknown mode.
    ValueError
        An origin that moves the window off the sample.

    Examples
    --------
    >>> import numpy as np
    >>> from sci import ndimage
    >>> ndimage.generic_filter([1.0, 4.0, 2.0, 2.0], np.ptp, size=3)
    array([3., 3., 2., 0.])
    """
    shape, entries, mode, origins = plan
    footprint = unpack_footprint(shape, entries)
    x = input.astype(compute_dtype(input.dtype))
    padded = extend(x, shape, origins, mode, cval)
    taps = np.argwhere(footprint).tolist()

    def value(window):
        return truncate_to(as_array(function(window)).reshape(()), output)

    return map_windows(value, padded, taps, input.shape)


def _example_line(call):
    return (np.random.default_rng(0).normal(size=call["count"]) + 1.5,)


def _prepare_1d(call):
    x = real_input(call)
    size = int(call["filter_size"])
    set_output_dtype(call, x.dtype)
    if size < 1:
        raise RuntimeError(f"invalid filter size: filter_size must be at least 1, got {size}")
    axis = check_axis(call["axis"], x.ndim)
    origin = check_window(size, call["origin"])
    real_cval(call, x)
    function, extra, options = _user_function(call, "function")
    length = x.shape[axis]

    def line(values):
        result = np.zeros(length)
        function(values, result, *extra, **options)
        return result

    call["function"], call["count"] = as_user_code(line), length + size - 1
    call["plan"] = (axis, size, origin, filter_mode(call["mode"]))


def _third_difference(line, out, scale=1.0):
    out[...] = scale * (line[3:] - 2 * line[1:-2] + line[:-3])


@implements(
    "scipy.ndimage.generic_filter1d",
    **_FACTS,
    prepare=_prepare_1d,
    examples=lambda: [
        Example(
            (_image(), as_user_code(_third_difference), 4), {"axis": 0, "extra_arguments": (0.5,)}, grad=("input",)
        ),
    ],
)
def generic_filter1d(input, function, cval, plan, output):
    """Apply a function to every extended line along an axis; it writes its result into a second argument.

    Examples
    --------
    >>> from sci import ndimage
    >>> def difference(line, out):
    ...     out[...] = line[2:] - line[:-2]
    >>> ndimage.generic_filter1d([1.0, 4.0, 2.0, 2.0], difference, 3)
    array([ 3.,  1., -2.,  0.])
    """
    axis, size, origin, mode = plan
    before = size // 2 + origin
    padded = pad_axis(input.astype(compute_dtype(input.dtype)), axis, before, size - 1 - before, mode, cval)
    lines = jnp.moveaxis(padded, axis, -1)
    values = jax.vmap(lambda line: as_array(function(line)))(lines.reshape(-1, lines.shape[-1]))
    values = truncate_to(values, output).reshape(*lines.shape[:-1], input.shape[axis])
    return jnp.moveaxis(values, -1, axis)


# --- sums over axes of a derivative of the user's -------------------------------------------------


def _prepare_derivative(name):
    def prepare(call):
        x = array_argument(call)
        check_cval(call, x.dtype.kind == "c")
        set_output_dtype(call, x.dtype)
        axes = check_axes(call["axes"], x.ndim)
        modes = sequence(call["mode"], len(axes), "mode") if axes else ()
        function, extra, options = _user_function(call, name)
        if call["output"].kind not in "fc":  # intermediate results would have to be cut as SciPy cuts them
            raise HostRoute(Reason.DTYPE, f"output is {call['output']}")
        dtype, cval = call["output"].name, call["cval"]

        def slopes(values):
            found = []
            for axis, mode in zip(axes, modes, strict=True):
                found.append(function(values, axis, dtype, mode, cval, *extra, **options))
            return found

        call[name], call["count"] = as_user_code(slopes), len(axes)

    return prepare


def _example_image(call):
    x = call["input"]
    return (np.cos(np.arange(x.size) ** 2.0).reshape(x.shape).astype(x.dtype),)


def _derivative_facts(name):
    return FILTER | {
        "static": ("count", "output"),
        "callables": {name: _example_image},
        "prepare": _prepare_derivative(name),
        "note": "integer results; functions that cannot be traced, or that return nothing but fill `output`",
    }


def _slope():
    from scipy import ndimage

    return ndimage.prewitt


@implements(
    "scipy.ndimage.generic_laplace",
    **_derivative_facts("derivative2"),
    examples=lambda: [Example((_image(), _slope()), {"mode": "wrap"}, grad=("input",))],
)
def generic_laplace(input, derivative2, count, output):
    """Sum over the axes of ``derivative2(input, axis, output, mode, cval, ...)``; `output` is given as a dtype's name.

    Examples
    --------
    >>> from sci import ndimage
    >>> def second(input, axis, output, mode, cval):
    ...     return ndimage.correlate1d(input, [1, -2, 1], axis, output, mode, cval)
    >>> ndimage.generic_laplace([0.0, 0.0, 1.0, 0.0, 0.0], second)
    array([ 0.,  1., -2.,  1.,  0.])
    """
    if count == 0:
        return truncate_to(input, output)
    parts = [truncate_to(as_array(p), output) for p in derivative2(input)]
    return sum(parts[1:], start=parts[0])


@implements(
    "scipy.ndimage.generic_gradient_magnitude",
    **_derivative_facts("derivative"),
    examples=lambda: [Example((_image(), _slope()), {"mode": ("wrap", "nearest")}, grad=("input",))],
)
def generic_gradient_magnitude(input, derivative, count, output):
    """Root of the sum of squares over the axes of ``derivative(input, axis, output, mode, cval, ...)``.

    Examples
    --------
    >>> from sci import ndimage
    >>> ndimage.generic_gradient_magnitude([0.0, 3.0, 6.0, 6.0], ndimage.sobel)
    array([3., 6., 3., 0.])
    """
    if count == 0:
        return truncate_to(input, output)
    squares = [p * p for p in (truncate_to(as_array(p), output) for p in derivative(input))]
    total = sum(squares[1:], start=squares[0])
    return truncate_to(sqrt_of_squares(total.astype(compute_dtype(total.dtype))), output)
