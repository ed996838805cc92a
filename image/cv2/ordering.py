"""Order among samples: `sort`, `sortIdx`, `reduceArgMax`, `reduceArgMin`."""

import inspect
from typing import Any

import numpy as np
from jax import numpy as jnp

from image.cv2 import constants as c
from image.cv2._operands import check_depth
from image.cv2._support import fail, image_argument, into_dst
from sci.bridge import Example, HostRoute, Reason, implements

__all__ = ["reduceArgMax", "reduceArgMin", "sort", "sortIdx"]

_NOTE = "arrays that are not two-dimensional; depths other than (u)int8, (u)int16, int32, float32, float64"
# what is no image OpenCV reads in its own way, and a NaN has no place in an order
_ODD = ("0-d", "1x1", "one axis more", "one axis less", "empty", "nan")


def _table(call, function):
    if call.numpy and np.ndim(call["src"]) not in (2, 3):
        raise HostRoute(Reason.SHAPE, f"src has {np.ndim(call['src'])} dimensions")
    src = image_argument(call, function, empty=True)
    if src.ndim == 3:
        if src.shape[2] != 1:
            fail(function, f"src.channels() == 1 does not hold: src has {src.shape[2]} channels")
        raise HostRoute(Reason.SHAPE, "src has three dimensions")
    check_depth(call, src)


def _numbers():
    return np.random.default_rng(42).permutation(30).reshape(5, 6) / 7.0


def _prepare_sort(function):
    def prepare(call):
        _table(call, function)
        flags = int(call["flags"])
        call["axis"] = 0 if flags & c.SORT_EVERY_COLUMN else 1
        call["falling"] = bool(flags & c.SORT_DESCENDING)

    return prepare


def _facts(function) -> dict[str, Any]:
    return {
        "static": ("axis", "falling"),
        "dtypes": "keep",
        "signature": inspect.signature(lambda src, flags, dst=None: None),
        "prepare": _prepare_sort(function),
        "finish": into_dst,
        "note": _NOTE,
    }


@implements(
    "cv2.sort",
    **_facts("sort"),
    examples=lambda: [Example((_numbers(), c.SORT_DESCENDING), grad=("src",), vmap=("src",), skip_odd=_ODD)],
)
def sort(src, axis, falling):
    """Every row, or every column, in order. Differentiable.

    Parameters
    ----------
    src : array (h, w)
    flags : int
        SORT_EVERY_ROW or SORT_EVERY_COLUMN, plus SORT_ASCENDING or SORT_DESCENDING.

    Raises
    ------
    cv2.error
        More than one channel.

    Examples
    --------
    >>> import numpy as np
    >>> from image import cv2
    >>> cv2.sort(np.array([[3, 1, 2]], np.uint8), cv2.SORT_EVERY_ROW)
    array([[1, 2, 3]], dtype=uint8)
    """
    return jnp.sort(src, axis=axis, descending=falling)


@implements(
    "cv2.sortIdx",
    **_facts("sortIdx"),
    grad=False,
    examples=lambda: [Example((_numbers(), c.SORT_EVERY_COLUMN), vmap=("src",), skip_odd=_ODD, float32=False)],
)
def sortIdx(src, axis, falling):
    """Where the samples of every row, or column, stand that come first, second, ...; see `sort`.

    Equal samples keep their order (rising) or have it reversed (falling). OpenCV leaves their order open: it differs
    in rows of more than 16.

    Returns
    -------
    int32 array of `src`'s shape

    Raises
    ------
    cv2.error
        More than one channel.

    Examples
    --------
    >>> import numpy as np
    >>> from image import cv2
    >>> cv2.sortIdx(np.array([[3, 1, 2]], np.uint8), cv2.SORT_EVERY_ROW)
    array([[1, 2, 0]], dtype=int32)
    """
    order = jnp.argsort(src, axis=axis, stable=True).astype(np.int32)
    return jnp.flip(order, axis=axis) if falling else order


def _reduction(function, find, extreme):
    def prepare(call):
        _table(call, function)
        axis = int(call["axis"])
        if not -2 <= axis <= 1:
            raise HostRoute(Reason.OPTION, f"axis={axis}")
        call["axis"], call["last"] = axis % 2, bool(call["lastIndex"])

    def body(src, axis, last):
        at = find(jnp.flip(src, axis=axis) if last else src, axis=axis, keepdims=True)
        return (src.shape[axis] - 1 - at if last else at).astype(np.int32)

    body.__name__, body.__module__ = function, __name__
    body.__doc__ = f"""Where the {extreme} of every column (axis 0) or row (axis 1) stands.

    Parameters
    ----------
    src : array (h, w)
    axis : int
    lastIndex : bool
        Of equal samples the last, not the first.

    Returns
    -------
    int32 array (1, w) or (h, 1)

    Raises
    ------
    cv2.error
        More than one channel.

    Examples
    --------
    >>> import numpy as np
    >>> from image import cv2
    >>> cv2.{function}(np.array([[3, 1, 2]], np.uint8), 1)
    array([[{0 if extreme == "largest" else 1}]], dtype=int32)
    """
    return implements(
        f"cv2.{function}",
        static=("axis", "last"),
        dtypes="keep",
        signature=inspect.signature(lambda src, axis, dst=None, lastIndex=False: None),
        prepare=prepare,
        finish=into_dst,
        note=_NOTE,
        grad=False,
        examples=lambda: [Example((_numbers(), 1), vmap=("src",), skip_odd=_ODD, float32=False)],
    )(body)


reduceArgMax = _reduction("reduceArgMax", jnp.argmax, "largest")
reduceArgMin = _reduction("reduceArgMin", jnp.argmin, "smallest")
