"""Affine maps of the plane fitted to pairs of points: `estimateAffine2D`, `estimateAffinePartial2D`.

Reference: R. Hartley, A. Zisserman, "Multiple view geometry in computer vision", 2nd edition, 2004, chapter 4.
"""

import inspect
from typing import Any

import numpy as np
from jax import lax
from jax import numpy as jnp

from image.cv2 import _consensus as k
from image.cv2 import constants as c
from image.cv2._support import fail
from sci.bridge import Example, HostRoute, Reason, implements

__all__ = ["estimateAffine2D", "estimateAffinePartial2D"]


def _prepare_affine(function, size):
    def prepare(call):
        call["method"] = int(call["method"])
        k.points(call, function, ("from_", "to"), 0 if size == 3 else 2)
        if call["method"] != c.RANSAC:
            if call["method"] == c.LMEDS:
                raise HostRoute(Reason.METHOD, "method=LMEDS")
            fail(function, f"Unknown or unsupported robust estimation method: method={call['method']}, give RANSAC")
        if call["count"] < size:
            raise HostRoute(Reason.SHAPE, f"{call['count']} points")
        if int(call["refineIters"]) <= 0 and call["count"] > size:
            raise HostRoute(Reason.OPTION, "refineIters=0: the map of a random sample")
        k.robust(call, function, size)

    return prepare


def _affine_fit(p, q, weights):
    """Least squares: ``q = M (p, 1)``."""
    centre, other = (jnp.sum(weights[:, None] * x, axis=0) / weights.sum() for x in (p, q))
    a, b = p - centre, q - other
    moment = jnp.matmul((weights[:, None] * a).T, a, precision="highest")
    mixed = jnp.matmul((weights[:, None] * b).T, a, precision="highest")
    det = moment[0, 0] * moment[1, 1] - moment[0, 1] ** 2
    good = det > 1e-12 * (moment[0, 0] + moment[1, 1]) ** 2
    adjugate = jnp.stack([moment[1, 1], -moment[0, 1], -moment[0, 1], moment[0, 0]]).reshape(2, 2)
    linear = jnp.matmul(mixed, adjugate, precision="highest") / jnp.where(good, det, 1)
    shift = other - jnp.matmul(linear, centre, precision="highest")
    return jnp.where(good, jnp.concatenate([linear, shift[:, None]], axis=1), np.nan)


def _similar_fit(p, q, weights):
    """Least squares among rotations with scale: one complex factor."""
    centre, other = (jnp.sum(weights[:, None] * x, axis=0) / weights.sum() for x in (p, q))
    a, b = p - centre, q - other
    power = (weights * (a * a).sum(axis=1)).sum()
    good = power > 0
    power = jnp.where(good, power, 1)
    real = (weights * (a * b).sum(axis=1)).sum() / power
    turn = (weights * (a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0])).sum() / power
    linear = jnp.stack([real, -turn, turn, real]).reshape(2, 2)
    shift = other - jnp.matmul(linear, centre, precision="highest")
    return jnp.where(good, jnp.concatenate([linear, shift[:, None]], axis=1), np.nan)


def _robust_fit(fit, p, q, weights, samples, nearest, confidence):
    dtype = jnp.promote_types(p.dtype, q.dtype)
    p, q, weights = p.astype(dtype), q.astype(dtype), weights.astype(dtype)
    a, b = lax.stop_gradient((p, q))

    def errors(m):
        return ((jnp.matmul(a, m[:, :2].T, precision="highest") + m[:, 2] - b) ** 2).sum(axis=1)

    one = jnp.ones(samples.shape[1], dtype)
    inliers = k.consensus(lambda i: fit(a[i], b[i], one), errors, samples, weights, nearest.astype(dtype), confidence)
    found = inliers.any()
    matrix = fit(p, q, jnp.where(found, inliers.astype(dtype), weights))
    good = found & jnp.all(jnp.isfinite(matrix))
    return jnp.where(good, matrix, np.nan), (inliers & good).astype(np.uint8)


_AFFINE: dict[str, Any] = {
    "dtypes": {
        "from_": "float", "to": "float", "weights": "float", "samples": "keep", "nearest": "float",
        "confidence": "float",
    },
    "ignored": ("inliers", "refineIters"),
    "signature": inspect.signature(
        lambda from_, to, inliers=None, method=8, ransacReprojThreshold=3.0, maxIters=2000, confidence=0.99,
        refineIters=10: None
    ),
    "finish": k.finish,
    "finish_jax": k.finish_jax,
    "note": "LMEDS; refineIters=0; fewer points than the map needs; homogeneous points",
}  # fmt: skip


@implements(
    "cv2.estimateAffine2D",
    **_AFFINE,
    prepare=_prepare_affine("estimateAffine2D", 3),
    examples=lambda: [
        Example(k.quads(), {"ransacReprojThreshold": 30.0}, grad=("from_", "to"), vmap=("to",),
                check=k.same_map, skip_odd=k.ODD),
    ],
)  # fmt: skip
def estimateAffine2D(from_, to, weights, samples, nearest, confidence):
    """The affine map of points onto others, of least squares over RANSAC's inliers.

    Draws other samples than OpenCV's: where the consensus is clear, the inliers and the map are the same.
    Differentiable in the points, with the inliers held.

    Parameters
    ----------
    from_, to : arrays (n, 2) or (n, 1, 2)
    inliers : ignored
    method : RANSAC
    ransacReprojThreshold : float
        In pixels; 3 where it is not positive.
    maxIters : int
        Rounded up to a whole number of batches of 128 samples.
    confidence : float
    refineIters : int
        The last fit is a linear one, done at once.

    Returns
    -------
    M : float64 array (2, 3)
        None where there is none (NaN in the JAX world).
    inliers : uint8 array (n, 1)

    Raises
    ------
    cv2.error
        Lists of different lengths, unknown methods, a confidence out of range.

    Examples
    --------
    >>> import numpy as np
    >>> from image import cv2
    >>> p = np.array([[0, 0], [4, 0], [0, 4], [4, 5]], np.float32)
    >>> cv2.estimateAffine2D(p, 2 * p + 1)[0].round(6) + 0.0
    array([[2., 0., 1.],
           [0., 2., 1.]])
    """
    return _robust_fit(_affine_fit, from_, to, weights, samples, nearest, confidence)


@implements(
    "cv2.estimateAffinePartial2D",
    **_AFFINE,
    prepare=_prepare_affine("estimateAffinePartial2D", 2),
    examples=lambda: [
        Example(k.quads(), {"ransacReprojThreshold": 30.0}, grad=("from_", "to"), vmap=("to",),
                check=k.same_map, skip_odd=k.ODD),
    ],
)  # fmt: skip
def estimateAffinePartial2D(from_, to, weights, samples, nearest, confidence):
    """The rotation, scale and shift of points onto others, of least squares over inliers; see `estimateAffine2D`.

    Examples
    --------
    >>> import numpy as np
    >>> from image import cv2
    >>> p = np.array([[0, 0], [4, 0], [0, 4], [4, 5]], np.float32)
    >>> cv2.estimateAffinePartial2D(p, 2 * p + 1)[0].round(6) + 0.0
    array([[2., 0., 1.],
           [0., 2., 1.]])
    """
    return _robust_fit(_similar_fit, from_, to, weights, samples, nearest, confidence)
