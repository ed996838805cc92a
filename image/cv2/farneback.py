"""Dense optical flow: `calcOpticalFlowFarneback`.

Reference: G. Farneback, "Two-frame motion estimation based on polynomial expansion", SCIA 2003. Weights, borders and
the order of the pyramid are OpenCV's.
"""

import inspect

import numpy as np
from jax import lax
from jax import numpy as jnp

from image.cv2 import constants as c
from image.cv2._support import fail, image_argument, into_dst
from image.cv2.geometry import resize
from image.cv2.smoothing import GaussianBlur
from sci.bridge import Example, HostRoute, Reason, implements
from sci.bridge.worlds import is_jax
from sci.ndimage._kernels.separable import EVEN, box_axis, correlate_axis

__all__ = ["calcOpticalFlowFarneback"]

_LEAST_SIDE = 32  # of the coarsest level
_EDGE = np.array([0.14, 0.14, 0.4472, 0.4472, 0.4472], np.float32)  # trust in samples near the border


def _expansion_weights(n, sigma):
    """Weights (3, 2 n + 1) of the moments 1, x, x^2 under a Gaussian, and the entries of the inverse metric."""
    sigma = n * 0.3 if sigma < np.finfo(np.float32).eps else sigma
    x = np.arange(-n, n + 1)
    g = np.exp(-(x**2) / (2 * sigma**2)).astype(np.float32)
    g = (g * np.float32(1 / g.sum(dtype=float))).astype(float)
    second, fourth = (g * x**2).sum() * g.sum(), (g * x**4).sum() * g.sum()
    mixed = (g * x**2).sum() ** 2
    # of the basis 1, x, y, x^2, y^2, xy
    metric = np.diag([g.sum() ** 2, second, second, fourth, fourth, mixed])
    metric[0, 3:5] = metric[3:5, 0] = second
    metric[3, 4] = metric[4, 3] = mixed
    inverse = np.linalg.inv(metric)
    entries = [inverse[1, 1], inverse[0, 3], inverse[3, 3], inverse[5, 5]]
    return np.stack([g, g * x, g * x * x]).astype(np.float32), np.array(entries, np.float32)


def _levels(shape, scale, most):
    """(height, width) and scale of each level, the finest first."""
    found = [(tuple(shape), 1.0)]
    factor = 1.0
    for _ in range(most):
        factor *= scale
        if min(shape) * factor < _LEAST_SIDE:
            break
        found.append((tuple(int(np.rint(n * factor)) for n in shape), factor))
    return tuple(found)


def _prepare(call):
    function = "calcOpticalFlowFarneback"
    images = [image_argument(call, function, name) for name in ("prev", "next")]
    for name, image in zip(("prev", "next"), images, strict=True):
        if image.ndim == 1:
            raise HostRoute(Reason.SHAPE, f"{name} has one dimension")
        if image.ndim == 3 and image.shape[2] != 1:
            fail(function, f"prev0.channels() == 1 does not hold: {name} has shape {image.shape}")
        if np.dtype(image.dtype) not in (np.uint8, np.uint16, np.int16, np.float32, np.float64):
            raise HostRoute(Reason.DTYPE, f"{name} is {image.dtype}")
        call[name] = image.reshape(image.shape[:2])
    if images[0].shape[:2] != images[1].shape[:2]:
        fail(function, f"prev0.size() == next0.size() does not hold: {images[0].shape} and {images[1].shape}")
    scale, sigma = float(call["pyr_scale"]), float(call["poly_sigma"])
    if not 0 < scale < 1:
        fail(function, f"pyr_scale={scale} must lie between 0 and 1")
    window, n, count, most = (int(call[k]) for k in ("winsize", "poly_n", "iterations", "levels"))
    if window < 2 or n < 1 or count < 0 or most < 0:
        fail(function, f"winsize={window}, poly_n={n}, iterations={count}, levels={most} must be positive")
    flags = int(call["flags"])
    shape = images[0].shape[:2]
    call["plan"] = _levels(shape, scale, most)
    call["half"], call["size"], call["count"] = window // 2, window, count
    call["gaussian"], call["given"] = (
        bool(flags & c.OPTFLOW_FARNEBACK_GAUSSIAN),
        bool(flags & c.OPTFLOW_USE_INITIAL_FLOW),
    )
    call["weights"], call["metric"] = _expansion_weights(n, sigma)
    flow = call["flow"]
    if call["given"]:
        if (not isinstance(flow, np.ndarray) and not is_jax(flow)) or np.shape(flow) != (*shape, 2):
            fail(function, f"flow must be an array of shape {(*shape, 2)} with OPTFLOW_USE_INITIAL_FLOW")
        call["start"] = flow
    else:
        call["start"] = None


def _moments(x, weights, axis):
    """``out[k] = sum_i weights[k, i] x[k, ... + i]``, the edge repeated: all planes in one loop."""
    n = weights.shape[1] // 2
    pad = [(0, 0)] * x.ndim
    pad[axis] = (n, n)
    padded = lax.optimization_barrier(jnp.pad(x, pad, mode="edge"))
    length, total = x.shape[axis], None
    factors = weights.reshape(*weights.shape, *[1] * (x.ndim - 1))
    for i in range(2 * n + 1):
        term = factors[:, i] * lax.slice_in_dim(padded, i, i + length, axis=axis)
        total = term if total is None else total + term
    return lax.optimization_barrier(total)


def _expansion(images, weights, metric):
    """Coefficients (y, x, yy, xx, xy) of the local parabolas of two images: (2, h, w, 5)."""
    rows = _moments(images[None], weights, 2)  # 1, y, y^2
    planes, kinds = np.array([0, 0, 0, 1, 2, 1]), np.array([0, 1, 2, 0, 0, 1])
    one, x, xx, y, yy, xy = _moments(rows[planes], weights[kinds], 3)
    flat = one * metric[1]
    return jnp.stack(
        [y * metric[0], x * metric[0], flat + yy * metric[2], flat + xx * metric[2], xy * metric[3]], axis=-1
    )


def _trust(n):
    """Weight of each sample along an axis, lower near its ends."""
    weights = np.ones(n, np.float32)
    k = min(n, len(_EDGE))
    weights[:k] *= _EDGE[:k]
    weights[n - k :] *= _EDGE[:k][::-1]
    return weights


def _equations(first, second, flow):
    """The five entries of the normal equations of the displacement at every pixel, (5, h, w)."""
    height, width = flow.shape[:2]
    dx, dy = flow[..., 0], flow[..., 1]
    fx, fy = jnp.arange(width, dtype=flow.dtype) + dx, jnp.arange(height, dtype=flow.dtype)[:, None] + dy
    x, y = jnp.floor(fx), jnp.floor(fy)
    inside = (x >= 0) & (x < width - 1) & (y >= 0) & (y < height - 1)
    a, b = (fx - x)[..., None], (fy - y)[..., None]
    left, top = (jnp.where(inside, k, 0).astype(np.int32) for k in (x, y))
    table = second.reshape(-1, 5)
    place = top * width + left
    # where the image has one row or column only, nothing is inside
    at = [table.at[jnp.minimum(place + k, height * width - 1)].get(mode="promise_in_bounds") for k in (0, 1, width)]
    last = table.at[jnp.minimum(place + width + 1, height * width - 1)].get(mode="promise_in_bounds")
    there = (1 - b) * ((1 - a) * at[0] + a * at[1]) + b * ((1 - a) * at[2] + a * last)
    inside = inside[..., None]
    there = jnp.where(inside, there, jnp.concatenate([jnp.zeros_like(first[..., :2]), first[..., 2:]], axis=-1))
    slope = (first[..., :2] - there[..., :2]) * 0.5
    yy, xx = ((first[..., k] + there[..., k]) * 0.5 for k in (2, 3))
    xy = (first[..., 4] + there[..., 4]) * 0.25
    ry, rx = slope[..., 0] + yy * dy + xy * dx, slope[..., 1] + xy * dy + xx * dx
    trust = _trust(height)[:, None] * _trust(width)
    ry, rx, yy, xx, xy = (k * trust for k in (ry, rx, yy, xx, xy))
    return jnp.stack([yy * yy + xy * xy, (yy + xx) * xy, xx * xx + xy * xy, yy * ry + xy * rx, xy * ry + xx * rx])


def _averaged(m, half, size, gaussian):
    if gaussian:
        k = np.arange(-half, half + 1)
        weights = np.exp(-(k**2) / (2 * (half * 0.3) ** 2)) if half else np.ones(1)
        weights = jnp.asarray((weights / weights.sum()).astype(np.float32))
        for axis in (1, 2):
            m = correlate_axis(m, weights, axis, "nearest", symmetry=EVEN)
        return m
    for axis in (1, 2):
        m = box_axis(m, 2 * half + 1, axis, "nearest")
    return m / (size * size)


def _better(first, second, flow, half, size, gaussian):
    g11, g12, g22, h1, h2 = _averaged(_equations(first, second, flow), half, size, gaussian)
    scale = 1 / (g11 * g22 - g12 * g12 + 1e-3)
    return jnp.stack([(g11 * h2 - g12 * h1) * scale, (g22 * h1 - g12 * h2) * scale], axis=-1)


def _signature(prev, next, flow, pyr_scale, levels, winsize, iterations, poly_n, poly_sigma, flags):
    """OpenCV's signature, which Python cannot read from its C function."""


def _pair():
    y, x = np.mgrid[:24, :26]
    return tuple((127 + 90 * np.sin((x + d) / 3.0) * np.cos(y / 4.0)).astype(np.uint8) for d in (0, 0.7))


@implements(
    "cv2.calcOpticalFlowFarneback",
    static=("plan", "half", "size", "count", "gaussian", "given"),
    dtypes="keep",
    signature=inspect.signature(_signature),
    prepare=_prepare,
    finish=lambda call, result: into_dst(call, result, "flow"),
    note="one-dimensional arrays; depths other than uint8, uint16, int16, float32, float64",
    examples=lambda: [
        Example((*_pair(), None, 0.5, 1, 7, 2, 5, 1.1, 0), rtol=1e-3, atol=1e-3, vmap=("prev", "next"),
                skip_odd=("nan", "inf", "0-d", "1x1", "one axis more")),
    ],
)  # fmt: skip
def calcOpticalFlowFarneback(prev, next, start, weights, metric, plan, half, size, count, gaussian, given):
    """Displacement of every pixel between two images, from polynomials fitted to neighbourhoods, on a pyramid.

    In single precision. Differentiable for images of floating point numbers.

    Parameters
    ----------
    prev, next : arrays (h, w)
    flow : float32 array (h, w, 2) or None
        With OPTFLOW_USE_INITIAL_FLOW the start; filled with the result where it fits.
    pyr_scale : float
        Between 0 and 1, of one level to the one below.
    levels : int
        Above the image itself; fewer where a side would be shorter than 32.
    winsize : int
        Side of the averaging window.
    iterations : int
        On each level.
    poly_n : int
        Half the side of the neighbourhoods.
    poly_sigma : float
        Of their Gaussian weights.
    flags : int
        OPTFLOW_USE_INITIAL_FLOW, OPTFLOW_FARNEBACK_GAUSSIAN.

    Returns
    -------
    float32 array (h, w, 2)
        Displacements in x and y, in pixels.

    Raises
    ------
    cv2.error
        Images of different shapes or several channels, a scale out of range, a start of another shape.

    Examples
    --------
    >>> import numpy as np
    >>> from image import cv2
    >>> y, x = np.mgrid[:40, :40]
    >>> a, b = (np.uint8(127 + 80 * np.sin((x - d) / 4) * np.sin(y / 4)) for d in (0, 1))
    >>> cv2.calcOpticalFlowFarneback(a, b, None, 0.5, 0, 9, 3, 5, 1.1, 0)[20, 20].round(1) + 0.0
    array([1., 0.], dtype=float32)
    """
    images = jnp.stack([prev, next]).astype(np.float32)
    coarse, flow = None, None
    for shape, factor in reversed(plan):
        sigma = (1 / factor - 1) * 0.5
        taps = max(int(np.rint(sigma * 5)) | 1, 3)
        # the two images as two channels
        both = GaussianBlur(jnp.moveaxis(images, 0, -1), (taps, taps), sigma, sigmaY=sigma)
        if shape != images.shape[1:]:
            both = resize(both, shape[::-1], interpolation=c.INTER_LINEAR)
        if flow is None:
            if given:
                flow = resize(start.astype(np.float32), shape[::-1], interpolation=c.INTER_AREA) * np.float32(factor)
            else:
                flow = jnp.zeros((*shape, 2), np.float32)
        else:
            flow = resize(flow, shape[::-1], interpolation=c.INTER_LINEAR) * np.float32(coarse)
        first, second = _expansion(jnp.moveaxis(both, -1, 0), weights, metric)

        def improve(_, flow, first=first, second=second):
            return _better(first, second, flow, half, size, gaussian)

        flow = lax.fori_loop(0, count, improve, flow)
        coarse = plan[0][1] / plan[1][1] if len(plan) > 1 else 1.0
    return flow
