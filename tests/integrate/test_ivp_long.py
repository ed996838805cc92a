"""Long solves in pieces: the same numbers as in one run, Ctrl-C, the progress bar."""

import _thread
import signal
import threading
import time

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from sci.integrate import ivp_long, solve_ivp
from solvers import ode

SLOW = pytest.mark.slow


def forced(t, y, rate=1.0):
    return np.array([y[1], -rate * y[0] - 0.05 * y[1] + np.cos(1.3 * t)])


@pytest.fixture
def short(monkeypatch):
    """Everything above 40 attempted steps is long."""
    monkeypatch.setattr(ivp_long, "_STEPS", 40)
    monkeypatch.setattr(ivp_long, "_LEAST", 1)
    monkeypatch.setattr(ivp_long, "_long", ivp_long.LRU(8))


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"t_eval": np.linspace(0, 60, 31)},
        {"t_eval": [], "method": "RK23"},
        {"t_eval": np.linspace(0, 60, 500), "method": "DOP853", "args": (2.0,)},
        {"method": "LSODA", "min_step": 1e-9, "t_eval": [1.0, 59.0]},
        pytest.param({"method": "Radau", "jac": lambda t, y: np.array([[0, 1.0], [-1.0, -0.05]])}, marks=SLOW),
        pytest.param(
            {"method": "BDF", "jac_sparsity": np.ones((2, 2)), "first_step": 1e-3, "max_step": 0.3}, marks=SLOW
        ),
        {"method": ode.Rodas5P(), "vectorized": True, "t_eval": [60.0]},
    ],
    ids=["steps", "outputs", "none", "dop853", "lsoda", "radau", "bdf", "rodas"],
)
def test_pieces_are_the_whole(options, short, monkeypatch):
    options = {"rtol": 1e-6, "atol": 1e-8} | options
    pieces = solve_ivp(forced, (0, 60), [1.0, 0.0], **options)
    again = solve_ivp(forced, (0, 60), [1.0, 0.0], **options)  # now known to be long
    assert len(ivp_long._long) == 1
    monkeypatch.setattr(ivp_long, "in_pieces", lambda call: False)
    monkeypatch.setattr("sci.integrate.ivp.in_pieces", lambda call: False)
    whole = solve_ivp(forced, (0, 60), [1.0, 0.0], **options)
    for r in (pieces, again):
        assert list(r) == list(whole)
        for name in ("nfev", "njev", "nlu", "status", "message", "success", "sol", "t_events"):
            assert getattr(r, name) == getattr(whole, name), name
        # The pieces are programs of their own: rounding differs, and Newton's iterations carry it into the steps.
        np.testing.assert_allclose(r.t, whole.t, rtol=1e-7)
        np.testing.assert_allclose(r.y, whole.y, rtol=1e-6, atol=1e-6)
        assert type(r.y) is type(whole.y)


def crossing(t, y, *args):
    return y[0] - 0.2


def rest(t, y, *args):
    return y[1]


def third(t, y, *args):
    return y[0] - 0.3


third.terminal, third.direction = 9, -1


@pytest.mark.parametrize(
    "options",
    [
        {"dense_output": True},
        pytest.param({"events": [crossing, rest]}, marks=SLOW),
        {"events": [rest, third], "dense_output": True, "t_eval": np.linspace(0, 60, 77), "method": "DOP853"},
        pytest.param({"events": third, "t_eval": np.linspace(0, 60, 31), "args": (2.0,)}, marks=SLOW),
        pytest.param({"events": [third, rest], "method": "LSODA", "max_step": 0.5}, marks=SLOW),
        pytest.param({"dense_output": True, "method": "BDF", "t_eval": [0.0, 60.0]}, marks=SLOW),
    ],
    ids=["dense", "events", "all", "outputs", "lsoda", "bdf"],
)
def test_recorded_pieces_are_the_whole(options, short, monkeypatch):
    """Zeros are counted, interpolants joined and outputs sought across the borders of the pieces."""
    options = {"rtol": 1e-6, "atol": 1e-8} | options
    monkeypatch.setattr(ivp_long, "_WATCHED", 48)
    pieces = solve_ivp(forced, (0, 60), [1.0, 0.0], **options)
    assert len(ivp_long._long) == 1
    monkeypatch.setattr("sci.integrate.ivp.in_pieces", lambda call: False)
    whole = solve_ivp(forced, (0, 60), [1.0, 0.0], **options)
    for name in ("nfev", "njev", "nlu", "status", "message", "success"):
        assert getattr(pieces, name) == getattr(whole, name), name
    np.testing.assert_allclose(pieces.t, whole.t, rtol=1e-9)
    np.testing.assert_allclose(pieces.y, whole.y, rtol=1e-6, atol=1e-8)
    if "events" in options:
        assert [len(t) for t in pieces.t_events] == [len(t) for t in whole.t_events]
        for a, b in zip(pieces.t_events + pieces.y_events, whole.t_events + whole.y_events, strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-7, atol=1e-8)
    if "dense_output" in options:
        np.testing.assert_allclose(pieces.sol.ts, whole.sol.ts, rtol=1e-9)
        times = np.linspace(0, pieces.sol.ts[-1], 333)
        np.testing.assert_allclose(pieces.sol(times), whole.sol(times), rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize("t_eval", [None, np.linspace(0, 3, 6)])
def test_failures_in_pieces(t_eval, short):
    blow_up = lambda t, y: y * y
    r = solve_ivp(blow_up, (0, 3), [1.0], t_eval=t_eval, rtol=1e-8)
    assert r.status == -1 and not r.success and "step size" in r.message
    assert np.isfinite(r.y).all() and r.t[-1] < 1.001 and (t_eval is None or len(r.t) == 2)
    r = solve_ivp(forced, (0, 60), [1.0, 0.0], t_eval=t_eval, max_steps=60)
    assert r.status == -1 and "maximum number of steps" in r.message


def test_a_short_solve_runs_once(monkeypatch):
    monkeypatch.setattr(ivp_long, "_compiled", lambda: pytest.fail("in pieces"))
    assert solve_ivp(forced, (0, 20), [1.0, 0.0]).success


def test_a_narrow_band_is_little_work():
    """What a step costs is known: a large banded system is not long after a hundred steps."""
    call = {"y0": np.ones(1000), "method": "LSODA", "max_steps": 1_000_000, "pattern": None}
    assert ivp_long.first_budget(call) == 100
    assert ivp_long.first_budget(call | {"pattern": ode.banded_pattern(1000, 2, 2)}) == 2000
    assert ivp_long.first_budget(call | {"method": "RK45"}) == 10_000


@pytest.fixture
def interruptible():
    """A shell starts background jobs deaf to Ctrl-C."""
    previous = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, previous)


@pytest.mark.parametrize("options", [{}, {"events": crossing}, {"dense_output": True}], ids=["", "events", "dense"])
def test_interrupt(options, interruptible, short):
    """At once, not at the end, which is hours away; the pieces are compiled before."""
    options = options | {"t_eval": np.array([0.0])}
    solve_ivp(forced, (0, 60), [1.0, 0.0], **options)
    assert len(ivp_long._long) == 1
    timer = threading.Timer(1.0, _thread.interrupt_main)
    began = time.perf_counter()
    timer.start()
    with pytest.raises(KeyboardInterrupt):
        solve_ivp(forced, (0, 1e9), [1.0, 0.0], **options)
    assert time.perf_counter() - began < 20.0


def test_inside_a_trace(short):
    """A NumPy-world call in somebody's `jit`: its numbers are known, and compiled pieces cannot run there."""
    run = lambda x: x * solve_ivp(forced, (0, 60), [1.0, 0.0], t_eval=[60.0]).y[0, 0]
    expected = run(2.0)
    np.testing.assert_allclose(jax.jit(run)(2.0), expected, rtol=1e-5)


def test_progress(short, capsys):
    r = solve_ivp(forced, (0, 60), [1.0, 0.0], t_eval=[60.0], progress=True)
    assert r.success and "100%" in capsys.readouterr().err
    solve_ivp(forced, (0, 60), [1.0, 0.0], t_eval=[60.0])
    assert capsys.readouterr().err == ""
    r = solve_ivp(forced, (0, 1), [1.0, 0.0], dense_output=True, progress=True)
    assert r.sol is not None and "100%" in capsys.readouterr().err
    with pytest.raises(ValueError, match="progress"):
        solve_ivp(lambda t, y: -y, (0, 1), jnp.ones(2), progress=True)
