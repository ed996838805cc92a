"""Filters in the Fourier domain: `fourier_gaussian`, `fourier_uniform`, `fourier_ellipsoid`, `fourier_shift`."""

from typing import Any

import numpy as np
from jax import numpy as jnp

from sci.bridge import Example, HostRoute, Reason, implements
from sci.bridge.worlds import is_jax, is_traced
from sci.ndimage._arguments import array_argument, check_axis, given, sequence
from sci.ndimage._kernels.casting import truncate_to


def _frequencies(call, x):
    """Per axis the integer frequencies of a transform, and the period that they belong to.

    The axis of a real transform (``n >= 0``) has the frequencies 0, 1, 2, ... of a period `n`.
    """
    real_axis, n = check_axis(call["axis"], x.ndim), int(call["n"])
    tables = []
    for axis, length in enumerate(x.shape):
        if axis == real_axis and n >= 0:
            tables.append(np.arange(length) / max(n, 1))
        else:
            tables.append(np.fft.fftfreq(length) if length else np.zeros(0))
    return tuple(tables)


def _prepare(parameter, complex_result=False):
    allowed = (np.complex64, np.complex128) + (() if complex_result else (np.float32, np.float64))

    def prepare(call):
        x = array_argument(call)
        if parameter == "size_ellipsoid" and x.ndim > 3:
            raise NotImplementedError(f"Only 1d, 2d and 3d inputs are supported, not {x.ndim}")
        output = given(call, "output")
        if output is not None and not isinstance(output, np.ndarray):
            if type(output) is not type:
                raise HostRoute(Reason.OPTION, f"output={output!r}")
            if output not in allowed:
                raise RuntimeError(f"output type not supported: {output}")
        if output is None:
            kept = (np.complex64, np.complex128) + (() if complex_result else (np.float32,))
            wide = np.complex128 if complex_result else np.float64
            if not call.numpy:
                wide = jnp.result_type(complex if complex_result else float)
            call["output"] = np.dtype(x.dtype if x.dtype.type in kept else wide).newbyteorder("=")
        elif isinstance(output, np.ndarray) and output.shape != x.shape:
            raise RuntimeError(f"output shape not correct: {output.shape}, not {x.shape}")
        if x.dtype.kind == "c" and np.dtype(call["output"]).kind != "c":
            raise RuntimeError(f"data type not supported: output is {call['output']}, the input complex")
        call["frequencies"] = _frequencies(call, x)
        name = parameter.partition("_")[0]  # of SciPy
        value = call[name]
        if is_jax(value) and not isinstance(value, (list, tuple)) and value.ndim == 0:
            value = [value] * x.ndim
        if is_traced(value):
            call["values"] = jnp.asarray(value)
        else:
            call["values"] = np.asarray(sequence(np.asarray(value).tolist(), x.ndim, name), np.float64)

    return prepare


_FACTS: dict[str, Any] = {
    "static": ("output",),
    "ignored": ("n", "axis"),
    "trees": ("frequencies",),
    "dtypes": "keep",
    "out": "output",
    "note": "output given as a dtype object or a string",
}


def _along(axis, ndim, values):
    return values.reshape((-1,) + (1,) * (ndim - axis - 1))


def _wide(x, output):
    """`x` in at least the precision of the result."""
    kind = jnp.promote_types(x.dtype, np.float32 if np.dtype(output).itemsize <= 8 else jnp.result_type(float))
    return x.astype(jnp.promote_types(kind, jnp.result_type(float)) if x.dtype.kind in "biu" else kind)


def _spectrum():
    return np.random.default_rng(22).normal(size=(6, 5)) + 1j


@implements(
    "scipy.ndimage.fourier_gaussian",
    **_FACTS,
    prepare=_prepare("sigma"),
    examples=lambda: [
        Example((_spectrum(), 1.3), vmap=("input",)),
        Example((_spectrum().real, (1.0, 2.0)), {"n": 8, "axis": 1}, grad=("input",)),
    ],
)
def fourier_gaussian(input, values, frequencies, output):
    """Multiply a spectrum by the transform of a Gaussian. Differentiable in `input` and a traced `sigma`.

    Examples
    --------
    >>> from sci import ndimage
    >>> ndimage.fourier_gaussian([1.0, 1.0, 1.0, 1.0], 0.5).round(4)
    array([1.    , 0.7346, 0.2912, 0.7346])
    """
    x = _wide(input, output)
    for axis, frequency in enumerate(frequencies):
        factor = jnp.exp(-2 * (np.pi * values[axis] * frequency) ** 2)
        x = x * _along(axis, x.ndim, factor).astype(x.real.dtype)
    return truncate_to(x, output)


def _sinc(r):
    """``sin(r) / r``, with a gradient of zero at zero."""
    safe = jnp.where(r == 0, 1.0, r)
    return jnp.where(r == 0, 1.0, jnp.sin(safe) / safe)


@implements(
    "scipy.ndimage.fourier_uniform",
    **_FACTS,
    prepare=_prepare("size"),
    examples=lambda: [Example((_spectrum(), (3, 2))), Example((_spectrum().real, 2.0), grad=("input",))],
)
def fourier_uniform(input, values, frequencies, output):
    """Multiply a spectrum by the transform of a box; see `fourier_gaussian`.

    Examples
    --------
    >>> from sci import ndimage
    >>> ndimage.fourier_uniform([1.0, 1.0, 1.0, 1.0], 2).round(4)
    array([1.    , 0.6366, 0.    , 0.6366])
    """
    x = _wide(input, output)
    for axis, frequency in enumerate(frequencies):
        x = x * _along(axis, x.ndim, _sinc(np.pi * values[axis] * frequency)).astype(x.real.dtype)
    return truncate_to(x, output)


@implements(
    "scipy.ndimage.fourier_ellipsoid",
    **_FACTS,
    prepare=_prepare("size_ellipsoid"),
    examples=lambda: [Example((_spectrum(), (3.0, 2.5)), rtol=1e-8)],
)
def fourier_ellipsoid(input, values, frequencies, output):
    """Multiply a spectrum by the transform of an ellipsoid of one to three dimensions; see `fourier_gaussian`.

    Examples
    --------
    >>> from sci import ndimage
    >>> ndimage.fourier_ellipsoid([1.0, 1.0, 1.0, 1.0], 2).round(4)
    array([1.    , 0.6366, 0.    , 0.6366])
    """
    x = _wide(input, output)
    if x.size == 0 or x.ndim == 0:
        return truncate_to(x, output)
    square = jnp.zeros((1,) * x.ndim)
    for axis, frequency in enumerate(frequencies):
        square = square + _along(axis, x.ndim, (np.pi * values[axis] * frequency) ** 2)
    positive = square > 0
    r = jnp.sqrt(jnp.where(positive, square, 1.0))
    if x.ndim == 1:
        factor = jnp.sin(r) / r
    elif x.ndim == 2:
        from sci.special import j1

        factor = 2 * j1(r) / r
    else:
        factor = 3 * (jnp.sin(r) - r * jnp.cos(r)) / r**3
    return truncate_to(x * jnp.where(positive, factor, 1.0).astype(x.real.dtype), output)


@implements(
    "scipy.ndimage.fourier_shift",
    **_FACTS,
    prepare=_prepare("shift", complex_result=True),
    examples=lambda: [Example((_spectrum(), (1.5, -0.5)), vmap=("input",))],
)
def fourier_shift(input, values, frequencies, output):
    """Multiply a spectrum by the phases of a shift; see `fourier_gaussian`.

    Examples
    --------
    >>> from sci import ndimage
    >>> ndimage.fourier_shift([1.0, 1.0, 1.0, 1.0], 1).round(4)
    array([ 1.+0.j,  0.-1.j, -1.+0.j,  0.+1.j])
    """
    x = _wide(input, output)
    x = x.astype(jnp.promote_types(x.dtype, np.complex64))
    for axis, frequency in enumerate(frequencies):
        phase = _along(axis, x.ndim, -2 * np.pi * values[axis] * frequency)
        x = x * jnp.exp(1j * phase).astype(x.dtype)
    return truncate_to(x, output)
