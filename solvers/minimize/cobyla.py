"""COBYLA: constrained optimisation by linear approximation, without derivatives."""

from dataclasses import dataclass, field
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from solvers.minimize.linear_step import linear_step
from solvers.minimize.searcher import Pausing
from solvers.minimize.status import RUNNING
from solvers.pytrees import pytree_dataclass
from solvers.roots.vectors import entry, inner, norm, pack, product

__all__ = ["COBYLA", "COBYLAState"]

_BUILD, _TRUST, _GEOMETRY, _LAST = range(4)
SMALL_RADIUS, TARGET, EVALUATIONS, ROUNDING = 0, 1, 3, 7
_POOR, _GOOD, _SHRINK, _GROW, _TO_RHO = 0.1, 0.7, 0.5, 2.0, 1.5  # of the trust region
_BARRIER, _WORST = 1e8, 1e30  # weight of the violation in the choice of the result; value in place of NaN


class COBYLAState(NamedTuple):
    """The simplex with values and constraints at its vertices, the next point, and the best one so far.

    ``basis`` holds, in its columns, the gradients of the vertices' Lagrange functions.
    ``scalars`` packs what the next point is for, the vertex it replaces, the best vertex, radius and its lower bound,
    weight of the violation, length and predicted merit of the step, evaluations, iterations, status, value and
    violation of the best point.
    """

    vertices: jax.Array
    values: jax.Array
    rows: jax.Array
    basis: jax.Array
    trial: jax.Array
    x: jax.Array
    multipliers: jax.Array
    scalars: jax.Array
    path: jax.Array

    jac = None
    nfev = property(lambda self: entry(self.scalars, 8).astype(jnp.int32))
    nit = property(lambda self: entry(self.scalars, 9).astype(jnp.int32))
    status = property(lambda self: entry(self.scalars, 10).astype(jnp.int32))
    fun = property(lambda self: entry(self.scalars, 11))
    violation = property(lambda self: entry(self.scalars, 12))


class _Decision(NamedTuple):
    """Where the choice of the next point stands; `bad`: the last step taught too little."""

    rho: Any
    delta: Any
    reach: Any
    weight: Any
    bad: Any
    phase: Any
    index: Any
    pole: Any
    step: Any
    multipliers: Any
    length: Any
    predicted: Any
    status: Any
    count: Any  # type: ignore[assignment]  # hides tuple.count
    going: Any


@pytree_dataclass
@dataclass(frozen=True)
class COBYLA(Pausing):
    """Powell's linear interpolation on a simplex, with a trust region and a merit function.

    Parameters
    ----------
    rhobeg, rhoend : float
        First and last lower bound of the trust radius; the end of the iteration is at the last one.
    maxfev : int
        Most evaluations.
    catol : float
        A point is feasible if no constraint is violated by more.
    f_target : float
        End at a feasible point with a value that is not higher.
    equalities, inequalities : int, static
        Constraints of each kind: the objective's ``constraints`` gives the equalities first.
    pause : int, optional
        Stop, with status -1, once this many iterations are done, so that the caller can look and resume.

    Notes
    -----
    Bounds are constraints like others and may be violated on the way. Status 0: the radius is at its end. 1: target
    reached. 3: too many evaluations. 7: the simplex is flat to rounding. A success is feasible to `catol` as well. The
    multipliers are those of the last linear model.

    References
    ----------
    .. [1] M. J. D. Powell, "A direct search optimization method that models the objective and constraint functions by
       linear interpolation", Advances in Optimization and Numerical Analysis (1994) 51-67.
    .. [2] Z. Zhang, "PRIMA: Reference Implementation for Powell's Methods", 2023 (radius and choice of vertices).
    """

    rhobeg: Any = 1.0
    rhoend: Any = 1e-4
    maxfev: Any = 1000
    catol: Any = 1.5e-8
    f_target: Any = -np.inf
    pause: Any = None
    equalities: int = field(default=0, metadata={"static": True})
    inequalities: int = field(default=0, metadata={"static": True})

    takes_bounds = True
    takes_constraints = True
    successes = (SMALL_RADIUS, TARGET)

    def init(self, problem, x0, capacity=0):
        """State at `x0` before any evaluation, with room to record `capacity` iterates."""
        del problem
        n, dtype = x0.size, x0.dtype
        m = self.equalities + self.inequalities
        scalars = np.zeros(13, dtype)
        scalars[10:] = RUNNING, np.inf, np.inf
        return COBYLAState(
            vertices=np.zeros((n + 1, n), dtype),
            values=np.full(n + 1, _WORST, dtype),
            rows=np.zeros((n + 1, m + self.equalities + 2 * n), dtype),
            basis=np.concatenate([-np.ones((n, 1)), np.eye(n)], axis=1).astype(dtype),
            trial=x0,
            x=x0,
            multipliers=np.zeros(m, dtype),
            scalars=scalars,
            path=np.zeros((capacity, n), dtype),
        )

    def results(self, state):
        """Entries of the result that only this method has."""
        return {"multipliers": state.multipliers, "maxcv": state.violation}

    def certifies(self, aux):
        """Whether the result is feasible, and a number."""
        return (aux["extra"]["maxcv"] <= self.catol) & jnp.isfinite(aux["fun"])

    def step(self, problem, state):
        """Evaluate at the next point, put it into the simplex, and choose the one after it."""
        n, dtype, trial = state.x.size, state.x.dtype, state.trial
        phase, index, pole, delta, rho, weight, length, predicted = (entry(state.scalars, i) for i in range(8))
        index, pole = index.astype(jnp.int32), pole.astype(jnp.int32)
        fun = problem.value(trial)
        row = self._rows(problem, trial)
        nfev = state.nfev + 1
        value = jnp.where(jnp.isnan(fun), _WORST, jnp.minimum(fun, _WORST)).astype(dtype)
        violation = _violation(row)
        better = self._better(value, violation, jnp.where(jnp.isnan(state.fun), _WORST, state.fun), state.violation)
        x = jnp.where(better, trial, state.x)
        best, least = jnp.where(better, fun, state.fun), jnp.where(better, violation, state.violation)

        # How good the linear model was, and which vertex gives its place.
        on_step = phase == _TRUST
        merits = state.values + weight * _violation(state.rows)
        gain = merits[pole] - (value + weight * violation)
        ratio = gain / predicted
        grown = jnp.where(
            ratio <= _POOR,
            _SHRINK * length,
            jnp.maximum(_SHRINK * delta, jnp.where(ratio <= _GOOD, length, _GROW * length)),
        )
        grown = jnp.where(grown <= _TO_RHO * rho, rho, grown)
        delta, reach = jnp.where(on_step, grown, delta), delta
        old = state.vertices
        starts = (phase == _BUILD) & (index == 0)
        # Until it is built, the simplex is the right-angled one at the start.
        right = trial + self.rhobeg * jnp.eye(n + 1, n, -1, dtype=dtype)
        old, basis = jnp.where(starts, right, old), jnp.where(starts, state.basis / self.rhobeg, state.basis)
        lagrange = product(basis.T, trial - old[pole]) + (lax.iota(jnp.int32, n + 1) == pole)
        worst, useful = _worst_vertex(old, pole, trial, lagrange, gain > 0, delta, rho)
        index = jnp.where(on_step, worst, index)
        replaces = (phase <= _GEOMETRY) & (useful | ~on_step)
        here = (lax.iota(jnp.int32, n + 1) == index) & replaces
        vertices = jnp.where(here[:, None], trial, old)
        basis = jnp.where(replaces, _exchanged(basis, vertices, lagrange, here), basis)
        values = jnp.where(here, value, state.values)
        rows = jnp.where(here[:, None], row, state.rows)
        bad = on_step & ~((ratio > 0) & useful)

        building = (phase == _BUILD) & (index < n)
        built = (phase == _BUILD) & (index == n)
        rho = jnp.where(phase == _BUILD, jnp.asarray(self.rhobeg, dtype), rho)
        delta, reach = jnp.where(phase == _BUILD, rho, delta), jnp.where(phase == _BUILD, rho, reach)
        weight = jnp.where(built, jnp.clip(_change_ratio(values, rows), jnp.finfo(dtype).eps, 1e3), weight)
        status = jnp.where(phase == _LAST, SMALL_RADIUS, RUNNING)
        status = jnp.where(nfev >= self.maxfev, EVALUATIONS, status)
        status = jnp.where((best <= self.f_target) & (least <= self.catol), TARGET, status)

        zero = jnp.zeros((), dtype)
        decision = _Decision(
            rho, delta, reach, weight, bad, jnp.asarray(_BUILD), index + 1, pole, jnp.zeros_like(trial),
            jnp.zeros(rows.shape[1], dtype), length, zero, status, 0, ~building & (status == RUNNING),
        )  # fmt: skip
        d = lax.while_loop(
            lambda d: d.going, lambda d: self._decide(vertices, values, rows, basis, d, nfev), _typed(decision, dtype)
        )
        follower = vertices[d.pole] + d.step
        # The vertices of the first simplex are built on the lowest one so far.
        lowest = jnp.argmin(jnp.where(lax.iota(jnp.int32, n + 1) <= index, values, jnp.inf))
        one = jnp.where(lax.iota(jnp.int32, n) == d.index - 1, jnp.asarray(self.rhobeg, dtype), 0.0)
        follower = jnp.where(building, vertices[lowest] + one, follower)
        if problem.bounds is not None:
            follower = jnp.where(d.phase == _TRUST, _snapped(follower, *problem.bounds, 1e-6 * d.delta), follower)
        nit = state.nit + (~building & (phase != _LAST))
        multipliers = self._user_multipliers(d.multipliers)
        multipliers = jnp.where(
            jnp.any(d.step != 0) & ~building & (d.phase != _GEOMETRY), multipliers, state.multipliers
        )
        rest = (d.phase, d.index, d.pole, d.delta, d.rho, d.weight, d.length, d.predicted, nfev, nit, d.status)
        path = state.path
        if path.shape[0]:
            path = path.at[jnp.where(building, path.shape[0], nit)].set(x, mode="drop")
        scalars = pack((*rest, best, least), dtype)
        return COBYLAState(vertices, values, rows, basis, follower, x, multipliers, scalars, path)

    def _rows(self, problem, x):
        """All constraints, nonnegative where they hold: equalities from both sides, inequalities, bounds."""
        parts = []
        if self.equalities + self.inequalities:
            given = problem.constraints(x)
            equal, unequal = given[: self.equalities], given[self.equalities :]
            parts = [equal, -equal, unequal]
        if problem.bounds is None:
            parts.append(jnp.ones(2 * x.size, x.dtype))
        else:
            parts += [_distance(x, problem.bounds[0], 1.0), _distance(x, problem.bounds[1], -1.0)]
        rows = jnp.concatenate(parts)
        return jnp.where(jnp.isnan(rows), -_WORST, jnp.clip(rows, -_WORST, _WORST)).astype(x.dtype)

    def _user_multipliers(self, multipliers):
        m = self.equalities
        pairs = multipliers[:m] - multipliers[m : 2 * m]
        return jnp.concatenate([pairs, multipliers[2 * m : 2 * m + self.inequalities]])

    def _better(self, value, violation, old_value, old_violation):
        merit = value + _BARRIER * jnp.maximum(violation - self.catol, 0.0)
        old = old_value + _BARRIER * jnp.maximum(old_violation - self.catol, 0.0)
        return (merit < old) | ((merit == old) & (violation < old_violation)) | jnp.isinf(old_violation)

    def _decide(self, vertices, values, rows, basis, d, nfev):
        """Improve the simplex, reduce the radius, or minimise the linear model within it."""
        eps = jnp.finfo(values.dtype).eps
        pole = _pole(values, rows, d.weight)
        centre = vertices[pole]
        squares = jnp.sum((vertices - centre) ** 2, axis=1)
        near = jnp.all(squares <= 4 * d.reach**2)
        improve = d.bad & ~near & jnp.any(squares > 4 * d.delta**2)
        reduce = d.bad & near & (jnp.maximum(d.delta, d.length) <= d.rho)
        finished = reduce & (d.rho <= self.rhoend)
        lower = _reduced(d.rho, self.rhoend)
        delta = jnp.where(reduce, jnp.maximum(0.5 * d.rho, lower), d.delta)
        rho = jnp.where(reduce, lower, d.rho)
        weight = jnp.where(reduce, jnp.maximum(eps, jnp.minimum(d.weight, _change_ratio(values, rows))), d.weight)
        pole = _pole(values, rows, weight)
        centre = vertices[pole]
        columns = jnp.concatenate([values[:, None], rows], axis=1)
        slopes = _times(basis, columns - columns[pole])
        flat = ~(jnp.max(jnp.abs(_times(basis, vertices - centre) - jnp.eye(len(basis), dtype=basis.dtype))) < 0.1)

        def geometry():
            far = jnp.argmax(squares).astype(d.index.dtype)
            normal = jnp.sum(jnp.where(lax.iota(jnp.int32, len(basis.T)) == far, basis, 0.0), axis=1)
            step = 0.5 * d.delta * normal / norm(normal)
            ahead, back = (_merit_ahead(slopes, rows[pole], weight, s) for s in (step, -step))
            step = jnp.where(back < ahead, -step, step)
            return d._replace(phase=_like(_GEOMETRY, d.phase), index=far, pole=pole, step=step, bad=_like(False, d.bad),
                              going=_like(False, d.going))  # fmt: skip

        def end():
            worth = (
                d.bad
                & (norm(d.step) > 1e-3 * self.rhoend)
                & (nfev < self.maxfev)
                & (d.pole == pole)
                & (d.predicted < 0)
            )
            phase = jnp.where(worth, _LAST, _BUILD).astype(d.phase.dtype)
            status = jnp.where(worth, RUNNING, SMALL_RADIUS).astype(d.status.dtype)
            return d._replace(phase=phase, pole=pole, status=status, going=_like(False, d.going))

        def trust():
            step, multipliers = linear_step(slopes[:, 0], slopes[:, 1:].T, -rows[pole], delta)
            length = jnp.minimum(delta, norm(step))
            preref = -inner(step, slopes[:, 0])
            prerec = _violation(rows[pole]) - _violation(rows[pole] + product(slopes[:, 1:].T, step))
            needed = jnp.where((prerec > 0) & (preref < 0), -2 * preref / jnp.where(prerec > 0, prerec, 1.0), 0.0)
            heavier = jnp.maximum(weight, jnp.minimum(needed, _WORST))
            moved = _pole(values, rows, heavier) != pole
            predicted = preref + heavier * prerec
            short = (length <= 0.1 * rho) | ~(predicted > 1e-6 * jnp.minimum(heavier, 1.0) * rho)
            shrunk = jnp.where(0.1 * delta <= _TO_RHO * rho, rho, 0.1 * delta)
            again = moved | short
            given_up = flat | (d.count > 200)
            return d._replace(
                rho=rho, reach=delta, delta=jnp.where(short & ~moved, shrunk, delta), weight=heavier,
                bad=short & ~moved, phase=_like(_TRUST, d.phase), pole=pole, step=step, multipliers=multipliers,
                # A step that is not tried is marked by its prediction.
                length=length, predicted=jnp.where(again, -1.0, predicted),
                status=jnp.where(given_up, ROUNDING, d.status).astype(d.status.dtype),
                going=again & ~given_up,
            )  # fmt: skip

        kind = jnp.where(finished, 1, jnp.where(improve, 0, 2))
        return lax.switch(kind, [geometry, end, trust])._replace(count=d.count + 1)


def _typed(decision, dtype):
    """The decision with the types that the loop's carry keeps."""
    floats = {name: jnp.asarray(getattr(decision, name), dtype) for name in
              ("rho", "delta", "reach", "weight", "step", "multipliers", "length", "predicted")}  # fmt: skip
    whole = {
        name: jnp.asarray(getattr(decision, name), jnp.int32) for name in ("phase", "index", "pole", "status", "count")
    }
    return decision._replace(**floats, **whole)


def _like(value, example):
    return jnp.asarray(value, example.dtype)


def _violation(rows):
    """Greatest violation."""
    return jnp.maximum(0.0, -jnp.min(rows, axis=-1, initial=jnp.inf))


def _pole(values, rows, weight):
    """The best vertex: least merit, then least violation."""
    violation = _violation(rows)
    merit = values + weight * violation
    return jnp.argmin(jnp.where(merit <= jnp.min(merit), violation, jnp.inf)).astype(jnp.int32)


def _exchanged(basis, vertices, lagrange, here):
    """The basis after the vertex `here` was replaced by a point where the old functions have the values `lagrange`."""
    value = jnp.sum(jnp.where(here, lagrange, 0.0))
    chosen = jnp.sum(jnp.where(here, basis, 0.0), axis=1) / value
    basis = jnp.where(here, chosen[:, None], basis - chosen[:, None] * lagrange)
    # One step of Newton and Schulz for the inverse, lest rounding adds up.
    edges = vertices - vertices[0]
    return 2 * basis - _times(_times(basis, edges), basis)


def _times(a, b):
    """Matrix product; small ones as a reduction, which compiles faster."""
    if a.size * b.shape[1] > 4096:
        return a @ b
    return jnp.sum(a[:, :, None] * b, axis=1)


def _merit_ahead(slopes, row, weight, step):
    return inner(step, slopes[:, 0]) + weight * _violation(row + product(slopes[:, 1:].T, step))


def _worst_vertex(vertices, pole, trial, lagrange, improved, delta, rho):
    """The vertex that the trial point replaces (Powell's (19)-(22), weighted by distance), and whether there is one."""
    squares = jnp.sum((vertices - jnp.where(improved, trial, vertices[pole])) ** 2, axis=1)
    score = jnp.maximum(1.0, squares / jnp.maximum(rho, delta / 10) ** 2) * jnp.abs(lagrange)
    kept = (lax.iota(jnp.int32, len(score)) == pole) & ~improved
    score = jnp.where(kept | jnp.isnan(score), -1.0, score)
    return jnp.argmax(score).astype(jnp.int32), jnp.max(score) > 0


def _change_ratio(values, rows):
    """Typical change of the objective over that of the constraints (Powell's (12) and (13))."""
    most, least = jnp.max(rows, axis=0), jnp.min(rows, axis=0)
    matters = least < 0.5 * most
    span = jnp.min(jnp.where(matters, jnp.maximum(most, 0.0) - least, jnp.inf), initial=jnp.inf)
    change = jnp.max(values) - jnp.min(values)
    return jnp.where(jnp.any(matters) & (change > 0), change / span, 0.0)


def _reduced(rho, end):
    ratio = rho / end
    return jnp.where(ratio > 250, 0.1 * rho, jnp.where(ratio <= 16, end, jnp.sqrt(jnp.maximum(ratio, 0.0)) * end))


def _distance(x, bound, sign):
    return jnp.where(jnp.isfinite(bound), sign * (x - jnp.where(jnp.isfinite(bound), bound, 0.0)), 1.0)


def _snapped(x, lower, upper, near):
    """On a bound where the linear model's step leads there up to rounding."""
    x = jnp.where(jnp.abs(x - lower) <= near, lower, x)
    return jnp.where(jnp.abs(x - upper) <= near, upper, x)
