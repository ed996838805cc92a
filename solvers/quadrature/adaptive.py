"""Adaptive bisection with extrapolation (QUADPACK's QAGS and QAGI).

The interval with the largest error is halved until the errors add up to less than the tolerance. Where
halving goes on in ever smaller intervals (a singularity), the sequence of integrals is extrapolated by
the epsilon algorithm, after the errors over the larger intervals have been reduced.

References
----------
.. [1] R. Piessens, E. de Doncker-Kapenga, C. W. Ueberhuber, D. K. Kahaner, "QUADPACK", Springer 1983.
"""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax import lax

from solvers.quadrature import status
from solvers.quadrature.epsilon import extrapolate, table
from solvers.quadrature.rule import apply_rule


class Intervals(NamedTuple):
    """The partition: ends, integrals and errors, (limit,) each; the first ``n`` are used."""

    a: Any
    b: Any
    value: Any
    error: Any
    n: Any


class _Flags(NamedTuple):
    roundoff: Any  # (3,) counts of bisections that gained nothing
    slow: Any  # extrapolations without a better error
    deep: Any  # extrapolating: small intervals come first
    off: Any  # no more extrapolation
    hard: Any  # roundoff was met while extrapolating
    sign: Any  # 1 if the integrand (nearly) keeps its sign
    ier: Any
    summed: Any  # converged by the sum over the intervals
    done: Any  # converged, either way


class _State(NamedTuple):
    parts: Intervals
    pick: Any  # which interval is next
    nth: Any  # its place among the largest errors, from 1
    area: Any
    error_sum: Any
    small: Any  # intervals longer than this are "large"
    large_error: Any  # error over the large intervals
    test: Any  # bound that it must meet before the next extrapolation
    table: Any
    result: Any  # extrapolated
    error: Any
    correction: Any
    flags: _Flags


def _tolerance(epsabs, epsrel, value):
    return jnp.maximum(epsabs, epsrel * jnp.abs(value))


def integrate(rule, fun, a, b, epsabs, epsrel, limit):
    """Integral of ``fun`` over ``[a, b]``: value, error estimate, `Intervals`, QUADPACK's ``ier``."""
    info = jnp.finfo(a.dtype)
    first = apply_rule(rule, fun, a, b)
    bound = _tolerance(epsabs, epsrel, first.value)
    ier = jnp.where((first.error <= 100 * info.eps * first.absolute) & (first.error > bound), 2, 0)
    ier = jnp.where(limit == 1, 1, ier).astype(jnp.int32)
    enough = ((first.error <= bound) & (first.error != first.spread)) | (first.error == 0)
    # a value that is not a number stays one: further halving would be wasted
    trivial = enough | (ier != 0) | ~jnp.isfinite(first.error)
    start = _start(first, a, b, limit, ier, info)
    state = start._replace(flags=start.flags._replace(done=trivial))
    state = lax.while_loop(
        lambda s: ~s.flags.done & (s.flags.ier == 0) & (s.parts.n < limit),
        lambda s: _bisect(rule, fun, s, epsabs, epsrel, limit, b - a),
        state,
    )
    value, error, code = _conclude(state, first, info)
    bad = ~enough & (ier == 0) & ~jnp.isfinite(first.error)
    code = jnp.where(trivial, jnp.where(bad, status.ROUNDOFF, ier), code)
    value = jnp.where(trivial, first.value, value)
    return value, jnp.where(trivial, first.error, error), state.parts, code


def _start(first, a, b, limit, ier, info):
    blank = jnp.zeros(limit, a.dtype)
    zero = jnp.zeros((), jnp.int32)
    parts = Intervals(*(blank.at[0].set(v) for v in (a, b, first.value, first.error)), zero + 1)
    keeps_sign = jnp.abs(first.value) >= (1 - 50 * info.eps) * first.absolute
    flags = _Flags(jnp.zeros(3, jnp.int32), zero, zero > 0, zero > 0, zero > 0, keeps_sign, ier, zero > 0, zero > 0)
    nought = jnp.zeros_like(first.value)
    return _State(
        parts, zero, zero + 1, first.value, first.error, nought, nought, nought,
        table(first.value), first.value, jnp.asarray(info.max, a.dtype), nought, flags,
    )  # fmt: skip


def _ranks(parts):
    """Place of each interval in the order of falling error, from 1; unused ones come last."""
    index = jnp.arange(parts.error.shape[0])
    error = jnp.where(index < parts.n, parts.error, -1.0)
    before = (error[None] > error[:, None]) | ((error[None] == error[:, None]) & (index[None] < index[:, None]))
    return 1 + jnp.sum(before, axis=1, dtype=jnp.int32)


def _bisect(rule, fun, s, epsabs, epsrel, limit, length):
    """Halve the picked interval; then stop, pick the next, or extrapolate."""
    info = jnp.finfo(s.area.dtype)
    p, i = s.parts, s.pick
    a, b, old_value, old_error = p.a[i], p.b[i], p.value[i], p.error[i]
    middle = 0.5 * (a + b)
    halves = jax.vmap(lambda l, r: apply_rule(rule, fun, l, r))(jnp.stack([a, middle]), jnp.stack([middle, b]))
    value, error = jnp.sum(halves.value), jnp.sum(halves.error)
    n = p.n + 1
    error_sum = s.error_sum + error - old_error
    area = s.area + value - old_value
    flags = _count_roundoff(s.flags, halves, value, error, old_value, old_error, n)
    bound = _tolerance(epsabs, epsrel, area)
    r = flags.roundoff
    tiny = jnp.maximum(jnp.abs(a), jnp.abs(b)) <= (1 + 100 * info.eps) * (jnp.abs(middle) + 1000 * info.tiny)
    ier = jnp.where((r[0] + r[1] >= 10) | (r[2] >= 20), 2, 0)
    ier = jnp.where(n == limit, 1, ier)
    ier = jnp.where(tiny, 4, ier).astype(jnp.int32)
    flags = flags._replace(hard=flags.hard | (r[1] >= 5), ier=ier, summed=error_sum <= bound)
    flags = flags._replace(done=flags.summed)

    # the half with the larger error stays in place, the other is appended
    one = jnp.where(halves.error[1] > halves.error[0], 1, 0)
    ends = jnp.stack([a, middle]), jnp.stack([middle, b])

    def put(array, pair):
        return array.at[i].set(pair[one]).at[n - 1].set(pair[1 - one])

    parts = Intervals(put(p.a, ends[0]), put(p.b, ends[1]), put(p.value, halves.value), put(p.error, halves.error), n)
    rank = _ranks(parts)
    nth = jnp.minimum(s.nth, rank[i])
    s = s._replace(
        parts=parts, pick=jnp.argmax(rank == nth).astype(jnp.int32), nth=nth, area=area, error_sum=error_sum,
        flags=flags,
    )  # fmt: skip
    stop = flags.done | (ier != 0)
    begun = s._replace(
        small=jnp.abs(length) * 0.375, large_error=error_sum, test=bound,
        table=s.table._replace(entries=s.table.entries.at[1].set(area), n=jnp.full((), 2, jnp.int32)),
    )  # fmt: skip
    idle = stop | (n == 2) | flags.off
    follow = lax.cond(
        idle, lambda s: s, lambda s: _follow(s, rank, error, old_error, b - middle, epsabs, epsrel, limit), s
    )
    second = ~stop & (n == 2)
    return jax.tree.map(lambda x, y: jnp.where(second, x, y), begun, follow)


def _count_roundoff(flags, halves, value, error, old_value, old_error, n):
    real = jnp.all(halves.spread != halves.error)
    stuck = real & (jnp.abs(old_value - value) <= 1e-5 * jnp.abs(value)) & (error >= 0.99 * old_error)
    worse = real & (n > 10) & (error > old_error)
    return flags._replace(roundoff=flags.roundoff + jnp.stack([stuck & ~flags.deep, stuck & flags.deep, worse]))


def _follow(s, rank, error, old_error, width, epsabs, epsrel, limit):
    """Go on with a large interval if there is one that matters, else extrapolate."""
    p = s.parts
    wide = jnp.abs(p.b - p.a) > s.small
    large_error = s.large_error - old_error + jnp.where(jnp.abs(width) > s.small, error, 0)
    s = s._replace(large_error=large_error)
    flags = s.flags
    wait = ~flags.deep & wide[s.pick]
    nth = jnp.where(flags.deep | wait, s.nth, 2)
    last = jnp.where(p.n > 2 + limit // 2, limit + 3 - p.n, p.n)
    large = wide & (rank >= nth) & (rank <= last) & (jnp.arange(limit) < p.n)
    choose = jnp.argmin(jnp.where(large, rank, limit + 1)).astype(jnp.int32)
    again = ~flags.hard & (large_error > s.test) & jnp.any(large)
    s = s._replace(
        flags=flags._replace(deep=flags.deep | ~wait),
        nth=jnp.where(wait, s.nth, jnp.where(again, rank[choose], nth)),
        pick=jnp.where(~wait & again, choose, s.pick),
    )
    return lax.cond(wait | again, lambda s: s, lambda s: _extrapolate(s, rank, epsabs, epsrel), s)


def _extrapolate(s, rank, epsabs, epsrel):
    tab, value, error = extrapolate(s.table, s.area)
    slow = s.flags.slow + 1
    ier = jnp.where((slow > 5) & (s.error < 1e-3 * s.error_sum), 5, 0).astype(jnp.int32)
    better = error < s.error
    test = jnp.where(better, _tolerance(epsabs, epsrel, value), s.test)
    best = jnp.where(better, error, s.error)
    flags = s.flags._replace(
        slow=jnp.where(better, 0, slow),
        off=s.flags.off | (tab.n == 1),
        deep=jnp.zeros_like(s.flags.deep),
        ier=ier,
        done=better & (best <= test),
    )
    return s._replace(
        table=tab,
        result=jnp.where(better, value, s.result),
        error=best,
        correction=jnp.where(better, s.large_error, s.correction),
        test=test,
        small=s.small * 0.5,
        large_error=s.error_sum,
        pick=jnp.argmax(rank == 1).astype(jnp.int32),
        nth=jnp.ones_like(s.nth),
        flags=flags,
    )


def _conclude(s, first, info):
    """Choose between the extrapolated result and the sum over the intervals; the final ``ier``."""
    used = jnp.arange(s.parts.value.shape[0]) < s.parts.n
    total = jnp.sum(jnp.where(used, s.parts.value, 0))
    f = s.flags
    trouble = (f.ier != 0) | f.hard
    error = s.error + jnp.where(f.hard & trouble, s.correction, 0)
    ier = jnp.where(trouble & (f.ier == 0), 3, f.ier)
    nonzero = (s.result != 0) & (s.area != 0)
    relative = error / jnp.abs(jnp.where(nonzero, s.result, 1)) > s.error_sum / jnp.abs(jnp.where(nonzero, s.area, 1))
    worse = jnp.where(nonzero, relative, error > s.error_sum)
    by_sum = f.summed | (s.error == info.max) | (trouble & worse)
    vanish = trouble & ~nonzero & ~worse & (s.area == 0)
    ratio = s.result / jnp.where(s.area == 0, 1, s.area)
    absurd = (ratio < 0.01) | (ratio > 100) | (s.error_sum > jnp.abs(s.area)) | (s.area == 0)
    small = ~f.sign & (jnp.maximum(jnp.abs(s.result), jnp.abs(s.area)) <= first.absolute * 0.01)
    ier = jnp.where(~by_sum & ~vanish & ~small & absurd, 6, ier)
    ier = jnp.where(ier > 2, ier - 1, ier)
    return jnp.where(by_sum, total, s.result), jnp.where(by_sum, s.error_sum, error), ier
