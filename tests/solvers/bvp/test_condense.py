"""The elimination of inner nodes against the dense system."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from solvers.bvp.condense import Chain, factor, solve


def dense(chain):
    count, n, _ = chain.left.shape
    k = chain.param.shape[2]
    matrix = np.zeros((count * n + n + k, (count + 1) * n + k), chain.left.dtype)
    for i in range(count):
        rows = slice(i * n, (i + 1) * n)
        matrix[rows, i * n : (i + 1) * n] = chain.left[i]
        matrix[rows, (i + 1) * n : (i + 2) * n] = chain.right[i]
        matrix[rows, (count + 1) * n :] = chain.param[i]
    matrix[count * n :, :n] = chain.start
    matrix[count * n :, count * n : (count + 1) * n] = chain.end
    matrix[count * n :, (count + 1) * n :] = chain.border
    return matrix


@pytest.mark.parametrize("count, n, k, dtype", [(8, 2, 1, float), (4, 6, 2, float), (16, 3, 0, complex)])
def test_as_the_dense_system(count, n, k, dtype):
    rng = np.random.default_rng(count)
    shapes = [(count, n, n), (count, n, n), (count, n, k), (n + k, n), (n + k, n), (n + k, k), (count, n), (n + k,)]
    arrays = [rng.standard_normal(s) + (1j * rng.standard_normal(s) if dtype is complex else 0) for s in shapes]
    chain, g, c = Chain(*arrays[:6]), *arrays[6:]
    with jax.enable_x64(True):
        y, p = jax.jit(lambda chain, g, c: solve(factor(chain), g, c))(jax.tree.map(jnp.asarray, chain), g, c)
    expected = np.linalg.solve(dense(chain), np.concatenate([g.ravel(), c]))
    np.testing.assert_allclose(np.concatenate([np.ravel(y), p]), expected, rtol=1e-9, atol=1e-10)
