"""`erode`, `dilate`, `morphologyEx`, `getStructuringElement`, `medianBlur`."""

import inspect
from typing import Any

import numpy as np
from jax import numpy as jnp

from image.cv2 import constants as c
from image.cv2._support import border, fail, image_argument, into_dst, pair, planes, unsupported
from sci.bridge import Example, Reason, implements
from sci.bridge.worlds import is_traced
from sci.ndimage._kernels.extremes import extreme_window
from sci.ndimage._kernels.ranks import NETWORK_TAPS, rank_footprint

__all__ = ["dilate", "erode", "getStructuringElement", "medianBlur", "morphologyEx"]


def _element(shape, size, anchor):
    """OpenCV's structuring element; the ellipse has rows of half width ``c sqrt(1 - (dy / r)^2)``."""
    width, height = size
    table = np.zeros((height, width), np.uint8)
    if shape == c.MORPH_RECT or size == (1, 1):
        table[:] = 1
    elif shape == c.MORPH_CROSS:
        table[anchor[1]], table[:, anchor[0]] = 1, 1
    elif shape == c.MORPH_DIAMOND:
        reach = height // 2 - np.abs(np.arange(height) - height // 2)
        centre = width // 2
        for i, r in enumerate(reach):
            r = int(np.rint(r * (width // 2) / max(height // 2, 1)))
            table[i, max(centre - r, 0) : min(centre + r + 1, width)] = 1
    else:
        r, centre = height // 2, width // 2
        inverse = 1.0 / (r * r) if r else 0.0
        for i in range(height):
            dy = i - r
            if abs(dy) <= r:
                dx = int(np.rint(centre * np.sqrt((r * r - dy * dy) * inverse)))
                table[i, max(centre - dx, 0) : min(centre + dx + 1, width)] = 1
    return table


def _prepare_element(call):
    function = "getStructuringElement"
    size = pair(call["ksize"], function, "ksize")
    if min(size) <= 0:
        fail(function, f"ksize.width > 0 && ksize.height > 0 does not hold: ksize={call['ksize']!r}")
    shape = call["shape"] = int(call["shape"])
    if shape not in (c.MORPH_RECT, c.MORPH_CROSS, c.MORPH_ELLIPSE, c.MORPH_DIAMOND):
        fail(function, f"Unknown structuring element shape: {shape}")
    anchor = pair(call["anchor"], function, "anchor")
    anchor = tuple(n // 2 if a < 0 else a for a, n in zip(anchor, size, strict=True))
    if any(a >= n for a, n in zip(anchor, size, strict=True)):
        fail(function, f"anchor={call['anchor']!r} lies outside ksize={call['ksize']!r}")
    call["ksize"], call["anchor"] = size, anchor


def _signature_element(shape, ksize, anchor=(-1, -1)):
    """OpenCV's signature, which Python cannot read from its C function."""


@implements(
    "cv2.getStructuringElement",
    static=("shape", "ksize", "anchor"),
    signature=inspect.signature(_signature_element),
    prepare=_prepare_element,
    supports=lambda call: (Reason.OPTION, "MORPH_DIAMOND") if call["shape"] == c.MORPH_DIAMOND else None,
    vmap=False,
    grad=False,
    note="MORPH_DIAMOND",
    examples=lambda: [Example((c.MORPH_ELLIPSE, (5, 7)))],
)
def getStructuringElement(shape, ksize, anchor):
    """A structuring element of a size (width, height): MORPH_RECT, MORPH_CROSS or MORPH_ELLIPSE.

    Raises
    ------
    cv2.error
        Sizes that are not positive, anchors outside, unknown shapes.

    Examples
    --------
    >>> from image import cv2
    >>> cv2.getStructuringElement(cv2.MORPH_CROSS, (3, 3))
    array([[0, 1, 0],
           [1, 1, 1],
           [0, 1, 0]], dtype=uint8)
    """
    return jnp.asarray(_element(shape, ksize, anchor))


def _window(call, function):
    """The kernel as a boolean window and the origins that the anchor gives it."""
    kernel = call["kernel"]
    if is_traced(kernel):
        raise ValueError("kernel is traced: its entries decide what is computed and must be known")
    if kernel is None or np.size(kernel) == 0:  # a square for all iterations; OpenCV forgets the anchor here
        size = 1 + 2 * max(int(call["iterations"]), 0)
        call["iterations"] = min(int(call["iterations"]), 1)
        return np.ones((size, size), bool), (0, 0)
    window = np.asarray(kernel) != 0
    if window.ndim == 1:
        window = window[:, None]
    if window.ndim != 2:
        fail(function, f"kernel must have two dimensions, not shape {window.shape}")
    height, width = window.shape
    ax, ay = pair(call["anchor"], function, "anchor")
    ax, ay = width // 2 if ax < 0 else ax, height // 2 if ay < 0 else ay
    if ax >= width or ay >= height:
        fail(function, f"anchor={call['anchor']!r} lies outside a kernel of {width} x {height}")
    return window, (ay - height // 2, ax - width // 2)


def _prepare(function):
    def prepare(call):
        image_argument(call, function)
        window, origins = _window(call, function)
        call["mode"] = border(call, function)
        iterations = int(call["iterations"])
        if iterations > 1 and window.all():  # OpenCV dilates the rectangle instead
            height, width = window.shape
            ay, ax = origins[0] + height // 2, origins[1] + width // 2
            window = np.ones((height + (iterations - 1) * (height - 1), width + (iterations - 1) * (width - 1)), bool)
            origins = (ay * iterations - window.shape[0] // 2, ax * iterations - window.shape[1] // 2)
            iterations = 1
        call["iterations"] = iterations
        call["plan"] = (window.shape, window.tobytes(), origins)
        call["steps"] = {"erode": ("e",), "dilate": ("d",)}.get(function) or _steps(call)

    return prepare


def _steps(call):
    op = int(call["op"])
    steps = {
        c.MORPH_ERODE: ("e",),
        c.MORPH_DILATE: ("d",),
        c.MORPH_OPEN: ("e", "d"),
        c.MORPH_CLOSE: ("d", "e"),
        c.MORPH_GRADIENT: ("gradient",),
        c.MORPH_TOPHAT: ("tophat",),
        c.MORPH_BLACKHAT: ("blackhat",),
        c.MORPH_HITMISS: ("hitmiss",),
    }.get(op)
    if steps is None:
        fail("morphologyEx", f"unknown morphological operation: op={op}")
    return steps


_DEFAULT_BORDER = 1.7976931348623157e308  # morphologyDefaultBorderValue: the neutral value of each operation


def _supports(call):
    value = call["borderValue"]
    neutral = value is None or all(v == _DEFAULT_BORDER for v in np.atleast_1d(value))
    if call["mode"] == "constant" and not neutral:
        return Reason.OPTION, f"borderValue={value}"
    if call["mode"] == "wrap":
        return Reason.OPTION, "BORDER_WRAP"
    if "hitmiss" in call["steps"]:
        return Reason.OPTION, "MORPH_HITMISS"
    if not np.frombuffer(call["plan"][1], bool).any():
        return Reason.OPTION, "a kernel without taps"
    return unsupported(call)


def _signature(src, kernel, dst=None, anchor=(-1, -1), iterations=1, borderType=0, borderValue=None):
    """OpenCV's signature, which Python cannot read from its C function."""


def _signature_ex(src, op, kernel, dst=None, anchor=(-1, -1), iterations=1, borderType=0, borderValue=None):
    """OpenCV's signature."""


def _extreme(x, plan, mode, iterations, minimum):
    shape, entries, origins = plan
    window = np.frombuffer(entries, bool).reshape(shape)
    limits = np.iinfo(x.dtype) if x.dtype.kind in "iu" else np.finfo(x.dtype)
    neutral = limits.max if minimum else limits.min
    if x.ndim == 3:
        window, origins = window[:, :, None], (*origins, 0)
    for _ in range(iterations):
        x = extreme_window(x, window, mode, np.asarray(neutral, x.dtype), origins, minimum)
    return x


def _run(src, plan, mode, iterations, steps):
    def erosion(x):
        return _extreme(x, plan, mode, iterations, True)

    def dilation(x):
        return _extreme(x, plan, mode, iterations, False)

    def minus(a, b):  # saturates at zero for unsigned images; here a >= b but for the anchor's play
        return jnp.where(a > b, a - b, 0) if a.dtype.kind == "u" else a - b

    if steps == ("gradient",):
        return planes(minus(dilation(src), erosion(src)))
    if steps == ("tophat",):
        return planes(minus(src, dilation(erosion(src))))
    if steps == ("blackhat",):
        return planes(minus(erosion(dilation(src)), src))
    for step in steps:
        src = erosion(src) if step == "e" else dilation(src)
    return planes(src)


def _photo():
    return np.random.default_rng(30).integers(0, 256, (9, 11), dtype=np.uint8)


def _facts(function, signature) -> dict[str, Any]:
    return {
        "static": ("plan", "mode", "iterations", "steps"),
        "dtypes": "keep",
        "signature": inspect.signature(signature),
        "prepare": _prepare(function),
        "supports": _supports,
        "finish": into_dst,
        "note": "a borderValue, BORDER_WRAP, MORPH_HITMISS, kernels without taps, depths that are not native",
    }


_EXACT: dict[str, Any] = {"rtol": 0, "atol": 0}
# a NaN spreads through its window here; in OpenCV the vector instruction decides
_NAN = ("nan",)


@implements(
    "cv2.erode",
    **_facts("erode", _signature),
    examples=lambda: [
        Example((_photo(), np.array([[0, 1, 0], [1, 1, 1], [0, 1, 1]], np.uint8)), **_EXACT),
        Example((_photo() / 255.0, None), {"iterations": 2}, grad=("src",), vmap=("src",), skip_odd=_NAN),
    ],
)
def erode(src, plan, mode, iterations, steps):
    """Minimum over the kernel's window; `kernel` None is 3 x 3. Differentiable for floating point images.

    Raises
    ------
    cv2.error
        Empty images, anchors outside the kernel, unknown borders.

    Examples
    --------
    >>> import numpy as np
    >>> from image import cv2
    >>> cv2.erode(np.array([[3, 5, 4, 8, 6]], np.uint8), np.ones((1, 3), np.uint8))
    array([[3, 3, 4, 4, 6]], dtype=uint8)
    """
    return _run(src, plan, mode, iterations, steps)


@implements(
    "cv2.dilate",
    **_facts("dilate", _signature),
    examples=lambda: [Example((_photo(), np.ones((4, 3), np.uint8)), {"anchor": (0, 1)}, **_EXACT)],
)
def dilate(src, plan, mode, iterations, steps):
    """Maximum over the kernel's window; see `erode`.

    Examples
    --------
    >>> import numpy as np
    >>> from image import cv2
    >>> cv2.dilate(np.array([[3, 5, 4, 8, 6]], np.uint8), np.ones((1, 3), np.uint8))
    array([[5, 5, 8, 8, 8]], dtype=uint8)
    """
    return _run(src, plan, mode, iterations, steps)


@implements(
    "cv2.morphologyEx",
    **_facts("morphologyEx", _signature_ex),
    examples=lambda: [
        Example((_photo(), c.MORPH_GRADIENT, np.ones((3, 3), np.uint8)), **_EXACT),
        Example((_photo(), c.MORPH_CLOSE, np.ones((3, 3), np.uint8)), {"iterations": 2}, **_EXACT),
    ],
)
def morphologyEx(src, plan, mode, iterations, steps):
    """MORPH_ERODE, _DILATE, _OPEN, _CLOSE, _GRADIENT, _TOPHAT, _BLACKHAT; see `erode`.

    Examples
    --------
    >>> import numpy as np
    >>> from image import cv2
    >>> cv2.morphologyEx(np.array([[3, 5, 4, 8, 6]], np.uint8), cv2.MORPH_OPEN, np.ones((1, 3), np.uint8))
    array([[3, 4, 4, 6, 6]], dtype=uint8)
    """
    return _run(src, plan, mode, iterations, steps)


def _prepare_median(call):
    src = image_argument(call, "medianBlur", empty=True)
    size = call["ksize"] = int(call["ksize"])
    if size % 2 == 0 or size <= 0:
        fail("medianBlur", f"(ksize % 2 == 1) does not hold: ksize={size}")
    if size > 5 and np.dtype(src.dtype) in (np.float32, np.uint16, np.int16):
        fail("medianBlur", f"{src.dtype} images take ksize 3 and 5, not {size}")


def _supports_median(call):
    if call.numpy and np.dtype(call["src"].dtype) not in (np.uint8, np.uint16, np.int16, np.float32):
        return Reason.DTYPE, f"src is {call['src'].dtype}"
    if call["ksize"] ** 2 > NETWORK_TAPS and call.numpy:
        return Reason.OPTION, f"ksize={call['ksize']}: windows of more than 9 x 9"
    return unsupported(call)


def _signature_median(src, ksize, dst=None):
    """OpenCV's signature, which Python cannot read from its C function."""


@implements(
    "cv2.medianBlur",
    static=("ksize",),
    dtypes="keep",
    signature=inspect.signature(_signature_median),
    prepare=_prepare_median,
    supports=_supports_median,
    finish=into_dst,
    note="windows of more than 9 x 9 of NumPy arrays; depths other than uint8, uint16, int16, float32",
    examples=lambda: [
        Example((_photo(), 5), **_EXACT),
        Example(((_photo() / 255.0).astype(np.float32), 3), vmap=("src",), skip_odd=_NAN, **_EXACT),
    ],
)
def medianBlur(src, ksize):
    """Median over a square window, the border replicated. A sorting network, exact.

    Raises
    ------
    cv2.error
        Sizes that are even or not positive, or above 5 for images that are not uint8.

    Examples
    --------
    >>> import numpy as np
    >>> from image import cv2
    >>> cv2.medianBlur(np.array([[3, 9, 4, 8, 6]], np.uint8), 3)
    array([[3, 4, 8, 6, 6]], dtype=uint8)
    """
    if ksize == 1:
        return planes(src)
    window = np.ones((ksize, ksize) if src.ndim == 2 else (ksize, ksize, 1), bool)
    return planes(rank_footprint(src, window, ksize * ksize // 2, "nearest", 0, (0,) * src.ndim))
