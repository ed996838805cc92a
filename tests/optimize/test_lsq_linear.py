"""`nnls`, `lsq_linear`, `isotonic_regression`: SciPy's optima, results and errors."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.optimize

import sci
from sci.optimize import isotonic_regression, lsq_linear, nnls

pytestmark = pytest.mark.usefixtures("native")


@pytest.mark.parametrize("shape", [(12, 6), (6, 9), (20, 11)])
def test_nnls_is_scipys(shape):
    rng = np.random.default_rng(2)
    for k in range(15):
        a, b = rng.standard_normal(shape), rng.standard_normal(shape[0])
        if k % 5 == 0:
            a = np.abs(a)
        if k % 4 == 0:
            a[:, 1] = a[:, 0]
        ours, theirs = nnls(a, b), scipy.optimize.nnls(a, b)
        assert (ours[0] >= 0).all()
        assert ours[1] == pytest.approx(theirs[1], abs=1e-10)
        np.testing.assert_allclose(np.linalg.norm(a @ ours[0] - b), ours[1], atol=1e-12)


def test_lsq_linear_is_scipys():
    rng = np.random.default_rng(3)
    for k in range(15):
        a, b = rng.standard_normal((14, 6)), rng.standard_normal(14)
        lower, upper = -0.3 * rng.random(6), 0.3 * rng.random(6)
        upper[k % 6], lower[(k + 1) % 6] = np.inf, -np.inf
        ours = lsq_linear(a, b, (lower, upper))
        theirs = scipy.optimize.lsq_linear(a, b, (lower, upper), method="bvls")
        assert set(ours) == set(theirs) and ours.success and (ours.status == 3) == (theirs.status == 3)
        np.testing.assert_allclose(ours.x, theirs.x, atol=1e-8)
        np.testing.assert_array_equal(ours.active_mask, theirs.active_mask)
        assert ours.cost == pytest.approx(theirs.cost, rel=1e-9) and ours.optimality < 1e-9


def test_unbounded_solution_within_the_bounds():
    a, b = np.array([[2.0, 1.0], [1.0, -1.0], [0.0, 3.0]]), np.array([1.0, 2.0, 0.5])
    ours, theirs = lsq_linear(a, b), scipy.optimize.lsq_linear(a, b)
    assert (ours.status, ours.message) == (theirs.status, theirs.message) == (3, theirs.message)
    np.testing.assert_allclose(ours.x, theirs.x, rtol=1e-10)


def test_iteration_limit_is_no_success():
    rng = np.random.default_rng(4)
    a, b = np.abs(rng.standard_normal((30, 20))), np.abs(rng.standard_normal(30))
    with pytest.raises(RuntimeError, match="Maximum number of iterations"):
        nnls(a, b, maxiter=1)
    assert not lsq_linear(a, b, (0, np.inf), method="bvls", max_iter=1).success


@pytest.mark.parametrize("increasing", [True, False])
def test_isotonic_regression_is_scipys(increasing):
    rng = np.random.default_rng(5)
    for n in (1, 2, 9, 40):
        y, w = rng.standard_normal(n).round(1) + 0.02 * np.arange(n), 0.1 + rng.random(n)
        ours, theirs = (
            m.isotonic_regression(y, weights=w, increasing=increasing) for m in (sci.optimize, scipy.optimize)
        )
        np.testing.assert_allclose(ours.x, theirs.x, atol=1e-12)
        np.testing.assert_array_equal(ours.blocks, theirs.blocks)
        np.testing.assert_allclose(ours.weights, theirs.weights, rtol=1e-12)


@pytest.mark.parametrize(
    ("call", "error"),
    [
        (lambda m: m.nnls(np.ones(3), np.ones(3)), ValueError),
        (lambda m: m.nnls(np.ones((3, 2)), np.ones(2)), ValueError),
        (lambda m: m.nnls(np.ones((3, 2)), np.ones((3, 2))), ValueError),
        (lambda m: m.nnls([[np.nan]], [1.0]), ValueError),
        (lambda m: m.lsq_linear(np.ones((3, 2)), np.ones(2)), ValueError),
        (lambda m: m.lsq_linear(np.ones((3, 2)), np.ones(3), (1, 0)), ValueError),
        (lambda m: m.lsq_linear(np.ones((3, 2)), np.ones(3), method="other"), ValueError),
        (lambda m: m.lsq_linear(np.ones((3, 2)), np.ones(3), max_iter=0), ValueError),
        (lambda m: m.isotonic_regression([1.0, 2.0], weights=[1.0]), ValueError),
        (lambda m: m.isotonic_regression([1.0, 2.0], weights=[1.0, 0.0]), ValueError),
    ],
)
def test_bad_input_raises_scipys_exception(call, error):
    for module in (scipy.optimize, sci.optimize):
        with pytest.raises(error):
            call(module)


def test_derivatives_of_active_sets():
    rng = np.random.default_rng(6)
    a, b = rng.standard_normal((8, 4)), rng.standard_normal(8)
    with jax.enable_x64(True):
        for solve in (
            lambda b: nnls(jnp.asarray(a), b)[0],
            lambda b: lsq_linear(jnp.asarray(a), b, (-0.1, 0.2)).x,
            lambda b: isotonic_regression(b).x,
        ):
            slope = jax.jacrev(solve)(jnp.asarray(b))
            step = 1e-6 * rng.standard_normal(8)
            change = solve(jnp.asarray(b + step)) - solve(jnp.asarray(b - step))
            np.testing.assert_allclose(slope @ step, change / 2, atol=1e-12)
