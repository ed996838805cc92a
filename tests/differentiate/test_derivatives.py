"""`derivative`, `jacobian`, `hessian`: SciPy's fields and shapes, exact values, errors."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.differentiate

import sci
from sci import differentiate

POINTS = np.array([[1.0, 2.0, 0.5], [3.0, -1.0, 0.2]])


def field(x):
    return np.stack([x[0] * x[1], x[0] ** 2 + np.sin(x[1]), x[1]])


def scalar(x):
    return x[0] ** 3 * x[1] + np.exp(x[1])


pytestmark = pytest.mark.usefixtures("native")


CASES = {
    "derivative": lambda m: m.derivative(np.exp, np.array([1.0, 2.0])),
    "number": lambda m: m.derivative(np.exp, 1),
    "args": lambda m: m.derivative(lambda x, p: x**p, 2.0, args=(np.array([1, 2, 3.0]),)),
    "preserve_shape": lambda m: m.derivative(lambda x: np.array([x, np.sin(x)]), 1.0, preserve_shape=True),
    "infinite": lambda m: m.derivative(lambda x: np.cbrt(x), np.array([0.0, 1.0])),
    "jacobian": lambda m: m.jacobian(field, POINTS[:, 0]),
    "jacobian at points": lambda m: m.jacobian(field, POINTS),
    "gradient": lambda m: m.jacobian(scalar, POINTS[:, 0]),
    "hessian": lambda m: m.hessian(scalar, POINTS[:, 0]),
    "hessian at points": lambda m: m.hessian(scalar, POINTS),
}


@pytest.mark.parametrize("name", CASES)
def test_fields_and_values_are_scipys(name):
    with np.errstate(all="ignore"):
        ours, theirs = CASES[name](differentiate), CASES[name](scipy.differentiate)
    assert type(ours) is type(theirs) and set(ours) == set(theirs)
    for field_name, value in theirs.items():
        if field_name == "_order_keys":
            continue
        assert np.shape(ours[field_name]) == np.shape(value)
        assert np.asarray(ours[field_name]).dtype == np.asarray(value).dtype
    finite = np.asarray(ours.success)
    for key in {"df", "ddf"} & set(theirs):
        np.testing.assert_allclose(np.asarray(ours[key])[finite], np.asarray(theirs[key])[finite], rtol=1e-7, atol=1e-8)


def test_what_is_not_finite_is_no_success():
    with np.errstate(all="ignore"):
        result = differentiate.derivative(np.sqrt, np.array([0.0, 4.0]))
    assert result.status.tolist() == [-3, 0] and result.success.tolist() == [False, True]
    assert np.isnan(result.df[0]) and result.df[1] == 0.25


@pytest.mark.parametrize(
    "call",
    [
        lambda m: m.derivative(1, 1.0),
        lambda m: m.derivative(np.sin, 1j),
        lambda m: m.derivative(np.sin, 1.0, maxiter=-1),
        lambda m: m.derivative(np.sin, 1.0, order=0),
        lambda m: m.derivative(np.sin, 1.0, tolerances={"atol": -1}),
        lambda m: m.derivative(np.sin, 1.0, step_factor=-1),
        lambda m: m.derivative(np.sin, 1.0, preserve_shape=3),
        lambda m: m.derivative(np.sin, 1.0, callback=3),
        lambda m: m.derivative(lambda x: np.array([x, x]), 1.0),
        lambda m: m.jacobian(np.sin, 1.0),
        lambda m: m.hessian(np.sin, 1.0),
    ],
)
def test_bad_input_raises_scipys_exception(call):
    with pytest.raises(Exception) as theirs:  # noqa: PT011
        call(scipy.differentiate)
    with pytest.raises(type(theirs.value)):
        call(differentiate)


def test_results_are_differentiable_and_batched():
    def slope(x):
        return differentiate.derivative(lambda x: jnp.exp(2 * x), x).df

    with jax.enable_x64(True):
        np.testing.assert_allclose(jax.grad(slope)(0.5), 4 * np.exp(1.0), rtol=1e-12)
        batch = jax.jit(jax.vmap(lambda x: differentiate.jacobian(field, x).df))(jnp.asarray(POINTS.T))
    np.testing.assert_allclose(batch, np.moveaxis(differentiate.jacobian(field, POINTS).df, -1, 0), rtol=1e-12)


def test_a_step_of_zero_is_answered_as_by_scipy():
    result = differentiate.derivative(np.exp, 1.0, initial_step=0)
    assert np.isnan(result.df) and not result.success and result.status == -3
    sci.clear_fallbacks()


def test_one_sided_derivatives_run_on_scipy():
    result = differentiate.derivative(np.abs, 0.0, step_direction=1)
    assert result.df == pytest.approx(1.0)
    assert [r.function for r in sci.fallbacks()] == ["scipy.differentiate.derivative"]
    sci.clear_fallbacks()
