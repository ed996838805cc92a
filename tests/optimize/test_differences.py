"""`approx_fprime`, `check_grad`, `line_search`, and the update strategies, against SciPy and exact derivatives."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.optimize
from scipy.optimize._linesearch import LineSearchWarning

import sci
from sci.optimize import approx_fprime, check_grad, line_search

POINT = np.array([1.3, 0.7, -0.8])


def valley(x, scale=100.0):
    return np.sum(scale * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2)


def slope(x, scale=100.0):
    inner = x[1:] - x[:-1] ** 2
    out = np.zeros(3)
    out[:-1] = -4 * scale * x[:-1] * inner - 2 * (1 - x[:-1])
    out[1:] += 2 * scale * inner
    return out


def pair(x):
    return np.array([x[0] * x[1], np.sin(x[2])])


@pytest.mark.parametrize("epsilon", [1e-3, [1e-3, 2e-3, -1e-3], 0.0], ids=str)
@pytest.mark.parametrize("fun", [valley, pair])
def test_differences_are_scipys(native, fun, epsilon):
    ours, theirs = approx_fprime(POINT, fun, epsilon), scipy.optimize.approx_fprime(POINT, fun, epsilon)
    assert ours.shape == theirs.shape
    # A step of zero becomes one of rounding's size.
    np.testing.assert_allclose(ours, theirs, rtol=1e-9 if np.any(epsilon) else 1e-4, atol=1e-9)


def test_differences_of_a_number_with_arguments(native):
    assert approx_fprime(2.0, lambda x, a: a * x[0] ** 2, 1e-6, 3.0) == pytest.approx(12, rel=1e-5)
    with jax.enable_x64(True):
        curvature = jax.jacfwd(lambda x: approx_fprime(x, valley, 1e-4))(POINT)
    np.testing.assert_allclose(curvature, sci.optimize.rosen_hess(POINT), rtol=1e-2, atol=0.5)


def test_check_grad(native):
    assert check_grad(valley, slope, POINT) < 1e-4
    wrong = check_grad(valley, lambda x: slope(x) + 1.0, POINT)
    assert wrong == pytest.approx(3**0.5, rel=1e-4)
    options = {"epsilon": 1e-4, "direction": "random"}
    ours = check_grad(valley, slope, POINT, 50.0, rng=3, **options)
    theirs = scipy.optimize.check_grad(valley, slope, POINT, 50.0, rng=3, **options)
    assert ours == pytest.approx(theirs, rel=1e-6)
    key = jax.random.key(0)
    assert check_grad(valley, slope, jnp.asarray(POINT), epsilon=1e-2, direction="random", key=key) < 100


def test_bad_input_of_differences(native):
    with pytest.raises(ValueError, match="at most 1 dimension"):
        approx_fprime(np.ones((2, 2)), valley)
    with pytest.raises(ValueError, match="epsilon has shape"):
        approx_fprime(POINT, valley, [1e-3, 1e-3])
    with pytest.raises(ValueError, match="not a valid string"):
        check_grad(valley, slope, POINT, direction="some")
    with pytest.raises(ValueError, match="scalar valued"):
        check_grad(pair, lambda x: np.outer(x[:2], x), POINT, direction="random", rng=0)


@pytest.mark.parametrize("length", [1.0, 0.01, 30.0])
@pytest.mark.parametrize("known", [False, True])
def test_line_search_takes_scipys_steps(native, length, known):
    start = np.array([-1.2, 1.0, 0.5])
    direction = -length * slope(start) / np.linalg.norm(slope(start))
    given = (slope(start), valley(start), valley(start) + 3.0) if known else ()
    ours = line_search(valley, slope, start, direction, *given)
    theirs = scipy.optimize.line_search(valley, slope, start, direction, *given)
    assert ours[1:3] == theirs[1:3]
    np.testing.assert_allclose(ours[0], theirs[0], rtol=1e-9)
    np.testing.assert_allclose(ours[3:5], theirs[3:5], rtol=1e-9)
    np.testing.assert_allclose(ours[5], theirs[5], rtol=1e-8)
    # Strong Wolfe, recomputed.
    alpha, first = ours[0], slope(start) @ direction
    assert valley(start + alpha * direction) <= valley(start) + 1e-4 * alpha * first
    assert abs(slope(start + alpha * direction) @ direction) <= -0.9 * first


def test_line_search_that_fails_says_so():
    def down(x):
        return -np.sum(x)

    with pytest.warns(LineSearchWarning, match="did not converge"):
        assert line_search(down, lambda x: -np.ones(2), np.zeros(2), np.ones(2))[5] is None
    with pytest.warns(LineSearchWarning):
        assert line_search(lambda x: np.sum(x**2), lambda x: 2 * x, np.ones(2), np.ones(2))[0] is None
    with pytest.raises(ValueError, match="pk has shape"):
        line_search(valley, slope, POINT, np.ones(2))


def test_line_search_over_a_batch(native):
    with jax.enable_x64(True):
        starts = jnp.asarray(np.random.default_rng(0).normal(size=(4, 3)))
        batch = jax.vmap(lambda x: line_search(valley, slope, x, -slope(np.asarray([0.0, 0, 0])) - x)[0])(starts)
    assert batch.shape == (4,)


def test_update_strategies_are_scipys_and_welcome():
    """Ours takes the exact Hessian in their place; alone they are SciPy's classes."""
    assert sci.optimize.BFGS is scipy.optimize.BFGS and sci.optimize.SR1 is scipy.optimize.SR1
    assert sci.optimize.HessianUpdateStrategy is scipy.optimize.HessianUpdateStrategy
    for strategy in (sci.optimize.BFGS(), sci.optimize.SR1()):
        result = sci.optimize.minimize(valley, POINT, method="trust-constr", hess=strategy)
        assert result.success and np.max(np.abs(slope(result.x))) < 1e-5
