"""`dual_annealing`: SciPy's protocol, its distribution of results, and derivatives."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.optimize

import sci
from sci.optimize import dual_annealing

BOX = [(-5.12, 5.12)] * 2


def rastrigin(x, shift=0.0):
    z = x - shift
    return 10 * z.size + np.sum(z * z - 10 * np.cos(2 * np.pi * z))


pytestmark = pytest.mark.usefixtures("native")


def test_finds_the_global_minimum_and_reports_as_scipy():
    ours = dual_annealing(rastrigin, BOX, (0.3,), maxiter=400, rng=3)
    theirs = scipy.optimize.dual_annealing(rastrigin, BOX, (0.3,), maxiter=5, rng=3)
    assert set(ours) == set(theirs) and ours.message == theirs.message
    np.testing.assert_allclose(ours.x, 0.3, atol=1e-6)
    assert ours.success and ours.status == 0 and ours.nit == 400 and ours.njev > 0
    assert ours.nfev > 400 * 4 and ours.fun == pytest.approx(rastrigin(ours.x, 0.3), abs=1e-12)
    np.testing.assert_array_equal(ours.x, dual_annealing(rastrigin, BOX, (0.3,), maxiter=400, seed=3).x)


@pytest.mark.parametrize("local", [False, True])
def test_same_distribution_as_scipy(local):
    options = {"maxiter": 15, "no_local_search": not local}
    ours = [dual_annealing(rastrigin, BOX, rng=k, **options).fun for k in range(40)]
    theirs = [scipy.optimize.dual_annealing(rastrigin, BOX, rng=k, **options).fun for k in range(40)]
    # Kolmogorov and Smirnov's distance of two samples of 40: 0.44 is exceeded in a tenth of a per cent of cases.
    points = np.sort(np.concatenate([ours, theirs])) + 1e-9
    distance = np.abs(np.mean(np.less.outer(ours, points), 0) - np.mean(np.less.outer(theirs, points), 0)).max()
    assert distance < 0.44


def test_start_is_evaluated_first_and_nothing_else_without_iterations():
    found = dual_annealing(rastrigin, BOX, maxiter=0, x0=[1.0, 2.0], rng=1)
    assert found.nfev == 1 and found.nit == 0 and found.success
    np.testing.assert_array_equal(found.x, [1.0, 2.0])


def test_limit_of_evaluations():
    annealing = dual_annealing(rastrigin, BOX, maxfun=50, no_local_search=True, rng=1)
    assert annealing.nfev == 50 and not annealing.success
    assert annealing.message == ["Maximum number of function call reached during annealing"]
    local = dual_annealing(rastrigin, BOX, maxfun=5, rng=1)
    assert not local.success and local.message[0].endswith(("annealing", "local search"))


def test_restarts_keep_the_best():
    found = dual_annealing(rastrigin, BOX, maxiter=300, restart_temp_ratio=0.02, rng=2)
    assert found.nit == 300 and found.success
    np.testing.assert_allclose(found.x, 0.0, atol=1e-6)


def test_callback_sees_each_new_best_and_stops():
    seen = []

    def callback(x, f, context):
        seen.append((f, context))
        assert f == pytest.approx(rastrigin(x), abs=1e-12)

    whole = dual_annealing(rastrigin, BOX, maxiter=30, rng=4, callback=callback)
    values = [f for f, _ in seen]
    assert values == sorted(values, reverse=True) and values[-1] == whole.fun
    assert {context for _, context in seen} <= {0, 1, 2} and 1 in {context for _, context in seen}
    assert dual_annealing(rastrigin, BOX, maxiter=30, rng=4).fun == whole.fun
    found = dual_annealing(rastrigin, BOX, maxiter=30, rng=4, callback=lambda x, f, c: True)
    assert found.message == ["Callback function requested to stop early by returning True"]
    assert not found.success and found.fun == values[0]


def test_local_search_with_the_users_options():
    found = dual_annealing(
        rastrigin, BOX, (0.3,), maxiter=400, rng=1,
        minimizer_kwargs={"method": "nelder-mead", "options": {"xatol": 1e-9, "fatol": 1e-9}},
    )  # fmt: skip
    np.testing.assert_allclose(found.x, 0.3, atol=1e-6)
    assert found.success and found.njev == 0


def test_function_that_is_never_finite_raises_as_scipy():
    for module in (scipy.optimize, sci.optimize):
        with pytest.raises(ValueError, match="NaN or"):
            module.dual_annealing(lambda x: x[0] * np.nan, BOX, rng=1)


@pytest.mark.parametrize(
    "options",
    [
        {"x0": [1.0]},
        {"bounds": [(0, 1), (2, 1)]},
        {"bounds": [(0, np.inf), (0, 1)]},
        {"bounds": [(0, np.nan), (0, 1)]},
        {"restart_temp_ratio": 1.0},
        {"restart_temp_ratio": 0.0},
    ],
)
def test_bad_input_raises_scipys_exception(options):
    for module in (scipy.optimize, sci.optimize):
        with pytest.raises(ValueError):
            module.dual_annealing(rastrigin, **({"bounds": BOX} | options))


def test_jax_world():
    def solve(shift, key):
        return dual_annealing(rastrigin, BOX, (shift,), maxiter=400, key=key)

    with jax.enable_x64(True):
        keys = jax.random.split(jax.random.key(0), 3)
        found = jax.jit(jax.vmap(solve, (None, 0)))(jnp.float64(0.3), keys)
        slope = jax.jacfwd(lambda s: solve(s, keys[0]).x)(jnp.float64(0.3))
        with pytest.raises(ValueError, match="key="):
            dual_annealing(rastrigin, jnp.asarray(BOX))
        with pytest.raises(NotImplementedError, match="callback"):
            dual_annealing(rastrigin, jnp.asarray(BOX), key=keys[0], callback=print)
    np.testing.assert_allclose(found.x, np.full((3, 2), 0.3), atol=1e-6)
    assert found.success.all()
    np.testing.assert_allclose(slope, 1.0, atol=1e-8)
