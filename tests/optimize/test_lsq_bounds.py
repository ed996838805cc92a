"""`least_squares` and `curve_fit` by trf and dogbox: SciPy's fields, covariances, messages and errors."""

import warnings

import jax
import numpy as np
import pytest
import scipy.optimize
from scipy.optimize import Bounds

from sci import optimize

T = np.linspace(0, 4, 25)
Y = 2.5 * np.exp(-1.3 * T) + 0.5 + 0.05 * np.cos(20 * T)


def model(t, a, b, c):
    return a * np.exp(-b * t) + c


def slopes(t, a, b, c):
    return np.stack([np.exp(-b * t), -a * t * np.exp(-b * t), np.ones_like(t)], axis=1)


def residuals(p):
    return p[0] * np.exp(-p[1] * T) + p[2] - Y


def jacobian(p):
    return slopes(T, *p)


def logarithmic(z):
    return np.stack([np.log1p(z), 1 / (1 + z), -1 / (1 + z) ** 2])


pytestmark = pytest.mark.usefixtures("native")


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"method": "dogbox", "bounds": (0, [2, 5, 5])},
        {"bounds": Bounds([0, 0, 0.6], [2, 5, 5]), "x_scale": "jac"},
        {"loss": "cauchy", "f_scale": 0.1, "x_scale": [1, 2, 3.0]},
        {"loss": logarithmic, "tr_solver": "exact"},
        {"max_nfev": 3},
        {"ftol": None},
    ],
    ids=["plain", "dogbox", "bounds", "cauchy", "callable loss", "max_nfev", "no ftol"],
)
def test_result_is_scipys(options):
    ours = optimize.least_squares(residuals, np.ones(3), jac=jacobian, **options)
    theirs = scipy.optimize.least_squares(residuals, np.ones(3), jac=jacobian, **options)
    assert list(ours) == list(theirs)
    for name, value in theirs.items():
        if isinstance(value, (str, bool, int)):
            assert ours[name] == value
        else:
            np.testing.assert_allclose(ours[name], value, rtol=1e-5, atol=1e-6)
            assert np.asarray(ours[name]).dtype == np.asarray(value).dtype


@pytest.mark.parametrize(
    "options",
    [
        {"bounds": (0, [2, 5, 5])},
        {"method": "trf"},
        {"method": "dogbox", "full_output": True},
        {"bounds": (0, [2, 5, 5]), "sigma": 0.1 + T, "absolute_sigma": True},
        {"bounds": (0, [2, 5, 5]), "sigma": np.diag(0.1 + T) + 0.01},
        {"bounds": (0, 9), "loss": "huber", "x_scale": "jac"},
    ],
    ids=["bounds", "trf", "dogbox", "absolute sigma", "covariance", "huber"],
)
def test_curve_fit_is_scipys(options):
    ours = optimize.curve_fit(model, T, Y, jac=slopes, **options)
    theirs = scipy.optimize.curve_fit(model, T, Y, jac=slopes, **options)
    np.testing.assert_allclose(ours[0], theirs[0], rtol=1e-6)
    np.testing.assert_allclose(ours[1], theirs[1], rtol=1e-5)
    if "full_output" in options:
        assert set(ours[2]) == set(theirs[2]) and ours[3:] == theirs[3:]
        assert ours[2]["nfev"] == theirs[2]["nfev"]


def test_singular_covariance_is_the_pseudo_inverse():
    def line(x, a, b):
        return a * x + 0 * b

    ours, theirs = (m.curve_fit(line, T, Y, method="trf") for m in (optimize, scipy.optimize))
    np.testing.assert_allclose(ours[1], theirs[1], rtol=1e-4, atol=1e-12)


BAD = [
    lambda m: m.least_squares(residuals, np.ones(3), method="foo"),
    lambda m: m.least_squares(residuals, np.ones(3), jac="4-point"),
    lambda m: m.least_squares(residuals, np.ones(3), tr_solver="x"),
    lambda m: m.least_squares(residuals, np.ones(3), loss="x"),
    lambda m: m.least_squares(residuals, np.ones(3), loss=lambda z: z),
    lambda m: m.least_squares(residuals, np.ones(3), bounds=(2, 0)),
    lambda m: m.least_squares(residuals, np.ones(3), bounds=(5, 6)),
    lambda m: m.least_squares(residuals, np.ones(3), bounds=([0, 0], 1)),
    lambda m: m.least_squares(residuals, np.ones(3), bounds=(0,)),
    lambda m: m.least_squares(residuals, np.ones(3), ftol=1e-20, xtol=1e-20, gtol=1e-20),
    lambda m: m.least_squares(residuals, np.ones(3), x_scale=[1, 2.0]),
    lambda m: m.least_squares(residuals, np.ones(3), jac=lambda p: np.ones((2, 2))),
    lambda m: m.least_squares(residuals, 1j * np.ones(3)),
    lambda m: m.least_squares(lambda p: p * np.nan, np.ones(3)),
    lambda m: m.curve_fit(model, T, Y, method="lm", bounds=(0, 3)),
    lambda m: m.curve_fit(model, T, Y, bounds=(0, 9), max_nfev=2),
    lambda m: m.curve_fit(model, T, Y, bounds=(0, 9), wrong=2),
]


@pytest.mark.parametrize("call", BAD)
def test_bad_input_raises_scipys_exception(call):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with pytest.raises(Exception) as theirs:  # noqa: PT011
            call(scipy.optimize)
        with pytest.raises(type(theirs.value)):
            call(optimize)


def test_many_bounded_fits_with_gradients():
    def fit(y):
        return optimize.curve_fit(model, T, y, bounds=(0, np.array([2.0, 5.0, 5.0])))[0]

    data = Y + 0.05 * np.random.default_rng(0).normal(size=(3, T.size))
    with jax.enable_x64(True):
        found, slope = jax.jit(jax.vmap(lambda y: (fit(y), jax.jacrev(fit)(y))))(data)
    for i, y in enumerate(data):
        expected = scipy.optimize.curve_fit(model, T, y, bounds=(0, [2.0, 5.0, 5.0]), jac=slopes, xtol=1e-12)[0]
        np.testing.assert_allclose(found[i], expected, rtol=1e-5)
    assert np.abs(slope[:, 0]).max() < 1e-9, "the amplitude is held at its bound"
    assert np.abs(slope[:, 1]).max() > 1e-3
