"""`least_squares`, `leastsq` and `curve_fit`: SciPy's results, covariances, warnings and errors."""

import warnings

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.optimize

import sci
from sci.optimize import curve_fit, least_squares, leastsq

T = np.linspace(0, 4, 25)
Y = 2.5 * np.exp(-1.3 * T) + 0.5 + 0.05 * np.cos(20 * T)


def model(t, a, b, c):
    return a * np.exp(-b * t) + c


def slopes(t, a, b, c):
    return np.stack([np.exp(-b * t), -a * t * np.exp(-b * t), np.ones_like(t)], axis=1)


def residuals(p):
    return model(T, *p) - Y


pytestmark = pytest.mark.usefixtures("native")


def test_least_squares_is_scipys():
    ours = least_squares(residuals, np.ones(3), method="lm")
    theirs = scipy.optimize.least_squares(residuals, np.ones(3), method="lm")
    assert set(ours) == set(theirs)
    assert (ours.status, ours.nfev, ours.njev, ours.message) == (theirs.status, theirs.nfev, None, theirs.message)
    for name in ("x", "cost", "fun", "jac"):
        np.testing.assert_allclose(ours[name], theirs[name], rtol=1e-5, atol=1e-7)


def test_leastsq_is_scipys():
    ours = leastsq(residuals, np.ones(3), full_output=True)
    theirs = scipy.optimize.leastsq(residuals, np.ones(3), full_output=True)
    np.testing.assert_allclose(ours[0], theirs[0], rtol=1e-6)
    np.testing.assert_allclose(ours[1], theirs[1], rtol=1e-4)
    assert set(ours[2]) == set(theirs[2])
    np.testing.assert_array_equal(ours[2]["ipvt"], theirs[2]["ipvt"])
    assert ours[4] == theirs[4]
    assert leastsq(residuals, np.ones(3))[1] == ours[4]


@pytest.mark.parametrize("jac", [None, slopes], ids=["exact", "given"])
@pytest.mark.parametrize("absolute", [False, True])
@pytest.mark.parametrize("sigma", [None, [0.3], 0.1 + T, np.diag(0.1 + T) + 0.02], ids=["none", "one", "1-d", "2-d"])
def test_curve_fit_covariance_is_scipys(sigma, absolute, jac):
    ours = curve_fit(model, T, Y, sigma=sigma, absolute_sigma=absolute, jac=jac)
    theirs = scipy.optimize.curve_fit(model, T, Y, sigma=sigma, absolute_sigma=absolute, jac=slopes)
    np.testing.assert_allclose(ours[0], theirs[0], rtol=1e-6)
    np.testing.assert_allclose(ours[1], theirs[1], rtol=1e-6)


def test_inestimable_covariance_is_infinite_with_a_warning():
    with pytest.warns(scipy.optimize.OptimizeWarning, match="could not be estimated"):
        _, pcov = curve_fit(lambda x, a, b: a + b * x, [1, 2], [1, 2])
    assert np.isinf(pcov).all()
    with pytest.warns(scipy.optimize.OptimizeWarning, match="could not be estimated"):
        _, pcov = curve_fit(lambda x, a, b: a + 0 * b * x, T, Y)
    assert np.isinf(pcov).all()


def test_nan_policy_omits_points_with_their_sigma():
    x, y, sigma = T.copy(), Y.copy(), 0.1 + T
    x[3], y[7] = np.nan, np.nan
    keep = ~(np.isnan(x) | np.isnan(y))
    omitted = curve_fit(model, x, y, sigma=sigma, nan_policy="omit")
    plain = curve_fit(model, x[keep], y[keep], sigma=sigma[keep])
    np.testing.assert_allclose(omitted[0], plain[0], rtol=1e-12)
    with pytest.raises(ValueError, match="contains nan"):
        curve_fit(model, x, y, nan_policy="raise")
    with pytest.raises(ValueError, match="infs or NaNs"):
        curve_fit(model, x, y)


@pytest.mark.parametrize(
    ("call", "error"),
    [
        (lambda m: m.curve_fit(model, [], []), ValueError),
        (lambda m: m.curve_fit(lambda x: x, T, Y), ValueError),
        (lambda m: m.curve_fit(model, T, Y, sigma=np.ones(3)), ValueError),
        (lambda m: m.curve_fit(model, T, Y, sigma=-np.eye(T.size)), ValueError),
        (lambda m: m.curve_fit(model, T[:2], Y[:2]), TypeError),
        (lambda m: m.curve_fit(model, T, Y, wrong=1), TypeError),
        (lambda m: m.curve_fit(model, T, Y, maxfev=2), RuntimeError),
        (lambda m: m.leastsq(lambda p: p[:1], np.ones(2)), TypeError),
        (lambda m: m.leastsq(residuals, np.ones(3), Dfun=lambda p: np.ones((2, 2))), TypeError),
        (lambda m: m.least_squares(lambda p: p[:1], np.ones(2), method="lm"), ValueError),
        (lambda m: m.least_squares(lambda p: p * np.nan, np.ones(2), method="lm"), ValueError),
        (lambda m: m.least_squares(residuals, np.ones(3), method="lm", ftol=1e-20), ValueError),
        (lambda m: m.least_squares(residuals, np.ones(3), method="lm", x_scale=-1), ValueError),
        (lambda m: m.least_squares(residuals, np.ones((3, 1)), method="lm"), ValueError),
        (lambda m: m.least_squares(residuals, np.ones(3), method="lm", max_nfev=0), ValueError),
    ],
)
def test_bad_input_raises_scipys_exception(call, error):
    with pytest.raises(error), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        call(scipy.optimize)
    with pytest.raises(error):
        call(sci.optimize)


def test_many_fits_at_once():
    data = Y + 0.05 * np.random.default_rng(0).normal(size=(20, T.size))
    with jax.enable_x64(True):
        popt, pcov = jax.jit(jax.vmap(lambda y: curve_fit(model, T, y)))(jnp.asarray(data))
    for y, p, c in zip(data, popt, pcov, strict=True):
        expected = scipy.optimize.curve_fit(model, T, y, jac=slopes)
        np.testing.assert_allclose(p, expected[0], rtol=1e-6)
        np.testing.assert_allclose(c, expected[1], rtol=1e-5)


def test_failed_fit_is_nan_in_the_jax_world():
    popt, _ = curve_fit(model, jnp.asarray(T), jnp.asarray(Y), maxfev=2)
    assert np.isnan(popt).all()


def plane(x, a, b, c=1.0):
    return a * x[0] + b * np.exp(-c * x[1])


GRID = np.random.default_rng(4).uniform(0, 2, (2, 30))
PLANE = plane(GRID, 1.5, 2.0, 0.7) + 0.02 * np.sin(37 * GRID[0])
SPREAD = 0.02 * np.eye(30) + 0.005
COVARIANCE = SPREAD @ SPREAD.T


@pytest.mark.parametrize("xdata", [GRID, GRID.tolist(), tuple(GRID)], ids=["2-d", "list", "tuple"])
@pytest.mark.parametrize(
    "options",
    [{}, {"sigma": COVARIANCE, "absolute_sigma": True}, {"sigma": COVARIANCE}, {"full_output": True}],
    ids=["plain", "covariance", "relative", "full_output"],
)
def test_several_independent_variables(xdata, options):
    ours = sci.optimize.curve_fit(plane, xdata, PLANE, **options)
    theirs = scipy.optimize.curve_fit(plane, xdata, PLANE, **options)
    np.testing.assert_allclose(ours[0], theirs[0], rtol=1e-5)
    np.testing.assert_allclose(ours[1], theirs[1], rtol=1e-3)
    if "full_output" in options:
        assert set(ours[2]) == set(theirs[2]) and ours[4] in (1, 2, 3)
        np.testing.assert_allclose(ours[2]["fvec"], theirs[2]["fvec"], atol=1e-6)
