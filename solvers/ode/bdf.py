"""Numerical differentiation formulas of order 1 to 5 with quasi-constant steps, for stiff problems.

The history is the table of backward differences of the last steps; a new step size changes it by a linear map.

References
----------
.. [1] L. F. Shampine, M. W. Reichelt, "The MATLAB ODE Suite", SIAM J. Sci. Comput. 18, 1997.
.. [2] E. Hairer, G. Wanner, "Solving Ordinary Differential Equations I", Sec. III.2.
"""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from solvers.ode import bdf_replay, control, implicit, replay
from solvers.ode.bdf_table import ALPHA, ERROR, MAX_ORDER, ROWS, advanced, predicted, rescaled
from solvers.ode.problem import State, min_step, next_step

MAX_ITERATIONS = 4


class Step(NamedTuple):
    """The step of size ``h`` that ended at ``t``: the differences (8, n) there, of which ``order`` count."""

    t: Any
    h: Any
    order: Any
    table: Any


class Cache(NamedTuple):
    """What travels from attempt to attempt."""

    jac: Any
    inverse: Any  # of I - c J
    renew: Any  # whether J has to be computed
    fresh: Any  # whether J was computed in this step
    refactor: Any
    equal: Any  # steps taken with this size
    counts: Any  # right-hand sides, Jacobians, factorisations


class Newton(NamedTuple):
    """State of the Newton iteration: the correction ``d`` of the predicted state."""

    d: Any
    k: Any
    norm: Any
    done: Any
    failed: Any


class BDF(replay.Method):
    """NDF of order 1 to 5 with order and step-size selection."""

    multistep = True
    dense_nfev = 0

    def init(self, problem, y0, first_step=None):
        """State at ``t0``; ``first_step`` (size) overrides the automatic choice."""
        p, n, dtype = problem, y0.size, y0.dtype
        f = p.rhs(p.t0, y0)
        if first_step is None:
            h = control.initial_step(p, y0, f, 1)
            h = jnp.maximum(h, min_step(p.t0, p.direction))
        else:
            h = jnp.asarray(first_step, p.t0.dtype)
        zero, yes = jnp.zeros((), jnp.int32), jnp.ones((), bool)
        given = implicit.constant(p)
        cache = Cache(
            jac=jnp.asarray(implicit.jacobian(p, p.t0, y0), dtype),
            inverse=implicit.blank(p, dtype, n),
            renew=~yes,
            fresh=jnp.asarray(given),
            refactor=yes,
            equal=zero,
            counts=jnp.array([0, not given, 0], jnp.int32),
        )
        step = jnp.where(h > 0, p.direction * h, 1)  # of an empty interval: any
        table = jnp.concatenate([y0[None], (f * step)[None], jnp.zeros((ROWS - 2, n), dtype)])
        return State(p.t0, y0, h, zero, zero, cache, Step(p.t0, step, jnp.ones((), jnp.int32), table))

    def counts(self, state, automatic):
        """Right-hand sides, Jacobians, factorisations."""
        nfev, njev, nlu = state.cache.counts
        return (2 if automatic else 1) + nfev, njev, nlu

    def attempt(self, problem, state):
        """Try one step of size ``state.h``, limited to ``max_step`` and to the end of the interval."""
        p, s, c = problem, state, state.cache
        order, given = s.last.order, implicit.constant(p)
        _, size, t_new, beyond = next_step(p, s)
        h = t_new - s.t
        equal = jnp.where(beyond | (size != jnp.abs(s.h)), 0, c.equal)
        size = jnp.abs(h)

        table = rescaled(s.last.table, order, h / s.last.h)
        alpha = jnp.asarray(ALPHA, h.dtype)[order]
        start, psi = predicted(table, order)
        step = h / alpha

        n = s.y.size
        jac = c.jac if given else implicit.update(c.renew, c.jac, lambda: implicit.jacobian(p, t_new, start), n)
        refactor = c.refactor | c.renew | beyond
        inverse = implicit.update(refactor, c.inverse, lambda: implicit.factorised(p, 1, step, jac), n)
        scale = p.atol + p.rtol * jnp.abs(start)
        newton = self._newton(p, t_new, start, step, psi / alpha, inverse, scale)

        y_new = start + newton.d
        scale = p.atol + p.rtol * jnp.abs(y_new)
        constants = jnp.asarray(ERROR, h.dtype)
        error = control.rms_norm(constants[order] * newton.d / scale)
        accept = newton.done & (error <= 1)
        safety = 0.9 * (2 * MAX_ITERATIONS + 1) / (2 * MAX_ITERATIONS + newton.k)
        again = ~newton.done & ~c.fresh
        # a Jacobian made where the right-hand side is not finite serves no shorter step either
        broken = ~newton.done & ~jnp.isfinite(jnp.sum(jac))

        table = advanced(table, order, newton.d)
        equal = equal + 1
        select = accept & (equal > order)
        lower = jnp.where(order > 1, control.rms_norm(constants[order - 1] * table[order] / scale), jnp.inf)
        higher = control.rms_norm(constants[jnp.minimum(order + 1, MAX_ORDER)] * table[order + 2] / scale)
        higher = jnp.where(order < MAX_ORDER, higher, jnp.inf)
        norms = jnp.stack([lower, error, higher])
        factors = safety * norms ** (-1 / (order + np.arange(3)).astype(h.dtype))
        best = jnp.max(factors)
        shift = jnp.argmax(factors) - 1
        # NaN counts as a failed error test
        shrunk = jnp.where(factors[1] > control.MIN_FACTOR, factors[1], control.MIN_FACTOR)
        retry = jnp.where(newton.done, shrunk, jnp.where(again, 1.0, 0.5))
        factor = jnp.where(accept, jnp.where(select, jnp.minimum(control.MAX_FACTOR, best), 1.0), retry)
        counts = jnp.stack([newton.k, again, refactor]).astype(jnp.int32)
        cache = Cache(
            jac=jac,
            inverse=inverse,
            renew=again | (broken & (not given)),
            fresh=jnp.where(accept, given, c.fresh | again),
            # a failed error test keeps the factorisation, although of another step size
            refactor=jnp.where(accept, select, ~newton.done),
            equal=jnp.where(accept & ~select, equal, jnp.where(again, equal - 1, 0)),
            counts=c.counts + counts,
        )
        last = Step(t_new, h, order + jnp.where(select, shift, 0).astype(order.dtype), table)
        return State(
            t=jnp.where(accept, t_new, s.t),
            y=jnp.where(accept, y_new, s.y),
            h=jnp.where(accept, size, -size) * factor,
            accepted=s.accepted + accept,
            attempts=s.attempts + 1,
            cache=cache,
            last=jax.tree.map(lambda new, old: jnp.where(accept, new, old), last, s.last),
        )

    def _newton(self, p, t, start, step, psi, inverse, scale):
        """The correction that solves ``d = step * f(t, start + d) - psi``, by simplified Newton iteration."""
        rtol = jnp.min(p.rtol)
        tolerance = implicit.newton_tolerance(rtol)

        def body(i):
            change = implicit.apply(inverse, step * p.rhs(t, start + i.d) - psi - i.d)
            norm = control.rms_norm(change / scale)
            first = i.k == 0
            rate = norm / i.norm
            left = rate ** (MAX_ITERATIONS - i.k) / (1 - rate) * norm
            failed = ~jnp.isfinite(norm) | (~first & ((rate >= 1) | (left > tolerance)))
            done = ~failed & ((norm == 0) | (~first & (rate / (1 - rate) * norm < tolerance)))
            return Newton(jnp.where(failed, i.d, i.d + change), i.k + 1, norm, done, failed)

        no = jnp.zeros((), bool)
        begin = Newton(jnp.zeros_like(start), jnp.zeros((), jnp.int32), jnp.ones_like(t), no, no)
        return lax.while_loop(lambda i: (i.k < MAX_ITERATIONS) & ~i.done & ~i.failed, body, begin)

    def replay(self, rhs, leaves, y0, t, h, rows):
        """States (size + 1, n) of the recorded steps, and the tables and orders behind them."""
        tables = bdf_replay.replay(rhs, leaves, y0, t, h, rows)
        return tables[:, 0], (tables[1:], rows.dense.order)

    def replayed(self, rhs, ys, t, h, memory, index):
        """Interpolation coefficients of the steps ``index`` (any shape)."""
        tables, order = memory
        step = jnp.where(h == 0, 1, h)
        return Step((t + h)[index], step[index], order[index], tables[index])

    def coefficients(self, rhs, last):
        """Interpolation coefficients of the step ``last``."""
        return last

    def interpolate(self, coefficients, t):
        """Solution at scalar ``t`` inside the step."""
        t_new, h, order, table = coefficients
        total, product = table[0], 1.0
        for j in range(1, MAX_ORDER + 1):
            product = product * ((t - t_new + h * (j - 1)) / (h * j))
            total = total + (j <= order) * product * table[j]
        return total
