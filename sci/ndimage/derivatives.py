"""Fixed small kernels: `sobel`, `prewitt`, `laplace`."""

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
from sci.ndimage._kernels.casting import truncate_to
from sci.ndimage._kernels.separable import EVEN, ODD
from sci.ndimage._passes import run_plan

_DIFFERENCE = np.array([-1.0, 0.0, 1.0])
_SECOND = np.array([1.0, -2.0, 1.0])


def _common(call):
    x = array_argument(call)
    check_cval(call, x.dtype.kind == "c")
    set_output_dtype(call, x.dtype, x.dtype.kind == "c")
    return x


def _prepare_edge(call):
    x = _common(call)
    axis = check_axis(call["axis"], x.ndim)
    modes = [filter_mode(m) for m in sequence(call["mode"], x.ndim, "mode")]
    smooth = [(a, modes[a], 0, EVEN) for a in range(x.ndim) if a != axis]
    call["plan"] = ((axis, modes[axis], 0, ODD), *smooth)


def _edge(input, cval, plan, output, smoothing):
    weights = (_DIFFERENCE,) + (smoothing,) * (len(plan) - 1)
    return run_plan(input, weights, cval, plan, output, exact=False)


def _image():
    return np.random.default_rng(2).normal(size=(6, 7))


@implements(
    "scipy.ndimage.sobel",
    **FILTER,
    prepare=_prepare_edge,
    examples=lambda: [
        Example((_image(),), {"axis": 0}, grad=("input",)),
        Example(((_image() * 90).astype(np.uint8),), {"mode": "mirror"}),
    ],
)
def sobel(input, cval, plan, output):
    """Sobel derivative along an axis, any dimension. Unsigned integers wrap, as in SciPy.

    Raises
    ------
    RuntimeError
        Unknown mode.
    AxisError
        An axis out of range.

    Examples
    --------
    >>> import numpy as np
    >>> from sci import ndimage
    >>> ndimage.sobel(np.eye(3))[1]
    array([ 1.,  0., -1.])
    """
    return _edge(input, cval, plan, output, np.array([1.0, 2.0, 1.0]))


@implements(
    "scipy.ndimage.prewitt",
    **FILTER,
    prepare=_prepare_edge,
    examples=lambda: [Example((_image(),), {"axis": 1, "mode": "wrap"}, grad=("input",))],
)
def prewitt(input, cval, plan, output):
    """Prewitt derivative along an axis, any dimension; see `sobel`.

    Examples
    --------
    >>> from sci import ndimage
    >>> ndimage.prewitt([[1, 2, 4], [1, 2, 4]])
    array([[3, 9, 6],
           [3, 9, 6]])
    """
    return _edge(input, cval, plan, output, np.ones(3))


def _prepare_laplace(call):
    x = _common(call)
    axes = check_axes(call["axes"], x.ndim)
    modes = sequence(call["mode"], len(axes), "mode")
    call["plan"] = tuple((a, filter_mode(m), 0, EVEN) for a, m in zip(axes, modes, strict=True))


@implements(
    "scipy.ndimage.laplace",
    **FILTER,
    prepare=_prepare_laplace,
    examples=lambda: [Example((_image(),), {"mode": "constant", "cval": 0.5}, grad=("input",))],
)
def laplace(input, cval, plan, output):
    """Sum of the second differences along the axes; see `sobel`.

    Examples
    --------
    >>> from sci import ndimage
    >>> ndimage.laplace([0, 0, 1, 0, 0])
    array([ 0,  1, -2,  1,  0])
    """
    if not plan:
        return truncate_to(input, output)
    parts = [run_plan(input, (_SECOND,), cval, (step,), output, exact=False) for step in plan]
    return sum(parts[1:], start=parts[0])  # in the output's dtype: booleans stay booleans
