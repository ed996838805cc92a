"""Shapes: `rectangle`, `circle`; arcs are in `drawing_ellipses.py`, polygons in `drawing_polygons.py`.

Reference: "A linear algorithm for incremental digital display of circular arcs", Comm. ACM 20(2), 1977. Ties and
clipping are OpenCV's.
"""

import inspect

import numpy as np
from jax import numpy as jnp

from image.cv2._drawing import (
    FACTS,
    canvas_argument,
    example_canvas,
    known,
    masked,
    painted,
    point_argument,
    raster,
)
from image.cv2._raster import BITS, disc_widths, octant
from image.cv2._support import fail
from sci.bridge import Example, HostRoute, Reason, implements
from sci.bridge.worlds import is_jax, is_traced

__all__ = ["circle", "rectangle"]


def _prepare_rectangle(call):
    empty = False
    # rectangle(img, rec, color, ...): four numbers instead of two points
    if not is_jax(call["pt1"]) and np.size(call["pt1"]) == 4:
        if call["color"] is None or isinstance(call["color"], (int, np.integer)):
            names = ("thickness", "lineType", "shift")
            given = [call["color"], *(call[n] for n in names)]
            if given[0] is not None:
                call["thickness"] = given[0]
                call["lineType"], call["shift"] = given[1] if given[1] != 1 else 8, given[2] if given[2] != 8 else 0
            call["color"] = call["pt2"]
        x, y, width, height = (int(v) for v in call["pt1"])
        one = 1 << int(call["shift"]) if 0 <= int(call["shift"]) <= 16 else 1
        call["pt1"], call["pt2"] = (x, y), (x + width - one, y + height - one)
        empty = width <= 0 or height <= 0
    if call["color"] is None:
        fail("rectangle", "color is missing")
    image, thickness, shift = canvas_argument(call, "rectangle")
    point_argument(call, "pt1", "rectangle")
    point_argument(call, "pt2", "rectangle")
    call["filled"], call["mask"] = thickness < 0, None
    if thickness > 1 or shift or empty:
        (x1, y1), (x2, y2) = known(call, "rectangle", "pt1", "pt2")
        canvas, corners = raster(image), [(x1, y1), (x2, y1), (x2, y2), (x1, y2)]
        if empty:
            pass
        elif thickness < 0:
            canvas.convex(corners, shift)
        else:
            canvas.curve(corners, True, thickness, shift)
        call["mask"], call["pt1"], call["pt2"] = canvas.mask, None, None


@implements(
    "cv2.rectangle",
    static=("filled",),
    **FACTS,
    signature=inspect.signature(lambda img, pt1, pt2=None, color=None, thickness=1, lineType=8, shift=0: None),
    prepare=_prepare_rectangle,
    examples=lambda: [Example((example_canvas(), (1, 0), (9, 3), 7.5), {"thickness": -1}, oracle=False, jit=False)],
)
def rectangle(img, pt1, pt2, color, filled, mask):
    """Draw a rectangle between two corners, filled with a negative `thickness`; see `line`.

    Also called as ``rectangle(img, (x, y, width, height), color=...)``.

    Examples
    --------
    >>> import numpy as np
    >>> from image import cv2
    >>> cv2.rectangle(np.zeros((3, 4), np.uint8), (1, 0), (3, 2), 1)
    array([[0, 1, 1, 1],
           [0, 1, 0, 1],
           [0, 1, 1, 1]], dtype=uint8)
    """
    if mask is not None:
        return masked(img, mask, color)
    low, high = jnp.minimum(pt1, pt2), jnp.maximum(pt1, pt2)
    x, y = jnp.arange(img.shape[1]), jnp.arange(img.shape[0])[:, None]
    inside = (x >= low[0]) & (x <= high[0]) & (y >= low[1]) & (y <= high[1])
    if not filled:
        inside = inside & ((x == low[0]) | (x == high[0]) | (y == low[1]) | (y == high[1]))
    return masked(img, inside, color)


def _prepare_circle(call):
    image, thickness, shift = canvas_argument(call, "circle", curved=True)
    point_argument(call, "center", "circle")
    if is_traced(call["radius"]):
        fail("circle", "radius decides what is drawn: give an int, not a JAX array")
    radius = call["radius"]
    if isinstance(radius, (float, np.floating)) or radius < 0:
        fail("circle", f"radius >= 0 does not hold: radius={radius!r}")
    if radius >= 1 << 15:
        raise HostRoute(Reason.OPTION, "a radius of 32768 or more")
    radius, call["filled"], call["mask"] = int(radius), thickness < 0, None
    if thickness > 1 or shift:  # OpenCV draws these as ellipses
        ((x, y),) = known(call, "circle", "center")
        canvas, up = raster(image), BITS - shift
        canvas.ellipse((x << up, y << up), (radius << up, radius << up), 0, 0, 360, thickness)
        call["mask"], call["shape"], call["center"] = canvas.mask, None, None
    elif call["filled"]:
        width = disc_widths(radius)  # of each row above or below the centre
        room = max(image.shape[:2])
        call["shape"] = np.pad(width, (0, (-len(width)) % room), constant_values=-1)
    else:
        half = octant(radius)
        aside = np.arange(len(half), dtype=np.int32)
        eight = [(s * a, t * b) for a, b in ((half, aside), (aside, half)) for s in (1, -1) for t in (1, -1)]
        offsets = np.concatenate([np.stack(p) for p in eight], axis=1).astype(np.int32)
        room = 1 << int(offsets.shape[1] - 1).bit_length()
        call["shape"] = np.pad(offsets, [(0, 0), (0, room - offsets.shape[1])], mode="edge")


@implements(
    "cv2.circle",
    static=("filled",),
    **FACTS,
    signature=inspect.signature(lambda img, center, radius, color, thickness=1, lineType=8, shift=0: None),
    prepare=_prepare_circle,
    examples=lambda: [Example((example_canvas(), (4, 2), 2, 7.5), oracle=False, jit=False)],
)
def circle(img, center, color, shape, filled, mask):
    """Draw a circle, filled with a negative `thickness`; see `line`.

    Parameters
    ----------
    center : (int, int)
        May be traced for a circle that is filled or one pixel wide; `radius` may not.
    radius : int

    Examples
    --------
    >>> import numpy as np
    >>> from image import cv2
    >>> cv2.circle(np.zeros((3, 3), np.uint8), (1, 1), 1, 1)
    array([[0, 1, 0],
           [1, 0, 1],
           [0, 1, 0]], dtype=uint8)
    """
    if mask is not None:
        return masked(img, mask, color)
    height, width = img.shape[:2]
    center = jnp.asarray(center).astype(np.int32)
    if not filled:
        x, y = center[:, None] + shape
        inside = (x >= 0) & (x < width) & (y >= 0) & (y < height)
        return painted(img, jnp.where(inside, y, height), jnp.where(inside, x, width), color)
    aside = jnp.abs(jnp.arange(width, dtype=np.int32) - center[0])
    row = jnp.abs(jnp.arange(height, dtype=np.int32) - center[1])
    reach = jnp.where(row < shape.shape[0], shape[jnp.minimum(row, shape.shape[0] - 1)], -1)
    inside = aside <= reach[:, None]
    return masked(img, inside, color)
