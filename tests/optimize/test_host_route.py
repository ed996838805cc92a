"""What is not native goes to SciPy before anything has run, with its reason."""

import numpy as np
import pytest
import scipy.optimize

import sci
from sci.bridge import Reason
from sci.optimize import curve_fit, least_squares, minimize, root

START = np.array([1.0, 2.0])


def bowl(x):
    return np.sum((x - 3) ** 2)


def line(x, a, b):
    return a + b * x


@pytest.mark.parametrize(
    ("call", "reason"),
    [
        (lambda: minimize(bowl, START, method="COBYQA").x, Reason.METHOD),
        (
            lambda: minimize(bowl, START, constraints={"type": "ineq", "fun": lambda x: 5 - x}, method="COBYQA").x,
            Reason.METHOD,
        ),
        (lambda: root(lambda x: x - 3, START, method="broyden1", options={"line_search": "wolfe"}).x, Reason.OPTION),
        (lambda: least_squares(lambda x: x - 3, START, callback=lambda x: None).x, Reason.OPTION),
        (
            lambda: curve_fit(line, [0, 1, 2], [3, 6, 9], bounds=(0, 9), tr_options={"a": 1}, tr_solver="exact")[0],
            Reason.OPTION,
        ),
    ],
    ids=["method", "constraints", "root", "trf", "curve_fit"],
)
def test_reason_is_recorded(call, reason):
    sci.clear_fallbacks()
    with pytest.warns(sci.FallbackWarning):
        result = call()
    np.testing.assert_allclose(result, 3, atol=1e-3)
    assert [record.reason for record in sci.fallbacks()] == [reason]


def test_impure_objective_is_run_by_scipy_once():
    calls = []

    def counted(x):
        calls.append(x)
        return bowl(x)

    sci.clear_fallbacks()
    with pytest.warns(sci.FallbackWarning):
        result = minimize(counted, START)
    assert result.nfev == scipy.optimize.minimize(bowl, START).nfev
    assert sci.fallbacks()[0].reason is Reason.UNTRACEABLE


def test_other_names_of_the_module_are_there():
    assert sci.optimize.linprog([1.0], bounds=[(2, 3)]).x == pytest.approx([2.0])
    assert sci.optimize.Bounds is scipy.optimize.Bounds


def test_complex_functions_of_a_real_start_go_to_scipy():
    def function(x):
        return x**2 + 1 + 0.3j

    for start in (1.0, np.array([1.0, 2.0])):
        with pytest.warns(sci.FallbackWarning, match="complex function of a real start"):
            sci.clear_fallbacks()
            found = sci.optimize.newton(function, start)
        np.testing.assert_array_equal(found, scipy.optimize.newton(function, start))
    with pytest.warns(sci.FallbackWarning, match="complex function of a real start"):
        found = sci.optimize.root_scalar(function, x0=1.0, x1=1.1, method="secant").root
    assert found == scipy.optimize.root_scalar(function, x0=1.0, x1=1.1, method="secant").root


@pytest.mark.parametrize("method", ["BFGS", "L-BFGS-B", "SLSQP"])
def test_start_at_which_the_rule_of_derivation_fails(method):
    def repelled(x):  # the diagonal is infinite before it is overwritten: its derivative is not a number
        gap = x[:, None] - x
        with np.errstate(divide="ignore"):
            inverse = (gap**2) ** -0.5
        inverse[np.diag_indices_from(inverse)] = 0
        return 0.5 * np.sum(inverse) + np.sum(x**2)

    sci.clear_fallbacks()
    with pytest.warns(sci.FallbackWarning, match="gradient"):
        found = minimize(repelled, START, method=method)
    assert found.success and [record.reason for record in sci.fallbacks()] == [Reason.UNTRACEABLE]
    np.testing.assert_allclose(found.x, [-0.5, 0.5], atol=1e-3)
