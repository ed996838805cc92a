"""Box means: `uniform_filter`, `uniform_filter1d`."""

import operator

import numpy as np

from sci.bridge import Example, implements
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
from sci.ndimage._kernels.casting import on_parts, truncate_to
from sci.ndimage._kernels.separable import box_axis
from sci.ndimage._passes import accumulator


def _common(call):
    x = array_argument(call)
    check_cval(call, x.dtype.kind == "c")
    set_output_dtype(call, x.dtype, x.dtype.kind == "c")
    return x


def _step(axis, size, origin, mode):
    size, origin = int(size), operator.index(origin)
    if size < 1:
        raise RuntimeError(f"incorrect filter size: size must be at least 1, got {size}")
    if not 0 <= size // 2 + origin < size:
        raise ValueError(f"invalid origin: {origin} moves a window of {size} off the sample")
    return axis, size, origin, filter_mode(mode)


def _prepare(call):
    x = _common(call)
    axes = check_axes(call["axes"], x.ndim)
    settings = zip(
        axes,
        sequence(call["size"], len(axes), "size"),
        sequence(call["origin"], len(axes), "origin"),
        sequence(call["mode"], len(axes), "mode"),
        strict=True,
    )
    call["plan"] = tuple(_step(*s) for s in settings if s[1] > 1)


def _prepare_1d(call):
    x = _common(call)
    call["plan"] = (_step(check_axis(call["axis"], x.ndim), call["size"], call["origin"], call["mode"]),)


def _mean(input, cval, plan, output):
    x, acc = input, accumulator(input.dtype, output)
    for axis, size, origin, mode in plan:

        def one(part, k, axis=axis, size=size, origin=origin, mode=mode):
            return box_axis(part, size, axis, mode, k, origin) / size

        x = truncate_to(on_parts(one, x.astype(acc), cval), output)
    return truncate_to(x, output)


# SciPy's running sum carries NaN and infinity to the end of the line; a window sum does not
_SPREADS = ("nan", "inf")


def _image():
    return np.random.default_rng(3).normal(size=(8, 7))


@implements(
    "scipy.ndimage.uniform_filter",
    **FILTER,
    prepare=_prepare,
    examples=lambda: [
        Example((_image(), 3), grad=("input",), skip_odd=_SPREADS),
        Example(
            (_image(), (4, 2)),
            {"mode": ("wrap", "constant"), "cval": 2.0, "origin": (1, 0)},
            grad=("input",),
            skip_odd=_SPREADS,
        ),
    ],
)
def uniform_filter(input, cval, plan, output):
    """Mean over a box, any dimension.

    Window sums are built by doubling: ``O(log size)`` additions per sample, and none of the cancellation of a
    running sum.

    Raises
    ------
    RuntimeError
        Unknown mode, sequences of the wrong length.
    ValueError
        An origin that moves the window off the sample.

    Examples
    --------
    >>> from sci import ndimage
    >>> ndimage.uniform_filter([0.0, 0.0, 9.0, 0.0, 0.0], 3)
    array([0., 3., 3., 3., 0.])
    """
    return _mean(input, cval, plan, output)


@implements(
    "scipy.ndimage.uniform_filter1d",
    **FILTER,
    prepare=_prepare_1d,
    examples=lambda: [Example((_image(), 4), {"axis": 0, "origin": -1}, grad=("input",), skip_odd=_SPREADS)],
)
def uniform_filter1d(input, cval, plan, output):
    """Mean over a window along an axis; see `uniform_filter`.

    Examples
    --------
    >>> from sci import ndimage
    >>> ndimage.uniform_filter1d([2, 8, 0, 4, 1, 9, 9, 0], size=3)
    array([4, 3, 4, 1, 4, 6, 6, 3])
    """
    return _mean(input, cval, plan, output)
