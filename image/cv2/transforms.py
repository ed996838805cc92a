"""Maps of the plane from points and angles: `getRotationMatrix2D`, `getAffineTransform`, `getPerspectiveTransform`."""

import inspect
import itertools

import numpy as np
from jax import numpy as jnp

from image.cv2._resampling import inverted_affine
from image.cv2._support import array_argument, fail, into_dst
from sci.bridge import Example, HostRoute, Reason, implements
from sci.bridge.worlds import is_jax

__all__ = ["getAffineTransform", "getPerspectiveTransform", "getRotationMatrix2D", "invertAffineTransform"]


def _prepare_rotation(call):
    center = call["center"]
    if not is_jax(center):
        try:
            x, y = center
            call["center"] = np.array([x, y], np.float32).astype(np.float64)  # a cv::Point2f
        except (TypeError, ValueError):
            fail("getRotationMatrix2D", f"center must be two numbers, not {center!r}")
    elif np.shape(center) != (2,):
        call["center"] = jnp.asarray(center)
        if call["center"].shape != (2,):
            fail("getRotationMatrix2D", f"center must be two numbers, not {center!r}")


@implements(
    "cv2.getRotationMatrix2D",
    dtypes={"center": "float", "angle": "float", "scale": "float"},
    signature=inspect.signature(lambda center, angle, scale: None),
    prepare=_prepare_rotation,
    vmap=False,
    # OpenCV takes arrays of two entries for a point, and objects to others with other exceptions
    examples=lambda: [
        Example(((3.5, 2.0), 30.0, 1.2), grad=("angle", "scale")),
    ],
)
def getRotationMatrix2D(center, angle, scale):
    """The affine map that turns by `angle` degrees counter-clockwise around a point and scales. Differentiable.

    Parameters
    ----------
    center : (float, float)
        x and y of the fixed point.
    angle : float
        In degrees.
    scale : float

    Returns
    -------
    float64 array, (2, 3)

    Raises
    ------
    cv2.error
        `center` that is not two numbers.

    Examples
    --------
    >>> from image import cv2
    >>> cv2.getRotationMatrix2D((1, 1), 90, 1).round(12) + 0.0
    array([[ 0.,  1.,  0.],
           [-1.,  0.,  2.]])
    """
    x, y = center[0], center[1]
    radians = angle * (np.pi / 180)
    a, b = scale * jnp.cos(radians), scale * jnp.sin(radians)
    rows = [[a, b, (1 - a) * x - b * y], [-b, a, b * x + (1 - a) * y]]
    return jnp.stack([jnp.stack([jnp.asarray(k) for k in row]) for row in rows])


def _points(call, function, count):
    for name in ("src", "dst"):
        value = array_argument(call, name)
        if not isinstance(value, np.ndarray) and not is_jax(value):
            fail(function, f"{name} is not a numpy array, but {type(value).__name__}")
        if call.numpy and value.dtype != np.float32:
            fail(function, f"{name}.checkVector(2, CV_32F) == {count} does not hold: {name} is {value.dtype}")
        if value.shape not in ((count, 2), (count, 1, 2), (1, count, 2)):
            fail(function, f"{name}.checkVector(2, CV_32F) == {count} does not hold: its shape is {value.shape}")
        call[name] = value.reshape(count, 2)
    if call.numpy:
        call["src"], call["dst"] = call["src"].astype(np.float64), call["dst"].astype(np.float64)


# which entries of the result are NaN then depends on the elimination
_INFINITE = ("nan", "inf")
_TRIANGLE = np.array([[0, 0], [4, 1], [1, 5]], np.float32), np.array([[1, 0], [5, 2], [0, 7]], np.float32)


def _finish_affine(call, result):
    finite = np.isfinite(call["src"]).all() and np.isfinite(call["dst"]).all()
    return np.zeros((2, 3)) if finite and not np.isfinite(result).all() else result


@implements(
    "cv2.getAffineTransform",
    finish=_finish_affine,
    signature=inspect.signature(lambda src, dst: None),
    prepare=lambda call: _points(call, "getAffineTransform", 3),
    examples=lambda: [Example(_TRIANGLE, grad=("src", "dst"), vmap=("dst",), rtol=1e-6, atol=1e-7, skip_odd=_INFINITE)],
)
def getAffineTransform(src, dst):
    """The affine map of three points onto three others. Differentiable.

    Parameters
    ----------
    src, dst : float32 arrays, (3, 2)

    Returns
    -------
    float64 array, (2, 3)
        Zeros where the points of `src` lie on a line (NaN in the JAX world).

    Raises
    ------
    cv2.error
        Arrays that are not float32, or not three points.

    Examples
    --------
    >>> import numpy as np
    >>> from image import cv2
    >>> corners = np.array([[0, 0], [1, 0], [0, 1]], np.float32)
    >>> cv2.getAffineTransform(corners, 2 * corners + 1).round(6)
    array([[2., 0., 1.],
           [0., 2., 1.]])
    """
    (ax, ay), (bx, by) = src[1] - src[0], src[2] - src[0]
    det = ax * by - ay * bx
    # M (a b) = (u v): the linear part by the inverse of two edges, the shift from the first point
    inverse = jnp.stack([jnp.stack([by, -bx]), jnp.stack([-ay, ax])]) / det
    edges = jnp.stack([dst[1] - dst[0], dst[2] - dst[0]], axis=1)
    linear = jnp.matmul(edges, inverse, precision="highest")
    shift = dst[0] - jnp.matmul(linear, src[0], precision="highest")
    return jnp.concatenate([linear, shift[:, None]], axis=1)


def _prepare_perspective(call):
    _points(call, "getPerspectiveTransform", 4)
    if int(call["solveMethod"]) != 0:
        raise HostRoute(Reason.METHOD, f"solveMethod={call['solveMethod']}")
    if call.numpy:  # OpenCV then gives the least-squares solution of least norm
        for triple in itertools.combinations(call["src"], 3):
            a, b = triple[1] - triple[0], triple[2] - triple[0]
            if abs(a[0] * b[1] - a[1] * b[0]) <= 1e-10 * np.abs(call["src"]).max() ** 2:
                raise HostRoute(Reason.OPTION, "three points of src on a line")


_SQUARE = (
    np.array([[0, 0], [4, 1], [5, 5], [1, 6]], np.float32),
    np.array([[1, 0], [5, 2], [6, 7], [0, 5]], np.float32),
)


@implements(
    "cv2.getPerspectiveTransform",
    signature=inspect.signature(lambda src, dst, solveMethod=0: None),
    prepare=_prepare_perspective,
    note="solveMethod other than DECOMP_LU; three points of `src` on a line",
    examples=lambda: [Example(_SQUARE, grad=("src", "dst"), vmap=("dst",), rtol=1e-6, atol=1e-6, skip_odd=_INFINITE)],
)
def getPerspectiveTransform(src, dst):
    """The projective map of four points onto four others. Differentiable.

    Parameters
    ----------
    src, dst : float32 arrays, (4, 2)

    Returns
    -------
    float64 array, (3, 3)
        Its last entry is 1.

    Raises
    ------
    cv2.error
        Arrays that are not float32, or not four points.

    Examples
    --------
    >>> import numpy as np
    >>> from image import cv2
    >>> corners = np.array([[0, 0], [1, 0], [1, 1], [0, 1]], np.float32)
    >>> abs(cv2.getPerspectiveTransform(corners, 2 * corners + 1).round(6))
    array([[2., 0., 1.],
           [0., 2., 1.],
           [0., 0., 1.]])
    """
    x, y = src[:, 0], src[:, 1]
    one, zero = jnp.ones_like(x), jnp.zeros_like(x)
    u, v = dst[:, 0], dst[:, 1]
    upper = jnp.stack([x, y, one, zero, zero, zero, -x * u, -y * u], axis=1)
    lower = jnp.stack([zero, zero, zero, x, y, one, -x * v, -y * v], axis=1)
    solution = jnp.linalg.solve(jnp.concatenate([upper, lower]), jnp.concatenate([u, v]))
    return jnp.append(solution, jnp.ones((), solution.dtype)).reshape(3, 3)


def _prepare_invert(call):
    m = array_argument(call, "M")
    if not isinstance(m, np.ndarray) and not is_jax(m):
        fail("invertAffineTransform", f"M is not a numpy array, but {type(m).__name__}")
    if m.shape != (2, 3):
        fail("invertAffineTransform", f"matM.rows == 2 && matM.cols == 3 does not hold: M has shape {m.shape}")
    if m.dtype.kind != "f" or m.dtype.itemsize < 4:
        fail("invertAffineTransform", f"M must be float32 or float64, not {m.dtype}")


@implements(
    "cv2.invertAffineTransform",
    signature=inspect.signature(lambda M, iM=None: None),
    prepare=_prepare_invert,
    finish=lambda call, result: into_dst(call, result, "iM"),
    examples=lambda: [
        Example((np.array([[0.9, 0.2, 3], [-0.1, 1.1, 2]]),), grad=("M",), vmap=("M",), skip_odd=("nan", "inf"))
    ],
)
def invertAffineTransform(M):
    """The inverse of an affine map; zeros in the linear part of a singular one. Differentiable.

    Parameters
    ----------
    M : float array, (2, 3)

    Raises
    ------
    cv2.error
        Arrays of other shapes or dtypes.

    Examples
    --------
    >>> import numpy as np
    >>> from image import cv2
    >>> cv2.invertAffineTransform(np.array([[2.0, 0, 4], [0, 1, 0]])) + 0.0
    array([[ 0.5,  0. , -2. ],
           [ 0. ,  1. ,  0. ]])
    """
    return inverted_affine(M, jnp)
