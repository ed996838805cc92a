"""Random parents and crossover of differential evolution."""

import jax.numpy as jnp
import numpy as np
import pytest

from solvers.globalmin.mutation import crossover, distinct


@pytest.mark.parametrize(("s", "k"), [(5, 4), (6, 5), (30, 2)])
def test_parents_are_distinct_and_uniform(s, k):
    uniform = np.random.default_rng(0).random((4000, s, k)).astype(np.float32)
    counts = np.zeros((s, s))
    for u in uniform[:300]:
        parents = np.asarray(distinct(jnp.asarray(u), s))
        full = np.concatenate([np.arange(s)[:, None], parents], axis=1)
        assert all(len(set(row)) == k + 1 for row in full) and full.min() >= 0 and full.max() < s
        np.add.at(counts, (np.arange(s), parents[:, -1]), 1)
    others = counts[~np.eye(s, dtype=bool)]
    assert np.abs(others - 300 / (s - 1)).max() < 6 * np.sqrt(300 / (s - 1))


def test_crossover_takes_at_least_one_coordinate_and_runs_wrap():
    uniform, start = jnp.asarray([[0.9, 0.9, 0.9, 0.9], [0.9, 0.1, 0.1, 0.9]]), jnp.asarray([0.5, 0.8])
    np.testing.assert_array_equal(
        crossover(uniform, start, 0.5, False), [[False, False, True, False], [False, True, True, True]]
    )
    np.testing.assert_array_equal(
        crossover(uniform, start, 0.5, True), [[False, False, True, False], [True, True, False, True]]
    )
