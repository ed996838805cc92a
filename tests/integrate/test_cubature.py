"""`sci.integrate.cubature` and `qmc_quad` against SciPy's and closed forms, in both worlds."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.integrate
from scipy import stats

import sci
from sci.integrate import cubature, qmc_quad
from solvers import quadrature

INF = np.inf
POWERS = np.arange(4.0).reshape(2, 2)


@pytest.mark.parametrize(
    "f, a, b, options",
    [
        (lambda x: x[:, :, None] ** POWERS.ravel(), [0.0], [2], {}),
        (lambda x: np.cos(6 * x[:, 0]) * np.sqrt(x[:, 1]), [0, 0], [1, 2], {"rule": "gk15", "rtol": 1e-5}),
        (lambda x, k: np.exp(-k * np.sum(x**2, axis=-1)), [1, 0, 0], [0, 1, 2], {"rule": "genz-malik", "args": (1.3,)}),
        (lambda x: np.exp(-np.sum((x - 0.2) ** 2, axis=-1)), [-INF, 0], [INF, INF], {"rtol": 1e-5, "rule": "gk15"}),
        (lambda x: np.sin(x[:, 0]) / x[:, 0], [-1], [1.5], {"points": [[0]]}),
        (lambda x: np.abs(x[:, 0] - 0.3) ** -0.3, [0], [1], {"max_subdivisions": 4}),
    ],
)
def test_cubature_as_scipy(f, a, b, options):
    sci.clear_fallbacks()
    theirs = scipy.integrate.cubature(f, a, b, **options)
    ours = cubature(f, a, b, **options)
    assert not sci.fallbacks()
    assert type(ours) is type(theirs)
    np.testing.assert_allclose(ours.estimate, theirs.estimate, rtol=1e-10, atol=1e-14)
    np.testing.assert_allclose(ours.error, theirs.error, rtol=0.2, atol=1e-13)
    assert (ours.status, ours.subdivisions, len(ours.regions)) == (
        theirs.status, theirs.subdivisions, len(theirs.regions),
    )  # fmt: skip
    total = sum(r.estimate for r in ours.regions)
    np.testing.assert_allclose(np.abs(total), np.abs(ours.estimate), rtol=1e-8)


def test_cubature_where_scipy_is_wrong():
    np.testing.assert_allclose(cubature(lambda x: np.exp(x[:, 0]), [-INF], [0.5]).estimate, np.exp(0.5), rtol=1e-8)
    assert cubature(lambda x: x[:, 0] * np.nan, [0], [1]).status == "not_converged"


@pytest.mark.parametrize("change", [{"rule": "simpson"}, {"a": [], "b": []}, {"a": [[0.0]]}, {"rule": "genz-malik"}])
def test_cubature_bad_input(change):
    for f in (scipy.integrate.cubature, cubature):
        with pytest.raises(ValueError):
            f(**({"f": lambda x: x[:, 0], "a": [0.0], "b": [1.0]} | change))


def test_cubature_in_the_jax_world():
    with jax.enable_x64(True):

        def f(k, b):
            return cubature(lambda x: jnp.exp(-k * x[:, 0]) * x[:, 1], jnp.zeros(2), b, rule="genz-malik").estimate

        exact = lambda k, b: (1 - jnp.exp(-k * b[0])) / k * b[1] ** 2 / 2
        at = (0.7, jnp.array([1.5, 2.0]))
        value, gradient = jax.jit(jax.value_and_grad(f, (0, 1)))(*at)
        np.testing.assert_allclose(value, exact(*at), rtol=1e-8)
        for got, expected in zip(gradient, jax.grad(exact, (0, 1))(*at), strict=True):
            np.testing.assert_allclose(got, expected, rtol=1e-7)
        # the jump stays where it is while the end moves
        np.testing.assert_allclose(jax.grad(jump)(1.0), 3.0, rtol=1e-9)


def jump(b):
    low = jnp.array([[0.0], [0.3]])
    high = jnp.stack([jnp.array([0.3]), b[None]])
    return quadrature.cubature(lambda x: jnp.where(x[:, 0] < 0.3, 1.0, 3.0), low, high).value


def engine():
    return stats.qmc.Sobol(2, seed=np.random.default_rng(3))


@pytest.mark.parametrize("log", [False, True])
def test_qmc_quad_on_the_same_points(log):
    f = (lambda x: -np.sum(x**2, axis=0)) if log else (lambda x: np.exp(-np.sum(x**2, axis=0)))
    for a, b in (([0, 0.5], [1, 2]), ([1, 0.5], [0, 2])):
        options = {"n_points": 64, "n_estimates": 4, "log": log}
        theirs = scipy.integrate.qmc_quad(f, a, b, qrng=engine(), **options)
        ours = qmc_quad(f, a, b, qrng=engine(), **options)
        np.testing.assert_allclose(ours, theirs, rtol=1e-9)
        assert type(ours) is type(theirs)


def test_qmc_quad_bad_input():
    f = lambda x: x[0]
    with pytest.warns(UserWarning, match="equal to an upper"):
        assert qmc_quad(f, [0, 1], [1, 1]).integral == 0
    for module in (sci.integrate, scipy.integrate):
        for args, kwargs, error in (
            ((1, [0], [1]), {}, TypeError),
            ((f, [0], [1]), {"n_points": 1.5}, TypeError),
            ((f, [0], [1]), {"qrng": np.random.default_rng(0)}, TypeError),
            ((f, [0], [1]), {"qrng": engine()}, ValueError),
            ((f, [0], [1]), {"log": 3}, TypeError),
            ((lambda x: x[5], [0], [1]), {}, ValueError),
        ):
            with pytest.raises(error):
                module.qmc_quad(*args, **kwargs)


def test_qmc_quad_in_the_jax_world():
    with jax.enable_x64(True):
        f = lambda b: qmc_quad(lambda x: x[0] * x[1], jnp.zeros(2), b, qrng=engine(), n_points=256).integral
        b = jnp.array([1.0, 2.0])
        np.testing.assert_allclose(f(b), 1.0, rtol=1e-3)
        np.testing.assert_allclose(jax.grad(f)(b), [2.0, 1.0], rtol=1e-3)
