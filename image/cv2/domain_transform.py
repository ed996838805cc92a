"""Edge-aware filters by the domain transform: `edgePreservingFilter`, `detailEnhance`, `stylization`.

Reference: E. S. L. Gastal, M. M. Oliveira, "Domain transform for edge-aware image and video processing", ACM Trans.
Graphics 30(4), 2011: distances between neighbours are stretched where colours differ, and each of three turns
filters rows and columns in the stretched distance, recursively (section 4.3) or by the mean over a window (4.1).
"""

import inspect

import numpy as np
from jax import lax, vmap
from jax import numpy as jnp

from image.cv2 import colour_spaces as spaces
from image.cv2 import constants as c
from image.cv2._support import fail, image_argument, into_dst, saturate
from sci.bridge import Example, HostRoute, Reason, implements
from sci.bridge.worlds import is_traced
from sci.ndimage._kernels.separable import EVEN, ODD, correlate_axis

__all__ = ["detailEnhance", "edgePreservingFilter", "stylization"]

_TURNS = 3
_RECURSIVE, _WINDOW = c.RECURS_FILTER, c.NORMCONV_FILTER


def _prepare(function):
    def prepare(call):
        src = image_argument(call, function)
        if src.ndim < 3 or src.shape[2] == 1:
            raise HostRoute(Reason.SHAPE, f"src has shape {src.shape}")
        if src.shape[2] != 3:  # OpenCV writes beyond its memory
            fail(function, f"src must have 3 channels, it has {src.shape[2]}")
        if np.dtype(src.dtype) not in (np.uint8, np.float32):
            raise HostRoute(Reason.DTYPE, f"src is {src.dtype}")
        for name in ("sigma_s", "sigma_r"):
            if not is_traced(call[name]) and not 0 < float(call[name]) < np.inf:
                raise HostRoute(Reason.OPTION, f"{name}={call[name]}")
        if "flags" in call:
            call["kind"] = int(call["flags"])
            if call["kind"] not in (_RECURSIVE, _WINDOW):
                raise HostRoute(Reason.OPTION, f"flags={call['flags']}")

    return prepare


def _recursive(lines, stretched, sigma):
    """Forward and backward along the first axis of `lines` (n, m, channels), neighbours `stretched` (n, m) apart."""
    decay = jnp.exp(-np.float32(np.sqrt(2)) / sigma) ** stretched

    def step(before, here):
        sample, weight = here
        after = sample + (before - sample) * weight[:, None]
        return after, after

    lines = lax.scan(step, lines[0], (lines, decay))[1]
    return lax.scan(step, lines[-1], (lines, jnp.roll(decay, -1, axis=0)), reverse=True)[1]


def _windowed(lines, places, sigma):
    """Means along the first axis of `lines` (n, m, channels) over what lies near enough in `places` (n, m)."""
    radius = np.float32(np.sqrt(3)) * sigma

    def line(samples, place):
        first, last = jnp.searchsorted(place, place - radius), jnp.searchsorted(place, place + radius, side="right")
        sums = jnp.pad(jnp.cumsum(samples, axis=0), [(1, 0), (0, 0)])
        return (sums[last] - sums[first]) / (last - first).astype(samples.dtype)[:, None]

    return vmap(line, in_axes=1, out_axes=1)(lines, places)


def _filtered(guide, image, sigma_s, sigma_r, kind):
    """Filter `image` (h, w, channels) by the edges of `guide`, both in 0 to 1."""
    stretch = sigma_s / sigma_r

    def distances(guide):
        step = jnp.abs(jnp.diff(guide, axis=0)).sum(axis=2)
        return 1 + stretch * jnp.pad(step, [(1, 0), (0, 0)])

    across, down = distances(guide.swapaxes(0, 1)), distances(guide)
    if kind == _WINDOW:
        across, down = jnp.cumsum(across, axis=0), jnp.cumsum(down, axis=0)
    one_way = _recursive if kind == _RECURSIVE else _windowed
    # the deviations of the turns halve, and their squares add up to that of sigma_s
    sigmas = sigma_s * np.float32(np.sqrt(3 / (4**_TURNS - 1))) * 2.0 ** np.arange(_TURNS - 1, -1, -1, dtype=np.float32)

    def turn(x, sigma):
        x = one_way(x.swapaxes(0, 1), across, sigma).swapaxes(0, 1)
        return one_way(x, down, sigma), None

    return lax.scan(turn, image, sigmas)[0]


def _unit(src):
    return src.astype(np.float32) / np.float32(255)


def _sigmas(*values):
    return (jnp.asarray(value, np.float32) for value in values)


def _bytes(x):
    return saturate(x * 255, np.uint8)


def _photo():
    rng = np.random.default_rng(61)
    return (rng.integers(0, 2, (3, 4, 3)).repeat(3, 0).repeat(3, 1) * 180 + rng.integers(0, 40, (9, 12, 3))).astype(
        "u1"
    )


def _facts(function, signature, **more):
    return {
        "dtypes": "keep",
        "signature": inspect.signature(signature),
        "prepare": _prepare(function),
        "finish": into_dst,
        "grad": False,
        "note": "one channel, depths other than uint8 and float32, deviations that are not positive",
        **more,
    }


_ODD = ("nan", "inf", "0-d", "1x1", "one axis more", "one axis less")


@implements(
    "cv2.edgePreservingFilter",
    **_facts(
        "edgePreservingFilter",
        lambda src, dst=None, flags=1, sigma_s=60.0, sigma_r=0.4: None,
        static=("kind",),
        ignored=("flags",),
    ),
    examples=lambda: [
        Example((_photo(),), {"sigma_s": 20.0}, vmap=("src",), rtol=0, atol=1, skip_odd=_ODD),
        Example((_photo(),), {"flags": 2}, rtol=0, atol=1, skip_odd=_ODD),
    ],
)
def edgePreservingFilter(src, sigma_s, sigma_r, kind):
    """Smooth a picture but not across its edges.

    Parameters
    ----------
    src : uint8 or float32 array (h, w, 3)
        0 to 255.
    flags : int
        RECURS_FILTER or NORMCONV_FILTER.
    sigma_s : float
        Reach in pixels. Data, as `sigma_r`: another value does not compile again.
    sigma_r : float
        Difference of colour, of 1, that counts as an edge.

    Returns
    -------
    uint8 array (h, w, 3)

    Raises
    ------
    cv2.error
        Empty images, other numbers of channels.

    Examples
    --------
    >>> import numpy as np
    >>> from image import cv2
    >>> row = np.repeat(np.array([[10, 14, 10, 200, 204]], np.uint8)[..., None], 3, axis=2)
    >>> cv2.edgePreservingFilter(row, sigma_s=10, sigma_r=0.05)[..., 0]
    array([[ 11,  13,  11, 201, 203]], dtype=uint8)
    """
    x = _unit(src)
    return _bytes(_filtered(x, x, *_sigmas(sigma_s, sigma_r), kind))


@implements(
    "cv2.detailEnhance",
    **_facts("detailEnhance", lambda src, dst=None, sigma_s=10.0, sigma_r=0.15: None),
    examples=lambda: [Example((_photo(),), vmap=("src",), rtol=0, atol=1, skip_odd=_ODD)],
)
def detailEnhance(src, sigma_s, sigma_r):
    """Make the fine detail of a picture stronger: the lightness, less itself smoothed, times three.

    See `edgePreservingFilter` for the parameters.

    Returns
    -------
    uint8 array (h, w, 3)

    Raises
    ------
    cv2.error
        Empty images, other numbers of channels.

    Examples
    --------
    >>> import numpy as np
    >>> from image import cv2
    >>> row = np.repeat(np.array([[100, 104, 100]], np.uint8)[..., None], 3, axis=2)
    >>> cv2.detailEnhance(row)[..., 0]
    array([[ 99, 111,  99]], dtype=uint8)
    """
    x = _unit(src)
    lightness, a, b = spaces.rgb_to_lab(x[..., 2], x[..., 1], x[..., 0], True)
    lightness = lightness / 255
    base = _filtered(lightness[..., None], lightness[..., None], *_sigmas(sigma_s, sigma_r), _RECURSIVE)[..., 0]
    rgb = spaces.lab_to_rgb((base + 3 * (lightness - base)) * 255, a, b, True)
    return _bytes(jnp.stack(rgb[::-1], axis=-1))


@implements(
    "cv2.stylization",
    **_facts("stylization", lambda src, dst=None, sigma_s=60.0, sigma_r=0.45: None),
    examples=lambda: [Example((_photo(),), {"sigma_s": 20.0}, vmap=("src",), rtol=0, atol=1, skip_odd=_ODD)],
)
def stylization(src, sigma_s, sigma_r):
    """A picture as if drawn: smoothed within its edges, the edges darkened.

    See `edgePreservingFilter` for the parameters.

    Returns
    -------
    uint8 array (h, w, 3)

    Raises
    ------
    cv2.error
        Empty images, other numbers of channels.

    Examples
    --------
    >>> import numpy as np
    >>> from image import cv2
    >>> row = np.repeat(np.array([[10, 12, 10, 100, 102]], np.uint8)[..., None], 3, axis=2)
    >>> cv2.stylization(row, sigma_s=10, sigma_r=0.1)[..., 0]
    array([[ 11,  11,   0,   0, 101]], dtype=uint8)
    """
    x = _unit(src)
    smooth = _filtered(x, x, *_sigmas(sigma_s, sigma_r), _WINDOW)
    slope, mean = (jnp.asarray(k, np.float32) for k in ((-1, 0, 1), (1, 2, 1)))
    across = correlate_axis(correlate_axis(smooth, slope, 1, "mirror", symmetry=ODD), mean, 0, "mirror", symmetry=EVEN)
    down = correlate_axis(correlate_axis(smooth, mean, 1, "mirror", symmetry=EVEN), slope, 0, "mirror", symmetry=ODD)
    edges = jnp.sqrt(across * across + down * down).sum(axis=2, keepdims=True)
    return _bytes(smooth * (1 - edges))
