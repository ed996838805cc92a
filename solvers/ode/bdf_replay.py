"""Derivatives of an integration by BDF: the recorded steps again, each a map of the table of differences.

Orders and step sizes are constants, except that the first step starts at ``t0`` and the last one ends at ``t1``; the
correction of a step is differentiated by the implicit function theorem.
"""

from functools import partial

import jax
import jax.numpy as jnp
from jax import lax

from solvers.implicit import close, implicit
from solvers.ode.bdf_table import ALPHA, ROWS, advanced, predicted, rescaled
from solvers.ode.replay import CHUNK, bounded_scan


def replay(rhs, leaves, y0, t, h, rows):
    """Tables (size + 1, 8, n) before the first and after each recorded step."""
    size = rows.t.shape[0]
    order = jnp.concatenate([jnp.ones(1, rows.dense.order.dtype), rows.dense.order[:-1]])
    h = jnp.where(h == 0, 1, h)  # beyond the last step: finite, and not used
    before = jnp.concatenate([h[:1], h[:-1]])
    first = jnp.zeros((ROWS, y0.size), y0.dtype).at[0].set(y0).at[1].set(rhs(leaves, t[0], y0) * h[0])
    used = jnp.arange(size) < rows.n
    return tables(_advance, rhs, leaves, first, (t, h, before), rows.dense.table, (order, used, rows.n))


@partial(jax.custom_jvp, nondiff_argnums=(0, 1))
def tables(advance, rhs, leaves, first, times, recorded, control):
    """The recorded tables of a multistep method, with derivatives in ``leaves``, ``first`` and ``times``.

    ``advance(rhs, table, times, formula, y_new)`` is one step; ``control`` holds the formulas of the steps, which
    of them count, and their number.
    """
    return jnp.concatenate([first[None], recorded])


@tables.defjvp
def _tables_jvp(advance, rhs, primals, tangents):
    leaves, _, times, _, control = primals
    d_leaves, d_first, d_times, _, _ = tangents
    formula, used, n = control
    tabs = tables(advance, rhs, *primals)

    @partial(jax.checkpoint, prevent_cse=False)
    def step(d_table, row):
        table, y_new, formula, used, times, d_times = row

        def one(leaves, table, times):
            return advance(partial(rhs, leaves), table, times, formula, y_new)

        _, d_new = jax.jvp(one, (leaves, table, times), (d_leaves, d_table, d_times))
        d_new = jnp.where(used, d_new, d_table)
        return d_new, d_new

    y_new = lax.stop_gradient(tabs[1:, 0])
    _, d_tabs = bounded_scan(step, d_first, (tabs[:-1], y_new, formula, used, times, d_times), n, (CHUNK, CHUNK**2))
    return tabs, jnp.concatenate([d_first[None], d_tabs])


def _advance(rhs, table, times, order, y_new):
    """The table after a step whose result ``y_new`` is known but for the last digits."""
    t, h, before = times
    table = rescaled(table, order, h / before)
    start, psi = predicted(table, order)
    alpha = jnp.asarray(ALPHA, h.dtype)[order]
    d = correction(rhs, t + h, start, psi / alpha, h / alpha, y_new)
    return advanced(table, order, d)


def correction(rhs, t_new, start, psi, step, y_new):
    """``d`` with ``d + psi = step * rhs(t_new, start + d)``, differentiable; ``start + d`` is nearly ``y_new``."""
    pure, consts, _ = close(rhs, t_new, y_new)

    def residual(d, params):
        t_new, start, psi, step, consts = params
        return d + psi - step * pure(consts, t_new, start + d)

    def solve(params, start):  # of tracers only what it is given: it is an argument of a `custom_jvp`
        d, y = start
        scale = jnp.abs(y) + jnp.max(jnp.abs(y)) * 1e-6
        enough = jnp.finfo(scale.dtype).eps ** 0.7

        def body(carry):
            d, _, i = carry
            change = jnp.linalg.solve(jax.jacfwd(residual)(d, params), -residual(d, params))
            return d + change, jnp.max(jnp.abs(change) / scale), i + 1

        begin = (d, jnp.full((), jnp.inf, scale.dtype), 0)
        return lax.while_loop(lambda carry: (carry[1] > enough) & (carry[2] < 10), body, begin)[0], {}

    params = (t_new, start, psi, step, consts)
    d, _ = implicit(solve, residual, lambda x, params: {}, params, (y_new - lax.stop_gradient(start), y_new))
    return d
