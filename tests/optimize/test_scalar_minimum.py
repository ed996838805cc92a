"""`minimize_scalar`, `brent`, `golden`, `fminbound`, `bracket`: SciPy's results, messages and errors."""

import warnings

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.optimize

from sci import optimize


def quartic(x):
    return (x - 2) * x * (x + 2) ** 2


pytestmark = pytest.mark.usefixtures("native")


def outcome(call, module):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            result = call(module)
        except Exception as error:
            result = error
    return result, [str(w.message) for w in caught if "encountered" not in str(w.message)]


CASES = {
    "brent": lambda m: m.minimize_scalar(quartic),
    "brent limited": lambda m: m.minimize_scalar(quartic, options={"maxiter": 3}),
    "golden tol": lambda m: m.minimize_scalar(quartic, method="golden", tol=1e-3),
    "bounded": lambda m: m.minimize_scalar(quartic, bounds=(-3, -1)),
    "bounded tol": lambda m: m.minimize_scalar(quartic, bounds=(-3, -1), tol=1e-3),
    "bounded limited": lambda m: m.minimize_scalar(quartic, bounds=(-3, -1), options={"maxiter": 3}),
    "unknown option": lambda m: m.minimize_scalar(quartic, options={"foo": 1}),
    "three points": lambda m: m.minimize_scalar(quartic, bracket=(0, 1, 3)),
    "reversed points": lambda m: m.minimize_scalar(quartic, bracket=(3, 1, 0)),
    "nan": lambda m: m.minimize_scalar(lambda x: x * np.nan),
    "unbounded": lambda m: m.minimize_scalar(lambda x: -x),
    "brent full": lambda m: m.brent(quartic, full_output=True),
    "golden full": lambda m: m.golden(quartic, full_output=True),
    "fminbound full": lambda m: m.fminbound(quartic, 0, 3, full_output=True),
    "fminbound limited": lambda m: m.fminbound(quartic, 0, 3, maxfun=3, full_output=True),
    "bracket": lambda m: m.bracket(quartic),
    "no bracket": lambda m: m.bracket(lambda x: -x),
    "bracket limited": lambda m: m.bracket(lambda x: -x, maxiter=3),
    "brent unbounded": lambda m: m.brent(lambda x: -x),
    "wrong points": lambda m: m.minimize_scalar(quartic, bracket=(3, 4, 5)),
    "unordered points": lambda m: m.minimize_scalar(quartic, bracket=(0, 3, 1)),
    "one point": lambda m: m.minimize_scalar(quartic, bracket=(3,)),
    "bounds with brent": lambda m: m.minimize_scalar(quartic, bounds=(0, 3), method="brent"),
    "bounds missing": lambda m: m.minimize_scalar(quartic, method="bounded"),
    "unknown method": lambda m: m.minimize_scalar(quartic, method="foo"),
    "swapped bounds": lambda m: m.minimize_scalar(quartic, bounds=(3, 0)),
    "infinite bounds": lambda m: m.minimize_scalar(quartic, bounds=(0, np.inf)),
    "negative tol": lambda m: m.brent(quartic, tol=-1),
}


@pytest.mark.parametrize("call", CASES.values(), ids=CASES)
def test_outcome_is_scipys(call):
    (ours, our_warnings), (theirs, their_warnings) = outcome(call, optimize), outcome(call, scipy.optimize)
    assert our_warnings == their_warnings
    if isinstance(theirs, Exception):
        assert type(ours) is type(theirs) and str(ours)[:38] == str(theirs)[:38]
        return
    if isinstance(theirs, dict):
        assert list(ours) == list(theirs)
        for name in ("success", "message", "status"):
            assert ours.get(name) == theirs.get(name)
        if not np.isfinite(theirs.x):
            return  # where overflow stops the search for a bracket differs
        ours, theirs = ([r.x, r.fun, r.nit, r.nfev] for r in (ours, theirs))
    np.testing.assert_allclose(ours, theirs, rtol=1e-7, atol=1e-9)


def test_many_minima_at_once_with_gradients():
    def lowest(a):
        return optimize.minimize_scalar(lambda x: np.exp(x) - a * x).x

    scales = np.linspace(0.5, 3, 20)
    with jax.enable_x64(True):
        found, slopes = jax.jit(jax.vmap(jax.value_and_grad(lowest)))(scales)
    np.testing.assert_allclose(found, np.log(scales), rtol=1e-6, atol=1e-7)
    np.testing.assert_allclose(slopes, 1 / scales, rtol=1e-6)


def test_failure_is_nan_in_the_jax_world():
    assert np.isnan(optimize.brent(lambda x: -x, brack=(jnp.float32(0), jnp.float32(1))))
