"""`root_scalar`, `brentq` and their siblings, `newton`: SciPy's results, counters, messages and errors."""

import warnings

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.optimize

from sci import optimize

BRACKETING = ("brentq", "brenth", "bisect", "ridder", "toms748")


def cubic(x):
    return x**3 - 5


def slope(x):
    return 3 * x**2


def curvature(x):
    return 6 * x


def together(x):
    return x**3 - 5, 3 * x**2, 6 * x


pytestmark = pytest.mark.usefixtures("native")


def outcome(call, module):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            result = call(module)
        except Exception as error:
            result = error
    return result, [(w.category, str(w.message)) for w in caught]


@pytest.mark.parametrize("name", BRACKETING)
def test_full_output_is_scipys(name):
    x, result = getattr(optimize, name)(cubic, 0, 3, full_output=True)
    expected = getattr(scipy.optimize, name)(cubic, 0, 3, full_output=True)[1]
    assert type(result) is type(expected) and list(result) == list(expected)
    for field in ("iterations", "function_calls", "converged", "flag", "method"):
        assert result[field] == expected[field]
    assert x == result.root == pytest.approx(expected.root, rel=1e-12)


@pytest.mark.parametrize("name", BRACKETING)
@pytest.mark.parametrize(
    "call",
    [
        lambda f: f(lambda x: x * x + 1, 0, 1),
        lambda f: f(cubic, 0, 2, maxiter=2),
        lambda f: f(lambda x: x - np.nan, 0, 1),
        lambda f: f(cubic, 0, 2, xtol=-1),
        lambda f: f(cubic, 0, 2, rtol=1e-17),
        lambda f: f(cubic, 0, 2, maxiter=-1),
        lambda f: f(cubic, 0, 2, maxiter=1.5),
    ],
    ids=["no sign change", "maxiter", "nan", "xtol", "rtol", "negative maxiter", "float maxiter"],
)
def test_bad_input_raises_scipys_exception(name, call):
    theirs, _ = outcome(lambda m: call(getattr(m, name)), scipy.optimize)
    ours, _ = outcome(lambda m: call(getattr(m, name)), optimize)
    assert type(ours) is type(theirs) and isinstance(ours, Exception)
    assert str(ours)[:20] == str(theirs)[:20]


OPTIONS = {
    "bracket": {"bracket": (0, 2)},
    "limited": {"bracket": (0, 2), "maxiter": 3},
    "ridder": {"bracket": [0, 2], "method": "ridder", "xtol": 1e-6},
    "toms": {"bracket": np.array([0, 2]), "method": "toms748", "options": {"k": 2}},
    "secant": {"x0": 2, "x1": 3},
    "newton": {"x0": 2, "fprime": slope},
    "exact newton": {"x0": 2},
    "halley": {"x0": 2, "fprime": slope, "fprime2": curvature},
}


@pytest.mark.parametrize("options", OPTIONS.values(), ids=OPTIONS)
def test_root_scalar_is_scipys(options):
    ours, theirs = optimize.root_scalar(cubic, **options), scipy.optimize.root_scalar(cubic, **options)
    assert ours.root == pytest.approx(theirs.root, rel=1e-9)
    for field in ("iterations", "function_calls", "converged", "flag", "method"):
        assert ours[field] == theirs[field]


@pytest.mark.parametrize("flags", [{"fprime": True}, {"fprime": True, "fprime2": True}], ids=["newton", "halley"])
def test_value_and_derivatives_together(flags):
    ours = optimize.root_scalar(together, x0=2.0, **flags)
    theirs = scipy.optimize.root_scalar(together, x0=2.0, **flags)
    assert (ours.iterations, ours.function_calls) == (theirs.iterations, theirs.function_calls)
    assert ours.root == pytest.approx(theirs.root, rel=1e-12)


def test_nan_is_reported_not_raised_by_root_scalar():
    result = optimize.root_scalar(lambda x: x - np.nan, bracket=(0, 1))
    assert not result.converged and "is NaN" in result.flag


STARTS = np.array([1.5, 2.0, 0.7])
SHIFTS = np.array([1.0, 2.0, 3.0])
NEWTON = {
    "number": lambda m: m.newton(cubic, 1.5, full_output=True),
    "array": lambda m: m.newton(lambda x, a: x**3 - a, STARTS, args=(SHIFTS,), full_output=True),
    "array slope": lambda m: m.newton(
        lambda x, a: x**3 - a, STARTS, lambda x, a: 3 * x**2, args=(SHIFTS,), full_output=True
    ),
    "array halley": lambda m: m.newton(cubic, STARTS, slope, fprime2=curvature),
    "no root": lambda m: m.newton(lambda x: x**2 + 1, 0.7, lambda x: 2 * x, maxiter=5),
    "zero slope": lambda m: m.newton(lambda x: x**2 + 1, 0.0, lambda x: 2 * x, disp=False, full_output=True),
    "zero slope raised": lambda m: m.newton(lambda x: x**2 + 1, 0.0, lambda x: 2 * x),
    "equal points": lambda m: m.newton(cubic, 1.5, x1=1.5),
    "some zero": lambda m: m.newton(lambda x: x**2 - 1, [0, 2.0], lambda x: 2 * x),
    "all zero": lambda m: m.newton(lambda x: x**2 - 1, [0, 0.0], lambda x: 2 * x),
    "all fail": lambda m: m.newton(lambda x: x**2 + 1, [0.7, 0.8], lambda x: 2 * x, maxiter=5),
    "some fail": lambda m: m.newton(lambda x: x**2 - 1, [0.7, 1e6], lambda x: 2 * x, maxiter=8),
    "complex": lambda m: m.newton(lambda x: x**2 + 1, 1 + 1j, lambda x: 2 * x),
    "tol": lambda m: m.newton(cubic, 1.0, tol=0),
}


def numbers(result):
    """The numbers of a result, that of `RootResults` among them."""
    parts = result if isinstance(result, tuple) else (result,)
    for part in parts:
        if isinstance(part, dict):
            yield from (part.root, part.iterations, part.function_calls, part.converged)
        else:
            yield part


@pytest.mark.parametrize("call", NEWTON.values(), ids=NEWTON)
def test_newton_is_scipys(call):
    (ours, our_warnings), (theirs, their_warnings) = outcome(call, optimize), outcome(call, scipy.optimize)
    assert our_warnings == their_warnings
    if isinstance(theirs, Exception):
        assert type(ours) is type(theirs) and str(ours)[:40] == str(theirs)[:40]
        return
    for a, b in zip(numbers(ours), numbers(theirs), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-9)


def test_many_brackets_at_once_with_gradients():
    def root(a):
        return optimize.brentq(lambda x: np.cos(x) - a * x, 0.0, 2.0)

    scales = np.linspace(0.5, 3, 50)
    with jax.enable_x64(True):
        roots, slopes = jax.jit(jax.vmap(jax.value_and_grad(root)))(scales)
    expected = [scipy.optimize.brentq(lambda x, a=a: np.cos(x) - a * x, 0.0, 2.0) for a in scales]
    roots = np.asarray(roots)
    np.testing.assert_allclose(roots, expected, rtol=1e-11)
    np.testing.assert_allclose(slopes, -roots / (np.sin(roots) + scales), rtol=1e-9)


def test_failure_is_nan_in_the_jax_world():
    assert np.isnan(optimize.brentq(lambda x: x**2 + 1, jnp.float32(0), 1.0))
    root, result = optimize.brentq(lambda x: x**2 + 1, jnp.float32(0), 1.0, full_output=True, disp=False)
    assert np.isfinite(root) and not result.converged and result.flag == -1
    assert np.isnan(optimize.newton(lambda x: x**2 + 1, jnp.float32(0.7)))


def test_single_precision_reaches_its_own_accuracy():
    root, result = optimize.brentq(lambda x: jnp.cos(x) - x, jnp.float32(0), jnp.float32(1), full_output=True)
    assert root.dtype == jnp.float32 and bool(result.converged)
    np.testing.assert_allclose(root, 0.7390851, rtol=1e-6)
