"""A rectangle between pixels: `getRectSubPix`."""

import inspect

import numpy as np
from jax import numpy as jnp

from image.cv2._resampling import (
    ODD,
    ODD_SOURCE,
    photo,
    smooth,
)
from image.cv2._support import (
    fail,
    image_argument,
    into_dst,
    pair,
    planes,
    saturate,
)
from sci.bridge import Example, HostRoute, Reason, implements
from sci.bridge.worlds import is_jax
from sci.ndimage._kernels.sampling import sample

__all__ = ["getRectSubPix"]


def _prepare_patch(call):
    function = "getRectSubPix"
    image = image_argument(call, function, "image")
    if image.ndim < 2:
        raise HostRoute(Reason.SHAPE, "image has one dimension")
    width, height = pair(call["patchSize"], function, "patchSize")
    if width <= 0 or height <= 0:
        fail(function, f"patchSize must be positive: {call['patchSize']!r}")
    channels = image.shape[2] if image.ndim == 3 else 1
    output = (
        np.dtype(image.dtype) if int(call["patchType"]) < 0 else {0: np.uint8, 5: np.float32}.get(call["patchType"])
    )
    pairs = {(np.uint8, np.uint8), (np.uint8, np.float32), (np.float32, np.float32)}
    if (
        channels not in (1, 3)
        or output is None
        or (call.numpy and (image.dtype.type, np.dtype(output).type) not in pairs)
    ):
        fail(
            function,
            f"Unsupported combination of input and output formats: image is {image.dtype} with {channels} channels, "
            f"patchType={call['patchType']}",
        )
    center = call["center"]
    if is_jax(center):
        call["centre"] = jnp.asarray(center)
    else:
        try:
            call["centre"] = np.array([float(k) for k in center], np.float32)
        except (TypeError, ValueError):
            fail(function, f"center must be two numbers, not {center!r}")
    if call["centre"].shape != (2,):
        fail(function, f"center must be two numbers, not {center!r}")
    call["size"], call["output"] = (height, width), np.dtype(output)


@implements(
    "cv2.getRectSubPix",
    static=("size", "output"),
    dtypes="keep",
    signature=inspect.signature(lambda image, patchSize, center, patch=None, patchType=-1: None),
    prepare=_prepare_patch,
    finish=lambda call, result: into_dst(call, result, "patch"),
    note="one-dimensional arrays",
    examples=lambda: [
        Example((photo(), (3, 4), (4.3, 3.6)), vmap=("image",), rtol=0, atol=1, skip_odd=ODD_SOURCE),
        Example(
            (smooth().astype(np.float32), (3, 3), np.array([2.3, 4.1], np.float32)),
            grad=("image",),
            rtol=1e-5,
            atol=1e-6,
            skip_odd=ODD,
        ),
    ],
)
def getRectSubPix(image, centre, size, output):
    """A rectangle around a point between pixels, interpolated linearly; the border is replicated.

    Differentiable in floating point images and in the point.

    Parameters
    ----------
    image : uint8 or float32 array, (h, w) or (h, w, 3)
    patchSize : (int, int)
        Width and height.
    center : (float, float)
        x and y of the rectangle's centre. Data.
    patchType : int
        -1 for the depth of `image`, or CV_32F.

    Raises
    ------
    cv2.error
        Empty images, other depths or channels, sizes that are not positive.

    Examples
    --------
    >>> import numpy as np
    >>> from image import cv2
    >>> cv2.getRectSubPix(np.array([[1.0, 2.0, 4.0]], np.float32), (1, 1), (1.5, 0.0))
    array([[3.]], dtype=float32)
    """
    x = image.astype(np.float32) if image.dtype.kind in "iu" else image
    centre = centre.astype(x.dtype)
    columns = jnp.arange(size[1], dtype=x.dtype) + (centre[0] - (size[1] - 1) * 0.5)
    rows = jnp.arange(size[0], dtype=x.dtype) + (centre[1] - (size[0] - 1) * 0.5)
    rows, columns = jnp.broadcast_arrays(rows[:, None], columns)
    result = sample(x, rows, columns, "linear", "nearest")
    return planes(saturate(result, output if output == np.uint8 else x.dtype))
