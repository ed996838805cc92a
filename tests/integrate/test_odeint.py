"""`sci.integrate.odeint` against SciPy's, in both worlds."""

import warnings

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.integrate
from scipy.integrate import ODEintWarning

import sci
from sci.integrate import odeint


def pendulum(y, t, b=0.25, c=5.0):
    theta, omega = y
    return [omega, -b * omega - c * np.sin(theta)]


def stiff(y, t):
    a, b, c = 0.04 * y[0], 1e4 * y[1] * y[2], 3e7 * y[1] ** 2
    return np.array([b - a, a - b - c, c])


def stiff_jacobian(y, t):
    return [[-0.04, 1e4 * y[2], 1e4 * y[1]], [0.04, -1e4 * y[2] - 6e7 * y[1], -1e4 * y[1]], [0, 6e7 * y[1], 0]]


def both(*args, **options):
    return (f(*args, **options) for f in (odeint, scipy.integrate.odeint))


@pytest.mark.parametrize(
    "t, options",
    [
        (np.linspace(0, 10, 11), {}),
        ([0, 0, 1, 1, 2], {"args": (0.5, 3)}),
        (np.linspace(3, 0, 7), {"rtol": 1e-6, "atol": [1e-7, 1e-8]}),
        (np.linspace(0, 4, 5), {"tcrit": [1.3, 2.0], "h0": 1e-3, "hmax": 0.2, "mxordn": 4, "mxords": 2}),
        ([2.0], {}),
    ],
    ids=["plain", "repeated", "backward", "bounds", "one"],
)
def test_as_scipy(t, options):
    ours, theirs = both(pendulum, [np.pi - 0.1, 0.0], t, full_output=True, **options)
    np.testing.assert_allclose(ours[0], theirs[0], rtol=1e-5, atol=1e-6)
    assert list(ours[1]) == list(theirs[1])
    for key, value in theirs[1].items():
        assert type(ours[1][key]) is type(value) and np.shape(ours[1][key]) == np.shape(value), key
        if isinstance(value, np.ndarray):
            assert ours[1][key].dtype == value.dtype, key
            if key in ("nst", "nfe"):
                ran = np.cumsum(np.diff(t) != 0) > 0
                np.testing.assert_allclose(ours[1][key][ran], value[ran], rtol=0.1, atol=4)
        else:
            assert ours[1][key] == value
    ran = np.cumsum(np.diff(t) != 0) > 0  # ODEPACK leaves the entries before its first call as they were
    for key in ("tolsf", "tsw", "nje", "mused"):
        np.testing.assert_array_equal(ours[1][key][ran], theirs[1][key][ran])
    plain = odeint(pendulum, [np.pi - 0.1, 0.0], t, **options)
    np.testing.assert_array_equal(plain, ours[0])


def test_stiff_with_jacobian():
    """The counts of ODEPACK, family and order, with `Dfun` by rows, by columns, and time first."""
    t = np.array([0, 0.4, 4, 40, 400, 4000.0])
    args, options = ([1.0, 0, 0], t), {"full_output": 1, "rtol": 1e-6, "atol": 1e-10}
    theirs = scipy.integrate.odeint(stiff, *args, Dfun=stiff_jacobian, **options)
    ours = odeint(stiff, *args, Dfun=stiff_jacobian, **options)
    np.testing.assert_allclose(ours[0], theirs[0], rtol=1e-5, atol=1e-10)
    for key, slack in (("nst", 2), ("nfe", 6), ("nje", 2), ("nqu", 1), ("mused", 0)):
        np.testing.assert_allclose(ours[1][key], theirs[1][key], atol=slack, rtol=0.03, err_msg=key)
    np.testing.assert_allclose(ours[1]["tsw"], theirs[1]["tsw"], rtol=1e-2)
    columns = odeint(stiff, *args, Dfun=lambda y, t: np.array(stiff_jacobian(y, t)).T, col_deriv=True, **options)
    np.testing.assert_allclose(columns[0], ours[0], rtol=1e-8)
    first = odeint(
        lambda t, y: stiff(y, t), *args, Dfun=lambda t, y: stiff_jacobian(y, t), tfirst=True, **options
    )  # fmt: skip
    np.testing.assert_allclose(first[0], ours[0], rtol=1e-8)


def test_banded():
    n, c = 30, 900.0

    def heat(y, t):
        return c * np.diff(np.concatenate([[0.0], y, [0.0]]), 2)

    def diagonals(y, t):
        return c * np.array([np.ones(n), -2 * np.ones(n), np.ones(n)])

    y0, t = np.sin(np.pi * np.arange(1, n + 1) / (n + 1)), [0, 0.01, 0.1]
    theirs = scipy.integrate.odeint(heat, y0, t, ml=1, mu=1)
    for options in ({}, {"Dfun": diagonals}):
        np.testing.assert_allclose(odeint(heat, y0, t, ml=1, mu=1, **options), theirs, rtol=1e-5, atol=1e-8)
    ours = odeint(heat, y0, t, ml=1, mu=1, full_output=1)[1]
    assert ours["lenrw"] == scipy.integrate.odeint(heat, y0, t, ml=1, mu=1, full_output=1)[1]["lenrw"]


@pytest.mark.parametrize(
    "options",
    [{"mxstep": 20}, {"rtol": 1e-30, "atol": 1e-30}, {"rtol": 0.0, "atol": 0.0}, {"atol": -1.0}, {"mxordn": 0}],
    ids=str,
)
def test_failures_warn_as_scipy(options):
    t = [0, 1.0, 500, 600]
    for f in (odeint, scipy.integrate.odeint):
        with pytest.warns(ODEintWarning) as seen:
            y, info = f(pendulum, [1.0, 0.0], t, full_output=1, **options)
        if f is odeint:
            mine = (str(seen[0].message), info["message"], y)
    assert mine[:2] == (str(seen[0].message), info["message"])
    assert np.isnan(mine[2][-1]).all() and np.isfinite(mine[2][1]).all()


def test_blow_up_and_message():
    with pytest.warns(ODEintWarning):
        y = odeint(lambda y, t: y * y, [1.0], [0, 0.5, 2.0, 3.0])
    assert abs(y[1, 0] - 2) < 1e-6 and y[2, 0] > 1e6 and np.isnan(y[3, 0])
    with pytest.warns(ODEintWarning, match="successful"):
        odeint(pendulum, [1.0, 0.0], [0, 1.0], printmessg=True)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        odeint(pendulum, [1.0, 0.0], [0, 1.0])


@pytest.mark.parametrize(
    "arguments, error",
    [
        (([[1.0, 0.0]], [0, 1]), ValueError),
        (([1.0, 0.0], [[0, 1]]), ValueError),
        (([1.0, 0.0], [0, 1, 0.5]), ValueError),
        (([1.0, 0.0, 0.0], [0, 1]), (RuntimeError, ValueError)),
        (([1j, 0.0], [0, 1]), TypeError),
    ],
)
def test_bad_input(arguments, error):
    for f in (odeint, scipy.integrate.odeint):
        with pytest.raises(error):
            f(pendulum, *arguments)


def test_wrong_size_of_slope():
    for f in (odeint, scipy.integrate.odeint):
        with pytest.raises(RuntimeError, match="size"):
            f(lambda y, t: -y[:1], [1.0, 2.0], [0, 1])


def test_jax_world():
    before = sum(r.count for r in sci.fallbacks())
    with jax.enable_x64(True):
        t = jnp.array([0.0, 0.5, 2.0])
        end = lambda y0, k, t: odeint(lambda y, t, k: -k * y, y0, t, args=(k,))[:, 0]
        y0, k = jnp.array([2.0]), jnp.asarray(0.7)
        np.testing.assert_allclose(jax.jit(end)(y0, k, t), 2 * np.exp(-0.7 * t), rtol=1e-6)
        dk = jax.jit(jax.grad(lambda k: end(y0, k, t)[2]))(k)
        np.testing.assert_allclose(dk, -4 * np.exp(-1.4), rtol=1e-5)
        dt = jax.jit(jax.jacfwd(lambda t: end(y0, k, t)))(t)
        np.testing.assert_allclose(jnp.diag(dt)[1:], -1.4 * np.exp(-0.7 * t[1:]), rtol=1e-5)
        batch = jax.vmap(lambda k: end(y0, k, t)[2])(jnp.array([0.7, 1.4]))
        np.testing.assert_allclose(batch, 2 * np.exp([-1.4, -2.8]), rtol=1e-6)
        y, info = odeint(lambda y, t: -y, y0, t, full_output=True)
        assert int(info["status"]) == 0 and info["nst"].shape == (2,)
    assert sum(r.count for r in sci.fallbacks()) == before
