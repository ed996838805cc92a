"""`differential_evolution`: minima, both orders of updating, constraints, integers, SciPy's protocol."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.optimize
from scipy.optimize import Bounds, LinearConstraint, NonlinearConstraint, OptimizeResult

import sci
from sci.optimize import differential_evolution

BOX = [(-5.0, 5.0), (-5.0, 5.0)]


def ackley(x):
    radius = np.sqrt(0.5 * (x[0] ** 2 + x[1] ** 2))
    waves = 0.5 * (np.cos(2 * np.pi * x[0]) + np.cos(2 * np.pi * x[1]))
    return -20 * np.exp(-0.2 * radius) - np.exp(waves) + 20 + np.e


def bowl(x, centre=np.array([1.0, -2.0])):  # noqa: B008
    return np.sum((x - centre) ** 2)


pytestmark = pytest.mark.usefixtures("native")


@pytest.mark.parametrize("options", [{}, {"updating": "deferred"}], ids=["immediate", "deferred"])
def test_finds_the_global_minimum_and_reports_as_scipy(options):
    ours = differential_evolution(ackley, BOX, rng=1, **options)
    theirs = scipy.optimize.differential_evolution(ackley, BOX, rng=1, **options)
    assert set(ours) - {"jac"} == set(theirs) - {"jac"}
    np.testing.assert_allclose(ours.x, 0, atol=1e-5)
    assert ours.success and ours.message == theirs.message
    assert ours.fun == pytest.approx(ackley(ours.x), abs=1e-12)
    assert ours.population.shape == theirs.population.shape
    np.testing.assert_allclose([ackley(p) for p in ours.population[1:]], ours.population_energies[1:], atol=1e-10)
    # the same distribution: the effort is SciPy's within the spread between seeds
    assert 0.4 * theirs.nit < ours.nit < 2.5 * theirs.nit
    # where it ends at the cusp itself, the exact gradient does not exist and SciPy polishes
    assert all("exact gradient" in record.detail for record in sci.fallbacks())
    sci.clear_fallbacks()


def test_is_reproducible_and_depends_on_the_seed():
    first, again, other = (differential_evolution(ackley, BOX, rng=s, maxiter=3, polish=False) for s in (5, 5, 6))
    np.testing.assert_array_equal(first.population, again.population)
    assert not np.array_equal(first.population, other.population)
    seeded = differential_evolution(ackley, BOX, seed=5, maxiter=3, polish=False)
    np.testing.assert_array_equal(first.x, seeded.x)


@pytest.mark.parametrize("strategy", ["rand1exp", "randtobest1bin", "currenttobest1exp", "best2bin", "rand2exp"])
def test_strategies(strategy):
    found = differential_evolution(bowl, BOX, strategy=strategy, updating="deferred", rng=2, polish=False, tol=1e-8)
    np.testing.assert_allclose(found.x, [1.0, -2.0], atol=1e-3)


@pytest.mark.slow
@pytest.mark.parametrize("strategy", [f"{a}{b}" for a in ("best1", "rand1", "randtobest1", "currenttobest1", "best2",
                                                          "rand2") for b in ("bin", "exp")])  # fmt: skip
def test_all_strategies_one_by_one_take_scipys_effort(strategy):
    efforts = [
        np.median([module.differential_evolution(ackley, BOX, strategy=strategy, rng=s, polish=False).nit
                   for s in range(9)])
        for module in (sci.optimize, scipy.optimize)
    ]  # fmt: skip
    assert 0.7 < efforts[0] / efforts[1] < 1.4


@pytest.mark.parametrize("init", ["latinhypercube", "sobol", "halton", "random", np.linspace(-9, 9, 14).reshape(7, 2)])
def test_first_population(init):
    ours, theirs = (
        m.differential_evolution(bowl, BOX, init=init, maxiter=0, polish=False, rng=1, x0=[0.5, 0.5])
        for m in (sci.optimize, scipy.optimize)
    )
    assert ours.population.shape == theirs.population.shape
    assert (np.abs(ours.population) <= 5).all() and not ours.success and ours.nit == 0
    assert ours.nfev == theirs.nfev and ours.message == theirs.message
    assert any(np.allclose(p, 0.5) for p in ours.population)
    if not isinstance(init, str):
        np.testing.assert_allclose(ours.x, theirs.x, atol=1e-14)
    elif init == "latinhypercube":
        cells = np.floor((ours.population + 5) / 10 * len(ours.population)).astype(int)
        assert all(len(set(column)) >= len(cells) - 1 for column in cells.T)  # x0 has taken one member's place


def test_constraints_and_integers():
    # min of x + y over a disc, x whole: x = -2, y = -sqrt(5)
    disc = NonlinearConstraint(lambda x: x[0] ** 2 + x[1] ** 2, -np.inf, 9.0)
    found = differential_evolution(
        lambda x: x[0] + x[1], BOX, constraints=(disc,), integrality=[True, False], rng=4, tol=1e-8
    )
    np.testing.assert_allclose(found.x, [-2.0, -np.sqrt(5)], atol=1e-3)
    assert found.success and found.maxcv == 0 and len(found.constr) == 1
    line = LinearConstraint([[1.0, 1.0]], 1.0, 1.0 + 1e-3)
    both = differential_evolution(bowl, BOX, constraints=(line, Bounds([-5, -1], [5, 5])), rng=4)
    np.testing.assert_allclose(both.x, [2.0, -1.0], atol=2e-2)
    impossible = NonlinearConstraint(lambda x: x[0], 7.0, 8.0)
    with pytest.warns(UserWarning, match="didn't find a solution satisfying"):
        failed = differential_evolution(bowl, BOX, constraints=impossible, rng=4, maxiter=20)
    assert not failed.success and "MAXCV" in failed.message and failed.maxcv >= 2.0


def test_vectorized_is_sent_the_whole_population():
    found = differential_evolution(
        lambda x: np.sum((x - 1.0) ** 2, axis=0), BOX, vectorized=True, updating="deferred", rng=1
    )
    np.testing.assert_allclose(found.x, 1.0, atol=1e-6)
    assert found.success and found.nfev < 200


def test_callbacks_stop():
    seen = []

    def by_result(intermediate_result):
        seen.append(intermediate_result)
        return len(seen) == 3

    found = differential_evolution(ackley, BOX, rng=1, callback=by_result, polish=False)
    assert found.nit == 3 and found.message == "callback function requested stop early" and not found.success
    assert seen[-1].message == "in progress" and {"x", "fun", "convergence", "population"} <= set(seen[0])

    def by_point(x, convergence):
        seen.append(convergence)
        if len(seen) == 7:
            raise StopIteration

    assert differential_evolution(ackley, BOX, rng=1, callback=by_point, polish=False).nit == 4


def test_uninterrupted_and_interrupted_runs_agree(capsys):
    plain = differential_evolution(ackley, BOX, rng=1, maxiter=6, polish=False)
    shown = differential_evolution(ackley, BOX, rng=1, maxiter=6, polish=False, disp=True)
    np.testing.assert_array_equal(plain.population, shown.population)
    assert capsys.readouterr().out.count("differential_evolution step") == 6


def test_values_that_are_not_numbers_are_never_a_success():
    found = differential_evolution(lambda x: x[0] * np.nan, BOX, rng=1, maxiter=5)
    assert not found.success and "not finite" in found.message
    hole = differential_evolution(lambda x: np.where(x[0] > 0, np.nan, np.sum(x**2)), BOX, rng=1)
    assert hole.success and np.isfinite(hole.fun) and hole.fun < 1e-6


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ({"strategy": "best3bin"}, ValueError),
        ({"mutation": 2.5}, ValueError),
        ({"mutation": (-0.1, 0.5)}, ValueError),
        ({"bounds": [(-1.0, np.inf), (0.0, 1.0)]}, ValueError),
        ({"bounds": [(-1.0, 1.0, 2.0)]}, ValueError),
        ({"init": "square"}, ValueError),
        ({"init": np.zeros((3, 2))}, ValueError),
        ({"x0": [9.0, 0.0]}, ValueError),
        ({"integrality": True, "bounds": [(0.1, 0.9), (0.0, 1.0)]}, ValueError),
        ({"constraints": [3]}, ValueError),
        ({"polish": lambda f, x0, **k: 3, "maxiter": 1}, ValueError),
        ({"rng": 1, "seed": 1}, TypeError),
    ],
)
def test_bad_input_raises_scipys_exception(options, error):
    options = {"bounds": BOX} | options
    for module in (scipy.optimize, sci.optimize):
        with pytest.raises(error):
            module.differential_evolution(bowl, **options)
    with pytest.raises(RuntimeError, match="scalar"):
        differential_evolution(lambda x: x, BOX, rng=1)


def test_polish_by_a_function_of_the_users():
    def polish(fun, x0, **kwargs):
        assert set(kwargs) == {"bounds", "constraints"}
        return OptimizeResult(x=np.array([1.0, -2.0]), fun=fun(np.array([1.0, -2.0])), success=True, nfev=1)

    found = differential_evolution(bowl, BOX, rng=1, maxiter=2, polish=polish)
    np.testing.assert_array_equal(found.x, [1.0, -2.0])


@pytest.mark.parametrize("polish", [True, False])
def test_keys_and_derivatives_in_the_jax_world(polish):
    def solve(centre, key):
        found = differential_evolution(
            bowl, [(-5.0, 5.0), (-1.5, 5.0)], (centre,), key=key, maxiter=300, popsize=6, polish=polish, tol=1e-13
        )
        return found.x

    with jax.enable_x64(True):
        centre = jnp.array([1.0, -2.0])  # the second coordinate ends at its bound
        keys = jax.random.split(jax.random.key(3), 2)
        found = jax.vmap(solve, (None, 0))(centre, keys)
        slope = jax.jacrev(solve)(centre, keys[0])
    np.testing.assert_allclose(found, [[1.0, -1.5]] * 2, atol=1e-4)
    np.testing.assert_allclose(slope[0], [1.0, 0.0], atol=1e-6)
    if polish:
        np.testing.assert_allclose(slope, [[1.0, 0.0], [0.0, 0.0]], atol=1e-6)
    with pytest.raises(ValueError, match="key="):
        solve(centre, None)
