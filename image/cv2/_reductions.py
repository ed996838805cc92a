"""What the functions that make numbers of an image share: the check of the image, sums in the widest float."""

from typing import Any

import numpy as np
from jax import numpy as jnp

from image.cv2._operands import check_depth, is_image
from image.cv2._support import array_argument, fail, image_argument
from sci.bridge import HostRoute, Reason

NOTE = "depths other than (u)int8, (u)int16, int32, float32, float64; empty arrays and arrays that are no images"
ODD = ("0-d", "1x1", "one axis more", "empty", "nan", "inf")


def photo(seed=38):
    return np.random.default_rng(seed).integers(0, 256, (5, 7, 3), dtype=np.uint8)


def image_of_numbers(call, function, name="src", channels=None):
    array_argument(call, name)
    if call.numpy and not is_image(call[name]):
        if not isinstance(call[name], np.ndarray) and not isinstance(call[name], (list, tuple)):
            image_argument(call, function, name)
        raise HostRoute(Reason.SHAPE, f"{name} is no image")
    src = image_argument(call, function, name, empty=True)
    check_depth(call, src)
    count = src.shape[2] if src.ndim == 3 else 1
    if channels is not None and count != channels:
        fail(function, f"cn == {channels} does not hold: {name} has {count} channels")
    return src


def real(x):
    """Sums and squares in the widest float there is."""
    return x.astype(jnp.result_type(float))


SHARED: dict[str, Any] = {"dtypes": "keep", "note": NOTE}
