"""`sci.optimize.minimize` beyond BFGS: fields, messages, counters and callbacks of each method, as SciPy's."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.optimize
from scipy.optimize import Bounds, LinearConstraint, NonlinearConstraint

import sci
from sci.bridge import Reason
from sci.optimize import minimize, rosen, rosen_der, rosen_hess

START = np.array([1.3, 0.7, 0.8])
SECOND = ("Newton-CG", "trust-ncg", "trust-exact", "dogleg")


def valley(x):
    return np.sum(100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2)


@pytest.mark.parametrize("method", ["CG", "L-BFGS-B", "SLSQP", *SECOND])
def test_fields_and_counters_are_scipys(native, method):
    second = {"hess": rosen_hess} if method in SECOND else {}
    ours = minimize(valley, START, method=method, jac=rosen_der, **second)
    theirs = scipy.optimize.minimize(rosen, START, method=method, jac=scipy.optimize.rosen_der, **second)
    assert list(ours) == list(theirs)
    assert (ours.success, ours.status, ours.message) == (theirs.success, theirs.status, theirs.message)
    assert ours.nfev <= 1.5 * theirs.nfev
    assert type(ours.x) is np.ndarray and ours.x.flags.writeable
    np.testing.assert_allclose(ours.x, theirs.x, atol=1e-3)


def test_lbfgsb_with_bounds(native):
    bounds = [(None, 0.8), (0, 2), (-1, None)]
    ours = minimize(valley, START, bounds=bounds)
    theirs = scipy.optimize.minimize(rosen, START, bounds=bounds, jac=scipy.optimize.rosen_der)
    np.testing.assert_allclose(ours.x, theirs.x, atol=1e-5)
    assert (ours.nit, ours.message) == (theirs.nit, theirs.message)
    np.testing.assert_allclose(minimize(valley, START, bounds=Bounds([-np.inf, 0, -1], [0.8, 2, np.inf])).x, ours.x)
    # The inverse Hessian is the operator of the last pairs.
    np.testing.assert_allclose(ours.hess_inv.todense(), ours.hess_inv.todense().T, atol=1e-12)
    assert ours.hess_inv.n_corrs == theirs.hess_inv.n_corrs


def test_constraints_of_every_kind(native):
    old = [
        {"type": "eq", "fun": lambda x: x[0] - x[1]},
        {"type": "ineq", "fun": lambda x, r: r - np.sum(x**2), "args": (2.0,)},
    ]
    new = [LinearConstraint([[1, -1, 0]], 0, 0), NonlinearConstraint(lambda x: np.sum(x**2), -np.inf, 2.0)]
    theirs = scipy.optimize.minimize(rosen, START, constraints=old, jac=scipy.optimize.rosen_der)
    for constraints in (old, new):
        ours = minimize(valley, START, constraints=constraints)
        assert ours.success
        np.testing.assert_allclose(ours.x, theirs.x, atol=1e-4)
        np.testing.assert_allclose(ours.multipliers, theirs.multipliers, atol=1e-2)


@pytest.mark.parametrize("method", ["L-BFGS-B", "SLSQP", "trust-ncg"])
def test_callback_sees_iterates_and_can_stop(native, method):
    seen = []

    def stop(intermediate_result):
        seen.append(intermediate_result)
        if len(seen) == 2:
            raise StopIteration

    result = minimize(valley, START, method=method, callback=stop)
    assert (result.status, result.success, len(seen)) == (99, False, 2)
    np.testing.assert_array_equal(result.x, seen[-1].x)
    assert seen[-1].fun == pytest.approx(valley(seen[-1].x))
    calls = []
    whole = minimize(valley, START, method=method, callback=lambda x: calls.append(x))
    assert len(calls) == whole.nit
    np.testing.assert_array_equal(whole.x, minimize(valley, START, method=method).x)


@pytest.mark.parametrize("method", ["CG", "L-BFGS-B", "SLSQP", "trust-exact"])
def test_iteration_limit_and_nan(native, method):
    limited = minimize(valley, START, method=method, options={"maxiter": 2})
    theirs = scipy.optimize.minimize(
        rosen, START, method=method, jac=scipy.optimize.rosen_der, options={"maxiter": 2},
        **({"hess": scipy.optimize.rosen_hess} if method in SECOND else {}),
    )  # fmt: skip
    assert (limited.success, limited.status, limited.message, limited.nit) == (
        *(False, theirs.status, theirs.message, 2),
    )
    undefined = minimize(lambda x: np.sum(x) * np.nan, START, method=method)
    assert not undefined.success and undefined.message


def test_bad_input(native):
    with pytest.raises(ValueError, match="upper bound is less"):
        minimize(valley, START, bounds=[(1, 0)] * 3)
    with pytest.raises(ValueError, match="number of bounds"):
        minimize(valley, START, bounds=[(0, 1)] * 2)
    with pytest.raises(ValueError, match="maxls must be positive"):
        minimize(valley, START, method="L-BFGS-B", options={"maxls": 0})
    with pytest.raises(ValueError, match="initial trust radius must be positive"):
        minimize(valley, START, method="trust-ncg", options={"initial_trust_radius": 0})
    with pytest.warns(RuntimeWarning, match="cannot handle bounds"):
        minimize(valley, START, method="CG", bounds=[(0, 1)] * 3)


@pytest.mark.filterwarnings("ignore")
def test_scipys_algorithm_gets_compiled_values():
    calls = []

    def counted(x):
        calls.append(None)
        return valley(x)

    def shifted(x, a):
        return valley(x - a)

    sci.clear_fallbacks()
    result = minimize(shifted, START, args=(0.5,), method="COBYQA")
    (record,) = sci.fallbacks()
    assert record.reason is Reason.METHOD and "values compiled" in record.detail
    theirs = scipy.optimize.minimize(shifted, START, args=(0.5,), method="COBYQA")
    assert result.success and abs(result.nfev - theirs.nfev) <= 0.2 * theirs.nfev
    np.testing.assert_allclose(result.x, 1.5, atol=1e-4)
    # A function with a side effect is not compiled: SciPy calls it itself.
    assert minimize(counted, START, method="COBYQA").nfev <= len(calls)


def test_a_constraints_own_jacobian_is_used(native):
    """A wrong one misleads us as it misleads SciPy; a right one changes nothing; derivatives stay exact."""
    circle = {"type": "eq", "fun": lambda x: np.sum(x**2) - 1.0}
    plain = minimize(valley, START, constraints=circle)
    right = minimize(valley, START, constraints=circle | {"jac": lambda x: 2 * x})
    assert (right.nit, right.nfev) == (plain.nit, plain.nfev)
    np.testing.assert_allclose(right.x, plain.x, rtol=1e-8)
    wrong = circle | {"jac": lambda x: -2 * x}
    assert not minimize(valley, START, constraints=wrong).success
    assert not scipy.optimize.minimize(valley, START, jac=scipy.optimize.rosen_der, constraints=wrong).success
    mixed = [
        NonlinearConstraint(lambda x: [np.sum(x**2), x[0]], [0.5, -np.inf], [1.0, 0.4],
                            jac=lambda x: np.array([2 * x, [1.0, 0.0, 0.0]])),
        {"type": "ineq", "fun": lambda x: 0.9 - x[1]},
    ]  # fmt: skip
    ours = minimize(valley, START, constraints=mixed)
    theirs = scipy.optimize.minimize(valley, START, jac=scipy.optimize.rosen_der, constraints=mixed)
    assert ours.success and ours.nit == theirs.nit
    np.testing.assert_allclose(ours.x, theirs.x, atol=1e-4)
    with pytest.raises(ValueError, match="jac of the constraints has shape"):
        minimize(valley, START, constraints=circle | {"jac": lambda x: 2 * x[:2]})

    def solution(level):
        given = {"type": "eq", "fun": lambda x: x[0] + 2 * x[1] - level, "jac": lambda x: jnp.array([1.0, 2.0])}
        return minimize(lambda x: jnp.sum(x**2), jnp.ones(2), constraints=given, tol=1e-10).x

    with jax.enable_x64(True):
        np.testing.assert_allclose(jax.jacrev(solution)(5.0), [0.2, 0.4], atol=1e-6)


def test_a_minimiser_of_optimistix_is_a_method(native):
    optimistix = pytest.importorskip("optimistix")
    solver = optimistix.BFGS(rtol=1e-8, atol=1e-8)
    result = minimize(valley, START, method=solver)
    assert result.success and result.message == "Optimization terminated successfully."
    np.testing.assert_allclose(result.x, 1, atol=1e-5)
    np.testing.assert_allclose(result.fun, valley(result.x), atol=1e-12)
    with pytest.raises(ValueError, match="optimistix takes no bounds"):
        minimize(valley, START, method=solver, bounds=[(0, 1)] * 3)


def test_gradient_through_bounds_in_the_jax_world():
    def solution(a):
        return minimize(lambda x: jnp.sum((x - a) ** 2), jnp.zeros(2), bounds=[(None, 0.5), (None, None)]).x

    np.testing.assert_allclose(jax.jacrev(solution)(1.0), [0, 1], atol=1e-4)


def test_constraints_of_another_size_by_the_same_lines(native):
    """The number of rows hangs on a captured array: the second call must not take the first one's."""
    for a in (np.array([[1.0, 0.0]]), np.array([[1.0, 0.0], [0.0, 2.0]])):
        found = minimize(
            lambda x: ((x - 3) ** 2).sum(), np.zeros(2), method="SLSQP",
            constraints={"type": "ineq", "fun": lambda x, a=a: 1 - a @ x},
        )  # fmt: skip
        assert found.success
        np.testing.assert_allclose(found.x, [1.0, 3.0 if len(a) == 1 else 0.5], atol=1e-6)
