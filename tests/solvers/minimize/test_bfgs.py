"""BFGS: the published minima, SciPy's own path and counters, derivatives of the minimiser."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.optimize

from solvers.minimize import BFGS, minimize
from tests.problems.optimize import PROBLEMS


@pytest.fixture(autouse=True)
def double():
    with jax.enable_x64(True):
        yield


def objective(problem):
    return lambda x: jnp.sum(problem.residuals(x, jnp) ** 2)


@pytest.mark.parametrize("problem", PROBLEMS, ids=lambda p: p.name)
def test_published_minimum_with_scipys_evaluations(problem):
    x0 = np.array(problem.x0)
    ours = minimize(objective(problem), x0)
    gradient = jax.jit(jax.grad(objective(problem)))
    theirs = scipy.optimize.minimize(
        lambda x: np.sum(problem.residuals(x, np) ** 2), x0, jac=lambda x: np.asarray(gradient(x))
    )
    assert bool(ours.success)
    # The certificate of success, recomputed from the function.
    assert np.max(np.abs(gradient(ours.x))) <= 1e-5
    assert min(abs(float(ours.fun) - f) / (1 + abs(f)) for f in problem.minima) < 1e-7
    assert int(ours.nfev) <= 1.1 * theirs.nfev + 3
    assert theirs.success


def test_status_follows_scipy():
    rosenbrock = objective(PROBLEMS[0])
    x0 = np.array([-1.2, 1.0])
    stopped = minimize(rosenbrock, x0, method=BFGS(maxiter=3))
    assert (int(stopped.status), int(stopped.nit), bool(stopped.success)) == (1, 3, False)
    unreachable = minimize(rosenbrock, x0, method=BFGS(gtol=1e-300))
    assert int(unreachable.status) in (0, 2)
    assert bool(unreachable.success) == bool(jnp.all(unreachable.jac == 0))


@pytest.mark.parametrize(
    "fun",
    [
        lambda x: jnp.sum(x) * jnp.nan,
        lambda x: -jnp.sum(x),
        lambda x: jnp.sum(jnp.log(x)),
        lambda x: jnp.sum(jnp.exp(x)) * jnp.inf,
    ],
    ids=["nan", "unbounded", "log", "inf"],
)
def test_no_false_success(fun):
    result = minimize(fun, np.ones(2))
    assert not bool(result.success)


def test_nan_region_is_backed_away_from():
    """The first step leaves the domain of the logarithm; the search returns into it."""
    result = minimize(lambda x: jnp.sum(x - 0.01 * jnp.log(x)), np.full(2, 0.5))
    assert bool(result.success)
    np.testing.assert_allclose(result.x, 0.01, rtol=1e-4)


def test_derivatives_of_first_and_second_order():
    def solution(a):
        def fun(x):
            return (x[0] - a) ** 2 + (x[1] - a * x[0]) ** 2 + x[0] ** 4

        return minimize(fun, jnp.zeros(2), method=BFGS(gtol=1e-10)).x

    a, h = 1.5, 1e-3
    first = (solution(a + h) - solution(a - h)) / (2 * h)
    second = (solution(a + h) - 2 * solution(a) + solution(a - h)) / h**2
    np.testing.assert_allclose(jax.jacfwd(solution)(a), first, rtol=1e-5)
    np.testing.assert_allclose(jax.jacrev(solution)(a), first, rtol=1e-5)
    np.testing.assert_allclose(jax.jacfwd(jax.jacrev(solution))(a), second, rtol=1e-4)
    np.testing.assert_allclose(jax.jacrev(jax.jacrev(solution))(a), second, rtol=1e-4)


def test_derivative_of_the_minimum_is_the_envelope():
    def minimum(a):
        return minimize(lambda x, a: jnp.sum((x - a) ** 2) + a**3, jnp.zeros(2), (a,)).fun

    assert jax.grad(minimum)(2.0) == pytest.approx(12.0)


def test_batch_equals_loop():
    def solve(x0, a):
        return minimize(lambda x: (x[0] - a) ** 2 + 10 * (x[1] - x[0] ** 2) ** 2, x0)

    starts = np.random.default_rng(0).normal(size=(5, 2))
    scales = np.linspace(0.5, 2, 5)
    batch = jax.jit(jax.vmap(solve))(starts, scales)
    for i in range(5):
        one = solve(starts[i], scales[i])
        assert int(one.nfev) == int(batch.nfev[i])
        np.testing.assert_allclose(one.x, batch.x[i], rtol=1e-9)


def test_pytree_start_and_pytree_callable():
    class Quadratic:
        def __init__(self, centre):
            self.centre = centre

        def __call__(self, x):
            return jnp.sum((x["a"] - self.centre) ** 2) + x["b"] ** 2

    jax.tree_util.register_pytree_node(Quadratic, lambda q: ((q.centre,), None), lambda _, c: Quadratic(*c))
    x0 = {"a": jnp.zeros(2), "b": jnp.ones(())}

    def solution(centre):
        return minimize(Quadratic(centre), x0).x["a"]

    np.testing.assert_allclose(solution(jnp.array([1.0, 2.0])), [1, 2], atol=1e-6)
    np.testing.assert_allclose(jax.jacrev(solution)(jnp.array([1.0, 2.0])), np.eye(2), atol=1e-6)


def test_path_and_resumption_repeat_the_whole_run():
    rosenbrock, x0 = objective(PROBLEMS[0]), np.array([-1.2, 1.0])
    whole = minimize(rosenbrock, x0, capacity=50)
    path = whole.path[: int(whole.nit) + 1]
    np.testing.assert_array_equal(path[0], x0)
    np.testing.assert_array_equal(path[-1], whole.x)
    part = minimize(rosenbrock, x0, method=BFGS(pause=7), keep_state=True)
    assert (int(part.status), int(part.nit)) == (-1, 7)
    np.testing.assert_array_equal(part.x, path[7])
    rest = minimize(rosenbrock, x0, state=part.state)
    assert int(rest.nfev) == int(whole.nfev)
    np.testing.assert_array_equal(rest.x, whole.x)


def test_given_gradient():
    x0 = np.array([-1.2, 1.0])
    fun = objective(PROBLEMS[0])
    automatic = minimize(fun, x0)
    given = minimize(fun, x0, jac=jax.grad(fun))
    together = minimize(jax.value_and_grad(fun), x0, jac=True)
    np.testing.assert_allclose(given.x, automatic.x, rtol=1e-8)
    np.testing.assert_allclose(together.x, automatic.x, rtol=1e-8)
    with pytest.raises(ValueError, match="gradient of 2 numbers, got 3"):
        minimize(fun, x0, jac=lambda x: jnp.zeros(3))


def test_bad_functions_are_named():
    with pytest.raises(ValueError, match=r"scalar value, got an array of shape \(2,\)"):
        minimize(lambda x: x, np.ones(2))
    with pytest.raises(TypeError, match="complex"):
        minimize(lambda x: jnp.sum(x) * 1j, np.ones(2))
    with pytest.raises(TypeError, match="complex"):
        minimize(lambda x: jnp.sum(jnp.abs(x)), np.ones(2) * 1j)


def test_single_precision():
    with jax.enable_x64(False):
        result = minimize(objective(PROBLEMS[0]), jnp.array([-1.2, 1.0]), method=BFGS(gtol=1e-3))
        assert result.x.dtype == jnp.float32
        assert bool(result.success)
        np.testing.assert_allclose(result.x, 1, atol=1e-2)


def test_optimistix_solver_as_method():
    import optimistix

    solver = optimistix.BFGS(rtol=1e-9, atol=1e-9)

    def solution(a):
        return minimize(lambda x: jnp.sum((x - a) ** 2 + x**4), jnp.zeros(2), method=solver)

    result = solution(1.0)
    assert bool(result.success)
    np.testing.assert_allclose(result.jac, 0, atol=1e-6)
    slope = jax.jacrev(lambda a: solution(a).x)(1.0)
    np.testing.assert_allclose(slope, 2 / (2 + 12 * result.x**2), rtol=1e-6)


def test_objective_that_only_forward_mode_can_follow():
    def newton_root(x):
        # The square root by Newton's iteration, to convergence.
        step = jax.lax.while_loop(lambda y: jnp.abs(y * y - x) > 1e-14 * x, lambda y: 0.5 * (y + x / y), x)
        return (step - 2) ** 2

    result = minimize(lambda x: newton_root(x[0]) + (x[1] - x[0]) ** 2, jnp.array([3.0, 1.0]))
    assert bool(result.success)
    np.testing.assert_allclose(result.x, [4.0, 4.0], rtol=1e-4)


def test_nan_behind_the_start_is_shown():
    result = minimize(lambda x: jnp.where(x[0] == 0, 0.0, jnp.nan), jnp.zeros(1), jac=lambda x: jnp.ones(1))
    assert np.isnan(result.fun) and not bool(result.success)
