"""Running sums and blends: `accumulate`, `_Square`, `_Product`, `_Weighted`, and `blendLinear`."""

import inspect

import numpy as np
from jax import numpy as jnp

from image.cv2._operands import mask_argument
from image.cv2._support import array_argument, fail, image_argument, into_dst, planes, saturate
from sci.bridge import Example, HostRoute, Reason, implements
from sci.bridge.worlds import is_jax

__all__ = ["accumulate", "accumulateProduct", "accumulateSquare", "accumulateWeighted", "blendLinear"]

_NOTE = "sources other than uint8, uint16, float32, float64; empty and one-dimensional arrays"
_ODD = ("0-d", "1x1", "one axis more", "empty")
_PAIRS = {
    ("uint8", "float32"),
    ("uint8", "float64"),
    ("uint16", "float32"),
    ("uint16", "float64"),
    ("float32", "float32"),
    ("float32", "float64"),
    ("float64", "float64"),
}


def _photo(seed=43):
    return np.random.default_rng(seed).integers(0, 256, (4, 5, 3), dtype=np.uint8)


def _prepare(function):
    def prepare(call):
        names = [n for n in ("src", "src1", "src2", "dst") if n in call]
        images = [image_argument(call, function, n, empty=True) for n in names]
        target = images[-1]
        if target.ndim == 1:
            raise HostRoute(Reason.SHAPE, "dst has one dimension")
        for name, image in zip(names[:-1], images, strict=False):
            if image.shape != target.shape:
                fail(function, f"{name} and dst must agree in size and channels: {image.shape} and {target.shape}")
            if (np.dtype(image.dtype).name, np.dtype(target.dtype).name) not in _PAIRS:
                fail(function, f"{name} is {image.dtype} and dst {target.dtype}: dst must be float32 or float64")
        if len({v.dtype for v in images[:-1]}) > 1:
            fail(function, "src1 and src2 must have one dtype")
        mask_argument(call, function, target.shape)
        # out of the arguments that the bridge keeps apart from results: this one is written to
        call["target"], call["state"] = target, (target,)

    return prepare


def _finish(call, result):
    target = call["target"]
    target[...] = result.reshape(target.shape)
    return target


def _where(mask, new, old):
    if mask is None:
        return new
    return jnp.where(mask != 0 if new.ndim == 2 else (mask != 0)[..., None], new, old)


def _define(name, signature, text, term, example, arguments=("src",)):
    """An accumulation: ``dst + term(...)``."""

    def one(src, state, mask):
        (dst,) = state
        return _where(mask, dst + term(src.astype(dst.dtype)), dst)

    def two(src1, src2, state, mask):
        (dst,) = state
        return _where(mask, dst + src1.astype(dst.dtype) * src2.astype(dst.dtype), dst)

    body = one if len(arguments) == 1 else two
    body.__name__, body.__module__ = name, __name__
    body.__doc__ = f"""{text}, where the mask is not zero; in place for NumPy arrays. Differentiable for floats.

    Parameters
    ----------
    {", ".join(arguments)} : uint8, uint16, float32 or float64 array, (h, w) or (h, w, channels)
    dst : float32 or float64 array of the same shape
        Changed, and returned; in the JAX world only returned.
    mask : uint8 array, (h, w), optional

    Raises
    ------
    cv2.error
        Images of different shapes, `dst` that is not floating point, masks of another size or dtype.

    Examples
    --------
    >>> import numpy as np
    >>> from image import cv2
    >>> a = np.array([[2, 3]], np.uint8)
    >>> cv2.{name}({", ".join(["a"] * len(arguments))}, np.ones((1, 2)))
    array([[{example}]])
    """
    many = len(arguments)
    return implements(
        f"cv2.{name}",
        dtypes="keep",
        signature=inspect.signature(signature),
        prepare=_prepare(name),
        finish=_finish,
        trees=("state",),
        note=_NOTE,
        examples=lambda: [
            Example((*[_photo()] * many, _photo(44) / 9.0), skip_odd=_ODD, vmap=(*arguments, "dst"), grad=("dst",))
        ],
    )(body)


accumulate = _define("accumulate", lambda src, dst, mask=None: None, "``dst + src``", lambda x: x, "3., 4.")
accumulateSquare = _define(
    "accumulateSquare", lambda src, dst, mask=None: None, "``dst + src**2``", lambda x: x * x, " 5., 10."
)
accumulateProduct = _define(
    "accumulateProduct",
    lambda src1, src2, dst, mask=None: None,
    "``dst + src1 * src2``",
    None,
    " 5., 10.",
    ("src1", "src2"),
)


@implements(
    "cv2.accumulateWeighted",
    dtypes="keep",
    signature=inspect.signature(lambda src, dst, alpha, mask=None: None),
    prepare=_prepare("accumulateWeighted"),
    finish=_finish,
    trees=("state",),
    note=_NOTE,
    examples=lambda: [
        Example((_photo(), _photo(44) / 9.0, 0.3), skip_odd=_ODD, vmap=("src", "dst"), grad=("dst", "alpha"))
    ],
)
def accumulateWeighted(src, state, alpha, mask):
    """``(1 - alpha) * dst + alpha * src``, a running average; see `accumulate`.

    Raises
    ------
    cv2.error
        As `accumulate`.

    Examples
    --------
    >>> import numpy as np
    >>> from image import cv2
    >>> cv2.accumulateWeighted(np.array([[2, 3]], np.uint8), np.ones((1, 2)), 0.5)
    array([[1.5, 2. ]])
    """
    (dst,) = state
    alpha = jnp.asarray(alpha, dst.dtype)
    return _where(mask, dst * (1 - alpha) + src.astype(dst.dtype) * alpha, dst)


def _prepare_blend(call):
    a, b = (image_argument(call, "blendLinear", n, empty=True) for n in ("src1", "src2"))
    if (np.dtype(a.dtype) not in (np.uint8, np.float32) and call.numpy) or np.dtype(a.dtype).kind not in "uf":
        raise HostRoute(Reason.DTYPE, f"src1 is {a.dtype}")
    if a.ndim == 1:
        raise HostRoute(Reason.SHAPE, "src1 has one dimension")
    if a.shape != b.shape or (call.numpy and a.dtype != b.dtype):
        fail("blendLinear", f"src1 and src2 must agree: {a.dtype} {a.shape} and {b.dtype} {b.shape}")
    for name in ("weights1", "weights2"):
        w = array_argument(call, name)
        if not isinstance(w, np.ndarray) and not is_jax(w):
            fail("blendLinear", f"{name} is not a numpy array, but {type(w).__name__}")
        if (call.numpy and w.dtype != np.float32) or w.dtype.kind != "f" or w.shape != a.shape[:2]:
            fail("blendLinear", f"{name} must be float32 of shape {a.shape[:2]}, not {w.dtype} {w.shape}")


def _weights(seed):
    return np.random.default_rng(seed).random((4, 5)).astype(np.float32)


@implements(
    "cv2.blendLinear",
    dtypes="keep",
    signature=inspect.signature(lambda src1, src2, weights1, weights2, dst=None: None),
    prepare=_prepare_blend,
    finish=into_dst,
    note="images other than uint8 and float32; empty and one-dimensional arrays",
    examples=lambda: [
        Example(
            (_photo(), _photo(44), _weights(1), _weights(2)),
            vmap=("src1",),
            rtol=0,
            atol=1,
            skip_odd=(*_ODD, "nan", "inf"),
        ),
        Example(
            (_weights(3), _weights(4), _weights(1), _weights(2)),
            grad=("src1", "weights2"),
            rtol=1e-4,
            atol=1e-5,
            skip_odd=(*_ODD, "nan", "inf"),
        ),
    ],
)
def blendLinear(src1, src2, weights1, weights2):
    """``(src1 * weights1 + src2 * weights2) / (weights1 + weights2 + 1e-5)``, weights pixel by pixel. Differentiable.

    Parameters
    ----------
    src1, src2 : uint8 or float32 arrays, (h, w) or (h, w, channels)
    weights1, weights2 : float32 arrays, (h, w)

    Raises
    ------
    cv2.error
        Images or weights of different shapes or dtypes.

    Examples
    --------
    >>> import numpy as np
    >>> from image import cv2
    >>> one = np.ones((1, 1), np.float32)
    >>> cv2.blendLinear(np.array([[10]], np.uint8), np.array([[30]], np.uint8), one, one)
    array([[20]], dtype=uint8)
    """
    wide = weights1.dtype if src1.dtype.kind in "iu" else jnp.result_type(src1, src2, weights1, weights2)
    total = weights1 + weights2 + np.asarray(1e-5, weights1.dtype)
    v, w = weights1 / total, weights2 / total
    if src1.ndim == 3:
        v, w = v[..., None], w[..., None]
    return planes(
        saturate(src1.astype(wide) * v + src2.astype(wide) * w, wide if src1.dtype.kind == "f" else src1.dtype)
    )
