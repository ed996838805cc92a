"""`linear_sum_assignment` against SciPy's, which gives the same assignment where several are optimal."""

import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.optimize

import sci
from sci.optimize import linear_sum_assignment

SHAPES = [(1, 1), (1, 4), (4, 1), (5, 5), (6, 9), (9, 6), (0, 3), (3, 0), (14, 14)]


def costs(shape, kind, seed=0):
    rng = np.random.default_rng([seed, *shape])
    if kind == "ties":
        return rng.integers(0, 4, shape).astype(float)
    cost = rng.normal(size=shape)
    if kind == "forbidden":
        cost[rng.random(shape) < 0.3] = np.inf
    return cost


@pytest.mark.parametrize("kind", ["random", "ties", "forbidden"])
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_same_assignment_as_scipy(shape, kind):
    sci.clear_fallbacks()
    for seed, maximize in itertools.product(range(8), (False, True)):
        cost = costs(shape, kind, seed) * (-1 if maximize else 1)
        try:
            expected = scipy.optimize.linear_sum_assignment(cost, maximize=maximize)
        except ValueError as error:
            with pytest.raises(ValueError, match=str(error)):
                linear_sum_assignment(cost, maximize=maximize)
            continue
        ours = linear_sum_assignment(cost, maximize=maximize)
        for a, b in zip(ours, expected, strict=True):
            assert a.dtype == b.dtype
            np.testing.assert_array_equal(a, b)
    assert not sci.fallbacks()


def test_cost_is_least_of_all_permutations():
    cost = costs((6, 6), "random", 3)
    rows, columns = linear_sum_assignment(cost)
    least = min(cost[np.arange(6), list(p)].sum() for p in itertools.permutations(range(6)))
    assert cost[rows, columns].sum() == pytest.approx(least, abs=1e-12)


def test_large_matrix_goes_to_scipy_and_says_so():
    sci.clear_fallbacks()
    cost = costs((40, 40), "random")
    with pytest.warns(sci.FallbackWarning):
        _, columns = linear_sum_assignment(cost)
    np.testing.assert_array_equal(columns, scipy.optimize.linear_sum_assignment(cost)[1])
    assert "quicker" in sci.fallbacks()[0].where or "quicker" in str(sci.fallbacks()[0])


@pytest.mark.parametrize(
    "cost",
    [np.zeros(3), np.zeros((2, 2, 2)), [[np.nan, 1], [1, 2]], [[-np.inf, 1], [1, 2]], np.full((2, 2), np.inf), 3.0],
    ids=["vector", "cube", "nan", "minus infinity", "infeasible", "number"],
)
def test_bad_input_raises_scipys_exception(cost):
    messages = []
    for module in (scipy.optimize, sci.optimize):
        with pytest.raises(ValueError) as raised:
            module.linear_sum_assignment(cost)
        messages.append(str(raised.value))
    assert messages[1].startswith(messages[0])


@pytest.mark.parametrize("shape", [(7, 7), (5, 9), (9, 5)], ids=str)
def test_batch_by_vmap(shape):
    batch = np.stack([costs(shape, "ties", seed) for seed in range(20)])
    batch[3] = np.inf
    batch[4, 0, 0] = np.nan
    with jax.enable_x64(True):
        rows, columns = jax.jit(jax.vmap(linear_sum_assignment))(jnp.asarray(batch))
    for k, cost in enumerate(batch):
        if k in (3, 4):
            assert (rows[k] == -1).all() and (columns[k] == -1).all()
            continue
        expected = scipy.optimize.linear_sum_assignment(cost)
        np.testing.assert_array_equal(rows[k], expected[0])
        np.testing.assert_array_equal(columns[k], expected[1])


def test_sum_of_costs_is_differentiable():
    cost = jnp.asarray(costs((40, 40), "random"), jnp.float32)

    def total(cost):
        return cost[linear_sum_assignment(cost)].sum()

    slope = jax.grad(total)(cost)
    expected = np.zeros((40, 40))
    expected[scipy.optimize.linear_sum_assignment(np.asarray(cost))] = 1
    np.testing.assert_array_equal(slope, expected)
