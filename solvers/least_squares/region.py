"""The trust-region subproblem of least squares, and steps within bounds.

References
----------
.. [1] J. J. More, "The Levenberg-Marquardt algorithm: implementation and theory", in Numerical Analysis,
   G. A. Watson (ed.), Springer, 1978.
.. [2] M. A. Branch, T. F. Coleman, Y. Li, "A subspace, interior, and conjugate gradient method for large-scale
   bound-constrained minimization problems", SIAM J. Sci. Comput. 21, 1999.
"""

from typing import Any, NamedTuple

import jax.numpy as jnp
from jax import lax

from solvers.roots.vectors import inner, norm, product

__all__ = [
    "Quadratic",
    "active",
    "coleman_li",
    "radius",
    "strictly_feasible",
    "termination",
    "to_bound",
    "trust_region",
]

_MAX_ITERATIONS = 10


class Quadratic(NamedTuple):
    """The model ``g p + 0.5 (|J p|^2 + p diag p)``."""

    jac: Any
    gradient: Any
    diag: Any

    def value(self, p):
        """The model at `p`."""
        image = product(self.jac, p)
        return 0.5 * (inner(image, image) + inner(p * self.diag, p)) + inner(self.gradient, p)

    def along(self, direction, origin=None):
        """Coefficients (a, b, c) of ``a t^2 + b t + c``, the model along a line."""
        image = product(self.jac, direction)
        a = 0.5 * (inner(image, image) + inner(direction * self.diag, direction))
        b = inner(self.gradient, direction)
        if origin is None:
            return a, b, 0.0
        base = product(self.jac, origin)
        b = b + inner(base, image) + inner(origin * self.diag, direction)
        return a, b, self.value(origin)


def least_on_interval(a, b, low, high, c=0.0):
    """Where ``a t^2 + b t + c`` is least on [low, high], and its value there."""

    def value(t):
        return t * (a * t + b) + c

    best = jnp.where(value(high) < value(low), high, low)
    extremum = -0.5 * b / jnp.where(a == 0, 1.0, a)
    inside = (a != 0) & (low < extremum) & (extremum < high)
    best = jnp.where(inside & (value(extremum) < value(best)), extremum, best)
    return best, value(best)


def trust_region(singular, image, delta, guess, rows):
    """Minimise ``|s z + u|^2`` within ``norm(z) <= delta``, in the basis of singular vectors.

    Parameters
    ----------
    singular : (k,) array
        Singular values s in decreasing order.
    image : (k,) array
        Residuals u in the basis of the left singular vectors.
    delta : float array
        Radius.
    guess : float array
        Damping of the step before.
    rows : int
        Number of residuals, for the test of full rank; less than the number of variables means rank deficient.

    Returns
    -------
    z : (k,) array
    damping : float array
    """
    info = jnp.finfo(singular.dtype)
    full = jnp.min(singular) > info.eps * rows * jnp.max(singular) if rows >= singular.size else jnp.asarray(False)
    weighted = singular * image
    newton = -image / jnp.where(full, singular, 1.0)
    inside = full & (norm(newton) <= delta)

    def phi(alpha):
        denominator = jnp.maximum(singular**2 + alpha, info.tiny)
        z = weighted / denominator
        size = norm(z)
        slope = -jnp.sum(z * z / denominator) / jnp.where(size > 0, size, 1.0)
        return size - delta, jnp.where(slope == 0, -info.tiny, slope)

    upper = norm(weighted) / delta
    excess, slope = phi(0.0)
    lower = jnp.where(full, -excess / slope, 0.0)

    def restart(lower, upper):
        return jnp.maximum(0.001 * upper, jnp.sqrt(lower * upper))

    alpha = jnp.where(~full & (guess == 0), restart(lower, upper), guess)

    def body(carry):
        alpha, lower, upper, _, count = carry
        alpha = jnp.where((alpha < lower) | (alpha > upper), restart(lower, upper), alpha)
        excess, slope = phi(alpha)
        upper = jnp.where(excess < 0, alpha, upper)
        ratio = excess / slope
        lower = jnp.maximum(lower, alpha - ratio)
        alpha = alpha - (excess + delta) * ratio / delta
        done = ~(jnp.abs(excess) >= 0.01 * delta) | (count >= _MAX_ITERATIONS - 1)
        return alpha, lower, upper, done, count + 1

    alpha = lax.while_loop(lambda c: ~c[3], body, (alpha, lower, upper, inside, 0))[0]
    damped = -weighted / jnp.maximum(singular**2 + alpha, info.tiny)
    size = norm(damped)
    damped = damped * (delta / jnp.where(size > 0, size, 1.0))
    return jnp.where(inside, newton, damped), jnp.where(inside, 0.0, alpha)


def radius(delta, actual, predicted, size, hit):
    """The new radius, and the ratio of actual to predicted reduction."""
    ratio = jnp.where(predicted > 0, actual / jnp.where(predicted > 0, predicted, 1.0), 0.0)
    ratio = jnp.where((predicted == 0) & (actual == 0), 1.0, ratio)
    grown = jnp.where((ratio > 0.75) & hit, 2 * delta, delta)
    return jnp.where(ratio < 0.25, 0.25 * size, grown), ratio


def termination(actual, cost, step, xnorm, ratio, ftol, xtol):
    """SciPy's code of the tests after a step: 2 ftol, 3 xtol, 4 both, -9 none."""
    f_small = (actual < ftol * cost) & (ratio > 0.25)
    x_small = step < xtol * (xtol + xnorm)
    code = jnp.where(f_small, 2, jnp.where(x_small, 3, -9))
    return jnp.where(f_small & x_small, 4, code)


# --- bounds ----------------------------------------------------------------------------------


def to_bound(x, direction, lower, upper):
    """The longest step along `direction` from `x` that stays in the bounds, and which bounds it hits (-1, 0, 1)."""
    moves = direction != 0
    safe = jnp.where(moves, direction, 1.0)
    steps = jnp.where(moves, jnp.maximum((lower - x) / safe, (upper - x) / safe), jnp.inf)
    least = jnp.min(steps)
    return least, jnp.where(steps == least, jnp.sign(direction), 0.0)


def strictly_feasible(x, lower, upper, margin=None):
    """Move a point off its bounds: by a relative `margin`, or by one unit in the last place."""
    if margin is None:
        low, high = jnp.nextafter(lower, upper), jnp.nextafter(upper, lower)
    else:
        low = lower + margin * jnp.maximum(1.0, jnp.abs(lower))
        high = upper - margin * jnp.maximum(1.0, jnp.abs(upper))
    side = active(x, lower, upper, 0.0 if margin is None else margin)
    new = jnp.where(side < 0, low, jnp.where(side > 0, high, x))
    return jnp.where((new < lower) | (new > upper), 0.5 * (lower + upper), new)


def active(x, lower, upper, tolerance):
    """-1 or 1 where x is at its lower or upper bound within a relative tolerance, else 0."""
    below, above = x - lower, upper - x
    near_low = below <= jnp.minimum(above, tolerance * jnp.maximum(1.0, jnp.abs(lower)))
    near_high = above <= jnp.minimum(below, tolerance * jnp.maximum(1.0, jnp.abs(upper)))
    side = jnp.where(jnp.isfinite(lower) & near_low, -1, 0)
    return jnp.where(jnp.isfinite(upper) & near_high, 1, side)


def coleman_li(x, gradient, lower, upper):
    """Distance to the bound that the negative gradient points to (one if there is none), and its derivative."""
    up = (gradient < 0) & jnp.isfinite(upper)
    down = (gradient > 0) & jnp.isfinite(lower)
    distance = jnp.where(up, upper - x, jnp.where(down, x - lower, 1.0))
    return distance, jnp.where(up, -1.0, jnp.where(down, 1.0, 0.0))
