"""Integrals of samples against SciPy, exact integrals, and their derivatives."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.integrate
from jax.test_util import check_grads

import sci
from sci import integrate

NAMES = ("trapezoid", "simpson", "cumulative_trapezoid", "cumulative_simpson")
RNG = np.random.default_rng(7)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("n", [1, 2, 3, 4, 700])
@pytest.mark.parametrize("points", ["dx", "vector", "array"])
def test_as_scipy(name, n, points):
    y = RNG.normal(size=(2, n, 3))
    options = {
        "dx": {"dx": 0.3},
        "vector": {"x": np.sort(RNG.normal(size=n))},
        "array": {"x": np.sort(RNG.normal(size=(2, n, 3)), axis=1)},
    }[points]
    ours, theirs = (getattr(m, name)(y, axis=1, **options) for m in (integrate, scipy.integrate))
    assert ours.shape == theirs.shape and ours.dtype == theirs.dtype
    np.testing.assert_allclose(ours, theirs, rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize("name", [*NAMES, "romb"])
def test_types_as_scipy(name):
    for y in (np.arange(5, dtype=np.int16), np.arange(5, dtype=np.float32), np.arange(5) * 1j, [1, 2, 4, 3, 5]):
        ours, theirs = (getattr(m, name)(y) for m in (integrate, scipy.integrate))
        assert type(ours) is type(theirs) and ours.dtype == theirs.dtype
        np.testing.assert_allclose(ours, theirs, rtol=1e-6)


def test_exact():
    x = np.sort(RNG.uniform(0, 2, 41))
    x[0], x[-1] = 0.0, 2.0
    np.testing.assert_allclose(integrate.trapezoid(3 * x + 1, x), 8.0, rtol=1e-14)
    np.testing.assert_allclose(integrate.simpson(x**2, x), 8 / 3, rtol=1e-13)
    np.testing.assert_allclose(integrate.cumulative_simpson(x**2, x=x), x[1:] ** 3 / 3, rtol=1e-12)
    even = np.linspace(0, 2, 2**10 + 1)
    np.testing.assert_allclose(integrate.romb(np.exp(even), dx=even[1]), np.e**2 - 1, rtol=1e-14)


def test_repeated_points_as_scipy():
    y, x = RNG.normal(size=7), np.array([0.0, 1.0, 1.0, 2.0, 2.0, 2.0, 3.0])
    np.testing.assert_allclose(integrate.simpson(y, x), scipy.integrate.simpson(y, x), rtol=1e-13)
    with jax.enable_x64(True):
        gradient = jax.grad(lambda y, x: integrate.simpson(y, x), argnums=(0, 1))(jnp.asarray(y), jnp.asarray(x))
    assert all(np.isfinite(g).all() for g in gradient)


def test_infinite_ends_as_scipy():
    for y in ([np.inf, 1, 2], [1, 2, np.nan], [np.inf, 0, -np.inf]):
        for name in ("trapezoid", "simpson"):
            with np.errstate(invalid="ignore"):
                expected = getattr(scipy.integrate, name)(np.array(y))
            np.testing.assert_equal(getattr(integrate, name)(np.array(y)), expected)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("n", [4, 5])
def test_gradients(name, n):
    y, x = RNG.normal(size=n), np.array([0.0, 0.4, 1.1, 1.5, 2.3])[:n]
    with jax.enable_x64(True):
        by_points = jax.jit(lambda y, x: getattr(integrate, name)(y, x=x))
        by_step = jax.jit(lambda y, h: getattr(integrate, name)(y, dx=h))
        check_grads(by_points, (y, x), order=1, rtol=1e-6)
        check_grads(by_step, (y, jnp.asarray(0.3)), order=1, rtol=1e-6)


def test_romb_prints_its_table(capsys):
    y = np.cos(np.linspace(0, 1, 5))
    for show in (True, (3, 9)):
        value = integrate.romb(y, 0.25, show=show)
        ours = capsys.readouterr().out
        assert value == pytest.approx(scipy.integrate.romb(y, 0.25, show=show), rel=1e-14)
        assert ours == capsys.readouterr().out


@pytest.mark.parametrize(
    "name, args, options, error",
    [
        ("trapezoid", ([1.0, 2.0, 3.0], [0.0, 1.0]), {}, None),
        ("trapezoid", ([1.0, 2.0, 3.0, 4.0], [0.0, 1.0, 2.0]), {}, ValueError),
        ("trapezoid", (np.ones((2, 3)), np.ones((3, 3))), {}, ValueError),
        ("trapezoid", ([1.0, 2.0],), {"axis": 1}, IndexError),
        ("simpson", ([1.0, 2.0, 3.0], [0.0, 1.0]), {}, ValueError),
        ("simpson", (np.ones((2, 3, 1)), np.ones((2, 3))), {}, ValueError),
        ("cumulative_trapezoid", ([1.0, 2.0],), {"initial": 3}, ValueError),
        ("cumulative_trapezoid", ([1.0, 2.0],), {"initial": [0]}, ValueError),
        ("cumulative_trapezoid", ([],), {}, ValueError),
        ("cumulative_simpson", ([1.0, 2.0, 4.0],), {"x": [0.0, 0.0, 1.0]}, ValueError),
        ("cumulative_simpson", ([1.0, 2.0, 4.0],), {"axis": 2}, ValueError),
        ("romb", ([1.0, 2.0, 3.0, 4.0],), {}, ValueError),
    ],
)
def test_bad_input_as_scipy(name, args, options, error):
    for module in (integrate, scipy.integrate):
        if error is None:
            np.testing.assert_allclose(getattr(module, name)(*args, **options), 4.0)
            continue
        with pytest.raises(error):
            getattr(module, name)(*(np.asarray(a) for a in args), **options)


def test_masks_go_to_the_host():
    y = np.ma.array([1.0, 2.0, 3.0], mask=[False, True, False])
    for args in ((y,), ([1.0, 2.0, 3.0], y)):
        sci.clear_fallbacks()
        np.testing.assert_array_equal(integrate.trapezoid(*args), scipy.integrate.trapezoid(*args))
        assert sci.fallbacks()
