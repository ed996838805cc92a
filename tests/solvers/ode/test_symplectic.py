"""Symplectic methods: order, energy over long times, reversibility, derivatives, what they refuse."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from sci.integrate import solve_ivp
from solvers import ode

METHODS = {"verlet": ode.StoermerVerlet(), "yoshida": ode.Yoshida4()}


@pytest.fixture(autouse=True)
def double():
    with jax.enable_x64(True):
        yield


def kepler(t, y, mass=1.0):
    q, p = y[:2], y[2:]
    return jnp.concatenate([p, -mass * q / jnp.sum(q * q) ** 1.5])


def energy(y):
    q, p = y[..., :2], y[..., 2:]
    return 0.5 * np.sum(p * p, axis=-1) - 1 / np.sqrt(np.sum(q * q, axis=-1))


#: Eccentricity 0.5, period 2 pi, energy -1/2.
START = np.array([0.5, 0.0, 0.0, np.sqrt(3.0)])


@pytest.mark.parametrize("name", METHODS)
def test_energy_does_not_drift(name):
    """500 periods: the error of the second half of the time is that of the first; RK45's grows."""
    t = np.linspace(0, 1000 * np.pi, 400)
    run = jax.jit(lambda y: ode.solve(kepler, 0.0, t[-1], y, method=METHODS[name], first_step=0.02, t_eval=t))
    s = run(START)
    assert int(s.status) == 0 and int(s.rejected) == 0 and abs(int(s.accepted) - 1000 * np.pi / 0.02) < 2
    error = np.abs(energy(np.asarray(s.y)) + 0.5)
    assert error.max() < (4e-3 if name == "verlet" else 2e-4)
    assert error[200:].max() < 1.2 * error[:200].max()
    other = ode.solve(kepler, 0.0, t[-1], START, t_eval=t, rtol=1e-5, atol=1e-7)
    drift = np.abs(energy(np.asarray(other.y)) + 0.5)
    assert drift[200:].max() > 1.7 * drift[:200].max()


@pytest.mark.parametrize("name", METHODS)
def test_order_and_output(name):
    t = jnp.array([1.03, 2.0])

    def forced(t, y):  # time-dependent, both parts
        return jnp.stack([y[1] * (1 + 0.1 * jnp.sin(t)), -jnp.sin(y[0]) + 0.3 * jnp.cos(t)])

    def at(h):
        y = jnp.array([0.4, 0.5])
        return ode.solve(forced, 0.0, 2.0, y, method=METHODS[name], first_step=h, t_eval=t).y

    exact = ode.solve(forced, 0.0, 2.0, jnp.array([0.4, 0.5]), method=ode.DOP853(), rtol=1e-13, atol=1e-13, t_eval=t).y
    coarse, fine = (np.max(np.abs(at(h) - exact), axis=1) for h in (0.1, 0.05))
    order = METHODS[name].order
    assert 0.75 * 2**order < (coarse / fine)[1] < 1.35 * 2**order
    assert (coarse / fine)[0] > 0.5 * 2**order  # the output between two steps keeps it


def test_reversible_and_backward():
    there = ode.solve(kepler, 0.0, 3.0, START, method=ode.StoermerVerlet(), first_step=0.01, t_eval=np.array([3.0]))
    back = ode.solve(kepler, 3.0, 0.0, there.y[0], method=ode.StoermerVerlet(), first_step=0.01, t_eval=np.zeros(1))
    np.testing.assert_allclose(back.y[0], START, atol=1e-11)


def test_uneven_interval_pytree_and_batch():
    s = ode.solve(
        lambda t, y: (y[1], -y[0]), 0.0, 1.0, (jnp.ones(2), jnp.zeros(2)), method=ode.Yoshida4(), first_step=0.3
    )
    assert int(s.accepted) == 4 and float(s.t[int(s.n) - 1]) == 1.0
    np.testing.assert_allclose(s.y[0][int(s.n) - 1], np.cos(1.0), atol=1e-3)
    steps = jnp.array([0.1, 0.05])
    y = jax.vmap(
        lambda h: ode.solve(kepler, 0.0, 1.0, START, method=ode.Yoshida4(), first_step=h, t_eval=jnp.ones(1)).y[0]
    )(steps)
    assert np.abs(y[0] - y[1]).max() < 1e-2 and (y[0] != y[1]).any()


def test_derivatives():
    @jax.jit
    def final(rate, y0):
        options = {"method": ode.Yoshida4(), "first_step": 0.05, "t_eval": jnp.array([1.5]), "size": 64}
        return ode.solve(lambda t, y, w: jnp.stack([y[1], -w * y[0] ** 3]), 0.0, 1.5, y0, (rate,), **options).y[0, 0]

    start = jnp.array([1.0, 0.2])
    reverse = jax.jit(jax.grad(final, (0, 1)))(1.0, start)
    forward = jax.jit(jax.jacfwd(final, (0, 1)))(1.0, start)
    h = 1e-6
    difference = (final(1.0 + h, start) - final(1.0 - h, start)) / (2 * h)
    np.testing.assert_allclose(reverse[0], difference, rtol=1e-6)
    for a, b in zip(reverse, forward, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-9)


def test_what_is_refused():
    friction = lambda t, y: jnp.stack([y[1], -y[0] - 0.1 * y[1]])
    magnetic = lambda t, y: jnp.stack([y[2] + y[1], y[3], -y[0], -y[1]])
    for rhs, y0 in ((friction, jnp.ones(2)), (magnetic, jnp.ones(4))):
        s = ode.solve(rhs, 0.0, 1.0, y0, method=ode.Yoshida4(), first_step=0.1, t_eval=jnp.ones(1))
        assert int(s.status) == ode.status.NOT_SEPARABLE and np.isnan(s.y).all()
    r = solve_ivp(lambda t, y: np.array([y[1], -y[0] - 0.1 * y[1]]), (0, 1), [1.0, 0.0], method=ode.StoermerVerlet(),
                  first_step=0.1)  # fmt: skip
    assert r.status == -1 and not r.success and "separable" in r.message
    s = ode.solve(lambda t, y: jnp.nan * y, 0.0, 1.0, jnp.ones(2), method=ode.Yoshida4(), first_step=0.1)
    assert int(s.status) == ode.status.STEP_TOO_SMALL
    with pytest.raises(ValueError, match="first_step"):
        ode.solve(kepler, 0.0, 1.0, START, method=ode.StoermerVerlet())
    with pytest.raises(ValueError, match="momenta"):
        ode.solve(lambda t, y: -y, 0.0, 1.0, jnp.ones(3), method=ode.StoermerVerlet(), first_step=0.1)
