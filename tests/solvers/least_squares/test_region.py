"""TRF and dogbox: SciPy's iterates, counters and codes; robust losses; derivatives at free and held variables."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.optimize

from solvers.least_squares import LOSSES, TRF, Dogbox, Loss, least_squares

T = np.linspace(0, 4, 25)
Y = 2.5 * np.exp(-1.3 * T) + 0.5 + 0.05 * np.cos(20 * T)
Y[5] += 2.0


def decay(p, lib):
    return p[0] * lib.exp(-p[1] * T) + p[2] - Y


def rosenbrock(x, lib):
    return lib.stack([10 * (x[1] - x[0] ** 2), 1 - x[0]])


def powell(x, lib):
    return lib.stack([x[0] + 10 * x[1], 5**0.5 * (x[2] - x[3]), (x[1] - 2 * x[2]) ** 2, 10**0.5 * (x[0] - x[3]) ** 2])


METHODS = {"trf": TRF, "dogbox": Dogbox}
PROBLEMS = {
    "decay": (decay, [1.0, 1.0, 1.0], None),
    "decay bounded": (decay, [1.0, 1.0, 1.0], ([0, 0, 0.6], [2.0, 5, 5])),
    "rosenbrock": (rosenbrock, [-2.0, 1.0], None),
    "rosenbrock bounded": (rosenbrock, [-2.0, 1.0], ([-3.0, -1], [0.5, 2.0])),
    "rosenbrock half": (rosenbrock, [-2.0, 2.0], ([-3.0, 1.5], [np.inf, np.inf])),
    "powell bounded": (powell, [3.0, -1, 0, 1], ([0.1, -20, -20, -20.0], [100.0, 20, 20, 20])),
}


@pytest.fixture(autouse=True)
def double():
    with jax.enable_x64(True):
        yield


def compare(fun, x0, bounds, method, by_jacobian=False, loss=None):
    robust = None if loss is None else Loss(LOSSES[loss], 0.1)
    ours = least_squares(
        lambda x: fun(x, jnp), np.array(x0), method=METHODS[method](by_jacobian=by_jacobian), bounds=bounds, loss=robust
    )
    theirs = scipy.optimize.least_squares(
        lambda x: np.asarray(fun(x, np)),
        x0,
        jac=jax.jit(jax.jacfwd(lambda x: fun(x, jnp))),
        bounds=bounds or (-np.inf, np.inf),
        method=method,
        x_scale="jac" if by_jacobian else 1.0,
        loss=loss or "linear",
        f_scale=0.1,
    )
    assert (int(ours.nfev), int(ours.njev), int(ours.status)) == (theirs.nfev, theirs.njev, theirs.status)
    np.testing.assert_allclose(ours.x, theirs.x, rtol=1e-6, atol=1e-6)
    np.testing.assert_allclose(ours.cost, theirs.cost, rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(ours.jac, theirs.jac, atol=1e-5)
    np.testing.assert_array_equal(ours.side, theirs.active_mask)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("problem", PROBLEMS)
def test_follows_scipy(problem, method):
    compare(*PROBLEMS[problem], method)


@pytest.mark.parametrize(
    ("method", "loss"),
    [
        ("trf", "soft_l1"),
        ("dogbox", "huber"),
        ("trf", "cauchy"),
        pytest.param("dogbox", "arctan", marks=pytest.mark.slow),
    ],
)
def test_losses_and_scaling_follow_scipy(method, loss):
    compare(*PROBLEMS["decay bounded"], method, by_jacobian=True, loss=loss)


@pytest.mark.parametrize("method", METHODS)
def test_no_false_success(method):
    def spoilt(x):
        return jnp.where(x > 0.5, x - 2, jnp.nan)

    nowhere = least_squares(lambda x: x * jnp.nan, np.ones(2), method=METHODS[method]())
    assert int(nowhere.status) == -1 and not bool(nowhere.success)
    walled = least_squares(lambda x: jnp.where(x < 0.5, x - 2, jnp.nan), np.zeros(1), method=METHODS[method]())
    assert np.isfinite(walled.x).all() and float(walled.x[0]) < 0.5
    found = least_squares(spoilt, np.ones(1), method=METHODS[method]())
    assert bool(found.success) and abs(float(found.x[0]) - 2) < 1e-6
    stopped = least_squares(lambda x: rosenbrock(x, jnp), np.array([-2.0, 1.0]), method=METHODS[method](maxfev=3))
    assert (int(stopped.status), int(stopped.nfev)) == (0, 3)


@pytest.mark.parametrize("method", METHODS)
def test_derivatives_at_free_and_held_variables(method):
    tight = METHODS[method](1e-15, 1e-15, 1e-12)

    def solution(a, upper):
        return least_squares(
            lambda x: jnp.stack([5 * (x[0] - a), x[1] - a * x[0], x[0] * x[1] - 1]),
            jnp.array([0.5, 0.5]),
            method=tight,
            bounds=(jnp.zeros(2), jnp.array([upper, 9.0])),
        ).x

    # x[0] is held at its bound; x[1] minimises (x1 - a u)^2 + (u x1 - 1)^2
    a, u = 2.0, 0.8
    np.testing.assert_allclose(solution(a, u), [u, (a * u + u) / (1 + u**2)], rtol=1e-6)
    np.testing.assert_allclose(jax.jacrev(solution)(a, u), [0.0, u / (1 + u**2)], rtol=1e-5, atol=1e-9)
    slope = jax.jacfwd(solution, 1)(a, u)
    np.testing.assert_allclose(slope, [1.0, (a + 1) * (1 - u**2) / (1 + u**2) ** 2], rtol=1e-4)
    free = jax.jacrev(solution)(0.3, 5.0)
    step = 1e-5
    numeric = (solution(0.3 + step, 5.0) - solution(0.3 - step, 5.0)) / (2 * step)
    np.testing.assert_allclose(free, numeric, rtol=1e-4, atol=1e-6)


def test_batch_equals_loop():
    def fit(y):
        return least_squares(
            lambda p: p[0] * jnp.exp(-p[1] * T) - y, jnp.ones(2), method=TRF(), bounds=(jnp.zeros(2), 2 * jnp.ones(2))
        )

    data = Y + 0.1 * np.random.default_rng(0).normal(size=(3, T.size))
    batch, one_by_one = jax.jit(jax.vmap(fit))(data), jax.jit(fit)
    for i in range(3):
        one = one_by_one(data[i])
        np.testing.assert_allclose(one.x, batch.x[i], rtol=1e-8)
        assert int(one.nfev) == int(batch.nfev[i])


def test_lm_refuses_bounds_and_losses():
    with pytest.raises(ValueError, match="neither bounds nor"):
        least_squares(lambda x: x, np.ones(2), bounds=(np.zeros(2), np.ones(2)))
