"""SLSQP on Hock and Schittkowski's problems; its quadratic programs; derivatives of constrained solutions."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.optimize

from solvers.minimize import SLSQP, minimize
from solvers.minimize.quadratic import quadratic_program
from tests.problems.constrained import PROBLEMS


@pytest.fixture(autouse=True)
def double():
    with jax.enable_x64(True):
        yield


def rows(problem, x, xp):
    both = [f(x, xp) for f in (problem.equalities, problem.inequalities) if f is not None]
    return [value for part in both for value in part]


def solve(problem):
    x0 = np.array(problem.x0)
    equalities = 0 if problem.equalities is None else len(problem.equalities(x0, np))
    total = len(rows(problem, x0, np))
    method = SLSQP(equalities=equalities, inequalities=total - equalities)
    return minimize(
        lambda x: problem.fun(x, jnp),
        x0,
        method=method,
        bounds=None if problem.bounds is None else tuple(np.array(problem.bounds).T),
        constraints=(lambda x: jnp.stack(rows(problem, x, jnp))) if total else None,
    ), equalities


def catalogue():
    for problem in PROBLEMS:
        quick = problem.name in ("hs7", "hs43", "hs71")
        yield pytest.param(problem, marks=() if quick else pytest.mark.slow, id=problem.name)


@pytest.mark.parametrize("problem", list(catalogue()))
def test_published_minimum_and_first_order_conditions(problem):
    result, equalities = solve(problem)
    x0 = np.array(problem.x0)
    cons = [
        {"type": kind, "fun": lambda x, f=f: np.array(f(x, np))}
        for kind, f in (("eq", problem.equalities), ("ineq", problem.inequalities))
        if f is not None
    ]
    gradient = jax.jit(jax.grad(lambda x: problem.fun(x, jnp)))
    theirs = scipy.optimize.minimize(
        lambda x: problem.fun(x, np), x0, jac=lambda x: np.asarray(gradient(x)), method="SLSQP",
        bounds=problem.bounds, constraints=cons,
    )  # fmt: skip
    assert theirs.success and bool(result.success)
    x = np.asarray(result.x)
    values = np.array(rows(problem, x, np), float)
    assert np.all(np.abs(values[:equalities]) < 1e-5) and np.all(values[equalities:] > -1e-5)
    assert problem.fun(x, np) == pytest.approx(problem.minimum, rel=1e-4, abs=1e-5)
    assert int(result.nfev) <= 1.5 * theirs.nfev + 3
    np.testing.assert_allclose(result.extra["multipliers"], theirs.multipliers, atol=2e-2)


def test_quadratic_program_against_its_conditions():
    rng = np.random.default_rng(1)
    solve_qp = jax.jit(quadratic_program, static_argnums=4)
    for _ in range(5):
        factor = rng.normal(size=(4, 4))
        hessian, gradient = factor @ factor.T + 0.1 * np.eye(4), rng.normal(size=4)
        normals, levels = rng.normal(size=(6, 4)), -rng.random(6)
        levels[3] = -np.inf
        found = solve_qp(hessian, gradient, normals, levels, 1)
        slack = (normals @ found.x - levels)[np.isfinite(levels)]
        v = np.asarray(found.multipliers)
        assert bool(found.feasible)
        np.testing.assert_allclose(hessian @ found.x + gradient, v @ normals, atol=1e-9)
        assert abs(slack[0]) < 1e-9 and np.all(slack > -1e-9) and np.all(v[1:] >= 0)
        np.testing.assert_allclose(v[np.isfinite(levels)] * slack, 0, atol=1e-9)
    apart = np.array([[1.0, 0, 0, 0], [-1.0, 0, 0, 0]])
    assert not bool(quadratic_program(np.eye(4), np.ones(4), apart, np.array([1.0, 1.0]), 0).feasible)


def test_incompatible_constraints_are_no_success():
    result = minimize(
        lambda x: jnp.sum(x**2), np.ones(2), method=SLSQP(inequalities=2),
        constraints=lambda x: jnp.stack([x[0] - 2, 1 - x[0]]),
    )  # fmt: skip
    assert not bool(result.success)
    assert not bool(minimize(lambda x: jnp.sum(x) * jnp.nan, np.ones(2), method=SLSQP()).success)


def test_derivative_of_a_constrained_solution():
    def solution(level):
        return minimize(
            lambda x: jnp.sum(x**2), jnp.array([1.0, 0.5]), method=SLSQP(1e-12, equalities=1),
            constraints=lambda x: jnp.stack([x[0] + 2 * x[1] - level]),
        ).x  # fmt: skip

    np.testing.assert_allclose(solution(5.0), [1, 2], atol=1e-6)
    np.testing.assert_allclose(jax.jacrev(solution)(5.0), [0.2, 0.4], atol=1e-6)
    np.testing.assert_allclose(jax.jacfwd(solution)(5.0), [0.2, 0.4], atol=1e-6)
