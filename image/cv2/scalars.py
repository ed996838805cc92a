"""Functions of a few numbers: `fastAtan2`, `cubeRoot`, `borderInterpolate`, `solveCubic`."""

import inspect

import numpy as np
from jax import numpy as jnp

from image.cv2._support import BORDERS, array_argument, fail, into_dst
from image.cv2.coordinates import fast_angle
from sci.bridge import Example, HostRoute, Reason, implements
from sci.bridge.worlds import is_jax, is_traced
from sci.ndimage._kernels.borders import border_index

__all__ = ["borderInterpolate", "cubeRoot", "fastAtan2", "solveCubic"]


def _number(call, name, function):
    value = call[name]
    if is_jax(value):
        value = jnp.asarray(value)
        if value.ndim:
            fail(function, f"{name} must be a number, not an array {value.shape}")
        call[name] = value.astype(jnp.promote_types(value.dtype, np.float32))
        return
    if isinstance(value, bool) or not isinstance(value, (int, float, np.integer, np.floating)):
        if isinstance(value, np.ndarray) and value.ndim == 0 and value.dtype.kind in "iuf":
            value = value[()]
        else:
            fail(function, f"argument {name!r} can't be treated as a float: {value!r}")
    with np.errstate(over="ignore"):
        call[name] = np.float32(value)


def _prepare_angle(call):
    _number(call, "y", "fastAtan2")
    _number(call, "x", "fastAtan2")


def _float(call, result):
    return float(result)


_ODD = ("0-d", "1x1", "one axis more", "nan", "inf", "empty", "one axis less")


@implements(
    "cv2.fastAtan2",
    dtypes="keep",
    signature=inspect.signature(lambda y, x: None),
    prepare=_prepare_angle,
    finish=_float,
    examples=lambda: [Example((1.0, 2.0), grad=("y", "x"), rtol=1e-6, atol=1e-4, grad_rtol=5e-2, skip_odd=_ODD)],
)
def fastAtan2(y, x):
    """Angle of a vector in degrees, 0 to 360, to 0.3 degrees, by OpenCV's polynomial. Differentiable.

    Raises
    ------
    cv2.error
        Arguments that are no numbers.

    Examples
    --------
    >>> from image import cv2
    >>> cv2.fastAtan2(1.0, 0.0)
    90.0
    """
    return fast_angle(x, y)


@implements(
    "cv2.cubeRoot",
    dtypes="keep",
    signature=inspect.signature(lambda val: None),
    prepare=lambda call: _number(call, "val", "cubeRoot"),
    finish=_float,
    examples=lambda: [Example((-2.5,), grad=("val",), rtol=1e-6, grad_rtol=1e-2, skip_odd=_ODD)],
)
def cubeRoot(val):
    """The real cube root, in single precision. Differentiable but at zero.

    Of a NaN it is NaN (OpenCV: some number).

    Raises
    ------
    cv2.error
        An argument that is no number.

    Examples
    --------
    >>> from image import cv2
    >>> cv2.cubeRoot(-27.0)
    -3.0
    """
    return jnp.cbrt(val)


def _prepare_border(call):
    for name in ("p", "len"):
        if is_traced(call[name]):
            continue
        value = call[name]
        whole = isinstance(value, (int, np.integer)) and not isinstance(value, bool)
        if not whole and not (is_jax(value) and value.dtype.kind in "iu" and value.ndim == 0):
            fail("borderInterpolate", f"argument {name!r} is required to be an integer: {value!r}")
    if is_traced(call["len"]):
        fail("borderInterpolate", "len must be known, not traced")
    length, mode = int(call["len"]), BORDERS.get(int(call["borderType"]))
    if not is_traced(call["p"]) and 0 <= int(call["p"]) < length:
        mode = "nearest"  # inside, OpenCV takes any border
    if mode is None:
        fail("borderInterpolate", f"Unknown/unsupported border type: borderType={call['borderType']}")
    if length <= 0:
        raise HostRoute(Reason.OPTION, f"len={length}")
    call["mode"], call["length"] = mode, length


@implements(
    "cv2.borderInterpolate",
    static=("mode", "length"),
    dtypes="keep",
    signature=inspect.signature(lambda p, len, borderType: None),
    prepare=_prepare_border,
    finish=lambda call, result: int(result),
    grad=False,
    note="lengths below 1",
    examples=lambda: [Example((-3, 10, 4), skip_odd=_ODD, float32=False, jit=False)],
)
def borderInterpolate(p, mode, length):
    """The sample that stands at place `p` of a line of `len` samples extended by a border; -1 for a constant.

    Raises
    ------
    cv2.error
        Places that are no integers, unknown borders.

    Examples
    --------
    >>> from image import cv2
    >>> cv2.borderInterpolate(-3, 10, cv2.BORDER_REFLECT_101)
    3
    """
    return border_index(jnp.asarray(p), length, mode, jnp)


def _prepare_cubic(call):
    value = array_argument(call, "coeffs")
    value = jnp.asarray(value) if isinstance(value, (list, tuple)) and is_jax(value) else value
    if not isinstance(value, np.ndarray) and not is_jax(value):
        raise HostRoute(Reason.OPTION, "coeffs is no array")
    if value.dtype not in (np.float32, np.float64):
        fail("solveCubic", f"ctype == CV_32F || ctype == CV_64F does not hold: coeffs is {value.dtype}")
    if value.size not in (3, 4) or value.ndim > 2 or min(value.shape) != (value.size if value.ndim == 1 else 1):
        fail("solveCubic", f"coeffs must be 3 or 4 numbers in a row or column, not {value.shape}")
    call["coeffs"] = value.reshape(-1)


def _finish_cubic(call, result):
    count, roots = result
    return int(count), into_dst(call, roots, "roots")


@implements(
    "cv2.solveCubic",
    dtypes="keep",
    signature=inspect.signature(lambda coeffs, roots=None: None),
    prepare=_prepare_cubic,
    finish=_finish_cubic,
    grad=False,
    note="coefficients in lists",
    examples=lambda: [
        Example((np.array([1.0, -6.5, 11.0, -5.0]),), vmap=("coeffs",), rtol=1e-9, atol=1e-9, skip_odd=_ODD)
    ],
)
def solveCubic(coeffs):
    """The real roots of ``c0 x^3 + c1 x^2 + c2 x + c3``, or with three numbers of ``x^3 + c0 x^2 + c1 x + c2``.

    By Viete's trigonometric formula where there are three, else Cardano's; where leading coefficients are zero, of
    the quadratic or linear equation.

    Parameters
    ----------
    coeffs : float32 or float64 array of 3 or 4 numbers

    Returns
    -------
    int
        How many there are; -1 where every number is a root.
    array (3, 1)
        In OpenCV's order, zeros behind them.

    Raises
    ------
    cv2.error
        Another number of coefficients, or integers.

    References
    ----------
    W. H. Press et al., "Numerical recipes", 3rd ed., 2007, section 5.6.

    Examples
    --------
    >>> import numpy as np
    >>> from image import cv2
    >>> cv2.solveCubic(np.array([1.0, 0.0, 0.0, -8.0]))
    (1, array([[2.],
           [0.],
           [0.]]))
    """
    wide = jnp.result_type(float)
    a0, a1, a2, a3 = (
        coeffs.astype(wide) if coeffs.shape[0] == 4 else jnp.concatenate([jnp.ones(1), coeffs]).astype(wide)
    )
    zero = jnp.zeros((), wide)

    def quotient(a, b):
        return a / jnp.where(b == 0, 1, b)

    # of the second degree, and of the first
    d = a2 * a2 - 4 * a1 * a3
    root = jnp.sqrt(jnp.maximum(d, 0))
    q1, q2 = (root - a2) / 2, -(a2 + root) / 2
    q = jnp.where(jnp.abs(q1) > jnp.abs(q2), q1, q2)
    square = jnp.where(d >= 0, jnp.stack([quotient(q, a1), quotient(a3, q), zero]), 0)
    square_count = jnp.where(d > 0, 2, jnp.where(d == 0, 1, 0))
    line = jnp.where(a2 != 0, jnp.stack([-quotient(a3, a2), zero, zero]), 0)
    line_count = jnp.where(a2 != 0, 1, jnp.where(a3 == 0, -1, 0))
    # of the third
    b1, b2, b3 = quotient(a1, a0), quotient(a2, a0), quotient(a3, a0)
    big, small = (b1 * b1 - 3 * b2) / 9, (b1 * (2 * b1 * b1 - 9 * b2) + 27 * b3) / 54
    # the two sides are compared as rounded: a compiler may take their difference in one rounding, never zero
    cube, square_of_small = big**3, small * small
    three_roots, two_roots = cube > square_of_small, cube == square_of_small
    third = b1 / 3
    ratio = jnp.where(three_roots, small / jnp.sqrt(jnp.where(three_roots, cube, 1)), 0)
    turn = jnp.arccos(jnp.clip(ratio, -1, 1)) / 3
    turns = jnp.stack([turn, turn + 2 * np.pi / 3, turn + 4 * np.pi / 3])
    three = -2 * jnp.sqrt(jnp.maximum(big, 0)) * jnp.cos(turns) - third
    e = jnp.cbrt(small)
    x0, x1 = -2 * e - third, e - third
    double = jnp.stack([x0, jnp.where(x0 == x1, 0, x1), zero])
    e = jnp.cbrt(jnp.sqrt(jnp.maximum(square_of_small - cube, 0)) + jnp.abs(small))
    e = jnp.where(small > 0, -e, e)
    single = jnp.stack([e + quotient(big, e) - third, zero, zero])
    cubic = jnp.where(three_roots, three, jnp.where(two_roots, double, single))
    cubic_count = jnp.where(three_roots, 3, jnp.where(two_roots & (x0 != x1), 2, 1))
    roots = jnp.where(a0 != 0, cubic, jnp.where(a1 != 0, square, line))
    count = jnp.where(a0 != 0, cubic_count, jnp.where(a1 != 0, square_count, line_count))
    return count.astype(np.int32), roots[:, None].astype(coeffs.dtype)
