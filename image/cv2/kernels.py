"""Filter kernels: `getGaussianKernel`, `getDerivKernels`, `getGaborKernel` (`getStructuringElement`: morphology.py)."""

import inspect

import numpy as np
from jax import numpy as jnp

from image.cv2 import constants as c
from image.cv2._support import DEPTHS, fail, pair
from image.cv2.derivatives import derivative_kernels
from image.cv2.smoothing import gaussian_kernel
from sci.bridge import Example, implements
from sci.bridge.worlds import is_traced

__all__ = ["getDerivKernels", "getGaborKernel", "getGaussianKernel"]


def _kernel_dtype(call, function):
    """The dtype for ``ktype``."""
    if int(call["ktype"]) not in (c.CV_32F, c.CV_64F):
        fail(function, f"ktype == CV_32F || ktype == CV_64F does not hold: ktype={call['ktype']}")
    call["output"] = DEPTHS[int(call["ktype"])]


def _cast(x, dtype):
    """`x` as `dtype`, as far as the precision in force has it."""
    return jnp.asarray(x, dtype if dtype == np.float32 else jnp.result_type(float))


def _prepare_gaussian(call):
    size = call["ksize"] = int(call["ksize"])
    if size <= 0:
        fail("getGaussianKernel", f"n > 0 does not hold: ksize={size}")
    _kernel_dtype(call, "getGaussianKernel")
    if not is_traced(call["sigma"]):
        call["weights"] = gaussian_kernel(size, max(float(call["sigma"]), 0.0))
        return
    x = np.arange(size) - (size - 1) * 0.5  # a traced sigma is taken to be positive
    weights = jnp.exp(-0.5 / (call["sigma"] * call["sigma"]) * x * x)
    if size % 2 == 0:
        weights = weights.at[size // 2 - 1 : size // 2 + 1].set(1.0)
    call["weights"] = weights / weights.sum()


@implements(
    "cv2.getGaussianKernel",
    static=("output",),
    dtypes="keep",
    signature=inspect.signature(lambda ksize, sigma, ktype=6: None),
    prepare=_prepare_gaussian,
    vmap=False,
    examples=lambda: [Example((5, 1.3), grad=("sigma",)), Example((4, -1.0, c.CV_32F), rtol=1e-6)],
)
def getGaussianKernel(weights, output):
    """Samples of a Gaussian of sum 1, as a column.

    Parameters
    ----------
    ksize : int
        Number of samples.
    sigma : float
        Standard deviation in samples; not positive: ``0.3 * ((ksize - 1) / 2 - 1) + 0.8``, and fixed tables up to 9.
        Differentiable; traced it must be positive.
    ktype : int
        CV_32F or CV_64F.

    Returns
    -------
    array, (ksize, 1)

    Raises
    ------
    cv2.error
        `ksize` that is not positive, other types.

    Examples
    --------
    >>> from image import cv2
    >>> cv2.getGaussianKernel(3, 0).ravel()
    array([0.25, 0.5 , 0.25])
    """
    return _cast(weights.reshape(-1, 1), output)


def _prepare_derivatives(call):
    dx, dy, size = int(call["dx"]), int(call["dy"]), int(call["ksize"])
    _kernel_dtype(call, "getDerivKernels")
    kernels = derivative_kernels(dx, dy, size, "getDerivKernels")
    if call["normalize"]:
        if size <= 0:
            kernels = tuple(k / (32.0 if k[0] > 0 else 1.0) for k in kernels)
        else:
            # the sum of the binomial part
            kernels = tuple(k / 2.0 ** (k.size - order - 1) for k, order in zip(kernels, (dx, dy), strict=True))
    call["kernels"] = kernels


def _finish_derivatives(call, result):
    for name, kernel in zip(("kx", "ky"), result, strict=True):
        target = call[name]
        if isinstance(target, np.ndarray) and target.shape == kernel.shape and target.dtype == kernel.dtype:
            target[...] = kernel
    return result


@implements(
    "cv2.getDerivKernels",
    static=("output",),
    trees=("kernels",),
    dtypes="keep",
    signature=inspect.signature(lambda dx, dy, ksize, kx=None, ky=None, normalize=False, ktype=5: None),
    prepare=_prepare_derivatives,
    finish=_finish_derivatives,
    vmap=False,
    grad=False,
    examples=lambda: [Example((1, 2, 5)), Example((0, 1, -1), {"normalize": True, "ktype": c.CV_64F})],
)
def getDerivKernels(kernels, output):
    """The two columns of weights of `Sobel` and `Scharr` (``ksize=FILTER_SCHARR``), x first.

    Raises
    ------
    cv2.error
        Negative orders, sizes that are even, above 31 or too small for the order, types other than CV_32F and CV_64F.

    Examples
    --------
    >>> from image import cv2
    >>> kx, ky = cv2.getDerivKernels(1, 0, 3)
    >>> kx.ravel(), ky.ravel()
    (array([-1.,  0.,  1.], dtype=float32), array([1., 2., 1.], dtype=float32))
    """
    return tuple(_cast(k.reshape(-1, 1), output) for k in kernels)


def _prepare_gabor(call):
    function = "getGaborKernel"
    width, height = pair(call["ksize"], function, "ksize")
    _kernel_dtype(call, function)
    if width > 0 and height > 0:
        call["reach"] = (width // 2, height // 2)
        return
    if any(is_traced(call[k]) for k in ("sigma", "theta", "gamma")):
        fail(function, f"ksize={call['ksize']!r} has no size and sigma, theta or gamma is traced: give the size")
    sigma, theta, gamma = (float(call[k]) for k in ("sigma", "theta", "gamma"))
    if gamma == 0:
        fail(function, f"gamma={gamma} makes the kernel endless: ksize={call['ksize']!r} must be positive")
    across, down, along = np.cos(theta), np.sin(theta), sigma / gamma
    reach = (width // 2, height // 2)
    if width <= 0:  # three deviations
        reach = (int(np.rint(max(abs(3 * sigma * across), abs(3 * along * down)))), reach[1])
    if height <= 0:
        reach = (reach[0], int(np.rint(max(abs(3 * sigma * down), abs(3 * along * across)))))
    call["reach"] = reach


@implements(
    "cv2.getGaborKernel",
    static=("reach", "output"),
    dtypes="float",
    signature=inspect.signature(lambda ksize, sigma, theta, lambd, gamma, psi=np.pi * 0.5, ktype=6: None),
    prepare=_prepare_gabor,
    vmap=False,
    examples=lambda: [
        Example(((5, 4), 1.5, 0.4, 3.0, 0.7), grad=("sigma", "theta", "lambd", "gamma")),
        Example(((0, 0), 1.2, 1.0, 3.0, 0.7, 0.3, c.CV_32F), rtol=1e-5, atol=1e-6),
    ],
)
def getGaborKernel(sigma, theta, lambd, gamma, psi, reach, output):
    """A Gabor kernel: a Gaussian times a plane wave.

    ``exp(-(u^2 + gamma^2 v^2) / (2 sigma^2)) cos(2 pi u / lambd + psi)`` with u, v turned by `theta`.
    Differentiable in all of its parameters.

    Parameters
    ----------
    ksize : (int, int)
        Width and height (even ones give one sample more); not positive: three deviations to each side.
    sigma, theta, lambd, gamma, psi : float
        Deviation and wave length in samples, angle of the normal and phase in radians, aspect ratio.
    ktype : int
        CV_32F or CV_64F.

    Raises
    ------
    cv2.error
        Types other than CV_32F and CV_64F.

    References
    ----------
    J. G. Daugman, "Uncertainty relation for resolution in space, spatial frequency, and orientation optimized by
    two-dimensional visual cortical filters", J. Opt. Soc. Am. A 2(7), 1985.

    Examples
    --------
    >>> from image import cv2
    >>> cv2.getGaborKernel((3, 1), 1.0, 0.0, 4.0, 1.0, 0.0).round(6)
    array([[0., 1., 0.]])
    """
    x = np.arange(reach[0], -reach[0] - 1, -1.0)
    y = np.arange(reach[1], -reach[1] - 1, -1.0)[:, None]
    cos, sin = jnp.cos(theta), jnp.sin(theta)
    u, v = x * cos + y * sin, y * cos - x * sin
    envelope = jnp.exp(-0.5 * (u * u + (gamma * v) ** 2) / (sigma * sigma))
    return _cast(envelope * jnp.cos(2 * np.pi * u / lambd + psi), output)
