"""The NumPy evaluation of jaxprs, which verification rests on, agrees with JAX."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from sci.bridge.tracing import interp

X = np.array([[0.3, -1.2, 2.5], [0.7, 0.1, -0.4]])
FUNCTIONS = {
    "arithmetic": lambda x: (x + 1) * x / (2 + x * x) - x % 0.7 + x // 0.3 + x**3 + jnp.power(abs(x), 1.5),
    "integers": lambda x: (x * 10).astype(int) // 3 + (x * 10).astype(int) % 4 + jnp.left_shift(1, jnp.arange(3)),
    "elementary": lambda x: jnp.exp(x) + jnp.log1p(x**2) + jnp.arctan2(x, 2.0) + jnp.cbrt(x) + jnp.sinh(x),
    "special": lambda x: jax.scipy.special.erf(x) + jax.scipy.special.gammaln(x**2 + 1) + jax.nn.sigmoid(x),
    "reductions": lambda x: (x.sum(0), x.max(1), x.min(), x.prod(), (x > 0).any(0), (x > 9).all(), x.argmax(1)),
    "cumulative": lambda x: (jnp.cumsum(x, 1), jnp.cumprod(x, 0), jax.lax.cummax(x, 1), jax.lax.cumsum(x, 0, True)),
    "shapes": lambda x: (
        x.T,
        x.reshape(3, 2),
        x[:, ::-1],
        x[:, None],
        jnp.pad(x, 1),
        jnp.roll(x, 1, 1),
        jnp.tile(x, 2),
    ),
    "gather": lambda x: (x[:, jnp.array([2, 0])], x[jnp.array([1, 0, 1])], x[jnp.array([0, 1]), jnp.array([2, 1])]),
    "take_along": lambda x: jnp.take_along_axis(x, jnp.argsort(x, 1), 1),
    "dynamic": lambda x: (jax.lax.dynamic_slice(x, (1, 5), (1, 2)), jax.lax.dynamic_update_slice(x, x[:1, :2], (1, 1))),
    "products": lambda x: (x @ x.T, jnp.einsum("ij,kj->ik", x, x), jnp.tensordot(x, x, 2), jnp.outer(x, x)),
    "linalg": lambda x: (jnp.linalg.solve(x @ x.T + jnp.eye(2), x), jnp.linalg.det(x @ x.T), jnp.linalg.inv(x @ x.T)),
    "sorting": lambda x: (
        jnp.sort(x, 1),
        jnp.argsort(x, 1),
        jnp.median(x),
        jnp.interp(x, x[0] * 0 + jnp.arange(3), x[1]),
    ),
    "select": lambda x: (jnp.where(x > 0, x, -1.0), jnp.clip(x, -1, 1), jnp.select([x < 0, x < 1], [x, 2 * x], 3.0)),
    "cond": lambda x: jax.lax.cond(x.sum() > 0, lambda v: v * 2, lambda v: -v, x),
    "while": lambda x: jax.lax.while_loop(lambda v: v.sum() < 50, lambda v: v * 1.5 + 1, x),
    "scan": lambda x: jax.lax.scan(lambda c, v: (c + v, c * v), x[0], x),
    "scan_reverse": lambda x: jax.lax.scan(lambda c, v: (c * 0.5 + v, c), x[0], x, reverse=True),
    "complex": lambda x: (jnp.abs(x + 1j * x), jnp.real(jnp.exp(1j * x)), jnp.conj(x * 1j).imag),
    "bits": lambda x: (jnp.signbit(x), jnp.copysign(2.0, x), jnp.floor(x), jnp.round(x), jnp.sign(x)),
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_agrees(name):
    with jax.enable_x64(True):
        closed = jax.make_jaxpr(FUNCTIONS[name])(X)
        want = jax.tree_util.tree_leaves(jax.jit(FUNCTIONS[name])(X))
        with np.errstate(all="ignore"):
            got = interp.evaluate(closed.jaxpr, closed.consts, [X])
    assert len(want) == len(got)
    for a, b in zip(want, got, strict=True):
        assert a.dtype == b.dtype
        np.testing.assert_allclose(b, a, rtol=1e-12, atol=1e-13)
