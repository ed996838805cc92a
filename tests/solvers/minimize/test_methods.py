"""Unconstrained methods against SciPy on the catalogue: no false success, no more evaluations, nothing missed."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.optimize

from solvers.minimize import CG, LBFGSB, Dogleg, NewtonCG, TrustExact, TrustKrylov, TrustNCG, minimize
from tests.problems.optimize import PROBLEMS

METHODS = {
    "CG": CG,
    "Newton-CG": NewtonCG,
    "L-BFGS-B": LBFGSB,
    "trust-exact": TrustExact,
    "trust-krylov": TrustKrylov,
    "trust-ncg": TrustNCG,
    "dogleg": Dogleg,
}
QUICK = {"rosenbrock", "bard"}
#: The gradient that a success certifies; the tests of Newton-CG and L-BFGS-B (ftol) are on the step and the value.
CERTIFICATE = {"CG": 1e-5, "trust-exact": 1e-4, "trust-krylov": 1e-4, "trust-ncg": 1e-4, "dogleg": 1e-4}


@pytest.fixture(autouse=True)
def double():
    with jax.enable_x64(True):
        yield


def objective(problem):
    return lambda x: jnp.sum(problem.residuals(x, jnp) ** 2)


def scipys(problem, name):
    fun = objective(problem)
    gradient, hessian = jax.jit(jax.grad(fun)), jax.jit(jax.hessian(fun))
    second = {} if name in ("CG", "L-BFGS-B") else {"hess": lambda x: np.asarray(hessian(x))}
    return scipy.optimize.minimize(
        lambda x: np.sum(problem.residuals(x, np) ** 2),
        np.array(problem.x0),
        jac=lambda x: np.asarray(gradient(x)),
        method=name,
        **second,
    )


def catalogue():
    for name in METHODS:
        for problem in PROBLEMS:
            # At these, rounding decides where an exact subproblem's iteration goes, and whether the last line search
            # of CG finds a lower value before it meets the end of double precision (ours then reports status 2).
            lost = name in ("trust-exact", "trust-krylov") and problem.name.endswith("badly_scaled")
            lost |= name == "CG" and problem.name == "brown_badly_scaled"
            if not lost:
                marks = () if problem.name in QUICK else pytest.mark.slow
                yield pytest.param(name, problem, marks=marks, id=f"{name}-{problem.name}")


@pytest.mark.parametrize(("name", "problem"), list(catalogue()))
@pytest.mark.filterwarnings("ignore")
def test_catalogue(name, problem):
    ours = minimize(objective(problem), np.array(problem.x0), method=METHODS[name]())
    theirs = scipys(problem, name)
    assert bool(ours.success) or not theirs.success
    recomputed = np.sum(problem.residuals(np.asarray(ours.x), np) ** 2)
    assert recomputed == pytest.approx(float(ours.fun), rel=1e-9, abs=1e-20)
    if bool(ours.success):
        assert np.linalg.norm(jax.grad(objective(problem))(ours.x), np.inf) <= CERTIFICATE.get(name, np.inf)
        if theirs.success and abs(float(ours.fun) - theirs.fun) < 1e-3 * (1 + abs(theirs.fun)):
            assert int(ours.nfev) <= 1.5 * theirs.nfev + 3


@pytest.mark.parametrize("name", METHODS)
@pytest.mark.parametrize("fun", [lambda x: jnp.sum(x) * jnp.nan, lambda x: jnp.sum(jnp.exp(x)) * jnp.inf])
def test_no_success_without_numbers(name, fun):
    assert not bool(minimize(fun, np.ones(2), method=METHODS[name](maxiter=50)).success)


@pytest.mark.parametrize("name", ["CG", "trust-ncg", "L-BFGS-B"])
def test_batch_equals_loop_and_derivative_is_implicit(name):
    def solve(x0, a):
        options = {"ftol": 0.0} if name == "L-BFGS-B" else {}
        return minimize(lambda x: (x[0] - a) ** 2 + (x[1] - x[0] ** 2) ** 2, x0, method=METHODS[name](1e-8, **options))

    starts, scales = np.random.default_rng(0).normal(size=(3, 2)), np.linspace(0.5, 2, 3)
    batch = jax.jit(jax.vmap(solve))(starts, scales)
    for i in range(3):
        one = solve(starts[i], scales[i])
        assert int(one.nfev) == int(batch.nfev[i])
        np.testing.assert_allclose(one.x, batch.x[i], rtol=1e-7)
    slope = jax.jacrev(lambda a: solve(starts[0], a).x)(1.5)
    np.testing.assert_allclose(slope, [1, 3], rtol=1e-5)


def test_given_second_derivatives_are_used():
    def fun(x):
        return jnp.sum((x - 1) ** 4 + (x - 1) ** 2)

    exact = minimize(fun, np.zeros(3), method=TrustNCG())
    wrong = minimize(fun, np.zeros(3), method=TrustNCG(), hess=lambda x: 100 * jnp.eye(3))
    assert int(wrong.nit) > 2 * int(exact.nit)
    products = minimize(fun, np.zeros(3), method=TrustNCG(), hessp=lambda x, v: 14.0 * v)
    assert bool(products.success)


def test_indefinite_hessian():
    """The start is a saddle's neighbourhood: the global subproblem leaves it, the dogleg says that it cannot."""

    def fun(x):
        return x[0] ** 2 - x[1] ** 2 + x[1] ** 4

    found = minimize(fun, np.array([0.5, 0.0]), method=TrustExact(gtol=1e-8))
    assert bool(found.success)
    np.testing.assert_allclose(np.abs(found.x), [0, 0.5**0.5], atol=1e-6)
    assert int(minimize(fun, np.array([0.5, 0.1]), method=Dogleg()).status) == 3
