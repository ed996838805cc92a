"""`sci.integrate.solve_bvp` against SciPy's and closed forms, in both worlds."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.integrate

import sci
from sci.integrate import solve_bvp

X = np.linspace(0, 1, 5)


def bratu(x, y):
    return np.vstack((y[1], -np.exp(y[0])))


def fixed(ya, yb):
    return np.array([ya[0], yb[0]])


def string(x, y, p):
    return np.vstack((y[1], -(p[0] ** 2) * y[0]))


def plucked(ya, yb, p):
    return np.array([ya[0], yb[0], ya[1] - p[0]])


def string_jac(x, y, p):
    df_dy = np.zeros((2, 2, x.size))
    df_dy[0, 1] = 1
    df_dy[1, 0] = -(p[0] ** 2)
    df_dp = np.zeros((2, 1, x.size))
    df_dp[1, 0] = -2 * p[0] * y[0]
    return df_dy, df_dp


def plucked_jac(ya, yb, p):
    a, b = np.zeros((3, 2)), np.zeros((3, 2))
    a[0, 0] = b[1, 0] = a[2, 1] = 1
    return a, b, np.array([[0.0], [0.0], [-1.0]])


def compare(ours, theirs, rtol=1e-6, atol=1e-8):
    assert not sci.fallbacks()
    assert (ours.status, ours.success, ours.niter, ours.message) == (
        theirs.status, theirs.success, theirs.niter, theirs.message,
    )  # fmt: skip
    for name in ("x", "y", "yp", "rms_residuals"):
        np.testing.assert_allclose(ours[name], theirs[name], rtol=rtol, atol=atol, err_msg=name)
        assert ours[name].flags.writeable
    np.testing.assert_allclose(ours.sol(ours.x), ours.y, rtol=1e-10, atol=1e-10)
    np.testing.assert_allclose(ours.sol(ours.x, 1), ours.yp, rtol=1e-8, atol=1e-8)
    assert set(ours) == set(theirs) and type(ours) is type(theirs)


def test_bratu_both_branches():
    for height in (0.0, 3.0):
        guess = np.zeros((2, 5))
        guess[0] = height
        compare(solve_bvp(bratu, fixed, X, guess), scipy.integrate.solve_bvp(bratu, fixed, X, guess))


def test_unknown_parameter_and_jacobians():
    guess = np.zeros((2, 5))
    guess[0, 1], guess[0, 3] = 1, -1
    for jacobians in ({}, {"fun_jac": string_jac, "bc_jac": plucked_jac}):
        ours = solve_bvp(string, plucked, X, guess, p=[6], tol=1e-6, **jacobians)
        compare(ours, scipy.integrate.solve_bvp(string, plucked, X, guess, p=[6], tol=1e-6, **jacobians))
        np.testing.assert_allclose(ours.p, [2 * np.pi], rtol=1e-7)
        np.testing.assert_allclose(ours.sol(0.3)[0], np.sin(0.6 * np.pi), rtol=1e-6)


def test_singular_term():
    x = np.linspace(0, 1, 10)
    guess = np.vstack([np.full(10, 0.75**0.5), np.full(10, 1e-4)])
    before = guess.copy()
    f = lambda x, y: np.vstack((y[1], -(y[0] ** 5)))
    bc = lambda a, b: np.array([a[1], b[0] - 0.75**0.5])
    ours = solve_bvp(f, bc, x, guess, S=[[0, 0], [0, -2]])
    np.testing.assert_array_equal(guess, before)
    compare(ours, scipy.integrate.solve_bvp(f, bc, x, guess, S=np.array([[0, 0], [0, -2]])))
    np.testing.assert_allclose(ours.y[0], (1 + x**2 / 3) ** -0.5, atol=1e-5)


def test_complex_values():
    f = lambda x, y: np.vstack((y[1], y[0]))
    bc = lambda a, b: np.array([a[0] - 1 - 1j, b[0]])
    guess = np.zeros((2, 5), complex)
    compare(solve_bvp(f, bc, X, guess), scipy.integrate.solve_bvp(f, bc, X, guess))


def test_boundary_layer_outgrows_the_first_capacity(capsys):
    eps = 1e-3
    c = np.pi
    f = lambda x, y: np.vstack((y[1], -(x * y[1] + eps * c**2 * np.cos(c * x) + c * x * np.sin(c * x)) / eps))
    bc = lambda a, b: np.array([a[0] + 2, b[0]])
    x = np.linspace(-1, 1, 5)
    for module in (scipy.integrate, sci.integrate):
        result = module.solve_bvp(f, bc, x, np.zeros((2, 5)), verbose=2)
        text = capsys.readouterr().out
        if module is scipy.integrate:
            theirs, expected = result, text
    compare(result, theirs)
    assert result.x.size > 65
    head = lambda text: [line[:30] for line in text.splitlines()]
    assert head(text) == head(expected)


@pytest.mark.slow
def test_many_components():
    n = 12
    f = lambda x, y: np.vstack((y[n:], y[:n] * np.arange(1, n + 1)[:, None]))
    bc = lambda a, b: np.hstack((a[:n], b[:n] - 1))
    guess = np.ones((2 * n, 5))
    compare(solve_bvp(f, bc, X, guess), scipy.integrate.solve_bvp(f, bc, X, guess))


@pytest.mark.filterwarnings("ignore:invalid value")
def test_failures_are_reported():
    guess = np.zeros((2, 2))
    ours = solve_bvp(bratu, fixed, [0, 1], guess, tol=1e-5, max_nodes=5)
    compare(ours, scipy.integrate.solve_bvp(bratu, fixed, [0, 1], guess, tol=1e-5, max_nodes=5))
    assert ours.status == 1
    nothing = solve_bvp(lambda x, y: np.zeros_like(y), lambda a, b: np.array([a[0], b[0] - 1]), X, np.zeros((2, 5)))
    assert (nothing.status, nothing.success) == (2, False)
    spoilt = solve_bvp(lambda x, y: np.vstack((y[1], np.sqrt(-1 - y[0] ** 2))), fixed, X, np.zeros((2, 5)))
    assert not spoilt.success


@pytest.mark.parametrize(
    "change, match",
    [
        ({"x": [0, 1, 1, 2, 3]}, "increasing"),
        ({"x": [[0.0, 1.0]]}, "1 dimensional"),
        ({"y": np.zeros((2, 4))}, "5 columns"),
        ({"y": np.zeros(5)}, "2 dimensional"),
        ({"p": [[1.0]]}, "1 dimensional"),
        ({"S": np.eye(3)}, "`S`"),
        ({"verbose": 3}, "verbose"),
        ({"fun": lambda x, y: y[0]}, "`fun` return"),
        ({"bc": lambda a, b: a[:1]}, "`bc` return"),
    ],
)
def test_bad_input(change, match):
    arguments = {"fun": bratu, "bc": fixed, "x": X, "y": np.zeros((2, 5))} | change
    with pytest.raises(ValueError):
        scipy.integrate.solve_bvp(**arguments)
    with pytest.raises(ValueError, match=match):
        solve_bvp(**arguments)


def test_coupled_nodes_go_to_the_host():
    f = lambda x, y: np.vstack((y[1], 0 * y[0] - y[0].mean()))
    with pytest.warns(sci.FallbackWarning, match="couples"):
        solve_bvp(f, fixed, X, np.zeros((2, 5)))


def test_jax_world():
    with jax.enable_x64(True):

        def height(k, b):
            f = lambda x, y: jnp.stack([y[1], k * y[0]])
            bc = lambda ya, yb: jnp.stack([ya[0], yb[0] - 1.0])
            r = solve_bvp(f, bc, jnp.linspace(0.0, 1.0, 9) * b, jnp.zeros((2, 9)), tol=1e-6, size=33)
            return r.sol(0.4 * b)[0] + r.sol(0.4 * b, 1)[0]

        def exact(k, b):
            w = jnp.sqrt(k)
            return (jnp.sinh(0.4 * w * b) + w * jnp.cosh(0.4 * w * b)) / jnp.sinh(w * b)

        at = (2.0, 1.3)
        value, gradient = jax.jit(jax.value_and_grad(height, (0, 1)))(*at)
        np.testing.assert_allclose(value, exact(*at), rtol=1e-6)
        np.testing.assert_allclose(gradient, jax.grad(exact, (0, 1))(*at), rtol=1e-5)
        np.testing.assert_allclose(jax.jit(jax.jacfwd(height))(*at), gradient[0], rtol=1e-10)
        k = jnp.array([0.5, 2.0, 9.0])
        np.testing.assert_allclose(jax.vmap(height, (0, None))(k, 1.3), exact(k, 1.3), rtol=1e-5)


@pytest.mark.slow
def test_second_derivative_of_an_eigenvalue():
    with jax.enable_x64(True):

        def eigenvalue(mass):
            f = lambda x, y, p: jnp.stack([y[1], -(p[0] ** 2) * mass * y[0]])
            bc = lambda ya, yb, p: jnp.stack([ya[0], yb[0], ya[1] - 1])
            x = jnp.linspace(0.0, 1.0, 9)
            guess = jnp.stack([jnp.sin(jnp.pi * x) / jnp.pi, jnp.cos(jnp.pi * x)])
            return solve_bvp(f, bc, x, guess, p=[3.0], tol=1e-7, size=65).p[0]

        np.testing.assert_allclose(eigenvalue(1.2), np.pi / 1.2**0.5, rtol=1e-7)
        np.testing.assert_allclose(jax.grad(eigenvalue)(1.2), -np.pi / 2 / 1.2**1.5, rtol=1e-6)
        np.testing.assert_allclose(jax.grad(jax.grad(eigenvalue))(1.2), 0.75 * np.pi / 1.2**2.5, rtol=1e-5)
