"""LSODA against SciPy's own, its families apart, and its tables."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.integrate import solve_ivp

from solvers import ode
from solvers.ode import lsoda_table as table
from solvers.ode.lsoda_choice import norm
from tests.problems.ode import PROBLEMS, STIFF


@pytest.fixture(autouse=True)
def double():
    with jax.enable_x64(True):
        yield


def pair(problem, rtol, atol, **options):
    """Our solution with every step, and SciPy's with the same Jacobian."""
    jac = jax.jit(jax.jacfwd(lambda y, t: problem.rhs(t, y, jnp)))
    y0 = np.array(problem.y0, float)
    ref = solve_ivp(
        problem.numpy, (problem.t0, problem.t1), y0, method="LSODA", rtol=rtol, atol=atol,
        jac=lambda t, y: np.asarray(jac(y, t)),
    )  # fmt: skip
    rhs = partial(problem.rhs, xp=jnp)
    got = ode.solve(
        rhs, problem.t0, problem.t1, y0, method=ode.LSODA(), rtol=rtol, atol=atol, size=1024, dense=True, **options
    )
    return got, ref


@pytest.mark.parametrize("n", [0, 1, 64, 65, 200, 1000])
def test_norm(n):
    x, weights = np.random.default_rng(n).standard_normal((2, 3, n))
    weights = np.abs(weights[0])
    assert np.array_equal(norm(jnp.asarray(x), jnp.asarray(weights)), np.max(np.abs(x) * weights, axis=1, initial=0))
    for place in range(0, n, 63):
        x[1, place] = np.nan
        assert np.isnan(norm(jnp.asarray(x), jnp.asarray(weights))[1])
        x[1, place] = 0


@pytest.mark.parametrize(
    "name, rtol, atol, families",
    [
        ("robertson", 1e-5, 1e-10, {0, 1}),
        ("van-der-pol-1000", 1e-3, 1e-6, {0, 1}),
        pytest.param("lotka-volterra", 1e-6, 1e-8, {0}, marks=pytest.mark.slow),
        pytest.param("van-der-pol", 1e-6, 1e-8, {0}, marks=pytest.mark.slow),
        pytest.param("pleiades", 1e-6, 1e-8, {0}, marks=pytest.mark.slow),
    ],
)
def test_same_steps_as_odepack(name, rtol, atol, families):
    """Every decision of step, order and family, and the right-hand sides and Jacobians that it costs."""
    got, ref = pair((STIFF | PROBLEMS)[name], rtol, atol)
    n = int(got.n)
    assert (int(got.status), n) == (0, len(ref.t))
    # an iteration at the edge of its test: rounding decides
    assert abs(int(got.nfev) - ref.nfev) <= 2 and abs(int(got.njev) - ref.njev) <= 1
    # the sizes of the steps are ratios of differences that nearly cancel
    np.testing.assert_allclose(got.t[:n], ref.t, rtol=1e-2)
    scale = np.abs(ref.y).max(axis=1)
    np.testing.assert_allclose(got.y[n - 1] / scale, ref.y[:, -1] / scale, atol=1e-6)
    stiff = np.asarray(got.dense.coefficients.formula[: n - 1]) >= table.FORMULA
    assert set(stiff.tolist()) == families


def test_families_and_orders():
    """With orders bounded; and a problem that becomes stiff and ceases to be."""
    rhs = lambda t, y: -jnp.where((t > 1) & (t < 3), 1e4, 0.5) * (y - jnp.cos(t)) - jnp.sin(t)
    method = ode.LSODA(max_adams=4, max_bdf=3)
    s = ode.solve(rhs, 0.0, 60.0, jnp.ones(1) * 2, method=method, rtol=1e-6, atol=1e-8, size=2048, dense=True)
    formula = np.asarray(s.dense.coefficients.formula[: int(s.n) - 1])
    order, stiff = formula % table.FORMULA, formula >= table.FORMULA
    assert int(s.status) == 0 and order[~stiff].max() <= 4 and order[stiff].max() <= 3
    assert not stiff[0] and stiff.any() and not stiff[-1]
    np.testing.assert_allclose(s.y[int(s.n) - 1], np.cos(60.0), atol=1e-4)


def test_tables():
    """A formula of order q integrates polynomials of degree q exactly, at any q."""
    for q in range(1, 13):
        for formula in (q, q + table.FORMULA)[: 1 + (q <= 5)]:
            weights = table.WEIGHTS[formula]
            assert weights[1] == pytest.approx(1) and not weights[q + 1 :].any()
            # the correction annihilates the error of the derivative of t**q at the next step
            z = np.zeros((table.ROWS, 1))
            z[q] = 1.0  # of t**q at 0, step 1
            start = np.asarray(table.predicted(jnp.asarray(z)))
            residual = q - start[1]
            assert residual == pytest.approx(0)
    np.testing.assert_allclose(table.WEIGHTS[3][:4], [5 / 12, 1, 3 / 4, 1 / 6])
    np.testing.assert_allclose(table.WEIGHTS[table.FORMULA + 2][:3], [2 / 3, 1, 1 / 3])


def test_blow_up_and_limits():
    s = ode.solve(lambda t, y: y * y, 0.0, 2.0, jnp.ones(1), method=ode.LSODA(), max_steps=20_000, size=2048)
    assert int(s.status) == ode.status.STEP_TOO_SMALL and abs(float(s.t[int(s.n) - 1]) - 1) < 0.05
    turn = lambda t, y: jnp.stack([y[1], -y[0]])
    bounds = ode.Limits(least=1e-3, critical=jnp.array([0.35, 0.77]))
    s = ode.solve(turn, 0.0, 1.0, jnp.array([0.0, 1.0]), method=ode.LSODA(), limits=bounds, size=256)
    assert {0.35, 0.77} <= set(np.asarray(s.t).tolist())


def test_gradients_in_rate_and_times():
    """Of a forced decay in its rate and both ends of the interval."""
    rhs = lambda t, y, k: -k * (y - jnp.sin(t))

    def end(k, t0, t1):
        s = ode.solve(
            rhs, t0, t1, jnp.array([1.0]), (k,), method=ode.LSODA(), rtol=1e-9, atol=1e-11, t_eval=t1[None], size=512
        )
        return s.y[0, 0]

    def exact(k, t0, t1):
        particular = lambda t: k * (k * jnp.sin(t) - jnp.cos(t)) / (k * k + 1)
        return particular(t1) + (1 - particular(t0)) * jnp.exp(-k * (t1 - t0))

    point = (jnp.asarray(30.0), jnp.asarray(0.2), jnp.asarray(1.5))
    for i in range(3):
        np.testing.assert_allclose(jax.jit(jax.grad(end, i))(*point), jax.grad(exact, i)(*point), rtol=1e-4, atol=1e-9)


@pytest.mark.slow
@pytest.mark.parametrize("method", [ode.LSODA(), ode.BDF()], ids=str)
def test_second_derivative(method):
    def end(k):
        rhs = lambda t, y, k: -k * (y - jnp.sin(t))
        t1 = jnp.asarray(1.5)
        s = ode.solve(rhs, 0.2, t1, jnp.ones(1), (k,), method=method, rtol=1e-9, atol=1e-11, t_eval=t1[None], size=512)
        return s.y[0, 0]

    def exact(k):
        particular = lambda t: k * (k * jnp.sin(t) - jnp.cos(t)) / (k * k + 1)
        return particular(1.5) + (1 - particular(0.2)) * jnp.exp(-k * 1.3)

    k = jnp.asarray(30.0)
    np.testing.assert_allclose(jax.jit(jax.grad(jax.grad(end)))(k), jax.grad(jax.grad(exact))(k), rtol=1e-3, atol=1e-9)
