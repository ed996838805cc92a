"""Images put together: `hconcat`, `vconcat`, `repeat`."""

import inspect

from jax import numpy as jnp

from image.cv2._support import fail, into_dst, planes
from image.cv2.channels import EXACT, NOTE, channel_count, image_of, images_of, photo
from sci.bridge import Example, implements

__all__ = ["hconcat", "repeat", "vconcat"]


def _prepare_concat(function, axis):
    def prepare(call):
        images = images_of(call, function, "src")
        kept = {(v.shape[1 - axis], channel_count(v)) for v in images}
        if len(kept) > 1:
            what = "rows" if axis else "columns"
            fail(function, f"src must be images of one number of {what} and channels: {[v.shape for v in images]}")

    return prepare


def _concat(name, axis, text, example):
    def body(images):
        return planes(jnp.concatenate([v if v.ndim == 3 else v[..., None] for v in images], axis=axis))

    body.__name__, body.__module__ = name, __name__
    body.__doc__ = f"""Images {text}.

    Parameters
    ----------
    src : sequence of arrays, (h, w) or (h, w, channels), of one dtype

    Raises
    ------
    cv2.error
        Images of different dtypes, channels or extents.

    Examples
    --------
    >>> import numpy as np
    >>> from image import cv2
    >>> cv2.{name}([np.array([[1, 2]], np.uint8), np.array([[3, 4]], np.uint8)])
    {example}
    """
    return implements(
        f"cv2.{name}",
        trees=("images",),
        dtypes="keep",
        signature=inspect.signature(lambda src, dst=None: None),
        prepare=_prepare_concat(name, axis),
        finish=into_dst,
        note=NOTE,
        vmap=False,
        examples=lambda: [Example(([photo(), photo(41)],), **EXACT)],
    )(body)


hconcat = _concat("hconcat", 1, "side by side", "array([[1, 2, 3, 4]], dtype=uint8)")
vconcat = _concat("vconcat", 0, "one below the other", "array([[1, 2],\n           [3, 4]], dtype=uint8)")


def _prepare_repeat(call):
    image_of(call, "repeat", "src")
    ny, nx = call["ny"], call["nx"] = int(call["ny"]), int(call["nx"])
    if ny <= 0 or nx <= 0:
        fail("repeat", f"ny > 0 && nx > 0 does not hold: ny={ny}, nx={nx}")


@implements(
    "cv2.repeat",
    static=("ny", "nx"),
    dtypes="keep",
    signature=inspect.signature(lambda src, ny, nx, dst=None: None),
    prepare=_prepare_repeat,
    finish=into_dst,
    note=NOTE,
    examples=lambda: [Example((photo(), 2, 3), vmap=("src",), **EXACT)],
)
def repeat(src, ny, nx):
    """An image as a tile, `ny` times down and `nx` times across.

    Raises
    ------
    cv2.error
        Counts that are not positive.

    Examples
    --------
    >>> import numpy as np
    >>> from image import cv2
    >>> cv2.repeat(np.array([[1, 2]], np.uint8), 1, 2)
    array([[1, 2, 1, 2]], dtype=uint8)
    """
    return planes(jnp.tile(src, (ny, nx) if src.ndim == 2 else (ny, nx, 1)))
