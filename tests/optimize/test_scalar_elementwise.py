"""`elementwise.find_root` and `find_minimum`: SciPy's fields, counters and errors."""

import jax
import numpy as np
import pytest
import scipy.optimize.elementwise as original

from sci.optimize import elementwise

SHIFTS = np.array([[1.0], [5.0], [0.3]])


pytestmark = pytest.mark.usefixtures("native")


def cubic(x, c):
    return x**3 - c


def bowl(x, c):
    return np.cosh(x - c) + x


def compare(ours, theirs):
    assert [k for k in ours if k[0] != "_"] == [k for k in theirs if k[0] != "_"]
    for name, slack in (("status", 0), ("success", 0), ("nfev", 3), ("nit", 3)):
        # rounding in the function decides about the last steps
        np.testing.assert_allclose(np.asarray(ours[name], int), np.asarray(theirs[name], int), atol=slack)
        assert np.asarray(ours[name]).dtype == np.asarray(theirs[name]).dtype
    for name in ("x", "f_x", "bracket", "f_bracket"):
        np.testing.assert_allclose(ours[name], theirs[name], rtol=1e-7, atol=1e-7)


@pytest.mark.parametrize(
    "options",
    [{}, {"maxiter": 4}, {"tolerances": {"xatol": 1e-3, "frtol": 1e-2}}],
    ids=["plain", "limited", "tolerances"],
)
def test_root_is_scipys(options):
    init = (np.array([0.0, -1.0]), 2.0)
    compare(*(m.find_root(cubic, init, args=(SHIFTS,), **options) for m in (elementwise, original)))


@pytest.mark.parametrize("options", [{}, {"maxiter": 4}], ids=["plain", "limited"])
def test_minimum_is_scipys(options):
    init = (-6.0, np.array([-1.0, 0.0]), 7.0)
    compare(*(m.find_minimum(bowl, init, args=(SHIFTS,), **options) for m in (elementwise, original)))


def test_a_number_gives_numbers_and_a_wrong_bracket_nan():
    ours, theirs = (m.find_root(lambda x: x**2 - 2, (0, 2)) for m in (elementwise, original))
    compare(ours, theirs)
    assert np.ndim(ours.x) == 0
    failed = elementwise.find_root(lambda x: x**2 + 1, (0, [1.0, 2.0]))
    assert not failed.success.any() and np.isnan(failed.x).all() and (failed.status == -1).all()


@pytest.mark.parametrize(
    "call",
    [
        lambda m: m.find_root(1, (0, 1)),
        lambda m: m.find_root(np.sin, (0, 1), maxiter=-1),
        lambda m: m.find_root(np.sin, (0, 1), tolerances={"a": 1}),
        lambda m: m.find_root(np.sin, (0, 1), tolerances={"xatol": -1}),
        lambda m: m.find_root(lambda x: x[0], ([0, 1], [1, 2])),
        lambda m: m.find_root(np.sin, (0j, 1)),
        lambda m: m.find_minimum(np.sin, (0, 1)),
    ],
)
def test_bad_input_raises_scipys_exception(call):
    with pytest.raises(Exception) as theirs:  # noqa: PT011
        call(original)
    with pytest.raises(type(theirs.value)):
        call(elementwise)


def test_derivatives_of_roots_and_minima():
    shifts = np.array([1.0, 5.0])
    with jax.enable_x64(True):
        roots = jax.jacrev(lambda c: elementwise.find_root(cubic, (0.0, 2.0), args=(c,)).x)(jax.numpy.asarray(shifts))
        lows = jax.jacrev(lambda c: elementwise.find_minimum(bowl, (-6.0, 0.0, 7.0), args=(c,)).x)(
            jax.numpy.asarray([1.0, 0.4])
        )
    np.testing.assert_allclose(roots, np.diag(shifts ** (-2 / 3) / 3), rtol=1e-8, atol=1e-12)
    np.testing.assert_allclose(lows, np.eye(2), rtol=1e-5, atol=1e-9)
