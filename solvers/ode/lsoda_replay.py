"""Derivatives of an integration by LSODA: the recorded steps again, each a map of the Nordsieck array.

Families, orders and step sizes are constants, except that the first step starts at ``t0`` and the last one ends at
``t1``; the correction of a step is differentiated by the implicit function theorem.
"""

import jax.numpy as jnp

from solvers.ode.bdf_replay import correction, tables
from solvers.ode.lsoda_table import FORMULA, ROWS, WEIGHTS, corrected, predicted, rescaled, row


def replay(rhs, leaves, y0, t, h, rows):
    """Nordsieck arrays (size + 1, ROWS, n) before the first and after each recorded step."""
    size = rows.t.shape[0]
    h = jnp.where(h == 0, 1, h)  # beyond the last step: finite, and not used
    before = jnp.concatenate([h[:1], h[:-1]])
    first = jnp.zeros((ROWS, y0.size), y0.dtype).at[0].set(y0).at[1].set(rhs(leaves, t[0], y0) * h[0])
    used = jnp.arange(size) < rows.n
    return tables(_advance, rhs, leaves, first, (t, h, before), rows.dense.z, (rows.dense.formula, used, rows.n))


def _advance(rhs, z, times, formula, y_new):
    """The array after a step whose result ``y_new`` is known but for the last digits."""
    t, h, before = times
    order = formula % FORMULA
    start = predicted(rescaled(z, order, h / before))
    leading = row(WEIGHTS, formula)[0].astype(h.dtype)
    # in the form of BDF's correction of the state: e + psi = step * f(t, y + e)
    step = h * leading
    e = correction(rhs, t + h, start[0], leading * start[1], step, y_new)
    return corrected(start, e / leading, order, formula)
