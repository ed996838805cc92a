"""Ensembles in rounds: the same numbers as `vmap`, whatever the lanes need."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from solvers import ode


@pytest.fixture(autouse=True)
def double():
    with jax.enable_x64(True):
        yield


def van_der_pol(t, y, mu):
    return jnp.stack([y[1], mu * (1 - y[0] ** 2) * y[1] - y[0]])


def test_uneven_lanes_take_the_steps_of_vmap():
    lanes = 100
    mu = jnp.concatenate([jnp.linspace(0.1, 5, lanes - 3), jnp.array([200.0, 500.0, 1000.0])])
    y0 = jnp.stack([jnp.full(lanes, 2.0), jnp.linspace(0, 0.5, lanes)], axis=1)
    t = jnp.array([0.0, 3.0, 50.0])
    options = {"method": ode.Rodas5P(), "rtol": 1e-5, "atol": 1e-7}
    got = ode.ensemble(van_der_pol, 0.0, 50.0, y0, (mu,), t_eval=t, round_steps=32, **options)
    one = lambda y, mu: ode.solve(van_der_pol, 0.0, 50.0, y, (mu,), t_eval=t, **options)
    expected = jax.jit(jax.vmap(one))(y0, mu)
    assert got.y.shape == (lanes, 3, 2) and (got.status == 0).all()
    # two compilations round differently, and the lanes' oscillations take that up
    np.testing.assert_allclose(got.y, expected.y, rtol=1e-6, atol=1e-6)
    assert np.mean(np.asarray(got.accepted) == np.asarray(expected.accepted)) > 0.95
    assert got.accepted.max() > 3 * got.accepted.min()
    end = ode.ensemble(van_der_pol, 0.0, 50.0, y0, (mu,), round_steps=32, **options)
    np.testing.assert_allclose(end.y, got.y[:, -1], rtol=1e-9, atol=1e-9)
    np.testing.assert_array_equal(end.t, 50.0)


def test_intervals_shared_arguments_pytrees_and_backward():
    ends = jnp.array([1.0, -2.0, 0.0])
    s = ode.ensemble(
        lambda t, y, k, shift: {"a": -k * y["a"] + shift}, 0.0, ends, {"a": jnp.ones((3, 2, 2))},
        (jnp.array([[1.0, 2.0, 3.0]]), {"c": 0.0}["c"]), in_axes=(1, None), method=ode.RK45(), rtol=1e-8, atol=1e-10,
    )  # fmt: skip
    expected = np.exp(-np.array([1.0, 2, 3]) * np.asarray(ends))
    np.testing.assert_allclose(s.y["a"][:, 1, 0], expected, rtol=1e-6)
    np.testing.assert_array_equal(s.t, ends)


def test_some_lanes_fail():
    s = ode.ensemble(
        lambda t, y, k: jnp.where(t > k, jnp.nan, -y), 0.0, 1.0, jnp.ones((40, 1)), (jnp.linspace(0.5, 3, 40),),
        t_eval=jnp.array([0.4, 1.0]), method=ode.RK45(),
    )  # fmt: skip
    bad = np.linspace(0.5, 3, 40) < 1
    np.testing.assert_array_equal(s.status, np.where(bad, ode.status.STEP_TOO_SMALL, 0))
    assert np.isfinite(s.y[:, 0]).all() and (np.isnan(s.y[:, 1, 0]) == bad).all()
    np.testing.assert_allclose(s.y[~bad, 1, 0], np.exp(-1), rtol=1e-3)
    few = ode.ensemble(van_der_pol, 0.0, 50.0, jnp.ones((3, 2)), (jnp.array([1.0, 2, 3]),), max_steps=7, round_steps=3)
    np.testing.assert_array_equal(few.status, ode.status.MAX_STEPS)
    np.testing.assert_array_equal(few.accepted + few.rejected, 7)


def test_no_second_compilation_and_bad_input():
    y0, mu = jnp.ones((20, 2)), jnp.linspace(1, 2, 20)
    traced = []

    def counted(t, y, mu):
        traced.append(t)
        return van_der_pol(t, y, mu)

    ode.ensemble(counted, 0.0, 1.0, y0, (mu,))
    before = len(traced)
    again = ode.ensemble(counted, 0.0, 1.0, 2 * y0, (mu,), rtol=1e-4)
    assert (again.status == 0).all() and len(traced) == before > 0
    with pytest.raises(ValueError, match="outside jit"):
        jax.jit(lambda y: ode.ensemble(van_der_pol, 0.0, 1.0, y, (mu,)))(y0)
    for options in ({"round_steps": 0}, {"t_eval": jnp.ones((2, 2))}, {"method": "RK45"}):
        with pytest.raises(ValueError, match="round_steps|t_eval|method"):
            ode.ensemble(van_der_pol, 0.0, 1.0, y0, (mu,), **options)
    with pytest.raises(ValueError, match="20 lanes"):
        ode.ensemble(van_der_pol, 0.0, 1.0, y0, (mu[:7],))
    with pytest.raises(ValueError, match="lane axis"):
        ode.ensemble(van_der_pol, 0.0, 1.0, (jnp.ones(3), jnp.ones(4)))
