"""`moments` of images and contours, `HuMoments`.

References: M.-K. Hu, "Visual pattern recognition by moment invariants", IRE Trans. Information Theory 8, 1962;
C. Steger, "On the calculation of arbitrary moments of polygons", 1996 (contours, by Green's theorem).
"""

import inspect

import numpy as np
from jax import numpy as jnp

from image.cv2._support import fail, image_argument
from sci.bridge import Example, HostRoute, Reason, implements

_ORDERS = ((0, 0), (1, 0), (0, 1), (2, 0), (1, 1), (0, 2), (3, 0), (2, 1), (1, 2), (0, 3))

_NAMES = tuple(f"m{p}{q}" for p, q in _ORDERS) + tuple(f"{k}{p}{q}" for k in ("mu", "nu") for p, q in _ORDERS[3:])


def _is_contour(array):
    """Points as OpenCV recognises them: (n, 2), (n, 1, 2) or (1, n, 2), int32 or float32."""
    if np.dtype(array.dtype) not in (np.int32, np.float32):
        return False
    if array.ndim == 3:
        return array.shape[2] == 2 and 1 in array.shape[:2]
    return array.ndim == 2 and array.shape[1] == 2


def _prepare(call):
    array = image_argument(call, "moments", "array", empty=True)
    call["contour"] = _is_contour(array)
    if call["contour"]:
        return
    if array.ndim == 3 and array.shape[2] != 1:
        fail("moments", f"Invalid image type (must be single-channel): array has shape {array.shape}")
    if np.dtype(array.dtype) not in (np.uint8, np.uint16, np.int16, np.float32, np.float64):
        fail("moments", f"array is {array.dtype}: give uint8, uint16, int16, float32 or float64, or points")
    if array.ndim == 1:
        raise HostRoute(Reason.SHAPE, "array has one dimension")
    call["binaryImage"] = bool(call["binaryImage"])


def _raw_of_image(x):
    rows, columns = (jnp.arange(n, dtype=x.dtype) for n in x.shape)
    powers_x = jnp.stack([columns**0, columns, columns**2, columns**3])
    powers_y = jnp.stack([rows**0, rows, rows**2, rows**3])
    # one pass over the image, then small sums; matrix products of the CPU keep double precision
    table = powers_y @ (x @ powers_x.T)
    return {(p, q): table[q, p] for p, q in _ORDERS}


def _raw_of_contour(points):
    """Integrals of x^p y^q over the polygon, each edge's share a polynomial in its ends; the area is positive."""
    x, y = points[:, 0], points[:, 1]
    a, b = jnp.roll(x, 1), jnp.roll(y, 1)  # the point before
    cross = a * y - x * b
    sums = {
        (0, 0): (cross.sum(), 2),
        (1, 0): ((cross * (a + x)).sum(), 6),
        (0, 1): ((cross * (b + y)).sum(), 6),
        (2, 0): ((cross * (a * a + a * x + x * x)).sum(), 12),
        (1, 1): ((cross * (a * (2 * b + y) + x * (b + 2 * y))).sum(), 24),
        (0, 2): ((cross * (b * b + b * y + y * y)).sum(), 12),
        (3, 0): ((cross * (a + x) * (a * a + x * x)).sum(), 20),
        (2, 1): ((cross * (a * a * (3 * b + y) + 2 * x * a * (b + y) + x * x * (b + 3 * y))).sum(), 60),
        (1, 2): ((cross * (b * b * (3 * a + x) + 2 * y * b * (a + x) + y * y * (a + 3 * x))).sum(), 60),
        (0, 3): ((cross * (b + y) * (b * b + y * y)).sum(), 20),
    }
    double_area = sums[0, 0][0]
    sign = jnp.where(double_area < 0, -1.0, 1.0)
    usable = jnp.abs(double_area) > float(np.finfo(np.float32).eps)
    return {key: jnp.where(usable, sign * value / part, 0.0) for key, (value, part) in sums.items()}


def _complete(m):
    """Central and normalised moments from the raw ones, in OpenCV's order of names."""
    area = m[0, 0]
    usable = jnp.abs(area) > float(np.finfo(np.float64).eps)
    inverse = jnp.where(usable, 1.0 / jnp.where(usable, area, 1.0), 0.0)
    cx, cy = m[1, 0] * inverse, m[0, 1] * inverse
    mu = {
        (2, 0): m[2, 0] - m[1, 0] * cx,
        (1, 1): m[1, 1] - m[1, 0] * cy,
        (0, 2): m[0, 2] - m[0, 1] * cy,
    }
    mu[3, 0] = m[3, 0] - cx * (3 * mu[2, 0] + cx * m[1, 0])
    mu[2, 1] = m[2, 1] - cx * (2 * mu[1, 1] + cx * m[0, 1]) - cy * mu[2, 0]
    mu[1, 2] = m[1, 2] - cy * (2 * mu[1, 1] + cy * m[1, 0]) - cx * mu[0, 2]
    mu[0, 3] = m[0, 3] - cy * (3 * mu[0, 2] + cy * m[0, 1])
    result = {f"m{p}{q}": m[p, q] for p, q in _ORDERS}
    result |= {f"mu{p}{q}": mu[p, q] for p, q in _ORDERS[3:]}
    root = jnp.sqrt(jnp.where(usable, jnp.abs(inverse), 0.0) + jnp.where(usable, 0.0, 1.0))
    for p, q in _ORDERS[3:]:
        scale = inverse * inverse * (root if p + q == 3 else 1.0)
        result[f"nu{p}{q}"] = mu[p, q] * scale
    return result


def _signature(array, binaryImage=False):
    """OpenCV's signature, which Python cannot read from its C function."""


def _photo():
    return np.random.default_rng(37).uniform(0.5, 2.0, (6, 7))


@implements(
    "cv2.moments",
    static=("binaryImage", "contour"),
    dtypes="keep",
    signature=inspect.signature(_signature),
    prepare=_prepare,
    finish=lambda call, result: {k: float(result[k]) for k in _NAMES},  # JAX sorts the keys
    note="one-dimensional arrays",
    examples=lambda: [
        Example((_photo(),), output=lambda r: [r[k] for k in r], rtol=1e-9, atol=1e-9, skip_odd=("nan", "inf")),
    ],
)
def moments(array, binaryImage, contour):
    """All moments up to the third order: raw (m), central (mu), normalised (nu).

    Parameters
    ----------
    array : array (h, w), or the points of a contour, (n, 2) or (n, 1, 2), int32 or float32
    binaryImage : bool
        Count every pixel that is not zero as 1; images only.

    Returns
    -------
    dict of 24 floats (in the JAX world of arrays without dimensions), in OpenCV's order; differentiable

    Raises
    ------
    cv2.error
        Several channels, depths other than uint8, uint16, int16, float32, float64.

    Examples
    --------
    >>> import numpy as np
    >>> from image import cv2
    >>> m = cv2.moments(np.array([[0, 2], [0, 6]], np.uint8))
    >>> m["m00"], m["m10"], m["m01"]
    (8.0, 8.0, 6.0)
    """
    wide = jnp.result_type(float)
    if contour:
        return _complete(_raw_of_contour(array.reshape(-1, 2).astype(wide)))
    x = array if array.ndim == 2 else array[..., 0]
    return _complete(_raw_of_image((x != 0).astype(wide) if binaryImage else x.astype(wide)))


_NU = ("nu20", "nu11", "nu02", "nu30", "nu21", "nu12", "nu03")


def _prepare_hu(call):
    m = call["m"]
    if not isinstance(m, dict):
        fail("HuMoments", f"m must be a dictionary of moments, not {type(m).__name__}")
    call["m"] = {k: m.get(k, 0.0) for k in _NU}  # as OpenCV: what is missing is zero


def _signature_hu(m, hu=None):
    """OpenCV's signature."""


def _some_moments():
    return dict(zip(_NU, (0.16, 0.01, 0.12, 0.002, -0.003, 0.004, 0.001), strict=True))


def _finish_hu(call, result):
    target = call["hu"]
    if isinstance(target, np.ndarray) and target.shape == result.shape and target.dtype == result.dtype:
        target[...] = result
        return target
    return result


@implements(
    "cv2.HuMoments",
    trees=("m",),
    signature=inspect.signature(_signature_hu),
    prepare=_prepare_hu,
    finish=_finish_hu,
    examples=lambda: [Example((_some_moments(),))],
)
def HuMoments(m):
    """Hu's seven invariants under translation, rotation and scaling, from the normalised moments.

    Parameters
    ----------
    m : dict
        What `moments` returns.

    Returns
    -------
    float array (7, 1)

    Raises
    ------
    cv2.error
        `m` is no dictionary.

    Examples
    --------
    >>> import numpy as np
    >>> from image import cv2
    >>> float(cv2.HuMoments(cv2.moments(np.ones((4, 4), np.uint8)))[0, 0])
    0.15625
    """
    nu20, nu11, nu02, nu30, nu21, nu12, nu03 = (jnp.asarray(m[k], float) for k in _NU)
    t0, t1 = nu30 + nu12, nu21 + nu03
    q0, q1 = t0 * t0, t1 * t1
    s, d, n4 = nu20 + nu02, nu20 - nu02, 4 * nu11
    a, b = nu30 - 3 * nu12, 3 * nu21 - nu03
    u, v = q0 - 3 * q1, 3 * q0 - q1
    hu = [
        s,
        d * d + n4 * nu11,
        a * a + b * b,
        q0 + q1,
        a * t0 * u + b * t1 * v,
        d * (q0 - q1) + n4 * t0 * t1,
        b * t0 * u - a * t1 * v,
    ]
    return jnp.stack(hu)[:, None]
