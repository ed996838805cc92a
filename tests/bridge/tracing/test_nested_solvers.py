"""Solvers called inside traced functions: values, derivatives, batches, one program for a fit, refusals."""

import functools
import warnings

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import integrate, optimize, stats
from scipy.integrate import solve_ivp

import sci
from sci.bridge.tracing import TraceError, TraceReason, api, to_jax

T = np.linspace(0.0, 1.0, 5)
TIGHT = {"rtol": 1e-10, "atol": 1e-12}


def pendulum(t, y, damping, length):
    return [y[1], -damping * y[1] - 9.81 / length * np.sin(y[0])]


class Decay:
    """Right-hand sides as methods, with a captured rate."""

    def __init__(self, rate):
        self.rate = rate

    def slope(self, t, y, k):
        return -k * self.rate * y

    def direct(self, k):
        return solve_ivp(self.slope, (0, 1), [1.0, 2.0], t_eval=T, args=(k,), **TIGHT).y[:, -1]

    def partial(self, k):
        return solve_ivp(functools.partial(self.slope, k=k), (0, 1), [1.0], t_eval=T, **TIGHT).y[0]


def with_args(k):
    return solve_ivp(pendulum, (0, 1), [1.0, k], t_eval=T, args=(0.3, k), **TIGHT).y.ravel()


def with_ours(k):
    return sci.integrate.solve_ivp(pendulum, (0, 1), [1.0, k], t_eval=T, args=(0.3, k), **TIGHT).y.T


def nested_def(k):
    matrix = np.array([[0.0, 1.0], [-k, -0.1]])

    def rhs(t, y):
        return matrix @ y

    solution = solve_ivp(rhs, (0.0, 1.0), np.array([1.0, 0.0]), t_eval=T, **TIGHT)
    if not solution.success:
        return np.full(5, np.nan)
    return solution.y[0] * solution.t


def branching_rhs(k):
    def rhs(t, y):
        if k > 0.1:  # on a captured value
            return -k * y if t < 0.5 else np.array([-np.sqrt(k) * y[0]])
        return -y

    return solve_ivp(rhs, (0, 1), [1.0], t_eval=T, max_step=0.01).y[0]


def last_entry(k):
    solution = solve_ivp(lambda t, y: [y[1], -k * y[0]], (0, k), [1.0, 0.5], **TIGHT)
    return solution.y[0, -1] + 2 * solution.y.T[-1][1] + solution.t[-1] + solution.y[1][-1]


def rows(k):
    x, v = solve_ivp(lambda t, y: [y[1], -k * y[0]], (0, 1), [1.0, 0.5], **TIGHT).y
    return x[-1] * v[-1] + x[0]


def dense(k):
    return solve_ivp(lambda t, y: -k * y, (0, 1), [1.0], dense_output=True, **TIGHT).sol(np.array([0.3, k]))[0]


def solver_of_solver(p):
    """The time at which a state has a given value."""

    def miss(x):
        return solve_ivp(lambda t, y: -p * y, (0, x[0]), [1.0], **TIGHT).y[0, -1] - 0.5

    return optimize.fsolve(miss, [0.6])[0]


def in_a_branch(k):
    if k > 0.5:
        return integrate.quad(lambda x: np.exp(-k * x**2), 0, 1)[0]
    return k


def constant_call(k):
    scale = solve_ivp(lambda t, y: -y, (0, 1), [1.0])  # depends on nothing traced: every entry is known
    return k * scale.y.sum() * len(scale.t)


def fit(p):
    data = np.exp(-p * T) + 0.1 * T
    return optimize.curve_fit(lambda x, a, b: a * np.exp(-b * x), T, data, ftol=1e-14, xtol=1e-14)[0]


CASES = {
    "with_args": (with_args, 1e-6),
    "with_ours": (with_ours, 1e-6),
    "nested_def": (nested_def, 1e-6),
    "branching_rhs": (branching_rhs, 1e-6),
    "method": (Decay(1.3).direct, 1e-6),
    "partial": (Decay(1.3).partial, 1e-6),
    "last_entry": (last_entry, 1e-6),
    "rows": (rows, 1e-6),
    "dense": (dense, 1e-5),  # SciPy's interpolant is not differentiable across steps
    "quad": (lambda a: integrate.quad(lambda x: np.exp(-a * x), 0, np.inf)[0], 1e-6),
    "quad_args": (lambda a: integrate.quad(lambda x, b: np.exp(-b * x), 0, a, args=a)[0], 1e-6),
    "quad_ufunc": (lambda a: integrate.quad(np.sin, 0, a)[0], 1e-6),
    "solver_of_solver": (solver_of_solver, 1e-5),
    "in_a_branch": (in_a_branch, 1e-6),
    "constant_call": (constant_call, 1e-6),
    "root": (lambda p: optimize.root(lambda x, q: [x[0] ** 2 - q, x[1] - x[0] * q], [1.0, 1.0], args=(p,)).x, 1e-6),
    "root_jac": (
        lambda p: optimize.root(lambda x: (x**3 - p, np.diag(3 * x**2)), [1.0, 2.0], jac=True, tol=1e-12).x,
        1e-6,
    ),
    "fsolve": (lambda p: optimize.fsolve(lambda x: x**3 - p, 1.0), 1e-6),
    "minimize": (lambda p: optimize.minimize(lambda x: ((x - p) ** 2).sum() + x[0], np.zeros(2), tol=1e-9).x, 1e-5),
    "minimize_fun": (lambda p: optimize.minimize(lambda x, c: (x[0] - c) ** 2 + x[0] ** 2, [0.0], args=(p,)).fun, 1e-6),
    "minimize_jac": (lambda p: optimize.minimize(lambda x: (x[0] - p) ** 2, [0.0], jac=lambda x: 2 * (x - p)).x, 1e-6),
    "least_squares": (
        lambda p: optimize.least_squares(lambda x, c: [x[0] - c, x[1] - x[0] ** 2, x[1] - 1], [0.5, 0.5], args=(p,),
                                         method="lm", xtol=1e-14, ftol=1e-14).x,
        1e-5,
    ),
    "leastsq": (lambda p: optimize.leastsq(lambda x: np.array([x[0] - p, x[0] - 1]), [0.0])[0], 1e-6),
    "fit": (fit, 1e-5),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_value_and_gradient(name):
    fun, slack = CASES[name]
    both = jax.jit(lambda k: jax.jvp(to_jax(fun, 0.7), (k,), (jnp.ones_like(k),)))
    h = 1e-4
    with jax.enable_x64(True):
        for k in (0.7, 0.83):
            value, slope = both(jnp.asarray(k))
            assert value.shape == np.shape(fun(k)) and value.dtype == np.asarray(fun(k)).dtype
            np.testing.assert_allclose(value, fun(k), rtol=slack, atol=1e-9)
        want = (np.asarray(fun(k + h)) - np.asarray(fun(k - h))) / (2 * h)
        np.testing.assert_allclose(slope, want, rtol=2e-4, atol=2e-5)


def test_a_solver_in_a_solver():
    inner = lambda x, a: integrate.quad(lambda z: np.exp(-a * x * z), 0, 1)[0]  # noqa: E731
    fun = lambda a: integrate.quad(inner, 0, 1, args=(a,))[0]  # noqa: E731
    assert to_jax(fun, 0.7).paths == [1]  # verified through NumPy, here and at two other points


def test_reverse_mode_vmap_and_single_precision():
    traced = to_jax(with_args, 0.7)
    total = lambda k: traced(k).sum()  # noqa: E731
    with jax.enable_x64(True):
        want = jax.jacfwd(total)(0.7)
        np.testing.assert_allclose(jax.jit(jax.grad(total))(0.7), want, rtol=1e-8)
        ks = jnp.array([0.6, 0.7, 0.9])
        np.testing.assert_allclose(jax.vmap(traced)(ks), [with_args(float(k)) for k in ks], rtol=1e-6, atol=1e-9)
        np.testing.assert_allclose(jax.vmap(jax.grad(total))(ks)[1], want, rtol=1e-8)
    loose = to_jax(lambda k: solve_ivp(lambda t, y: -k * y, (0, 1), [1.0], t_eval=T).y[0], 0.7)
    single = loose(jnp.float32(0.7))
    assert single.dtype == jnp.float32
    np.testing.assert_allclose(single, np.exp(-0.7 * T), rtol=2e-3)


def predator(t, y, a, b):
    return np.array([a * y[0] - b * y[0] * y[1], 0.5 * b * y[0] * y[1] - 0.8 * y[1]])


def population(t, a, b):
    return solve_ivp(predator, (0, 3), [10.0, 5.0], t_eval=t, args=(a, b)).y.ravel()


TIMES = np.linspace(0, 3, 9)
DATA = population(TIMES, 1.0, 0.3) + 0.05 * np.sin(7 * np.arange(18))


def test_fit_of_an_equation_is_one_program():
    sci.clear_fallbacks()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        popt, pcov = sci.optimize.curve_fit(population, TIMES, DATA, p0=[0.9, 0.28])
    assert sci.fallbacks() == []
    want, spread = optimize.curve_fit(population, TIMES, DATA, p0=[0.9, 0.28])
    np.testing.assert_allclose(popt, want, rtol=1e-4)
    # at rtol=1e-3 the derivative of the steps and the difference of SciPy's solutions differ visibly
    np.testing.assert_allclose(pcov, spread, rtol=0.2)


def test_tight_fit_agrees_with_scipy():
    def model(t, a, b):
        return solve_ivp(predator, (0, 3), [10.0, 5.0], t_eval=t, args=(a, b), method="DOP853", **TIGHT).y.ravel()

    popt, pcov = sci.optimize.curve_fit(model, TIMES, DATA, p0=[0.9, 0.28])
    want, spread = optimize.curve_fit(model, TIMES, DATA, p0=[0.9, 0.28])
    np.testing.assert_allclose(popt, want, rtol=1e-4)
    np.testing.assert_allclose(pcov, spread, rtol=1e-4)


def test_least_squares_of_an_equation():
    sci.clear_fallbacks()
    residuals = lambda p: population(TIMES, *p) - DATA  # noqa: E731
    ours = sci.optimize.least_squares(residuals, [0.9, 0.28], method="lm")
    assert sci.fallbacks() == []
    want = optimize.least_squares(residuals, [0.9, 0.28], method="lm")
    np.testing.assert_allclose(ours.x, want.x, rtol=1e-4)


def test_a_fresh_closure_is_not_traced_again():
    def make(rate):
        return lambda k: solve_ivp(lambda t, y: -rate * k * y, (0, 1), [1.0], t_eval=T).y[0]

    first = to_jax(make(0.5), 0.7)
    entries = len(api._entries)
    second = to_jax(make(0.8), 0.7)
    assert len(api._entries) == entries and second._entry is first._entry
    np.testing.assert_allclose(second(0.9), make(0.8)(0.9), rtol=1e-6)


def appends(k):
    seen = []

    def rhs(t, y):
        seen.append(t)
        return -k * y

    return solve_ivp(rhs, (0, 1), [1.0], t_eval=T).y[0]


def counts(k):
    calls = 0

    def rhs(t, y):
        nonlocal calls
        calls += 1
        return -k * y

    return solve_ivp(rhs, (0, 1), [1.0], t_eval=T).y[0]


def writes(k):
    work = np.zeros(1)

    def rhs(t, y):
        work[0] = t
        return -k * y + work

    return solve_ivp(rhs, (0, 1), [1.0], t_eval=T).y[0]


def keeps(k):
    class Memory:
        last = 0.0

    memory = Memory()

    def rhs(t, y):
        memory.last = t
        return -k * y

    return solve_ivp(rhs, (0, 1), [1.0], t_eval=T).y[0] + memory.last


def ivp(**options):
    return lambda k: solve_ivp(lambda t, y: -k * y, (0, 1), [1.0], **options).y[0]


REFUSED = {
    "appends": (appends, TraceReason.OUTSIDE_WRITE, "changes a list"),
    "counts": (counts, TraceReason.OUTSIDE_WRITE, "'calls'"),
    "writes": (writes, TraceReason.OUTSIDE_WRITE, "an array from outside"),
    "keeps": (keeps, TraceReason.OUTSIDE_WRITE, "Memory"),
    "own_steps": (lambda k: ivp()(k) ** 2, TraceReason.SHAPE, "give t_eval"),
    "own_steps_length": (lambda k: k * len(ivp()(k)), TraceReason.SHAPE, "give t_eval"),
    "solver_class": (ivp(method=integrate.RK45, t_eval=T), TraceReason.LIBRARY, "RK45"),
    "events": (ivp(events=lambda t, y: y[0] - 0.5, t_eval=T), TraceReason.LIBRARY, "events"),
    "cobyqa": (
        lambda p: optimize.minimize(lambda x: ((x - p) ** 2).sum(), [0.0, 0.0], method="COBYQA").x,
        TraceReason.LIBRARY,
        "COBYQA",
    ),
    "not_native": (
        lambda p: stats.permutation_test(([1.0, 2.0], [p, 3.0]), lambda x, y: x.mean() - y.mean()).statistic,
        TraceReason.LIBRARY,
        "permutation_test",
    ),
    "raises": (
        lambda k: solve_ivp(lambda t, y: y / 0 if t is None else [][0], (0, 1), [k], t_eval=T).y[0],
        TraceReason.RAISES,
        "IndexError",
    ),
    "message": (
        lambda p: 1.0 if "converged" in optimize.root(lambda x: x - p, [0.0]).message else p,
        TraceReason.STRING,
        "message",
    ),
    "counter": (
        lambda p: p * optimize.minimize(lambda x: ((x - p) ** 2).sum(), [0.0, 0.0]).nfev,
        TraceReason.VERIFICATION,
        "",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refusals(name):
    fun, reason, text = REFUSED[name]
    with pytest.raises(TraceError) as caught:
        to_jax(fun, 0.7)
    assert caught.value.reason is reason, caught.value
    assert text in str(caught.value)
    assert caught.value.file == __file__


class Big:
    """A class whose other methods name what cannot be traced."""

    offset = 2.0

    def __init__(self):
        self.matrix = np.eye(2)

    def value(self, x):
        return ((self.matrix @ x - self.offset) ** 2).sum() * self.factor

    @property
    def factor(self):
        return self.helper() + 0.5

    def helper(self):
        return 1.0

    def counts(self, x):
        global CALLS
        CALLS += 1
        return x.sum()

    def test_something(self):
        with pytest.raises(ValueError), warnings.catch_warnings():
            pytest.fail(self.counts(np.ones(2)))


CALLS = 0


def test_only_what_is_used_is_looked_into():
    big, x = Big(), np.array([0.3, 0.4])
    np.testing.assert_allclose(to_jax(big.value, x)(x), big.value(x))
    with pytest.raises(TraceError, match="'CALLS'") as caught:
        to_jax(big.counts, x)
    assert caught.value.reason is TraceReason.OUTSIDE_WRITE and caught.value.function == "Big.counts"
