"""The simplex engine on programs that are made to be hard for it."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from solvers.linprog import simplex_method


@pytest.fixture(autouse=True)
def double():
    with jax.enable_x64(True):
        yield


def solved(c, matrix, vector, inequalities=None, lower=0.0, upper=np.inf, **options):
    c, matrix, vector = (jnp.asarray(v, float) for v in (c, matrix, vector))
    n, m = c.size, vector.size
    low, high = jnp.full(n, lower), jnp.full(n, upper)
    return simplex_method(c, matrix, vector, low, high, m if inequalities is None else inequalities, **options)


@pytest.mark.parametrize("rule", [0, 1])
def test_klee_minty_cube(rule):
    n = 6
    matrix = np.tril(2.0 ** (1 + np.subtract.outer(np.arange(n), np.arange(n))), -1) + np.eye(n)
    found = solved(-(2.0 ** np.arange(n - 1, -1, -1)), matrix, 5.0 ** np.arange(1, n + 1), rule=rule)
    assert found.status == 0
    np.testing.assert_allclose(found.x, [0, 0, 0, 0, 0, 5.0**n], rtol=1e-15)


@pytest.mark.parametrize("rule", [0, 1])
def test_beales_program_does_not_cycle(rule):
    matrix = [[0.25, -8, -1, 9], [0.5, -12, -0.5, 3], [0, 0, 1, 0]]
    found = solved([-0.75, 20, -0.5, 6], matrix, [0.0, 0.0, 1.0], rule=rule)
    assert found.status == 0
    np.testing.assert_allclose(found.x, [1, 0, 1, 0], atol=1e-12)


def test_transport_with_dependent_rows():
    """All 4 + 5 balances are equations, one of which follows from the others; every vertex is degenerate."""
    rng = np.random.default_rng(3)
    cost = rng.integers(1, 10, (4, 5)).astype(float)
    sums = np.concatenate([np.kron(np.eye(4), np.ones(5)), np.kron(np.ones(4), np.eye(5))])
    found = solved(cost.ravel(), sums, np.r_[np.full(4, 5.0), np.full(5, 4.0)], inequalities=0)
    assert found.status == 0
    np.testing.assert_allclose(sums @ found.x, np.r_[np.full(4, 5.0), np.full(5, 4.0)], atol=1e-12)
    # a feasible dual of the same value proves it
    right = np.r_[np.full(4, 5.0), np.full(5, 4.0)]
    assert (found.reduced >= -1e-12).all()
    assert right @ found.dual == pytest.approx(cost.ravel() @ found.x)
    wrong = solved(cost.ravel(), sums, np.r_[np.full(4, 5.0), np.full(4, 4.0), 4.5], inequalities=0)
    assert wrong.status == 2


def test_scaled_rows_and_columns_change_nothing():
    rng = np.random.default_rng(4)
    matrix, inside, c = rng.standard_normal((8, 12)), rng.random(12), rng.random(12)
    plain = solved(c, matrix, matrix @ inside + 0.1)
    rows, columns = 10.0 ** rng.uniform(-5, 5, 8), 10.0 ** rng.uniform(-4, 4, 12)
    scaled = solved(c * columns, rows[:, None] * matrix * columns, rows * (matrix @ inside + 0.1))
    assert plain.status == scaled.status == 0
    np.testing.assert_allclose(scaled.x * columns, plain.x, rtol=1e-9, atol=1e-12)


def test_free_and_boxed_variables():
    # the middle of a cloud in the maximum norm: free coordinates, all points at most r away
    points = np.array([[0.0, 1.0], [3.0, 2.0], [1.0, -4.0]])
    rows = np.concatenate([np.c_[s * np.eye(2)[[k] * 3], -np.ones(3)] for k in (0, 1) for s in (1, -1)])
    right = np.concatenate([s * points[:, k] for k in (0, 1) for s in (1, -1)])
    found = solved([0.0, 0.0, 1.0], rows, right, lower=-np.inf)
    assert found.status == 0 and found.x[2] == pytest.approx(3.0) and found.x[1] == pytest.approx(-1.0)
    boxed = solved([-1.0, 2.0, 0.0], np.zeros((0, 3)), np.zeros(0), lower=-2.0, upper=5.0)
    assert boxed.status == 0 and boxed.x[:2].tolist() == [5.0, -2.0]


def test_limit_and_continuation():
    rng = np.random.default_rng(5)
    matrix, c = rng.random((6, 10)), -rng.random(10)
    whole = solved(c, matrix, np.ones(6))
    first = solved(c, matrix, np.ones(6), maxiter=2)
    assert first.status == 1 and first.nit == 2
    rest = solved(c, matrix, np.ones(6), start=(first.x, first.slack, first.basis))
    assert rest.status == 0 and rest.nit == whole.nit - 2
    np.testing.assert_allclose(rest.x, whole.x, atol=1e-14)


def test_derivatives_of_value_and_vertex():
    rng = np.random.default_rng(6)
    matrix, c, right = jnp.asarray(rng.random((4, 6))), -jnp.asarray(rng.random(6)), jnp.ones(4)

    def value(c, matrix, right):
        return c @ solved(c, matrix, right).x

    found = solved(c, matrix, right)
    assert found.unique
    by_c, by_matrix, by_right = jax.grad(value, argnums=(0, 1, 2))(c, matrix, right)
    np.testing.assert_allclose(by_c, found.x, atol=1e-12)
    np.testing.assert_allclose(by_right, found.dual, atol=1e-12)
    np.testing.assert_allclose(by_matrix, -jnp.outer(found.dual, found.x), atol=1e-12)
    second = jax.hessian(lambda t: value(c, matrix * t, right))(1.0)
    assert second == pytest.approx(2 * float(value(c, matrix, right)), rel=1e-9)  # value / t


@pytest.mark.parametrize("part", range(5))
def test_nan_is_never_solved(part):
    given = [jnp.array([1.0, 2.0]), jnp.array([[1.0, 1.0]]), jnp.array([1.0]), jnp.zeros(2), jnp.ones(2)]
    given[part] = given[part].at[0].set(jnp.nan)
    assert simplex_method(*given, 1).status not in (0, 1)
