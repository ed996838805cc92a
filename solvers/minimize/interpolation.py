"""Safeguarded polynomial interpolation for line searches.

References
----------
.. [1] J. J. More and D. J. Thuente, "Line search algorithms with guaranteed sufficient decrease",
   ACM Trans. Math. Softw. 20 (1994) 286-307, section 4.
.. [2] J. Nocedal and S. J. Wright, "Numerical Optimization", 2nd ed., section 3.5.
"""

import jax
import jax.numpy as jnp

__all__ = ["interval_step", "select", "zoom_trial"]


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
    near = select(higher, best, trial)
    far = select(higher, trial, select(steeper, other, best))
    cubic, towards = _cubic_step(near, far)

    width = t - x
    secant = t - dt * width / (dt - dx)
    quadratic = x + 0.5 * dx * width * width / (fx - ft + dx * width)
    edge = jnp.where(width > 0, high, low)

    cubic = jnp.where(flatter & ~towards | steeper & ~bracketed, edge, cubic)
    # Of the two candidates, the one nearer to (or farther from) the end of the smaller slope or value.
    second = jnp.where(higher, 0.5 * (cubic + quadratic), secant)
    from_cubic = jnp.abs(cubic - jnp.where(higher, x, t))
    nearer = from_cubic < jnp.abs(jnp.where(higher, quadratic, secant) - jnp.where(higher, x, t))
    step = jnp.where(steeper | (nearer == (higher | flatter & bracketed)), cubic, second)

    limit = t + 0.66 * (y - t)
    inside = jnp.where(width > 0, jnp.minimum(limit, step), jnp.maximum(limit, step))
    step = jnp.where(flatter, jnp.where(bracketed, inside, jnp.clip(step, low, high)), step)

    new_other = select(higher, trial, select(opposite, best, other))
    new_best = select(higher, best, trial)
    return new_best, new_other, step, bracketed | higher | opposite


def zoom_trial(low, high, earlier):
    """Next step between the ends of a zoom: the minimiser of the cubic, of the quadratic, or the middle.

    Parameters
    ----------
    low, high : (step, value, slope)
        Ends of the interval; `low` has the lower value. The slope of `high` is not used.
    earlier : (step, value)
        The end that was given up last; NaN at first, and then there is no cubic.
    """
    width = high[0] - low[0]
    cubic = _cubic_fraction(low, high, earlier)
    quadratic = -0.5 * low[2] * width / (high[1] - low[1] - low[2] * width)
    # SciPy's margins: within the interval where it points ahead, a little beyond it where it points back. A NaN or
    # an infinite fraction fails the comparisons.
    ahead = width > 0
    fraction = jnp.where(jnp.abs(quadratic - 0.5) <= jnp.where(ahead, 0.4, 0.6), quadratic, 0.5)
    return low[0] + jnp.where(jnp.abs(cubic - 0.5) <= jnp.where(ahead, 0.3, 0.7), cubic, fraction) * width


def _cubic_fraction(low, high, earlier):
    """Minimiser of the cubic with value and slope at `low` and the values of the others, in units of the interval."""
    width = high[0] - low[0]
    slope = low[2] * width
    c = (earlier[0] - low[0]) / width
    first, second = high[1] - low[1] - slope, earlier[1] - low[1] - slope * c
    scale = c * c * (1 - c)
    cube, square = (c * c * first - second) / scale, (second - c**3 * first) / scale
    return (jnp.sqrt(square * square - 3 * cube * slope) - square) / (3 * cube)


def select(condition, yes, no):
    """``where`` on the leaves of two pytrees."""
    return jax.tree.map(lambda a, b: jnp.where(condition, a, b), yes, no)


def _cubic_step(near, far):
    """Minimiser of the cubic with the values and slopes of two points, and whether it lies beyond `near`."""
    (a, fa, da), (b, fb, db) = near, far
    theta = 3 * (fa - fb) / (b - a) + da + db
    scale = jnp.maximum(jnp.abs(theta), jnp.maximum(jnp.abs(da), jnp.abs(db)))  # against overflow
    unit = theta / scale
    gamma = scale * jnp.sqrt(jnp.maximum(unit * unit - da / scale * (db / scale), 0))
    gamma = jnp.where(b < a, -gamma, gamma)
    ratio = (gamma - da + theta) / (gamma - da + gamma + db)
    return a + ratio * (b - a), (ratio < 0) & (gamma != 0)
