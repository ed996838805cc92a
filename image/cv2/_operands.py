"""Two operands as OpenCV's arithmetic takes them: images or scalars, a mask, another depth for the result."""

import jax
import numpy as np
from jax import numpy as jnp

from image.cv2 import constants as c
from image.cv2._support import DEPTHS, array_argument, fail, planes, saturate
from sci.bridge import HostRoute, Reason
from sci.bridge.worlds import is_jax

# arithmetic has two depths more than the filters
ARITHMETIC = DEPTHS | {c.CV_8S: np.dtype(np.int8), c.CV_32S: np.dtype(np.int32)}
_MASKS = (np.uint8, np.int8, np.bool_)
NOTE = (
    "operands that are neither images of one shape nor image and scalar; small vectors, which OpenCV may read as "
    "scalars; scalars with more than four channels; depths other than (u)int8, (u)int16, int32, float32, float64; "
    "int32 JAX arrays without double precision"
)


def is_image(value):
    return (isinstance(value, np.ndarray) or is_jax(value)) and np.ndim(value) in (2, 3)


def _is_number(value):
    return isinstance(value, (int, float, np.integer, np.floating)) or (is_jax(value) and np.ndim(value) == 0)


def _vector(value, channels, everywhere):
    """A scalar operand as one number for each channel, or None."""
    if _is_number(value):
        if is_jax(value):
            vector = jnp.asarray(value).reshape(1)
            rest = vector if everywhere else jnp.zeros(1, vector.dtype)
            return jnp.concatenate([vector, *[rest] * (channels - 1)])
        vector = np.full(channels, value, np.float64) if everywhere else np.zeros(channels)
        vector[0] = value
        return vector
    if isinstance(value, (tuple, list)) and 1 <= len(value) <= 4 and all(map(_is_number, value)):
        if is_jax(value):
            return jnp.stack([jnp.asarray(v, float) for v in [*value, 0, 0, 0]][:channels])
        return np.array([*value, 0, 0, 0][:channels], np.float64)
    return None


def _array(value):
    if isinstance(value, list) and value and isinstance(value[0], list):
        value = array_argument({"value": value}, "value")
    if isinstance(value, np.ndarray) and value.dtype.kind in "biuf" and not value.dtype.isnative:
        return value.astype(value.dtype.newbyteorder("="))  # OpenCV itself would read the bytes as they lie
    return value


def check_depth(call, *values):
    """HostRoute for depths that are not native."""
    for value in values:
        dtype = np.dtype(value.dtype)
        if dtype not in ARITHMETIC.values():
            raise HostRoute(Reason.DTYPE, f"an operand is {dtype}")
        if dtype == np.int32 and not (call.numpy or jax.config.jax_enable_x64):
            raise HostRoute(Reason.DTYPE, "int32 without double precision")


def pair_of_operands(call, function, everywhere=True, same=True, names=("src1", "src2")):
    """Set ``a`` and ``b``: images, or a vector with a number for each channel of the other operand.

    Parameters
    ----------
    everywhere : bool
        A plain number stands for all channels; else for the first, with zeros behind it.
    same : bool
        Images must have one dtype.
    """
    a, b = (_array(call[n]) for n in names)
    images = [is_image(v) for v in (a, b)]
    if not any(images) or any(np.size(v) == 0 for v in (a, b)):
        raise HostRoute(Reason.SHAPE, "operands of which none is an image")
    if all(images):
        if a.shape != b.shape:
            if call.numpy:
                raise HostRoute(Reason.SHAPE, f"operands of the shapes {a.shape} and {b.shape}")
            fail(function, f"{names[0]} and {names[1]} have the shapes {a.shape} and {b.shape}")
        if same and a.dtype != b.dtype and (call.numpy or a.dtype.kind != b.dtype.kind):
            fail(function, f"{names[0]} and {names[1]} have the dtypes {a.dtype} and {b.dtype}: they must be the same")
        check_depth(call, a, b)
    else:
        image = a if images[0] else b
        check_depth(call, image)
        channels = image.shape[2] if image.ndim == 3 else 1
        vector = _vector(b if images[0] else a, channels, everywhere) if channels <= 4 else None
        if vector is None:
            raise HostRoute(Reason.SHAPE, "an operand that is neither an image nor a scalar of a native kind")
        a, b = (a, vector) if images[0] else (vector, b)
    call["a"], call["b"] = a, b
    return a, b, images


def _whole(scalar):
    """Whether a scalar operand (None where there is none) is known to hold integers of moderate size."""
    if scalar is None:
        return True
    return not is_jax(scalar) and bool(np.all(scalar == np.rint(scalar))) and np.abs(scalar).max(initial=0) < 2**24


def result_depth(call, function, a, b, images, wrapping=False):
    """Set ``output`` and ``wide``, the dtype of the arithmetic, by OpenCV's rules for add and its like.

    `wrapping`: sums of int32 images are not saturated, as OpenCV says of them.
    """
    wanted = int(call.get("dtype", -1) if call.get("dtype", -1) is not None else -1)
    dtypes = [np.dtype(v.dtype) for v, image in zip((a, b), images, strict=True) if image]
    if wanted < 0:
        if len(set(dtypes)) > 1 and not call.numpy and all(d.kind == "f" for d in dtypes):
            dtypes = [np.dtype(jnp.promote_types(*dtypes))]
        if len(set(dtypes)) > 1:
            fail(
                function,
                "When the input arrays have different types, the output array type must be explicitly specified: "
                f"{dtypes[0]} and {dtypes[1]} need dtype=",
            )
        output = dtypes[0]
    else:
        output = ARITHMETIC.get(wanted & 31)
        if output is None:
            raise HostRoute(Reason.OPTION, f"dtype={wanted}")
    call["output"] = output
    integer = _whole(None if all(images) else (b if images[0] else a))
    if wrapping and integer and set(dtypes) | {output} == {np.dtype(np.int32)}:
        wide = np.dtype(np.int32)
    elif {np.dtype(np.int32), np.dtype(np.float64)} & {output, *dtypes}:
        wide = np.dtype(np.float64)
    elif output.kind == "f" or any(d.kind == "f" for d in dtypes):
        wide = np.dtype(np.float32)
    else:
        wide = np.dtype(np.int32 if integer else np.float32)
    if output == np.int32 and not (call.numpy or jax.config.jax_enable_x64):
        raise HostRoute(Reason.DTYPE, "int32 without double precision")
    call["wide"] = wide


def mask_argument(call, function, shape, name="mask"):
    """Check ``call[name]`` (None, or uint8, int8 or bool of the image's rows and columns)."""
    mask = call[name]
    if mask is None:
        return
    if not isinstance(mask, np.ndarray) and not is_jax(mask):
        fail(function, f"{name} is not a numpy array, but {type(mask).__name__}")
    if mask.ndim == 3 and mask.shape[2] == 1:
        mask = call[name] = mask[..., 0]
    if np.dtype(mask.dtype) not in _MASKS or mask.shape != tuple(shape[:2]):
        fail(
            function,
            f"mtype == CV_8UC1 || mtype == CV_8SC1 || mtype == CV_Bool, and the size of the image, does not hold: "
            f"{name} is {mask.dtype} {mask.shape}, the image {tuple(shape[:2])}",
        )


def base_of_mask(call, shape, dtype):
    """Set ``base``: what stays where the mask is zero, `dst` if it fits."""
    shape = shape[:2] if len(shape) == 3 and shape[2] == 1 else shape
    target = call["dst"]
    fits = call["mask"] is not None and target is not None and np.shape(target) == tuple(shape)
    call["base"] = target if fits and target.dtype == dtype else None


def real_dtype(dtype):
    """`dtype`, or the widest float where double precision is off."""
    return np.dtype(jnp.result_type(float)) if dtype == np.float64 else np.dtype(dtype)


def finished(result, output, mask=None, base=None):
    """The result as an image of `output`, only where the mask is not zero."""
    if output == np.int32 and result.dtype.kind == "f":  # not saturated: x86 has one value for all that does not fit
        result = jnp.where(jnp.abs(result) < 2.0**31, result, -(2.0**31))
    result = planes(saturate(result, output))
    if mask is None:
        return result
    chosen = mask != 0
    if result.ndim == 3:
        chosen = chosen[..., None]
    return jnp.where(chosen, result, jnp.zeros((), result.dtype) if base is None else base.astype(result.dtype))
