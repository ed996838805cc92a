"""Matrices: `transform`, `perspectiveTransform`, `gemm`, `invert`, `solve`, `determinant`."""

import inspect

import numpy as np
from jax import numpy as jnp

from image.cv2 import constants as c
from image.cv2._support import NATIVE, array_argument, fail, image_argument, into_dst, planes, saturate, working_dtype
from sci.bridge import Example, HostRoute, Reason, implements
from sci.bridge.worlds import is_jax

__all__ = ["determinant", "gemm", "invert", "perspectiveTransform", "solve", "transform"]

_ODD = ("0-d", "1x1", "one axis more", "empty", "nan", "inf")


def _matrix(call, function, name):
    value = array_argument(call, name)
    if not isinstance(value, np.ndarray) and not is_jax(value):
        fail(function, f"{name} is not a numpy array, but {type(value).__name__}")
    if name == "m" and np.dtype(value.dtype).kind in "iu":  # a map of vectors may be of integers
        value = call[name] = value.astype(jnp.result_type(float) if is_jax(value) else np.float64)
    if np.dtype(value.dtype) not in (np.float32, np.float64):
        fail(function, f"{name} must be float32 or float64, not {value.dtype}")
    if value.ndim != 2 or value.size == 0:
        raise HostRoute(Reason.SHAPE, f"{name} has shape {value.shape}")
    return value


def _prepare_transform(call):
    src = image_argument(call, "transform", empty=True)
    m = _matrix(call, "transform", "m")
    if src.ndim == 1 or np.dtype(src.dtype) not in NATIVE:
        raise HostRoute(Reason.SHAPE if src.ndim == 1 else Reason.DTYPE, f"src is {src.dtype} {src.shape}")
    channels = src.shape[2] if src.ndim == 3 else 1
    if m.shape[1] not in (channels, channels + 1):
        fail("transform", f"scn == m.cols || scn + 1 == m.cols does not hold: src has {channels} channels, m {m.shape}")


def _photo():
    return np.random.default_rng(42).integers(0, 256, (4, 5, 3), dtype=np.uint8)


_MIX = np.array([[0.3, 0.5, 0.1, 2.0], [0.1, -0.2, 0.9, 7.0]])


@implements(
    "cv2.transform",
    dtypes="keep",
    signature=inspect.signature(lambda src, m, dst=None: None),
    prepare=_prepare_transform,
    finish=into_dst,
    note="depths other than uint8, uint16, int16, float32, float64; empty and one-dimensional arrays",
    examples=lambda: [
        Example((_photo(), _MIX), vmap=("src",), rtol=0, atol=1, skip_odd=_ODD),
        Example((_photo() / 9.0, _MIX), grad=("src", "m"), rtol=1e-10, skip_odd=_ODD),
    ],
)
def transform(src, m):
    """The channels of every pixel times a matrix, plus its last column if it has one more. Differentiable.

    Parameters
    ----------
    src : array, (h, w) or (h, w, channels)
    m : float array, (n, channels) or (n, channels + 1)

    Returns
    -------
    array, (h, w[, n]), like `src`
        Integers rounded half to even and saturated, within one level.

    Raises
    ------
    cv2.error
        A matrix that does not fit the channels.

    Examples
    --------
    >>> import numpy as np
    >>> from image import cv2
    >>> cv2.transform(np.array([[1, 2]], np.uint8), np.array([[3.0, 1.0]]))
    array([[4, 7]], dtype=uint8)
    """
    x = src if src.ndim == 3 else src[..., None]
    x = x.astype(working_dtype(src.dtype))
    m = m.astype(x.dtype)
    channels = x.shape[2]
    rows = []
    for i in range(m.shape[0]):
        total = sum(x[..., k] * m[i, k] for k in range(channels))
        rows.append(total + m[i, channels] if m.shape[1] > channels else total)
    return planes(saturate(jnp.stack(rows, axis=-1), src.dtype))


def _prepare_projection(call):
    src = image_argument(call, "perspectiveTransform", empty=True)
    m = _matrix(call, "perspectiveTransform", "m")
    if np.dtype(src.dtype) not in (np.float32, np.float64):
        fail("perspectiveTransform", f"depth == CV_32F || depth == CV_64F does not hold: src is {src.dtype}")
    channels = src.shape[2] if src.ndim == 3 else 1
    if src.ndim == 1:
        raise HostRoute(Reason.SHAPE, "src has one dimension")
    if m.shape[1] != channels + 1:
        fail(
            "perspectiveTransform",
            f"scn + 1 == m.cols does not hold: src has {channels} coordinates (shape {src.shape}), m {m.shape}",
        )
    if m.shape[0] < 2:
        raise HostRoute(Reason.SHAPE, f"m has shape {m.shape}")


@implements(
    "cv2.perspectiveTransform",
    dtypes="keep",
    signature=inspect.signature(lambda src, m, dst=None: None),
    prepare=_prepare_projection,
    finish=into_dst,
    note="empty and one-dimensional arrays",
    examples=lambda: [
        Example(
            (_photo()[:, :, :2] / 99.0, np.array([[1.0, 0.2, 3], [0.1, 0.9, 1], [0.01, 0.02, 1]])),
            grad=("src", "m"),
            vmap=("src",),
            rtol=1e-9,
            skip_odd=_ODD,
        )
    ],
)
def perspectiveTransform(src, m):
    """A projective map of points of two or three coordinates. Differentiable.

    Parameters
    ----------
    src : float32 or float64 array, (n, 1, 2), (1, n, 2) or with three coordinates
    m : float array, (3, 3) or (4, 4)

    Returns
    -------
    array like `src`
        Points at infinity are zero.

    Raises
    ------
    cv2.error
        Points that are not floating point, a matrix that does not fit.

    Examples
    --------
    >>> import numpy as np
    >>> from image import cv2
    >>> cv2.perspectiveTransform(np.array([[[1.0, 2.0]]]), np.diag([2.0, 2.0, 1.0]))
    array([[[2., 4.]]])
    """
    x = src if src.ndim == 3 else src[..., None]
    m = m.astype(jnp.result_type(float) if src.dtype == np.float64 else m.dtype)
    channels = x.shape[2]
    values = [sum(x[..., k] * row[k] for k in range(channels)) + row[channels] for row in m]
    w = values[-1]
    tiny = float(np.finfo(np.float32).eps)
    scale = jnp.where(jnp.abs(w) > tiny, 1.0 / jnp.where(jnp.abs(w) > tiny, w, 1.0), 0.0)
    return planes(jnp.stack([v * scale for v in values[:-1]], axis=-1).astype(src.dtype))


def _prepare_gemm(call):
    flags = int(call["flags"])
    if flags & ~7:
        fail("gemm", f"flags={flags}: allowed are GEMM_1_T, GEMM_2_T, GEMM_3_T")
    call["turned"] = tuple(bool(flags & k) for k in (c.GEMM_1_T, c.GEMM_2_T, c.GEMM_3_T))
    a, b = (_matrix(call, "gemm", n) for n in ("src1", "src2"))
    third = call["src3"]
    if third is not None and np.size(third) == 0:
        third = call["src3"] = None
    if third is not None:
        third = _matrix(call, "gemm", "src3")
    if len({np.dtype(m.dtype) for m in (a, b, third) if m is not None}) > 1:
        fail("gemm", f"src1, src2 and src3 must have one dtype: {a.dtype}, {b.dtype}")
    shapes = [m.shape[::-1] if t else m.shape for m, t in zip((a, b), call["turned"], strict=False)]
    if shapes[0][1] != shapes[1][0]:
        fail("gemm", f"a_size.width == len does not hold: src1 {a.shape} times src2 {b.shape} with flags={flags}")
    if third is not None:
        shape = third.shape[::-1] if call["turned"][2] else third.shape
        if shape != (shapes[0][0], shapes[1][1]):
            fail("gemm", f"src3 has shape {third.shape}, the product {(shapes[0][0], shapes[1][1])}")


def _square(seed, n=3):
    return np.random.default_rng(seed).standard_normal((n, n)) + 2 * np.eye(n)


@implements(
    "cv2.gemm",
    static=("turned",),
    dtypes="keep",
    signature=inspect.signature(lambda src1, src2, alpha, src3, beta, dst=None, flags=0: None),
    prepare=_prepare_gemm,
    finish=into_dst,
    note="matrices of complex numbers, empty ones",
    examples=lambda: [
        Example(
            (_square(1), _square(2), 2.0, _square(3), 0.5),
            {"flags": 1},
            grad=("src1", "src2", "src3"),
            vmap=("src1",),
            skip_odd=_ODD,
        )
    ],
)
def gemm(src1, src2, alpha, src3, beta, turned):
    """``alpha * src1 @ src2 + beta * src3``. Differentiable.

    Parameters
    ----------
    src1, src2, src3 : float32 or float64 matrices of one dtype; `src3` may be None
    alpha, beta : float
    flags : int
        GEMM_1_T, GEMM_2_T, GEMM_3_T: transpose the first, second, third matrix.

    Raises
    ------
    cv2.error
        Matrices that are not floating point, of different dtypes or of shapes that do not fit.

    Examples
    --------
    >>> import numpy as np
    >>> from image import cv2
    >>> cv2.gemm(np.eye(2), np.array([[1.0], [2.0]]), 3.0, None, 0.0)
    array([[3.],
           [6.]])
    """
    a, b = (m.T if t else m for m, t in zip((src1, src2), turned, strict=False))
    product = jnp.matmul(a, b, precision="highest") * jnp.asarray(alpha, src1.dtype)
    if src3 is None:
        return product
    return product + jnp.asarray(beta, src1.dtype) * (src3.T if turned[2] else src3)


def _prepare_invert(call):
    m = _matrix(call, "invert", "src")
    method = int(call["flags"])
    if method not in (c.DECOMP_LU, c.DECOMP_CHOLESKY):
        raise HostRoute(Reason.METHOD, f"flags={method}")
    if m.shape[0] != m.shape[1]:
        fail("invert", f"m == n does not hold: src has shape {m.shape}")
    if method == c.DECOMP_CHOLESKY:
        raise HostRoute(Reason.METHOD, "DECOMP_CHOLESKY")


def _finish_invert(call, result):
    regular, inverse = result
    return float(regular), into_dst(call, inverse)


@implements(
    "cv2.invert",
    dtypes="keep",
    signature=inspect.signature(lambda src, dst=None, flags=0: None),
    prepare=_prepare_invert,
    finish=_finish_invert,
    note="methods other than DECOMP_LU, empty matrices",
    examples=lambda: [Example((_square(4),), grad=("src",), vmap=("src",), rtol=1e-9, skip_odd=_ODD)],
)
def invert(src):
    """Inverse of a matrix; zeros for a singular one. Differentiable.

    Parameters
    ----------
    src : float32 or float64 array, (n, n)

    Returns
    -------
    retval : float
        1 where the matrix is regular, else 0.
    dst : array, (n, n)

    Raises
    ------
    cv2.error
        Matrices that are not square or not floating point.

    Examples
    --------
    >>> import numpy as np
    >>> from image import cv2
    >>> cv2.invert(np.diag([2.0, 4.0]))[1]
    array([[0.5 , 0.  ],
           [0.  , 0.25]])
    """
    inverse = jnp.linalg.inv(src)
    regular = jnp.isfinite(inverse).all() | ~jnp.isfinite(src).all()
    return regular.astype(src.dtype), jnp.where(regular, inverse, 0)


def _prepare_solve(call):
    a, b = (_matrix(call, "solve", n) for n in ("src1", "src2"))
    if int(call["flags"]) != c.DECOMP_LU:
        raise HostRoute(Reason.METHOD, f"flags={call['flags']}")
    if a.shape[0] != a.shape[1]:
        fail("solve", f"src.rows == src.cols does not hold for DECOMP_LU: src1 has shape {a.shape}")
    if b.shape[0] != a.shape[0] or a.dtype != b.dtype:
        fail("solve", f"src1 and src2 do not fit: {a.dtype} {a.shape} and {b.dtype} {b.shape}")


def _finish_solve(call, result):
    regular, x = result
    return bool(regular), into_dst(call, x)


@implements(
    "cv2.solve",
    dtypes="keep",
    signature=inspect.signature(lambda src1, src2, dst=None, flags=0: None),
    prepare=_prepare_solve,
    finish=_finish_solve,
    note="methods other than DECOMP_LU, empty matrices",
    examples=lambda: [
        Example((_square(5), _square(6)), grad=("src1", "src2"), vmap=("src2",), rtol=1e-9, skip_odd=_ODD)
    ],
)
def solve(src1, src2):
    """Solution of ``src1 @ x = src2``. Differentiable.

    Parameters
    ----------
    src1 : float32 or float64 array, (n, n)
    src2 : array, (n, m), of the same dtype

    Returns
    -------
    retval : bool
        Whether `src1` is regular; the solution is zero otherwise (OpenCV leaves memory as it finds it).
    dst : array, (n, m)

    Raises
    ------
    cv2.error
        Matrices that do not fit, are not square or not floating point.

    Examples
    --------
    >>> import numpy as np
    >>> from image import cv2
    >>> cv2.solve(np.diag([2.0, 4.0]), np.ones((2, 1)))
    (True, array([[0.5 ],
           [0.25]]))
    """
    x = jnp.linalg.solve(src1, src2)
    regular = jnp.isfinite(x).all() | ~(jnp.isfinite(src1).all() & jnp.isfinite(src2).all())
    return regular, jnp.where(regular, x, 0)


def _prepare_determinant(call):
    m = _matrix(call, "determinant", "mtx")
    if m.shape[0] != m.shape[1]:
        fail("determinant", f"mat.rows == mat.cols does not hold: mtx has shape {m.shape}")


@implements(
    "cv2.determinant",
    dtypes="keep",
    signature=inspect.signature(lambda mtx: None),
    prepare=_prepare_determinant,
    finish=lambda call, result: float(result),
    note="empty matrices",
    examples=lambda: [Example((_square(7),), grad=("mtx",), vmap=("mtx",), rtol=1e-9, skip_odd=_ODD)],
)
def determinant(mtx):
    """Determinant of a square matrix. Differentiable.

    Raises
    ------
    cv2.error
        Matrices that are not square or not floating point.

    Examples
    --------
    >>> import numpy as np
    >>> from image import cv2
    >>> cv2.determinant(np.diag([2.0, 4.0]))
    8.0
    """
    return jnp.linalg.det(mtx.astype(jnp.result_type(float)) if mtx.dtype == np.float64 else mtx)
