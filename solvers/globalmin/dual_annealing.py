"""Dual annealing: generalized simulated annealing with local searches."""

from dataclasses import dataclass, field
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from solvers.globalmin.differential_evolution import uniform_numbers
from solvers.globalmin.stationary import stationary
from solvers.implicit import close, implicit
from solvers.iterate import split
from solvers.minimize import LBFGSB, minimize
from solvers.pytrees import pytree_dataclass

__all__ = ["AnnealingResult", "DualAnnealing", "dual_annealing"]

RUNNING, FINISHED, NOT_FINITE = -1, 0, 1
TOO_MANY_ANNEALING, TOO_MANY_LOCAL, TOO_MANY_DUAL = 2, 3, 4  # evaluations, and where that was noticed
QUIET, FOUND_ANNEALING, FOUND_LOCAL, FOUND_DUAL, SEARCH = 0, 1, 2, 3, 4  # events that pause
_TAIL, _LEAST = 1e8, 1e-10  # longest jump, and distance to the lower bound
_PATIENCE, _TRIES = 1000, 1000


class AnnealingState(NamedTuple):
    """The walk, and where it is in its schedule.

    ``phase`` is -1 for a new start, the visit's number below 2 n, then 2 n and 2 n + 1 for the local searches from the
    best point and from the chain's. ``found`` and ``found_fun`` are the answer to the event ``SEARCH``.
    """

    x: Any
    fun: Any
    best: Any
    lowest: Any
    chain: Any
    chain_fun: Any
    found: Any
    found_fun: Any
    generator: Any
    phase: Any
    cooling: Any
    nit: Any
    nfev: Any
    njev: Any
    nhev: Any
    idle: Any
    patience: Any
    tries: Any
    improved: Any
    answered: Any
    event: Any
    status: Any


class AnnealingResult(NamedTuple):
    """What `dual_annealing` returns.

    Attributes
    ----------
    x, fun : arrays
        The lowest point and its value. Differentiable, as a minimum in the box.
    nfev, njev, nit, status : int arrays
        Status 0 after all iterations, 1 if no start has a finite value, 2 to 4 after too many evaluations (noticed
        while annealing, in the first, or in the second local search), -1 paused.
    state : AnnealingState
        To resume from.
    """

    x: Any
    fun: Any
    nfev: Any
    njev: Any
    nit: Any
    status: Any
    state: Any


@pytree_dataclass
@dataclass(frozen=True)
class DualAnnealing:
    """Generalized simulated annealing by Xiang's schedule, with local searches by L-BFGS-B.

    Parameters
    ----------
    search : str, static
        ``own``: L-BFGS-B; ``none``; or ``asked``: pause, the caller answers.
    initial_temp, restart_temp_ratio : float
        First temperature, and the fraction of it at which the walk starts anew.
    visit, accept : float
        Tsallis' parameters of the visiting distribution and of acceptance.
    maxiter, maxfun : int
        Most iterations; evaluations after which it ends.
    tells : bool
        Whether to pause at each new best point.

    References
    ----------
    .. [1] C. Tsallis, D. A. Stariolo, "Generalized simulated annealing", Physica A 233 (1996) 395-406.
    .. [2] Y. Xiang, S. Gubian, B. Suomela, J. Hoeng, "Generalized simulated annealing for global optimization: the
       GenSA package", R Journal 5 (2013) 13-28.
    """

    search: str = field(default="own", metadata={"static": True})
    initial_temp: Any = 5230.0
    restart_temp_ratio: Any = 2e-5
    visit: Any = 2.62
    accept: Any = -5.0
    maxiter: Any = 1000
    maxfun: Any = 1e7
    tells: Any = False

    def init(self, x0, key):
        """State before any evaluation; where `x0` is NaN, the start is drawn."""
        key, n = np.ravel(key) if isinstance(key, np.ndarray) else jnp.ravel(key), x0.size
        xp = np if isinstance(key, np.ndarray) else jnp
        zero, infinite = np.int32(0), np.asarray(np.inf, x0.dtype)
        return AnnealingState(
            x=x0, fun=infinite, best=x0, lowest=infinite, chain=x0, chain_fun=infinite, found=x0, found_fun=infinite,
            generator=xp.concatenate([key, key ^ np.uint32(0x9E3779B9)]), phase=np.int32(-1), cooling=zero, nit=zero,
            nfev=zero, njev=zero, nhev=zero, idle=zero, patience=np.int32(_PATIENCE), tries=zero,
            improved=np.bool_(False), answered=np.bool_(False), event=zero, status=np.int32(RUNNING),
        ) if n else None  # fmt: skip

    def temperature(self, cooling):
        """Of the visiting distribution after so many steps."""
        q = self.visit - 1.0
        return self.initial_temp * jnp.expm1(q * np.log(2.0)) / jnp.expm1(q * jnp.log(cooling + 2.0))

    def running(self, s):
        return (s.status == RUNNING) & (s.event == QUIET)

    def anneal(self, value, box, s):
        """One evaluation: of a start, or of a visit."""
        lower, upper = box
        n, dtype, first = s.x.size, s.x.dtype, s.phase < 0
        generator, draws = uniform_numbers(s.generator, (3 * n + 3,), dtype)
        temperature = self.temperature(s.cooling.astype(dtype))
        fresh = lower + draws[2 * n + 3 :] * (upper - lower)
        begin = jnp.where((s.tries == 0) & (s.nit == 0), jnp.where(jnp.isnan(s.x), fresh, s.x), fresh)
        visited = self._visited(s, box, temperature, draws)
        x = jnp.where(first, begin, visited)
        fun = value(x).astype(dtype)

        finite = jnp.isfinite(fun)
        lower_than = fun < s.fun
        quotient = 1.0 - self.accept
        chance = 1.0 - quotient * (fun - s.fun) / (temperature / (s.cooling + 1))
        chance = jnp.where(chance <= 0, 0.0, jnp.exp(jnp.log(jnp.where(chance <= 0, 1.0, chance)) / quotient))
        taken = ~first & ~lower_than & (draws[2 * n + 2] <= chance)
        moves = jnp.where(first, finite, lower_than | taken)
        new_x, new_fun = jnp.where(moves, x, s.x), jnp.where(moves, fun, s.fun)

        leads = ~first & lower_than & (fun < s.lowest)
        unset = first & finite & jnp.isinf(s.lowest)
        idle = jnp.where(leads, 0, s.idle + (s.phase == 0))
        # After long idleness the chain's record starts at its present point.
        stale = ~first & ~lower_than & (idle >= s.patience) & ((s.phase == 0) | (new_fun < s.chain_fun))
        tries = jnp.where(first & ~finite, s.tries + 1, 0)
        nfev = s.nfev + 1
        status = jnp.where(~first & (nfev >= self.maxfun), TOO_MANY_ANNEALING, s.status)
        status = jnp.where(first & (tries > _TRIES), NOT_FINITE, status)
        status = jnp.where(first & finite & (s.nit >= self.maxiter), FINISHED, status)
        improved = jnp.where(s.phase == 0, s.cooling == 0, s.improved) | leads
        return s._replace(
            x=new_x,
            fun=new_fun,
            best=jnp.where(leads | unset, x, s.best),
            lowest=jnp.where(leads | unset, fun, s.lowest),
            chain=jnp.where(taken | stale | unset, new_x, s.chain),
            chain_fun=jnp.where(stale | unset, new_fun, s.chain_fun),
            generator=generator,
            phase=s.phase + jnp.where(first, finite, True),
            nfev=nfev,
            idle=idle,
            tries=tries,
            improved=improved,
            event=jnp.where(leads & self.tells, FOUND_ANNEALING, QUIET).astype(jnp.int32),
            status=status.astype(jnp.int32),
        )

    def _visited(self, s, box, temperature, draws):
        """A jump of all coordinates, in the second half of a chain of one, wrapped around the box."""
        lower, upper = box
        n, q = s.x.size, jnp.asarray(self.visit, s.x.dtype)
        radius = jnp.sqrt(-2 * jnp.log1p(-draws[:n]))
        angle = 2 * np.pi * draws[n : 2 * n]
        x, y = radius * jnp.cos(angle), jnp.abs(radius * jnp.sin(angle))
        # Logarithms of the factors of Tsallis' distribution.
        four = 0.5 * np.log(np.pi) + jnp.log(temperature) / (q - 1) + (4 - q) * jnp.log(q - 1)
        four = four - (2 - q) * np.log(2.0) / (q - 1) - jnp.log(3 - q)
        five = 1.5 - 1 / (q - 1)
        six = jnp.log(np.pi * five / jnp.sin(np.pi * five)) - lax.lgamma(five + 1)
        jump = x * jnp.exp((q - 1) / (3 - q) * (four - six - jnp.log(y)))
        jump = jnp.where(jump > _TAIL, _TAIL * draws[2 * n], jump)
        jump = jnp.where(jump < -_TAIL, -_TAIL * draws[2 * n + 1], jump)
        moving = (s.phase < n) | (lax.iota(jnp.int32, n) == s.phase - n)
        x = s.x + jump - lower
        width = upper - lower
        x = x - width * jnp.floor(x / width)
        x = lower + jnp.where(x >= width, 0.0, x)
        x = jnp.where(jnp.abs(x - lower) < _LEAST, x + _LEAST, x)
        return jnp.where(moving, x, s.x)

    def refine(self, search, box, s):
        """One of the two local searches behind a chain, if it is due."""
        last = s.phase == 2 * s.x.size + 1
        due = jnp.where(last, s.idle >= s.patience, s.improved)
        start, start_fun = jnp.where(last, s.chain, s.best), jnp.where(last, s.chain_fun, s.lowest)
        if self.search == "none":
            return self._next(s, last)
        if self.search == "own":
            x, fun, nfev, njev = search(start, due)
            s = s._replace(nfev=s.nfev + nfev, njev=s.njev + njev)
        else:
            x, fun = s.found, s.found_fun
        valid = jnp.all(jnp.isfinite(x)) & jnp.isfinite(fun) & jnp.all((x >= box[0]) & (x <= box[1]))
        better = valid & (fun < start_fun)
        x, fun = jnp.where(better, x, start), jnp.where(better, fun, start_fun)
        leads = due & (fun < s.lowest)
        again = due & last
        status = jnp.where(last, TOO_MANY_DUAL, TOO_MANY_LOCAL)
        after = s._replace(
            x=jnp.where(leads, x, s.x),
            fun=jnp.where(leads, fun, s.fun),
            best=jnp.where(leads, x, s.best),
            lowest=jnp.where(leads, fun, s.lowest),
            chain=jnp.where(again, x, s.chain),
            chain_fun=jnp.where(again, fun, s.chain_fun),
            idle=jnp.where(leads | again, 0, s.idle),
            patience=jnp.where(again, s.x.size, s.patience).astype(jnp.int32),
            answered=jnp.asarray(False),
            event=jnp.where(leads & self.tells, jnp.where(last, FOUND_DUAL, FOUND_LOCAL), QUIET).astype(jnp.int32),
            status=jnp.where(due & (s.nfev >= self.maxfun), status, s.status).astype(jnp.int32),
        )
        after = self._next(after, last)
        if self.search == "own":
            return after
        ask = due & ~s.answered
        asked = s._replace(found=start, found_fun=start_fun, event=jnp.asarray(SEARCH, jnp.int32))
        return jax.tree.map(lambda a, b: jnp.where(ask, a, b), asked, after)

    def _next(self, s, last):
        """The schedule behind a local search."""
        ends = last & (s.status == RUNNING)
        nit, cooling = s.nit + ends, s.cooling + ends
        over = ends & (nit >= self.maxiter)
        cold = ends & (self.temperature(cooling.astype(s.x.dtype)) < self.initial_temp * self.restart_temp_ratio)
        phase = jnp.where(last, jnp.where(cold, -1, 0), s.phase + 1)
        return s._replace(
            nit=nit,
            cooling=jnp.where(cold, 0, cooling).astype(jnp.int32),
            phase=phase.astype(jnp.int32),
            status=jnp.where(over, FINISHED, s.status).astype(jnp.int32),
        )


def dual_annealing(fun, bounds, x0, key, args=(), method=None, *, state=None):
    """Minimise ``fun(x, *args)`` in a box by dual annealing.

    Parameters
    ----------
    fun : callable
    bounds : (lower, upper)
        Two finite vectors (n,).
    x0 : (n,) float array
        The start; drawn where it is NaN.
    key : (2,) uint32 array
        Seeds XLA's generator.
    args : tuple of pytrees
    method : DualAnnealing, optional
    state : AnnealingState, optional
        To resume from.

    Returns
    -------
    AnnealingResult

    Examples
    --------
    >>> import jax.numpy as jnp
    >>> from solvers.globalmin import DualAnnealing, dual_annealing
    >>> found = dual_annealing(
    ...     lambda x: jnp.sum((x - 1) ** 2), (-2.0, 3.0), jnp.full(2, jnp.nan), jnp.uint32([1, 2]),
    ...     method=DualAnnealing(maxiter=50))
    >>> bool(found.fun < 1e-6)
    True
    """
    method = DualAnnealing() if method is None else method
    n, dtype = x0.size, x0.dtype
    lower, upper = (jnp.broadcast_to(jnp.asarray(b, dtype), (n,)) for b in bounds)
    pure, consts, _ = close(lambda x, *a: jnp.asarray(fun(x, *a)).reshape(()), np.zeros(n, dtype), *args)
    params = {"fun": consts, "args": tuple(args), "bounds": (lower, upper)}
    carried, rebuild = split((method, x0, key, state))

    def value(params, x):
        return pure(params["fun"], x, *params["args"])

    def solve(params, carried):
        method, x0, key, state = rebuild(carried)
        box = params["bounds"]
        most = min(max(6 * n, 100), 1000)

        def search(x, due):
            """L-BFGS-B; one evaluation where it is not due."""

            def run():
                local = LBFGSB(maxiter=jnp.where(due, most, 0))
                found = minimize.__wrapped__(lambda x: value(params, x), x, (), local, bounds=box)
                return found.x, found.fun.astype(dtype), jnp.where(due, found.nfev, 0), jnp.where(due, found.njev, 0)

            zero = jnp.asarray(0, jnp.int32)
            return lax.cond(due, run, lambda: (x, jnp.asarray(jnp.inf, dtype), zero, zero))

        def chain(s):
            """Annealing up to the local searches, then these."""
            s = lax.while_loop(
                lambda s: method.running(s) & (s.phase < 2 * n),
                lambda s: method.anneal(lambda x: value(params, x), box, s), s,
            )  # fmt: skip
            return lax.while_loop(
                lambda s: method.running(s) & (s.phase >= 2 * n), lambda s: method.refine(search, box, s), s
            )

        s = method.init(x0, key) if state is None else state
        s = lax.while_loop(method.running, chain, jax.tree.map(jnp.asarray, s))
        names = ("nfev", "njev", "nit", "status")
        return s.best, {"fun": s.lowest, **{name: getattr(s, name) for name in names}, "state": s}

    x, aux = implicit(solve, stationary(value), lambda x, p: {"fun": value(p, x)}, params, carried)
    return AnnealingResult(x=x, **aux)
