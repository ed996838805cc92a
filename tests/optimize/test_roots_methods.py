"""The methods of `root` without a Jacobian, method lm, and `broyden1` to `newton_krylov`: SciPy's iterates."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.optimize

import sci
from sci.optimize import root

MIXING = ["broyden1", "broyden2", "anderson", "linearmixing", "diagbroyden", "excitingmixing"]


def cubic(x):
    return np.array([x[0] + 0.5 * (x[0] - x[1]) ** 3 - 1.0, 0.5 * (x[1] - x[0]) ** 3 + x[1]])


def contraction(x):
    return 0.2 * np.cos(x) + 0.1 * np.roll(x, 1) + np.array([0.3, -0.2, 0.1]) - x


pytestmark = pytest.mark.usefixtures("native")


@pytest.mark.parametrize("method", [*MIXING, "df-sane"])
@pytest.mark.parametrize("function", [cubic, contraction])
def test_iterates_are_scipys(method, function):
    start = np.full(2 if function is cubic else 3, 0.2)
    ours, theirs = (m.root(function, start, method=method) for m in (sci.optimize, scipy.optimize))
    assert set(ours) == set(theirs)
    assert (ours.success, ours.nit, ours.nfev, ours.message) == (
        theirs.success,
        theirs.nit,
        theirs.nfev,
        theirs.message,
    )
    if ours.success:
        np.testing.assert_allclose(ours.x, theirs.x, rtol=1e-7)
        np.testing.assert_allclose(ours.fun, function(ours.x), atol=1e-12)


@pytest.mark.parametrize(
    ("method", "options"),
    [
        ("broyden1", {"fatol": 1e-10, "line_search": None, "jac_options": {"alpha": 0.5, "max_rank": 2}}),
        ("broyden2", {"nit": 4}),
        ("anderson", {"ftol": 1e-3, "jac_options": {"M": 2, "w0": 0.05}}),
        ("excitingmixing", {"maxiter": 3, "jac_options": {"alpha": 0.1, "alphamax": 0.3}}),
        ("df-sane", {"M": 2, "sigma_0": 0.3, "fatol": 1e-5}),
    ],
)
def test_options_are_scipys(method, options):
    ours, theirs = (m.root(contraction, np.ones(3), method=method, options=options)
                    for m in (sci.optimize, scipy.optimize))  # fmt: skip
    assert (ours.success, ours.nit, ours.nfev) == (theirs.success, theirs.nit, theirs.nfev)
    np.testing.assert_allclose(ours.x, theirs.x, rtol=1e-7)


def test_krylov_solves_with_exact_products():
    n = 40

    def tridiagonal(x):
        left, right = np.concatenate([[0.0], x[:-1]]), np.concatenate([x[1:], [0.0]])
        return (3 - 2 * x) * x - left - 2 * right + 1

    found = root(tridiagonal, -np.ones(n), method="krylov", options={"fatol": 1e-11})
    assert found.success and np.abs(tridiagonal(found.x)).max() < 1e-11
    np.testing.assert_allclose(found.x, scipy.optimize.fsolve(tridiagonal, -np.ones(n)), atol=1e-7)
    np.testing.assert_allclose(sci.optimize.newton_krylov(tridiagonal, -np.ones(n)), found.x, atol=1e-5)


def test_lm_and_its_honesty_at_minima():
    ours, theirs = (m.root(contraction, np.ones(3), method="lm", tol=1e-12) for m in (sci.optimize, scipy.optimize))
    assert set(ours) == set(theirs) and ours.success
    np.testing.assert_allclose(ours.x, theirs.x, rtol=1e-10)
    np.testing.assert_allclose(ours.cov_x, theirs.cov_x, rtol=1e-5)
    nowhere = root(lambda x: x**2 + 1, np.array([0.5]), method="lm")
    assert not nowhere.success and "not a root" in nowhere.message


@pytest.mark.parametrize("name", [*MIXING, "newton_krylov"])
def test_functions_raise_without_convergence_and_keep_the_shape(name):
    function = getattr(sci.optimize, name)
    start = np.array([[0.1], [0.2]])
    found = function(lambda x: 0.2 * np.cos(x) - x, start)
    assert found.shape == (2, 1)
    np.testing.assert_allclose(found, 0.19616428118784215, atol=1e-4)
    with pytest.raises(scipy.optimize.NoConvergence):
        function(lambda x: x**2 + 1, np.array([0.3, 0.4]), maxiter=15)
    with pytest.raises(ValueError, match="line search"):
        function(cubic, [0.0, 0.0], line_search="other")


def test_values_that_are_not_numbers_are_no_success():
    for method in ("broyden1", "df-sane"):
        assert not root(lambda x: np.sqrt(x - 3.0) + x, np.array([1.0, 2.0]), method=method).success


def test_jax_world_and_derivatives():
    def solve(a, start, method):
        return root(lambda x, a: x - a * jnp.cos(x), start, (a,), method=method, tol=1e-12).x

    with jax.enable_x64(True):
        a, starts = jnp.array([0.2, 0.3]), jnp.array([[0.0, 0.0], [0.3, 0.1]])
        for method in ("broyden1", "krylov", "df-sane"):
            found = jax.vmap(lambda s, m=method: solve(a, s, m))(starts)
            slope = jax.jacrev(lambda a, m=method: solve(a, starts[0], m))(a)
            np.testing.assert_allclose(found[0], found[1], atol=1e-7)
            x = np.asarray(found[0])
            np.testing.assert_allclose(slope, np.diag(np.cos(x) / (1 + np.asarray(a) * np.sin(x))), atol=1e-6)
