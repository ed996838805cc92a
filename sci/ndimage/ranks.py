"""Rank filters: `rank_filter`, `median_filter`, `percentile_filter`."""

import operator

import numpy as np

from sci.bridge import Example, implements
from sci.ndimage._arguments import FILTER, check_axes, filter_mode, sequence, set_output_dtype
from sci.ndimage._kernels.casting import truncate_to
from sci.ndimage._kernels.ranks import rank_footprint
from sci.ndimage.extremes import (
    check_window,
    constant_for,
    expand_origins,
    expand_window,
    plan_extreme,
    real_cval,
    real_input,
    run_extreme,
    unpack_footprint,
    warn_unused_size,
    window_argument,
)


def _rank_of(operation, value, size):
    """The 0-based rank of an operation in a window of `size` taps; RuntimeError if there is none."""
    if operation == "median":
        return size // 2
    rank = value
    if operation == "percentile":
        percentile = value + 100.0 if value < 0.0 else value
        if not 0 <= percentile <= 100:
            raise RuntimeError(f"invalid percentile: {value}, allowed are -100 to 100")
        return size - 1 if percentile == 100.0 else int(float(size) * percentile / 100.0)
    if rank < 0:
        rank += size
    if not 0 <= rank < size:
        raise RuntimeError(f"rank not within filter footprint size: rank={value} of {size} taps")
    return rank


def _prepare(operation):
    def prepare(call):
        value = {"rank": lambda: operator.index(call["rank"]), "percentile": lambda: call["percentile"]}
        value = value.get(operation, lambda: 0)()
        warn_unused_size(call)
        x = real_input(call)
        axes = check_axes(call["axes"], x.ndim)
        footprint = expand_window(window_argument(call, axes), axes, x.ndim)
        origins = expand_origins(call["origin"], axes, x.ndim)
        mode = call["mode"]
        if not isinstance(mode, str) and np.iterable(mode):
            given = dict(zip(axes, sequence(mode, len(axes), "mode"), strict=True))
            mode = tuple(given.get(a, "constant") for a in range(x.ndim))
        for origin, n in zip(origins, footprint.shape, strict=True):
            check_window(n, origin)
        size = int(footprint.sum())
        rank = _rank_of(operation, value, size)
        call["native"] = real_cval(call, x)
        set_output_dtype(call, x.dtype)
        if rank in (0, size - 1):
            call["plan"], _ = plan_extreme(x, None, footprint, None, origins, mode, None)
            call["rank"] = None if rank else 0
            return
        if not isinstance(mode, str):
            raise RuntimeError("A sequence of modes is not supported by non-separable rank filters")
        call["plan"] = ("taps", footprint.shape, footprint.tobytes(), filter_mode(mode), tuple(origins))
        call["rank"] = rank

    return prepare


def _rank(input, cval, plan, output, native, rank):
    """`rank` is None for the largest, 0 for the smallest."""
    if rank is None or rank == 0:
        return run_extreme(input, None, cval, plan, output, rank == 0, native)
    _, shape, entries, mode, origins = plan
    x, fill = constant_for(input, cval, native)
    return truncate_to(rank_footprint(x, unpack_footprint(shape, entries), rank, mode, fill, origins), output)


def _image():
    return np.random.default_rng(13).normal(size=(8, 7))


_FACTS = FILTER | {"static": ("plan", "output", "native", "rank")}
# a NaN gives NaN wherever its window reaches; in SciPy the result depends on where it stands in the window
_NAN = ("nan",)


@implements(
    "scipy.ndimage.rank_filter",
    **_FACTS,
    prepare=_prepare("rank"),
    examples=lambda: [
        Example((_image(), 1), {"size": (3, 2), "mode": "wrap"}, grad=("input",), skip_odd=_NAN),
        Example((_image(), -30), {"size": (9, 10), "mode": "nearest"}, grad=("input",), skip_odd=_NAN),
    ],
)
def rank_filter(input, cval, plan, output, native, rank):
    """The sample of a given rank in a window: exact, in the input's own dtype.

    Windows of up to 81 taps run through a pruned sorting network, larger ones through bisection on the values. A
    NaN in a window gives NaN. One-dimensional footprints with gaps are ranked over their taps (SciPy ranks the
    whole window there). Differentiable in `input`.

    Raises
    ------
    RuntimeError
        Neither size nor footprint, a rank outside the window, unknown mode.
    ValueError
        An origin that moves the window off the sample.

    Examples
    --------
    >>> from sci import ndimage
    >>> ndimage.rank_filter([4, 1, 3, 9, 5], 1, size=3)
    array([4, 3, 3, 5, 5])
    """
    return _rank(input, cval, plan, output, native, rank)


@implements(
    "scipy.ndimage.median_filter",
    **_FACTS,
    prepare=_prepare("median"),
    examples=lambda: [Example((_image(), 3), vmap=("input",), grad=("input",), skip_odd=_NAN)],
)
def median_filter(input, cval, plan, output, native, rank):
    """Median over a window (the upper one of an even number of taps); see `rank_filter`.

    Examples
    --------
    >>> from sci import ndimage
    >>> ndimage.median_filter([4, 1, 3, 9, 5], size=3)
    array([4, 3, 3, 5, 5])
    """
    return _rank(input, cval, plan, output, native, rank)


@implements(
    "scipy.ndimage.percentile_filter",
    **_FACTS,
    prepare=_prepare("percentile"),
    examples=lambda: [
        Example(
            (_image(), 30.0),
            {"footprint": [[1, 0, 1], [1, 1, 1]], "mode": "constant"},
            grad=("input",),
            skip_odd=_NAN,
        )
    ],
)
def percentile_filter(input, cval, plan, output, native, rank):
    """Percentile over a window, without interpolation; see `rank_filter`.

    Examples
    --------
    >>> from sci import ndimage
    >>> ndimage.percentile_filter([4, 1, 3, 9, 5], 50, size=4)
    array([4, 4, 4, 5, 5])
    """
    return _rank(input, cval, plan, output, native, rank)
