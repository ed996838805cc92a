"""Searches for brackets of roots and minima, element by element, by geometrically growing steps."""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax import lax

__all__ = ["MinimumBracket", "RootBracket", "bracket_minimum", "bracket_root"]

RUNNING, CONVERGED, LIMIT, MAX_ITERATIONS, NOT_FINITE, INVALID, OTHER_SIDE = 1, 0, -1, -2, -3, -5, 2


class RootBracket(NamedTuple):
    """Ends, values there, counters, and status: 0 found, -1 limit, -2 maxiter, -3 not finite, -5 bad start."""

    bracket: Any
    f_bracket: Any
    nfev: Any
    nit: Any
    status: Any


MinimumBracket = RootBracket  # three points instead of two


class _Sides(NamedTuple):
    """Both sides of the search at once, along the first axis: left, right."""

    x: Any
    f: Any
    x_last: Any
    f_last: Any
    step: Any
    status: Any
    nit: Any
    count: Any


def _at_both(fun, x):
    return jax.vmap(fun)(x)


def bracket_root(fun, left, right, lower, upper, factor, maxiter):
    """Two points between which each element of `fun` changes its sign.

    Parameters
    ----------
    fun : callable
        Maps an array of points to the values, element by element.
    left, right, lower, upper, factor : arrays of one shape
        First points, limits of the search (infinite without), growth of the steps.
    maxiter : int

    Returns
    -------
    RootBracket
    """
    start = jnp.stack([left, right])
    opposite = start[::-1]
    limit, grow = jnp.stack([lower, upper]), jnp.stack([factor, factor])
    unlimited = jnp.isinf(limit)
    step = jnp.where(unlimited, start - opposite, limit - start)
    valid = (lower <= left) & (left < right) & (right <= upper)
    values = _at_both(fun, start)
    status = jnp.broadcast_to(jnp.where(valid, RUNNING, INVALID), start.shape).astype(jnp.int32)
    zero = jnp.asarray(0, jnp.int32)

    def check(s):
        running = s.status == RUNNING
        now, before = jnp.sign(s.f), jnp.sign(s.f_last)
        found = running & ((before == -now) | (before == 0) | (now == 0))
        status = jnp.where(found, CONVERGED, s.status)
        status = jnp.where((status == RUNNING) & found[::-1], OTHER_SIDE, status)
        status = jnp.where((status == RUNNING) & (s.x == limit), LIMIT, status)
        bad = ~(jnp.isfinite(s.x) & jnp.isfinite(s.f))
        status = jnp.where((status == RUNNING) & bad, NOT_FINITE, status)
        return s._replace(status=status, nit=jnp.where(running, s.count, s.nit))

    def advance(s):
        running = s.status == RUNNING
        step = jnp.where(unlimited, s.step * grow, s.step / grow)
        x = jnp.where(unlimited, opposite + step, limit - step)
        new = _Sides(x, _at_both(fun, x), s.x, s.f, step, s.status, s.nit, s.count + 1)
        kept = [jnp.where(running, a, b) for a, b in zip(new[:5], s[:5], strict=True)]
        return check(_Sides(*kept, *new[5:]))

    first = _Sides(start, values, opposite, values[::-1], step, status, jnp.zeros_like(status), zero)
    s = lax.while_loop(lambda s: (s.status == RUNNING).any() & (s.count < maxiter), advance, check(first))
    ended = jnp.where(s.status == RUNNING, MAX_ITERATIONS, s.status)
    nit = jnp.where(s.status == RUNNING, s.count, s.nit)

    a, b = ended
    width_a, width_b = s.x_last[0] - s.x[0], s.x[1] - s.x_last[1]
    by_left = ((width_a <= width_b) & (a == 0)) | ((a == 0) & (b != 0))
    by_right = ((width_b <= width_a) & (b == 0)) | ((b == 0) & (a != 0))

    def ends(now, last):
        return jnp.where(by_right, last[1], now[0]), jnp.where(by_left, last[0], now[1])

    return RootBracket(
        ends(s.x, s.x_last), ends(s.f, s.f_last), nit[0] + nit[1] + 2, jnp.maximum(nit[0], nit[1]),
        jnp.where(a == 0, a, b),
    )  # fmt: skip


class _Trio(NamedTuple):
    x: Any
    f: Any
    step: Any
    status: Any
    nit: Any
    count: Any


def bracket_minimum(fun, middle, left, right, lower, upper, factor, maxiter):
    """Three points of which the middle one is lowest; arguments as in `bracket_root`.

    Returns
    -------
    MinimumBracket
    """
    points = (left, middle, right)
    values = tuple(_at_both(fun, jnp.stack(points)))
    # The search goes downhill, with the points in that order.
    turned = values[0] < values[2]
    x = tuple(jnp.where(turned, p, q) for p, q in zip(points[::-1], points, strict=True))
    f = tuple(jnp.where(turned, p, q) for p, q in zip(values[::-1], values, strict=True))
    limit = jnp.where(turned, lower, upper)
    unlimited = jnp.isinf(limit)
    origin = x[2]
    step = jnp.where(unlimited, x[2] - x[1], limit - x[2])
    grow = jnp.where(unlimited, factor, 1 / factor)
    valid = (lower <= left) & (left < middle) & (middle < right) & (right <= upper)
    status = jnp.where(valid, RUNNING, INVALID).astype(jnp.int32)

    def check(s):
        running = s.status == RUNNING
        a, b, c = s.f
        found = ((a >= b) & (c > b)) | ((a > b) & (c >= b))
        status = jnp.where(running & found, CONVERGED, s.status)
        status = jnp.where((status == RUNNING) & (s.x[2] == limit), LIMIT, status)
        bad = ~(jnp.isfinite(s.x[2]) & jnp.isfinite(c))
        status = jnp.where((status == RUNNING) & bad, NOT_FINITE, status)
        return s._replace(status=status, nit=jnp.where(running, s.count, s.nit))

    def advance(s):
        running = s.status == RUNNING
        step = s.step * grow
        new = jnp.where(unlimited, origin + step, limit - step)
        new = jnp.where(~unlimited & (new == s.x[2]), limit, new)
        value = fun(new)
        x = tuple(jnp.where(running, p, q) for p, q in zip((s.x[1], s.x[2], new), s.x, strict=True))
        f = tuple(jnp.where(running, p, q) for p, q in zip((s.f[1], s.f[2], value), s.f, strict=True))
        return check(_Trio(x, f, jnp.where(running, step, s.step), s.status, s.nit, s.count + 1))

    first = _Trio(x, f, step, status, jnp.zeros_like(status), jnp.asarray(0, jnp.int32))
    s = lax.while_loop(lambda s: (s.status == RUNNING).any() & (s.count < maxiter), advance, check(first))
    status = jnp.where(s.status == RUNNING, MAX_ITERATIONS, s.status)
    nit = jnp.where(s.status == RUNNING, s.count, s.nit)
    back = s.x[0] > s.x[2]
    bracket, f_bracket = (tuple(jnp.where(back, p, q) for p, q in zip(v[::-1], v, strict=True)) for v in (s.x, s.f))
    return MinimumBracket(bracket, f_bracket, nit + 3, nit, status)
