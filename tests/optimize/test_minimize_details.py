"""`minimize`: details of the constrained methods in which SciPy's own tests, or users, would see a difference."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.optimize
from scipy.optimize import Bounds, HessianUpdateStrategy, LinearConstraint, NonlinearConstraint, rosen, rosen_der
from scipy.optimize import rosen_hess as exact_hess
from scipy.sparse import csr_array

import sci.optimize
from sci.optimize import minimize
from solvers.minimize.linear_step import linear_step
from solvers.minimize.quadratic import eliminate_with_pivots


def steep(x):
    return x[0] ** 2 + abs(x[1]) ** 3


def test_cobyla_moves_along_an_equality_to_its_minimum():
    solution = [(4 - np.sqrt(7)) / 3, (np.sqrt(7) - 1) / 3]
    found = minimize(steep, [4.95, 0.66], method="cobyla", constraints=LinearConstraint([1.0, 1.0], 1.0, 1.0),
                     options={"tol": 1e-6})  # fmt: skip
    assert found.success and found.maxcv < 1e-12
    np.testing.assert_allclose(found.x, solution, atol=1e-5)


def test_cobyla_follows_a_curved_equality():
    circle = {"type": "eq", "fun": lambda x: x[0] ** 2 + x[1] ** 2 - 25}
    found = minimize(steep, [4.95, 0.66], method="cobyla", constraints=circle, options={"tol": 1e-5})
    assert found.success
    np.testing.assert_allclose(found.x, [np.sqrt(25 - 4 / 9), 2 / 3], atol=5e-5)


@pytest.mark.parametrize("tilt", [1.0, 1e-2, 1e-4])
def test_linear_step_along_an_equality_under_a_steep_normal(tilt):
    """The slope along the equality is `tilt` of the one across, at which no step may go."""
    normal, along, radius = np.array([0.6, 0.8]), np.array([-0.8, 0.6]), 1e-5
    rows = np.stack([normal, -normal])
    with jax.enable_x64(True):
        step, multipliers = linear_step(normal + tilt * along, jnp.asarray(rows), jnp.zeros(2), radius)
    np.testing.assert_allclose(step, -radius * along, atol=1e-6 * radius)
    np.testing.assert_allclose(multipliers[0] - multipliers[1], 1.0, atol=1e-6)


def test_linear_step_is_the_shortest_of_those_that_are_as_good():
    """A wall that stops the objective: any point of it within the ball is optimal."""
    with jax.enable_x64(True):
        step, _ = linear_step(jnp.array([3.0, -4.0]), jnp.array([[3.0, -4.0]]), jnp.array([-2.5]), 1.0)
    np.testing.assert_allclose(step, [-0.3, 0.4], atol=1e-5)


def test_elimination_with_pivots():
    matrix = np.array([[0.0, 2.0, 1.0], [1e-20, 1.0, 0.0], [1.0, 0.0, 3.0]])
    with jax.enable_x64(True):
        x = eliminate_with_pivots(jnp.asarray(matrix), jnp.array([1.0, 2.0, 3.0]))
    np.testing.assert_allclose(matrix @ np.asarray(x), [1.0, 2.0, 3.0], rtol=1e-14)


def test_tnc_at_the_minimum_is_a_success_and_hides_the_slope_of_fixed_variables():
    bounds = Bounds([0, 2.0, 0.0], [10.0, 2.0, 10.0])
    ours, theirs = (m.minimize(rosen, [1.0, 2.0, 3.0], jac=rosen_der, bounds=bounds, method="TNC")
                    for m in (sci.optimize, scipy.optimize))  # fmt: skip
    assert ours.success and theirs.success
    np.testing.assert_allclose(ours.x, theirs.x, rtol=1e-6)
    np.testing.assert_array_equal(np.isnan(ours.jac), [False, True, False])


def test_tnc_with_a_wrong_gradient_is_no_success():
    found = minimize(lambda x: np.sum((x - 1) ** 2), np.zeros(2), jac=lambda x: -2 * (x - 1), method="TNC")
    assert not found.success and found.status == 4


def test_cobyqa_raises_scipys_class_for_a_vector():
    with pytest.raises(TypeError):
        minimize(lambda x: np.array([x[0], x[1]]), [1.0, 2.0], method="cobyqa")


@pytest.mark.usefixtures("native")
def test_sparse_hessian_runs_natively_under_trust_constr():
    sparse, dense = (minimize(rosen, [2.0, 2.0], method="trust-constr", jac=rosen_der, hess=h)
                     for h in (lambda x: csr_array(exact_hess(x)), exact_hess))  # fmt: skip
    assert sparse.success and (sparse.nfev, sparse.nhev) == (dense.nfev, dense.nhev)
    np.testing.assert_allclose(sparse.x, dense.x, rtol=1e-12)


class Identity(HessianUpdateStrategy):
    """A user's strategy."""

    def initialize(self, n, approx_type):
        self.matrix = np.eye(n)

    def update(self, delta_x, delta_grad):
        pass

    def dot(self, p):
        return self.matrix @ p


@pytest.mark.parametrize("strategy", [sci.optimize.BFGS, sci.optimize.SR1, Identity])
@pytest.mark.parametrize("world", ["numpy", "jax"])
def test_trust_constr_takes_update_strategies(strategy, world):
    def objective(x):
        return 100 * (x[1] - x[0] ** 2) ** 2 + (1 - x[0]) ** 2

    with jax.enable_x64(True):
        start = np.array([0.5, 0.2]) if world == "numpy" else jnp.array([0.5, 0.2])
        found = minimize(
            objective,
            start,
            method="trust-constr",
            hess=strategy(),
            bounds=sci.optimize.Bounds([-1, -1], [3, 3]),
            constraints=[
                sci.optimize.LinearConstraint([[1.0, 1.0]], 1.0, 1.0),
                sci.optimize.NonlinearConstraint(lambda x: x[0] ** 2 + x[1] ** 2, -np.inf, 2.0, hess=strategy()),
            ],
        )
        reference = scipy.optimize.minimize(
            rosen, [0.5, 0.2], jac=rosen_der, hess=exact_hess, method="trust-constr",
            constraints=LinearConstraint([[1.0, 1.0]], 1.0, 1.0), options={"gtol": 1e-10},
        )  # fmt: skip
    assert bool(found.success)
    np.testing.assert_allclose(found.x, reference.x, atol=1e-6)


def test_constraint_classes_are_scipys():
    assert sci.optimize.NonlinearConstraint is NonlinearConstraint and sci.optimize.Bounds is Bounds
    assert sci.optimize.HessianUpdateStrategy is HessianUpdateStrategy
    assert issubclass(sci.optimize.BFGS, HessianUpdateStrategy)


def test_show_options_is_scipys(capsys):
    text = sci.optimize.show_options("minimize", "trust-constr", disp=False)
    assert text == scipy.optimize.show_options("minimize", "trust-constr", disp=False) and "barrier_tol" in text
