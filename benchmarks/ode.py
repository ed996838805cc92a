"""Initial value problems and quadrature. Right-hand sides are NumPy code, as users write them."""

from __future__ import annotations

import numpy as np

from benchmarks.harness import Topic, alternate

topic = Topic("ode", "Ordinary differential equations and quadrature (float64)")

_ONE_CALL = {"first": 0.8, "cached": 0.4}


def lorenz(t, u, sigma=10.0, rho=28.0, beta=8.0 / 3.0):
    """Lorenz (1963)."""
    x, y, z = u
    return np.array([sigma * (y - x), x * (rho - z) - y, x * y - beta * z])


def van_der_pol(t, u, mu):
    """Van der Pol; stiff for large mu."""
    return np.array([u[1], mu * (1 - u[0] ** 2) * u[1] - u[0]])


def _van_der_pol_jax(t, u, mu):
    import jax.numpy as jnp

    return jnp.stack([u[1], mu * (1 - u[0] ** 2) * u[1] - u[0]])


def _both():
    from scipy import integrate as original

    from sci import integrate

    return integrate, original


def _lorenz_pair(t1: float, **options):
    ours, original = _both()
    t_eval = np.linspace(0, t1, 201)
    y0 = np.array([1.0, 1.0, 1.0])

    def call(module):
        return lambda: module.solve_ivp(lorenz, (0.0, t1), y0, t_eval=t_eval, **options)

    return call(ours), call(original)


@topic.pair("Lorenz to t = 20, 201 outputs, RK45", ratio=25, same=lambda s: s.y[:, :101], rtol=1e-5, **_ONE_CALL)
def lorenz_rk45(quick: bool):
    """Compared to t = 10 only: rounding grows by e every time unit or so."""
    return _lorenz_pair(20.0, method="RK45")


@topic.pair("Lorenz to t = 20, 201 outputs, RK45 rtol 1e-8", same=lambda s: s.y[:, :101], rtol=1e-4)
def lorenz_tight(quick: bool):
    return _lorenz_pair(20.0, method="RK45", rtol=1e-8, atol=1e-8)


@topic.pair("Lorenz to t = 20, 201 outputs, DOP853", same=lambda s: s.y[:, :101], rtol=1e-5)
def lorenz_dop853(quick: bool):
    return _lorenz_pair(20.0, method="DOP853", rtol=1e-6)


@topic.pair("Lorenz to t = 20, all steps kept (no t_eval), RK45", same=lambda s: s.t[:100], rtol=1e-5)
def lorenz_steps(quick: bool):
    ours, original = _both()
    y0 = np.array([1.0, 1.0, 1.0])

    def call(module):
        return lambda: module.solve_ivp(lorenz, (0.0, 20.0), y0)

    return call(ours), call(original)


@topic.pair("Lorenz, 1,000 initial conditions to t = 2: vmap, and a loop over SciPy", ratio=400, rtol=1e-5)
def lorenz_batch(quick: bool):
    import jax

    ours, original = _both()
    m = 10 if quick else 1000
    y0 = np.array([1.0, 1.0, 1.0]) + 0.1 * np.random.default_rng(2).standard_normal((m, 3))
    t_eval = np.array([0.0, 2.0])
    batched = jax.jit(jax.vmap(lambda y: ours.solve_ivp(lorenz, (0.0, 2.0), y, t_eval=t_eval).y[:, -1]))

    def vmapped():
        with jax.enable_x64(True):
            return batched(y0)

    def loop():
        return np.stack([original.solve_ivp(lorenz, (0.0, 2.0), y, t_eval=t_eval).y[:, -1] for y in y0])

    return vmapped, loop


@topic.figure("gradient of a Lorenz solve in 3 parameters, over the solve", "times", at_most=4)
def lorenz_gradient(quick: bool) -> float:
    """To t = 5 with 51 outputs, both compiled."""
    import jax

    ours, _ = _both()
    t_eval = np.linspace(0.0, 5.0, 51)

    def mean(parameters):
        return ours.solve_ivp(lorenz, (0.0, 5.0), np.ones(3), t_eval=t_eval, args=tuple(parameters)).y.mean()

    with jax.enable_x64(True):
        parameters = jax.numpy.array([10.0, 28.0, 8.0 / 3.0])
        gradient, solve = jax.jit(jax.grad(mean)), jax.jit(mean)
        backward, forward, _, _ = alternate(lambda: gradient(parameters), lambda: solve(parameters), quick)
    return backward.median / forward.median


@topic.pair("Van der Pol mu = 5 to t = 20, args, RK45", same=lambda s: s.y, rtol=1e-5)
def van_der_pol_mild(quick: bool):
    ours, original = _both()
    t_eval = np.linspace(0, 20, 101)

    def call(module):
        return lambda: module.solve_ivp(van_der_pol, (0, 20), [2.0, 0.0], t_eval=t_eval, args=(5.0,))

    return call(ours), call(original)


@topic.pair("Van der Pol mu = 1000 to t = 2000, Radau", ratio=10, same=lambda s: s.y[:, -1], rtol=1e-2)
def van_der_pol_stiff(quick: bool):
    ours, original = _both()
    t_eval = np.linspace(0, 2000, 101)

    def call(module):
        return lambda: module.solve_ivp(
            van_der_pol, (0, 2000), [2.0, 0.0], method="Radau", t_eval=t_eval, args=(1000.0,)
        )

    return call(ours), call(original)


def _stiff_pair(rhs, t1, y0, **options):
    ours, original = _both()

    def call(module):
        return lambda: module.solve_ivp(rhs, (0.0, t1), y0, **options)

    return call(ours), call(original)


@topic.pair("Van der Pol mu = 1000 to t = 2000, BDF", ratio=10, same=lambda s: s.y[:, -1], rtol=1e-2)
def van_der_pol_bdf(quick: bool):
    return _stiff_pair(van_der_pol, 2000.0, [2.0, 0.0], method="BDF", t_eval=np.linspace(0, 2000, 101), args=(1000.0,))


@topic.pair("Van der Pol mu = 1000 to t = 2000, LSODA", ratio=3, same=lambda s: s.y[:, -1], rtol=1e-2)
def van_der_pol_lsoda(quick: bool):
    return _stiff_pair(
        van_der_pol, 2000.0, [2.0, 0.0], method="LSODA", t_eval=np.linspace(0, 2000, 101), args=(1000.0,)
    )


@topic.pair("Lorenz to t = 20, 201 outputs, odeint", same=lambda y: y[:101], rtol=1e-3)
def lorenz_odeint(quick: bool):
    ours, original = _both()
    t, y0 = np.linspace(0, 20, 201), np.array([1.0, 1.0, 1.0])

    def call(module):
        return lambda: module.odeint(lorenz, y0, t, tfirst=True)

    return call(ours), call(original)


def _brusselator(n: int):
    """1-D Brusselator with diffusion, u and v interleaved: band width 2 on both sides; and its initial state."""
    x, c = np.linspace(0, 1, n + 2)[1:-1], 0.02 * (n + 1) ** 2

    def rhs(t, y):
        u, v = y[::2], y[1::2]
        wide_u, wide_v = np.concatenate([[1.0], u, [1.0]]), np.concatenate([[3.0], v, [3.0]])
        slope = np.empty(2 * n)
        slope[::2] = 1 + u * u * v - 4 * u + c * (wide_u[2:] - 2 * u + wide_u[:-2])
        slope[1::2] = 3 * u - u * u * v + c * (wide_v[2:] - 2 * v + wide_v[:-2])
        return slope

    y0 = np.empty(2 * n)
    y0[::2], y0[1::2] = 1 + np.sin(2 * np.pi * x), 3
    return rhs, y0


def _brusselator_pair(quick: bool, method: str):
    import scipy.sparse as sparse

    n = 50 if quick else 500
    rhs, y0 = _brusselator(n)
    shifts = range(-2, 3)
    band = sparse.diags([np.ones(2 * n - abs(k)) for k in shifts], list(shifts))
    options = {"lband": 2, "uband": 2} if method == "LSODA" else {"jac_sparsity": band}
    return _stiff_pair(
        rhs, 10.0, y0, method=method, t_eval=np.linspace(0, 10, 11), rtol=1e-4, atol=1e-6, **options
    )  # fmt: skip


@topic.pair("1-D Brusselator, N = 500, banded LSODA", ratio=3, same=lambda s: s.y[:, -1], rtol=1e-3)
def brusselator_lsoda(quick: bool):
    return _brusselator_pair(quick, "LSODA")


@topic.pair("1-D Brusselator, N = 500, sparse BDF", ratio=3, same=lambda s: s.y[:, -1], rtol=1e-3)
def brusselator_bdf(quick: bool):
    return _brusselator_pair(quick, "BDF")


@topic.pair("LSODA class, 1,000 steps of step()", same=lambda y: y[:0], rtol=1e-6)
def class_steps_lsoda(quick: bool):
    """SciPy's steps are C; only the right-hand side is Python."""
    ours, original = _both()

    def call(module):
        def run():
            solver = module.LSODA(lorenz, 0.0, np.array([1.0, 1.0, 1.0]), 1000.0)
            for _ in range(1000):
                solver.step()
            return solver.y

        return run

    return call(ours), call(original)


@topic.pair("ode('lsoda'), 100 outputs of Lorenz", same=lambda y: y[:50], rtol=1e-2)
def ode_lsoda(quick: bool):
    ours, original = _both()

    def call(module):
        def run():
            solver = module.ode(lorenz).set_integrator("lsoda", rtol=1e-6).set_initial_value([1.0, 1.0, 1.0], 0.0)
            # copies: SciPy writes the next state into the array that it returned
            return np.array([solver.integrate(0.1 * k).copy() for k in range(1, 101)])

        return run

    return call(ours), call(original)


@topic.pair("RK45 class, 200 steps of step()", same=lambda y: y, rtol=1e-6)
def class_steps(quick: bool):
    ours, original = _both()

    def call(module):
        def run():
            solver = module.RK45(lorenz, 0.0, np.array([1.0, 1.0, 1.0]), 100.0, max_step=0.01)
            for _ in range(200):
                solver.step()
            return solver.y

        return run

    return call(ours), call(original)


def robertson(t, u):
    """Robertson's reaction (1966)."""
    a, b, c = 0.04 * u[0], 1e4 * u[1] * u[2], 3e7 * u[1] ** 2
    return np.array([b - a, a - b - c, c])


@topic.pair("Robertson to t = 1e8, Radau", same=lambda s: s.y[:, -1], rtol=1e-3)
def robertson_radau(quick: bool):
    return _stiff_pair(robertson, 1e8, [1.0, 0.0, 0.0], method="Radau", rtol=1e-5, atol=1e-10)


@topic.pair("Robertson to t = 1e8, BDF", same=lambda s: s.y[:, -1], rtol=1e-2)
def robertson_bdf(quick: bool):
    return _stiff_pair(robertson, 1e8, [1.0, 0.0, 0.0], method="BDF", rtol=1e-5, atol=1e-10)


def _van_der_pol_ensemble(quick: bool, method):
    import jax

    from solvers import ode

    ours, original = _both()
    m = 5 if quick else 1000
    mu = np.linspace(100.0, 1000.0, m)
    y0, t_eval = np.array([2.0, 0.0]), np.array([0.0, 1000.0])
    method = ode.Rodas5P() if method == "Rodas5P" else method

    def one(mu):
        s = ours.solve_ivp(van_der_pol, (0.0, 1000.0), y0, method=method, t_eval=t_eval, args=(mu,))
        return s.y[:, -1]

    batched = jax.jit(jax.vmap(one))

    def vmapped():
        with jax.enable_x64(True):
            return batched(mu)

    def loop():
        def solved(x):
            return original.solve_ivp(van_der_pol, (0.0, 1000.0), y0, method="LSODA", t_eval=t_eval, args=(x,))

        return np.stack([solved(x).y[:, -1] for x in mu])

    return vmapped, loop


# where a lane's jump falls in time depends on the tolerance: only the states on the slow branches compare
_SETTLED = {"same": lambda y: np.sort(np.abs(y[:, 0]))[len(y) // 2], "rtol": 0.1}


@topic.pair(
    "Van der Pol, mu = 100..1000, 1,000 lanes: Rodas5P by vmap, and a loop over SciPy's LSODA", ratio=50, **_SETTLED
)
def van_der_pol_ensemble_rodas(quick: bool):
    return _van_der_pol_ensemble(quick, "Rodas5P")


@topic.pair("Van der Pol, mu = 100..1000, 1,000 lanes: Rodas5P in rounds (`ode.ensemble`), and by vmap", **_SETTLED)
def van_der_pol_ensemble_rounds(quick: bool):
    """Ours against ours: what packing the unfinished lanes together gains."""
    import jax

    from solvers import ode

    by_vmap, _ = _van_der_pol_ensemble(quick, "Rodas5P")
    m = 5 if quick else 1000
    mu, y0 = np.linspace(100.0, 1000.0, m), np.tile([2.0, 0.0], (m, 1))

    def rounds():
        with jax.enable_x64(True):
            return ode.ensemble(_van_der_pol_jax, 0.0, 1000.0, y0, (mu,)).y

    return rounds, by_vmap


@topic.pair("Van der Pol, mu = 100..1000, 1,000 lanes: Radau by vmap, and a loop over SciPy's LSODA", **_SETTLED)
def van_der_pol_ensemble_radau(quick: bool):
    return _van_der_pol_ensemble(quick, "Radau")


@topic.pair("Falling ball with a terminal and a counted event, RK45", same=lambda s: s.t_events[0], rtol=1e-6)
def events(quick: bool):
    def fall(t, u):
        return np.array([u[1], -9.81 - 0.1 * u[1]])

    def ground(t, u):
        return u[0]

    def apex(t, u):
        return u[1]

    ground.terminal, ground.direction = True, -1  # type: ignore[attr-defined]
    return _stiff_pair(fall, 100.0, [10.0, 50.0], events=[ground, apex], max_step=0.1)


@topic.pair("quad of exp(-x) sin(x)^2 over [0, 10]", same=lambda r: r[0], **_ONE_CALL)
def quad_finite(quick: bool):
    ours, original = _both()

    def call(module):
        return lambda: module.quad(lambda x: np.exp(-x) * np.sin(x) ** 2, 0.0, 10.0)

    return call(ours), call(original)


@topic.pair("quad of exp(-x^2) over the whole axis", same=lambda r: r[0])
def quad_infinite(quick: bool):
    ours, original = _both()

    def call(module):
        return lambda: module.quad(lambda x: np.exp(-(x**2)), -np.inf, np.inf)

    return call(ours), call(original)
