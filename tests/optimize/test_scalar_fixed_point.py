"""`fixed_point`: SciPy's values and errors, implicit derivatives."""

import jax
import numpy as np
import pytest
import scipy.optimize

from sci import optimize

pytestmark = pytest.mark.usefixtures("native")


@pytest.mark.parametrize("method", ["del2", "iteration"])
def test_follows_scipy(method):
    def fun(x, a, b):
        return np.sqrt(a / (x + b))

    call = (fun, [1.2, 1.3]), {"args": (np.array([10, 12.0]), np.array([3, 5.0])), "method": method}
    ours, theirs = (m.fixed_point(*call[0], **call[1]) for m in (optimize, scipy.optimize))
    np.testing.assert_allclose(ours, theirs, rtol=1e-12)


def test_number_and_identity():
    assert np.ndim(optimize.fixed_point(lambda x: np.cos(x), 1.0)) == 0
    np.testing.assert_allclose(optimize.fixed_point(lambda x: 2.0 * x, np.array([0.3])), 0.0, atol=1e-12)
    for start in (1.05, -0.99, -1.01):
        ours, theirs = (m.fixed_point(lambda x: x**2, start) for m in (optimize, scipy.optimize))
        np.testing.assert_allclose(ours, theirs, rtol=1e-9)


@pytest.mark.parametrize(
    "call",
    [
        lambda m: m.fixed_point(lambda x: x**2 + 1, 2.0, maxiter=5),
        lambda m: m.fixed_point(lambda x: x + np.nan, 2.0),
        lambda m: m.fixed_point(lambda x: x, 2.0, method="foo"),
        lambda m: m.fixed_point(lambda x: x, np.nan),
    ],
)
def test_failures_raise_scipys_exception(call):
    with pytest.raises(Exception) as theirs, np.errstate(all="ignore"):  # noqa: PT011
        call(scipy.optimize)
    with pytest.raises(type(theirs.value)):
        call(optimize)


def test_implicit_derivatives():
    def root(a):
        return optimize.fixed_point(lambda x: 0.5 * (x + a / x), 1.0)

    with jax.enable_x64(True):
        np.testing.assert_allclose(jax.jit(jax.vmap(jax.grad(root)))(np.array([4.0, 9.0])), [1 / 4, 1 / 6], rtol=1e-9)
