"""Arithmetic of two images, or of an image and a scalar: `add`, `subtract`, `absdiff`, `multiply`, `divide`, ..."""

import inspect
from typing import Any

import numpy as np
from jax import numpy as jnp

from image.cv2._operands import (
    NOTE,
    base_of_mask,
    finished,
    is_image,
    mask_argument,
    pair_of_operands,
    real_dtype,
    result_depth,
)
from image.cv2._support import image_argument, into_dst, planes, saturate, unsupported
from sci.bridge import Example, HostRoute, Reason, implements

__all__ = ["absdiff", "add", "addWeighted", "convertScaleAbs", "divide", "multiply", "scaleAdd", "subtract"]


def _photo(seed=32):
    return np.random.default_rng(seed).integers(0, 256, (5, 7, 3), dtype=np.uint8)


_EXACT: dict[str, Any] = {"rtol": 0, "atol": 0}
# OpenCV reads small arrays as scalars, and what is no image in its own way
_ODD = ("0-d", "1x1", "one axis more", "empty")


def _prepare(function):
    def prepare(call):
        a, b, images = pair_of_operands(call, function, same=False)
        result_depth(call, function, a, b, images, wrapping=function in ("add", "subtract"))
        call["numerator"] = not images[0]
        shape = (a if images[0] else b).shape
        call.setdefault("mask", None)
        mask_argument(call, function, shape)
        base_of_mask(call, shape, call["output"])

    return prepare


def _facts(function, signature, static=("output", "wide"), **more) -> dict[str, Any]:
    return {
        "static": static,
        "dtypes": "keep",
        "signature": inspect.signature(signature),
        "prepare": _prepare(function),
        "finish": into_dst,
        "note": NOTE,
        **more,
    }


def _two(a, b, wide):
    dtype = real_dtype(wide)
    return a.astype(dtype), b.astype(dtype)


def _signature_two(src1, src2, dst=None, mask=None, dtype=-1):
    """OpenCV's signature, which Python cannot read from its C function."""


def _pair_example(**options):
    return lambda: [
        Example((_photo(), _photo(33)), vmap=("src1",), skip_odd=_ODD, **_EXACT, **options),
    ]


def _masked_example():
    mask = (np.arange(35).reshape(5, 7) % 3).astype(np.uint8)
    return [
        Example((_photo(), _photo(33)), vmap=("src1",), skip_odd=_ODD, **_EXACT),
        Example((_photo() / 9.0, (1.5, 2, 3)), {"mask": mask}, grad=("src1",), rtol=1e-12, skip_odd=(*_ODD, "object")),
    ]


@implements("cv2.add", **_facts("add", _signature_two), examples=_masked_example)
def add(a, b, mask, base, output, wide):
    """Sum of two images or of an image and a scalar, saturated (but for int32). Differentiable for floats.

    Parameters
    ----------
    src1, src2 : arrays, (h, w) or (h, w, channels); one may be a number (for all channels) or up to four of them
        Two images have one shape, and one dtype unless `dtype` is given.
    mask : uint8 array, (h, w), optional
        Where it is zero, `dst` stays (or zero).
    dtype : int
        Depth of the result, -1 for that of the sources.

    Raises
    ------
    cv2.error
        Images of different shapes, or of different dtypes without `dtype`; masks of another size or dtype.

    Examples
    --------
    >>> import numpy as np
    >>> from image import cv2
    >>> cv2.add(np.array([[200, 20]], np.uint8), np.array([[100, 3]], np.uint8))
    array([[255,  23]], dtype=uint8)
    """
    x, y = _two(a, b, wide)
    return finished(x + y, output, mask, base)


@implements("cv2.subtract", **_facts("subtract", _signature_two), examples=_pair_example())
def subtract(a, b, mask, base, output, wide):
    """Difference of two images or of an image and a scalar, saturated; see `add`.

    Examples
    --------
    >>> import numpy as np
    >>> from image import cv2
    >>> cv2.subtract(np.array([[200, 2]], np.uint8), np.array([[100, 3]], np.uint8))
    array([[100,   0]], dtype=uint8)
    """
    x, y = _two(a, b, wide)
    return finished(x - y, output, mask, base)


@implements("cv2.absdiff", **_facts("absdiff", lambda src1, src2, dst=None: None), examples=_pair_example())
def absdiff(a, b, output, wide):
    """Absolute difference of two images or of an image and a scalar, saturated; see `add`.

    Examples
    --------
    >>> import numpy as np
    >>> from image import cv2
    >>> cv2.absdiff(np.array([[200, 2]], np.uint8), np.array([[100, 3]], np.uint8))
    array([[100,   1]], dtype=uint8)
    """
    x, y = _two(a, b, wide)
    return finished(jnp.abs(x - y), output)


def _prepare_scaled(function):
    prepare = _prepare(function)

    def scaled(call):
        prepare(call)
        if call["wide"] == np.int32:  # products and quotients are rounded from single precision
            call["wide"] = np.dtype(np.float32)

    return scaled


def _signature_scaled(src1, src2, dst=None, scale=1.0, dtype=-1):
    """OpenCV's signature."""


@implements(
    "cv2.multiply",
    **_facts("multiply", _signature_scaled) | {"prepare": _prepare_scaled("multiply")},
    examples=lambda: [
        Example((_photo(), _photo(33)), {"scale": 0.01}, vmap=("src1",), rtol=0, atol=1, skip_odd=_ODD),
        Example((_photo() / 9.0, _photo(33) / 7.0), grad=("src1", "src2"), rtol=1e-12, skip_odd=_ODD),
    ],
)
def multiply(a, b, scale, output, wide):
    """``src1 * src2 * scale``, rounded half to even and saturated; see `add`. Integers within one level.

    Products of uint16 images above 2^31 saturate here; OpenCV gives zero.

    Examples
    --------
    >>> import numpy as np
    >>> from image import cv2
    >>> cv2.multiply(np.array([[20, 2]], np.uint8), np.array([[100, 3]], np.uint8))
    array([[255,   6]], dtype=uint8)
    """
    x, y = _two(a, b, wide)
    return finished(x * y * jnp.asarray(scale, x.dtype), output)


@implements(
    "cv2.divide",
    **_facts("divide", _signature_scaled, ("output", "wide", "numerator")) | {"prepare": _prepare_scaled("divide")},
    examples=lambda: [
        Example((_photo(), _photo(33) // 9), {"scale": 2.0}, vmap=("src1",), rtol=0, atol=1, skip_odd=_ODD),
        Example((_photo() / 9.0, 1 + _photo(33) / 7.0), grad=("src1", "src2"), rtol=1e-12, skip_odd=_ODD),
    ],
)
def divide(a, b, scale, output, wide, numerator):
    """``src1 * scale / src2``, rounded half to even and saturated; a number as `src1` is divided by the image.

    Integers divided by zero are zero (of a number divided by a signed image: the least value), floats as IEEE 754
    has it. See `add`.

    Examples
    --------
    >>> import numpy as np
    >>> from image import cv2
    >>> cv2.divide(np.array([[20, 2]], np.uint8), np.array([[8, 0]], np.uint8))
    array([[2, 0]], dtype=uint8)
    """
    x, y = _two(a, b, wide)
    x = x * jnp.asarray(scale, x.dtype)
    if output.kind == "f":
        return finished(x / y, output)
    nothing = np.iinfo(output).min if numerator else 0  # OpenCV rounds an infinity where the numerator is a scalar
    return finished(jnp.where(y == 0, nothing, x / jnp.where(y == 0, 1, y)), output)


@implements(
    "cv2.addWeighted",
    **_facts("addWeighted", lambda src1, alpha, src2, beta, gamma, dst=None, dtype=-1: None)
    | {"prepare": _prepare_scaled("addWeighted")},
    examples=lambda: [
        Example((_photo(), 0.3, _photo(33), 0.9, -4.0), vmap=("src1",), rtol=0, atol=1.0, skip_odd=_ODD),
        Example(
            (_photo() / 9.0, 0.3, _photo(33) / 9.0, 0.9, 4.0), grad=("src1",), rtol=1e-6, float32=False, skip_odd=_ODD
        ),
    ],
)
def addWeighted(a, alpha, b, beta, gamma, output, wide):
    """``src1 * alpha + src2 * beta + gamma``, rounded half to even and saturated; within one level for integers.

    Differentiable for floating point images, in the weights too. See `add`.

    Examples
    --------
    >>> import numpy as np
    >>> from image import cv2
    >>> cv2.addWeighted(np.array([[200, 20]], np.uint8), 0.5, np.array([[100, 4]], np.uint8), 0.5, 1.0)
    array([[151,  13]], dtype=uint8)
    """
    x, y = _two(a, b, wide)
    alpha, beta, gamma = (jnp.asarray(k, x.dtype) for k in (alpha, beta, gamma))
    return finished(x * alpha + y * beta + gamma, output)


def _prepare_scale_add(call):
    a, b = call["src1"], call["src2"]
    if not is_image(a) or not is_image(b):
        raise HostRoute(Reason.SHAPE, "operands that are not two images")
    _prepare_scaled("scaleAdd")(call)


@implements(
    "cv2.scaleAdd",
    **_facts("scaleAdd", lambda src1, alpha, src2, dst=None: None) | {"prepare": _prepare_scale_add},
    examples=lambda: [
        Example((_photo(), 0.3, _photo(33)), vmap=("src1",), rtol=0, atol=1.0, skip_odd=_ODD),
        Example((_photo() / 9.0, 0.3, _photo(33) / 9.0), grad=("src1", "alpha", "src2"), rtol=1e-6, skip_odd=_ODD),
    ],
)
def scaleAdd(a, alpha, b, output, wide):
    """``src1 * alpha + src2`` of two images, rounded half to even and saturated; see `addWeighted`.

    Examples
    --------
    >>> import numpy as np
    >>> from image import cv2
    >>> cv2.scaleAdd(np.array([[200, 20]], np.uint8), 0.5, np.array([[100, 4]], np.uint8))
    array([[200,  14]], dtype=uint8)
    """
    x, y = _two(a, b, wide)
    return finished(x * jnp.asarray(alpha, x.dtype) + y, output)


def prepare_any(function):
    """`prepare` for one image of any dimension: OpenCV itself takes those that are no images."""

    def prepare(call):
        if call.numpy and np.ndim(call["src"]) > 3:
            raise HostRoute(Reason.SHAPE, f"src has {np.ndim(call['src'])} dimensions")
        image_argument(call, function, empty=True)

    return prepare


@implements(
    "cv2.convertScaleAbs",
    dtypes="keep",
    signature=inspect.signature(lambda src, dst=None, alpha=1.0, beta=0.0: None),
    prepare=prepare_any("convertScaleAbs"),
    supports=unsupported,
    finish=into_dst,
    note="depths other than uint8, uint16, int16, float32, float64; empty and one-dimensional arrays",
    grad=False,
    examples=lambda: [Example((_photo(), None, 1.7, -90.0), vmap=("src",), rtol=0, atol=1.0)],
)
def convertScaleAbs(src, alpha, beta):
    """``|src * alpha + beta|`` as uint8, rounded half to even and saturated.

    Examples
    --------
    >>> import numpy as np
    >>> from image import cv2
    >>> cv2.convertScaleAbs(np.array([[-3.0, 400.0]], np.float32))
    array([[  3, 255]], dtype=uint8)
    """
    wide = src.dtype if src.dtype == np.float64 else np.dtype(np.float32)
    value = src.astype(wide) * jnp.asarray(alpha, wide) + jnp.asarray(beta, wide)
    return planes(saturate(jnp.abs(value), np.uint8))
