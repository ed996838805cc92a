"""`gaussian_filter`, `gaussian_filter1d`, `gaussian_laplace`, `gaussian_gradient_magnitude`."""

import functools
import numbers
from typing import Any

import numpy as np

from sci.bridge import Example, implements
from sci.bridge.worlds import is_jax, is_traced
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
from sci.ndimage._kernels.casting import truncate_to
from sci.ndimage._kernels.gaussian import gaussian_weights
from sci.ndimage._kernels.separable import EVEN, ODD
from sci.ndimage._passes import run_plan, sqrt_of_squares

_GAUSSIAN: dict[str, Any] = FILTER | {"trees": ("weights",)}


@functools.lru_cache(512)
def _host_weights(sigma, order, radius):
    weights = gaussian_weights(sigma, order, radius)
    weights.flags.writeable = False
    return weights


def _number(value):
    """A concrete JAX or NumPy scalar as a Python float, a tracer as it is."""
    return value if is_traced(value) else float(value)


def kernel(sigma, order, truncate, radius):
    """Weights and symmetry of one pass; `sigma` may be traced if `radius` is given.

    Raises
    ------
    ValueError
        For a negative order or radius, or a traced sigma without a radius.
    """
    traced = is_traced(sigma)
    if radius is None:
        if traced:
            raise ValueError("sigma is traced, which leaves the kernel's length open: give radius=, an int")
        radius = int(truncate * float(sigma) + 0.5)
    if not isinstance(radius, numbers.Integral) or radius < 0:
        raise ValueError(f"Radius must be a nonnegative integer, got {radius!r}.")
    if order < 0:
        raise ValueError(f"order must be non-negative, got {order!r}")
    symmetry = ODD if order % 2 else EVEN
    if traced:
        from jax import numpy as jnp

        return gaussian_weights(sigma, int(order), int(radius), jnp), symmetry
    return _host_weights(_number(sigma), int(order), int(radius)), symmetry


def plan_gaussian(ndim, sigma, order, mode, truncate, radius, axes):
    """``(weights, plan)`` of a Gaussian filter over `axes` of an `ndim`-dimensional array."""
    settings = (ndim, sigma, order, mode, truncate, radius, axes)
    if any(map(is_jax, settings)):
        return _planned(*settings)
    try:
        return _remembered(*settings)
    except TypeError:  # lists and arrays cannot be hashed; what is wrong is said again
        return _planned(*settings)


def _planned(ndim, sigma, order, mode, truncate, radius, axes):
    axes = check_axes(axes, ndim)
    if is_jax(sigma) and getattr(sigma, "ndim", 1) == 0:
        sigma = (sigma,) * len(axes)
    rank = len(axes)
    settings = zip(
        axes,
        sequence(sigma, rank, "sigma"),
        sequence(order, rank, "order"),
        sequence(mode, rank, "mode"),
        sequence(radius, rank, "radius"),
        strict=True,
    )
    weights, plan = [], []
    for axis, s, n, m, r in settings:
        if is_traced(s) or s > 1e-15:
            w, symmetry = kernel(s, n, truncate, r)
            weights.append(w)
            plan.append((axis, filter_mode(m), 0, symmetry))
    return tuple(weights), tuple(plan)


#: A plan takes longer than the filter of a small image. Typed: a radius of 1.0 is refused, of 1 it is not.
_remembered = functools.lru_cache(512, typed=True)(_planned)


def _common(call):
    x = array_argument(call)
    complex_input = x.dtype.kind == "c"
    check_cval(call, complex_input)
    set_output_dtype(call, x.dtype, complex_input)
    return x


def _prepare(call):
    x = _common(call)
    call["weights"], call["plan"] = plan_gaussian(
        x.ndim, call["sigma"], call["order"], call["mode"], call["truncate"], call["radius"], call["axes"]
    )


def _prepare_1d(call):
    x = _common(call)
    weights, symmetry = kernel(_number(call["sigma"]), call["order"], call["truncate"], call["radius"])
    axis = check_axis(call["axis"], x.ndim)
    call["weights"], call["plan"] = (weights,), ((axis, filter_mode(call["mode"]), 0, symmetry),)


def _image():
    return np.random.default_rng(0).normal(size=(9, 8))


@implements(
    "scipy.ndimage.gaussian_filter",
    **_GAUSSIAN,
    prepare=_prepare,
    examples=lambda: [
        Example((_image(), 1.3), grad=("input",), vmap=("input",)),
        Example((_image(), (1.0, 2.0)), {"order": (0, 1), "mode": ("wrap", "mirror")}, grad=("input",)),
        Example(((_image() * 50).astype(np.uint8), 1.0), {"mode": "constant", "cval": 3.0}),
    ],
)
def gaussian_filter(input, weights, cval, plan, output):
    """Multidimensional Gaussian filter, or its derivatives.

    float32 input is computed in float32 (SciPy: in float64, then rounded), integers in float64, with SciPy's
    truncation. Differentiable in `input` and, for JAX scalars with ``radius=`` given, in `sigma`.

    Parameters
    ----------
    input : array_like, any shape
    sigma : scalar or sequence, in samples
        A new value of the same radius compiles nothing. Traced only with `radius`.
    output : array or dtype, optional
        The dtype of `input` by default.

    Returns
    -------
    array of `input`'s shape

    Raises
    ------
    RuntimeError
        Unknown mode, sequences of the wrong length.
    ValueError
        Axes out of range or repeated, negative order or radius.

    Examples
    --------
    >>> import numpy as np
    >>> from sci import ndimage
    >>> a = np.zeros(5)
    >>> a[2] = 1
    >>> ndimage.gaussian_filter(a, 1, radius=1).round(4)
    array([0.    , 0.2741, 0.4519, 0.2741, 0.    ])
    """
    return run_plan(input, weights, cval, plan, output)


@implements(
    "scipy.ndimage.gaussian_filter1d",
    **_GAUSSIAN,
    prepare=_prepare_1d,
    examples=lambda: [Example((_image(), 1.3), {"order": 2, "axis": 0}, grad=("input",), vmap=())],
)
def gaussian_filter1d(input, weights, cval, plan, output):
    """One-dimensional Gaussian filter along an axis, or a derivative of any order; see `gaussian_filter`.

    Examples
    --------
    >>> from sci import ndimage
    >>> ndimage.gaussian_filter1d([1.0, 2.0, 3.0, 4.0, 5.0], 1).round(3)
    array([1.427, 2.068, 3.   , 3.932, 4.573])
    """
    return run_plan(input, weights, cval, plan, output)


def _prepare_sum(derivative):
    """`prepare` of a sum over axes of Gaussian derivatives of the order `derivative`."""

    def prepare(call):
        x = _common(call)
        axes = check_axes(call["axes"], x.ndim)
        sigma = call["sigma"]
        if is_jax(sigma) and getattr(sigma, "ndim", 1) == 0:
            sigma = (sigma,) * x.ndim
        if derivative == 2:
            per_axis = dict(zip(axes, sequence(sigma, len(axes), "sigma"), strict=True))
            sigma = tuple(per_axis.get(a, 0.0) for a in range(x.ndim))
        options = dict(call["kwargs"])
        settings = {"truncate": options.pop("truncate", 4.0), "radius": options.pop("radius", None)}
        inner = options.pop("axes", None)
        if options:
            raise TypeError(f"gaussian_filter() got an unexpected keyword argument {next(iter(options))!r}")
        weights, plans = [], []
        for axis, mode in zip(axes, sequence(call["mode"], len(axes), "mode"), strict=True):
            order = tuple(derivative * (a == axis) for a in range(x.ndim))
            w, p = plan_gaussian(x.ndim, sigma, order, mode, **settings, axes=inner)
            weights.append(w)
            plans.append(p)
        call["weights"], call["plan"] = tuple(weights), tuple(plans)

    return prepare


@implements(
    "scipy.ndimage.gaussian_laplace",
    **_GAUSSIAN,
    prepare=_prepare_sum(2),
    examples=lambda: [Example((_image(), 1.1), {"mode": "nearest"}, grad=("input",), vmap=())],
)
def gaussian_laplace(input, weights, cval, plan, output):
    """Laplacian of Gaussian: the sum of the second Gaussian derivatives; see `gaussian_filter`.

    Examples
    --------
    >>> from sci import ndimage
    >>> ndimage.gaussian_laplace([0.0, 0.0, 1.0, 0.0, 0.0], 1).round(3)
    array([ 0.197,  0.002, -0.399,  0.002,  0.197])
    """
    if not plan:
        return truncate_to(input, output)
    parts = [run_plan(input, w, cval, p, output) for w, p in zip(weights, plan, strict=True)]
    return sum(parts[1:], start=parts[0])


@implements(
    "scipy.ndimage.gaussian_gradient_magnitude",
    **_GAUSSIAN,
    prepare=_prepare_sum(1),
    examples=lambda: [Example((_image(), 1.1), {"mode": "mirror"}, grad=("input",), vmap=())],
)
def gaussian_gradient_magnitude(input, weights, cval, plan, output):
    """Magnitude of the Gaussian gradient; its own gradient is zero, not NaN, where the magnitude vanishes.

    Examples
    --------
    >>> from sci import ndimage
    >>> ndimage.gaussian_gradient_magnitude([0.0, 0.0, 1.0, 0.0, 0.0], 1).round(3)
    array([0.095, 0.241, 0.   , 0.241, 0.095])
    """
    if not plan:
        return truncate_to(input, output)
    slopes = [run_plan(input, w, cval, p, output) for w, p in zip(weights, plan, strict=True)]
    squares = [s * s for s in slopes]
    return truncate_to(sqrt_of_squares(sum(squares[1:], start=squares[0])), output)
