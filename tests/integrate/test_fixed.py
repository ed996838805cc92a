"""Rules of fixed order: exact polynomials, SciPy, derivatives."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.integrate

from sci.integrate import fixed_quad, newton_cotes


@pytest.mark.parametrize("n", [1, 4, 9])
def test_fixed_quad_is_exact_for_polynomials(n):
    degree = 2 * n - 1
    value, nothing = fixed_quad(lambda x: x**degree, 1.0, 2.0, n=n)
    assert nothing is None
    np.testing.assert_allclose(value, (2.0**degree * 2 - 1) / (degree + 1), rtol=1e-13)


def test_fixed_quad_of_several_functions():
    f = lambda x, k: np.array([np.exp(-k * x), x**2, np.sin(x)])
    np.testing.assert_allclose(
        fixed_quad(f, 0, 1.5, args=(0.3,))[0], scipy.integrate.fixed_quad(f, 0, 1.5, args=(0.3,))[0], rtol=1e-14
    )


def test_fixed_quad_bad_input():
    for f in (fixed_quad, scipy.integrate.fixed_quad):
        with pytest.raises(ValueError):
            f(np.exp, 0, np.inf)
        with pytest.raises(ValueError):
            f(np.exp, 0, 1, n=0)


def test_fixed_quad_gradient():
    with jax.enable_x64(True):
        f = lambda a, b, k: fixed_quad(lambda x, k: jnp.exp(k * x), a, b, args=(k,), n=12)[0]
        gradient = jax.grad(f, (0, 1, 2))(0.2, 1.1, 0.7)
        exact = jax.grad(lambda a, b, k: (jnp.exp(k * b) - jnp.exp(k * a)) / k, (0, 1, 2))(0.2, 1.1, 0.7)
        np.testing.assert_allclose(gradient, exact, rtol=1e-12)


@pytest.mark.parametrize("order", [*range(1, 15)])
def test_newton_cotes_of_equal_steps(order):
    for arguments in ((order,), (np.arange(order + 1),), (np.arange(order + 1.0), 1)):
        weights, error = newton_cotes(*arguments)
        expected, expected_error = scipy.integrate.newton_cotes(order)
        np.testing.assert_allclose(weights, expected, rtol=1e-15)
        np.testing.assert_allclose(error, expected_error, rtol=1e-15)


def test_newton_cotes_of_any_positions():
    x = np.array([0.0, 0.9, 2.2, 3.7, 4.0])
    weights, error = newton_cotes(x)
    expected = scipy.integrate.newton_cotes(x)
    np.testing.assert_allclose(weights, expected[0], rtol=1e-12)
    np.testing.assert_allclose(error, expected[1], rtol=1e-8)
    for k in range(5):
        np.testing.assert_allclose(weights @ x**k, 4.0 ** (k + 1) / (k + 1), rtol=1e-13)
    with pytest.raises(ValueError, match="start at 0"):
        newton_cotes(x + 1)
    with pytest.raises(np.linalg.LinAlgError):
        newton_cotes(np.array([0.0, 1.0, 1.0, 3.0]))
