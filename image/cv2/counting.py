"""What is not zero: `countNonZero`, `hasNonZero`, `findNonZero`."""

import inspect

import numpy as np
from jax import numpy as jnp

from image.cv2._reductions import ODD, SHARED, image_of_numbers, photo
from image.cv2._support import into_dst
from sci.bridge import Example, implements

__all__ = ["countNonZero", "findNonZero", "hasNonZero"]


def _prepare_count(function):
    def prepare(call):
        image_of_numbers(call, function, channels=1)

    return prepare


@implements(
    "cv2.countNonZero",
    signature=inspect.signature(lambda src: None),
    prepare=_prepare_count("countNonZero"),
    finish=lambda call, result: int(result),
    grad=False,
    examples=lambda: [Example((photo()[..., 0] // 100,), vmap=("src",), skip_odd=ODD)],
    **SHARED,
)
def countNonZero(src):
    """Number of samples of an image of one channel that are not zero.

    Raises
    ------
    cv2.error
        Several channels.

    Examples
    --------
    >>> import numpy as np
    >>> from image import cv2
    >>> cv2.countNonZero(np.array([[0, 5, 1]], np.uint8))
    2
    """
    return jnp.sum(src != 0, dtype=np.int32)


@implements(
    "cv2.hasNonZero",
    signature=inspect.signature(lambda src: None),
    prepare=_prepare_count("hasNonZero"),
    finish=lambda call, result: bool(result),
    grad=False,
    examples=lambda: [Example((photo()[..., 0] // 100,), vmap=("src",), skip_odd=ODD)],
    **SHARED,
)
def hasNonZero(src):
    """Whether an image of one channel has a sample that is not zero.

    Raises
    ------
    cv2.error
        Several channels.

    Examples
    --------
    >>> import numpy as np
    >>> from image import cv2
    >>> cv2.hasNonZero(np.array([[0, 5, 1]], np.uint8))
    True
    """
    return jnp.any(src != 0)


def _prepare_find(call):
    src = image_of_numbers(call, "findNonZero", channels=1)
    size = call["size"]
    if size is not None and (isinstance(size, bool) or int(size) <= 0):
        raise ValueError(f"size must be a positive integer, not {size!r}")
    call["capacity"] = src.shape[0] * src.shape[1] if size is None or call.numpy else int(size)


def _finish_find(call, result):
    points, count = result
    return into_dst(call, points[: int(count)].copy(), "idx") if count else None


@implements(
    "cv2.findNonZero",
    static=("capacity",),
    signature=inspect.signature(lambda src, idx=None, *, size=None: None),
    extras={"size": None},
    prepare=_prepare_find,
    finish=_finish_find,
    grad=False,
    examples=lambda: [Example((photo()[..., 0] // 100,), vmap=("src",), output=lambda r: r, skip_odd=ODD, jit=False)],
    **SHARED,
)
def findNonZero(src, capacity):
    """Where an image of one channel is not zero, row by row.

    Parameters
    ----------
    src : array, (h, w)
    size : int, optional
        JAX world: capacity of the result, all pixels by default.

    Returns
    -------
    int32 array, (n, 2)
        x and y of each; None where there is none. In the JAX world ``(points, count)``: `size` points, those behind
        `count` being zero; a count above `size` says that points are missing.

    Raises
    ------
    cv2.error
        Several channels.

    Examples
    --------
    >>> import numpy as np
    >>> from image import cv2
    >>> cv2.findNonZero(np.array([[0, 5, 1]], np.uint8))
    array([[1, 0],
           [2, 0]], dtype=int32)
    """
    x = src.reshape(src.shape[:2])
    rows, columns = jnp.nonzero(x, size=capacity, fill_value=0)
    return jnp.stack([columns, rows], axis=1).astype(np.int32), jnp.sum(x != 0, dtype=np.int32)
