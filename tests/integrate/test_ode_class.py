"""`ode` and `complex_ode` beside SciPy's: states, return codes, messages, what changes between calls."""

import warnings

import numpy as np
import pytest
import scipy.integrate

import sci
import sci.integrate

REAL = ("vode", "lsoda", "dopri5", "dop853")


def swing(t, y, rate=2.0):
    return [y[1], -rate * np.sin(y[0]) + 0.1 * np.cos(t)]


def swing_slope(t, y, rate=2.0):
    return np.array([[0.0, 1.0], [-rate * np.cos(y[0]), 0.0]])


def stiff(t, y):
    return np.array([-1000 * (y[0] - np.cos(t)), y[0] - y[1]])


def both(f, jac=None, name="lsoda", y0=(1.0, 0.3), t0=0.0, cls="ode", **options):
    for module in (sci.integrate, scipy.integrate):
        yield getattr(module, cls)(f, jac).set_integrator(name, **options).set_initial_value(np.array(y0), t0)


def caught(call):
    with warnings.catch_warnings(record=True) as found:
        warnings.simplefilter("always")
        return call(), [str(w.message) for w in found]


@pytest.mark.parametrize("name", [*REAL, "zvode"])
def test_outputs_beside_scipy(name):
    before = len(sci.fallbacks())
    ours, theirs = both(swing, name=name, rtol=1e-8, atol=1e-10)
    assert isinstance(ours, scipy.integrate.ode) and type(ours) is sci.integrate.ode
    for t in (0.1, 0.5, 3.0, 3.001):
        expected = theirs.integrate(t)
        got = ours.integrate(t)
        np.testing.assert_allclose(got, expected, rtol=2e-6)
        assert got.dtype == expected.dtype and got is ours.y and got.flags.writeable
        assert (ours.t, ours.successful(), ours.get_return_code()) == (t, True, theirs.get_return_code())
    # another parameter, from here on (SciPy's multistep methods have already stepped further)
    expected = scipy.integrate.solve_ivp(swing, (3.001, 4.0), ours.y, rtol=1e-10, atol=1e-12, args=(9.0,)).y[:, -1]
    np.testing.assert_allclose(ours.set_f_params(9.0).integrate(4.0), expected, rtol=2e-6)
    for r in (ours, theirs):
        r.set_initial_value([0.5, 0.5], 1.0).set_f_params()
    np.testing.assert_allclose(ours.integrate(0.0), theirs.integrate(0.0), rtol=2e-6)  # backward
    assert len(sci.fallbacks()) == before


@pytest.mark.parametrize(
    "options",
    [
        {"name": "vode", "method": "bdf"},
        {"name": "vode", "method": "bdf", "jac": lambda t, y: np.array([[-1000.0, 0], [1, -1]])},
        {"name": "vode", "method": "adams", "order": 4, "with_jacobian": True},
        {"name": "lsoda", "max_order_s": 3, "max_step": 0.4, "min_step": 1e-9, "first_step": 1e-5},
        {"name": "lsoda", "lband": 1, "uband": 0},
        {"name": "lsoda", "lband": 1, "uband": 0, "jac": lambda t, y: np.array([[-1000.0, -1.0], [1.0, 0.0]])},
        {"name": "vode", "method": "bdf", "lband": 1, "uband": 0},
        {"name": "zvode", "method": "bdf", "atol": [1e-9, 1e-8]},
    ],
    ids=lambda options: "-".join(v if isinstance(v, str) else k for k, v in options.items()),
)
def test_stiff_and_options(options):
    options = {"rtol": 1e-7, "atol": 1e-9, "nsteps": 10_000} | options
    ours, theirs = both(stiff, **options)
    for t in (0.01, 1.0, 5.0):
        np.testing.assert_allclose(ours.integrate(t), theirs.integrate(t), rtol=1e-4)
    assert ours.successful() and ours.t == 5.0


def test_jacobian_with_parameters():
    ours, theirs = both(swing, swing_slope, "vode", rtol=1e-7, method="bdf")
    for r in (ours, theirs):
        r.set_f_params(3.0).set_jac_params(3.0)
    np.testing.assert_allclose(ours.integrate(2.0), theirs.integrate(2.0), rtol=1e-4)


@pytest.mark.parametrize("name", ["vode", "dopri5"])
def test_what_a_function_reads_from_outside_may_change(name):
    """A controller between the calls: the usual use of this class."""
    held, y = {"u": 1.0}, 0.0
    r = sci.integrate.ode(lambda t, y: [held["u"] - y[0]]).set_integrator(name, rtol=1e-8).set_initial_value([0.0])
    for k in range(5):
        held["u"] = u = float(k % 2)
        y = u + (y - u) * np.exp(-0.5)
        np.testing.assert_allclose(r.integrate(r.t + 0.5), y, rtol=1e-5, atol=1e-9)


@pytest.mark.parametrize("name", ["vode", "zvode"])
def test_single_steps_and_relaxed_ends(name):
    ours, theirs = both(swing, name=name, rtol=1e-6)
    for _ in range(3):
        before = ours.t
        y = ours.integrate(10.0, step=True)
        theirs.integrate(10.0, step=True)
        assert before < ours.t < 1
    exact = scipy.integrate.solve_ivp(swing, (0, 3), [1.0, 0.3], rtol=1e-11, atol=1e-11, dense_output=True).sol
    np.testing.assert_allclose(y, exact(ours.t), rtol=1e-4)
    y = ours.integrate(2.0, relax=True)
    assert 2.0 <= ours.t < 3.0
    np.testing.assert_allclose(y, exact(ours.t), rtol=1e-4)


@pytest.mark.parametrize("name", ["dopri5", "dop853"])
@pytest.mark.parametrize("cls", ["ode", "complex_ode"])
def test_solout(name, cls):
    ends = []
    for module in (sci.integrate, scipy.integrate):
        seen = []

        def solout(t, y, seen=seen):
            seen.append((t, y.copy()))
            return -1 if y[0].real < 0.2 else 0

        r = getattr(module, cls)(lambda t, y: -y).set_integrator(name)
        r.set_solout(solout)
        r.set_initial_value([1.0, 2.0], 0.0)
        y = r.integrate(5.0)
        assert seen[0][0] == 0 and seen[-1][0] == r.t < 5 and y[0] < 0.2 and (y == seen[-1][1]).all()
        assert seen[0][1].dtype == (float if cls == "ode" else complex)
        ends.append((r.get_return_code(), r.successful()))
        np.testing.assert_allclose([v[0] for _, v in seen], np.exp([-t for t, _ in seen]), rtol=1e-4)
    assert ends[0] == ends[1] == (2, True)
    with pytest.raises(ValueError, match="solout"):
        sci.integrate.ode(swing).set_integrator("lsoda").set_solout(solout)


@pytest.mark.parametrize("name", REAL)
def test_complex_ode(name):
    f = lambda t, y: [1j * y[0] + 0.1 * np.conj(y[1]), -0.3 * y[1] * y[0]]  # not analytic
    ours, theirs = both(f, name=name, y0=[1.0 + 0.5j, 2.0], cls="complex_ode", rtol=1e-7, atol=1e-9)
    for t in (0.7, 2.0):
        got, expected = ours.integrate(t), theirs.integrate(t)
        np.testing.assert_allclose(got, expected, rtol=1e-5)
        np.testing.assert_array_equal(ours.y, got)
    assert ours.successful()
    with pytest.raises(ValueError, match="zvode"):
        sci.integrate.complex_ode(f).set_integrator("zvode")


@pytest.mark.parametrize("name", [*REAL, "zvode"])
def test_failures(name):
    ours, theirs = both(lambda t, y: -y, name=name, nsteps=5)
    (_, message), (_, expected) = caught(lambda: ours.integrate(5.0)), caught(lambda: theirs.integrate(5.0))
    assert message == expected and len(message) == 1 and not ours.successful()
    assert ours.get_return_code() == theirs.get_return_code() and 0 < ours.t < 5
    np.testing.assert_allclose(ours.y, np.exp(-ours.t) * np.array([1, 0.3]), rtol=1e-4)
    ours.set_initial_value([1.0, 0.3], 0.0)
    assert ours.successful()
    (ours,) = (r for r in both(lambda t, y: np.nan * y, name=name) if isinstance(r, sci.integrate.ode))
    _, message = caught(lambda: ours.integrate(1.0))
    assert len(message) == 1 and not ours.successful() and ours.get_return_code() < 0 and ours.t == 0
    if name in ("vode", "lsoda", "zvode"):
        ours, theirs = both(lambda t, y: -y, name=name)
        for r in (ours, theirs):
            r.integrate(5.0)
            _, message = caught(lambda r=r: r.integrate(0.0))
            assert "Illegal input" in message[0] and r.get_return_code() == -3 and r.t == 5.0


def test_a_scalar_is_a_state_of_one():
    for name in (*REAL, "zvode"):
        r = sci.integrate.ode(lambda t, y: -0.5 * y[0]).set_integrator(name).set_initial_value(1.0)
        np.testing.assert_allclose(r.integrate(1.0), [np.exp(-0.5)], rtol=1e-5)


def test_defaults_host_and_bad_input():
    ours, theirs = sci.integrate.ode(swing), scipy.integrate.ode(swing)
    for r in (ours, theirs):
        r.set_initial_value([1.0, 0.3])
    np.testing.assert_allclose(ours.integrate(1.0), theirs.integrate(1.0), rtol=1e-4)
    (_, message), (_, expected) = (
        caught(lambda: ours.set_integrator("none")),
        caught(lambda: theirs.set_integrator("none")),
    )
    assert message == expected and "No integrator name match" in message[0]
    for options in ({"name": "dopri5", "beta": 0.1}, {"name": "vode", "method": "bdf", "order": 3}):
        before = sum(r.count for r in sci.fallbacks())
        ours, theirs = both(swing, **options)
        np.testing.assert_array_equal(ours.integrate(1.0), theirs.integrate(1.0))
        assert sum(r.count for r in sci.fallbacks()) == before + 1
    seen = []
    ours, theirs = both(lambda t, y: seen.append(t) or -y, name="vode")
    np.testing.assert_array_equal(ours.integrate(1.0), theirs.integrate(1.0))
    for name, kind in (("vode", ValueError), ("lsoda", RuntimeError), ("dop853", ValueError)):
        r = sci.integrate.ode(lambda t, y: [1.0, 2.0, 3.0]).set_integrator(name).set_initial_value([1.0, 2.0])
        with pytest.raises(kind, match="shape"):
            r.integrate(1.0)
    with pytest.raises(ValueError, match="integration method"):
        sci.integrate.ode(swing).set_integrator("vode", method="euler")
