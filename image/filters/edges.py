"""Edge filters with the semantics of scikit-image: `sobel`, `sobel_h`, `sobel_v`."""

import inspect

import numpy as np
from jax import numpy as jnp

from image._floats import as_float, as_image
from sci.bridge import Example, implements
from sci.ndimage._arguments import filter_mode
from sci.ndimage._kernels.borders import pad_axis
from sci.ndimage._kernels.separable import EVEN, ODD, correlate_axis
from sci.ndimage._passes import sqrt_of_squares

_EDGE = np.array([-1.0, 0.0, 1.0])  # scikit-image convolves with (1, 0, -1)
_SMOOTH = np.array([0.25, 0.5, 0.25])


def _edge(x, axis, mode, cval, smooth):
    """Difference along `axis`, smoothing along all others."""
    ndim = x.ndim
    # An axis counted from the end, or beyond it, is also smoothed along itself by scikit-image.
    edge = _EDGE if axis in range(ndim) else _EDGE * smooth
    y = correlate_axis(x, edge, axis % ndim, mode, cval, symmetry=ODD, bias=np.zeros((), x.dtype))
    for other in set(range(ndim)) - {axis % ndim}:
        y = correlate_axis(y, smooth, other, mode, 0.0, symmetry=EVEN)  # a constant border has slope 0
    return y


def _eroded(mask):
    """Binary erosion by the full 3 x 3 x ... neighbourhood, False outside."""
    for axis in range(mask.ndim):
        padded, n = pad_axis(mask, axis, 1, 1, "constant", False), mask.shape[axis]
        index = [jnp.take(padded, np.arange(k, k + n), axis=axis) for k in range(3)]
        mask = index[0] & index[1] & index[2]
    return mask


def _magnitude(image, mask, cval, axes, mode):
    x = as_float(image)
    edges = [_edge(x, axis, mode, cval, _SMOOTH) for axis in axes]
    if len(edges) > 1:
        result = sqrt_of_squares(sum(e * e for e in edges)) / np.sqrt(x.ndim, dtype=x.dtype)
    else:
        result = edges[0] if edges else jnp.zeros_like(x)
    if mask is None:
        return result
    return result * _eroded(mask.astype(bool))


def _prepare(fixed=None):
    def prepare(call):
        image = as_image(call, ndim=None if fixed is None else 2)
        axis = call.get("axis") if fixed is None else fixed
        if axis is None:
            axis = range(image.ndim)
        call["axes"] = (int(axis),) if np.isscalar(axis) else tuple(int(a) for a in axis)
        if image.ndim == 0 and call["axes"]:
            raise IndexError("image must have at least one dimension, not 0")
        call["mode"] = filter_mode(call.get("mode", "reflect"))
        call["cval"] = float(call.get("cval", 0.0))
        mask = call["mask"]
        if mask is not None:
            if not hasattr(mask, "dtype"):
                mask = call["mask"] = np.asarray(mask)
            if mask.dtype.kind not in "biuf":
                kind = RuntimeError if mask.dtype.kind == "O" else TypeError
                raise kind(f"data type not supported: mask is {mask.dtype}")
            if np.broadcast_shapes(mask.shape, image.shape) != image.shape:
                raise ValueError(f"mask has shape {mask.shape}, the image has shape {image.shape}")

    return prepare


def _signature(image, mask=None, *, axis=None, mode="reflect", cval=0.0):
    """scikit-image's signature; its package is not imported to read it."""


def _signature_hv(image, mask=None):
    """The same for `sobel_h` and `sobel_v`."""


def _photo():
    return np.random.default_rng(0).integers(0, 256, (8, 9), dtype=np.uint8)


def _facts(signature, fixed=None):
    return {
        "static": ("axes", "mode"),
        "dtypes": "keep",
        "signature": inspect.signature(signature),
        "prepare": _prepare(fixed),
    }


@implements(
    "skimage.filters.sobel",
    **_facts(_signature),
    examples=lambda: [
        Example((_photo(),), {"mask": _photo() > 20}),
        Example((_photo() / 255.0,), grad=("image",), vmap=()),
        Example((_photo() / 255.0,), {"axis": 1, "mode": "constant", "cval": 0.5}, grad=("image",), vmap=()),
    ],
)
def sobel(image, mask, cval, axes, mode):
    """Edges by the Sobel filter: the magnitude, or one component where `axis` is an int.

    Differentiable; the gradient of the magnitude is zero where the magnitude is.

    Parameters
    ----------
    image : array_like, any dimension
        Integers are scaled as by `img_as_float`.
    mask : array of bool, optional
        The result is zero outside the mask eroded by one pixel.
    axis : int or sequence of int, optional

    Raises
    ------
    RuntimeError
        Unknown mode.
    ValueError
        Complex images, a mask of another shape.

    Examples
    --------
    >>> import numpy as np
    >>> from image import filters
    >>> filters.sobel(np.eye(3)).round(3)[0]
    array([0.5  , 0.559, 0.25 ])
    """
    return _magnitude(image, mask, cval, axes, mode)


@implements("skimage.filters.sobel_h", **_facts(_signature_hv, 0), examples=lambda: [Example((_photo(),))])
def sobel_h(image, mask, cval, axes, mode):
    """Horizontal edges of a 2-D image by the Sobel filter; see `sobel`.

    Examples
    --------
    >>> import numpy as np
    >>> from image import filters
    >>> filters.sobel_h(np.eye(3)).round(3)[0]
    array([-0.5 ,  0.25,  0.25])
    """
    return _magnitude(image, mask, cval, axes, mode)


@implements("skimage.filters.sobel_v", **_facts(_signature_hv, 1), examples=lambda: [Example((_photo(),))])
def sobel_v(image, mask, cval, axes, mode):
    """Vertical edges of a 2-D image by the Sobel filter; see `sobel`.

    Examples
    --------
    >>> import numpy as np
    >>> from image import filters
    >>> filters.sobel_v(np.eye(3)).round(3)[0]
    array([-0.5 , -0.75, -0.25])
    """
    return _magnitude(image, mask, cval, axes, mode)
