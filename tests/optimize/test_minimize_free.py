"""`sci.optimize.minimize` without derivatives, Nelder-Mead and Powell: SciPy's path, counters, limits and messages."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.optimize
from scipy.optimize import OptimizeWarning

from sci.optimize import minimize

START = np.array([1.3, 0.7, 0.8])
METHODS = ("Nelder-Mead", "Powell")
BOX = [(0, 0.9), (-1, 2), (0.1, 3)]


def valley(x):
    return np.sum(100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2)


def bowl(x):
    return np.sum((x - np.array([1.5, -1.0, 2.0])) ** 2) + (x[0] - x[1]) ** 4


pytestmark = pytest.mark.usefixtures("native")


def same(ours, theirs):
    assert list(ours) == list(theirs)
    counters = ("nit", "nfev", "status", "success", "message")
    assert [ours[c] for c in counters] == [theirs[c] for c in counters]
    np.testing.assert_allclose(ours.x, theirs.x, rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(ours.fun, theirs.fun, rtol=1e-4, atol=1e-8)


@pytest.mark.parametrize("method", METHODS)
def test_path_and_fields_are_scipys(method):
    options = {"return_all": True}
    ours = minimize(valley, START, method=method, options=options)
    theirs = scipy.optimize.minimize(valley, START, method=method, options=options)
    same(ours, theirs)
    assert len(ours.allvecs) == len(theirs.allvecs)
    np.testing.assert_allclose(ours.allvecs[:10], theirs.allvecs[:10], rtol=1e-6)


@pytest.mark.filterwarnings("ignore:Initial guess")
@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(
    "bounds", [BOX, [(None, 0.9), (0, None), (None, None)], [(2, 3), (0.5, 2), (0, 1)]], ids=["box", "sides", "outside"]
)
def test_bounds(method, bounds):
    ours = minimize(bowl, START, method=method, bounds=bounds)
    same(ours, scipy.optimize.minimize(bowl, START, method=method, bounds=bounds))
    assert all((a is None or v >= a) and (b is None or v <= b) for v, (a, b) in zip(ours.x, bounds, strict=True))


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    ("method", "options"),
    [
        ("Nelder-Mead", {"adaptive": True}),
        ("Nelder-Mead", {"initial_simplex": [[0, 0, 0], [1, 0, 0.5], [0, 1, 0], [0.3, 0, 1]], "xatol": 1e-2}),
        ("Nelder-Mead", {"fatol": 1e-2, "xatol": 1e-1}),
        ("Nelder-Mead", {"maxfev": 4}),
        *(("Nelder-Mead", {"maxfev": limit}) for limit in range(30, 36)),
        ("Nelder-Mead", {"maxiter": 20}),
        ("Powell", {"direc": [[1, 1, 0], [0, 1, 0], [0, 0, 2]], "xtol": 1e-2}),
        ("Powell", {"direc": [[1, 1, 0], [0, 0, 0], [0, 0, 2]]}),
        ("Powell", {"ftol": 1e-1}),
        ("Powell", {"maxfev": 33}),
        ("Powell", {"maxiter": 2}),
    ],
    ids=str,
)
def test_options(method, options):
    ours = minimize(valley, START, method=method, options=options)
    same(ours, scipy.optimize.minimize(valley, START, method=method, options=options))


@pytest.mark.parametrize("method", METHODS)
def test_callback_sees_iterates_and_can_stop(method):
    seen = []

    def stop(intermediate_result):
        seen.append(intermediate_result)
        if len(seen) == 3:
            raise StopIteration

    whole = minimize(valley, START, method=method, options={"return_all": True})
    result = minimize(valley, START, method=method, callback=stop)
    assert (result.status, result.success, len(seen)) == (99, False, 3)
    np.testing.assert_allclose([r.x for r in seen], whole.allvecs[1:4], rtol=1e-12)
    assert seen[-1].fun == pytest.approx(valley(seen[-1].x))


@pytest.mark.parametrize("method", METHODS)
def test_nan_is_no_success(method):
    result = minimize(lambda x: np.sum(x) * np.nan, START, method=method)
    assert not result.success and np.isnan(result.fun)


def test_bad_input():
    with pytest.raises(ValueError, match="should be an array of shape"):
        minimize(valley, START, method="Nelder-Mead", options={"initial_simplex": np.ones((3, 3))})
    with pytest.raises(ValueError, match="not consistent with `x0`"):
        minimize(valley, START, method="Nelder-Mead", options={"initial_simplex": np.ones((3, 2))})
    with pytest.warns(OptimizeWarning, match="not full rank"):
        minimize(valley, START, method="Powell", options={"direc": np.ones((3, 3)), "maxiter": 1})
    for method in METHODS:
        with pytest.warns(RuntimeWarning, match="does not use gradient information"):
            minimize(valley, START, method=method, jac=lambda x: x, options={"maxiter": 1})
        with pytest.warns(OptimizeWarning, match="Initial guess"):
            minimize(valley, START, method=method, bounds=[(5, 6)] * 3, options={"maxiter": 1})
        with pytest.raises(ValueError, match="upper bound is less"):
            minimize(valley, START, method=method, bounds=[(1, 0)] * 3)


def test_display(capsys):
    for method in METHODS:
        minimize(valley, START, method=method, options={"disp": True})
        ours = capsys.readouterr().out
        scipy.optimize.minimize(valley, START, method=method, options={"disp": True})
        assert ours == capsys.readouterr().out


@pytest.mark.parametrize("method", METHODS)
def test_derivative_and_batch(method):
    """The minimiser is as exact as its derivative: one Newton step from it is within the tolerance."""

    def solve(a, x0):
        return minimize(lambda x: jnp.sum((x - a) ** 2) + (x[0] - x[1]) ** 2, x0, method=method, tol=1e-7).x

    with jax.enable_x64(True):
        start = jnp.zeros(2)
        slope = jax.jacrev(solve)(jnp.array([1.0, 2.0]), start)
        np.testing.assert_allclose(slope, [[2 / 3, 1 / 3], [1 / 3, 2 / 3]], rtol=1e-6)
        centres = jnp.array([[1.0, 2.0], [-3.0, 0.5]])
        batch = jax.vmap(solve, (0, None))(centres, start)
        for one, centre in zip(batch, centres, strict=True):
            # rounding (jax 0.12) sends Powell's line search to another point within its tolerance
            np.testing.assert_allclose(one, solve(centre, start), rtol=1e-8, atol=1e-12)
