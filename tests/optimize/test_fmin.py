"""SciPy's older functions against SciPy: every kind of output, counters, bad input."""

import numpy as np
import pytest
import scipy.optimize

import sci
from sci import optimize

START = np.array([0.5, 2.0])


def valley(x, a=1.0):
    return np.sum((x - a) ** 2) + (x[0] + x[1]) ** 2


def slope(x, a=1.0):
    return 2 * (x - a) + 2 * (x[0] + x[1])


def both(x, a=1.0):
    return valley(x, a), slope(x, a)


def half(x, a=1.0):
    return 0.5 * a - x[0]


def same(ours, theirs, rtol=1e-6, atol=1e-6):
    if isinstance(theirs, (tuple, list)):
        assert len(ours) == len(theirs)
        for one, other in zip(ours, theirs, strict=True):
            same(one, other, rtol, atol)
    elif isinstance(theirs, dict):
        assert ours.keys() == theirs.keys()
        same(list(ours.values()), [theirs[name] for name in ours], rtol, atol)
    elif isinstance(theirs, str):
        assert ours == theirs
    else:
        np.testing.assert_allclose(ours, theirs, rtol=rtol, atol=atol)


@pytest.mark.parametrize("name", ["fmin", "fmin_bfgs", "fmin_cg"])
@pytest.mark.parametrize(
    "kinds", [{}, {"full_output": 1}, {"retall": 1}, {"full_output": 1, "retall": 1, "maxiter": 2}]
)
def test_output_of_three_kinds(name, kinds, native):
    extra = () if name == "fmin" else (slope,)
    ours = getattr(optimize, name)(valley, START, *extra, args=(0.7,), disp=0, **kinds)
    same(ours, getattr(scipy.optimize, name)(valley, START, *extra, args=(0.7,), disp=0, **kinds))


def test_powell_and_newton(native):
    ours = optimize.fmin_powell(valley, START, full_output=1, retall=1, disp=0, direc=np.eye(2)[::-1])
    theirs = scipy.optimize.fmin_powell(valley, START, full_output=1, retall=1, disp=0, direc=np.eye(2)[::-1])
    same(ours[:3], theirs[:3])
    assert ours[3] == theirs[3] and ours[5] == 0 and ours[4] <= 1.5 * theirs[4] and len(ours[6]) == len(theirs[6])
    hessian = np.array([[4.0, 2.0], [2.0, 4.0]])
    for given in ({"fhess": lambda x: hessian}, {"fhess_p": lambda x, p: hessian @ p}):
        ours = optimize.fmin_ncg(valley, START, slope, full_output=True, disp=False, **given)
        theirs = scipy.optimize.fmin_ncg(valley, START, slope, full_output=True, disp=False, **given)
        same(ours[:2], theirs[:2])
        # the last step of a quadratic is a matter of rounding
        np.testing.assert_allclose(ours[2:], theirs[2:], atol=1 if "fhess" in given else 3)


@pytest.mark.parametrize("given", [{"func": both}, {"func": valley, "fprime": slope}])
def test_within_bounds(given, native):
    bounds = [(None, 0.25), (-1.0, 5.0)]
    ours = optimize.fmin_l_bfgs_b(x0=START, bounds=bounds, m=5, **given)
    same(ours, scipy.optimize.fmin_l_bfgs_b(x0=START, bounds=bounds, m=5, **given))
    x, _, code = optimize.fmin_tnc(x0=START, bounds=bounds, messages=0, **given)
    theirs = scipy.optimize.fmin_tnc(x0=START, bounds=bounds, messages=0, **given)
    same(x, theirs[0])
    assert code in (0, 1, 2) and theirs[2] in (0, 1, 2)
    exact = optimize.fmin_l_bfgs_b(valley, START, approx_grad=True, bounds=bounds)
    same(exact[0], ours[0])


def test_constraints(native):
    same(optimize.fmin_cobyla(valley, START, half), scipy.optimize.fmin_cobyla(valley, START, half), atol=1e-3)
    same(
        optimize.fmin_cobyla(valley, START, [half], args=(0.8,), consargs=()),
        scipy.optimize.fmin_cobyla(valley, START, [half], args=(0.8,), consargs=()),
        atol=1e-3,
    )
    for constraints in (
        {"ieqcons": [half]},
        {"eqcons": [half], "bounds": [(0, 1), (0, 1)]},
        {"f_ieqcons": lambda x, a: np.array([half(x, a), x[1]]), "fprime": slope},
    ):
        options = {"args": (1.0,), "full_output": 1, "iprint": 0, **constraints}
        ours = optimize.fmin_slsqp(valley, START, **options)
        same(ours, scipy.optimize.fmin_slsqp(valley, START, **options))


def test_what_is_printed(capsys, native):
    optimize.fmin(valley, START)
    ours = capsys.readouterr().out
    scipy.optimize.fmin(valley, START)
    assert ours == capsys.readouterr().out != ""
    optimize.fmin_slsqp(valley, START, disp=0)
    assert capsys.readouterr().out == ""


def test_a_gradient_that_is_not_finite_at_the_start():
    def smooth(x):
        return np.sum((x**2) ** 0.5 * np.abs(x)) + np.sum((x - 0.3) ** 2)

    with pytest.warns(sci.FallbackWarning, match="exact gradient"):
        ours = optimize.fmin_bfgs(smooth, [0.0, 0.0], disp=0, full_output=1)
    same(ours[:2], scipy.optimize.fmin_bfgs(smooth, [0.0, 0.0], disp=0, full_output=1)[:2])


def test_bad_input():
    with pytest.raises(TypeError, match="cons must be a sequence of callable functions"):
        optimize.fmin_cobyla(valley, START, 3)
    with pytest.raises(TypeError, match="cons must be a sequence of callable functions"):
        optimize.fmin_cobyla(valley, START, [half, 3])
    with pytest.raises(ValueError, match=r"c1.*c2"):
        optimize.fmin_bfgs(valley, START, c1=0.9, c2=0.1)
