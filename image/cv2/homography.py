"""Maps of the plane fitted to pairs of points: `findHomography`, `estimateAffine2D`, `estimateAffinePartial2D`.

Reference: R. Hartley, A. Zisserman, "Multiple view geometry in computer vision", 2nd edition, 2004, chapter 4.
"""

import inspect
from typing import Any

import jax
import numpy as np
from jax import lax
from jax import numpy as jnp

from image.cv2 import _consensus as k
from image.cv2 import constants as c
from image.cv2._support import fail
from sci.bridge import Example, HostRoute, Reason, implements
from solvers.implicit import implicit

__all__ = ["estimateAffine2D", "estimateAffinePartial2D", "findHomography"]

_STEPS = 20


def _mapped(h, p):
    """Points under the projective map of the matrix `h`."""
    x = jnp.matmul(p, h[:, :2].T, precision="highest") + h[:, 2]
    return x[:, :2] / x[:, 2:]


def _square_errors(p, q):
    return lambda h: ((_mapped(h, p) - q) ** 2).sum(axis=1)


def _frame(p):
    """The matrix that takes the unit frame to four points, and its orientations; see Hartley and Zisserman, 2.3."""
    one = jnp.ones((4, 1), p.dtype)
    a, b, c, d = jnp.concatenate([p, one], axis=1)

    def det(u, v, w):
        return jnp.dot(u, jnp.cross(v, w))

    turns = jnp.stack([det(d, b, c), det(a, d, c), det(a, b, d)])
    return jnp.stack([a, b, c], axis=1) * turns, jnp.append(turns, det(a, b, c))


def _four_points(p, q):
    """The homography of four points onto four; NaN where three lie on a line or are turned over."""
    source, turns = _frame(p)
    target, turned = _frame(q)
    a, b, c = source.T
    inverse = jnp.stack([jnp.cross(b, c), jnp.cross(c, a), jnp.cross(a, b)])  # times the determinant
    h = jnp.matmul(target, inverse, precision="highest")
    same = turns * turned
    tiny = 1e-6
    good = (jnp.abs(turns).min() > tiny) & (jnp.abs(turned).min() > tiny) & (jnp.all(same > 0) | jnp.all(same < 0))
    return jnp.where(good, h, np.nan)


def _residuals(h, p, q, weights):
    matrix = jnp.append(h, jnp.ones((), h.dtype)).reshape(3, 3)
    return (weights[:, None] * (_mapped(matrix, p) - q)).ravel()


def _slopes(h, params):
    """Of half the sum of squares: zero at the fit."""
    r, pull = jax.vjp(lambda v: _residuals(v, *params), h)
    return pull(r)[0]


def _solve(normal, right):
    """Of a positive definite matrix, by Cholesky: compiles faster than LU. NaN for others."""
    lower = lax.linalg.cholesky(normal, symmetrize_input=False)
    y = lax.linalg.triangular_solve(lower, right[:, None], left_side=True, lower=True)
    return lax.linalg.triangular_solve(lower, y, left_side=True, lower=True, transpose_a=True)[:, 0]


def _least_squares(params, start):
    """Levenberg's and Marquardt's method, a fixed number of steps."""

    def step(_, state):
        h, cost, damping = state
        r = _residuals(h, *params)
        jacobian = jax.jacfwd(lambda v: _residuals(v, *params))(h)
        normal = jnp.matmul(jacobian.T, jacobian, precision="highest")
        normal = normal + jnp.diag(damping * jnp.diag(normal) + 1e-30)
        new = h - _solve(normal, jnp.matmul(jacobian.T, r, precision="highest"))
        found = (_residuals(new, *params) ** 2).sum()
        better = found < cost
        return jnp.where(better, new, h), jnp.where(better, found, cost), damping * jnp.where(better, 0.1, 10.0)

    cost = (_residuals(start, *params) ** 2).sum()
    h, *_ = lax.fori_loop(0, _STEPS, step, (start, cost, jnp.asarray(1e-3, start.dtype)))
    return h, {}


def _linear(p, q, weights):
    """The eight entries that solve ``q x (H p) = 0`` in the least squares."""
    x, y = p.T
    u, v = q.T
    one, zero = jnp.ones_like(x), jnp.zeros_like(x)
    rows = jnp.concatenate(
        [
            jnp.stack([x, y, one, zero, zero, zero, -x * u, -y * u], axis=1),
            jnp.stack([zero, zero, zero, x, y, one, -x * v, -y * v], axis=1),
        ]
    )
    w = jnp.concatenate([weights, weights])[:, None]
    normal = jnp.matmul((w * rows).T, rows, precision="highest")
    right = jnp.matmul((w * rows).T, jnp.concatenate([u, v]), precision="highest")
    return _solve(normal, right)


def _similarity(centre, spread):
    """The matrix of ``(x - centre) / spread``."""
    one, zero = jnp.ones((), spread.dtype), jnp.zeros((), spread.dtype)
    rows = [one / spread, zero, -centre[0] / spread, zero, one / spread, -centre[1] / spread, zero, zero, one]
    return jnp.stack(rows).reshape(3, 3)


def _inverse_similarity(centre, spread):
    one, zero = jnp.ones((), spread.dtype), jnp.zeros((), spread.dtype)
    return jnp.stack([spread, zero, centre[0], zero, spread, centre[1], zero, zero, one]).reshape(3, 3)


def _prepare_homography(call):
    function = "findHomography"
    k.points(call, function, ("srcPoints", "dstPoints"), 4)
    method = call["method"]
    if method not in (0, c.RANSAC):
        if method in (c.LMEDS, c.RHO) or 32 <= int(method) <= 38:
            raise HostRoute(Reason.METHOD, f"method={method}")
        fail(function, f"Unknown estimation method: method={method}, native are 0 and RANSAC")
    call["robust"] = method == c.RANSAC and call["count"] > 4
    if call["robust"]:
        k.robust(call, function, 4)
    else:
        call["nearest"] = call["samples"] = None


def _finish(call, result):
    matrix, mask = result
    mask = np.ascontiguousarray(mask[: call["count"], None])
    return (None, np.zeros_like(mask)) if not np.isfinite(matrix).all() else (matrix, mask)


def _finish_jax(call, result):
    return result[0], result[1][:, None]


def _quads(noise=0.2):
    rng = np.random.default_rng(53)
    p = rng.random((9, 2)) * 50
    q = np.array([[1.1, -0.1], [0.2, 0.9]]) @ p.T / (1 + p[:, 0] / 200) + 3
    # float64 that float32 holds, to which OpenCV rounds
    return tuple(x.astype(np.float32).astype(float) for x in (p, q.T + noise * rng.normal(size=p.shape)))


def _same_map(ours, theirs):
    # OpenCV's last fit ends when a step is small
    np.testing.assert_allclose(ours[0], theirs[0], rtol=1e-4, atol=1e-4)
    np.testing.assert_array_equal(ours[1], theirs[1])


# what is checked first differs; for int64 the tolerance is narrower than the last step of OpenCV's fit
_ODD = ("nan", "inf", "1x1", "one axis more", "0-d", "empty", "int64")


@implements(
    "cv2.findHomography",
    static=("robust",),
    dtypes={
        "srcPoints": "float", "dstPoints": "float", "weights": "float", "samples": "keep", "nearest": "float",
        "confidence": "float",
    },
    ignored=("mask",),
    signature=inspect.signature(
        lambda srcPoints, dstPoints, method=0, ransacReprojThreshold=3.0, mask=None, maxIters=2000, confidence=0.995:
        None
    ),
    prepare=_prepare_homography,
    finish=_finish,
    finish_jax=_finish_jax,
    note="LMEDS, RHO and the USAC methods; homogeneous points",
    examples=lambda: [
        Example(_quads(), grad=("srcPoints", "dstPoints"), vmap=("srcPoints",), check=_same_map,
                skip_odd=_ODD),
    ],
)  # fmt: skip
def findHomography(srcPoints, dstPoints, weights, samples, nearest, confidence, robust):
    """The projective map of points onto others, of least squares in the target plane; of the inliers with RANSAC.

    RANSAC draws other samples than OpenCV's: where the consensus is clear, the inliers and the map are the same.
    Differentiable in the points (with the inliers held) by the implicit function theorem.

    Parameters
    ----------
    srcPoints, dstPoints : arrays (n, 2) or (n, 1, 2), at least four points
        float32 as in OpenCV, whatever is given; in the JAX world in their own precision.
    method : {0, RANSAC}
    ransacReprojThreshold : float
        In pixels, of inliers; 3 where it is not positive.
    mask : ignored
    maxIters : int
        Rounded up to a whole number of batches of 128 samples.
    confidence : float
        Between 0 and 1, of having drawn a sample without outliers.

    Returns
    -------
    H : float64 array (3, 3), its last entry 1
        None where there is none (NaN in the JAX world).
    mask : uint8 array (n, 1)
        Of inliers.

    Raises
    ------
    cv2.error
        Fewer than four points, lists of different lengths, unknown methods, a confidence out of range.

    References
    ----------
    Normalised linear fit, then Levenberg-Marquardt: Hartley and Zisserman, algorithms 4.2 to 4.6.

    Examples
    --------
    >>> import numpy as np
    >>> from image import cv2
    >>> corners = np.array([[0, 0], [1, 0], [1, 1], [0, 1]], np.float32)
    >>> abs(cv2.findHomography(corners, 2 * corners + 1)[0].round(6))
    array([[2., 0., 1.],
           [0., 2., 1.],
           [0., 0., 1.]])
    """
    dtype = jnp.promote_types(srcPoints.dtype, dstPoints.dtype)
    p, q, weights = srcPoints.astype(dtype), dstPoints.astype(dtype), weights.astype(dtype)
    if robust:
        a, b = lax.stop_gradient((p, q))
        source, target = k.mean_and_spread(a, weights), k.mean_and_spread(b, weights)
        a, b = (a - source[0]) / source[1], (b - target[0]) / target[1]
        near = (nearest / target[1] ** 2).astype(dtype)
        inliers = k.consensus(
            lambda i: _four_points(a[i], b[i]), _square_errors(a, b), samples, weights, near, confidence
        )
        found = inliers.any()
        fitted = jnp.where(found, inliers.astype(dtype), weights)
    else:
        found, fitted = jnp.array(True), weights
    source, target = (lax.stop_gradient(k.mean_and_spread(x, fitted)) for x in (p, q))
    params = ((p - source[0]) / source[1], (q - target[0]) / target[1], fitted)
    start = _linear(*lax.stop_gradient(params))
    h, _ = implicit(_least_squares, _slopes, lambda x, params: {}, params, start)
    matrix = jnp.append(h, jnp.ones((), dtype)).reshape(3, 3)
    matrix = jnp.matmul(_inverse_similarity(*target), matrix, precision="highest")
    matrix = jnp.matmul(matrix, _similarity(*source), precision="highest")
    matrix = matrix / matrix[2, 2]
    mask = weights > 0
    if robust:
        mask = mask & (_square_errors(p, q)(matrix) <= nearest.astype(dtype))
        matrix = jnp.where(found, matrix, np.nan)
    good = jnp.all(jnp.isfinite(matrix))
    return matrix, (mask & good).astype(np.uint8)


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
    "finish": _finish,
    "finish_jax": _finish_jax,
    "note": "LMEDS; refineIters=0; fewer points than the map needs; homogeneous points",
}  # fmt: skip


@implements(
    "cv2.estimateAffine2D",
    **_AFFINE,
    prepare=_prepare_affine("estimateAffine2D", 3),
    examples=lambda: [
        Example(_quads(), {"ransacReprojThreshold": 30.0}, grad=("from_", "to"), vmap=("to",),
                check=_same_map, skip_odd=_ODD),
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
        Example(_quads(), {"ransacReprojThreshold": 30.0}, grad=("from_", "to"), vmap=("to",),
                check=_same_map, skip_odd=_ODD),
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
