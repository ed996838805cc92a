"""Implicit methods against published answers, against SciPy step by step, and their derivatives."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.integrate import solve_ivp

from solvers import ode
from tests.problems.ode import PROBLEMS, STIFF

SLOW = pytest.mark.slow
METHODS = {"Radau": ode.Radau(), "BDF": ode.BDF(), "Rodas5P": ode.Rodas5P(), "LSODA": ode.LSODA()}
#: Largest and smallest component differ by five orders and more.
ATOL = {"robertson": 1e-14, "hires": 1e-9, "van-der-pol-1000": 1e-8}
_OTHERS = ("hires", "oregonator", "brusselator", "prothero-robinson")


@pytest.fixture(autouse=True)
def double():
    with jax.enable_x64(True):
        yield


def run(problem, method, **options):
    t_eval = options.pop("t_eval", None)

    @jax.jit
    def go(y0, t_eval):
        rhs = partial(problem.rhs, xp=jnp)
        return ode.solve(rhs, problem.t0, problem.t1, y0, method=METHODS[method], t_eval=t_eval, **options)

    return go(np.array(problem.y0, float), t_eval)


def exact_jacobian(problem):
    jac = jax.jit(jax.jacfwd(lambda y, t: problem.rhs(t, y, jnp)))
    return lambda t, y: np.asarray(jac(y, t))


@pytest.mark.parametrize("name", ["robertson", "van-der-pol-1000", *(pytest.param(n, marks=SLOW) for n in _OTHERS)])
@pytest.mark.parametrize("method", ["Radau", "BDF"])
def test_same_steps_as_scipy(name, method):
    """With the same Jacobian (SciPy's differences make other steps where the steps depend on every digit)."""
    p = STIFF[name]
    options = {"rtol": 1e-5, "atol": ATOL.get(name, 1e-7)}
    y0 = np.array(p.y0, float)
    ref = solve_ivp(p.numpy, (p.t0, p.t1), y0, method=method, jac=exact_jacobian(p), **options)
    got = run(p, method, size=1024, **options)
    n = int(got.n)
    if name in ("robertson", "prothero-robinson", "brusselator"):
        assert (int(got.status), n, int(got.nfev), int(got.njev), int(got.nlu)) == (
            0, len(ref.t), ref.nfev, ref.njev, ref.nlu,
        )  # fmt: skip
        np.testing.assert_allclose(got.t[:n], ref.t, rtol=1e-4)
        np.testing.assert_allclose(got.y[:n].T, ref.y, rtol=1e-4, atol=options["atol"])
    else:  # relaxation: rounding decides some steps
        assert int(got.status) == 0
        for ours, theirs in ((n, len(ref.t)), (got.nfev, ref.nfev), (got.njev, ref.njev), (got.nlu, ref.nlu)):
            assert abs(int(ours) - theirs) <= 0.03 * theirs + 2


def cases(names, quick):
    """Name x method, of which only ``quick`` names run in the short suite."""
    return pytest.mark.parametrize(
        "name, method",
        [pytest.param(n, m, marks=() if (n, m) in quick else SLOW) for n in names for m in METHODS],
    )


@cases(
    [n for n, p in STIFF.items() if p.final],
    {
        ("robertson", "Radau"),
        ("robertson", "BDF"),
        ("hires", "Radau"),
        ("oregonator", "Rodas5P"),
        ("van-der-pol-1000", "BDF"),
        ("van-der-pol-1000", "Rodas5P"),
        ("brusselator", "Radau"),
        ("hires", "LSODA"),
        ("robertson", "LSODA"),
    },
)
def test_published_answers(name, method):
    p = STIFF[name]
    # Robertson to t = 1e11 at 1e-9 needs sums of reaction rates that cancel to the last digit; compiled code fuses
    # products and sums, so they do not
    rtol = 1e-7 if name == "robertson" else 1e-9
    got = run(p, method, t_eval=np.array([p.t1]), rtol=rtol, atol=1e-3 * ATOL.get(name, 1e-7))
    assert int(got.status) == 0
    tolerance = 1e-5 if method in ("BDF", "LSODA") or name == "robertson" else 1e-6
    np.testing.assert_allclose(got.y[0], p.final, rtol=tolerance)


@cases(
    STIFF, {("oregonator", "BDF"), ("prothero-robinson", "Rodas5P"), ("van-der-pol-1000", "Radau"), ("hires", "LSODA")}
)
def test_error_at_outputs(name, method):
    """Within ten times SciPy's own; Rodas5P, which SciPy has not, within ten times its Radau or the tolerance."""
    p = STIFF[name]
    t = np.geomspace(1e-3, 1, 23) * p.t1
    options = {"t_eval": t, "rtol": 1e-4, "atol": ATOL.get(name, 1e-7)}
    y0 = np.array(p.y0, float)
    exact = run(p, "Rodas5P", t_eval=t, rtol=1e-9, atol=1e-3 * ATOL.get(name, 1e-7)).y
    ref = solve_ivp(p.numpy, (p.t0, p.t1), y0, method=method if method != "Rodas5P" else "Radau", **options)
    got = run(p, method, **options)
    scale = np.max(np.abs(exact), axis=0)
    theirs = np.max(np.abs(ref.y.T - exact) / scale)
    ours = np.max(np.abs(got.y - exact) / scale)
    assert np.isfinite(exact).all()
    assert ours <= 10 * max(theirs, options["rtol"] if method == "Rodas5P" else 1e-9)


@pytest.mark.parametrize("method", METHODS)
def test_other_directions_and_dense_output(method):
    p = PROBLEMS["backward"]
    t = np.linspace(p.t0, p.t1, 31)
    got = run(p, method, rtol=1e-7, atol=1e-9, dense=True, size=1024)
    np.testing.assert_allclose(got.dense(t), p.exact(t), atol=2e-5)
    both = run(p, method, rtol=1e-7, atol=1e-9, t_eval=t)
    np.testing.assert_allclose(both.y, got.dense(t), rtol=1e-12, atol=1e-12)


def test_order_of_rodas():
    """Fixed steps: halving them divides the error by 2^5; so does that of the output by 2^4 and more."""
    rhs = lambda t, y: jnp.stack([y[1] + jnp.cos(t) * y[0], -y[0] * y[1] + jnp.sin(2 * t)])

    def at(h):
        times = jnp.array([0.43, 0.777, 1.0])
        fixed = {"first_step": h, "max_step": h, "rtol": 1e9, "atol": 1e9}
        return ode.solve(rhs, 0.0, 1.0, jnp.array([1.0, 0.5]), method=ode.Rodas5P(), t_eval=times, **fixed).y

    exact, errors = at(1 / 512), [jnp.max(jnp.abs(at(h) - at(1 / 512)), axis=1) for h in (1 / 16, 1 / 32)]
    assert np.isfinite(exact).all()
    ratio = errors[0] / errors[1]
    assert 25 < ratio[2] < 42 and (ratio[:2] > 12).all()


def test_complex_and_single():
    rotation = lambda t, y: (1j - 50) * (y - jnp.exp(1j * t)) + 1j * jnp.exp(1j * t)
    t = jnp.array([0.5, 2.0])
    for method in ("BDF", "Rodas5P"):
        s = ode.solve(rotation, 0.0, 2.0, jnp.ones(1, complex), method=METHODS[method], t_eval=t, rtol=1e-7, atol=1e-9)
        np.testing.assert_allclose(s.y[:, 0], np.exp(1j * t), rtol=1e-5)
    for method in (ode.Radau(), ode.LSODA()):
        with pytest.raises(ValueError, match="real"):
            ode.solve(rotation, 0.0, 2.0, jnp.ones(1, complex), method=method)
    for method in METHODS.values():
        y0 = jnp.ones(5, jnp.float32)
        s = ode.solve(lambda t, y: -200 * (y - jnp.cos(t)), 0.0, 1.0, y0, method=method, t_eval=jnp.array([1.0]))
        assert s.y.dtype == jnp.float32
        np.testing.assert_allclose(s.y[0], np.cos(1.0) + np.sin(1.0) / 200, rtol=1e-3)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_right_hand_side_not_finite(method, bad):
    blocked = lambda t, y: jnp.where(t > 0.55, bad, -1.0) * y
    s = ode.solve(blocked, 0.0, 1.0, jnp.ones(2), method=METHODS[method], t_eval=np.linspace(0, 1, 5))
    assert int(s.status) == ode.status.STEP_TOO_SMALL and int(s.n) == 3
    np.testing.assert_allclose(s.y[:3, 0], np.exp([0.0, -0.25, -0.5]), rtol=2e-2)
    s = ode.solve(lambda t, y: bad * y, 0.0, 1.0, jnp.ones(2), method=METHODS[method])
    assert int(s.status) == ode.status.STEP_TOO_SMALL and int(s.n) == 1


@pytest.mark.parametrize("method", METHODS)
def test_limits_steps_and_empty_interval(method):
    p = STIFF["brusselator"]
    assert int(run(p, method, max_steps=5).status) == ode.status.MAX_STEPS
    s = run(p, method, max_step=0.05, first_step=0.01, size=1024)
    n = int(s.n)
    steps = np.diff(s.t[:n])
    assert int(s.status) == 0 and steps.max() <= 0.05 * (1 + 1e-9) and abs(steps[0] - 0.01) < 1e-12
    s = ode.solve(lambda t, y: -y, 1.0, 1.0, jnp.ones(2), method=METHODS[method], t_eval=jnp.ones(1))
    assert int(s.status) == 0
    np.testing.assert_array_equal(s.y, 1)


@pytest.mark.parametrize("method", ["Radau", "BDF", "LSODA"])
def test_given_jacobian(method):
    p = STIFF["robertson"]
    rhs = partial(p.rhs, xp=jnp)
    solve = partial(ode.solve, rhs, 0.0, 100.0, np.array(p.y0), method=METHODS[method], size=512, atol=1e-9)
    auto, given = solve(), solve(jac=lambda t, y: jax.jacfwd(rhs, 1)(t, y))
    if method == "LSODA":  # the sizes of its steps are ratios of differences that nearly cancel
        assert abs(int(auto.nfev) - int(given.nfev)) <= 0.05 * int(given.nfev)
        np.testing.assert_allclose(auto.y[int(auto.n) - 1], given.y[int(given.n) - 1], rtol=1e-4)
    else:
        assert int(auto.nfev) == int(given.nfev) and int(auto.njev) == int(given.njev)
        np.testing.assert_allclose(auto.y, given.y, rtol=1e-9, atol=1e-12)
    constant = ode.solve(lambda t, y: -30 * y, 0.0, 1.0, jnp.ones(2), method=METHODS[method], jac=-30 * np.eye(2))
    assert int(constant.njev) == 0
    np.testing.assert_allclose(constant.y[-1], np.exp(-30.0), atol=1e-3)
    with pytest.raises(ValueError, match="jac"):
        solve(jac=np.eye(2))


@pytest.mark.parametrize("method", METHODS)
def test_sizes(method):
    """Unrolled inverses for n <= 4, LAPACK's above: a rotation with decay, in n dimensions."""
    for n in (1, 4, 7):
        a = np.linalg.qr(np.random.default_rng(n).standard_normal((n, n)))[0]
        matrix = a @ np.diag(-np.logspace(0, 3, n)) @ a.T
        s = ode.solve(
            lambda t, y, m=matrix: m @ y, 0.0, 1.0, a.sum(axis=1), method=METHODS[method],
            t_eval=jnp.array([1.0]), rtol=1e-7, atol=1e-9,
        )  # fmt: skip
        np.testing.assert_allclose(s.y[0], a @ np.exp(-np.logspace(0, 3, n)), atol=1e-5)


@pytest.mark.parametrize("method", METHODS)
def test_ensemble(method):
    mu = jnp.array([5.0, 40.0, 200.0])
    t = jnp.array([1.0, 4.0])

    def solve(mu):
        rhs = lambda t, y: jnp.stack([y[1], mu * ((1 - y[0] ** 2) * y[1] - y[0])])
        return ode.solve(rhs, 0.0, 4.0, jnp.array([2.0, 0.0]), method=METHODS[method], t_eval=t, rtol=1e-6, atol=1e-8)

    batch = jax.jit(jax.vmap(solve))(mu)
    single = jax.jit(solve)
    for i, m in enumerate(mu):
        one = single(m)
        np.testing.assert_allclose(batch.y[i], one.y, rtol=2e-4, atol=1e-6)
        assert abs(int(batch.nfev[i]) - int(one.nfev)) <= 0.03 * int(one.nfev)
    assert len(set(np.asarray(batch.accepted).tolist())) == 3


@pytest.mark.parametrize("method", ["Radau", "BDF", "LSODA", pytest.param("Rodas5P", marks=SLOW)])
def test_gradients(method):
    """Of a stiff reaction in rates, initial state and final time; against differences at a tight tolerance."""
    t = jnp.array([0.3, 2.0])

    # differences need a method whose steps do not hang on the last digits
    smooth, usual = ("Radau", 1e-9) if method == "LSODA" else (method, 1e-7)

    @partial(jax.jit, static_argnums=(1, 2))
    def loss(x, rtol=usual, method=method):
        k, y0, t1 = x[:2], x[2:5], x[5]
        rhs = lambda t, y: jnp.stack([-k[0] * y[0] + 50 * y[1] * y[2], -1e3 * y[1] + k[1] * y[0], 30 * y[1] - y[2]])
        s = ode.solve(
            rhs,
            0.0,
            t1,
            y0,
            method=METHODS[method],
            t_eval=t1 * t / 2,
            rtol=rtol,
            atol=1e-3 * rtol,
            size=2048 if method == "LSODA" else 512,
        )
        return jnp.sum(s.y[:, 0] + 3 * s.y[:, 2])

    x = jnp.array([0.7, 40.0, 1.0, 0.1, 0.2, 2.0])
    step = 1e-5 * x
    tight = 1e-10 if method == "BDF" else 1e-11
    differences = [(loss(x + d, tight, smooth) - loss(x - d, tight, smooth)) / (2 * d.sum()) for d in jnp.diag(step)]
    reverse = jax.jit(jax.grad(loss))(x)
    np.testing.assert_allclose(reverse, differences, rtol=2e-4, atol=2e-5)
    np.testing.assert_allclose(jax.jit(jax.jacfwd(loss))(x), reverse, rtol=1e-8)
