"""Square root of a matrix by products and inverses alone."""

import jax.numpy as jnp
from jax import lax

from solvers.linear.lu import factor

__all__ = ["sqrt_by_products"]

_MOST_STEPS = 20
#: From this distance of the product to the identity on, scaling only disturbs the quadratic convergence.
_NEAR = 0.1


def sqrt_by_products(a):
    """The principal square root of one matrix (n, n) in its own dtype, and whether it is as good as by Schur's form.

    No eigenvalue decomposition, which takes several times as long as all the products; but it fails for eigenvalues on
    the negative axis or close to it, and for matrices of large condition. Not differentiable.

    Returns
    -------
    x : array, shape (n, n)
    ok : bool
        Whether the residual is of the size of rounding errors, and the condition of `a` moderate.

    References
    ----------
    S. H. Cheng, N. J. Higham, C. S. Kenney, A. J. Laub, "Approximating the logarithm of a matrix to specified
    accuracy", SIAM J. Matrix Anal. Appl. 22 (2001) 1112-1125: the product form of the Denman-Beavers iteration, with
    scaling by the determinant.
    """
    n, dtype = a.shape[0], a.dtype
    eps = jnp.finfo(dtype).eps
    eye = jnp.eye(n, dtype=dtype)

    def norm(m):
        return jnp.sqrt((jnp.abs(m) ** 2).sum())

    def step(carry):
        k, m, x, distance, _, _ = carry
        lu, permutation = factor(m)
        inverse = lax.linalg.triangular_solve(lu, eye[permutation], left_side=True, lower=True, unit_diagonal=True)
        inverse = lax.linalg.triangular_solve(lu, inverse, left_side=True, lower=False)
        scale = jnp.exp(-jnp.log(jnp.abs(jnp.diagonal(lu))).mean())  # mu squared
        scale = jnp.where(distance < _NEAR, 1, scale).astype(dtype)
        condition = jnp.where(k == 0, norm(m) * norm(inverse), carry[5])
        inverse = inverse / scale
        x = jnp.sqrt(scale) * (x + x @ inverse) / 2
        m = (eye + (scale * m + inverse) / 2) / 2
        return k + 1, m, x, norm(m - eye), distance, condition

    def going(carry):
        k, _, _, distance, before, condition = carry
        falling = (distance < before / 2) | (distance >= _NEAR)
        return (k < _MOST_STEPS) & (distance > n * eps) & falling & (condition < 1e-4 / eps)

    far, unknown = jnp.asarray(jnp.inf, eps.dtype), jnp.zeros((), eps.dtype)
    steps, _, x, distance, _, condition = lax.while_loop(going, step, (0, a, a, far, far, unknown))
    residual = norm(x @ x - a)
    good = (distance < jnp.sqrt(eps)) & (steps < _MOST_STEPS) & (condition < 1e-4 / eps)
    return x, good & (residual <= n * eps * norm(x) ** 2)
