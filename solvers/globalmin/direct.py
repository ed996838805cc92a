"""DIRECT: dividing rectangles."""

from dataclasses import dataclass, field
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from solvers.globalmin.stationary import stationary
from solvers.implicit import close, implicit
from solvers.iterate import iterate, split
from solvers.pytrees import pytree_dataclass

__all__ = ["Direct", "DirectResult", "direct"]

RUNNING, MAX_EVALUATIONS, MAX_ITERATIONS, NEAR_KNOWN, SMALL_VOLUME, SMALL_SIDE = 0, 1, 2, 3, 4, 5
NO_ROOM, TOO_DEEP = -4, -6
_DEEPEST = 40  # divisions of one side: 3^-40 is below the resolution of double precision
_TIE = 1e-13


class DirectState(NamedTuple):
    """The rectangles by centre, value, divisions of each side, level and age in the level's list; and counters."""

    centres: Any
    values: Any
    divisions: Any
    level: Any
    age: Any
    count: Any
    clock: Any
    best: Any
    nit: Any
    status: Any


class DirectResult(NamedTuple):
    """What `direct` returns.

    Attributes
    ----------
    x, fun : arrays
        The best centre and its value. Differentiable, as a minimum in the box.
    nfev, nit, status : int arrays
        Status 1 too many evaluations, 2 too many iterations, 3 close to the known minimum, 4 small volume, 5 short
        sides, -4 no room for more rectangles, -6 a side was divided too often, 0 paused.
    state : DirectState
        To resume from.
    """

    x: Any
    fun: Any
    nfev: Any
    nit: Any
    status: Any
    state: Any


@pytree_dataclass
@dataclass(frozen=True)
class Direct:
    """Jones' method of dividing rectangles, and Gablonsky's locally biased variant.

    Parameters
    ----------
    capacity : int, static
        Room for rectangles.
    biased : bool, static
        Whether a rectangle's size is its longest side (one is divided of each size), not its diagonal (all that tie).
    eps : float
        By which part of the least value a rectangle must promise to improve it.
    maxfun, maxiter : int
        Evaluations after which it ends, iterations at which it ends.
    room : int
        Rectangles after which it gives up, at most `capacity`.
    known, known_rtol : float
        The least value where that is known, and the relative distance to it that suffices.
    vol_tol, len_tol : float
        Ends when the best rectangle's volume, or its size (half the diagonal or the longest side), is as small.
    pause : int, optional
        Stop, to be resumed, after this many iterations.

    References
    ----------
    .. [1] D. R. Jones, C. D. Perttunen, B. E. Stuckman, "Lipschitzian optimization without the Lipschitz constant",
       J. Optim. Theory Appl. 79 (1993) 157-181.
    .. [2] J. M. Gablonsky, C. T. Kelley, "A locally-biased form of the DIRECT algorithm", J. Global Optim. 21 (2001)
       27-37.
    """

    capacity: int = field(default=4096, metadata={"static": True})
    biased: bool = field(default=True, metadata={"static": True})
    eps: Any = 1e-4
    maxfun: Any = 2000
    maxiter: Any = 1000
    room: Any = 4096
    known: Any = -np.inf
    known_rtol: Any = 1e-4
    vol_tol: Any = 1e-16
    len_tol: Any = 1e-6
    pause: Any = None

    def init(self, n, dtype):
        """State before any evaluation: the whole box, in units of its sides."""
        zero, size = np.int32(0), self.capacity
        return DirectState(
            centres=np.full((size, n), 0.5, dtype), values=np.full(size, np.inf, dtype),
            divisions=np.zeros((size, n), np.int32), level=np.zeros(size, np.int32), age=np.zeros(size, np.int32),
            count=zero, clock=zero, best=zero, nit=zero, status=zero,
        )  # fmt: skip

    def converged(self, s):
        done = s.status != RUNNING
        return done if self.pause is None else done | (s.nit >= self.pause)

    def step(self, problem, s):
        """Divide the rectangles that are potentially optimal."""
        first = s.count == 0
        chosen, anchors = self._chosen(s)
        # The first iteration divides the whole box.
        chosen = jnp.where(first, jnp.arange(chosen.size) == 0, chosen)
        anchors = jnp.where(first, 0, anchors)
        ties = None
        if not self.biased:
            least = s.values[anchors]
            used = jnp.arange(self.capacity) < s.count
            ties = used & chosen[s.level] & (s.values - least[s.level] <= _TIE)
            ties &= anchors[s.level] != jnp.arange(self.capacity)

        def more(carry):
            return jnp.any(carry[1]) & (carry[0].status == RUNNING)

        def one_anchor(carry):
            s, chosen = carry
            level = jnp.argmax(chosen)
            return self._divided(problem, s, anchors[level]), chosen.at[level].set(False)

        def one_tie(carry):
            s, ties = carry
            index = jnp.argmin(jnp.where(ties, s.age, np.iinfo(np.int32).max))
            return self._divided(problem, s, index), ties.at[index].set(False)

        after, _ = lax.while_loop(more, one_anchor, (s, chosen))
        if not self.biased:
            after, _ = lax.while_loop(more, one_tie, (after, ties))
        return self._checked(after, first)

    def _sizes(self, n, dtype):
        """Of each level, the longest side or half the diagonal; the levels are ordered by it."""
        if self.biased:
            return (3.0 ** -np.arange(_DEEPEST + 2)).astype(dtype)
        shorter = np.arange(n)  # sides that were divided once more than the others
        diagonals = 0.5 * np.sqrt(n - shorter + shorter / 9.0)
        return (3.0 ** -np.arange(_DEEPEST + 2)[:, None] * diagonals).ravel().astype(dtype)

    def _level(self, divisions):
        least = jnp.min(divisions, axis=-1)
        if self.biased:
            return least
        return least * divisions.shape[-1] + jnp.sum(divisions > least[..., None], axis=-1, dtype=jnp.int32)

    def _chosen(self, s):
        """Which levels' best rectangles are potentially optimal (on the lower right hull), and those rectangles."""
        n, dtype = s.centres.shape[1], s.values.dtype
        sizes = jnp.asarray(self._sizes(n, dtype))
        count, places = sizes.size, jnp.arange(self.capacity)
        level = jnp.where(places < s.count, s.level, count)
        least = jax.ops.segment_min(s.values, level, count + 1)
        ties = s.values == least[level]
        eldest = jax.ops.segment_min(jnp.where(ties, s.age, np.iinfo(np.int32).max), level, count + 1)
        anchor = jnp.where(ties & (s.age == eldest[level]), level, count)
        anchors = jnp.zeros(count + 1, jnp.int32).at[anchor].set(places.astype(jnp.int32))[:count]
        there = jnp.zeros(count + 1, bool).at[level].set(True)[:count]
        least, lowest = least[:count], s.values[s.best]
        threshold = lowest - self.eps * jnp.abs(lowest)
        levels = jnp.arange(count)

        def judge(carry):
            j, alive = carry
            slope = (least - least[j]) / jnp.where(levels == j, 1.0, sizes - sizes[j])
            larger, smaller = alive & (levels < j), alive & (levels > j)
            dominated = jnp.any((larger | smaller) & (slope <= 0))
            rise = jnp.min(jnp.where(larger, slope, jnp.inf))
            fall = jnp.max(jnp.where(smaller, slope, 0.0), initial=0.0)
            promise = least[j] - rise * sizes[j]
            keeps = ~dominated & (fall <= rise) & ~(promise > threshold)
            return j - 1, alive.at[j].set(alive[j] & keeps)

        deepest = jnp.max(jnp.where(there, levels, 0))
        _, alive = lax.while_loop(lambda c: c[0] >= 0, judge, (deepest, there))
        return alive, anchors

    def _divided(self, problem, s, index):
        """Sample along the longest sides of a rectangle and divide it, the best side last cut off."""
        n, dtype, first = s.centres.shape[1], s.values.dtype, s.count == 0
        centre, divisions = s.centres[index], s.divisions[index]
        least = jnp.min(divisions)
        longest = divisions == least
        thirds = jnp.asarray((3.0 ** -np.arange(_DEEPEST + 3)).astype(dtype))
        offset = thirds[least + 1] * jnp.eye(n, dtype=dtype)
        points = jnp.stack([centre + offset, centre - offset], axis=1).reshape(2 * n, n)
        values = problem(jnp.concatenate([points, centre[None]])).astype(dtype)
        values = jnp.where(jnp.isnan(values), jnp.inf, values)
        values, here = values[:-1], values[-1]
        better = jnp.min(values.reshape(n, 2), axis=1)
        sides = jnp.arange(n)
        before = (better[:, None] < better) | ((better[:, None] == better) & (sides[:, None] <= sides))
        cut = longest[:, None] & before & longest  # [e, d]: the children along d are cut along e as well
        children = jnp.repeat(divisions + cut.T, 2, axis=0)

        start = jnp.maximum(s.count, 1)
        number = 2 * jnp.sum(longest, dtype=jnp.int32)
        order = (2 * (jnp.cumsum(longest) - 1)[:, None] + jnp.arange(2)).reshape(-1).astype(jnp.int32)
        sampled = jnp.repeat(longest, 2)
        fits, shallow = start + number <= self.room, least < _DEEPEST
        place = jnp.where(sampled & fits & shallow, start + order, self.capacity)
        own = jnp.where(fits & shallow, divisions + longest, divisions)
        all_values = s.values.at[jnp.where(first, index, self.capacity)].set(here, mode="drop")
        lowest = jnp.where(first, here, s.values[s.best])
        found = jnp.where(sampled, values, jnp.inf)
        leader = jnp.argmin(found)
        status = jnp.where(fits, jnp.where(shallow, RUNNING, TOO_DEEP), NO_ROOM).astype(jnp.int32)
        return s._replace(
            centres=s.centres.at[place].set(points, mode="drop"),
            values=all_values.at[place].set(values, mode="drop"),
            divisions=s.divisions.at[place].set(children, mode="drop").at[index].set(own),
            level=s.level.at[place].set(self._level(children), mode="drop").at[index].set(self._level(own)),
            age=s.age.at[place].set(s.clock + order, mode="drop").at[index].set(s.clock + number),
            count=jnp.where(fits & shallow, start + number, start).astype(jnp.int32),
            clock=s.clock + number + 1,
            best=jnp.where(fits & shallow & (found[leader] < lowest), start + order[leader], s.best),
            status=status,
        )

    def _checked(self, s, first):
        """The next iteration, or the end; nothing ends before the second."""
        n, dtype, nit = s.centres.shape[1], s.values.dtype, s.nit + 1
        divisions, lowest = s.divisions[s.best], s.values[s.best]
        volume = 3.0 ** -jnp.sum(divisions).astype(dtype)
        size = jnp.asarray(self._sizes(n, dtype))[self._level(divisions)]
        known = jnp.asarray(self.known, dtype)
        scale = jnp.where(known == 0, 1.0, jnp.abs(known))
        near = jnp.where(jnp.isfinite(known), (lowest - known) / scale <= self.known_rtol, False)
        status = jnp.where(nit >= self.maxiter, MAX_ITERATIONS, RUNNING)
        late = jnp.where(s.count > self.maxfun, MAX_EVALUATIONS, RUNNING)
        late = jnp.where(near, NEAR_KNOWN, late)
        late = jnp.where(size <= self.len_tol, SMALL_SIDE, late)
        late = jnp.where(volume <= self.vol_tol, SMALL_VOLUME, late)
        status = jnp.where(~first & (late != RUNNING), late, status)
        return s._replace(nit=nit, status=jnp.where(s.status == RUNNING, status, s.status).astype(jnp.int32))


def direct(fun, bounds, args=(), method=None, *, state=None):
    """Minimise ``fun(x, *args)`` in a box by dividing rectangles.

    Parameters
    ----------
    fun : callable
    bounds : (lower, upper)
        Two finite vectors (n,).
    args : tuple of pytrees
    method : Direct, optional
    state : DirectState, optional
        To resume from.

    Returns
    -------
    DirectResult

    Examples
    --------
    >>> import jax.numpy as jnp
    >>> from solvers.globalmin import direct
    >>> found = direct(lambda x: jnp.sum((x - 0.7) ** 2), (jnp.zeros(2), jnp.ones(2)))
    >>> bool(found.fun < 1e-6)
    True
    """
    method = Direct() if method is None else method
    lower, upper = (jnp.asarray(b) for b in bounds)
    n, dtype = lower.size, jnp.result_type(lower, upper, 1.0)
    lower, upper = lower.astype(dtype), upper.astype(dtype)
    pure, consts, _ = close(lambda x, *a: jnp.asarray(fun(x, *a)).reshape(()), np.zeros(n, dtype), *args)
    params = {"fun": consts, "args": tuple(args), "bounds": (lower, upper)}
    carried, rebuild = split((method, state))

    def value(params, x):
        return pure(params["fun"], x, *params["args"])

    def solve(params, carried):
        method, state = rebuild(carried)
        lower, upper = params["bounds"]

        def scaled(points):
            return lower + points * (upper - lower)

        def values(points):
            return jax.vmap(lambda x: value(params, x))(scaled(points))

        s = method.init(n, dtype) if state is None else state
        s = iterate(method, values, jax.tree.map(jnp.asarray, s))
        names = ("nit", "status")
        aux = {"fun": s.values[s.best], "nfev": s.count, **{name: getattr(s, name) for name in names}, "state": s}
        return scaled(s.centres[s.best]), aux

    x, aux = implicit(solve, stationary(value), lambda x, p: {"fun": value(p, x)}, params, carried)
    return DirectResult(x=x, **aux)
