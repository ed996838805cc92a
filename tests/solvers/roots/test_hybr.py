"""Powell's hybrid method: MINPACK's roots, codes and counters, derivatives of the root."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.optimize

from solvers.roots import Hybr, root
from tests.problems.optimize import PROBLEMS

SQUARE = [p for p in PROBLEMS if p.square]


@pytest.fixture(autouse=True)
def double():
    with jax.enable_x64(True):
        yield


@pytest.mark.parametrize("problem", SQUARE, ids=lambda p: p.name)
def test_follows_minpack(problem):
    x0 = np.array(problem.x0)
    jac = jax.jit(jax.jacfwd(lambda x: problem.residuals(x, jnp)))
    ours = root(lambda x: problem.residuals(x, jnp), x0)
    theirs = scipy.optimize.root(lambda x: problem.residuals(x, np), x0, jac=lambda x: np.asarray(jac(x)))
    residual = np.max(np.abs(problem.residuals(np.asarray(ours.x), np)))
    assert bool(ours.success) == theirs.success
    # At a singular root (or none) rounding decides which of the codes of slow progress comes first.
    if theirs.success:
        assert int(ours.nfev) <= 1.1 * theirs.nfev + 2
        assert int(ours.njev) <= theirs.njev + 1
        assert residual < 1e-6
        np.testing.assert_allclose(ours.x, theirs.x, rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize(
    "fun",
    [
        lambda x: x**2 + 1,
        lambda x: jnp.exp(-(x**2)) + 0.1,
        lambda x: x * jnp.nan,
        lambda x: jnp.stack([x[0] + x[1], x[0] + x[1] + 1]),
    ],
    ids=["no_root", "flat", "nan", "singular"],
)
def test_no_false_success(fun):
    assert not bool(root(fun, np.array([0.7, -0.4])).success)


def test_singular_jacobian_at_the_start():
    result = root(lambda x: jnp.stack([x[0] ** 2 + x[1] - 2, x[0] - x[1]]), np.array([-0.5, -0.5]))
    assert bool(result.success)
    assert np.max(np.abs(result.fun)) < 1e-8


def test_derivatives_of_first_and_second_order():
    def solution(a):
        return root(lambda x: jnp.stack([x[0] ** 2 - a, x[0] * x[1] - a**2]), jnp.ones(2)).x

    a = 3.0
    np.testing.assert_allclose(solution(a), [a**0.5, a**1.5], rtol=1e-8)
    np.testing.assert_allclose(jax.jacrev(solution)(a), [0.5 * a**-0.5, 1.5 * a**0.5], rtol=1e-7)
    second = [-0.25 * a**-1.5, 0.75 * a**-0.5]
    np.testing.assert_allclose(jax.jacfwd(jax.jacrev(solution))(a), second, rtol=1e-7)


def test_batch_equals_loop():
    def solve(x0, a):
        return root(lambda x: jnp.cos(x) - a * x, x0)

    starts = np.random.default_rng(0).normal(size=(4, 3))
    scales = np.linspace(0.5, 2, 4)
    batch = jax.jit(jax.vmap(solve))(starts, scales)
    for i in range(4):
        one = solve(starts[i], scales[i])
        np.testing.assert_allclose(one.x, batch.x[i], rtol=1e-10)
        assert int(one.nfev) == int(batch.nfev[i])


def test_options():
    problem = SQUARE[0]
    x0 = np.array(problem.x0)
    stopped = root(lambda x: problem.residuals(x, jnp), x0, method=Hybr(maxfev=5))
    assert (int(stopped.status), int(stopped.nfev)) == (2, 5)
    scaled = root(lambda x: problem.residuals(x, jnp), x0, method=Hybr(diag=np.array([1.0, 5.0]), factor=1.0))
    assert bool(scaled.success)


def test_bad_functions_are_named():
    with pytest.raises(ValueError, match=r"as many numbers as x has \(2\), got 3"):
        root(lambda x: jnp.ones(3) * x[0], np.ones(2))
    with pytest.raises(ValueError, match=r"jac must return an array of shape \(2, 2\), got \(2,\)"):
        root(lambda x: x, np.ones(2), jac=lambda x: x)


def test_single_precision():
    with jax.enable_x64(False):
        result = root(lambda x: jnp.cos(x) - x, jnp.ones(2), method=Hybr(xtol=1e-4))
        assert result.x.dtype == jnp.float32
        assert bool(result.success)
        np.testing.assert_allclose(result.x, 0.7390851, rtol=1e-4)


def test_optimistix_solver_as_method():
    import optimistix

    result = root(lambda x: jnp.cos(x) - x, jnp.ones(2), method=optimistix.Newton(rtol=1e-10, atol=1e-10))
    assert bool(result.success)
    np.testing.assert_allclose(result.x, 0.7390851332151607, rtol=1e-9)


def test_wrong_singular_jacobian_costs_what_it_costs_minpack():
    def network(x):
        return np.hstack((0.5 * x[1:] ** 2 - 0.5 * x[0] ** 2, x.sum() - 4.0))

    def rank_one(x):
        return np.vstack([np.zeros((3, 4)), np.ones((1, 4))])

    x0 = np.array([2.0, 0.0, 2.0, 0.0])
    theirs = scipy.optimize.root(network, x0, jac=rank_one)
    ours = root(
        lambda x: jnp.hstack((0.5 * x[1:] ** 2 - 0.5 * x[0] ** 2, x.sum() - 4.0)), x0, jac=lambda x: rank_one(x)
    )
    assert bool(ours.success) and np.max(np.abs(ours.fun)) < 1e-8
    assert int(ours.njev) == theirs.njev and int(ours.nfev) <= theirs.nfev + 5


def test_counters_and_model_are_minpacks_on_regular_problems():
    def circle(x, lib):
        return lib.stack([x[0] ** 2 + x[1] ** 2 - 4, x[0] - x[1] ** 3])

    slope = jax.jacfwd(lambda x: circle(x, jnp))
    theirs = scipy.optimize.root(lambda x: circle(x, np), [1.0, 0.5], jac=lambda x: np.asarray(slope(x)))
    ours = root(lambda x: circle(x, jnp), np.array([1.0, 0.5]))
    # SciPy's count includes the two calls before the iteration that look at the shape.
    assert (int(ours.nfev) + 2, int(ours.njev)) == (theirs.nfev, theirs.njev)
    np.testing.assert_allclose(ours.model[:, 2:-1], theirs.fjac, atol=1e-6)
    np.testing.assert_allclose(ours.model[:, :2][np.triu_indices(2)], theirs.r, rtol=1e-6, atol=1e-6)
