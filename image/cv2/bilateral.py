"""`bilateralFilter`."""

import inspect

import numpy as np
from jax import lax
from jax import numpy as jnp

from image.cv2._support import border, fail, image_argument, into_dst, planes, saturate, unsupported
from sci.bridge import Example, implements
from sci.bridge.worlds import is_traced
from sci.ndimage._kernels.planes import extend_plane

__all__ = ["bilateralFilter"]

_UNROLL = 25


def _prepare(call):
    function = "bilateralFilter"
    src = image_argument(call, function)
    channels = src.shape[2] if src.ndim == 3 else 1
    if np.dtype(src.dtype) not in (np.uint8, np.float32) and call.numpy:
        fail(function, f"Bilateral filtering is only implemented for 8u and 32f images: src is {src.dtype}")
    if np.dtype(src.dtype).kind in "iub" and src.dtype != np.uint8:
        fail(function, f"Bilateral filtering is only implemented for 8u and float images: src is {src.dtype}")
    if channels not in (1, 3):
        fail(function, f"src must have 1 or 3 channels, it has {channels}")
    call["mode"] = border(call, function)
    colour, space = call["sigmaColor"], call["sigmaSpace"]
    if not is_traced(colour):
        colour = 1.0 if float(colour) <= 0 else float(colour)
    if not is_traced(space):
        space = 1.0 if float(space) <= 0 else float(space)
    d = int(call["d"])
    if d <= 0 and is_traced(space):
        fail(function, f"d={d} leaves the size to sigmaSpace, which is traced: give d")
    radius = max(int(np.rint(space * 1.5)) if d <= 0 else d // 2, 1)
    if radius > 512:
        fail(function, f"the window would have a radius of {radius} pixels: d={d}, sigmaSpace={space}")
    call["radius"], call["sigmas"] = radius, (colour, space)


def _photo(channels=3):
    return np.random.default_rng(25).integers(0, 256, (8, 9, channels), dtype=np.uint8)


@implements(
    "cv2.bilateralFilter",
    static=("radius", "mode"),
    trees=("sigmas",),
    dtypes="keep",
    signature=inspect.signature(lambda src, d, sigmaColor, sigmaSpace, dst=None, borderType=4: None),
    prepare=_prepare,
    supports=unsupported,
    finish=into_dst,
    note="one-dimensional arrays",
    examples=lambda: [
        Example((_photo(), 3, 40.0, 2.0), rtol=0, atol=1),
        Example(
            ((_photo(1)[..., 0] / 255.0).astype(np.float32), 5, 0.3, 1.5),
            vmap=("src",),
            rtol=1e-5,
            atol=1e-6,
            skip_odd=("nan", "inf"),
        ),
    ],
)
def bilateralFilter(src, sigmas, radius, mode):
    """Mean over a disc, weighted by distance in space and in colour: smooths and keeps edges.

    Differentiable for floating point images, in both deviations too.

    Parameters
    ----------
    src : uint8 or float32 array, (h, w) or (h, w, 3)
        In the JAX world also float64.
    d : int
        Diameter; not positive: three deviations in space.
    sigmaColor, sigmaSpace : float
        Deviations of the two Gaussians; data, not compiled in. Colours differ by the sum over the channels.

    Raises
    ------
    cv2.error
        Empty images, other depths or channels, unknown borders.

    References
    ----------
    C. Tomasi, R. Manduchi, "Bilateral filtering for gray and color images", ICCV 1998.

    Examples
    --------
    >>> import numpy as np
    >>> from image import cv2
    >>> cv2.bilateralFilter(np.array([[10, 12, 10, 200, 202]], np.uint8), 3, 10, 10)
    array([[ 11,  11,  10, 200, 201]], dtype=uint8)
    """
    acc = src.dtype if src.dtype.kind == "f" else np.dtype(np.float32)
    x = src.astype(acc)
    across, down = np.mgrid[-radius : radius + 1, -radius : radius + 1][::-1]
    square = across**2 + down**2
    offsets = np.argwhere(square <= radius * radius).astype(np.int32)
    colour, space = (jnp.asarray(s, acc) for s in sigmas)
    near = jnp.exp(jnp.asarray(-0.5 * square[square <= radius * radius], acc) / (space * space))
    factor = -0.5 / (colour * colour)
    padded = extend_plane(x, (radius, radius), (radius, radius), mode)

    def add(total, weight_sum, offset, weight):
        window = lax.dynamic_slice(padded, (offset[0], offset[1], *([np.int32(0)] * (x.ndim - 2))), x.shape)
        difference = jnp.abs(window - x)
        if x.ndim == 3:
            difference = difference.sum(axis=2)
        w = weight * jnp.exp(factor * difference * difference)
        return total + window * (w[..., None] if x.ndim == 3 else w), weight_sum + w

    total, weight_sum = jnp.zeros_like(x), jnp.zeros(x.shape[:2], acc)
    if len(offsets) <= _UNROLL:
        for k, offset in enumerate(offsets):
            total, weight_sum = add(total, weight_sum, offset, near[k])
    else:
        steps = (jnp.asarray(offsets), near)
        total, weight_sum = lax.scan(lambda t, s: (add(*t, *s), None), (total, weight_sum), steps)[0]
    return planes(saturate(total / (weight_sum[..., None] if x.ndim == 3 else weight_sum), src.dtype))
