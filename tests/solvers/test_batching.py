"""Batches in blocks: bit-identical results, remainders, nesting, derivatives."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from solvers import batching as blocks
from solvers.batching import in_blocks
from solvers.least_squares import least_squares
from solvers.scalar import find_root


def halvings(limit, start):
    """A loop whose length differs from lane to lane."""
    return jax.lax.while_loop(lambda c: c[0] > limit, lambda c: (c[0] / 2, c[1] + 1), (start, 0))


@pytest.mark.parametrize("lanes", [3, 64, 65, 200, 256])
@pytest.mark.parametrize("axes", [(0, 0), (None, 0), (0, None)])
def test_blocks_equal_the_whole(lanes, axes, monkeypatch):
    monkeypatch.setattr(blocks, "_CACHED", 32)
    values = jnp.linspace(1.0, 50.0, lanes)
    limit, start = (v if axis == 0 else v[1] for v, axis in zip((values / 100, values), axes, strict=True))
    whole = jax.vmap(halvings, axes)(limit, start)
    blocked = jax.jit(jax.vmap(in_blocks(halvings, 1), axes))(limit, start)
    for a, b in zip(whole, blocked, strict=True):
        np.testing.assert_array_equal(a, b)


def test_large_batches_run_in_blocks():
    jaxpr = jax.make_jaxpr(jax.vmap(in_blocks(halvings, 1000), (None, 0)))(0.1, jnp.ones(1000))
    assert "scan" in str(jaxpr)


def test_nested_batches_of_roots_with_derivatives(monkeypatch):
    monkeypatch.setattr(blocks, "_CACHED", 320)

    def root(a, b):
        return find_root(lambda x: x**3 + b * x - a, (0.0, 9.0)).x

    with jax.enable_x64(True):
        a, b = jnp.linspace(1.0, 8.0, 150), jnp.array([0.5, 1.5])
        batch = jax.jit(jax.vmap(jax.vmap(root, (0, None)), (None, 0)))(a, b)
        slopes = jax.vmap(jax.grad(root), (0, None))(a, 0.5)
        np.testing.assert_allclose(batch**3 + b[:, None] * batch, jnp.broadcast_to(a, (2, 150)), rtol=1e-10)
        np.testing.assert_allclose(slopes, 1 / (3 * batch[0] ** 2 + 0.5), rtol=1e-9)


def test_batches_of_fits(monkeypatch):
    monkeypatch.setattr(blocks, "_CACHED", 32 * 40)
    t = np.linspace(0, 2, 10)

    def fit(rate):
        data = 2.0 * jnp.exp(-rate * t)
        found = least_squares(lambda p, y: p[0] * jnp.exp(-p[1] * t) - y, jnp.ones(2), (data,))
        return found.x

    with jax.enable_x64(True):
        rates = jnp.linspace(0.5, 2.0, 100)
        found = jax.jit(jax.vmap(fit))(rates)
        slopes = jax.vmap(jax.jacfwd(fit))(rates[:70])
    np.testing.assert_allclose(found[:, 0], 2.0, rtol=1e-6)
    np.testing.assert_allclose(found[:, 1], rates, rtol=1e-6)
    np.testing.assert_allclose(slopes, np.broadcast_to([0.0, 1.0], (70, 2)), atol=1e-5)
