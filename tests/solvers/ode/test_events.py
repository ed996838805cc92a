"""Events of the engine: times in closed form, their derivatives, capacity."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from solvers import ode

G = 9.81


@pytest.fixture(autouse=True)
def double():
    with jax.enable_x64(True):
        yield


def fall(t, y):
    return jnp.stack([y[1], jnp.asarray(-G)])


def ground_and_apex(t, y):
    return y  # height and speed


def throw(v, method=None, **options):
    direction, limit = jnp.array([-1, 0]), jnp.array([1, 0])
    return ode.solve(
        fall, 0.0, 5.0, jnp.stack([10.0, v]), method=method or ode.RK45(), events=ground_and_apex,
        event_direction=direction, event_limit=limit, size=128, **options,
    )  # fmt: skip


def landing(v):
    return (v + np.sqrt(v * v + 2 * G * 10)) / G


@pytest.mark.parametrize("method", [ode.RK45(), ode.Radau(), ode.BDF(), ode.Rodas5P()], ids=repr)
def test_terminal(method):
    t_eval = jnp.linspace(0, 5, 6)
    s = throw(2.0, method, rtol=1e-9, atol=1e-9, t_eval=t_eval, dense=True)
    assert int(s.status) == ode.status.EVENT and s.events.n.tolist() == [1, 1]
    np.testing.assert_allclose([s.events.t[0, 0], s.events.t[1, 0]], [landing(2.0), 2 / G], rtol=1e-7)
    np.testing.assert_allclose(s.events.y[0, 0], [0, -np.hypot(2, np.sqrt(20 * G))], rtol=1e-7, atol=1e-9)
    assert np.isnan(s.events.t[:, 1:]).all()
    assert int(s.n) == 2 and np.isnan(s.y[2:]).all()  # outputs before the event only
    assert abs(float(s.dense.t[-1]) - landing(2.0)) < 1e-7


def test_derivatives_of_event_times():
    def landed(v):
        s = throw(v, rtol=1e-9, atol=1e-9)
        return jnp.stack([s.events.t[0, 0], s.events.y[0, 0, 1]])

    root = np.sqrt(4 + 20 * G)
    for derivative in (jax.jacrev, jax.jacfwd):
        np.testing.assert_allclose(jax.jit(derivative(landed))(2.0), [(1 + 2 / root) / G, -2 / root], rtol=1e-8)
    v = jnp.array([1.0, 2.0, 3.0])
    batch = jax.jit(jax.vmap(landed))(v)
    np.testing.assert_allclose(batch[:, 0], landing(np.array(v)), rtol=1e-8)


@pytest.mark.slow
def test_second_derivative_of_an_event_time():
    time = lambda v: throw(v, rtol=1e-9, atol=1e-9).events.t[0, 0]
    root = np.sqrt(4 + 20 * G)
    np.testing.assert_allclose(jax.jit(jax.hessian(time))(2.0), (1 / root - 4 / root**3) / G, rtol=1e-6)
    slopes = jax.jit(jax.vmap(jax.grad(time)))(jnp.array([1.0, 2.0]))
    np.testing.assert_allclose(slopes[1], (1 + 2 / root) / G, rtol=1e-8)


def test_last_state_moves_with_the_event():
    end = lambda v: throw(v, rtol=1e-9, atol=1e-9).t[-1]
    np.testing.assert_allclose(jax.jit(jax.grad(end))(2.0), (1 + 2 / np.sqrt(4 + 20 * G)) / G, rtol=1e-8)


@pytest.mark.parametrize("direction, expected", [(0, [1, 2, 3, 4, 5, 6]), (1, [2, 4, 6])])
def test_direction_count_and_capacity(direction, expected):
    solve = lambda size, limit: ode.solve(
        lambda t, y: jnp.pi * jnp.stack([y[1], -y[0]]), 0.2, 6.5, jnp.array([np.sin(0.2 * np.pi), np.cos(0.2 * np.pi)]),
        events=lambda t, y: y[:1], event_direction=direction, event_limit=limit, size=size, rtol=1e-8, atol=1e-8,
    )  # fmt: skip
    s = solve(512, 0)
    assert int(s.status) == 0 and int(s.events.n[0]) == len(expected)
    np.testing.assert_allclose(s.events.t[0, : len(expected)], expected, atol=1e-6)
    s = solve(512, 2)
    assert int(s.status) == ode.status.EVENT and int(s.events.n[0]) == 2
    np.testing.assert_allclose(s.t[int(s.n) - 1], expected[1], atol=1e-6)
    loose = ode.solve(
        lambda t, y: 20 * jnp.stack([y[1], -y[0]]), 0.0, 6.5, jnp.array([0.0, 1.0]), events=lambda t, y: y[:1], size=128
    )
    assert int(loose.status) == ode.status.FULL  # 41 zeros, room for 16


def test_several_in_one_step_end_at_the_first_terminal():
    s = ode.solve(
        lambda t, y: jnp.ones(1), 0.0, 10.0, jnp.zeros(1), first_step=10.0,
        events=lambda t, y: y[0] - jnp.array([3.0, 5.0, 4.0, 6.0]), event_limit=jnp.array([0, 1, 0, 1]), size=64,
    )  # fmt: skip
    assert s.events.n.tolist() == [1, 1, 1, 0]
    np.testing.assert_allclose(s.events.t[:3, 0], [3, 5, 4], rtol=1e-12)
    assert float(s.t[-1]) == float(s.events.t[1, 0])
