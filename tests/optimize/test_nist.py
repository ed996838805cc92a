"""The certified parameters of NIST's nonlinear regressions, from both of its starts."""

import warnings

import numpy as np
import pytest

import sci
from sci.optimize import curve_fit, least_squares
from tests.problems.optimize import REGRESSIONS


@pytest.mark.parametrize("method", ["lm", "trf"])
@pytest.mark.parametrize("regression", REGRESSIONS, ids=lambda r: r.name)
def test_certified_parameters(regression, method):
    x, y = np.asarray(regression.x, float), np.asarray(regression.y, float)

    def residuals(b, x, y):
        return regression.model(b, x, np) - y

    sci.clear_fallbacks()
    for start in regression.starts:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)
            found = least_squares(
                residuals, start, method=method, x_scale="jac", xtol=1e-12, ftol=1e-12, gtol=1e-12, max_nfev=5000,
                args=(x, y),
            )  # fmt: skip
        assert found.success, found.message
        np.testing.assert_allclose(found.x, regression.certified, rtol=1e-5)
        assert 2 * found.cost == pytest.approx(regression.rss, rel=1e-8)
    assert not sci.fallbacks()


def test_certified_standard_deviations():
    thurber = next(r for r in REGRESSIONS if r.name == "Thurber")

    def model(x, *b):
        return thurber.model(b, x, np)

    _, covariance = curve_fit(model, thurber.x, thurber.y, p0=thurber.starts[1], xtol=1e-12, ftol=1e-12)
    published = [4.6647963344, 3.9571156086e1, 2.8698696102e1, 5.5675370270, 3.1333340687e-2, 1.4984928198e-2]
    np.testing.assert_allclose(np.sqrt(np.diag(covariance)), [*published, 6.5842344623e-3], rtol=1e-5)
