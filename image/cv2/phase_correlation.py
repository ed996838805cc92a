"""`phaseCorrelate`: the shift between two images from the phase of their spectra.

Reference: C. D. Kuglin, D. C. Hines, "The phase correlation image alignment method", IEEE Conf. Cybernetics and
Society, 1975.
"""

import inspect

import numpy as np
from jax import lax
from jax import numpy as jnp

from image.cv2._support import fail, image_argument
from image.cv2.spectra import optimal_size
from sci.bridge import Example, HostRoute, Reason, implements

_REACH = 2  # the peak's neighbourhood, 5 x 5


def _prepare(call):
    for name in ("src1", "src2", "window"):
        if name == "window" and call[name] is None:
            continue
        value = image_argument(call, "phaseCorrelate", name)
        if np.dtype(value.dtype) not in (np.float32, np.float64) or (value.ndim == 3 and value.shape[2] != 1):
            fail("phaseCorrelate", f"{name} is {value.dtype} {value.shape}: give float32 or float64 with one channel")
        if value.ndim == 1:
            raise HostRoute(Reason.SHAPE, f"{name} has one dimension")
        if value.ndim == 3:
            value = call[name] = value[..., 0]
        if value.shape != call["src1"].shape[:2] or value.dtype != call["src1"].dtype:
            fail("phaseCorrelate", f"{name} is {value.dtype} {value.shape}, src1 is {call['src1'].dtype} "
                 f"{call['src1'].shape}: they must agree")  # fmt: skip


def _finish(call, result):
    shift, response = result
    return (float(shift[0]), float(shift[1])), float(response)


def _signature(src1, src2, window=None):
    """OpenCV's signature, which Python cannot read from its C function."""


def _pair():
    image = np.random.default_rng(43).normal(size=(8, 10))
    return image, np.roll(image, (1, 2), (0, 1)) + 0.05 * np.random.default_rng(44).normal(size=(8, 10))


@implements(
    "cv2.phaseCorrelate",
    dtypes="keep",
    signature=inspect.signature(_signature),
    prepare=_prepare,
    finish=_finish,
    note="one-dimensional arrays",
    examples=lambda: [
        Example(
            _pair(), output=lambda r: [r[0][0], r[0][1], r[1]], rtol=1e-7, atol=1e-9, skip_odd=("nan", "inf", "1x1")
        )
    ],
)
def phaseCorrelate(src1, src2, window):
    """By how much `src2` is shifted against `src1`, to a fraction of a pixel: the centroid about the peak.

    Parameters
    ----------
    src1, src2 : float arrays (h, w)
    window : float array (h, w), optional
        Multiplied with both, as `createHanningWindow` makes it.

    Returns
    -------
    retval : (float, float)
        Shift in x and y.
    response : float
        Between 0 and 1, the share of the peak's neighbourhood.

    Raises
    ------
    cv2.error
        Arrays that are not floating point with one channel, or differ in shape or dtype.

    Examples
    --------
    >>> import numpy as np
    >>> from image import cv2
    >>> image = np.random.default_rng(0).normal(size=(16, 16))
    >>> (x, y), response = cv2.phaseCorrelate(image, np.roll(image, 3, axis=1))
    >>> round(x, 6), abs(round(y, 6)), round(response, 6)
    (3.0, 0.0, 1.0)
    """
    size = tuple(optimal_size(n) for n in src1.shape)
    if window is not None:
        src1, src2 = src1 * window, src2 * window
    cross = jnp.fft.rfft2(src1, s=size) * jnp.conj(jnp.fft.rfft2(src2, s=size))
    power = cross.real**2 + cross.imag**2
    magnitude = jnp.sqrt(jnp.where(power > 0, power, 1.0))
    phase = jnp.where(power > 0, cross / magnitude, 0.0)
    surface = jnp.fft.fftshift(jnp.fft.irfft2(phase, s=size))
    top = lax.stop_gradient(jnp.argmax(surface))
    at = jnp.stack([top // size[1], top % size[1]])
    wide = jnp.pad(surface, _REACH)
    near = lax.dynamic_slice(wide, at, (2 * _REACH + 1,) * 2)  # zero beyond the border: no weight
    total = near.sum()
    offset = jnp.arange(-_REACH, _REACH + 1)
    row = (near.sum(axis=1) * (at[0] + offset)).sum() / (total + float(np.finfo(np.float64).eps))
    column = (near.sum(axis=0) * (at[1] + offset)).sum() / (total + float(np.finfo(np.float64).eps))
    return jnp.stack([size[1] / 2 - column, size[0] / 2 - row]), total
