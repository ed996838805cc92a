"""Scalar root finders: SciPy's iterates and counters, failures as status, derivatives, batches."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.optimize

from solvers.scalar import TOMS748, Bisect, Brent, Chandrupatla, Newton, NewtonArray, Ridder, Secant, find_root

PROBLEMS = {
    "cosine": (lambda x, lib: lib.cos(x), 0.0, 2.0),
    "cubic": (lambda x, lib: x**3 - x - 2, 1.0, 2.0),
    "exponential": (lambda x, lib: x * lib.exp(-x) - 0.1, 0.0, 1.0),
    "steep": (lambda x, lib: lib.exp(20 * x) - 1e6, -1.0, 5.0),
    "flat": (lambda x, lib: (x - 1) ** 3, -3.0, 2.5),
    "small": (lambda x, lib: lib.arctan(x - 7) * 1e-5, -1e3, 2e4),
    "linear": (lambda x, lib: x - 1, 0.0, 2.0),
}
METHODS = {
    "brentq": Brent(),
    "brenth": Brent(hyperbolic=True),
    "bisect": Bisect(),
    "ridder": Ridder(),
    "toms748": TOMS748(),
}


@pytest.fixture(autouse=True)
def double():
    with jax.enable_x64(True):
        yield


@pytest.mark.parametrize("name", METHODS)
@pytest.mark.parametrize("problem", PROBLEMS)
def test_follows_scipy(name, problem):
    fun, a, b = PROBLEMS[problem]
    ours = find_root(lambda x: fun(x, jnp), (a, b), method=METHODS[name])
    _, theirs = getattr(scipy.optimize, name)(lambda x: fun(x, np), a, b, full_output=True, disp=False)
    assert bool(ours.success) == theirs.converged
    np.testing.assert_allclose(ours.x, theirs.root, rtol=1e-11, atol=1e-11)
    # rounding may decide a step of Algorithm 748's guards; SciPy 1.18's `ridder` looks at the middle first
    slack = {"toms748": 2, "ridder": 1}.get(name, 0)
    assert abs(int(ours.nfev) - theirs.function_calls) <= slack
    assert abs(int(ours.nit) - theirs.iterations) <= slack


@pytest.mark.parametrize("method", [*METHODS.values(), Chandrupatla()], ids=[*METHODS, "chandrupatla"])
def test_no_false_success(method):
    for fun in (lambda x: x**2 + 1, lambda x: x * jnp.nan, lambda x: jnp.where(x > 0.6, jnp.nan, x - 0.6)):
        assert not bool(find_root(fun, (0.0, 1.0), method=method).success)
    assert int(find_root(lambda x: x**2 + 1, (0.0, 1.0), method=method).status) == -1


@pytest.mark.parametrize("method", [Newton(), Secant()], ids=["newton", "secant"])
def test_open_methods_report_failure(method):
    def fun(f, slope):
        return (lambda x: (f(x), slope(x))) if isinstance(method, Newton) else f

    start = (0.7,) if isinstance(method, Newton) else (0.7, 0.8)
    assert not bool(find_root(fun(lambda x: x**2 + 1, lambda x: 2 * x), start, method=method).success)
    assert not bool(find_root(fun(lambda x: x * jnp.nan, lambda x: x * jnp.nan), start, method=method).success)
    flat = find_root(fun(lambda x: 1 + 0 * x, lambda x: 0 * x), start, method=method)
    assert int(flat.status) == -4


@pytest.mark.parametrize("method", [*METHODS.values(), Chandrupatla()], ids=[*METHODS, "chandrupatla"])
def test_derivatives_of_first_and_second_order(method):
    def cube_root(a):
        return find_root(lambda x: x**3 - a, (0.0, 4.0), method=method).x

    a = 8.0
    np.testing.assert_allclose(jax.grad(cube_root)(a), 1 / 12, rtol=1e-9)
    np.testing.assert_allclose(jax.jacfwd(jax.grad(cube_root))(a), -2 / 9 * a ** (-5 / 3), rtol=1e-9)


@pytest.mark.parametrize("method", [*METHODS.values(), Chandrupatla()], ids=[*METHODS, "chandrupatla"])
def test_batch_and_array_equal_the_loop(method):
    scales = jnp.linspace(0.3, 3.0, 4)

    def solve(a):
        return find_root(lambda x: jnp.cos(x) - a * x, (0.0, 2.0), method=method)

    batch = jax.jit(jax.vmap(solve))(scales)
    ends = jnp.zeros(4), jnp.full(4, 2.0)
    array = find_root(lambda x: jnp.cos(x) - scales * x, ends, method=method)
    one_by_one = jax.jit(solve)
    for i, a in enumerate(scales):
        one = one_by_one(a)
        for many in (batch, array):
            np.testing.assert_allclose(many.x[i], one.x, rtol=1e-12)
            assert int(many.nfev[i]) == int(one.nfev)


def test_halley_converges_in_fewer_steps_than_newton():
    def pair(x):
        return jnp.exp(x) - 5, jnp.exp(x)

    newton = find_root(pair, (3.0,), method=Newton())
    halley = find_root(lambda x: (*pair(x), jnp.exp(x)), (3.0,), method=Newton())
    assert int(halley.nit) < int(newton.nit)
    np.testing.assert_allclose([newton.x, halley.x], np.log(5), rtol=1e-12)


def test_arrays_iterate_until_the_last_element():
    start = jnp.array([1.5, 40.0])
    result = find_root(lambda x: (x**2 - 2, 2 * x), (start,), method=NewtonArray())
    np.testing.assert_allclose(result.x, 2**0.5, rtol=1e-12)
    assert int(result.nit[0]) == int(result.nit[1])


def test_single_precision():
    with jax.enable_x64(False):
        result = find_root(lambda x: jnp.cos(x) - x, (jnp.float32(0), jnp.float32(1)), method=Brent(1e-6, 1e-6))
        assert result.x.dtype == jnp.float32 and bool(result.success)
        np.testing.assert_allclose(result.x, 0.7390851, rtol=1e-6)


def test_bad_functions_are_named():
    with pytest.raises(ValueError, match=r"the shape of its argument, \(\); it returns shape \(2,\)"):
        find_root(lambda x: jnp.stack([x, x]), (0.0, 1.0))
    with pytest.raises(TypeError, match="real numbers, got dtype complex"):
        find_root(lambda x: x * 1j, (0.0, 1.0))
