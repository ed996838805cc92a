"""Dense convex quadratic programs: the dual active-set method.

References
----------
.. [1] D. Goldfarb, A. Idnani, "A numerically stable dual method for solving strictly convex quadratic programs",
   Math. Program. 27 (1983) 1-33.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax import lax

__all__ = ["QPResult", "eliminate", "eliminate_with_pivots", "quadratic_program"]


class QPResult(NamedTuple):
    """Minimiser, multipliers of the rows, and whether the constraints can be met."""

    x: jax.Array
    multipliers: jax.Array
    feasible: jax.Array


def eliminate(matrix, sides, diagonal=None):
    """Solve ``matrix x = sides`` by Gauss-Jordan elimination without pivots, scaled by a positive diagonal.

    The matrix's own by default, for positive definite ones.
    """
    n = matrix.shape[0]
    scale = lax.rsqrt(jnp.diagonal(matrix) if diagonal is None else diagonal)
    table = jnp.concatenate([matrix * scale[:, None] * scale, sides * scale[:, None]], axis=1)
    rows = lax.iota(jnp.int32, n)[:, None]

    def step(k, table):
        row = lax.dynamic_slice_in_dim(table, k, 1)
        row = row / lax.dynamic_slice_in_dim(row, k, 1, axis=1)
        column = lax.dynamic_slice_in_dim(table, k, 1, axis=1)
        return jnp.where(rows == k, row, table - column * row)

    return scale[:, None] * lax.fori_loop(0, n, step, table)[:, n:]


def eliminate_with_pivots(matrix, side):
    """Solve ``matrix x = side`` by Gauss-Jordan elimination with partial pivoting.

    Rows stay where they are, so that a step is one pass over the table: each is used as a pivot once.
    """
    n = matrix.shape[0]
    table = jnp.concatenate([matrix, side[:, None]], axis=1)
    index = lax.iota(jnp.int32, n)

    def step(k, carry):
        table, order = carry
        column = lax.dynamic_slice_in_dim(table, k, 1, axis=1)[:, 0]
        here = index == jnp.argmax(jnp.where(order < 0, jnp.abs(column), -1.0)).astype(jnp.int32)
        pivot = jnp.sum(jnp.where(here[:, None], table, 0.0), axis=0)
        pivot = pivot / jnp.sum(jnp.where(here, column, 0.0))
        table = jnp.where(here[:, None], pivot, table - column[:, None] * pivot)
        return table, jnp.where(here, k, order)

    table, order = lax.fori_loop(0, n, step, (table, jnp.full(n, -1, jnp.int32)))
    return jnp.sum(jnp.where(order[:, None] == index, table[:, n:], 0.0), axis=0)


def quadratic_program(hessian, gradient, rows, levels, equalities):
    """Minimise ``x'Hx/2 + g'x`` subject to ``rows x >= levels``, the first `equalities` with equality.

    Parameters
    ----------
    hessian : (n, n) array
        Positive definite.
    gradient : (n,) array
    rows, levels : (m, n) and (m,) array
        A level of minus infinity is no constraint.
    equalities : int, static

    Returns
    -------
    QPResult
    """
    m = rows.shape[0]
    inverse = eliminate(hessian, jnp.eye(gradient.size, dtype=gradient.dtype))
    inverse = 0.5 * (inverse + inverse.T)
    images = rows @ inverse
    gram = images @ rows.T
    present = jnp.isfinite(levels) & (jnp.diagonal(gram) > 0)
    # Slack of the rows at multipliers v: gram v - need.
    need = jnp.where(present, levels + images @ gradient, 0.0)
    index = lax.iota(jnp.int32, m)
    equality = index < equalities
    lengths = jnp.sqrt(jnp.where(present, jnp.diagonal(gram), 1.0))
    eps = jnp.finfo(gradient.dtype).eps
    eye = jnp.eye(m, dtype=gradient.dtype)

    def solve(active, right):
        matrix = jnp.where(active[:, None] & active[None, :], gram, eye)
        return eliminate(matrix, jnp.where(active, right, 0.0)[:, None])[:, 0]

    def going(carry):
        *_, count, ended, _ = carry
        return ~ended & (count < 20 * (m + 1))

    def advance(carry):
        values, active, chosen, count, _, _ = carry
        slack = gram @ values - need
        noise = 1e3 * eps * (jnp.abs(gram) @ jnp.abs(values) + jnp.abs(need))
        candidate = present & ~active & ~equality & (slack < -noise)
        worst = jnp.argmin(jnp.where(candidate, slack / lengths, jnp.inf)).astype(jnp.int32)
        done = (chosen < 0) & ~jnp.any(candidate)
        p = jnp.where(chosen < 0, worst, chosen)
        here = index == p
        column = gram @ here.astype(gram.dtype)
        response = solve(active, column)
        diagonal = jnp.sum(jnp.where(here, column, 0.0))
        gain = diagonal - jnp.sum(response * column)
        missing = -jnp.sum(jnp.where(here, slack, 0.0))
        full = jnp.where(gain > 1e4 * eps * diagonal, missing / gain, jnp.inf)
        limits = jnp.where(active & ~equality & (response > 0), values / response, jnp.inf)
        block = jnp.argmin(limits).astype(jnp.int32)
        partial = jnp.min(limits)
        length = jnp.minimum(full, partial)
        hopeless = ~done & ~jnp.isfinite(length)
        moves = ~done & ~hopeless
        values = jnp.where(moves, values - length * response + length * here, values)
        added = moves & (full <= partial)
        dropped = moves & ~added & (index == block)
        active = (active | (added & here)) & ~dropped
        values = jnp.where(dropped, 0.0, values)
        chosen = jnp.where(added, -1, p)
        return values, active, chosen, count + 1, done | hopeless, hopeless

    start = solve(equality, need)
    # Equalities that contradict each other, or depend on each other, leave a pivot of zero.
    regular = jnp.all(jnp.isfinite(start))
    residual = jnp.where(equality, gram @ start - need, 0.0)
    regular &= jnp.max(jnp.abs(residual) / lengths, initial=0.0) <= 1e-6 * (1 + jnp.max(jnp.abs(need), initial=0.0))
    begin = (jnp.where(regular, start, 0.0), equality & present, jnp.asarray(-1, jnp.int32), 0, ~regular, ~regular)
    values, _, _, _, ended, hopeless = lax.while_loop(going, advance, begin)
    return QPResult(inverse @ (values @ rows - gradient), values, ended & ~hopeless)
