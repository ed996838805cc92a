"""Scalar minimisers: SciPy's iterates and counters, failures as status, derivatives inside and at a bound."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.optimize

from solvers.scalar import (
    BoundedMinimum,
    BracketMinimum,
    BrentMinimum,
    ChandrupatlaMinimum,
    GoldenMinimum,
    find_minimum,
    search_bracket,
)

PROBLEMS = {
    "quartic": lambda x, lib: (x - 2) * x * (x + 2) ** 2,
    "cosh": lambda x, lib: lib.cosh(x - 3) + 0.1 * x,
    "decay": lambda x, lib: lib.exp(-x) + x * 0.01,
    "sine": lambda x, lib: lib.sin(x),
    "far": lambda x, lib: (x - 1e4) ** 2,
}
METHODS = {"brent": BrentMinimum(), "golden": GoldenMinimum(), "bounded": BoundedMinimum()}


@pytest.fixture(autouse=True)
def double():
    with jax.enable_x64(True):
        yield


@pytest.mark.parametrize("name", METHODS)
@pytest.mark.parametrize("problem", PROBLEMS)
def test_follows_scipy(name, problem):
    fun = PROBLEMS[problem]
    bounded = name == "bounded"
    options = {"bounds": (-3, 4.0)} if bounded else {}
    theirs = scipy.optimize.minimize_scalar(lambda x: fun(x, np), method=name, **options)
    start, search = ((-3.0, 4.0), None) if bounded else ((0.0, 1.0), BracketMinimum())
    ours = find_minimum(lambda x: fun(x, jnp), start, method=METHODS[name], search=search)
    np.testing.assert_allclose(ours.x, theirs.x, rtol=1e-9, atol=1e-9)
    assert int(ours.nfev) == theirs.nfev
    assert bool(ours.success) == theirs.success
    if not bounded:
        assert int(ours.nit) == theirs.nit


@pytest.mark.parametrize("problem", PROBLEMS)
def test_bracket_follows_scipy(problem):
    fun = PROBLEMS[problem]
    theirs = scipy.optimize.bracket(lambda x: fun(x, np))
    ours = search_bracket(lambda x: fun(x, jnp), (0.0, 1.0))
    np.testing.assert_allclose([ours.xa, ours.xb, ours.xc, ours.fa, ours.fb, ours.fc], theirs[:6], rtol=1e-12)
    assert int(ours.nfev) == theirs[6]


@pytest.mark.parametrize("method", [BrentMinimum(), GoldenMinimum(), ChandrupatlaMinimum()])
def test_no_false_success(method):
    assert not bool(find_minimum(lambda x: x, (-1.0, 0.0, 1.0), method=method).success)
    assert not bool(find_minimum(lambda x: x * jnp.nan, (-1.0, 0.0, 1.0), method=method).success)
    stopped = find_minimum(lambda x: (x - 0.3) ** 2, (-1.0, 0.2, 1.0), method=type(method)(maxiter=2))
    # two iterations of interpolation can find a parabola's minimum, two golden sections cannot
    assert isinstance(method, ChandrupatlaMinimum) or int(stopped.status) == -2


def test_unbounded_below_has_no_bracket():
    result = find_minimum(lambda x: -x, (0.0, 1.0), search=BracketMinimum())
    assert int(result.status) in (-5, -6) and not bool(result.success)


@pytest.mark.parametrize("method", [BrentMinimum(1e-12), ChandrupatlaMinimum()])
def test_derivatives(method):
    def lowest(a):
        return find_minimum(lambda x: jnp.exp(x) - a * x, (-3.0, 0.5, 3.0), method=method).x

    np.testing.assert_allclose(lowest(2.0), np.log(2), rtol=1e-6)
    np.testing.assert_allclose(jax.grad(lowest)(2.0), 0.5, rtol=1e-6)
    np.testing.assert_allclose(jax.jacfwd(jax.grad(lowest))(2.0), -0.25, rtol=1e-5)


def test_derivative_of_a_minimum_at_a_bound():
    def lowest(a, bound):
        return find_minimum(lambda x: (x - a) ** 2, (-1.0, bound), method=BoundedMinimum()).x

    assert jax.grad(lowest, (0, 1))(3.0, 1.0) == (0.0, 1.0)
    np.testing.assert_allclose(jax.grad(lowest, (0, 1))(0.3, 1.0), (1.0, 0.0), atol=1e-9)


def test_batch_equals_loop():
    def lowest(a):
        return find_minimum(lambda x: jnp.cosh(x - a), (0.0, 1.0), search=BracketMinimum())

    batch, one_by_one = jax.jit(jax.vmap(lowest))(jnp.array([-2.0, 0.3, 40.0])), jax.jit(lowest)
    for i, a in enumerate([-2.0, 0.3, 40.0]):
        one = one_by_one(a)
        np.testing.assert_allclose(one.x, batch.x[i], rtol=1e-9)
        assert int(one.nfev) == int(batch.nfev[i])
