"""The damping that makes a Levenberg-Marquardt step fit the trust region.

References
----------
.. [1] J. J. More, "The Levenberg-Marquardt algorithm: implementation and theory", in Numerical Analysis,
   G. A. Watson (ed.), Springer, 1978, section 5.
"""

import jax.numpy as jnp
from jax import lax

from solvers.roots.vectors import norm

__all__ = ["damping"]

_MAX_ITERATIONS = 10


def damping(singular, image, delta, guess):
    """Solve ``norm(z(par)) = delta`` to a tenth, where ``z(par) = s c / (s^2 + par)``.

    Parameters
    ----------
    singular : (k,) array
        Singular values s of the scaled Jacobian.
    image : (k,) array
        Residuals c in the basis of the left singular vectors.
    delta : float array
        Radius of the trust region.
    guess : float array
        The parameter of the previous step.

    Returns
    -------
    par : float array
        Zero if the undamped step lies within the region.
    z : (k,) array
        The step (negated) in the basis of the right singular vectors.
    """
    info = jnp.finfo(singular.dtype)
    useful = singular > info.eps * singular.size * jnp.max(singular)
    safe = jnp.where(useful, singular, 1.0)
    full = jnp.where(useful, image / safe, 0.0)
    length = norm(full)
    excess = length - delta

    # Bounds of the parameter; the lower one holds only at full rank.
    steepness = norm(full / safe) / jnp.where(length > 0, length, 1.0)
    lower = jnp.where(jnp.all(useful), excess / delta / steepness**2, 0.0)
    gradient = norm(singular * image)
    upper = gradient / delta
    upper = jnp.where(upper == 0, info.tiny / jnp.minimum(delta, 0.1), upper)
    par = jnp.minimum(jnp.maximum(guess, lower), upper)
    par = jnp.where(par == 0, gradient / length, par)

    def body(carry):
        par, lower, upper, excess, _, count = carry
        par = jnp.where(par == 0, jnp.maximum(info.tiny, 0.001 * upper), par)
        weight = singular**2 + par
        z = singular * image / weight
        size = norm(z)
        previous, excess = excess, size - delta
        done = jnp.abs(excess) <= 0.1 * delta
        done |= (lower == 0) & (excess <= previous) & (previous < 0)
        done |= count >= _MAX_ITERATIONS - 1
        curvature = jnp.sum(z * z / weight)
        correction = excess / delta * size**2 / jnp.where(curvature > 0, curvature, 1.0)
        lower = jnp.where(excess > 0, jnp.maximum(lower, par), lower)
        upper = jnp.where(excess < 0, jnp.minimum(upper, par), upper)
        new = jnp.where(done, par, jnp.maximum(lower, par + correction))
        return new, lower, upper, excess, done, count + 1

    inside = ~(excess > 0.1 * delta)
    par = lax.while_loop(lambda c: ~c[4], body, (par, lower, upper, excess, inside, 0))[0]
    par = jnp.where(inside, 0.0, par)
    damped = singular * image / jnp.where(inside, 1.0, singular**2 + par)
    return par, jnp.where(inside, full, damped)
