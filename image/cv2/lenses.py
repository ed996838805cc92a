"""Lens distortion: `initUndistortRectifyMap`, `undistort`."""

import inspect

import numpy as np
from jax import numpy as jnp

from image.cv2 import constants as c
from image.cv2._resampling import sampled
from image.cv2._support import array_argument, fail, image_argument, into_dst, pair, saturate, unsupported
from sci.bridge import Example, HostRoute, Reason, implements
from sci.bridge.worlds import is_jax

__all__ = ["initUndistortRectifyMap", "undistort"]

_COUNTS = (4, 5, 8, 12, 14)


def _camera(call, function, name, columns=(3,)):
    value = array_argument(call, name)
    if not isinstance(value, np.ndarray) and not is_jax(value):
        fail(function, f"{name} is not a numpy array, but {type(value).__name__}")
    if value.dtype.kind != "f" or value.ndim != 2 or value.shape[0] != 3 or value.shape[1] not in columns:
        fail(function, f"{name} must be a 3 x 3 matrix of floats, not {value.dtype} {value.shape}")
    return value if is_jax(value) else value.astype(np.float64)


def _lens(call, function, size=None):
    """Camera matrix, twelve distortion coefficients, and the inverse of new camera matrix times rotation."""
    camera = _camera(call, function, "cameraMatrix")
    given = array_argument(call, "distCoeffs")
    if given is None:
        coefficients = np.zeros(12)
    else:
        if not isinstance(given, np.ndarray) and not is_jax(given):
            fail(function, f"distCoeffs is not a numpy array, but {type(given).__name__}")
        if given.size == 0:
            given = np.zeros(4)
        if given.size not in _COUNTS or given.dtype.kind != "f" or max(given.shape) != given.size:
            fail(function, f"distCoeffs must be a vector of {_COUNTS} floats, not {given.dtype} {given.shape}")
        if given.size == 14 and (is_jax(given) or np.any(np.asarray(given).ravel()[12:])):
            raise HostRoute(Reason.OPTION, "tilted sensors (14 coefficients)")
        flat = given.reshape(-1)[:12]
        xp = jnp if is_jax(given) else np
        coefficients = xp.concatenate([flat, xp.zeros(12 - flat.size, flat.dtype)])
        if xp is np:
            coefficients = coefficients.astype(np.float64)
    new = call["newCameraMatrix"]
    if new is None or np.size(new) == 0:
        new = camera
        if size is not None:  # the principal point in the middle
            middle = [(n - 1) * 0.5 for n in size]
            if is_jax(camera):
                new = camera.at[0, 2].set(middle[0]).at[1, 2].set(middle[1])
            else:
                new = camera.copy()
                new[:2, 2] = middle
    else:
        new = _camera(call, function, "newCameraMatrix", (3, 4))[:, :3]
    rotation = call.get("R")
    if rotation is not None and np.size(rotation):
        rotation = _camera(call, function, "R")
        new = (jnp if is_jax(rotation) or is_jax(new) else np).matmul(new, rotation)
    inverse = jnp.linalg.inv(new) if is_jax(new) else np.linalg.inv(new) if np.linalg.det(new) else None
    if inverse is None:
        fail(function, "newCameraMatrix times R is singular")
    call["lens"] = (camera, coefficients, inverse)


def distorted_positions(lens, size, real):
    """Where the pixels of an undistorted image of `size` (height, width) lie in the distorted one: x, y.

    D. C. Brown's radial and tangential model, with the rational and thin-prism terms.
    """
    camera, k, inverse = (jnp.asarray(p).astype(real) for p in lens)
    column, row = jnp.arange(size[1], dtype=real), jnp.arange(size[0], dtype=real)[:, None]
    x, y, w = (m[0] * column + m[1] * row + m[2] for m in inverse)
    x, y = x / w, y / w
    square = x * x + y * y
    radial = 1 + ((k[4] * square + k[1]) * square + k[0]) * square
    radial = radial / (1 + ((k[7] * square + k[6]) * square + k[5]) * square)
    prism = square * square
    xd = x * radial + k[2] * 2 * x * y + k[3] * (square + 2 * x * x) + k[8] * square + k[9] * prism
    yd = y * radial + k[2] * (square + 2 * y * y) + k[3] * 2 * x * y + k[10] * square + k[11] * prism
    return camera[0, 0] * xd + camera[0, 2], camera[1, 1] * yd + camera[1, 2]


def _prepare_map(call):
    function = "initUndistortRectifyMap"
    width, height = pair(call["size"], function, "size")
    if width <= 0 or height <= 0:
        fail(function, f"size must be positive: size={call['size']!r}")
    kind = int(call["m1type"])
    kind = c.CV_16SC2 if kind <= 0 else kind
    if kind not in (c.CV_16SC2, c.CV_32FC1, c.CV_32FC2):
        fail(function, f"m1type={kind}: allowed are CV_16SC2, CV_32FC1, CV_32FC2")
    _lens(call, function, (width, height))
    call["shape"], call["output"] = (height, width), kind


_CAMERA = np.array([[9.0, 0, 5.5], [0, 8.5, 4.2], [0, 0, 1]])
_COEFFICIENTS = np.array([0.1, -0.02, 0.003, 0.004, 0.001])


def _finish_map(call, result):
    first, second = result
    return into_dst(call, first, "map1"), (None if second is None else into_dst(call, second, "map2"))


@implements(
    "cv2.initUndistortRectifyMap",
    static=("shape", "output"),
    trees=("lens",),
    dtypes="keep",
    signature=inspect.signature(
        lambda cameraMatrix, distCoeffs, R, newCameraMatrix, size, m1type, map1=None, map2=None: None
    ),
    prepare=_prepare_map,
    finish=_finish_map,
    vmap=False,
    note="tilted sensors (14 coefficients)",
    examples=lambda: [Example((_CAMERA, _COEFFICIENTS, None, _CAMERA, (7, 6), c.CV_32FC1), rtol=1e-6, atol=1e-6)],
)
def initUndistortRectifyMap(lens, shape, output):
    """The map for `remap` that removes a lens's distortion and turns the camera.

    Differentiable in the matrices and coefficients.

    Parameters
    ----------
    cameraMatrix, newCameraMatrix : float arrays, (3, 3)
        The latter may be None: the former, with the principal point in the middle.
    distCoeffs : float array of 4, 5, 8 or 12 entries, or None
        ``k1, k2, p1, p2[, k3[, k4, k5, k6[, s1, s2, s3, s4]]]``.
    R : float array, (3, 3), or None
        Rotation of the rectified camera.
    size : (int, int)
        Width and height.
    m1type : int
        CV_32FC1, CV_32FC2 or CV_16SC2.

    Returns
    -------
    map1, map2 : arrays
        See `convertMaps`.

    Raises
    ------
    cv2.error
        Matrices and coefficients of other shapes, sizes that are not positive, other types.

    References
    ----------
    D. C. Brown, "Close-range camera calibration", Photogrammetric Engineering 37(8), 1971.

    Examples
    --------
    >>> import numpy as np
    >>> from image import cv2
    >>> x, y = cv2.initUndistortRectifyMap(np.eye(3), None, None, np.eye(3), (3, 1), cv2.CV_32FC1)
    >>> x
    array([[0., 1., 2.]], dtype=float32)
    """
    x, y = distorted_positions(lens, shape, np.dtype(jnp.result_type(float)))
    if output == c.CV_16SC2:
        x, y = (saturate(k * 32.0, np.int32) for k in (x, y))
        whole = saturate(jnp.stack([x >> 5, y >> 5], axis=-1), np.int16)
        return whole, ((y & 31) * 32 + (x & 31)).astype(np.uint16)
    x, y = x.astype(np.float32), y.astype(np.float32)
    return (x, y) if output == c.CV_32FC1 else (jnp.stack([x, y], axis=-1), None)


def _prepare_undistort(call):
    src = image_argument(call, "undistort")
    if src.ndim < 2:
        raise HostRoute(Reason.SHAPE, "src has one dimension")
    _lens(call, "undistort")


@implements(
    "cv2.undistort",
    trees=("lens",),
    dtypes="keep",
    signature=inspect.signature(lambda src, cameraMatrix, distCoeffs, dst=None, newCameraMatrix=None: None),
    prepare=_prepare_undistort,
    supports=unsupported,
    finish=into_dst,
    vmap=False,
    note="tilted sensors (14 coefficients); depths that are not native; one-dimensional arrays",
    examples=lambda: [
        Example(
            (np.arange(72, dtype=np.uint8).reshape(8, 9) * 3, _CAMERA, _COEFFICIENTS),
            rtol=0,
            atol=1,
            skip_odd=("empty",),
        ),
    ],
)
def undistort(src, lens):
    """Remove a lens's distortion from an image; see `initUndistortRectifyMap` for the parameters.

    Interpolation is linear, on OpenCV's grid of 1/32 pixel, and zero lies outside; therefore differentiable in the
    image, not in the lens (`remap` with a map of floats is).

    Raises
    ------
    cv2.error
        Empty images, matrices and coefficients of other shapes.

    Examples
    --------
    >>> import numpy as np
    >>> from image import cv2
    >>> cv2.undistort(np.array([[1, 2, 3]], np.uint8), np.eye(3), None)
    array([[1, 2, 3]], dtype=uint8)
    """
    x, y = distorted_positions(lens, src.shape[:2], np.dtype(jnp.result_type(float)))
    return sampled(src, x, y, None, "linear", "constant", True)
