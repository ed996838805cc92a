"""`sci.optimize.minimize` with TNC and COBYLA: SciPy's fields, codes and messages; certificates recomputed."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.optimize
from scipy.optimize import LinearConstraint, NonlinearConstraint

from sci.optimize import minimize, rosen_der

START = np.array([1.3, 0.7, 0.8])
BOX = [(None, 0.9), (0, 2), (-1, None)]
CONSTRAINTS = [{"type": "eq", "fun": lambda x: x[0] - x[1]}, {"type": "ineq", "fun": lambda x: 2 - np.sum(x**2)}]


def valley(x):
    return np.sum(100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2)


pytestmark = pytest.mark.usefixtures("native")


@pytest.mark.parametrize("bounds", [None, BOX, [(0.2, 0.4), (2, 2), (0, 9)]], ids=["free", "sides", "fixed"])
def test_tnc(bounds):
    ours = minimize(valley, START, method="TNC", bounds=bounds)
    theirs = scipy.optimize.minimize(
        valley, START, method="TNC", bounds=bounds, jac=scipy.optimize.rosen_der, options={"maxfun": 5000, "ftol": 0}
    )
    assert list(ours) == list(theirs)
    assert ours.success and ours.status in (0, 1, 2)
    assert ours.fun <= theirs.fun + 1e-6 * (1 + abs(theirs.fun))
    assert ours.nfev <= 1.5 * theirs.nfev
    # The certificate: the projected gradient of the original function.
    lower, upper = np.array([(-np.inf if a is None else a, np.inf if b is None else b)
                             for a, b in (bounds or [(None, None)] * 3)]).T  # fmt: skip
    slope = scipy.optimize.rosen_der(ours.x)
    np.testing.assert_allclose(np.clip(ours.x - slope, lower, upper), ours.x, atol=1e-3)


def test_tnc_codes_options_and_bad_input():
    few = minimize(valley, START, method="TNC", options={"maxfun": 3})
    assert (few.status, few.success, few.message) == (3, False, "Max. number of function evaluations reached")
    nan = minimize(lambda x: np.sum(x) * np.nan, START, method="TNC")
    assert not nan.success
    loose = minimize(valley, START, method="TNC", tol=1e-2)
    assert loose.success and loose.nfev < minimize(valley, START, method="TNC").nfev
    one = minimize(
        valley, START, jac=rosen_der, method="TNC", options={"maxCGit": 1, "scale": [1, 2, 3], "maxfun": 2000}
    )
    assert one.success
    assert one.nit > minimize(valley, START, method="TNC").nit
    with pytest.raises(ValueError, match="scale has shape"):
        minimize(valley, START, method="TNC", options={"scale": [1, 2]})
    with pytest.warns(RuntimeWarning, match="does not support the return_all"):
        minimize(valley, START, method="TNC", options={"return_all": True})


def test_tnc_derivative_at_a_bound():
    def solution(a):
        x = minimize(lambda x: jnp.sum((x - a) ** 2), jnp.zeros(2), method="TNC", bounds=[(None, 0.5), (None, None)]).x
        return x

    with jax.enable_x64(True):
        np.testing.assert_allclose(jax.jacrev(solution)(1.0), [0, 1], atol=1e-6)


def test_cobyla_with_constraints_of_every_kind():
    options = {"tol": 1e-6, "options": {"maxiter": 3000}}
    new = [LinearConstraint([[1, -1, 0]], 0, 0), NonlinearConstraint(lambda x: np.sum(x**2), -np.inf, 2.0)]
    theirs = scipy.optimize.minimize(valley, START, method="COBYLA", constraints=CONSTRAINTS, **options)
    for constraints in (CONSTRAINTS, new):
        ours = minimize(valley, START, method="COBYLA", constraints=constraints, **options)
        assert list(ours) == list(theirs)
        assert (ours.success, ours.status, ours.message) == (True, theirs.status, theirs.message)
        assert ours.nfev <= 1.5 * theirs.nfev
        assert ours.fun == pytest.approx(valley(ours.x)) == pytest.approx(theirs.fun, rel=1e-3)
        # Feasibility, recomputed.
        assert abs(ours.x[0] - ours.x[1]) <= 1e-6 and np.sum(ours.x**2) <= 2 + 1e-6


def test_cobyla_bounds_codes_and_bad_input():
    bounded = minimize(valley, START, method="COBYLA", bounds=BOX, tol=1e-6, options={"maxiter": 5000})
    best = scipy.optimize.minimize(valley, START, method="L-BFGS-B", bounds=BOX, jac=scipy.optimize.rosen_der)
    assert bounded.success and bounded.maxcv <= 1.5e-8
    assert bounded.fun == pytest.approx(best.fun, rel=1e-3)
    apart = minimize(valley, START, method="COBYLA", constraints={"type": "ineq", "fun": lambda x: -1 - np.sum(x**2)})
    assert not apart.success and apart.maxcv == pytest.approx(1.0, abs=1e-3)
    assert apart.message.startswith("Did not converge to a solution satisfying the constraints")
    few = minimize(valley, START, method="COBYLA", options={"maxiter": 7})
    assert (few.status, few.success, few.nfev) == (3, False, 7)
    there = minimize(valley, START, method="COBYLA", options={"f_target": 0.5})
    assert (there.status, there.success) == (1, True) and there.fun <= 0.5
    assert not minimize(lambda x: np.sum(x) * np.nan, START, method="COBYLA").success
    with pytest.raises(ValueError, match="disp argument"):
        minimize(valley, START, method="COBYLA", options={"disp": 7})


def test_cobyla_callback_can_stop():
    seen = []

    def stop(intermediate_result):
        seen.append(intermediate_result)
        if len(seen) == 2:
            raise StopIteration

    result = minimize(valley, START, method="COBYLA", callback=stop)
    assert (result.status, result.success, len(seen)) == (30, False, 2)
    assert "callback function requested termination" in result.message


def test_cobyla_derivative_of_a_constrained_solution():
    def solution(level):
        constraints = {"type": "eq", "fun": lambda x: x[0] + 2 * x[1] - level}
        return minimize(lambda x: jnp.sum(x**2), jnp.ones(2), method="COBYLA", constraints=constraints, tol=1e-8).x

    with jax.enable_x64(True):
        np.testing.assert_allclose(solution(5.0), [1, 2], atol=1e-4)
        np.testing.assert_allclose(jax.jacrev(solution)(5.0), [0.2, 0.4], atol=1e-4)


@pytest.mark.filterwarnings("ignore:delta_grad")
def test_trust_constr_result_is_scipys():
    constraints = [
        NonlinearConstraint(lambda x: np.array([np.sum(x**2), x[0]]), [-np.inf, 0.1], [1.5, 0.1]),
        {"type": "eq", "fun": lambda x: x[0] - x[1]},
        LinearConstraint([[1.0, 1, 1], [0, 0, 1]], [-5, -np.inf], [5, 0.005]),
    ]
    bounds = [(0, 0.9), (0, 0.9), (0.001, None)]
    call = {"method": "trust-constr", "constraints": constraints, "bounds": bounds}
    ours = minimize(valley, START, **call)
    theirs = scipy.optimize.minimize(
        valley, START, jac=scipy.optimize.rosen_der, hess=scipy.optimize.rosen_hess, **call, options={"maxiter": 3000}
    )
    assert list(ours) == list(theirs)
    assert (ours.success, ours.method, ours.cg_niter) == (True, theirs.method, 0)
    assert ours.nfev <= 1.5 * theirs.nfev
    # SciPy's barrier keeps it that far from the bounds.
    np.testing.assert_allclose(ours.x, theirs.x, atol=1e-3)
    assert ours.fun == pytest.approx(valley(ours.x), rel=1e-7) and ours.fun <= theirs.fun + 1e-5
    for name in ("constr", "jac"):
        for one, other in zip(ours[name], theirs[name], strict=True):
            np.testing.assert_allclose(one, other, atol=1e-3)
    # The certificate, recomputed: multipliers of the right sign whose constraints hold make the Lagrangian flat.
    slope = scipy.optimize.rosen_der(ours.x) + sum(j.T @ v for j, v in zip(ours.jac, ours.v, strict=True))
    assert np.max(np.abs(slope)) < 1e-6 and ours.optimality < 1e-6 and ours.constr_violation < 1e-8
    assert ours.v[2][1] > 1e-3 and abs(ours.v[2][0]) < 1e-6 and abs(ours.v[0][0]) < 1e-6


def test_trust_constr_with_a_fixed_variable():
    bounds = [(0.2, 0.4), (2, 2), (0, 9)]
    ours = minimize(valley, START, method="trust-constr", bounds=bounds)
    best = scipy.optimize.minimize(valley, START, method="L-BFGS-B", bounds=bounds, jac=scipy.optimize.rosen_der)
    assert ours.success and ours.x[1] == 2
    np.testing.assert_allclose(ours.x, best.x, atol=1e-5)
    np.testing.assert_allclose(scipy.optimize.rosen_der(ours.x) + ours.v[0], 0, atol=1e-6)


def test_trust_constr_unconstrained_and_options(capsys):
    free = minimize(valley, START, method="trust-constr", hess=scipy.optimize.SR1())
    theirs = scipy.optimize.minimize(valley, START, method="trust-constr", jac=scipy.optimize.rosen_der)
    assert list(free) == list(theirs)
    assert (free.status, free.method) == (1, "equality_constrained_sqp") and free.constr == []
    np.testing.assert_allclose(free.x, 1, atol=1e-7)
    few = minimize(valley, START, method="trust-constr", options={"maxiter": 2, "verbose": 1})
    assert (few.status, few.success, few.nit) == (0, False, 2)
    assert few.message in capsys.readouterr().out
    assert not minimize(lambda x: np.sum(x) * np.nan, START, method="trust-constr").success
    apart = [{"type": "ineq", "fun": lambda x: x[0] - 2}, {"type": "ineq", "fun": lambda x: 1 - x[0]}]
    assert not minimize(valley, START, method="trust-constr", constraints=apart, options={"maxiter": 100}).success
    seen = []

    def stop(x, state):
        seen.append((x, state.nit, state.optimality))
        return len(seen) == 3

    ended = minimize(valley, START, method="trust-constr", callback=stop)
    assert (ended.status, ended.success, len(seen)) == (3, False, 3)


def test_trust_constr_derivative_of_a_constrained_solution():
    def solution(level):
        constraints = {"type": "eq", "fun": lambda x: x[0] + 2 * x[1] - level}
        return minimize(
            lambda x: jnp.sum(x**2), jnp.ones(3), method="trust-constr", constraints=constraints,
            bounds=[(None, None), (None, None), (0.5, None)],
        ).x  # fmt: skip

    with jax.enable_x64(True):
        np.testing.assert_allclose(solution(5.0), [1, 2, 0.5], atol=1e-7)
        np.testing.assert_allclose(jax.jacrev(solution)(5.0), [0.2, 0.4, 0.0], atol=1e-7)


def test_trust_constr_reports_the_optimality_that_it_reached():
    """Inactive constraints keep small multipliers: rounded to zero they left a gradient over the tolerance."""
    found = minimize(
        lambda x: 1 / 100 * (x[0] - 1) ** 2 + 1 / 2 * (x[1] - 0.5) ** 2, [0.0, 0.0], method="trust-constr",
        constraints=NonlinearConstraint(lambda x: 1 / (x[0] + 1) - x[1], 0.25, np.inf),
        bounds=[(0.0, np.inf), (-np.inf, np.inf)],
    )  # fmt: skip
    assert found.success and found.optimality < 1e-8
    np.testing.assert_allclose(found.lagrangian_grad, 0.0, atol=1e-8)


def test_trust_constr_with_too_many_equalities_raises_as_scipy():
    equal = NonlinearConstraint(lambda x: np.array([x[0], x[1], x[0] + x[1]]), [1, 1, 2], [1, 1, 2])
    with pytest.raises(ValueError, match="more equality constraints than independent variables"):
        minimize(lambda x: np.sum(x**2), [0.0, 0.0], method="trust-constr", constraints=equal)


def test_second_derivative_as_a_number():
    found = minimize(lambda x: x[0] ** 2, [3.0], jac=lambda x: 2 * x, hess=lambda x: 2, method="trust-constr")
    assert found.success and abs(found.x[0]) < 1e-8
