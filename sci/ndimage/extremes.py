"""Minimum and maximum filters: `minimum_filter`, `maximum_filter` and their one-dimensional forms."""

import operator
import warnings
from typing import Any

import numpy as np
from jax import numpy as jnp

from sci.bridge import Example, implements
from sci.bridge.worlds import is_traced
from sci.ndimage._arguments import (
    FILTER,
    array_argument,
    check_axes,
    check_axis,
    filter_mode,
    sequence,
    set_output_dtype,
)
from sci.ndimage._kernels.casting import compute_dtype, truncate_to
from sci.ndimage._kernels.extremes import extreme_axis, extreme_footprint, extreme_structure
from sci.ndimage._passes import accumulator

EXTREME: dict[str, Any] = FILTER


def real_input(call):
    """The input, real; TypeError for complex ones, as SciPy."""
    x = array_argument(call)
    if x.dtype.kind == "c":
        raise TypeError(f"Complex type not supported: input is {x.dtype}")
    return x


def real_cval(call, x):
    """`cval` as a number; returns whether it fits `x`'s dtype, so that the arithmetic may stay in it."""
    value = call["cval"]
    if is_traced(value):
        return x.dtype.kind == "f"
    value = np.asarray(value)
    if value.dtype.kind == "c":
        raise TypeError(f"cval must be real, not {call['cval']!r}")
    call["cval"] = float(value)
    if x.dtype.kind not in "iu":
        return x.dtype.kind == "f" or call["cval"] in (0.0, 1.0)
    limits = np.iinfo(x.dtype)
    return limits.min <= call["cval"] <= limits.max  # SciPy cuts the fraction off in the end


def check_window(size, origin):
    """`origin` of a window; ValueError if it moves it off the sample."""
    origin = operator.index(origin)
    if not 0 <= size // 2 + origin < size:
        raise ValueError(f"invalid origin: {origin} moves a window of {size} off the sample")
    return origin


def footprint_argument(call, name="footprint"):
    """A static boolean array (its taps decide what is compiled)."""
    value = call[name]
    if value is None:
        return None
    if is_traced(value):
        raise ValueError(f"{name} is traced: its entries decide what is computed and must be known")
    return np.asarray(value, dtype=bool)


def window_argument(call, axes):
    """``footprint``, or a full one of ``size``, which may be given per axis."""
    footprint = footprint_argument(call)
    if footprint is not None:
        return footprint
    if call["size"] is None:
        raise RuntimeError("no footprint or filter size provided")
    return np.ones([int(n) for n in sequence(call["size"], len(axes), "size")], bool)


def expand_window(window, axes, ndim, name="footprint"):
    """`window` with an axis of length one for every axis not filtered; RuntimeError if it does not match."""
    if window.ndim != len(axes) or 0 in window.shape:
        raise RuntimeError(f"{name}.ndim ({window.ndim}) must match len(axes) ({len(axes)}), {name} not be empty")
    # as in SciPy, the window's own axes stay in order whatever the order of `axes`
    return np.expand_dims(window, tuple(a for a in range(ndim) if a not in axes))


def expand_origins(origin, axes, ndim):
    """One origin per axis of the array, zero where it is not filtered."""
    if len(axes) == ndim:  # as in SciPy, in the window's order whatever the order of `axes`
        return [operator.index(o) for o in sequence(origin, ndim, "origin")]
    origins = [0] * ndim
    for axis, value in zip(axes, sequence(origin, len(axes), "origin"), strict=True):
        origins[axis] = operator.index(value)
    return origins


def warn_unused_size(call):
    if call["size"] is not None and call["footprint"] is not None:
        warnings.warn("ignoring size because footprint is set", UserWarning, stacklevel=5)


def plan_extreme(x, size, footprint, structure, origin, mode, axes):
    """The static plan of a minimum or maximum filter, and its structure (None if flat).

    Returns
    -------
    plan : ``("boxes", ((axis, size, origin, mode), ...))`` or ``("taps", footprint, mode, origins)``
    structure : array or None
    """
    if structure is None:
        if footprint is None and size is None:
            raise RuntimeError("no footprint provided: give size or footprint")
        if footprint is not None:
            if not footprint.any():
                raise ValueError("All-zero footprint is not supported.")
            if footprint.all():
                size, footprint = footprint.shape, None
    elif footprint is None:
        footprint = np.ones(structure.shape, bool)
    axes = check_axes(axes, x.ndim)
    rank = len(axes)
    if footprint is None:
        settings = zip(
            axes, sequence(size, rank, "size"), sequence(origin, rank, "origin"), sequence(mode, rank, "mode"),
            strict=True,
        )  # fmt: skip
        steps = []
        for axis, n, o, m in settings:
            if n > 1:
                steps.append((axis, int(n), check_window(int(n), o), filter_mode(m)))
        return ("boxes", tuple(steps)), None
    footprint = expand_window(footprint, axes, x.ndim)
    origins = expand_origins(origin, axes, x.ndim)
    for o, n in zip(origins, footprint.shape, strict=True):
        check_window(n, o)
    if structure is not None:
        if not footprint.any():
            raise ValueError("All-zero footprint is not supported.")
        if structure.ndim != rank:
            raise RuntimeError(f"structure array has incorrect shape: {structure.shape} for {rank} axes")
        structure = structure.reshape(footprint.shape)
    if not isinstance(mode, str) and np.iterable(mode):
        raise RuntimeError("A sequence of modes is not supported for non-separable footprints")
    return ("taps", footprint.shape, footprint.tobytes(), filter_mode(mode), tuple(origins)), structure


def unpack_footprint(shape, entries):
    """The boolean window of a plan."""
    return np.frombuffer(entries, bool).reshape(shape)


def constant_for(x, cval, native):
    """`x` and the constant in the dtype of the comparisons: `x`'s own, or a float where `cval` does not fit."""
    y = x if native else x.astype(compute_dtype(x.dtype))
    return y, truncate_to(jnp.asarray(cval, compute_dtype(y.dtype)), y.dtype)


def run_extreme(x, structure, cval, plan, output, minimum, native=True):
    """Carry out a plan of `plan_extreme`; every pass is stored in the output's dtype, as in SciPy."""
    output = np.dtype(output)
    kind, *rest = plan
    if kind == "boxes":
        for axis, size, origin, mode in rest[0]:
            y, fill = constant_for(x, cval, native)
            x = truncate_to(extreme_axis(y, size, axis, mode, fill, origin, minimum), output)
        return truncate_to(x, output)
    shape, entries, mode, origins = rest
    footprint = unpack_footprint(shape, entries)
    # unlike the separable passes, SciPy casts the constant to the input's dtype here
    y, fill = constant_for(x, cval, True)
    if structure is not None:
        y, fill = (y.astype(np.uint8), fill.astype(np.uint8)) if y.dtype == np.bool_ else (y, fill)
        # into booleans SciPy stores bytes, of which 256 is none
        stored = np.dtype(np.uint8) if output == np.bool_ else output
        acc = accumulator(x.dtype, stored)
        found = extreme_structure(y, acc, footprint, structure, mode, fill, origins, minimum)
        return truncate_to(found, stored).astype(output)
    return truncate_to(extreme_footprint(y, footprint, mode, fill, origins, minimum), output)


def _prepare(call):
    x = real_input(call)
    warn_unused_size(call)
    footprint = footprint_argument(call)
    call["native"] = real_cval(call, x)
    set_output_dtype(call, x.dtype)
    call["plan"], _ = plan_extreme(x, call["size"], footprint, None, call["origin"], call["mode"], call["axes"])


def _prepare_1d(call):
    x = real_input(call)
    axis, size = check_axis(call["axis"], x.ndim), int(call["size"])
    if size < 1:
        raise RuntimeError(f"incorrect filter size: size must be at least 1, got {size}")
    call["native"] = real_cval(call, x)
    set_output_dtype(call, x.dtype)
    call["plan"] = ("boxes", ((axis, size, check_window(size, call["origin"]), filter_mode(call["mode"])),))


def _image():
    return np.random.default_rng(12).normal(size=(8, 7))


_FACTS = EXTREME | {"static": ("plan", "output", "native")}
# a NaN gives NaN wherever its window reaches; in SciPy the result depends on where it stands in the window
_NAN = ("nan",)


@implements(
    "scipy.ndimage.minimum_filter1d",
    **_FACTS,
    prepare=_prepare_1d,
    examples=lambda: [Example((_image(), 4), {"axis": 0, "origin": -1}, grad=("input",), skip_odd=_NAN)],
)
def minimum_filter1d(input, cval, plan, output, native):
    """Minimum over a window along an axis; see `minimum_filter`.

    Examples
    --------
    >>> from sci import ndimage
    >>> ndimage.minimum_filter1d([2, 8, 0, 4, 1, 9, 9, 0], size=3)
    array([2, 0, 0, 0, 1, 1, 0, 0])
    """
    return run_extreme(input, None, cval, plan, output, True, native)


@implements(
    "scipy.ndimage.maximum_filter1d",
    **_FACTS,
    prepare=_prepare_1d,
    examples=lambda: [Example((_image(), 5), {"mode": "constant", "cval": 0.5}, grad=("input",), skip_odd=_NAN)],
)
def maximum_filter1d(input, cval, plan, output, native):
    """Maximum over a window along an axis; see `minimum_filter`.

    Examples
    --------
    >>> from sci import ndimage
    >>> ndimage.maximum_filter1d([2, 8, 0, 4, 1, 9, 9, 0], size=3)
    array([8, 8, 8, 4, 9, 9, 9, 9])
    """
    return run_extreme(input, None, cval, plan, output, False, native)


@implements(
    "scipy.ndimage.minimum_filter",
    **_FACTS,
    prepare=_prepare,
    examples=lambda: [
        Example((_image(),), {"footprint": [[0, 1, 0], [1, 1, 1], [0, 1, 1]]}, grad=("input",), skip_odd=_NAN),
        Example(
            (_image(), (4, 3)), {"mode": ("wrap", "constant"), "cval": -0.5, "origin": (1, 0)}, vmap=("input",),
            skip_odd=_NAN,
        ),
    ],
)  # fmt: skip
def minimum_filter(input, cval, plan, output, native):
    """Minimum over a box or a footprint, any dimension, in the input's own dtype.

    Boxes take ``O(log size)`` operations per sample and axis. A NaN in a window gives NaN (SciPy: depends on its
    place). Differentiable in `input`: the smallest sample carries the gradient, ties share it.

    Raises
    ------
    RuntimeError
        Neither size nor footprint, a footprint of the wrong dimension, unknown mode.
    ValueError
        A footprint without taps, an origin that moves the window off the sample.

    Examples
    --------
    >>> import numpy as np
    >>> from sci import ndimage
    >>> ndimage.minimum_filter(np.arange(9).reshape(3, 3), size=(2, 1))
    array([[0, 1, 2],
           [0, 1, 2],
           [3, 4, 5]])
    """
    return run_extreme(input, None, cval, plan, output, True, native)


@implements(
    "scipy.ndimage.maximum_filter",
    **_FACTS,
    prepare=_prepare,
    examples=lambda: [Example((_image(), 3), {"mode": "mirror"}, grad=("input",), skip_odd=_NAN)],
)
def maximum_filter(input, cval, plan, output, native):
    """Maximum over a box or a footprint, any dimension; see `minimum_filter`.

    Examples
    --------
    >>> import numpy as np
    >>> from sci import ndimage
    >>> ndimage.maximum_filter(np.arange(9).reshape(3, 3), footprint=[[0, 1, 0], [1, 1, 1], [0, 1, 0]])
    array([[3, 4, 5],
           [6, 7, 8],
           [7, 8, 8]])
    """
    return run_extreme(input, None, cval, plan, output, False, native)
