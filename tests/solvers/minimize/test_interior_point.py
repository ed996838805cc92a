"""The interior point on Hock and Schittkowski's problems: minima, feasibility and the Lagrangian recomputed."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from solvers.minimize import InteriorPoint, minimize
from tests.problems.constrained import PROBLEMS

QUICK = ("hs6", "hs43", "hs71")


@pytest.fixture(autouse=True)
def double():
    with jax.enable_x64(True):
        yield


def rows(problem, x, xp):
    both = [f(x, xp) for f in (problem.equalities, problem.inequalities) if f is not None]
    return [value for part in both for value in part]


def catalogue():
    for problem in PROBLEMS:
        yield pytest.param(problem, marks=() if problem.name in QUICK else pytest.mark.slow, id=problem.name)


@pytest.mark.parametrize("problem", list(catalogue()))
def test_published_minimum_and_first_order_conditions(problem):
    x0 = np.array(problem.x0)
    equalities = 0 if problem.equalities is None else len(problem.equalities(x0, np))
    total = len(rows(problem, x0, np))
    bounded = problem.bounds is not None
    result = minimize(
        lambda x: problem.fun(x, jnp),
        x0,
        method=InteriorPoint(equalities=equalities, inequalities=total - equalities, bounded=bounded, maxiter=100),
        bounds=tuple(np.array(problem.bounds).T) if bounded else None,
        constraints=(lambda x: jnp.stack(rows(problem, x, jnp))) if total else None,
    )
    assert bool(result.success)
    x = np.asarray(result.x)
    assert problem.fun(x, np) == pytest.approx(problem.minimum, rel=1e-6, abs=1e-6)
    values = np.array(rows(problem, x, np), float)
    assert np.all(np.abs(values[:equalities]) <= 1e-7) and np.all(values[equalities:] >= -1e-7)
    slope = np.array(jax.grad(lambda x: problem.fun(x, jnp))(x))
    if total:
        multipliers = np.asarray(result.extra["multipliers"])
        assert np.all(multipliers[equalities:] >= 0)
        np.testing.assert_allclose(multipliers[equalities:] * values[equalities:], 0, atol=1e-5)
        slope -= multipliers @ np.asarray(jax.jacfwd(lambda x: jnp.stack(rows(problem, x, jnp)))(x))
    if bounded:
        low, high = np.asarray(result.extra["bound_multipliers"]).reshape(2, -1)
        slope -= low - high
    assert np.max(np.abs(slope)) <= 1e-5


def test_infeasible_and_undefined_problems_are_no_success():
    apart = minimize(
        lambda x: jnp.sum(x**2), np.ones(2), method=InteriorPoint(inequalities=2, maxiter=100),
        constraints=lambda x: jnp.stack([x[0] - 2, 1 - x[0]]),
    )  # fmt: skip
    assert not bool(apart.success)
    assert not bool(minimize(lambda x: jnp.sum(x) * jnp.nan, np.ones(2), method=InteriorPoint()).success)
    assert not bool(minimize(lambda x: -jnp.sum(x), np.ones(2), method=InteriorPoint(maxiter=50)).success)


def test_batch_equals_loop():
    def solve(level):
        return minimize(
            lambda x: jnp.sum((x - 1) ** 4) + x[0], jnp.zeros(2),
            method=InteriorPoint(equalities=1, inequalities=1, maxiter=100),
            constraints=lambda x: jnp.stack([x[0] + x[1] - level, x[0] - 0.3]),
        ).x  # fmt: skip

    levels = np.array([0.5, 1.0, 2.5])
    batch = jax.jit(jax.vmap(solve))(levels)
    for level, one in zip(levels, batch, strict=True):
        np.testing.assert_allclose(one, solve(level), atol=1e-9)
