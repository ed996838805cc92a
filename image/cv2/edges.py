"""Edges: `Canny`, `spatialGradient`."""

import inspect

import numpy as np
from jax import numpy as jnp

from image.cv2 import constants as c
from image.cv2._support import fail, image_argument, into_dst
from image.cv2.derivatives import sobel_kernel
from sci.bridge import Example, HostRoute, Reason, implements
from sci.bridge.worlds import is_jax, is_traced
from sci.ndimage._kernels.borders import pad_axis
from sci.ndimage._kernels.flood import flood
from sci.ndimage._kernels.separable import correlate_axis, symmetry_of

__all__ = ["Canny", "spatialGradient"]

_TAN_22 = 13573  # tan(22.5 degrees) in multiples of 2^-15


def _sobel(x, order_x, order_y, size, mode):
    """A Sobel derivative of an integer image, exact in float32 up to 7 x 7 taps."""
    x = x.astype(np.float32)
    for axis, order in ((1, order_x), (0, order_y)):
        kernel = sobel_kernel(order, size)
        x = correlate_axis(x, kernel, axis, mode, symmetry=symmetry_of(kernel))
    return x


def _levels(low, high, aperture, l2, xp):
    """The two thresholds as integers of the magnitude's scale, ordered."""
    low, high = xp.minimum(low, high), xp.maximum(low, high)
    if aperture == 7:
        low, high = low / 16.0, high / 16.0
    if l2:
        low, high = (xp.minimum(t, 32767.0) for t in (low, high))
        low, high = (xp.where(t > 0, t * t, t) for t in (low, high))
    largest = float(2**31 - 128)  # a float32 that fits int32
    return xp.stack([xp.floor(xp.clip(t, -largest, largest)).astype(np.int32) for t in (low, high)])


def _is_array(value):
    return (isinstance(value, np.ndarray) or is_jax(value)) and np.ndim(value) >= 2


def _prepare_canny(call):
    l2 = call["l2"] = bool(call["L2gradient"])
    if _is_array(call["threshold1"]):  # Canny(dx, dy, threshold1, threshold2[, edges[, L2gradient]])
        dx, dy, low, high = (call[k] for k in ("image", "threshold1", "threshold2", "edges"))
        call["edges"] = call["apertureSize"] if isinstance(call["apertureSize"], np.ndarray) else None
        aperture = 0
        for name, value in (("dx", dx), ("dy", dy)):
            value = image_argument(call, "Canny", "image" if name == "dx" else "threshold1")
            if np.dtype(value.dtype) != np.int16:
                fail("Canny", f"dx.type() == CV_16SC1 || dx.type() == CV_16SC3 does not hold: {name} is {value.dtype}")
        if np.shape(dx) != np.shape(dy):
            fail("Canny", f"dx and dy must agree: shapes {np.shape(dx)} and {np.shape(dy)}")
        call["sources"] = (dx, dy)
    else:
        image = image_argument(call, "Canny", "image")
        aperture, low, high = int(call["apertureSize"]), call["threshold1"], call["threshold2"]
        if np.dtype(image.dtype) != np.uint8:
            fail("Canny", f"_src.depth() == CV_8U does not hold: image is {image.dtype}")
        if aperture not in (3, 5, 7):
            fail("Canny", f"Aperture size should be odd between 3 and 7: apertureSize={aperture}")
        call["sources"] = (image,)
    if call["sources"][0].ndim == 1:
        raise HostRoute(Reason.SHAPE, "image has one dimension")
    if high is None:
        fail("Canny", "threshold2 is missing")
    call["aperture"] = aperture
    if is_traced(low) or is_traced(high):
        call["levels"] = _levels(jnp.asarray(low, float), jnp.asarray(high, float), aperture, l2, jnp)
        return
    low, high = float(low), float(high)
    if np.isnan(low) or np.isnan(high):
        fail("Canny", f"thresholds must be numbers: threshold1={low}, threshold2={high}")
    call["levels"] = _levels(np.float64(low), np.float64(high), aperture, l2, np)


def _photo():
    x = np.random.default_rng(23).integers(0, 256, (6, 5)).astype(np.uint8)
    return np.kron(x, np.ones((3, 4), np.uint8))


@implements(
    "cv2.Canny",
    static=("aperture", "l2"),
    trees=("sources",),
    dtypes="keep",
    signature=inspect.signature(
        lambda image, threshold1, threshold2, edges=None, apertureSize=3, L2gradient=False: None
    ),
    prepare=_prepare_canny,
    finish=lambda call, result: into_dst(call, result, "edges"),
    grad=False,
    note="one-dimensional arrays",
    examples=lambda: [
        Example((_photo(), 300, 500), vmap=("image",), rtol=0, atol=0),
        Example((_photo(), 90.5, 240), {"apertureSize": 5, "L2gradient": True}, rtol=0, atol=0),
    ],
)
def Canny(sources, levels, aperture, l2):
    """Edges by Canny's method: Sobel derivatives, thinning across the edge, hysteresis of two thresholds. Exact.

    Also called as ``Canny(dx, dy, threshold1, threshold2[, edges[, L2gradient]])`` with derivatives of one's own.

    Parameters
    ----------
    image : uint8 array, (h, w) or (h, w, channels)
        Of several channels each pixel takes the one of the largest gradient.
    threshold1, threshold2 : float
        Data, not compiled in; the smaller one links, the larger one starts edges.
    apertureSize : int
        3, 5 or 7: size of the Sobel kernels.
    L2gradient : bool
        Magnitude ``sqrt(dx^2 + dy^2)`` instead of ``|dx| + |dy|``.
    dx, dy : int16 arrays

    Returns
    -------
    uint8 array, (h, w)
        255 on edges, else 0.

    Raises
    ------
    cv2.error
        Images that are not uint8 (derivatives: int16), derivatives of different shapes, other apertures, NaN as a
        threshold.

    References
    ----------
    J. Canny, "A computational approach to edge detection", IEEE Trans. PAMI 8(6), 1986. Hysteresis keeps the
    connected components of weak pixels that hold a strong one: one labelling, no stack.

    Examples
    --------
    >>> import numpy as np
    >>> from image import cv2
    >>> step = np.repeat([[0, 0, 0, 200, 200, 200]], 3, axis=0).astype(np.uint8)
    >>> cv2.Canny(step, 100, 200)[1]
    array([  0,   0, 255,   0,   0,   0], dtype=uint8)
    """
    if aperture:
        scale = np.float32(1 / 16 if aperture == 7 else 1)
        image = sources[0]
        dx, dy = (
            jnp.clip(jnp.round(_sobel(image, *order, aperture, "nearest") * scale), -32768, 32767)
            for order in ((1, 0), (0, 1))
        )
    else:
        dx, dy = sources
    dx, dy = dx.astype(np.int32), dy.astype(np.int32)
    magnitude = dx * dx + dy * dy if l2 else jnp.abs(dx) + jnp.abs(dy)
    if magnitude.ndim == 3:
        strongest = jnp.argmax(magnitude, axis=2, keepdims=True)
        dx, dy, magnitude = (jnp.take_along_axis(k, strongest, axis=2)[..., 0] for k in (dx, dy, magnitude))
    height, width = magnitude.shape
    around = pad_axis(pad_axis(magnitude, 0, 1, 1, "constant"), 1, 1, 1, "constant")

    def at(i, j):
        return around[1 + i : 1 + i + height, 1 + j : 1 + j + width]

    # sectors of 45 degrees, in integers: tan(22.5) x < y < tan(67.5) x lies on a diagonal; 32 bits hold all of it
    # for derivatives below 2^15 as unsigned
    x, y = jnp.abs(dx).astype(np.uint32), jnp.abs(dy).astype(np.uint32) << 15
    flat, steep = x * np.uint32(_TAN_22), x * np.uint32(_TAN_22) + (x << 16)
    horizontal, vertical = y < flat, y > steep
    falling = (dx ^ dy) < 0
    along = magnitude
    keep = jnp.where(
        horizontal,
        (along > at(0, -1)) & (along >= at(0, 1)),
        jnp.where(
            vertical,
            (along > at(-1, 0)) & (along >= at(1, 0)),
            jnp.where(falling, (along > at(-1, 1)) & (along > at(1, -1)), (along > at(-1, -1)) & (along > at(1, 1))),
        ),
    )
    weak = keep & (magnitude > levels[0])
    strong = weak & (magnitude > levels[1])
    edges = flood(strong, weak, np.ones((3, 3), bool), (0, 0), np.zeros((), bool))
    return jnp.where(edges, np.uint8(255), np.uint8(0))


def _prepare_gradient(call):
    src = image_argument(call, "spatialGradient")
    if np.dtype(src.dtype) != np.uint8 or (src.ndim == 3 and src.shape[2] != 1):
        fail("spatialGradient", f"src.type() == CV_8UC1 does not hold: src is {src.dtype} of shape {src.shape}")
    if int(call["ksize"]) != 3:
        fail("spatialGradient", f"ksize == 3 does not hold: ksize={call['ksize']}")
    mode = {c.BORDER_DEFAULT: "mirror", c.BORDER_REPLICATE: "nearest"}.get(int(call["borderType"]))
    if mode is None:
        fail(
            "spatialGradient",
            f"borderType == BORDER_DEFAULT || borderType == BORDER_REPLICATE does not hold: {call['borderType']}",
        )
    call["mode"] = mode
    if src.ndim == 1:
        raise HostRoute(Reason.SHAPE, "src has one dimension")


@implements(
    "cv2.spatialGradient",
    static=("mode",),
    dtypes="keep",
    signature=inspect.signature(lambda src, dx=None, dy=None, ksize=3, borderType=4: None),
    prepare=_prepare_gradient,
    finish=lambda call, result: (into_dst(call, result[0], "dx"), into_dst(call, result[1], "dy")),
    grad=False,
    note="one-dimensional arrays",
    examples=lambda: [Example((_photo(),), vmap=("src",), rtol=0, atol=0)],
)
def spatialGradient(src, mode):
    """Both first Sobel derivatives (3 x 3) of a uint8 image of one channel, as int16.

    Returns
    -------
    dx, dy : int16 arrays, (h, w)

    Raises
    ------
    cv2.error
        Images that are not uint8 of one channel, `ksize` other than 3, borders other than BORDER_DEFAULT and
        BORDER_REPLICATE.

    Examples
    --------
    >>> import numpy as np
    >>> from image import cv2
    >>> cv2.spatialGradient(np.array([[0, 1, 4]], np.uint8))[0]
    array([[ 0, 16,  0]], dtype=int16)
    """
    x = src.reshape(src.shape[:2])
    return tuple(_sobel(x, *order, 3, mode).astype(np.int16) for order in ((1, 0), (0, 1)))
