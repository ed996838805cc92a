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

from solvers.minimize.interpolation import interval_step, select, zoom_trial
from solvers.roots.vectors import entry, pack

__all__ = [
    "ACCEPTED",
    "FAILED",
    "SEARCHING",
    "SIZE",
    "Search",
    "advance",
    "advance_bracketing",
    "start",
    "start_bracketing",
    "too_high",
    "unpack",
]

SEARCHING, ACCEPTED, FAILED = 0, 1, 2
_THUENTE, _BRACKET, _ZOOM = 0, 1, 2

_STEP_MIN, _STEP_MAX = 1e-100, 1e100
_X_TOL = 1e-14
_MAX_THUENTE, _MAX_BRACKET, _MAX_ZOOM = 99, 10, 10


class Search(NamedTuple):
    """State of one line search along a direction: scalars of the working precision, flags included.

    ``best`` and ``other`` are (step, value, slope) at the ends of the interval of uncertainty; in the zoom,
    ``best`` is its low end. ``low`` and ``high`` bound the next trial of the More-Thuente search.
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


SIZE = 18
_STRUCTURE = jax.tree.structure(Search(*7 * (0.0,)))  # type: ignore[arg-type]


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


def start_bracketing(value, slope, alpha):
    """Begin a search that brackets and zooms only, at the first trial step `alpha`."""
    here = (0.0, value, slope)
    return Search(_BRACKET, 0, SEARCHING, alpha, alpha, value, slope, best=here, other=here)


def advance_bracketing(vector, value, slope, c1, c2):
    """As `advance`, for a search that brackets and zooms only."""
    return pack(_nocedal(unpack(vector), value, slope, c1, c2, True), vector.dtype)


def too_high(search, value, c1):
    """Whether the value at the trial step ends the doubling or shrinks the zoom; NaN counts as too high."""
    above = ~(value <= search.value0 + c1 * search.alpha * search.slope0)
    return above | (~(value < search.best[1]) & ((search.mode == _ZOOM) | (search.count > 0)))


def advance(vector, value, slope, c1, c2, extra=True, most=_STEP_MAX):
    """Take in value and slope at the trial step: accept it, fail, or set the next one.

    `extra` is a further condition of acceptance, at the trial step; `most` is the greatest step of the
    More-Thuente search. `vector` is a packed `Search`; so is the result.
    The branches are real (``lax.cond``) not only for speed: XLA would otherwise repeat the whole computation in every
    kernel that uses it.
    """

    def thuente(vector):
        search = unpack(vector)
        moved = _thuente(search, value, slope, c1, c2, most)
        fallback = Search(
            _BRACKET,
            0,
            SEARCHING,
            *(search.first_alpha, search.first_alpha, search.value0, search.slope0),
            best=(0.0, search.value0, search.slope0),
        )
        failed = (moved.outcome == FAILED) | ((moved.outcome == ACCEPTED) & ~jnp.asarray(extra))
        return jnp.where(failed, pack(fallback, vector.dtype), pack(moved, vector.dtype))

    def nocedal(vector):
        return pack(_nocedal(unpack(vector), value, slope, c1, c2, extra), vector.dtype)

    return lax.cond(entry(vector, 0) == _THUENTE, thuente, nocedal, vector)


def _thuente(search, value, slope, c1, c2, most):
    """One iteration of ``dcsrch`` (More and Thuente, section 3).

    Without their auxiliary function: it differs from the objective by the slope ``c1 f'(0)``, which at the usual c1
    does not show in the interpolation.
    """
    low, high = _limits(value.dtype, most)
    alpha, best, other = search.alpha, search.best, search.other
    was_bracketed = search.bracketed > 0
    slope_test = c1 * search.slope0
    value_test = search.value0 + alpha * slope_test

    converged = (value <= value_test) & (jnp.abs(slope) <= -c2 * search.slope0)
    stuck = was_bracketed & ((alpha <= search.low) | (alpha >= search.high))
    stuck |= was_bracketed & (search.high - search.low <= _X_TOL * search.high)
    stuck |= (alpha == high) & (value <= value_test) & (slope <= slope_test)
    stuck |= (alpha == low) & ((value > value_test) | (slope >= slope_test))

    point = (alpha, value, slope)
    best, other, trial, bracketed = interval_step(best, other, point, was_bracketed, search.low, search.high)

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
    )


def _nocedal(search, value, slope, c1, c2, extra):
    """Double the step until an interval holds a strong-Wolfe point, then shrink it (algorithms 3.5 and 3.6).

    The two differ in what they do with a point that is neither too high nor flat: going uphill, or behind the other
    end, it turns the interval around; otherwise the search doubles the step (3.5) or drops the low end (3.6).
    """
    zooms = search.mode == _ZOOM
    here, low, high = (search.alpha, value, slope), search.best, search.other
    above = too_high(search, value, c1)
    flat = (jnp.abs(slope) <= -c2 * search.slope0) & extra
    exhausted = search.count >= jnp.where(zooms, _MAX_ZOOM, _MAX_BRACKET)
    accepted = ~above & (flat | (exhausted & ~zooms))
    to_zoom = zooms | above | (slope >= 0)

    flip = ~zooms | (slope * (high[0] - low[0]) >= 0)
    # The end that is given up shapes the next cubic; it is kept in the fields that only More-Thuente uses.
    earlier = select(zooms, select(above | flip, high[:2], low[:2]), (jnp.nan, jnp.nan))
    new_high = select(above, here, select(flip, low, high))
    new_low = select(above, low, here)
    doubled = jnp.minimum(2 * search.alpha, _limits(value.dtype)[1])
    return search._replace(
        mode=jnp.where(to_zoom, _ZOOM, _BRACKET),
        count=jnp.where(to_zoom & ~zooms, 0, search.count + 1),
        outcome=_outcome(accepted, exhausted),
        alpha=jnp.where(accepted, search.alpha, jnp.where(to_zoom, zoom_trial(new_low, new_high, earlier), doubled)),
        best=new_low,
        other=new_high,
        low=earlier[0],
        high=earlier[1],
    )


def _limits(dtype, most=_STEP_MAX):
    """Least and greatest step, within the range of the floating type."""
    info = jnp.finfo(dtype)
    return max(_STEP_MIN, float(info.tiny)), min(most, float(info.max) / 16)


def _outcome(accepted, failed):
    return jnp.where(accepted, ACCEPTED, jnp.where(failed, FAILED, SEARCHING))
