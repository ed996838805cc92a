"""L-BFGS-B: the limited memory against dense matrices, bounds against SciPy, derivatives at active bounds."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.optimize

from solvers.minimize import LBFGSB, minimize
from solvers.minimize.limited_memory import empty, inner_inverse, learn, solve_free, weights
from tests.problems.optimize import PROBLEMS


@pytest.fixture(autouse=True)
def double():
    with jax.enable_x64(True):
        yield


def test_compact_representation_is_the_bfgs_matrix():
    rng = np.random.default_rng(0)
    n, m = 6, 4
    factor = rng.normal(size=(n, n))
    hessian = factor @ factor.T + np.eye(n)
    memory, pairs = empty(m, n, float), []
    for k in range(6):
        step = rng.normal(size=n)
        change = hessian @ step
        memory = learn(memory, jnp.int32(k), step, change)
        pairs.append((step, change))
        theta = change @ change / (step @ change)
        dense = theta * np.eye(n)
        for s, y in pairs[-m:]:
            dense = dense - np.outer(dense @ s, dense @ s) / (s @ dense @ s) + np.outer(y, y) / (y @ s)
        count = jnp.int32(k + 1)
        w = (memory.pairs * weights(memory, theta)[:, None]).T
        np.testing.assert_allclose(theta * np.eye(n) - w @ inner_inverse(memory, count, theta) @ w.T, dense, atol=1e-12)
        right = rng.normal(size=n)
        np.testing.assert_allclose(solve_free(memory, count, theta, right), np.linalg.solve(dense, right), atol=1e-12)
        free = np.array([1, 1, 0, 1, 0, 1], bool)
        part = np.zeros(n)
        part[free] = np.linalg.solve(dense[np.ix_(free, free)], right[free])
        np.testing.assert_allclose(solve_free(memory, count, theta, right, jnp.array(free)), part, atol=1e-12)


def boxed():
    for i, problem in enumerate(PROBLEMS):
        quick = problem.name in ("extended_rosenbrock", "discrete_boundary_value")
        yield pytest.param(problem, i, marks=() if quick else pytest.mark.slow, id=problem.name)


@pytest.mark.parametrize(("problem", "seed"), list(boxed()))
def test_bounds_follow_scipys_path(problem, seed):
    x0 = np.array(problem.x0)
    rng = np.random.default_rng(seed)
    lower, upper = x0 - 0.3 * rng.random(x0.size), x0 + 0.5 * rng.random(x0.size)
    lower[0], upper[-1] = -np.inf, np.inf

    def fun(x):
        return jnp.sum(problem.residuals(x, jnp) ** 2)

    gradient = jax.jit(jax.grad(fun))
    ours = minimize(fun, x0, method=LBFGSB(), bounds=(lower, upper))
    theirs = scipy.optimize.minimize(
        lambda x: np.sum(problem.residuals(x, np) ** 2),
        x0,
        jac=lambda x: np.asarray(gradient(x)),
        method="L-BFGS-B",
        bounds=scipy.optimize.Bounds(lower, upper),
    )
    assert bool(ours.success) or not theirs.success
    assert np.all(ours.x >= lower) and np.all(ours.x <= upper)
    assert int(ours.nfev) <= 1.5 * theirs.nfev + 3
    assert float(ours.fun) <= theirs.fun + 1e-6 * (1 + abs(theirs.fun))


def test_derivative_with_an_active_bound():
    def solution(a, upper):
        def fun(x):
            return (x[0] - a) ** 2 + (x[1] - a * x[0]) ** 2

        bounds = (jnp.full(2, -jnp.inf), jnp.stack([upper, jnp.inf]))
        return minimize(fun, jnp.zeros(2), method=LBFGSB(1e-10, 0.0), bounds=bounds).x

    np.testing.assert_allclose(solution(2.0, 1.0), [1, 2], atol=1e-8)
    by_a, by_bound = jax.jacrev(solution, argnums=(0, 1))(2.0, 1.0)
    np.testing.assert_allclose(by_a, [0, 1], atol=1e-8)
    np.testing.assert_allclose(by_bound, [1, 2], atol=1e-8)
    np.testing.assert_allclose(jax.jacfwd(solution)(2.0, 1.0), [0, 1], atol=1e-8)


def test_fixed_variables_and_starts_outside():
    bounds = (np.array([0.5, -1.0, 2.0]), np.array([0.5, 1.0, 3.0]))
    result = minimize(lambda x: jnp.sum(x**2), np.array([9.0, 9.0, 9.0]), method=LBFGSB(), bounds=bounds)
    assert bool(result.success)
    np.testing.assert_allclose(result.x, [0.5, 0, 2], atol=1e-6)


def test_bounds_are_refused_by_methods_without_them():
    with pytest.raises(ValueError, match="BFGS takes no bounds"):
        minimize(lambda x: jnp.sum(x**2), np.ones(2), bounds=(np.zeros(2), np.ones(2)))
