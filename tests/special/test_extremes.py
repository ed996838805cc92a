"""Arguments at the ends of the floating-point range, and SciPy's ways with arguments of the wrong kind."""

from __future__ import annotations

import warnings

import jax
import mpmath as mp
import numpy as np
import pytest
import scipy.special as original

import sci
import sci.special as special


def digamma_zero():
    return mp.findroot(mp.digamma, mp.mpf("1.4616321449683622"))


#: name, arguments, exact value (mpmath at 60 digits), relative tolerance.
#: The tolerance grows with the logarithm of the value where the value is the exponential of one.
EXTREMES = [
    ("beta", (-1.4285714285714286, 2.998e154), lambda a, b: mp.gamma(a) * b**-a, 2e-13),
    ("beta", (1e200, -1.5), lambda a, b: mp.gamma(b) * a**-b, 2e-13),
    ("beta", (-1.268e-10, 8.988e307), lambda a, b: mp.gamma(a) * b**-a, 1e-13),
    ("betaln", (-1.268e-10, 8.988e307), lambda a, b: mp.log(abs(mp.gamma(a) * b**-a)), 1e-14),
    ("betaln", (1.5, 1.7e308), lambda a, b: mp.loggamma(a) - a * mp.log(b), 1e-14),
    ("betaln", (9.5, 1.7e308), lambda a, b: mp.loggamma(a) - a * mp.log(b), 1e-14),
    ("binom", (2.998e154, 1.6667), lambda n, k: n**k / mp.gamma(k + 1), 2e-13),
    ("binom", (8.99e307, -1.268e-10), lambda n, k: n**k / mp.gamma(k + 1), 1e-13),
    ("agm", (1.7e308, 1.4e308), mp.agm, 1e-15),
    ("agm", (-1.7e308, -3.0), lambda a, b: -mp.agm(-a, -b), 1e-15),
    ("agm", (2.3e-308, 1.7976931348623157e308), mp.agm, 1e-15),
    ("zeta", (1.75, 8.98e307), lambda s, q: q ** (1 - s) / (s - 1), 1e-14),
    ("zeta", (5.5, 2.4e62), lambda s, q: q ** (1 - s) / (s - 1), 1e-14),
    ("zeta", (2.5, 6e123), lambda s, q: q ** (1 - s) / (s - 1), 1e-14),
    ("ndtri_exp", (-1.7976931348623157e308,), lambda y: -mp.sqrt(-2 * y), 1e-15),
    ("ndtri_exp", (-2e30,), lambda y: -mp.sqrt(-2 * y - mp.log(-4 * mp.pi * y)), 1e-15),
    ("rel_entr", (4.0, 2e-308), lambda x, y: x * mp.log(x / y), 1e-15),
    ("rel_entr", (1e300, 5e-324), lambda x, y: x * mp.log(x / y), 1e-15),
    ("boxcox", (100.0, 155.0), lambda x, k: (x**k - 1) / k, 2e-13),
    ("boxcox", (0.01, -155.0), lambda x, k: (x**k - 1) / k, 2e-13),
    ("boxcox1p", (99.0, 155.0), lambda x, k: ((1 + x) ** k - 1) / k, 2e-13),
    ("inv_boxcox", (6.451612903226469e307, 155.0), lambda y, k: (1 + k * y) ** (1 / k), 1e-14),
    ("inv_boxcox", (-6.451612903225002e307, -155.0), lambda y, k: (1 + k * y) ** (1 / k), 1e-14),
    ("inv_boxcox1p", (6.451612903226469e307, 155.0), lambda y, k: (1 + k * y) ** (1 / k) - 1, 1e-14),
    ("pseudo_huber", (1e-200, 1.0), lambda d, r: d * (mp.sqrt(d * d + r * r) - d), 1e-15),
    ("ellipkinc", (1e-157, -1e308), mp.ellipf, 1e-15),
    ("ellipkinc", (1e-154, -1e308), mp.ellipf, 1e-15),
    ("ellipkinc", (1.0, -1.7e308), mp.ellipf, 1e-15),
    ("ellipeinc", (1e-154, -1e308), mp.ellipe, 1e-15),
    ("ellipeinc", (1e-157, -1e305), mp.ellipe, 1e-15),
    ("ellipk", (-1.797e308,), lambda m: mp.log(16 * -m) / 2 / mp.sqrt(-m), 1e-15),
    ("ellipk", (-8.98e307,), lambda m: mp.log(16 * -m) / 2 / mp.sqrt(-m), 1e-15),
    ("ellipkm1", (1.7e308,), lambda p: mp.log(16 * p) / 2 / mp.sqrt(p), 1e-15),
    ("elliprf", (1.7e308, 1.6e308, 1.5e308), mp.elliprf, 1e-15),
    ("elliprg", (1.7e308, 1.6e308, 1.5e308), mp.elliprg, 1e-15),
    ("elliprg", (0.0, 1.6e200, 1.5e200), mp.elliprg, 1e-15),
    ("elliprg", (0.0, 2.0**600, 1.0), lambda x, y, z: mp.sqrt(y) / 2, 1e-15),
    ("elliprg", (0.0, 1.0, 1.7e308), lambda x, y, z: mp.sqrt(z) / 2, 1e-15),
    ("elliprg", (1e-290, 1e-300, 1e99), lambda x, y, z: mp.sqrt(z) / 2, 1e-15),
    ("elliprg", (3e-308, 3e-308, 3e-308), lambda x, y, z: mp.sqrt(x), 1e-15),
    ("zeta", (-260.00000000001,), mp.zeta, 2e-13),
    ("zeta", (-260.1,), mp.zeta, 2e-13),
    ("log1p", (-0.4033,), mp.log1p, 4e-16),
    ("log1p", (-0.29,), mp.log1p, 4e-16),
    ("xlog1py", (3.0, -0.4033), lambda x, y: x * mp.log1p(y), 4e-16),
    ("digamma", (1.4616321449683622,), lambda x: mp.zeta(2, digamma_zero()) * (x - digamma_zero()), 1e-14),
    ("digamma", (1.4616321449683624,), lambda x: mp.zeta(2, digamma_zero()) * (x - digamma_zero()), 1e-14),
    ("digamma", (1.46,), mp.digamma, 4e-15),
    ("digamma", (1.7,), mp.digamma, 1e-15),
]


@pytest.mark.parametrize(
    ("name", "arguments", "exact", "tolerance"), EXTREMES, ids=[f"{n}{a}" for n, a, *_ in EXTREMES]
)
def test_at_the_ends_of_the_range(name, arguments, exact, tolerance):
    with mp.workdps(60):
        want = float(exact(*map(mp.mpf, arguments)))
    assert np.isfinite(want) and want != 0
    np.testing.assert_allclose(getattr(special, name)(*arguments), want, rtol=tolerance)


def test_log1p_at_its_borders():
    x = np.array([-1.0, -2.0, np.inf, np.nan, -0.0, 1e300, 1e-300])
    with np.errstate(all="ignore"):
        want = original.log1p(x)
    got = special.log1p(x)
    np.testing.assert_allclose(got, want, rtol=1e-15)
    assert np.signbit(got[4])


def test_exact_values():
    assert np.signbit(special.erfcinv(1.0)) == np.signbit(original.erfcinv(1.0))
    for phi in (0.7, -0.7, np.pi / 2, 5.0):
        assert special.ellipeinc(phi, 0.0) == phi
        assert special.ellipkinc(phi, 0.0) == phi


TRUNCATED = [
    ("bdtr", (1.0, 3.5, 0.5), (1, 3, 0.5), "non-integer arg n is deprecated"),
    ("bdtrc", (1.0, 3.5, 0.5), (1, 3, 0.5), "non-integer arg n is deprecated"),
    ("nbdtr", (1.8, 2.8, 0.3), (1, 2, 0.3), "floating point number truncated to an integer"),
    ("nbdtrc", (1.8, 2.8, 0.3), (1, 2, 0.3), "floating point number truncated to an integer"),
    ("expn", (1.8, 0.3), (1, 0.3), "floating point number truncated to an integer"),
]


@pytest.mark.parametrize(("name", "arguments", "truncated", "message"), TRUNCATED)
def test_whole_arguments_are_truncated_with_scipys_warning(name, arguments, truncated, message):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        got = getattr(special, name)(*arguments)
    assert any(message in str(w.message) for w in caught)
    np.testing.assert_allclose(got, getattr(special, name)(*truncated), rtol=1e-13)


DISTRIBUTIONS = [
    ("bdtr", (2, 30_000_000, 1e-7)),
    ("bdtrc", (2, 30_000_000, 1e-7)),
    ("nbdtr", (2, 30_000_000, 0.9999999)),
    ("nbdtrc", (2, 30_000_000, 0.9999999)),
    ("fdtr", (1e-3, 5.0, 0.7)),
    ("fdtrc", (1e-3, 5.0, 0.7)),
    ("stdtr", (1e-3, 0.7)),
]


@pytest.mark.parametrize(("name", "arguments"), DISTRIBUTIONS)
def test_beyond_the_continued_fraction_scipy_computes(name, arguments):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        sci.clear_fallbacks()
        assert getattr(special, name)(*arguments) == getattr(original, name)(*arguments)
    assert any(name in str(entry) for entry in sci.fallbacks())


@pytest.mark.parametrize("name", ["bdtr", "nbdtr"])
def test_many_trials(name):
    # next to the mean: half and half up to the middle term of the binomial distribution
    n = 4_000_000
    middle = 1 / np.sqrt(np.pi * n / 2)
    got = special.bdtr(n // 2, n, 0.5) if name == "bdtr" else special.nbdtr(n // 2, n // 2, 0.5)
    np.testing.assert_allclose(got, 0.5 + 0.5 * middle, rtol=1e-9)


# np.float16 is left out: SciPy 1.17 gives float64 for it, 1.18 float32 for the scalar and float64 for the array
@pytest.mark.parametrize("value", [5, np.float32(5), np.array(5), np.array(5.0), np.array([2], np.float32)])
def test_factorial_result_type(value):
    got, want = special.factorial(value), original.factorial(value)
    assert type(got) is type(want) and got.dtype == want.dtype and got.shape == want.shape
    np.testing.assert_allclose(got, want)


@pytest.mark.parametrize("value", [np.array([1j], object), np.array([1 + 1j]), np.array(["1"])])
def test_factorial_of_no_numbers(value):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", sci.FallbackWarning)
        for module in (original, special):
            with pytest.raises(ValueError, match="Unsupported|In order to use"):
                module.factorial(value)


@pytest.mark.parametrize(
    ("name", "arguments"), [("betainc", (-1.0, 1.0, 0.5)), ("gammaln", (-1.0,)), ("zeta", (0.5, 1.0))]
)
def test_error_state(name, arguments):
    function, theirs = getattr(special, name), getattr(original, name)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", sci.FallbackWarning)
        with original.errstate(all="raise"):
            with pytest.raises(original.SpecialFunctionError) as want:
                theirs(*arguments)
            with pytest.raises(original.SpecialFunctionError) as got:
                function(*arguments)
            assert str(got.value) == str(want.value)
        with original.errstate(all="warn"), pytest.warns(original.SpecialFunctionWarning):
            function(*arguments)
    function(*arguments)  # and silent again


def test_error_state_leaves_the_jax_world_alone():
    with original.errstate(all="raise"):
        assert np.isnan(special.betainc(jax.numpy.asarray(-1.0), 1.0, 0.5))


def test_powm1_of_minus_infinity():
    y = np.array([2.5, -2.5, 3.0, 2.0, -2.0])
    np.testing.assert_array_equal(special.powm1(-np.inf, y), original.powm1(-np.inf, y))
