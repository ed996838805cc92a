"""Sparse Jacobians: groups, orders, banded elimination, and solves that use them."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.sparse
from scipy.integrate import solve_ivp

from solvers import ode
from solvers.ode.banded import factorised, solve


@pytest.fixture(autouse=True)
def double():
    with jax.enable_x64(True):
        yield


def banded(n, lower, upper, rng):
    return sum(np.diag(rng.standard_normal(n - abs(k)), k) for k in range(-lower, upper + 1)) + 4 * np.eye(n)


def diagonals(a, lower, upper):
    ab = np.zeros((lower + upper + 1, len(a)))
    for k in range(-lower, upper + 1):
        ab[upper - k, max(k, 0) : len(a) + min(k, 0)] = np.diag(a, k)
    return ab


@pytest.mark.parametrize(
    "n, lower, upper",
    [(1, 0, 0), (2, 1, 1), (3, 2, 0), (9, 1, 1), (40, 1, 1), (70, 2, 2), (37, 3, 1), (64, 0, 2), (90, 6, 5)],
)
def test_elimination(n, lower, upper):
    rng = np.random.default_rng(n)
    a, b = banded(n, lower, upper, rng), rng.standard_normal(n)
    x = solve(factorised(jnp.asarray(diagonals(a, lower, upper)), lower, upper), jnp.asarray(b))
    np.testing.assert_allclose(x, np.linalg.solve(a, b), rtol=1e-9, atol=1e-11)


@pytest.mark.parametrize("shuffled", [False, True])
@pytest.mark.parametrize("n", [12, 60])
def test_coloured_jacobian(n, shuffled):
    """A function of neighbours, in order or not: the exact Jacobian, from few derivatives."""
    rng = np.random.default_rng(3)
    order = rng.permutation(n) if shuffled else np.arange(n)
    a = np.zeros((n, n))
    a[np.ix_(order, order)] = banded(n, 1, 1, rng)
    pattern = ode.sparse_pattern(*np.nonzero(a), n)
    assert pattern.colours == 3 or (shuffled and pattern.colours <= 5)
    assert (pattern.lower is None) == (n < 16)
    y = jnp.asarray(rng.standard_normal(n))
    rhs = lambda y: jnp.asarray(a) @ jnp.sin(y)
    jac = pattern.jacobian(rhs, y)
    exact = pattern.band(jax.jacfwd(rhs)(y))
    np.testing.assert_allclose(jac, exact, rtol=1e-12, atol=1e-12)
    if pattern.lower is not None:
        assert max(pattern.lower, pattern.upper) <= 2


def heat(n):
    """Heat equation with a reaction; decays to a steady state."""
    c = 0.1 * (n + 1) ** 2

    def rhs(t, y, xp):
        z = xp.concatenate([xp.zeros(1), y, xp.zeros(1)])
        return c * (z[2:] - 2 * y + z[:-2]) + y * (1 - y)

    x = np.arange(1, n + 1) / (n + 1)
    return rhs, np.sin(np.pi * x) + 0.3 * np.sin(3 * np.pi * x)


@pytest.mark.filterwarnings("ignore::RuntimeWarning:scipy")  # SciPy's BDF subtracts rows that it has not filled yet
@pytest.mark.parametrize("method", ["Radau", "BDF", "LSODA"])
def test_heat_equation(method):
    """The steps of SciPy with its sparse linear algebra; the dense engine's result."""
    n = 80
    rhs, y0 = heat(n)
    t = np.linspace(0, 1, 5)
    s = scipy.sparse.diags([np.ones(n - abs(k)) for k in (-1, 0, 1)], [-1, 0, 1])
    options = {"lband": 1, "uband": 1} if method == "LSODA" else {"jac_sparsity": s}
    ref = solve_ivp(lambda t, y: rhs(t, y, np), (0, 1), y0, method=method, t_eval=t, rtol=1e-6, atol=1e-9, **options)
    pattern = ode.banded_pattern(n, 1, 1) if method == "LSODA" else ode.sparse_pattern(*s.nonzero(), n)
    got = ode.solve(
        lambda t, y: rhs(t, y, jnp), 0.0, 1.0, y0, method=getattr(ode, method)(), t_eval=t, rtol=1e-6, atol=1e-9,
        sparsity=pattern,
    )  # fmt: skip
    np.testing.assert_allclose(got.y.T, ref.y, rtol=1e-4, atol=1e-7)
    assert int(got.njev) <= ref.njev + 2 and abs(int(got.nlu) - ref.nlu) <= 2


def test_bad_bands():
    for lower, upper in ((-1, 0), (0, 5)):
        with pytest.raises(ValueError, match="lower"):
            ode.banded_pattern(5, lower, upper)
    with pytest.raises(ValueError, match="jac"):
        ode.solve(
            lambda t, y: -y, 0.0, 1.0, jnp.ones(5), method=ode.LSODA(), jac=lambda t, y: jnp.eye(5),
            sparsity=ode.banded_pattern(5, 1, 1, packed=True),
        )  # fmt: skip
