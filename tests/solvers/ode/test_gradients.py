"""Derivatives of ODE solves: forward, reverse, second order, against closed forms and differences."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.test_util import check_grads

from solvers import ode

METHODS = {"RK23": ode.RK23(), "RK45": ode.RK45(), "DOP853": ode.DOP853()}
BOTH = (jax.jacfwd, jax.jacrev)
T = np.linspace(0.2, 1.9, 7)


@pytest.fixture(autouse=True)
def double():
    with jax.enable_x64(True):
        yield


def lorenz(t, y, s, r, b):
    return jnp.stack([s * (y[1] - y[0]), y[0] * (r - y[2]) - y[1], y[0] * y[1] - b * y[2]])


@pytest.mark.parametrize("method", METHODS)
def test_decay_in_everything(method):
    """y0 exp(-k (t - t0)): every derivative has a closed form."""

    @jax.jit
    def solve(y0, k, t0, t):
        s = ode.solve(lambda t, y: -k * y, t0, 2.0, y0[None], t_eval=t, method=METHODS[method], rtol=1e-9, atol=1e-12)
        return s.y[:, 0]

    x = (1.3, 0.8, 0.1, T)
    exact = lambda y0, k, t0, t: y0 * jnp.exp(-k * (t - t0))
    for jacobian in (jax.jacfwd, jax.jacrev):
        got = jacobian(solve, argnums=(0, 1, 2, 3))(*x)
        for a, b in zip(got, jacobian(exact, argnums=(0, 1, 2, 3))(*x), strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-6, atol=1e-7)


def test_final_time():
    def end(t1):
        s = ode.solve(lambda t, y: -y, 0.0, t1, jnp.ones(1), t_eval=t1[None], rtol=1e-8, atol=1e-10)
        return s.y[0, 0]

    def last_step(t1):
        s = ode.solve(lambda t, y: -y, 0.0, t1, jnp.ones(1), rtol=1e-8, atol=1e-10, size=64)
        return s.y[-1, 0]

    for f in (end, last_step):
        for derivative in (jax.grad, jax.jacfwd):
            np.testing.assert_allclose(derivative(f)(1.5), -np.exp(-1.5), rtol=1e-6)


def test_discrete_derivative_is_exact():
    """At loose tolerance the derivative is that of the steps taken, not of the exact solution."""
    fixed = {"first_step": 0.1, "max_step": 0.1, "rtol": 1e9, "atol": 1e9}  # constant steps: nothing to freeze

    @jax.jit
    def loss(p):
        return jnp.sum(ode.solve(lorenz, 0.0, 2.0, jnp.ones(3), p, t_eval=T, size=32, **fixed).y ** 2)

    p = (10.0, 28.0, 8 / 3)
    check_grads(loss, (p,), order=1, modes=("fwd", "rev"), rtol=1e-6, eps=1e-5)


def test_second_order():
    fixed = {"first_step": 0.1, "max_step": 0.1, "rtol": 1e9, "atol": 1e9}

    def loss(p):
        swing = lambda t, y: jnp.stack([y[1], -p[0] * jnp.sin(y[0]) * p[1]])
        return jnp.sum(ode.solve(swing, 0.0, 1.0, p[2:], t_eval=T[:3], size=32, **fixed).y ** 2)

    p = jnp.array([1.0, 2.0, 0.5, 0.3])
    hessians = [jax.jit(outer(inner(loss)))(p) for outer in BOTH for inner in BOTH]
    for hessian in hessians[1:]:
        np.testing.assert_allclose(hessian, hessians[0], rtol=1e-9, atol=1e-11)
    gradient, step = jax.jit(jax.grad(loss)), 1e-5
    differences = [(gradient(p + step * e) - gradient(p - step * e)) / (2 * step) for e in np.eye(4)]
    np.testing.assert_allclose(hessians[0], differences, rtol=1e-6, atol=1e-8)


def test_adaptive_against_differences():
    def loss(p):
        return ode.solve(lorenz, 0.0, 2.0, jnp.ones(3), p, t_eval=T, rtol=1e-9, atol=1e-9).y[:, 0].sum()

    p = np.array([10.0, 28.0, 8 / 3])
    grad = np.array(jax.jit(jax.grad(lambda p: loss(tuple(p))))(p))
    value = jax.jit(lambda p: loss(tuple(p)))
    step = 1e-5
    differences = [(value(p + step * e) - value(p - step * e)) / (2 * step) for e in np.eye(3)]
    np.testing.assert_allclose(grad, differences, rtol=1e-5)


def test_steps_dense_and_complex():
    def dense(k):
        s = ode.solve(lambda t, y: k * y, 0.0, 1.0, jnp.ones(1), dense=True, size=64, rtol=1e-8, atol=1e-10)
        return s.dense(jnp.array([0.3, 0.7]))[:, 0].sum()

    def oscillate(w):
        s = ode.solve(lambda t, y: 1j * w * y, 0.0, 1.0, jnp.ones(1, complex), t_eval=T[:3], rtol=1e-8, atol=1e-10)
        return s.y.imag.sum()

    np.testing.assert_allclose(jax.grad(dense)(0.5), 0.3 * np.exp(0.15) + 0.7 * np.exp(0.35), rtol=1e-6)
    np.testing.assert_allclose(jax.grad(oscillate)(1.2), (T[:3] * np.cos(1.2 * T[:3])).sum(), rtol=1e-6)


def test_pytree_callable_and_closure():
    @jax.tree_util.register_pytree_node_class
    class Linear:
        def __init__(self, matrix):
            self.matrix = matrix

        def __call__(self, t, y):
            return self.matrix @ y

        def tree_flatten(self):
            return (self.matrix,), None

        @classmethod
        def tree_unflatten(cls, _, leaves):
            return cls(*leaves)

    a = jnp.array([[0.0, 1.0], [-1.0, -0.1]])
    t = jnp.ones(1)
    held = jax.grad(lambda a: ode.solve(Linear(a), 0.0, 1.0, jnp.ones(2), t_eval=t).y.sum())(a)
    closed = jax.grad(lambda a: ode.solve(lambda t, y: a @ y, 0.0, 1.0, jnp.ones(2), t_eval=t).y.sum())(a)
    argument = jax.grad(lambda a: ode.solve(lambda t, y, a: a @ y, 0.0, 1.0, jnp.ones(2), (a,), t_eval=t).y.sum())(a)
    np.testing.assert_allclose(held, closed, rtol=1e-13)
    np.testing.assert_allclose(held, argument, rtol=1e-13)


def test_vmap_of_gradient_and_capacity():
    def loss(p, size=512):
        return ode.solve(lorenz, 0.0, 1.0, jnp.ones(3), (10.0, p, 2.5), t_eval=T[:2], size=size, rtol=1e-6).y[1, 0]

    p = jnp.array([20.0, 24.0, 28.0])
    single = jax.jit(jax.grad(loss))
    batch = jax.jit(jax.vmap(jax.grad(loss)))(p)
    np.testing.assert_allclose(batch, [single(x) for x in p], rtol=1e-9)
    np.testing.assert_allclose(jax.jit(jax.grad(lambda ps: jax.vmap(loss)(ps).sum()))(p), batch, rtol=1e-9)
    assert np.isnan(jax.value_and_grad(loss)(28.0, 5)[0])  # too few recorded steps: never a wrong number
