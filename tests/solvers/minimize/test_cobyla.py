"""COBYLA on Hock and Schittkowski's problems: all that SciPy solves, feasible, as few evaluations; its linear step."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.optimize

from solvers.minimize import COBYLA, minimize
from solvers.minimize.linear_step import linear_step
from tests.problems.constrained import PROBLEMS

QUICK = ("hs7", "hs43")


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
def test_published_minimum_and_feasibility(problem):
    x0 = np.array(problem.x0)
    equalities = 0 if problem.equalities is None else len(problem.equalities(x0, np))
    total = len(rows(problem, x0, np))
    result = minimize(
        lambda x: problem.fun(x, jnp),
        x0,
        method=COBYLA(rhoend=1e-6, maxfev=3000, equalities=equalities, inequalities=total - equalities),
        bounds=None if problem.bounds is None else tuple(np.array(problem.bounds).T),
        constraints=(lambda x: jnp.stack(rows(problem, x, jnp))) if total else None,
    )
    cons = [
        {"type": kind, "fun": lambda x, f=f: np.array(f(x, np))}
        for kind, f in (("eq", problem.equalities), ("ineq", problem.inequalities))
        if f is not None
    ]
    theirs = scipy.optimize.minimize(
        lambda x: problem.fun(x, np), x0, method="COBYLA", tol=1e-6, options={"maxiter": 3000},
        bounds=problem.bounds, constraints=cons,
    )  # fmt: skip
    assert bool(result.success) or not theirs.success
    x = np.asarray(result.x)
    if bool(result.success):
        values = np.array(rows(problem, x, np), float)
        assert np.all(np.abs(values[:equalities]) <= 2e-8) and np.all(values[equalities:] >= -2e-8)
        assert problem.fun(x, np) == pytest.approx(problem.minimum, rel=1e-3, abs=1e-3)
        assert int(result.nfev) <= 1.5 * theirs.nfev + 10


def test_linear_step_against_its_conditions():
    rng = np.random.default_rng(2)
    solve = jax.jit(linear_step)
    for _ in range(5):
        gradient, matrix, levels = rng.normal(size=4), rng.normal(size=(3, 4)), -rng.random(3)
        step, multipliers = (np.asarray(v) for v in solve(gradient, matrix, levels, 0.7))
        assert np.linalg.norm(step) <= 0.7 + 1e-9
        slack = matrix @ step - levels
        assert np.all(slack > -1e-6)
        np.testing.assert_allclose(multipliers * slack, 0, atol=1e-5)
        # What the constraints leave of the gradient points against the step.
        rest = gradient - multipliers @ matrix
        np.testing.assert_allclose(rest, -np.linalg.norm(rest) * step / 0.7, atol=1e-4)


def test_linear_step_makes_the_violation_as_small_as_the_ball_allows():
    matrix, levels = np.array([[1.0, 0.0], [0.0, 1.0]]), np.array([5.0, 5.0])
    step, _ = linear_step(np.array([1.0, 0.0]), matrix, levels, 1.0)
    np.testing.assert_allclose(step, [0.5**0.5, 0.5**0.5], atol=1e-4)
    apart, _ = linear_step(np.array([0.0, 1.0]), np.array([[1.0, 0.0], [-1.0, 0.0]]), np.array([0.2, 0.2]), 1.0)
    np.testing.assert_allclose(apart, [0.0, -1.0], atol=1e-3)


def test_no_success_without_numbers_or_feasible_points():
    assert not bool(minimize(lambda x: jnp.sum(x) * jnp.nan, np.ones(2), method=COBYLA()).success)
    apart = minimize(
        lambda x: jnp.sum(x**2), np.ones(2), method=COBYLA(inequalities=2),
        constraints=lambda x: jnp.stack([x[0] - 2, 1 - x[0]]),
    )  # fmt: skip
    assert not bool(apart.success)
    np.testing.assert_allclose(apart.extra["maxcv"], 0.5, atol=1e-3)
