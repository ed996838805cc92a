"""`root` and `fsolve`: MINPACK's results, messages and errors."""

import numpy as np
import pytest
import scipy.optimize

from sci.optimize import fsolve, root


def system(x):
    return [x[0] ** 2 + x[1] ** 2 - 4, x[0] - x[1] ** 3]


def jacobian(x):
    return np.array([[2 * x[0], 2 * x[1]], [1.0, -3 * x[1] ** 2]])


pytestmark = pytest.mark.usefixtures("native")


@pytest.mark.parametrize("jac", [None, jacobian], ids=["exact", "given"])
def test_result_is_scipys(jac):
    ours, theirs = root(system, [1.0, 0.5], jac=jac), scipy.optimize.root(system, [1.0, 0.5], jac=jac)
    assert list(ours) == list(theirs)
    np.testing.assert_allclose(ours.x, theirs.x, rtol=1e-8)
    assert (ours.success, ours.status, ours.message) == (True, 1, theirs.message)
    np.testing.assert_allclose(ours.fjac @ ours.fjac.T, np.eye(2), atol=1e-12)


def test_value_and_jacobian_together_and_transposed():
    both = root(lambda x: (np.array(system(x)), jacobian(x)), [1.0, 0.5], jac=True)
    turned = fsolve(system, [1.0, 0.5], fprime=lambda x: jacobian(x).T, col_deriv=True)
    np.testing.assert_allclose(both.x, turned, rtol=1e-8)


def test_singular_given_jacobian_is_never_a_false_success():
    def network(q):
        return np.hstack((q[1:] ** 2 * 0.5 - q[0] ** 2 * 0.5, np.sum(q) - 4.0))

    def rank_one(q):
        return np.vstack([np.zeros((3, 4)), np.ones((1, 4))])

    result = root(network, np.array([2.0, 0.0, 2.0, 0.0]), jac=rank_one)
    assert result.success == bool(np.max(np.abs(network(result.x))) < 1e-6)


def test_failure_warns_and_is_no_success():
    with pytest.warns(RuntimeWarning, match="not making good progress"):
        fsolve(lambda x: x**2 + 1, 0.5)
    result = root(lambda x: x**2 + 1, 0.5)
    assert not result.success
    assert result.status in (4, 5)
    x, info, status, message = fsolve(lambda x: x**2 + 1, 0.5, full_output=True)
    assert status == result.status and "progress" in message
    assert set(info) == {"nfev", "fjac", "r", "qtf", "fvec"}


def test_bad_input_raises_scipys_exception():
    for function in (scipy.optimize.fsolve, fsolve):
        with pytest.raises(TypeError, match=r"Shape should be \(2,\) but it is \(3,\)"):
            function(lambda x: np.array([x[0], x[1], x[0]]), [1.0, 2.0])
    with pytest.warns(scipy.optimize.OptimizeWarning, match="Unknown solver options: wrong"):
        root(system, [1.0, 0.5], options={"wrong": 1})
    limited = root(system, [50.0, 70.0], options={"maxfev": 3})
    assert (limited.status, limited.nfev) == (2, 3)
