"""Differential evolution."""

from dataclasses import dataclass, field
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from solvers.globalmin.mutation import STRATEGIES, crossover, distinct
from solvers.globalmin.stationary import stationary
from solvers.implicit import close, implicit
from solvers.iterate import iterate, split
from solvers.pytrees import pytree_dataclass

__all__ = ["CONVERGED", "MAX_GENERATIONS", "RUNNING", "DifferentialEvolution", "EvolutionResult",
           "differential_evolution"]  # fmt: skip

RUNNING, CONVERGED, MAX_GENERATIONS = -1, 0, 1


class EvolutionState(NamedTuple):
    """The members as rows ``[point in the unit cube, energy, violations]``, the best first; the generator's state."""

    rows: jax.Array
    generator: jax.Array
    nfev: jax.Array
    nit: jax.Array
    status: jax.Array


class EvolutionResult(NamedTuple):
    """What `differential_evolution` returns.

    Attributes
    ----------
    x : (n,) array
        The best member. Differentiable as an interior minimum, or with the bound that holds it.
    fun : float array
        Its value, infinite if no member is feasible and finite. Differentiable.
    population, energies : (s, n) and (s,) arrays
        All members and their values.
    violation : (m,) array
        Violations of the constraints by `x`.
    convergence : float array
        Spread of the energies over their mean.
    nfev, nit, status : int arrays
        Status 0 converged, 1 too many generations, -1 paused.
    state : EvolutionState
        To resume from.
    """

    x: jax.Array
    fun: jax.Array
    population: jax.Array
    energies: jax.Array
    violation: jax.Array
    convergence: jax.Array
    nfev: jax.Array
    nit: jax.Array
    status: jax.Array
    state: EvolutionState


class Landscape(NamedTuple):
    """The objective ``values((k, n)) -> (k,)``, the violations ``((k, n)) -> (k, m)`` or None, and the box."""

    values: Any
    violations: Any
    lower: Any
    upper: Any
    integral: Any

    def points(self, members):
        """Points in the box of members of the unit cube."""
        x = 0.5 * (self.lower + self.upper) + (members - 0.5) * jnp.abs(self.upper - self.lower)
        return x if self.integral is None else jnp.where(self.integral, jnp.round(x), x)


@pytree_dataclass
@dataclass(frozen=True)
class DifferentialEvolution:
    """Storn and Price's method, with Lampinen's rule for constraints.

    Parameters
    ----------
    strategy : str, static
        A key of `STRATEGIES` followed by ``bin`` or ``exp`` (the crossover).
    immediate : bool, static
        Whether a better trial is a parent at once, within its generation; else each generation is one batch.
    mutation : (2,) array
        Limits of the differential weight, drawn anew for each generation.
    recombination : float
        Probability of crossover.
    tol, atol : float
        Converged when the energies' standard deviation is at most ``atol + tol * abs(mean)``.
    maxiter : int
        Most generations.
    pause : int, optional
        Stop, to be resumed, after this many generations.

    References
    ----------
    .. [1] R. Storn, K. Price, "Differential evolution: a simple and efficient heuristic for global optimization over
       continuous spaces", J. Global Optim. 11, 1997.
    .. [2] J. Lampinen, "A constraint handling approach for the differential evolution algorithm", CEC 2002.
    """

    strategy: str = field(default="best1bin", metadata={"static": True})
    immediate: bool = field(default=True, metadata={"static": True})
    mutation: Any = (0.5, 1.0)
    recombination: Any = 0.7
    tol: Any = 0.01
    atol: Any = 0.0
    maxiter: Any = 1000
    pause: Any = None

    def init(self, population, key, constraints):
        """State before any evaluation, `population` of shape (s, n) in the unit cube."""
        unknown = jnp.full((len(population), 1 + constraints), jnp.inf, population.dtype)
        key = jnp.ravel(key)
        return EvolutionState(
            rows=jnp.concatenate([population, unknown], axis=1),
            generator=jnp.concatenate([key, key ^ np.uint32(0x9E3779B9)]),
            nfev=jnp.asarray(0, jnp.int32),
            nit=jnp.asarray(-1, jnp.int32),
            status=jnp.asarray(RUNNING, jnp.int32),
        )

    def converged(self, state):
        """Whether the iteration ended or pauses."""
        done = state.status != RUNNING
        return done if self.pause is None else done | (state.nit >= self.pause)

    def step(self, problem, state):
        """One generation; the first evaluates the start, as trials of its own."""
        s, n, dtype = len(state.rows), problem.lower.size, state.rows.dtype
        parents, mutant = STRATEGIES[self.strategy[:-3]]
        generator, uniform = uniform_numbers(state.generator, (s, parents + 2 * n + 2), dtype)
        low, high = (jnp.asarray(m, dtype) for m in self.mutation)
        weight = low + (high - low) * uniform[0, -1]
        exchange = crossover(uniform[:, -2 - n : -2], uniform[:, -2], self.recombination, self.strategy.endswith("exp"))
        lots = (jnp.arange(s), distinct(uniform[:, :parents], s), exchange, uniform[:, parents : parents + n])
        first = state.nit < 0

        def propose(rows, lot):
            index, others, mask, fresh = lot

            def member(i):
                return lax.dynamic_index_in_dim(rows, i, keepdims=False)[:n]

            own = member(index)
            trial = jnp.where(mask, mutant(member(0), own, [member(i) for i in others], weight), own)
            trial = jnp.where((trial > 1) | (trial < 0), fresh, trial)
            return jnp.where(first, own, trial)

        rows, called = (self._one_by_one if self.immediate else self._at_once)(problem, state.rows, propose, lots)
        # In a start that is evaluated one by one the best is known only now; later this changes nothing.
        rows = _best_first(rows, n)
        energies, nit = rows[:, n], state.nit + 1
        small = jnp.std(energies) <= self.atol + self.tol * jnp.abs(jnp.mean(energies))
        status = jnp.where(nit >= self.maxiter, MAX_GENERATIONS, RUNNING)
        status = jnp.where(small & jnp.isfinite(energies).all() & ~first, CONVERGED, status).astype(jnp.int32)
        return EvolutionState(rows, generator, state.nfev + called, nit, status)

    def _at_once(self, problem, rows, propose, lots):
        n = problem.lower.size
        trials, called = _evaluate(problem, jax.vmap(propose, (None, 0))(rows, lots))
        return jnp.where(_no_worse(trials, rows, n)[:, None], trials, rows), called

    def _one_by_one(self, problem, rows, propose, lots):
        n = problem.lower.size

        def one(index, carry):
            rows, total = carry
            lot = jax.tree.map(lambda leaf: lax.dynamic_index_in_dim(leaf, index, keepdims=False), lots)
            trial, called = _evaluate(problem, propose(rows, lot)[None])
            trial, old, best = trial[0], lax.dynamic_index_in_dim(rows, index, keepdims=False), rows[0]
            accepted = _no_worse(trial, old, n)
            # A new best takes the first place, and the former best its parent's.
            leads = accepted & ((index == 0) | ~_no_worse(best, trial, n))
            here = jnp.where(leads, best, jnp.where(accepted, trial, old))
            rows = lax.dynamic_update_index_in_dim(rows, here, index, 0)
            return rows.at[0].set(jnp.where(leads, trial, best)), total + called

        return lax.fori_loop(0, len(rows), one, (rows, jnp.asarray(0, jnp.int32)))


def uniform_numbers(generator, shape, dtype):
    """The generator's next state, and numbers in [0, 1). One draw of XLA's generator compiles and runs quicker."""
    word, shift = (jnp.uint64, 11) if dtype == jnp.float64 else (jnp.uint32, 8)
    generator, bits = lax.rng_bit_generator(generator, shape, word)
    return generator, (bits >> shift).astype(dtype) * (2.0**-53 if dtype == jnp.float64 else 2.0**-24)


def _evaluate(problem, members):
    """Rows of members of the unit cube, and how many were feasible: only their energies are finite."""
    x = problem.points(members)
    energies = problem.values(x).astype(members.dtype)
    energies = jnp.where(jnp.isnan(energies), jnp.inf, energies)[:, None]
    if problem.violations is None:
        return jnp.concatenate([members, energies], axis=1), len(members)
    violations = problem.violations(x).astype(members.dtype)
    violations = jnp.where(jnp.isnan(violations), jnp.inf, violations)
    feasible = jnp.sum(violations, axis=1, keepdims=True) <= 0
    rows = jnp.concatenate([members, jnp.where(feasible, energies, jnp.inf), violations], axis=1)
    return rows, jnp.sum(feasible, dtype=jnp.int32)


def _no_worse(a, b, n):
    """Lampinen's rule for rows: feasible before infeasible, then by energy; infeasible ones by every violation."""
    lower = a[..., n] <= b[..., n]
    if a.shape[-1] == n + 1:
        return lower
    va, vb = a[..., n + 1 :], b[..., n + 1 :]
    fa, fb = jnp.sum(va, axis=-1) <= 0, jnp.sum(vb, axis=-1) <= 0
    return jnp.where(fa, ~fb | lower, ~fb & (va <= vb).all(axis=-1))


def _best_first(rows, n):
    """Exchange the first row with the best: the lowest feasible, or the least violating."""
    best = jnp.argmin(rows[:, n])
    if rows.shape[1] > n + 1:
        total = jnp.sum(rows[:, n + 1 :], axis=1)
        lowest = jnp.argmin(jnp.where(total <= 0, rows[:, n], jnp.inf))
        lowest = jnp.where(total[lowest] <= 0, lowest, jnp.argmin(total))
        best = lowest
    return rows.at[best].set(rows[0]).at[0].set(rows[best])


def differential_evolution(
    fun, bounds, population, key, args=(), method=None, *, constraints=None, integral=None, vectorized=False, state=None
):
    """Minimise ``fun(x, *args)`` in a box by differential evolution.

    Parameters
    ----------
    fun : callable
        Real scalar function of a vector (n,); of a matrix (n, k) with k values if `vectorized`.
    bounds : (lower, upper)
        Two finite vectors (n,).
    population : (s, n) float array
        The start in the unit cube, s at least 5 (6 for ``rand2``).
    key : (2,) uint32 array
        Seeds XLA's generator.
    args : tuple of pytrees
    method : DifferentialEvolution, optional
    constraints : callable, optional
        ``constraints(x)``: violations (m,), zero where a constraint holds; (m, k) if `vectorized`.
    integral : (n,) bool array, optional
        Which variables are rounded to integers.
    vectorized : bool
    state : EvolutionState, optional
        To resume from.

    Returns
    -------
    EvolutionResult

    Notes
    -----
    ``x`` and ``fun`` are differentiable with respect to `args` and what `fun` closes over, as a minimum in the box;
    integers are constants, and constraints must not be active.

    Examples
    --------
    >>> import jax, jax.numpy as jnp
    >>> from solvers.globalmin import differential_evolution
    >>> start = jax.random.uniform(jax.random.key(0), (20, 2))
    >>> found = differential_evolution(lambda x: jnp.sum((x - 1) ** 2), (-2.0, 3.0), start, jnp.uint32([1, 2]))
    >>> bool(found.fun < 0.01)
    True
    """
    method = DifferentialEvolution() if method is None else method
    n, dtype = population.shape[1], population.dtype
    lower, upper = (jnp.broadcast_to(jnp.asarray(b, dtype), (n,)) for b in bounds)

    def single(x, *args):
        return jnp.asarray(fun(x[:, None] if vectorized else x, *args)).reshape(())

    # Immediate updates evaluate one trial at a time, which shows the function batches of one.
    k = 1 if method.immediate else len(population)
    point, points = np.zeros(n, dtype), np.zeros((n, k), dtype)
    many, many_consts, _ = close(fun, points, *args) if vectorized else close(single, point, *args)
    one, one_consts, _ = close(single, point, *args)
    params = {"many": many_consts, "one": one_consts, "args": tuple(args), "bounds": (lower, upper)}
    limits, count = None, 0
    if constraints is not None:
        limits, params["limits"], shape = close(constraints, points if vectorized else point)
        count = shape.size // k if vectorized else shape.size
    carried, rebuild = split((method, population, key, state, integral))

    def solve(params, carried):
        method, population, key, state, integral = rebuild(carried)

        def values(x):
            if vectorized:
                return many(params["many"], x.T, *params["args"]).reshape(-1)
            return jax.vmap(lambda x: many(params["many"], x, *params["args"]))(x)

        def violations(x):
            if vectorized:
                return limits(params["limits"], x.T).reshape(count, -1).T
            return jax.vmap(lambda x: limits(params["limits"], x).reshape(-1))(x)

        problem = Landscape(values, limits and violations, *params["bounds"], integral)
        state = method.init(population, key, count) if state is None else state
        state = iterate(method, problem, state)
        points, energies = problem.points(state.rows[:, :n]), state.rows[:, n]
        mean = jnp.abs(jnp.mean(energies)) + jnp.finfo(dtype).eps
        spread = jnp.where(jnp.isfinite(energies).all(), jnp.std(energies) / mean, jnp.inf)
        return points[0], {
            "fun": energies[0], "population": points, "energies": energies, "violation": state.rows[0, n + 1 :],
            "convergence": spread, "nfev": state.nfev, "nit": state.nit, "status": state.status, "state": state,
        }  # fmt: skip

    def value(params, x):
        return one(params["one"], x, *params["args"])

    residual = stationary(value, integral)
    x, aux = implicit(solve, residual, lambda x, p: {"fun": value(p, x)}, params, carried)
    return EvolutionResult(x=x, **aux)
