"""What the drawing functions share: the checks of their arguments, painting, and their facts."""

from typing import Any

import numpy as np
from jax import numpy as jnp

from image.cv2 import constants as c
from image.cv2._raster import BITS, Raster
from image.cv2._support import NATIVE, fail, image_argument, pair, saturate
from image.cv2.floods import scalar
from sci.bridge import HostRoute, Reason
from sci.bridge.worlds import is_jax, is_traced

_THICKEST = 32767

NOTE = (
    "LINE_4 and LINE_AA, depths other than uint8, uint16, int16, float32, float64; one-dimensional arrays; "
    "shapes of more than one thin line need points that are not traced"
)


def canvas_argument(call, function, thickness="thickness", shift="shift", kind="lineType", curved=False):
    """Check ``img``, the colour and the options that all shapes share; the image, thickness and shift.

    For OpenCV a lineType of 0 is LINE_8, but not for `curved` shapes and fractions of a pixel.
    """
    given = call["img"]
    image = image_argument(call, function, "img")
    if np.dtype(image.dtype) not in NATIVE:
        raise HostRoute(Reason.DTYPE, f"img is {image.dtype}")
    if image.ndim == 1:
        raise HostRoute(Reason.SHAPE, "img has one dimension")
    if image.ndim == 3 and image.shape[2] > 4:
        fail(function, f"cn <= 4 does not hold: img has {image.shape[2]} channels")
    if max(image.shape[:2]) >= 1 << 15:
        raise HostRoute(Reason.SHAPE, "an image with a side of 32768 or more")
    if isinstance(given, np.ndarray) and not given.flags.writeable:
        fail(function, "img is read-only: it is changed in place")
    call["target"] = given
    scalar(call, "color", function)
    width, bits = int(call[thickness]) if thickness else 1, int(call[shift]) if shift else 0
    if width > _THICKEST or not 0 <= bits <= BITS:
        fail(function, f"{thickness}={width} must be at most {_THICKEST}, {shift}={bits} between 0 and {BITS}")
    if int(call[kind]) not in ((c.LINE_8,) if curved or bits else (0, c.LINE_8)):
        raise HostRoute(Reason.OPTION, f"{kind}={call[kind]}")
    return image, width, bits


def point_argument(call, name, function):
    """Two integers, JAX's where they are."""
    value = call[name]
    if is_traced(value):
        call[name] = jnp.asarray(value).reshape(2).astype(np.int32)
        return
    if any(isinstance(v, (float, np.floating)) for v in np.asarray(value, object).ravel()):
        fail(function, f"{name} must be two integers, not {value!r}")
    call[name] = np.array(pair(value, function, name), np.int64)


def known(call, function, *names):
    """Points as tuples of ints, which decide what is drawn."""
    found = []
    for name in names:
        if is_traced(call[name]):
            fail(function, f"{name} decides which pixels are drawn: it must be known, not traced")
        found.append(tuple(int(v) for v in np.asarray(call[name])))
    return found


def curve_argument(curve, function):
    """Corners (n, 2) of one curve."""
    if is_jax(curve) and not is_traced(curve):
        curve = np.asarray(curve)
    if is_traced(curve):
        fail(function, "the corners decide which pixels are drawn: they must be known, not traced")
    if not isinstance(curve, np.ndarray) or curve.dtype != np.int32 or (curve.size and curve.shape[-1] != 2):
        fail(function, f"p.checkVector(2, CV_32S) does not hold: {getattr(curve, 'dtype', type(curve))}")
    return curve.reshape(-1, 2)


def raster(image):
    """An empty mask of the image's size."""
    return Raster(*image.shape[:2])


def clipped(first, second, shape, xp):
    """The part of a line inside the image, by OpenCV's truncated division; and whether there is any."""
    right, bottom = shape[1] - 1, shape[0] - 1
    (x1, y1), (x2, y2) = first, second

    def code(value, last):
        return xp.where(value < 0, 1, xp.where(value > last, 2, 0))

    def cut(a, b, to, other_a, other_b):
        """The other coordinate where the line crosses `to`."""
        wide = jnp.result_type(float) if xp is jnp else np.float64
        step = xp.where(b == a, 1, b - a)
        move = (to - a).astype(wide) * (other_b - other_a).astype(wide) / step.astype(wide)
        return other_a + xp.trunc(move).astype(other_a.dtype)

    apart = ((code(x1, right) & code(x2, right)) | (code(y1, bottom) & code(y2, bottom))) != 0
    for vertical in (True, False):
        for k in (0, 1):
            a, b, low, last = (y1, y2, x1, bottom) if vertical else (x1, x2, y1, right)
            other = x2 if vertical else y2
            here = b if k else a
            outside = code(here, last)
            to = xp.where(outside == 1, 0, last).astype(here.dtype)
            crossing = cut(b, a, to, other, low) if k else cut(a, b, to, low, other)
            moved = (outside != 0) & ~apart
            here, beside = xp.where(moved, to, here), xp.where(moved, crossing, other if k else low)
            if vertical:
                x1, y1, x2, y2 = (x1, y1, beside, here) if k else (beside, here, x2, y2)
            else:
                x1, y1, x2, y2 = (x1, y1, here, beside) if k else (here, beside, x2, y2)
        apart = apart | ((code(x1, right) & code(x2, right)) != 0)
    inside = ~apart & (code(x1, right) == 0) & (code(x2, right) == 0)
    inside = inside & (code(y1, bottom) == 0) & (code(y2, bottom) == 0)
    return xp.stack([x1, y1]), xp.stack([x2, y2]), inside


def line_places(first, second, shape):
    """Rows and columns of a line's pixels, as many as the longer side; off the image where there are fewer."""
    first, second, inside = clipped(first, second, shape, jnp)
    first, second = first.astype(np.int32), second.astype(np.int32)
    backwards = second[0] < first[0]
    start, end = jnp.where(backwards, second, first), jnp.where(backwards, first, second)
    extent = jnp.abs(end - start)
    steep = extent[1] > extent[0]
    major, minor = jnp.where(steep, extent[1], extent[0]), jnp.where(steep, extent[0], extent[1])
    n = jnp.arange(max(shape), dtype=np.int32)
    aside = jnp.maximum(2 * minor * n + major - 1, 0) // jnp.maximum(2 * major, 1)  # one point has no length
    down = jnp.where(end[1] < start[1], -1, 1)
    x = start[0] + jnp.where(steep, aside, n)
    y = start[1] + down * jnp.where(steep, n, aside)
    valid = inside & (n <= major)
    return jnp.where(valid, y, shape[0]), jnp.where(valid, x, shape[1])


def painted(img, rows, columns, color):
    """The image with pixels in a colour."""
    colour = saturate(color[: img.shape[2] if img.ndim == 3 else 1], img.dtype)
    return img.at[rows, columns].set(colour if img.ndim == 3 else colour[0], mode="drop")


def masked(img, mask, color):
    """The image with all pixels of a mask in a colour."""
    colour = saturate(color[: img.shape[2] if img.ndim == 3 else 1], img.dtype)
    return jnp.where(mask[..., None], colour, img) if img.ndim == 3 else jnp.where(mask, colour[0], img)


def _in_place(call, result):
    target = call["target"]
    if isinstance(target, np.ndarray):
        target[...] = result.reshape(target.shape)
        return target
    return result


FACTS: dict[str, Any] = {"dtypes": "keep", "finish": _in_place, "note": NOTE}


def example_canvas():
    # a tuple, which is not changed in place: the contract does not know arguments that change
    return tuple(tuple(float(v) for v in row) for row in np.arange(40.0).reshape(5, 8))
