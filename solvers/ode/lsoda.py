"""LSODA: Adams formulas of order 1 to 12 and BDF of order 1 to 5, switched between as the problem is stiff or not.

The history is a Nordsieck array. Both families share the step: they differ in the weights of the correction, and in
how its equation is solved, by functional iteration (Newton's with the inverse replaced by the identity) or by a
simplified Newton iteration. One attempt of the driver loop is one such iteration to its end.

References
----------
.. [1] L. Petzold, "Automatic Selection of Methods for Solving Stiff and Nonstiff Systems of Ordinary Differential
   Equations", SIAM J. Sci. Stat. Comput. 4, 1983.
.. [2] K. Radhakrishnan, A. C. Hindmarsh, "Description and Use of LSODE", LLNL report UCRL-ID-113855, 1993.
"""

from dataclasses import dataclass
from typing import Any, NamedTuple

import jax.numpy as jnp
import numpy as np
from jax import lax

from solvers.batching import any_lane
from solvers.ode import implicit, lsoda_choice, lsoda_replay, replay
from solvers.ode.lsoda_choice import norm
from solvers.ode.lsoda_table import (
    FORMULA,
    MAX_ADAMS,
    MAX_BDF,
    ROWS,
    STABLE,
    advanced,
    formula_of,
    outlook,
    row,
    scales,
    weights_of,
)
from solvers.ode.problem import State, min_step

MAX_ITERATIONS = 3
#: Steps before the other family is considered.
PATIENCE = 20
#: Steps with one Jacobian, and the relative change of the coefficient of the iteration matrix, at most.
MAX_AGE, MAX_DRIFT = 20, 0.3


class Step(NamedTuple):
    """The step of size ``h`` that ended at ``t``: its formula, and the Nordsieck array (ROWS, n) there."""

    t: Any
    h: Any
    formula: Any
    z: Any


class Reals(NamedTuple):
    """Numbers that travel from attempt to attempt, as one vector: every array of a loop costs kernels."""

    norm: Any  # of J
    made: Any  # h l0 of the inverse
    most: Any  # largest growth of the next step
    rate: Any  # of convergence
    lipschitz: Any  # estimate since the last change of order
    known: Any  # the last estimate that was not zero
    switched: Any  # time of the last change of family


class Ints(NamedTuple):
    """Counters and flags, as one vector."""

    order: Any  # of the next step
    stiff: Any
    wait: Any  # steps until the order may change
    patience: Any  # steps until the family may change
    age: Any  # steps since J was made
    renew: Any  # whether J has to be computed
    fresh: Any  # whether J was computed in this step
    limited: Any  # whether stability limited the step
    rejected: Any  # failures of the error test in this step
    missed: Any  # and of the iteration
    nfev: Any
    njev: Any
    nlu: Any

    @property
    def flags(self):
        """``stiff``, ``renew``, ``fresh``, ``limited`` as flags."""
        return self.stiff > 0, self.renew > 0, self.fresh > 0, self.limited > 0


class Cache(NamedTuple):
    """What travels from attempt to attempt."""

    inverse: Any  # of I - h l0 J
    saved: Any  # the correction of the step before a change of order
    reals: Any
    ints: Any


#: Codes of the iteration: not converged; it goes on; converged to rounding; by the test of its rate.
FAILED, GOING, DONE, TESTED = range(-1, 3)


class Newton(NamedTuple):
    """State of the iteration: the correction ``d`` of the scaled derivative."""

    d: Any
    k: Any
    norm: Any
    rate: Any
    drift: Any
    code: Any


class Limits(NamedTuple):
    """What ODEPACK's callers may say beside a `Problem`.

    Least step, first output (for the size of the first step), times not to step over, steps from output to output.
    """

    least: Any = 0.0
    first: Any = None
    critical: Any = None
    budget: Any = None


class Report(NamedTuple):
    """What is known at an output: the last step, and counts so far."""

    t: Any
    h: Any
    y: Any
    order: Any
    stiff: Any
    switched: Any
    steps: Any
    nfev: Any
    njev: Any
    rejected: Any  # failures of the error test in the step that failed
    missed: Any  # and of the iteration


@dataclass(frozen=True, eq=True, repr=True)
class LSODA(replay.Method):
    """Adams and BDF formulas with selection of family, order and step size.

    Parameters
    ----------
    max_adams, max_bdf : int
        Largest orders, at most 12 and 5.
    overshoot : bool
        Whether steps may end beyond the interval; the right-hand side is then evaluated there.
    """

    max_adams: int = MAX_ADAMS
    max_bdf: int = MAX_BDF
    overshoot: bool = False

    multistep = True
    dense_nfev = 0

    def init(self, problem, y0, first_step=None):
        """State at ``t0``; ``first_step`` (size) overrides the automatic choice."""
        p, dtype = problem, y0.dtype
        if jnp.iscomplexobj(y0):
            raise ValueError(f"LSODA takes real states only, got dtype {dtype}.")
        f = p.rhs(p.t0, y0)
        if first_step is None:
            h = self._first_step(p, y0, f)
        else:
            h = jnp.asarray(first_step, p.t0.dtype)
        zero = jnp.zeros((), jnp.int32)
        reals = Reals(norm=0.0, made=1.0, most=1e4, rate=0.7, lipschitz=0.0, known=0.0, switched=p.t0)
        ints = Ints(1, 0, wait=2, patience=PATIENCE, age=0, renew=0, fresh=0, limited=0, rejected=0, missed=0,
                    nfev=1, njev=0, nlu=0)  # fmt: skip
        cache = Cache(implicit.blank(p, dtype, y0.size), jnp.zeros_like(y0), _packed(reals, h.dtype), _packed(ints))
        step = jnp.where(h > 0, p.direction * h, 1)  # of an empty interval: any
        z = jnp.zeros((ROWS, y0.size), dtype).at[0].set(y0).at[1].set(f * step)
        return State(p.t0, y0, h, zero, zero, cache, Step(p.t0, step, zero + 1, z))

    def _first_step(self, p, y, f):
        """Size of the first step, at which the second-order term of Taylor's formula meets the tolerance."""
        first = p.t1 if p.limits is None or p.limits.first is None else p.limits.first
        length = jnp.abs(first - p.t0)
        tolerance = jnp.clip(jnp.max(p.rtol), 100 * jnp.finfo(y.dtype).eps, 1e-3)
        time = jnp.maximum(jnp.abs(p.t0), jnp.abs(first))
        slope = norm(f, _weights(p, y))
        h = 1 / jnp.sqrt(1 / (tolerance * time * time) + tolerance * slope * slope)
        h = jnp.minimum(jnp.minimum(h, length), p.max_step)
        return jnp.where(length == 0, 0.0, h).astype(p.t0.dtype)

    def counts(self, state, automatic):
        """Right-hand sides, Jacobians, factorisations."""
        c = Ints(*jnp.moveaxis(state.cache.ints, -1, 0))
        return c.nfev, c.njev, c.nlu

    def report(self, state):
        """The `Report` of ``state``."""
        r, i, last = Reals(*state.cache.reals), Ints(*state.cache.ints), state.last
        # a state without a step has none
        order, h = (jnp.where(state.accepted > 0, x, 0) for x in (last.formula % FORMULA, last.h))
        stiff = last.formula >= FORMULA
        return Report(
            state.t, h, state.y, order, stiff, r.switched, state.accepted, i.nfev, i.njev, i.rejected, i.missed
        )

    def attempt(self, problem, state):
        """Try one step of size ``state.h``, limited to ``max_step`` and to the end of the interval."""
        p, s, c = problem, state, state.cache
        r, i = Reals(*c.reals), Ints(*c.ints)
        order, (stiff, renew, fresh, limited) = i.order, i.flags
        formula = order + FORMULA * i.stiff
        t_new, whole = lax.optimization_barrier(self._end(p, s))
        h = t_new - s.t
        size, eps = jnp.abs(h), jnp.finfo(h.dtype).eps

        weights = _weights(p, s.y)
        f = formula_of(order, i.stiff, self.max_adams, self.max_bdf, h.dtype)
        leading = f.leading
        scale, beyond = scales(order, h / s.last.h), jnp.minimum(f.other + 1, ROWS - 1)
        start, slope, there = outlook(s.last.z, scale, beyond)

        step = h * leading
        renew = stiff & (renew | (jnp.abs(step / r.made - 1) > MAX_DRIFT) | (i.age >= MAX_AGE))
        inverse, jac_norm = self._linearised(p, c.inverse, r.norm, renew, t_new, start, step, weights)
        rate = jnp.where(renew, 0.7, r.rate)
        newton = self._newton(p, t_new, h, start, slope, leading, inverse, weights, rate, f.test, order, stiff)
        d, solved = newton.d, newton.code >= DONE

        shares = weights_of(order, formula, d.dtype)
        top = scale[order] * s.last.z[order]
        magnitude = norm(s.y, weights)
        precise = magnitude * eps <= 1  # not for a weight of zero either
        errors, factors = lax.optimization_barrier(
            lsoda_choice.estimates(f, d, c.saved, top, top + shares[order] * d, there + shares[beyond] * d, weights)
        )
        error = errors[0]
        accept = solved & (error <= 1) & precise
        fresh = fresh | renew
        again = ~solved & stiff & ~fresh
        missed = ~solved & ~again
        rejections, misses = i.rejected + (solved & ~accept), i.missed + missed
        measured = newton.code == TESTED
        lipschitz = jnp.where(measured, jnp.maximum(r.lipschitz, newton.rate / (size * leading)), r.lipschitz)
        known = jnp.where(measured & (lipschitz != 0), lipschitz, r.known)

        patience = i.patience - accept
        lipschitz_norm = jnp.where(stiff, jac_norm, known)
        switch, other = lsoda_choice.other_family(
            f, order, stiff, errors, factors, size * lipschitz_norm, lipschitz != 0, limited, magnitude
        )
        switch = switch & accept & (patience < 0)
        wait = jnp.where(whole, i.wait, order + 1) - accept
        choose = ~again & ~missed & ~switch & ((wait == 0) | ~accept)
        failed = jnp.where(accept, 0, rejections)
        new_order, factor, keep = lsoda_choice.best_order(f, order, stiff, factors, size * known, accept, failed)
        restart = choose & ~accept & (rejections >= 3)
        move = choose & ~(accept & keep)
        changed = switch | missed | move
        new_order = jnp.where(restart, 1, new_order)
        new_order = jnp.where(switch, f.other, jnp.where(move, new_order, order))
        factor = jnp.where(restart, 0.1, factor)
        factor = jnp.where(switch, other, jnp.where(missed, 0.25, jnp.where(move, factor, 1.0)))
        most = jnp.where(accept, r.most, 2.0)
        least = 0.0 if p.limits is None else p.limits.least
        factor = jnp.where(changed, jnp.minimum(jnp.maximum(factor, least / size), most), factor)
        factor = factor / jnp.maximum(1, size * factor / p.max_step)
        # Adams: not beyond the region of stability
        reach = jnp.maximum(size * jnp.where(switch, 0, known), 1e-6)
        stable = row(STABLE, new_order).astype(h.dtype)
        now_stiff = stiff ^ switch
        limit = changed & ~now_stiff & ~restart & (factor * reach * 1.00001 >= stable)
        factor = jnp.where(limit, stable / reach, factor)
        # ten failures, or one at the least step, end the integration
        hopeless = ~accept & ~again & (~precise | (rejections >= 10) | (misses >= 10) | (size <= least * 1.00001))
        # what follows is packed: the decisions are computed once
        accept, switch, move, changed, new_order, factor, limit, restart, choose, rejections, misses = (
            lax.optimization_barrier(
                (accept, switch, move, changed, new_order, factor, limit, restart, choose, rejections, misses)
            )
        )
        now_stiff = stiff ^ switch
        top = jnp.where(now_stiff, self.max_bdf, self.max_adams)
        ints = Ints(
            order=new_order,
            stiff=now_stiff,
            wait=jnp.where(changed, jnp.where(restart, 5, new_order + 1), jnp.where(choose & accept, 3, wait)),
            patience=jnp.where(switch, PATIENCE, i.patience - accept),
            age=jnp.where(renew, 0, i.age) + accept,
            renew=again | (now_stiff & (missed | switch | restart)),
            fresh=fresh & ~solved,
            limited=jnp.where(changed, limit, limited) & ~switch,
            rejected=jnp.where(accept, 0, rejections),
            missed=jnp.where(accept, 0, misses),
            nfev=i.nfev + newton.k,
            njev=i.njev + (renew & (not implicit.constant(p))),
            nlu=i.nlu + renew,
        )
        reals = Reals(
            norm=jac_norm,
            made=jnp.where(renew, step, r.made),
            most=jnp.where(accept & changed, 10.0, most),
            rate=newton.drift,
            lipschitz=jnp.where(choose & ~stiff, 0, lipschitz),
            known=jnp.where(switch, 0, known),
            switched=jnp.where(switch, t_new, r.switched),
        )
        keep_d = accept & ~changed & (wait == 1) & (order < top)
        old = s.last
        t, h_last, formula = (jnp.where(accept, a, b) for a, b in ((t_new, old.t), (h, old.h), (formula, old.formula)))
        last = Step(t, h_last, formula, advanced(old.z, scale, shares, d, order, accept))
        return State(
            t=jnp.where(accept, t_new, s.t),
            y=jnp.where(accept, start + leading * d, s.y),
            h=jnp.where(hopeless, 0, size * factor),
            accepted=s.accepted + accept,
            attempts=s.attempts + 1,
            cache=Cache(inverse, jnp.where(keep_d, d, c.saved), _packed(reals, h.dtype), _packed(ints)),
            last=last,
        )

    def _end(self, p, s):
        """End of the step to try, and whether it has the size that was planned."""
        d, limits = p.direction, p.limits
        size = jnp.minimum(jnp.maximum(s.h, min_step(s.t, d) / 10), p.max_step)
        t_new, whole = s.t + d * size, size == s.h
        if self.overshoot and (limits is None or limits.critical is None):
            return t_new, whole
        stop = d * jnp.inf if self.overshoot else p.t1
        if limits is not None and limits.critical is not None:
            ahead = d * (limits.critical - s.t) > 0
            stop = d * jnp.minimum(d * stop, jnp.min(jnp.where(ahead, d * limits.critical, jnp.inf)))
        # a rest of rounding errors is no step
        close = d * (t_new - stop) > -100 * jnp.finfo(t_new.dtype).eps * (jnp.abs(stop) + s.h)
        return jnp.where(close, stop, t_new), whole & ~close

    def _linearised(self, p, inverse, norm, renew, t, y, step, weights):
        """Inverse of the iteration matrix and the norm of the Jacobian, made anew where ``renew``."""

        def new():
            jac = implicit.jacobian(p, t, y)
            return implicit.factorised(p, 1, step, jac), implicit.weighted_norm(p, jac, weights)

        return implicit.update(renew, (inverse, norm), new, y.size)

    def _newton(self, p, t, h, y, z1, leading, inverse, weights, drift, test, order, stiff):
        """The correction that solves ``d = h * f(t, y + leading * d) - z1``."""
        least = 100 * jnp.finfo(y.dtype).eps * norm(y, weights)
        divisor = test * 0.5 / (order + 2)

        def body(i):
            change = self._change(inverse, h * p.rhs(t, y + leading * i.d) - z1 - i.d, stiff)
            size = norm(change, weights)
            first = i.k == 0
            tiny = size <= least
            ratio = jnp.where(size <= 1024 * i.norm, size / i.norm, 1024.0)
            update = ~first & ~tiny
            rate = jnp.where(update, jnp.maximum(i.rate, ratio), i.rate)
            drift = jnp.where(update, jnp.maximum(0.2 * i.drift, ratio), i.drift)
            small = (stiff | ~first) & (size * jnp.minimum(1, 1.5 * drift) <= divisor)
            k = i.k + 1
            hopeless = (k == MAX_ITERATIONS) | ((k >= 2) & (size > 2 * i.norm)) | ~jnp.isfinite(size)
            code = jnp.where(tiny, DONE, jnp.where(small, TESTED, jnp.where(hopeless, FAILED, GOING)))
            return Newton(i.d + change, k, size, rate, drift, code.astype(jnp.int32))

        zero, number = jnp.zeros((), h.dtype), jnp.zeros((), jnp.int32)
        begin = Newton(jnp.zeros_like(y), number, zero, zero, drift, number + GOING)
        return lax.while_loop(lambda i: i.code == GOING, body, begin)

    def _change(self, inverse, rest, stiff):
        """Newton's step, or that of functional iteration."""
        if rest.size <= 2 * implicit.SMALL:
            return jnp.where(stiff, implicit.apply(inverse, rest), rest)
        return lax.cond(
            any_lane(stiff), lambda: jnp.where(stiff, implicit.apply(inverse, rest), rest), lambda: rest
        )  # fmt: skip

    def replay(self, rhs, leaves, y0, t, h, rows):
        """States (size + 1, n) of the recorded steps, and the arrays and orders behind them."""
        arrays = lsoda_replay.replay(rhs, leaves, y0, t, h, rows)
        return arrays[:, 0], (arrays[1:], rows.dense.formula)

    def replayed(self, rhs, ys, t, h, memory, index):
        """Interpolation coefficients of the steps ``index`` (any shape)."""
        arrays, formula = memory
        step = jnp.where(h == 0, 1, h)
        return Step((t + h)[index], step[index], formula[index], arrays[index])

    def coefficients(self, rhs, last):
        """Interpolation coefficients of the step ``last``."""
        return last

    def interpolate(self, coefficients, t):
        """Solution at scalar ``t`` inside the step."""
        t_new, h, formula, z = coefficients
        order = formula % FORMULA
        x = (t - t_new) / h
        if isinstance(z, np.ndarray):  # of a caller that looks at each step: the rows that count
            total = z[order]
            for j in range(int(order) - 1, -1, -1):
                total = z[j] + x * total
            return total
        total = z[ROWS - 1] * (order >= ROWS - 1)
        for j in range(ROWS - 2, -1, -1):
            total = (j <= order) * z[j] + x * total
        return total


def _packed(numbers, dtype=jnp.int32):
    return jnp.stack([jnp.asarray(x, dtype) for x in numbers])


def _weights(p, y):
    return 1 / (p.atol + p.rtol * jnp.abs(y))
