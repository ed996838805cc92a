"""`sci.integrate.solve_ivp` against SciPy's, in both worlds."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.integrate
import scipy.sparse
from scipy.integrate import OdeSolution

import sci
from sci.integrate import solve_ivp
from tests.problems.ode import PROBLEMS

METHODS = ("RK23", "RK45", "DOP853")


def oscillator(t, y, w=2.0):
    return np.array([y[1], -w * w * y[0]])


def same(a, b, rtol=1e-7):
    np.testing.assert_allclose(a.t, b.t, rtol=rtol)
    np.testing.assert_allclose(a.y, b.y, rtol=rtol, atol=rtol)
    assert a.y.dtype == b.y.dtype and a.t.dtype == b.t.dtype and a.y.flags.writeable
    for field in ("nfev", "njev", "nlu", "status", "message", "success", "t_events", "y_events"):
        assert getattr(a, field) == getattr(b, field), field
    assert type(a) is type(b) and list(a) == list(b)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"t_eval": np.linspace(0, 3, 7)},
        {"t_eval": np.arange(4)},
        {"args": (1.5,)},
        {"args": [2]},
        {"rtol": 1e-8, "atol": [1e-9, 1e-7], "max_step": 0.5},
        {"first_step": 0.2},
        {"vectorized": True},
        {"dense_output": True},
    ],
    ids=str,
)
def test_as_scipy(method, options):
    args = (oscillator, (0, 3), [1, 0.5])
    ours, theirs = (
        solve_ivp(*args, method=method, **options),
        scipy.integrate.solve_ivp(*args, method=method, **options),
    )
    same(ours, theirs)
    if options.get("dense_output"):
        assert isinstance(ours.sol, OdeSolution)
        for t in (np.linspace(-0.2, 3.2, 30), 1.3):
            np.testing.assert_allclose(ours.sol(t), theirs.sol(t), rtol=1e-8, atol=1e-10)
            assert ours.sol(t).shape == theirs.sol(t).shape


def stiff(t, y, k=1e3):
    return np.array([-0.04 * y[0] + k * y[1] * y[2], 0.04 * y[0] - k * y[1] * y[2] - 3e5 * y[1] ** 2, 3e5 * y[1] ** 2])


def stiff_jacobian(t, y, k=1e3):
    return [[-0.04, k * y[2], k * y[1]], [0.04, -k * y[2] - 6e5 * y[1], -k * y[1]], [0, 6e5 * y[1], 0]]


@pytest.mark.parametrize("method", ("Radau", "BDF", "LSODA"))
@pytest.mark.parametrize(
    "options",
    [{}, {"t_eval": np.linspace(0, 30, 7), "jac_sparsity": np.ones((3, 3))}, {"dense_output": True}, {"args": (2e3,)}],
    ids=str,
)
def test_implicit_as_scipy(method, options):
    """With `jac` the steps are SciPy's to the last count."""
    args = (stiff, (0, 30), [1.0, 0, 0])
    options = {"method": method, "jac": stiff_jacobian, "rtol": 1e-5, "atol": 1e-8} | options
    if method == "LSODA":
        options.pop("jac_sparsity", None)
    ours, theirs = solve_ivp(*args, **options), scipy.integrate.solve_ivp(*args, **options)
    same(ours, theirs, rtol=1e-6)
    if options.get("dense_output"):
        for t in (np.linspace(-0.2, 33, 30), 1.3):
            np.testing.assert_allclose(ours.sol(t), theirs.sol(t), rtol=1e-5, atol=1e-8)


def test_jacobian_by_differentiation_and_constant():
    for method in ("Radau", "BDF"):
        ours, theirs = (f(stiff, (0, 30), [1.0, 0, 0], method=method) for f in (solve_ivp, scipy.integrate.solve_ivp))
        np.testing.assert_allclose(ours.y[:, -1], theirs.y[:, -1], rtol=1e-3, atol=1e-5)
        assert abs(ours.nfev - theirs.nfev) <= 0.1 * theirs.nfev
    a = np.array([[-1.0, 5.0], [0.0, -40.0]])
    args = (lambda t, y: a @ y, (0, 3), [1.0, 1.0])
    same(*(f(*args, method="BDF", jac=a) for f in (solve_ivp, scipy.integrate.solve_ivp)), rtol=1e-6)
    with pytest.raises(ValueError, match="jac"):
        solve_ivp(*args, method="Radau", jac=np.eye(3))
    with pytest.raises(ValueError, match="complex"):
        solve_ivp(*args[:2], [1j, 0], method="Radau")


@pytest.mark.parametrize("method", (*METHODS, "Radau", "BDF", "LSODA"))
@pytest.mark.parametrize("options", [{}, {"t_eval": np.linspace(0, 12, 25)}, {"dense_output": True}], ids=str)
def test_events_as_scipy(method, options):
    def zero(t, y, w):
        return y[0]

    def late(t, y, w):
        return t + y[1] - 4

    def never(t, y, w):
        return y[0] + 5

    zero.terminal, zero.direction = 3, -1
    never.terminal = True
    args = (oscillator, (0, 12), [1.0, 0.5])
    options = {"method": method, "events": (zero, late, never), "args": (2.0,), "rtol": 1e-6, "atol": 1e-8} | options
    if method in ("Radau", "BDF", "LSODA"):
        options["jac"] = lambda t, y, w: [[0, 1], [-w * w, 0]]
    ours, theirs = solve_ivp(*args, **options), scipy.integrate.solve_ivp(*args, **options)
    assert (ours.status, ours.message, ours.nfev) == (1, theirs.message, theirs.nfev)
    # the sizes of LSODA's steps are ratios of differences that nearly cancel: later points are others
    loose = 1000 if method == "LSODA" and "t_eval" not in options else 1
    np.testing.assert_allclose(ours.t, theirs.t, rtol=1e-6 * loose)
    np.testing.assert_allclose(ours.y, theirs.y, rtol=1e-5, atol=1e-5 * loose)
    for mine, other in ((ours.t_events, theirs.t_events), (ours.y_events, theirs.y_events)):
        assert isinstance(mine, list) and [a.shape for a in mine] == [a.shape for a in other]
        for a, b in zip(mine, other, strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-6, atol=1e-5)
    if ours.sol is not None:
        t = np.linspace(0, ours.t[-1], 20)
        np.testing.assert_allclose(ours.sol(t), theirs.sol(t), rtol=1e-5, atol=1e-6 * loose)


def test_many_events_and_bad_ones():
    def zero(t, y):
        return y[0]

    ours, theirs = (f(oscillator, (0, 150), [1.0, 0.0], events=zero) for f in (solve_ivp, scipy.integrate.solve_ivp))
    assert len(ours.t_events[0]) > 90  # more than the first capacity holds
    np.testing.assert_allclose(ours.t_events[0], theirs.t_events[0], rtol=1e-6)
    zero.terminal = 0.5
    for f in (solve_ivp, scipy.integrate.solve_ivp):
        with pytest.raises(ValueError, match="terminal"):
            f(oscillator, (0, 1), [1.0, 0.0], events=zero)


def test_no_output_times():
    args = (oscillator, (0, 3), [1, 0.5])
    ours, theirs = (f(*args, t_eval=[]) for f in (solve_ivp, scipy.integrate.solve_ivp))
    assert (ours.success, ours.t, ours.y) == (theirs.success, theirs.t, theirs.y) == (True, [], [])


def test_empty_state():
    args = (lambda t, y: y, (0, 3), np.zeros(0))
    same(solve_ivp(*args), scipy.integrate.solve_ivp(*args))
    assert solve_ivp(*args, dense_output=True).sol([1.0, 2.0]).shape == (0, 2)


@pytest.mark.parametrize("span", [(0, 3), (3, 0), (1, 1)])
@pytest.mark.parametrize("dense", [False, True])
def test_directions_and_empty_interval(span, dense):
    args = (oscillator, span, [1.0, 0.5])
    ours = solve_ivp(*args, dense_output=dense)
    theirs = scipy.integrate.solve_ivp(*args, dense_output=dense)
    same(ours, theirs)
    if dense:
        np.testing.assert_allclose(ours.sol([1.0, 1.0]), theirs.sol([1.0, 1.0]), rtol=1e-9)


def test_complex_and_plain_callables():
    same(
        solve_ivp(lambda t, y: 1j * y, (0, 2), [1 + 0j]),
        scipy.integrate.solve_ivp(lambda t, y: 1j * y, (0, 2), [1 + 0j]),
    )
    p = PROBLEMS["lorenz"]
    t = np.linspace(0, 5, 51)
    same(solve_ivp(p.numpy, (0, 5), p.y0, t_eval=t), scipy.integrate.solve_ivp(p.numpy, (0, 5), p.y0, t_eval=t))
    assert not [r for r in sci.fallbacks() if "solve_ivp" in r.function and "numpy" in r.detail]


def test_failure_is_reported():
    blow = lambda t, y: y * y
    for options in ({}, {"t_eval": np.linspace(0, 2, 9)}):
        ours = solve_ivp(blow, (0, 2), [1.0], **options)
        theirs = scipy.integrate.solve_ivp(blow, (0, 2), [1.0], **options)
        assert (ours.status, ours.success, ours.message) == (-1, False, theirs.message)
        assert ours.t.shape == theirs.t.shape
    short = solve_ivp(oscillator, (0, 3), [1.0, 0.0], max_steps=4)
    assert short.status == -1 and "maximum number of steps" in short.message


def test_more_steps_than_the_first_capacity():
    ours = solve_ivp(oscillator, (0, 100), [1.0, 0.0], rtol=1e-8)
    theirs = scipy.integrate.solve_ivp(oscillator, (0, 100), [1.0, 0.0], rtol=1e-8)
    assert len(ours.t) > 520
    assert ours.t.shape == theirs.t.shape
    np.testing.assert_allclose(ours.y[:, -1], theirs.y[:, -1], rtol=1e-6)


@pytest.mark.parametrize(
    "options, error, match",
    [
        ({"method": "RK99"}, ValueError, "RK99"),
        ({"t_eval": [0.0, 4.0]}, ValueError, "t_span"),
        ({"t_eval": [1.0, 0.5]}, ValueError, "sorted"),
        ({"t_eval": [[1.0]]}, ValueError, "t_eval"),
        ({"args": 3.0}, TypeError, "args"),
        ({"atol": [1.0]}, ValueError, "atol"),
        ({"atol": -1.0}, ValueError, "atol"),
        ({"max_step": 0.0}, ValueError, "max_step"),
        ({"first_step": -1.0}, ValueError, "first_step"),
        ({"first_step": 9.0}, ValueError, "first_step"),
    ],
)
def test_bad_input(options, error, match):
    with pytest.raises(error):
        scipy.integrate.solve_ivp(oscillator, (0, 3), [1.0, 0.0], **options)
    with pytest.raises(error, match=match):
        solve_ivp(oscillator, (0, 3), [1.0, 0.0], **options)


def test_bad_state():
    for y0 in ([[1.0, 0.0]], [1.0, np.nan]):
        with pytest.raises(ValueError, match="y0"):
            solve_ivp(oscillator, (0, 3), y0)


def test_warnings():
    with pytest.warns(UserWarning, match="rtol"):
        solve_ivp(oscillator, (0, 0.1), [1.0, 0.0], rtol=1e-20)
    with pytest.warns(UserWarning, match="`jac`"):
        solve_ivp(oscillator, (0, 0.1), [1.0, 0.0], jac=None)


def test_host():
    class Own(scipy.integrate.RK45):
        """A user's method."""

    before = sum(r.count for r in sci.fallbacks())
    ours, theirs = (f(oscillator, (0, 3), [1.0, 0.0], method=Own) for f in (solve_ivp, scipy.integrate.solve_ivp))
    np.testing.assert_array_equal(ours.y, theirs.y)
    assert sum(r.count for r in sci.fallbacks()) == before + 1


def test_jax_world():
    def field(t, y, k):
        return jnp.stack([y[1], -k * y[0]])

    with jax.enable_x64(True):
        y0, t = jnp.array([1.0, 0.0]), jnp.linspace(0.0, 2.0, 5)
        f = lambda y0, k: solve_ivp(field, (0.0, 2.0), y0, t_eval=t, args=(k,), rtol=1e-9, atol=1e-11)
        r = jax.jit(f)(y0, 4.0)
        np.testing.assert_allclose(r["y"][0], np.cos(2 * t), atol=1e-7)
        assert r["y"].shape == (2, 5) and int(r["status"]) == 0
        dk = jax.grad(lambda k: f(y0, k)["y"][0, -1])(4.0)
        np.testing.assert_allclose(dk, -0.5 * np.sin(4.0), rtol=1e-6)
        batch = jax.vmap(lambda k: f(y0, k)["y"][0, -1])(jnp.array([1.0, 4.0]))
        np.testing.assert_allclose(batch, np.cos([2.0, 4.0]), atol=1e-7)
        steps = solve_ivp(field, (0.0, 2.0), y0, args=(4.0,), size=64, dense_output=True, rtol=1e-8, atol=1e-10)
        n = int(steps["n"])
        assert steps["t"].shape == (65,) and float(steps["t"][n - 1]) == 2.0
        np.testing.assert_allclose(steps["sol"](t)[0], np.cos(2 * t), atol=1e-6)
        full = solve_ivp(field, (0.0, 2.0), y0, args=(4.0,), size=3)
        assert int(full["status"]) == -3 and not bool(full["success"])


def test_lsoda_bands_and_failure():
    n = 30

    def heat(t, y):
        return 900 * np.diff(np.concatenate([[0.0], y, [0.0]]), 2)

    def diagonals(t, y):
        return 900 * np.array([np.ones(n), -2 * np.ones(n), np.ones(n)])

    args = (heat, (0, 0.1), np.sin(np.pi * np.arange(1, n + 1) / (n + 1)))
    theirs = scipy.integrate.solve_ivp(*args, method="LSODA", lband=1, uband=1, min_step=1e-9)
    for options in ({}, {"jac": diagonals}):
        ours = solve_ivp(*args, method="LSODA", lband=1, uband=1, min_step=1e-9, **options)
        np.testing.assert_allclose(ours.y[:, -1], theirs.y[:, -1], rtol=1e-3, atol=1e-5)
        assert (ours.njev, ours.message) == (theirs.njev, theirs.message)
    with pytest.raises(ValueError, match="lband"):
        solve_ivp(*args, method="LSODA", lband=n)
    with pytest.raises(ValueError, match="min_step"):
        solve_ivp(*args, method="LSODA", min_step=-1.0)
    with pytest.raises(ValueError, match="jac"):
        solve_ivp(*args, method="LSODA", lband=1, uband=1, jac=lambda t, y: np.eye(n))
    blow = solve_ivp(lambda t, y: y * y, (0, 2), [1.0], method="LSODA")
    assert (blow.status, blow.message) == (-1, "Unexpected istate in LSODA.") and 0.9 < blow.t[-1] < 1.01


@pytest.mark.parametrize("method", ("Radau", "BDF"))
def test_jac_sparsity(method):
    """The steps of SciPy's sparse solvers, in the state's order and in another."""
    n = 40
    order = np.random.default_rng(1).permutation(n)
    band = np.zeros((n, n))
    band[np.ix_(order, order)] = np.eye(n) + np.eye(n, k=1) + np.eye(n, k=-1)

    def heat(t, y):
        z = y[order]
        slope = 1600 * np.diff(np.concatenate([[0.0], z, [0.0]]), 2) + z * (1 - z)
        return slope[np.argsort(order)]

    args = (heat, (0, 1), np.sin(np.arange(n)) ** 2)
    sparse = scipy.sparse.csr_matrix(band)
    ours, theirs = (f(*args, method=method, jac_sparsity=sparse) for f in (solve_ivp, scipy.integrate.solve_ivp))
    assert (ours.nfev, ours.njev, ours.nlu) == (theirs.nfev, theirs.njev, theirs.nlu)
    # SciPy's Jacobian is one of differences
    np.testing.assert_allclose(ours.y, theirs.y, rtol=1e-3, atol=1e-6)
    with pytest.raises(ValueError, match="jac_sparsity"):
        solve_ivp(*args, method=method, jac_sparsity=np.eye(3))


def test_a_jacobian_that_is_a_number():
    """SciPy's LSODA takes one for a single variable, its other methods do not."""
    options = {"jac": lambda t, y: -50.0, "t_eval": [1.0]}
    ours = solve_ivp(lambda t, y: -50 * y, (0, 1), [1.0], method="LSODA", **options)
    assert ours.success and abs(ours.y[0, -1]) < 1e-5
    with pytest.raises(ValueError, match="jac"):
        solve_ivp(lambda t, y: -50 * y, (0, 1), [1.0], method="Radau", **options)
