"""Elementary functions: `exp`, `log`, `sqrt`, `pow`."""

import inspect

import numpy as np
from jax import numpy as jnp

from image.cv2._support import fail, image_argument, into_dst, planes, saturate
from sci.bridge import Example, HostRoute, Reason, implements
from sci.bridge.worlds import is_traced

__all__ = ["exp", "log", "pow", "sqrt"]


def _prepare(function):
    def prepare(call):
        if call.numpy and np.ndim(call["src"]) > 3:
            raise HostRoute(Reason.SHAPE, f"src has {np.ndim(call['src'])} dimensions")
        src = image_argument(call, function, empty=True)
        if np.dtype(src.dtype) not in (np.float32, np.float64):
            # never handed to OpenCV 5.0.0, whose `sqrt` of integers writes beyond the end of its result
            fail(function, f"depth == CV_32F || depth == CV_64F does not hold: src is {src.dtype}")
        if src.ndim == 1:
            raise HostRoute(Reason.SHAPE, "src has one dimension")

    return prepare


def _positive():
    return 0.5 + np.random.default_rng(37).random((4, 5)) * 3


def _define(name, function, text, domain, call, result):
    def body(src):
        return planes(function(src))

    body.__name__, body.__module__ = name, __name__
    body.__doc__ = f"""{text} of every sample. Differentiable.

    Parameters
    ----------
    src : float32 or float64 array
        {domain}

    Raises
    ------
    cv2.error
        Arrays that are not floating point.

    Examples
    --------
    >>> import numpy as np
    >>> from image import cv2
    >>> cv2.{call}
    array([[{result}]])
    """
    return implements(
        f"cv2.{name}",
        dtypes="keep",
        signature=inspect.signature(lambda src, dst=None: None),
        prepare=_prepare(name),
        finish=into_dst,
        note="empty and one-dimensional arrays",
        # sqrt: OpenCV 5.0.0 corrupts memory on integers, so it is not asked
        examples=lambda: [
            Example(
                (_positive(),), grad=("src",), vmap=("src",), rtol=1e-7, skip_odd=("nan", "inf"), oracle=name != "sqrt"
            )
        ],
    )(body)


exp = _define(
    "exp", jnp.exp, "The exponential", "Of any value.", "exp(np.array([[0.0, 1.0]])).round(6)", "1.      , 2.718282"
)
log = _define(
    "log",
    jnp.log,
    "The natural logarithm",
    "Zeros give -inf, negative numbers NaN.",
    "log(np.array([[1.0, 2.0]])).round(6)",
    "0.      , 0.693147",
)
sqrt = _define(
    "sqrt", jnp.sqrt, "The square root", "Negative numbers give NaN.", "sqrt(np.array([[4.0, 9.0]]))", "2., 3."
)


def _prepare_pow(call):
    power, src = call["power"], image_argument(call, "pow", empty=True)
    if src.ndim == 1 or src.ndim > 3:
        raise HostRoute(Reason.SHAPE, f"src has shape {src.shape}")
    if np.dtype(src.dtype) not in (np.float32, np.float64):
        whole = not is_traced(power) and float(power) == np.rint(float(power))
        if not whole:  # OpenCV 5.0.0 writes beyond the end of its result here
            fail("pow", f"depth == CV_32F || depth == CV_64F does not hold for power={power}: src is {src.dtype}")
        if not 0 <= float(power) <= 64 or np.dtype(src.dtype) not in (np.uint8, np.int8, np.uint16, np.int16):
            raise HostRoute(Reason.DTYPE, f"src is {src.dtype}, power={power}")
    if is_traced(power):
        call["whole"] = None
        return
    power = call["power"] = float(power)
    call["whole"] = int(power) if power == int(power) and abs(power) <= 64 else None


@implements(
    "cv2.pow",
    static=("whole",),
    dtypes="keep",
    signature=inspect.signature(lambda src, power, dst=None: None),
    prepare=_prepare_pow,
    finish=into_dst,
    note="integers to a negative power, int32; empty and one-dimensional arrays",
    examples=lambda: [
        # no oracle: OpenCV 5.0.0 corrupts memory on integers
        Example((_positive(), 2.5), grad=("src", "power"), vmap=("src",), rtol=1e-7, oracle=False),
        Example((_positive() - 2.0, 3), grad=("src",), rtol=1e-10, skip_odd=("nan", "inf")),
    ],
)
def pow(src, power, whole):
    """Every sample to a power. Differentiable, in a power that is not an integer too.

    Parameters
    ----------
    src : array
        Negative samples to a power that is no integer give NaN. Integers (saturated) take whole powers.
    power : float
        An integer is compiled in, another number is data.

    Raises
    ------
    cv2.error
        Integers to a power that is not whole.

    Examples
    --------
    >>> import numpy as np
    >>> from image import cv2
    >>> cv2.pow(np.array([[-2.0, 4.0]]), 2)
    array([[ 4., 16.]])
    """
    if src.dtype.kind in "iu":
        return planes(saturate(src.astype(jnp.result_type(float)) ** whole, src.dtype))
    if whole is not None:
        return planes(src**whole)
    return planes(src ** jnp.asarray(power, src.dtype))
