"""Levenberg-Marquardt: published minima, certified regressions, MINPACK's codes, derivatives of the fit."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.optimize

from solvers.least_squares import LM, least_squares
from tests.problems.optimize import PROBLEMS, REGRESSIONS

STARTS = [(r, i) for r in REGRESSIONS for i in range(2)]


@pytest.fixture(autouse=True)
def double():
    with jax.enable_x64(True):
        yield


@pytest.mark.parametrize("problem", PROBLEMS, ids=lambda p: p.name)
def test_published_minimum_with_scipys_evaluations(problem):
    x0 = np.array(problem.x0)
    jac = jax.jit(jax.jacfwd(lambda x: problem.residuals(x, jnp)))
    ours = least_squares(lambda x: problem.residuals(x, jnp), x0)
    theirs = scipy.optimize.least_squares(
        lambda x: problem.residuals(x, np), x0, jac=lambda x: np.asarray(jac(x)), method="lm"
    )
    assert bool(ours.success)
    assert theirs.success
    f = float(np.sum(problem.residuals(np.asarray(ours.x), np) ** 2))
    assert min(abs(f - m) / (1 + abs(m)) for m in problem.minima) < 1e-7
    # Powell's singular function converges linearly, and where it stops is up to rounding.
    factor = 2 if problem.name == "powell_singular" else 1.1
    assert int(ours.nfev) <= factor * theirs.nfev + 1


@pytest.mark.parametrize(("regression", "start"), STARTS, ids=lambda v: getattr(v, "name", v))
def test_certified_regressions(regression, start):
    x, y = np.array(regression.x, float), np.array(regression.y, float)
    b0 = np.array(regression.starts[start])
    fit = least_squares(lambda b: regression.model(b, x, jnp) - y, b0, method=LM(1e-12, 1e-12, 0.0, maxfev=5000))
    if (regression.name, start) == ("BoxBOD", 0):
        # MINPACK, too, leaves for the plateau at infinity from here: a stationary point, not the certified one.
        theirs = scipy.optimize.least_squares(lambda b: regression.model(b, x, np) - y, b0, method="lm")
        assert theirs.cost > regression.rss
        return
    np.testing.assert_allclose(np.sum(fit.fun**2), regression.rss, rtol=1e-9)
    np.testing.assert_allclose(fit.x, regression.certified, rtol=1e-5)
    # 6 to 8 say that the tolerance is below rounding, which 1e-12 may be.
    assert int(fit.status) in (1, 2, 3, 4, 6, 7, 8)


def _decay():
    t = np.linspace(0, 4, 30)
    noise = 0.05 * np.random.default_rng(0).normal(size=30)
    y = 2.5 * np.exp(-1.3 * t) + 0.5 + noise
    return (lambda p, y: p[0] * jnp.exp(-p[1] * t) + p[2] - y), y


def test_derivative_uses_the_full_hessian():
    fun, y = _decay()

    def fit(y):
        return least_squares(fun, jnp.ones(3), (y,), LM(1e-14, 1e-14, 1e-14)).x

    # It ends where the sum of squares is flat to rounding: x is known to 1e-9, the differences to 1e-9 / h.
    h = 1e-3
    direction = np.random.default_rng(1).normal(size=30)
    difference = (fit(y + h * direction) - fit(y - h * direction)) / (2 * h)
    np.testing.assert_allclose(jax.jvp(fit, (y,), (direction,))[1], difference, rtol=1e-5)
    np.testing.assert_allclose(jax.jacrev(fit)(y) @ direction, difference, rtol=1e-5)
    slope = jax.jit(jax.jacrev(lambda s: fit(y + s * direction)))
    second = (slope(h) - slope(-h)) / (2 * h)
    np.testing.assert_allclose(jax.jacfwd(slope)(0.0), second, rtol=1e-5)


def test_batch_equals_loop():
    fun, y = _decay()
    data = y + 0.05 * np.random.default_rng(2).normal(size=(6, 30))
    batch = jax.jit(jax.vmap(lambda y: least_squares(fun, jnp.ones(3), (y,))))(data)
    assert batch.success.all()
    for i in range(6):
        np.testing.assert_allclose(batch.x[i], least_squares(fun, jnp.ones(3), (data[i],)).x, rtol=1e-7)


def test_rank_deficient_fit_converges():
    fun, y = _decay()
    result = least_squares(lambda p, y: fun(jnp.stack([p[0] * p[3], p[1], p[2]]), y), jnp.ones(4), (y,))
    plain = least_squares(fun, jnp.ones(3), (y,))
    assert bool(result.success)
    np.testing.assert_allclose(np.sum(result.fun**2), np.sum(plain.fun**2), rtol=1e-8)


def test_underdetermined_uses_reverse_mode_and_converges():
    result = least_squares(lambda x: jnp.stack([jnp.sum(x**2) - 1]), np.array([1.0, 2.0, 3.0]))
    assert bool(result.success)
    np.testing.assert_allclose(np.sum(result.x**2), 1, rtol=1e-7)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_residuals_not_finite_at_the_start(value):
    result = least_squares(lambda x: x * value, np.ones(2))
    assert (int(result.status), bool(result.success)) == (0, False)


def test_options():
    fun, y = _decay()
    stopped = least_squares(fun, jnp.ones(3), (y,), LM(maxfev=3))
    assert (int(stopped.status), int(stopped.nfev), bool(stopped.success)) == (5, 3, False)
    scaled = least_squares(fun, jnp.ones(3), (y,), LM(diag=np.array([1.0, 2.0, 3.0]), factor=0.1))
    np.testing.assert_allclose(scaled.x, least_squares(fun, jnp.ones(3), (y,)).x, rtol=1e-5)


def test_single_precision():
    with jax.enable_x64(False):
        fun, y = _decay()
        result = least_squares(fun, jnp.ones(3), (jnp.asarray(y),), LM(1e-4, 1e-4, 1e-4))
        assert result.x.dtype == jnp.float32
        assert bool(result.success)


def test_optimistix_solver_as_method():
    import optimistix

    fun, y = _decay()
    solver = optimistix.LevenbergMarquardt(rtol=1e-10, atol=1e-10)
    result = least_squares(fun, jnp.ones(3), (y,), solver)
    assert bool(result.success)
    np.testing.assert_allclose(result.x, least_squares(fun, jnp.ones(3), (y,)).x, rtol=1e-6)
