"""Lines through points and rotated boxes: `fitLine`, `boxPoints`."""

import inspect

import numpy as np
from jax import numpy as jnp

from image.cv2 import constants as c
from image.cv2._support import fail, into_dst
from image.cv2.contours import ODD, example_curve, point_array, wide
from sci.bridge import Example, HostRoute, Reason, implements
from sci.bridge.worlds import is_jax, is_traced

__all__ = ["boxPoints", "fitLine"]


def _prepare_box(call):
    try:
        (x, y), (width, height), angle = call["box"]
    except (TypeError, ValueError):
        fail("boxPoints", f"box must be ((x, y), (width, height), angle), not {call['box']!r}")
    values = (x, y, width, height, angle)
    try:
        call["numbers"] = (
            jnp.stack([jnp.asarray(v, float) for v in values]) if is_jax(values) else np.array(values, np.float32)
        )
    except (TypeError, ValueError):
        fail("boxPoints", f"box must hold five numbers, not {call['box']!r}")


def _finish(call, result, name):
    return into_dst(call, np.asarray(result, np.float32), name)


@implements(
    "cv2.boxPoints",
    dtypes="keep",
    signature=inspect.signature(lambda box, points=None: None),
    prepare=_prepare_box,
    finish=lambda call, result: _finish(call, result, "points"),
    examples=lambda: [Example((((1.0, 2.0), (3.0, 4.0), 30.0),), jit=False, rtol=1e-5, atol=1e-5, skip_odd=ODD)],
)
def boxPoints(numbers):
    """The corners of a rotated rectangle ((x, y), (width, height), angle in degrees). Differentiable.

    Returns
    -------
    float32 array (4, 2)
        From the bottom left corner of the unrotated rectangle on, by the clock.

    Raises
    ------
    cv2.error
        A box that is not of five numbers.

    Examples
    --------
    >>> from image import cv2
    >>> cv2.boxPoints(((2, 2), (4, 2), 0))
    array([[0., 3.],
           [0., 1.],
           [4., 1.],
           [4., 3.]], dtype=float32)
    """
    x, y, width, height, angle = numbers.astype(jnp.result_type(float))
    sine, cosine = jnp.sin(jnp.deg2rad(angle)) / 2, jnp.cos(jnp.deg2rad(angle)) / 2
    first = jnp.stack([x - sine * height - cosine * width, y + cosine * height - sine * width])
    second = jnp.stack([x + sine * height - cosine * width, y - cosine * height - sine * width])
    middle = jnp.stack([x, y])
    return jnp.stack([first, second, 2 * middle - first, 2 * middle - second])


def _prepare_fit(call):
    if is_traced(call["distType"]) or int(call["distType"]) != c.DIST_L2:
        raise HostRoute(Reason.METHOD, f"distType={call['distType']}: fits from random samples")
    value = call["points"]
    if (isinstance(value, np.ndarray) or is_jax(value)) and value.ndim >= 2 and value.shape[-1] == 3:
        raise HostRoute(Reason.SHAPE, "points in space")
    point_array(call, "points", "fitLine")


@implements(
    "cv2.fitLine",
    dtypes="keep",
    ignored=("distType", "param", "reps", "aeps", "line"),
    signature=inspect.signature(lambda points, distType, param, reps, aeps, line=None: None),
    prepare=_prepare_fit,
    finish=lambda call, result: _finish(call, result, "line"),
    note="distances other than DIST_L2, points in space; empty curves and points in lists",
    examples=lambda: [
        Example(
            (example_curve(), c.DIST_L2, 0, 0.01, 0.01),
            grad=("points",),
            vmap=("points",),
            rtol=1e-5,
            atol=1e-5,
            grad_rtol=1e-2,
            skip_odd=ODD,
        )
    ],
)
def fitLine(points):
    """The line with the least sum of squared distances from points of the plane. Differentiable.

    Parameters
    ----------
    points : int32 or float32 array (n, 2), (n, 1, 2)
    distType : DIST_L2
    param, reps, aeps : ignored, of the other distances

    Returns
    -------
    float32 array (4, 1)
        A vector of length one along the line, and the points' mean.

    Raises
    ------
    cv2.error
        Points of another dtype or dimension.

    Examples
    --------
    >>> import numpy as np
    >>> from image import cv2
    >>> cv2.fitLine(np.array([[0, 1], [2, 1], [4, 1]], np.int32), cv2.DIST_L2, 0, 0.01, 0.01).ravel()
    array([1., 0., 2., 1.], dtype=float32)
    """
    x, y = wide(points).T
    mean_x, mean_y = x.mean(), y.mean()
    x, y = x - mean_x, y - mean_y
    angle = jnp.arctan2(2 * (x * y).mean(), (x * x).mean() - (y * y).mean()) / 2
    return jnp.stack([jnp.cos(angle), jnp.sin(angle), mean_x, mean_y])[:, None]
