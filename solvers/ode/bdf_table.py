"""The table of backward differences of `bdf`: rows j = 0..7 hold the j-th difference at the last step's end.

References
----------
.. [1] L. F. Shampine, M. W. Reichelt, "The MATLAB ODE Suite", SIAM J. Sci. Comput. 18, 1997.
"""

import jax.numpy as jnp
import numpy as np

from solvers.ode.small import product

MAX_ORDER = 5
ROWS = MAX_ORDER + 3
_KAPPA = np.array([0, -0.1850, -1 / 9, -0.0823, -0.0415, 0])
GAMMA = np.hstack([0, np.cumsum(1 / np.arange(1, MAX_ORDER + 1))])
ALPHA = (1 - _KAPPA) * GAMMA
ERROR = _KAPPA * GAMMA + 1 / np.arange(1, MAX_ORDER + 2)


def _differences(factor, xp):
    """``R(factor)``: entry (i, j) is the product of ``(m - 1 - factor * j) / m`` over m = 1..i."""
    i, m, j = xp.arange(MAX_ORDER + 1)[:, None, None], xp.arange(1, MAX_ORDER + 1)[:, None], xp.arange(MAX_ORDER + 1)
    return xp.prod(xp.where(m <= i, (m - 1 - factor * j) / m, 1.0), axis=1)


_UNIT = _differences(1.0, np)


def rescaled(table, order, factor):
    """Differences (8, n) for steps that are ``factor`` times as large."""
    index = np.arange(ROWS)
    change = product(_differences(factor, jnp), jnp.asarray(_UNIT, factor.dtype))
    change = jnp.pad(change, (0, ROWS - MAX_ORDER - 1)).T
    used = (index[:, None] <= order) & (index <= order)
    return product(jnp.where(used, change, jnp.eye(ROWS, dtype=factor.dtype)).astype(table.dtype), table)


def advanced(table, order, d):
    """Differences after a step whose correction was ``d``; ``table`` is that before, for this step size."""
    index = np.arange(ROWS)
    sums = product(((index[:, None] <= index) & (index <= order)).astype(table.dtype), table)
    top = (index == order + 2)[:, None] * table[order + 1]
    return sums + (index <= order + 2)[:, None] * d - top


def predicted(table, order):
    """The state that the table extrapolates to, and ``alpha`` times the constant term of the step's equation."""
    index = np.arange(1, MAX_ORDER + 1)
    use = (index <= order).astype(table.dtype)[:, None] * table[1 : MAX_ORDER + 1]
    return table[0] + jnp.sum(use, axis=0), jnp.sum(jnp.asarray(GAMMA[1:, None], table.dtype) * use, axis=0)
