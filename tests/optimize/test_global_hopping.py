"""`basinhopping`: SciPy's protocol in the NumPy world, one compiled loop in the JAX world."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.optimize

import sci
from sci.optimize import basinhopping


def waves(x, a=0.2):
    return np.cos(14.5 * x[0] - 0.3) + (x[1] + a) * x[1] + (x[0] + a) * x[0]


pytestmark = pytest.mark.usefixtures("native")


def test_finds_the_global_minimum_and_reports_as_scipy():
    ours = basinhopping(waves, [1.0, 1.0], niter=40, rng=3)
    theirs = scipy.optimize.basinhopping(waves, [1.0, 1.0], niter=2, rng=3)
    assert set(ours) == set(theirs) and set(ours.lowest_optimization_result) == set(theirs.lowest_optimization_result)
    np.testing.assert_allclose(ours.x, [-0.195067, -0.1], atol=1e-5)
    assert ours.success and ours.nit == 40 and ours.fun == pytest.approx(waves(ours.x), abs=1e-12)
    assert ours.message == theirs.message
    again = basinhopping(waves, [1.0, 1.0], niter=40, seed=3)
    np.testing.assert_array_equal(ours.x, again.x)


def test_hooks_are_called_in_scipys_protocol():
    steps, seen = [], []

    class Step:
        stepsize = 0.5

        def __call__(self, x):
            steps.append(self.stepsize)
            return x + 0.3

    def test(f_new, x_new, f_old, x_old):
        return "force accept" if len(steps) % 2 else False

    def callback(x, f, accepted):
        seen.append(accepted)
        return len(seen) == 6 or None

    found = basinhopping(
        waves, [0.0, 0.0], niter=20, take_step=Step(), accept_test=test, callback=callback, interval=2, rng=1,
        minimizer_kwargs={"method": "L-BFGS-B", "bounds": [(-3, 3), (-3, 3)], "args": (0.3,)},
    )  # fmt: skip
    assert seen == [True, True, False, True, False, True]
    assert steps[0] == 0.5 and steps[1] != 0.5
    assert found.nit == 5 and "stop early" in found.message[0]


def test_stops_without_progress_and_counts_failures():
    # From a minimum whose value no rounding error undercuts.
    found = basinhopping(lambda x: np.sum(x**2), [0.0, 0.0], niter=50, niter_success=3, rng=1, stepsize=1e-3)
    assert found.message == ["success condition satisfied"] and found.nit == 4
    failed = basinhopping(lambda x: x[0] * np.nan, [1.0], niter=2, rng=1)
    assert not failed.success and failed.minimization_failures == 3


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ({"target_accept_rate": 1.5}, ValueError),
        ({"stepwise_factor": 0.0}, ValueError),
        ({"take_step": 3}, TypeError),
        ({"accept_test": 3}, TypeError),
        ({"accept_test": lambda **k: None, "niter": 1}, ValueError),
        ({"rng": 1, "seed": 1}, TypeError),
    ],
)
def test_bad_input_raises_scipys_exception(options, error):
    for module in (scipy.optimize, sci.optimize):
        with pytest.raises(error):
            module.basinhopping(waves, [1.0, 1.0], **options)


def test_jax_world():
    def solve(a, x0, key):
        return basinhopping(waves, x0, niter=40, key=key, minimizer_kwargs={"args": (a,), "tol": 1e-8}).x

    with jax.enable_x64(True):
        a, key = jnp.float64(0.2), jax.random.key(2)
        starts = jnp.array([[1.0, 1.0], [0.5, -1.0]])
        found = jax.vmap(lambda s: solve(a, s, key))(starts)
        slope = jax.jacrev(lambda a: solve(a, starts[0], key))(a)
    np.testing.assert_allclose(found, [[-0.195067, -0.1]] * 2, atol=1e-5)
    np.testing.assert_allclose(slope[1], -0.5, atol=1e-6)
