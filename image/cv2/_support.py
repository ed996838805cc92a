"""What every function of `image.cv2` shares: `error`, checks of images and options, saturating casts."""

import functools
import importlib.util

import numpy as np
from jax import numpy as jnp

from image.cv2 import constants as c
from sci.bridge import HostRoute, Reason
from sci.bridge.worlds import is_jax

BORDERS = {
    c.BORDER_CONSTANT: "constant",
    c.BORDER_REPLICATE: "nearest",
    c.BORDER_REFLECT: "reflect",
    c.BORDER_WRAP: "wrap",
    c.BORDER_REFLECT_101: "mirror",
}
DEPTHS = {
    c.CV_8U: np.dtype(np.uint8),
    c.CV_16U: np.dtype(np.uint16),
    c.CV_16S: np.dtype(np.int16),
    c.CV_32F: np.dtype(np.float32),
    c.CV_64F: np.dtype(np.float64),
}
NATIVE = tuple(DEPTHS.values())


@functools.cache
def error_class():
    """`cv2.error` where OpenCV is installed (imported now), else a class of the same name."""
    if importlib.util.find_spec("cv2") is not None:
        import cv2

        return cv2.error

    class error(Exception):
        """Raised for bad arguments, as `cv2.error`."""

    return error


def fail(function, message):
    """Raise `cv2.error`, worded as OpenCV does: the complaint, then the function."""
    raise error_class()(f"image.cv2: error: {message} in function '{function}'")


def array_argument(call, name):
    """``call[name]`` with lists of numbers as an array and bytes in this machine's order; other values as they are."""
    value = call[name]
    if isinstance(value, (list, tuple)) and not is_jax(value):
        try:
            array = np.asarray(value)
        except ValueError:  # ragged
            return value
        if array.dtype.kind in "biuf":
            value = call[name] = array
    if isinstance(value, np.ndarray) and value.dtype.kind in "biuf" and not value.dtype.isnative:
        value = call[name] = value.astype(value.dtype.newbyteorder("="))
    return value


def point_rows(call, name):
    """The array ``call[name]`` and whether it holds points, one a row: (n, k), (n, 1, k) or (1, n, k)."""
    if not isinstance(call[name], np.ndarray) and not is_jax(call[name]):
        raise HostRoute(Reason.OPTION, f"{name} is no array")
    value = array_argument(call, name)
    if isinstance(value, (list, tuple)):
        value = jnp.asarray(value)
    if call.numpy and value.dtype == np.int64:  # OpenCV reads them as int32
        value = value.astype(np.int32)
    return value, value.ndim == 2 or (value.ndim == 3 and 1 in value.shape[:2])


def image_argument(call, function, name="src", empty=False):
    """``call[name]``, checked: an array of two or three dimensions, not empty (unless OpenCV takes those)."""
    value = call[name]
    if value is None:
        fail(function, f"{name} is None: (-215:Assertion failed) !_{name}.empty()")
    if isinstance(value, (list, tuple)) and not is_jax(value):
        value = call[name] = np.asarray(value)
    if (not isinstance(value, np.ndarray) and not is_jax(value)) or value.dtype.kind not in "biuf":
        fail(function, f"{name} is not a numpy array of numbers, but {type(value).__name__}")
    if not np.dtype(value.dtype).isnative:  # OpenCV itself would read the bytes as they lie
        value = call[name] = value.astype(value.dtype.newbyteorder("="))
    if call.numpy and (value.ndim == 0 or (value.size == 0 and empty)):
        raise HostRoute(Reason.SHAPE, f"{name} has shape {value.shape}")  # OpenCV has its own reading of these
    if value.size == 0:
        fail(function, f"{name} is empty, its shape is {value.shape}: (-215:Assertion failed) !_{name}.empty()")
    if value.ndim > 3 or value.ndim == 0:
        fail(function, f"{name} must have 2 or 3 dimensions, (height, width[, channels]), not shape {value.shape}")
    return value


def unsupported(call, name="src"):
    """Reason to leave a call to OpenCV itself: a depth or shape that is not native."""
    value = call[name]
    if np.dtype(value.dtype) not in NATIVE:
        return Reason.DTYPE, f"{name} is {value.dtype}"
    if value.ndim == 1:
        return Reason.SHAPE, f"{name} has one dimension"
    return None


def border(call, function):
    """The kernels' name of ``borderType``."""
    value = call["borderType"]
    mode = BORDERS.get(int(value) & ~c.BORDER_ISOLATED)
    if mode is None:
        fail(function, f"Unknown/unsupported border type: borderType={value}, allowed are {sorted(BORDERS)}")
    return mode


def pair(value, function, name):
    """A size, point or the like as two numbers."""
    try:
        first, second = value
        return int(first), int(second)
    except (TypeError, ValueError):
        fail(function, f"{name} must be two integers, not {value!r}")


def depth(value, source, function):
    """The dtype for ``ddepth``, None if it is one of OpenCV's that is not native."""
    value = int(value)
    if value == -1:
        return np.dtype(source)
    if not 0 <= value <= 12:
        fail(function, f"ddepth={value} is no depth: give -1 or one of CV_8U, CV_16U, CV_16S, CV_32F, CV_64F")
    return DEPTHS.get(value)


# Depths that OpenCV's dense filters give, by the depth of the source.
_FILTERED = {"uint8": "uint8 uint16 int16 float32 float64", "uint16": "uint16 float32 float64"}
_FILTERED |= {"int16": "int16 float32 float64", "float32": "float32", "float64": "float64"}


def filter_depth(call, function, separable=False):
    """The dtype that a linear filter of ``src`` gives for ``ddepth``; an error where OpenCV has no such filter."""
    source = np.dtype(call["src"].dtype)
    if source not in NATIVE:
        return None
    result = depth(call["ddepth"], source, function)
    allowed = _FILTERED[source.name].split()
    if separable:
        allowed = [d.name for d in NATIVE if (source, d) != (np.float64, np.float32)]
    if result is None or result.name not in allowed:
        fail(function, f"Unsupported combination: ddepth={call['ddepth']} for {source} images, allowed are {allowed}")
    return result


def filter_border(call, function):
    """`border` of a filter whose passes OpenCV runs by rows: it cannot wrap."""
    mode = border(call, function)
    if mode == "wrap":
        fail(function, "columnBorderType != BORDER_WRAP does not hold: borderType=BORDER_WRAP")
    return mode


def anchor_in(value, size, function):
    """The anchor (x, y) inside a kernel of `size` (width, height); the centre for negative entries."""
    ax, ay = pair(value, function, "anchor")
    ax, ay = (size[0] // 2 if ax == -1 else ax), (size[1] // 2 if ay == -1 else ay)
    if not (0 <= ax < size[0] and 0 <= ay < size[1]):
        fail(function, f"anchor={value!r} lies outside a kernel of {size[0]} x {size[1]}")
    return ax, ay


def working_dtype(*dtypes):
    """float64 where any argument is, else float32, which holds OpenCV's integer sums exactly below 2^24."""
    wide = any(np.dtype(d) == np.float64 for d in dtypes)
    return np.dtype(jnp.result_type(float)) if wide else np.dtype(np.float32)


def saturate(x, dtype):
    """OpenCV's `saturate_cast`: round half to even, clip to the range; floats are only converted."""
    dtype = np.dtype(dtype)
    if dtype.kind == "f":
        return x.astype(jnp.result_type(float) if dtype == np.float64 else dtype)
    limits = np.iinfo(dtype)
    if x.dtype.kind == "f":
        x = jnp.round(x)
    return jnp.clip(x, limits.min, limits.max).astype(dtype)


def planes(x):
    """OpenCV has no trailing axis of one channel: (h, w, 1) images give (h, w) results."""
    return x[..., 0] if x.ndim == 3 and x.shape[2] == 1 else x


def into_dst(call, result, name="dst"):
    """Fill ``dst`` and return it if it fits; OpenCV allocates anew otherwise."""
    target = call[name]
    if isinstance(target, np.ndarray) and target.shape == result.shape and target.dtype == result.dtype:
        target[...] = result
        return target
    return result
