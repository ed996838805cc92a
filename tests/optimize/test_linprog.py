"""`linprog`: unique vertices by the interior point method, all else as HiGHS says."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.optimize

import sci
from sci.optimize import linprog

C = np.array([-1.0, -2.0, 0.5])
PROBLEM = {
    "A_ub": [[1.0, 1.0, 1.0], [1.0, 3.0, 0.2]],
    "b_ub": [4.0, 6.0],
    "A_eq": [[1.0, 0.5, -1.0]],
    "b_eq": [0.5],
    "bounds": [(0, 3), (0, None), (None, None)],
}


@pytest.mark.parametrize("method", ["highs", "highs-ipm"])
def test_result_is_scipys(method):
    sci.clear_fallbacks()
    ours, theirs = linprog(C, **PROBLEM, method=method), scipy.optimize.linprog(C, **PROBLEM, method=method)
    assert not sci.fallbacks()
    assert list(ours) == list(theirs)
    assert (ours.success, ours.status) == (True, 0)
    np.testing.assert_allclose(ours.x, theirs.x, atol=1e-9)
    assert ours.fun == pytest.approx(theirs.fun, abs=1e-9)
    for part in ("ineqlin", "eqlin", "lower", "upper"):
        for field in ("residual", "marginals"):
            np.testing.assert_allclose(ours[part][field], theirs[part][field], atol=1e-8, err_msg=f"{part}.{field}")


@pytest.mark.parametrize("bounds", [None, [], (0, None)])
def test_no_bounds_mean_not_negative(bounds):
    sci.clear_fallbacks()
    result = linprog([1.0, 2.0], A_ub=[[-1.0, -1.0]], b_ub=[-1.0], bounds=bounds)
    assert not sci.fallbacks()
    np.testing.assert_allclose(result.x, [1.0, 0.0], atol=1e-9)


@pytest.mark.filterwarnings("ignore::sci.FallbackWarning")
def test_random_programs_agree_in_value_and_status():
    rng = np.random.default_rng(1)
    native = 0
    for k in range(60):
        a, e = rng.standard_normal((3, 6)), rng.standard_normal((2, 6))
        inside = rng.random(6)
        b_ub = a @ inside + (0.3 if k % 7 else -3.0)
        options = {"A_ub": a, "b_ub": b_ub, "A_eq": e, "b_eq": e @ inside, "bounds": (0, 2 if k % 3 else None)}
        c = rng.standard_normal(6)
        sci.clear_fallbacks()
        ours, theirs = linprog(c, **options), scipy.optimize.linprog(c, **options)
        native += not sci.fallbacks()
        assert ours.status == theirs.status
        if theirs.success:
            np.testing.assert_allclose(ours.x, theirs.x, atol=1e-7)
    assert native > 25


@pytest.mark.parametrize(
    ("options", "status"),
    [
        ({"c": [-1.0, 0.0]}, 3),  # unbounded
        ({"c": [1.0, 1.0], "A_ub": [[1.0, 1.0]], "b_ub": [-1.0]}, 2),  # infeasible
        ({"c": [1.0, 1.0], "A_eq": [[1.0, 1.0]], "b_eq": [1.0]}, 0),  # a whole edge is optimal
        ({"c": [-1.0, -1.0], "A_ub": [[2.0, 2.0]], "b_ub": [3.0], "integrality": [1, 1]}, 0),
        ({"c": [1.0, 1.0], "method": "highs-ds"}, 0),
    ],
)
def test_the_rest_is_highs(options, status):
    sci.clear_fallbacks()
    with pytest.warns(sci.FallbackWarning):
        ours = linprog(**options)
    theirs = scipy.optimize.linprog(**options)
    assert ours.status == theirs.status == status and ours.message == theirs.message
    np.testing.assert_array_equal(ours.x, theirs.x)


def test_derivatives_follow_the_active_set():
    def value(c, b_ub):
        return linprog(c, **PROBLEM | {"b_ub": b_ub})

    with jax.enable_x64(True):
        c, b = jnp.asarray(C), jnp.asarray(PROBLEM["b_ub"])
        slope = jax.grad(lambda b: value(c, b).fun)(b)
        moved = jax.jacfwd(lambda b: value(c, b).x)(b)
        at_c = jax.grad(lambda c: value(c, b).fun)(c)
        batch = jax.vmap(lambda b: value(c, b).x)(jnp.stack([b, 1.1 * b]))
        lost = value(c, b - 100.0)
    expected = scipy.optimize.linprog(C, **PROBLEM)
    np.testing.assert_allclose(slope, expected.ineqlin.marginals, atol=1e-9)
    np.testing.assert_allclose(at_c, expected.x, atol=1e-9)
    other = scipy.optimize.linprog(C, **PROBLEM | {"b_ub": 1.1 * np.asarray(PROBLEM["b_ub"])}).x
    np.testing.assert_allclose(batch, [expected.x, other], atol=1e-8)
    np.testing.assert_allclose(np.asarray(moved) @ (0.1 * np.asarray(PROBLEM["b_ub"])), other - expected.x, atol=1e-8)
    assert not lost.success and np.isnan(lost.x).all()


@pytest.mark.filterwarnings("ignore::sci.FallbackWarning")
@pytest.mark.parametrize(
    "options",
    [{"A_ub": [[1.0]]}, {"A_ub": [[1.0]], "b_ub": [1.0, 2.0]}, {"bounds": [(2, 1)]}, {"bounds": "all"},
     {"method": "other"}],
)  # fmt: skip
def test_bad_input_raises_scipys_exception(options):
    for module in (scipy.optimize, sci.optimize):
        with pytest.raises((ValueError, TypeError)) if options != {"bounds": [(2, 1)]} else _status(module):
            module.linprog([1.0], **options)


class _status:
    """SciPy reports crossing bounds in the result."""

    def __init__(self, module):
        self.module = module

    def __enter__(self):
        assert self.module.linprog([1.0], bounds=[(2, 1)]).status == 2

    def __exit__(self, *_):
        return False
