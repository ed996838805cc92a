"""Minimum along a line without derivatives, one evaluation at a time: bracket and Brent, or Brent between bounds.

The iterations are those of `solvers.scalar`. Their steps take a function; here each gets one that returns the value
that is already known, so that the caller's loop holds a single copy of the objective.
"""

import jax.numpy as jnp
from jax import lax

from solvers.roots.vectors import entry, pack
from solvers.scalar.bracket import BracketMinimum, BracketState
from solvers.scalar.minimum import BoundedMinimum, BrentMinimum, BrentState
from solvers.scalar.status import CONVERGED, RUNNING

__all__ = ["SIZE", "advance", "begin", "step_of"]

_AT_ZERO, _AT_ONE, _BRACKET, _BRENT, _SECTION, _BOUNDED = range(6)
_HEAD = 6  # kind, point, value at zero, low, high, whether the points are arctangents of steps
_BRACKETS, _BRENTS = len(BracketState._fields), len(BrentState._fields)

SIZE = _HEAD + _BRACKETS + _BRENTS


def step_of(vector, point):
    """The step along the line at a point of the search."""
    return jnp.where(entry(vector, 5) > 0, jnp.tan(point), point)


def begin(low, high, xtol, dtype):
    """A search between two steps, either of which may be infinite; both None: without bounds."""
    if low is None:
        head = (_AT_ZERO, 0.0, 0.0, -jnp.inf, jnp.inf, False)
        return pack((head, (0.0,) * (_BRACKETS + _BRENTS)), dtype)
    free = jnp.isinf(low) & jnp.isinf(high)
    tangent = ~free & (jnp.isinf(low) | jnp.isinf(high))
    low, high = jnp.where(tangent, jnp.arctan(low), low), jnp.where(tangent, jnp.arctan(high), high)
    first = _bounded(xtol).init(jnp.zeros_like, (low, high))
    head = (jnp.where(free, _AT_ZERO, _SECTION), jnp.where(free, 0.0, first.x), 0.0, low, high, tangent)
    return pack((head, (0.0,) * (_BRACKETS + _BRENTS)), dtype)


def advance(vector, value, xtol, bounded):
    """Take in the value at the search's point.

    Parameters
    ----------
    vector : (SIZE,) array
    value, xtol : float array
    bounded : bool, static
        Whether searches may have bounds.

    Returns
    -------
    vector : (SIZE,) array
        Entry 1 is the next point.
    ended : bool array
    best, best_value : float array
        Point and value of the minimum, once ended.
    """
    dtype = vector.dtype
    brent = BrentMinimum(xtol)
    nowhere = jnp.zeros((), dtype)

    def out(kind, point, search, bracket, s, ended, best=nowhere, best_value=nowhere):
        head = (kind, point, *(entry(search, i) for i in range(2, _HEAD)))
        return pack((head, bracket, s), dtype), jnp.asarray(ended), best.astype(dtype), best_value.astype(dtype)

    def parts(search):
        bracket = BracketState(*(entry(search, _HEAD + i) for i in range(_BRACKETS)))
        return bracket, BrentState(*(entry(search, _HEAD + _BRACKETS + i) for i in range(_BRENTS)))

    def at_zero(search):
        bracket, s = parts(search)
        search = search.at[2].set(value)
        return out(_AT_ONE, 1.0, search, bracket, s, False)

    def at_one(search):
        _, s = parts(search)
        ends = (jnp.zeros((), dtype), jnp.ones((), dtype))
        bracket = BracketMinimum().init(lambda x: jnp.where(x == 0, entry(search, 2), value), ends)
        return out(_BRACKET, bracket.x, search, bracket, s, False)

    def bracketing(search):
        b, _ = parts(search)
        b = BracketMinimum().step(lambda _: value, b)
        found = b.status == CONVERGED
        s = brent.init(lambda x: jnp.full_like(x, b.fb), (b.xa, b.xb, b.xc))
        ended = (b.status != RUNNING) & ~(found & (s.status == RUNNING))
        # Without a bracket: the best of its points, or NaN where there is one.
        steps, values = jnp.stack([b.xa, b.xb, b.xc]), jnp.stack([b.fa, b.fb, b.fc])
        least = jnp.min(values)
        lowest = jnp.min(jnp.where(values == least, steps, jnp.inf))
        lost = jnp.any(jnp.isnan(values) | jnp.isnan(steps))
        best = jnp.where(found, b.xb, jnp.where(lost, jnp.nan, lowest))
        best_value = jnp.where(found, b.fb, jnp.where(lost, jnp.nan, least))
        kind = jnp.where(found, _BRENT, _BRACKET)
        return out(kind, jnp.where(found, s.trial, b.x), search, b, s, ended, best, best_value)

    def brents(search):
        b, s = parts(search)
        s = brent.step(jnp.zeros_like, s._replace(ftrial=value))
        return out(_BRENT, s.trial, search, b, s, s.status != RUNNING, s.x, s.fun)

    def section(search):
        b, _ = parts(search)
        s = _bounded(xtol).init(lambda x: jnp.full_like(x, value), (entry(search, 3), entry(search, 4)))
        return out(_BOUNDED, s.trial, search, b, s, s.status != RUNNING, s.x, s.fun)

    def between(search):
        b, s = parts(search)
        s = _bounded(xtol).step(jnp.zeros_like, s._replace(ftrial=value))
        return out(_BOUNDED, s.trial, search, b, s, s.status != RUNNING, s.x, s.fun)

    branches = [at_zero, at_one, bracketing, brents, *([section, between] if bounded else [])]
    return lax.switch(entry(vector, 0).astype(jnp.int32), branches, vector)


def _bounded(xtol):
    return BoundedMinimum(xtol / 100)
