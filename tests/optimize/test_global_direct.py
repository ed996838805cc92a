"""`direct`: known minima, SciPy's endings, derivatives."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.optimize

import sci
from sci.optimize import direct


def styblinski_tang(x, depth=1.0):
    return depth * 0.5 * np.sum(x**4 - 16 * x**2 + 5 * x)


def six_hump_camel(x):
    return (4 - 2.1 * x[0] ** 2 + x[0] ** 4 / 3) * x[0] ** 2 + x[0] * x[1] + 4 * (x[1] ** 2 - 1) * x[1] ** 2


def branin(x):
    b, c = 5.1 / (4 * np.pi**2), 5 / np.pi
    return (x[1] - b * x[0] ** 2 + c * x[0] - 6) ** 2 + 10 * (1 - 1 / (8 * np.pi)) * np.cos(x[0]) + 10


#: Box and published minimum.
CATALOGUE = {
    "styblinski": (styblinski_tang, [(-4.0, 4.0)] * 2, 2 * -39.16616570377142),
    "camel": (six_hump_camel, [(-3.0, 3.0), (-2.0, 2.0)], -1.031628453489877),
    "branin": (branin, [(-5.0, 10.0), (0.0, 15.0)], 0.397887357729738),
}


pytestmark = pytest.mark.usefixtures("native")


@pytest.mark.parametrize(("name", "biased"), [("styblinski", True), ("camel", False), ("branin", True)])
def test_published_minimum_within_scipys_evaluations(name, biased):
    function, box, least = CATALOGUE[name]
    ours = direct(function, box, locally_biased=biased, maxfun=2000)
    assert ours.fun == pytest.approx(function(ours.x), abs=1e-12)
    assert ours.fun - least < 1e-3 and ours.fun >= least - 1e-9
    known = direct(function, box, locally_biased=biased, maxfun=2000, f_min=least, f_min_rtol=1e-3)
    theirs = scipy.optimize.direct(function, box, locally_biased=biased, maxfun=2000, f_min=least, f_min_rtol=1e-3)
    assert set(known) == set(theirs) and known.status == theirs.status == 3 and known.message == theirs.message
    assert known.success and known.nfev <= 1.5 * theirs.nfev


@pytest.mark.parametrize("biased", [True, False])
@pytest.mark.parametrize(
    "options", [{"vol_tol": 1e-6}, {"len_tol": 1e-2}, {"maxfun": 100}, {"maxiter": 6}, {"maxiter": 1}], ids=str
)
def test_ends_as_scipy(options, biased):
    function, box, _ = CATALOGUE["styblinski"]
    options = {"vol_tol": 0.0, "len_tol": 0.0, "locally_biased": biased} | options
    ours, theirs = direct(function, box, **options), scipy.optimize.direct(function, box, **options)
    assert (ours.status, ours.success, ours.message) == (theirs.status, theirs.success, theirs.message)
    assert ours.nfev <= 1.2 * theirs.nfev or "maxiter" in options
    if options.get("maxiter") == 1:
        assert ours.nfev == theirs.nfev == 5 and ours.fun == pytest.approx(theirs.fun)


def test_rectangles_tile_the_box():
    from solvers.globalmin import Direct
    from solvers.globalmin import direct as engine

    with jax.enable_x64(True):
        state = engine(
            lambda x: jnp.sum(jnp.cos(3 * x) + x**2), (-jnp.ones(3), jnp.full(3, 2.0)),
            method=Direct(1024, biased=False, maxfun=500, room=1024),
        ).state  # fmt: skip
    count = int(state.count)
    sides = 3.0 ** -np.asarray(state.divisions[:count], float)
    centres = np.asarray(state.centres[:count])
    assert np.prod(sides, axis=1).sum() == pytest.approx(1.0, abs=1e-12)
    gap = np.abs(centres[:, None] - centres) / (0.5 * (sides[:, None] + sides))
    overlapping = (gap < 1 - 1e-9).all(axis=-1) & ~np.eye(count, dtype=bool)
    assert not overlapping.any()


def test_callback_sees_the_best_point_of_each_iteration():
    seen = []
    function, box, _ = CATALOGUE["branin"]
    found = direct(function, box, maxiter=9, callback=lambda x: seen.append(function(x)))
    assert len(seen) == 8 and seen == sorted(seen, reverse=True) and seen[-1] == pytest.approx(found.fun)
    assert found.fun == direct(function, box, maxiter=9).fun


def test_values_that_are_not_finite():
    half = direct(lambda x: np.where(x[0] > 0, np.nan, np.sum((x + 0.5) ** 2)), [(-1.0, 1.0)] * 2, maxfun=500)
    np.testing.assert_allclose(half.x, -0.5, atol=1e-3)
    never = direct(lambda x: x[0] * np.nan, [(-1.0, 1.0)] * 2, maxfun=200)
    assert not never.success and never.status == 1


@pytest.mark.parametrize(
    "options",
    [
        {"bounds": [(1, 0), (0, 1)]},
        {"bounds": [(-np.inf, 0), (0, 1)]},
        {"bounds": np.array([[0.0, 1.0]])},
        {"bounds": 3.0},
        {"vol_tol": -1.0},
        {"len_tol": 2.0},
        {"f_min_rtol": 1.1},
        {"maxfun": 1.5},
        {"maxfun": -1},
        {"maxiter": "1"},
        {"maxiter": -1},
        {"locally_biased": "yes"},
    ],
    ids=str,
)
def test_bad_input_raises_scipys_exception(options):
    for module in (scipy.optimize, sci.optimize):
        with pytest.raises(ValueError):
            module.direct(six_hump_camel, **({"bounds": [(-1.0, 1.0)] * 2} | options))


def test_jax_world():
    def solve(depth):
        return direct(styblinski_tang, [(-4.0, 4.0)] * 2, args=(depth,), len_tol=1e-4, maxfun=600)

    with jax.enable_x64(True):
        depths = jnp.array([1.0, 2.0])
        found = jax.jit(jax.vmap(solve))(depths)
        slope = jax.grad(lambda d: solve(d).fun)(depths[0])
        with pytest.raises(NotImplementedError, match="callback"):
            direct(styblinski_tang, [(-4.0, 4.0)], args=(depths[0],), callback=print)
    np.testing.assert_allclose(found.fun, [-78.332331, -156.664663], rtol=1e-4)
    np.testing.assert_allclose(slope, -78.332331, rtol=1e-4)
