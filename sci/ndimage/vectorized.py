"""`vectorized_filter`: a function that takes many windows at once."""

import math
import operator

import numpy as np

from sci.bridge import Example, HostRoute, Reason, as_array, implements
from sci.bridge.worlds import is_jax
from sci.ndimage._arguments import given
from sci.ndimage._kernels.dense import extend
from sci.ndimage._windows import as_user_code, map_windows

# SciPy's table, in which grid-mirror stands for mirror here.
_MODES = {
    "reflect": "reflect",
    "mirror": "mirror",
    "grid-mirror": "mirror",
    "nearest": "nearest",
    "constant": "constant",
    "grid-constant": "constant",
    "wrap": "wrap",
    "grid-wrap": "wrap",
    "valid": "valid",
}


def _integers(values, what, least=None):
    found = []
    for v in values:
        kind = np.asarray(v).dtype.kind
        if kind not in "iu" or np.ndim(v) or (least is not None and v < least):
            raise ValueError(f"All elements of {what}: got {tuple(values)!r}.")
        found.append(operator.index(v))
    return tuple(found)


def _window(call, ndim):
    """The window's axes, size and footprint (or None), checked in SciPy's order."""
    size, footprint, axes = call["size"], call["footprint"], call["axes"]
    if size is None and footprint is None:
        raise ValueError("Either `size` or `footprint` must be provided.")
    if size is not None and footprint is not None:
        raise ValueError("Either `size` or `footprint` may be provided, not both.")
    chosen = tuple(range(-ndim, 0)) if axes is None else (axes,) if np.isscalar(axes) else tuple(axes)
    if len(chosen) > ndim:
        raise ValueError(
            f"The length of `axes` may not exceed the dimensionality of `input` (`input.ndim`): {len(chosen)} > {ndim}"
        )
    if size is not None:
        size = (size,) * len(chosen) if np.isscalar(size) else tuple(size)
        size = _integers(size, "`size` must be positive integers", 1)
    else:
        footprint = np.asarray(footprint, bool)
        size = footprint.shape
    if len(size) != len(chosen):
        raise ValueError(
            "`axes` must be compatible with the dimensionality of the window specified by `size` or `footprint`: "
            f"{len(chosen)} axes, a window of {len(size)} dimensions."
        )
    places = [operator.index(a) for a in chosen]
    if any(not -ndim <= a < ndim for a in places):
        raise np.exceptions.AxisError(next(a for a in places if not -ndim <= a < ndim), ndim)
    places = [a % ndim for a in places]
    if len(set(places)) != len(places):
        raise ValueError(f"repeated axis: axes={axes!r}")
    return places, size, footprint


def _origins(call, mode, size):
    origin = call["origin"]
    if origin is None:
        return (0,) * len(size)
    origin = _integers((origin,) * len(size) if np.isscalar(origin) else tuple(origin), "`origin` must be integers")
    if len(origin) != len(size):
        raise ValueError("`origin` must be an integer or tuple of integers with length equal to the number of axes.")
    if mode == "valid" and any(origin):
        raise ValueError("`mode='valid'` is incompatible with use of `origin`.")
    for o, n in zip(origin, size, strict=True):
        if not -(n // 2) <= o <= (n - 1) // 2:
            raise ValueError(f"index can't contain negative values: origin={o} moves a window of {n} off the sample")
    return origin


def _prepare(call):
    x = call["input"] if is_jax(call["input"]) else np.asarray(call["input"])
    call["input"] = x
    if call.numpy and x.dtype.kind not in "biufc":
        raise HostRoute(Reason.OBJECT if x.dtype.kind == "O" else Reason.DTYPE, f"input is {x.dtype}")
    if not callable(call["function"]):
        raise ValueError("`function` must be a callable.")
    axes, size, footprint = _window(call, x.ndim)
    if call["mode"] not in _MODES:
        raise ValueError(f"`mode` must be one of {sorted(_MODES)}, not {call['mode']!r}.")
    mode = _MODES[call["mode"]]
    origins = _origins(call, mode, size)
    if call["cval"] is None:
        call["cval"] = 0.0
    elif mode != "constant":
        raise ValueError("Use of `cval` is compatible only with `mode='constant'`.")
    if np.asarray(call["cval"]).dtype.kind not in "iufc" if not is_jax(call["cval"]) else False:
        raise ValueError(f"`cval` must include only numbers, not {call['cval']!r}.")
    memory = call["batch_memory"]
    if np.ndim(memory) or np.asarray(memory).dtype.kind not in "iuf" or memory <= 0:
        raise ValueError(f"`batch_memory` must be positive number, not {memory!r}.")
    if call.numpy:
        _leave_to_scipy(call, x, size)
        _check_memory(memory, x, axes, size, mode)
    _flatten_window(call, x, axes, size, footprint)
    call["plan"] = (tuple(axes), size, call["taps"], mode, origins)


def _check_memory(memory, x, axes, size, mode):
    """SciPy's demand, though the windows are never formed so here: those of one row must fit."""
    shape = list(x.shape)
    for a, n in zip(axes, size, strict=True):
        shape[a] -= n - 1 if mode == "valid" else 0
    first = next((a for a in range(x.ndim) if a not in axes), axes[0])
    row = math.prod(n for a, n in enumerate(shape) if a != first) * math.prod(size) * x.dtype.itemsize
    if row and memory // row < 1:
        raise ValueError(f"`batch_memory` is insufficient for minimum chunk size: {memory} bytes, not {row}.")


def _leave_to_scipy(call, x, size):
    target = given(call, "output")
    if target is not None and not isinstance(target, np.ndarray):
        raise HostRoute(Reason.OPTION, "output is no array")
    if x.size == 0 or x.ndim == 0 or not size or 0 in size:
        raise HostRoute(Reason.SHAPE, "the input or the window is empty")
    if np.ndim(call["cval"]) or (x.dtype.kind in "biu" and call["cval"] != np.trunc(np.real(call["cval"]))):
        raise HostRoute(Reason.OPTION, f"cval={call['cval']!r} for input of type {x.dtype}")
    if call["mode"] == "valid" and any(n < s for n, s in zip(x.shape, size, strict=False)):
        raise HostRoute(Reason.SHAPE, "a window larger than the input")


def _flatten_window(call, x, axes, size, footprint):
    """Let ``call["function"]`` take a window as a vector and give one number."""
    function, rank = call["function"], len(size)
    if footprint is None:
        shape, where = (1,) * x.ndim + size, tuple(range(-rank, 0))
        taps = list(np.ndindex(size))
    else:
        shape, where = (1,) * x.ndim + (int(footprint.sum()),), -1
        taps = [tuple(t) for t in np.argwhere(footprint).tolist()]
    if x.dtype.kind != "b":
        sample = (np.abs(np.random.default_rng(0).normal(size=(3, *shape))) * 4 + 7).astype(x.dtype)
    else:
        sample = np.random.default_rng(0).random((3, *shape)) < 0.5
    call["example"], call["taps"] = sample[0].ravel(), tuple(taps)

    def flat(window):
        return function(window.reshape(shape), axis=where).reshape(())

    call["function"] = as_user_code(flat)
    if call.numpy:
        _try_windows(function, sample, where)


def _try_windows(function, sample, where):
    """HostRoute if a window's result is no scalar, or depends on the other windows of the call."""
    shape = sample.shape[1:]
    try:
        apart = [np.asarray(function(s, axis=where)) for s in sample]
        together = np.asarray(function(sample.reshape(3, *shape[1:]), axis=where))
    except Exception as error:  # SciPy is to raise it, from its own call
        raise HostRoute(Reason.UNTRACEABLE, f"function raises {type(error).__name__}: {error}") from None
    ones = shape[: len(shape) - (1 if where == -1 else len(where))]
    if any(a.shape != ones for a in apart) or together.shape != (3, *ones[1:]):
        raise HostRoute(Reason.OPTION, "function gives several results for a window")
    rtol = max(1e-5, 4 * np.finfo(together.dtype).eps) if together.dtype.kind in "fc" else 0
    if not np.allclose(together.ravel(), np.ravel(apart), rtol=rtol, atol=0, equal_nan=True):
        raise HostRoute(Reason.OPTION, "function's result for a window depends on the other windows")


def _image():
    return np.random.default_rng(14).normal(size=(6, 5))


def _spread(windows, axis):
    return np.max(windows, axis=axis) - np.mean(windows, axis=axis)


@implements(
    "scipy.ndimage.vectorized_filter",
    static=("plan",),
    ignored=("batch_memory",),
    dtypes="keep",
    out="output",
    callables={"function": lambda call: (call["example"],)},
    prepare=_prepare,
    note="functions that cannot be traced, that give several results for a window or mix windows; empty and 0-d input",
    examples=lambda: [
        Example((_image(), _spread), {"footprint": [[0, 1, 1], [1, 1, 0]], "mode": "wrap"}, grad=("input",)),
        Example((_image(), _spread), {"size": 2, "axes": 0, "mode": "constant", "cval": 1.5}, grad=("input",)),
    ],
)
def vectorized_filter(input, function, cval, plan):
    """Apply a function that takes arrays of windows, ``function(windows, axis=...)``, at every position.

    The function is traced for one window and mapped over all of them, so `batch_memory` is checked but has no other
    effect, and each window must have one result, independent of the other windows. In the NumPy world that is tried
    on three random windows first, and what fails runs on SciPy; in the JAX world it is not.

    Differentiable in `input` and in JAX values that the function closes over. The result has the dtype that the
    function gives.

    Raises
    ------
    ValueError
        Neither or both of size and footprint, a window of the wrong dimension, unknown mode, cval with another mode
        than constant, an origin that moves the window off the sample.

    Examples
    --------
    >>> import numpy as np
    >>> from sci import ndimage
    >>> ndimage.vectorized_filter([1.0, 4.0, 2.0, 2.0], np.max, size=3)
    array([4., 4., 4., 2.])
    """
    axes, size, taps, mode, origins = plan
    ndim = input.ndim
    sizes, shifts = [1] * ndim, [0] * ndim
    for a, n, o in zip(axes, size, origins, strict=True):
        sizes[a], shifts[a] = n, o
    shape = input.shape
    if mode == "valid":
        padded = input
        shape = tuple(n - s + 1 for n, s in zip(shape, sizes, strict=True))
    else:
        padded = extend(input, sizes, shifts, mode, cval)
    places = []
    for tap in taps:
        place = [0] * ndim
        for a, t in zip(axes, tap, strict=True):
            place[a] = t
        places.append(place)
    return map_windows(lambda window: as_array(function(window)).reshape(()), padded, places, shape)
