"""Coefficients of `lsoda`: Adams-Moulton formulas of order 1 to 12 and BDF of order 1 to 5 in Nordsieck form.

Row j of a Nordsieck array holds ``h**j / j!`` times the j-th derivative. All tables are indexed by ``FORMULA * stiff +
order``.

References
----------
.. [1] C. W. Gear, "Numerical Initial Value Problems in Ordinary Differential Equations", Prentice-Hall 1971, Ch. 9.
.. [2] K. Radhakrishnan, A. C. Hindmarsh, "Description and Use of LSODE", LLNL report UCRL-ID-113855, 1993.
"""

import functools
from math import comb, factorial
from typing import Any, NamedTuple

import jax.numpy as jnp
import numpy as np
from jax import lax
from numpy.polynomial import polynomial

from solvers.batching import any_lane
from solvers.ode.small import product

MAX_ADAMS = 12
MAX_BDF = 5
#: Rows of a Nordsieck array, and the orders that need few of them.
ROWS = MAX_ADAMS + 1
LOW = MAX_BDF
#: States up to which all rows are cheap.
NARROW = 8
#: Offset of the stiff formulas in the tables.
FORMULA = MAX_ADAMS + 1
PASCAL = np.array([[comb(j, i) for j in range(ROWS)] for i in range(ROWS)], float)


def _adams(order):
    """Weights (order + 1,) of the correction, and the weight of the truncation error."""
    p = np.array([1.0])
    for i in range(1, order):  # (x + 1) ... (x + order - 1)
        p = polynomial.polymul(p, [i, 1.0])
    antiderivative = polynomial.polyint(p)
    start = -polynomial.polyval(-1.0, antiderivative)
    weights = np.concatenate([[start], antiderivative[1:]]) / factorial(order - 1)
    moments = polynomial.polyint(polynomial.polymul([0.0, 1.0], p))
    return weights, -polynomial.polyval(-1.0, moments) / factorial(order)


def _bdf(order):
    p = np.array([1.0])
    for i in range(1, order + 1):  # (x + 1) ... (x + order)
        p = polynomial.polymul(p, [i, 1.0])
    return p / p[1]


def _tables():
    """Weights (2 * FORMULA, ROWS); divisors (2 * FORMULA, 3) of the error tests at order - 1, order, order + 1."""
    weights, tests = np.zeros((2 * FORMULA, ROWS)), np.ones((2 * FORMULA, 3))
    error = {q: abs(_adams(q)[1]) for q in range(1, MAX_ADAMS + 1)}
    for q in range(1, MAX_ADAMS + 1):
        weights[q, : q + 1] = _adams(q)[0]
        tests[q, 1] = 1 / error[q]
        tests[q, 0] = 1.0 if q < 3 else 1 / (error[q - 1] * factorial(q))
        tests[q, 2] = 1 / error[q + 1] if q < MAX_ADAMS else 1.0
    tests[1] = 1.0, 2.0, 1 / error[2]
    tests[2, 0] = 1.0
    for q in range(1, MAX_BDF + 1):
        w = _bdf(q)
        weights[FORMULA + q, : q + 1] = w
        tests[FORMULA + q] = 1 / factorial(max(q - 1, 0)), (q + 1) / w[0], (q + 2) / w[0]
    return weights, tests


WEIGHTS, TESTS = _tables()
#: Leading error coefficients, for the comparison of the two families at one order.
_CONSTANTS = TESTS[:, 1] * WEIGHTS[np.arange(2 * FORMULA), np.arange(2 * FORMULA) % FORMULA]
#: Largest ``h`` times the Lipschitz constant at which the Adams formula of an order is stable, with margin; by order.
STABLE = np.array([0.5, 0.5, 0.575, 0.55, 0.45, 0.35, 0.25, 0.2, 0.15, 0.1, 0.075, 0.05, 0.025])


class Formula(NamedTuple):
    """What the step needs to know of its formula: one row of a table, read at once."""

    leading: Any  # weight of the correction of the state
    test: Any  # divisor of the error test
    #: factors and exponents of the error estimates: at this order, the next, the one below (twice), the other family
    scale: Any
    exponent: Any
    stable: Any  # stability limits at the order below, this one, the next; infinite for BDF
    raisable: Any  # whether the order may go up
    high: Any  # whether the order is too high for the other family
    other: Any  # order in the other family
    adams: Any  # stability limit of the Adams formula in the comparison of the families


@functools.cache
def _formulas(max_adams, max_bdf):
    rows = np.zeros((2 * FORMULA, 19))
    for stiff in (0, 1):
        for q in range(1, FORMULA):
            k = FORMULA * stiff + q
            top, other_top = (max_bdf, max_adams) if stiff else (max_adams, max_bdf)
            other = min(q, other_top)
            theirs = _CONSTANTS[FORMULA * (1 - stiff) + other] or 1.0
            lower, same, upper = TESTS[k]
            rest = 1 / theirs if q > other_top else _CONSTANTS[k] / theirs / same
            scale = 1 / same, 1 / upper, 1 / lower, 1 / lower, rest
            exponent = 1 / (q + 1), 1 / (q + 2), 1 / q, 1 / q, 1 / (other + 1)
            limits = [np.inf] * 3 if stiff else STABLE[[q - 1, q, min(q + 1, MAX_ADAMS)]]
            adams = STABLE[other if stiff else q]
            rows[k] = WEIGHTS[k, 0], same, *scale, *exponent, *limits, q < top, q > other_top, other, adams
    return rows


def formula_of(order, stiff, max_adams, max_bdf, dtype):
    """The `Formula` of an order and a family."""
    r = jnp.asarray(_formulas(max_adams, max_bdf), dtype)[order + FORMULA * stiff]
    return Formula(
        r[0], r[1], r[2:7], r[7:12], r[12:15], r[15] > 0, r[16] > 0, r[17].astype(jnp.int32), r[18]
    )  # fmt: skip


def row(table, formula):
    """The entry of ``table`` for a formula."""
    return jnp.asarray(table)[formula]


def scales(order, factor):
    """Factors (ROWS,) of the rows for steps ``factor`` times as large; zero beyond row ``order``."""
    j = np.arange(ROWS)
    power, scale = factor, jnp.ones(ROWS, factor.dtype)
    for bit in (1, 2, 4, 8):  # `power` would take logarithms
        scale = jnp.where((j & bit) > 0, scale * power, scale)
        power = power * power
    return jnp.where(j <= order, scale, 0)


def rescaled(z, order, factor):
    """Nordsieck array (ROWS, n) for steps ``factor`` times as large, with rows up to ``order``."""
    return scales(order, factor)[:, None] * z


def predicted(z):
    """The array one step later, by Taylor's formula."""
    return product(jnp.asarray(PASCAL, z.dtype), z)


def outlook(z, scale, k):
    """Rows 0, 1 and ``k`` of the predicted array of ``scale[:, None] * z``."""
    pascal = jnp.asarray(PASCAL, z.dtype)
    return product(jnp.stack([pascal[0], pascal[1], pascal[k]]) * scale, z)


def weights_of(order, formula, dtype):
    """Weights (ROWS,) of the correction; row ``order + 1`` gets what a higher order starts from."""
    weights = row(WEIGHTS, formula).astype(dtype)
    return weights + (np.arange(ROWS) == order + 1) * (weights[order] / (order + 1))


def corrected(z, d, order, formula):
    """The predicted array ``z`` corrected by ``d``."""
    return z + weights_of(order, formula, z.dtype)[:, None] * d


def advanced(z, scale, weights, d, order, accept):
    """The array after a step where ``accept``, else ``z``; rows above ``order + 1`` are of no account.

    Of large arrays only the rows of a low order are touched while the order is low: the others cost more than all the
    rest of a step.
    """

    def upper(rows):
        pascal = jnp.asarray(PASCAL[:rows, :rows], z.dtype) * scale[:rows]
        new = product(pascal, z[:rows]) + weights[:rows, None] * d
        return jnp.where(accept, new, z[:rows])

    if z.shape[1] <= NARROW:
        return upper(ROWS)
    return lax.cond(any_lane(order > LOW), lambda: upper(ROWS), lambda: z.at[: LOW + 2].set(upper(LOW + 2)))
