"""Mass matrices: against the same problems without them, and algebraic equations against their elimination."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from solvers import ode
from tests.problems.ode import STIFF

METHODS = {"radau": ode.Radau(), "rodas": ode.Rodas5P()}
both = pytest.mark.parametrize("name", METHODS)


@pytest.fixture(autouse=True)
def double():
    with jax.enable_x64(True):
        yield


def robertson(t, y):
    """The third equation is the conservation of mass."""
    a, b, c = 0.04 * y[0], 1e4 * y[1] * y[2], 3e7 * y[1] ** 2
    return jnp.stack([b - a, a - b - c, y[0] + y[1] + y[2] - 1])


@both
def test_robertson_with_an_algebraic_equation(name):
    p = STIFF["robertson"]
    t = np.array([0.4, 4e3, 1e11])
    options = {"rtol": 1e-8, "atol": np.array([1e-11, 1e-15, 1e-11]), "t_eval": t, "method": METHODS[name]}
    s = ode.solve(robertson, 0.0, 1e11, np.array([1.0, 0, 0]), mass=np.diag([1.0, 1, 0]), **options)
    assert int(s.status) == 0 and np.abs(s.y.sum(axis=1) - 1).max() < 1e-9
    np.testing.assert_allclose(s.y[-1], p.final, rtol=1e-4)
    np.testing.assert_allclose(s.y[0], [9.851721e-1, 3.386395e-5, 1.479402e-2], rtol=1e-6)  # Hairer, Wanner: table


@both
def test_a_regular_matrix(name):
    """The same problem, multiplied."""
    mass = np.array([[2.0, 1.0, 0.0], [0.0, 1.0, -0.5], [0.3, 0.0, 1.0]])
    f = lambda t, y: jnp.stack([y[1], -4 * y[0] + jnp.sin(t), -50 * (y[2] - y[0])])
    options = {"t_eval": np.linspace(0, 3, 5), "rtol": 1e-8, "atol": 1e-10, "method": METHODS[name]}
    y0 = np.array([1.0, 0.0, 1.0])
    plain = ode.solve(f, 0.0, 3.0, y0, **options)
    heavy = ode.solve(lambda t, y: mass @ f(t, y), 0.0, 3.0, y0, mass=mass, **options)
    np.testing.assert_allclose(heavy.y, plain.y, rtol=1e-6, atol=1e-8)
    assert abs(int(heavy.accepted) - int(plain.accepted)) <= 0.1 * int(plain.accepted) + 2


def circuit(t, y, resistance, capacity):
    """A source, a resistance, a transistor as a diode, a capacitor: its voltage, that of the node before, the current.

    ``capacity v' = i``, ``source - node = resistance * i``, ``i = (node - v)**2 / 2``.
    """
    v, node, current = y
    return jnp.stack([current, 2 + jnp.sin(t) - node - resistance * current, 0.5 * (node - v) ** 2 - current])


def reduced(t, v, resistance, capacity):
    """The same with the algebraic equations eliminated."""
    gap = (jnp.sqrt(1 + 2 * resistance * (2 + jnp.sin(t) - v)) - 1) / resistance
    return 0.5 * gap**2 / capacity


def mass_of(capacity):
    return jnp.zeros((3, 3)).at[0, 0].set(capacity)


@pytest.mark.parametrize("name", ["rodas", pytest.param("radau", marks=pytest.mark.slow)])
def test_circuit_and_its_derivatives(name):
    t = jnp.linspace(0.5, 1.5, 3)

    def by_mass(resistance, capacity):
        start = ode.consistent(circuit, 0.0, jnp.array([-0.5, 2.0, 1.0]), mass_of(capacity), (resistance, capacity))
        options = {"t_eval": t, "rtol": 1e-8, "atol": 1e-10, "size": 512, "method": METHODS[name]}
        s = ode.solve(circuit, 0.0, 1.5, start, (resistance, capacity), mass=mass_of(capacity), **options)
        return s.y[:, 0]

    def by_elimination(resistance, capacity):
        args = resistance, capacity
        s = ode.solve(reduced, 0.0, 1.5, jnp.array([-0.5]), args, t_eval=t, rtol=1e-9, atol=1e-11, size=512)
        return s.y[:, 0]

    at = 0.7, 1.3
    np.testing.assert_allclose(jax.jit(by_mass)(*at), by_elimination(*at), rtol=1e-6, atol=1e-8)
    expected = jax.jit(jax.jacfwd(by_elimination, (0, 1)))(*at)
    got = jax.jit(jax.jacrev(by_mass, (0, 1)) if name == "rodas" else jax.jacfwd(by_mass, (0, 1)))(*at)
    for a, b in zip(got, expected, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-7)


def test_batch():
    mass = jnp.diag(jnp.array([1.0, 0.0]))
    f = lambda t, y, k: jnp.stack([-k * y[0], y[1] - y[0] ** 2])
    run = lambda k: ode.solve(
        f, 0.0, 1.0, jnp.array([2.0, 4.0]), (k,), mass=mass, method=ode.Rodas5P(), t_eval=jnp.ones(1), rtol=1e-8
    ).y[0]
    k = jnp.array([1.0, 30.0])
    np.testing.assert_allclose(
        jax.vmap(run)(k), np.stack([2 * np.exp(-k), 4 * np.exp(-2 * k)], axis=-1), rtol=1e-5, atol=1e-7
    )


def test_consistent():
    mass = jnp.diag(jnp.array([1.0, 0.0, 0.0]))
    y = ode.consistent(circuit, 0.3, jnp.array([0.2, 5.0, -3.0]), mass, (0.7, 1.0))
    assert y[0] == 0.2 and np.abs(circuit(0.3, y, 0.7, 1.0)[1:]).max() < 1e-12
    d = jax.grad(lambda r: ode.consistent(circuit, 0.3, jnp.array([0.2, 2.0, 1.0]), mass, (r, 1.0))[2])(0.7)
    h = 1e-6
    up, down = (ode.consistent(circuit, 0.3, jnp.array([0.2, 2, 1.0]), mass, (0.7 + s * h, 1.0))[2] for s in (1, -1))
    np.testing.assert_allclose(d, (up - down) / (2 * h), rtol=1e-6)
    index_two = lambda t, y: jnp.stack([y[1], y[0] - jnp.sin(t)])
    assert not np.isfinite(ode.consistent(index_two, 0.0, jnp.zeros(2), jnp.diag(jnp.array([1.0, 0.0])))).all()


@both
def test_what_is_refused(name):
    options = {"mass": np.diag([1.0, 1, 0]), "method": METHODS[name], "t_eval": np.ones(1)}
    s = ode.solve(robertson, 0.0, 1.0, np.array([1.0, 0.0, 0.1]), **options)
    assert int(s.status) == ode.status.INCONSISTENT and np.isnan(s.y).all()
    index_two = lambda t, y: jnp.stack([y[1], y[0] - jnp.sin(t)])
    s = ode.solve(index_two, 0.0, 1.0, np.array([0.0, 1.0]), **options | {"mass": np.diag([1.0, 0.0])})
    assert int(s.status) == ode.status.INCONSISTENT
    with pytest.raises(ValueError, match=r"\(3, 3\)"):
        ode.solve(robertson, 0.0, 1.0, np.array([1.0, 0, 0]), **options | {"mass": np.ones(3)})
    with pytest.raises(ValueError, match="sparsity"):
        ode.solve(robertson, 0.0, 1.0, np.array([1.0, 0, 0]), sparsity=ode.banded_pattern(3, 2, 2), **options)
    for method in (ode.RK45(), ode.BDF(), ode.LSODA()):
        with pytest.raises(ValueError, match="Radau or Rodas5P"):
            ode.solve(robertson, 0.0, 1.0, np.array([1.0, 0, 0]), **options | {"method": method})
