"""`brute`: SciPy's grids, outputs and finish."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.optimize

import sci
from sci.optimize import brute


def valleys(z, a=1.0):
    x, y = z[0], z[1]
    return a * (x**2 - 1) ** 2 + 0.3 * x + (y + 0.4) ** 2


RANGES = (slice(-2, 2, 0.25), (-1, 1))


def test_grid_values_and_best_point_are_scipys():
    ours, theirs = (
        m.brute(valleys, RANGES, Ns=11, finish=None, full_output=True) for m in (sci.optimize, scipy.optimize)
    )
    for a, b in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-12)
    one, theirs_one = (
        m.brute(lambda x: (x[0] - 0.3) ** 2, ((-1, 1),), finish=None, full_output=True)
        for m in (sci.optimize, scipy.optimize)
    )
    assert [np.shape(v) for v in one] == [np.shape(v) for v in theirs_one]
    np.testing.assert_allclose(one[0], theirs_one[0], rtol=1e-14)


def test_finish():
    np.testing.assert_allclose(brute(valleys, RANGES), scipy.optimize.brute(valleys, RANGES), atol=1e-6)
    np.testing.assert_allclose(
        brute(valleys, RANGES, finish=sci.optimize.minimize), scipy.optimize.brute(valleys, RANGES), atol=1e-4
    )


def test_large_grids_run_in_batches_and_skip_what_is_no_number():
    def hole(z):
        return np.where(z[0] < 0, np.nan, np.sum((z - 0.5) ** 2))

    np.testing.assert_allclose(brute(hole, ((-1, 1), (-1, 1)), Ns=201, finish=None), [0.5, 0.5], atol=1e-12)


def test_bad_input():
    with pytest.raises(ValueError, match="more than 40"):
        brute(valleys, [(0, 1)] * 41)
    with pytest.raises(ValueError, match="scalar"):
        brute(lambda x: x, RANGES)


def test_jax_world():
    with jax.enable_x64(True):
        slope = jax.grad(lambda a: brute(valleys, RANGES, (a,), Ns=5)[0])(jnp.float64(1.0))
        x = np.asarray(brute(valleys, RANGES, (jnp.float64(1.0),), Ns=5))
    # 4 a x (x^2 - 1) + 0.3 = 0
    np.testing.assert_allclose(slope, -(x[0] ** 3 - x[0]) / (3 * x[0] ** 2 - 1), rtol=1e-5)
