"""Vectors sample by sample: `phase`, `cartToPolar`, `polarToCart` (`magnitude`: derivatives.py)."""

import inspect
import math

import numpy as np
from jax import numpy as jnp

from image.cv2._support import fail, image_argument, into_dst, planes
from sci.bridge import Example, HostRoute, Reason, implements
from sci.ndimage._passes import sqrt_of_squares

__all__ = ["cartToPolar", "phase", "polarToCart"]

# an odd polynomial for arctan on [0, 1] in degrees, to 0.01 degrees
_ARCTAN = tuple(
    math.degrees(k) for k in (0.9997878412794807, -0.3258083974640975, 0.1555786518463281, -0.04432655554792128)
)


def fast_angle(x, y):
    """The angle of (x, y) in degrees, 0 to 360, by OpenCV's polynomial; 0 at the origin."""
    width, height = jnp.abs(x), jnp.abs(y)
    flat = width >= height
    low, high = jnp.where(flat, height, width), jnp.where(flat, width, height)
    c = jnp.where(high > 0, low / jnp.where(high > 0, high, 1), 0).astype(x.dtype)
    c2 = c * c
    p1, p3, p5, p7 = _ARCTAN
    angle = (((p7 * c2 + p5) * c2 + p3) * c2 + p1) * c
    angle = jnp.where(flat, angle, 90 - angle)
    angle = jnp.where(x < 0, 180 - angle, angle)
    return jnp.where(y < 0, 360 - angle, angle)


def _pair(call, function, names):
    for name in names:
        if call.numpy and np.ndim(call[name]) > 3:
            raise HostRoute(Reason.SHAPE, f"{name} has {np.ndim(call[name])} dimensions")
        value = image_argument(call, function, name, empty=True)
        if value.ndim == 1:
            raise HostRoute(Reason.SHAPE, f"{name} has one dimension")
        if np.dtype(value.dtype) not in (np.float32, np.float64):
            fail(function, f"depth == CV_32F || depth == CV_64F does not hold: {name} is {value.dtype}")
    x, y = (call[n] for n in names)
    if x.shape != y.shape or x.dtype != y.dtype:
        fail(function, f"{names[0]} and {names[1]} must agree: {x.dtype} {x.shape} and {y.dtype} {y.shape}")
    call["degrees"] = bool(call["angleInDegrees"])


def _vectors():
    rng = np.random.default_rng(36)
    return rng.standard_normal((4, 5)), rng.standard_normal((4, 5))


_NOTE = "empty and one-dimensional arrays"
# OpenCV's polynomial meets infinities and NaN in its own way
_ODD = ("nan", "inf")


@implements(
    "cv2.phase",
    static=("degrees",),
    dtypes="keep",
    signature=inspect.signature(lambda x, y, angle=None, angleInDegrees=False: None),
    prepare=lambda call: _pair(call, "phase", ("x", "y")),
    finish=lambda call, result: into_dst(call, result, "angle"),
    note=_NOTE,
    examples=lambda: [
        Example((*_vectors(), None, True), grad=("x", "y"), vmap=("x",), rtol=1e-6, atol=1e-4, skip_odd=_ODD)
    ],
)
def phase(x, y, degrees):
    """The angle of the vectors (x, y), from 0 to 360 degrees or 2 pi, to 0.01 degrees as OpenCV's. Differentiable.

    Parameters
    ----------
    x, y : float32 or float64 arrays of one shape
    angleInDegrees : bool

    Raises
    ------
    cv2.error
        Arrays that are not floating point, or differ in shape or dtype.

    Examples
    --------
    >>> import numpy as np
    >>> from image import cv2
    >>> cv2.phase(np.array([[0.0, -1.0]]), np.array([[1.0, 0.0]]), angleInDegrees=True)
    array([[ 90., 180.]])
    """
    angle = planes(fast_angle(x, y))
    return angle if degrees else jnp.deg2rad(angle)


def _finish(names):
    return lambda call, result: tuple(into_dst(call, r, n) for n, r in zip(names, result, strict=True))


@implements(
    "cv2.cartToPolar",
    static=("degrees",),
    dtypes="keep",
    signature=inspect.signature(lambda x, y, magnitude=None, angle=None, angleInDegrees=False: None),
    prepare=lambda call: _pair(call, "cartToPolar", ("x", "y")),
    finish=_finish(("magnitude", "angle")),
    note=_NOTE,
    examples=lambda: [Example(_vectors(), grad=("x", "y"), vmap=("x",), rtol=1e-6, atol=1e-5, skip_odd=_ODD)],
)
def cartToPolar(x, y, degrees):
    """Length and angle of the vectors (x, y); see `magnitude` and `phase`.

    Raises
    ------
    cv2.error
        Arrays that are not floating point, or differ in shape or dtype.

    Examples
    --------
    >>> import numpy as np
    >>> from image import cv2
    >>> cv2.cartToPolar(np.array([[0.0]]), np.array([[2.0]]), angleInDegrees=True)
    (array([[2.]]), array([[90.]]))
    """
    angle = planes(fast_angle(x, y))
    return planes(sqrt_of_squares(x * x + y * y)), angle if degrees else jnp.deg2rad(angle)


def _prepare_cart(call):
    if call["magnitude"] is None or np.size(call["magnitude"]) == 0:
        raise HostRoute(Reason.OPTION, "no magnitude")
    _pair(call, "polarToCart", ("magnitude", "angle"))


@implements(
    "cv2.polarToCart",
    static=("degrees",),
    dtypes="keep",
    signature=inspect.signature(lambda magnitude, angle, x=None, y=None, angleInDegrees=False: None),
    prepare=_prepare_cart,
    finish=_finish(("x", "y")),
    note=_NOTE + "; `magnitude` None",
    examples=lambda: [
        Example(_vectors(), grad=("magnitude", "angle"), vmap=("angle",), rtol=1e-5, atol=1e-5, skip_odd=_ODD)
    ],
)
def polarToCart(magnitude, angle, degrees):
    """The vectors of given lengths and angles. Differentiable.

    Parameters
    ----------
    magnitude, angle : float32 or float64 arrays of one shape
    angleInDegrees : bool

    Returns
    -------
    x, y : arrays

    Raises
    ------
    cv2.error
        Arrays that are not floating point, or differ in shape or dtype.

    Examples
    --------
    >>> import numpy as np
    >>> from image import cv2
    >>> cv2.polarToCart(np.array([[2.0]]), np.array([[90.0]]), angleInDegrees=True)[1]
    array([[2.]])
    """
    radians = jnp.deg2rad(angle) if degrees else angle
    return planes(magnitude * jnp.cos(radians)), planes(magnitude * jnp.sin(radians))
