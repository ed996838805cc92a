"""The spline prefilter: `spline_filter`, `spline_filter1d`."""

import numpy as np

from sci.bridge import Example, implements
from sci.ndimage._arguments import FILTER, array_argument, check_axis, interpolation_mode, set_output_dtype
from sci.ndimage._kernels.casting import on_parts, truncate_to
from sci.ndimage._kernels.splines import prefilter_axis
from sci.ndimage._passes import accumulator


def check_order(order, lowest=0):
    """The spline order, RuntimeError unless ``lowest <= order <= 5``."""
    if not lowest <= order <= 5:
        raise RuntimeError(f"spline order not supported: order={order!r}, allowed are {lowest} to 5")
    return int(order)


def _prepare(lowest):
    def prepare(call):
        order = check_order(call["order"], lowest)
        x = array_argument(call)
        set_output_dtype(call, x.dtype, x.dtype.kind == "c")
        axes = (check_axis(call["axis"], x.ndim),) if "axis" in call and order > 1 else range(x.ndim)
        mode = interpolation_mode(call["mode"]) if order > 1 else "mirror"
        call["plan"] = (tuple(axes) if order > 1 else (), order, mode)

    return prepare


def _filter(input, plan, output):
    axes, order, mode = plan
    x, acc = input, accumulator(input.dtype, output)
    for axis in axes:
        x = on_parts(lambda part, _, axis=axis: prefilter_axis(part, axis, order, mode), x.astype(acc), 0.0)
        x = truncate_to(x, output)
    return truncate_to(x, output)


def _image():
    return np.random.default_rng(4).normal(size=(9, 7))


@implements(
    "scipy.ndimage.spline_filter",
    quick=True,
    **FILTER,
    prepare=_prepare(2),
    examples=lambda: [
        Example((_image(),), grad=("input",)),
        Example((_image(), 5), {"mode": "grid-wrap"}, grad=("input",)),
    ],
)
def spline_filter(input, plan, output):
    """Coefficients of the interpolating B-spline of order 2 to 5, any dimension.

    Two first-order recursions per pole and axis, as scans; linear, hence differentiable exactly.

    Raises
    ------
    RuntimeError
        An order other than 2 to 5, an unknown mode.

    References
    ----------
    M. Unser, A. Aldroubi, M. Eden, "B-Spline Signal Processing", IEEE Trans. Signal Processing 41(2), 1993.

    Examples
    --------
    >>> from sci import ndimage
    >>> ndimage.spline_filter([0.0, 6.0, 0.0], order=3).round(4)
    array([-6., 12., -6.])
    """
    return _filter(input, plan, output)


@implements(
    "scipy.ndimage.spline_filter1d",
    quick=True,
    **FILTER,
    prepare=_prepare(0),
    examples=lambda: [Example((_image(), 4), {"axis": 0, "mode": "reflect"}, grad=("input",))],
)
def spline_filter1d(input, plan, output):
    """Coefficients of the interpolating B-spline along one axis; see `spline_filter`.

    Examples
    --------
    >>> from sci import ndimage
    >>> ndimage.spline_filter1d([0.0, 6.0, 0.0]).round(4)
    array([-6., 12., -6.])
    """
    return _filter(input, plan, output)
