"""`sci.optimize.shgo` against SciPy's: the same pools, minima and refusals; both worlds."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.optimize

import sci.optimize
from sci.bridge import fallbacks
from sci.optimize import shgo

BOX = [(-3.0, 2.0), (-2.0, 3.0)]
SAMPLING = [
    {},
    {"n": 32, "sampling_method": "sobol"},
    {"n": 40, "sampling_method": "halton"},
    {"n": 30, "iters": 2},
    {"iters": 3},
]


def wells(x, shift=0.2):
    return np.sum((x**2 - 1.5) ** 2) + shift * x[0] + 0.3 * x[1]


@pytest.mark.usefixtures("native")
@pytest.mark.parametrize("options", SAMPLING)
def test_minima_are_scipys(options):
    ours, theirs = shgo(wells, BOX, **options), scipy.optimize.shgo(wells, BOX, **options)
    assert list(ours) == list(theirs)
    assert ours.success == theirs.success and ours.message == theirs.message and ours.nit == theirs.nit
    np.testing.assert_allclose(ours.funl, theirs.funl, rtol=1e-8, atol=1e-8)
    np.testing.assert_allclose(ours.xl, theirs.xl, atol=1e-5)
    # as many samples; the searches have exact gradients
    assert ours.nfev - ours.nlfev == theirs.nfev - theirs.nlfev and ours.nlfev <= theirs.nlfev


@pytest.mark.usefixtures("native")
@pytest.mark.parametrize("sampling", ["simplicial", "sobol"])
def test_constraints(sampling):
    constraints = [
        {"type": "ineq", "fun": lambda x, r: r - np.sum(x**2), "args": (2.0,)},
        {"type": "eq", "fun": lambda x: x[0] - x[1]},
    ]
    ours, theirs = (m.shgo(wells, BOX, n=64, constraints=constraints, sampling_method=sampling)
                    for m in (sci.optimize, scipy.optimize))  # fmt: skip
    assert ours.success and theirs.success
    np.testing.assert_allclose(ours.fun, theirs.fun, rtol=1e-7, atol=1e-12)
    np.testing.assert_allclose(ours.x, theirs.x, atol=1e-5)
    assert np.sum(ours.x**2) <= 2 + 1e-6 and abs(ours.x[0] - ours.x[1]) <= 1e-6


def test_minimizer_options_and_limits():
    def gradient(x, shift=0.2):
        return 4 * x * (x**2 - 1.5) + np.array([shift, 0.3])

    seen = []
    ours = shgo(wells, BOX, args=(0.1,), n=32, sampling_method="sobol", callback=lambda x: seen.append(x),
                minimizer_kwargs={"method": "L-BFGS-B", "jac": gradient}, options={"local_iter": 1})  # fmt: skip
    assert len(ours.xl) == 1 and seen and ours.nljev > 0
    known = shgo(wells, BOX, n=16, sampling_method="sobol", options={"f_min": -10.0, "maxiter": 3})
    assert known.nit == 3
    with pytest.warns(UserWarning, match="much lower"):
        shgo(wells, BOX, n=16, sampling_method="sobol", options={"f_min": 5.0})
    both = shgo(lambda x: (wells(x), gradient(x)), BOX, n=16, sampling_method="sobol", options={"jac": True})
    np.testing.assert_allclose(both.fun, shgo(wells, BOX, n=16, sampling_method="sobol").fun, rtol=1e-6)


@pytest.mark.parametrize("options", [{}, {"minimize_every_iter": False}, {"infty_constraints": False}, {"minhgrd": 0}])
def test_options(options):
    constraint = {"type": "ineq", "fun": lambda x: x[0] + 2.0}
    ours, theirs = (m.shgo(wells, BOX, n=32, iters=2, constraints=constraint, options=dict(options),
                           sampling_method="sobol") for m in (sci.optimize, scipy.optimize))  # fmt: skip
    np.testing.assert_allclose(ours.fun, theirs.fun, rtol=1e-8)


def test_one_variable_and_a_function_for_samples():
    def wave(x):
        return (x[0] - 30) * np.sin(x[0])

    def even(n, d):
        return (np.arange(n * d).reshape(n, d) + 0.5) / n

    ours, theirs = (m.shgo(wave, [(0, 60)], n=50, sampling_method=even)
                    for m in (sci.optimize, scipy.optimize))  # fmt: skip
    np.testing.assert_allclose(ours.funl, theirs.funl, rtol=1e-7)


def test_infeasible_and_not_a_number_are_no_success():
    never = {"type": "ineq", "fun": lambda x: -1.0 - np.sum(x**2)}
    for sampling in ("simplicial", "sobol"):
        found = shgo(wells, BOX, n=16, constraints=never, sampling_method=sampling, options={"maxev": 20})
        assert not found.success and found.fun is None and "Failed" in found.message and found.tnev >= 20
    assert not shgo(lambda x: x[0] * np.nan, BOX).success


@pytest.mark.parametrize("kwargs", [{"bounds": [(6, 3), (3, 5)]}, {"bounds": [(3, 5, 5), (3, 5)]},
                                    {"sampling_method": "not_sobol"}])  # fmt: skip
def test_bad_input_raises_scipys_exception(kwargs):
    for module in (scipy.optimize, sci.optimize):
        with pytest.raises(ValueError):
            module.shgo(wells, **({"bounds": BOX} | kwargs))


def test_local_methods_that_are_functions_go_to_the_host():
    with pytest.raises(AttributeError):
        shgo(wells, BOX, minimizer_kwargs={"method": print})
    assert fallbacks()[-1].function == "scipy.optimize.shgo"


@pytest.mark.parametrize("options", [{}, {"n": 32, "sampling_method": "sobol"}])
def test_jax_world(options):
    reference = scipy.optimize.shgo(wells, BOX, args=(0.5,), **options)

    def solve(shift):
        return shgo(wells, BOX, args=(shift,), size=8, **options)

    with jax.enable_x64(True):
        found = jax.jit(jax.vmap(solve))(jnp.array([0.5, -0.5]))
        slope = jax.grad(lambda s: solve(s).fun)(jnp.float64(0.5))
        moved = jax.jacfwd(lambda s: solve(s).x)(jnp.float64(0.5))
        half = jnp.float64(0.5)
        closed = shgo(lambda x: wells(x, half), BOX, size=8, **options)
        with pytest.raises(NotImplementedError, match="callback"):
            shgo(wells, BOX, (jnp.float64(0.5),), callback=print)
        with pytest.raises(NotImplementedError, match="concrete"):
            shgo(wells, jnp.asarray(BOX))
    np.testing.assert_allclose(found.x[0], reference.x, atol=1e-6)
    np.testing.assert_allclose(closed.fun, reference.fun, rtol=1e-9)
    count = len(reference.funl)
    np.testing.assert_allclose(found.funl[0][:count], reference.funl, atol=1e-8)
    assert found.success.all() and not np.isfinite(found.funl[0][count:]).any()
    np.testing.assert_allclose(slope, found.x[0][0], atol=1e-8)  # the envelope theorem
    np.testing.assert_allclose(moved, [-1 / (12 * float(found.x[0][0]) ** 2 - 6), 0.0], atol=1e-6)


def test_jax_world_with_constraints():
    constraint = {"type": "ineq", "fun": lambda x: 2.0 - np.sum(x**2)}
    reference = scipy.optimize.shgo(wells, BOX, args=(0.5,), n=32, sampling_method="sobol", constraints=constraint)
    with jax.enable_x64(True):
        found = shgo(wells, BOX, (jnp.float64(0.5),), n=32, sampling_method="sobol", constraints=constraint)
    assert bool(found.success)
    np.testing.assert_allclose(found.fun, reference.fun, rtol=1e-6)
