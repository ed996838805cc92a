"""`sci.integrate.tanhsinh` against SciPy's, in both worlds."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.integrate

import sci
from sci.integrate import tanhsinh

INF = np.inf


@pytest.mark.parametrize(
    "f, a, b, options",
    [
        (lambda x: np.exp(-x) / np.sqrt(x), 0.0, 3.0, {}),
        (lambda x, c: np.sin(c * x), 0, 1, {"args": ([1, 10, 30, 100],), "minlevel": 1}),
        (lambda x, k: np.exp(-k * (x - 0.2) ** 2), [-INF, 0.5, -INF, INF], [INF, INF, 1.0, 2.0], {"args": (1.7,)}),
        (lambda x, k: np.exp(1j * k * x), 3.0, [1.0, 3.0], {"args": (2.0,), "rtol": 1e-6}),
        (lambda x: -x * x / 2, -INF, [INF, 1.0], {"log": True}),
        (lambda x: np.cos(300 * x), 0.0, 4.0, {"maxlevel": 4}),
        (lambda x: [x[0] ** 2, np.cos(x[1])], np.zeros(2), 1.0, {"preserve_shape": True, "atol": 1e-5}),
        (lambda x: np.log(x) ** 2, np.float32(0), np.float32(1), {}),
    ],
)
def test_as_scipy(f, a, b, options):
    sci.clear_fallbacks()
    with np.errstate(all="ignore"):
        theirs = scipy.integrate.tanhsinh(f, a, b, **options)
        ours = tanhsinh(f, a, b, **options)
    assert not sci.fallbacks()
    assert set(ours) == set(theirs) and type(ours) is type(theirs)
    rtol = 2e-6 if np.asarray(theirs.integral).dtype == np.float32 else 1e-12
    for name in ("status", "success", "nfev", "maxlevel"):
        np.testing.assert_array_equal(ours[name], theirs[name], err_msg=name)
    np.testing.assert_allclose(ours.integral, theirs.integral, rtol=rtol, atol=1e-14)
    np.testing.assert_allclose(ours.error, theirs.error, rtol=0.3, atol=1e-13)
    assert np.asarray(ours.integral).dtype == np.asarray(theirs.integral).dtype


def test_failures_are_reported():
    for f in (tanhsinh, scipy.integrate.tanhsinh):
        r = f(lambda x: x * np.nan, 0.0, [1.0, 2.0])
        np.testing.assert_array_equal(r.status, -3)
        assert not r.success.any() and np.isnan(r.integral).all()


@pytest.mark.parametrize(
    "change",
    [{"f": 1}, {"a": 1j}, {"log": 2}, {"atol": -1}, {"rtol": np.inf}, {"maxlevel": -1}, {"minlevel": 1.5},
     {"preserve_shape": 3}, {"callback": 1}, {"f": lambda x: np.zeros(3)}],
)  # fmt: skip
def test_bad_input(change):
    for f in (scipy.integrate.tanhsinh, tanhsinh):
        with pytest.raises(ValueError):
            f(**({"f": np.exp, "a": 0.0, "b": 1.0} | change))


def test_jax_world():
    with jax.enable_x64(True):
        f = lambda k, b: tanhsinh(lambda x, k: jnp.exp(-k * x) * x, 0.0, b, args=(k,)).integral
        exact = lambda k, b: (1 - jnp.exp(-k * b) * (1 + k * b)) / k**2
        k = jnp.array([0.5, 2.0])
        value, gradient = jax.jit(jax.value_and_grad(lambda k, b: f(k, b).sum(), (0, 1)))(k, 1.5)
        np.testing.assert_allclose(value, exact(k, 1.5).sum(), rtol=1e-12)
        for got, i in zip(gradient, (0, 1), strict=True):
            np.testing.assert_allclose(got, jax.grad(lambda k, b: exact(k, b).sum(), i)(k, 1.5), rtol=1e-10)


@pytest.mark.filterwarnings("ignore::sci.FallbackWarning")
def test_logarithm_with_flipped_limits():
    def f(x):
        return -0.5 * x**2

    ours, theirs = tanhsinh(f, 1.0, -1.0, log=True), scipy.integrate.tanhsinh(f, 1.0, -1.0, log=True)
    assert np.iscomplexobj(ours.integral)
    np.testing.assert_allclose(ours.integral, theirs.integral, rtol=1e-10)
    limits = jnp.array([1.0, -1.0]), jnp.array([-1.0, 1.0])
    found = tanhsinh(lambda x: -0.5 * x**2, *limits, log=True).integral
    assert jnp.isnan(found[0]) and jnp.isfinite(found[1])
