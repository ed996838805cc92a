"""scikit-image's conversion to floating point (`skimage.util.img_as_float` and `convert_to_float`)."""

import numpy as np
from jax import numpy as jnp

from sci.ndimage._kernels.casting import compute_dtype


def float_dtype(dtype):
    """The dtype in which scikit-image filters an image of `dtype`; ValueError for complex."""
    dtype = np.dtype(dtype)
    if dtype.kind not in "biuf":
        raise ValueError(f"image has dtype {dtype}; allowed are boolean, integer and floating point images")
    return compute_dtype(dtype)


def as_float(image, preserve_range=False):
    """`image` in floating point; integers scaled to [0, 1], signed ones to [-1, 1], unless `preserve_range`."""
    dtype = np.dtype(image.dtype)
    result = image.astype(float_dtype(dtype))
    if dtype.kind not in "iu" or preserve_range:
        return result
    scaled = result * (1.0 / np.iinfo(dtype).max)
    return scaled if dtype.kind == "u" else jnp.maximum(scaled, -1.0)


def as_image(call, name="image", ndim=None):
    """``call[name]`` as an array of a dtype that scikit-image filters, of dimension `ndim` if given."""
    value = call[name]
    if not hasattr(value, "dtype"):
        value = call[name] = jnp.asarray(value) if not call.numpy else np.asarray(value)
    float_dtype(value.dtype)
    if not np.dtype(value.dtype).isnative:
        value = call[name] = value.astype(value.dtype.newbyteorder("="))
    if ndim is not None:
        if value.size == 0:
            raise ValueError(f"The parameter `{name}` cannot be an empty array")
        if value.ndim != ndim:
            raise ValueError(f"The parameter `{name}` must be a {ndim}-dimensional array, not {value.ndim}-dimensional")
    return value
