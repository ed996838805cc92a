"""`sci.optimize.minimize`: SciPy's protocol around the engine."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.optimize

from sci.optimize import minimize

START = np.array([-1.2, 1.0])


def rosenbrock(x):
    return np.sum(100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2)


def gradient(x):
    return np.array([-400 * x[0] * (x[1] - x[0] ** 2) - 2 * (1 - x[0]), 200 * (x[1] - x[0] ** 2)])


pytestmark = pytest.mark.usefixtures("native")


@pytest.mark.parametrize("jac", [None, "2-point", "cs", gradient, True], ids=lambda v: getattr(v, "__name__", str(v)))
def test_same_path_as_scipy_with_the_gradient(jac):
    fun = (lambda x: (rosenbrock(x), gradient(x))) if jac is True else rosenbrock
    ours = minimize(fun, START, jac=jac)
    theirs = scipy.optimize.minimize(rosenbrock, START, jac=gradient)
    assert list(ours) == list(theirs)
    assert (ours.nit, ours.nfev, ours.njev, ours.status, ours.success, ours.message) == (
        *(theirs.nit, theirs.nfev, theirs.njev, 0, True, theirs.message),
    )
    np.testing.assert_allclose(ours.x, theirs.x, rtol=1e-6)
    np.testing.assert_allclose(ours.hess_inv, theirs.hess_inv, rtol=1e-4)


@pytest.mark.parametrize("new_style", [False, True])
def test_callback_sees_every_iterate_and_can_stop(new_style):
    seen = []

    def old(xk):
        seen.append(xk.copy())
        if len(seen) == 5:
            raise StopIteration

    def new(intermediate_result):
        assert intermediate_result.fun == pytest.approx(rosenbrock(intermediate_result.x))
        old(intermediate_result.x)

    whole = minimize(rosenbrock, START, options={"return_all": True})
    result = minimize(rosenbrock, START, callback=new if new_style else old)
    np.testing.assert_allclose(seen, whole.allvecs[1:6], rtol=1e-12)
    assert (result.status, result.success, result.nit) == (99, False, 5)
    assert result.message == "`callback` raised `StopIteration`."


def test_callback_leaves_the_result_as_it_is():
    plain = minimize(rosenbrock, START)
    watched = minimize(rosenbrock, START, callback=lambda x: None, options={"return_all": True})
    assert (watched.nfev, watched.nit, watched.status) == (plain.nfev, plain.nit, plain.status)
    assert len(watched.allvecs) == watched.nit + 1
    np.testing.assert_array_equal(watched.x, plain.x)


def test_all_iterates_beyond_the_first_capacity():
    start = np.tile([-1.2, 1.0], 30)
    result = minimize(rosenbrock, start, options={"return_all": True})
    assert result.nit > 256
    assert len(result.allvecs) == result.nit + 1
    np.testing.assert_array_equal(result.allvecs[0], start)
    np.testing.assert_array_equal(result.allvecs[-1], result.x)


def test_options_and_messages(capsys):
    result = minimize(rosenbrock, START, tol=1e-2, options={"maxiter": 4})
    assert (result.status, result.nit, result.success) == (1, 4, False)
    assert result.message == "Maximum number of iterations has been exceeded."
    loose = minimize(rosenbrock, START, tol=1e-2)
    assert np.max(np.abs(loose.jac)) <= 1e-2 < np.max(np.abs(loose.jac)) * 1e5
    first = minimize(rosenbrock, START, options={"hess_inv0": np.eye(2) * 1e-3, "norm": 2, "disp": True})
    assert first.success
    assert "Current function value: 0.000000" in capsys.readouterr().out
    with pytest.warns(scipy.optimize.OptimizeWarning, match="Unknown solver options: wrong"):
        minimize(rosenbrock, START, options={"wrong": 1})
    with pytest.warns(RuntimeWarning, match="does not use Hessian information"):
        minimize(rosenbrock, START, hess=lambda x: np.eye(2))


@pytest.mark.parametrize(
    ("kwargs", "message"),
    [
        ({"options": {"c1": 0.9, "c2": 0.1}}, "'c1' and 'c2'"),
        ({"options": {"hess_inv0": -np.eye(2)}}, "positive definite"),
        ({"x0": np.ones((2, 2))}, "'x0' must only have one dimension"),
        ({"fun": lambda x: x}, "scalar value"),
    ],
)
def test_bad_input_raises_scipys_exception(kwargs, message):
    call = {"fun": rosenbrock, "x0": START, **kwargs}
    with pytest.raises(ValueError):
        scipy.optimize.minimize(**call)
    with pytest.raises(ValueError, match=message):
        minimize(**call)


def test_nan_objective_is_no_success():
    result = minimize(lambda x: np.sum(x) * np.nan, START)
    assert not result.success
    assert np.isnan(result.fun)


def test_extra_arguments_of_every_kind():
    def power(x, shift, exponent, name):
        return np.sum((x - shift) ** (exponent if name == "even" else 3))

    result = minimize(power, START, args=(np.array([1.0, 2.0]), 2, "even"))
    np.testing.assert_allclose(result.x, [1, 2], atol=1e-5)
    single = minimize(lambda x, a: np.sum((x - a) ** 2), START, args=3.0)
    np.testing.assert_allclose(single.x, 3, atol=1e-5)


def test_hyper_gradient_through_numpy_code():
    def fun(x, a):
        return (x[0] - a) ** 2 + (x[1] - a * x[0]) ** 2

    with jax.enable_x64(True):
        slope = jax.jacrev(lambda a: minimize(fun, START, args=(a,), options={"gtol": 1e-9}).x)(2.0)
    np.testing.assert_allclose(slope, [1, 4], rtol=1e-6)


def test_result_in_the_jax_world_is_a_pytree_of_arrays():
    result = jax.jit(lambda x: minimize(rosenbrock, x, options={"gtol": 1e-3}))(jnp.asarray(START))
    assert isinstance(result, scipy.optimize.OptimizeResult)
    assert all(isinstance(leaf, jax.Array) for leaf in jax.tree_util.tree_leaves(result))
    assert "message" not in result
    assert result.x.dtype == jnp.float32
