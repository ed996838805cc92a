"""The primal simplex method for linear programs with bounds on a dense tableau.

References
----------
.. [1] G. B. Dantzig, "Linear Programming and Extensions", Princeton University Press, 1963, chapter 18 (bounds).
.. [2] P. M. J. Harris, "Pivot selection methods of the Devex LP code", Math. Programming 5 (1973) 1-28.
.. [3] R. G. Bland, "New finite pivoting rules for the simplex method", Math. Oper. Res. 2 (1977) 103-107.
.. [4] D. Goldfarb, J. K. Reid, "A practicable steepest-edge simplex algorithm", Math. Programming 12 (1977) 361-371.
"""

from typing import Any, NamedTuple

import jax.numpy as jnp
import numpy as np
from jax import lax
from jax.scipy.linalg import lu_factor, lu_solve

from solvers.implicit import implicit

__all__ = ["SimplexResult", "simplex_method"]

RUNNING, OPTIMAL, LIMIT, INFEASIBLE, UNBOUNDED, NOT_SOLVED = -1, 0, 1, 2, 3, 4

#: Pivots between two factorisations of the basis.
_BETWEEN = 64
#: Pricing rules: the steepest edge, and the first variable that improves.
STEEPEST, BLAND = 0, 1


class SimplexResult(NamedTuple):
    """What `simplex_method` returns.

    Attributes
    ----------
    x : (n,) array
        The vertex (of the last basis where it was not solved). Differentiable by its basis.
    slack : (m,) array
        ``vector - matrix @ x``, exactly zero where a row is not in the basis.
    dual : (m,) array
        Derivative of the least value by `vector`.
    reduced : (n,) array
        ``c - matrix.T @ dual``.
    status : int array
        0 optimal, 1 iteration limit, 2 infeasible, 3 unbounded, 4 out of precision.
    nit, phase : int arrays
    basis : (m,) int array
        Numbers of the basic variables; the slacks count on from n.
    unique : bool array
        Whether no other point is as good (by strictly signed reduced costs).
    """

    x: Any
    slack: Any
    dual: Any
    reduced: Any
    status: Any
    nit: Any
    phase: Any
    basis: Any
    unique: Any


class _Program(NamedTuple):
    c: Any
    matrix: Any
    vector: Any
    lower: Any
    upper: Any


class _State(NamedTuple):
    tableau: Any  # basis^-1 [matrix, 1]
    value: Any  # of the basic variables
    rest: Any  # values of all variables, those of the basic ones void
    basis: Any
    inside: Any  # whether a variable is basic
    nit: Any
    pivots: Any  # since the basis was factored
    stalled: Any  # steps of length zero in a row
    status: Any
    phase: Any


def simplex_method(c, matrix, vector, lower, upper, inequalities, rule=STEEPEST, maxiter=5000, tol=1e-9, start=None):
    """Minimise ``c @ x`` with ``matrix @ x <= vector`` (the first rows) or ``= vector``, ``lower <= x <= upper``.

    Phase 1 lessens the sum of the infeasibilities of the basic variables from the basis of all slacks, so that
    dependent rows need no care; phase 2 follows in the same loop. What the updated tableau calls solved, infeasible
    or unbounded is accepted only when a tableau factored afresh says so too.

    Parameters
    ----------
    c : (n,) array
    matrix : (m, n) array
    vector : (m,) array
    lower, upper : (n,) arrays
        Infinite where there is no bound; equal where a variable is fixed.
    inequalities : int
        Number of the leading rows that are inequalities.
    rule : int, default 0
        0 the steepest edge (with Bland's rule when it does not get on), 1 Bland's rule.
    maxiter : int
    tol : float
        Of infeasibilities and reduced costs, in the scaled program.
    start : (x, slack, basis), optional
        As in the result of a run that is to be continued.

    Returns
    -------
    SimplexResult

    Examples
    --------
    >>> import jax, jax.numpy as jnp
    >>> from solvers.linprog import simplex_method
    >>> with jax.enable_x64(True):
    ...     found = simplex_method(
    ...         jnp.array([-1.0, -2.0]), jnp.array([[1.0, 1.0]]), jnp.array([4.0]), jnp.zeros(2),
    ...         jnp.array([jnp.inf, 3.0]), 1,
    ...     )
    >>> found.x.tolist(), found.dual.tolist(), int(found.status)
    ([1.0, 3.0], [-1.0], 0)
    """
    m, n = matrix.shape
    if m == 0:  # an empty row: no shape below is empty
        found = simplex_method(
            c, jnp.zeros((1, n), c.dtype), jnp.zeros(1, c.dtype), lower, upper, 0, rule, maxiter, tol, start
        )
        return found._replace(slack=found.slack[:0], dual=found.dual[:0])

    def solve(params, carried):
        rows, columns = _scales(params.matrix)
        program = _scaled(params, rows, columns, inequalities)
        rule, maxiter, tol, start = carried
        if start is None:
            point, basis = _logical(program)
        else:
            point, basis = jnp.concatenate([start[0] / columns, start[1] * rows]), start[2]
        state = _iterate(program, point, basis, rule, maxiter, tol)
        point, dual, unique = _polished(program, state, tol)
        x = point[:n] * columns
        # a variable at its bound is there exactly
        held = ~state.inside[:n]
        near_low = jnp.abs(x - params.lower) <= jnp.abs(x - params.upper)
        bound = jnp.where(near_low, params.lower, params.upper)
        x = jnp.where(held & jnp.isfinite(bound), bound, x)
        # a basic one at a degenerate vertex may lie outside by a rounding error
        x = jnp.where(state.status == OPTIMAL, jnp.clip(x, params.lower, params.upper), x)
        both = jnp.concatenate([x, point[n:] / rows, dual * rows])
        aux = {
            "status": state.status, "nit": state.nit, "phase": state.phase, "basis": state.basis, "unique": unique,
        }  # fmt: skip
        return both, aux

    fixed = np.arange(m) >= inequalities

    def conditions(both, params):
        x, slack, y = both[:n], both[n : n + m], both[n + m :]
        reduced = params.c - params.matrix.T @ y
        held = jnp.where(x <= params.lower, x - params.lower, jnp.where(x >= params.upper, x - params.upper, reduced))
        active = jnp.where(fixed | (slack <= 0), slack, y)
        return jnp.concatenate([held, active, params.matrix @ x + slack - params.vector])

    params = _Program(c, matrix, vector, lower, upper)
    both, aux = implicit(solve, conditions, lambda both, params: {}, params, (rule, maxiter, tol, start))
    x, dual = both[:n], both[n + m :]
    return SimplexResult(x=x, slack=both[n : n + m], dual=dual, reduced=c - matrix.T @ dual, **aux)


def _scales(matrix):
    """Powers of two that bring the largest entries of rows and columns near one."""

    def inverse(largest):
        safe = jnp.where(largest > 0, largest, 1.0)
        return jnp.exp2(-jnp.round(jnp.log2(safe)))

    size = jnp.abs(lax.stop_gradient(matrix))
    rows = inverse(jnp.max(size, axis=1))
    columns = inverse(jnp.max(size * rows[:, None], axis=0))
    return rows, columns


def _scaled(program, rows, columns, inequalities):
    """The program in scaled variables, slacks among them."""
    c, a, b, lower, upper = program
    m = a.shape[0]
    room = jnp.where(jnp.arange(m) < inequalities, jnp.inf, 0.0).astype(a.dtype)
    return _Program(
        jnp.concatenate([c * columns, jnp.zeros(m, c.dtype)]),
        jnp.concatenate([rows[:, None] * a * columns, jnp.eye(m, dtype=a.dtype)], axis=1),
        b * rows,
        jnp.concatenate([lower / columns, jnp.zeros(m, a.dtype)]),
        jnp.concatenate([upper / columns, room]),
    )


def _logical(program):
    """The basis of all slacks, the variables at the bound nearer to zero."""
    m, total = program.matrix.shape
    lower, upper = program.lower, program.upper
    bound = jnp.where(jnp.abs(lower) <= jnp.abs(upper), lower, upper)
    return jnp.where(jnp.isfinite(bound), bound, 0.0), jnp.arange(total - m, total)


def _factored(program, rest, basis, inside):
    """Tableau and values of a basis, from a fresh factorisation."""
    m = basis.size
    lu = lu_factor(program.matrix[:, basis])
    right = program.vector - program.matrix @ jnp.where(inside, 0.0, rest)
    both = lu_solve(lu, jnp.concatenate([program.matrix, right[:, None]], axis=1))
    # the columns of the basis itself are unit vectors: their rounding errors would be priced
    exact = jnp.zeros((m, inside.size), both.dtype).at[jnp.arange(m), basis].set(1.0)
    return jnp.where(inside, exact, both[:, :-1]), both[:, -1]


def _iterate(program, point, basis, rule, maxiter, tol):
    c, a, b, lower, upper = program
    m, total = a.shape
    eps = jnp.finfo(a.dtype).eps
    tol = jnp.maximum(tol, 64 * eps)
    near = tol * (1 + jnp.max(jnp.abs(b)))  # feasibility
    steep = tol * (1 + jnp.max(jnp.abs(c)))  # reduced costs
    small = 1e4 * tol * tol + 1e3 * eps  # of a pivot
    numbers, free = jnp.arange(total), lower < upper
    as_status = lambda v: jnp.asarray(v, jnp.int32)  # noqa: E731

    def pivot(s):
        low, high = lower[s.basis], upper[s.basis]
        below, above = s.value < low - near, s.value > high + near
        phase1 = (below | above).any()
        # prices
        cost = jnp.where(phase1, above.astype(a.dtype) - below.astype(a.dtype), c[s.basis])
        reduced = jnp.where(phase1, 0.0, c) - cost @ s.tableau
        least = jnp.where(phase1, tol, steep)
        up, down = (reduced < -least) & (s.rest < upper), (reduced > least) & (s.rest > lower)
        able = free & ~s.inside & (up | down)
        bland = (rule == BLAND) | (s.stalled > m + 20)
        score = jnp.where(bland, -numbers, jnp.abs(reduced) * lax.rsqrt(1 + jnp.sum(s.tableau**2, axis=0)))
        enter = jnp.argmax(jnp.where(able, score, -jnp.inf))
        found = able.any()
        # ratios
        sign = jnp.where(reduced[enter] < 0, 1.0, -1.0).astype(a.dtype)
        column = s.tableau[:, enter]
        rate = -sign * column
        rising = rate > 0
        target = jnp.where(rising, jnp.where(below, low, high), jnp.where(above, high, low))
        blocks = (jnp.abs(rate) > small) & jnp.isfinite(target) & ~(below & ~rising) & ~(above & rising)
        safe = jnp.where(blocks, rate, 1.0)
        ratio = jnp.where(blocks, (jnp.where(blocks, target, 0.0) - s.value) / safe, jnp.inf)
        ratio = jnp.maximum(ratio, 0.0)
        # Harris: among the rows that block within the tolerance the largest pivot; Bland: the first variable
        within = jnp.min(jnp.where(blocks, ratio + near / jnp.abs(safe), jnp.inf))
        shortest = jnp.min(ratio)
        tied = blocks & (ratio <= jnp.where(bland, shortest * (1 + 8 * eps), within))
        leave = jnp.argmax(jnp.where(tied, jnp.where(bland, -s.basis.astype(a.dtype), jnp.abs(rate)), -jnp.inf))
        across = jnp.where(sign > 0, upper[enter] - s.rest[enter], s.rest[enter] - lower[enter])
        flips = across <= ratio[leave]
        length = jnp.where(flips, across, ratio[leave])
        endless = found & ~jnp.isfinite(length)
        over = found & ~endless & (s.nit >= maxiter)
        moves = found & ~endless & ~over
        swaps = moves & ~flips
        # the step
        length = jnp.where(moves, length, 0.0)
        value = s.value + length * rate
        entering = s.rest[enter] + sign * length
        entering = jnp.where(flips & moves, jnp.where(sign > 0, upper[enter], lower[enter]), entering)
        out = s.basis[leave]
        row = s.tableau[leave] / jnp.where(swaps, column[leave], 1.0)
        at_row = swaps & (jnp.arange(m) == leave)
        factor = jnp.where(swaps, column, 0.0)[:, None]
        tableau = jnp.where(at_row[:, None], row, s.tableau - factor * row)
        rest = jnp.where(numbers == enter, jnp.where(moves, entering, s.rest), s.rest)
        rest = jnp.where(swaps & (numbers == out), target[leave], rest)
        inside = jnp.where(swaps & (numbers == enter), True, jnp.where(swaps & (numbers == out), False, s.inside))
        done = jnp.where(phase1, INFEASIBLE, OPTIMAL)
        # the sum of infeasibilities is bounded: an endless ray in phase 1 is rounding
        lost = jnp.where(phase1, NOT_SOLVED, UNBOUNDED)
        status = jnp.where(found, jnp.where(endless, lost, jnp.where(over, LIMIT, RUNNING)), done)
        return _State(
            tableau=tableau,
            value=jnp.where(at_row, entering, value),
            rest=rest,
            basis=jnp.where(at_row, enter, s.basis),
            inside=inside,
            nit=s.nit + moves,
            pivots=s.pivots + moves,
            stalled=jnp.where(moves & (length <= near), s.stalled + 1, jnp.where(moves, 0, s.stalled)),
            status=as_status(status),
            phase=as_status(jnp.where(phase1, 1, 2)),
        )

    def stretch(s):
        """Factor the basis, then pivot until it has to be factored again."""
        tableau, value = _factored(program, s.rest, s.basis, s.inside)
        good = jnp.isfinite(value).all() & jnp.isfinite(tableau).all()
        first = s._replace(tableau=tableau, value=value, pivots=as_status(0), status=as_status(RUNNING))
        first = first._replace(status=jnp.where(good, first.status, NOT_SOLVED))
        return lax.while_loop(lambda s: (s.status == RUNNING) & (s.pivots < _BETWEEN), pivot, first)

    inside = jnp.zeros(total, bool).at[basis].set(True)
    first = _State(
        tableau=jnp.zeros((m, total), a.dtype), value=jnp.zeros(m, a.dtype), rest=point, basis=basis, inside=inside,
        nit=as_status(0), pivots=as_status(1), stalled=as_status(0), status=as_status(RUNNING), phase=as_status(1),
    )  # fmt: skip
    # a verdict counts when no pivot lies between it and the factorisation
    last = lax.while_loop(
        lambda s: (s.status == RUNNING) | ((s.pivots > 0) & (s.status != LIMIT) & (s.nit <= maxiter)), stretch, first
    )
    crossed = ((lower > upper) | (lower == jnp.inf) | (upper == -jnp.inf)).any()
    known = (
        jnp.isfinite(c).all()
        & jnp.isfinite(a).all()
        & jnp.isfinite(b).all()
        & ~(jnp.isnan(lower) | jnp.isnan(upper)).any()
    )
    status = jnp.where(crossed, INFEASIBLE, jnp.where(known, last.status, NOT_SOLVED))
    return last._replace(status=as_status(status))


def _polished(program, state, tol):
    """The point of the last basis, refined once, its multipliers, and whether it is the only solution."""
    c, a, b, lower, upper = program
    # slacks first: then rows that are not active have no part in x, whatever way led here
    basis = -jnp.sort(-state.basis)
    lu = lu_factor(a[:, basis])
    point = jnp.where(state.inside, 0.0, state.rest)
    for _ in range(2):
        point = point.at[basis].add(lu_solve(lu, b - a @ point))
    dual = lu_solve(lu, c[basis], trans=1)
    dual = jnp.where(state.inside[-b.size :], 0.0, dual)  # a row that is not active has no price
    reduced = c - a.T @ dual
    strict = jnp.abs(reduced) > jnp.sqrt(tol) * (1 + jnp.max(jnp.abs(c)))
    unique = jnp.where(state.inside | (lower >= upper), True, strict).all()
    return point, dual, unique & (state.status == OPTIMAL)
