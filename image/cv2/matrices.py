"""Square matrices and products with a transpose: `trace`, `completeSymm`, `eigen`, `mulTransposed`."""

import inspect

import numpy as np
from jax import numpy as jnp

from image.cv2 import constants as c
from image.cv2._operands import check_depth
from image.cv2._reductions import ODD, real
from image.cv2._support import fail, image_argument, into_dst
from sci.bridge import Example, HostRoute, Reason, implements

__all__ = ["completeSymm", "eigen", "mulTransposed", "trace"]

_NOTE = "arrays that are not of two dimensions (or three: channels); depths other than uint8 ... float64"


def _matrix(call, name, function, channels=False):
    dimensions = (2, 3) if channels else (2,)
    if call.numpy and np.ndim(call[name]) not in (2, 3):
        raise HostRoute(Reason.SHAPE, f"{name} has {np.ndim(call[name])} dimensions")
    value = image_argument(call, function, name, empty=True)
    if value.ndim not in dimensions:
        if value.shape[2] != 1:
            fail(function, f"{name}.channels() == 1 does not hold: {name} has {value.shape[2]} channels")
        raise HostRoute(Reason.SHAPE, f"{name} has three dimensions")
    check_depth(call, value)
    return value


def _square():
    return np.random.default_rng(43).normal(size=(4, 4))


def _prepare_trace(call):
    value = _matrix(call, "mtx", "trace", channels=True)
    if value.ndim == 3 and value.shape[2] > 4:
        fail("trace", f"cn <= 4 does not hold: mtx has {value.shape[2]} channels")


@implements(
    "cv2.trace",
    dtypes="keep",
    signature=inspect.signature(lambda mtx: None),
    prepare=_prepare_trace,
    finish=lambda call, result: tuple(float(v) for v in result),
    note=_NOTE,
    examples=lambda: [Example((_square(),), grad=("mtx",), vmap=("mtx",), skip_odd=(*ODD, "one axis less"))],
)
def trace(mtx):
    """Sum of the diagonal of every channel, four numbers with zeros behind. Differentiable.

    Parameters
    ----------
    mtx : array (h, w) or (h, w, up to 4 channels)

    Returns
    -------
    tuple of four floats

    Raises
    ------
    cv2.error
        More than four channels.

    Examples
    --------
    >>> import numpy as np
    >>> from image import cv2
    >>> cv2.trace(np.array([[1, 2], [3, 4]], np.uint8))
    (5.0, 0.0, 0.0, 0.0)
    """
    sums = jnp.ravel(jnp.trace(real(mtx)))
    return (*sums, *[jnp.zeros((), sums.dtype)] * (4 - sums.shape[0]))


def _prepare_symmetric(call):
    given = call["m"]
    value = _matrix(call, "m", "completeSymm", channels=True)
    if value.shape[0] != value.shape[1]:
        fail("completeSymm", f"m.rows == m.cols does not hold: m has the shape {value.shape}")
    if isinstance(given, np.ndarray) and not given.flags.writeable:
        fail("completeSymm", "m is read-only: it is changed in place")
    call["target"], call["upwards"] = given, bool(call["lowerToUpper"])


def _in_place(call, result):
    target = call["target"]
    if isinstance(target, np.ndarray):
        target[...] = result
        return target
    return result


@implements(
    "cv2.completeSymm",
    static=("upwards",),
    dtypes="keep",
    signature=inspect.signature(lambda m, lowerToUpper=False: None),
    prepare=_prepare_symmetric,
    finish=_in_place,
    note=_NOTE,
    # a tuple, which is not changed in place: the contract does not know arguments that change
    examples=lambda: [Example((tuple(map(tuple, _square())),), oracle=False, jit=False)],
)
def completeSymm(m, upwards):
    """Copy the upper half of a square matrix to the lower, or the other way round; in place in the NumPy world.

    Parameters
    ----------
    m : array (n, n) or (n, n, channels)
    lowerToUpper : bool

    Raises
    ------
    cv2.error
        A matrix that is not square.

    Examples
    --------
    >>> import numpy as np
    >>> from image import cv2
    >>> cv2.completeSymm(np.array([[1, 2], [3, 4]], np.int32))
    array([[1, 2],
           [2, 4]], dtype=int32)
    """
    row = jnp.arange(m.shape[0])
    keep = row[:, None] >= row if upwards else row[:, None] <= row
    return jnp.where(keep if m.ndim == 2 else keep[..., None], m, jnp.swapaxes(m, 0, 1))


def _prepare_eigen(call):
    value = _matrix(call, "src", "eigen")
    if value.shape[0] != value.shape[1]:
        fail("eigen", f"src.rows == src.cols does not hold: src has the shape {value.shape}")
    if value.dtype.kind != "f":
        fail("eigen", f"type == CV_32F || type == CV_64F does not hold: src is {value.dtype}")
    if call.numpy and not np.isfinite(value).all():
        raise HostRoute(Reason.OPTION, "values that are not finite")


def _finish_eigen(call, result):
    values, vectors = result
    return True, into_dst(call, values, "eigenvalues"), into_dst(call, vectors, "eigenvectors")


def _same_up_to_signs(ours, theirs):
    np.testing.assert_allclose(ours[1], theirs[1], rtol=1e-6, atol=1e-6)
    np.testing.assert_allclose(np.abs(ours[2]), np.abs(theirs[2]), rtol=1e-5, atol=1e-5)


@implements(
    "cv2.eigen",
    dtypes="keep",
    signature=inspect.signature(lambda src, eigenvalues=None, eigenvectors=None: None),
    prepare=_prepare_eigen,
    finish=_finish_eigen,
    finish_jax=lambda call, result: (True, *result),
    note=_NOTE,
    examples=lambda: [
        Example((_square(),), check=_same_up_to_signs, jit=False, skip_odd=("0-d", "1x1", "empty", "one axis less"))
    ],
)
def eigen(src):
    """Eigenvalues, largest first, and eigenvectors of a symmetric matrix, of which only the upper half is read.

    Vectors are unique up to their signs, which differ from OpenCV's. The values are differentiable.

    Parameters
    ----------
    src : float32 or float64 array (n, n)

    Returns
    -------
    retval : True
    eigenvalues : array (n, 1)
    eigenvectors : array (n, n)
        One a row.

    Raises
    ------
    cv2.error
        A matrix that is not square or not of floating point numbers.

    Examples
    --------
    >>> import numpy as np
    >>> from image import cv2
    >>> cv2.eigen(np.array([[2.0, 0.0], [0.0, 3.0]]))[1]
    array([[3.],
           [2.]])
    """
    upper = jnp.triu(src)
    values, vectors = jnp.linalg.eigh(upper + jnp.triu(src, 1).T, symmetrize_input=False)
    return values[::-1, None], vectors[:, ::-1].T


_PRODUCTS = (np.uint8, np.uint16, np.int16, np.float32)


def _prepare_product(call):
    value, delta = _matrix(call, "src", "mulTransposed"), call["delta"]
    wanted = int(call["dtype"])
    single = value.dtype in _PRODUCTS and wanted in (-1, c.CV_32F)
    if not single and not (value.dtype == np.float64 and wanted in (-1, c.CV_64F)):
        raise HostRoute(Reason.DTYPE, f"src is {value.dtype}, dtype={wanted}")
    call["output"] = np.dtype(np.float32 if single else np.float64)
    if delta is not None:
        delta = _matrix(call, "delta", "mulTransposed")
        if delta.shape[0] not in (1, value.shape[0]) or delta.shape[1] not in (1, value.shape[1]):
            fail(
                "mulTransposed",
                "(delta.rows == src.rows || delta.rows == 1) and the same of columns do not hold: "
                f"delta {delta.shape}, src {value.shape}",
            )
        if call.numpy and np.dtype(delta.dtype) != call["output"]:
            raise HostRoute(Reason.DTYPE, f"delta is {delta.dtype}, the result {call['output']}")
    call["inner"] = bool(call["aTa"])


@implements(
    "cv2.mulTransposed",
    static=("inner", "output"),
    dtypes="keep",
    signature=inspect.signature(lambda src, aTa, dst=None, delta=None, scale=1, dtype=-1: None),
    prepare=_prepare_product,
    finish=into_dst,
    note="int8 and int32; a delta of another dtype than the result; " + _NOTE,
    examples=lambda: [
        Example(
            (_square()[:3], True),
            {"delta": _square()[:1], "scale": 0.5},
            grad=("src", "delta"),
            vmap=("src",),
            skip_odd=("0-d", "1x1", "empty", "one axis more", "one axis less"),
        )
    ],
)
def mulTransposed(src, delta, scale, inner, output):
    """``scale (src - delta)' (src - delta)``, or with the transpose on the right. Differentiable.

    Parameters
    ----------
    src : array (h, w)
    aTa : bool
        Transpose on the left: (w, w); else on the right: (h, h).
    delta : array of `src`'s shape, or a row or column that is repeated; optional
    scale : float

    Returns
    -------
    float32 array; float64 for float64

    Raises
    ------
    cv2.error
        More than one channel, a delta that does not fit.

    Examples
    --------
    >>> import numpy as np
    >>> from image import cv2
    >>> cv2.mulTransposed(np.array([[1.0, 2.0]]), True)
    array([[1., 2.],
           [2., 4.]])
    """
    x = real(src) if delta is None else real(src) - real(delta)
    product = jnp.dot(x.T, x, precision="highest") if inner else jnp.dot(x, x.T, precision="highest")
    wanted = jnp.result_type(float) if output == np.float64 else output
    return (product * scale).astype(wanted)
