"""The ODE engine against exact solutions, and against SciPy's own solvers step by step."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.integrate import solve_ivp

from solvers import ode
from tests.problems.ode import PROBLEMS

METHODS = {"RK23": ode.RK23(), "RK45": ode.RK45(), "DOP853": ode.DOP853()}


@pytest.fixture(autouse=True)
def double():
    with jax.enable_x64(True):
        yield


def run(problem, method="RK45", **options):
    t_eval = options.pop("t_eval", None)

    @jax.jit
    def go(y0, t_eval):
        rhs = partial(problem.rhs, xp=jnp)
        return ode.solve(rhs, problem.t0, problem.t1, y0, method=METHODS[method], t_eval=t_eval, **options)

    return go(np.array(problem.y0), t_eval)


@pytest.mark.parametrize("name", PROBLEMS)
@pytest.mark.parametrize("method", METHODS)
def test_same_steps_as_scipy(name, method):
    p = PROBLEMS[name]
    t1 = p.t0 + 0.25 * (p.t1 - p.t0) if p.chaotic else p.t1  # rounding grows along a chaotic trajectory
    p = PROBLEMS[name].__class__(**{**p.__dict__, "t1": t1})
    rtol = 1e-4 if method == "RK23" else 1e-6
    ref = solve_ivp(p.numpy, (p.t0, p.t1), np.array(p.y0), method=method, rtol=rtol, atol=1e-8)
    got = run(p, method, rtol=rtol, atol=1e-8)
    n = int(got.n)
    assert (int(got.status), n, int(got.nfev)) == (0, len(ref.t), ref.nfev)
    # where the error estimate cancels to rounding, the step sizes keep fewer digits than the solution
    tolerance = 2e-9 if name in ("decay", "logistic", "harmonic", "backward", "lorenz") else 2e-7
    np.testing.assert_allclose(got.t[:n], ref.t, rtol=tolerance, atol=tolerance)
    np.testing.assert_allclose(got.y[:n].T, ref.y, rtol=50 * tolerance, atol=50 * tolerance)
    # the rest repeats the end
    assert (np.asarray(got.t[n:]) == ref.t[-1]).all() and (np.asarray(got.y[n:]) == np.asarray(got.y[n - 1])).all()


@pytest.mark.parametrize("name", [n for n, p in PROBLEMS.items() if p.exact])
@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("rtol", [1e-3, 1e-6])
def test_error_at_outputs(name, method, rtol):
    p = PROBLEMS[name]
    t = np.linspace(p.t0, p.t1, 57)
    ref = solve_ivp(p.numpy, (p.t0, p.t1), np.array(p.y0), method=method, t_eval=t, rtol=rtol, atol=rtol * 1e-3)
    got = run(p, method, t_eval=t, rtol=rtol, atol=rtol * 1e-3)
    theirs = np.abs(ref.y.T - p.exact(t)).max()
    ours = np.abs(np.asarray(got.y) - p.exact(t)).max()
    assert ours <= 1.01 * theirs + 1e-12
    assert int(got.nfev) == ref.nfev
    assert ours < 3e3 * rtol  # RK23 on a long interval


@pytest.mark.parametrize("name", [n for n, p in PROBLEMS.items() if p.final])
def test_final_state(name):
    p = PROBLEMS[name]
    got = run(p, "DOP853", t_eval=np.array([p.t1]), rtol=1e-11, atol=1e-13)
    np.testing.assert_allclose(got.y[0][: len(p.final)], p.final, rtol=2e-5, atol=2e-5)


@pytest.mark.parametrize("method", METHODS)
def test_dense_output(method):
    p = PROBLEMS["backward"]
    ref = solve_ivp(p.numpy, (p.t0, p.t1), p.y0, method=method, dense_output=True)
    t = np.linspace(p.t0 + 0.5, p.t1 - 0.5, 40)  # beyond both ends as well
    got = run(p, method, dense=True, size=128)
    np.testing.assert_allclose(got.dense(t).T, ref.sol(t), rtol=1e-9, atol=1e-9)
    both = run(p, method, dense=True, size=128, t_eval=t[5:-5])
    np.testing.assert_allclose(both.y, got.dense(t[5:-5]), rtol=1e-13, atol=1e-13)
    assert int(got.nfev) == int(both.nfev) == ref.nfev


def test_float32():
    with jax.enable_x64(False):
        s = ode.solve(lambda t, y: -y, 0.0, 1.0, jnp.ones(2), t_eval=jnp.array([0.5, 1.0]))
    assert s.y.dtype == s.t.dtype == jnp.float32
    np.testing.assert_allclose(s.y[:, 0], np.exp([-0.5, -1.0]), rtol=1e-3)


def test_float32_state_with_double_enabled_keeps_its_precision():
    s = ode.solve(lambda t, y: -y, 0.0, 1.0, jnp.ones(2, jnp.float32), t_eval=jnp.array([0.5, 1.0]))
    assert s.y.dtype == jnp.float32


def test_pytree_state():
    s = ode.solve(
        lambda t, y: {"x": y["v"], "v": -y["x"]}, 0.0, 1.0, {"x": jnp.zeros(()), "v": jnp.ones(())}, rtol=1e-8
    )
    n = int(s.n) - 1
    np.testing.assert_allclose(s.y["x"][n], np.sin(1.0), rtol=1e-6)


def test_no_interval():
    for t_eval in (None, np.zeros(1)):
        s = ode.solve(lambda t, y: -y, 0.0, 0.0, jnp.ones(2), t_eval=t_eval)
        assert int(s.status) == 0 and int(s.n) == 1
        np.testing.assert_array_equal(s.y[0], 1)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_right_hand_side_not_finite(bad):
    s = ode.solve(lambda t, y: jnp.where(t > 0.55, bad, -1.0) * y, 0.0, 1.0, jnp.ones(1), t_eval=np.linspace(0, 1, 5))
    assert int(s.status) == ode.status.STEP_TOO_SMALL
    assert int(s.n) == 3
    np.testing.assert_allclose(s.y[:3, 0], np.exp([0.0, -0.25, -0.5]), rtol=1e-3)
    assert np.isnan(s.y[3:]).all()
    s = ode.solve(lambda t, y: bad * y, 0.0, 1.0, jnp.ones(1))
    assert int(s.status) == ode.status.STEP_TOO_SMALL and int(s.n) == 1


def test_blow_up_ends():
    s = ode.solve(lambda t, y: y * y, 0.0, 2.0, jnp.ones(1))  # 1 / (1 - t)
    ref = solve_ivp(lambda t, y: y * y, (0, 2), [1.0])
    assert int(s.status) == ref.status == -1
    assert abs(float(s.t[int(s.n) - 1]) - 1) < 1e-2


def test_limits_are_reported():
    p = PROBLEMS["harmonic"]
    s = run(p, max_steps=5, t_eval=np.linspace(0, 10, 4))
    assert int(s.status) == ode.status.MAX_STEPS and int(s.accepted + s.rejected) == 5
    s = run(p, size=7)
    assert int(s.status) == ode.status.FULL and int(s.n) == 8 and np.isfinite(s.y).all()


def test_max_step_and_first_step():
    p = PROBLEMS["harmonic"]
    for options in ({"max_step": 0.1}, {"first_step": 0.01}, {"max_step": 0.3, "first_step": 0.2}):
        ref = solve_ivp(p.numpy, (p.t0, p.t1), p.y0, **options)
        got = run(p, **options)
        assert int(got.nfev) == ref.nfev
        np.testing.assert_allclose(got.t[: int(got.n)], ref.t, rtol=1e-12)


def test_tolerance_per_component():
    p = PROBLEMS["van-der-pol"]
    atol, rtol = np.array([1e-3, 1e-8]), 1e-5
    ref = solve_ivp(p.numpy, (p.t0, p.t1), p.y0, atol=atol, rtol=rtol)
    assert int(run(p, atol=atol, rtol=rtol).nfev) == ref.nfev


def test_vmap_takes_its_own_steps_per_lane():
    p = PROBLEMS["van-der-pol"]
    y0 = jnp.array([[2.0, 0.0], [0.1, 0.2], [3.0, -1.0]])
    t = jnp.linspace(0, 20, 11)
    rhs = partial(p.rhs, xp=jnp)
    batch = jax.vmap(lambda y0: ode.solve(rhs, 0.0, 20.0, y0, t_eval=t))(y0)
    steps = jax.vmap(lambda y0, t1: ode.solve(rhs, 0.0, t1, y0, size=256))(y0, jnp.array([3.0, 20.0, 9.0]))
    for i, t1 in enumerate((3.0, 20.0, 9.0)):
        one = ode.solve(rhs, 0.0, 20.0, y0[i], t_eval=t)
        # a relaxation oscillator makes 1e-9 of the last digit in which two compilations round differently
        np.testing.assert_allclose(batch.y[i], one.y, rtol=1e-7, atol=1e-7)
        assert int(batch.nfev[i]) == int(one.nfev)
        one = ode.solve(rhs, 0.0, t1, y0[i], size=256)
        assert int(steps.n[i]) == int(one.n)
        np.testing.assert_allclose(steps.t[i], one.t, rtol=1e-7)
    assert len(set(np.asarray(steps.n).tolist())) > 1


def test_wrong_shape():
    with pytest.raises(ValueError, match=r"shape \(1,\).*shape \(2,\)"):
        ode.solve(lambda t, y: y[:1], 0.0, 1.0, jnp.ones(2))
    with pytest.raises(ValueError, match="t_eval"):
        ode.solve(lambda t, y: y, 0.0, 1.0, jnp.ones(2), t_eval=jnp.ones((2, 2)))
    with pytest.raises(ValueError, match="complex"):
        ode.solve(lambda t, y: 1j * y, 0.0, 1.0, jnp.ones(2))
