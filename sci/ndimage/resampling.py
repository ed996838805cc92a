"""Interpolation on grids: `zoom`, `shift`.

Both are separable: taps and weights are computed per axis, on the host where the map is known, and are data to the
compiled body.
"""

import warnings

from sci.bridge import Example, implements
from sci.bridge.worlds import is_jax, is_traced
from sci.ndimage._arguments import (
    sequence,
    set_output_dtype,
)
from sci.ndimage._interpolation import (
    SEPARABLE,
    example_image,
    host_taps,
    interpolation_arguments,
    separable,
    set_taps,
    traced_taps,
)


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
        taps.append(host_taps(m, n, order, mode, pad, scale, 0.0, 0.5 if grid else 0.0))
        axes.append(axis)
    set_taps(call, taps, axes, order, mode)


@implements(
    "scipy.ndimage.zoom",
    **SEPARABLE,
    prepare=_prepare_zoom,
    examples=lambda: [
        Example((example_image(), 1.7), grad=("input",)),
        Example((example_image(), (0.6, 2.0)), {"order": 1, "mode": "nearest", "grid_mode": True}, grad=("input",)),
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
    return separable(input, taps, inside, cval, plan, output)


def _prepare_shift(call):
    x, order, mode, pad = interpolation_arguments(call)
    set_output_dtype(call, x.dtype, x.dtype.kind == "c")
    shifts = call["shift"]
    if is_jax(shifts) and not isinstance(shifts, (list, tuple)) and shifts.ndim == 0:
        shifts = (shifts,) * x.ndim
    taps = []
    for n, s in zip(x.shape, sequence(shifts, x.ndim, "shift"), strict=True):
        if is_traced(s):
            taps.append(traced_taps(n, n, order, mode, pad, -s))
        else:
            taps.append(host_taps(n, n, order, mode, pad, 1.0, -float(s), 0.0))
    set_taps(call, taps, range(x.ndim), order, mode)


@implements(
    "scipy.ndimage.shift",
    **SEPARABLE,
    prepare=_prepare_shift,
    examples=lambda: [
        Example((example_image(), 1.3), {"mode": "mirror"}, grad=("input",)),
        Example((example_image(), (0.4, -2.5)), {"order": 2, "mode": "grid-constant", "cval": 1.0}, grad=("input",)),
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
    return separable(input, taps, inside, cval, plan, output)
