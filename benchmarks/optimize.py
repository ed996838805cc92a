"""Minimisation, roots, least squares. Objectives are NumPy code, as users write them."""

from __future__ import annotations

import warnings

import numpy as np

from benchmarks.harness import Topic

topic = Topic("optimize", "Optimisation (float64)")

_ONE_CALL = {"first": 0.8, "cached": 0.4}


def rosenbrock(x):
    """Rosenbrock's valley in any dimension."""
    return np.sum(100.0 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2)


def decay(t, a, k, c):
    """Exponential decay to a constant."""
    return a * np.exp(-k * t) + c


def _both():
    from scipy import optimize as original

    from sci import optimize

    return optimize, original


def _rosenbrock_pair(n: int):
    ours, original = _both()
    x0 = np.tile([-1.2, 1.0], n // 2)

    def call(module):
        return lambda: module.minimize(rosenbrock, x0, method="BFGS")

    return call(ours), call(original)


def _reached(tolerance: float):
    """The minimum's value: the paths to it differ (exact gradients here, differences there)."""
    return {"same": lambda r: np.float64(r.fun) + 1.0, "rtol": tolerance}


@topic.pair("BFGS, Rosenbrock n = 2, no gradient given", ratio=30, **_reached(1e-6), **_ONE_CALL)
def bfgs_2(quick: bool):
    return _rosenbrock_pair(2)


@topic.pair("BFGS, Rosenbrock n = 10, no gradient given", same=None)
def bfgs_10(quick: bool):
    """n >= 4 has a second minimum, and from this start either may be reached: not compared."""
    return _rosenbrock_pair(10)


@topic.pair("BFGS, Rosenbrock n = 100, no gradient given", ratio=100, same=None, **_ONE_CALL)
def bfgs_100(quick: bool):
    return _rosenbrock_pair(100)


@topic.pair("L-BFGS-B, extended Rosenbrock n = 1,000, bounds, no gradient given", ratio=10, **_reached(1e-6))
def lbfgsb_1000(quick: bool):
    """SciPy's differences cost 1,001 evaluations each."""
    ours, original = _both()
    n = 100 if quick else 1000
    x0, bounds = np.tile([-1.2, 1.0], n // 2), [(-2.0, 0.5 if i % 2 else 2.0) for i in range(n)]
    options = {"maxfun": 200_000, "ftol": 1e-12}

    def extended(x):
        return np.sum(100.0 * (x[1::2] - x[::2] ** 2) ** 2 + (1 - x[::2]) ** 2)

    def call(module):
        return lambda: module.minimize(extended, x0, method="L-BFGS-B", bounds=bounds, options=options)

    return call(ours), call(original)


def _hock_schittkowski(module):
    """Solve 20 problems of the catalogue; how many end at the published minimum."""
    from tests.problems.constrained import PROBLEMS

    starts, kinds = [], {"eq": "equalities", "ineq": "inequalities"}
    for problem in PROBLEMS[:20]:
        constraints = [
            {"type": kind, "fun": _with_numpy(getattr(problem, name), np.array)}
            for kind, name in kinds.items()
            if getattr(problem, name)
        ]
        starts.append((_with_numpy(problem.fun), np.array(problem.x0), problem.bounds, constraints))

    def solve():
        minima = [
            module.minimize(fun, x0, method="SLSQP", bounds=bounds, constraints=constraints).fun
            for fun, x0, bounds, constraints in starts
        ]
        published = np.array([problem.minimum for problem in PROBLEMS[:20]])
        return int(np.sum(np.abs(minima - published) <= 1e-4 * np.maximum(1, np.abs(published))))

    return solve


def _with_numpy(function, convert=lambda value: value):
    return lambda x: convert(function(x, np))


@topic.pair("SLSQP, 20 problems of Hock and Schittkowski", ratio=5)
def slsqp_total(quick: bool):
    """What is compared is the number of problems solved."""
    ours, original = _both()
    return _hock_schittkowski(ours), _hock_schittkowski(original)


def _regressions(module, method: str):
    from tests.problems.optimize import REGRESSIONS

    cases = [(_misfit(r.model, np.array(r.x, float), np.array(r.y, float)), np.array(r.starts[1])) for r in REGRESSIONS]

    def solve():
        return [module.least_squares(fun, x0, method=method, x_scale="jac").cost for fun, x0 in cases]

    return solve


def _misfit(model, x, y):
    return lambda b: model(b, x, np) - y


@topic.pair("least_squares lm, NIST's sets from their second starts", ratio=5, rtol=1e-6)
def nist_lm(quick: bool):
    ours, original = _both()
    return _regressions(ours, "lm"), _regressions(original, "lm")


@topic.pair("least_squares trf, NIST's sets from their second starts", ratio=5, rtol=1e-6)
def nist_trf(quick: bool):
    ours, original = _both()
    return _regressions(ours, "trf"), _regressions(original, "trf")


def _decay_data(m: int):
    t = np.linspace(0, 4, 50)
    rng = np.random.default_rng(3)
    truth = np.array([2.5, 1.3, 0.5]) * (1 + 0.1 * rng.standard_normal((m, 3)))
    return t, np.stack([decay(t, *p) for p in truth]) + 0.05 * rng.standard_normal((m, t.size))


@topic.pair("curve_fit lm, 3 parameters, 50 points", rtol=1e-4)
def curve_fit(quick: bool):
    ours, original = _both()
    t, y = _decay_data(1)

    def call(module):
        return lambda: module.curve_fit(decay, t, y[0], p0=[1.0, 1.0, 1.0])

    return call(ours), call(original)


@topic.pair("curve_fit lm, 10,000 data sets: vmap, and a loop over SciPy", ratio=30, rtol=1e-4)
def curve_fit_batch(quick: bool):
    import jax

    ours, original = _both()
    t, y = _decay_data(10 if quick else 10_000)
    batched = jax.jit(jax.vmap(lambda data: ours.curve_fit(decay, t, data, p0=np.ones(3))[0]))

    def vmapped():
        with jax.enable_x64(True):
            return batched(y)

    return vmapped, lambda: np.stack([original.curve_fit(decay, t, d, p0=np.ones(3))[0] for d in y])


@topic.pair("least_squares lm, Rosenbrock's residuals", same=lambda r: r.x, rtol=1e-5)
def least_squares(quick: bool):
    ours, original = _both()

    def residuals(x):
        return np.array([10 * (x[1] - x[0] ** 2), 1 - x[0]])

    def call(module):
        return lambda: module.least_squares(residuals, [-1.2, 1.0], method="lm")

    return call(ours), call(original)


@topic.pair("root hybr, 2 unknowns", same=lambda r: r.x)
def root(quick: bool):
    ours, original = _both()

    def equations(x):
        return np.array([x[0] + 0.5 * (x[0] - x[1]) ** 3 - 1.0, 0.5 * (x[1] - x[0]) ** 3 + x[1]])

    def call(module):
        return lambda: module.root(equations, [0.0, 0.0])

    return call(ours), call(original)


@topic.pair("brentq, 100,000 roots: vmap, and a loop over SciPy", ratio=200, rtol=1e-9)
def brentq_batch(quick: bool):
    import jax

    ours, original = _both()
    scales = np.linspace(0.5, 3.0, 200 if quick else 100_000)
    batched = jax.jit(jax.vmap(lambda a: ours.brentq(lambda x: np.cos(x) - a * x, 0.0, 2.0)))

    def vmapped():
        with jax.enable_x64(True):
            return batched(scales)

    def loop():
        return np.array([original.brentq(lambda x, a=a: np.cos(x) - a * x, 0.0, 2.0) for a in scales])

    return vmapped, loop


@topic.pair("brentq, one root")
def brentq_one(quick: bool):
    ours, original = _both()

    def call(module):
        return lambda: module.brentq(lambda x: np.cos(x) - x, 0.0, 2.0)

    return call(ours), call(original)


@topic.pair("elementwise.find_root, 100,000 roots, NumPy in and out", same=lambda r: r.x, rtol=1e-9)
def find_root_array(quick: bool):
    from scipy.optimize import elementwise as original

    from sci.optimize import elementwise as ours

    scales = np.linspace(0.5, 3.0, 200 if quick else 100_000)

    def call(module):
        return lambda: module.find_root(lambda x, a: np.cos(x) - a * x, (0.0, 2.0), args=(scales,))

    return call(ours), call(original)


def _programs(m: int):
    """Random programs of 8 rows and 10 variables, all bounded."""
    rng = np.random.default_rng(2)
    return rng.random((8, 10)), 1 + rng.random((m, 8)), -rng.random((m, 10))


@topic.pair("linprog, 1,000 programs of 8 rows, 10 variables: vmap, and a loop over SciPy", rtol=1e-7)
def linprog_batch(quick: bool):
    import jax

    ours, original = _both()
    matrix, right, cost = _programs(20 if quick else 1000)
    batched = jax.jit(jax.vmap(lambda c, b: ours.linprog(c, A_ub=matrix, b_ub=b).fun))

    def vmapped():
        with jax.enable_x64(True):
            return batched(cost, right)

    pairs = list(zip(cost, right, strict=True))
    return vmapped, lambda: np.array([original.linprog(c, A_ub=matrix, b_ub=b).fun for c, b in pairs])


@topic.pair("linprog revised simplex, 8 rows, 10 variables", same=lambda r: r.x, rtol=1e-7)
def linprog_one(quick: bool):
    ours, original = _both()
    matrix, right, cost = _programs(1)

    def call(module):
        def solved():
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                return module.linprog(cost[0], A_ub=matrix, b_ub=right[0], method="revised simplex")

        return solved

    return call(ours), call(original)


@topic.pair("minimize_scalar bounded, 10,000 functions: vmap, and a loop over SciPy", rtol=1e-4)
def minimize_scalar_batch(quick: bool):
    import jax

    ours, original = _both()
    scales = np.linspace(0.5, 3.0, 100 if quick else 10_000)
    batched = jax.jit(jax.vmap(lambda a: ours.minimize_scalar(lambda x: np.exp(x) - a * x, bounds=(-3.0, 3.0)).x))

    def vmapped():
        with jax.enable_x64(True):
            return batched(scales)

    def loop():
        found = [original.minimize_scalar(lambda x, a=a: np.exp(x) - a * x, bounds=(-3.0, 3.0)).x for a in scales]
        return np.array(found)

    return vmapped, loop


@topic.pair("least_squares trf with bounds, 3 parameters, 50 points", same=lambda r: r.x, rtol=1e-4)
def least_squares_trf(quick: bool):
    ours, original = _both()
    t, y = _decay_data(1)

    def call(module):
        return lambda: module.least_squares(lambda p: decay(t, *p) - y[0], np.ones(3), bounds=(0, [2.2, 5, 5]))

    return call(ours), call(original)


def rastrigin(x):
    """Rastrigin's function in any dimension: a minimum in each unit cell."""
    return 10 * x.size + np.sum(x * x - 10 * np.cos(2 * np.pi * x))


def _evolution(updating: str, quick: bool):
    ours, original = _both()
    options = {"updating": updating, "maxiter": 20 if quick else 200, "tol": 0.0, "polish": False, "rng": 1}

    def call(module):
        return lambda: module.differential_evolution(rastrigin, [(-5.12, 5.12)] * 10, **options)

    return call(ours), call(original)


@topic.pair("differential_evolution, 10 dimensions, 200 generations", ratio=10, same=lambda r: np.float64(r.nit))
def evolution(quick: bool):
    """The generations are as many; the points differ, as the random numbers do."""
    return _evolution("immediate", quick)


@topic.pair("differential_evolution, the same, deferred", ratio=10, same=lambda r: np.float64(r.nit))
def evolution_deferred(quick: bool):
    return _evolution("deferred", quick)


@topic.pair("brute, 1,000,000 points, no finish")
def brute_grid(quick: bool):
    ours, original = _both()
    points = 30 if quick else 1000

    def call(module):
        return lambda: module.brute(rastrigin, ((-5.0, 5.0), (-5.0, 5.0)), Ns=points, finish=None)

    return call(ours), call(original)


def tridiagonal(x):
    """Broyden's tridiagonal equations in any dimension."""
    left, right = np.concatenate([[0.0], x[:-1]]), np.concatenate([x[1:], [0.0]])
    return (3 - 2 * x) * x - left - 2 * right + 1


def _tridiagonal_roots(**options):
    ours, original = _both()

    def call(module):
        return lambda: module.root(tridiagonal, -np.ones(100), **options)

    return call(ours), call(original)


@topic.pair("root hybr, tridiagonal, n = 100", ratio=20, same=lambda r: r.x, rtol=1e-6)
def root_hybr(quick: bool):
    return _tridiagonal_roots()


@topic.pair("root broyden1, tridiagonal, n = 100", same=lambda r: r.x, rtol=1e-4)
def root_broyden(quick: bool):
    """From the default first Jacobian neither converges."""
    return _tridiagonal_roots(method="broyden1", options={"jac_options": {"alpha": -0.2}})


@topic.pair("root krylov, tridiagonal, n = 100", same=lambda r: r.x, rtol=1e-4)
def root_krylov(quick: bool):
    return _tridiagonal_roots(method="krylov")


@topic.pair("nnls, 60 x 30", same=lambda r: r[0], rtol=1e-8)
def nonnegative(quick: bool):
    ours, original = _both()
    rng = np.random.default_rng(5)
    a, b = rng.random((60, 30)), rng.random(60)

    def call(module):
        return lambda: module.nnls(a, b)

    return call(ours), call(original)


@topic.pair("linprog, 20 variables, 10 inequalities", same=lambda r: r.x, rtol=1e-7)
def linear_program(quick: bool):
    ours, original = _both()
    rng = np.random.default_rng(6)
    a, c = rng.random((10, 20)), -rng.random(20)

    def call(module):
        return lambda: module.linprog(c, A_ub=a, b_ub=np.ones(10))

    return call(ours), call(original)


@topic.pair("dual_annealing, 10 dimensions, 200 iterations", same=lambda r: np.float64(r.nit))
def annealing(quick: bool):
    """The iterations are as many; the points differ, as the random numbers do."""
    ours, original = _both()
    options = {"maxiter": 20 if quick else 200, "rng": 1}

    def call(module):
        return lambda: module.dual_annealing(rastrigin, [(-5.12, 5.12)] * 10, **options)

    return call(ours), call(original)


@topic.pair("direct, 3 dimensions, 3,000 evaluations", same=None)
def rectangles(quick: bool):
    """SciPy's divides more rectangles in an iteration: the path differs."""
    ours, original = _both()
    options = {"maxfun": 300 if quick else 3000, "len_tol": 0.0, "vol_tol": 0.0}

    def call(module):
        return lambda: module.direct(rastrigin, [(-5.12, 4.3)] * 3, **options)

    return call(ours), call(original)


@topic.pair("shgo, 3 dimensions, 128 Sobol points", same=lambda r: r.fun, rtol=1e-6)
def homology(quick: bool):
    ours, original = _both()
    options = {"n": 32 if quick else 128, "sampling_method": "sobol"}

    def call(module):
        return lambda: module.shgo(rastrigin, [(-5.12, 4.3)] * 3, **options)

    return call(ours), call(original)


@topic.pair("linear_sum_assignment, 200 of 30 x 30: vmap, and a loop over SciPy")
def assignments(quick: bool):
    import jax

    ours, original = _both()
    costs = np.random.default_rng(7).random((5 if quick else 200, 30, 30))
    batched = jax.jit(jax.vmap(lambda cost: ours.linear_sum_assignment(cost)[1]))

    def vmapped():
        with jax.enable_x64(True):
            return batched(costs)

    return vmapped, lambda: np.stack([original.linear_sum_assignment(cost)[1] for cost in costs])
