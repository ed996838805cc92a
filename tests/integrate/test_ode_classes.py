"""The solver classes of `sci.integrate` beside SciPy's, step by step."""

import numpy as np
import pytest
import scipy.integrate
import scipy.sparse

import sci
import sci.integrate

NAMES = ("RK23", "RK45", "DOP853", "Radau", "BDF", "LSODA")
IMPLICIT = ("Radau", "BDF", "LSODA")


def spring(t, y):
    return np.array([y[1], -y[0] * (1 + 0.1 * y[0] ** 2)])


def slope(t, y):
    return np.array([[0, 1.0], [-1 - 0.3 * y[0] ** 2, 0]])


def both(name, *args, **options):
    return (getattr(module, name)(*args, **options) for module in (sci.integrate, scipy.integrate))


@pytest.mark.parametrize("name", NAMES)
def test_steps_as_scipy(name):
    options = {"jac": slope} if name in IMPLICIT else {}
    ours, theirs = both(name, spring, 0, [1.0, 0.3], 8, rtol=1e-4, **options)
    assert isinstance(ours, getattr(scipy.integrate, name)) and ours.step_size is None
    with pytest.raises(RuntimeError):
        ours.dense_output()
    while theirs.status == "running":
        assert ours.step() is None and theirs.step() is None
        # the sizes of LSODA's steps are ratios of differences that nearly cancel
        exact = {"rtol": 1e-4 if name == "LSODA" else 1e-6, "atol": 1e-8}
        np.testing.assert_allclose([ours.t, ours.t_old], [theirs.t, theirs.t_old], **exact)
        np.testing.assert_allclose(ours.y, theirs.y, **exact)
        assert (ours.nfev, ours.njev, ours.nlu, ours.status) == (theirs.nfev, theirs.njev, theirs.nlu, theirs.status)
    t = np.linspace(ours.t_old, ours.t, 5)
    np.testing.assert_allclose(ours.dense_output()(t), theirs.dense_output()(t), rtol=1e-3)
    assert ours.nfev == theirs.nfev and ours.y.flags.writeable
    with pytest.raises(RuntimeError, match="finished"):
        ours.step()


@pytest.mark.parametrize("name", ["RK45", "LSODA"])
def test_as_method_of_solve_ivp(name):
    method = getattr(sci.integrate, name)
    expected = scipy.integrate.solve_ivp(spring, (0, 5), [1.0, 0.3], method=name, t_eval=[1.0, 5.0])
    for module in (sci.integrate, scipy.integrate):
        got = module.solve_ivp(spring, (0, 5), [1.0, 0.3], method=method, t_eval=[1.0, 5.0])
        np.testing.assert_allclose(got.y, expected.y, rtol=1e-6)


def test_options_and_ends():
    ours, theirs = both("RK45", spring, 5, [1.0, 0.3], 0, 0.25, 1e-5, [1e-7, 1e-8], False, 0.1)
    while theirs.status == "running":
        ours.step(), theirs.step()
    assert (ours.t, ours.nfev, ours.direction) == (theirs.t, theirs.nfev, -1)
    np.testing.assert_allclose(ours.y, theirs.y, rtol=1e-10)
    for y0, end in ([], 3), ([1.0], 0):
        ours, theirs = both("Radau" if y0 else "RK23", lambda t, y: -y, 0, y0, end)
        ours.step(), theirs.step()
        assert (ours.status, ours.t) == (theirs.status, theirs.t) == ("finished", end)
    wide = sci.integrate.RK45(lambda t, y: -y, 0, [1.0, 2.0], 1, vectorized=True)
    while wide.status == "running":
        wide.step()
    np.testing.assert_allclose(wide.y, np.exp(-1) * np.array([1, 2]), rtol=1e-3)


def test_sparse_and_banded():
    n = 40
    band = scipy.sparse.diags([np.ones(n - abs(k)) for k in (-1, 0, 1)], [-1, 0, 1])

    def heat(t, y):
        return 400 * np.diff(np.concatenate([[0.0], y, [0.0]]), 2)

    for name, options in (("BDF", {"jac_sparsity": band}), ("LSODA", {"lband": 1, "uband": 1})):
        solver = getattr(sci.integrate, name)(heat, 0, np.sin(np.pi * np.arange(1, n + 1) / (n + 1)), 0.01, rtol=1e-6)
        while solver.status == "running":
            solver.step()
        rate = 400 * 2 * (1 - np.cos(np.pi / (n + 1)))
        np.testing.assert_allclose(solver.y[n // 2], np.exp(-rate * 0.01), rtol=1e-3)


def test_failure_host_and_bad_input():
    ours, theirs = both("RK23", lambda t, y: y * y, 0, [1.0], 3, rtol=1e-6)
    for solver in (ours, theirs):
        while solver.status == "running":
            message = solver.step()
        assert solver.status == "failed" and message == theirs.TOO_SMALL_STEP
    before = sum(r.count for r in sci.fallbacks())
    seen = []
    host = sci.integrate.RK45(lambda t, y: seen.append(t) or -y, 0, [1.0], 1)
    assert type(host) is scipy.integrate.RK45 and sum(r.count for r in sci.fallbacks()) == before + 1
    for options in ({"max_step": 0}, {"first_step": 5}, {"atol": [1.0, 1.0]}, {"rtol": 1e-3, "atol": -1.0}):
        with pytest.raises(ValueError):
            sci.integrate.RK45(lambda t, y: -y, 0, [1.0], 1, **options)
    with pytest.raises(ValueError, match="complex"):
        sci.integrate.LSODA(lambda t, y: -y, 0, [1j], 1)
    with pytest.raises(ValueError, match="jac"):
        sci.integrate.BDF(lambda t, y: -y, 0, [1.0], 1, jac=np.eye(2))
    with pytest.raises(ValueError, match="jac"):
        sci.integrate.Radau(lambda t, y: -y, 0, [1.0], 1, jac=lambda t, y: np.eye(2))
    with pytest.raises(TypeError, match="rtol"):
        sci.integrate.RK45(lambda t, y: -y, 0, [1.0], 1, 0.5, 1e-3, rtol=1e-3)
    with pytest.warns(UserWarning, match="lband"):
        sci.integrate.RK45(lambda t, y: -y, 0, [1.0], 1, lband=3)


@pytest.mark.parametrize("name", NAMES)
def test_what_the_caller_changes_between_steps(name):
    """Steps are computed ahead: a moved end, a changed state and a changed step size take effect as in SciPy."""
    options = {"jac": slope} if name in IMPLICIT else {}
    ours, theirs = both(name, spring, 0, [1.0, 0.3], 30, rtol=1e-5, **options)
    tolerance = {"rtol": 1e-3 if name == "LSODA" else 1e-5, "atol": 1e-7}
    for i in range(40):
        bound = theirs.t + 1.25 if i == 30 else theirs.t_bound
        for solver in (ours, theirs):
            # multistep methods go on from their history; SciPy's Radau keeps the slope of the old state
            if i == 13 and name not in IMPLICIT:
                solver.y *= 0.9
            if i == 21 and name not in ("BDF", "LSODA"):
                solver.h_abs = 0.5 * solver.h_abs
            solver.t_bound = bound
            if solver.status == "running":
                solver.step()
        np.testing.assert_allclose([ours.t, ours.step_size], [theirs.t, theirs.step_size], **tolerance)
        np.testing.assert_allclose(ours.y, theirs.y, **tolerance)
        assert ours.nfev == theirs.nfev or name == "LSODA"
        if i in (3, 14, 31):
            middle = (ours.t + ours.t_old) / 2
            np.testing.assert_allclose(ours.dense_output()(middle), theirs.dense_output()(middle), **tolerance)
    while theirs.status == "running":
        ours.step(), theirs.step()
    assert ours.status == "finished" and ours.t == bound
    assert theirs.t == bound or name == "LSODA"  # ODEPACK was told the old one, and steps over the new one


def test_a_kept_state_is_not_written_to_and_expensive_steps_are_not_taken_ahead():
    solver = sci.integrate.RK45(spring, 0, [1.0, 0.3], 1e6)
    kept = []
    for _ in range(200):
        solver.step()
        kept.append((solver.t, solver.y, solver.y.copy()))
    assert all((y == copy).all() for _, y, copy in kept) and len({t for t, _, _ in kept}) == 200
    n = 200_000  # 9 records of this size for each step of a block: there is room for one
    wide = sci.integrate.RK45(lambda t, y: -y, 0, np.ones(n), 1.0)
    wide.step()
    assert wide._length == 1 and wide.y.shape == (n,)


def test_a_failure_leaves_the_last_step():
    ours, theirs = both("RK45", lambda t, y: y * y, 0, [1.0], 3)
    for solver in (ours, theirs):
        while solver.status == "running":
            solver.step()
    assert ours.nfev == pytest.approx(theirs.nfev, abs=12) and ours.t == pytest.approx(1, abs=1e-2)
    middle = (ours.t_old + ours.t) / 2
    assert np.isfinite(ours.dense_output()(middle)).all()
