"""Events: zeros of functions of time and state along a solution.

The loop over the steps only evaluates the functions at the steps' ends, counts sign changes and stops at a terminal
one. The zeros are located afterwards, all at once, on the interpolants of the steps in which they lie.
"""

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax import lax

from solvers.implicit import implicit_elementwise


class Events(NamedTuple):
    """``fun(t, y)`` (k,), the directions that count (-1, 0, 1) and the number of zeros that ends the solve.

    ``size``: how many zeros of each can be recorded.
    """

    fun: Callable
    direction: jax.Array
    limit: jax.Array
    size: int


class Watch(NamedTuple):
    """What the loop carries: values at the last step's end, zeros so far, whether a terminal one came.

    ``step`` (k, size): the numbers of the steps in which they happened.
    """

    g: jax.Array
    zeros: jax.Array
    stopped: jax.Array
    step: jax.Array


class Found(NamedTuple):
    """Zeros: ``t`` (k, m) and ``y`` (k, m, n), NaN beyond the first ``n`` (k,); ``full`` if m was too small.

    ``stop_t``, ``stop_y``: the zero that ended the solve, if ``stopped``.
    """

    t: jax.Array
    y: jax.Array
    n: jax.Array
    full: jax.Array
    stopped: jax.Array
    stop_t: jax.Array
    stop_y: jax.Array


def watch(events, t, y):
    """The state of the watch before the first step."""
    g = events.fun(t, y)
    zeros = jnp.zeros((*g.shape, events.size), jnp.int32)
    return Watch(g, zeros[:, 0], jnp.zeros((), bool), zeros)


def observe(events, seen, t, y, number, advanced):
    """The watch after step ``number``, to ``(t, y)``; unchanged unless ``advanced``."""
    g = events.fun(t, y)
    up = (seen.g <= 0) & (g >= 0) & (events.direction >= 0)
    down = (seen.g >= 0) & (g <= 0) & (events.direction <= 0)
    active = (up | down) & advanced
    here = active[:, None] & (jnp.arange(events.size) == seen.zeros[:, None])
    count = seen.zeros + active
    stopped = seen.stopped | jnp.any(active & (count >= events.limit))
    return Watch(jnp.where(advanced, g, seen.g), count, stopped, jnp.where(here, number, seen.step))


def locate(method, fun, leaves, seen, ends, direction, limit, coefficients):
    """`Found` from the watch; differentiable in ``leaves`` and in the ``coefficients`` of its steps.

    ``fun(leaves, t, y)`` (k,); ``ends`` (size + 1,): the steps' ends without derivatives, the start first.
    """
    step, stopped = seen.step, seen.stopped
    k, m = step.shape
    n = jnp.minimum(seen.zeros, m)
    last = jnp.max(jnp.where(jnp.arange(m) == n[:, None] - 1, step, -1))
    used = jnp.arange(m) < n[:, None]

    def residual(t, params):
        leaves, coefficients, used = params

        def one(e, t, c):
            return fun(leaves, t, method.interpolate(c, t))[e]

        g = jax.vmap(jax.vmap(one, (None, 0, 0)))(jnp.arange(k), t, coefficients)
        return jnp.where(used > 0, g, t)  # unused entries: an equation whose derivative is one

    params = (leaves, coefficients, used.astype(ends.dtype))
    # both ends at once: every place where `fun` appears costs compile time
    brackets = jnp.where(used, ends[jnp.stack([step, step + 1])], jnp.array([-1, 1], ends.dtype)[:, None, None])
    solve = partial(_solve, residual)
    t, _ = implicit_elementwise(solve, residual, _nothing, params, brackets)
    y = jax.vmap(jax.vmap(method.interpolate))(coefficients, t)
    # the event that ended the solve is the first terminal one of the last step; later ones did not happen
    number = jnp.arange(m) + 1
    terminal = used & stopped & (step == last) & (number == n[:, None]) & (n >= limit)[:, None]
    when = direction * t
    first = jnp.min(jnp.where(terminal, when, jnp.inf))
    which = jnp.argmax(jnp.any(terminal & (when == first), axis=1))
    order = jnp.arange(k)[:, None]
    late = used & stopped & (step == last) & ((when > first) | ((when == first) & (order > which)))
    at = jnp.maximum(n[which] - 1, 0)
    keep = used & ~late
    return Found(
        t=jnp.where(keep, t, jnp.nan),
        y=jnp.where(keep[..., None], y, jnp.nan),
        n=jnp.sum(keep, axis=1, dtype=jnp.int32),
        full=jnp.any(seen.zeros > m),
        stopped=stopped,
        stop_t=t[which, at],
        stop_y=y[which, at],
    )


def _nothing(t, params):
    return {}


def _solve(residual, params, brackets):
    """Zeros in the brackets, each found to the spacing of its numbers.

    Chandrupatla's method: inverse quadratic interpolation where it is safe, else bisection. Without a change of
    sign (the interpolant of a multistep method misses the state at the step's start) the end with the smaller
    value is taken.

    References
    ----------
    .. [1] T. R. Chandrupatla, "A new hybrid quadratic/bisection algorithm for finding the zero of a nonlinear
       function without using derivatives", Advances in Engineering Software 28, 1997.
    """
    f = partial(residual, params=params)
    eps = jnp.finfo(brackets.dtype).eps

    def done(b, a, fb, fa):
        best = jnp.where(jnp.abs(fa) < jnp.abs(fb), a, b)
        return best, jnp.abs(b - a) <= 4 * eps * (1 + jnp.abs(best))

    def body(carry):
        a, b, fa, fb, c, fc, x, i = carry
        t = a + x * (b - a)
        ft = f(t)
        same = jnp.sign(ft) == jnp.sign(fa)
        c, fc = jnp.where(same, a, b), jnp.where(same, fa, fb)
        b, fb = jnp.where(same, b, a), jnp.where(same, fb, fa)
        a, fa = t, ft
        best, end = done(b, a, fb, fa)
        least = 2 * eps * (1 + jnp.abs(best)) / jnp.where(b == a, 1, jnp.abs(b - a))
        xi, phi = (a - b) / (c - b), (fa - fb) / (fc - fb)
        safe = (phi * phi < xi) & ((1 - phi) ** 2 < 1 - xi)
        quadratic = fa / (fb - fa) * fc / (fb - fc) + (c - a) / (b - a) * fa / (fc - fa) * fb / (fc - fb)
        x = jnp.clip(jnp.where(safe, quadratic, 0.5), least, 1 - least)
        return a, jnp.where(fa == 0, a, b), fa, fb, c, fc, jnp.where(end, 0.0, x), i + 1

    def wanted(carry):
        a, b, fa, fb, *_, i = carry
        return (i < 100) & jnp.any(~done(b, a, fb, fa)[1])

    a, b = brackets
    fa, fb = jax.vmap(f)(brackets)
    bad = jnp.sign(fa) * jnp.sign(fb) >= 0  # an end is the zero, or there is no change of sign
    b = jnp.where(bad, jnp.where(jnp.abs(fa) <= jnp.abs(fb), a, b), b)
    a = jnp.where(bad, b, a)
    start = (a, b, fa, fb, a, fa, jnp.full_like(a, 0.5), 0)
    a, b, fa, fb, *_ = lax.while_loop(wanted, body, start)
    return done(b, a, fb, fa)[0], {}
