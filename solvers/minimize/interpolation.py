"""Safeguarded polynomial interpolation for line searches.

References
----------
.. [1] J. J. More and D. J. Thuente, "Line search algorithms with guaranteed sufficient decrease",
   ACM Trans. Math. Softw. 20 (1994) 286-307, section 4.
.. [2] J. Nocedal and S. J. Wright, "Numerical Optimization", 2nd ed., section 3.5.
"""

import jax
import jax.numpy as jnp

__all__ = ["interval_step", "zoom_trial"]


def interval_step(best, other, trial, bracketed, low, high):
    """Update the interval of uncertainty and choose the next step (MINPACK-2 ``dcstep``).

    Parameters
    ----------
    best, other, trial : (step, value, slope)
        The best point so far, the other end of the interval, and the new point.
    bracketed : bool array
        Whether the interval is known to hold a minimiser.
    low, high : float array
        Bounds of the next step.

    Returns
    -------
    best, other : (step, value, slope)
    step : float array
    bracketed : bool array
    """
    (x, fx, dx), y, (t, ft, dt) = best, other[0], trial
    higher = ft > fx
    opposite = ~higher & (jnp.sign(dt) * jnp.sign(dx) < 0)
    flatter = ~higher & ~opposite & (jnp.abs(dt) < jnp.abs(dx))
    steeper = ~higher & ~opposite & ~flatter

    # The cubic through `near` and `far`; only its end points differ between the four cases.
    reference = _select(steeper, other, best)
    near = _select(higher, best, trial)
    far = _select(higher, trial, reference)
    cubic, towards, curved = _cubic_step(near, far)

    secant = t + dt / (dt - dx) * (x - t)
    quadratic = x + 0.5 * (dx / ((fx - ft) / (t - x) + dx)) * (t - x)
    edge = jnp.where(t > x, high, low)

    step1 = jnp.where(jnp.abs(cubic - x) <= jnp.abs(quadratic - x), cubic, cubic + 0.5 * (quadratic - cubic))
    step2 = jnp.where(jnp.abs(cubic - t) > jnp.abs(secant - t), cubic, secant)
    cubic3 = jnp.where(towards & curved, cubic, edge)
    closer = jnp.abs(cubic3 - t) < jnp.abs(secant - t)
    inside = jnp.where(closer, cubic3, secant)
    limit = t + 0.66 * (y - t)
    inside = jnp.where(t > x, jnp.minimum(limit, inside), jnp.maximum(limit, inside))
    farther = jnp.abs(cubic3 - t) > jnp.abs(secant - t)
    outside = jnp.clip(jnp.where(farther, cubic3, secant), low, high)
    step3 = jnp.where(bracketed, inside, outside)
    step4 = jnp.where(bracketed, cubic, edge)
    step = jnp.where(higher, step1, jnp.where(opposite, step2, jnp.where(flatter, step3, step4)))

    new_other = _select(higher, trial, _select(opposite, best, other))
    new_best = _select(higher, best, trial)
    return new_best, new_other, step, bracketed | higher | opposite


def zoom_trial(low, high, recent, cubic_allowed):
    """Next step between the ends of a zoom: cubic, else quadratic, else bisection.

    Parameters
    ----------
    low, high : (step, value, slope)
        Ends of the interval; `low` has the lower value. The slope of `high` is not used.
    recent : (step, value)
        The point most recently discarded, third support of the cubic.
    cubic_allowed : bool
        False at the first step of a zoom, where `recent` is not yet set.
    """
    width = high[0] - low[0]
    left, right = jnp.minimum(low[0], high[0]), jnp.maximum(low[0], high[0])

    db, dc = width, recent[0] - low[0]
    scale = (db * dc) ** 2 * (db - dc)
    rb, rc = high[1] - low[1] - low[2] * db, recent[1] - low[1] - low[2] * dc
    a = (dc**2 * rb - db**2 * rc) / scale
    b = (db**3 * rc - dc**3 * rb) / scale
    cubic = low[0] + (-b + jnp.sqrt(b * b - 3 * a * low[2])) / (3 * a)
    margin = 0.2 * jnp.abs(width)
    good_cubic = cubic_allowed & (cubic <= right - margin) & (cubic >= left + margin)

    quadratic = low[0] - low[2] * width**2 / (2 * rb)
    margin = 0.1 * jnp.abs(width)
    good_quadratic = (quadratic <= right - margin) & (quadratic >= left + margin)
    # Comparisons with a NaN or an infinite interpolant are false: it is not used.
    middle = low[0] + 0.5 * width
    return jnp.where(good_cubic, cubic, jnp.where(good_quadratic, quadratic, middle))


def _cubic_step(near, far):
    """Minimiser of the cubic with the values and slopes of two points, seen from `near`."""
    (a, fa, da), (b, fb, db) = near, far
    theta = 3 * (fa - fb) / (b - a) + da + db
    scale = jnp.maximum(jnp.abs(theta), jnp.maximum(jnp.abs(da), jnp.abs(db)))
    radicand = (theta / scale) ** 2 - (da / scale) * (db / scale)
    gamma = scale * jnp.sqrt(jnp.maximum(radicand, 0))
    gamma = jnp.where(b < a, -gamma, gamma)
    ratio = ((gamma - da) + theta) / (((gamma - da) + gamma) + db)
    return a + ratio * (b - a), ratio < 0, gamma != 0


def _select(condition, yes, no):
    return jax.tree.map(lambda a, b: jnp.where(condition, a, b), yes, no)
