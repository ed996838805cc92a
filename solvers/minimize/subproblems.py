"""Minimisers of a quadratic model within a ball.

References
----------
.. [1] J. J. More, D. C. Sorensen, "Computing a trust region step", SIAM J. Sci. Stat. Comput. 4 (1983) 553-572.
.. [2] J. Nocedal and S. J. Wright, "Numerical Optimization", 2nd ed., sections 4.1 and 7.1.
"""

import jax.numpy as jnp
from jax import lax

from solvers.roots.vectors import inner, norm

__all__ = ["dogleg", "exact", "steihaug"]

_MAX_SECULAR = 60


def exact(eigenvalues, gradient, radius):
    """Global minimiser in the eigenbasis of the Hessian, by Newton's method on the secular equation.

    Parameters
    ----------
    eigenvalues, gradient : (n,) array
        Ascending eigenvalues; the gradient's coordinates along the eigenvectors.
    radius : float array

    Returns
    -------
    step : (n,) array
        Coordinates along the eigenvectors.
    at_boundary : bool array
    """
    eps = jnp.finfo(gradient.dtype).eps
    size = jnp.maximum(jnp.max(jnp.abs(eigenvalues)), jnp.finfo(gradient.dtype).tiny)
    lowest = eigenvalues[0]
    length = norm(gradient)

    def step_at(shift):
        # Nothing along an eigenvector that the gradient does not see, even where its shifted eigenvalue vanishes.
        return jnp.where(gradient == 0, 0.0, -gradient / (eigenvalues + shift))

    newton = step_at(0.0)
    inside = (lowest > 0) & (norm(newton) < radius)

    floor = jnp.maximum(-lowest, 0.0)
    # Bounds of the shift: ||g|| / (lambda + shift) brackets the length.
    low = jnp.maximum(floor, length / radius - eigenvalues[-1])
    high = jnp.maximum(length / radius - lowest, low)
    # A shift that leaves no eigenvalue at zero.
    low = jnp.maximum(low, jnp.where(lowest > 0, 0.0, floor + eps * jnp.where(lowest < 0, -lowest, size)))
    high = jnp.maximum(high, low)

    def unsettled(carry):
        shift, low, high, count = carry
        error = jnp.abs(norm(step_at(shift)) - radius)
        return (error > 1e-10 * radius) & (count < _MAX_SECULAR) & (high - low > 2 * eps * high) & ~inside

    def refine(carry):
        shift, low, high, count = carry
        step = step_at(shift)
        longer = norm(step)
        low, high = jnp.where(longer > radius, shift, low), jnp.where(longer > radius, high, shift)
        bend = inner(step, jnp.where(gradient == 0, 0.0, step / (eigenvalues + shift)))
        moved = shift + longer**2 / bend * (longer - radius) / radius
        moved = jnp.where((moved > low) & (moved < high), moved, 0.5 * (low + high))
        return moved, low, high, count + 1

    shift, *_ = lax.while_loop(unsettled, refine, (low, low, high, 0))
    step = step_at(shift)
    # The hard case: the gradient has no part along the lowest eigenvector, which has to fill the radius.
    short = jnp.sqrt(jnp.maximum(radius**2 - inner(step, step), 0.0))
    hard = (norm(step) < radius * (1 - 1e-8)) & (lowest <= 0)
    fill = jnp.where(step[0] < 0, -1.0, 1.0) * (jnp.sqrt(step[0] ** 2 + short**2) - jnp.abs(step[0]))
    first = lax.iota(jnp.int32, gradient.size) == 0
    step = step + jnp.where(hard & first, fill, 0.0)
    return jnp.where(inside, newton, step), ~inside


def dogleg(eigenvalues, gradient, radius):
    """Minimiser on Powell's dogleg path, as `exact`; NaN where the Hessian is not positive definite."""
    newton = -gradient / eigenvalues
    cauchy = -(inner(gradient, gradient) / inner(gradient, eigenvalues * gradient)) * gradient
    inside = norm(newton) < radius
    length = norm(cauchy)
    way = newton - cauchy
    bent = cauchy + _to_boundary(cauchy, way, radius)[1] * way
    step = jnp.where(inside, newton, jnp.where(length >= radius, cauchy * (radius / length), bent))
    return jnp.where(eigenvalues[0] > 0, step, jnp.nan), ~inside


def steihaug(hessian, gradient, radius):
    """Conjugate gradients stopped at the boundary or at negative curvature.

    Returns
    -------
    step : (n,) array
    image : (n,) array
        Hessian times step.
    at_boundary : bool array
    products : int array
        Products with the Hessian.
    """
    length = norm(gradient)
    tolerance = jnp.minimum(0.5, jnp.sqrt(length)) * length
    zero = jnp.zeros_like(gradient)
    most = 20 * gradient.size + 20

    def going(carry):
        return ~carry[-1] & (carry[-2] < most)

    def advance(carry):
        z, hz, r, d, _, count, _ = carry
        hd = hessian(d)
        curvature = inner(d, hd)
        squared = inner(r, r)
        alpha = squared / curvature
        back, ahead = _to_boundary(z, d, radius)

        def model(t):
            return t * inner(r, d) + 0.5 * t * t * curvature

        concave = ~(curvature > 0)
        crossing = ~concave & ~(norm(z + alpha * d) < radius)
        farthest = jnp.where(concave & (model(back) < model(ahead)), back, ahead)
        t = jnp.where(concave | crossing, farthest, alpha)
        residual = r + t * hd
        left = inner(residual, residual)
        boundary = concave | crossing
        ended = boundary | (jnp.sqrt(left) < tolerance)
        return z + t * d, hz + t * hd, residual, -residual + left / squared * d, boundary, count + 1, ended

    start = (zero, zero, gradient, -gradient, jnp.asarray(False), 0, jnp.asarray(False))
    z, hz, _, _, boundary, count, _ = lax.while_loop(going, advance, start)
    return z, hz, boundary, count


def _to_boundary(z, d, radius):
    """Both t with ``|z + t d| = radius``, ascending."""
    a, b, c = inner(d, d), 2 * inner(z, d), inner(z, z) - radius**2
    aux = b + jnp.where(b < 0, -1.0, 1.0) * jnp.sqrt(jnp.maximum(b * b - 4 * a * c, 0.0))
    one, two = -aux / (2 * a), -2 * c / aux
    return jnp.minimum(one, two), jnp.maximum(one, two)
