"""TNC on the catalogue: nothing missed that SciPy finds, certificates recomputed, evaluations within SciPy's."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.optimize

from solvers.minimize import TNC, NelderMead, Powell, minimize
from tests.problems.optimize import PROBLEMS

QUICK = {"helical_valley", "brown_dennis"}


@pytest.fixture(autouse=True)
def double():
    with jax.enable_x64(True):
        yield


def objective(problem):
    return lambda x: jnp.sum(problem.residuals(x, jnp) ** 2)


def catalogue():
    for problem in PROBLEMS:
        yield pytest.param(problem, marks=() if problem.name in QUICK else pytest.mark.slow, id=problem.name)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("problem", list(catalogue()))
def test_catalogue(problem):
    x0 = np.array(problem.x0)
    ours = minimize(objective(problem), x0, method=TNC())
    gradient = jax.jit(jax.grad(objective(problem)))
    theirs = scipy.optimize.minimize(
        lambda x: np.sum(problem.residuals(x, np) ** 2), x0, jac=lambda x: np.asarray(gradient(x)), method="TNC"
    )
    assert bool(ours.success) or not theirs.success
    assert int(ours.nfev) <= 1.5 * theirs.nfev + 3
    if bool(ours.success):
        assert np.max(np.abs(gradient(ours.x))) <= 1e-4 * (1 + abs(float(ours.fun)))
        assert min(abs(float(ours.fun) - f) / (1 + abs(f)) for f in problem.minima) < 1e-4


def test_active_bounds_and_their_release():
    """The start is on a bound that the solution leaves; another one holds there."""
    bounds = (np.array([0.0, -1.0, 0.0]), np.array([2.0, 1.0, np.inf]))
    found = minimize(
        lambda x: (x[0] - 1) ** 2 + (x[1] - 3) ** 2 + (x[2] + 1) ** 2 + x[0] * x[1],
        np.array([0.0, -1.0, 5.0]), method=TNC(), bounds=bounds,
    )  # fmt: skip
    assert bool(found.success)
    np.testing.assert_allclose(found.x, [0.5, 1.0, 0.0], atol=1e-6)


@pytest.mark.parametrize("method", [TNC(), NelderMead(), Powell()], ids=lambda m: type(m).__name__)
def test_batch_equals_loop(method):
    def solve(x0):
        found = minimize(lambda x: (x[0] - 1) ** 2 + (x[1] - x[0] ** 2) ** 2, x0, method=method)
        return found.x, found.nfev, found.status

    starts = np.random.default_rng(0).normal(size=(3, 2))
    batch = jax.jit(jax.vmap(solve))(starts)
    for i in range(3):
        x, nfev, status = solve(starts[i])
        assert (int(nfev), int(status)) == (int(batch[1][i]), int(batch[2][i]))
        np.testing.assert_allclose(x, batch[0][i], rtol=1e-7)
