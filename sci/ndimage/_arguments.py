"""Checking and normalising arguments as SciPy's `_ni_support` does, with its exception classes."""

import operator
import warnings
from collections.abc import Iterable
from typing import Any

import numpy as np
from jax import dtypes

from sci.bridge import HostRoute, Reason
from sci.bridge.worlds import is_jax, is_traced
from sci.ndimage._kernels.borders import FILTER_MODES

INTERPOLATION_MODES = (
    "reflect",
    "grid-mirror",
    "constant",
    "grid-constant",
    "nearest",
    "mirror",
    "grid-wrap",
    "wrap",
)


def array_argument(call, name="input"):
    """``call[name]`` as an array (NumPy's unless it is JAX's), put back into the call."""
    value = call[name]
    if not is_jax(value):
        value = call[name] = np.asanyarray(value)
    elif isinstance(value, (list, tuple)):
        from jax import numpy as jnp

        value = call[name] = jnp.asarray(value)
    if call.numpy and value.dtype.kind not in "biufc":  # SciPy words its refusal itself
        raise HostRoute(Reason.OBJECT if value.dtype.kind == "O" else Reason.DTYPE, f"{name} is {value.dtype}")
    if call.numpy and value.dtype == np.float16:
        raise RuntimeError(f"data type not supported: {name} is float16; use float32 or float64")
    return value


def given(call, name):
    """The argument as the user gave it (the bridge has replaced an output array by its dtype)."""
    if name in call.kwargs:
        return call.kwargs[name]
    position = list(call).index(name)
    return call.args[position] if position < len(call.args) else None


def set_output_dtype(call, dtype, complex_output=False, name="output"):
    """Put the dtype of the result into ``call[name]``; see `_output_dtype`."""
    _output_dtype(call, dtype, complex_output, name)
    call["returned"] = call[name]  # may be byte-swapped; the arithmetic is not
    call[name] = call[name].newbyteorder("=")
    if not call.numpy:  # float64 exists in the JAX world only where the user has turned it on
        call[name] = np.dtype(dtypes.canonicalize_dtype(call[name]))


def finish_output(call, result):
    """The result in the byte order asked for."""
    return result if call["returned"].isnative else result.astype(call["returned"])


#: What all filters declare to the bridge.
FILTER: dict[str, Any] = {"static": ("plan", "output"), "dtypes": "keep", "out": "output", "finish": finish_output}


def _output_dtype(call, dtype, complex_output, name):
    """Resolve ``output=``: `dtype` by default, complex where the result is complex.

    Raises
    ------
    RuntimeError
        If a result would lose its imaginary part, or the dtype is no number.
    """
    wanted, dtype = call[name], np.dtype(dtype).newbyteorder("=")
    if wanted is None:
        call[name] = np.promote_types(dtype, np.complex64) if complex_output else dtype
        return
    wanted = np.dtype(wanted)
    if complex_output and wanted.kind != "c":
        original = given(call, name)
        if isinstance(original, (str, np.ndarray)):
            raise RuntimeError(f"{name} must have complex dtype, not {wanted}: the result is complex")
        warnings.warn("promoting specified output dtype to complex", stacklevel=5)
        wanted = np.promote_types(wanted, np.complex64)
    if isinstance(given(call, name), str) and not issubclass(wanted.type, np.number):
        raise RuntimeError(f"{name} must have numeric dtype, not {wanted}")
    if call.numpy and (wanted == np.float16 or wanted.kind not in "biufc"):
        raise RuntimeError(f"data type not supported: {name} is {wanted}")
    call[name] = wanted


def sequence(value, rank, name):
    """`value` once per axis: a scalar is repeated, a sequence must have `rank` entries (RuntimeError)."""
    if not isinstance(value, str) and np.iterable(value):
        value = tuple(value)
        if len(value) != rank:
            raise RuntimeError(
                f"sequence argument must have length equal to input rank: {name} has {len(value)} entries, not {rank}"
            )
        return value
    return (value,) * rank


def check_axes(axes, ndim):
    """`axes` as a tuple of unique non-negative ints; ValueError (AxisError-like) otherwise."""
    if axes is None:
        return tuple(range(ndim))
    if np.isscalar(axes):
        axes = (axes,)
    elif not isinstance(axes, Iterable):
        raise ValueError(f"axes must be an integer, iterable of integers, or None, not {axes!r}")
    axes = tuple(operator.index(a) for a in axes)
    for a in axes:
        if not -ndim <= a < ndim:
            raise ValueError(f"specified axis: {a} is out of range for an array of dimension {ndim}")
    axes = tuple(a % ndim for a in axes)
    if len(set(axes)) != len(axes):
        raise ValueError(f"axes must be unique, got {axes}")
    return axes


def check_axis(axis, ndim):
    """One axis, non-negative; `numpy.exceptions.AxisError` if out of range."""
    axis = operator.index(axis)
    if not -ndim <= axis < ndim:
        raise np.exceptions.AxisError(axis, ndim)
    return axis % ndim


def filter_mode(mode):
    """The canonical border mode of a filter's `mode`; RuntimeError if SciPy has none of that name."""
    if not isinstance(mode, str):
        raise RuntimeError("A sequence of modes is not supported" if np.iterable(mode) else _no_mode(mode))
    if mode not in FILTER_MODES:
        raise RuntimeError(_no_mode(mode))
    return FILTER_MODES[mode]


def interpolation_mode(mode):
    """SciPy's interpolation mode, checked (RuntimeError)."""
    if mode not in INTERPOLATION_MODES:
        raise RuntimeError(_no_mode(mode))
    return mode


def _no_mode(mode):
    return f"boundary mode not supported: mode={mode!r}, allowed are {', '.join(sorted(INTERPOLATION_MODES))}"


def check_origin(origin, size, what="len(weights)"):
    """`origin` as an int that keeps the window over the sample (ValueError otherwise)."""
    origin = operator.index(origin)
    if not -(size // 2) <= origin <= (size - 1) // 2:
        raise ValueError(
            f"Invalid origin; origin must satisfy -({what} // 2) <= origin <= ({what}-1) // 2: "
            f"got origin={origin} for a window of {size}"
        )
    return origin


def check_cval(call, complex_input, name="cval"):
    """`cval` as a Python number or a JAX scalar; ValueError where it is complex and the input is not."""
    value = call[name]
    if is_traced(value):
        return
    if is_jax(value):
        value = np.asarray(value)
    if np.iscomplexobj(value) and not complex_input:
        raise TypeError(f"{name} must be real for real input, not {value!r}")
    call[name] = complex(value) if np.iscomplexobj(value) else float(value)
