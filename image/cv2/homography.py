"""The projective map of the plane that fits pairs of points: `findHomography`.

Reference: R. Hartley, A. Zisserman, "Multiple view geometry in computer vision", 2nd edition, 2004, chapter 4.
"""

import inspect

import jax
import numpy as np
from jax import lax
from jax import numpy as jnp

from image.cv2 import _consensus as k
from image.cv2 import constants as c
from image.cv2._support import fail
from sci.bridge import Example, HostRoute, Reason, implements
from solvers.implicit import implicit

__all__ = ["findHomography"]

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
    finish=k.finish,
    finish_jax=k.finish_jax,
    note="LMEDS, RHO and the USAC methods; homogeneous points",
    examples=lambda: [
        Example(k.quads(), grad=("srcPoints", "dstPoints"), vmap=("srcPoints",), check=k.same_map,
                skip_odd=k.ODD),
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
