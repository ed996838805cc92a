"""The guess of nonnegative least squares, and that a wrong one does no harm."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.optimize

from solvers.least_squares.bounded import bounded_least_squares
from solvers.least_squares.nonnegative import guess_free

ENDLESS = np.inf


@pytest.fixture(autouse=True)
def double():
    with jax.enable_x64(True):
        yield


def _case(kind):
    rng = np.random.default_rng(len(kind))
    matrix, vector = rng.normal(size=(12, 8)), rng.normal(size=12)
    if kind == "equal columns":
        matrix[:, 3] = matrix[:, 2]
    elif kind == "dependent":
        matrix[:, 5] = matrix[:, 1] + matrix[:, 2]
    elif kind == "scaled":
        matrix = matrix * 10.0 ** rng.integers(-8, 8, 8)
    elif kind == "vander":
        matrix = np.vander(np.linspace(0, 1, 12), 8)
    elif kind == "all at zero":
        matrix, vector = np.abs(matrix), -np.abs(vector)
    return matrix, vector


@pytest.mark.parametrize("kind", ["plain", "equal columns", "dependent", "scaled", "vander", "all at zero"])
def test_residual_is_scipys(kind):
    matrix, vector = _case(kind)
    found = bounded_least_squares(matrix, vector, jnp.zeros(8), jnp.full(8, ENDLESS), 24, True)
    _, norm = scipy.optimize.nnls(matrix, vector)
    assert int(found.status) == 1
    assert (found.x >= 0).all()
    np.testing.assert_allclose(np.linalg.norm(matrix @ found.x - vector), norm, rtol=1e-9)


def test_guess_is_the_solution_where_the_matrix_is_well_conditioned():
    matrix, vector = _case("plain")
    x, free, nit = guess_free(jnp.asarray(matrix), jnp.asarray(vector), jnp.zeros(8), 24)
    np.testing.assert_allclose(x, scipy.optimize.nnls(matrix, vector)[0], rtol=1e-9, atol=1e-12)
    np.testing.assert_array_equal(free, x > 0)
    assert int(nit) >= int(free.sum())


def test_iterations_count_whoever_makes_them():
    matrix, vector = _case("plain")
    counts = [
        bounded_least_squares(matrix, vector, jnp.zeros(8), jnp.full(8, ENDLESS), limit, guess)
        for limit in (24, 1)
        for guess in (False, True)
    ]
    assert [int(c.status) for c in counts] == [1, 1, 0, 0]
    assert int(counts[0].nit) == int(counts[1].nit)


def test_batch_equals_loop():
    matrix, _ = _case("plain")
    vectors = np.random.default_rng(3).normal(size=(5, 12))

    def solve(vector):
        return bounded_least_squares(matrix, vector, jnp.zeros(8), jnp.full(8, ENDLESS), 24, True).x

    np.testing.assert_allclose(jax.vmap(solve)(vectors), [solve(v) for v in vectors], atol=1e-13)
