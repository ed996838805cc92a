"""The line search of More and Thuente as a state machine, with limits of the step (MINPACK-2 ``dcsrch``).

Nothing here evaluates the objective: the owner evaluates at ``search.alpha`` and hands value and slope to `advance`.

References
----------
.. [1] J. J. More and D. J. Thuente, "Line search algorithms with guaranteed sufficient decrease",
   ACM Trans. Math. Softw. 20 (1994) 286-307.
"""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from solvers.minimize.interpolation import interval_step
from solvers.roots.vectors import entry

__all__ = ["ACCEPTED", "FAILED", "SEARCHING", "SIZE", "ThuenteSearch", "advance", "start", "unpack"]

SEARCHING, ACCEPTED, FAILED = 0, 1, 2


class ThuenteSearch(NamedTuple):
    """Scalars of one search; ``best`` and ``other`` are (step, value, slope) at the ends of the interval."""

    count: Any  # type: ignore[assignment]  # hides tuple.count
    outcome: Any
    alpha: Any
    value0: Any
    slope0: Any
    top: Any
    low: Any
    high: Any
    width: Any
    width1: Any
    bracketed: Any
    first_stage: Any
    best: tuple = (0.0, 0.0, 0.0)
    other: tuple = (0.0, 0.0, 0.0)


SIZE = 18
_STRUCTURE = jax.tree.structure(ThuenteSearch(*12 * (0.0,)))


def unpack(vector):
    """The search in the first `SIZE` entries of a packed vector."""
    return jax.tree.unflatten(_STRUCTURE, [entry(vector, i) for i in range(SIZE)])


def start(value, slope, alpha, top):
    """Begin at the first trial step `alpha`, at most `top`. Uphill (or NaN) slopes fail at once."""
    here = (0.0, value, slope)
    downhill = slope < 0
    return ThuenteSearch(
        count=0,
        outcome=jnp.where(downhill, SEARCHING, FAILED),
        alpha=jnp.where(downhill, alpha, 0.0),
        value0=value,
        slope0=slope,
        top=top,
        low=0.0,
        high=5 * alpha,
        width=top,
        width1=2 * top,
        bracketed=0.0,
        first_stage=1.0,
        best=here,
        other=here,
    )


def advance(search, value, slope, ftol, gtol, xtol, most):
    """Take in value and slope at the trial step: accept it, fail after `most` evaluations, or set the next one.

    A step that can no longer be improved (a limit, or an interval narrower than `xtol`) is accepted: the owner's
    tests decide. A value that is not finite halves the step and becomes its limit.
    """
    alpha, best, other = search.alpha, search.best, search.other
    was_bracketed = search.bracketed > 0
    finite = jnp.isfinite(value) & jnp.isfinite(slope)
    sufficient = ftol * search.slope0
    ceiling = search.value0 + alpha * sufficient
    low_enough = value <= ceiling

    done = low_enough & (jnp.abs(slope) <= -gtol * search.slope0)
    done |= was_bracketed & ((alpha <= search.low) | (alpha >= search.high))
    done |= was_bracketed & (search.high - search.low <= xtol * search.high)
    done |= (alpha == search.top) & low_enough & (slope <= sufficient)

    # Until a point is low enough and uphill, the auxiliary function less the line of sufficient decrease.
    first_stage = (search.first_stage > 0) & ~(low_enough & (slope >= 0))
    tilt = jnp.where(first_stage & (value <= best[1]) & ~low_enough, sufficient, 0.0)

    def tilted(point, sign):
        return point[0], point[1] - sign * tilt * point[0], point[2] - sign * tilt

    points = (tilted(best, 1), tilted(other, 1), tilted((alpha, value, slope), 1))
    new_best, new_other, trial, bracketed = interval_step(*points, was_bracketed, search.low, search.high)
    new_best, new_other = tilted(new_best, -1), tilted(new_other, -1)

    width = jnp.abs(new_other[0] - new_best[0])
    middle = new_best[0] + 0.5 * (new_other[0] - new_best[0])
    trial = jnp.where(bracketed & (width >= 0.66 * search.width1), middle, trial)
    low = jnp.where(bracketed, jnp.minimum(new_best[0], new_other[0]), trial + 1.1 * (trial - new_best[0]))
    high = jnp.where(bracketed, jnp.maximum(new_best[0], new_other[0]), trial + 4.0 * (trial - new_best[0]))
    trial = jnp.clip(trial, 0.0, search.top)
    hopeless = (trial <= low) | (trial >= high) | (high - low <= xtol * high)
    trial = jnp.where(bracketed & hopeless, new_best[0], trial)

    count = search.count + 1
    ended = jnp.where(finite & done, ACCEPTED, jnp.where(count >= most, FAILED, SEARCHING))
    moved = search._replace(
        outcome=ended,
        alpha=jnp.where(done, alpha, trial),
        low=low,
        high=high,
        width=jnp.where(bracketed, width, search.width),
        width1=jnp.where(bracketed, search.width, search.width1),
        bracketed=bracketed,
        first_stage=first_stage,
        best=new_best,
        other=new_other,
    )
    half = best[0] + 0.5 * (alpha - best[0])
    back = search._replace(outcome=ended, alpha=half, top=alpha, high=jnp.minimum(search.high, alpha))
    chosen = jax.tree.map(lambda a, b: jnp.where(finite, a, b), moved, back)
    return chosen._replace(count=count)
