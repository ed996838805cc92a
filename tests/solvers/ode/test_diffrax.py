"""Solver objects of diffrax as methods."""

import diffrax
import jax
import jax.numpy as jnp
import numpy as np
import optimistix
import pytest
import scipy.integrate

from sci.integrate import RK45, solve_ivp
from solvers import ode


@pytest.fixture(autouse=True)
def double():
    with jax.enable_x64(True):
        yield


def spring(t, y, rate):
    return jnp.stack([y[1], -rate * y[0]])


def exact(t, rate):
    w = np.sqrt(rate)
    return np.stack([np.cos(w * t), -w * np.sin(w * t)], axis=-1)


@pytest.mark.parametrize(
    "solver",
    [
        diffrax.Tsit5(),
        pytest.param(diffrax.Kvaerno3(), marks=pytest.mark.slow),
        pytest.param(diffrax.Dopri8(), marks=pytest.mark.slow),
        pytest.param(diffrax.HalfSolver(diffrax.Heun()), marks=pytest.mark.slow),
    ],
    ids=str,
)
def test_accuracy_and_batches(solver):
    t = jnp.linspace(0, 2, 7)
    rates = jnp.array([1.0, 4.0])

    def run(rate, rtol=1e-6):
        return ode.solve(
            spring, 0.0, 2.0, jnp.array([1.0, 0.0]), (rate,), method=solver, t_eval=t, rtol=rtol, atol=1e-2 * rtol
        )

    both = jax.jit(jax.vmap(run))(rates)
    assert (both.status == 0).all()
    for lane, rate in zip(both.y, (1.0, 4.0), strict=True):
        np.testing.assert_allclose(lane, exact(np.asarray(t), rate), atol=1e-4)
    np.testing.assert_allclose(both.y[1], run(rates[1]).y, rtol=1e-8, atol=1e-8)
    assert both.nfev[1] > both.nfev[0]


def test_the_same_pair_takes_as_many_steps_as_scipys():
    """Dormand and Prince's pair under the same control; diffrax has another embedded formula."""
    f = lambda t, y: np.array([y[1], -y[0] * (1 + y[0] ** 2)])
    theirs = scipy.integrate.solve_ivp(f, (0, 5), [1.0, 0.2], rtol=1e-5)
    ours = solve_ivp(f, (0, 5), [1.0, 0.2], rtol=1e-5, method=diffrax.Dopri5())
    assert type(ours) is type(theirs) and ours.success and abs(ours.nfev / theirs.nfev - 1) < 0.1
    assert ours.t[-1] == 5
    np.testing.assert_allclose(ours.y[:, -1], theirs.y[:, -1], rtol=1e-3)


def test_all_of_solve_ivp():
    f = lambda t, y, rate: np.array([y[1], -rate * y[0]])
    cross = lambda t, y, rate: y[0]
    r = solve_ivp(
        f, (0, 3), [1.0, 0.0], method=diffrax.Tsit5(), args=(2.0,), dense_output=True, events=cross, rtol=1e-7,
        t_eval=[0.5, 2.5],
    )  # fmt: skip
    w = np.sqrt(2)
    np.testing.assert_allclose(r.t_events[0], [np.pi / 2 / w], atol=1e-5)
    np.testing.assert_allclose(r.y.T, exact(r.t, 2.0), atol=1e-5)
    np.testing.assert_allclose(r.sol(np.array([0.3, 1.0])).T, exact(np.array([0.3, 1.0]), 2.0), atol=1e-5)
    np.testing.assert_allclose(r.sol(0.3), exact(0.3, 2.0), atol=1e-5)
    back = solve_ivp(f, (3, 0), exact(3.0, 2.0), method=diffrax.Tsit5(), args=(2.0,), rtol=1e-7)
    np.testing.assert_allclose(back.y[:, -1], [1, 0], atol=1e-5)
    jaxy = jax.jit(lambda y: solve_ivp(f, (0, 1), y, method=diffrax.Tsit5(), args=(2.0,), t_eval=[1.0]).y)
    np.testing.assert_allclose(jaxy(jnp.array([1.0, 0.0]))[:, 0], exact(1.0, 2.0), atol=1e-3)
    with pytest.warns(UserWarning, match="jac"):
        solve_ivp(f, (0, 1), [1.0, 0.0], method=diffrax.Tsit5(), args=(2.0,), jac=np.eye(2))


@pytest.mark.parametrize("solver", [diffrax.Tsit5(), pytest.param(diffrax.Kvaerno3(), marks=pytest.mark.slow)], ids=str)
def test_derivatives(solver):
    def final(rate, t1):
        y0 = jnp.array([1.0, 0.0])
        return ode.solve(
            spring, 0.0, t1, y0, (rate,), method=solver, t_eval=t1[None], rtol=1e-8, atol=1e-8, size=512
        ).y[0, 0]

    at = jnp.array(2.0), jnp.array(1.5)
    w, t = np.sqrt(2.0), 1.5
    expected = np.array([-np.sin(w * t) * t / (2 * w), -w * np.sin(w * t)])
    np.testing.assert_allclose(jax.jit(jax.grad(final, (0, 1)))(*at), expected, rtol=1e-6)
    if solver == diffrax.Kvaerno3():
        np.testing.assert_allclose(jax.jit(jax.jacfwd(final, (0, 1)))(*at), expected, rtol=1e-6)


def test_stiff():
    f = lambda t, y: -1e4 * (y - jnp.cos(t)) - jnp.sin(t)
    s = ode.solve(f, 0.0, 2.0, jnp.array([1.0]), method=diffrax.Kvaerno5(), t_eval=jnp.array([2.0]), rtol=1e-5)
    assert int(s.status) == 0 and int(s.accepted) < 100
    np.testing.assert_allclose(s.y[0, 0], np.cos(2.0), rtol=1e-4)


def test_fixed_steps_without_an_error_estimate():
    s = ode.solve(lambda t, y: -y, 0.0, 1.0, jnp.ones(1), method=diffrax.Euler(), first_step=0.1)
    assert int(s.accepted) == 10 and int(s.status) == 0
    np.testing.assert_allclose(s.y[int(s.n) - 1, 0], 0.9**10, rtol=1e-12)
    s = ode.solve(lambda t, y: jnp.nan * y, 0.0, 1.0, jnp.ones(1), method=diffrax.Euler(), first_step=0.1)
    assert int(s.status) == ode.status.STEP_TOO_SMALL
    with pytest.raises(ValueError, match="first_step"):
        ode.solve(lambda t, y: -y, 0.0, 1.0, jnp.ones(1), method=diffrax.Euler())


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_right_hand_side_not_finite(bad):
    blocked = lambda t, y: jnp.where(t > 0.55, bad, -1.0) * y
    s = ode.solve(blocked, 0.0, 1.0, jnp.ones(1), method=diffrax.Tsit5(), t_eval=np.linspace(0, 1, 5))
    assert int(s.status) == ode.status.STEP_TOO_SMALL and int(s.n) == 3 and np.isnan(s.y[3:]).all()


def test_what_is_refused():
    rhs, y0 = lambda t, y: -y, jnp.ones(1)
    for solver in (diffrax.ItoMilstein(), diffrax.KenCarp4(), diffrax.SemiImplicitEuler(), diffrax.ShARK()):
        with pytest.raises(ValueError, match="diffeqsolve"):
            ode.solve(rhs, 0.0, 1.0, y0, method=solver)
    for solver in (diffrax.LeapfrogMidpoint(), diffrax.ReversibleHeun()):
        with pytest.raises(ValueError, match="Runge-Kutta"):
            solve_ivp(rhs, (0, 1), [1.0], method=solver)
    finder = optimistix.Newton(rtol=jnp.array(1e-6), atol=jnp.array(1e-6))
    with pytest.raises(ValueError, match="arrays"):
        ode.Diffrax(diffrax.Kvaerno5(root_finder=finder))
    for method in ("Tsit5", RK45, 3, None):
        with pytest.raises(ValueError, match="method"):
            ode.solve(rhs, 0.0, 1.0, y0, method=method)
    with pytest.raises(ValueError, match="method"):
        solve_ivp(rhs, (0, 1), [1.0], method=3)
    with pytest.raises(ValueError, match="real"):
        ode.solve(rhs, 0.0, 1.0, jnp.ones(1, complex), method=diffrax.Kvaerno5())
