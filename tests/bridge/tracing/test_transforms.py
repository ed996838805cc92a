"""Traced functions under grad, vmap, jit, loops, and in both precisions."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from idioms_language import CASES as LANGUAGE
from idioms_numpy import CASES as NUMPY
from idioms_writes import CASES as WRITES

from sci.bridge.tracing import as_array, to_jax

DIFFERENTIABLE = [
    *(("language", n) for n in "branch nested_branches for_break for_continue newton math_functions recursion "
      "chained try_log decorated comprehension max_min saturate nonlocal_inside".split()),
    *(("numpy", n) for n in "solve_traced inv_det norm where_gradsafe einsum power cholesky interp_traced clip "
      "mask_sum polyval_traced hyper special logsumexp piecewise fancy_2d sort cumsum".split()),
    *(("writes", n) for n in "element_writes stencil matrix_assembly view_writes_through overlap_shift "
      "mask_assign_value inplace_ops out_where fancy_duplicates callable_object child loop_fill reshape_view".split()),
]  # fmt: skip
TABLES = {"language": LANGUAGE, "numpy": NUMPY, "writes": WRITES}
Y = np.array([0.31, 0.72, 0.23])


def total(result):
    """Sum of all numbers of a result, weighted so that no two are alike."""
    leaves = [np.asarray(v) if not isinstance(v, jax.Array) else v for v in jax.tree_util.tree_leaves(result)]
    return sum((leaf * (1.0 + 0.3 * np.arange(leaf.size).reshape(leaf.shape))).sum() for leaf in leaves)


@pytest.mark.parametrize("table, name", DIFFERENTIABLE)
def test_gradient_is_the_finite_difference(table, name):
    fun = TABLES[table][name]
    traced = to_jax(fun, 0.5, Y)
    for y in (Y, np.array([-0.42, 0.17, 0.61])):
        with jax.enable_x64(True):
            got = jax.jit(jax.grad(lambda v: total(traced(0.5, v))))(y)
        want, h = np.zeros(3), 1e-6
        for i in range(3):
            step = np.eye(3)[i] * h
            with np.errstate(all="ignore"):
                want[i] = (total(fun(0.5, y + step)) - total(fun(0.5, y - step))) / (2 * h)
        np.testing.assert_allclose(got, want, rtol=2e-6, atol=1e-7)


def test_untaken_branch_leaves_the_gradient_finite():
    def f(x):
        return np.sqrt(x) if x > 0 else 0.0 * x

    grad = jax.grad(to_jax(f, 1.0))
    assert float(grad(-1.0)) == 0.0 and float(grad(4.0)) == 0.25


def test_top_level_grad_of_numpy_argument():
    out = jax.grad(to_jax(lambda x: (x**2).sum(), np.ones(2)))(np.array([1.0, 2.0]))
    np.testing.assert_allclose(out, [2.0, 4.0])


@pytest.mark.parametrize("name", ["branch", "saturate", "newton"])
def test_vmap_is_the_loop(name):
    fun = LANGUAGE[name]
    traced = to_jax(fun, 0.5, Y)
    batch = np.linspace(-1, 1, 12).reshape(4, 3)
    with jax.enable_x64(True):
        got = jax.vmap(lambda y: as_array(traced(0.5, y)))(jnp.asarray(batch))
    np.testing.assert_allclose(got, [fun(0.5, row) for row in batch], rtol=1e-12)


def test_jacfwd_and_hessian():
    traced = to_jax(lambda x: np.array([x[0] * x[1], np.sin(x[0])]), Y[:2])
    with jax.enable_x64(True):
        jac = jax.jacfwd(traced)(jnp.array([0.5, 2.0]))
        hes = jax.hessian(lambda x: traced(x)[0])(jnp.array([0.5, 2.0]))
    np.testing.assert_allclose(jac, [[2.0, 0.5], [np.cos(0.5), 0.0]])
    np.testing.assert_allclose(hes, [[0, 1], [1, 0]])


def test_inside_while_and_scan():
    traced = to_jax(lambda t, y: np.array([y[1], -y[0]]) * (1 + t), 0.0, np.ones(2))

    @jax.jit
    def run(y):
        y = jax.lax.while_loop(lambda s: s[0] < 3, lambda s: (s[0] + 1, s[1] + 0.1 * traced(0.0, s[1])), (0, y))[1]
        return jax.lax.scan(lambda c, t: (c + 0.1 * traced(t, c), c), y, jnp.arange(3.0))[0]

    y = np.ones(2)
    for t in (0, 0, 0, 0, 1, 2):
        y = y + 0.1 * np.array([y[1], -y[0]]) * (1 + t)
    np.testing.assert_allclose(run(jnp.ones(2)), y, rtol=1e-5)


def test_precision_of_the_jax_world():
    traced = to_jax(NUMPY["matmul"], 0.5, Y)
    assert traced(0.5, jnp.asarray(Y, jnp.float32)).dtype == jnp.float32
    writes = to_jax(WRITES["stencil"], 0.5, Y)
    out = jax.jit(writes)(0.5, jnp.asarray(Y, jnp.float32))
    assert out.dtype == jnp.float32
    np.testing.assert_allclose(out, WRITES["stencil"](0.5, Y), rtol=1e-5)
    with jax.enable_x64(True):
        assert traced(0.5, jnp.asarray(Y)).dtype == jnp.float64
        assert to_jax(lambda y: 2.0 * y, Y)(jnp.asarray(Y, jnp.float32)).dtype == jnp.float32


def test_numpy_world_is_float64_and_writable():
    out = to_jax(lambda y: [y * 2, y.sum()], Y)(Y)
    assert isinstance(out, list) and [type(v) for v in out] == [np.ndarray, np.float64]
    assert out[0].dtype == np.float64
    out[0][0] = 1.0
    assert out[1].shape == () and not jax.config.jax_enable_x64


def test_new_shapes_are_traced_and_verified():
    def f(y):
        return y.sum() if len(y) < 3 else y[0]

    traced = to_jax(f, np.ones(2))
    assert traced(np.ones(2)) == 2.0 and traced(np.ones(5)) == 1.0
    assert jax.jit(traced)(jnp.ones(4)) == 1.0


def test_example_may_be_abstract():
    @jax.jit
    def outer(y):
        return to_jax(lambda v: np.where(v > 0, v, -2 * v), y)(y)

    np.testing.assert_allclose(outer(jnp.array([1.0, -1.0])), [1.0, 2.0])


def test_scalar_kinds_follow_the_example():
    traced = to_jax(lambda t, n: t * n if isinstance(t, float) and isinstance(n, int) else -1.0, 0.5, 3)
    assert traced(0.5, 3) == 1.5
    assert jax.jit(lambda t: traced(t, 3))(2.0) == 6.0
    assert jax.jit(traced)(2.0, 4) == 8.0


def test_already_jax():
    def f(y):
        return jnp.sin(y) * jax.lax.fori_loop(0, 3, lambda i, s: s + 1.0, 0.0)

    traced = to_jax(f, Y)
    np.testing.assert_allclose(traced(Y), 3 * np.sin(Y), rtol=1e-12)
    np.testing.assert_allclose(to_jax(jax.jit(f), Y)(jnp.asarray(Y)), 3 * np.sin(Y), rtol=1e-6)
    np.testing.assert_allclose(to_jax(jax.grad(lambda v: (v**2).sum()), Y)(Y), 2 * Y, rtol=1e-12)


def test_equinox_module_and_partial():
    import equinox as eqx

    class Linear(eqx.Module):
        w: jax.Array
        name: str = eqx.field(static=True, default="a")

        def __call__(self, x):
            return self.w * x

    traced = to_jax(Linear(jnp.array([1.0, 2.0, 3.0])), Y)
    np.testing.assert_allclose(traced(jnp.asarray(Y)), Y * [1, 2, 3], rtol=1e-6)
    assert len(jax.tree_util.tree_leaves(traced)) == 1
    partial = jax.tree_util.Partial(lambda k, y: k * y, 2.0)
    np.testing.assert_allclose(to_jax(partial, Y)(Y), 2 * Y)
    np.testing.assert_allclose(to_jax(functools.partial(np.multiply, 2.0), Y)(Y), 2 * Y)


def test_as_array():
    out = as_array([jnp.float32(1.5), [2][0], 0.5])
    assert out.dtype == jnp.float32 and out.tolist() == [1.5, 2.0, 0.5]
    assert as_array([[jnp.int32(1), 2], [3, 4]]).shape == (2, 2)
    assert as_array(jnp.ones(2), np.int32).dtype == jnp.int32
    with pytest.raises(ValueError, match="equal shapes"):
        as_array([jnp.ones(2), 1.0])
