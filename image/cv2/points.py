"""Points and their homogeneous coordinates: `convertPointsToHomogeneous`, `convertPointsFromHomogeneous`."""

import inspect

import numpy as np
from jax import numpy as jnp

from image.cv2._support import array_argument, fail, into_dst, point_rows
from sci.bridge import Example, HostRoute, Reason, implements

__all__ = ["convertPointsFromHomogeneous", "convertPointsToHomogeneous"]

_NOTE = "no points; dtype="


def _prepare(function, dimensions):
    def prepare(call):
        array_argument(call, "src")
        value, vector = point_rows(call, "src")
        if call["dtype"] not in (-1, None):
            raise HostRoute(Reason.OPTION, f"dtype={call['dtype']}")
        shape = value.shape
        if call.numpy and value.size == 0:
            raise HostRoute(Reason.SHAPE, "no points")
        if not vector or shape[-1] not in dimensions:
            if call.numpy and len(shape) < 2:
                raise HostRoute(Reason.SHAPE, f"src has shape {shape}")
            fail(function, f"src must hold points of {dimensions} coordinates, (n, k) or (n, 1, k), not {shape}")
        if value.dtype not in (np.int32, np.float32, np.float64):
            fail(function, f"depth must be CV_32S, CV_32F or CV_64F: src is {value.dtype}")
        call["src"] = value.reshape(-1, shape[-1])

    return prepare


def _points(count):
    return np.random.default_rng(45).uniform(1, 9, (5, count))


# OpenCV reads other shapes in its own way
_ODD = ("0-d", "1x1", "one axis more", "one axis less", "empty")


def _facts(function, dimensions):
    return {
        "dtypes": "keep",
        "signature": inspect.signature(lambda src, dst=None, dtype=-1: None),
        "prepare": _prepare(function, dimensions),
        "finish": into_dst,
        "note": _NOTE,
        "examples": lambda: [
            Example((_points(dimensions[-1]),), grad=("src",), vmap=("src",), skip_odd=_ODD),
        ],
    }


@implements("cv2.convertPointsToHomogeneous", **_facts("convertPointsToHomogeneous", (2, 3)))
def convertPointsToHomogeneous(src):
    """Append a coordinate of one to every point. Differentiable.

    Parameters
    ----------
    src : int32, float32 or float64 array (n, k) or (n, 1, k), k 2 or 3

    Returns
    -------
    array (n, 1, k + 1)

    Raises
    ------
    cv2.error
        Points of other dimensions or dtypes.

    Examples
    --------
    >>> import numpy as np
    >>> from image import cv2
    >>> cv2.convertPointsToHomogeneous(np.array([[2.0, 3.0]]))
    array([[[2., 3., 1.]]])
    """
    return jnp.pad(src, [(0, 0), (0, 1)], constant_values=1)[:, None]


@implements("cv2.convertPointsFromHomogeneous", **_facts("convertPointsFromHomogeneous", (3, 4)))
def convertPointsFromHomogeneous(src):
    """Divide every point by its last coordinate, and drop that; points at infinity are not divided. Differentiable.

    Parameters
    ----------
    src : int32, float32 or float64 array (n, k) or (n, 1, k), k 3 or 4

    Returns
    -------
    float32 or float64 array (n, 1, k - 1)

    Raises
    ------
    cv2.error
        Points of other dimensions or dtypes.

    Examples
    --------
    >>> import numpy as np
    >>> from image import cv2
    >>> cv2.convertPointsFromHomogeneous(np.array([[2.0, 4.0, 2.0]]))
    array([[[1., 2.]]])
    """
    x = src if src.dtype.kind == "f" else src.astype(np.float32)
    last = x[:, -1:]
    far = jnp.abs(last) > np.finfo(np.float32).eps  # OpenCV's bound, in double precision too
    return (x[:, :-1] / jnp.where(far, last, 1))[:, None]
