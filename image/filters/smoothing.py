"""`gaussian`, with the semantics of scikit-image."""

import inspect

import numpy as np

from image._floats import as_float, as_image, float_dtype
from sci.bridge import Example, implements
from sci.bridge.worlds import is_jax, is_traced
from sci.ndimage._passes import run_plan
from sci.ndimage.gaussian import plan_gaussian


def _signature(
    image, sigma=1.0, *, mode="nearest", cval=0, preserve_range=False, truncate=4.0, channel_axis=None, out=None
):
    """scikit-image's signature; its package is not imported to read it."""


def _prepare(call):
    image, sigma = as_image(call), call["sigma"]
    if not is_traced(sigma) and np.any(np.asarray(sigma) < 0.0):
        raise ValueError(f"Sigma values less than zero are not valid: sigma={sigma!r}")
    if is_jax(sigma) and getattr(sigma, "ndim", 1) == 0:
        sigma = (sigma,) * (image.ndim - (call["channel_axis"] is not None))
    radius = call["radius"]
    channel = call["channel_axis"]
    if channel is not None:
        sigma = list(sigma) if np.iterable(sigma) else [sigma] * (image.ndim - 1)
        if len(sigma) == image.ndim - 1:
            sigma.insert(channel % image.ndim, 0.0)
    wanted = call["out"]
    if wanted is not None and np.dtype(wanted).kind != "f":
        raise ValueError(f"dtype of `out` must be float; got {wanted!r}.")
    call["out"] = np.dtype(
        wanted or (np.float64 if call.numpy and image.dtype.kind != "f" else float_dtype(image.dtype))
    )
    call["cval"] = float(call["cval"])
    call["weights"], call["plan"] = plan_gaussian(image.ndim, sigma, 0, call["mode"], call["truncate"], radius, None)


def _photo():
    return np.random.default_rng(0).integers(0, 256, (9, 8, 3), dtype=np.uint8)


@implements(
    "skimage.filters.gaussian",
    static=("plan", "out", "preserve_range"),
    trees=("weights",),
    dtypes="keep",
    out="out",
    extras={"radius": None},
    signature=inspect.signature(_signature),
    prepare=_prepare,
    examples=lambda: [
        Example((_photo(), 1.2), {"channel_axis": -1}),
        Example((_photo()[..., 0] / 255.0, (1.0, 2.0)), {"mode": "reflect"}, grad=("image",)),
    ],
)
def gaussian(image, weights, cval, plan, out, preserve_range):
    """Multi-dimensional Gaussian filter of an image.

    Differentiable in `image`, and in `sigma` where it is a JAX value and the extra ``radius=`` is given.

    Parameters
    ----------
    image : array_like
        Integers are scaled to [0, 1] (signed: [-1, 1]) unless `preserve_range`.
    sigma : scalar or sequence
    channel_axis : int, optional
        An axis that is not filtered.
    radius : int or sequence, keyword-only, ours
        Half the kernel's length, instead of ``truncate * sigma``.

    Returns
    -------
    array of `image`'s shape, float64 or `image`'s floating dtype

    Raises
    ------
    ValueError
        Negative sigma, complex images, an `out` that is no float array.

    Examples
    --------
    >>> import numpy as np
    >>> from image import filters
    >>> a = np.zeros((3, 3))
    >>> a[1, 1] = 1
    >>> filters.gaussian(a, sigma=0.4).round(4)[1]
    array([0.0371, 0.845 , 0.0371])
    """
    return run_plan(as_float(image, preserve_range), weights, cval, plan, out)
