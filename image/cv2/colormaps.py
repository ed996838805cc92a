"""`applyColorMap`."""

import functools
import inspect

import numpy as np
from jax import numpy as jnp

from image.cv2 import constants as c
from image.cv2._support import array_argument, fail, image_argument, into_dst
from sci.bridge import Example, HostRoute, Reason, implements
from sci.bridge.worlds import is_jax

__all__ = ["applyColorMap"]


@functools.cache
def _table(number):
    """OpenCV's colours for the 256 levels: data, read from OpenCV itself, which must be installed."""
    try:
        import cv2
    except ImportError:
        raise NotImplementedError(
            f"image.cv2.applyColorMap: the table of colormap={number} is OpenCV's, and it is not installed; "
            "give a table of 256 colours instead (pip install opencv-python-headless)"
        ) from None
    return cv2.applyColorMap(np.arange(256, dtype=np.uint8)[:, None], number).reshape(256, 3)


def _prepare(call):
    function = "applyColorMap"
    src = image_argument(call, function, empty=True)
    if src.ndim == 1:
        raise HostRoute(Reason.SHAPE, "src has one dimension")
    channels = src.shape[2] if src.ndim == 3 else 1
    if np.dtype(src.dtype) != np.uint8 or channels not in (1, 3):
        fail(function, f"cv::ColorMap only supports source images of type CV_8UC1 or CV_8UC3, not {src.dtype}")
    given = array_argument(call, "colormap")
    if isinstance(given, np.ndarray) or is_jax(given):
        if given.dtype != np.uint8 or given.size not in (256, 768) or 256 not in given.shape:
            fail(function, f"userColor must be 256 colours of uint8, not {given.dtype} {given.shape}")
        call["table"] = given.reshape(256, -1)
        return
    number = int(given)
    if not c.COLORMAP_AUTUMN <= number <= c.COLORMAP_DEEPGREEN:
        fail(function, f"Unknown colormap id; use one of COLORMAP_*: colormap={number}")
    call["table"] = _table(number)


def _photo():
    return np.random.default_rng(52).integers(0, 256, (5, 6), dtype=np.uint8)


@implements(
    "cv2.applyColorMap",
    dtypes="keep",
    signature=inspect.signature(lambda src, colormap, dst=None: None),
    prepare=_prepare,
    finish=into_dst,
    grad=False,
    note="empty and one-dimensional arrays",
    examples=lambda: [Example((_photo(), c.COLORMAP_JET), vmap=("src",), rtol=0, atol=0)],
)
def applyColorMap(src, table):
    """Paint grey levels with the colours of a table (BGR). Exact.

    Parameters
    ----------
    src : uint8 array, (h, w), or (h, w, 3), of which the grey levels are taken
    colormap : int or uint8 array
        COLORMAP_JET, ... (the tables are OpenCV's, which must be installed for them), or 256 colours of one's own,
        (256, 1, 3) or (256, 1).

    Raises
    ------
    cv2.error
        Images that are not uint8, unknown colormaps, tables of other sizes.

    Examples
    --------
    >>> import numpy as np
    >>> from image import cv2
    >>> cv2.applyColorMap(np.array([[0, 255]], np.uint8), cv2.COLORMAP_HOT)
    array([[[  0,   0,   0],
            [255, 255, 255]]], dtype=uint8)
    """
    index = src.astype(np.int32)
    if src.ndim == 3 and src.shape[2] == 3:
        index = (index[..., 2] * 9798 + index[..., 1] * 19235 + index[..., 0] * 3735 + (1 << 14)) >> 15
    index = index.reshape(src.shape[:2])
    painted = jnp.take(table, index, axis=0, mode="clip")
    return painted[..., 0] if table.shape[1] == 1 else painted
