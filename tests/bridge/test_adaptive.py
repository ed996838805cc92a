"""The policy `adaptive`: where calls run, when they move, and what cannot be lost."""

from __future__ import annotations

import time

import numpy as np
import pytest
from scipy import integrate as original_integrate
from scipy import linalg as original_linalg

import sci
from sci import integrate, linalg, ndimage, optimize
from sci.bridge import adaptive


@pytest.fixture(autouse=True)
def fresh():
    adaptive.clear()
    with sci.policy("adaptive"):
        yield
    if adaptive._background is not None:
        adaptive._background.join()
    adaptive.clear()


def only_tier():
    (tier,) = adaptive._tiers.values()
    return tier


def test_a_cold_call_is_the_originals():
    a = np.array([[4.0, 1.0], [2.0, 3.0]])
    assert (linalg.inv(a) == original_linalg.inv(a)).all()
    assert adaptive.last_call() == ("host", 0.0) and only_tier().state == adaptive.COLD
    assert not sci.fallbacks() or sci.fallbacks()[-1].function != "scipy.linalg.inv"


def test_hot_array_function_compiles_in_the_background_and_the_faster_engine_stays(monkeypatch):
    monkeypatch.setattr(adaptive, "_COST_ARRAYS", 0.01)
    image = np.random.default_rng(0).random((300, 300))
    want = ndimage.gaussian_filter(image, 2.0)
    for _ in range(400):
        got = ndimage.gaussian_filter(image, 2.0)
        if adaptive._background is not None:
            adaptive._background.join()
        np.testing.assert_allclose(got, want, rtol=1e-12, atol=1e-12)
        if only_tier().state in (adaptive.OURS, adaptive.HOST):
            break
    tier = only_tier()
    assert tier.host_calls >= 1 and tier.least_ours < float("inf")
    assert (tier.state == adaptive.OURS) == (tier.least_ours <= tier.least_host)


def test_slower_engine_of_ours_is_left(monkeypatch):
    monkeypatch.setattr(adaptive, "_COST_ARRAYS", 1e-6)
    a = np.eye(2)
    plain = linalg.det.__sci__.run

    def slow(args, kwargs):
        time.sleep(0.02)
        return plain(args, kwargs)

    monkeypatch.setattr(linalg.det.__sci__, "run", slow)
    for _ in range(10):
        assert linalg.det(a) == 1.0
        if adaptive._background is not None:
            adaptive._background.join()
    assert only_tier().state == adaptive.HOST


def test_long_run_of_a_solver_is_taken_over(monkeypatch):
    # less than any run takes: the first evaluation is late already, on every machine
    monkeypatch.setattr(adaptive, "_COST_CALLABLE", 1e-6)

    def lorenz(t, y):
        return [10 * (y[1] - y[0]), y[0] * (28 - y[2]) - y[1], y[0] * y[1] - 8 / 3 * y[2]]

    # not chaotic within the span at this tolerance
    result = integrate.solve_ivp(lorenz, (0, 5), [1.0, 1.0, 1.0], rtol=1e-10, atol=1e-10, t_eval=[1.0, 5.0])
    want = original_integrate.solve_ivp(lorenz, (0, 5), [1.0, 1.0, 1.0], rtol=1e-10, atol=1e-10, t_eval=[1.0, 5.0])
    np.testing.assert_allclose(result.y, want.y, rtol=1e-7)
    assert adaptive.last_call()[0] == "compiled" and only_tier().state == adaptive.OURS
    integrate.solve_ivp(lorenz, (0, 5), [1.0, 1.0, 2.0], rtol=1e-10, atol=1e-10, t_eval=[1.0, 5.0])
    assert adaptive.last_call()[0] == "JAX" and adaptive.last_call()[1] > 0


def test_a_function_with_effects_is_run_once(monkeypatch):
    monkeypatch.setattr(adaptive, "_COST_CALLABLE", 0.0)
    calls = []

    def noted(x):
        calls.append(x.copy())
        return float(x @ x)

    result = optimize.minimize(noted, np.ones(2), method="BFGS")
    assert result.nfev == len(calls) and adaptive.last_call()[0] == "host"
    assert only_tier().state == adaptive.HOST


def test_a_run_with_a_callback_is_never_left(monkeypatch):
    monkeypatch.setattr(adaptive, "_COST_CALLABLE", 0.0)
    seen = []
    result = optimize.minimize(lambda x: ((x - 1) ** 2).sum(), np.zeros(3), method="BFGS", callback=seen.append)
    assert len(seen) == result.nit


def test_bad_input_raises_what_the_original_raises():
    with pytest.raises(original_linalg.LinAlgError):
        linalg.cholesky(-np.eye(3))
    with pytest.raises(ValueError, match="array must not contain infs or NaNs"):
        linalg.inv(np.array([[np.nan]]))


def test_jax_values_stay_in_the_jax_world():
    import jax
    import jax.numpy as jnp

    assert isinstance(linalg.det(jnp.eye(2)), jax.Array)
    assert jax.jit(linalg.det)(jnp.eye(2)) == 1


def test_our_own_options_need_our_own_engine():
    result = integrate.solve_ivp(lambda t, y: -y, (0, 1), [1.0], max_steps=500)
    assert result.success and not adaptive._tiers


def test_the_ledger_stops_compiling_what_does_not_pay(monkeypatch):
    monkeypatch.setattr(adaptive, "_COST_ARRAYS", 0.0)
    adaptive._ledger.net = 2 * adaptive._ALLOWANCE
    for _ in range(5):
        linalg.det(np.eye(3))
    assert only_tier().state == adaptive.COLD


def test_a_long_array_call_is_compiled_at_first_sight():
    adaptive._rates["scipy.linalg.det"] = 1e-2
    assert linalg.det(2 * np.eye(16)) == pytest.approx(2.0**16)
    assert adaptive.last_call()[0] == "compiled"
