"""Adaptive bisection with extrapolation (QUADPACK's QAGS, QAGI and QAGP).

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

from solvers.batching import any_lane
from solvers.quadrature import status
from solvers.quadrature.epsilon import extrapolate, table
from solvers.quadrature.rule import apply_rule, merge


class Intervals(NamedTuple):
    """The partition: ends, integrals, errors and bisections, (limit,) each; the first ``n`` are used."""

    a: Any
    b: Any
    value: Any
    error: Any
    level: Any
    n: Any


class _Floats(NamedTuple):
    area: Any
    error_sum: Any
    deepest: Any  # intervals of no more bisections than this are "large"
    large_error: Any  # error over the large intervals
    test: Any  # bound that it must meet before the next extrapolation
    result: Any  # extrapolated
    error: Any
    correction: Any


class _Ints(NamedTuple):
    n: Any  # intervals
    pick: Any  # which of them is next
    nth: Any  # its place among the largest errors, from 1
    vain: Any  # bisections that gained nothing
    vain_deep: Any  # the same while extrapolating
    worse: Any  # bisections with a larger error
    slow: Any  # extrapolations without a better error
    deep: Any  # extrapolating: small intervals come first
    off: Any  # no more extrapolation
    hard: Any  # roundoff was met while extrapolating
    ier: Any
    summed: Any  # converged by the sum over the intervals
    done: Any  # converged, either way


class _State(NamedTuple):
    """Few packed arrays rather than many scalars: each is one operation of the compiled loop."""

    parts: Any  # (5, limit): ends, value, error and number of bisections of each interval
    rank: Any  # (limit,) place of each interval in the order of falling error, from 1
    floats: Any  # `_Floats` as one vector
    ints: Any
    table: Any
    inner: Any  # reports of inner integrals, see `solvers.quadrature.rule.merge`


def _unpack(kind, vector):
    return kind(*(lax.index_in_dim(vector, k, keepdims=False) for k in range(len(kind._fields))))


def _pack(values):
    dtype = jnp.int32 if isinstance(values, _Ints) else values.area.dtype
    return jnp.stack([jnp.asarray(v).astype(dtype) for v in values])


def _tolerance(epsabs, epsrel, value):
    return jnp.maximum(epsabs, epsrel * jnp.abs(value))


class _Problem(NamedTuple):
    rule: Any
    fun: Any
    a: Any
    b: Any
    epsabs: Any
    epsrel: Any
    limit: Any
    pieces: Any  # the range is cut into so many from the start


class _Judged(NamedTuple):
    """What the rule over the whole range says, or over its pieces."""

    first: Any  # its `Estimate`, or the sum of them
    columns: Any  # (5, pieces): the first columns of `_State.parts`
    ier: Any
    enough: Any
    trivial: Any  # there is nothing to halve


def integrate(rule, fun, a, b, epsabs, epsrel, limit, detail=True, once=False, breaks=None):
    """Integral of ``fun`` over ``[a, b]``: value, error estimate, QUADPACK's ``ier``, number of intervals, reports.

    Then the `Intervals`, with ``detail``. Without, no memory is touched for them where the first rule is enough.
    With ``once``, ``fun`` is in the compiled program at one place rather than two: for an integrand that is as
    large as an integral itself. ``breaks`` (m,) inside the range cut it into pieces from the start.
    """
    pieces = 1 if breaks is None else breaks.shape[0] + 1
    problem = _Problem(rule, fun, a, b, epsabs, epsrel, limit, pieces)
    if breaks is not None:
        judged = _judge_pieces(problem, breaks)
        out = _result(judged, _loop(problem, judged), a.dtype, detail)
    elif once:
        judged, state = _loop_once(problem)
        out = _result(judged, state, a.dtype, detail)
    elif detail:
        judged = _judge(problem, apply_rule(rule, fun, a, b))
        out = _result(judged, _loop(problem, judged), a.dtype, detail)
    else:
        judged = _judge(problem, apply_rule(rule, fun, a, b))
        first, ier = judged.first, judged.ier
        out = lax.cond(
            any_lane(~judged.trivial),
            lambda judged: _result(judged, _loop(problem, judged), a.dtype, detail),
            lambda judged: (first.value, first.error, ier, jnp.ones_like(ier), first.inner),
            judged,
        )
    value, error, code, n, inner, *parts = out
    first, _, ier, enough, trivial = judged
    bad = ~enough & (ier == 0) & ~jnp.isfinite(first.error)
    code = jnp.where(trivial, jnp.where(bad, status.ROUNDOFF, ier), code)
    value, error = (jnp.where(trivial, x, y) for x, y in ((first.value, value), (first.error, error)))
    return value, error, code, n, inner, Intervals(*parts, n) if detail else None


def _judge(problem, first):
    bound = _tolerance(problem.epsabs, problem.epsrel, first.value)
    enough = ((first.error <= bound) & (first.error != first.spread)) | (first.error == 0)
    columns = jnp.stack([problem.a, problem.b, first.value, first.error, jnp.zeros_like(first.value)])[:, None]
    return _decide(problem, first, columns, bound, enough)


def _judge_pieces(problem, breaks):
    left = jnp.concatenate([problem.a[None], breaks])
    right = jnp.concatenate([breaks, problem.b[None]])
    each = _rules(problem.rule, problem.fun, left, right)
    first = jax.tree.map(lambda v: jnp.sum(v, axis=0), each)._replace(inner=merge(each.inner))
    # an error that is no better than that of the mean: such a piece is halved first
    rough = (each.error == each.spread) & (each.error != 0)
    error = jnp.where(rough, first.error, each.error)
    columns = jnp.stack([left, right, each.value, error, jnp.zeros_like(error)])
    bound = _tolerance(problem.epsabs, problem.epsrel, first.value)
    return _decide(problem, first, columns, bound, first.error <= bound)


def _decide(problem, first, columns, bound, enough):
    noise = 100 * jnp.finfo(first.value.dtype).eps * first.absolute
    ier = jnp.where((first.error <= noise) & (first.error > bound), 2, 0)
    ier = jnp.where(problem.limit <= problem.pieces, 1, ier).astype(jnp.int32)
    # a value that is not a number stays one: further halving would be wasted
    return _Judged(first, columns, ier, enough, enough | (ier != 0) | ~jnp.isfinite(first.error))


def _loop(problem, judged):
    """Halve until it is enough; the final `_State`."""

    def step(s):
        left, right = _halves(s)
        return _bisect(problem, s, left, right, _rules(problem.rule, problem.fun, left, right))

    return lax.while_loop(lambda s: _goes_on(s.ints, problem.limit), step, _start(problem, judged))


def _loop_once(problem):
    """`_loop` with the rule over the whole range as its first step."""
    rule, fun, a, b, *_ = problem
    shape = jax.eval_shape(lambda a, b: apply_rule(rule, fun, a, b), a, b)
    blank = _judge(problem, jax.tree.map(lambda v: jnp.zeros(v.shape, v.dtype), shape))

    def step(carry):
        fresh, judged, s = carry
        left, right = (jnp.where(fresh, end, halves) for end, halves in zip((a, b), _halves(s), strict=True))
        pair = _rules(rule, fun, left, right)  # a fresh start computes the whole range twice
        seen = _judge(problem, jax.tree.map(lambda v: v[0], pair))
        judged = jax.tree.map(lambda x, y: jnp.where(fresh, x, y), seen, judged)
        further = _bisect(problem, s, left, right, pair)
        begun = _start(problem, judged)
        return jnp.zeros_like(fresh), judged, jax.tree.map(lambda x, y: jnp.where(fresh, x, y), begun, further)

    start = jnp.ones((), bool), blank, _start(problem, blank)
    _, judged, state = lax.while_loop(lambda c: c[0] | _goes_on(c[2].ints, problem.limit), step, start)
    return judged, state


def _result(judged, state, dtype, detail):
    ints = _unpack(_Ints, state.ints)
    value, error, code = _conclude(state, judged.first, ints, jnp.finfo(dtype))
    return value, error, code, ints.n, state.inner, *(tuple(state.parts) if detail else ())


def _goes_on(ints, limit):
    ints = _unpack(_Ints, ints)
    return (ints.done == 0) & (ints.ier == 0) & (ints.n < limit)


def _start(problem, judged):
    first, columns, limit, n = judged.first, judged.columns, problem.limit, problem.pieces
    info = jnp.finfo(columns.dtype)
    parts = jnp.zeros((5, limit), columns.dtype).at[:, :n].set(columns)
    order = jnp.argsort(-columns[3], stable=True)
    rank = jnp.full(limit, limit + 1, jnp.int32).at[order].set(jnp.arange(1, n + 1, dtype=jnp.int32))
    nought, most = jnp.zeros_like(first.value), jnp.full_like(first.value, info.max)
    error_sum = first.error if n == 1 else jnp.sum(columns[3])
    bound = _tolerance(problem.epsabs, problem.epsrel, first.value)
    # one interval: what is large is known after the first bisection (`_follow`)
    floats = _Floats(first.value, error_sum, nought, error_sum, bound, first.value, most, nought)
    ints = _Ints(n, order[0], 1, 0, 0, 0, 0, 0, 0, 0, judged.ier, 0, judged.trivial)
    return _State(parts, rank, _pack(floats), _pack(ints), table(first.value), first.inner)


def _halves(s):
    """Left and right ends of the two halves of the picked interval."""
    pick = lax.index_in_dim(s.ints, _Ints._fields.index("pick"), keepdims=False)
    a, b = s.parts[0, pick], s.parts[1, pick]
    middle = 0.5 * (a + b)
    return jnp.stack([a, middle]), jnp.stack([middle, b])


def _rules(rule, fun, left, right):
    # a barrier: XLA would else evaluate the integrand anew for each consumer
    return lax.optimization_barrier(jax.vmap(lambda l, r: apply_rule(rule, fun, l, r))(left, right))


def _bisect(problem, s, left, right, halves):
    """Put two halves for the picked interval; then stop, pick the next, or extrapolate."""
    epsabs, epsrel = problem.epsabs, problem.epsrel
    info = jnp.finfo(left.dtype)
    f, k = _unpack(_Floats, s.floats), _unpack(_Ints, s.ints)
    old_value, old_error, level = s.parts[2, k.pick], s.parts[3, k.pick], s.parts[4, k.pick] + 1
    a, middle, b = left[0], right[0], right[1]
    value, error = jnp.sum(halves.value), jnp.sum(halves.error)
    area, error_sum = f.area + value - old_value, f.error_sum + error - old_error
    f = f._replace(area=area, error_sum=error_sum)
    bound = _tolerance(epsabs, epsrel, area)
    k = _count_roundoff(k._replace(n=k.n + 1), halves, value, error, old_value, old_error)
    limit = s.rank.shape[0]
    tiny = jnp.maximum(jnp.abs(a), jnp.abs(b)) <= (1 + 100 * info.eps) * (jnp.abs(middle) + 1000 * info.tiny)
    ier = jnp.where((k.vain + k.vain_deep >= 10) | (k.worse >= 20), 2, 0)
    ier = jnp.where(tiny, 4, jnp.where(k.n == limit, 1, ier))
    summed = error_sum <= bound
    k = k._replace(ier=ier, summed=summed, done=summed, hard=(k.hard != 0) | (k.vain_deep >= 5))

    columns = jnp.stack([left, right, halves.value, halves.error, jnp.full_like(left, level)])
    parts, rank, place = _insert(s.parts, s.rank, columns, k.pick, k.n - 1)
    nth = jnp.minimum(k.nth, place)
    k = k._replace(nth=nth, pick=jnp.argmax(rank == nth))
    floats, ints, parts, rank = lax.optimization_barrier((_pack(f), _pack(k), parts, rank))
    f, k, s = _unpack(_Floats, floats), _unpack(_Ints, ints), s._replace(parts=parts, rank=rank)
    s = s._replace(inner=merge(jnp.stack([s.inner, *halves.inner])))
    return _follow(problem, s, f, k, (old_error, error, level), bound)


def _insert(parts, rank, columns, i, m):
    """Put the half with the larger error in place of interval ``i``, append the other as ``m``; update the order."""
    larger = jnp.where(columns[3, 1] > columns[3, 0], 1, 0)
    stay, new = columns[:, larger], columns[:, 1 - larger]
    index = jnp.arange(rank.shape[0])
    others, errors = (index != i) & (index < m), parts[3]
    ahead = jnp.stack([(errors > stay[3]) | ((errors == stay[3]) & (index < i)), errors >= new[3]]) & others
    place = jnp.sum(ahead, axis=1, dtype=jnp.int32) + jnp.asarray([1, 2], jnp.int32)
    moved = rank - (rank > rank[i]) + 2 - jnp.sum(ahead, axis=0, dtype=jnp.int32)
    rank = jnp.where(others, moved, jnp.where(index == i, place[0], jnp.where(index == m, place[1], rank)))
    return parts.at[:, i].set(stay).at[:, m].set(new), rank, place[0]


def _count_roundoff(k, halves, value, error, old_value, old_error):
    real = jnp.all(halves.spread != halves.error)
    stuck = real & (jnp.abs(old_value - value) <= 1e-5 * jnp.abs(value)) & (error >= 0.99 * old_error)
    deep = k.deep != 0
    return k._replace(
        vain=k.vain + (stuck & ~deep),
        vain_deep=k.vain_deep + (stuck & deep),
        worse=k.worse + (real & (k.n > 10) & (error > old_error)),
    )


def _follow(problem, s, f, k, halved, bound):
    """Go on with a large interval if there is one that matters, else extrapolate."""
    old_error, error, level = halved
    limit = s.rank.shape[0]
    deep, stop, second = k.deep != 0, (k.done != 0) | (k.ier != 0), (k.n == 2) & (problem.pieces == 1)
    active = ~(stop | second | (k.off != 0))
    wide = s.parts[4] <= f.deepest
    large_error = f.large_error - old_error + jnp.where(level <= f.deepest, error, 0)
    wait = ~deep & wide[k.pick]
    nth = jnp.where(deep | wait, k.nth, 2)
    last = jnp.where(k.n > 2 + limit // 2, limit + 3 - k.n, k.n)
    large = jnp.where(wide & (s.rank >= nth) & (s.rank <= last), s.rank, limit + 1)
    choose = jnp.argmin(large)
    again = ~wait & (k.hard == 0) & (large_error > f.test) & (large[choose] <= limit)
    sweep = active & ~wait & ~again

    tab, value, estimate = _extrapolate(sweep, s.table, f.area)
    slow = k.slow + (tab.calls > s.table.calls)
    better = sweep & (estimate < f.error)
    test = jnp.where(better, _tolerance(problem.epsabs, problem.epsrel, value), f.test)
    best = jnp.where(better, estimate, f.error)

    def pick(old, waiting, at_sweep):
        return jnp.where(sweep, at_sweep, jnp.where(active, waiting, old))

    k = k._replace(
        nth=pick(k.nth, jnp.where(again, large[choose], nth), 1),
        pick=pick(k.pick, jnp.where(again, choose, k.pick), jnp.argmax(s.rank == 1)),
        deep=pick(deep, deep | ~wait, False),
        slow=pick(k.slow, k.slow, jnp.where(better, 0, slow)),
        off=(k.off != 0) | (sweep & (tab.n == 1)),
        ier=pick(k.ier, k.ier, jnp.where((slow > 5) & (f.error < 1e-3 * f.error_sum), 5, 0)),
        done=pick(k.done, k.done, better & (best <= test)),
    )
    second = second & ~stop
    f = f._replace(
        deepest=jnp.where(second, 1, pick(f.deepest, f.deepest, f.deepest + 1)),
        large_error=jnp.where(second, f.error_sum, pick(f.large_error, large_error, f.error_sum)),
        test=jnp.where(second, bound, test),
        result=jnp.where(better, value, f.result),
        error=best,
        correction=jnp.where(better, large_error, f.correction),
    )
    entries = tab.entries.at[1].set(jnp.where(second, f.area, tab.entries[1]))
    tab = tab._replace(entries=entries, n=jnp.where(second, 2, tab.n))
    return s._replace(floats=_pack(f), ints=_pack(k), table=tab)


def _extrapolate(wanted, tab, area):
    """`extrapolate` where ``wanted``, for all lanes of a batch at once."""
    none = area, jnp.full_like(area, jnp.finfo(area.dtype).max)
    new, value, error = lax.cond(any_lane(wanted), extrapolate, lambda tab, area: (tab, *none), tab, area)
    return jax.tree.map(lambda x, y: jnp.where(wanted, x, y), new, tab), value, error


def _conclude(s, first, k, info):
    """Choose between the extrapolated result and the sum over the intervals; the final ``ier``."""
    f, hard = _unpack(_Floats, s.floats), k.hard != 0
    total = jnp.sum(s.parts[2])  # unused places are 0
    trouble = (k.ier != 0) | hard
    error = f.error + jnp.where(hard, f.correction, 0)
    ier = jnp.where(trouble & (k.ier == 0), 3, k.ier)
    nonzero = (f.result != 0) & (f.area != 0)
    relative = error / jnp.abs(jnp.where(nonzero, f.result, 1)) > f.error_sum / jnp.abs(jnp.where(nonzero, f.area, 1))
    worse = jnp.where(nonzero, relative, error > f.error_sum)
    by_sum = (k.summed != 0) | (f.error == info.max) | (trouble & worse)
    vanish = trouble & ~nonzero & ~worse & (f.area == 0)
    ratio = f.result / jnp.where(f.area == 0, 1, f.area)
    absurd = (ratio < 0.01) | (ratio > 100) | (f.error_sum > jnp.abs(f.area)) | (f.area == 0)
    keeps_sign = jnp.abs(first.value) >= (1 - 50 * info.eps) * first.absolute
    small = ~keeps_sign & (jnp.maximum(jnp.abs(f.result), jnp.abs(f.area)) <= first.absolute * 0.01)
    ier = jnp.where(~by_sum & ~vanish & ~small & absurd, 6, ier)
    ier = jnp.where(ier > 2, ier - 1, ier)
    return jnp.where(by_sum, total, f.result), jnp.where(by_sum, f.error_sum, error), ier
