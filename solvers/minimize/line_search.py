"""Strong-Wolfe line search as a state machine: one evaluation per transition.

The searcher is More and Thuente's (MINPACK-2 ``dcsrch``); where it fails, Wright and Nocedal's bracketing and
zoom takes over, as in SciPy's minimisers. Nothing here evaluates the objective: the owner evaluates at
``search.alpha`` and hands value and slope to `advance`.

References
----------
.. [1] J. J. More and D. J. Thuente, "Line search algorithms with guaranteed sufficient decrease",
   ACM Trans. Math. Softw. 20 (1994) 286-307.
.. [2] J. Nocedal and S. J. Wright, "Numerical Optimization", 2nd ed., algorithms 3.5 and 3.6.
"""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax import lax

from solvers.minimize.interpolation import interval_step, zoom_trial
from solvers.roots.vectors import entry, pack

__all__ = ["ACCEPTED", "FAILED", "SEARCHING", "SIZE", "Search", "advance", "start", "unpack"]

SEARCHING, ACCEPTED, FAILED = 0, 1, 2
_THUENTE, _BRACKET, _ZOOM = 0, 1, 2

_STEP_MIN, _STEP_MAX = 1e-100, 1e100
_X_TOL = 1e-14
_MAX_THUENTE, _MAX_BRACKET, _MAX_ZOOM = 99, 10, 10


class Search(NamedTuple):
    """State of one line search along a direction: scalars of the working precision, flags included.

    ``best`` and ``other`` are (step, value, slope) at the ends of the interval of uncertainty; in the zoom,
    ``best`` is its low end. ``low`` and ``high`` bound the next trial of the More-Thuente search; the zoom
    keeps step and value of its most recent point there.
    """

    mode: jax.Array
    count: jax.Array  # type: ignore[assignment]  # hides tuple.count
    outcome: jax.Array
    alpha: jax.Array
    first_alpha: jax.Array
    value0: jax.Array
    slope0: jax.Array
    best: tuple = (0.0, 0.0, 0.0)
    other: tuple = (0.0, 0.0, 0.0)
    low: Any = 0.0
    high: Any = 0.0
    width: Any = 0.0
    width1: Any = 0.0
    bracketed: Any = 0.0
    first_stage: Any = 1.0


SIZE = 19
_STRUCTURE = jax.tree.structure(Search(*7 * (0.0,)))


def unpack(vector):
    """The `Search` in the first `SIZE` entries of a packed vector."""
    return jax.tree.unflatten(_STRUCTURE, [entry(vector, i) for i in range(SIZE)])


def start(value, slope, previous_value):
    """Begin a search from a point of `value` and `slope`; the last decrease sets the first trial step."""
    low, high = _limits(value.dtype)
    alpha = jnp.where(slope == 0, 1.0, jnp.minimum(1.0, 2.02 * (value - previous_value) / slope))
    alpha = jnp.where(alpha < 0, 1.0, alpha)
    # Not a descent direction, or a useless first trial: straight to the second searcher.
    valid = (slope < 0) & (alpha >= low) & (alpha <= high)
    return Search(
        mode=jnp.where(valid, _THUENTE, _BRACKET),
        count=0,
        outcome=jnp.where(alpha > 0, SEARCHING, FAILED),
        alpha=alpha,
        first_alpha=alpha,
        value0=value,
        slope0=slope,
        best=(0.0, value, slope),
        other=(0.0, value, slope),
        high=5 * alpha,
        width=high,
        width1=high,
    )


def advance(vector, value, slope, c1, c2):
    """Take in value and slope at the trial step: accept it, fail, or set the next one.

    `vector` is a packed `Search`; so is the result. The branches are real (``lax.cond``) not only for speed:
    XLA would otherwise repeat the whole computation in every kernel that uses it.
    """

    def thuente(vector):
        search = unpack(vector)
        moved = _thuente(search, value, slope, c1, c2)
        fallback = Search(
            _BRACKET,
            0,
            SEARCHING,
            *(search.first_alpha, search.first_alpha, search.value0, search.slope0),
            best=(0.0, search.value0, search.slope0),
        )
        return pack(_select(moved.outcome == FAILED, fallback, moved), vector.dtype)

    def nocedal(vector):
        search = unpack(vector)
        bracket = _bracket(search, value, slope, c1, c2)
        zoom = _zoom(search, value, slope, c1, c2)
        return pack(_select(search.mode == _BRACKET, bracket, zoom), vector.dtype)

    return lax.cond(entry(vector, 0) == _THUENTE, thuente, nocedal, vector)


def _thuente(search, value, slope, c1, c2):
    """One iteration of ``dcsrch`` (More and Thuente, section 3)."""
    low, high = _limits(value.dtype)
    alpha, best, other = search.alpha, search.best, search.other
    was_bracketed = search.bracketed > 0
    slope_test = c1 * search.slope0
    value_test = search.value0 + alpha * slope_test
    first_stage = (search.first_stage > 0) & ~((value <= value_test) & (slope >= 0))

    converged = (value <= value_test) & (jnp.abs(slope) <= -c2 * search.slope0)
    stuck = was_bracketed & ((alpha <= search.low) | (alpha >= search.high))
    stuck |= was_bracketed & (search.high - search.low <= _X_TOL * search.high)
    stuck |= (alpha == high) & (value <= value_test) & (slope <= slope_test)
    stuck |= (alpha == low) & ((value > value_test) | (slope >= slope_test))

    # While the decrease is insufficient, the step is predicted from psi = f - f(0) - c1 alpha f'(0) instead.
    modified = first_stage & (value <= best[1]) & (value > value_test)
    tilt = jnp.where(modified, slope_test, 0.0)
    best, other, trial, bracketed = interval_step(
        _tilt(best, -tilt),
        _tilt(other, -tilt),
        _tilt((alpha, value, slope), -tilt),
        was_bracketed,
        search.low,
        search.high,
    )
    best, other = _tilt(best, tilt), _tilt(other, tilt)

    width = jnp.abs(other[0] - best[0])
    trial = jnp.where(bracketed & (width >= 0.66 * search.width1), best[0] + 0.5 * (other[0] - best[0]), trial)
    new_low = jnp.where(bracketed, jnp.minimum(best[0], other[0]), trial + 1.1 * (trial - best[0]))
    new_high = jnp.where(bracketed, jnp.maximum(best[0], other[0]), trial + 4.0 * (trial - best[0]))
    trial = jnp.clip(trial, low, high)
    hopeless = (trial <= new_low) | (trial >= new_high) | (new_high - new_low <= _X_TOL * new_high)
    trial = jnp.where(bracketed & hopeless, best[0], trial)

    count = search.count + 1
    failed = stuck | ~jnp.isfinite(trial) | (count >= _MAX_THUENTE)
    return search._replace(
        count=count,
        outcome=_outcome(converged, failed),
        alpha=jnp.where(converged, alpha, trial),
        best=best,
        other=other,
        low=new_low,
        high=new_high,
        width=jnp.where(bracketed, width, search.width),
        width1=jnp.where(bracketed, search.width, search.width1),
        bracketed=bracketed,
        first_stage=first_stage,
    )


def _bracket(search, value, slope, c1, c2):
    """Double the step until an interval holds a strong-Wolfe point (Nocedal and Wright, algorithm 3.5)."""
    here = (search.alpha, value, slope)
    # Written so that a NaN counts as too high and is backed away from.
    too_high = ~(value <= search.value0 + c1 * search.alpha * search.slope0)
    too_high |= ~(value < search.best[1]) & (search.count > 0)
    flat = jnp.abs(slope) <= -c2 * search.slope0
    exhausted = search.count >= _MAX_BRACKET
    accepted = ~too_high & (flat | exhausted)
    to_zoom = ~accepted & (too_high | (slope >= 0))

    low = _select(too_high, search.best, here)
    high = _select(too_high, here, search.best)
    first_zoom = zoom_trial(low, high, here[:2], False)
    doubled = jnp.minimum(2 * search.alpha, _limits(value.dtype)[1])
    return search._replace(
        mode=jnp.where(to_zoom, _ZOOM, _BRACKET),
        count=jnp.where(to_zoom, 0, search.count + 1),
        outcome=_outcome(accepted, exhausted),
        alpha=jnp.where(accepted, search.alpha, jnp.where(to_zoom, first_zoom, doubled)),
        best=_select(to_zoom, low, here),
        other=high,
        low=0.0,
        high=search.value0,
    )


def _zoom(search, value, slope, c1, c2):
    """Shrink the interval by interpolation (Nocedal and Wright, algorithm 3.6)."""
    here, low, high = (search.alpha, value, slope), search.best, search.other
    too_high = ~(value <= search.value0 + c1 * search.alpha * search.slope0) | ~(value < low[1])
    accepted = ~too_high & (jnp.abs(slope) <= -c2 * search.slope0)
    flip = slope * (high[0] - low[0]) >= 0

    recent = _select(too_high | flip, high[:2], low[:2])
    new_high = _select(too_high, here, _select(flip, low, high))
    new_low = _select(too_high, low, here)
    count = search.count + 1
    return search._replace(
        count=count,
        outcome=_outcome(accepted, count > _MAX_ZOOM),
        alpha=jnp.where(accepted, search.alpha, zoom_trial(new_low, new_high, recent, True)),
        best=new_low,
        other=new_high,
        low=recent[0],
        high=recent[1],
    )


def _limits(dtype):
    """Least and greatest step, within the range of the floating type."""
    info = jnp.finfo(dtype)
    return max(_STEP_MIN, float(info.tiny)), min(_STEP_MAX, float(info.max) / 16)


def _tilt(point, slope):
    """Add the line of `slope` through the origin to a (step, value, slope)."""
    return point[0], point[1] + point[0] * slope, point[2] + slope


def _outcome(accepted, failed):
    return jnp.where(accepted, ACCEPTED, jnp.where(failed, FAILED, SEARCHING))


def _select(condition, yes, no):
    return jax.tree.map(lambda a, b: jnp.where(condition, a, b), yes, no)
