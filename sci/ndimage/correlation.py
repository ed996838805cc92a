"""Correlation and convolution with given weights: `correlate1d`, `convolve1d`, `correlate`, `convolve`."""

import numpy as np
from jax import lax
from jax import numpy as jnp

from sci.bridge import Example, implements
from sci.bridge.worlds import is_jax, is_traced
from sci.ndimage._arguments import (
    FILTER,
    array_argument,
    check_axes,
    check_axis,
    check_cval,
    check_origin,
    filter_mode,
    sequence,
    set_output_dtype,
)
from sci.ndimage._kernels.casting import on_parts, truncate_to
from sci.ndimage._kernels.dense import correlate_dense, nonzero_taps
from sci.ndimage._kernels.separable import GENERAL, symmetry_of
from sci.ndimage._passes import accumulator, run_plan


def _weights(call):
    weights = call["weights"]
    if is_jax(weights):
        return jnp.asarray(weights)
    weights = np.asarray(weights)
    return weights if weights.dtype.kind in "biufc" else weights.astype(np.float64)


def _checked(call, weights):
    """Common checks; returns the input. Complex weights of real input need a real `cval`, as SciPy says."""
    x = array_argument(call)
    complex_input, complex_weights = x.dtype.kind == "c", weights.dtype.kind == "c"
    _real_cval(call, weights)
    check_cval(call, complex_input)
    set_output_dtype(call, x.dtype, complex_input or complex_weights)
    if not complex_weights and not is_jax(weights):
        weights = weights.astype(np.float64)
    return x, weights


def _real_cval(call, weights):
    if weights.dtype.kind == "c" and np.iscomplexobj(call["cval"]) and array_argument(call).dtype.kind != "c":
        raise ValueError("Cannot provide a complex-valued cval when the input is real.")


def _prepare_1d(convolution):
    def prepare(call):
        weights, origin = _weights(call), call["origin"]
        _real_cval(call, weights)
        if weights.ndim == 0 and convolution:
            raise IndexError("too many indices for array: weights must be 1-D, not a scalar")
        if weights.ndim != 1 or weights.shape[0] < 1:
            raise RuntimeError(
                f"no filter weights given: weights must be 1-D and not empty, not of shape {weights.shape}"
            )
        if convolution:
            weights, origin = weights[::-1], -origin - (weights.shape[0] % 2 == 0)
        elif weights.dtype.kind == "c":
            weights = weights.conj()
        x, weights = _checked(call, weights)
        axis = check_axis(call["axis"], x.ndim)
        origin = check_origin(origin, weights.shape[0])
        symmetry = GENERAL if is_traced(weights) else symmetry_of(weights)
        call["weights"], call["plan"] = weights, ((axis, filter_mode(call["mode"]), origin, symmetry),)

    return prepare


def _real_weights(run, weights):
    """``run(weights)`` for real weights; complex ones as two real correlations."""
    if weights.dtype.kind != "c":
        return run(weights)
    real, imaginary = run(weights.real), run(weights.imag)
    if jnp.iscomplexobj(real):
        return real + 1j * imaginary
    return lax.complex(real, imaginary)


def _correlate1d(input, weights, cval, plan, output):
    complex_weights = weights.dtype.kind == "c"
    part = np.dtype(output)
    if complex_weights and not jnp.iscomplexobj(input):
        part = np.finfo(part).dtype
    return truncate_to(_real_weights(lambda w: run_plan(input, (w,), cval, plan, part), weights), output)


def _image():
    return np.random.default_rng(1).normal(size=(7, 6))


@implements(
    "scipy.ndimage.correlate1d",
    **FILTER,
    prepare=_prepare_1d(False),
    examples=lambda: [
        Example((_image(), [1.0, 2.5, -1.0]), {"mode": "wrap"}, grad=("input", "weights"), vmap=()),
        Example((_image(), [1, 3, 1]), {"axis": 0, "origin": -1}, grad=("input",)),
    ],
)
def correlate1d(input, weights, cval, plan, output):
    """One-dimensional correlation along an axis. Differentiable in `input` and `weights`.

    Raises
    ------
    RuntimeError
        Weights that are empty or not 1-D, unknown mode.
    ValueError
        An origin that moves the window off the sample.

    Examples
    --------
    >>> from sci import ndimage
    >>> ndimage.correlate1d([2, 8, 0, 4, 1, 9, 9, 0], weights=[1, 3])
    array([ 8, 26,  8, 12,  7, 28, 36,  9])
    """
    return _correlate1d(input, weights, cval, plan, output)


@implements(
    "scipy.ndimage.convolve1d",
    **FILTER,
    prepare=_prepare_1d(True),
    examples=lambda: [Example((_image(), [1.0, 2.5, -1.0]), {"axis": 0}, grad=("input", "weights"), vmap=())],
)
def convolve1d(input, weights, cval, plan, output):
    """One-dimensional convolution along an axis; see `correlate1d`.

    Examples
    --------
    >>> from sci import ndimage
    >>> ndimage.convolve1d([2, 8, 0, 4, 1, 9, 9, 0], weights=[1, 3])
    array([14, 24,  4, 13, 12, 36, 27,  0])
    """
    return _correlate1d(input, weights, cval, plan, output)


def _prepare_nd(convolution):
    def prepare(call):
        weights = _weights(call)
        if not convolution and weights.dtype.kind == "c":
            weights = weights.conj()
        x, weights = _checked(call, weights)
        axes = check_axes(call["axes"], x.ndim)
        if weights.ndim != len(axes) or 0 in weights.shape:
            raise RuntimeError(
                f"weights.ndim ({weights.ndim}) must match len(axes) ({len(axes)}), weights not be empty"
            )
        origins = [0] * x.ndim
        for axis, origin in zip(axes, sequence(call["origin"], len(axes), "origin"), strict=True):
            origins[axis] = origin
        others = tuple(a for a in range(x.ndim) if a not in axes)
        weights = jnp.expand_dims(weights, others) if is_jax(weights) else np.expand_dims(weights, others)
        if convolution:
            weights = weights[(slice(None, None, -1),) * x.ndim]
            origins = [-o - (n % 2 == 0) for o, n in zip(origins, weights.shape, strict=True)]
        for origin, size in zip(origins, weights.shape, strict=True):
            check_origin(origin, size, "weights.shape[k]")
        taps = np.argwhere(np.ones(weights.shape)) if is_traced(weights) else nonzero_taps(weights)
        call["weights"] = weights
        call["plan"] = (tuple(map(tuple, taps.tolist())), filter_mode(call["mode"]), tuple(origins))

    return prepare


def _correlate(input, weights, cval, plan, output):
    taps, mode, origins = plan
    output = np.dtype(output)
    x = input.astype(accumulator(input.dtype, output))
    exact = output.kind in "biu"

    def run(w):
        return on_parts(lambda part, k: correlate_dense(part, w, taps, mode, k, origins, exact), x, cval)

    return truncate_to(_real_weights(run, weights), output)


@implements(
    "scipy.ndimage.correlate",
    **FILTER,
    prepare=_prepare_nd(False),
    examples=lambda: [
        Example(
            (_image(), [[0.5, 1.0, 0.0], [2.0, -1.0, 0.25]]),
            {"mode": "mirror"},
            grad=("input",),
            vmap=("input",),
        ),
        Example((_image(), np.ones((9, 9)) / 81), {"mode": "constant", "cval": 1.0}, grad=("input",)),
    ],
)
def correlate(input, weights, cval, plan, output):
    """Multidimensional correlation. Differentiable in `input` and `weights`.

    The positions of weights that are not zero are compiled in, their values are data. Kernels of more than 64
    such positions run as a loop over groups of taps.

    Raises
    ------
    RuntimeError
        Weights whose dimension does not match, unknown mode, a sequence of modes.
    ValueError
        An origin that moves the window off the sample.

    Examples
    --------
    >>> import numpy as np
    >>> from sci import ndimage
    >>> ndimage.correlate(np.arange(9).reshape(3, 3), [[0, 1, 0], [1, 0, 0], [0, 0, 0]])
    array([[ 0,  1,  3],
           [ 3,  4,  6],
           [ 9, 10, 12]])
    """
    return _correlate(input, weights, cval, plan, output)


@implements(
    "scipy.ndimage.convolve",
    **FILTER,
    prepare=_prepare_nd(True),
    examples=lambda: [
        Example(
            (_image(), [[0.5, 1.0, 0.0], [2.0, -1.0, 0.25]]),
            {"mode": "reflect"},
            grad=("input",),
            vmap=("input",),
        )
    ],
)
def convolve(input, weights, cval, plan, output):
    """Multidimensional convolution; see `correlate`.

    Examples
    --------
    >>> from sci import ndimage
    >>> ndimage.convolve([[0, 1], [2, 3]], [[1, 1], [0, 0]])
    array([[5, 6],
           [5, 6]])
    """
    return _correlate(input, weights, cval, plan, output)
